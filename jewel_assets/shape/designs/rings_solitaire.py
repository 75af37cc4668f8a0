"""The solitaire: one stone on a shank, in claws or a bezel, with or without cathedral shoulders and melee."""

from typing import Literal, Self

import numpy as np
from numpy.random import Generator

from jewel_assets.shape.designs.base import Fit, choice, degrees, mm, register
from jewel_assets.shape.designs.rings_stone import (
    StoneRing,
    cathedral,
    joined,
    melee_band,
    melee_bodies,
    melee_on_shoulders,
    mount,
    split,
    upright,
)
from jewel_assets.shape.parts.pave import beads, seats
from jewel_assets.shape.parts.settings import claw_lean
from jewel_assets.shape.piece import Body, Piece

CUT_SHARES = {
    "round brilliant": 0.36, "oval": 0.15, "emerald": 0.1, "cushion": 0.1, "princess": 0.09, "pear": 0.08,
    "marquise": 0.05, "cabochon": 0.04, "pearl": 0.03,
}  # fmt: skip
"""How often each cut is drawn: roughly what engagement rings are sold with, and every cut now and then."""

SHOULDER_MM = 1.25
"""Thickness of a cathedral shoulder where it leaves the shank; it thins to 0.8 of that at the head."""


@register
class Solitaire(StoneRing):
    """An engagement ring with one stone."""

    family: Literal["solitaire"] = "solitaire"
    setting: str = choice("claws", ("claws", "bezel"), "what holds the stone")
    shoulders: str = choice("plain", ("plain", "cathedral", "melee"), "arches that rise to the head, or a row of melee")
    shoulder_deg: float = degrees(38.0, 25.0, 85.0, "where the shoulders end on the shank, from the top")
    melee_mm: float = mm(1.3, 1.0, 1.8, "width of the melee on the shoulders, where there is some")
    direction: str = choice(
        "north-south", ("north-south", "east-west"), "how the length of the stone lies on the finger"
    )

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """As every stone ring; arches need a head high enough to meet, melee a shank that has room for it."""
        if fit["cut"] == "pearl":
            fit.one_of("setting", ("claws",), "a pearl is glued on a peg in a cup, not rubbed over")
        if fit["cut"] in ("cabochon", "pearl") and fit["shoulders"] == "cathedral":
            fit.one_of("shoulders", ("plain",), f"there is no gallery under a {fit['cut']} for arches to meet")
        super().rules(fit)
        if fit["shoulders"] == "cathedral":
            fit.at_least("head_height_mm", 2.2, "cathedral shoulders need a head that they can rise to")
            fit.at_most("shoulder_deg", 55.0, "cathedral shoulders that leave the shank so low look like a handle")
        if fit["shoulders"] == "melee":
            fit.one_of(
                "profile", ("flat", "flat court", "court", "D"), "melee is set into a flat or gently domed shank"
            )
            band = melee_band(fit["melee_mm"])
            fit.at_least("shank_top_mm", band, "metal must stay beside the melee and the holes under it")
            fit.at_least("shank_width_mm", band, "the melee is set where the shank has begun to narrow")
            fit.at_least(
                "shank_thickness_mm", 0.45 * fit["melee_mm"] + 0.95, "the melee's culets reach into the finger"
            )

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly claws; a quarter with cathedral shoulders, a quarter with melee."""
        values = cls.draw_worn(rng) | cls.draw_stone(rng, CUT_SHARES)
        bezel = bool(rng.random() < (0.75 if values["cut"] == "cabochon" else 0.25)) and values["cut"] != "pearl"
        # across, the ends of a low bezel's hole would come out beside the shank: those are not drawn
        long = values["stone_ratio"] > 1.25 and not bezel and rng.random() < 0.15
        if bezel:  # a bezel sits low: its culet just clears the finger
            values["head_height_mm"] = max(values["head_height_mm"] - rng.uniform(0.6, 1.1), 1.4)
            values["head_spread"] = rng.uniform(0.62, 0.9)
        shoulders = str(rng.choice(["plain", "cathedral", "melee"], p=[0.45, 0.3, 0.25]))
        return cls.nearest(
            **values,
            setting="bezel" if bezel else "claws",
            shoulders=shoulders,
            shoulder_deg=rng.uniform(52, 82) if shoulders == "melee" else rng.uniform(32, 48),
            melee_mm=rng.uniform(1.1, 1.5),
            direction="east-west" if long else "north-south",
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "shank", "head", "centre stone", and "melee 01" and so on."""
        stone, turn = self.stone, 90.0 if self.direction == "east-west" else 0.0
        spread = max(self.head_spread, 0.62) if self.setting == "bezel" else self.head_spread
        half = (stone.length if turn else stone.width) / 2
        spread, foot = self.standing(half, spread)
        head = mount(
            stone, self.species, "centre stone", self.setting, self.claws, self.claw_mm, foot, spread,
            upright(self.girdle, turn),
        )  # fmt: skip
        metal, taken, melee = head.metal, list(head.taken), list[Body]()
        if self.shoulders == "cathedral":
            level = -0.42 * foot
            reach = float(np.abs(claw_lean(stone, self.claw_mm, foot, spread, level)[:, 1 if turn else 0]).max())
            # they end under the stone: beside its girdle they would be taken for claws that are too short
            top = level + 0.4 * SHOULDER_MM
            level -= float(np.clip(top + 0.25 * (stone.crown + stone.pavilion) + 0.05, 0.0, 0.4))
            metal += cathedral(
                self.outside, 0.9 * self.shank_top_mm, SHOULDER_MM, self.shoulder_deg, reach, self.girdle + level
            )
        elif self.shoulders == "melee":
            beside = np.degrees(np.arcsin(min(0.6, (spread * half + 0.5 * self.claw_mm + 0.5) / self.outside)))
            small, rows = melee_on_shoulders(self.outside, self.melee_mm, beside, max(self.shoulder_deg, beside + 12))
            metal += [beads(small, row, False, 0.28, 0.5) for row in rows]
            taken += [seats(small, row, self.shank_thickness_mm + 1) for row in rows]
            melee = melee_bodies("diamond", small, rows)
        casting = joined([self.shank_solid(detail), *self.off_finger(metal, detail)], taken)
        return self.piece([*split(self, casting, self.outside + 0.02), head.stone, *melee])
