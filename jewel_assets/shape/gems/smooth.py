"""Stones without facets: the cabochon's dome and the pearl."""

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray

from jewel_assets.shape.gems.polytope import closed_solid
from jewel_assets.shape.gems.proportions import Proportions

Array = NDArray[np.float64]

BACK_BEVEL = 0.025  # of the width: the edge of the back is broken at 45 degrees, or it would chip in its bezel
AROUND, UP = 96, 24


def cabochon(width: float, length: float, shape: Proportions) -> Manifold:
    """A dome over an ellipse `width` by `length` mm: flat back, low upright wall, elliptic profile to the top."""
    rise = np.linspace(0, np.pi / 2, UP + 1)
    bevel = BACK_BEVEL
    rings = [(1 - 2 * bevel, -shape.pavilion), (1.0, -shape.pavilion + bevel)]
    rings += [(float(np.cos(angle)), float(shape.crown * np.sin(angle))) for angle in rise[:-1]]
    return _domed(rings, shape.crown, width, length)


def pearl(diameter: float) -> Manifold:
    """A sphere about the origin."""
    rise = np.linspace(-np.pi / 2, np.pi / 2, 2 * UP + 1)[1:-1]
    rings = [(float(np.cos(angle)), float(np.sin(angle)) / 2) for angle in rise]
    return _domed(rings, 0.5, diameter, diameter, bottom=-0.5)


def ellipse(width: float, length: float) -> Array:
    """The girdle (96, 2) of a smooth stone, mm; the ends of its axes are among its corners."""
    turn = np.arange(AROUND) * 2 * np.pi / AROUND
    return np.column_stack([width / 2 * np.cos(turn), length / 2 * np.sin(turn)])


def _domed(
    rings: list[tuple[float, float]], top: float, width: float, length: float, bottom: float | None = None
) -> Manifold:
    """Rings (share of the radius, height over the width) from below, closed at the top and at the bottom by points."""
    base = ellipse(width, length)
    corners = [np.column_stack([base * share, np.full(AROUND, height * width)]) for share, height in rings]
    corners.append(np.array([[0, 0, top * width], [0, 0, (rings[0][1] if bottom is None else bottom) * width]]))
    around = np.arange(AROUND)
    following = (around + 1) % AROUND
    triangles = []
    for ring in range(len(rings) - 1):
        low, high = ring * AROUND, (ring + 1) * AROUND
        triangles.append(np.column_stack([low + around, low + following, high + following]))
        triangles.append(np.column_stack([low + around, high + following, high + around]))
    last = len(rings) * AROUND
    triangles.append(np.column_stack([last - AROUND + around, last - AROUND + following, np.full(AROUND, last)]))
    triangles.append(np.column_stack([following, around, np.full(AROUND, last + 1)]))
    return closed_solid(np.concatenate(corners), np.concatenate(triangles))
