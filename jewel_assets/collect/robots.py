"""What a site says programs may fetch: `robots.txt` (RFC 9309, read by protego) and the header `X-Robots-Tag`."""

import re
import threading
import time
from collections.abc import Callable, Iterable

from protego import Protego

from jewel_assets.collect.answers import Delayed
from jewel_assets.errors import Permanent

PRODUCT = "jewel-assets"
"""The name that a robots.txt calls us by."""
KEEP_S = 86_400.0
"""RFC 9309, 2.4: a robots.txt should not be used for longer than a day."""
UNREACHABLE_S = 300.0
"""One that could not be had is not asked for again so soon, and nothing of its site is."""
MAX_BYTES = 500 * 1024
"""RFC 9309, 2.5: at least 500 KiB must be read; more is not."""
LONGEST_DELAY_S = 60.0

_NO_AI = re.compile(r"(?<![\w-])no(?:image)?ai(?![\w-])")
_NAMED = re.compile(r"\s*(\*|[a-z][\w./-]*)\s*:")
_WITH_VALUE = {"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"}
"""Directives that are written `name: value`; any other word before a colon is a program's name."""


class Disallowed(Permanent):
    """The site's robots.txt does not allow programs to fetch this page."""


class Robots:
    """The rules of each site, fetched once a day by `fetch(url)`, which gives (status, bytes), follows redirects, and
    tries as often as it is worth.
    """

    def __init__(self, fetch: Callable[[str], tuple[int, bytes]]) -> None:
        self._fetch = fetch
        self._rules: dict[str, tuple[float, Protego | Delayed | None]] = {}  # origin -> until when, and what it said
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def delay(self, origin: str, url: str) -> float:
        """Seconds that the site wants between two requests (0 if it does not say). Raises Disallowed, or Delayed
        while its robots.txt cannot be had.
        """
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
            until, rules = self._rules.get(origin, (0.0, None))
            if until <= time.monotonic():
                rules = self._ask(origin)
                keep_s = UNREACHABLE_S if isinstance(rules, Delayed) else KEEP_S
                until = time.monotonic() + keep_s
                self._rules[origin] = (until, rules)
        if isinstance(rules, Delayed):
            raise Delayed(rules.reason, f"{rules} Until it can be read, nothing there is fetched.", UNREACHABLE_S)
        return rules

    def _ask(self, origin: str) -> Protego | Delayed | None:
        """The rules, None where there are none, or why they cannot be had. RFC 9309, 2.3.1: a 4xx allows everything,
        and what is unreachable nothing.
        """
        try:
            status, body = self._fetch(f"{origin}/robots.txt")
        except Delayed as error:
            return Delayed(error.reason, str(error))  # anew, without what its traceback holds on to
        if status >= 400:
            return None
        return Protego.parse(body[:MAX_BYTES].decode("utf-8", "replace"))


def forbids_ai(tags: Iterable[str]) -> bool:
    """Whether an `X-Robots-Tag` says `noai` or `noimageai`, to all or to us by name. `tags` are the headers of that
    name, one by one.

    `otherbot: noai` does not bind us. The name holds here for what stands right behind it alone: by the letter it holds
    up to the header's end, but who stands in between may have joined several headers into one, so that
    `otherbot: nofollow, noai` may well be meant for all, and in doubt it is.
    """
    for part in (part for tag in tags for part in tag.lower().split(",")):
        named = _NAMED.match(part)
        is_others = named is not None and named[1] not in {"*", PRODUCT, "noai", "noimageai"} | _WITH_VALUE
        if not is_others and _NO_AI.search(part):
            return True
    return False
