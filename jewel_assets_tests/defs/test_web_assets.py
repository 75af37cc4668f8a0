"""The assets that are fetched from elsewhere, against the fakes: what is materialized, what it says, how it fails."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from jewel_assets.definitions import defs as load
from jewel_assets.lake import Lake
from jewel_assets.settings import settings
from jewel_assets_tests.fakes import faults
from jewel_assets_tests.fakes.met import FakeMet
from jewel_assets_tests.fakes.openverse import FakeOpenverse
from jewel_assets_tests.fakes.sketchfab import TOKEN, FakeSketchfab
from jewel_assets_tests.fakes.unsplash import KEY, FakeUnsplash

OFF = {
    "unsplash_photos": "JEWEL_UNSPLASH_KEY",
    "openverse_photos": "JEWEL_OPEN_COLLECTIONS",
    "met_photos": "JEWEL_OPEN_COLLECTIONS",
    "sketchfab_models": "JEWEL_SKETCHFAB_TOKEN",
    "openverse_textures": "JEWEL_OPEN_COLLECTIONS",
    "pinterest_textures": "JEWEL_PINTEREST_PERMISSION",
}


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """A lake of its own, and no source that is switched on."""
    for name in list(os.environ):
        if name.startswith("JEWEL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # no .env
    switch_on(monkeypatch, JEWEL_LAKE=str(tmp_path / "lake"), JEWEL_PRIVATE_HOSTS="127.0.0.1,localhost")
    yield Lake(tmp_path / "lake")
    settings.cache_clear()


def switch_on(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


def materialize(asset: str, key: str, most: int = 6) -> dg.ExecuteInProcessResult:
    job = load().get_repository_def().get_job("__ASSET_JOB")
    return job.execute_in_process(
        partition_key=key,
        asset_selection=[dg.AssetKey(asset)],
        run_config={"ops": {asset: {"config": {"most": most}}}} if asset in OFF else {},
        raise_on_error=False,
    )


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    event = next(event for event in result.all_events if event.is_step_failure)
    data = event.step_failure_data
    return str(data.user_failure_data.description if data.user_failure_data else data.error)


@pytest.mark.parametrize("asset", OFF)
def test_a_source_that_is_off_says_how_to_switch_it_on_and_is_not_asked_again(lake: Lake, asset: str) -> None:
    result = materialize(asset, "gold" if asset.endswith("textures") else "ring")
    assert not result.success
    assert OFF[asset] in failure(result)
    assert not any(event.is_step_restarted for event in result.all_events)


def test_a_collection_says_what_it_will_do_and_what_it_did(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeUnsplash(total=6) as fake:
        switch_on(monkeypatch, JEWEL_UNSPLASH_URL=fake.url, JEWEL_UNSPLASH_KEY=KEY)
        told = metadata(materialize("unsplash_photos", "ring"))
    assert "unsplash, ring: the search shows 6; 0 are here already, 6 are fetched now" in told["plan"]
    assert told["ok"] == 6
    assert "Unsplash" in told["licences"]
    assert told["permission"] == "none stated"
    assert told["contact sheet"].startswith("![contact sheet]")
    assert fake.violations == []


def test_a_second_night_changes_nothing_downstream(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeUnsplash(total=4) as fake:
        switch_on(monkeypatch, JEWEL_UNSPLASH_URL=fake.url, JEWEL_UNSPLASH_KEY=KEY)
        versions = [
            result.get_asset_materialization_events()[0].materialization.tags["dagster/data_version"]
            for result in (materialize("unsplash_photos", "ring"), materialize("unsplash_photos", "ring"))
        ]
    assert versions[0] == versions[1]


def test_a_wrong_key_fails_at_once_without_showing_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeUnsplash(total=4) as fake:
        switch_on(monkeypatch, JEWEL_UNSPLASH_URL=fake.url, JEWEL_UNSPLASH_KEY="wrong-key-4711")
        result = materialize("unsplash_photos", "ring")
    assert "401" in failure(result)
    assert "wrong-key-4711" not in "".join(str(event) for event in result.all_events)
    assert not any(event.is_step_restarted for event in result.all_events)


def test_where_most_photos_fail_nothing_is_published_and_the_cause_is_named(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeUnsplash(total=4) as fake:
        switch_on(monkeypatch, JEWEL_UNSPLASH_URL=fake.url, JEWEL_UNSPLASH_KEY=KEY)
        fake.inject("/photo-", *[faults.web_page] * 4)
        result = materialize("unsplash_photos", "ring")
        assert "4 x not an image" in failure(result)
        assert not lake.dataset("unsplash_photos").exists()
        assert materialize("unsplash_photos", "ring").success


def test_photos_of_all_sources_become_one_dataset(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeUnsplash(total=3) as unsplash, FakeOpenverse(total=4) as openverse, FakeMet(total=5) as met:
        switch_on(
            monkeypatch,
            JEWEL_UNSPLASH_URL=unsplash.url,
            JEWEL_UNSPLASH_KEY=KEY,
            JEWEL_OPENVERSE_URL=openverse.url,
            JEWEL_MET_URL=met.url,
            JEWEL_OPEN_COLLECTIONS="openverse, met",
        )
        for asset in ("unsplash_photos", "openverse_photos", "met_photos", "photo_fingerprints", "photos"):
            assert materialize(asset, "ring", most=3).success, asset
    rows = lake.dataset("photos").read("ring").to_pylist()
    assert {row["source"] for row in rows} == {"unsplash", "openverse", "met"}
    assert {row["source"] for row in rows if row["may_train"]} == {"openverse", "met"}
    assert all(row["licence"] and row["source_url"] for row in rows)


def test_models_become_stl_files(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSketchfab(total=3) as fake:
        switch_on(monkeypatch, JEWEL_SKETCHFAB_URL=fake.url, JEWEL_SKETCHFAB_TOKEN=TOKEN)
        assert materialize("sketchfab_models", "ring", most=3).success
        assert materialize("stl_models", "ring").success
    rows = lake.dataset("stl_models").read("ring").to_pylist()
    assert len(rows) == 3
    assert {row["media_type"] for row in rows} == {"model/stl"}
    assert all(row["author"] and row["licence"] for row in rows)


def test_jobs_and_the_night_ask_for_what_is_switched_on(tmp_path: Path) -> None:
    program = (
        "import jewel_assets.definitions as d; d = d.defs()\n"
        "for job in ('collect_category', 'collect_theme'):\n"
        "    keys = d.resolve_job_def(job).asset_layer.executable_asset_keys\n"
        "    print(*sorted(key.to_user_string() for key in keys))\n"
    )
    variables = {
        "JEWEL_UNSPLASH_KEY": "k",
        "JEWEL_OPEN_COLLECTIONS": "openverse",
        "JEWEL_PHOTOS": "",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JEWEL_")} | variables
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["openverse_photos unsplash_photos", "openverse_textures"]
