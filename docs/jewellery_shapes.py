"""What pieces are made of: signed distances of wires, plates, chains and beads, and cut stones, for `photo_studio`."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from photo_studio import Array, Distance, Gem

GEMS: dict[str, tuple[float, tuple[float, float, float]]] = {  # refractive index; absorption per radius, R G B
    "diamond": (2.42, (0.0, 0.0, 0.0)),
    "sapphire": (1.77, (1.7, 1.1, 0.16)),
    "ruby": (1.77, (0.12, 2.3, 1.7)),
    "emerald": (1.58, (1.6, 0.22, 1.1)),
    "amethyst": (1.55, (0.55, 1.25, 0.2)),
    "citrine": (1.55, (0.03, 0.28, 1.1)),
    "aquamarine": (1.58, (0.42, 0.10, 0.05)),
}
Place = tuple[float, float, float]


def length(*axes: Array) -> Array:
    """The Euclidean norm of coordinates."""
    return np.sqrt(sum(axis * axis for axis in axes))


def moved(part: Distance, to: Place = (0, 0, 0), turn: Array | None = None) -> Distance:
    """The part turned, then moved."""
    shift, back = np.array(to, np.float32)[:, None], (np.eye(3, dtype=np.float32) if turn is None else turn.T)
    return lambda p: part(back @ (p - shift))


def joined(*parts: Distance, soft: float = 0.0) -> Distance:
    """All parts as one, cast together with a fillet of about `soft`."""

    def distance(p: Array) -> Array:
        total = parts[0](p)
        for part in parts[1:]:
            other = part(p)
            blend = np.maximum(soft - np.abs(total - other), 0) / soft if soft else 0
            total = np.minimum(total, other) - blend * blend * soft / 4
        return total

    return distance


def sphere(radius: float, to: Place = (0, 0, 0)) -> Distance:
    """A ball."""
    x, y, z = to
    return lambda p: length(p[0] - x, p[1] - y, p[2] - z) - radius


def torus(radius: float, wire: float, flat: float = 0.0, opening: float = 0.0) -> Distance:
    """A ring about z of round wire, `flat` higher on both sides; `opening` degrees are left out about +y."""
    half = np.radians(180 - opening / 2)

    def distance(p: Array) -> Array:
        rho, z = length(p[0], p[1]), np.maximum(np.abs(p[2]) - flat, 0)
        round_about = length(rho - radius, z) - wire
        if not opening:
            return round_about
        x, y = np.abs(p[0]), p[1]
        end = length(x - radius * np.float32(np.sin(half)), y + radius * np.float32(np.cos(half)), z) - wire
        return np.where(np.arctan2(x, -y) < half, round_about, end)

    return distance


def rod(a: Place, b: Place, wire: float) -> Distance:
    """A wire with round ends from `a` to `b`."""
    start, way = np.array(a, np.float32)[:, None], np.array(b, np.float32)[:, None] - np.array(a, np.float32)[:, None]

    def distance(p: Array) -> Array:
        q = p - start
        q = q - way * np.clip((q * way).sum(0) / (way * way).sum(), 0, 1)
        return length(*q) - wire

    return distance


def block(half: Place, rounding: float) -> Distance:
    """A box with rounded edges."""

    def distance(p: Array) -> Array:
        x, y, z = (np.abs(p[i]) - half[i] + rounding for i in range(3))
        outside = length(np.maximum(x, 0), np.maximum(y, 0), np.maximum(z, 0))
        return outside + np.minimum(np.maximum(x, np.maximum(y, z)), 0) - rounding

    return distance


def disc(
    radius: float, half: float, rounding: float, shape: Callable[[Array, Array], Array] = length, dome: float = 0.0
) -> Distance:
    """A plate about z with the outline `shape(x, y) = radius`, a little domed."""

    def distance(p: Array) -> Array:
        across = shape(p[0], p[1]) - radius + rounding
        up = np.abs(p[2] + dome * (p[0] ** 2 + p[1] ** 2)) - half + rounding
        return length(np.maximum(across, 0), np.maximum(up, 0)) + np.minimum(np.maximum(across, up), 0) - rounding

    return distance


def heart(x: Array, y: Array) -> Array:
    """About the distance from the middle of a heart, point downwards, of size 1."""
    x = np.abs(x)
    return length(x * 1.04, (y - 0.62 * np.sqrt(x + 0.02) + 0.22) * 1.05) * np.float32(0.92)


def ellipse(x: Array, y: Array) -> Array:
    """An upright oval, 3 : 4."""
    return length(x * 1.15, y * 0.87)


def around(part: Distance, count: int) -> Distance:
    """`count` copies of what lies about +x, about z."""
    sector = 2 * np.pi / count

    def distance(p: Array) -> Array:
        a, rho = np.arctan2(p[1], p[0]), length(p[0], p[1])
        a = (a - sector * np.round(a / sector)).astype(np.float32)
        return part(np.stack([rho * np.cos(a), rho * np.sin(a), p[2]]))

    return distance


def both(part: Distance, apart: float) -> Distance:
    """The part and its mirror image, `apart` from the middle along x."""
    return lambda p: part(np.stack([np.abs(p[0]) - apart, p[1], p[2]]))


def strand(radius: float, half: float, pitch: float, unit: Callable[[Array, Array, Array, Array], Array]) -> Distance:
    """Copies of `unit` (along, across, up, odd) on an arc open to +y, `half` degrees to each side, then straight."""
    theta = np.float32(np.radians(half))
    c, s = np.cos(theta), np.sin(theta)

    def distance(p: Array) -> Array:
        side, x, y = np.sign(p[0]), np.abs(p[0]), p[1]
        a, rho = np.arctan2(x, -y), length(x, y)
        ahead, out = (x - radius * s) * c + (y + radius * c) * s, (x - radius * s) * s - (y + radius * c) * c
        along = side * np.where(a < theta, radius * a, radius * theta + ahead)
        across = np.where(a < theta, rho - radius, out)
        first = np.round(along / pitch)
        nearest = np.full(x.shape, np.inf, np.float32)
        for k in (first, first + np.where(along > first * pitch, 1, -1)):
            nearest = np.minimum(nearest, unit(along - k * pitch, across, p[2], k % 2))
        return nearest

    return distance


def links(radius: float, half: float, link: float, wire: float, long: float) -> Distance:
    """A cable chain on the floor: each link leans 45 degrees the other way."""
    pitch = 2 * (link + long) - 2.4 * wire
    if half >= 180:
        pitch = 2 * np.pi * radius / (2 * round(np.pi * radius / pitch))
    lift = np.float32(link * 0.72 + wire)

    def unit(u: Array, w: Array, z: Array, odd: Array) -> Array:
        tilt, v = np.where(odd > 0, 0.7071, -0.7071).astype(np.float32), z - lift
        w, v = w * np.float32(0.7071) + v * tilt, v * np.float32(0.7071) - w * tilt
        return length(length(np.maximum(np.abs(u) - long, 0), w) - link, v) - wire

    return strand(radius, half, pitch, unit)


def beads(radius: float, half: float, size: float) -> Distance:
    """A string of pearls on the floor."""
    pitch = 2 * np.pi * radius / round(np.pi * radius / size * 0.985)
    return strand(radius, half, pitch, lambda u, w, z, _: length(u, w, z - size) - size)


def brilliant(kind: str, squash: float = 1.0) -> Gem:
    """A round brilliant of radius 1, girdle at z = 0, table up; `squash` makes an oval of it."""
    facets = [(np.array([0, 0, 1.0]), 0.315)]
    for count, turn, angle, at, height in (
        (8, 0.0, 34.5, 1.0, 0.02),
        (16, 0.5, 40.0, 0.985, 0.02),
        (8, 0.5, 21.0, 0.527, 0.315),
        (16, 0.5, 90.0, 0.99, 0.0),
        (8, 0.0, -40.8, 1.0, -0.02),
        (16, 0.5, -42.2, 0.99, -0.02),
    ):
        s, c = np.sin(np.radians(abs(angle))), np.cos(np.radians(angle)) * np.sign(angle)
        for k in range(count):
            a = (k + turn) * 2 * np.pi / count
            facets.append((np.array([s * np.cos(a), s * np.sin(a), c]), s * at + c * height))
    return _stone(kind, facets, np.array([squash, 1.0, 1.0]))


def _stone(kind: str, facets: list[tuple[NDArray[np.float64], float]], scale: NDArray[np.float64]) -> Gem:
    index, absorb = GEMS[kind]
    normals = np.array([normal / scale for normal, _ in facets])
    norms = np.linalg.norm(normals, axis=1)
    offsets = np.array([offset for _, offset in facets]) / norms
    centre = np.array([[0.0], [0.0], [-0.15]], np.float32)
    reach = float(np.hypot(max(1.0, scale[0]), 0.35)) * 1.02
    return Gem((normals / norms[:, None]).astype(np.float32), offsets.astype(np.float32), centre, reach, index, absorb)
