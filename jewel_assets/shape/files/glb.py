"""GLB, the binary form of glTF 2.0: a piece to be looked at, in metres, standing up.

A piece has millimetres and z up, glTF metres and y up with the front towards +z: one rotation at the root node does it,
so that every node below keeps the piece's own axes (x right, -y towards the viewer). Nodes are grouped (metal, stones,
other; castings that move apart in groups of their own) and carry the bodies' names. Bodies that are equal but for
their place (stones, the links of a chain) share one mesh; whether they are is measured, not believed.
"""

import json
import struct
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from jewel_assets.shape.alloys import weight_g
from jewel_assets.shape.files import shading
from jewel_assets.shape.files.looks import gltf_material
from jewel_assets.shape.files.solids import Floats, stored, triangles
from jewel_assets.shape.gems import FACETED, SPECIES, carats
from jewel_assets.shape.materials import OTHERS
from jewel_assets.shape.piece import Body, Piece, Stone

METRES = 1e-3
_UPRIGHT = [-(0.5**0.5), 0.0, 0.0, 0.5**0.5]  # a quarter turn about x: z up becomes y up
_SAME_MM = 1e-5
"""Stones whose corners differ by less than this, brought into one place, share their mesh: 10 nanometres."""


def write_glb(piece: Piece, path: str | Path | None = None) -> bytes:
    """The piece as GLB; written to `path` if one is given. Equal pieces give equal bytes.

    The root node's `extras` have the design as JSON, the grams of its metal and the carats of its stones; each body's
    node has its kind, material, and grams or carats.
    """
    writer = _Writer()
    moving = {name: number for number, names in enumerate(piece.moving) for name in names}
    groups: dict[str, list[int]] = {}
    meshes: list[tuple[Stone, Floats, int]] = []
    shared: dict[tuple[str, int, bytes], list[tuple[Floats, int]]] = {}
    for body in piece.bodies:
        if isinstance(body, Stone):
            node = _stone_node(writer, body, meshes)
            group = "stones"
        else:
            node = _body_node(writer, body, shared)
            group = "other" if body.kind != "metal" else "metal"
        if body.name in moving:
            group = f"moving part {moving[body.name] + 1}"
        groups.setdefault(group, []).append(writer.node({"name": body.name, **node, "extras": _said_of(body)}))
    children = [writer.node({"name": name, "children": nodes}) for name, nodes in groups.items()]
    root: dict[str, Any] = {
        "name": f"{piece.category}, {piece.family}",
        "rotation": _UPRIGHT,
        "extras": _said_of_piece(piece),
    }
    if children:
        root["children"] = children
    return stored(writer.glb(writer.node(root)), path)


class _Writer:
    """Collects accessors, materials, meshes and nodes, and packs them."""

    def __init__(self) -> None:
        self._blob = bytearray()
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []
        self._materials: list[dict[str, Any]] = []
        self._meshes: list[dict[str, Any]] = []
        self._nodes: list[dict[str, Any]] = []

    def mesh(
        self, name: str, positions: Floats, normals: Floats, faces: NDArray[np.int64], look: dict[str, Any]
    ) -> int:
        """A mesh of one primitive; `positions` in metres."""
        if look not in self._materials:
            self._materials.append(look)
        small = len(positions) < 65535  # the largest index of each type restarts a primitive and may not be used
        indices = faces.reshape(-1).astype("<u2" if small else "<u4")
        unit = normals.astype("<f4")
        self._meshes.append(
            {
                "name": name,
                "primitives": [
                    {
                        "attributes": {
                            "POSITION": self._accessor(positions.astype("<f4"), "VEC3", 34962, bounded=True),
                            "NORMAL": self._accessor(unit, "VEC3", 34962),
                        },
                        "indices": self._accessor(indices, "SCALAR", 34963),
                        "material": self._materials.index(look),
                    }
                ],
            }
        )
        return len(self._meshes) - 1

    def node(self, node: dict[str, Any]) -> int:
        """Enter a node; its number."""
        self._nodes.append(node)
        return len(self._nodes) - 1

    def _accessor(self, values: NDArray[Any], kind: str, target: int, bounded: bool = False) -> int:
        self._blob += b"\0" * (-len(self._blob) % 4)
        data = np.ascontiguousarray(values).tobytes()
        self._views.append({"buffer": 0, "byteOffset": len(self._blob), "byteLength": len(data), "target": target})
        self._blob += data
        accessor: dict[str, Any] = {
            "bufferView": len(self._views) - 1,
            "componentType": {"f": 5126, "u2": 5123, "u4": 5125}[
                values.dtype.str[1:] if values.dtype.kind == "u" else "f"
            ],
            "count": len(values),
            "type": kind,
        }
        if bounded:
            accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        self._accessors.append(accessor)
        return len(self._accessors) - 1

    def glb(self, root: int) -> bytes:
        """Header, JSON chunk, binary chunk (glTF 2.0, section 4)."""
        used = sorted({name for look in self._materials for name in look.get("extensions", {})})
        document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": f"jewel-assets {_version()}"},
            "scene": 0,
            "scenes": [{"nodes": [root]}],
            "nodes": self._nodes,
        }
        if used:
            document["extensionsUsed"] = used
        if self._meshes:
            document |= {
                "meshes": self._meshes,
                "materials": self._materials,
                "accessors": self._accessors,
                "bufferViews": self._views,
                "buffers": [{"byteLength": len(self._blob)}],
            }
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 4)
        binary = bytes(self._blob) + b"\0" * (-len(self._blob) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        if binary:
            chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _shaded(body: Body, back: NDArray[np.float64] | None = None) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Positions in metres, normals and faces of a body; `back` (3, 4) moves a stone into its cut's own place first."""
    vertices, faces = triangles(body.solid)
    if back is not None:
        vertices = vertices @ back[:, :3].T + back[:, 3]
    flat = isinstance(body, Stone) and body.cut in FACETED
    crease = shading.FACET_CREASE_DEGREES if flat else shading.METAL_CREASE_DEGREES
    positions, normals, faces = shading.shaded(vertices, faces, crease)
    return positions * METRES, normals, faces


def _body_node(
    writer: _Writer, body: Body, shared: dict[tuple[str, int, bytes], list[tuple[Floats, int]]]
) -> dict[str, Any]:
    """The node of a body: its own mesh, or that of an equal one that was moved to its place by a rigid motion."""
    vertices, faces = triangles(body.solid)
    known = shared.setdefault((body.material, len(vertices), sha256(faces.tobytes()).digest()), [])
    for corners, mesh in known:
        turn, middle, other = _rigid(corners, vertices)
        if np.abs((corners - other) @ turn.T + middle - vertices).max() < _SAME_MM:
            return {"mesh": mesh, **_placed(turn, middle - turn @ other)}
    mesh = writer.mesh(body.name, *_shaded(body), gltf_material(body.material))
    known.append((vertices, mesh))
    return {"mesh": mesh}


def _rigid(one: Floats, two: Floats) -> tuple[Floats, Floats, Floats]:
    """The rotation that brings points `one` nearest to `two`, and the middles of both (Kabsch 1976)."""
    first, second = one.mean(axis=0), two.mean(axis=0)
    u, _, vt = np.linalg.svd((one - first).T @ (two - second))
    sign = np.sign(np.linalg.det(vt.T @ u.T)) or 1.0
    return vt.T @ np.diag([1.0, 1.0, sign]) @ u.T, second, first


def _placed(turn: Floats, shift: Floats) -> dict[str, Any]:
    """Translation (metres) and rotation of a node; what is none is left out."""
    place: dict[str, Any] = {"translation": [round(float(value) * METRES, 10) for value in shift]}
    quaternion = Rotation.from_matrix(turn).as_quat(canonical=True)
    if not np.allclose(quaternion, [0, 0, 0, 1], atol=1e-12):
        place["rotation"] = [float(value) for value in quaternion / np.linalg.norm(quaternion)]
    return place


def _stone_node(writer: _Writer, stone: Stone, meshes: list[tuple[Stone, Floats, int]]) -> dict[str, Any]:
    """The node of a stone: a shared mesh and its place, or a mesh of its own if its placement is no rigid motion."""
    turn, shift = stone.placement[:, :3], stone.placement[:, 3]
    depth = _depth(stone)
    look = gltf_material(stone.material, depth * METRES)
    rigid = np.allclose(turn.T @ turn, np.eye(3), atol=1e-7) and np.linalg.det(turn) > 0
    if not rigid:
        return {"mesh": writer.mesh(stone.name, *_shaded(stone), look)}
    place = _placed(turn, shift)
    vertices, _ = triangles(stone.solid)
    home = (vertices - shift) @ turn
    for other, corners, mesh in meshes:
        alike = (other.cut, other.material) == (stone.cut, stone.material) and len(corners) == len(home)
        if alike and np.abs(corners - home).max() < _SAME_MM:
            return {"mesh": mesh, **place}
    mesh = writer.mesh(
        f"{stone.material}, {stone.cut}, {stone.size[0]:g} x {stone.size[1]:g} mm",
        *_shaded(stone, np.column_stack([turn.T, -turn.T @ shift])),
        look,
    )
    meshes.append((stone, home, mesh))
    return {"mesh": mesh, **place}


def _depth(stone: Stone) -> float:
    vertices, _ = triangles(stone.solid)
    return float(np.ptp(vertices @ stone.placement[:, 2]))


def _said_of(body: Body) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": body.kind, "material": body.material}
    if isinstance(body, Stone):
        return said | {"cut": body.cut, "size_mm": [round(side, 4) for side in body.size], "carats": _carats([body])}
    if body.kind == "metal":
        return said | {"grams": round(weight_g(body.volume, body.material), 4)}
    return (
        said | {"grams": round(OTHERS[body.material].density * body.volume / 1000, 4)}
        if body.material in OTHERS
        else said
    )


def _said_of_piece(piece: Piece) -> dict[str, Any]:
    return {
        "category": piece.category,
        "family": piece.family,
        "design": piece.design,
        "alloys": sorted({body.material for body in piece.metal}),
        "grams": round(sum(weight_g(body.volume, body.material) for body in piece.metal), 4),
        "carats": _carats(piece.stones),
    }


def _carats(stones: Iterable[Stone]) -> float:
    return round(sum(carats(stone.material, stone.volume) for stone in stones if stone.material in SPECIES), 4)


def _version() -> str:
    try:
        return version("jewel-assets")
    except PackageNotFoundError:  # used from a checkout without installing
        return "unversioned"
