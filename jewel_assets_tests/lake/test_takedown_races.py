"""Takedowns that are killed, and those that happen while something else goes on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jewel_assets.errors import Transient
from jewel_assets.lake import Lake, run_stage
from jewel_assets.lake.banned import TAKEN_DOWN, Takedowns
from jewel_assets.lake.tables import DeltaFile
from jewel_assets.lake.takedowns import take_down
from jewel_assets.lake.verification import verify
from jewel_assets_tests.lake.small_lakes import REPOSITORY, blob_file, publish, rows_of
from jewel_assets_tests.lake.stages_for_tests import Shout
from jewel_assets_tests.lake.takedowns_for_tests import RING, Reverse, filled, items, refused, told


@pytest.fixture
def lake(lake_root: str, here: list[int]) -> Lake:
    return filled(lake_root)


def assert_gone(lake: Lake) -> None:
    """Nothing of Anna Muster is left, all else is, and the outcomes say so."""
    for dataset in ("folder_photos", "cutouts", "image_pool", "design_clusters"):
        assert items(lake, dataset) == ["bert-1"]
    for data in (b"ring one", b"ring two", b"necklace"):
        assert not blob_file(lake, data).exists()
        assert not blob_file(lake, data[::-1]).exists()
    assert blob_file(lake, b"ring three"[::-1]).exists()
    assert list(Path(lake.root, "blobs").rglob("*.jpg")) == []  # both sheets
    assert lake.dataset("design_clusters").read().column("cluster_sheet_sha256").to_pylist() == [None]
    gone = [refused("anna-1", "ring"), refused("anna-2", "ring"), refused("anna-3", "necklace")]
    assert told(lake, "folder_photos") == gone
    said = [{**row, "input_key": ""} for row in told(lake, "cutouts") if "anna" in row["item_id"]]
    assert [row for place, row in enumerate(said) if row not in said[:place]] == [
        {**row, "preview": None} for row in gone
    ]
    assert list(verify(lake)) == []


# --- killed -----------------------------------------------------------------------------------------------------------

KILLED = """
import itertools, os, signal, sys
from jewel_assets.lake import Lake
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.tables import DeltaFile
from jewel_assets.lake.takedowns import take_down

steps = itertools.count(1)

def mortal(method):
    def called(*arguments, **named):
        if next(steps) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return method(*arguments, **named)
    return called

BlobStore.remove = mortal(BlobStore.remove)
for change in ("write", "delete", "clear"):
    setattr(DeltaFile, change, mortal(getattr(DeltaFile, change)))
take_down(Lake(sys.argv[1]), "author", "Anna Muster", "tests")
print(next(steps))
"""


def child(lake: Lake, code: str, *arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", code, lake.root, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("step", [1, 2, 6, 10, 11, 13, 15, 18, 20])
def test_killed_at_any_step_it_is_finished_by_the_next(lake: Lake, step: int) -> None:
    killed = child(lake, KILLED, str(step))
    output, _ = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL, f"it has only {output} steps"
    if step == 1:  # before anything was recorded
        assert items(lake, "image_pool") == ["anna-3", "anna-1", "anna-2", "bert-1"]
    removed = take_down(lake, "author", "Anna Muster", "tests")
    assert removed.items == ["folder:anna-1", "folder:anna-2", "folder:anna-3"]
    assert removed.blobs + sum(removed.rows.values()) > 0
    assert_gone(lake)


def test_after_a_kill_among_the_blobs_those_go_that_no_table_names_any_more(lake: Lake) -> None:
    """Such a run may have removed all rows: what was recorded says which blobs are left."""
    take_down(lake, "author", "Anna Muster", "tests")
    path = blob_file(lake, b"ring one")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"ring one")
    another = path.with_suffix(".bin")
    another.write_bytes(b"ring one")
    removed = take_down(lake, "item", "folder:anna-1", "tests")
    assert removed.blobs == 2
    assert not path.exists()
    assert not another.exists()


# --- beside something else --------------------------------------------------------------------------------------------


def test_it_waits_for_no_run(lake: Lake) -> None:
    with lake.writing("folder_photos", "ring"), lake.writing("cutouts", "ring"), lake.writing("image_pool", None):
        takedown = threading.Thread(target=take_down, args=(lake, "author", "Anna Muster", "tests"), daemon=True)
        takedown.start()
        takedown.join(30)
        assert not takedown.is_alive()
    assert_gone(lake)


def test_a_run_in_progress_goes_on_to_its_end_and_leaves_nothing_of_it(lake_root: str, tmp_path: Path) -> None:
    lake, journal = Lake(lake_root), tmp_path / "journal"
    publish(lake, "folder_photos", "ring", {f"{number:05d}": f"photo {number}".encode() for number in range(16)})
    stage = json.dumps({"journal": str(journal), "seconds": 0.3, "batch_size": 1})
    command = [sys.executable, "-m", "jewel_assets_tests.lake.run_for_tests", lake_root, "16", stage]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def lines(word: str) -> list[int]:
        text = journal.read_text() if journal.exists() else ""
        return [int(line.split()[1]) for line in text.splitlines() if line.startswith(word)]

    until(lambda: len(lines("done")) >= 2 and len(lines("start")) > len(lines("done")))
    done, begun = lines("done"), lines("start")
    in_hand = begun[-1]
    waiting = max(set(range(16)) - set(begun))
    for number in (done[0], in_hand, waiting):
        take_down(lake, "item", f"folder:{number:05d}", "tests", in_advance=True)
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 0
    gone = {f"{number:05d}" for number in (done[0], in_hand, waiting)}
    assert json.loads(output)["ok"] == 13
    assert set(items(lake, "shouts")) == {f"{number:05d}" for number in range(16)} - gone
    reasons = {row["item_id"]: row["reason"] for row in told(lake, "shouts")}
    assert {item for item, reason in reasons.items() if reason == TAKEN_DOWN} == {f"folder:{item}" for item in gone}
    assert not any(row["sha256"] for row in told(lake, "shouts") if row["item_id"].removeprefix("folder:") in gone)
    for item in gone:
        for data in (f"photo {int(item)}", f"PHOTO {int(item)}!"):
            assert not blob_file(lake, data.encode()).exists(), data
    assert list(verify(lake)) == []


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_what_is_published_between_its_look_and_its_record_goes_too(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = [lambda: run_stage(lake, Shout(), lake.dataset("cutouts").read("ring"), "shouts", "ring")]
    add = Takedowns.add

    def late(*arguments: Any) -> None:
        if once:
            once.pop()()
        add(*arguments)

    rows = lake.dataset("cutouts").read("ring")
    renumbered = pa.array([f"folder:{place}" for place in range(rows.num_rows)])
    lake.dataset("cutouts").publish(rows.set_column(0, rows.schema.field(0), renumbered), "ring")
    monkeypatch.setattr(Takedowns, "add", late)
    take_down(lake, "author", "Anna Muster", "tests")
    assert items(lake, "shouts") == ["2"]
    assert not blob_file(lake, b"ring one"[::-1].upper() + b"!").exists()
    assert list(verify(lake)) == []


def before_writing(monkeypatch: pytest.MonkeyPatch, table: str, then: Callable[[], object]) -> None:
    """Let something happen after a writer of the table looked at the takedowns and before it writes, once."""
    write = DeltaFile.write
    waiting = [then]

    def late(self: DeltaFile, *arguments: Any) -> int:
        if self.uri.endswith(f"/{table}") and waiting:
            waiting.pop()()
        return write(self, *arguments)

    monkeypatch.setattr(DeltaFile, "write", late)


def test_rows_on_their_way_into_a_table_do_not_stay_there(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(lake, "ring", {**RING, "new": b"a new ring"})
    before_writing(monkeypatch, "folder_photos", lambda: take_down(lake, "item", "folder:anna-1", "tests"))
    publication = lake.dataset("folder_photos").publish(rows, "ring")
    assert (publication.rows, publication.changed) == (3, True)
    assert items(lake, "folder_photos") == ["anna-3", "anna-2", "bert-1", "new"]
    assert list(verify(lake)) == []


def test_rows_whose_blobs_were_taken_down_a_moment_ago_do_not_fail_the_others(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that read its items before the takedown publishes after it."""
    rows = lake.dataset("folder_photos").read("ring")
    take_down(lake, "item", "folder:anna-1", "tests")
    assert lake.dataset("folder_photos").publish(rows, "ring").rows == 2
    valid = type(lake.dataset("folder_photos"))._valid
    waiting = [lambda: take_down(lake, "item", "folder:anna-2", "tests")]

    def late(*arguments: Any) -> pa.Table:
        if waiting:
            waiting.pop()()
        return valid(*arguments)

    monkeypatch.setattr(type(lake.dataset("folder_photos")), "_valid", late)
    assert lake.dataset("folder_photos").publish(rows, "ring").rows == 1


def test_outcomes_on_their_way_say_only_that_it_was_taken_down(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    before_writing(monkeypatch, "shouts__outcomes", lambda: take_down(lake, "item", "folder:anna-1", "tests"))
    photos = lake.dataset("folder_photos").read("ring")
    photos = photos.set_column(0, photos.schema.field(0), pa.array(["folder:1", "folder:2", "folder:3"]))
    report = run_stage(lake, Shout(), photos, "shouts", "ring")
    assert report.ok == 2
    assert items(lake, "shouts") == ["2", "3"]
    outcomes = told(lake, "shouts")
    assert outcomes[0] == refused("1", "ring", input_key=outcomes[0]["input_key"], length=None)
    assert not blob_file(lake, b"RING ONE!").exists()
    assert list(verify(lake)) == []


def test_what_a_search_found_a_moment_ago_is_not_listed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    before_writing(monkeypatch, "web_photos__found", lambda: take_down(lake, "author", "Anna Muster", "tests"))
    rows = pa.table({"item_id": ["web:1", "web:2"], "category": ["ring"] * 2, "author": ["Anna Muster", "Bert"]})
    at = pa.array([datetime.now(UTC)] * 2, pa.timestamp("us", "UTC"))
    lake.listings("web_photos").append(rows.append_column("at", at))
    assert lake.listings("web_photos").latest().column("item_id").to_pylist() == ["web:2"]


def test_a_page_that_was_begun_before_it_is_not_published_after_it(lake: Lake) -> None:
    begun = datetime.now(UTC)
    page = rows_of(lake, "jewelry", {"report": b"<html>with anna"}, media_type="text/html", fetched_at=begun)
    take_down(lake, "author", "Anna Muster", "tests")
    with pytest.raises(Transient, match=r"may show it.*Materialize it again"):
        lake.dataset("dataset_report").publish(page)
    assert list(Path(lake.root, "blobs").rglob("*.html")) == []
    later = datetime.now(UTC) + timedelta(seconds=1)
    publish(lake, "dataset_report", "jewelry", {"report": b"<html>"}, media_type="text/html", fetched_at=later)
    assert items(lake, "dataset_report") == ["report"]


def test_clusters_that_were_drawn_before_it_are_published_without_the_sheet_that_shows_it(lake: Lake) -> None:
    drawn = lake.dataset("design_clusters").read()
    sheets = {path: path.read_bytes() for path in Path(lake.root, "blobs").rglob("*.jpg")}
    take_down(lake, "item", "folder:anna-1", "tests")
    for path, data in sheets.items():
        if not path.exists():
            path.write_bytes(data)
    lake.dataset("design_clusters").publish(drawn, made_from="the pool")
    rows = lake.dataset("design_clusters").read()
    assert rows.column("cluster_sheet_sha256").null_count == 2
    assert len(list(Path(lake.root, "blobs").rglob("*.jpg"))) == 1
    assert list(verify(lake)) == []


AT_ONCE = """
import sys
from jewel_assets.lake import Lake
from jewel_assets.lake.takedowns import take_down
take_down(Lake(sys.argv[1]), "item", sys.argv[2], "tests")
"""


def test_a_publication_between_record_and_removal_hides_no_item(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves out what was just recorded, so that the takedown finds no row of it any more: its outcome says so."""
    rows, add = lake.dataset("folder_photos").read("ring"), Takedowns.add

    def add_and_publish(self: Takedowns, *arguments: Any) -> None:
        add(self, *arguments)
        lake.dataset("folder_photos").publish(rows, "ring")

    monkeypatch.setattr(Takedowns, "add", add_and_publish)
    take_down(lake, "author", "Anna Muster", "tests")
    assert_gone(lake)


def test_several_at_once_do_not_undo_each_other(lake: Lake) -> None:
    at_once = [child(lake, AT_ONCE, f"folder:anna-{number}") for number in (1, 2, 3)]
    rows = lake.dataset("folder_photos").read("ring")
    while any(process.poll() is None for process in at_once):
        lake.dataset("folder_photos").publish(rows, "ring")
        run_stage(lake, Reverse(), lake.dataset("folder_photos").read("ring"), "cutouts", "ring")
    assert [process.wait() for process in at_once] == [0, 0, 0]
    assert_gone(lake)
