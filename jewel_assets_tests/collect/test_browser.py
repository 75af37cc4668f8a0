"""The browser on its lead: what Chromium is given and what it is kept from."""

import logging

import psutil
import pytest

from jewel_assets.collect.addresses import AddressGuard, AddressRefused
from jewel_assets.collect.browser import browsing
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import Limits
from jewel_assets_tests.collect.fetching_for_tests import FAST
from jewel_assets_tests.fakes.server import FakeServer, Reply, Seen


class Page(FakeServer):
    """One page for people."""

    def reply(self, seen: Seen) -> Reply:
        return Reply(200, b"<!doctype html><title>Rings</title><p>rings", media_type="text/html")


def opened(server: Page) -> Fetcher:
    return Fetcher(Limits(dict.fromkeys(server.hosts, FAST)), guard=AddressGuard(server.hosts))


def test_no_key_of_the_environment_reaches_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-browsers")
    monkeypatch.setenv("JEWEL_UNSPLASH_KEY", "nor-this")
    monkeypatch.setenv("XDG_CACHE_HOME", "/tmp/cache-of-the-test")
    with Page() as server, opened(server) as fetcher, browsing(fetcher, server.url) as visit:
        assert visit.go(server.url + "/")[0] == 200
        given = [process.environ() for process in _chromiums()]
    assert given
    for environment in given:
        assert not {"AWS_SECRET_ACCESS_KEY", "JEWEL_UNSPLASH_KEY"} & environment.keys()
    assert any(environment.get("XDG_CACHE_HOME") == "/tmp/cache-of-the-test" for environment in given)


def test_chromium_goes_without_its_sandbox_only_where_it_must_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING, "jewel_assets.collect.browser"),
        Page() as server,
        opened(server) as fetcher,
        browsing(fetcher, server.url) as visit,
    ):
        visit.go(server.url + "/")
        without = any("--no-sandbox" in process.cmdline() for process in _chromiums())
    assert without == ("does not start in its sandbox" in caplog.text)


def test_a_page_within_the_network_is_refused_behind_a_proxy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with Page() as server, Fetcher(Limits({})) as fetcher:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("no_proxy", "")
        for url in ("http://169.254.169.254/", "http://localhost/"):
            with pytest.raises(AddressRefused), browsing(fetcher, url):
                pass
        assert server.seen == []


def _chromiums() -> list[psutil.Process]:
    running = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name() and process.environ():
                running.append(process)
        except psutil.Error:  # it has ended, or is another's
            continue
    return running
