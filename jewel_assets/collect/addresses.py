"""Which addresses a fetch may connect to: none within this machine or its network, unless the operator lists it.

A server that is asked for a photo may answer with a redirect to `http://169.254.169.254/` (a cloud's metadata) or to a
name that points to 127.0.0.1. So a name is resolved once, every address that it has is judged, and the connection goes
to the very address that was judged, at the first request and at every redirect. (OWASP, Server-Side Request Forgery
Prevention Cheat Sheet, case 2.)
"""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from jewel_assets.errors import Permanent, Transient

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
_USUAL_PORTS = {"http": 80, "https": 443}


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
        """Raise AddressRefused for an address that is not plain http(s), hides a user or asks for an odd port."""
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
        if port not in (None, *_USUAL_PORTS.values()) and not self._is_listed(parts.hostname, port):
            raise AddressRefused(
                f"{parts.hostname}:{port} is no usual port of a web server. If you trust it, add "
                f"{parts.hostname}:{port} to JEWEL_PRIVATE_HOSTS."
            )

    def trust_proxy(self, url: str) -> None:
        """Let connections go to the proxy that the environment names: it is the operator's own."""
        parts = urlsplit(url if "://" in url else f"//{url}")
        if parts.hostname:
            self._names.add((parts.hostname, parts.port))

    def resolve(self, host: str, port: int) -> list[tuple[str, int]]:
        """The addresses of a host as (IP address, family), all of them judged; the caller connects to one of these.

        Raises AddressRefused if any of them is private, loopback, link-local or otherwise not of the public network:
        a name that points inwards in part is not trusted at all. Raises NoSuchHost if there is none.
        """
        bare = host.strip("[]")
        try:
            found = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NoSuchHost(f"{host} could not be reached: there is no such host, or no network.") from error
        addresses = list(dict.fromkeys((str(entry[4][0]).split("%")[0], int(entry[0])) for entry in found))
        if not self._is_listed(bare, port):
            for address, _ in addresses:
                if not self._may_connect(ipaddress.ip_address(address)):
                    raise AddressRefused(
                        f"{host} is {address}, an address within this machine or its network: refused. "
                        f"If you trust it, add {host} to JEWEL_PRIVATE_HOSTS."
                    )
        return addresses

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
        self._names.add((parts.hostname, port))

    def _is_listed(self, host: str, port: int | None) -> bool:
        name = host.strip("[]").lower()
        if (name, None) in self._names or (name, port) in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def _may_connect(self, address: Address) -> bool:
        public = is_public(address)
        return public or any(address in network for network in self._networks)


def is_public(address: Address) -> bool:
    """Whether an address is of the public network, also by the IPv4 address that it may carry."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.sixtofour is not None or address.teredo is not None:
            return False  # tunnels that carry an address of their own choice
    return address.is_global and not address.is_multicast


def shortened(url: str, length: int = 120) -> str:
    """An address without its query, fit for a sentence: queries hold signatures and keys."""
    return url.split("?", 1)[0].split("#", 1)[0][:length]
