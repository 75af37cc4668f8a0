"""Filigree: scrolls of wire packed into a frame, each soldered to what it touches."""

from typing import NamedTuple

import numpy as np
from manifold3d import CrossSection, Manifold
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from jewel_assets.shape.parts.curves import Array, resample, ring_curve
from jewel_assets.shape.parts.outlines import inset
from jewel_assets.shape.parts.sweep import tube

LEAST_WIRE_MM = 0.8
"""Cast wires; drawn filigree wire may be thinner, but it is not cast."""

SOLDER_MM = 0.12
"""Scrolls overlap what they touch by this much, so that they are one piece of metal."""


class Coil(NamedTuple):
    """A round place for one scroll: its middle and its outer radius, mm."""

    x: float
    y: float
    radius: float


def scroll(
    radius: float, wire_mm: float = 0.8, start_deg: float = 0.0, turn: int = 1, sides: int = 10
) -> list[Manifold]:
    """A coil of wire in the x-y plane, its middle at the origin, `radius` to its outside; to be joined by a boolean.

    A ring, and in it a spiral that ends in a ball where there is room; `turn` 1 winds inwards counter-clockwise, -1
    clockwise. Small places get a ring with a ball, then a ball alone.
    """
    half = wire_mm / 2
    if radius < 1.6 * wire_mm:
        # a granule, pressed no thicker than the wires around it
        return [Manifold.sphere(radius, 24).scale((1.0, 1.0, min(1.0, 0.75 * wire_mm / radius)))]
    points = max(28, int(20 * np.sqrt(radius)))
    ring = tube(ring_curve(2 * (radius - half), points, "z"), half, closed=True, sides=sides)
    room = radius - wire_mm  # inside of the ring
    if room < 1.9 * wire_mm:
        return [ring]
    # from the ring inwards, by a wire and a gap each turn, as far as a ball still fits in the middle
    pitch = max(1.75 * wire_mm, room / 2.2)
    turns = max(0.6, (room - 1.1 * wire_mm) / pitch + 0.35)
    step = np.linspace(0, 1, max(16, int(points * turns)))
    away = (radius - half) - step * min(turns * pitch, room - 0.35 * wire_mm)
    angle = np.radians(start_deg) + turn * 2 * np.pi * turns * step
    spiral = np.column_stack([away * np.cos(angle), away * np.sin(angle), np.zeros(len(step))])
    end = spiral[-1]
    ball = Manifold.sphere(0.78 * wire_mm, 20).translate((float(end[0]), float(end[1]), 0.0))
    return [ring, tube(spiral, half, sides=sides), ball]


def filigree(
    region: ArrayLike | CrossSection, wire_mm: float = 0.8, coil_mm: float = 5.0, seed: int = 0, at: float = 0.0
) -> list[Manifold]:
    """Scrolls that fill a region of the x-y plane, symmetric about x = 0, their wires in the plane z = `at`.

    `region` ends at the inside of the frame, which they reach into by `SOLDER_MM`. `coil_mm` is the largest scroll's
    diameter. Join the parts with the frame in one boolean: every scroll touches the frame or another one that does.
    """
    if wire_mm < LEAST_WIRE_MM:
        raise ValueError(f"filigree wire of {wire_mm:g} mm does not cast: make it at least {LEAST_WIRE_MM:g} mm")
    parts: list[Manifold] = []
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 360)
    for coil in packed(region, coil_mm / 2, 1.05 * wire_mm):
        side = 1 if coil.x >= -1e-6 else -1
        heading = float(np.degrees(np.arctan2(coil.y, abs(coil.x)))) + start
        for part in scroll(coil.radius + SOLDER_MM, wire_mm, heading):
            # the left side mirrors the right one
            parts.append((part if side > 0 else part.mirror((1, 0, 0))).translate((coil.x, coil.y, at)))
    return parts


def packed(region: ArrayLike | CrossSection, largest: float, least: float) -> list[Coil]:
    """Circles that fill a region symmetric about x = 0, each touching its edge or an earlier one; radii in mm.

    Greedy: the next circle is always the largest that fits, but no larger than `largest`, and of those the one that
    already touches something. Circles smaller than `least` are left out.
    """
    whole = region if isinstance(region, CrossSection) else inset(region, 0.0)
    if whole.is_empty():
        return []
    x0, y0, x1, y1 = whole.bounds()
    step = max(least / 5, (x1 - x0) / 160)
    xs = np.arange(0.0, x1, step)
    grid = np.stack(np.meshgrid(xs, np.arange(y0, y1, step), indexing="ij"), axis=-1).reshape(-1, 2)
    rims = [np.asarray(ring, dtype=np.float64) for ring in whole.to_polygons()]
    grid = grid[_within(grid, rims)]
    if not len(grid):
        return []
    edge = np.vstack(
        [resample(ring, max(64, int(4 * np.ptp(ring, axis=0).sum() / step)), closed=True) for ring in rims]
    )
    clear = cKDTree(edge).query(grid)[0]
    # off the axis a circle must keep clear of its own mirror image
    allowed = np.where(grid[:, 0] < step / 2, np.inf, grid[:, 0])
    found: list[Coil] = []
    for _ in range(200):
        room = np.minimum(clear, allowed)
        radius = np.minimum(room, largest)
        best = float(radius.max(initial=0.0))
        if best < least:
            break
        # of the largest, the one that touches best: a coil in the middle of nowhere would hang on nothing
        able = np.flatnonzero(radius >= best - 1e-9)
        i = int(able[np.argmin(clear[able])])
        x, y = float(grid[i, 0]), float(grid[i, 1])
        if clear[i] - radius[i] > SOLDER_MM / 2 and not allowed[i] < clear[i]:
            # it floats: slide along its gap's direction until it meets the nearest metal
            x, y = _slid(grid[i], edge, found, clear[i] - radius[i], on_axis=x < step / 2)
        coil = Coil(0.0 if x < step / 2 else x, y, float(radius[i]))
        twins = [coil] if coil.x == 0.0 else [coil, Coil(-coil.x, coil.y, coil.radius)]
        found += twins
        for other in twins:
            clear = np.minimum(clear, np.hypot(grid[:, 0] - other.x, grid[:, 1] - other.y) - other.radius)
    return found


def _within(points: Array, rims: list[Array]) -> Array:
    """(n,) bool: which points are inside an even-odd set of polygons."""
    inside = np.zeros(len(points), dtype=bool)
    for ring in rims:
        a, b = ring, np.roll(ring, -1, axis=0)
        crosses = (a[:, 1] > points[:, 1:2]) != (b[:, 1] > points[:, 1:2])
        rise = np.where(np.abs(b[:, 1] - a[:, 1]) < 1e-12, 1e-12, b[:, 1] - a[:, 1])
        at = (b[:, 0] - a[:, 0]) * (points[:, 1:2] - a[:, 1]) / rise + a[:, 0]
        inside ^= (np.sum(crosses & (points[:, :1] < at), axis=1) % 2).astype(bool)
    return inside


def _slid(at: Array, edge: Array, coils: list[Coil], gap: float, on_axis: bool) -> tuple[float, float]:
    """`at` moved by `gap` towards the nearest edge point or coil; straight up or down if it must stay on the axis."""
    away = np.linalg.norm(edge - at, axis=1)
    goal, nearest = edge[int(np.argmin(away))], float(away.min())
    for coil in coils:
        distance = float(np.hypot(coil.x - at[0], coil.y - at[1])) - coil.radius
        if distance < nearest:
            goal, nearest = np.array([coil.x, coil.y]), distance
    way = goal - at
    if on_axis:
        way = np.array([0.0, np.sign(way[1]) or 1.0])
    way = way / (np.linalg.norm(way) or 1.0)
    return float(at[0] + gap * way[0]), float(at[1] + gap * way[1])
