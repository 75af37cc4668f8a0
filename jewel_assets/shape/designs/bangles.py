"""Bangles and cuffs: rigid, round the y axis, their front on top."""

from functools import lru_cache
from typing import ClassVar, Literal, Self

import numpy as np
from manifold3d import Manifold, OpType
from numpy.random import Generator
from scipy.spatial import cKDTree

from jewel_assets.shape.designs.base import Design, Fit, choice, count, mm, register, seed, segments, share
from jewel_assets.shape.gems import SPECIES
from jewel_assets.shape.parts.casting import Casting, without_hollows
from jewel_assets.shape.parts.curves import Array, circle, length, resample, ring_curve, superellipse
from jewel_assets.shape.parts.outlines import frame, inset, region_of
from jewel_assets.shape.parts.pave import round_row
from jewel_assets.shape.parts.profiles import band_section
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.surfaces import filigree, hammered, honeycomb_openings, milgrain, twisted_wire, vine
from jewel_assets.shape.parts.sweep import ball, skin, sweep
from jewel_assets.shape.piece import Piece

METALS = ("18k-yellow", "18k-yellow", "14k-yellow", "18k-white", "18k-rose", "925-silver", "925-silver")

STONES = ("diamond", "diamond", "diamond", "sapphire", "ruby", "emerald")

PLACE = np.eye(4)[:3]

EDGE_WALL_MM = 1.1
"""Thickness of a broad oval band where its edge begins: a caster's wall, and what the hammer takes."""

SECTIONS = ("round", "oval", "flat", "D", "court", "knife-edge", "concave", "bevelled")


def section_of(name: str, width: float, thickness: float, detail: float) -> Array:
    """(n, 2): a section whose x lies along the arm and whose y goes outward from 0 to `thickness`."""
    if name in ("round", "oval"):
        wide = thickness if name == "round" else width
        fullness = _fullness(wide, thickness)
        return np.asarray(
            superellipse(wide, thickness, fullness, max(20, 4 * round(7 * detail))) + np.array([0.0, thickness / 2])
        )
    return band_section(name, width, thickness, edge=min(0.5, 0.3 * thickness), points=max(9, round(19 * detail)))


@lru_cache(maxsize=64)
def _fullness(width: float, thickness: float) -> float:
    """Exponent of the superellipse of an oval section: 2, or as much more as keeps its edges from running out thin.

    Where both faces come together at more than 30 degrees they make an edge; up to there they are a wall.
    """
    x = np.linspace(0.5, 1.0, 2000)[:-1]
    for fullness in np.arange(2.0, 8.0, 0.2):
        half = thickness / 2 * (1 - x**fullness) ** (1 / fullness)
        wall = np.gradient(half, x * width / 2) > -np.tan(np.radians(15.0))
        if 2 * half[wall].min(initial=thickness / 2) >= min(EDGE_WALL_MM, 0.75 * thickness):
            return float(fullness)
    return 8.0


def oval_band(inner: float, height: float, section: Array, points: int, scale: Array | None = None) -> Manifold:
    """A closed band round y, `inner` wide and `inner` x `height` high inside; `section` as of `section_of`.

    `scale` (points, 2) of the section along the arm and outward, from the top on.
    """
    line = ring_curve(inner, points, height=inner * height)
    out = line / np.array([1.0, 1.0, height**2])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    size = np.ones((points, 2)) if scale is None else scale
    rings = line[:, None] + (size[:, 1:] * section[None, :, 1])[..., None] * out[:, None]
    rings[..., 1] += size[:, :1] * section[None, :, 0]
    return skin(rings, closed=True)


@register
class Bangle(Design):
    """A closed bangle that slips over the hand: plain, hammered, twisted, with milgrain, or with a row of stones."""

    category: ClassVar[str] = "bracelet"
    family: Literal["bangle"] = "bangle"
    inner_diameter_mm: float = mm(62.0, 52.0, 72.0, "inner width; it must pass over the hand")
    roundness: float = share(1.0, 0.8, 1.0, "inner height over inner width: 1 is round")
    section: str = choice("court", SECTIONS, "section of the band")
    width_mm: float = mm(6.0, 2.0, 26.0, "width along the arm")
    thickness_mm: float = mm(2.4, 1.5, 6.0, "thickness")
    ornament: str = choice("plain", ("plain", "hammered", "twisted", "milgrain", "stones"), "surface")
    strands: int = count(2, 2, 4, "wires of a twisted bangle")
    stone_mm: float = mm(2.0, 1.3, 3.2, "diameter of the stones of a row")
    species: str = choice("diamond", tuple(SPECIES), "what the stones are")
    chance: int = seed(0, "where the hammer falls")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Stones need a band that holds them, ornament a surface to lie on."""
        if fit["section"] == "round":
            fit.one_of("ornament", ("plain", "hammered", "twisted"), "a round wire has no face for it")
        if fit["ornament"] == "twisted":
            fit.one_of("section", ("round",), "twisted wire is round")
            least = {2: 1.5, 3: 1.7, 4: 2.0}[fit["strands"]]
            fit.at_least("thickness_mm", max(2.0, least), "its wires would be too thin")
        if fit["ornament"] in ("milgrain", "stones"):
            fit.one_of("section", ("flat", "court", "D"), "the row needs an even face")
        if fit["ornament"] == "milgrain":
            fit.at_least("width_mm", 4.0, "two rows of milgrain need a face between them")
        if fit["ornament"] == "stones":
            fit.one_of("roundness", (1.0,), "a row of stones is set out on a round bangle")
            fit.one_of("section", ("flat",), "the row needs an even face")
            fit.at_least("width_mm", fit["stone_mm"] + 1.6, "the stones need metal on both sides")
            fit.at_least("thickness_mm", 0.45 * fit["stone_mm"] + 1.0, "the stones' culets would touch the wrist")
            fit.one_of("species", [name for name in SPECIES if not name.endswith("pearl")], "a pearl is not faceted")
        if fit["section"] == "knife-edge":
            fit.at_least("thickness_mm", 2.0, "a knife edge needs height")
            fit.at_least("width_mm", 2.3, "a knife edge that is higher than wide would stand on edge")
        fit.at_most(
            "thickness_mm",
            0.9 * fit["width_mm"] if fit["section"] not in ("round",) else 6.0,
            "it would stand on edge",
            instead=("width_mm", fit["thickness_mm"] / 0.9),
        )

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Slim and broad ones, each with a surface that suits."""
        ornament = str(
            rng.choice(["plain", "hammered", "twisted", "milgrain", "stones"], p=[0.3, 0.2, 0.15, 0.1, 0.25])
        )
        section = str(rng.choice(["round", "oval", "flat", "D", "court", "knife-edge", "concave", "bevelled"]))
        width = float(
            rng.choice([rng.uniform(3.0, 6.0), rng.uniform(6.0, 14.0), rng.uniform(14, 22)], p=[0.35, 0.4, 0.25])
        )
        thick = float(rng.uniform(1.8, 2.8))
        if ornament == "twisted" or section == "round":
            thick = float(rng.uniform(3.0, 5.4))
        if ornament == "stones":
            width = float(rng.uniform(3.6, 6.0))
        return cls.nearest(
            metal=str(rng.choice(METALS)),
            inner_diameter_mm=float(rng.uniform(58, 66)),
            roundness=1.0 if rng.random() < 0.6 else float(rng.uniform(0.84, 0.92)),
            section=section,
            width_mm=width,
            thickness_mm=thick,
            ornament=ornament,
            strands=int(rng.integers(2, 5)),
            stone_mm=float(rng.uniform(1.6, 2.6)),
            species=str(rng.choice(STONES)),
            chance=int(rng.integers(0, 2**31 - 1)),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`."""
        inner, high, thick = self.inner_diameter_mm, self.roundness, self.thickness_mm
        points = segments(detail, inner / 2)
        if self.ornament == "twisted":
            line = ring_curve(inner + thick, 4 * points, height=inner * high + thick)
            return self.piece(
                [self.metal_body("bangle", twisted_wire(line, thick, self.strands, 3.4 * thick, closed=True))]
            )
        band = oval_band(inner, high, section_of(self.section, self.width_mm, thick, detail), points)
        if self.ornament == "hammered":
            band = hammered_outside(band, inner, high, self.width_mm, self.chance, detail)
        casting = Casting(band)
        if self.ornament == "milgrain":
            for side in (-1, 1):
                at = side * (self.width_mm / 2 - 0.75)
                line = ring_curve(inner + 2 * self._face(at), 2 * points, height=inner * high + 2 * self._face(at))
                casting.add(milgrain(line + np.array([0.0, at, 0.0]), 0.9, closed=True))
        if self.ornament == "stones":
            small = seating("round brilliant", self.stone_mm)
            row = round_row(inner / 2 + thick - 0.05, self.stone_mm, 0.25, arc_deg=200.0)
            casting.pave_row(small, row, self.species, PLACE, "melee", closed=False)
        return self.piece([self.metal_body("bangle", casting.solid()), *casting.stones])

    def _face(self, at: float) -> float:
        """How far the outside stands off the bore, `at` mm from the middle of the band."""
        section = section_of(self.section, self.width_mm, self.thickness_mm, 1.0)
        near = section[np.abs(section[:, 0] - at) < 0.12 * self.width_mm]
        outer = near[near[:, 1] > 0.5 * self.thickness_mm] if len(near) else section
        return float(outer[:, 1].mean()) if len(outer) else self.thickness_mm


def hammered_outside(
    band: Manifold,
    inner: float,
    high: float,
    width: float,
    chance: int,
    detail: float,
    line: Array | None = None,
    deepest: float = 0.24,
) -> Manifold:
    """A band hammered on its outside only; an open one, whose inside runs along `line` (m, 3), not at its ends.

    There its faces are small and lie close together: dents would fold them. So would they on the rounding of its edges,
    which stay as they are. `deepest` in mm: less where the section runs out thin.
    """
    dent = float(np.clip(0.45 * width, 2.2, 4.0))

    def where(points: Array, normals: Array) -> Array:
        out = points / np.array([1.0, 1e9, high**2])
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        away = np.hypot(points[:, 0] / (inner / 2), points[:, 2] / (inner / 2 * high))
        share = np.clip(3.0 * (normals * out).sum(axis=1) - 1.8, 0, 1) * (away > 1.01)
        if line is not None:
            step = length(line) / (len(line) - 1)
            nearest = cKDTree(line).query(points)[1]
            share *= np.clip((np.minimum(nearest, len(line) - 1 - nearest) * step - 2.5) / 3.0, 0, 1)
        return np.asarray(share)

    return hammered(band, dent, min(0.07 * dent, deepest), chance, where, facets=max(3, round(4 * detail)))


@register
class Cuff(Design):
    """An open bangle that is bent on: broad on top, its ends narrower; plain, hammered, pierced, or of wires."""

    category: ClassVar[str] = "bracelet"
    family: Literal["cuff"] = "cuff"
    inner_diameter_mm: float = mm(60.0, 50.0, 70.0, "inner width")
    roundness: float = share(0.82, 0.74, 1.0, "inner height over inner width: cuffs are oval as the wrist is")
    opening_mm: float = mm(28.0, 18.0, 36.0, "gap at the bottom that the wrist slips through")
    section: str = choice("court", SECTIONS, "section of the band")
    width_mm: float = mm(18.0, 3.0, 55.0, "width on top")
    taper: float = share(0.6, 0.3, 1.0, "width of the ends over the width on top")
    thickness_mm: float = mm(1.6, 1.3, 5.0, "thickness")
    ornament: str = choice("plain", ("plain", "hammered", "honeycomb", "filigree", "vine", "balls"), "surface")
    cell_mm: float = mm(4.0, 3.0, 7.0, "size of the cells of a honeycomb or of the scrolls of filigree")
    chance: int = seed(0, "where the hammer falls, how the vine grows")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Pierced work and leaves need a broad, even band; balls end a wire."""
        if fit["ornament"] in ("honeycomb", "filigree"):
            fit.at_least("width_mm", 4.2 * fit["cell_mm"], "pierced work needs room for three cells and its rims")
            fit.at_least("taper", 0.55, "pierced work needs room in the ends as well")
            fit.one_of("section", ("flat",), "it is pierced in the flat and then bent")
            fit.at_least("thickness_mm", 1.5, "a pierced band must be stiff")
        if fit["ornament"] == "hammered" and fit["section"] not in ("flat", "round"):
            fit.at_least("thickness_mm", 1.9, "the hammer leaves its thinner sides no wall")
            fit.at_least("width_mm", 1.9 / 0.6 / fit["taper"] + 0.01, "its ends would be thicker than wide")
        if fit["ornament"] == "vine":
            fit.at_least("width_mm", 12.0, "leaves need a field to lie on")
            fit.one_of("section", ("flat",), "leaves lie on an even field")
        if fit["ornament"] == "balls":
            fit.one_of("section", ("round",), "balls end a wire")
            fit.at_least("thickness_mm", 2.4, "so thin a wire does not keep its shape")
        if fit["section"] == "round":
            fit.one_of("ornament", ("balls", "hammered"), "a wire needs ends that do not scratch")
            fit.at_least("thickness_mm", 2.4, "so thin a wire does not keep its shape")
        else:
            fit.at_most(
                "thickness_mm",
                0.6 * fit["width_mm"] * fit["taper"],
                "its ends would be thicker than wide",
                instead=("width_mm", min(55.0, fit["thickness_mm"] / 0.6 / fit["taper"] + 0.01)),
            )

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Wire cuffs with balls, and broad ones."""
        ornament = str(
            rng.choice(
                ["plain", "hammered", "honeycomb", "filigree", "vine", "balls"], p=[0.22, 0.22, 0.14, 0.16, 0.1, 0.16]
            )
        )
        section = str(rng.choice(["oval", "flat", "D", "court", "concave", "bevelled"]))
        broad = {"honeycomb": (20, 36), "filigree": (20, 34), "vine": (16, 30)}.get(ornament, (8, 32))
        return cls.nearest(
            metal=str(rng.choice(METALS)),
            inner_diameter_mm=float(rng.uniform(56, 63)),
            roundness=float(rng.uniform(0.78, 0.88)),
            opening_mm=float(rng.uniform(24, 31)),
            section="round" if ornament == "balls" else section,
            width_mm=float(rng.uniform(*broad)),
            taper=float(rng.uniform(0.5, 0.95)),
            thickness_mm=float(rng.uniform(2.8, 4.4) if ornament == "balls" else rng.uniform(1.5, 2.1)),
            ornament=ornament,
            cell_mm=float(rng.uniform(3.4, 5.4)),
            chance=int(rng.integers(0, 2**31 - 1)),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`."""
        thick = self.thickness_mm
        line, out = self._line(segments(detail, self.inner_diameter_mm / 2))
        if self.ornament in ("honeycomb", "filigree"):
            return self.piece([self.metal_body("cuff", self._pierced(detail))])
        if self.section == "round":
            wire = sweep(circle(thick, max(16, round(20 * detail))), line + out * thick / 2, up=out)
            if self.ornament == "hammered":
                wire = hammered(wire, 2.2, 0.15, self.chance, facets=max(3, round(4 * detail)))
            ends = [ball(1.75 * thick, line[k] + out[k] * thick / 2, max(24, round(36 * detail))) for k in (0, -1)]
            return self.piece([self.metal_body("cuff", wire + ends[0] + ends[1])])
        section = section_of(self.section, 1.0 * self.width_mm, thick, detail)
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        away = np.abs(2 * along / along[-1] - 1)
        widths = self._widths(away, along)
        rings = line[:, None] + section[None, :, 1:] * out[:, None]
        rings[..., 1] += widths[:, None] / self.width_mm * section[None, :, 0]
        band = skin(rings)
        if self.ornament == "hammered":
            band = hammered_outside(
                band, self.inner_diameter_mm, self.roundness, self.width_mm, self.chance, detail, line,
                0.24 if self.section == "flat" else 0.16,
            )  # fmt: skip
        if self.ornament == "vine":
            band = self._leaved(band)
        return self.piece([self.metal_body("cuff", band)])

    def _line(self, points: int) -> tuple[Array, Array]:
        """Inside of the cuff (m, 3) from its left end over the top to its right end, and its outward normals (m, 3)."""
        full = ring_curve(self.inner_diameter_mm, 2880, height=self.inner_diameter_mm * self.roundness)
        full = np.roll(full, 1440, axis=0)  # begins at the bottom and runs over -x
        keep = (np.abs(full[:, 0]) > self.opening_mm / 2) | (full[:, 2] > 0)
        line = resample(full[keep], points)
        out = line / np.array([1.0, 1.0, self.roundness**2])
        return line, out / np.linalg.norm(out, axis=1, keepdims=True)

    def _widths(self, away: Array, along: Array) -> Array:
        """Width along the band: full on top, `taper` of it at the ends, which are rounded."""
        smooth = away * away * (3 - 2 * away)
        width = self.width_mm * (1 - (1 - self.taper) * smooth)
        end = self.width_mm * self.taper / 2
        left = np.minimum(along, along[-1] - along)
        reach = min(end, 7.0)
        round_end = np.sqrt(np.clip(1 - (1 - np.clip(left / reach, 0, 1)) ** 2, 0, 1))
        return np.asarray(width * np.maximum(round_end, 0.35))

    def _flat_outline(self) -> Array:
        """(n, 2): the band unrolled, x along it with its middle at 0."""
        line, _ = self._line(160)
        total = length(line)
        along = np.linspace(0, total, 120)
        half = self._widths(np.abs(2 * along / total - 1), along) / 2
        x = along - total / 2
        return np.vstack([np.column_stack([x, -half]), np.column_stack([x, half])[::-1]])

    def _bent(self, flat: Manifold, step: float) -> Manifold:
        """Wrap what lies in the x-y plane, its inside at z = 0, round the oval."""
        line, out = self._line(721)
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        along -= along[-1] / 2

        def bend(points: Array) -> Array:
            on = np.column_stack([np.interp(points[:, 0], along, line[:, i]) for i in range(3)])
            normal = np.column_stack([np.interp(points[:, 0], along, out[:, i]) for i in range(3)])
            on[:, 1] = points[:, 1]
            return np.asarray(on + points[:, 2:] * normal)

        return flat.refine_to_length(step).warp_batch(bend)

    def _pierced(self, detail: float) -> Manifold:
        outline, thick = self._flat_outline(), self.thickness_mm
        if self.ornament == "honeycomb":
            region = region_of(outline)
            openings = honeycomb_openings(inset(outline, 1.6), self.cell_mm, 1.0)
            # bent in longer steps, needles between openings and rim would sag through each other
            return self._bent((region - openings).extrude(thick), 1.5 / max(detail, 0.5))
        parts = [
            frame(outline, 1.8, thick, 0.4),
            *filigree(inset(outline, 1.7), 1.0, 2.0 * self.cell_mm, self.chance, thick / 2),
        ]
        return self._bent(Manifold.batch_boolean(parts, OpType.Add), 1.5 / max(detail, 0.5))

    def _leaved(self, band: Manifold) -> Manifold:
        total = length(self._line(160)[0])
        x = np.linspace(-0.36 * total, 0.36 * total, 40)
        swing = 0.16 * self.width_mm * np.sin(x / total * 5 * np.pi)
        stem = np.column_stack([x, swing, np.full(40, self.thickness_mm + 0.15)])
        leaf = float(np.clip(0.42 * self.width_mm, 5.0, 9.0))
        parts = vine(stem, 1.3, leaf, leaves=round(0.72 * total / leaf * 1.25), berries=4, seed=self.chance, tendrils=0)
        whole = Manifold.batch_boolean(parts, OpType.Add)
        return without_hollows(band + self._bent(whole, 1.6))
