"""Laying flat ornament round a band or over a dome. Lengths along the surface are kept where they meet it."""

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray


def round_band(solid: Manifold, diameter: float, step: float = 0.6) -> Manifold:
    """Wrap what lies in the x-y plane round the y axis, as the outside of a band of `diameter` mm.

    x runs round the band (x = 0 is its top, at +z), y along it, z outward from the surface of `diameter`. Triangles are
    cut to `step` mm first, so that they bend. What is longer than the circumference would overlap itself.
    """
    radius = diameter / 2

    def bend(points: NDArray[np.float64]) -> NDArray[np.float64]:
        angle, out = points[:, 0] / radius, radius + points[:, 2]
        return np.column_stack([out * np.sin(angle), points[:, 1], out * np.cos(angle)])

    return solid.refine_to_length(step).warp_batch(bend)


def over_dome(solid: Manifold, radius: float, step: float = 0.8) -> Manifold:
    """Bend what lies in the x-y plane over a sphere of `radius` mm that touches the plane at the origin from below.

    Distances from the origin are kept, as are directions; z stays square to the surface.
    """

    def bend(points: NDArray[np.float64]) -> NDArray[np.float64]:
        away = np.hypot(points[:, 0], points[:, 1])
        angle = away / radius
        out = radius + points[:, 2]
        share = out * np.sin(angle) / np.maximum(away, 1e-9)
        return np.column_stack([points[:, 0] * share, points[:, 1] * share, out * np.cos(angle) - radius])

    return solid.refine_to_length(step).warp_batch(bend)
