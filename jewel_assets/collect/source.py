"""What a source is: somewhere that photos or models can be searched and fetched. One file each implements it.

A source says how its hosts are treated, what a search finds, and how one file is received. It loops over nothing but
the pages of a search, keeps nothing, decides nothing about licences: `collecting` and `fetch_file` do, once for all.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jewel_assets.collect.addresses import AddressGuard
from jewel_assets.collect.addresses import host_of as host_of  # which sources name their hosts by
from jewel_assets.collect.answers import Answer, Delayed, Received
from jewel_assets.collect.archive import Archive
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.limits import HostRule, Limits
from jewel_assets.lake import Lake
from jewel_assets.settings import settings

log = logging.getLogger(__name__)

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


@dataclass(frozen=True)
class Withdrawn:
    """A thing that the source still names and no longer lets us have: taken back, sold now, no longer for programs."""

    source_id: str
    why: str


class Source(Protocol):
    """See the module. Picklable; a key among its fields must not be in its `repr`. What returns here is a default."""

    @property
    def name(self) -> str:
        """How it is called in item ids: `{name}:{source_id}`."""

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """`host` or `host:port` -> how it is treated."""

    @property
    def secrets(self) -> Sequence[str]:
        """Keys, which no error may quote."""
        return ()

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What changes the bytes that are received: part of every item's key."""
        return {}

    @property
    def requests_each(self) -> Mapping[str, int]:
        """Host -> requests that one file takes; what the time is estimated from."""
        return {}

    @property
    def most_a_run(self) -> int | None:
        """Results that one run may look at, so that a night over all partitions keeps within the account's day."""
        return None

    @property
    def keeping_permission(self) -> str | None:
        """The operator's statement that files may be kept, where the policy asks for one."""
        return None

    @property
    def training_permission(self) -> str | None:
        """The operator's statement that models may be trained on what is found here, where licences leave it open."""
        return None

    def search(self, fetcher: Fetcher, query: str, most: int) -> Iterator[Found | Withdrawn]:
        """At most so many things for a query, best first, asking page by page as they are taken."""

    def look_again(self, fetcher: Fetcher, source_id: str) -> Found | Withdrawn | None:
        """What the source says today of a thing that searches no longer show; None where it cannot be asked."""
        return None

    def fetch(self, fetcher: Fetcher, row: Mapping[str, Any]) -> Received:
        """Receive the file of a row that was found (`collecting.LISTING_SCHEMA`, `extra` as a dict)."""


def read_results(
    results: Any, read: Callable[[Mapping[str, Any]], Found | Withdrawn | None]
) -> Iterator[Found | Withdrawn]:
    """What `read` makes of each result of an answer. One of a strange shape is left out, with a warning: the other
    results of the page are good.
    """
    for result in results if isinstance(results, list) else []:
        try:
            found = read(result)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.warning("A result is of a strange shape and left out (%s: %s).", type(error).__name__, error)
            continue
        if found is not None:
            yield found


def the_object(answer: Answer) -> Mapping[str, Any]:
    """The JSON object of an answer. Raises Delayed for what is something else: an interface that is being changed."""
    told = answer.json()
    if not isinstance(told, dict):
        raise Delayed("strange answer", f"The answer should be a JSON object and is a {type(told).__name__}.")
    return told


def fetched_folder(lake: Lake) -> Path:
    """Where the archive, quotas and pauses lie: in the lake, or where that is elsewhere, in this user's state folder.

    (XDG Base Directory Specification: `$XDG_STATE_HOME`.) Machines that share a lake elsewhere do not share these.
    """
    folder = lake.local_folder("fetched")
    if folder is not None:
        return folder
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "jewel-assets" / hashlib.sha256(lake.root.encode()).hexdigest()[:16]


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
