"""How many workers a run gets, and the Daft query that keeps them busy and brings back what they did."""

import contextlib
import fcntl
import functools
import os
import pickle
import queue
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from jewel_assets.errors import Transient
from jewel_assets.lake.stage_process import Abort, Done, Order
from jewel_assets.lake.stages import Stage
from jewel_assets.lake.workers import POLL_SECONDS, Worker
from jewel_assets.settings import settings

QUERY_ATTEMPTS = 3
"""Times that Daft itself may fail, without one item delivered in between, before the run does."""
STUCK_SECONDS = 120.0
"""No result and no busy worker for so long means that Daft hangs: it waits for ever for a worker that died while it
started. Long enough for a loaded machine to start one."""
STOP_SECONDS = 20.0
"""How long a run that is given up waits for its workers to stop: many times what they need."""

_QUIET = {
    "DAFT_ANALYTICS_ENABLED": "0",  # nothing may leave the machine
    "SCARF_NO_ANALYTICS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DAFT_PROGRESS_BAR": "0",
}


def allotment(workers: int, threads: int, batches: int, cores: int | None = None) -> tuple[int, int]:
    """Workers, and threads of each, such that `workers x threads <= cores` and no worker is without a batch.

    `workers` 0 means as many as that allows; `cores` None means those of this machine, or of the Ray cluster.
    """
    cores = cores or available_cores()
    threads = min(threads, cores)
    most = max(1, min(cores // threads, batches))
    return (min(workers, most) if workers else most), threads


def available_cores() -> int:
    """Cores that stages may fill: this machine's, or with `RAY_ADDRESS` set, the cluster's."""
    if not os.environ.get("RAY_ADDRESS"):
        return settings().cores
    _runner()
    import ray

    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))


def stream(
    stage: Stage, columns: Sequence[str], packed: Sequence[bytes], lake_root: str, workers: int, threads: int
) -> Generator[list[Done] | Abort | None, None, None]:
    """Do the packed rows and yield what became of them as it comes, in any order; None when nothing came for a moment.

    If Daft itself breaks (a worker of its own was killed, a machine went away), the rows not delivered yet are handed
    to it again. Raises Transient when that does not help.
    """
    _runner()
    from daft.pickle import dumps  # unlike the standard one, it also takes a stage that was defined in a notebook

    order = dumps(Order(stage, tuple(columns), lake_root, threads))
    waiting = dict(enumerate(packed))
    failures = 0
    while waiting:
        broken: Exception | None = None
        with _query(order, stage, list(waiting.values()), workers, threads) as (results, marker):
            for answers in _arriving(results, marker):
                _take_interrupts_back()
                if isinstance(answers, Exception):
                    broken = answers
                    break
                if isinstance(answers, list):
                    answers = [done for done in answers if waiting.pop(done.index, None) is not None]
                    failures = 0
                yield answers
        if waiting:
            failures += 1
            if failures >= QUERY_ATTEMPTS:
                why = broken or f"{len(waiting)} items were never answered"
                raise Transient(f"Daft broke {failures} times while running stage {stage.name}: {why}") from broken


def _take_interrupts_back() -> None:
    """Daft handles Ctrl-C by dropping its query in mid-flight, after which Python cannot exit in peace.

    With Python's own handler in its place again, Ctrl-C ends a run as any other exception does.
    """
    if threading.current_thread() is threading.main_thread():
        handler = signal.getsignal(signal.SIGINT)
        if handler is not None:  # None: it was not Python that set it
            signal.signal(signal.SIGINT, handler)


def _arriving(
    results: "queue.SimpleQueue[list[bytes] | Exception | None]", marker: Path
) -> Iterator[list[Done] | Abort | Exception | None]:
    watched = not os.environ.get("RAY_ADDRESS")  # Ray watches its own, on machines whose marks are not seen here
    idle, touched = 0.0, 0.0
    while True:
        try:
            result = results.get(timeout=POLL_SECONDS)
        except queue.Empty:
            before, touched = touched, marker.stat().st_mtime
            idle = 0.0 if touched != before else idle + POLL_SECONDS
            if watched and idle > STUCK_SECONDS:
                yield TimeoutError(f"none of its workers was busy for {idle:.0f} seconds")
                return
            yield None
            continue
        idle = 0.0
        if result is None:
            return
        if isinstance(result, Exception):
            yield result
            return
        answers = [pickle.loads(answer) for answer in result]
        yield next((answer for answer in answers if isinstance(answer, Abort)), answers)


@contextlib.contextmanager
def _query(
    order: bytes, stage: Stage, packed: list[bytes], workers: int, threads: int
) -> Iterator[tuple["queue.SimpleQueue[list[bytes] | Exception | None]", Path]]:
    """Run the query in a thread; its results arrive in a queue, None comes last. With the queue comes its marker.

    A thread of its own, because Daft's iterator blocks until the next result, however long that takes, while what was
    delivered should be written down after a few seconds. On leaving, the workers stop and the thread ends.
    """
    results: queue.SimpleQueue[list[bytes] | Exception | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            for batch in _answers(order, stage, packed, workers, threads, marker):
                results.put(batch)
            results.put(None)
        except Exception as error:
            results.put(error)

    descriptor, marker = tempfile.mkstemp(prefix="jewel-run-")
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield results, Path(marker)
    finally:
        Path(marker).unlink(missing_ok=True)
        until = time.monotonic() + STOP_SECONDS
        thread.join(STOP_SECONDS)
        while not _all_gone(descriptor) and time.monotonic() < until:
            time.sleep(0.05)
        os.close(descriptor)


def _all_gone(descriptor: int) -> bool:
    """Whether no worker on this machine holds the run's marker any more."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _answers(
    order: bytes, stage: Stage, packed: list[bytes], workers: int, threads: int, marker: str
) -> Iterable[list[bytes]]:
    """The Daft query, the same on one machine and on a cluster."""
    daft = _runner()

    class StageWorker(Worker):
        @daft.method.batch(return_dtype=daft.DataType.binary(), batch_size=stage.batch_size)  # type: ignore[untyped-decorator]
        def done(self, rows: Any) -> list[bytes]:
            return self.answer(rows.to_pylist())

    StageWorker.__name__ = StageWorker.__qualname__ = stage.name
    make_worker = daft.cls(StageWorker, max_concurrency=workers, use_process=True)
    worker = make_worker(order, stage.name, threads, sys.path, marker)
    rows = daft.from_arrow(pa.table({"row": pa.array(packed, pa.binary())})).into_batches(stage.batch_size)
    # In order, a slow batch would hold back all that are done after it, and `kill -9` would lose them.
    with daft.execution_config_ctx(maintain_order=False):
        for batch in rows.select(worker.done(rows["row"]).alias("done")).to_arrow_iter():
            yield batch.column("done").to_pylist()


@functools.cache
def _runner() -> Any:
    """Daft, set to the runner that the environment asks for, without telemetry or progress bars."""
    os.environ.update(_QUIET)
    import daft

    if os.environ.get("RAY_ADDRESS"):
        daft.set_runner_ray(noop_if_initialized=True)
    else:
        os.environ.setdefault("DAFT_RUNNER", "native")  # not whatever Daft infers from the process it finds itself in
    return daft
