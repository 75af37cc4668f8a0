"""Girdle outlines of the brilliant cuts, as seen from above: where the mains stand and how the curve runs.

Outlines are for a stone of width 1 and are star-shaped about the culet, which is their origin; `shift` moves the middle
of the bounding box there. The length runs along y.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CUSHION_POWER = 3.0  # a superellipse between the circle (2) and the square (infinite), as soft as today's cushions


class Outline(ABC):
    """A convex closed curve round the culet."""

    shift: float = 0.0
    """What to add to y so that the middle of the bounding box is the origin."""

    @property
    @abstractmethod
    def mains(self) -> Array:
        """Azimuths (8,) of the mains, radians, rising from 0."""

    @abstractmethod
    def radius(self, azimuth: float) -> float:
        """Distance of the girdle from the culet at an azimuth."""

    @abstractmethod
    def normal(self, azimuth: float) -> Array:
        """The outward direction (2,) of the girdle at an azimuth, not normalised."""

    def point(self, azimuth: float) -> Array:
        """The point (2,) of the girdle at an azimuth."""
        return self.radius(azimuth) * np.array([np.cos(azimuth), np.sin(azimuth)])


@dataclass(frozen=True)
class Superellipse(Outline):
    """|x / a|^p + |y / b|^p = 1: the circle and the oval for p = 2, a cushion above."""

    ratio: float
    power: float = 2.0

    @property
    def mains(self) -> Array:
        """At the ends of the axes and of the diagonals of the enclosing rectangle."""
        turns = np.arange(8) * np.pi / 4
        return np.mod(np.arctan2(self.ratio * np.sin(turns), np.cos(turns)), 2 * np.pi)

    def radius(self, azimuth: float) -> float:
        """See `Outline`."""
        x, y = abs(np.cos(azimuth)) / 0.5, abs(np.sin(azimuth)) / (0.5 * self.ratio)
        return float((x**self.power + y**self.power) ** (-1 / self.power))

    def normal(self, azimuth: float) -> Array:
        """See `Outline`."""
        scaled = self.point(azimuth) / (0.5, 0.5 * self.ratio)
        scaled[np.abs(scaled) < 1e-12] = 0.0
        gradient: Array = np.sign(scaled) * np.abs(scaled) ** (self.power - 1) / (1, self.ratio)
        return gradient


@dataclass(frozen=True)
class Pointed(Outline):
    """Two arcs that meet in a point at +y; below, the same again (marquise) or a half circle (pear)."""

    ratio: float
    round_head: bool

    @property
    def shift(self) -> float:  # type: ignore[override]
        """A pear's culet stands below the middle, where the stone is widest."""
        return 0.5 - self.ratio / 2 if self.round_head else 0.0

    @property
    def reach(self) -> float:
        """Distance from the widest place to the point."""
        return self.ratio - 0.5 if self.round_head else self.ratio / 2

    @property
    def centre(self) -> float:
        """How far beyond the axis the centre of an arc lies: the arc is upright where the stone is widest."""
        return self.reach**2 - 0.25

    @property
    def mains(self) -> Array:
        """At the points, the widest places and halfway along each arc."""
        arc = self.centre + 0.5
        half = np.arctan2(self.reach, self.centre) / 2
        middle = float(np.arctan2(arc * np.sin(half), arc * np.cos(half) - self.centre))
        below = np.pi / 4 if self.round_head else middle
        turn = np.pi
        return np.array([0, middle, turn / 2, turn - middle, turn, turn + below, 1.5 * turn, 2 * turn - below])

    def radius(self, azimuth: float) -> float:
        """See `Outline`."""
        if self.round_head and np.sin(azimuth) < 0:
            return 0.5
        across = abs(np.cos(azimuth)) * self.centre
        return float(-across + np.sqrt(across**2 + 0.25 + self.centre))

    def normal(self, azimuth: float) -> Array:
        """See `Outline`. In a point, where two arcs meet, it is the stone's axis."""
        x, y = self.point(azimuth)
        if abs(x) < 1e-9:
            return np.array([0.0, np.sign(y)])
        if self.round_head and y < 0:
            return np.array([x, y])
        return np.array([x + np.sign(x) * self.centre, y])


def outline_of(cut: str, ratio: float) -> Outline:
    """The outline of a brilliant `cut` with length over width `ratio`."""
    if cut in ("pear", "marquise"):
        return Pointed(ratio, round_head=cut == "pear")
    return Superellipse(ratio, CUSHION_POWER if cut == "cushion" else 2.0)
