"""Plates: the surfaces a piece is laid on. One file per style behind `Style`; this is the door that chooses and makes.

A plate is the surface alone: no light and no shadow (see `shading`), and its middle third is calm, for the piece.
"""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from jewel_assets.errors import Permanent
from jewel_assets.promote.noise import Field
from jewel_assets.promote.plates import (
    festive,
    gradient,
    linen,
    marble,
    minimal,
    paper,
    petals,
    silk,
    stone,
    suede,
    velvet,
    water,
    wood,
)
from jewel_assets.promote.plates.style import Dyes, Style
from jewel_assets.promote.scene import Palette, Plate

SMALLEST = 32  # pixels of the shorter side that a plate is made for

STYLES: Mapping[str, Style] = MappingProxyType(
    {
        room.STYLE.name: room.STYLE
        for room in (
            velvet,
            silk,
            suede,
            linen,
            marble,
            stone,
            wood,
            minimal,
            gradient,
            paper,
            festive,
            water,
            petals,
        )
    }
)

__all__ = ["STYLES", "Style", "make_plate"]


def make_plate(style: str, palette: Palette, size: tuple[int, int], seed: int) -> Plate:
    """The plate of that style in that palette, `size` (width, height) in pixels.

    The same style, palette, seed and aspect give the same plate, whatever the size. Raises Permanent for an unknown
    style, naming the nearest, and for a size no plate can be made in.
    """
    if style not in STYLES:
        near = difflib.get_close_matches(style.lower(), STYLES, n=3, cutoff=0.4) or sorted(STYLES)
        raise Permanent(f"There is no plate style '{style}'. Use {' or '.join(near)}.")
    if min(size) < SMALLEST:
        raise Permanent(f"A plate of {size[0]} x {size[1]} pixels is too small. Ask for {SMALLEST} or more each way.")
    return STYLES[style].make(Dyes.of(palette), Field(size, seed))
