"""Stone: cleft slate where the palette is dark, travertine with its beds and pits where it is light."""

import math

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep, warped
from jewel_assets.promote.palettes import luminance, mixed
from jewel_assets.promote.plates.style import Dyes, Style, brighter, calm, normals_of, tinted
from jewel_assets.promote.scene import Array, Plate

WORK_CELLS = 640


def make(dyes: Dyes, field: Field) -> Plate:
    """The stone that fits the palette's lightness."""
    return _slate(dyes, field) if luminance(dyes.ground) < 0.2 else _travertine(dyes, field)


def _slate(dyes: Dyes, field: Field) -> Plate:
    """Layers broken off at irregular edges: a relief cut into terraces, each with its own grain and tone."""
    work = field.coarse(WORK_CELLS)
    lie = warped(
        work.noise("lie", (1.5, 2.2), 5, 0.5),
        work.noise("warp x", 5, 5, 0.6) * np.float32(11),
        work.noise("warp y", 5, 5, 0.6) * np.float32(11),
    )
    lie *= np.float32(1.5)
    level = np.floor(lie)
    rest = lie - level
    terrace = level + smoothstep(0.80, 1.0, rest) + rest * np.float32(0.16)
    rough = work.noise("rough", 14, 5, 0.62)
    relief = terrace * np.float32(0.0075) * (np.float32(0.35) + np.float32(0.65) * calm(work)) + rough * np.float32(
        0.0011
    )
    height = field.enlarged(relief * np.float32(field.short))
    grain = field.noise("grain", 330, 2, 0.8)
    tone = work.noise("tone", (3, 5), 5, 0.6) * np.float32(0.10) + np.sin(level * np.float32(2.4)) * np.float32(0.10)
    share = field.enlarged(tone + np.float32(0.45) + rough * np.float32(0.04)) + grain * np.float32(0.05)
    albedo = tinted(mixed(dyes.shade, dyes.ground, 0.3), brighter(dyes.ground, 0.05), share)
    fine = grain * np.float32(0.05)
    normals = normals_of(height, (fine, np.roll(fine, 37, axis=0)))
    return Plate(albedo, normals, height, roughness=0.6, specular=0.035)


def _travertine(dyes: Dyes, field: Field) -> Plate:
    """Beds laid down one on another, wavy and of all thicknesses, with rows of small pits along some of them."""
    work = field.coarse(WORK_CELLS)
    x, y = work.grid()
    tilt = math.radians(work.stream("tilt").uniform(-12, 12))
    across = y * np.float32(math.cos(tilt)) + x * np.float32(math.sin(tilt))
    across = across + work.noise("bend", (1.2, 2.0), 4, 0.45) * np.float32(0.03)
    across += work.noise("tremble", (9, 18), 3, 0.6) * np.float32(0.004)
    beds = _beds(across, work)
    pits_where = smoothstep(0.3, 1.4, _beds(across + np.float32(3.3), work))
    pits = smoothstep(1.35, 1.75, work.noise("pits", (42, 75), 2, 0.6)) * pits_where
    pits *= np.float32(0.25) + np.float32(0.75) * calm(work, 0.1, 0.35)
    rough = work.noise("rough", 40, 3, 0.6)
    relief = rough * np.float32(0.0005) - pits * np.float32(0.010) + beds * np.float32(0.0006)
    height = field.enlarged(relief * np.float32(field.short))
    share = beds * np.float32(0.26) + np.float32(0.62) + work.noise("tone", 3, 4) * np.float32(0.08)
    share -= pits * np.float32(0.8)
    grain = field.noise("grain", 360, 2, 0.8)
    share = field.enlarged(share) + grain * np.float32(0.035)
    albedo = tinted(mixed(dyes.shade, dyes.ground, 0.2), mixed(dyes.ground, (0.9, 0.9, 0.9), 0.12), share)
    fine = grain * np.float32(0.02)
    return Plate(albedo, normals_of(height, (fine, fine)), height, roughness=0.55, specular=0.04)


def _beds(across: Array, work: Field) -> Array:
    """Layers as a function of the depth alone: one-dimensional noise of many scales, read at `across`."""
    chance = work.stream("beds")
    knots = 2048
    line = np.zeros(knots, np.float32)
    for count, strength in ((16, 0.7), (48, 0.9), (130, 0.7), (400, 0.45)):
        values = chance.standard_normal(count + 1)
        line += np.interp(np.linspace(0, count, knots), np.arange(count + 1), values).astype(np.float32) * strength
    index = np.mod(across * np.float32(knots / 4), knots - 1)
    low = index.astype(np.int32)
    part = index - low
    return np.asarray(line[low] * (1 - part) + line[low + 1] * part, np.float32)


STYLE = Style("stone", "cleft slate, or travertine in light palettes", make)
