"""Our own judge of a finished package, folder or ZIP: it reads the files, and believes neither names nor manifest.

A ZIP is bounded before anything in it is unpacked, and nothing is written to disk. What is wrong is said in sentences.
"""

import hashlib
import json
import stat
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from jewel_assets.promote.captions import (
    ALT_CHARACTERS,
    CAPTION_CHARACTERS,
    CAPTION_HASHTAGS,
    characters,
    hashtags_in,
)
from jewel_assets.promote.exports import formats, jpeg
from jewel_assets.promote.exports.manifest import MANIFEST, CaptionFile, File, ImageFile, Manifest, PostEntry

MOST_FILES = 20_000
MOST_BYTES = 4 << 30  # of all files together
_MOST_TEXT = 64 << 20  # of a manifest or record: a thousand posts have a manifest of a megabyte


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file of a package, or with the package itself (`file` ""), and what to do about it."""

    file: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.message}" if self.file else self.message


@dataclass(frozen=True)
class _Files:
    """The files of a package: their sizes by name, and how one is read."""

    sizes: dict[str, int]
    read: Callable[[str], bytes]


def validate(path: Path) -> list[Problem]:
    """All problems of the package at `path`, none where Instagram will take every post of it.

    A package that is no package, or unsafe to unpack, has those problems alone.
    """
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _archive(path)
    return [Problem("", f"There is no package at {str(path)!r}: name its folder or ZIP.")]


def _folder(path: Path) -> list[Problem]:
    sizes: dict[str, int] = {}
    problems = []
    for file in path.rglob("*"):
        name = file.relative_to(path).as_posix()
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            problems.append(Problem(name, "It is a link or a device and no file: put the file itself there."))
        elif file.is_file():
            sizes[name] = file.stat().st_size
        if len(sizes) > MOST_FILES:
            break
    problems += _bounds(len(sizes), sum(sizes.values()))
    return sorted(problems, key=str) or _package(_Files(sizes, lambda name: (path / name).read_bytes()))


def _archive(path: Path) -> list[Problem]:
    if path.stat().st_size > MOST_BYTES:
        return _bounds(0, path.stat().st_size)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            problems = _bounds(len(entries), sum(entry.file_size for entry in entries))
            problems = problems or _unsafe_members(entries)
            if problems:
                return problems
            sizes = {entry.filename: entry.file_size for entry in entries if not entry.is_dir()}
            return _package(_Files(sizes, archive.read))
    # `zipfile` raises NotImplementedError for what it cannot unpack, RuntimeError for what needs a password.
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        return [Problem("", f"The ZIP cannot be read ({error}): pack it again.")]


def _bounds(count: int, size: int) -> list[Problem]:
    if count > MOST_FILES:
        return [Problem("", f"The package has more than {MOST_FILES:,} files: pack fewer posts at once.")]
    if size > MOST_BYTES:
        return [Problem("", f"The package has {size:,} bytes unpacked, more than {MOST_BYTES:,}: pack fewer posts.")]
    return []


def _unsafe_members(entries: list[zipfile.ZipInfo]) -> list[Problem]:
    """Members that would be written elsewhere, over each other, or that are no plain files."""
    problems, seen = [], set[str]()
    for entry in entries:
        name = entry.orig_filename.removesuffix("/")  # a folder
        shown = name[:80]
        kind = stat.S_IFMT(entry.external_attr >> 16)
        same = unicodedata.normalize("NFC", name).casefold()
        if not _safe(name):
            problems.append(Problem(shown, "Its name leads out of the package (zip slip): do not unpack this file."))
        elif same in seen:
            problems.append(Problem(shown, "Two members have this name: pack it again."))
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            problems.append(Problem(shown, "It is a link or a device and no file: do not unpack this package."))
        elif entry.flag_bits & 0x41:
            problems.append(Problem(shown, "It is encrypted: pack it again without a password."))
        elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problems.append(Problem(shown, f"It is packed by method {entry.compress_type}: pack it as ZIP does."))
        seen.add(same)
    return problems


def _safe(name: str) -> bool:
    """Is `name` a plain relative path of a file? No parent, root, drive, backslash or control character."""
    parts = name.split("/")
    plain = all(part not in ("", ".", "..") for part in parts)
    return plain and not any(letter in '\\:*?"<>|' or ord(letter) < 32 for letter in name)


# ------------------------------------------------------------------ the package


def _package(files: _Files) -> list[Problem]:
    if MANIFEST not in files.sizes:
        return [Problem(MANIFEST, "The package has no manifest: pack it again.")]
    if files.sizes[MANIFEST] > _MOST_TEXT:
        return [Problem(MANIFEST, "The manifest is too large to be one: pack it again.")]
    try:
        manifest = Manifest.model_validate_json(files.read(MANIFEST))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        return [
            Problem(MANIFEST, f"The manifest is wrong{f' at {key}' if key else ''} ({first['msg']}): pack it again.")
        ]
    problems = [] if manifest.posts else [Problem(MANIFEST, "The package has no post: pack at least one.")]
    named = [MANIFEST]
    for post in manifest.posts:
        problems += _post(post, files)
        named += [post.caption.file, *(name for image in post.images for name in (image.file, image.record.file))]
    doubled = sorted(name for name, count in Counter(named).items() if count > 1)
    problems += [Problem(name, "The manifest names this file twice: pack it again.") for name in doubled]
    strays = sorted(set(files.sizes) - set(named))
    return problems + [Problem(name, "The manifest does not name this file: remove it.") for name in strays]


def _post(post: PostEntry, files: _Files) -> list[Problem]:
    problems = []
    count, most = len(post.images), formats.CAROUSEL[1]
    if count > most:
        message = f"The post {post.name!r} has {count} images and a carousel at most {most}: make two of it."
        problems.append(Problem(MANIFEST, message))
    if count > 1 and post.format == "story":
        problems.append(Problem(MANIFEST, f"The story {post.name!r} has {count} images and may have one: split it."))
    problems += _caption(post.caption, files)
    ratios = set()
    for image in post.images:
        found, ratio = _image(image, post.format, files)
        problems += found
        ratios.add(ratio)
    if len(ratios - {None}) > 1:
        message = f"The images of the carousel {post.name!r} have several ratios: render all of them in one format."
        problems.append(Problem(post.images[0].file, message))
    return problems


def _image(image: ImageFile, form: str, files: _Files) -> tuple[list[Problem], float | None]:
    """The problems of an image and its record, and its ratio, width to height, where it can be told."""
    problems = []
    record, found = _content(image.record, files, _MOST_TEXT)
    problems += found
    if record is not None and not _is_json(record):
        problems.append(Problem(image.record.file, "The record is no JSON: pack it again."))
    if characters(image.alt) > ALT_CHARACTERS:
        message = f"Its alternative text has more than {ALT_CHARACTERS:,} characters: shorten it."
        problems.append(Problem(image.file, message))
    data, found = _content(image, files, formats.JPEG_BYTES)
    problems += found
    if data is None:
        return problems, None
    problems += [Problem(image.file, f"{fault[:1].upper()}{fault[1:]}.") for fault in jpeg.faults(data, form)]
    try:
        segments = jpeg.read_segments(data)
    except ValueError:  # told by `faults`
        return problems, None
    if (segments.width, segments.height) != (image.width, image.height):
        size = f"{segments.width} x {segments.height}"
        problems.append(Problem(image.file, f"It has {size} pixels and the manifest says otherwise: pack it again."))
    return problems, round(segments.width / segments.height, 3)


def _caption(caption: CaptionFile, files: _Files) -> list[Problem]:
    data, problems = _content(caption, files, _MOST_TEXT)
    if data is None:
        return problems
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return [*problems, Problem(caption.file, "The caption is no UTF-8 text: save it as UTF-8.")]
    if (length := characters(text)) > CAPTION_CHARACTERS:
        message = f"The caption has {length:,} characters and {CAPTION_CHARACTERS:,} are taken: shorten it."
        problems.append(Problem(caption.file, message))
    if (tags := len(hashtags_in(text))) > CAPTION_HASHTAGS:
        message = f"The caption has {tags} hashtags and {CAPTION_HASHTAGS} are taken: leave some out."
        problems.append(Problem(caption.file, message))
    return problems


def _content(file: File, files: _Files, most: int) -> tuple[bytes | None, list[Problem]]:
    """The bytes of a file of the manifest, None where they are missing or too many, and what is wrong with them."""
    if not _safe(file.file):
        return None, [Problem(file.file[:80], "The manifest names a file outside of the package: pack it again.")]
    size = files.sizes.get(file.file)
    if size is None:
        return None, [Problem(file.file, "The manifest names this file and it is not there: pack it again.")]
    if size > most:
        return None, [Problem(file.file, f"It has {size:,} bytes and at most {most:,} are taken: make it smaller.")]
    data = files.read(file.file)
    if len(data) != file.bytes or hashlib.sha256(data).hexdigest() != file.sha256:
        return data, [Problem(file.file, "It was changed after it was packed (its SHA-256 is another): pack it again.")]
    return data, []


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
