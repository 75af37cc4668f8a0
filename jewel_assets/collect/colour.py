"""Colours from outside into sRGB: ICC profiles, and the colour spaces that files name without a profile.

Pictures are Pillow images; transforms are Little CMS's, relative colorimetric with black point compensation, as
photographers' programs do it. Where a file says nothing, RGB and grey mean sRGB (W3C CSS Color 4, section 10.1).
"""

import io
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

SRGB_TOLERANCE = 2
"""A profile that moves no colour by more than this (8-bit levels) is one of the many spellings of sRGB."""

# Primaries (x, y) of red, green, blue; all with white D65, x y = 0.3127 0.3290.
SRGB_PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))  # IEC 61966-2-1
ADOBE_RGB_PRIMARIES = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))  # Adobe RGB (1998), 4.3.1
DISPLAY_P3_PRIMARIES = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))  # SMPTE EG 432-1
BT2020_PRIMARIES = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))  # ITU-R BT.2020
D65 = (0.3127, 0.3290)
ADOBE_RGB_GAMMA = 563 / 256  # Adobe RGB (1998), 4.3.4.2
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # ICC parametric type 3: g, a, b, c, d

_CICP_PRIMARIES = {1: SRGB_PRIMARIES, 9: BT2020_PRIMARIES, 12: DISPLAY_P3_PRIMARIES}  # ITU-T H.273, table 2
_PROFILE_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


@dataclass(frozen=True)
class Converted:
    """A picture in sRGB and what was done: `name` of the colours it came in, `changed` whether any pixel could be."""

    image: "Image.Image"
    name: str | None
    changed: bool


def to_srgb(image: "Image.Image", profile: bytes | None) -> Converted:
    """An 8-bit L, LA, RGB, RGBA, CMYK or LAB picture in sRGB: mode L or RGB, with A where it had alpha.

    `profile` is the ICC profile that belongs to it. One that is broken, or is of another kind than the pixels, is not
    used: the name then ends in "(not usable)". CMYK without a profile is taken for ideal inks, R = (1 - C)(1 - K).
    """
    from PIL import Image

    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    colour = image.convert(image.mode[:-1]) if alpha is not None else image
    name = None
    changed = False
    found = _transform(profile, colour.mode) if profile else None
    if found is not None:
        name = found.name
        if not found.is_srgb:
            changed = True
            colour = found.apply(colour)
    elif profile:
        name = "profile (not usable)"
    if colour.mode not in ("L", "RGB"):
        name = name or colour.mode
        colour = _from_lab(colour) if colour.mode == "LAB" else colour.convert("RGB")
        changed = True
    if alpha is not None:
        colour = Image.merge("LA" if colour.mode == "L" else "RGBA", [*colour.split(), alpha])
    return Converted(colour, name, changed)


def matrix_profile(
    primaries: tuple[tuple[float, float], ...],
    curve: float | tuple[float, ...],
    name: str,
    white: tuple[float, float] = D65,
) -> bytes:
    """An ICC version 4 display profile: CIE xy of red, green, blue and white; `curve` a gamma or ICC's type 3 numbers.

    ICC.1:2022, sections 7.2, 9.2, 10.18 and annexes E and F.3: the primaries' XYZ are scaled so that they add up to the
    white, and adapted to D50 by Bradford's matrix.
    """

    def xyz(x: float, y: float) -> list[float]:
        return [x / y, 1.0, (1 - x - y) / y]

    basis = np.array([xyz(*primary) for primary in primaries]).T  # columns: R, G, B
    to_xyz = basis * np.linalg.solve(basis, xyz(*white))
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d50 = np.array([0.9642, 1.0, 0.8249])
    cones = (bradford @ d50) / (bradford @ np.array(xyz(*white)))
    to_d50 = np.linalg.solve(bradford, cones[:, None] * bradford) @ to_xyz

    def fixed(values: Any) -> bytes:
        return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)

    def text(value: str) -> bytes:
        coded = value.encode("utf-16-be")
        return b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(coded), 28) + coded

    numbers = (curve,) if isinstance(curve, float | int) else curve
    tone = b"para" + struct.pack(">4xHxx", 3 if len(numbers) == 5 else 0) + fixed(numbers)
    tags = {
        b"desc": text(name),
        b"cprt": text("No copyright, use freely"),
        b"wtpt": b"XYZ \x00\x00\x00\x00" + fixed(d50),
        **{kind + b"XYZ": b"XYZ \x00\x00\x00\x00" + fixed(to_d50[:, i]) for i, kind in enumerate((b"r", b"g", b"b"))},
        **{kind + b"TRC": tone for kind in (b"r", b"g", b"b")},
    }
    table, body = struct.pack(">I", len(tags)), b""
    for signature, content in tags.items():
        table += struct.pack(">4sII", signature, 128 + 4 + 12 * len(tags) + len(body), len(content))
        body += content + b"\x00" * (-len(content) % 4)
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4xI4s4s4s12x4s", size, 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp") + b"\x00" * 28
    return header + fixed(d50) + b"\x00" * (128 - len(header) - 12) + table + body


def profile_by_name(adobe_rgb: bool = False, cicp: tuple[int, int] | None = None) -> bytes | None:
    """A profile for what a file says without one, or None where that is sRGB or nothing we know.

    `adobe_rgb`: Exif's interoperability index "R03" (DCF 2.0 optional colour space). `cicp`: primaries and transfer
    function by ITU-T H.273, as in HEIF's `nclx` and PNG's `cICP`; only standard-range transfer functions are known.
    """
    if adobe_rgb:
        return matrix_profile(ADOBE_RGB_PRIMARIES, ADOBE_RGB_GAMMA, "Adobe RGB (1998)")
    if cicp and cicp[0] in (9, 12) and cicp[1] in (1, 6, 13, 14, 15):
        name = {9: "BT.2020", 12: "Display P3"}[cicp[0]]
        return matrix_profile(_CICP_PRIMARIES[cicp[0]], SRGB_CURVE, name)
    return None


def profile_by_gamma(gamma: float | None, chromaticity: tuple[float, ...] | None) -> bytes | None:
    """A profile for PNG's gAMA (as 0.45455) and cHRM (x y of white, red, green, blue); None where it is sRGB."""
    if not gamma or not 0.1 <= gamma <= 10:
        return None
    white, primaries = D65, SRGB_PRIMARIES
    if chromaticity and len(chromaticity) == 8 and all(0 < value < 1 for value in chromaticity):
        pairs = [(float(x), float(y)) for x, y in zip(chromaticity[::2], chromaticity[1::2], strict=True)]
        white, primaries = pairs[0], (pairs[1], pairs[2], pairs[3])
    else:
        chromaticity = None
    known = (*D65, *(number for pair in SRGB_PRIMARIES for number in pair))
    is_srgb = chromaticity is None or max(abs(a - b) for a, b in zip(chromaticity, known, strict=True)) < 0.01
    # 1/2.2 is how sRGB's curve is written in gAMA; applied to the letter it would move dark tones for nothing.
    if is_srgb and abs(gamma - 0.45455) < 0.01:
        return None
    try:
        return matrix_profile(primaries, SRGB_CURVE if abs(gamma - 0.45455) < 0.01 else 1 / gamma, "gAMA", white)
    except np.linalg.LinAlgError:
        return None


@dataclass(frozen=True)
class _Transform:
    name: str
    is_srgb: bool
    source_mode: str
    cms: Any

    def apply(self, image: "Image.Image") -> "Image.Image":
        from PIL import ImageCms

        source = image if image.mode == self.source_mode else image.convert(self.source_mode)
        converted = ImageCms.applyTransform(source, self.cms)
        assert converted is not None  # it is None only for in-place transforms
        return converted


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> _Transform | None:
    """The way from a profile to sRGB for pixels of `mode`; None for a profile that is broken or of another kind."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        source_mode = _PROFILE_SPACES.get(source.profile.xcolor_space.strip(), "")
        if source_mode != mode and (mode, source_mode) != ("L", "RGB"):
            return None
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        srgb = ImageCms.createProfile("sRGB")
        cms = ImageCms.buildTransform(source, srgb, source_mode, "RGB", renderingIntent=intent, flags=flags)
        name = (ImageCms.getProfileDescription(source) or "").strip() or "unnamed profile"
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    found = _Transform(name, False, source_mode, cms)
    return _Transform(name, _changes_nothing(found), source_mode, cms)


def _changes_nothing(transform: _Transform) -> bool:
    """Whether the transform leaves a grid of colours (all greys of a grey profile) within SRGB_TOLERANCE."""
    from PIL import Image

    if transform.source_mode == "L":
        greys = np.arange(256, dtype=np.uint8)[None]
        probe, expected = Image.fromarray(greys), np.repeat(greys[..., None], 3, axis=2)
    elif transform.source_mode == "RGB":
        levels = np.arange(0, 256, 15, dtype=np.uint8)
        expected = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(1, -1, 3)
        probe = Image.fromarray(expected)
    else:
        return False
    moved = np.asarray(transform.apply(probe)).astype(int) - expected
    return bool(np.abs(moved).max() <= SRGB_TOLERANCE)


def _from_lab(image: "Image.Image") -> "Image.Image":
    from PIL import ImageCms

    converted = ImageCms.profileToProfile(
        image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert converted is not None
    return converted
