"""The per-item runner: the only code that loops over items.

`run_stage` does a stage to every item of a category whose result is not known yet, writes down what became of each
as it comes, and publishes those that are ok. It may be killed at any moment: results are known once their outcome is
appended, so running it again does the rest. `run_selection` does the same for a decision over all items at once.
"""

import hashlib
import json
import pickle
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.errors import Permanent
from jewel_assets.lake import crew
from jewel_assets.lake.datasets import Lake, Publication
from jewel_assets.lake.publishing import (
    checked_items,
    comparable,
    conformed,
    newest,
    outcome_schema,
    published_rows,
)
from jewel_assets.lake.schema import STATUSES
from jewel_assets.lake.stage_process import Abort, outcome_of
from jewel_assets.lake.stages import Item, Selection, Stage
from jewel_assets.lake.tables import digest

APPEND_ITEMS = 256
"""Outcomes are written down when this many wait. A commit costs some 30 ms, so this is a fraction of a ms per item."""
APPEND_SECONDS = 5.0
"""Or when the oldest has waited this long: what `kill -9` can lose."""
NAMED_CAUSES = 5
"""How many causes the error names when too many items failed."""

_ROWS_AT_ONCE = 1024  # rows that are Python objects at the same time, while keys are computed or rows packed


@dataclass(frozen=True)
class Progress:
    """How far a run is. `done` of `total` counts the items that had to be attempted."""

    done: int
    total: int
    ok: int
    rejected: int
    review: int
    failed: int
    per_second: float


@dataclass(frozen=True)
class StageReport:
    """One run of a stage over a category, for logs and metadata. Counts are of the current items."""

    ok: int
    reused: int  # of them all, not attempted now
    rejected: int
    review: int
    failed: int
    attempted: int
    seconds: float
    engines: dict[str, int]  # engine -> ok items it made
    reasons: dict[str, int]  # reason -> items that are not ok, most frequent first
    publication: Publication
    workers: int = 0  # that were started; 0 if there was nothing to do
    threads: int = 1  # of each

    @classmethod
    def whole(cls, publication: Publication, engine: str, seconds: float, reused: bool) -> "StageReport":
        """The report of what is made from all items at once, and either anew or not at all."""
        rows = publication.rows
        return cls(
            ok=rows,
            reused=rows if reused else 0,
            rejected=0,
            review=0,
            failed=0,
            attempted=0 if reused else rows,
            seconds=seconds,
            engines={engine: rows},
            reasons={},
            publication=publication,
        )


def run_stage(
    lake: Lake,
    stage: Stage,
    items: pa.Table,
    write: str,
    category: str,
    *,
    workers: int = 0,
    threads: int = 1,
    max_failed_share: float = 0.2,
    progress: Callable[[Progress], None] | None = None,
) -> StageReport:
    """Do `stage` to the current `items` of `category` and publish those that are ok as dataset `write`.

    `items` has at least `item_id` and `category`; the stage sees all of its columns. An item whose key has an outcome
    that is not `failed` is not attempted again. `workers` 0 means as many as `threads` leaves cores for.

    Raises Permanent, and publishes nothing, when more than `max_failed_share` (0..1) of the items failed, or the stage
    says that no item can be done. What was done by then is kept and reused.
    """
    started = time.monotonic()
    checked_items(items, write, category)
    with lake.writing(write, category):
        keys = _keys(stage, items)
        memory = _Memory(lake, stage.output, write, category)
        pending = memory.unknown(items, keys)
        size = (0, threads)
        if pending:
            size = crew.allotment(workers, threads, -(-len(pending) // stage.batch_size))
            _attempt(lake, stage, items, keys, pending, memory, size, progress)
        outcomes = memory.of(items, keys)
        counts = Counter(outcomes.column("status").to_pylist())
        _refuse_too_many_failures(write, category, outcomes, counts["failed"], max_failed_share)
        publication = _publish(lake, write, category, items, outcomes, stage.output)
        memory.outcomes.file.compact()
    return _report(outcomes, counts, len(pending), time.monotonic() - started, publication, *size)


def run_selection(lake: Lake, selection: Selection, items: pa.Table, write: str, category: str | None) -> StageReport:
    """Let `selection` choose among all `items` at once and publish those it keeps as dataset `write`.

    `category` None means that the items of all categories are chosen from together and published in one commit. An
    outcome is appended for each item that fares otherwise than the last time. Where neither the items nor the
    parameters changed since then, nothing is chosen again.
    """
    started = time.monotonic()
    checked_items(items, write, category)
    with lake.writing(write, category):
        made_from = _selected_from(selection, items)
        known = _known_choice(lake, selection, items, write, category, made_from)
        if known is not None:
            counts = Counter(known[0].column("status").to_pylist())
            return _report(known[0], counts, 0, time.monotonic() - started, known[1])
        results = selection.choose(items)
        if len(results) != items.num_rows:
            raise Permanent(
                f"Selection {selection.name} gave {len(results)} results for {items.num_rows} items: `choose` must "
                "give one result per row, in order."
            )
        schema = outcome_schema(selection.output)
        rows = items.to_pylist()
        at = datetime.now(UTC)
        chosen = [
            _identity(row, _selection_key(selection, row), at)
            | _kept_engine(row, outcome_of(selection, Item(row), result, lake.blobs))
            for row, result in zip(rows, results, strict=True)
        ]
        outcomes = pa.Table.from_pylist(chosen, schema)
        changed = _changed(lake, write, category, outcomes)
        lake.outcomes(write).append(outcomes.take(changed))
        counts = Counter(outcomes.column("status").to_pylist())
        publication = _publish(lake, write, category, items, outcomes, selection.output, made_from)
        lake.outcomes(write).file.compact()
    return _report(outcomes, counts, len(changed), time.monotonic() - started, publication)


class _Memory:
    """What is known already: the outcomes of the dataset, and which of them answer which key."""

    def __init__(self, lake: Lake, output: pa.Schema, write: str, category: str) -> None:
        self.lake = lake
        self.outcomes = lake.outcomes(write)
        self.category = category
        self.schema = outcome_schema(output)
        self._table = self._read(category)
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

    def of(self, items: pa.Table, keys: Sequence[str]) -> pa.Table:
        """The newest outcome of each item for its key, in the order of the items."""
        if self._stale:
            self._table, self._stale = self._read(self.category), False
        ids = self._table.column("item_id").to_pylist()
        of_item = {pair: row for row, pair in enumerate(zip(ids, self._table.column("input_key").to_pylist()))}  # noqa: B905
        positions = [of_item[pair] for pair in zip(items.column("item_id").to_pylist(), keys, strict=True)]
        return self._table.take(pa.array(positions, pa.int64()))

    def _read(self, category: str | None) -> pa.Table:
        return conformed(self.outcomes.read(category), self.schema)

    def _answers(self, table: pa.Table, keys: set[str]) -> dict[str, tuple[pa.Table, int]]:
        """key -> where its newest outcome stands that did not fail, for those of `keys` whose blob is not lost."""
        status = table.column("status").to_pylist()
        found = {
            key: row
            for row, key in enumerate(table.column("input_key").to_pylist())
            if key in keys and status[row] != "failed"
        }
        taken = table.select(["sha256", "media_type"]).take(pa.array(found.values(), pa.int64()))
        blobs = list(zip(taken.column("sha256").to_pylist(), taken.column("media_type").to_pylist(), strict=True))
        lost = set(self.lake.blobs.missing(blob for blob in blobs if blob[0] is not None))
        return {
            key: (table, row)
            for (key, row), (sha256, _) in zip(found.items(), blobs, strict=True)
            if sha256 not in lost
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


class _Journal:
    """Outcomes on their way to the lake: written down every so many items or seconds, and counted."""

    def __init__(self, memory: _Memory, total: int, progress: Callable[[Progress], None] | None) -> None:
        self._memory = memory
        self._total = total
        self._progress = progress
        self._waiting: list[Mapping[str, Any]] = []
        self._since = self._started = time.monotonic()
        self._counts: Counter[str] = Counter()

    def add(self, row: Mapping[str, Any], attempted: bool) -> None:
        """Take an outcome in; `attempted` False for one copied to another item with the same key."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(row)
        self._counts[row["status"]] += attempted

    def write_if_due(self) -> None:
        """Append if many wait, or one waits long."""
        if len(self._waiting) >= APPEND_ITEMS or (self._waiting and time.monotonic() - self._since >= APPEND_SECONDS):
            self.write()

    def write(self) -> None:
        """Append what waits, and say how far the run is."""
        if not self._waiting:
            return
        self._memory.append(self._waiting)
        self._waiting = []
        if self._progress is not None:
            done = sum(self._counts.values())
            each = {status: self._counts[status] for status in STATUSES}
            rate = done / max(time.monotonic() - self._started, 1e-9)
            self._progress(Progress(done, self._total, per_second=rate, **each))


def _attempt(
    lake: Lake,
    stage: Stage,
    items: pa.Table,
    keys: Sequence[str],
    pending: Sequence[int],
    memory: _Memory,
    size: tuple[int, int],
    progress: Callable[[Progress], None] | None,
) -> None:
    """Run the stage on the pending items and write down what became of them, and of their equals."""
    equals: dict[str, list[int]] = {keys[position]: [] for position in pending}
    for position, key in enumerate(keys):
        if key in equals:
            equals[key].append(position)
    ids, categories = (items.column(name).to_pylist() for name in ("item_id", "category"))
    journal = _Journal(memory, len(pending), progress)
    answers = crew.stream(stage, items.column_names, _packed(items, pending), lake.root, *size)
    try:
        for answer in answers:
            if isinstance(answer, Abort):
                raise Permanent(answer.sentence)
            for done in answer or ():
                key = keys[pending[done.index]]
                for position in equals[key]:
                    identity = {"item_id": ids[position], "category": categories[position], "input_key": key}
                    row = dict(done.outcome) | identity | {"at": datetime.now(UTC)}
                    journal.add(row, attempted=position == pending[done.index])
            journal.write_if_due()
    finally:
        answers.close()
        journal.write()  # also when the run is interrupted or aborted: what was delivered stays done


def _keys(stage: Stage, items: pa.Table) -> list[str]:
    return [stage.key(row) for batch in items.to_batches(max_chunksize=_ROWS_AT_ONCE) for row in batch.to_pylist()]


def _packed(items: pa.Table, positions: Sequence[int]) -> list[bytes]:
    """Each of these rows as a pickle of (place among them, values): what travels to the workers."""
    packed: list[bytes] = []
    for start in range(0, len(positions), _ROWS_AT_ONCE):
        rows = items.take(pa.array(positions[start : start + _ROWS_AT_ONCE], pa.int64()))
        values = zip(*(column.to_pylist() for column in rows.columns), strict=True)
        packed += [pickle.dumps((start + offset, row)) for offset, row in enumerate(values)]
    return packed


def _refuse_too_many_failures(write: str, category: str, outcomes: pa.Table, failed: int, limit: float) -> None:
    total = outcomes.num_rows
    if not failed or failed / total <= limit:
        return
    rows = outcomes.filter(pc.equal(outcomes.column("status"), "failed")).select(["reason", "item_id", "error"])
    examples: dict[str, Mapping[str, Any]] = {}
    causes: Counter[str] = Counter()
    for row in rows.to_pylist():
        causes[row["reason"]] += 1
        examples.setdefault(row["reason"], row)
    lines = [
        f"{count} x {reason}, for instance {examples[reason]['item_id']}: {_first_line(examples[reason]['error'])}"
        for reason, count in causes.most_common(NAMED_CAUSES)
    ]
    raise Permanent(
        f"{failed} of {total} items of {write}, category {category}, failed ({failed / total:.0%}, the limit is "
        f"{limit:.0%}); nothing was published. Causes:\n" + "\n".join(lines)
    )


def _first_line(text: str | None) -> str:
    return (text or "no message").split("\n", 1)[0]


def _publish(
    lake: Lake,
    write: str,
    category: str | None,
    items: pa.Table,
    outcomes: pa.Table,
    output: pa.Schema,
    made_from: str = "",
) -> Publication:
    ok = pc.equal(outcomes.column("status"), "ok")
    rows = published_rows(items.filter(ok), outcomes.filter(ok), output)
    return lake.dataset(write).publish(rows, category, made_from)


def _report(
    outcomes: pa.Table,
    counts: Mapping[str, int],
    attempted: int,
    seconds: float,
    publication: Publication,
    workers: int = 0,
    threads: int = 1,
) -> StageReport:
    status, engine, reason = (outcomes.column(name).to_pylist() for name in ("status", "engine", "reason"))
    engines = Counter(name or "" for name, state in zip(engine, status, strict=True) if state == "ok")
    reasons = Counter(why or "" for why, state in zip(reason, status, strict=True) if state != "ok")
    return StageReport(
        **{name: counts.get(name, 0) for name in STATUSES},
        reused=outcomes.num_rows - attempted,
        attempted=attempted,
        seconds=seconds,
        engines=dict(engines.most_common()),
        reasons=dict(reasons.most_common()),
        publication=publication,
        workers=workers,
        threads=threads,
    )


def _identity(row: Mapping[str, Any], key: str, at: datetime) -> dict[str, Any]:
    return {"item_id": row["item_id"], "category": row["category"], "input_key": key, "at": at}


def _kept_engine(row: Mapping[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    """A selection makes nothing: what it keeps was still made by the engine that made it."""
    return outcome | {"engine": outcome["engine"] or row.get("engine")}


def _selected_from(selection: Selection, items: pa.Table) -> str:
    parts = [selection.name, selection.version, selection.parameters(), digest(items)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _known_choice(
    lake: Lake, selection: Selection, items: pa.Table, write: str, category: str | None, made_from: str
) -> tuple[pa.Table, Publication] | None:
    """The outcomes and the publication of the same selection from the same items, if it was the last one."""
    dataset = lake.dataset(write)
    publication = dataset.publication(category)
    if publication is None or dataset.made_from(category) != made_from:
        return None
    told = conformed(lake.outcomes(write).latest(category), outcome_schema(selection.output))
    outcomes = told.filter(pc.is_in(told.column("item_id"), items.column("item_id").combine_chunks()))
    kept = pc.sum(pc.equal(outcomes.column("status"), "ok")).as_py() or 0
    if outcomes.num_rows != items.num_rows or kept != publication.rows or dataset.read(category).num_rows != kept:
        return None  # somebody changed a table by hand: choose again
    return outcomes, publication


def _selection_key(selection: Selection, row: Mapping[str, Any]) -> str:
    parts = [row.get("sha256"), selection.name, selection.version, selection.parameters()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _changed(lake: Lake, write: str, category: str | None, outcomes: pa.Table) -> pa.Array:
    """Positions of the outcomes that say something else than the newest one of their item."""
    told = conformed(lake.outcomes(write).read(category), outcomes.schema)
    names = [name for name in outcomes.column_names if name not in ("item_id", "category", "at")]
    before, now = comparable(told, names), comparable(outcomes, names)
    last = newest(told)
    items = zip(outcomes.column("category").to_pylist(), outcomes.column("item_id").to_pylist(), strict=True)
    changed = [place for place, item in enumerate(items) if item not in last or before[last[item]] != now[place]]
    return pa.array(changed, pa.int64())
