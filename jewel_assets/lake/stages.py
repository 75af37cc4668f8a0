"""What a stage is: something done to each item, and what can become of an item.

A stage is an ordinary picklable object (a dataclass of its parameters). The runner sends it to worker processes,
calls `setup` once in each, then `process` on one batch after another. A stage never loops over a dataset, never
retries, never writes to the lake: `lake.runner` does, once for all stages.
"""

import abc
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import pyarrow as pa

from jewel_assets.lake.blobs import Blob, BlobStore


@dataclass(frozen=True)
class Item:
    """One row of a dataset, and the bytes that it stands for."""

    row: Mapping[str, Any]
    blobs: BlobStore | None = field(default=None, repr=False, compare=False)

    @property
    def item_id(self) -> str:
        """`{source}:{source_id}`, the same through all stages."""
        return str(self.row["item_id"])

    @property
    def category(self) -> str:
        """The jewellery category it is filed under."""
        return str(self.row["category"])

    @cached_property
    def data(self) -> bytes:
        """The bytes of the row's blob. Raises FileNotFoundError if the lake has lost it."""
        if self.blobs is None:
            raise ValueError(f"Item {self.item_id} was made without a blob store: pass `blobs=` to read its bytes.")
        return self.blobs.get(self.row["sha256"], self.row["media_type"])


@dataclass(frozen=True)
class Made:
    """The item is ok. With `data` it becomes a new blob; without, its blob is `stored`, or the one it came with."""

    columns: Mapping[str, Any] = field(default_factory=dict)  # values for `Stage.output`
    engine: str = ""  # name and version of what made it
    data: bytes | None = field(default=None, repr=False)
    media_type: str | None = None
    width: int | None = None  # pixels
    height: int | None = None
    beside: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Further blobs of the item: the column of `Stage.output` (a `schema.blob_field`) that names each -> its bytes."""
    stored: Blob | None = None  # what the stage put into the lake itself


@dataclass(frozen=True)
class Rejected:
    """The item does not belong in the dataset. `reason` is short and countable: "no subject", "duplicate"."""

    reason: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    engine: str = ""
    error: str = ""  # one sentence with the details of this item


@dataclass(frozen=True)
class Review:
    """A person should decide. Not published until one has."""

    reason: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    engine: str = ""


@dataclass(frozen=True)
class Failed:
    """Something broke. Stages raise; the runner writes this."""

    reason: str  # the exception's class name, or "worker killed"
    error: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    engine: str = ""


Result = Made | Rejected | Review | Failed


class Stage(abc.ABC):
    """Something done to each item. Subclass as a (frozen or not) dataclass whose fields are the parameters."""

    name: ClassVar[str]
    version: ClassVar[str]  # raise it when the same input would now give another result
    output: ClassVar[pa.Schema] = pa.schema([])  # the columns it adds to those of its input
    one_process: ClassVar[bool] = False  # True for what keeps to limits that are counted in one place
    batch_size: int = 8

    @abc.abstractmethod
    def parameters(self) -> Mapping[str, Any]:
        """Everything, as JSON-able values, that changes a result: it becomes part of every item's key."""

    def weights(self) -> Mapping[str, str]:
        """Model name -> SHA-256 of its weights, for the models this stage uses."""
        return {}

    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        """What of the row the result depends on: the hash of its blob, unless a stage says otherwise."""
        return [str(row["sha256"])]

    def setup(self, threads: int) -> None:  # noqa: B027, most stages have nothing to load
        """Load models, once in each worker process, using at most `threads` threads."""

    @abc.abstractmethod
    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One result per item, in order. What it raises fails the items of the batch that caused it, one by one."""

    def key(self, row: Mapping[str, Any]) -> str:
        """The key under which this row's result is kept and reused."""
        parts = [list(self.inputs(row)), self.name, self.version, self.parameters(), dict(self.weights())]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Selection(abc.ABC):
    """A decision over a whole category (or all) at once: which items stay. Writes no blobs."""

    name: ClassVar[str]
    version: ClassVar[str]
    output: ClassVar[pa.Schema] = pa.schema([])

    @abc.abstractmethod
    def parameters(self) -> Mapping[str, Any]:
        """Everything, as JSON-able values, that changes a decision."""

    @abc.abstractmethod
    def choose(self, items: pa.Table) -> Sequence[Result]:
        """One result per row of `items`, in order: `Made` (kept), `Rejected` or `Review`."""
