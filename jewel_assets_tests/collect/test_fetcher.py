"""The one way out, against a server that misbehaves: real HTTP over loopback."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jewel_assets.collect.addresses import AddressGuard, AddressRefused, NoSuchHost
from jewel_assets.collect.answers import Delayed, Gone, KeyRefused, Refusal
from jewel_assets.collect.archive import Archive
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import HostRule, Limits, Quota
from jewel_assets.collect.robots import Disallowed
from jewel_assets_tests.fakes import faults
from jewel_assets_tests.fakes.server import FakeServer, Reply, Seen, json_reply

FAST = HostRule(per_second=500.0, connections=16, first_pause_s=0.01, obeys_robots=False)
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40


class Files(FakeServer):
    """Serves JPEG under any path, JSON under /api, and robots.txt if it has one."""

    robots_text: str | None = None

    def robots(self) -> str | None:
        return self.robots_text

    def reply(self, seen: Seen) -> Reply:
        if seen.path.startswith("/api"):
            if seen.headers.get("if-none-match") == '"v1"':
                return Reply(304)
            return json_reply({"asked": len(self.seen)}, headers={"ETag": '"v1"'})
        return Reply(200, JPEG, media_type="image/jpeg")


@pytest.fixture
def files() -> Iterator[Files]:
    with Files() as server:
        yield server


@pytest.fixture
def fetcher(files: Files) -> Iterator[Fetcher]:
    with made(files) as found:
        yield found


def made(server: FakeServer, rule: HostRule = FAST, archive: Path | None = None, **named: object) -> Fetcher:
    limits = Limits(dict.fromkeys(server.hosts, rule), named.pop("state", None))  # type: ignore[arg-type]
    guard = AddressGuard(server.hosts)
    return Fetcher(limits, Archive(archive), guard, secrets=["s3cret-key"], **named)  # type: ignore[arg-type]


def take(fetcher: Fetcher, url: str, max_bytes: int = 1 << 20, total_s: float = 5.0) -> bytes:
    received = fetcher.file(url, max_bytes=max_bytes, total_s=total_s)
    with received.file:
        return received.read()


def test_a_file_comes_whole(files: Files, fetcher: Fetcher) -> None:
    assert take(fetcher, f"{files.url}/a.jpg") == JPEG


def test_it_says_who_asks_and_how_to_reach_him(files: Files) -> None:
    with made(files, contact="data@example.org") as fetcher:
        take(fetcher, f"{files.url}/a.jpg")
    agent = files.seen[0].headers["user-agent"]
    assert agent.startswith("jewel-assets/")
    assert agent.endswith("(+data@example.org)")


def test_a_large_file_lies_on_disk_and_not_in_memory(files: Files, fetcher: Fetcher) -> None:
    big = JPEG * 500
    files.inject("/big", lambda server, seen: Reply(200, big, media_type="image/jpeg"))
    received = fetcher.file(f"{files.url}/big.jpg", max_bytes=1 << 24)
    with received.file:
        assert received.file._rolled  # type: ignore[attr-defined]
        assert received.read() == big


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        (faults.status(404), Gone, "gone at the source"),
        (faults.status(410), Gone, "gone at the source"),
        (faults.status(401), KeyRefused, "key refused"),
        (faults.status(403), Refusal, "not allowed"),
        (faults.status(451), Refusal, "not allowed"),
        (faults.status(204), Refusal, "unexpected answer"),
        (faults.status(500), Delayed, "server error"),
        (faults.status(503), Delayed, "server error"),
        (faults.status(429), Delayed, "rate limited"),
        (faults.loop, Refusal, "too many redirects"),
        (faults.chain(9), Refusal, "too many redirects"),
        (faults.cut_off, Delayed, "broke off"),
        (faults.hang_up, Delayed, "broke off"),
        (faults.noai, Refusal, "noai"),
        (faults.endless, Refusal, "file too large"),
        (faults.gzip_bomb, Refusal, "file too large"),
        (faults.status(200, b"x" * 10, Content_Length="99999999"), Refusal, "file too large"),
    ],
)
def test_what_goes_wrong_has_a_name(
    files: Files, fetcher: Fetcher, fault: object, error: type[Exception], reason: str
) -> None:
    files.inject("/a.jpg", *[fault] * 8)  # type: ignore[list-item]
    with pytest.raises(error) as raised:
        take(fetcher, f"{files.url}/a.jpg?Signature=secret-signature")
    assert raised.value.reason == reason  # type: ignore[attr-defined]
    assert "secret-signature" not in str(raised.value)


@pytest.mark.parametrize("fault", [faults.status(500), faults.status(502), faults.cut_off, faults.hang_up])
def test_what_passes_is_tried_again(files: Files, fetcher: Fetcher, fault: object) -> None:
    files.inject("/a.jpg", fault, fault)  # type: ignore[arg-type]
    assert take(fetcher, f"{files.url}/a.jpg") == JPEG
    assert len(files.asked("/a.jpg")) == 3


@pytest.mark.parametrize("fault", [faults.status(404), faults.status(401), faults.noai, faults.endless])
def test_what_stays_is_not_asked_for_twice(files: Files, fetcher: Fetcher, fault: object) -> None:
    files.inject("/a.jpg", fault)  # type: ignore[arg-type]
    with pytest.raises(Refusal):
        take(fetcher, f"{files.url}/a.jpg")
    assert len(files.asked("/a.jpg")) == 1


def test_a_few_redirects_are_followed(files: Files, fetcher: Fetcher) -> None:
    files.inject("/a.jpg", faults.chain(4))
    assert take(fetcher, f"{files.url}/a.jpg") == JPEG


@pytest.mark.parametrize("fault", [faults.slow_loris(0.05), faults.slow_body(0.05)])
def test_a_server_that_drips_is_cut_off_by_the_total_time(files: Files, fault: object) -> None:
    with made(files) as fetcher:
        files.inject("/a.jpg", *[fault] * 4)  # type: ignore[list-item]
        began = time.monotonic()
        with pytest.raises(Delayed) as raised:
            take(fetcher, f"{files.url}/a.jpg", total_s=0.4)
        assert raised.value.reason == "took too long"
        assert time.monotonic() - began < 6.0  # four attempts
        assert take(fetcher, f"{files.url}/b.jpg") == JPEG  # and the next one has a connection that lives


def test_silence_is_cut_off_before_the_total_time(files: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        host = f"127.0.0.1:{deaf.getsockname()[1]}"
        guard = AddressGuard([host])
        with (
            Fetcher(Limits({host: FAST}), guard=guard, silence_s=0.2) as fetcher,
            pytest.raises(Delayed) as raised,
        ):
            take(fetcher, f"http://{host}/a.jpg", total_s=60.0)
    assert raised.value.reason == "took too long"


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://0.0.0.0/",
        "http://2130706433/",  # 127.0.0.1 as one number
        "http://user@example.org/",
        "ftp://example.org/a.jpg",
        "file:///etc/passwd",
        "http://example.org:22/",
    ],
)
def test_a_redirect_to_where_nobody_should_look_is_refused(files: Files, fetcher: Fetcher, target: str) -> None:
    files.inject("/a.jpg", faults.redirect(target))
    with pytest.raises(AddressRefused):
        take(fetcher, f"{files.url}/a.jpg")
    assert len(files.seen) == 1


def test_loopback_is_refused_unless_the_operator_lists_it(files: Files) -> None:
    with (
        Fetcher(Limits({}), guard=AddressGuard()) as fetcher,
        pytest.raises(AddressRefused, match="JEWEL_PRIVATE_HOSTS"),
    ):
        take(fetcher, f"{files.url}/a.jpg")
    assert files.seen == []


def test_a_name_is_resolved_once_and_the_address_that_was_judged_is_the_one_that_is_used(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: a name that is public when it is judged and private when it is used."""
    asked = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *arguments: object, **named: object) -> object:
        if host != "rebinding.example":
            return real(host, port, *arguments, **named)  # type: ignore[arg-type]
        asked.append(host)
        return real("93.184.215.14" if len(asked) == 1 else "127.0.0.1", port, *arguments, **named)  # type: ignore[arg-type]

    connected = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address[0])
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr("jewel_assets.collect.connections.create_connection", connect)
    limits = Limits({"rebinding.example": FAST})
    with Fetcher(limits) as fetcher, pytest.raises((Delayed, AddressRefused)):
        take(fetcher, "http://rebinding.example/a.jpg")
    assert set(connected) == {"93.184.215.14"}


def test_an_unknown_host_is_said_at_once(fetcher: Fetcher) -> None:
    with pytest.raises(NoSuchHost):
        take(fetcher, "http://there-is-no-such-host.invalid/a.jpg")


def test_a_key_goes_to_its_own_host_only(files: Files, fetcher: Fetcher) -> None:
    files.inject("/api", faults.redirect(f"{files.other_url}/api/elsewhere"))
    fetcher.json(f"{files.url}/api", headers={"Authorization": "Client-ID s3cret-key"})
    first, second = files.seen
    assert first.headers["authorization"] == "Client-ID s3cret-key"
    assert "authorization" not in second.headers


def test_a_key_stands_in_no_error(files: Files, fetcher: Fetcher) -> None:
    files.inject("/api", faults.status(401, b'{"errors": ["s3cret-key is not valid"]}'))
    with pytest.raises(KeyRefused) as raised:
        fetcher.json(f"{files.url}/api", headers={"Authorization": "Client-ID s3cret-key"})
    assert "s3cret-key" not in str(raised.value)
    assert "[key] is not valid" in str(raised.value)


def test_nobody_on_the_host_asks_before_retry_after_is_over(files: Files, fetcher: Fetcher) -> None:
    files.inject("/a.jpg", faults.too_many(1))
    threads = [threading.Thread(target=take, args=(fetcher, f"{files.url}/a.jpg?{n}")) for n in range(1)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    assert take(fetcher, f"{files.url}/b.jpg") == JPEG  # waits as well
    for thread in threads:
        thread.join()
    assert files.violations == []
    assert [seen.path for seen in files.seen].count("/a.jpg") == 2


def test_a_pause_outlives_the_process_that_was_asked_for_it(files: Files, tmp_path: Path) -> None:
    state = tmp_path / "limits.sqlite"
    with made(files, state=state) as fetcher:
        fetcher.limits.pause(files.hosts[0], 0.8)
    began = time.monotonic()
    with made(files, state=state) as fetcher:
        take(fetcher, f"{files.url}/a.jpg")
    assert time.monotonic() - began > 0.5


def test_a_server_that_asks_for_hours_is_left_alone_for_this_run(files: Files, fetcher: Fetcher) -> None:
    files.inject("/a.jpg", faults.status(429, Retry_After="7200"))
    with pytest.raises(Delayed) as raised:
        take(fetcher, f"{files.url}/a.jpg")
    assert raised.value.reason == "rate limited"
    assert 7100 < fetcher.limits.paused_for(files.hosts[0]) <= 7200
    assert len(files.seen) == 1


def test_a_quota_holds_over_processes(files: Files, tmp_path: Path) -> None:
    files.requests_per_window, files.window_s = 6, 1.0
    files.counts_against_quota = lambda seen: True  # type: ignore[method-assign]
    rule = HostRule(100.0, 4, (Quota(6, 1.0),), obeys_robots=False)
    for _ in range(3):
        with made(files, rule, state=tmp_path / "limits.sqlite") as fetcher:
            for number in range(4):
                take(fetcher, f"{files.url}/{number}.jpg")
    assert len(files.seen) == 12
    assert files.violations == []


def test_an_answer_is_asked_for_again_only_on_condition(files: Files, tmp_path: Path) -> None:
    with made(files, archive=tmp_path / "archive.sqlite") as fetcher:
        first = fetcher.json(f"{files.url}/api", {"q": "ring"}, fresh_s=60.0)
        assert fetcher.json(f"{files.url}/api", {"q": "ring"}, fresh_s=60.0).reused
        assert len(files.seen) == 1
        later = fetcher.json(f"{files.url}/api", {"q": "ring"}, fresh_s=0.0)
    assert files.seen[1].headers["if-none-match"] == '"v1"'
    assert later.body == first.body


def test_robots_txt_is_obeyed_and_asked_for_once(files: Files) -> None:
    files.robots_text = "User-agent: *\nDisallow: /private/\n"
    with made(files, HostRule(500.0, 4, first_pause_s=0.01)) as fetcher:
        assert take(fetcher, f"{files.url}/open/a.jpg") == JPEG
        with pytest.raises(Disallowed):
            take(fetcher, f"{files.url}/private/a.jpg")
        with pytest.raises(Disallowed):
            take(fetcher, f"{files.url}/private/b.jpg")
    assert [seen.path for seen in files.seen] == ["/robots.txt", "/open/a.jpg"]


def test_a_redirect_does_not_lead_around_robots_txt(files: Files) -> None:
    files.robots_text = "User-agent: jewel-assets\nDisallow: /private/\n"
    files.inject("/a.jpg", faults.redirect("/private/a.jpg"))
    with made(files, HostRule(500.0, 4, first_pause_s=0.01)) as fetcher, pytest.raises(Disallowed):
        take(fetcher, f"{files.url}/a.jpg")
    assert files.asked("/private") == []


def test_while_robots_txt_is_broken_nothing_is_fetched(files: Files) -> None:
    files.inject("/robots.txt", *[faults.status(500)] * 4)  # as many as one file is tried
    with made(files, HostRule(500.0, 4, first_pause_s=0.01)) as fetcher, pytest.raises(Delayed):
        take(fetcher, f"{files.url}/a.jpg")
    assert files.asked("/a.jpg") == []


def test_a_crawl_delay_slows_the_host_down(files: Files) -> None:
    files.robots_text = "User-agent: *\nCrawl-delay: 0.4\nAllow: /\n"
    with made(files, HostRule(500.0, 4, first_pause_s=0.01)) as fetcher:
        for number in range(3):
            take(fetcher, f"{files.url}/{number}.jpg")
    times = [seen.at for seen in files.asked("/")[1:]]
    assert times[2] - times[1] > 0.35


def test_cookies_are_not_kept(files: Files, fetcher: Fetcher) -> None:
    files.inject("/a.jpg", faults.status(200, JPEG, Set_Cookie="id=1; Path=/"))
    take(fetcher, f"{files.url}/a.jpg")
    take(fetcher, f"{files.url}/b.jpg")
    assert "cookie" not in files.seen[1].headers
