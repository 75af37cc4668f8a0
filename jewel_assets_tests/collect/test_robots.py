"""What sites say programs may fetch: robots.txt and `noai`, over real HTTP."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.collect.answers import Delayed, Refusal
from jewel_assets.collect.limits import HostRule
from jewel_assets.collect.robots import Disallowed, forbids_ai
from jewel_assets_tests.collect.fetching_for_tests import JPEG, Files, made, take
from jewel_assets_tests.fakes import faults

OBEDIENT = HostRule(500.0, 4, first_pause_s=0.01)

OTHERS = st.sampled_from(
    [
        "all",
        "noindex",
        "nofollow",
        "none",
        "noimageindex",
        "indexifembedded",
        "max-snippet:-1",
        "max-snippet: 50",
        "max-image-preview:large",
        "max-video-preview: 0",
        "max-audio-preview: 3",  # that is not known yet
        "unavailable_after: 25 Jun 2030 15:00:00 PST",
        "unavailable_after: Wed, 25 Jun 2030 15:00:00 GMT",
        "unavailable_after: Wednesday, 25-Jun-30 15:00:00 PST",
        "googlebot: nofollow",
        "jewel-assets: noindex",
        "*: noarchive",
        "",
    ]
)
NO_AI = st.sampled_from(
    ["noai", "noimageai", "NoAI", " noai ", "*: noai", "jewel-assets: noimageai", "Jewel-Assets:noai"]
)


@pytest.fixture
def files() -> Iterator[Files]:
    with Files() as server:
        yield server


def test_robots_txt_is_obeyed_and_asked_for_once(files: Files) -> None:
    files.robots_text = "User-agent: *\nDisallow: /private/\n"
    with made(files, OBEDIENT) as fetcher:
        assert take(fetcher, f"{files.url}/open/a.jpg") == JPEG
        with pytest.raises(Disallowed):
            take(fetcher, f"{files.url}/private/a.jpg")
        with pytest.raises(Disallowed):
            take(fetcher, f"{files.url}/private/b.jpg")
    assert [seen.path for seen in files.seen] == ["/robots.txt", "/open/a.jpg"]


def test_a_redirect_does_not_lead_around_robots_txt(files: Files) -> None:
    files.robots_text = "User-agent: jewel-assets\nDisallow: /private/\n"
    files.inject("/a.jpg", faults.redirect("/private/a.jpg"))
    with made(files, OBEDIENT) as fetcher, pytest.raises(Disallowed):
        take(fetcher, f"{files.url}/a.jpg")
    assert files.asked("/private") == []


def test_while_robots_txt_is_broken_nothing_is_fetched_and_it_is_left_alone_for_minutes(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jewel_assets.collect.robots.UNREACHABLE_S", 125.0)
    files.robots_text = "User-agent: *\nAllow: /\n"
    files.inject("/robots.txt", *[faults.status(500)] * 4)
    with made(files, OBEDIENT) as fetcher:
        for number in range(5):
            with pytest.raises(Delayed) as raised:
                take(fetcher, f"{files.url}/{number}.jpg")
            assert raised.value.reason == "server error"
        assert [seen.path for seen in files.seen] == ["/robots.txt"] * 4
        minutes_later = time.monotonic() + 126.0
        monkeypatch.setattr("jewel_assets.collect.robots.time.monotonic", lambda: minutes_later)
        assert take(fetcher, f"{files.url}/a.jpg") == JPEG


@pytest.mark.parametrize("code", [429, 503])
def test_robots_txt_is_waited_for_as_its_server_asks(files: Files, code: int) -> None:
    files.robots_text = "User-agent: *\nAllow: /\n"
    files.inject("/robots.txt", faults.too_many(1, code))
    with made(files, OBEDIENT) as fetcher:
        assert take(fetcher, f"{files.url}/a.jpg") == JPEG
    assert files.violations == []
    assert len(files.asked("/robots.txt")) == 2


def test_a_robots_txt_that_asks_for_hours_costs_one_request(files: Files) -> None:
    files.inject("/robots.txt", *[faults.status(503, Retry_After="7200")] * 4)
    with made(files, OBEDIENT) as fetcher:
        for number in range(3):
            with pytest.raises(Delayed):
                take(fetcher, f"{files.url}/{number}.jpg")
        assert 7000 < fetcher.limits.paused_for(files.hosts[0]) <= 7200
    assert len(files.seen) == 1


def test_the_beginning_of_an_endless_robots_txt_is_obeyed(files: Files) -> None:
    text = b"User-agent: *\nDisallow: /private/\n" + b"# and so on\n" * 500_000
    files.inject("/robots.txt", faults.status(200, text))
    with made(files, OBEDIENT) as fetcher:
        assert take(fetcher, f"{files.url}/a.jpg") == JPEG
        with pytest.raises(Disallowed):
            take(fetcher, f"{files.url}/private/a.jpg")


def test_a_crawl_delay_slows_the_host_down(files: Files) -> None:
    files.robots_text = "User-agent: *\nCrawl-delay: 0.4\nAllow: /\n"
    with made(files, OBEDIENT) as fetcher:
        for number in range(3):
            take(fetcher, f"{files.url}/{number}.jpg")
    times = [seen.at for seen in files.asked("/")[1:]]
    assert times[2] - times[1] > 0.35


@pytest.mark.parametrize(
    "tags",
    [
        ["noai"],
        ["noindex, noimageai"],
        ["max-image-preview:large, noai"],
        ["max-snippet:-1, noimageai"],
        ["unavailable_after: 25 Jun 2030 15:00:00 PST, noai"],
        ["googlebot: nofollow", "noai"],
        ["googlebot: nofollow, noai"],  # two headers that somebody in between made one of, perhaps
        ["jewel-assets: noai"],
    ],
)
def test_what_is_marked_noai_is_left_alone(files: Files, tags: list[str]) -> None:
    files.inject("/a.jpg", faults.tagged(*tags))
    with made(files) as fetcher, pytest.raises(Refusal) as raised:
        take(fetcher, f"{files.url}/a.jpg")
    assert raised.value.reason == "noai"


@pytest.mark.parametrize("tags", [["noindex"], ["otherbot: noai"], ["otherbot: noai", "max-image-preview:large"], [""]])
def test_what_is_marked_otherwise_or_for_others_is_taken(files: Files, tags: list[str]) -> None:
    files.inject("/a.jpg", faults.tagged(*tags))
    with made(files) as fetcher:
        assert take(fetcher, f"{files.url}/a.jpg") == JPEG


@given(st.lists(OTHERS, max_size=5), st.lists(OTHERS, max_size=5), NO_AI, st.sampled_from([",", ", ", " , "]))
def test_noai_is_found_among_any_other_directives(before: list[str], after: list[str], noai: str, comma: str) -> None:
    assert not forbids_ai([comma.join([*before, *after])])
    assert forbids_ai([comma.join([*before, noai, *after])])  # one header
    assert forbids_ai([*before, noai, *after])  # several
