"""What is too thin, and for what it is: a wall, a wire, a prong, a bead, the metal round a stone, the rest of a notch.

A sheet must be thicker than a wire to cast and to last, and what a stone leans on may be thinner than either. A piece
says by its bodies' names and its stones what is what; on a nameless mesh only wires can be told from walls.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from manifold3d import Manifold
from scipy.spatial import cKDTree

from jewel_assets.shape.castability.castings import Cast
from jewel_assets.shape.castability.closed import SHOWN
from jewel_assets.shape.castability.profiles import Profile
from jewel_assets.shape.castability.report import Finding, place_of
from jewel_assets.shape.castability.surface import Bools, Floats, Ints, Surface
from jewel_assets.shape.castability.walls import FACETING, Thickness

Thing = Literal["wall", "wire", "setting", "prong", "bead", "detail"]
THINGS: tuple[Thing, ...] = ("wall", "wire", "setting", "prong", "bead", "detail")

SEAT_MM = 0.1
"""A stone's seat is cut with some hundredths of a millimetre of clearance; twice the usual is still a seat."""
SETTING_MM = 1.5
"""Metal so near to a stone is its setting: beads, channel walls, the bridges between the holes of pave."""
WIRE_SHARE = 2.0
"""A place is a wire rather than a wall if it is, across, no wider than so many times the least thickness of a wall."""
SHORT_MM2 = 5.0
"""Less surface than this is a short piece of wire: some 3 mm of a 0.5 mm prong."""
SMALL_MM2 = 1.5
"""Less surface than this (both sides) is a small place: the bridge between two holes of pave."""


@dataclass(frozen=True)
class Asked:
    """Of each sample (s,): which of `THINGS` it is, the least thickness in mm, and whether it is at a seat."""

    thing: Ints
    limit: Floats
    seat: Bools


def asked(cast: Cast, thickness: Thickness, profile: Profile, stones: list[Manifold]) -> Asked:
    """What each sample of a casting is, and how thick it must be."""
    of_role = {"prong": "prong", "bead": "bead", "detail": "detail"}
    by_body = np.array([THINGS.index(of_role.get(role, "wall")) for _, role in cast.bodies])
    thing = by_body[cast.of_face[thickness.faces]]
    walls = (thing == THINGS.index("wall")) & (thickness.thickness < profile.wall.value)
    thing[walls & beside(thickness, stones)] = THINGS.index("setting")
    left = np.flatnonzero(walls & (thing == THINGS.index("wall")))
    thing[left[wires(cast.surface, thickness, left, WIRE_SHARE * profile.wall.value)]] = THINGS.index("wire")
    detail = profile.detail.value
    least = {"wall": profile.wall.value, "prong": profile.prong.value}
    seat = seats(thickness, stones)
    limit = np.array([least.get(name, detail) for name in THINGS])[thing] * np.where(seat, profile.seat.value, 1.0)
    return Asked(thing, limit, seat)


def thin_places(cast: Cast, thickness: Thickness, profile: Profile, stones: list[Manifold]) -> Iterator[Finding]:
    """Every place that is thinner than what it is asks for."""
    nameless = not any(name for name, _ in cast.bodies)
    wanted = asked(cast, thickness, profile, stones)
    for limit in np.unique(wanted.limit)[::-1]:
        among = wanted.limit == limit
        places = thickness.thinnest(among, below=float(limit) * (1 - FACETING))
        for measured, sample, area in places[:SHOWN]:
            thing = THINGS[int(wanted.thing[sample])]
            part = cast.bodies[int(cast.of_face[thickness.faces[sample]])][0]
            # Where no name says what is what, a short thin wire may be a prong with its notch, and a small thin wall
            # the metal beside a stone.
            notch, most = (profile.prong.value * profile.seat.value, SHORT_MM2)
            if thing == "wall":
                notch, most = (profile.detail.value, SMALL_MM2)
            unsure = nameless and area < most and measured >= notch
            of = (f" of '{part}'" if part else "") + (" beside its stone" if wanted.seat[sample] else "")
            yield Finding(
                rule="thin prong" if thing == "prong" else "thin wall",
                severity="warning" if unsure else "error",
                message=f"The {thing}{of} is {measured:.2f} mm thick over {area:.1f} mm2: thicken it by "
                f"{limit - measured:.2f} mm to {limit:.2f} mm",
                measured=round(measured, 4),
                limit=round(float(limit), 4),
                unit="mm",
                place=place_of(thickness.points[sample]),
                part=part,
            )
        if len(places) > SHOWN:
            yield Finding(
                rule="thin wall",
                severity="error",
                message=f"{len(places) - SHOWN} more places are thinner than {limit:.2f} mm: thicken them",
                measured=float(len(places) - SHOWN),
                limit=0.0,
                unit="places",
            )


def beside(thickness: Thickness, stones: list[Manifold]) -> Bools:
    """Which samples are within `SETTING_MM` of a stone's surface."""
    if not stones:
        return np.zeros(len(thickness.points), bool)
    stone = Surface.of_solid(Manifold.compose(stones))
    known = cKDTree(np.vstack([stone.vertices, stone.centres]))
    return np.asarray(np.isfinite(known.query(thickness.points, distance_upper_bound=SETTING_MM)[0]), np.bool_)


def seats(thickness: Thickness, stones: list[Manifold]) -> Bools:
    """Which samples have the seat of a stone before or behind them: a stone within `SEAT_MM` of that side's surface."""
    near = np.zeros(len(thickness.points), bool)
    if not stones:
        return near
    stone = Surface.of_solid(Manifold.compose(stones))
    finite = np.isfinite(thickness.thickness)
    behind = thickness.points + thickness.inward * np.where(finite, thickness.thickness, 0.0)[:, None]
    for points, directions in ((thickness.points, -thickness.inward), (behind, thickness.inward)):
        # From a little inside the metal, so that a stone which touches or overlaps its seat is met too.
        start = points - directions * SEAT_MM
        reach = np.where(finite & directions.any(axis=1), 2 * SEAT_MM, 0.0)
        near |= stone.first_hits(start, directions, reach)[0] >= 0
    return near


def wires(surface: Surface, thickness: Thickness, which: Ints, widest: float) -> Bools:
    """Which of the samples `which` lie on a wire: metal that is, in some direction across the ray, at most `widest` mm.

    Measured from half way along the ray, both ways, in four directions that are square to it.
    """
    if not len(which):
        return np.zeros(0, bool)
    inward = thickness.inward[which]
    middle = thickness.points[which] + inward * (thickness.thickness[which, None] / 2)
    least = np.argmin(np.abs(inward), axis=1)
    first = np.cross(inward, np.eye(3)[least])
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
    second = np.cross(inward, first)
    narrow = np.zeros(len(which), bool)
    for turn in np.radians((0.0, 45.0, 90.0, 135.0)):
        across = np.cos(turn) * first + np.sin(turn) * second
        width = np.zeros(len(which))
        for direction in (across, -across):
            hit, far = surface.first_hits(middle, direction, np.full(len(which), widest))
            width += np.where(hit >= 0, far, np.inf)
        narrow |= width <= widest
    return narrow
