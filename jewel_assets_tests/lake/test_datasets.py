"""Datasets: validated first, committed second; outcomes: append-only."""

import _thread
import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from jewel_assets.errors import Permanent
from jewel_assets.lake import ITEM_SCHEMA, OUTCOME_SCHEMA, Lake, datasets
from jewel_assets_tests.lake.small_lakes import publish, rows_of
from jewel_assets_tests.lake.stages_for_tests import items_of


def _rows(lake: Lake, number: int, category: str = "ring", **columns: Any) -> pa.Table:
    items = items_of(lake, number, category).drop_columns(["path"])
    for name in ITEM_SCHEMA.names:
        if name not in items.column_names:
            items = items.append_column(name, pa.nulls(number, ITEM_SCHEMA.field(name).type))
    for name, values in columns.items():
        if name in items.column_names:
            items = items.drop_columns([name])
        items = items.append_column(name, pa.array(values))
    return items


def _outcome(item_id: str, status: str, seconds: int, **columns: Any) -> dict[str, Any]:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return {"item_id": item_id, "category": "ring", "status": status, "input_key": "k", "at": at, **columns}


def test_publishing_a_category_replaces_it_and_leaves_the_others(lake: Lake) -> None:
    dataset = lake.dataset("photos")
    assert not dataset.exists()
    assert dataset.read().num_rows == 0
    dataset.publish(_rows(lake, 3), "ring")
    dataset.publish(_rows(lake, 2, "bracelet"), "bracelet")
    second = dataset.publish(_rows(lake, 1), "ring")
    assert (second.version, second.rows, second.changed) == (2, 1, True)
    assert dataset.read().column("category").to_pylist() == ["bracelet", "bracelet", "ring"]
    assert dataset.read("ring", version=1).num_rows == 3
    assert dataset.read(columns=["item_id", "nonsense"]).column_names == ["item_id"]
    assert lake.datasets() == ["photos"]


def test_publishing_the_same_rows_commits_nothing(lake: Lake) -> None:
    dataset = lake.dataset("photos")
    rows = _rows(lake, 4, score=[0.5, 1.0, None, 2.0])
    first = dataset.publish(rows, "ring")
    again = dataset.publish(rows.take(pa.array([2, 0, 3, 1])), "ring")
    assert (again.version, again.digest, again.changed) == (first.version, first.digest, False)


def test_publishing_with_a_new_column_is_a_change_and_with_an_old_one_gone_too(lake: Lake) -> None:
    dataset = lake.dataset("photos")
    plain = dataset.publish(_rows(lake, 2), "ring")
    scored = dataset.publish(_rows(lake, 2, score=[1.0, 2.0]), "ring")
    assert scored.changed
    assert dataset.read().column("score").to_pylist() == [1.0, 2.0]
    back = dataset.publish(_rows(lake, 2), "ring")
    assert back.changed
    assert back.digest == plain.digest
    assert not dataset.publish(_rows(lake, 2), "ring").changed


def test_an_emptied_category_is_published_as_empty(lake: Lake) -> None:
    dataset = lake.dataset("photos")
    dataset.publish(_rows(lake, 2), "ring")
    dataset.publish(_rows(lake, 1, "bracelet"), "bracelet")
    gone = dataset.publish(_rows(lake, 2).slice(0, 0), "ring")
    assert (gone.rows, gone.changed) == (0, True)
    assert dataset.read().column("category").to_pylist() == ["bracelet"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: rows.drop_columns(["licence"]), "lack the columns licence"),
        (lambda rows: rows.set_column(0, "item_id", pa.array(["x", "x"])), "x stands more than once"),
        (lambda rows: _replaced(rows, "bytes", ["many", "few"]), "do not fit the item columns"),
        (lambda rows: _replaced(rows, "source", ["folder", None]), "no source in places"),
        (lambda rows: _replaced(rows, "category", ["ring", "necklace"]), r"are of \['necklace'\]"),
        (lambda rows: _replaced(rows, "sha256", ["0" * 64, "1" * 64]), "2 blobs of photos are not in the lake"),
    ],
)
def test_a_bad_batch_changes_nothing(lake: Lake, spoil: Any, says: str) -> None:
    dataset = lake.dataset("photos")
    before = dataset.publish(_rows(lake, 3), "ring")
    with pytest.raises(Permanent, match=f"{says}.*nothing was published"):
        dataset.publish(spoil(_rows(lake, 2)), "ring")
    assert dataset.file.open().version() == before.version
    assert dataset.read().num_rows == 3


def _replaced(rows: pa.Table, name: str, values: list[Any]) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, pa.array(values))


def test_history_names_category_and_rows_newest_first(lake: Lake) -> None:
    dataset = lake.dataset("photos")
    dataset.publish(_rows(lake, 3), "ring")
    dataset.publish(_rows(lake, 2, "bracelet"), "bracelet")
    newest, oldest = dataset.history()
    assert (newest["version"], newest["category"], newest["rows"]) == (1, "bracelet", 2)
    assert (oldest["version"], oldest["category"], oldest["rows"]) == (0, "ring", 3)
    assert abs(datetime.now(UTC) - newest["at"]) < timedelta(minutes=5)


def test_the_newest_outcome_of_each_item_is_its_latest(lake: Lake) -> None:
    outcomes = lake.outcomes("photos")
    assert outcomes.read().num_rows == 0
    assert outcomes.latest().num_rows == 0
    rows = [_outcome("b", "ok", 1), _outcome("a", "failed", 2)]
    outcomes.append(pa.Table.from_pylist(rows, OUTCOME_SCHEMA))
    outcomes.append(pa.Table.from_pylist([_outcome("a", "ok", 3, input_key="k2")], OUTCOME_SCHEMA))
    outcomes.append(OUTCOME_SCHEMA.empty_table())
    assert [(r["item_id"], r["status"]) for r in outcomes.latest("ring").to_pylist()] == [("a", "ok"), ("b", "ok")]
    assert [r["status"] for r in outcomes.read("ring").to_pylist()] == ["ok", "failed", "ok"]
    assert outcomes.read("ring", keys=["k2"]).num_rows == 1
    assert outcomes.read("bracelet").num_rows == 0


def test_outcomes_are_no_dataset_of_their_own(lake: Lake) -> None:
    lake.outcomes("photos").append(pa.Table.from_pylist([_outcome("a", "ok", 1)], OUTCOME_SCHEMA))
    assert lake.datasets() == []


def test_the_second_writer_of_a_category_waits_for_the_first_and_others_do_not(lake: Lake) -> None:
    order: list[str] = []

    def write(category: str, name: str) -> None:
        with lake.writing("photos", category):
            order.append(name)

    with lake.writing("photos", "ring"):
        second = threading.Thread(target=write, args=["ring", "second"])
        second.start()
        other = threading.Thread(target=write, args=["bracelet", "other"])
        other.start()
        other.join(10)
        time.sleep(0.2)
        order.append("first")
    second.join(10)
    assert order == ["other", "first", "second"]


def test_a_writer_that_waits_says_for_what_and_can_be_interrupted(
    lake: Lake, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "QUIET_SECONDS", 0.1)
    caplog.set_level(logging.INFO, "jewel_assets.lake")
    held, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with lake.writing("photos", "ring"), lake.writing("clusters", None):
            held.set()
            leave.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(10)
    for name, category in (("photos", "ring"), ("clusters", None)):
        interrupt = threading.Timer(0.5, _thread.interrupt_main)
        interrupt.start()
        with pytest.raises(KeyboardInterrupt), lake.writing(name, category):
            raise AssertionError("the place is taken")
        interrupt.join()
    leave.set()
    other.join(10)
    assert caplog.messages == [
        "Another run is writing photos/ring: waiting for it.",
        "Another run is writing clusters/all: waiting for it.",
    ]
    with lake.writing("photos", "ring"):
        assert len(caplog.messages) == 2  # who need not wait says nothing


def test_a_read_only_lake_refuses_to_be_written_with_a_sentence(read_only_lake: Lake) -> None:
    assert read_only_lake.outcomes("old").file.read().num_rows == 1  # type: ignore[union-attr]
    rows = pa.Table.from_pylist([_outcome("a", "ok", 1)], OUTCOME_SCHEMA)
    for name in ("old", "new"):
        with pytest.raises(Permanent, match=r"cannot be written .* make it writable, or set JEWEL_LAKE"):
            read_only_lake.outcomes(name).append(rows)
    with (
        pytest.raises(Permanent, match="make it writable, or set JEWEL_LAKE"),
        read_only_lake.writing("photos", "ring"),
    ):
        raise AssertionError("nobody may hold a place in a lake that cannot be written")


def test_a_dataset_is_divided_by_category_or_by_theme_and_not_by_both(lake: Lake) -> None:
    publish(lake, "textures", "gold", {"a.png": b"a"})
    publish(lake, "textures", "pearl", {"b.png": b"b"})
    with pytest.raises(Permanent, match="gold, pearl, ring: a dataset is divided by jewellery category or by texture"):
        publish(lake, "textures", "ring", {"c.png": b"c"})
    both = pa.concat_tables([rows_of(lake, key, {f"{key}.png": key.encode()}) for key in ("gold", "ring")])
    with pytest.raises(Permanent, match="not by both; nothing was published"):
        lake.dataset("textures").publish(both)
    assert lake.dataset("textures").file.rows_per_category() == {"gold": 1, "pearl": 1}
