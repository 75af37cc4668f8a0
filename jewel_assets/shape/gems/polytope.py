"""Convex solids as the half-spaces that bound them, the way a faceter sees a stone: one plane per facet.

Every facet is the flat polygon that its plane keeps after all the others have cut it, so a stone is planar to rounding
error, convex and closed whatever its proportions are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from manifold3d import Manifold, Mesh64
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import HalfspaceIntersection, cKDTree

Array = NDArray[np.float64]

MERGE = 1e-8  # of the stone's width: corners nearer than this are one meet point; rounding leaves some 1e-13


@dataclass(frozen=True)
class Plane:
    """The half-space `normal . x <= offset`: `normal` is a unit vector that points out of the stone."""

    name: str
    normal: Array
    offset: float

    def moved(self, distance: float) -> "Plane":
        """The plane moved outwards by `distance`."""
        return Plane(self.name, self.normal, self.offset + distance)

    def height(self, x: float, y: float) -> float:
        """The z at which the plane stands over (x, y)."""
        return float((self.offset - self.normal[0] * x - self.normal[1] * y) / self.normal[2])


@dataclass(frozen=True)
class Facet:
    """One facet: what it is called, its outward unit normal and its corners (n, 3), counter-clockwise from outside."""

    name: str
    normal: Array
    corners: Array


def plane_through(name: str, a: ArrayLike, b: ArrayLike, c: ArrayLike) -> Plane:
    """The plane through three points (3,) that leaves the origin inside."""
    first, second, third = (np.asarray(point, dtype=float) for point in (a, b, c))
    normal = np.cross(second - first, third - first)
    normal /= np.linalg.norm(normal)
    offset = float(normal @ first)
    return Plane(name, -normal, -offset) if offset < 0 else Plane(name, normal, offset)


def level(name: str, z: float) -> Plane:
    """The horizontal plane at `z`, facing away from z = 0."""
    return Plane(name, np.array([0.0, 0.0, float(np.sign(z))]), abs(z))


def walls(name: str, polygon: Array) -> list[Plane]:
    """Vertical planes through the sides of a convex polygon (n, 2) that holds the origin, counter-clockwise."""
    along = np.roll(polygon, -1, axis=0) - polygon
    normals = np.stack([along[:, 1], -along[:, 0]], axis=1)
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    return [
        Plane(name, np.array([*normal, 0.0]), float(normal @ corner))
        for normal, corner in zip(normals, polygon, strict=True)
    ]


def facets_of(planes: Sequence[Plane]) -> list[Facet]:
    """The polygons that bound the solid `planes` enclose; a plane that touches it in an edge or a point has none."""
    normals = np.array([plane.normal for plane in planes])
    offsets = np.array([plane.offset for plane in planes])
    found = HalfspaceIntersection(np.column_stack([normals, -offsets]), np.zeros(3)).intersections
    corners = _merged(found[np.isfinite(found).all(axis=1)])
    on = np.abs(normals @ corners.T - offsets[:, None]) < 4 * MERGE  # (planes, corners)
    right = np.cross(np.eye(3)[np.argmin(np.abs(normals), axis=1)], normals)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    up = np.cross(normals, right)
    facets = []
    for number in np.flatnonzero(on.sum(axis=1) >= 3).tolist():
        mine = corners[on[number]]
        # counter-clockwise as seen from where the normal points
        spokes = mine - mine.sum(axis=0) / len(mine)
        order = np.argsort(np.arctan2(spokes @ up[number], spokes @ right[number]))
        facets.append(Facet(planes[number].name, planes[number].normal, mine[order]))
    return facets


def solid_of(facets: Sequence[Facet]) -> Manifold:
    """The solid with these facets, each split into triangles that share its plane."""
    every = np.concatenate([facet.corners for facet in facets])
    corners, index = np.unique(every, axis=0, return_inverse=True)
    index = index.reshape(-1)
    triangles, face, start = [], [], 0
    for number, facet in enumerate(facets):
        ring = index[start : start + len(facet.corners)]
        start += len(ring)
        fan = [(ring[0], ring[i], ring[i + 1]) for i in range(1, len(ring) - 1)]
        triangles += fan
        face += [number] * len(fan)
    return closed_solid(corners, np.array(triangles), np.array(face))


def closed_solid(corners: Array, triangles: NDArray[np.integer], face: NDArray[np.integer] | None = None) -> Manifold:
    """The solid bounded by `triangles` (m, 3) over `corners` (n, 3); `face` (m,) tells which lie in one plane.

    Raises ValueError where the triangles do not close: that is a fault of the builder, not of what was asked for.
    """
    mesh = Mesh64(
        np.ascontiguousarray(corners, dtype=np.float64),
        np.ascontiguousarray(triangles, dtype=np.uint64),
        face_id=None if face is None else np.ascontiguousarray(face, dtype=np.uint64),
    )
    solid = Manifold(mesh)
    if solid.is_empty():
        raise ValueError(f"these facets do not close into a solid: {solid.status()}")
    return solid


def _merged(points: Array) -> Array:
    """Each meet point once, where the dual hull gives it once per three of the planes that meet in it."""
    neighbours = cKDTree(points).query_ball_point(points, MERGE)
    first = np.array([min(near) for near in neighbours])
    merged: Array = points[np.unique(first)]
    return merged
