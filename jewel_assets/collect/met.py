"""The source `met`: The Metropolitan Museum of Art, Open Access. https://metmuseum.github.io

A search gives numbers of objects, and each object is one more question, at most 80 a second (we ask ten). What is in
the public domain is CC0, picture and data. A search for "ring" also finds paintings of rings, so an object must be
called by one of the query's words.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jewel_assets.collect.answers import Delayed, Gone, Received
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import HostRule
from jewel_assets.collect.source import SEARCH_FRESH_S, Found, Source, Withdrawn, host_of, read_results, the_object

LICENCE = "CC0 1.0"
LICENCE_URL = "https://creativecommons.org/publicdomain/zero/1.0/"
OBJECT_FRESH_S = 30 * 86_400.0
"""What the museum says of an object is asked again after a month."""
LOOKED_AT = 6
"""So many objects are looked at for each photo that is wanted, before a query is given up."""
TROUBLES = 10
"""So many objects in one search that the museum cannot show, and it is the museum that is in trouble."""
MAX_BYTES = 64 << 20

_ORDINARY = {"jewelry", "jewellery", "and", "of", "with", "the", "gold", "silver", "finger"}


@dataclass(frozen=True)
class Met(Source):
    """The main photograph of each object in the public domain."""

    url: str = "https://collectionapi.metmuseum.org"
    images: str = "images.metmuseum.org"
    per_second: float = 10.0  # of the 80 that are allowed
    fresh_s: float = SEARCH_FRESH_S
    object_fresh_s: float = OBJECT_FRESH_S
    total_s: float = 120.0  # for one photo
    name: str = "met"

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """API and photos by a rate."""
        return {
            host_of(self.url): HostRule(self.per_second, 4, obeys_robots=False),
            self.images: HostRule(self.per_second, 4, obeys_robots=False),
        }

    @property
    def requests_each(self) -> Mapping[str, int]:
        """One for the bytes; objects are asked for while searching."""
        return {self.images: 1}

    def search(self, fetcher: Fetcher, query: str, most: int) -> Iterator[Found | Withdrawn]:
        """Objects in the public domain that have a photograph and are called as the query says."""
        params = {"q": query, "hasImages": "true"}
        told = the_object(fetcher.json(f"{self._base}/search", params, fresh_s=self.fresh_s))
        taken, troubles = 0, 0
        for number in (told.get("objectIDs") or [])[: most * LOOKED_AT]:
            try:
                answer = fetcher.json(f"{self._base}/objects/{int(number)}", fresh_s=self.object_fresh_s)
            except Gone:
                continue  # the museum's index is older than its collection
            except Delayed:
                troubles += 1  # one object that cannot be shown is no reason to give up the others
                if troubles >= TROUBLES:
                    raise
                continue
            for found in read_results([answer.json()], functools.partial(self._found, query=query)):
                yield found
                taken += isinstance(found, Found)
                if taken >= most:
                    return

    def look_again(self, fetcher: Fetcher, source_id: str) -> Found | Withdrawn | None:
        """What the museum says of it today."""
        try:
            answer = fetcher.json(f"{self._base}/objects/{source_id}")
        except Gone:
            return Withdrawn(source_id, "no longer in the collection")
        return self._found(the_object(answer))

    def fetch(self, fetcher: Fetcher, row: Mapping[str, Any]) -> Received:
        """Receive the photograph."""
        return fetcher.file(row["file_url"], max_bytes=MAX_BYTES, total_s=self.total_s)

    @property
    def _base(self) -> str:
        return f"{self.url}/public/collection/v1"

    def _found(self, told: Mapping[str, Any], query: str | None = None) -> Found | Withdrawn | None:
        picture = told.get("primaryImage")
        if told.get("objectID") and told.get("isPublicDomain") is not True:
            return Withdrawn(str(told["objectID"]), "not in the public domain")
        if not told.get("objectID") or not picture or (query is not None and not _is_called(told, query)):
            return None
        title, author = told.get("title") or told.get("objectName"), told.get("artistDisplayName") or None
        dated = ", ".join(text for text in (author, title, told.get("objectDate")) if text)
        credit = told.get("creditLine")
        return Found(
            source_id=str(told["objectID"]),
            version=urlsplit(picture).path,
            file_url=picture,
            source_url=told.get("objectURL"),
            author=author,
            licence=LICENCE,
            licence_url=LICENCE_URL,
            title=title,
            credit=f"{dated}. The Metropolitan Museum of Art" + (f", {credit}" if credit else ""),
        )


def _is_called(told: Mapping[str, Any], query: str) -> bool:
    """Whether the object's name, title or class has one of the query's own words, as a word ("earrings" for one)."""
    names = " ".join(str(told.get(name) or "") for name in ("objectName", "title", "classification")).lower()
    words = [word for word in re.findall(r"[a-z]+", query.lower()) if word not in _ORDINARY] or [query.lower()]
    return any(re.search(rf"\b{re.escape(word.rstrip('s'))}(s|es)?\b", names) for word in words)
