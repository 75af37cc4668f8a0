"""The one way out, against a server that misbehaves: real HTTP over loopback."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jewel_assets.collect import deadlines
from jewel_assets.collect.addresses import AddressGuard
from jewel_assets.collect.answers import Delayed, Gone, KeyRefused, Refusal
from jewel_assets.collect.archive import Archive
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import Limits
from jewel_assets.errors import Permanent
from jewel_assets_tests.collect.fetching_for_tests import FAST, JPEG, Files, made, take
from jewel_assets_tests.fakes import faults
from jewel_assets_tests.fakes.server import FakeServer, Reply, Seen


@pytest.fixture
def files() -> Iterator[Files]:
    with Files() as server:
        yield server


@pytest.fixture
def fetcher(files: Files) -> Iterator[Fetcher]:
    with made(files) as found:
        yield found


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
        (faults.redirect("http://[oops"), Refusal, "no address"),
        (faults.redirect("http://a.example:80oo/"), Refusal, "no address"),
        (faults.redirect("http://a.example:99999/"), Refusal, "no address"),
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


def test_redirects_are_part_of_the_total_time(files: Files, fetcher: Fetcher) -> None:
    def slowly(server: FakeServer, seen: Seen) -> Reply:
        time.sleep(0.25)
        return Reply(302, headers={"Location": f"{seen.path}x"})

    files.inject("/a.jpg", *[slowly] * 100)
    began = time.monotonic()
    with pytest.raises(Delayed) as raised:
        take(fetcher, f"{files.url}/a.jpg", total_s=0.6)
    assert raised.value.reason == "took too long"
    assert "after 0.6 seconds in all" in str(raised.value)
    assert time.monotonic() - began < 4 * 1.0  # five redirects would take 1.25 s an attempt


def test_connecting_is_part_of_the_total_time_however_many_addresses_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses = [f"127.0.0.{number}" for number in range(1, 30)]
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=0))
        port = full.getsockname()[1]
        for _ in range(4):  # whose queue of those who wait to be accepted is full: nobody answers
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]
        real = socket.getaddrinfo

        def many(host: str, *rest: object, **named: object) -> object:
            return found if host == "many.example" else real(host, *rest, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "getaddrinfo", many)
        host = f"many.example:{port}"
        fetcher = stack.enter_context(Fetcher(Limits({host: FAST}), guard=AddressGuard([host])))
        began = time.monotonic()
        with pytest.raises(Delayed) as raised:
            take(fetcher, f"http://{host}/a.jpg", total_s=0.5)
        assert raised.value.reason == "took too long"
        assert time.monotonic() - began < 4.0


def test_the_body_of_a_redirect_is_not_read(files: Files, fetcher: Fetcher) -> None:
    def endlessly(server: FakeServer, seen: Seen) -> Reply:
        def write(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /b.jpg\r\n\r\n")
            while True:
                connection.sendall(bytes(65536))

        return Reply(write=write)

    files.inject("/a.jpg", endlessly)
    assert take(fetcher, f"{files.url}/a.jpg", total_s=2.0) == JPEG


def test_a_redirect_may_be_written_in_utf_8(files: Files, fetcher: Fetcher) -> None:
    files.inject("/a.jpg", faults.redirect("/bague-dorée.jpg".encode().decode("latin-1")))
    assert take(fetcher, f"{files.url}/a.jpg") == JPEG
    assert files.seen[1].path == "/bague-dor%C3%A9e.jpg"


def test_clocks_that_were_stopped_are_not_kept(files: Files, fetcher: Fetcher) -> None:
    for number in range(20):
        take(fetcher, f"{files.url}/{number}.jpg", total_s=1000.0)
    assert deadlines._watch._running == set()


def test_a_process_that_was_forked_has_clocks_of_its_own() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, deadlines._watch._news:  # a clock is being added while the process forks
        child = os.fork()
        if child == 0:
            with deadlines.within(0.1) as clock:
                clock.watch(theirs)
                os._exit(0 if theirs.recv(1) == b"" else 1)  # shut down
    ends = time.monotonic() + 10.0
    while (status := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < ends:
        time.sleep(0.05)
    if status == (0, 0):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert status == (child, 0)


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


@pytest.mark.parametrize("before", range(185, 205))
def test_no_part_of_a_key_is_left_where_an_error_is_cut(files: Files, fetcher: Fetcher, before: int) -> None:
    said = {"errors": ["x" * before + " s3cret-key is not valid"]}
    files.inject("/api", faults.status(401, json.dumps(said).encode()), faults.status(403, said["errors"][0].encode()))
    for error in (KeyRefused, Refusal):
        with pytest.raises(error) as raised:
            fetcher.json(f"{files.url}/api")
        assert "s3c" not in str(raised.value)


def test_a_page_for_people_is_asked_for_again_and_never_kept(files: Files, tmp_path: Path) -> None:
    page = faults.status(200, faults.HTML, ETag='"page"')
    files.inject("/api", *[page] * 5)
    with made(files, archive=tmp_path / "archive.sqlite") as fetcher:
        with pytest.raises(Delayed) as raised:
            fetcher.json(f"{files.url}/api", fresh_s=3600.0)
        assert raised.value.reason == "not JSON"
        assert len(files.seen) == 4
        assert fetcher.json(f"{files.url}/api", fresh_s=3600.0).json() == {"asked": 6}
        assert fetcher.json(f"{files.url}/api", fresh_s=3600.0).reused
    assert "if-none-match" not in files.seen[-1].headers


def test_nesting_without_end_is_no_json(files: Files, fetcher: Fetcher) -> None:
    files.inject("/api", *[faults.status(200, b"[" * 200_000)] * 4)
    with pytest.raises(Delayed) as raised:
        fetcher.json(f"{files.url}/api")
    assert raised.value.reason == "not JSON"


def test_answers_that_nobody_asked_for_in_months_are_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "archive.sqlite"
    archive = Archive(file)
    for name in ("old", "new"):
        archive.keep_page(name, b"{}", None, None)
    archive.close()
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE pages SET at = at - ? WHERE address = 'old'", (61 * 86_400.0,))
    archive = Archive(file)
    assert archive.page("old") is None
    assert archive.page("new") is not None
    archive.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_is_no_failure_of_the_item(files: Files, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w+b", buffering=0)  # noqa: SIM115, whoever wrote into it closes it
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
    files.inject("/big", lambda server, seen: Reply(200, JPEG * 500, media_type="image/jpeg"))
    with pytest.raises(Permanent, match=r"No space left in .*TMPDIR"):
        fetcher.file(f"{files.url}/big.jpg", max_bytes=1 << 24)
    assert len(files.seen) == 1


def test_an_answer_is_asked_for_again_only_on_condition(files: Files, tmp_path: Path) -> None:
    with made(files, archive=tmp_path / "archive.sqlite") as fetcher:
        first = fetcher.json(f"{files.url}/api", {"q": "ring"}, fresh_s=60.0)
        assert fetcher.json(f"{files.url}/api", {"q": "ring"}, fresh_s=60.0).reused
        assert len(files.seen) == 1
        later = fetcher.json(f"{files.url}/api", {"q": "ring"}, fresh_s=0.0)
    assert files.seen[1].headers["if-none-match"] == '"v1"'
    assert later.body == first.body


def test_cookies_are_not_kept(files: Files, fetcher: Fetcher) -> None:
    files.inject("/a.jpg", faults.status(200, JPEG, Set_Cookie="id=1; Path=/"))
    take(fetcher, f"{files.url}/a.jpg")
    take(fetcher, f"{files.url}/b.jpg")
    assert "cookie" not in files.seen[1].headers
