"""Pins out of what Pinterest answers: of its search (`BaseSearchResource`), or of the markup of its pages.

Only reading, no asking: every function here takes what was received. An answer looks like
`{"resource_response": {"status", "http_status", "bookmark", "data": {"results": [...]}}, "resource": {"options"}}`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from jewel_assets.collect.answers import Delayed, Refusal
from jewel_assets.collect.source import Found

SITE = "https://www.pinterest.com"
END = "-end-"
END_PREFIX = "Y2JOb25lO"
"""How the base64 of a bookmark without a next page begins: "cbNone;"."""
MIN_WIDTH = 200
"""Pixels: smaller sizes are thumbnails and squares cut from the middle, no pictures of a texture."""

_SIZE = re.compile(r"(\d+)x(\d*)")
_PIN_PATH = re.compile(r"/pin/(?:[^/]*--)?(\d+)/?")
_SIGNATURE = re.compile(r"[0-9a-f]{32}")
_ADVERTISED = re.compile(r"^\s*(promoted|sponsored)\b", re.IGNORECASE | re.MULTILINE)


def results_of(answer: Any) -> tuple[list[Found], str | None]:
    """The pins of an answer, best first, and the bookmark of the next one (None where there is none).

    Advertisements, stories, videos and pins without a picture are left out; what an answer shows twice counts once.
    Raises Refusal or Delayed for an error, and Refusal ("strange answer") for what has another shape.
    """
    response = _dict(_dict(answer).get("resource_response"))
    error = response.get("error")
    status = _dict(error).get("http_status", response.get("http_status"))
    if error or response.get("status") == "failure":
        raise refusal_of(status, _text(_dict(error).get("message")))
    data = response.get("data")
    results = data if isinstance(data, list) else _dict(data).get("results")
    if not isinstance(results, list):
        raise Refusal(
            "strange answer",
            "Pinterest's answer to a search has no results where they were: its interface has changed, and this source "
            "must be changed with it.",
        )
    pins = {found.source_id: found for found in map(_pin, reversed(results)) if found is not None}
    bookmark = response.get("bookmark") or _next(_dict(_dict(_dict(answer).get("resource")).get("options")))
    return list(pins.values())[::-1], bookmark if isinstance(bookmark, str) else None


def is_end(bookmark: str | None) -> bool:
    """Whether nothing comes after the answer with this bookmark."""
    return not bookmark or bookmark == END or bookmark.startswith(END_PREFIX)


def addresses_of(images: Any) -> list[str]:
    """Where a pin's picture lies, the largest size first: `orig`, then `736x`, `564x` ... as far as they are named.

    `images` maps a size's name to `{"url", "width", "height"}`.
    """
    sized: list[tuple[float, str]] = []
    for name, image in _dict(images).items():
        url, width, size = _dict(image).get("url"), _dict(image).get("width"), _SIZE.fullmatch(str(name))
        if not isinstance(url, str) or not _is_address(url):
            continue
        if name in ("orig", "originals"):
            sized.append((float("inf"), url))
        elif size is not None and not size[2]:  # "60x60" is a square cut out of it
            wide = width if isinstance(width, int) else int(size[1])  # "170x" may lead to what is 236 wide
            sized += [(float(size[1]), url)] if wide >= MIN_WIDTH else []
    sized.sort(key=lambda one: -one[0])
    return list(dict.fromkeys(url for _, url in sized))


def pins_of_markup(boxes: Iterable[Any]) -> list[Found]:
    """The pins of a page's markup, in its order: each box is `{"href", "label", "src", "srcset", "alt", "text",
    "video"}` of one link to a pin and the picture beside it. Who pinned it does not stand there.
    """
    pins: dict[str, Found] = {}
    for box in map(_dict, boxes):
        number = _PIN_PATH.search(str(box.get("href") or ""))
        addresses = addresses_of_srcset(str(box.get("srcset") or ""), str(box.get("src") or ""))
        if number is None or not addresses or box.get("video") or _ADVERTISED.search(str(box.get("text") or "")):
            continue
        title = _text(str(box.get("label") or "").removesuffix("pin page")) or _text(box.get("alt"))
        pins.setdefault(number[1], _found(number[1], addresses, None, title, None))
    return list(pins.values())


def addresses_of_srcset(srcset: str, src: str = "") -> list[str]:
    """The addresses of an image's `srcset`, the densest first, then its `src`.

    >>> addresses_of_srcset("https://i.pinimg.com/236x/a.jpg 1x, https://i.pinimg.com/originals/a.png 4x")
    ['https://i.pinimg.com/originals/a.png', 'https://i.pinimg.com/236x/a.jpg']
    """
    dense = []
    for candidate in re.split(r",\s+", srcset.strip()):
        url, _, descriptor = candidate.strip().partition(" ")
        number = re.match(r"\d+(\.\d+)?", descriptor.strip())
        dense.append((float(number[0]) if number else 1.0, url))
    dense.sort(key=lambda one: -one[0])
    return list(dict.fromkeys(url for url in [*(url for _, url in dense), src] if _is_address(url)))


def wall_of(signs: Mapping[str, Any]) -> Refusal | None:
    """The sentence for a page that stands before the pins, if `signs` are those of one.

    `signs` are `{"url", "title", "text", "password", "captcha"}`: where the page is, what it says, whether it has a
    field for a password, whether it has a captcha.
    """
    said = f"{signs.get('title')}\n{signs.get('text')}".lower()
    if signs.get("captcha") or any(words in said for words in ("not a robot", "are you human", "just a moment")):
        return Refusal(
            "challenged",
            "Pinterest shows a captcha: it wants no program there, and we solve none. Leave it alone for some hours, "
            "ask for fewer pins, or unset JEWEL_PINTEREST_PERMISSION.",
        )
    if signs.get("password") or urlsplit(str(signs.get("url"))).path.startswith("/login"):
        return _log_in_wall()
    return None


def refusal_of(status: Any, message: str | None, retry_after: float | None = None) -> Refusal | Delayed:
    """What an error of Pinterest means: a log-in that it wants, patience that it asks for, a breakdown."""
    told = f" ({message[:200]})" if message else ""
    if status == 401:
        return _log_in_wall(told)
    if status == 403:
        return Refusal(
            "not allowed",
            f"Pinterest answered 403{told}: it does not let us in. Leave it alone for some hours, or unset "
            "JEWEL_PINTEREST_PERMISSION.",
        )
    if status == 429:
        return Delayed("rate limited", f"Pinterest asks for patience{told}.", retry_after)
    if isinstance(status, int) and status >= 500:
        return Delayed("server error", f"Pinterest answered {status}{told}.", retry_after)
    return Refusal("unexpected answer", f"Pinterest answered the search with an error, {status}{told}.")


def _log_in_wall(told: str = "") -> Refusal:
    return Refusal(
        "log-in wall",
        f"Pinterest shows these pins only to who is logged in{told}, and we log in nowhere: change the queries "
        "(JEWEL_QUERIES) or unset JEWEL_PINTEREST_PERMISSION.",
    )


def _pin(result: Any) -> Found | None:
    """A result as something that can be fetched; None for what is no picture that somebody pinned."""
    pin = _dict(result)
    number, addresses = pin.get("id"), addresses_of(pin.get("images"))
    if pin.get("type") != "pin" or not isinstance(number, str) or not number.isdecimal() or not addresses:
        return None
    if pin.get("is_promoted") or pin.get("videos") or _is_story(pin.get("story_pin_data")):
        return None
    signature = pin.get("image_signature")
    title = next((text for name in ("grid_title", "title", "description") if (text := _text(pin.get(name)))), None)
    signed = signature if isinstance(signature, str) and _SIGNATURE.fullmatch(signature) else None
    return _found(number, addresses, signed, title, _dict(pin.get("pinner")))


def _found(
    number: str, addresses: list[str], signature: str | None, title: str | None, pinner: Mapping[str, Any] | None
) -> Found:
    who = _dict(pinner)
    username = _text(who.get("username"))
    author = _text(who.get("full_name")) or username
    path = urlsplit(addresses[0]).path
    stem = path.rsplit("/", 1)[-1].split(".", 1)[0]
    return Found(
        source_id=number,
        version=signature or (stem if _SIGNATURE.fullmatch(stem) else path),  # the same by answer and by markup
        file_url=addresses[0].split("?", 1)[0],
        source_url=f"{SITE}/pin/{number}/",
        author=author,
        author_url=f"{SITE}/{username}/" if username else None,
        title=title,
        credit=f"Pinned by {author} on Pinterest" if author else "Pinned on Pinterest",  # who made it is not known
        extra={"addresses": addresses},
    )


def _is_story(story: Any) -> bool:
    """A story of several pages; a picture that was uploaded lately comes as a story of one."""
    return bool(story) and _dict(story).get("page_count") != 1


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _next(options: Mapping[str, Any]) -> Any:
    """The bookmark among the options of an answer: that of the next page, the same as beside the data."""
    bookmarks = options.get("bookmarks")
    return bookmarks[0] if isinstance(bookmarks, list) and bookmarks else None


def _text(value: Any) -> str | None:
    """A text with single spaces, None for what is none or empty: Pinterest has descriptions of one space."""
    return " ".join(value.split()) or None if isinstance(value, str) else None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and len(parts.path) > 1
    except ValueError:
        return False
