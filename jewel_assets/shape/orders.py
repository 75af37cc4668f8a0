"""What is ordered: a design in an alloy and a ring size; what a built piece weighs; a file as it is to be seen."""

import dataclasses
from pathlib import Path
from typing import Any

from jewel_assets.categories import CATEGORIES, category_of
from jewel_assets.errors import Permanent
from jewel_assets.shape import designs
from jewel_assets.shape.alloys import alloy_named, weight_g
from jewel_assets.shape.castability.surface import Surface as Walls
from jewel_assets.shape.catalogue.glb_surfaces import is_ours, read_glb
from jewel_assets.shape.designs import Design
from jewel_assets.shape.files import MeshFile, read_mesh
from jewel_assets.shape.files.read import Unit
from jewel_assets.shape.gems import carats
from jewel_assets.shape.piece import Piece
from jewel_assets.shape.render import Surface
from jewel_assets.shape.render.surfaces import surfaces_of
from jewel_assets.shape.sizes import RingSize

SAME_METAL = 0.01
"""Share by which the metal of a file may differ from its design's: it may have been built coarser or finer."""

LARGEST_OF_OURS = 64 << 20
"""Bytes: ten times the largest GLB that a design makes. What is larger is anyone's mesh, and read as such."""


def ordered(path: Path, alloy: str | None, size: str | None) -> Design:
    """The design of a file in the alloy and the size that are ordered. Raises Permanent with what is possible."""
    design = designs.load(path)
    asked: dict[str, Any] = {}
    if alloy is not None:
        asked["metal"] = alloy_named(alloy).key
    if size is not None:
        if design.category != "ring" or "inner_diameter_mm" not in type(design).model_fields:
            raise Permanent(f"{path.name} is a {design.family}, which has no ring size: leave --size out.")
        asked["inner_diameter_mm"] = round(RingSize.parse(size).diameter_mm, 4)
    return designs.load(design.model_dump() | asked) if asked else design


def facts_of(piece: Piece) -> dict[str, Any]:
    """What a customer asks for."""
    low, high = piece.bounds()
    facts: dict[str, Any] = {
        "family": piece.family,
        "category": piece.category,
        "alloy": ", ".join(dict.fromkeys(body.material for body in piece.metal)) or "no metal",
        "grams": round(sum(weight_g(body.volume, body.material) for body in piece.metal), 4),
        "carats": round(sum(carats(stone.material, stone.volume) for stone in piece.stones), 4),
        "size_mm": [round(float(side), 3) for side in high - low],
    }
    diameter = piece.design.get("inner_diameter_mm")
    if piece.category == "ring" and diameter is not None:
        inner = RingSize.of_diameter(float(diameter))
        near = ", ".join(str(inner.nearest(system)) for system in ("US", "UK", "ISO", "JP"))
        facts["ring size"] = f"{diameter:.2f} mm inner diameter; nearest: {near}"
    return facts


def to_check(path: Path, unit: Unit | None = None) -> tuple[Piece | MeshFile, tuple[str, ...]]:
    """What a check looks at, and what had to be guessed: the piece of a design, or anyone's mesh.

    A GLB of ours is looked at as the piece that it says it is, as long as it has that piece's metal: only then is it
    known which metal holds a stone and which is a wall. Raises Permanent for what cannot be read.
    """
    if path.suffix.lower() == ".json":
        return designs.load(path).build(), ()
    if path.suffix.lower() == ".glb" and path.is_file() and path.stat().st_size <= LARGEST_OF_OURS:
        piece = _piece_in(path.read_bytes())
        if piece is not None:
            return piece, ("the file says which design it is, and has its metal: checked with its stones",)
    mesh = read_mesh(path, unit)
    return mesh, mesh.notes


def _piece_in(glb: bytes) -> Piece | None:
    """The piece that a GLB of ours says it is, if its metal is that piece's."""
    if not is_ours(glb):
        return None
    try:
        made = read_glb(glb)
        piece = designs.load(made.said["design"]).build()
    except (Permanent, LookupError, TypeError, ValueError):  # damaged, or of a design that this version does not know
        return None
    metal = (s for s in made.surfaces if s.kind == "metal")
    volume = sum(float(Walls(s.vertices, s.faces).signed_volumes.sum()) for s in metal)
    wanted = sum(body.volume for body in piece.metal)
    return piece if abs(volume - wanted) < SAME_METAL * wanted else None


def seen(path: Path, alloy: str | None, category: str | None) -> tuple[list[Surface], str, str, tuple[str, ...]]:
    """What is photographed, and as what: a design is built, a GLB of ours says its materials, another mesh is told.

    Surfaces, category, family ("" for somebody's mesh), and what had to be guessed. Raises Permanent for what cannot
    be read or does not say its metal.
    """
    notes: tuple[str, ...] = ()
    metal = None if alloy is None else alloy_named(alloy).key
    kind = None if category is None else category_of(category)
    if category is not None and kind is None:
        raise Permanent(f"There is no category {category!r}: give one of {', '.join(CATEGORIES)}.")
    if not path.is_file():
        raise Permanent(f"There is no file '{path}'.")
    data = path.read_bytes() if path.suffix.lower() in (".glb", ".json") else b""
    if path.suffix.lower() == ".json":
        piece = designs.load(path).build()
        surfaces, own, family = surfaces_of(piece), piece.category, piece.family
    elif is_ours(data):
        made = read_glb(data)
        surfaces, own, family = list(made.surfaces), made.category, made.family
    else:
        if metal is None:
            raise Permanent(f"'{path.name}' does not say what it is made of: give --alloy, for instance 18k-yellow.")
        mesh = read_mesh(path)
        notes = mesh.notes
        surfaces, own, family = [Surface(path.stem, "metal", metal, mesh.vertices, mesh.faces)], "jewelry", ""
    if metal is not None:
        surfaces = [dataclasses.replace(s, material=metal) if s.kind == "metal" else s for s in surfaces]
    return surfaces, kind or own, family, notes
