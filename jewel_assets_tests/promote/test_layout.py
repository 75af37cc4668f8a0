"""Where a piece lies, and that resampling it invents nothing."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.promote.fidelity import core_of
from jewel_assets.promote.layout import MOST, Align, Composition, Laid, lay, resized, turned
from jewel_assets.promote.piece import piece_of
from jewel_assets_tests.promote.pieces import drawn_ring, ring

RING = ring(120)
PLATE = (400, 400)


def parts(laid: Laid) -> list[tuple[int, int, int, int]]:
    """Left, top, width, height of what lies apart, from the left to the right."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((laid.rgba[..., 3] > 0).astype(np.uint8))
    return sorted((int(x), int(y), int(w), int(h)) for x, y, w, h, area in stats[1:] if area > 200)


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
    laid = lay([nearly], (4 * width, round(2.0 * max(nearly.size) * 1.01)), Composition())
    assert laid.scale == 1.0
    assert np.array_equal(laid.rgba, nearly.rgba)


@given(
    x=st.floats(0, 1),
    y=st.floats(0, 1),
    scale=st.floats(0.2, 1.8),
    turn=st.sampled_from([0.0, 30.0, -90.0]),
    plate=st.tuples(st.integers(64, 300), st.integers(64, 300)),
    count=st.integers(1, 3),
    pair=st.booleans(),
    align=st.sampled_from(["middle", "foot", "top"]),
)
def test_pieces_never_leave_their_plate(
    x: float, y: float, scale: float, turn: float, plate: tuple[int, int], count: int, pair: bool, align: Align
) -> None:
    laid = lay([RING] * count, plate, Composition(x, y, scale, turn, pair), align)
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
    laid = lay([ring(200)], (400, 400), Composition(turn=turn))
    rows = np.flatnonzero((laid.rgba[..., 3] > 127).any(axis=1))
    assert max(laid.rgba.shape[:2]) == pytest.approx(200, abs=2)
    assert rows[-1] >= laid.rgba.shape[0] - 8


def test_a_pair_is_a_piece_and_its_mirror_image() -> None:
    laid = lay([RING], PLATE, Composition(turn=20, pair=True))
    half = laid.rgba.shape[1] // 2
    assert np.array_equal(laid.rgba[:, :half], laid.rgba[:, ::-1][:, :half])
    assert len(parts(laid)) == 2


@pytest.mark.parametrize(("count", "rows"), [(2, 1), (3, 1), (4, 2), (5, 2), (6, 2)])
def test_several_lie_apart_in_one_row_or_two(count: int, rows: int) -> None:
    laid = lay([RING] * count, PLATE, Composition())
    found = parts(laid)
    assert len(found) == count
    assert len({top for _, top, _, _ in found}) == rows
    assert laid.longest == pytest.approx(max(max(w, h) for _, _, w, h in found), abs=5)


def test_on_a_story_they_lie_above_each_other_unless_they_stand_on_a_floor() -> None:
    lying, standing = (parts(lay([RING] * 2, (360, 640), Composition(), align)) for align in ("middle", "foot"))
    assert lying[0][0] == lying[1][0]
    assert standing[0][1] == standing[1][1]


@pytest.mark.parametrize("scale", [0.3, 0.6, 0.9, 1.5, 3.0])
def test_nothing_of_a_filters_lobes_is_left_beyond_an_edge_or_within_it(scale: float) -> None:
    """Of a disc of 300 pixels: or a light piece shows a contour on a dark plate, and an opaque one shines through."""
    y, x = np.mgrid[:400, :400]
    alpha = np.clip(150.5 - np.hypot(x - 200, y - 200), 0, 1)
    rgba = np.dstack([np.full((400, 400, 3), 240), np.rint(alpha * 255)]).astype(np.uint8)
    rgba[rgba[..., 3] == 0] = 0
    scaled = resized(rgba, scale)[..., 3]
    y, x = np.mgrid[: scaled.shape[0], : scaled.shape[1]]
    distance = np.hypot((x + 0.5) / scale - 200.5, (y + 0.5) / scale - 200.5)
    reach = 1.3 * max(1.0, 1 / scale)
    assert (scaled[distance > 150.5 + reach] == 0).all()
    assert (scaled[distance < 149.5 - reach] == 255).all()


@pytest.mark.parametrize(("align", "edge"), [("foot", 1), ("top", 0), ("middle", 0.5)])
def test_pieces_of_different_height_are_in_line(align: Align, edge: float) -> None:
    wide = piece_of(cv2.resize(drawn_ring(200), (300, 100), interpolation=cv2.INTER_AREA), "ring")
    found = parts(lay([RING, wide], PLATE, Composition(), align))
    places = [top + edge * height for _, top, _, height in found]
    assert places[0] == pytest.approx(places[1], abs=4)


def test_more_than_fit_are_a_sentence() -> None:
    with pytest.raises(Permanent, match="7 pieces do not go into one picture: give 1 to 6"):
        lay([RING] * (MOST + 1), PLATE, Composition())


def test_no_fringe_comes_into_a_scaled_edge() -> None:
    """A piece of one colour keeps that colour wherever it is seen at all, however it is scaled."""
    rgba = drawn_ring(200)
    rgba[rgba[..., 3] > 0, :3] = (200, 160, 80)
    for scale in (0.4, 0.7, 1.6):
        scaled = resized(rgba, scale)
        seen = scaled[..., 3] > 25
        assert np.abs(scaled[seen][:, :3].astype(int) - (200, 160, 80)).max() <= 3
