"""Ornamented plates and frames: what discs, hearts, drops, lockets and dangling charms are made of.

They lie in the x-y plane, back at z = 0, face to +z. Millimetres.
"""

from collections.abc import Callable

import numpy as np
from manifold3d import Manifold

from jewel_assets.shape.parts.curves import Array, circle, resample, smooth_curve
from jewel_assets.shape.parts.findings import joined
from jewel_assets.shape.parts.outlines import frame, inset, outline, plate, polygon_of, rim_line
from jewel_assets.shape.parts.surfaces import (
    filigree,
    gyroid,
    hammered,
    honeycomb_openings,
    milgrain,
    twisted_wire,
    vine,
)
from jewel_assets.shape.parts.sweep import skin, sweep, tube

ORNAMENTS = (
    "polished", "domed", "hammered", "milgrain", "rope rim", "filigree", "honeycomb", "gyroid", "leaf", "open", "rays",
)  # fmt: skip
"""What a medallion shows: a plain or domed face, or the ornament of that name; "open" is a frame alone."""

PIERCED = ("filigree", "honeycomb", "gyroid", "open")
"""Ornaments that light passes through."""


def medallion(
    shape: str,
    width: float,
    height: float,
    ornament: str,
    thickness: float = 1.4,
    rim: float = 1.2,
    cell: float = 3.2,
    seed: int = 0,
) -> list[Manifold]:
    """The pieces of a medallion, to be joined: `shape` is one of `outlines.OUTLINES`, `ornament` one of ORNAMENTS.

    `thickness` of plate and frame, `rim` the frame's width, `cell` the size of what repeats: dents, honeycomb and
    gyroid cells, scrolls, the pitch of a rope; leaves are about twice as long.
    """
    edge = outline(shape, width, height, int(np.clip(4 * np.sqrt(width * height), 64, 160)))
    maker = _MAKERS.get(ornament)
    if maker is None:
        raise ValueError(f"there is no ornament '{ornament}': give one of {', '.join(ORNAMENTS)}")
    return maker(edge, thickness, rim, cell, seed)


def eye_height(polygon: Array, inner: float, wire: float) -> float:
    """How high above the origin the middle of an eye stands that is fused to the top of a plate, its opening clear."""
    line = resample(polygon, 600, closed=True)
    radius = inner / 2 + 0.45 * wire
    near = line[np.abs(line[:, 0]) < radius]
    return float((near[:, 1] + np.sqrt(radius**2 - near[:, 0] ** 2)).max())


def neck(polygon: Array, eye_middle: float, inner: float, wire: float, level: float) -> list[Manifold]:
    """What joins an eye to a pointed plate, whose tip is too slight to carry it; nothing for a broad one.

    It lies in the plane z = `level`, from the eye down into the plate.
    """
    line = resample(polygon, 600, closed=True)
    top = float(line[:, 1].max())
    shoulders = line[line[:, 1] > top - 1.2]
    if float(np.ptp(shoulders[:, 0])) > 3.2:
        return []
    start = eye_middle - inner / 2 - 0.5 * wire
    return [tube([(0.0, start, level), (0.0, top - 2.4, level)], np.array([0.55 * wire, 0.8]), sides=14)]


def _polished(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    return [plate(edge, thickness, min(0.3 * thickness, 0.5))]


def _domed(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    return [plate(edge, thickness, min(0.4 * thickness, 0.5), 0.09 * float(np.ptp(edge[:, 0])), rings=9)]


def _hammered(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    dent = float(np.clip(0.8 * cell, 1.6, 4.0))
    body = plate(edge, thickness, min(0.35 * thickness, 0.5), 0.03 * float(np.ptp(edge[:, 0])), rings=6)

    def face(points: Array, normals: Array) -> Array:
        return np.asarray(np.clip(4 * normals[:, 2] - 0.6, 0, 1))

    return [hammered(body, dent, min(0.085 * dent, 0.22), seed, face)]


def _milgrain(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    bead = float(np.clip(0.28 * cell, 0.7, 1.1))
    inner = rim_line(edge, 0.75, bead / 2, 400)
    body = plate(edge, thickness, 0.25)
    line = np.column_stack([inner, np.full(len(inner), thickness - 0.05)])
    beads = milgrain(line, bead, closed=True)
    within = 0.75 + 2.2 * bead
    if inset(edge, within + 1.0).is_empty():  # so small a face has no room for the groove
        return [body, beads]
    second = rim_line(edge, within, 0.4, 240)
    groove = sweep(circle(0.7, 10), np.column_stack([second, np.full(len(second), thickness + 0.05)]), closed=True)
    return [body - groove, beads]


def _rope_rim(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    wire = float(np.clip(1.6 * rim, 1.9, 2.6))
    line = rim_line(edge, wire / 2, wire / 2)
    rope = twisted_wire(
        np.column_stack([line, np.full(len(line), thickness / 2 + 0.1)]), wire, 3, 2.3 * wire, closed=True
    )
    inner = rim_line(edge, 0.55 * wire, 0.3)
    return [plate(inner, thickness, 0.2, 0.06 * float(np.ptp(edge[:, 0]))), rope]


def _filigree(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    return [frame(edge, rim, thickness), *filigree(inset(edge, rim), 1.0, 1.8 * cell, seed, thickness / 2)]


def _honeycomb(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    openings = honeycomb_openings(inset(edge, rim), cell, 0.85)
    return [plate(edge, thickness, 0.25) - openings.extrude(3 * thickness).translate((0, 0, -thickness))]


def _gyroid(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    # cut half a cell apart where the lattice stands steepest on the cut: nowhere does it end in a feather edge
    deep = float(np.clip(0.75 * cell, max(thickness, 2.0), 3.0))
    lattice = gyroid(
        _slab(polygon_of(inset(edge, 0.6 * rim)), deep),
        (float(edge[:, 0].min()), float(edge[:, 1].min()), 0.0),
        (float(edge[:, 0].max()), float(edge[:, 1].max()), deep),
        2 * deep,
        1.0,
        0.5,
    )
    return [frame(edge, rim, deep + 0.3), lattice.translate((0, 0, 0.15))]


def _slab(polygon: Array, thickness: float) -> Callable[[Array], Array]:
    """Depth inside the plate over a polygon, good near its surface: the distance to the nearest of its edges' lines."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    along = b - a
    length = np.einsum("ij,ij->i", along, along)

    def depth(points: Array) -> Array:
        x, y = points[:, 0], points[:, 1]
        # all points of one column of the grid share their place in the plane
        places, index = np.unique(np.column_stack([x, y]), axis=0, return_inverse=True)
        near = np.full(len(places), np.inf)
        inside = np.zeros(len(places), dtype=bool)
        for start, way, size in zip(a, along, length, strict=True):
            to = places - start
            t = np.clip((to @ way) / size, 0, 1)
            near = np.minimum(near, np.hypot(to[:, 0] - t * way[0], to[:, 1] - t * way[1]))
            crosses = (start[1] > places[:, 1]) != (start[1] + way[1] > places[:, 1])
            with np.errstate(divide="ignore", invalid="ignore"):
                inside ^= crosses & (places[:, 0] < way[0] * to[:, 1] / way[1] + start[0])
        flat = np.where(inside, near, -near)[index.ravel()]
        return np.asarray(np.minimum(flat, thickness / 2 - np.abs(points[:, 2] - thickness / 2)))

    return depth


def _leaf(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    """A vine that climbs over the plate within its rim."""
    low, high = edge[:, 1].min(), edge[:, 1].max()
    rng = np.random.default_rng(seed)
    span = high - low
    middle = edge.mean(axis=0)[0]
    wide = float(np.ptp(edge[:, 0]))
    side = 1.0 if rng.random() < 0.5 else -1.0
    top = thickness + 0.25
    knots = [
        (middle - 0.10 * side * wide, low + 0.14 * span, top),
        (middle + 0.05 * side * wide, low + 0.36 * span, top),
        (middle - 0.04 * side * wide, low + 0.58 * span, top),
        (middle + 0.05 * side * wide, low + 0.72 * span, top),
    ]
    long = float(np.clip(0.3 * min(wide, span), 4.0, 9.0))
    growth = vine(
        smooth_curve(knots, 50), 1.0, long, int(np.clip(span / (0.45 * long), 4, 9)), 2, seed, 1.05, tendrils=0
    )
    # what would grow over the rim is trimmed to it
    region = inset(edge, 0.4).extrude(8.0).translate((0, 0, 0.3))
    body = plate(edge, thickness, 0.3)
    line = rim_line(edge, 0.5 * rim, 0.5 * rim)
    border = sweep(circle(rim, 12), np.column_stack([line, np.full(len(line), thickness)]), closed=True)
    return [body, border, joined(growth) ^ region]


def _open(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    return [frame(edge, max(rim, 1.2), thickness, 0.42 * min(rim, thickness))]


def _rays(edge: Array, thickness: float, rim: float, cell: float, seed: int) -> list[Manifold]:
    """A sunburst: ridges from the middle to the rim."""
    middle = edge.mean(axis=0)
    around = resample(edge, 240, closed=True) - middle
    number = int(np.clip(round(2.4 * np.pi * np.abs(around).max() / cell), 12, 32))
    angle = np.arctan2(around[:, 1], around[:, 0])
    # folds as deep as they are wide, flat in the middle
    fold = 0.5 + 0.5 * np.cos(number * angle)
    grid = []
    for share, z in ((1.0, 0.0), (1.0, 0.7 * thickness), (0.985, 0.8 * thickness)):
        grid.append(np.column_stack([middle + around * share, np.full(240, z)]))
    for share in np.linspace(0.97, 0.12, 9):
        relief = min(0.42 * thickness, 0.6) * fold * np.clip(3 * (share - 0.16), 0, 1)
        grid.append(np.column_stack([middle + around * share, 0.8 * thickness + relief + 0.25 * (1 - share)]))
    boss = Manifold.sphere(1.0, 32).scale((1.9, 1.9, 1.0)).translate((float(middle[0]), float(middle[1]), thickness))
    return [skin(np.stack(grid)), boss]


_MAKERS: dict[str, Callable[[Array, float, float, float, int], list[Manifold]]] = {
    "polished": _polished,
    "domed": _domed,
    "hammered": _hammered,
    "milgrain": _milgrain,
    "rope rim": _rope_rim,
    "filigree": _filigree,
    "honeycomb": _honeycomb,
    "gyroid": _gyroid,
    "leaf": _leaf,
    "open": _open,
    "rays": _rays,
}
