"""The assets end to end, on drawn photos, without weights: what is materialized, what it says, and how it fails."""

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from jewel_assets.clean import waiting_for_review
from jewel_assets.clean.review import decide
from jewel_assets.definitions import defs as load
from jewel_assets.explore.report import report_path
from jewel_assets.lake import Lake
from jewel_assets.settings import settings
from jewel_assets_tests.pictures import photo_folder


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake of its own and a folder of drawn photos, as a user without weights would have them."""
    photo_folder(tmp_path / "photos", {"Rings": 7, "earrings": 5})
    copied = tmp_path / "photos" / "Rings"
    shutil.copy(copied / "piece 0.jpg", copied / "the same piece.jpg")
    (copied / "notes.jpg").write_bytes(b"not a picture")
    monkeypatch.setenv("JEWEL_PHOTOS", str(tmp_path / "photos"))
    monkeypatch.setenv("JEWEL_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("JEWEL_MODELS", str(tmp_path / "models"))
    settings.cache_clear()
    return Lake(tmp_path / "lake")


def run(job: str, category: str | None = None, only: str | None = None, **config: Any) -> dg.ExecuteInProcessResult:
    return (
        load()
        .get_repository_def()
        .get_job(job)
        .execute_in_process(
            partition_key=category,
            asset_selection=[dg.AssetKey(only)] if only else None,
            run_config={"ops": {name: {"config": values} for name, values in config.items()}},
            raise_on_error=False,
        )
    )


def materializations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetMaterialization]:
    return {
        event.asset_key.to_user_string(): event.materialization for event in result.get_asset_materialization_events()
    }


def failure(result: dg.ExecuteInProcessResult) -> str:
    event = next(event for event in result.all_events if event.is_step_failure)
    data = event.step_failure_data
    return data.user_failure_data.description if data.user_failure_data else str(data.error)


def test_photos_go_in_and_a_report_comes_out(lake: Lake) -> None:
    first = run("refresh_category", "ring")
    assert first.success
    made = materializations(first)
    assert made["folder_photos"].metadata["ok"].value == 8
    assert made["folder_photos"].metadata["rejected"].value == 1
    assert made["photos"].metadata["dagster/row_count"].value == 7, "one photo stands there twice"
    assert "data:image/jpeg;base64" in made["photos"].metadata["contact sheet"].value
    assert made["product_photos"].metadata["review"].value == 7, "without weights a person must look"
    assert run("refresh_category", "earrings").success
    decide(lake, waiting_for_review(lake), "accept", by="the tests")
    for category in ("ring", "earrings"):
        assert run("refresh_category", category).success
    last = run("pool_and_report")
    assert last.success
    pool = lake.dataset("image_pool").read()
    assert pool.num_rows == 12
    clusters = lake.dataset("design_clusters").read()
    assert clusters.num_rows == 12
    assert len(set(clusters.column("cluster_id").to_pylist())) >= 2
    page = Path(report_path(lake)).read_text()
    assert "not an image" in page
    assert all(check.passed for check in last.get_asset_check_evaluations())


def test_a_second_run_does_nothing_again_and_its_data_versions_stay(lake: Lake) -> None:
    before = materializations(run("refresh_category", "ring"))
    after = materializations(run("refresh_category", "ring"))
    for name, materialization in after.items():
        assert materialization.metadata["reused"].value == sum(
            materialization.metadata[status].value for status in ("ok", "rejected", "review", "failed")
        ), name
        assert materialization.tags["dagster/data_version"] == before[name].tags["dagster/data_version"], name


def test_a_category_without_photos_is_materialized_empty(lake: Lake) -> None:
    result = run("refresh_category", "wristwatch")
    assert result.success
    assert materializations(result)["cutouts"].metadata["dagster/row_count"].value == 0


def test_every_item_that_is_lost_on_the_way_stands_in_the_outcomes(lake: Lake) -> None:
    run("refresh_category", "ring")
    listed = {f"folder:Rings/piece {number}.jpg" for number in range(7)}
    listed |= {"folder:Rings/the same piece.jpg", "folder:Rings/notes.jpg"}
    items = listed
    for dataset in ("folder_photos", "photo_fingerprints", "photos", "body_part_verdicts", "product_photos"):
        outcomes = lake.outcomes(dataset).latest("ring")
        assert set(outcomes.column("item_id").to_pylist()) == items, dataset
        items = set(lake.dataset(dataset).read("ring").column("item_id").to_pylist())


def test_no_photo_folder_is_a_sentence_and_no_retry(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JEWEL_PHOTOS")
    settings.cache_clear()
    result = run("collect_category", "ring")
    assert not result.success
    assert "set JEWEL_PHOTOS" in failure(result)
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]


def test_a_missing_photo_folder_is_named(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JEWEL_PHOTOS", str(tmp_path / "fotos"))
    settings.cache_clear()
    result = run("collect_category", "ring")
    assert not result.success
    assert str(tmp_path / "fotos") in failure(result)


def test_a_folder_of_no_known_category_is_shown_but_stops_nothing(lake: Lake, tmp_path: Path) -> None:
    photo_folder(tmp_path / "photos" / "more", {})
    (tmp_path / "photos" / "neclaces").mkdir()
    shutil.copy(tmp_path / "photos" / "Rings" / "piece 0.jpg", tmp_path / "photos" / "neclaces" / "a.jpg")
    made = materializations(run("collect_category", "ring"))
    said = made["folder_photos"].metadata["to know about the folder"].value
    assert "neclaces" in said
    assert "necklace" in said


def test_a_model_that_must_not_be_used_is_refused_with_what_to_do(lake: Lake) -> None:
    run("refresh_category", "ring")
    result = run("refresh_category", "ring", only="cutouts", cutouts={"engine": "network", "model": "bria-rmbg"})
    assert not result.success
    assert "JEWEL_ALLOW_MODELS=bria-rmbg" in failure(result)


def test_a_wrong_setting_is_a_sentence_and_no_retry(lake: Lake) -> None:
    result = run("pool_and_report", only="image_pool", image_pool={"train": 0.95, "validation": 0.2})
    assert not result.success
    assert "shares" in failure(result)
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]


def test_a_table_that_somebody_broke_is_named_and_not_retried(lake: Lake) -> None:
    run("refresh_category", "ring")
    for file in Path(lake.root, "tables", "photos").rglob("*.parquet"):
        file.chmod(0o644)
        file.write_bytes(b"broken")
    result = run("refresh_category", "ring", only="body_part_verdicts")
    assert not result.success
    assert "jewel lake verify" in failure(result)
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
