"""Parametric designs: one pydantic model per family, and how they are drawn, varied, blended, read and built."""

from jewel_assets.shape.designs.base import FAMILIES, Design, families, register
from jewel_assets.shape.designs.variants import blend, load, sample, samples, vary

# Each module enters its families into FAMILIES when it is imported.

__all__ = ["FAMILIES", "Design", "blend", "families", "load", "register", "sample", "samples", "vary"]
