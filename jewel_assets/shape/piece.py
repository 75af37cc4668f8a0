"""A piece of jewellery as solid bodies: what the builders make, and what files, reports and renders are made from.

Lengths are millimetres, angles degrees unless a name says otherwise. Axes are right-handed: x to the right, z up, and
the viewer stands on the side of -y and looks along +y, so a photo taken from the front shows the x-z plane.

- A ring, bangle or bracelet is round the y axis, its centre at the origin and its head (stone, seal) on top, at +z.
- An earring, pendant or brooch shows its front to -y; what it hangs from is at the top, centred on x = 0.
- A chain or necklace lies in the x-z plane, hanging as worn: its lowest point at x = 0, what it carries below.
- A watch is round the x axis, its dial on top facing +z, twelve o'clock towards +y: from above it is upright.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from manifold3d import Manifold, OpType
from numpy.typing import NDArray

Kind = Literal["metal", "gem", "other"]


@dataclass(frozen=True)
class Body:
    """One solid of one material.

    `name` is unique in its piece and says what it is: "shank", "prongs", "centre stone", "melee 07". `material` is a
    key of `alloys.ALLOYS` for metal, of `gems.SPECIES` for a gem, of `materials.OTHERS` (leather, glass, enamel, dial
    lacquer, pearl) otherwise. Gems of the same cut and species are separate bodies: files may share their mesh.
    """

    name: str
    solid: Manifold = field(repr=False)
    kind: Kind
    material: str

    @property
    def volume(self) -> float:
        """Cubic millimetres."""
        return float(self.solid.volume())


@dataclass(frozen=True)
class Stone(Body):
    """A gem with what a jeweller asks for: its cut, its size and its place."""

    cut: str = "round brilliant"
    size: tuple[float, float] = (0.0, 0.0)  # mm, width and length at the girdle
    placement: NDArray[np.float64] = field(default_factory=lambda: np.eye(4)[:3], repr=False)
    """(3, 4): from the cut's own place (girdle plane at z = 0, table up) to its place in the piece."""


@dataclass(frozen=True)
class Piece:
    """A piece: its bodies, which do not overlap but for the contact of stone and seat, and the design it came from.

    `moving` names groups of metal bodies that are cast apart (links, a watch's hands): each is a casting of its own.
    What is in no group belongs to one casting, whose metal bodies together are one watertight solid.
    """

    category: str
    family: str
    bodies: tuple[Body, ...]
    design: dict[str, Any] = field(default_factory=dict, repr=False)
    moving: tuple[tuple[str, ...], ...] = ()

    def __iter__(self) -> Iterator[Body]:
        return iter(self.bodies)

    @property
    def metal(self) -> tuple[Body, ...]:
        """The bodies of metal."""
        return tuple(body for body in self.bodies if body.kind == "metal")

    @property
    def stones(self) -> tuple[Stone, ...]:
        """The gems."""
        return tuple(body for body in self.bodies if isinstance(body, Stone))

    def castings(self) -> tuple[Manifold, ...]:
        """The solids that a caster would cast: the fixed metal joined into one, and each moving group."""
        groups = [[body for body in self.metal if body.name in names] for names in self.moving]
        apart = {name for names in self.moving for name in names}
        fixed = [body for body in self.metal if body.name not in apart]
        solids = ([body.solid for body in group] for group in (fixed, *groups))
        return tuple(Manifold.batch_boolean(group, OpType.Add) for group in solids if group)

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The corners of the bounding box of all bodies, mm."""
        boxes = np.array([body.solid.bounding_box() for body in self.bodies])
        return boxes[:, :3].min(axis=0), boxes[:, 3:].max(axis=0)
