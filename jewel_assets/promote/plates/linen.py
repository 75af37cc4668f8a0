"""Linen: a plain weave of uneven threads, thick and thin, over the ghost of a crease."""

import math

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import mixed
from jewel_assets.promote.plates.cloth import Drape, draped
from jewel_assets.promote.plates.style import Dyes, Style, brighter, normals_of, tinted
from jewel_assets.promote.scene import Plate

THREADS = 150  # per shorter side, each way


def make(dyes: Dyes, field: Field) -> Plate:
    """Warp and weft, over and under in turn; slubs; soft creases towards the edges."""
    x, y = field.grid()
    wander = field.coarse(360)
    place_x = (x + field.enlarged(wander.noise("warp", (40, 3)) * np.float32(0.0010))) * np.float32(THREADS)
    place_y = (y + field.enlarged(wander.noise("weft", (3, 40)) * np.float32(0.0010))) * np.float32(THREADS)
    pi = np.float32(math.pi)
    over = np.sin(place_x * pi) * np.sin(place_y * pi)  # which thread is on top; alternates from crossing to crossing
    ridge_x = np.abs(np.sin(place_x * pi))
    ridge_y = np.abs(np.sin(place_y * pi))
    slub_x = field.noise("slub warp", (THREADS, 7), 2, 0.7)
    slub_y = field.noise("slub weft", (7, THREADS), 2, 0.7)
    top = smoothstep(-0.5, 0.5, over)
    weave = ridge_x * (1 + np.float32(0.22) * slub_x) * top
    weave += ridge_y * (1 + np.float32(0.22) * slub_y) * (1 - top)
    cell = np.float32(field.short / THREADS)
    drape = Drape(2.2, 0.035, 60, pivot=4.0, sway=0.12, lean=0.8, crest=0.8, quiet=0.25)
    height = draped(field, drape)
    share = weave * np.float32(0.5)
    share += np.float32(0.06) * (slub_x + slub_y)
    share += np.float32(0.34)
    albedo = tinted(mixed(dyes.shade, dyes.ground, 0.35), brighter(dyes.ground, 0.04), share)
    full = height + weave * (np.float32(0.22) * cell)
    return Plate(albedo, normals_of(full), height, roughness=0.85, specular=0.01, sheen=0.2, sheen_roughness=0.6)


STYLE = Style("linen", "a plain weave of uneven linen threads", make)
