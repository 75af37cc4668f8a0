"""Small models as Sketchfab hands them out, a GLB or the ZIP of a glTF, and ZIPs that no honest owner makes."""

import io
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

_SIZES_MM = {"ring": 9.0, "bracelet": 32.0, "necklace": 70.0, "earrings": 8.0, "jewelry": 20.0, "wristwatch": 20.0}
_AROUND, _ACROSS = 24, 8
LICENCE_TEXT = b"Model Information:\n* title: made for a test\nModel License:\n* license type: CC-BY-4.0\n"


def _torus(category: str, seed: int) -> tuple[bytes, bytes, float]:
    """Places (float32) and indices (uint16) of a hoop in metres, and its outer radius."""
    radius = _SIZES_MM.get(category, 10.0) * (1 + seed % 17 / 100) / 1000
    wire = radius * 0.12
    places, indices = b"", b""
    for i in range(_AROUND):
        around = 2 * math.pi * i / _AROUND
        for j in range(_ACROSS):
            across = 2 * math.pi * j / _ACROSS
            out = radius + wire * math.cos(across)
            places += struct.pack("<3f", out * math.cos(around), wire * math.sin(across), out * math.sin(around))
            a, b = i * _ACROSS + j, i * _ACROSS + (j + 1) % _ACROSS
            c, d = ((i + 1) % _AROUND) * _ACROSS + j, ((i + 1) % _AROUND) * _ACROSS + (j + 1) % _ACROSS
            indices += struct.pack("<6H", a, b, c, b, d, c)
    return places, indices, radius + wire


def _described(places: bytes, indices: bytes, reach: float, category: str, uri: str | None) -> dict[str, Any]:
    buffer: dict[str, Any] = {"byteLength": len(places) + len(indices)} | ({"uri": uri} if uri else {})
    return {
        "asset": {"version": "2.0", "generator": "Sketchfab-12.68.0"},
        "scene": 0,
        "scenes": [{"name": "Sketchfab_Scene", "nodes": [0]}],
        "nodes": [{"mesh": 0, "name": category}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0, "mode": 4}]}],
        "materials": [{"name": "gold", "pbrMetallicRoughness": {"baseColorFactor": [1.0, 0.77, 0.34, 1.0]}}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": len(places) // 12,
                "type": "VEC3",
                "min": [-reach] * 3,
                "max": [reach] * 3,
            },
            {"bufferView": 1, "componentType": 5123, "count": len(indices) // 2, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(places), "target": 34962},
            {"buffer": 0, "byteOffset": len(places), "byteLength": len(indices), "target": 34963},
        ],
        "buffers": [buffer],
    }


@lru_cache(maxsize=256)
def glb(category: str = "ring", seed: int = 0) -> bytes:
    """A GLB of a hoop as large as such a piece is."""
    places, indices, reach = _torus(category, seed)
    text = json.dumps(_described(places, indices, reach, category, None)).encode()
    text += b" " * (-len(text) % 4)
    binary = places + indices
    binary += bytes(-len(binary) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def members(category: str = "ring", seed: int = 0) -> dict[str, bytes]:
    """What the ZIP of a glTF holds."""
    places, indices, reach = _torus(category, seed)
    document = _described(places, indices, reach, category, "scene.bin")
    return {
        "license.txt": LICENCE_TEXT,
        "scene.bin": places + indices,
        "scene.gltf": json.dumps(document, indent=2).encode(),
        "textures/": b"",
        "textures/gold_baseColor.png": _png(seed),
    }


@lru_cache(maxsize=256)
def gltf_zip(category: str = "ring", seed: int = 0) -> bytes:
    """The ZIP of a glTF of the same hoop, with a texture."""
    return zipped(members(category, seed))


def zipped(content: Mapping[str, bytes] | Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these members, always the same one for the same."""
    out = io.BytesIO()
    pairs = content.items() if isinstance(content, Mapping) else content
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in pairs:
            entry = zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6))
            entry.compress_type = method
            archive.writestr(entry, data)
    return out.getvalue()


def climbing() -> bytes:
    """A member that would be written two folders above."""
    return zipped(members() | {"../../.bashrc": b"rm -rf ~"})


def climbing_by_backslash() -> bytes:
    """The same for Windows."""
    return zipped(members() | {"textures\\..\\..\\evil.dll": b"MZ"})


def absolute() -> bytes:
    """A member with an absolute path."""
    return zipped(members() | {"/etc/cron.d/evil": b"* * * * * root true"})


def bomb(megabytes: int = 64) -> bytes:
    """A texture of zeros: a thousand times larger than its ZIP."""
    return zipped(members() | {"textures/huge.png": bytes(megabytes << 20)})


def crowded(count: int = 70_000) -> bytes:
    """More members than any model has, their list patched together: a ZIP of so many takes zipfile a while."""
    local = b"PK\x03\x04" + bytes(22) + struct.pack("<HH", 1, 0) + b"a"
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<HHHHHII", 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * min(count, 0xFFFE)
    end = struct.pack("<4s4HIIH", b"PK\x05\x06", 0, 0, *[min(count, 0xFFFE)] * 2, len(directory), len(local), 0)
    return local + directory + end


def nested() -> bytes:
    """A ZIP in the ZIP."""
    return zipped(members() | {"textures/more.zip": gltf_zip()})


def encrypted() -> bytes:
    """A member whose flags say that it is encrypted."""
    data = bytearray(gltf_zip())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        data[place + flags] |= 1
    return bytes(data)


def linked() -> bytes:
    """A symbolic link to the machine's passwords."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members().items():
            archive.writestr(name, data)
        entry = zipfile.ZipInfo("textures/link.png")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return out.getvalue()


def textures_only() -> bytes:
    """A ZIP without a model."""
    return zipped({"readme.txt": b"see my shop", "textures/gold.png": _png(1)})


def _png(seed: int) -> bytes:
    """A noisy PNG of 64 x 64 pixels, some 12 kB: textures hardly pack."""
    state, rows = seed + 1, b""
    for _ in range(64):
        line = bytearray(1)
        for _ in range(192):
            state = (state * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
            line.append(state >> 16 & 0xFF)
        rows += bytes(line)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
