"""The columns that every item table has, and those of the outcomes beside it."""

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

STATUSES = ("ok", "rejected", "review", "failed")

GONE = "no longer in the source"
"""The reason of the outcome of an item that earlier runs had and the last one was not given any more."""
