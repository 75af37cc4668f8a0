"""Where the piece lies: its scale, place and rotation on the plate, resampled once and with care."""

from dataclasses import dataclass, field

import numpy as np

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


@dataclass(frozen=True)
class Composition:
    """Where a template wants the piece: `x`, `y` of its middle (0..1), `scale` times SHARE, `turn` in degrees."""

    x: float = 0.5
    y: float = 0.5
    scale: float = 1.0
    turn: float = 0.0


@dataclass(frozen=True)
class Laid:
    """The piece on the plate. `rgba` (h, w, 4) uint8, its upper left corner at `left`, `top` (pixels of the plate)."""

    rgba: Pixels = field(repr=False)
    left: int
    top: int
    scale: float  # pixels of the plate per pixel of the cut-out
    plate: tuple[int, int]  # its width and height

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


def lay(piece: Piece, plate: tuple[int, int], composition: Composition) -> Laid:
    """Scale, turn and place the piece on a plate of this width and height; it never leaves the plate."""
    rgba = turned(piece.rgba, composition.turn)
    height, width = rgba.shape[:2]
    wanted = SHARE.get(piece.category, SHARE["jewelry"]) * composition.scale * min(plate)
    scale = min(wanted / max(width, height), LARGEST_SCALE, 0.94 * plate[0] / width, 0.94 * plate[1] / height)
    if abs(scale - 1) < SNAP and width <= plate[0] and height <= plate[1]:
        scale = 1.0
    scaled = resized(rgba, scale)
    height, width = scaled.shape[:2]
    left = int(np.clip(round(composition.x * plate[0] - width / 2), 0, plate[0] - width))
    top = int(np.clip(round(composition.y * plate[1] - height / 2), 0, plate[1] - height))
    return Laid(scaled, left, top, scale, plate)


def resized(rgba: Pixels, scale: float) -> Pixels:
    """RGBA pixels scaled by Lanczos (three lobes), colours weighted by their alpha so that no fringe comes in.

    Where all around is opaque it is what an opaque picture would give. At a scale of 1 the same pixels come back.
    """
    if scale == 1.0:
        return rgba
    from PIL import Image

    height, width = rgba.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(_premultiplied(rgba), 2, 0))
    resampled = np.dstack([np.asarray(plane.resize(size, Image.Resampling.LANCZOS)) for plane in planes])
    return _straight(resampled)


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
