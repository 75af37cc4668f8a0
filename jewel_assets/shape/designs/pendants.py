"""Pendants, each with the bail that a chain runs through: discs, hearts, drops, bars, solitaires, medallions.

The category is "necklace"; families that put a pendant on a chain are elsewhere. Lockets are in `lockets`.
"""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator
from scipy.spatial import cKDTree

from jewel_assets.shape.designs.base import Design, Fit, choice, count, mm, register, seed, share
from jewel_assets.shape.designs.earrings_hanging import hang
from jewel_assets.shape.designs.jewels import STONES, StoneJewel, draw_metal, draw_stone
from jewel_assets.shape.designs.pairs import Assembly
from jewel_assets.shape.parts.casting import Casting, foot_depth, front, reach
from jewel_assets.shape.parts.charms import EYE_MM as CHARM_EYE_MM
from jewel_assets.shape.parts.charms import WIRE_MM as CHARM_WIRE_MM
from jewel_assets.shape.parts.charms import Charm, Halo, pearl_charm, stone_charm
from jewel_assets.shape.parts.curves import Array, resample, rounded_rectangle
from jewel_assets.shape.parts.findings import bail, bail_over, eye, hung, moved
from jewel_assets.shape.parts.medallions import ORNAMENTS, eye_height, medallion, neck
from jewel_assets.shape.parts.outlines import facing, inset, outline, plate, polygon_of
from jewel_assets.shape.parts.pave import flat_row
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.surfaces import hammered, twisted_wire
from jewel_assets.shape.parts.sweep import sweep, tube
from jewel_assets.shape.piece import Piece

EYE_MM = 2.0
WIRE_MM = 1.0

ROUND_SHAPES = ("round", "oval", "cushion", "hexagon", "drop", "marquise")


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


def paved_frame(body: Casting, edge: Array, thickness: float, melee_mm: float, species: str) -> None:
    """An open frame along an outline, set all round with stones in its face; its back at y = 0."""
    small = seating("round brilliant", melee_mm)
    width = melee_mm + 1.3
    inner = inset(edge, width)
    whole = plate(edge, thickness, 0.2)
    body.add(facing(whole - inner.extrude(3 * thickness).translate((0, 0, -thickness))))
    line = polygon_of(inset(edge, width / 2))
    row = flat_row(line, 0.0, melee_mm, 0.25)
    # where the frame turns sharply, neighbours would touch: those are left out
    spots = row[:, :2, 3]
    keep = [0]
    for k in range(1, len(row)):
        near = min(float(np.hypot(*(spots[k] - spots[j]))) for j in keep)
        if near > melee_mm + 0.12:
            keep.append(k)
    body.pave_row(small, row[keep], species, front(height=thickness - 0.06), "melee", closed=True)


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


@register
class Medallion(Pendant):
    """A medallion of filigree, honeycomb, gyroid lattice, leaf and the like, in several outlines."""

    family: Literal["medallion pendant"] = "medallion pendant"
    shape: str = choice("round", ROUND_SHAPES, "outline")
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
        shape = str(rng.choice(ROUND_SHAPES, p=[0.34, 0.22, 0.12, 0.12, 0.14, 0.06]))
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


__all__ = ["Bar", "Disc", "DropPendant", "Heart", "Medallion", "Pendant", "SolitairePendant"]
