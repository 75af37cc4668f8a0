"""Chains to wear on their own: cable, curb, figaro, rope and box."""

from abc import abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar, Literal, Self

from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, count, mm, register, share
from jewel_assets.shape.parts.clasps import CLASPS
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.parts.links import (
    BOX_PLAY,
    ROPE_WINDS,
    Link,
    box_link,
    curb_link,
    hanging_curve,
    least_oval,
    necklace_curve,
    oval_link,
    play,
    rope_end,
    rope_link,
    rope_pose,
    rope_width,
    shortest_oval,
    widest_strip,
)
from jewel_assets.shape.parts.strands import LEAST_WIRE_MM, Pattern, light_enough, made_up
from jewel_assets.shape.piece import Piece

LAYS = ("closed", "open")
LENGTHS_MM = (400.0, 420.0, 420.0, 450.0, 450.0, 500.0, 550.0)
"""The lengths that chains are sold in (16 to 24 inches, rounded as the trade rounds them)."""

METALS = ("18k-yellow", "18k-yellow", "14k-yellow", "18k-white", "18k-rose", "925-silver", "925-silver")
"""What chains are mostly sold in, the usual ones more often."""


class ChainDesign(Design):
    """What all chains have: a length, a clasp, and how they lie for their photo."""

    category: ClassVar[str] = "necklace"
    ordered: ClassVar[frozenset[str]] = Design.ordered | {"length_mm"}
    length_mm: float = mm(450.0, 350.0, 800.0, "length with its clasp, extender included")
    lay: str = choice("closed", LAYS, "closed and laid in an egg shape, or open and hanging by its ends")
    clasp: str = choice("lobster", CLASPS, "how it closes")
    extender_mm: float = mm(0.0, 0.0, 70.0, "length of the rings at one end that make it longer or shorter")
    drape: float = share(0.1, 0.0, 0.8, "how pointed it lies: 0 is an oval; open, how far apart its ends hang")

    @abstractmethod
    def pattern(self, detail: float) -> Pattern:
        """The links, finer with `detail`."""

    def curve(self) -> Array:
        """The curve that it lies along."""
        if self.lay == "closed":
            return necklace_curve(self.length_mm, self.drape, 0.84 - 0.1 * self.drape)
        return hanging_curve(self.length_mm, 0.7 - 0.3 * self.drape)

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`. Every link is a body of its own that moves; equal ones share one mesh."""
        pattern = self.pattern(detail)
        number = self.length_mm / pattern.taken() * pattern.period
        light = light_enough(pattern.link(0).solid.num_tri(), number, detail)
        if light < detail:
            pattern = self.pattern(light)
        closed = self.lay == "closed"
        strand, middle = made_up(pattern, self.length_mm, self.clasp, closed, self.extender_mm, detail)
        bodies, moving = strand.bodies(strand.lay(self.curve(), closed, middle), self.metal)
        return self.piece(bodies, moving)

    @classmethod
    def drawn_wear(cls, rng: Generator) -> dict[str, object]:
        """Length, clasp and lay at random, as they are sold and photographed."""
        return {
            "metal": str(rng.choice(METALS)),
            "length_mm": float(rng.choice(LENGTHS_MM)),
            "lay": "open" if rng.random() < 0.35 else "closed",
            "clasp": "lobster" if rng.random() < 0.7 else "spring ring",
            "extender_mm": float(rng.uniform(25, 55)) if rng.random() < 0.35 else 0.0,
            "drape": float(rng.uniform(0.05, 0.55)),
        }


@register
class CableChain(ChainDesign):
    """Plain links, each square to the next: round (rolo), oval (cable), or long (paperclip); of round or broad wire."""

    family: Literal["cable chain"] = "cable chain"
    wire_mm: float = mm(0.7, LEAST_WIRE_MM, 2.4, "thickness of the wire")
    link_width_mm: float = mm(2.7, 1.8, 10.0, "width of a link")
    link_length_mm: float = mm(3.6, 1.8, 24.0, "length of a link")
    depth: float = share(1.0, 1.0, 1.8, "height of the wire across its link over its thickness: above 1, a belcher")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """The next link's wire must pass through, and a link is not wider than long."""
        least = least_oval(fit["wire_mm"], fit["depth"] * fit["wire_mm"]) + 0.01
        fit.at_least("link_width_mm", least, "the next link's wire must pass through it")
        fit.at_least(
            "link_length_mm",
            max(fit["link_width_mm"], shortest_oval(fit["wire_mm"])),
            "both neighbours must fit into it",
        )
        fit.at_most("link_length_mm", 5.0 * fit["link_width_mm"], "so long a link bends")
        _eased(fit, fit["link_length_mm"])

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Fine cable, rolo, belcher, paperclip and bold chunky ones."""
        wire = float(
            rng.choice([rng.uniform(0.55, 0.8), rng.uniform(0.8, 1.3), rng.uniform(1.3, 2.2)], p=[0.3, 0.45, 0.25])
        )
        depth = float(rng.uniform(1.25, 1.7)) if rng.random() < 0.25 else 1.0
        kind = rng.choice(["rolo", "cable", "paperclip"], p=[0.25, 0.45, 0.3])
        wide = least_oval(wire, depth * wire) + float(rng.uniform(0.15, 0.8)) * wire
        stretch = {"rolo": 1.0, "cable": rng.uniform(1.2, 1.6), "paperclip": rng.uniform(2.2, 3.6)}[str(kind)]
        return cls.nearest(
            wire_mm=wire, link_width_mm=wide, link_length_mm=wide * float(stretch), depth=depth, **cls.drawn_wear(rng)
        )

    def pattern(self, detail: float) -> Pattern:
        """Links at 45 degrees to the viewer, alternately."""
        depth = None if self.depth == 1.0 else self.depth * self.wire_mm
        link = oval_link(self.link_length_mm, self.link_width_mm, self.wire_mm, detail, depth)
        return Pattern(
            lambda i: link,
            lambda i: 45.0 + 90.0 * (i % 2),
            2,
            self.link_width_mm,
            self.wire_mm,
            room=self.wire_mm * (1 + self.depth) / 2,
            play=play(self.wire_mm),
            supple=True,
        )


class CurbLinked(ChainDesign):
    """What chains of twisted, filed links share."""

    wire_mm: float = mm(1.2, 0.7, 3.4, "thickness of the wire")
    link_width_mm: float = mm(4.6, 2.6, 15.0, "width of a link before it is twisted")
    filed: float = share(0.2, 0.0, 0.3, "what the file takes off each face, over the wire's thickness")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """The next link's wire must pass through the twisted link, and something of it must be left."""
        fit.at_least("link_width_mm", least_curb(fit["wire_mm"]), "the next link's wire must pass through it")
        thinnest = fit["link_width_mm"] / 5.5
        fit.at_most("link_width_mm", 5.5 * fit["wire_mm"], "so thin a wire bends", instead=("wire_mm", thinnest))
        fit.at_most("filed", max(0.0, 1 - 0.5 / fit["wire_mm"]), "less than 0.5 mm of the wire is left")

    def curb(self, length: float, detail: float) -> Link:
        """A link `length` mm long."""
        return curb_link(length, self.link_width_mm, self.wire_mm, detail, CURB_TWIST_DEG, self.filed)

    def curbs(self, link: Callable[[int], Link], period: int) -> Pattern:
        """Such links, all lying flat, repeated after `period`."""
        gap, tilt = play(self.wire_mm), CURB_TWIST_DEG / 2
        return Pattern(link, lambda i: 0.0, period, self.link_width_mm, self.wire_mm, play=gap, end_tilt_deg=tilt)


@register
class CurbChain(CurbLinked):
    """Twisted links that lie flat, filed on both faces."""

    family: Literal["curb chain"] = "curb chain"
    link_length_mm: float = mm(6.0, 2.8, 26.0, "length of a link")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Both neighbours fit into each link."""
        super().rules(fit)
        least = max(1.12 * fit["link_width_mm"], shortest_curb(fit["wire_mm"]))
        fit.at_least("link_length_mm", least, "both neighbours must fit into it")
        fit.at_most("link_length_mm", 2.6 * fit["link_width_mm"], "so long a link does not lie flat")
        _eased(fit, fit["link_length_mm"])

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """From fine curb to bold."""
        wire = float(
            rng.choice([rng.uniform(0.7, 1.1), rng.uniform(1.1, 1.9), rng.uniform(1.9, 2.9)], p=[0.2, 0.5, 0.3])
        )
        wide = least_curb(wire) + float(rng.uniform(0.0, 0.6)) * wire
        return cls.nearest(
            wire_mm=wire,
            link_width_mm=wide,
            link_length_mm=wide * float(rng.uniform(1.18, 1.5)),
            filed=float(rng.uniform(0.1, 0.28)),
            **cls.drawn_wear(rng),
        )

    def pattern(self, detail: float) -> Pattern:
        """All links alike."""
        link = self.curb(self.link_length_mm, detail)
        return self.curbs(lambda i: link, 1)


@register
class FigaroChain(CurbLinked):
    """Curb links, some short ones and then a long one."""

    family: Literal["figaro chain"] = "figaro chain"
    wire_mm: float = mm(1.1, 0.7, 2.6, "thickness of the wire")
    link_width_mm: float = mm(4.4, 2.6, 12.0, "width of the links before they are twisted")
    short_length: float = share(1.25, 1.12, 1.6, "length of the short links over their width")
    long_length: float = share(2.4, 1.7, 3.4, "length of the long link over its width")
    short_links: int = count(3, 1, 5, "short links between two long ones")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Both neighbours fit into each link."""
        super().rules(fit)
        least = shortest_curb(fit["wire_mm"]) / fit["link_width_mm"]
        fit.at_least("short_length", least, "both neighbours must fit into a short link")
        fit.at_least("long_length", fit["short_length"] + 0.5, "a long link is longer than a short one")
        _eased(fit, fit["link_width_mm"] * (fit["short_length"] + fit["long_length"]) / 2)

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Mostly three short and a long one."""
        wire = float(rng.choice([rng.uniform(0.7, 1.1), rng.uniform(1.1, 1.8)], p=[0.35, 0.65]))
        return cls.nearest(
            wire_mm=wire,
            link_width_mm=least_curb(wire) + float(rng.uniform(0.0, 0.5)) * wire,
            short_length=float(rng.uniform(1.14, 1.35)),
            long_length=float(rng.uniform(2.0, 2.9)),
            short_links=int(rng.choice([1, 2, 3], p=[0.15, 0.1, 0.75])),
            filed=float(rng.uniform(0.1, 0.28)),
            **cls.drawn_wear(rng),
        )

    def pattern(self, detail: float) -> Pattern:
        """A long link in the middle."""
        short = self.curb(self.link_width_mm * self.short_length, detail)
        long = self.curb(self.link_width_mm * self.long_length, detail)
        period = self.short_links + 1
        return self.curbs(lambda i: short if i % period else long, period)


@register
class RopeChain(ChainDesign):
    """Round links, each through the two before and the two behind it, that wind round the chain like a rope."""

    family: Literal["rope chain"] = "rope chain"
    wire_mm: float = mm(0.75, 0.68, 1.2, "thickness of the wire; the rope is about seven times as thick")
    wind: str = choice("slender", tuple(ROPE_WINDS), "how tightly the rings lie about the axis")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A thick rope lies in a round, wide curve: its bells are stiff, and the rings beside them have little room."""
        least = ROPE_LENGTH_PER_WIRE * fit["wire_mm"]
        most = fit["length_mm"] / ROPE_LENGTH_PER_WIRE
        fit.at_most("wire_mm", most, "so thick a rope does not bend so far", instead=("length_mm", least + 0.01))
        _eased(fit, 3.5 * rope_width(fit["wire_mm"], fit["wind"]))

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Thin and bold."""
        values = cls.drawn_wear(rng)
        return cls.nearest(wire_mm=float(rng.uniform(0.7, 1.0)), wind=str(rng.choice(list(ROPE_WINDS))), **values)

    def pattern(self, detail: float) -> Pattern:
        """Rings in turn, and a bell with an eye at each end."""
        wire, wind = self.wire_mm, self.wind
        link = rope_link(wire, wind, detail)
        turn = rope_pose(wire, wind)[2]
        width = rope_width(wire, wind)
        eye_wire = min(max(wire, 0.7), 1.1)

        @lru_cache(maxsize=4)
        def cap(side: int, place: int) -> Link:
            return rope_end(wire, wind, side, -turn * place % 360.0, eye_wire, detail)

        return Pattern(lambda i: link, lambda i: turn * i % 360.0, 1, 0.75 * width, eye_wire, cap=cap)


@register
class BoxChain(ChainDesign):
    """Square links of bent strip, each square to the next: the Venetian chain."""

    family: Literal["box chain"] = "box chain"
    size_mm: float = mm(3.2, 2.7, 6.0, "side of a link")
    strip_mm: float = mm(1.0, 0.6, 4.0, "width of the strip")
    thickness_mm: float = mm(0.5, 0.5, 1.2, "thickness of the strip")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Strips pass through each other's links, and every second link keeps its distance."""
        least = 4 * fit["thickness_mm"] + 2 * BOX_PLAY + 0.3
        fit.at_least("size_mm", least, "the links on both sides meet inside it")
        most = widest_strip(fit["size_mm"], fit["thickness_mm"])
        fit.at_most("strip_mm", most, "it does not pass through the next link")
        _eased(fit, 4.0 * fit["size_mm"])

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Fine to bold."""
        size = float(rng.choice([rng.uniform(2.8, 3.4), rng.uniform(3.4, 5.0)], p=[0.7, 0.3]))
        thick = float(rng.uniform(0.5, 0.16 * size + 0.1))
        return cls.nearest(
            size_mm=size,
            thickness_mm=thick,
            strip_mm=(size - 2 * thick) * float(rng.uniform(0.7, 0.95)),
            **cls.drawn_wear(rng),
        )

    def pattern(self, detail: float) -> Pattern:
        """Links at 45 degrees to the viewer, alternately."""
        link = box_link(self.size_mm, self.strip_mm, self.thickness_mm, detail)
        width, wire = self.size_mm, self.thickness_mm
        return Pattern(
            lambda i: link,
            lambda i: 45.0 + 90.0 * (i % 2),
            2,
            width,
            wire,
            room=self.strip_mm,
            play=BOX_PLAY,
            supple=True,
        )


CURB_TWIST_DEG = 84.0

ROPE_LENGTH_PER_WIRE = 580.0
"""Length of the shortest rope chain over the thickness of its wire: found by laying them, and looking for contacts."""


def least_curb(wire: float) -> float:
    """The narrowest curb link of `wire` mm, mm: a wire and two clearances inside, and what the twist takes away."""
    return 3.1 * wire + 2 * play(wire) + 0.05


def shortest_curb(wire: float) -> float:
    """The shortest: both neighbours' wires meet inside it, mm."""
    return 4.1 * wire + 4.5 * play(wire)


def _eased(fit: Fit, link: float) -> None:
    """Lay a chain of long links in a rounder curve: they cannot follow a narrow one."""
    fit.at_most(
        "drape", max(0.0, 0.75 - 16 * link / fit["length_mm"]), "its links are too long to lie in so pointed a curve"
    )
