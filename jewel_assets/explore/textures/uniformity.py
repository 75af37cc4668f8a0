"""Uniformity: whether a picture is the same all over, as a texture is, or of something, as a product photo is."""

import numpy as np
from numpy.typing import NDArray

Lab = NDArray[np.float32]
Features = NDArray[np.float32]

SIDE = 256  # pixels: longer side at which patches are compared
PATCHES = 4  # along each side

_SCALES = (1.0, 2.0, 4.0)  # pixels: standard deviations of the finer Gaussian of each band
_BAND_UNIT = 8.0  # a doubling of detail counts as much as a CIE76 difference of 8
_FLOOR = 3.0  # CIE76: differences that JPEG and noise make
_WORST = 90  # percentile of the pairs of patches: a piece that fills a tenth of the frame still tells


def uniformity(lab: Lab) -> float:
    """How alike the patches of a picture, float32 (h, w, 3) CIELAB, are: 1 where their statistics are the same.

    A texture is a picture whose statistics do not depend on the place. They are those of Heeger and Bergen,
    "Pyramid-based texture analysis/synthesis" (SIGGRAPH 1995): the distributions of colour and of detail at several
    scales. Here the frame is divided into 4 x 4 patches; of each two, the distributions are compared by their
    Wasserstein distance in one dimension, in relation to how wide they are themselves, and averaged over colour and
    detail; what counts is the pair at the 90th percentile. Of 220 photos of jewellery and people 95 % are below 0.61,
    of 23 photos of surfaces as makers of textures give them out, all are above.
    """
    features = _features(_fitted(lab))
    levels = np.linspace(0.02, 0.98, 25)
    patches = [patch for row in np.array_split(features, PATCHES) for patch in np.array_split(row, PATCHES, axis=1)]
    flat = [patch.reshape(-1, features.shape[-1]) for patch in patches if patch.size]
    if len(flat) < 2:
        return 1.0
    quantiles = np.array([np.quantile(patch, levels, axis=0) for patch in flat])  # (patches, levels, features)
    width = np.mean([patch.std(axis=0) for patch in flat], axis=0)  # (features,)
    one, other = np.triu_indices(len(flat), 1)
    distance = np.abs(quantiles[one] - quantiles[other]).mean(axis=1)  # (pairs, features)
    unlike = (distance / (width + _FLOOR)).mean(axis=1)
    return float(1 / (1 + np.percentile(unlike, _WORST)))


def _features(lab: Lab) -> Features:
    """(h, w, 6): L*, a*, b*, and how much detail there is in three octaves, each in units of CIE76."""
    import cv2

    light = lab[..., 0]
    bands = []
    for sigma in _SCALES:
        band = cv2.GaussianBlur(light, (0, 0), sigma) - cv2.GaussianBlur(light, (0, 0), 2 * sigma)
        bands.append(_BAND_UNIT * np.log2(1 + cv2.GaussianBlur(np.abs(band), (0, 0), 2 * sigma)))
    return np.dstack([lab, *bands]).astype(np.float32)


def _fitted(lab: Lab) -> Lab:
    import cv2

    scale = SIDE / max(lab.shape[:2])
    if scale >= 1:
        return lab
    size = (max(1, round(lab.shape[1] * scale)), max(1, round(lab.shape[0] * scale)))
    return np.asarray(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), np.float32)
