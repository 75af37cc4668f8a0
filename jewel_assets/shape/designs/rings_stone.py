"""What rings with a centre stone share: the stone and its head, the shank that carries it, cathedral shoulders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.designs.base import Fit, choice, count, mm, share
from jewel_assets.shape.designs.rings import Ring
from jewel_assets.shape.gems import CUTS, PROPORTIONS, SPECIES, make_stone, pavilion_depth
from jewel_assets.shape.parts import profiles
from jewel_assets.shape.parts.curves import Array, superellipse
from jewel_assets.shape.parts.pave import HOLE_SHARE, round_row
from jewel_assets.shape.parts.settings import (
    CLAWS,
    Seating,
    bezel,
    claw_head,
    claw_wire,
    joined,
    pearl_cup,
    pearl_drill,
    seating,
)
from jewel_assets.shape.parts.sweep import sweep
from jewel_assets.shape.piece import Body, Stone

CULET_CLEAR_MM = 0.5
"""A culet nearer to the finger than this scratches it."""

SHANK_CARRIES = 0.2
"""A shank narrower than this share of its stone's width turns on the finger and bends at the head."""

SINK_MM = 0.35
"""How deep the foot of a head stands in the shank, so that both are one casting."""

FOOT_CLEAR_MM = 0.3
"""Metal that stays between the foot of a head and the finger."""

FINGER_ROOM_MM = 0.015
"""Between the finger and what of a head is cut off for it."""

MELEE_RIM_MM = 0.35
"""Metal beside the girdles of melee in a shank."""

MELEE_WALL_MM = 0.84
"""And beside the holes under it: a caster's wall, and what the shank's edge is rounded."""

PARTING_MM = 0.08
"""How far from where it is asked for the plane may lie that parts a ring into shank and head."""

PEARLS = tuple(name for name in SPECIES if name.endswith("pearl"))
STONES = tuple(name for name in SPECIES if name not in PEARLS)
CENTRE_STONES = {
    "diamond": 0.45, "sapphire": 0.12, "ruby": 0.1, "emerald": 0.1, "aquamarine": 0.06, "morganite": 0.05,
    "amethyst": 0.06, "moissanite": 0.06,
}  # fmt: skip
"""What engagement and dress rings are drawn with, and how often; any species can be asked for."""


class StoneRing(Ring):
    """A ring with one stone on top."""

    cut: str = choice("round brilliant", CUTS, "cut of the centre stone")
    species: str = choice("diamond", tuple(SPECIES), "what the centre stone is")
    stone_width_mm: float = mm(6.5, 2.5, 14.0, "width of the centre stone at its girdle: a brilliant of 6.5 mm is 1 ct")
    stone_ratio: float = share(1.0, 1.0, 2.4, "length of the centre stone over its width")
    claws: int = count(4, 3, 6, "claws that hold the centre stone")
    claw_mm: float = mm(1.0, 0.7, 1.7, "thickness of a claw's wire")
    head_height_mm: float = mm(3.4, 1.0, 9.0, "from the outside of the shank to the girdle of the centre stone")
    head_spread: float = share(0.5, 0.3, 0.95, "width of the head at its foot as a share of the stone's")
    profile: str = choice("court", profiles.PROFILES, "section of the shank")
    shank_width_mm: float = mm(2.2, 1.4, 6.0, "width of the shank at the back of the finger")
    shank_top_mm: float = mm(1.9, 1.4, 6.0, "width of the shank where it meets the head")
    shank_thickness_mm: float = mm(1.7, 1.4, 3.0, "thickness of the shank")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A stone that is cut so, a shank that carries it, a head that holds it off the finger."""
        shape = PROPORTIONS[fit["cut"]]
        if fit["cut"] == "pearl":
            fit.one_of("species", PEARLS, "the cut 'pearl' is a pearl")
        elif fit["cut"] != "cabochon":
            fit.one_of("species", STONES, "a pearl is not faceted")
        low, high = shape.ratios
        fit.at_least("stone_ratio", low, f"a {fit['cut']} is cut {low:g} to {high:g} times as long as wide")
        fit.at_most("stone_ratio", high, f"a {fit['cut']} is cut {low:g} to {high:g} times as long as wide")
        if fit["cut"] != "pearl":
            fit.one_of("claws", tuple(CLAWS[fit["cut"]]), f"a {fit['cut']} is held by {_list(CLAWS[fit['cut']])} claws")
        usual = claw_wire(fit["stone_width_mm"])
        fit.at_least(
            "claw_mm", max(0.7, 0.8 * usual), f"claws for a {fit['stone_width_mm']:g} mm stone bend if thinner"
        )
        fit.at_most("claw_mm", max(0.75, 1.3 * usual), f"claws so thick hide a {fit['stone_width_mm']:g} mm stone")
        for name in ("shank_width_mm", "shank_top_mm"):
            fit.at_least(
                name,
                SHANK_CARRIES * fit["stone_width_mm"],
                f"a {fit['stone_width_mm']:g} mm stone needs a shank of {SHANK_CARRIES:g} of its width to carry it",
                instead=("stone_width_mm", fit[name] / SHANK_CARRIES),
            )
        fit.at_least(
            "shank_thickness_mm", 0.22 * max(fit["shank_width_mm"], fit["shank_top_mm"]), "it bends at the back"
        )
        if fit["profile"] in ("knife-edge", "half-round"):
            fit.at_least("shank_thickness_mm", 1.5, f"a {fit['profile']} section leaves too little metal at its sides")
        cls.height_rules(fit)

    @classmethod
    def height_rules(cls, fit: Fit) -> None:
        """The culet clears the finger, and the stone does not stand on stilts."""
        below = pavilion_depth(fit["cut"], fit["stone_width_mm"])
        least = below + CULET_CLEAR_MM - fit["shank_thickness_mm"]
        fit.at_least(
            "head_height_mm", max(least, 1.0), f"the culet lies {below:.2f} mm deep and would touch the finger"
        )
        most = max(below + 2.2, cls.least_height(fit) + 0.3)
        fit.at_most("head_height_mm", most, "so high a head catches in everything and bends")

    @classmethod
    def least_height(cls, fit: Fit) -> float:
        """What else a family asks of `head_height_mm`, mm."""
        return 1.0

    @classmethod
    def draw_stone(cls, rng: Generator, cuts: dict[str, float]) -> dict[str, Any]:
        """A cut out of `cuts` (name: how often), its species, size and the measures of head and shank that suit it."""
        cut = _pick(rng, cuts)
        width = float(np.clip(rng.lognormal(np.log(6.3), 0.2), 4.2, 10.5))
        ratio = float(PROPORTIONS[cut].ratio * (1 + rng.normal(0, 0.06) * (PROPORTIONS[cut].ratio > 1.01)))
        ratio = min(max(ratio, PROPORTIONS[cut].ratios[0]), PROPORTIONS[cut].ratios[1])
        if ratio > 1.3:
            width *= 0.82
        species = str(rng.choice(PEARLS)) if cut == "pearl" else _pick(rng, CENTRE_STONES)
        thickness = float(np.clip(rng.normal(1.75, 0.12), 1.5, 2.2))
        shank = float(np.clip(rng.normal(2.2, 0.25), 1.7, 3.0))
        below = pavilion_depth(cut, width)
        return {
            "cut": cut,
            "species": species,
            "stone_width_mm": width,
            "stone_ratio": ratio,
            "claws": int(rng.choice(list(CLAWS.get(cut, (4,))))),
            "claw_mm": claw_wire(width) * rng.uniform(0.92, 1.1),
            "head_height_mm": 0.62 * width if cut == "pearl" else max(below + rng.uniform(-0.2, 0.7), 2.0),
            "head_spread": rng.uniform(0.4, 0.62),
            "profile": str(rng.choice(["court", "D", "flat court", "half-round", "knife-edge", "bevelled"])),
            "shank_width_mm": shank,
            "shank_top_mm": shank * rng.uniform(0.75, 1.0),
            "shank_thickness_mm": thickness,
        }

    @property
    def stone(self) -> Seating:
        """The centre stone as its setting sees it."""
        return seating(self.cut, self.stone_width_mm, self._length(self.cut, self.stone_width_mm, self.stone_ratio))

    @staticmethod
    def _length(cut: str, width: float, ratio: float) -> float:
        low, high = PROPORTIONS[cut].ratios
        return width * min(max(ratio, low), high)

    @property
    def outside(self) -> float:
        """Radius of the outside of the shank on top, mm."""
        return self.inner_diameter_mm / 2 + self.shank_thickness_mm

    @property
    def girdle(self) -> float:
        """Height of the girdle of the centre stone above the middle of the finger, mm."""
        return self.outside + self.head_height_mm

    def shank_solid(self, detail: float, reach_deg: float = 75.0) -> Manifold:
        """The shank, from `shank_width_mm` at the back to `shank_top_mm` at the head."""
        around = self.facets(detail)
        section = profiles.band_section(
            self.profile, self.shank_width_mm, self.shank_thickness_mm, points=max(9, 2 * round(9 * detail) + 1)
        )
        width = profiles.swell(around, self.shank_top_mm / self.shank_width_mm, 1.0, reach_deg)
        return profiles.shank(self.inner_diameter_mm, section, around, width)

    def standing(self, half: float, spread: float, height: float | None = None) -> tuple[float, float]:
        """How a head stands on the shank: its spread, and how deep its foot lies under its girdle, mm.

        `half` is half the stone's measure round the finger, `height` of its girdle above the shank (the centre's by
        default). The shank falls away beside the top: the foot goes so deep that it meets it there too, and the spread
        is narrowed where it would come out on the inside.
        """
        deepest = self.shank_thickness_mm - SINK_MM - FOOT_CLEAR_MM
        reach = float(np.sqrt(self.outside**2 - (self.outside - deepest) ** 2))
        narrowed = min(spread, reach / half)
        falls = self.outside - float(np.sqrt(self.outside**2 - (narrowed * half) ** 2))
        return narrowed, (self.head_height_mm if height is None else height) + SINK_MM + falls

    def off_finger(self, metal: Sequence[Manifold], detail: float) -> list[Manifold]:
        """The pieces of a head with what would reach into the finger taken out of them.

        A shank is its finger's size already: cut by it once more it would be left with slivers all round, where its
        facets and the finger's agree but for their last digits. So the pieces alone are cut, and 0.015 mm short of it.
        """
        radius = self.inner_diameter_mm / 2 + FINGER_ROOM_MM
        inside = [
            part.bounding_box()[2] < radius and float(np.hypot(*_corners(part)[:, [0, 2]].T).min()) < radius
            for part in metal
        ]
        if not any(inside):
            return list(metal)
        finger = profiles.finger(2 * radius, self.facets(detail))
        return [part - finger if cut else part for part, cut in zip(metal, inside, strict=True)]


@dataclass(frozen=True)
class Mounted:
    """A head in its place: pieces of metal, what is taken out of everything, and its stone."""

    metal: list[Manifold]
    taken: list[Manifold]
    stone: Stone


def mount(
    stone: Seating,
    species: str,
    name: str,
    setting: str,
    claws: int,
    wire: float,
    foot: float,
    spread: float,
    place: Array,
    gallery: float | None = 0.42,
) -> Mounted:
    """A stone in its head, moved to `place` (3, 4). `setting` is "claws" or "bezel"; a pearl always gets its cup.

    `gallery` is the height of the upper rail of claws, as `settings.claw_head` has it.
    """
    gem = make_stone(name, species, stone.cut, stone.width, stone.length, place)
    taken = [stone.room]
    if stone.cut == "pearl":
        metal, drill = pearl_cup(stone.width), pearl_drill(stone.width)
        taken = [stone.room - drill]
        gem = replace(gem, solid=gem.solid - drill.transform(place))
        post = Manifold.cylinder(max(foot - 0.55 * stone.width, 0.3), 0.16 * stone.width + 0.3, 0.16 * stone.width, 32)
        metal.append(post.translate((0, 0, -foot)))
    elif setting == "bezel":
        metal, cut = bezel(stone, float(np.clip(0.1 * stone.width, 0.82, 0.95)), foot, spread)
        taken += cut
    else:
        metal = claw_head(stone, claws, wire, foot, spread, gallery)
    return Mounted([part.transform(place) for part in metal], [part.transform(place) for part in taken], gem)


def upright(height: float, turn_deg: float = 0.0, across: float = 0.0, lean_deg: float = 0.0) -> Array:
    """(3, 4): a place on top of the ring at z = `height`, turned about its axis, then leaned about y towards +x.

    `lean_deg` swings it round the middle of the finger, as a side stone stands.
    """
    t, a = np.radians(turn_deg), np.radians(lean_deg)
    turn = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
    lean = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    return np.column_stack([lean @ turn, lean @ np.array([across, 0.0, height])])


def cathedral(
    outside: float, width: float, thickness: float, start_deg: float, reach: float, height: float, points: int = 18
) -> list[Manifold]:
    """Two shoulders that rise from the shank at `start_deg` beside the top to the head.

    `outside` is the radius of the shank's outside, `width` and `thickness` the shoulder's section; they end `reach`
    mm to the side of the middle, `height` mm above the middle of the finger. Points along each: `points`.
    """
    a = np.radians(start_deg)
    radius = outside - 0.62 * thickness  # the end of the wire is buried in the shank
    start = np.array([radius * np.sin(a), radius * np.cos(a)])
    end = np.array([reach, height])
    rise = np.array([-np.cos(a), np.sin(a)])  # along the shank towards the top
    chord = float(np.linalg.norm(end - start))
    bend = np.array([start, start + rise * 0.45 * chord, end + np.array([0.35, -0.5]) * 0.5 * chord, end])
    t = np.linspace(0, 1, points)[:, None]
    flat = (1 - t) ** 3 * bend[0] + 3 * t * (1 - t) ** 2 * bend[1] + 3 * t**2 * (1 - t) * bend[2] + t**3 * bend[3]
    curve = np.column_stack([flat[:, 0], np.zeros(points), flat[:, 1]])
    scale = np.column_stack([np.linspace(1.0, 0.72, points), np.linspace(1.0, 0.8, points)])
    section = superellipse(width, thickness, 2.6, 20)
    up = np.column_stack([flat[:, 0], np.zeros(points), flat[:, 1]])
    arm = sweep(section, curve, up=up, scale=scale, caps="round")
    return [arm, arm.mirror((1, 0, 0))]


def melee_band(size: float) -> float:
    """The least width (mm) of a shank that carries melee of `size` mm: metal beside its girdles and its light holes."""
    return max(size + 2 * MELEE_RIM_MM, HOLE_SHARE * size + 2 * MELEE_WALL_MM)


def melee_on_shoulders(outside: float, size: float, first_deg: float, last_deg: float) -> tuple[Seating, list[Array]]:
    """A row of round melee of `size` mm on each shoulder of the shank, from `first_deg` to `last_deg` from the top."""
    middle, arc = (first_deg + last_deg) / 2, last_deg - first_deg
    melee = seating("round brilliant", size)
    return melee, [round_row(outside - 0.06, size, arc_deg=arc, turn_deg=turn) for turn in (middle, -middle)]


def melee_bodies(species: str, melee: Seating, rows: list[Array]) -> list[Body]:
    """The stones of rows as bodies "melee 01", "melee 02" and so on."""
    places = np.concatenate(rows)
    return [
        make_stone(f"melee {number:02d}", species, melee.cut, melee.width, melee.length, place)
        for number, place in enumerate(places, start=1)
    ]


def split(ring: Ring, casting: Manifold, height: float) -> list[Body]:
    """The casting as "shank" and "head", parted by a plane at z = `height` or within `PARTING_MM` of it.

    Both joined are the casting again, one solid: where a plane runs along a face or through a corner joining may leave
    a crumb, so the plane is laid where the corners nearest above and below it are farthest apart.
    """
    low, high = height - PARTING_MM, height + PARTING_MM
    levels = np.unique(_corners(casting)[:, 2])
    levels = np.concatenate([[low], levels[(levels > low) & (levels < high)], [high]])
    widest = int(np.argmax(np.diff(levels)))
    head, shank = casting.split_by_plane((0, 0, 1), float(levels[widest] + levels[widest + 1]) / 2)
    if head.is_empty() or shank.is_empty():
        return [ring.metal_body("ring", casting)]
    return [ring.metal_body("shank", shank), ring.metal_body("head", head)]


def _corners(solid: Manifold) -> Array:
    return np.asarray(solid.to_mesh64().vert_properties)[:, :3]


def _pick(rng: Generator, shares: dict[str, float]) -> str:
    known = [name for name in shares if name in SPECIES or name in CUTS]
    weight = np.array([shares[name] for name in known])
    return str(rng.choice(known, p=weight / weight.sum()))


def _list(numbers: Any) -> str:
    return " or ".join(str(number) for number in numbers)


__all__ = [
    "Mounted",
    "StoneRing",
    "cathedral",
    "joined",
    "melee_band",
    "melee_bodies",
    "melee_on_shoulders",
    "mount",
    "split",
    "upright",
]
