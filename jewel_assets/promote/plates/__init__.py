"""Plates: the surfaces a piece is laid on. One file per style behind `Style`; this is the door that chooses and makes.

`pictured` makes a plate of a picture: a texture, or what a diffusion network painted.

A plate is the surface alone: no light and no shadow (see `shading`), and its middle third is calm, for the piece.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jewel_assets.errors import Permanent
from jewel_assets.promote.noise import Field
from jewel_assets.promote.palettes import palette as palette_
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
from jewel_assets.promote.plates.pictured import Surface, enlargement, pictured, surface_of
from jewel_assets.promote.plates.style import Dyes, Style
from jewel_assets.promote.scene import Palette, Plate

if TYPE_CHECKING:
    from jewel_assets.promote.templates import Template

SMALLEST = 32  # pixels of the shorter side that a plate is made for
PICTURE = "picture"
"""The style of a plate that is made of a picture and of which nothing else is said."""

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

__all__ = ["PICTURE", "STYLES", "Style", "make_plate", "plate_of", "source_of", "surface_of_picture"]


def make_plate(style: str, palette: Palette, size: tuple[int, int], seed: int) -> Plate:
    """The plate of that style in that palette, `size` (width, height) in pixels.

    The same style, palette, seed and aspect give the same plate, whatever the size. Raises Permanent for an unknown
    style, naming the nearest, and for a size no plate can be made in.
    """
    if style not in STYLES:
        near = difflib.get_close_matches(style.lower(), STYLES, n=3, cutoff=0.4) or sorted(STYLES)
        raise Permanent(f"There is no plate style '{style}'. Use {' or '.join(near)}.")
    _check_size(size)
    return STYLES[style].make(Dyes.of(palette), Field(size, seed))


def source_of(template: "Template") -> Mapping[str, Any]:
    """What a template's plate is made from, for the record: the engine, and what it is given besides size and seed.

    Two templates of which it says the same, in the same style and palette and with the same `surface_of_picture`, have
    the same plate. Raises Permanent for a texture or a model that is not there.
    """
    if template.texture:
        from jewel_assets.promote.textures import sha256_of

        return {
            "engine": PICTURE,
            "texture": template.texture,
            "texture_sha256": sha256_of(template.texture, template.texture_sha256),
            "credit": template.texture_credit or None,
        }
    if template.engine == "diffusion":
        from jewel_assets.promote.diffusion import asked_of

        return asked_of(template)
    return {"engine": template.engine}


def plate_of(template: "Template", size: tuple[int, int], seed: int) -> tuple[Plate, Mapping[str, Any]]:
    """The template's plate, `size` (width, height) in pixels, and all that is to be told of how it was made.

    Raises Permanent as `make_plate` does, and for a texture or a model that cannot be used.
    """
    source = source_of(template)
    if not template.texture and template.engine == "procedural":
        return make_plate(template.style, palette_(template.palette), size, seed), source
    _check_size(size)
    if template.texture:
        from jewel_assets.promote.textures import read_texture

        picture, _ = read_texture(template.texture, source["texture_sha256"])
        told = {**source, "enlarged": round(enlargement(picture, size), 2)}
        return pictured(picture, size, seed, surface_of_picture(template)), told
    from jewel_assets.promote.diffusion import paint

    painted = paint(template, size, seed)
    plate = pictured(painted.picture, size, seed, surface_of_picture(template), painted.brightness, fills=True)
    return plate, {**source, **painted.told}


def surface_of_picture(template: "Template") -> Surface:
    """How a picture on the template's plate meets the light: as its style, its texture's name and its tags say."""
    return surface_of(template.style, *Path(template.texture).stem.lower().replace("_", "-").split("-"), *template.tags)


def _check_size(size: tuple[int, int]) -> None:
    if min(size) < SMALLEST:
        raise Permanent(f"A plate of {size[0]} x {size[1]} pixels is too small. Ask for {SMALLEST} or more each way.")
