"""What a mesh file is and whether it is whole, by its first bytes and its own counts, before anything is parsed."""

import importlib.util
import json
import re
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote

from jewel_assets.errors import Permanent

Format = Literal["glb", "gltf", "stl", "obj", "ply", "3mf"]

MOST_UNPACKED = 20
"""How many times its own size a 3MF may unpack to: XML of triangles packs some 5 times, bombs a thousand times."""

_UNPACK = "unpack it first: npx @gltf-transform/cli copy packed.glb plain.glb"


@dataclass(frozen=True)
class Inspected:
    """The format, and what is odd about the file but no reason to refuse it."""

    format: Format
    notes: tuple[str, ...] = ()
    ours: bool = False
    """Whether `write_glb` made it."""
    not_metal: frozenset[str] = frozenset()
    """Names of the nodes that `write_glb` has marked as stones, straps and the like."""


def inspect(path: Path, max_bytes: int, max_faces: int) -> Inspected:
    """The format of a file, from its content. Raises Permanent if missing, empty, too large, cut off or packed."""
    if not path.is_file():
        raise Permanent(f"There is no mesh file '{path}'.")
    size = path.stat().st_size
    if size == 0:
        raise Permanent(f"'{path.name}' is empty (0 bytes): export it again.")
    if size > max_bytes:
        raise Permanent(
            f"'{path.name}' has {size / 2**20:,.0f} MiB, more than the {max_bytes / 2**20:,.0f} that are read."
        )
    with path.open("rb") as file:
        head = file.read(4096)
    kind = _format_of(head, size, path)
    document: dict[str, Any] = {}
    if kind == "glb":
        document = _whole_glb(path, head, size, max_faces)
    elif kind == "gltf":
        _plain_gltf(path, _json(path, path.read_bytes()), max_faces, beside=True)
    elif kind == "stl":
        _whole_stl(path, head, size, max_faces)
    elif kind == "ply":
        _counted_ply(path, head, size, max_faces)
    elif kind == "3mf":
        _sane_zip(path, max_bytes)
    suffix = path.suffix.lower().lstrip(".")
    odd = () if suffix == kind else (f"named '.{suffix}', but its content is {kind.upper()}",)
    ours = str(_dict(document.get("asset")).get("generator", "")).startswith("jewel-assets ")
    marked = [
        str(node.get("name"))
        for node in _dicts(document.get("nodes"))
        if ours and "mesh" in node and _dict(node.get("extras")).get("kind") != "metal"
    ]
    return Inspected(kind, odd, ours, frozenset(marked))


def _format_of(head: bytes, size: int, path: Path) -> Format:
    if head[:4] == b"glTF":
        return "glb"
    if head[:4] == b"PK\x03\x04":
        return "3mf"
    if head[:4] in (b"ply\n", b"ply\r"):
        return "ply"
    if head.lstrip()[:1] == b"{":
        return "gltf"
    if len(head) >= 84 and size == 84 + 50 * struct.unpack("<I", head[80:84])[0]:
        return "stl"
    text = head.decode("latin-1")
    if re.match(r"\s*solid\b", text) and ("facet" in text or "endsolid" in text):
        return "stl"
    if re.search(r"^\s*v\s+[-+.\d]", text, re.MULTILINE) and "\0" not in text:
        return "obj"
    suffix = path.suffix.lower().lstrip(".")
    if suffix == "stl" and size >= 84:
        return "stl"
    if suffix == "obj" and "\0" not in text:
        return "obj"
    raise Permanent(f"'{path.name}' is no mesh that can be read: give GLB, glTF, STL, OBJ, PLY or 3MF.")


def _whole_glb(path: Path, head: bytes, size: int, max_faces: int) -> dict[str, Any]:
    if len(head) < 20:
        raise Permanent(f"'{path.name}' is cut off within its header: copy or export it again.")
    version, length, chunk = struct.unpack("<III", head[4:16])
    if version != 2:
        raise Permanent(f"'{path.name}' is glTF {version}; only version 2 is read: export it anew.")
    if length > size or 20 + chunk > size:
        raise Permanent(
            f"'{path.name}' is cut off: it has {size:,} of {max(length, 20 + chunk):,} bytes. Copy it again."
        )
    with path.open("rb") as file:
        file.seek(20)
        document = _json(path, file.read(chunk))
    _plain_gltf(path, document, max_faces, beside=False)
    return document


def _json(path: Path, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise Permanent(f"'{path.name}' has a damaged glTF description (no JSON): export it again.") from None
    if not isinstance(document, dict) or "asset" not in document:
        raise Permanent(f"'{path.name}' is JSON, but no glTF: it has no 'asset'.")
    return document


def _plain_gltf(path: Path, document: dict[str, Any], max_faces: int, beside: bool) -> None:
    """Refuses what would be read wrongly or not at all: packed primitives, scaled integers, files elsewhere."""
    meshes = _dicts(document.get("meshes"))
    primitives = [primitive for mesh in meshes for primitive in _dicts(mesh.get("primitives"))]
    packed = sum("KHR_draco_mesh_compression" in _dict(primitive.get("extensions")) for primitive in primitives)
    if packed and importlib.util.find_spec("DracoPy") is None:
        raise Permanent(
            f"'{path.name}' is packed with Draco ({packed} of {len(primitives)} parts) and needs the package DracoPy: "
            f"install it (pip install DracoPy), or {_UNPACK}"
        )
    required = [str(name) for name in document.get("extensionsRequired", []) or []]
    meshopt = [name for name in required if name.endswith("_meshopt_compression")]
    if meshopt:
        raise Permanent(f"'{path.name}' is packed with meshopt ({meshopt[0]}), which cannot be read here; {_UNPACK}")
    accessors = _dicts(document.get("accessors"))
    triangles = 0
    for primitive in primitives:
        position = _dict(primitive.get("attributes")).get("POSITION")
        accessor = accessors[position] if isinstance(position, int) and 0 <= position < len(accessors) else {}
        if accessor.get("normalized") and accessor.get("componentType") != 5126:
            raise Permanent(f"'{path.name}' stores positions as scaled integers (KHR_mesh_quantization); {_UNPACK}")
        index = primitive.get("indices")
        counted = accessors[index] if isinstance(index, int) and 0 <= index < len(accessors) else accessor
        triangles += int(counted.get("count", 0) or 0) // 3
    _few_enough(path, triangles, max_faces)
    for part in _dicts(document.get("buffers")):
        uri = part.get("uri")
        if not isinstance(uri, str) or uri.startswith("data:"):
            continue
        place = PurePosixPath(unquote(uri).replace("\\", "/"))
        if not beside or "://" in uri or place.is_absolute() or ".." in place.parts:
            raise Permanent(f"'{path.name}' keeps its data at '{uri[:80]}': only files in its own folder are opened.")
        if not (path.parent / place).is_file():
            raise Permanent(f"'{path.name}' needs '{place}' beside it, which is not there: copy both, or export a GLB.")


def _whole_stl(path: Path, head: bytes, size: int, max_faces: int) -> None:
    if re.match(rb"\s*solid\b", head) and b"facet" in head and b"\0" not in head:
        _few_enough(path, size // 120, max_faces)  # a facet of the text form is no shorter than that
        with path.open("rb") as file:
            file.seek(max(0, size - 200))
            if b"endsolid" not in file.read():
                raise Permanent(f"'{path.name}' is cut off: its last line is not 'endsolid'. Copy or export it again.")
        return
    if size < 84:
        raise Permanent(f"'{path.name}' is cut off within its header: copy or export it again.")
    count = struct.unpack("<I", head[80:84])[0]
    if size < 84 + 50 * count:
        raise Permanent(
            f"'{path.name}' is cut off: it has {(size - 84) // 50:,} of {count:,} triangles. Copy it again."
        )
    _few_enough(path, count, max_faces)


def _counted_ply(path: Path, head: bytes, size: int, max_faces: int) -> None:
    counts = {name: int(number) for name, number in re.findall(rb"^element\s+(\w+)\s+(\d+)", head, re.MULTILINE)}
    faces, vertices = counts.get(b"face", 0), counts.get(b"vertex", 0)
    _few_enough(path, faces, max_faces)
    if size < 2 * (faces + vertices):  # "0 0 0": no row of either form is shorter than a few bytes
        raise Permanent(
            f"'{path.name}' is cut off: it names {vertices:,} corners and {faces:,} faces, and has {size:,} bytes."
        )


def _sane_zip(path: Path, max_bytes: int) -> None:
    try:
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise Permanent(f"'{path.name}' is a damaged or cut-off 3MF package: export it again.") from None
    if not any(entry.filename.lower().endswith(".model") for entry in entries):
        raise Permanent(f"'{path.name}' is a ZIP file without a 3MF model in it.")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max_bytes or unpacked > MOST_UNPACKED * max(path.stat().st_size, 1 << 16):
        raise Permanent(f"'{path.name}' unpacks to {unpacked / 2**20:,.0f} MiB, which no model of its size does.")


def _few_enough(path: Path, triangles: int, max_faces: int) -> None:
    if triangles > max_faces:
        raise Permanent(
            f"'{path.name}' has {triangles:,} triangles, more than the {max_faces:,} that are read: decimate it first."
        )


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [_dict(entry) for entry in value] if isinstance(value, list) else []
