"""Parametric designs: one pydantic model per family, and how they are drawn, varied, blended, read and built."""

from jewel_assets.shape.designs.base import FAMILIES, Design, families, register
from jewel_assets.shape.designs.variants import blend, load, sample, samples, vary

# Each module enters its families into FAMILIES when it is imported; the order is that of `families(category)`.
from jewel_assets.shape.designs import rings, rings_eternity, rings_solitaire, rings_halo, rings_signet  # noqa: F401  # isort: skip
from jewel_assets.shape.designs import earrings, earrings_hanging, brooches  # noqa: F401  # isort: skip
from jewel_assets.shape.designs import pendants, pendants_plates, pendants_drops, lockets  # noqa: F401  # isort: skip
from jewel_assets.shape.designs import chains, necklaces, pearls, collars, bracelets, stone_lines, bangles, watches  # noqa: F401  # isort: skip

__all__ = ["FAMILIES", "Design", "blend", "families", "load", "register", "sample", "samples", "vary"]
