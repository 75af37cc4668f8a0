"""Open frames that are set with stones."""

import numpy as np

from jewel_assets.shape.parts.casting import Casting, front
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.outlines import facing, inset, plate, polygon_of
from jewel_assets.shape.parts.pave import flat_row
from jewel_assets.shape.parts.settings import seating


def paved_frame(body: Casting, edge: Array, thickness: float, melee_mm: float, species: str) -> None:
    """An open frame along an outline, set all round with stones in its face; its back at y = 0."""
    small = seating("round brilliant", melee_mm)
    width = melee_mm + 1.3
    inner = inset(edge, width)
    whole = plate(edge, thickness, 0.2)
    body.add(facing(whole - inner.extrude(3 * thickness).translate((0, 0, -thickness))))
    line = polygon_of(inset(edge, width / 2))
    row = flat_row(line, 0.0, melee_mm, 0.25)
    # where the frame turns sharply, neighbours would touch: those are left out
    spots = row[:, :2, 3]
    keep = [0]
    for k in range(1, len(row)):
        near = min(float(np.hypot(*(spots[k] - spots[j]))) for j in keep)
        if near > melee_mm + 0.12:
            keep.append(k)
    body.pave_row(small, row[keep], species, front(height=thickness - 0.06), "melee", closed=True)
