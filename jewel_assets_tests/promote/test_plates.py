"""Plates, palettes and the noise they are made of."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import PALETTES, linear, luminance, palette
from jewel_assets.promote.plates import STYLES, make_plate
from jewel_assets.promote.scene import Array, Lamp, Palette, Plate, Rig
from jewel_assets.promote.shading import shade, to_linear, to_srgb

SIDE = 216
RIG = Rig("test", (Lamp(130, 45, 1.2), Lamp(20, 35, 0.3)), (0.15, 0.15, 0.15))


def picture(plate: Plate) -> Array:
    return to_srgb(shade(plate, RIG)).astype(np.float32)


def lab(plate: Plate, side: int) -> Array:
    """The lit plate as CIE L*a*b* at side x side."""
    import cv2

    lit = np.clip(shade(plate, RIG), 0, 1)
    small = cv2.resize(lit, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_LRGB2LAB), np.float32)


@pytest.mark.parametrize("style", STYLES)
def test_a_plate_keeps_the_contract_of_a_plate(style: str) -> None:
    for size in ((SIDE, SIDE), (SIDE, 270), (300, 157)):
        plate = make_plate(style, PALETTES["wine"], size, 4)
        width, height = size
        assert plate.size == size
        assert plate.albedo.shape == plate.normals.shape == (height, width, 3)
        assert plate.height.shape == (height, width)
        for array in (plate.albedo, plate.normals, plate.height):
            assert array.dtype == np.float32
            assert np.isfinite(array).all()
        assert plate.albedo.min() >= 0
        assert plate.albedo.max() <= 1
        assert np.abs(np.linalg.norm(plate.normals, axis=2) - 1).max() < 1e-3
        assert plate.normals[..., 2].min() > 0
        if plate.emission is not None:
            assert plate.emission.shape == (height, width, 3)
            assert plate.emission.min() >= 0


@pytest.mark.parametrize("style", STYLES)
def test_the_same_seed_makes_the_same_plate_and_another_seed_another(style: str) -> None:
    first, again, other = (make_plate(style, PALETTES["emerald"], (SIDE, SIDE), seed) for seed in (11, 11, 12))
    for one, two in ((first.albedo, again.albedo), (first.normals, again.normals), (first.height, again.height)):
        assert np.array_equal(one, two)
    assert not np.array_equal(picture(first), picture(other))


@pytest.mark.parametrize("style", STYLES)
def test_a_plate_looks_the_same_at_half_the_size(style: str) -> None:
    import cv2

    large = make_plate(style, PALETTES["rose"], (960, 960), 5)
    small = make_plate(style, PALETTES["rose"], (480, 480), 5)
    # Threads and grains of a pixel or two are allowed to differ: both are compared at a quarter of the smaller size.
    one, two = (cv2.resize(picture(each), (120, 120), interpolation=cv2.INTER_AREA) for each in (large, small))
    assert np.abs(one - two).mean() < 3.0
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("style", STYLES)
def test_the_relief_is_calm_where_the_piece_lies(style: str) -> None:
    plate = make_plate(style, PALETTES["midnight"], (SIDE, SIDE), 8)
    third = slice(SIDE // 3, 2 * SIDE // 3)
    assert np.ptp(plate.height[third, third]) < 0.09 * SIDE
    assert np.ptp(plate.height[third, third]) <= np.ptp(plate.height)


def test_every_style_in_every_palette_is_a_picture_of_its_own() -> None:
    looks = {}
    for style, name in product(STYLES, PALETTES):
        looks[style, name] = lab(make_plate(style, PALETTES[name], (96, 96), 3), 24)
    nearest = min((float(np.linalg.norm(looks[a] - looks[b], axis=2).mean()), a, b) for a, b in combinations(looks, 2))
    assert nearest[0] > 1.5, nearest


def test_an_unknown_style_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(Permanent, match=r"no plate style 'marbel'. Use marble"):
        make_plate("marbel", PALETTES["black"], (64, 64), 0)
    with pytest.raises(Permanent, match="too small"):
        make_plate("velvet", PALETTES["black"], (64, 8), 0)


def test_an_unknown_palette_is_refused_with_the_nearest_names() -> None:
    assert palette("midnight") is PALETTES["midnight"]
    with pytest.raises(Permanent, match=r"no palette 'midnihgt'. Use midnight"):
        palette("midnihgt")
    with pytest.raises(Permanent, match="black, blush"):
        palette("????")


@pytest.mark.parametrize("name", PALETTES)
def test_the_text_of_a_palette_can_be_read_on_its_ground(name: str) -> None:
    each: Palette = PALETTES[name]
    light, dark = sorted((luminance(linear(each.text)), luminance(linear(each.ground))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, success criterion 1.4.3


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_written_colour_is_the_light_of_its_pixel(colour: tuple[int, int, int]) -> None:
    written = "#{:02x}{:02x}{:02x}".format(*colour)
    assert linear(written) == pytest.approx(tuple(to_linear(np.array(colour, np.uint8)).tolist()), abs=1e-6)


@pytest.mark.parametrize("written", ["#12345", "red", "#gggggg", ""])
def test_what_is_no_colour_is_refused(written: str) -> None:
    with pytest.raises(Permanent, match="Write it as #rrggbb"):
        linear(written)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**63 - 1),
    across=st.floats(1, 60),
    down=st.floats(1, 60),
    octaves=st.integers(1, 4),
    width=st.integers(40, 200),
    height=st.integers(40, 200),
)
def test_noise_has_its_size_and_about_unit_deviation(
    seed: int, across: float, down: float, octaves: int, width: int, height: int
) -> None:
    noise = Field((width, height), seed).noise("test", (across, down), octaves)
    assert noise.shape == (height, width)
    assert noise.dtype == np.float32
    assert np.isfinite(noise).all()
    assert np.abs(noise).max() < 8


def test_two_purposes_of_one_seed_have_nothing_in_common() -> None:
    field = Field((256, 256), 1)
    one, two = field.noise("veins", 24), field.noise("cloud", 24)
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.15
    assert np.array_equal(one, field.noise("veins", 24))


def test_enlarging_a_plane_keeps_its_places() -> None:
    field = Field((400, 300), 0)
    x, y = field.coarse(64).grid()
    wide_x, wide_y = field.grid()
    error = field.enlarged(np.asarray(np.sin(4 * x) + y, np.float32)) - (np.sin(4 * wide_x) + wide_y)
    assert np.abs(error[10:-10, 10:-10]).max() < 0.01
    assert np.abs(error).max() < 0.05  # the outermost cells are held


@given(st.floats(-2, 2), st.floats(0.01, 2))
def test_a_smooth_step_goes_from_0_to_1_either_way(low: float, span: float) -> None:
    values = np.linspace(low - 1, low + span + 1, 64).astype(np.float32)
    up, down = smoothstep(low, low + span, values), smoothstep(low + span, low, values)
    assert up[0] == 0
    assert up[-1] == 1
    assert (np.diff(up) >= 0).all()
    assert np.allclose(up + down, 1, atol=1e-3)
