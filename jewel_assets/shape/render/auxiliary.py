"""Exact images beside the photo: coverage, part ids, normals and depth, by casting the camera's rays at the meshes.

Rays are cast with Embree. A pixel whose neighbourhood shows one part only gets its middle ray; a pixel on any outline
gets a grid of `EDGE_RAYS` squared, so that alpha there is coverage to 1/256.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from jewel_assets.errors import Permanent
from jewel_assets.shape.render.cameras import Camera
from jewel_assets.shape.render.stages import Prop
from jewel_assets.shape.render.surfaces import Surface, creased

EDGE_RAYS = 16
"""Rays per side of a pixel on an outline."""
_AT_ONCE = 1 << 19  # rays in one call: 50 MB of indices and places


@dataclass(frozen=True)
class Exact:
    """What the camera sees of the piece, without light.

    `alpha` (h, w) float32 0..1: the share of the pixel that the piece covers, its shadow and mirror image not counted,
    nor what a finger or wrist hides of it.
    `parts` (h, w) int32: the index of the body in the pixel's middle, -1 where there is none; a thin part that misses
    all middles of pixels still has its alpha. `normals` (h, w, 3) float32: unit, in scene axes, towards the camera,
    zero where no part is. `depth` (h, w) float32: mm along the view direction, infinite where no part is.
    """

    alpha: NDArray[np.float32] = field(repr=False)
    parts: NDArray[np.int32] = field(repr=False)
    normals: NDArray[np.float32] = field(repr=False)
    depth: NDArray[np.float32] = field(repr=False)


def exact(surfaces: Sequence[Surface], camera: Camera, supports: Sequence[Prop] = ()) -> Exact:
    """Coverage, part ids, normals and depth of the posed surfaces, where none of `supports` stands before them.

    Raises Permanent where the ray caster is missing.
    """
    vertices, faces, normals, owners, start = [], [], [], [], 0
    for n, surface in enumerate(surfaces):
        if not len(surface.faces):
            continue
        if surface.faceted:
            flat = surface.vertices[surface.faces].reshape(-1, 3)
            split = np.arange(len(flat)).reshape(-1, 3)
            normal = np.repeat(_flat(flat.reshape(-1, 3, 3)), 3, axis=0)
        else:
            flat, split, normal = creased(surface.vertices, surface.faces)
        vertices.append(flat)
        faces.append(split + start)
        normals.append(normal)
        owners.append(np.full(len(split), n, np.int32))
        start += len(flat)
    all_vertices, all_faces = np.vstack(vertices), np.vstack(faces)
    all_normals, owner = np.vstack(normals), np.concatenate(owners)
    caster = _Caster.of(all_vertices, all_faces, supports)

    height, width = camera.size
    rows, columns = (grid.ravel() + 0.5 for grid in np.mgrid[0:height, 0:width].astype(np.float64))
    directions = camera.rays(columns, rows)
    hit = caster.first(camera.place, directions)
    seen = hit >= 0
    parts = np.full(height * width, -1, np.int32)
    parts[seen] = owner[hit[seen]]

    normal_image = np.zeros((height * width, 3), np.float32)
    depth = np.full(height * width, np.inf, np.float32)
    triangles = all_vertices[all_faces[hit[seen]]]
    distance, weights = _meet(camera.place, directions[seen], triangles)
    depth[seen] = distance * (directions[seen] @ camera.axes[2])
    smooth = np.einsum("nk,nkj->nj", weights, all_normals[all_faces[hit[seen]]])
    smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-12)
    normal_image[seen] = smooth

    part_image = parts.reshape(height, width)
    edge = _outline(part_image)
    alpha = (part_image >= 0).astype(np.float32)
    alpha[edge] = _coverage(caster, camera, edge, EDGE_RAYS)
    # Parts and openings thinner than a pixel may pass between all middles: a sparse grid finds the pixels they cross.
    unsure = ~edge & near(part_image >= 0, 24)
    if unsure.any():
        sparse = alpha.copy()
        sparse[unsure] = _coverage(caster, camera, unsure, 3)
        grown = near(unsure & (sparse != alpha), 1) & ~edge
        alpha[grown] = _coverage(caster, camera, grown, EDGE_RAYS)
    return Exact(alpha, part_image, normal_image.reshape(height, width, 3), depth.reshape(height, width))


def _flat(triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300))


@dataclass(frozen=True)
class _Caster:
    """The piece's triangles, which come first, and behind them those of what may hide it."""

    meshes: Any = field(repr=False)
    own: int

    @classmethod
    def of(cls, vertices: NDArray[np.float64], faces: NDArray[np.int64], supports: Sequence[Prop]) -> "_Caster":
        try:
            import trimesh
            from trimesh.ray.ray_pyembree import RayMeshIntersector
        except ImportError as error:
            raise Permanent(
                "Exact masks need trimesh with Embree, which is not installed: pip install 'jewel-assets[render]'."
            ) from error
        own = len(faces)
        for prop in supports:
            faces = np.vstack([faces, prop.faces + len(vertices)])
            vertices = np.vstack([vertices, prop.vertices])
        return cls(RayMeshIntersector(trimesh.Trimesh(vertices, faces, process=False, validate=False)), own)

    def first(self, place: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n,) index of the piece's face that each ray meets first, -1 where it meets none or a support before it."""
        hits = [
            self.meshes.intersects_first(np.broadcast_to(place, chunk.shape).copy(), chunk)
            for chunk in np.array_split(directions, max(1, -(-len(directions) // _AT_ONCE)))
        ]
        hit = np.concatenate(hits)
        return np.asarray(np.where(hit < self.own, hit, -1), np.int64)


def _meet(
    place: NDArray[np.float64], directions: NDArray[np.float64], triangles: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance (n,) and barycentric weights (n, 3) at which rays meet the planes of their triangles (n, 3, 3)."""
    a, ab, ac = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    normal = np.cross(ab, ac)
    along = np.einsum("ij,ij->i", directions, normal)
    distance = np.einsum("ij,ij->i", a - place, normal) / np.where(np.abs(along) > 1e-300, along, 1e-300)
    at = place + distance[:, None] * directions - a
    area = np.maximum(np.einsum("ij,ij->i", normal, normal), 1e-300)
    v = np.einsum("ij,ij->i", np.cross(at, ac), normal) / area
    w = np.einsum("ij,ij->i", np.cross(ab, at), normal) / area
    weights = np.clip(np.stack([1 - v - w, v, w], axis=1), 0, 1)
    return distance, weights


def _outline(parts: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels beside which, in any of eight directions, the piece begins or ends."""
    inside = parts >= 0
    return near(inside, 1) & near(~inside, 1)


def near(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """Where `mask` (h, w) is true, and all pixels within a square of `pixels` around."""
    return np.asarray(maximum_filter(mask, size=2 * pixels + 1, mode="nearest"))


def _coverage(caster: _Caster, camera: Camera, where: NDArray[np.bool_], side: int) -> NDArray[np.float32]:
    """(n,) share of `side` x `side` rays through each chosen pixel that meet the piece."""
    rows, columns = np.nonzero(where)
    grid = (np.arange(side) + 0.5) / side
    dy, dx = (axis.ravel() for axis in np.meshgrid(grid, grid, indexing="ij"))
    share = np.empty(len(rows), np.float32)
    step = max(1, _AT_ONCE // (side * side))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        x, y = (columns[part, None] + dx).ravel(), (rows[part, None] + dy).ravel()
        hit = caster.first(camera.place, camera.rays(x, y)) >= 0
        share[part] = hit.reshape(-1, side * side).mean(axis=1)
    return share
