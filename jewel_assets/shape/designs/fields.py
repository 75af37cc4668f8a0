"""The fields of a design: numbers with a range and a unit, choices by name, seeds; and what is known of each.

A family declares its fields with these functions, so that everything that works on any design (checking, varying,
blending, the JSON schema, the error sentences) knows the range and the unit of each without being told twice:

    class PlainBand(Design):
        width_mm: float = mm(4.0, 1.5, 12.0, "width of the band along the finger")
        profile: str = choice("court", PROFILES, "section of the band")
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from annotated_types import Ge, Le
from pydantic import BaseModel, Field

SEED_LIMIT = 2**31 - 1


def mm(default: float, low: float, high: float, description: str) -> Any:
    """A length in millimetres, `low` to `high`, both included."""
    return _number(default, low, high, "mm", description)


def degrees(default: float, low: float, high: float, description: str) -> Any:
    """An angle in degrees, `low` to `high`, both included."""
    return _number(default, low, high, "degrees", description)


def share(default: float, low: float, high: float, description: str) -> Any:
    """A ratio without unit, `low` to `high`, both included."""
    return _number(default, low, high, "", description)


def count(default: int, low: int, high: int, description: str) -> Any:
    """A whole number of things, `low` to `high`, both included. The field's type must be `int`."""
    return _number(default, low, high, "", description)


def choice(default: str, options: Collection[str], description: str) -> Any:
    """One name out of `options`: a cut, a species, an alloy, a profile. The field's type must be `str`."""
    return Field(default, description=description, json_schema_extra={"enum": list(options)})


def seed(default: int, description: str) -> Any:
    """A seed of whatever the design leaves to chance. The field's type must be `int`."""
    extra: dict[str, Any] = {"unit": "", "seed": True}
    return Field(default, ge=0, le=SEED_LIMIT, description=description, json_schema_extra=extra)


def text(default: str, longest: int, pattern: str, description: str) -> Any:
    """Free text of up to `longest` signs that matches the regular expression `pattern` as a whole."""
    return Field(default, max_length=longest, pattern=f"^(?:{pattern})$", description=description)


def _number(default: float, low: float, high: float, unit: str, description: str) -> Any:
    if not low <= default <= high:
        raise ValueError(f"the default {default} of '{description}' is outside of {low} to {high}")
    return Field(default, ge=low, le=high, description=description, json_schema_extra={"unit": unit})


@dataclass(frozen=True)
class FieldFacts:
    """What is known of one field of a design."""

    name: str
    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    whole: bool = False
    is_seed: bool = False
    options: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether it has a range, so that it can be interpolated."""
        return self.low is not None and self.high is not None and not self.is_seed

    def within(self, value: float) -> float:
        """`value` clipped to the range, whole where the field is, else to a thousandth (a micrometre of a length)."""
        assert self.low is not None
        assert self.high is not None
        value = min(max(float(value), self.low), self.high)
        return round(value) if self.whole else min(max(round(value, 3), self.low), self.high)

    def spelled(self, value: object) -> str:
        """`value` with the field's unit, for a sentence: "2.4 mm"."""
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        return f"{text} {self.unit}".strip()

    @property
    def range(self) -> str:
        """The range or the options, for a sentence: "1.5 to 12 mm"."""
        if self.options:
            return "one of " + ", ".join(self.options)
        if self.low is None or self.high is None:
            return "text"
        return f"{self.low:.6g} to {self.spelled(self.high)}"


def facts_of(model: type[BaseModel]) -> dict[str, FieldFacts]:
    """What is known of each field of `model`, in the order they are declared."""
    return {name: _facts(name, info) for name, info in model.model_fields.items()}


def _facts(name: str, info: Any) -> FieldFacts:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    low = next((float(limit.ge) for limit in info.metadata if isinstance(limit, Ge)), None)  # type: ignore[arg-type]
    high = next((float(limit.le) for limit in info.metadata if isinstance(limit, Le)), None)  # type: ignore[arg-type]
    return FieldFacts(
        name,
        info.description or "",
        unit=str(extra.get("unit", "")),
        low=low,
        high=high,
        whole=info.annotation is int,
        is_seed=bool(extra.get("seed")),
        options=tuple(extra.get("enum", ())),
    )
