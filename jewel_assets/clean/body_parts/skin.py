"""A skin measure that does not take gold for skin. It is evidence beside other evidence, never a verdict.

The usual skin box in YCrCb (Chai and Ngan, "Face segmentation using skin-color map in videophone applications", IEEE
TCSVT 9(4), 1999) holds every shade of gold and rose gold: colour says no more than "perhaps". What tells them apart:

- metal reflects its surroundings: near a skin-toned pixel of it there is a highlight; skin scatters light,
- a chain, a shank or a strap is thin or full of edges; a finger, an ear, a neck is thick and smooth for its size,
- a body part does not float: it leaves the photo through a border, where a piece of jewellery lies free,
- a body is round and, at this size, without grain; parchment, linen or wood that a piece lies on fills the whole
  border, is lit evenly and has grain.

Folded satin can pass all of them, which is why a person decides (`review`) when there is nothing but skin.
"""

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels

SIDE = 256  # pixels of the longer side at which skin is measured: fast, and fine chains melt into their surroundings
CR_RANGE = (133, 173)  # Chai and Ngan 1999, section II
CB_RANGE = (77, 127)
DARKEST_LUMA = 40.0  # below it chroma is noise
HIGHLIGHT_LUMA = 245.0  # specular, on 8 bit
HIGHLIGHT_REACH = 2  # pixels around a highlight that belong to it
CONTRAST_WINDOW = 7  # pixels
EDGE_CONTRAST = 0.12  # standard deviation / mean of luma within the window: above it there is an edge or a glitter

LEAST_AREA = 0.01  # share of the frame below which a region says nothing
LEAST_THICKNESS = 0.04  # radius of the largest circle within a region / SIDE: thinner is a chain, a shank, a strap
MOST_HIGHLIGHT = 0.15  # share of a region near a highlight: metal has 0.2-0.8 of it
MOST_EDGES = 0.6  # share of a region's inside that is edge or glitter
GROUND_BORDER = 0.95  # share of the photo's border that a ground covers
GROUND_SHADING = 0.11  # standard deviation / mean of the blurred luma of a ground; of a body that fills the photo, more
SHADING_SIGMA = 8.0  # pixels: folds and fingers stay, grain and weave go
GROUND_GRAIN = 0.009  # median of what a small blur takes away / mean luma; skin that fills a photo has 0.002-0.006
GRAIN_SIGMA = 2.0  # pixels


def limb_share(pixels: Pixels) -> float:
    """The share of the frame, 0..1, covered by skin-toned regions shaped like a part of a body; pixels (h, w, 3) RGB.

    Such a region is thick, smooth and dull, leaves the photo through its border, and is no ground under a piece.
    """
    import cv2

    scale = SIDE / max(pixels.shape[:2])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    luma, cr, cb = (np.asarray(plane, np.float32) for plane in cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)))
    tone = (
        (cr >= CR_RANGE[0]) & (cr <= CR_RANGE[1]) & (cb >= CB_RANGE[0]) & (cb <= CB_RANGE[1]) & (luma >= DARKEST_LUMA)
    )
    opened = cv2.morphologyEx(tone.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    large = [label for label in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= LEAST_AREA * tone.size) if label > 0]
    if not large:
        return 0.0
    surface = _Surface(luma)
    return sum(float(region.mean()) for label in large if surface.could_be_limb(region := labels == label))


class _Surface:
    """What the luma of a photo, (h, w) float32 on a longer side of SIDE, says of the surfaces in it."""

    def __init__(self, luma: NDArray[np.float32]) -> None:
        import cv2

        reach = np.ones((2 * HIGHLIGHT_REACH + 1,) * 2, np.uint8)
        self.highlight = cv2.dilate((luma > HIGHLIGHT_LUMA).astype(np.uint8), reach) > 0
        mean = cv2.blur(luma, (CONTRAST_WINDOW,) * 2)
        variance = np.maximum(cv2.blur(luma * luma, (CONTRAST_WINDOW,) * 2) - mean * mean, 0)
        self.edges = np.sqrt(variance) > EDGE_CONTRAST * (mean + 1)
        self.shading = cv2.GaussianBlur(luma, (0, 0), SHADING_SIGMA)
        self.grain = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), GRAIN_SIGMA))
        self.border = np.ones(luma.shape, bool)
        self.border[1:-1, 1:-1] = False

    def could_be_limb(self, region: NDArray[np.bool_]) -> bool:
        """Whether a skin-toned region has the form and the surface of a part of a body."""
        import cv2

        at_border = float(region[self.border].mean())
        if at_border == 0 or self.highlight[region].mean() > MOST_HIGHLIGHT:
            return False
        core = cv2.erode(region.astype(np.uint8), np.ones((CONTRAST_WINDOW,) * 2), borderValue=1) > 0
        if not core.any() or self.edges[core].mean() > MOST_EDGES:
            return False
        radius = cv2.distanceTransform(np.pad(region.astype(np.uint8), 1), cv2.DIST_L2, 3).max()
        return bool(radius >= LEAST_THICKNESS * SIDE) and not (at_border >= GROUND_BORDER and self._is_ground(core))

    def _is_ground(self, core: NDArray[np.bool_]) -> bool:
        """Whether what fills the photo is a material, evenly lit and with a grain."""
        shading = self.shading[core]
        level = float(shading.mean())
        return bool(shading.std() <= GROUND_SHADING * level and np.median(self.grain[core]) >= GROUND_GRAIN * level)
