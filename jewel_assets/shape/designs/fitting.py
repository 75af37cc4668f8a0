"""Which combinations of measures are possible, and the nearest possible one to a combination that is not.

A family states its rules once, as bounds of one field that depend on the others. The same rules refuse an impossible
design with a sentence and bring a drawn, varied or blended one to the nearest that can be made.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from jewel_assets.shape.designs.fields import FieldFacts

ROUNDS = 12
"""Rules are applied until none moves a value: one may upset another, but a dozen rounds settle any family."""

STEP = 0.01
"""A bound is rounded to a hundredth of a unit, away from the impossible side, so that the suggestion can be typed."""


@dataclass(frozen=True)
class Move:
    """A value that a rule changed, why, and which other field could have given way instead."""

    field: FieldFacts
    was: Any
    now: Any
    because: str
    instead: tuple[FieldFacts, Any] | None = None


class Fit:
    """The values of a design while its rules are applied. `fit["width_mm"]` reads one."""

    def __init__(self, values: Mapping[str, Any], facts: Mapping[str, FieldFacts]) -> None:
        self.values = dict(values)
        self.moves: list[Move] = []
        self._facts = facts

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def at_least(self, name: str, bound: float, because: str, *, instead: tuple[str, float] | None = None) -> None:
        """Raise the number `name` to `bound` if it is smaller.

        `because` finishes the sentence "`name` is too small: ...". `instead` names another field and the value of it
        that would make the present `name` possible; it is offered too, and taken where `bound` is out of range.
        """
        facts = self._facts[name]
        if self.values[name] >= bound - 1e-9:
            return
        up = math.ceil(bound - 1e-9) if facts.whole else math.ceil(bound / STEP - 1e-6) * STEP
        self._move(facts, up, bound, f"is too small: {because}", instead)

    def at_most(self, name: str, bound: float, because: str, *, instead: tuple[str, float] | None = None) -> None:
        """Lower the number `name` to `bound` if it is larger; the rest as `at_least`."""
        facts = self._facts[name]
        if self.values[name] <= bound + 1e-9:
            return
        down = math.floor(bound + 1e-9) if facts.whole else math.floor(bound / STEP + 1e-6) * STEP
        self._move(facts, down, bound, f"is too large: {because}", instead)

    def equal(self, name: str, value: float, because: str) -> None:
        """Make the number `name` equal to `value`, which must be within its range."""
        facts = self._facts[name]
        if abs(self.values[name] - value) > 1e-9:
            self._note(Move(facts, self.values[name], round(value) if facts.whole else value, f"is refused: {because}"))

    def one_of(self, name: str, allowed: Collection[Any], because: str) -> None:
        """Take the first of `allowed` if the value of `name` is not among them."""
        if self.values[name] not in allowed:
            now = next(iter(allowed))
            self._note(Move(self._facts[name], self.values[name], now, f"does not go here: {because}"))

    def _move(
        self, facts: FieldFacts, value: float, bound: float, because: str, instead: tuple[str, float] | None
    ) -> None:
        assert facts.low is not None
        assert facts.high is not None
        other = (self._facts[instead[0]], self._facts[instead[0]].within(instead[1])) if instead else None
        if facts.low - 1e-9 <= value <= facts.high + 1e-9:
            now = round(value) if facts.whole else round(min(max(value, facts.low), facts.high), 4)
            self._note(Move(facts, self.values[facts.name], now, because, other))
        elif not facts.low <= bound <= facts.high and self.values[facts.name] != (end := facts.within(bound)):
            self._note(Move(facts, self.values[facts.name], end, because, other))  # as far as it goes, then the other
        elif other:
            self._note(
                Move(other[0], self.values[other[0].name], other[1], f"asks for more {facts.name} than {facts.range}")
            )
        elif facts.low <= bound <= facts.high:
            self._note(Move(facts, self.values[facts.name], facts.within(bound), because))
        else:
            raise AssertionError(f"a rule asks for {facts.name} of {bound}, but its range is {facts.range}")

    def _note(self, move: Move) -> None:
        self.values[move.field.name] = move.now
        self.moves.append(move)


def fit(values: Mapping[str, Any], facts: Mapping[str, FieldFacts], rules: Callable[[Fit], None]) -> Fit:
    """Apply `rules` to `values` until none moves anything. Each value must be within its own range already."""
    fitted = Fit(values, facts)
    for _ in range(ROUNDS):
        before = len(fitted.moves)
        rules(fitted)
        if len(fitted.moves) == before:
            return fitted
    moved = ", ".join(sorted({move.field.name for move in fitted.moves[-4:]}))
    raise AssertionError(f"the rules of this family never agree on {moved}; give one of them an `instead`")


def refusal(fitted: Fit) -> str:
    """The sentences that say why a combination is impossible and which is the nearest that is possible."""
    first: dict[str, Move] = {}
    for move in fitted.moves:
        first.setdefault(move.field.name, move)
    reasons = "; ".join(f"{move.field.name} {move.field.spelled(move.was)} {move.because}" for move in first.values())
    now = {name: move.field.spelled(fitted.values[name]) for name, move in first.items()}
    nearest = " with ".join(f"{name} {value}" for name, value in now.items() if fitted.values[name] != first[name].was)
    instead = [move.instead for move in first.values() if move.instead and move.instead[0].name not in first]
    others = [f"or {field.name} {field.spelled(value)}" for field, value in instead]
    return f"{reasons}. The nearest possible is {', '.join([nearest, *others])}"
