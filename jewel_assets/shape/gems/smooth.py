"""Stones without facets: the cabochon's dome and the pearl."""

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray

from jewel_assets.shape.gems.polytope import closed_solid
from jewel_assets.shape.gems.proportions import Proportions

Array = NDArray[np.float64]

BACK_BEVEL = 0.025  # of the width: the edge of the back is broken at 45 degrees, or it would chip in its bezel
SMOOTH_CHORD_MM = 0.006  # smooth shading hides more than a girdle's sides may show, and a strand has many pearls


def cabochon(width: float, length: float, shape: Proportions) -> Manifold:
    """A dome over an ellipse `width` by `length` mm: flat back, low upright wall, elliptic profile to the top."""
    rise = np.linspace(0, np.pi / 2, sides_around(length) // 4 + 1)
    bevel = BACK_BEVEL
    rings = [(1 - 2 * bevel, -shape.pavilion), (1.0, -shape.pavilion + bevel)]
    rings += [(float(np.cos(angle)), float(shape.crown * np.sin(angle))) for angle in rise[:-1]]
    return _domed(rings, shape.crown, width, length)


def pearl(diameter: float) -> Manifold:
    """A sphere about the origin."""
    rise = np.linspace(-np.pi / 2, np.pi / 2, sides_around(diameter) // 2 + 1)[1:-1]
    rings = [(float(np.cos(angle)), float(np.sin(angle)) / 2) for angle in rise]
    return _domed(rings, 0.5, diameter, diameter, bottom=-0.5)


def ellipse(width: float, length: float) -> Array:
    """The girdle (n, 2) of a smooth stone, mm; the ends of its axes are among its corners."""
    around = sides_around(length)
    turn = np.arange(around) * 2 * np.pi / around
    return np.column_stack([width / 2 * np.cos(turn), length / 2 * np.sin(turn)])


def sides_around(diameter: float) -> int:
    """How many sides, a multiple of 8, make a circle of `diameter` mm look round."""
    step = 2 * np.arccos(1 - SMOOTH_CHORD_MM / max(diameter / 2, 0.2))
    return int(np.clip(8 * np.ceil(2 * np.pi / step / 8), 24, 128))


def _domed(
    rings: list[tuple[float, float]], top: float, width: float, length: float, bottom: float | None = None
) -> Manifold:
    """Rings (share of the radius, height over the width) from below, closed at the top and at the bottom by points."""
    base = ellipse(width, length)
    sides = len(base)
    corners = [np.column_stack([base * share, np.full(sides, height * width)]) for share, height in rings]
    corners.append(np.array([[0, 0, top * width], [0, 0, (rings[0][1] if bottom is None else bottom) * width]]))
    around = np.arange(sides)
    following = (around + 1) % sides
    triangles = []
    for ring in range(len(rings) - 1):
        low, high = ring * sides, (ring + 1) * sides
        triangles.append(np.column_stack([low + around, low + following, high + following]))
        triangles.append(np.column_stack([low + around, high + following, high + around]))
    last = len(rings) * sides
    triangles.append(np.column_stack([last - sides + around, last - sides + following, np.full(sides, last)]))
    triangles.append(np.column_stack([following, around, np.full(sides, last + 1)]))
    return closed_solid(np.concatenate(corners), np.concatenate(triangles))
