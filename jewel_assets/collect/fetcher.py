"""The one way out: every request of every source goes through a `Fetcher`, which is polite, careful and discreet.

Polite: says who it is, keeps to each host's rate, connections and quotas (`limits`), waits when it is asked to
(`Retry-After`), obeys robots.txt and `noai` (`robots`), asks only whether what it knows has changed.
Careful: connects to no address within this machine or network (`addresses`), follows few redirects and judges each,
gives each attempt a total time (`deadlines`) and each answer a number of bytes.
Discreet: keys go to the host they belong to and to no other, and stand in no error.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, TypeVar
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
import tenacity
import urllib3

from jewel_assets.collect import deadlines
from jewel_assets.collect.addresses import AddressGuard, NoSuchHost, host_of, shortened
from jewel_assets.collect.answers import (
    Answer,
    Delayed,
    Gone,
    KeyRefused,
    Received,
    Refusal,
    retry_after,
    whole_number,
    words_of,
)
from jewel_assets.collect.archive import Archive
from jewel_assets.collect.connections import Proxies, guarded_session
from jewel_assets.collect.failures import cannot_hold, named, no_address, took_too_long
from jewel_assets.collect.limits import LONGEST_RETRY_AFTER_S as LONGEST_RETRY_AFTER_S
from jewel_assets.collect.limits import Limits
from jewel_assets.collect.robots import MAX_BYTES as ROBOTS_BYTES
from jewel_assets.collect.robots import Robots, forbids_ai
from jewel_assets.errors import Transient

ATTEMPTS = 4
CONNECT_S = 10.0  # to one of a host's addresses
SILENCE_S = 30.0  # between two bytes
ROBOTS_S = 30.0  # for a robots.txt in all
MAX_REDIRECTS = 5
MAX_JSON_BYTES = 32 << 20
IN_MEMORY_BYTES = 4 << 20  # of a file that is being received; what is longer lies on disk
CHUNK = 1 << 16

_TRANSIENT_STATUS = {408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524}
_REDIRECTS = {301, 302, 303, 307, 308}
_SECRET_HEADERS = {"authorization", "cookie", "x-api-key"}


T = TypeVar("T")


class Fetcher:
    """Fetches for one process. Safe in any number of threads; `close` it, or use it in a `with` block."""

    def __init__(
        self,
        limits: Limits,
        archive: Archive | None = None,
        guard: AddressGuard | None = None,
        *,
        contact: str | None = None,
        secrets: Sequence[str] = (),
        silence_s: float = SILENCE_S,
    ) -> None:
        self.limits = limits
        self.archive = archive or Archive(None)
        self.guard = guard or AddressGuard()
        self._secrets = [secret for secret in secrets if secret]
        self._silence_s = silence_s
        self._session = guarded_session(self.guard)
        self._session.headers.update({"User-Agent": user_agent(contact), "Accept-Encoding": "identity"})
        self._verify = requests.Session().merge_environment_settings("https://x/", {}, None, None, None)["verify"]
        self._proxies = Proxies(self.guard)
        self._robots = Robots(self._fetch_robots)

    def json(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        fresh_s: float = 0.0,
        remember: bool = True,
        total_s: float = 60.0,
        limited: Callable[[int, bytes], bool] = lambda status, body: status == 429,
    ) -> Answer:
        """Ask a program's interface. An answer younger than `fresh_s` is not asked for again, an older one is asked for
        on condition that it changed. Each attempt counts against the host's quotas. With `remember` False nothing of
        the answer is kept: it holds a key, or the signature of an address. What is no JSON, a maintenance page for
        one, is never kept, and asked for again at once. `total_s` as for a `file`.

        `limited(status, body)` says whether an answer means that the quota is used up: the host is then left alone
        until it says, or until the next full window, and asked again. `headers` go to this host alone.

        Raises Gone, KeyRefused, Refusal for what stays so; Delayed when all attempts failed.
        """
        address = _address(url, params)
        known = self.archive.page(address) if remember else None
        if known is not None and known.at > time.time() - fresh_s:
            return Answer(200, {}, known.body, reused=True)
        asked = dict(headers or {}) | {"Accept": "application/json"}
        if known is not None and known.etag:
            asked["If-None-Match"] = known.etag
        elif known is not None and known.last_modified:
            asked["If-Modified-Since"] = known.last_modified

        def attempt() -> Answer:
            with self._exchange(address, asked, total_s, is_interface=True) as answer:
                body = b"".join(_chunks(answer, MAX_JSON_BYTES))
                status = answer.status_code
                told = requests.structures.CaseInsensitiveDict(answer.headers)
                if limited(status, body):
                    raise self._out_of_quota(answer)
                if status == 304 and known is not None:
                    self.archive.confirm_page(address)
                    return Answer(200, told, known.body)
                self._judge(answer, body)
                asked_for = Answer(status, told, body)
                asked_for.json()  # or Delayed
                if remember and (fresh_s or told.get("ETag") or told.get("Last-Modified")):
                    self.archive.keep_page(address, body, told.get("ETag"), told.get("Last-Modified"))
                return asked_for

        return self._persistently(address, attempt)

    def file(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        max_bytes: int,
        total_s: float = 120.0,
    ) -> Received:
        """Receive a file. `total_s` is what one attempt has for connecting, all redirects and the bytes. Not within it:
        waiting for the hosts' places, rates and pauses, their robots.txt, the name server, and further attempts.

        Raises Refusal ("noai", "file too large", "no address", ...), Gone, AddressRefused, Disallowed for what stays
        so, Delayed ("took too long", "broke off", "server error", ...) when all attempts failed, and Permanent where
        there is no room for the file while it is received.
        """

        def attempt() -> Received:
            with self._exchange(url, dict(headers or {}), total_s, is_interface=False) as answer:
                self._judge(answer, None)
                if forbids_ai(answer.raw.headers.getlist("X-Robots-Tag")):
                    raise Refusal("noai", f"{shortened(answer.url)} is marked noai (X-Robots-Tag): it is left alone.")
                return self._receive(answer, max_bytes)

        return self._persistently(url, attempt)

    def page_allowed(self, url: str) -> None:
        """Raise Disallowed unless the site's robots.txt lets programs fetch this page; note its crawl-delay."""
        self._persistently(url, lambda: self._obey_robots(url))

    def hide(self, text: str) -> str:
        """A text without the keys that it may quote."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text

    def close(self) -> None:
        """Let go of connections, threads and files."""
        self._session.close()
        self.limits.close()
        self.archive.close()

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _obey_robots(self, url: str) -> None:
        host = _host(url)
        self.limits.slow_down(host, self._robots.delay(f"{urlsplit(url).scheme}://{host}", url))

    def _persistently(self, url: str, attempt: Callable[[], T]) -> T:
        first = self.limits.rule(_host(url)).first_pause_s

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, Transient) and error.retry_after is not None:
                return error.retry_after  # 0 where the host is paused for as long anyway
            return first * 2.0 ** (state.attempt_number - 1) * random.uniform(0.5, 1.5)

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            retry=tenacity.retry_if_exception(self._is_worth_another_try),
            wait=wait,
            reraise=True,
        )
        return retrying(attempt)

    def _is_worth_another_try(self, error: BaseException) -> bool:
        return (
            isinstance(error, Transient)
            and not isinstance(error, NoSuchHost)  # waiting seconds does not bring a network
            and (error.retry_after or 0.0) <= LONGEST_RETRY_AFTER_S
        )

    @contextmanager
    def _exchange(
        self, url: str, headers: Mapping[str, str], total_s: float, is_interface: bool
    ) -> Iterator[requests.Response]:
        """Ask, follow redirects, and give the last answer with its body unread. Errors become ours, without keys."""
        first, left, hops = _host(url), total_s, 0
        insecure = urlsplit(url).scheme == "http"
        while True:
            host = _host(url)
            self.guard.check_url(url)
            proxies = self._proxies.of(url)
            if not is_interface and self.limits.rule(host).obeys_robots:
                self._obey_robots(url)
            sent = headers if host == first else {k: v for k, v in headers.items() if k.lower() not in _SECRET_HEADERS}
            with self.limits.place(host), deadlines.within(left) as clock:
                try:
                    answer = self._send(url, sent, clock, proxies)
                    with answer:
                        target = answer.headers.get("Location") if answer.status_code in _REDIRECTS else None
                        if target is None:
                            yield answer
                        if clock.is_over:  # a body without a length just ends when it is shut down
                            raise took_too_long(url, total_s)
                        if target is None:
                            return
                except Delayed:
                    if clock.is_over:
                        raise took_too_long(url, total_s) from None
                    raise
                except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                    raise named(url, error, self.hide, total_s if clock.is_over else None) from None
            hops, left = hops + 1, clock.ends - time.monotonic()
            url = _led_to(url, target)
            if hops > MAX_REDIRECTS:
                raise Refusal("too many redirects", f"{shortened(url)} is the {hops}th redirect in a row: given up.")
            if urlsplit(url).scheme == "http" and not insecure:
                raise Refusal("insecure redirect", f"A redirect leads from https to {shortened(url)}: not followed.")

    def _send(
        self, url: str, headers: Mapping[str, str], clock: deadlines.Clock, proxies: Mapping[str, str]
    ) -> requests.Response:
        request = self._session.prepare_request(requests.Request("GET", url, headers=dict(headers)))
        left = max(clock.left(), 0.001)
        return self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            timeout=(min(CONNECT_S, left), min(self._silence_s, left)),
            proxies=dict(proxies),
            verify=self._verify,
        )

    def _judge(self, answer: requests.Response, body: bytes | None) -> None:
        """Raise for anything but a 200. `body` is that of an interface's answer; for a file it is None."""
        status, where = answer.status_code, shortened(answer.url)
        if status == 200:
            return
        told = "" if body is None else f": {words_of(body, self.hide)}"
        if status in (404, 410):
            raise Gone(f"{where} answered {status} {answer.reason}{told}.")
        if status == 401:
            raise KeyRefused(f"{where} answered {status} {answer.reason}{told}.")
        if status in _TRANSIENT_STATUS or status >= 500:
            raise self._paused(answer, "rate limited" if status == 429 else "server error", told)
        if status in (403, 451):
            raise Refusal(
                "not allowed", f"{where} answered {status} {answer.reason}: it does not let us have it{told}.", status
            )
        raise Refusal("unexpected answer", f"{where} answered {status} {answer.reason}{told}.", status)

    def _out_of_quota(self, answer: requests.Response) -> Delayed:
        """The account's limit is reached: until the server says, or until the next full window."""
        if retry_after(answer.headers) is not None:
            return self._paused(answer, "rate limited")
        host = _host(answer.url)
        seconds = self.limits.pause_until_next_window(host)
        return Delayed("rate limited", f"{host} says that its limit is reached: waiting {seconds:.0f} s.", 0.0)

    def _paused(self, answer: requests.Response, reason: str, told: str = "") -> Delayed:
        """Where the server asks us to wait the whole host is left alone for as long, this item and all others."""
        host, seconds = _host(answer.url), retry_after(answer.headers)
        if seconds is None:
            return Delayed(reason, f"{shortened(answer.url)} answered {answer.status_code} {answer.reason}{told}.")
        self.limits.pause(host, seconds)
        # Who waits until then keeps a thread; who waits longer than that gives the item up for this run.
        after = 0.0 if seconds <= LONGEST_RETRY_AFTER_S else seconds
        return Delayed(reason, f"{host} asks for {seconds:.0f} seconds of patience.", after)

    def _receive(self, answer: requests.Response, max_bytes: int) -> Received:
        length = whole_number(answer.headers.get("Content-Length", ""))
        if length is not None and length > max_bytes:
            raise Refusal("file too large", f"{shortened(answer.url)} has {length:,} bytes; at most {max_bytes:,}.")
        file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115, whoever receives it closes it
        total = 0
        try:
            for chunk in _chunks(answer, max_bytes):
                _hold(file, chunk)
                total += len(chunk)
            encoded = answer.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
            if length is not None and total != length and not encoded:
                raise Delayed("broke off", f"{shortened(answer.url)} sent {total:,} bytes of {length:,}.")
        except BaseException:
            with suppress(OSError):  # on a full disk closing fails as writing does
                file.close()
            raise
        told = answer.headers
        media_type = told.get("Content-Type", "").split(";")[0].strip().lower()
        return Received(file, total, media_type, told.get("ETag"), told.get("Last-Modified"), answer.url)

    def _fetch_robots(self, url: str) -> tuple[int, bytes]:
        def attempt() -> tuple[int, bytes]:
            with self._exchange(url, {}, ROBOTS_S, is_interface=True) as answer:
                if answer.status_code in _TRANSIENT_STATUS or answer.status_code >= 500:
                    self._judge(answer, None)
                return answer.status_code, _beginning(answer, ROBOTS_BYTES)

        try:
            return self._persistently(url, attempt)
        except Refusal:  # a loop of redirects: RFC 9309, 2.3.1.2, lets us take it for unavailable
            return 404, b""


def user_agent(contact: str | None) -> str:
    """How we introduce ourselves: with an address where a person can be reached, if the operator gave one."""
    from importlib.metadata import version

    return f"jewel-assets/{version('jewel-assets')}" + (f" (+{contact})" if contact else "")


def _chunks(answer: requests.Response, max_bytes: int) -> Iterator[bytes]:
    """The body, decoded, piece by piece. Raises Refusal once it is longer than `max_bytes`."""
    total = 0
    for chunk in answer.raw.stream(CHUNK, decode_content=True):
        total += len(chunk)
        if total > max_bytes:
            raise Refusal("file too large", f"{shortened(answer.url)} sends more than {max_bytes:,} bytes: cut off.")
        yield chunk


def _beginning(answer: requests.Response, length: int) -> bytes:
    """At least so many bytes of the body, if it has as many; the rest is not read."""
    body = b""
    for chunk in answer.raw.stream(CHUNK, decode_content=True):
        body += chunk
        if len(body) >= length:
            break
    return body


def _address(url: str, params: Mapping[str, Any] | None) -> str:
    """The address with its query. It is what an answer is remembered by, so a key never goes into it."""
    given = {name: value for name, value in (params or {}).items() if value is not None}
    try:
        return str(requests.Request("GET", url, params=given).prepare().url)
    except requests.exceptions.RequestException:
        raise no_address(url) from None


def _host(url: str) -> str:
    """The host of an address, in its one spelling. Raises Refusal for what is no address."""
    try:
        return host_of(url)
    except ValueError:
        raise no_address(url) from None


def _led_to(url: str, location: str) -> str:
    """Where a redirect leads. Raises Refusal for what is no address."""
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")  # headers are read as the first, and written as the other
    try:
        return urldefrag(urljoin(url, location)).url
    except ValueError:
        raise no_address(location) from None


def _hold(file: IO[bytes], chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise cannot_hold(error) from error
