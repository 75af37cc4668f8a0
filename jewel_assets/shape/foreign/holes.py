"""Holes: their rims, and the triangles that close them, where a solid is meant and not a sheet.

Small rims get the triangulation of least area (Barequet and Sharir 1995, "Filling gaps in the boundary of a
polyhedron"), large ones that of their outline in the plane that fits them best.
"""

from dataclasses import dataclass

import numpy as np

from jewel_assets.shape.foreign.mesh import Bools, Floats, Ints, Mesh
from jewel_assets.shape.foreign.winding import shell_volumes

LEAST_AREA_CORNERS = 64
"""Rims of more corners are closed in their plane: the least area takes time with the cube of their number."""
MOST_CORNERS = 20_000

FILLED_SHARE = 0.5
"""Of the surface of its shell. What needs more to be closed was no solid with holes: a band without thickness would get
lids over the finger. Half is the lid of a dome. Rims at which a wall was parted are another matter: there it was."""

LEAST_THICKNESS = 2e-3
"""Volume / area^1.5 of a shell that was closed: less, and both sides of a sheet were filled onto each other."""


@dataclass(frozen=True)
class Filled:
    """The mesh with `count` holes closed; `area` mm2 of it is new."""

    mesh: Mesh
    count: int
    area: float


def filled(mesh: Mesh) -> Filled:
    """Every hole closed of those shells that become solids by it; other shells are left as they are."""
    rims = _rims(mesh)
    if not rims:
        return Filled(mesh, 0, 0.0)
    count, shell = mesh.surface.shells
    shell_of_vertex = np.zeros(len(mesh.vertices), np.int64)
    shell_of_vertex[mesh.faces] = shell[:, None]
    edges = mesh.surface.edges
    known = set((edges[:, 0] * len(mesh.vertices) + edges[:, 1]).tolist())
    extra: list[Floats] = []
    patches: list[Ints] = []
    for rim in rims:
        patch = _patch(mesh.vertices, rim)
        if patch is None or _doubled(patch, rim, known, len(mesh.vertices)):
            centre = len(mesh.vertices) + len(extra)  # a fan from a new corner never doubles an edge
            extra.append(mesh.vertices[rim].mean(axis=0))
            patch = np.stack([rim, np.roll(rim, -1), np.full(len(rim), centre)], axis=1)
        patches.append(patch)
    vertices = np.vstack([mesh.vertices, *extra]) if extra else mesh.vertices
    owner = np.array([shell_of_vertex[rim[0]] for rim in rims])
    new_area = np.array([_area(vertices, patch) for patch in patches])
    old_area = np.bincount(shell, mesh.surface.areas, minlength=count)
    share = np.bincount(owner, new_area, minlength=count) / np.maximum(old_area, 1e-30)
    walled = np.bincount(owner, _along_others(mesh, rims), minlength=count) > 0
    wanted = (share <= FILLED_SHARE) | (walled & (share < 1))
    chosen = [number for number in range(len(rims)) if wanted[owner[number]]]
    if not chosen:
        return Filled(mesh, 0, 0.0)
    tried = _with(mesh, vertices, [patches[n] for n in chosen], [rims[n] for n in chosen])
    thin = _thin(tried, wanted)
    chosen = [number for number in chosen if not thin[owner[number]]]
    if not chosen:
        return Filled(mesh, 0, 0.0)
    done = _with(mesh, vertices, [patches[n] for n in chosen], [rims[n] for n in chosen])
    return Filled(done, len(chosen), float(new_area[chosen].sum()))


def _along_others(mesh: Mesh, rims: list[Ints]) -> Bools:
    """Which rims have all of their corners where another shell, from which they were parted, has corners too."""
    _, place, uses = np.unique(mesh.vertices, axis=0, return_inverse=True, return_counts=True)
    shared = uses[place.reshape(-1)] > 1
    return np.array([bool(shared[rim].all()) for rim in rims])


def _thin(mesh: Mesh, asked: Bools) -> Bools:
    """Which shells hold nothing. Filling joins no shells, and new faces come last, so numbers stay as they were."""
    count, shell = mesh.surface.shells
    volumes = np.abs(shell_volumes(mesh, count, shell))
    area = np.bincount(shell, mesh.surface.areas, minlength=count)
    return np.asarray((volumes < LEAST_THICKNESS * area**1.5) & asked)


def _with(mesh: Mesh, vertices: Floats, patches: list[Ints], rims: list[Ints]) -> Mesh:
    """The mesh with patches, each of the material and part of a face at its rim."""
    face_at = np.zeros(len(mesh.vertices), np.int64)
    face_at[mesh.faces] = np.arange(len(mesh.faces))[:, None]
    beside = np.repeat([face_at[rim[0]] for rim in rims], [len(patch) for patch in patches])
    faces = np.vstack([mesh.faces, *patches])
    return Mesh(
        vertices,
        faces,
        np.concatenate([mesh.look, mesh.look[beside]]),
        np.concatenate([mesh.part, mesh.part[beside]]),
    )


def _rims(mesh: Mesh) -> list[Ints]:
    """The corners of each hole in the order in which a face that closes it runs. Corners met twice end a rim there."""
    surface = mesh.surface
    sides = mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    keys = sides.min(axis=1) * len(mesh.vertices) + sides.max(axis=1)
    wanted = surface.edges[surface.edge_uses == 1]
    open_sides = sides[np.isin(keys, wanted[:, 0] * len(mesh.vertices) + wanted[:, 1])]
    follow: dict[int, list[int]] = {}
    for start, end in open_sides.tolist():
        follow.setdefault(end, []).append(start)
    rims = []
    for begin in list(follow):
        while follow[begin]:
            path, place = [begin], {begin: 0}
            while follow.get(path[-1]):
                corner = follow[path[-1]].pop()
                if corner in place:
                    loop = path[place[corner] :]
                    if 3 <= len(loop) <= MOST_CORNERS:
                        rims.append(np.array(loop, np.int64))
                    for left in path[place[corner] + 1 :]:
                        del place[left]
                    path = path[: place[corner] + 1]
                else:
                    place[corner] = len(path)
                    path.append(corner)
    return rims


def _patch(vertices: Floats, rim: Ints) -> Ints | None:
    """(k - 2, 3) triangles of a rim of k corners; None where none was found."""
    if len(rim) == 3:
        return rim.reshape(1, 3)
    if len(rim) <= LEAST_AREA_CORNERS:
        return rim[_least_area(vertices[rim])]
    return _planar(vertices[rim], rim)


def _least_area(places: Floats) -> Ints:
    """(k - 2, 3) the triangles of least total area over a loop of places (k, 3): dynamic programming over chords."""
    size = len(places)
    cost = np.zeros((size, size))
    apex = np.zeros((size, size), np.int64)
    for gap in range(2, size):  # all chords that leave out so many corners at once
        start = np.arange(size - gap)
        between = start[:, None] + np.arange(1, gap)  # (chords, choices of the third corner)
        from_start = places[between] - places[start, None]
        cross = np.cross(from_start, (places[start + gap] - places[start])[:, None])
        total = np.sqrt((cross * cross).sum(axis=2)) / 2
        total += cost[start[:, None], between] + cost[between, (start + gap)[:, None]]
        best = np.argmin(total, axis=1)
        cost[start, start + gap] = total[start, best]
        apex[start, start + gap] = between[start, best]
    found, waiting = [], [(0, size - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        middle = int(apex[first, last])
        found.append((first, middle, last))
        waiting += [(first, middle), (middle, last)]
    return np.array(found, np.int64)


def _planar(places: Floats, rim: Ints) -> Ints | None:
    """The triangles of a loop in the plane that fits it best; None where its outline there is no polygon."""
    from manifold3d import triangulate

    middle = places - places.mean(axis=0)
    # The normal by Newell's sum, so that the loop runs anticlockwise in the plane.
    normal = np.cross(middle, np.roll(middle, -1, axis=0)).sum(axis=0)
    length = float(np.linalg.norm(normal))
    if length < 1e-12:
        return None
    normal /= length
    right = np.cross(np.eye(3)[int(np.argmin(np.abs(normal)))], normal)
    right /= np.linalg.norm(right)
    flat = np.stack([middle @ right, middle @ np.cross(normal, right)], axis=1)
    triangles = np.asarray(triangulate([flat]), np.int64).reshape(-1, 3)
    return rim[triangles] if len(triangles) == len(rim) - 2 else None


def _doubled(patch: Ints, rim: Ints, known: set[int], size: int) -> bool:
    """Whether an inner edge of the patch is an edge of the mesh already."""
    sides = np.sort(patch[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    ends = np.sort(np.stack([rim, np.roll(rim, -1)], axis=1), axis=1)
    inner = set((sides[:, 0] * size + sides[:, 1]).tolist()) - set((ends[:, 0] * size + ends[:, 1]).tolist())
    return not inner.isdisjoint(known)


def _area(vertices: Floats, patch: Ints) -> float:
    a, b, c = (vertices[patch[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
