"""`promo_renders` in Dagster: by category, templates of one's choice, a contact sheet, what licences forbid."""

from pathlib import Path

import dagster as dg
import pytest

from jewel_assets.defs.promote import instagram_exports, promo_captions, promo_renders
from jewel_assets.images import encode_png
from jewel_assets.lake import Lake
from jewel_assets.lake.takedowns import take_down
from jewel_assets.lake.verification import verify
from jewel_assets.promote.exports import validate
from jewel_assets.settings import settings
from jewel_assets_tests.lake.small_lakes import publish
from jewel_assets_tests.promote.pieces import drawn_ring


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("JEWEL_WORKERS", "1")
    settings.cache_clear()
    made = Lake(tmp_path / "lake")
    publish(made, "cutouts", "ring", {"gold": encode_png(drawn_ring(160))})
    return made


def run(lake: Lake, **config: object) -> dg.ExecuteInProcessResult:
    told = {"ops": {"promo_renders": {"config": {"width": 180, "height": 180, **config}}}}
    return dg.materialize(
        [promo_renders], partition_key="ring", resources={"lake": lake}, run_config=told, raise_on_error=False
    )


def test_cutouts_become_promotional_images_with_a_contact_sheet(lake: Lake) -> None:
    result = run(lake, templates=["velvet-wine", "silk-ivory"], permission="Anna Muster, owner, since 2026")
    assert result.success
    (event,) = result.asset_materializations_for_node("promo_renders")
    assert event.metadata["ok"].value == 2
    assert "data:image/jpeg;base64" in str(event.metadata["contact sheet"].value)
    assert "velvet-wine-moody | 1" in str(event.metadata["templates"].value)
    assert lake.dataset("promo_renders").read("ring").num_rows == 2


def test_ones_own_photos_ask_for_a_permission_and_the_metadata_says_so(lake: Lake) -> None:
    result = run(lake, templates=["velvet-wine"])
    (event,) = result.asset_materializations_for_node("promo_renders")
    assert event.metadata["rejected"].value == 1
    assert "not for publishing" in str(event.metadata["lost items by reason"].value)


def test_an_unknown_template_fails_the_run_for_good_and_names_the_nearest(lake: Lake) -> None:
    result = run(lake, templates=["velvet-midnite"])
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "velvet-midnight" in str(failure.step_failure_data.error)


def test_a_category_without_cutouts_is_published_empty(tmp_path: Path) -> None:
    empty = Lake(tmp_path / "other")
    publish(empty, "cutouts", "ring", {})
    assert run(empty).success
    assert empty.dataset("promo_renders").read("ring").num_rows == 0


def test_images_get_captions_and_become_posts_that_instagram_takes(lake: Lake, tmp_path: Path) -> None:
    publish(lake, "cutouts", "ring", {"gold": encode_png(drawn_ring(160))}, licence="CC0-1.0", author="Anna")
    names = ["velvet-wine", "silk-ivory"]
    told = {"promo_renders": {"config": {"templates": names}}, "promo_captions": {"config": {"brand": "Muster"}}}
    result = dg.materialize(
        [promo_renders, promo_captions, instagram_exports],
        partition_key="ring",
        resources={"lake": lake},
        run_config={"ops": told},
    )
    assert result.success
    captions = lake.dataset("promo_captions").read("ring").to_pylist()
    assert len(captions) == 2
    for row in captions:
        assert row["metal"] == "yellow gold"
        assert "#" in row["caption"]
        assert row["alt_text"]
    (post,) = lake.dataset("instagram_exports").read("ring").to_pylist()
    assert (post["form"], post["images"]) == ("square", 2)
    archive = tmp_path / "post.zip"
    archive.write_bytes(lake.blobs.get(post["sha256"], "application/zip"))
    assert validate(archive) == []
    assert list(verify(lake)) == []
    (event,) = result.asset_materializations_for_node("instagram_exports")
    assert "square | 1" in str(event.metadata["formats"].value)


def test_a_takedown_takes_captions_and_posts_along(lake: Lake) -> None:
    publish(lake, "cutouts", "ring", {"gold": encode_png(drawn_ring(160))}, licence="CC0-1.0", author="Anna")
    dg.materialize(
        [promo_renders, promo_captions, instagram_exports],
        partition_key="ring",
        resources={"lake": lake},
        run_config={"ops": {"promo_renders": {"config": {"templates": ["velvet-wine"]}}}},
    )
    take_down(lake, "author", "Anna", "tests")
    for name in ("cutouts", "promo_renders", "promo_captions", "instagram_exports"):
        assert lake.dataset(name).read("ring").num_rows == 0, name
    assert list(lake.blobs.files()) == []
