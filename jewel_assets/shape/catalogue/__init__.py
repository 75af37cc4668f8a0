"""The catalogue: pieces that nobody owns, drawn, built, checked and photographed, with everything about them known."""

from jewel_assets.shape.catalogue.listing import list_designs, list_shots
from jewel_assets.shape.catalogue.presets import Preset, Variant
from jewel_assets.shape.catalogue.shipped import shipped_sample
from jewel_assets.shape.catalogue.stages import BuildMesh, DrawDesign, Photograph, TakePhotos, choose_photographer
from jewel_assets.shape.catalogue.summary import castability_table, family_table, findings_counts, style_table

__all__ = [
    "BuildMesh",
    "DrawDesign",
    "Photograph",
    "Preset",
    "TakePhotos",
    "Variant",
    "castability_table",
    "choose_photographer",
    "family_table",
    "findings_counts",
    "list_designs",
    "list_shots",
    "shipped_sample",
    "style_table",
]
