"""Brilliant cuts over any outline: table, 8 stars, 8 bezels, 16 upper halves, girdle, 16 lower halves, 8 mains.

The meet points of the standard brilliant, for every outline: a main touches the girdle in one point and runs to the
culet; neighbouring mains meet in an edge that runs from the culet towards the girdle; two halves close the gap between
them, from the girdle's points at the mains and between them to a point on that edge. The crown does the same with an
apex above the table instead of the culet, which the table cuts off, and stars between table and halves. Where the
pavilion bulges, its mains would meet the girdle's plane outside the stone, and the halves meet each other above them.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from jewel_assets.shape.gems.outlines import Outline
from jewel_assets.shape.gems.polytope import Plane, level, plane_through, walls
from jewel_assets.shape.gems.proportions import Proportions

Array = NDArray[np.float64]


def girdle_of(outline: Outline, sides_per_half: int) -> Array:
    """The girdle as a polygon (16 * sides_per_half, 2), with corners where mains and halves meet it."""
    mains, between = outline.mains, _between(outline)
    corners = np.sort(np.concatenate([mains, between]))
    spans = np.append(corners, corners[0] + 2 * np.pi)
    azimuths = np.concatenate(
        [np.linspace(start, end, sides_per_half, endpoint=False) for start, end in pairwise(spans)]
    )
    return np.array([outline.point(azimuth) for azimuth in azimuths])


def brilliant_planes(outline: Outline, shape: Proportions, sides_per_half: int) -> list[Plane]:
    """The planes of the stone of width 1, its culet on the z axis and the middle of its girdle at z = 0."""
    rim = shape.girdle / 2
    table, culet = rim + shape.crown, np.array([0.0, 0.0, -rim - shape.pavilion])
    mains, between = outline.mains, _between(outline)
    points = [outline.point(azimuth) for azimuth in mains]
    tops = [shape.table * point for point in points]
    bezels, pavilion = [], []
    for azimuth, point, top in zip(mains, points, tops, strict=True):
        outward = outline.normal(azimuth)
        along = point + np.array([-outward[1], outward[0]])
        bezels.append(plane_through("bezel", (*point, rim), (*along, rim), (*top, table)))
        bulge = shape.bulge * point
        pavilion.append(plane_through("pavilion main", (*(point + bulge), -rim), (*(along + bulge), -rim), culet))
    planes = [level("table", table), *bezels, *pavilion, *walls("girdle", girdle_of(outline, sides_per_half))]
    for k, azimuth in enumerate(between):
        following = (k + 1) % 8
        edge = outline.point(azimuth)
        inner = _share_of_ray(edge, tops[k], tops[following])
        star = edge * (inner + shape.star * (1 - inner))
        star_tip = (*star, bezels[k].height(*star))
        lower = edge * (1 - shape.lower_half)
        lower_tip = (*lower, pavilion[k].height(*lower))
        planes.append(plane_through("star", (*tops[k], table), (*tops[following], table), star_tip))
        for main in (points[k], points[following]):
            planes.append(plane_through("upper half", (*main, rim), (*edge, rim), star_tip))
            planes.append(plane_through("lower half", (*main, -rim), (*edge, -rim), lower_tip))
    return planes


def _between(outline: Outline) -> Array:
    """Azimuths (8,) at which the edges between neighbouring mains reach the girdle: where their tangents cross."""
    mains = outline.mains
    crossings = []
    for this, following in zip(mains, np.roll(mains, -1), strict=True):
        sides = np.array([outline.normal(this), outline.normal(following)])
        reach = np.array([sides[0] @ outline.point(this), sides[1] @ outline.point(following)])
        crossing = np.linalg.solve(sides, reach)
        crossings.append(np.mod(np.arctan2(crossing[1], crossing[0]), 2 * np.pi))
    return np.array(crossings)


def _share_of_ray(ray: Array, start: Array, end: Array) -> float:
    """The share of `ray` (2,) from the origin at which it crosses the line from `start` to `end`."""
    share, _ = np.linalg.solve(np.column_stack([ray, start - end]), start)
    return float(share)
