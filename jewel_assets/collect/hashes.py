"""The SHA-256 of many files, remembered between runs so that an unchanged folder is not read again."""

import contextlib
import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jewel_assets.collect.walk import Found

log = logging.getLogger(__name__)

SETTLED_NS = 2_000_000_000
"""A file changed less than 2 s before it was hashed may change again within the same time stamp (FAT counts in 2 s)."""

_FORMAT = 1


def sha256_of(files: Sequence[Found], memory: Path | None = None, threads: int = 4) -> list[str | OSError]:
    """The hash of each file, or why it could not be read.

    `memory` is a file, written by this function, with the hashes of the last run: a file whose size, inode, time of
    change and time of inode change are the same is not read again. A memory that is missing or damaged costs time only.
    """
    known = _recall(memory)
    fingerprints = [_fingerprint(file) for file in files]
    hashes: list[str | OSError | None] = [known.get(fingerprint) for fingerprint in fingerprints]
    missing = [index for index, value in enumerate(hashes) if value is None]
    started = time.time_ns()
    with ThreadPoolExecutor(threads) as pool:
        for index, value in zip(missing, pool.map(lambda index: _hash(files[index]), missing), strict=True):
            hashes[index] = value
    result = [value if value is not None else OSError("not hashed") for value in hashes]
    if memory is not None:
        settled = {
            fingerprint: value
            for file, fingerprint, value in zip(files, fingerprints, result, strict=True)
            if isinstance(value, str) and max(file.modified_ns, file.changed_ns) + SETTLED_NS < started
        }
        if settled != known:
            _remember(memory, settled)
    return result


def _fingerprint(file: Found) -> str:
    # Without the path: a moved file keeps its hash, and odd names need no escaping here.
    device, inode = file.identity
    return f"{device}:{inode}:{file.size}:{file.modified_ns}:{file.changed_ns}"


def _hash(file: Found) -> str | OSError:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(file.real, "rb", buffering=0, opener=lambda name, _: os.open(name, flags)) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return error


def _recall(memory: Path | None) -> dict[str, str]:
    if memory is None:
        return {}
    try:
        kept = json.loads(memory.read_text())
        if kept["format"] == _FORMAT:
            return {str(key): str(value) for key, value in kept["hashes"].items()}
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.info("The memory of file hashes %s is of no use (%s): all files are read again.", memory, error)
    return {}


def _remember(memory: Path, hashes: dict[str, str]) -> None:
    temporary = memory.with_name(f".{memory.name}.{uuid.uuid4().hex}.tmp")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"format": _FORMAT, "hashes": hashes}))
        temporary.replace(memory)
    except OSError as error:
        log.info("The memory of file hashes %s cannot be written (%s): the next run reads all again.", memory, error)
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
