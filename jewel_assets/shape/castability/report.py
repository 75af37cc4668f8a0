"""What a check found: findings with a place and a remedy, and the figures a caster asks for."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Severity = Literal["error", "warning", "note"]
COMMON_ALLOYS = ("9k-yellow", "14k-yellow", "18k-yellow", "18k-white", "925-silver", "950-platinum", "950-palladium")
"""The alloys whose mass the text names; the JSON has all."""
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


class Finding(BaseModel):
    """One thing to know: an error must be mended before casting, a warning is a risk, a note is for information."""

    model_config = ConfigDict(frozen=True)

    rule: str
    severity: Severity
    message: str
    """What is wrong, where, and what to change."""
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    place: tuple[float, float, float] | None = None
    """mm, in the piece's own axes."""
    part: str = ""
    """The body, where it is known."""


class Casting(BaseModel):
    """One solid that is cast in one go."""

    model_config = ConfigDict(frozen=True)

    name: str
    size_mm: tuple[float, float, float]
    volume_mm3: float | None
    area_mm2: float
    faces: int
    shells: int
    copies: int = 1
    """How many of the piece's castings have this shape."""
    thinnest_mm: float | None = None
    """The least thickness of which more than a knife edge is there; none if no two of its faces oppose each other."""
    thinnest_at: tuple[float, float, float] | None = None
    thickest_mm: float | None = None
    thickest_at: tuple[float, float, float] | None = None
    """Where to attach the sprue: the heaviest section freezes last."""


class Report(BaseModel):
    """All findings, the worst first, with the measures of each casting."""

    model_config = ConfigDict(frozen=True)

    subject: str
    profile: str
    profile_version: str
    findings: tuple[Finding, ...]
    castings: tuple[Casting, ...]
    grams: dict[str, float] = {}
    """Mass in each alloy, as cast and before finishing; empty while the volume is unknown."""
    designed_grams: float | None = None
    """Mass of a piece's metal in the alloys that it is designed in."""
    carats: float = 0.0

    @property
    def castable(self) -> bool:
        """Whether nothing must be mended first."""
        return not any(finding.severity == "error" for finding in self.findings)

    def of(self, *rules: str) -> tuple[Finding, ...]:
        """The findings of these rules."""
        return tuple(finding for finding in self.findings if finding.rule in rules)

    def json_text(self) -> str:
        """The report as JSON, with `castable` in it."""
        import json

        return json.dumps({"castable": self.castable, **self.model_dump(mode="json")}, indent=2)

    def text(self) -> str:
        """The report for a person, some lines."""
        errors = sum(finding.severity == "error" for finding in self.findings)
        warnings = sum(finding.severity == "warning" for finding in self.findings)
        verdict = "castable" if self.castable else "NOT castable as it is"
        lines = [
            f"{self.subject}: {verdict} ({self.profile}, profile version {self.profile_version}); "
            f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
        ]
        for casting in self.castings:
            size = " x ".join(f"{side:.2f}" for side in casting.size_mm)
            volume = "volume unknown" if casting.volume_mm3 is None else f"{casting.volume_mm3:.1f} mm3"
            wall = "" if casting.thinnest_mm is None else f", thinnest {casting.thinnest_mm:.2f} mm"
            times = f"{casting.copies} x " if casting.copies > 1 else ""
            lines.append(f"  {times}{casting.name}: {size} mm, {volume}, {casting.faces} faces{wall}")
        if self.designed_grams is not None:
            stones = f", stones {self.carats:.2f} ct" if self.carats else ""
            lines.append(f"  as designed: {self.designed_grams:.2f} g{stones}")
        elif self.grams:
            named = {alloy: self.grams[alloy] for alloy in COMMON_ALLOYS if alloy in self.grams} or self.grams
            lines.append("  mass: " + ", ".join(f"{alloy} {grams:.2f} g" for alloy, grams in named.items()))
        for finding in self.findings:
            where = "" if finding.place is None else " at (" + ", ".join(f"{x:.2f}" for x in finding.place) + ")"
            lines.append(f"  {finding.severity}: {finding.message}{where}")
        return "\n".join(lines)


def place_of(point: Sequence[float] | NDArray[np.float64]) -> tuple[float, float, float]:
    """A point, to a tenth of a micrometre, so that reports can be compared."""
    x, y, z = (round(float(value), 4) + 0.0 for value in point)
    return x, y, z


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by rule and place, so that equal subjects give equal reports."""
    return tuple(
        sorted(findings, key=lambda found: (_ORDER[found.severity], found.rule, found.part, found.place or ()))
    )


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
