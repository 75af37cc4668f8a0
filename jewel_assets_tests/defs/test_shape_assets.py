"""The catalogue end to end in Dagster: two designs become meshes, renders, photos, and join the photos of a folder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from jewel_assets.definitions import defs as load
from jewel_assets.defs import demo
from jewel_assets.lake import Lake, blob_fields, keep_workers
from jewel_assets.lake.verification import verify
from jewel_assets.settings import settings
from jewel_assets_tests.pictures import photo_folder

SMALL: dict[str, dict[str, Any]] = {
    "catalogue_designs": {"count": 2, "seed": 7},
    "catalogue_meshes": {"detail": 0.5},
    "catalogue_renders": {"size": 64, "samples": 2, "preset": "catalogue"},
}


def run(job: str, category: str, only: list[str] | None = None, **config: Any) -> dg.ExecuteInProcessResult:
    return (
        load()
        .get_repository_def()
        .get_job(job)
        .execute_in_process(
            partition_key=category,
            asset_selection=[dg.AssetKey(name) for name in only] if only else None,
            run_config={"ops": {name: {"config": values} for name, values in config.items()}},
            raise_on_error=False,
        )
    )


def materializations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetMaterialization]:
    return {
        event.asset_key.to_user_string(): event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("catalogue")


@pytest.fixture(autouse=True)
def lake(root: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("JEWEL_LAKE", str(root / "lake"))
    monkeypatch.setenv("JEWEL_MODELS", str(root / "models"))
    monkeypatch.setenv("JEWEL_WORKERS", "1")
    settings.cache_clear()
    return Lake(root / "lake")


@pytest.fixture(scope="module")
def made(root: Path) -> Iterator[dg.ExecuteInProcessResult]:
    """The catalogue of rings, made once for this module: two items, pictures of 64 pixels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JEWEL_LAKE", str(root / "lake"))
        patch.setenv("JEWEL_WORKERS", "1")
        settings.cache_clear()
        with keep_workers():  # one start of the processes for all stages, as in `make demo`
            yield run("catalogue_category", "ring", **SMALL)
    settings.cache_clear()


def test_designs_become_meshes_become_renders_become_photos(made: dg.ExecuteInProcessResult, lake: Lake) -> None:
    assert made.success
    ids = ["catalogue:ring-0001", "catalogue:ring-0002"]
    for dataset, media_type in (
        ("catalogue_designs", "application/json"),
        ("catalogue_meshes", "model/gltf-binary"),
        ("catalogue_renders", "image/jpeg"),
        ("catalogue_photos", "image/jpeg"),
    ):
        rows = lake.dataset(dataset).read("ring").to_pylist()
        assert [row["item_id"] for row in rows] == ids, dataset
        for row in rows:
            assert row["media_type"] == media_type
            assert (row["author"], row["licence"], row["may_train"]) == ("jewel-assets", "CC0-1.0", True)
    photo = lake.dataset("catalogue_photos").read("ring").to_pylist()[0]
    mesh = lake.dataset("catalogue_meshes").read("ring").to_pylist()[0]
    assert photo["parent_sha256"] == mesh["sha256"], "a photo names the mesh that it shows"
    assert (photo["width"], photo["height"]) == (64, 64)


def test_metadata_show_pictures_weights_and_castability(made: dg.ExecuteInProcessResult) -> None:
    said = materializations(made)
    for name in ("catalogue_designs", "catalogue_meshes", "catalogue_renders", "catalogue_photos"):
        assert "data:image/jpeg;base64" in str(said[name].metadata["contact sheet"].value), name
    table = str(said["catalogue_meshes"].metadata["castability"].value)
    assert "castable" in table
    assert "grams" in table
    assert "families" in said["catalogue_designs"].metadata
    checks = {check.check_name: check for check in made.get_asset_check_evaluations()}
    assert checks["watertight_share"].passed
    assert "castable_share" in checks
    assert all(check.passed for name, check in checks.items() if name in ("blobs_present", "unique_keys"))


def test_a_mesh_says_what_it_weighs_and_whether_it_can_be_cast(made: dg.ExecuteInProcessResult, lake: Lake) -> None:
    for row in lake.dataset("catalogue_meshes").read("ring").to_pylist():
        assert row["watertight"]
        assert 0.5 < row["grams"] < 60
        assert row["faces"] > 100
        report = json.loads(lake.blobs.get(row["report_sha256"], "application/json"))
        assert report["castable"] == row["castable"]
        assert row["castable"] == (not any(found.startswith("error") for found in row["findings"]))


def test_every_render_has_its_truth_beside_it_and_the_lake_is_sound(
    made: dg.ExecuteInProcessResult, lake: Lake
) -> None:
    import cv2
    import numpy as np

    rows = lake.dataset("catalogue_renders").read("ring")
    kinds = blob_fields(rows.schema)
    assert set(kinds) == {f"{name}_sha256" for name in ("mask", "normals", "depth", "parts", "scene")}

    def png(row: dict[str, Any], name: str) -> Any:
        data = lake.blobs.get(row[f"{name}_sha256"], kinds[f"{name}_sha256"])
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)

    for row in rows.to_pylist():
        mask, parts, depth, normals = (png(row, name) for name in ("mask", "parts", "depth", "normals"))
        scene = json.loads(lake.blobs.get(row["scene_sha256"], "application/json"))
        assert mask.shape == parts.shape == depth.shape == normals.shape[:2] == (64, 64)
        assert row["coverage"] == pytest.approx(mask.mean() / 255, abs=0.003)
        inside = parts > 0
        assert parts.max() <= len(scene["bodies"])
        assert (depth > 0)[inside].all()
        assert not depth[~inside].any()
        lengths = np.linalg.norm(normals[inside] / 65535 * 2 - 1, axis=1)
        assert np.allclose(lengths, 1, atol=1e-3)
        assert scene["shot"]["seed"] == row["shot_seed"]
    assert not list(verify(lake))


def test_a_second_run_builds_and_renders_nothing_again(made: dg.ExecuteInProcessResult) -> None:
    again = materializations(run("catalogue_category", "ring", **SMALL))
    before = materializations(made)
    for name, materialization in again.items():
        assert materialization.metadata["reused"].value == materialization.metadata["ok"].value, name
        assert materialization.tags["dagster/data_version"] == before[name].tags["dagster/data_version"], name


def test_photos_merge_the_catalogue_with_a_folder_and_work_without_either(
    made: dg.ExecuteInProcessResult, lake: Lake, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = run("refresh_category", "ring", only=["photo_fingerprints", "photos"])
    assert alone.success, "no folder is set and none was ever read"
    assert lake.dataset("photos").read("ring").num_rows == 2
    monkeypatch.setenv("JEWEL_PHOTOS", str(photo_folder(root / "photos", {"Rings": 2, "earrings": 1})))
    settings.cache_clear()
    for category, count in (("ring", 4), ("earrings", 1)):
        assert run("refresh_category", category, only=["folder_photos", "photo_fingerprints", "photos"]).success
        assert lake.dataset("photos").read(category).num_rows == count, "earrings have no catalogue, and need none"
    rows = lake.dataset("photos").read("ring").to_pylist()
    assert {row["source"]: row["may_train"] for row in rows} == {"catalogue": True, "folder": False}


def test_a_renderer_that_is_not_there_is_a_sentence_and_no_retry(
    made: dg.ExecuteInProcessResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jewel_assets.shape.render import variants

    monkeypatch.setattr(variants, "available", lambda: ("scalar_rgb",))
    result = run("catalogue_category", "ring", only=["catalogue_renders"], catalogue_renders={"variant": "cuda_ad_rgb"})
    assert not result.success
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert "NVIDIA" in str(failures[0].user_failure_data.description if failures[0].user_failure_data else "")
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]


@pytest.fixture
def sample_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shipped sample as the package would have it, and no photo folder set."""
    folder = photo_folder(tmp_path / "sample", {"ring": 2})
    photo_folder(folder / "masks", {"ring": 2})
    monkeypatch.setenv("JEWEL_PHOTOS", "")  # the demo sets it; so it is put back after the test
    monkeypatch.setattr(demo, "shipped_sample", lambda: folder)
    settings.cache_clear()
    return folder


def test_the_demo_runs_on_the_shipped_sample_where_no_photos_are_given_and_says_so(
    sample_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.use_the_sample_unless_there_are_photos()
    assert settings().photos == sample_folder
    assert "2 rendered pieces that ship with the project" in capsys.readouterr().out


def test_the_demo_leaves_photos_that_are_given_alone(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JEWEL_PHOTOS", str(tmp_path / "mine"))
    settings.cache_clear()
    assert not demo.use_the_sample_unless_there_are_photos()
    assert settings().photos == tmp_path / "mine"
    assert capsys.readouterr().out == ""


def test_without_photos_and_sample_the_demo_says_what_it_always_said(
    sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "shipped_sample", lambda: None)
    assert not demo.use_the_sample_unless_there_are_photos()
    assert settings().photos is None


def test_nobody_has_to_say_that_the_sample_shows_no_person() -> None:
    job = load().get_repository_def().get_job("refresh_category")
    config = dg.validate_run_config(job, demo.NOBODY_IN_THEM)
    assert config["ops"]["product_photos"]["config"]["accept_review"] is True
