"""What sources told of the items of a dataset: `{root}/tables/{name}__found`, the newest row of each item counts.

What a takedown speaks of is not written down again, however often a search shows it.
"""

from collections.abc import Sequence

import pyarrow as pa

from jewel_assets.lake.banned import Takedowns
from jewel_assets.lake.schema import UTC_MICROSECONDS
from jewel_assets.lake.tables import DeltaFile

FOUND = "__found"
"""What follows the name of a dataset in the name of the table of what its source told of its items."""

IDENTITY_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("at", UTC_MICROSECONDS, nullable=False),
    ]
)
"""The columns that every such table has, whatever else its source tells."""


class Listings:
    """Append-only, with the columns that the source's street chooses; `item_id`, `category` and `at` among them."""

    def __init__(self, root: str, name: str) -> None:
        self.name = name
        self.file = DeltaFile(f"{root}/tables/{name}{FOUND}")
        self.takedowns = Takedowns(root)

    def append(self, rows: pa.Table) -> None:
        """Add rows in one commit, those of items and authors that were taken down left out."""
        if rows.num_rows:
            self.takedowns.append(rows, self.file)
            self.file.compact()

    def latest(self, category: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The newest row of each item, by category and item id; no rows and no columns if nothing was ever found."""
        rows = self.file.read(category, columns)
        if rows is None:
            return pa.table({})
        rows = rows.sort_by([("at", "ascending")])
        identities = zip(rows.column("category").to_pylist(), rows.column("item_id").to_pylist(), strict=True)
        newest = {identity: position for position, identity in enumerate(identities)}
        order = [("category", "ascending"), ("item_id", "ascending")]
        return rows.take(pa.array(sorted(newest.values()), pa.int64())).sort_by(order)
