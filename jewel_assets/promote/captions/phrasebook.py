"""The phrases of one language: read from TOML, completed by a folder of the user's own, checked before use.

A file of the user's folder named as a shipped one ("en.toml") replaces the keys that it has and leaves the rest; one of
another name is a language of its own and has to be complete.
"""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from jewel_assets.categories import CATEGORIES
from jewel_assets.errors import Permanent
from jewel_assets.promote.materials import METALS, STONES

SHIPPED = Path(__file__).parent

Text = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^\S(?:[^\S\n]?\S)*$")]  # no line, no double space
Phrases = Annotated[tuple[Text, ...], Field(min_length=1)]
Tag = Annotated[str, Field(pattern=r"^\w*[^\W\d_]\w*$", max_length=60)]  # a hashtag of digits alone is none

_FIELD = re.compile(r"\{(\w+)\}")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shown(_Table):
    """Sentences about what else is known: `{scene}`, `{brand}`."""

    scene: Phrases
    brand: Phrases


class Tone(_Table):
    """The sentences of one tone. Between opening and closing stands one on the materials, by what is known."""

    openings: Phrases
    both: Phrases
    metal: Phrases
    stone: Phrases
    plain: Phrases
    closings: Phrases


class Alt(_Table):
    """Descriptions for those who cannot see the image, without full stop."""

    both: Text
    metal: Text
    stone: Text
    plain: Text


class Hashtags(_Table):
    """Hashtags without their "#"."""

    general: tuple[Tag, ...] = ()
    categories: dict[str, tuple[Tag, ...]] = {}
    metals: dict[str, tuple[Tag, ...]] = {}
    stones: dict[str, tuple[Tag, ...]] = {}
    tones: dict[str, tuple[Tag, ...]] = {}


class Phrasebook(_Table):
    """All phrases of a language. Every phrase can be filled whatever the category is, or the file is refused."""

    name: Text
    categories: dict[str, dict[str, str]]
    metals: dict[str, Phrases]
    stones: dict[str, Phrases]
    scenes: dict[str, Text] = {}
    shown: Shown
    tones: Annotated[dict[str, Tone], Field(min_length=1)]
    alt: Alt
    hashtags: Hashtags = Hashtags()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for table, names in (("categories", CATEGORIES), ("metals", METALS), ("stones", STONES)):
            have = getattr(self, table)
            if missing := [name for name in names if name not in have]:
                raise ValueError(f"{table}.{missing[0]}: expected an entry for each of {', '.join(names)}")
            if strange := [name for name in have if name not in names]:
                raise ValueError(f"{table}.{strange[0]}: expected one of {', '.join(names)}")
        words = set.intersection(*(set(forms) for forms in self.categories.values()))
        for key, phrases, required in self._slots():
            for phrase in phrases:
                _check(key, phrase, words, required)
        return self

    def _slots(self) -> list[tuple[str, tuple[str, ...], set[str]]]:
        slots: list[tuple[str, tuple[str, ...], set[str]]] = [
            ("shown.scene", self.shown.scene, {"scene"}),
            ("shown.brand", self.shown.brand, {"brand"}),
        ]
        needs = {"both": {"metal", "stone"}, "metal": {"metal"}, "stone": {"stone"}, "plain": set[str]()}
        for part, required in needs.items():
            slots.append((f"alt.{part}", (getattr(self.alt, part),), required))
            slots += [(f"tones.{name}.{part}", getattr(tone, part), required) for name, tone in self.tones.items()]
        for part in ("openings", "closings"):
            slots += [(f"tones.{name}.{part}", getattr(tone, part), set()) for name, tone in self.tones.items()]
        return slots


def _check(key: str, phrase: str, words: set[str], required: set[str]) -> None:
    used = {_lower(name) for name in _FIELD.findall(phrase)}
    if unknown := sorted(used - words - required):
        known = ", ".join(f"{{{word}}}" for word in sorted(words | required))
        raise ValueError(f"{key}: the phrase {phrase!r} has {{{unknown[0]}}}; expected one of {known}")
    if missing := sorted(required - used):
        raise ValueError(f"{key}: the phrase {phrase!r} is expected to have {{{missing[0]}}}")
    if re.search(r"[{}#]", _FIELD.sub("", phrase)):
        raise ValueError(f"{key}: the phrase {phrase!r} has a lone brace or a #; expected words and {{names}} alone")


def fill(phrase: str, values: Mapping[str, str]) -> str:
    """`phrase` with its names in braces replaced; a name with a capital, `{This}`, gives its value with a capital."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        text = values[_lower(name)]
        return text[:1].upper() + text[1:] if name[0].isupper() else text

    return _FIELD.sub(value, phrase)


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def languages(folder: Path | None = None) -> tuple[str, ...]:
    """The languages there are phrases for, shipped or in the user's `folder`, in alphabetical order ("de", "en")."""
    return tuple(sorted(path.stem for place in _places(folder) for path in place.glob("*.toml") if path.is_file()))


def phrasebook(language: str, folder: Path | None = None) -> Phrasebook:
    """The phrases of a language, those of the user's `folder` before the shipped ones.

    Raises `Permanent` for a language there is no file of, naming the nearest; for a folder that is not there; and for a
    file that is no TOML or has wrong keys, naming file, key and what was expected.
    """
    files = [place / f"{language}.toml" for place in _places(folder)]
    files = [file for file in files if language in languages(folder) and file.is_file()]
    if not files:
        raise Permanent(unknown("caption language", language, languages(folder)))
    return _read(tuple((str(file), file.read_bytes()) for file in files))


def unknown(noun: str, name: str, names: tuple[str, ...]) -> str:
    """The sentence for a name that is none of `names`, with the nearest."""
    near = get_close_matches(name.casefold(), names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no {noun} called {name!r}.{hint} Choose one of: {', '.join(names)}."


def _places(folder: Path | None) -> list[Path]:
    if folder is not None and not folder.is_dir():
        raise Permanent(f"The folder of captions {str(folder)!r} is not there: make it, or leave the setting empty.")
    return [SHIPPED, *([folder] if folder is not None else [])]


@lru_cache(maxsize=32)
def _read(files: tuple[tuple[str, bytes], ...]) -> Phrasebook:
    document: dict[str, Any] = {}
    for name, data in files:
        try:
            document = _merged(document, tomllib.loads(data.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise Permanent(
                f"The captions {name} are no UTF-8 text (byte {error.start}): save the file as UTF-8."
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise Permanent(f"The captions {name} are no TOML: {error}. Correct it there.") from None
    try:
        return Phrasebook.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        raise Permanent(f"The captions {files[-1][0]} have a wrong key. {f'{key}: {told}' if key else told}.") from None


def _merged(under: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`under` with the keys of `over` in their place: tables are merged, lists and texts replaced."""
    merged = dict(under)
    for key, value in over.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged
