"""Models that others made: downloaded glTF archives and GLBs, read with distrust and made printable.

Only what needs no geometry is imported here; `foreign.convert.convert` does it all for one model's bytes.
"""

from jewel_assets.shape.foreign.stages import ConvertModel
from jewel_assets.shape.foreign.summary import conversion_table

__all__ = ["ConvertModel", "conversion_table"]
