"""A pendant on a fine chain."""

from typing import Literal, Self

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, mm, register, seed, share
from jewel_assets.shape.designs.chains import ChainDesign
from jewel_assets.shape.designs.pairs import Assembly
from jewel_assets.shape.designs.pendants import Bar, SolitairePendant
from jewel_assets.shape.designs.pendants_drops import DropPendant
from jewel_assets.shape.designs.pendants_plates import Disc, Heart, Medallion
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.links import (
    least_oval,
    oval_link,
    play,
    shortest_oval,
)
from jewel_assets.shape.parts.strands import LEAST_WIRE_MM, Pattern, lowered
from jewel_assets.shape.piece import Piece

PENDANTS: dict[str, type[Design]] = {
    family.model_fields["family"].default: family
    for family in (Disc, Heart, DropPendant, Bar, SolitairePendant, Medallion)
}
"""The families of pendants that can hang on a chain, by name."""

LEAST_BAIL_MM = 7.5
"""A lower bail does not pass over the finest chain that can be cast."""


@register
class PendantNecklace(ChainDesign):
    """A pendant on a fine chain, which its weight draws to a point."""

    family: Literal["pendant necklace"] = "pendant necklace"
    drape: float = share(0.55, 0.3, 0.8, "how pointed the pendant's weight draws the chain")
    wire_mm: float = mm(LEAST_WIRE_MM, LEAST_WIRE_MM, 0.6, "thickness of the chain's wire")
    link_width_mm: float = mm(1.95, 1.89, 2.15, "width of a link: the bail passes over it")
    link_length_mm: float = mm(2.8, 1.8, 7.0, "length of a link")
    pendant: str = choice("solitaire pendant", tuple(PENDANTS), "family of the pendant")
    chance: int = seed(0, "which pendant of that family it is: it is drawn with this seed")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """The next link's wire must pass through; the pendant draws the chain down."""
        least = least_oval(fit["wire_mm"], fit["wire_mm"])
        fit.at_least(
            "link_width_mm", least, "the next link's wire must pass through it", instead=("wire_mm", LEAST_WIRE_MM)
        )
        fit.at_least(
            "link_length_mm",
            max(fit["link_width_mm"], shortest_oval(fit["wire_mm"])),
            "both neighbours must fit into it",
        )
        fit.one_of("lay", ("closed",), "a pendant is shown on its closed chain")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Any pendant on a short chain, so that it is seen."""
        wear = cls.drawn_wear(rng) | {"lay": "closed", "drape": float(rng.uniform(0.45, 0.75))}
        wear["length_mm"] = float(rng.choice([360.0, 380.0, 400.0, 420.0, 450.0]))
        if float(str(wear["extender_mm"])) > 0:
            wear["extender_mm"] = 25.0
        return cls.nearest(
            wire_mm=float(rng.uniform(LEAST_WIRE_MM, 0.57)),
            link_width_mm=float(rng.uniform(1.9, 2.05)),
            link_length_mm=float(rng.choice([rng.uniform(2.5, 3.2), rng.uniform(4.0, 6.0)], p=[0.7, 0.3])),
            pendant=str(rng.choice(list(PENDANTS))),
            chance=int(rng.integers(0, 2**31 - 1)),
            **wear,
        )

    def pattern(self, detail: float) -> Pattern:
        """Fine cable."""
        link = oval_link(self.link_length_mm, self.link_width_mm, self.wire_mm, detail)
        roll = lambda i: 45.0 + 90.0 * (i % 2)  # noqa: E731
        return Pattern(lambda i: link, roll, 2, self.link_width_mm, self.wire_mm, play=play(self.wire_mm), supple=True)

    def pendant_design(self) -> Design:
        """The pendant, in the chain's metal, with a bail that passes over the chain."""
        kind = PENDANTS[self.pendant]
        drawn = kind.draw(np.random.default_rng(self.chance)).model_dump()
        return kind.nearest(**drawn | {"metal": self.metal, "bail_mm": max(drawn["bail_mm"], LEAST_BAIL_MM)})

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`. Every link moves; the pendant is the casting that does not."""
        chain = super().build(detail)
        pendant = self.pendant_design().build(detail)
        low = [
            body.solid for body in chain.bodies if abs(_middle(body.solid)[0]) < 9.0 and _middle(body.solid)[2] < 12.0
        ]
        bail = next(body for body in pendant.bodies if body.name == "bail").solid
        box = np.array(bail.bounding_box())
        # the chain runs where the bail is widest, a little above its middle
        start = -(0.42 * box[2] + 0.58 * box[5])
        shift = lowered(bail, low, start)
        hung = Assembly(self.metal, list(pendant.bodies), list(pendant.moving)).placed(
            np.column_stack([np.eye(3), [0, 0, shift]])
        )
        names = {body.name for body in chain.bodies}
        hung = hung.named("pendant") if any(body.name in names for body in hung.bodies) else hung
        return self.piece([*chain.bodies, *hung.bodies], [*chain.moving, *hung.groups])


def _middle(solid: Manifold) -> Array:
    box = np.array(solid.bounding_box())
    return np.asarray((box[:3] + box[3:]) / 2)
