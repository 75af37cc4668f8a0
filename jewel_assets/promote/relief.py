"""How a flat cut-out stands up: a height and normals from its outline, as far as light and shadow need them."""

import numpy as np
from numpy.typing import NDArray

from jewel_assets.promote.scene import Array, single

THICKNESS: dict[str, float] = {
    "ring": 0.19,
    "earrings": 0.20,
    "bracelet": 0.16,
    "necklace": 0.15,
    "wristwatch": 0.12,
    "jewelry": 0.20,
}
"""By category: how far a piece rises from what it lies on, as a share of its longer side.

Near the medians of catalogue pieces at rest (ring 0.27, brooch 0.21, pendant 0.15); less for earrings and watches,
whose posts and closed straps hold them higher there (0.36 and 0.83) than what is photographed lying.
"""
STRUNG = ("bracelet", "necklace")
"""Categories whose pieces, where they are chains and strands, rise by no more than ROUND times their width."""
ROUND = 1.4
LINK = 0.02
"""Of the longer side: a gap that is no wider lies between the links of one strand."""


def height_of(alpha: Array, category: str, longer_side: float) -> Array:
    """(h, w) pixels above the plate of the piece's upper side: an inflation of the mask.

    Every part is as round as it is wide (h = sqrt(r^2 - (r - d)^2), d the distance to the outline and r the part's own
    half width), and the whole is lifted so that its highest parts reach THICKNESS, or ROUND of its width where it is
    strung. Zero where there is no piece.
    """
    import cv2

    solid = (alpha > 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(solid, cv2.DIST_L2, 3).astype(np.float32)
    if not distance.any():
        return np.zeros_like(alpha)
    reach = 2 * int(np.ceil(distance.max())) + 1
    half = cv2.dilate(distance, np.ones((min(reach, 61),) * 2, np.uint8))  # a square: much faster than a disc
    inflated = np.sqrt(np.maximum(half**2 - (half - distance) ** 2, 0.0)).astype(np.float32)
    top = THICKNESS.get(category, THICKNESS["jewelry"]) * longer_side
    if category in STRUNG:
        top = min(top, ROUND * _width_of_strand(solid, longer_side))
    # Thin parts lie lower than thick ones, but not on the ground: a chain link is held up by its neighbours.
    lifted = top * (0.6 + 0.4 * inflated / inflated.max())
    return np.where(solid > 0, lifted, 0.0).astype(np.float32)


def _width_of_strand(solid: NDArray[np.uint8], longer_side: float) -> float:
    """Pixels across the broader parts of a mask (h, w) of 0 and 1, the gaps between links and stones closed."""
    import cv2

    side = max(3, round(LINK * longer_side))
    closed = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    distance = cv2.distanceTransform(closed, cv2.DIST_L2, 3)
    ridge = (distance > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)))
    return 2 * float(np.percentile(distance[ridge], 75))


def normals_of(alpha: Array, rgb: Array, detail: float = 0.35) -> Array:
    """(h, w, 3) unit normals: those of the inflated mask, with a share of what brightness tells of small forms.

    `rgb` (h, w, 3) in 0..1. Brightness is taken for height, as shape from shading does in its crudest form: enough
    to make a gentle relight follow facets and links, not to measure them.
    """
    import cv2

    solid = (alpha > 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(solid, cv2.DIST_L2, 3).astype(np.float32)
    round_ = cv2.GaussianBlur(np.sqrt(distance), (0, 0), 2.0)
    luminance = cv2.GaussianBlur(rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32), (0, 0), 1.5)
    surface = 2.2 * round_ + detail * 12.0 * luminance
    dx = cv2.Scharr(surface, cv2.CV_32F, 1, 0, scale=1 / 32)
    dy = cv2.Scharr(surface, cv2.CV_32F, 0, 1, scale=1 / 32)
    normals = np.dstack([-dx, -dy, np.ones_like(dx)])
    return single(normals / np.linalg.norm(normals, axis=2, keepdims=True))
