"""The links of a line of stones: each a head of claws on a block, hinged to the next by an eye round a pin.

A link lies with its stone's girdle at z = 0, table up, the line along x: the pin at -pitch / 2, the eye at +pitch / 2.
Millimetres.
"""

from dataclasses import dataclass

import numpy as np
from manifold3d import Manifold, OpType

from jewel_assets.shape.parts.curves import ring_curve, rounded_rectangle
from jewel_assets.shape.parts.settings import CLAWS, Seating, claw, claw_wire
from jewel_assets.shape.parts.sweep import skin, tube

PIN_MM = 0.55
PLAY_MM = 0.12
EYE_WIRE_MM = 0.55
EYE_OUTER_MM = PIN_MM / 2 + PLAY_MM + EYE_WIRE_MM
"""Radius of the eye's outside."""
CHEEK_MM = 0.55
"""Eye, pin and cheeks are facetted wires: a tenth more than the 0.5 mm that a caster asks of a wire between flats."""


@dataclass(frozen=True)
class StoneLink:
    """A link of a line of stones, and how much of the line it takes up."""

    solid: Manifold
    pitch: float
    level: float
    """z of pin and eye"""


def stone_link(stone: Seating, air: float = 0.2) -> StoneLink:
    """A link for `stone`, whose claws keep `air` mm from those of the next."""
    wire = claw_wire(stone.width)
    directions = CLAWS[stone.cut][4]
    depth = stone.pavilion + 0.4
    claws = [claw(stone, direction, wire, depth, 0.34) for direction in directions]
    head = Manifold.batch_boolean(claws, OpType.Add)
    box = head.bounding_box()
    broad = max(box[3] - box[0], stone.width) + air
    pitch = max(broad, 2 * (EYE_OUTER_MM + PLAY_MM + 0.45))
    half = pitch / 2 - EYE_OUTER_MM - PLAY_MM
    parts = [head, _block(half, _block_width(), depth)]
    parts += hinge(pitch, half, -depth)
    solid = Manifold.batch_boolean([Manifold.batch_boolean(parts, OpType.Add), stone.room], OpType.Subtract)
    return StoneLink(solid.as_original(), pitch, -depth)


def clasp_box(long: float, wide: float, high: float, level: float) -> Manifold:
    """The box clasp that closes a line: `long` mm along it, with pin and eye like a link's, and a thumb tab."""
    half = long / 2 - EYE_OUTER_MM - PLAY_MM
    outline = rounded_rectangle(2 * half, wide, 0.35, 4)
    soft = rounded_rectangle(2 * half - 0.5, wide - 0.5, 0.3, 4)
    low, top = level - 0.6, level - 0.6 + high
    rings = [
        np.column_stack([line, np.full(len(line), z)])
        for line, z in ((soft, low), (outline, low + 0.25), (outline, top - 0.25), (soft, top))
    ]
    tab = Manifold.cube((1.6, 0.8, 0.8), True).translate((0.25 * half, wide / 2 + 0.2, (low + top) / 2))
    return Manifold.batch_boolean([skin(np.stack(rings)), tab, *hinge(long, half, level)], OpType.Add)


def hinge(pitch: float, half: float, level: float) -> list[Manifold]:
    """Eye ahead, pin and cheeks behind, of a block that reaches `half` mm both ways."""
    radius = PIN_MM / 2 + PLAY_MM + EYE_WIRE_MM / 2
    eye = tube(ring_curve(2 * radius, 20), EYE_WIRE_MM / 2, closed=True, sides=10).translate((pitch / 2, 0.0, level))
    reach = pitch / 2 - radius - half + 0.5
    neck = Manifold.cube((reach, EYE_WIRE_MM, 0.6), True).translate((half - 0.4 + reach / 2, 0.0, level))
    aside = EYE_WIRE_MM / 2 + PLAY_MM + CHEEK_MM / 2
    long = pitch / 2 - half + 0.3
    cheeks = []
    for side in (-1, 1):
        bar = Manifold.cube((long, CHEEK_MM, 0.7), True).translate((-pitch / 2 + long / 2, side * aside, level))
        tip = Manifold.cylinder(CHEEK_MM, 0.35, circular_segments=16, center=True).rotate((90.0, 0.0, 0.0))
        cheeks += [bar, tip.translate((-pitch / 2, side * aside, level))]
    pin = Manifold.cylinder(2 * aside, PIN_MM / 2, circular_segments=14, center=True).rotate((90.0, 0.0, 0.0))
    return [eye, neck, *cheeks, pin.translate((-pitch / 2, 0.0, level))]


def _block_width() -> float:
    return EYE_WIRE_MM + 2 * PLAY_MM + 2 * CHEEK_MM


def _block(half: float, wide: float, depth: float) -> Manifold:
    outline = rounded_rectangle(2 * half, wide, 0.15, 3)
    rings = [np.column_stack([outline, np.full(len(outline), z)]) for z in (-depth - 0.45, -depth + 0.35)]
    return skin(np.stack(rings))
