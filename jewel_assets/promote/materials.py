"""What a piece seems to be made of, by the colours of its cut-out: its metal, its stones, its palette.

A picture shows colours, not substances: gold from gilding, silver from platinum, a ruby from glass cannot be told. So
metals are named by their tone and stones by their colour, never by species, carat or fineness, and what is unsure is
left out. Colours are CIE L*a*b* and its polar form LCh (CIE 015:2018, 8.2.1; sRGB, D65): lightness 0..100, chroma
C = hypot(a, b), hue in degrees (0 red, 90 yellow, 180 green, 270 blue).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels

Mask = NDArray[np.bool_]

METALS = ("yellow gold", "rose gold", "silver", "two-tone")
"""Tones. "silver" is any white metal (silver, white gold, platinum, steel): one tone in a picture."""

STONES = ("red stone", "pink stone", "green stone", "blue stone", "purple stone", "clear stone", "pearl")
"""Colours. "pearl" is a round, cream-coloured, softly shaded drop or bead, whatever it is made of."""

SURE = 0.5
"""A confidence from which on a metal or a stone may be spoken of."""

_SIDE = 512  # pixels: no piece is looked at larger, so that "fine" and "smooth" mean the same for all
_FEWEST = 200  # opaque pixels: fewer are no piece to judge

# The thresholds below were set by hand on product photos labelled by eye. There the warm part of a piece had a mean hue
# of 74..93 (yellow gold) or 48..64 degrees (rose gold), and polished white metal a chroma below 8.
_ROSE_BELOW = 67.0  # degrees of hue
_WARM_HUE, _WARM_CHROMA = (25.0, 112.0), 10.0
_NEUTRAL_CHROMA, _WHITE_CHROMA = 8.0, 4.0  # of white metal at all; of white beside gold, which it reflects
_SMOOTH, _FACETED = 6.0, 14.0  # contrast: polished metal stays below, cut stones reach above


@dataclass(frozen=True)
class Stone:
    """Stones of one colour: `name` of STONES, `share` 0..1 of the piece's area, `confidence` 0..1."""

    name: str
    share: float
    confidence: float


@dataclass(frozen=True)
class Swatch:
    """A main colour: "#rrggbb" in sRGB and its share, 0..1, of the piece's area."""

    colour: str
    share: float


@dataclass(frozen=True)
class Materials:
    """What a cut-out shows. `metal` is one of METALS, or None where that is unsure; stones by falling share."""

    metal: str | None = None
    metal_confidence: float = 0.0
    stones: tuple[Stone, ...] = ()
    palette: tuple[Swatch, ...] = ()

    @property
    def sure_stones(self) -> tuple[Stone, ...]:
        """The stones that may be spoken of."""
        return tuple(stone for stone in self.stones if stone.confidence >= SURE)


def look_at(rgba: Pixels) -> Materials:
    """The materials of a cut-out, (h, w, 4) uint8 sRGB with straight alpha, from its opaque part alone.

    Nothing opaque, or too little to judge, gives `Materials()`: no metal, no stones, no colours. Raises ValueError for
    an array of another shape or type.
    """
    if rgba.ndim != 3 or rgba.shape[2] != 4 or rgba.dtype != np.uint8:
        raise ValueError(f"A cut-out is uint8 of shape (height, width, 4), not {rgba.dtype} of shape {rgba.shape}.")
    view = _view(rgba)
    if view is None:
        return Materials()
    stones, taken = _coloured_stones(view)
    pearls = _pearls(view)
    metal, confidence, smooth = _metal(view, taken, pearls)
    stones += _white_stones(view, metal, taken, pearls, smooth)
    ordered = tuple(sorted(stones, key=lambda stone: (-stone.share, stone.name)))
    return Materials(metal if confidence >= SURE else None, confidence, ordered, _palette(view))


@dataclass(frozen=True)
class _View:
    """The piece at _SIDE pixels; arrays are (h, w). `core` is opaque and away from the edge's mixed colours."""

    rgb: Pixels
    core: Mask
    lightness: NDArray[np.float32]
    chroma: NDArray[np.float32]
    hue: NDArray[np.float32]
    contrast: NDArray[np.float32]  # standard deviation of lightness in 7 x 7 core pixels

    @property
    def area(self) -> int:
        return int(self.core.sum())

    def share(self, mask: Mask) -> float:
        return float(mask.sum()) / self.area


def _view(rgba: Pixels) -> _View | None:
    import cv2

    rows, columns = np.nonzero(rgba[..., 3] > 127)
    if rows.size < _FEWEST:
        return None
    cropped = np.ascontiguousarray(rgba[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    # Transparent pixels may have any colour: they must not run into the piece's when it is scaled down.
    weight = np.asarray(cropped[..., 3:], np.float32) / np.float32(255)
    small = _small(np.concatenate([cropped[..., :3] * weight, weight], axis=2), _SIDE)
    rgb = small[..., :3] / np.maximum(small[..., 3:], 1e-6)
    opaque = small[..., 3] >= 0.98
    inner = cv2.erode(opaque.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0).astype(bool)
    core = inner if inner.sum() > 0.4 * opaque.sum() else opaque  # a thin chain is all edge
    if core.sum() < _FEWEST:
        return None
    lab = cv2.cvtColor((np.clip(rgb, 0, 255) / 255).astype(np.float32), cv2.COLOR_RGB2Lab)
    lightness, a, b = (np.ascontiguousarray(lab[..., i], np.float32) for i in range(3))
    return _View(
        rgb=np.rint(np.clip(rgb, 0, 255)).astype(np.uint8),
        core=core,
        lightness=lightness,
        chroma=np.hypot(a, b),
        hue=np.degrees(np.arctan2(b, a)) % 360,
        contrast=_contrast(lightness, core),
    )


def _small(array: Any, side: int) -> NDArray[np.float32]:
    import cv2

    height, width = array.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return np.asarray(array, np.float32)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(size[1], size[0], array.shape[2])


def _contrast(lightness: NDArray[np.float32], core: Mask) -> NDArray[np.float32]:
    import cv2

    def around(values: Any) -> Any:
        return cv2.boxFilter(values.astype(np.float32), -1, (7, 7), normalize=False, borderType=cv2.BORDER_CONSTANT)

    count = np.maximum(around(core), 1)
    mean = around(lightness * core) / count
    variance = np.maximum(around(lightness**2 * core) / count - mean**2, 0)
    return np.asarray(np.sqrt(variance), np.float32)


# ------------------------------------------------------------------ metal


def _metal(view: _View, taken: Mask, pearls: Mask) -> tuple[str | None, float, Mask]:
    """The metal, the trust in it (0..1), and where smooth white metal is. `taken`: the coloured stones."""
    judged = view.core & ~taken & (view.lightness > 20) & (view.lightness < 98)
    count = int(judged.sum())
    if count < _FEWEST or view.share(judged) < 0.08:  # lava beads, leather: no metal to speak of
        return None, 0.0, np.zeros_like(judged)
    warm = judged & _between(view.hue, *_WARM_HUE) & (view.chroma > _WARM_CHROMA)
    smooth = judged & ~pearls & (view.chroma < _WHITE_CHROMA) & (view.contrast < _SMOOTH)
    gold, white = warm.sum() / count, smooth.sum() / count
    mixed = min(gold / 0.26, white / 0.16, 1.0)
    if gold < 0.12:
        neutral = (judged & (view.chroma < _NEUTRAL_CHROMA)).sum() / count
        return "silver", float(np.clip((neutral - 0.3) / 0.4, 0, 1)), smooth
    rose, yellow = (float((warm & part).sum() / warm.sum()) for part in (view.hue < 62, view.hue > 76))
    if min(rose, yellow) > 0.2:
        return "two-tone", float(min(1.0, min(rose, yellow) / 0.4)), smooth
    if mixed >= SURE:
        return "two-tone", float(mixed), smooth
    hue = float(np.average(view.hue[warm], weights=view.chroma[warm]))
    trust = min(1.0, abs(hue - _ROSE_BELOW) / 6) * min(1.0, gold / 0.25)
    return ("rose gold" if hue < _ROSE_BELOW else "yellow gold"), float(trust), smooth


# ------------------------------------------------------------------ stones


def _coloured_stones(view: _View) -> tuple[tuple[Stone, ...], Mask]:
    """Stones whose colour no metal has, and where they are. Yellow, brown and black ones look like metal and shade."""
    import cv2

    hue, chroma, light = view.hue, view.chroma, view.lightness
    garnet = _between(hue, 32, 50) & (chroma > 1.3 * light) & (chroma > 30)  # rose gold has at most as much as light
    colours = {
        "red stone": ((hue >= 340) | (hue <= 32)) & (chroma > 28) | garnet,
        "pink stone": ((hue >= 335) | (hue <= 25)) & _between(chroma, 10, 28) & (light > 55),
        "green stone": _between(hue, 118, 200) & (chroma > 14),
        "blue stone": _between(hue, 200, 303) & (chroma > 14),
        "purple stone": _between(hue, 303, 335) & (chroma > 12),
    }
    masks = [mask & view.core for mask in colours.values()]
    # Facets of one stone are of several hues: each connected patch gets the name that most of its pixels have.
    patches = _patches(np.logical_or.reduce(masks), smallest=max(24, 0.002 * view.area))
    count, labels = cv2.connectedComponents(patches.astype(np.uint8))
    votes = np.stack([np.bincount(labels[mask & patches], minlength=count) for mask in masks])
    winner = votes.argmax(axis=0)
    stones, taken = [], np.zeros_like(view.core)
    for i, name in enumerate(colours):
        named = patches & (winner[labels] == i)
        share = view.share(named)
        if share < 0.004:
            continue
        depth = float(np.median(chroma[named]))
        if share > 0.5 and depth < 25:  # over half of a piece in one weak tint is the light of the room, not a stone
            continue
        stones.append(Stone(name, share, float(np.clip(0.25 + share / 0.02 * 0.25 + depth / 100, 0, 1))))
        taken |= named
    # Around a stone metal mirrors its colour.
    return tuple(stones), cv2.dilate(taken.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)


def _white_stones(view: _View, metal: str | None, taken: Mask, pearls: Mask, smooth: Mask) -> tuple[Stone, ...]:
    """Clear stones by their facets, pearls by their shape; both are easily confused with white metal."""
    stones = []
    if pearls.any():
        share = view.share(pearls)
        stones.append(Stone("pearl", share, float(np.clip(0.4 + share * 4, 0, 0.9))))
    free = view.core & ~taken & ~pearls & (view.lightness > 35)
    if metal in ("yellow gold", "rose gold"):  # what is white and not smooth on a golden piece
        share = view.share(free & ~smooth & (view.chroma < _NEUTRAL_CHROMA) & (view.contrast >= _SMOOTH))
        trust = share / 0.16
    else:
        facets = free & (view.chroma < 14) & (view.contrast > _FACETED)
        share = view.share(_patches(facets, smallest=24, radius=2))
        trust = share / 0.3 if view.area > 2500 else 0.0  # the links of a thin chain are as fine as facets
    if share > 0.02:
        stones.append(Stone("clear stone", share, float(np.clip(trust, 0, 0.95))))
    return tuple(stones)


def _pearls(view: _View) -> Mask:
    """Round, light, cream-coloured, smooth patches that are shaded like a ball.

    A disc of polished metal is flat, and white metal has no cream in it; a pearl of a pure white is missed for that.
    """
    found = np.zeros_like(view.core)
    pale = view.core & (view.lightness > 48) & (view.chroma < 14)
    cream = _between(view.hue, 60, 125) & (view.chroma > 1.5)
    # A large pearl is smooth enough to be told from the smooth cap it hangs on; a small one is all shading.
    for smooth in (_SMOOTH, 1.5 * _SMOOTH):
        patches = _patches(pale & ~found & (view.contrast < smooth), smallest=max(300, 0.02 * view.area), radius=3)
        for part in _parts(patches):
            low, high = np.percentile(view.lightness[part], [5, 95])
            if cream[part].mean() > 0.5 and _roundness(part) > 0.6 and high - low > 10 and high > 75:
                found |= part
    return found


def _parts(mask: Mask) -> list[Mask]:
    import cv2

    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    return [np.asarray(labels == i) for i in range(1, count)]


def _roundness(part: Mask) -> float:
    """The area of a patch as a share of the smallest circle around it: 1 for a disc, 0.64 for a square."""
    import cv2

    radius = cv2.minEnclosingCircle(np.argwhere(part).astype(np.float32))[1]
    return float(part.sum() / (np.pi * max(radius, 0.5) ** 2))


def _patches(mask: Mask, smallest: float, radius: int = 1) -> Mask:
    """`mask` without what is thinner than `radius` pixels to each side and without patches below `smallest` pixels."""
    import cv2

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(opened)
    large = boxes[:, cv2.CC_STAT_AREA] >= smallest
    large[0] = False
    return np.asarray(large[labels])


def _between(values: NDArray[np.float32], low: float, high: float) -> Mask:
    return (values >= low) & (values <= high)


# ------------------------------------------------------------------ palette


def _palette(view: _View, most: int = 5, apart: float = 18.0) -> tuple[Swatch, ...]:
    """The most frequent colours, at least `apart` (Delta E 1976) from each other, each with what is nearest to it."""
    import cv2

    pixels = view.rgb[view.core]
    lab = cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[0]
    _, inverse, counts = np.unique(np.floor(lab / 12).astype(int), axis=0, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(inverse.ravel(), lab[:, i]) / counts for i in range(3)], axis=1)
    chosen: list[int] = []
    for i in np.argsort(-counts, kind="stable"):
        if all(np.linalg.norm(means[i] - means[j]) >= apart for j in chosen):
            chosen.append(int(i))
        if len(chosen) == most:
            break
    nearest = np.argmin(np.linalg.norm(lab[:, None] - means[chosen][None], axis=2), axis=1)
    swatches = []
    for i in range(len(chosen)):
        red, green, blue = np.rint(pixels[nearest == i].mean(axis=0)).astype(int)
        swatches.append(Swatch(f"#{red:02x}{green:02x}{blue:02x}", float((nearest == i).mean())))
    return tuple(sorted(swatches, key=lambda swatch: -swatch.share))
