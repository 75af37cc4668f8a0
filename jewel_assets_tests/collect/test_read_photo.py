"""The stage that reads a folder's photos: one result per file, whatever lies there."""

import pickle
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jewel_assets.categories import CATEGORIES
from jewel_assets.collect import ReadPhoto, list_folder
from jewel_assets.lake.stages import Failed, Item, Made, Rejected, Result
from jewel_assets_tests.collect.made_files import HEIC, corners, gps_exif, saved


def read(root: Path, stage: ReadPhoto | None = None) -> dict[str, Result]:
    rows = list_folder(root, "ring").to_pylist()
    stage = pickle.loads(pickle.dumps(stage or ReadPhoto()))
    stage.setup(1)
    results = stage.process([Item(row) for row in rows])
    return {row["source_id"].removeprefix("ring/"): result for row, result in zip(rows, results, strict=True)}


def put(root: Path, name: str, data: bytes) -> Path:
    path = root / "ring" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_each_file_gets_its_result_in_order(tmp_path: Path) -> None:
    jpeg = saved(corners(), "JPEG")
    put(tmp_path, "good.jpg", jpeg)
    put(tmp_path, "phone.heic", HEIC)
    put(tmp_path, "mislabelled.png", saved(corners(), "JPEG", exif=gps_exif(6)))
    put(tmp_path, "page.jpg", b"<html>404</html>")
    put(tmp_path, "cut.jpg", jpeg[: len(jpeg) // 2])
    put(tmp_path, "nothing.jpg", b"")
    (tmp_path / "ring/link.jpg").symlink_to("/etc/hostname")
    results = read(tmp_path)
    reasons = {name: result.reason for name, result in results.items() if isinstance(result, Rejected)}
    assert reasons == {
        "page.jpg": "not an image",
        "cut.jpg": "truncated",
        "nothing.jpg": "empty file",
        "link.jpg": "link out of the folder",
    }
    assert all(result.error.endswith(".") for result in results.values() if isinstance(result, Rejected))
    good, turned = results["good.jpg"], results["mislabelled.png"]
    assert isinstance(good, Made)
    assert isinstance(turned, Made)
    assert (good.data, good.media_type, good.width, good.height) == (jpeg, "image/jpeg", 80, 64)
    assert set(good.columns) == set(ReadPhoto.output.names)
    assert (datetime.now(UTC) - good.columns["fetched_at"]).total_seconds() < 60
    assert (turned.media_type, turned.width, turned.height) == ("image/jpeg", 64, 80)
    assert turned.columns["original_media_type"] == "image/jpeg"
    assert turned.columns["changes"] == "turned upright, coded anew"


def test_a_file_that_changes_or_vanishes_after_it_was_listed_fails_with_a_sentence(tmp_path: Path) -> None:
    changing, vanishing = put(tmp_path, "a.png", saved(corners(), "PNG")), put(tmp_path, "b.png", b"x")
    replaced, opened = put(tmp_path, "c.png", b"y"), put(tmp_path, "d.png", b"z")
    rows = list_folder(tmp_path, "ring").to_pylist()
    changing.write_bytes(b"something else")
    for path in (vanishing, replaced, opened):
        path.unlink()
    replaced.symlink_to("/etc/hostname")
    opened.mkdir()
    for result in ReadPhoto().process([Item(row) for row in rows]):
        assert isinstance(result, Failed)
        assert result.reason == "file changed"
        assert result.error.endswith("Collect the folder again.")


def test_the_limits_are_those_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jewel_assets.settings import settings as read_settings

    monkeypatch.setenv("JEWEL_MAX_IMAGE_PIXELS", "5000")
    monkeypatch.setenv("JEWEL_MAX_IMAGE_SIDE", "70")
    read_settings.cache_clear()
    stage = ReadPhoto()
    assert (stage.max_pixels, stage.max_side) == (5000, 70)
    put(tmp_path, "wide.png", saved(corners(72, 40), "PNG"))
    put(tmp_path, "large.png", saved(corners(), "PNG"))
    put(tmp_path, "good.png", saved(corners(64, 64), "PNG"))
    reasons = {name: getattr(result, "reason", "ok") for name, result in read(tmp_path, stage).items()}
    assert reasons == {"wide.png": "side too long", "large.png": "too many pixels", "good.png": "ok"}
    small = read(tmp_path, ReadPhoto(max_file_bytes=10))["good.png"]
    assert isinstance(small, Rejected)
    assert small.reason == "file too large"


def test_the_key_depends_on_the_content_and_the_limits_not_on_the_name(tmp_path: Path) -> None:
    put(tmp_path, "a.png", b"same")
    put(tmp_path, "b.png", b"same")
    put(tmp_path, "c.png", b"other")
    (tmp_path / "ring/d.png").symlink_to("/etc/hostname")
    (tmp_path / "ring/e.png").symlink_to("/etc/hostname")
    a, b, c, d, e = list_folder(tmp_path, "ring").to_pylist()
    stage = ReadPhoto()
    assert stage.key(a) == stage.key(b)
    assert len({stage.key(row) for row in (a, c, d, e)}) == 4
    assert ReadPhoto(max_side=7).key(a) != stage.key(a)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\x00", b"BM"])
)
def test_any_bytes_give_a_result(tmp_path: Path, data: bytes, magic: bytes) -> None:
    put(tmp_path, "any", magic + data)
    (result,) = read(tmp_path).values()
    assert isinstance(result, Made | Rejected)


@pytest.mark.shared
def test_the_shared_photos_are_all_read(shared: Path) -> None:
    root = shared / "data/photos"
    stage = ReadPhoto()
    counts: Counter[Any] = Counter()
    for category in CATEGORIES:
        rows = list_folder(root, category).to_pylist()
        for result in stage.process([Item(row) for row in rows]):
            assert isinstance(result, Made)
            counts[result.columns["changes"]] += 1
    assert sum(counts.values()) == 1481
    assert counts[""] > 1400  # nearly all are as they should be and keep their bytes
