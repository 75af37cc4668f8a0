"""Are two pictures the same picture? The strict, slow check that confirms or refutes a candidate pair of duplicates.

Shop photos of jewellery all look alike: a hash or an embedding says "both are a ring on white". So a pair counts as one
picture only if one of them, moved by an affine map (crop, flip, turn, scale, aspect) and given another exposure and
white point, reproduces the other patch by patch: its edges, its stones, its engraving.

1. Alignment hypotheses: affine maps from SIFT matches (Lowe, IJCV 2004) by RANSAC, for the picture and for its mirror
   image, whose SIFT descriptors are a permutation of the picture's own; and the whole frame on the whole frame, flipped
   or turned, as the perceptual hash suggests, for pictures with too little texture.
2. Each is refined by maximising the enhanced correlation coefficient (Evangelidis and Psarakis, TPAMI 2008).
3. The aligned pictures are compared by locally normalised correlation, and by the colour that remains different after
   one gain and offset per channel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels, decode

Array = NDArray[Any]  # uint8, float32 or bool images (h, w[, 3]); float64 affine maps (2, 3)

PREVIEW_SIDE = 256  # pixels of the longer side; shop listings are often no larger
KEYPOINTS = 200  # the strongest; a ring on white has some 150 at this size

_LAYOUT = np.arange(128).reshape(4, 4, 8)  # SIFT: rows x columns of cells, 8 orientations each
MIRRORED = _LAYOUT[::-1][:, :, -np.arange(8) % 8].ravel()
"""`descriptor[MIRRORED]` is the SIFT descriptor that the same point has in the mirror image."""


MIN_INLIERS = 6  # an affine map has 3 points to spare then
MIN_DESCRIPTOR_COSINE = 0.8
MAX_ASPECT_CHANGE = 1.6
SMOOTHING = 1.2  # pixels: below it, scaling and JPEG blocks change a picture
WINDOW = 9  # pixels: of the locally normalised correlation
PATCH = 21  # pixels: a stone, a charm, an engraved letter
NOISE_VARIANCE, STRUCTURE_VARIANCE = 6.0, 60.0  # squared grey levels within a window: damped below, compared above
MIN_PATCH_STRUCTURE = 0.15  # share of a patch that must have structure for the patch to count
MAX_CAST, MAX_CONTRAST_CHANGE = 1.13, 2.0  # gain of a channel against the others; gain of all
HOPELESS_GLANCE, HOPELESS_CORRELATION = 0.35, 0.3  # not worth a comparison; not worth a better alignment
OVERPRINT_MARGIN = 0.25  # share of the frame, at each side, in which the centre of a logo lies
MAX_OVERPRINT = 0.025  # share of the frame that logos cover


@dataclass(frozen=True)
class LocalFeatures:
    """SIFT keypoints of a preview."""

    points: Array  # (n, 2): x, y in preview pixels
    descriptors: Array  # (n, 128) float16: RootSIFT (Arandjelovic and Zisserman, CVPR 2012), unit L2 norm


def local_features(preview: Pixels) -> LocalFeatures:
    """At most `KEYPOINTS` SIFT features of (h, w, 3) RGB pixels; none for a picture without any structure."""
    import cv2

    # Half the usual contrast threshold: polished metal and pale stones on white have soft edges.
    sift = cv2.SIFT.create(KEYPOINTS, contrastThreshold=0.02)
    keypoints, descriptors = sift.detectAndCompute(cv2.cvtColor(preview, cv2.COLOR_RGB2GRAY), None)
    if descriptors is None:
        return LocalFeatures(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float16))
    descriptors = descriptors[:KEYPOINTS]  # OpenCV may return a few more than asked
    rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-9))
    points = np.array([keypoint.pt for keypoint in keypoints[:KEYPOINTS]], np.float32)
    return LocalFeatures(points, rooted.astype(np.float16))


@dataclass(frozen=True)
class Picture:
    """What `likeness` compares: small enough (some 60 KB) to hold thousands."""

    jpeg: bytes  # the preview: RGB, longer side PREVIEW_SIDE
    shape: tuple[int, int]  # height, width
    features: LocalFeatures

    @property
    def preview(self) -> Pixels:
        """(h, w, 3), decoded anew each time."""
        return decode(self.jpeg)

    @classmethod
    def of(cls, jpeg: bytes) -> "Picture":
        """The picture whose preview this is."""
        preview = decode(jpeg)
        return cls(jpeg, preview.shape[:2], local_features(preview))


@dataclass(frozen=True)
class Likeness:
    """How well one picture, aligned and with its exposure matched, reproduces another."""

    correlation: float  # -1..1: locally normalised correlation, mean over all structure in the common area
    worst_patch: float  # -1..1: the same in the patch where it is lowest
    colour: float  # 0..255: largest mean difference of a patch in a channel, exposure matched
    overlap: float  # 0..1: the smaller share of a picture's structure that lies in the common area

    @property
    def same(self) -> bool:
        """Whether the two are one picture."""
        return (
            self.correlation >= MIN_CORRELATION
            and self.worst_patch >= MIN_WORST_PATCH
            and self.colour <= MAX_COLOUR
            and self.overlap >= MIN_OVERLAP
        )


MIN_CORRELATION, MIN_WORST_PATCH, MAX_COLOUR, MIN_OVERLAP = 0.85, 0.84, 16.0, 0.6
"""Chosen on transformed copies and on the closest pairs of different products, see `benchmarks/duplicates.py`."""


def likeness(a: Picture, b: Picture, turns: tuple[int, ...] = ()) -> Likeness | None:
    """The best `Likeness` over all alignments of `b` with `a`, or None where nothing suggests an alignment.

    `turns` are indices into `TURNS` that a perceptual hash suggests, tried frame on frame. Takes 3 ms for most pairs of
    different pictures and 12 ms for copies (previews of 256 pixels, one core).
    """
    best: Likeness | None = None
    comparison: _Comparison | None = None
    for affine in _hypotheses(a, b, turns):
        comparison = comparison or _Comparison(a.preview, b.preview)
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
    return matched + [_frame_on_frame(turn, b.shape, a.shape) for turn in turns]


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

    def __init__(self, a: Pixels, b: Pixels) -> None:
        self.a, self.b = a, b

    @cached_property
    def greys(self) -> tuple[Array, Array]:
        """Smoothed grey levels of both."""
        return _smooth_grey(self.a), _smooth_grey(self.b)

    @cached_property
    def structures(self) -> tuple[Array, Array]:
        """Where each of them has structure."""
        return _has_structure(self.greys[0]), _has_structure(self.greys[1])

    @cached_property
    def thumbnails(self) -> tuple[Array, Array]:
        """Grey levels of both at a quarter of their size."""
        import cv2

        a, b = (cv2.resize(pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) for pixels in (self.a, self.b))
        return cv2.cvtColor(a, cv2.COLOR_RGB2GRAY), cv2.cvtColor(b, cv2.COLOR_RGB2GRAY)

    def under(self, affine: Array) -> Iterator[Likeness]:
        """The likeness as it stands; then, unless it is hopeless, with the alignment refined."""
        import cv2

        inverse = cv2.invertAffineTransform(affine)
        if self._glanced(inverse) < HOPELESS_GLANCE:
            return
        found = self._measured(inverse)
        if found is None:
            return
        yield found
        if found.correlation < HOPELESS_CORRELATION:
            return
        half = np.array([1.0, 1.0, 0.5])  # at half size, the same map with half the translation
        try:
            _, refined = cv2.findTransformECC(
                np.ascontiguousarray(self.greys[0][::2, ::2]),
                np.ascontiguousarray(self.greys[1][::2, ::2]),
                (inverse * half).astype(np.float32),
                cv2.MOTION_AFFINE,
                (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4),
            )
        except cv2.error:  # it did not converge: what was found without it stands
            return
        found = self._measured(refined / half)
        if found is not None:
            yield found

    def _glanced(self, inverse: Array) -> float:
        """The correlation of the thumbnails over their common area: little work, to leave out most pairs."""
        import cv2

        a, b = self.thumbnails
        size, flags = (a.shape[1], a.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        quarter = inverse * [1, 1, 0.25]
        common = cv2.warpAffine(np.ones_like(b), quarter, size, flags=flags) > 0
        x, y = a[common].astype(np.float32), cv2.warpAffine(b, quarter, size, flags=flags)[common].astype(np.float32)
        if len(x) < PATCH:
            return 0.0
        x, y = x - x.mean(), y - y.mean()
        return float(x @ y / (np.sqrt((x @ x) * (y @ y)) + 1e-6))

    def _measured(self, inverse: Array) -> Likeness | None:
        """The likeness where `inverse` (2, 3) tells where in `b` each pixel of `a` lies; None if hardly any does."""
        import cv2

        height, width = self.a.shape[:2]
        size, linear = (width, height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(self.b, inverse, size, flags=linear, borderMode=cv2.BORDER_REPLICATE)
        reach = cv2.warpAffine(np.ones(self.b.shape[:2], np.uint8), inverse, size, flags=linear)
        # Windows, and the smoothing beneath, that reach beyond the common area would compare with what is not there.
        window = np.ones((WINDOW + 6, WINDOW + 6), np.uint8)
        common: Array = cv2.erode(reach, window, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
        a, b = _exposure_matched(self.a, moved, common)
        grey_a, grey_b = _smooth_grey(a), _smooth_grey(b)
        (mean_a, variance_a), (mean_b, variance_b) = _moments(grey_a), _moments(grey_b)
        covariance = _mean(grey_a * grey_b, WINDOW) - mean_a * mean_b
        correlation = covariance / (np.sqrt(variance_a * variance_b) + NOISE_VARIANCE)
        compared = (np.maximum(variance_a, variance_b) > STRUCTURE_VARIANCE) & common
        compared &= ~_overprint(correlation, variance_a, variance_b, compared)
        if compared.sum() < PATCH * PATCH:
            return None
        scale = abs(float(np.linalg.det(inverse[:, :2])))  # pixels of b for one of a
        moved_structure = _has_structure(_smooth_grey(moved))
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
            float(min(overlap_a, overlap_b, 1)),
        )


def _smooth_grey(pixels: Array) -> Array:
    """(h, w, 3) to smoothed (h, w)."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), SMOOTHING), np.float32)


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
