"""What is seen through a watch's crystal: dial, indices, minute track, hands at ten past ten, small dials. Millimetres.

All of it lies on the dial's face, z = 0, twelve o'clock towards +y; angles run clockwise from twelve, as a watch does.
"""

from collections.abc import Sequence

import numpy as np
from manifold3d import CrossSection, Manifold, OpType

from jewel_assets.shape.parts.curves import Array, rounded_rectangle

INDEX_STYLES: tuple[str, ...] = ("batons", "daggers", "dots", "roman")
HAND_STYLES: tuple[str, ...] = ("batons", "dauphine", "leaf")

HAND_MM = 0.5
"""Thickness of a hand: what casts. Stamped ones are thinner."""

INDEX_MM, RIDGE_MM = 0.5, 0.22
"""Thickness of an applied index at its edge, for the same reason, and how far the ridge of a bevelled one rises over
that: the hour hand ends before the indices, the minute hand passes over them."""

HAND_LEVELS_MM = (0.65, 1.25, 1.85)
"""Undersides of hour, minute and second hand over the dial's face."""

TEN_PAST_TEN_DEG = (305.0, 60.0, 212.0)
"""Hour, minute and second hand as in product photos: the maker's name is free, and the dial seems to smile."""

PRINT_MM = 0.06
"""Height of what is printed on a dial."""

ROMAN = ("XII", "I", "II", "III", "IIII", "V", "VI", "VII", "VIII", "IX", "X", "XI")
"""As dials have them: four strokes for four."""


def indices(style: str, radius: float, skip: Sequence[int] = ()) -> list[tuple[int, Manifold]]:
    """(hour, solid) of each applied index, hour 0 to 11; those in `skip` are left out. `radius` is the dial's."""
    long, wide = 0.17 * radius, max(0.55, 0.045 * radius)
    middle = 0.80 * radius
    if style == "dots":
        plain = Manifold.cylinder(INDEX_MM, max(0.5, 0.05 * radius), circular_segments=28)
        main = _prism(rounded_rectangle(1.6 * wide, long, 0.2, 3), INDEX_MM)
    elif style == "daggers":
        plain, main = _dagger(0.75 * wide, long + 0.15), _dagger(1.3 * wide, long + 0.2)
    else:
        plain = _ridged(
            np.array([(-wide / 2, -long / 2), (wide / 2, -long / 2), (wide / 2, long / 2), (-wide / 2, long / 2)])
        )
        main = plain
    placed = []
    for hour in range(12):
        if hour in skip:
            continue
        solids = [plain if hour % 3 or hour == 0 else main]
        if hour == 0 and style == "batons":
            solids = [plain.translate((side * 0.85 * wide, 0.0, 0.0)) for side in (-1, 1)]
        elif hour == 0:
            solids = [main]
        for solid in solids:
            placed.append((hour, clockwise(solid.translate((0.0, middle, 0.0)), 30.0 * hour)))
    return placed


def roman_numerals(radius: float, skip: Sequence[int] = ()) -> Manifold:
    """Printed Roman numerals, their feet to the middle, as one body of many prints."""
    tall, thin, thick = 0.2 * radius, 0.011 * radius, 0.026 * radius
    prints = []
    for hour, numeral in enumerate(ROMAN):
        if hour in skip:
            continue
        strokes: list[Array] = []
        widths = {"I": 0.46, "V": 0.95, "X": 0.95}
        total = sum(widths[letter] for letter in numeral) * 0.5 * tall
        x = -total / 2
        for letter in numeral:
            wide = widths[letter] * 0.5 * tall
            left, right = x + 0.12 * wide, x + 0.88 * wide
            if letter == "I":
                strokes.append(_stroke((x + wide / 2, 0.0), (x + wide / 2, tall), thick))
            elif letter == "V":
                strokes.append(_stroke((left, tall), (x + wide / 2, 0.0), thick))
                strokes.append(_stroke((right, tall), (x + wide / 2, 0.0), thin))
            else:
                strokes.append(_stroke((left, tall), (right, 0.0), thick))
                strokes.append(_stroke((right, tall), (left, 0.0), thin))
            x += wide
        # serifs tie the letters of a numeral together, and the strokes meet in one outline
        for y in (0.0, tall):
            strokes.append(_stroke((-total / 2, y), (total / 2, y), thin))
        flat = CrossSection.batch_boolean([CrossSection([stroke]) for stroke in strokes], OpType.Add)
        prints.append(clockwise(flat.extrude(PRINT_MM).translate((0.0, 0.67 * radius, 0.0)), 30.0 * hour))
    return Manifold.compose(prints)


def minute_track(radius: float, bold_hours: bool = True) -> Manifold:
    """Sixty printed strokes at the dial's edge, each fifth one bolder, as one body of many prints."""
    outside, long = 0.965 * radius, 0.05 * radius
    prints = []
    for minute in range(60):
        bold = bold_hours and minute % 5 == 0
        wide = 0.28 if bold else 0.13
        stroke = _prism(rounded_rectangle(wide, long * (1.25 if bold else 1.0), 0.03, 2), PRINT_MM)
        prints.append(clockwise(stroke.translate((0.0, outside - long / 2, 0.0)), 6.0 * minute))
    return Manifold.compose(prints)


def hand(style: str, length: float, wide: float, tail: float, bore: float) -> Manifold:
    """A hand pointing to twelve, its underside at z = 0; `bore` is the diameter of the hole for its arbor."""
    hub = CrossSection.circle(bore / 2 + 0.55, 28)
    tip = 0.26
    if style == "dauphine":
        broad = 0.24 * length
        outline = np.array(
            [
                (0.0, -tail),
                (0.4 * wide, -tail * 0.7),
                (wide * 0.9, broad),
                (tip, length),
                (-tip, length),
                (-wide * 0.9, broad),
                (-0.4 * wide, -tail * 0.7),
            ]
        )
    elif style == "leaf":
        t = np.linspace(0, 1, 18)
        half = tip + (wide * 0.85 - tip) * np.sin(np.pi * t**0.8) ** 1.2
        right = np.column_stack([half, -0.2 * tail + (length + 0.2 * tail) * t])
        outline = np.vstack([right, right[::-1] * (-1, 1)])
    else:
        outline = np.array(
            [
                (0.42 * wide, -tail),
                (0.5 * wide, 0.9 * length),
                (tip, length),
                (-tip, length),
                (-0.5 * wide, 0.9 * length),
                (-0.42 * wide, -tail),
            ]
        )
    flat = CrossSection([outline]) + hub
    if style == "leaf":
        flat = flat + CrossSection([rounded_rectangle(0.6, tail + 1.0, 0.2, 3) + np.array([0.0, -tail / 2])])
    return (flat - CrossSection.circle(bore / 2, 24)).extrude(HAND_MM)


def second_hand(length: float, bore: float) -> Manifold:
    """A thin hand with a counterweight."""
    flat = CrossSection([np.array([(0.3, -0.3 * length), (0.25, length), (-0.25, length), (-0.3, -0.3 * length)])])
    weight = CrossSection([rounded_rectangle(0.9, 0.17 * length, 0.3, 3) + np.array([0.0, -0.26 * length])])
    hub = CrossSection.circle(bore / 2 + 0.6, 28)
    return (flat + weight + hub - CrossSection.circle(bore / 2, 24)).extrude(HAND_MM)


def hands(style: str, radius: float, seconds: bool) -> list[tuple[str, Manifold]]:
    """Hour, minute and, with `seconds`, second hand, standing at ten past ten, and the arbor they turn on."""
    wide = float(np.clip(0.085 * radius, 0.9, 1.9))
    names = [("hour hand", 0.56 * radius, wide * 1.12), ("minute hand", 0.86 * radius, wide)]
    made = []
    for (name, long, broad), level, angle in zip(names, HAND_LEVELS_MM, TEN_PAST_TEN_DEG, strict=False):
        made.append((name, clockwise(hand(style, long, broad, 0.16 * radius, 1.1), angle).translate((0.0, 0.0, level))))
    top = HAND_LEVELS_MM[1] + HAND_MM
    if seconds:
        made.append(
            (
                "second hand",
                clockwise(second_hand(0.88 * radius, 1.1), TEN_PAST_TEN_DEG[2]).translate(
                    (0.0, 0.0, HAND_LEVELS_MM[2])
                ),
            )
        )
        top = HAND_LEVELS_MM[2] + HAND_MM
    arbor = Manifold.cylinder(top + 0.1, 0.45, circular_segments=20)
    return [*made, ("arbor pin", arbor)]


def small_dial(radius: float) -> tuple[Manifold, Manifold, Manifold, Manifold]:
    """A small dial round the origin: the recess to cut, the rim to join, the printed track, the hand with its pin."""
    recess = Manifold.cylinder(1.0, radius, circular_segments=64).translate((0.0, 0.0, -0.2))
    ring = CrossSection.circle(radius + 0.4, 64) - CrossSection.circle(radius, 64)
    rim = ring.extrude(0.28).translate((0.0, 0.0, -0.1))
    strokes = []
    for k in range(12):
        stroke = _prism(rounded_rectangle(0.16, 0.17 * radius, 0.03, 2), PRINT_MM)
        strokes.append(clockwise(stroke.translate((0.0, 0.76 * radius, -0.2)), 30.0 * k))
    pointer = CrossSection(
        [np.array([(0.3, -0.3 * radius), (0.26, 0.75 * radius), (-0.26, 0.75 * radius), (-0.3, -0.3 * radius)])]
    )
    flat = pointer + CrossSection.circle(0.55, 24)
    needle = clockwise(flat.extrude(HAND_MM), 0.0)
    pin = Manifold.cylinder(0.45, 0.3, circular_segments=16).translate((0.0, 0.0, -0.2))
    return recess, rim, Manifold.compose(strokes), needle + pin


def clockwise(solid: Manifold, angle_deg: float) -> Manifold:
    """`solid` turned clockwise about the dial's middle."""
    return solid.rotate((0.0, 0.0, -angle_deg))


def _prism(outline: Array, high: float) -> Manifold:
    return CrossSection([outline]).extrude(high)


def _dagger(half: float, long: float) -> Manifold:
    """An index that narrows towards the dial's middle, its point as blunt as casts."""
    tip = min(0.9 * half, 0.26)
    return _ridged(np.array([(-half, long / 2), (-tip, -long / 2), (tip, -long / 2), (half, long / 2)]))


def _ridged(outline: Array) -> Manifold:
    """A prism with a bevelled ridge on top: applied indices catch the light with two facets."""
    base = CrossSection([outline if _counter_clockwise(outline) else outline[::-1]])
    upper = base.extrude(RIDGE_MM, scale_top=(0.25, 0.96)).translate((0.0, 0.0, INDEX_MM - 1e-3))
    return base.extrude(INDEX_MM) + upper


def _counter_clockwise(outline: Array) -> bool:
    x, y = outline.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) > 0


def _stroke(start: tuple[float, float], end: tuple[float, float], wide: float) -> Array:
    """(4, 2): a bar `wide` mm from `start` to `end`, a little beyond both."""
    a, b = np.array(start), np.array(end)
    along = (b - a) / np.linalg.norm(b - a)
    side = np.array([-along[1], along[0]]) * wide / 2
    a, b = a - along * wide / 3, b + along * wide / 3
    return np.array([a - side, b - side, b + side, a + side])
