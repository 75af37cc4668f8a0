"""The datasets that the texture report reads."""

from collections.abc import Sequence

import pyarrow as pa

from jewel_assets.explore.report.tables import Tables
from jewel_assets.explore.textures import MeasureTexture
from jewel_assets.lake import ITEM_SCHEMA

TEXTURES, FINGERPRINTS, MEASURES = "textures", "texture_fingerprints", "texture_measures"

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
        return dataset.read(columns=[*ITEM_SCHEMA.names, *(MeasureTexture.output.names if name == MEASURES else ())])
