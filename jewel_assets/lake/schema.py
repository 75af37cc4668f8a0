"""The columns that every item table has, and those of the outcomes beside it."""

from collections.abc import Iterable

import pyarrow as pa

UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")

ITEM_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),  # "{source}:{source_id}", kept through all stages
        pa.field("category", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),  # the blob this row stands for
        pa.field("media_type", pa.string(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("width", pa.int32()),  # pixels, upright; null for what is not an image
        pa.field("height", pa.int32()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("source_url", pa.string()),
        pa.field("author", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("licence_url", pa.string()),
        pa.field("may_train", pa.bool_(), nullable=False),  # default deny
        pa.field("fetched_at", UTC_MICROSECONDS),
        pa.field("parent_sha256", pa.string()),  # null for raw
        pa.field("engine", pa.string()),
        pa.field("input_key", pa.string()),  # the key under which this result is reused
    ]
)

OUTCOME_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),  # ok | rejected | review | failed
        pa.field("reason", pa.string()),  # short and countable: "no subject", "not an image"
        pa.field("error", pa.string()),  # the sentence or traceback behind a failure
        pa.field("input_key", pa.string(), nullable=False),
        pa.field("at", UTC_MICROSECONDS, nullable=False),
        pa.field("sha256", pa.string()),  # this and the rest: what an `ok` item became
        pa.field("media_type", pa.string()),
        pa.field("bytes", pa.int64()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("parent_sha256", pa.string()),
        pa.field("engine", pa.string()),
    ]
)
"""A stage's own columns (`Stage.output`) follow these; they may also be filled for what is not `ok`."""

OUTCOMES = "__outcomes"
"""What follows the name of a dataset in the name of the table of its outcomes."""

_MEDIA_TYPE = b"jewel.media_type"


def blob_field(name: str, media_type: str) -> pa.Field:
    """A column of `Stage.output` that names a further blob of the item: its mask, its report. See `Made.beside`.

    The media type travels in the field's metadata, so that whoever reads the table can open the blob. The name ends in
    `_sha256`, as that of every column that names a blob; ValueError if not.
    """
    if not name.endswith("_sha256"):
        raise ValueError(f"The column {name!r} names a blob, so its name must end in _sha256.")
    return pa.field(name, pa.string(), metadata={_MEDIA_TYPE: media_type.encode()})


def blob_fields(schema: pa.Schema) -> dict[str, str]:
    """Column -> media type, of the columns that `blob_field` made."""
    told = {field.name: (field.metadata or {}).get(_MEDIA_TYPE) for field in schema}
    return {name: media_type.decode() for name, media_type in told.items() if media_type}


def blobs_of(rows: pa.Table) -> list[list[tuple[str, str]]]:
    """Hash and media type of the blobs that each row stands for: its own, and those beside it. Nulls are left out."""
    named = [(rows.column("sha256").to_pylist(), rows.column("media_type").to_pylist())]
    named += [
        (rows.column(name).to_pylist(), [media_type] * rows.num_rows)
        for name, media_type in blob_fields(rows.schema).items()
    ]
    return [
        [(hashes[row], types[row]) for hashes, types in named if hashes[row] is not None]
        for row in range(rows.num_rows)
    ]


def hash_columns(names: Iterable[str]) -> list[str]:
    """The columns that name blobs: `sha256` and all that end in `_sha256`."""
    return [name for name in names if name == "sha256" or name.endswith("_sha256")]


def sheet_columns(names: Iterable[str]) -> list[str]:
    """The columns that name a picture of many items, which the rows of all of them share: they end in `_sheet_sha256`.

    A takedown of one of the items removes the picture, and makes the column null wherever it was named.
    """
    return [name for name in names if name.endswith("_sheet_sha256")]


def identities(rows: pa.Table) -> list[tuple[str, str]]:
    """(category, item id) of each row."""
    return list(zip(rows.column("category").to_pylist(), rows.column("item_id").to_pylist(), strict=True))


STATUSES = ("ok", "rejected", "review", "failed")

GONE = "no longer in the source"
"""The reason of the outcome of an item that earlier runs had and the last one was not given any more."""
