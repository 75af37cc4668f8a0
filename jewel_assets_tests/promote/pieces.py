"""Pieces for tests: drawn cut-outs with soft edges, and those of the catalogue that ships with the project."""

from pathlib import Path

import cv2
import numpy as np

import jewel_assets.shape
from jewel_assets.images import Pixels
from jewel_assets.promote.piece import Piece, piece_of

SAMPLE = Path(jewel_assets.shape.__file__).parent / "sample"


def drawn_ring(side: int = 400, colour: tuple[int, int, int] = (212, 168, 82)) -> Pixels:
    """An RGBA ring with its opening, a red stone and shading, antialiased; transparent around it."""
    big = 4 * side
    rgba = np.zeros((big, big, 4), np.uint8)
    centre = (big // 2, big * 9 // 16)
    y, x = np.mgrid[0:big, 0:big].astype(np.float32) / big
    shine = 0.75 + 0.25 * np.sin(18 * (x + y))
    metal = np.clip(np.array(colour, np.float32) * shine[..., None], 0, 255)
    mask = np.zeros((big, big), np.uint8)
    cv2.circle(mask, centre, big * 5 // 16, 255, big // 14)
    stone = np.zeros((big, big), np.uint8)
    cv2.circle(stone, (big // 2, big * 7 // 32), big // 12, 255, -1)
    rgba[..., :3] = metal
    rgba[stone > 0, :3] = (170, 24, 40)
    rgba[..., 3] = np.maximum(mask, stone)
    alpha = rgba[..., 3:].astype(np.float32) / 255
    small = cv2.resize(np.dstack([rgba[..., :3] * alpha, alpha * 255]), (side, side), interpolation=cv2.INTER_AREA)
    colours = small[..., :3] / np.maximum(small[..., 3:] / 255, 1e-3)
    found = np.rint(np.dstack([np.clip(colours, 0, 255), small[..., 3:]])).astype(np.uint8)
    found[found[..., 3] == 0] = 0
    return found


def ring(side: int = 400) -> Piece:
    """The drawn ring as a piece."""
    return piece_of(drawn_ring(side), "ring")
