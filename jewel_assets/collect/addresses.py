"""Which addresses a fetch may connect to: none within this machine or its network, unless the operator lists it.

A server that is asked for a photo may answer with a redirect to `http://169.254.169.254/` (a cloud's metadata) or to a
name that points to 127.0.0.1. So a name is resolved once, every address that it has is judged, and the connection goes
to the very address that was judged, at the first request and at every redirect. (OWASP, Server-Side Request Forgery
Prevention Cheat Sheet, case 2.) Where a proxy connects for us, `connections.Proxies` says what can still be judged.
"""

import functools
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from jewel_assets.errors import Permanent, Transient

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_USUAL_PORTS = {"http": 80, "https": 443}

_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291, 2.4: what IANA hands out; the rest of IPv6 is no one's
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (  # within what looks public; IANA's special-purpose registries, and not all of it is in every Python
            "192.0.0.0/24",  # RFC 6890: protocols
            "192.88.99.0/24",  # RFC 7526: 6to4 relays
            "2001::/23",  # RFC 2928: protocols, Teredo among them
            "2001:db8::/32",  # RFC 3849: documentation
            "2002::/16",  # RFC 3056: 6to4, a tunnel to an IPv4 address of the sender's choice
            "3fff::/20",  # RFC 9637: documentation
        ),
    )
)


class AddressRefused(Permanent):
    """An address that no fetch may go to. The message says which, and how the operator allows it."""


class NoSuchHost(Transient):
    """The name cannot be resolved: the name server is away, there is no network, or there is no such name."""


class AddressGuard:
    """Judges addresses. `allowed` lists what may be private: names, addresses or networks (`10.1.0.0/16`), each
    perhaps with a port (`localhost:8080`, `[::1]:8080`). Picklable; safe in any number of threads.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._names: set[tuple[str, int | None]] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for entry in allowed:
            self._allow(entry.strip())

    def check_url(self, url: str) -> None:
        """Raise AddressRefused for an address that is not plain http(s), hides a user, asks for an odd port, or is
        written as a number (`127.0.0.1`, `[::1]`, `2130706433`) that is within this machine or its network.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise AddressRefused(f"{shortened(url)!r} is not an address that can be fetched ({error}).") from error
        if parts.scheme not in _USUAL_PORTS or not parts.hostname:
            raise AddressRefused(f"{shortened(url)} is not an http or https address.")
        if parts.username is not None or parts.password is not None:
            raise AddressRefused(
                f"The address of {parts.hostname} carries a user name, which is how links lie: refused."
            )
        usual = _USUAL_PORTS[parts.scheme]
        if port not in (None, usual) and not self._is_listed(parts.hostname, port):
            raise AddressRefused(
                f"{parts.hostname}:{port} is no usual port of a web server. If you trust it, add "
                f"{parts.hostname}:{port} to JEWEL_PRIVATE_HOSTS."
            )
        if (literal := _literal(parts.hostname)) is not None:
            self._judge(parts.hostname, port or usual, [literal])

    def resolve(self, host: str, port: int) -> list[str]:
        """The IP addresses of a host, all of them judged; the caller connects to one of these.

        Raises AddressRefused if any of them is private, loopback, link-local or otherwise not of the public network:
        a name that points inwards in part is not trusted at all. Raises NoSuchHost if there is none.
        """
        addresses = find(host, port)
        self._judge(host, port, [ipaddress.ip_address(address) for address in addresses])
        return addresses

    def _judge(self, host: str, port: int, addresses: Iterable[Address]) -> None:
        if self._is_listed(host, port):
            return
        for address in addresses:
            if not is_public(address) and not any(address in network for network in self._networks):
                raise AddressRefused(
                    f"{host} is {address}, an address within this machine or its network: refused. "
                    f"If you trust it, add {host} to JEWEL_PRIVATE_HOSTS."
                )

    def _allow(self, entry: str) -> None:
        if not entry:
            return
        try:
            self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            return
        except ValueError:
            pass
        parts = urlsplit(f"//{entry}")
        try:
            port = parts.port
        except ValueError as error:
            raise Permanent(f"JEWEL_PRIVATE_HOSTS has {entry!r}, whose port is none ({error}).") from error
        if not parts.hostname or parts.path or parts.username:
            raise Permanent(f"JEWEL_PRIVATE_HOSTS has {entry!r}: write names, addresses or networks, comma between.")
        self._names.add((_name(parts.hostname), port))

    def _is_listed(self, host: str, port: int | None) -> bool:
        name = _name(host)
        if (name, None) in self._names or (name, port) in self._names:
            return True
        literal = _literal(host)
        return literal is not None and any(literal in network for network in self._networks)


def find(host: str, port: int) -> list[str]:
    """The IP addresses of a host, nothing judged. Raises NoSuchHost."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NoSuchHost(f"{host} could not be reached: there is no such host, or no network.") from error
    return list(dict.fromkeys(str(entry[4][0]).split("%")[0] for entry in found))


def is_public(address: Address) -> bool:
    """Whether an address is of the public network. Of IPv6 that is 2000::/3 without tunnels and documentation, and an
    IPv4 address that is public behind the prefix of a translator (`::ffff:0:0/96`, `64:ff9b::/96`).
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in _UNICAST:
            return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast


@functools.lru_cache(4096)
def one_spelling(host: str) -> str:
    """`host` or `host:port`, spelled as every other way to write the same server: in lower case, in the letters of the
    DNS, numbers as IP addresses, without a final dot and the usual ports. Raises ValueError for what is no host.
    """
    parts = urlsplit(f"//{host.rpartition('@')[2]}")
    name, port = _name(parts.hostname or ""), parts.port
    written = f"[{name}]" if ":" in name else name
    return written if port in (None, *_USUAL_PORTS.values()) else f"{written}:{port}"


def host_of(url: str) -> str:
    """`host` or `host:port` of an address, in the one spelling by which limits, pauses and robots.txt go.

    Raises ValueError for what is no address.
    """
    return one_spelling(urlsplit(url).netloc)


def shortened(url: str, length: int = 120) -> str:
    """An address without its query, fit for a sentence: queries hold signatures and keys."""
    return url.split("?", 1)[0].split("#", 1)[0][:length]


def _name(host: str) -> str:
    literal = _literal(host)
    if literal is not None:
        return str(literal)
    name = host.lower().rstrip(".")
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:  # no name that the DNS could have: it will not be found
        return name


@functools.lru_cache(4096)
def _literal(host: str) -> Address | None:
    """The IP address that a host is written as, also in the ways that only the C library still reads (`127.1`)."""
    bare = host.strip("[]").split("%")[0].rstrip(".")
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    if not bare[:1].isdigit() or not bare.isascii():  # all forms of `inet_aton` begin with a digit
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except OSError:
        return None
