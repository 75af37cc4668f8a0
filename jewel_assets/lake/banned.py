"""What was taken down and may never come back: `{root}/takedowns`, an append-only Delta table.

`lake.takedowns` removes; here is the record that all writers keep to, of blobs, of published rows and of appended ones.
They look at it before they write, and once more after: a takedown is recorded before it looks for what to remove, so
that either it sees what was written, or the writer sees the takedown.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.lake.schema import OUTCOME_SCHEMA, UTC_MICROSECONDS, hash_columns, sheet_columns
from jewel_assets.lake.tables import DeltaFile, one_of

Kind = Literal["item", "author", "sha256"]

TAKEN_DOWN = "taken down"
"""The reason of the outcome of an item that was."""

WHY = "Somebody who may asked for it to be removed (`jewel lake takedowns`)."

RECENT_SECONDS = 2.0
"""Storing a blob asks for takedowns only so often. What comes in between is found when its outcome is written down."""

TAKEDOWN_SCHEMA = pa.schema(
    [
        pa.field("category", pa.string(), nullable=False),  # the partition column that every table has: always "all"
        pa.field("kind", pa.string(), nullable=False),  # item | author | sha256
        pa.field("value", pa.string(), nullable=False),
        pa.field("asked_for", pa.string(), nullable=False),  # the request that this row came of: "author Anna Muster"
        pa.field("by", pa.string(), nullable=False),
        pa.field("note", pa.string()),
        pa.field("at", UTC_MICROSECONDS, nullable=False),
    ]
)


class TakenDown(Exception):
    """These bytes may not be stored: somebody who may asked for them to be removed."""


@dataclass(frozen=True)
class Banned:
    """What may not come back, as it was recorded at one moment."""

    version: int = -1  # of the table; -1: nothing was ever taken down
    items: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()
    last: datetime | None = None  # when something was recorded last

    def speaks_of(self, row: Mapping[str, Any]) -> bool:
        """Whether a takedown speaks of this row: by its item, its author, or any bytes that it names."""
        return any(row.get(column) in values for column, values in self._of(row))

    def hits(self, rows: pa.Table) -> pa.ChunkedArray:
        """Which of the rows a takedown speaks of, as booleans."""
        hits = pa.chunked_array([pa.array([False] * rows.num_rows, pa.bool_())])
        for column, values in self._of(rows.column_names):
            hits = pc.or_(hits, is_one_of(rows, column, values))
        return hits

    def without(self, rows: pa.Table) -> pa.Table:
        """The rows that no takedown speaks of. Pictures of many items that show one of the others are not named."""
        hits = self.hits(rows)
        if not pc.any(hits).as_py():
            return rows
        gone, rows = rows.filter(hits), rows.filter(pc.invert(hits))
        for column in sheet_columns(rows.column_names):
            shown = is_one_of(rows, column, gone.column(column).to_pylist())
            kept = pc.if_else(shown, pa.scalar(None, rows.schema.field(column).type), rows.column(column))
            rows = rows.set_column(rows.column_names.index(column), rows.schema.field(column), kept)
        return rows

    def predicate(self, rows: pa.Table) -> str:
        """SQL that selects those of these rows that a takedown speaks of, and others that it speaks of as they do."""
        parts = [
            one_of(column, values & set(rows.column(column).to_pylist()))
            for column, values in self._of(rows.column_names)
        ]
        return f"({' OR '.join(parts)})"

    def _of(self, columns: Iterable[str]) -> list[tuple[str, frozenset[str]]]:
        columns = list(columns)
        named = {"item_id": self.items, "author": self.authors}
        shared = sheet_columns(columns)
        named |= {column: self.hashes for column in hash_columns(columns) if column not in shared}
        return [(column, values) for column, values in named.items() if values and column in columns]


class Takedowns:
    """The record. Picklable; reads the table anew at each question."""

    def __init__(self, root: str) -> None:
        self.file = DeltaFile(f"{root}/takedowns")
        self._recent = (float("-inf"), Banned())

    def read(self) -> pa.Table:
        """Every record, oldest first."""
        rows = self.file.read()
        return TAKEDOWN_SCHEMA.empty_table() if rows is None else rows.sort_by([("at", "ascending")])

    def now(self) -> Banned:
        """What is taken down at this moment."""
        return self._since(Banned())

    def recent(self) -> Banned:
        """What was taken down RECENT_SECONDS ago, and perhaps later: for what is asked thousands of times."""
        asked, known = self._recent
        if time.monotonic() - asked >= RECENT_SECONDS:
            asked = time.monotonic()  # before the look: what it tells is no older than this
            known = self._since(known)
            self._recent = (asked, known)
        return known

    def values(self, kind: Kind) -> set[str]:
        """What is taken down of one kind."""
        banned = self.now()
        return set({"item": banned.items, "author": banned.authors, "sha256": banned.hashes}[kind])

    def item_ids(self) -> set[str]:
        """Ids of items that are taken down."""
        return self.values("item")

    def without(self, rows: pa.Table) -> pa.Table:
        """The rows that no takedown speaks of: by their item, their author, or any bytes that they name."""
        return self.now().without(rows)

    def add(self, entries: Iterable[tuple[Kind, str]], asked_for: str, by: str, note: str) -> None:
        """Record what may not come back, in one commit; what this request recorded already is not recorded again."""
        here = self.read()
        here = here.filter(pc.equal(here.column("asked_for"), asked_for))
        known = set(zip(here.column("kind").to_pylist(), here.column("value").to_pylist(), strict=True))
        shared = {"category": "all", "asked_for": asked_for, "by": by, "note": note or None, "at": datetime.now(UTC)}
        new = [entry for entry in dict.fromkeys(entries) if entry not in known]
        if new:
            rows = [{"kind": kind, "value": value, **shared} for kind, value in new]
            self.file.write(pa.Table.from_pylist(rows, TAKEDOWN_SCHEMA), "append")
            self._recent = (float("-inf"), Banned())

    def append(self, rows: pa.Table, file: DeltaFile) -> None:
        """Append to the table `file` those of the rows that are not taken down, be it at this very moment."""
        seen = self.now()
        rows = seen.without(rows)
        if rows.num_rows:
            file.write(rows, "append")
        late = self.now()
        if late.version != seen.version and (caught := rows.filter(late.hits(rows))).num_rows:
            file.delete(late.predicate(caught))

    def _since(self, known: Banned) -> Banned:
        table = self.file.find()
        if table is None:
            return Banned()
        if table.version() == known.version:
            return known
        rows = self.file.read(columns=["kind", "value", "at"], opened=table)
        assert rows is not None  # the table is there
        values: dict[str, set[str]] = {"item": set(), "author": set(), "sha256": set()}
        for kind, value in zip(rows.column("kind").to_pylist(), rows.column("value").to_pylist(), strict=True):
            values[kind].add(value)
        items, authors, hashes = (frozenset(values[kind]) for kind in ("item", "author", "sha256"))
        return Banned(table.version(), items, authors, hashes, pc.max(rows.column("at")).as_py())


def is_one_of(rows: pa.Table, column: str, values: Iterable[str | None]) -> pa.ChunkedArray:
    """Which rows have one of these values in the column, as booleans; null is none of them."""
    wanted = pa.array([value for value in values if value is not None], pa.string())
    return pc.fill_null(pc.is_in(rows.column(column).cast(pa.string()), wanted), False)


def refusals(rows: pa.Table) -> pa.Table:
    """What the outcomes say of items that are taken down, in place of these rows: that they are, and nothing else.

    `rows` has `item_id` and `category`, and perhaps `input_key`: the attempt that this answers.
    """
    at = datetime.now(UTC)
    told = [
        {
            "item_id": row["item_id"],
            "category": row["category"],
            "status": "rejected",
            "reason": TAKEN_DOWN,
            "error": WHY,
            "input_key": row.get("input_key") or "",
            "at": at,
        }
        for row in rows.select(
            [name for name in ("item_id", "category", "input_key") if name in rows.column_names]
        ).to_pylist()
    ]
    return pa.Table.from_pylist(told, OUTCOME_SCHEMA)
