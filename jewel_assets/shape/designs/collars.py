"""Rigid collars and torques."""

from typing import ClassVar, Literal, Self

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, mm, register, seed, segments, share
from jewel_assets.shape.designs.chains import METALS
from jewel_assets.shape.parts.curves import Array, circle, resample
from jewel_assets.shape.parts.profiles import band_section
from jewel_assets.shape.parts.surfaces import hammered, twisted_wire
from jewel_assets.shape.parts.sweep import ball, revolve_profile, sweep
from jewel_assets.shape.piece import Piece

BED_MM = 144.0
"""Height of the largest collar, outside: a printer's bed of 145 mm takes its wax in one piece, its width across."""


@register
class Collar(Design):
    """A rigid collar that is bent open to put it on: round, twisted, hammered or flat, with or without finials."""

    category: ClassVar[str] = "necklace"
    family: Literal["collar"] = "collar"
    inner_width_mm: float = mm(122.0, 105.0, 140.0, "inner width")
    roundness: float = share(0.92, 0.82, 1.0, "inner height over inner width")
    opening_mm: float = mm(34.0, 12.0, 60.0, "gap between its ends")
    opens: str = choice("behind", ("behind", "in front"), "where the gap is: torques open in front")
    wire: str = choice("round", ("round", "twisted", "hammered", "flat", "D", "knife-edge"), "its section and surface")
    thickness_mm: float = mm(4.0, 2.6, 8.0, "thickness in the middle")
    width_mm: float = mm(7.0, 3.0, 22.0, "width of a flat, D or knife-edge section in the middle")
    taper: float = share(0.7, 0.45, 1.0, "thickness of the ends over the middle")
    finials: str = choice("balls", ("none", "balls", "cones", "trumpets"), "what ends it")
    chance: int = seed(0, "where the hammer falls")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Finials end wires; a gap in front is narrower than one behind."""
        if fit["wire"] in ("flat", "D", "knife-edge"):
            fit.one_of("finials", ("none",), "finials end a round wire")
            fit.at_least(
                "width_mm", 1.15 * fit["thickness_mm"], "it would stand on edge", instead=("thickness_mm", 2.6)
            )
        if fit["wire"] == "twisted":
            fit.at_least("taper", 1.0, "a rope is as thick at its ends")
            fit.one_of("finials", ("balls", "cones", "trumpets"), "a rope's ends would fray")
        if fit["wire"] in ("flat", "D", "knife-edge"):
            fit.at_most("width_mm", (BED_MM - 0.82 * fit["inner_width_mm"]) / 2, "it is printed lying in one piece")
        out = fit["width_mm"] if fit["wire"] in ("flat", "D", "knife-edge") else fit["thickness_mm"]
        fit.at_most("roundness", (BED_MM - 2 * out) / fit["inner_width_mm"], "it is printed lying in one piece")
        if fit["opens"] == "in front":
            fit.one_of("finials", ("balls", "cones", "trumpets"), "ends that are seen are finished")
            fit.one_of("wire", ("round", "twisted", "hammered"), "finials end a round wire")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Torques that open in front, and collars that open behind."""
        front = rng.random() < 0.45
        wire = str(
            rng.choice(["round", "twisted", "hammered"])
            if front
            else rng.choice(["round", "hammered", "flat", "D", "knife-edge"])
        )
        return cls.nearest(
            metal=str(rng.choice(METALS)),
            inner_width_mm=float(rng.uniform(112, 130)),
            roundness=float(rng.uniform(0.86, 1.0)),
            opening_mm=float(rng.uniform(20, 36)),
            opens="in front" if front else "behind",
            wire=wire,
            thickness_mm=float(rng.uniform(3.4, 6.8) if front else rng.uniform(2.8, 4.5)),
            width_mm=float(rng.uniform(5, 16)),
            taper=float(rng.uniform(0.55, 0.95)),
            finials=str(rng.choice(["balls", "cones", "trumpets"])) if front else "none",
            chance=int(rng.integers(0, 2**31 - 1)),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`. It lies in the x-z plane, its middle at the origin."""
        wide, high = self.inner_width_mm / 2, self.inner_width_mm / 2 * self.roundness
        bottom = self.opens == "in front"
        # from the left end round to the right end; the gap at the bottom or at the top
        turn = np.linspace(0, 2 * np.pi, 3600, endpoint=False)
        sign = 1.0 if bottom else -1.0
        ring = np.column_stack([-wide * np.sin(turn), np.zeros(3600), -sign * high * np.cos(turn)])
        keep = (np.abs(ring[:, 0]) > self.opening_mm / 2) | (sign * ring[:, 2] > 0)
        points = segments(detail, wide)
        line = resample(ring[keep], points)
        out = line / np.array([wide**2, 1.0, high**2])
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        away = np.abs(np.linspace(-1, 1, points))
        size = 1 - (1 - self.taper) * away**1.4
        thick = self.thickness_mm
        if self.wire in ("flat", "D", "knife-edge"):
            # broad to the viewer: the section's x lies in the plane of the collar, its face to -y
            section = band_section(self.wire, self.width_mm, thick, 0.4, max(9, round(17 * detail)))
            end = np.sqrt(np.clip(1 - (1 - np.clip((1 - away) / 0.05, 0, 1)) ** 2, 0.09, 1))
            scale = np.column_stack([size * end, np.maximum(size, 0.8)])
            middle = line + out * self.width_mm / 2
            solid = sweep(section, middle, up=(0.0, -1.0, 0.0), scale=scale)
            return self.piece([self.metal_body("collar", solid)])
        middle = line + out * thick / 2
        ends = [0.5 * thick * (size[0] if self.wire != "twisted" else 1.0)] * 2
        if self.wire == "twisted":
            solid = twisted_wire(middle, thick, 3 if thick > 3.2 else 2, 3.2 * thick)
        else:
            solid = sweep(circle(thick, max(16, round(24 * detail))), middle, up=out, scale=size, caps="round")
        if self.wire == "hammered":
            dent = float(np.clip(0.8 * thick, 2.2, 4.0))
            solid = hammered(solid, dent, 0.06 * dent, self.chance, facets=max(3, round(3.5 * detail)))
        finials = [
            self._finial(middle[k], middle[k] - middle[k + step], radius, detail)
            for k, step, radius in ((0, 1, ends[0]), (-1, -1, ends[1]))
        ]
        for finial in finials:
            if finial is not None:
                solid = solid + finial
        return self.piece([self.metal_body("collar", solid)])

    def _finial(self, at: Array, away: Array, radius: float, detail: float) -> Manifold | None:
        """What ends the wire at `at`, whose outside is towards `away`."""
        if self.finials == "none":
            return None
        turns = max(24, round(36 * detail))
        if self.finials == "balls":
            return ball(4.2 * radius, at + away / np.linalg.norm(away) * 1.2 * radius, turns)
        r = radius
        profiles = {
            "cones": [
                (0, -1.6),
                (1.12, -1.6),
                (1.2, -1.2),
                (1.12, -0.9),
                (1.95, 0.6),
                (2.0, 1.0),
                (1.5, 1.3),
                (0, 3.6),
            ],
            "trumpets": [
                (0, -2.4),
                (1.12, -2.4),
                (1.16, -1.2),
                (1.4, 0.2),
                (2.1, 1.3),
                (2.5, 1.7),
                (2.5, 2.1),
                (1.8, 2.4),
                (0, 2.5),
            ],
        }
        solid = revolve_profile(np.array(profiles[self.finials], dtype=np.float64) * r, turns)
        z = away / np.linalg.norm(away)
        x = np.cross([0.0, 1.0, 0.0], z)
        return solid.transform(np.column_stack([x, np.cross(z, x), z, at]))
