"""Rings whose centre stone has company: the halo and cluster, and the three-stone ring."""

from dataclasses import replace
from typing import Literal, Self

import numpy as np
from numpy.random import Generator

from jewel_assets.shape.designs.base import Fit, choice, mm, register, share
from jewel_assets.shape.designs.rings_stone import (
    CENTRE_STONES,
    StoneRing,
    joined,
    melee_band,
    melee_bodies,
    melee_on_shoulders,
    mount,
    split,
    upright,
)
from jewel_assets.shape.gems import PROPORTIONS, SPECIES
from jewel_assets.shape.parts.pave import beads, flat_row, halo_plate, seats
from jewel_assets.shape.parts.settings import BITE, CLAWS, claw_wire, seating
from jewel_assets.shape.piece import Body, Piece

HALO_CUTS = {"round brilliant": 0.35, "oval": 0.2, "cushion": 0.18, "pear": 0.1, "emerald": 0.1, "marquise": 0.07}
THREE_CUTS = {"round brilliant": 0.35, "oval": 0.2, "emerald": 0.15, "cushion": 0.15, "princess": 0.15}
SIDE_CUTS = ("round brilliant", "oval", "pear", "emerald", "princess", "cushion", "marquise")

SYMMETRY = {"round brilliant": 2, "oval": 2, "cushion": 2, "princess": 4, "emerald": 2, "marquise": 2, "cabochon": 2}
"""A halo has a multiple of this many stones, so that it is as symmetric as its centre."""

SHOULDER_MELEE_MM = 1.3


@register
class Halo(StoneRing):
    """A centre stone in a collar of melee; with melee of two millimetres and more it is a cluster."""

    family: Literal["halo"] = "halo"
    melee_mm: float = mm(1.4, 1.0, 2.6, "width of the stones of the halo")
    melee_species: str = choice("diamond", tuple(SPECIES), "what the stones of the halo are")
    drop_mm: float = mm(0.3, 0.0, 1.0, "how far the halo lies below the girdle of the centre stone")
    shoulders: str = choice("plain", ("plain", "melee"), "whether the shank carries melee too")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A faceted centre in claws; a halo that is smaller than its centre and clears the finger."""
        fit.one_of("cut", tuple(cut for cut in CLAWS), "a halo is set round a stone in claws, not round a pearl")
        super().rules(fit)
        fit.one_of("melee_species", tuple(s for s in SPECIES if not s.endswith("pearl")), "melee is faceted")
        fit.at_most(
            "melee_mm", 0.42 * fit["stone_width_mm"], "the halo would outshine its centre",
            instead=("stone_width_mm", fit["melee_mm"] / 0.42),
        )  # fmt: skip
        fit.at_least("head_height_mm", cls.least_height(fit), "the halo would lie on the shank")
        if fit["shoulders"] == "melee":
            fit.one_of(
                "profile", ("flat", "flat court", "court", "D"), "melee is set into a flat or gently domed shank"
            )
            band = melee_band(SHOULDER_MELEE_MM)
            fit.at_least("shank_top_mm", band, "metal must stay beside the melee and the holes under it")
            fit.at_least("shank_width_mm", band, "the melee is set where the shank has begun to narrow")
            fit.at_least("shank_thickness_mm", 1.55, "the melee's culets reach into the finger")

    @classmethod
    def least_height(cls, fit: Fit) -> float:
        """The plate of the halo clears the shank."""
        return float(0.43 * fit["melee_mm"] + fit["drop_mm"] + 1.2)

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Fine halos, and one in five a cluster."""
        values = cls.draw_worn(rng) | cls.draw_stone(rng, HALO_CUTS)
        cluster = rng.random() < 0.2
        values["claw_mm"] *= 0.85
        values["stone_width_mm"] *= 0.9
        values["head_spread"] = rng.uniform(0.4, 0.55)
        return cls.nearest(
            **values,
            melee_mm=rng.uniform(1.9, 2.5) if cluster else rng.uniform(1.15, 1.7),
            drop_mm=rng.uniform(0.0, 0.6),
            shoulders="melee" if rng.random() < 0.45 else "plain",
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "shank", "head", "centre stone", "melee 01" and so on."""
        stone, small = self.stone, seating("round brilliant", self.melee_mm)
        spread, foot = self.standing(stone.width / 2, self.head_spread)
        place = upright(self.girdle)
        thickness = max(0.43 * self.melee_mm + 0.45, 1.05)
        # a gallery rail only where investment can stand between it and the plate above, and the rail below
        rail = (self.drop_mm + thickness + 0.5 * self.claw_mm + 0.45) / foot
        gallery = rail if rail * foot < foot - self.claw_mm - 0.45 else None
        head = mount(
            stone, self.species, "centre stone", "claws", self.claws, self.claw_mm, foot, spread, place, gallery
        )
        beyond = (1 - BITE) * self.claw_mm + 0.04  # the halo's stones stand clear of the claws
        top = -self.drop_mm
        row = flat_row(stone.offset(beyond + self.melee_mm / 2), top, self.melee_mm, multiple=SYMMETRY.get(self.cut, 1))
        radius = float(np.clip(0.2 * self.melee_mm, 0.32, 0.42))
        collar = [
            halo_plate(stone, 0.1, beyond + self.melee_mm + 0.3, top, thickness),
            beads(small, row, True, radius, 0.4),
        ]
        rows = [np.concatenate([row[:, :, :3], (row[:, :, 3] + place[:, 3])[:, :, None]], axis=2)]
        metal = [*head.metal, *(part.transform(place) for part in collar)]
        taken = [*head.taken, seats(small, rows[0], thickness + 0.3)]
        bodies = melee_bodies(self.melee_species, small, rows)
        if self.shoulders == "melee":
            beside = np.degrees(np.arcsin(min(0.6, (spread * stone.width / 2 + self.claw_mm + 0.6) / self.outside)))
            side, arms = melee_on_shoulders(self.outside, SHOULDER_MELEE_MM, beside, max(52.0, beside + 12))
            metal += [beads(side, arm, False, 0.26, 0.5) for arm in arms]
            taken += [seats(side, arm, self.shank_thickness_mm + 1) for arm in arms]
            more = melee_bodies(self.melee_species, side, arms)
            bodies += [_renamed(body, f"shoulder {body.name}") for body in more]
        casting = joined([self.shank_solid(detail), *self.off_finger(metal, detail)], taken)
        return self.piece([*split(self, casting, self.outside + 0.02), head.stone, *bodies])


@register
class ThreeStone(StoneRing):
    """A centre stone between two smaller ones: past, present and future."""

    family: Literal["three-stone"] = "three-stone"
    side_cut: str = choice("round brilliant", SIDE_CUTS, "cut of the side stones; a pear points away from the centre")
    side_species: str = choice("diamond", tuple(SPECIES), "what the side stones are")
    side_share: float = share(
        0.68, 0.4, 0.9, "height of the side stones on the finger, as a share of the centre's length"
    )

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Faceted stones; sides that fit between the centre and the finger."""
        fit.one_of("cut", tuple(cut for cut in CLAWS if cut != "cabochon"), "the three stones are faceted")
        super().rules(fit)
        fit.one_of("side_species", tuple(s for s in SPECIES if not s.endswith("pearl")), "the side stones are faceted")
        fit.at_least("side_share", 2.2 / (fit["stone_width_mm"] * fit["stone_ratio"]), "side stones are 2.2 mm or more")
        least, off = cls.least_height(fit), cls._above_side_culet(fit)
        fit.at_least(
            "head_height_mm", least, "the culets of the side stones would touch the finger",
            instead=("side_share", 0.99 * fit["side_share"] * max(fit["head_height_mm"] - off, 0.3) / (least - off)),
        )  # fmt: skip

    @classmethod
    def least_height(cls, fit: Fit) -> float:
        """The culets of the side stones clear the finger."""
        side = fit["side_share"] * fit["stone_width_mm"] * fit["stone_ratio"]
        return float(PROPORTIONS[fit["side_cut"]].pavilion * side + cls._above_side_culet(fit))

    @staticmethod
    def _above_side_culet(fit: Fit) -> float:
        return float(0.65 - fit["shank_thickness_mm"] + 0.12 * fit["stone_width_mm"])

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Sides like the centre, or pears and small brilliants beside it."""
        values = cls.draw_worn(rng) | cls.draw_stone(rng, THREE_CUTS)
        same = values["cut"] if rng.random() < 0.5 else str(rng.choice(["pear", "round brilliant", "marquise"]))
        values["stone_width_mm"] = min(values["stone_width_mm"], 7.5) * 0.92
        coloured = values["species"] != "diamond" or rng.random() < 0.8
        return cls.nearest(
            **values,
            side_cut=same,
            side_species="diamond" if coloured else str(rng.choice(list(CENTRE_STONES))),
            side_share=rng.uniform(0.55, 0.75) / (1.0 if values["stone_ratio"] < 1.2 else 1.15),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "shank", "head", "centre stone", "left stone", "right stone"."""
        stone = self.stone
        spread, foot = self.standing(stone.width / 2, self.head_spread)
        centre = mount(
            stone, self.species, "centre stone", "claws", self.claws, self.claw_mm, foot, spread,
            upright(self.girdle),
        )  # fmt: skip
        heads, metal, taken = [centre], list(centre.metal), list(centre.taken)
        tall = max(self.side_share * stone.length, 2.2)
        # a pear or marquise lies across: its length runs away from the centre, its width along the finger
        across = self.side_cut in ("pear", "marquise")
        side = seating(self.side_cut, *self._side_size(tall, across))
        half = (side.length if across else side.width) / 2
        wire = max(0.95 * claw_wire(side.width), 0.75)
        claws = {"pear": 3, "marquise": 4}.get(self.side_cut, 4)
        low = 0.1 * stone.width  # the sides stand a little lower than the centre
        radius = self.girdle - low
        gap = 0.45 if "round" in self.cut or self.cut in ("oval", "cushion") else 0.62 * (self.claw_mm + wire) * 0.8
        lean = float(np.degrees(np.arctan2(stone.width / 2 + gap, self.girdle) + np.arctan2(half, radius)))
        narrowed, depth = self.standing(half, self.head_spread, self.head_height_mm - low)
        for name, sign in (("right stone", 1), ("left stone", -1)):
            turn = -90.0 * sign if across else 0.0
            head = mount(
                side, self.side_species, name, "claws", claws, wire, depth, narrowed,
                upright(radius, turn, lean_deg=sign * lean),
            )  # fmt: skip
            heads.append(head)
            metal += head.metal
            taken += head.taken
        casting = joined([self.shank_solid(detail), *self.off_finger(metal, detail)], taken)
        away = self.outside * np.cos(np.radians(lean + 20))
        return self.piece([*split(self, casting, away), *(head.stone for head in heads)])

    def _side_size(self, tall: float, across: bool) -> tuple[float, float]:
        low, high = PROPORTIONS[self.side_cut].ratios
        usual = PROPORTIONS[self.side_cut].ratio
        if across:
            return tall, tall * usual
        ratio = min(max(self.stone_ratio, low), high) if self.side_cut == self.cut else usual
        return tall / ratio, tall


def _renamed(body: Body, name: str) -> Body:
    return replace(body, name=name)
