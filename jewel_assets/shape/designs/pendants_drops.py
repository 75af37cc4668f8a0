"""Drop pendants: an open frame in which a stone or a pearl swings, or an ornamented plate."""

from typing import Literal, Self

import numpy as np
from numpy.random import Generator
from scipy.spatial import cKDTree

from jewel_assets.shape.designs.base import Fit, choice, mm, register, seed, share
from jewel_assets.shape.designs.earrings_hanging import hang
from jewel_assets.shape.designs.jewels import STONES
from jewel_assets.shape.designs.pendants import Pendant, centred, eyed, with_bail
from jewel_assets.shape.parts.charms import EYE_MM as CHARM_EYE_MM
from jewel_assets.shape.parts.charms import WIRE_MM as CHARM_WIRE_MM
from jewel_assets.shape.parts.charms import Charm, pearl_charm, stone_charm
from jewel_assets.shape.parts.curves import Array, resample
from jewel_assets.shape.parts.findings import eye, hung, moved
from jewel_assets.shape.parts.frames import paved_frame
from jewel_assets.shape.parts.medallions import ORNAMENTS, medallion
from jewel_assets.shape.parts.outlines import facing, inset, outline, polygon_of
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.sweep import tube
from jewel_assets.shape.piece import Piece


@register
class DropPendant(Pendant):
    """A drop: an open frame in which a stone or a pearl swings, or a domed or ornamented drop."""

    family: Literal["drop pendant"] = "drop pendant"
    shape: str = choice("drop", ("drop", "marquise", "oval", "round"), "outline")
    height_mm: float = mm(28.0, 16.0, 46.0, "height of the drop")
    slenderness: float = share(0.62, 0.4, 1.0, "width over height")
    ornament: str = choice("open", ORNAMENTS, "its face; open is a frame alone")
    inside: str = choice("stone", ("none", "stone", "pearl"), "what swings in an open frame")
    inside_mm: float = mm(6.0, 3.0, 10.0, "its width, at most: it is made smaller until it swings free")
    species: str = choice("amethyst", STONES, "what the stone is")
    paved: str = choice("plain", ("plain", "stones"), "whether an open frame is set with stones")
    melee_mm: float = mm(1.3, 1.0, 1.8, "diameter of these stones")
    thickness_mm: float = mm(1.7, 1.2, 2.6, "thickness of plate and frame")
    cell_mm: float = mm(3.2, 2.4, 5.0, "size of what repeats")
    chance: int = seed(0, "what the ornament leaves to chance")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """What swings inside has room there."""
        if fit["shape"] == "round":
            fit.at_least("slenderness", 0.95, "a circle is as wide as high")
        if fit["shape"] == "marquise":
            fit.at_most("slenderness", 0.6, "a marquise is slender")
        if fit["ornament"] != "open":
            fit.one_of("inside", ("none",), "only an open frame has room inside")
            fit.one_of("paved", ("plain",), "stones are set in an open frame")
            slimmest = 0.55 if fit["shape"] == "marquise" else 0.9
            fit.at_least("height_mm", 12.0 / slimmest, "the ornament needs room to show")
            fit.at_least("slenderness", min(12.0 / fit["height_mm"], slimmest), "the ornament needs room to show")
        if fit["paved"] == "stones":
            fit.at_least("thickness_mm", 0.43 * fit["melee_mm"] + 1.1, "the stones reach through")
        if fit["inside"] == "pearl":
            fit.at_least("inside_mm", 5.0, "its cap would hide a smaller pearl")
        if fit["inside"] != "none":
            room = 0.62 * (fit["height_mm"] * fit["slenderness"] - 2 * (fit["melee_mm"] + 1.3))
            if fit["inside"] == "pearl":
                fit.at_least(
                    "height_mm", (5.0 / 0.62 + 2 * (fit["melee_mm"] + 1.3)) / fit["slenderness"], "no pearl fits"
                )
            fit.at_most("inside_mm", max(room, 3.0 if fit["inside"] == "stone" else 5.0), "it would not swing inside")
            fit.at_least("height_mm", 20.0, "nothing swings in so small a frame")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Half open frames with something inside."""
        shape = str(rng.choice(["drop", "marquise", "oval", "round"], p=[0.6, 0.12, 0.18, 0.1]))
        is_open = bool(rng.random() < 0.5)
        return cls.nearest(
            **cls.draw_bail(rng),
            shape=shape,
            height_mm=rng.uniform(20, 36),
            slenderness={"drop": rng.uniform(0.55, 0.75), "marquise": 0.5, "oval": rng.uniform(0.6, 0.8), "round": 1.0}[
                shape
            ],
            ornament="open"
            if is_open
            else str(rng.choice(["domed", "filigree", "honeycomb", "hammered", "gyroid", "leaf"])),
            inside=str(rng.choice(["none", "stone", "pearl"], p=[0.2, 0.5, 0.3])),
            inside_mm=rng.uniform(4.5, 8),
            species=str(
                rng.choice(["amethyst", "citrine", "aquamarine", "diamond", "sapphire", "emerald", "garnet", "peridot"])
            ),
            paved="stones" if rng.random() < 0.4 else "plain",
            melee_mm=rng.uniform(1.1, 1.4),
            thickness_mm=rng.uniform(1.5, 2.0),
            cell_mm=rng.uniform(2.6, 3.8),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "pendant", "bail", "swing" and its stone, the stones of the frame."""
        wide, thick = self.height_mm * self.slenderness, self.thickness_mm
        edge = outline(self.shape, wide, self.height_mm)
        body, up = eyed(edge, thick)
        rim = self.melee_mm + 1.3 if self.paved == "stones" else 1.6
        if self.paved == "stones":
            paved_frame(body, edge, thick, self.melee_mm, "diamond")
        else:
            parts = medallion(self.shape, wide, self.height_mm, self.ornament, thick, rim, self.cell_mm, self.chance)
            body.add(*(facing(part) for part in parts))
        swing, level = None, 0.0
        if self.inside != "none":
            hollow = resample(polygon_of(inset(edge, rim)), 400, closed=True)
            swing, level = self._swinging(hollow)
            # an eye round x, on a stem where the frame is too narrow for it
            top = float(hollow[np.abs(hollow[:, 0]) < 0.8][:, 1].max())
            stem = tube([(0.0, -thick / 2, top + 0.6), (0.0, -thick / 2, level + 1.2)], 0.5, sides=12)
            body.add(moved(eye(CHARM_EYE_MM, CHARM_WIRE_MM, "x"), (0.0, -thick / 2, level)), stem)
        one = with_bail(self, centred(body, -thick / 2, up))
        if swing is not None:
            hang(one, swing, "swing", 0.0, level - up)
        return one.piece(self)

    def _swinging(self, hollow: Array) -> tuple[Charm, float]:
        """What swings in the opening, and how high its eye is: as large, then as high as clears the frame."""
        top = float(hollow[:, 1].max())
        least = 5.0 if self.inside == "pearl" else 3.0
        tree = cKDTree(hollow)
        for size in np.linspace(self.inside_mm, min(least, self.inside_mm), 4):
            swing = self._swing(float(size))
            half = max(size, 1.6) / 2 + (1.0 if self.inside == "stone" else 0.0)
            # its eye, its middle and its lowest point, each with what it reaches
            spots = np.array([[0.0, 0.0], [0.0, swing.lowest + half], [0.0, swing.lowest + 0.45]])
            radii = np.array([CHARM_EYE_MM / 2 + CHARM_WIRE_MM, half, 0.45])
            for level in np.arange(top - 1.1, top - 9.0, -0.4):
                middle = hung(float(level), CHARM_EYE_MM, CHARM_EYE_MM)
                clear = tree.query(spots + np.array([0.0, middle]))[0] - radii
                if clear.min() > 0.25 and middle + swing.lowest > hollow[:, 1].min() + 0.4:
                    return swing, float(level)
        return swing, float(top - 2.5)

    def _swing(self, wide: float) -> Charm:
        if self.inside == "pearl":
            return pearl_charm(seating("pearl", round(wide, 2)), "pearl")
        cut = "pear" if self.chance % 2 else "round brilliant"
        wide = round(0.8 * wide, 2) if cut == "pear" else round(wide, 2)
        stone = seating(cut, wide, 1.5 * wide if cut == "pear" else wide)
        return stone_charm(stone, self.species, "bezel" if self.chance % 3 else "claws")
