"""A photo that is one: where a shot is spoilt, another of the same preset is taken, and somebody is told."""

from collections.abc import Callable
from typing import Any

from jewel_assets.shape.catalogue.listing import seed_of
from jewel_assets.shape.catalogue.presets import Preset
from jewel_assets.shape.piece import Piece
from jewel_assets.shape.render import Render, Shot, SpoiltPhoto, Surface, preset, render

SHOTS = 4
"""At most so many are tried: each is of another view and light."""


def taken(
    piece: Piece | tuple[Surface, ...],
    category: str,
    family: str,
    how: Preset,
    seed: int,
    say: Callable[[str], None],
    **chosen: Any,
) -> tuple[Shot, Render]:
    """The shot of `seed` and its photo, or where that is spoilt the first of those of the next seeds that is not.

    The same numbers give the same photo. Raises SpoiltPhoto where none of `SHOTS` is one, and as `render` does.
    """
    for more in range(SHOTS):
        shot = preset(how, category, seed_of(seed, more) if more else seed, family, **chosen)
        try:
            return shot, render(piece, shot, category)
        except SpoiltPhoto as spoilt:
            say(f"A photo of a {family} was spoilt ({spoilt}); shot {more + 1} of {SHOTS}.")
            last = spoilt
    raise last
