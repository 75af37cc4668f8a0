"""Are two pictures the same picture? The strict, slow check that confirms or refutes a candidate pair of duplicates.

Shop photos of jewellery all look alike: a hash or an embedding says "both are a ring on white". So a pair counts as one
picture only if one of them, moved by an affine map (crop, flip, turn, scale, aspect) and given another exposure and
white point, reproduces the other patch by patch: its edges, its stones, its engraving.

1. Alignment hypotheses: affine maps from SIFT matches (Lowe, IJCV 2004) by RANSAC, for the picture and for its mirror
   image, whose SIFT descriptors are a permutation of the picture's own; and the whole frame on the whole frame, flipped
   or turned, as the perceptual hash suggests, for pictures with too little texture.
2. Each is refined by maximising the enhanced correlation coefficient (Evangelidis and Psarakis, TPAMI 2008). A glance
   at the thumbnails and a rough comparison at half size leave out what cannot become a likeness: most pairs.
3. The aligned pictures are compared by locally normalised correlation, by the colour that remains different after one
   gain and offset per channel, and by marks: strokes of one picture that the other has nowhere within a pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jewel_assets.clean.likeness import Likeness
from jewel_assets.clean.local_features import MIRRORED, Array, LocalFeatures
from jewel_assets.images import Pixels, decode

COMPARISON = "2"  # raise it when the same two pictures would now have another likeness: it voids all pair memories

MIN_INLIERS = 8  # of 1,000 disguised copies 2 have fewer; of pairs of different photos 94 % do
MIN_DESCRIPTOR_COSINE = 0.8
MAX_ASPECT_CHANGE = 1.6
SMOOTHING = 1.2  # pixels: below it, scaling and JPEG blocks change a picture
WINDOW = 9  # pixels: of the locally normalised correlation
PATCH = 21  # pixels: a stone, a charm, an engraved letter
NOISE_VARIANCE, STRUCTURE_VARIANCE = 6.0, 60.0  # squared grey levels within a window: damped below, compared above
MIN_PATCH_STRUCTURE = 0.15  # share of a patch that must have structure for the patch to count
MAX_CAST, MAX_CONTRAST_CHANGE = 1.13, 2.0  # gain of a channel against the others; gain of all
HOPELESS_GLANCE, HOPELESS_ROUGHLY, HOPELESS_REFINED = 0.4, 0.6, 0.8
"""Not worth the next, dearer step. The lowest of 486 disguised copies that pass in the end: 0.48, 0.85, 0.85."""
OVERPRINT_MARGIN = 0.25  # share of the frame, at each side, in which the centre of a logo lies
MAX_OVERPRINT = 0.025  # share of the frame that logos cover


@dataclass(frozen=True)
class Picture:
    """What `likeness` compares: small enough (some 60 KB) to hold thousands."""

    jpeg: bytes  # the preview: RGB, longer side PREVIEW_SIDE
    features: LocalFeatures

    @cached_property
    def grey(self) -> Array:
        """(h, w) uint8; kept, because a picture is compared with many."""
        return _grey(self.preview)

    @cached_property
    def thumbnail(self) -> Array:
        """(h / 4, w / 4) uint8 grey levels."""
        import cv2

        return np.asarray(cv2.resize(self.grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA))

    @property
    def preview(self) -> Pixels:
        """(h, w, 3), decoded anew each time."""
        return decode(self.jpeg)


def likeness(a: Picture, b: Picture, turns: tuple[int, ...] = ()) -> Likeness | None:
    """The best `Likeness` over all alignments of `b` with `a`, or None where nothing suggests an alignment.

    `turns` are indices into `TURNS` that a perceptual hash suggests, tried frame on frame. None too where
    alignments were suggested, but a rough look refuted them.
    """
    best: Likeness | None = None
    comparison: _Comparison | None = None
    for affine in _hypotheses(a, b, turns):
        comparison = comparison or _Comparison(a, b)
        for found in comparison.under(affine):
            if best is None or (found.same, found.correlation) > (best.same, best.correlation):
                best = found
            if best.same:
                return best
    return best


TURNS: tuple[tuple[bool, int], ...] = tuple((mirror, quarter) for mirror in (False, True) for quarter in range(4))
"""The 8 flips and rotations: mirrored left to right first or not, then this many quarter turns anticlockwise."""


def turned(pixels: Any, turn: int) -> Any:
    """An array of shape (h, w, ...) after flip and rotation number `turn` of `TURNS`."""
    mirror, quarter = TURNS[turn]
    return np.rot90(pixels[:, ::-1] if mirror else pixels, quarter)


def _hypotheses(a: Picture, b: Picture, turns: tuple[int, ...]) -> list[Array]:
    """Affine maps (2, 3) from the pixels of `b` to those of `a`, the likeliest first."""
    import cv2

    found: list[tuple[int, Array]] = []
    for mirrored in (False, True):
        order = MIRRORED if mirrored else slice(None)
        rows, columns = _matches(a.features.descriptors, b.features.descriptors[:, order])
        if len(rows) < MIN_INLIERS:
            continue
        source, target = b.features.points[columns], a.features.points[rows]
        affine, kept = cv2.estimateAffine2D(source, target, ransacReprojThreshold=3.0, maxIters=500, confidence=0.99)
        if affine is not None and int(kept.sum()) >= MIN_INLIERS and _plausible(affine, mirrored):
            found.append((int(kept.sum()), affine))
    matched = [affine for _, affine in sorted(found, key=lambda pair: -pair[0])[:1]]
    return matched + [_frame_on_frame(turn, b.grey.shape, a.grey.shape) for turn in turns]


def _matches(a: Array, b: Array) -> tuple[Array, Array]:
    """Indices of descriptors that are each other's nearest. No ratio test: links, pavé and dials repeat themselves."""
    if not len(a) or not len(b):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    cosine = a.astype(np.float32) @ b.T.astype(np.float32)
    forth, back = cosine.argmax(1), cosine.argmax(0)
    rows = np.flatnonzero((back[forth] == np.arange(len(a))) & (cosine.max(1) > MIN_DESCRIPTOR_COSINE))
    return rows, forth[rows]


def _plausible(affine: Array, mirrored: bool) -> bool:
    """Whether a re-publisher would do that: mirrored as asked, scaled by 1/4 to 4, aspect changed by at most 1.6."""
    stretch = np.linalg.svd(affine[:, :2], compute_uv=False)
    return bool(
        (np.linalg.det(affine[:, :2]) < 0) == mirrored
        and 0.25 < stretch[1] <= stretch[0] < 4
        and stretch[0] < MAX_ASPECT_CHANGE * stretch[1]
    )


def _frame_on_frame(turn: int, source: tuple[int, ...], target: tuple[int, ...]) -> Array:
    """The affine map (2, 3) that lays a frame of shape `source`, turned by `turn`, exactly on one of shape `target`."""
    # Where three corners of the unit square go: rot90 of index arrays follows the same turn as the pixels do.
    corners = np.stack(np.meshgrid([0.0, 1.0], [0.0, 1.0]), axis=-1)  # (2, 2, xy): corner [row, column] is at (x, y)
    came_from = turned(corners, turn)  # at [row, column]: the corner of the source that lands there
    source_size, target_size = (np.array([shape[1] - 1, shape[0] - 1], float) for shape in (source, target))
    p = (came_from * source_size)[[0, 0, 1], [0, 1, 0]]  # (3, 2)
    q = (corners * target_size)[[0, 0, 1], [0, 1, 0]]
    return np.linalg.solve(np.column_stack([p, np.ones(3)]), q).T


class _Comparison:
    """Two pictures, smoothed once, compared under one alignment after another."""

    def __init__(self, a: Picture, b: Picture) -> None:
        self.pictures = a, b

    @cached_property
    def previews(self) -> tuple[Pixels, Pixels]:
        """Both in colour."""
        return self.pictures[0].preview, self.pictures[1].preview

    @cached_property
    def greys(self) -> tuple[Array, Array]:
        """Smoothed grey levels of both."""
        return _smooth(self.pictures[0].grey), _smooth(self.pictures[1].grey)

    @cached_property
    def halves(self) -> tuple[Array, Array]:
        """The same at half size."""
        return np.ascontiguousarray(self.greys[0][::2, ::2]), np.ascontiguousarray(self.greys[1][::2, ::2])

    @cached_property
    def structures(self) -> tuple[Array, Array]:
        """Where each of them has structure."""
        return _has_structure(self.greys[0]), _has_structure(self.greys[1])

    def under(self, affine: Array) -> Iterator[Likeness]:
        """The likeness with the alignment refined, where that helps; nothing where it is hopeless."""
        import cv2

        inverse = cv2.invertAffineTransform(affine)
        if self._glanced(inverse) < HOPELESS_GLANCE:
            return
        found = self._roughly(inverse)
        if found < HOPELESS_ROUGHLY:
            return
        ways = [(found, inverse)]
        half = np.array([1.0, 1.0, 0.5])  # at half size, the same map with half the translation
        try:
            _, refined = cv2.findTransformECC(
                *self.halves,
                (inverse * half).astype(np.float32),
                cv2.MOTION_AFFINE,
                (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4),
            )
            ways.append((self._roughly(refined / half), refined / half))
        except cv2.error:  # it did not converge: what was found without it stands
            pass
        found, way = max(ways, key=lambda pair: pair[0])
        if found >= HOPELESS_REFINED and (measured := self._measured(way)) is not None:
            yield measured

    def _glanced(self, inverse: Array) -> float:
        """The correlation of the thumbnails over their common area: little work, to leave out most pairs."""
        import cv2

        a, b = self.pictures[0].thumbnail, self.pictures[1].thumbnail
        size, flags = (a.shape[1], a.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        quarter = inverse.copy()  # the middle of a thumbnail's pixel lies 1.5 pixels from that of the first of its four
        quarter[:, 2] = (inverse @ [1.5, 1.5, 1] - 1.5) / 4
        common = cv2.warpAffine(np.ones_like(b), quarter, size, flags=flags) > 0
        x, y = a[common].astype(np.float32), cv2.warpAffine(b, quarter, size, flags=flags)[common].astype(np.float32)
        if len(x) < PATCH:
            return 0.0
        x, y = x - x.mean(), y - y.mean()
        return float(x @ y / (np.sqrt((x @ x) * (y @ y)) + 1e-6))

    def _roughly(self, inverse: Array) -> float:
        """The locally normalised correlation at half size, over all structure in the common area."""
        import cv2

        a, b = self.halves
        size, linear = (a.shape[1], a.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        half = inverse * [1, 1, 0.5]
        moved = cv2.warpAffine(b, half, size, flags=linear, borderMode=cv2.BORDER_REPLICATE)
        reach = cv2.warpAffine(np.ones(b.shape, np.uint8), half, size, flags=linear)
        common = cv2.erode(reach, np.ones((WINDOW, WINDOW), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
        (mean_a, variance_a), (mean_b, variance_b) = _moments(a), _moments(moved)
        compared = (np.maximum(variance_a, variance_b) > STRUCTURE_VARIANCE) & (common > 0)
        if compared.sum() < PATCH:
            return 0.0
        covariance = (_mean(a * moved, WINDOW) - mean_a * mean_b)[compared]
        return float((covariance / (np.sqrt((variance_a * variance_b)[compared]) + NOISE_VARIANCE)).mean())

    def _measured(self, inverse: Array) -> Likeness | None:
        """The likeness where `inverse` (2, 3) tells where in `b` each pixel of `a` lies; None if hardly any does."""
        import cv2

        a, b = self.previews
        height, width = a.shape[:2]
        size, linear = (width, height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(b, inverse, size, flags=linear, borderMode=cv2.BORDER_REPLICATE)
        reach = cv2.warpAffine(np.ones(b.shape[:2], np.uint8), inverse, size, flags=linear)
        # Windows, and the smoothing beneath, that reach beyond the common area would compare with what is not there.
        window = np.ones((WINDOW + 6, WINDOW + 6), np.uint8)
        common: Array = cv2.erode(reach, window, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
        moved_structure = _has_structure(_smooth(_grey(np.asarray(moved, np.uint8))))
        a, b = _exposure_matched(a, moved, common)
        grey_a, grey_b = _smooth(_grey(a)), _smooth(_grey(b))
        (mean_a, variance_a), (mean_b, variance_b) = _moments(grey_a), _moments(grey_b)
        covariance = _mean(grey_a * grey_b, WINDOW) - mean_a * mean_b
        correlation = covariance / (np.sqrt(variance_a * variance_b) + NOISE_VARIANCE)
        compared = (np.maximum(variance_a, variance_b) > STRUCTURE_VARIANCE) & common
        overprint = _overprint(correlation, variance_a, variance_b, compared)
        compared &= ~overprint
        if compared.sum() < PATCH * PATCH:
            return None
        scale = abs(float(np.linalg.det(inverse[:, :2])))  # pixels of b for one of a
        structure_a, structure_b = self.structures
        overlap_a = (common & structure_a).sum() / max(1, structure_a.sum())
        overlap_b = (common & moved_structure).sum() * scale / max(1, structure_b.sum())
        weight = _mean(compared.astype(np.float32), PATCH)
        patches = common & (weight > MIN_PATCH_STRUCTURE)
        weight = np.maximum(weight, 1e-6)
        patch_correlation = (_mean(np.where(compared, correlation, 0), PATCH) / weight)[patches]
        difference = np.where(compared[..., None], a.astype(np.float32) - b, np.float32(0))
        patch_colour = np.abs(_mean(difference, PATCH) / weight[..., None])[patches]
        return Likeness(
            float(correlation[compared].mean()),
            float(patch_correlation.min(initial=1)),
            float(patch_colour.max(initial=0)),
            float(np.float32(min(overlap_a, overlap_b, 1))),
            float(_marks(grey_a, grey_b)[common & ~overprint].max(initial=0)),
        )


def _marks(a: Array, b: Array) -> Array:
    """Grey levels, at each pixel, of what one picture shows and the other nowhere within a pixel; mean of 3x3."""
    import cv2

    near = np.ones((3, 3), np.uint8)  # an alignment is good to half a pixel
    only_a = np.maximum(a - cv2.dilate(b, near), cv2.erode(b, near) - a)
    only_b = np.maximum(b - cv2.dilate(a, near), cv2.erode(a, near) - b)
    return _mean(np.maximum(np.maximum(only_a, only_b), 0), 3)


def _grey(pixels: Pixels) -> Pixels:
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _smooth(grey: Pixels) -> Array:
    """(h, w) grey levels, smoothed."""
    import cv2

    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), SMOOTHING), np.float32)


def _has_structure(grey: Array) -> Array:
    return _moments(grey)[1] > STRUCTURE_VARIANCE


def _mean(values: Array, side: int) -> Array:
    """The mean over a square window, at each pixel."""
    import cv2

    return np.asarray(cv2.boxFilter(values, -1, (side, side)), np.float32)


def _moments(grey: Array) -> tuple[Array, Array]:
    """Mean and variance within WINDOW, at each pixel."""
    mean = _mean(grey, WINDOW)
    return mean, np.maximum(_mean(grey * grey, WINDOW) - mean * mean, 0)


def _overprint(correlation: Array, variance_a: Array, variance_b: Array, compared: Any) -> Any:
    """Pixels of a small logo or caption that only one picture has, in its margin and clear of what both show."""
    import cv2

    height, width = compared.shape
    one_sided = compared & (np.maximum(variance_a, variance_b) > 6 * np.minimum(variance_a, variance_b))
    shared = compared & ~one_sided & (correlation > 0.5)
    near = cv2.dilate(shared.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    joined = cv2.morphologyEx(one_sided.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((WINDOW, WINDOW), np.uint8))
    count, labels, _, centres = cv2.connectedComponentsWithStats(joined)
    touching = np.bincount(labels[near], minlength=count) > 0
    margin = np.abs(centres / [width, height] - 0.5).max(1) > 0.5 - OVERPRINT_MARGIN
    stray = margin & ~touching
    stray[0] = False  # the background
    # Its fringes, where a window holds a little of both, go with it.
    mask = (cv2.dilate(stray[labels].astype(np.uint8), np.ones((WINDOW, WINDOW), np.uint8)) > 0) & compared
    return mask if mask.sum() <= MAX_OVERPRINT * mask.size else np.zeros_like(mask)


def _exposure_matched(a: Array, b: Array, common: Any) -> tuple[Array, Array]:
    """Both pictures, in each channel the one with less contrast brought to the other's by a gain and an offset.

    Brightening cuts off highlights: so the darker one is brightened and cut off likewise, not the other darkened.
    """
    inside = common & _between(a) & _between(b)
    x, y = b[inside][::3].astype(np.float32), a[inside][::3].astype(np.float32)  # (n, 3); a third is plenty
    if len(x) < PATCH:
        return a, b
    gain, offset = _line(x, y)
    error = np.abs(gain * x + offset - y).sum(1)
    kept = error <= np.percentile(error, 80)  # fitted twice: a stone of another colour must not shift the rest
    gain, offset = _line(x[kept], y[kept])
    # Channel by channel: a warm cast brightens red and darkens blue.
    up = gain >= 1
    return (
        _exposed(a, np.where(up, 1, 1 / gain), np.where(up, 0, -offset / gain)),
        _exposed(b, np.where(up, gain, 1), np.where(up, offset, 0)),
    )


def _between(pixels: Pixels) -> Array:
    """Where no channel of (h, w, 3) pixels is cut off."""
    import cv2

    return cv2.inRange(pixels, (5, 5, 5), (250, 250, 250)) > 0


def _exposed(pixels: Pixels, gain: Array, offset: Array) -> Pixels:
    """(h, w, 3) pixels with a gain and an offset per channel, cut off at 0 and 255."""
    import cv2

    levels = np.arange(256)[:, None] * gain + offset
    return np.asarray(cv2.LUT(pixels, np.clip(np.rint(levels), 0, 255).astype(np.uint8)[None]), np.uint8)


def _line(x: Array, y: Array) -> tuple[Array, Array]:
    """Gain and offset per column, shape (3,), of lines through (n, 3) values, as a re-publisher might have set them."""
    # The ratio of deviations, between the two regressions: noise in x would flatten the gain of either alone.
    gain = np.maximum(y.std(0), 1) / np.maximum(x.std(0), 1)
    middle = np.exp(np.log(gain).mean())
    # On white, three large enough gains make silver gold. What goes beyond a cast must show as a difference.
    gain = np.clip(gain, middle / MAX_CAST, middle * MAX_CAST)
    gain = np.clip(gain, 1 / MAX_CONTRAST_CHANGE, MAX_CONTRAST_CHANGE)
    return gain, y.mean(0) - gain * x.mean(0)
