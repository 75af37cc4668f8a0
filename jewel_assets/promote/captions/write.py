"""Captions from phrases: as many as the phrases combine to, each with its seed, none saying what is not known."""

import hashlib
import math
import re
from collections.abc import Sequence
from pathlib import Path

from jewel_assets.categories import CATEGORIES
from jewel_assets.errors import Permanent
from jewel_assets.promote.captions.caption import (
    CAPTION_CHARACTERS,
    CAPTION_HASHTAGS,
    Caption,
    Known,
    characters,
    hashtags_in,
)
from jewel_assets.promote.captions.phrasebook import Phrasebook, fill, phrasebook, unknown
from jewel_assets.promote.materials import SURE, Materials

_TITLE, _BRAND, _PRICE = 120, 60, 40  # characters: of the owner's words no more is taken


def write_caption(known: Known, tone: str, language: str, seed: int, folder: Path | None = None) -> Caption:
    """The caption of `seed`: the same one for the same arguments, another one for another seed.

    Seeds that follow each other give different captions until every combination of the phrases has been (see
    `variety`). At most 2,200 characters and 30 hashtags, the credit and its own hashtags counted. `folder` holds the
    user's phrases. Raises `Permanent` for an unknown category, tone or language, a broken file of phrases, and a credit
    that leaves no room.
    """
    book = _book(known, language, folder)
    choices = _choices(known, book, tone)
    index = _index(known, tone, seed, math.prod(len(choice) for choice in choices))
    picked = []
    for choice in choices:
        index, at = divmod(index, len(choice))
        phrase, values = choice[at]
        picked.append(fill(phrase, book.categories[known.category] | values))
    paragraphs = [_plain(known.title, _TITLE), " ".join(filter(None, picked)), _plain(known.price, _PRICE)]
    text = "\n\n".join(filter(None, paragraphs))
    if known.credit:
        text += f"\n\n{known.credit}"
    return _within_limits(Caption(text, _hashtags(known, book, tone, seed)))


def variety(known: Known, tone: str, language: str, folder: Path | None = None) -> int:
    """How many captions there are for what is known before they repeat. Raises `Permanent` as `write_caption` does."""
    return math.prod(len(choice) for choice in _choices(known, _book(known, language, folder), tone))


def alt_text(known: Known, language: str, folder: Path | None = None) -> str:
    """What the image shows, in a sentence, for those who cannot see it. Raises `Permanent` as `write_caption` does."""
    book = _book(known, language, folder)
    metal, stones = _materials(known, book)
    values = dict(book.categories[known.category])
    values |= {"metal": metal[0]} if metal else {}
    values |= {"stone": stones[0]} if stones else {}
    sentence = fill(getattr(book.alt, _part(metal, stones)), values)
    scene = _scene(known, book)
    return f"{sentence}, {scene}." if scene else f"{sentence}."


def _book(known: Known, language: str, folder: Path | None) -> Phrasebook:
    if known.category not in CATEGORIES:
        raise Permanent(unknown("category", known.category, CATEGORIES))
    return phrasebook(language, folder)


def _choices(known: Known, book: Phrasebook, tone: str) -> list[list[tuple[str, dict[str, str]]]]:
    """The phrases that each place of a caption can have, each with what fills it besides the words of the category."""
    if tone not in book.tones:
        raise Permanent(unknown(f"tone of captions in {book.name}", tone, tuple(sorted(book.tones))))
    phrases = book.tones[tone]
    metal, stones = _materials(known, book)
    details = [
        (phrase, {"metal": of_metal, "stone": of_stone})
        for of_metal in metal or ("",)
        for of_stone in stones or ("",)
        for phrase in getattr(phrases, _part(metal, stones))
    ]
    scene, brand = _scene(known, book), _plain(known.brand, _BRAND)
    return [
        [(phrase, {}) for phrase in phrases.openings],
        details,
        [(phrase, {"scene": scene}) for phrase in book.shown.scene] if scene else [("", {})],
        [(phrase, {}) for phrase in phrases.closings],
        [(phrase, {"brand": brand}) for phrase in book.shown.brand] if brand else [("", {})],
    ]


def _materials(known: Known, book: Phrasebook) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The phrases for the metal, and for the stones, that are surely there."""
    seen = spoken_of(known)
    metal = book.metals.get(seen.metal or "", ())
    return metal, tuple(phrase for stone in seen.stones for phrase in book.stones.get(stone.name, ()))


def spoken_of(known: Known) -> Materials:
    """The materials that are sure. Of a watch none is: its dial, glass and strap pass for metal and stones."""
    seen = known.materials
    if known.category == "wristwatch":
        return Materials()
    return Materials(seen.metal if seen.metal_confidence >= SURE else None, seen.metal_confidence, seen.sure_stones)


def _part(metal: Sequence[str], stones: Sequence[str]) -> str:
    return {(True, True): "both", (True, False): "metal", (False, True): "stone"}.get(
        (bool(metal), bool(stones)), "plain"
    )


def _scene(known: Known, book: Phrasebook) -> str:
    """Where the piece is seen: by the style, else by the first word of the template's name that says it."""
    words = re.findall(r"[^\W_]+", f"{known.style} {known.template}".casefold())
    return next((book.scenes[word] for word in words if word in book.scenes), "")


def _index(known: Known, tone: str, seed: int, count: int) -> int:
    """Which of `count` combinations a seed gets: a walk that meets each once, in steps near the golden section."""
    step = max(1, round(count * (math.sqrt(5) - 1) / 2))
    while math.gcd(step, count) != 1:
        step += 1
    start = int.from_bytes(hashlib.sha256(f"{known.category} {tone}".encode()).digest()[:8], "big")
    return (start + seed * step) % count


def _hashtags(known: Known, book: Phrasebook, tone: str, seed: int) -> tuple[str, ...]:
    """A dozen or so: of category, materials, tone and brand, and some general ones that turn with the seed."""
    tags = book.hashtags
    seen = spoken_of(known)
    chosen = [*tags.categories.get(known.category, ())[:1]]
    brand = re.sub(r"\W", "", _plain(known.brand, _BRAND).lower())
    chosen += [brand] if re.search(r"[^\W\d_]", brand) else []
    chosen += tags.metals.get(seen.metal or "", ())
    for stone in seen.stones[:2]:
        chosen += tags.stones.get(stone.name, ())
    chosen += tags.tones.get(tone, ())
    chosen += _turned(tags.categories.get(known.category, ())[1:], seed)[:3]
    chosen += _turned(tags.general, seed)[:4]
    return tuple({tag.casefold(): tag for tag in reversed(chosen)}.values())[::-1]


def _turned(tags: Sequence[str], seed: int) -> Sequence[str]:
    at = seed % len(tags) if tags else 0
    return (*tags[at:], *tags[:at])


def _plain(words: str | None, most: int) -> str:
    """The owner's words on one line, without `#`, which would make hashtags, cut before the word that is too much."""
    line = " ".join(re.sub(r"[#＃\x00-\x1f\x7f\ud800-\udfff]", " ", words or "").split())
    while characters(line) > most:
        shorter = line.rsplit(" ", 1)[0]
        line = shorter if shorter != line else line[: most // 2]
    return line


def _within_limits(caption: Caption) -> Caption:
    """`caption`, the last hashtags left out where they would be too many or too long."""
    free = CAPTION_HASHTAGS - len(hashtags_in(caption.text))
    room = CAPTION_CHARACTERS - characters(caption.text)
    if free < 0 or room < 0:
        raise Permanent(
            f"The caption has {characters(caption.text):,} characters and {len(hashtags_in(caption.text))} hashtags "
            f"before any of its own; {CAPTION_CHARACTERS:,} and {CAPTION_HASHTAGS} are the most that Instagram takes. "
            "Shorten the credit line, or the phrases of your own files."
        )
    kept = list(caption.hashtags[:free])
    while kept and characters(str(Caption(caption.text, tuple(kept)))) > CAPTION_CHARACTERS:
        kept.pop()
    return Caption(caption.text, tuple(kept))
