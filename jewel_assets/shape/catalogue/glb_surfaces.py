"""The bodies of a GLB that `files.write_glb` made, as surfaces that can be photographed or recast in another alloy.

What the project writes it reads back exactly: names, kinds, materials and cuts stand in each node's `extras`, the
design in those of the root. Other programs' files are for `files.read_mesh`.
"""

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.shape.render.surfaces import SMOOTH_CUTS, Surface

_TYPES: dict[int, np.dtype[Any]] = {5123: np.dtype("<u2"), 5125: np.dtype("<u4"), 5126: np.dtype("<f4")}
_MILLIMETRES = 1000.0


@dataclass(frozen=True)
class GlbPiece:
    """What a GLB of ours shows: `surfaces` in mm and the piece's own axes, and what its root says of the piece."""

    category: str
    family: str
    surfaces: tuple[Surface, ...]
    said: dict[str, Any] = field(default_factory=dict, repr=False)
    """The root's extras: "design", "grams", "carats", "alloys"."""


def read_glb(data: bytes) -> GlbPiece:
    """The piece in the bytes of a GLB. Raises Permanent where `write_glb` did not make them, ValueError or LookupError
    where they were damaged since.
    """
    document, binary = _chunks(data)
    generator = str(document.get("asset", {}).get("generator", ""))
    nodes = document.get("nodes", [])
    try:
        root = nodes[document["scenes"][document.get("scene", 0)]["nodes"][0]]
    except (LookupError, TypeError):  # a file without a scene, or whose scene is empty
        root = {}
    said = root.get("extras", {})
    if not generator.startswith("jewel-assets ") or not {"category", "family"} <= said.keys():
        raise Permanent("This GLB was not made by this project: it does not say what its parts are made of.")
    surfaces: list[Surface] = []

    # The root only turns the piece upright for glTF: what hangs from it is in the piece's own axes.
    waiting, seen = list(root.get("children", [])), set()
    while waiting:
        place = waiting.pop(0)
        if place in seen:
            raise ValueError(f"node {place} hangs from two places, or from itself")
        seen.add(place)
        node = nodes[place]
        waiting += node.get("children", [])
        if "mesh" in node:
            surfaces.append(_surface(document, binary, node))
    return GlbPiece(str(said["category"]), str(said["family"]), tuple(surfaces), dict(said))


def is_ours(data: bytes) -> bool:
    """Whether these bytes are a GLB that `write_glb` made."""
    try:
        document, _ = _chunks(data)
    except Permanent:
        return False
    return str(document.get("asset", {}).get("generator", "")).startswith("jewel-assets ")


def _chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON chunk and the binary chunk (glTF 2.0, section 4)."""
    try:
        magic, version, length = struct.unpack_from("<4sII", data, 0)
        size, kind = struct.unpack_from("<I4s", data, 12)
        if (magic, version, kind) != (b"glTF", 2, b"JSON") or length > len(data):
            raise ValueError("no GLB")
        document = json.loads(data[20 : 20 + size])
        binary = data[20 + size + 8 :]
        if not isinstance(document, dict):
            raise ValueError("no object")
    except (struct.error, ValueError) as error:
        raise Permanent("These bytes are no GLB (binary glTF 2.0), or a damaged one: export it again.") from error
    return document, binary


def _surface(document: dict[str, Any], binary: bytes, node: dict[str, Any]) -> Surface:
    primitive = document["meshes"][node["mesh"]]["primitives"][0]
    corners = _accessor(document, binary, primitive["attributes"]["POSITION"]).astype(np.float64)
    faces = _accessor(document, binary, primitive["indices"]).reshape(-1, 3).astype(np.int64)
    # The file has a corner once per normal; without that it is the closed surface again that was written.
    vertices, place = np.unique(corners, axis=0, return_inverse=True)
    faces = place.reshape(-1)[faces]
    if "rotation" in node:
        vertices = vertices @ _matrix(node["rotation"]).T
    vertices = (vertices + np.asarray(node.get("translation", (0.0, 0.0, 0.0)))) * _MILLIMETRES
    extras = node.get("extras", {})
    kind = extras.get("kind", "metal")
    faceted = kind == "gem" and extras.get("cut", "") not in SMOOTH_CUTS
    return Surface(str(node.get("name", "part")), kind, str(extras.get("material", "")), vertices, faces, faceted)


def _accessor(document: dict[str, Any], binary: bytes, number: int) -> NDArray[Any]:
    """The values of an accessor: (n, 3) or (n,)."""
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    width = 3 if accessor["type"] == "VEC3" else 1
    kind: np.dtype[Any] = _TYPES[accessor["componentType"]]
    values = np.frombuffer(binary, kind, accessor["count"] * width, view.get("byteOffset", 0))
    return np.asarray(values.reshape(-1, 3) if width == 3 else values)


def _matrix(quaternion: list[float]) -> NDArray[np.float64]:
    """(3, 3) of a unit quaternion x, y, z, w."""
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
