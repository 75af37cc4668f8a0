"""All categories in one pool, split into train, validation and test so that no picture is in two splits."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jewel_assets.clean.duplicates import (
    GROUP_COLUMNS,
    NearDuplicates,
    best_first,
    exact_duplicates,
    group_id,
    rights,
    united,
)
from jewel_assets.clean.likeness import Likeness
from jewel_assets.lake.stages import Made, Rejected, Result, Review, Selection

SPLITS = ("train", "validation", "test")
CATCH_ALL = "jewelry"  # the category of what is none of the others: it contradicts none of them


@dataclass(frozen=True)
class PoolImages(Selection):
    """One image per picture over all categories, each in `train`, `validation` or `test`.

    *One picture, several categories.* Copies within one category: the best stays. A copy in the catch-all `jewelry`
    gives way to one in a specific category. Two specific categories contradict each other: a wrong label costs a
    classifier more than a missing item, so all copies go to review until a person has filed the picture once.

    *Split groups.* Duplicates, and also variants of one shot (the same bracelet with another letter: as a test image it
    would be half known), form one group through any chain of links, and a group is in one split. Its split follows from
    a hash of its best picture's pixels, nothing else: each category gets about the configured shares, exactly so only
    in large numbers (with 100 groups, 10 +- 3 in `test`). Filling up quotas instead would make an item's split depend
    on which other items exist.

    *Growth.* An item that was in a split stays there. If new items bridge groups of different splits, the united group
    goes where its most used member was: `train` before `validation` before `test`. What a model has once learnt from
    can so never be tested on. Items that move say so in `moved_from`.
    """

    name = "pool_images"
    version = "3"
    output = pa.schema(
        [
            *GROUP_COLUMNS,
            pa.field("split", pa.string()),
            pa.field("split_group", pa.string()),  # all items of a split group share it
            pa.field("moved_from", pa.string()),  # the split it was in before; null where it has not moved
        ]
    )
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)  # of SPLITS
    variant_correlation: float = 0.85  # from here on two pictures share a split even if they are not one picture
    near: NearDuplicates = field(default_factory=NearDuplicates)
    previous: Mapping[str, str] = field(default_factory=dict, compare=False)  # item_id -> split, as last published

    def __post_init__(self) -> None:
        if min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise ValueError(f"The shares of {SPLITS} must not be negative and must add up to 1, not {self.shares}.")

    def parameters(self) -> Mapping[str, Any]:
        """How groups are found and how large the splits are. `previous` is no parameter: it is state."""
        return {"shares": list(self.shares), "variant": self.variant_correlation, "near": self.near.parameters()}

    def choose(self, items: pa.Table) -> Sequence[Result]:
        """One result per row; `items` has the item columns and those of `FingerprintPhoto`, of all categories."""
        order = best_first(items)
        exact = exact_duplicates(items, order)
        singles = [row for row in order if exact[row] == row]
        found = self.near.groups(items.take(pa.array(singles, pa.int64())))
        pairs = {(singles[i], singles[j]): alike for (i, j), alike in found.alike.items()}
        keeper = {singles[row]: singles[kept] for row, kept in found.kept_by.items()}
        copies: dict[int, list[int]] = defaultdict(list)
        for row in order:
            copies[keeper[exact[row]]].append(row)
        linked = [pair for pair, alike in pairs.items() if alike.same or alike.correlation >= self.variant_correlation]
        split_of = self._splits(items, order, [*linked, *exact.items()])
        results: list[Result | None] = [None] * len(items)
        for members in copies.values():
            for row, result in self._resolved(items, members, exact, pairs, split_of):
                results[row] = result
        return [result for result in results if result is not None]

    def _resolved(
        self,
        items: pa.Table,
        members: list[int],
        exact: Mapping[int, int],
        pairs: Mapping[tuple[int, int], Likeness],
        split_of: Mapping[int, Mapping[str, str | None]],
    ) -> Iterable[tuple[int, Result]]:
        """The results of the copies of one picture, given best first."""
        categories = {row: items["category"][row].as_py() for row in members}
        specific = [row for row in members if categories[row] != CATCH_ALL]
        ambiguous = len({categories[row] for row in specific}) > 1
        kept = (specific or members)[0]
        shared = {
            "group_id": group_id(items, kept),
            "group_size": len(members),
        }
        engine = f"{self.name} {self.version}"
        for row in members:
            columns = {
                **shared,
                **rights(items, row, members),
                **split_of[row],
                "duplicate_of": None,
                "duplicate_distance": None,
            }
            if ambiguous:
                yield row, Review("ambiguous category", columns, engine)
            elif row == kept:
                yield row, Made(columns, engine)
            else:
                columns["duplicate_of"] = items["item_id"][kept].as_py()
                alike = pairs.get((exact[kept], exact[row])) or pairs.get((exact[row], exact[kept]))
                # None: both were confirmed against a better copy, which gave way because of its category.
                columns["duplicate_distance"] = (
                    0.0 if exact[row] == exact[kept] else 1 - alike.correlation if alike else None
                )
                reason = "exact duplicate" if exact[row] == exact[kept] else "near duplicate"
                yield row, Rejected(reason, columns, engine)

    def _splits(
        self, items: pa.Table, order: Sequence[int], links: Iterable[tuple[int, int]]
    ) -> dict[int, dict[str, str | None]]:
        """Each row -> its columns `split`, `split_group` and `moved_from`."""
        item_ids = items["item_id"].to_pylist()
        columns: dict[int, dict[str, str | None]] = {}
        for members in united(order, links):  # best first
            key = str(items["pixel_hash"][members[0]])
            before = {self.previous[item_ids[row]] for row in members if item_ids[row] in self.previous}
            split = next((split for split in SPLITS if split in before), None) or self._hashed(key)
            for row in members:
                was = self.previous.get(item_ids[row], split)
                columns[row] = {
                    "split": split,
                    "split_group": key[:16],
                    "moved_from": was if was != split else None,
                }
        return columns

    def _hashed(self, key: str) -> str:
        """The split of a new group: the same key gives the same split on every machine and in every year."""
        digest = hashlib.sha256(f"split:{key}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64  # 0..1, uniform
        if place < self.shares[0]:
            return "train"
        return "validation" if place < self.shares[0] + self.shares[1] else "test"


def split_counts(pool: pa.Table) -> dict[str, dict[str, int]]:
    """category -> split -> number of rows of a pool (columns `category` and `split`), zeros included."""
    counted = Counter(zip(pool["category"].to_pylist(), pool["split"].to_pylist(), strict=True))
    return {
        category: {split: counted[category, split] for split in SPLITS}
        for category in sorted({category for category, _ in counted})
    }
