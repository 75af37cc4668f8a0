"""Families of variants: draw designs, vary one, blend two, read one from JSON."""

import difflib
import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from jewel_assets.categories import CATEGORIES
from jewel_assets.errors import Permanent
from jewel_assets.shape.designs.base import FAMILIES, Design, families

D = TypeVar("D", bound=Design)

LARGEST_FILE = 1_000_000
"""Bytes. A design is a page of numbers; anything larger is something else."""


def sample(category: str, seed: int) -> Design:
    """Draw one valid, good-looking design of `category`, of any of its families. Raises Permanent if it has none."""
    return samples(category, seed, 1)[0]


def samples(category: str, seed: int, count: int) -> list[Design]:
    """Draw `count` varied designs of `category`: its families take turns, in an order that the seed decides.

    The first n designs of a seed are the same for every count of at least n. Raises Permanent if there is no family of
    that category.
    """
    known = families(category)
    if not known:
        raise Permanent(f"There are no designs for '{category}': give one of {', '.join(CATEGORIES)}.")
    return list(islice(_turns(list(known.values()), np.random.default_rng([seed, CATEGORIES.index(category)])), count))


def _turns(kinds: list[type[Design]], rng: np.random.Generator) -> Any:
    while True:
        for place in rng.permutation(len(kinds)):
            yield kinds[place].draw(rng)


def vary(design: D, seed: int, amount: float = 0.3) -> D:
    """A valid design of the same family near `design`. `amount` 0 gives the same, 1 nearly any of the family.

    Numbers move by a normal step of `amount` / 2 of their range, choices change with a chance of `amount` / 2. What the
    wearer decides (`Design.ordered`: metal, finger size) stays. Raises ValueError if `amount` is outside of 0 to 1.
    """
    if not 0 <= amount <= 1:
        raise ValueError(f"amount is {amount}; give 0 (the same) to 1 (nearly any of the family)")
    rng = np.random.default_rng(seed)
    values = design.model_dump()
    for name, facts in design.facts().items():
        step, chance, drawn = rng.standard_normal(), rng.random(), design.draw_field(name, rng)
        if name in design.ordered or amount == 0:
            continue
        if facts.is_number:
            assert facts.low is not None
            assert facts.high is not None
            values[name] = facts.within(values[name] + step * amount / 2 * (facts.high - facts.low))
        elif drawn is not None and chance < amount / 2:
            values[name] = drawn
    return type(design).nearest(**values)


def blend(a: Design, b: Design, t: float = 0.5) -> Design:
    """A valid design between `a` (t = 0) and `b` (t = 1): numbers are interpolated, choices come from the nearer one.

    Two families share what they have in common by name; the rest comes from the nearer one, whose family it is. Raises
    ValueError if `t` is outside of 0 to 1 or the categories differ.
    """
    if not 0 <= t <= 1:
        raise ValueError(f"t is {t}; give 0 (the first design) to 1 (the second)")
    if a.category != b.category:
        raise ValueError(f"a {a.category} and a {b.category} cannot be blended: give two designs of one category")
    near, far, weight = (a, b, t) if t < 0.5 else (b, a, 1 - t)
    values, others = near.model_dump(), far.model_dump()
    theirs = far.facts()
    for name, facts in near.facts().items():
        if facts.is_number and name in theirs and theirs[name].is_number:
            values[name] = facts.within(values[name] + weight * (others[name] - values[name]))
    return type(near).nearest(**values)


def load(source: Mapping[str, Any] | str | bytes | Path) -> Design:
    """The design that a mapping, a JSON text or a JSON file (a Path) holds. Its "family" says which model it is.

    Raises Permanent with one sentence that names the field, its range and its unit, the unknown family or field and the
    known one most like it, or the nearest combination that can be made.
    """
    values = source if isinstance(source, Mapping) else _parsed(source)
    family = values.get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        near = difflib.get_close_matches(str(family), FAMILIES, n=1)
        asked = f"There is no family '{family}'" if family is not None else "The design does not name its family"
        hint = f"Did you mean '{near[0]}'?" if near else f"Give one of {', '.join(sorted(FAMILIES))}."
        raise Permanent(f"{asked}. {hint}")
    kind = FAMILIES[family]
    try:
        return kind(**values)
    except ValidationError as error:
        raise Permanent(explained(error, kind)) from error


def _parsed(source: str | bytes | Path) -> Mapping[str, Any]:
    where = str(source) if isinstance(source, Path) else "The design"
    try:
        if isinstance(source, Path):
            if source.stat().st_size > LARGEST_FILE:
                raise Permanent(f"{where} is larger than {LARGEST_FILE:,} bytes: that is no design.")
            source = source.read_bytes()
        values = json.loads(source)
    except OSError as error:
        raise Permanent(f"{where} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise Permanent(f"{where} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise Permanent(f"{where} holds a {type(values).__name__}, not one design with its fields.")
    return values


def explained(error: ValidationError, kind: type[Design]) -> str:
    """The sentences that say what is wrong with a design of family `kind`, one per fault."""
    name = kind.model_fields["family"].default
    return " ".join(f"{name}: {_sentence(fault, kind)}." for fault in error.errors(include_url=False))


def _sentence(fault: Any, kind: type[Design]) -> str:
    field = str(fault["loc"][0]) if fault["loc"] else ""
    facts = kind.facts().get(field)
    if fault["type"] == "extra_forbidden" or (field and facts is None):
        near = difflib.get_close_matches(field, kind.facts(), n=1)
        known = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(kind.facts())}"
        return f"there is no field '{field}': {known}".rstrip("?")
    said = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else ""
    if facts is None:
        return said or str(fault["msg"])
    if said:
        return f"{field} {said}"
    given = repr(fault["input"]) if not isinstance(fault["input"], (int, float)) else facts.spelled(fault["input"])
    return f"{field} is {given[:60]}; give {facts.range} ({facts.description})"
