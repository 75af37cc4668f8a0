"""What goes wrong on the way to a file, each as a real server does it."""

import io
import socket
import time
import zlib
from functools import lru_cache
from urllib.parse import quote

from jewel_assets_tests.fakes.server import FakeServer, Fault, Reply, Seen

HTML = b"<!doctype html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"


def status(code: int, body: bytes = b"", **headers: str) -> Fault:
    """Answer with a status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda server, seen: Reply(code, body, named, "text/plain")


def too_many(retry_after: float | None = None, code: int = 429) -> Fault:
    """429, and from then on any request before `retry_after` seconds are over is a violation."""

    def fault(server: FakeServer, seen: Seen) -> Reply:
        if retry_after is None:
            return Reply(code)
        server.ask_for_patience(seen, retry_after)
        return Reply(code, headers={"Retry-After": f"{retry_after:.0f}"})

    return fault


def limit_as_text(server: FakeServer, seen: Seen) -> Reply:
    """A 403 that is no JSON: how Unsplash says that the hour is used up."""
    return Reply(403, b"Rate Limit Exceeded", media_type="text/plain")


def redirect(target: str, code: int = 302) -> Fault:
    """Lead elsewhere."""
    return lambda server, seen: Reply(code, headers={"Location": target})


def loop(server: FakeServer, seen: Seen) -> Reply:
    """Lead to itself."""
    return Reply(302, headers={"Location": seen.address})


def chain(length: int) -> Fault:
    """Lead through so many addresses to the right one."""
    return lambda server, seen: Reply(302, headers={"Location": f"/hop/{length - 1}?to={quote(seen.address, safe='')}"})


METADATA = redirect("http://169.254.169.254/latest/meta-data/iam/security-credentials/")
"""To the address where a cloud keeps its machines' keys."""


def web_page(server: FakeServer, seen: Seen) -> Reply:
    """A 200 that is a page for people: a log-in, a challenge."""
    return Reply(200, HTML, media_type="text/html; charset=utf-8")


def cut_off(server: FakeServer, seen: Seen) -> Reply:
    """Promise all, send half, and hang up."""
    whole = server.reply(seen)

    def write(connection: socket.socket) -> None:
        connection.sendall(_head(200, whole.media_type, len(whole.body)) + whole.body[: len(whole.body) // 2])

    return Reply(write=write)


def truncated(server: FakeServer, seen: Seen) -> Reply:
    """A file that ends too early, and says that this is all."""
    whole = server.reply(seen)
    return Reply(200, whole.body[: len(whole.body) // 2], media_type=whole.media_type)


def wrong_type(server: FakeServer, seen: Seen) -> Reply:
    """The right bytes under a wrong name."""
    return Reply(200, server.reply(seen).body, media_type="text/plain")


def tagged(*tags: str) -> Fault:
    """The file, with an `X-Robots-Tag` header for each of these."""

    def fault(server: FakeServer, seen: Seen) -> Reply:
        whole = server.reply(seen)
        return Reply(200, whole.body, {"X-Robots-Tag": tags}, whole.media_type)

    return fault


def noai(server: FakeServer, seen: Seen) -> Reply:
    """A file whose owner wants no machine to learn from it."""
    return tagged("noai, noimageai")(server, seen)


def pixel_bomb(server: FakeServer, seen: Seen) -> Reply:
    """A small PNG of 60,000 x 60,000 pixels."""
    return Reply(200, _png_bomb(60_000), media_type="image/png")


def endless(server: FakeServer, seen: Seen) -> Reply:
    """Bytes without end and without a length."""

    def write(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n\xff\xd8\xff\xe0")
        block = b"\xff\xfe\xff\xff" + bytes(65533)
        while True:
            connection.sendall(block)

    return Reply(write=write)


def gzip_bomb(server: FakeServer, seen: Seen) -> Reply:
    """A few kilobytes that unpack to a quarter of a gigabyte."""
    return Reply(200, _gzip_bomb(), {"Content-Encoding": "gzip"}, "image/jpeg")


def slow_loris(every_s: float = 0.2) -> Fault:
    """A byte from time to time, for ever: never silent, never done."""

    def fault(server: FakeServer, seen: Seen) -> Reply:
        def write(connection: socket.socket) -> None:
            for byte in _head(200, "image/jpeg", 1 << 20) + bytes(1 << 20):
                connection.sendall(bytes([byte]))
                time.sleep(every_s)

        return Reply(write=write)

    return fault


def slow_body(every_s: float = 0.2) -> Fault:
    """Headers at once, then a byte from time to time, without a length."""

    def fault(server: FakeServer, seen: Seen) -> Reply:
        def write(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n")
            while True:
                connection.sendall(b"\xff")
                time.sleep(every_s)

        return Reply(write=write)

    return fault


def hang_up(server: FakeServer, seen: Seen) -> Reply:
    """Nothing at all."""
    return Reply(write=lambda connection: None)


def _head(code: int, media_type: str, length: int) -> bytes:
    return f"HTTP/1.1 {code} OK\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n".encode()


@lru_cache
def _gzip_bomb() -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(256)) + packer.flush()


@lru_cache
def _png_bomb(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return len(data).to_bytes(4, "big") + kind + data + check.to_bytes(4, "big")

    out = io.BytesIO()
    out.write(b"\x89PNG\r\n\x1a\n")
    out.write(chunk(b"IHDR", side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])))
    out.write(chunk(b"IDAT", zlib.compress(bytes(1 << 16), 9)))
    out.write(chunk(b"IEND", b""))
    return out.getvalue()
