"""Files of pieces: GLB for looking, STL, PLY and 3MF for printing and casting; and reading anyone's mesh."""

from jewel_assets.shape.files.glb import write_glb
from jewel_assets.shape.files.ply import write_ply
from jewel_assets.shape.files.read import MeshFile, read_mesh
from jewel_assets.shape.files.stl import write_stl
from jewel_assets.shape.files.threemf import write_3mf

__all__ = ["MeshFile", "read_mesh", "write_3mf", "write_glb", "write_ply", "write_stl"]
