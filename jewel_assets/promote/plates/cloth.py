"""Folds of cloth: waves that run like an opened fan past the piece, some splitting in two, each with a steeper side."""

import math
from dataclasses import dataclass

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.plates.style import FOLD_CELLS, calm
from jewel_assets.promote.scene import Array


@dataclass(frozen=True)
class Drape:
    """How a cloth falls. Lengths in shorter sides of the picture.

    `folds` waves per shorter side, `depth` high, run along `heading` (degrees) from a point `pivot` away, where they
    meet, and wander by `sway`. `lean` (0..1) makes one side of each steeper, `crest` (0..1) draws the ridges together.
    `quiet` is what is left of them in the middle, out to `inner`; from `outer` on they are whole.
    """

    folds: float
    depth: float
    heading: float
    pivot: float = 1.3
    sway: float = 0.10
    lean: float = 0.5
    crest: float = 0.4
    quiet: float = 0.12
    inner: float = 0.1
    outer: float = 0.6


def draped(field: Field, drape: Drape, word: str = "folds") -> Array:
    """The height of a draped cloth in pixels, (h, w), calm in the middle."""
    chance = field.stream(word)
    coarse = field.coarse(FOLD_CELLS)
    x, y = coarse.grid()
    angle = math.radians(drape.heading + chance.uniform(-25, 25) + 180 * chance.integers(2))
    along = x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle))
    across = y * np.float32(math.cos(angle)) - x * np.float32(math.sin(angle))
    spread = 1 + along * np.float32(1 / drape.pivot)  # a fan: parallel at infinity, meeting at -pivot
    np.maximum(spread, 0.12, out=spread)
    place = np.asarray(across / spread, np.float32)
    place += coarse.noise(word + " sway", 1.3) * np.float32(drape.sway)
    place += coarse.noise(word + " wander", 3.1) * np.float32(0.16 * drape.sway)
    bend = chance.uniform(0.4, 0.9) * chance.choice([-1.0, 1.0])
    place += np.float32(bend * 0.45) * along * along
    # Folds of unequal width: the place is stretched here and there, never backwards.
    phase = np.asarray(place * np.float32(2 * math.pi * drape.folds), np.float32)
    for turns in (0.31, 0.57):
        shift = chance.uniform(0, 6.28)
        phase += np.sin(phase * np.float32(turns) + np.float32(shift)) * np.float32(0.55 / turns * 0.6)
    height = _wave(phase, drape)
    height *= np.float32(0.45) + np.float32(0.55) * smoothstep(-0.9, 0.9, coarse.noise(word + " strength", 1.7))
    split = _wave(np.asarray(phase * 2 + chance.uniform(0, 6.28), np.float32), drape)
    split *= smoothstep(0.1, 1.3, coarse.noise(word + " split", 2.0)) * np.float32(0.5)
    height += split
    height *= np.sqrt(spread) * np.float32(drape.depth * field.short)
    keep = calm(coarse, drape.inner, drape.outer)
    height *= np.float32(drape.quiet) + np.float32(1 - drape.quiet) * keep
    return field.enlarged(height)


def _wave(phase: Array, drape: Drape) -> Array:
    """0..1: a sine whose phase runs ahead of itself (one side steeper), sharpened towards its crest."""
    sine = np.sin(phase + np.float32(drape.lean * 0.8) * np.sin(phase))
    wave = sine * np.float32(0.5) + np.float32(0.5)
    return np.asarray(wave * (1 - np.float32(drape.crest) * (1 - wave)), np.float32)
