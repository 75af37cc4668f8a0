"""Blobs: the bytes of one file each, stored once under their SHA-256 and never changed."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from jewel_assets.lake.banned import Takedowns, TakenDown

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/html": "html",
    "application/json": "json",
    "application/zip": "zip",
    "application/x-npz": "npz",
    "model/gltf-binary": "glb",
    "model/stl": "stl",
    "application/octet-stream": "bin",
}
"""Media type -> file name extension of its blobs."""

YOUNG = timedelta(days=1)
"""What was written, or written again, less than this ago may belong to a run that is going on: `gc` leaves it alone."""


def extension_of(media_type: str) -> str:
    """The extension that a blob of this media type is stored with. ValueError for a type the lake does not know."""
    try:
        return EXTENSIONS[media_type]
    except KeyError:
        raise ValueError(
            f"The lake does not store {media_type!r} yet: add its extension to EXTENSIONS in {__name__}."
        ) from None


@dataclass(frozen=True)
class Blob:
    """What `put` stored: the hash, type and size of some bytes."""

    sha256: str
    media_type: str
    bytes: int


@dataclass(frozen=True)
class StoredFile:
    """A file under `blobs/`: its path within the filesystem, its size, and when it was last written (UTC)."""

    path: str
    bytes: int
    modified: datetime

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]


def filesystem(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The filesystem of a path or URL, and the path within it.

    Listings are not cached: other processes write to the lake too, and what they wrote must be seen at once.
    """
    fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return fs, str(path)


class BlobStore:
    """The folder `{root}/blobs`, local or any fsspec filesystem. Picklable; safe for many writers at once."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._fs, base = filesystem(root)
        self._base = f"{base.rstrip('/')}/blobs"
        self.takedowns = Takedowns(root)

    def __reduce__(self) -> tuple[type["BlobStore"], tuple[str]]:
        return BlobStore, (self.root,)

    @property
    def is_local(self) -> bool:
        """Whether the lake is on a filesystem of this machine (or mounted on it)."""
        return isinstance(self._fs, LocalFileSystem)

    def path(self, sha256: str, media_type: str) -> str:
        """Where the blob lies within its filesystem: `{root}/blobs/ab/abcdef....png`."""
        return f"{self._base}/{sha256[:2]}/{sha256}.{extension_of(media_type)}"

    def local_path(self, sha256: str, media_type: str) -> Path | None:
        """The file on this machine's disk, or None where the lake is elsewhere."""
        return Path(self.path(sha256, media_type)) if self.is_local else None

    def exists(self, sha256: str, media_type: str) -> bool:
        """Whether the blob is stored."""
        return bool(self._fs.exists(self.path(sha256, media_type)))

    def size(self, sha256: str, media_type: str) -> int | None:
        """Its bytes, or None if it is not stored."""
        path = self.path(sha256, media_type)
        return int(self._fs.size(path)) if self._fs.exists(path) else None

    def get(self, sha256: str, media_type: str) -> bytes:
        """The bytes. Raises FileNotFoundError."""
        return self.read(self.path(sha256, media_type))

    def put(self, data: bytes, media_type: str) -> Blob:
        """Store `data` unless it is there already. Readers see all of it or nothing, whenever this process dies.

        Raises TakenDown for bytes that may not come back, under whatever name they come.
        """
        blob = Blob(hashlib.sha256(data).hexdigest(), media_type, len(data))
        if blob.sha256 in self.takedowns.recent().hashes:
            raise TakenDown(f"The blob {blob.sha256} was taken down (`jewel lake takedowns`), so it is not stored.")
        path = self.path(blob.sha256, media_type)
        if self._is_there_to_stay(path):
            return blob
        if self.is_local:
            self._write_locally(Path(path), data)
        else:
            self._fs.pipe_file(path, data)  # an object store shows an object only once it is whole
        return blob

    def _is_there_to_stay(self, path: str) -> bool:
        """Whether the blob is stored, and no `gc` that runs at this moment removes it before something refers to it."""
        try:
            if datetime.now(UTC) - _modified(self._fs.info(path)) < YOUNG / 2:
                return True
            if self.is_local:
                os.utime(path)
                return True
        except (FileNotFoundError, PermissionError):
            pass
        return False  # also for an old object: only writing it again makes it young

    def _write_locally(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), 0o444)  # exported hard links must not be edited in place
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def files(self) -> Iterator[StoredFile]:
        """All files under `blobs/`, by path; those left by a killed writer (`.*.tmp`) and foreign ones included."""
        if self._fs.exists(self._base):
            for path, facts in sorted(self._fs.find(self._base, detail=True).items()):
                yield _stored_file(str(path), facts)

    def files_of(self, hashes: Iterable[str]) -> list[StoredFile]:
        """The files of these blobs, whatever their extension, and what a killed writer left of them."""
        wanted = set(hashes)
        folders = sorted({f"{self._base}/{sha256[:2]}" for sha256 in wanted})
        with ThreadPoolExecutor(1 if self.is_local else 32) as pool:
            listed = [facts for listing in pool.map(self._listing, folders) for facts in listing]
        files = [_stored_file(str(facts["name"]), facts) for facts in listed]
        return [file for file in files if file.name.lstrip(".").split(".", 1)[0] in wanted]

    def _listing(self, folder: str) -> list[Mapping[str, Any]]:
        try:
            return [facts for facts in self._fs.ls(folder, detail=True) if facts["type"] == "file"]
        except FileNotFoundError:
            return []

    def read(self, path: str) -> bytes:
        """The bytes of a file that `files` named. Raises FileNotFoundError."""
        with self._fs.open(path, "rb") as file:
            return bytes(file.read())

    def remove(self, path: str) -> None:
        """Remove a file that `files` named, unless it is gone already."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def is_young(self, path: str) -> bool:
        """Whether a file was written, or written again, within YOUNG; also if it is gone."""
        try:
            return datetime.now(UTC) - _modified(self._fs.info(path)) < YOUNG
        except FileNotFoundError:
            return True

    def remove_all(self, files: Iterable[StoredFile]) -> None:
        """Remove these, unless they are gone already."""
        with ThreadPoolExecutor(1 if self.is_local else 32) as pool:
            list(pool.map(self.remove, [file.path for file in files]))

    def missing(self, blobs: Iterable[tuple[str, str]]) -> list[str]:
        """Hashes of those (sha256, media type) pairs that are not here."""
        wanted = list(dict.fromkeys(blobs))
        with ThreadPoolExecutor(1 if self.is_local else 32) as pool:
            there = list(pool.map(lambda blob: self.exists(*blob), wanted))
        return [sha256 for (sha256, _), found in zip(wanted, there, strict=True) if not found]


def _stored_file(path: str, facts: Mapping[str, Any]) -> StoredFile:
    return StoredFile(path, int(facts["size"]), _modified(facts))


def _modified(facts: Mapping[str, Any]) -> datetime:
    """When a file was last written, from what its filesystem says about it; now, if it does not say."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        found = facts.get(name)
        if isinstance(found, datetime):
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(found, int | float):
            return datetime.fromtimestamp(found, UTC)
    return datetime.now(UTC)
