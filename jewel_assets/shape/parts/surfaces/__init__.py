"""Surface ornament as real geometry, where a caster would cast it: one file per ornament. Measures in mm.

Flat ornament is made in the x-y plane, its face to +z; `wrapping` lays it round a band or over a dome.
"""

from jewel_assets.shape.parts.surfaces.filigree import filigree, scroll
from jewel_assets.shape.parts.surfaces.foliage import leaf, vine
from jewel_assets.shape.parts.surfaces.hammered import hammered
from jewel_assets.shape.parts.surfaces.honeycomb import honeycomb, honeycomb_openings
from jewel_assets.shape.parts.surfaces.lattice import gyroid, level_set
from jewel_assets.shape.parts.surfaces.wires import milgrain, twisted_wire
from jewel_assets.shape.parts.surfaces.wrapping import over_dome, round_band

__all__ = [
    "filigree",
    "gyroid",
    "hammered",
    "honeycomb",
    "honeycomb_openings",
    "leaf",
    "level_set",
    "milgrain",
    "over_dome",
    "round_band",
    "scroll",
    "twisted_wire",
    "vine",
]
