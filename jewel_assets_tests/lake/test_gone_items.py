"""Items that leave the source: a row says so, the counts are right, and they may come back."""

from collections import Counter

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from jewel_assets.cli import app
from jewel_assets.errors import Permanent
from jewel_assets.lake import GONE, Lake, StageReport, run_selection, run_stage
from jewel_assets_tests.lake.stages_for_tests import Embed, FirstOf, Shout, items_of


def _run(lake: Lake, items: pa.Table, **does: list[int]) -> StageReport:
    what = {name.replace("_", " "): numbers for name, numbers in does.items()}
    return run_stage(lake, Shout(does=what), items, "shouts", "ring", max_failed_share=0.5)


def _reasons(lake: Lake, name: str = "shouts") -> list[str | None]:
    """Why, of each item in order, by its newest outcome; None for what is ok."""
    return list(lake.outcomes(name).latest().column("reason").to_pylist())


def _version(lake: Lake, name: str = "shouts") -> int:
    return lake.outcomes(name).file.open().version()


def test_an_item_that_left_has_a_row_that_says_so_and_only_one(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 4)
    _run(lake, items, is_rejected=[3])
    report = _run(lake, items.slice(1))
    assert (report.ok, report.rejected, report.gone, report.reasons) == (2, 1, 1, {"no subject": 1})
    assert _reasons(lake) == [GONE, None, None, "no subject"]
    row = lake.outcomes("shouts").latest("ring").to_pylist()[0]
    assert (row["status"], row["input_key"], row["sha256"]) == ("rejected", "", None)
    assert "taken away at its source" in row["error"]
    version = _version(lake)
    assert _run(lake, items.slice(1)).gone == 0
    assert _version(lake) == version


def test_what_was_rejected_or_failed_leaves_too(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 4)
    _run(lake, items, is_rejected=[0], raises=[1])
    assert _run(lake, items.slice(2)).gone == 2
    assert _reasons(lake) == [GONE, GONE, None, None]


def test_an_item_that_comes_back_is_reused_and_its_newest_row_is_what_it_was(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 3)
    first = _run(lake, items, is_rejected=[1])
    _run(lake, items.slice(2))
    back = _run(lake, items)
    assert (back.attempted, back.reused, back.gone) == (0, 3, 0)
    assert back.publication.digest == first.publication.digest
    assert _reasons(lake) == [None, "no subject", None]
    version = _version(lake)
    _run(lake, items)
    assert _version(lake) == version
    assert here == [3]


def test_a_gone_item_answers_for_nobody(lake: Lake, here: list[int]) -> None:
    _run(lake, items_of(lake, 2))
    _run(lake, items_of(lake, 2).slice(2))
    assert _run(lake, items_of(lake, 2, text="another")).attempted == 2


def test_a_category_that_is_run_says_nothing_of_the_others(lake: Lake, here: list[int]) -> None:
    _run(lake, items_of(lake, 2))
    bracelets = items_of(lake, 2, "bracelet")
    run_stage(lake, Shout(), bracelets, "shouts", "bracelet")
    assert run_stage(lake, Shout(), bracelets.slice(1), "shouts", "bracelet").gone == 1
    assert _reasons(lake) == [GONE, None, None, None]


def test_an_item_filed_under_another_category_is_gone_from_the_first_one_only(lake: Lake, here: list[int]) -> None:
    _run(lake, items_of(lake, 1))
    assert run_stage(lake, Shout(), items_of(lake, 1, "bracelet"), "shouts", "bracelet").attempted == 0
    assert _run(lake, items_of(lake, 1).slice(1)).gone == 1
    assert _reasons(lake) == [None, GONE]
    assert lake.dataset("shouts").read().column("category").to_pylist() == ["bracelet"]


def test_nothing_is_called_gone_by_a_run_that_publishes_nothing(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 3)
    _run(lake, items)
    with pytest.raises(Permanent, match="failed"):
        run_stage(lake, Shout(mark="?", does={"raises": [1, 2]}), items.slice(1), "shouts", "ring")
    assert GONE not in _reasons(lake)
    assert lake.dataset("shouts").read().num_rows == 3


def test_an_item_can_leave_while_vectors_of_another_length_are_remembered(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 3)
    for length in (3, 5):
        run_stage(lake, Embed(length), items, "vectors", "ring")
    assert run_stage(lake, Embed(3), items.slice(1), "vectors", "ring").gone == 1
    assert run_stage(lake, Embed(3), items, "vectors", "ring").attempted == 0
    assert _reasons(lake, "vectors") == [None] * 3


def test_a_selection_tells_what_left_once_and_takes_back_what_returns(lake: Lake) -> None:
    items = items_of(lake, 4)
    run_selection(lake, FirstOf(2), items, "firsts", "ring")
    report = run_selection(lake, FirstOf(2), items.slice(1), "firsts", "ring")
    assert (report.gone, report.ok, report.reasons) == (1, 2, {"duplicate": 1})
    assert _reasons(lake, "firsts") == [GONE, None, None, "duplicate"]
    version = _version(lake, "firsts")
    again = run_selection(lake, FirstOf(2), items.slice(1), "firsts", "ring")
    assert (again.attempted, again.gone, again.publication.changed) == (0, 0, False)
    assert _version(lake, "firsts") == version
    back = run_selection(lake, FirstOf(2), items, "firsts", "ring")
    assert (back.gone, back.publication.rows) == (0, 2)
    assert _reasons(lake, "firsts") == [None, None, "duplicate", "duplicate"]


def test_a_selection_over_all_categories_knows_an_item_that_moved(lake: Lake) -> None:
    items = pa.concat_tables([items_of(lake, 2, "bracelet"), items_of(lake, 1, "ring", "other").slice(1)])
    run_selection(lake, FirstOf(3), items, "firsts", None)
    moved = pa.concat_tables([items.slice(1), items_of(lake, 1, "ring")])
    report = run_selection(lake, FirstOf(3), moved, "firsts", None)
    assert (report.ok, report.gone) == (2, 1)
    assert _reasons(lake, "firsts") == [GONE, None, None]
    assert run_selection(lake, FirstOf(3), moved, "firsts", None).attempted == 0


def test_a_choice_that_a_stopped_run_on_fewer_items_talked_over_is_made_again(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = items_of(lake, 4)
    run_selection(lake, FirstOf(2), items, "firsts", "ring")
    with monkeypatch.context() as stopped:
        stopped.setattr("jewel_assets.lake.selecting.publish_ok", _stop)
        with pytest.raises(KeyboardInterrupt):
            run_selection(lake, FirstOf(2), items.slice(1), "firsts", "ring")
    assert _reasons(lake, "firsts") == [GONE, None, None, "duplicate"]
    report = run_selection(lake, FirstOf(2), items, "firsts", "ring")
    assert (report.ok, report.reasons) == (2, {"duplicate": 2})
    assert _reasons(lake, "firsts") == [None, None, "duplicate", "duplicate"]


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_show_counts_as_many_ok_items_as_the_dataset_has_rows(
    lake: Lake, here: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JEWEL_LAKE", lake.root)
    items = items_of(lake, 5)
    for run, shown in (
        (items, ["shouts: 4 rows", "ok 4", "rejected: no subject 1"]),
        (items.slice(1), ["shouts: 3 rows", "ok 3", "rejected: no longer in the source 1", "rejected: no subject 1"]),
        (items.slice(0, 4), ["shouts: 4 rows", "ok 4", "rejected: no longer in the source 1"]),
        (items, ["shouts: 4 rows", "ok 4", "rejected: no subject 1"]),
    ):
        _run(lake, run, is_rejected=[4])
        said = CliRunner().invoke(app, ["lake", "show", "shouts", "--rows", "0"]).output.splitlines()
        first, *counts = (" ".join(line.split()) for line in said if not line.startswith("columns"))
        assert [first, *sorted(counts)] == shown
        statuses = Counter(lake.outcomes("shouts").latest("ring").column("status").to_pylist())
        assert statuses["ok"] == lake.dataset("shouts").read().num_rows
