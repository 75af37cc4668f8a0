"""Stages that do little, or something bad, for the tests of the runner. Importable, as every real stage is."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from jewel_assets.errors import Permanent, Transient
from jewel_assets.lake import Item, Lake, Made, Rejected, Result, Review, Selection, Stage


def items_of(lake: Lake, number: int, category: str = "ring", text: str = "photo") -> pa.Table:
    """That many items, each with a blob of its own in the lake."""
    rows = []
    for i in range(number):
        blob = lake.blobs.put(f"{text} {i}".encode(), "image/png")
        rows.append(
            {
                "item_id": f"folder:{i:05d}",
                "category": category,
                "sha256": blob.sha256,
                "media_type": blob.media_type,
                "bytes": blob.bytes,
                "width": 10,
                "height": 20,
                "source": "folder",
                "source_id": f"{i:05d}",
                "author": "Ada",
                "licence": "CC0-1.0",
                "may_train": True,
                "fetched_at": datetime(2026, 1, 2, tzinfo=UTC),
                "engine": "reader 1",
                "path": f"/photos/{i}.png",
            }
        )
    schema = pa.schema([("width", pa.int32()), ("height", pa.int32())])
    table = pa.Table.from_pylist(rows)
    return table.cast(pa.schema([schema.field(f.name) if f.name in schema.names else f for f in table.schema]))


@dataclass
class Shout(Stage):
    """Writes the item's bytes in capitals, and notes in `journal` each item that it does."""

    name: ClassVar[str] = "shout"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema([pa.field("length", pa.int32(), nullable=False)])
    batch_size: int = 4
    mark: str = "!"
    seconds: float = 0.0
    journal: str = ""
    does: Mapping[str, Sequence[int]] = field(default_factory=dict)  # what goes wrong -> with which items

    def parameters(self) -> Mapping[str, Any]:
        return {"mark": self.mark}

    def setup(self, threads: int) -> None:
        self.threads = threads
        self._note(f"setup {os.getpid()} {threads}")
        if "setup raises" in self.does:
            raise ValueError("the model is no model")
        if "setup is permanent" in self.does:
            raise Permanent("The model has the wrong hash: fetch it again.")
        if "setup kills" in self.does:
            os.kill(os.getpid(), signal.SIGKILL)

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        results = [self._one(item) for item in items]
        return results[:-1] if "miscounts" in self.does else results

    def _one(self, item: Item) -> Result:
        number = int(item.item_id.split(":")[1])
        self._note(f"start {number}")
        time.sleep(self.seconds)
        for what, numbers in self.does.items():
            if number in numbers:
                result = self._misbehave(what, number)
                if result is not None:
                    return result
        data = item.data.upper() + self.mark.encode()
        self._note(f"done {number}")
        return Made({"length": len(data)}, "shouter 1", data, "image/png", 3, 4)

    def _misbehave(self, what: str, number: int) -> Result | None:
        match what:
            case "raises":
                raise ValueError(f"item {number} is odd")
            case "is transient":
                raise Transient("try later", retry_after=0.01)
            case "is transient once":
                if Path(self.journal).read_text().count(f"start {number}\n") < 3:
                    raise Transient("try later", retry_after=0.01)
            case "is permanent":
                raise Permanent("The key is wrong: set JEWEL_KEY.")
            case "kills":
                os.kill(os.getpid(), signal.SIGKILL)
            case "kills once":
                if Path(self.journal).read_text().count(f"start {number}\n") < 2:
                    os.kill(os.getpid(), signal.SIGKILL)
            case "crashes":
                import ctypes

                ctypes.string_at(0)
            case "exits":
                os._exit(3)
            case "asks to exit":
                raise SystemExit(4)
            case "is rejected":
                return Rejected("no subject", {"length": 0}, "shouter 1", "nothing there")
            case "needs review":
                return Review("two people", engine="shouter 1")
            case "keeps":
                return Made({"length": 1}, "keeper 1")
            case "has a strange column":
                return Made({"length": 1, "breadth": 2})
            case "has a strange value":
                return Made({"length": "long"})
            case "has no length":
                return Made({})
        return None

    def _note(self, line: str) -> None:
        if self.journal:
            with Path(self.journal).open("a") as file:
                file.write(line + "\n")


@dataclass
class ReadText(Stage):
    """A raw stage: its items have a path and no blob."""

    name: ClassVar[str] = "read_text"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema([pa.field("fetched_at", pa.timestamp("us", "UTC"))])
    batch_size: int = 4

    def parameters(self) -> Mapping[str, Any]:
        return {}

    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        return [str(row["digest"])]

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        at = datetime(2026, 3, 4, tzinfo=UTC)
        return [Made({"fetched_at": at}, "reader 1", Path(i.row["path"]).read_bytes(), "image/png") for i in items]


@dataclass
class Embed(Stage):
    """Gives each item a vector whose length is a parameter, as different engines do."""

    name: ClassVar[str] = "embed"
    version: ClassVar[str] = "1"
    length: int = 3

    @property
    def output(self) -> pa.Schema:
        return pa.schema([pa.field("embedding", pa.list_(pa.float32(), self.length))])

    def parameters(self) -> Mapping[str, Any]:
        return {"length": self.length}

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        vectors = [np.full(self.length, len(item.data), np.float32) for item in items]
        return [Made({"embedding": vector}, f"embedder {self.length}") for vector in vectors]


@dataclass
class FirstOf(Selection):
    """Keeps the first `keep` items, rejects the others."""

    name: ClassVar[str] = "first_of"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema([pa.field("group", pa.int32()), pa.field("duplicate_of", pa.string())])
    keep: int = 2

    def parameters(self) -> Mapping[str, Any]:
        return {"keep": self.keep}

    def choose(self, items: pa.Table) -> Sequence[Result]:
        ids = items.column("item_id").to_pylist()
        return [
            Made({"group": place})
            if place < self.keep
            else Rejected("duplicate", {"group": place, "duplicate_of": ids[0]})
            for place in range(len(ids))
        ]
