"""A downloaded model in, a printable one out: flattened, in millimetres, mended as far as that is honest, written."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from manifold3d import Error, Manifold, Mesh64, OpType

from jewel_assets.shape.castability.surface import Surface
from jewel_assets.shape.files.solids import rounded_triangles
from jewel_assets.shape.foreign.archive import LIMITS, Limits, open_model
from jewel_assets.shape.foreign.flatten import Part, flatten
from jewel_assets.shape.foreign.looks import Look, looks_of
from jewel_assets.shape.foreign.mending import Mended, mended
from jewel_assets.shape.foreign.mesh import Floats, Ints, Mesh, joined
from jewel_assets.shape.foreign.parting import stepped_back
from jewel_assets.shape.foreign.scale import Scale, choose_scale
from jewel_assets.shape.foreign.unusable import Unusable
from jewel_assets.shape.foreign.written import glb_bytes, stl_bytes


@dataclass(frozen=True)
class Converted:
    """A model that was converted. `mesh`: mm, z up, with its looks. `facts`: the columns of the row.

    `stl` has the same surface in single precision, its slivers gone.
    """

    mesh: Mesh = field(repr=False)
    looks: dict[int, Look] = field(repr=False)
    scale: Scale
    mended: Mended = field(repr=False)
    facts: dict[str, Any] = field(repr=False)
    stl: bytes = field(repr=False)
    glb: bytes = field(repr=False)


def convert(data: bytes, category: str, limits: Limits = LIMITS) -> Converted:
    """Convert the bytes of a glTF archive or a GLB. Equal bytes give equal results.

    Raises Unusable, with a countable reason and a sentence, for what cannot or must not be read, and for what has no
    surface. What cannot be closed is converted all the same: `facts["watertight"]` is False, and its volume unknown.
    """
    file = open_model(data, limits)
    flat = flatten(file, limits)
    used = np.vstack([part.vertices[np.unique(part.faces)] for part in flat.parts])
    longest = float(np.ptp(used, axis=0).max())
    if not longest > 0:
        raise Unusable("no size", "All corners of the model lie in one point: it cannot be scaled. Export it again.")
    scale = choose_scale(longest, category, sum(_area(part) for part in flat.parts))
    whole = joined(flat.parts, scale.factor)
    if not len(whole.faces) or not float(whole.surface.areas.sum()) > 0:
        raise Unusable("no surface", "All triangles of the model are lines or points: export a surface.")
    closed_before = whole.simple
    result = mended(whole)
    mesh, (vertices, faces), watertight = _printable(result)
    looks = looks_of(flat.materials, [(part.name, part.material) for part in flat.parts])
    names = {part.node: part.name for part in flat.parts}
    surface = Surface(vertices, faces)
    size = np.ptp(vertices[np.unique(faces)], axis=0)
    area = float(surface.areas.sum())
    facts = {
        "file_kind": file.kind,
        "draco": flat.draco,
        "parts": len(flat.parts),
        "faces": len(faces),
        "vertices": len(vertices),
        "bodies": mesh.surface.shells[0],
        "closed_before": closed_before,
        "watertight": watertight,
        "open_edges": int((surface.edge_uses == 1).sum()),
        "repair": result.repair if watertight else "not repaired",
        "repairs": list(result.done),
        "holes_filled": result.holes,
        "filled_mm2": round(result.filled_mm2, 4),
        "volume_mm3": round(_volume(mesh), 6) if watertight else None,
        "area_mm2": round(area, 6),
        **{f"extent_{axis}_mm": round(float(side), 5) for axis, side in zip("xyz", size, strict=True)},
        "unit_factor": scale.factor,
        "unit": scale.unit or None,
        "scale_kind": scale.kind,
        "scale_reason": scale.reason,
        "notes": list(flat.notes),
    }
    return Converted(mesh, looks, scale, result, facts, stl_bytes(vertices, faces), glb_bytes(mesh, looks, names))


def _area(part: Part) -> float:
    a, b, c = (part.vertices[part.faces[:, corner]] for corner in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def _printable(result: Mended) -> tuple[Mesh, tuple[Floats, Ints], bool]:
    """The mesh, its triangles in single precision, and whether those, welded where they coincide, are closed.

    What is claimed of a file is measured on what stands in it: solids that touch would be welded by its reader, so they
    are drawn apart first.
    """
    mesh = result.mesh
    if result.closed:
        for tried in (mesh, stepped_back(mesh)):
            solid = Manifold(Mesh64(np.ascontiguousarray(tried.vertices), tried.faces.astype(np.uint64)))
            if solid.status() != Error.NoError or solid.is_empty():
                break
            # Without its slivers if that leaves it closed: to turn one may double an edge.
            for triangles in (rounded_triangles(solid), (tried.vertices, tried.faces)):
                written = _welded(*triangles)
                if _simple(written):
                    return tried, written, True
    return mesh, _welded(mesh.vertices, mesh.faces), False


def _welded(vertices: Floats, faces: Ints) -> tuple[Floats, Ints]:
    """The triangles as a reader of their file has them: single precision, equal corners being one, no lines."""
    kept, place = np.unique(vertices.astype(np.float32), axis=0, return_inverse=True)
    faces = place.reshape(-1).astype(np.int64)[faces]
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    used, faces_of_used = np.unique(faces, return_inverse=True)
    return kept[used].astype(np.float64), faces_of_used.reshape(-1, 3).astype(np.int64)


def _simple(triangles: tuple[Floats, Ints]) -> bool:
    surface = Surface(*triangles)
    return bool(len(surface.faces)) and bool((surface.edge_uses == 2).all()) and not surface.edge_balance.any()


def _volume(mesh: Mesh) -> float:
    """mm3 of space that a closed mesh fills: where solids overlap it counts once, and hollows do not count."""
    count, shell = mesh.surface.shells
    volumes = np.bincount(shell, mesh.surface.signed_volumes, minlength=count)
    lower, upper = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(lower, shell, mesh.surface.corners.min(axis=1))
    np.maximum.at(upper, shell, mesh.surface.corners.max(axis=1))
    solid = np.flatnonzero(volumes > 0)
    # Only shells whose boxes meet another's can share space with it.
    meeting = np.zeros(count, bool)
    for one in solid:
        meets = (lower[solid] < upper[one]).all(axis=1) & (upper[solid] > lower[one]).all(axis=1) & (solid != one)
        meeting[one] = meets.any()
    if not meeting.any():
        return float(volumes.sum())
    order = np.argsort(shell, kind="stable")
    ends = np.searchsorted(shell[order], np.arange(count + 1))
    parts = []
    for number in np.flatnonzero(meeting):
        mine = mesh.faces[order[ends[number] : ends[number + 1]]]
        corners, faces = np.unique(mine, return_inverse=True)
        parts.append(Manifold(Mesh64(mesh.vertices[corners], faces.reshape(-1, 3).astype(np.uint64))))
    united = Manifold.batch_boolean(parts, OpType.Add)
    if united.status() != Error.NoError:
        return float(volumes.sum())
    return float(volumes[~meeting].sum()) + float(united.volume())
