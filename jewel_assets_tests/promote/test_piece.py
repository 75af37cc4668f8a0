"""What is taken for a piece, and what is refused with which reason."""

import cv2
import numpy as np
import pytest

from jewel_assets.images import Pixels
from jewel_assets.promote.piece import MARGIN, Unfit, guess_category, piece_of
from jewel_assets_tests.promote.pieces import drawn_ring


def placed(rgba: Pixels, top: int, left: int, size: tuple[int, int]) -> Pixels:
    canvas = np.zeros((*size, 4), np.uint8)
    part = canvas[top : top + rgba.shape[0], left : left + rgba.shape[1]]
    part[:] = rgba[: part.shape[0], : part.shape[1]]
    return canvas


def test_a_piece_is_cut_to_its_box_and_keeps_every_pixel() -> None:
    ring = drawn_ring(300)
    one = piece_of(ring, "ring")
    other = piece_of(placed(ring, 120, 40, (700, 800)), "ring")
    assert np.array_equal(one.rgba, other.rgba)
    assert one.rgba[:MARGIN].max() == 0
    assert (one.rgba[..., 3] == 255).sum() == (ring[..., 3] == 255).sum()


@pytest.mark.parametrize(
    ("rgba", "reason"),
    [
        (np.zeros((100, 100, 4), np.uint8), "no subject"),
        (np.full((100, 100, 4), 255, np.uint8), "no background"),
        (placed(drawn_ring(200), 0, 0, (150, 200)), "cut by the border"),
        (placed(drawn_ring(40), 50, 50, (200, 200)), "too small"),
    ],
)
def test_what_makes_no_image_is_refused_with_its_reason(rgba: Pixels, reason: str) -> None:
    with pytest.raises(Unfit) as refused:
        piece_of(rgba)
    assert refused.value.reason == reason
    assert str(refused.value).endswith(".")


def test_the_border_that_cuts_a_piece_is_named() -> None:
    with pytest.raises(Unfit, match="at the bottom of its photo"):
        piece_of(placed(drawn_ring(200), 60, 50, (200, 300)))


def test_a_category_that_is_given_is_believed_and_another_is_guessed() -> None:
    assert piece_of(drawn_ring(), "bracelet").category == "bracelet"
    assert piece_of(drawn_ring()).category == "ring"


def test_two_parts_of_one_size_are_earrings_and_a_thin_wide_loop_is_a_necklace() -> None:
    pair = np.zeros((300, 300, 4), np.uint8)
    for x in (80, 220):
        cv2.circle(pair, (x, 150), 40, (200, 200, 200, 255), -1)
    assert guess_category(pair) == "earrings"
    chain = np.zeros((400, 400, 4), np.uint8)
    cv2.circle(chain, (200, 200), 180, (200, 200, 200, 255), 5)
    assert guess_category(chain) == "necklace"


def test_many_separate_parts_are_doubted() -> None:
    several = np.zeros((300, 300, 4), np.uint8)
    for x in (60, 150, 240):
        for y in (80, 220):
            cv2.circle(several, (x, y), 30, (200, 200, 200, 255), -1)
    assert "separate parts" in piece_of(several).warnings[0]
