"""What the runner reuses, writes down and publishes. Its workers are tested in `test_runner_faults`."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake, Progress, Stage, StageReport, run_stage, runner
from jewel_assets.lake.crew import allotment
from jewel_assets_tests.lake.stages_for_tests import ReadText, Shout, items_of


def _run(lake: Lake, stage: Stage, items: pa.Table, **options: Any) -> StageReport:
    return run_stage(lake, stage, items, "shouts", "ring", **options)


def _set(table: pa.Table, name: str, values: Sequence[Any]) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values, table.schema.field(name).type))


def test_what_is_ok_is_published_with_the_item_s_provenance_and_the_stage_s_columns(
    lake: Lake, here: list[int]
) -> None:
    report = _run(lake, Shout(), items_of(lake, 2))
    row = lake.dataset("shouts").read("ring").to_pylist()[0]
    assert lake.blobs.get(row["sha256"], row["media_type"]) == b"PHOTO 0!"
    assert (row["bytes"], row["width"], row["height"], row["length"]) == (8, 3, 4, 8)
    assert (row["author"], row["licence"], row["may_train"]) == ("Ada", "CC0-1.0", True)
    assert row["parent_sha256"] == items_of(lake, 1).column("sha256")[0].as_py()
    assert row["engine"] == "shouter 1"
    assert "path" not in row
    assert (report.ok, report.attempted, report.reused) == (2, 2, 0)
    assert report.engines == {"shouter 1": 2}
    assert report.publication.rows == 2


def test_every_item_that_is_not_published_has_an_outcome_that_says_why(lake: Lake, here: list[int]) -> None:
    stage = Shout(does={"is rejected": [0], "needs review": [1], "raises": [2]})
    report = _run(lake, stage, items_of(lake, 5), max_failed_share=0.5)
    outcomes = {row["item_id"]: row for row in lake.outcomes("shouts").latest("ring").to_pylist()}
    assert [outcomes[f"folder:{i:05d}"]["status"] for i in range(5)] == ["rejected", "review", "failed", "ok", "ok"]
    assert outcomes["folder:00000"]["reason"] == "no subject"
    assert outcomes["folder:00000"]["error"] == "nothing there"
    assert outcomes["folder:00000"]["length"] == 0
    assert outcomes["folder:00002"]["reason"] == "ValueError"
    assert "item 2 is odd" in outcomes["folder:00002"]["error"]
    assert "stages_for_tests.py" in outcomes["folder:00002"]["error"]
    assert report.reasons == {"no subject": 1, "two people": 1, "ValueError": 1}
    assert lake.dataset("shouts").read().num_rows == 2


def test_a_second_run_attempts_nothing_and_commits_nothing(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 5)
    first = _run(lake, Shout(), items)
    versions = lake.outcomes("shouts").file.open().version()
    second = _run(lake, Shout(), items)
    assert here == [5]
    assert (second.attempted, second.reused, second.workers) == (0, 5, 0)
    assert not second.publication.changed
    assert second.publication.digest == first.publication.digest
    assert lake.outcomes("shouts").file.open().version() == versions


def test_only_new_items_are_attempted_and_gone_ones_are_no_longer_published(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 6)
    _run(lake, Shout(), items.slice(0, 4))
    report = _run(lake, Shout(), items.slice(1))
    assert here == [4, 2]
    assert report.ok == 5
    assert lake.dataset("shouts").read().column("item_id").to_pylist() == items.column("item_id").to_pylist()[1:]


def test_other_parameters_are_another_result_and_the_old_one_is_kept(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 3)
    before = _run(lake, Shout(), items)
    assert _run(lake, Shout(mark="?"), items).attempted == 3
    again = _run(lake, Shout(), items)
    assert again.attempted == 0
    assert again.publication.digest == before.publication.digest
    newest = lake.outcomes("shouts").latest("ring")
    assert set(newest.column("input_key").to_pylist()) == {Shout().key(row) for row in items.to_pylist()}


def test_a_changed_licence_is_published_without_doing_the_item_again(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 2)
    _run(lake, Shout(), items)
    items = _set(_set(items, "may_train", [False, True]), "licence", ["unknown", "CC0-1.0"])
    report = _run(lake, Shout(), items)
    assert report.attempted == 0
    assert report.publication.changed
    assert lake.dataset("shouts").read().column("may_train").to_pylist() == [False, True]


def test_equal_items_are_done_once_and_each_has_its_outcome(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 4)
    twins = _set(items, "sha256", [items.column("sha256")[i % 2].as_py() for i in range(4)])
    report = _run(lake, Shout(does={"raises": [1]}), twins, max_failed_share=1)
    assert here == [2]
    assert (report.ok, report.failed, report.attempted, report.reused) == (2, 2, 2, 2)
    assert lake.outcomes("shouts").latest("ring").column("status").to_pylist() == ["ok", "failed"] * 2


def test_what_is_known_of_one_item_serves_an_equal_one_that_comes_later(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 2)
    _run(lake, Shout(), items.slice(0, 1))
    twins = _set(items, "sha256", [items.column("sha256")[0].as_py()] * 2)
    assert _run(lake, Shout(), twins).attempted == 0
    assert lake.outcomes("shouts").latest("ring").num_rows == 2
    assert lake.dataset("shouts").read().column("item_id").to_pylist() == items.column("item_id").to_pylist()


def test_what_is_known_in_one_category_serves_another(lake: Lake, here: list[int]) -> None:
    _run(lake, Shout(), items_of(lake, 2))
    report = run_stage(lake, Shout(), items_of(lake, 3, "bracelet"), "shouts", "bracelet")
    assert here == [2, 1]
    assert (report.ok, report.attempted) == (3, 1)
    assert lake.dataset("shouts").read("bracelet").num_rows == 3
    assert lake.dataset("shouts").read("ring").num_rows == 2
    assert set(lake.outcomes("shouts").read("bracelet").column("category").to_pylist()) == {"bracelet"}


def test_what_failed_is_tried_again_and_the_newest_outcome_counts(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 5)
    assert _run(lake, Shout(does={"raises": [2]}), items).failed == 1
    report = _run(lake, Shout(), items)
    assert here == [5, 1]
    assert (report.ok, report.failed) == (5, 0)
    assert lake.dataset("shouts").read().num_rows == 5


def test_a_result_whose_blob_was_lost_is_made_again(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 3)
    before = _run(lake, Shout(), items)
    lost = lake.dataset("shouts").read().to_pylist()[1]
    path = lake.blobs.local_path(lost["sha256"], lost["media_type"])
    assert path is not None
    path.unlink()
    after = _run(lake, Shout(), items)
    assert after.attempted == 1
    assert after.publication.digest == before.publication.digest
    assert path.exists()


def test_an_item_that_keeps_its_blob_keeps_its_parent_and_size(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 2)
    items = items.append_column("parent_sha256", pa.array(["p0", "p1"]))
    _run(lake, Shout(does={"keeps": [0]}), items)
    kept, made = lake.dataset("shouts").read().to_pylist()
    assert (kept["sha256"], kept["parent_sha256"]) == (items.column("sha256")[0].as_py(), "p0")
    assert (kept["width"], kept["height"], kept["engine"]) == (10, 20, "keeper 1")
    assert made["parent_sha256"] == items.column("sha256")[1].as_py()


def test_a_raw_stage_gives_items_their_first_blob(lake: Lake, here: list[int], tmp_path: Path) -> None:
    rows = []
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(b"raw %d" % i)
        rows.append({"item_id": f"folder:{i}", "category": "ring", "source": "folder", "source_id": str(i)})
        rows[-1] |= {"path": str(tmp_path / f"{i}.png"), "digest": f"digest {i}"}
    assert _run(lake, ReadText(), pa.Table.from_pylist(rows)).ok == 3
    row = lake.dataset("shouts").read().to_pylist()[0]
    assert lake.blobs.get(row["sha256"], "image/png") == b"raw 0"
    assert row["parent_sha256"] is None
    assert row["may_train"] is False  # nobody allowed it
    assert row["fetched_at"].year == 2026
    assert _run(lake, ReadText(), pa.Table.from_pylist(rows)).attempted == 0


def test_too_many_failures_publish_nothing_and_name_the_causes_but_what_was_done_is_kept(
    lake: Lake, here: list[int]
) -> None:
    items = items_of(lake, 10)
    before = _run(lake, Shout(), items).publication
    stage = Shout(mark="?", does={"raises": [1, 4, 5], "asks to exit": [2]})
    with pytest.raises(Permanent) as caught:
        _run(lake, stage, items, max_failed_share=0.2)
    message = str(caught.value)
    assert "4 of 10 items of shouts, category ring, failed (40%, the limit is 20%)" in message
    assert "3 x ValueError, for instance folder:00001: item 1 is odd" in message
    assert "1 x SystemExit, for instance folder:00002" in message
    assert lake.dataset("shouts").file.open().version() == before.version
    assert _run(lake, Shout(mark="?"), items).attempted == 4


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ({"miscounts": []}, "Stage shout gave 3 results for 4 items"),
        ({"has a strange column": [1]}, "Stage shout gives a column 'breadth' that is not in its `output`"),
        ({"has a strange value": [1]}, "Stage shout gives folder:00001 a 'length' that is no int32"),
        ({"has no length": [1]}, "Stage shout gives folder:00001 no 'length'"),
        ({"is permanent": [1]}, "The key is wrong: set JEWEL_KEY."),
        ({"setup raises": []}, "Stage shout could not be set up: ValueError: the model is no model"),
        ({"setup is permanent": []}, "The model has the wrong hash: fetch it again."),
    ],
)
def test_a_stage_that_breaks_its_contract_or_cannot_go_on_ends_the_run_with_a_sentence(
    lake: Lake, here: list[int], does: Mapping[str, Sequence[int]], says: str
) -> None:
    with pytest.raises(Permanent, match=re.escape(says)):
        _run(lake, Shout(does=does), items_of(lake, 4))
    assert not lake.dataset("shouts").exists()


def test_what_was_delivered_before_a_stage_gave_up_is_not_done_again(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 12)
    with pytest.raises(Permanent):
        _run(lake, Shout(does={"is permanent": [9]}), items)
    assert _run(lake, Shout(), items).attempted == 4
    assert here == [12, 4]


def test_a_transient_error_is_tried_again_within_the_run_but_not_for_ever(
    lake: Lake, here: list[int], tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    stage = Shout(journal=str(journal), does={"is transient once": [1], "is transient": [3]})
    report = _run(lake, stage, items_of(lake, 5))
    assert report.reasons == {"Transient": 1}
    starts = Counter(line for line in journal.read_text().splitlines() if line.startswith("start"))
    assert starts["start 1"] == 3
    assert starts["start 3"] == 4  # never reached in the batch, then four times alone
    assert starts["start 4"] == 1


def test_an_empty_category_publishes_no_rows(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 3)
    _run(lake, Shout(), items)
    report = _run(lake, Shout(), items.slice(0, 0))
    assert (report.ok, report.publication.rows) == (0, 0)
    assert lake.dataset("shouts").read("ring").num_rows == 0
    assert here == [3]


def test_an_item_that_stands_twice_or_in_the_wrong_category_is_refused(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 2)
    with pytest.raises(Permanent, match="more than once, first folder:00000"):
        _run(lake, Shout(), pa.concat_tables([items, items.slice(0, 1)]))
    with pytest.raises(Permanent, match=r"include some of \['necklace'\]"):
        _run(lake, Shout(), _set(items, "category", ["ring", "necklace"]))
    with pytest.raises(Permanent, match="no column 'item_id'"):
        _run(lake, Shout(), items.drop_columns(["item_id"]))
    assert here == []


def test_progress_is_told_at_each_append(lake: Lake, here: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "APPEND_ITEMS", 8)
    told: list[Progress] = []
    stage = Shout(does={"is rejected": [0], "raises": [1], "needs review": [2]})
    _run(lake, stage, items_of(lake, 20), progress=told.append)
    assert [p.done for p in told] == [8, 16, 20]
    last = told[-1]
    assert (last.total, last.ok, last.rejected, last.review, last.failed) == (20, 17, 1, 1, 1)
    assert last.per_second > 0
    versions = pc.unique(lake.outcomes("shouts").read().column("at"))
    assert len(versions) > 1


@given(workers=st.integers(0, 64), threads=st.integers(1, 64), batches=st.integers(1, 100), cores=st.integers(1, 64))
def test_workers_times_threads_never_exceed_the_cores(workers: int, threads: int, batches: int, cores: int) -> None:
    got, each = allotment(workers, threads, batches, cores)
    assert 1 <= got * each <= cores
    assert got <= batches
    assert each == min(threads, cores)
    if workers == 0:
        assert got == batches or (got + 1) * each > cores  # and none is left idle
