"""What holds a stone: claws and baskets, V-claws for points, bezels, cups and pegs for pearls.

Everything here stands in the stone's own place (girdle plane at z = 0, table up, length along y) and is returned as
pieces that overlap: whoever builds the head joins them with the shank and takes `Seating.room` out of the whole once,
so that every notch and bearing fits the facets it touches. Millimetres.

Measures of claws and bezels follow the setter's rules: a claw's wire is about a sixth of the stone (1.0 mm for a one
carat brilliant of 6.5 mm), bitten by a third at the girdle and bent over a fifth of the crown's width; a bezel wall of
0.5 to 0.8 mm covers the girdle by a quarter of a millimetre (A. Revere, *Professional Jewelry Making*, 2011, chapters
on stone setting; T. McCreight, *Complete Metalsmith*, 2004, "Settings").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from manifold3d import CrossSection, JoinType, Manifold, OpType
from numpy.typing import ArrayLike, NDArray

from jewel_assets.shape import gems
from jewel_assets.shape.parts.curves import Array, circle, resample, smooth_curve
from jewel_assets.shape.parts.sweep import skin, sweep, tube

ROOM_MM = 0.02
"""Between stone and metal: a setter's fit, and enough that their bodies never overlap."""

BITE = 0.32
"""Share of a claw's wire that its notch takes: more weakens it, less does not hold (a third, says the bench)."""

COVER = 0.27
"""How far the middle of a claw's tip stands inside of the girdle, in wires."""

LIP_MM = 0.22
"""How far a bezel covers the stone, seen from above."""

LEAST_RISE = 0.105
"""How far any setting stands above the girdle at least, as a share of the stone's height: a tenth and a hair."""

PEG_MM = 0.9
"""A pearl's peg: drills for pearls are 0.8 to 1.0 mm."""

CORNER_DEG = 25.0
"""Where the girdle turns by more than this within one corner, it has a corner that must keep its place."""

CLAWS: dict[str, dict[int, tuple[float, ...]]] = {
    "round brilliant": {4: (45, 135, 225, 315), 6: (30, 90, 150, 210, 270, 330)},
    "princess": {4: (45, 135, 225, 315)},
    "emerald": {4: (45, 135, 225, 315)},
    "oval": {4: (48, 132, 228, 312), 6: (0, 62, 118, 180, 242, 298)},
    "pear": {5: (90, 12, 168, 225, 315), 3: (90, 222, 318)},
    "marquise": {4: (90, 270, 0, 180), 6: (90, 270, 22, 158, 202, 338)},
    "cushion": {4: (45, 135, 225, 315)},
    "cabochon": {4: (45, 135, 225, 315), 6: (0, 60, 120, 180, 240, 300)},
}
"""Where each cut is held, by how many claws: directions that the girdle faces there, degrees from +x towards +y."""


@dataclass(frozen=True)
class Seating:
    """A stone as its setting sees it: `cut`, `width` and `length` in mm."""

    cut: str
    width: float
    length: float

    @cached_property
    def solid(self) -> Manifold:
        """The stone itself."""
        return gems.cut_stone(self.cut, self.width, self.length)

    @cached_property
    def room(self) -> Manifold:
        """The stone with `ROOM_MM` round it: what is taken out of the metal."""
        return gems.notch_cutter(self.cut, self.width, self.length, ROOM_MM)

    @cached_property
    def crown(self) -> float:
        """From the girdle plane to the table, mm."""
        return gems.crown_height(self.cut, self.width, self.length)

    @cached_property
    def pavilion(self) -> float:
        """From the girdle plane to the culet, mm."""
        return gems.pavilion_depth(self.cut, self.width, self.length)

    @cached_property
    def outline(self) -> Array:
        """(n, 2): the girdle from above, counter-clockwise, evenly stepped, its corners kept."""
        return even_outline(gems.girdle_outline(self.cut, self.width, self.length))

    @cached_property
    def normals(self) -> Array:
        """(n, 2): outward directions of the outline, lengthened at corners so that an offset keeps its distance."""
        return mitred_normals(self.outline)

    def offset(self, distance: float | ArrayLike) -> Array:
        """(n, 2): the outline moved outward by `distance` mm, inward where it is negative."""
        return np.asarray(self.outline + np.asarray(distance, dtype=np.float64)[..., None] * self.normals)

    def holds(self, direction_deg: float) -> tuple[Array, Array, bool]:
        """The place (2,) of the girdle that faces a direction, its outward normal (2,), and whether it is a corner.

        On a straight side it is the middle of the side.
        """
        spots = [self._facing(direction_deg + turn) for turn in (-14.0, 0.0, 14.0)]
        angle = np.radians(direction_deg)
        place = np.mean([spots[0], spots[2]], axis=0)
        normal = np.array([np.cos(angle), np.sin(angle)])
        place = place + normal * float((spots[1] - place) @ normal)
        return place, normal, bool(np.linalg.norm(spots[0] - spots[2]) < 1e-6)

    def _facing(self, direction_deg: float) -> Array:
        angle = np.radians(direction_deg)
        reach = self.outline @ np.array([np.cos(angle), np.sin(angle)])
        return np.asarray(self.outline[reach > reach.max() - 1e-6].mean(axis=0))

    @cached_property
    def _facets(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        mesh = self.solid.to_mesh64()
        points = np.asarray(mesh.vert_properties)[:, :3][np.asarray(mesh.tri_verts).astype(np.int64)]
        normal = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-30
        return normal, np.sum(normal * points[:, 0], axis=1)

    def top_at(self, places: ArrayLike) -> Array:
        """(k,): height of the crown over places (k, 2); cuts are convex, so the lowest facet plane is the surface."""
        normal, distance = self._facets
        up = normal[:, 2] > 0.02
        return np.asarray(
            ((distance[up] - np.asarray(places) @ normal[up, :2].T) / normal[up, 2]).min(axis=1), dtype=np.float64
        )


@lru_cache(maxsize=96)
def seating(cut: str, width: float, length: float | None = None) -> Seating:
    """The stone of `cut` and size, mm, kept for the next such setting. Raises Permanent if none is cut so."""
    return Seating(cut, *gems.stone_size(cut, width, length))


def even_outline(polygon: ArrayLike, steps: int = 72) -> Array:
    """(n, 2): a closed outline in about `steps` even steps that begins at +y or at its corner nearest to it."""
    points = np.asarray(polygon, dtype=np.float64)
    edge = np.roll(points, -1, axis=0) - points
    before = np.roll(edge, 1, axis=0)
    turn = np.abs(np.arctan2(before[:, 0] * edge[:, 1] - before[:, 1] * edge[:, 0], np.sum(before * edge, axis=1)))
    corners = np.flatnonzero(turn > np.radians(CORNER_DEG))
    if not len(corners):
        corners = np.array([int(np.argmax(points[:, 1] - 1e-3 * np.abs(points[:, 0])))])
    first = int(np.argmax(points[corners, 1]))
    corners = np.roll(corners, -first)
    total = float(np.linalg.norm(edge, axis=1).sum())
    spans = []
    for a, b in zip(corners, np.roll(corners, -1), strict=True):
        stop = b if b > a else b + len(points)
        span = points[np.arange(a, stop + 1) % len(points)]
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(span, axis=0), axis=1))])
        number = max(3, round(steps * along[-1] / total))
        wanted = np.linspace(0, along[-1], number, endpoint=False)
        spans.append(np.column_stack([np.interp(wanted, along, span[:, axis]) for axis in (0, 1)]))
    return np.vstack(spans)


def mitred_normals(outline: Array, limit: float = 1.8) -> Array:
    """(n, 2): outward normals of a counter-clockwise outline, as long as a mitre needs, at most `limit`."""
    edge = np.roll(outline, -1, axis=0) - outline
    edge = edge / np.linalg.norm(edge, axis=1, keepdims=True)
    before = np.roll(edge, 1, axis=0)
    along = edge + before
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.column_stack([along[:, 1], -along[:, 0]])
    half = np.clip(np.sum(along * edge, axis=1), 1 / limit, 1)
    return np.asarray(normal / half[:, None])


def claw_wire(width: float) -> float:
    """Diameter, mm, of the wire that suits a stone `width` mm wide: 0.75 for 3 mm, 1.0 for 6.5 mm, 1.25 for 10 mm."""
    return float(np.clip(0.54 + 0.071 * width, 0.65, 1.5))


def claw(stone: Seating, direction_deg: float, wire: float, depth: float, spread: float, sides: int = 16) -> Manifold:
    """One claw: from the base at z = -`depth`, leaning out along the pavilion, upright past the girdle; and its tip.

    `spread` is how wide the head is at its base, as a share of the girdle. On a corner of the girdle it is a V-claw,
    wide enough to shield the point. Its notch is cut when `stone.room` is taken out. The tip is a wire of its own that
    shares the round end of the first, as a bent claw does: bent in one sweep it would run into itself.
    """
    place, normal, corner = stone.holds(direction_deg)
    if corner:
        place = place - normal * 0.06 * wire
    stem, tip = claw_path(stone, place, normal, wire, depth, spread)
    if not corner:
        slim = wire / 2 * np.interp(stem[:, 2], [-depth, stem[-1, 2]], [1.06, 0.96])
        return tube(stem, slim, sides=sides) + tube(tip, [slim[-1], 0.86 * slim[-1]], sides=sides)
    wide = np.interp(stem[:, 2], [-depth, -0.3 * depth, stem[-1, 2]], [1.0, 1.05, 1.3])
    up = np.array([normal[0], normal[1], 0.0])
    full = np.column_stack([wide, np.full(len(stem), 1.0)])
    return sweep(circle(wire, sides), stem, up=up, scale=full, caps="round") + sweep(
        circle(wire, sides), tip, up=[0.0, 0.0, 1.0], scale=[[1.3, 1.0], [1.05, 0.82]], caps="round"
    )


def claw_path(
    stone: Seating, place: Array, normal: Array, wire: float, depth: float, spread: float
) -> tuple[Array, Array]:
    """The middle of a claw's wire: from its foot to over the girdle (12, 3), and from there to its tip (2, 3)."""
    radius = wire / 2
    beside = place + normal * (radius - BITE * wire)
    inside = place - normal * COVER * wire
    side = max(float(stone.top_at((place - normal * 0.02)[None])[0]), 0.02)
    over = max(float(stone.top_at(inside[None])[0]) + 0.3 * radius, side + 0.24 * wire)
    foot = place * spread
    knots = [
        [*foot, -depth],
        [*(foot + (beside - foot) * 0.55), -0.45 * depth],
        [*beside, -0.12 * wire],
        [*beside, side + 0.1 * wire],
    ]
    stem = smooth_curve(np.array(knots), 12)
    return stem, np.array([stem[-1], [*inside, over]])


def claw_lean(stone: Seating, wire: float, depth: float, spread: float, height: float) -> Array:
    """(n, 2): the outline on which the middles of all claws lie at `height` below the girdle (negative z)."""
    share = float(np.clip(1 + height / depth, 0, 1))  # 0 at the base, 1 at the girdle
    beside = stone.offset((0.5 - BITE) * wire)
    return np.asarray(stone.outline * spread + (beside - stone.outline * spread) * share)


def rail(stone: Seating, claws_wire: float, depth: float, spread: float, height: float, wire: float) -> Manifold:
    """A gallery rail: a closed wire round the claws at z = `height` (negative), of `wire` mm, through all of them."""
    ring = rounded_within(claw_lean(stone, claws_wire, depth, spread, height), 0.6 * wire)
    return tube(np.column_stack([ring, np.full(len(ring), height)]), wire / 2, closed=True, sides=12)


def rounded_within(outline: Array, radius: float) -> Array:
    """(n, 2): an outline whose corners are rounded to `radius` mm or more, so that a wire can bend round them."""
    area = CrossSection([outline])
    room = 0.9 * min(np.ptp(outline[:, 0]), np.ptp(outline[:, 1])) / 2
    radius = min(radius, room)
    soft = area.offset(-radius, JoinType.Round, 2.0, 32).offset(radius, JoinType.Round, 2.0, 32)
    return resample(max(soft.to_polygons(), key=len), max(48, len(outline)), closed=True)


def claw_head(
    stone: Seating, claws: int, wire: float, depth: float, spread: float, gallery: float | None = 0.42
) -> list[Manifold]:
    """The pieces of a basket: claws, a base rail at z = -`depth`, and a gallery rail.

    `claws` must be one of `CLAWS[stone.cut]`. `depth` from the girdle plane to the middle of the base rail. `gallery`
    is the height of the upper rail, as a share of `depth` below the girdle; None leaves it out.
    """
    pieces = [claw(stone, direction, wire, depth, spread) for direction in CLAWS[stone.cut][claws]]
    thin = max(0.8 * wire, 0.82)
    pieces.append(rail(stone, wire, depth, spread, -depth, thin))
    if gallery is not None:
        pieces.append(rail(stone, wire, depth, spread, -gallery * depth, thin))
    return pieces


def bezel_top(stone: Seating) -> float:
    """Height, mm, of the upper edge of a bezel above the girdle plane: just over where its lip touches the crown.

    Never less than a tenth of the stone's height, which a setter needs to burnish it over (`LEAST_RISE`).
    """
    touches = float(np.median(stone.top_at(stone.offset(-LIP_MM))))
    return max(touches + 0.16, LEAST_RISE * (stone.crown + stone.pavilion))


def bezel(stone: Seating, wall: float, depth: float, spread: float) -> tuple[list[Manifold], list[Manifold]]:
    """A bezel: the cup, open below for light, and what is taken out of it besides `stone.room`: the view from above.

    `wall` in mm at the girdle, `depth` from the girdle plane to its foot, `spread` its width there as a share of the
    girdle's.
    """
    top = bezel_top(stone)
    soft = min(0.3 * wall, 0.18)

    def level(height: float, share: float, outward: float) -> Array:
        ring = stone.outline * share + outward * stone.normals
        return np.column_stack([ring, np.full(len(ring), height)])

    waist = -min(0.55 * depth, 0.9)
    levels = [
        level(-depth, spread, wall - soft),
        level(-depth + soft, spread, wall),
        *(level(z, s, wall) for z, s in _eased(-depth + soft, waist, spread)),
        level(0.0, 1.0, wall),
        level(top - soft, 1.0, wall - 0.04),
        level(top - 0.3 * soft, 1.0, wall - 0.3 * soft - 0.05),
        level(top, 1.0, wall - soft - 0.06),
    ]
    cup = skin(np.array(levels))
    bearing = min(0.16 * stone.width, 0.55)
    # both openings are convex: an inset outline, whose points would cross near a tip, is never swept
    under = [(-depth - 1, spread, 0.4), (-depth, spread, 0.4), (-0.1, 1.0, bearing)]
    below = Manifold.hull_points(np.vstack([_inset(stone.outline * share, by, z) for z, share, by in under]))
    view = CrossSection([stone.outline]).offset(-LIP_MM, JoinType.Miter, 2.0)
    above = view.extrude(top + 2)
    return [cup - below], [above]


def _inset(outline: Array, by: float, height: float) -> Array:
    """(k, 3): the corners of an outline moved `by` mm inward, at z = `height`; its middle where nothing is left."""
    polygons = CrossSection([outline]).offset(-by, JoinType.Miter, 2.0).to_polygons()
    flat = np.vstack(polygons) if polygons else outline.mean(axis=0)[None]
    return np.column_stack([flat, np.full(len(flat), height)])


def _eased(low: float, high: float, spread: float) -> list[tuple[float, float]]:
    steps = np.linspace(0, 1, 5)[1:]
    return [(low + (high - low) * t, spread + (1 - spread) * np.sin(t * np.pi / 2)) for t in steps]


def pearl_cup(diameter: float, segments: int = 40) -> list[Manifold]:
    """What a pearl whose middle is the origin is glued on: a dished cup that spans 0.55 of it, and its peg.

    The foot of the cup stands at z = -0.62 of the diameter; the peg ends in the middle of the pearl. Take the pearl's
    room less its `pearl_drill` out of both, and the drill out of the pearl.
    """
    radius = diameter / 2
    reach = 0.55 * radius
    touch = -np.sqrt(radius**2 - reach**2)
    wall = max(0.6, 0.18 * radius)
    foot = -1.24 * radius
    outline = [[0, foot], [0.42 * reach, foot], [reach + 0.1, touch - wall * 0.75], [reach + 0.1, touch], [0, touch]]
    cup = CrossSection([np.array(outline)]).revolve(segments)
    return [cup, Manifold.cylinder(-foot, PEG_MM / 2, circular_segments=20).translate((0, 0, foot))]


def pearl_drill(diameter: float) -> Manifold:
    """The hole that is drilled into a pearl for its peg, from below to `ROOM_MM` beyond its middle."""
    deep = diameter / 2 + 1
    return Manifold.cylinder(deep, PEG_MM / 2 + ROOM_MM, circular_segments=20).translate((0, 0, ROOM_MM - deep))


def joined(metal: Sequence[Manifold], taken: Sequence[Manifold] = ()) -> Manifold:
    """One solid: the pieces of metal joined, what is `taken` out of them, and no loose crumb left over.

    A crumb is a part of less than a hundred-thousandth of the whole: what a cut leaves where two faces nearly agree.
    """
    solid = Manifold.batch_boolean(list(metal), OpType.Add)
    if taken:
        solid = Manifold.batch_boolean([solid, *taken], OpType.Subtract)
    parts = solid.decompose()
    if len(parts) == 1:
        return solid
    whole = solid.volume()
    return Manifold.compose([part for part in parts if part.volume() > 1e-5 * whole])
