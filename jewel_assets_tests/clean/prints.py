"""Tables of fingerprinted items, as the selections get them, made from pixels or from nothing but names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jewel_assets.clean import FingerprintPhoto
from jewel_assets.clean.duplicates import NearDuplicates
from jewel_assets.clean.fingerprints import fingerprint
from jewel_assets.clean.same_picture import Likeness
from jewel_assets.images import Pixels

SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string()),
        pa.field("category", pa.string()),
        pa.field("bytes", pa.int64()),
        pa.field("may_train", pa.bool_()),
        pa.field("source", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("licence_url", pa.string()),
        *FingerprintPhoto.output,
    ]
)


def printed(pictures: Mapping[str, Pixels], **columns: Any) -> pa.Table:
    """One row per picture, its name as `item_id`; `columns` are lists that replace the defaults."""
    rows = [
        {"item_id": name, "category": "ring", "bytes": 1, "may_train": False, "source": "folder", **fingerprint(pixels)}
        for name, pixels in pictures.items()
    ]
    for column, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[column] = value
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def named(*items: tuple[str, str, str]) -> pa.Table:
    """Rows without pixels: (item_id, category, name of the picture)."""
    rows = [
        {"item_id": item, "category": category, "bytes": 1, "may_train": False, "pixel_hash": picture.ljust(64, "0")}
        | {
            "source": "folder",
            "pixel_count": 1,
            "sharpness": 1.0,
            "phash": [0] * 8,
            "descriptor": [0.0] * 256,
            "preview": b"",
            "features": b"",
        }
        for item, category, picture in items
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


@dataclass(frozen=True)
class KnownPairs(NearDuplicates):
    """Stands for the search where a test says which pictures are the same, and which only variants."""

    same: frozenset[frozenset[str]] = field(default_factory=frozenset)
    variants: frozenset[frozenset[str]] = field(default_factory=frozenset)

    def compare(
        self, photos: pa.Table, pairs: Collection[tuple[int, int]], known: Any = None
    ) -> dict[tuple[int, int], Likeness]:
        return {}  # `pairs` has told all

    def pairs(self, photos: pa.Table, known: Any = None) -> dict[tuple[int, int], Likeness]:
        names = [name.rstrip("0") for name in photos["pixel_hash"].to_pylist()]
        found = {}
        for j in range(len(names)):
            for i in range(j):
                pair = frozenset((names[i], names[j]))
                if pair in self.same:
                    found[i, j] = Likeness(0.97, 0.95, 1.0, 1.0, 0.0)
                elif pair in self.variants:
                    found[i, j] = Likeness(0.95, 0.5, 1.0, 1.0, 20.0)
        return found


def pairs_of(*pairs: str) -> frozenset[frozenset[str]]:
    """`pairs_of("ab", "bc")`: a with b, b with c."""
    return frozenset(frozenset(pair) for pair in pairs)
