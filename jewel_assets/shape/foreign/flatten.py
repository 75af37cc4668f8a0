"""A scene as parts in one space: every mesh as often and where its nodes place it.

Skins and morphs are left at rest: a piece of jewellery does not walk. The front stays where it was and y up becomes z
up, as everywhere in the house.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.shape.foreign.archive import LIMITS, Limits, ModelFile
from jewel_assets.shape.foreign.gltf import INSTANCED, Gltf, damaged
from jewel_assets.shape.foreign.unusable import Unusable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_UPRIGHT = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
"""y up, front to +z -> z up, front to -y."""


@dataclass(frozen=True)
class Part:
    """One primitive in its place. `vertices` (n, 3) in the file's units, z up; `faces` (m, 3)."""

    name: str
    node: int
    """Parts with the same number belong to one placed mesh, that was torn apart by its materials."""
    material: int | None
    vertices: Floats = field(repr=False)
    faces: Ints = field(repr=False)


@dataclass(frozen=True)
class Flat:
    """A flattened scene: its parts, the materials that they number, and what is to be said of it."""

    parts: tuple[Part, ...]
    materials: tuple[dict[str, Any], ...] = field(repr=False)
    draco: bool
    notes: tuple[str, ...]


@np.errstate(over="ignore", invalid="ignore")  # numbers may be none: `_placed` leaves those out and counts them
def flatten(file: ModelFile, limits: Limits = LIMITS) -> Flat:
    """All triangles of the scene. Raises Unusable where there are none, too many, or what cannot be read."""
    gltf = Gltf(file, limits)
    placed: list[tuple[int, int, Floats]] = []
    total = 0
    for node, matrix in _walk(gltf, limits):
        mesh = gltf.entry("nodes", node)["mesh"]
        total += gltf.counted(mesh)
        if total > limits.triangles or len(placed) > limits.nodes:
            raise Unusable(
                "too many faces",
                f"The scene shows more than {limits.triangles:,} triangles, the most that are read: decimate it first.",
            )
        placed.append((node, mesh, matrix))
    parts, lost = [], 0
    for number, (node, mesh, matrix) in enumerate(placed):
        name = str(gltf.entry("nodes", node).get("name") or gltf.entry("meshes", mesh).get("name") or f"part {number}")
        for index, primitive in enumerate(gltf.primitives(mesh)):
            shape = gltf.shape(mesh, index)
            if shape is None or not len(shape[1]):
                continue
            vertices, faces, broken = _placed(*shape, _UPRIGHT @ matrix)
            lost += broken
            material = primitive.get("material")
            known = isinstance(material, int) and 0 <= material < len(gltf.entries("materials"))
            if len(faces):
                parts.append(Part(name[:80], number, material if known else None, vertices, faces))
    if not parts:
        raise Unusable(
            "no surface",
            "The model has no triangles with finite corners: it holds points, lines or nothing. Export a surface.",
        )
    notes = [f"{lost} triangles with corners that are no numbers were left out"] if lost else []
    if any(isinstance(node, dict) and "skin" in node for node in gltf.entries("nodes")):
        notes.append("its skin was left at rest")
    materials = tuple(entry if isinstance(entry, dict) else {} for entry in gltf.entries("materials"))
    return Flat(tuple(parts), materials, gltf.draco, tuple(notes))


def _placed(vertices: Floats, faces: Ints, matrix: Floats) -> tuple[Floats, Ints, int]:
    """Vertices moved by `matrix` (4, 4), faces turned where it mirrors, and how many were no numbers and left out."""
    moved = vertices @ matrix[:3, :3].T + matrix[:3, 3]
    # So that no square overflows; False, too, for what is no number.
    sound: NDArray[np.bool_] = np.asarray((np.abs(moved) < 1e12).all(axis=1))
    kept = sound[faces].all(axis=1)
    broken = int(len(faces) - kept.sum())
    faces = faces[kept] if broken else faces
    return np.where(sound[:, None], moved, 0.0), faces[:, ::-1] if np.linalg.det(matrix[:3, :3]) < 0 else faces, broken


def _walk(gltf: Gltf, limits: Limits) -> Iterator[tuple[int, Floats]]:
    """The nodes of the scene that show a mesh, each with its (4, 4) place; once per instance."""
    waiting = [(root, np.eye(4)) for root in reversed(gltf.roots)]
    seen: set[int] = set()
    while waiting:
        number, above = waiting.pop()
        node = gltf.entry("nodes", number)
        if number in seen:
            damaged(f"its node {number} hangs from two places or from itself")
        seen.add(number)
        if len(seen) > limits.nodes:
            raise Unusable("too many nodes", f"The scene has more than {limits.nodes:,} nodes, the most that are read.")
        extensions = node.get("extensions") if isinstance(node.get("extensions"), dict) else {}
        visibility = (extensions or {}).get("KHR_node_visibility")
        if isinstance(visibility, dict) and visibility.get("visible") is False:
            continue
        matrix = above @ _matrix(node)
        if "mesh" in node:
            for instance in _instances(gltf, (extensions or {}).get(INSTANCED), limits):
                yield number, matrix @ instance
        children = node.get("children", [])
        if not isinstance(children, list):
            damaged(f"the children of its node {number} are no list")
        waiting += [(child, matrix) for child in reversed(children)]


def _instances(gltf: Gltf, extension: object, limits: Limits) -> Iterator[Floats]:
    """The places of the copies of a node (EXT_mesh_gpu_instancing); without that, its own only."""
    attributes = extension.get("attributes") if isinstance(extension, dict) else None
    if not isinstance(attributes, dict) or not attributes:
        yield np.eye(4)
        return
    counts = [gltf.entry("accessors", number).get("count") for number in attributes.values()]
    if not all(isinstance(count, int) and count <= limits.nodes for count in counts):
        raise Unusable("too many nodes", f"A node has more than {limits.nodes:,} copies, the most that are read.")
    columns = {name: gltf.accessor(number).astype(np.float64) for name, number in attributes.items()}
    for row in range(min(len(values) for values in columns.values())):
        yield _matrix({name.lower(): values[row].tolist() for name, values in columns.items()})


def _matrix(node: dict[str, Any]) -> Floats:
    """(4, 4) of a node: its matrix, or its scale, rotation and translation (glTF 2.0, section 3.5.3)."""
    if "matrix" in node:
        return _numbers(node["matrix"], 16).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = _numbers(node.get("rotation", (0, 0, 0, 1)), 4)
    length = x * x + y * y + z * z + w * w
    if length > 0:
        two = 2 / length
        matrix[:3, :3] = [
            [1 - two * (y * y + z * z), two * (x * y - z * w), two * (x * z + y * w)],
            [two * (x * y + z * w), 1 - two * (x * x + z * z), two * (y * z - x * w)],
            [two * (x * z - y * w), two * (y * z + x * w), 1 - two * (x * x + y * y)],
        ]
    matrix[:3, :3] *= _numbers(node.get("scale", (1, 1, 1)), 3)
    matrix[:3, 3] = _numbers(node.get("translation", (0, 0, 0)), 3)
    return matrix


def _numbers(values: object, count: int) -> Floats:
    try:
        numbers = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        numbers = np.zeros(0)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        damaged(f"the place of a node is not {count} numbers")
    return numbers
