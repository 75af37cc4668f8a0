"""Level sets as solids, and the gyroid lattice made with them."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
from manifold3d import Manifold
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.sweep import solid_of

Distance = Callable[[Array], Array]
"""From points (n, 3) to how deep inside they are (n,), mm: positive inside, negative outside, about true near zero."""

LEAST_STRUT_MM = 0.8
LARGEST_GRID = 4_000_000


def level_set(
    depth: Distance, low: ArrayLike, high: ArrayLike, edge_mm: float = 0.45, joined: bool = False
) -> Manifold:
    """The solid where `depth` is positive, within the box from `low` to `high` (3,), by marching tetrahedra.

    Each cube of the grid is cut into six tetrahedra round one diagonal (Kuhn 1960), which fit those of its neighbours,
    so the surface closes whatever the function. `joined` keeps the largest connected piece only. Raises ValueError if
    the box holds nothing, or more than 4 million points.
    """
    start = np.asarray(low, dtype=np.float64) - edge_mm
    shape = np.ceil((np.asarray(high, dtype=np.float64) - start) / edge_mm).astype(int) + 2
    if np.prod(shape) > LARGEST_GRID:
        raise ValueError(f"a grid of {np.prod(shape):,} points is too fine: use longer edges than {edge_mm:g} mm")
    axes = [start[i] + edge_mm * np.arange(shape[i]) for i in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    value = np.asarray(depth(points), dtype=np.float64).reshape(shape)
    for axis in range(3):  # nothing reaches the edge of the box: the surface closes there
        np.moveaxis(value, axis, 0)[[0, -1]] = -edge_mm
    flat = value.ravel()
    flat[np.abs(flat) < 1e-6] = -1e-6

    strides = np.array([shape[1] * shape[2], shape[2], 1])
    cell = np.stack(np.meshgrid(*[np.arange(n - 1) for n in shape], indexing="ij"), axis=-1).reshape(-1, 3) @ strides
    corners = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]) @ strides
    inside = flat > 0
    count = sum(inside[cell + corner].astype(np.int8) for corner in corners)
    cell = cell[(count > 0) & (count < 8)]
    if not len(cell):
        raise ValueError("the level set is empty: nothing of the body is left by the lattice")
    tetrahedra = np.concatenate([cell[:, None] + path for path in _kuhn(strides)])  # (t, 4), all wound alike
    triangles = _crossings(tetrahedra, inside)  # (f, 3, 2): each corner lies on the edge between two grid points

    keys = np.sort(triangles.reshape(-1, 2), axis=1)
    unique, index = np.unique(keys[:, 0] * flat.size + keys[:, 1], return_inverse=True)
    a, b = unique // flat.size, unique % flat.size
    vertices, faces = _roots(depth, points[a], points[b], flat[a], flat[b]), index.reshape(-1, 3)
    return solid_of(*(_largest(vertices, faces) if joined else (vertices, faces)))


def gyroid(
    depth: Distance,
    low: ArrayLike,
    high: ArrayLike,
    cell_mm: float = 5.0,
    wall_mm: float = 0.9,
    edge_mm: float = 0.45,
) -> Manifold:
    """A gyroid lattice that fills the body `depth` (positive inside), `wall_mm` thick, repeating every `cell_mm`.

    The gyroid is sin x cos y + sin y cos z + sin z cos x = 0 (Schoen 1970, NASA TN D-5541); divided by its gradient it
    gives the distance, so that walls are equally thick. Only the largest connected piece is kept. `wall_mm` at least
    0.8.
    """
    if wall_mm < LEAST_STRUT_MM:
        raise ValueError(f"a lattice of {wall_mm:g} mm does not cast: make it at least {LEAST_STRUT_MM:g} mm")
    if cell_mm < 2.5 * wall_mm:
        raise ValueError(
            f"cells of {cell_mm:g} mm close up with walls of {wall_mm:g} mm: use {2.5 * wall_mm:g} mm or more"
        )

    def lattice(points: Array) -> Array:
        return np.minimum(depth(points), wall_mm / 2 - gyroid_distance(points, cell_mm))

    return level_set(lattice, low, high, edge_mm, joined=True)


def gyroid_distance(points: Array, cell_mm: float) -> Array:
    """(n,): how far points (n, 3) are from a gyroid of period `cell_mm`, mm: one Newton step, and what it misses."""
    wave = 2 * np.pi / cell_mm
    value, gradient = _gyroid(points, wave)
    square = np.maximum(np.einsum("ij,ij->i", gradient, gradient), 0.3 * wave**2)
    first = np.abs(value) / np.sqrt(square)
    left, slope = _gyroid(points - gradient * (value / square)[:, None], wave)
    missed = np.abs(left) / np.sqrt(np.maximum(np.einsum("ij,ij->i", slope, slope), 0.3 * wave**2))
    # far away the step leads astray: there the first guess is far enough
    return np.asarray(np.clip(first + np.sign(value) * np.sign(left) * missed, 0.75 * first, 1.3 * first))


def _gyroid(points: Array, wave: float) -> tuple[Array, Array]:
    """The gyroid function (n,) and its gradient (n, 3)."""
    sin, cos = np.sin(wave * points).T, np.cos(wave * points).T
    value = sin[0] * cos[1] + sin[1] * cos[2] + sin[2] * cos[0]
    gradient = np.column_stack([wave * (cos[i] * cos[(i + 1) % 3] - sin[(i + 2) % 3] * sin[i]) for i in range(3)])
    return value, gradient


def _roots(depth: Distance, a: Array, b: Array, at_a: Array, at_b: Array) -> Array:
    """(n, 3): where `depth` is zero between points a and b (n, 3), on different sides of it.

    A wall no thicker than two steps of the grid has its ridge between a and b, so that a straight line from one value
    to the other would miss its surface: the bracket is halved first.
    """
    low, high = np.zeros(len(a)), np.ones(len(a))
    at_low, at_high = at_a.copy(), at_b.copy()
    for _ in range(3):
        middle = (low + high) / 2
        value = np.asarray(depth(a + (b - a) * middle[:, None]))
        same = (value > 0) == (at_a > 0)
        low, at_low = np.where(same, middle, low), np.where(same, value, at_low)
        high, at_high = np.where(same, high, middle), np.where(same, at_high, value)
    step = at_low - at_high
    t = low + (high - low) * np.clip(at_low / np.where(np.abs(step) < 1e-12, 1.0, step), 0, 1)
    # kept off the grid points themselves: no triangle collapses
    return np.asarray(a + (b - a) * np.clip(t, 0.03, 0.97)[:, None])


def _largest(vertices: Array, faces: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """The connected surface with the most triangles; what floats beside it is left out."""
    ends = np.concatenate([faces[:, :2], faces[:, 1:]])
    links = coo_matrix((np.ones(len(ends), dtype=bool), (ends[:, 0], ends[:, 1])), shape=(len(vertices),) * 2)
    count, piece = connected_components(links, directed=False)
    if count == 1:
        return vertices, faces
    of_face = piece[faces[:, 0]]
    faces = faces[of_face == np.bincount(of_face).argmax()]
    used, index = np.unique(faces, return_inverse=True)
    return vertices[used], index.reshape(-1, 3)


def _kuhn(strides: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Six tetrahedra of a cube, as offsets of their corners: along the axes from one end of a diagonal to the other."""
    found = []
    for order in permutations(range(3)):
        path = np.concatenate([[0], np.cumsum(strides[list(order)])])
        odd = order in ((0, 2, 1), (1, 0, 2), (2, 1, 0))
        found.append(path[[0, 2, 1, 3]] if odd else path)
    return found


def _crossings(tetrahedra: NDArray[np.int64], inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(f, 3, 2): triangles where the surface crosses tetrahedra (t, 4), each corner as the two ends of its edge."""
    # corner order such that (b - a) x (c - a) . (d - a) > 0; an even permutation keeps it
    even = ((0, 1, 2, 3), (1, 0, 3, 2), (2, 0, 1, 3), (3, 0, 2, 1))
    state = inside[tetrahedra]
    number = state.sum(axis=1)
    found = []
    for lone in range(4):
        a, b, c, d = (tetrahedra[:, k] for k in even[lone])
        one = (number == 1) & state[:, lone]
        three = (number == 3) & ~state[:, lone]
        corners = np.stack([np.stack([a, b], -1), np.stack([a, c], -1), np.stack([a, d], -1)], axis=1)
        found += [corners[one], corners[three][:, ::-1]]
    for pair in ((0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 1, 2), (1, 2, 0, 3), (1, 3, 2, 0), (2, 3, 0, 1)):
        a, b, c, d = (tetrahedra[:, k] for k in pair)
        two = (number == 2) & state[:, pair[0]] & state[:, pair[1]]
        ac, ad, bd, bc = (np.stack(edge, -1)[two] for edge in ((a, c), (a, d), (b, d), (b, c)))
        found += [np.stack([ac, ad, bd], axis=1), np.stack([ac, bd, bc], axis=1)]
    return np.concatenate(found)
