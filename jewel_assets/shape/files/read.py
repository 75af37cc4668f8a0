"""Anyone's mesh: GLB, glTF, STL, OBJ, PLY and 3MF, in millimetres with z up, or a sentence that says what is wrong.

Files are told apart by what is in them, not by their names. trimesh parses them; what it would let pass in silence
(packed or cut-off data, files of a thousand million triangles) is looked for before. Nothing is fetched, and nothing
beside the file but what a .gltf names in its own folder is opened.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from manifold3d import Error, Manifold, Mesh64, OpType
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.shape.castability.surface import Surface
from jewel_assets.shape.files.containers import Format, inspect

Unit = Literal["m", "cm", "mm", "in"]
MILLIMETRES: dict[str, float] = {
    "m": 1000.0,
    "cm": 10.0,
    "mm": 1.0,
    "in": 25.4,
    "meter": 1000.0,
    "centimeter": 10.0,
    "millimeter": 1.0,
    "millimeters": 1.0,
    "inch": 25.4,
    "foot": 304.8,
    "micron": 1e-3,
}
RING_MM = 25.0
SMALLEST_MM, LARGEST_MM = 3.0, 600.0
"""The longest side of a piece of jewellery: a stud is some 4 mm, a long chain laid straight some 500 mm."""


@dataclass(frozen=True)
class MeshFile:
    """A mesh that was read. `vertices` (n, 3) in millimetres, z up; `faces` (m, 3); welded, all its parts in one.

    `parts` has each part's name and how many of the faces are its, in order (before faces without area went).
    `notes` says what had to be guessed or changed.
    """

    name: str
    format: Format
    vertices: NDArray[np.float64] = field(repr=False)
    faces: NDArray[np.int64] = field(repr=False)
    parts: tuple[tuple[str, int], ...]
    unit: str
    unit_known: bool
    notes: tuple[str, ...]

    @property
    def size_mm(self) -> tuple[float, float, float]:
        """The sides of the bounding box."""
        x, y, z = (float(side) for side in np.ptp(self.vertices[np.unique(self.faces)], axis=0))
        return x, y, z


def read_mesh(
    path: str | Path, unit: Unit | None = None, max_bytes: int = 512 << 20, max_faces: int = 5_000_000
) -> MeshFile:
    """Read a mesh file: scene transforms applied, corners welded, in millimetres.

    `unit` is what one unit of the file is, if you know; else 3MF says it, glTF has metres and the others millimetres by
    custom, unless that makes a piece of jewellery smaller than 3 or larger than 600 mm: then the unit is taken in which
    it is most like a ring. `notes` says so.

    Raises Permanent, with the sentence that helps, for what is missing, empty, cut off, damaged, packed in a way that
    cannot be unpacked here, larger than `max_bytes` or of more than `max_faces` triangles.
    """
    path = Path(path)
    found = inspect(path, max_bytes, max_faces)
    notes = list(found.notes)
    pieces, said_unit = _parsed(path, found.format, max_faces)
    metal = [part for part in pieces if part[0] not in found.not_metal]
    if metal and len(metal) < len(pieces):
        notes.append(f"{len(pieces) - len(metal)} parts that are not metal (stones, straps) were left out")
        pieces = metal
    if len(pieces) > 1 and (found.ours or found.format == "3mf"):  # their overlapping parts are meant as one solid
        united = _united(pieces)
        if united is not None:
            notes.append(f"{len(pieces)} overlapping parts were united")
            pieces = [(" + ".join(part_name for part_name, _, _ in pieces), *united)]
    if not pieces:
        raise Permanent(
            f"'{path.name}' has no triangles: it holds points, lines or nothing. Export a surface or a solid."
        )
    vertices = np.vstack([part_vertices for _, part_vertices, _ in pieces])
    starts = np.cumsum([0, *(len(part_vertices) for _, part_vertices, _ in pieces)])
    faces = np.vstack([part_faces + start for (_, _, part_faces), start in zip(pieces, starts[:-1], strict=True)])
    usable = np.isfinite(vertices).all(axis=1)
    if not usable.all():
        broken = ~usable[faces].all(axis=1)
        notes.append(f"{int(broken.sum())} triangles with corners that are no numbers were left out")
        faces = faces[~broken]
        vertices = np.where(usable[:, None], vertices, 0.0)
    if not len(faces) or not np.ptp(vertices[faces.reshape(-1)], axis=0).max() > 0:
        raise Permanent(f"'{path.name}' has no size: all of its corners lie in one point. Export it again.")

    if found.format in ("glb", "gltf"):  # y up, front to +z -> z up, front to -y
        vertices = np.column_stack([vertices[:, 0], -vertices[:, 2], vertices[:, 1]])
        notes.append("turned from y up to z up")
    longest = float(np.ptp(vertices[np.unique(faces)], axis=0).max())
    name, known, sentence = _unit_of(found.format, longest, unit, said_unit)
    notes.insert(0, sentence)
    surface = Surface.of_triangles(vertices * MILLIMETRES[name], faces)
    if not len(surface.faces):
        raise Permanent(f"'{path.name}' has no triangle with an area in {name}: give its unit, or export it again.")
    if len(surface.faces) < len(faces):
        notes.append(f"{len(faces) - len(surface.faces)} triangles without area were left out")
    return MeshFile(
        name=path.name,
        format=found.format,
        vertices=surface.vertices,
        faces=surface.faces,
        parts=tuple((part_name, len(part_faces)) for part_name, _, part_faces in pieces),
        unit=name,
        unit_known=known,
        notes=tuple(notes),
    )


def _united(pieces: list[tuple[str, Any, Any]]) -> tuple[Any, Any] | None:
    """The union of parts that are each a closed solid; None if one is not."""
    solids = []
    for _, vertices, faces in pieces:
        welded = Surface.of_triangles(vertices, faces)
        solids.append(Manifold(Mesh64(welded.vertices, welded.faces.astype(np.uint64))))
        if solids[-1].status() != Error.NoError:
            return None
    whole = Surface.of_solid(Manifold.batch_boolean(solids, OpType.Add))
    return whole.vertices, whole.faces


def _unit_of(kind: Format, longest: float, given: Unit | None, said: str | None) -> tuple[str, bool, str]:
    """The unit, whether it is known rather than guessed, and the sentence that says so."""
    if given:
        return given, True, f"1 unit is 1 {given}, as you said"
    if said:
        return said, True, f"1 unit is 1 {said}, as the file says"
    custom = "m" if kind in ("glb", "gltf") else "mm"
    if SMALLEST_MM <= longest * MILLIMETRES[custom] <= LARGEST_MM:
        return custom, True, f"1 unit is 1 {custom}, as is the custom of {kind.upper()}"
    size = f"{longest * MILLIMETRES[custom]:.4g} mm long, no piece of jewellery"
    lengths = {other: longest * MILLIMETRES[other] for other in ("mm", "cm", "in", "m") if other != custom}
    lengths = {other: length for other, length in lengths.items() if SMALLEST_MM <= length <= LARGEST_MM}
    if lengths:  # the one that is most like a ring; inches, which few programs write, only if they are much more so
        strange = {other: abs(math.log(length / RING_MM)) + (other == "in") for other, length in lengths.items()}
        likely = min(strange, key=lambda other: strange[other])
        return likely, False, f"1 unit is taken as 1 {likely}, a guess: in {custom} it would be {size}"
    return custom, False, f"1 unit is taken as 1 {custom}, though it is then {size}; say the unit to be sure"


def _parsed(path: Path, kind: Format, max_faces: int) -> tuple[list[tuple[str, Any, Any]], str | None]:
    """Name, vertices and faces of each part in the scene's place, and the unit that the file names."""
    import trimesh

    try:
        with path.open("rb") as file:
            resolver = trimesh.resolvers.FilePathResolver(str(path)) if kind == "gltf" else None
            options: dict[str, Any] = {"skip_materials": True} if kind == "obj" else {}
            scene = trimesh.load_scene(file, file_type=kind, resolver=resolver, process=False, **options)
        meshes = [name for name, geometry in scene.geometry.items() if isinstance(geometry, trimesh.Trimesh)]
        placed = [node for node in scene.graph.nodes_geometry if scene.graph[node][1] in meshes]
        total = sum(len(scene.geometry[scene.graph[node][1]].faces) for node in placed)
        if total > max_faces:
            raise Permanent(
                f"'{path.name}' shows {total:,} triangles; {max_faces:,} are the most that are read: decimate it first."
            )
        parts = []
        for node in placed:
            transform, geometry = scene.graph[node]
            mesh = scene.geometry[geometry]
            faces = np.asarray(mesh.faces, np.int64)
            if not len(faces):
                continue
            if np.linalg.det(transform[:3, :3]) < 0:  # a mirrored copy shows its inside unless its faces are turned
                faces = faces[:, ::-1]
            parts.append((str(node), trimesh.transform_points(mesh.vertices, transform), faces))
        unit = str(scene.units) if kind == "3mf" and scene.units else None
    except Permanent:
        raise
    except Exception as error:  # a parser of foreign bytes may raise anything
        detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Permanent(f"'{path.name}' cannot be read as {kind.upper()} ({detail}): export it again.") from error
    return parts, unit if unit in MILLIMETRES else None
