"""PLY: indexed triangles in millimetres with the colour of each material, for mesh programs and scanners' tools."""

from pathlib import Path

import numpy as np
import trimesh
from trimesh.exchange.ply import export_ply

from jewel_assets.shape.files.looks import display_colour
from jewel_assets.shape.files.solids import named_solids, stored, triangles
from jewel_assets.shape.piece import Piece


def write_ply(piece: Piece, path: str | Path | None = None, stones: bool = False) -> bytes:
    """The castings of a piece as binary PLY in millimetres; with `stones` also the stones."""
    parts = []
    for _, material, solid in named_solids(piece, stones):
        vertices, faces = triangles(solid)
        colours = np.tile(np.array([*display_colour(material), 255], np.uint8), (len(vertices), 1))
        parts.append(trimesh.Trimesh(vertices, faces, vertex_colors=colours, process=False))
    mesh = trimesh.util.concatenate(parts) if parts else trimesh.Trimesh()
    return stored(bytes(export_ply(mesh, vertex_normal=False)), path)
