"""Words on an image: a headline and the lines under it, set in the place that is free for them, or not at all."""

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels
from jewel_assets.promote.finish import Box
from jewel_assets.promote.palettes import linear
from jewel_assets.promote.scene import single
from jewel_assets.promote.shading import to_linear, to_srgb

HEADLINE = "headline"
"""The variable that is set larger than the others."""
LONGEST = 200
"""Characters of all words together: an image is no leaflet."""
LARGEST, SMALLEST = 0.072, 0.03
"""Size of the headline, as a share of the picture's shorter side: what is tried first, and what can still be read."""
LINE = 0.5  # size of the other lines, as a share of the headline's; SMALLEST_LINE of the shorter side at least
SMALLEST_LINE = 0.024
LEADING = 1.22  # from one line to the next, times the size
APART = 0.5  # between headline and lines, times the size of a line
FILLED = 0.92  # of the area's width and height, at most
OVERHANG = 0.6
"""Of the size: by so much an area is wider than its lines, since a slanted end reaches beyond a letter's width."""
STEP = 0.93
CENTRED = 0.12
"""An area whose middle is no farther than this from the picture's, as a share of its width, has its lines centred."""


@dataclass(frozen=True)
class Font:
    """A font file's bytes, its name, and the characters that it has."""

    name: str
    data: bytes
    characters: frozenset[int]

    @property
    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.data).hexdigest()


def font(path: Path | None = None) -> Font:
    """The font in a TTF or OTF file, else Caladea (Apache-2.0, Huerta Tipografia), which is installed with the package.

    Raises Permanent for a file that is no such font.
    """
    if path is None:
        from importlib.resources import files

        return _font(files("font_caladea").joinpath("files", "Caladea-Regular.ttf").read_bytes(), "Caladea")
    try:
        return _font(path.read_bytes(), str(path))
    except OSError as error:
        raise Permanent(f"The font {path} cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=4)
def _font(data: bytes, what: str) -> Font:
    from fontTools.ttLib import TTFont, TTLibError
    from PIL import ImageFont

    try:
        with TTFont(BytesIO(data), lazy=True) as tables:
            characters = frozenset(tables.getBestCmap() or ())
        name = " ".join(part for part in ImageFont.truetype(BytesIO(data), 10).getname() if part)
    except (TTLibError, OSError, KeyError, AssertionError, ValueError) as error:
        raise Permanent(f"The font {what} is no TrueType or OpenType font ({error}): give a .ttf or .otf.") from error
    return Font(name, data, characters)


def texts_of(variables: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The words of an image by variable: the template's, or what was given instead; those that are empty left out.

    Each is one line with single spaces; the headline comes first, the others in the template's order. Raises Permanent
    for a variable that the template has not, with those that it has, and for more than LONGEST characters.
    """
    if strange := [name for name in given if name not in variables]:
        near = difflib.get_close_matches(strange[0], variables, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise Permanent(f"The template has no text {strange[0]!r}: it has {', '.join(variables) or 'none'}.{hint}")
    asked = {**variables, **given}
    found = {name: re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip() for name, text in asked.items()}
    found = {name: found[name] for name in sorted(found, key=lambda name: name != HEADLINE) if found[name]}
    if (length := sum(map(len, found.values()))) > LONGEST:
        raise Permanent(f"The words on an image have {length} characters: {LONGEST} at most.")
    return found


@dataclass(frozen=True)
class Line:
    """One line of words: `left` and `middle` are where it begins and its half height, `size` the font's, in pixels."""

    text: str
    left: float
    middle: float
    width: float
    size: int


def fitted(texts: Mapping[str, str], face: Font, area: Box, picture: tuple[int, int]) -> tuple[Line, ...]:
    """The lines of the words in an area of a picture of this width and height, as large as they fit.

    None where they would be too small to be read. At the side of the picture they begin in one line, else they are
    centred.

    Raises Permanent for words that the font cannot set.
    """
    for text in texts.values():
        _refuse_unsettable(text, face)
    size = LARGEST * min(picture)
    while size >= SMALLEST * min(picture):
        found = _set(texts, face, size, area, picture)
        if found:
            return found
        size *= STEP
    return ()


def box_of(lines: Sequence[Line]) -> Box:
    """The part of the picture that lines take, rounded inwards."""
    left, right = min(line.left for line in lines), max(line.left + line.width for line in lines)
    top, bottom = lines[0].middle - lines[0].size / 2, lines[-1].middle + lines[-1].size / 2
    return int(left), int(top), int(right - left), int(bottom - top)


def with_words(image: Pixels, lines: Sequence[Line], face: Font, colour: str) -> Pixels:
    """The image (h, w, 3) with lines of words, "#rrggbb".

    Blended in linear light, so that light words on dark are as heavy as dark ones on light.
    """
    from PIL import Image, ImageDraw

    mask = Image.new("L", (image.shape[1], image.shape[0]), 0)
    draw = ImageDraw.Draw(mask)
    for line in lines:
        draw.text((line.left, line.middle), line.text, fill=255, font=_face(face.data, line.size), anchor="lm")
    share = np.asarray(mask, np.float32)[..., None] / 255
    rows = np.flatnonzero(share.any(axis=(1, 2)))
    box = slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
    ink = np.asarray(linear(colour), np.float32)
    mixed = to_srgb(single(to_linear(image[box]) * (1 - share[box]) + ink * share[box]))
    result = image.copy()
    result[box] = np.where(share[box] > 0, mixed, image[box])
    return result


def _refuse_unsettable(text: str, face: Font) -> None:
    """What needs more than one glyph after another from left to right would be set wrongly, so it is not set."""
    for character in text:
        if unicodedata.bidirectional(character) in ("R", "AL", "AN") or unicodedata.category(character)[0] == "M":
            raise Permanent(
                f"The words {text!r} cannot be set: {unicodedata.name(character, character)} belongs to a script that "
                "is joined or runs from right to left. Lay such words over the image with a design program."
            )
    if lacking := [character for character in dict.fromkeys(text) if ord(character) not in face.characters]:
        raise Permanent(
            f"The font {face.name} has no {' '.join(lacking)} for the words {text!r}: give one that has (--font)."
        )


def _set(texts: Mapping[str, str], face: Font, size: float, area: Box, picture: tuple[int, int]) -> tuple[Line, ...]:
    """The lines at a size of the headline; none where they do not fit into FILLED of the area."""
    x, y, wide, high = area
    rows: list[tuple[str, float, int, float]] = []  # text, width, size, and how far below the top its middle is
    down = 0.0
    for name, text in texts.items():
        own = max(1, round(size if name == HEADLINE else max(LINE * size, SMALLEST_LINE * min(picture))))
        down += APART * own if rows else 0
        room = min(FILLED * wide, wide - OVERHANG * own)
        wrapped = _wrapped(text, _face(face.data, own), room)
        if not wrapped:
            return ()
        for line, width in wrapped:
            rows.append((line, width, own, down + LEADING * own / 2))
            down += LEADING * own
    if down > FILLED * high:
        return ()
    centred = abs(x + wide / 2 - picture[0] / 2) <= CENTRED * picture[0]
    widest, top = max(width for _, width, _, _ in rows), y + (high - down) / 2
    return tuple(
        Line(text, x + (wide - (width if centred else widest)) / 2, top + at, width, own)
        for text, width, own, at in rows
    )


def _wrapped(text: str, face: Any, width: float) -> list[tuple[str, float]]:
    """As few lines as fit, as even as they can be, each with its width; none where a word is wider than all."""
    words = text.split(" ")
    widths = [float(face.getlength(word)) for word in words]
    if max(widths) > width:
        return []
    fewest = len(_filled(words, face, width))
    low, high = max(widths), width
    while high - low > 1:  # the narrowest in which they are no more lines
        middle = (low + high) / 2
        low, high = (low, middle) if len(_filled(words, face, middle)) == fewest else (middle, high)
    return [(line, float(face.getlength(line))) for line in _filled(words, face, high)]


def _filled(words: Sequence[str], face: Any, width: float) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if face.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@lru_cache(maxsize=64)
def _face(data: bytes, size: int) -> Any:
    """Basic layout, which every Pillow has: the same words are the same pixels everywhere."""
    from PIL import ImageFont

    return ImageFont.truetype(BytesIO(data), size, layout_engine=ImageFont.Layout.BASIC)
