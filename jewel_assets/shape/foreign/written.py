"""The files of a mended model: STL in millimetres for the caster, GLB in metres for the eye."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from jewel_assets.shape.files.shading import FACET_CREASE_DEGREES, METAL_CREASE_DEGREES, shaded
from jewel_assets.shape.foreign.looks import Look
from jewel_assets.shape.foreign.mesh import Floats, Ints, Mesh

GENERATOR = "jewel-assets, converted"
"""Not that of `files.write_glb`, whose files say of every part what it is made of."""

_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_METRES = 1e-3
_UPRIGHT = [-(0.5**0.5), 0.0, 0.0, 0.5**0.5]  # a quarter turn about x: z up becomes y up


def stl_bytes(vertices: Floats, faces: Ints) -> bytes:
    """Binary STL of triangles in mm, single precision. Equal triangles give equal bytes."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    rows = np.zeros(len(faces), _FACET)
    rows["normal"] = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0)
    rows["corners"] = corners
    # "solid" at the beginning would make it look like the text form.
    return b"binary STL, units mm: converted from glTF".ljust(80) + np.uint32(len(rows)).tobytes() + rows.tobytes()


def glb_bytes(mesh: Mesh, looks: Mapping[int, Look], names: Mapping[int, str]) -> bytes:
    """GLB in metres, y up: one node for each part of the model, one primitive for each of its materials.

    `names` has the name of each part. Equal meshes give equal bytes.
    """
    writer = _Writer()
    used = sorted({int(number) for number in mesh.look})
    open_surface = not mesh.simple
    order = np.lexsort((mesh.look, mesh.part))
    part, look = mesh.part[order], mesh.look[order]
    bounds = np.flatnonzero((np.diff(part) != 0) | (np.diff(look) != 0)) + 1
    primitives: dict[int, list[dict[str, Any]]] = {}
    for mine in np.split(order, bounds):
        number, here = int(mesh.part[mine[0]]), int(mesh.look[mine[0]])
        corners, faces = np.unique(mesh.faces[mine], return_inverse=True)
        crease = FACET_CREASE_DEGREES if looks[here].gem else METAL_CREASE_DEGREES
        positions, normals, split = shaded(mesh.vertices[corners], faces.reshape(-1, 3).astype(np.int64), crease)
        if len(split):
            primitives.setdefault(number, []).append(
                writer.primitive(positions * _METRES, normals, split, used.index(here))
            )
    document = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"name": "model", "rotation": _UPRIGHT, "children": list(range(1, len(primitives) + 1))},
            *({"name": names[number], "mesh": index} for index, number in enumerate(primitives)),
        ],
        "meshes": [{"name": names[number], "primitives": found} for number, found in primitives.items()],
        "materials": [looks[number].gltf(open_surface) for number in used],
    }
    return writer.packed(document)


class _Writer:
    """Collects accessors and packs them."""

    def __init__(self) -> None:
        self._blob = bytearray()
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []

    def primitive(self, positions: Floats, normals: Floats, faces: Ints, material: int) -> dict[str, Any]:
        small = len(positions) < 65535  # the largest index of each type restarts a primitive and may not be used
        places = positions.astype("<f4")
        bounds = {"min": places.min(axis=0).tolist(), "max": places.max(axis=0).tolist()}
        indices = faces.reshape(-1).astype("<u2" if small else "<u4")
        return {
            "attributes": {
                "POSITION": self._accessor(places, 5126, "VEC3", 34962, bounds),
                "NORMAL": self._accessor(normals.astype("<f4"), 5126, "VEC3", 34962, {}),
            },
            "indices": self._accessor(indices, 5123 if small else 5125, "SCALAR", 34963, {}),
            "material": material,
        }

    def _accessor(self, values: Any, component: int, form: str, target: int, bounds: dict[str, Any]) -> int:
        self._blob += b"\0" * (-len(self._blob) % 4)
        data = np.ascontiguousarray(values).tobytes()
        self._views.append({"buffer": 0, "byteOffset": len(self._blob), "byteLength": len(data), "target": target})
        self._blob += data
        view = len(self._views) - 1
        self._accessors.append(
            {"bufferView": view, "componentType": component, "count": len(values), "type": form, **bounds}
        )
        return view

    def packed(self, document: dict[str, Any]) -> bytes:
        """Header, JSON chunk, binary chunk (glTF 2.0, section 4)."""
        binary = bytes(self._blob) + b"\0" * (-len(self._blob) % 4)
        lists = {"accessors": self._accessors, "bufferViews": self._views, "buffers": [{"byteLength": len(binary)}]}
        text = json.dumps(document | lists, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
