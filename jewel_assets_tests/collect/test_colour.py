"""Colours of files from outside against the published matrices, computed here a second time."""

import io
import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from jewel_assets.collect import decode_photo
from jewel_assets.collect.colour import (
    ADOBE_RGB_GAMMA,
    ADOBE_RGB_PRIMARIES,
    DISPLAY_P3_PRIMARIES,
    SRGB_CURVE,
    SRGB_PRIMARIES,
    matrix_profile,
    to_srgb,
)
from jewel_assets_tests.collect.made_files import cmyk_profile, corners, opened, pixels, png_chunk, saved

DISPLAY_P3 = matrix_profile(DISPLAY_P3_PRIMARIES, SRGB_CURVE, "Display P3")
ADOBE_RGB = matrix_profile(ADOBE_RGB_PRIMARIES, ADOBE_RGB_GAMMA, "Adobe RGB (1998)")

# Linear RGB to XYZ (D65) as published: IEC 61966-2-1, Adobe RGB (1998) 4.3.5.3, and CSS Color 4 for Display P3.
TO_XYZ = {
    "sRGB": np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]),
    "Adobe RGB": np.array([[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]),
    "Display P3": np.array([[0.48657, 0.26567, 0.19822], [0.22897, 0.69174, 0.07929], [0.0, 0.04511, 1.04394]]),
}


def srgb_curve(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def srgb_linear(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def in_srgb(colour: tuple[int, ...], space: str) -> NDArray[np.float64]:
    """A colour of `space` in sRGB, 0 to 255, cut to the gamut."""
    coded = np.array(colour) / 255
    linear = coded**ADOBE_RGB_GAMMA if space == "Adobe RGB" else srgb_linear(coded)
    return srgb_curve(np.linalg.solve(TO_XYZ["sRGB"], TO_XYZ[space] @ linear)) * 255


def patch(colour: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (40, 40), colour)


COLOURS = [(255, 255, 255), (0, 0, 0), (128, 128, 128), (180, 120, 90), (212, 175, 55), (183, 110, 121), (60, 140, 160)]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("profile", "space"), [(DISPLAY_P3, "Display P3"), (ADOBE_RGB, "Adobe RGB")])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_wide_colours_become_the_right_srgb(
    colour: tuple[int, int, int], profile: bytes, space: str, kind: str
) -> None:
    photo = decode_photo(saved(patch(colour), kind, icc_profile=profile))
    assert photo.colours is not None
    assert space in photo.colours
    assert "converted to sRGB" in photo.changes
    assert "icc_profile" not in opened(photo.data).info
    # JPEG's and WebP's own YCbCr rounding comes twice: before and after.
    assert np.abs(pixels(photo.data)[20, 20] - in_srgb(colour, space)).max() <= (1.5 if kind in ("PNG", "TIFF") else 4)


def test_the_well_known_red_of_srgb_in_wider_spaces() -> None:
    for profile, red in ((ADOBE_RGB, (219, 0, 0)), (DISPLAY_P3, (234, 51, 35))):
        photo = decode_photo(saved(patch(red), "PNG", icc_profile=profile))
        assert np.abs(pixels(photo.data)[0, 0] - (255, 0, 0)).max() <= 2


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        matrix_profile(SRGB_PRIMARIES, SRGB_CURVE, "s"),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_srgb_profile_goes_and_no_pixel_changes(profile: bytes, kind: str) -> None:
    data = saved(corners(), kind, icc_profile=profile)
    photo = decode_photo(data)
    assert photo.changes == ("metadata removed",)
    np.testing.assert_array_equal(pixels(photo.data), pixels(data))
    assert "icc_profile" not in opened(photo.data).info


@pytest.mark.parametrize("profile", [b"nonsense", DISPLAY_P3[:200], cmyk_profile(lambda _: (50, 0, 0))])
def test_a_profile_that_is_broken_or_of_another_kind_is_not_used(profile: bytes) -> None:
    photo = decode_photo(saved(corners(), "PNG", icc_profile=profile))
    assert photo.colours == "profile (not usable)"
    np.testing.assert_array_equal(pixels(photo.data), np.asarray(corners()))


def test_transparency_survives_a_conversion() -> None:
    picture = patch((180, 120, 90, 77), "RGBA")
    photo = decode_photo(saved(picture, "PNG", icc_profile=ADOBE_RGB))
    shown = pixels(photo.data, "RGBA")[0, 0]
    assert shown[3] == 77
    assert np.abs(shown[:3] - in_srgb((180, 120, 90), "Adobe RGB")).max() <= 1.5


def test_palettes_and_greys_are_converted_by_their_profile() -> None:
    palette = patch((180, 120, 90)).quantize(2)
    shown = pixels(decode_photo(saved(palette, "PNG", icc_profile=ADOBE_RGB)).data)[0, 0]
    assert np.abs(shown - in_srgb((180, 120, 90), "Adobe RGB")).max() <= 1.5
    grey = pixels(decode_photo(saved(patch((90,), "L"), "PNG", icc_profile=ADOBE_RGB)).data)[0, 0]
    assert np.abs(grey - in_srgb((90, 90, 90), "Adobe RGB")).max() <= 1.5


def lab_of(inks: tuple[int, int, int, int]) -> tuple[float, float, float]:
    """Inks of our own making: K is black whatever else, the others mix by a rule that no naive formula follows."""
    c, m, y, k = inks
    return (0, 0, 0) if k else (100 - 28 * c - 35 * m - 8 * y, -30 * c + 55 * m - 4 * y, -35 * c - 4 * m + 50 * y)


def lab_in_srgb(lightness: float, a: float, b: float) -> NDArray[np.float64]:
    """CIE 1976 L*a*b* (D50) in sRGB, 0 to 255."""
    fy = (lightness + 16) / 116
    ratios = [f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29) for f in (fy + a / 500, fy, fy - b / 200)]
    xyz_d50 = np.array([0.9642, 1.0, 0.8249]) * ratios
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    cones = bradford @ np.array([0.9505, 1.0, 1.0891]) / (bradford @ np.array([0.9642, 1.0, 0.8249]))
    xyz = np.linalg.solve(bradford, cones * (bradford @ xyz_d50))
    return srgb_curve(np.linalg.solve(TO_XYZ["sRGB"], xyz)) * 255


@pytest.mark.parametrize("inks", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 0, 1, 0), (1, 0, 1, 0), (0, 1, 1, 0), (0, 1, 0, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_with_a_profile_prints_the_right_colour(inks: tuple[int, int, int, int], kind: str) -> None:
    full = (inks[0] * 255, inks[1] * 255, inks[2] * 255, inks[3] * 255)
    photo = decode_photo(saved(patch(full, "CMYK"), kind, icc_profile=cmyk_profile(lab_of)))
    assert photo.colours == "Test inks"
    assert np.abs(pixels(photo.data)[20, 20] - lab_in_srgb(*lab_of(inks))).max() <= 3


def test_cmyk_without_a_profile_is_ideal_inks() -> None:
    photo = decode_photo(saved(patch((51, 102, 0, 51), "CMYK"), "TIFF"))
    assert (photo.colours, photo.changes) == ("CMYK", ("converted to sRGB", "coded anew"))
    assert np.abs(pixels(photo.data)[0, 0] - (163, 122, 204)).max() <= 1


def test_inks_of_a_jpeg_are_inverted_only_with_adobes_mark() -> None:
    adobe = saved(patch((0, 255, 255, 0), "CMYK"), "JPEG", quality=98)  # Pillow writes as Adobe does
    assert b"Adobe" in adobe
    assert np.abs(pixels(decode_photo(adobe).data)[20, 20] - (255, 0, 0)).max() <= 3
    start = adobe.index(b"\xff\xee")
    plain = adobe[:start] + adobe[start + 2 + int.from_bytes(adobe[start + 2 : start + 4], "big") :]
    # The same bytes without the mark: stored 255 0 0 255 now are cyan and black in full.
    assert np.abs(pixels(decode_photo(plain).data)[20, 20]).max() <= 3


def test_a_cameras_adobe_rgb_mark_counts_without_a_profile() -> None:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 0xFFFF, 0xA005: {1: "R03"}}
    photo = decode_photo(saved(patch((180, 120, 90)), "JPEG", exif=exif, quality=98, subsampling=0))
    assert photo.colours == "Adobe RGB (1998)"
    assert np.abs(pixels(photo.data)[20, 20] - in_srgb((180, 120, 90), "Adobe RGB")).max() <= 3


def with_chunk(kind: bytes, content: bytes, colour: tuple[int, int, int]) -> bytes:
    data = saved(patch(colour), "PNG")
    return data[:33] + png_chunk(kind, content) + data[33:]


def test_png_may_name_its_colours_by_cicp_or_gamma() -> None:
    shown = pixels(decode_photo(with_chunk(b"cICP", bytes((12, 13, 0, 1)), (180, 120, 90))).data)[0, 0]
    assert np.abs(shown - in_srgb((180, 120, 90), "Display P3")).max() <= 1.5
    linear = decode_photo(with_chunk(b"gAMA", struct.pack(">I", 100_000), (55, 128, 200)))
    expected = srgb_curve(np.array([55, 128, 200]) / 255) * 255
    assert np.abs(pixels(linear.data)[0, 0] - expected).max() <= 1.5
    usual = with_chunk(b"gAMA", struct.pack(">I", 45_455), (55, 128, 200))
    assert decode_photo(usual).data == usual


def test_lab_pictures_become_srgb() -> None:
    lab = np.full((40, 40, 3), (160, 20, 236), np.uint8)  # L* 62.7, a* +20, b* -20 (signed bytes)
    converted = to_srgb(Image.fromarray(lab, "LAB"), None)
    expected = lab_in_srgb(160 / 2.55, 20, -20)
    assert np.abs(np.asarray(converted.image)[0, 0] - expected).max() <= 3


def test_a_made_profile_is_what_little_cms_understands() -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(DISPLAY_P3)).profile
    assert profile.profile_description == "Display P3"
    assert profile.version == pytest.approx(4.3)
    red = np.array(profile.red_colorant[0])  # XYZ in D50, ICC's own Display P3: 0.51512 0.24120 -0.00105
    assert np.abs(red - (0.51512, 0.24120, -0.00105)).max() < 2e-4
