"""A foreign mesh while it is mended: triangles in millimetres that remember their material and their part."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from jewel_assets.shape.castability.surface import Surface
from jewel_assets.shape.foreign.flatten import Part

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CELLS = 1 << 20
"""Corners within one of so many cells along the longest side are one: 25 nanometres of a ring, and what single
precision can tell apart."""

WELDS_MM = (1e-3, 5e-3, 2e-2)
"""Open edges nearer than this are sewn, the nearest first: a crack that no caster's 25 micrometre layer shows."""


@dataclass(frozen=True)
class Mesh:
    """`vertices` (n, 3) mm; `faces` (m, 3), anticlockwise seen from outside, each with its `look` and `part` (m,)."""

    vertices: Floats = field(repr=False)
    faces: Ints = field(repr=False)
    look: Ints = field(repr=False)
    """Index of its material; -1 where it has none."""
    part: Ints = field(repr=False)
    """Number of the placed mesh that it belongs to."""

    @cached_property
    def surface(self) -> Surface:
        """Its edges, neighbours, shells and rays."""
        return Surface(self.vertices, self.faces)

    @property
    def closed(self) -> bool:
        """Whether at every edge as many faces run one way as the other: it bounds a solid."""
        return bool(len(self.faces)) and not self.surface.edge_balance.any() and not (self.surface.edge_uses % 2).any()

    @property
    def simple(self) -> bool:
        """Whether it is closed, and no edge has more than two faces."""
        return self.closed and bool((self.surface.edge_uses == 2).all())

    def keep(self, faces: Bools) -> "Mesh":
        """Only these faces (m,)."""
        return self if faces.all() else Mesh(self.vertices, self.faces[faces], self.look[faces], self.part[faces])

    def turned(self, faces: Bools) -> "Mesh":
        """With these faces (m,) turned over."""
        if not faces.any():
            return self
        turned = self.faces.copy()
        turned[faces] = turned[faces][:, ::-1]
        return replace(self, faces=turned)

    def merged(self, group: Ints) -> "Mesh":
        """With vertices of the same `group` (n,), numbered from 0, made one: the first of each stays in its place."""
        first = np.unique(group, return_index=True)[1]
        faces = group[self.faces]
        a, b, c = faces.T
        return Mesh(self.vertices[first], faces, self.look, self.part).keep((a != b) & (b != c) & (c != a))


def joined(parts: Sequence[Part], factor: float) -> Mesh:
    """The parts as one mesh in mm, corners of the same placed mesh welded where they coincide.

    Files give a corner once for every normal, colour and material that meets there. Meshes apart from each other stay
    apart: a stone that touches its seat is no hole in either.
    """
    sizes = np.array([len(part.vertices) for part in parts])
    counts = [len(part.faces) for part in parts]
    starts = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    vertices = np.vstack([part.vertices for part in parts]) * factor
    faces = np.vstack([part.faces + start for part, start in zip(parts, starts, strict=True)])
    owner = np.repeat([part.node for part in parts], sizes)
    look = np.repeat([-1 if part.material is None else part.material for part in parts], counts)
    cells = _cells(vertices, faces)
    groups = np.unique(cells, return_inverse=True)[1].reshape(-1).astype(np.int64) * (int(owner.max()) + 1) + owner
    group = np.unique(groups, return_inverse=True)[1].reshape(-1).astype(np.int64)
    mesh = Mesh(vertices, faces, look, np.repeat([part.node for part in parts], counts))
    return mesh.merged(group)


def _cells(vertices: Floats, faces: Ints) -> Ints:
    """(n,) the number of the cell of each vertex; those that no face uses are clipped into the box of the others."""
    used = vertices[faces.reshape(-1)]
    low, high = used.min(axis=0), used.max(axis=0)
    step = max(float((high - low).max()), 1e-12) / CELLS
    x, y, z = np.clip(np.rint((vertices - low) / step), 0, CELLS).astype(np.int64).T
    return np.asarray((x * (CELLS + 1) + y) * (CELLS + 1) + z)


def without_doubles(mesh: Mesh) -> Mesh:
    """Each triangle once. Two back to back inside a solid go both; of a sheet with two sides, one side stays."""
    corners = np.sort(mesh.faces, axis=1)
    size = len(mesh.vertices)
    order = np.lexsort((corners[:, 2], corners[:, 1], corners[:, 0]))
    same = (corners[order][1:] == corners[order][:-1]).all(axis=1)
    if not same.any():
        return mesh
    group = np.empty(len(corners), np.int64)
    group[order] = np.concatenate([[0], np.cumsum(~same)])
    uses = np.bincount(group)[group]
    first = np.zeros(len(corners), bool)
    first[np.unique(group, return_index=True)[1]] = True
    graph = coo_array((np.ones(2 * len(corners)), mesh.faces[:, [0, 1, 1, 2]].reshape(-1, 2).T), shape=(size, size))
    shell = connected_components(graph, directed=False)[1][mesh.faces[:, 0]]
    sheet = np.bincount(shell, uses == 1)[shell] == 0  # nothing but doubles
    # Even permutations of the sorted corners run one way round, odd ones the other.
    a, b, c = mesh.faces.T
    way = np.where((a < b).astype(int) + (b < c) + (c < a) == 2, 1, -1)
    opposed = np.bincount(group, way)[group] == 0
    return mesh.keep((uses == 1) | (first & (sheet | ~opposed)))


def sewn(mesh: Mesh) -> Mesh:
    """With open edges joined that lie within `WELDS_MM` of each other, as far as that closes more than it spoils."""
    for reach in WELDS_MM:
        surface = mesh.surface
        open_corners = np.unique(surface.edges[surface.edge_uses == 1])
        if not len(open_corners):
            break
        pairs = cKDTree(mesh.vertices[open_corners]).query_pairs(reach, output_type="ndarray")
        if not len(pairs):
            continue
        size = len(mesh.vertices)
        graph = coo_array((np.ones(len(pairs)), open_corners[pairs].T), shape=(size, size))
        tried = without_doubles(mesh.merged(connected_components(graph, directed=False)[1].astype(np.int64)))
        if not len(tried.faces):
            continue
        before, after = (_faults(one.surface) for one in (mesh, tried))
        if after[0] < before[0] and after[1] <= before[1]:
            mesh = tried
    return mesh


def _faults(surface: Surface) -> tuple[int, int]:
    """How many edges are open, and at how many more than two faces meet."""
    uses = surface.edge_uses
    return int((uses == 1).sum()), int((uses > 2).sum())
