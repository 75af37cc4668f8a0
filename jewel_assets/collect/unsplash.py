"""The source `unsplash`: https://unsplash.com/documentation and its API guidelines.

Before a photo's bytes are taken its `download_location` is told (that is how photographers see that they are used);
bytes come from `urls.raw`, never from `links.download`. A key of a demo application may ask 50 times an hour, one of a
production application 5,000 times; the CDN does not count.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from jewel_assets.collect.answers import Answer, Received, Refusal, whole_number
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import HostRule, Quota
from jewel_assets.collect.source import SEARCH_FRESH_S, Found, Source, Withdrawn, host_of, read_results, the_object

PER_PAGE = 30  # the most that a page may have
REFERRAL = {"utm_source": "jewel-assets", "utm_medium": "referral"}
LICENCE = "Unsplash"
LICENCE_URL = "https://unsplash.com/license"
DEMO_QUOTA = Quota(50, 3600.0)
MAX_BYTES = 64 << 20

_PREMIUM = "plus.unsplash.com"


@dataclass(frozen=True)
class Unsplash(Source):
    """Photos of Unsplash, scaled to `width` pixels by its CDN."""

    key: str = field(repr=False)
    url: str = "https://api.unsplash.com"
    images: str = "images.unsplash.com"  # host of the photos
    quota: Quota = DEMO_QUOTA  # until its answers say how many it is
    per_second: float = 20.0  # photos, from the CDN
    connections: int = 8
    width: int = 1600  # pixels; smaller photos stay as they are
    quality: int = 85
    training_permission: str | None = None
    fresh_s: float = SEARCH_FRESH_S
    total_s: float = 120.0  # for one photo
    name: str = "unsplash"

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """The API by its quota, the CDN by a rate."""
        api = HostRule(10.0, 2, (self.quota,), obeys_robots=False)
        return {host_of(self.url): api, self.images: HostRule(self.per_second, self.connections, obeys_robots=False)}

    @property
    def secrets(self) -> Sequence[str]:
        """The access key."""
        return [self.key]

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the CDN is asked to make."""
        return {"width": self.width, "quality": self.quality}

    @property
    def requests_each(self) -> Mapping[str, int]:
        """One to tell of the download, one for the bytes."""
        return {host_of(self.url): 1, self.images: 1}

    def search(self, fetcher: Fetcher, query: str, most: int) -> Iterator[Found | Withdrawn]:
        """Photos by relevance, those of the paid collection left out."""
        taken = 0
        seen: set[str] = set()
        for page in range(1, 1 + -(-most // PER_PAGE) * 2):  # twice as many pages at most: some results are skipped
            params = {"query": query, "page": page, "per_page": PER_PAGE, "order_by": "relevant"}
            answer = self._ask(fetcher, f"{self.url}/search/photos", params | {"content_filter": "high"}, self.fresh_s)
            told = the_object(answer)
            before = len(seen)
            for found in read_results(told.get("results"), self._found):
                if found.source_id not in seen:
                    seen.add(found.source_id)
                    yield found
                    taken += isinstance(found, Found)
                    if taken >= most:
                        return
            if len(seen) == before or page >= int(told.get("total_pages") or 0):
                return

    def fetch(self, fetcher: Fetcher, row: Mapping[str, Any]) -> Received:
        """Tell of the download, then receive the photo."""
        self._ask(fetcher, row["extra"]["download_location"], None, 0.0)
        size = urlencode({"w": self.width, "fm": "jpg", "q": self.quality, "fit": "max"})
        raw = row["extra"]["raw"]
        return fetcher.file(f"{raw}{'&' if '?' in raw else '?'}{size}", max_bytes=MAX_BYTES, total_s=self.total_s)

    def _ask(self, fetcher: Fetcher, url: str, params: Mapping[str, Any] | None, fresh_s: float) -> Answer:
        host = host_of(self.url)
        if host_of(url) != host or urlsplit(url).scheme != urlsplit(self.url).scheme:
            raise Refusal("strange address", f"Unsplash names {urlsplit(url).netloc} for its API; the key stays here.")
        headers = {"Authorization": f"Client-ID {self.key}", "Accept-Version": "v1"}
        is_search = params is not None
        answer = fetcher.json(url, params, headers, fresh_s=fresh_s, limited=_is_limit, remember=is_search)
        limit, remaining = (
            whole_number(answer.headers.get(f"X-Ratelimit-{name}", "")) for name in ("Limit", "Remaining")
        )
        if limit:
            fetcher.limits.learn_quota(host, limit)
        if remaining == 0:
            fetcher.limits.pause_until_next_window(host)  # the next one would be refused
        return answer

    def _found(self, result: Mapping[str, Any]) -> Found | Withdrawn | None:
        urls, links, user = (result.get(name) or {} for name in ("urls", "links", "user"))
        raw, location = urls.get("raw"), links.get("download_location")
        if not result.get("id") or not raw or not location:
            return None
        if urlsplit(raw).hostname == _PREMIUM:
            return Withdrawn(str(result["id"]), "in the paid collection")
        author = user.get("name") or user.get("username")
        page = links.get("html")
        return Found(
            source_id=str(result["id"]),
            version=urlsplit(raw).path,  # the query holds who asked, and when
            file_url=raw.split("?", 1)[0],
            source_url=_referred(page),
            author=author,
            author_url=_referred((user.get("links") or {}).get("html")),
            licence=LICENCE,
            licence_url=LICENCE_URL,
            title=result.get("alt_description") or result.get("description"),
            credit=f"Photo by {author} on Unsplash" if author else "Photo on Unsplash",
            extra={"raw": raw, "download_location": location},
        )


def _is_limit(status: int, body: bytes) -> bool:
    """The hour's requests are used up: a 429, or a 403 whose body is a sentence and no JSON."""
    return status == 429 or (status == 403 and b"rate limit" in body[:200].lower())


def _referred(url: str | None) -> str | None:
    """A link as the guidelines want it: saying who refers."""
    if not url:
        return None
    return f"{url}{'&' if '?' in url else '?'}{urlencode(REFERRAL)}"
