"""Files from outside: what is kept, what is coded anew, what is refused."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from jewel_assets.collect import PhotoLimits, Refused, decode_photo
from jewel_assets.images import decode
from jewel_assets_tests.collect.made_files import (
    HEIC,
    bombs,
    corners,
    deep_png,
    gps_exif,
    opened,
    pixels,
    png_of,
    saved,
)

SECRETS = (b"Secret", b"Exif", b"GPS", b"http://ns.adobe.com", b"ICC_PROFILE", b"iCCP", b"eXIf", b"tEXt", b"XMP ")


def refusal(data: bytes, limits: PhotoLimits | None = None) -> str:
    with pytest.raises(Refused) as refused:
        decode_photo(data, limits)
    assert str(refused.value).endswith(".")
    return refused.value.reason


def assert_clean(data: bytes) -> None:
    """No metadata in the bytes, and OpenCV reads them as Pillow does."""
    for secret in SECRETS:
        assert secret not in data
    assert not opened(data).getexif()
    assert np.abs(decode(data).astype(int) - pixels(data)).max() <= 3


# --- kept ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "mode", "options", "media_type"),
    [
        ("JPEG", "RGB", {}, "image/jpeg"),
        ("JPEG", "RGB", {"progressive": True, "subsampling": 2}, "image/jpeg"),
        ("JPEG", "L", {}, "image/jpeg"),
        ("JPEG", "RGB", {"keep_rgb": True}, "image/jpeg"),
        ("PNG", "RGB", {}, "image/png"),
        ("PNG", "RGBA", {}, "image/png"),
        ("PNG", "L", {}, "image/png"),
        ("WEBP", "RGB", {}, "image/webp"),
        ("WEBP", "RGBA", {"lossless": True}, "image/webp"),
    ],
)
def test_a_plain_file_keeps_its_bytes(kind: str, mode: str, options: dict[str, object], media_type: str) -> None:
    data = saved(corners().convert(mode), kind, **options)
    photo = decode_photo(data)
    assert photo.data == data
    assert (photo.media_type, photo.width, photo.height, photo.changes) == (media_type, 80, 64, ())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_removable_metadata_is_cut_out_and_no_pixel_changes(kind: str) -> None:
    options: dict[str, object] = {"exif": gps_exif(), "xmp": b"<x:xmpmeta Secret='1'/>"} if kind != "PNG" else {}
    if kind == "JPEG":
        options["comment"] = b"Secret comment"
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", "Secret")
        text.add_itxt("XML:com.adobe.xmp", "Secret")
        options = {"pnginfo": text, "exif": gps_exif()}
    data = saved(corners(), kind, **options) + b"Secret trailer"
    assert b"Secret" in data
    photo = decode_photo(data)
    assert photo.changes == ("metadata removed",)
    np.testing.assert_array_equal(pixels(photo.data), pixels(data))
    assert_clean(photo.data)


def test_a_jpeg_keeps_the_marks_that_say_how_its_components_are_coded() -> None:
    data = saved(corners(), "JPEG", keep_rgb=True, exif=gps_exif())
    np.testing.assert_array_equal(pixels(decode_photo(data).data), pixels(data))


def test_the_thumbnail_of_a_jfif_header_goes() -> None:
    data = saved(corners(), "JPEG")
    assert data[2:4] == b"\xff\xe0"
    thumbnail = b"\xff\xe0" + struct.pack(">H", 16 + 3) + data[6:18] + b"\x01\x01" + b"\x07\x08\x09"
    stripped = decode_photo(data[:2] + thumbnail + data[20:]).data
    assert stripped == data


def test_a_png_with_a_wrong_checksum_is_coded_anew_so_that_every_reader_takes_it() -> None:
    data = bytearray(saved(corners(), "PNG"))
    end = data.index(b"IEND") - 8  # the last bytes before IEND's length: the checksum of IDAT
    data[end] ^= 0xFF
    photo = decode_photo(bytes(data))
    assert photo.changes == ("coded anew",)
    np.testing.assert_array_equal(decode(photo.data), np.asarray(corners()))


# --- turned -------------------------------------------------------------------------------------------------------

_WAYS_BACK = {  # what a camera held that way stores, so that the orientation shows `corners()`
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_give_the_same_upright_picture(kind: str, orientation: int) -> None:
    way = _WAYS_BACK[orientation]
    stored = corners() if way is None else corners().transpose(way)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    photo = decode_photo(saved(stored, kind, exif=gps_exif(orientation), **options))
    assert (photo.width, photo.height) == (80, 64)
    assert (photo.original_width, photo.original_height) == stored.size
    assert ("turned upright" in photo.changes) == (orientation != 1)
    assert np.abs(pixels(photo.data) - np.asarray(corners()).astype(int)).max() <= (4 if kind == "JPEG" else 0)
    assert_clean(photo.data)


@pytest.mark.parametrize("exif", [b"Exif\x00\x00garbage", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00"])
def test_broken_exif_costs_no_picture(exif: bytes) -> None:
    assert decode_photo(saved(corners(), "JPEG", exif=exif)).changes == ("metadata removed",)


# --- converted ----------------------------------------------------------------------------------------------------


def test_heic_becomes_an_upright_jpeg_without_gps() -> None:
    photo = decode_photo(HEIC)
    assert (photo.original_media_type, photo.media_type) == ("image/heic", "image/jpeg")
    assert (photo.width, photo.height) == (48, 64)
    shown = pixels(photo.data)
    for (x, y), colour in {(24, 8): (200, 40, 40), (6, 56): (40, 40, 200), (42, 56): (40, 160, 40)}.items():
        assert np.abs(shown[y, x] - colour).max() <= 3
    assert_clean(photo.data)


@pytest.mark.parametrize(
    ("kind", "options", "media_type"),
    [
        ("GIF", {}, "image/png"),
        ("BMP", {}, "image/png"),
        ("TIFF", {}, "image/png"),
        ("TIFF", {"compression": "tiff_lzw"}, "image/png"),
        ("TIFF", {"compression": "jpeg", "quality": 98}, "image/jpeg"),
    ],
)
def test_lossless_sources_become_png_and_lossy_ones_jpeg(
    kind: str, options: dict[str, object], media_type: str
) -> None:
    photo = decode_photo(saved(corners(), kind, **options))
    assert photo.media_type == media_type
    assert photo.original_media_type == f"image/{kind.lower()}"
    assert np.abs(pixels(photo.data) - np.asarray(corners()).astype(int)).max() <= (
        6 if media_type == "image/jpeg" else 0
    )


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bit_png_becomes_eight_bit(channels: int) -> None:
    values = np.linspace(0, 65535, 64 * 64 * channels).reshape(64, 64, channels).astype(np.uint16)
    photo = decode_photo(deep_png(values, {1: 0, 2: 4, 3: 2, 4: 6}[channels]))
    assert "reduced to 8 bits" in photo.changes
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    expected = np.rint(values.astype(float) / 257)
    assert np.abs(pixels(photo.data, mode).reshape(64, 64, channels) - expected).max() <= 1


def test_sixteen_bit_tiff_becomes_eight_bit() -> None:
    grey = np.linspace(0, 65535, 4096).reshape(64, 64).astype(np.uint16)
    photo = decode_photo(saved(Image.fromarray(grey), "TIFF"))
    assert "reduced to 8 bits" in photo.changes
    assert np.abs(pixels(photo.data, "L") - np.rint(grey / 257.0)).max() <= 1


def test_palettes_grey_and_their_transparency_are_resolved() -> None:
    palette = corners().quantize(8)
    assert decode_photo(saved(palette, "PNG")).media_type == "image/png"
    np.testing.assert_array_equal(pixels(decode_photo(saved(palette, "PNG")).data), np.asarray(palette.convert("RGB")))
    index = palette.getpixel((0, 0))
    for kind in ("PNG", "GIF"):
        photo = decode_photo(saved(palette, kind, transparency=index))
        assert opened(photo.data).mode == "RGBA"
        alpha = pixels(photo.data, "RGBA")[..., 3]
        assert (alpha[5, 5], alpha[60, 70]) == (0, 255)
    keyed = decode_photo(saved(corners(), "PNG", transparency=(200, 40, 40)))
    assert pixels(keyed.data, "RGBA")[5, 5, 3] == 0
    faded = Image.merge("LA", [corners().convert("L"), Image.linear_gradient("L").resize((80, 64))])
    assert opened(decode_photo(saved(faded, "PNG")).data).mode == "RGBA"
    ink = decode_photo(saved(corners().convert("1"), "PNG"))
    assert set(np.unique(pixels(ink.data))) == {0, 255}


def test_an_alpha_that_hides_nothing_goes_when_a_file_is_coded_anew() -> None:
    assert opened(decode_photo(saved(corners().convert("RGBA"), "TIFF")).data).mode == "RGB"
    half = corners().convert("RGBA")
    half.putalpha(128)
    assert pixels(decode_photo(saved(half, "TIFF")).data, "RGBA")[0, 0, 3] == 128


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_stays(kind: str) -> None:
    second = Image.new("RGB", (80, 64), (0, 0, 0))
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = decode_photo(saved(corners(), kind, save_all=True, append_images=[second], **options))
    assert "first frame" in photo.changes
    assert getattr(opened(photo.data), "n_frames", 1) == 1
    np.testing.assert_array_equal(pixels(photo.data), np.asarray(corners()))


def test_of_a_jpeg_with_several_pictures_the_first_stays() -> None:
    data = saved(corners(), "MPO", save_all=True, append_images=[corners().rotate(180)], exif=gps_exif())
    photo = decode_photo(data)
    assert (photo.media_type, photo.changes) == ("image/jpeg", ("metadata removed",))
    assert opened(photo.data).format == "JPEG"
    np.testing.assert_array_equal(pixels(photo.data), pixels(data))


# --- refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", "empty file", "no bytes"),
        (b"<!DOCTYPE html><html>Not found</html>", "not an image", "a web page"),
        (b"\xef\xbb\xbf\n <svg xmlns='http://www.w3.org/2000/svg'/>", "not an image", "an SVG"),
        (b"%PDF-1.7 ...", "not an image", "a PDF"),
        (b"PK\x03\x04....", "not an image", "a ZIP"),
        (b"BM is how this text begins, and no bitmap", "not an image", "text"),
        (b"Rings for sale, caf\xc3\xa9", "not an image", "text"),
        (bytes(range(256)), "not an image", "no kind"),
        (b"\x00\x00\x00\x1cftypmp42........", "not an image", "a video"),
        (b"\x00\x00\x00\x1cftypavif........", "unsupported format", "AVIF"),
        (b"8BPS\x00\x01", "unsupported format", "Photoshop"),
    ],
)
def test_what_is_no_image_is_refused_with_what_it_is(data: bytes, reason: str, words: str) -> None:
    assert refusal(data) == reason
    with pytest.raises(Refused, match=words):
        decode_photo(data)


def whole_files() -> dict[str, bytes]:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (96, 96, 3), dtype=np.uint8))
    files = {kind: saved(noise, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")}
    return {**files, "progressive JPEG": saved(noise, "JPEG", progressive=True), "HEIC": HEIC}


@pytest.mark.parametrize(("kind", "data"), whole_files().items())
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_truncated_file_is_refused(kind: str, data: bytes, share: float) -> None:
    reasons = (
        {"truncated"} if share > 0.02 and kind not in ("HEIC", "TIFF") else {"truncated", "damaged", "not an image"}
    )
    assert refusal(data[: int(len(data) * share)]) in reasons


def test_damaged_pixels_are_refused() -> None:
    data = bytearray(saved(corners(), "PNG"))
    start = data.index(b"IDAT") + 4
    data[start : start + 40] = b"\xa5" * 40
    assert refusal(bytes(data)) == "damaged"


def test_a_heic_whose_items_have_no_readable_type_is_refused_before_pi_heif_crashes_on_it() -> None:
    data = bytearray(HEIC)
    data[data.index(b"Exif")] = 0xFF
    assert refusal(bytes(data)) == "damaged"


def test_floating_point_pixels_are_refused() -> None:
    assert refusal(saved(Image.new("F", (64, 64), 0.5), "TIFF")) == "unsupported format"


def test_the_limits_hold_to_the_pixel() -> None:
    data = saved(corners(100, 50), "PNG")
    assert decode_photo(data, PhotoLimits(5000, 100, 50)).width == 100
    assert refusal(data, PhotoLimits(4999, 100, 50)) == "too many pixels"
    assert refusal(data, PhotoLimits(5000, 99, 50)) == "side too long"
    assert refusal(data, PhotoLimits(5000, 100, 51)) == "too small"


def test_a_limit_above_pillows_own_is_obeyed() -> None:
    rows = bytes((13_400 // 8 + 1) * 13_400)
    data = png_of(13_400, 13_400, 1, 0, rows)  # 180 million pixels: Pillow's guard would be an error
    assert refusal(data, PhotoLimits(170_000_000, 13_399)) == "too many pixels"
    assert refusal(data, PhotoLimits(190_000_000, 13_399)) == "side too long"


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    data = saved(corners(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    assert refusal(data[:-2] + data[last:-2] * 1000 + b"\xff\xd9") == "decompression bomb"


def test_bombs_are_refused_from_their_headers(tmp_path: Path) -> None:
    for name, data in bombs().items():
        (tmp_path / f"{name}.bin").write_bytes(data)
    (tmp_path / "00 warm-up.bin").write_bytes(saved(corners(), "JPEG"))
    (tmp_path / "01 warm-up.bin").write_bytes(HEIC)
    script = """
import resource, sys
from pathlib import Path
from jewel_assets.collect import Refused, decode_photo
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else 1 << 20)
for path in sorted(Path(sys.argv[1]).iterdir()):
    data, before = path.read_bytes(), peak()
    try:
        decode_photo(data)
        print(path.stem, "read", 0, sep="|")
    except Refused as refused:
        print(path.stem, refused.reason, peak() - before, sep="|")
"""
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    lines = [line.split("|") for line in done.stdout.splitlines()]
    reasons = {name: reason for name, reason, _ in lines if "warm-up" not in name}
    text_bomb = reasons.pop("PNG text")
    assert text_bomb == "decompression bomb"
    assert reasons.keys() == bombs().keys() - {"PNG text"}
    assert set(reasons.values()) == {"too many pixels"}
    assert max(int(megabytes) for _, _, megabytes in lines) < 60


# --- whatever the bytes -------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_or_refused(data)


_WHOLE = {
    **whole_files(),
    "GPS": saved(corners(), "JPEG", exif=gps_exif(6)),
    "palette": saved(corners().quantize(4), "PNG"),
}


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(_WHOLE)), st.data())
def test_any_damage_to_a_good_file_leaves_it_read_or_refused(name: str, draw: st.DataObject) -> None:
    data = bytearray(_WHOLE[name])
    # Headers are where damage hurts: half of it is aimed at the first bytes.
    span = draw.draw(st.sampled_from([min(200, len(data)), len(data)]))
    for _ in range(draw.draw(st.integers(1, 8))):
        data[draw.draw(st.integers(0, span - 1))] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(data)))
    read_or_refused(bytes(data if draw.draw(st.booleans()) else data[:cut]))


def read_or_refused(data: bytes) -> None:
    try:
        photo = decode_photo(data, PhotoLimits(1_000_000, 4_000, 1))
    except Refused:
        return
    assert photo.media_type in ("image/jpeg", "image/png", "image/webp")
    shown = Image.open(io.BytesIO(photo.data))
    assert shown.size == (photo.width, photo.height)
    assert shown.mode in ("RGB", "RGBA", "L")
