"""From a source's search to the items of a run: what was found now and before, what may be kept, what time allows.

What a source told of each item is kept beside the dataset (`{asset}__found`, a Delta table), so that a photo stays
when tomorrow's search no longer shows it, and a run that is cut short by the account's limits goes on the next night.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from jewel_assets.collect.answers import KeyRefused
from jewel_assets.collect.fetch_file import USELESS
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.licences import may_train, recognise
from jewel_assets.collect.limits import HostRule, Limits
from jewel_assets.collect.policy import rule_for
from jewel_assets.collect.queries import shares
from jewel_assets.collect.source import Found, Source, Withdrawn
from jewel_assets.errors import Permanent, Transient
from jewel_assets.lake import Lake, Stage
from jewel_assets.lake.schema import UTC_MICROSECONDS

LISTING_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),  # "{source}:{source_id}"
        pa.field("category", pa.string(), nullable=False),  # or the texture theme
        pa.field("source", pa.string(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("source_url", pa.string()),
        pa.field("author", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("licence_url", pa.string()),
        pa.field("author_url", pa.string()),
        pa.field("title", pa.string()),
        pa.field("credit", pa.string()),  # the line to print beside it
        pa.field("query", pa.string()),  # that found it first
        pa.field("file_url", pa.string(), nullable=False),  # without keys or signatures
        pa.field("version", pa.string(), nullable=False),
        pa.field("extra", pa.string(), nullable=False),  # JSON: what fetching needs besides
        pa.field("withdrawn", pa.string()),  # why its source no longer lets us have it; null while it does
        pa.field("at", UTC_MICROSECONDS, nullable=False),  # when it was found so
    ]
)

ITEMS_SCHEMA = pa.schema(
    [
        *LISTING_SCHEMA,
        pa.field("may_train", pa.bool_(), nullable=False),
        pa.field("failed_before", pa.int32(), nullable=False),  # nights
        pa.field("useless_before", pa.int32(), nullable=False),  # of these: nights in which it was no file of its kind
        pa.field("again", pa.int32(), nullable=False),  # how often it was refused for what may change
    ]
)
"""What the stage is given."""

LOOK_AGAIN_AFTER = timedelta(days=30)
"""What may train and was not seen in any search for so long is asked after, one by one."""
LOOKS_A_RUN = 20
MAY_CHANGE = ("not allowed", "disallowed by robots.txt", "file too large")
"""Reasons of a refusal that is tried again after REFUSED_FOR: the site may be of another mind by then."""
REFUSED_FOR = timedelta(days=30)

_VOLATILE = ("extra", "at", "query")
"""What may be another one in every answer, though nothing has changed."""


@dataclass(frozen=True)
class Plan:
    """What a run is going to fetch. `items` are those that the stage is given: known ones, and as many new as fit."""

    items: pa.Table  # ITEMS_SCHEMA
    source: str
    category: str
    found: int  # by this search
    known: int  # of all items, done already
    new: int  # to be fetched now
    later: int  # to be fetched by a later run
    forbidden: int  # that the policy does not let us keep
    withdrawn: int  # that their source no longer lets us have
    seconds: float  # that fetching the new ones takes at least, by the limits
    problems: tuple[str, ...] = ()  # what went wrong in searching, though something was found

    def sentence(self) -> str:
        """What an operator wants to know before it begins."""
        told = f"{self.source}, {self.category}: the search shows {self.found:,}; {self.known:,} are here already"
        told += f", {self.new:,} are fetched now"
        if self.new:
            told += f", which takes at least {spoken(self.seconds)} under the limits"
        if self.later:
            told += f"; {self.later:,} wait for a later run (`hours` in the asset's configuration)"
        if self.forbidden:
            told += f"; {self.forbidden:,} may not be kept (policy.toml)"
        if self.withdrawn:
            told += f"; {self.withdrawn:,} are no longer to be had and leave the dataset"
        return told + ". It may be stopped at any time and goes on where it was."


def plan(
    lake: Lake,
    stage: Stage,
    source: Source,
    dataset: str,
    category: str,
    queries: Sequence[str],
    fetcher: Fetcher,
    most: int,
    hours: float,
) -> Plan:
    """Search, remember what was found, and choose what to fetch.

    At most `most` results are looked at, or as many as the source allows a run. New ones are taken as far as the limits
    let them be fetched in `hours`, those that failed before after the others; what was taken down or withdrawn, or may
    not be kept by the policy, is left out. A query that cannot be asked is a problem of the plan, not its end.

    Raises Permanent for a key that is refused, and whatever went wrong where nothing at all was found.
    """
    listings = lake.listings(dataset)
    remembered = {row["item_id"]: row for row in listings.latest(category).to_pylist()}
    search = _Search(source, category, fetcher, remembered)
    search.ask(shares(min(most, source.most_a_run or most), queries))
    now = search.rows | search.look_again()
    news = [row for item_id, row in now.items() if search.is_news(item_id, row)]
    listings.append(lake.takedowns().without(pa.Table.from_pylist(news, LISTING_SCHEMA)))
    rows = list((remembered | now).values())
    here = [row for row in rows if not row.get("withdrawn")]
    allowed = lake.takedowns().without(
        pa.Table.from_pylist([row for row in here if _may_keep(source, row)], LISTING_SCHEMA)
    )
    past = _Past(lake, dataset, category)
    place = {item_id: number for number, item_id in enumerate(now)}
    known: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    for row in allowed.to_pylist():
        item = row | past.of(row["item_id"]) | {"may_train": _may_train(source, row)}
        (known if stage.key(item) in past.done else new).append(item)
    # As the search ranks them, then what it forgot; what failed before comes last, lest it keep the others waiting.
    new.sort(key=lambda row: (row["failed_before"], place.get(row["item_id"], len(place))))
    limits = fetcher.limits  # by now it knows what the account is allowed
    fits = affordable(source, limits, hours * 3600.0)
    taken = new if fits is None else new[:fits]
    items = sorted(known + taken, key=lambda row: str(row["item_id"]))
    return Plan(
        items=pa.Table.from_pylist(items, ITEMS_SCHEMA),
        source=source.name,
        category=category,
        found=len(search.rows),
        known=len(known),
        new=len(taken),
        later=len(new) - len(taken),
        forbidden=len(here) - sum(_may_keep(source, row) for row in here),
        withdrawn=len(rows) - len(here),
        seconds=seconds_for(source, limits, len(taken)),
        problems=tuple(search.problems),
    )


def seconds_for(source: Source, limits: Limits, files: int) -> float:
    """How long so many files take at least, by the limits of the hosts that they need."""
    times = [limits.rule(host).seconds_for(files * each) for host, each in source.requests_each.items()]
    return max(times, default=0.0)


def affordable(source: Source, limits: Limits, seconds: float) -> int | None:
    """How many files fit into so many seconds under the accounts' quotas; None where there is no quota."""
    counts = [
        _requests_within(limits.rule(host), seconds) // each
        for host, each in source.requests_each.items()
        if limits.rule(host).quotas
    ]
    return max(1, min(counts)) if counts else None


def spoken(seconds: float) -> str:
    """A time for people: "40 seconds", "12 minutes", "80 hours"."""
    for unit, length in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(1, round(seconds))} seconds"


def _requests_within(rule: HostRule, seconds: float) -> int:
    return min(quota.requests * (1 + int(seconds // quota.window_s)) for quota in rule.quotas)


class _Search:
    """One run's questions to a source, and what came of them: rows by item id, in the order of the answers."""

    def __init__(
        self, source: Source, category: str, fetcher: Fetcher, remembered: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.source = source
        self.category = category
        self.fetcher = fetcher
        self.remembered = remembered
        self.rows: dict[str, dict[str, Any]] = {}
        self.problems: list[str] = []

    def ask(self, wanted: Sequence[tuple[str, int]]) -> None:
        """Search for each query. What several of them find counts once."""
        first: Exception | None = None
        for query, share in wanted:
            try:
                for found in self.source.search(self.fetcher, query, share):
                    self._take(found, query)
            except KeyRefused:
                raise
            except (Permanent, Transient) as error:
                first = first or error
                self.problems.append(f"The search for {query!r} broke off: {error}")
        if first is not None and not self.rows:
            raise first

    def look_again(self) -> dict[str, dict[str, Any]]:
        """Ask after some of what may train, is here, and was not seen for long: its owner may have changed his mind."""
        long_ago = datetime.now(UTC) - LOOK_AGAIN_AFTER
        unseen = [
            row
            for item_id, row in self.remembered.items()
            if item_id not in self.rows
            and row["at"] < long_ago
            and not row.get("withdrawn")
            and _may_train(self.source, row)
        ]
        seen: dict[str, dict[str, Any]] = {}
        for row in sorted(unseen, key=lambda row: str(row["at"]))[:LOOKS_A_RUN]:
            try:
                found = self.source.look_again(self.fetcher, row["source_id"])
            except (Permanent, Transient) as error:
                self.problems.append(f"{row['item_id']} could not be asked after: {error}")
                continue
            if isinstance(found, Found):
                seen[row["item_id"]] = _row(self.source, self.category, row["query"] or "", found)
            elif isinstance(found, Withdrawn):
                seen[row["item_id"]] = _withdrawn(row, found)
        return seen

    def is_news(self, item_id: str, row: Mapping[str, Any]) -> bool:
        """Whether a row says anything that is not written down: other words, or that it is still so after long."""
        before = self.remembered.get(item_id)
        if before is None or before["at"] < datetime.now(UTC) - LOOK_AGAIN_AFTER:
            return True
        return any(before.get(name) != value for name, value in row.items() if name not in _VOLATILE)

    def _take(self, found: Found | Withdrawn, query: str) -> None:
        item_id = f"{self.source.name}:{found.source_id}"
        if isinstance(found, Found):
            self.rows.setdefault(item_id, _row(self.source, self.category, query, found))
        elif item_id in self.remembered:
            self.rows[item_id] = _withdrawn(self.remembered[item_id], found)


class _Past:
    """What earlier runs made of the items of a dataset."""

    def __init__(self, lake: Lake, dataset: str, category: str) -> None:
        rows = lake.outcomes(dataset).read(category, columns=["input_key", "status", "reason"]).to_pylist()
        self.done = {row["input_key"] for row in rows if row["status"] != "failed"}  # fetched, or refused for good
        self._of: dict[str, dict[str, int]] = defaultdict(lambda: {"failed_before": 0, "useless_before": 0, "again": 0})
        long_ago = datetime.now(UTC) - REFUSED_FOR
        for row in rows:
            mine = self._of[row["item_id"]]
            if row["status"] == "failed":
                mine["failed_before"] += 1
                mine["useless_before"] += row["reason"] in USELESS
            elif row["status"] == "rejected" and row["reason"] in MAY_CHANGE and row["at"] < long_ago:
                mine["again"] += 1

    def of(self, item_id: str) -> dict[str, int]:
        """`failed_before`, `useless_before` and `again` of an item."""
        return dict(self._of[item_id])


def _row(source: Source, category: str, query: str, found: Found) -> dict[str, Any]:
    return {
        "item_id": f"{source.name}:{found.source_id}",
        "category": category,
        "source": source.name,
        "source_id": found.source_id,
        "source_url": found.source_url,
        "author": found.author,
        "licence": found.licence,
        "licence_url": found.licence_url,
        "author_url": found.author_url,
        "title": found.title,
        "credit": found.credit,
        "query": query,
        "file_url": found.file_url,
        "version": found.version,
        "extra": json.dumps(dict(found.extra), sort_keys=True),
        "withdrawn": None,
        "at": datetime.now(UTC),
    }


def _withdrawn(row: Mapping[str, Any], found: Withdrawn) -> dict[str, Any]:
    return {**row, "withdrawn": found.why, "at": datetime.now(UTC)}


def _may_keep(source: Source, row: Mapping[str, Any]) -> bool:
    licence = recognise(row["licence"])
    rule = rule_for(source.name, licence.name if licence else None)
    return rule.allows("reference", True if source.keeping_permission else None)


def _may_train(source: Source, row: Mapping[str, Any]) -> bool:
    said = True if source.training_permission else None
    return may_train(row["licence"], row["licence_url"], said, source.name)


def stated(name: str, statement: str | None) -> str | None:
    """An operator's statement, or None. Raises Permanent for a word that states nothing."""
    if statement is not None and len(statement.split()) < 4:
        raise Permanent(
            f"{name}={statement!r} states nothing: write who permits what, and since when, in a sentence; it is shown "
            "with every collection."
        )
    return statement
