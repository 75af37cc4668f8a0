"""Sharpening: detail of the ground alone, without halos, noise, or a rim around the piece."""

import cv2
import numpy as np
import pytest

from jewel_assets.promote.fidelity import core_of
from jewel_assets.promote.rendering import plate_alone, render
from jewel_assets.promote.shading import dithered
from jewel_assets.promote.sharpen import OVERSHOOT, THRESHOLD, sharpened
from jewel_assets.promote.templates import Template
from jewel_assets_tests.promote.pieces import ring

SIDE = 720
NOWHERE = np.zeros((SIDE, SIDE), np.float32)
LINEN = Template(name="t", style="linen", palette="sand", light="studio")


def grey(light: np.ndarray) -> np.ndarray:
    """A ground of this lightness (the root of its linear light)."""
    return np.repeat((light.astype(np.float32) ** 2)[..., None], 3, axis=2)


def soft_edge(sigma: float) -> np.ndarray:
    light = np.full((SIDE, SIDE), 0.3, np.float32)
    light[:, SIDE // 2 :] = 0.7
    return np.asarray(cv2.GaussianBlur(light, (0, 0), sigma))


def steepest(ground: np.ndarray) -> float:
    return float(np.abs(np.diff(np.sqrt(ground[..., 0]), axis=1)).max())


def test_a_slightly_soft_edge_becomes_steeper() -> None:
    ground = grey(soft_edge(0.9))
    assert steepest(sharpened(ground, NOWHERE, 1.0)) > 1.15 * steepest(ground)


def test_what_is_out_of_focus_stays_so() -> None:
    ground = grey(soft_edge(12))
    assert np.array_equal(sharpened(ground, NOWHERE, 1.0), ground)


def test_grain_below_the_threshold_stays_as_it_is() -> None:
    light = 0.5 + np.random.default_rng(1).uniform(-1, 1, (SIDE, SIDE)) * 0.9 * THRESHOLD / 2
    ground = grey(light)
    assert np.array_equal(sharpened(ground, NOWHERE, 1.0), ground)


def test_no_pixel_goes_beyond_its_neighbours_by_more_than_an_overshoot() -> None:
    light = np.random.default_rng(2).random((SIDE, SIDE)).astype(np.float32) * 0.5 + 0.2
    light = cv2.GaussianBlur(light, (0, 0), 0.8)
    found = np.sqrt(sharpened(grey(light), NOWHERE, 1.0)[..., 0])
    near = np.ones((3, 3), np.uint8)
    assert (found - cv2.dilate(light, near)).max() <= OVERSHOOT + 1e-4
    assert (cv2.erode(light, near) - found).max() <= OVERSHOOT + 1e-4


def test_hues_stay() -> None:
    light = soft_edge(0.9)
    ground = grey(light) * np.array([1.0, 0.5, 0.25], np.float32)
    found = sharpened(ground, NOWHERE, 1.0)
    assert np.abs(found[..., 1] / found[..., 0] - 0.5).max() < 1e-4
    assert np.abs(found - ground).max() > 0.01


def test_no_rim_comes_up_around_the_piece() -> None:
    """A shadow as black as it gets beneath the piece, and no pixel beside it that changes."""
    alpha = NOWHERE.copy()
    alpha[80:160, 80:160] = 1
    ground = grey(np.where(alpha > 0, 0.05, 0.5))
    beside = alpha == 0
    assert np.abs(sharpened(ground, alpha, 1.0) - ground)[beside].max() < 1e-6
    assert np.abs(sharpened(ground, NOWHERE, 1.0) - ground)[beside].max() > 0.005


def test_none_is_none() -> None:
    ground = grey(soft_edge(1.0))
    assert sharpened(ground, NOWHERE, 0.0) is ground


def test_the_grain_of_the_dither_is_no_stronger_than_before() -> None:
    """It comes after the sharpening: a plain ground has the same pixels."""
    ground = grey(np.full((SIDE, SIDE), 0.5, np.float32))
    assert np.array_equal(dithered(sharpened(ground, NOWHERE, 1.0), 3), dithered(ground, 3))


@pytest.mark.parametrize("mode", ["strict", "relit"])
def test_the_ground_of_an_image_is_sharpened_and_its_piece_is_not(mode: str) -> None:
    crisp = LINEN.model_copy(update={"sharpen": 1.0, "mode": mode})
    plain = render(ring(200), crisp.model_copy(update={"sharpen": 0.0}), 1, (300, 300))
    promo = render(ring(200), crisp, 1, (300, 300))
    core = core_of(promo.layers["mask"])
    assert np.array_equal(promo.image[core], plain.image[core])
    outside = promo.layers["mask"] == 0
    assert promo.image[outside].astype(float).std() > plain.image[outside].astype(float).std()
    assert promo.fidelity == plain.fidelity
    alone = [plate_alone(one, 1, (200, 200)).astype(float).std() for one in (LINEN, crisp)]
    assert alone[1] > alone[0]
