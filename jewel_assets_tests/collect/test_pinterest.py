"""The source `pinterest` against its stand-in, with a real browser; and its reading of answers, with none."""

import asyncio
import contextlib
import itertools
import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.collect import browser
from jewel_assets.collect.addresses import AddressGuard
from jewel_assets.collect.answers import Delayed, Gone, Refusal
from jewel_assets.collect.browser import find_chromium, outside_any_loop
from jewel_assets.collect.collecting import plan
from jewel_assets.collect.configured import is_on, source_of
from jewel_assets.collect.fetch_file import FetchPhoto
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.licences import may_train
from jewel_assets.collect.limits import Limits
from jewel_assets.collect.pins import (
    addresses_of,
    addresses_of_srcset,
    is_end,
    pins_of_markup,
    refusal_of,
    results_of,
    wall_of,
)
from jewel_assets.collect.pinterest import Pinterest
from jewel_assets.collect.robots import Disallowed
from jewel_assets.collect.source import Found, open_fetcher
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake
from jewel_assets.lake.runner import run_stage
from jewel_assets.settings import settings
from jewel_assets_tests.collect.collecting_for_tests import impatient
from jewel_assets_tests.fakes.faults import redirect, too_many
from jewel_assets_tests.fakes.pinterest import (
    SPINNING,
    FakePinterest,
    Listener,
    failure,
    signature_of,
    silence,
    trackers,
)
from jewel_assets_tests.fakes.server import Seen

PERMISSION = "The board's owner permits our studio to keep copies, since May 2026"
QUERY = "filigree texture"
ANSWERS = "/resource/BaseSearchResource/get/"


def _no_browser() -> str:
    try:
        find_chromium()
    except Permanent as error:
        return str(error)
    return ""


real_browser = pytest.mark.skipif(bool(_no_browser()), reason=_no_browser() or "there is one")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePinterest]:
    server = FakePinterest()
    with server:
        monkeypatch.setenv("JEWEL_PRIVATE_HOSTS", ",".join(server.hosts))
        monkeypatch.setenv("JEWEL_CONTACT", "studio@example.org")
        monkeypatch.setenv("JEWEL_PINTEREST_URL", server.url)
        monkeypatch.setenv("JEWEL_PINTEREST_PERMISSION", PERMISSION)
        settings.cache_clear()
        yield server


def _source(fake: FakePinterest, **named: Any) -> Pinterest:
    made = source_of("pinterest_textures")
    assert isinstance(made, Pinterest)
    hasty: dict[str, Any] = {
        "images": fake.hosts[1],
        "pages_per_second": 20.0,
        "files_per_second": 100.0,
        "patience_s": 1.5,
    }
    return replace(made, **(hasty | named))


def _search(fake: FakePinterest, most: int = 100, state: Path | None = None, **named: Any) -> list[Found]:
    source = _source(fake, **named)
    with open_fetcher(source, state) as fetcher:
        return list(source.search(fetcher, QUERY, most))


def test_pinterest_is_off_and_says_why_until_the_operator_states_who_permits_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not is_on("pinterest_textures")
    with pytest.raises(Permanent, match=r"guidelines forbid to store.*JEWEL_PINTEREST_PERMISSION"):
        source_of("pinterest_textures")
    monkeypatch.setenv("JEWEL_PINTEREST_PERMISSION", "yes")
    settings.cache_clear()
    with pytest.raises(Permanent, match="states nothing"):
        source_of("pinterest_textures")
    monkeypatch.setenv("JEWEL_PINTEREST_PERMISSION", PERMISSION)
    settings.cache_clear()
    assert source_of("pinterest_textures").keeping_permission == PERMISSION


def test_no_statement_lets_a_model_learn_from_pins() -> None:
    assert not may_train(None, None, True, "pinterest")
    assert not may_train("CC0", None, True, "pinterest")
    assert may_train(None, None, True, "folder"), "the owner of a folder may say so of his own works"


@real_browser
def test_a_theme_is_collected_with_its_counts_its_licences_and_nothing_to_train_on(
    fake: FakePinterest, lake_root: str, tmp_path: Path
) -> None:
    fake.total, fake.per_answer, fake.overlap, fake.last_bookmark = 26, 10, 3, "Y2JOb25lOjEyMw=="
    fake.odd = {1: "ad", 4: "story", 11: "video", 12: "no picture"}
    ids = [fake.pin_id(QUERY, number) for number in range(26) if number not in fake.odd]
    fake.missing = {
        "originals": {signature_of(one) for one in ids[:4]},
        "736x": {signature_of(ids[1])},
        "474x": {signature_of(ids[2])},
    }
    for size in ("originals", "736x", "474x", "236x"):
        fake.missing.setdefault(size, set()).add(signature_of(ids[3]))
    source, state, lake = _source(fake), tmp_path / "state", Lake(lake_root)
    stage = FetchPhoto(source, str(state))
    with open_fetcher(source, state) as fetcher:
        planned = plan(lake, stage, source, "pinterest_textures", "filigree", [QUERY], fetcher, 100, 1.0)
    assert (planned.found, planned.new, planned.forbidden) == (22, 22, 0)
    assert [row["source_id"] for row in planned.items.to_pylist()] == sorted(ids)

    report = run_stage(lake, stage, planned.items, "pinterest_textures", "filigree")
    assert (report.ok, report.rejected, report.failed) == (21, 1, 0)
    rows = {row["source_id"]: row for row in lake.dataset("pinterest_textures").read("filigree").to_pylist()}
    assert set(rows) == set(ids) - {ids[3]}
    assert {row["may_train"] for row in rows.values()} == {False}
    assert {row["licence"] for row in rows.values()} == {None}
    assert {row["original_width"] for row in rows.values()} == {736, 474, 900}
    assert (rows[ids[0]]["original_width"], rows[ids[1]]["original_width"]) == (736, 474)
    assert {row["original_media_type"] for row in rows.values()} == {"image/jpeg", "image/png", "image/webp"}
    assert rows[ids[-1]]["source_url"] == f"https://www.pinterest.com/pin/{ids[-1]}/"
    assert all(row["author"] and row["author_url"] and row["credit"] for row in rows.values())
    assert rows[ids[-1]]["title"] == f"{QUERY} 25"
    assert len(fake.asked(ANSWERS)) == 3
    gone = [row for row in lake.outcomes("pinterest_textures").read("filigree").to_pylist() if row["status"] != "ok"]
    assert [(row["item_id"], row["reason"]) for row in gone] == [(f"pinterest:{ids[3]}", "not allowed")]

    asked = len(fake.seen)
    with open_fetcher(source, state) as fetcher:
        again = plan(lake, stage, source, "pinterest_textures", "filigree", [QUERY], fetcher, 100, 1.0)
    assert (again.found, again.known, again.new) == (22, 22, 0)
    assert len(fake.seen) == asked, "the same search, an hour later, asks nothing"
    unpermitted = replace(source, keeping_permission=None)
    with open_fetcher(unpermitted, state) as fetcher:
        none = plan(lake, stage, unpermitted, "pinterest_textures", "filigree", [QUERY], fetcher, 100, 1.0)
    assert (none.items.num_rows, none.forbidden) == (0, 22)
    assert fake.violations == []


@real_browser
def test_a_search_ends_when_a_bookmark_repeats_also_inside_an_asyncio_loop(fake: FakePinterest) -> None:
    fake.total, fake.last_bookmark = 40, ""

    async def notebook() -> list[Found]:
        return _search(fake)

    found = asyncio.run(notebook())
    assert [pin.source_id for pin in found] == [fake.pin_id(QUERY, number) for number in range(40)]
    assert len(fake.asked(ANSWERS)) <= 3
    assert fake.violations == []


@real_browser
def test_the_browser_keeps_the_rate_says_who_it_is_and_connects_to_nobody_else(fake: FakePinterest) -> None:
    with Listener() as other:
        fake.body = trackers([f"127.0.0.1:{other.port}", f"localhost:{other.port}", "169.254.169.254"])
        found = _search(fake, 25, pages_per_second=0.8)
        assert len(found) == 25
        assert other.connections == 0
    asked = [seen for seen in fake.seen if seen.host == fake.hosts[0]]
    assert [seen.path for seen in asked] == ["/robots.txt", "/search/pins/", ANSWERS, ANSWERS]
    assert all(later.at - earlier.at > 1.0 for earlier, later in itertools.pairwise(asked))
    assert all("jewel-assets/" in seen.headers["user-agent"] for seen in asked)
    assert all("studio@example.org" in seen.headers["user-agent"] for seen in asked)
    assert fake.violations == []


@real_browser
def test_a_page_that_leads_elsewhere_is_not_followed(fake: FakePinterest) -> None:
    with Listener() as other:
        fake.inject("/search/pins/", redirect(f"http://127.0.0.1:{other.port}/search/pins/"))
        with pytest.raises(Refusal, match="leads to") as refused:
            _search(fake)
        assert other.connections == 0
    assert refused.value.reason == "leads elsewhere"


@real_browser
@pytest.mark.parametrize("why", ["they never come", "robots.txt forbids them"])
def test_a_page_without_answers_is_read_from_its_markup_and_the_log_says_so(
    fake: FakePinterest, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    fake.marked, fake.marked_ads = 6, 2
    fake.inject(ANSWERS, silence)
    fake.disallowed = "/resource/" if "robots" in why else ""
    found = _search(fake, patience_s=0.4)
    assert bool(fake.asked(ANSWERS)) == (why == "they never come")
    assert [pin.source_id for pin in found] == [fake.pin_id(QUERY, number) for number in range(6)]
    assert {pin.version for pin in found} == {signature_of(pin.source_id) for pin in found}
    assert [a.split("/")[3] for a in found[0].extra["addresses"]] == ["originals", "736x", "474x", "236x"]
    assert found[0].author is None
    assert "read from the markup" in caplog.text


@real_browser
@pytest.mark.parametrize(("wall", "reason"), [("/login/", "log-in wall"), ("captcha", "challenged")])
def test_a_wall_before_the_pins_is_named(fake: FakePinterest, wall: Any, reason: str) -> None:
    fake.wall = wall
    with pytest.raises(Refusal, match="JEWEL_PINTEREST_PERMISSION") as refused:
        _search(fake, patience_s=0.3)
    assert refused.value.reason == reason


@real_browser
def test_a_search_that_breaks_off_keeps_what_it_found_and_the_host_is_left_alone_as_long_as_it_asks(
    fake: FakePinterest, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    fake.inject(lambda seen: seen.path == ANSWERS and "Y2JVSG81x20" in seen.query["data"], too_many(3600.0))
    with caplog.at_level(logging.WARNING, "jewel_assets.collect.pinterest"):
        assert len(_search(fake, state=tmp_path)) == 20
    assert "broke off after 20 pins. Pinterest asks for patience" in caplog.text
    asked = len(fake.seen)
    with pytest.raises(Delayed, match="patience") as delayed:
        _search(fake, state=tmp_path)
    assert delayed.value.retry_after == pytest.approx(3600, abs=60)
    assert len(fake.seen) == asked
    assert fake.violations == []


@real_browser
def test_a_page_that_never_lets_go_ends_in_time_and_leaves_no_browser_behind(fake: FakePinterest) -> None:
    fake.is_scripted, fake.body = False, SPINNING
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with pytest.raises(Delayed) as delayed:
        _search(fake, search_s=2.0, patience_s=0.3)
    assert delayed.value.reason == "took too long"
    left = [process for process in psutil.Process().children(recursive=True) if process.pid not in before]
    assert [process.name() for process in left] == []


def test_a_page_that_robots_txt_forbids_is_never_opened(fake: FakePinterest, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.disallowed = "/search/"
    monkeypatch.setattr(browser, "find_chromium", lambda: pytest.fail("a browser was looked for"))
    with pytest.raises(Disallowed):
        _search(fake)
    assert [seen.path for seen in fake.seen] == ["/robots.txt"]


def test_a_host_within_the_network_is_refused_before_a_browser_starts(
    fake: FakePinterest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JEWEL_PRIVATE_HOSTS")
    settings.cache_clear()
    with pytest.raises(Permanent, match="JEWEL_PRIVATE_HOSTS"):
        _search(fake)
    assert fake.seen == []


def test_without_a_browser_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    monkeypatch.setattr(browser, "PLACES", (str(tmp_path / "chrome"),))
    with pytest.raises(Permanent, match="install Debian's package `chromium`"):
        find_chromium()
    own = tmp_path / "browsers/chromium-1200/chrome-linux/chrome"
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert find_chromium() == str(own), "Playwright's own download"


def test_inside_an_asyncio_loop_work_is_done_in_a_thread_that_has_none() -> None:
    def where() -> threading.Thread:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return threading.current_thread()

    async def inside() -> threading.Thread:
        return outside_any_loop(where)

    assert asyncio.run(inside()) is not threading.current_thread()
    assert outside_any_loop(where) is threading.current_thread()


def test_what_is_gone_in_every_size_is_gone_and_what_may_pass_is_not_taken_for_it(fake: FakePinterest) -> None:
    pin = fake.pin_id(QUERY, 0)
    addresses = results_of(_answer(fake))[0][0].extra["addresses"]
    row = {"source_id": pin, "extra": {"addresses": addresses}}
    fake.missing = {size: {signature_of(pin)} for size in ("originals", "736x", "474x", "236x")}
    fake.missing_status = 404
    source = _source(fake)
    with open_fetcher(source, None) as fetcher:
        with pytest.raises(Gone):
            source.fetch(fetcher, row)
        assert [seen.path.split("/")[1] for seen in fake.asked("/")[1:]] == ["originals", "736x", "474x", "236x"]
    with Fetcher(Limits(impatient(source)), guard=AddressGuard(settings().private_hosts)) as fetcher:
        fake.missing_status = 503
        with pytest.raises(Delayed):
            source.fetch(fetcher, row)
    assert {seen.path.split("/")[1] for seen in fake.seen[6:]} == {"originals"}, "the host is ill, not the file gone"


def _answer(fake: FakePinterest) -> Any:
    asked = {"data": json.dumps({"options": {"query": QUERY, "bookmarks": []}})}
    headers = {"user-agent": "jewel-assets/0", "x-requested-with": "XMLHttpRequest", "host": fake.hosts[0]}
    return json.loads(fake.reply(Seen(0, ANSWERS, asked, headers, 0.0)).body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2000) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SIZE = st.sampled_from(["170x", "236x", "474x", "564x", "736x", "1200x", "orig", "60x60", "originals", "x", "nonsense"])
PICTURE = st.fixed_dictionaries(
    {},
    optional={"url": st.sampled_from(["https://i.pinimg.com/a/b.png", "http://[", "data:,", ""]) | JSON, "width": JSON},
)
PIN = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["pin", "story"]) | JSON,
        "id": st.sampled_from(["1", "2", "3"]) | JSON,
        "images": st.dictionaries(SIZE, PICTURE | JSON, max_size=4) | JSON,
        "is_promoted": st.booleans(),
        "videos": JSON,
        "story_pin_data": JSON,
        "image_signature": JSON,
        "pinner": JSON,
        "grid_title": JSON,
    },
)


@hypothesis.settings(max_examples=60, deadline=None)
@given(JSON, st.lists(PIN | JSON, max_size=6), st.text(max_size=12) | JSON)
def test_no_answer_however_odd_breaks_the_reading_of_it(odd: Any, results: list[Any], bookmark: Any) -> None:
    for answer in (odd, {"resource_response": odd}, {"resource_response": {"data": odd}}):
        with contextlib.suppress(Refusal, Delayed):
            results_of(answer)
    pins, told = results_of({"resource_response": {"data": {"results": results}, "bookmark": bookmark}})
    assert told is None or isinstance(told, str)
    assert len({pin.source_id for pin in pins}) == len(pins)
    for pin in pins:
        assert pin.source_id.isdecimal()
        assert pin.version
        assert pin.licence is None
        assert pin.file_url == pin.extra["addresses"][0].split("?")[0]
        json.dumps(dict(pin.extra))


@hypothesis.settings(deadline=None)
@given(st.dictionaries(SIZE, st.integers(0, 3000), max_size=11))
def test_sizes_are_tried_from_the_original_down_and_no_thumbnail_is(widths: dict[str, int]) -> None:
    images = {
        size: {"url": f"https://i.pinimg.com/{size}/a.jpg", "width": width, "height": width}
        for size, width in widths.items()
    }
    tried = [address.split("/")[3] for address in addresses_of(images)]
    assert sorted(tried, key=lambda size: -(1e9 if size.startswith("orig") else int(size[:-1]))) == tried
    assert all(size.startswith("orig") or widths[size] >= 200 for size in tried)
    assert {size for size in widths if size.startswith("orig")} <= set(tried)
    assert not {"60x60", "x", "nonsense"} & set(tried)


@hypothesis.settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional={n: st.text() for n in ("href", "src", "srcset", "text")}) | JSON))
def test_no_markup_however_odd_breaks_the_reading_of_it(boxes: list[Any]) -> None:
    for pin in pins_of_markup(boxes):
        assert pin.source_id.isdecimal()
        assert pin.extra["addresses"]


@pytest.mark.parametrize(
    ("bookmark", "end"),
    [("-end-", True), ("Y2JOb25lOjEyMw==", True), ("", True), (None, True), ("Y2JVSG81V2sxcmNH", False), ("x", False)],
)
def test_the_end_is_known_by_its_bookmark(bookmark: str | None, end: bool) -> None:
    assert is_end(bookmark) is end


@pytest.mark.parametrize(
    ("href", "number"),
    [("/pin/12345/", "12345"), ("https://www.pinterest.com/pin/gold-leaf--99/?x=1", "99"), ("/ideas/gold/1/", None)],
)
def test_links_to_pins_are_read_in_every_form(href: str, number: str | None) -> None:
    box = {"href": href, "srcset": "https://i.pinimg.com/236x/a/b/c.jpg 1x, https://i.pinimg.com/736x/a/b/c.jpg 3x"}
    assert [pin.source_id for pin in pins_of_markup([box])] == ([number] if number else [])
    assert addresses_of_srcset(box["srcset"])[0].split("/")[3] == "736x"


def test_marked_advertisements_and_films_are_left_out() -> None:
    box = {"href": "/pin/1/", "src": "https://i.pinimg.com/236x/a/b/c.jpg"}
    assert len(pins_of_markup([box, box])) == 1
    assert pins_of_markup([box | {"text": "Gold\nPromoted by\nA Shop"}, box | {"video": True}]) == []


@pytest.mark.parametrize(
    ("story", "kept"), [(None, True), ({"page_count": 1}, True), ({"page_count": 4}, False), ({"pages": []}, False)]
)
def test_a_picture_that_comes_as_a_story_of_one_page_is_kept(fake: FakePinterest, story: Any, kept: bool) -> None:
    answer = _answer(fake)
    results = answer["resource_response"]["data"]["results"]
    del results[1:]
    results[0]["story_pin_data"] = story
    assert bool(results_of(answer)[0]) is kept


@pytest.mark.parametrize(
    ("make", "kind", "reason"),
    [
        (lambda: refusal_of(401, "Authorization failed."), Refusal, "log-in wall"),
        (lambda: refusal_of(403, None), Refusal, "not allowed"),
        (lambda: refusal_of(429, None, 30.0), Delayed, "rate limited"),
        (lambda: refusal_of(502, None), Delayed, "server error"),
        (lambda: refusal_of(None, "Bookmark is odd"), Refusal, "unexpected answer"),
        (lambda: wall_of({"url": "https://www.pinterest.com/login/?next=1"}), Refusal, "log-in wall"),
        (lambda: wall_of({"password": True}), Refusal, "log-in wall"),
        (lambda: wall_of({"title": "Just a moment..."}), Refusal, "challenged"),
        (lambda: wall_of({"captcha": True, "password": True}), Refusal, "challenged"),
    ],
)
def test_every_refusal_has_a_kind_and_a_reason(make: Callable[[], Any], kind: type, reason: str) -> None:
    error = make()
    assert (type(error), error.reason) == (kind, reason)
    assert wall_of({"url": "https://www.pinterest.com/search/pins/", "title": "gold", "text": "pins"}) is None


def test_an_error_in_the_form_of_an_answer_is_raised_as_one() -> None:
    with pytest.raises(Refusal, match="Authorization failed"):
        results_of(json.loads(failure(401, "Authorization failed.").body))
    with pytest.raises(Refusal, match="interface has changed"):
        results_of({"resource_response": {"status": "success", "data": {}}})


@pytest.mark.shared
@pytest.mark.parametrize("name", ["obj", "obj2"])
def test_recorded_answers_are_read_to_the_last_pin(shared: Path, name: str) -> None:
    answer = json.loads((shared / f"data/payloads/pinterest_BaseSearchResource_{name}.json").read_text())
    results = answer["resource_response"]["data"]["results"]
    pins, bookmark = results_of(answer)
    pictures = [one for one in results if one["images"] and not one["videos"] and not one["is_promoted"]]
    assert len(results) == 25
    assert [pin.source_id for pin in pins] == [one["id"] for one in pictures]
    assert len(pins) >= 23
    assert bookmark == answer["resource"]["options"]["bookmarks"][0]
    assert not is_end(bookmark)
    for pin, told in zip(pins, pictures, strict=True):
        assert pin.version == told["image_signature"]
        assert [address.split("/")[3] for address in pin.extra["addresses"]] == ["originals", "736x", "474x", "236x"]
        assert pin.author == told["pinner"]["full_name"]
        assert pin.author_url == f"https://www.pinterest.com/{told['pinner']['username']}/"
        stem = pin.file_url.rsplit("/", 1)[1].split(".")[0]
        assert stem == told["image_signature"], "the markup gives the same version"
