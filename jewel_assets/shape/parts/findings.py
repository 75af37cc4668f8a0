"""Findings: what a jewel is worn by. Posts and their backs, ear hooks, eyes and jump rings, bails, brooch pins.

All in the axes of a piece: x to the right, z up, the viewer at -y, the wearer's ear or coat at +y. Millimetres. Usual
measures are those of the findings trade (20 gauge posts 0.81 mm, ear wires 0.8 to 1 mm, posts 9.5 to 11.5 mm long).
"""

from functools import lru_cache

import numpy as np
from manifold3d import Manifold, OpType
from numpy.typing import ArrayLike

from jewel_assets.shape.parts.curves import resample, ring_curve, rounded_rectangle, smooth_curve
from jewel_assets.shape.parts.outlines import region_of
from jewel_assets.shape.parts.sweep import ball, revolve_profile, sweep, tube

POST_MM = 0.9
"""Cast posts are a little thicker than drawn ones of 20 gauge, and are drawn down or burnished to size."""

PLAY_MM = 0.22
"""Between parts of one casting that must stay apart, and between parts that move: narrower gaps do not cast open."""


def joined(parts: list[Manifold], without: list[Manifold] | None = None) -> Manifold:
    """One solid of all parts, with what is to be taken out taken out at the end."""
    whole = parts[0] if len(parts) == 1 else Manifold.batch_boolean(parts, OpType.Add)
    if not without:
        return whole
    return Manifold.batch_boolean([whole, *without], OpType.Subtract)


@lru_cache(maxsize=64)
def post(length: float = 10.0, wire: float = POST_MM, sunk: float = 0.4) -> Manifold:
    """An ear post along +y from the origin, `sunk` mm of it in the jewel, with a groove that its back clicks into."""
    r = wire / 2
    profile = [
        (0, -sunk),
        (r, -sunk),
        (r, length - 2.6),
        (0.82 * r, length - 2.4),
        (0.82 * r, length - 1.9),
        (r, length - 1.7),
        (r, length - 0.5),
        (0.5 * r, length),
        (0, length),
    ]
    return revolve_profile(np.array(profile), 20, "y")


@lru_cache(maxsize=16)
def butterfly_back(wire: float = POST_MM, strip: float = 3.0, thickness: float = 0.8) -> Manifold:
    """A friction nut: a strip rolled up at both ends, its hole round the y axis, its flat side at y = 0 towards -y."""
    roll = 0.75
    side = roll + thickness / 2 + wire / 2 + PLAY_MM
    turn = np.radians(np.linspace(-90, 150, 20))
    # a spiral: tighter towards its end, clear of the post
    radius = np.linspace(roll, 0.86 * roll, 20)
    right = np.column_stack([side + radius * np.cos(turn), roll + radius * np.sin(turn)])
    plane = np.vstack([right[::-1] * (-1, 1), right])[::-1]
    plane = plane[np.concatenate([[True], np.linalg.norm(np.diff(plane, axis=0), axis=1) > 1e-6])]
    line = np.column_stack([plane[:, 0], plane[:, 1] + thickness / 2, np.zeros(len(plane))])
    body = sweep(rounded_rectangle(thickness, strip, 0.25, 3), line, up=(0, 0, 1))
    hole = Manifold.cylinder(3 * thickness, wire / 2 + 0.04, circular_segments=20).rotate((-90.0, 0.0, 0.0))
    return body - hole.translate((0.0, -thickness, 0.0))


@lru_cache(maxsize=64)
def eye(inner: float = 1.8, wire: float = 0.9, axis: str = "y", sides: int = 12) -> Manifold:
    """A closed ring of round wire, its middle at the origin: `inner` across its opening, round `axis`."""
    points = int(np.clip(14 * np.sqrt(inner + wire), 24, 64))
    return tube(ring_curve(inner + wire, points, axis), wire / 2, closed=True, sides=sides)


def hung(above: float, inner: float, other_inner: float, play: float = 0.06) -> float:
    """How high the middle of a ring hangs, of opening `inner`, in one of opening `other_inner` with its middle `above`.

    The two stand square to each other; `play` keeps their wires from touching.
    """
    return above - other_inner / 2 - inner / 2 + play


@lru_cache(maxsize=32)
def ear_hook(wire: float = 0.9, height: float = 9.5, inner: float = 1.8, bead: float = 2.2) -> Manifold:
    """A French ear wire, seen edge-on from the front: its eye (round x, middle at the origin) carries the drop.

    `height` from the eye to the top of the bow; it comes down behind, a little below the eye. `bead` sits on the eye.
    """
    outer = inner / 2 + wire / 2
    bow = 0.36 * height
    plane = [
        (0.0, outer),
        (-0.12 * bow, 0.4 * height),
        (0.1 * bow, 0.72 * height),
        (0.45 * bow, 0.93 * height),
        (bow, height),
        (1.55 * bow, 0.91 * height),
        (1.9 * bow, 0.66 * height),
        (2.05 * bow, 0.25 * height),
        (2.12 * bow, -0.25 * height),
        (2.4 * bow, -0.7 * height),
    ]
    line = smooth_curve([(0.0, y, z) for y, z in plane], 54)
    parts = [tube(line, wire / 2, sides=12), eye(inner, wire, "x")]
    if bead > wire:
        parts.append(ball(bead, (0.0, 0.0, outer + 0.42 * bead), 20))
    return joined(parts)


@lru_cache(maxsize=64)
def bail(height: float = 7.0, width: float = 3.2, thickness: float = 0.9, foot: float = 1.1) -> Manifold:
    """A tapered bail that a chain runs through along x; the middle of the inside of its foot is the origin.

    A strip bent to a drop in the y-z plane: `width` mm on top, `foot` mm where it passes through a pendant's eye.
    """
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    high = height / 2 - thickness / 2
    deep = 0.56 * high
    # fuller above, narrow below
    y = deep * np.sin(turn) * (1 + 0.24 * np.cos(turn))
    z = high * np.cos(turn) + high - thickness / 2
    line = resample(np.column_stack([np.zeros(48), y, z]), 48, closed=True)
    share = np.clip((line[:, 2] + thickness / 2) / (2 * high), 0, 1)
    wide = foot + (width - foot) * share**0.8
    section = rounded_rectangle(1.0, 1.0, 0.32, 4)
    return sweep(section, line, closed=True, up=(1, 0, 0), scale=np.column_stack([np.full(48, thickness), wide]))


def bail_over(eye_middle: float, eye_inner: float, play: float = 0.3) -> float:
    """Height of the origin of a `bail` that a pendant's eye (round y, of opening `eye_inner`) hangs in."""
    return eye_middle + eye_inner / 2 - play


def jump_ring(inner: float = 2.6, wire: float = 0.9, axis: str = "y") -> Manifold:
    """A jump ring, closed as it is worn, its middle at the origin."""
    return eye(inner, wire, axis)


@lru_cache(maxsize=16)
def brooch_pin(span: float = 26.0, wire: float = 1.0) -> tuple[Manifold, Manifold]:
    """What holds a brooch, its back at y = 0: hinge and catch, which are cast on; and the pin stem, which turns.

    The pin lies along x, its hinge at -`span` / 2, its point past the catch at `span` / 2, 2.6 mm behind the back.
    """
    reach, left, right = 2.6, -span / 2, span / 2
    barrel = 1.1 + wire / 2
    # two cheeks with a rivet between them; the stem's coil turns on the rivet
    cheek = rounded_rectangle(2.8, reach + 1.4, 0.6, 4) + np.array([0.0, (reach + 1.4) / 2 - 0.4])
    cheeks = []
    for low in (-PLAY_MM - 0.8 - wire / 2, PLAY_MM + wire / 2):
        cheeks.append(region_of(cheek).extrude(0.8).translate((left, 0.0, low)))
    rivet = Manifold.cylinder(2.2 + wire, 0.45, circular_segments=20, center=True).translate((left, reach, 0.0))
    # a hook on a foot, open towards the back of the brooch
    turn = np.radians(np.linspace(90, -140, 24))
    bend = np.column_stack([reach + 1.25 * np.cos(turn), 1.25 * np.sin(turn)])
    hook = np.vstack([[(0.05, 1.25)], bend])
    line = resample(np.column_stack([np.full(len(hook), right), hook]), 30)
    catch = sweep(rounded_rectangle(0.85, 2.2, 0.2, 3), line, up=(1, 0, 0))
    foot = region_of(rounded_rectangle(2.7, 1.1, 0.3, 4)).extrude(2.6).translate((right, 0.13, -0.75))
    ring = ring_curve(2 * barrel - wire, 28, "z")
    coil = tube(ring, wire / 2, closed=True, sides=12).translate((left, reach, 0.0))
    line = resample([[left + barrel - wire / 2, reach, 0.0], [right + 1.5, reach, 0.0]], 24)
    taper = wire / 2 * np.clip((right + 1.9 - line[:, 0]) / 5.0, 0.56, 1.0)
    return joined([*cheeks, rivet, catch, foot]), joined([coil, tube(line, taper, sides=12)])


def moved(solid: Manifold, at: ArrayLike) -> Manifold:
    """`solid` shifted by (3,) mm."""
    x, y, z = (float(value) for value in np.asarray(at, dtype=np.float64))
    return solid.translate((x, y, z))
