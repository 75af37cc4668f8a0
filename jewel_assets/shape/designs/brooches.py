"""Brooches: a spray of leaves, a circle, a bow, each on a pin with hinge and catch."""

from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, count, degrees, mm, register, seed, share
from jewel_assets.shape.designs.jewels import STONES, StoneJewel, draw_metal, draw_stone
from jewel_assets.shape.designs.pairs import Assembly
from jewel_assets.shape.parts.casting import Casting, foot_depth, front
from jewel_assets.shape.parts.curves import Array, area, ring_curve, rounded_rectangle, smooth_curve
from jewel_assets.shape.parts.findings import brooch_pin
from jewel_assets.shape.parts.frames import paved_frame
from jewel_assets.shape.parts.outlines import facing, outline, plate, region_of, rim_line
from jewel_assets.shape.parts.pave import flat_row
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.surfaces import hammered, leaf, milgrain, twisted_wire, vine
from jewel_assets.shape.parts.surfaces.foliage import laid
from jewel_assets.shape.parts.sweep import sweep, tube
from jewel_assets.shape.piece import Piece, Stone


class Brooch(Design):
    """What every brooch has: a pin behind it."""

    category: ClassVar[str] = "jewelry"


def pinned(design: Design, body: Casting, start: Array, end: Array) -> Assembly:
    """The casting `body`, its back at y = 0 at `start` and `end` (x, z), with hinge and catch there, and its pin."""
    way = np.asarray(end, dtype=np.float64) - start
    span = float(np.linalg.norm(way))
    middle = (np.asarray(start) + end) / 2
    angle = float(np.degrees(np.arctan2(way[1], way[0])))
    fixed, stem = (
        part.rotate((0.0, -angle, 0.0)).translate((float(middle[0]), 0.0, float(middle[1])))
        for part in brooch_pin(round(span, 3))
    )
    one = Assembly(design.metal)
    one.cast("brooch", body.add(fixed), moves=False)
    one.cast("pin", stem)
    return one


@register
class Spray(Brooch):
    """A spray: a bent stem with leaves, berries and tendrils, and stones like blossoms at its ends."""

    family: Literal["spray brooch"] = "spray brooch"
    long_mm: float = mm(44.0, 28.0, 70.0, "length of the stem")
    lean_deg: float = degrees(35.0, 0.0, 75.0, "how steeply the spray rises to the right")
    bend: float = share(0.14, -0.25, 0.25, "how far the stem is bent, as a share of its length")
    leaf_mm: float = mm(12.0, 8.0, 18.0, "length of the largest leaves")
    leaves: int = count(7, 3, 12, "leaves")
    berries: int = count(3, 0, 6, "berries of metal")
    blossoms: int = count(2, 0, 4, "stones in bezels beside the stem")
    stone_mm: float = mm(4.0, 3.0, 7.0, "diameter of these stones")
    species: str = choice("garnet", STONES, "what they are")
    stem_mm: float = mm(1.4, 1.1, 2.2, "thickness of the stem at its foot")
    chance: int = seed(0, "where leaves and berries grow")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Leaves that the stem can carry."""
        fit.at_most("leaf_mm", 0.34 * fit["long_mm"], "the leaves would hide the stem")
        fit.at_most(
            "leaves", int(0.9 * fit["long_mm"] / (0.4 * fit["leaf_mm"])), "the leaves would lie over each other"
        )

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Bent either way, with or without stones."""
        return cls.nearest(
            metal=draw_metal(rng),
            long_mm=rng.uniform(36, 56),
            lean_deg=rng.uniform(10, 60),
            bend=rng.choice([-1, 1]) * rng.uniform(0.07, 0.2),
            leaf_mm=rng.uniform(10, 15),
            leaves=int(rng.integers(5, 10)),
            berries=int(rng.integers(0, 5)),
            blossoms=int(rng.choice([0, 1, 2, 3])),
            stone_mm=rng.uniform(3.5, 5.5),
            species=str(rng.choice(["garnet", "diamond", "sapphire", "ruby", "peridot", "amethyst", "citrine"])),
            stem_mm=rng.uniform(1.3, 1.7),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "brooch", "pin", its stones."""
        level, long = 1.0, self.long_mm
        lean = np.radians(self.lean_deg)
        turn = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
        t = np.linspace(-0.5, 0.5, 9)
        flat = np.column_stack([long * t, self.bend * long * (1 - 4 * t**2)]) @ turn.T
        line = smooth_curve(np.column_stack([flat, np.full(9, level)]), 80)
        body = Casting(
            *(
                facing(part)
                for part in vine(
                    line, self.stem_mm, self.leaf_mm, self.leaves, self.berries, self.chance, 1.0, tendrils=0
                )
            )
        )
        # a straight bar behind the bent stem carries hinge and catch
        start, end = line[round(0.12 * 79)], line[round(0.74 * 79)]
        bar = sweep(rounded_rectangle(1.6, 1.2, 0.3), [(*start[:2], 0.6), (*end[:2], 0.6)], up=(0, 0, 1))
        body.add(facing(bar))
        self._blossoms(body, line, level)
        return pinned(self, body, start[:2], end[:2]).piece(self)

    def _blossoms(self, body: Casting, line: Array, level: float) -> None:
        """Stones in bezels on short stalks, on both sides in turn."""
        stone = seating("round brilliant", self.stone_mm)
        depth = foot_depth(stone, "bezel")
        for k in range(self.blossoms):
            i = round((0.1 + 0.72 * (k + 0.5) / self.blossoms) * 79)
            along = line[min(i + 1, 79)] - line[i - 1]
            along /= np.linalg.norm(along)
            side = 1.0 if k % 2 == 0 else -1.0
            beside = side * np.array([-along[1], along[0], 0.0])
            at = line[i] + (0.62 * self.stone_mm + 2.6) * beside + 1.2 * along
            body.add(facing(tube(np.stack([line[i], at]), 0.6, sides=10)))
            height = level + depth - 0.5
            body.set_stone(
                stone,
                self.species,
                front(float(at[0]), float(at[1]), height),
                f"blossom {k + 1}",
                "bezel",
                depth,
                spread=0.8,
            )


CIRCLES = ("twisted", "hammered", "milgrain", "stones", "leaves")


@register
class Circle(Brooch):
    """A circle: a rope, a hammered or beaded ring, a ring of stones, or a wreath of leaves."""

    family: Literal["circle brooch"] = "circle brooch"
    style: str = choice("stones", CIRCLES, "what the ring is")
    diameter_mm: float = mm(34.0, 24.0, 50.0, "diameter of the circle, outside")
    width_mm: float = mm(4.0, 2.4, 9.0, "width of the ring")
    thickness_mm: float = mm(2.1, 1.4, 3.0, "thickness of the ring")
    stone_mm: float = mm(2.2, 1.4, 4.0, "diameter of stones")
    species: str = choice("diamond", STONES, "what they are")
    second: str = choice("sapphire", STONES, "what every other stone is")
    leaves: int = count(14, 8, 22, "leaves of a wreath")
    chance: int = seed(0, "where the dents fall")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Stones need metal beside and below them."""
        if fit["style"] == "stones":
            fit.at_least("width_mm", fit["stone_mm"] + 1.4, "the stones need metal on both sides")
            fit.at_least("thickness_mm", 0.43 * fit["stone_mm"] + 1.1, "the stones reach through")
        if fit["style"] == "twisted":
            fit.at_most("width_mm", 5.0, "so thick a rope is too heavy")
        if fit["style"] == "leaves":
            fit.at_most("leaves", int(np.pi * fit["diameter_mm"] / 4.6), "the leaves would lie over each other")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """All styles in turn."""
        species = str(rng.choice(["diamond", "sapphire", "ruby", "emerald", "amethyst"]))
        return cls.nearest(
            metal=draw_metal(rng),
            style=str(rng.choice(CIRCLES)),
            diameter_mm=rng.uniform(28, 42),
            width_mm=rng.uniform(3.4, 5.5),
            thickness_mm=rng.uniform(1.6, 2.2),
            stone_mm=rng.uniform(1.8, 3.0),
            species=species,
            second=species if rng.random() < 0.5 else "diamond",
            leaves=int(rng.integers(11, 18)),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "brooch", "pin", its stones."""
        wide, thick = self.width_mm, self.thickness_mm
        radius = (self.diameter_mm - wide) / 2
        line = ring_curve(2 * radius, 120, "z") + np.array([0.0, 0.0, thick / 2])
        body = Casting()
        if self.style == "twisted":
            rope = ring_curve(2 * radius, 240, "z") + np.array([0.0, 0.0, wide / 2 - 0.25])
            body.add(facing(twisted_wire(rope, wide, 3, 2.4 * wide, closed=True)))
        elif self.style == "leaves":
            self._wreath(body, radius)
        else:
            ring = sweep(rounded_rectangle(wide, thick, 0.4, 4), line, closed=True, up=(0, 0, 1))
            if self.style == "hammered":
                dent = float(np.clip(0.75 * wide, 1.8, 3.0))
                ring = hammered(
                    ring, dent, 0.07 * dent, self.chance, lambda _, n: np.clip(4 * n[:, 2] - 1, 0, 1), facets=4
                )
            body.add(facing(ring))
            if self.style == "milgrain":
                for side in (-1, 1):
                    at = ring_curve(2 * (radius + side * (wide / 2 - 0.5)), 200, "z") + np.array([0.0, 0.0, thick])
                    body.add(facing(milgrain(at, 0.85, closed=True)))
            if self.style == "stones":
                self._stones(body, radius)
        x = radius * np.cos(np.radians(24.0))
        z = radius * np.sin(np.radians(24.0))
        return pinned(self, body, np.array([-x, z]), np.array([x, z])).piece(self)

    def _stones(self, body: Casting, radius: float) -> None:
        small = seating("round brilliant", self.stone_mm)
        row = flat_row(ring_curve(2 * radius, 200, "z")[:, :2], 0.0, self.stone_mm, 0.25, multiple=2)
        body.pave_row(small, row, self.species, front(height=self.thickness_mm - 0.06), "stone", closed=True)
        if self.second != self.species:
            body.stones = [
                replace(stone, material=self.second) if k % 2 else stone for k, stone in enumerate(body.stones)
            ]

    def _wreath(self, body: Casting, radius: float) -> None:
        body.add(facing(tube(ring_curve(2 * radius, 100, "z") + np.array([0.0, 0.0, 0.8]), 0.8, closed=True)))
        size = 2 * np.pi * radius / self.leaves * 1.35
        blade = leaf(size, 0.5 * size, 1.0, 0.1, 0.2, 4, rings=28, across=13)
        for k in range(self.leaves):
            a = 2 * np.pi * k / self.leaves
            out, along = np.array([np.cos(a), np.sin(a), 0.0]), np.array([-np.sin(a), np.cos(a), 0.0])
            lean = np.radians(30 if k % 2 else -30)
            body.add(facing(laid(blade, radius * out + (0, 0, 0.95), np.cos(lean) * along + np.sin(lean) * out)))


@register
class Bow(StoneJewel, Brooch):
    """A bow of ribbon: two loops, two tails, and a stone for its knot."""

    family: Literal["bow brooch"] = "bow brooch"
    width_mm: float = mm(40.0, 26.0, 60.0, "width of the bow")
    loop: float = share(0.62, 0.5, 0.85, "height of a loop over its length")
    ribbon_mm: float = mm(2.6, 2.0, 4.5, "width of the ribbon")
    thickness_mm: float = mm(1.7, 1.4, 2.6, "thickness of the ribbon")
    tail_mm: float = mm(16.0, 8.0, 30.0, "length of the tails")
    face: str = choice("stones", ("polished", "milgrain", "stones"), "what the ribbon shows")
    melee_mm: float = mm(1.3, 1.0, 1.8, "diameter of the small stones")
    setting: str = choice("bezel", ("bezel",), "what holds the main stone")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A knot that the bow can carry."""
        # before what all stones share, which would put a pearl into a cup
        fit.one_of("cut", ("round brilliant", "oval", "cushion", "cabochon", "emerald", "pear"), "the knot is round")
        super().rules(fit)
        fit.at_most("stone_width_mm", 0.24 * fit["width_mm"], "the stone would hide the bow")
        fit.at_least("stone_width_mm", 4.0, "the knot must cover where the loops meet")
        fit.at_least("thickness_mm", 0.43 * fit["melee_mm"] + 1.1, "the stones reach through")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """With small stones, beads or a plain ribbon."""
        cuts = {"round brilliant": 0.4, "oval": 0.25, "cushion": 0.2, "cabochon": 0.15}
        return cls.nearest(
            **draw_stone(rng, rng.uniform(5.5, 8), cuts, pearls=0.0) | {"setting": "bezel"},
            metal=draw_metal(rng),
            width_mm=rng.uniform(34, 50),
            loop=rng.uniform(0.55, 0.75),
            ribbon_mm=rng.uniform(2.3, 3.4),
            thickness_mm=rng.uniform(1.6, 2.0),
            tail_mm=rng.uniform(12, 22),
            face=str(rng.choice(["polished", "milgrain", "stones"], p=[0.3, 0.25, 0.45])),
            melee_mm=rng.uniform(1.1, 1.5),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "brooch", "pin", "knot" (its stone), "melee" stones."""
        thick = self.thickness_mm
        long = self.width_mm / 2
        loop = outline("drop", self.loop * long, long, 120)
        body = Casting()
        ribbon = self.melee_mm + 1.3 if self.face == "stones" else self.ribbon_mm
        # the point of the drop lies in the middle of the bow; the left loop mirrors the right one
        turned = np.column_stack([long / 2 - loop[:, 1], loop[:, 0]])
        turned = turned if area(turned) > 0 else turned[::-1]
        right = Casting()
        if self.face == "stones":
            paved_frame(right, turned, thick, self.melee_mm, self.melee)
            clear = self.stone.length / 2 + 1.4 + self.melee_mm / 2
            right.stones = [s for s in right.stones if np.hypot(s.placement[0, 3], s.placement[2, 3]) > clear]
        else:
            hole = region_of(turned).offset(-ribbon)
            right.add(facing(plate(turned, thick, 0.3) - hole.extrude(3 * thick).translate((0, 0, -thick))))
            if self.face == "milgrain":
                ring = rim_line(turned, 0.55, 0.4, 400)
                right.add(facing(milgrain(np.column_stack([ring, np.full(len(ring), thick)]), 0.8, closed=True)))
        right.add(facing(self._tail(1, ribbon)))
        half = Assembly(self.metal)
        half.cast("loop", right)
        for name, each in (("right", half), ("left", half.mirrored())):
            body.add(each.bodies[0].solid)
            body.stones += [s for s in each.named(name).bodies if isinstance(s, Stone)]
        stone = self.stone
        depth = foot_depth(stone, "bezel")
        body.set_stone(stone, self.species, front(height=depth + 0.2), "knot", "bezel", depth, spread=0.9)
        reach = self.width_mm / 2 - ribbon / 2
        return pinned(self, body, np.array([-reach, 0.0]), np.array([reach, 0.0])).piece(self)

    def _tail(self, side: int, ribbon: float) -> Manifold:
        """A tail: a ribbon that leaves the knot downwards, widens and ends in a slanted cut."""
        long = self.tail_mm
        knots = np.array([(0.0, 0.0), (side * 0.2 * long, -0.42 * long), (side * 0.5 * long, -0.95 * long)])
        line = smooth_curve(np.column_stack([knots, np.full(3, 0.6 * self.thickness_mm)]), 30)
        scale = np.column_stack([np.linspace(0.7, 1.35, 30), np.ones(30)])
        return sweep(rounded_rectangle(ribbon, 1.2 * self.thickness_mm, 0.4, 4), line, up=(0, 0, 1), scale=scale)
