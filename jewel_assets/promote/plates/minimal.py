"""Minimal: a seamless floor that rises into a wall, of fine plaster."""

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import mixed
from jewel_assets.promote.plates.style import Dyes, Style, brighter, flat, normals_from_slopes, tinted
from jewel_assets.promote.scene import Plate

HORIZON = 0.62  # of the height
FLOOR_SLOPE = 0.9  # how much the floor looks up, as a slope of the picture's plane
BEND = 0.09  # half the height of the bend between wall and floor, shorter sides


def make(dyes: Dyes, field: Field) -> Plate:
    """Wall above, floor below, and a bend between them; strokes of a trowel, hardly seen."""
    _, y = field.grid()
    line = np.float32((HORIZON - 0.5) * field.extent[1])
    floor = smoothstep(-BEND, BEND, y - line) + flat(field)
    # The wall darkens upwards and the floor towards the camera, as where light comes from beside a cove.
    fall = np.minimum(y - line, 0) * np.float32(0.62) - np.maximum(y - line, 0) * np.float32(0.35)
    trowel = field.enlarged(field.coarse(300).noise("trowel", (4, 9), 4, 0.55))
    grain = field.noise("grain", 450)
    share = trowel * np.float32(0.035) + grain * np.float32(0.02) + np.float32(0.80)
    share += floor * np.float32(0.16) + fall
    albedo = tinted(mixed(dyes.shade, dyes.ground, 0.1), brighter(dyes.ground, 0.06), share)
    slope_y = floor * np.float32(FLOOR_SLOPE)
    fine = grain * np.float32(0.016) + trowel * np.float32(0.01)
    normals = normals_from_slopes(fine, slope_y + np.roll(fine, 31, axis=1))
    return Plate(albedo, normals, flat(field), roughness=0.95, specular=0.012, mirror=0.05, horizon=HORIZON)


STYLE = Style("minimal", "a seamless floor and wall of fine plaster", make)
