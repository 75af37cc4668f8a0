"""The source `openverse`: openly licensed photos of many collections, https://api.openverse.org/v1/.

Without an account Openverse answers 20 requests a minute and 200 a day, 20 results a page and no result beyond the
240th of a query; its terms forbid to take the catalogue as a whole. We look at a hundred results a run, each night at
others. The photos lie at their collections (Flickr, Wikimedia Commons, museums), whose robots.txt is obeyed.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jewel_assets.collect.answers import Gone, Received, Refusal
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import HostRule, Quota
from jewel_assets.collect.source import SEARCH_FRESH_S, Found, Source, Withdrawn, host_of, read_results, the_object

PER_PAGE = 20  # more is answered with 401 to those without an account
DEEPEST = 240  # results of one query
MAX_BYTES = 64 << 20
DAY_S, MINUTE_S = 86_400.0, 60.0


@dataclass(frozen=True)
class Openverse(Source):
    """Photographs under CC0, the Public Domain Mark or CC BY."""

    url: str = "https://api.openverse.org"
    licences: tuple[str, ...] = ("cc0", "pdm", "by")
    quotas: tuple[Quota, ...] = (Quota(20, MINUTE_S), Quota(200, DAY_S))
    fresh_s: float = SEARCH_FRESH_S
    total_s: float = 120.0  # for one photo
    name: str = "openverse"

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """The API by its quotas; where photos lie is a stranger's."""
        return {host_of(self.url): HostRule(1.0, 1, self.quotas, obeys_robots=False)}

    @property
    def most_a_run(self) -> int | None:
        """Five pages: with six categories and some fifteen themes, half of what a day allows."""
        return 5 * PER_PAGE

    def search(self, fetcher: Fetcher, query: str, most: int) -> Iterator[Found | Withdrawn]:
        """Photographs by relevance, each night from the pages after those of the night before."""
        pages = DEEPEST // PER_PAGE
        wanted = min(pages, -(-most // PER_PAGE))
        first = int(time.time() // DAY_S) * wanted % pages
        taken, asked, last = 0, 0, pages
        seen: set[str] = set()
        for page in [*range(first + 1, pages + 1), *range(1, first + 1)]:
            if page > last or asked > wanted:  # one more than wanted: the first may have been behind the last page
                continue
            asked += 1
            told = self._page(fetcher, query, page)
            last = min(last, int(told.get("page_count") or page - 1))
            for found in read_results(told.get("results"), self._found):
                if found.source_id not in seen:
                    seen.add(found.source_id)
                    yield found
                    taken += isinstance(found, Found)
                    if taken >= most:
                        return

    def look_again(self, fetcher: Fetcher, source_id: str) -> Found | Withdrawn | None:
        """What the catalogue says of it today."""
        try:
            answer = fetcher.json(f"{self.url}/v1/images/{source_id}/")
        except Gone:
            return Withdrawn(source_id, "no longer in the catalogue")
        return self._found(the_object(answer))

    def fetch(self, fetcher: Fetcher, row: Mapping[str, Any]) -> Received:
        """Receive the photo from where it lies."""
        return fetcher.file(row["extra"]["url"], max_bytes=MAX_BYTES, total_s=self.total_s)

    def _page(self, fetcher: Fetcher, query: str, page: int) -> Mapping[str, Any]:
        """One page of a query's results; an empty one behind the last."""
        params = {
            "q": query,
            "license": ",".join(self.licences),
            "category": "photograph",
            "page": page,
            "page_size": PER_PAGE,
        }
        try:
            return the_object(fetcher.json(f"{self.url}/v1/images/", params, fresh_s=self.fresh_s))
        except Refusal as error:
            if page == 1 or error.status not in (400, 404, None):
                raise
            return {}

    def _found(self, result: Mapping[str, Any]) -> Found | Withdrawn | None:
        url, licence = result.get("url"), str(result.get("license") or "").lower()
        if not result.get("id") or not url or result.get("mature"):
            return None
        if licence not in self.licences:
            return Withdrawn(str(result["id"]), f"its licence is {licence or 'none'} now")
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
