"""Outlines of seals and plates: round, oval, square, cushion, octagon, shield, marquise."""

import numpy as np

from jewel_assets.shape.parts.curves import Array, ellipse, smooth_curve, superellipse

SEALS = ("oval", "round", "cushion", "square", "octagon", "shield", "marquise")


def seal_outline(seal: str, width: float, length: float, points: int = 64) -> Array:
    """(n, 2): the outline of a seal, counter-clockwise, `width` along x and `length` along y, mm, about the origin.

    Raises KeyError for a name that is not in `SEALS`.
    """
    half = np.array([width / 2, length / 2])
    if seal in ("oval", "round"):
        return ellipse(width, length, points)
    if seal == "cushion":
        return superellipse(width, length, 3.2, points)
    if seal == "square":
        return superellipse(width, length, 9.0, points)
    if seal == "octagon":
        cut = 0.3 * 2 * half.min() / (2 * half)
        corners = [(1, cut[1] - 1), (1, 1 - cut[1]), (1 - cut[0], 1), (cut[0] - 1, 1)]
        corners += [(-x, -y) for x, y in corners]
        return np.asarray(np.array(corners) * half)
    if seal == "shield":
        right = smooth_curve(np.array([[0, -1], [0.62, -0.62], [0.95, -0.05], [1, 0.6]]), points // 3)
        upper = np.array([[0.97, 0.9], [0.5, 0.97]])
        half_shape = np.vstack([right, upper])
        left = (half_shape * [-1, 1])[::-1][: len(half_shape) - 1]
        return np.asarray(np.vstack([half_shape, [[0, 1]], left]) * half)
    if seal == "marquise":
        angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
        x, y = np.cos(angle), np.sin(angle)
        return np.column_stack([np.sign(x) * np.abs(x) ** 1.35 * half[0], y * half[1]])
    raise KeyError(seal)
