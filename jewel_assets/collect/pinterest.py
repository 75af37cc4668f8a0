"""The source `pinterest`: pins of a search page, read from what the page itself asks (`BaseSearchResource`).

Pinterest has no interface for searching the pins of all, and its developer guidelines forbid to store what it shows:
the source is off until the operator states who permits it, and what it finds is for reference, never for training. The
page is opened in a browser and scrolled until it has brought enough; where it brings no answers its markup is read.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from jewel_assets.collect.answers import Delayed, Gone, KeyRefused, Received, Refusal, retry_after
from jewel_assets.collect.browser import Visit, browsing, outside_any_loop
from jewel_assets.collect.fetcher import LONGEST_RETRY_AFTER_S, MAX_JSON_BYTES, Fetcher
from jewel_assets.collect.limits import HostRule
from jewel_assets.collect.pins import is_end, pins_of_markup, refusal_of, results_of, wall_of
from jewel_assets.collect.source import SEARCH_FRESH_S, Found, Source, host_of
from jewel_assets.errors import Permanent, Transient

if TYPE_CHECKING:
    from playwright.sync_api import Request

ANSWER_PATH = "/resource/BaseSearchResource/get"
MAX_BYTES = 64 << 20
QUIET = 3
"""So many scrolls in a row without a new pin end a search whose bookmarks never do."""
TICK_S = 0.1

_SCROLL_UP = "() => { window.scrollBy(0, -600); return true }"
_SCROLL_DOWN = "() => { window.scrollTo(0, document.documentElement.scrollHeight); return true }"
_BOXES = """() => Array.from(document.querySelectorAll('a[href*="/pin/"]'), link => {
  const box = link.closest('[data-test-id="pinWrapper"]') || link
  const image = box.querySelector('img')
  const of = (element, name) => (element && element.getAttribute(name)) || ''
  return {
    href: of(link, 'href'), label: of(link, 'aria-label'), src: of(image, 'src'), srcset: of(image, 'srcset'),
    alt: of(image, 'alt'), text: box.innerText.slice(0, 400), video: !!box.querySelector('video'),
  }
})"""
_SIGNS = """() => ({
  url: location.href, title: document.title, text: document.body ? document.body.innerText.slice(0, 2000) : '',
  password: !!document.querySelector('input[type="password"]'),
  captcha: !!document.querySelector('iframe[src*="captcha"], iframe[title*="captcha" i], [id*="captcha" i]'),
})"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pinterest(Source):
    """Pictures that people pinned, as large as Pinterest still has them."""

    url: str = "https://www.pinterest.com"
    keeping_permission: str | None = None  # the operator's statement; without it the policy lets nothing be kept
    images: str = "i.pinimg.com"  # host of the pictures
    scripts: tuple[str, ...] = ("s.pinimg.com",)  # hosts of the scripts of Pinterest's own pages
    pages_per_second: float = 0.2  # pages and answers to a search
    files_per_second: float = 4.0
    patience_s: float = 10.0  # for the page to bring something after it was scrolled
    search_s: float = 600.0  # for one search
    total_s: float = 120.0  # for one picture
    fresh_s: float = SEARCH_FRESH_S
    name: str = "pinterest"

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """Pages as slowly as a person turns them, pictures faster; robots.txt holds for all, as no terms allow more."""
        pages = {host_of(self.url): HostRule(self.pages_per_second, 1)}
        scripts = {host: HostRule(20.0, 2) for host in self._scripts()}
        return scripts | {self.images: HostRule(self.files_per_second, 2)} | pages

    @property
    def secrets(self) -> Sequence[str]:
        """None: we log in nowhere."""
        return []

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Pictures are taken as they are."""
        return {}

    @property
    def requests_each(self) -> Mapping[str, int]:
        """One, if the largest size is there."""
        return {self.images: 1}

    def search(self, fetcher: Fetcher, query: str, most: int) -> Iterator[Found]:
        """Pins by relevance. The page is opened when the first one is taken, and closed again before it is given.

        A search that breaks off once it has found something is content with it, and says so in the log. Raises
        Disallowed (robots.txt), Permanent (no browser), Refusal ("log-in wall", "challenged", "strange answer",
        "strange page", "leads elsewhere") and Delayed ("rate limited", "took too long", ...) where it finds nothing.
        """
        address = f"{self.url}/search/pins/?{urlencode({'q': query, 'rs': 'typed'})}"
        kept_as = f"{address}#{most}"
        known = fetcher.archive.page(kept_as)
        if known is not None and known.at > time.time() - self.fresh_s:
            yield from (Found(**one) for one in json.loads(known.body))
            return
        looking = _Looking(fetcher, address, most, self.patience_s)
        outside_any_loop(lambda: self._look(fetcher, looking))
        found = list(looking.pins.values())[:most]
        if found and not looking.answers:
            log.warning(
                "Pinterest, %r: the page brought no answers, so %d pins were read from the markup: who pinned them is "
                "not known, and advertisements may be among them.",
                query,
                len(found),
            )
        if looking.trouble is None:
            body = json.dumps([asdict(one) for one in found]).encode()
            fetcher.archive.keep_page(kept_as, body, None, None)
        elif found:
            log.warning("Pinterest, %r: the search broke off after %d pins. %s", query, len(found), looking.trouble)
        else:
            raise looking.trouble
        yield from found

    def fetch(self, fetcher: Fetcher, row: Mapping[str, Any]) -> Received:
        """Receive the picture in the largest size that is still there: originals go first."""
        last: Refusal = Gone(f"Pin {row['source_id']} names no picture.")
        for address in row["extra"]["addresses"]:
            try:
                return fetcher.file(address, max_bytes=MAX_BYTES, total_s=self.total_s)
            except KeyRefused as error:  # we have no key: it is a 403 by another name
                last = Refusal("not allowed", str(error))
            except Refusal as error:
                if not isinstance(error, Gone) and error.reason != "not allowed":
                    raise
                last = error
        raise last

    def _scripts(self) -> tuple[str, ...]:
        """Hosts of scripts; a stand-in for Pinterest brings its own."""
        name = urlsplit(self.url).hostname or ""
        return self.scripts if name == "pinterest.com" or name.endswith(".pinterest.com") else ()

    def _look(self, fetcher: Fetcher, looking: "_Looking") -> None:
        """Open the page and look at it until it has brought enough; trouble is noted, not raised."""
        try:
            _leave_alone_if_paused(fetcher, host_of(self.url))
            fetcher.page_allowed(looking.address)
            with browsing(
                fetcher,
                looking.address,
                scripts=self._scripts(),
                is_counted=lambda url: urlsplit(url).path.startswith(ANSWER_PATH),
                total_s=self.search_s,
            ) as visit:
                looking.look(visit)
        except (Permanent, Transient) as error:
            looking.trouble = error


@dataclass
class _Looking:
    """One search: what the page has brought so far."""

    fetcher: Fetcher
    address: str
    most: int
    patience_s: float
    pins: dict[str, Found] = field(default_factory=dict)  # by id, best first
    trouble: Permanent | Transient | None = None
    answers: int = 0  # that were read
    _answered: "list[Request]" = field(default_factory=list)  # and not read yet
    _bookmarks: set[str] = field(default_factory=set)
    _is_at_end: bool = False

    def look(self, visit: Visit) -> None:
        """Scroll, read, and scroll again. Raises what `Visit` and `results_of` raise."""
        visit.page.on("requestfinished", self._note)
        self._judge(*visit.go(self.address))
        quiet = 0
        while True:
            before = len(self.pins)
            try:
                self._wait_for_an_answer(visit)
                while self._answered:
                    self._read(self._answered.pop(0))
            except (Permanent, Transient):  # robots.txt may allow the page and not what it asks, for one
                if not self.pins and not visit.is_over():
                    self._read_markup(visit)
                raise
            if not self.answers:  # else it would bring back what was left out of them: advertisements, films
                self._read_markup(visit)
            quiet = 0 if len(self.pins) > before else quiet + 1
            if len(self.pins) >= self.most or self._is_at_end:
                break
            if quiet >= QUIET and self.answers:
                raise Delayed("broke off", f"{self.address} brought nothing more, though its last bookmark was none.")
            if quiet >= QUIET:
                break
            if visit.is_over():
                raise Delayed(
                    "took too long", f"{self.address} had brought {len(self.pins)} pins when its time was up."
                )
            if quiet:
                visit.ask(_SCROLL_UP)  # at the foot of a page, scrolling down does nothing
            visit.ask(_SCROLL_DOWN)
        if not self.pins and not self.answers:
            self._judge_wall(visit)
            raise Refusal(
                "strange page",
                f"{self.address} shows no pins and asks for none: Pinterest's page has changed, and this source must "
                "be changed with it.",
            )

    def _note(self, request: "Request") -> None:
        parts = urlsplit(request.url)
        if parts.netloc == host_of(self.address) and parts.path.startswith(ANSWER_PATH):
            self._answered.append(request)

    def _wait_for_an_answer(self, visit: Visit) -> None:
        """Until an answer is there, or the page has had its time since it was scrolled or last let ask."""
        since = time.monotonic()
        while not self._answered and not visit.is_over():
            if time.monotonic() > max(since, visit.door.passed_at) + self.patience_s:
                return
            visit.wait(TICK_S)

    def _read(self, request: "Request") -> None:
        """Take the pins of an answer, and see whether it is the last."""
        from playwright.sync_api import Error

        try:
            response = request.response()
            body = response.body() if response is not None else b""
        except Error:  # the page was left while it came
            return
        if response is None or len(body) > MAX_JSON_BYTES:
            return
        self.answers += 1
        try:
            answer = json.loads(body)
        except ValueError:
            self._judge(response.status, dict(response.headers))
            raise Delayed("not JSON", "Pinterest's answer to a search should be JSON and is not.") from None
        self._judge(response.status, dict(response.headers), answer)
        pins, bookmark = results_of(answer)
        for pin in pins:
            self.pins.setdefault(pin.source_id, pin)
        self._is_at_end = is_end(bookmark) or bookmark in self._bookmarks
        self._bookmarks.add(bookmark or "")

    def _read_markup(self, visit: Visit) -> None:
        for pin in pins_of_markup(visit.ask(_BOXES)):
            self.pins.setdefault(pin.source_id, pin)

    def _judge_wall(self, visit: Visit) -> None:
        wall = wall_of(visit.ask(_SIGNS))
        if wall is not None:
            raise wall

    def _judge(self, status: int, headers: Mapping[str, str], answer: Any = None) -> None:
        """Raise for a status that is no 200; what an answer says of it goes first."""
        if status == 200:
            return
        after = retry_after({"Retry-After": headers.get("retry-after", "")})
        if after is not None:
            self.fetcher.limits.pause(host_of(self.address), after)
        if answer is not None and status not in (429, 503):
            results_of(answer)
        raise refusal_of(status, None, after)


def _leave_alone_if_paused(fetcher: Fetcher, host: str) -> None:
    """A host that asked for long patience is not waited for: the next run asks it."""
    seconds = fetcher.limits.paused_for(host)
    if seconds > LONGEST_RETRY_AFTER_S:
        raise Delayed("rate limited", f"{host} asks for {seconds:.0f} more seconds of patience.", seconds)
