"""What people decided about single items: an append-only table beside a dataset, in which the newest word counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.lake.banned import Takedowns
from jewel_assets.lake.schema import UTC_MICROSECONDS
from jewel_assets.lake.tables import DeltaFile

DECISIONS = "__decisions"
"""What follows the name of a dataset in the name of the table of the decisions about its items."""

DECISION_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),  # the bytes that were judged: others need another decision
        pa.field("decision", pa.string(), nullable=False),  # accept | reject | withdrawn
        pa.field("by", pa.string(), nullable=False),
        pa.field("note", pa.string()),
        pa.field("at", UTC_MICROSECONDS, nullable=False),
    ]
)

Verdict = Literal["accept", "reject"]
DECIDED: tuple[str, ...] = ("accept", "reject", "withdrawn")


@dataclass(frozen=True)
class Decision:
    """What stands about an item: whether it is taken, and who said so."""

    verdict: Verdict
    by: str


Decisions = Mapping[tuple[str, str], Decision]
"""(item id, SHA-256 of its bytes) -> what stands about it, within one category."""


class DecisionLog:
    """Who decided what, and when: `{root}/tables/{name}__decisions`, a Delta table partitioned by category."""

    def __init__(self, root: str, name: str) -> None:
        self.name = name
        self.file = DeltaFile(f"{root}/tables/{name}{DECISIONS}")
        self.takedowns = Takedowns(root)

    def add(self, items: pa.Table, decision: Verdict | Literal["withdrawn"], by: str, note: str = "") -> None:
        """Write down a decision about each of `items` (columns `item_id`, `category`, `sha256`), in one commit.

        Any number of people may decide at once. The time written is later than that of every decision that was there,
        even if the clock of the machine that wrote it is ahead of ours: what is said last, counts. About what was taken
        down nothing is written.
        """
        if not items.num_rows:
            return
        count = items.num_rows
        last = pc.max(self.read(columns=["at"]).column("at")).as_py()
        at = datetime.now(UTC) if last is None else max(datetime.now(UTC), last + timedelta(microseconds=1))
        columns = [
            *(items.column(name).cast(pa.string()) for name in ("item_id", "category", "sha256")),
            *(pa.repeat(pa.scalar(value, pa.string()), count) for value in (decision, by, note or None)),
            pa.repeat(pa.scalar(at, UTC_MICROSECONDS), count),
        ]
        self.takedowns.append(pa.table(columns, schema=DECISION_SCHEMA), self.file)
        self.file.compact()

    def read(self, category: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """Every decision ever taken about the category (or all), oldest first; with `columns` only these."""
        wanted = DECISION_SCHEMA.names if columns is None else list(dict.fromkeys([*columns, "at"]))
        table = self.file.read(category, wanted)
        if table is None:
            table = DECISION_SCHEMA.empty_table().select(wanted)
        table = table.sort_by([("at", "ascending")])
        return table.select(columns or DECISION_SCHEMA.names)

    def standing(self, category: str | None = None) -> pa.Table:
        """The newest decision about each item's bytes, unless it was withdrawn; sorted by category and item id."""
        rows = self.read(category)
        keys = zip(*(rows.column(name).to_pylist() for name in ("category", "item_id", "sha256")), strict=True)
        newest = {key: position for position, key in enumerate(keys)}
        rows = rows.take(pa.array(sorted(newest.values()), pa.int64()))
        rows = rows.filter(pc.not_equal(rows.column("decision"), "withdrawn"))
        return rows.sort_by([("category", "ascending"), ("item_id", "ascending")])

    def decisions(self, category: str) -> Decisions:
        """What stands about the items of a category, to look up by item id and SHA-256."""
        return {
            (row["item_id"], row["sha256"]): Decision(row["decision"], row["by"])
            for row in self.standing(category).to_pylist()
        }
