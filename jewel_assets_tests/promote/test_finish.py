"""Grade, logo and the place for words: none of them touches the piece, and broken files are sentences."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, encode_png
from jewel_assets.promote.finish import Finish, graded, quiet_area, with_logo
from jewel_assets.promote.render import render
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
    image, said = with_logo(np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300), np.uint8), finish)
    rows, columns = np.nonzero(of_colour(image, (255, 0, 255)))
    assert (rows.mean() < 100) == ("top" in place)
    assert (columns.mean() < 150) == ("left" in place)
    assert len(rows) == 30 * 12
    assert said == []


def test_a_logo_larger_than_the_image_is_made_smaller(tmp_path: Path) -> None:
    finish = Finish(logo=logo(tmp_path / "logo.png", 900, 300), opacity=1.0)
    image, _ = with_logo(np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300), np.uint8), finish)
    rows, columns = np.nonzero(of_colour(image, (255, 0, 255)))
    assert np.ptp(columns) < 0.23 * 300
    assert 2.5 < np.ptp(columns) / np.ptp(rows) < 3.5


def test_a_logo_never_covers_the_piece(tmp_path: Path) -> None:
    finish = Finish(logo=logo(tmp_path / "logo.png", 30, 12), opacity=1.0)
    mask = np.zeros((200, 300), np.uint8)
    mask[150:, 200:] = 255
    image, said = with_logo(np.zeros((200, 300, 3), np.uint8), mask, finish)
    assert not of_colour(image, (255, 0, 255))[mask > 0].any()
    assert "bottom left instead of bottom right" in said[0]
    nowhere, said = with_logo(np.zeros((200, 300, 3), np.uint8), np.full((200, 300), 255, np.uint8), finish)
    assert not nowhere.any()
    assert "no logo" in said[0]


def test_a_logo_half_seen_is_half_blended(tmp_path: Path) -> None:
    finish = Finish(logo=logo(tmp_path / "logo.png", 30, 12, (255, 255, 255)), opacity=0.5)
    image, _ = with_logo(np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300), np.uint8), finish)
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


@given(x=st.integers(0, 90), y=st.integers(0, 70), wide=st.integers(1, 60), high=st.integers(1, 60))
def test_the_place_for_words_is_free_and_within_the_picture(x: int, y: int, wide: int, high: int) -> None:
    mask = np.zeros((100, 120), np.uint8)
    mask[y : y + high, x : x + wide] = 255
    left, top, width, height = quiet_area(mask)
    assert min(left, top, width, height) >= 0
    assert top + height <= 100
    assert left + width <= 120
    assert not mask[top : top + height, left : left + width].any()


def test_a_logo_or_a_lut_that_is_changed_in_place_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    for colour in ((255, 0, 0), (0, 0, 255)):
        finish = Finish(logo=logo(path, 30, 12, colour), opacity=1.0)
        image, _ = with_logo(np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300), np.uint8), finish)
        assert of_colour(image, colour).sum() == 30 * 12
    grey = np.full((4, 4, 3), 0.5, np.float32)
    for blue in (1.0, 0.5):
        toned = graded(grey, cube(tmp_path / "own.cube", (1, 1, blue)))
        assert (toned[0, 0, 2] < 0.4) == (blue < 1)
