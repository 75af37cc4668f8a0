"""Earrings that hang: drops, chandeliers, and charms on an ear hook."""

from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, count, mm, register, seed
from jewel_assets.shape.designs.jewels import StoneJewel, draw_metal, draw_stone
from jewel_assets.shape.designs.pairs import Assembly, pair
from jewel_assets.shape.parts.casting import Casting, foot_depth
from jewel_assets.shape.parts.charms import (
    EYE_MM,
    WIRE_MM,
    Charm,
    Halo,
    bar_charm,
    bead_charm,
    drop_bead,
    head_with_eyes,
    leaf_charm,
    medallion_charm,
    pearl_charm,
    stone_charm,
)
from jewel_assets.shape.parts.curves import Array, circle, resample
from jewel_assets.shape.parts.findings import butterfly_back, ear_hook, eye, hung, jump_ring, moved, post
from jewel_assets.shape.parts.medallions import ORNAMENTS, eye_height, neck
from jewel_assets.shape.parts.outlines import facing, frame, inset, plate, polygon_of, region_of, rim_line, softened
from jewel_assets.shape.parts.settings import Seating, seating
from jewel_assets.shape.parts.surfaces import filigree, milgrain
from jewel_assets.shape.parts.sweep import ball, sweep
from jewel_assets.shape.piece import Piece

TOPS = ("stone", "ball", "hook")
DROPS = ("stone", "halo", "pearl", "drop of metal", "bar", "leaf", "frame")
POST_LONG_MM = 10.0
LINK_MM = 2.4
"""Opening of a ring between others: two wires of 0.9 mm and room to move."""

DANGLES = ("medallion", "leaf", "bar", "pearl", "hoops")
DANGLE_SHAPES = ("round", "oval", "drop", "heart", "marquise", "hexagon", "cushion")
TIERS = ("pear", "round brilliant", "pearl", "bead", "drop of metal")


def hang(
    assembly: Assembly, charm: Charm, name: str, y: float, above: float, x: float = 0.0, opening: float = EYE_MM
) -> float:
    """Hang a charm in an eye round x whose middle is at (x, y, `above`). Returns the height of the charm's own eye."""
    z = hung(above, EYE_MM, opening)
    stones = [stone.name for stone in charm.casting.stones]
    assembly.cast(name, _numbered(charm.casting, name) if stones else charm.casting, at=(x, y, z))
    return z


def _numbered(casting: Casting, name: str) -> Casting:
    """The same casting, its stones named after it."""
    again = Casting(*casting.metal).take(*casting.taken)
    again.stones = [replace(stone, name=f"{name} {stone.name}") for stone in casting.stones]
    return again


def top_of(assembly: Assembly, kind: str, stone: Seating | None, species: str, setting: str) -> tuple[float, float]:
    """What sits on the ear, with an eye round x below it. Returns y and z of the middle of that eye."""
    if kind == "hook":
        assembly.cast("hook", ear_hook(inner=EYE_MM, wire=WIRE_MM), moves=False)
        return 0.0, 0.0
    body = Casting()
    if kind == "ball" or stone is None:
        r = 2.2
        body.add(
            ball(2 * r, (0, -0.92 * r, 0), 32), moved(eye(EYE_MM, WIRE_MM, "x"), (0, -0.92 * r, -r - EYE_MM / 2 - 0.2))
        )
        y, z = -0.92 * r, -r - EYE_MM / 2 - 0.2
    else:
        height = foot_depth(stone, setting) + (0.0 if stone.cut == "pearl" else 0.45)
        y, _, z = head_with_eyes(body, stone, species, setting, "top stone", height, below="x")
        if setting == "bezel":
            body.add(region_of(0.75 * stone.outline).offset(0.3).extrude(0.9).rotate((90.0, 0.0, 0.0)))
    body.add(post(POST_LONG_MM))
    assembly.cast("stud", body, moves=False)
    assembly.cast("back", butterfly_back().translate((0.0, POST_LONG_MM - 4.4, 0.0)))
    return y, z


@register
class Drop(StoneJewel):
    """Drop earrings: one thing that swings below a stud or an ear hook, with or without a link between."""

    category: ClassVar[str] = "earrings"
    family: Literal["drop earring"] = "drop earring"
    top: str = choice("stone", TOPS, "what sits on the ear")
    top_mm: float = mm(3.5, 2.5, 6.0, "width of the stone on the ear")
    drop: str = choice("halo", DROPS, "what swings below")
    drop_mm: float = mm(16.0, 8.0, 40.0, "length of a bar, leaf, frame or drop of metal")
    links: int = count(0, 0, 3, "rings between both")
    melee_mm: float = mm(1.2, 1.0, 1.8, "diameter of the small stones of a halo")
    chance: int = seed(0, "what the ornament leaves to chance")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """What swings is what it says."""
        super().rules(fit)
        if fit["drop"] == "pearl":
            fit.one_of("cut", ("pearl",), "a pearl is wanted below")
            fit.at_least("stone_width_mm", 5.0, "its cap would hide a smaller pearl")
        elif fit["cut"] == "pearl":
            fit.one_of("drop", ("pearl",), "the main stone is a pearl")
        if fit["drop"] == "halo":
            fit.one_of("setting", ("claws",), "within a halo the stone stands in claws")
            if fit["cut"] == "cabochon":
                fit.one_of("drop", ("stone",), "a halo stands level with a girdle, and a cabochon has none")
        if fit["drop"] in ("frame", "drop of metal"):
            fit.at_least("drop_mm", 12.0, "shorter ones are beads")
            fit.at_most("drop_mm", 34.0 if fit["drop"] == "frame" else 20.0, "so much metal pulls at the ear")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly stones that swing below stones."""
        drop = str(rng.choice(DROPS, p=[0.24, 0.24, 0.14, 0.08, 0.09, 0.09, 0.12]))
        shares = {
            "pear": 0.34,
            "oval": 0.2,
            "round brilliant": 0.14,
            "marquise": 0.1,
            "emerald": 0.1,
            "cushion": 0.07,
            "cabochon": 0.05,
        }
        stone = draw_stone(rng, rng.uniform(5.5, 9.0), shares, pearls=1.0 if drop == "pearl" else 0.0)
        if drop == "halo":
            stone["setting"] = "claws"
        return cls.nearest(
            **stone,
            metal=draw_metal(rng),
            top=str(rng.choice(TOPS, p=[0.6, 0.15, 0.25])),
            top_mm=rng.uniform(3, 4.6),
            drop=drop,
            drop_mm=rng.uniform(14, 30),
            links=int(rng.choice([0, 0, 0, 1, 2])),
            melee_mm=rng.uniform(1.1, 1.4),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "left stud" or "left hook", "left back", "left drop", rings, stones, and the same on the right."""
        one = Assembly(self.metal)
        small = None if self.top != "stone" else seating("round brilliant", self.top_mm)
        kind = self.melee if self.drop != "pearl" else "diamond"
        y, z = top_of(one, self.top, small, kind, "claws")
        for k in range(self.links):
            # a ring round y, and one round x in it, bring the next eye into the same plane again
            z = hung(z, LINK_MM, EYE_MM)
            one.cast(f"ring {2 * k + 1}", jump_ring(LINK_MM, WIRE_MM, "y"), at=(0.0, y, z))
            z = hung(z, LINK_MM, LINK_MM)
            one.cast(f"ring {2 * k + 2}", jump_ring(LINK_MM, WIRE_MM, "x"), at=(0.0, y, z))
        hang(one, self._charm(), "drop", y, z, opening=LINK_MM if self.links else EYE_MM)
        return pair(one, apart=0.7).piece(self)

    def _charm(self) -> Charm:
        long = self.drop_mm
        if self.drop in ("stone", "halo"):
            halo = Halo(self.melee, self.melee_mm) if self.drop == "halo" else None
            return stone_charm(self.stone, self.species, self.setting, halo=halo)
        if self.drop == "pearl":
            return pearl_charm(self.stone, self.species)
        if self.drop == "drop of metal":
            return drop_bead(0.44 * long, long)
        if self.drop == "bar":
            finish = ("polished", "hammered", "twisted", "round")[self.chance % 4]
            return bar_charm(long, 2.0, finish, self.chance)
        if self.drop == "leaf":
            return leaf_charm(long, 0.42 * long, self.chance)
        shape = ("drop", "marquise", "oval", "round")[self.chance % 4]
        wide = {"drop": 0.62, "marquise": 0.5, "oval": 0.7, "round": 1.0}[shape] * min(long, 30.0)
        return medallion_charm(shape, wide, min(long, 30.0), "open", 1.3, 1.5)


@register
class Dangle(Design):
    """Charms on an ear hook: a medallion with its ornament, a leaf, a bar, a pearl, or rings in rings."""

    category: ClassVar[str] = "earrings"
    family: Literal["dangle"] = "dangle"
    charm: str = choice("medallion", DANGLES, "what hangs on the hook")
    shape: str = choice("round", DANGLE_SHAPES, "outline of a medallion")
    ornament: str = choice("filigree", ORNAMENTS, "surface of a medallion")
    width_mm: float = mm(18.0, 9.0, 34.0, "width of the charm")
    cell_mm: float = mm(3.0, 2.4, 5.0, "size of what repeats: cells, scrolls, dents")
    bead: str = choice("none", ("none", "ball", "pearl", "stone"), "what hangs below it")
    bead_mm: float = mm(4.5, 3.0, 8.0, "size of that")
    hook_mm: float = mm(10.0, 8.0, 14.0, "height of the ear hook")
    chance: int = seed(0, "what the ornament leaves to chance")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Room for the ornament."""
        if fit["charm"] == "medallion":
            least = {"filigree": 13.0, "honeycomb": 11.0, "gyroid": 12.0, "leaf": 13.0}.get(fit["ornament"], 9.0)
            fit.at_least("width_mm", least, f"{fit['ornament']} needs room to show")
            if fit["ornament"] in ("polished", "domed", "hammered", "milgrain", "rope rim", "leaf", "rays"):
                fit.at_most("width_mm", 26.0, "so large a plate is too heavy for an ear")
        if fit["bead"] == "pearl":
            fit.at_least("bead_mm", 5.0, "its cap would hide a smaller pearl")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly medallions."""
        return cls.nearest(
            metal=draw_metal(rng),
            charm=str(rng.choice(DANGLES, p=[0.64, 0.14, 0.06, 0.06, 0.1])),
            shape=str(rng.choice(DANGLE_SHAPES)),
            ornament=str(rng.choice(ORNAMENTS)),
            width_mm=rng.uniform(12, 24),
            cell_mm=rng.uniform(2.6, 3.8),
            bead=str(rng.choice(["none", "ball", "pearl", "stone"], p=[0.55, 0.12, 0.18, 0.15])),
            bead_mm=rng.uniform(4, 6.5),
            hook_mm=rng.uniform(9, 12),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "left hook", "left charm", "left bead", stones, and the same on the right."""
        one = Assembly(self.metal)
        one.cast("hook", ear_hook(WIRE_MM, self.hook_mm, EYE_MM), moves=False)
        carries = self.bead != "none" and self.charm != "pearl"
        charm = self._charm("x" if carries else None)
        z = hang(one, charm, "charm", 0.0, 0.0)
        if charm.below is not None:
            hang(one, self._bead(), "bead", 0.0, z + charm.below)
        return pair(one, apart=0.5).piece(self)

    def _charm(self, below: str | None) -> Charm:
        wide = self.width_mm
        if self.charm == "leaf":
            return leaf_charm(1.5 * wide, 0.62 * wide, self.chance)
        if self.charm == "bar":
            return bar_charm(1.6 * wide, 2.2, ("polished", "hammered", "twisted")[self.chance % 3], self.chance, below)
        if self.charm == "pearl":
            return pearl_charm(seating("pearl", max(self.bead_mm, 6.0)), "pearl")
        if self.charm == "hoops":
            return self._rings(below)
        tall = {"oval": 1.3, "drop": 1.45, "marquise": 1.9, "heart": 0.92}.get(self.shape, 1.0)
        wide *= 0.72 if self.shape == "marquise" else 1.0
        return medallion_charm(self.shape, wide, wide * tall, self.ornament, 1.3, 1.2, self.cell_mm, self.chance, below)

    def _rings(self, below: str | None) -> Charm:
        """Rings of round wire within each other, which touch where they hang."""
        body = Casting(eye(EYE_MM, WIRE_MM, "y"))
        top = -EYE_MM / 2 - 0.35 * WIRE_MM
        outer = self.width_mm
        wire, number = 1.3, 3 if self.width_mm > 16 else 2
        for k in range(number):
            across = outer * (1 - 0.3 * k)
            body.add(moved(eye(across - 2 * wire, wire, "y", 14), (0.0, 0.0, top - across / 2)))
        if below is None:
            return Charm(body, top - outer)
        low = top - outer - EYE_MM / 2 - 0.35 * WIRE_MM
        body.add(moved(eye(EYE_MM, WIRE_MM, below), (0.0, 0.0, low)))
        return Charm(body, low - EYE_MM / 2 - WIRE_MM, low)

    def _bead(self) -> Charm:
        if self.bead == "ball":
            return bead_charm(self.bead_mm)
        if self.bead == "pearl":
            return pearl_charm(seating("pearl", self.bead_mm), "pearl")
        return stone_charm(seating("round brilliant", self.bead_mm), "diamond", "bezel")


@register
class Chandelier(StoneJewel):
    """Chandelier earrings: a stud, a fan below it, and rows of drops on the fan."""

    category: ClassVar[str] = "earrings"
    family: Literal["chandelier"] = "chandelier"
    top: str = choice("stone", TOPS, "what sits on the ear")
    top_mm: float = mm(4.0, 2.5, 7.0, "width of the stone on the ear")
    fan: str = choice("filigree", ("filigree", "open", "plate", "milgrain"), "what fills the fan")
    fan_mm: float = mm(24.0, 16.0, 36.0, "width of the fan")
    fan_height: float = mm(13.0, 8.0, 22.0, "height of the fan")
    drops: int = count(4, 3, 9, "drops on its lower edge")
    drop: str = choice("pear", TIERS, "what hangs in the rows")
    drop_mm: float = mm(3.4, 3.0, 6.0, "width of each drop")
    tiers: int = count(1, 1, 3, "rows of drops, one below the other")
    chance: int = seed(0, "how the scrolls of the filigree turn")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Drops that hang beside each other."""
        super().rules(fit)
        if fit["drop"] == "pearl":
            fit.at_least("drop_mm", 4.5, "its cap would hide a smaller pearl")
        if fit["fan"] in ("filigree", "milgrain"):
            fit.at_least("fan_height", 11.0, "scrolls need room to turn")
        each = fit["drop_mm"] + (2.4 if fit["drop"] in ("pear", "round brilliant") else 0.8)
        fit.at_most("drops", int((fit["fan_mm"] - 2.0) / max(each, 3.6) + 1), "the drops would lie over each other",
                    instead=("fan_mm", (fit["drops"] - 1) * max(each, 3.6) + 2.0))  # fmt: skip
        if fit["drop"] in ("pearl", "bead", "drop of metal"):
            fit.at_most("tiers", 1, "nothing hangs below a bead")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Three to seven drops in one or two rows."""
        return cls.nearest(
            **draw_stone(rng, 4.0, pearls=0.0),
            metal=draw_metal(rng),
            top=str(rng.choice(TOPS, p=[0.7, 0.1, 0.2])),
            top_mm=rng.uniform(3.5, 5.5),
            fan=str(rng.choice(["filigree", "open", "plate", "milgrain"], p=[0.5, 0.2, 0.15, 0.15])),
            fan_mm=rng.uniform(20, 31),
            fan_height=rng.uniform(11, 18),
            drops=int(rng.choice([3, 5, 5, 7])),
            drop=str(rng.choice(TIERS, p=[0.34, 0.24, 0.18, 0.1, 0.14])),
            drop_mm=rng.uniform(3, 4.4),
            tiers=int(rng.choice([1, 1, 2])),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "left stud", "left fan", "left drop 1-1" and so on, stones, and the same on the right."""
        one = Assembly(self.metal)
        small = seating("round brilliant", self.top_mm) if self.top == "stone" else None
        y, z = top_of(one, self.top, small, self.species if self.cut != "cabochon" else self.melee, "claws")
        body, eyes = self._fan()
        z = hung(z, EYE_MM, EYE_MM)
        one.cast("fan", body, at=(0.0, y, z))
        charms = [self._drop(tier) for tier in range(self.tiers)]
        for k, (x, low) in enumerate(eyes):
            above: float | None = z + low
            # the middle hangs longest
            rows = self.tiers
            for tier in range(rows):
                assert above is not None
                own = hang(one, charms[tier], f"drop {k + 1}-{tier + 1}", y, above, x)
                below = charms[tier].below
                above = None if below is None else own + below
        return pair(one, apart=0.35).piece(self)

    def _drop(self, tier: int) -> Charm:
        below = "x" if tier + 1 < self.tiers else None
        size = self.drop_mm
        if self.drop == "pearl":
            return pearl_charm(seating("pearl", size), "pearl")
        if self.drop == "bead":
            return bead_charm(size)
        if self.drop == "drop of metal":
            return drop_bead(size, 2.2 * size)
        cut = self.drop if below is None else "round brilliant"
        stone = seating(cut, size, size * 1.5 if cut == "pear" else size)
        return stone_charm(stone, self.species if self.cut != "cabochon" else self.melee, "bezel", below=below)

    def _fan(self) -> tuple[Casting, list[tuple[float, float]]]:
        """The fan below its eye, and (x, z) of the eyes on its lower edge."""
        wide, high = self.fan_mm, self.fan_height
        edge = fan_outline(wide, high)
        thick, rim = 1.3, 1.2
        parts: list[Manifold] = []
        if self.fan == "plate":
            line = rim_line(edge, 0.9, 0.4, 400)
            beads = milgrain(np.column_stack([line, np.full(len(line), thick)]), 0.8, closed=True)
            parts = [plate(edge, thick, 0.35), beads]
        else:
            parts = [frame(edge, rim, thick)]
            inside = inset(edge, rim)
            if self.fan in ("filigree", "milgrain"):
                parts += filigree(inside, 1.0, 5.4, self.chance, thick / 2)
            else:
                # ribs from the top to where each drop hangs
                for x in np.linspace(-0.5, 0.5, self.drops) * (wide - 3.0):
                    foot = (x, _lower(edge, x) + 0.5 * rim, thick / 2)
                    parts.append(sweep(circle(0.9, 12), [(0.06 * x, 0.82 * high, thick / 2), foot]))
                parts.append(ball(2.6, (0.0, 0.82 * high, thick / 2), 24))
            if self.fan == "milgrain":
                line = rim_line(edge, rim / 2, 0.4, 400)
                parts.append(milgrain(np.column_stack([line, np.full(len(line), thick - 0.1)]), 0.9, closed=True))
        top = eye_height(edge, EYE_MM, WIRE_MM)
        parts += neck(edge, top, EYE_MM, WIRE_MM, thick / 2)
        body = Casting(*(facing(part).translate((0.0, thick / 2, -top)) for part in parts), eye(EYE_MM, WIRE_MM, "y"))
        eyes = []
        for x in np.linspace(-0.5, 0.5, self.drops) * (wide - 3.0):
            low = _lower(edge, x) - EYE_MM / 2 - 0.3 * WIRE_MM - top
            body.add(moved(eye(EYE_MM, WIRE_MM, "x"), (x, 0.0, low)))
            eyes.append((float(x), float(low)))
        return body, eyes


def fan_outline(wide: float, high: float, points: int = 120) -> Array:
    """(points, 2): a fan: a scalloped arc below, two hollow shoulders that meet in a rounded top at (0, `high`)."""
    t = np.linspace(-1, 1, 60)
    below = np.column_stack([t * wide / 2, -0.22 * wide * np.sqrt(np.clip(1 - (0.97 * t) ** 2, 0, 1))])
    s = np.linspace(0, 1, 40)[1:-1]
    right = np.column_stack([wide / 2 * (1 - s) ** 1.5 + 0.9 * s, high * s**0.75 * (1 - 0.08 * np.sin(np.pi * s))])
    cap = np.array([[0.6, high], [0.0, high + 0.25], [-0.6, high]])
    whole = np.vstack([below, right, cap, right[::-1] * (-1, 1)])
    return resample(polygon_of(softened(region_of(whole), 0.6)), points, closed=True)


def _lower(edge: Array, x: float) -> float:
    """The height of the lower edge of an outline at `x`."""
    low = edge[edge[:, 1] < 0.2]
    order = np.argsort(low[:, 0])
    return float(np.interp(x, low[order, 0], low[order, 1]))


__all__ = ["Chandelier", "Dangle", "Drop", "fan_outline"]
