"""A photo studio in NumPy: signed-distance pieces, faceted gems and soft boxes, on a white sweep.

Metal looks like metal by what it reflects, so the lamps, the dark room behind the camera and the floor with the piece's
own shadow are all there. Metal is sphere-traced (Hart 1996); gems are convex, so light inside them goes exactly from
facet to facet, with Fresnel's terms, absorption and a little dispersion. The floor's shadow is a map made once a scene.
Points and directions are float32 (3, n); z is up; lengths are in units of the piece; colours are linear RGB.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels

Array = NDArray[np.float32]
Distance = Callable[[Array], Array]  # points (3, n) -> signed distances (n,)

_RAYS = 5  # more, for a pixel on an edge or within a reflection
_BRIGHTEST = 2.0  # a lamp seen in a wire must not outshine the pixel's other rays


@dataclass(frozen=True)
class Material:
    """Metal reflects with its colour; anything else has that colour below a clear gloss."""

    colour: tuple[float, float, float] | Callable[[Array], Array]
    metal: bool = True
    gloss: float = 0.04  # reflectance at normal incidence of what is no metal
    rough: float = 0.0  # standard deviation of the normals' tilt


@dataclass(frozen=True)
class Gem:
    """A convex stone: inside where `normals @ p <= offsets` for all facets."""

    normals: Array  # (facets, 3)
    offsets: Array  # (facets,)
    centre: Array  # (3, 1)
    radius: float
    index: float = 2.42
    absorb: tuple[float, float, float] = (0.0, 0.0, 0.0)  # per radius of the stone

    def placed(self, turn: Array, to: tuple[float, float, float], size: float) -> "Gem":
        """The stone `size` times as large, turned (3, 3) and moved."""
        normals, shift = self.normals @ turn.T, np.array(to, np.float32)
        return Gem(
            normals,
            self.offsets * size + normals @ shift,
            turn @ self.centre * size + shift[:, None],
            self.radius * size,
            self.index,
            self.absorb,
        )


@dataclass
class Scene:
    """What stands on the floor z = 0, within `radius` of `centre`."""

    parts: list[tuple[Distance, Material]] = field(default_factory=list)
    gems: list[Gem] = field(default_factory=list)
    centre: tuple[float, float, float] = (0.0, 0.0, 0.5)
    radius: float = 1.3

    def distance(self, p: Array) -> Array:
        """Distance to the nearest part; gems not counted."""
        return np.minimum.reduce([part(p) for part, _ in self.parts])


@dataclass(frozen=True)
class Shot:
    """Camera and light of one photo: degrees, stops, and the sweep's linear grey."""

    pitch: float = 25.0
    yaw: float = 0.0
    roll: float = 0.0
    zoom: float = 1.0
    light: float = 0.0
    sweep: float = 0.88
    stops: float = 0.0


def turned(axis: str, degrees: float) -> Array:
    """The rotation (3, 3) about an axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3, dtype=np.float32)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


def photograph(scene: Scene, shot: Shot, rng: np.random.Generator, side: int = 512) -> Pixels:
    """The photo, sRGB (side, side, 3), with the grain of `rng`. Edges and reflections get more rays than one."""
    studio = _Studio(scene, shot, rng)
    rows, columns = (grid.ravel().astype(np.float32) for grid in np.mgrid[:side, :side])
    linear = np.minimum(studio.look(columns, rows, side), _BRIGHTEST)
    tone = np.sqrt(np.clip(linear, 0, 1)).reshape(3, side, side)
    steps = np.abs(np.diff(tone, axis=1, append=tone[:, -1:])).max(0) + np.abs(
        np.diff(tone, append=tone[..., -1:])
    ).max(0)
    edges = np.pad(steps > 0.025, 1)
    busy = edges[1:-1, 1:-1] | edges[:-2, 1:-1] | edges[1:-1, :-2] | edges[2:, 1:-1] | edges[1:-1, 2:]
    again = np.flatnonzero(busy)
    for _ in range(_RAYS):
        jitter = rng.uniform(-0.6, 0.6, (2, again.size)).astype(np.float32)
        linear[:, again] += np.minimum(
            studio.look(columns[again] + jitter[0], rows[again] + jitter[1], side), _BRIGHTEST
        )
    linear[:, again] /= _RAYS + 1
    return _developed(linear.reshape(3, side, side), shot.stops, rng)


def _developed(linear: Array, stops: float, rng: np.random.Generator) -> Pixels:
    """Exposed, with a soft shoulder above 0.75, a breath of lens blur and grain, as sRGB."""
    x = np.maximum(linear * np.float32(2.0**stops), 0)
    x = np.where(x > 0.75, 0.75 + 0.25 * (1 - np.exp(-(x - 0.75) / 0.25)), x)
    srgb = np.where(x < 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)
    grain = rng.normal(0, 0.0035, srgb.shape[1:]) * (1.2 - srgb.mean(0))
    pixels = np.clip((srgb + grain) * 255 + 0.5, 0, 255)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0), np.uint8)


class _Studio:
    """One scene, lit and looked at."""

    def __init__(self, scene: Scene, shot: Shot, rng: np.random.Generator) -> None:
        self.scene, self.shot, self.rng = scene, shot, rng
        self.centre = np.array(scene.centre, np.float32)[:, None]
        self.lamps = turned("z", shot.light)
        view = turned("z", shot.yaw) @ turned("x", -shot.pitch) @ turned("y", shot.roll)
        self.right, self.ahead, self.up = view[:, :1], view[:, 1:2], view[:, 2:]
        self.eye = self.centre - self.ahead * np.float32(scene.radius * 6.2 / shot.zoom)
        points = _spiral(160)
        self.sky, self.sky_light = points, self.lit(points) * np.where(points[2] > 0, 1, shot.sweep * 0.8)
        self.reach = scene.radius * 2.4
        self.shadow = self._shadow_map(144)

    def look(self, columns: Array, rows: Array, side: int) -> Array:
        """Linear RGB (3, n) seen at these pixels."""
        x, y = (columns + 0.5) / side * 2 - 1, 1 - (rows + 0.5) / side * 2
        d = _unit(self.ahead + 0.2 * (x * self.right + y * self.up))
        return self.seen(np.broadcast_to(self.eye, d.shape), d, 0)

    def lit(self, d: Array) -> Array:
        """What the room sends from direction `d`: a big lamp above, two at the sides, a bright wall, a dark room."""
        x, y, z = self.lamps.T @ d
        up, left, right = (np.maximum(axis, 1e-3) for axis in (z, -x, x))
        light = 0.05 + 0.16 * _step(z, -0.1, 1.0) + 0.62 * _step(y, 0.3, 0.9) * _step(-z, -0.65, -0.1)
        light += 3.6 * _window(x / up + 0.85, 0.5) * _window(y / up - 0.05, 0.6) * (z > 0)
        light += (
            0.85 * _step(y / up + 0.35 * x / up, -0.05, 0.75) * (z > 0.2)
        )  # what a plate lying flat shows: a gradient
        light += 0.9 * _window(x / up - 0.75, 0.16) * _window(y / up - 0.1, 0.8) * (z > 0)
        light += 2.4 * _window(y / left + 0.35, 0.3) * _window(z / left - 0.5, 0.4) * (x < 0)
        light += 1.5 * _window(y / right - 0.1, 0.7) * _window(z / right - 0.42, 0.26) * (x > 0)
        light += (
            0.9 * _window(x / np.maximum(-y, 1e-3) - 0.8, 0.12) * _window(z / np.maximum(-y, 1e-3) - 0.8, 0.6) * (y < 0)
        )
        return light * np.array([[1.0], [0.985], [0.965]], np.float32)

    def seen(self, o: Array, d: Array, depth: int) -> Array:
        """Radiance (3, n) that comes along the rays `o + t d`."""
        floor_t = np.where(d[2] < -1e-4, -o[2] / np.minimum(d[2], -1e-4), np.inf).astype(np.float32)
        t = self._marched(o, d, floor_t)
        stone = np.full(t.shape, -1)
        facet = np.zeros(t.shape, np.intp)
        for number, gem in enumerate(self.scene.gems):
            _hit_gem(gem, number, o, d, t, stone, facet)
        colour = self._beyond(o, d, floor_t, depth)
        on_part = np.flatnonzero(np.isfinite(t) & (stone < 0))
        if on_part.size:
            colour[:, on_part] = self._shaded(o[:, on_part] + d[:, on_part] * t[on_part], d[:, on_part], depth)
        for number in np.unique(stone[stone >= 0]):
            on = np.flatnonzero(stone == number)
            gem = self.scene.gems[number]
            colour[:, on] = self._through(gem, o[:, on] + d[:, on] * t[on], d[:, on], gem.normals[facet[on]].T)
        return colour

    def _beyond(self, o: Array, d: Array, t: Array, depth: int) -> Array:
        """Floor and room, where nothing stands in the way."""
        room = np.full(d.shape, self.shot.sweep, np.float32) if depth == 0 else self.lit(d)
        down = np.flatnonzero(np.isfinite(t))
        p = o[:, down] + d[:, down] * t[down]
        away = np.sqrt((p[0] - self.centre[0]) ** 2 + (p[1] - self.centre[1]) ** 2) / self.scene.radius
        # The camera sees the sweep evenly lit; in the metal the table ends soon, and the dark room draws the edges.
        fall = 1 - 0.10 * _step(away, 0.5, 5.0) if depth == 0 else 1 - 0.78 * _step(away, 0.9, 3.2)
        room[:, down] = self.shot.sweep * fall * self._shade(p) * np.array([[1.0], [0.995], [0.985]])
        return room

    def _marched(self, o: Array, d: Array, stop: Array) -> Array:
        """Sphere tracing within the scene's bounding sphere; infinity where nothing is met."""
        to = self.centre - o
        along = (to * d).sum(0)
        root = self.scene.radius**2 - ((to * to).sum(0) - along**2)
        half = np.sqrt(np.maximum(root, 0))
        t = np.maximum(along - half, 0.004).astype(np.float32)
        far = np.minimum(along + half, stop)
        t[(root <= 0) | (t >= far)] = np.inf
        live = np.flatnonzero(np.isfinite(t))
        for step in range(90):
            if not live.size:
                break
            gap = self.scene.distance(o[:, live] + d[:, live] * t[live])
            t[live] += gap * np.float32(0.92)
            past = t[live] >= far[live]
            t[live[past]] = np.inf
            live = live[~past & (gap > 6e-4 * (1 + step / 40))]
        t[live] = np.inf
        return t

    def _shaded(self, p: Array, d: Array, depth: int) -> Array:
        parts = [part(p) for part, _ in self.scene.parts]
        which = np.argmin(parts, 0)
        normal = self._normal(p)
        colour = np.zeros(p.shape, np.float32)
        for number in np.unique(which):
            on = np.flatnonzero(which == number)
            material, n, at, ray = self.scene.parts[number][1], normal[:, on], p[:, on], d[:, on]
            if material.rough:
                n = _unit(n + self.rng.normal(0, material.rough, n.shape).astype(np.float32))
            facing = np.clip(-(n * ray).sum(0), 0.0, 1.0)
            mirrored = _unit(ray + 2 * facing * n)
            back = self.seen(at + n * 0.006, mirrored, depth + 1) if depth < 2 else self._dim(mirrored)
            own = material.colour(at) if callable(material.colour) else np.array(material.colour, np.float32)[:, None]
            grazing = (1 - facing) ** 5
            if material.metal:
                colour[:, on] = (own + (1 - own) * grazing) * back
            else:
                shine = material.gloss + (1 - material.gloss) * grazing * 0.8
                colour[:, on] = own * self._irradiance(n) * self._open(at, n) * (1 - shine) + shine * back
        return colour

    def _dim(self, d: Array) -> Array:
        return np.where(d[2] > 0, self.lit(d) * 0.7, self.shot.sweep * 0.45).astype(np.float32)

    def _irradiance(self, n: Array) -> Array:
        weights = np.maximum(self.sky.T @ n, 0)  # (directions, n)
        light: Array = self.sky_light @ weights / (self.sky.shape[1] / 4)
        return light

    def _open(self, p: Array, n: Array) -> Array:
        """How open the point lies, 0..1, from the distances a little above it."""
        shut = np.zeros(p.shape[1], np.float32)
        for h in (0.03, 0.09, 0.2):
            q = p + n * np.float32(h)
            shut += np.maximum(h - np.minimum(self.scene.distance(q), np.maximum(q[2], 0)), 0) / h
        return np.clip(1 - shut / 3, 0.1, 1)

    def _normal(self, p: Array) -> Array:
        total = np.zeros(p.shape, np.float32)
        for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
            k = np.array(corner, np.float32)[:, None]
            total += k * self.scene.distance(p + k * np.float32(8e-4))
        return _unit(total)

    def _through(self, gem: Gem, p: Array, d: Array, n: Array) -> Array:
        """Light that a stone sends back: mirrored by its facets, and bent, tossed about inside and let out."""
        facing = np.clip(-(d * n).sum(0), 0.0, 1.0)
        shine = _fresnel(facing, gem.index)
        mirrored = self._around(_unit(d + 2 * facing * n))
        inside = np.zeros(p.shape, np.float32)
        spread = 0.012 if gem.index > 2 else 0.0
        for channels, shift in (([0], -spread), ([1], 0.0), ([2], spread)) if spread else (([0, 1, 2], 0.0),):
            inside[channels] = self._tossed(gem, p, d, n, gem.index + shift)[channels]
        return shine * mirrored + (1 - shine) * inside

    def _tossed(self, gem: Gem, p: Array, d: Array, n: Array, index: float) -> Array:
        ray = _bent(d, n, 1 / index)[0]
        left = np.ones(p.shape, np.float32)
        light = np.zeros(p.shape, np.float32)
        absorb = np.array(gem.absorb, np.float32)[:, None] / gem.radius
        for _ in range(8):
            rate = gem.normals @ ray  # (facets, n)
            way = (gem.offsets[:, None] - gem.normals @ p) / np.where(rate > 1e-5, rate, 1)
            way = np.where(rate > 1e-5, np.maximum(way, 0), np.inf)
            facet = np.argmin(way, 0)
            step = np.minimum(np.take_along_axis(way, facet[None], 0)[0], 4 * gem.radius)
            p, out = p + ray * step, gem.normals[facet].T
            left = left * np.exp(-absorb * step)
            facing = np.clip((ray * out).sum(0), 0.0, 1.0)
            gone, passes = _bent(ray, -out, index)
            kept = np.where(passes, _fresnel(np.sqrt(np.maximum(1 - index**2 * (1 - facing**2), 0)), index), 1.0)
            light += left * (1 - kept) * self._around(gone)
            left = left * kept
            ray = _unit(ray - 2 * facing * out)
        return light + left * 0.25

    def _around(self, d: Array) -> Array:
        """What a stone sees: the room, and below it the setting in its own shade."""
        return np.where(d[2] > 0, self.lit(d) * 1.15, self.shot.sweep * 0.5).astype(np.float32)

    def _shade(self, p: Array) -> Array:
        """The shadow map at floor points, bilinear; 1 outside of it."""
        count = self.shadow.shape[0]
        u, v = ((p[axis] - self.centre[axis] + self.reach) / (2 * self.reach) * (count - 1) for axis in (0, 1))
        inside = (u > 0) & (v > 0) & (u < count - 1) & (v < count - 1)
        u, v = np.where(inside, u, 0), np.where(inside, v, 0)
        i, j = np.minimum(u.astype(np.intp), count - 2), np.minimum(v.astype(np.intp), count - 2)
        a, b = u - i, v - j
        rows = (
            self.shadow[i, j] * (1 - b) + self.shadow[i, j + 1] * b,
            self.shadow[i + 1, j] * (1 - b) + self.shadow[i + 1, j + 1] * b,
        )
        shade: Array = np.where(inside, rows[0] * (1 - a) + rows[1] * a, 1).astype(np.float32)
        return shade

    def _shadow_map(self, count: int) -> Array:
        """How much light reaches the floor, (count, count) of 0..1: the sky's directions, each with a soft edge."""
        axis = np.linspace(-self.reach, self.reach, count, dtype=np.float32)
        p = np.stack(
            [*(grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij")), np.zeros(count**2, np.float32)]
        )
        p += np.array([[self.centre[0, 0]], [self.centre[1, 0]], [0.002]], np.float32)
        directions = _spiral(44)
        directions = directions[:, directions[2] > 0.12]
        weights = self.lit(directions)[1] * directions[2]
        total = np.zeros(count**2, np.float32)
        for index, weight in enumerate(weights / weights.sum()):
            d = directions[:, index : index + 1]
            clear, t = np.ones(count**2, np.float32), np.full(count**2, 0.012, np.float32)
            live = np.arange(count**2)
            for _ in range(16):
                q = p[:, live] + d * t[live]
                gap = self.scene.distance(q)
                for gem in self.scene.gems[:3]:
                    gap = np.minimum(gap, np.sqrt(((q - gem.centre) ** 2).sum(0)) - gem.radius * 0.8)
                clear[live] = np.minimum(clear[live], 0.5 + 0.5 * np.clip(5 * gap / t[live], -1, 1))
                t[live] += np.clip(gap, 0.03, 0.5)
                live = live[(clear[live] > 0.02) & (p[2, live] + d[2] * t[live] < self.centre[2] + self.scene.radius)]
                if not live.size:
                    break
            total += np.float32(weight) * clear
        return (0.06 + 0.94 * total).reshape(count, count).astype(np.float32)


def _hit_gem(
    gem: Gem, number: int, o: Array, d: Array, t: Array, stone: NDArray[np.intp], facet: NDArray[np.intp]
) -> None:
    """Writes into `t`, `stone` and `facet` where the stone is met before `t`."""
    to = gem.centre - o
    along = (to * d).sum(0)
    near = np.flatnonzero(((to * to).sum(0) - along**2 < gem.radius**2) & (along > 0) & (along - gem.radius < t))
    if not near.size:
        return
    rate = gem.normals @ d[:, near]
    way = (gem.offsets[:, None] - gem.normals @ o[:, near]) / np.where(np.abs(rate) > 1e-6, rate, 1e-6)
    entering = np.where(rate < 0, way, -np.inf)
    first = np.argmax(entering, 0)
    enter = np.take_along_axis(entering, first[None], 0)[0]
    met = (enter < np.where(rate > 0, way, np.inf).min(0)) & (enter > 1e-3) & (enter < t[near])
    t[near[met]], stone[near[met]], facet[near[met]] = enter[met], number, first[met]


def _fresnel(facing: Array, index: float) -> Array:
    base = ((index - 1) / (index + 1)) ** 2
    return base + (1 - base) * (1 - facing) ** 5


def _bent(d: Array, n: Array, ratio: float) -> tuple[Array, NDArray[np.bool_]]:
    """Snell's refraction at a surface whose normal looks against `d`, and where it is not totally reflected."""
    facing = -(d * n).sum(0)
    under = 1 - ratio**2 * (1 - facing**2)
    return _unit(ratio * d + (ratio * facing - np.sqrt(np.maximum(under, 0))) * n), under > 0


def _spiral(count: int) -> Array:
    """`count` directions spread evenly over the sphere (Fibonacci)."""
    k = np.arange(count) + 0.5
    z, angle = 1 - 2 * k / count, k * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z]).astype(np.float32)


def _unit(v: Array) -> Array:
    unit: Array = (v / np.sqrt(np.maximum((v * v).sum(0), 1e-20))).astype(np.float32)
    return unit


def _step(x: Array, low: float, high: float) -> Array:
    s = np.clip((x - low) / (high - low), 0, 1)
    return s * s * (3 - 2 * s)


def _window(x: Array, half: float) -> Array:
    """1 within `half` of zero, with the soft edge of a diffuser."""
    return _step(-np.abs(x), -half - 0.10, -half + 0.10)
