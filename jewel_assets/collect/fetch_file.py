"""The stage that fetches: from a row that a search found to a file that the lake keeps.

One process with many threads, because what it keeps to (places and rates of a host, pauses that a server asked for) is
counted in one place; pictures are decoded outside Python's lock, so it fills two cores.
"""

import abc
import functools
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from jewel_assets.collect.addresses import AddressRefused, NoSuchHost
from jewel_assets.collect.answers import Delayed, KeyRefused, Received, Refusal
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.photo_file import JPEG_QUALITY, PhotoLimits, Refused, decode_photo
from jewel_assets.collect.robots import Disallowed
from jewel_assets.collect.source import Source, open_fetcher
from jewel_assets.errors import Permanent
from jewel_assets.lake.banned import TAKEN_DOWN, WHY, TakenDown
from jewel_assets.lake.schema import UTC_MICROSECONDS
from jewel_assets.lake.stages import Failed, Item, Made, Rejected, Result, Stage
from jewel_assets.settings import settings

KEY_REFUSALS = 5
"""So many refusals of the key in a row mean that it will be refused for ever."""

NIGHTS = 3
USELESS = ("not an image", "empty file", "truncated", "damaged", "not a model", "damaged file", "unexpected answer")
"""What comes of a file that may be whole tomorrow, and after so many nights is taken for what it is."""

FILE_COLUMNS = (
    pa.field("fetched_at", UTC_MICROSECONDS),
    pa.field("title", pa.string()),
    pa.field("credit", pa.string()),  # the line to print beside it
    pa.field("author_url", pa.string()),
    pa.field("query", pa.string()),  # that found it
    pa.field("file_bytes", pa.int64()),  # as received
    pa.field("etag", pa.string()),
    pa.field("last_modified", pa.string()),
)
"""What is written down of every file that was fetched, whatever it is."""

TAKEN = Rejected(TAKEN_DOWN, error=WHY)
"""Of a file whose bytes were taken down: nothing more is written down of it."""


@dataclass(frozen=True)
class FetchFile(Stage):
    """Receives the file of each row and keeps it. Subclasses say what is done with the bytes (`keep`).

    Its rows come from `collecting.plan`. Rejects what will stay so: "gone at the source", "noai", "not allowed",
    "disallowed by robots.txt", "file too large", and the reasons of `keep`. What may pass fails, and the next run tries
    it again: "rate limited", "server error", "took too long", "broke off", "no such host", "address refused", "too many
    redirects". What is of no use three nights in a row ("not an image", "truncated") is rejected then.

    What the source tells of a photo (title, credit) is part of its key: another credit makes another row. Its file is
    remembered by what the file depends on, so that this fetches nothing.
    """

    one_process: ClassVar[bool] = True
    version: ClassVar[str] = "1"

    source: Source
    state: str | None = None  # folder of what must outlive the process: archive, quotas, pauses
    threads: int = 16
    batch_size: int = 64

    def parameters(self) -> Mapping[str, Any]:
        """Those of the source."""
        return dict(self.source.parameters)

    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        """Which version of which file, what is told of it, and how often it was refused and is tried again."""
        told = [str(row.get(name) or "") for name in ("title", "credit", "author_url")]
        return [row["source"], row["source_id"], row["version"], *told, *[f"again {row['again']}"] * bool(row["again"])]

    def file_key(self, row: Mapping[str, Any]) -> str:
        """The key under which the archive remembers what came of the file."""
        parts = [row["source"], row["source_id"], row["version"], row["again"], self.name, self.version]
        return hashlib.sha256(json.dumps([*parts, self.parameters()], sort_keys=True).encode()).hexdigest()

    def setup(self, threads: int) -> None:
        """Open connections and files."""
        fetcher = open_fetcher(self.source, Path(self.state) if self.state else None)
        object.__setattr__(self, "_fetcher", fetcher)
        object.__setattr__(self, "_pool", ThreadPoolExecutor(self.threads, "fetch"))
        object.__setattr__(self, "_refusals", [])

    def __getstate__(self) -> dict[str, Any]:
        """Without connections."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One result per row; all rows at once, as far as their hosts allow."""
        pool: ThreadPoolExecutor = self._pool  # type: ignore[attr-defined]
        return list(pool.map(self._result, items))

    def told(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the source told of a row that is kept beside its file: columns of `output`. `extra` is a dict."""
        return {name: row.get(name) for name in ("title", "credit", "author_url", "query")}

    @abc.abstractmethod
    def keep(self, received: Received) -> tuple[Result, bytes | None]:
        """What becomes of a file that was received, and the bytes to store where it is `Made` (without data)."""

    def _result(self, item: Item) -> Result:
        fetcher: Fetcher = self._fetcher  # type: ignore[attr-defined]
        row = {**item.row, "extra": json.loads(item.row["extra"])}
        key = self.file_key(item.row)
        known = fetcher.archive.file(key)
        if known is not None and (remembered := _remembered(known, item, self.told(row))) is not None:
            return remembered
        result = self._fetched(fetcher, item, row)
        if isinstance(result, Failed) and result.reason in USELESS and row["useless_before"] + 1 >= NIGHTS:
            result = Rejected(result.reason, result.columns, error=f"{result.error} It was so {NIGHTS} times.")
        if isinstance(result, Made | Rejected) and result != TAKEN:
            fetcher.archive.keep_file(key, _told(result))
        return result

    def _fetched(self, fetcher: Fetcher, item: Item, row: Mapping[str, Any]) -> Result:
        columns = {**self.told(row), "fetched_at": datetime.now(UTC)}
        refusals: list[str] = self._refusals  # type: ignore[attr-defined]
        try:
            received = self.source.fetch(fetcher, row)
        except KeyRefused as error:
            if not self.source.secrets:  # where a photo lies, somebody wants a password
                return Rejected("not allowed", columns, error=str(error))
            refusals.append(str(error))
            if len(refusals) >= KEY_REFUSALS:
                raise Permanent(f"{refusals[-1]} Set the key of {self.source.name} anew (.env).") from None
            return Failed(error.reason, str(error), columns)
        except Refusal as error:
            passing = error.reason in ("too many redirects", "unexpected answer", "not trusted", "insecure redirect")
            return (Failed if passing else Rejected)(error.reason, error=str(error), columns=columns)
        except AddressRefused as error:
            return Failed("address refused", str(error), columns)  # the operator may list the address
        except Disallowed as error:
            return Rejected("disallowed by robots.txt", columns, error=str(error))
        except NoSuchHost as error:
            return Failed("no such host", str(error), columns)
        except Delayed as error:
            return Failed(error.reason, str(error), columns)
        refusals.clear()
        with received.file:
            result, data = self.keep(received)
        columns |= {"file_bytes": received.length, "etag": received.etag, "last_modified": received.last_modified}
        if isinstance(result, Made) and data is not None:
            return _stored(item, result, data, columns)
        if isinstance(result, Rejected | Failed):
            return type(result)(result.reason, error=result.error, columns=columns | dict(result.columns))
        return result


@dataclass(frozen=True)
class FetchPhoto(FetchFile):
    """Receives a photo and makes of it an upright 8-bit sRGB JPEG, PNG or WebP without metadata, as `ReadPhoto` does.

    An answer that is no picture, whatever its status says, fails: "not an image", "truncated", "damaged". What is one
    and is too large, too small or of no format that we keep is rejected.
    """

    name: ClassVar[str] = "fetch_photo"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            *FILE_COLUMNS,
            pa.field("original_media_type", pa.string()),  # by content, whatever the server says
            pa.field("original_width", pa.int32()),  # pixels, before the photo was turned upright
            pa.field("original_height", pa.int32()),
            pa.field("original_colours", pa.string()),  # "Display P3", "CMYK"; null where the file says nothing
            pa.field("changes", pa.string()),  # "turned upright, coded anew"; empty where the bytes were kept
        ]
    )

    max_pixels: int = field(default_factory=lambda: settings().max_image_pixels)
    max_side: int = field(default_factory=lambda: settings().max_image_side)  # pixels
    min_side: int = PhotoLimits.min_side  # pixels

    def parameters(self) -> Mapping[str, Any]:
        """The source's, the limits, and the quality of what is coded anew."""
        limits = {"max_pixels": self.max_pixels, "max_side": self.max_side, "min_side": self.min_side}
        return {**self.source.parameters, **limits, "jpeg_quality": JPEG_QUALITY}

    def keep(self, received: Received) -> tuple[Result, bytes | None]:
        """Decode it, distrusting it."""
        try:
            with _decoders():  # a photo of 100 megapixels takes 300 MB while it is decoded
                photo = decode_photo(received.read(), PhotoLimits(self.max_pixels, self.max_side, self.min_side))
        except Refused as refusal:
            if refusal.reason in USELESS:
                return Failed(refusal.reason, str(refusal)), None
            return Rejected(refusal.reason, error=str(refusal)), None
        columns = {
            "original_media_type": photo.original_media_type,
            "original_width": photo.original_width,
            "original_height": photo.original_height,
            "original_colours": photo.colours,
            "changes": ", ".join(photo.changes),
        }
        made = Made(columns, photo.engine, None, photo.media_type, photo.width, photo.height)
        return made, photo.data


@functools.cache
def _decoders() -> threading.BoundedSemaphore:
    """As many places to decode in as there are cores."""
    return threading.BoundedSemaphore(settings().cores)


def _stored(item: Item, made: Made, data: bytes, columns: Mapping[str, Any]) -> Made | Rejected:
    """The result, once its bytes are in the lake: the archive may only tell of what is there. Or TAKEN."""
    assert item.blobs is not None  # the runner gives every item the lake's
    assert made.media_type is not None
    try:
        blob = item.blobs.put(data, made.media_type)
    except TakenDown:
        return TAKEN
    return Made({**columns, **made.columns}, made.engine, width=made.width, height=made.height, stored=blob)


def _told(result: Made | Rejected) -> dict[str, Any]:
    """A result as JSON."""
    columns = {name: str(value) if isinstance(value, datetime) else value for name, value in result.columns.items()}
    if isinstance(result, Rejected):
        return {"status": "rejected", "reason": result.reason, "error": result.error, "columns": columns}
    assert result.stored is not None
    made = {name: getattr(result, name) for name in ("width", "height", "engine")}
    return {"status": "ok", "columns": columns, **made, **asdict(result.stored)}


def _remembered(told: Mapping[str, Any], item: Item, today: Mapping[str, Any]) -> Result | None:
    """The result that `_told` wrote, with what the source tells today; None if its bytes are no longer in the lake."""
    columns = {**told["columns"], **today}
    columns["fetched_at"] = datetime.fromisoformat(columns["fetched_at"])
    if told["status"] == "rejected":
        return Rejected(told["reason"], columns, error=told["error"])
    assert item.blobs is not None
    try:
        data = item.blobs.get(told["sha256"], told["media_type"])
    except FileNotFoundError:
        return None
    made = Made({}, told["engine"], media_type=told["media_type"], width=told["width"], height=told["height"])
    return _stored(item, made, data, columns)
