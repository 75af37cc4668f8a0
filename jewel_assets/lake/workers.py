"""Where the items of a stage are done: Daft hands batches to workers, which hand them to processes with the stage.

    run_stage -> Daft, native or on Ray (lake.crew) -> Worker (here) -> processes with the stage (lake.stage_process)

Daft keeps the workers busy, streams their answers and, on a cluster, places them on machines. It has no notion of
one bad item: when a worker dies, the query dies and takes along what all the other workers had in hand. So the stage
itself runs in a process of ours, `lake.stage_process`. If that one dies, its worker knows exactly which items
it had in hand, and does the same for every one of them: once more, alone, in a fresh process; what kills again is
recorded as failed. An item is thus started at most twice, and items that were delivered are never touched again.

A process costs a second or two to start and its stage about as much to set up. Within `keep_workers` it is kept when
its stage has nothing more to do, and takes the next one.
"""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from jewel_assets.lake.stage_process import Abort, Done

SETUP_ATTEMPTS = 3
"""Processes started before giving up on one that dies while it loads its models."""
POLL_SECONDS = 0.25
"""How often a worker that waits for its process looks whether both it and the run are still alive."""

_MAIN = "from jewel_assets.lake.stage_process import main; main({})"
_LAST_WORDS = 1500  # characters of a dead process's standard error that its item's `error` keeps
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


class ProcessDied(Exception):
    """The stage's process is gone; the message says how, with its last words."""


class RunEnded(Exception):
    """The run that this worker belongs to was given up, or is dead: nobody wants the answer."""


class Leash:
    """Tells a worker whether its run still wants it: a run that is given up removes its file, `marker`.

    Daft lets what is in hand go on when a query is given up (an interrupt, a stage that refuses). A worker that finds
    the file gone, which it looks for every `POLL_SECONDS`, drops what it does; the query then runs out in no time.
    On the other machines of a cluster there is no such file, and Ray ends the actors of a lost run.
    """

    def __init__(self, marker: str) -> None:
        self._marker = Path(marker) if Path(marker).exists() else None

    @property
    def is_cut(self) -> bool:
        """Whether the run is over."""
        return self._marker is not None and not self._marker.exists()

    def check(self) -> None:
        """Raises RunEnded if the run is over."""
        if self.is_cut:
            raise RunEnded


class StageProcess:
    """One running `lake.stage_process` and the socket to it."""

    def __init__(self, threads: int, path: Sequence[str]) -> None:
        self.fits = (threads, tuple(path))  # what it was started with, and keeps
        self.order: bytes | None = None  # the stage that it is set up for
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        # Standard error goes to a file without a name: a pipe that nobody reads would block the stage.
        # Append mode, so that the file can be emptied under the writer.
        self._log = tempfile.TemporaryFile("a+b")  # noqa: SIM115, closed with the process
        environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads))
        environment["PYTHONPATH"] = os.pathsep.join(path)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _MAIN.format(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=environment,
                pass_fds=[theirs.fileno()],
            )

    def set_up(self, order: bytes, leash: Leash) -> Abort | None:
        """Load the stage of this order, unless it is there; the stage's refusal, if it gives one.

        Raises as `ask` does.
        """
        if order == self.order:
            return None
        self.order = None
        refusal: Abort | None = self.ask(order, leash)
        self.order = order if refusal is None else None
        return refusal

    def ask(self, message: bytes, leash: Leash) -> Any:
        """Send a message and wait for its answer. Raises ProcessDied, and RunEnded once the process is ended."""
        try:
            self._log.truncate(0)
            self._connection.send_bytes(message)
            # A process that a stage started may hold the socket open after the stage's own process died.
            while not self._connection.poll(POLL_SECONDS):
                leash.check()
                if self._process.poll() is not None and not self._connection.poll(0):
                    raise EOFError
            return pickle.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            raise ProcessDied(self._death()) from None
        except RunEnded:
            self.close()
            raise

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._connection.close()
        self._log.close()

    def _death(self) -> str:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:  # it closed its socket, yet lives: no use to us
            self._process.kill()
            code = self._process.wait()
        how = f"exited with status {code}" if code >= 0 else f"was killed by {_signal_name(-code)}"
        self._log.seek(0)
        words = self._log.read().decode(errors="replace").split("\nExtension modules:")[0].strip()[-_LAST_WORDS:]
        self.close()
        return f"The worker process {how}." + (f" Its last words:\n{words}" if words else "")


_idle: list[StageProcess] = []
"""Processes of this process that wait for work."""
_lock = threading.Lock()  # for what is below
_keepers = 0


@contextlib.contextmanager
def keep_workers() -> Iterator[None]:
    """Keep processes for the stages to come until it is left: for runs of many stages, one after the other.

    Code that is changed meanwhile is not seen by the processes that have loaded it.
    """
    global _keepers
    with _lock:
        _keepers += 1
    try:
        yield
    finally:
        with _lock:
            _keepers -= 1
        dismiss()


def dismiss() -> None:
    """End the processes that wait for work, unless they are kept."""
    with _lock:
        ended = [] if _keepers else [_idle.pop() for _ in range(len(_idle))]
    for process in ended:
        process.close()


def _taken(order: bytes, fits: tuple[int, tuple[str, ...]]) -> StageProcess | None:
    """A process that waits for work, rather one that has the stage loaded; it waits no more."""
    with _lock:
        fitting = [process for process in _idle if process.fits == fits]
        process = next((process for process in fitting if process.order == order), fitting[0] if fitting else None)
        if process is not None:
            _idle.remove(process)
    return process


class Worker:
    """Answers batches of packed rows with what became of them. It outlives its processes.

    On one machine a single one answers in several threads at a time, from as many as `processes`. On Ray there are
    several, each with one process.
    """

    def __init__(self, order: bytes, name: str, threads: int, processes: int, path: Sequence[str], marker: str) -> None:
        self._leash = Leash(marker)
        self._order = order
        self._name = name
        self._fits = threads, tuple(path) + tuple(entry for entry in sys.path if entry not in path)
        self._places = threading.Semaphore(processes)  # Daft may ask for one batch more at a time than it was told
        self._abort: Abort | None = None

    def answer(self, packed: Sequence[bytes]) -> list[bytes]:
        """For each packed row a pickled `Done`, or a pickled `Abort` once nothing can be done any more."""
        with self._places:
            if self._abort is None:
                try:
                    self._leash.check()
                    answer = self._done(packed)
                except RunEnded:
                    answer = Abort("The run was given up.")
                if not isinstance(answer, Abort):
                    return [pickle.dumps(done) for done in answer]
                self._abort = answer
            return [pickle.dumps(self._abort)] * len(packed)

    def _done(self, packed: Sequence[bytes]) -> list[Done] | Abort:
        try:
            return self._ask(packed)
        except ProcessDied:
            pass  # one of these items, or somebody's `kill`: each gets another try, alone
        answers: list[Done] = []
        for row in packed:
            try:
                answer = self._ask([row])
            except ProcessDied as death:
                index, _ = pickle.loads(row)
                killed = {
                    "status": "failed",
                    "reason": "worker killed",
                    "error": f"Twice, the last time alone. {death}",
                }
                answer = [Done(index, killed)]
            if isinstance(answer, Abort):
                return answer
            answers += answer
        return answers

    def _ask(self, packed: Sequence[bytes]) -> list[Done] | Abort:
        process = self._ready()
        if isinstance(process, Abort):
            return process
        answer: list[Done] | Abort = process.ask(pickle.dumps(list(packed)), self._leash)
        if self._leash.is_cut:  # nobody would end it
            process.close()
        else:
            with _lock:
                _idle.append(process)
        return answer

    def _ready(self) -> StageProcess | Abort:
        """A process with the stage loaded, or what it says why it cannot be."""
        death = ""
        for _ in range(SETUP_ATTEMPTS):
            process = _taken(self._order, self._fits) or StageProcess(*self._fits)
            try:
                refusal = process.set_up(self._order, self._leash)
            except ProcessDied as died:
                death = str(died)
                continue
            if refusal is None:
                return process
            process.close()
            return refusal
        return Abort(f"Stage {self._name} kills its process while it is being set up, {SETUP_ATTEMPTS} times. {death}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
