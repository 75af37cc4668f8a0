"""How often, and how many at a time, each host is asked: rates, quotas of an account, pauses that a server asked for.

What a server counts over an hour or a day outlives our process, so quotas and pauses are kept in a file: a run that is
killed and started again asks for no more than one that was not. Rates of a few requests a second are not worth that.
"""

import contextlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from requests_ratelimiter import InMemoryBucket, Limiter, Rate, SQLiteBucket
from requests_ratelimiter.buckets import HostBucketFactory

SLACK = 0.01
"""Windows are taken this much longer (at least SLACK_S): a request reaches the server later than we counted it."""
SLACK_S = 0.25

EVENLY_BELOW = 10.0
"""Rates up to this (requests a second) are spread evenly; above it, a second's requests may come in one burst."""


@dataclass(frozen=True)
class Quota:
    """So many requests in any `window_s` seconds, counted over all processes that share the state file."""

    requests: int
    window_s: float = 3600.0

    def seconds_for(self, requests: int) -> float:
        """How long so many requests take, when the quota is all that holds them up."""
        return max(0, (requests - 1) // self.requests) * self.window_s


@dataclass(frozen=True)
class HostRule:
    """How one host is treated."""

    per_second: float = 2.0  # requests
    connections: int = 2  # at a time
    quotas: tuple[Quota, ...] = ()
    first_pause_s: float = 1.0  # before a second attempt; doubled each time, times a random 0.5..1.5
    obeys_robots: bool = True  # False where the host's own terms for programs say what may be fetched

    def seconds_for(self, requests: int) -> float:
        """How long so many requests take at least."""
        return max([requests / self.per_second, *(quota.seconds_for(requests) for quota in self.quotas)])


STRANGER = HostRule()
"""For hosts that no source speaks of: where Openverse's photos lie, for instance."""


@dataclass
class _Host:
    """One host's limiter and its places."""

    limiter: Limiter
    buckets: HostBucketFactory
    places: threading.BoundedSemaphore


class Limits:
    """The limits of all hosts, by `host` or `host:port`. Safe in any number of threads.

    `state` is a SQLite file that all processes share, or None: quotas then hold within this process only.
    `told` is called with a sentence when something waits long.
    """

    def __init__(
        self, rules: Mapping[str, HostRule], state: Path | None = None, told: Callable[[str], None] | None = None
    ) -> None:
        self._rules = dict(rules)
        self._state = state
        self._told = told or (lambda sentence: None)
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        self._pauses: dict[str, float] = {}  # host -> time.time() until which it is left alone
        self._told_at: dict[str, float] = {}
        self._memory = _Memory(state) if state else None
        if self._memory:
            self._pauses = self._memory.pauses()
            for host, quota in self._memory.quotas().items():
                if host in self._rules and self._rules[host].quotas:
                    self._rules[host] = _with_first_quota(self._rules[host], quota)

    def rule(self, host: str) -> HostRule:
        """What holds for a host."""
        return self._rules.get(host, STRANGER)

    @contextlib.contextmanager
    def place(self, host: str) -> Iterator[None]:
        """Wait for one of the host's connections, for its rate and quotas, and until it may be asked again."""
        entry = self._host(host)
        with entry.places:
            if not entry.limiter.try_acquire(host, blocking=False):
                if self.rule(host).quotas:
                    self._tell_of_quota(host)
                entry.limiter.try_acquire(host)
            self._wait_for_pause(host)
            yield

    def pause(self, host: str, seconds: float) -> None:
        """Leave the host alone for so long, all threads and all later processes."""
        until = time.time() + seconds
        with self._lock:
            if until <= self._pauses.get(host, 0.0):
                return
            self._pauses[host] = until
        if self._memory:
            self._memory.pause(host, until)

    def paused_for(self, host: str) -> float:
        """Seconds until the host may be asked again; 0 if now."""
        with self._lock:
            return max(0.0, self._pauses.get(host, 0.0) - time.time())

    def pause_until_next_window(self, host: str) -> float:
        """For a server that only says that its quota is used up: until the next full hour (or window). Seconds."""
        quotas = self.rule(host).quotas
        window = quotas[0].window_s if quotas else 60.0
        seconds = window - time.time() % window + random.uniform(0.005, 0.01) * window
        self.pause(host, seconds)
        return seconds

    def learn_quota(self, host: str, requests: int) -> None:
        """The host said how many requests it allows in its window: believe it, now and in later processes."""
        rule = self.rule(host)
        if not rule.quotas or requests < 1 or rule.quotas[0].requests == requests:
            return
        with self._lock:
            self._rules[host] = _with_first_quota(rule, requests)
            self._apply(host)
        if self._memory:
            self._memory.learn_quota(host, requests)

    def slow_down(self, host: str, seconds: float) -> None:
        """Ask a host at most once in so many seconds (a robots.txt's crawl-delay)."""
        rule = self.rule(host)
        if seconds > 0 and rule.per_second > 1 / seconds:
            with self._lock:
                self._rules[host] = replace(rule, per_second=1 / seconds)
                self._apply(host)

    def close(self) -> None:
        """Let go of files and threads."""
        with self._lock:
            for entry in self._hosts.values():
                entry.buckets.close()
            self._hosts.clear()
        if self._memory:
            self._memory.close()

    def _host(self, host: str) -> _Host:
        with self._lock:
            entry = self._hosts.get(host)
            if entry is None:
                rule = self._rules.get(host, STRANGER)
                buckets = self._buckets(rule)
                places = threading.BoundedSemaphore(rule.connections)
                entry = _Host(Limiter(buckets, buffer_ms=5), buckets, places)
                self._hosts[host] = entry
            return entry

    def _apply(self, host: str) -> None:
        """Let a rule that changed hold for the requests that were counted already, too."""
        if (entry := self._hosts.get(host)) is not None:
            entry.buckets.rates = _rates(self._rules[host])
            for bucket in entry.buckets.buckets.values():
                bucket.rates = entry.buckets.rates

    def _buckets(self, rule: HostRule) -> HostBucketFactory:
        if rule.quotas and self._state:
            kept = {"path": str(self._state.with_suffix(".quotas.sqlite")), "use_file_lock": True}
            return HostBucketFactory(_rates(rule), SQLiteBucket, kept)
        return HostBucketFactory(_rates(rule), InMemoryBucket)

    def _tell_of_quota(self, host: str) -> None:
        told = time.monotonic() - self._told_at.get(host, -3600.0)
        if told > 60:
            self._told_at[host] = time.monotonic()
            each = " and ".join(f"{quota.requests} in {_spoken(quota.window_s)}" for quota in self.rule(host).quotas)
            self._told(f"{host} allows {each}: waiting for the next that it allows.")

    def _wait_for_pause(self, host: str) -> None:
        while (seconds := self.paused_for(host)) > 0:
            if seconds > 30:
                when = time.strftime("%H:%M", time.localtime(time.time() + seconds))
                self._told(f"{host} asked us to wait: going on at {when}.")
            time.sleep(min(seconds, 60.0))


class _Memory:
    """What of the limits outlives the process: `pauses` and `quotas`, a small table each."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS pauses (host TEXT PRIMARY KEY, until REAL NOT NULL)")
        self._database.execute("CREATE TABLE IF NOT EXISTS quotas (host TEXT PRIMARY KEY, requests INTEGER NOT NULL)")

    def pauses(self) -> dict[str, float]:
        """Host -> until when it is left alone (seconds since 1970)."""
        with self._lock:
            return dict(self._database.execute("SELECT host, until FROM pauses WHERE until > ?", (time.time(),)))

    def pause(self, host: str, until: float) -> None:
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO pauses VALUES (?, ?)", (host, until))

    def quotas(self) -> dict[str, int]:
        """Host -> requests that it said it allows."""
        with self._lock:
            return dict(self._database.execute("SELECT host, requests FROM quotas"))

    def learn_quota(self, host: str, requests: int) -> None:
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO quotas VALUES (?, ?)", (host, requests))

    def close(self) -> None:
        with self._lock:
            self._database.close()


def _with_first_quota(rule: HostRule, requests: int) -> HostRule:
    first, *others = rule.quotas
    return replace(rule, quotas=(replace(first, requests=requests), *others))


def _rates(rule: HostRule) -> list[Rate]:
    """The rule as windows, shortest first, without those that another one makes idle."""
    is_slow = rule.per_second <= EVENLY_BELOW
    windows = [(1, round(1000 / rule.per_second)) if is_slow else (int(rule.per_second), 1000)]
    windows += [(quota.requests, _longer(quota.window_s)) for quota in rule.quotas]
    kept: list[tuple[int, int]] = []
    for requests, interval in sorted(windows, key=lambda window: window[1]):
        while kept and kept[-1][0] >= requests:
            kept.pop()  # a longer window that allows no more
        if not kept or requests * kept[-1][1] < kept[-1][0] * interval:
            kept.append((requests, interval))  # else the shorter window never lets it fill
    return [Rate(requests, interval) for requests, interval in kept]


def _longer(window_s: float) -> int:
    """A window in milliseconds, with some slack."""
    return round((window_s + max(SLACK_S, SLACK * window_s)) * 1000)


def _spoken(seconds: float) -> str:
    known = {60.0: "a minute", 3600.0: "an hour", 86400.0: "a day"}
    return known.get(seconds, f"{seconds:g} seconds")
