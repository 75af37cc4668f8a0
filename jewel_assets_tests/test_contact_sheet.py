"""Contact sheets: readable, of any pictures, never heavier than allowed."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jewel_assets.contact_sheet import METADATA_BYTES, contact_sheet, preview_sheet, read_thumbnail
from jewel_assets.images import Pixels, decode, encode_jpeg, encode_png
from jewel_assets.lake.blobs import BlobStore
from jewel_assets_tests.pictures import draw_piece


def rows_of(blobs: BlobStore, count: int) -> list[dict[str, str]]:
    rows = []
    for number in range(count):
        blob = blobs.put(encode_jpeg(draw_piece("ring", number, 120)), "image/jpeg")
        rows.append({"item_id": f"folder:ring/{number}.jpg", "sha256": blob.sha256, "media_type": "image/jpeg"})
    return rows


@given(
    count=st.integers(0, 12),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    channels=st.sampled_from([3, 4]),
    limit=st.integers(2_000, 60_000),
    captioned=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_no_sheet_is_heavier_than_allowed(
    count: int, height: int, width: int, channels: int, limit: int, captioned: bool
) -> None:
    noise = np.random.default_rng(count).integers(0, 256, (height, width, channels), dtype=np.uint8)
    captions = ["naïve 宝石 " * 9] * count if captioned else None
    sheet = contact_sheet([noise] * count, captions, max_bytes=limit)
    assert len(sheet) <= limit
    assert decode(sheet).size > 0


def test_pictures_of_pure_noise_make_a_sheet(capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    assert len(contact_sheet([noise] * 3)) > 3 * 160 * 160
    assert capfd.readouterr().err == ""


def test_a_limit_below_any_jpeg_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="No JPEG fits into 100 bytes"):
        contact_sheet([draw_piece("ring", 1)], max_bytes=100)


def test_an_empty_list_gives_a_sheet_that_says_so() -> None:
    sheet = decode(contact_sheet([]))
    assert sheet.min() < 120  # there are words on it
    assert sheet.mean() > 230


def test_captions_must_match_the_pictures() -> None:
    with pytest.raises(ValueError, match="one caption per image: 1 images, 2 captions"):
        contact_sheet([draw_piece("ring", 1)], ["a", "b"])


def test_pictures_keep_their_aspect_and_are_not_enlarged() -> None:
    red = np.zeros((40, 80, 3), np.uint8)
    red[..., 0] = 255
    sheet = decode(contact_sheet([red], cell=100)).astype(int)
    is_red = (sheet[..., 0] > 200) & (sheet[..., 1] < 60)
    rows, columns = np.flatnonzero(is_red.any(axis=1)), np.flatnonzero(is_red.any(axis=0))
    assert abs(len(rows) - 40) <= 1
    assert abs(len(columns) - 80) <= 1


def test_many_pictures_in_one_column_stay_within_what_viewers_open() -> None:
    sheet = decode(contact_sheet([np.full((64, 64, 3), 90, np.uint8)] * 300, columns=1))
    assert max(sheet.shape) <= 16_000


@pytest.mark.parametrize("metal", [250, 20])
def test_white_and_dark_metal_both_stand_out_from_the_checker(metal: int) -> None:
    cutout = np.zeros((64, 64, 4), np.uint8)
    cutout[16:48, 16:48] = (metal, metal, metal, 255)
    sheet = decode(contact_sheet([cutout], cell=64)).astype(int)
    middle = sheet[sheet.shape[0] // 2]
    assert np.abs(middle[28:40].mean() - middle[6:14].mean()) > 40


def test_colour_hidden_under_transparency_does_not_bleed_into_a_thumbnail(tmp_path: Path) -> None:
    cutout = np.zeros((256, 256, 4), np.uint8)
    cutout[..., 0] = 255  # pure red, all of it transparent
    cutout[64:192, 64:192] = (200, 200, 200, 255)
    blobs = BlobStore(str(tmp_path))
    blob = blobs.put(encode_png(cutout), "image/png")
    small = read_thumbnail({"sha256": blob.sha256, "media_type": "image/png"}, blobs, 50)
    assert small is not None
    seen = small[small[..., 3] > 0].astype(int)
    assert np.abs(seen[:, 0] - seen[:, 1]).max() <= 8


def test_a_preview_is_the_same_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    blobs = BlobStore(str(tmp_path))
    rows = rows_of(blobs, 12)
    forward = preview_sheet(pa.Table.from_pylist(rows), blobs, 5, caption="item_id")
    assert forward == preview_sheet(pa.Table.from_pylist(rows[::-1]), blobs, 5, caption="item_id")
    assert len(forward) <= METADATA_BYTES


def test_a_preview_reads_only_the_blobs_it_shows_and_survives_a_missing_one(tmp_path: Path) -> None:
    class Counting(BlobStore):
        reads = 0

        def get(self, sha256: str, media_type: str) -> bytes:
            self.reads += 1
            return super().get(sha256, media_type)

    blobs = Counting(str(tmp_path))
    rows = rows_of(blobs, 9)
    for row in rows[:6]:
        path = blobs.local_path(row["sha256"], row["media_type"])
        assert path is not None
        path.unlink()
    rows.append({"item_id": "folder:ring/unread.jpg", "sha256": None, "media_type": None})  # type: ignore[dict-item]
    sheet = preview_sheet(pa.Table.from_pylist(rows), blobs, 4, caption=lambda row: str(row["item_id"]))
    assert blobs.reads == 4
    assert decode(sheet).size > 0


def test_a_preview_of_an_empty_table_is_a_sheet(tmp_path: Path) -> None:
    table = pa.table({"item_id": pa.array([], pa.string()), "sha256": pa.array([], pa.string())})
    assert decode(preview_sheet(table, BlobStore(str(tmp_path)))).size > 0


def test_a_thumbnail_of_a_broken_blob_is_none(tmp_path: Path) -> None:
    blobs = BlobStore(str(tmp_path))
    blob = blobs.put(b"not an image", "image/png")
    pixels: Pixels | None = read_thumbnail({"sha256": blob.sha256, "media_type": "image/png"}, blobs, 64)
    assert pixels is None
