"""Downloaded models in Dagster: they become printable ones, with a table, a contact sheet and checks."""

from pathlib import Path

import dagster as dg
import pytest

from jewel_assets.defs.shape import stl_models
from jewel_assets.lake import Lake
from jewel_assets.lake.verification import verify
from jewel_assets.settings import settings
from jewel_assets_tests.shape.test_foreign_models import SCALE, files_of_all_kinds, one_mesh, table_of, torus


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("JEWEL_WORKERS", "1")
    settings.cache_clear()
    return Lake(tmp_path / "lake")


def test_downloaded_models_become_printable_ones_with_checks_and_a_contact_sheet(lake: Lake) -> None:
    contents = {
        "good": (one_mesh(torus().vertices * SCALE, torus().faces).archive(), "application/zip"),
        "open": (files_of_all_kinds()["open"], "model/gltf-binary"),
        "no model": (b"<html>", "application/zip"),
    }
    lake.dataset("sketchfab_models").publish(table_of(lake, contents), "ring")
    result = dg.materialize([stl_models], partition_key="ring", resources={"lake": lake})
    assert result.success
    (event,) = result.asset_materializations_for_node("stl_models")
    shown = event.metadata
    assert (shown["ok"].value, shown["rejected"].value) == (2, 1)
    assert "not a model" in str(shown["lost items by reason"].value)
    assert "none needed | 1" in str(shown["conversions"].value)
    assert "data:image/jpeg;base64" in str(shown["contact sheet"].value)
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {"blobs_present": True, "unique_keys": True, "failure_share": True, "closed_share": False}
    (told,) = [check for check in result.get_asset_check_evaluations() if check.check_name == "closed_share"]
    assert told.severity == dg.AssetCheckSeverity.WARN
    assert list(verify(lake)) == []


def test_a_category_without_downloads_is_published_empty(lake: Lake) -> None:
    result = dg.materialize([stl_models], partition_key="ring", resources={"lake": lake})
    assert result.success
    assert lake.dataset("stl_models").read("ring").num_rows == 0
