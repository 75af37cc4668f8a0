"""Which photos of a category show the same picture, and which of them stays.

Three steps. Photos with the same pixels fall together first. Of the rest, candidates are the nearest by perceptual hash
under 8 flips and rotations, and the nearest by a descriptor of local features; both only suggest. Each candidate pair
is then aligned and compared (`same_picture`), and only what passes is a duplicate.

What an earlier run compared is remembered (`pair_memory`): more photos cost in proportion to what is new.

For n photos the nearest are found with O(n²) arithmetic in blocks of O(n) memory (1,500 photos: a third of a second;
100,000: an estimated ten minutes, in NumPy), and at most `2 x neighbours x n` pairs are compared, some 2 ms each.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jewel_assets.clean.likeness import PHOTO_LIMITS, Likeness, Limits
from jewel_assets.clean.local_features import LocalFeatures
from jewel_assets.clean.pair_memory import PairMemory, Recollection, pair_key
from jewel_assets.clean.same_picture import Picture, likeness
from jewel_assets.collect import forbids_training
from jewel_assets.lake.stages import Made, Rejected, Result, Selection

GROUP_COLUMNS = [
    pa.field("group_id", pa.string()),  # the start of the kept photo's pixel_hash
    pa.field("group_size", pa.int32()),  # photos in the group, the kept one included
    pa.field("duplicate_of", pa.string()),  # item_id of the kept photo; null for the kept one
    pa.field("duplicate_distance", pa.float32()),  # 0: same pixels; else 1 - correlation with the kept photo
    pa.field("licence_conflict", pa.bool_()),  # some of the group may be trained on and some not
    pa.field("may_train", pa.bool_()),  # the photo's own, unless the owner of a copy forbids it (noai)
]

PICTURES_IN_MEMORY = 8192  # some 60 KB each


@dataclass(frozen=True)
class NearDuplicates:
    """How pairs of photos are found and confirmed. All fields but `memory` are parameters of the selection."""

    neighbours: int = 8  # candidates per photo, by hash and by descriptor each
    max_hash_distance: int = 10  # of 63 bits
    min_descriptor_cosine: float = 0.7
    limits: Limits = PHOTO_LIMITS  # of what is one picture
    memory: PairMemory | None = field(default=None, compare=False)  # what earlier runs found; changes no decision

    def parameters(self) -> dict[str, Any]:
        """What decides which pairs are found."""
        own = {} if self.limits == PHOTO_LIMITS else {"limits": asdict(self.limits)}
        return {
            "neighbours": self.neighbours,
            "max_hash_distance": self.max_hash_distance,
            "min_descriptor_cosine": self.min_descriptor_cosine,
            **own,
        }

    def pairs(self, photos: pa.Table, known: Recollection | None = None) -> dict[tuple[int, int], Likeness]:
        """(i, j) with i < j -> how alike rows i and j are, for all candidate pairs that could be aligned.

        `photos` has the columns of `FingerprintPhoto`. Rows with equal pixels are best left out beforehand.
        """
        return self.compare(photos, self._candidates(photos), known)

    def compare(
        self, photos: pa.Table, pairs: Collection[tuple[int, int]], known: Recollection | None = None
    ) -> dict[tuple[int, int], Likeness]:
        """The same for these pairs. What is `known` is not compared again, and what is found is added to it."""
        from threadpoolctl import threadpool_limits

        known = known or Recollection()
        pixel_hashes = photos["pixel_hash"].to_pylist()
        keys = {(i, j): pair_key(pixel_hashes[i], pixel_hashes[j]) for i, j in pairs}
        # Each pair once, the smaller pixel hash first: a likeness must not depend on the order of the rows.
        new = {
            key: (i, j) if pixel_hashes[i] <= pixel_hashes[j] else (j, i)
            for (i, j), key in keys.items()
            if not known.knows(key)
        }
        if new:
            hashes, previews, features = _matrix(photos["phash"]).view(np.uint64), photos["preview"], photos["features"]

            @lru_cache(PICTURES_IN_MEMORY)
            def picture(row: int) -> Picture:
                return Picture(previews[row].as_py(), LocalFeatures.unpacked(features[row].as_py()))

            def compared(pair: tuple[int, int]) -> Likeness | None:
                distance = np.bitwise_count(hashes[pair[0], 0] ^ hashes[pair[1]])
                likeliest = np.argsort(distance, kind="stable")[:2]
                turns = tuple(int(turn) for turn in likeliest if distance[turn] <= self.max_hash_distance)
                return likeness(picture(pair[0]), picture(pair[1]), turns)

            # Threads, because OpenCV and NumPy let go of the interpreter's lock in what takes long here; one thread
            # each within, because matrices of 128 rows gain nothing from more.
            with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count() or 1) as threads:
                known.asked |= dict(zip(new, threads.map(compared, new.values()), strict=True))
        return {pair: alike for pair, key in keys.items() if (alike := known.asked[key]) is not None}

    def groups(self, photos: pa.Table) -> "Groups":
        """Which of `photos`, given best first, is kept for which: each row was confirmed against its keeper."""
        known = self.memory.recalled() if self.memory else Recollection()
        found = self.pairs(photos, known)
        kept_by: dict[int, int] = {}
        open_groups = united(range(len(photos)), [pair for pair, alike in found.items() if self._same(alike)])
        while open_groups:
            heads = [(group[0], row) for group in open_groups for row in group[1:]]
            # Among many copies some are no candidates of the best; nor is what was found dissimilar worth remembering.
            found |= self.compare(photos, [pair for pair in heads if pair not in found], known)
            kept_by |= {group[0]: group[0] for group in open_groups}
            kept_by |= {row: head for head, row in heads if (head, row) in found and self._same(found[head, row])}
            open_groups = [rest for group in open_groups if (rest := [row for row in group if row not in kept_by])]
        if self.memory:
            self.memory.remember(known.asked)
        return Groups(kept_by, found)

    def _same(self, alike: Likeness) -> bool:
        return alike.within(self.limits)

    def _candidates(self, photos: pa.Table) -> list[tuple[int, int]]:
        """(i, j) with i < j, sorted: the nearest by any of the 8 hashes, and the nearest by the descriptor."""
        hashes, descriptors = _matrix(photos["phash"]).view(np.uint64), _matrix(photos["descriptor"])
        count, candidates = len(photos), set[tuple[int, int]]()
        block = max(1, 2**22 // max(1, count))  # rows at a time: 4 M cells, 32 MB of hashes
        for start in range(0, count, block):
            rows = np.arange(start, min(start + block, count))
            # Hash number 0 of row i against all 8 of each other row.
            distance = np.stack([np.bitwise_count(hashes[rows, :1] ^ turn[None]) for turn in hashes.T])  # (8, rows, n)
            nearest_turn = distance.min(0).astype(np.int16)
            cosine = descriptors[rows] @ descriptors.T
            nearest_turn[np.arange(len(rows)), rows], cosine[np.arange(len(rows)), rows] = 64, -1
            for near, kept in (
                (_smallest(nearest_turn, self.neighbours), nearest_turn <= self.max_hash_distance),
                (_smallest(-cosine, self.neighbours), cosine >= self.min_descriptor_cosine),
            ):
                for row, column in zip(*np.nonzero(_only(near, kept)), strict=True):
                    i, j = int(rows[row]), int(column)
                    candidates.add((min(i, j), max(i, j)))
        return sorted(candidates)


def remembering(folder: Path | None, name: str, limits: Limits = PHOTO_LIMITS) -> NearDuplicates:
    """The search with what earlier runs under this name, or others in the folder, found; without memory for None."""
    return NearDuplicates(limits=limits, memory=PairMemory(folder, name) if folder else None)


@dataclass(frozen=True)
class Groups:
    """What `NearDuplicates.groups` found."""

    kept_by: Mapping[int, int]  # each row -> the row kept for it, which may be itself
    alike: Mapping[tuple[int, int], Likeness]  # all pairs (i, j) with i < j that could be aligned


@dataclass(frozen=True)
class DropDuplicates(Selection):
    """Of each group of duplicates within a category keeps the best photo; the others say which one they duplicate.

    Every rejected photo was itself confirmed against the one kept: likeness is never inherited along a chain a-b-c, so
    no two photos of a group are more than two steps apart. The best is, in this order: one that may be trained on
    (a copy that may not is of less use; `licence_conflict` marks such groups for whoever must be sure), one with more
    real detail (pixels times sharpness, so that enlarging a copy gains nothing), more bytes (less compressed), and the
    first `item_id`. A kept photo's provenance is its own; nothing is merged into it but one thing: where the owner of a
    copy forbids training whatever anybody says (noai), no copy of the picture may be trained on.
    """

    name = "drop_duplicates"
    version = "3"
    output = pa.schema(GROUP_COLUMNS)
    near: NearDuplicates = field(default_factory=NearDuplicates)

    def parameters(self) -> Mapping[str, Any]:
        """How near duplicates are found."""
        return {"near": self.near.parameters()}

    def choose(self, items: pa.Table) -> Sequence[Result]:
        """One result per row; `items` has the item columns and those of `FingerprintPhoto`."""
        order = best_first(items)
        exact = exact_duplicates(items, order)
        singles = [row for row in order if exact[row] == row]  # best first
        found = self.near.groups(items.take(pa.array(singles, pa.int64())))
        alike = {(singles[i], singles[j]): pair for (i, j), pair in found.alike.items()}
        keeper = {singles[row]: singles[kept] for row, kept in found.kept_by.items()}
        groups: dict[int, list[int]] = defaultdict(list)
        for row in order:
            groups[keeper[exact[row]]].append(row)
        results: list[Result | None] = [None] * len(items)
        for kept, members in groups.items():
            for row in members:
                results[row] = self._result(items, kept, row, exact[row], members, alike)
        return [result for result in results if result is not None]

    def _result(
        self,
        items: pa.Table,
        kept: int,
        row: int,
        twin: int,
        members: list[int],
        alike: Mapping[tuple[int, int], Likeness],
    ) -> Result:
        distance = None if row == kept else 0.0 if twin == kept else 1 - alike[kept, twin].correlation
        columns = {
            "group_id": group_id(items, kept),
            "group_size": len(members),
            "duplicate_of": None if row == kept else items["item_id"][kept].as_py(),
            "duplicate_distance": distance,
            **rights(items, row, members),
        }
        engine = f"{self.name} {self.version}"
        if row == kept:
            return Made(columns, engine)
        return Rejected("exact duplicate" if twin == kept else "near duplicate", columns, engine)


def group_id(items: pa.Table, kept: int) -> str:
    """The name of the group of duplicates whose best photo is row `kept`: it depends on that photo's pixels alone."""
    return str(items["pixel_hash"][kept])[:16]


def rights(items: pa.Table, row: int, members: Sequence[int]) -> dict[str, bool]:
    """The columns `licence_conflict` and `may_train` of a row, in the group of these copies of one picture."""
    may_train = {member: bool(items["may_train"][member].as_py()) for member in members}
    forbidden = any(
        forbids_training(*(items[name][member].as_py() for name in ("source", "licence", "licence_url")))
        for member in members
    )
    return {"licence_conflict": len(set(may_train.values())) > 1, "may_train": may_train[row] and not forbidden}


def best_first(items: pa.Table) -> list[int]:
    """Row numbers, the photo most worth keeping first (see `DropDuplicates`); the order of `items` does not matter."""
    columns = ("may_train", "pixel_count", "sharpness", "bytes", "item_id")
    rows = list(zip(*(items[column].to_pylist() for column in columns), strict=True))

    def key(row: int) -> tuple[bool, int, int, str]:
        may_train, pixels, sharpness, size, item_id = rows[row]
        # Half-octaves: smaller differences of detail are noise and compression.
        return not may_train, -round(2 * np.log2(max(1e-6, pixels * sharpness))), -size, item_id

    return sorted(range(len(rows)), key=key)


def exact_duplicates(items: pa.Table, order: Iterable[int]) -> dict[int, int]:
    """Each row -> the first row in `order` that has the same pixels."""
    hashes, first = items["pixel_hash"].to_pylist(), dict[str, int]()
    return {row: first.setdefault(hashes[row], row) for row in order}


def united(order: Sequence[int], links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The rows of `order` in groups, connected through any chain of links; each group in `order`."""
    parent = {row: row for row in order}

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for a, b in links:
        parent[root(a)] = root(b)
    groups: dict[int, list[int]] = defaultdict(list)
    for row in order:
        groups[root(row)].append(row)
    return list(groups.values())


def _matrix(column: pa.ChunkedArray) -> NDArray[Any]:
    """(n, k) from a column of lists of k numbers, of fixed size or not."""
    if not len(column):
        return np.zeros((0, 1), column.type.value_type.to_pandas_dtype())
    return np.asarray(column.combine_chunks().flatten()).reshape(len(column), -1)


def _smallest(values: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Column indices (rows, count) of the smallest values of each row."""
    return np.asarray(np.argpartition(values, min(count, values.shape[1] - 1), axis=1)[:, :count])


def _only(columns: NDArray[np.intp], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask like `kept`, true only at the given columns of each row."""
    mask = np.zeros_like(kept)
    np.put_along_axis(mask, columns, True, axis=1)
    return mask & kept
