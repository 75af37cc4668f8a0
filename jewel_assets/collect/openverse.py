"""The source `openverse`: openly licensed photos of many collections, https://api.openverse.org/v1/.

Without an account Openverse answers 20 requests a minute and 200 a day, 20 results a page and no result beyond the
240th of a query; its terms forbid to take the catalogue as a whole. We ask for some hundred photos of a few queries a
night. The photos lie at their collections (Flickr, Wikimedia Commons, museums), whose robots.txt is obeyed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jewel_assets.collect.answers import Received
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import HostRule, Quota
from jewel_assets.collect.source import SEARCH_FRESH_S, Found, host_of

PER_PAGE = 20  # more is answered with 401 to those without an account
DEEPEST = 240  # results of one query
MAX_BYTES = 64 << 20
DAY_S, MINUTE_S = 86_400.0, 60.0


@dataclass(frozen=True)
class Openverse:
    """Photographs under CC0, the Public Domain Mark or CC BY."""

    url: str = "https://api.openverse.org"
    licences: tuple[str, ...] = ("cc0", "pdm", "by")
    quotas: tuple[Quota, ...] = (Quota(20, MINUTE_S), Quota(200, DAY_S))
    fresh_s: float = SEARCH_FRESH_S
    total_s: float = 120.0  # for one photo
    name: str = "openverse"
    permission: str | None = None

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """The API by its quotas; where photos lie is a stranger's."""
        return {host_of(self.url): HostRule(1.0, 1, self.quotas, obeys_robots=False)}

    @property
    def secrets(self) -> Sequence[str]:
        """None: no key is needed."""
        return []

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Photos are taken as they are."""
        return {}

    @property
    def requests_each(self) -> Mapping[str, int]:
        """Photos do not count against the API."""
        return {}

    def search(self, fetcher: Fetcher, query: str, most: int) -> Iterator[Found]:
        """Photographs by relevance."""
        taken = 0
        seen: set[str] = set()
        for page in range(1, 1 + DEEPEST // PER_PAGE):
            params = {
                "q": query,
                "license": ",".join(self.licences),
                "category": "photograph",
                "page": page,
                "page_size": PER_PAGE,
            }
            told = fetcher.json(f"{self.url}/v1/images/", params, fresh_s=self.fresh_s).json()
            results = [result for result in told.get("results") or [] if result.get("id") not in seen]
            seen |= {result.get("id") for result in results}
            for result in results:
                found = self._found(result)
                if found is not None:
                    yield found
                    taken += 1
                    if taken >= most:
                        return
            if not results or page >= int(told.get("page_count") or 0):
                return

    def fetch(self, fetcher: Fetcher, row: Mapping[str, Any]) -> Received:
        """Receive the photo from where it lies."""
        return fetcher.file(row["extra"]["url"], max_bytes=MAX_BYTES, total_s=self.total_s)

    def _found(self, result: Mapping[str, Any]) -> Found | None:
        url, licence = result.get("url"), str(result.get("license") or "").lower()
        if not result.get("id") or not url or licence not in self.licences or result.get("mature"):
            return None
        named = {"cc0": "CC0", "pdm": "Public Domain Mark"}.get(licence, f"CC {licence.upper()}")
        return Found(
            source_id=str(result["id"]),
            version=f"{host_of(url)}{urlsplit(url).path}",
            file_url=url.split("?", 1)[0],
            source_url=result.get("foreign_landing_url"),
            author=result.get("creator"),
            author_url=result.get("creator_url"),
            licence=f"{named} {result.get('license_version') or ''}".strip(),
            licence_url=result.get("license_url"),
            title=result.get("title"),
            credit=result.get("attribution"),
            extra={"url": url},
        )
