"""The bytes of a downloaded model, opened as if they came from an enemy: a glTF archive (ZIP) or a GLB.

Nothing is written to disk, nothing is fetched, and no member of an archive is unpacked before the bounds of all of
them are known to hold: their number, names, kinds, sizes, ratios and places. Of an archive only the description and the
buffers that it names are unpacked, never its textures, and never an archive within it.
"""

import base64
import binascii
import io
import json
import posixpath
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from jewel_assets.shape.foreign.unusable import Unusable


@dataclass(frozen=True)
class Limits:
    """What a model may have at most. Downloads of jewellery are some MB and some hundred thousand faces."""

    packed_bytes: int = 512 << 20  # the file itself
    members: int = 4096
    directory_bytes: int = 2 << 20  # of the list of members: a name of 400 characters for each
    name_characters: int = 240
    unpacked_bytes: int = 1 << 30  # all members together
    small_bytes: int = 1 << 20  # what unpacks to less may do so at any ratio
    member_ratio: float = 250.0  # unpacked / packed; deflate ends at 1032, glTF's JSON of a chain reaches some 40
    ratio: float = 60.0  # of the whole archive
    document_bytes: int = 64 << 20  # the JSON
    buffer_bytes: int = 512 << 20  # all buffers together, as unpacked
    nodes: int = 200_000
    triangles: int = 2_000_000  # as placed, instances counting each; a worker needs some 1.5 KB for one


LIMITS = Limits()

_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".jar", ".usdz", ".3mf")
_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"


@dataclass(frozen=True)
class ModelFile:
    """A glTF description and its buffers. `buffers[i]` is None where buffer i names no data: a fallback left out."""

    kind: str  # "glTF archive" or "GLB"
    document: dict[str, Any] = field(repr=False)
    buffers: tuple[bytes | None, ...] = field(repr=False)


def open_model(data: bytes, limits: Limits = LIMITS) -> ModelFile:
    """The description and buffers of a glTF archive or a GLB, told apart by their first bytes.

    Raises Unusable, with a countable reason, for what is neither, damaged, cut off, over a limit, or unsafe: members
    that climb out of the archive, links, encrypted, doubled or overlapping ones, archives within, files elsewhere.
    """
    if len(data) > limits.packed_bytes:
        _refuse(
            "too large",
            f"The model has {len(data) / 2**20:,.0f} MiB, more than the {limits.packed_bytes / 2**20:,.0f} that are "
            "read: fetch a version with fewer faces or smaller textures.",
        )
    if data[:4] == b"glTF":
        document, binary = _glb(data, limits)
        return ModelFile("GLB", document, _buffers(document, binary, None, "", limits))
    if data[:4] in (b"PK\x03\x04", _END):
        return _from_archive(data, limits)
    _refuse("not a model", "These bytes are no glTF archive and no GLB: fetch the model's glTF or GLB download.")


# ------------------------------------------------------------------ the archive


def _from_archive(data: bytes, limits: Limits) -> ModelFile:
    count, directory_bytes = _directory(data)
    if count > limits.members or directory_bytes > limits.directory_bytes:
        _refuse(
            "too many members",
            f"The archive lists {count:,} members in {directory_bytes:,} bytes; {limits.members:,} in "
            f"{limits.directory_bytes:,} are the most that are read.",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) != count:
                _damaged(f"it lists {len(entries):,} members and says {count:,}")
            _check_names(entries, limits)
            _check_sizes(entries, len(data), limits)
            _check_places(entries, data, archive.start_dir)
            members = {entry.filename: entry for entry in entries if not entry.is_dir()}
            scene = _scene_of(members)
            content = _member(archive, members[scene], limits.document_bytes)
            if content[:4] == b"glTF":
                document, binary = _glb(content, limits)
            else:
                document, binary = _json(content), None
            unpack = {name: (archive, entry) for name, entry in members.items()}
            folder = posixpath.dirname(scene)
            return ModelFile("glTF archive", document, _buffers(document, binary, unpack, folder, limits))
    # `zipfile` raises NotImplementedError for a ZIP that is made in a way it does not know.
    except (zipfile.BadZipFile, NotImplementedError, struct.error, EOFError, UnicodeDecodeError) as error:
        _damaged(str(error).splitlines()[0][:120] if str(error) else type(error).__name__)


def _directory(data: bytes) -> tuple[int, int]:
    """How many members the end record speaks of, and the size of their list, before anything builds a list of them."""
    end = data.rfind(_END, max(0, len(data) - 65_557))
    if end < 0 or end + 22 > len(data):
        _damaged("it has no list of members at its end: it is cut off")
    disk, first_disk, here, count, size, _ = struct.unpack_from("<4H2I", data, end + 4)
    if 0xFFFF in (here, count) or size == 0xFFFFFFFF:  # ZIP64: the numbers stand in a record before
        locator = end - 20
        record = locator - 56
        if record < 0 or data[locator : locator + 4] != _LOCATOR_64 or data[record : record + 4] != _END_64:
            _damaged("its ZIP64 end record is missing")
        disk, first_disk, here, count, size = struct.unpack_from("<2I3Q", data, record + 16)
    if disk or first_disk or here != count:
        _damaged("it is one of several volumes")
    return int(count), int(size)


def _check_names(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Refuse names that lead elsewhere, that two members share, and members that are no plain files or folders."""
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename  # `filename` ends at the first NUL, and has slashes for backslashes on Windows
        shown = repr(name[:80])
        if not name or len(name) > limits.name_characters or any(ord(letter) < 32 for letter in name):
            _refuse("unsafe name", f"The archive has a member whose name is empty, too long or no text: {shown}.")
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ":" in name or ".." in parts:
            _refuse(
                "unsafe name",
                f"The archive has a member that would be written elsewhere, {shown}: no honest model has one.",
            )
        same = unicodedata.normalize("NFC", posixpath.normpath("/".join(parts))).casefold()
        if same in seen:
            _refuse("doubled member", f"The archive has two members named {shown}: which one counts cannot be known.")
        seen.add(same)
        mode = stat.S_IFMT(entry.external_attr >> 16)
        if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            _refuse("link in archive", f"The member {shown} is a link or a device and no file: leave this model.")
        if entry.flag_bits & 0x2041:
            _refuse("encrypted archive", f"The member {shown} is encrypted: download the model again without password.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            _refuse("unknown packing", f"The member {shown} is packed by method {entry.compress_type}: pack it anew.")
        if name.lower().endswith(_ARCHIVES):
            _refuse(
                "nested archive",
                f"The archive has an archive in it, {shown}, which is not opened: download the glTF version instead.",
            )


def _check_sizes(entries: list[zipfile.ZipInfo], packed: int, limits: Limits) -> None:
    """Refuse what would unpack to more than a model of its size does."""
    for entry in entries:
        swollen = entry.file_size > limits.small_bytes
        if swollen and entry.file_size > limits.member_ratio * max(entry.compress_size, 1):
            _bomb(f"its member {entry.filename[:80]!r} would grow from {entry.compress_size:,} to", entry.file_size)
        if entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size:
            _damaged(f"the sizes of {entry.filename[:80]!r} contradict each other")
    total = sum(entry.file_size for entry in entries)
    if total > limits.unpacked_bytes or total > max(limits.ratio * packed, 16 * limits.small_bytes):
        _bomb(f"it would grow from {packed:,} to", total)


def _bomb(what: str, size: int) -> NoReturn:
    _refuse("zip bomb", f"The archive is not unpacked: {what} {size:,} bytes, which no model does.")


def _check_places(entries: list[zipfile.ZipInfo], data: bytes, directory: int) -> None:
    """Refuse members that share bytes: so a small file unpacks to any size (Fifield 2019)."""
    spans = []
    for entry in entries:
        start = entry.header_offset
        if start < 0 or start + 30 > len(data) or data[start : start + 4] != b"PK\x03\x04":
            _damaged(f"the member {entry.filename[:80]!r} is not where its list says")
        flags, name_length, extra_length = struct.unpack_from("<6xH18xHH", data, start)
        if (flags ^ entry.flag_bits) & 0x2041:
            _refuse("encrypted archive", "A member of the archive is encrypted: download the model again.")
        spans.append((start, start + 30 + name_length + extra_length + entry.compress_size, entry.filename))
    spans.sort()
    ends = [span[0] for span in spans[1:]] + [directory] * bool(spans)  # an empty archive has no end to compare
    for (_, end, name), following in zip(spans, ends, strict=True):
        if end > following:
            _refuse("overlapping members", f"The member {name[:80]!r} shares its bytes with another: a bomb; leave it.")


def _scene_of(members: dict[str, zipfile.ZipInfo]) -> str:
    """The description among the members: `scene.gltf`, else the only .gltf or .glb of the outermost folder."""
    named = [name for name in members if name.lower().endswith((".gltf", ".glb")) and "__MACOSX/" not in name]
    if not named:
        _refuse("no model in archive", "The archive has no .gltf and no .glb: fetch the model's glTF download.")
    depth = min(name.count("/") for name in named)
    outer = sorted(name for name in named if name.count("/") == depth)
    scenes = [name for name in outer if posixpath.basename(name).lower() == "scene.gltf"] or outer
    if len(scenes) > 1:
        _refuse("several models", f"The archive has {len(scenes)} models ({', '.join(scenes)[:120]}): give one.")
    return scenes[0]


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """The bytes of a member, of which no more are unpacked than its own entry says; its checksum is compared."""
    if entry.file_size > most:
        _refuse(
            "too large", f"{entry.filename[:80]!r} has {entry.file_size:,} bytes; {most:,} are the most that are read."
        )
    try:
        with archive.open(entry) as file:
            content = file.read(entry.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        _damaged(f"{entry.filename[:80]!r} cannot be unpacked ({error})")
    if len(content) != entry.file_size:
        _damaged(f"{entry.filename[:80]!r} has another size than its list says")
    return content


# ------------------------------------------------------------------ GLB, JSON, buffers


def _glb(data: bytes, limits: Limits) -> tuple[dict[str, Any], bytes | None]:
    """The JSON chunk and the binary chunk (glTF 2.0, section 4)."""
    if len(data) < 20:
        _damaged("it is cut off within its header")
    version, length, size, kind = struct.unpack_from("<III4s", data, 4)
    if version != 2:
        _refuse("old glTF", f"The model is glTF {version}; only version 2 is read: export it anew.")
    if length > len(data) or 20 + size > length:
        _damaged(f"it has {len(data):,} of {max(length, 20 + size):,} bytes: it is cut off")
    if kind != b"JSON":
        _damaged("its first part is no JSON")
    if size > limits.document_bytes:
        _refuse("too large", f"The description has {size:,} bytes; {limits.document_bytes:,} are the most.")
    document, binary, place = _json(data[20 : 20 + size]), None, 20 + size
    while place + 8 <= length:
        size, kind = struct.unpack_from("<I4s", data, place)
        if place + 8 + size > length:
            _damaged("one of its parts is cut off")
        if kind == b"BIN\0" and binary is None:
            binary = data[place + 8 : place + 8 + size]
        place += 8 + size + (-size % 4)
    return document, binary


def _json(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        _damaged(f"its description is no JSON ({str(error)[:80]})")
    if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
        _damaged("its description is JSON, but no glTF: it has no 'asset'")
    if not str(document["asset"].get("version", "")).startswith("2."):
        _refuse("old glTF", f"The model is glTF {document['asset'].get('version')!r}; only version 2 is read.")
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _buffers(
    document: dict[str, Any],
    binary: bytes | None,
    members: dict[str, tuple[zipfile.ZipFile, zipfile.ZipInfo]] | None,
    folder: str,
    limits: Limits,
) -> tuple[bytes | None, ...]:
    """The bytes of every buffer, of the length that the description says."""
    for image in _dicts(document.get("images")):  # not opened, but one that points elsewhere is no honest model's
        if isinstance(image.get("uri"), str) and not image["uri"].startswith("data:"):
            _inside(image["uri"], folder)
    left, buffers = limits.buffer_bytes, list[bytes | None]()
    for number, buffer in enumerate(_dicts(document.get("buffers"))):
        uri, size = buffer.get("uri"), buffer.get("byteLength")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            _damaged(f"its buffer {number} has no length")
        if size > left:
            _refuse("too large", f"The buffers have more than {limits.buffer_bytes:,} bytes, the most that are read.")
        content: bytes | None
        if uri is None:
            content = binary if number == 0 else None
        elif not isinstance(uri, str):
            _damaged(f"the address of its buffer {number} is no text")
        elif uri.startswith("data:"):
            content = _data_uri(uri, left)
        else:
            place = _inside(uri, folder)
            if members is None or place not in members:
                _refuse(
                    "missing buffer",
                    f"The model keeps its data in {uri[:80]!r}, which is not part of the download: fetch it again.",
                )
            content = _member(*members[place], left)
        if content is not None:
            if len(content) < size:
                _damaged(f"its buffer {number} has {len(content):,} of {size:,} bytes")
            left -= len(content)
        buffers.append(content)
    return tuple(buffers)


def _inside(uri: str, folder: str) -> str:
    """The member that a relative address names. Raises Unusable for one that leads out of the archive."""
    try:
        parts = urlsplit(uri)
        outside = bool(parts.scheme or parts.netloc)
    except ValueError:
        outside = True
    plain = unquote(uri).replace("\\", "/")
    place = posixpath.normpath(posixpath.join(folder, plain))
    if outside or ":" in plain or "\0" in plain or plain.startswith("/") or place.startswith(".."):
        _refuse(
            "external file", f"The model names a file elsewhere, {uri[:80]!r}: only what came with it is ever opened."
        )
    return place


def _data_uri(uri: str, most: int) -> bytes:
    head, comma, body = uri.partition(",")
    if not comma or not head.endswith(";base64"):
        _damaged("a buffer within its description is not in base64")
    if len(body) * 3 // 4 > most + 3:
        _refuse("too large", "A buffer within the description has more bytes than are read.")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        _damaged("a buffer within its description is no base64")


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry if isinstance(entry, dict) else {} for entry in value] if isinstance(value, list) else []


def _damaged(what: str) -> NoReturn:
    _refuse("damaged file", f"The model is damaged: {what}. Download it again.")


def _refuse(reason: str, sentence: str) -> NoReturn:
    raise Unusable(reason, sentence)
