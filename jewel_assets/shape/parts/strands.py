"""A chain made up to wear: its links in order, a clasp, an extender, laid along a curve and turned into bodies.

A `Pattern` says which link comes at each place of a chain, counted from the middle (place 0), and how it is rolled.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from manifold3d import Manifold
from numpy.typing import ArrayLike

from jewel_assets.shape.parts.clasps import clasp_of
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.links import LEAST_GAP, Link, lay, link_sides, oval_link, play, reaches, stadium
from jewel_assets.shape.parts.sweep import ball, tube
from jewel_assets.shape.piece import Body

LEAST_WIRE_MM = 0.53
"""Thickness of the finest wire that is cast: of ten facets, it is 0.5 mm thick between two of them."""

MOST_FACES = 360_000
"""Links that would have more faces than this together are made coarser: so long a chain is seen from further away."""


@dataclass(frozen=True)
class Pattern:
    """Which links make a chain, and how."""

    link: Callable[[int], Link]
    roll_deg: Callable[[int], float]
    period: int = 1
    """after so many links it begins again"""
    width: float = 3.0
    """mm across the chain"""
    wire: float = 0.6
    """mm of the wire"""
    room: float = 0.0
    """mm that the end of a link takes up inside a jump ring; 0 for that of its wire"""
    play: float = 0.15
    """mm between its links where it is straight"""
    supple: bool = False
    """its links may be rolled a little further each, so that its last one suits the clasp"""
    end_tilt_deg: float = 0.0
    """how far the wire at the front end of a link is turned about the chain; at its back end, the other way"""
    cap: Callable[[int, int], Link] | None = None
    """the fitting that takes the place of the last link: (side, place)"""

    def taken(self) -> float:
        """mm of chain per period."""
        places = range(2 * self.period + 1)
        links, rolls = [self.link(i) for i in places], [self.roll_deg(i) for i in places]
        used = reaches(links, rolls, closed=False, clearance=self.play)
        middle = used[self.period // 2 + 1 :][: self.period]
        return float(middle.sum())


@dataclass
class Strand:
    """Links with their names and rolls, in the order they hang together."""

    names: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    rolls_deg: list[float] = field(default_factory=list)
    clearance: float = 0.15
    """mm between its links where it is straight"""

    def add(self, name: str, link: Link, roll_deg: float) -> None:
        """Hang `link` into what is there."""
        self.names.append(name)
        self.links.append(link)
        self.rolls_deg.append(roll_deg)

    def taken(self, closed: bool) -> Array:
        """(n, 2): what `links.reaches` says of it."""
        return reaches(self.links, self.rolls_deg, closed, self.clearance)

    def lay(self, curve: ArrayLike, closed: bool, start: int = 0) -> Array:
        """(n, 3, 4): placements along `curve`; the middle of the first link lies at the curve's start.

        An open strand is laid so that the middle of link `start` lies in the middle of the curve.
        """
        taken = self.taken(closed)
        if closed:
            return lay(taken, curve, self.rolls_deg, closed=True, start=-float(taken[0, 0]))
        before = float(taken[:start].sum() + taken[start, 0])
        line = np.asarray(curve, dtype=np.float64)
        half = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum()) / 2
        return lay(taken, curve, self.rolls_deg, closed=False, start=half - before)

    def bodies(self, placements: ArrayLike, metal: str) -> tuple[list[Body], list[tuple[str, ...]]]:
        """The bodies, and the groups of them that move. Equal links share one mesh."""
        bodies: list[Body] = []
        groups: list[tuple[str, ...]] = []
        for name, link, place in zip(self.names, self.links, np.asarray(placements), strict=True):
            for part, solid in link.parts or ((name, link.solid),):
                title = part if not link.parts or name == "clasp" else f"{name} {part}"
                bodies.append(Body(title, solid.transform(place), "metal", metal))
                groups.append((title,))
        return bodies, groups


def jump_ring(wire: float, first: float, second: float, detail: float = 1.0) -> Link:
    """A round ring of `wire` mm, wide enough for two wires of `first` and `second` mm to hang in it."""
    inside = max(1.1 * (first + second) + 4 * play(wire), 1.8 * wire + 2 * play(wire))
    return oval_link(inside + 2 * wire, inside + 2 * wire, wire, detail)


def drop_end(wire: float, diameter: float, detail: float = 1.0) -> Link:
    """The bead at the end of an extender, with its eye at -x."""
    sides, bend = link_sides(wire, detail)
    opening = 1.8 * wire + 2 * play(wire)
    bead = ball(diameter, (opening / 2 + wire / 2 + 0.42 * diameter, 0.0, 0.0), 2 * sides)
    line = stadium(opening + wire, opening + wire, bend)
    solid = (bead + tube(line, wire / 2, closed=True, sides=sides)).as_original()
    return Link(solid, (line,), opening / 2 + diameter, opening / 2)


def made_up(
    pattern: Pattern, length: float, clasp: str, closed: bool, extender: float = 0.0, detail: float = 1.0
) -> tuple[Strand, int]:
    """A chain of `length` mm with its clasp, and the place of its middle link.

    Closed, the strand begins with the middle link, goes up on the right, through the clasp, and comes down on the left.
    Open, it runs from the clasp at its left end to the extender's last ring at its right end.
    """
    wire = float(np.clip(pattern.wire, LEAST_WIRE_MM, 1.1))
    fastener = clasp_of(clasp, pattern.width, wire, detail)
    room = pattern.room or pattern.wire
    ring = jump_ring(wire, room, wire, detail)
    hooked = jump_ring(wire, room, fastener.gauge, detail)
    chained = jump_ring(wire, wire, fastener.gauge, detail)
    gap = pattern.play
    rings = max(0, round(extender / (2 * chained.ahead - gap)))
    fittings = fastener.ahead + fastener.behind + (2 + rings) * (2 * chained.ahead - gap)
    taken = pattern.taken()
    half = max(2, round((length - fittings) / taken * pattern.period / 2))
    if pattern.period == 2 and not pattern.supple:
        half += half % 2  # both ends like the middle
    right = [(i, pattern.link(i), pattern.roll_deg(i)) for i in range(half + 1)]
    left = [(i, pattern.link(i), pattern.roll_deg(i)) for i in range(-half, 0)]
    if pattern.cap is not None:
        right[-1] = (half, pattern.cap(1, half), right[-1][2])
        left[0] = (-half, pattern.cap(-1, -half), left[0][2])
    if pattern.supple:
        right = [(i, link, roll + _drift(right[-1][2]) * i / half) for i, link, roll in right]
        left = [(i, link, roll + _drift(left[0][2]) * i / -half) for i, link, roll in left]
    ring_ahead, ring_behind = 90.0 + pattern.end_tilt_deg / 2, 90.0 - pattern.end_tilt_deg / 2
    tail = [(f"extender {i + 1:02d}", chained, 90.0 * i) for i in range(rings)]
    strand = Strand(clearance=gap)
    if closed:
        # an odd run of rings, so that the clasp lies flat again
        tail = tail[: len(tail) - len(tail) % 2]
        for i, link, roll in right:
            strand.add(f"link {i + half + 1:03d}", link, roll)
        strand.add("end ring", ring if tail else hooked, ring_ahead)
        for name, link, roll in tail:
            strand.add(name, link, roll)
        strand.add("clasp", fastener, 0.0)
        strand.add("clasp ring", ring, ring_behind)
        for i, link, roll in left:
            strand.add(f"link {i + half + 1:03d}", link, roll)
        return strand, 0
    strand.add("clasp", fastener, 0.0)
    strand.add("clasp ring", ring, ring_behind)
    for i, link, roll in [*left, *right]:
        strand.add(f"link {i + half + 1:03d}", link, roll)
    strand.add("end ring", ring, ring_ahead)
    for name, link, roll in tail:
        strand.add(name, link, roll)
    if rings:
        strand.add("extender drop", drop_end(wire, max(2.2, 3.2 * wire), detail), 90.0 * rings)
    return strand, 2 + half


def light_enough(faces: int, count: float, detail: float) -> float:
    """The detail at which `count` links that have `faces` at `detail` stay below `MOST_FACES`."""
    most = MOST_FACES * max(detail, 1.0) ** 2
    return detail * min(1.0, float(np.sqrt(most / max(faces * count, 1.0))))


def nearest_gap(solid: Manifold, others: Iterable[Manifold], within: float) -> float:
    """The smallest gap in mm between `solid` and `others`, at most `within`."""
    return min((float(solid.min_gap(other, within)) for other in others), default=within)


def lowered(solid: Manifold, onto: Sequence[Manifold], start: float, clearance: float = LEAST_GAP) -> float:
    """How far down (-z, mm) `solid` goes from `start` mm above its place until it hangs on `onto`, `clearance` away.

    It starts where it touches nothing, encircling what it hangs on. The result is its height over its place.
    """
    high, step = start, clearance / 2
    for _ in range(400):
        if nearest_gap(solid.translate((0.0, 0.0, high - step)), onto, 2 * clearance) < clearance:
            break
        high -= step
    return high


def _drift(roll_deg: float) -> float:
    """The smallest turn that brings a roll to a multiple of 180 degrees."""
    return -((roll_deg + 90.0) % 180.0 - 90.0)
