"""Festive: lights out of focus before a dark wall, and their shine on the floor.

Light far out of focus is seen as the lens's opening, one disc per lamp, added in linear light; towards the corners the
lens's barrel cuts the discs to lenses ("cat's eyes"). The bright rim is that of an overcorrected lens.
"""

import math

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import luminance, mixed
from jewel_assets.promote.plates.style import Dyes, Style, brighter, flat, normals_from_slopes, tinted
from jewel_assets.promote.scene import Array, Colour, Plate

HORIZON = 0.70  # of the height
WORK_CELLS = 480
CANDLE: Colour = (1.0, 0.56, 0.20)  # a filament lamp of about 2400 K, balanced for daylight by half


def make(dyes: Dyes, field: Field) -> Plate:
    """Garlands and single lamps in three depths, bloom about them, a dark glossy floor."""
    work = field.coarse(WORK_CELLS)
    _, y = field.grid()
    wall = _lights(dyes, work)
    emission = field.enlarged(_with_floor(_bloomed(wall), work))
    line = np.float32((HORIZON - 0.5) * field.extent[1])
    floor = smoothstep(-0.01, 0.01, y - line) + flat(field)
    grain = field.noise("grain", 420)
    dim = min(1.0, 0.06 / max(luminance(dyes.shade), 0.02))  # lamps shine in the evening, whatever the palette
    share = floor * np.float32(0.3) + grain * np.float32(0.03) + np.float32(0.25)
    albedo = tinted(mixed(dyes.shade, (0, 0, 0), 0.25), mixed(dyes.shade, dyes.ground, 0.5), share)
    albedo *= np.float32(dim)
    rise = smoothstep(-0.03, 0.03, y - line) * np.float32(0.3) + flat(field)
    normals = normals_from_slopes(grain * np.float32(0.01), rise)
    return Plate(
        albedo, normals, flat(field), roughness=0.7, specular=0.012, mirror=0.3, emission=emission, horizon=HORIZON
    )


def _lights(dyes: Dyes, work: Field) -> Array:
    """The discs on the wall, linear light (h, w, 3)."""
    chance = work.stream("lights")
    light = np.zeros((work.size[1], work.size[0], 3), np.float32)
    wide, high = work.extent
    tints = (CANDLE, mixed(CANDLE, (1, 0.9, 0.75), 0.5), mixed(dyes.accent, CANDLE, 0.4), dyes.accent)
    glow = brighter(dyes.ground, 1.0)
    for _ in range(16):  # far behind: large, faint, in the colour of the ground
        radius = chance.uniform(0.07, 0.13)
        at = chance.uniform(-0.55, 0.55) * wide, chance.uniform(-0.6, HORIZON - 0.5) * high - radius
        _disc(light, work, at, radius, glow, 0.035 * math.exp(chance.normal(0, 0.5)))
    for _ in range(3):  # garlands: lamps in a row on a hanging line, sharper as it comes near
        left, right = chance.uniform(-0.5, 0.05, 2) * high
        sag, radius = chance.uniform(0.05, 0.3), chance.uniform(0.018, 0.042)
        count = round(wide * chance.uniform(8, 13))
        tint = tints[chance.integers(len(tints))]
        for number in range(count):
            part = (number + chance.uniform(-0.25, 0.25)) / (count - 1)
            at = (part - 0.5) * 1.1 * wide, left + (right - left) * part + sag * 4 * part * (1 - part)
            at = at[0], min(at[1], (HORIZON - 0.51) * high - radius)
            _disc(light, work, at, radius * chance.uniform(0.85, 1.15), tint, 0.28 * math.exp(chance.normal(0, 0.6)))
    for _ in range(26):
        radius = chance.uniform(0.02, 0.075)
        at = chance.uniform(-0.55, 0.55) * wide, chance.uniform(-0.55, HORIZON - 0.52) * high - radius
        tint = tints[chance.integers(len(tints))]
        strength = 0.16 * (0.04 / radius) ** 0.8 * math.exp(chance.normal(0, 0.7))
        _disc(light, work, at, radius, tint, strength)
    return light


def _disc(light: Array, work: Field, at: tuple[float, float], radius: float, tint: Colour, strength: float) -> None:
    width, height = work.size
    pixels = radius * WORK_CELLS
    x, y = at[0] * WORK_CELLS + width / 2, at[1] * WORK_CELLS + height / 2
    reach = pixels + 2
    left, right = max(0, math.floor(x - reach)), min(width, math.ceil(x + reach))
    top, bottom = max(0, math.floor(y - reach)), min(height, math.ceil(y + reach))
    if left >= right or top >= bottom:
        return
    columns = (np.arange(left, right, dtype=np.float32) - np.float32(x))[None, :]
    rows = (np.arange(top, bottom, dtype=np.float32) - np.float32(y))[:, None]
    r = np.sqrt(columns * columns + rows * rows)
    cut_x, cut_y = columns + np.float32(at[0] * 0.75 * pixels), rows + np.float32(at[1] * 0.75 * pixels)
    cut = np.sqrt(cut_x * cut_x + cut_y * cut_y)
    disc = smoothstep(pixels + 1.2, pixels - 1.2, r) * smoothstep(1.12 * pixels + 2, 1.12 * pixels - 2, cut)
    part = r / np.float32(pixels)
    disc *= np.float32(0.72) + np.float32(0.28) * part**6 + np.float32(0.1) * part
    # Behind the piece the lights hold back.
    away = math.hypot(at[0], at[1] - 0.08)
    hold = 0.3 + 0.7 * min(1.0, max(0.0, (away - 0.12) / 0.25))
    light[top:bottom, left:right] += disc[..., None] * (np.array(tint, np.float32) * np.float32(strength * hold))


def _bloomed(light: Array) -> Array:
    import cv2

    small = cv2.resize(light, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    veil = cv2.GaussianBlur(small, (0, 0), 4) * np.float32(0.16)
    veil += cv2.GaussianBlur(small, (0, 0), 16) * np.float32(0.28)
    return np.asarray(light + cv2.resize(veil, (light.shape[1], light.shape[0])), np.float32)


def _with_floor(wall: Array, work: Field) -> Array:
    """The wall down to the horizon, below it its mirror image, drawn out downwards and fading."""
    import cv2

    width, height = work.size
    line = round(HORIZON * height)
    below = height - line
    above = np.ascontiguousarray(wall[line - min(line, 2 * below) : line][::-1])
    pressed = cv2.resize(above, (width, below), interpolation=cv2.INTER_AREA)
    mirrored = cv2.GaussianBlur(pressed, (0, 0), sigmaX=0.008 * WORK_CELLS, sigmaY=0.05 * WORK_CELLS)
    fade = np.linspace(0.55, 0.18, below, dtype=np.float32)[:, None, None]
    result = wall.copy()
    result[line:] = mirrored * fade
    seam = slice(max(0, line - 8), line + 8)
    result[seam] = cv2.GaussianBlur(result, (0, 0), sigmaX=0.5, sigmaY=2.5)[seam]
    return result


STYLE = Style("festive", "lights out of focus over a dark glossy floor", make)
