"""Gems: cuts with their real facets, the seats they need, and the species they are cut from."""

from jewel_assets.shape.gems.cuts import (
    CUTS,
    FACETED,
    crown_height,
    culet,
    cut_stone,
    facet_planes,
    facets,
    girdle_outline,
    girdle_thickness,
    pavilion_depth,
    stone_size,
)
from jewel_assets.shape.gems.polytope import Facet, Plane
from jewel_assets.shape.gems.proportions import PROPORTIONS, Proportions
from jewel_assets.shape.gems.seat import CLEARANCE_MM, notch_cutter, seat_cutter
from jewel_assets.shape.gems.species import GRAMS_PER_CARAT, SPECIES, Species, carats, species_named
from jewel_assets.shape.gems.stone import make_stone

__all__ = [
    "CLEARANCE_MM",
    "CUTS",
    "FACETED",
    "GRAMS_PER_CARAT",
    "PROPORTIONS",
    "SPECIES",
    "Facet",
    "Plane",
    "Proportions",
    "Species",
    "carats",
    "crown_height",
    "culet",
    "cut_stone",
    "facet_planes",
    "facets",
    "girdle_outline",
    "girdle_thickness",
    "make_stone",
    "notch_cutter",
    "pavilion_depth",
    "seat_cutter",
    "species_named",
    "stone_size",
]
