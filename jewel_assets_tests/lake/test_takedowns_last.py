"""What was taken down stays away, from wherever and under whatever name it comes."""

from pathlib import Path

import pyarrow as pa
import pytest

from jewel_assets.lake import Lake, run_selection, run_stage
from jewel_assets.lake.banned import TAKEN_DOWN, TakenDown
from jewel_assets.lake.takedowns import take_down
from jewel_assets_tests.lake.small_lakes import blob_file, publish, rows_of
from jewel_assets_tests.lake.stages_for_tests import FirstOf, ReadText
from jewel_assets_tests.lake.takedowns_for_tests import Reverse, filled, items, listing


@pytest.fixture
def lake(lake_root: str, here: list[int]) -> Lake:
    return filled(lake_root)


def test_it_never_comes_back_from_its_source(lake: Lake) -> None:
    source = lake.dataset("folder_photos").read("ring")
    take_down(lake, "item", "folder:anna-1", "tests")
    run_stage(lake, Reverse(), source, "cutouts", "ring")
    assert "anna-1" not in items(lake, "cutouts")
    lake.dataset("folder_photos").publish(source, "ring")
    assert items(lake, "folder_photos") == ["anna-3", "anna-2", "bert-1"]


def test_new_works_of_the_author_do_not_come_in_nor_stay_as_blobs(lake: Lake) -> None:
    take_down(lake, "author", "Anna Muster", "tests")
    publish(lake, "other_photos", "ring", {"anna-9": b"a new ring"}, author="Anna Muster")
    assert items(lake, "other_photos") == []
    assert not blob_file(lake, b"a new ring").exists()


def test_the_same_bytes_are_not_even_stored_under_another_name(lake: Lake) -> None:
    renamed = rows_of(lake, "ring", {"renamed": b"ring one"})
    take_down(lake, "item", "folder:anna-1", "tests")
    with pytest.raises(TakenDown, match="was taken down"):
        lake.blobs.put(b"ring one", "image/png")
    lake.dataset("other_photos").publish(renamed, "ring")
    assert items(lake, "other_photos") == []


def test_a_stage_that_is_given_the_same_bytes_again_has_them_rejected_and_told_once(
    lake: Lake, tmp_path: Path, here: list[int]
) -> None:
    take_down(lake, "item", "folder:anna-1", "tests")
    (tmp_path / "again.png").write_bytes(b"ring one")
    (tmp_path / "new.png").write_bytes(b"a new ring")
    rows = [
        {"item_id": f"web:{name}", "category": "ring", "source": "web", "source_id": name, "digest": name}
        | {"path": str(tmp_path / f"{name}.png"), "may_train": False}
        for name in ("again", "new")
    ]
    here.clear()
    for _ in range(2):
        report = run_stage(lake, ReadText(), pa.Table.from_pylist(rows), "web_photos", "ring")
        assert (report.ok, report.rejected, report.reasons) == (1, 1, {TAKEN_DOWN: 1})
    assert here == [2], "the second run attempts nothing"
    assert items(lake, "web_photos") == ["web:new"]
    assert not blob_file(lake, b"ring one").exists()


def test_its_outcome_says_why_it_is_gone_and_stays_so(lake: Lake) -> None:
    source = lake.dataset("folder_photos").read("ring")
    take_down(lake, "item", "folder:anna-1", "tests")
    run_stage(lake, Reverse(), source, "cutouts", "ring")
    reasons = {row["item_id"]: row["reason"] for row in lake.outcomes("cutouts").latest("ring").to_pylist()}
    assert reasons == {"folder:anna-1": TAKEN_DOWN, "folder:anna-2": None, "folder:bert-1": None}


def test_what_a_source_told_of_it_goes_and_the_next_search_brings_nothing_back(lake: Lake) -> None:
    found = lake.dataset("folder_photos").read("ring").select(["item_id", "category", "author"])
    found = found.append_column("at", pa.array([0] * found.num_rows, pa.timestamp("us", "UTC")))
    lake.listings("folder_photos").append(found)
    take_down(lake, "author", "Anna Muster", "tests")
    new = listing({"item_id": "folder:anna-9", "category": "ring", "author": "Anna Muster"})
    for rows in (found, new):
        lake.listings("folder_photos").append(rows)
    assert lake.listings("folder_photos").latest().column("item_id").to_pylist() == ["folder:bert-1"]


def test_what_was_made_from_all_of_it_together_is_not_believed_to_be_up_to_date(lake: Lake) -> None:
    pool = lake.dataset("image_pool").read()
    run_selection(lake, FirstOf(keep=2), pool, "chosen", None)
    before = lake.dataset("chosen").publication()
    assert before is not None
    lake.dataset("image_pool").publish(pool.slice(0, 0))
    take_down(lake, "item", "folder:anna-1", "tests")
    after = lake.dataset("chosen").publication()
    assert after is not None
    assert after.made_from != before.made_from
    assert run_selection(lake, FirstOf(keep=2), pool, "chosen", None).ok == 2
    assert items(lake, "chosen") == ["anna-3", "anna-2"]
