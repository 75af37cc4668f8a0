"""The files of a photo folder: which there are, what they are called, what must not be opened.

Links are followed only within the folder, each real folder and file once, so that no loop is endless and no link shows
what lies outside. Nothing is opened that is not a regular file (a pipe would block for ever).
"""

import contextlib
import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

IGNORED_NAMES = {"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "system volume information", "@eadir"}
"""What operating systems leave in folders, in lower case; hidden files (`.name`) are ignored as well."""

MAX_FILE_BYTES = 512 << 20
"""Larger files are not read into memory."""


@dataclass(frozen=True)
class Found:
    """Something that lies in the folder. With a `problem` it must not be opened."""

    path: Path  # where it was seen, below the folder; a link's own path
    relative: str  # the same from the folder, as the system spells it (bytes that are no UTF-8 as surrogates)
    real: Path  # where its bytes lie, links resolved
    size: int = 0  # bytes
    modified_ns: int = 0
    changed_ns: int = 0  # of its inode: a copied time stamp does not hide new content
    identity: tuple[int, int] = (0, 0)  # device and inode
    problem: str | None = None  # "link out of the folder", "broken link", "unreadable", "not a file"
    sentence: str = ""


class FileGone(Exception):
    """A file vanished, changed or closed itself between being listed and being read."""


def walk(root: Path, starts: Iterable[Path]) -> Iterator[Found]:
    """Every file in and below `starts` (files or folders within `root`), real files before links, each once.

    `root` must be resolved. What cannot be entered or must not be followed comes with a `problem`.
    """
    entered: set[tuple[int, int]] = set()  # folders, by device and inode
    listed: set[tuple[int, int]] = set()  # files
    folders: deque[Path] = deque()
    links: deque[Path] = deque()
    for start in sorted(starts, key=os.fsencode):
        if start.is_symlink():
            links.append(start)
        elif start.is_dir():
            folders.append(start)
        else:
            found = _file(root, start, start)
            listed.add(found.identity)
            yield found
    while folders or links:
        if not folders:
            link = links.popleft()
            found = _link(root, link)
            if found.problem is not None:
                yield found
            elif found.real.is_dir():
                if not _is_within(found.real, Path(os.path.realpath(link.parent))):  # a link upwards is a loop
                    folders.append(link)
            elif found.identity not in listed:
                listed.add(found.identity)
                yield found
            continue
        folder = folders.popleft()
        try:
            state = folder.stat()
            if (state.st_dev, state.st_ino) in entered:
                continue
            entered.add((state.st_dev, state.st_ino))
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            yield _refused(root, folder, "unreadable", f"The folder {shown(folder)} cannot be read: {error.strerror}.")
            continue
        real_folder = Path(os.path.realpath(folder))
        for entry in entries:
            if is_ignored(entry.name):
                continue
            path = folder / entry.name
            if entry.is_symlink():
                links.append(path)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(path)
            else:
                found = _file(root, path, real_folder / entry.name)
                listed.add(found.identity)
                yield found


def is_ignored(name: str) -> bool:
    """Whether a name is one that people do not put there: hidden files, thumbnails' databases and their like."""
    return name.startswith(".") or name.casefold() in IGNORED_NAMES


def read_whole(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a regular file that is no link. Raises FileGone with a sentence, ValueError above `limit` bytes."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise FileGone(
                    f"{shown(path)} was a file when it was listed and is none now. Collect the folder again."
                )
            if state.st_size > limit:
                raise ValueError(f"The file has {state.st_size:,} bytes; the limit is {limit:,}.")
            return file.read()
    except OSError as error:
        raise FileGone(
            f"{shown(path)} was there when it was listed and cannot be read now ({error.strerror}). "
            "Collect the folder again."
        ) from error


def to_text(path: Path) -> str:
    """A path as valid Unicode: as it is where it can be, else as a `file:` address with its odd bytes in percent."""
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "file://" + quote(os.fsencode(text))
    return text


def from_text(text: str) -> Path:
    """The path that `to_text` wrote."""
    return Path(os.fsdecode(unquote_to_bytes(text[7:])) if text.startswith("file://") else text)


def shown(path: Path | str) -> str:
    r"""A path fit for a sentence: valid Unicode, odd bytes and line breaks as `\xff`, `\n`."""
    text = os.fsencode(os.fspath(path)).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _link(root: Path, path: Path) -> Found:
    try:
        real = Path(os.path.realpath(path, strict=True))
    except OSError as error:
        target = Path(os.path.realpath(path))
        if not _is_within(root, target):
            return _outside(root, path)
        return _refused(root, path, "broken link", f"The link {shown(path)} leads nowhere ({error.strerror}).")
    return _file(root, path, real) if _is_within(root, real) else _outside(root, path)


def _outside(root: Path, path: Path) -> Found:
    return _refused(
        root,
        path,
        "link out of the folder",
        f"The link {shown(path)} leads out of the folder that is collected. Copy what it means into the folder.",
    )


def _file(root: Path, path: Path, real: Path) -> Found:
    try:
        state = real.stat()
    except OSError as error:
        return _refused(root, path, "unreadable", f"{shown(path)} cannot be examined: {error.strerror}.")
    if not stat.S_ISREG(state.st_mode) and not stat.S_ISDIR(state.st_mode):
        return _refused(root, path, "not a file", f"{shown(path)} is a pipe, a socket or a device.")
    identity = (state.st_dev, state.st_ino)
    return Found(path, _below(root, path), real, state.st_size, state.st_mtime_ns, state.st_ctime_ns, identity)


def _refused(root: Path, path: Path, problem: str, sentence: str) -> Found:
    changed = 0
    with contextlib.suppress(OSError):
        changed = os.lstat(path).st_ctime_ns
    return Found(path, _below(root, path), path, changed_ns=changed, problem=problem, sentence=sentence)


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _is_within(root: Path, path: Path) -> bool:
    return path == root or root in path.parents
