"""Sweeping a section along a curve, tubes, skins and turned solids: the way most metal of a piece is made.

Everything here writes the mesh directly, without booleans, so it takes about a millisecond, and every result is one
closed, outward-facing solid, checked before it is returned. Millimetres; twists and angles in degrees.
"""

from typing import Literal

import numpy as np
from manifold3d import CrossSection, Error, FillRule, Manifold, Mesh64, triangulate
from numpy.typing import ArrayLike, NDArray

from jewel_assets.shape.parts.curves import Array, area, circle

Caps = Literal["flat", "round"]

MITRE_LIMIT = 2.5
"""A corner sharper than about 133 degrees is no longer filled to its tip; a caster would round it anyway."""

ROUND_CAP_RINGS = 5


def solid_of(vertices: ArrayLike, triangles: ArrayLike) -> Manifold:
    """One solid from (v, 3) vertices and (f, 3) triangles.

    Raises ValueError if they do not close, or enclose nothing, and says which.
    """
    points = np.ascontiguousarray(vertices, dtype=np.float64)
    if not np.isfinite(points).all():
        raise ValueError("the shape has points that are not numbers: look for a zero length or a division by zero")
    solid = Manifold(Mesh64(points, np.ascontiguousarray(triangles, dtype=np.uint64)))
    if solid.status() != Error.NoError:
        raise ValueError(f"the faces do not close to a solid ({solid.status()})")
    if solid.volume() <= 0:
        raise ValueError("the solid encloses no volume: its section or its thickness is too small, or it is inside out")
    return solid


def tangents(curve: ArrayLike, closed: bool = False) -> Array:
    """(m, 3): unit directions of the curve; at a corner, the bisector of both sides, so that it is mitred."""
    line = np.asarray(curve, dtype=np.float64)
    edges = np.roll(line, -1, axis=0) - line if closed else np.diff(line, axis=0)
    lengths = np.linalg.norm(edges, axis=1, keepdims=True)
    if (lengths < 1e-9).any():
        raise ValueError("two neighbouring points of the curve are the same: leave one out")
    edges = edges / lengths
    before = np.roll(edges, 1, axis=0) if closed else np.vstack([edges[:1], edges])
    after = edges if closed else np.vstack([edges, edges[-1:]])
    both = before + after
    norm = np.linalg.norm(both, axis=1, keepdims=True)
    if (norm < 1e-6).any():
        raise ValueError("the curve turns back on itself")
    return np.asarray(both / norm)


def frames(curve: ArrayLike, closed: bool = False, up: ArrayLike | None = None) -> tuple[Array, Array, Array]:
    """The moving frame (across, upward, along), each (m, 3) and orthonormal: across x upward = along.

    Without `up` the frame turns as little as possible (double reflection: Wang, Juettler, Zheng, Liu 2008, "Computation
    of rotation minimizing frames", section 4); round a closed curve what is left over is spread evenly. With `up`, one
    (3,) direction or one per point (m, 3), `upward` is that direction made square to the curve.
    """
    line = np.asarray(curve, dtype=np.float64)
    along = tangents(line, closed)
    if up is None:
        up = _plane_normal(line, along)  # what lies in a plane turns least about its normal
    if up is not None:
        wished = np.broadcast_to(np.asarray(up, dtype=np.float64), line.shape)
        upward = wished - np.sum(wished * along, axis=1, keepdims=True) * along
        norm = np.linalg.norm(upward, axis=1, keepdims=True)
        if (norm < 1e-6).any():
            raise ValueError("`up` runs along the curve somewhere: choose a direction across it, or leave it out")
        upward = upward / norm
        return np.cross(upward, along), upward, along

    # the last frame of a closed curve is carried on to its first point, to see by how much it misses
    points = np.vstack([line, line[:1]]) if closed else line
    directions = np.vstack([along, along[:1]]) if closed else along
    seed = np.eye(3)[int(np.argmin(np.abs(along[0])))]
    across = np.empty_like(points)
    across[0] = np.cross(along[0], seed)
    across[0] /= np.linalg.norm(across[0])
    for i in range(len(points) - 1):
        step = points[i + 1] - points[i]
        c1 = step @ step
        reflected = across[i] - (2 / c1) * (step @ across[i]) * step
        turned = directions[i] - (2 / c1) * (step @ directions[i]) * step
        second = directions[i + 1] - turned
        c2 = second @ second
        across[i + 1] = reflected if c2 < 1e-18 else reflected - (2 / c2) * (second @ reflected) * second
    if closed:
        upward0 = np.cross(along[0], across[0])
        missed = np.arctan2(across[-1] @ upward0, across[-1] @ across[0])
        across = across[:-1]
        back = -missed * np.arange(len(line)) / len(line)
        upward = np.cross(along, across)
        across = np.cos(back)[:, None] * across + np.sin(back)[:, None] * upward
    across -= np.sum(across * along, axis=1, keepdims=True) * along
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return across, np.cross(along, across), along


def skin(
    rings: ArrayLike, closed: bool = False, start: Array | None = None, end: Array | None = None, shift: int = 0
) -> Manifold:
    """The solid between rings of points, (m, n, 3): n points each, counter-clockwise when seen from ahead.

    An open skin is closed by flat faces over its first and last ring, or by a fan to the points `start` and `end` (3,).
    A closed one joins its last ring to its first, `shift` points further on. Raises ValueError if it encloses nothing.
    """
    grid = np.asarray(rings, dtype=np.float64)
    m, n = grid.shape[:2]
    index = np.arange(m * n).reshape(m, n)
    after = np.vstack([index[1:], np.roll(index[:1], -shift, axis=1)]) if closed else index[1:]
    here = index if closed else index[:-1]
    a, b = here, np.roll(here, -1, axis=1)
    c, d = np.roll(after, -1, axis=1), after
    quads = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    vertices, faces = [grid.reshape(-1, 3)], [quads]
    if not closed:
        for ring, apex, first in ((0, start, True), (m - 1, end, False)):
            if apex is None:
                lid = index[ring][_lid(grid[ring])]
            else:
                tip = sum(len(part) for part in vertices)
                vertices.append(np.asarray(apex, dtype=np.float64)[None])
                lid = np.column_stack([index[ring], np.roll(index[ring], -1), np.full(n, tip)])
            faces.append(lid[:, ::-1] if first else lid)
    return solid_of(np.vstack(vertices), np.vstack(faces))


def sweep(
    section: ArrayLike,
    curve: ArrayLike,
    closed: bool = False,
    up: ArrayLike | None = None,
    twist: float | ArrayLike = 0.0,
    scale: float | ArrayLike = 1.0,
    caps: Caps = "flat",
) -> Manifold:
    """A section swept along a curve.

    `section` (n, 2) counter-clockwise, or one per point of the curve (m, n, 2); its x lies across, its y upward of
    `frames(curve, closed, up)`. `curve` (m, 3). `twist` in degrees from start to end, evenly spread, or one angle per
    point (m,). `scale` of the section: a number, one per point (m,), or one per point and axis (m, 2). Ends are `flat`
    or, for thin wires, `round`. Corners are mitred. A closed sweep may be twisted by any angle that brings the section
    onto itself (90 degrees for a square wire). Raises ValueError if the section and the bends leave no solid.
    """
    line = np.asarray(curve, dtype=np.float64)
    m = len(line)
    if m < (3 if closed else 2):
        raise ValueError(f"a curve of {m} points is too short to sweep along")
    across, upward, along = frames(line, closed, up)
    outline = np.asarray(section, dtype=np.float64)
    if area(outline if outline.ndim == 2 else outline[m // 2]) < 0:
        outline = outline[..., ::-1, :]
    outlines = np.broadcast_to(outline, (m, *outline.shape[-2:]))
    sizes = np.asarray(scale, dtype=np.float64)
    sizes = np.broadcast_to(sizes[:, None] if sizes.ndim == 1 else sizes, (m, 2))
    if (sizes <= 0).any():
        raise ValueError(
            "the scale of a section must be positive: taper to a small size and give it round ends instead"
        )
    turns, shift = _turns(outline, twist, m, closed)
    flat = outlines * sizes[:, None, :]
    cos, sin = np.cos(turns)[:, None], np.sin(turns)[:, None]
    x = flat[..., 0] * cos - flat[..., 1] * sin  # (m, n)
    y = flat[..., 0] * sin + flat[..., 1] * cos
    offsets = x[..., None] * across[:, None] + y[..., None] * upward[:, None]  # (m, n, 3)
    rings = line[:, None] + _mitred(offsets, line, closed)
    if closed or caps == "flat":
        return skin(rings, closed, shift=shift)
    return _round_ended(rings, offsets, along)


def tube(
    curve: ArrayLike, radius: float | ArrayLike, closed: bool = False, sides: int = 16, caps: Caps = "round"
) -> Manifold:
    """A round wire along a curve (m, 3); `radius` in mm is one number or one per point (m,)."""
    scale = np.asarray(radius, dtype=np.float64)
    return sweep(circle(2.0, sides), curve, closed=closed, scale=scale, caps=caps)


def revolve_profile(
    profile: ArrayLike, segments: int = 64, axis: Literal["x", "y", "z"] = "z", angle_deg: float = 360.0
) -> Manifold:
    """A profile (n, 2) of (radius, height) points turned round an axis; `height` runs along that axis.

    Parts of the profile at negative radius are cut off. Raises ValueError if nothing is left.
    """
    outline = np.asarray(profile, dtype=np.float64)
    solid = CrossSection([outline], FillRule.NonZero if area(outline) > 0 else FillRule.Negative).revolve(
        segments, angle_deg
    )
    if solid.is_empty() or solid.volume() <= 0:
        raise ValueError("the turned profile encloses nothing: its radii must be positive somewhere")
    if axis == "y":
        # z onto y, and x stays to the right
        return solid.transform([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0]])
    if axis == "x":
        return solid.transform([[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]])
    return solid


def ball(diameter: float, at: ArrayLike = (0.0, 0.0, 0.0), segments: int = 20) -> Manifold:
    """A sphere of `diameter` mm with its centre at (3,)."""
    x, y, z = np.asarray(at, dtype=np.float64)
    return Manifold.sphere(diameter / 2, segments).translate((x, y, z))


def copies(solid: Manifold, placements: ArrayLike) -> Manifold:
    """`solid` at every placement (k, 3, 4), as one Manifold without a boolean: the copies must not touch each other."""
    mesh = solid.to_mesh64()
    vertices = np.asarray(mesh.vert_properties)[:, :3]
    triangles = np.asarray(mesh.tri_verts).astype(np.int64)
    places = np.asarray(placements, dtype=np.float64)
    moved = np.einsum("kij,vj->kvi", places[:, :, :3], vertices) + places[:, None, :, 3]
    faces = triangles[None] + len(vertices) * np.arange(len(places))[:, None, None]
    return solid_of(moved.reshape(-1, 3), faces.reshape(-1, 3))


def placed(across: ArrayLike, upward: ArrayLike, along: ArrayLike, at: ArrayLike) -> Array:
    """(k, 3, 4): placements whose x, y and z axes are the given (k, 3) directions and whose origins are `at` (k, 3)."""
    columns = [np.atleast_2d(np.asarray(part, dtype=np.float64)) for part in (across, upward, along, at)]
    return np.stack(columns, axis=-1)


def _plane_normal(line: Array, along: Array) -> Array | None:
    """(3,): the normal of the plane that a curve lies in, any one across a straight line, or None if it is in none."""
    away = line - line[0]
    far = away[int(np.argmax(np.einsum("ij,ij->i", away, away)))]
    x, y, z = far
    cross = np.column_stack(
        [y * away[:, 2] - z * away[:, 1], z * away[:, 0] - x * away[:, 2], x * away[:, 1] - y * away[:, 0]]
    )
    size = np.einsum("ij,ij->i", cross, cross)
    widest = int(np.argmax(size))
    reach = float(far @ far)
    if size[widest] < 1e-18 * reach**2:
        seed = np.eye(3)[int(np.argmin(np.abs(along[0])))]
        return np.asarray(seed - (seed @ along[0]) * along[0])
    normal = cross[widest] / np.sqrt(size[widest])
    return normal if float(np.abs(away @ normal).max()) < 1e-9 * np.sqrt(reach) else None


def _lid(ring: Array) -> NDArray[np.int64]:
    """(n - 2, 3): triangles over a ring of points (n, 3), seen from the side where it runs counter-clockwise."""
    centre = ring.mean(axis=0)
    around = ring - centre
    normal = np.cross(around, np.roll(around, -1, axis=0)).sum(axis=0)
    size = float(np.linalg.norm(normal))
    if size < 1e-12:
        raise ValueError("the solid encloses no volume: its end is a line or a point")
    normal /= size
    side = np.eye(3)[int(np.argmin(np.abs(normal)))]
    u = np.cross(side, normal)
    u /= np.linalg.norm(u)
    flat = np.column_stack([around @ u, around @ np.cross(normal, u)])
    return np.asarray(triangulate([flat]), dtype=np.int64)


def _turns(outline: Array, twist: float | ArrayLike, m: int, closed: bool) -> tuple[Array, int]:
    """Radians to turn the section by at each point, and by how many points its end is shifted against its start."""
    given = np.asarray(twist, dtype=np.float64)
    if given.ndim:
        return np.radians(given), 0
    total = float(given)
    if not closed:
        return np.radians(np.linspace(0.0, total, m)), 0
    turns = np.radians(total * np.arange(m) / m)
    if total % 360 == 0:
        return turns, 0
    if outline.ndim == 3:
        raise ValueError("a closed sweep of changing sections can be twisted by whole turns of 360 degrees only")
    n = len(outline)
    cos, sin = np.cos(np.radians(total)), np.sin(np.radians(total))
    turned = outline @ np.array([[cos, sin], [-sin, cos]])
    # the last ring, turned by `total`, must be the first one, some points further on
    misses = [float(np.abs(np.roll(outline, -k, axis=0) - turned).max()) for k in range(n)]
    shift = int(np.argmin(misses))
    if misses[shift] > 1e-6 * max(1.0, float(np.abs(outline).max())):
        raise ValueError(
            f"twisted by {total:g} degrees this section does not meet its own start: "
            "twist it by a multiple of its symmetry"
        )
    return turns, shift


def _mitred(offsets: Array, line: Array, closed: bool) -> Array:
    """Offsets (m, n, 3) stretched in the plane of each bend, so that the wire keeps its width round corners."""
    edges = np.roll(line, -1, axis=0) - line if closed else np.diff(line, axis=0)
    edges = edges / np.linalg.norm(edges, axis=1, keepdims=True)
    before = np.roll(edges, 1, axis=0) if closed else np.vstack([edges[:1], edges])
    after = edges if closed else np.vstack([edges, edges[-1:]])
    bend = after - before
    size = np.linalg.norm(bend, axis=1, keepdims=True)
    direction = bend / np.where(size > 1e-12, size, 1.0)
    # |after - before| = 2 sin(half the turn)
    stretch = np.minimum(1 / np.sqrt(np.maximum(1 - (size / 2) ** 2, 1e-6)), MITRE_LIMIT)
    share = np.einsum("mnk,mk->mn", offsets, direction) * (stretch - 1)
    return np.asarray(offsets + share[..., None] * direction[:, None], dtype=np.float64)


def _round_ended(rings: Array, offsets: Array, along: Array) -> Manifold:
    """A skin whose ends are half-ellipsoids as deep as the smaller half-width of the end sections."""
    angle = np.linspace(0, np.pi / 2, ROUND_CAP_RINGS + 1)
    centre0, centre1 = rings[0] - offsets[0], rings[-1] - offsets[-1]
    deep0 = float(np.linalg.norm(offsets[0], axis=1).min())
    deep1 = float(np.linalg.norm(offsets[-1], axis=1).min())
    shrink = np.cos(angle)[1:-1, None, None]
    out = np.sin(angle)[1:-1, None, None]
    head = centre0 + offsets[0] * shrink - along[0] * deep0 * out
    tail = centre1 + offsets[-1] * shrink + along[-1] * deep1 * out
    grid = np.concatenate([head[::-1], rings, tail])
    start = centre0.mean(axis=0) - along[0] * deep0
    end = centre1.mean(axis=0) + along[-1] * deep1
    return skin(grid, start=start, end=end)
