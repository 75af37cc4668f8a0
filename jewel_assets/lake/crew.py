"""How many workers a run gets, and the Daft query that keeps them busy and brings back what they did."""

import asyncio
import contextlib
import functools
import os
import pickle
import queue
import signal
import sys
import tempfile
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from jewel_assets.errors import Transient
from jewel_assets.lake.stage_process import Abort, Done, Order
from jewel_assets.lake.stages import Stage
from jewel_assets.lake.workers import POLL_SECONDS, Worker, dismiss
from jewel_assets.settings import settings

QUERY_ATTEMPTS = 3
"""Times that Daft itself may fail, without one item delivered in between, before the run does."""
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
        with _query(order, stage, list(waiting.values()), workers, threads) as results:
            for answers in _arriving(results):
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
    results: "queue.SimpleQueue[list[bytes] | Exception | None]",
) -> Iterator[list[Done] | Abort | Exception | None]:
    while True:
        try:
            result = results.get(timeout=POLL_SECONDS)
        except queue.Empty:
            yield None
            continue
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
) -> Iterator["queue.SimpleQueue[list[bytes] | Exception | None]"]:
    """Run the query in a thread; its results arrive in a queue, None comes last.

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
    os.close(descriptor)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield results
    finally:
        Path(marker).unlink(missing_ok=True)
        thread.join(STOP_SECONDS)
        dismiss()


def _answers(
    order: bytes, stage: Stage, packed: list[bytes], workers: int, threads: int, marker: str
) -> Iterable[list[bytes]]:
    """The Daft query, the same on one machine and on a cluster but for where the workers are.

    On Ray they are actors, which Ray places on its machines and ends. On one machine they need no process of their own,
    for all they do is wait for the stage's: there they are coroutines.
    """
    daft = _runner()
    batched = daft.method.batch(return_dtype=daft.DataType.binary(), batch_size=stage.batch_size)

    class Actor(Worker):
        @batched  # type: ignore[untyped-decorator]
        def done(self, rows: Any) -> list[bytes]:
            return self.answer(rows.to_pylist())

    class Coroutines(Worker):
        @batched  # type: ignore[untyped-decorator]
        async def done(self, rows: Any) -> list[bytes]:
            return await asyncio.to_thread(self.answer, rows.to_pylist())

    on_ray = bool(os.environ.get("RAY_ADDRESS"))
    stage_worker = Actor if on_ray else Coroutines
    stage_worker.__name__ = stage_worker.__qualname__ = stage.name
    make_worker = daft.cls(stage_worker, max_concurrency=workers, use_process=on_ray)
    worker = make_worker(order, stage.name, threads, 1 if on_ray else workers, sys.path, marker)
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
