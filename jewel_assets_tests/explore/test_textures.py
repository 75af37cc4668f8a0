"""Measures of textures: each tells textures of known truth apart, and says nothing that it should not."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jewel_assets.explore.textures import MeasureTexture, measure_texture
from jewel_assets.explore.textures.regularity import Regularity, regularity
from jewel_assets.explore.textures.seams import tileability
from jewel_assets.explore.textures.uniformity import uniformity
from jewel_assets.images import Pixels, decode, encode_jpeg, encode_png
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.stages import Item, Made
from jewel_assets_tests.pictures import draw_piece
from jewel_assets_tests.textures import checkerboard, clouds, dots, lit_from_the_left, stripes, weave

SHARES = (
    "tileability", "tileability_x", "tileability_y", "tile_tileability", "regularity", "uniformity", "anisotropy",
    "contrast", "exposure", "grey_share",
)  # fmt: skip


def lab(pixels: Pixels) -> Any:
    import cv2

    return cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def luma(pixels: Pixels) -> Any:
    return pixels.astype(np.float32).mean(axis=2)


def tiles(pixels: Pixels) -> tuple[float, float]:
    found = tileability(lab(pixels))
    return found.x, found.y


# --- tileability ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("texture", [checkerboard(), stripes(), weave(), dots(), clouds(1), np.full((64, 80, 3), 200)])
def test_what_is_periodic_over_its_frame_tiles_without_a_seam(texture: Pixels) -> None:
    assert min(tiles(np.asarray(texture, np.uint8))) >= 0.95


@given(cell=st.integers(5, 30), rows=st.integers(6, 8), columns=st.integers(6, 8))
@settings(max_examples=4, deadline=None)
def test_a_checkerboard_of_even_cells_tiles_and_one_of_odd_cells_does_not(cell: int, rows: int, columns: int) -> None:
    assert min(tiles(checkerboard(cell, (2 * rows, 2 * columns)))) >= 0.85
    x, y = tiles(checkerboard(cell, (2 * rows, 2 * columns + 1)))
    assert x < 0.4
    assert y >= 0.85


@given(cut=st.integers(4, 13))
@settings(max_examples=4, deadline=None)
def test_a_crop_off_the_period_is_found_on_its_axis_even_where_no_colour_jumps(cut: int) -> None:
    x, y = tiles(checkerboard()[:, :-cut])
    assert x < 0.8
    assert y >= 0.9
    x, y = tiles(dots()[:-cut])  # cut in the gap between dots: cream meets cream
    assert x >= 0.8
    assert y < 0.7


@given(seed=st.integers(0, 50), side=st.integers(180, 230), slope=st.floats(2.0, 3.0))
@settings(max_examples=4, deadline=None)
def test_a_crop_of_seamless_clouds_tiles_less_than_all_of_them(seed: int, side: int, slope: float) -> None:
    whole = clouds(seed, slope=slope)
    assert min(tiles(whole)) >= 0.95
    assert min(tiles(whole[:side, :side])) < min(tiles(whole))


def test_light_from_one_side_shows_across_and_not_down() -> None:
    grain = np.random.default_rng(0).normal(0, 12, (256, 256, 1))
    lit = lit_from_the_left(np.clip(170 + grain + np.zeros(3), 0, 255).astype(np.uint8))
    x, y = tiles(lit)
    assert x < 0.3
    assert y >= 0.95


@given(seed=st.integers(0, 50), height=st.integers(40, 90), width=st.integers(40, 90))
@settings(max_examples=4, deadline=None)
def test_a_flip_changes_no_measure_and_a_quarter_turn_swaps_the_axes(seed: int, height: int, width: int) -> None:
    texture = clouds(seed, 128)[:height, :width]
    for flipped in (texture[:, ::-1], texture[::-1]):
        assert tiles(flipped) == pytest.approx(tiles(texture), abs=0.01)
        assert uniformity(lab(flipped)) == pytest.approx(uniformity(lab(texture)), abs=0.03)  # patches of odd sides
        assert regularity(luma(flipped)).strength == pytest.approx(regularity(luma(texture)).strength, abs=0.02)
    assert tiles(np.rot90(texture)) == pytest.approx(tiles(texture)[::-1], abs=0.01)


# --- the best tile ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("texture", "period"), [(checkerboard(), 32), (weave(), 32), (dots(), 48)])
def test_of_a_pattern_cut_off_its_period_the_best_part_is_whole_periods(texture: Pixels, period: int) -> None:
    found = measure_texture(texture[:-7, :-11])
    assert found["tileability"] < 0.8
    assert found["tile_tileability"] >= 0.95
    assert (found["tile_width"] % period, found["tile_height"] % period) == (0, 0)


@pytest.mark.parametrize("texture", [clouds(3)[:190, :230], lit_from_the_left(dots()), np.zeros((9, 400, 3), np.uint8)])
def test_the_best_part_lies_within_the_texture_and_repeats_at_least_as_well(texture: Pixels) -> None:
    found = measure_texture(texture)
    height, width = texture.shape[:2]
    assert found["tile_tileability"] >= found["tileability"]
    assert 0 <= found["tile_left"] <= found["tile_left"] + found["tile_width"] <= width
    assert 0 <= found["tile_top"] <= found["tile_top"] + found["tile_height"] <= height
    assert 2 * found["tile_width"] >= width - 8
    assert 2 * found["tile_height"] >= height - 8


def test_the_best_part_of_a_large_texture_is_told_in_its_own_pixels() -> None:
    large = np.tile(checkerboard(40, (10, 10)), (5, 4, 1))[:-30, :-50]  # 1,970 x 1,550: measured at 1,024
    found = measure_texture(large)
    left, top = found["tile_left"], found["tile_top"]
    part = large[top : top + found["tile_height"], left : left + found["tile_width"]]
    assert (found["tile_width"] % 80, found["tile_height"] % 80) == (0, 0)
    assert found["tileability"] < 0.5 < 0.8 < min(tiles(part))


# --- regularity -------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 200), slope=st.sampled_from([0.0, 1.0, 2.0, 3.0]))
@settings(max_examples=25, deadline=None)
def test_noise_of_any_grain_is_not_regular(seed: int, slope: float) -> None:
    assert regularity(luma(clouds(seed, slope=slope))).strength < 0.2


@given(cell=st.integers(4, 24), noise=st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_the_lattice_of_a_checkerboard_lies_on_its_diagonals(cell: int, noise: int) -> None:
    board = checkerboard(cell, (12, 12)) + np.random.default_rng(1).normal(0, noise, (12 * cell, 12 * cell, 1))
    found = regularity(luma(np.clip(board, 0, 255)))
    assert found.strength > 0.85
    assert found.period_px == pytest.approx(cell * 2**0.5, rel=0.06)
    assert found.second_period_px == pytest.approx(cell * 2**0.5, rel=0.06)
    assert sorted([found.angle_deg or 0, found.second_angle_deg or 0]) == pytest.approx([45, 135], abs=3)


def test_stripes_repeat_along_one_direction_only() -> None:
    found = regularity(luma(stripes(16)))
    assert found.strength > 0.9
    assert found.period_px == pytest.approx(16, abs=0.3)
    assert found.angle_deg in (0.0, pytest.approx(180, abs=1))
    assert found.second_period_px is None


def test_streaks_that_hang_together_are_no_period() -> None:
    brushed = np.repeat(np.random.default_rng(3).normal(128, 25, (1, 256)), 256, axis=0)
    assert regularity(brushed.astype(np.float32)).strength < 0.3


def test_a_weave_of_four_pixels_in_a_large_texture_is_found_at_its_own_scale() -> None:
    found = regularity(luma(np.tile(checkerboard(2, (32, 32)), (16, 16, 1))))
    assert found.strength > 0.9
    assert found.period_px == pytest.approx(2 * 2**0.5, rel=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (200, 200)])
def test_one_tone_has_no_period(shape: tuple[int, int]) -> None:
    assert regularity(np.full(shape, 90, np.float32)) == Regularity(0.0)


# --- what it is a picture of ------------------------------------------------------------------------------------------


def test_textures_are_uniform_and_pieces_on_a_ground_are_not() -> None:
    textures = [checkerboard(), stripes(), weave(), dots(24, 10), clouds(2, slope=1.0)]
    pieces = [draw_piece(category, 4) for category in ("ring", "earrings", "wristwatch", "bracelet")]
    assert min(uniformity(lab(texture)) for texture in textures) > 0.75
    assert max(uniformity(lab(piece)) for piece in pieces) < 0.6


def test_the_direction_is_that_of_the_lines() -> None:
    found = measure_texture(stripes())
    assert found["anisotropy"] > 0.95
    assert found["orientation_deg"] == pytest.approx(90, abs=1)
    lying = measure_texture(np.ascontiguousarray(np.rot90(stripes())))
    assert min(lying["orientation_deg"], 180 - lying["orientation_deg"]) < 1
    assert measure_texture(clouds(5, slope=1.0))["anisotropy"] < 0.15


def test_a_grey_texture_is_grey_and_the_palette_is_of_the_whole_frame() -> None:
    found = measure_texture(checkerboard())
    assert [colour["share"] for colour in found["palette"]] == pytest.approx([0.5, 0.5], abs=0.02)
    assert {colour["hex"] for colour in found["palette"]} == {"#dcbe78", "#3c3228"}
    assert found["grey_share"] < 0.6
    grey = np.repeat(checkerboard().mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert measure_texture(grey)["grey_share"] == 1


# --- any picture ------------------------------------------------------------------------------------------------------


@given(height=st.integers(1, 60), width=st.integers(1, 60), seed=st.integers(0, 99), plain=st.booleans())
@settings(max_examples=30, deadline=None)
def test_every_measure_of_any_picture_is_within_its_range(height: int, width: int, seed: int, plain: bool) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if plain:
        pixels[:] = pixels[0, 0]
    found = measure_texture(pixels)
    assert set(found) == set(MeasureTexture.output.names)
    for name in SHARES:
        assert 0 <= found[name] <= 1, name
    for name in ("period_angle_deg", "second_angle_deg", "orientation_deg"):
        assert found[name] is None or 0 <= found[name] < 180
    assert sum(colour["share"] for colour in found["palette"]) == pytest.approx(1, abs=1e-5)


def test_the_stage_keeps_the_blob_and_gives_the_same_twice(lake_root: str) -> None:
    blobs = BlobStore(lake_root)
    blob = blobs.put(encode_png(weave()), "image/png")
    item = Item({"item_id": "texture_folder:a", "sha256": blob.sha256, "media_type": "image/png"}, blobs)
    stage: MeasureTexture = pickle.loads(pickle.dumps(MeasureTexture()))
    stage.setup(1)
    first, second = stage.process([item, item])
    assert isinstance(first, Made)
    assert first.data is None
    assert first == second
    assert MeasureTexture(side=512).key(item.row) != stage.key(item.row)


# --- textures that others made ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared_textures(shared: Path) -> dict[str, dict[str, Any]]:
    folder = shared / "data" / "textures"
    if not folder.is_dir():
        pytest.skip("The shared textures are not on this machine.")
    names = (
        "viu__fabric.jpg", "viu__marble.jpg", "vedo__metalfloor1.jpg", "vedo__metal1.jpg", "vedo__bricks.jpg",
        "scikit-image__gravel.png", "vedo__white1.jpg",
    )  # fmt: skip
    return {name: measure_texture(decode((folder / name).read_bytes())) for name in names}


@pytest.mark.shared
def test_textures_made_to_be_tiled_tile_and_photos_of_surfaces_do_not(shared_textures: dict[str, Any]) -> None:
    for name, found in shared_textures.items():
        assert (found["tileability"] >= 0.8) == name.startswith("viu__"), name
        assert found["uniformity"] > 0.6, name


@pytest.mark.shared
def test_the_best_part_of_real_patterns_tiles(shared_textures: dict[str, Any]) -> None:
    assert shared_textures["vedo__metalfloor1.jpg"]["tile_tileability"] > 0.95
    assert shared_textures["vedo__bricks.jpg"]["tile_tileability"] > 0.8


@pytest.mark.shared
def test_real_patterns_are_regular_and_real_gravel_is_not(shared_textures: dict[str, Any]) -> None:
    floor = shared_textures["vedo__metalfloor1.jpg"]
    assert floor["regularity"] > 0.8
    assert floor["period_px"] == pytest.approx(54.4, abs=1)
    assert sorted([floor["period_angle_deg"] % 180, floor["second_angle_deg"] % 180])[0] == pytest.approx(0, abs=1)
    assert shared_textures["vedo__bricks.jpg"]["regularity"] > 0.5
    for name in ("scikit-image__gravel.png", "vedo__metal1.jpg", "vedo__white1.jpg"):
        assert shared_textures[name]["regularity"] < 0.2, name
    assert shared_textures["vedo__metal1.jpg"]["anisotropy"] > 0.9
    assert (
        shared_textures["vedo__metal1.jpg"]["tileability_x"]
        > 0.9
        > shared_textures["vedo__metal1.jpg"]["tileability_y"]
    )


@pytest.mark.shared
def test_photos_of_pieces_are_told_from_textures(shared: Path) -> None:
    photos = [
        path
        for kind in ("ring", "wristwatch", "earrings")
        for path in sorted((shared / "data/photos" / kind).iterdir())[:15]
    ]
    found = [uniformity(lab(decode(encode_jpeg(decode(path.read_bytes()))))) for path in photos]
    assert sum(value < 0.6 for value in found) >= 0.9 * len(found)
