"""Measures of textures: do they tile, do they repeat, are they textures at all."""

from jewel_assets.explore.textures.measure import MeasureTexture, measure_texture

__all__ = ["MeasureTexture", "measure_texture"]
