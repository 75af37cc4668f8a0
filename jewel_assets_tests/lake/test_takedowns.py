"""A takedown request: what goes, what stays, and that it never comes back."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

from jewel_assets.cli import app
from jewel_assets.collect.archive import Archive
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake, run_selection, run_stage
from jewel_assets.lake.banned import TAKEN_DOWN
from jewel_assets.lake.export import export
from jewel_assets.lake.maintenance import collect_garbage
from jewel_assets.lake.takedowns import take_down
from jewel_assets.lake.verification import verify
from jewel_assets.settings import settings
from jewel_assets_tests.lake.small_lakes import age, append_outcomes, blob_file, publish
from jewel_assets_tests.lake.stages_for_tests import FirstOf
from jewel_assets_tests.lake.takedowns_for_tests import (
    SHEETS,
    Reverse,
    filled,
    items,
    listing,
    refused,
    told,
    with_sheets,
)


@pytest.fixture
def lake(lake_root: str, here: list[int]) -> Lake:
    return filled(lake_root)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def data_files(lake: Lake, table: str) -> list[Path]:
    """Those of the newest version."""
    return [Path(path) for path in lake.dataset(table).file.open().file_uris()]


# --- what goes --------------------------------------------------------------------------------------------------------


def test_an_item_goes_with_all_that_was_made_of_it(lake: Lake) -> None:
    removed = take_down(lake, "item", "folder:anna-1", "tests")
    assert removed.items == ["folder:anna-1"]
    photos = dict.fromkeys(["folder_photos", "cutouts", "cutouts__outcomes", "image_pool", "design_clusters"], 1)
    assert removed.rows == {**photos, "dataset_report": 1}
    for dataset in ("folder_photos", "cutouts", "image_pool", "design_clusters"):
        assert items(lake, dataset) == ["anna-3", "anna-2", "bert-1"]
    for data in (b"ring one", b"ring one"[::-1]):
        assert not blob_file(lake, data).exists()
    assert blob_file(lake, b"ring two").exists()
    assert list(verify(lake)) == []


def test_an_author_goes_with_all_works_in_all_categories(lake: Lake) -> None:
    removed = take_down(lake, "author", "Anna Muster", "tests", note="mail of 3 May 2026")
    assert removed.items == ["folder:anna-1", "folder:anna-2", "folder:anna-3"]
    for dataset in ("folder_photos", "cutouts", "image_pool"):
        assert items(lake, dataset) == ["bert-1"]
    assert {row["note"] for row in lake.takedowns().read().to_pylist()} == {"mail of 3 May 2026"}
    assert list(verify(lake)) == []


def test_bytes_go_wherever_they_are(lake: Lake) -> None:
    publish(lake, "other_photos", "ring", {"copy-of-bert": b"ring three"})
    removed = take_down(lake, "sha256", sha256_of(b"ring three"), "tests")
    assert removed.items == ["folder:bert-1", "folder:copy-of-bert"]
    assert items(lake, "other_photos") == []


def test_a_photo_that_another_item_holds_too_goes_with_both(lake: Lake) -> None:
    publish(lake, "other_photos", "ring", {"same-picture": b"ring one"})
    assert take_down(lake, "item", "folder:anna-1", "tests").items == ["folder:anna-1", "folder:same-picture"]


def test_what_names_its_bytes_in_another_column_was_made_of_it_and_goes(lake: Lake) -> None:
    plate = sha256_of(b"ring one")
    publish(lake, "promos", "ring", {"promo": b"bert's ring on anna's picture"}, plate_sha256=plate)
    assert "folder:promo" in take_down(lake, "item", "folder:anna-1", "tests").items
    assert items(lake, "promos") == []
    assert list(verify(lake)) == []


def test_what_an_item_was_once_drags_nothing_else_along(lake: Lake) -> None:
    """The file of bert-1 once held anna-2's picture: neither is the other."""
    append_outcomes(lake, "folder_photos", "ring", {"bert-1": b"ring two"}, days_ago=2)
    append_outcomes(lake, "folder_photos", "ring", {"bert-1": b"ring three"}, days_ago=1)
    assert take_down(lake, "item", "folder:anna-2", "tests").items == ["folder:anna-2"]
    assert [row["sha256"] for row in told(lake, "folder_photos")] == [None, sha256_of(b"ring three")]
    assert take_down(lake, "item", "folder:bert-1", "tests").items == ["folder:bert-1"]


@pytest.mark.parametrize("name", ["it's", 'a "b"', "back\\slash", "two\nlines", "ünï ¤ 💍", "--; DROP", "100%_"])
def test_whatever_its_name_is(lake: Lake, name: str) -> None:
    publish(lake, "odd_photos", "ring", {name: b"odd"}, author=name)
    publish(lake, "odd_photos", "necklace", {"even": b"even"})
    lake.decisions("odd_photos").add(lake.dataset("odd_photos").read(), "accept", name)
    assert take_down(lake, "author", name, "tests").items == [f"folder:{name}"]
    assert items(lake, "odd_photos") == ["even"]
    assert lake.decisions("odd_photos").read().column("item_id").to_pylist() == ["folder:even"]


# --- pictures of it elsewhere -----------------------------------------------------------------------------------------


def test_no_outcome_keeps_a_picture_or_a_word_of_it(lake: Lake) -> None:
    take_down(lake, "item", "folder:anna-1", "tests")
    outcomes = told(lake, "cutouts")
    assert [row["item_id"] for row in outcomes] == [
        f"folder:{item}" for item in ("anna-1", "anna-2", "anna-3", "bert-1")
    ]
    assert outcomes[0] == refused("anna-1", "ring", preview=None)
    assert told(lake, "folder_photos") == [refused("anna-1", "ring")]
    assert not any(b"RING ONE" in path.read_bytes() for path in data_files(lake, "cutouts__outcomes"))


def test_what_people_decided_about_it_goes_and_nothing_new_is_written(lake: Lake) -> None:
    photos = lake.dataset("folder_photos").read("ring")
    lake.decisions("folder_photos").add(photos, "accept", "Carla", "a lovely ring")
    take_down(lake, "item", "folder:anna-1", "tests")
    lake.decisions("folder_photos").add(photos, "reject", "Carla")
    left = lake.decisions("folder_photos").read().column("item_id").to_pylist()
    assert sorted(left) == ["folder:anna-2", "folder:anna-2", "folder:bert-1", "folder:bert-1"]


def test_reports_and_sheets_that_show_it_go_and_the_answer_says_to_make_them_anew(lake: Lake) -> None:
    removed = take_down(lake, "item", "folder:anna-1", "tests")
    assert removed.shared == {"dataset_report", "design_clusters"}
    assert lake.dataset("dataset_report").read().num_rows == 0
    for name in ("contact_sheets", "reports"):
        folder = lake.local_folder(name)
        assert folder is not None
        assert list(folder.iterdir()) == []
    told = removed.sentences()
    assert "dataset_report shows many items in one picture: materialize it again." in told
    assert "design_clusters shows many items in one picture: materialize it again." in told


def test_a_sheet_that_shows_it_goes_from_the_rows_of_all_whom_it_shows(lake: Lake) -> None:
    take_down(lake, "item", "folder:anna-1", "tests")
    rows = lake.dataset("design_clusters").read()
    sheets = dict(zip(rows["item_id"].to_pylist(), rows["cluster_sheet_sha256"].to_pylist(), strict=True))
    necklaces = sha256_of(SHEETS["necklace"])
    assert sheets == {"folder:anna-3": necklaces, "folder:anna-2": None, "folder:bert-1": None}
    assert lake.blobs.exists(necklaces, "image/jpeg")
    assert not lake.blobs.exists(sha256_of(SHEETS["ring"]), "image/jpeg")
    assert list(verify(lake)) == []


def test_where_a_table_may_not_be_without_its_sheets_the_rows_go(lake: Lake) -> None:
    rows = lake.dataset("image_pool").read()
    lake.dataset("older_clusters").publish(with_sheets(lake, rows, nullable=False))
    take_down(lake, "item", "folder:anna-1", "tests")
    assert items(lake, "older_clusters") == ["anna-3"]
    assert list(verify(lake)) == []


def test_what_sources_answered_is_forgotten_and_their_quotas_are_not(lake: Lake) -> None:
    folder = lake.local_folder("fetched")
    assert folder is not None
    during_a_run = Archive(folder / "archive.sqlite")
    during_a_run.keep_page("https://api/search", b'{"name": "Anna Muster"}', None, None)
    during_a_run.keep_file("key", {"credit": "Photo by Anna Muster", "sha256": sha256_of(b"ring one")})
    (folder / "limits.sqlite").write_bytes(b"47 of 50 requests")
    take_down(lake, "item", "folder:anna-1", "tests")
    assert during_a_run.page("https://api/search") is None
    assert during_a_run.file("key") is None
    during_a_run.keep_page("https://api/search", b"{}", None, None)  # the run goes on
    assert not any(b"Anna Muster" in path.read_bytes() for path in folder.iterdir())
    assert (folder / "limits.sqlite").read_bytes() == b"47 of 50 requests"


def test_a_cache_that_cannot_be_emptied_is_told_and_nothing_else_stays(lake: Lake) -> None:
    folder = lake.local_folder("fetched")
    assert folder is not None
    folder.mkdir()
    (folder / "archive.sqlite").write_bytes(b"no database, though it was called one" * 100)
    with pytest.raises(Permanent, match=r"All else is gone.*archive\.sqlite.*delete it"):
        take_down(lake, "item", "folder:anna-1", "tests")
    assert items(lake, "image_pool") == ["anna-3", "anna-2", "bert-1"]


def test_blobs_beside_it_go_unless_another_item_has_the_same(lake: Lake) -> None:
    own, same = (lake.blobs.put(data, "image/png").sha256 for data in (b"a mask", b"an empty mask"))
    publish(lake, "renders", "ring", {"anna-1": b"a render", "bert-1": b"another"}, parts_sha256=same)
    rows = lake.dataset("renders").read()
    masks = pa.array([own, same])
    lake.dataset("renders").publish(rows.append_column("mask_sha256", masks), "ring")
    take_down(lake, "item", "folder:anna-1", "tests")
    assert not blob_file(lake, b"a mask").exists()
    assert blob_file(lake, b"an empty mask").exists()
    assert list(verify(lake)) == []


# --- what is in no published table ------------------------------------------------------------------------------------


def test_what_was_never_published_is_found(lake: Lake) -> None:
    """A first run above the limit of failures: listed, fetched, and in no dataset."""
    rows = ({"item_id": f"folder:{item}", "category": "ring", "author": item[:4]} for item in ("cleo-1", "dora-1"))
    lake.listings("web_photos").append(listing(*rows))
    append_outcomes(lake, "web_photos", "ring", {"cleo-1": b"cleo's ring", "dora-1": b"dora's ring"})
    removed = take_down(lake, "author", "cleo", "tests")
    assert removed.items == ["folder:cleo-1"]
    assert removed.rows == {"web_photos__found": 1, "web_photos__outcomes": 1, "dataset_report": 1}
    assert not blob_file(lake, b"cleo's ring").exists()
    assert blob_file(lake, b"dora's ring").exists()
    assert [row["reason"] for row in told(lake, "web_photos")] == [TAKEN_DOWN, None]


def test_what_was_found_and_not_yet_fetched_can_be_taken_down(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.listings("web_photos").append(listing({"item_id": "unsplash:1", "category": "ring", "author": "Anna Muster"}))
    assert take_down(lake, "author", "Anna Muster", "tests").items == ["unsplash:1"]
    assert lake.takedowns().item_ids() == {"unsplash:1"}


@pytest.mark.parametrize(("kind", "value"), [("item", "folder:anna-1"), ("sha256", sha256_of(b"ring one"))])
def test_what_left_the_tables_long_ago_is_found_by_its_outcomes(lake: Lake, kind: Any, value: str) -> None:
    rows = lake.dataset("folder_photos").read("ring")
    rest = rows.filter(pc.not_equal(rows["item_id"], "folder:anna-1"))
    lake.dataset("folder_photos").publish(rest, "ring")
    run_stage(lake, Reverse(), rest, "cutouts", "ring")
    for dataset in ("image_pool", "design_clusters"):
        lake.dataset(dataset).publish(lake.dataset(dataset).read().slice(0, 0))
    take_down(lake, kind, value, "tests")
    assert not blob_file(lake, b"ring one").exists()
    assert not blob_file(lake, b"ring one"[::-1]).exists()
    assert told(lake, "cutouts")[0] == refused("anna-1", "ring", preview=None)


def test_bytes_that_only_the_blobs_have_are_found_whatever_their_kind(lake: Lake) -> None:
    blob = lake.blobs.put(b"a model that no table names", "model/gltf-binary")
    path = Path(lake.blobs.path(blob.sha256, blob.media_type))
    left_by_a_killed_writer = path.with_name(f".{path.name}.0123.tmp")
    left_by_a_killed_writer.write_bytes(b"a model that no ta")
    removed = take_down(lake, "sha256", blob.sha256, "tests")
    assert removed.blobs == 2
    assert not path.exists()
    assert not left_by_a_killed_writer.exists()


def test_a_misspelt_name_is_no_success(lake: Lake) -> None:
    with pytest.raises(Permanent, match=r"no author 'Anna Mustr'.*--in-advance"):
        take_down(lake, "author", "Anna Mustr", "tests")
    removed = take_down(lake, "author", "Anna Mustr", "tests", in_advance=True)
    assert removed.items == []
    assert removed.sentences()[0] == "Nothing of it is here."
    assert lake.takedowns().values("author") == {"Anna Mustr"}


# --- what must not keep it from happening -----------------------------------------------------------------------------


def test_a_blob_that_something_else_lost_is_no_hindrance(lake: Lake) -> None:
    blob_file(lake, b"ring three").unlink()
    take_down(lake, "item", "folder:anna-1", "tests")
    assert items(lake, "folder_photos") == ["anna-3", "anna-2", "bert-1"]
    assert not blob_file(lake, b"ring one").exists()


def test_a_table_that_cannot_be_read_is_told_after_all_else_is_gone_and_done_once_it_is_mended(lake: Lake) -> None:
    broken = data_files(lake, "cutouts")[0]
    data = broken.read_bytes()
    broken.unlink()
    with pytest.raises(Permanent, match=r"All else is gone, but.*cutouts: A data file of"):
        take_down(lake, "author", "Anna Muster", "tests")
    assert items(lake, "image_pool") == ["bert-1"]
    assert not blob_file(lake, b"ring one").exists()
    broken.write_bytes(data)
    take_down(lake, "author", "Anna Muster", "tests")
    assert items(lake, "cutouts") == ["bert-1"]
    assert not blob_file(lake, b"necklace"[::-1]).exists()
    assert list(verify(lake)) == []


def test_a_dry_run_changes_nothing(lake: Lake) -> None:
    before = {name: lake.dataset(name).read() for name in lake.datasets()}
    removed = take_down(lake, "author", "Anna Muster", "tests", dry_run=True)
    assert len(removed.items) == 3
    assert removed.blobs == 9  # three photos, three cut-outs, a report, two sheets
    assert {name: lake.dataset(name).read() for name in lake.datasets()} == before
    assert lake.takedowns().read().num_rows == 0
    assert list(verify(lake)) == []
    assert take_down(lake, "author", "Anna Muster", "tests").rows == removed.rows


# --- what the operator is told ----------------------------------------------------------------------------------------


def test_near_duplicates_that_move_up_are_named(lake: Lake) -> None:
    run_selection(lake, FirstOf(keep=1), lake.dataset("image_pool").read("ring"), "photos", "ring")
    removed = take_down(lake, "item", "folder:anna-1", "tests")
    assert removed.copies == {"folder:anna-2": "folder:anna-1", "folder:bert-1": "folder:anna-1"}
    assert any("look at folder:anna-2, folder:bert-1." in sentence for sentence in removed.sentences())


def test_what_it_was_a_near_duplicate_of_is_named(lake: Lake) -> None:
    run_selection(lake, FirstOf(keep=1), lake.dataset("image_pool").read("ring"), "photos", "ring")
    removed = take_down(lake, "item", "folder:bert-1", "tests")
    assert removed.copies == {"folder:anna-1": "folder:bert-1", "folder:anna-2": "folder:bert-1"}


def test_files_that_exports_still_have_are_counted(lake: Lake, tmp_path: Path) -> None:
    export(lake, "folder_photos", tmp_path / "out", "ring")
    removed = take_down(lake, "item", "folder:anna-1", "tests")
    assert removed.linked == 1
    assert any("Exported folders have 1 of these files" in sentence for sentence in removed.sentences())
    export(lake, "folder_photos", tmp_path / "out", "ring")
    assert not any(path.read_bytes() == b"ring one" for path in (tmp_path / "out").rglob("*.png"))


def test_gc_then_purges_the_versions_that_still_name_it(lake: Lake) -> None:
    take_down(lake, "author", "Anna Muster", "tests")
    age(lake, days=3)
    collect_garbage(lake, timedelta(days=1), dry_run=False)
    for path in Path(lake.root, "tables").rglob("*.parquet"):
        assert b"Anna Muster" not in path.read_bytes(), path
        assert b"RING ONE" not in path.read_bytes(), path
    assert list(verify(lake)) == []


def test_one_command_honours_a_request_and_another_lists_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_LAKE", lake.root)
    settings.cache_clear()
    told = CliRunner().invoke(app, ["lake", "takedown", "--author", "Anna Muster", "--note", "her mail"])
    listed = CliRunner().invoke(app, ["lake", "takedowns"])
    settings.cache_clear()
    assert told.exit_code == 0, told.output
    assert "3 items: folder:anna-1, folder:anna-2, folder:anna-3." in told.output
    assert "from tomorrow on, `jewel lake gc --days 1 --delete`" in told.output
    assert "author Anna Muster" in listed.output
    assert "her mail" in listed.output


def test_one_thing_at_a_time() -> None:
    told = CliRunner().invoke(app, ["lake", "takedown", "--author", "A", "--item", "b"])
    assert told.exit_code == 2
    assert "one of --item, --author, --sha256" in told.output
