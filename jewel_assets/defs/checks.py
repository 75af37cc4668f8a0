"""Asset checks: what is asserted of every published dataset, and of some.

They are evaluated in the step that publishes, which costs nothing; a step of its own would cost seconds of start-up.
They report and do not protect: what must not be published is refused before the commit, in `lake/`.
"""

import collections
from collections.abc import Callable

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.clean.body_parts import PERSON_SCORES, TAKEN_UNSEEN, nearly_person
from jewel_assets.lake import Lake, StageReport
from jewel_assets.lake.schema import blobs_of
from jewel_assets.settings import settings

WARN_FAILED_SHARE = 0.02
"""Above this share of failed items somebody should look, though the dataset is published."""

SUSPECT_SHARE = 0.05
"""Of the kept photos, at most this share may come near a person detector's threshold."""

COVERAGE = (0.01, 0.90)
"""A cut-out covers this much of its photo, unless the mask is wrong. Small studs cover 1 to 2 %."""
ODD_COVERAGE_SHARE = 0.10

CLUSTER_SHARE = 0.5
"""A cluster with more than half of all items says nothing about the designs."""

WATERTIGHT_SHARE = 0.99
CASTABLE_SHARE = 0.95
"""Of the catalogue's pieces. One that is not castable is published all the same: its findings say what to change."""

CLOSED_SHARE = 0.90
"""Of the models that others made. One that could not be closed is published all the same, and its row says so."""

SMALL_COVERAGE, SMALL_SHARE = 0.01, 0.10
"""Of the renders, at most this share may show a piece that covers less than this much of the picture."""

EVERY_DATASET = ("blobs_present", "unique_keys", "failure_share")
_SAYS = {
    "blobs_present": "Every row's blob is in the lake.",
    "unique_keys": "No item stands twice.",
    "failure_share": f"At most {WARN_FAILED_SHARE:.0%} of the items failed.",
    "person_share": f"At most {SUSPECT_SHARE:.0%} of the kept photos come near a person detector's threshold.",
    "mask_coverage": f"At most {ODD_COVERAGE_SHARE:.0%} of the cut-outs cover less than {COVERAGE[0]:.0%} or more than "
    f"{COVERAGE[1]:.0%} of their photo.",
    "no_leak": "No group of near duplicates is in two splits.",
    "watertight_share": f"At least {WATERTIGHT_SHARE:.0%} of the pieces are closed solids.",
    "closed_share": f"At least {CLOSED_SHARE:.0%} of the converted models are closed solids.",
    "castable_share": f"At least {CASTABLE_SHARE:.0%} of the pieces can be cast as they are.",
    "coverage_share": f"At most {SMALL_SHARE:.0%} of the renders show a piece that covers less than "
    f"{SMALL_COVERAGE:.0%} of the picture.",
    "cluster_sizes": f"No cluster holds more than {CLUSTER_SHARE:.0%} of the items, and none is empty.",
}


def item_checks(dataset: str, partitions: dg.PartitionsDefinition | None, *own: str) -> list[dg.AssetCheckSpec]:
    """The checks of an item dataset, category by category: those that all have, and its `own` by name."""
    return [
        dg.AssetCheckSpec(name, asset=dataset, description=_SAYS[name], partitions_def=partitions)
        for name in (*EVERY_DATASET, *own)
    ]


def item_check_results(
    lake: Lake, dataset: str, category: str | None, outcome: StageReport, *own: str
) -> list[dg.AssetCheckResult]:
    """What those checks find in the table as it was published; `own` names those that not every dataset has."""
    rows = lake.dataset(dataset).read(category)
    lost = lake.blobs.missing(blob for named in blobs_of(rows) for blob in named)
    twice = rows.num_rows - len(set(rows.column("item_id").to_pylist()))
    total = outcome.ok + outcome.rejected + outcome.review + outcome.failed
    share = outcome.failed / total if total else 0.0
    return [
        _result(
            "blobs_present",
            not lost,
            {"rows": rows.num_rows, "lost": len(lost), "first lost": lost[0] if lost else "-"},
        ),
        _result("unique_keys", twice == 0, {"rows": rows.num_rows, "rows too many": twice}),
        _result(
            "failure_share",
            share <= WARN_FAILED_SHARE,
            {"failed": outcome.failed, "of": total, "share": share, "published up to": settings().max_failed_share},
            severity=dg.AssetCheckSeverity.WARN,
        ),
        *(_OWN[name](lake, category, rows) for name in own),
    ]


def person_share(lake: Lake, category: str | None, rows: pa.Table) -> dg.AssetCheckResult:
    """Kept photos that some detector nearly called a person, by the scores of their verdicts, and nobody accepted."""
    verdicts = lake.dataset("body_part_verdicts").read(category)
    unseen = rows.filter(pc.fill_null(pc.equal(rows.column("reviewed_by"), TAKEN_UNSEEN), True))
    kept = verdicts.filter(pc.is_in(verdicts.column("item_id"), unseen.column("item_id").combine_chunks()))
    near = sum(nearly_person(row) for row in kept.select(PERSON_SCORES).to_pylist())
    share = near / rows.num_rows if rows.num_rows else 0.0
    facts = {"kept": rows.num_rows, "suspect": near, "share": share}
    return _result("person_share", share <= SUSPECT_SHARE, facts, severity=dg.AssetCheckSeverity.WARN)


def mask_coverage(_: Lake, __: str | None, rows: pa.Table) -> dg.AssetCheckResult:
    """Cut-outs that are nearly nothing or nearly everything."""
    coverage = rows.column("coverage").to_pylist()
    odd = sum(not COVERAGE[0] <= value <= COVERAGE[1] for value in coverage)
    share = odd / len(coverage) if coverage else 0.0
    return _result(
        "mask_coverage", share <= ODD_COVERAGE_SHARE, {"cut-outs": len(coverage), "odd": odd, "share": share}
    )


def no_leak(_: Lake, __: str | None, rows: pa.Table) -> dg.AssetCheckResult:
    """Groups of near duplicates with members in more than one split."""
    splits = collections.defaultdict(set)
    for group, split in zip(rows.column("group_id").to_pylist(), rows.column("split").to_pylist(), strict=True):
        splits[group].add(split)
    torn = [group for group, names in splits.items() if len(names) > 1]
    return _result("no_leak", not torn, {"groups": len(splits), "in two splits": len(torn)})


def cluster_sizes(_: Lake, __: str | None, rows: pa.Table) -> dg.AssetCheckResult:
    """The largest cluster's share of all items."""
    sizes = collections.Counter(rows.column("cluster_id").to_pylist())
    share = max(sizes.values()) / rows.num_rows if sizes else 0.0
    passed = share <= CLUSTER_SHARE or len(sizes) == 1
    facts = {"clusters": len(sizes), "smallest": min(sizes.values(), default=0), "largest share": share}
    return _result("cluster_sizes", passed, facts, severity=dg.AssetCheckSeverity.WARN)


def watertight_share(_: Lake, __: str | None, rows: pa.Table) -> dg.AssetCheckResult:
    """Pieces whose castings are closed, with all faces outwards."""
    return _share("watertight_share", rows.column("watertight").to_pylist(), WATERTIGHT_SHARE)


def closed_share(_: Lake, __: str | None, rows: pa.Table) -> dg.AssetCheckResult:
    """Converted models whose STL is closed, as it came or after repair."""
    return _share("closed_share", rows.column("watertight").to_pylist(), CLOSED_SHARE, dg.AssetCheckSeverity.WARN)


def castable_share(_: Lake, __: str | None, rows: pa.Table) -> dg.AssetCheckResult:
    """Pieces of which the castability check finds no error."""
    return _share("castable_share", rows.column("castable").to_pylist(), CASTABLE_SHARE, dg.AssetCheckSeverity.WARN)


def coverage_share(_: Lake, __: str | None, rows: pa.Table) -> dg.AssetCheckResult:
    """Renders in which the piece is so small that a cut-out of it is mostly edge."""
    seen = [coverage >= SMALL_COVERAGE for coverage in rows.column("coverage").to_pylist()]
    return _share("coverage_share", seen, 1 - SMALL_SHARE, dg.AssetCheckSeverity.WARN)


def _share(
    name: str, good: list[bool], least: float, severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
) -> dg.AssetCheckResult:
    share = sum(good) / len(good) if good else 1.0
    return _result(
        name, share >= least, {"items": len(good), "not so": len(good) - sum(good), "share": share}, severity
    )


_OWN: dict[str, Callable[[Lake, str | None, pa.Table], dg.AssetCheckResult]] = {
    "person_share": person_share,
    "mask_coverage": mask_coverage,
    "no_leak": no_leak,
    "cluster_sizes": cluster_sizes,
    "watertight_share": watertight_share,
    "closed_share": closed_share,
    "castable_share": castable_share,
    "coverage_share": coverage_share,
}


def _result(
    name: str,
    passed: bool,
    facts: dict[str, int | float | str],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name, passed=passed, metadata=facts, severity=severity, description=_SAYS[name]
    )
