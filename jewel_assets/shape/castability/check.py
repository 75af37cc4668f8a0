"""One call for all rules: a piece or anyone's mesh in, a report out."""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray

from jewel_assets.shape.alloys import ALLOYS, weight_g
from jewel_assets.shape.castability import bed, closed, crossings, facing, shank, stones, thin, walls
from jewel_assets.shape.castability.castings import Cast, castings_of
from jewel_assets.shape.castability.profiles import Profile, profile_for
from jewel_assets.shape.castability.profiles import profile as named
from jewel_assets.shape.castability.report import Casting, Finding, Report, ordered, place_of
from jewel_assets.shape.castability.surface import Surface
from jewel_assets.shape.gems import carats
from jewel_assets.shape.piece import Piece


@runtime_checkable
class Triangles(Protocol):
    """Anyone's mesh in millimetres: `vertices` (n, 3) and `faces` (m, 3), as trimesh and `files.read_mesh` give it."""

    @property
    def vertices(self) -> NDArray[Any]:
        """(n, 3) mm."""
        ...

    @property
    def faces(self) -> NDArray[Any]:
        """(m, 3) indices."""
        ...


def check(subject: Piece | Manifold | Surface | Triangles, profile: str | None = None, name: str = "") -> Report:
    """Whether `subject` can be cast, by the rules and limits of `profile` ("gold", "silver", "platinum", "resin").

    Without a profile, that of the piece's metal; gold's for a mesh. A piece is checked casting by casting, with its
    stones; a mesh as one casting that may have several parts. `name` heads the report. Some 1 s per 50,000 faces.
    Raises Permanent for an unknown profile; never for a bad mesh: what is wrong with it is what the report says.
    """
    if isinstance(subject, Piece):
        return _check_piece(subject, _profile_of(subject) if profile is None else named(profile), name)
    limits = named(profile or "gold")
    if isinstance(subject, Manifold):
        cast = _alone(Surface.of_solid(subject), subject)
    elif isinstance(subject, Surface):
        cast = _alone(subject, None)
    else:
        cast = _alone(Surface.of_triangles(subject.vertices, subject.faces), None)
    findings: list[Finding] = []
    castings = []
    if len(cast.surface.faces):
        castings.append(_check_cast(cast, limits, False, None, findings))
    else:
        findings.append(_nothing())
    return _report(name or "mesh", limits, findings, castings)


def _check_piece(piece: Piece, limits: Profile, name: str) -> Report:
    findings: list[Finding] = []
    casts = castings_of(piece, limits)
    castings = [
        _check_cast(cast, limits, one_piece=True, piece=piece, findings=findings)
        for cast in casts
        if len(cast.surface.faces)
    ]
    if not castings:
        findings.append(_nothing())
    else:
        if piece.category == "ring":
            findings.extend(shank.shank(casts[0], limits))
        findings.extend(stones.stones(piece, casts, limits))
    findings.extend(bed.engraving(piece.design, limits))
    report = _report(name or f"{piece.category}, {piece.family}", limits, findings, castings)
    return report.model_copy(update={"carats": _carats(piece), "designed_grams": _designed_grams(piece)})


def _check_cast(cast: Cast, limits: Profile, one_piece: bool, piece: Piece | None, findings: list[Finding]) -> Casting:
    surface = cast.surface
    before = len(findings)
    findings.extend(closed.holes(surface))
    findings.extend(closed.crowded_edges(surface))
    findings.extend(closed.doubled_faces(surface))
    findings.extend(facing.flipped_faces(surface))
    findings.extend(facing.shells(surface, one_piece))
    findings.extend(crossings.crossings(surface))
    mixed = any(found.rule in ("self-intersection", "buried part") for found in findings[before:])
    thickness = walls.measure(surface, overlapping=mixed)
    solids = stones.near(piece, surface) if piece else []
    findings.extend(thin.thin_places(cast, thickness, limits, solids))
    findings.extend(walls.narrow_gaps(surface, limits))
    findings.extend(walls.heavy_sections(thickness, limits))
    findings.extend(bed.size(cast, limits))
    places = thickness.thinnest()
    thickest = thickness.thickest()
    low, high = surface.bounds
    solid = not any(found.rule in _NO_VOLUME for found in findings[before:])
    return Casting(
        name=cast.name,
        size_mm=place_of(high - low),
        volume_mm3=float(surface.signed_volumes.sum()) if solid else None,
        area_mm2=float(surface.areas.sum()),
        faces=len(surface.faces),
        shells=surface.shells[0],
        copies=cast.copies,
        thinnest_mm=places[0][0] if places else None,
        thinnest_at=place_of(thickness.points[places[0][1]]) if places else None,
        thickest_mm=thickest[0] if thickest else None,
        thickest_at=place_of(thickness.points[thickest[1]]) if thickest else None,
    )


_NO_VOLUME = ("open edges", "flipped faces", "inside out", "doubled faces", "self-intersection", "buried part")
"""What makes the enclosed volume, and so the weight, unknown."""


def _report(name: str, limits: Profile, findings: list[Finding], castings: list[Casting]) -> Report:
    grams: dict[str, float] = {}
    volumes = [casting.volume_mm3 * casting.copies for casting in castings if casting.volume_mm3 is not None]
    if castings and len(volumes) == len(castings):
        grams = dict(_grams(sum(volumes), limits))
    return Report(
        subject=name,
        profile=limits.name,
        profile_version=limits.version,
        findings=ordered(findings),
        castings=tuple(castings),
        grams=grams,
    )


def _grams(volume: float, limits: Profile) -> Iterator[tuple[str, float]]:
    for alloy in ALLOYS:
        if limits.casts(alloy):
            yield alloy, round(float(weight_g(volume, alloy)), 4)


def _carats(piece: Piece) -> float:
    return round(float(sum(carats(stone.material, stone.volume) for stone in piece.stones)), 4)


def _designed_grams(piece: Piece) -> float:
    return round(sum(weight_g(body.volume, body.material) for body in piece.metal), 4)


def _profile_of(piece: Piece) -> Profile:
    return profile_for(piece.metal[0].material) if piece.metal else named("gold")


def _alone(surface: Surface, solid: Manifold | None) -> Cast:
    return Cast("mesh", surface, (("", "wall"),), np.zeros(len(surface.faces), np.int64), solid)


def _nothing() -> Finding:
    return Finding(
        rule="empty",
        severity="error",
        message="There is no surface to cast: the mesh has no faces, or the piece no metal",
    )
