"""A stone in its place in a piece."""

import numpy as np
from numpy.typing import ArrayLike

from jewel_assets.errors import Permanent
from jewel_assets.shape.gems.cuts import cut_stone, stone_size
from jewel_assets.shape.gems.species import species_named
from jewel_assets.shape.piece import Stone


def make_stone(
    name: str,
    species: str,
    cut: str,
    width: float,
    length: float | None = None,
    placement: ArrayLike | None = None,
) -> Stone:
    """A stone of `species` and `cut`, `width` by `length` mm, moved by `placement`.

    `placement` is a rigid motion, (3, 4) or (4, 4), from the cut's own place (middle of the girdle at the origin,
    table to +z, length along y) to the piece; None leaves it there. Raises Permanent for an unknown species or cut, for
    a size that is not cut, and for pearl that is asked for with facets.
    """
    kind = species_named(species)
    size = stone_size(cut, width, length)
    if kind.name.endswith("pearl") and cut not in ("pearl", "cabochon"):
        raise Permanent(f'{kind.name} is not faceted; choose the cut "pearl", or "cabochon" for a half pearl.')
    place = np.eye(4)[:3] if placement is None else np.asarray(placement, dtype=np.float64)[:3]
    if place.shape != (3, 4) or not np.allclose(place[:, :3] @ place[:, :3].T, np.eye(3), atol=1e-6):
        raise ValueError(f"the placement of {name} must be a rotation and a shift, (3, 4); a stone is never scaled")
    solid = cut_stone(cut, *size).transform(place)
    return Stone(name=name, solid=solid, kind="gem", material=kind.name, cut=cut, size=size, placement=place)
