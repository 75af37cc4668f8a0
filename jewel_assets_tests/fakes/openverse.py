"""A stand-in for Openverse: its interface at 127.0.0.1, and a collection that holds the photos at localhost."""

import uuid
from collections.abc import Mapping
from typing import Any

from jewel_assets_tests.fakes.server import FakeServer, Reply, Seen, json_reply
from jewel_assets_tests.fakes.unsplash import drawn

LICENCES = (
    ("cc0", "1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    ("by", "2.0", "https://creativecommons.org/licenses/by/2.0/"),
    ("pdm", "1.0", "https://creativecommons.org/publicdomain/mark/1.0/"),
    ("by-nc-sa", "2.0", "https://creativecommons.org/licenses/by-nc-sa/2.0/"),
)


class FakeOpenverse(FakeServer):
    """`total` photos for each query, their licences in turn; `robots_txt` is that of the collection."""

    requests_per_window = 20
    window_s = 60.0

    def __init__(self, total: int = 30, robots_txt: str | None = None) -> None:
        super().__init__()
        self.total = total
        self.robots_txt = robots_txt
        self.ignores_licence = False  # show everything, whatever licences were asked for
        self.catalogue: dict[str, Mapping[str, Any]] = {}  # id -> what the catalogue says of it when it is asked after

    def robots(self) -> str | None:
        """That of the collection."""
        return self.robots_txt

    def counts_against_quota(self, seen: Seen) -> bool:
        """Only the interface."""
        return seen.path.startswith("/v1/")

    def out_of_quota(self, seen: Seen) -> Reply:
        """As Django REST framework says it."""
        left = self.window_s - (seen.at - self._counted[0])
        self.ask_for_patience(seen, left)
        told = {"detail": f"Request was throttled. Expected available in {left:.0f} seconds."}
        return json_reply(told, 429, {"Retry-After": f"{left + 1:.0f}"})

    def reply(self, seen: Seen) -> Reply:
        """See Openverse's documentation."""
        if seen.path.startswith("/static/"):
            return Reply(
                200, drawn(seen.path.split("/")[-1]), {"Last-Modified": "Tue, 03 Mar 2020 10:00:00 GMT"}, "image/jpeg"
            )
        if seen.path != "/v1/images/":
            known = self.catalogue.get(seen.path.removeprefix("/v1/images/").rstrip("/"))
            return json_reply(known or {"detail": "Not found."}, 200 if known else 404)
        page, size = int(seen.query.get("page", 1)), int(seen.query.get("page_size", 20))
        if size > 20:
            self.violations.append(f"a page of {size} was asked for without an account")
            return json_reply({"detail": "page_size may not exceed 20 for anonymous requests."}, 401)
        if page * size > 240:
            self.violations.append(f"result {page * size} was asked for: no query shows more than 240")
            return json_reply({"detail": "Invalid page."}, 400)
        wanted = seen.query.get("license", "").split(",")
        results = self.results(seen.query["q"])
        if not self.ignores_licence:
            results = [result for result in results if result["license"] in wanted]
        pages = -(-len(results) // size)
        found = {
            "result_count": len(results),
            "page_count": min(pages, 12),
            "page_size": size,
            "page": page,
            "results": results[(page - 1) * size : page * size],
            "warnings": [],
        }
        left = {
            "X-RateLimit-Limit-anon_burst": "20/min",
            "X-RateLimit-Available-anon_burst": str(self.left_in_window()),
        }
        return json_reply(found, headers=left)

    def results(self, query: str) -> list[Mapping[str, Any]]:
        """All of a query's photos, whatever their licence."""
        return [self._result(query, number) for number in range(self.total)]

    def _result(self, query: str, number: int) -> Mapping[str, Any]:
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{query}/{number}"))
        licence, version, address = LICENCES[number % len(LICENCES)]
        name = f"{query.replace(' ', '-')}-{number}.jpg"
        creator = f"Collector {number % 5}"
        return {
            "id": identity,
            "indexed_on": "2020-03-03T10:00:00.000000Z",
            "title": f"{query} {number}",
            "foreign_landing_url": f"https://example.org/photos/{identity}",
            "url": f"{self.other_url}/static/{name}",
            "creator": creator,
            "creator_url": f"https://example.org/people/{number % 5}",
            "license": licence,
            "license_version": version,
            "license_url": address,
            "provider": "flickr",
            "source": "flickr",
            "category": "photograph",
            "filesize": None,
            "filetype": "jpg",
            "tags": [{"name": "jewelry", "accuracy": None, "unstable__provider": "flickr"}],
            "attribution": f'"{query} {number}" by {creator} is licensed under {licence.upper()} {version}.',
            "fields_matched": ["title"],
            "mature": False,
            "height": 320,
            "width": 320,
            "thumbnail": f"{self.url}/v1/images/{identity}/thumb/",
            "detail_url": f"{self.url}/v1/images/{identity}/",
            "related_url": f"{self.url}/v1/images/{identity}/related/",
        }
