"""Photos that wait for a person's decision, and taking it.

What the body-part filter could not tell waits in `body_part_verdicts` with the verdict `review`. Decisions stand in
`product_photos__decisions`; `KeepProducts` applies them the next time that `product_photos` is materialized.

Later steps also put items into review, but no decision helps there: the photo, its place or the engine has to change.
`stuck` lists those.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.clean.body_parts.judge import SCORES, TAKEN_UNSEEN, KeepProducts
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake
from jewel_assets.lake.decisions import Verdict
from jewel_assets.lake.publishing import conformed
from jewel_assets.lake.stages import Made

JUDGED = "body_part_verdicts"
PRODUCTS = "product_photos"
LATER = ("cutouts", "image_pool")  # they put items into review, too

REVIEW_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("item_id", "category", "sha256", "media_type")),
        *(pa.field(name, pa.string()) for name in ("verdict", "verdict_reason")),
        *(pa.field(name, pa.float32()) for name in SCORES),
    ]
)


@dataclass(frozen=True)
class Stuck:
    """Items that a later step holds in review for one reason: those of a category, or the copies of one picture."""

    dataset: str
    reason: str
    categories: tuple[str, ...]
    items: tuple[str, ...]  # ids


def judged(lake: Lake, category: str | None = None) -> pa.Table:
    """All judged photos, decided upon or not, as REVIEW_SCHEMA, sorted by category and item id."""
    return conformed(lake.dataset(JUDGED).read(category, REVIEW_SCHEMA.names), REVIEW_SCHEMA)


def waiting_for_review(lake: Lake, category: str | None = None, reason: str | None = None) -> pa.Table:
    """The photos that wait for a person, those of one category or reason, as REVIEW_SCHEMA, sorted likewise."""
    photos = judged(lake, category)
    photos = photos.filter(pc.equal(photos.column("verdict"), "review"))
    if reason is not None:
        photos = photos.filter(pc.equal(photos.column("verdict_reason"), reason))
    decided = set(_keys(lake.decisions(PRODUCTS).standing(category)))
    return photos.filter(pa.array([key not in decided for key in _keys(photos)], pa.bool_()))


def stuck(lake: Lake, category: str | None = None, reason: str | None = None) -> list[Stuck]:
    """What cutouts and image_pool hold in review, where it concerns `category` and `reason`; sorted."""
    found: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for name in LATER:
        outcomes = lake.outcomes(name).latest(columns=["status", "reason", "group_id"])
        for row in outcomes.filter(pc.equal(outcomes.column("status"), "review")).to_pylist():
            key = (name, row["reason"] or "", row.get("group_id") or row["category"])
            found[key].append((row["category"], row["item_id"]))
    held = (
        Stuck(name, why, tuple(sorted({where for where, _ in items})), tuple(item_id for _, item_id in items))
        for (name, why, _), items in sorted(found.items())
    )
    return [one for one in held if category in (None, *one.categories) and reason in (None, one.reason)]


def named(lake: Lake, item_ids: Sequence[str], category: str | None = None) -> pa.Table:
    """The judged photos with these ids. Raises Permanent, naming what is near, for an id that no photo has."""
    photos = judged(lake, category)
    known = set(photos.column("item_id").to_pylist())
    unknown = next((item_id for item_id in item_ids if item_id not in known), None)
    if unknown is not None:
        near = sorted(item_id for item_id in known if unknown in item_id)[:3]
        where = f" in the category {category}" if category else ""
        raise Permanent(
            f"No judged photo{where} has the id {unknown!r}. "
            + (
                f"Did you mean {' or '.join(map(repr, near))}?"
                if near
                else "`jewel review ls --items` lists those that wait."
            )
        )
    return photos.filter(pc.is_in(photos.column("item_id"), pa.array(item_ids, pa.string())))


def decide(lake: Lake, photos: pa.Table, verdict: Verdict, by: str, note: str = "") -> pa.Table:
    """Write down what a person decided about the bytes of `photos`. Returns those not decided so already."""
    log = lake.decisions(PRODUCTS)
    standing = log.standing()
    told = dict(zip(_keys(standing), standing.column("decision").to_pylist(), strict=True))
    new = photos.filter(pa.array([told.get(key) != verdict for key in _keys(photos)], pa.bool_()))
    log.add(new, verdict, by, note)
    return new


def withdraw(lake: Lake, item_ids: Sequence[str], by: str, category: str | None = None, note: str = "") -> pa.Table:
    """Take back what was decided about these items, and return what no longer stands.

    Raises Permanent, and takes nothing back, if nothing was decided about one of them.
    """
    log = lake.decisions(PRODUCTS)
    standing = log.standing(category)
    known = set(standing.column("item_id").to_pylist())
    unknown = next((item_id for item_id in item_ids if item_id not in known), None)
    if unknown is not None:
        raise Permanent(
            f"Nothing that was decided about {unknown!r} stands: `jewel review log --items` lists what was."
        )
    taken_back = standing.filter(pc.is_in(standing.column("item_id"), pa.array(item_ids, pa.string())))
    log.add(taken_back, "withdrawn", by, note)
    return taken_back


def unapplied(lake: Lake) -> dict[str, int]:
    """Category -> how many photos `product_photos` holds, or lacks, otherwise than verdicts and decisions say now."""
    published = conformed(
        lake.dataset(PRODUCTS).read(None, ["item_id", "category", "sha256", "reviewed_by"]),
        pa.schema([*(REVIEW_SCHEMA.field(name) for name in _KEY), pa.field("reviewed_by", pa.string())]),
    )
    held = dict(zip(_keys(published), published.column("reviewed_by").to_pylist(), strict=True))
    photos = judged(lake)
    open_ones = set(_keys(waiting_for_review(lake)))
    found: dict[str, int] = {}
    for category in pc.unique(photos.column("category")).to_pylist():
        here = photos.filter(pc.equal(photos.column("category"), category))
        results = KeepProducts(lake.decisions(PRODUCTS).decisions(category)).choose(here)
        differing = 0
        for key, result in zip(_keys(here), results, strict=True):
            wanted = isinstance(result, Made) or (key in open_ones and held.get(key) == TAKEN_UNSEEN)
            differing += wanted != (key in held)
        if differing:
            found[category] = differing
    return found


def by_category_and_reason(photos: pa.Table) -> dict[tuple[str, str], int]:
    """(category, reason) -> how many of these photos, in alphabetical order of categories, most frequent first."""
    grouped = photos.group_by(["category", "verdict_reason"]).aggregate([([], "count_all")]).to_pylist()
    grouped.sort(key=lambda entry: (entry["category"], -entry["count_all"], entry["verdict_reason"]))
    return {(entry["category"], entry["verdict_reason"]): entry["count_all"] for entry in grouped}


_KEY = ("category", "item_id", "sha256")


def _keys(table: pa.Table) -> list[tuple[str, str, str]]:
    return list(zip(*(table.column(name).to_pylist() for name in _KEY), strict=True))
