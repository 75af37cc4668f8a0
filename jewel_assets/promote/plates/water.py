"""Water: a shallow, clear pool with small waves; the light they gather plays over its floor.

A wave of height z bends the light to the floor at depth d sideways by about d (1 - 1/n) grad z; where that map folds
light gathers, so its brightness is 1 / |det(I + k Hessian(z))| (caustics: Berry and Upstill, "Catastrophe optics",
Progress in Optics 18, 1980).
"""

import math

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep, warped
from jewel_assets.promote.palettes import luminance, mixed
from jewel_assets.promote.plates.style import Dyes, Style, brighter, normals_of, tinted
from jewel_assets.promote.scene import Array, Plate

WORK_CELLS = 480
MARGIN = 48  # cells of pool beyond each edge, for waves and light to come from


def make(dyes: Dyes, field: Field) -> Plate:
    """Crossing waves, rings about the middle as of something just laid in, and the net of light below."""
    seen = field.coarse(WORK_CELLS)
    pool = Field((seen.size[0] + 2 * MARGIN, seen.size[1] + 2 * MARGIN), field.seed)
    waves = _waves(pool)
    part = slice(MARGIN, MARGIN + seen.size[1]), slice(MARGIN, MARGIN + seen.size[0])
    net = field.enlarged(_caustics(waves)[part])
    height = field.enlarged(waves[part] * np.float32(field.short))
    dark = luminance(dyes.ground) < 0.18
    low = mixed(dyes.shade, dyes.ground, 0.45 if dark else 0.25)
    high = brighter(dyes.ground, 0.35) if dark else mixed(dyes.ground, (1.0, 1.0, 1.0), 0.5)
    albedo = tinted(low, high, net)
    return Plate(albedo, normals_of(height), height, roughness=0.16, specular=0.03, mirror=0.22)


def _waves(work: Field) -> Array:
    """Height in shorter sides, (h, w)."""
    chance = work.stream("rings")
    x, y = work.grid()
    sway_x, sway_y = work.noise("sway x", 3.0) * np.float32(20), work.noise("sway y", 3.0) * np.float32(20)
    waves = warped(work.noise("waves", (6.5, 8.5), 2, 0.34), sway_x, sway_y) * np.float32(0.0042)
    waves += warped(work.noise("cross", (9.5, 7.5), 2, 0.3), sway_y, sway_x) * np.float32(0.0017)
    waves *= np.float32(0.5) + np.float32(0.5) * smoothstep(0.10, 0.42, np.sqrt(x * x + y * y))
    centre = chance.uniform(-0.06, 0.06, 2)
    r = np.sqrt((x - np.float32(centre[0])) ** 2 + (y - np.float32(centre[1])) ** 2)
    r += work.noise("ring sway", 3) * np.float32(0.007)
    ring = np.sin(r * np.float32(2 * math.pi / 0.1)) * smoothstep(0.16, 0.26, r) * smoothstep(0.50, 0.26, r)
    ring *= smoothstep(-0.8, 1.2, work.noise("ring strength", 2))
    waves += ring * np.float32(0.0006)
    return np.asarray(waves, np.float32)


def _caustics(waves: Array) -> Array:
    """Brightness of the floor in 0..1, (h, w); about a third where the water is level."""
    import cv2

    lens = np.float32(0.6 * WORK_CELLS**2)  # depth of the pool times what refraction leaves, in squared cells
    bent = cv2.GaussianBlur(waves, (0, 0), 1.6) * lens
    xx = cv2.Sobel(bent, cv2.CV_32F, 2, 0, ksize=3, scale=0.25)
    yy = cv2.Sobel(bent, cv2.CV_32F, 0, 2, ksize=3, scale=0.25)
    xy = cv2.Sobel(bent, cv2.CV_32F, 1, 1, ksize=3, scale=0.25)
    det = np.abs((1 + xx) * (1 + yy) - xy * xy)
    gathered = np.minimum(1 / (det + np.float32(0.22)), 4.5)
    light = np.asarray(cv2.GaussianBlur(gathered, (0, 0), 0.9), np.float32)
    return np.asarray(1 - np.exp(light * np.float32(-0.42)), np.float32)


STYLE = Style("water", "a clear pool with small waves and a net of light", make)
