"""How a cut-out is put before an embedder: cropped to its subject, on one ground, square, always the same way."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels

SUBJECT = 128
"""Alpha from which a pixel belongs to the subject: the half-way point, so soft edges neither grow nor shrink it."""


def subject_box(alpha: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """The box (top, bottom, left, right; ends exclusive) of all pixels with `alpha` >= `SUBJECT`; None without any."""
    solid = alpha >= SUBJECT
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not rows.size:
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def framed(cutout: Pixels, side: int, margin: float = 0.06, ground: int = 255) -> Pixels:
    """The subject of an RGBA cut-out in a square: RGBA (side, side, 4), aspect kept, centred.

    `margin` is the share of the side left free on each of the subject's longer ends. RGB is already laid on the grey
    level `ground` (0..255), so dropping alpha leaves the picture an embedder expects. An opaque picture is its own
    subject; one without any subject comes back as bare ground.
    """
    import cv2

    canvas = np.full((side, side, 4), ground, np.uint8)
    canvas[..., 3] = 0
    box = subject_box(cutout[..., 3])
    if box is None:
        return canvas
    top, bottom, left, right = box
    crop: Any = cutout[top:bottom, left:right].astype(np.float32)
    crop[..., :3] *= crop[..., 3:] / 255  # premultiplied: transparent pixels must not bleed into the edge when scaled
    scale = side * (1 - 2 * margin) / max(crop.shape[:2])
    width, height = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    crop[..., :3] += ground * (1 - crop[..., 3:] / 255)
    y, x = (side - height) // 2, (side - width) // 2
    canvas[y : y + height, x : x + width] = np.rint(np.clip(crop, 0, 255)).astype(np.uint8)
    return canvas
