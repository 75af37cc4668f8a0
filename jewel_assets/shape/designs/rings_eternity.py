"""Bands set with a row of brilliants, all round or over the top: beads, a channel, or shared claws."""

from typing import Literal, Self

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Fit, choice, degrees, mm, register
from jewel_assets.shape.designs.rings import Ring
from jewel_assets.shape.gems import SPECIES, make_stone, pavilion_depth
from jewel_assets.shape.parts import profiles
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.pave import GAP_MM, beads, groove, round_row, seats
from jewel_assets.shape.parts.settings import Seating, joined, seating
from jewel_assets.shape.piece import Body, Piece

SETTINGS = ("beads", "channel", "shared claws")
FACETED_SPECIES = tuple(name for name in SPECIES if not name.endswith("pearl"))

CULET_MM = 0.5
"""Metal and air between a culet and the finger."""

CHANNEL_LIP_MM = 0.16
"""How far each wall of a channel reaches over the girdles."""

WALL_MM = {"beads": 0.4, "channel": 0.75, "shared claws": 0.0}
"""Least metal beside the stones."""


@register
class Eternity(Ring):
    """An eternity or pavé band: one row of round brilliants."""

    family: Literal["eternity"] = "eternity"
    setting: str = choice("beads", SETTINGS, "what holds the stones")
    melee_mm: float = mm(1.8, 1.1, 3.6, "width of each stone")
    arc_deg: float = degrees(360.0, 100.0, 360.0, "how far the row runs round the finger, centred on the top")
    wall_mm: float = mm(0.5, 0.0, 1.6, "metal beside the stones, on each side")
    thickness_mm: float = mm(1.7, 1.4, 3.2, "thickness of the band")
    species: str = choice("diamond", FACETED_SPECIES, "what the stones are")
    second_species: str = choice("same", ("same", *FACETED_SPECIES), "what every other stone is")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Walls that hold, culets off the finger, and a circle that is full or leaves a real back."""
        wall = WALL_MM[fit["setting"]]
        fit.at_least("wall_mm", wall, f"{fit['setting']} need {wall:g} mm of metal beside the stones")
        if fit["setting"] == "shared claws":
            fit.at_most("wall_mm", 0.0, "shared claws leave the sides of the stones free")
            fit.at_least("melee_mm", 1.6, "claws for smaller stones are too thin to cast; set them with beads")
        deep = pavilion_depth("round brilliant", fit["melee_mm"]) + cls._over(fit["setting"], fit["melee_mm"])
        fit.at_least("thickness_mm", deep + CULET_MM, "the culets would touch the finger")
        if 300 < fit["arc_deg"] < 360:
            fit.at_least("arc_deg", 360.0, "a gap too short to resize the ring in only looks like a lost stone")

    @staticmethod
    def _over(setting: str, melee: float) -> float:
        """How far the band's outside stands above the girdles, mm; below them where negative."""
        return {"beads": 0.03, "channel": 0.1 * melee + 0.12, "shared claws": -0.3 * melee}[setting]

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Fine pavé to bold claws; half of them all round."""
        setting = str(rng.choice(SETTINGS, p=[0.45, 0.25, 0.3]))
        size = {"beads": rng.uniform(1.2, 2.0), "channel": rng.uniform(1.6, 2.5), "shared claws": rng.uniform(1.8, 3.2)}
        coloured = rng.random() < 0.3
        species = str(rng.choice(["sapphire", "ruby", "emerald"])) if coloured else "diamond"
        return cls.nearest(
            **cls.draw_worn(rng),
            setting=setting,
            melee_mm=size[setting],
            arc_deg=360.0 if rng.random() < 0.55 else rng.uniform(120, 200),
            wall_mm=WALL_MM[setting] + rng.uniform(0.0, 0.25),
            thickness_mm=rng.uniform(1.5, 1.9),
            species=species,
            second_species="diamond" if coloured and rng.random() < 0.6 else "same",
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "band", "stone 01" and so on."""
        around = self.facets(detail)
        stone, closed = seating("round brilliant", self.melee_mm), self.arc_deg >= 360
        claws = self.setting == "shared claws"
        width = 0.92 * self.melee_mm if claws else self.melee_mm + 2 * self.wall_mm
        section = profiles.band_section(
            "flat court", max(width, 1.4), self.thickness_mm, 0.15, points=max(9, 2 * round(9 * detail) + 1)
        )
        band = profiles.shank(self.inner_diameter_mm, section, around)
        girdle = self.inner_diameter_mm / 2 + self.thickness_mm - self._over(self.setting, self.melee_mm)
        gap = 0.12 if self.setting == "channel" else GAP_MM
        alternate = 1 if self.second_species == "same" else 2
        row = round_row(girdle, self.melee_mm, gap, self.arc_deg, multiple=alternate)
        solid = joined([band, *self._held(stone, row, closed)], self._taken(stone, row, girdle, around))
        return self.piece([self.metal_body("band", solid), *self._stones(stone, row)])

    def _held(self, stone: Seating, row: Array, closed: bool) -> list[Manifold]:
        if self.setting == "channel":
            return []
        if self.setting == "beads":
            return [beads(stone, row, closed, float(np.clip(0.17 * self.melee_mm, 0.27, 0.34)), 0.5)]
        return [beads(stone, row, closed, 0.16 * self.melee_mm + 0.13, 0.5 * self.melee_mm)]

    def _taken(self, stone: Seating, row: Array, girdle: float, around: int) -> list[Manifold]:
        taken = [seats(stone, row, self.thickness_mm + 1)]
        if self.setting == "channel":
            pitch = float(np.linalg.norm(row[1, :, 3] - row[0, :, 3]))
            arc = 360.0 if self.arc_deg >= 360 else np.degrees(len(row) * pitch / girdle)
            taken.append(groove(girdle, 0.14 * self.melee_mm, self.melee_mm - 2 * CHANNEL_LIP_MM, around, arc))
        return taken

    def _stones(self, stone: Seating, row: Array) -> list[Body]:
        second = self.species if self.second_species == "same" else self.second_species
        return [
            make_stone(
                f"stone {i + 1:02d}", second if i % 2 else self.species, stone.cut, stone.width, stone.length, place
            )
            for i, place in enumerate(row)
        ]
