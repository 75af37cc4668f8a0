"""Lines of stones, each in four claws on a link that is hinged to the next: tennis bracelets and rivieres."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, mm, register, share
from jewel_assets.shape.designs.bracelets import round_the_wrist
from jewel_assets.shape.gems import SPECIES, make_stone
from jewel_assets.shape.gems.cuts import proportions
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.links import lay, necklace_curve
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.stone_line import clasp_box, stone_link
from jewel_assets.shape.piece import Body, Piece

LINE_CUTS = ("round brilliant", "princess", "oval", "emerald", "cushion")
_SPECIES = tuple(name for name in SPECIES if not name.endswith("pearl"))
_DRAWN = ("diamond", "sapphire", "ruby", "emerald", "aquamarine", "amethyst")


class StoneLine(Design):
    """What all lines of stones have: their stones, and a box clasp. Every link moves; all share one mesh."""

    ordered: ClassVar[frozenset[str]] = Design.ordered | {"length_mm"}
    cut: str = choice("round brilliant", LINE_CUTS, "cut of the stones")
    species: str = choice("diamond", _SPECIES, "what they are")
    second_species: str = choice("diamond", _SPECIES, "what every second one is")
    stone_width_mm: float = mm(3.4, 2.5, 7.0, "width of the stones")
    stone_ratio: float = share(1.0, 1.0, 1.6, "length over width, the length across the line")
    length_mm: float = mm(180.0, 155.0, 480.0, "length with its clasp")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Stones as they are cut."""
        low, high = proportions(fit["cut"]).ratios
        fit.at_least("stone_ratio", low, f"a {fit['cut']} is cut {low:g} to {high:g} times as long as wide")
        fit.at_most("stone_ratio", min(high, 1.6), f"a {fit['cut']} is cut {low:g} to {high:g} times as long as wide")

    @classmethod
    def drawn_stones(cls, rng: Generator, cuts: Sequence[float], diamonds: float) -> dict[str, Any]:
        """Stones at random: `cuts` are the shares of `LINE_CUTS`, `diamonds` that of diamonds."""
        rest = (1 - diamonds) / (len(_DRAWN) - 1)
        species = str(rng.choice(_DRAWN, p=[diamonds, *[rest] * (len(_DRAWN) - 1)]))
        cut = str(rng.choice(LINE_CUTS, p=cuts))
        return {
            "cut": cut,
            "species": species,
            "second_species": "diamond" if rng.random() < 0.25 else species,
            "stone_ratio": proportions(cut).ratio,
        }

    def laid(self, curve: Array, roll_deg: float, air: float = 0.2) -> Piece:
        """The line along the closed `curve`, from its start on; the clasp lies opposite.

        The stones face `roll_deg` about the line. `air` mm between the claws of neighbours: more where the line bends
        in its own plane.
        """
        low, high = proportions(self.cut).ratios
        width = self.stone_width_mm
        stone = seating(self.cut, width, width * float(np.clip(self.stone_ratio, low, high)))
        link = stone_link(stone, air)
        long = max(9.0, 2.2 * link.pitch)
        each = max(3, round((self.length_mm - long) / link.pitch / 2))
        wide = max(2.6, 0.8 * stone.length)
        box = clasp_box(long, wide, max(2.6, -link.level + 0.9), link.level)
        number = 2 * each + 1
        # an odd number, the first one in the middle of the front, the clasp after half of them
        taken = np.full((number + 1, 2), link.pitch / 2)
        taken[each + 1] = long / 2
        rolls = np.full(number + 1, roll_deg)
        places = lay(taken, curve, rolls, closed=True, start=-link.pitch / 2)
        # the hinges lie on the curve's length, not the girdles: the line keeps its length where the links meet
        down = np.column_stack([np.eye(3), [0.0, 0.0, -link.level]])
        bodies: list[Body] = []
        groups: list[tuple[str, ...]] = []
        for k, place in enumerate(places):
            at = np.column_stack([place[:, :3], place[:, :3] @ down[:, 3] + place[:, 3]])
            if k == each + 1:
                bodies.append(self.metal_body("clasp", box.transform(at)))
                groups.append(("clasp",))
                continue
            n = k + 1 if k <= each else k
            bodies.append(self.metal_body(f"link {n:02d}", link.solid.transform(at)))
            groups.append((f"link {n:02d}",))
            kind = (self.species, self.second_species)[min(k, number + 1 - k) % 2]
            bodies.append(make_stone(f"stone {n:02d}", kind, stone.cut, stone.width, stone.length, at))
        return self.piece(bodies, groups)


@register
class TennisBracelet(StoneLine):
    """A line of stones round the wrist, with a box clasp."""

    category: ClassVar[str] = "bracelet"
    family: Literal["tennis bracelet"] = "tennis bracelet"
    length_mm: float = mm(180.0, 155.0, 220.0, "length with its clasp")
    stone_width_mm: float = mm(3.4, 2.5, 6.0, "width of the stones")
    roundness: float = share(0.9, 0.75, 1.0, "height over width as it stands")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly diamonds, and mostly round ones."""
        return cls.nearest(
            **cls.drawn_stones(rng, (0.52, 0.12, 0.14, 0.12, 0.1), 0.5),
            metal=str(rng.choice(["18k-white", "18k-white", "950-platinum", "18k-yellow", "18k-rose"])),
            length_mm=float(rng.uniform(168, 192)),
            stone_width_mm=float(rng.uniform(2.8, 4.6)),
            roundness=float(rng.uniform(0.8, 1.0)),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`."""
        return self.laid(round_the_wrist(self.length_mm, self.roundness), 90.0)


@register
class Riviere(StoneLine):
    """A line of stones round the neck, with a box clasp."""

    category: ClassVar[str] = "necklace"
    family: Literal["riviere"] = "riviere"
    length_mm: float = mm(410.0, 360.0, 480.0, "length with its clasp")
    stone_width_mm: float = mm(4.2, 2.8, 7.0, "width of the stones")
    drape: float = share(0.15, 0.0, 0.3, "how pointed it lies")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly diamonds, and mostly round ones."""
        return cls.nearest(
            **cls.drawn_stones(rng, (0.55, 0.08, 0.15, 0.12, 0.1), 0.45),
            metal=str(rng.choice(["18k-white", "18k-white", "950-platinum", "18k-yellow"])),
            length_mm=float(rng.uniform(380, 430)),
            stone_width_mm=float(rng.uniform(3.6, 6.0)),
            drape=float(rng.uniform(0.0, 0.25)),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`."""
        air = 0.2 + 0.06 * self.stone_width_mm * self.stone_ratio
        return self.laid(necklace_curve(self.length_mm, self.drape, 0.86), 180.0, air)
