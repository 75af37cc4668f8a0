"""Photos that wait for a person's decision, and taking it.

What the body-part filter could not tell waits in `body_part_verdicts` with the verdict `review`. Decisions stand in
`product_photos__decisions`; `KeepProducts` applies them the next time that `product_photos` is materialized.
"""

from collections.abc import Sequence

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

REVIEW_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("item_id", "category", "sha256", "media_type")),
        *(pa.field(name, pa.string()) for name in ("verdict", "verdict_reason")),
        *(pa.field(name, pa.float32()) for name in SCORES),
    ]
)


def judged(lake: Lake, category: str | None = None) -> pa.Table:
    """All judged photos, decided upon or not, as REVIEW_SCHEMA, sorted by category and item id."""
    return conformed(lake.dataset(JUDGED).read(category, REVIEW_SCHEMA.names), REVIEW_SCHEMA)


def waiting(lake: Lake, category: str | None = None, reason: str | None = None) -> pa.Table:
    """The photos that wait for a person, those of one category or reason, as REVIEW_SCHEMA, sorted likewise."""
    photos = judged(lake, category)
    photos = photos.filter(pc.equal(photos.column("verdict"), "review"))
    if reason is not None:
        photos = photos.filter(pc.equal(photos.column("verdict_reason"), reason))
    decided = set(_keys(lake.decisions(PRODUCTS).standing(category)))
    return photos.filter(pa.array([key not in decided for key in _keys(photos)], pa.bool_()))


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
    open_ones = set(_keys(waiting(lake)))
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
