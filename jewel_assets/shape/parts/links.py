"""Chain links: their shapes, how far apart two of them sit when each hangs in the other, and laying them along a curve.

A link lies in its own place with its long axis along x, its middle at the origin and, unless it is twisted, in the x-y
plane. Links of a chain never touch: they keep a `clearance`, as they would when drawn out of the printer or the tree,
and each passes through its neighbours (a linking number of +1 or -1, see `linking_number`).

Copies of one link share one mesh: `Manifold.transform` keeps the `original_id` of what it moves, and the `to_mesh()` of
a copy says it again in `run_original_id`, with its placement in `run_transform`. Files and renders can write it once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from manifold3d import Manifold
from numpy.typing import ArrayLike

from jewel_assets.shape.parts.curves import Array, circle, ellipse, length, resample, rounded_rectangle
from jewel_assets.shape.parts.sweep import revolve_profile, sweep, tube

LEAST_GAP = 0.1
"""mm that two links of a finished chain keep between them, however it lies."""


def play(wire: float) -> float:
    """mm between links of `wire` mm wire in a straight chain; more than `LEAST_GAP`, for where the chain bends."""
    return 0.12 + 0.05 * wire


@dataclass(frozen=True)
class Link:
    """One link, or anything that is laid like one: a clasp, a bead on its eye pin, a jump ring.

    `lines` are the closed centre lines (n, 3) of its wire: one, or one for each loop of a clasp. `parts` are the bodies
    of which it is made, where there are several that move.
    """

    solid: Manifold = field(repr=False)
    lines: tuple[Array, ...] = field(repr=False)
    ahead: float
    """mm from the middle to the inside of the bend at its +x end"""
    behind: float
    """mm from the middle to the inside of the bend at its -x end"""
    gauge: float = 0.0
    """mm that its end takes up inside a ring; for a clasp, the end that opens"""
    parts: tuple[tuple[str, Manifold], ...] = field(default=(), repr=False)
    pitch: float = 0.0
    """mm to the next of its kind, where it is known from the way the chain is made; 0 where it is to be measured"""


def link_sides(wire: float, detail: float) -> tuple[int, int]:
    """Facets round a wire of `wire` mm and round half a turn of a link of it, at `detail`.

    A 0.6 mm wire gets 10 and 9, so that 45 cm of cable chain stay near 100,000 faces; a thick link is seen from nearer.
    """
    round_the_wire = int(np.clip(round(detail * (6.5 + 6 * wire)), 6, 48))
    return round_the_wire, int(np.clip(round(detail * (6.0 + 5 * wire)), 5, 40))


def stadium(long: float, wide: float, bend_points: int, side_points: int = 0) -> Array:
    """(n, 3): a closed centre line in the x-y plane, two half circles of diameter `wide` joined by straight sides.

    `long` along x, at least `wide`; equal, it is a circle. `side_points` more points on each straight side.
    """
    straight = max(long - wide, 0.0)
    half = np.linspace(-np.pi / 2, np.pi / 2, bend_points + 1)
    right = np.column_stack([straight / 2 + wide / 2 * np.cos(half), wide / 2 * np.sin(half)])
    left = -right
    if straight < 1e-9:
        flat = np.vstack([right[:-1], left[:-1]])
    else:
        along = np.linspace(straight / 2, -straight / 2, side_points + 2)[1:-1]
        upper = np.column_stack([along, np.full(len(along), wide / 2)])
        flat = np.vstack([right, upper, left, -upper])
    return np.column_stack([flat, np.zeros(len(flat))])


def least_oval(wire: float, depth: float) -> float:
    """The narrowest oval link, mm: both its sides, and the neighbour's wire with its play between them."""
    return 2 * wire + max(wire, depth) + 2 * play(wire)


def shortest_oval(wire: float) -> float:
    """The shortest oval link, mm: the wires of both neighbours meet inside it, and those two keep their distance."""
    return 4 * wire + 2 * play(wire) + 2 * LEAST_GAP


def oval_link(long: float, wide: float, wire: float, detail: float = 1.0, depth: float | None = None) -> Link:
    """A link of a cable, trace or paperclip chain: outside `long` x `wide` mm, of `wire` mm.

    `depth` is the wire's height across the link's plane: more than `wire` makes the broad oval section of a belcher.
    Raises ValueError if the neighbour's wire has no room: `wide` must be at least `least_oval`.
    """
    deep = wire if depth is None else depth
    if wide < (least := least_oval(wire, deep)) - 1e-6:
        raise ValueError(
            f"a link {wide:.2f} mm wide of {wire:.2f} mm wire has no room for its neighbour: "
            f"make it {least:.2f} mm wide"
        )
    sides, bend = link_sides(wire, detail)
    line = stadium(max(long, wide) - wire, wide - wire, bend)
    # `up` along z, so that the section's x lies in the link's plane
    section = circle(wire, sides) if depth is None else ellipse(wire, deep, sides)
    solid = sweep(section, line, closed=True, up=(0.0, 0.0, 1.0))
    inside = max(long, wide) / 2 - wire
    return Link(solid.as_original(), (line,), inside, inside)


BOX_PLAY = 0.2
"""mm between the links of a box chain: flat strips touch at their corners when they turn."""


def widest_strip(size: float, thickness: float) -> float:
    """The widest strip that passes through a box link of `size` mm, its corners clear of the bends."""
    return size - 2.4 * thickness - 2 * BOX_PLAY


def box_link(size: float, strip: float, thickness: float, detail: float = 1.0) -> Link:
    """A link of a box (Venetian) chain: a square of `size` mm, bent from strip `strip` wide and `thickness` thick.

    Raises ValueError if the neighbour's strip has no room.
    """
    if strip > (most := widest_strip(size, thickness)) + 1e-6:
        raise ValueError(
            f"a strip {strip:.2f} mm wide does not pass through a box link of {size:.2f} mm: make it {most:.2f} mm wide"
        )
    corners = max(2, round(3 * detail))
    flat = rounded_rectangle(size - thickness, size - thickness, 0.8 * thickness, corners)
    line = np.column_stack([flat, np.zeros(len(flat))])
    section = rounded_rectangle(thickness, strip, 0.35 * thickness, max(2, round(3 * detail)))
    solid = sweep(section, line, closed=True, up=(0.0, 0.0, 1.0))
    inside = size / 2 - thickness
    return Link(solid.as_original(), (line,), inside, inside)


TWISTED_SHARE = 0.62
"""Of a curb link's half length, how much is twisted; the rest is bend."""


def curb_link(
    long: float, wide: float, wire: float, detail: float = 1.0, twist_deg: float = 84.0, filed: float = 0.22
) -> Link:
    """A link of a curb or figaro chain: an oval twisted so that all links lie flat, then filed on both faces.

    `long` x `wide` mm outside before it is twisted. `twist_deg` is the turn from one end to the other: near 90 the
    neighbours' ends meet square to each other. `filed` is the share of the wire's diameter that the file takes off the
    highest place of each face, 0 to 0.4.
    """
    sides, bend = link_sides(wire, detail)
    straight_points = max(2, round(detail * 1.4 * bend * max(long / wide - 1, 0.3)))
    flat = stadium(max(long, wide * 1.02) - wire, wide - wire, bend, straight_points)
    # the sides take the twist, the bends stay nearly flat, so that neighbours are square to each other where they meet
    half = flat[:, 0].max() * TWISTED_SHARE
    turn = np.radians(twist_deg / 2) * np.sin(np.pi / 2 * np.clip(flat[:, 0] / half, -1, 1))
    line = np.column_stack([flat[:, 0], flat[:, 1] * np.cos(turn), flat[:, 1] * np.sin(turn)])
    solid = tube(line, wire / 2, closed=True, sides=sides)
    if filed > 0:
        box = solid.bounding_box()
        face = box[5] - filed * wire
        solid = solid.trim_by_plane((0.0, 0.0, -1.0), -face).trim_by_plane((0.0, 0.0, 1.0), -face)
    inside = max(long, wide * 1.02) / 2 - wire
    return Link(solid.as_original(), (line,), inside, inside)


ROPE_WINDS: dict[str, tuple[float, float, float, float, float, float]] = {
    "slender": (2.7, 1.358, -0.952, -0.045, 1.597, 0.926),
    "full": (2.8, 1.292, 1.209, -2.412, 1.232, 1.017),
}
"""How the rings of a rope chain lie, in diameters of their wire and radians: radius of a ring's centre line, pitch,
distance of a ring's middle from the axis, azimuth and inclination of its normal, turn from one ring to the next. Found
by minimizing the pitch under the condition that no two rings come nearer than 1.2 wires from centre to centre, then
drawn out by 2 % for play. Each ring passes through the two before it and the two behind it, as in the chains that
are sold."""


def rope_pose(wire: float, wind: str) -> tuple[Array, float, float]:
    """How a ring of the rope lies in its place (3, 4), the pitch in mm, and the turn to the next ring in degrees."""
    _, pitch, off, azimuth, incline, turn = ROPE_WINDS[wind]
    normal = np.array([np.cos(incline), np.sin(incline) * np.cos(azimuth), np.sin(incline) * np.sin(azimuth)])
    side = np.cross(normal, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side)
    pose = np.column_stack([side, np.cross(normal, side), normal, [0.0, off * wire, 0.0]])
    return pose, pitch * wire, float(np.degrees(turn))


def rope_width(wire: float, wind: str) -> float:
    """Outer diameter in mm of a rope chain of `wire` mm wire."""
    pose, _, _ = rope_pose(wire, wind)
    line = moved(stadium(2 * ROPE_WINDS[wind][0] * wire, 2 * ROPE_WINDS[wind][0] * wire, 48), pose)
    return float(2 * np.hypot(line[:, 1], line[:, 2]).max() + wire)


def rope_link(wire: float, wind: str = "slender", detail: float = 1.0) -> Link:
    """A ring of a rope chain of `wire` mm wire; `wind` is one of `ROPE_WINDS`. Lay it with the rolls of `rope_pose`."""
    sides, bend = link_sides(wire, detail)
    pose, pitch, _ = rope_pose(wire, wind)
    radius = ROPE_WINDS[wind][0] * wire
    line = moved(stadium(2 * radius, 2 * radius, bend), pose)
    solid = tube(line, wire / 2, closed=True, sides=sides)
    return Link(solid.as_original(), (line,), radius - wire / 2, radius - wire / 2, pitch=pitch)


def rope_end(wire: float, wind: str, side: int, eye_roll_deg: float, eye_wire: float, detail: float = 1.0) -> Link:
    """The last ring of a rope, soldered into a bell with an eye for a jump ring; `side` +1 ends it ahead, -1 behind.

    `eye_roll_deg` turns the eye about the chain against the ring.
    """
    link = rope_link(wire, wind, detail)
    box = link.solid.bounding_box()
    tip = box[3] if side > 0 else -box[0]
    # the bell begins where the ring before the last one ends, and a clearance
    mouth = tip - link.pitch + 2.5 * LEAST_GAP
    radius = rope_width(wire, wind) / 2
    depth = 0.9 * radius
    arc = np.linspace(0, np.pi / 2, max(5, round(6 * detail)))
    dome = [(radius * (0.3 + 0.7 * np.cos(a)), mouth + 0.5 * depth + depth * np.sin(a)) for a in arc]
    # its mouth is bevelled: the next rings come nearer to its edge where the chain bends
    profile = np.array([(0.0, mouth), (0.5 * radius, mouth), (radius, mouth + 0.2 * radius), *dome, (0.0, dome[-1][1])])
    segments = max(20, round(28 * detail))
    bell = revolve_profile(profile, segments, axis="x")
    opening = 1.4 * eye_wire + 2 * play(eye_wire)
    sides, bend = link_sides(eye_wire, detail)
    eye = stadium(opening + eye_wire, opening + eye_wire, bend) + np.array([dome[-1][1] + opening / 2, 0.0, 0.0])
    holder = tube(eye, eye_wire / 2, closed=True, sides=sides).rotate((eye_roll_deg, 0.0, 0.0))
    roll = np.radians(eye_roll_deg)
    eye = eye @ np.array([[1, 0, 0], [0, np.cos(roll), np.sin(roll)], [0, -np.sin(roll), np.cos(roll)]])
    outward = float(dome[-1][1] + opening)
    fitting = bell + holder
    if side < 0:
        fitting = fitting.mirror((1.0, 0.0, 0.0))
        eye = eye * np.array([-1.0, 1.0, 1.0])
    ends = (outward, link.behind) if side > 0 else (link.ahead, outward)
    return Link((link.solid + fitting).as_original(), (link.lines[0], eye), *ends, pitch=link.pitch)


def spacing(first: Link, second: Link, roll_deg: float, clearance: float) -> float:
    """mm from the middle of `first` to the middle of `second`, ahead of it and rolled by `roll_deg` about x.

    The chain is drawn taut: the largest distance at which they keep `clearance`, each hanging in the other. Raises
    ValueError if they cannot: a wire is too thick for the other's opening.
    """
    turned = second.solid.rotate((roll_deg, 0.0, 0.0))
    far = first.ahead + second.behind
    step = clearance / 2
    near = far
    for _ in range(60):
        near -= step
        if first.solid.min_gap(turned.translate((near, 0.0, 0.0)), 2 * clearance) >= clearance:
            break
        far = near
    else:
        raise ValueError(
            f"these links do not pass through each other with {clearance:.2f} mm to spare: "
            "use thinner wire or wider links"
        )
    for _ in range(7):
        middle = (near + far) / 2
        if first.solid.min_gap(turned.translate((middle, 0.0, 0.0)), 2 * clearance) >= clearance:
            near = middle
        else:
            far = middle
    return near


def linking_number(first: ArrayLike, second: ArrayLike) -> int:
    """How often one closed line (n, 3) passes through another (m, 3), with its sense; 0 if they come apart.

    Gauss's double sum with the exact solid angle of each pair of edges (Klenin and Langowski 2000, "Computation of
    writhe in modeling of supercoiled DNA", Biopolymers 54, method 1a).
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    a1, b1 = np.roll(a, -1, axis=0), np.roll(b, -1, axis=0)
    r13, r14 = b[None] - a[:, None], b1[None] - a[:, None]  # (n, m, 3)
    r23, r24 = b[None] - a1[:, None], b1[None] - a1[:, None]

    def unit(v: Array) -> Array:
        size = np.linalg.norm(v, axis=-1, keepdims=True)
        return np.asarray(v / np.where(size > 1e-12, size, 1.0))

    n1, n2 = unit(np.cross(r13, r14)), unit(np.cross(r14, r24))
    n3, n4 = unit(np.cross(r24, r23)), unit(np.cross(r23, r13))
    angle = sum(np.arcsin(np.clip((p * q).sum(-1), -1, 1)) for p, q in ((n1, n2), (n2, n3), (n3, n4), (n4, n1)))
    sense = np.sign((np.cross((b1 - b)[None], (a1 - a)[:, None]) * r13).sum(-1))
    return round(float((angle * sense).sum()) / (4 * np.pi))


def reaches(links: Sequence[Link], rolls_deg: Sequence[float], closed: bool, clearance: float) -> Array:
    """(n, 2): mm that each link takes up along the chain, behind and ahead of its middle.

    Where two links meet, each gives half of what `spacing` leaves between their bends. Equal pairs are measured once.
    """
    known: dict[tuple[int, int, float], float] = {}
    n = len(links)
    taken = np.array([[link.behind, link.ahead] for link in links])
    for i in range(n if closed else n - 1):
        j = (i + 1) % n
        a, b = links[i], links[j]
        roll = (rolls_deg[j] - rolls_deg[i]) % 360.0
        key = (id(a), id(b), round(roll, 3))
        if key not in known:
            known[key] = a.pitch if a.pitch and a.pitch == b.pitch else spacing(a, b, roll, clearance)
        short = (a.ahead + b.behind - known[key]) / 2
        taken[i, 1] -= short
        taken[j, 0] -= short
    return taken


def lay(taken: ArrayLike, curve: ArrayLike, rolls_deg: ArrayLike, closed: bool, start: float = 0.0) -> Array:
    """(n, 3, 4): placements of links along `curve` (m, 3), each a chord of it, in the order they hang together.

    `taken` is what `reaches` gives. A closed curve is made larger or smaller about the origin until the chain closes
    round it; an open chain begins at the curve's start, or at `start` mm along it. Each link's x runs along the chain,
    and its z, before it is rolled about x, lies as near to the y axis as it can: a chain round y lies flat for a viewer
    who looks along y.
    """
    lengths = np.asarray(taken, dtype=np.float64).sum(axis=1)
    line = np.asarray(curve, dtype=np.float64)
    line = resample(line, max(len(line), 6 * len(lengths), 600), closed)
    if closed:
        line = line * (lengths.sum() / length(line, closed=True))
        line = np.vstack([line, line[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    steps = lengths.copy()
    for _ in range(6):
        ends = start + np.concatenate([[0.0], np.cumsum(steps)])
        joints = _at(line, along, ends, closed)
        chords = np.linalg.norm(np.diff(joints, axis=0), axis=1)
        steps *= lengths / chords
        if closed:  # what the chords cut off is made up by a larger curve
            grow = steps.sum() / along[-1]
            line, along = line * grow, along * grow
    ends = start + np.concatenate([[0.0], np.cumsum(steps)])
    joints = _at(line, along, ends, closed)
    x = np.diff(joints, axis=0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    behind = np.asarray(taken, dtype=np.float64)[:, :1]
    middle = joints[:-1] + x * behind
    z = np.array([0.0, 1.0, 0.0]) - x[:, 1:2] * x
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    y = np.cross(z, x)
    roll = np.radians(np.asarray(rolls_deg, dtype=np.float64))[:, None]
    turned_y, turned_z = np.cos(roll) * y + np.sin(roll) * z, np.cos(roll) * z - np.sin(roll) * y
    return np.stack([x, turned_y, turned_z, middle], axis=-1)


def moved(points: ArrayLike, placement: ArrayLike) -> Array:
    """(n, 3): points of a link's own place, where `placement` (3, 4) puts them."""
    place = np.asarray(placement, dtype=np.float64)
    return np.asarray(np.asarray(points, dtype=np.float64) @ place[:, :3].T + place[:, 3])


def necklace_curve(total: float, drape: float = 0.4, width_share: float = 0.8, points: int = 720) -> Array:
    """(points, 3): a closed necklace of length `total` mm in the x-z plane, as it lies on a table or hangs on a bust.

    It starts at its lowest point, at the origin, and runs towards +x. `drape` 0 is an oval, 1 comes to a point below,
    as when something heavy hangs there. `width_share` is the width over the height.
    """
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    # the constant rounds the point off: links could not follow a corner
    x = np.sin(t) * (np.sin(t / 2) ** 2 + 0.2) ** (drape / 2)
    x *= width_share / (x.max() - x.min())
    z = (1 - np.cos(t)) / 2
    flat = resample(np.column_stack([x, z]), points, closed=True)
    curve = np.column_stack([flat[:, 0], np.zeros(points), flat[:, 1]])
    return np.asarray(curve * (total / length(curve, closed=True)))


def hanging_curve(total: float, spread: float = 0.55, load: float = 0.0, points: int = 720) -> Array:
    """(points, 3): an open chain of length `total` mm that hangs by its ends, which are level: a catenary.

    From the left end through the lowest point, at the origin, to the right end. `spread` is the distance of the ends
    over the length, 0.2 to 0.95. `load` is the weight that hangs in the middle over the weight of the chain.
    """
    # half a catenary from s0 = load / 2 on (in units of the length's half), whose parameter c sets the spread:
    # x(s) = c (asinh(s / c) - asinh(s0 / c)), with s from s0 to s0 + 1
    s = np.linspace(0, 1, points)
    low, high = 1e-3, 1e3
    for _ in range(80):
        c = np.sqrt(low * high)
        reached = c * (np.arcsinh((load + 1) / c) - np.arcsinh(load / c))
        low, high = (c, high) if reached < spread else (low, c)
    x = c * (np.arcsinh((load + s) / c) - np.arcsinh(load / c))
    z = np.hypot(load + s, c) - np.hypot(load, c)
    right = np.column_stack([x, np.zeros(points), z]) * total / 2
    left = right[:0:-1] * np.array([-1.0, 1.0, 1.0])
    return resample(np.vstack([left, right]), points)


def _at(line: Array, along: Array, wanted: Array, closed: bool) -> Array:
    """(k, 3): the points `wanted` mm along the polyline; a closed one goes round again, an open one straight on."""
    if closed:
        wanted = np.mod(wanted, along[-1])
        return np.column_stack([np.interp(wanted, along, line[:, i]) for i in range(3)])
    inside = np.clip(wanted, 0.0, along[-1])
    points = np.column_stack([np.interp(inside, along, line[:, i]) for i in range(3)])
    over = wanted - inside
    ends = np.where(over[:, None] < 0, line[1] - line[0], line[-1] - line[-2])
    return np.asarray(points + over[:, None] * ends / np.linalg.norm(ends, axis=1, keepdims=True))
