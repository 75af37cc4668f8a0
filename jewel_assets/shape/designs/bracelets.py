"""Bracelets of links, closed, round the y axis: chains, and chains with charms. Lines of stones: `stone_lines`."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, count, mm, register, seed, share
from jewel_assets.shape.designs.chains import least_curb, shortest_curb
from jewel_assets.shape.designs.pairs import Assembly
from jewel_assets.shape.gems import SPECIES
from jewel_assets.shape.gems.cuts import proportions
from jewel_assets.shape.parts.charms import EYE_MM, WIRE_MM, Charm, medallion_charm, pearl_charm, stone_charm
from jewel_assets.shape.parts.clasps import CLASPS
from jewel_assets.shape.parts.curves import Array, ring_curve
from jewel_assets.shape.parts.links import LEAST_GAP, curb_link, least_oval, oval_link, play, shortest_oval
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.strands import Pattern, jump_ring, light_enough, made_up
from jewel_assets.shape.piece import Piece

METALS = ("18k-yellow", "18k-yellow", "14k-yellow", "18k-white", "18k-rose", "925-silver", "950-platinum")

CHARMS = ("hearts", "discs", "pearls", "stones", "mixed")

STYLES = ("cable", "curb", "figaro")

CURB_TWIST_DEG = 84.0

LONGEST_CABLE, LONGEST_CURB = 22.0, 11.0  # mm: longer links stand off a wrist


def round_the_wrist(length: float, roundness: float) -> Array:
    """(m, 3): an oval round y of about `length` mm, from its top on; `roundness` is its height over its width."""
    wide = 2 * length / np.pi / (1 + roundness)
    return ring_curve(wide, 720, height=wide * roundness)


@register
class ChainBracelet(Design):
    """A chain for the wrist, bolder than one for the neck: cable, curb or figaro."""

    category: ClassVar[str] = "bracelet"
    ordered: ClassVar[frozenset[str]] = Design.ordered | {"length_mm"}
    family: Literal["chain bracelet"] = "chain bracelet"
    length_mm: float = mm(190.0, 160.0, 230.0, "length with its clasp")
    style: str = choice("curb", STYLES, "how its links are made")
    wire_mm: float = mm(1.8, 0.9, 3.0, "thickness of the wire")
    link_width_mm: float = mm(6.6, 3.2, 13.0, "width of a link")
    stretch: float = share(1.35, 1.0, 3.2, "length of a link over its width; of a figaro's long one, twice that")
    filed: float = share(0.2, 0.0, 0.3, "what the file takes off each face of a curb link, over the wire's thickness")
    clasp: str = choice("lobster", CLASPS, "how it closes")
    roundness: float = share(0.9, 0.72, 1.0, "height over width as it lies")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Links pass through each other and bend round a wrist."""
        if fit["style"] != "cable":
            fit.at_most("wire_mm", 2.3, "links of so thick a wire are too long to follow the wrist")
        wire = fit["wire_mm"]
        if fit["style"] == "cable":
            fit.at_least("link_width_mm", least_oval(wire, wire) + 0.1, "the next link's wire must pass through it")
            fit.at_least(
                "stretch", (shortest_oval(wire) + 0.15) / fit["link_width_mm"], "both neighbours must fit into a link"
            )
        else:
            fit.at_least("link_width_mm", least_curb(wire) + 0.25, "the next link's wire must pass through it")
            fit.at_most("link_width_mm", LONGEST_CURB / 1.16, "so large a link does not follow the wrist")
            least = max(1.14, (shortest_curb(wire) + 0.3) / fit["link_width_mm"])
            fit.at_least("stretch", least, "both neighbours must fit into a link")
            fit.at_most("stretch", 1.7, "so long a link does not lie flat")
        longest = LONGEST_CABLE if fit["style"] == "cable" else LONGEST_CURB
        fit.at_most(
            "stretch",
            longest / fit["link_width_mm"],
            "so long a link does not follow the wrist",
            instead=("link_width_mm", longest / fit["stretch"]),
        )
        fit.at_most(
            "link_width_mm", 5.5 * wire, "so thin a wire bends", instead=("wire_mm", fit["link_width_mm"] / 5.5)
        )

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """Fine to bold."""
        style = str(rng.choice(list(STYLES), p=[0.45, 0.35, 0.2]))
        wire = float(rng.uniform(1.0, 2.4) if style == "cable" else rng.uniform(1.0, 1.75))
        wide = (least_oval(wire, wire) if style == "cable" else least_curb(wire) + 0.25) + float(
            rng.uniform(0.1, 0.8)
        ) * wire
        stretch = float(rng.choice([1.0, 1.35, 2.4])) if style == "cable" else float(rng.uniform(1.15, 1.4))
        return cls.nearest(
            metal=str(rng.choice(METALS)),
            length_mm=float(rng.uniform(175, 205)),
            style=style,
            wire_mm=wire,
            link_width_mm=wide,
            stretch=stretch,
            filed=float(rng.uniform(0.1, 0.28)),
            clasp="lobster" if rng.random() < 0.75 else "spring ring",
            roundness=float(rng.uniform(0.8, 1.0)),
        )

    def pattern(self, detail: float) -> Pattern:
        """Its links."""
        wide, wire, gap = self.link_width_mm, self.wire_mm, play(self.wire_mm) + 0.04
        if self.style == "cable":
            link = oval_link(wide * self.stretch, wide, wire, detail)
            return Pattern(lambda i: link, lambda i: 45.0 + 90.0 * (i % 2), 2, wide, wire, play=gap, supple=True)
        short = curb_link(wide * self.stretch, wide, wire, detail, CURB_TWIST_DEG, self.filed)
        if self.style == "curb":
            return Pattern(lambda i: short, lambda i: 0.0, 1, wide, wire, play=gap, end_tilt_deg=CURB_TWIST_DEG / 2)
        long = curb_link(min(2 * wide * self.stretch, 17.0), wide, wire, detail, CURB_TWIST_DEG, self.filed)
        return Pattern(
            lambda i: short if i % 4 else long, lambda i: 0.0, 4, wide, wire, play=gap, end_tilt_deg=CURB_TWIST_DEG / 2
        )

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`. Every link is a body of its own that moves."""
        pattern = self.pattern(detail)
        number = self.length_mm / pattern.taken() * pattern.period
        light = light_enough(pattern.link(0).solid.num_tri(), number, detail)
        if light < detail:
            pattern = self.pattern(light)
        strand, _ = made_up(pattern, self.length_mm, self.clasp, closed=True, detail=detail)
        places = strand.lay(round_the_wrist(self.length_mm, self.roundness), closed=True)
        return self.piece(*strand.bodies(places, self.metal))


@register
class CharmBracelet(Design):
    """A cable chain with charms: hearts, discs, pearls, stones, or some of each."""

    category: ClassVar[str] = "bracelet"
    ordered: ClassVar[frozenset[str]] = Design.ordered | {"length_mm"}
    family: Literal["charm bracelet"] = "charm bracelet"
    length_mm: float = mm(185.0, 160.0, 220.0, "length with its clasp")
    wire_mm: float = mm(1.0, 0.8, 1.8, "thickness of the chain's wire")
    link_width_mm: float = mm(4.6, 3.4, 9.0, "width of a link")
    link_length_mm: float = mm(6.4, 4.6, 14.0, "length of a link")
    charm: str = choice("mixed", CHARMS, "what hangs from it")
    charms: int = count(7, 1, 13, "how many")
    charm_mm: float = mm(10.0, 6.0, 16.0, "size of the charms")
    species: str = choice("amethyst", tuple(name for name in SPECIES if not name.endswith("pearl")), "what stones are")
    chance: int = seed(0, "which of the charms come where")
    roundness: float = share(0.95, 0.75, 1.0, "height over width as it lies")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A charm's ring hangs in the middle of a link, between both neighbours."""
        wire = fit["wire_mm"]
        fit.at_least(
            "link_width_mm", max(least_oval(wire, wire), 2 * wire + 1.2) + 0.05, "the charm's ring must pass through it"
        )
        fit.at_least(
            "link_length_mm",
            max(fit["link_width_mm"], 4 * wire + 2.0),
            "the charm's ring needs room beside the neighbours",
        )
        fit.at_most(
            "link_length_mm",
            2.2 * fit["link_width_mm"],
            "so long a link bends",
            instead=("link_width_mm", min(9.0, fit["link_length_mm"] / 2.2 + 0.01)),
        )
        fit.at_most("charms", int(0.78 * fit["length_mm"] / (fit["charm_mm"] + 3.0)), "they would lie on each other")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """A few, or all round."""
        wire = float(rng.uniform(0.9, 1.4))
        wide = max(least_oval(wire, wire), 2 * wire + 1.2) + float(rng.uniform(0.2, 0.9))
        return cls.nearest(
            metal=str(rng.choice(METALS)),
            length_mm=float(rng.uniform(175, 200)),
            wire_mm=wire,
            link_width_mm=wide,
            link_length_mm=wide * float(rng.uniform(1.3, 1.8)),
            charm=str(rng.choice(CHARMS, p=[0.15, 0.15, 0.15, 0.15, 0.4])),
            charms=int(rng.integers(3, 10)),
            charm_mm=float(rng.uniform(8.0, 12.0)),
            species=str(
                rng.choice(["amethyst", "citrine", "garnet", "peridot", "aquamarine", "sapphire", "ruby", "diamond"])
            ),
            chance=int(rng.integers(0, 2**31 - 1)),
            roundness=float(rng.uniform(0.85, 1.0)),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`. Links, charms and their rings move."""
        link = oval_link(self.link_length_mm, self.link_width_mm, self.wire_mm, detail)
        pattern = Pattern(
            lambda i: link,
            lambda i: 90.0 * (i % 2),
            2,
            self.link_width_mm,
            self.wire_mm,
            play=play(self.wire_mm) + 0.05,
        )
        strand, _ = made_up(pattern, self.length_mm, "lobster", closed=True, detail=detail)
        places = strand.lay(round_the_wrist(self.length_mm, self.roundness), closed=True)
        bodies, groups = strand.bodies(places, self.metal)
        flat = [k for k, name in enumerate(strand.names) if name.startswith("link") and strand.rolls_deg[k] % 180 == 0]
        rng = np.random.default_rng(self.chance)
        # evenly from the first link after the clasp to the last before it, the middle of the front among them
        order = sorted(flat, key=lambda k: np.arctan2(places[k, 0, 3], places[k, 2, 3]))
        chosen = (
            [order[round(i)] for i in np.linspace(1, len(order) - 2, self.charms)]
            if self.charms > 1
            else [order[len(order) // 2]]
        )
        ring = jump_ring(0.8, self.wire_mm, WIRE_MM, detail)
        for number, k in enumerate(dict.fromkeys(chosen), start=1):
            place = places[k]
            out = place[:, 3] / np.linalg.norm(place[:, 3])
            tangent = place[:, 0]
            out = out - (out @ tangent) * tangent
            out /= np.linalg.norm(out)
            side = place[:, 3] + out * (self.link_width_mm - self.wire_mm) / 2
            middle = side + out * (ring.ahead - self.wire_mm / 2 - 1.2 * LEAST_GAP)
            at_ring = np.column_stack([out, np.cross(tangent, out), tangent, middle])
            name = f"charm ring {number}"
            bodies.append(self.metal_body(name, ring.solid.transform(at_ring)))
            groups.append((name,))
            eye = middle + out * (ring.ahead + EYE_MM / 2 - 1.2 * LEAST_GAP)
            # a charm hangs down its own -z, its face to -y
            y = np.array([0.0, 1.0, 0.0])
            place_charm = np.column_stack([np.cross(y, -out), y, -out, eye])
            one = Assembly(self.metal)
            one.cast("body", self._charm(number, rng).casting)
            hung = one.named(f"charm {number}").placed(place_charm)
            bodies += hung.bodies
            groups += hung.groups
        return self.piece(bodies, groups)

    def _charm(self, number: int, rng: np.random.Generator) -> Charm:
        size = self.charm_mm
        kind = self.charm if self.charm != "mixed" else ("hearts", "discs", "pearls", "stones")[int(rng.integers(4))]
        if kind == "pearls":
            return pearl_charm(seating("pearl", round(0.75 * size, 2)), "pearl", "pearl")
        if kind == "stones":
            cut = str(rng.choice(["round brilliant", "pear", "cushion"]))
            wide = round(0.55 * size, 2)
            return stone_charm(seating(cut, wide, wide * proportions(cut).ratio), self.species, "bezel")
        ornament = str(rng.choice(["polished", "domed", "hammered", "milgrain"]))
        shape = "heart" if kind == "hearts" else str(rng.choice(["round", "oval", "drop"]))
        high = size if shape in ("round", "heart") else 1.3 * size
        return medallion_charm(shape, size, high, ornament, 1.4, seed=int(rng.integers(2**31 - 1)))
