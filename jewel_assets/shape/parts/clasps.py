"""Clasps that close a chain, laid like links: the loop that opens at -x, the eye that the chain hangs in at +x.

Measures follow the findings catalogues (Cooksongold, Stuller: trigger clasps 9 to 15 mm, bolt rings 5 to 8 mm long).
The spring inside is bought in and not shown; the lever and the bolt are bodies of their own, which move.
"""

import numpy as np
from manifold3d import Manifold

from jewel_assets.shape.parts.curves import Array, ellipse
from jewel_assets.shape.parts.links import Link, link_sides, play, stadium
from jewel_assets.shape.parts.sweep import ball, sweep, tube

CLASPS: tuple[str, ...] = ("lobster", "spring ring")

PLAY = 0.13
"""mm between a clasp's body and its lever or bolt."""


def lobster(size: float, wire: float, detail: float = 1.0) -> Link:
    """A trigger clasp `size` mm long in its body, with an eye of `wire` mm wire for a jump ring of the same.

    The claw is thick at its root and thin at its tip, as the moulds are; a thumb piece stands out of the lever. Raises
    ValueError if the claw has no room for a ring of `wire`.
    """
    sides, bend = link_sides(max(wire, 0.11 * size), detail)
    steps = max(28, 5 * bend)
    # a pear: round where it hooks (-x), narrow where lever and claw meet the root (+x)
    turn = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    long, wide = 0.86 * size, 0.5 * size
    x = -long / 2 * np.cos(turn)
    y = wide / 2 * np.sin(turn) * (1 - 0.38 * (1 - np.cos(turn)) / 2) / 0.84
    line = np.column_stack([x, y, np.zeros(steps)])
    # radius along the loop: turn 0 is the middle of the hook, pi the root
    thick = 0.075 * size + 0.055 * size * ((1 - np.cos(turn)) / 2) ** 1.5
    thick = np.maximum(thick, 0.5 * wire)
    if wide - 4 * thick[0] < wire + 2 * play(wire):
        raise ValueError(f"a {size:.1f} mm clasp does not close round a {wire:.2f} mm ring: make it longer")
    # the lever closes the upper side, from the tip of the claw to near the root
    first, last = round(0.13 * steps), round(0.40 * steps)
    lever_line, lever_radius = line[first : last + 1], 0.86 * thick[first : last + 1]
    claw = np.concatenate([np.arange(last, steps), np.arange(0, first + 1)])
    claw_line, claw_radius = line[claw], thick[claw]
    # both ends of the lever stand back by the play, and by what its round ends reach further
    lever_line, lever_radius = _shortened(lever_line, lever_radius, PLAY + lever_radius.max() * 0.15)
    body = sweep(ellipse(2.0, 2.3, sides), claw_line, up=(0, 0, 1), scale=claw_radius)
    lever = sweep(ellipse(2.0, 2.3, sides), lever_line, up=(0, 0, 1), scale=lever_radius)
    thumb = ball(
        2.2 * float(lever_radius.mean()),
        lever_line[len(lever_line) // 2] + np.array([0, 0.55 * lever_radius.mean(), 0]),
        sides,
    )
    lever = (lever + thumb).simplify(1e-4)
    root = (
        Manifold.sphere(1.0, 2 * sides).scale((0.17 * size, 0.155 * size, 0.16 * size)).translate((long / 2, 0.0, 0.0))
    )
    clear = (
        Manifold.sphere(1.0, 2 * sides)
        .scale((0.17 * size + PLAY, 0.155 * size + PLAY, 0.16 * size + PLAY))
        .translate((long / 2, 0, 0))
    )
    opening = 1.7 * wire + 2 * play(wire)
    eye_line = stadium(opening + wire, opening + wire, bend) + np.array(
        [long / 2 + 0.155 * size + opening / 2 + 0.2 * wire, 0.0, 0.0]
    )
    eye = tube(eye_line, wire / 2, closed=True, sides=sides)
    body = (body + root + eye).simplify(1e-4)
    lever = _largest(lever - clear)
    ahead = float(eye_line[:, 0].max() - wire / 2)
    behind = float(long / 2 - thick[0])
    return _clasp((("clasp", body), ("clasp lever", lever)), (line, eye_line), ahead, behind, 2 * float(thick[0]))


def spring_ring(size: float, wire: float, detail: float = 1.0) -> Link:
    """A bolt ring `size` mm across, of tube as thick as a sixth of it, with an eye of `wire` mm wire.

    Raises ValueError if the ring has no room for a ring of `wire`.
    """
    thick = max(size / 6.5, 1.1 * wire)
    if size - 2 * thick < 2.4 * wire + 2 * play(wire):
        raise ValueError(f"a {size:.1f} mm bolt ring does not close round a {wire:.2f} mm ring: make it larger")
    sides, bend = link_sides(thick, detail)
    steps = max(24, 4 * bend)
    radius = (size - thick) / 2
    turn = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    line = radius * np.column_stack([-np.cos(turn), np.sin(turn), np.zeros(steps)])
    # the gap that the bolt closes is beside the hooked ring, the thumb piece stands out of a slot further on
    gap_from, gap_to = np.radians(38.0), np.radians(95.0)
    angle = np.linspace(gap_to, 2 * np.pi + gap_from, steps)
    ring = tube(
        radius * np.column_stack([-np.cos(angle), np.sin(angle), np.zeros(steps)]), thick / 2, sides=sides, caps="flat"
    )
    slack = PLAY / radius
    angle = np.linspace(gap_from + slack, gap_to - slack, max(5, steps // 6))
    bolt_line = radius * np.column_stack([-np.cos(angle), np.sin(angle), np.zeros(len(angle))])
    bolt = tube(bolt_line, 0.36 * thick, sides=sides, caps="flat")
    nub_at = bolt_line[-2] * (1 + 0.55 * thick / radius)
    bolt = (bolt + ball(0.75 * thick, nub_at, sides)).simplify(1e-4)
    opening = 1.7 * wire + 2 * play(wire)
    eye_line = stadium(opening + wire, opening + wire, bend) + np.array(
        [size / 2 + opening / 2 + 0.05 * wire, 0.0, 0.0]
    )
    eye = tube(eye_line, wire / 2, closed=True, sides=sides)
    clear = tube(line, thick / 2 - 0.05 * thick, closed=True, sides=sides)
    body = (ring + (eye - clear)).simplify(1e-4)
    return _clasp(
        (("clasp", body), ("clasp bolt", bolt)),
        (line, eye_line),
        float(eye_line[:, 0].max() - wire / 2),
        radius - thick / 2,
        thick,
    )


def clasp_of(kind: str, chain_width: float, wire: float, detail: float = 1.0) -> Link:
    """A clasp that suits a chain `chain_width` mm wide of `wire` mm: one of `CLASPS`, in the sizes that are sold."""
    if kind == "spring ring":
        return spring_ring(float(np.clip(1.5 * chain_width + 2.5, 5.0, 9.0)), wire, detail)
    if kind == "lobster":
        return lobster(float(np.clip(1.9 * chain_width + 4.5, 8.0, 19.0)), wire, detail)
    raise ValueError(f"there is no clasp '{kind}': give one of {', '.join(CLASPS)}")


def _clasp(
    parts: tuple[tuple[str, Manifold], ...], lines: tuple[Array, ...], ahead: float, behind: float, gauge: float
) -> Link:
    solid = Manifold.compose([part for _, part in parts])
    return Link(solid, lines, ahead, behind, gauge, parts)


def _shortened(line: Array, radius: Array, by: float) -> tuple[Array, Array]:
    """An open line (n, 3) and its radii (n,), `by` mm shorter at each end."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(by, along[-1] - by, len(line))
    return np.column_stack([np.interp(at, along, line[:, i]) for i in range(3)]), np.interp(at, along, radius)


def _largest(solid: Manifold) -> Manifold:
    """Of what a cut leaves, the largest piece."""
    return max(solid.decompose(), key=lambda part: float(part.volume()))
