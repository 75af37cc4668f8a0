"""Textures: which of them are the same in disguise, and which only look alike."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from jewel_assets.clean import TEXTURE_LIMITS, DropDuplicates, FingerprintTexture
from jewel_assets.clean.duplicates import NearDuplicates
from jewel_assets.clean.fingerprints import FingerprintPhoto
from jewel_assets.clean.texture_fingerprints import stretched
from jewel_assets.images import Pixels, decode, encode_jpeg
from jewel_assets.lake import ITEM_SCHEMA
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.stages import Item, Made
from jewel_assets_tests.textures import clouds

DISGUISES: dict[str, Callable[[Pixels], Pixels]] = {
    "mirrored": lambda pixels: pixels[:, ::-1],
    "turned": lambda pixels: np.rot90(pixels),
    "upside down": lambda pixels: pixels[::-1],
    "cropped": lambda pixels: pixels[12:-10, 9:-16],
    "darker": lambda pixels: (pixels * 0.7).astype(np.uint8),
    "recoloured": lambda pixels: pixels[..., ::-1],
    "grey": lambda pixels: np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8),
}


def kept(pictures: dict[str, Pixels], root: str) -> dict[str, str]:
    """Name -> what became of it: "kept" or the reason why not."""
    blobs = BlobStore(root)
    stage = FingerprintTexture()
    rows = []
    for name, pixels in pictures.items():
        blob = blobs.put(encode_jpeg(np.ascontiguousarray(pixels), 88), "image/jpeg")
        row = {"item_id": f"texture_folder:{name}", "sha256": blob.sha256, "media_type": "image/jpeg"}
        made = stage.process([Item(row, blobs)])[0]
        assert isinstance(made, Made)
        rows.append({**row, "source": "texture_folder", "may_train": False, "bytes": blob.bytes, **made.columns})
    table = pa.Table.from_pylist(rows, pa.schema([*ITEM_SCHEMA, *FingerprintTexture.output]))
    results = DropDuplicates(NearDuplicates(limits=TEXTURE_LIMITS)).choose(table)
    return {
        name: "kept" if isinstance(result, Made) else getattr(result, "reason", "")
        for name, result in zip(pictures, results, strict=True)
    }


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("slope", [1.0, 2.5])
def test_a_disguised_copy_is_a_near_duplicate(disguise: str, slope: float, lake_root: str) -> None:
    texture = clouds(7, slope=slope)
    found = kept({"original": texture, "copy": DISGUISES[disguise](texture)}, lake_root)
    assert sorted(found.values()) == ["kept", "near duplicate"]


def test_a_texture_with_hardly_any_contrast_is_told_from_its_copies_and_from_others(lake_root: str) -> None:
    faint = [(128 + (clouds(seed, slope=2.5).astype(float) - 140) * 0.12).astype(np.uint8) for seed in (1, 2)]
    found = kept({"one": faint[0], "copy": faint[0][:, ::-1], "other": faint[1]}, lake_root)
    assert sorted(found.values()) == ["kept", "kept", "near duplicate"]
    assert found["other"] == "kept"


def test_textures_of_one_kind_all_stay(lake_root: str) -> None:
    kinds = [(seed, slope) for seed in range(5) for slope in (1.0, 2.0, 3.0)]
    pictures = {f"{slope} {seed}": clouds(int(10 * slope) + seed, slope=slope) for seed, slope in kinds}
    assert set(kept(pictures, lake_root).values()) == {"kept"}


def test_two_parts_of_one_texture_that_do_not_overlap_are_two(lake_root: str) -> None:
    texture = clouds(3, side=400, slope=1.5)
    assert set(kept({"left": texture[:, :200], "right": texture[:, 200:]}, lake_root).values()) == {"kept"}


def test_the_fingerprint_of_a_texture_is_another_than_that_of_the_same_photo() -> None:
    row = {"sha256": "ab"}
    assert FingerprintTexture().key(row) != FingerprintPhoto().key(row)


def test_the_stretch_has_a_limit_and_keeps_one_tone() -> None:
    flat = np.full((8, 8, 3), 77, np.uint8)
    assert len(np.unique(stretched(flat))) == 1
    ramp = np.repeat(np.arange(120, 136, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(8, axis=0)
    assert 60 < int(np.ptp(stretched(ramp))) <= 6 * 15 + 1


@pytest.mark.shared
def test_real_textures_all_stay_and_their_copies_do_not(shared: Path, lake_root: str) -> None:
    folder = shared / "data" / "textures"
    if not folder.is_dir():
        pytest.skip("The shared textures are not on this machine.")
    names = ("vedo__gold.jpg", "vedo__gold2.jpg", "vedo__leather.jpg", "vedo__wood1.jpg", "scikit-image__gravel.png",
             "vedo__paper3.jpg", "viu__fabric.jpg", "vedo__white.jpg")  # fmt: skip
    pictures = {name: decode((folder / name).read_bytes()) for name in names}
    pictures |= {f"mirrored {name}": pictures[name][:, ::-1] for name in names}
    found = kept(pictures, lake_root)
    for name in names:
        assert sorted([found[name], found[f"mirrored {name}"]]) == ["kept", "near duplicate"], name
