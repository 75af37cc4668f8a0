"""Draco: triangles that were packed by Google's coder (KHR_draco_mesh_compression), unpacked by DracoPy.

A few bytes can claim any number of faces, and the decoder makes room for them before it looks further; so the counts in
the header are read first (Draco bitstream specification 2.2, sections 5 and 6).
"""

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from jewel_assets.shape.foreign.unusable import Unusable

_MOST_METADATA = 4096
_MESH, _SEQUENTIAL, _EDGEBREAKER = 1, 0, 1


def unpacked(data: bytes, position: int, most_triangles: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, 3) places and (m, 3) faces of a Draco mesh; `position` is the unique id of its POSITION attribute.

    Raises Unusable where the data is damaged, no mesh, or claims more than `most_triangles`.
    """
    import DracoPy

    claimed = claimed_faces(data)
    if claimed > most_triangles:
        raise Unusable(
            "too many faces",
            f"A part packed with Draco claims {claimed:,} triangles; {most_triangles:,} are the most that are read.",
        )
    try:
        mesh = DracoPy.decode(data)
        found = mesh.get_attribute_by_unique_id(position)
        places = np.asarray(found["data"] if found is not None else mesh.points, np.float64).reshape(-1, 3)
        faces = np.asarray(mesh.faces, np.int64).reshape(-1, 3)
    except Unusable:
        raise
    except Exception as error:  # a decoder of foreign bytes may raise anything
        _damaged(str(error).splitlines()[0][:120] if str(error) else type(error).__name__)
    if not len(faces) or not len(places):
        _damaged("it holds no triangles")
    if faces.min() < 0 or faces.max() >= len(places):
        _damaged("its faces name corners that are not there")
    return places, faces


def claimed_faces(data: bytes) -> int:
    """How many faces the header of a Draco mesh claims, nothing being unpacked. Raises Unusable for a damaged one."""
    if len(data) < 13 or data[:5] != b"DRACO":
        _damaged("it does not begin as Draco does")
    major, minor, kind, method = data[5:9]
    if (major, minor) != (2, 2):
        _damaged(f"it is Draco {major}.{minor}, and glTF has 2.2")
    if kind != _MESH or method not in (_SEQUENTIAL, _EDGEBREAKER):
        _damaged("it is no mesh")
    place = 11
    if int.from_bytes(data[9:11], "little") & 0x8000:
        place = _after_metadata(data, place)
    if method == _SEQUENTIAL:
        return _varint(data, place)[0]
    vertices, place = _varint(data, place + 1)  # after the kind of traversal
    faces, _ = _varint(data, place)
    return max(faces, vertices // 3)


def _after_metadata(data: bytes, place: int) -> int:
    """Where the metadata ends that stands between header and counts: names and values, of attributes and the mesh."""
    attributes, place = _varint(data, place)
    if attributes > _MOST_METADATA:
        _damaged("its metadata has no end")
    for left in range(attributes, -1, -1):  # those of the attributes, each after its number, then the mesh's own
        if left:
            _, place = _varint(data, place)
        entries, place = _varint(data, place)
        if entries > _MOST_METADATA:
            _damaged("its metadata has no end")
        for _ in range(entries):
            place += 1 + (data[place] if place < len(data) else 0)
            size, place = _varint(data, place)
            place += size
        nested, place = _varint(data, place)
        if nested:
            _damaged("its metadata is nested, which no glTF needs")
    return place


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 35, 7):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    _damaged("its header is cut off")


def _damaged(what: str) -> NoReturn:
    raise Unusable("damaged Draco", f"A part of the model is packed with Draco and damaged: {what}. Download it again.")
