"""What a piece is photographed on: a sweep of paper, velvet, marble, wood, or something that is nearly a hand.

A stage is geometry in millimetres with its surface; the piece rests on z = 0, or hangs before a wall. Stages turn with
the camera, so that the sweep's bend is always behind the piece. The skin-toned supports are hard negatives: they have
the colour and the roundness of a finger, a wrist or a neckline, and are plainly none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from manifold3d import Manifold, Mesh
from numpy.typing import NDArray

from jewel_assets.shape.render import textures
from jewel_assets.shape.render.surfaces import creased

Style = Literal["studio", "grey", "coloured", "velvet", "marble", "wood", "skin"]
STYLES: tuple[Style, ...] = ("studio", "grey", "coloured", "velvet", "marble", "wood", "skin")

PAPERS: dict[str, textures.Colour] = {  # linear reflectance of coloured background papers
    "blush": (0.66, 0.40, 0.36),
    "sand": (0.62, 0.50, 0.36),
    "sage": (0.34, 0.42, 0.32),
    "sky": (0.36, 0.50, 0.62),
    "lilac": (0.46, 0.39, 0.56),
    "teal": (0.040, 0.16, 0.17),
    "plum": (0.12, 0.034, 0.085),
    "mustard": (0.55, 0.33, 0.065),
}
VELVETS: dict[str, textures.Colour] = {
    # The dark ones are lighter than the cloth is (0.005), as a photographer lights them: black cloth, and no hole.
    "black": (0.020, 0.020, 0.021),
    "navy": (0.012, 0.020, 0.066),
    "burgundy": (0.070, 0.006, 0.014),
    "emerald": (0.006, 0.050, 0.028),
    "dove": (0.30, 0.30, 0.31),
    "cream": (0.58, 0.51, 0.41),
}
SKINS: dict[str, textures.Colour] = {
    # Linear reflectance from light to dark; the hues of human skin after Fitzpatrick's six types.
    "i": (0.62, 0.42, 0.33),
    "ii": (0.55, 0.34, 0.25),
    "iii": (0.45, 0.26, 0.17),
    "iv": (0.31, 0.165, 0.10),
    "v": (0.17, 0.085, 0.050),
    "vi": (0.075, 0.038, 0.024),
}
SHADES: dict[Style, tuple[str, ...]] = {
    "studio": ("white", "warm white", "cool white"),
    "grey": ("light", "middle", "dark"),
    "coloured": tuple(PAPERS),
    "velvet": tuple(VELVETS),
    "marble": tuple(textures.MARBLES),
    "wood": tuple(textures.WOODS),
    "skin": tuple(SKINS),
}
"""The names that a shot may give for its ground, by style; the first is the style's own."""

_WHITES: dict[str, textures.Colour] = {
    "white": (0.86, 0.86, 0.86),
    "warm white": (0.86, 0.845, 0.82),
    "cool white": (0.83, 0.85, 0.865),
}
_GREYS = {"light": 0.45, "middle": 0.22, "dark": 0.07}


@dataclass(frozen=True)
class Prop:
    """One object of the stage: triangles in mm with normals and texture coordinates, and its Mitsuba surface."""

    name: str
    vertices: NDArray[np.float64] = field(repr=False)
    faces: NDArray[np.int64] = field(repr=False)
    normals: NDArray[np.float64] = field(repr=False)
    uv: NDArray[np.float64] = field(repr=False)
    surface: dict[str, Any] = field(repr=False)


def ground_surface(style: Style, shade: str, gloss: float, rng: np.random.Generator) -> dict[str, Any]:
    """The BSDF of the ground, with numpy pictures where it has a texture (`scene.py` makes bitmaps of them).

    `gloss` 0..1: how much of a mirror image the ground shows, none to that of polished stone.
    """
    match style:
        case "studio":
            return _coated(_WHITES[shade], gloss)
        case "grey":
            return _coated((_GREYS[shade],) * 3, gloss)
        case "coloured":
            return _coated(PAPERS[shade], gloss)
        case "marble":
            return _coated(textures.marble(rng, shade), max(gloss, 0.55))
        case "wood":
            return _coated(textures.wood(rng, shade), 0.25 + 0.4 * gloss)
        case "velvet":
            return {
                "type": "principled",
                "base_color": textures.velvet(rng, VELVETS[shade]),
                "roughness": 0.95,
                "specular": 0.05,
                "sheen": 1.0,
                "sheen_tint": 0.85,
            }
        case "skin":
            return {
                "type": "principled",
                "base_color": textures.skin(rng, SKINS[shade]),
                "roughness": 0.5,
                "specular": 0.38,
                "sheen": 0.15,
                "flatness": 0.4,
            }


def _coated(colour: "textures.Colour | NDArray[np.float32]", gloss: float) -> dict[str, Any]:
    """Matt paint or paper, or with gloss the same below a clear layer whose roughness falls as the gloss grows."""
    if gloss <= 0:
        return {"type": "diffuse", "reflectance": colour}
    return {
        "type": "roughplastic",
        "diffuse_reflectance": colour,
        "int_ior": 1.30 + 0.20 * gloss,
        "alpha": 0.30 - 0.25 * gloss,
        "nonlinear": False,
    }


def sweep(radius_mm: float, azimuth_degrees: float, tile_mm: float, surface: dict[str, Any], wall: bool) -> Prop:
    """Background paper: a floor at z = 0 that bends up behind the piece; with `wall`, a wall in the plane y = 0 of the
    camera's frame before which the piece hangs. Its texture repeats every `tile_mm`.
    """
    r = radius_mm
    if wall:
        profile = np.array([[0.0, -60 * r], [0.0, 60 * r]])  # y, z
        profile = np.linspace(profile[0], profile[1], 3)
    else:
        bend = np.linspace(0, np.pi / 2, 25)
        arc = np.stack([9 * r + 7 * r * np.sin(bend), 7 * r * (1 - np.cos(bend))], axis=1)
        profile = np.vstack(
            [[[-60 * r, 0.0]], [[0.0, 0.0]], arc, [[16 * r, 11 * r]]]
        )  # no higher, or it would hide the lights behind it
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    tangent = np.gradient(profile, along, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    n = len(profile)
    half = 60 * r
    vertices = np.empty((2 * n, 3))
    vertices[:, 0] = np.repeat([-half, half], n)
    vertices[:, 1:] = np.tile(profile, (2, 1))
    normals = np.zeros((2 * n, 3))
    normals[:, 1], normals[:, 2] = np.tile(-tangent[:, 1], 2), np.tile(tangent[:, 0], 2)
    uv = np.stack([vertices[:, 0], np.tile(along, 2)], axis=1) / tile_mm
    k = np.arange(n - 1)
    faces = np.vstack([np.stack([k, k + n, k + n + 1], axis=1), np.stack([k, k + n + 1, k + 1], axis=1)])
    turn = about_z(azimuth_degrees)
    return Prop("ground", vertices @ turn.T, faces, normals @ turn.T, uv, surface)


def about_z(degrees: float) -> NDArray[np.float64]:
    """(3, 3): the rotation that takes the front (-y) to `cameras.direction(degrees, 0)`."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def inner_radii(points: NDArray[np.float64], bins: int = 48) -> NDArray[np.float64]:
    """(bins,) mm: the free distance from the y axis in each direction round it, what a finger or wrist has.

    Directions without a point (an open cuff) are as free as their nearest neighbours.
    """
    angle = np.arctan2(points[:, 2], points[:, 0])
    index = np.floor((angle / (2 * np.pi) % 1.0) * bins).astype(int) % bins
    free = np.full(bins, np.inf)
    np.minimum.at(free, index, np.hypot(points[:, 0], points[:, 2]))
    known = np.flatnonzero(np.isfinite(free))
    gaps = np.abs(np.arange(bins)[:, None] - known[None, :])
    nearest = known[np.minimum(gaps, bins - gaps).argmin(axis=1)]
    return np.asarray(free[nearest])


def limb(points: NDArray[np.float64], length_mm: float, rng: np.random.Generator) -> Manifold | None:
    """A finger or wrist along the y axis, within the piece of `points` (n, 3); None where the piece has no hole.

    An ellipse that fits the hole without touching, a little thinner towards the tip, which is a dome.
    """
    free = inner_radii(points)
    outer = float(np.hypot(points[:, 0], points[:, 2]).max())
    if free.min() < 0.35 * outer:
        return None
    angle = (np.arange(len(free)) + 0.5) / len(free) * 2 * np.pi
    a, b = (float(np.median(free[np.abs(f(angle)) > 0.85])) for f in (np.cos, np.sin))
    ellipse = 1 / np.hypot(np.cos(angle) / a, np.sin(angle) / b)
    fit = 0.985 * float((free / ellipse).min())
    a, b = a * fit, b * fit
    steps = np.linspace(0, 1, 40)
    start, end = -0.42 * length_mm, 0.58 * length_mm
    thickness = 0.5 * (a + b)
    tip = min(1.2 * thickness / length_mm, 0.4)
    # Widest inside the piece; then it swells and thins by a few per cent, as fingers do, but never within the piece.
    inside = (points[:, 1].min() - 0.5, points[:, 1].max() + 0.5)
    y = start + (end - start) * steps
    swell = 0.05 * np.sin(np.pi * 2.4 * steps + rng.uniform(0, 6.28))
    apart = np.clip(np.maximum(inside[0] - y, y - inside[1]) / (0.8 * thickness), 0, 1)
    scale = 1 + np.clip(swell, -0.05, 0.05) * apart - 0.10 * np.clip(-(y - inside[0]) / length_mm, 0, 1)
    dome = np.clip((steps) / tip, 0, 1)
    scale = scale * np.sqrt(np.clip(1 - (1 - dome) ** 2, 0.0004, 1))
    rings = []
    around = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    for place, size in zip(y, scale, strict=True):
        rings.append(np.stack([a * size * np.cos(around), np.full(64, place), b * size * np.sin(around)], axis=1))
    return _loft(rings)


def cushion(points: NDArray[np.float64], rng: np.random.Generator) -> Manifold:
    """A flat-topped, round-edged board under a piece that lies on z = 0: nearly a palm, or a plain bust lying down."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = (high - low)[:2]
    radius = 0.5 * float(max(span))
    thick = 0.55 * radius
    width, depth = (span / 2 + radius * rng.uniform(0.25, 0.5, 2)) * 1.0
    middle = (low + high)[:2] / 2
    power = rng.uniform(2.4, 3.4)
    rings = []
    around = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    x = np.sign(np.cos(around)) * np.abs(np.cos(around)) ** (2 / power)
    y = np.sign(np.sin(around)) * np.abs(np.sin(around)) ** (2 / power)
    for t in np.linspace(0, np.pi / 2, 16):
        grow, drop = thick * 0.9 * np.sin(t), thick * (1 - np.cos(t))
        rings.append(
            np.stack([middle[0] + (width + grow) * x, middle[1] + (depth + grow) * y, np.full(96, -drop)], axis=1)
        )
    rings.append(rings[-1] - [0, 0, 0.6 * thick])
    return _loft(rings[::-1])


def _loft(rings: Sequence[NDArray[np.float64]]) -> Manifold:
    """The solid through closed rings of equally many points, closed at both ends."""
    n, count = len(rings[0]), len(rings)
    vertices = np.vstack([*rings, rings[0].mean(axis=0), rings[-1].mean(axis=0)])
    k = np.arange(n)
    after = (k + 1) % n
    faces = []
    for row in range(count - 1):
        low, high = row * n, (row + 1) * n
        faces += [
            np.stack([low + k, low + after, high + after], axis=1),
            np.stack([low + k, high + after, high + k], axis=1),
        ]
    faces += [np.stack([after, k, np.full(n, count * n)], axis=1)]
    last = (count - 1) * n
    faces += [np.stack([last + k, last + after, np.full(n, count * n + 1)], axis=1)]
    solid = Manifold(Mesh(vertices.astype(np.float32), np.vstack(faces).astype(np.uint32)))
    if solid.volume() < 0:
        solid = Manifold(Mesh(vertices.astype(np.float32), np.vstack(faces)[:, ::-1].astype(np.uint32)))
    return solid


def support(solid: Manifold, tile_mm: float, surface: dict[str, Any]) -> Prop:
    """A solid of the stage with smooth normals; its texture is laid on from above, a little askew."""
    mesh = solid.to_mesh()
    vertices, faces, normals = creased(
        np.asarray(mesh.vert_properties, np.float64)[:, :3], np.asarray(mesh.tri_verts, np.int64), 60.0
    )
    uv = np.stack([vertices[:, 0] + 0.5 * vertices[:, 2], vertices[:, 1] + 0.3 * vertices[:, 2]], axis=1) / tile_mm
    return Prop("support", vertices, faces, normals, uv, surface)
