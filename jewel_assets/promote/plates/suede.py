"""Suede: a short, matt nap that hands have stroked one way and another, over a hide that is not quite even."""

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep, warped
from jewel_assets.promote.palettes import mixed
from jewel_assets.promote.plates.style import FOLD_CELLS, Dyes, Style, brighter, normals_of, tinted
from jewel_assets.promote.scene import Plate


def make(dyes: Dyes, field: Field) -> Plate:
    """Strokes with one soft and one clear edge, where the nap changes its lean, and grain of short fibres."""
    coarse = field.coarse(FOLD_CELLS)
    turn = coarse.noise("turn", 1.6, 2) * np.float32(34)
    strokes = warped(coarse.noise("strokes", (2.6, 9.0), 4, 0.6), turn, coarse.noise("turn back", 1.9) * np.float32(26))
    strokes = smoothstep(-0.9, 1.1, strokes)
    height = field.enlarged(coarse.noise("hide", 2.2, 3, 0.45) * np.float32(0.006 * field.short))
    fibres = field.noise("fibres", 420, 2, 0.9)
    lean = field.enlarged(strokes - np.float32(0.5))
    lean_x = lean * np.float32(0.08) + fibres * np.float32(0.055)
    lean_y = lean * np.float32(0.13) + np.roll(fibres, field.short // 7, axis=1) * np.float32(0.055)
    share = field.enlarged(strokes) * np.float32(0.24)
    share += field.noise("dye", 130, 3, 0.8) * np.float32(0.07)
    share += np.float32(0.42)
    albedo = tinted(mixed(dyes.shade, dyes.ground, 0.35), brighter(dyes.ground, 0.08), share)
    normals = normals_of(height, (lean_x, lean_y))
    return Plate(albedo, normals, height, roughness=0.9, specular=0.012, sheen=0.35, sheen_roughness=0.5)


STYLE = Style("suede", "matt suede with the strokes of a hand", make)
