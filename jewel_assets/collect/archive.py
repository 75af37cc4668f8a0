"""What was fetched, by the key of the item: written the moment a file is kept, so that no byte is asked for twice.

Outcomes reach the lake every few hundred items or seconds, and a run may be killed in between. This file (SQLite, its
writes survive `kill -9`) closes that gap, and it remembers answers of programs' interfaces for a while, with what is
needed to ask whether they changed (ETag, Last-Modified).
"""

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGES_KEPT_S = 60 * 86_400.0
"""Answers that were not confirmed for so long are forgotten: longer than any is used without asking again."""


@dataclass(frozen=True)
class Page:
    """An answer that was remembered."""

    body: bytes
    at: float  # seconds since 1970 when it was last known to be so
    etag: str | None
    last_modified: str | None


class Archive:
    """The file `path`, shared by any number of threads and processes. With None nothing is remembered."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")  # what a power cut may lose is fetched again
            self._database.execute("CREATE TABLE IF NOT EXISTS files (key TEXT PRIMARY KEY, told TEXT NOT NULL)")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS pages (address TEXT PRIMARY KEY, body BLOB NOT NULL, at REAL NOT NULL, "
                "etag TEXT, last_modified TEXT)"
            )
            self._database.execute("CREATE INDEX IF NOT EXISTS pages_at ON pages (at)")
            self._do("DELETE FROM pages WHERE at < ?", (time.time() - PAGES_KEPT_S,))

    def file(self, key: str) -> dict[str, Any] | None:
        """What `keep_file` was told of this key, or None."""
        row = self._one("SELECT told FROM files WHERE key = ?", (key,))
        return None if row is None else dict(json.loads(row[0]))

    def keep_file(self, key: str, told: Mapping[str, Any]) -> None:
        """Remember what came of the item with this key."""
        self._do("INSERT OR REPLACE INTO files VALUES (?, ?)", (key, json.dumps(told, ensure_ascii=False)))

    def page(self, address: str) -> Page | None:
        """The answer of this address as it was last seen, or None."""
        row = self._one("SELECT body, at, etag, last_modified FROM pages WHERE address = ?", (address,))
        return None if row is None else Page(*row)

    def keep_page(self, address: str, body: bytes, etag: str | None, last_modified: str | None) -> None:
        """Remember an answer."""
        self._do(
            "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?)", (address, body, time.time(), etag, last_modified)
        )

    def confirm_page(self, address: str) -> None:
        """The answer is still the same."""
        self._do("UPDATE pages SET at = ? WHERE address = ?", (time.time(), address))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _one(self, query: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        with self._lock:
            if self._database is None:
                return None
            row: tuple[Any, ...] | None = self._database.execute(query, values).fetchone()
            return row

    def _do(self, query: str, values: tuple[Any, ...]) -> None:
        with self._lock:
            if self._database is not None:
                self._database.execute(query, values)
