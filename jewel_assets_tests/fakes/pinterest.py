"""A stand-in for Pinterest: its search page and what that asks at 127.0.0.1, its pictures at localhost.

Answers have the keys of recorded ones; what stands in them is made up.
"""

import hashlib
import json
import socket
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlencode

from jewel_assets_tests.fakes.server import FakeServer, Reply, Seen, json_reply

SIDES = {"170x": 236, "236x": 236, "474x": 474, "736x": 736, "orig": 900}  # "170x" leads to the one of 236
FORMATS = ("jpg", "jpg", "jpg", "png", "webp")
POLICY = "default-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'"
Odd = Literal["ad", "story", "video", "no picture"]

_SCRIPT = """
const query = %s, grid = document.getElementById('grid')
let bookmark = null, busy = false, ended = %s
function box(pin) {
  if (!pin.images || !pin.images.orig) return
  const wrapper = document.createElement('div'), url = size => pin.images[size].url
  wrapper.dataset.testId = 'pinWrapper'
  wrapper.innerHTML = `<a href="/pin/${pin.id}/" aria-label="${pin.grid_title}"><img src="${url('236x')}"
    srcset="${url('236x')} 1x, ${url('474x')} 2x, ${url('736x')} 3x, ${url('orig')} 4x"></a>`
  grid.append(wrapper)
}
async function more() {
  if (busy || ended) return
  busy = true
  const options = {query, scope: 'pins', rs: 'typed', bookmarks: bookmark ? [bookmark] : []}
  const asked = new URLSearchParams({source_url: location.pathname + location.search,
    data: JSON.stringify({options, context: {}}), _: Date.now()})
  try {
    const answer = await fetch('/resource/BaseSearchResource/get/?' + asked, {headers: {
      'X-Requested-With': 'XMLHttpRequest', 'X-Pinterest-AppState': 'active', 'Accept': 'application/json'}})
    const told = (await answer.json()).resource_response
    if (!told.data) { ended = true; return }
    told.data.results.forEach(box)
    bookmark = told.bookmark
    ended = bookmark === '-end-' || bookmark.startsWith('Y2JOb25lO')
  } finally { busy = false }
  if (document.documentElement.scrollHeight <= innerHeight) more()
}
addEventListener('scroll', () => { if (innerHeight + scrollY > document.documentElement.scrollHeight - 400) more() })
more()
"""
_PAGE = """<!doctype html><html lang="en"><head><title>{query} - Search</title>{head}<style>
[data-test-id=pinWrapper] {{ display: inline-block; width: 236px; height: 400px }}</style></head>
<body><div id="grid">{markup}</div>{body}<script>{script}</script></body></html>"""
_LOG_IN = """<!doctype html><html><head><title>Log in to see more</title></head><body><form>
<h1>Welcome</h1><input name="id"><input type="password" name="password"></form></body></html>"""
_CAPTCHA = """<!doctype html><html><head><title>Checking</title></head><body>
<p>Please confirm that you are not a robot</p></body></html>"""
SPINNING = "<script>setTimeout(() => { while (true) {} }, 50)</script>"
"""A script that never lets go of its page."""


@lru_cache(maxsize=256)
def texture(seed: str, side: int, kind: str) -> bytes:
    """A JPEG, PNG or WebP of waves that no other seed has."""
    import cv2
    import numpy as np

    chance = np.random.default_rng(int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16))
    y, x = np.mgrid[0:side, 0:side] / side
    pitch, turn = chance.uniform(8, 40), chance.uniform(0, np.pi)
    wave = np.sin(2 * np.pi * pitch * (x * np.cos(turn) + y * np.sin(turn)))
    colour = chance.uniform(80, 200, 3)
    pixels = np.clip(colour + 50 * wave[..., None], 0, 255).astype(np.uint8)
    done, data = cv2.imencode(f".{kind}", pixels)
    assert done
    return bytes(data)


class FakePinterest(FakeServer):
    """`total` pins for each query, `per_answer` in each answer. See the attributes for how it can be otherwise."""

    def __init__(self, total: int = 60, per_answer: int = 20) -> None:
        super().__init__()
        self.total = total
        self.per_answer = per_answer
        self.last_bookmark = "-end-"  # of the last answer; "" makes it repeat the one before
        self.odd: dict[int, Odd] = {}  # number of a result -> what it is instead of a pin
        self.overlap = 0  # results that each answer repeats from the one before
        self.missing: dict[str, set[str]] = {}  # size -> ids whose picture it lacks
        self.missing_status = 403  # as the storage behind it says that there is no such file
        self.is_scripted = True  # whether the page asks for anything
        self.marked = 0  # pins that stand in the page's markup
        self.marked_ads = 0
        self.wall: Literal["log in", "captcha", "/login/"] | None = None
        self.head = self.body = ""  # put into the page
        self.disallowed = ""  # a path for robots.txt

    def robots(self) -> str:
        """All may be fetched but `disallowed`."""
        return f"User-agent: *\nDisallow: {self.disallowed}\n"

    def pin_id(self, query: str, number: int) -> str:
        """The id of a query's pin."""
        return str(10**17 + int(hashlib.sha256(query.encode()).hexdigest()[:8], 16) * 1000 + number)

    def reply(self, seen: Seen) -> Reply:
        """A page, an answer, or a picture."""
        self._judge(seen)
        if seen.path == "/search/pins/":
            if self.wall == "/login/":
                return Reply(302, headers={"Location": f"/login/?{urlencode({'next': seen.address})}"})
            return self._page(seen.query.get("q", ""))
        if seen.path == "/login/":
            return Reply(200, _LOG_IN.encode(), media_type="text/html; charset=utf-8")
        if seen.path == "/resource/BaseSearchResource/get/":
            return self._answer(seen)
        size = seen.path.split("/")[1]
        if size in ("originals", "236x", "474x", "736x"):
            return self._picture(seen.path, size)
        return Reply(404)

    def _judge(self, seen: Seen) -> None:
        if "jewel-assets/" not in seen.headers.get("user-agent", ""):
            self.violations.append(f"{seen.path} was asked without saying by whom")
        is_browser = "Chrome/" in seen.headers.get("user-agent", "")
        is_picture = seen.path.endswith(("jpg", "png", "webp", "ico", "woff2", "mp4"))
        if is_browser and is_picture:
            self.violations.append(f"the browser loaded {seen.path}")
        if seen.host != self.other_url.removeprefix("http://") and is_picture:
            self.violations.append(f"{seen.path} was asked from the pages' host")

    def _page(self, query: str) -> Reply:
        if self.wall in ("log in", "captcha"):
            wall = _LOG_IN if self.wall == "log in" else _CAPTCHA
            return Reply(200, wall.encode(), media_type="text/html; charset=utf-8")
        markup = "".join(self._marked(query, number) for number in range(self.marked + self.marked_ads))
        script = _SCRIPT % (json.dumps(query), "false" if self.is_scripted else "true")
        page = _PAGE.format(query=query, head=self.head, body=self.body, markup=markup, script=script)
        return Reply(200, page.encode(), {"Content-Security-Policy": POLICY}, "text/html; charset=utf-8")

    def _marked(self, query: str, number: int) -> str:
        pin = self._result(query, number)
        sizes = [f"{pin['images'][size]['url']} {n}x" for n, size in enumerate(("236x", "474x", "736x", "orig"), 1)]
        told = "<div>Promoted by</div><div>A Shop</div>" if number >= self.marked else ""
        return (
            f'<div data-test-id="pinWrapper"><a href="/pin/{pin["id"]}/" aria-label="{pin["grid_title"]} pin page">'
            f'<img alt="" src="{pin["images"]["236x"]["url"]}" srcset="{", ".join(sizes)}"></a>{told}</div>'
        )

    def _answer(self, seen: Seen) -> Reply:
        options = json.loads(seen.query["data"])["options"]
        if seen.headers.get("x-requested-with") != "XMLHttpRequest":
            self.violations.append("an answer was asked not as the page asks for it")
        query, bookmarks = options["query"], options["bookmarks"]
        start = int(bookmarks[0].rsplit("x", 1)[1]) if bookmarks else 0
        numbers = range(max(0, start - self.overlap), min(self.total, start + self.per_answer))
        end = start + self.per_answer
        bookmark = f"Y2JVSG81x{end}" if end < self.total else self.last_bookmark or f"Y2JVSG81x{start}"
        data = {
            "nag": {},
            "should_append_global_search": False,
            "results": [self._result(query, number) for number in numbers],
            "sensitivity": {},
            "tabs": [],
            "no_gift_wrap": False,
        }
        response = {
            "status": "success",
            "code": 0,
            "message": "ok",
            "endpoint_name": "v3_search_pins",
            "data": data,
            "bookmark": bookmark,
            "x_pinterest_sli_endpoint_name": "v3_search_pins",
            "http_status": 200,
        }
        resource = {"name": "BaseSearchResource", "options": {**options, "bookmarks": [bookmark]}}
        return json_reply({"resource_response": response, "client_context": {}, "resource": resource})

    def _result(self, query: str, number: int) -> dict[str, Any]:
        pin, odd = self.pin_id(query, number), self.odd.get(number)
        signature = hashlib.md5(pin.encode()).hexdigest()
        if odd == "story":
            return {"type": "story", "id": pin, "story_type": "real_time_boards", "objects": [], "title": {}}
        images = {
            size: {"width": side, "height": side, "url": self._address(signature, size, number)}
            for size, side in SIDES.items()
        }
        pinner = {
            "node_id": "dXNlcg==",
            "username": f"collector{number % 5}",
            "full_name": f"Collector  {number % 5}" if number % 5 else "",
            "id": str(9000 + number % 5),
            "follower_count": number,
        }
        return {
            "node_id": "cGlu",
            "type": "pin",
            "id": pin,
            "title": "" if number % 2 else f"{query} {number}",
            "grid_title": f"{query} {number}" if number % 3 else "",
            "description": " " if number % 2 else f"All about {query} {number}",
            "alt_text": None,
            "board": {"node_id": "Ym9hcmQ=", "name": "Textures", "url": f"/collector{number % 5}/textures/"},
            "pinner": pinner,
            "images": {} if odd == "no picture" else images,
            "image_signature": signature,
            "videos": {"id": "1", "video_list": {}} if odd == "video" else None,
            "story_pin_data": None,
            "story_pin_data_id": None,
            "is_promoted": odd == "ad",
            "promoter": {"username": "shop"} if odd == "ad" else None,
            "ad_match_reason": 0,
            "carousel_data": None,
            "dominant_color": "#c0a060",
            "domain": "example.org",
            "link": "https://example.org/",
            "attribution": None,
            "created_at": "Sun, 01 Jan 2023 04:25:28 +0000",
        }

    def _address(self, signature: str, size: str, number: int) -> str:
        folder = {"orig": "originals", "170x": "236x"}.get(size, size)
        kind = FORMATS[number % len(FORMATS)] if size == "orig" else "jpg"
        deep = "/".join(signature[start : start + 2] for start in (0, 2, 4))
        return f"{self.other_url}/{folder}/{deep}/{signature}.{kind}"

    def _picture(self, path: str, size: str) -> Reply:
        signature, kind = path.rsplit("/", 1)[1].split(".")
        if signature in self.missing.get(size, set()):
            return Reply(self.missing_status, b"<Error><Code>AccessDenied</Code></Error>", media_type="application/xml")
        side = SIDES["orig" if size == "originals" else size]
        media_type = "image/jpeg" if kind == "jpg" else f"image/{kind}"
        return Reply(200, texture(signature, side, kind), {"ETag": f'"{signature}"'}, media_type)


def signature_of(pin: str) -> str:
    """The image signature of a pin."""
    return hashlib.md5(pin.encode()).hexdigest()


def silence(server: FakeServer, seen: Seen) -> Reply:
    """Take the question and never answer it, until the client goes."""

    def write(connection: socket.socket) -> None:
        connection.settimeout(60)
        connection.recv(1)

    return Reply(write=write)


def failure(status: int, message: str) -> Reply:
    """The form in which Pinterest answers with an error."""
    error = {"status": "failure", "http_status": status, "code": 3, "message": message}
    response = {"status": "failure", "error": error, "data": None, "http_status": status}
    return json_reply(
        {"resource_response": response, "resource": {"name": "BaseSearchResource", "options": {}}}, status
    )


class Listener:
    """Somewhere that nobody may connect to: it counts who does."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def __enter__(self) -> "Listener":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()


def trackers(hosts: Sequence[str]) -> str:
    """Markup by which a page reaches for each of these hosts in every way that pages have."""
    ways = (
        '<link rel="preconnect" href="http://{0}"><link rel="dns-prefetch" href="http://{0}">'
        '<link rel="prefetch" href="http://{0}/prefetch"><link rel="stylesheet" href="http://{0}/style.css">'
        '<script async src="http://{0}/tracker.js"></script><img src="http://{0}/pixel.gif">'
        '<iframe src="http://{0}/frame"></iframe><script>fetch("http://{0}/beacon").catch(() => 0);'
        'navigator.sendBeacon("http://{0}/sent", "x"); new WebSocket("ws://{0}/socket");'
        'new EventSource("http://{0}/events"); window.open("http://{0}/popup")</script>'
    )
    return "".join(ways.format(host) for host in hosts)
