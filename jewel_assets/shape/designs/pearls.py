"""Rows of pearls on knotted silk."""

from functools import lru_cache
from typing import ClassVar, Literal, Self

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, mm, register, share
from jewel_assets.shape.gems import SPECIES, make_stone
from jewel_assets.shape.parts.clasps import CLASPS, clasp_of
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.links import (
    Link,
    lay,
    link_sides,
    necklace_curve,
    play,
    stadium,
)
from jewel_assets.shape.parts.strands import Strand, jump_ring
from jewel_assets.shape.parts.sweep import revolve_profile, tube
from jewel_assets.shape.piece import Body, Piece


@register
class PearlStrand(Design):
    """A row of pearls on knotted silk, all of one size or growing towards the middle, with a clasp."""

    category: ClassVar[str] = "necklace"
    ordered: ClassVar[frozenset[str]] = Design.ordered | {"length_mm"}
    family: Literal["pearl strand"] = "pearl strand"
    length_mm: float = mm(430.0, 360.0, 800.0, "length with its clasp")
    species: str = choice("pearl", tuple(name for name in SPECIES if name.endswith("pearl")), "which pearls")
    pearl_mm: float = mm(7.5, 4.5, 14.0, "diameter of the pearl in the middle")
    end_share: float = share(1.0, 0.55, 1.0, "diameter of the last pearl over that of the middle one")
    clasp: str = choice("lobster", CLASPS, "how it closes")
    drape: float = share(0.2, 0.0, 0.5, "how pointed it lies")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """The smallest pearl can still be drilled."""
        fit.at_least("end_share", 3.0 / fit["pearl_mm"], "so small a pearl cannot be strung")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """White, Tahitian and golden ones; one in three graduated."""
        species = str(rng.choice(["pearl", "tahitian pearl", "golden pearl"], p=[0.7, 0.2, 0.1]))
        large = species != "pearl"
        return cls.nearest(
            metal=str(rng.choice(["18k-yellow", "18k-white", "925-silver"])),
            length_mm=float(rng.choice([380.0, 420.0, 450.0, 550.0], p=[0.25, 0.4, 0.25, 0.1])),
            species=species,
            pearl_mm=float(rng.uniform(8.5, 12.5) if large else rng.uniform(6.0, 9.5)),
            end_share=1.0 if rng.random() < 0.6 else float(rng.uniform(0.6, 0.8)),
            clasp=str(rng.choice(CLASPS)),
            drape=float(rng.uniform(0.05, 0.35)),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`. Pearls are gems; clasp and rings move; the silk between the pearls is one body."""
        knot = 0.9
        fastener = clasp_of(self.clasp, 0.45 * self.pearl_mm, 0.8, detail)
        ring = jump_ring(0.8, 0.8, 0.8, detail)
        hooked = jump_ring(0.8, 0.8, fastener.gauge, detail)
        ends = _cup_end(0.8, detail)
        # from the middle outward, each a little smaller, until the length is filled
        free = (
            self.length_mm
            - (fastener.ahead + fastener.behind)
            - 2 * ring.ahead
            - 2 * hooked.ahead
            - 2 * ends.ahead
            - 3.0
        )
        half = max(6, round((free / (self.pearl_mm * (1 + self.end_share) / 2 + knot) - 1) / 2))
        grown = 1 - (1 - self.end_share) * (np.arange(half + 1) / half) ** 1.3
        sizes = np.round(self.pearl_mm * grown, 2)
        taken: list[tuple[float, float]] = [((size + knot) / 2, (size + knot) / 2) for size in sizes]
        strand = Strand(clearance=play(0.8))
        strand.add("end cup 1", ends, 0.0)
        strand.add("end ring", hooked, 90.0)
        strand.add("clasp", fastener, 0.0)
        strand.add("clasp ring", ring, 90.0)
        strand.add("end cup 2", _turned(ends), 0.0)
        fittings = strand.taken(closed=False)
        # the silk leaves a cup in the middle of its dish
        fittings[0, 0], fittings[-1, 1] = 0.4, 0.4
        every = np.vstack([taken, fittings, taken[:0:-1]])
        rolls = np.concatenate([np.zeros(half + 1), strand.rolls_deg, np.zeros(half)])
        places = lay(every, necklace_curve(self.length_mm, self.drape, 0.86), rolls, closed=True, start=-taken[0][0])
        bodies, groups = strand.bodies(places[half + 1 : half + 1 + len(fittings)], self.metal)
        pearls = [*range(half + 1), *range(half + 1 + len(fittings), len(places))]
        all_sizes = [*sizes, *sizes[:0:-1]]
        for k, (at, size) in enumerate(zip(pearls, all_sizes, strict=True), start=1):
            place = places[at].copy()
            bodies.append(make_stone(f"pearl {k:03d}", self.species, "pearl", float(size), float(size), place))
        order = [*pearls[half + 1 :], *pearls[: half + 1]]
        order_sizes = [*all_sizes[half + 1 :], *all_sizes[: half + 1]]
        bodies.append(Body("silk", _knots(places[order], np.array(order_sizes), detail), "other", "silk cord"))
        return self.piece(bodies, groups)


@lru_cache(maxsize=4)
def _cup_end(wire: float, detail: float) -> Link:
    """A small dished cup at the end of a strand, its dish to -x, with an eye at +x."""
    sides, bend = link_sides(wire, detail)
    profile = np.array([(0.0, 0.7), (0.9, 0.2), (1.5, -0.4), (1.9, -0.3), (1.7, 0.7), (0.9, 1.4), (0.0, 1.6)])
    cup = revolve_profile(profile[::-1] if profile[0, 1] > profile[-1, 1] else profile, 28, axis="x")
    opening = 1.9 * wire + 2 * play(wire)
    eye = stadium(opening + wire, opening + wire, bend) + np.array([1.3 + opening / 2 + 0.5 * wire, 0.0, 0.0])
    solid = cup + tube(eye, wire / 2, closed=True, sides=sides)
    return Link(solid.as_original(), (eye,), float(eye[:, 0].max() - wire / 2), 0.4)


def _turned(link: Link) -> Link:
    """The same, with its ends exchanged."""
    lines = tuple(line * np.array([-1.0, -1.0, 1.0]) for line in link.lines)
    return Link(link.solid.rotate((0.0, 0.0, 180.0)), lines, link.behind, link.ahead)


def _knots(places: Array, sizes: Array, detail: float) -> Manifold:
    """The silk that is seen: a knot between every two pearls of a row (k, 3, 4)."""
    first, second = places[:-1, :, 3], places[1:, :, 3]
    way = second - first
    span = np.linalg.norm(way, axis=1)
    way /= span[:, None]
    low = sizes[:-1] / 2
    high = span - sizes[1:] / 2
    middle = first + way * ((low + high) / 2)[:, None]
    gap = np.maximum(high - low, 0.3)
    knots = [
        Manifold.sphere(1.0, 12)
        .scale((0.5 * g - 0.03, 0.55, 0.55))
        .transform(np.column_stack([w, [0.0, 1.0, 0.0], np.cross(w, [0.0, 1.0, 0.0]), m]))
        for g, w, m in zip(gap, way, middle, strict=True)
    ]
    return Manifold.compose(knots)
