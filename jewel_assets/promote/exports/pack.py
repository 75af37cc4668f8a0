"""A finished package for Instagram: images, captions, records and a manifest, in a folder or a ZIP. Nothing is posted.

The same posts give the same bytes. A package is written under a temporary name beside its own, judged by `validate`,
and renamed last: whoever sees it sees all of it.
"""

import hashlib
import json
import re
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels
from jewel_assets.promote.captions import CAPTION_CHARACTERS, CAPTION_HASHTAGS, Caption, characters, hashtags_in
from jewel_assets.promote.exports import formats, jpeg
from jewel_assets.promote.exports.manifest import (
    MANIFEST,
    CaptionFile,
    File,
    ImageFile,
    Manifest,
    PostEntry,
)
from jewel_assets.promote.exports.validate import validate

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP knows: the same for every member
_NAME_LENGTH = 60
_RESERVED = {"manifest", "con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}


@dataclass(frozen=True)
class Picture:
    """An image of a post: (h, w, 3) uint8 sRGB pixels, or the bytes of a JPEG.

    `record` is how it was made, anything that JSON can hold (seed, template, hashes); `alt` its alternative text. Bytes
    that have no fault are kept as they are, others are decoded, brought to sRGB and encoded anew.
    """

    image: Pixels | bytes = field(repr=False)
    record: Mapping[str, Any] = field(default_factory=dict)
    alt: str = ""


@dataclass(frozen=True)
class Post:
    """One image, or a carousel of 2 to 10, with one caption. `form` is a name of FORMATS, or FREE."""

    name: str
    pictures: tuple[Picture, ...]
    caption: Caption | str
    form: str = "square"


@dataclass(frozen=True)
class Package:
    """What was written: where, how many posts and files, how many bytes."""

    path: Path
    posts: int
    files: int
    bytes: int


def pack(posts: Iterable[Post], path: Path) -> Package:
    """Write a package of `posts` at `path`: a ZIP where it ends in ".zip", else a folder, which must not be there yet.

    A post of one image is `name.jpg`, `.txt` and `.json`; a carousel is a folder of its name. Posts may come from a
    generator: one is in memory at a time. Raises `Permanent`, and writes nothing, for a post that Instagram would not
    take, a record that JSON cannot hold, and a folder that is in use.
    """
    zipped = path.suffix.lower() == ".zip"
    if path.is_dir() if zipped else path.exists() and (not path.is_dir() or any(path.iterdir())):
        wanted = "a file" if zipped else "a folder that is empty or not there yet"
        raise Permanent(f"{str(path)!r} is there already: name {wanted}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        folder = work / "package"
        folder.mkdir()
        entries = _write_posts(posts, folder)
        manifest = Manifest(posts=tuple(entries)).model_dump_json(indent=1)
        (folder / MANIFEST).write_text(manifest + "\n", encoding="utf-8", newline="\n")
        if problems := validate(folder):
            raise Permanent(f"The package would not be valid, and is not written: {problems[0]}")
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        total = sum(file.stat().st_size for file in files)
        if zipped:
            _zip(folder, files, work / "package.zip")
            (work / "package.zip").replace(path)
        else:
            if path.exists():  # and empty: Windows renames onto no folder
                path.rmdir()
            folder.replace(path)
        return Package(path, len(entries), len(files), total)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def slug(name: str) -> str:
    """A file name of a-z, 0-9 and "-" alone for any text: no path, no dot, nothing that a file system reserves."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", plain)[:_NAME_LENGTH].strip("-") or "post"
    return f"{short}-post" if short in _RESERVED else short


def _write_posts(posts: Iterable[Post], folder: Path) -> list[PostEntry]:
    entries: list[PostEntry] = []
    taken: set[str] = set()
    for post in posts:
        stem = name = slug(post.name)
        number = 1
        while stem in taken:
            number += 1
            stem = f"{name}-{number}"
        taken.add(stem)
        entries.append(_write_post(post, stem, folder))
    if not entries:
        raise Permanent("There is no post to pack: choose at least one image.")
    return entries


def _write_post(post: Post, stem: str, folder: Path) -> PostEntry:
    count, (fewest, most) = len(post.pictures), formats.CAROUSEL
    if not 1 <= count <= most:
        raise Permanent(f"The post {post.name!r} has {count} images: give it one, or {fewest} to {most} as a carousel.")
    if count > 1 and post.form == "story":
        raise Permanent(f"The post {post.name!r} has {count} images and a story has one: make each a story of its own.")
    text = _caption(post)
    if count == 1:
        names, caption_name = [stem], f"{stem}.txt"
    else:
        (folder / stem).mkdir()
        names, caption_name = [f"{stem}/{i:02}" for i in range(1, count + 1)], f"{stem}/caption.txt"
    images = [_write_image(post, picture, name, folder) for picture, name in zip(post.pictures, names, strict=True)]
    sizes = {(image.width, image.height) for image in images}
    if len({round(width / height, 3) for width, height in sizes}) > 1:
        shown = ", ".join(f"{width} x {height}" for width, height in sorted(sizes))
        raise Permanent(f"The images of the carousel {post.name!r} have several ratios ({shown}): give them one.")
    caption = CaptionFile(
        **_write(folder, caption_name, text.encode("utf-8")),
        characters=characters(text),
        hashtags=len(hashtags_in(text)),
    )
    return PostEntry(name=_text(post.name), format=post.form, caption=caption, images=tuple(images))


def _caption(post: Post) -> str:
    text = _text(str(post.caption))
    if characters(text) > CAPTION_CHARACTERS or len(hashtags_in(text)) > CAPTION_HASHTAGS:
        raise Permanent(
            f"The caption of {post.name!r} has {characters(text):,} characters and {len(hashtags_in(text))} hashtags; "
            f"{CAPTION_CHARACTERS:,} and {CAPTION_HASHTAGS} are the most that Instagram takes: shorten it."
        )
    return text


def _text(words: str) -> str:
    """`words` without what UTF-8 cannot hold: half a surrogate pair, as in a file's name of another encoding."""
    return words.encode("utf-8", errors="replace").decode("utf-8")


def _write_image(post: Post, picture: Picture, name: str, folder: Path) -> ImageFile:
    data, quality = jpeg.cleaned(picture.image) if isinstance(picture.image, bytes) else jpeg.encode(picture.image)
    segments = jpeg.read_segments(data)
    if fault := formats.size_fault(segments.width, segments.height, post.form):
        raise Permanent(f"The image of {post.name!r} cannot be packed: {fault}.")
    try:
        record = json.dumps(dict(picture.record), sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
        content = f"{record}\n".encode()
    except (TypeError, ValueError) as error:
        raise Permanent(f"The record of {post.name!r} is nothing that JSON can hold ({error}).") from None
    return ImageFile(
        **_write(folder, f"{name}.jpg", data),
        width=segments.width,
        height=segments.height,
        quality=quality,
        alt=_text(picture.alt),
        record=File(**_write(folder, f"{name}.json", content)),
    )


def _write(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    (folder / name).write_bytes(content)
    return {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _zip(folder: Path, files: list[Path], target: Path) -> None:
    """Members in order of their names, stored: JPEG packs no further, and deflate is not the same everywhere."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, file in sorted((file.relative_to(folder).as_posix(), file) for file in files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, file.read_bytes())
