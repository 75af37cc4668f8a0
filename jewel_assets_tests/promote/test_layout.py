"""Where a piece lies, and that resampling it invents nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.promote.fidelity import core_of
from jewel_assets.promote.layout import Composition, lay, resized, turned
from jewel_assets.promote.piece import piece_of
from jewel_assets_tests.promote.pieces import drawn_ring, ring


def lanczos(plane: np.ndarray, size: int) -> np.ndarray:
    """Rows resampled to `size` by Lanczos of three lobes, written down from its definition: an independent witness."""
    count, scale = plane.shape[0], plane.shape[0] / size
    support = 3 * max(scale, 1.0)
    result = np.empty((size, *plane.shape[1:]))
    for n in range(size):
        middle = (n + 0.5) * scale
        first, last = max(0, int(middle - support + 0.5)), min(count, int(middle + support + 0.5))
        t = (np.arange(first, last) + 0.5 - middle) / max(scale, 1.0)
        weights = np.where(np.abs(t) < 3, np.sinc(t) * np.sinc(t / 3), 0.0)
        result[n] = np.tensordot(weights / weights.sum(), plane[first:last], axes=(0, 0))
    return result


@pytest.mark.parametrize("scale", [0.31, 0.5, 0.83, 1.4, 2.3])
def test_the_core_is_within_one_level_of_an_independent_lanczos(scale: float) -> None:
    rgba = drawn_ring(360)
    rgba[..., :3] = np.where(rgba[..., 3:] == 255, rgba[..., :3], 0)
    ours = resized(rgba, scale)
    premultiplied = rgba[..., :3].astype(float) * (rgba[..., 3:] / 255)
    planes = np.dstack([premultiplied, rgba[..., 3:]])
    height, width = ours.shape[:2]
    theirs = lanczos(lanczos(planes, height).swapaxes(0, 1), width).swapaxes(0, 1)
    colours = np.clip(theirs[..., :3] / np.maximum(theirs[..., 3:] / 255, 1e-3), 0, 255)
    core = core_of(ours[..., 3])
    assert core.any()
    assert np.abs(ours[core][:, :3] - colours[core]).max() <= 1


def test_a_scale_of_one_touches_nothing() -> None:
    rgba = drawn_ring(200)
    assert resized(rgba, 1.0) is rgba
    nearly = piece_of(rgba, "ring")
    width = nearly.size[0]
    laid = lay(nearly, (4 * width, round(2.0 * max(nearly.size) * 1.01)), Composition())
    assert laid.scale == 1.0
    assert np.array_equal(laid.rgba, nearly.rgba)


@given(
    x=st.floats(0, 1),
    y=st.floats(0, 1),
    scale=st.floats(0.2, 1.8),
    turn=st.sampled_from([0.0, 30.0, -90.0]),
    plate=st.tuples(st.integers(64, 300), st.integers(64, 300)),
)
def test_a_piece_never_leaves_its_plate(x: float, y: float, scale: float, turn: float, plate: tuple[int, int]) -> None:
    laid = lay(ring(120), plate, Composition(x, y, scale, turn))
    rows, columns = laid.box
    assert rows.start >= 0
    assert columns.start >= 0
    assert rows.stop <= plate[1]
    assert columns.stop <= plate[0]
    assert laid.alpha().shape == (plate[1], plate[0])


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    rgba = ring(100).rgba
    difference = turned(rgba, 90)[..., 3].astype(int) - np.rot90(rgba)[..., 3]
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("turn", [30, 45, 135])
def test_a_turned_piece_is_as_large_as_it_was_to_be_and_stands_on_its_foot(turn: float) -> None:
    laid = lay(ring(200), (400, 400), Composition(turn=turn))
    rows = np.flatnonzero((laid.rgba[..., 3] > 127).any(axis=1))
    assert max(laid.rgba.shape[:2]) == pytest.approx(200, abs=2)
    assert rows[-1] >= laid.rgba.shape[0] - 8


def test_no_fringe_comes_into_a_scaled_edge() -> None:
    """A piece of one colour keeps that colour wherever it is seen at all, however it is scaled."""
    rgba = drawn_ring(200)
    rgba[rgba[..., 3] > 0, :3] = (200, 160, 80)
    for scale in (0.4, 0.7, 1.6):
        scaled = resized(rgba, scale)
        seen = scaled[..., 3] > 25
        assert np.abs(scaled[seen][:, :3].astype(int) - (200, 160, 80)).max() <= 3
