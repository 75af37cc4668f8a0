"""A watch's head: case with lugs and bezel, back, crown, crystal. Millimetres.

The case stands on z = 0 with its dial facing +z, twelve o'clock towards +y, the crown at +x. Proportions follow what is
worn (cases 28 to 44 mm, lugs half the case apart: 14 to 22 mm, the even sizes that straps are sold in).
"""

from dataclasses import dataclass

import numpy as np
from manifold3d import Manifold, OpType

from jewel_assets.shape.parts.curves import Array, rounded_rectangle, superellipse
from jewel_assets.shape.parts.sweep import revolve_profile, skin, sweep

SHAPES: dict[str, float] = {"round": 2.0, "cushion": 3.4, "square": 7.0}
"""Exponent of the superellipse that is the case's outline from above."""

BEZELS: tuple[str, ...] = ("domed", "stepped", "fluted", "coin edge")

DIAL_MM = 0.6
CRYSTAL_MM = 1.2
ROOM_MM = 2.65
"""From the dial's face to the crystal: three hands, one above the other, and air between them."""

SEAT_MM, RIM_MM = 0.7, 0.9
"""How far the crystal's seat reaches into the bezel, and the width of the upper step that is left round it."""

PLAY = 0.12
"""mm between parts that are put together."""


@dataclass(frozen=True)
class CaseShape:
    """The measures of a case. `diameter` without crown; `height` from its back to the top of its bezel."""

    diameter: float
    height: float
    shape: str
    bezel: str
    lug_gap: float
    lug_reach: float
    """mm from the case's edge to the spring bar's middle"""
    detail: float = 1.0

    @property
    def points(self) -> int:
        """Points of the outline; a multiple of 24."""
        return 24 * max(2, round(4 * self.detail))

    @property
    def dial_radius(self) -> float:
        """Half the dial's width."""
        return 0.5 * self.diameter - self.bezel_width

    @property
    def bezel_width(self) -> float:
        """mm from the case's edge to the opening."""
        return max(2.8, 0.085 * self.diameter)

    @property
    def dial_height(self) -> float:
        """z of the dial's face."""
        return self.height - ROOM_MM - CRYSTAL_MM

    @property
    def bar(self) -> Array:
        """(2,): y and z of the middle of the spring bar at twelve o'clock."""
        return np.array([self.diameter / 2 + self.lug_reach, 1.9])

    def outline(self, inset: float) -> Array:
        """(n, 2): the outline `inset` mm inside the case's edge."""
        return superellipse(self.diameter - 2 * inset, self.diameter - 2 * inset, SHAPES[self.shape], self.points)

    def turned(self, profile: Array) -> Manifold:
        """A solid whose outline lies `inset` mm inside the case's edge at height z; `profile` (n, 2), from below."""
        rings = [np.column_stack([self.outline(inset), np.full(self.points, z)]) for inset, z in profile]
        return skin(np.stack(rings))


def case_body(case: CaseShape) -> Manifold:
    """Middle, bezel and lugs in one, open through the middle, with seats for dial, crystal and back."""
    top, wide = case.height, case.bezel_width
    step = 0.62 * top
    side = [(0.9, 0.0), (0.25, 0.55), (0.0, 1.2), (0.0, step - 0.35), (0.35, step)]
    body = case.turned(np.array([*side, (0.9, step)]))
    # the bezel stands on the middle; its slope is smooth or cut
    foot = 0.5
    slope = [(foot, step - 0.4), (foot, step + 0.25)]
    if case.bezel == "stepped":
        slope += [
            (foot + 0.15, 0.5 * (step + top)),
            (wide - SEAT_MM - RIM_MM - 0.16, 0.52 * (step + top)),
            (wide - SEAT_MM - RIM_MM, top),
            (wide + 0.2, top),
        ]
        bezel = case.turned(np.array(slope))
    elif case.bezel == "domed":
        arc = np.linspace(0, np.pi / 2, max(5, round(7 * case.detail)))
        rise = top - step - 0.25
        slope += [(foot + (0.8 * wide - foot) * (1 - np.cos(a)), step + 0.25 + rise * np.sin(a)) for a in arc[1:]]
        bezel = case.turned(np.array([*slope, (wide + 0.2, top)]))
    else:
        bezel = _cut_bezel(case, step, top)
    lugs = [_lug(case, sx, sy) for sx in (-1, 1) for sy in (-1, 1)]
    whole = Manifold.batch_boolean([body, bezel, *lugs], OpType.Add)
    dial, crystal = case.dial_height, top - CRYSTAL_MM
    through = case.turned(np.array([(wide + 1.0, -1.0), (wide + 1.0, dial)]))
    pocket = case.turned(np.array([(wide, dial - DIAL_MM), (wide, dial + 0.25), (wide - 0.35, crystal + 0.01)]))
    seat = case.turned(np.array([(wide - SEAT_MM, crystal), (wide - SEAT_MM, top + 1.0)]))
    back = case.turned(np.array([(wide - 0.6, -1.0), (wide - 0.6, 0.9)]))
    hollow = Manifold.batch_boolean([through, pocket, seat, back], OpType.Add)
    return whole - hollow


def case_back(case: CaseShape) -> Manifold:
    """The back, a disc in its recess, a little proud, with a step."""
    wide = case.bezel_width - 0.6 + PLAY
    profile = [(wide + 1.6, -0.7), (wide + 1.2, -0.5), (wide + 0.25, -0.4), (wide, -0.15), (wide, 0.9 - PLAY)]
    return case.turned(np.array(profile))


def crystal(case: CaseShape) -> Manifold:
    """The crystal in its seat, its top a flat dome."""
    inset = case.bezel_width - SEAT_MM + PLAY
    low, top = case.height - CRYSTAL_MM, case.height
    half = case.diameter / 2 - inset
    dome = [
        (inset + half * (1 - np.cos(a)), top + 0.12 + 0.55 * np.sin(a))
        for a in np.linspace(0.25, 1.35, max(4, round(5 * case.detail)))
    ]
    first = (inset, top - 0.05)
    return case.turned(np.array([(inset, low + PLAY / 4), first, *dome]))


def crown(case: CaseShape, diameter: float, reach: float, angle_deg: float = 0.0) -> Manifold:
    """A fluted crown on the case's edge, `angle_deg` from three o'clock towards twelve, clear of it by the play."""
    segments, flutes = 96, 24
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    fluted = diameter / 2 * (1 - 0.07 * (0.5 + 0.5 * np.cos(flutes * angle)))
    round_ = np.full(segments, diameter / 2)
    rings = []
    for share, x in ((0.78, 0.0), (0.98, 0.18), (1.0, 0.3), (1.0, 0.8), (0.96, 0.9), (0.7, 1.0)):
        radius = share * (fluted if share >= 0.98 else 0.93 * round_)
        rings.append(np.column_stack([np.full(segments, reach * x), radius * np.cos(angle), radius * np.sin(angle)]))
    knob = skin(np.stack(rings))
    return _beside(case, knob, angle_deg, PLAY)


def pusher(case: CaseShape, angle_deg: float) -> Manifold:
    """A chronograph's pusher."""
    profile = np.array(
        [(0.0, 0.0), (0.9, 0.0), (0.9, 0.9), (1.45, 1.0), (1.55, 1.2), (1.55, 2.1), (1.35, 2.4), (0.0, 2.4)]
    )
    return _beside(case, revolve_profile(profile, 32, axis="x"), angle_deg, PLAY)


def spring_bar(case: CaseShape, side: int, diameter: float = 1.5) -> Manifold:
    """The bar between two lugs, `side` +1 at twelve o'clock."""
    long = case.lug_gap - 2 * PLAY
    y, z = case.bar
    bar = Manifold.cylinder(long, diameter / 2, circular_segments=20, center=True).rotate((0.0, 90.0, 0.0))
    return bar.translate((0.0, side * float(y), float(z)))


def _beside(case: CaseShape, part: Manifold, angle_deg: float, play: float) -> Manifold:
    """`part`, standing out along +x from x = 0, put on the case's edge at an angle from three o'clock."""
    e = SHAPES[case.shape]
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    edge = case.diameter / 2 / (abs(c) ** e + abs(s) ** e) ** (1 / e)
    return part.translate((edge + play, 0.0, 0.5 * 0.62 * case.height + 0.3)).rotate((0.0, 0.0, angle_deg))


def _cut_bezel(case: CaseShape, step: float, top: float) -> Manifold:
    """A bezel whose slope (fluted) or whose side (coin edge) is cut into flutes; cut cases of other shapes too."""
    wide, foot = case.bezel_width, 0.45
    rim = wide - SEAT_MM - RIM_MM
    per = 6 if case.bezel == "fluted" else 4
    count = 60 if case.bezel == "fluted" else 96
    points = count * per
    phase = np.arange(points) % per / per
    # a V groove for a fluted bezel, a round one for a coin's edge
    cut = 1 - np.abs(2 * phase - 1) if case.bezel == "fluted" else np.sin(np.pi * phase)
    deep = 0.42 if case.bezel == "fluted" else 0.22
    e = SHAPES[case.shape]

    def ring(inset: float, z: float, depth: float, drop: float = 0.0) -> Array:
        flat = superellipse(case.diameter - 2 * inset, case.diameter - 2 * inset, e, points)
        inward = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        return np.column_stack([flat - inward * (depth * cut)[:, None], z - drop * cut])

    if case.bezel == "fluted":
        rings = [
            ring(foot, step - 0.4, 0.0),
            ring(foot, step + 0.3, 0.3 * deep),
            ring(foot + 0.25, step + 0.55, deep, 0.1),
            ring(rim - 0.22, top - 0.1, 0.5 * deep, 0.4),
            ring(rim, top, 0.0, 0.0),
            ring(wide + 0.2, top, 0.0),
        ]
    else:
        rings = [
            ring(foot, step - 0.4, 0.0),
            ring(foot, step + 0.05, 0.0),
            ring(foot - 0.3, step + 0.2, deep),
            ring(foot - 0.3, step + 0.72 * (top - step), deep),
            ring(foot + 0.2, step + 0.86 * (top - step), 0.0),
            ring(0.8 * wide, top, 0.0),
            ring(wide + 0.2, top, 0.0),
        ]
    return skin(np.stack(rings))


def _lug(case: CaseShape, sx: int, sy: int) -> Manifold:
    """One lug: from inside the middle out to the spring bar and down beyond it, narrowing."""
    y_bar, z_bar = case.bar
    thick = max(2.2, 0.07 * case.diameter)
    x = case.lug_gap / 2 + thick / 2
    e = SHAPES[case.shape]
    edge = case.diameter / 2 * max(1 - (2 * x / case.diameter) ** e, 0.02) ** (1 / e)
    high = 0.60 * case.height
    start = max(edge - 2.2, 0.3 * case.diameter)
    line = np.array(
        [
            (x, start, 0.5 * high),
            (x, 0.5 * (start + y_bar), 0.5 * high - 0.05),
            (x, y_bar - 0.8, z_bar + 0.25 * (0.5 * high - z_bar) + 0.1),
            (x, y_bar + 1.0, z_bar - 0.35),
            (x, y_bar + 1.7, z_bar - 0.8),
        ]
    )
    tall = np.array([high - 0.7, high - 0.9, 0.75 * high, max(2.4, 0.5 * high), 1.3])
    fine = np.linspace(0, 1, 4 * len(line))
    at = np.linspace(0, 1, len(line))
    curve = np.column_stack([np.interp(fine, at, line[:, i]) for i in range(3)])
    # smooth the corners of the interpolation
    kernel = np.array([0.25, 0.5, 0.25])
    for i in (1, 2):
        curve[1:-1, i] = np.convolve(curve[:, i], kernel, mode="valid")
    heights = np.interp(fine, at, tall)
    section = rounded_rectangle(1.0, 1.0, 0.22, 4)
    scale = np.column_stack([np.full(len(fine), thick), heights])
    lug = sweep(section, curve, up=(0.0, 0.0, 1.0), scale=scale)
    if sx < 0:
        lug = lug.mirror((1.0, 0.0, 0.0))
    return lug.mirror((0.0, 1.0, 0.0)) if sy < 0 else lug
