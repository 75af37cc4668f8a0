"""Photographs of pieces: physically right light, exact masks, and every number of how they were taken.

from jewel_assets.shape.render import catalogue, render
photo = render(piece, catalogue(piece.category, seed=7))
photo.image, photo.alpha, photo.normals, photo.depth, photo.parts, photo.parameters
"""

from jewel_assets.shape.render.inspection import SpoiltPhoto
from jewel_assets.shape.render.rendering import Render, render
from jewel_assets.shape.render.shots import PRESETS, Shot, catalogue, preset, randomised
from jewel_assets.shape.render.stages import SHADES, STYLES
from jewel_assets.shape.render.surfaces import Surface

__all__ = [
    "PRESETS",
    "SHADES",
    "STYLES",
    "Render",
    "Shot",
    "SpoiltPhoto",
    "Surface",
    "catalogue",
    "preset",
    "randomised",
    "render",
]
