"""What each way of making asks for: the figures of `profiles.toml`, with their sources."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from jewel_assets.errors import Permanent
from jewel_assets.shape.alloys import alloy_named

Role = Literal["prong", "bead", "detail", "shank", "wall"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Frozen):
    """Where a figure was read, and when it was written (or read, where the page has no date)."""

    title: str
    url: str
    date: str


class Limit(_Frozen):
    """One figure: mm, or a share where the name says so."""

    value: float
    source: str
    note: str = ""


class Box(_Frozen):
    """The sides of a space, mm."""

    value: tuple[float, float, float]
    source: str
    note: str = ""


class Profile(_Frozen):
    """The limits of one way of making. What each means stands at the top of `profiles.toml`."""

    name: str
    version: str
    title: str
    metal: tuple[str, ...]
    wall: Limit
    detail: Limit
    prong: Limit
    prong_rise: Limit
    seat: Limit
    shank: Limit
    shank_worn: Limit
    shank_width: Limit
    engraving_width: Limit
    engraving_depth: Limit
    culet: Limit
    gap: Limit
    solid: Limit
    bed: Box
    flask: Box
    sources: dict[str, Source]
    roles: dict[str, tuple[str, ...]]

    def source_of(self, limit: Limit | Box) -> str:
        """A line that says where the figure is from."""
        source = self.sources[limit.source]
        note = f" ({limit.note})" if limit.note else ""
        return f"{source.title}, {source.date}{note}"

    def role_of(self, body_name: str) -> Role:
        """What a body of this name is: "prong 3" a prong, "shank" a shank, what no word fits a wall."""
        words = body_name.lower()
        for role, parts in self.roles.items():
            if any(part in words for part in parts):
                return role  # type: ignore[return-value]
        return "wall"

    def casts(self, alloy: str) -> bool:
        """Whether `alloy` (a key of `alloys.ALLOYS`) is cast this way."""
        return alloy_named(alloy).metal in self.metal and alloy_named(alloy).cast


@cache
def profiles() -> dict[str, Profile]:
    """All profiles, by name."""
    table = tomllib.loads(Path(__file__).with_name("profiles.toml").read_text("utf-8"))
    shared = {name: table[name] for name in ("version", "sources", "roles")}
    return {name: Profile(name=name, **shared, **limits) for name, limits in table["profiles"].items()}


def profile(name: str) -> Profile:
    """The profile of this name. Raises Permanent, naming those there are, if there is none."""
    try:
        return profiles()[name]
    except KeyError:
        known = ", ".join(profiles())
        raise Permanent(f"There is no castability profile '{name}'; choose one of {known}.") from None


def profile_for(alloy: str) -> Profile:
    """The profile that suits `alloy` (a key of `alloys.ALLOYS`). Raises Permanent for an unknown alloy."""
    metal = alloy_named(alloy).metal
    return next((known for known in profiles().values() if metal in known.metal), profiles()["gold"])
