"""Rings without stones: what every ring has, plain and twisted bands."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from manifold3d import CrossSection, JoinType, Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, count, mm, register, seed, segments, share
from jewel_assets.shape.parts import profiles
from jewel_assets.shape.parts.curves import Array, circle, ring_curve, superellipse
from jewel_assets.shape.parts.settings import joined
from jewel_assets.shape.parts.surfaces import hammered, milgrain
from jewel_assets.shape.piece import Piece

METALS_FOR_RINGS = ("18k-yellow", "18k-white", "18k-rose", "14k-yellow", "950-platinum", "925-silver")
"""What rings are drawn in; any alloy can be asked for."""

FINISHES = ("polished", "hammered", "milgrain")

DENT_MM, DENT_DEPTH_MM = 2.2, 0.13
GRAIN_MM = 0.7
"""Diameter of milgrain beads."""

LEAST_WAIST_MM = 0.9
"""Two wires that cross are at least so thick together where they meet."""

STIFFNESS = 0.16
"""A band bends on the finger where it is thinner than this share of its width."""


class Ring(Design):
    """What every ring has: the finger it is made for."""

    category: ClassVar[str] = "ring"

    inner_diameter_mm: float = mm(
        17.35, 12.0, 25.0, "inner diameter, exact where it is narrowest: 17.35 mm is US 7, 54.5 by ISO 8653"
    )

    @classmethod
    def draw_worn(cls, rng: Generator) -> dict[str, Any]:
        """A metal and a finger size: US 4 to 12 by the rough bell of what is sold."""
        size = float(np.clip(rng.normal(17.2, 1.1), 14.9, 21.4))
        return {"metal": str(rng.choice(METALS_FOR_RINGS)), "inner_diameter_mm": size}

    def facets(self, detail: float) -> int:
        """Facets round the finger at `detail`."""
        return segments(detail, self.inner_diameter_mm / 2)


@register
class PlainBand(Ring):
    """A wedding band: one section round the finger, the same all round or narrower at the back."""

    family: Literal["plain band"] = "plain band"
    profile: str = choice("court", profiles.PROFILES, "section of the band")
    width_mm: float = mm(4.0, 1.5, 12.0, "width along the finger, on top")
    thickness_mm: float = mm(1.7, 1.1, 3.2, "thickness of the metal where it is thickest")
    taper: float = share(1.0, 0.6, 1.0, "width at the back as a share of the width on top")
    edge_mm: float = mm(0.15, 0.0, 0.5, "radius of the edges")
    grooves: int = count(0, 0, 3, "lines turned into the outside")
    finish: str = choice("polished", FINISHES, "what the outside is worked with, as geometry")
    finish_seed: int = seed(0, "where the dents of a hammered band lie")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Stiff enough, an edge that the section has, a ridge that is not a blade, grooves that leave room."""
        fit.at_least(
            "thickness_mm",
            STIFFNESS * fit["width_mm"],
            f"a band {fit['width_mm']:g} mm wide bends on the finger if it is thinner than {STIFFNESS:g} of that",
            instead=("width_mm", fit["thickness_mm"] / STIFFNESS),
        )
        if fit["profile"] in ("knife-edge", "half-round"):
            fit.at_least("thickness_mm", 1.5, f"a {fit['profile']} section leaves too little metal at its sides")
        fit.at_most("edge_mm", 0.3 * fit["thickness_mm"], "the sides of the band are not high enough for such a radius")
        if fit["profile"] in ("knife-edge", "half-round", "D", "concave"):
            fit.at_most(
                "grooves", 0, f"lines are turned into flat or gently domed bands, not into a {fit['profile']} one"
            )
        fit.at_most(
            "grooves", max(0, int((fit["width_mm"] * fit["taper"] - 1.4) / 1.1)), "there is no room for more lines"
        )
        if fit["finish"] == "hammered":
            fit.at_most("grooves", 0, "a hammered band has no turned lines")
            fit.at_least("thickness_mm", 1.4, "the hammer takes 0.13 mm and must leave 1.2 mm of metal")
        if fit["finish"] == "milgrain":
            fit.one_of(
                "profile", ("flat", "flat court", "court", "D"), "milgrain is rolled along the edges of plain bands"
            )
            fit.at_most("grooves", 0, "milgrain takes the place of turned lines")
            fit.at_least("width_mm", 2.8, "two rows of milgrain need that much")
            fit.at_least("taper", 1.0, "milgrain is rolled along edges that run straight")
        if fit["grooves"]:
            fit.at_least("thickness_mm", 1.4, "a line is 0.3 mm deep and must leave 1.1 mm of metal")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Between a fine wedding band and a broad one."""
        width = float(rng.choice([rng.normal(2.6, 0.5), rng.normal(4.5, 0.8), rng.normal(7, 1.2)], p=[0.35, 0.45, 0.2]))
        return cls.nearest(
            **cls.draw_worn(rng),
            profile=cls.draw_field("profile", rng),
            width_mm=width,
            thickness_mm=rng.normal(1.5 + 0.06 * width, 0.15),
            taper=1.0 if rng.random() < 0.7 else rng.uniform(0.65, 0.9),
            edge_mm=rng.uniform(0.1, 0.3),
            grooves=int(rng.choice([0, 0, 0, 1, 2])),
            finish=str(rng.choice(FINISHES, p=[0.6, 0.2, 0.2])),
            finish_seed=cls.draw_field("finish_seed", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """One body, "band" or "band with milgrain"."""
        around = self.facets(detail)
        section = profiles.band_section(
            self.profile, self.width_mm, self.thickness_mm, self.edge_mm, points=max(9, 2 * round(12 * detail) + 1)
        )
        width = profiles.swell(around, 1.0, self.taper, reach_deg=180) if self.taper < 1 else 1.0
        band = profiles.shank(self.inner_diameter_mm, section, around, width)
        if self.grooves:
            band = joined(
                [band],
                [profiles.turned_line(self.inner_diameter_mm, self.thickness_mm, y, around) for y in self._lines()],
            )
        if self.finish == "hammered":
            bore = self.inner_diameter_mm / 2
            outside = hammered(band, DENT_MM, DENT_DEPTH_MM, self.finish_seed, where=lambda p, n: _outward(p, n, bore))
            return self.piece([self.metal_body("band", outside)])
        if self.finish == "milgrain":
            # one body: rows and band share faces all along, and parted they would not join again without crumbs
            whole = joined([band, *self._grains(section)], [profiles.finger(self.inner_diameter_mm, around)])
            return self.piece([self.metal_body("band with milgrain", whole)])
        return self.piece([self.metal_body("band", band)])

    def _grains(self, section: Array) -> list[Manifold]:
        """A row of beads along each edge, sunk into the outside by half."""
        at = self.width_mm / 2 - 0.5 * GRAIN_MM
        top = section[section[:, 1] > 0.5 * self.thickness_mm]
        height = float(np.interp(at, *top[np.argsort(top[:, 0])].T))
        ring = ring_curve(self.inner_diameter_mm + 2 * height - 0.15 * GRAIN_MM, 240)
        return [milgrain(ring + np.array([0.0, side * at, 0.0]), GRAIN_MM, closed=True) for side in (-1, 1)]

    def _lines(self) -> Array:
        room = self.width_mm * self.taper / 2 - 0.9
        return np.linspace(-room, room, self.grooves) if self.grooves > 1 else np.zeros(1)


def _outward(points: Array, normals: Array, bore: float) -> Array:
    """How much the hammer reaches each point: the outside, fading out over the edges, never the bore."""
    radius = np.hypot(points[:, 0], points[:, 2])
    facing = (points[:, 0] * normals[:, 0] + points[:, 2] * normals[:, 2]) / radius
    return np.asarray(np.clip((facing - 0.25) / 0.4, 0, 1) * (radius > bore + 0.5))


@register
class TwistedBand(Ring):
    """Wires twisted round each other like a rope, round the finger."""

    family: Literal["twisted band"] = "twisted band"
    strands: int = count(2, 2, 4, "wires")
    wire_mm: float = mm(1.5, 0.9, 2.4, "thickness of each wire")
    turns: int = count(9, 4, 20, "turns of the rope round the finger")
    closeness: float = share(0.85, 0.6, 1.0, "how tightly the wires lie: 1 only touches, less lets them run together")
    squareness: float = share(2.0, 2.0, 5.0, "2 is round wire, 5 nearly square")
    flatness: float = share(1.0, 0.7, 1.0, "height of the rope as a share of its width: rolled flat below 1")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Wires that touch, and that can be laid so steep."""
        if fit["strands"] > 2:
            fit.at_most("wire_mm", 1.9, "a rope of three or four such wires is too bulky for a finger")
        fit.at_most("closeness", 0.95, "wires that barely touch are not one casting")
        if fit["strands"] == 2:  # the waist between two wires: their lens and the fillet beside it
            waist = LEAST_WAIST_MM / (fit["wire_mm"] * fit["flatness"]) - 0.12
            fit.at_most(
                "closeness", float(np.sqrt(1 - min(waist, 0.79) ** 2)), "the waist between two wires is too thin"
            )
            fit.at_least("wire_mm", 1.25, "two finer wires bend where they cross")
            fit.at_least("flatness", 1.25 / fit["wire_mm"], "rolled so flat it bends")
        else:
            squarest = 2.5 if fit["strands"] == 3 else 2.0
            fit.at_most("squareness", squarest, "three or four square wires leave ridges that are too thin")
            fit.at_least("wire_mm", 1.05, "the ridges of three or four finer wires are too thin")
            fit.at_least("flatness", 1.05 / fit["wire_mm"], "rolled so flat its ridges are too thin")
        lay = 4.6 if fit["strands"] == 4 else 2.2  # thicknesses of a wire that one turn takes; four wires stand in line
        pitch = np.pi * (fit["inner_diameter_mm"] + 2 * fit["wire_mm"]) / lay / fit["wire_mm"]
        fit.at_most("turns", max(4, int(pitch)), "wires so thick cannot be laid so steep")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Two to four wires, from a loose twist to a tight rope."""
        strands = int(rng.choice([2, 2, 3, 4]))
        wire = float(rng.uniform(1.3, 1.9) if strands == 2 else rng.uniform(1.1, 1.45))
        return cls.nearest(
            **cls.draw_worn(rng),
            strands=strands,
            wire_mm=wire,
            turns=int(rng.integers(5, 15)),
            closeness=rng.uniform(0.75, 0.93),
            squareness=2.0 if rng.random() < 0.7 else rng.uniform(2.5, 4.5),
            flatness=rng.uniform(0.8, 1.0),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """One body, "band": the outline of all wires, turned on its way round the finger."""
        reach = self.wire_mm / 2 / np.sin(np.pi / self.strands) * self.closeness  # of a wire's middle from the rope's
        around = max(2 * self.facets(detail), 4 * round(detail * 5 * self.turns))
        outline = self._rope_section(reach, max(12, 4 * round(6 * detail)))
        # a wire passes each place of the finger once a turn; the section turns with it, then is rolled flat
        turn = (self.turns * profiles.angles(around))[:, None]
        across = outline[:, 0] * np.cos(turn) - outline[:, 1] * np.sin(turn)
        upward = (outline[:, 0] * np.sin(turn) + outline[:, 1] * np.cos(turn)) * self.flatness
        # the rope touches the finger at single points only, which stand at the corners of the facets: many facets keep
        # them as near to the finger as a smooth band's flats
        sections = np.stack([across, upward - upward.min()], axis=-1)
        return self.piece([self.metal_body("band", profiles.shank(self.inner_diameter_mm, sections, around))])

    def _rope_section(self, reach: float, sides: int) -> Array:
        wire = (
            circle(self.wire_mm, sides)
            if self.squareness <= 2.01
            else superellipse(self.wire_mm, self.wire_mm, self.squareness, sides)
        )
        wires = CrossSection([])
        for strand in range(self.strands):
            turn = 2 * np.pi * strand / self.strands
            wires = wires + CrossSection([wire]).rotate(np.degrees(turn)).translate(
                (reach * np.cos(turn), reach * np.sin(turn))
            )
        # where the wires meet, a caster's fillet instead of a cleft that holds dirt and fills badly
        fillet = 0.06 * self.wire_mm
        soft = wires.offset(fillet, JoinType.Round, 2.0, 16).offset(-fillet, JoinType.Round, 2.0, 16).simplify(0.003)
        return np.asarray(max(soft.to_polygons(), key=len), dtype=np.float64)
