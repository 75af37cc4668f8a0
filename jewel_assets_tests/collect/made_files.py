"""Picture files made for the tests: good ones, odd ones and bombs."""

import base64
import io
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# 48 x 64 once upright: above red (200, 40, 40), below left blue (40, 40, 200), below right green (40, 160, 40).
# Stored lying, turned by the container (irot) and by an Exif block that says the same and holds a GPS position.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAcltZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ADRpbG9jAAAAAERAAAIAAQAAAAAB7QABAAAAAAAAAMIAAgAAAAACrwABAAAAAAAAAGYAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABCGlwcnAAAADnaXBjbwAAAHdodmNDAQQIAAAA"
    "njgAAAAAHvAA/P/4+AAADwNgAAEAF0ABDAH//wQIAAADAJ44AAADAAAeugJAYQABACpCAQEECAAAAwCeOAAAAwAAHpAEECCy3VyU"
    "1zcBDQYEAAADAGQAAAMABCBiAAEACEQBwXMYMAiQAAAAE2NvbHJuY2x4AAEADQAGgAAAABRpc3BlAAAAAAAAAEAAAABAAAAAKGNs"
    "YXAAAABAAAAAAQAAADAAAAABAAAAAAAAAAL////wAAAAAgAAABBwaXhpAAAAAAMICAgAAAAJaXJvdAMAAAAZaXBtYQAAAAAAAAAB"
    "AAEGgQIDBYSGAAAAGmlyZWYAAAAAAAAADmNkc2MAAgABAAEAAAEwbWRhdAAAAL4oAa8E+HFk07f/f3///9JmOy/sqNqxHb6G//+8"
    "G//3nVkf7oXPwv4QXRvSycx4TE3fFsdJcqi34u/rvcjb/nmbD7K4P+Q7LN+JYf6UbKpwd2wYkrUPtJ/jf2+WJ7Wu+pJD//z3uGP0"
    "47kab7QwH+AUciwE517lCnaN4jTd08jePfltzR7xH1i1makvQxBosVZAT+PptDBo0ShchXrnOR6VB9vC9BsLxnjQK8NKkQ+RpLnD"
    "V/i2perDABnafITwAAAABkV4aWYAAE1NACoAAAAIAAIBEgADAAAAAQAGAACIJQAEAAAAAQAAACYAAAAAAAIAAQACAAAAAk4AAAAA"
    "AgAFAAAAAwAAAEQAAAAAAAAAMwAAAAEAAAAeAAAAAQAAAAAAAAAB"
)

Pixels = NDArray[np.uint8]


def corners(width: int = 80, height: int = 64) -> Image.Image:
    """A picture whose four quarters differ: no turn or flip goes unseen. Smooth enough for JPEG."""
    picture = Image.new("RGB", (width, height), (200, 40, 40))
    picture.paste((40, 160, 40), (width // 2, 0, width, height // 2))
    picture.paste((40, 40, 200), (0, height // 2, width // 2, height))
    picture.paste((220, 220, 220), (width // 2, height // 2, width, height))
    return picture


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def pixels(data: bytes, mode: str = "RGB") -> NDArray[np.int64]:
    return np.asarray(opened(data).convert(mode)).astype(np.int64)


def gps_exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Secret Camera Maker"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 26.0)
    return exif


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, depth: int, colour_type: int, rows: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG of filtered rows; `extra` chunks come before the pixels."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", head), *extra, (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def deep_png(values: NDArray[np.uint16], colour_type: int) -> bytes:
    """A 16-bit PNG of (h, w, channels) values: colour type 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""
    height, width = values.shape[:2]
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in values)
    return png_of(width, height, 16, colour_type, rows)


def bombs(side: int = 20_000) -> dict[str, bytes]:
    """Small files that say they are `side` x `side` pixels (WebP 16,383), and a PNG with a text of 400 MB."""
    jpeg = bytearray(saved(corners(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    gif = bytearray(saved(corners(), "GIF"))
    gif[6:10] = struct.pack("<HH", side, side)
    bitmap = bytearray(saved(corners(), "BMP"))
    bitmap[18:26] = struct.pack("<ii", side, side)
    tiff = bytearray(saved(corners(), "TIFF"))
    directory = struct.unpack_from("<I", tiff, 4)[0]
    for entry in range(struct.unpack_from("<H", tiff, directory)[0]):
        at = directory + 2 + 12 * entry
        if struct.unpack_from("<H", tiff, at)[0] in (256, 257):
            tiff[at + 2 : at + 12] = struct.pack("<HII", 4, 1, side)
    heic = bytearray(HEIC)
    size = heic.index(b"ispe")
    heic[size + 8 : size + 16] = struct.pack(">II", side, side)
    webp = bytearray(saved(corners().convert("RGBA"), "WEBP", lossless=True, exif=gps_exif()))
    canvas = webp.index(b"VP8X") + 12
    webp[canvas : canvas + 6] = (16_382).to_bytes(3, "little") * 2
    still = bytearray(saved(corners(), "WEBP", lossless=True))
    start = still.index(b"VP8L") + 9
    still[start : start + 4] = (16_382 | 16_382 << 14).to_bytes(4, "little")
    rows = bytes((side // 8 + 1) * side)
    text = b"Comment\x00\x00" + _long_zeros(400 << 20)
    return {
        "PNG": png_of(side, side, 1, 0, rows),
        "JPEG": bytes(jpeg),
        "GIF": bytes(gif),
        "TIFF": bytes(tiff),
        "BMP": bytes(bitmap),
        "HEIC": bytes(heic),
        "WebP": bytes(webp),
        "WebP, lossless": bytes(still),
        "PNG text": png_of(40, 40, 8, 0, bytes(41 * 40), (b"zTXt", text)),
    }


def _long_zeros(length: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(length >> 20)) + packer.flush()


def cmyk_profile(lab_of: Callable[[tuple[int, int, int, int]], Sequence[float]]) -> bytes:
    """A printer's ICC profile (lut16Type, ICC.1:2022 10.10) with a Lab colour for each of the 16 full-ink mixes."""
    grid = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    table = b""
    for inks in grid:
        lightness, a, b = lab_of(inks)
        table += struct.pack(">HHH", round(lightness * 652.8), round((a + 128) * 256), round((b + 128) * 256))
    ramp = struct.pack(">HH", 0, 65535)
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = (
        b"mft2\x00\x00\x00\x00" + bytes((4, 3, 2, 0)) + matrix + struct.pack(">HH", 2, 2) + ramp * 4 + table + ramp * 3
    )
    name = "Test inks".encode("utf-16-be")
    text = b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(name), 28) + name
    white = b"XYZ \x00\x00\x00\x00" + struct.pack(">3i", 63190, 65536, 54061)
    tags = {b"desc": text, b"cprt": text, b"wtpt": white, b"A2B0": lut}
    directory, body = struct.pack(">I", len(tags)), b""
    for signature, content in tags.items():
        directory += struct.pack(">4sII", signature, 132 + 12 * len(tags) + len(body), len(content))
        body += content + b"\x00" * (-len(content) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12x4s28x3i48x", 128 + len(directory) + len(body), 0x04300000,
        b"prtr", b"CMYK", b"Lab ", b"acsp", 63190, 65536, 54061,
    )  # fmt: skip
    return head + directory + body
