"""Where the items of a stage are done: Daft hands batches to workers, each worker owns one process with the stage.

    run_stage -> Daft, native or on Ray (lake.crew) -> Workers (here) -> a process each (lake.stage_process)

Daft keeps the workers busy, streams their answers and, on a cluster, places them on machines. It has no notion of
one bad item: when a worker dies, the query dies and takes along what all the other workers had in hand. So the stage
itself runs one process further down, in `lake.stage_process`. If that one dies, its worker knows exactly which items
it had in hand, and does the same for every one of them: once more, alone, in a fresh process; what kills again is
recorded as failed. An item is thus started at most twice, and items that were delivered are never touched again.
"""

import contextlib
import fcntl
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
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
    """Tells a worker whether its run still wants it, and the run whether its workers live.

    Daft neither ends its workers when a query is given up (an interrupt, a stage that refuses) nor lets Python exit
    in peace before they have ended. So the run removes a file, and each of its workers on this machine, seeing that
    within `POLL_SECONDS`, drops what it does; the query then runs out in no time. Until it ends, a worker holds a
    shared lock on that file, and while it is busy it touches the file, so that a query in which nobody is busy any
    more is known to be stuck. A run that was killed removes nothing, but is no longer the parent process.
    On the other machines of a cluster there is no such file, and Ray ends the actors of a lost run.
    """

    def __init__(self, marker: str) -> None:
        self._marker = Path(marker)
        self._parent = os.getppid()
        self._descriptor: int | None = None
        with contextlib.suppress(FileNotFoundError):
            self._descriptor = os.open(marker, os.O_RDONLY)  # for the life of this process
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def check(self) -> None:
        """Say that this worker is alive. Raises RunEnded if the run is over."""
        if os.getppid() != self._parent:
            raise RunEnded
        if self._descriptor is not None:
            try:
                os.utime(self._marker)
            except FileNotFoundError:
                raise RunEnded from None


class StageProcess:
    """One running `lake.stage_process` and the socket to it."""

    def __init__(self, order: bytes, threads: int, path: Sequence[str], leash: Leash) -> None:
        self._leash = leash
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        # Standard error goes to a file without a name: a pipe that nobody reads would block the stage, and Daft's
        # own pipe must close when its worker dies. Append mode, so that the file can be emptied under the writer.
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
        self.refusal: Abort | None = self.ask(order)

    def ask(self, message: bytes) -> Any:
        """Send a message and wait for its answer. Raises ProcessDied, and RunEnded once the process is ended."""
        try:
            self._log.truncate(0)
            self._connection.send_bytes(message)
            # A process that a stage started may hold the socket open after the stage's own process died.
            while not self._connection.poll(POLL_SECONDS):
                self._leash.check()
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


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Worker:
    """One of Daft's workers: answers batches of packed rows with what became of them. It outlives its process."""

    def __init__(self, order: bytes, name: str, threads: int, path: Sequence[str], marker: str) -> None:
        self._leash = Leash(marker)
        self._order = order
        self._name = name
        self._threads = threads
        self._path = [*path, *(entry for entry in sys.path if entry not in path)]
        self._process: StageProcess | None = None
        self._abort: Abort | None = None

    def answer(self, packed: Sequence[bytes]) -> list[bytes]:
        """For each packed row a pickled `Done`, or a pickled `Abort` once nothing can be done any more."""
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
        process = self._process or self._start()
        if isinstance(process, Abort):
            return process
        self._process = process
        try:
            answer: list[Done] | Abort = process.ask(pickle.dumps(list(packed)))
        except ProcessDied:
            self._process = None
            raise
        return answer

    def _start(self) -> StageProcess | Abort:
        death = ""
        for _ in range(SETUP_ATTEMPTS):
            try:
                process = StageProcess(self._order, self._threads, self._path, self._leash)
            except ProcessDied as died:
                death = str(died)
                continue
            if process.refusal is None:
                return process
            process.close()
            return process.refusal
        return Abort(f"Stage {self._name} kills its process while it is being set up, {SETUP_ATTEMPTS} times. {death}")
