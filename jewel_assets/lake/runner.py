"""The per-item runner: the only code that loops over items.

`run_stage` does a stage to every item of a category whose result is not known yet, writes down what became of each
as it comes, and publishes those that are ok. It may be killed at any moment: results are known once their outcome is
appended, so running it again does the rest. `lake.selecting` does the same for a decision over all items at once.
"""

import pickle
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.errors import Permanent
from jewel_assets.lake import crew
from jewel_assets.lake.datasets import Lake
from jewel_assets.lake.memory import Memory
from jewel_assets.lake.publishing import checked_items, publish_ok
from jewel_assets.lake.schema import STATUSES
from jewel_assets.lake.stage_process import Abort
from jewel_assets.lake.stage_report import Progress, StageReport, report_of
from jewel_assets.lake.stages import Stage

APPEND_ITEMS = 256
"""Outcomes are written down when this many wait. A commit costs some 30 ms, so this is a fraction of a ms per item."""
APPEND_SECONDS = 5.0
"""Or when the oldest has waited this long: what `kill -9` can lose."""
NAMED_CAUSES = 5
"""How many causes the error names when too many items failed."""

_ROWS_AT_ONCE = 1024  # rows that are Python objects at the same time, while keys are computed or rows packed


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
    that is not `failed` is not attempted again. An item of earlier runs that is not among them gets an outcome, too:
    rejected, `GONE`. `workers` 0 means as many as `threads` leaves cores for.

    Raises Permanent, and publishes nothing, when more than `max_failed_share` (0..1) of the items failed, or the stage
    says that no item can be done. What was done by then is kept and reused.
    """
    started = time.monotonic()
    checked_items(items, write, category)
    banned = lake.takedowns().now()
    items = banned.without(items)
    with lake.writing(write, category):
        keys = _keys(stage, items)
        memory = Memory(lake, stage.output, write, category)
        pending = memory.unknown(items, keys)
        size = (0, threads)
        if pending:
            wanted = 1 if stage.one_process else workers
            size = crew.allotment(wanted, threads, -(-len(pending) // stage.batch_size))
            _attempt(lake, stage, items, keys, pending, memory, size, progress)
        items, left = memory.still_here(items, keys, banned)
        outcomes = memory.of(items, left)
        _refuse_too_many_failures(write, category, outcomes, max_failed_share)
        gone = memory.note_gone(items)  # before the rows go: none may be missing without a word
        publication = publish_ok(lake, write, category, items, outcomes, stage.output)
        if pending or gone:
            memory.outcomes.file.compact()
    return report_of(outcomes, len(pending), time.monotonic() - started, publication, gone, *size)


class _Journal:
    """Outcomes on their way to the lake: written down every so many items or seconds, and counted."""

    def __init__(self, memory: Memory, total: int, progress: Callable[[Progress], None] | None) -> None:
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
    memory: Memory,
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


def _refuse_too_many_failures(write: str, category: str, outcomes: pa.Table, limit: float) -> None:
    total = outcomes.num_rows
    failed = outcomes.column("status").to_pylist().count("failed")
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
