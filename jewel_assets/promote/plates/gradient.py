"""Gradient: a paper sweep painted from one colour into another, with a glow of the accent."""

import math

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import mixed
from jewel_assets.promote.plates.style import Dyes, Style, brighter, flat, normals_from_slopes, tinted
from jewel_assets.promote.scene import Plate


def make(dyes: Dyes, field: Field) -> Plate:
    """A diagonal run from ground to shade, a soft glow beside the middle, and the tooth of the paper."""
    chance = field.stream("gradient")
    angle = math.radians(chance.uniform(50, 75) * chance.choice([-1, 1]))
    coarse = field.coarse(128)
    x, y = coarse.grid()
    bend = coarse.noise("bend", 1.0) * np.float32(0.05)
    run = x * np.float32(math.cos(angle)) + np.abs(np.float32(math.sin(angle))) * y + bend
    share = smoothstep(0.62, -0.62, np.asarray(run, np.float32))
    glow_x, glow_y = chance.uniform(-0.25, 0.25), chance.uniform(-0.3, -0.1)
    distance = np.sqrt((x - np.float32(glow_x)) ** 2 + (y - np.float32(glow_y)) ** 2)
    glow = smoothstep(0.75, 0.0, distance)
    tooth = field.noise("tooth", 430, 2, 0.9)
    wide = field.enlarged(share) + tooth * np.float32(0.008)
    albedo = tinted(mixed(dyes.shade, dyes.ground, 0.15), dyes.ground, wide)
    warm = tinted(
        (0, 0, 0), mixed(brighter(dyes.ground, 0.5), dyes.accent, 0.1), field.enlarged(glow) * np.float32(0.34)
    )
    albedo += warm * (1 - albedo)
    fine = tooth * np.float32(0.018)
    normals = normals_from_slopes(fine, np.roll(fine, 29, axis=1))
    return Plate(albedo, normals, flat(field), roughness=0.6, specular=0.015)


STYLE = Style("gradient", "a paper sweep from one colour into another", make)
