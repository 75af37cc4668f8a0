"""One casting as it is put together: its pieces of metal, what is taken out of them, and the stones that it carries.

Parts that are made lying in the x-y plane, face to +z, are stood up by `front`, so that they face the viewer of a
piece.
"""

from collections.abc import Sequence

import numpy as np
from manifold3d import Manifold
from numpy.typing import ArrayLike

from jewel_assets.shape.gems.stone import make_stone
from jewel_assets.shape.parts import pave
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.outlines import FACING
from jewel_assets.shape.parts.settings import CLAWS, Seating, bezel, claw_head, claw_wire, joined, pearl_cup, seating
from jewel_assets.shape.parts.sweep import copies
from jewel_assets.shape.piece import Stone

BEZEL_WALL_MM = 0.8
BACK_MM = 0.9
"""A head that stands on a plate reaches this far below its culet."""


def front(x: float = 0.0, z: float = 0.0, height: float = 0.0, turn_deg: float = 0.0) -> Array:
    """(3, 4): the place of a part that faces the viewer at (x, z), its own z = 0 `height` mm in front of y = 0.

    `turn_deg` turns it counter-clockwise as the viewer sees it.
    """
    t = np.radians(turn_deg)
    turn = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
    return np.column_stack([FACING[:, :3] @ turn, [x, -height, z]])


def after(place: ArrayLike, first: ArrayLike) -> Array:
    """(3, 4): the placement `first`, followed by `place`."""
    outer, inner = np.asarray(place, dtype=np.float64), np.asarray(first, dtype=np.float64)
    return np.column_stack([outer[:, :3] @ inner[:, :3], outer[:, :3] @ inner[:, 3] + outer[:, 3]])


def without_hollows(solid: Manifold) -> Manifold:
    """The solid with its closed hollows filled: where a leaf bends over a band, air would be locked in."""
    parts = solid.decompose()
    outer = [part for part in parts if part.volume() > 0]  # the wall of a hollow faces inwards
    return solid if len(outer) == len(parts) else Manifold.compose(outer)


class Casting:
    """Metal to be joined, what is taken out at the end, and stones, all in the axes of the piece."""

    def __init__(self, *metal: Manifold) -> None:
        self.metal: list[Manifold] = list(metal)
        self.taken: list[Manifold] = []
        self.stones: list[Stone] = []

    def add(self, *metal: Manifold) -> "Casting":
        """More metal."""
        self.metal += metal
        return self

    def take(self, *taken: Manifold) -> "Casting":
        """What is taken out of all metal, whenever it was added."""
        self.taken += taken
        return self

    def solid(self) -> Manifold:
        """The casting in one piece."""
        return joined(self.metal, self.taken)

    def set_stone(
        self,
        stone: Seating,
        species: str,
        place: Array,
        name: str,
        setting: str = "claws",
        foot: float | None = None,
        claws: int | None = None,
        spread: float | None = None,
    ) -> None:
        """A stone with its girdle plane at `place` (3, 4), in "claws" or a "bezel"; a pearl always gets cup and peg.

        `foot` is how deep under the girdle its head ends: by default `foot_depth`. `claws` by default the fewest.
        """
        depth = foot_depth(stone, setting) if foot is None else foot
        self.stones.append(make_stone(name, species, stone.cut, stone.width, stone.length, place))
        taken = [stone.room]
        if stone.cut == "pearl":
            metal = pearl_cup(stone.width)
            reach = max(depth - 0.55 * stone.width, 0.3)
            metal.append(
                Manifold.cylinder(reach, 0.16 * stone.width + 0.3, circular_segments=32).translate((0, 0, -depth))
            )
        elif setting == "bezel":
            metal, cuts = bezel(stone, BEZEL_WALL_MM, depth, 0.8 if spread is None else spread)
            taken += cuts
        else:
            number = min(CLAWS[stone.cut]) if claws is None or claws not in CLAWS[stone.cut] else claws
            metal = claw_head(stone, number, claw_wire(stone.width), depth, 0.5 if spread is None else spread)
        self.add(*(part.transform(place) for part in metal))
        self.take(*(part.transform(place) for part in taken))

    def set_halo(self, centre: Seating, melee_mm: float, species: str, place: Array, name: str) -> float:
        """A ring of melee round a stone that is set at `place`, on a plate level with its girdle.

        Returns how far the plate reaches outside of the girdle, mm.
        """
        gap = 0.3
        outer = gap + melee_mm + 1.0
        small = seating("round brilliant", melee_mm)
        line = centre.offset(gap + 0.5 + melee_mm / 2)
        row = pave.flat_row(line, -0.06, melee_mm, 0.22, multiple=2)
        plate = pave.halo_plate(centre, gap, outer, 0.0, max(1.3, small.pavilion + 0.85))
        self.add(plate.transform(place))
        self.pave_row(small, row, species, place, name, closed=True)
        return outer

    def pave_row(
        self,
        small: Seating,
        row: Array,
        species: str,
        place: Array,
        name: str,
        closed: bool,
        depth: float | None = None,
    ) -> None:
        """A row of small stones (k, 3, 4), placed by `place`, each held by the beads that it shares with the next.

        `depth` of the hole behind each, mm under the girdle: by default just past the culet, so that the back is whole.
        """
        row = np.stack([after(place, each) for each in row])
        hole = small.pavilion + 0.15 if depth is None else depth
        # where a row turns sharply its beads run into each other: they are joined one by one
        self.add(*pave.beads(small, row, closed, bead_radius(small.width), 0.45).decompose())
        self.take(pave.seats(small, row, hole))
        for k, each in enumerate(row):
            self.stones.append(make_stone(f"{name} {k + 1:02d}", species, small.cut, small.width, small.length, each))

    def scattered(self, small: Seating, places: Array, species: str, place: Array, name: str) -> None:
        """Small stones that stand apart (k, 3, 4), placed by `place`, each held by four beads of its own."""
        row = np.stack([after(place, each) for each in places])
        radius = bead_radius(small.width)
        reach = small.width / 2 + radius - pave.BEAD_COVER_MM
        corners = [np.column_stack([np.eye(3), [u * reach, v * reach, 0.0]]) for u, v in DIAGONALS]
        spots = np.stack([after(each, corner) for each in row for corner in corners])
        self.add(copies(pave.bead(radius, 0.45, 0.62 * small.crown + 0.5 * radius), spots))
        self.take(pave.seats(small, row, small.pavilion + 0.15))
        for k, each in enumerate(row):
            self.stones.append(make_stone(f"{name} {k + 1:02d}", species, small.cut, small.width, small.length, each))


DIAGONALS = tuple((float(np.cos(a)), float(np.sin(a))) for a in np.radians([45, 135, 225, 315]))


def bead_radius(stone_mm: float) -> float:
    """Radius, mm, of the beads that hold small stones of `stone_mm`; never thinner than 0.6 mm across."""
    return float(np.clip(0.22 * stone_mm, 0.3, 0.45))


def foot_depth(stone: Seating, setting: str = "claws") -> float:
    """How deep under its girdle a head ends that holds `stone` clear of what is behind it, mm."""
    if stone.cut == "pearl":
        return 0.72 * stone.width
    return stone.pavilion + (0.55 if setting == "bezel" else BACK_MM)


def reach(stone: Seating, setting: str = "claws") -> float:
    """How far metal stands out beyond the girdle, mm."""
    if stone.cut == "pearl":
        return 0.0
    return BEZEL_WALL_MM if setting == "bezel" else 0.68 * claw_wire(stone.width)


def extent(solids: Sequence[Manifold]) -> tuple[Array, Array]:
    """The corners (3,) of the bounding box of all solids, mm."""
    boxes = np.array([solid.bounding_box() for solid in solids])
    return boxes[:, :3].min(axis=0), boxes[:, 3:].max(axis=0)
