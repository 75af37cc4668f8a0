"""Background removal from a plain ground, without weights: what is not the ground, nor its shadow, is the piece.

1. The ground is a smooth colour fitted to the border (`ground.fit_ground`).
2. A pixel is ground-coloured if its distance to the ground is small beside the contrast around it: JPEG spreads the
   colour of gold several pixels into the white.
3. Ground-coloured pixels connected to the border are outside. A smooth, darker, hardly coloured area that fades into
   the outside along a good part of its outline is a shadow or a reflection, and outside too. Polished silver is smooth
   and grey as well, but a sharp edge stands between it and the ground.
4. A ground-coloured area enclosed by the piece is a hole if it is as smooth and no brighter than the ground just
   outside the piece; a highlight or a bright facet is neither, or fades at its outline.
5. On the outline alpha is the share of the piece's colour in the mixture of it and the ground beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from jewel_assets.clean.removal.ground import Ground, Lab, fit_ground, to_lab
from jewel_assets.clean.removal.remover import Alpha, Mask, Matte, Remover, solidity
from jewel_assets.clean.removal.shadows import disc, grow_through_shade, members, swallow_reflections
from jewel_assets.images import Pixels

SHARP_DELTA_E = 2.0  # per pixel of a picture SHARP_SIDE long: a steeper slope is an edge, not a shadow's fading
SHARP_SIDE = 640
STEEPEST = (2.5, 1.0)  # times as steep, at most, in a small picture; the second where the first leaves no piece
SWALLOWED = 0.15  # of all contrast: where less is left, the piece was taken for a shadow
CORE_DEPTH = 0.015  # of the longer side: so far inside what the network is sure of nothing is a shadow
NETWORK_FILLS = 0.85  # its mean probability in the openings it overlooks as often as not
NETWORK_DECADES = 3.0  # of size that its certainty, 0 to 1, is worth when a hole is told from a highlight
SHADOW_DEPTH_L = 55.0  # L*: what is darker than the ground by more is no shadow
PEELS = 2  # pixels of haze that are taken off a photo that was compressed hard
CLEAN_HAZE = 0.8  # L*: a photo with smaller ripples has no haze worth peeling off; pale edges would go with it
HAZE_SHARE = 0.25  # of the piece's colour: a pixel of the outline with less is not of the piece
WHITE_L = 99.0  # L*: a lighter ground is clipped
PALE_DELTA_E = 15.0  # what differs less from the ground is cut out less surely
AGREED_SIGMA = 0.7  # pixels: the neighbourhood whose alphas must agree
AGREED_GAIN = 1.3  # makes the outline as steep again as it was before
SMALLEST_HOLE = 8  # pixels; eight times as many say all that ripples can say
# Of `hole_score`, in decades of size. Set by hand with composites and own renders in view; a model fitted on renders
# alone did not carry over to photos.
HOLE_SHARE, HOLE_SHARE_COLOURLESS = 4e-5, 8e-4  # of the picture: as likely a hole as a highlight
COLOURLESS_CHROMA = 8.0  # of what surrounds an opening: less is pale metal or stones
BRIGHTER_L = 0.2  # L* above the ground that noise explains
RIPPLES, MOST_RIPPLES = 2.2, 3.0  # times the ground's own that compression explains; what is beyond counts so much
LIT_SHARE = 0.2  # of a hole: less is not out of the shadow in it
CLEAN_RIPPLE = 0.25  # L*: the spread that rounding alone leaves in a ground
MIX_BAND = 1  # pixels on either side of the outline whose alpha may lie between 0 and 1


@dataclass(frozen=True)
class PlainRemover(Remover):
    """The engine for plain grounds. Needs no weights."""

    largest_side: int = 1280  # pixels: larger images are segmented at this size

    @property
    @override
    def name(self) -> str:
        return "plain ground (no weights)"

    @override
    def parameters(self) -> Mapping[str, object]:
        return {"engine": "plain", "largest_side": self.largest_side}

    @override
    def weights(self) -> Mapping[str, str]:
        return {}

    @override
    def load(self, threads: int) -> None:
        import cv2

        cv2.setNumThreads(threads)

    @override
    def mattes(self, images: Sequence[Pixels]) -> list[Matte]:
        return [plain_matte(image, self.name, self.largest_side) for image in images]


@dataclass(frozen=True)
class Regions:
    """What `segment` found: three masks of the image's shape that do not overlap and cover it together.

    `shadow` (0 to 1) is the share of all contrast that broad shadows and reflections took: in it a pale stone or a
    polished band may be lost.
    """

    piece: Mask = field(repr=False)
    outside: Mask = field(repr=False)
    holes: Mask = field(repr=False)
    shadow: float


def plain_matte(
    image: Pixels, name: str, largest_side: int, ground: Ground | None = None, network: Alpha | None = None
) -> Matte:
    """The matte of one image (h, w, 3), whose `ground`, fitted at `largest_side` pixels, may be known already.

    `network` (h, w) is a network's probability, where it was asked. The confidence is low where the border is not
    plain, the contrast is low, much of the piece is outline, a shadow was taken off, or the network sees something
    else.
    """
    import cv2

    from jewel_assets.images import fit

    small = fit(image, largest_side)
    lab = to_lab(small)
    ground = ground or fit_ground(lab)
    size = (small.shape[1], small.shape[0])
    coarse = (
        None if network is None else np.asarray(cv2.resize(network, size, interpolation=cv2.INTER_AREA), np.float32)
    )
    regions = segment(lab, ground, coarse)
    distance = delta_e(lab, ground.lab)
    peels = PEELS if _haze(np.abs(lab[..., 0] - ground.lab[..., 0])) > CLEAN_HAZE else 0
    alpha, local = mix(small, regions.piece, distance, peels)
    confidence = ground.plainness * contrast(distance, regions.piece) * solidity(alpha > 0.5, coarse)
    confidence *= max(0.0, 1 - 2 * regions.shadow)
    if regions.piece.any():
        confidence *= 1 - 0.5 * float((distance[regions.piece] < PALE_DELTA_E).mean())
    if small.shape != image.shape:
        size = (image.shape[1], image.shape[0])
        alpha = np.asarray(np.clip(cv2.resize(alpha, size, interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)
        local = np.asarray(cv2.resize(local, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return Matte(alpha, confidence, name, local, regions.shadow)


def delta_e(lab: Lab, other: Lab) -> NDArray[np.float32]:
    """Delta-E 1976 (h, w) between two pictures in L*a*b*."""
    return np.asarray(np.sqrt(_dot(lab - other, lab - other)), np.float32)


def segment(lab: Lab, ground: Ground, coarse: Alpha | None = None) -> Regions:
    """Which pixels are the piece, the outside (shadows included) and the piece's holes."""
    import cv2

    difference = lab - ground.lab
    distance = delta_e(lab, ground.lab)
    lightness, chroma = np.abs(difference[..., 0]), np.hypot(difference[..., 1], difference[..., 2])
    # JPEG keeps lightness sharp, but spreads colour (it stores half of it) several pixels beyond the edge.
    least = max(1.2, 3 * ground.noise)
    light_limit = np.clip(0.12 * cv2.dilate(lightness, disc(3)), least, max(least, 2.5 * _haze(lightness)))
    tint = cv2.dilate(chroma, disc(5))
    tint_limit = np.clip(0.4 * tint, max(2.0, least), max(14.0, least))
    alike = (lightness <= light_limit) & (chroma <= tint_limit)
    darker = -difference[..., 0]
    slope = _slope(lab) - ground.noise
    may_be_shade = ~alike & (darker > 0) & (darker < SHADOW_DEPTH_L) & (chroma < 3 + 0.25 * darker + 0.25 * tint)
    core = np.zeros(alike.shape, bool)
    if coarse is not None:  # a pearl fades into white as a shadow does
        depth = cv2.distanceTransform((coarse > 0.9).view(np.uint8), cv2.DIST_L2, 3)
        core = depth > CORE_DEPTH * max(lab.shape[:2])
    clipped = float(np.median(ground.lab[..., 0])) > WHITE_L
    count, labels, stats, _ = cv2.connectedComponentsWithStats(alike.view(np.uint8), connectivity=4)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    outside = members(labels, count, rim[rim > 0])
    lit = outside
    for steepest in STEEPEST:
        # A shadow's fading spans a share of the picture, not a number of pixels.
        steep = SHARP_DELTA_E * float(np.clip(SHARP_SIDE / max(lab.shape[:2]), 0.7, steepest))
        # A fine chain is pale and never steep; but its slope is great beside its depth, a shadow's is small.
        smooth = (slope < steep) & (slope < np.maximum(SHARP_DELTA_E, 0.45 * cv2.dilate(darker, disc(1))))
        shade = smooth & may_be_shade
        outside = grow_through_shade(lit, shade & ~core, alike, labels, count)
        outside = swallow_reflections(outside, outside & ~lit & ~alike, distance, coarse)
        if distance[~outside].sum() > SWALLOWED * distance[~lit].sum():
            break  # else a pale piece went with its shadow
    beside = ground_beside(lit & alike, ~alike, difference[..., 0])
    holes = _holes(labels, stats, alike & ~outside, distance, difference, clipped, beside, coarse)
    if holes.any():
        grown = grow_through_shade(holes, shade & ~outside, alike & ~outside, labels, count)
        holes = _mostly(grown, holes)
    piece = _without_specks(~(outside | holes), distance)
    taken = cv2.morphologyEx((outside & ~lit & ~alike).view(np.uint8), cv2.MORPH_OPEN, disc(2)) > 0
    shadow, kept = float(distance[taken & ~piece].sum()), float(distance[piece].sum())
    return Regions(piece, ~piece & ~holes, holes & ~piece, shadow / max(shadow + kept, 1e-6))


def _mostly(grown: Mask, holes: Mask) -> Mask:
    """The connected parts of `grown` of which `holes` are enough.

    In a hole the shadow is beside the ground; in polished metal the ground's colour is a mere band of a gradient.
    """
    import cv2

    count, labels = cv2.connectedComponents(grown.view(np.uint8), connectivity=4)
    known = np.bincount(labels[holes], minlength=count)
    kept = known > LIT_SHARE * np.bincount(labels.ravel(), minlength=count)
    kept[0] = False
    return np.asarray(kept[labels])


def _haze(lightness: NDArray[np.float32]) -> float:
    """The ripples of L* (0.6 to 1.6) that compression left in the ground a few pixels away from what is on it."""
    import cv2

    strong = (lightness > 12).view(np.uint8)
    around = (cv2.dilate(strong, disc(7)) > 0) & ~(cv2.dilate(strong, disc(3)) > 0)
    return float(np.clip(np.percentile(lightness[around], 75), 0.6, 1.6)) if around.any() else 0.6


def _holes(
    labels: NDArray[np.int32],
    stats: NDArray[np.int32],
    enclosed: Mask,
    distance: NDArray[np.float32],
    difference: NDArray[np.float32],
    clipped: bool,
    beside: tuple[float, float],
    coarse: Alpha | None = None,
) -> Mask:
    """The enclosed ground-coloured areas that are holes: open to the ground, not highlights of the piece."""
    import cv2

    found = np.zeros(enclosed.shape, bool)
    areas = np.bincount(labels[enclosed])
    for index in np.nonzero(areas >= SMALLEST_HOLE)[0]:
        x, y, width, height = (int(value) for value in stats[index, :4])
        rows, columns = slice(max(0, y - 4), y + height + 4), slice(max(0, x - 4), x + width + 4)
        region = labels[rows, columns] == index
        around = (cv2.dilate(region.view(np.uint8), disc(3)) > 0) & ~region
        outline = cv2.dilate(distance[rows, columns], disc(1))[around]
        colour = difference[rows, columns]
        core = cv2.erode(region.view(np.uint8), disc(1)) > 0
        core = core if core.any() else region
        inside = np.ascontiguousarray(colour[..., 0])
        evidence = hole_score(
            area=int(areas[index]),
            share=float(areas[index]) / enclosed.size,
            sharp=float(np.percentile(outline, 20)),
            chroma=float(np.median(np.hypot(colour[around, 1], colour[around, 2]))),
            brighter=float(inside[core].mean()) - max(0.0, beside[0]),  # beside the piece its shadow may lie
            ripple=ripple(inside, core) / beside[1],
            clipped=clipped,
        )
        if coarse is not None:
            evidence += NETWORK_DECADES * (NETWORK_FILLS - float(coarse[rows, columns][region].mean()))
        if evidence > 0:
            found[rows, columns] |= region
    return found


def ground_beside(outside: Mask, other: Mask, lighter: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and ripple of `lighter` (h, w), L* above the fitted ground, in the ground that is nearest to the piece.

    Compression leaves the same ripples there as in the piece's holes.
    """
    import cv2

    near = (cv2.erode(outside.view(np.uint8), disc(1)) > 0) & (cv2.dilate(other.view(np.uint8), disc(4)) > 0)
    if near.sum() < SMALLEST_HOLE:
        return 0.0, CLEAN_RIPPLE
    return float(lighter[near].mean()), max(CLEAN_RIPPLE, ripple(lighter, near))


def ripple(lightness: NDArray[np.float32], within: Mask) -> float:
    """The spread (L*) of the pixels `within` about their mean within three pixels; a soft shadow has none."""
    import cv2

    weight = within.astype(np.float32)
    mean = cv2.blur(lightness * weight, (7, 7)) / np.maximum(cv2.blur(weight, (7, 7)), 1e-3)
    return float((lightness - mean)[within].std())


def hole_score(
    area: int, share: float, sharp: float, chroma: float, brighter: float, ripple: float, clipped: bool
) -> float:
    """Above 0: an enclosed ground-coloured area is a hole, not a highlight.

    `area` is in pixels, `share` its part of the picture, `sharp` the contrast (Delta-E) that all but a fifth of its
    outline reaches within three pixels, `chroma` that of what surrounds it. `brighter` is its L* above that of the
    ground, `ripple` how many times as much its L* ripples as in the ground beside the piece. Holes are larger than
    highlights, end sharply, and are never brighter nor more varied than the ground; the facets of a stone are. Where
    the ground is `clipped` white, highlights of stones and pale metal have exactly its colour, so a hole in something
    colourless must be larger.
    """
    colourless = clipped and chroma < COLOURLESS_CHROMA
    size = np.log10(share / (HOLE_SHARE_COLOURLESS if colourless else HOLE_SHARE))
    varied = min(max(0.0, ripple - RIPPLES), MOST_RIPPLES) * min(1.0, np.log2(area / SMALLEST_HOLE) / 3)
    return float(size + 0.02 * (sharp - 10) - 4.0 * max(0.0, brighter - BRIGHTER_L) - varied)


def mix(image: Pixels, piece: Mask, distance: NDArray[np.float32], peels: int) -> tuple[Alpha, NDArray[np.float32]]:
    """Alpha (h, w) of a hard mask, and the ground's colour beside each pixel (h, w, 3), float32 RGB.

    On the outline a pixel is C = alpha F + (1 - alpha) B with F and B from its surroundings, hence
    alpha = (C - B).(F - B) / |F - B|^2. Where that share is small the outline lies further in: what was taken for the
    piece is the haze that compression and shadows leave about it, and is peeled off, `peels` pixels deep at most.
    """
    import cv2

    colour = image.astype(np.float32)
    hard = piece.astype(np.uint8)
    kernel = disc(MIX_BAND)
    far = cv2.erode(1 - hard, kernel, borderType=cv2.BORDER_REPLICATE).astype(np.float32)
    beside = _local_mean(colour, far + 1e-3 * (1 - hard), 6)
    for peeling in [True] * peels + [False]:
        span = _local_mean(colour, hard * distance, MIX_BAND + 1) - beside
        length = _dot(span, span)
        share = _dot(colour - beside, span) / np.maximum(length, 1)
        clear = length > 20**2  # less contrast than 20 of 255 says nothing
        core = cv2.erode(hard, kernel, borderType=cv2.BORDER_REPLICATE)
        if peeling:
            hard = hard & ~((hard > core) & clear & (share < HAZE_SHARE)).view(np.uint8)
    band = (cv2.dilate(hard, kernel) > 0) & (core == 0) & clear
    alpha = np.where(band, np.clip((share - 0.05) / 0.7, 0, 1), hard).astype(np.float32)
    # An outline is smooth: compression's flecks on it are outvoted by what is beside them, at the same steepness.
    alpha = np.clip(0.5 + AGREED_GAIN * (cv2.GaussianBlur(alpha, (0, 0), AGREED_SIGMA) - 0.5), 0, 1)
    return np.asarray(alpha, np.float32), beside


def contrast(distance: NDArray[np.float32], piece: Mask) -> float:
    """0 to 1: how clearly the piece's outline stands out from the ground; 1 where all of it is 20 Delta-E away."""
    import cv2

    rim = piece & ~(cv2.erode(piece.view(np.uint8), disc(2), borderType=cv2.BORDER_REPLICATE) > 0)
    if not rim.any():
        return 0.0
    return float(np.clip(cv2.dilate(distance, disc(2))[rim] / 20, 0, 1).mean())


def _without_specks(piece: Mask, distance: NDArray[np.float32]) -> Mask:
    """The mask without components too small or too faint to be part of a piece."""
    import cv2

    count, labels = cv2.connectedComponents(piece.view(np.uint8), connectivity=8)
    if count < 2:
        return piece
    strength = np.bincount(labels.ravel(), weights=distance.ravel(), minlength=count)  # area x mean Delta-E
    strength[0] = 0
    return np.asarray((strength >= 0.005 * strength.max())[labels] & piece)


def _local_mean(colour: NDArray[np.float32], weight: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Weighted mean (h, w, 3) of the colours within `radius`; the colour itself where nothing has weight."""
    import cv2

    size = (2 * radius + 1, 2 * radius + 1)
    total = cv2.blur(weight, size)
    summed = cv2.blur(colour * weight[..., None], size)
    mean = summed / np.maximum(total, 1e-9)[..., None]
    return np.asarray(np.where((total > 1e-7)[..., None], mean, colour), np.float32)


def _dot(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scalar product (h, w) of two pictures (h, w, 3); several times faster than numpy's sum over a short last axis."""
    import cv2

    return np.asarray(cv2.transform(one * other, np.ones((1, 3), np.float32)), np.float32)


def _slope(lab: Lab) -> NDArray[np.float32]:
    """Magnitude (h, w) of the colour gradient in Delta-E per pixel."""
    import cv2

    soft = cv2.GaussianBlur(lab, (0, 0), 0.7) * np.array([1, 0.5, 0.5], np.float32)  # colour is the noisier part
    across = np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=1 / 8), np.float32)
    down = np.asarray(cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=1 / 8), np.float32)
    return np.asarray(np.sqrt(_dot(across, across) + _dot(down, down)), np.float32)
