"""Pixels survive the way into a blob and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from jewel_assets.images import decode, encode_jpeg, encode_png, fit, flatten

RGBA = arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(4)))


@given(RGBA)
def test_png_keeps_every_pixel(pixels: np.ndarray) -> None:
    assert (decode(encode_png(pixels), alpha=True) == pixels).all()


@given(RGBA)
def test_without_alpha_what_is_transparent_is_white(pixels: np.ndarray) -> None:
    laid = decode(encode_png(pixels))
    assert (laid[pixels[..., 3] == 0] == 255).all()
    assert (laid[pixels[..., 3] == 255] == pixels[..., :3][pixels[..., 3] == 255]).all()


@given(RGBA, st.integers(1, 30))
def test_fit_never_scales_up_and_keeps_the_longer_side_within_bounds(pixels: np.ndarray, side: int) -> None:
    assert max(fit(pixels, side).shape[:2]) == min(side, max(pixels.shape[:2]))


def test_a_jpeg_keeps_the_colour_of_a_small_stone() -> None:
    pixels = np.full((32, 32, 3), 255, np.uint8)
    pixels[15:17, 15:17] = (200, 20, 40)
    assert np.abs(decode(encode_jpeg(pixels))[15:17, 15:17].astype(int) - (200, 20, 40)).max() < 25


def test_flatten_lays_on_the_colour_that_is_asked_for() -> None:
    pixels = np.array([[[100, 100, 100, 255], [0, 0, 0, 0]]], np.uint8)
    assert flatten(pixels, (9, 8, 7)).tolist() == [[[100, 100, 100], [9, 8, 7]]]


def test_bytes_that_are_no_image_are_named_as_such() -> None:
    with pytest.raises(ValueError, match="not a JPEG, PNG or WebP"):
        decode(b"<html>")
