"""Pendants, each with the bail that a chain runs through: what all of them have, bars and solitaires.

The category is "necklace"; families that put a pendant on a chain are in `necklaces`. Discs, hearts and medallions are
in `pendants_plates`, drops in `pendants_drops`, lockets in `lockets`.
"""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, count, mm, register, seed
from jewel_assets.shape.designs.jewels import STONES, StoneJewel, draw_metal, draw_stone
from jewel_assets.shape.designs.pairs import Assembly
from jewel_assets.shape.parts.casting import Casting, front
from jewel_assets.shape.parts.charms import Halo, stone_charm
from jewel_assets.shape.parts.curves import Array, rounded_rectangle
from jewel_assets.shape.parts.findings import bail, bail_over, eye, moved
from jewel_assets.shape.parts.medallions import eye_height, neck
from jewel_assets.shape.parts.outlines import facing, outline, plate
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.surfaces import hammered, twisted_wire
from jewel_assets.shape.parts.sweep import sweep
from jewel_assets.shape.piece import Piece

EYE_MM = 2.0
WIRE_MM = 1.0


class Pendant(Design):
    """What every pendant has: a bail."""

    category: ClassVar[str] = "necklace"

    bail_mm: float = mm(7.0, 5.0, 12.0, "height of the bail")
    bail_width_mm: float = mm(3.0, 1.8, 6.0, "width of the bail on top")

    @classmethod
    def draw_bail(cls, rng: Generator) -> dict[str, Any]:
        """A metal, and a bail for a fine chain."""
        return {"metal": draw_metal(rng), "bail_mm": rng.uniform(6, 8.5), "bail_width_mm": rng.uniform(2.2, 3.8)}


def with_bail(design: Any, body: Casting, top: float = 0.0, name: str = "pendant") -> Assembly:
    """The casting `body`, whose eye (round y) has its middle at (0, 0, `top`), and the bail that runs through it."""
    one = Assembly(design.metal)
    one.cast(name, body, moves=False)
    strap = bail(design.bail_mm, design.bail_width_mm, 0.9, 1.0)
    one.cast("bail", strap, at=(0.0, 0.0, bail_over(top, EYE_MM)))
    return one


def eyed(edge: Array, thickness: float) -> tuple[Casting, float]:
    """An eye on top of an outline whose plate is `thickness` mm thick, its back at y = 0; and how high it stands."""
    up = eye_height(edge, EYE_MM, WIRE_MM)
    body = Casting(moved(eye(EYE_MM, WIRE_MM, "y"), (0.0, -thickness / 2, up)))
    return body.add(*(facing(part) for part in neck(edge, up, EYE_MM, WIRE_MM, thickness / 2))), up


def centred(body: Casting, y: float, up: float) -> Casting:
    """The same casting, moved so that its eye, at (0, `y`, `up`), is the origin."""
    shift = np.column_stack([np.eye(3), [0.0, -y, -up]])
    moved_body = Casting(*(part.transform(shift) for part in body.metal))
    moved_body.take(*(part.transform(shift) for part in body.taken))
    one = Assembly("18k-yellow", list(body.stones)).placed(shift)
    moved_body.stones = [stone for stone in one.bodies]  # type: ignore[misc]  # noqa: C416
    return moved_body


@register
class Bar(Pendant):
    """A bar, hanging or lying: polished, hammered, twisted, or set with a row of stones."""

    family: Literal["bar pendant"] = "bar pendant"
    direction: str = choice("hanging", ("hanging", "lying"), "how the bar lies")
    long_mm: float = mm(28.0, 14.0, 46.0, "length of the bar")
    width_mm: float = mm(3.6, 2.0, 8.0, "width of the bar")
    thickness_mm: float = mm(1.7, 1.2, 3.0, "thickness of the bar")
    finish: str = choice("polished", ("polished", "hammered", "twisted", "stones"), "its face")
    stones: int = count(7, 1, 24, "stones in its row")
    stone_mm: float = mm(1.8, 1.0, 3.0, "diameter of these stones")
    species: str = choice("diamond", STONES, "what they are")
    chance: int = seed(0, "where the dents fall")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Stones need metal beside and below them."""
        if fit["finish"] == "stones":
            fit.at_least("width_mm", fit["stone_mm"] + 1.3, "the stones need metal on both sides",
                         instead=("stone_mm", fit["width_mm"] - 1.3))  # fmt: skip
            fit.at_least("thickness_mm", 0.43 * fit["stone_mm"] + 1.1, "the stones reach through")
            most = int((fit["long_mm"] - 3.0) / (fit["stone_mm"] + 0.25))
            fit.at_most("stones", max(1, most), "the row is longer than the bar")
        if fit["finish"] == "twisted":
            fit.at_most("width_mm", 4.0, "so thick a rope is too heavy")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Slender bars."""
        stones = bool(rng.random() < 0.4)
        stone = rng.uniform(1.4, 2.3)
        return cls.nearest(
            **cls.draw_bail(rng),
            direction=str(rng.choice(["hanging", "lying"], p=[0.65, 0.35])),
            long_mm=rng.uniform(20, 36),
            width_mm=stone + rng.uniform(1.4, 2.0) if stones else rng.uniform(2.6, 5.0),
            thickness_mm=rng.uniform(1.5, 2.0),
            finish="stones" if stones else str(rng.choice(["polished", "hammered", "hammered", "twisted"])),
            stones=int(rng.choice([1, 3, 5, 9, 15, 20])),
            stone_mm=stone,
            species="diamond" if rng.random() < 0.7 else str(rng.choice(["sapphire", "ruby", "emerald", "aquamarine"])),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "pendant", "bail", its stones."""
        long, wide, thick = self.long_mm, self.width_mm, self.thickness_mm
        flat = self.direction == "lying"
        box = (long, wide) if flat else (wide, long)
        body, up = eyed(outline("bar", *box, 128), thick)
        if self.finish == "twisted":
            thick = wide
            body, up = eyed(rounded_rectangle(*box, 0.2, 8), thick)
            end = np.array([long / 2, 0.0, 0.0] if flat else [0.0, 0.0, long / 2])
            line = np.stack([-end, end]) + np.array([0.0, -thick / 2, 0.0])
            body.add(twisted_wire(line, wide, 3 if wide > 2.4 else 2, 2.6 * wide))
            for side in (-1, 1):
                tip = side * end + (0.0, -thick / 2, 0.0)
                along = end / (long / 2) * side
                body.add(
                    sweep(rounded_rectangle(1.1 * wide, 1.1 * wide, 0.5 * wide, 6), np.stack([tip - 1.2 * along, tip]))
                )
        else:
            solid = plate(outline("bar", *box, 128), thick, 0.3)
            if self.finish == "hammered":
                dent = float(np.clip(0.75 * wide, 1.7, 2.8))
                solid = hammered(solid, dent, 0.075 * dent, self.chance, lambda _, n: np.clip(4 * n[:, 2] - 1, 0, 1))
            body.add(facing(solid))
        if self.finish == "stones":
            small = seating("round brilliant", self.stone_mm)
            pitch = self.stone_mm + 0.22
            at = (np.arange(self.stones) - (self.stones - 1) / 2) * pitch
            # each place lies along the row: its x is the row's direction
            turn = np.eye(3) if flat else np.array([[0.0, -1, 0], [1.0, 0, 0], [0, 0, 1.0]])
            row = np.stack([np.column_stack([turn, turn @ [x, 0.0, 0.0]]) for x in at])
            body.pave_row(small, row, self.species, front(height=thick - 0.06), "stone", closed=False)
        return with_bail(self, centred(body, -thick / 2, up)).piece(self)


@register
class SolitairePendant(StoneJewel, Pendant):
    """One stone on a bail: in claws, in a bezel, within a halo, or a pearl under its cap."""

    family: Literal["solitaire pendant"] = "solitaire pendant"
    halo: str = choice("none", ("none", "halo"), "whether small stones surround it")
    melee_mm: float = mm(1.3, 1.0, 1.8, "diameter of these")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A halo goes round a faceted stone in claws."""
        super().rules(fit)
        if fit["halo"] == "halo":
            fit.one_of("setting", ("claws",), "within a halo the stone stands in claws")
            if fit["cut"] in ("cabochon", "pearl"):
                fit.one_of("halo", ("none",), f"a halo stands level with a girdle, and a {fit['cut']} has none")
        if fit["cut"] == "pearl":
            fit.at_least("stone_width_mm", 5.0, "its cap would hide a smaller pearl")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Every cut; two in five with a halo."""
        halo = bool(rng.random() < 0.4)
        stone = draw_stone(rng, float(np.clip(rng.lognormal(np.log(7.0), 0.22), 4.5, 12)), pearls=0.0 if halo else 0.12)
        return cls.nearest(
            **cls.draw_bail(rng),
            **(stone | ({"setting": "claws"} if halo else {})),
            halo="halo" if halo else "none",
            melee_mm=rng.uniform(1.1, 1.5),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "pendant", "bail", "stone", its halo."""
        halo = Halo(self.melee, self.melee_mm) if self.halo == "halo" else None
        charm = stone_charm(self.stone, self.species, self.setting, halo=halo)
        one = Assembly(self.metal)
        one.cast("pendant", charm.casting, moves=False)
        # a charm's eye is smaller than a pendant's
        one.cast("bail", bail(self.bail_mm, self.bail_width_mm, 0.8, 0.9), at=(0.0, 0.0, bail_over(0.0, 1.7, 0.16)))
        return one.piece(self)
