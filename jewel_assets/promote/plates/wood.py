"""Wood: boards cut near the heart, with rings drawn out to flames, pores and fibres along the grain."""

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import luminance, mixed
from jewel_assets.promote.plates.style import Dyes, Style, normals_of, tinted
from jewel_assets.promote.scene import Array, Colour, Plate

OAK: Colour = (0.32, 0.17, 0.075)
RINGS = 30.0  # per shorter side of wood, measured from the heart
SEAM = 0.0035  # half the width of the gap between two boards, shorter sides


def make(dyes: Dyes, field: Field) -> Plate:
    """Three boards side by side, stained in the palette's colour; the middle one wide enough for the piece."""
    chance = field.stream("boards")
    x, y = field.grid()
    half = chance.uniform(0.30, 0.38)
    edges = (-half + chance.uniform(-0.06, 0.06), half + chance.uniform(-0.06, 0.06))
    board = (y > edges[0]).astype(np.float32) + (y > edges[1]).astype(np.float32)
    gap = np.minimum(np.abs(y - np.float32(edges[0])), np.abs(y - np.float32(edges[1])))
    rings, tone = _rings(field, x, y, board, chance)
    pores = field.noise("pores", (22, 420))
    pores = smoothstep(1.35, 2.4, pores + (np.float32(0.3) - rings) * np.float32(1.2))
    fibres = field.noise("fibres", (9, 300), 2, 0.8)
    share = np.float32(0.72) - np.float32(0.6) * rings + fibres * np.float32(0.07) + tone
    share -= pores * np.float32(0.42)
    strength = np.float32(1) - np.float32(0.85) * smoothstep(SEAM, 0.2 * SEAM, gap)
    stain = 0.3 if luminance(dyes.ground) > 0.2 else 0.12
    light = mixed(dyes.ground, OAK, stain)
    deep = mixed(mixed(dyes.shade, dyes.ground, 0.15), mixed(OAK, (0, 0, 0), 0.6), stain)
    albedo = tinted(deep, light, share, strength)
    relief = rings * np.float32(-0.0004) - pores * np.float32(0.0004) + fibres * np.float32(0.00012)
    relief -= np.float32(0.006) * smoothstep(2.2 * SEAM, 0.3 * SEAM, gap)
    height = relief * np.float32(field.short)
    return Plate(albedo, normals_of(height), height, roughness=0.5, specular=0.03, mirror=0.03)


def _rings(field: Field, x: Array, y: Array, board: Array, chance: np.random.Generator) -> tuple[Array, Array]:
    """0 in early wood to 1 in late wood, and each board's own tone; (h, w) and (h, 1).

    A ring is where the distance from a slightly tilted, crooked heart crosses a whole number; late wood darkens
    slowly and ends at once.
    """
    work = field.coarse(540)
    wx, wy = work.grid()
    crooked = work.noise("crooked", (0.9, 3.2), 3, 0.42) * np.float32(0.030)
    tremble = work.noise("tremble", (3, 40), 2, 0.6) * np.float32(0.0016)
    parts = []
    tones = np.zeros_like(y)
    for number in range(3):
        heart = np.float32(chance.uniform(-0.12, 0.12) + (number - 1) * 0.62)
        shift, tilt, deep = chance.uniform(-0.8, 0.8), chance.uniform(0.10, 0.26), chance.uniform(0.05, 0.16)
        depth = np.float32(deep) + np.float32(tilt) * (wx - np.float32(shift))
        across = (wy - heart + crooked) * np.float32(0.75)
        radius = np.sqrt(across * across + depth * depth) + tremble
        radius += np.float32(0.014) * np.sin(radius * np.float32(23) + np.float32(chance.uniform(0, 6.28)))
        parts.append(field.enlarged(radius))
        tones += np.where(board == number, np.float32(chance.uniform(-0.10, 0.10)), np.float32(0))
    radius = np.where(board == 0, parts[0], np.where(board == 1, parts[1], parts[2]))
    turn = radius * np.float32(RINGS)
    place = turn - np.floor(turn)
    late = place * place * (1 - smoothstep(0.90, 1.0, place))
    weight = np.float32(0.75) + np.float32(0.25) * np.sin(np.floor(turn) * np.float32(2.1))
    return late * weight, tones


STYLE = Style("wood", "stained boards with flames, pores and fibres", make)
