"""The datasets that the report reads, each at most once, and how an item is found in them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.explore.report.data import Share
from jewel_assets.lake import GONE, ITEM_SCHEMA, OUTCOME_SCHEMA, Lake

Row = dict[str, Any]

JUDGES = ("body_part_verdicts", "product_photos")  # the datasets that say who shows a person

# Of what stages add, the columns that are shown. Embeddings, previews and scores stay on the disk.
_COLUMNS = {
    "photo_measures": ("sharpness", "exposure", "contrast", "colourfulness", "background_uniformity", "palette"),
    "body_part_verdicts": ("verdict", "verdict_reason"),
    "cutouts": ("confidence", "coverage", "faint_share", "holes", "verdict"),
    "image_pool": ("split", "group_id"),
    "design_clusters": ("cluster_id", "cluster_name", "distance", "is_medoid", "map_x", "map_y"),
}


class Tables:
    """The lake, read once per dataset. `sources` are the raw photo datasets."""

    def __init__(self, lake: Lake, sources: Sequence[str]) -> None:
        self.lake = lake
        self.sources = tuple(sources)
        self._bad: dict[str, list[Row]] = {}
        self.rows: Callable[[str], pa.Table | None] = lru_cache(maxsize=None)(self._rows)
        self.outcomes: Callable[[str], pa.Table] = lru_cache(maxsize=None)(self._outcomes)

    @property
    def names(self) -> tuple[str, ...]:
        """Every dataset of the report, in the order of the work."""
        clean = ("photo_fingerprints", "photos", "photo_measures", *JUDGES, "cutouts", "image_pool")
        return (*self.sources, *clean, "image_embeddings", "design_clusters")

    def column(self, name: str, column: str) -> list[Any]:
        """Values of a dataset's column; empty where the dataset or the column is not there."""
        table = self.rows(name)
        return table.column(column).to_pylist() if table is not None and column in table.column_names else []

    def ids(self, name: str) -> dict[str, str]:
        """Item id -> category of a dataset's rows."""
        return dict(zip(self.column(name, "item_id"), self.column(name, "category"), strict=True))

    @cached_property
    def read(self) -> dict[str, str]:
        """Item id -> category of everything that could be read, of all sources."""
        return {item: category for name in self.sources for item, category in self.ids(name).items()}

    @cached_property
    def found(self) -> dict[str, str]:
        """Item id -> category of everything found: what was read, and what could not be."""
        unread = {row["item_id"]: row["category"] for name in self.sources for row in self._left_out(name)}
        return {**unread, **self.read}

    def not_ok(self, *names: str) -> Iterator[Row]:
        """The newest outcomes that are not ok, dataset by dataset, each with its `dataset`; of what is still there."""
        return (row for name in names for row in self._left_out(name) if row["item_id"] in self.found)

    def verdicts(self, verdict: str, status: str) -> list[Row]:
        """Items with a person verdict, each with its `reason`: as `body_part_verdicts` says, or an outcome."""
        judged = [row for row in self.not_ok(*JUDGES) if row["status"] == status]
        reasons = {row["item_id"]: row["reason"] for row in judged}
        table = self.rows(JUDGES[0])
        found: dict[str, Row] = {}
        if table is not None and "verdict" in table.column_names:
            for row in table.filter(pc.equal(table.column("verdict"), verdict)).to_pylist():
                reason = row.get("verdict_reason") or reasons.get(row["item_id"]) or verdict
                found[row["item_id"]] = {**row, "reason": reason}
        for row in judged:
            found.setdefault(row["item_id"], {**row, "reason": row["reason"] or verdict})
        return [row for item, row in found.items() if item in self.found]

    def find(self, ids: Iterable[str], *names: str) -> dict[str, Row]:
        """The rows of these items, each from the first of the datasets `names` that has it."""
        wanted = set(ids)
        found: dict[str, Row] = {}
        for name in names:
            table = self.rows(name)
            if table is None or not wanted:
                continue
            part = table.filter(pc.is_in(table.column("item_id"), pa.array(sorted(wanted), pa.string())))
            for row in part.to_pylist():
                found.setdefault(row["item_id"], row)
            wanted -= found.keys()
        return found

    def _left_out(self, name: str) -> list[Row]:
        """Outcomes that are not ok; without the items that were published all the same, in a run since.

        Also without those that were taken away at the source: no step lost them, and the report is of what is there.
        """
        if name not in self._bad:
            table = self.outcomes(name)
            published = self.ids(name)
            bad = table.filter(pc.not_equal(table.column("status"), "ok")).to_pylist()
            left = (row for row in bad if row["item_id"] not in published and row["reason"] != GONE)
            self._bad[name] = [{**row, "dataset": name} for row in left]
        return self._bad[name]

    def _rows(self, name: str) -> pa.Table | None:
        dataset = self.lake.dataset(name)
        if not dataset.exists():
            return None
        return dataset.read(columns=[*ITEM_SCHEMA.names, *_COLUMNS.get(name, ())])

    def _outcomes(self, name: str) -> pa.Table:
        return self.lake.outcomes(name).latest(columns=[*OUTCOME_SCHEMA.names, "duplicate_of"])


def counted(labels: Iterable[str], most: int = 12) -> tuple[Share, ...]:
    """How often each label occurs, most frequent first; what comes after the first `most` is summed as "others"."""
    ordered = sorted(Counter(labels).items(), key=lambda pair: (-pair[1], pair[0]))
    shares = [Share(label, count) for label, count in ordered[:most]]
    if rest := sum(count for _, count in ordered[most:]):
        shares.append(Share(f"{len(ordered) - most} others", rest))
    return tuple(shares)
