"""How often, and how many at a time, each host is asked: rates, quotas of an account, pauses that a server asked for.

What a server counts over an hour or a day outlives our process, so quotas and pauses are kept in a file: a run that is
killed and started again asks for no more than one that was not. Rates of a few requests a second are not worth that.
"""

import contextlib
import math
import random
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from requests_ratelimiter import AbstractBucket, InMemoryBucket, Rate, RateItem, SQLiteBucket

from jewel_assets.collect.addresses import one_spelling
from jewel_assets.collect.answers import LONGEST_PAUSE_S, Delayed

LONGEST_RETRY_AFTER_S = 120.0
"""A server that asks for more patience is left alone for so long, and the item fails: the next run takes it up."""

SLACK = 0.01
"""Windows are taken this much longer (at least SLACK_S): a request reaches the server later than we counted it."""
SLACK_S = 0.25

EVENLY_BELOW = 10.0
"""Rates up to this (requests a second) are spread evenly; above it, a second's requests may come in one burst."""

READ_AGAIN_S = 1.0
"""Pauses that other processes were asked for are known here after so long."""
MOST_REQUESTS = 10_000_000
"""No quota is believed to be larger."""

_FORGET_EVERY_MS = 10_000
_LOOK_AGAIN_S = 1.0  # who waits for a quota looks so often for a pause, or for a quota that was learnt

Why = Literal["patience", "quota"]
"""Why a host is left alone: it asked us to be patient, or an account's quota is used up until the next window."""


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


class Limits:
    """The limits of all hosts, by `host` or `host:port` however it is spelled. Safe in any number of threads.

    `state` is a SQLite file that all processes share, or None: quotas and pauses then hold within this process only.
    `told` is called with a sentence when something waits long.
    """

    def __init__(
        self, rules: Mapping[str, HostRule], state: Path | None = None, told: Callable[[str], None] | None = None
    ) -> None:
        self._rules = {one_spelling(host): rule for host, rule in rules.items()}
        self._state = state
        self._told = told or (lambda sentence: None)
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        self._pauses: dict[tuple[str, Why], float] = {}  # time.time() until which a host is left alone
        self._read_at = time.monotonic()
        self._told_at: dict[str, float] = {}
        self._memory = _Memory(state) if state else None
        if self._memory:
            self._pauses = self._memory.pauses()
            for host, requests in self._memory.quotas().items():
                if host in self._rules and self._rules[host].quotas:
                    self._rules[host] = _with_first_quota(self._rules[host], requests)

    def rule(self, host: str) -> HostRule:
        """What holds for a host."""
        return self._rules.get(one_spelling(host), STRANGER)

    @contextlib.contextmanager
    def place(self, host: str) -> Iterator[None]:
        """Wait for one of the host's connections, until it may be asked again, and for its rate and quotas.

        Quotas of an account are waited for, however long. Raises Delayed ("rate limited") at once where the host asked
        for more than LONGEST_RETRY_AFTER_S seconds of patience, whichever process it told.
        """
        host = one_spelling(host)
        entry = self._host(host)
        with entry.places:
            while True:
                self._wait_for_pause(host)
                seconds = entry.take()
                if not seconds and not self.paused_for(host):  # a pause that came up meanwhile wastes what was counted
                    break
                rule = self.rule(host)
                if rule.quotas and seconds > 1 / rule.per_second:
                    self._tell_of_quota(host, rule)
                time.sleep(min(seconds, _LOOK_AGAIN_S))
            yield

    def pause(self, host: str, seconds: float) -> None:
        """Leave the host alone for so long (a day at most), all threads, all processes and all later ones."""
        self._pause(one_spelling(host), "patience", min(seconds, LONGEST_PAUSE_S))

    def paused_for(self, host: str) -> float:
        """Seconds until the host may be asked again; 0 if now."""
        return max(self._left(one_spelling(host), why) for why in ("patience", "quota"))

    def pause_until_next_window(self, host: str) -> float:
        """For a server that only says that its quota is used up: until the next full hour (or window). Seconds."""
        quotas = self.rule(host).quotas
        window = quotas[0].window_s if quotas else 60.0
        seconds = window - time.time() % window + random.uniform(0.005, 0.01) * window
        self._pause(one_spelling(host), "quota", seconds)
        return seconds

    def learn_quota(self, host: str, requests: int) -> None:
        """The host said how many requests it allows in its window: believe it, now and in later processes."""
        host, requests = one_spelling(host), min(requests, MOST_REQUESTS)
        rule = self.rule(host)
        if not rule.quotas or requests < 1 or rule.quotas[0].requests == requests:
            return
        self._change(host, _with_first_quota(rule, requests))
        if self._memory:
            self._memory.learn_quota(host, requests)

    def slow_down(self, host: str, seconds: float) -> None:
        """Ask a host at most once in so many seconds (a robots.txt's crawl-delay)."""
        rule = self.rule(host)
        if seconds > 0 and rule.per_second > 1 / seconds:
            self._change(one_spelling(host), replace(rule, per_second=1 / seconds))

    def close(self) -> None:
        """Let go of files."""
        with self._lock:
            for entry in self._hosts.values():
                entry.close()
            self._hosts.clear()
        if self._memory:
            self._memory.close()

    def _host(self, host: str) -> "_Host":
        with self._lock:
            if host not in self._hosts:
                self._hosts[host] = _Host(host, self._rules.get(host, STRANGER), self._state)
            return self._hosts[host]

    def _change(self, host: str, rule: HostRule) -> None:
        """Let another rule hold, for the requests that were counted already, too."""
        with self._lock:
            self._rules[host] = rule
            if (entry := self._hosts.get(host)) is not None:
                entry.change(rule)

    def _pause(self, host: str, why: Why, seconds: float) -> None:
        until = time.time() + seconds
        with self._lock:
            if until <= self._pauses.get((host, why), 0.0):
                return
            self._pauses[host, why] = until
        if self._memory:
            self._memory.pause(host, why, until)

    def _left(self, host: str, why: Why) -> float:
        with self._lock:
            return max(0.0, self._pauses.get((host, why), 0.0) - time.time())

    def _wait_for_pause(self, host: str) -> None:
        while True:
            self._read_pauses()
            patience = self._left(host, "patience")
            if patience > LONGEST_RETRY_AFTER_S:
                sentence = f"{host} asks for {patience:.0f} more seconds of patience: it is left alone for this run."
                raise Delayed("rate limited", sentence, patience)
            seconds = max(patience, self._left(host, "quota"))
            if seconds <= 0:
                return
            if seconds > 30:
                when = time.strftime("%H:%M", time.localtime(time.time() + seconds))
                self._tell(host, f"{host} asked us to wait: going on at {when}.")
            time.sleep(min(seconds, 10.0))  # it may ask for more in between

    def _read_pauses(self) -> None:
        """See what other processes were asked for."""
        if self._memory is None or time.monotonic() < self._read_at + READ_AGAIN_S:
            return
        self._read_at = time.monotonic()
        told = self._memory.pauses()
        with self._lock:
            for key, until in told.items():
                self._pauses[key] = max(until, self._pauses.get(key, 0.0))

    def _tell_of_quota(self, host: str, rule: HostRule) -> None:
        each = " and ".join(f"{quota.requests} in {_spoken(quota.window_s)}" for quota in rule.quotas)
        self._tell(host, f"{host} allows {each}: waiting for the next that it allows.")

    def _tell(self, host: str, sentence: str) -> None:
        """Say it, but not every minute, and not once for each thread."""
        with self._lock:
            if time.monotonic() < self._told_at.get(host, -math.inf) + 60.0:
                return
            self._told_at[host] = time.monotonic()
        self._told(sentence)


class _Host:
    """One host's places, and its bucket of the requests that its windows still count.

    The bucket of a host with quotas lies in a file, under a lock that holds over processes.
    """

    def __init__(self, host: str, rule: HostRule, state: Path | None) -> None:
        self.places = threading.BoundedSemaphore(rule.connections)
        self._item = host
        self._lock = threading.Lock()
        self._forget_at = 0  # by the bucket's clock
        self._bucket: AbstractBucket
        self._shared_lock: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
        if rule.quotas and state:
            file = str(state.with_suffix(".quotas.sqlite"))
            table = "bucket_" + re.sub("[^a-zA-Z0-9_]", "_", host)
            self._bucket = shared = SQLiteBucket.init_from_file(_rates(rule), table, file, use_file_lock=True)
            self._shared_lock = shared.lock
        else:
            self._bucket = InMemoryBucket(_rates(rule))

    def take(self) -> float:
        """Count a request that is sent now: 0. Or, where the windows are full, count none: seconds to wait."""
        with self._lock, self._shared_lock:
            now = int(self._bucket.now())  # type: ignore[no-untyped-call]
            if now >= self._forget_at:
                self._bucket.leak(now)
                self._forget_at = now + _FORGET_EVERY_MS
            item = RateItem(self._item, now)
            if self._bucket.put(item):
                return 0.0
            wait_ms = self._bucket.waiting(item)
            assert isinstance(wait_ms, int)  # buckets that lie elsewhere are awaited; these are not
            return max(1, wait_ms) / 1000

    def change(self, rule: HostRule) -> None:
        """Let the windows of another rule hold."""
        with self._lock:
            self._bucket.rates = _rates(rule)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._bucket.close()


class _Memory:
    """What of the limits outlives the process: `left_alone` and `quotas`, a small table each."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS left_alone "
            "(host TEXT, why TEXT, until REAL NOT NULL, PRIMARY KEY (host, why)) WITHOUT ROWID"
        )
        self._database.execute("CREATE TABLE IF NOT EXISTS quotas (host TEXT PRIMARY KEY, requests INTEGER NOT NULL)")

    def pauses(self) -> dict[tuple[str, Why], float]:
        """Until when each host is left alone (seconds since 1970), and why.

        None lasts for longer than a day from now: what says so was written by a clock that was wrong.
        """
        now = time.time()
        with self._lock:
            found = self._database.execute("SELECT host, why, until FROM left_alone WHERE until > ?", (now,)).fetchall()
        return {(host, why): min(until, now + LONGEST_PAUSE_S) for host, why, until in found}

    def pause(self, host: str, why: Why, until: float) -> None:
        with self._lock:
            self._database.execute(
                "INSERT INTO left_alone VALUES (?, ?, ?) "
                "ON CONFLICT (host, why) DO UPDATE SET until = max(until, excluded.until)",
                (host, why, until),
            )

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
    """The rule as windows, shortest first, as a bucket wants them: more requests in each, and no more a second.

    A window that the ones before it never let fill is left out, and one that could fill is made as strict as it takes
    to be no denser than the one before.
    """
    is_slow = rule.per_second <= EVENLY_BELOW
    windows = [(1, math.ceil(1000 / rule.per_second)) if is_slow else (int(rule.per_second), 1000)]
    windows += [(quota.requests, _longer(quota.window_s)) for quota in rule.quotas]
    kept: list[tuple[int, int]] = []
    for requests, interval in sorted(windows, key=lambda window: window[1]):
        while kept:
            fewer, shorter = kept[-1]
            if requests >= fewer * -(-interval // shorter):
                break  # it never fills
            requests = min(requests, fewer * interval // shorter)
            if requests > fewer:
                kept.append((requests, interval))
                break
            kept.pop()  # the longer window allows no more
        else:
            kept.append((requests, interval))
    return [Rate(requests, interval) for requests, interval in kept]


def _longer(window_s: float) -> int:
    """A window in milliseconds, with some slack."""
    return round((window_s + max(SLACK_S, SLACK * window_s)) * 1000)


def _spoken(seconds: float) -> str:
    known = {60.0: "a minute", 3600.0: "an hour", 86400.0: "a day"}
    return known.get(seconds, f"{seconds:g} seconds")
