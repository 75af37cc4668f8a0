"""Pendants cut from a plate: discs, hearts and medallions, with ornament and stones."""

from typing import Literal, Self

import numpy as np
from numpy.random import Generator

from jewel_assets.shape.designs.base import Fit, choice, count, mm, register, seed, share
from jewel_assets.shape.designs.jewels import STONES
from jewel_assets.shape.designs.pendants import Pendant, centred, eyed, with_bail
from jewel_assets.shape.parts.casting import foot_depth, front, reach
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.frames import paved_frame
from jewel_assets.shape.parts.medallions import ORNAMENTS, medallion
from jewel_assets.shape.parts.outlines import facing, outline, plate
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.piece import Piece

MEDALLION_SHAPES = ("round", "oval", "cushion", "hexagon", "drop", "marquise")


@register
class Disc(Pendant):
    """A round disc: polished, hammered, with beads, rays, a rope or a vine, with or without stones."""

    family: Literal["disc pendant"] = "disc pendant"
    diameter_mm: float = mm(20.0, 10.0, 38.0, "diameter of the disc")
    thickness_mm: float = mm(1.4, 1.2, 2.4, "thickness of the disc")
    ornament: str = choice(
        "hammered", ("polished", "domed", "hammered", "milgrain", "rope rim", "leaf", "rays"), "its face"
    )
    cell_mm: float = mm(3.0, 2.4, 5.0, "size of what repeats: dents, beads, rays")
    stones: int = count(0, 0, 12, "small stones set in its face")
    stone_mm: float = mm(1.8, 1.2, 3.0, "diameter of these stones")
    species: str = choice("diamond", STONES, "what they are")
    chance: int = seed(0, "where the dents and leaves fall")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Stones lie in a face that has room for them, in metal that is deep enough."""
        if fit["stones"]:
            fit.one_of("ornament", ("polished", "domed", "hammered"), "stones are set in a plain face")
            fit.at_least("thickness_mm", 0.43 * fit["stone_mm"] + 1.0, "the stones reach through",
                         instead=("stone_mm", (fit["thickness_mm"] - 1.0) / 0.43))  # fmt: skip
            fit.at_least("diameter_mm", 12.0, "there is no room for stones")
        if fit["ornament"] == "leaf":
            fit.at_least("diameter_mm", 13.0, "leaves need room to show")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Between a small disc and a large one; every third with stones."""
        return cls.nearest(
            **cls.draw_bail(rng),
            diameter_mm=float(np.clip(rng.normal(19, 4), 12, 30)),
            thickness_mm=rng.uniform(1.3, 1.8),
            ornament=cls.draw_field("ornament", rng),
            cell_mm=rng.uniform(2.6, 4.0),
            stones=int(rng.choice([0, 0, 1, 3, 6, 9], p=[0.4, 0.25, 0.12, 0.08, 0.08, 0.07])),
            stone_mm=rng.uniform(1.4, 2.2),
            species="diamond" if rng.random() < 0.7 else str(rng.choice(["sapphire", "ruby", "emerald", "tsavorite"])),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "pendant", "bail", its stones."""
        d, thick = self.diameter_mm, self.thickness_mm
        edge = outline("round", d, d)
        body, up = eyed(edge, thick)
        parts = medallion("round", d, d, self.ornament, thick, 1.2, self.cell_mm, self.chance)
        body.add(*(facing(part) for part in parts))
        if self.stones:
            small = seating("round brilliant", self.stone_mm)
            body.scattered(small, self._places(), self.species, front(height=self._face()), "stone")
        return with_bail(self, centred(body, -thick / 2, up)).piece(self)

    def _face(self) -> float:
        """Height of the middle of the face, mm."""
        rise = {"domed": 0.09, "hammered": 0.03}.get(self.ornament, 0.0)
        return self.thickness_mm + rise * self.diameter_mm - 0.06

    def _places(self) -> Array:
        """(k, 3, 4): one stone in the middle, or a constellation within the face, clear of each other."""
        eye_places = np.column_stack([np.eye(3), np.zeros(3)])
        if self.stones == 1:
            return eye_places[None]
        rng = np.random.default_rng(self.chance)
        radius, apart = 0.5 * self.diameter_mm - self.stone_mm - 1.6, self.stone_mm + 2.2
        found: list[Array] = []
        for _ in range(400):
            at = rng.uniform(-radius, radius, 2)
            if np.hypot(*at) < radius and all(np.hypot(*(at - other)) > apart for other in found):
                found.append(at)
            if len(found) == self.stones:
                break
        drop = {"domed": 0.09, "hammered": 0.03}.get(self.ornament, 0.0) * self.diameter_mm
        share_out = [float(np.hypot(*at)) / (self.diameter_mm / 2) for at in found]
        rows = [np.column_stack([np.eye(3), [*at, -drop * s**2]]) for at, s in zip(found, share_out, strict=True)]
        return np.stack(rows)


@register
class Heart(Pendant):
    """A heart: domed, ornamented or open, its frame plain or set with stones, with or without a stone in the middle."""

    family: Literal["heart pendant"] = "heart pendant"
    width_mm: float = mm(18.0, 10.0, 32.0, "width of the heart")
    slenderness: float = share(0.95, 0.8, 1.15, "height over width")
    ornament: str = choice("domed", ORNAMENTS, "its face; open is a frame alone")
    thickness_mm: float = mm(1.5, 1.2, 2.6, "thickness of plate and frame")
    pave: str = choice("none", ("none", "frame"), "whether an open frame is set with stones")
    melee_mm: float = mm(1.3, 1.0, 1.8, "diameter of these stones")
    melee: str = choice("diamond", STONES, "what they are")
    cell_mm: float = mm(3.0, 2.4, 5.0, "size of what repeats")
    chance: int = seed(0, "what the ornament leaves to chance")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Room for ornament, metal for stones."""
        if fit["pave"] == "frame":
            fit.one_of("ornament", ("open",), "stones are set in an open frame")
            fit.at_least("thickness_mm", 0.43 * fit["melee_mm"] + 1.1, "the stones reach through")
            fit.at_least("width_mm", 14.0, "a smaller frame closes up")
        least = {"filigree": 15.0, "honeycomb": 13.0, "gyroid": 13.0, "leaf": 15.0}.get(fit["ornament"], 10.0)
        fit.at_least("width_mm", least, f"{fit['ornament']} needs room to show")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Domed, open, with stones, filigree and so on."""
        paved = bool(rng.random() < 0.25)
        weights = {
            "domed": 4,
            "open": 2,
            "filigree": 3,
            "hammered": 2,
            "honeycomb": 2,
            "milgrain": 1,
            "gyroid": 1,
            "leaf": 1,
        }
        chance = np.array(list(weights.values())) / sum(weights.values())
        return cls.nearest(
            **cls.draw_bail(rng),
            width_mm=rng.uniform(13, 24),
            slenderness=rng.uniform(0.88, 1.05),
            ornament="open" if paved else str(rng.choice(list(weights), p=chance)),
            thickness_mm=rng.uniform(1.4, 2.0),
            pave="frame" if paved else "none",
            melee_mm=rng.uniform(1.1, 1.5),
            melee="diamond" if rng.random() < 0.7 else str(rng.choice(["ruby", "pink sapphire"])),
            cell_mm=rng.uniform(2.6, 3.8),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "pendant", "bail", its stones."""
        high = self.width_mm * self.slenderness
        edge = outline("heart", self.width_mm, high)
        body, up = eyed(edge, self.thickness_mm)
        if self.pave == "frame":
            paved_frame(body, edge, self.thickness_mm, self.melee_mm, self.melee)
        else:
            parts = medallion(
                "heart", self.width_mm, high, self.ornament, self.thickness_mm, 1.3, self.cell_mm, self.chance
            )
            body.add(*(facing(part) for part in parts))
        return with_bail(self, centred(body, -self.thickness_mm / 2, up)).piece(self)


@register
class Medallion(Pendant):
    """A medallion of filigree, honeycomb, gyroid lattice, leaf and the like, in several outlines."""

    family: Literal["medallion pendant"] = "medallion pendant"
    shape: str = choice("round", MEDALLION_SHAPES, "outline")
    ornament: str = choice("filigree", ORNAMENTS[2:], "its face")
    width_mm: float = mm(24.0, 14.0, 42.0, "width of the medallion")
    slenderness: float = share(1.0, 0.9, 1.9, "height over width")
    thickness_mm: float = mm(1.5, 1.2, 2.6, "thickness of plate and frame")
    rim_mm: float = mm(1.3, 1.1, 2.4, "width of the frame")
    cell_mm: float = mm(3.2, 2.4, 5.5, "size of what repeats")
    stone_mm: float = mm(0.0, 0.0, 8.0, "diameter of a round stone in the middle; 0 leaves it out, 3 is the smallest")
    species: str = choice("garnet", STONES, "what it is")
    chance: int = seed(0, "what the ornament leaves to chance")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A stone stands on metal."""
        if fit["shape"] in ("round", "cushion", "hexagon"):
            fit.at_most("slenderness", 1.0, f"a {fit['shape']} medallion is as high as wide")
        if 0 < fit["stone_mm"] < 3.0:
            fit.at_least("stone_mm", 3.0, "a smaller stone is lost in the middle")
        if fit["stone_mm"] > 0:
            fit.at_most("stone_mm", 0.3 * fit["width_mm"], "the stone would cover the ornament")
            if fit["ornament"] in ("leaf", "open"):
                fit.at_most("stone_mm", 0.0, f"{fit['ornament']} has no middle to set a stone on")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """All ornaments in turn, every third with a stone."""
        shape = str(rng.choice(MEDALLION_SHAPES, p=[0.34, 0.22, 0.12, 0.12, 0.14, 0.06]))
        tall = {"oval": rng.uniform(1.2, 1.45), "drop": rng.uniform(1.3, 1.6), "marquise": rng.uniform(1.6, 1.9)}.get(
            shape, 1.0
        )
        return cls.nearest(
            **cls.draw_bail(rng),
            shape=shape,
            ornament=cls.draw_field("ornament", rng),
            width_mm=rng.uniform(18, 30) / tall**0.4,
            slenderness=tall,
            thickness_mm=rng.uniform(1.4, 1.9),
            rim_mm=rng.uniform(1.2, 1.8),
            cell_mm=rng.uniform(2.7, 4.0),
            stone_mm=rng.uniform(4, 7) if rng.random() < 0.35 else 0.0,
            species=str(rng.choice(["garnet", "amethyst", "sapphire", "emerald", "diamond", "citrine", "ruby"])),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "pendant", "bail", "stone"."""
        wide, high, thick = self.width_mm, self.width_mm * self.slenderness, self.thickness_mm
        edge = outline(self.shape, wide, high)
        body, up = eyed(edge, thick)
        parts = medallion(self.shape, wide, high, self.ornament, thick, self.rim_mm, self.cell_mm, self.chance)
        body.add(*(facing(part) for part in parts))
        if self.stone_mm > 0:
            stone = seating("round brilliant", self.stone_mm)
            depth = foot_depth(stone, "bezel")
            z = float(edge[:, 1].mean())
            # a bezel on a disc that reaches into the ornament around it
            wide_disc = 2.2 * reach(stone, "bezel") + 1.15 * self.stone_mm
            disc = plate(outline("round", wide_disc, wide_disc, 48), thick, 0.25)
            body.add(facing(disc).translate((0.0, 0.0, z)))
            body.set_stone(stone, self.species, front(z=z, height=depth + 0.4), "stone", "bezel", depth, spread=0.9)
        return with_bail(self, centred(body, -thick / 2, up)).piece(self)
