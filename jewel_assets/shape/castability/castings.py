"""The castings of a piece with, for every face, the body it came from: limits differ between a prong and a shank."""

from dataclasses import dataclass, replace

import numpy as np
from manifold3d import Manifold, OpType

from jewel_assets.shape.castability.profiles import Profile, Role
from jewel_assets.shape.castability.surface import Ints, Surface
from jewel_assets.shape.piece import Body, Piece


@dataclass(frozen=True)
class Cast:
    """One casting: its surface, the bodies it is made of, and which of them each face belongs to.

    `solid` is there where the casting was built as one; a mesh that was read has none.
    """

    name: str
    surface: Surface
    bodies: tuple[tuple[str, Role], ...]
    of_face: Ints
    solid: Manifold | None = None
    copies: int = 1
    """How many castings of the piece have this shape: the links of a chain are checked once."""


def castings_of(piece: Piece, profile: Profile) -> list[Cast]:
    """What `Piece.castings` gives, with names and roles, each shape once: the fixed metal, then what moves."""
    named = {body.name: body for body in piece.metal}
    apart = {name for names in piece.moving for name in names}
    groups: list[tuple[str, list[Body]]] = [("casting", [body for body in piece.metal if body.name not in apart])]
    groups += [(names[0] if names else "", [named[name] for name in names if name in named]) for names in piece.moving]
    casts: list[Cast] = []
    kinds: dict[tuple[object, ...], int] = {}
    for name, bodies in groups:
        if not bodies:
            continue
        # Solids of the same triangles, volume and area are one solid in several places, to six figures.
        kind = tuple(
            (
                body.solid.num_tri(),
                f"{body.solid.volume():.6g}",
                f"{body.solid.surface_area():.6g}",
                profile.role_of(body.name),
            )
            for body in bodies
        )
        if kind in kinds:
            known = casts[kinds[kind]]
            casts[kinds[kind]] = replace(known, copies=known.copies + 1)
        else:
            kinds[kind] = len(casts)
            casts.append(_joined(name, bodies, profile))
    return casts


def _joined(name: str, bodies: list[Body], profile: Profile) -> Cast:
    roles = tuple((body.name, profile.role_of(body.name)) for body in bodies)
    if len(bodies) == 1:
        solid = bodies[0].solid
        surface = Surface.of_solid(solid)
        return Cast(name, surface, roles, np.zeros(len(surface.faces), np.int64), solid)
    # Each body gets a mark of its own that the boolean keeps for every triangle.
    marked = [body.solid.as_original() for body in bodies]
    marks = [part.original_id() for part in marked]
    solid = Manifold.batch_boolean(marked, OpType.Add)
    mesh = solid.to_mesh64()
    surface = Surface(
        np.ascontiguousarray(mesh.vert_properties, np.float64)[:, :3],
        np.ascontiguousarray(mesh.tri_verts).astype(np.int64),
    )
    runs = np.asarray(mesh.run_index, np.int64) // 3
    of_face = np.zeros(len(surface.faces), np.int64)
    for mark, start, stop in zip(mesh.run_original_id, runs[:-1], runs[1:], strict=False):
        of_face[start:stop] = marks.index(mark) if mark in marks else 0
    return Cast(name, surface, roles, of_face, solid)
