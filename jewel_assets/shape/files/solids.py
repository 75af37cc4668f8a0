"""The solids that go into files for printing and casting, by name, and their triangles."""

from pathlib import Path

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray

from jewel_assets.shape.piece import Body, Piece

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLIVER_MM = 1e-5
"""A triangle less high than this is a line: single precision knows places on a bracelet to some 4e-6 mm."""
_FLIP_ROUNDS = 20


def triangles(solid: Manifold) -> tuple[Floats, Ints]:
    """(n, 3) vertices, mm, and (m, 3) faces, anticlockwise seen from outside."""
    mesh = solid.to_mesh64()
    vertices = np.ascontiguousarray(mesh.vert_properties, np.float64)[:, :3]
    return vertices, np.ascontiguousarray(mesh.tri_verts).astype(np.int64)


def rounded_triangles(solid: Manifold) -> tuple[Floats, Ints]:
    """As `triangles`, with places that single precision can hold and no triangle that it makes a line.

    Booleans leave corners nearer to each other than that: they become one, and the two triangles at their edge go. A
    sliver whose corner then lies on the edge of its neighbour gives that edge up: both are cut at the corner instead.
    """
    vertices, faces = triangles(solid)
    kept, place = np.unique(vertices.astype(np.float32), axis=0, return_inverse=True)
    faces = place.reshape(-1)[faces]
    a, b, c = faces.T
    return kept.astype(np.float64), _without_slivers(kept.astype(np.float64), faces[(a != b) & (b != c) & (c != a)])


def _without_slivers(vertices: Floats, faces: Ints) -> Ints:
    """The same surface with the long edge of every sliver flipped, where its neighbour's far corner lets it."""
    faces, size = faces.copy(), len(vertices)
    for _ in range(_FLIP_ROUNDS):
        corners = vertices[faces]
        slivers = np.flatnonzero(_heights(corners) < SLIVER_MM)
        if not len(slivers):
            break
        sides = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)  # side i runs from corner i to the next
        keys = (faces * size + np.roll(faces, -1, axis=1)).reshape(-1)
        order = np.argsort(keys)
        keys = keys[order]
        touched: set[int] = set()
        for sliver in slivers.tolist():
            first = int(np.argmax(sides[sliver]))
            p, q, tip = (int(faces[sliver, (first + k) % 3]) for k in range(3))
            here = _place(keys, q * size + p)
            if here is None:
                continue
            other = int(order[here]) // 3
            far = int(faces[other].sum()) - p - q
            crossed = any(_place(keys, key) is not None for key in (tip * size + far, far * size + tip))
            if crossed or touched & {sliver, other}:
                continue
            new = np.array([[p, far, tip], [far, q, tip]])
            if _heights(vertices[new]).min() > _heights(vertices[faces[[sliver, other]]]).min():
                faces[[sliver, other]] = new
                touched |= {sliver, other}
        if not touched:
            break
    return faces


def _place(keys: Ints, key: int) -> int | None:
    """Where `key` is among the sorted `keys`; None if it is not there."""
    here = int(np.searchsorted(keys, key))
    return here if here < len(keys) and keys[here] == key else None


def _heights(corners: Floats) -> Floats:
    """(m,): the least height of each triangle (m, 3, 3), mm."""
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    longest = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2).max(axis=1)
    return np.asarray(np.linalg.norm(cross, axis=1) / np.maximum(longest, 1e-30), np.float64)


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
