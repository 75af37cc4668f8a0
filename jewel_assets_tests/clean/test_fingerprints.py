"""Fingerprints: the same for the same pixels, near for near ones, blind to flips and turns."""

import pickle

import numpy as np
import pytest

from jewel_assets.clean import FingerprintPhoto
from jewel_assets.clean.fingerprints import dihedral_phash, fingerprint, match_kernel, pixel_hash
from jewel_assets.clean.local_features import local_features
from jewel_assets.clean.same_picture import TURNS, turned
from jewel_assets.images import encode_png
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.stages import Item, Made
from jewel_assets_tests.pictures import draw_piece


def test_the_stage_keeps_the_blob_and_fills_every_column(lake_root: str) -> None:
    blobs = BlobStore(lake_root)
    blob = blobs.put(encode_png(draw_piece("ring", 1)), "image/png")
    stage = pickle.loads(pickle.dumps(FingerprintPhoto()))
    stage.setup(1)
    (made,) = stage.process([Item({"item_id": "a", "sha256": blob.sha256, "media_type": "image/png"}, blobs)])
    assert isinstance(made, Made)
    assert made.data is None
    assert set(made.columns) == set(FingerprintPhoto.output.names)
    assert made.columns["pixel_count"] == 320 * 320


def test_equal_pixels_have_equal_hashes_whatever_the_container() -> None:
    pixels = draw_piece("ring", 1)
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    assert pixel_hash(pixels) == pixel_hash(opaque)


def test_the_hidden_colour_of_transparent_pixels_does_not_count() -> None:
    a = np.zeros((8, 8, 4), np.uint8)
    a[:4] = 255
    b = a.copy()
    b[4:, :, :3] = 77
    assert pixel_hash(a) == pixel_hash(b)


@pytest.mark.parametrize("change", ["pixel", "shape"])
def test_other_pixels_or_another_shape_have_another_hash(change: str) -> None:
    a = np.full((4, 6, 3), 9, np.uint8)
    b = a.copy() if change == "pixel" else a.reshape(6, 4, 3)
    b.flat[0] = 9 + (change == "pixel")
    assert pixel_hash(a) != pixel_hash(b)


@pytest.mark.parametrize("turn", range(8))
def test_one_of_the_eight_hashes_of_a_turned_picture_is_near_the_upright_one(turn: int) -> None:
    pixels = draw_piece("earrings", 3)
    upright = np.array(dihedral_phash(pixels)[:1]).view(np.uint64)
    others = np.array(dihedral_phash(np.ascontiguousarray(turned(pixels, turn)))).view(np.uint64)
    assert np.bitwise_count(upright ^ others).min() <= 2
    assert len(TURNS) == 8


@pytest.mark.parametrize("turn", range(8))
def test_the_descriptor_is_blind_to_flips_and_turns(turn: int) -> None:
    pixels = draw_piece("necklace", 5)
    kernels = [match_kernel(local_features(np.ascontiguousarray(turned(pixels, t)))) for t in (0, turn)]
    assert kernels[0] @ kernels[1] > 0.95
    assert kernels[0] @ kernels[0] == pytest.approx(1, abs=1e-5)


def test_a_picture_without_any_structure_has_a_fingerprint_all_the_same() -> None:
    columns = fingerprint(np.full((30, 50, 3), 255, np.uint8))
    assert np.isfinite(columns["descriptor"]).all()
    assert columns["sharpness"] == 0


def test_enlarging_a_picture_gains_no_real_detail() -> None:
    import cv2

    small = draw_piece("earrings", 2)
    large = np.asarray(cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    detail = [columns["pixel_count"] * columns["sharpness"] for columns in (fingerprint(small), fingerprint(large))]
    assert detail[1] < 1.5 * detail[0]
