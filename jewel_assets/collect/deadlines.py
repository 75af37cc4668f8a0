"""A total time for one exchange with a server: a slow-loris sends a byte a second and never times out by silence.

`requests` bounds the time between two bytes. Here one thread watches the connections of all others and shuts those
down whose time is over, whatever they are doing: waiting for headers, in a TLS handshake, reading a body.
"""

import contextlib
import heapq
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator


class Clock:
    """The time that one exchange has. `watch` puts a connection under it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ends = time.monotonic() + seconds
        self.is_over = False
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []

    def left(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.ends - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down when the time is over."""
        # A second descriptor of the same connection: TLS takes the first one out of the socket object's hands.
        twin = socket.socket(connection.family, connection.type, fileno=os.dup(connection.fileno()))
        with self._lock:
            self._connections.append(twin)
        if self.is_over:
            self._shut()

    def stop(self) -> None:
        """The exchange is over: connections are watched no longer, and may serve the next one."""
        with self._lock:
            connections, self._connections = self._connections, []
        for twin in connections:
            twin.close()

    def expire(self) -> None:
        """The time is over."""
        self.is_over = True
        self._shut()

    def _shut(self) -> None:
        with self._lock:
            for twin in self._connections:
                with contextlib.suppress(OSError):
                    twin.shutdown(socket.SHUT_RDWR)


class _Watch:
    """One thread that lets clocks expire. Started at the first use, in each process anew."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Clock]] = []
        self._numbers = itertools.count()
        self._news = threading.Condition()
        self._pid = 0

    def add(self, clock: Clock) -> None:
        with self._news:
            if self._pid != os.getpid():
                self._pid, self._due = os.getpid(), []
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
            heapq.heappush(self._due, (clock.ends, next(self._numbers), clock))
            if self._due[0][2] is clock:
                self._news.notify()

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._news.wait(self._due[0][0] - time.monotonic() if self._due else None)
                _, _, clock = heapq.heappop(self._due)
            clock.expire()


_watch = _Watch()
_current = threading.local()


@contextlib.contextmanager
def within(seconds: float) -> Iterator[Clock]:
    """Give the exchange in this block so many seconds in all. The caller asks `clock.is_over` why it failed."""
    clock = Clock(seconds)
    before = current()
    _current.clock = clock
    _watch.add(clock)
    try:
        yield clock
    finally:
        _current.clock = before
        clock.stop()


def current() -> Clock | None:
    """The clock of this thread's exchange, if it has one."""
    return getattr(_current, "clock", None)
