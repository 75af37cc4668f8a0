"""What is taken out of the metal for a stone.

A seat is what a setter leaves: under the girdle the metal follows the stone's own pavilion (the bearing), above the
girdle the stone drops in freely, and a straight hole below lets light in and lets one clean behind the stone.
"""

from functools import lru_cache

import numpy as np
from manifold3d import CrossSection, Manifold
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.shape.gems.cuts import (
    FACETED,
    crown_height,
    culet,
    cut_stone,
    facet_planes,
    girdle_outline,
    pavilion_depth,
    proportions,
    stone_size,
)
from jewel_assets.shape.gems.polytope import facets_of, level, solid_of
from jewel_assets.shape.gems.smooth import cabochon

Array = NDArray[np.float64]

CLEARANCE_MM = 0.05  # between stone and metal; castings shrink and plating adds, and a setter opens a seat with a bur
LIGHT_HOLE = 0.62  # of the girdle's width: some 19 % of the width all round stays as bearing
CABOCHON_HOLE = 0.72  # a flat back rests on a ledge; its hole only saves metal and lets light through
BELOW_MM = 0.5  # how far the light hole goes on under the culet


def seat_cutter(
    cut: str,
    width_mm: float,
    length_mm: float | None = None,
    clearance: float = CLEARANCE_MM,
    *,
    above_mm: float | None = None,
    below_mm: float | None = None,
) -> Manifold:
    """The solid to subtract from the metal, in the stone's own place; it holds the stone with `clearance` mm all round.

    `above_mm` is how far the way in stays open above the middle of the girdle (by default clear over the table),
    `below_mm` how deep the light hole goes under it (by default just through the culet). A pearl's seat is a cup
    without a hole: a pearl is glued over a peg. Raises Permanent for what `stone_size` refuses and for a negative
    clearance.
    """
    width, length = stone_size(cut, width_mm, length_mm)
    if not 0 <= clearance <= width / 4:
        raise Permanent(
            f"A clearance of {clearance:g} mm is not possible round a stone {width:g} mm wide: "
            f"it must be 0 to {width / 4:g} mm."
        )
    above = crown_height(cut, width, length) + max(0.5, 0.2 * width) if above_mm is None else above_mm
    below = pavilion_depth(cut, width, length) + BELOW_MM if below_mm is None else below_mm
    return _seat(cut, width, length, clearance, above, below)


def notch_cutter(
    cut: str, width_mm: float, length_mm: float | None = None, clearance: float = CLEARANCE_MM
) -> Manifold:
    """The stone grown by `clearance` mm: cuts the notch in prongs that lean over the crown and the rim of a bezel."""
    width, length = stone_size(cut, width_mm, length_mm)
    if cut in FACETED:
        return solid_of(facets_of([plane.moved(clearance) for plane in facet_planes(cut, width, length)]))
    if cut == "pearl":
        return cut_stone(cut, width + 2 * clearance)
    grown = cabochon(width + 2 * clearance, length + 2 * clearance, proportions(cut))
    low, high = -pavilion_depth(cut, width, length) - clearance, crown_height(cut, width, length) + clearance
    box = grown.bounding_box()
    return grown.scale((1, 1, (high - low) / (box[5] - box[2]))).translate(
        (0, 0, low - box[2] * (high - low) / (box[5] - box[2]))
    )


@lru_cache(maxsize=96)
def _seat(cut: str, width: float, length: float, clearance: float, above: float, below: float) -> Manifold:
    if cut == "pearl":
        shaft = Manifold.cylinder(above, width / 2 + clearance, circular_segments=96)
        return cut_stone(cut, width + 2 * clearance) + shaft
    if cut == "cabochon":
        base = pavilion_depth(cut, width, length)
        rim = girdle_outline(cut, width + 2 * clearance, length + 2 * clearance)
        hole = girdle_outline(cut, width, length) * CABOCHON_HOLE
        return _prism(rim, -base, above) + _prism(hole, -below, 0)
    kept = [plane.moved(clearance) for plane in facet_planes(cut, width, length) if plane.normal[2] < 1e-9]
    bearing = solid_of(facets_of([*kept, level("top", above)]))
    middle = culet(cut, width, length)[:2]
    hole = middle + LIGHT_HOLE * (girdle_outline(cut, width, length) - middle)
    return bearing + _prism(hole, -below, 0)


def _prism(polygon: Array, low: float, high: float) -> Manifold:
    return Manifold.extrude(CrossSection([polygon]), high - low).translate((0, 0, low))
