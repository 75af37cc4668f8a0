"""What waits for review on one HTML page: pictures by reason, and the command for those one has chosen."""

import base64
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.clean.body_parts.judge import SCORES
from jewel_assets.contact_sheet import data_uri
from jewel_assets.lake.blobs import BlobStore

if TYPE_CHECKING:
    from jinja2 import Template

PICTURE_SIDE = 288  # pixels: twice the width of a card on the page, for fine screens


@dataclass(frozen=True)
class Card:
    """One photo on the page."""

    item_id: str
    category: str
    uri: str | None  # None: its blob is lost, or no picture
    scores: str  # "skin 0.12 · hand 0.83"


@dataclass(frozen=True)
class Group:
    """The photos that wait for the same reason: `cards` are the first of `total`."""

    reason: str
    total: int
    cards: Sequence[Card]


def build_sheet(
    photos: pa.Table,
    blobs: BlobStore,
    limit: int = 400,
    category: str | None = None,
    made_at: datetime | None = None,
) -> str:
    """The page, in itself complete: `photos` as `review.waiting_for_review` gives them, at most `limit` of them shown.

    `category` is the one that they were narrowed to: the page's commands are then about no other.
    Within a reason those with the highest scores come first. Where not all are shown, small groups are shown whole.
    Every string of the data is escaped, and no script but the page's own can run.
    """
    groups = [_group(reason, rows, blobs, count) for reason, rows, count in _shares(photos, limit)]
    script = _template("review_sheet.js.jinja").render()
    return _template("review_sheet.html.jinja").render(
        groups=groups,
        total=photos.num_rows,
        category=category,
        shown=sum(len(group.cards) for group in groups),
        made_at=made_at or datetime.now(UTC),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _shares(photos: pa.Table, limit: int) -> list[tuple[str, pa.Table, int]]:
    """(reason, its photos, how many to show), the most frequent reason first."""
    reasons = pc.unique(photos.column("verdict_reason")).to_pylist()
    groups = [(reason, photos.filter(pc.equal(photos.column("verdict_reason"), reason))) for reason in reasons]
    groups.sort(key=lambda group: (group[1].num_rows, group[0]))
    shares = []
    for place, (reason, rows) in enumerate(groups):
        count = min(rows.num_rows, -(-limit // (len(groups) - place)))
        limit -= count
        shares.append((reason, rows, count))
    return shares[::-1]


def _group(reason: str, rows: pa.Table, blobs: BlobStore, count: int) -> Group:
    ranked = sorted(rows.to_pylist(), key=lambda row: (-max(_scores(row).values(), default=0.0), row["item_id"]))
    return Group(reason, rows.num_rows, [_card(row, blobs) for row in ranked[:count]])


def _card(row: Mapping[str, Any], blobs: BlobStore) -> Card:
    scores = " · ".join(f"{name.replace('_', ' ')} {score:.2f}" for name, score in _scores(row).items())
    return Card(row["item_id"], row["category"], data_uri(row, blobs, PICTURE_SIDE), scores)


def _scores(row: Mapping[str, Any]) -> dict[str, float]:
    """The scores that say something: those of detectors that found nothing are left out."""
    return {name: row[name] for name in SCORES if row[name] is not None and row[name] >= 0.005}


def short_name(item_id: str) -> str:
    """The last part of an item's id: `folder:ring/IMG 1.jpg` is `IMG 1.jpg`."""
    return re.split(r"[/\\]", item_id.partition(":")[2] or item_id)[-1] or item_id


@lru_cache
def _template(name: str) -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("jewel_assets.clean", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(quoted=shlex.quote, short=short_name)
    return environment.get_template(name)
