"""Does it fit? The size on the printer's bed and in the flask; engraving that the design names."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from jewel_assets.shape.castability.castings import Cast
from jewel_assets.shape.castability.profiles import Profile
from jewel_assets.shape.castability.report import Finding, place_of


def size(cast: Cast, profile: Profile) -> Iterator[Finding]:
    """Castings that fit the bed or the flask in none of the six ways of laying them square."""
    low, high = cast.surface.bounds
    sides = np.sort(high - low)
    for rule, box, severity, remedy in (
        ("larger than bed", profile.bed, "error", "split it into parts that are joined after casting"),
        ("larger than flask", profile.flask, "warning", "ask for a larger flask, or split it"),
    ):
        room = np.sort(np.array(box.value))
        over = sides - room
        if (over > 0).any():
            worst = int(np.argmax(over))
            yield Finding(
                rule=rule,
                severity=severity,
                message=f"'{cast.name}' is {sides[worst]:.1f} mm long where {room[worst]:.1f} mm have room: {remedy}",
                measured=round(float(sides[worst]), 3),
                limit=float(room[worst]),
                unit="mm",
                place=place_of((low + high) / 2),
                part=cast.name,
            )
            return


def engraving(design: dict[str, Any], profile: Profile) -> Iterator[Finding]:
    """Engraved lines that casting and polishing would close, by the design's own measures.

    Reads every field whose name speaks of engraving and of depth or width ("engraving_depth_mm"); zero means none.
    """
    for name, value in design.items():
        if "engrav" not in name or not isinstance(value, int | float) or not value:
            continue
        for measure, limit in (("depth", profile.engraving_depth), ("width", profile.engraving_width)):
            if measure in name and value < limit.value * 0.99:
                yield Finding(
                    rule=f"engraving {measure}",
                    severity="warning",
                    message=f"The engraving is {value:.2f} mm in {measure} ({name}): make it {limit.value:g} mm, or "
                    "let it be cut by hand after casting",
                    measured=float(value),
                    limit=limit.value,
                    unit="mm",
                )
