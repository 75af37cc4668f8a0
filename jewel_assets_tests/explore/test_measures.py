"""Measures of a photo: each answers to what it is named after, on any picture."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jewel_assets.explore.measures import MeasurePhoto, measure
from jewel_assets.images import Pixels, encode_jpeg
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.stages import Item, Made
from jewel_assets_tests.pictures import draw_piece


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    import cv2

    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


@given(height=st.integers(1, 40), width=st.integers(1, 40), channels=st.sampled_from([3, 4]), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_every_measure_of_any_picture_is_within_its_range(height: int, width: int, channels: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    found = measure(pixels)
    assert set(found) == set(MeasurePhoto.output.names)
    for name in ("exposure", "clipped_dark", "clipped_light", "contrast", "background_uniformity"):
        assert 0 <= found[name] <= 1, name
    assert found["sharpness"] >= 0
    assert found["colourfulness"] >= 0
    assert found["aspect"] == width / height
    assert 1 <= len(found["palette"]) <= 5
    assert sum(colour["share"] for colour in found["palette"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 400, 3), (400, 1, 3), (60, 60, 3), (5, 5, 4)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_one_colour_has_no_contrast_and_one_colour(shape: tuple[int, ...], value: int) -> None:
    pixels = np.full(shape, value, np.uint8)
    pixels[..., 3:] = 255
    found = measure(pixels)
    assert found["sharpness"] == found["contrast"] == found["colourfulness"] == 0
    assert found["palette"] == [{"hex": f"#{value:02x}{value:02x}{value:02x}", "share": 1.0}]
    assert found["subject_share"] is None


def test_an_empty_cut_out_is_measured_as_white() -> None:
    assert measure(np.zeros((20, 20, 4), np.uint8))["exposure"] == 1


def test_a_blurred_copy_is_less_sharp_whatever_its_size() -> None:
    for seed in range(6):
        for side in (200, 900):
            piece = draw_piece("ring", seed, side)
            assert measure(blurred(piece, side / 150))["sharpness"] < measure(piece)["sharpness"]


def test_a_darker_copy_has_less_exposure_and_more_clipped_shadows() -> None:
    piece = draw_piece("wristwatch", 1)
    dark = (piece * 0.06).astype(np.uint8)
    assert measure(dark)["exposure"] < 0.1 < measure(piece)["exposure"]
    assert measure(dark)["clipped_dark"] > measure(piece)["clipped_dark"]


def test_the_palette_is_that_of_the_piece_and_not_of_its_plain_background() -> None:
    pixels = np.full((200, 300, 3), 255, np.uint8)
    pixels[60:140, 80:160] = (200, 30, 40)
    pixels[60:140, 160:200] = (30, 60, 180)
    red, blue = measure(pixels)["palette"]
    assert red["hex"] == "#c81e28"
    assert blue["hex"] == "#1e3cb4"
    assert red["share"] == pytest.approx(2 / 3, abs=0.03)


def test_the_share_of_the_subject_is_known_before_a_plain_background_only() -> None:
    pixels = np.full((200, 200, 3), 240, np.uint8)
    pixels[50:150, 50:150] = (150, 110, 40)
    assert measure(pixels)["subject_share"] == pytest.approx(0.25, abs=0.02)
    rough = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    found = measure(rough)
    assert found["subject_share"] is None
    assert found["background_uniformity"] < 0.3


def test_of_a_cut_out_only_what_is_opaque_is_measured() -> None:
    cutout = np.zeros((100, 100, 4), np.uint8)
    cutout[25:75, 25:75] = (212, 175, 88, 255)
    found = measure(cutout)
    assert found["subject_share"] == pytest.approx(0.25, abs=0.01)
    assert found["palette"] == [{"hex": "#d4af58", "share": 1.0}]


def test_a_grey_picture_has_no_colour_and_a_rainbow_much() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    assert measure(np.dstack([ramp] * 3))["colourfulness"] == 0
    assert measure(np.dstack([ramp, ramp[:, ::-1], np.roll(ramp, 128, 1)]))["colourfulness"] > 60


def test_the_stage_keeps_the_blob_and_gives_the_same_twice(lake_root: str) -> None:
    blobs = BlobStore(lake_root)
    blob = blobs.put(encode_jpeg(draw_piece("earrings", 3)), "image/jpeg")
    item = Item({"item_id": "folder:a", "sha256": blob.sha256, "media_type": "image/jpeg"}, blobs)
    stage: MeasurePhoto = pickle.loads(pickle.dumps(MeasurePhoto()))
    stage.setup(1)
    first, second = stage.process([item, item])
    assert isinstance(first, Made)
    assert first.data is None
    assert first == second
    assert first.engine.startswith("opencv ")
    assert set(first.columns) == set(MeasurePhoto.output.names)


def test_another_working_size_is_another_key() -> None:
    row = {"sha256": "ab"}
    assert MeasurePhoto(side=256).key(row) != MeasurePhoto().key(row)
