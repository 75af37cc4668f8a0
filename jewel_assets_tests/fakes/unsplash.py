"""A stand-in for Unsplash: its interface at 127.0.0.1, its CDN at localhost, in the shapes of recorded answers."""

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jewel_assets.categories import CATEGORIES
from jewel_assets.themes import TEXTURE_THEMES
from jewel_assets_tests.fakes.server import FakeServer, Reply, Seen, json_reply

KEY = "fake-unsplash-key-0123456789"


@lru_cache(maxsize=512)
def drawn(seed: str, side: int = 320) -> bytes:
    """A JPEG of a piece of whatever category the seed names, or of a surface of the theme."""
    from jewel_assets.images import encode_jpeg
    from jewel_assets_tests.pictures import draw_piece, draw_texture

    number = int(hashlib.sha256(seed.encode()).hexdigest()[:6], 16)
    theme = next((name for name in TEXTURE_THEMES if name in seed and "jewelry" not in seed), None)
    if theme is not None and not any(name.rstrip("s") in seed for name in CATEGORIES):
        return encode_jpeg(draw_texture(theme, number, side), 88)
    category = next((name for name in CATEGORIES if name.rstrip("s") in seed), "ring")
    return encode_jpeg(draw_piece(category, number, side), 88)


class FakeUnsplash(FakeServer):
    """`total` photos for each query. `picture(id)` gives their bytes; `paid` of them are of the paid collection."""

    requests_per_window = 5000

    def __init__(self, total: int = 40, paid: int = 0, picture: Callable[[str], bytes] = drawn) -> None:
        super().__init__()
        self.total = total
        self.paid = paid
        self.picture = picture
        self.pinged: set[str] = set()
        self.gone: set[str] = set()  # ids that vanish between search and fetch
        self.searches = 0

    def counts_against_quota(self, seen: Seen) -> bool:
        """All of the interface, nothing of the CDN."""
        return not seen.path.startswith("/photo-") and seen.path != "/robots.txt"

    def out_of_quota(self, seen: Seen) -> Reply:
        """A 403 that is a text."""
        return Reply(403, b"Rate Limit Exceeded", self._limits(), "text/plain")

    def ids(self, query: str) -> list[str]:
        """Ids of a query's photos."""
        return [self._id(query, number) for number in range(self.total)]

    def reply(self, seen: Seen) -> Reply:
        """See Unsplash's documentation."""
        if seen.path.startswith("/photo-"):
            return self._photo(seen)
        if seen.headers.get("authorization") != f"Client-ID {KEY}":
            return json_reply({"errors": ["OAuth error: The access token is invalid"]}, 401)
        if seen.headers.get("accept-version") != "v1":
            self.violations.append(f"{seen.path} was asked without Accept-Version: v1")
        if seen.path == "/search/photos":
            return self._search(seen)
        if seen.path.startswith("/photos/") and seen.path.endswith("/download"):
            return self._download(seen)
        return json_reply({"errors": ["Couldn't find it"]}, 404, self._limits())

    def _search(self, seen: Seen) -> Reply:
        self.searches += 1
        query, page = seen.query.get("query", ""), int(seen.query.get("page", 1))
        per_page = min(30, int(seen.query.get("per_page", 10)))
        if query == "spam":
            return json_reply({"errors": ["Query flagged as potential spam"]}, 410, self._limits())
        numbers = range((page - 1) * per_page, min(self.total, page * per_page))
        pages = -(-self.total // per_page)
        links = (
            {"Link": f'<{self.url}/search/photos?page={page + 1}&query={query}>; rel="next"'} if page < pages else {}
        )
        results = [self._result(query, number) for number in numbers]
        found = {"total": self.total, "total_pages": pages, "results": results}
        return json_reply(found, headers={**self._limits(), **links})

    def _download(self, seen: Seen) -> Reply:
        photo = seen.path.split("/")[2]
        if not seen.query.get("ixid"):
            self.violations.append(f"the download of {photo} was told without its ixid")
        if photo in self.gone:
            return json_reply({"errors": ["Couldn't find Photo"]}, 404, self._limits())
        self.pinged.add(photo)
        return json_reply(
            {"url": f"{self.other_url}/photo-{photo}?ixid={seen.query.get('ixid')}"}, headers=self._limits()
        )

    def _photo(self, seen: Seen) -> Reply:
        photo = seen.path.removeprefix("/photo-")
        if "authorization" in seen.headers:
            self.violations.append("the key was shown to the CDN")
        if photo not in self.pinged:
            self.violations.append(f"{photo} was taken before its download was told")
        if "dl" in seen.query:
            self.violations.append(f"{photo} was taken from links.download")
        if seen.query.get("w") is None or seen.query.get("fm") != "jpg":
            self.violations.append(f"{photo} was taken unscaled")
        return Reply(200, self.picture(photo), {"ETag": f'"{photo}"'}, "image/jpeg")

    def _result(self, query: str, number: int) -> Mapping[str, Any]:
        photo = self._id(query, number)
        host = "http://plus.unsplash.com" if number < self.paid else self.other_url
        ixid = f"M3wxMjA3fDB8MXxzZWFyY2h8{self.searches}x{number}"
        raw = f"{host}/photo-{photo}?ixid={ixid}&ixlib=rb-4.0.3"
        who = f"maker{number % 7}"
        return {
            "id": photo,
            "slug": f"a-{query.replace(' ', '-')}-{photo}",
            "created_at": "2024-01-23T07:43:40-05:00",
            "updated_at": "2024-06-01T07:06:42-04:00",
            "promoted_at": None,
            "width": 4000,
            "height": 3000,
            "color": "#d9c0a0" if number % 5 else None,
            "blur_hash": "LNE{nW?c%MRj4n9FIUof~q%MoffR",
            "description": None,
            "alt_description": f"{query} number {number}",
            "urls": {
                "raw": raw,
                "full": f"{raw}&q=85&fm=jpg&crop=entropy&cs=srgb",
                "regular": f"{raw}&q=80&fm=jpg&crop=entropy&cs=tinysrgb&w=1080&fit=max",
                "small": f"{raw}&q=80&fm=jpg&crop=entropy&cs=tinysrgb&w=400&fit=max",
                "thumb": f"{raw}&q=80&fm=jpg&crop=entropy&cs=tinysrgb&w=200&fit=max",
            },
            "links": {
                "self": f"{self.url}/photos/{photo}",
                "html": f"https://unsplash.com/photos/{photo}",
                "download": f"https://unsplash.com/photos/{photo}/download?dl=1",
                "download_location": f"{self.url}/photos/{photo}/download?ixid={ixid}",
            },
            "likes": number,
            "user": {
                "id": f"u{number % 7}",
                "username": who,
                "name": f"Maker Number {number % 7}",
                "first_name": "Maker",
                "last_name": None,
                "links": {"self": f"{self.url}/users/{who}", "html": f"https://unsplash.com/@{who}"},
            },
        }

    def _limits(self) -> dict[str, str]:
        assert self.requests_per_window is not None
        limit, left = self.requests_per_window, self.left_in_window()
        return {"X-Ratelimit-Limit": str(limit), "X-Ratelimit-Remaining": str(left)}

    @staticmethod
    def _id(query: str, number: int) -> str:
        word = query.split()[0][:8]
        return f"{word}{hashlib.sha256(query.encode()).hexdigest()[:4]}x{number:04d}"
