"""Velvet: a deep pile in soft folds, dark seen head on and bright at its edges, brushed here and there."""

import numpy as np

from jewel_assets.promote.noise import Field
from jewel_assets.promote.palettes import mixed
from jewel_assets.promote.plates.cloth import Drape, draped
from jewel_assets.promote.plates.style import Dyes, Style, normals_of, tinted
from jewel_assets.promote.scene import Plate


def make(dyes: Dyes, field: Field) -> Plate:
    """Folds of a hand's breadth, brush marks that lean the pile, and a nap of single tufts."""
    import cv2

    height = draped(field, Drape(2.6, 0.2, 40, pivot=1.6, sway=0.14, lean=0.6, crest=0.3, quiet=0.13, outer=0.52))
    marks = field.coarse(360)
    height += draped(field, Drape(1.4, 0.07, -45, pivot=3.0, sway=0.12, lean=0.3, crest=0.0, quiet=0.6), "swell")
    lean = cv2.GaussianBlur(marks.noise("brush", (2.6, 4.5), 4, 0.62), (0, 0), 1.2)
    lean_x, lean_y = field.enlarged(lean * np.float32(0.10)), field.enlarged(lean * np.float32(0.16))
    tufts = field.noise("tufts", (900, 420))
    lean_x += tufts * np.float32(0.02)
    lean_y += tufts * np.float32(0.045)
    share = np.clip(field.noise("dye", 300, 2, 0.7) * np.float32(0.09) + 0.42, 0, 1)
    # Light that falls into the pile is lost: seen head on, velvet has a third of its dye's brightness.
    albedo = tinted(mixed(dyes.shade, dyes.ground, 0.2), dyes.ground, share)
    albedo *= np.float32(0.42)
    return Plate(
        albedo,
        normals_of(height, (lean_x, lean_y)),
        height,
        roughness=0.85,
        specular=0.004,
        sheen=1.0,
        sheen_roughness=0.28,
    )


STYLE = Style("velvet", "deep velvet in soft folds, bright at the edges", make)
