"""What the rows of `stl_models` say together, for whoever looks at a materialization."""

import statistics
from collections.abc import Mapping

import pyarrow as pa

from jewel_assets.shape.foreign.repairs import REPAIRS

Cell = int | str


def conversion_table(models: pa.Table) -> dict[str, Mapping[str, Cell]]:
    """Repair -> number of models that needed it, how many of them are watertight, how their size was found, faces."""
    found: dict[str, Mapping[str, Cell]] = {}
    rows = models.select(["repair", "watertight", "scale_kind", "faces"]).to_pylist()
    for repair in REPAIRS:
        mine = [row for row in rows if row["repair"] == repair]
        if mine:
            kinds = [row["scale_kind"] for row in mine]
            found[repair] = {
                "models": len(mine),
                "watertight": sum(bool(row["watertight"]) for row in mine),
                **{f"size {kind}": kinds.count(kind) for kind in ("declared", "guessed", "assumed")},
                "faces, median": round(statistics.median(row["faces"] for row in mine)),
            }
    return found
