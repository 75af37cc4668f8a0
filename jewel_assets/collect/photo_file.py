"""A picture file from outside, distrusted, into an upright 8-bit sRGB JPEG, PNG or WebP without metadata.

The header is judged before any pixel is decoded, so that a bomb costs no memory. A file that is already as it should
be keeps its coded picture byte for byte, metadata cut out of the container; any other is coded anew: lossy sources as
JPEG (quality 95, no chroma subsampling), lossless ones and those with transparency as PNG.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jewel_assets.collect import containers
from jewel_assets.collect.colour import Converted, profile_by_gamma, profile_by_name, to_srgb
from jewel_assets.collect.containers import MEDIA_TYPES, Format

if TYPE_CHECKING:
    from PIL import Image

JPEG_QUALITY = 95
_JPEG_MAX_SIDE = 65_500  # libjpeg's limit
_ORIENTATION_TAG = 0x0112
_INTEROPERABILITY_INDEX = 1
_TILE_TAGS = (322, 323)  # TIFF: TileWidth, TileLength


class Refused(Exception):
    """A file that gives no photo. `reason` is short and countable; the message is one sentence with the details."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True)
class PhotoLimits:
    """What is still taken for a photo, in pixels."""

    max_pixels: int = 100_000_000
    max_side: int = 20_000
    min_side: int = 32  # below this there is nothing to see of a piece of jewellery: icons, tracking pixels


@dataclass(frozen=True)
class Photo:
    """What `decode_photo` makes of a file."""

    data: bytes
    media_type: str  # image/jpeg, image/png or image/webp
    width: int  # pixels, upright
    height: int
    original_media_type: str  # by content, whatever its name
    original_width: int  # as stored, before it was turned upright
    original_height: int
    colours: str | None  # what it came in, where it says: "Display P3", "CMYK"
    changes: tuple[str, ...]  # what was done, of: CHANGES
    engine: str


CHANGES = (
    "metadata removed",
    "first frame",
    "turned upright",
    "converted to sRGB",
    "palette resolved",
    "reduced to 8 bits",
    "coded anew",
)


def decode_photo(data: bytes, limits: PhotoLimits | None = None) -> Photo:
    """The photo in the bytes of a JPEG, PNG, WebP, HEIC, GIF, TIFF or BMP file, recognised by content.

    Raises Refused with one of the reasons: "empty file", "not an image", "unsupported format", "truncated", "damaged",
    "too many pixels", "side too long", "too small", "decompression bomb".
    """
    limits = limits or PhotoLimits()
    if not data:
        raise Refused("empty file", "The file has no bytes.")
    kind = containers.sniff(data)
    if kind is None:
        what = containers.describe(data)
        if what in containers.UNSUPPORTED:
            raise Refused("unsupported format", f"The file is {what}: save it as JPEG, PNG, WebP, HEIC or TIFF.")
        raise Refused("not an image", f"The file is {what}, not an image.")
    if kind == "JPEG" and containers.jpeg_scans(data) > containers.MAX_SCANS:
        raise Refused("decompression bomb", f"The JPEG has more than {containers.MAX_SCANS} scans.")
    if kind == "WEBP" and (size := containers.webp_size(data)):
        _judge(*size, limits)
    if kind == "HEIF":
        return _decode_heif(data, limits)
    from PIL import Image, __version__

    with _quiet(kind, data, limits):
        image: Image.Image = Image.open(io.BytesIO(data), formats=[kind])
    _judge(image.width, image.height, limits)
    with _quiet(kind, data, limits):
        for tag in _TILE_TAGS if kind == "TIFF" else ():
            if int(image.tag_v2.get(tag, 0)) > limits.max_side:  # type: ignore[attr-defined]
                raise Refused("side too long", f"The TIFF has tiles longer than {limits.max_side:,} pixels.")
        return _decoded(data, kind, image, f"pillow {__version__}")


def _decoded(data: bytes, kind: Format, image: "Image.Image", engine: str) -> Photo:
    mode = image.mode
    width, height = image.size
    is_animated = kind != "TIFF" and image.format != "MPO" and getattr(image, "is_animated", False)
    orientation = _orientation(image.tag_v2) if kind == "TIFF" else 1  # type: ignore[attr-defined]
    if orientation >= 5:
        width, height = height, width  # Pillow swaps a TIFF's when it reads the header, and turns it when it loads it
    image.load()
    info: dict[str, Any] = {str(key): value for key, value in image.info.items()}
    exif = None
    if kind != "TIFF":
        exif = _exif(image)  # only now: for a PNG it would load the pixels, and we would lose what is wrong with them
        orientation = _orientation(exif)
    picture = _eight_bit(image, info, is_inverted=kind == "JPEG" and mode == "CMYK" and "adobe" not in info)
    if kind != "TIFF":
        picture = _turned(picture, orientation)
    converted = to_srgb(picture, info.get("icc_profile") or _named_profile(data, kind, info, exif))
    changes = {
        "first frame": is_animated,
        "turned upright": 2 <= orientation <= 8,
        "converted to sRGB": converted.changed,
        "palette resolved": mode in ("P", "PA", "1"),
        "reduced to 8 bits": mode.startswith("I;16") or (kind == "PNG" and data[24] == 16) or _is_deep(image, kind),
    }
    original = (MEDIA_TYPES[kind], width, height)
    plain = mode in ("RGB", "L") or (mode == "RGBA" and kind in ("PNG", "WEBP"))
    altered = {name for name, done in changes.items() if done}
    if plain and "transparency" not in info and not altered - ({"first frame"} if kind == "PNG" else set()):
        kept = containers.STRIPPERS[kind](data) if kind in containers.STRIPPERS else None
        if kept is not None:
            changes["metadata removed"] = kept != data
            return _photo(kept, MEDIA_TYPES[kind], converted, changes, original, engine)
    lossy = kind == "JPEG" or (kind == "WEBP" and not containers.webp_is_lossless(data))
    lossy = lossy or (kind == "TIFF" and info.get("compression") in ("jpeg", "tiff_jpeg"))
    return _coded(converted, lossy, changes, original, engine)


def _decode_heif(data: bytes, limits: PhotoLimits) -> Photo:
    import pi_heif

    _judge(*containers.heif_size(data), PhotoLimits(limits.max_pixels, limits.max_side, min_side=0))
    if not containers.heif_items_are_named(data):
        raise Refused("damaged", "The HEIF holds items whose types are no text.")
    with _quiet("HEIF", data, limits):
        file = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        width, height = file.size
    _judge(width, height, limits)
    with _quiet("HEIF", data, limits):
        image = file.to_pillow()
        _judge(image.width, image.height, limits)  # the header may have lied
        info = file.info
        nclx = info.get("nclx_profile") or {}
        cicp = (int(nclx.get("color_primaries", 0)), int(nclx.get("transfer_characteristics", 0)))
        profile = info.get("icc_profile") or profile_by_name(cicp=cicp)
        # libheif has turned the picture: the container's own transformations, not EXIF, are what counts (ISO 23008-12).
        converted = to_srgb(_eight_bit(image, {}), profile)
        changes = {
            "first frame": len(file) > 1,
            "converted to sRGB": converted.changed,
            "reduced to 8 bits": info.get("bit_depth", 8) > 8,
        }
        original = (MEDIA_TYPES["HEIF"], width, height)
        return _coded(converted, True, changes, original, f"pi-heif {pi_heif.__version__}")


def _coded(
    converted: Converted, lossy: bool, changes: dict[str, bool], original: tuple[str, int, int], engine: str
) -> Photo:
    """The picture coded anew, with alpha only where something is transparent."""
    picture = converted.image
    has_alpha = picture.mode in ("LA", "RGBA") and picture.getchannel("A").getextrema()[0] != 255
    picture = picture.convert("RGBA" if has_alpha else "RGB")
    picture.info = {}  # Pillow would write comments and profiles from here
    stream = io.BytesIO()
    if lossy and not has_alpha and max(picture.size) <= _JPEG_MAX_SIDE:
        media_type = "image/jpeg"
        picture.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    else:
        media_type = "image/png"
        picture.save(stream, "PNG", compress_level=6)
    return _photo(stream.getvalue(), media_type, converted, changes | {"coded anew": True}, original, engine)


def _photo(
    data: bytes,
    media_type: str,
    converted: Converted,
    changes: dict[str, bool],
    original: tuple[str, int, int],
    engine: str,
) -> Photo:
    return Photo(
        data=data,
        media_type=media_type,
        width=converted.image.width,
        height=converted.image.height,
        original_media_type=original[0],
        original_width=original[1],
        original_height=original[2],
        colours=converted.name,
        changes=tuple(name for name in CHANGES if changes.get(name)),
        engine=engine,
    )


def _judge(width: int, height: int, limits: PhotoLimits) -> None:
    size = f"The image is {width:,} x {height:,} pixels"
    if width * height > limits.max_pixels:
        raise Refused("too many pixels", f"{size}; the limit is {limits.max_pixels:,} (JEWEL_MAX_IMAGE_PIXELS).")
    if max(width, height) > limits.max_side:
        raise Refused("side too long", f"{size}; the limit is {limits.max_side:,} (JEWEL_MAX_IMAGE_SIDE).")
    if min(width, height) < limits.min_side:
        raise Refused("too small", f"{size}; at least {limits.min_side} on each side are needed.")


@contextmanager
def _quiet(kind: Format, data: bytes, limits: PhotoLimits) -> Iterator[None]:
    """Decode within our own limits, without warnings, every complaint of a decoder turned into Refused."""
    from PIL import Image

    # Pillow's own guard, of the whole process, is at 89 million: it is raised to what the user allows, never lowered.
    if Image.MAX_IMAGE_PIXELS is not None:
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, limits.max_pixels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Refused, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(
            "too many pixels", f"The image has more than {limits.max_pixels:,} pixels (JEWEL_MAX_IMAGE_PIXELS)."
        ) from None
    except Exception as error:
        # Decoders meet hostile bytes with nearly every kind of exception; whichever it is, this file gives no photo.
        message = str(error) or type(error).__name__
        if "MAX_TEXT" in message:
            raise Refused("decompression bomb", "The PNG holds a text that unpacks to megabytes.") from error
        told = message.splitlines()[0][:200]
        if containers.is_cut_short(data, kind) or _tells_of_missing_bytes(message):
            raise Refused("truncated", f"The {kind} ends before its picture does ({told}).") from error
        raise Refused("damaged", f"The {kind} cannot be decoded ({told}).") from error


def _tells_of_missing_bytes(message: str) -> bool:
    spelled = message.lower()
    return any(words in spelled for words in ("truncated", "end of file", "end-of-file", "unexpected end", "eof"))


def _eight_bit(image: "Image.Image", info: dict[str, Any], is_inverted: bool = False) -> "Image.Image":
    """The picture in mode L, LA, RGB, RGBA, CMYK or LAB: palettes resolved, 16 bit scaled, colour keys made alpha."""
    from PIL import Image, ImageChops

    mode = image.mode
    if mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))
    if mode in ("I", "F"):
        raise Refused("unsupported format", "The image has 32-bit or floating-point pixels: save it with 8 or 16 bits.")
    if is_inverted:  # Pillow takes every CMYK JPEG for Adobe's, whose inks are inverted; only those with its mark are
        return ImageChops.invert(image)
    if mode == "P":
        return image.convert("RGBA" if "transparency" in info else "RGB")
    if mode in ("1", "L") and "transparency" in info:
        return image.convert("RGBA")
    if mode == "RGB" and "transparency" in info:
        return image.convert("RGBA")
    straight = {"1": "L", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}
    return image.convert(straight[mode]) if mode in straight else image


def _is_deep(image: "Image.Image", kind: Format) -> bool:
    """Whether a TIFF has samples of more than 8 bits."""
    if kind != "TIFF":
        return False
    bits = image.tag_v2.get(258, (1,))  # type: ignore[attr-defined]
    return any(depth > 8 for depth in (bits if isinstance(bits, tuple) else (bits,)))


def _exif(image: "Image.Image") -> Any | None:
    try:
        return image.getexif()
    except Exception:  # broken EXIF is no reason to lose the picture: it is thrown away anyway
        return None


def _orientation(exif: Any | None) -> int:
    value = exif.get(_ORIENTATION_TAG, 1) if exif is not None else 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _turned(image: "Image.Image", orientation: int) -> "Image.Image":
    """Upright, by Exif's orientation 1 to 8 (CIPA DC-008, 4.6.5.1)."""
    from PIL.Image import Transpose

    ways = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(ways[orientation]) if orientation in ways else image


def _named_profile(data: bytes, kind: Format, info: dict[str, Any], exif: Any | None) -> bytes | None:
    """The profile that a file without one means: PNG's cICP, or gAMA and cHRM; a camera's Adobe RGB mark in Exif."""
    if kind == "PNG":
        for name, start, _ in containers.png_chunks(data) or ():
            if name == b"cICP":
                return profile_by_name(cicp=(data[start + 8], data[start + 9]))
        return None if "srgb" in info else profile_by_gamma(info.get("gamma"), info.get("chromaticity"))
    if kind == "JPEG" and exif is not None:
        from PIL.ExifTags import IFD

        try:
            index = exif.get_ifd(IFD.Interop).get(_INTEROPERABILITY_INDEX)
        except Exception:  # as above
            return None
        return profile_by_name(adobe_rgb=str(index).strip("\x00 ") == "R03")
    return None
