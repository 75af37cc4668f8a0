"""Ornament that follows a line: milgrain and twisted wire. Each is one sweep, without booleans."""

import numpy as np
from manifold3d import Manifold
from numpy.typing import ArrayLike

from jewel_assets.shape.parts.curves import Array, length, resample
from jewel_assets.shape.parts.sweep import sweep, tube

LEAST_BEAD_MM = 0.4
"""Smaller milgrain beads fill with investment or vanish when polished."""

LEAST_STRAND_MM = 0.5

CLOSENESS = 0.84
"""1 is strands that only touch; less lets them run into each other, as wires do that are cast in one."""


def milgrain(
    curve: ArrayLike, bead_mm: float = 0.6, closed: bool = False, neck: float = 0.62, sides: int = 8
) -> Manifold:
    """A row of beads along a curve (m, 3), as a milgrain wheel rolls them: touching, joined by necks.

    `bead_mm` at least 0.4 is the diameter, fitted so that whole beads fill the curve; `neck` is the thinnest place's
    share of it. Sink the curve into the metal by a third of a bead.
    """
    if bead_mm < LEAST_BEAD_MM:
        raise ValueError(f"milgrain beads of {bead_mm:g} mm do not cast: make them at least {LEAST_BEAD_MM:g} mm")
    total = length(curve, closed)
    beads = max(4 if closed else 1, round(total / bead_mm))
    each = 6  # points along one bead
    line = resample(curve, beads * each + (0 if closed else 1), closed)
    place = (np.arange(len(line)) % each) / each * 2 - 1
    radius = bead_mm / 2 * np.maximum(np.sqrt(np.maximum(1 - place**2, 0.0)), neck)
    return tube(line, radius, closed=closed, sides=sides)


def twisted_wire(
    curve: ArrayLike,
    wire_mm: float = 1.6,
    strands: int = 2,
    pitch_mm: float = 3.0,
    closed: bool = False,
    up: ArrayLike | None = None,
    points_per_pitch: int = 18,
) -> Manifold:
    """Wires twisted round each other along a curve (m, 3), soldered where they touch.

    `wire_mm` is the diameter of the whole rope, `strands` 2 to 6 wires, `pitch_mm` the length of one whole turn. A
    closed rope is fitted to turn a whole number of times by its symmetry.
    """
    if not 2 <= strands <= 6:
        raise ValueError(f"{strands} strands cannot be twisted so: give 2 to 6")
    section = rope_section(wire_mm, strands)
    total = length(curve, closed)
    turns = total / pitch_mm
    if closed:
        turns = max(1, round(turns * strands)) / strands
    points = max(8, round(abs(turns) * points_per_pitch))
    return sweep(section, resample(curve, points, closed), closed=closed, up=up, twist=360.0 * turns)


def rope_section(wire_mm: float, strands: int, per_strand: int = 8) -> Array:
    """(strands x per_strand, 2): the outline of round strands laid about a middle, `wire_mm` across its widest.

    Raises ValueError if one strand were thinner than 0.5 mm.
    """
    sine = np.sin(np.pi / strands)
    middle = CLOSENESS * wire_mm / 2 / (1 + sine)  # of a strand, from the rope's
    strand = wire_mm / 2 - middle
    if 2 * strand < LEAST_STRAND_MM:
        raise ValueError(
            f"{strands} strands in a rope of {wire_mm:g} mm are {2 * strand:.2f} mm thin: "
            f"a strand needs {LEAST_STRAND_MM:g} mm"
        )
    # a little short of where two strands meet, so that the groove has a floor: solder, or the wax's fillet
    reach = np.pi / strands + min(np.arcsin(min(middle * sine / strand, 1.0)), np.pi / 2 - 0.2) - 0.06
    swing = np.linspace(-reach, reach, per_strand)
    parts = []
    for k in range(strands):
        angle = 2 * np.pi * k / strands
        parts.append(
            np.column_stack(
                [
                    middle * np.cos(angle) + strand * np.cos(angle + swing),
                    middle * np.sin(angle) + strand * np.sin(angle + swing),
                ]
            )
        )
    return np.vstack(parts)
