"""Where the report goes: a blob and a row in the lake, and a file with a name that a person can open."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import fsspec
import pyarrow as pa

from jewel_assets.explore.report.gather import collect_report_data
from jewel_assets.explore.report.render import build_report
from jewel_assets.lake import ITEM_SCHEMA, Lake, Publication, StageReport
from jewel_assets.lake.tables import writing_failed

DATASET = "dataset_report"
REPORT_VERSION = "2"  # raise it when the same data would now give another page
ENGINE = f"report {REPORT_VERSION}"


def report_path(lake: Lake) -> str:
    """The file that the newest report is written to, beside the tables: `{lake}/reports/dataset_report.html`."""
    return f"{lake.root}/reports/{DATASET}.html"


def publish_report(
    lake: Lake, sources: Sequence[str], weights: Mapping[str, str], now: datetime | None = None
) -> StageReport:
    """Make the report anew if any dataset changed since the last one, and publish it as the one row of its dataset.

    `sources` are the raw photo datasets; `weights` maps model names to hashes. The digest of the publication is that of
    the data the report is about, not of the page, which names the moment it was made.
    """
    started = time.monotonic()
    key = _made_from(lake, weights)
    published = lake.dataset(DATASET).publication()
    if published is not None and published.made_from == key and _is_written(lake):
        return _report(Publication(published.version, 1, key, changed=False), started)
    now = now or datetime.now(UTC)
    page = build_report(collect_report_data(lake, made_at=now, sources=sources, weights=weights)).encode()
    blob = lake.blobs.put(page, "text/html")
    row = {
        "item_id": f"report:{DATASET}",
        "category": "jewelry",  # it is about all of them
        "sha256": blob.sha256,
        "media_type": blob.media_type,
        "bytes": blob.bytes,
        "source": "report",
        "source_id": DATASET,
        "may_train": False,
        "fetched_at": now,
        "engine": ENGINE,
        "input_key": key,
    }
    done = lake.dataset(DATASET).publish(pa.Table.from_pylist([row], ITEM_SCHEMA), made_from=key)
    _write(lake, page)
    return _report(Publication(done.version, 1, key, changed=True), started)


def _report(publication: Publication, started: float) -> StageReport:
    return StageReport.whole(publication, ENGINE, time.monotonic() - started, reused=not publication.changed)


def _made_from(lake: Lake, weights: Mapping[str, str]) -> str:
    versions = {
        file.uri.removeprefix(lake.root): file.open().version()
        for name in lake.datasets()
        if name != DATASET
        for file in (lake.dataset(name).file, lake.outcomes(name).file)
        if file.exists()
    }
    return hashlib.sha256(json.dumps([REPORT_VERSION, versions, dict(weights)], sort_keys=True).encode()).hexdigest()


def _is_written(lake: Lake) -> bool:
    fs, path = fsspec.core.url_to_fs(report_path(lake))
    return bool(fs.exists(path))


def _write(lake: Lake, page: bytes) -> None:
    fs, path = fsspec.core.url_to_fs(report_path(lake))
    try:
        fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        with fs.transaction, fs.open(path, "wb") as file:  # readers see the old report or the new one
            file.write(page)
    except OSError as error:
        raise writing_failed(report_path(lake), error) from error
