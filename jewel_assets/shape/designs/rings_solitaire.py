"""The solitaire: one stone on a shank, in claws or a bezel, with or without cathedral shoulders."""

from typing import Literal, Self

import numpy as np
from numpy.random import Generator

from jewel_assets.shape.designs.base import Fit, choice, degrees, register
from jewel_assets.shape.designs.rings_stone import StoneRing, cathedral, joined, mount, split, upright
from jewel_assets.shape.parts.settings import claw_lean
from jewel_assets.shape.piece import Piece

CUT_SHARES = {
    "round brilliant": 0.36, "oval": 0.15, "emerald": 0.1, "cushion": 0.1, "princess": 0.09, "pear": 0.08,
    "marquise": 0.05, "cabochon": 0.04, "pearl": 0.03,
}  # fmt: skip
"""How often each cut is drawn: roughly what engagement rings are sold with, and every cut now and then."""


@register
class Solitaire(StoneRing):
    """An engagement ring with one stone."""

    family: Literal["solitaire"] = "solitaire"
    setting: str = choice("claws", ("claws", "bezel"), "what holds the stone")
    shoulders: str = choice("plain", ("plain", "cathedral"), "whether arches rise from the shank to the head")
    shoulder_deg: float = degrees(38.0, 25.0, 60.0, "where cathedral shoulders leave the shank, from the top")
    direction: str = choice("north-south", ("north-south", "east-west"), "how the length of the stone lies on the finger")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """As every stone ring; arches need a head high enough to meet."""
        super().rules(fit)
        if fit["shoulders"] == "cathedral":
            fit.at_least("head_height_mm", 2.2, "cathedral shoulders need a head that they can rise to")
            if fit["cut"] in ("cabochon", "pearl"):
                fit.one_of("shoulders", ("plain",), f"there is no gallery under a {fit['cut']} for arches to meet")
        if fit["cut"] == "pearl":
            fit.one_of("setting", ("claws",), "a pearl is glued on a peg in a cup, not rubbed over")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly claws; a third with cathedral shoulders."""
        values = cls.draw_worn(rng) | cls.draw_stone(rng, CUT_SHARES)
        bezel = bool(rng.random() < (0.75 if values["cut"] == "cabochon" else 0.25))
        long = values["stone_ratio"] > 1.25 and rng.random() < 0.15
        return cls.nearest(
            **values,
            setting="bezel" if bezel else "claws",
            shoulders="cathedral" if values["cut"] not in ("cabochon", "pearl") and rng.random() < 0.35 else "plain",
            shoulder_deg=rng.uniform(32, 48),
            direction="east-west" if long else "north-south",
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "shank", "head", "centre stone"."""
        stone, turn = self.stone, 90.0 if self.direction == "east-west" else 0.0
        spread = max(self.head_spread, 0.62) if self.setting == "bezel" else self.head_spread
        half = (stone.length if turn else stone.width) / 2
        foot = self.foot(spread * half)
        head = mount(
            stone, self.species, "centre stone", self.setting, self.claws, self.claw_mm, foot, spread,
            upright(self.girdle, turn),
        )  # fmt: skip
        metal = [self.shank_solid(detail), *head.metal]
        if self.shoulders == "cathedral":
            level = -0.42 * foot
            reach = float(np.abs(claw_lean(stone, self.claw_mm, foot, spread, level)[:, 1 if turn else 0]).max())
            metal += cathedral(
                self.outside, 0.9 * self.shank_top_mm, 1.25, self.shoulder_deg, reach, self.girdle + level
            )
        casting = joined(metal, [*head.taken, self.finger(detail)])
        return self.piece([*split(self, casting, self.outside + 0.02), head.stone])
