"""Plane sections and space curves that parts are swept from. Millimetres; sections run counter-clockwise.

A *section* is an (n, 2) array, the outline of what a wire or band would show where it is sawn through. A *curve* is an
(m, 3) array of points along a wire; a closed one does not repeat its first point.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def circle(diameter: float, sides: int = 24) -> Array:
    """(sides, 2): a round section of `diameter`, its first point at +x."""
    return ellipse(diameter, diameter, sides)


def ellipse(width: float, height: float, sides: int = 24) -> Array:
    """(sides, 2): an oval section, `width` along x and `height` along y."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    return np.column_stack([width / 2 * np.cos(angle), height / 2 * np.sin(angle)])


def superellipse(width: float, height: float, exponent: float = 4.0, sides: int = 32) -> Array:
    """(sides, 2): |2x/width|^e + |2y/height|^e = 1; `exponent` 2 is an ellipse, 4 a soft rectangle."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = (np.sign(value) * np.abs(value) ** (2 / exponent) for value in (cos, sin))
    return np.column_stack([width / 2 * x, height / 2 * y])


def rounded_rectangle(width: float, height: float, radius: float, corner_points: int = 5) -> Array:
    """(4 corner_points, 2): a rectangle whose corners are arcs of `radius`, which is cut to half the shorter side."""
    radius = max(min(radius, width / 2 - 1e-6, height / 2 - 1e-6), 1e-4)
    arc = np.linspace(0, np.pi / 2, corner_points)
    corners = [(1, 1, 0.0), (-1, 1, np.pi / 2), (-1, -1, np.pi), (1, -1, 3 * np.pi / 2)]
    parts = [
        np.column_stack(
            [
                sx * (width / 2 - radius) + radius * np.cos(arc + start),
                sy * (height / 2 - radius) + radius * np.sin(arc + start),
            ]
        )
        for sx, sy, start in corners
    ]
    return np.vstack(parts)


def ring_curve(diameter: float, points: int = 96, axis: str = "y", height: float | None = None) -> Array:
    """(points, 3): a circle, or an oval `diameter` wide and `height` high, round `axis` with its centre at the origin.

    Round "y" it starts at the top (+z) and runs towards +x; round "z" it starts at +x and runs towards +y; round "x" it
    starts at +y and runs towards +z.
    """
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    wide, high = diameter / 2, (diameter if height is None else height) / 2
    zero = np.zeros(points)
    if axis == "y":
        return np.column_stack([wide * np.sin(angle), zero, high * np.cos(angle)])
    if axis == "z":
        return np.column_stack([wide * np.cos(angle), high * np.sin(angle), zero])
    return np.column_stack([zero, wide * np.cos(angle), high * np.sin(angle)])


def helix(diameter: float, length: float, turns: float, points: int, phase_deg: float = 0.0) -> Array:
    """(points, 3): a helix round z from z = 0 to `length`; right-handed for positive `turns`."""
    step = np.linspace(0, 1, points)
    angle = 2 * np.pi * turns * step + np.radians(phase_deg)
    return np.column_stack([diameter / 2 * np.cos(angle), diameter / 2 * np.sin(angle), length * step])


def smooth_curve(through: ArrayLike, points: int, closed: bool = False) -> Array:
    """(points, d): a centripetal Catmull-Rom curve through the given (k, d) points, k >= 2, evenly spaced along it.

    Centripetal knots make neither cusps nor loops within a segment (Yuksel, Schaefer, Keyser 2011, "Parameterization
    and applications of Catmull-Rom curves").
    """
    knots = np.asarray(through, dtype=np.float64)
    if len(knots) < 2:
        raise ValueError(f"a curve needs at least 2 points to run through, not {len(knots)}")
    if closed:
        control = np.vstack([knots[-1], knots, knots[:2]])
    else:
        control = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    spans = len(control) - 3
    dense = max(8, 4 * points // spans + 1)
    p0, p1, p2, p3 = (control[i : i + spans] for i in range(4))
    t1 = np.sqrt(np.linalg.norm(p1 - p0, axis=1)) + 1e-12
    t2 = t1 + np.sqrt(np.linalg.norm(p2 - p1, axis=1)) + 1e-12
    t3 = t2 + np.sqrt(np.linalg.norm(p3 - p2, axis=1)) + 1e-12
    fraction = np.linspace(0, 1, dense, endpoint=False)
    t = t1[:, None] + (t2 - t1)[:, None] * fraction  # (spans, dense)

    def blend(a: Array, b: Array, ta: Array, tb: Array) -> Array:
        weight = ((t - ta) / (tb - ta))[..., None]
        return np.asarray(a * (1 - weight) + b * weight)

    k0, k1, k2, k3 = np.zeros((spans, 1)), t1[:, None], t2[:, None], t3[:, None]
    q0, q1, q2, q3 = (p[:, None, :] for p in (p0, p1, p2, p3))
    a1, a2, a3 = blend(q0, q1, k0, k1), blend(q1, q2, k1, k2), blend(q2, q3, k2, k3)
    line = blend(blend(a1, a2, k0, k2), blend(a2, a3, k1, k3), k1, k2).reshape(-1, knots.shape[1])
    if not closed:
        line = np.vstack([line, knots[-1]])
    return resample(line, points, closed)


def resample(curve: ArrayLike, points: int, closed: bool = False) -> Array:
    """(points, d): the polyline `curve` with its points evenly spaced along its length."""
    line = np.asarray(curve, dtype=np.float64)
    if closed:
        line = np.vstack([line, line[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    keep = np.concatenate([[True], np.diff(along) > 0])
    wanted = np.linspace(0, along[-1], points, endpoint=not closed)
    return np.column_stack([np.interp(wanted, along[keep], line[keep, i]) for i in range(line.shape[1])])


def length(curve: ArrayLike, closed: bool = False) -> float:
    """The length of a polyline, mm."""
    line = np.asarray(curve, dtype=np.float64)
    total = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
    return total + (float(np.linalg.norm(line[0] - line[-1])) if closed else 0.0)


def area(section: ArrayLike) -> float:
    """The area of a section, mm2; negative where it runs clockwise."""
    x, y = np.asarray(section, dtype=np.float64).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def in_front(plane: ArrayLike, y: float | ArrayLike = 0.0) -> Array:
    """(m, 3): points (u, v) of the plane the viewer sees, u to the right (x) and v up (z), at depth `y`."""
    points = np.asarray(plane, dtype=np.float64)
    return np.column_stack([points[:, 0], np.broadcast_to(np.asarray(y, dtype=np.float64), len(points)), points[:, 1]])


def trefoil(points: int, scale: float, lift: float) -> Array:
    """(points, 3): a closed trefoil knot, 6 `scale` wide, its crossings `lift` above and below its plane."""
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x, y, z = np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)
    return np.column_stack([scale * x, scale * y, lift * z])


def strands_apart(line: Array) -> float:
    """How near two strands of a closed line come to each other, mm: points a sixth of it apart, or more."""
    number = np.arange(len(line))
    steps = np.abs(number[:, None] - number[None])
    gaps = np.linalg.norm(line[:, None] - line[None], axis=2)
    return float(gaps[np.minimum(steps, len(line) - steps) >= len(line) // 6].min())
