"""Honeycomb: hexagonal openings in a plate, or in a band laid out flat."""

import numpy as np
from manifold3d import CrossSection, FillRule, JoinType, Manifold, OpType
from numpy.typing import ArrayLike

from jewel_assets.shape.parts.outlines import inset, region_of

LEAST_STRUT_MM = 0.8
"""Cast walls: see the castability profiles."""

SMALLEST_OPENING = 0.22
"""An opening that the rim leaves less than this share of is not cut: a caster could not clean it."""


def honeycomb_openings(region: ArrayLike | CrossSection, cell_mm: float = 3.0, strut_mm: float = 0.8) -> CrossSection:
    """The openings of a honeycomb within a region: hexagons `cell_mm` from middle to middle, with `strut_mm` between.

    Openings cut by the region's edge are kept where enough is left of them; corners are rounded for the wax.
    """
    if strut_mm < LEAST_STRUT_MM:
        raise ValueError(f"struts of {strut_mm:g} mm do not cast: make them at least {LEAST_STRUT_MM:g} mm")
    if cell_mm < strut_mm + 0.7:
        raise ValueError(f"cells of {cell_mm:g} mm leave no opening beside struts of {strut_mm:g} mm")
    inside = region if isinstance(region, CrossSection) else region_of(region)
    if inside.is_empty():
        return inside
    x0, y0, x1, y1 = inside.bounds()
    across, row = cell_mm, cell_mm * np.sqrt(3) / 2
    columns = int(np.ceil((x1 - x0) / across / 2)) + 1
    rows = int(np.ceil((y1 - y0) / row / 2)) + 1
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    corner = np.radians(30 + 60 * np.arange(6))
    hexagon = (cell_mm - strut_mm) / np.sqrt(3) * np.column_stack([np.cos(corner), np.sin(corner)])
    cells = [
        middle + hexagon + ((i + 0.5 * (j % 2)) * across, j * row)
        for j in range(-rows, rows + 1)
        for i in range(-columns, columns + 1)
    ]
    openings = CrossSection(cells, FillRule.NonZero) ^ inside
    whole = 1.5 * np.sqrt(3) * ((cell_mm - strut_mm) / np.sqrt(3)) ** 2
    rounding = 0.12 * (cell_mm - strut_mm)
    kept = [
        part.offset(-rounding, JoinType.Round, 2.0, 16).offset(rounding, JoinType.Round, 2.0, 16)
        for part in openings.decompose()
        if part.area() > SMALLEST_OPENING * whole
    ]
    return CrossSection.batch_boolean(kept, OpType.Add) if kept else CrossSection()


def honeycomb(
    polygon: ArrayLike, thickness: float, cell_mm: float = 3.0, strut_mm: float = 0.8, rim_mm: float = 1.0
) -> Manifold:
    """A pierced plate with the outline `polygon` (n, 2), its back at z = 0, with a rim of `rim_mm` left whole."""
    whole = region_of(polygon)
    openings = honeycomb_openings(inset(polygon, rim_mm), cell_mm, strut_mm)
    return (whole - openings).extrude(thickness)
