"""JPEG files as Instagram takes them: sRGB, tagged so, full colour resolution, and nothing in them but the picture.

The segments are read by our own parser (ITU-T T.81, Annex B): what an image library ignores would still be published.
"""

import io
import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels
from jewel_assets.promote.exports import formats

_QUALITIES = (92, 90, 88, 86, 84, 82, 80)
_STANDALONE = {0x01, *range(0xD0, 0xD8)}  # TEM, RST0..7: markers without a length
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive (Huffman)


@dataclass(frozen=True)
class Segments:
    """What stands in a JPEG before and after its picture."""

    width: int
    height: int
    components: int
    kinds: tuple[str, ...]  # of what is not needed: "EXIF", "XMP", "IPTC", "comment", "APP4" ...
    profile: bytes | None  # ICC, its chunks joined
    tail: int  # bytes after the end of the image


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """The ICC profile of sRGB (IEC 61966-2-1) as LittleCMS makes it, without date and platform: always the same."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # ICC.1:2022, 7.2: date and time, platform
    profile[40:44] = bytes(4)
    return bytes(profile)


def encode(pixels: Pixels) -> tuple[bytes, int]:
    """The JPEG of (h, w, 3) uint8 sRGB pixels and its quality: 4:4:4, tagged, below the limit of bytes.

    The quality falls in steps from 92 and never below 80; `Permanent` if that is still too large.
    """
    from PIL import Image

    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise Permanent(f"An image is uint8 of shape (height, width, 3), not {pixels.dtype} of shape {pixels.shape}.")
    image = Image.fromarray(pixels, "RGB")
    data = b""
    for quality in _QUALITIES:
        stream = io.BytesIO()
        # Not `optimize`: Pillow then wants the whole file in one buffer, which grainy images overrun (OSError).
        image.save(stream, "JPEG", quality=quality, subsampling=0, icc_profile=srgb_profile())
        data = stream.getvalue()
        if len(data) < formats.JPEG_BYTES:
            return data, quality
    raise Permanent(
        f"The image has {len(data):,} bytes at quality {_QUALITIES[-1]} and less than {formats.JPEG_BYTES:,} are "
        "taken: give it fewer pixels or less grain."
    )


def cleaned(data: bytes) -> tuple[bytes, int | None]:
    """JPEG bytes as they are if they have no fault, else decoded, turned upright, brought to sRGB and encoded anew.

    With the quality, None where the bytes are kept. Raises `Permanent` for what is no JPEG.
    """
    if not faults(data):
        return data, None
    return encode(_decoded(data))


def _decoded(data: bytes) -> Pixels:
    from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as opened:
            image = ImageOps.exif_transpose(opened)
            profile = opened.info.get("icc_profile")
        if profile:
            source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
        return np.asarray(image.convert("RGB"), np.uint8)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, ImageCms.PyCMSError) as error:
        raise Permanent(
            f"The {len(data):,} bytes are no JPEG that can be decoded ({error}): render it again."
        ) from None


def faults(data: bytes, form: str | None = None) -> list[str]:
    """What is wrong with a JPEG for Instagram, each as half a sentence: "it is grey: convert it". Empty for none.

    With `form`, a name of FORMATS or FREE, its size is judged too.
    """
    if len(data) >= formats.JPEG_BYTES:
        return [f"it has {len(data):,} bytes and less than {formats.JPEG_BYTES:,} are taken: save it in lower quality"]
    if not data.startswith(b"\xff\xd8"):
        return ["it is no JPEG: save it as one"]
    try:
        segments = read_segments(data)
    except ValueError as error:
        return [f"it is a damaged JPEG ({error}): render it again"]
    found = []
    if form is not None and (fault := formats.size_fault(segments.width, segments.height, form)):
        found.append(fault)
    if segments.width * segments.height > 4 * formats.WIDEST**2:  # not decoded: no format is as large
        return found or [f"it has {segments.width} x {segments.height} pixels: scale it down"]
    if segments.components != 3:
        space = {1: "grey", 4: "CMYK"}.get(segments.components, f"of {segments.components} channels")
        found.append(f"it is {space} and RGB is taken: convert it to sRGB")
    found += [_metadata_fault(kind, data) for kind in segments.kinds]
    if segments.tail:
        found.append(f"{segments.tail:,} bytes follow the end of the image: save it again")
    if fault := _profile_fault(segments.profile):
        found.append(fault)
    if fault := _picture_fault(data):
        found.append(fault)
    return found


def _metadata_fault(kind: str, data: bytes) -> str:
    if kind == "EXIF" and _has_place(data):
        return "its EXIF data tell the place where it was taken (GPS): save it without"
    return f"it has {kind} data, which are published with it: save it without"


def _has_place(data: bytes) -> bool:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            return bool(image.getexif().get_ifd(0x8825))
    except Exception:  # whatever a broken EXIF block makes Pillow raise: it is a fault by itself
        return False


def _picture_fault(data: bytes) -> str | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"it cannot be decoded ({error}): render it again"
    return None


def _profile_fault(profile: bytes | None) -> str | None:
    if profile is None:
        return "it has no colour profile: tag it as sRGB"
    return _difference_from_srgb(profile)


@lru_cache(maxsize=64)
def _difference_from_srgb(profile: bytes) -> str | None:
    """A profile is sRGB if it shows colours as sRGB does, within a step of 8 bits, whatever it calls itself."""
    from PIL import Image, ImageCms

    steps = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        shown = ImageCms.profileToProfile(Image.fromarray(cube, "RGB"), given, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return "its colour profile is none of RGB, or damaged: convert it to sRGB"
    if shown is None or int(np.abs(np.asarray(shown, np.int16) - cube).max()) > 2:
        return "its colour profile is not sRGB: convert it to sRGB"
    return None


def read_segments(data: bytes) -> Segments:
    """The segments of a JPEG (T.81, B.1 and B.2). Raises ValueError for what is cut off or no sequence of segments."""
    position, size, kinds = 2, None, list[str]()
    chunks: dict[int, bytes] = {}
    while True:
        marker, position = _marker(data, position)
        if marker == 0xD9:
            break
        if marker in _STANDALONE:
            continue
        if position + 2 > len(data):
            raise ValueError("it ends within a segment")
        length = struct.unpack_from(">H", data, position)[0]
        body = data[position + 2 : position + length]
        if length < 2 or position + length > len(data):
            raise ValueError("it ends within a segment")
        position += length
        if marker in _FRAMES:
            if len(body) < 6 or size is not None:
                raise ValueError("its frame header is wrong")
            height, width, components = struct.unpack_from(">xHHB", body)
            size = (width, height, components)
        elif marker == 0xDA:
            position = _after_scan(data, position)
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
            chunks[body[12]] = body[14:]
        elif kind := _kind(marker, body):
            kinds.append(kind)
    if size is None or not size[0] or not size[1]:
        raise ValueError("it has no frame")
    profile = b"".join(chunks[i] for i in sorted(chunks)) if chunks else None
    return Segments(*size, tuple(dict.fromkeys(kinds)), profile, len(data) - position)


def _marker(data: bytes, position: int) -> tuple[int, int]:
    if data[position : position + 1] != b"\xff":
        raise ValueError("a marker is missing" if position < len(data) else "it is cut off")
    while data[position : position + 1] == b"\xff":  # fill bytes
        position += 1
    if position >= len(data):
        raise ValueError("it is cut off")
    return data[position], position + 1


def _after_scan(data: bytes, position: int) -> int:
    """Where the next marker is that ends the entropy-coded data: 0xFF00 is a byte of it, RST0..7 belong to it."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            raise ValueError("it is cut off")
        if data[position + 1] != 0 and data[position + 1] not in _STANDALONE:
            return position
        position += 2


def _kind(marker: int, body: bytes) -> str | None:
    """The name of a segment that the picture does not need."""
    if marker == 0xFE:
        return "comment"
    needed = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}.get(marker)
    if not 0xE0 <= marker <= 0xEF or (needed and body.startswith(needed)):
        return None
    if body.startswith(b"Exif\0"):
        return "EXIF"
    if body.startswith(b"http://ns.adobe.com/"):
        return "XMP"
    if marker == 0xED:
        return "IPTC"
    return f"APP{marker - 0xE0}"
