"""A vocabulary: the names that partitions have, and how people spell them."""

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Vocabulary:
    """Names of one kind, each with the other spellings that mean it."""

    noun: str  # what a name is: "category"
    nouns: str
    spellings: Mapping[str, tuple[str, ...]]  # name -> what else means it; lower case, words separated by one space

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in alphabetical order."""
        return tuple(sorted(self.spellings))

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Every spelling, the names among them -> the name it means."""
        return {alias: name for name, others in self.spellings.items() for alias in (name, *others)}

    def find(self, name: str) -> str | None:
        """What a folder or label called `name` means, or None if it means none of the names.

        Case, surrounding space and the separators `_`, `-`, `.` do not matter: `Rings`, `wrist-watch`, `WATCH`.
        """
        return self.aliases.get(_plain(name))

    def nearest(self, name: str) -> str | None:
        """The name whose spelling is most like `name` ("neclace" -> "necklace"), or None if none is like it."""
        near = difflib.get_close_matches(_plain(name), self.aliases, n=1, cutoff=0.7)
        return self.aliases[near[0]] if near else None


def _plain(name: str) -> str:
    return re.sub(r"[\s_.\-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()
