"""Selections: a decision over all items at once."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake, Result, Selection, run_selection
from jewel_assets_tests.lake.stages_for_tests import FirstOf, items_of


def _kept(lake: Lake) -> list[Any]:
    return list(lake.dataset("firsts").read().column("item_id").to_pylist())


def test_kept_rows_are_published_with_their_own_blob_and_the_others_say_why(lake: Lake) -> None:
    items = items_of(lake, 4).append_column("parent_sha256", pa.array(["p"] * 4))
    report = run_selection(lake, FirstOf(2), items, "firsts", "ring")
    assert (report.ok, report.rejected, report.reasons) == (2, 2, {"duplicate": 2})
    row = lake.dataset("firsts").read().to_pylist()[1]
    assert row["sha256"] == items.column("sha256")[1].as_py()
    assert (row["parent_sha256"], row["engine"], row["group"], row["author"]) == ("p", "reader 1", 1, "Ada")
    assert "path" not in row
    last = lake.outcomes("firsts").latest("ring").to_pylist()[3]
    assert (last["status"], last["duplicate_of"], last["group"]) == ("rejected", "folder:00000", 3)


def test_deciding_the_same_again_writes_nothing(lake: Lake) -> None:
    items = items_of(lake, 4)
    run_selection(lake, FirstOf(2), items, "firsts", "ring")
    version = lake.outcomes("firsts").file.open().version()
    report = run_selection(lake, FirstOf(2), items, "firsts", "ring")
    assert (report.attempted, report.reused, report.publication.changed) == (0, 4, False)
    assert lake.outcomes("firsts").file.open().version() == version


def test_an_outcome_is_added_only_for_items_that_fare_otherwise(lake: Lake) -> None:
    items = items_of(lake, 4)
    run_selection(lake, FirstOf(2), items, "firsts", "ring")
    grown = run_selection(lake, FirstOf(2), items_of(lake, 6), "firsts", "ring")
    assert (grown.attempted, grown.reused) == (2, 4)
    assert _kept(lake) == ["folder:00000", "folder:00001"]
    without_first = run_selection(lake, FirstOf(2), items.slice(1), "firsts", "ring")
    assert without_first.attempted == 3
    assert _kept(lake) == ["folder:00001", "folder:00002"]


def test_all_categories_can_be_chosen_from_at_once(lake: Lake) -> None:
    items = pa.concat_tables([items_of(lake, 2, "bracelet"), items_of(lake, 2, "ring", "other")])
    report = run_selection(lake, FirstOf(3), items, "firsts", None)
    assert report.publication.rows == 3
    assert lake.dataset("firsts").read().column("category").to_pylist() == ["bracelet", "bracelet", "ring"]
    assert run_selection(lake, FirstOf(3), items, "firsts", None).attempted == 0


def test_nothing_to_choose_from_is_no_error(lake: Lake) -> None:
    report = run_selection(lake, FirstOf(), items_of(lake, 1).slice(0, 0), "firsts", "ring")
    assert (report.ok, report.publication.rows) == (0, 0)


def test_a_selection_must_decide_on_every_item(lake: Lake) -> None:
    @dataclass
    class Lazy(FirstOf):
        name: ClassVar[str] = "lazy"

        def choose(self, items: pa.Table) -> list[Result]:
            return []

    lazy: Selection = Lazy()
    with pytest.raises(Permanent, match="Selection lazy gave 0 results for 2 items"):
        run_selection(lake, lazy, items_of(lake, 2), "firsts", "ring")
    assert not lake.dataset("firsts").exists()
