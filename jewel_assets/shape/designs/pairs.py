"""Wholes of several castings: one earring or pendant with what moves on it, and pairs of earrings."""

from dataclasses import dataclass, field, replace

import numpy as np
from manifold3d import Manifold
from numpy.typing import ArrayLike

from jewel_assets.shape.designs.base import Design
from jewel_assets.shape.gems import cut_stone
from jewel_assets.shape.parts.casting import Casting, after
from jewel_assets.shape.parts.curves import Array
from jewel_assets.shape.piece import Body, Piece, Stone

MIRROR = np.diag([-1.0, 1.0, 1.0])


@dataclass
class Assembly:
    """Bodies and the groups of those that move. The first casting that is added is the fixed one."""

    metal: str
    bodies: list[Body] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)

    def cast(
        self, name: str, casting: Casting | Manifold, moves: bool = True, at: tuple[float, float, float] | None = None
    ) -> None:
        """A casting with its stones, moved `at` (x, y, z); `moves` says whether it is not the fixed one."""
        solid = casting.solid() if isinstance(casting, Casting) else casting
        bodies = [Body(name, solid, "metal", self.metal), *(casting.stones if isinstance(casting, Casting) else ())]
        if at is not None:
            place = np.column_stack([np.eye(3), at])
            bodies = [_moved(body, place) for body in bodies]
        self.bodies += bodies
        if moves:
            self.groups.append((name,))

    def placed(self, place: ArrayLike) -> "Assembly":
        """Everything moved by a rotation and a shift (3, 4)."""
        matrix = np.asarray(place, dtype=np.float64)
        return Assembly(self.metal, [_moved(body, matrix) for body in self.bodies], list(self.groups))

    def mirrored(self) -> "Assembly":
        """Everything as seen in a mirror at x = 0."""
        return Assembly(self.metal, [_mirrored(body) for body in self.bodies], list(self.groups))

    def named(self, prefix: str) -> "Assembly":
        """Everything with `prefix` before its name."""
        return Assembly(
            self.metal,
            [replace(body, name=f"{prefix} {body.name}") for body in self.bodies],
            [tuple(f"{prefix} {name}" for name in group) for group in self.groups],
        )

    def piece(self, design: Design) -> Piece:
        """The piece that these bodies make."""
        return design.piece(self.bodies, self.groups)

    @property
    def box(self) -> tuple[Array, Array]:
        """The corners (3,) of the bounding box, mm."""
        boxes = np.array([body.solid.bounding_box() for body in self.bodies])
        return boxes[:, :3].min(axis=0), boxes[:, 3:].max(axis=0)


def pair(one: Assembly, yaw_deg: float = 0.0, apart: float = 0.35) -> Assembly:
    """Two of an earring side by side, the right one mirrored, as they lie for a photo.

    `one` is the left one, turned by `yaw_deg` about the vertical; `apart` is the gap as a share of its width, plus 3
    mm.
    """
    t = np.radians(yaw_deg)
    turn = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
    left = one.placed(np.column_stack([turn, np.zeros(3)])) if yaw_deg else one
    low, high = left.box
    shift = float(high[0] + (3.0 + apart * (high[0] - low[0])) / 2)
    left = left.placed(np.column_stack([np.eye(3), [-shift, 0.0, 0.0]]))
    right = left.mirrored().named("right")
    left = left.named("left")
    apart_already = {name for group in right.groups for name in group}
    fixed = tuple(body.name for body in right.bodies if body.kind == "metal" and body.name not in apart_already)
    groups = [*left.groups, *right.groups, *([fixed] if fixed else [])]
    return Assembly(one.metal, [*left.bodies, *right.bodies], groups)


def _moved(body: Body, place: Array) -> Body:
    solid = body.solid.transform(place)
    if isinstance(body, Stone):
        return replace(body, solid=solid, placement=after(place, body.placement))
    return replace(body, solid=solid)


def _mirrored(body: Body) -> Body:
    if isinstance(body, Stone):
        # cuts are symmetric about their own length, so a mirrored stone is the stone itself, elsewhere
        place = np.column_stack([MIRROR @ body.placement[:, :3] @ MIRROR, MIRROR @ body.placement[:, 3]])
        return replace(body, solid=cut_stone(body.cut, *body.size).transform(place), placement=place)
    return replace(body, solid=body.solid.mirror((1, 0, 0)))
