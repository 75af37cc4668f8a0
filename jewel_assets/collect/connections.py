"""Connections for `requests` that go only to addresses the guard has judged, under the clock of their exchange."""

import contextlib
import logging
import re
import threading
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from jewel_assets.collect import deadlines
from jewel_assets.collect.addresses import AddressGuard, NoSuchHost, find, host_of
from jewel_assets.errors import Permanent

JUDGED_S = 300.0
"""Behind a proxy a name is judged again after so long."""


class _WithoutQueries(logging.Filter):
    """Takes the queries of addresses out of what urllib3 logs when it is told to log all: they hold signatures."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = re.sub(r"\?\S*", "?...", record.getMessage()), ()
        return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_WithoutQueries())


class _Guarded:
    """Connects only to addresses that the guard has judged, under the clock of the exchange."""

    guard: AddressGuard

    def _new_conn(self) -> Any:
        return _connect(self, self.guard)

    def request(self, *arguments: Any, **named: Any) -> None:
        _watched(self)
        super().request(*arguments, **named)  # type: ignore[misc]


class _GuardedHTTPConnection(_Guarded, HTTPConnection):
    """In the clear."""


class _GuardedHTTPSConnection(_Guarded, HTTPSConnection):
    """Over TLS."""


def _connect(connection: Any, guard: AddressGuard) -> Any:
    """A socket to the connection's host, or to its proxy, which the operator named and which may be within the network.

    Each address may take the connection's timeout, all of them what is left of the exchange's time.
    """
    clock = deadlines.current()
    host, port = connection._dns_host, connection.port
    last: Exception | None = None
    for address in find(host, port) if connection.proxy else guard.resolve(host, port):
        timeout = connection.timeout if clock is None else min(connection.timeout, clock.left())
        if timeout <= 0:
            break
        try:
            made = create_connection((address, port), timeout, connection.source_address, connection.socket_options)
        except TimeoutError as error:
            last = urllib3.exceptions.ConnectTimeoutError(connection, f"Connecting to {address} took too long.")
            last.__cause__ = error
        except OSError as error:
            last = urllib3.exceptions.NewConnectionError(connection, f"Connecting to {address} failed: {error}")
        else:
            if clock is not None:
                clock.watch(made)
            return made
    raise last or urllib3.exceptions.ConnectTimeoutError(connection, f"There was no time left to connect to {host}.")


def _watched(connection: Any) -> None:
    """Put a connection that is used again under the clock of this exchange; a new one is, once it is made."""
    clock = deadlines.current()
    if clock is not None and getattr(connection, "sock", None) is not None:
        clock.watch(connection.sock)


def guarded_session(guard: AddressGuard) -> requests.Session:
    """A session whose connections are guarded; it keeps no cookies, reads no .netrc, and follows no redirect."""
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _GuardedAdapter(guard)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class _Session(requests.Session):
    """Without requests' own look at redirects: it reads the body of each, however long, and stumbles over malformed
    addresses, even where it is told to follow none.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _GuardedAdapter(HTTPAdapter):
    """requests' adapter with connections that are guarded, and without retries of its own."""

    def __init__(self, guard: AddressGuard) -> None:
        # A class of its own for each guard: urllib3 makes connections by class, and knows nothing of guards.
        self._pools = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": _bound(_GuardedHTTPConnection, guard)}),
            "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": _bound(_GuardedHTTPSConnection, guard)}),
        }
        super().__init__(pool_connections=64, pool_maxsize=64, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """See requests."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: Any, **named: Any) -> Any:
        """See requests."""
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = self._pools
        return manager


class Proxies:
    """The proxies that the environment names, and what may be asked of them. Safe in any number of threads."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Mapping[str, str]]] = {}  # scheme and host -> until when, and which

    def of(self, url: str) -> Mapping[str, str]:
        """The proxies for this address, as `requests` takes them; empty where it is fetched directly.

        A proxy finds hosts itself, so before it is asked the name is resolved here as well: AddressRefused for one
        that lies within this machine or its network. A name that only the proxy can resolve is left to its judgement.
        Raises Permanent for a proxy that cannot be used.
        """
        parts = urlsplit(url)
        key = f"{parts.scheme}://{host_of(url)}"
        with self._lock:
            until, proxies = self._known.get(key, (0.0, {}))
        if until > time.monotonic():
            return proxies
        proxies = requests.utils.get_environ_proxies(url)
        proxy = requests.utils.select_proxy(url, proxies)
        if proxy:
            _check_proxy(proxy)
            with contextlib.suppress(NoSuchHost):
                self._guard.resolve(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        with self._lock:
            self._known[key] = (time.monotonic() + JUDGED_S, proxies)
        return proxies


def _check_proxy(proxy: str) -> None:
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise Permanent(
            "The proxy that the environment names (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) is no address of an HTTP proxy: "
            "write http://host:port, or unset it."
        )


def _bound(connection: type, guard: AddressGuard) -> type:
    return type(connection.__name__, (connection,), {"guard": guard})
