"""A server of files and a fetcher that may ask it, for the tests of the one way out."""

from jewel_assets.collect.addresses import AddressGuard
from jewel_assets.collect.archive import Archive
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import HostRule, Limits
from jewel_assets_tests.fakes.server import FakeServer, Reply, Seen, json_reply

FAST = HostRule(per_second=500.0, connections=16, first_pause_s=0.01, obeys_robots=False)
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
KEY = "s3cret-key"


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


def made(server: FakeServer, rule: HostRule = FAST, archive: object = None, **named: object) -> Fetcher:
    """A fetcher for this server alone; `archive` and `state` are files."""
    limits = Limits(dict.fromkeys(server.hosts, rule), named.pop("state", None))  # type: ignore[arg-type]
    guard = AddressGuard(server.hosts)
    return Fetcher(limits, Archive(archive), guard, secrets=[KEY], **named)  # type: ignore[arg-type]


def take(fetcher: Fetcher, url: str, max_bytes: int = 1 << 20, total_s: float = 5.0) -> bytes:
    """The bytes of a file."""
    received = fetcher.file(url, max_bytes=max_bytes, total_s=total_s)
    with received.file:
        return received.read()
