"""Selections: the runner of a decision over all items at once, which makes no blobs."""

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.errors import Permanent
from jewel_assets.lake.datasets import Lake, Publication
from jewel_assets.lake.publishing import (
    checked_items,
    comparable,
    conformed,
    gone_outcomes,
    newest,
    outcome_schema,
    publish_ok,
)
from jewel_assets.lake.schema import GONE, identities
from jewel_assets.lake.stage_process import outcome_of
from jewel_assets.lake.stage_report import StageReport, report_of
from jewel_assets.lake.stages import Item, Selection
from jewel_assets.lake.tables import digest


def run_selection(lake: Lake, selection: Selection, items: pa.Table, write: str, category: str | None) -> StageReport:
    """Let `selection` choose among all `items` at once and publish those it keeps as dataset `write`.

    `category` None means that the items of all categories are chosen from together and published in one commit. An
    outcome is appended for each item that fares otherwise than the last time. Where neither the items nor the
    parameters changed since then, nothing is chosen again. Items of earlier runs that are gone get an outcome, too.
    """
    started = time.monotonic()
    checked_items(items, write, category)
    items = lake.takedowns().without(items)
    with lake.writing(write, category):
        made_from = _selected_from(selection, items)
        schema = outcome_schema(selection.output)
        told = conformed(lake.outcomes(write).read(category), schema)
        gone = gone_outcomes(told, items)
        known = _known_choice(lake, told, items, write, category, made_from)
        if known is not None:
            lake.outcomes(write).append(pa.Table.from_pylist(gone, schema))
            return report_of(known[0], 0, time.monotonic() - started, known[1], len(gone))
        results = selection.choose(items)
        if len(results) != items.num_rows:
            raise Permanent(
                f"Selection {selection.name} gave {len(results)} results for {items.num_rows} items: `choose` must "
                "give one result per row, in order."
            )
        rows = items.to_pylist()
        at = datetime.now(UTC)
        chosen = [
            _identity(row, _selection_key(selection, row), at)
            | _kept_engine(row, outcome_of(selection, Item(row), result, lake.blobs))
            for row, result in zip(rows, results, strict=True)
        ]
        outcomes = pa.Table.from_pylist(chosen, schema)
        changed = _changed(told, outcomes)
        news = pa.concat_tables([outcomes.take(changed), pa.Table.from_pylist(gone, schema)])
        lake.outcomes(write).append(news)
        publication = publish_ok(lake, write, category, items, outcomes, selection.output, made_from)
        lake.outcomes(write).file.compact()
    return report_of(outcomes, len(changed), time.monotonic() - started, publication, len(gone))


def _identity(row: Mapping[str, Any], key: str, at: datetime) -> dict[str, Any]:
    return {"item_id": row["item_id"], "category": row["category"], "input_key": key, "at": at}


def _kept_engine(row: Mapping[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    """A selection makes nothing: what it keeps was still made by the engine that made it."""
    return outcome | {"engine": outcome["engine"] or row.get("engine")}


def _selected_from(selection: Selection, items: pa.Table) -> str:
    parts = [selection.name, selection.version, selection.parameters(), digest(items)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _known_choice(
    lake: Lake, told: pa.Table, items: pa.Table, write: str, category: str | None, made_from: str
) -> tuple[pa.Table, Publication] | None:
    """The newest of the outcomes `told`, and the publication, of the same selection from the same items.

    None unless that selection was the last one, and all that it wrote still stands.
    """
    dataset = lake.dataset(write)
    publication = dataset.publication(category)
    if publication is None or publication.made_from != made_from:
        return None
    last = newest(told)
    rows = [last[item] for item in identities(items) if item in last]
    outcomes = told.take(pa.array(rows, pa.int64()))
    if outcomes.num_rows != items.num_rows or GONE in outcomes.column("reason").to_pylist():
        return None  # a run on other items was stopped before it published, or somebody changed a table by hand
    kept = identities(outcomes.filter(pc.equal(outcomes.column("status"), "ok")))
    if set(kept) != set(identities(dataset.read(category, ["category", "item_id"]))):
        return None
    return outcomes, publication


def _selection_key(selection: Selection, row: Mapping[str, Any]) -> str:
    parts = [row.get("sha256"), selection.name, selection.version, selection.parameters()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _changed(told: pa.Table, outcomes: pa.Table) -> pa.Array:
    """Positions of the outcomes that say something else than the newest one, of those `told`, of their item."""
    names = [name for name in outcomes.column_names if name not in ("item_id", "category", "at")]
    before, now = comparable(told, names), comparable(outcomes, names)
    last = newest(told)
    changed = [
        place for place, item in enumerate(identities(outcomes)) if item not in last or before[last[item]] != now[place]
    ]
    return pa.array(changed, pa.int64())
