"""Rates, quotas and pauses of hosts."""

import itertools
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.collect.limits import HostRule, Limits, Quota, _rates

QUOTAS = st.lists(
    st.builds(Quota, st.integers(1, 5000), st.sampled_from([1.0, 60.0, 3600.0, 86400.0])), max_size=3
).map(tuple)


@given(st.floats(0.01, 500.0), QUOTAS)
def test_no_window_of_a_rule_is_looser_than_the_rule_says(per_second: float, quotas: tuple[Quota, ...]) -> None:
    """Whatever windows are kept, each quota is implied by one that is at least as strict."""
    rates = _rates(HostRule(per_second, 1, quotas))
    for before, after in itertools.pairwise(rates):
        assert before.interval < after.interval
        assert before.limit < after.limit
    for quota in quotas:
        window = quota.window_s * 1000
        allowed = min(
            rate.limit * -(-window // rate.interval) if rate.interval < window else rate.limit for rate in rates
        )
        assert allowed <= max(quota.requests, 1) or _is_implied(rates, quota)


def _is_implied(rates: list[object], quota: Quota) -> bool:
    return any(
        rate.limit <= quota.requests and rate.interval >= quota.window_s * 1000  # type: ignore[attr-defined]
        for rate in rates
    ) or any(rate.limit / rate.interval <= quota.requests / (quota.window_s * 1000) for rate in rates)  # type: ignore[attr-defined]


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


def test_a_quota_that_was_learnt_holds_in_the_next_process(tmp_path: Path) -> None:
    rules = {"api": HostRule(100.0, 4, (Quota(50, 3600.0),))}
    state = tmp_path / "limits.sqlite"
    limits = Limits(rules, state)
    limits.learn_quota("api", 5000)
    assert limits.rule("api").quotas == (Quota(5000, 3600.0),)
    limits.close()
    again = Limits(rules, state)
    assert again.rule("api").quotas == (Quota(5000, 3600.0),)
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
