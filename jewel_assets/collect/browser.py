"""A browser for pages that show nothing without their script: Chromium, headless, by Playwright, on a short lead.

It asks as politely as the `Fetcher` does: by robots.txt, at the host's rate, with our name in its user agent. It talks
to the hosts that it is given and to none else, in two ways: each request is judged before it leaves (`_Door`), and
Chromium itself finds no host but those, at the very addresses that were judged (`--host-resolver-rules`): redirects,
preconnections and sockets never pass the door. Pictures, fonts and films are not loaded, nothing is sent but
questions (GET), nothing is kept.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests

from jewel_assets.collect.addresses import NoSuchHost, host_of, shortened
from jewel_assets.collect.answers import Delayed, Refusal
from jewel_assets.collect.connections import Proxies
from jewel_assets.collect.fetcher import Fetcher, user_agent
from jewel_assets.errors import Permanent, Transient
from jewel_assets.settings import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Route

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/snap/bin/chromium",
    "/opt/google/chrome/chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
ARGUMENTS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
LOADED = frozenset({"document", "script", "stylesheet", "xhr", "fetch"})
"""Kinds of requests that are let through; pictures are fetched by the `Fetcher`, once they are wanted."""
PORTS = {"http": 80, "https": 443}
# fmt: off
PASSED_ON = frozenset((
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "DISPLAY", "WAYLAND_DISPLAY",
    "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "CHROME_DEVEL_SANDBOX", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
))
# fmt: on
"""Of the environment Chromium is given these and XDG_*, LC_*: keys are none of its business, ours or others'."""

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass
class _Door:
    """Every request of the page passes here: let through in its turn, or turned away."""

    fetcher: Fetcher
    origin: str  # of the page
    scripts: Sequence[str]  # hosts that scripts and styles may come from besides
    is_counted: Callable[[str], bool]  # whether a request to the page's own host waits for its turn
    errors: list[Exception] = field(default_factory=list)
    turned_away: Counter[str] = field(default_factory=Counter)  # host -> requests
    passed_at: float = 0.0  # time.monotonic() when a counted request was last let through

    def judge(self, route: "Route") -> None:
        """Called for each request. Waits, so that everything else of the page waits as well."""
        url, kind = route.request.url, route.request.resource_type
        host = host_of(url)  # Chromium asks for nothing that is no address
        if not self._is_welcome(route.request, host, kind):
            self.turned_away[host] += 1
            route.abort("blockedbyclient")
            return
        is_own = host == host_of(self.origin)
        try:
            self.fetcher.guard.check_url(url)
            if self.fetcher.limits.rule(host).obeys_robots:
                self.fetcher.page_allowed(url)
            if not is_own or kind == "document" or self.is_counted(url):
                with self.fetcher.limits.place(host):
                    self.passed_at = time.monotonic()
        except (Permanent, Transient) as error:
            self.errors.append(error)
            route.abort("blockedbyclient")
            return
        route.continue_()

    def _is_welcome(self, request: "Request", host: str, kind: str) -> bool:
        if request.method != "GET" or kind not in LOADED:
            return False
        return request.url.startswith(f"{self.origin}/") or (host in self.scripts and kind in ("script", "stylesheet"))


@dataclass
class Visit:
    """An open page. `page` is Playwright's; `left` says how much time there is."""

    page: "Page"
    ends: float  # time.monotonic()
    door: _Door
    astray: list[str] = field(default_factory=list)  # where the page itself led, and could not go

    def left(self) -> float:
        """Seconds, at least 0.001: Playwright takes 0 for ever."""
        return max(0.001, self.ends - time.monotonic())

    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.ends

    def go(self, url: str) -> tuple[int, dict[str, str]]:
        """Open an address: the status and headers (names in lower case) of its answer.

        Raises Disallowed, AddressRefused, Refusal or Delayed, in sentences.
        """
        with self._named(url):
            answer = self.page.goto(url, wait_until="domcontentloaded", timeout=self.left() * 1000)
        if answer is None:
            raise Delayed("broke off", f"{shortened(url)} gave no answer.")
        if not self.page.url.startswith(f"{self.door.origin}/"):  # by way of a proxy
            raise self._led_to(url, self.page.url)
        return answer.status, dict(answer.headers)

    def ask(self, question: str, seconds: float = 10.0) -> Any:
        """What a JavaScript function without arguments gives on the page; it must not give null, false, 0 or "".

        Unlike Playwright's `evaluate` it ends in time when the page's own script never does.
        """
        with self._named(self.page.url):
            handle = self.page.wait_for_function(question, timeout=min(seconds, self.left()) * 1000)
            return handle.json_value()

    def wait(self, seconds: float) -> None:
        """Let the page work for a while. Raises what the door raised."""
        with self._named(self.page.url):
            self.page.wait_for_timeout(min(seconds, self.left()) * 1000)
        if self.door.errors:
            raise self.door.errors[0]

    def _led_to(self, url: str, target: str) -> Refusal:
        where = urlsplit(target)
        return Refusal(
            "leads elsewhere",
            f"{shortened(url)} leads to {where.scheme}://{where.netloc}, where the browser may not go. If that is "
            "where it has moved, set its address anew (JEWEL_PINTEREST_URL).",
        )

    @contextlib.contextmanager
    def _named(self, url: str) -> Iterator[None]:
        """Playwright's errors as ours."""
        from playwright.sync_api import Error
        from playwright.sync_api import TimeoutError as TookTooLong

        try:
            yield
        except TookTooLong:
            raise Delayed("took too long", f"{shortened(url)} did not answer the browser in time.") from None
        except Error as error:
            if self.door.errors:
                raise self.door.errors[0] from None
            text = error.message.splitlines()[0][:200]
            if self.astray:
                raise self._led_to(url, self.astray[-1]) from None
            if "ERR_CERT" in text or "ERR_SSL" in text:
                raise Refusal("not trusted", f"The browser does not trust {shortened(url)} ({text}).") from None
            raise Delayed("broke off", f"The browser could not go on at {shortened(url)} ({text}).") from None


@contextlib.contextmanager
def browsing(
    fetcher: Fetcher,
    url: str,
    *,
    scripts: Sequence[str] = (),
    is_counted: Callable[[str], bool] = lambda url: False,
    total_s: float = 300.0,
) -> Iterator[Visit]:
    """A page of a new browser that may open `url` and what else lies at its host; closed in the end, come what may.

    `scripts` are hosts that its scripts and styles come from; `is_counted` says which requests of the page, besides
    pages, count against its host's rate. The whole visit has `total_s` seconds.

    Raises Permanent where there is no browser, AddressRefused for a host within this machine or network that is not
    listed, NoSuchHost. Behind a proxy (HTTPS_PROXY) a name is judged where it can be resolved here, but it is the proxy
    that finds the hosts, and judges where redirects lead.
    """
    program = find_chromium()
    fetcher.guard.check_url(url)
    scheme, host, scripts = urlsplit(url).scheme, host_of(url), [host_of(f"//{script}") for script in scripts]
    proxy = requests.utils.select_proxy(url, Proxies(fetcher.guard).of(url))
    network = _through(proxy) if proxy else _direct(fetcher, scheme, host, scripts)
    door = _Door(fetcher, f"{scheme}://{host}", scripts, is_counted)
    with _chromium(program, [*ARGUMENTS, *network], proxy) as browser:
        own = browser.new_browser_cdp_session().send("Browser.getVersion")["userAgent"]
        context = browser.new_context(
            user_agent=f"{own} {user_agent(settings().contact)}",  # a headless Chrome, and whose
            viewport={"width": 1440, "height": 1000},
            locale="en-GB",
            accept_downloads=False,
            service_workers="block",
            bypass_csp=True,  # or the page's own policy keeps us from asking it anything
        )
        context.route("**/*", door.judge)
        context.route_web_socket("**/*", lambda socket: socket.close())
        visit = Visit(context.new_page(), time.monotonic() + total_s, door)
        context.on("page", lambda other: other.close())  # what the page opens besides
        visit.page.on("requestfailed", lambda request: _note_astray(visit, request))
        visit.page.on("dialog", lambda dialog: dialog.dismiss())
        yield visit


def find_chromium() -> str:
    """The program of an installed Chromium or Chrome, or of Playwright's own download. Raises Permanent without one."""
    try:
        import playwright  # noqa: F401
    except ImportError as error:
        raise Permanent(
            "Playwright, which drives the browser, is not installed: pip install 'jewel-assets[pinterest]'."
        ) from error
    for name in NAMES:
        if found := shutil.which(name):
            return found
    for place in (*map(Path, PLACES), *_downloads()):
        if place.is_file() and os.access(place, os.X_OK):
            return str(place)
    raise Permanent(
        "There is no Chromium on this machine: install Debian's package `chromium`, Google Chrome, or run "
        "`playwright install chromium`."
    )


def outside_any_loop(work: Callable[[], T]) -> T:
    """Do something with Playwright's blocking interface, which refuses to run where an asyncio loop does (a notebook):
    there it is done in a thread of its own, and waited for.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1, "browser") as pool:
        return pool.submit(work).result()


@contextlib.contextmanager
def _chromium(program: str, arguments: list[str], proxy: str | None) -> Iterator["Browser"]:
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:

        def launch(is_sandboxed: bool) -> "Browser":
            return playwright.chromium.launch(
                executable_path=program,
                args=arguments,
                env=_environment(),
                proxy={"server": proxy} if proxy else None,
                chromium_sandbox=is_sandboxed,
                timeout=60_000,
            )

        browser = _launched(program, launch)
        try:
            yield browser
        except Error as error:
            raise Delayed("broke off", f"The browser broke off ({error.message.splitlines()[0][:200]}).") from None
        finally:
            with contextlib.suppress(Error):  # it may have crashed
                browser.close()


def _launched(program: str, launch: Callable[[bool], "Browser"]) -> "Browser":
    """Chromium in its sandbox, and without one only where it does not start in it. Raises Permanent."""
    from playwright.sync_api import Error
    from playwright.sync_api import TimeoutError as TookTooLong

    try:
        try:
            return launch(True)
        except TookTooLong:
            raise
        except Error:  # it ended at once
            browser = launch(False)
    except Error as error:
        why = error.message.splitlines()[0][:200]
        raise Permanent(f"{program} could not be started ({why}): try `{program} --headless --version`.") from error
    log.warning(
        "%s does not start in its sandbox here (it is root, or in a container that allows none) and runs without: "
        "whom it talks to is bounded as ever, but a page that breaks out of it has all that this process may do.",
        program,
    )
    return browser


def _direct(fetcher: Fetcher, scheme: str, host: str, scripts: Sequence[str]) -> list[str]:
    """Arguments by which Chromium finds these hosts alone, each at an address that the guard has judged."""
    rules = [_rule(fetcher, scheme, host)]
    for other in scripts:
        try:
            rules.append(_rule(fetcher, scheme, other))
        except NoSuchHost:
            continue  # the page is without it, then
    return ["--no-proxy-server", f"--host-resolver-rules={','.join([*rules, 'MAP * ~NOTFOUND'])}"]


def _rule(fetcher: Fetcher, scheme: str, host: str) -> str:
    parts = urlsplit(f"//{host}")
    name, port = parts.hostname or "", parts.port or PORTS[scheme]
    addresses = fetcher.guard.resolve(name, port)
    address = min(addresses, key=lambda one: ":" in one)  # only one can be told, and IPv4 is there more often
    written, judged = [f"[{one}]" if ":" in one else one for one in (name, address)]
    return f"MAP {written}:{port} {judged}:{port}"


def _through(proxy: str) -> list[str]:
    """Arguments by which Chromium finds the proxy alone."""
    parts = urlsplit(proxy if "://" in proxy else f"//{proxy}")
    return [f"--host-resolver-rules=MAP * ~NOTFOUND,EXCLUDE {parts.hostname}"]


def _environment() -> dict[str, str | float | bool]:
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() in PASSED_ON or name.startswith(("XDG_", "LC_"))
    }


def _downloads() -> list[Path]:
    """Chromium as `playwright install chromium` puts it, the newest first."""
    folder = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    caches = (".cache", "Library/Caches")
    roots = [Path(folder)] if folder else [Path.home() / cache / "ms-playwright" for cache in caches]
    programs = ("chrome-linux*/chrome", "chrome-mac*/Chromium.app/Contents/MacOS/Chromium")
    return sorted((path for root in roots for one in programs for path in root.glob(f"chromium-*/{one}")), reverse=True)


def _note_astray(visit: Visit, request: "Request") -> None:
    if request.is_navigation_request() and host_of(request.url) != host_of(visit.door.origin):
        visit.astray.append(request.url)
