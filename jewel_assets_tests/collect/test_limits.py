"""Rates, quotas and pauses of hosts, over real HTTP where a server has a say in them."""

import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests_ratelimiter import InMemoryBucket, RateItem

from jewel_assets.collect.answers import Delayed, retry_after
from jewel_assets.collect.limits import HostRule, Limits, Quota, _rates
from jewel_assets_tests.collect.fetching_for_tests import JPEG, Files, made, take
from jewel_assets_tests.fakes import faults

DAY_S = 86_400.0
ROOT = Path(__file__).parents[2]


@pytest.fixture
def files() -> Iterator[Files]:
    with Files() as server:
        yield server


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([0.3, 1.0, 3.0, 9.6, 10.0, 12.0, 25.0, 200.0]),
    st.lists(st.builds(Quota, st.integers(1, 40), st.sampled_from([0.5, 0.9, 1.0, 1.3, 2.0, 5.0])), max_size=3),
    st.lists(st.integers(0, 3000), max_size=20),
)
def test_no_window_of_a_rule_ever_sees_more_requests_than_it_allows(
    per_second: float, quotas: list[Quota], gaps_ms: list[int]
) -> None:
    """Whoever asks as fast as he is let, with breaks: each request is counted in each window of the rule."""
    bucket = InMemoryBucket(_rates(HostRule(per_second, 1, tuple(quotas))))
    sent: list[int] = []
    now = 0
    for gap in [*gaps_ms, 0]:
        now += gap
        for _ in range(25):
            while not bucket.put(item := RateItem("host", now)):
                now += max(1, bucket.waiting(item))
            sent.append(now)
    windows = [(quota.requests, quota.window_s * 1000) for quota in quotas]
    windows.append((1, 1000 / per_second) if per_second <= 10 else (int(per_second), 1000))
    for requests, window_ms in windows:
        for number, at in enumerate(sent):
            before = bisect_left(sent, at - window_ms + 1)  # within the window that ends now
            assert number + 1 - before <= requests


def test_a_quota_says_how_long_it_takes() -> None:
    hour = Quota(50, 3600.0)
    assert hour.seconds_for(50) == 0
    assert hour.seconds_for(51) == 3600
    assert HostRule(10.0, 2, (hour,)).seconds_for(4134) == 82 * 3600


def test_slow_rates_are_spread_evenly() -> None:
    limits = Limits({"a": HostRule(10.0, 4)})
    began = time.monotonic()
    for _ in range(6):
        with limits.place("a"):
            pass
    assert time.monotonic() - began > 0.45
    limits.close()


def test_hosts_do_not_wait_for_each_other() -> None:
    limits = Limits({"slow": HostRule(0.2, 1), "quick": HostRule(500.0, 1)})
    with limits.place("slow"):
        pass
    began = time.monotonic()
    for _ in range(20):
        with limits.place("quick"):
            pass
    assert time.monotonic() - began < 1.0
    limits.close()


def test_hosts_cost_no_threads() -> None:
    before = threading.active_count()
    limits = Limits({})
    for number in range(50):
        with limits.place(f"{number}.example"):
            pass
    assert threading.active_count() == before
    limits.close()


def test_a_quota_that_was_learnt_holds_in_the_next_process(tmp_path: Path) -> None:
    rules = {"api": HostRule(100.0, 4, (Quota(50, 3600.0),))}
    state = tmp_path / "limits.sqlite"
    limits = Limits(rules, state)
    limits.learn_quota("api", 5000)
    assert limits.rule("api").quotas == (Quota(5000, 3600.0),)
    limits.close()
    again = Limits(rules, state)
    assert again.rule("api").quotas == (Quota(5000, 3600.0),)
    again.learn_quota("api", 10**40)  # no number is too large to be kept
    again.close()


def test_who_waits_for_a_quota_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    limits = Limits({"api": HostRule(100.0, 1, (Quota(2, 0.5),))}, tmp_path / "limits.sqlite", told.append)
    for _ in range(3):
        with limits.place("api"):
            pass
    limits.close()
    assert told == ["api allows 2 in 0.5 seconds: waiting for the next that it allows."]


def test_the_next_window_is_the_next_full_one() -> None:
    limits = Limits({"api": HostRule(10.0, 1, (Quota(50, 3600.0),))})
    seconds = limits.pause_until_next_window("api")
    ends = (time.time() + seconds) % 3600
    assert ends < 60  # a little after the hour
    assert 0 < limits.paused_for("api") <= seconds
    limits.close()


CHILD = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from jewel_assets.collect.limits import HostRule, Quota
from jewel_assets_tests.collect.fetching_for_tests import Fetcher, Limits, AddressGuard, take

host, state = sys.argv[1], Path(sys.argv[2])
rule = HostRule(100.0, 4, (Quota(6, 1.0),), obeys_robots=False)
with Fetcher(Limits({host: rule}, state), guard=AddressGuard([host])) as fetcher, ThreadPoolExecutor(4) as pool:
    print("ready", flush=True)
    sys.stdin.readline()
    list(pool.map(lambda number: take(fetcher, f"http://{host}/{number}.jpg"), range(10)))
"""


def test_a_quota_holds_over_processes_that_run_at_once(files: Files, tmp_path: Path) -> None:
    files.requests_per_window, files.window_s = 6, 1.0
    files.counts_against_quota = lambda seen: True  # type: ignore[method-assign]
    command = [sys.executable, "-c", CHILD, files.hosts[0], str(tmp_path / "limits.sqlite")]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        assert [child.wait(60) for child in children] == [0, 0]
    finally:
        for child in children:
            child.kill()
            child.communicate()
    assert len(files.seen) == 20
    assert files.violations == []


def test_a_quota_holds_after_a_pause_as_well(files: Files) -> None:
    """Requests count from when they are sent, not from when they began to wait."""
    files.requests_per_window, files.window_s = 4, 1.0
    files.counts_against_quota = lambda seen: True  # type: ignore[method-assign]
    with made(files, HostRule(500.0, 4, (Quota(4, 1.0),), obeys_robots=False)) as fetcher:
        fetcher.limits.pause(files.hosts[0], 1.0)
        _at_once(lambda number: take(fetcher, f"{files.url}/{number}.jpg"), 8)
    assert len(files.seen) == 8
    assert files.violations == []


def test_nobody_on_the_host_asks_before_retry_after_is_over(files: Files) -> None:
    files.inject("/a.jpg", faults.too_many(1))
    with made(files) as fetcher:
        first = threading.Thread(target=take, args=(fetcher, f"{files.url}/a.jpg"))
        first.start()
        while not fetcher.limits.paused_for(files.hosts[0]):
            time.sleep(0.01)
        assert _at_once(lambda number: take(fetcher, f"{files.url}/{number}.jpg"), 8) == [JPEG] * 8
        first.join()
    assert files.violations == []
    assert len(files.seen) == 10
    assert len(files.asked("/a.jpg")) == 2


@pytest.mark.parametrize("code", [500, 502, 504])
def test_whatever_the_error_is_retry_after_is_obeyed(files: Files, code: int) -> None:
    files.inject("/a.jpg", faults.too_many(1, code))
    with made(files) as fetcher:
        assert take(fetcher, f"{files.url}/a.jpg") == JPEG
    assert files.violations == []


def test_a_pause_outlives_the_process_that_was_asked_for_it(files: Files, tmp_path: Path) -> None:
    state = tmp_path / "limits.sqlite"
    with made(files, state=state) as fetcher:
        fetcher.limits.pause(files.hosts[0], 0.8)
    began = time.monotonic()
    with made(files, state=state) as fetcher:
        take(fetcher, f"{files.url}/a.jpg")
    assert time.monotonic() - began > 0.5


def test_a_pause_that_another_process_was_asked_for_is_seen_while_running(files: Files, tmp_path: Path) -> None:
    state = tmp_path / "limits.sqlite"
    with made(files, state=state) as fetcher, made(files, state=state) as other:
        assert take(fetcher, f"{files.url}/a.jpg") == JPEG
        other.limits.pause(files.hosts[0], 7200.0)
        time.sleep(1.1)
        with pytest.raises(Delayed):
            take(fetcher, f"{files.url}/a.jpg")
    assert len(files.seen) == 1


@pytest.mark.parametrize("hours", ["7200", "1000000000", "9" * 400])
def test_a_host_that_asks_for_hours_is_left_alone_and_nobody_waits(files: Files, tmp_path: Path, hours: str) -> None:
    state = tmp_path / "limits.sqlite"
    files.inject("/a.jpg", faults.status(429, Retry_After=hours))
    began = time.monotonic()
    with made(files, state=state) as fetcher:
        for name in ("a", "b", "c"):
            with pytest.raises(Delayed) as raised:
                take(fetcher, f"{files.url}/{name}.jpg")
            assert raised.value.reason == "rate limited"
            assert 7000 < (raised.value.retry_after or 0) <= DAY_S
        assert take(fetcher, f"{files.other_url}/a.jpg") == JPEG  # another host
    with made(files, state=state) as later, pytest.raises(Delayed):
        take(later, f"{files.url}/d.jpg")
    assert time.monotonic() - began < 5.0
    assert [seen.host for seen in files.seen] == list(files.hosts)


def test_a_used_up_quota_is_waited_for_however_long(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jewel_assets.collect.limits.LONGEST_RETRY_AFTER_S", 0.0)
    files.inject("/api", faults.limit_as_text)
    with made(files, HostRule(100.0, 4, (Quota(50, 1.0),), obeys_robots=False)) as fetcher:
        answer = fetcher.json(f"{files.url}/api", limited=lambda status, body: status == 403)
        assert answer.json() == {"asked": 2}
        fetcher.limits.pause(files.hosts[0], 1.0)  # while patience is not
        with pytest.raises(Delayed), fetcher.limits.place(files.hosts[0]):
            pass


def test_no_pause_is_longer_than_a_day(tmp_path: Path) -> None:
    limits = Limits({}, tmp_path / "limits.sqlite")
    limits.pause("a", 1e12)
    assert DAY_S - 60 < limits.paused_for("a") <= DAY_S
    limits.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), (" 7 ", 7.0), ("0", 0.0), ("1000000000", DAY_S), ("9" * 5000, DAY_S)]
    + [(header, None) for header in ("", "\N{SUPERSCRIPT TWO}", "-5", "1e9", "inf", "nan", "soon", "\u0663")],
)
def test_retry_after_is_read_as_http_writes_it(header: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": header}) == seconds


def test_retry_after_may_be_a_date() -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    assert retry_after({"Retry-After": header}) == pytest.approx(300, abs=5)
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert retry_after({"Retry-After": "Fri, 31 Dec 9999 23:59:59 -0000"}) == DAY_S


@given(st.text() | st.from_regex(r"(Mon, )?[0-9]{1,5} (Jan|Feb) [0-9]{1,5} [0-9:]{1,9} ?(GMT|-0000|\+9999)?"))
def test_no_retry_after_raises_or_lasts_longer_than_a_day(header: str) -> None:
    seconds = retry_after({"Retry-After": header})
    assert seconds is None or 0.0 <= seconds <= DAY_S


def _at_once(work: object, times: int) -> list[object]:
    """What `work(number)` gives in so many threads at once."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(work, range(times)))  # type: ignore[arg-type]
