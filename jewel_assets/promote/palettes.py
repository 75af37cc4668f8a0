"""Colours that go together, by name. A palette colours any surface: the style of the plate decides where each goes."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from jewel_assets.errors import Permanent
from jewel_assets.promote.scene import Colour, Palette

_ALL = (
    Palette("midnight", "#1b2a4e", "#080e1f", "#c9a86a", "#f2e9d8", ("dark", "cool", "night")),
    Palette("black", "#1d1c1e", "#070708", "#c8a866", "#f4efe6", ("dark", "neutral", "classic")),
    Palette("wine", "#5c1327", "#1f050c", "#d9a48c", "#f8e9e1", ("dark", "warm", "festive")),
    Palette("emerald", "#0d4b3a", "#031c16", "#d9b36c", "#f3efe0", ("dark", "cool", "jewel")),
    Palette("ivory", "#efe6d6", "#c9b798", "#a8844f", "#3a2f24", ("light", "warm", "bridal")),
    Palette("rose", "#d8a09c", "#a4605f", "#f5dfd2", "#3f1d22", ("light", "warm", "romantic")),
    Palette("champagne", "#dcc6a0", "#a98c60", "#f5e8cf", "#40311c", ("light", "warm", "bridal")),
    Palette("sapphire", "#123b8c", "#061640", "#b4cdf0", "#f0f4fb", ("dark", "cool", "jewel")),
    Palette("forest", "#2b3e2a", "#0e1810", "#bb9d5d", "#f1eddd", ("dark", "natural")),
    Palette("sand", "#cbae88", "#957654", "#f0e2c9", "#3b2d1e", ("light", "warm", "natural")),
    Palette("pearl", "#e5e4e3", "#b9b7b8", "#b39a8e", "#35302e", ("light", "neutral", "clean")),
    Palette("graphite", "#43474e", "#17191d", "#b4bac4", "#f4f5f7", ("dark", "neutral", "modern")),
    Palette("blush", "#f1d2ca", "#d0a097", "#b56c68", "#4b2a2a", ("light", "warm", "romantic")),
    Palette("dawn", "#e6cdbf", "#a9857c", "#c2925a", "#3c2622", ("light", "warm", "morning")),
    Palette("plum", "#4d2354", "#190920", "#dab0c9", "#f7ecf3", ("dark", "cool", "romantic")),
)

PALETTES: Mapping[str, Palette] = MappingProxyType({each.name: each for each in _ALL})


def palette(name: str) -> Palette:
    """The palette of that name. Raises Permanent, naming the nearest, where there is none."""
    if name not in PALETTES:
        near = difflib.get_close_matches(name.lower(), PALETTES, n=3, cutoff=0.4) or sorted(PALETTES)
        raise Permanent(f"There is no palette '{name}'. Use {_either(near)}.")
    return PALETTES[name]


def linear(colour: str) -> Colour:
    """ "#rrggbb" (sRGB) as linear light, 0..1, by IEC 61966-2-1. Raises Permanent for what is no such colour."""
    digits = colour.removeprefix("#")
    if len(digits) != 6 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        raise Permanent(f"'{colour}' is not a colour. Write it as #rrggbb, for example #1b2a4e.")
    red, green, blue = (_decoded(int(digits[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return red, green, blue


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """The linear mixture of two lights: `share` 0 is the first, 1 the second."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Relative luminance of linear light (Rec. ITU-R BT.709-6, item 3.2)."""
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def _decoded(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _either(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
