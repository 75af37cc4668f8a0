"""What may be done with whose works: `policy.toml`, source x licence x purpose, default deny.

>>> rule_for("unsplash", "Unsplash").training
'ask'
>>> rule_for("met", "CC0-1.0").training
'allow'
"""

import re
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

Verdict = Literal["allow", "ask", "forbid"]
"""`allow`: unless its owner says no. `ask`: only if its owner, or the operator, says yes. `forbid`: never."""
Purpose = Literal["reference", "training", "publishing"]

_VERSION = re.compile(r"-\d+\.\d+(-[A-Z]+)?$")


@dataclass(frozen=True)
class Rule:
    """What is said of the works of one source under one licence ("*": any)."""

    source: str
    licence: str
    reference: Verdict
    training: Verdict
    publishing: Verdict
    clause: str  # where it comes from
    url: str = ""
    when: str = ""  # what must be done along with it

    def verdict(self, purpose: Purpose) -> Verdict:
        """What it says of one purpose."""
        found: Verdict = getattr(self, purpose)
        return found

    def allows(self, purpose: Purpose, said: bool | None = None) -> bool:
        """Whether a work may be used so, `said` being what its owner or the operator says."""
        verdict = self.verdict(purpose)
        if verdict == "forbid" or said is False:
            return False
        return verdict == "allow" or said is True


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order in which they are tried."""
    return _rules(files("jewel_assets.collect").joinpath("policy.toml").read_text())


def rule_for(source: str, licence: str | None) -> Rule:
    """The rule for works of a source under a licence (as `licences.recognise` names it; None: unknown)."""
    family = _VERSION.sub("", licence) if licence else None
    for rule in rules():
        if rule.source in ("*", source) and rule.licence in ("*", licence, family):
            return rule
    raise AssertionError("policy.toml ends with a rule for everything")


def _rules(text: str) -> tuple[Rule, ...]:
    known = {field.name for field in fields(Rule)}
    found = []
    for number, entry in enumerate(tomllib.loads(text)["rule"], start=1):
        strange = set(entry) - known
        if strange:
            raise ValueError(f"policy.toml, rule {number}: it has {sorted(strange)}, which no rule has.")
        rule = Rule(**entry)
        for purpose in get_args(Purpose):
            if rule.verdict(purpose) not in get_args(Verdict):
                raise ValueError(f"policy.toml, rule {number}: {purpose} is allow, ask or forbid.")
        if not rule.clause:
            raise ValueError(f"policy.toml, rule {number}: say in `clause` where it comes from.")
        found.append(rule)
    if (found[-1].source, found[-1].licence) != ("*", "*"):
        raise ValueError("policy.toml: the last rule must be for everything else, source and licence `*`.")
    return tuple(found)
