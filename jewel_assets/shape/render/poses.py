"""How a piece is put before the camera: upright, leaning, lying, or hung up.

A pose is a rotation; the piece is then lowered until it touches the stage, which is z = 0, and nothing goes through
it. Lying pieces rest as gravity would have them: on a face of their convex hull above which their centre of mass is.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from jewel_assets.shape.render.surfaces import Surface

Pose = Literal["upright", "leaning", "lying", "face up", "hanging", "on its side"]
POSES: dict[str, tuple[Pose, ...]] = {
    "ring": ("leaning", "upright", "lying"),
    "bracelet": ("lying",),  # a chain cannot stand; a family that can is in `RIGID_POSES`
    "wristwatch": ("on its side", "upright", "leaning"),
    "earrings": ("hanging", "face up"),
    "necklace": ("face up", "hanging"),
    "jewelry": ("face up", "hanging"),
}
"""By category, how pieces of it are shown; the first is how a catalogue shows most of them."""

RIGID_POSES: dict[str, tuple[Pose, ...]] = {
    "bangle": ("upright", "leaning"),
    "cuff": ("upright", "leaning"),
}
"""By family, how bracelets that are stiff are shown. The wall of one that lies mirrors the cloth and nothing else, so
that polished silver would vanish on dark velvet."""

WALL_GAP = 0.35
"""How far before the wall a hanging piece is, in radii: near enough for a soft shadow beside it."""


def poses_of(category: str, family: str = "") -> tuple[Pose, ...]:
    """How pieces of a category are shown, or of a family that is shown otherwise."""
    return RIGID_POSES.get(family) or POSES.get(category, POSES["jewelry"])


def about_x(degrees: float) -> NDArray[np.float64]:
    """(3, 3): positive angles tip the top (+z) backwards, away from a viewer at -y."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, c, s], [0, -s, c]])


def posed(surfaces: Sequence[Surface], pose: Pose, lean_degrees: float = 38.0) -> list[Surface]:
    """The surfaces turned and set down: their lowest point at z = 0 and their middle above the origin.

    A hanging piece is centred on the origin instead, and its rearmost point lies `WALL_GAP` radii before y = 0, the
    wall. `lean_degrees`: how far the top of a leaning piece is tipped from upright towards the front.
    """
    match pose:
        case "upright":
            turn = np.eye(3)
        case "leaning":
            turn = about_x(-lean_degrees)
        case "on its side":  # a watch on the edge of its strap, its dial to the front and twelve o'clock up
            turn = about_x(-90.0)
        case "lying":
            turn = settle(surfaces, about_x(-90.0))  # the head towards the viewer
        case "face up":
            turn = settle(surfaces, about_x(90.0))
        case "hanging":
            turn = np.eye(3)
    turned = [surface.moved(turn, np.zeros(3)) for surface in surfaces]
    points = np.vstack([surface.vertices for surface in turned])
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    if pose == "hanging":
        shift = np.array([-middle[0], -high[1] - WALL_GAP * float(np.linalg.norm(high - low)) / 2, -middle[2]])
    else:
        shift = np.array([-middle[0], -middle[1], -low[2]])
    return [surface.moved(np.eye(3), shift) for surface in turned]


def settle(surfaces: Sequence[Surface], turn: NDArray[np.float64], most_degrees: float = 40.0) -> NDArray[np.float64]:
    """`turn` (3, 3), tipped by as little as makes the piece rest stably on z = 0; `turn` itself if that is too much.

    Stable means that the centre of mass lies above the face of the convex hull that touches the ground.
    """
    points = np.vstack([surface.vertices for surface in surfaces]) @ turn.T
    try:
        hull = ConvexHull(points)
    except QhullError:
        return turn
    centre = _centre_of_mass(surfaces) @ turn.T
    normals, offsets = hull.equations[:, :3], hull.equations[:, 3]
    best, tipped = turn, most_degrees
    down = np.array([0.0, 0.0, -1.0])
    for normal, offset, simplex in zip(normals, offsets, hull.simplices, strict=True):
        angle = float(np.degrees(np.arccos(np.clip(normal @ down, -1, 1))))
        if angle >= tipped:
            continue
        # Where the plumb line from the centre of mass meets this face's plane; faces in one plane count together.
        foot = centre - normal * (normal @ centre + offset)
        together = np.abs(normals @ normal - 1) < 1e-6
        corners = np.unique(hull.simplices[together & (np.abs(offsets - offset) < 1e-6)])
        if _inside(points[corners if len(corners) > 3 else simplex], normal, foot):
            best, tipped = _between(normal, down) @ turn, angle
    return best


def _centre_of_mass(surfaces: Sequence[Surface]) -> NDArray[np.float64]:
    """(3,): of the enclosed volumes, all of one density (stones weigh little beside metal)."""
    total, moment = 0.0, np.zeros(3)
    for surface in surfaces:
        a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
        volumes = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
        weight = 0.2 if surface.kind == "gem" else 1.0
        total += weight * float(volumes.sum())
        moment += weight * (volumes[:, None] * (a + b + c) / 4).sum(axis=0)
    if total <= 0:  # an open mesh from somewhere: its vertices will do
        return np.asarray(np.vstack([surface.vertices for surface in surfaces]).mean(axis=0))
    return moment / total


def _inside(corners: NDArray[np.float64], normal: NDArray[np.float64], point: NDArray[np.float64]) -> bool:
    """Whether `point` lies within the convex polygon that the coplanar `corners` span, seen along `normal`."""
    side = np.cross(normal, [1.0, 0, 0] if abs(normal[0]) < 0.9 else [0, 1.0, 0])
    side /= np.linalg.norm(side)
    flat = np.stack([(corners - point) @ side, (corners - point) @ np.cross(normal, side)], axis=1)
    angles = np.sort(np.arctan2(flat[:, 1], flat[:, 0]))
    gaps = np.diff(np.concatenate([angles, angles[:1] + 2 * np.pi]))
    return bool(gaps.max() < np.pi)  # the corners surround it: no half-plane through it holds them all


def _between(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3): the smallest rotation that takes the unit vector `start` to `end`."""
    cross, cosine = np.cross(start, end), float(start @ end)
    if cosine < -1 + 1e-12:
        return np.diag([1.0, -1.0, -1.0])
    skew = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + cosine))
