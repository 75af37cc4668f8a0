"""Sparkle: stars where highlights are, light that is only added, and a promise that is kept everywhere else."""

import cv2
import numpy as np
import pytest

from jewel_assets.images import Pixels
from jewel_assets.promote.piece import Piece, piece_of
from jewel_assets.promote.rendering import render
from jewel_assets.promote.sparkle import APART, LARGEST_SHARE, MOST, Star, highlights, sparkled, stars_of
from jewel_assets.promote.templates import Template
from jewel_assets_tests.promote.pieces import drawn_ring

SIDE = 400
SPOTS = ((76, 225), (324, 225), (200, 350))
CANDLE = Template(name="t", style="velvet", palette="black", light="candle", mode="relit", sparkle=0.6)


def shining(side: int = SIDE) -> Pixels:
    """The drawn ring in a darker gold, with a few small highlights."""
    rgba = drawn_ring(side, (150, 116, 50))
    for x, y in SPOTS:
        at = (x * side // SIDE, y * side // SIDE)
        spot = np.zeros(rgba.shape[:2], np.uint8)
        cv2.circle(spot, at, 5, 255, -1)
        rgba[(spot > 0) & (rgba[..., 3] == 255), :3] = (255, 252, 244)
    return rgba


@pytest.fixture(scope="module")
def piece() -> Piece:
    return piece_of(shining(), "ring")


def everywhere(image: Pixels) -> np.ndarray:
    return np.ones(image.shape[:2], np.bool_)


def test_highlights_are_found_where_they_are() -> None:
    found = highlights(shining(), SIDE)
    assert len(found) == len(SPOTS)
    for x, y, strength in found:
        assert min(np.hypot(x - a, y - b) for a, b in SPOTS) < 6
        assert 0 < strength <= 1
    assert found[0][2] == 1


def test_a_white_piece_has_no_highlight_and_neither_has_a_dull_one() -> None:
    for level in (255, 120):
        rgba = np.zeros((200, 200, 4), np.uint8)
        cv2.circle(rgba, (100, 100), 80, (level, level, level, 255), -1)
        assert highlights(rgba, 200) == []


def test_a_white_rim_that_the_old_ground_left_is_no_highlight() -> None:
    rgba = np.zeros((200, 200, 4), np.uint8)
    cv2.circle(rgba, (100, 100), 80, (90, 70, 30, 255), -1)
    cv2.circle(rgba, (100, 100), 79, (255, 255, 255, 255), 2)
    assert highlights(rgba, 200) == []


def test_stars_keep_apart_and_are_few() -> None:
    rng = np.random.default_rng(4)
    rgba = np.zeros((400, 400, 4), np.uint8)
    rgba[20:380, 20:380] = (60, 50, 40, 255)
    for x, y in rng.integers(40, 360, (60, 2)):
        cv2.circle(rgba, (int(x), int(y)), 2, (255, 255, 250, 255), -1)
    found = stars_of(rgba, (0, 0), 1.0, 400, 3)
    assert len(found) == MOST
    places = np.array([(star.x, star.y) for star in found])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + 1e9 * np.eye(len(places))
    assert apart.min() >= APART * 400
    assert [star.size for star in found] == sorted((star.size for star in found), reverse=True)
    assert {(one.x, one.y) for one in found} != {(one.x, one.y) for one in stars_of(rgba, (0, 0), 1.0, 400, 4)}
    assert found == stars_of(rgba, (0, 0), 1.0, 400, 3)
    assert stars_of(rgba, (0, 0), 0.0, 400, 3) == []


@pytest.mark.parametrize("level", [0, 40, 250])
def test_light_is_added_none_is_taken_and_none_falls_beyond_a_stars_size(level: int) -> None:
    image = np.full((200, 200, 3), level, np.uint8)
    star = Star(100, 90, 40.0, 1.0)
    found, drawn = sparkled(image, [star], np.zeros((200, 200), np.bool_), 5)
    assert drawn == [star]
    assert (found >= image).all()
    y, x = np.nonzero((found != image).any(axis=2))
    assert len(x) > 40
    assert np.hypot(x - 100, y - 90).max() <= 40


def test_a_star_fades_into_black_without_an_edge() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[100, 100] = 255
    found, _ = sparkled(image, [Star(100, 100, 60.0, 1.0)], np.zeros((200, 200), np.bool_), 5)
    y, x = np.mgrid[:200, :200]
    rim = np.abs(np.hypot(x - 100, y - 100) - 58) < 1
    assert found[rim].max() <= 4
    assert found[100, 101].min() > 150


def test_a_star_has_four_or_six_rays_and_all_stars_of_an_image_the_same() -> None:
    image = np.zeros((300, 300, 3), np.uint8)
    stars = [Star(90, 90, 60.0, 1.0), Star(210, 210, 60.0, 1.0)]
    for seed in range(4):
        found, _ = sparkled(image, stars, np.zeros((300, 300), np.bool_), seed)
        turns = np.radians(np.arange(0, 360, 0.5))
        rays = []
        for star in stars:
            ring = [(star.y + 14 * np.sin(t), star.x + 14 * np.cos(t)) for t in turns]
            level = np.array([found[round(y), round(x)].max() for y, x in ring], float)
            bright = level > (level.max() + level.min()) / 2
            rays.append(int(((~bright) & np.roll(bright, -1)).sum()))
        assert rays[0] == rays[1]
        assert rays[0] in (4, 6)


def test_a_small_piece_is_not_buried_under_stars() -> None:
    image = np.full((200, 200, 3), 60, np.uint8)
    piece = np.zeros((200, 200), np.bool_)
    piece[90:110, 90:110] = True
    stars = [Star(100, 100, 80.0, 1.0), Star(92, 92, 60.0, 0.5)]
    found, drawn = sparkled(image, stars, piece, 1)
    assert ((found != image).any(axis=2) & piece).sum() <= LARGEST_SHARE * piece.sum()
    assert len(drawn) < len(stars)


def test_relit_sparkles_and_is_what_it_was_everywhere_else(piece: Piece) -> None:
    promo = render(piece, CANDLE, 3, (400, 400))
    dull = render(piece, CANDLE.model_copy(update={"sparkle": 0.0}), 3, (400, 400))
    assert promo.record["sparkles"]
    assert 0 < promo.record["sparkled"] <= LARGEST_SHARE
    assert promo.fidelity == dull.fidelity
    assert promo.fidelity.holds
    y, x = np.nonzero((promo.image != dull.image).any(axis=2))
    near = np.min([np.hypot(x - a, y - b) - size for a, b, size in promo.record["sparkles"]], axis=0)
    assert near.max() <= 0.06  # sizes are recorded in tenths of a pixel
    again = render(piece, CANDLE, 3, (400, 400))
    assert np.array_equal(again.image, promo.image)


def test_strict_never_sparkles_and_says_so(piece: Piece) -> None:
    strict = CANDLE.model_copy(update={"mode": "strict"})
    promo = render(piece, strict, 3, (400, 400))
    assert promo.record["sparkles"] == []
    assert promo.fidelity.difference == 0
    assert any("no sparkle" in warning and "--mode relit" in warning for warning in promo.warnings)
    dull = render(piece, strict.model_copy(update={"sparkle": 0.0}), 3, (400, 400))
    assert np.array_equal(promo.image, dull.image)
    assert not any("sparkle" in warning for warning in dull.warnings)
