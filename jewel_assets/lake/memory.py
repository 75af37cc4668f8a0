"""What a stage knows already: the outcomes of its dataset, and which of them answer an item's key."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.lake.banned import Banned
from jewel_assets.lake.datasets import Lake
from jewel_assets.lake.publishing import conformed, gone_outcomes, newest, outcome_schema
from jewel_assets.lake.schema import blobs_of


class Memory:
    """What is known already: the outcomes of the dataset, and which of them answer which key."""

    def __init__(self, lake: Lake, output: pa.Schema, write: str, category: str) -> None:
        self.lake = lake
        self.outcomes = lake.outcomes(write)
        self.category = category
        self.schema = outcome_schema(output)
        self._table = self._read()
        self._stale = False

    def unknown(self, items: pa.Table, keys: Sequence[str]) -> list[int]:
        """Positions of the items to attempt: one per key that has no usable outcome.

        Items whose key is answered by an outcome of another item, or of another category, get a copy of it.
        """
        answers = self._answers(self._table, set(keys))
        elsewhere = set(keys) - set(answers)
        if elsewhere:
            # The same photo in another category: rare, and the filter on keys reads little.
            foreign = conformed(self.outcomes.read(None, sorted(elsewhere)), self.schema)
            answers |= self._answers(foreign, elsewhere)
        self._copy(items, keys, answers)
        first: dict[str, int] = {}
        for position, key in enumerate(keys):
            if key not in answers:
                first.setdefault(key, position)
        return list(first.values())

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write outcomes down. Once this returns, no death of this process loses them."""
        if rows:
            self.outcomes.append(pa.Table.from_pylist(list(rows), self.schema))
            self._stale = True

    def still_here(self, items: pa.Table, keys: Sequence[str], since: Banned) -> tuple[pa.Table, Sequence[str]]:
        """Those items, and their keys, that were not taken down `since`: the others have no outcome any more."""
        self._known()  # first: what is taken down later than this is still known
        banned = self.lake.takedowns().now()
        if banned.version == since.version:
            return items, keys
        stays = pc.invert(banned.hits(items))
        return items.filter(stays), [key for key, kept in zip(keys, stays.to_pylist(), strict=True) if kept]

    def of(self, items: pa.Table, keys: Sequence[str]) -> pa.Table:
        """The newest outcome of each item for its key, in the order of the items."""
        table = self._known()
        told = zip(table.column("item_id").to_pylist(), table.column("input_key").to_pylist(), strict=True)
        of_item = {pair: row for row, pair in enumerate(told)}
        positions = [of_item[pair] for pair in zip(items.column("item_id").to_pylist(), keys, strict=True)]
        return table.take(pa.array(positions, pa.int64()))

    def note_gone(self, items: pa.Table) -> int:
        """Write down, once, which items are no longer among the current ones; how many those are."""
        gone = gone_outcomes(self._known(), items)
        self.append(gone)
        return len(gone)

    def _known(self) -> pa.Table:
        if self._stale:
            self._table, self._stale = self._read(), False
        return self._table

    def _read(self) -> pa.Table:
        return conformed(self.outcomes.read(self.category), self.schema)

    def _answers(self, table: pa.Table, keys: set[str]) -> dict[str, tuple[pa.Table, int]]:
        """key -> where its newest outcome stands that did not fail, for those of `keys` of whose blobs none is lost."""
        status = table.column("status").to_pylist()
        found = {
            key: row
            for row, key in enumerate(table.column("input_key").to_pylist())
            if key in keys and status[row] != "failed"
        }
        blobs = blobs_of(table.take(pa.array(found.values(), pa.int64())))
        lost = set(self.lake.blobs.missing(blob for row in blobs for blob in row))
        return {
            key: (table, row)
            for (key, row), named in zip(found.items(), blobs, strict=True)
            if not lost.intersection(sha256 for sha256, _ in named)
        }

    def _copy(self, items: pa.Table, keys: Sequence[str], answers: Mapping[str, tuple[pa.Table, int]]) -> None:
        last = newest(self._table)
        status, key_of = (self._table.column(name).to_pylist() for name in ("status", "input_key"))
        at = datetime.now(UTC)
        copies = []
        for item_id, key in zip(items.column("item_id").to_pylist(), keys, strict=True):
            row = last.get((self.category, item_id))
            known = row is not None and key_of[row] == key and status[row] != "failed"
            if key in answers and not known:
                table, answer = answers[key]
                found = table.slice(answer, 1).to_pylist()[0]
                copies.append({**found, "item_id": item_id, "category": self.category, "at": at})
        self.append(copies)
