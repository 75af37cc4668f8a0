"""Normals for looking at: smooth where a surface is round, sharp at its creases, one per facet on a gem."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

METAL_CREASE_DEGREES = 38.0
"""Above the 30 degrees between the sides of a twelve-sided wire, below the 45 of a bevelled edge."""
FACET_CREASE_DEGREES = 0.5
"""Triangles of one facet differ by rounding only; the shallowest neighbours, star and main, by some 10 degrees."""


def shaded(vertices: Floats, faces: Ints, crease_degrees: float) -> tuple[Floats, Floats, Ints]:
    """Vertices (k, 3), unit normals (k, 3) and faces (m, 3), each vertex repeated for every normal it needs.

    At each vertex, faces joined by edges that turn less than `crease_degrees` share a normal: the mean of theirs,
    weighted by their angle and area there, so that the slivers that booleans leave do not tilt it. Faces without area
    are dropped.
    """
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    double_area = np.linalg.norm(cross, axis=1)
    kept = double_area > 1e-10
    faces, corners, cross, double_area = faces[kept], corners[kept], cross[kept], double_area[kept]
    normals = cross / double_area[:, None]

    size = len(faces)
    sides = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    keys = sides.min(axis=1) * len(vertices) + sides.max(axis=1)
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    one, two = order[:-1][same], order[1:][same]  # sides (3 m) that meet at an edge
    thin = double_area / (np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1) ** 2)
    soft = np.einsum("ij,ij->i", normals[one // 3], normals[two // 3]) > np.cos(np.radians(crease_degrees))
    # A sliver's normal is rounding: it follows its neighbour.
    soft |= np.minimum(thin[one // 3], thin[two // 3]) < 1e-5
    one, two = one[soft], two[soft]
    # Corner 3 f + i is at vertex faces[f, i], and side 3 f + i runs from it to the next; neighbours run it in reverse.
    start_one, end_one = one, one // 3 * 3 + (one + 1) % 3
    start_two, end_two = two, two // 3 * 3 + (two + 1) % 3
    opposite = sides[one, 0] == sides[two, 1]
    links_a = np.concatenate([start_one, end_one])
    links_b = np.concatenate([np.where(opposite, end_two, start_two), np.where(opposite, start_two, end_two)])
    graph = coo_array((np.ones(len(links_a), np.int8), (links_a, links_b)), shape=(3 * size, 3 * size))
    groups = connected_components(graph, directed=False)[1] if size else np.zeros(0, np.int64)

    before, after = np.roll(corners, 1, axis=1) - corners, np.roll(corners, -1, axis=1) - corners
    lengths = np.linalg.norm(before, axis=2) * np.linalg.norm(after, axis=2)
    angles = np.arccos(np.clip(np.einsum("ijk,ijk->ij", before, after) / np.maximum(lengths, 1e-30), -1, 1))
    weights = (angles * double_area[:, None]).reshape(-1)
    number = int(groups.max()) + 1 if size else 0
    summed = np.stack(
        [np.bincount(groups, weights * np.repeat(normals[:, axis], 3), minlength=number) for axis in range(3)], axis=1
    )
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    first = np.unique(groups, return_index=True)[1]
    # Faces folded onto each other cancel out: any of their normals is as good as another.
    unit = np.where(length > 1e-12, summed / np.maximum(length, 1e-30), normals[first // 3])
    return vertices[faces.reshape(-1)[first]], unit, groups.reshape(-1, 3).astype(np.int64)
