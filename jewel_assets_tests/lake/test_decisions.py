"""Decisions of people: the newest word about the same bytes counts, and nothing that was said is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jewel_assets.lake import Decision, Lake
from jewel_assets.lake import decisions as module
from jewel_assets.lake.decisions import DECISION_SCHEMA
from jewel_assets.lake.maintenance import collect_garbage
from jewel_assets.lake.verification import verify
from jewel_assets_tests.lake.small_lakes import age, blob_file, publish, sentences


def items(*names: str, category: str = "ring", sha256: str = "ab") -> pa.Table:
    return pa.table({"item_id": list(names), "category": [category] * len(names), "sha256": [sha256] * len(names)})


def test_where_nobody_decided_nothing_stands(lake: Lake) -> None:
    log = lake.decisions("photos")
    assert log.read().schema == log.standing("ring").schema == DECISION_SCHEMA
    assert log.decisions("ring") == {}
    log.add(items(), "accept", "Ada")
    assert not Path(lake.root).exists(), "deciding about nothing writes nothing"


def test_the_newest_decision_counts_and_all_are_remembered(lake: Lake) -> None:
    log = lake.decisions("photos")
    log.add(items("b", "a"), "accept", "Ada", "fine")
    log.add(items("a"), "reject", "Bo")
    assert log.decisions("ring") == {("b", "ab"): Decision("accept", "Ada"), ("a", "ab"): Decision("reject", "Bo")}
    assert log.standing().column("item_id").to_pylist() == ["a", "b"]
    told = log.read().to_pylist()
    assert [(row["item_id"], row["decision"], row["by"], row["note"]) for row in told][-1] == (
        "a",
        "reject",
        "Bo",
        None,
    )
    assert len(told) == 3


def test_what_is_withdrawn_no_longer_stands_until_somebody_decides_again(lake: Lake) -> None:
    log = lake.decisions("photos")
    log.add(items("a"), "accept", "Ada")
    log.add(items("a"), "withdrawn", "Bo")
    assert log.decisions("ring") == {}
    log.add(items("a"), "reject", "Bo")
    assert log.decisions("ring") == {("a", "ab"): Decision("reject", "Bo")}


def test_a_decision_is_about_the_bytes_and_the_category_it_was_taken_in(lake: Lake) -> None:
    log = lake.decisions("photos")
    log.add(items("a", sha256="old"), "accept", "Ada")
    log.add(items("a", sha256="new"), "reject", "Ada")
    log.add(items("a", category="necklace", sha256="new"), "accept", "Ada")
    assert log.decisions("ring") == {("a", "old"): Decision("accept", "Ada"), ("a", "new"): Decision("reject", "Ada")}
    assert log.decisions("necklace") == {("a", "new"): Decision("accept", "Ada")}
    assert lake.decisions("other").decisions("ring") == {}


def test_what_is_said_last_counts_even_if_the_clock_of_who_spoke_before_was_ahead(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Ahead":
            return cls.fromtimestamp((datetime.now(UTC) + timedelta(hours=1)).timestamp(), UTC)

    log = lake.decisions("photos")
    with monkeypatch.context() as clock:
        clock.setattr(module, "datetime", Ahead)
        log.add(items("a"), "accept", "Ada")
    log.add(items("a"), "withdrawn", "Bo")
    assert log.decisions("ring") == {}


def test_people_may_decide_at_once(lake: Lake) -> None:
    log = lake.decisions("photos")
    with ThreadPoolExecutor(3) as people:
        list(people.map(lambda name: log.add(items(name), "accept", name), "abcdef"))
    assert sorted(log.standing().column("by").to_pylist()) == list("abcdef")


def test_the_decisions_are_no_dataset_and_nothing_is_wrong_with_them(lake: Lake) -> None:
    publish(lake, "photos", "ring", {"a.png": b"photo a"})
    lake.decisions("photos").add(items("folder:a.png", "gone", sha256="of a blob that is gone"), "accept", "Ada")
    assert lake.datasets() == ["photos"]
    assert lake.table_folders() == ["photos", "photos__decisions"]
    assert sentences(list(verify(lake))) == ""


def test_verify_says_what_is_wrong_with_decisions(lake: Lake) -> None:
    publish(lake, "photos", "ring", {"a.png": b"photo a"})
    log = lake.decisions("photos")
    log.add(items("a"), "perhaps", "Ada")  # type: ignore[arg-type]
    assert "rows of the decision 'perhaps': delete its folder and decide anew" in sentences(
        list(verify(lake, ["photos"]))
    )
    next(Path(log.file.uri).rglob("*.parquet")).unlink()
    said = sentences(list(verify(lake, ["photos__decisions"])))
    assert "is gone: restore it from a backup, or delete its folder and decide anew" in said


def test_gc_keeps_the_decisions_and_removes_the_bytes_that_they_were_about(lake: Lake) -> None:
    publish(lake, "photos", "ring", {"a.png": b"photo a"})
    row = lake.dataset("photos").read().to_pylist()[0]
    log = lake.decisions("photos")
    log.add(items(row["item_id"], sha256=row["sha256"]), "accept", "Ada")
    publish(lake, "photos", "ring", {"a.png": b"another photo"})
    age(lake, 40)
    removed = collect_garbage(lake, timedelta(days=7), dry_run=False)
    assert [Path(path).name for path in removed.blobs] == [blob_file(lake, b"photo a").name]
    assert log.decisions("ring") == {(row["item_id"], row["sha256"]): Decision("accept", "Ada")}
