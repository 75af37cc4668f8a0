"""Paper: sheets cut in sweeping curves and stacked, higher towards the edges; the piece lies on the lowest."""

import math

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import mixed
from jewel_assets.promote.plates.style import Dyes, Style, brighter, flat, normals_of, tinted
from jewel_assets.promote.scene import Plate

SHEETS = 5
TURNS = (1, 2, 3, 5)  # waves of an edge about the middle
THICKNESS = 0.026  # of the gap between two sheets, shorter sides


def make(dyes: Dyes, field: Field) -> Plate:
    """Five sheets with wavy edges about an open middle, each a step lighter or darker, with the tooth of card."""
    chance = field.stream("sheets")
    coarse = field.coarse(360)
    x, y = coarse.grid()
    wide, high = field.extent
    angle = np.arctan2(y / np.float32(high), x / np.float32(wide))
    r = np.sqrt((x / np.float32(wide)) ** 2 + (y / np.float32(high)) ** 2)
    waves = [(turns, 0.075 / turns**0.8 * chance.uniform(0.5, 1.0), chance.uniform(0, 2 * math.pi)) for turns in TURNS]
    height, level, lowest = flat(field), flat(field), np.zeros_like(r)
    for sheet in range(SHEETS):
        edge = np.full_like(r, np.float32(0.33 + 0.095 * sheet + chance.uniform(-0.01, 0.01)))
        for turns, swing, shift in waves:
            swing *= chance.uniform(0.75, 1.25)
            shift += chance.normal(0, 0.16 * sheet)
            edge += np.sin(angle * np.float32(turns) + np.float32(shift)) * np.float32(swing)
        edge = np.maximum(edge, lowest)  # no sheet juts out over the one below it
        lowest = edge + np.float32(0.035)
        step = smoothstep(-1.0, 1.0, field.enlarged((r - edge) * np.float32(field.short)))
        level += step
        height += step * np.float32(THICKNESS * field.short)
    tooth = field.noise("tooth", 300, 3, 0.9)
    share = level * np.float32(0.9 / SHEETS) + tooth * np.float32(0.02) + np.float32(0.05)
    albedo = tinted(mixed(dyes.ground, dyes.shade, 0.35), mixed(brighter(dyes.ground, 0.22), (1, 1, 1), 0.05), share)
    fine = tooth * np.float32(0.03)
    normals = normals_of(flat(field), (fine, np.roll(fine, 41, axis=1)))
    return Plate(albedo, normals, height, roughness=0.8, specular=0.02)


STYLE = Style("paper", "stacked sheets of card cut in sweeping curves", make)
