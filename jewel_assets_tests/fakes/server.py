"""A web server on this machine that stands in for a source: it counts what it is asked, and misbehaves when told to.

It knows the rules that it must be asked by (a quota, patience that it asked for, robots.txt, keys) and notes each
request that breaks one in `violations`; a source that is polite leaves that list empty.
"""

import abc
import contextlib
import itertools
import json
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

IN_FLIGHT_S = 0.1
"""A request that arrives so soon after a 429 was sent was on its way already."""


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    number: int
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    at: float  # time.monotonic()
    query_text: str = ""  # as it was asked: `query` has only the last of several values of a name

    @property
    def host(self) -> str:
        """The name and port that it was asked by."""
        return self.headers.get("host", "")

    @property
    def address(self) -> str:
        """Path and query as they were asked."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.path}?{query}" if query else self.path


@dataclass(frozen=True)
class Reply:
    """What is answered. `write` takes the socket over, for what no honest server sends."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str | Sequence[str]] = field(default_factory=dict)  # several values: a header each
    media_type: str = "application/octet-stream"
    write: Callable[[socket.socket], None] | None = None


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str | Sequence[str]] | None = None) -> Reply:
    """JSON, as programs' interfaces answer."""
    return Reply(status, json.dumps(value).encode(), headers or {}, "application/json; charset=utf-8")


Fault = Callable[["FakeServer", Seen], Reply]


class FakeServer(abc.ABC):
    """Answers by `reply`, which subclasses fill in. Use it in a `with` block: it serves from the start of that.

    `url` names it as 127.0.0.1, `other_url` as localhost: two hosts to a client, one server.
    """

    requests_per_window: int | None = None
    window_s: float = 3600.0

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.violations: list[str] = []
        self.served: Counter[str] = Counter()  # path -> times that its bytes were sent whole
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.planned: dict[str, list[Fault]] = {}  # path -> the faults that it is answered with, one after another
        self._faults: list[tuple[Callable[[Seen], bool], Iterator[Fault]]] = []
        self._patience: dict[str, tuple[float, float]] = {}  # host -> (asked at, until)
        self._counted: deque[float] = deque()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.other_url = f"http://localhost:{self.port}"

    @property
    def hosts(self) -> tuple[str, str]:
        """What a client's operator must list, because they are within his machine."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    @abc.abstractmethod
    def reply(self, seen: Seen) -> Reply:
        """What an honest server answers."""

    def counts_against_quota(self, seen: Seen) -> bool:
        """Whether the account's quota is used up by this request."""
        return False

    def out_of_quota(self, seen: Seen) -> Reply:
        """What is answered above the quota."""
        return Reply(429)

    def robots(self) -> str | None:
        """The text of robots.txt, or None: there is none."""
        return None

    def inject(self, where: str | Callable[[Seen], bool], *faults: Fault) -> None:
        """Answer the next requests of a path (that begins so) with these faults, one after another, then honestly."""
        matches = where if callable(where) else lambda seen: seen.path.startswith(where)
        with self._lock:
            self._faults.append((matches, iter(faults)))

    def asked(self, path: str) -> list[Seen]:
        """The requests of this path (that begins so), in the order in which they came."""
        return [seen for seen in list(self.seen) if seen.path.startswith(path)]

    def ask_for_patience(self, seen: Seen, seconds: float) -> None:
        """Any request by this host's name before so many seconds are over is a violation."""
        now = time.monotonic()
        self._patience[seen.host] = (now, now + seconds)

    def answer(self, seen: Seen) -> Reply:
        """Note the request, judge it, and answer it."""
        with self._lock:
            self.seen.append(seen)
            self._judge_patience(seen)
            above = self.counts_against_quota(seen) and not self._is_within_quota(seen)
            fault = self._next_fault(seen)
        if above:
            return self.out_of_quota(seen)
        if fault is not None:
            return fault(self, seen)
        if seen.path.startswith("/hop/"):  # of a chain of redirects
            left = int(seen.path.removeprefix("/hop/"))
            to = seen.query["to"]
            return Reply(302, headers={"Location": f"/hop/{left - 1}?to={quote(to, safe='')}" if left else to})
        if seen.path == "/robots.txt":
            text = self.robots()
            return Reply(404) if text is None else Reply(200, text.encode(), media_type="text/plain")
        return self.reply(seen)

    def left_in_window(self) -> int:
        """Requests that the quota still allows."""
        assert self.requests_per_window is not None
        return max(0, self.requests_per_window - len(self._counted))

    def next_number(self) -> int:
        """Numbers requests."""
        return next(self._numbers)

    def __enter__(self) -> "FakeServer":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _next_fault(self, seen: Seen) -> Fault | None:
        if planned := self.planned.get(seen.path):
            return planned.pop(0)
        for matches, faults in self._faults:
            if matches(seen) and (fault := next(faults, None)) is not None:
                return fault
        return None

    def _judge_patience(self, seen: Seen) -> None:
        asked, until = self._patience.get(seen.host, (0.0, 0.0))
        if asked + IN_FLIGHT_S < seen.at < until:
            self.violations.append(f"{seen.path} was asked {until - seen.at:.2f} s before Retry-After was over")

    def _is_within_quota(self, seen: Seen) -> bool:
        if self.requests_per_window is None:
            return True
        while self._counted and self._counted[0] <= seen.at - self.window_s:
            self._counted.popleft()
        if len(self._counted) >= self.requests_per_window:
            self.violations.append(f"{seen.path} was asked above the limit of {self.requests_per_window}")
            return False
        self._counted.append(seen.at)
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of ours to complain about."""


def _handler(fake: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body in one packet

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            seen = Seen(fake.next_number(), parts.path, query, headers, time.monotonic(), parts.query)
            reply = fake.answer(seen)
            if reply.write is not None:
                self.close_connection = True
                with contextlib.suppress(OSError):
                    reply.write(self.connection)
                return
            self.send_response(reply.status)
            if reply.status != 304:
                self._send("Content-Type", reply.headers.get("Content-Type", reply.media_type))
                self._send("Content-Length", reply.headers.get("Content-Length", str(len(reply.body))))
            for name, values in reply.headers.items():
                if name not in ("Content-Type", "Content-Length"):
                    self._send(name, values)
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()
            if reply.status == 200:
                with fake._lock:
                    fake.served[seen.path] += 1

        def _send(self, name: str, values: str | Sequence[str]) -> None:
            for value in [values] if isinstance(values, str) else values:
                self.send_header(name, value)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
