"""The bodies of a piece as triangles that can be rendered: merged by material, smooth where the metal is smooth.

A renderer interpolates normals over a triangle's corners. Gems must not be (a facet is flat); metal must be, except
across an edge that the goldsmith meant. So corners that meet at a vertex share a normal only with those neighbours to
which they are joined over edges that bend by less than the crease angle.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from jewel_assets.shape.piece import Body, Kind, Piece

CREASE_DEGREES = 35.0
"""Edges that bend by more stay sharp: a 24-sided wire (15 degrees a side) is round, a bevel of 45 degrees is not."""

SMOOTH_CUTS = ("cabochon", "pearl")


@dataclass(frozen=True)
class Surface:
    """The outside of one body. `vertices` (n, 3) mm; `faces` (m, 3) indices, counter-clockwise seen from outside.

    `faceted`: its faces are flat, as a cut stone's are.
    """

    name: str
    kind: Kind
    material: str
    vertices: NDArray[np.float64] = field(repr=False)
    faces: NDArray[np.int64] = field(repr=False)
    faceted: bool = False

    @classmethod
    def of(cls, body: Body) -> "Surface":
        """The surface of a body of a piece."""
        mesh = body.solid.to_mesh()
        vertices = np.asarray(mesh.vert_properties, np.float64)[:, :3]
        faceted = body.kind == "gem" and getattr(body, "cut", "") not in SMOOTH_CUTS
        return cls(body.name, body.kind, body.material, vertices, np.asarray(mesh.tri_verts, np.int64), faceted)

    def moved(self, turn: NDArray[np.float64], shift: NDArray[np.float64]) -> "Surface":
        """Turned by the rotation `turn` (3, 3), then moved by `shift` (3,) mm."""
        return replace(self, vertices=self.vertices @ turn.T + shift)


def surfaces_of(piece: "Piece | Iterable[Surface]") -> list[Surface]:
    """What can be rendered of a piece, body by body in its order; surfaces (of a file, say) are taken as they are.

    Raises ValueError when nothing is left to render.
    """
    surfaces = [Surface.of(body) for body in piece.bodies] if isinstance(piece, Piece) else list(piece)
    if not any(len(surface.faces) for surface in surfaces):
        raise ValueError("There is nothing to render: no body of the piece has a face. Build the piece first.")
    return surfaces


@dataclass(frozen=True)
class Group:
    """Surfaces of one material as one mesh; `owner` (m,) says of each face which surface it came from."""

    kind: Kind
    material: str
    faceted: bool
    vertices: NDArray[np.float64] = field(repr=False)
    faces: NDArray[np.int64] = field(repr=False)
    owner: NDArray[np.int64] = field(repr=False)


def grouped(surfaces: Sequence[Surface]) -> list[Group]:
    """One mesh per material, in order of first appearance: a chain of 200 links is one shape to the renderer."""
    groups = []
    for key in dict.fromkeys((s.kind, s.material, s.faceted) for s in surfaces if len(s.faces)):
        members = [(n, s) for n, s in enumerate(surfaces) if (s.kind, s.material, s.faceted) == key and len(s.faces)]
        starts = np.cumsum([0, *(len(s.vertices) for _, s in members)])
        groups.append(
            Group(
                *key,
                np.vstack([s.vertices for _, s in members]),
                np.vstack([s.faces + start for (_, s), start in zip(members, starts, strict=False)]),
                np.concatenate([np.full(len(s.faces), n) for n, s in members]),
            )
        )
    return groups


def face_normals(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m, 3) unit normals; zero for a face without area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(np.divide(normals, length, out=np.zeros_like(normals), where=length > 0))


def creased(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], crease_degrees: float = CREASE_DEGREES
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Vertices (k, 3), faces (m, 3) and vertex normals (k, 3), with vertices doubled along creases.

    The corners of all faces are the nodes of a graph; two corners at one vertex are joined when their faces share an
    edge that bends by less than `crease_degrees`. Each connected component becomes one vertex, whose normal is the mean
    of its faces' normals weighted by the corner's angle and the face's area: the many small triangles of a bead or a
    cut that booleans leave beside a polished plane must not pull the plane's normals aside.
    """
    flat = face_normals(vertices, faces)
    m = len(faces)
    corners = np.arange(3 * m).reshape(m, 3)

    # Half-edge k of a face goes from its corner k to corner k + 1; edges of two faces are met in opposite directions.
    start, end = faces, np.roll(faces, -1, axis=1)
    low, high = np.minimum(start, end).ravel(), np.maximum(start, end).ravel()
    order = np.lexsort((high, low))
    same = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    one, two = order[:-1][same], order[1:][same]
    smooth = np.einsum("ij,ij->i", flat[one // 3], flat[two // 3]) > np.cos(np.radians(crease_degrees))
    one, two = one[smooth], two[smooth]
    one_start, one_end = corners.ravel()[one], np.roll(corners, -1, axis=1).ravel()[one]
    two_start, two_end = corners.ravel()[two], np.roll(corners, -1, axis=1).ravel()[two]
    turned = start.ravel()[one] == start.ravel()[two]  # a flipped face meets the edge in the same direction
    partner_of_start = np.where(turned, two_start, two_end)
    partner_of_end = np.where(turned, two_end, two_start)
    rows, columns = np.concatenate([one_start, one_end]), np.concatenate([partner_of_start, partner_of_end])
    graph = coo_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(3 * m, 3 * m))
    count, component = connected_components(graph, directed=False)

    places = vertices[faces]
    before, after = np.roll(places, 1, axis=1) - places, np.roll(places, -1, axis=1) - places
    lengths = np.linalg.norm(before, axis=2) * np.linalg.norm(after, axis=2)
    cosine = np.einsum("ijk,ijk->ij", before, after) / np.maximum(lengths, 1e-300)
    angle = np.arccos(np.clip(cosine, -1, 1)) * (lengths > 0)
    area = np.linalg.norm(np.cross(places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]), axis=1)
    weighted = (flat[:, None, :] * (angle * area[:, None])[..., None]).reshape(-1, 3)
    normals = np.stack([np.bincount(component, weighted[:, k], minlength=count) for k in range(3)], axis=1)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, length, out=np.tile([0.0, 0.0, 1.0], (count, 1)), where=length > 1e-12)
    split = np.empty((count, 3))
    split[component] = places.reshape(-1, 3)
    return split, component.reshape(m, 3).astype(np.int64), normals
