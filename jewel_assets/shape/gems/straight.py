"""Cuts with straight sides: the princess with its chevrons, and the emerald with its steps."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from jewel_assets.shape.gems.polytope import Plane, level, plane_through, walls
from jewel_assets.shape.gems.proportions import Proportions

Array = NDArray[np.float64]

# Princess. Shares of the width from the middle, on the line from the middle of a side to the culet, and of the depth:
# the facet at the girdle is steep (60 degrees), each chevron flatter, the last 41 degrees.
PRINCESS_CHEVRONS = ((0.41, 0.277), (0.25, 0.615))
PRINCESS_CROWN_BREAK = (0.44, 0.53)  # where the steep facet at the girdle ends: share of width, share of crown height
PRINCESS_NICK = 0.015  # the corners are not quite sharp: a sharp one would chip in setting

# Emerald. Inset of the edge of each step from the girdle, shares of the width (0.5 is the keel), and of the height.
EMERALD_PAVILION_STEPS = ((0.0, 0.0), (0.14, 0.382), (0.30, 0.701), (0.5, 1.0))  # 53, 44 and 36 degrees
EMERALD_CROWN_STEPS = ((0.0, 0.0), (0.05, 0.365), (0.11, 0.708), (0.18, 1.0))  # 45, 38 and 30 degrees
EMERALD_CORNER = 0.16  # leg of the cut corner at the girdle, share of the width


def princess_girdle(ratio: float) -> Array:
    """The girdle (8, 2) of a princess of width 1: a rectangle with nicked corners."""
    return _cut_rectangle(0.5, 0.5 * ratio, PRINCESS_NICK)


def princess_planes(ratio: float, shape: Proportions) -> list[Plane]:
    """The planes of a princess of width 1: 17 on the crown, 8 sides, 20 on the pavilion, which all meet a corner."""
    rim, half = shape.girdle / 2, shape.table / 2
    table = rim + shape.crown
    planes = [level("table", table), *walls("girdle", princess_girdle(ratio))]
    culet = (0.0, 0.0, -rim - shape.pavilion)
    for quarter in range(4):

        def place(x: float, y: float, z: float, quarter: int = quarter) -> tuple[float, float, float]:
            for _ in range(quarter):
                x, y = -y, x
            return x, y * ratio, z

        brow = place(PRINCESS_CROWN_BREAK[0], 0, rim + PRINCESS_CROWN_BREAK[1] * shape.crown)
        left, right = place(0.5, -0.5, rim), place(0.5, 0.5, rim)
        table_left, table_right = place(half, -half, table), place(half, half, table)
        planes.append(plane_through("upper girdle", left, right, brow))
        planes.append(plane_through("bezel", left, brow, table_left))
        planes.append(plane_through("bezel", right, brow, table_right))
        planes.append(plane_through("star", table_left, table_right, brow))
        left, right = place(0.5, -0.5, -rim), place(0.5, 0.5, -rim)
        inner = [place(x, 0, -rim - depth * shape.pavilion) for x, depth in PRINCESS_CHEVRONS]
        planes.append(plane_through("lower girdle", left, right, inner[0]))
        for upper, lower in pairwise([*inner, culet]):
            planes.append(plane_through("chevron", left, upper, lower))
            planes.append(plane_through("chevron", right, upper, lower))
    return planes


def emerald_girdle(ratio: float) -> Array:
    """The girdle (8, 2) of an emerald cut of width 1: a rectangle with cut corners."""
    return _cut_rectangle(0.5, 0.5 * ratio, EMERALD_CORNER)


def emerald_planes(ratio: float, shape: Proportions) -> list[Plane]:
    """The planes of an emerald cut of width 1: table, three steps of eight above and below the girdle.

    The corner facets narrow at the same rate as the stone, so that they run out in the ends of the keel.
    """
    rim = shape.girdle / 2
    planes = [level("table", rim + shape.crown), *walls("girdle", emerald_girdle(ratio))]
    for name, steps, sign, height in (
        ("crown step", EMERALD_CROWN_STEPS, 1.0, shape.crown),
        ("pavilion step", EMERALD_PAVILION_STEPS, -1.0, shape.pavilion),
    ):
        for (inset, share), (next_inset, next_share) in pairwise(steps):
            z, next_z = (sign * (rim + part * height) for part in (share, next_share))
            ring = _step_ring(ratio, inset)
            inner = _step_ring(ratio, next_inset)
            for side in range(8):
                here, there = ring[side], ring[(side + 1) % 8]
                planes.append(plane_through(name, (*here, z), (*there, z), (*inner[side], next_z)))
    return planes


def _step_ring(ratio: float, inset: float) -> Array:
    return _cut_rectangle(0.5 - inset, 0.5 * ratio - inset, EMERALD_CORNER * (1 - 2 * inset))


def _cut_rectangle(x: float, y: float, leg: float) -> Array:
    """A rectangle of half sides `x` and `y` with corners cut by `leg`, (8, 2), counter-clockwise."""
    return np.array(
        [
            (x, -y + leg),
            (x, y - leg),
            (x - leg, y),
            (-x + leg, y),
            (-x, y - leg),
            (-x, -y + leg),
            (-x + leg, -y),
            (x - leg, -y),
        ]
    )
