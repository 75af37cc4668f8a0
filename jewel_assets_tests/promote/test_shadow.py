"""Shadows fall away from the lamp, as far as its height says, and are darkest where the piece touches."""

import math

import numpy as np
import pytest

from jewel_assets.promote import shadow
from jewel_assets.promote.relief import height_of
from jewel_assets.promote.scene import Array, Lamp


def disc(side: int = 300, radius: int = 40) -> Array:
    y, x = np.mgrid[0:side, 0:side]
    return (((x - side / 2) ** 2 + (y - side / 2) ** 2) < radius**2).astype(np.float32)


def centroid(dark: Array) -> tuple[float, float]:
    y, x = np.mgrid[0 : dark.shape[0], 0 : dark.shape[1]]
    return float((x * dark).sum() / dark.sum()), float((y * dark).sum() / dark.sum())


@pytest.mark.parametrize("azimuth", [0, 45, 90, 140, 200, 300])
def test_a_shadow_falls_away_from_the_lamp(azimuth: float) -> None:
    alpha = disc()
    height = np.where(alpha > 0, 40.0, 0.0).astype(np.float32)
    dark = 1 - shadow.cast_lying(alpha, height, Lamp(azimuth, 45, softness=1))
    x, y = centroid(np.where(alpha > 0, 0, dark).astype(np.float32))
    away = math.degrees(math.atan2(-(y - 149.5), x - 149.5)) % 360
    assert abs((away - (azimuth + 180) + 180) % 360 - 180) < 5


def test_a_lower_lamp_throws_a_longer_shadow_and_a_larger_one_a_softer() -> None:
    alpha = disc()
    height = np.where(alpha > 0, 40.0, 0.0).astype(np.float32)
    low, high = (1 - shadow.cast_lying(alpha, height, Lamp(0, elevation, softness=1)) for elevation in (25, 65))
    assert low.sum() > high.sum()
    hard, soft = (1 - shadow.cast_lying(alpha, height, Lamp(0, 45, softness=softness)) for softness in (1, 20))
    assert np.abs(np.diff(hard, axis=1)).max() > 2 * np.abs(np.diff(soft, axis=1)).max()


def test_no_light_comes_between_the_slices_of_what_is_thin_and_high() -> None:
    alpha = np.zeros((300, 300), np.float32)
    alpha[140:160, 120:124] = 1
    height = np.where(alpha > 0, 90.0, 0.0).astype(np.float32)
    seen = shadow.cast_lying(alpha, height, Lamp(180, 45, softness=1))
    assert seen[150, 124:200].max() < 0.2


def test_a_chain_rises_by_its_own_width_and_a_pendant_by_its_share() -> None:
    y, x = np.mgrid[0:300, 0:300]
    radius = np.hypot(x - 150, y - 150)
    chain = ((radius > 136) & (radius < 142)).astype(np.float32)
    assert 5 < height_of(chain, "necklace", 284).max() < 14
    assert height_of(disc(300, 100), "necklace", 200).max() == pytest.approx(30, abs=1)


def test_light_comes_through_the_opening_of_a_ring() -> None:
    y, x = np.mgrid[0:300, 0:300]
    radius = np.hypot(x - 150, y - 150)
    band = ((radius > 80) & (radius < 95)).astype(np.float32)
    seen = shadow.cast_lying(band, height_of(band, "ring", 190), Lamp(120, 60, softness=2))
    assert seen[140:160, 140:160].min() > 0.5


@pytest.mark.parametrize("azimuth", [40, 90, 150, 250])
def test_a_standing_piece_throws_its_shadow_from_its_foot(azimuth: float) -> None:
    alpha = np.zeros((300, 300), np.float32)
    alpha[100:200, 140:160] = 1
    dark = 1 - shadow.cast_standing(alpha, 200.0, Lamp(azimuth, 40, softness=1))
    rows = np.flatnonzero((dark > 0.3).any(axis=1))
    assert len(rows) > 5
    assert min(abs(rows - 200)) <= 2
    x, _ = centroid(dark.astype(np.float32))
    assert (x < 149.5) == (math.cos(math.radians(azimuth)) > 0)


def test_contact_is_darkest_at_the_outline_and_gone_far_from_it() -> None:
    alpha = disc()
    left = shadow.contact(alpha)
    beside, far = left[150, 150 + 41], left[150, 290]
    assert beside < 0.8
    assert far > 0.97
    foot = shadow.contact(alpha, 190.0)
    assert foot[191, 150] < 0.85
    assert foot[150, 290] > 0.97


def test_a_reflection_is_the_piece_upside_down_and_fades() -> None:
    rgb = np.zeros((200, 100, 3), np.float32)
    alpha = np.zeros((200, 100), np.float32)
    alpha[40:100, 40:60] = 1
    rgb[40:70, 40:60] = (1, 0, 0)  # red above
    rgb[70:100, 40:60] = (0, 0, 1)  # blue below
    image, opacity = shadow.reflected(rgb, alpha, 100.0, 0.5, 1.0)
    assert opacity[:99].max() == 0
    assert image[110, 50, 2] > image[110, 50, 0]  # blue first
    assert image[150, 50, 0] > image[150, 50, 2]
    assert opacity[105, 50] > opacity[150, 50] > 0


def test_nothing_throws_no_shadow() -> None:
    nothing = np.zeros((50, 50), np.float32)
    assert shadow.cast_lying(nothing, nothing, Lamp()).min() == 1
    assert not height_of(nothing, "ring", 10).any()
