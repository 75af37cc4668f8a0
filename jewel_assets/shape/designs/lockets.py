"""Lockets: two halves on a hinge, hollow inside, the front one ornamented."""

from typing import Literal, Self

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Fit, choice, mm, register, seed, share
from jewel_assets.shape.designs.jewels import STONES
from jewel_assets.shape.designs.pairs import Assembly
from jewel_assets.shape.designs.pendants import EYE_MM, WIRE_MM, Pendant
from jewel_assets.shape.parts.casting import Casting, front
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.findings import bail, bail_over, eye, moved
from jewel_assets.shape.parts.medallions import eye_height, medallion
from jewel_assets.shape.parts.outlines import facing, inset, outline, plate
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.sweep import ball
from jewel_assets.shape.piece import Piece

GAP_MM = 0.25
"""Between the halves, and between the knuckles of the hinge."""

WALL_MM = 0.95
CUT_INTO = {"milgrain": 0.35, "rays": 0.6, "hammered": 0.45}
"""How deep an ornament is cut into the face, mm, so that the wall under it stays whole."""

HINGE_MM = 0.9
"""How far the hinge stands out from the edge: further in, the room of its knuckles leaves too little of the faces."""

KNUCKLE_MM = 1.55
"""Radius of a knuckle: a rivet of 1 mm, room of 0.2 mm round it, and a wall of 0.85 mm."""


@register
class Locket(Pendant):
    """A locket that opens to the side: two hollow halves, three knuckles on a rivet, a bead to open it by."""

    family: Literal["locket"] = "locket"
    shape: str = choice("oval", ("round", "oval", "heart", "cushion"), "outline")
    width_mm: float = mm(19.0, 13.0, 32.0, "width of the locket, without hinge and bead")
    slenderness: float = share(1.25, 0.85, 1.5, "height over width")
    depth_mm: float = mm(2.4, 2.3, 3.6, "depth of each half")
    ornament: str = choice(
        "leaf", ("polished", "domed", "hammered", "milgrain", "leaf", "rays"), "face of the front half"
    )
    cell_mm: float = mm(3.2, 2.4, 5.0, "size of what repeats")
    stone_mm: float = mm(0.0, 0.0, 3.0, "diameter of a stone in the middle of a plain face; 0 leaves it out")
    species: str = choice("ruby", STONES, "what it is")
    chance: int = seed(0, "what the ornament leaves to chance")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """As wide as its outline says; a stone does not reach into the hollow."""
        if fit["shape"] in ("round", "cushion"):
            fit.at_least("slenderness", 1.0, f"a {fit['shape']} locket is as high as wide")
            fit.at_most("slenderness", 1.0, f"a {fit['shape']} locket is as high as wide")
        if fit["shape"] == "heart":
            fit.at_most("slenderness", 1.05, "so slender a heart has no side for a hinge")
        if fit["shape"] == "oval":
            fit.at_least("slenderness", 1.12, "a rounder oval is a circle")
        if fit["stone_mm"] > 0:
            fit.at_least("stone_mm", 1.2, "smaller stones are not set alone")
            fit.one_of("ornament", ("polished", "domed"), "the stone is set in a plain face")
            fit.at_least("depth_mm", 2.4, "the stone would reach into the hollow")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly ovals and hearts."""
        shape = str(rng.choice(["oval", "heart", "round", "cushion"], p=[0.38, 0.28, 0.22, 0.12]))
        return cls.nearest(
            **cls.draw_bail(rng),
            shape=shape,
            width_mm=rng.uniform(16, 25),
            slenderness={"oval": rng.uniform(1.2, 1.4), "heart": 0.95}.get(shape, 1.0),
            depth_mm=rng.uniform(2.3, 2.9),
            ornament=cls.draw_field("ornament", rng),
            cell_mm=rng.uniform(2.8, 4.0),
            stone_mm=rng.uniform(1.8, 2.8) if rng.random() < 0.3 else 0.0,
            species=str(rng.choice(["ruby", "diamond", "sapphire", "emerald"])),
            chance=cls.draw_field("chance", rng),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """Bodies: "locket back" with the rivet, "locket front", "bail", "stone"."""
        edge = outline(self.shape, self.width_mm, self.width_mm * self.slenderness, 120)
        up = eye_height(edge, EYE_MM, WIRE_MM)
        hollow_deep = self.depth_mm - WALL_MM - CUT_INTO.get(self.ornament, 0.0)
        hollow = inset(edge, 2.45).extrude(hollow_deep + 1.0).translate((0.0, 0.0, -1.0))
        # made face up, the plane where the halves meet at z = 0
        lift = GAP_MM / 2
        middle, outer = self._knuckles(edge)
        rivet_hole, rivet = self._rod(edge, 0.7), self._rod(edge, 0.5)
        parts = medallion(
            self.shape, self.width_mm, self.width_mm * self.slenderness, self.ornament, self.depth_mm, 1.2,
            self.cell_mm, self.chance,
        )  # fmt: skip
        face = Casting(*(part.translate((0.0, 0.0, lift)) for part in parts))
        face.take(hollow.translate((0.0, 0.0, lift)), *(grown for _, grown in outer), rivet_hole)
        side = edge[int(np.argmax(edge[:, 0]))]
        knob = ball(2.2, (float(side[0]) + 0.35, float(side[1]), lift + 0.75), 24)
        below = Manifold.cube((8.0, 8.0, 8.0), True).translate((float(side[0]), float(side[1]), lift - 4.0))
        body = Casting(face.solid(), middle[0] - rivet_hole, knob - below)
        if self.stone_mm > 0:
            rise = (0.09 * self.width_mm if self.ornament == "domed" else 0.0) + self.depth_mm + lift - 0.06
            body = self._stood(body)
            small = seating("round brilliant", self.stone_mm)
            at = np.column_stack([np.eye(3), [*edge.mean(axis=0), 0.0]])
            body.scattered(small, at[None], self.species, front(height=rise, z=-up), "stone")
        else:
            body = self._stood(body)
        shell = plate(edge, self.depth_mm, 0.5) - hollow
        back = Casting(
            shell.mirror((0.0, 0.0, 1.0)).translate((0.0, 0.0, -lift)) - middle[1],
            *(solid for solid, _ in outer),
            rivet,
        )
        back.add(moved(eye(EYE_MM, WIRE_MM, "y").rotate((90.0, 0.0, 0.0)), (0.0, up, -lift - 0.8)))
        one = Assembly(self.metal)
        one.cast("locket back", self._stood(back), moves=False)
        one.cast("locket front", body)
        one.cast("bail", bail(self.bail_mm, self.bail_width_mm, 0.9, 1.0), at=(0.0, lift + 0.8, bail_over(0.0, EYE_MM)))
        return one.piece(self)

    def _stood(self, casting: Casting) -> Casting:
        """Stood up, its eye at the height of the origin."""
        edge = outline(self.shape, self.width_mm, self.width_mm * self.slenderness, 120)
        up = eye_height(edge, EYE_MM, WIRE_MM)
        shifted = Casting(*(facing(part).translate((0.0, 0.0, -up)) for part in casting.metal))
        return shifted.take(*(facing(part).translate((0.0, 0.0, -up)) for part in casting.taken))

    def _hinge(self, edge: Array) -> tuple[float, float, float]:
        """x and y of the middle of the hinge, and the length of one knuckle."""
        spot = edge[int(np.argmin(edge[:, 0]))]
        return (
            float(spot[0]) - HINGE_MM,
            float(spot[1]),
            float(np.clip(0.11 * self.width_mm * self.slenderness, 1.8, 3.0)),
        )

    def _knuckles(self, edge: Array) -> tuple[tuple[Manifold, Manifold], list[tuple[Manifold, Manifold]]]:
        """The middle knuckle, and the two beside it, each with the room that the other half leaves for it."""
        x, y, long = self._hinge(edge)

        def barrel(middle: float, reach: float, radius: float) -> Manifold:
            turned = Manifold.cylinder(reach, radius, circular_segments=36, center=True).rotate((90.0, 0.0, 0.0))
            return turned.translate((x, y + middle, 0.0))

        pitch = long + GAP_MM
        pair = [
            (barrel(side * pitch, long, KNUCKLE_MM), barrel(side * pitch, long + 2 * GAP_MM, KNUCKLE_MM + GAP_MM))
            for side in (-1.0, 1.0)
        ]
        return (barrel(0.0, long, KNUCKLE_MM), barrel(0.0, long + 2 * GAP_MM, KNUCKLE_MM + GAP_MM)), pair

    def _rod(self, edge: Array, radius: float) -> Manifold:
        x, y, long = self._hinge(edge)
        turned = Manifold.cylinder(3 * long + 1.2, radius, circular_segments=24, center=True).rotate((90.0, 0.0, 0.0))
        return turned.translate((x, y, 0.0))
