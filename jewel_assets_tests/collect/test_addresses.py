"""Where a fetch may go and where not, over real HTTP, with and without a proxy."""

import ipaddress
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.collect.addresses import AddressGuard, AddressRefused, NoSuchHost, host_of, is_public, one_spelling
from jewel_assets.collect.answers import Delayed
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import HostRule, Limits
from jewel_assets.errors import Permanent
from jewel_assets_tests.collect.fetching_for_tests import FAST, JPEG, Files, made, take
from jewel_assets_tests.fakes import faults


@pytest.fixture
def files() -> Iterator[Files]:
    with Files() as server:
        yield server


@pytest.fixture
def fetcher(files: Files) -> Iterator[Fetcher]:
    with made(files) as found:
        yield found


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """A proxy that the operator named, within his machine; it answers for every host."""
    with Files() as server:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("no_proxy", "")
        yield server


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


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/", "http://[::1]/", "http://10.0.0.1/", "http://127.1/"]
)
def test_a_proxy_is_not_asked_for_a_private_address(proxy: Files, target: str) -> None:
    proxy.inject("/a.jpg", faults.redirect(target))
    with Fetcher(Limits({"photos.invalid": FAST})) as fetcher, pytest.raises(AddressRefused):
        take(fetcher, "http://photos.invalid/a.jpg")
    assert [seen.host for seen in proxy.seen] == ["photos.invalid"]


def test_a_proxy_is_not_asked_for_a_name_that_points_inwards(proxy: Files) -> None:
    with Fetcher(Limits({"localhost": FAST})) as fetcher, pytest.raises(AddressRefused):
        take(fetcher, "http://localhost/a.jpg")
    assert proxy.seen == []


def test_a_proxy_is_asked_for_a_name_that_only_it_can_resolve(proxy: Files) -> None:
    with Fetcher(Limits({"photos.invalid": FAST})) as fetcher:
        assert take(fetcher, "http://photos.invalid/a.jpg") == JPEG


def test_a_proxy_within_the_network_is_no_place_to_fetch_from(proxy: Files) -> None:
    proxy.inject("/a.jpg", faults.redirect(f"{proxy.url}/admin"))
    with Fetcher(Limits({"photos.invalid": FAST})) as fetcher:
        for url in (f"{proxy.url}/admin", "http://photos.invalid/a.jpg"):
            with pytest.raises(AddressRefused):
                take(fetcher, url)
    assert proxy.asked("/admin") == []


@pytest.mark.parametrize("named", ["socks5://127.0.0.1:1080", "http://[oops", "http://:3128"])
def test_a_proxy_that_is_none_is_no_failure_of_the_item(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("http_proxy", named)
    monkeypatch.setenv("no_proxy", "")
    with Fetcher(Limits({"photos.invalid": FAST})) as fetcher, pytest.raises(Permanent, match="HTTP_PROXY"):
        take(fetcher, "http://photos.invalid/a.jpg")


@pytest.mark.parametrize(
    "address",
    [
        "fec0::1",  # site-local, of old
        "fd00:ec2::254",
        "64:ff9b:1::7f00:1",  # a local translator's 127.0.0.1
        "64:ff9b::7f00:1",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "::ffff:127.0.0.1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "ff02::1",
        "192.0.0.8",
        "192.88.99.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_what_is_not_of_the_public_network(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_what_is_of_the_public_network(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=6) | st.ip_addresses(v=4).map(lambda inner: ipaddress.IPv6Address(int(inner))))
def test_of_ipv6_only_what_was_handed_out_is_public(address: ipaddress.IPv6Address) -> None:
    if is_public(address):
        carried = address.ipv4_mapped or ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        translated = address.ipv4_mapped is not None or address in ipaddress.IPv6Network("64:ff9b::/96")
        assert is_public(carried) if translated else address in ipaddress.IPv6Network("2000::/3")


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "64:ff9b::", "64:ff9b:1::", "::", "::ffff:0:0:0"]))
def test_a_private_address_is_private_behind_any_prefix(inner: ipaddress.IPv4Address, prefix: str) -> None:
    if not is_public(inner):
        assert not is_public(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(inner)))


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("LOCALHOST:8080", "localhost:8080"),
        ("localhost.", "localhost"),
        ("localhost.:80", "localhost"),
        ("Example.ORG:443", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("user@example.org", "example.org"),
        ("[::1]:8080", "[::1]:8080"),
        ("[0:0::1]", "[::1]"),
        ("2130706433:8080", "127.0.0.1:8080"),
        ("127.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
    ],
)
def test_a_host_has_one_spelling(written: str, spelled: str) -> None:
    assert one_spelling(written) == spelled
    assert one_spelling(spelled) == spelled
    assert host_of(f"https://{written}/a.jpg?b=c") == spelled


def test_another_spelling_is_no_way_around_robots_txt_or_a_pause(files: Files) -> None:
    files.robots_text = "User-agent: *\nDisallow: /private/\n"
    loud = f"http://LOCALHOST:{files.port}"
    files.inject("/a.jpg", faults.redirect(f"{loud}/b.jpg"))
    with made(files, HostRule(500.0, 4, first_pause_s=0.01)) as fetcher:
        assert take(fetcher, f"{files.other_url}/a.jpg") == JPEG
        assert len(files.asked("/robots.txt")) == 1
        fetcher.limits.pause(f"localhost:{files.port}", 7200.0)
        with pytest.raises(Delayed):
            take(fetcher, f"{loud}/c.jpg")
    assert files.asked("/c.jpg") == []
