"""Sketchfab and its fake, put together for tests."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from jewel_assets.collect.addresses import AddressGuard
from jewel_assets.collect.archive import Archive
from jewel_assets.collect.fetch_model import FetchModel
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import Limits
from jewel_assets.collect.sketchfab import Sketchfab
from jewel_assets.collect.source import Found
from jewel_assets.lake import Lake
from jewel_assets_tests.collect.collecting_for_tests import Collection, impatient
from jewel_assets_tests.fakes.sketchfab import TOKEN, FakeSketchfab

RING = "ring jewelry"


def source(fake: FakeSketchfab, **named: Any) -> Sketchfab:
    quick = {"storage": fake.storage, "per_second": 500.0, "fresh_s": 0.0} | named
    return Sketchfab(quick.pop("token", TOKEN), fake.url, **quick)


def fetcher(fake: FakeSketchfab, sketchfab: Sketchfab, archive: Path | None = None) -> Fetcher:
    limits = Limits(impatient(sketchfab))
    guard = AddressGuard(["127.0.0.1", "localhost"])
    return Fetcher(limits, Archive(archive), guard, secrets=sketchfab.secrets)


def search(fake: FakeSketchfab, query: str = RING, most: int = 1000, **named: Any) -> list[Found]:
    sketchfab = source(fake, **named)
    with fetcher(fake, sketchfab) as opened:
        return [found for found in sketchfab.search(opened, query, most) if isinstance(found, Found)]


def row_of(found: Found) -> dict[str, Any]:
    return {"source_id": found.source_id, "extra": dict(found.extra)}


def fetch_first(fake: FakeSketchfab, archive: Path | None = None, **named: Any) -> bytes:
    """Search, and receive the first model."""
    sketchfab = source(fake, **named)
    with fetcher(fake, sketchfab, archive) as opened:
        found = next(one for one in sketchfab.search(opened, RING, 1) if isinstance(one, Found))
        received = sketchfab.fetch(opened, row_of(found))
        with received.file:
            return received.read()


def collection(tmp_path: Path, fake: FakeSketchfab, **named: Any) -> Collection:
    return Collection(Lake(tmp_path / "lake"), source(fake, **named), "sketchfab_models", FetchModel)


def assert_nowhere(folder: Path, secrets: list[str]) -> None:
    """In no file of a folder, as bytes, and in no value of its tables, which are compressed."""
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += json.dumps(pq.read_table(path, partitioning=None).to_pylist(), default=str).encode()
            assert not any(secret.encode() in content for secret in secrets), path
