"""What a run tells of itself: how far it is, and in the end what became of the items."""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from jewel_assets.lake.datasets import Publication
from jewel_assets.lake.schema import STATUSES


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
    gone: int = 0  # items of earlier runs that this one found to be no longer among the current ones

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


def report_of(
    outcomes: pa.Table,
    attempted: int,
    seconds: float,
    publication: Publication,
    gone: int,
    workers: int = 0,
    threads: int = 1,
) -> StageReport:
    """The report of a run whose current items have these outcomes, `attempted` of them new."""
    status, engine, reason = (outcomes.column(name).to_pylist() for name in ("status", "engine", "reason"))
    counts = Counter(status)
    engines = Counter(name or "" for name, state in zip(engine, status, strict=True) if state == "ok")
    reasons = Counter(why or "" for why, state in zip(reason, status, strict=True) if state != "ok")
    return StageReport(
        **{name: counts[name] for name in STATUSES},
        reused=outcomes.num_rows - attempted,
        attempted=attempted,
        seconds=seconds,
        engines=dict(engines.most_common()),
        reasons=dict(reasons.most_common()),
        publication=publication,
        workers=workers,
        threads=threads,
        gone=gone,
    )
