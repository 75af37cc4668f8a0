"""Outlines that plates, frames and pendants are cut to, and the plates themselves. Millimetres.

An outline is an (n, 2) polygon, counter-clockwise, its middle near the origin. A plate lies in the x-y plane with its
back at z = 0 and its face towards +z; `facing` stands it up for the viewer of a piece.
"""

import numpy as np
from manifold3d import CrossSection, FillRule, JoinType, Manifold
from numpy.typing import ArrayLike

from jewel_assets.shape.parts.curves import Array, area, ellipse, resample, rounded_rectangle
from jewel_assets.shape.parts.sweep import skin, sweep

OUTLINES = ("round", "oval", "heart", "drop", "marquise", "cushion", "hexagon", "bar")

POINTED = ("heart", "drop", "marquise", "hexagon")

FACING = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0]])
"""From the plane a plate is made in (x right, y up, z to the viewer) to the axes of a piece (viewer at -y, z up)."""


def outline(name: str, width: float, height: float, points: int = 96) -> Array:
    """(points, 2): the outline called `name` (one of OUTLINES), in a box of `width` x `height` mm round the origin."""
    turn = np.linspace(0, 2 * np.pi, 4 * points, endpoint=False)
    if name in ("round", "oval"):
        return ellipse(width, height, points)
    if name == "heart":
        # two lobes and a point: the classic x = sin^3 t curve, with a gentler notch
        x = np.sin(turn) ** 3
        y = (13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)) / 16
        raw = np.column_stack([-x, y])
    elif name == "drop":
        # a teardrop: round below, drawn out to a point above
        raw = np.column_stack([-np.sin(turn) * np.sin(turn / 2) ** 1.5, np.cos(turn)])
    elif name == "marquise":
        lens = np.sin(np.linspace(0, np.pi, 2 * points, endpoint=False)) ** 1.25
        up = np.linspace(-1, 1, 2 * points, endpoint=False)
        raw = np.vstack([np.column_stack([lens, up]), np.column_stack([-lens, -up])])
    elif name == "cushion":
        cos, sin = np.cos(turn), np.sin(turn)
        raw = np.column_stack([np.sign(cos) * np.abs(cos) ** 0.55, np.sign(sin) * np.abs(sin) ** 0.55])
    elif name == "hexagon":
        corner = np.radians(30 + 60 * np.arange(6))
        raw = np.column_stack([np.cos(corner), np.sin(corner)])
    elif name == "bar":
        raw = rounded_rectangle(width, height, 0.45 * min(width, height), 8)
    else:
        raise ValueError(f"there is no outline '{name}': give one of {', '.join(OUTLINES)}")
    low, high = raw.min(axis=0), raw.max(axis=0)
    raw = (raw - (low + high) / 2) / ((high - low) / 2) * (width / 2, height / 2)
    if name in POINTED:
        # a point that pricks is no jewel, and its edges could not be rounded
        raw = polygon_of(softened(region_of(raw if area(raw) > 0 else raw[::-1]), min(0.6, 0.08 * min(width, height))))
        low, high = raw.min(axis=0), raw.max(axis=0)
        raw = (raw - (low + high) / 2) / ((high - low) / 2) * (width / 2, height / 2)
    line = resample(raw, points, closed=True)
    return line if area(line) > 0 else line[::-1]


def softened(region: CrossSection, radius: float) -> CrossSection:
    """A region whose corners, both ways, are rounded with at least `radius` mm."""
    opened = region.offset(-radius, JoinType.Round, 2.0, 32).offset(radius, JoinType.Round, 2.0, 32)
    return opened.offset(radius, JoinType.Round, 2.0, 32).offset(-radius, JoinType.Round, 2.0, 32)


def rim_line(polygon: ArrayLike, distance: float, half: float, points: int = 120) -> Array:
    """(points, 2): the line `distance` mm inside of a polygon, bent so gently that a wire of `half` can follow it."""
    return resample(polygon_of(softened(inset(polygon, distance), 1.08 * half + 0.05)), points, closed=True)


def inset(polygon: ArrayLike, distance: float) -> CrossSection:
    """The region inside a polygon, or a region's, that keeps `distance` mm from its edge; negative grows it."""
    region = polygon if isinstance(polygon, CrossSection) else region_of(polygon)
    return region.offset(-distance, JoinType.Round, 2.0, 32)


def region_of(polygon: ArrayLike) -> CrossSection:
    """The region inside an (n, 2) polygon."""
    points = np.asarray(polygon, dtype=np.float64)
    return CrossSection([points], FillRule.NonZero)


def polygon_of(region: CrossSection) -> Array:
    """(n, 2): the outer polygon of a region, its largest one if there are several."""
    return max((np.asarray(ring, dtype=np.float64) for ring in region.to_polygons()), key=area)


def plate(polygon: ArrayLike, thickness: float, edge: float = 0.3, dome: float = 0.0, rings: int = 7) -> Manifold:
    """A plate with an `edge` (mm) rounded in front, its face raised by `dome` mm in the middle, its back flat at z = 0.

    `polygon` (n, 2) must be star-shaped about its middle if there is a dome. Towards a point too narrow for it the edge
    is rounded less. Raises ValueError if the edge is rounded by more than the plate is thick.
    """
    line = np.asarray(polygon, dtype=np.float64)
    if edge >= thickness:
        raise ValueError(f"an edge of {edge:g} mm cannot be rounded on a plate of {thickness:g} mm")
    inward = _inward(line)
    room = _room(line, inward)
    layers = [(0.0, 0.0)]
    arc = np.linspace(0, np.pi / 2, 5)
    layers += [(edge * (1 - np.cos(a)), thickness - edge + edge * np.sin(a)) for a in arc]
    grid = [
        np.column_stack([line + inward * np.minimum(depth, room)[:, None], np.full(len(line), z)])
        for depth, z in layers
    ]
    if dome <= 0:
        return skin(np.stack(grid))
    rim = grid[-1][:, :2]
    middle = rim.mean(axis=0)
    for share in np.linspace(0, 1, rings + 1)[1:-1]:
        left = 1 - share
        height = thickness + dome * (1 - left**2)
        grid.append(np.column_stack([middle + (rim - middle) * left, np.full(len(line), height)]))
    return skin(np.stack(grid), end=np.array([*middle, thickness + dome]))


def frame(polygon: ArrayLike, width: float, thickness: float, edge: float = 0.25) -> Manifold:
    """A frame along a polygon, `width` mm of metal inside of it, `thickness` deep from z = 0, with rounded edges."""
    line = rim_line(polygon, width / 2, width / 2, max(96, len(np.asarray(polygon))))
    curve = np.column_stack([line, np.full(len(line), thickness / 2)])
    return sweep(rounded_rectangle(width, thickness, edge, 4), curve, closed=True, up=(0, 0, 1))


def facing(solid: Manifold, y: float = 0.0) -> Manifold:
    """Stand up what lies in the x-y plane: x stays, y goes up (z), its face turns to the viewer, its back is at `y`."""
    return solid.transform(FACING).translate((0.0, y, 0.0))


def _room(line: Array, inward: Array) -> Array:
    """(n,): how far each point may move `inward` before it meets what moves from other sides, as a share of `inward`.

    The circle that touches the polygon at a point, its middle inward of it, and runs through another point has the
    radius d^2 / 2 (d . n); the smallest of them has its middle where the sides meet.
    """
    long = np.linalg.norm(inward, axis=1)
    away = line[None] - line[:, None]
    ahead = np.einsum("ijk,ik->ij", away, inward / long[:, None])
    square = np.sum(away**2, axis=2)
    radius = np.where(ahead > 1e-9, square / np.maximum(2 * ahead, 1e-9), np.inf).min(axis=1)
    return np.asarray(0.9 * radius / long)


def _inward(line: Array) -> Array:
    """(n, 2): unit directions from each point of a counter-clockwise polygon to its inside, mitred at corners."""
    before = line - np.roll(line, 1, axis=0)
    after = np.roll(line, -1, axis=0) - line
    before /= np.linalg.norm(before, axis=1, keepdims=True)
    after /= np.linalg.norm(after, axis=1, keepdims=True)
    normal = np.column_stack([-(before + after)[:, 1], (before + after)[:, 0]])
    half = np.linalg.norm(normal, axis=1, keepdims=True) / 2
    return np.asarray(normal / (2 * half) / np.maximum(half, 0.5))
