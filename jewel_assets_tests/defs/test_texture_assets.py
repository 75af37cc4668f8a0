"""The texture assets end to end: a folder of drawn textures becomes measured textures and a report."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from jewel_assets.definitions import defs as load
from jewel_assets.defs.explore import texture_report
from jewel_assets.defs.policies import BY_THEME
from jewel_assets.explore.report import report_path
from jewel_assets.lake import Lake, keep_workers
from jewel_assets.settings import settings
from jewel_assets_tests.textures import checkerboard, dots, texture_folder

STREET = ["folder_textures", "texture_fingerprints", "textures", "texture_measures"]


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake of its own and a folder of textures: two, one of them twice, one in a folder that means no theme."""
    pictures = {"Geometric/checks": checkerboard(), "Geometric/mirrored": checkerboard()[:, ::-1]}
    pictures |= {"Geometric/dots": dots(), "filligree/lost": dots(), "loose": dots()}
    monkeypatch.setenv("JEWEL_TEXTURES", str(texture_folder(tmp_path / "textures", pictures)))
    monkeypatch.setenv("JEWEL_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("JEWEL_WORKERS", "1")
    settings.cache_clear()
    return Lake(tmp_path / "lake")


def run(job: str, theme: str, only: list[str]) -> dg.ExecuteInProcessResult:
    found = load().get_repository_def().get_job(job)
    selected = [dg.AssetKey(name) for name in only]
    return found.execute_in_process(partition_key=theme, asset_selection=selected, raise_on_error=False)


def made(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {
        event.asset_key.to_user_string(): event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }


def test_a_folder_becomes_measured_textures_and_a_report(lake: Lake) -> None:
    with keep_workers():
        done = run("refresh_theme", "geometric", STREET)
    assert done.success
    found = made(done)
    assert [found[name]["dagster/row_count"].value for name in STREET] == [3, 3, 2, 2]
    assert "contact sheet" in found["texture_measures"]
    told = found["folder_textures"]["to know about the folder"].value
    assert "filligree" in told
    assert "1 textures lie in the folder itself" in told
    assert all(check.passed for check in done.get_asset_check_evaluations())
    assert dg.materialize([texture_report], resources={"lake": lake}).success
    assert "2 textures in 1 theme." in Path(report_path(lake, "texture_report")).read_text()


def test_without_a_texture_folder_the_step_says_what_to_set(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JEWEL_TEXTURES")
    settings.cache_clear()
    done = run("refresh_theme", "gold", ["folder_textures"])
    failures = [event.step_failure_data for event in done.all_events if event.is_step_failure]
    assert failures[0].user_failure_data is not None
    assert "Set JEWEL_TEXTURES to a folder with one sub-folder per theme" in str(
        failures[0].user_failure_data.description
    )


def test_what_is_divided_by_theme_has_the_tag_by_which_jobs_select_it() -> None:
    for spec in load().resolve_all_asset_specs():
        themed = spec.partitions_def is not None and "gold" in spec.partitions_def.get_partition_keys()
        assert (BY_THEME.items() <= spec.tags.items()) == themed, spec.key
