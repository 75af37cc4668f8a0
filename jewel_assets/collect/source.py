"""What a source is: somewhere that photos or models can be searched and fetched. One file each implements it.

A source says how its hosts are treated, what a search finds, and how one file is received. It loops over nothing but
the pages of a search, keeps nothing, decides nothing about licences: `collecting` and `fetch_file` do, once for all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from jewel_assets.collect.addresses import AddressGuard
from jewel_assets.collect.answers import Received
from jewel_assets.collect.archive import Archive
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import HostRule, Limits
from jewel_assets.settings import settings

SEARCH_FRESH_S = 12 * 3600.0
"""An answer to a search that is younger is not asked for again: a first run that was stopped goes on where it was, and
the nightly run asks anew."""


@dataclass(frozen=True)
class Found:
    """One thing that a search found. Texts are as the source has them."""

    source_id: str
    version: str  # another one when the file is another: an address without its query, a date of change
    file_url: str  # without keys; what `fetch` starts from
    source_url: str | None = None  # the page that a person may open
    author: str | None = None
    author_url: str | None = None
    licence: str | None = None
    licence_url: str | None = None
    title: str | None = None
    credit: str | None = None  # the line to print beside it
    extra: Mapping[str, Any] = field(default_factory=dict)  # what `fetch` needs besides, JSON-able


class Source(Protocol):
    """See the module. Picklable; a key among its fields must not be in its `repr`."""

    @property
    def name(self) -> str:
        """How it is called in item ids: `{name}:{source_id}`."""

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """`host` or `host:port` -> how it is treated."""

    @property
    def secrets(self) -> Sequence[str]:
        """Keys, which no error may quote."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What changes the bytes that are received: part of every item's key."""

    @property
    def requests_each(self) -> Mapping[str, int]:
        """Host -> requests that one file takes; what the time is estimated from."""

    @property
    def permission(self) -> str | None:
        """The operator's statement that he may train on what is found here, whatever the licence leaves open."""

    def search(self, fetcher: Fetcher, query: str, most: int) -> Iterator[Found]:
        """At most so many things for a query, best first, asking page by page as they are taken."""

    def fetch(self, fetcher: Fetcher, row: Mapping[str, Any]) -> Received:
        """Receive the file of a row that was found (`collecting.LISTING_SCHEMA`, `extra` as a dict)."""


def host_of(url: str) -> str:
    """`host` or `host:port` of an address."""
    return urlsplit(url).netloc


def open_fetcher(source: Source, state: Path | None, told: Callable[[str], None] | None = None) -> Fetcher:
    """A fetcher that keeps to the source's rules; what must outlive it lies in the folder `state` (None: nothing).

    `told` is called with a sentence when it waits long.
    """
    configured = settings()
    return Fetcher(
        Limits(source.rules, state / "limits.sqlite" if state else None, told),
        Archive(state / "archive.sqlite" if state else None),
        AddressGuard(configured.private_hosts),
        contact=configured.contact,
        secrets=source.secrets,
    )
