"""Studs and hoops. A pair hangs side by side, the right one mirrored."""

from typing import ClassVar, Literal, Self

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, count, degrees, mm, register, seed, segments, share
from jewel_assets.shape.designs.jewels import STONES, StoneJewel, draw_metal, draw_stone
from jewel_assets.shape.designs.pairs import Assembly, pair
from jewel_assets.shape.parts.casting import Casting, foot_depth, front
from jewel_assets.shape.parts.charms import base_plate
from jewel_assets.shape.parts.curves import (
    Array,
    length,
    resample,
    rounded_rectangle,
    strands_apart,
    superellipse,
    trefoil,
)
from jewel_assets.shape.parts.findings import POST_MM, butterfly_back, post
from jewel_assets.shape.parts.medallions import ORNAMENTS, PIERCED, medallion
from jewel_assets.shape.parts.outlines import facing, outline, plate, region_of
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.surfaces import hammered, leaf, milgrain, twisted_wire
from jewel_assets.shape.parts.surfaces.foliage import laid
from jewel_assets.shape.parts.sweep import ball, frames, placed, sweep, tube
from jewel_assets.shape.piece import Piece

BACK_FROM_TIP_MM = 4.4
"""A butterfly back sits with its middle on the groove of the post."""

STUD_MOTIFS = ("stone", "halo", "ball", "plate", "leaf", "flower", "knot")
PLATES = ("round", "oval", "heart", "drop", "marquise", "cushion", "hexagon")
STUD_ORNAMENTS = tuple(name for name in ORNAMENTS if name not in (*PIERCED, "leaf"))

HOOP_SECTIONS = ("round", "oval", "square", "flat", "knife-edge")
SLOTTED = ("oval", "square", "flat", "knife-edge")
"""Sections that are wide enough beside the slot of a pin."""
KNOT_GAP_MM = 0.2
"""Air between the strands of a knot: less closes when it is cast."""
HOOP_STYLES = ("polished", "graduated", "twisted", "hammered", "milgrain", "pavé outside", "pavé front")


SIDEWAYS = ("pavé outside", "hammered", "milgrain")
"""Styles that show on the outside: their hoops are turned further, so that a photo sees it."""


def open_deg(diameter: float, closure: str) -> float:
    """How far from the top the back end of a hoop is, degrees: room for the lobe and for the back on the post."""
    return 20.0 if closure == "pin" else 40.0 + min(30.0, 300.0 / diameter)


def with_post(assembly: Assembly, body: Casting, name: str, long: float, at: tuple[float, float] = (0.0, 0.0)) -> None:
    """Add the casting `name` with an ear post at (x, z) of its back, and the butterfly back on it."""
    x, z = at
    body.add(post(long).translate((x, 0.0, z)))
    assembly.cast(name, body, moves=False)
    assembly.cast("back", butterfly_back().translate((x, long - BACK_FROM_TIP_MM, z)))


@register
class Stud(StoneJewel):
    """Ear studs: a stone, or a motif of metal, on a post with a butterfly back."""

    category: ClassVar[str] = "earrings"
    family: Literal["stud"] = "stud"
    motif: str = choice("stone", STUD_MOTIFS, "what sits on the ear")
    melee_mm: float = mm(1.3, 1.0, 1.8, "diameter of the small stones of a halo")
    motif_mm: float = mm(9.0, 4.0, 18.0, "width of a motif of metal")
    plate: str = choice("round", PLATES, "outline of a plate")
    ornament: str = choice("domed", STUD_ORNAMENTS, "surface of a plate")
    petals: int = count(5, 4, 8, "petals of a flower")
    post_mm: float = mm(10.0, 9.0, 12.0, "length of the post")
    chance: int = seed(0, "what the ornament leaves to chance")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A halo goes round a stone that is held by claws; a plate is large enough for what is on it."""
        super().rules(fit)
        if fit["motif"] == "halo":
            fit.one_of("setting", ("claws",), "within a halo the stone stands in claws")
            if fit["cut"] in ("pearl", "cabochon"):
                fit.one_of("motif", ("stone",), f"a halo stands level with a girdle, and a {fit['cut']} has none")
        if fit["motif"] == "plate":
            fit.at_least("motif_mm", 8.0, "an ornament needs a plate that shows it")
        if fit["motif"] == "ball":
            fit.at_most("motif_mm", 10.0, "so large a ball is too heavy for an ear")
        if fit["motif"] in ("flower", "leaf"):
            fit.at_least("motif_mm", 8.0, "smaller leaves lose their veins in casting")
        if fit["motif"] == "flower":
            fit.at_most("stone_width_mm", max(2.5, 0.36 * fit["motif_mm"]), "the stone would cover the petals")
            fit.one_of("cut", ("round brilliant", "cabochon", "pearl"), "the middle of a flower is round")
            if fit["cut"] == "cabochon":
                fit.at_most("stone_ratio", 1.0, "the middle of a flower is round")
        if fit["motif"] == "knot":
            fit.at_least("motif_mm", 7.0, "its wires would close up")
            fit.at_most("motif_mm", 14.0, "so large a knot is too heavy for an ear")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly stones and halos."""
        motif = str(rng.choice(STUD_MOTIFS, p=[0.34, 0.2, 0.06, 0.16, 0.08, 0.1, 0.06]))
        width = float(np.clip(rng.lognormal(np.log(5.6 if motif != "flower" else 3.2), 0.22), 2.6, 10))
        stone = draw_stone(rng, width, pearls=0.16 if motif == "stone" else 0.1)
        if motif == "halo":
            stone = draw_stone(rng, 0.85 * width, pearls=0.0) | {"setting": "claws"}
        shape = str(rng.choice(PLATES))
        return cls.nearest(
            **stone,
            metal=draw_metal(rng),
            motif=motif,
            melee_mm=rng.uniform(1.1, 1.5),
            motif_mm=rng.uniform(5, 8.5) if motif == "ball" else rng.uniform(8.5, 14),
            plate=shape,
            ornament=str(rng.choice(STUD_ORNAMENTS)),
            petals=int(rng.integers(5, 7)),
            post_mm=10.0,
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "left stud", "left back", their stones, and the same on the right."""
        one = Assembly(self.metal)
        with_post(one, getattr(self, f"_{self.motif}")(detail), "stud", self.post_mm)
        return pair(one, apart=0.6).piece(self)

    def _stone(self, detail: float) -> Casting:
        stone, body = self.stone, Casting()
        depth = foot_depth(stone, self.setting)
        spread = 0.75 if self.setting == "bezel" else 0.5
        height = depth + (0.0 if stone.cut == "pearl" else 0.45)
        body.set_stone(stone, self.species, front(height=height), "stone", self.setting, depth, spread=spread)
        if stone.cut != "pearl":
            body.add(facing(base_plate(stone, depth, spread), 0.0).translate((0, -depth - 0.45, 0)))
        return body

    def _halo(self, detail: float) -> Casting:
        body = self._stone(detail)
        height = foot_depth(self.stone, self.setting) + 0.45
        body.set_halo(self.stone, self.melee_mm, self.melee, front(height=height), "halo")
        return body

    def _ball(self, detail: float) -> Casting:
        r = self.motif_mm / 2
        return Casting(ball(2 * r, (0.0, -0.92 * r, 0.0), segments(detail, 6.0)))

    def _plate(self, detail: float) -> Casting:
        tall = {"oval": 1.25, "drop": 1.35, "marquise": 1.9, "heart": 0.92}.get(self.plate, 1.0)
        wide = self.motif_mm * (0.7 if self.plate == "marquise" else 1.0)
        parts = medallion(self.plate, wide, wide * tall, self.ornament, 1.3, 1.1, 2.6, self.chance)
        return Casting(*(facing(part) for part in parts))

    def _leaf(self, detail: float) -> Casting:
        long = self.motif_mm
        blade = leaf(1.35 * long, 0.62 * long, 1.0, 0.06, 0.28, 6, serration=0.12 if self.chance % 2 else 0.0)
        lean = np.radians(18)
        return Casting(facing(laid(blade, (0.22 * long, -0.6 * long, 0.9), (-np.sin(lean), np.cos(lean), 0.02)))).add(
            sweep(superellipse(2.4, 2.4, 2, 20), [(0, 0, 0), (0, -1.0, 0)])
        )

    def _flower(self, detail: float) -> Casting:
        stone, body = self.stone, Casting()
        radius = self.motif_mm / 2
        wide = 2 * np.pi * 0.66 * radius / self.petals * 1.06
        # a petal is a domed drop, its point to the middle
        petal = plate(outline("drop", wide, 0.96 * radius, 64), 1.3, 0.45, 0.1 * wide, rings=6)
        for k in range(self.petals):
            a = 360.0 * k / self.petals
            body.add(
                facing(petal.rotate((16.0, 0.0, 0.0)).translate((0.0, -0.52 * radius, 0.35)).rotate((0.0, 0.0, a)))
            )
        depth = foot_depth(stone, self.setting)
        body.add(facing(region_of(superellipse(0.62 * self.motif_mm, 0.62 * self.motif_mm, 2, 40)).extrude(1.3)))
        body.set_stone(stone, self.species, front(height=depth + 0.9), "stone", self.setting, depth, spread=0.6)
        return body

    def _knot(self, detail: float) -> Casting:
        """A trefoil of round wire whose strands pass clear of each other."""
        size = self.motif_mm
        wire = 0.16 * size
        scale = (size - wire) / 6.0
        lift = (wire + KNOT_GAP_MM) / 2
        while strands_apart(trefoil(180, scale, lift)) < wire + KNOT_GAP_MM:  # they cross aslant: nearer than 2 lifts
            lift *= 1.04
        knot = tube(trefoil(segments(detail, 12.0), scale, lift), wire / 2, closed=True, sides=18)
        behind = region_of(superellipse(0.62 * size, 0.62 * size, 2, 40)).extrude(0.9)
        low = lift + wire / 2 + 0.5
        return Casting(facing(knot).translate((0, -low, 0)), facing(behind))


@register
class Hoop(Design):
    """Hoop earrings, from huggies of 10 mm to large creoles: closed by a pin in a slot, or worn on a post."""

    category: ClassVar[str] = "earrings"
    family: Literal["hoop"] = "hoop"
    style: str = choice("polished", HOOP_STYLES, "surface and stones")
    section: str = choice("round", HOOP_SECTIONS, "section of the hoop")
    diameter_mm: float = mm(22.0, 10.0, 60.0, "width of the hoop, outside")
    oval: float = share(1.0, 0.8, 1.4, "height over width")
    width_mm: float = mm(2.5, 1.6, 8.0, "width of the hoop as seen from its side")
    thickness_mm: float = mm(2.2, 1.6, 4.0, "thickness of the hoop")
    closure: str = choice("post", ("post", "pin"), "a post with a back, or a pin that rests in a slot")
    melee: str = choice("diamond", STONES, "what the small stones are")
    melee_mm: float = mm(1.4, 1.0, 2.4, "diameter of the small stones")
    pave_deg: float = degrees(230.0, 90.0, 300.0, "how much of the hoop is set with stones, centred below")
    strands: int = count(2, 2, 3, "wires of a twisted hoop")
    pitch: float = share(2.2, 1.6, 4.0, "length of one turn of a twisted hoop over its thickness")
    chance: int = seed(0, "where the dents of a hammered hoop fall")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Light enough to wear, wide enough for stones, thick enough for a slot."""
        if fit["style"] == "twisted":
            fit.one_of("closure", ("post",), "a slot cannot be cut into a rope")
            if fit["strands"] == 3:
                fit.at_least("thickness_mm", 1.8, "three wires are too thin in so thin a rope")
        if fit["closure"] == "pin":
            fit.one_of("section", SLOTTED, "a slot leaves no walls to a round wire")
            # an oval and a knife-edge narrow towards the slot
            narrows = fit["section"] in ("oval", "knife-edge")
            fit.at_least("width_mm", 3.4 if narrows else 3.0, "the slot needs walls on both sides")
            fit.at_least("thickness_mm", 2.4 if fit["section"] == "oval" else 2.2, "the slot needs a floor")
        if fit["style"] == "pavé outside":
            fit.one_of("section", ("square", "flat"), "stones are set in a flat side")
            fit.at_least("width_mm", fit["melee_mm"] + 1.3, "the stones need metal on both sides",
                         instead=("melee_mm", fit["width_mm"] - 1.3))  # fmt: skip
            fit.at_least("thickness_mm", 0.45 * fit["melee_mm"] + 1.1, "the stones reach through")
        if fit["style"] == "pavé front":
            fit.one_of("section", ("square",), "stones are set in a flat side")
            fit.at_least("thickness_mm", fit["melee_mm"] + 1.3, "the stones need metal on both sides",
                         instead=("melee_mm", fit["thickness_mm"] - 1.3))  # fmt: skip
            fit.at_least("width_mm", 0.45 * fit["melee_mm"] + 1.3, "the stones reach through")
        if fit["style"] in ("pavé outside", "pavé front"):
            fit.at_least("oval", 1.0, "stones are set in round and tall hoops")
            bare = open_deg(fit["diameter_mm"], fit["closure"]) + np.degrees(
                2 * (fit["melee_mm"] + 1.6) / fit["diameter_mm"]
            )
            fit.at_most("pave_deg", 360.0 - 2 * bare, "the ends of the hoop stay bare")
            fit.at_most("oval", 1.2, "stones are set in round hoops, or slightly oval ones")
        if fit["style"] == "milgrain":
            fit.one_of("section", ("square", "flat"), "beads are rolled along an edge")
            fit.at_least("width_mm", 2.4, "two rows of beads need an edge each")
        if fit["style"] == "graduated":
            fit.one_of("section", ("round", "oval", "knife-edge"), "it grows from a wire to a bow")
            fit.at_least("thickness_mm", 2.0, "it thins to half of it")
            fit.at_least("width_mm", 2.0, "it thins to half of it")
            fit.one_of("closure", ("post",), "its ends are too thin for a slot")
        fit.at_least("diameter_mm", fit["thickness_mm"] / 0.2, "no ear lobe fits into what is left",
                     instead=("thickness_mm", 0.2 * fit["diameter_mm"]))  # fmt: skip

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """A third huggies, the rest small to large hoops."""
        style = str(rng.choice(HOOP_STYLES, p=[0.18, 0.15, 0.17, 0.14, 0.08, 0.16, 0.12]))
        huggie = bool(rng.random() < 0.3) and style != "graduated"
        outer = rng.uniform(11, 15) if huggie else float(np.clip(rng.lognormal(np.log(25), 0.3), 15, 50))
        section = str(rng.choice(HOOP_SECTIONS))
        thick = rng.uniform(1.7, 2.3) if huggie else rng.uniform(1.8, 2.6) + 0.02 * outer
        flat = {"round": 1.0, "oval": 1.5, "square": 1.1, "flat": 2.0, "knife-edge": 1.5}[section]
        return cls.nearest(
            metal=draw_metal(rng),
            style=style,
            section=section,
            diameter_mm=outer,
            oval=1.0 if rng.random() < 0.7 else rng.uniform(0.9, 1.3),
            width_mm=thick * flat * rng.uniform(0.9, 1.3),
            thickness_mm=thick
            * (1.3 if style in ("graduated", "twisted") else 1.0)
            * (0.85 if section == "flat" else 1.0),
            closure="pin" if huggie else "post",
            melee="diamond"
            if rng.random() < 0.8
            else str(rng.choice(["sapphire", "ruby", "emerald", "black diamond"])),
            melee_mm=rng.uniform(1.2, 1.8),
            pave_deg=rng.uniform(180, 270),
            strands=int(rng.choice([2, 2, 3])),
            pitch=rng.uniform(1.8, 3.0),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "left hoop", "left back" where it is worn on a post, stones, and the same on the right."""
        one = Assembly(self.metal)
        line = self._line(detail)
        body = self._body(line, detail)
        wire = POST_MM
        if self.closure == "post":
            start = line[0]
            # the post leaves the front end straight backwards through the lobe, past the open end of the hoop
            reach = float(np.clip(0.92 * self.diameter_mm / 2, 8.5, 12.0))
            way = start + np.array([(-0.4, 0.0, 0.0), (reach, 0.0, 0.0)])
            body.add(tube(way, wire / 2, sides=16))
            one.cast("hoop", body, moves=False)
            back = butterfly_back(strip=3.6).rotate((0.0, 0.0, -90.0))
            one.cast("back", back.translate((float(start[0]) + reach - 4.2, 0.0, float(start[2]))))
        else:
            self._pin(body, line, wire)
            one.cast("hoop", body, moves=False)
        return pair(one, yaw_deg=52.0 if self.style in SIDEWAYS else 32.0, apart=0.1).piece(self)

    def _line(self, detail: float) -> Array:
        """(n, 3): the middle of the hoop, from its front end on top, down and round to its back end."""
        wide = (self.diameter_mm - self.thickness_mm) / 2
        high = (self.diameter_mm * self.oval - self.thickness_mm) / 2
        if self.closure == "post":
            # open where the lobe is, from the top to well down the back
            clear = np.radians(open_deg(self.diameter_mm, "post"))
            a = np.linspace(0.0, 2 * np.pi - clear, segments(detail, self.diameter_mm / 2) + 1)
        else:
            gap = np.radians(open_deg(self.diameter_mm, "pin"))
            a = np.linspace(gap, 2 * np.pi - gap, segments(detail, self.diameter_mm / 2) + 1)
        return np.column_stack([-wide * np.sin(a), np.zeros(len(a)), high * np.cos(a)])

    def _outline(self) -> Array:
        """(n, 2): the section; x inward to the middle of the hoop, y along its width."""
        deep, wide = self.thickness_mm, self.width_mm
        if self.section == "round":
            return superellipse(deep, deep, 2, 24)
        if self.section == "oval":
            return superellipse(deep, wide, 2, 28)
        if self.section == "knife-edge":
            outward = np.array(
                [(0.5, -0.36), (0.5, 0.36), (-0.18, 0.5), (-0.42, 0.12), (-0.5, 0.0), (-0.42, -0.12), (-0.18, -0.5)]
            )
            return outward * (deep, wide)
        return rounded_rectangle(deep, wide, 0.14 * min(deep, wide), 4)

    def _body(self, line: Array, detail: float) -> Casting:
        if self.style == "twisted":
            rope = twisted_wire(line, self.thickness_mm, self.strands, self.pitch * self.thickness_mm)
            ends = [self._ferrule(line[:1], line[1] - line[0]), self._ferrule(line[-1:], line[-1] - line[-2])]
            return Casting(rope, *ends)
        size: float | Array = 1.0
        if self.style == "graduated":
            s = np.linspace(0, 1, len(line))
            size = np.interp(np.sin(np.pi * s) ** 1.4, [0, 1], [0.55, 1.0])
        # at the front end y runs towards the viewer for a line that starts towards -x
        body = sweep(
            self._outline(),
            line,
            up=(0, 1, 0),
            scale=size,
            caps="round" if self.section in ("round", "oval") else "flat",
        )
        if self.style == "hammered":
            half = 0.5 * (self.thickness_mm if self.section == "round" else self.width_mm)

            def outside(points: Array, normals: Array) -> Array:
                out = points * (1.0, 0.0, 1.0)
                out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
                # edges and ends stay as they are: dents that meet there would fold them
                ends = np.minimum(*(np.linalg.norm(points - end, axis=1) for end in (line[0], line[-1])))
                faces = np.clip(3.0 * np.sum(out * normals, axis=1) - 1.0, 0, 1)
                inner = np.clip((half - 0.25 - np.abs(points[:, 1])) / 0.3, 0, 1)
                return np.asarray(faces * inner * np.clip((ends - self.thickness_mm) / 0.8, 0, 1))

            dent = float(np.clip(0.8 * self.width_mm, 1.7, 2.8))
            body = hammered(body, dent, 0.075 * dent, self.chance, outside, facets=4)
        whole = Casting(body)
        if self.style == "milgrain":
            out = _outward(line)
            # sunk in by a third of a bead, so that the sides of what stands out lean together and are no thin wall
            for side in (-1, 1):
                edge = (
                    line + out * (0.5 * self.thickness_mm - 0.25) + np.array([0, side * (self.width_mm / 2 - 0.42), 0])
                )
                whole.add(milgrain(edge[2:-2], 0.75))
        if self.style.startswith("pavé"):
            small = seating("round brilliant", self.melee_mm)
            whole.pave_row(small, self._row(line), self.melee, np.eye(4)[:3], "melee", closed=False)
        return whole

    def _ferrule(self, at: Array, along: Array) -> Manifold:
        along = along / np.linalg.norm(along)
        r = 0.5 * self.thickness_mm
        return tube(np.vstack([at - 0.6 * along, at + 0.6 * along]), 1.08 * r, sides=24)

    def _row(self, line: Array) -> Array:
        """(k, 3, 4): the places of the stones, on the outside or on the front, centred on the bottom."""
        out = _outward(line)
        if self.style == "pavé outside":
            path, up = line + 0.5 * self.thickness_mm * out, out
        else:
            path, up = line - np.array([0.0, self.width_mm / 2, 0.0]), np.tile((0.0, -1.0, 0.0), (len(line), 1))
        angle = np.degrees(np.abs(np.arctan2(line[:, 0], -line[:, 2])))
        path, up = path[angle <= self.pave_deg / 2], up[angle <= self.pave_deg / 2]
        pitch = self.melee_mm + 0.2
        if self.style == "pavé outside":
            pitch *= 1.0
        number = max(1, int(length(path) / pitch))
        # the line is even enough to interpolate both the place and the direction along it
        share = np.linspace(0, 1, number)
        even = resample(path, 400)
        spots = np.column_stack([np.interp(share, np.linspace(0, 1, 400), even[:, i]) for i in range(3)])
        z = np.column_stack([np.interp(share, np.linspace(0, 1, len(up)), up[:, i]) for i in range(3)])
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        along = frames(spots)[2] if number > 1 else np.array([[1.0, 0, 0]])
        along = along - np.sum(along * z, axis=1, keepdims=True) * z
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        return placed(along, np.cross(z, along), z, spots - 0.05 * z)

    def _pin(self, body: Casting, line: Array, wire: float) -> None:
        """The pin that closes a hoop: from its front end over the gap into a slot in its back end."""
        wide, high = abs(line[:, 0]).max(), line[:, 2].max() / np.cos(np.radians(20.0))
        inward = 0.5 * self.thickness_mm - 0.5 * wire - 0.2
        a = np.radians(np.linspace(28.0, -31.0, 40))
        arc = np.column_stack([-(wide - inward) * np.sin(a), np.zeros(40), (high - inward) * np.cos(a)])
        slot_arc = arc[np.degrees(a) < -16]
        slot_arc = np.vstack([slot_arc, slot_arc[-1:] + (slot_arc[-1] - slot_arc[-2]) * 3])
        slot = sweep(
            rounded_rectangle(2 * (wire / 2 + 0.22) + 1.2, wire + 0.44, 0.2),
            slot_arc - 0.6 * _outward(slot_arc),
            up=(0, 1, 0),
        )
        # the pin is added after the slot is cut: what is taken from a casting is taken from all of it
        base = body.metal[0] - slot
        body.metal[0] = base
        body.add(tube(arc, wire / 2, sides=14))


def _outward(line: Array) -> Array:
    """(n, 3): unit directions away from the y axis, square to the line."""
    along = frames(line)[2]
    out = np.cross(along, (0.0, 1.0, 0.0))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    sign = np.sign(np.sum(out * line, axis=1, keepdims=True))
    return np.asarray(out * np.where(sign == 0, 1, sign))
