"""A stand-in for The Metropolitan Museum of Art: its interface at 127.0.0.1, its photographs at localhost."""

import zlib
from collections.abc import Mapping
from typing import Any

from jewel_assets_tests.fakes.server import FakeServer, Reply, Seen, json_reply
from jewel_assets_tests.fakes.unsplash import drawn

_BASE = "/public/collection/v1"


class FakeMet(FakeServer):
    """`total` objects for each query. Of five, one is under copyright, one has no picture, one is called otherwise
    (a painting); the index also names one that is gone.
    """

    requests_per_window = 80
    window_s = 1.0

    def __init__(self, total: int = 30) -> None:
        super().__init__()
        self.total = total
        self.is_closed = False  # nothing is in the public domain any more
        self._objects: dict[int, Mapping[str, Any]] = {}

    def counts_against_quota(self, seen: Seen) -> bool:
        """Only the interface."""
        return seen.path.startswith(_BASE)

    def reply(self, seen: Seen) -> Reply:
        """See the museum's documentation."""
        if seen.path == f"{_BASE}/search":
            query = seen.query["q"]
            first = 100_000 + zlib.crc32(query.encode()) % 800_000
            for number in range(self.total):
                self._objects[first + number] = self._object(query, first + number, number)
            return json_reply({"total": self.total + 1, "objectIDs": [first - 1, *range(first, first + self.total)]})
        if seen.path.startswith(f"{_BASE}/objects/"):
            found = self._objects.get(int(seen.path.rsplit("/", 1)[1]))
            return json_reply(found or {"message": "Not a valid object"}, 200 if found else 404)
        if seen.path.startswith("/CRDImages/"):
            return Reply(200, drawn(seen.path.rsplit("/", 1)[1]), media_type="image/jpeg")
        return json_reply({"message": "Not found"}, 404)

    def _object(self, query: str, identity: int, number: int) -> Mapping[str, Any]:
        word = query.split()[-1]
        picture = f"{self.other_url}/CRDImages/ad/original/{word}-{identity}.jpg"
        is_public, is_called = number % 5 != 1 and not self.is_closed, number % 5 != 3
        return {
            "objectID": identity,
            "isHighlight": False,
            "accessionNumber": f"17.{number}",
            "isPublicDomain": is_public,
            "primaryImage": picture if is_public and number % 5 != 2 else "",
            "primaryImageSmall": picture.replace("original", "web-large") if is_public else "",
            "additionalImages": [],
            "constituents": None,
            "department": "European Sculpture and Decorative Arts",
            "objectName": query.capitalize() if is_called else "Painting",
            "title": f"{query.capitalize()} with a stone" if is_called else "Portrait of a lady",
            "culture": "French",
            "artistDisplayName": "Jean Toutin" if number % 2 else "",
            "objectDate": "ca. 1640",
            "medium": "Gold, enamel",
            "classification": "Metalwork-Gold" if is_called else "Paintings",
            "creditLine": "Gift of J. Pierpont Morgan, 1917",
            "rightsAndReproduction": "",
            "objectURL": f"https://www.metmuseum.org/art/collection/search/{identity}",
            "tags": None,
        }
