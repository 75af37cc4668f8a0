"""The best tile: the part of a texture whose opposite borders go on in each other, so that it can be repeated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jewel_assets.explore.textures.seams import Lab, tileability
from jewel_assets.images import Pixels

SIDE = 256  # pixels: longer side at which cuts are looked for; then they are placed to the pixel
LEAST = 0.5  # of the texture's width and height: a smaller tile shows its repetition
STRIPS = (16, 4)
"""Pixels that are compared on each side of a cut, one width after the other. In a pattern the wide strip sees the dots
beyond the gap that is cut; in grain, where nothing comes again so far, the narrow one sees what meets at the seam."""
MARGIN = 4  # pixels: a cut is not nearer to the border

_LARGER = 1e-3  # of the mean unlikeness: so much worse may the cuts be for a tile of the whole width

_Array = NDArray[np.float32]


@dataclass(frozen=True)
class Tile:
    """A rectangle of a texture, in its pixels, and how well it repeats."""

    left: int
    top: int
    width: int
    height: int
    tileability: float  # 0..1: `seams.tileability` of the rectangle


def best_tile(lab: Lab, whole: float) -> Tile:
    """The rectangle of a texture, float32 (h, w, 3) CIELAB, that repeats best; all of it where nothing repeats better.

    `whole` is the tileability of all of it. Cuts are chosen as in Kwatra et al., "Graphcut textures" (SIGGRAPH 2003),
    section 4, but straight: two columns (then two rows) at least half of the texture apart, such that what lies around
    one looks most like what lies around the other. What the light did to both sides remains: no pixel is changed.
    """
    height, width = lab.shape[:2]
    everything = Tile(0, 0, width, height, whole)
    scale = SIDE / max(height, width)
    small = lab if scale >= 1 else _fitted(lab, scale)
    if whole >= 1 or min(small.shape[:2]) < 6 * MARGIN:
        return everything
    best = everything
    for strip in STRIPS:
        left, right = _cuts(small, strip)
        top, bottom = _cuts(_turned(small[:, left:right]), strip)
        if scale < 1:
            across, down = width / small.shape[1], height / small.shape[0]
            top, bottom = _within(round(top * down), round(bottom * down), height)
            left, right = _placed(lab[top:bottom], round(left * across), round(right * across), across, strip)
            top, bottom = _placed(_turned(lab[:, left:right]), top, bottom, down, strip)
        found = tileability(np.ascontiguousarray(lab[top:bottom, left:right])).overall
        if found > best.tileability:
            best = Tile(left, top, right - left, bottom - top, found)
        if found >= 1:
            break
    return best


def in_original(pixels: Pixels, tile: Tile, across: float, down: float) -> Tile:
    """A tile of a scaled texture in the texture itself, uint8 (h, w, 3), which is `across` and `down` times as large.

    Each cut is placed to the pixel anew: one off is a seam in a pattern.
    """
    if across == 1 and down == 1:
        return tile
    height, width = pixels.shape[:2]
    left, right = round(tile.left * across), min(width, round((tile.left + tile.width) * across))
    top, bottom = round(tile.top * down), min(height, round((tile.top + tile.height) * down))
    if right - left < width:
        left, right = _placed_in(pixels[top:bottom], left, right, across)
    if bottom - top < height:
        top, bottom = _placed_in(pixels[:, left:right].transpose(1, 0, 2), top, bottom, down)
    return Tile(left, top, right - left, bottom - top, tile.tileability)


def _placed_in(pixels: Pixels, first: int, second: int, reach: float) -> tuple[int, int]:
    """`_placed` for a large picture, of which only what lies around the two cuts is looked at."""
    import cv2

    by = int(np.ceil(reach))
    strip = STRIPS[0] * -(-max(pixels.shape[:2]) // SIDE)  # as much of the texture as the cuts were chosen by
    padded = np.pad(pixels, ((0, 0), (strip + by, strip + by), (0, 0)), mode="edge")
    width = 2 * (strip + by)
    around = np.concatenate([padded[:, cut : cut + width] for cut in (first, second)], axis=1)
    lab = np.asarray(cv2.cvtColor(around.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    moves = np.arange(-by, by + 1)
    unlike = _unlike(lab, strip + by + moves, width + strip + by + moves, strip)
    one, other = np.unravel_index(int(unlike.argmin()), unlike.shape)
    return max(0, first + int(moves[one])), min(pixels.shape[1], second + int(moves[other]))


def _cuts(lab: Lab, strip: int) -> tuple[int, int]:
    """The two columns to cut before: the strips around them are most alike of all that are far enough apart."""
    places = np.arange(MARGIN, lab.shape[1] - MARGIN + 1)
    apart = (places[None] - places[:, None]) / lab.shape[1]
    unlike = _unlike(lab, places, places, strip)
    unlike = np.where(apart >= LEAST, unlike - _LARGER * unlike.mean() * apart, np.inf)
    first, second = np.unravel_index(int(unlike.argmin()), unlike.shape)
    return int(places[first]), int(places[second])


def _placed(lab: Lab, first: int, second: int, reach: float, strip: int) -> tuple[int, int]:
    """The same two cuts in the texture itself, each moved by up to `reach` pixels to where strips are most alike."""
    by = int(np.ceil(reach))
    if strip == STRIPS[0]:
        strip *= by  # as much of the pattern as the cuts were chosen by; of grain, what meets at the seam is enough
    starts, ends = (
        np.arange(max(MARGIN, cut - by), min(lab.shape[1] - MARGIN, cut + by) + 1)
        for cut in _within(first, second, lab.shape[1])
    )
    unlike = _unlike(lab, starts, ends, strip)
    one, other = np.unravel_index(int(unlike.argmin()), unlike.shape)
    return int(starts[one]), int(ends[other])


def _unlike(lab: Lab, some: NDArray[np.intp], others: NDArray[np.intp], strip: int) -> _Array:
    """Squared differences (n, m) of the strips around columns (n,) and (m,)."""
    padded = np.pad(lab - lab.mean(axis=(0, 1)), ((0, 0), (strip, strip), (0, 0)), mode="edge")
    one, other = (np.stack([padded[:, at : at + 2 * strip].ravel() for at in places]) for places in (some, others))
    products = one @ other.T
    squares = np.einsum("ij,ij->i", one, one)[:, None] + np.einsum("ij,ij->i", other, other)
    return np.asarray(np.maximum(squares - 2 * products, 0), np.float32)


def _within(first: int, second: int, length: int) -> tuple[int, int]:
    return max(MARGIN, first), min(length - MARGIN, second)


def _turned(lab: Lab) -> Lab:
    return np.ascontiguousarray(lab.transpose(1, 0, 2))


def _fitted(lab: Lab, scale: float) -> Lab:
    import cv2

    size = (max(1, round(lab.shape[1] * scale)), max(1, round(lab.shape[0] * scale)))
    return np.asarray(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), np.float32)
