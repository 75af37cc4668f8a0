"""What comes of asking a server: an answer, a file, or one of a few failures that have a name."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import IO, Any

from jewel_assets.errors import Permanent, Transient

LONGEST_PAUSE_S = 86_400.0
"""A server that asks to be left alone for longer is believed for a day."""
_WORDS = 200  # characters of an error that are quoted


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
        return self._parsed

    @cached_property
    def _parsed(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Delayed("not JSON", f"The answer should be JSON and is not ({error}).") from error


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, a number of seconds or a date (RFC 9110, 10.2.3), at most LONGEST_PAUSE_S;
    None without one.
    """
    value = (headers.get("Retry-After") or "").strip()
    seconds: float | None = whole_number(value)
    if seconds is None:
        try:
            date = parsedate_to_datetime(value)
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError, IndexError):  # all that the parser raises for what is no date
            return None
    return min(max(0.0, seconds), LONGEST_PAUSE_S)


def whole_number(text: str) -> int | None:
    """The number that a header writes in digits, as HTTP has them (no sign, ASCII alone), or None.

    What has more than 15 of them is as good as 10^15: Python refuses to read thousands.
    """
    if not re.fullmatch("[0-9]+", text):
        return None
    return int(text) if len(text) <= 15 else 10**15


def words_of(body: bytes, hide: Callable[[str], str]) -> str:
    """The words of an error: of `{"errors": [...]}`, `{"detail": ...}`, or the beginning of a text; `hide` takes keys
    out of them, before they are cut.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = " ".join(body.decode("utf-8", "replace").split())
    if isinstance(found, dict):
        found = found.get("errors") or found.get("detail") or found.get("message") or found.get("error") or found
    words = "; ".join(map(str, found)) if isinstance(found, list) else str(found)
    return hide(words)[:_WORDS]
