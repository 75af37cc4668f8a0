"""From outcomes to rows: which outcome counts for an item, and what its published row says."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.errors import Permanent
from jewel_assets.lake.banned import TAKEN_DOWN
from jewel_assets.lake.datasets import Lake, Publication
from jewel_assets.lake.schema import GONE, ITEM_SCHEMA, OUTCOME_SCHEMA, identities

BLOB_COLUMNS = ("sha256", "media_type", "bytes", "width", "height")
"""What of a published row describes its blob, and therefore comes from the outcome."""


def outcome_schema(output: pa.Schema) -> pa.Schema:
    """The outcome columns followed by the stage's own; these may be null, for instance where an item failed.

    A stage may fill an item column that its input lacks, such as `fetched_at`, by naming it in its output.
    """
    clash = [name for name in output.names if name in OUTCOME_SCHEMA.names]
    if clash:
        raise Permanent(f"A stage's output may not have the column {clash[0]!r}: outcomes already do.")
    return pa.schema([*OUTCOME_SCHEMA, *(field.with_nullable(True) for field in output)])


def conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly these columns, in this order; those that it lacks become null.

    So do lists of another length than a fixed-size one asks for: another engine's vectors, of no use to this one.
    """
    columns = [
        _fitting(table.column(field.name), field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema) if columns else table.select([])


def _fitting(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_fixed_size_list(wanted) and (
        pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)
    ):
        fits = pc.fill_null(pc.equal(pc.list_value_length(column), wanted.list_size), False)
        if not pc.all(fits).as_py():
            column = pc.if_else(fits, column, pa.scalar(None, column.type))
        if pa.types.is_fixed_size_list(column.type):  # of another length, and all null by now
            column = column.cast(pa.list_(column.type.value_type))
    return column.cast(wanted)


def checked_items(items: pa.Table, write: str, category: str | None) -> None:
    """Raise Permanent unless these can be the current items of a category: each once, and of this category."""
    missing = [name for name in ("item_id", "category") if name not in items.column_names]
    if missing:
        raise Permanent(f"The items for {write} have no column {missing[0]!r}.")
    ids = items.column("item_id")
    counts = pc.value_counts(ids if category else pc.binary_join_element_wise(items.column("category"), ids, " "))
    twice = [str(entry["values"]) for entry in counts.to_pylist() if entry["counts"] > 1]
    if twice:
        raise Permanent(f"{len(twice)} items for {write} are there more than once, first {twice[0]}.")
    strange = set(pc.unique(items.column("category")).to_pylist()) - {category}
    if category and strange:
        raise Permanent(f"The items for {write}, category {category}, include some of {sorted(map(str, strange))}.")


def published_rows(items: pa.Table, outcomes: pa.Table, output: pa.Schema) -> pa.Table:
    """Rows to publish: `items[i]` became what the ok outcome `outcomes[i]` says.

    Who made the photo and what may be done with it come from the current item, not from an outcome that may be old.
    The blob, the engine and the key come from the outcome, and so do the columns of `output`. Other columns of the
    items are not carried on.
    """
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    for field in ITEM_SCHEMA:
        name = field.name
        if name in output.names or name in BLOB_COLUMNS or name in ("engine", "input_key"):
            column = outcomes.column(name)
        elif name in items.column_names:
            column = items.column(name)
        else:
            column = pa.nulls(items.num_rows, field.type)
        columns[name] = column.cast(field.type)
    columns["may_train"] = pc.fill_null(columns["may_train"], False)
    columns["parent_sha256"] = _parents(items, columns["sha256"], columns["parent_sha256"])
    own = [field for field in output if field.name not in ITEM_SCHEMA.names]
    for field in own:
        columns[field.name] = outcomes.column(field.name).cast(field.type)
    return pa.table(columns, schema=pa.schema([*ITEM_SCHEMA, *own]))


def publish_ok(
    lake: Lake,
    write: str,
    category: str | None,
    items: pa.Table,
    outcomes: pa.Table,
    output: pa.Schema,
    made_from: str = "",
) -> Publication:
    """Publish those of `items` whose outcome, in the same place of `outcomes`, is ok."""
    ok = pc.equal(outcomes.column("status"), "ok")
    rows = published_rows(items.filter(ok), outcomes.filter(ok), output)
    return lake.dataset(write).publish(rows, category, made_from)


def gone_outcomes(told: pa.Table, items: pa.Table) -> list[dict[str, Any]]:
    """Outcomes for the items that `told` (sorted by time) speaks of, that are not in `items`, and that it does not say
    so of yet. Their key is empty, which no item's is: they answer nothing."""
    here = set(identities(items))
    reasons = told.column("reason").to_pylist()
    at = datetime.now(UTC)
    return [
        {
            "item_id": item_id,
            "category": category,
            "status": "rejected",
            "reason": GONE,
            "error": "The last run was not given it: it was taken away at its source, or left out by an earlier step.",
            "input_key": "",
            "at": at,
        }
        for (category, item_id), row in newest(told).items()
        if (category, item_id) not in here and reasons[row] not in (GONE, TAKEN_DOWN)
    ]


def _parents(items: pa.Table, made: pa.ChunkedArray, inherited: pa.ChunkedArray) -> pa.ChunkedArray:
    """The blob a new blob was made from; for a blob that the item came with, the one that it already named."""
    if "sha256" not in items.column_names:
        return pa.nulls(items.num_rows, pa.string())
    came_with = items.column("sha256").cast(pa.string())
    return pc.if_else(pc.fill_null(pc.equal(came_with, made), False), inherited, came_with)


def newest(outcomes: pa.Table) -> dict[tuple[str, str], int]:
    """(category, item id) -> position of its newest row, in outcomes sorted by time."""
    return {key: position for position, key in enumerate(identities(outcomes))}


def comparable(rows: pa.Table, names: Sequence[str]) -> list[str]:
    """One string per row that is equal for rows with equal values in these columns."""
    taken: list[Mapping[str, Any]] = rows.select(list(names)).to_pylist()
    return [json.dumps(row, default=str, sort_keys=True) for row in taken]
