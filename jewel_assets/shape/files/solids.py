"""The solids that go into files for printing and casting, by name, and their triangles."""

from pathlib import Path

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray

from jewel_assets.shape.piece import Body, Piece

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def triangles(solid: Manifold) -> tuple[Floats, Ints]:
    """(n, 3) vertices, mm, and (m, 3) faces, anticlockwise seen from outside."""
    mesh = solid.to_mesh64()
    vertices = np.ascontiguousarray(mesh.vert_properties, np.float64)[:, :3]
    return vertices, np.ascontiguousarray(mesh.tri_verts).astype(np.int64)


def casting_groups(piece: Piece) -> list[tuple[str, list[Body]]]:
    """The metal bodies of each casting, named, in the order of `Piece.castings`: the fixed metal, then what moves."""
    apart = {name for names in piece.moving for name in names}
    fixed = [body for body in piece.metal if body.name not in apart]
    groups = [(piece.family, fixed)]
    groups += [(", ".join(names), [body for body in piece.metal if body.name in names]) for names in piece.moving]
    return [(name, bodies) for name, bodies in groups if bodies]


def named_solids(piece: Piece, stones: bool) -> list[tuple[str, str, Manifold]]:
    """Name, material and solid of each casting, and of each stone if they are asked for."""
    groups = casting_groups(piece)
    solids = [(name, bodies[0].material, solid) for (name, bodies), solid in zip(groups, piece.castings(), strict=True)]
    if stones:
        solids += [(body.name, body.material, body.solid) for body in piece.bodies if body.kind == "gem"]
    return solids


def stored(content: bytes, path: str | Path | None) -> bytes:
    """Write `content` to `path`, whole or not at all, and give it back."""
    if path is not None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(path.name + ".part")
        half.write_bytes(content)
        half.replace(path)
    return content
