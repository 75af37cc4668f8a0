"""A lake with something to take down, and what is done to it while that happens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from jewel_assets.lake import OUTCOME_SCHEMA, Lake, Made, Result, Stage, run_stage
from jewel_assets_tests.lake.small_lakes import publish, rows_of


class Reverse(Stage):
    """Makes another blob of each, and keeps a picture of it in a column, as fingerprints do."""

    name = "reverse"
    version = "1"
    output = pa.schema([pa.field("preview", pa.binary())])

    def parameters(self) -> dict[str, Any]:
        return {}

    def process(self, items: Any) -> list[Result]:
        return [Made({"preview": item.data.upper()}, data=item.data[::-1], media_type="image/png") for item in items]


RING = {"anna-1": b"ring one", "anna-2": b"ring two", "bert-1": b"ring three"}


def filled(root: Path | str) -> Lake:
    """Photos of two authors, cut-outs of them, a pool of the cut-outs, clusters of it, and a report that shows all.

    Stages must run in this process (the fixture `here`), or be importable.
    """
    lake = Lake(root)
    photos = rows_of(lake, "ring", RING)
    authors = ["Bert Beispiel" if "bert" in item else "Anna Muster" for item in photos.column("item_id").to_pylist()]
    place = photos.column_names.index("author")
    photos = photos.set_column(place, photos.schema.field(place), pa.array(authors))
    lake.dataset("folder_photos").publish(photos, "ring")
    publish(lake, "folder_photos", "necklace", {"anna-3": b"necklace"}, author="Anna Muster")
    for category in ("ring", "necklace"):
        run_stage(lake, Reverse(), lake.dataset("folder_photos").read(category), "cutouts", category)
    pool = lake.dataset("cutouts").read().drop_columns(["preview"])
    lake.dataset("image_pool").publish(pool, made_from="the cut-outs")
    lake.dataset("design_clusters").publish(with_sheets(lake, pool), made_from="the pool")
    page = rows_of(lake, "jewelry", {"report": b"<html>all pictures</html>"}, media_type="text/html")
    lake.dataset("dataset_report").publish(page)
    for folder, name in (("contact_sheets", "all.jpg"), ("reports", "dataset_report.html")):
        beside = lake.local_folder(folder)
        assert beside is not None
        beside.mkdir(exist_ok=True)
        (beside / name).write_bytes(b"all pictures in small")
    return lake


SHEETS = {"necklace": b"a sheet of necklaces", "ring": b"a sheet of rings"}


def with_sheets(lake: Lake, rows: pa.Table, nullable: bool = True) -> pa.Table:
    """The rows with a column that names, for each category, one sheet that shows all of its rows."""
    sheets = {category: lake.blobs.put(data, "image/jpeg").sha256 for category, data in SHEETS.items()}
    named = [sheets[category] for category in rows.column("category").to_pylist()]
    return rows.append_column(pa.field("cluster_sheet_sha256", pa.string(), nullable), pa.array(named))


def items(lake: Lake, dataset: str) -> list[str]:
    """Their names, without the source."""
    return [str(item).removeprefix("folder:") for item in lake.dataset(dataset).read().column("item_id").to_pylist()]


def told(lake: Lake, dataset: str) -> list[Mapping[str, Any]]:
    """Every outcome there is, without its moment, by item."""
    rows = lake.outcomes(dataset).read().to_pylist()
    return sorted(({**row, "at": None} for row in rows), key=lambda row: str(row["item_id"]))


def refused(item: str, category: str, **more: Any) -> dict[str, Any]:
    """The outcome of what was taken down, and nothing else."""
    error = "Somebody who may asked for it to be removed (`jewel lake takedowns`)."
    empty = dict.fromkeys(OUTCOME_SCHEMA.names)
    said = {"status": "rejected", "reason": "taken down", "error": error, "input_key": ""}
    return {**empty, "item_id": f"folder:{item}", "category": category, **said, **more}


def listing(*rows: dict[str, Any]) -> pa.Table:
    """What a source told of some items."""
    at = pa.array([0] * len(rows), pa.timestamp("us", "UTC"))
    return pa.Table.from_pylist(list(rows)).append_column("at", at)
