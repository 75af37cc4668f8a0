"""Many small stones: rows on a band, rings of melee round a centre stone, the beads and channels that hold them.

A row is an array of placements (k, 3, 4): x along the row, y to its side, z away from the metal, the origin in the
girdle plane. Millimetres.

Melee stands 0.2 mm apart, which is what a caster can fill between two seats (gem to gem 0.1 to 0.2 mm in the guides of
CAD houses: Stuller, "Pavé and prong guidelines"); each bead is shared by two stones.
"""

import numpy as np
from manifold3d import Manifold
from numpy.typing import ArrayLike

from jewel_assets.shape.parts.curves import Array, length, resample
from jewel_assets.shape.parts.settings import Seating, mitred_normals
from jewel_assets.shape.parts.sweep import copies, placed, skin

GAP_MM = 0.2
BEAD_COVER_MM, BEAD_COVER_SHARE = 0.06, 0.035
"""How far a bead reaches over a girdle: 0.06 mm and 0.035 of the stone, a tenth of a millimetre for melee."""

HOLE_SHARE = 0.38
"""Of the stone's width: the hole that is drilled behind each melee, for light and for cleaning."""


def round_row(
    radius: float, stone: float, gap: float = GAP_MM, arc_deg: float = 360.0, turn_deg: float = 0.0, multiple: int = 1
) -> Array:
    """(k, 3, 4): as many stones of `stone` mm as stand `gap` apart round the y axis, their girdles at `radius`.

    `arc_deg` below 360 is centred on the top, or on `turn_deg` from it towards +x; a full circle is filled evenly, with
    a multiple of `multiple` stones.
    """
    pitch = 2 * np.arcsin(min(1.0, (stone + gap) / 2 / radius))
    if arc_deg >= 360:
        number = int(2 * np.pi / pitch) // multiple * multiple
        angle = 2 * np.pi * np.arange(number) / number
    else:
        number = max(1, int(np.radians(arc_deg) / pitch + 1e-6))
        angle = (np.arange(number) - (number - 1) / 2) * pitch
    angle = angle + np.radians(turn_deg)
    zero, one = np.zeros_like(angle), np.ones_like(angle)
    out = np.column_stack([np.sin(angle), zero, np.cos(angle)])
    along = np.column_stack([np.cos(angle), zero, -np.sin(angle)])
    return placed(along, np.column_stack([zero, one, zero]), out, radius * out)


def flat_row(outline: ArrayLike, height: float, stone: float, gap: float = GAP_MM, multiple: int = 1) -> Array:
    """(k, 3, 4): stones along a closed outline (n, 2), counter-clockwise, at z = `height`, from its first point on.

    Their number is a multiple of `multiple`, so that a ring of melee is as symmetric as what it surrounds.
    """
    path = np.asarray(outline, dtype=np.float64)
    number = max(multiple, int(length(path, closed=True) / (stone + gap)) // multiple * multiple)
    even = resample(path, number, closed=True)
    outward = mitred_normals(even, limit=1.0)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    zero, one = np.zeros(number), np.ones(number)
    side = np.column_stack([outward, zero])
    up = np.column_stack([zero, zero, one])
    return placed(np.cross(side, up), side, up, np.column_stack([even, np.full(number, height)]))


def seats(stone: Seating, row: Array, depth: float) -> Manifold:
    """What is taken out of the metal for a row of stones: their room, and a hole to `depth` mm under each girdle."""
    sides = 12
    hole = Manifold.cylinder(depth, HOLE_SHARE * stone.width / 2, circular_segments=sides).translate((0, 0, -depth))
    return copies(stone.room + hole, row)


def between(row: Array, closed: bool) -> Array:
    """(k or k - 1, 3, 4): the places halfway between neighbours of a row, facing as the mean of both."""
    first, second = (row, np.roll(row, -1, axis=0)) if closed else (row[:-1], row[1:])
    mean = (first + second) / 2
    up = mean[:, :, 2] / np.linalg.norm(mean[:, :, 2], axis=1, keepdims=True)
    side = mean[:, :, 1] - np.sum(mean[:, :, 1] * up, axis=1, keepdims=True) * up
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    return placed(np.cross(side, up), side, up, mean[:, :, 3])


def ends(row: Array, stone: float) -> Array:
    """(2, 3, 4): the places beyond the first and the last stone of an open row where its end beads stand."""
    shift = np.zeros((2, 3, 1))
    reach = (stone + GAP_MM) / 2
    shift[0, :, 0], shift[1, :, 0] = -reach * row[0, :, 0], reach * row[-1, :, 0]
    places = np.stack([row[0], row[-1]])
    places[:, :, 3:] += shift
    return places


def bead(radius: float, depth: float, height: float, sides: int = 12) -> Manifold:
    """A bead: a post from z = -`depth` whose domed top is at `height`."""
    turn = np.linspace(0, np.pi / 2, 4)[:-1]
    levels = [(radius * 1.08, -depth), (radius, height - radius)]
    levels += [(radius * float(np.cos(a)), height - radius + radius * float(np.sin(a))) for a in turn[1:]]
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(sides)])
    grid = np.array([ring * [r, r, 0] + [0, 0, z] for r, z in levels])
    return skin(grid, end=np.array([0.0, 0.0, height]))


def bead_aside(stone: float, pitch: ArrayLike, radius: float) -> Array:
    """How far beside the row's middle a bead of `radius` mm stands, so that it covers both stones `pitch` mm apart."""
    reach = stone / 2 + radius - (BEAD_COVER_MM + BEAD_COVER_SHARE * stone)
    return np.asarray(np.sqrt(np.maximum(reach**2 - (np.asarray(pitch) / 2) ** 2, (1.1 * radius) ** 2)))


def bead_needed(stone: float, pitch: float) -> float:
    """Radius, mm, of two beads that stand clear of each other in a gap and still cover both stones `pitch` mm apart.

    It solves (radius + reach)^2 = (pitch / 2)^2 + (1.1 radius)^2, with reach = stone / 2 - cover.
    """
    reach = stone / 2 - (BEAD_COVER_MM + BEAD_COVER_SHARE * stone)
    lack = max((pitch / 2) ** 2 - reach**2, 0.0)
    root = max(reach**2 - 0.21 * lack, 0.0)
    return float((reach - np.sqrt(root)) / 0.21)


def beads(stone: Seating, row: Array, closed: bool, radius: float, depth: float) -> Manifold:
    """Two beads in every gap of a row, shared by both stones, and two at each end of an open one.

    Take `stone.room` out of them afterwards (`seats` does): it cuts the ledges that lie on the crowns.
    """
    gaps = between(row, closed)
    pitch = np.linalg.norm(np.roll(row, -1, axis=0)[:, :, 3] - row[:, :, 3], axis=1)[: len(gaps)]
    if not closed:
        gaps = np.concatenate([gaps, ends(row, stone.width)])
        pitch = np.concatenate([pitch, np.full(2, stone.width + GAP_MM)])
    radius = max(radius, min(bead_needed(stone.width, float(pitch.max())), 0.34 * stone.width))
    aside = bead_aside(stone.width, pitch, radius)
    both = np.concatenate([gaps, gaps])
    shift = np.concatenate([aside, -aside])
    both[:, :, 3] += shift[:, None] * both[:, :, 1]
    top = 0.55 * stone.crown + 0.9 * radius
    return copies(bead(radius, depth, top), both)


def groove(
    radius: float, floor: float, width: float, segments: int, arc_deg: float = 360.0, top: float = 3.0
) -> Manifold:
    """The channel of a channel-set band: round the y axis, `width` wide, from `radius` - `floor` outward.

    With `arc_deg` below 360 it runs so far, centred on the top.
    """
    closed = arc_deg >= 360
    half = np.pi if closed else np.radians(arc_deg) / 2
    steps = segments if closed else max(4, round(segments * arc_deg / 360)) + 1
    angle = np.linspace(-half, half, steps, endpoint=not closed)[:, None]
    inner, outer = radius - floor, radius + top
    section = np.array([[-width / 2, inner], [width / 2, inner], [width / 2, outer], [-width / 2, outer]])
    reach = np.broadcast_to(section[:, 1], (steps, 4))
    across = np.broadcast_to(section[:, 0], (steps, 4))
    return skin(np.stack([reach * np.sin(angle), across, reach * np.cos(angle)], axis=-1), closed=closed)


def halo_plate(centre: Seating, inner: float, outer: float, top: float, thickness: float) -> Manifold:
    """The plate of a halo: a collar `inner` to `outer` mm outside of the girdle, its upper face at z = `top`."""
    soft = min(0.15, 0.3 * thickness)
    low = top - thickness
    section = [
        (inner, low),
        (outer - 2.5 * soft, low),
        (outer - soft / 2, low + 1.5 * soft),
        (outer, top - 1.2 * soft),
        (outer - 0.3 * soft, top - 0.3 * soft),
        (outer - 0.9 * soft, top),
        (inner, top),
    ]
    rings = [np.column_stack([centre.offset(away), np.full(len(centre.outline), z)]) for away, z in section]
    return skin(np.stack(rings, axis=1)[:, ::-1], closed=True)
