"""Grade, logo, the place for words and their colour: none touches the piece, and broken files are sentences."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, encode_png
from jewel_assets.promote.finish import LEAST_CONTRAST, WIDEST, Finish, graded, quiet_area, text_colour, with_logo
from jewel_assets.promote.palettes import PALETTES, palette
from jewel_assets.promote.rendering import render
from jewel_assets.promote.scene import Palette
from jewel_assets.promote.templates import Template
from jewel_assets_tests.promote.pieces import ring

GOLD = Template(name="t", style="gradient", palette="black", light="glow")


def cube(path: Path, change: tuple[float, float, float], size: int = 5) -> Path:
    """A LUT that multiplies the encoded channels."""
    steps = np.linspace(0, 1, size)
    lines = [f"LUT_3D_SIZE {size}"]
    for blue in steps:
        for green in steps:
            lines += [f"{r * change[0]:.6f} {green * change[1]:.6f} {blue * change[2]:.6f}" for r in steps]
    path.write_text("\n".join(lines) + "\n")
    return path


def logo(path: Path, width: int, height: int, colour: tuple[int, int, int] = (255, 0, 255)) -> Path:
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[..., :3] = colour
    path.write_bytes(encode_png(rgba))
    return path


def of_colour(image: Pixels, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) < 3).all(axis=2)


def test_a_lut_that_changes_nothing_changes_nothing(tmp_path: Path) -> None:
    ground = np.random.default_rng(1).random((20, 30, 3), np.float32)
    assert np.abs(graded(ground, cube(tmp_path / "same.cube", (1, 1, 1))) - ground).max() < 1e-4


def test_a_grade_colours_the_ground_and_leaves_the_piece(tmp_path: Path) -> None:
    warm = cube(tmp_path / "warm.cube", (1.0, 0.8, 0.6))
    plain, toned = render(ring(200), GOLD, 1, (270, 270)), render(ring(200), GOLD, 1, (270, 270), Finish(lut=warm))
    assert toned.fidelity.difference == 0
    corner = np.s_[:40, :40]
    assert toned.image[corner][..., 2].mean() < 0.8 * plain.image[corner][..., 2].mean()
    assert toned.record["finish"]["lut_sha256"]


@pytest.mark.parametrize("text", ["", "LUT_3D_SIZE 5\n0 0 0\n", "no lut at all", "LUT_3D_SIZE 2\n" + "a b c\n" * 8])
def test_a_broken_lut_is_a_sentence(text: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.cube"
    broken.write_text(text)
    with pytest.raises(Permanent, match=r"broken\.cube is no LUT"):
        graded(np.zeros((4, 4, 3), np.float32), broken)
    with pytest.raises(Permanent, match="cannot be read"):
        graded(np.zeros((4, 4, 3), np.float32), tmp_path / "nowhere.cube")


@pytest.mark.parametrize("place", ["bottom right", "bottom left", "top right", "top left"])
def test_a_logo_stands_in_its_corner(place: str, tmp_path: Path) -> None:
    finish = Finish(logo=logo(tmp_path / "logo.png", 30, 12), place=place, opacity=1.0)  # type: ignore[arg-type]
    image, box, said = with_logo(np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300), np.uint8), finish)
    rows, columns = np.nonzero(of_colour(image, (255, 0, 255)))
    assert (rows.mean() < 100) == ("top" in place)
    assert (columns.mean() < 150) == ("left" in place)
    assert len(rows) == 30 * 12
    assert box == (columns.min(), rows.min(), 30, 12)
    assert said == []


def test_a_logo_larger_than_the_image_is_made_smaller(tmp_path: Path) -> None:
    finish = Finish(logo=logo(tmp_path / "logo.png", 900, 300), opacity=1.0)
    image, _, _ = with_logo(np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300), np.uint8), finish)
    rows, columns = np.nonzero(of_colour(image, (255, 0, 255)))
    assert np.ptp(columns) < 0.23 * 300
    assert 2.5 < np.ptp(columns) / np.ptp(rows) < 3.5


def test_a_logo_never_covers_the_piece(tmp_path: Path) -> None:
    finish = Finish(logo=logo(tmp_path / "logo.png", 30, 12), opacity=1.0)
    mask = np.zeros((200, 300), np.uint8)
    mask[150:, 200:] = 255
    image, _, said = with_logo(np.zeros((200, 300, 3), np.uint8), mask, finish)
    assert not of_colour(image, (255, 0, 255))[mask > 0].any()
    assert "bottom left instead of bottom right" in said[0]
    nowhere, box, said = with_logo(np.zeros((200, 300, 3), np.uint8), np.full((200, 300), 255, np.uint8), finish)
    assert not nowhere.any()
    assert box is None
    assert "no logo" in said[0]


def test_a_logo_half_seen_is_half_blended(tmp_path: Path) -> None:
    finish = Finish(logo=logo(tmp_path / "logo.png", 30, 12, (255, 255, 255)), opacity=0.5)
    image, _, _ = with_logo(np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300), np.uint8), finish)
    assert image.max() == 188  # half of the light, not half of the number


def test_what_is_no_logo_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_text("no picture")
    black = np.zeros((50, 50, 3), np.uint8)
    with pytest.raises(Permanent, match="is no picture that can be used"):
        with_logo(black, black[..., 0], Finish(logo=tmp_path / "logo.png"))
    with pytest.raises(Permanent, match="cannot be read"):
        with_logo(black, black[..., 0], Finish(logo=tmp_path / "nowhere.png"))
    with pytest.raises(Permanent, match="bottom right"):
        Finish(place="middle")  # type: ignore[arg-type]
    with pytest.raises(Permanent, match="between 0 and 1"):
        Finish(opacity=3)
    with pytest.raises(Permanent, match="lanczos or real-esrgan"):
        Finish(upscale="magic")  # type: ignore[arg-type]


@given(
    x=st.integers(0, 90), y=st.integers(0, 70), wide=st.integers(1, 60), high=st.integers(1, 60), at=st.integers(0, 95)
)
def test_the_place_for_words_is_free_of_piece_and_logo(x: int, y: int, wide: int, high: int, at: int) -> None:
    mask = np.zeros((100, 120), np.uint8)
    mask[y : y + high, x : x + wide] = 255
    left, top, width, height = quiet_area(mask, (at, 80, 20, 10))
    assert min(left, top, width, height) >= 0
    assert top + height <= 100
    assert left + width <= 120
    taken = mask.copy()
    taken[80:90, at : at + 20] = 255
    assert not taken[top : top + height, left : left + width].any()


def room(width: int, height: int) -> float:
    """What words can use of a place: it counts as a square where it is higher than wide."""
    return min(width, WIDEST * height) * min(width, height)


def most_room(mask: np.ndarray) -> float:
    """By looking at every rectangle."""
    rows, columns = mask.shape
    return max(
        room(right - left, bottom - top)
        for top in range(rows)
        for bottom in range(top + 1, rows + 1)
        for left in range(columns)
        for right in range(left + 1, columns + 1)
        if not mask[top:bottom, left:right].any()
    )


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_roomiest_rectangle_that_is_free(seed: int) -> None:
    mask = (np.random.default_rng(seed).random((12, 12)) < 0.12).astype(np.uint8)  # cells of one pixel, no margin
    _, _, width, height = quiet_area(mask)
    assert room(width, height) == most_room(mask)


def test_beside_a_piece_in_a_corner_the_place_is_more_than_a_strip() -> None:
    mask = np.zeros((1000, 1000), np.uint8)
    mask[:500, :500] = 255
    mask[900:, 900:] = 255
    left, top, width, height = quiet_area(mask)
    assert width * height > 0.3 * 1000 * 1000
    assert (left > 500) or (top > 500)


def test_a_piece_that_fills_the_picture_leaves_no_place() -> None:
    assert quiet_area(np.full((100, 100), 255, np.uint8))[2:] == (0, 0)


@pytest.mark.parametrize("name", sorted(PALETTES))
def test_the_colour_of_words_reads_on_dark_and_on_light_ground(name: str) -> None:
    for level in (8, 245):
        image = np.full((50, 50, 3), level, np.uint8)
        colour, contrast = text_colour(palette(name), image, (5, 5, 40, 40))
        assert contrast >= LEAST_CONTRAST
        assert colour.startswith("#")


def test_the_colour_of_words_is_the_palettes_own_where_that_reads_and_its_best_where_not() -> None:
    ivory = palette("ivory")
    light, dark = np.full((50, 50, 3), 240, np.uint8), np.full((50, 50, 3), 10, np.uint8)
    assert text_colour(ivory, light, (0, 0, 50, 50))[0] == ivory.text
    assert text_colour(ivory, dark, (0, 0, 50, 50))[0] == ivory.ground


def test_the_contrast_is_that_of_black_on_white_and_none_within_the_grounds_own_tones() -> None:
    black_on_white = Palette("test", "#000000", "#000000", "#000000", "#000000")
    assert text_colour(black_on_white, np.full((9, 9, 3), 255, np.uint8), (0, 0, 9, 9))[1] == 21.0
    stripes = np.zeros((20, 20, 3), np.uint8)
    stripes[::2] = 255
    grey = Palette("test", "#808080", "#808080", "#808080", "#808080")
    assert text_colour(grey, stripes, (0, 0, 20, 20))[1] == 1.0


def test_a_logo_or_a_lut_that_is_changed_in_place_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    for colour in ((255, 0, 0), (0, 0, 255)):
        finish = Finish(logo=logo(path, 30, 12, colour), opacity=1.0)
        image, _, _ = with_logo(np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300), np.uint8), finish)
        assert of_colour(image, colour).sum() == 30 * 12
    grey = np.full((4, 4, 3), 0.5, np.float32)
    for blue in (1.0, 0.5):
        toned = graded(grey, cube(tmp_path / "own.cube", (1, 1, blue)))
        assert (toned[0, 0, 2] < 0.4) == (blue < 1)
