"""What the rows of a catalogue say together: numbers by family and style, for whoever looks at a materialization."""

import collections
import statistics
from collections.abc import Mapping

import pyarrow as pa

Cell = int | str


def family_table(designs: pa.Table) -> dict[str, Mapping[str, Cell]]:
    """Family -> number of designs, and of alloys among them."""
    found: dict[str, list[str]] = collections.defaultdict(list)
    for family, metal in zip(designs["family"].to_pylist(), designs["metal"].to_pylist(), strict=True):
        found[family].append(metal)
    return {family: {"designs": len(metals), "alloys": len(set(metals))} for family, metals in sorted(found.items())}


def castability_table(meshes: pa.Table) -> dict[str, Mapping[str, Cell]]:
    """Family -> pieces, how many are watertight and castable, their weight, stones and thinnest wall."""
    groups: dict[str, list[dict[str, object]]] = collections.defaultdict(list)
    for row in meshes.to_pylist():
        groups[row["family"]].append(row)
    return {
        family: {
            "pieces": len(rows),
            "watertight": sum(bool(row["watertight"]) for row in rows),
            "castable": sum(bool(row["castable"]) for row in rows),
            "grams": _spread([row["grams"] for row in rows]),
            "carats": _spread([row["carats"] for row in rows]),
            "thinnest wall, mm": _spread([row["min_wall_mm"] for row in rows]),
        }
        for family, rows in sorted(groups.items())
    }


def findings_counts(meshes: pa.Table) -> dict[str, int]:
    """Finding ("error: thin wall") -> how many pieces have it."""
    return dict(collections.Counter(found for names in meshes["findings"].to_pylist() for found in names or ()))


def style_table(renders: pa.Table) -> dict[str, Mapping[str, Cell]]:
    """Style -> number of photos, and how much of them the piece covers."""
    found: dict[str, list[object]] = collections.defaultdict(list)
    for style, coverage in zip(renders["style"].to_pylist(), renders["coverage"].to_pylist(), strict=True):
        found[style].append(100 * coverage)
    return {style: {"photos": len(shares), "covered, %": _spread(shares)} for style, shares in sorted(found.items())}


def _spread(values: list[object]) -> str:
    """ "2.10 (1.04 to 3.37)": median, least and most; "-" where no piece has the measure."""
    numbers = sorted(float(value) for value in values if isinstance(value, int | float))
    if not numbers:
        return "-"
    if numbers[0] == numbers[-1]:
        return f"{numbers[0]:.2f}"
    return f"{statistics.median(numbers):.2f} ({numbers[0]:.2f} to {numbers[-1]:.2f})"
