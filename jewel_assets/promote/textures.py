"""Textures for plates: pictures of one's own, and those of the lake that may be shown to the world."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jewel_assets.collect import PhotoLimits, Refused, decode_photo, refuses_publishing
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, decode
from jewel_assets.themes import TEXTURE_THEMES

if TYPE_CHECKING:
    from jewel_assets.lake import Lake

SMALLEST = 128  # pixels of the shorter side: less is no texture
OWN = ("folder", "texture_folder", "catalogue")
"""Sources of the user's own works, whose author needs no credit."""


@dataclass(frozen=True)
class Texture:
    """A picture that a plate can be made of: where it is (a path or URL), what its bytes are, whom to credit."""

    source: str
    sha256: str
    name: str  # a-z, 0-9 and hyphens
    credit: str = ""
    is_dark: bool = False


def texture_file(path: Path | str) -> Texture:
    """The texture in a picture file, a path or an fsspec URL. Raises Permanent for what is no picture that can be used.

    A URL is a string: a `Path` would make one slash of its two.
    """
    source = str(path)
    pixels, sha256 = read_texture(source)
    place = source if "://" in source else str(Path(source).resolve())
    return Texture(place, sha256, _slug(Path(source).stem), is_dark=_is_dark(pixels))


def textures_of(lake: "Lake", asked: Sequence[str], permission: str = "") -> tuple[list[Texture], list[str]]:
    """The textures of the lake that are asked for, by item id or by theme, and why others of a theme are left out.

    `permission` says who permits to publish what its licence leaves to be asked. Raises Permanent for an id or theme
    that has none, and for what is named and may not be published.
    """
    dataset = lake.dataset("textures")
    rows: list[dict[str, Any]] = []
    if asked and dataset.exists():
        rows = [row for theme in TEXTURE_THEMES for row in dataset.read(theme).to_pylist()]
    found: dict[str, Texture] = {}
    left_out = []
    for one in asked:
        theirs = [row for row in rows if one in (row["item_id"], row["category"])]
        if not theirs:
            raise Permanent(
                f"There is no texture or theme {one!r} in the lake: `jewel lake show textures` lists them; the "
                f"themes are {', '.join(TEXTURE_THEMES)}."
            )
        refused = []
        for row in theirs:
            why = refuses_publishing(row["source"], row["licence"], row["licence_url"], bool(permission))
            if why:
                refused.append(f"The texture {row['item_id']} is left out. {why}")
            else:
                found.setdefault(row["item_id"], _of_lake(lake, row))
        if len(refused) == len(theirs):
            raise Permanent(" ".join(refused[:3]))
        left_out += refused
    return list(found.values()), left_out


def read_texture(source: str, sha256: str = "") -> tuple[Pixels, str]:
    """The pixels (h, w, 3) of a picture, a path or an fsspec URL, and the SHA-256 of its bytes.

    Raises Permanent where it cannot be read, is no picture, or is not the one with this `sha256`, if one is given.
    """
    data = _bytes(source)
    return _decoded(source, data), _checked(source, data, sha256)


def sha256_of(source: str, sha256: str = "") -> str:
    """The SHA-256 of a picture's bytes. Raises Permanent as `read_texture` does.

    A URL that says which bytes are meant is believed: what is read from it is checked when it is read.
    """
    return sha256 if sha256 and "://" in source else _checked(source, _bytes(source), sha256)


def _checked(source: str, data: bytes, sha256: str) -> str:
    found = hashlib.sha256(data).hexdigest()
    if sha256 and found != sha256:
        raise Permanent(f"The texture {source} is another file than the one that is meant: it was changed since.")
    return found


def _bytes(source: str) -> bytes:
    try:
        if "://" not in source:
            return Path(source).read_bytes()
        from jewel_assets.lake.blobs import filesystem

        fs, path = filesystem(source)
        return bytes(fs.cat_file(path))
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or type(error).__name__
        raise Permanent(f"The texture {source} cannot be read: {what}.") from error


@lru_cache(maxsize=2)
def _decoded(source: str, data: bytes) -> Pixels:
    try:
        return decode(decode_photo(data, PhotoLimits(min_side=SMALLEST)).data)
    except Refused as refused:
        raise Permanent(f"The texture {source} is no picture that can be used: {refused}") from refused


def _of_lake(lake: "Lake", row: dict[str, Any]) -> Texture:
    from jewel_assets.lake.blobs import filesystem

    fs, _ = filesystem(lake.root)
    source = str(fs.unstrip_protocol(lake.blobs.path(row["sha256"], row["media_type"])))
    name = _slug(f"{row['category']}-{Path(row['source_id']).stem}")
    author = row.get("author") if row["source"] not in OWN else None
    credit = f"Texture: {author}, {row.get('licence') or 'licence unknown'}" if author else ""
    pixels, sha256 = read_texture(source, row["sha256"])
    return Texture(source, sha256, f"{name}-{sha256[:6]}", credit, _is_dark(pixels))


def _is_dark(pixels: Pixels) -> bool:
    return float(np.median(pixels[::4, ::4].mean(axis=2))) < 118  # sRGB: linear 0.18


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:30].strip("-") or "texture"
