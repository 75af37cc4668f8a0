"""Leaves and vines. A leaf lies in the x-y plane, its stalk at the origin, its tip along +y, its face to +z."""

import numpy as np
from manifold3d import Manifold
from numpy.typing import ArrayLike

from jewel_assets.shape.parts.curves import Array, length, resample
from jewel_assets.shape.parts.sweep import frames, placed, skin, tube

LEAST_THICKNESS_MM = 0.8


def leaf(
    length_mm: float = 9.0,
    width_mm: float = 4.5,
    thickness_mm: float = 1.0,
    curl: float = 0.18,
    cup: float = 0.15,
    veins: int = 5,
    serration: float = 0.0,
    rings: int = 44,
    across: int = 17,
) -> Manifold:
    """A leaf with a raised midrib and side veins.

    `curl` bends its tip back, `cup` lifts its sides (shares of its length and half-width; may be negative), `veins` is
    their number on each side, `serration` how far its edge is cut in (share of the half-width). At least 0.8 mm thick.
    """
    if thickness_mm < LEAST_THICKNESS_MM:
        raise ValueError(f"a leaf of {thickness_mm:g} mm does not cast: make it at least {LEAST_THICKNESS_MM:g} mm")
    s = np.linspace(0.0, 1.0, rings)
    # widest at 0.42, drawn out to a tip; neither end gets thinner than a wire
    body = np.sin(np.pi * s**0.8) ** np.interp(s, [0, 0.42, 1], [0.9, 1.0, 1.25])
    half = np.maximum(width_mm / 2 * body, 0.16 * thickness_mm)
    if serration > 0:
        tooth = (s * (2 * veins + 1)) % 1
        half = np.maximum(
            half * (1 - serration * np.where(tooth < 0.75, 1 - tooth / 0.75, (tooth - 0.75) / 0.25)), half[0]
        )
    thick = thickness_mm * np.interp(s, [0, 0.8, 1], [1, 1, 0.92])[:, None]
    u = np.sin(np.linspace(-np.pi / 2, np.pi / 2, across))  # across the blade, closer together at its edges
    ss, uu = np.meshgrid(s, u, indexing="ij")
    x = half[:, None] * uu
    y = ss * length_mm
    base = -curl * length_mm * ss**2 + cup * half[:, None] * np.abs(uu) ** 1.6
    fade = np.clip(body, 0, 1)[:, None]
    rib = 0.5 * thickness_mm * np.exp(-((x / (0.3 * thickness_mm + 0.03 * width_mm)) ** 2)) * (1 - 0.7 * ss) * fade
    # side veins leave the midrib towards the tip, and end before the edge
    vein = np.cos(2 * np.pi * (ss * (veins + 1) - 0.11 * (veins + 1) * np.abs(uu) ** 0.9))
    ridge = 0.2 * thickness_mm * np.clip(vein, -0.15, 1) * (1 - np.abs(uu) ** 3) * fade * (veins > 0)
    top = base + thick / 2 + rib + ridge
    bottom = base - thick / 2
    bulge = 0.3 * thick[:, 0]  # the edge is as thick as the blade, and rounded
    face = np.stack([x, y, top], -1)
    back = np.stack([x, y, bottom], -1)
    right = np.stack([x[:, -1] + bulge, y[:, -1], base[:, -1]], -1)[:, None]
    left = np.stack([x[:, 0] - bulge, y[:, 0], base[:, 0]], -1)[:, None]
    loop = np.concatenate([back, right, face[:, ::-1], left], axis=1)
    return skin(loop[:, ::-1])


def laid(
    part: Manifold, at: ArrayLike, along: ArrayLike, up: ArrayLike = (0.0, 0.0, 1.0), size: float = 1.0
) -> Manifold:
    """A leaf moved so that its stalk is at `at` (3,), its tip points `along` and its face `up`; `size` scales it."""
    y = np.asarray(along, dtype=np.float64)
    y = y / np.linalg.norm(y)
    z = np.asarray(up, dtype=np.float64)
    z = z - (z @ y) * y
    z = z / np.linalg.norm(z)
    place = placed(np.cross(y, z) * size, y * size, z * size, at)[0]
    return part.transform(place)


def vine(
    curve: ArrayLike,
    stem_mm: float = 1.1,
    leaf_mm: float = 7.0,
    leaves: int = 6,
    berries: int = 3,
    seed: int = 0,
    thickness_mm: float = 0.9,
    up: ArrayLike = (0.0, 0.0, 1.0),
    berry_mm: float = 1.5,
    tip_leaf: bool = True,
    tendrils: int = 1,
) -> list[Manifold]:
    """A stem along `curve` (m, 3) with leaves on alternating sides, berries on stalks and a tendril; to be joined.

    Leaves are `leaf_mm` long, smaller towards the tip, their faces to `up`. `stem_mm` at least 0.8.
    """
    rng = np.random.default_rng(seed)
    line = resample(curve, 60)
    size = length(line)
    stem = np.linspace(stem_mm / 2, max(0.4, 0.36 * stem_mm), len(line))
    parts = [tube(line, stem, sides=12)]
    _, upward, along = frames(line, up=up)
    beside = np.cross(along, upward)
    shapes = ((0.48, 0.12, 0.2), (0.42, 0.2, 0.12))

    def blade(k: int, grown: float) -> Manifold:
        # small leaves are as thick as large ones
        ratio, curl, cup = shapes[k % 2]
        return leaf(leaf_mm * grown, leaf_mm * ratio * grown, thickness_mm, curl, cup, veins=4, rings=30, across=13)

    def outward(i: int, side: int, lean: float) -> Array:
        return np.asarray(np.cos(lean) * along[i] + side * np.sin(lean) * beside[i])

    for k in range(leaves):
        share = (k + 0.6) / (leaves + (0.2 if tip_leaf else 0.0))
        i = min(int(share * (len(line) - 1)), len(line) - 1)
        way = outward(i, 1 if k % 2 else -1, np.radians(rng.uniform(48, 62)))
        grown = (1.0 - 0.4 * share) * rng.uniform(0.9, 1.08)
        parts.append(laid(blade(k, grown), line[i] + 0.1 * upward[i], way, upward[i]))
    if tip_leaf:
        parts.append(laid(blade(0, 0.85), line[-1] - 0.6 * along[-1], along[-1], upward[-1]))
    for k in range(berries):
        i = int((0.18 + 0.64 * (k + 0.5) / max(berries, 1)) * (len(line) - 1))
        reach = min(0.34 * leaf_mm, 0.16 * size) * rng.uniform(0.8, 1.1)
        end = line[i] + reach * outward(i, 1 if k % 2 == 0 else -1, np.radians(70)) + 0.25 * berry_mm * upward[i]
        bend = (line[i] + end) / 2 + 0.15 * reach * along[i]
        parts.append(tube(np.stack([line[i], bend, end]), 0.42, sides=8))
        parts.append(Manifold.sphere(berry_mm / 2, 20).translate(tuple(map(float, end))))
    for k in range(tendrils):
        i = int((0.35 + 0.4 * k / max(tendrils, 1)) * (len(line) - 1))
        side = 1 if k % 2 else -1
        parts.append(_tendril(line[i], along[i], side * beside[i], 0.3 * leaf_mm))
    return parts


def _tendril(at: Array, along: Array, outward: Array, reach: float) -> Manifold:
    """A thin wire that leaves the stem and curls up."""
    t = np.linspace(0, 1, 26)
    lead = reach * (0.6 * along + 0.9 * outward)
    angle = np.pi * 0.2 + 2 * np.pi * 1.15 * np.clip((t - 0.35) / 0.65, 0, 1)
    radius = 0.42 * reach * (1 - 0.55 * np.clip((t - 0.35) / 0.65, 0, 1))
    middle = at + lead + 0.42 * reach * (np.cos(np.pi * 0.2 + np.pi) * along + np.sin(np.pi * 0.2 + np.pi) * outward)
    curl = middle + radius[:, None] * (np.cos(angle)[:, None] * along + np.sin(angle)[:, None] * outward)
    reached = at + lead * (t / 0.35)[:, None]
    points = np.where((t < 0.35)[:, None], reached, curl)
    return tube(resample(points, 28), 0.42, sides=8)
