"""From what the domain reports to what Dagster shows: metadata, data version, contact sheet, check results."""

import base64
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from jewel_assets.defs.checks import EVERY_DATASET, item_check_results
from jewel_assets.lake import Lake, StageReport, blob_fields

PREVIEW = "preview_sha256"
"""The column in which a dataset of what is no picture (designs, meshes) names a picture of each item."""


def partition_of(context: dg.AssetExecutionContext) -> str | None:
    """The category that the asset is made for; None for one that spans them, whatever the run's partition is."""
    return context.partition_key if context.assets_def.partitions_def else None


def report(
    context: dg.AssetExecutionContext, lake: Lake, outcome: StageReport, metadata: Mapping[str, Any] | None = None
) -> dg.MaterializeResult:
    """The materialization of the asset's dataset: counts, time, engines, contact sheet, checks, data version."""
    dataset, category = context.asset_key.to_user_string(), partition_of(context)
    shown: dict[str, Any] = {}  # in the order in which the UI lists it
    sheet = contact_sheet(lake, dataset, category, outcome.publication.digest)
    if sheet is not None:
        shown["contact sheet"] = sheet
    shown |= {
        "dagster/row_count": outcome.publication.rows,
        "ok": outcome.ok,
        "reused": outcome.reused,
        "rejected": outcome.rejected,
        "review": outcome.review,
        "failed": outcome.failed,
        "no longer in the source": outcome.gone,
        "lost items by reason": counts(outcome.reasons),
        "engines": counts(outcome.engines),
        **(metadata or {}),
        "seconds": round(outcome.seconds, 2),
    }
    if outcome.attempted and outcome.seconds:
        shown["items per second"] = round(outcome.attempted / outcome.seconds, 2)
    if outcome.workers:
        shown["workers x threads"] = f"{outcome.workers} x {outcome.threads}"
    shown["table version"] = outcome.publication.version
    own = [spec.name for spec in context.assets_def.check_specs if spec.name not in EVERY_DATASET]
    return dg.MaterializeResult(
        metadata=shown,
        data_version=dg.DataVersion(outcome.publication.digest),
        check_results=item_check_results(lake, dataset, category, outcome, *own),
    )


def counts(numbers: Mapping[str, int]) -> dg.MetadataValue:
    """A small table of names and counts, most frequent first."""
    if not numbers:
        return dg.MetadataValue.text("none")
    rows = sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = ["| | count |", "|---|---:|", *(f"| {_cell(name)} | {count} |" for name, count in rows[:20])]
    return dg.MetadataValue.md("\n".join(lines))


def table(rows: Mapping[str, Mapping[str, int | str]]) -> dg.MetadataValue:
    """Numbers (or words about them) by row and column, as Markdown."""
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    lines += [
        f"| {name} | " + " | ".join(str(row.get(column, 0)) for column in columns) + " |" for name, row in rows.items()
    ]
    return dg.MetadataValue.md("\n".join(lines))


def contact_sheet(lake: Lake, dataset: str, category: str | None, digest: str) -> dg.MetadataValue | None:
    """A picture of what the dataset holds, small enough for the event log; None where it holds no pictures.

    `digest` is that of the published rows: on a local lake their sheet is kept, so that an unchanged run draws nothing.
    """
    from jewel_assets.contact_sheet import preview_sheet

    folder = lake.local_folder("contact_sheets")
    kept = folder / f"{digest}.jpg" if folder else None
    if kept and kept.is_file():
        return picture(kept.read_bytes())
    rows = _pictured(lake.dataset(dataset).read(category, ["item_id", "sha256", "media_type", PREVIEW]))
    if rows is None:
        return None
    sheet = preview_sheet(rows, lake.blobs)
    if kept:
        kept.parent.mkdir(exist_ok=True)
        half = kept.with_suffix(f".{os.getpid()}.tmp")
        half.write_bytes(sheet)
        half.replace(kept)
    return picture(sheet)


def _pictured(rows: pa.Table) -> pa.Table | None:
    """The rows with the blob that pictures each: its own, or the preview of what is no picture. None without any."""
    media_type = blob_fields(rows.schema).get(PREVIEW)
    if media_type is not None:
        typed = pa.array([media_type] * rows.num_rows, pa.string())
        rows = pa.table({"item_id": rows["item_id"], "sha256": rows[PREVIEW], "media_type": typed})
    if not rows.num_rows or not str(rows.column("media_type")[0]).startswith("image/"):
        return None
    return rows


def picture(jpeg: bytes) -> dg.MetadataValue:
    """A JPEG as Markdown, which is how the UI shows pictures."""
    return dg.MetadataValue.md(f"![contact sheet](data:image/jpeg;base64,{base64.b64encode(jpeg).decode()})")


def bullets(sentences: Sequence[str]) -> dg.MetadataValue:
    """Sentences as a Markdown list."""
    return dg.MetadataValue.md("\n".join(f"- {_cell(sentence)}" for sentence in sentences) or "nothing")


def _cell(text: str) -> str:
    return re.sub(r"([\\|<>*_`\[\]])", r"\\\1", (text or "-").replace("\n", " "))
