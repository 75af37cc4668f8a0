"""Connections for `requests` that go only to addresses the guard has judged, under the clock of their exchange."""

import logging
import re
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from jewel_assets.collect import deadlines
from jewel_assets.collect.addresses import AddressGuard


class _WithoutQueries(logging.Filter):
    """Takes the queries of addresses out of what urllib3 logs when it is told to log all: they hold signatures."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = re.sub(r"\?\S*", "?...", record.getMessage()), ()
        return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_WithoutQueries())


class _GuardedHTTPConnection(HTTPConnection):
    """Connects only to addresses that the guard has judged, under the clock of the exchange."""

    guard: AddressGuard

    def _new_conn(self) -> Any:
        return _connect(self, self.guard)

    def request(self, *arguments: Any, **named: Any) -> None:
        _watched(self)
        super().request(*arguments, **named)


class _GuardedHTTPSConnection(HTTPSConnection):
    """The same over TLS."""

    guard: AddressGuard

    def _new_conn(self) -> Any:
        return _connect(self, self.guard)

    def request(self, *arguments: Any, **named: Any) -> None:
        _watched(self)
        super().request(*arguments, **named)


def _connect(connection: Any, guard: AddressGuard) -> Any:
    last: Exception | None = None
    for address, _ in guard.resolve(connection._dns_host, connection.port):
        try:
            made = create_connection(
                (address, connection.port), connection.timeout, connection.source_address, connection.socket_options
            )
        except TimeoutError as error:
            last = urllib3.exceptions.ConnectTimeoutError(connection, f"Connecting to {address} took too long.")
            last.__cause__ = error
        except OSError as error:
            last = urllib3.exceptions.NewConnectionError(connection, f"Connecting to {address} failed: {error}")
        else:
            clock = deadlines.current()
            if clock is not None:
                clock.watch(made)
            return made
    assert last is not None  # `resolve` never gives an empty list
    raise last


def _watched(connection: Any) -> None:
    """Put a connection that is used again under the clock of this exchange; a new one is, once it is made."""
    clock = deadlines.current()
    if clock is not None and getattr(connection, "sock", None) is not None:
        clock.watch(connection.sock)


class GuardedAdapter(HTTPAdapter):
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


def _bound(connection: type, guard: AddressGuard) -> type:
    return type(connection.__name__, (connection,), {"guard": guard})
