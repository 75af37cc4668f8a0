"""What goes wrong on the way to a server, in our words: errors of the libraries below, without keys or signatures."""

import errno
import re
import tempfile
from collections.abc import Callable

import requests
import urllib3
from urllib3.exceptions import LocationValueError, NameResolutionError

from jewel_assets.collect.addresses import AddressRefused, NoSuchHost, shortened
from jewel_assets.collect.answers import Delayed, Refusal
from jewel_assets.errors import Permanent

_QUERY = re.compile(r"\?\S*")


def named(url: str, error: Exception, hide: Callable[[str], str], total_s: float | None) -> Exception:
    """Our error for one of the libraries below us. `total_s` is the exchange's time in all, if that is over; `hide`
    takes keys out of what they quote.
    """
    where = shortened(url)
    reason = _cause(error)
    if isinstance(reason, AddressRefused | NoSuchHost):
        return reason
    if total_s is not None:
        return took_too_long(url, total_s)
    if isinstance(reason, NameResolutionError):
        return NoSuchHost(f"{where} could not be reached: there is no such host, or no network.")
    # The libraries quote whole addresses ("Max retries exceeded with url: ..."), whose queries hold signatures.
    text = hide(_QUERY.sub("?...", f"{type(error).__name__}: {error}".splitlines()[0]))[:200]
    if isinstance(error, requests.exceptions.SSLError):
        return Refusal("not trusted", f"{where} could not be trusted ({text}). Behind a proxy, set REQUESTS_CA_BUNDLE.")
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.ReadTimeoutError | TimeoutError):
        return Delayed("took too long", f"{where} fell silent ({text}).")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | LocationValueError):
        return no_address(url)
    return Delayed("broke off", f"The connection to {where} broke off ({text}).")


def took_too_long(url: str, total_s: float) -> Delayed:
    """The exchange's time is over."""
    return Delayed("took too long", f"{shortened(url)} was not done after {total_s:g} seconds in all.")


def no_address(url: str) -> Refusal:
    """What should be an address is none: `http://[oops`."""
    return Refusal("no address", f"{shortened(url)!r} is not an address that can be fetched.")


def cannot_hold(error: OSError) -> Permanent:
    """There is no place for a file while it is received. No other file will do better."""
    folder = tempfile.gettempdir()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Permanent(
            f"No space left in {folder}, where files lie while they are received: free some disk, or set "
            "TMPDIR to a place that has some, and run again."
        )
    return Permanent(
        f"{folder}, where files lie while they are received, cannot be written ({error}): make it "
        "writable, or set TMPDIR."
    )


def _cause(error: BaseException) -> BaseException:
    """The innermost error that a library's error was raised for."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((part for part in error.args if isinstance(part, BaseException)), None)
        inner = inner or error.__cause__
        if inner is None:
            return error
        error = inner
    return error
