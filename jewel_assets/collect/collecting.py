"""From a source's search to the items of a run: what was found now and before, what may be kept, what time allows.

What a source told of each item is kept beside the dataset (`{asset}__found`, a Delta table), so that a photo stays
when tomorrow's search no longer shows it, and a run that is cut short by the account's limits goes on the next night.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.licences import may_train, recognise
from jewel_assets.collect.limits import HostRule, Limits
from jewel_assets.collect.policy import rule_for
from jewel_assets.collect.queries import shares
from jewel_assets.collect.source import Found, Source
from jewel_assets.errors import Permanent
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
        pa.field("at", UTC_MICROSECONDS, nullable=False),  # when it was found so
    ]
)
_VOLATILE = ("extra", "at", "query")
"""What may be another one in every answer, though nothing has changed."""


@dataclass(frozen=True)
class Plan:
    """What a run is going to fetch. `items` are those that the stage is given: known ones, and as many new as fit."""

    items: pa.Table  # LISTING_SCHEMA and `may_train`
    source: str
    category: str
    found: int  # by this search
    known: int  # of all items, done already
    new: int  # to be fetched now
    later: int  # to be fetched by a later run
    forbidden: int  # that the policy does not let us keep
    seconds: float  # that fetching the new ones takes at least, by the limits

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

    At most `most` results are looked at. New ones are taken as far as the limits let them be fetched in `hours`; what
    was taken down, or may not be kept by the policy, is left out. Raises Permanent for a key that is refused.
    """
    listings = lake.listings(dataset)
    remembered = {row["item_id"]: row for row in listings.latest(category).to_pylist()}
    now = _search(source, category, queries, fetcher, most)
    news = [row for item_id, row in now.items() if _says_else(remembered.get(item_id), row)]
    listings.append(pa.Table.from_pylist(news, LISTING_SCHEMA))
    rows = remembered | now
    banned = lake.takedowns().item_ids()
    allowed = [row for row in rows.values() if row["item_id"] not in banned and _may_keep(source, row)]
    done = _done(lake, dataset, category)
    place = {item_id: number for number, item_id in enumerate(now)}
    known: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    for row in sorted(allowed, key=lambda row: str(row["item_id"])):
        (known if stage.key(row) in done else new).append(row)
    new.sort(key=lambda row: place.get(row["item_id"], len(place)))  # as the search ranks them, then what it forgot
    limits = fetcher.limits  # by now it knows what the account is allowed
    fits = affordable(source, limits, hours * 3600.0)
    taken = new if fits is None else new[:fits]
    items = [row | {"may_train": _may_train(source, row)} for row in sorted(known + taken, key=_id)]
    return Plan(
        items=pa.Table.from_pylist(items, LISTING_SCHEMA.append(pa.field("may_train", pa.bool_(), nullable=False))),
        source=source.name,
        category=category,
        found=len(now),
        known=len(known),
        new=len(taken),
        later=len(new) - len(taken),
        forbidden=sum(row["item_id"] not in banned and not _may_keep(source, row) for row in rows.values()),
        seconds=seconds_for(source, limits, len(taken)),
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


def _search(
    source: Source, category: str, queries: Sequence[str], fetcher: Fetcher, most: int
) -> dict[str, dict[str, Any]]:
    """Item id -> row, in the order in which they were found; what several queries find counts once."""
    rows: dict[str, dict[str, Any]] = {}
    for query, share in shares(most, queries):
        for found in source.search(fetcher, query, share):
            row = _row(source, category, query, found)
            rows.setdefault(str(row["item_id"]), row)
    return rows


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
        "at": datetime.now(UTC),
    }


def _says_else(before: Mapping[str, Any] | None, row: Mapping[str, Any]) -> bool:
    return before is None or any(before[name] != value for name, value in row.items() if name not in _VOLATILE)


def _may_keep(source: Source, row: Mapping[str, Any]) -> bool:
    licence = recognise(row["licence"])
    rule = rule_for(source.name, licence.name if licence else None)
    return rule.allows("reference", True if source.permission else None)


def _may_train(source: Source, row: Mapping[str, Any]) -> bool:
    said = True if source.permission else None
    return may_train(row["licence"], row["licence_url"], said, source.name)


def _done(lake: Lake, dataset: str, category: str) -> set[str]:
    """Keys of the items that need nothing more: fetched, or refused for good."""
    outcomes = lake.outcomes(dataset).read(category, columns=["input_key", "status"])
    keys, states = (outcomes.column(name).to_pylist() for name in ("input_key", "status"))
    return {key for key, status in zip(keys, states, strict=True) if status != "failed"}


def _id(row: Mapping[str, Any]) -> str:
    return str(row["item_id"])


def stated(name: str, statement: str | None) -> str | None:
    """An operator's statement, or None. Raises Permanent for a word that states nothing."""
    if statement is not None and len(statement.split()) < 4:
        raise Permanent(
            f"{name}={statement!r} states nothing: write who permits what, and since when, in a sentence; it is shown "
            "with every collection."
        )
    return statement
