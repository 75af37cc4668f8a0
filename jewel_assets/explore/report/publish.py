"""Where a report goes: a blob and a row in the lake, and a file with a name that a person can open."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import fsspec
import pyarrow as pa

from jewel_assets.explore.report.gather import collect_report_data
from jewel_assets.explore.report.render import build_report
from jewel_assets.explore.report.tables import Tables
from jewel_assets.lake import ITEM_SCHEMA, Lake, Publication, StageReport
from jewel_assets.lake.tables import writing_failed

DATASET = "dataset_report"
REPORT_VERSION = "2"  # raise it when the same data would now give another page


def report_path(lake: Lake, dataset: str = DATASET) -> str:
    """The file that the newest report is written to, beside the tables: `{lake}/reports/dataset_report.html`."""
    return f"{lake.root}/reports/{dataset}.html"


def publish_report(
    lake: Lake, sources: Sequence[str], weights: Mapping[str, str], now: datetime | None = None
) -> StageReport:
    """Make the report anew if any dataset it is about changed since the last one, and publish it as the one row of its
    dataset.

    `sources` are the raw photo datasets; `weights` maps model names to hashes. The digest of the publication is that of
    the data the report is about, not of the page, which names the moment it was made.
    """

    def page(made_at: datetime) -> str:
        return build_report(collect_report_data(lake, made_at=made_at, sources=sources, weights=weights))

    about = Tables(lake, sources).names
    return publish_page(lake, DATASET, REPORT_VERSION, about, page, dict(weights), now)


def publish_page(
    lake: Lake,
    dataset: str,
    version: str,
    about: Iterable[str],
    page: Callable[[datetime], str],
    further: object = None,
    now: datetime | None = None,
) -> StageReport:
    """Publish what `page` gives for the moment, as the one row of `dataset`, unless all is as it was the last time: the
    datasets the page is `about`, the `further` things it shows (as JSON can write them), the `version` of its code.
    """
    started = time.monotonic()
    engine = f"report {version}"
    key = _made_from(lake, version, about, further)
    published = lake.dataset(dataset).publication()

    def done(publication: Publication) -> StageReport:
        seconds = time.monotonic() - started
        return StageReport.whole(publication, engine, seconds, reused=not publication.changed)

    if published is not None and published.made_from == key and _is_written(report_path(lake, dataset)):
        return done(Publication(published.version, 1, key, changed=False))
    now = now or datetime.now(UTC)
    html = page(now).encode()
    blob = lake.blobs.put(html, "text/html")
    row = {
        "item_id": f"report:{dataset}",
        "category": "jewelry",  # it is about all of them
        "sha256": blob.sha256,
        "media_type": blob.media_type,
        "bytes": blob.bytes,
        "source": "report",
        "source_id": dataset,
        "may_train": False,
        "fetched_at": now,
        "engine": engine,
        "input_key": key,
    }
    made = lake.dataset(dataset).publish(pa.Table.from_pylist([row], ITEM_SCHEMA), made_from=key)
    _write(report_path(lake, dataset), html)
    return done(Publication(made.version, 1, key, changed=True))


def _made_from(lake: Lake, version: str, about: Iterable[str], further: object) -> str:
    versions = {
        file.uri.removeprefix(lake.root): file.open().version()
        for name in about
        for file in (lake.dataset(name).file, lake.outcomes(name).file)
        if file.exists()
    }
    return hashlib.sha256(json.dumps([version, versions, further], sort_keys=True).encode()).hexdigest()


def _is_written(address: str) -> bool:
    fs, path = fsspec.core.url_to_fs(address)
    return bool(fs.exists(path))


def _write(address: str, page: bytes) -> None:
    fs, path = fsspec.core.url_to_fs(address)
    try:
        fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        with fs.transaction, fs.open(path, "wb") as file:  # readers see the old report or the new one
            file.write(page)
    except OSError as error:
        raise writing_failed(address, error) from error
