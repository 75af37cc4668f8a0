"""glTF files made by hand: every byte of them is the test's own."""

import io
import json
import struct
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

Document = dict[str, Any]
UPRIGHT = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # z up -> y up, as files have it


class Builder:
    """Collects views and accessors of a glTF document, one buffer."""

    def __init__(self) -> None:
        self.blob = b""
        self.document: Document = {
            "asset": {"version": "2.0"},
            "bufferViews": [],
            "accessors": [],
            "meshes": [],
            "nodes": [],
        }

    def view(self, data: bytes, **more: Any) -> int:
        self.blob += b"\0" * (-len(self.blob) % 4)
        place = {"buffer": 0, "byteOffset": len(self.blob), "byteLength": len(data)}
        self.document["bufferViews"].append(place | more)
        self.blob += data
        return len(self.document["bufferViews"]) - 1

    def accessor(self, values: NDArray[Any], kind: str, component: int, **more: Any) -> int:
        entry = {"bufferView": self.view(values.tobytes()), "componentType": component, "count": len(values)}
        self.document["accessors"].append(entry | {"type": kind} | more)
        return len(self.document["accessors"]) - 1

    def primitive(self, vertices: Any, faces: Any, **more: Any) -> Document:
        places = np.asarray(vertices, "<f4")
        return {
            "attributes": {"POSITION": self.accessor(places, "VEC3", 5126)},
            "indices": self.accessor(np.asarray(faces, "<u4").reshape(-1), "SCALAR", 5125),
        } | more

    def mesh(self, *primitives: Document, name: str = "mesh") -> int:
        self.document["meshes"].append({"name": name, "primitives": list(primitives)})
        return len(self.document["meshes"]) - 1

    def node(self, **entry: Any) -> int:
        self.document["nodes"].append(entry)
        return len(self.document["nodes"]) - 1

    def glb(self, **more: Any) -> bytes:
        return packed(self.document | {"buffers": [{"byteLength": len(self.blob)}]} | more, self.blob)

    def archive(self, **members: bytes) -> bytes:
        """As Sketchfab packs it: scene.gltf, scene.bin, a texture, the licence."""
        buffers = [{"uri": "scene.bin", "byteLength": len(self.blob)}]
        scene = self.document | {"buffers": buffers, "images": [{"uri": "textures/gold_baseColor.png"}]}
        files = {
            "license.txt": b"CC-BY-4.0",
            "scene.bin": self.blob,
            "scene.gltf": json.dumps(scene).encode(),
            "textures/gold_baseColor.png": b"\x89PNG and no more: nobody looks",
        }
        return zipped(files | members)


def packed(document: Document, blob: bytes = b"") -> bytes:
    """A GLB of a document and its binary chunk."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    blob += b"\0" * (-len(blob) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(blob), b"BIN\0") + blob if blob else b""
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def one_mesh(vertices: Any, faces: Any, upright: bool = True, **node: Any) -> Builder:
    """A scene of one mesh; `vertices` z up and in the file's units, unless not `upright`."""
    builder = Builder()
    places = np.asarray(vertices, float) @ UPRIGHT.T if upright else vertices
    builder.node(mesh=builder.mesh(builder.primitive(places, faces)), **node)
    return builder
