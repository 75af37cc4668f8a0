"""The runner with real workers, which die, and real runs, which are killed."""

import contextlib
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest

from jewel_assets.errors import Permanent, Transient
from jewel_assets.lake import Lake, keep_workers, run_stage
from jewel_assets.lake.stage_process import Abort
from jewel_assets.lake.workers import Worker
from jewel_assets_tests.lake.stages_for_tests import Shout, items_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    path.touch()
    return path


def _noted(journal: Path, what: str) -> Counter[int]:
    lines = (line.split() for line in journal.read_text().splitlines())
    return Counter(int(line[1]) for line in lines if line[0] == what)


def _command(lake: Lake, number: int, **stage: Any) -> list[str]:
    module = "jewel_assets_tests.lake.run_for_tests"
    return [sys.executable, "-m", module, lake.root, str(number), json.dumps(stage)]


def _descendants(pid: int, what: str) -> list[psutil.Process]:
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if what in " ".join(child.cmdline()):
                    found.append(child)
    return found


def _stage_processes() -> list[psutil.Process]:
    return _descendants(os.getpid(), "stage_process")


def _wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.02)


def _has_grown(journal: Path, beyond: int) -> bool:
    return journal.stat().st_size > beyond


def _half_written(lake: Lake) -> list[str]:
    return [file.path for file in lake.blobs.files() if file.path.endswith(".tmp")]


@pytest.fixture
def started() -> Iterator[Callable[[list[str]], "subprocess.Popen[str]"]]:
    """Start runs; none outlives its test."""
    processes = []

    def start(command: list[str]) -> "subprocess.Popen[str]":
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


Start = Callable[[list[str]], "subprocess.Popen[str]"]


def _report(process: "subprocess.Popen[str]") -> dict[str, Any]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    report: dict[str, Any] = json.loads(out.splitlines()[-1])
    return report


def test_items_that_raise_crash_or_kill_their_worker_fail_alone(lake: Lake, journal: Path) -> None:
    bad = {"raises": [3], "crashes": [6], "kills": [7], "exits": [13], "asks to exit": [14]}
    stage = Shout(journal=str(journal), does={**bad, "is rejected": [9]})
    report = run_stage(lake, stage, items_of(lake, 20), "shouts", "ring", max_failed_share=0.5)
    assert (report.ok, report.rejected, report.failed) == (14, 1, 5)
    rows = {int(row["item_id"][7:]): row for row in lake.outcomes("shouts").latest("ring").to_pylist()}
    assert {i for i, row in rows.items() if row["status"] == "failed"} == {3, 6, 7, 13, 14}
    assert {rows[i]["reason"] for i in (6, 7, 13)} == {"worker killed"}
    assert "SIGSEGV" in rows[6]["error"]
    assert "string_at" in rows[6]["error"]  # where it crashed
    assert "SIGKILL" in rows[7]["error"]
    assert "exited with status 3" in rows[13]["error"]
    starts = _noted(journal, "start")
    assert set(starts) == set(range(20))
    assert max(starts.values()) <= 2  # once in its batch, once alone
    assert {starts[i] for i in range(16, 20)} == {1}  # a batch in which nothing happened
    assert not _half_written(lake)


def test_a_worker_killed_from_outside_costs_no_item(lake: Lake, journal: Path) -> None:
    report = run_stage(lake, Shout(journal=str(journal), does={"kills once": [2]}), items_of(lake, 6), "shouts", "ring")
    assert (report.ok, report.failed) == (6, 0)


def test_a_run_in_which_every_item_kills_its_worker_ends(lake: Lake, journal: Path) -> None:
    stage = Shout(journal=str(journal), does={"kills": range(5)})
    with pytest.raises(Permanent, match="5 x worker killed, for instance folder:00000"):
        run_stage(lake, stage, items_of(lake, 5), "shouts", "ring")
    assert lake.outcomes("shouts").latest("ring").num_rows == 5
    assert not lake.dataset("shouts").exists()


def test_a_stage_that_kills_its_worker_in_setup_ends_the_run(lake: Lake) -> None:
    with pytest.raises(Permanent, match=r"(?s)kills its process while it is being set up, 3 times.*SIGKILL"):
        run_stage(lake, Shout(does={"setup kills": []}), items_of(lake, 4), "shouts", "ring", workers=1)


def test_a_stage_that_gives_up_leaves_no_process_behind(lake: Lake, journal: Path) -> None:
    # whichever worker comes first: on a busy machine one may start late
    stage = Shout(seconds=0.3, journal=str(journal), does={"is permanent": range(40)})
    with pytest.raises(Permanent, match="set JEWEL_KEY"):
        run_stage(lake, stage, items_of(lake, 40), "shouts", "ring")
    assert len(_noted(journal, "start")) < 20
    _wait_for(lambda: not _stage_processes(), 10)


def test_each_worker_is_set_up_once_and_gets_its_threads(
    lake: Lake, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jewel_assets.settings.Settings.cores", 4)
    report = run_stage(lake, Shout(seconds=0.02, journal=str(journal)), items_of(lake, 40), "shouts", "ring", threads=2)
    assert (report.workers, report.threads) == (2, 2)
    setups = [line.split() for line in journal.read_text().splitlines() if line.startswith("setup")]
    assert 1 <= len(setups) <= 2  # the second may come too late to find work
    assert {threads for _, _, threads in setups} == {"2"}


def _setups(journal: Path) -> list[int]:
    """The process of each set-up."""
    return [int(line.split()[1]) for line in journal.read_text().splitlines() if line.startswith("setup")]


def test_kept_workers_take_the_next_stage_and_load_none_twice(lake: Lake, journal: Path) -> None:
    items = {category: items_of(lake, 4, category, category) for category in ("ring", "necklace", "bracelet")}
    louder = Shout(journal=str(journal), mark="!!")
    with keep_workers():
        for category in ("ring", "necklace"):
            run_stage(lake, Shout(journal=str(journal)), items[category], "shouts", category, workers=1)
        assert len(_setups(journal)) == 1  # the necklaces came to a process that had the stage loaded
        run_stage(lake, louder, items["bracelet"], "shouts", "bracelet", workers=1)
        first, second = _setups(journal)
        assert first == second  # the same process, another stage
        assert psutil.pid_exists(first)
    assert not _stage_processes()
    rows = lake.dataset("shouts").read("bracelet").to_pylist()
    assert all(lake.blobs.get(row["sha256"], row["media_type"]).endswith(b"!!") for row in rows)


@pytest.mark.parametrize("mark", ["!", "!!"], ids=["the same stage", "another stage"])
def test_kept_workers_killed_while_they_wait_cost_no_item(
    lake: Lake, journal: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    monkeypatch.setattr("jewel_assets.settings.Settings.cores", 3)
    with keep_workers():
        run_stage(lake, Shout(journal=str(journal), seconds=0.2), items_of(lake, 24), "shouts", "ring")
        waiting = _stage_processes()
        assert len(waiting) == 3
        for process in waiting:
            process.kill()
        psutil.wait_procs(waiting)
        stage = Shout(journal=str(journal), mark=mark)
        report = run_stage(lake, stage, items_of(lake, 4, "necklace", "chain"), "shouts", "necklace")
    assert (report.ok, report.failed) == (4, 0)


def test_kept_workers_serve_the_next_stage_after_one_that_gave_up(lake: Lake, journal: Path) -> None:
    refusing = Shout(journal=str(journal), does={"setup is permanent": []})
    with keep_workers():
        with pytest.raises(Permanent, match="wrong hash"):
            run_stage(lake, refusing, items_of(lake, 4), "shouts", "ring")
        with pytest.raises(Permanent, match="set JEWEL_KEY"):
            run_stage(
                lake, Shout(journal=str(journal), does={"is permanent": [1]}), items_of(lake, 4), "shouts", "ring"
            )
        assert run_stage(lake, Shout(journal=str(journal)), items_of(lake, 4), "shouts", "ring").ok == 4
    assert not _stage_processes()


def test_a_worker_that_comes_to_be_after_its_run_was_given_up_does_nothing(tmp_path: Path) -> None:
    worker = Worker(b"no order", "shout", 1, [], str(tmp_path / "removed already"))
    (answer,) = worker.answer([b"a row"])
    assert pickle.loads(answer) == Abort("The run was given up.")


def test_a_killed_run_resumes_without_losing_or_repeating_an_item(lake: Lake, journal: Path, started: Start) -> None:
    number, kills, rng = 60, 0, random.Random(7)
    known: set[str] = set()
    command = _command(lake, number, seconds=0.02, journal=str(journal))
    while True:
        begun = journal.read_text()
        run = started(command)
        if kills < 3:
            # At a random moment after work began, so that every kill finds something in flight.
            _wait_for(partial(_has_grown, journal, len(begun)))
            time.sleep(rng.uniform(0, 0.5))
            run.send_signal(signal.SIGKILL)
            run.communicate()
            kills += 1
        else:
            assert _report(run)["ok"] == number
        again = [line for line in journal.read_text()[len(begun) :].splitlines() if line.startswith("start")]
        assert not {f"folder:{int(line.split()[1]):05d}" for line in again} & known
        if lake.outcomes("shouts").file.exists():
            known = set(lake.outcomes("shouts").read("ring").column("item_id").to_pylist())
        if run.returncode == 0:
            break
    outcomes = lake.outcomes("shouts").read("ring")
    assert sorted(outcomes.column("item_id").to_pylist()) == [f"folder:{i:05d}" for i in range(number)]
    published = lake.dataset("shouts").read("ring")
    assert published.num_rows == number
    for row in published.to_pylist():
        assert lake.blobs.get(row["sha256"], row["media_type"]) == f"PHOTO {int(row['source_id'])}!".encode()


def test_workers_of_a_killed_run_end_with_it(lake: Lake, journal: Path, started: Start) -> None:
    run = started(_command(lake, 200, seconds=0.3, journal=str(journal)))
    _wait_for(lambda: bool(_noted(journal, "start")))
    workers = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.communicate()
    _wait_for(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers), 15)


def test_killing_any_process_of_a_run_but_the_run_itself_costs_no_item(
    lake: Lake, journal: Path, started: Start
) -> None:
    run = started(_command(lake, 60, seconds=0.05, journal=str(journal)))
    _wait_for(lambda: len(_noted(journal, "done")) > 5)
    victims = psutil.Process(run.pid).children(recursive=True)
    assert all("stage_process" in " ".join(victim.cmdline()) for victim in victims), "there are others to kill"
    victims[0].kill()
    report = _report(run)
    assert (report["ok"], report["failed"]) == (60, 0)
    assert lake.outcomes("shouts").read("ring").num_rows == 60


def test_two_runs_at_once_do_each_item_once(lake: Lake, journal: Path, started: Start) -> None:
    command = _command(lake, 24, seconds=0.05, journal=str(journal))
    reports = [_report(run) for run in [started(command), started(command)]]
    assert sorted(report["attempted"] for report in reports) == [0, 24]
    assert [report["ok"] for report in reports] == [24, 24]
    assert set(_noted(journal, "start").values()) == {1}
    assert lake.outcomes("shouts").read("ring").num_rows == 24


def test_an_interrupted_run_keeps_what_was_delivered_and_exits(lake: Lake, journal: Path, started: Start) -> None:
    run = started(_command(lake, 200, seconds=0.05, journal=str(journal)))
    _wait_for(lambda: len(_noted(journal, "done")) > 20)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode not in (0, -signal.SIGABRT, -signal.SIGSEGV), err
    assert "KeyboardInterrupt" in err
    assert lake.outcomes("shouts").read("ring").num_rows > 0


def test_a_full_disk_ends_the_run_with_a_sentence_and_half_publishes_nothing(
    lake: Lake, here: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    items = items_of(lake, 4)

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", no_space)
        with pytest.raises(Permanent, match=r"No space left for .*: free some disk and run again"):
            run_stage(lake, Shout(), items, "shouts", "ring")
    assert not lake.dataset("shouts").exists()
    assert not _half_written(lake)
    assert run_stage(lake, Shout(), items, "shouts", "ring").ok == 4


FULL_DISK = """
import sys
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake, run_stage
from jewel_assets_tests.lake.stages_for_tests import Shout, items_of
lake = Lake(sys.argv[1])
items = items_of(lake, 400)
try:
    run_stage(lake, Shout(mark="!" * 5000), items, "shouts", "ring", workers=1)
except Permanent as error:
    assert "No space left" in str(error), error
else:
    raise AssertionError("the disk was never full")
assert not lake.dataset("shouts").exists()
for row in lake.outcomes("shouts").read().to_pylist():
    assert lake.blobs.exists(row["sha256"], row["media_type"])
"""


def test_a_disk_that_fills_up_in_mid_run(tmp_path: Path) -> None:
    mounted = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount -t tmpfs -o size=2500k tmpfs {tmp_path}"
    try:
        subprocess.run([*mounted, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("This machine does not let a test mount a small disk.")
    command = [*mounted, f'{mount} && "$0" -c "$1" {tmp_path}/lake', sys.executable, FULL_DISK]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_a_lake_that_cannot_be_written_is_named_before_any_work(read_only_lake: Lake, here: list[int]) -> None:
    items = pa.table({"item_id": ["folder:1"], "category": ["ring"], "sha256": ["0" * 64]})
    with pytest.raises(Permanent, match="make it writable, or set JEWEL_LAKE"):
        run_stage(read_only_lake, Shout(), items, "shouts", "ring")
    assert here == []


def test_daft_failing_for_good_is_worth_another_run(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Iterator[list[bytes]]:
        raise RuntimeError("no more file handles")
        yield []

    monkeypatch.setattr("jewel_assets.lake.crew._answers", broken)
    with pytest.raises(Transient, match="Daft broke 3 times while running stage shout: no more file handles"):
        run_stage(lake, Shout(), items_of(lake, 4), "shouts", "ring", workers=1)
