"""A hammered surface: shallow round dents side by side, whose rims meet in ridges."""

from collections.abc import Callable

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.sweep import solid_of

Where = Callable[[Array, Array], Array]
"""From points (n, 3) and their outward normals (n, 3) to how much they are hammered (n,), 0 to 1."""


CANDIDATES = 3000
"""Places tried for a dent: plenty for a pendant or a cuff, and the search grows with their square."""


def hammered(
    solid: Manifold,
    dent_mm: float = 2.2,
    depth_mm: float = 0.14,
    seed: int = 0,
    where: Where | None = None,
    facets: int = 5,
) -> Manifold:
    """`solid` with dents `dent_mm` across and at most `depth_mm` deep hammered into it.

    `where` leaves parts alone: the bore of a ring, a flat back. Metal is moved inward only, so outer measures stay
    within `depth_mm`. `facets` triangles span a dent. Walls must be thicker than twice the depth.
    """
    if not 0 < depth_mm < dent_mm / 4:
        raise ValueError(f"dents of {dent_mm:g} mm can be up to {dent_mm / 4:g} mm deep, not {depth_mm:g} mm")
    mesh = solid.refine_to_length(dent_mm / facets).to_mesh64()
    points = np.array(mesh.vert_properties)[:, :3]
    faces = np.asarray(mesh.tri_verts).astype(np.int64)
    normals = vertex_normals(points, faces)
    share = np.ones(len(points)) if where is None else np.asarray(where(points, normals))
    rng = np.random.default_rng(seed)
    centres = _scattered(points[share > 0.3], 0.62 * dent_mm, rng)
    if not len(centres):
        return solid
    tree = cKDTree(centres)
    reach = dent_mm / 2 * rng.uniform(0.9, 1.25, len(centres))
    strength = depth_mm * rng.uniform(0.7, 1.0, len(centres))
    distance, nearest = tree.query(points, k=min(4, len(centres)))
    distance, nearest = distance.reshape(len(points), -1), nearest.reshape(len(points), -1)
    # a round punch cuts a paraboloid; where several overlap the deepest one counts, which leaves ridges between them
    dent = strength[nearest] * np.clip(1 - (distance / reach[nearest]) ** 2, 0, None)
    return solid_of(points - normals * (dent.max(axis=1) * share)[:, None], faces)


def vertex_normals(points: Array, faces: NDArray[np.int64]) -> Array:
    """(n, 3): outward unit normals of the vertices of a closed mesh, weighted by area."""
    a, b, c = points[faces[:, 0]], points[faces[:, 1]], points[faces[:, 2]]
    cross = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for corner in range(3):
        normals += np.column_stack([np.bincount(faces[:, corner], cross[:, i], len(points)) for i in range(3)])
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))


def _scattered(points: Array, apart: float, rng: np.random.Generator) -> Array:
    """Points that are at least `apart` from each other, as many as fit in the order the chance gives."""
    if not len(points):
        return points
    shuffled = points[rng.permutation(len(points))[:CANDIDATES]]
    near = cKDTree(shuffled).query_ball_point(shuffled, apart)
    gone = np.zeros(len(shuffled), dtype=bool)
    kept = []
    for i, others in enumerate(near):
        if not gone[i]:
            kept.append(i)
            gone[others] = True
    return np.asarray(shuffled[kept])
