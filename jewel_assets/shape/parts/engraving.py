"""What is cut into a flat face: borders, rays, and capital letters of one stroke width, as areas to extrude. mm."""

from itertools import pairwise

import numpy as np
from manifold3d import CrossSection, JoinType
from numpy.typing import ArrayLike

from jewel_assets.shape.parts.curves import Array

LEAST_STROKE_MM = 0.3
"""A finer line closes in the casting."""

# Strokes on a grid 4 wide and 6 high, each a chain of points; drawn for this project after Roman capitals.
_STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "A": (((0, 0), (2, 6), (4, 0)), ((0.8, 2.2), (3.2, 2.2))),
    "B": (((0, 0), (0, 6), (2.4, 6), (3.3, 5.5), (3.3, 4), (2.4, 3.3), (0, 3.3)),
          ((2.4, 3.3), (3.8, 2.6), (3.8, 0.8), (2.8, 0), (0, 0))),
    "C": (((4, 5), (3, 6), (1.2, 6), (0, 4.6), (0, 1.4), (1.2, 0), (3, 0), (4, 1)),),
    "D": (((0, 0), (0, 6), (2.2, 6), (4, 4.4), (4, 1.6), (2.2, 0), (0, 0)),),
    "E": (((3.6, 6), (0, 6), (0, 0), (3.6, 0)), ((0, 3.1), (2.8, 3.1))),
    "F": (((3.6, 6), (0, 6), (0, 0)), ((0, 3.1), (2.8, 3.1))),
    "G": (((4, 5), (3, 6), (1.2, 6), (0, 4.6), (0, 1.4), (1.2, 0), (3, 0), (4, 1), (4, 2.8), (2.4, 2.8)),),
    "H": (((0, 0), (0, 6)), ((4, 0), (4, 6)), ((0, 3.1), (4, 3.1))),
    "I": (((2, 0), (2, 6)), ((1, 6), (3, 6)), ((1, 0), (3, 0))),
    "J": (((1.4, 6), (3.4, 6), (3.4, 1.2), (2.4, 0), (1.2, 0), (0.3, 1)),),
    "K": (((0, 0), (0, 6)), ((3.8, 6), (0, 2.6)), ((1.3, 3.8), (4, 0))),
    "L": (((0, 6), (0, 0), (3.6, 0)),),
    "M": (((0, 0), (0.2, 6), (2, 2), (3.8, 6), (4, 0)),),
    "N": (((0, 0), (0, 6), (4, 0), (4, 6)),),
    "O": (((1.2, 0), (0, 1.4), (0, 4.6), (1.2, 6), (2.8, 6), (4, 4.6), (4, 1.4), (2.8, 0), (1.2, 0)),),
    "P": (((0, 0), (0, 6), (2.6, 6), (3.7, 5.3), (3.7, 3.6), (2.6, 2.8), (0, 2.8)),),
    "Q": (((1.2, 0), (0, 1.4), (0, 4.6), (1.2, 6), (2.8, 6), (4, 4.6), (4, 1.4), (2.8, 0), (1.2, 0)),
          ((2.4, 1.6), (4.2, -0.4))),
    "R": (((0, 0), (0, 6), (2.6, 6), (3.7, 5.3), (3.7, 3.8), (2.6, 3), (0, 3)), ((1.9, 3), (4, 0))),
    "S": (((3.8, 5.1), (2.9, 6), (1.1, 6), (0.2, 5.2), (0.2, 4), (1, 3.3), (3, 2.8), (3.9, 2), (3.9, 0.9), (3, 0),
           (1, 0), (0, 0.9)),),
    "T": (((0, 6), (4, 6)), ((2, 6), (2, 0))),
    "U": (((0, 6), (0, 1.3), (1.2, 0), (2.8, 0), (4, 1.3), (4, 6)),),
    "V": (((0, 6), (2, 0), (4, 6)),),
    "W": (((0, 6), (0.9, 0), (2, 4), (3.1, 0), (4, 6)),),
    "X": (((0, 6), (4, 0)), ((0, 0), (4, 6))),
    "Y": (((0, 6), (2, 3), (4, 6)), ((2, 3), (2, 0))),
    "Z": (((0, 6), (4, 6), (0, 0), (4, 0)),),
}  # fmt: skip


def strokes(chain: ArrayLike, width: float) -> CrossSection:
    """The area of a pen of `width` mm drawn along a chain of points (n, 2)."""
    points = np.asarray(chain, dtype=np.float64)
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    tip = width / 2 * np.column_stack([np.cos(turn), np.sin(turn)])
    area = CrossSection([])
    for start, stop in pairwise(points):
        area = area + CrossSection.hull_points(np.vstack([tip + start, tip + stop]))
    return area


_ADVANCE = 6.0
"""From one letter to the next, a letter being 4 wide and 6 high: the land between them is a wall that must fill."""


def letters(word: str, width: float, height: float, stroke: float) -> CrossSection:
    """Capital letters side by side, fitted into `width` by `height` mm about the origin, drawn with a pen of `stroke`.

    Raises ValueError for another sign than A to Z, or a pen below `LEAST_STROKE_MM`.
    """
    unknown = [sign for sign in word if sign not in _STROKES]
    if unknown or not word:
        raise ValueError(f"only the capitals A to Z can be cut, not '{word}'")
    if stroke < LEAST_STROKE_MM:
        raise ValueError(f"a stroke of {stroke:g} mm closes in the casting: give at least {LEAST_STROKE_MM:g} mm")
    span = _ADVANCE * len(word) - (_ADVANCE - 4)
    size = min((width - stroke) / span, (height - stroke) / 6)
    area = CrossSection([])
    for place, sign in enumerate(word):
        for chain in _STROKES[sign]:
            points = (np.array(chain) - [span / 2 - _ADVANCE * place, 3]) * size
            area = area + strokes(points, stroke)
    return area


def border(outline: Array, line: float) -> CrossSection:
    """A line of `line` mm along the inside of an outline (n, 2)."""
    outer = CrossSection([outline])
    return outer - outer.offset(-line, JoinType.Round, 2.0, 32)


def rays(outline: Array, line: float, number: int = 12) -> CrossSection:
    """Rays from near the middle to an outline (n, 2), `line` mm wide at their outer ends and 0.6 of it at the inner."""
    span = float(min(np.ptp(outline[:, 0]), np.ptp(outline[:, 1])))
    inner = max(0.14 * span, number * (0.6 * line + 0.75) / (2 * np.pi))
    area = CrossSection([])
    for angle in np.linspace(0, 2 * np.pi, number, endpoint=False):
        along = np.array([np.cos(angle), np.sin(angle)])
        side = np.array([-along[1], along[0]])
        near, far = inner * along, span * along
        area = area + CrossSection(
            [[near - side * 0.3 * line, far - side * line, far + side * line, near + side * 0.3 * line]]
        )
    return area ^ CrossSection([outline])
