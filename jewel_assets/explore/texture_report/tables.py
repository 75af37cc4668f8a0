"""The datasets that the texture report reads."""

from collections.abc import Sequence

import pyarrow as pa

from jewel_assets.explore.report.tables import Tables
from jewel_assets.explore.textures import MeasureTexture
from jewel_assets.lake import ITEM_SCHEMA

TEXTURES, FINGERPRINTS, MEASURES = "textures", "texture_fingerprints", "texture_measures"

TOLD = ("title", "credit")
"""Columns of what was fetched from the web; what lies in a folder has none."""

STEPS: tuple[tuple[str, str, Sequence[str]], ...] = (
    ("unique", TEXTURES, (FINGERPRINTS, TEXTURES)),
    ("measured", MEASURES, (MEASURES,)),
)
"""Name of the step, its dataset, the datasets whose outcomes say why an item is not in it."""


class TextureTables(Tables):
    """The lake, read once per dataset. `sources` are the raw texture datasets; the column `category` is the theme."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every dataset of the report, in the order of the work."""
        return (*self.sources, FINGERPRINTS, TEXTURES, MEASURES)

    def _rows(self, name: str) -> pa.Table | None:
        dataset = self.lake.dataset(name)
        if not dataset.exists():
            return None
        own = MeasureTexture.output.names if name == MEASURES else TOLD if name in self.sources else ()
        return dataset.read(columns=[*ITEM_SCHEMA.names, *own])

    def told(self) -> dict[str, dict[str, str]]:
        """Item id -> what its source calls it (`title`) and the line that credits it (`credit`), where it says so."""
        found: dict[str, dict[str, str]] = {}
        for name in self.sources:
            rows = self.rows(name)
            if rows is not None:
                names = [column for column in TOLD if column in rows.column_names]
                for row in rows.select(["item_id", *names]).to_pylist():
                    found[row["item_id"]] = {column: row[column] for column in names if row[column]}
        return found
