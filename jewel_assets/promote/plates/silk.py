"""Silk: long soft folds with drawn-out highlights; the weave spreads them across the thread."""

import numpy as np

from jewel_assets.promote.noise import Field
from jewel_assets.promote.palettes import mixed
from jewel_assets.promote.plates.cloth import Drape, draped
from jewel_assets.promote.plates.style import Dyes, Style, normals_of, tinted
from jewel_assets.promote.scene import Plate


def make(dyes: Dyes, field: Field) -> Plate:
    """Deep flowing folds over a slow swell, and threads too fine to be counted."""
    height = draped(field, Drape(1.8, 0.165, 35, pivot=1.5, sway=0.16, lean=0.6, crest=0.1, quiet=0.14))
    height += draped(field, Drape(0.9, 0.10, -40, pivot=2.5, sway=0.15, crest=0.0, quiet=0.5), "swell")
    threads = field.noise("threads", (60, 760))
    share = threads * np.float32(0.035) + np.float32(0.8)
    albedo = tinted(mixed(dyes.shade, dyes.ground, 0.3), dyes.ground, share)
    normals = normals_of(height, (threads * np.float32(0.008), threads * np.float32(0.017)))
    return Plate(albedo, normals, height, roughness=0.52, specular=0.06, sheen=0.25, sheen_roughness=0.45)


STYLE = Style("silk", "long soft folds of silk with drawn-out highlights", make)
