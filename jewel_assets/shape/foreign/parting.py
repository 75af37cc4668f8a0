"""Edges at which more than two faces meet: solids that touch are parted there, and inner walls come loose.

Around such an edge, metal lies between a face that looks back and the next face that looks forth; these two belong
together (after Gueziec et al. 1998, "Converting sets of polygons to manifold surfaces by cutting and stitching"). Faces
that find no partner get an edge of their own, which is then a rim like any other.
"""

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from jewel_assets.shape.foreign.mesh import Floats, Ints, Mesh

APART_MM = 2e-4
"""By so much parted corners step back into their own solid, so that no reader of the file welds them again: a fifth of
a micrometre, and some fifty steps of single precision on a ring."""


def parted(mesh: Mesh) -> Mesh:
    """The mesh with every crowded edge split into edges of at most two faces, and the corners there with it."""
    surface = mesh.surface
    crowded = np.flatnonzero(surface.edge_uses > 2)
    if not len(crowded):
        return mesh
    pairs, edges = surface.neighbours
    pairs = pairs[surface.edge_balance[edges] == 0]
    partners = _partners(mesh, crowded)
    pairs = np.vstack([pairs, partners]) if len(partners) else pairs
    one, two = _shared_corners(mesh.faces, pairs)
    corners = 3 * len(mesh.faces)
    graph = coo_array((np.ones(len(one), np.int8), (one, two)), shape=(corners, corners))
    group = connected_components(graph, directed=False)[1].astype(np.int64)
    first = np.unique(group, return_index=True)[1]
    return replace(mesh, vertices=mesh.vertices[mesh.faces.reshape(-1)[first]], faces=group.reshape(-1, 3))


def stepped_back(mesh: Mesh) -> Mesh:
    """With corners that share their place moved against their own normal, each into its own solid.

    By `APART_MM`, the second at a place by twice as much, and so on: their normals may be the same.
    """
    _, place, uses = np.unique(mesh.vertices.astype(np.float32), axis=0, return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    if (uses == 1).all():
        return mesh
    order = np.argsort(place, kind="stable")
    starts = np.concatenate([[0], np.cumsum(uses)])[:-1]
    rank = np.empty(len(place), np.int64)
    rank[order] = np.arange(len(place)) - np.repeat(starts, uses)
    step = APART_MM * np.where(uses[place] > 1, rank + 1, 0)
    normals = np.zeros_like(mesh.vertices)
    weighted = mesh.surface.normals * mesh.surface.areas[:, None]
    for corner in range(3):
        np.add.at(normals, mesh.faces[:, corner], weighted)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, length, out=np.tile([1.0, 0.0, 0.0], (len(normals), 1)), where=length > 1e-12)
    return replace(mesh, vertices=mesh.vertices - step[:, None] * normals)


def _partners(mesh: Mesh, crowded: Ints) -> Ints:
    """(p, 2) faces that belong together at the crowded edges."""
    surface = mesh.surface
    sides = mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    keys = sides.min(axis=1) * len(mesh.vertices) + sides.max(axis=1)
    wanted = surface.edges[crowded, 0] * len(mesh.vertices) + surface.edges[crowded, 1]
    place = np.searchsorted(wanted, keys)  # edges are sorted by the same key
    mine = np.flatnonzero((place < len(wanted)) & (wanted[np.minimum(place, len(wanted) - 1)] == keys))
    angles, forth = _around(mesh, sides[mine], mine)
    order = np.lexsort((angles, place[mine]))
    edge, side, forth = place[mine][order], mine[order], forth[order]
    found: list[tuple[int, int]] = []
    bounds = np.flatnonzero(np.diff(edge)) + 1
    for sides_here, forth_here in zip(np.split(side, bounds), np.split(forth, bounds), strict=True):
        waiting: list[int] = []
        done: set[int] = set()
        for turn in range(2 * len(sides_here)):  # twice round, so that metal across the first angle is closed too
            face, ahead = int(sides_here[turn % len(sides_here)]) // 3, bool(forth_here[turn % len(sides_here)])
            second = turn >= len(sides_here)
            if not ahead and not second:
                waiting.append(face)
            elif ahead and waiting and face not in done:
                found.append((waiting.pop(), face))
                done.add(face)
    return np.array(found, np.int64).reshape(-1, 2)


def _around(mesh: Mesh, sides: Ints, numbers: Ints) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """The angle of each face about its edge (run from the lower corner), and whether it runs along it that way."""
    forth = sides[:, 0] < sides[:, 1]
    start, end = mesh.vertices[sides.min(axis=1)], mesh.vertices[sides.max(axis=1)]
    tip = mesh.vertices[mesh.faces.reshape(-1)[numbers // 3 * 3 + (numbers + 2) % 3]]
    along = end - start
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-30)
    axis = np.eye(3)[np.argmin(np.abs(along), axis=1)]
    right = np.cross(along, axis)
    right /= np.maximum(np.linalg.norm(right, axis=1, keepdims=True), 1e-30)
    up = np.cross(along, right)
    arm = tip - start
    return np.arctan2(np.einsum("ij,ij->i", arm, up), np.einsum("ij,ij->i", arm, right)), forth


def _shared_corners(faces: Ints, pairs: Ints) -> tuple[Ints, Ints]:
    """Corners (numbers of 3 m) of pairs of neighbouring faces that are at the same vertex of their common edge."""
    one, two = faces[pairs[:, 0]], faces[pairs[:, 1]]
    rows, first, second = np.nonzero(one[:, :, None] == two[:, None, :])
    return pairs[rows, 0] * 3 + first, pairs[rows, 1] * 3 + second
