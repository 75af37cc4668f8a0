"""glTF 2.0 read by its specification: what it asks for, its accessors, its triangles. Every number is distrusted.

Of what a file requires, that which changes how it looks may be ignored; what changes its shape is read or refused.
"""

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from jewel_assets.shape.foreign.archive import LIMITS, Limits, ModelFile
from jewel_assets.shape.foreign.unusable import Unusable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRACO, QUANTIZED, INSTANCED = "KHR_draco_mesh_compression", "KHR_mesh_quantization", "EXT_mesh_gpu_instancing"
READ = frozenset({DRACO, QUANTIZED, INSTANCED, "KHR_node_visibility"})
"""Extensions that change the shape and are read."""

LOOKS = ("KHR_materials_", "KHR_texture_", "EXT_texture_", "MSFT_texture_", "KHR_lights_", "EXT_lights_", "KHR_xmp")
"""Beginnings of the names of extensions that change only how a model looks: nothing of the shape is lost with them."""

_MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}  # matrices are only of skins, which are not read
_TRIANGLES, _STRIP, _FAN = 4, 5, 6


class Gltf:
    """A glTF document with its buffers. Raises Unusable where it requires what cannot be read."""

    def __init__(self, file: ModelFile, limits: Limits = LIMITS) -> None:
        self._document, self._buffers, self._limits = file.document, file.buffers, limits
        self._shapes: dict[tuple[int, int], tuple[Floats, Ints]] = {}
        self._places: dict[int, Floats] = {}  # parts may share a list of places, and only name some of them each
        self._left = 6 * limits.triangles  # rows of accessors that may still be read: three indices and corners a face
        self.draco = False  # whether any part that was read was packed with Draco
        required = file.document.get("extensionsRequired") or []
        for name in map(str, required if isinstance(required, list) else [required]):
            if name in _MESHOPT:
                raise Unusable(
                    "meshopt",
                    f"The model is packed with meshopt ({name}), which cannot be read here; unpack it first: "
                    "npx @gltf-transform/cli copy packed.glb plain.glb",
                )
            if name not in READ and not name.startswith(LOOKS):
                raise Unusable(
                    "required extension",
                    f"The model cannot be read without {name[:60]}, which is unknown here: export it without.",
                )

    # ------------------------------------------------------------------ entries

    def entries(self, kind: str) -> list[Any]:
        """A list of the document: "nodes", "meshes". Empty where it has none."""
        found = self._document.get(kind)
        return found if isinstance(found, list) else []

    def entry(self, kind: str, number: object) -> dict[str, Any]:
        """One of such a list. Raises Unusable if there is none of that number."""
        listed = self.entries(kind)
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(listed):
            damaged(f"it speaks of number {str(number)[:20]} of its {kind}, which has {len(listed)}")
        if not isinstance(listed[number], dict):
            damaged(f"number {number} of its {kind} is no object")
        return dict(listed[number])

    @property
    def roots(self) -> list[int]:
        """The nodes that its scene shows; without a scene, those that hang from no other."""
        if self.entries("scenes"):
            shown = self.entry("scenes", self._document.get("scene", 0)).get("nodes", [])
            return list(shown) if isinstance(shown, list) else []
        below: set[int] = set()
        for node in self.entries("nodes"):
            children = node.get("children") if isinstance(node, dict) else None
            below |= {child for child in children if isinstance(child, int)} if isinstance(children, list) else set()
        return [number for number in range(len(self.entries("nodes"))) if number not in below]

    # ------------------------------------------------------------------ numbers

    def accessor(self, number: object) -> NDArray[Any]:
        """(count, width) values; integers that stand for 0..1 or -1..1 as floats (glTF 2.0, section 3.6.2)."""
        accessor = self.entry("accessors", number)
        dtype, width = _kind(accessor)
        count = _natural(accessor.get("count"), "the count of an accessor")
        self._left -= count
        if count > 3 * self._limits.triangles or self._left < 0:
            raise Unusable("too many faces", f"A part of the model lists {count:,} corners, more than are read.")
        if "bufferView" in accessor:
            offset = _natural(accessor.get("byteOffset", 0), "an offset")
            values = self._values(accessor["bufferView"], offset, dtype, width, count)
        else:
            values = np.zeros((count, width), dtype)
        if isinstance(accessor.get("sparse"), dict):
            values = self._with_sparse(values, accessor["sparse"], dtype, width)
        if accessor.get("normalized") and dtype.kind in "iu":
            scaled = values.astype(np.float64) / np.iinfo(dtype).max
            values = np.maximum(scaled, -1.0)
        return values

    def _with_sparse(
        self, values: NDArray[Any], sparse: dict[str, Any], dtype: "np.dtype[Any]", width: int
    ) -> NDArray[Any]:
        count = _natural(sparse.get("count"), "the count of a sparse accessor")
        indices, changed = (sparse.get(name) for name in ("indices", "values"))
        if not isinstance(indices, dict) or not isinstance(changed, dict) or count > len(values):
            damaged("one of its sparse accessors has no indices or values, or too many")
        kind, _ = _kind({**indices, "type": "SCALAR"})
        offsets = [_natural(part.get("byteOffset", 0), "an offset") for part in (indices, changed)]
        where = self._values(indices.get("bufferView"), offsets[0], kind, 1, count).reshape(-1).astype(np.int64)
        if count and (where.min() < 0 or where.max() >= len(values)):
            damaged("one of its sparse accessors changes values that are not there")
        values = values.copy()
        values[where] = self._values(changed.get("bufferView"), offsets[1], dtype, width, count)
        return values

    def _values(self, view: object, offset: int, dtype: "np.dtype[Any]", width: int, count: int) -> NDArray[Any]:
        said = self.entry("bufferViews", view)
        data = self.view(view)
        size = dtype.itemsize * width
        stride = _natural(said.get("byteStride", size), "a stride")
        if count == 0:
            return np.zeros((0, width), dtype)
        if stride < size or offset + stride * (count - 1) + size > len(data):
            damaged(f"one of its accessors reads {count:,} values from {len(data):,} bytes, which hold fewer")
        stride = stride if count > 1 else size
        flat: NDArray[Any] = np.ndarray((count, width), dtype, data, offset, (stride, dtype.itemsize))
        return flat

    def view(self, number: object) -> memoryview:
        """The bytes of a buffer view."""
        view = self.entry("bufferViews", number)
        buffer = view.get("buffer")
        self.entry("buffers", buffer)
        data = self._buffers[int(str(buffer))]
        if data is None:
            damaged("one of its buffers has no data")
        start, size = (
            _natural(view.get(name, 0), "the place of a buffer view") for name in ("byteOffset", "byteLength")
        )
        if start + size > len(data):
            damaged("one of its buffer views ends after its buffer")
        return memoryview(data)[start : start + size]

    # ------------------------------------------------------------------ triangles

    def primitives(self, mesh: int) -> list[dict[str, Any]]:
        """The parts of a mesh."""
        found = self.entry("meshes", mesh).get("primitives")
        return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []

    def counted(self, mesh: int) -> int:
        """How many triangles a mesh claims to have, nothing being unpacked."""
        total = 0
        for primitive in self.primitives(mesh):
            if primitive.get("mode", _TRIANGLES) not in (_TRIANGLES, _STRIP, _FAN):
                continue
            source = primitive.get("indices", _dict(primitive.get("attributes")).get("POSITION"))
            count = _natural(self.entry("accessors", source).get("count"), "the count of an accessor")
            total += count // 3 if primitive.get("mode", _TRIANGLES) == _TRIANGLES else max(count - 2, 0)
        return total

    def shape(self, mesh: int, number: int) -> tuple[Floats, Ints] | None:
        """(n, 3) places in the file's units and (m, 3) faces of a part of a mesh; None for points and lines."""
        if (mesh, number) in self._shapes:
            return self._shapes[mesh, number]
        primitive = self.primitives(mesh)[number]
        mode = primitive.get("mode", _TRIANGLES)
        if mode not in (_TRIANGLES, _STRIP, _FAN):
            return None
        packed = _dict(_dict(primitive.get("extensions")).get(DRACO))
        attributes = _dict(primitive.get("attributes"))
        if packed:
            from jewel_assets.shape.foreign.draco import unpacked

            identity = _dict(packed.get("attributes")).get("POSITION")
            places, faces = unpacked(
                bytes(self.view(packed.get("bufferView"))),
                identity if isinstance(identity, int) else 0,
                self._limits.triangles,
            )
            self.draco = True
        else:
            if "POSITION" not in attributes:
                damaged("one of its parts has no places")
            places = self._places_of(attributes["POSITION"])
            if "indices" in primitive:
                indices = self.accessor(primitive["indices"])
                if indices.shape[1] != 1 or indices.dtype.kind != "u":
                    damaged("the indices of one of its parts are no numbers of corners")
                corners = indices.reshape(-1).astype(np.int64)
            else:
                corners = np.arange(len(places))
            faces = _triangles(corners, mode)
            if len(faces) and faces.max() >= len(places):
                damaged(f"one of its faces has corner {faces.max():,} of {len(places):,}")
        if len(places) > 3 * len(faces):
            used, numbers = np.unique(faces, return_inverse=True)
            places, faces = places[used], numbers.reshape(-1, 3).astype(np.int64)
        self._shapes[mesh, number] = places, faces
        return places, faces

    def _places_of(self, number: object) -> Floats:
        """(n, 3) of a POSITION accessor."""
        if not isinstance(number, int) or number not in self._places:
            places = self.accessor(number).astype(np.float64)
            if places.shape[1] != 3:
                damaged("the places of one of its parts have not three numbers each")
            self._places[int(str(number))] = places
        return self._places[int(str(number))]


def _triangles(corners: Ints, mode: int) -> Ints:
    """(m, 3) faces of a list, strip or fan of corners (glTF 2.0, section 3.7.2.1)."""
    if mode == _TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if len(corners) < 3:
        return np.zeros((0, 3), np.int64)
    if mode == _FAN:
        return np.stack([corners[1:-1], corners[2:], np.full(len(corners) - 2, corners[0])], axis=1)
    strip = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    strip[1::2] = strip[1::2][:, [0, 2, 1]]
    return strip


def _kind(accessor: dict[str, Any]) -> tuple["np.dtype[Any]", int]:
    component, form = accessor.get("componentType"), accessor.get("type")
    if not isinstance(component, int) or component not in _DTYPES or str(form) not in _WIDTHS:
        damaged(f"one of its accessors is of an unknown kind ({str(component)[:12]}, {str(form)[:12]})")
    return np.dtype(_DTYPES[component]), _WIDTHS[str(form)]


def _natural(value: object, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        damaged(f"{what} is {str(value)[:20]}")
    return value


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def damaged(what: str) -> NoReturn:
    """Raise Unusable for a description that contradicts itself or its data."""
    raise Unusable("damaged file", f"The model is damaged: {what}. Download it again.")
