"""How thick is it? Rays from points all over the surface, straight in, to where they leave the metal.

Two sides make a wall where they face each other: within `OPPOSED_DEGREES` of parallel. Beyond that they make an edge,
which is as thin as it is sharp and no wall. A thin place counts once it covers more than `KNIFE_EDGE_MM2`, both sides
together: a bevel may run out in a knife edge, a rim may not be a foil. The measure of a casting is therefore the
thickness below which more than that area lies in one place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial import cKDTree

from jewel_assets.shape.castability.closed import SHOWN
from jewel_assets.shape.castability.profiles import Profile
from jewel_assets.shape.castability.report import Finding, place_of
from jewel_assets.shape.castability.surface import Bools, Floats, Ints, Surface, groups_of_points

OPPOSED_DEGREES = 30.0
KNIFE_EDGE_MM2 = 0.4
"""Some 0.2 mm2 of either side: a square of 0.45 mm, less than what a 0.6 mm prong shows along 0.2 mm of its length."""

SAMPLE_MM2 = 0.05
"""One sample at least for so much surface, as long as `MOST_SAMPLES` are enough for that."""
MOST_SAMPLES = 60_000
_CELL_MM = 0.5
_MOST_BALLS, _MOST_POINTS = 400, 6000

FACETING = 0.04
"""A round wire of a dozen and more facets is thinner between two of them than its diameter, by up to this share."""


@dataclass(frozen=True)
class Thickness:
    """Samples of a surface: where, how much surface each stands for, of which face, and how thick the metal is there.

    `thickness` (s,) mm is infinite where no side faces the sample.
    """

    points: Floats
    areas: Floats
    faces: Ints
    inward: Floats
    thickness: Floats

    def thinnest(self, among: Bools | None = None, below: float = np.inf) -> list[tuple[float, int, float]]:
        """Thin places, the thinnest first: thickness (mm), the sample there, how much surface (mm2).

        Only samples that are `among` and thinner than `below` are looked at. A place is counted by `KNIFE_EDGE_MM2`.
        """
        chosen = np.isfinite(self.thickness) & (self.thickness < below)
        if among is not None:
            chosen &= among
        samples = np.flatnonzero(chosen)
        if not len(samples):
            return []
        cells, member = np.unique(
            np.floor(self.points[samples] / _CELL_MM).astype(np.int64), axis=0, return_inverse=True
        )
        member = member.reshape(-1)
        # Samples in neighbouring cells are of one place, and so are those of one face, however far apart they lie.
        alike = self.faces[samples][1:] == self.faces[samples][:-1]
        links = np.column_stack([member[:-1][alike], member[1:][alike]])
        group = groups_of_points(cells.astype(np.float64), 1.8, links)[member]
        places = []
        for number in np.flatnonzero(np.bincount(group, self.areas[samples]) >= KNIFE_EDGE_MM2):
            mine = np.asarray(samples[group == number], np.int64)
            mine = mine[np.argsort(self.thickness[mine], kind="stable")]
            last = min(int(np.searchsorted(np.cumsum(self.areas[mine]), KNIFE_EDGE_MM2)), mine.size - 1)
            places.append((float(self.thickness[mine[last]]), int(mine[last // 2]), float(self.areas[mine].sum())))
        return sorted(places, key=lambda place: place[0])

    def thickest(self) -> tuple[float, int] | None:
        """The heaviest section: the diameter (mm) of the largest ball found in the metal, and the sample before it.

        Balls are tried half way along the rays; the distance from there to the nearest sample is their radius.
        """
        finite = np.flatnonzero(np.isfinite(self.thickness))
        if not len(finite):
            return None
        tried = np.asarray(finite[np.argsort(-self.thickness[finite], kind="stable")], np.int64)
        tried = tried[:: max(tried.size // _MOST_BALLS, 1)]
        middles = self.points[tried] + self.inward[tried] * (self.thickness[tried, None] / 2)
        surface = cKDTree(self.points[:: max(len(self.points) // _MOST_POINTS, 1)])
        radius = np.minimum(surface.query(middles)[0], self.thickness[tried] / 2)
        best = int(np.argmax(radius))
        return float(2 * radius[best]), int(tried[best])


def measure(
    surface: Surface, way: Literal["metal", "air"] = "metal", reach: float | None = None, overlapping: bool = False
) -> Thickness:
    """Thickness of the metal behind the surface, or of the gap of air before it (no further than `reach` mm).

    `overlapping`: parts run into each other, so what of the surface lies inside of others is to be left out.
    """
    points, areas, faces = samples(surface)
    inward = -surface.normals[faces] if way == "metal" else surface.normals[faces]
    step = 2 * surface.resolution
    size = float(np.linalg.norm(surface.bounds[1] - surface.bounds[0]))
    limit = np.full(len(points), size if reach is None else reach)
    limit[~np.any(inward, axis=1)] = 0.0  # faces without area have no inward
    thickness = np.full(len(points), np.inf)
    if overlapping:
        limit[_buried(surface, points, -inward, size, step)] = 0.0
    layers = np.ones(len(points), np.int64)
    done = np.zeros(len(points), bool)
    sign = 1.0 if way == "metal" else -1.0
    for rays, hit, far in surface.all_hits(points + inward * step, inward, limit, most=8):
        facing = sign * np.einsum("ij,ij->i", surface.normals[hit], inward[rays])
        # Where parts overlap, the ray leaves the metal only when it has left all that it entered.
        layers[rays] += np.where(facing < 0, 1, np.where(facing > 0, -1, 0))
        out = (layers[rays] <= 0) & ~done[rays]
        done[rays[out]] = True
        wall = out & (facing >= np.cos(np.radians(OPPOSED_DEGREES)))
        thickness[rays[wall]] = (far[wall] + step) * _across(facing[wall])
        limit[rays[out]] = 0.0
    return Thickness(points, areas, faces, inward, thickness)


def samples(surface: Surface) -> tuple[Floats, Floats, Ints]:
    """Points on the surface (s, 3), the area that each stands for (s,), and its face (s,).

    Every face has one in its middle; larger faces have more, spread evenly (the R2 sequence of M. Roberts, folded into
    the triangle), so that a wall is measured all over however it is cut into triangles.
    """
    total = float(surface.areas.sum())
    each = max(SAMPLE_MM2, total / max(MOST_SAMPLES - len(surface.faces), MOST_SAMPLES // 4))
    number = np.maximum(np.ceil(surface.areas / each), 1).astype(np.int64)
    faces = np.repeat(np.arange(len(number)), number)
    within = np.arange(len(faces)) - np.repeat(np.cumsum(number) - number, number)
    u = (0.5 + 0.7548776662466927 * within) % 1.0
    v = (0.5 + 0.5698402909980532 * within) % 1.0
    folded = u + v > 1
    u, v = np.where(folded, 1 - u, u), np.where(folded, 1 - v, v)
    middle = within == 0
    u[middle] = v[middle] = 1 / 3
    a, b, c = np.moveaxis(surface.corners[faces], 1, 0)
    points = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    return points, surface.areas[faces] / number[faces], faces


def _buried(surface: Surface, points: Floats, outward: Floats, size: float, step: float) -> Bools:
    """Whether the metal of other parts lies round each point, by a ray outward that leaves more than it enters."""
    layers = np.zeros(len(points), np.int64)
    reach = np.where(outward.any(axis=1), size, 0.0)
    for rays, hit, _ in surface.all_hits(points + outward * step, outward, reach, most=32):
        along = np.einsum("ij,ij->i", surface.normals[hit], outward[rays])
        layers[rays] += np.where(along > 0, 1, np.where(along < 0, -1, 0))
    return layers > 0


def narrow_gaps(surface: Surface, profile: Profile) -> Iterator[Finding]:
    """Slots and gaps of air that are narrower than the investment between them can bear."""
    air = measure(surface, "air", reach=profile.gap.value * 1.5)
    for measured, sample, area in air.thinnest(below=profile.gap.value * (1 - FACETING))[:SHOWN]:
        yield Finding(
            rule="narrow gap",
            severity="warning",
            message=f"A gap of {measured:.2f} mm over {area:.1f} mm2 will close or break its investment: open it to "
            f"{profile.gap.value:g} mm, or fill it and saw it out later",
            measured=round(measured, 4),
            limit=profile.gap.value,
            unit="mm",
            place=place_of(air.points[sample]),
        )


def heavy_sections(thickness: Thickness, profile: Profile) -> Iterator[Finding]:
    """Sections so thick that they shrink and turn porous."""
    found = thickness.thickest()
    if found and found[0] > profile.solid.value:
        measured, sample = found
        yield Finding(
            rule="heavy section",
            severity="note",
            message=f"A section is {measured:.1f} mm thick: feed it by a sprue of its own, or hollow it from "
            "behind, to avoid porosity",
            measured=round(measured, 3),
            limit=profile.solid.value,
            unit="mm",
            place=place_of(thickness.points[sample]),
        )


def _across(cosine: Floats) -> Floats:
    """What to multiply the ray by to have the width of the wall where its sides are not parallel.

    Between two planes at the angle w, a ray that is square to one of them is s tan(w) long at the distance s from their
    line of meeting; the circle that touches both there has the diameter 2 s tan(w / 2).
    """
    half = np.arccos(np.clip(cosine, 0.0, 1.0)) / 2
    return 1 - np.tan(half) ** 2  # 2 tan(w/2) / tan(w)
