"""Image files as containers: what a file is by its first bytes, how large by its header, and without its metadata.

The functions that strip change no pixel: they copy the coded picture byte for byte and leave out EXIF (GPS, serial
numbers, thumbnails), XMP, IPTC, comments, colour profiles and whatever follows the end of the picture. They return None
for a file that they do not understand to the last byte; it is then coded anew. Sources: ITU-T T.81 annex B (JPEG), the
PNG specification 3rd edition section 5 (PNG), RFC 9649 (WebP).
"""

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Literal

Format = Literal["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF"]

MEDIA_TYPES: dict[Format, str] = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "HEIF": "image/heic",
}

MAX_SCANS = 200
"""Scans of a progressive JPEG. Encoders write some ten; each costs a pass over all pixels: thousands are a bomb."""

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_OTHERS: tuple[tuple[int, bytes, str], ...] = (  # offset, bytes, what it is: to refuse with a good sentence
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftypavis", "an AVIF image"),
    (4, b"ftypcr3", "a camera raw file"),
    (4, b"ftyp", "a video"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"MZ", "a program"),
    (0, b"\x7fELF", "a program"),
)
_TEXTS = ((b"<!doctype html", "a web page"), (b"<html", "a web page"), (b"<svg", "an SVG drawing"), (b"<?xml", "XML"))
UNSUPPORTED = {"an AVIF image", "a JPEG XL image", "a JPEG 2000 image", "a Photoshop document", "a camera raw file"}
"""Pictures, but of a kind that is not read."""


def sniff(data: bytes) -> Format | None:
    """The format by the first bytes, or None for what is none of ours. Names and declared types are not believed."""
    head = data[:16]
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    # "BM" may begin a text: the header that follows must have one of the sizes that there are.
    if head.startswith(b"BM") and len(data) >= 18 and data[14] in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    if head[4:8] == b"ftyp" and (head[8:12] in _HEIF_BRANDS):
        return "HEIF"
    return None


def describe(data: bytes) -> str:
    """What a file that is none of our formats seems to be, for a sentence: "a web page", "a PDF document", "text"."""
    for offset, magic, what in _OTHERS:
        if data[offset : offset + len(magic)] == magic:
            return what
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, what in _TEXTS:
        if start.startswith(magic):
            return what
    try:
        text = data[:1024].decode("utf-8", "strict" if len(data) <= 1024 else "ignore")
    except UnicodeDecodeError:
        return "of no kind that we know"
    return "text" if all(char.isprintable() or char.isspace() for char in text) else "of no kind that we know"


# --- JPEG ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Segment:
    marker: int
    start: int  # of its 0xFF
    end: int  # after its data, for a scan after its entropy-coded bytes


_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _jpeg_segments(data: bytes) -> list[_Segment] | None:
    """The segments from SOI to EOI, or None where the file is not built like that or ends before EOI."""
    segments = []
    position = 2
    while True:
        start = position
        if position + 2 > len(data) or data[position] != 0xFF:
            return None
        while position < len(data) and data[position] == 0xFF:  # fill bytes
            position += 1
        if position >= len(data):
            return None
        marker = data[position]
        position += 1
        if marker == 0xD9:
            segments.append(_Segment(marker, start, position))
            return segments
        if marker == 0x01 or 0xD0 <= marker <= 0xD8 or marker == 0x00 or position + 2 > len(data):
            return None
        length = int.from_bytes(data[position : position + 2], "big")
        position += length
        if length < 2 or position > len(data):
            return None
        if marker == 0xDA:  # the coded pixels follow: until a marker that is neither stuffing nor a restart
            found = _JPEG_MARKER.search(data, position)
            if found is None:
                return None
            position = found.start()
        segments.append(_Segment(marker, start, position))


def jpeg_scans(data: bytes) -> int:
    """How many scans a JPEG has (at least; 0 where its structure is broken)."""
    return sum(segment.marker == 0xDA for segment in _jpeg_segments(data) or ())


def strip_jpeg(data: bytes) -> bytes | None:
    """A baseline or progressive 8-bit JPEG of one or three components without metadata; None for any other.

    Kept are JFIF's header (without thumbnail) and Adobe's, which say how the components are coded.
    """
    segments = _jpeg_segments(data)
    if segments is None:
        return None
    parts = [b"\xff\xd8"]
    frames = 0
    for segment in segments:
        payload = data[segment.start : segment.end].lstrip(b"\xff")[3:]
        if segment.marker in (0xC0, 0xC1, 0xC2):
            if len(payload) < 6 or payload[0] != 8 or payload[5] not in (1, 3):
                return None
            frames += 1
        elif 0xC3 <= segment.marker <= 0xCF and segment.marker not in (0xC4, 0xC8):
            return None  # lossless, hierarchical or arithmetic: readers differ
        elif segment.marker == 0xE0:
            if payload.startswith(b"JFIF\x00") and len(payload) >= 14:
                parts.append(b"\xff\xe0\x00\x10" + payload[:12] + b"\x00\x00")
            continue
        elif segment.marker == 0xEE:
            if not payload.startswith(b"Adobe") or len(payload) < 12:
                continue
        elif 0xE1 <= segment.marker <= 0xEF or segment.marker == 0xFE:
            continue
        parts.append(data[segment.start : segment.end])
    return b"".join(parts) if frames == 1 else None


# --- PNG ----------------------------------------------------------------------------------------------------------

_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"sBIT", b"bKGD"}


def png_chunks(data: bytes) -> list[tuple[bytes, int, int]] | None:
    """(type, start, end) of each chunk up to IEND, or None where the file is not built like that or ends before."""
    chunks = []
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            return None
        chunks.append((kind, position, end))
        if kind == b"IEND":
            return chunks
        position = end
    return None


def strip_png(data: bytes) -> bytes | None:
    """A PNG with its picture only: no text, time, EXIF, profile or animation. None where a checksum is wrong."""
    chunks = png_chunks(data)
    if chunks is None:
        return None
    parts = [data[:8]]
    for kind, start, end in chunks:
        if kind not in _PNG_KEPT:
            if not kind[0] & 0x20:
                return None  # a critical chunk that we do not know
            continue
        # Other readers look at the checksums of the pixels, Pillow does not.
        if zlib.crc32(memoryview(data)[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return None
        parts.append(data[start:end])
    return b"".join(parts)


# --- WebP ---------------------------------------------------------------------------------------------------------


def _webp_chunks(data: bytes) -> list[tuple[bytes, int, int]] | None:
    """(type, start of its data, end of its data) of each chunk, or None where the file is cut short."""
    total = 8 + int.from_bytes(data[4:8], "little")
    if total > len(data) + 1:  # some writers count a padding byte that is not there
        return None
    chunks = []
    position = 12
    while position + 8 <= min(total, len(data)):
        kind, length = struct.unpack_from("<4sI", data, position)
        end = position + 8 + length
        if end > len(data):
            return None
        chunks.append((kind, position + 8, end))
        position = end + (length & 1)
    return chunks


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height (pixels) by the header; None where there is none. Pillow would first allocate the canvas."""
    for kind, start, end in _webp_chunks(data[:64] if len(data) < 12 else data) or ():
        body = data[start : min(end, start + 10)]
        if kind == b"VP8X" and len(body) >= 10:
            return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        if kind == b"VP8 " and len(body) >= 10:
            return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
        if kind == b"VP8L" and len(body) >= 5:
            bits = int.from_bytes(body[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None


def webp_is_lossless(data: bytes) -> bool:
    """Whether the (first) picture is coded without loss."""
    for kind, start, _ in _webp_chunks(data) or ():
        if kind == b"ANMF":  # a frame: 16 bytes of where and how long, then chunks of its own
            return data[start + 16 : start + 20] == b"VP8L"
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8L"
    return False


def strip_webp(data: bytes) -> bytes | None:
    """A still WebP without EXIF, XMP and profile; None for an animated or broken one."""
    chunks = _webp_chunks(data)
    if not chunks or any(kind in (b"ANIM", b"ANMF") for kind, _, _ in chunks):
        return None
    body = b""
    for kind, start, end in chunks:
        content = data[start:end]
        if kind == b"VP8X":
            content = bytes([content[0] & 0x10]) + content[1:]  # of its flags only "has alpha" stays true
        elif kind not in (b"VP8 ", b"VP8L", b"ALPH"):
            continue
        body += struct.pack("<4sI", kind, len(content)) + content + b"\x00" * (len(content) & 1)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def heif_size(data: bytes) -> tuple[int, int]:
    """The largest width and height (pixels) of any picture coded in a HEIF file, by its `ispe` boxes; 0, 0 without.

    What is shown may be cropped to a few pixels while what must be decoded is huge (ISO/IEC 23008-12, 6.5.3 and 6.5.9).
    """
    largest, position = (0, 0), -1
    while (position := data.find(b"\x00\x00\x00\x14ispe", position + 1)) >= 0:
        if position + 20 <= len(data):
            width, height = struct.unpack_from(">II", data, position + 12)
            largest = max(largest, (width, height), key=lambda size: size[0] * size[1])
    return largest


def heif_items_are_named(data: bytes) -> bool:
    """Whether types and names of all items are text, as ISO/IEC 14496-12, 8.11.6 wants: pi-heif crashes where not."""
    position = -1
    while (position := data.find(b"infe", position + 1)) >= 0:
        size = int.from_bytes(data[max(0, position - 4) : position], "big")
        # version and flags (4 bytes), item ID (2, from version 3 on 4), protection index (2), type (4), texts
        start = position + (14 if data[position + 4 : position + 5] == b"\x03" else 12)
        texts = data[start : position - 4 + size]
        if not 20 <= size <= 4096 or position - 4 + size > len(data):
            continue  # four letters among the pixels
        try:
            texts.decode("utf-8")
        except UnicodeDecodeError:
            return False
    return True


STRIPPERS = {"JPEG": strip_jpeg, "PNG": strip_png, "WEBP": strip_webp}


def is_cut_short(data: bytes, kind: Format) -> bool:
    """Whether the container says that bytes are missing at its end. False also where it cannot tell."""
    if kind == "JPEG":
        return _jpeg_segments(data) is None and b"\xff\xd9" not in data[-65536:]
    if kind == "PNG":
        return png_chunks(data) is None
    if kind == "WEBP":
        return _webp_chunks(data) is None
    if kind == "GIF":
        return b"\x3b" not in data[-16:]
    if kind == "BMP":
        return int.from_bytes(data[2:6], "little") > len(data)
    return False
