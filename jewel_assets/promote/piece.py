"""The piece that is advertised: a cut-out, made ready to be laid on a plate."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels

MARGIN = 2
"""Empty pixels kept around a piece, so that its edge can be resampled."""
SEEN = 8
"""Alpha (of 255) from which a pixel belongs to the piece when its box is measured."""
OPAQUE = 250
"""Alpha (of 255) from which a pixel of a piece is taken for opaque: mattes of networks seldom say 255."""
SMALLEST = 48
"""Pixels of the longer side below which there is nothing to advertise."""


class Unfit(Exception):
    """A picture that makes no promotional image. `reason` is short and countable; the message is a sentence.

    `mask` (h, w) uint8 is the cut-out's, where it is for somebody to look at.
    """

    def __init__(self, reason: str, sentence: str, mask: NDArray[np.uint8] | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.mask = mask


@dataclass(frozen=True)
class Piece:
    """`rgba` (h, w, 4) uint8 sRGB, not premultiplied, cut to the piece's box and MARGIN; transparent around it."""

    rgba: Pixels = field(repr=False)
    category: str
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgba.shape[1], self.rgba.shape[0]


def piece_of(rgba: Pixels, category: str | None = None, touching: float = 0.02) -> Piece:
    """The piece in a cut-out (h, w, 4). Without a category it is guessed from the shape (`guess_category`).

    It is taken for cut off where it lies along more than a share `touching` of a border.

    Raises Unfit: "no subject", "no background", "cut by the border", "too small".
    """
    import cv2

    opacity = rgba[..., 3]
    if not (opacity > 127).any():
        raise Unfit("no subject", "The cut-out is transparent everywhere: there is no piece in it.")
    if opacity.min() > 127:
        raise Unfit("no background", "The cut-out is opaque everywhere: it is a photo, whose background must go first.")
    _refuse_cropped(opacity, touching)
    left, top, width, height = cv2.boundingRect(_parts_of_it(opacity))
    if max(width, height) < SMALLEST:
        raise Unfit("too small", f"The piece is {width} x {height} pixels: at least {SMALLEST} are needed.")
    inner = rgba[top : top + height, left : left + width]
    framed = cv2.copyMakeBorder(inner, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    found = np.ascontiguousarray(framed, np.uint8)
    found[found[..., 3] >= OPAQUE, 3] = 255
    return Piece(found, category or guess_category(found), tuple(_doubts(found)))


def guess_category(rgba: Pixels) -> str:
    """What a shape looks like: two separate parts of one size are earrings, a wide opening is a ring or a necklace.

    A guess from outlines alone, for pictures of which nothing is known; `jewelry` where the outline says nothing.
    """
    import cv2

    solid = (rgba[..., 3] > 127).astype(np.uint8)
    height, width = solid.shape
    if shows_a_pair(rgba):
        return "earrings"
    hulls, levels = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    openings = [cv2.contourArea(hulls[n]) for n in range(len(hulls)) if levels[0][n][3] >= 0]
    opening = max(openings, default=0.0) / (height * width)
    filled = float(solid.mean())
    if opening > 0.12:
        if filled < 0.16:
            return "necklace"
        return "ring" if height > 0.85 * width else "bracelet"
    return "jewelry"


def shows_a_pair(rgba: Pixels) -> bool:
    """Whether it consists of two separate parts of about one size."""
    parts = _large_parts((rgba[..., 3] > 127).astype(np.uint8))
    return len(parts) == 2 and min(parts) > 0.6 * max(parts)


def _refuse_cropped(opacity: NDArray[np.uint8], touching: float) -> None:
    sides = {"top": opacity[0], "bottom": opacity[-1], "left": opacity[:, 0], "right": opacity[:, -1]}
    cut = [name for name, line in sides.items() if (line > 127).sum() > touching * len(line)]
    if cut:
        raise Unfit(
            "cut by the border",
            f"The piece is cut off at the {' and the '.join(cut)} of its photo: take one that shows all of it.",
        )


def _parts_of_it(opacity: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w) of 0 and 1: what is seen and hangs together with something that is more piece than ground: no specks."""
    import cv2

    _, labels = cv2.connectedComponents((opacity >= SEEN).astype(np.uint8), connectivity=8)
    firm = np.zeros(int(labels.max()) + 1, np.uint8)
    firm[np.unique(labels[opacity > 127])] = 1
    firm[0] = 0
    found: NDArray[np.uint8] = firm[labels]
    return found


def _large_parts(solid: NDArray[np.uint8]) -> list[int]:
    """Areas of the parts that are at least a twentieth of the largest."""
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    areas = [int(area) for area in stats[1:, 4]]
    return [area for area in areas if area > 0.05 * max(areas, default=0)]


def _doubts(rgba: Pixels) -> Sequence[str]:
    parts = len(_large_parts((rgba[..., 3] > 127).astype(np.uint8)))
    return [f"The cut-out has {parts} separate parts: if it shows several pieces, cut out one."] if parts > 3 else []
