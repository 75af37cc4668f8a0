"""Things that hang: stones, pearls, medallions, bars, leaves and beads with an eye on top, and what they hang from.

In the axes of a piece. A charm's upper eye lies round the y axis with its middle at the origin, so that it hangs from a
ring round x, as an ear hook's eye and a bail's foot are; below it may carry an eye round x for the next one.
Millimetres.
"""

from dataclasses import dataclass

import numpy as np
from manifold3d import Manifold

from jewel_assets.shape.gems.stone import make_stone
from jewel_assets.shape.parts.casting import Casting, foot_depth, front, reach
from jewel_assets.shape.parts.curves import Array, rounded_rectangle
from jewel_assets.shape.parts.findings import eye, moved
from jewel_assets.shape.parts.medallions import eye_height, medallion, neck
from jewel_assets.shape.parts.outlines import facing, outline, region_of
from jewel_assets.shape.parts.settings import Seating, pearl_cup
from jewel_assets.shape.parts.surfaces import hammered, leaf, twisted_wire
from jewel_assets.shape.parts.surfaces.foliage import laid
from jewel_assets.shape.parts.sweep import ball, revolve_profile, sweep, tube

EYE_MM = 1.7
WIRE_MM = 0.9


@dataclass(frozen=True)
class Charm:
    """A casting that hangs by the eye at its origin; `below` and `lowest` are heights, of its lower eye and its end."""

    casting: Casting
    lowest: float
    below: float | None = None


@dataclass(frozen=True)
class Halo:
    """Small stones round a large one."""

    species: str
    melee_mm: float


def base_plate(stone: Seating, depth: float, spread: float) -> Manifold:
    """A small plate across the foot of a head, which a post or a strut is fixed to; made face up, like the head."""
    return region_of(stone.outline * spread).offset(0.25).extrude(0.9).translate((0.0, 0.0, -depth - 0.45))


def head_with_eyes(
    body: Casting,
    stone: Seating,
    species: str,
    setting: str,
    name: str,
    height: float,
    z: float = 0.0,
    above: str | None = None,
    below: str | None = None,
    halo: Halo | None = None,
    inner: float = EYE_MM,
    wire: float = WIRE_MM,
) -> tuple[float, float, float]:
    """Set a stone facing the viewer, its girdle `height` mm in front of y = 0 and its middle at (0, `z`), with eyes.

    `above` and `below` name the axis of an eye there, or None. Returns y of the eyes, and z of the upper and the lower.
    """
    depth = foot_depth(stone, setting)
    solid_foot = stone.cut == "pearl"
    place = front(z=z, height=height)
    spread = 0.75 if setting == "bezel" else 0.5
    body.set_stone(stone, species, place, name, setting, depth, spread=spread)
    out = reach(stone, setting)
    level = -0.6 if setting == "bezel" else -0.5 * depth
    if halo is not None:
        out = body.set_halo(stone, halo.melee_mm, halo.species, place, f"{name} halo")
        level = -0.65
    elif setting != "bezel" and not solid_foot:
        body.add(base_plate(stone, depth, spread).transform(place))
    high = float(stone.outline[:, 1].max()) + out + inner / 2 + 0.4 * wire
    low = float(stone.outline[:, 1].min()) - out - inner / 2 - 0.4 * wire
    y = -height - level
    for side, axis in ((high, above), (low, below)):
        if axis is None:
            continue
        body.add(moved(eye(inner, wire, axis), (0.0, y, z + side)))
        if halo is None and setting != "bezel":
            # a strut from the foot, outside of the pavilion, up to the eye
            edge = side - np.sign(side) * (inner / 2 + 0.5 * wire)
            back = -height + depth
            knots = [(0.0, back, z), (0.0, back, z + 0.62 * edge), (0.0, y, z + edge)]
            body.add(tube(knots, 0.6, sides=12))
    return y, z + high, z + low


def stone_charm(
    stone: Seating, species: str, setting: str, name: str = "stone", halo: Halo | None = None, below: str | None = None
) -> Charm:
    """A stone in claws, a bezel or a halo that hangs by an eye."""
    if stone.cut == "pearl":
        return pearl_charm(stone, species, name)
    probe = Casting()
    y, high, _ = head_with_eyes(probe, stone, species, setting, name, 0.0, 0.0, "y", below, halo)
    body = Casting()
    # the same again, moved so that the eye is the origin
    _, _, low = head_with_eyes(body, stone, species, setting, name, y, -high, "y", below, halo)
    lowest = low + EYE_MM / 2 + 0.4 * WIRE_MM
    return Charm(body, lowest, low if below else None)


def pearl_charm(stone: Seating, species: str, name: str = "pearl") -> Charm:
    """A pearl under a cap with an eye."""
    w = stone.width
    top = 0.62 * w + EYE_MM / 2 + 0.3 * WIRE_MM
    # the cup is made below the pearl: turned over, it is a cap
    over = np.array([[1.0, 0, 0, 0], [0, -1.0, 0, 0], [0, 0, -1.0, -top]])
    body = Casting(*(part.transform(over) for part in pearl_cup(w)), eye(EYE_MM, WIRE_MM, "y"))
    gem = make_stone(name, species, "pearl", w, w, over)
    body.stones.append(gem)
    body.take(stone.room.transform(over))
    return Charm(body, -top - w / 2)


def medallion_charm(
    shape: str,
    width: float,
    height: float,
    ornament: str,
    thickness: float = 1.3,
    rim: float = 1.2,
    cell: float = 3.0,
    seed: int = 0,
    below: str | None = None,
    inner: float = EYE_MM,
    wire: float = WIRE_MM,
) -> Charm:
    """An ornamented plate or frame that hangs by an eye."""
    edge = outline(shape, width, height, 96)
    up = eye_height(edge, inner, wire)
    parts = medallion(shape, width, height, ornament, thickness, rim, cell, seed)
    parts += neck(edge, up, inner, wire, thickness / 2)
    level = thickness / 2
    body = Casting(*(facing(part).translate((0.0, level, -up)) for part in parts), eye(inner, wire, "y"))
    lowest = float(edge[:, 1].min()) - up
    if below is None:
        return Charm(body, lowest)
    low = lowest - inner / 2 - 0.35 * wire
    body.add(moved(eye(inner, wire, below), (0.0, 0.0, low)))
    if neck(edge * (1, -1), 0.0, inner, wire, 0.0):
        body.add(
            tube([(0.0, 0.0, low + inner / 2 + 0.5 * wire), (0.0, 0.0, lowest + 2.4)], np.array([0.5, 0.75]), sides=14)
        )
    return Charm(body, low - inner / 2 - wire, low)


def bar_charm(long: float, width: float, finish: str = "polished", seed: int = 0, below: str | None = None) -> Charm:
    """A hanging bar: "polished" or "hammered" flat, "twisted" of wire, or "round"."""
    start = -EYE_MM / 2 - 0.3 * WIRE_MM
    line = [(0.0, 0.0, start), (0.0, 0.0, start - long)]
    if finish == "twisted":
        bar = twisted_wire(np.array(line), max(width, 1.6), 2, 2.6 * max(width, 1.6))
        caps = [ball(1.12 * max(width, 1.6), line[0], 20), ball(1.12 * max(width, 1.6), line[1], 20)]
        body = Casting(bar, *caps)
    elif finish == "round":
        body = Casting(tube(line, np.array([0.5 * width, 0.5 * width]), sides=24))
    else:
        solid = sweep(rounded_rectangle(width, 1.3, 0.3, 4), line, up=(0, 1, 0))
        if finish == "hammered":
            # not at its ends and edges, whose faces are small and would be folded
            def where(points: Array, normals: Array) -> Array:
                away = np.minimum(start - points[:, 2], points[:, 2] - (start - long))
                return np.asarray(np.clip(3 * (-normals[:, 1] - 0.6), 0, 1) * np.clip((away - 0.4) / 0.8, 0, 1))

            solid = hammered(solid, min(1.9, 0.9 * width), 0.12, seed, where)
        body = Casting(solid)
    body.add(eye(EYE_MM, WIRE_MM, "y"))
    lowest = start - long
    if below is None:
        return Charm(body, lowest)
    low = lowest - EYE_MM / 2 - 0.3 * WIRE_MM
    body.add(moved(eye(EYE_MM, WIRE_MM, below), (0.0, 0.0, low)))
    return Charm(body, low - EYE_MM / 2 - WIRE_MM, low)


def leaf_charm(long: float, width: float, seed: int = 0) -> Charm:
    """A leaf that hangs by its stalk."""
    blade = leaf(long, width, 1.0, 0.08, 0.22, 6, serration=0.12 if seed % 2 else 0.0)
    start = -EYE_MM / 2 - 0.2 * WIRE_MM
    body = Casting(facing(laid(blade, (0.0, start - 0.6, 0.0), (0.0, -1.0, 0.0))))
    body.add(eye(EYE_MM, WIRE_MM, "y"), tube([(0, 0, start), (0, 0, start - 1.6)], np.array([0.6, 0.75]), sides=14))
    return Charm(body, start - 0.6 - long)


def bead_charm(diameter: float) -> Charm:
    """A ball on an eye."""
    top = EYE_MM / 2 + 0.3 * WIRE_MM + diameter / 2
    return Charm(Casting(ball(diameter, (0, 0, -top), 32), eye(EYE_MM, WIRE_MM, "y")), -top - diameter / 2)


def drop_bead(width: float, long: float) -> Charm:
    """A solid drop of metal, turned, round below and drawn out to its eye."""
    t = np.linspace(np.pi, 0.12 * np.pi, 30)
    radius = width / 2 * np.sin(t) * np.sin(t / 2) ** 1.3 / 0.71
    top = -EYE_MM / 2 - 0.2 * WIRE_MM
    height = long / 2 * np.cos(t) - long / 2 + top
    radius[0] = 0.0
    profile = np.vstack([np.column_stack([radius, height]), [(0.45, top), (0.0, top)]])
    neck = tube([(0, 0, -EYE_MM / 2), (0, 0, float(height[-4]))], 0.5, sides=12)
    return Charm(Casting(revolve_profile(profile, 40), neck, eye(EYE_MM, WIRE_MM, "y")), float(height[0]))
