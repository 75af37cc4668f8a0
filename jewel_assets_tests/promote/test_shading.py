"""Light on plates, and the way from light to pixels."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.promote.palettes import PALETTES
from jewel_assets.promote.plates import make_plate
from jewel_assets.promote.scene import Gobo, Lamp, Plate, Rig, Spot, low_pass
from jewel_assets.promote.shading import (
    GOBOS,
    ambient_occlusion,
    dithered,
    gobo_mask,
    self_shadow,
    shade,
    spot_mask,
    to_linear,
    to_srgb,
)

SIDE = 160
VELVET = make_plate("velvet", PALETTES["wine"], (SIDE, SIDE), 2)
KEY = Lamp(140, 35, 2.0)
DARK = Rig("dark", (KEY,), (0.0, 0.0, 0.0))


def even(value: float, side: int = SIDE, **more: float) -> Plate:
    """A level plate of one grey."""
    normals = np.zeros((side, side, 3), np.float32)
    normals[..., 2] = 1
    grey = np.full((side, side, 3), value, np.float32)
    return Plate(grey, normals, np.zeros((side, side), np.float32), **{"specular": 0.0, **more})


def test_diffuse_white_under_a_lamp_of_one_head_on_is_one() -> None:
    lit = shade(even(1.0), Rig("head on", (Lamp(90, 90, 1.0),), (0.0, 0.0, 0.0)))
    assert lit.shape == (SIDE, SIDE, 3)
    assert lit.dtype == np.float32
    assert lit[SIDE // 2, SIDE // 2] == pytest.approx(1.0, abs=0.005)
    assert lit.max() <= 1.001
    assert lit[0, 0, 0] < lit[SIDE // 2, SIDE // 2, 0]  # light falls off towards the corners


def test_a_grey_plate_in_even_light_is_its_albedo_times_the_light() -> None:
    lit = shade(even(0.5), Rig("ambient", (Lamp(intensity=0.0),), (0.4, 0.2, 0.1)))
    assert lit[3, 5] == pytest.approx([0.2, 0.1, 0.05], rel=1e-4)


@settings(max_examples=12, deadline=None)
@given(st.floats(0, 4), st.floats(0.01, 4), st.floats(0, 360), st.floats(10, 90))
def test_a_stronger_lamp_makes_no_pixel_darker(weak: float, more: float, azimuth: float, elevation: float) -> None:
    lamps = (Lamp(azimuth, elevation, weak), Lamp(azimuth, elevation, weak + more))
    one, two = (shade(VELVET, Rig("rig", (lamp,), (0.1, 0.1, 0.1))) for lamp in lamps)
    assert (two >= one - 1e-6).all()
    assert two.sum() > one.sum()
    assert one.min() >= 0


def test_lights_add_up() -> None:
    other = Lamp(20, 60, 0.7, (0.4, 0.7, 1.0), 15)
    both = shade(VELVET, Rig("both", (KEY, other), (0.0, 0.0, 0.0)))
    alone = shade(VELVET, DARK) + shade(VELVET, Rig("other", (replace(KEY, intensity=0.0), other), (0.0, 0.0, 0.0)))
    assert np.allclose(both, alone, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_a_shadow_only_darkens_and_takes_the_key_lamp_alone(seed: int) -> None:
    rig = Rig("rig", (KEY, Lamp(20, 50, 0.4)), (0.1, 0.1, 0.1))
    shadow = np.random.default_rng(seed).random((SIDE, SIDE), np.float32)
    free, part, none = (shade(VELVET, rig, each) for each in (None, shadow, np.zeros_like(shadow)))
    assert (part <= free + 1e-6).all()
    assert (none <= part + 1e-6).all()
    without = shade(VELVET, replace(rig, lamps=(replace(KEY, intensity=0.0), rig.lamps[1])))
    assert np.allclose(none, without, atol=1e-6)
    assert np.array_equal(free, shade(VELVET, rig, np.ones_like(shadow)))


def test_shading_changes_neither_the_plate_nor_the_shadow() -> None:
    before = VELVET.albedo.copy(), VELVET.normals.copy(), VELVET.height.copy()
    shadow = np.full((SIDE, SIDE), 0.5, np.float32)
    shade(VELVET, replace(DARK, gobo=Gobo("window"), spot=Spot()), shadow)
    for one, two in zip(before, (VELVET.albedo, VELVET.normals, VELVET.height), strict=True):
        assert np.array_equal(one, two)
    assert (shadow == 0.5).all()


def test_a_pile_throws_light_back_at_its_edges_and_little_head_on() -> None:
    plate = even(0.1, sheen=1.0, sheen_roughness=0.28)
    tilt = np.radians(70)
    edge = np.broadcast_to(np.array([0, np.sin(tilt), np.cos(tilt)], np.float32), plate.normals.shape)
    for rig in (
        Rig("head on", (Lamp(90, 90, 1.0),), (0.0, 0.0, 0.0)),
        Rig("even", (Lamp(intensity=0.0),), (1.0, 1.0, 1.0)),
    ):
        pile = [
            float((shade(each, rig) - shade(replace(each, sheen=0.0), rig)).mean())
            for each in (plate, replace(plate, normals=edge))
        ]
        assert pile[1] > 5 * pile[0] >= 0


def test_what_shines_by_itself_needs_no_lamp() -> None:
    glow = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    night = Rig("night", (Lamp(intensity=0.0),), (0.0, 0.0, 0.0))
    assert np.allclose(shade(replace(even(0.5), emission=glow), night), glow)


def test_a_ridge_throws_its_shadow_away_from_the_lamp() -> None:
    height = np.zeros((SIDE, SIDE), np.float32)
    height[:, 78:82] = 30
    light = self_shadow(height, Lamp(azimuth=180, elevation=45))  # from the left
    assert light[80, 95] < 0.2
    assert light[80, 60] > 0.95
    assert light[80, 130] > 0.95
    hollow = ambient_occlusion(height)
    assert hollow[80, 74] < 0.9 < hollow[80, 20]
    assert hollow.max() <= 1.0


@pytest.mark.parametrize("kind", GOBOS)
def test_a_gobo_lets_light_and_shade_through(kind: str) -> None:
    for size in ((240, 240), (240, 300), (360, 190)):
        mask = gobo_mask(Gobo(kind), size, KEY, 3)
        assert mask.shape == size[::-1]
        assert mask.min() >= -1e-5
        assert mask.max() <= 1 + 1e-5
        assert mask.max() - mask.min() > 0.6
        assert 0.2 < mask.mean() < 0.9
        assert np.array_equal(mask, gobo_mask(Gobo(kind), size, KEY, 3))
        assert not np.array_equal(mask, gobo_mask(Gobo(kind), size, KEY, 4))


def test_the_blur_of_a_gobo_grows_away_from_the_lamp() -> None:
    mask = gobo_mask(Gobo("blinds", turn=0.0), (400, 400), Lamp(azimuth=90, elevation=40), 1)
    steepest = np.abs(np.diff(mask[:, 150:250], axis=0)).max(axis=1)
    assert steepest[:130].max() > 1.5 * steepest[270:].max()


def test_an_unknown_gobo_is_refused() -> None:
    with pytest.raises(Permanent, match=r"no gobo 'door'. Use window, blinds or leaves"):
        gobo_mask(Gobo("door"), (64, 64), KEY)


def test_a_spot_is_bright_in_its_middle_and_dark_outside() -> None:
    mask = spot_mask(Spot(0.25, 0.5, 0.2, 0.5), (200, 100))
    assert mask.shape == (100, 200)
    assert mask[50, 50] == pytest.approx(1.0)
    assert mask[50, 150] == 0.0
    across = mask[50, 50:]
    assert (np.diff(across) <= 1e-6).all()


def test_every_pixel_value_survives_the_way_through_linear_light() -> None:
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_srgb(to_linear(values)), values)
    assert to_linear(values)[[0, 255]].tolist() == [0.0, 1.0]
    assert to_linear(np.uint8([128]))[0] == pytest.approx(0.215861, abs=1e-5)
    assert to_srgb(np.float32([-1.0, 2.0])).tolist() == [0, 255]


def test_a_dithered_gradient_has_no_bands_and_the_right_mean() -> None:
    ramp = np.linspace(0.02, 0.035, 1024, dtype=np.float32)
    light = np.broadcast_to(ramp[None, :, None], (256, 1024, 3))
    plain, soft = to_srgb(light), dithered(light, 1)
    edges = np.flatnonzero(np.diff(plain[0, :, 0].astype(int)))
    assert len(edges) > 5  # a gradient of 8 bits has steps, each at one column of all rows
    assert len(edges) < 20
    changes = (np.diff(soft[..., 0].astype(int), axis=1) != 0).mean(axis=0)
    assert changes.min() > 0.2  # dithered: neighbours differ everywhere, so there is no run of equal columns
    columns = soft[..., 0].mean(axis=0)
    assert np.abs(columns - np.interp(ramp, to_linear(np.arange(256, dtype=np.uint8)), np.arange(256))).max() < 0.25
    assert np.abs(soft.astype(int) - plain.astype(int)).max() <= 2
    assert np.array_equal(soft, dithered(light, 1))
    assert not np.array_equal(soft, dithered(light, 2))


def test_dither_leaves_black_and_white_in_range() -> None:
    for value in (0.0, 1.0, 7.0):
        pixels = dithered(np.full((300, 300, 3), value, np.float32))
        wanted = 255 if value else 0
        assert np.abs(pixels.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("sigma", [3.0, 9.0, 13.0, 23.0])
@pytest.mark.parametrize("shape", [(620, 700), (333, 901, 3)])
def test_a_low_pass_is_a_gaussian_whichever_way_it_is_taken(sigma: float, shape: tuple[int, ...]) -> None:
    field = np.random.default_rng(1).random(shape).astype(np.float32)
    field[100:200] *= 0.2
    field[:, :50] = 1
    assert np.abs(low_pass(field, sigma) - cv2.GaussianBlur(field, (0, 0), sigma)).max() < 0.015
