"""Where the piece lies: its scale, place and rotation on the plate, resampled once and with care.

Several photos of a piece, or a pair, lie beside each other without touching, and are treated as one from then on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels
from jewel_assets.promote.piece import MARGIN, SEEN, Piece
from jewel_assets.promote.scene import Array, single

SHARE: dict[str, float] = {
    "ring": 0.50,
    "earrings": 0.58,
    "bracelet": 0.64,
    "necklace": 0.76,
    "wristwatch": 0.66,
    "jewelry": 0.58,
}
"""By category: the longer side of the piece, as a share of the plate's shorter one: with the margins shops leave."""
SNAP = 0.03
"""A scale that differs so little from 1 is taken for 1: no pixel is resampled then."""
LARGEST_SCALE = 4.0
"""More than that shows pixels, not jewellery: a piece this small stays smaller than its template wants."""
MOST = 6
"""Pieces in one picture: more are a catalogue page."""
TOGETHER: dict[int, float] = {1: 1.0, 2: 0.74, 3: 0.6, 4: 0.54, 5: 0.46, 6: 0.46}
"""By their number: how large pieces are beside each other, as a share of what one alone would be."""
GAP = 0.07
"""Between two of them, as a share of the plate's shorter side."""
LARGEST_SHARE = 0.94
"""Of the plate's width and height that a piece may fill."""
LARGEST_SHARE_TOGETHER = 0.86
"""The same of several."""

Align = Literal["middle", "foot", "top"]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Composition:
    """Where a template wants the piece: `x`, `y` of its middle (0..1), `scale` times SHARE, `turn` in degrees.

    A `pair` is the piece and its mirror image.
    """

    x: float = 0.5
    y: float = 0.5
    scale: float = 1.0
    turn: float = 0.0
    pair: bool = False


@dataclass(frozen=True)
class Laid:
    """The piece on the plate. `rgba` (h, w, 4) uint8, its upper left corner at `left`, `top` (pixels of the plate).

    Of several pieces it holds all: `scale` is the largest of theirs, `longest` the longer side of the longest.
    """

    rgba: Pixels = field(repr=False)
    left: int
    top: int
    scale: float  # pixels of the plate per pixel of the cut-out
    plate: tuple[int, int]  # its width and height
    longest: int  # pixels

    @property
    def box(self) -> tuple[slice, slice]:
        """The rows and columns of the plate that `rgba` covers: it lies within the plate."""
        height, width = self.rgba.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def alpha(self) -> Array:
        """(h, w) of the whole plate, 0..1."""
        width, height = self.plate
        alpha = np.zeros((height, width), np.float32)
        alpha[self.box] = self.rgba[..., 3].astype(np.float32) / 255
        return alpha


def lay(
    pieces: Sequence[Piece],
    plate: tuple[int, int],
    composition: Composition,
    align: Align = "middle",
    resize: Callable[[Pixels, float], Pixels] | None = None,
) -> Laid:
    """Scale, turn and place the pieces on a plate of this width and height; they never leave the plate.

    Several stand in a row, on a plate that is much higher than wide in a column, from four in two rows. `align` says
    what of a row is on one line. They are made smaller together where they would not fit. `resize` scales them
    instead of `resized`, to the same size.
    """
    rasters = [turned(piece.rgba, composition.turn) for piece in pieces]
    categories = [piece.category for piece in pieces]
    if composition.pair:
        rasters = [side for raster in rasters for side in (raster, np.ascontiguousarray(raster[:, ::-1]))]
        categories = [category for category in categories for _ in range(2)]
    if not 0 < len(rasters) <= MOST:
        raise Permanent(f"{len(rasters)} pieces do not go into one picture: give 1 to {MOST}.")
    share = TOGETHER[len(rasters)] * composition.scale * min(plate)
    scales = [
        min(SHARE.get(category, SHARE["jewelry"]) * share / max(raster.shape[:2]), LARGEST_SCALE)
        for category, raster in zip(categories, rasters, strict=True)
    ]
    gap = max(1, round(GAP * min(plate)))
    across = _across(len(rasters), plate, align)
    sizes = [(r.shape[1] * scale, r.shape[0] * scale) for r, scale in zip(rasters, scales, strict=True)]
    fit = min(1.0, *_room(_grid(sizes, across), gap, plate))
    scales = [_snapped(scale * fit, raster, plate) for scale, raster in zip(scales, rasters, strict=True)]
    scaled = [(resize or resized)(raster, scale) for raster, scale in zip(rasters, scales, strict=True)]
    rgba = _joined(_grid(scaled, across), gap, align)
    height, width = rgba.shape[:2]
    left = int(np.clip(round(composition.x * plate[0] - width / 2), 0, plate[0] - width))
    top = int(np.clip(round(composition.y * plate[1] - height / 2), 0, plate[1] - height))
    return Laid(rgba, left, top, max(scales), plate, max(max(raster.shape[:2]) for raster in scaled))


def _across(count: int, plate: tuple[int, int], align: Align) -> int:
    """How many of them stand beside each other."""
    if align == "foot":  # all on the floor
        return count
    if count < 4:
        return 1 if plate[1] > 1.3 * plate[0] else count
    return -(-count // 2)


def _grid(found: Sequence[_T], across: int) -> list[list[_T]]:
    return [list(found[first : first + across]) for first in range(0, len(found), across)]


def _room(rows: Sequence[Sequence[tuple[float, float]]], gap: int, plate: tuple[int, int]) -> tuple[float, float]:
    """How many times larger they may become before the plate is full in width and in height; gaps stay."""
    alone = len(rows) == len(rows[0]) == 1
    wide, high = ((LARGEST_SHARE if alone else LARGEST_SHARE_TOGETHER) * side for side in plate)
    across = min((wide - gap * (len(row) - 1)) / sum(width for width, _ in row) for row in rows)
    down = (high - gap * (len(rows) - 1)) / sum(max(height for _, height in row) for row in rows)
    return across, down


def _snapped(scale: float, raster: Pixels, plate: tuple[int, int]) -> float:
    near = abs(scale - 1) < SNAP and raster.shape[1] <= plate[0] and raster.shape[0] <= plate[1]
    return 1.0 if near else scale


def _joined(rows: Sequence[Sequence[Pixels]], gap: int, align: Align) -> Pixels:
    """One RGBA picture with each of them in its place; a single one as it is."""
    if len(rows) == len(rows[0]) == 1:
        return rows[0][0]
    lines = []
    for row in rows:
        high = max(one.shape[0] for one in row)
        framed = []
        for one in row:
            free = high - one.shape[0]
            above = {"middle": free // 2, "foot": free, "top": 0}[align]
            framed.append(np.pad(one, ((above, free - above), (0, gap), (0, 0))))
        lines.append(np.concatenate(framed, axis=1)[:, :-gap])
    wide = max(line.shape[1] for line in lines)
    spread = []
    for line in lines:
        free = wide - line.shape[1]
        spread.append(np.pad(line, ((0, gap), (free // 2, free - free // 2), (0, 0))))
    return np.ascontiguousarray(np.concatenate(spread)[:-gap])


def resized(rgba: Pixels, scale: float) -> Pixels:
    """RGBA pixels scaled by Lanczos (three lobes), colours weighted by their alpha so that no fringe comes in.

    Where all around is opaque it is what an opaque picture would give; beyond an edge nothing is left of the filter's
    lobes. At a scale of 1 the same pixels come back.
    """
    if scale == 1.0:
        return rgba
    from PIL import Image

    height, width = rgba.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(_premultiplied(rgba), 2, 0))
    found = _straight(np.dstack([np.asarray(plane.resize(size, Image.Resampling.LANCZOS)) for plane in planes]))
    found[..., 3] = np.clip(found[..., 3], *_bounds(rgba[..., 3], size))
    found[found[..., 3] == 0] = 0
    return found


def _bounds(opacity: NDArray[np.uint8], size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The least and the largest alpha around each resampled pixel. Beyond them are Lanczos' lobes alone."""
    low, high = (_around(_around(opacity, size[1], pick).T, size[0], pick).T for pick in (np.minimum, np.maximum))
    return low, high


def _around(plane: NDArray[np.uint8], count: int, pick: np.ufunc) -> NDArray[np.uint8]:
    """`count` rows, each picked from the plane's rows within one pixel of it, of the old or the new ones' size."""
    step = len(plane) / count
    middle, reach = (np.arange(count) + 0.5) * step - 0.5, max(1.0, step)
    first, last = np.floor(middle - reach).astype(int) + 1, np.ceil(middle + reach).astype(int) - 1
    found = plane[np.clip(first, 0, None)]
    for more in range(1, ceil(2 * reach)):
        found = pick(found, plane[np.clip(np.minimum(first + more, last), 0, len(plane) - 1)])
    return np.asarray(found, np.uint8)


def turned(rgba: Pixels, degrees: float) -> Pixels:
    """The picture turned counter-clockwise, cut to the piece's box and MARGIN again."""
    if degrees % 360 == 0:
        return rgba
    import cv2

    height, width = rgba.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(np.ceil(width * cos + height * sin - 1e-6)), int(np.ceil(height * cos + width * sin - 1e-6)))
    matrix[:, 2] += ((size[0] - width) / 2, (size[1] - height) / 2)
    result = cv2.warpAffine(_premultiplied(rgba), matrix, size, flags=cv2.INTER_LANCZOS4, borderValue=(0, 0, 0, 0))
    found = _straight(single(result))
    left, top, width, height = cv2.boundingRect((found[..., 3] >= SEEN).astype(np.uint8))
    margin = MARGIN if width else 0
    inner = found[top : top + height, left : left + width] if width else found
    return np.pad(inner, ((margin, margin), (margin, margin), (0, 0)))


def _premultiplied(rgba: Pixels) -> Array:
    """(h, w, 4) float32: colours times alpha, and alpha, both 0..255."""
    return np.dstack([rgba[..., :3] * (rgba[..., 3:] / np.float32(255)), rgba[..., 3:]]).astype(np.float32)


def _straight(premultiplied: Array) -> Pixels:
    """RGBA pixels, not premultiplied. Where a filter overshoots it does so in colours and alpha alike, so that their
    quotient, taken before either is cut to 0..255, has no halo.
    """
    alpha = premultiplied[..., 3:]
    colours = np.clip(premultiplied[..., :3] / np.maximum(alpha / 255, 1e-3), 0, 255)
    found = np.rint(np.dstack([colours, np.clip(alpha, 0, 255)]))
    found[found[..., 3] < 1] = 0
    return np.ascontiguousarray(found, np.uint8)
