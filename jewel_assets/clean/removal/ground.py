"""The ground of a photo: a smooth colour model fitted to its border, and how well it fits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels

Lab = NDArray[np.float32]
"""(h, w, 3) CIE L*a*b* (D65): L 0..100, so that Euclidean distance is Delta-E 1976."""


@dataclass(frozen=True)
class Ground:
    """A fitted ground.

    `lab` (h, w, 3) is the ground's colour at every pixel, as if nothing stood on it. `noise` (Delta-E) is the robust
    spread of the border around it. `plainness` (0 to 1) is the share of the border that the model explains.
    """

    lab: Lab
    noise: float
    plainness: float


BORDER_SHARE = 0.03  # of the shorter side: wide enough for a stable fit, narrow enough to be mostly ground
EXPLAINED_DELTA_E = 4.0  # a border pixel nearer than this (or 3 x the noise) to the model belongs to the ground


def to_lab(pixels: Pixels) -> Lab:
    """sRGB pixels (h, w, 3), uint8, as CIE L*a*b*."""
    import cv2

    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


def to_rgb(lab: Lab) -> NDArray[np.float32]:
    """CIE L*a*b* as sRGB (h, w, 3), float32, 0 to 255."""
    import cv2

    return np.asarray(np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1) * 255, np.float32)


def fit_ground(lab: Lab) -> Ground:
    """Fit the border with a polynomial of order 0, 1 or 2 in x and y: the lowest that explains it about as well.

    The fit starts from the border's most frequent colour and is re-weighted (Tukey's biweight), so a piece that runs
    out of the picture does not pull it as long as it covers the smaller part of the border.
    """
    height, width = lab.shape[:2]
    band = max(2, round(BORDER_SHARE * min(height, width)))
    inner = np.zeros((height, width), bool)
    inner[band:-band, band:-band] = True
    rows, columns = np.nonzero(~inner)
    step = max(1, len(rows) // 1500)
    rows, columns = rows[::step], columns[::step]
    samples = lab[rows, columns]
    x, y = columns / max(1, width - 1) * 2 - 1, rows / max(1, height - 1) * 2 - 1

    mode = _mode(samples)
    best: tuple[float, float, NDArray[np.float64], int] | None = None
    for order in (0, 1, 2):
        coefficients, noise = _robust_fit(_terms(x, y, order), samples, mode)
        residual = np.linalg.norm(samples - _terms(x, y, order) @ coefficients, axis=1)
        explained = float((residual < max(EXPLAINED_DELTA_E, 3 * noise)).mean()) if noise < EXPLAINED_DELTA_E else 0.0
        explained = min(explained, float((residual < 3 * EXPLAINED_DELTA_E).mean()))
        flatter = best is not None and noise < 0.7 * best[1] and explained > best[0] - 0.01
        if best is None or explained > best[0] + 0.02 or flatter:
            best = explained, noise, coefficients, order
        if explained > 0.97 and noise < 0.3:
            break  # nothing to gain
    assert best is not None  # the loop ran
    plainness, noise, coefficients, order = best
    if order == 0:
        return Ground(np.broadcast_to(coefficients[0].astype(np.float32), lab.shape), noise, plainness)
    grid_x, grid_y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    surface = _terms(grid_x.ravel(), grid_y.ravel(), order) @ coefficients
    return Ground(surface.reshape(height, width, 3).astype(np.float32), noise, plainness)


def _terms(x: NDArray[np.float64], y: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    columns = [np.ones_like(x)]
    if order >= 1:
        columns += [x, y]
    if order >= 2:
        columns += [x * x, x * y, y * y]
    return np.stack(columns, axis=1)


def _mode(samples: Lab) -> NDArray[np.float64]:
    """The most frequent colour: the fullest cell of an 8 Delta-E grid, refined by the median of what is near it."""
    cells, counts = np.unique(np.round(samples / 8).astype(int), axis=0, return_counts=True)
    centre = cells[counts.argmax()] * 8.0
    near = np.linalg.norm(samples - centre, axis=1) < 12
    return np.asarray(np.median(samples[near] if near.any() else samples, axis=0), np.float64)


def _robust_fit(
    terms: NDArray[np.float64], samples: Lab, start: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Coefficients (terms, 3) by iteratively re-weighted least squares, and the spread (Delta-E) of the inliers."""
    coefficients = np.zeros((terms.shape[1], 3))
    coefficients[0] = start
    reach = 12.0 if terms.shape[1] == 1 else 24.0  # a gradient may leave the mode's neighbourhood
    noise = reach
    for _ in range(6):
        residual = np.linalg.norm(samples - terms @ coefficients, axis=1)
        weight = np.clip(1 - (residual / reach) ** 2, 0, None) ** 2
        if (weight > 0).sum() < 4 * terms.shape[1]:
            break
        root = np.sqrt(weight)[:, None]
        coefficients = np.linalg.lstsq(terms * root, samples * root, rcond=None)[0]
        noise = float(np.median(residual[weight > 0]) / 1.18)  # the median of a Rayleigh variable is 1.18 sigma
        reach = max(EXPLAINED_DELTA_E, 4 * noise)
    return coefficients, noise
