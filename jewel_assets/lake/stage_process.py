"""The process in which a stage runs, alone; `lake.workers` starts it and calls `main`.

Whatever a stage does to its process (a crash in native code, memory without end, `os._exit`) happens here and to
nobody else: the worker that owns this process sees it die, knows which items it had in hand and
starts another. Requests and answers are pickles over one socket; pixels never travel, this process reads and writes
blobs itself.
"""

import contextlib
import errno
import faulthandler
import gc
import os
import pickle
import queue
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa

from jewel_assets.errors import Permanent, Transient
from jewel_assets.lake.banned import TAKEN_DOWN, WHY, TakenDown
from jewel_assets.lake.blobs import Blob, BlobStore
from jewel_assets.lake.schema import blob_fields
from jewel_assets.lake.stages import Failed, Item, Made, Rejected, Result, Review, Selection, Stage
from jewel_assets.lake.tables import writing_failed

TRANSIENT_ATTEMPTS = 4
"""How often an item is tried that raises `Transient`; the next run of the asset tries it again anyway."""
FIRST_BACKOFF_S = 1.0
"""Seconds before the second attempt; doubled each time, times a random 0.5..1.5 lest workers march in step."""
LONGEST_WAIT_S = 120.0
"""A server that asks for more patience than this fails the item: a later run costs less than a worker that sleeps."""

_TAKEN_DOWN = {"status": "rejected", "reason": TAKEN_DOWN, "error": WHY, "engine": None}
"""What becomes of what was taken down."""

_OOM_SCORE = "500"  # of -1000..1000: short of memory, Linux kills the stage's process and not the run that owns it


@dataclass(frozen=True)
class Order:
    """What a stage process is told before the first batch of a stage."""

    stage: Stage
    columns: tuple[str, ...]  # of the rows that follow
    lake_root: str
    threads: int


@dataclass(frozen=True)
class Done:
    """What became of one item: its place among the pending items, and the outcome's columns without its identity."""

    index: int
    outcome: Mapping[str, Any]


@dataclass(frozen=True)
class Abort:
    """No item can be done: the sentence of the `Permanent` error that says why."""

    sentence: str


class StageRun:
    """One stage, set up, and the lake its items come from."""

    def __init__(self, order: Order) -> None:
        self.stage = order.stage
        self.columns = order.columns
        self.blobs = BlobStore(order.lake_root)
        self.threads = order.threads

    def set_up(self) -> None:
        """Let the stage load its models. Raises Permanent, naming the stage, for whatever goes wrong."""
        try:
            self.stage.setup(self.threads)
        except Permanent:
            raise
        except Exception as error:
            raise Permanent(
                f"Stage {self.stage.name} could not be set up: {type(error).__name__}: {error}\n{_where(error)}"
            ) from error
        _cap_loaded_libraries(self.threads)

    def do(self, packed: Sequence[bytes]) -> list[Done]:
        """What becomes of these rows (pickles of index and values), in order. Raises Permanent."""
        rows = [pickle.loads(row) for row in packed]
        indices = [index for index, _ in rows]
        items = [Item(dict(zip(self.columns, values, strict=True)), self.blobs) for _, values in rows]
        try:
            outcomes = self._attempt(items)
        except Permanent:
            raise
        except (Exception, SystemExit):  # a stage that calls sys.exit() fails its item, not its worker
            outcomes = [self._alone(item) for item in items]
        _cap_loaded_libraries(self.threads)
        return [Done(index, outcome) for index, outcome in zip(indices, outcomes, strict=True)]

    def _attempt(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        results = self.stage.process(items)
        if len(results) != len(items):
            raise Permanent(
                f"Stage {self.stage.name} gave {len(results)} results for {len(items)} items, first "
                f"{items[0].item_id}: `process` must give one result per item, in order."
            )
        return [outcome_of(self.stage, item, result, self.blobs) for item, result in zip(items, results, strict=True)]

    def _alone(self, item: Item) -> dict[str, Any]:
        for attempt in range(1, TRANSIENT_ATTEMPTS + 1):
            try:
                return self._attempt([item])[0]
            except Permanent:
                raise
            except (Exception, SystemExit) as error:
                if isinstance(error, TakenDown):  # a stage that stores blobs itself
                    return dict(_TAKEN_DOWN)
                wait = _wait_before_another(error, attempt)
                if wait is None:
                    failed = Failed(type(error).__name__, f"{error}\n{_where(error)}".strip())
                    return outcome_of(self.stage, item, failed, self.blobs)
                time.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns")


def outcome_of(stage: Stage | Selection, item: Item, result: Result, blobs: BlobStore) -> dict[str, Any]:
    """The columns of an outcome row, identity and time aside; stores the blob of what was made, if it has one.

    What was taken down, be it while the stage worked on it, is rejected, and nothing of it is stored or told.

    Raises Permanent if the result does not fit `stage.output`, or the lake cannot be written.
    """
    row = item.row
    if blobs.takedowns.recent().speaks_of(row):
        return dict(_TAKEN_DOWN)
    outcome: dict[str, Any] = {"engine": result.engine or None, **_fitting(stage, item, result)}
    match result:
        case Made():
            try:
                outcome |= {"status": "ok", **_stored(stage, item, result, blobs), **_beside(stage, result, blobs)}
            except TakenDown:  # the same bytes as somebody else's, under another name
                return dict(_TAKEN_DOWN)
        case Rejected():
            outcome |= {"status": "rejected", "reason": result.reason, "error": result.error or None}
        case Review():
            outcome |= {"status": "review", "reason": result.reason}
        case Failed():
            outcome |= {"status": "failed", "reason": result.reason, "error": result.error or None}
        case _:
            raise Permanent(
                f"Stage {stage.name} gave a {type(result).__name__} for {row['item_id']}: it must give Made, "
                "Rejected or Review."
            )
    return outcome


def _stored(stage: Stage | Selection, item: Item, made: Made, blobs: BlobStore) -> dict[str, Any]:
    row = item.row
    if made.data is None and made.stored is None:
        if not row.get("sha256"):
            raise Permanent(f"Stage {stage.name} made no bytes for {item.item_id}, which came without any.")
        kept = {name: row.get(name) for name in ("sha256", "media_type", "bytes", "parent_sha256")}
        size = {name: row.get(name) if (own := getattr(made, name)) is None else own for name in ("width", "height")}
        return kept | size
    if made.data is not None:
        if made.media_type is None:
            raise Permanent(f"Stage {stage.name} made bytes for {item.item_id} without saying their media type.")
        blob = _put(stage, made.data, made.media_type, blobs)
    else:
        assert made.stored is not None
        blob = made.stored
    return {
        "sha256": blob.sha256,
        "media_type": blob.media_type,
        "bytes": blob.bytes,
        "width": made.width,
        "height": made.height,
        "parent_sha256": row.get("sha256"),
    }


def _beside(stage: Stage | Selection, made: Made, blobs: BlobStore) -> dict[str, str]:
    """The hashes of the item's further blobs, stored, by the column that names each."""
    known = blob_fields(stage.output)
    strange = [name for name in made.beside if name not in known]
    if strange:
        raise Permanent(
            f"Stage {stage.name} gives a blob for {strange[0]!r}: declare that column in its `output` by `blob_field`."
        )
    return {name: _put(stage, data, known[name], blobs).sha256 for name, data in made.beside.items()}


def _put(stage: Stage | Selection, data: bytes, media_type: str, blobs: BlobStore) -> Blob:
    try:
        return blobs.put(data, media_type)
    except OSError as error:
        raise writing_failed(blobs.root, error) from error
    except ValueError as error:  # a media type that the lake does not know
        raise Permanent(f"Stage {stage.name}: {error}") from error


def _fitting(stage: Stage | Selection, item: Item, result: Result) -> dict[str, Any]:
    """The result's own columns, after making sure that the table can hold them."""
    for name, value in result.columns.items():
        if name not in stage.output.names:
            raise Permanent(f"Stage {stage.name} gives a column {name!r} that is not in its `output`.")
        field = stage.output.field(name)
        try:
            pa.scalar(value, field.type)
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            raise Permanent(
                f"Stage {stage.name} gives {item.item_id} a {name!r} that is no {field.type}: {error}"
            ) from error
    if isinstance(result, Made):
        for field in stage.output:
            if not field.nullable and {**result.columns, **result.beside}.get(field.name) is None:
                raise Permanent(f"Stage {stage.name} gives {item.item_id} no {field.name!r}, which may not be null.")
    return dict(result.columns)


def _wait_before_another(error: BaseException, attempt: int) -> float | None:
    """Seconds to wait before the next attempt, or None if there should be none."""
    if not isinstance(error, Transient) or attempt == TRANSIENT_ATTEMPTS:
        return None
    wait = FIRST_BACKOFF_S * 2 ** (attempt - 1) if error.retry_after is None else error.retry_after
    # Never earlier than the server asked, so the jitter then only adds.
    wait *= random.uniform(0.5, 1.5) if error.retry_after is None else random.uniform(1.0, 1.25)
    return wait if wait <= LONGEST_WAIT_S else None


def _where(error: BaseException, frames: int = 3) -> str:
    """The innermost frames of a traceback: what a person needs to find the line, without the runner's own."""
    return "".join(traceback.format_tb(error.__traceback__)[-frames:]).rstrip()


def _cap_loaded_libraries(threads: int) -> None:
    """Tell those libraries their number of threads that do not (only) take it from the environment."""
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def _requests(connection: Connection) -> "queue.SimpleQueue[bytes]":
    """Messages as they come. When the owner is gone, this process ends at once, whatever it is doing."""
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def receive() -> None:
        try:
            while True:
                messages.put(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)

    threading.Thread(target=receive, daemon=True).start()
    return messages


def main(descriptor: int) -> None:
    """Serve one owner: an `Order` comes first, answered by None; then batches, answered by a list of `Done`.

    Any answer may be an `Abort` instead. Another `Order` may follow, whose stage takes the place of the one before.
    """
    faulthandler.enable(
        all_threads=False
    )  # what crashes in native code leaves its Python lines for the failed item's error
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which then closes the socket
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    os.set_inheritable(descriptor, False)
    connection = Connection(descriptor)
    requests = _requests(connection)
    run: StageRun | None = None
    while True:
        message = requests.get()
        answer: Abort | list[Done] | None
        try:
            received = pickle.loads(message)
            if isinstance(received, Order):
                run = None
                gc.collect()  # the models of the stage before
                run = StageRun(received)
                answer = run.set_up()  # type: ignore[func-returns-value]
            else:
                assert run is not None  # an order comes first
                answer = run.do(received)
        except Permanent as error:
            answer = Abort(str(error))
        except Exception as error:
            answer = Abort(f"A worker could not take its work: {type(error).__name__}: {error}\n{_where(error)}")
        try:
            connection.send_bytes(pickle.dumps(answer))
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET):
                raise
            return
