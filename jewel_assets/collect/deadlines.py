"""A total time for one exchange with a server: a slow-loris sends a byte a second and never times out by silence.

`requests` bounds the time between two bytes. Here one thread watches the connections of all others and shuts those
down whose time is over, whatever they are doing: waiting for headers, in a TLS handshake, reading a body.
"""

import contextlib
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
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.ends

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
            self.shut()

    def stop(self) -> None:
        """The exchange is over: connections are watched no longer, and may serve the next one."""
        with self._lock:
            connections, self._connections = self._connections, []
        for twin in connections:
            twin.close()

    def shut(self) -> None:
        """Shut all connections down: the time is over."""
        with self._lock:
            for twin in self._connections:
                with contextlib.suppress(OSError):
                    twin.shutdown(socket.SHUT_RDWR)


class _Watch:
    """One thread that shuts down what is under a clock whose time is over. Started at the first use.

    There are as many clocks as threads that fetch, some dozens at most, so the next to end is looked for among all.
    """

    def __init__(self) -> None:
        self._running: set[Clock] = set()
        self._news = threading.Condition()
        self._wakes = 0.0  # time.monotonic() when the thread looks again; 0: there is none yet

    def add(self, clock: Clock) -> None:
        with self._news:
            self._running.add(clock)
            if not self._wakes:
                self._wakes = clock.ends
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
            elif clock.ends < self._wakes:
                self._news.notify()

    def remove(self, clock: Clock) -> None:
        with self._news:
            self._running.discard(clock)

    def _run(self) -> None:
        while True:
            with self._news:
                over = {clock for clock in self._running if clock.is_over}
                self._running -= over
                if not over:
                    self._wakes = min((clock.ends for clock in self._running), default=float("inf"))
                    self._news.wait(None if self._wakes == float("inf") else self._wakes - time.monotonic())
            for clock in over:
                clock.shut()


_watch = _Watch()
_current = threading.local()


def _watch_anew() -> None:
    """In a process that was forked: its parent's thread is not there, its parent's lock may be held for ever."""
    global _watch
    _watch = _Watch()


os.register_at_fork(after_in_child=_watch_anew)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[Clock]:
    """Give the exchange in this block so many seconds in all. The caller asks `clock.is_over` why it failed."""
    clock = Clock(seconds)
    watch, before = _watch, current()
    _current.clock = clock
    watch.add(clock)
    try:
        yield clock
    finally:
        _current.clock = before
        watch.remove(clock)
        clock.stop()


def current() -> Clock | None:
    """The clock of this thread's exchange, if it has one."""
    return getattr(_current, "clock", None)
