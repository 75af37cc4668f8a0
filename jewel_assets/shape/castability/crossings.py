"""Does the surface run through itself? Two triangles cross exactly where an edge of one pierces the other.

Every edge is sent through the mesh as a ray that ends with it (Embree); what it meets is decided again in double
precision, and by depth: an edge must stand out on both sides by more than `DEEP_MM`, for what overlaps less is closed
by any caster's program and by polishing.
"""

from collections.abc import Iterator

import numpy as np

from jewel_assets.shape.castability.closed import SHOWN
from jewel_assets.shape.castability.facing import THREE_WAYS
from jewel_assets.shape.castability.report import Finding, place_of
from jewel_assets.shape.castability.surface import Bools, Floats, Ints, Surface, groups_of_points

DEEP_MM = 5e-3
UNDER_MM = 0.02
_ASKED_FACES = 60


def crossings(surface: Surface) -> Iterator[Finding]:
    """Places where the surface runs through itself, those of one neighbourhood (1 mm) in one finding."""
    edges, faces, points, depths = pierced(surface)
    _, shell = surface.shells
    of_vertex = np.zeros(len(surface.vertices), np.int64)
    of_vertex[surface.faces] = shell[:, None]
    one, two = of_vertex[surface.edges[edges, 0]], shell[faces]
    yield from sunken(surface, set(zip(one.tolist(), two.tolist(), strict=True)))
    if not len(points):
        return
    group = groups_of_points(points, 1.0) if len(points) <= 4000 else _coarse_groups(points)
    sizes = np.bincount(group)
    apart = one != two
    for number in np.argsort(-sizes, kind="stable")[:SHOWN]:
        mine = group == number
        what = (
            "Two parts overlap without being joined" if apart[mine].mean() > 0.5 else "The surface runs through itself"
        )
        yield Finding(
            rule="self-intersection",
            severity="error",
            message=f"{what} ({depths[mine].max():.3f} mm deep, {sizes[number]} edges): unite the parts by a "
            "boolean, or part them",
            measured=round(float(depths[mine].max()), 4),
            limit=DEEP_MM,
            unit="mm",
            place=place_of(points[mine].mean(axis=0)),
        )
    if len(sizes) > SHOWN:
        yield Finding(
            rule="self-intersection",
            severity="error",
            message=f"The surface runs through itself in {len(sizes) - SHOWN} more places: unite all parts by booleans",
            measured=float(len(sizes) - SHOWN),
            limit=0.0,
            unit="places",
        )


def sunken(surface: Surface, known: set[tuple[int, int]]) -> Iterator[Finding]:
    """Pairs of shells that share space though no edge of one pierces the other: their planes or corners coincide.

    Asked of points `UNDER_MM` below each shell's surface, by the parity of three rays and their opposites, which must
    all agree: where faces of two parts coincide, a ray may count one of them only. `known` pairs are left out; a shell
    that lies wholly inside another is told by `facing.shells`.
    """
    count, shell = surface.shells
    if count < 2:
        return
    solid = np.bincount(shell, surface.signed_volumes, minlength=count) > 0
    lower, upper = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(lower, shell, surface.corners.min(axis=1))
    np.maximum.at(upper, shell, surface.corners.max(axis=1))
    meet = ((lower[:, None] < upper[None]) & (lower[None] < upper[:, None])).all(axis=2) & solid[:, None] & solid[None]
    np.fill_diagonal(meet, False)
    for one, two in known:
        meet[one, two] = meet[two, one] = False
    asked = [_spread(np.flatnonzero(shell == number), _ASKED_FACES) for number in np.flatnonzero(meet.any(axis=1))]
    if not asked:
        return
    faces = np.concatenate(asked)
    faces = faces[surface.normals[faces].any(axis=1)]
    points = surface.centres[faces] - UNDER_MM * surface.normals[faces]
    votes = np.zeros((len(faces), count), np.int64)
    ways = np.vstack([THREE_WAYS, -THREE_WAYS])
    for direction in ways:
        crossed = np.zeros((len(faces), count), np.int64)
        reach = np.full(len(faces), float(np.linalg.norm(surface.bounds[1] - surface.bounds[0])) + 1.0)
        for rays, hit, _ in surface.all_hits(points, np.tile(direction, (len(faces), 1)), reach, most=256):
            np.add.at(crossed, (rays, shell[hit]), 1)
        votes += crossed % 2
    inside = (votes == len(ways)) & meet[shell[faces]]
    for one, two in sorted({(int(shell[faces[row]]), int(other)) for row, other in np.argwhere(inside)}):
        mine = shell[faces] == one
        sunk = mine & inside[:, two]
        if sunk.sum() == mine.sum() or (inside[shell[faces] == two, one].any() and one > two):
            continue  # wholly inside, or said from the other side
        yield Finding(
            rule="self-intersection",
            severity="error",
            message="Two parts overlap without being joined: unite them by a boolean, or part them",
            limit=DEEP_MM,
            unit="mm",
            place=place_of(points[sunk].mean(axis=0)),
        )


def _spread(faces: Ints, most: int) -> Ints:
    return faces[:: max(len(faces) // most, 1)]


def pierced(surface: Surface) -> tuple[Ints, Ints, Floats, Floats]:
    """Edges, the faces they pierce, where, and how far their shorter ends stand out: (c,), (c,), (c, 3), (c,) mm."""
    edges = surface.edges
    start, end = surface.vertices[edges[:, 0]], surface.vertices[edges[:, 1]]
    along = end - start
    length = np.linalg.norm(along, axis=1)
    long = np.flatnonzero(length > 2 * DEEP_MM)
    start, length = start[long], length[long]
    along = along[long] / length[:, None]
    # Faces at the edge's own ends are no crossing: begin and end a little inside, by as much as decides a crossing.
    origins, reach = start + along * (DEEP_MM / 2), length - DEEP_MM
    found: list[tuple[Ints, Ints, Floats, Floats]] = []
    for rays, faces, _ in surface.all_hits(origins, along, reach, most=24):
        crosses, points, depths = _crosses(surface, long[rays], faces)
        found.append((long[rays][crosses], faces[crosses], points[crosses], depths[crosses]))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros(0)
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))  # type: ignore[return-value]


def _crosses(surface: Surface, edges: Ints, faces: Ints) -> tuple[Bools, Floats, Floats]:
    """Whether each edge passes well through the face beside it, where it meets its plane, and how deep it goes."""
    ends = surface.edges[edges]
    triangle = surface.faces[faces]
    stranger = ~(ends[:, :, None] == triangle[:, None, :]).any(axis=(1, 2))
    a, b, c = np.moveaxis(surface.corners[faces], 1, 0)
    normal = surface.normals[faces]
    one, two = surface.vertices[ends[:, 0]], surface.vertices[ends[:, 1]]
    height_one = np.einsum("ij,ij->i", one - a, normal)
    height_two = np.einsum("ij,ij->i", two - a, normal)
    through = (np.minimum(height_one, height_two) < -DEEP_MM) & (np.maximum(height_one, height_two) > DEEP_MM)
    span = height_one - height_two
    share = np.divide(height_one, span, out=np.zeros_like(span), where=np.abs(span) > 1e-12)
    points = one + share[:, None] * (two - one)
    inside = np.ones(len(edges), bool)
    for p, q in ((a, b), (b, c), (c, a)):
        side = np.einsum("ij,ij->i", np.cross(q - p, points - p), normal)
        inside &= side > DEEP_MM * np.linalg.norm(q - p, axis=1)  # parts that touch along an edge do not cross
    return stranger & through & inside, points, np.minimum(np.abs(height_one), np.abs(height_two))


def _coarse_groups(points: Floats) -> Ints:
    """As `groups_of_points` with 1 mm, by cells: for surfaces that run through themselves everywhere."""
    cells, member = np.unique(np.floor(points).astype(np.int64), axis=0, return_inverse=True)
    return groups_of_points(cells.astype(np.float64), 1.8)[member.reshape(-1)]
