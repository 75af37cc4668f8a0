"""The signet: a seal on tapering shoulders, plain or engraved."""

from typing import Literal, Self

import numpy as np
from manifold3d import CrossSection, Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Fit, choice, mm, register, text
from jewel_assets.shape.designs.rings import Ring
from jewel_assets.shape.gems import make_stone
from jewel_assets.shape.parts import profiles
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.engraving import border, letters, rays
from jewel_assets.shape.parts.seals import SEALS, seal_outline
from jewel_assets.shape.parts.settings import LIP_MM, joined, seating
from jewel_assets.shape.piece import Body, Piece

DECORATIONS = ("plain", "border", "monogram", "rays", "stone")
SLIM = np.array([0.95, 0.96])
"""Width and thickness of the shank inside of the shank from which the shoulders are swept."""

ENGRAVED_MM = 0.45
"""Depth of what is cut into a seal: shallower is lost when it is polished."""


@register
class Signet(Ring):
    """A signet ring: solid, its shoulders running from the seal to the shank in one sweep."""

    family: Literal["signet"] = "signet"
    seal: str = choice("oval", SEALS, "outline of the seal")
    seal_length_mm: float = mm(13.0, 7.0, 18.0, "length of the seal along the finger")
    seal_width_mm: float = mm(11.0, 7.0, 17.0, "width of the seal across the finger")
    seal_height_mm: float = mm(2.6, 1.9, 4.5, "metal under the middle of the seal, down to the finger")
    bevel_mm: float = mm(0.5, 0.2, 1.2, "width of the bevel round the seal")
    shank_width_mm: float = mm(3.6, 2.5, 7.0, "width of the shank at the back of the finger")
    shank_thickness_mm: float = mm(1.7, 1.4, 2.8, "thickness of the shank at the back of the finger")
    decoration: str = choice("plain", DECORATIONS, "what is cut into the seal")
    monogram: str = text("", 2, r"[A-Z]*", "one or two capital letters, for the decoration 'monogram'")
    species: str = choice(
        "diamond", ("diamond", "ruby", "sapphire", "emerald"), "the stone, for the decoration 'stone'"
    )

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A seal that fits the finger and a shank that balances it."""
        fit.at_most(
            "seal_width_mm", 0.86 * fit["inner_diameter_mm"], "so wide a seal stands off the sides of the finger"
        )
        fit.at_most("seal_length_mm", 1.5 * fit["seal_width_mm"], "a seal so long looks like a plank")
        fit.at_least("seal_length_mm", 0.8 * fit["seal_width_mm"], "a seal so short looks like a bar")
        if fit["seal"] in ("round", "square"):
            fit.equal("seal_length_mm", fit["seal_width_mm"], f"a {fit['seal']} seal is as long as wide")
        fit.at_least(
            "shank_width_mm", 0.24 * fit["seal_length_mm"], "so narrow a shank lets the seal turn on the finger"
        )
        fit.at_most("shank_width_mm", 0.62 * fit["seal_length_mm"], "the shank must be narrower than its seal")
        fit.at_least("shank_thickness_mm", 0.3 * fit["shank_width_mm"], "the shank would bend")
        fit.at_most("bevel_mm", 0.09 * fit["seal_width_mm"], "so wide a bevel leaves no seal")
        if fit["decoration"] == "monogram" and not fit["monogram"]:
            fit.one_of("decoration", ("plain",), "a monogram needs its letters")
        if fit["decoration"] == "monogram":
            least = 8.5 if len(fit["monogram"]) == 1 else 12.0
            if fit["seal_width_mm"] < least:
                fit.one_of(
                    "decoration", ("plain",), f"the walls between its strokes would be too thin below {least:g} mm"
                )
        if fit["decoration"] == "stone":
            fit.at_least("seal_height_mm", 2.3, "the stone's culet would touch the finger")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Gentlemen's seals and pinky rings."""
        width = float(rng.uniform(8.5, 13))
        letters_ = "".join(rng.choice(list("ACDEFGHJLNOPSTUV"), size=int(rng.integers(1, 3))))
        return cls.nearest(
            **cls.draw_worn(rng),
            seal=cls.draw_field("seal", rng),
            seal_width_mm=width,
            seal_length_mm=width * rng.uniform(1.0, 1.3),
            seal_height_mm=rng.uniform(2.2, 3.0),
            bevel_mm=rng.uniform(0.3, 0.8),
            shank_width_mm=rng.uniform(3.0, 4.5),
            shank_thickness_mm=rng.uniform(1.5, 2.0),
            decoration=str(rng.choice(DECORATIONS, p=[0.3, 0.2, 0.25, 0.1, 0.15])),
            monogram=letters_,
            species=cls.draw_field("species", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "ring", and "stone" where one is set."""
        around = self.facets(detail)
        section = profiles.band_section(
            "D", self.shank_width_mm, self.shank_thickness_mm, 0.08, points=max(9, 2 * round(9 * detail) + 1)
        )
        shank = profiles.shank(self.inner_diameter_mm, section, around)
        top = self.inner_diameter_mm / 2 + self.seal_height_mm
        outline = seal_outline(self.seal, self.seal_width_mm, self.seal_length_mm, max(24, round(64 * detail)))
        # the sweep starts inside of the shank, so that it leaves it at an angle and not along its facets
        slim = profiles.shank(self.inner_diameter_mm, section * SLIM, around)
        metal = [shank, self._shoulders(slim, outline, top)]
        taken = [profiles.finger(self.inner_diameter_mm, around)]
        bodies: list[Body] = []
        cuts = self._engraved(outline)
        if cuts is not None:
            taken.append(cuts.extrude(ENGRAVED_MM + 1).translate((0, 0, top - ENGRAVED_MM)))
        if self.decoration == "stone":
            size = float(np.clip(0.32 * self.seal_width_mm, 2.0, 3.2))
            stone = seating("round brilliant", size)
            place = np.column_stack([np.eye(3), [0, 0, top - 0.35 * stone.crown - 0.1]])
            bodies.append(make_stone("stone", self.species, stone.cut, size, size, place))
            way_in = CrossSection([stone.offset(-LIP_MM)]).extrude(3)
            hole = Manifold.cylinder(6, 0.25 * size, circular_segments=24).translate((0, 0, -6))
            taken += [part.transform(place) for part in (stone.room, way_in, hole)]
        return self.piece([self.metal_body("ring", joined(metal, taken)), *bodies])

    def _shoulders(self, slim: Manifold, outline: Array, top: float) -> Manifold:
        """The seal and the sweep of metal from it to the shank, convex: the finger is taken out of it later."""
        rim = self.bevel_mm
        inner = outline * (1 - 2 * rim / np.array([self.seal_width_mm, self.seal_length_mm]))
        levels = [(inner, top), (outline, top - 0.8 * rim), (outline, top - 0.8 * rim - 0.5)]
        plate = np.vstack([np.column_stack([ring, np.full(len(ring), z)]) for ring, z in levels])
        points = np.asarray(slim.to_mesh64().vert_properties)[:, :3]
        return Manifold.hull_points(np.vstack([plate, points[points[:, 2] > 0.12 * self.inner_diameter_mm]]))

    def _engraved(self, outline: Array) -> CrossSection | None:
        room = outline * (1 - (2 * self.bevel_mm + 1.5) / np.array([self.seal_width_mm, self.seal_length_mm]))
        if self.decoration == "border":
            return border(room, 0.5)
        if self.decoration == "monogram":
            size = np.array([np.ptp(room[:, 0]), np.ptp(room[:, 1])]) * 0.74
            return letters(self.monogram, float(size[0]), float(size[1]), 0.5)
        if self.decoration == "rays":
            return rays(room, 0.5)
        return None
