"""STL: bare triangles in millimetres, what every printer and caster takes."""

from pathlib import Path

import numpy as np

from jewel_assets.shape.files.solids import named_solids, rounded_triangles, stored
from jewel_assets.shape.piece import Piece

_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def write_stl(piece: Piece, path: str | Path | None = None, stones: bool = False) -> bytes:
    """The castings of a piece as binary STL in millimetres; with `stones` also the stones. Equal pieces, equal bytes.

    STL has no names and no units: the castings follow one another, and the unit stands in the header as text. Its
    numbers are of single precision, and no triangle of it is a line.
    """
    facets = []
    for _, _, solid in named_solids(piece, stones):
        vertices, faces = rounded_triangles(solid)
        corners = vertices[faces]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        length = np.linalg.norm(normal, axis=1, keepdims=True)
        part = np.zeros(len(faces), _FACET)
        part["normal"] = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0)
        part["corners"] = corners
        facets.append(part)
    rows = np.concatenate(facets) if facets else np.zeros(0, _FACET)
    # "solid" at the beginning would make it look like the text form.
    header = f"binary STL, units mm: {piece.category}, {piece.family}".encode("ascii", "replace")[:80].ljust(80)
    return stored(header + np.uint32(len(rows)).tobytes() + rows.tobytes(), path)
