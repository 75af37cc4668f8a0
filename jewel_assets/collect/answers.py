"""What comes of asking a server: an answer, a file, or one of a few failures that have a name."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import IO, Any

from jewel_assets.errors import Permanent, Transient


class Refusal(Permanent):
    """An answer that is no file of the item, and that asking again does not change. `reason` is short and countable.

    `status` is the answer's, where it was the status that refused.
    """

    def __init__(self, reason: str, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.status = status


class Gone(Refusal):
    """404 or 410: there is no such thing any more."""

    def __init__(self, sentence: str) -> None:
        super().__init__("gone at the source", sentence)


class KeyRefused(Refusal):
    """401: the key is wrong, or was withdrawn."""

    def __init__(self, sentence: str) -> None:
        super().__init__("key refused", sentence)


class Delayed(Transient):
    """The server is busy, broken or out of patience; `reason` as in `Refusal`."""

    def __init__(self, reason: str, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence, retry_after)
        self.reason = reason


@dataclass
class Received:
    """A file that was received whole: its bytes lie in `file`, at most IN_MEMORY_BYTES of it in memory."""

    file: IO[bytes]
    length: int  # bytes
    media_type: str  # as the server says; never trusted
    etag: str | None
    last_modified: str | None
    url: str  # where it was in the end, after redirects

    def read(self) -> bytes:
        """All of it."""
        self.file.seek(0)
        return self.file.read()


@dataclass(frozen=True)
class Answer:
    """What a program's interface answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    reused: bool = False  # it was known, and nothing was asked

    def json(self) -> Any:
        """The body as JSON. Raises Delayed for what is none: a maintenance page, say."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Delayed("not JSON", f"The answer should be JSON and is not ({error}).") from error


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, a number of seconds or a date (RFC 9110, 10.2.3); None without one."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def words_of(body: bytes) -> str:
    """The words of an error: of `{"errors": [...]}`, `{"detail": ...}`, or the first line of a text."""
    try:
        found = json.loads(body)
    except ValueError:
        return " ".join(body[:200].decode("utf-8", "replace").split())
    if isinstance(found, dict):
        words = found.get("errors") or found.get("detail") or found.get("message") or found.get("error") or found
        return "; ".join(map(str, words))[:200] if isinstance(words, list) else str(words)[:200]
    return str(found)[:200]
