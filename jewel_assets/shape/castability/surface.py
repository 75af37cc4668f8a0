"""A welded triangle mesh with what the rules ask of it: edges and their faces, shells, and rays against it.

Rays are Embree's (single precision, so the mesh is moved to its own middle first); what decides is computed again in
double precision where it matters.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WELD_MM = 1e-3
"""Corners nearer than this are one: a twentieth of the finest layer of a wax printer (some 25 micrometres), and far
more than what single precision loses at the size of a necklace (15 nanometres at 250 mm)."""


@dataclass(frozen=True)
class Surface:
    """Triangles in millimetres. `vertices` (n, 3), `faces` (m, 3) indices, anticlockwise seen from outside."""

    vertices: Floats = field(repr=False)
    faces: Ints = field(repr=False)

    @classmethod
    def of_solid(cls, solid: Manifold) -> "Surface":
        """The boundary of a solid, with the solid's own topology: two parts that merely touch stay two."""
        mesh = solid.to_mesh64()
        return cls(
            np.ascontiguousarray(mesh.vert_properties, np.float64)[:, :3],
            np.ascontiguousarray(mesh.tri_verts).astype(np.int64),
        )

    @classmethod
    def of_triangles(cls, vertices: NDArray[Any], faces: NDArray[Any]) -> "Surface":
        """Anyone's triangles, welded: equal corners first, then corners on open edges within `WELD_MM` of each other.

        Faces that two of their corners make a line are left out.
        """
        vertices = np.ascontiguousarray(vertices, np.float64)
        faces = np.ascontiguousarray(faces, np.int64)
        kept, place = np.unique(vertices, axis=0, return_inverse=True)
        welded = _without_lines(cls(kept, place.reshape(-1)[faces]))
        open_corners = np.unique(welded.edges[welded.edge_uses == 1])
        if len(open_corners):
            pairs = cKDTree(kept[open_corners]).query_pairs(WELD_MM, output_type="ndarray")
            if len(pairs):
                graph = coo_array((np.ones(len(pairs)), open_corners[pairs].T), shape=(len(kept), len(kept)))
                group = connected_components(graph, directed=False)[1]
                first = np.unique(group, return_index=True)[1]
                welded = _without_lines(cls(kept[first], group.astype(np.int64)[welded.faces]))
        return welded

    # ------------------------------------------------------------------ faces

    @cached_property
    def corners(self) -> Floats:
        """(m, 3, 3): the corners of each face."""
        return self.vertices[self.faces]

    @cached_property
    def _cross(self) -> Floats:
        corners = self.corners
        return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])

    @cached_property
    def areas(self) -> Floats:
        """(m,) mm2."""
        return np.asarray(np.linalg.norm(self._cross, axis=1) / 2, np.float64)

    @cached_property
    def normals(self) -> Floats:
        """(m, 3) unit vectors; zero where a face has no area."""
        length = 2 * self.areas[:, None]
        return np.divide(self._cross, length, out=np.zeros_like(self._cross), where=length > 1e-12)

    @cached_property
    def centres(self) -> Floats:
        """(m, 3): the middle of each face."""
        return np.asarray(self.corners.mean(axis=1), np.float64)

    @cached_property
    def signed_volumes(self) -> Floats:
        """(m,) mm3: each face's share of the enclosed volume, measured from the middle of the mesh."""
        corners = self.corners - self.middle
        return np.asarray(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6, np.float64)

    # ------------------------------------------------------------------ edges

    @cached_property
    def _edge_table(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Unique edges (k, 2); for each of 3 m sides its edge; for each edge its uses and balance of directions."""
        sides = self.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        forward = sides[:, 0] < sides[:, 1]
        low, high = sides.min(axis=1), sides.max(axis=1)
        keys, edge_of_side = np.unique(low * len(self.vertices) + high, return_inverse=True)
        edges = np.stack([keys // len(self.vertices), keys % len(self.vertices)], axis=1)
        uses = np.bincount(edge_of_side, minlength=len(edges))
        balance = np.bincount(edge_of_side, np.where(forward, 1.0, -1.0), minlength=len(edges)).astype(np.int64)
        return edges, edge_of_side.reshape(-1), uses.astype(np.int64), balance

    @property
    def edges(self) -> Ints:
        """(k, 2): the vertices of each edge, the lower index first."""
        return self._edge_table[0]

    @property
    def edge_uses(self) -> Ints:
        """(k,): how many faces meet at each edge; 2 everywhere on a closed surface."""
        return self._edge_table[2]

    @property
    def edge_balance(self) -> Ints:
        """(k,): sides that run forward along an edge less those that run back; 0 everywhere if faces agree."""
        return self._edge_table[3]

    @cached_property
    def neighbours(self) -> tuple[Ints, Ints]:
        """(p, 2) faces that share an edge which has two faces, and (p,) that edge."""
        _, edge_of_side, uses, _ = self._edge_table
        order = np.argsort(edge_of_side, kind="stable")
        order = order[uses[edge_of_side[order]] == 2]
        return (order // 3).reshape(-1, 2), edge_of_side[order][::2]

    @cached_property
    def shells(self) -> tuple[int, Ints]:
        """How many connected shells there are, and the shell of each face. Faces that share a corner are connected."""
        sides = self.faces[:, [[0, 1], [1, 2]]].reshape(-1, 2)
        size = len(self.vertices)
        graph = coo_array((np.ones(len(sides), np.int8), sides.T), shape=(size, size))
        group = connected_components(graph, directed=False)[1][self.faces[:, 0]]
        names, shell = np.unique(group, return_inverse=True)
        return len(names), shell.reshape(-1).astype(np.int64)

    # ------------------------------------------------------------------- rays

    @cached_property
    def bounds(self) -> tuple[Floats, Floats]:
        """The corners of the bounding box, mm."""
        used = self.corners.reshape(-1, 3)
        return used.min(axis=0), used.max(axis=0)

    @cached_property
    def middle(self) -> Floats:
        """The middle of the bounding box."""
        return (self.bounds[0] + self.bounds[1]) / 2

    @cached_property
    def resolution(self) -> float:
        """mm: what single precision cannot tell apart on this mesh, with room for a few roundings."""
        return max(float(np.abs(self.bounds[1] - self.bounds[0]).max()) * 2e-6, 1e-6)

    @cached_property
    def _scene(self) -> Any:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        scene = EmbreeScene()
        TriangleMesh(scene, (self.corners - self.middle).astype(np.float32))
        return scene

    def first_hits(self, origins: Floats, directions: Floats, reach: Floats) -> tuple[Ints, Floats]:
        """The face that each ray hits first within `reach` mm (-1: none), and how far away. `directions` are unit."""
        found = self._scene.run(
            (origins - self.middle).astype(np.float32),
            directions.astype(np.float32),
            reach.astype(np.float32),
            output=True,
        )
        return found["primID"].astype(np.int64), found["tfar"].astype(np.float64)

    def all_hits(
        self, origins: Floats, directions: Floats, reach: Floats, most: int = 64
    ) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Hit after hit along each ray: the rays that still hit something, the faces, how far away; `most` rounds.

        `reach` may be lowered by the caller between rounds: a ray whose reach is behind it stops.
        """
        rays = np.arange(len(origins))
        start = np.zeros(len(origins))
        step = 4 * self.resolution
        for _ in range(most):
            if not len(rays):
                return
            left = reach[rays] - start[rays]
            faces, far = self.first_hits(origins[rays] + start[rays, None] * directions[rays], directions[rays], left)
            hit = faces >= 0
            rays, faces, distances = rays[hit], faces[hit], (start[rays] + far)[hit]
            yield rays, faces, distances
            start[rays] = distances + step
            rays = rays[start[rays] < reach[rays]]


def _without_lines(surface: Surface) -> Surface:
    a, b, c = surface.faces.T
    real = (a != b) & (b != c) & (c != a)
    return surface if real.all() else Surface(surface.vertices, surface.faces[real])


def groups_of_points(points: Floats, reach: float, links: Ints | None = None) -> Ints:
    """(n,) the group of each of the (n, 3) points: those within `reach` of each other, or joined by `links` (k, 2)."""
    pairs = cKDTree(points).query_pairs(reach, output_type="ndarray")
    if links is not None:
        pairs = np.vstack([pairs, links])
    graph = coo_array((np.ones(len(pairs), np.int8), pairs.T), shape=(len(points), len(points)))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
