"""Tileability: how little one sees of the seams when a texture is repeated.

Two things give a seam away, and each is compared with what the texture itself has inside, at several scales:

- *A step.* Along the seam, colours jump more than they do between neighbours anywhere inside: the seam's energy against
  the largest of the rows' (or columns') energies inside. This finds cut grains. The same with colours averaged along
  stretches of the seam finds uneven light, which grain hides from a pixel but not from an eye.
- *A break of the pattern.* A patch across the seam has no look-alike elsewhere. In a texture, every small neighbourhood
  has some: that is the assumption of synthesis by example (Efros and Leung, "Texture synthesis by non-parametric
  sampling", ICCV 1999). So the distance of seam patches to their nearest patch inside is compared with the distance
  that patches inside have to theirs. This finds a checkerboard cut at half a square, though no colour jumps there.

A learned measure of the same quality is TexTile (Rodriguez-Pardo et al., "TexTile: a differentiable metric for texture
tileability", CVPR 2024); this one needs no weights, says along which axis the seam is, and is 1 for whatever is
periodic by construction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Lab = NDArray[np.float32]
Distances = NDArray[np.float64]

STEP_SIDE = 512  # pixels: longer side at which steps are looked for
PATCH_SIDE = 192  # pixels: longer side at which patches are compared; the cost grows with its fourth power
STEP_SCALES = 5  # octaves
STRETCHES = 8  # along a seam, over each of which colours are averaged
PATCH = 8  # pixels, each side
LEAST_PATCHES = 3  # on each side: with fewer there is no elsewhere in which a patch may come again
SEAM_PATCHES, CONTROL_PATCHES = 64, 20  # along a seam; inside, along each side of a grid

_SLACK = 1.1  # a seam so little stronger than the inside is none: what chance does
_STEP_FLOOR = 0.5  # CIE76: a difference below it is not seen, even along an edge
_PATCH_FLOOR = 3.0  # CIE76: the same for patches, which have noise
_NOVELTY_FLOOR = 0.2  # of the contrast of a patch: in a perfect pattern, what scaling leaves of an equal patch
_ERRORS = 1.5  # standard errors that are put down to the choice of patches, for textures with rare marks


@dataclass(frozen=True)
class Tileability:
    """0..1 each; 1: the seam cannot be told from the inside; 0.5: it is some twice as conspicuous as anything there."""

    x: float  # of the seam that repeating to the right makes: the left border beside the right one
    y: float  # of the seam that repeating downwards makes

    @property
    def overall(self) -> float:
        """The worse of the two: one visible seam is enough."""
        return min(self.x, self.y)


def tileability(lab: Lab) -> Tileability:
    """How little one sees of the seams of a texture, float32 (h, w, 3) CIELAB, when it is repeated.

    A texture that is too small to compare patches (less than 24 pixels on a side) is judged by its steps alone.
    Flipping the texture changes nothing.
    """
    steps = _steps(_fitted(lab, STEP_SIDE))
    breaks = _breaks(_fitted(lab, PATCH_SIDE))
    worst = np.maximum(steps, breaks)
    x, y = (float(min(1.0, _SLACK / ratio)) for ratio in worst)
    return Tileability(x, y)


def _steps(lab: Lab) -> Distances:
    """The seam's mean colour difference in relation to the largest inside, (x, y); the worst over all scales.

    At each scale it is the difference of the mean colours of so many pixels before and behind: taken at every pixel, so
    that an edge inside is met as exactly as one on the seam.
    """
    worst = np.ones(2)
    for index, across in enumerate((lab, np.ascontiguousarray(lab.transpose(1, 0, 2)))):
        height, width = across.shape[:2]
        for scale in (2**octave for octave in range(STEP_SCALES)):
            if width < 4 or width < 16 * scale > 16:  # with so few columns the seam may be the strongest by chance
                break
            for rows in (height // scale, STRETCHES):
                jump = _jumps(_averaged(across, rows), scale)  # first: the seam
                inside = jump[scale : width - scale + 1].max()
                worst[index] = max(worst[index], (jump[0] + _STEP_FLOOR) / (inside + _STEP_FLOOR))
    return worst


def _jumps(colours: Lab, scale: int) -> Distances:
    """How far the mean of the `scale` columns from each on is from that of those before, CIE76, (w,), mean of rows."""
    wrapped = np.concatenate([colours[:, -scale:], colours, colours[:, :scale]], axis=1)
    sums = np.cumsum(np.pad(wrapped.astype(np.float64), ((0, 0), (1, 0), (0, 0))), axis=1)
    means = (sums[:, scale:] - sums[:, :-scale]) / scale  # those of the columns x - scale .. x - 1, of the frame's x
    width = colours.shape[1]
    return np.asarray(np.linalg.norm(means[:, scale : scale + width] - means[:, :width], axis=2).mean(axis=0))


def _averaged(lab: Lab, rows: int) -> Lab:
    """(rows, w, 3): the mean colours of as many equal parts of each column."""
    import cv2

    size = (lab.shape[1], max(1, min(rows, lab.shape[0])))
    return np.asarray(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), np.float32)


def _breaks(lab: Lab) -> Distances:
    """How much newer the patches across a seam are than those inside, as a ratio, (x, y); the worst over all scales."""
    worst = np.ones(2)
    lab = lab - lab.mean(axis=(0, 1))  # differences of large numbers would lose the small ones
    scale = 1
    while min(lab.shape[:2]) >= LEAST_PATCHES * PATCH * scale:
        height, width = (side - PATCH * scale + 1 for side in lab.shape[:2])  # places of patches
        rows, columns = _spread(height, SEAM_PATCHES), _spread(width, SEAM_PATCHES)
        grid = np.meshgrid(_spread(height, CONTROL_PATCHES), _spread(width, CONTROL_PATCHES), indexing="ij")
        inside = [axis.ravel() for axis in grid]
        across = -PATCH * scale // 2  # half of the patch lies before the border, half behind
        tops = np.concatenate([rows, np.full(len(columns), across), inside[0]])
        lefts = np.concatenate([np.full(len(rows), across), columns, inside[1]])
        novelty = _novelty(lab, tops, lefts, scale)
        of_x, of_y, control = np.split(novelty, [len(rows), len(rows) + len(columns)])
        for index, seam in enumerate((of_x, of_y)):
            chance = _ERRORS * np.hypot(*(part.std() / np.sqrt(len(part)) for part in (seam, control)))
            excess = max(0.0, seam.mean() - control.mean() - chance)
            worst[index] = max(worst[index], 1 + excess / (control.mean() + _NOVELTY_FLOOR))
        scale *= 2
    return worst


def _novelty(lab: Lab, tops: NDArray[np.intp], lefts: NDArray[np.intp], scale: int) -> Distances:
    """How far patches are from the nearest patch elsewhere, as a share of their own contrast: 0 (found again) to 1.

    A patch has PATCH x PATCH cells, each the mean of `scale` x `scale` pixels. It may lie at any pixel, not at every
    `scale`-th alone: a period that is no multiple of the scale is met in each of its phases. `tops` and `lefts` (n,)
    are the patches' upper left pixels; a patch may reach over the border, where it goes on at the other side. Patches
    that overlap it do not count as elsewhere.
    """
    import cv2

    side, (height, width) = PATCH * scale, lab.shape[:2]
    wrapped = np.pad(lab, ((side, side), (side, side), (0, 0)), mode="wrap")
    means = np.asarray(cv2.blur(wrapped, (scale, scale), anchor=(0, 0)))  # at a pixel: the cell to its lower right
    reach = side - scale + 1  # from the first cell of a patch to its last
    windows = np.lib.stride_tricks.sliding_window_view(
        means[side : side + height - scale + 1, side : side + width - scale + 1], (reach, reach), axis=(0, 1)
    )[..., ::scale, ::scale]  # (h', w', 3, PATCH, PATCH)
    places = windows.shape[:2]
    there = windows.reshape(places[0] * places[1], -1)  # (m, 3 PATCH PATCH)
    patches = np.stack(
        [
            means[top : top + side : scale, left : left + side : scale]
            for top, left in zip(tops + side, lefts + side, strict=True)
        ]
    ).transpose(0, 3, 1, 2)  # (n, 3, PATCH, PATCH)
    spread = np.sqrt(patches.var(axis=(2, 3)).sum(axis=1))  # CIE76, (n,)
    flat = patches.reshape(len(patches), -1)
    squares = np.einsum("ij,ij->i", there, there)
    nearest = np.empty(len(flat))
    for start in range(0, len(flat), 128):  # 128 x 34,000 distances are 17 MB
        part = slice(start, start + 128)
        distance = squares - 2 * flat[part] @ there.T  # (128, m), without the patches' own squares
        for field, top, left in zip(distance.reshape(-1, *places), tops[part], lefts[part], strict=True):
            field[np.ix_(_beside(top, height, side), _beside(left, width, side))] = np.inf
        nearest[part] = distance.min(axis=1) + np.einsum("ij,ij->i", flat[part], flat[part])
    return np.asarray(np.sqrt(np.maximum(nearest, 0)) / PATCH / (spread + _PATCH_FLOOR))


def _beside(place: int, length: int, side: int) -> NDArray[np.intp]:
    """Those of the pixels that are less than `side` from `place`, where the line of `length` closes to a circle."""
    near = np.arange(place - side + 1, place + side) % length
    return near[near <= length - side]


def _spread(places: int, count: int) -> NDArray[np.intp]:
    """At most some `count` of the numbers 0..places - 1, evenly apart and the same from either end."""
    half = np.arange(0, (places + 1) // 2, max(1, places // count))
    return np.unique(np.concatenate([half, places - 1 - half]))


def _fitted(lab: Lab, side: int) -> Lab:
    """Scaled down to a longer side of `side`; what is periodic over the whole frame stays so."""
    import cv2

    height, width = lab.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return lab
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), np.float32)
