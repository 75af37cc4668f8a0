"""What every design is: the numbers of a piece that can be made, checked, varied, and built into solid bodies.

A family is a frozen pydantic model that is registered here:

    @register
    class PlainBand(Design):
        '''A wedding band ...'''

        category: ClassVar[str] = "ring"
        family: Literal["plain band"] = "plain band"
        width_mm: float = mm(4.0, 1.5, 12.0, "width of the band along the finger")

        @classmethod
        def rules(cls, fit: Fit) -> None:              # combinations; each field's own range is checked already
            fit.at_least("thickness_mm", 0.2 * fit["width_mm"], "a wide band bends if it is thin",
                         instead=("width_mm", fit["thickness_mm"] / 0.2))

        @classmethod
        def draw(cls, rng: Generator) -> Self:         # a good-looking one; `nearest` clips and applies the rules
            return cls.nearest(width_mm=rng.normal(4.5, 1.2))

        def build(self, detail: float = 1.0) -> Piece:
            return self.piece([self.metal_body("band", band)])
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, TypeVar

from manifold3d import Manifold
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from jewel_assets.categories import CATEGORIES
from jewel_assets.shape.alloys import ALLOYS
from jewel_assets.shape.designs.fields import FieldFacts, choice, count, degrees, facts_of, mm, seed, share, text
from jewel_assets.shape.designs.fitting import Fit, fit, refusal
from jewel_assets.shape.piece import Body, Piece

__all__ = ["FAMILIES", "Design", "Fit", "choice", "count", "degrees", "mm", "register", "seed", "share", "text"]

SEGMENTS = 96
"""Facets of a full circle the size of a finger at `detail` 1: a chord error of 5 micrometres on a 17 mm bore."""


class Design(BaseModel, ABC):
    """The numbers of one piece. Frozen; unknown fields are refused; lengths in mm, angles in degrees.

    Raises ValueError (pydantic's) with a sentence that names the field, its range and its unit, and, for a combination
    that cannot be made, the nearest that can. `variants.load` turns that into one `errors.Permanent` sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=False)

    category: ClassVar[str]
    ordered: ClassVar[frozenset[str]] = frozenset({"family", "metal", "inner_diameter_mm"})
    """Fields that whoever orders the piece decides: `vary` leaves them as they are."""

    family: str
    metal: str = choice("18k-yellow", tuple(ALLOYS), "alloy that the piece is cast in")

    @classmethod
    def facts(cls) -> dict[str, FieldFacts]:
        """Range, unit, options and description of each field."""
        kept = cls.__dict__.get("_known_facts")
        if kept is None:
            kept = facts_of(cls)
            type.__setattr__(cls, "_known_facts", kept)
        return dict(kept)

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Move what cannot be made together to what can. Most families have some; a family without has none."""

    @classmethod
    def nearest(cls, **values: Any) -> Self:
        """The possible design nearest to `values`: clipped to the ranges, then brought into line by the rules."""
        facts = cls.facts()
        complete = {name: info.get_default() for name, info in cls.model_fields.items()} | values
        for name, value in complete.items():
            if facts[name].is_number:
                complete[name] = facts[name].within(value)
        return cls(**fit(complete, facts, cls.rules).values)

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """A design at random. Families override this with what looks good; here every field is drawn over its range."""
        return cls.nearest(**{name: drawn for name in cls.facts() if (drawn := cls.draw_field(name, rng)) is not None})

    @classmethod
    def draw_field(cls, name: str, rng: Generator) -> Any:
        """One value of the field `name`, uniform over its range or options; None for free text."""
        facts = cls.facts()[name]
        if facts.is_seed:
            return int(rng.integers(0, 2**31 - 1))
        if facts.is_number:
            assert facts.low is not None
            assert facts.high is not None
            return facts.within(rng.uniform(facts.low - 0.5 * facts.whole, facts.high + 0.5 * facts.whole))
        if facts.options:
            return str(rng.choice(facts.options))
        return bool(rng.integers(2)) if cls.model_fields[name].annotation is bool else None

    @abstractmethod
    def build(self, detail: float = 1.0) -> Piece:
        """The solid bodies. `detail` multiplies the facets of every curve: 0.5 for a thumbnail, 1 to cast, 4 to weigh.

        Takes 0.05 to 2 s at 1. Deterministic: the same design and detail give the same triangles.
        """

    def piece(self, bodies: Iterable[Body], moving: Iterable[Iterable[str]] = ()) -> Piece:
        """The built piece, with this design written on it."""
        groups = tuple(tuple(group) for group in moving)
        return Piece(self.category, self.family, tuple(bodies), self.model_dump(), groups)

    def metal_body(self, name: str, solid: Manifold) -> Body:
        """A body of this design's alloy."""
        return Body(name, solid, "metal", self.metal)

    @field_validator("*", mode="after")
    @classmethod
    def _is_an_option(cls, value: Any, info: ValidationInfo) -> Any:
        facts = cls.facts()[str(info.field_name)]
        if facts.options and value not in facts.options:
            raise ValueError(f"'{value}' is not known: give {facts.range}")
        return value

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        fitted = fit(self.model_dump(), self.facts(), self.rules)
        if fitted.moves:
            raise ValueError(refusal(fitted))
        return self


FAMILIES: dict[str, type[Design]] = {}
"""All families by name. Importing `jewel_assets.shape.designs` fills it."""

D = TypeVar("D", bound=Design)


def register(family: type[D]) -> type[D]:
    """Enter a family into `FAMILIES`. Raises ValueError if it names no category, or its name is taken."""
    name = family.model_fields["family"].default
    if family.category not in CATEGORIES:
        raise ValueError(f"'{name}' is of no known category: {family.category}")
    if name in FAMILIES and FAMILIES[name].__qualname__ != family.__qualname__:
        raise ValueError(f"there are two families called '{name}'")
    FAMILIES[name] = family
    return family


def families(category: str) -> Mapping[str, type[Design]]:
    """The families of one category, in the order they were registered."""
    return {name: family for name, family in FAMILIES.items() if family.category == category}


def segments(detail: float, radius: float = 8.5, least: int = 8) -> int:
    """Facets of a full circle of `radius` mm at `detail`, a multiple of 4.

    The chord error stays that of `SEGMENTS` facets at 8.5 mm: facets grow with the root of the radius.
    """
    return max(least, 4 * round(detail * SEGMENTS * math.sqrt(radius / 8.5) / 4))
