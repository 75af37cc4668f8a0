"""Alternative texts, by one of two engines: the phrases, or a captioning network where its weights are."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jewel_assets.images import Pixels
from jewel_assets.promote.captions.caption import Known
from jewel_assets.promote.captions.write import alt_text

ALT_CHARACTERS = 1000
"""Of an alternative text (Meta, Instagram Platform reference, IG User Media, `alt_text`)."""

# What no look at a picture can know, in the languages that networks write: species, fineness, weight, worth, craft.
_CLAIMS = re.compile(
    r"\b(diamond|ruby|rubies|emerald|sapphire|amethyst|topaz|garnet|opal|jade|turquoise|aquamarine|tanzanite|moissanite"
    r"|zirconia|swarovski|brilliant|carats?|karats?|\d+\s*k|\d+\s*kt|sterling|platinum|solid gold|real gold|genuine"
    r"|authentic|handmade|hand-made|vintage|antique|luxury|expensive|price|\$)s?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Description:
    """An alternative text and the engine that wrote it."""

    text: str
    engine: str


class Describer(Protocol):
    """An engine that says what an image shows."""

    def describe(self, image: Pixels, known: Known, language: str) -> Description:
        """The alternative text of an image, (h, w, 3) uint8 sRGB; at most ALT_CHARACTERS."""
        ...


@dataclass(frozen=True)
class PhraseDescriber:
    """The sentence of the phrases, from what is known alone: it does not look at the image."""

    folder: Path | None = None

    def describe(self, image: Pixels, known: Known, language: str) -> Description:
        """The sentence of `alt_text`. Raises `Permanent` as it does."""
        return Description(alt_text(known, language, self.folder), "phrases")


def claims_in(text: str) -> list[str]:
    """The words of a text that claim what a picture cannot show: a gem's species, carat, fineness, worth, craft."""
    return [match[0] for match in _CLAIMS.finditer(text)]
