"""What a site says programs may fetch: `robots.txt` (RFC 9309, read by protego) and the header `X-Robots-Tag`."""

import threading
import time
from collections.abc import Callable, Mapping

from protego import Protego

from jewel_assets.errors import Permanent, Transient

PRODUCT = "jewel-assets"
"""The name that a robots.txt calls us by."""
KEEP_S = 86_400.0
"""RFC 9309, 2.4: a robots.txt should not be used for longer than a day."""
MAX_BYTES = 500 * 1024
"""RFC 9309, 2.5: at least 500 KiB must be read; more is not."""
LONGEST_DELAY_S = 60.0

_NO_AI = {"noai", "noimageai"}


class Disallowed(Permanent):
    """The site's robots.txt does not allow programs to fetch this page."""


class Robots:
    """The rules of each site, fetched once a day by `fetch(url)`, which gives (status, bytes) and follows redirects."""

    def __init__(self, fetch: Callable[[str], tuple[int, bytes]]) -> None:
        self._fetch = fetch
        self._rules: dict[str, tuple[float, Protego | None]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def delay(self, origin: str, url: str) -> float:
        """Seconds that the site wants between two requests (0 if it does not say). Raises Disallowed or Transient."""
        rules = self._of(origin)
        if rules is None:
            return 0.0
        if not rules.can_fetch(url, PRODUCT):
            raise Disallowed(f"{origin}/robots.txt does not allow programs to fetch this address.")
        return min(float(rules.crawl_delay(PRODUCT) or 0.0), LONGEST_DELAY_S)

    def _of(self, origin: str) -> Protego | None:
        with self._lock:
            lock = self._locks.setdefault(origin, threading.Lock())
        with lock:
            known = self._rules.get(origin)
            if known is None or known[0] < time.monotonic() - KEEP_S:
                known = (time.monotonic(), self._ask(origin))
                self._rules[origin] = known
            return known[1]

    def _ask(self, origin: str) -> Protego | None:
        """The rules, or None where there are none. RFC 9309, 2.3.1: a 4xx allows everything, a 5xx nothing."""
        status, body = self._fetch(f"{origin}/robots.txt")
        if status >= 500:
            raise Transient(f"{origin}/robots.txt answered {status}: until it can be read, nothing there is fetched.")
        if status >= 400:
            return None
        return Protego.parse(body[:MAX_BYTES].decode("utf-8", "replace"))


def forbids_ai(headers: Mapping[str, str]) -> bool:
    """Whether `X-Robots-Tag` says `noai` or `noimageai`, to all or to us by name."""
    told_to = "*"
    for part in (headers.get("X-Robots-Tag") or "").split(","):
        name, colon, directive = part.strip().lower().rpartition(":")
        if colon and name.strip() != "unavailable_after":
            told_to = name.strip()  # "otherbot: noai, noindex": the name holds for what follows it
        if directive.strip() in _NO_AI and told_to in ("*", "", PRODUCT):
            return True
    return False
