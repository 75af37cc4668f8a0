"""Words on an image: whole, in their place, in a font that has them, or not there at all."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from jewel_assets.cli import app
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, encode_png
from jewel_assets.promote.finish import Box, Finish
from jewel_assets.promote.rendering import render
from jewel_assets.promote.templates import Template, read
from jewel_assets.promote.words import LONGEST, box_of, fitted, font, texts_of, with_words
from jewel_assets_tests.promote.pieces import drawn_ring, ring

KNOWN = {"headline": "", "line": "", "price": ""}
PLAIN = Template(name="t", style="gradient", palette="sapphire", light="candle")
SIDE = 600


def written(texts: dict[str, str], area: Box = (30, 30, 540, 200), level: int = 0) -> Pixels | None:
    lines = fitted(texts, font(), area, (SIDE, SIDE))
    return with_words(np.full((SIDE, SIDE, 3), level, np.uint8), lines, font(), "#ffffff") if lines else None


def inked(image: Pixels) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.nonzero(image.max(axis=2) > 60)
    return rows, columns


def test_the_font_that_comes_with_the_package_has_what_prices_and_names_need() -> None:
    face = font()
    assert face.name == "Caladea Regular"
    assert all(ord(character) in face.characters for character in "AZaz09 €£$éèêüöäßçñåøœŁž–—’“”&%")
    assert len(face.sha256) == 64


@given(
    headline=st.text("abcdefg hijk", min_size=1, max_size=40),
    x=st.integers(0, 200),
    y=st.integers(0, 200),
    wide=st.integers(1, 400),
    high=st.integers(1, 400),
)
def test_words_stay_in_their_area_or_are_not_there(headline: str, x: int, y: int, wide: int, high: int) -> None:
    texts = texts_of(KNOWN, {"headline": headline, "price": "12"})
    found = written(texts, (x, y, wide, high))
    if found is not None:
        found[y : y + high, x : x + wide] = 0
        assert not found.any()


def test_a_headline_is_larger_than_the_lines_under_it() -> None:
    def height(texts: dict[str, str]) -> int:
        found = written(texts)
        assert found is not None
        return int(np.ptp(inked(found)[0]))

    assert height({"headline": "Hx"}) > 1.5 * height({"line": "Hx"})


def test_what_is_long_is_wrapped_and_made_smaller_until_it_fits_and_else_left_out() -> None:
    area = (30, 30, 300, 200)
    one, several = (
        written({"headline": "Gold"}, area),
        written({"headline": "Gold that keeps its colour for good"}, area),
    )
    assert one is not None
    assert several is not None
    assert np.ptp(inked(several)[0]) > 1.5 * np.ptp(inked(one)[0])
    assert written({"headline": "Gold " * 30}, (30, 30, 200, 120)) is None
    assert written({"headline": "Incomprehensibilities" * 3}, area) is None
    assert written({"headline": "Gold"}, (30, 30, 0, 0)) is None


def test_lines_are_even_no_word_stands_alone() -> None:
    found = written({"headline": "Rings for every day of the year"}, (30, 30, 300, 300))
    assert found is not None
    rows, columns = inked(found)
    gaps = np.flatnonzero(np.diff(np.unique(rows)) > 4)
    assert len(gaps) >= 1
    split = np.unique(rows)[gaps[-1]]
    last = np.ptp(columns[rows > split])
    assert last > 0.5 * np.ptp(columns)


def test_words_in_the_middle_are_centred_and_at_the_side_in_line() -> None:
    texts = {"headline": "A wide headline", "line": "Short"}

    def lines(area: Box) -> list[tuple[int, int]]:
        found = written(texts, area)
        assert found is not None
        rows, columns = inked(found)
        split = np.unique(rows)[np.flatnonzero(np.diff(np.unique(rows)) > 8)[0]]
        return [(int(c.min()), int(c.max())) for c in (columns[rows <= split], columns[rows > split])]

    upper, lower = lines((30, 30, 540, 200))
    assert abs(sum(upper) - sum(lower)) <= 4
    upper, lower = lines((30, 30, 300, 400))
    assert abs(upper[0] - lower[0]) <= 4


def test_the_box_of_words_is_where_they_are() -> None:
    texts = {"headline": "A wide headline", "line": "Short"}
    x, y, wide, high = box_of(fitted(texts, font(), (30, 30, 540, 200), (SIDE, SIDE)))
    found = written(texts)
    assert found is not None
    rows, columns = inked(found)
    assert abs(columns.min() - x) < 6
    assert abs(columns.max() - x - wide) < 6
    assert rows.min() >= y
    assert rows.max() <= y + high


def test_words_are_blended_in_linear_light_and_nothing_else_changes() -> None:
    found = written({"headline": "Gold"}, level=90)
    assert found is not None
    assert found.max() == 255
    assert found.min() == 90


def test_characters_that_the_font_lacks_are_named() -> None:
    with pytest.raises(Permanent, match=r"Caladea Regular has no 金 戒 for the words .*--font"):
        written({"headline": "Ring 金戒"})


@pytest.mark.parametrize("text", ["خاتم", "טבעת", "अंगूठी", "z̈ero"])
def test_scripts_that_would_be_set_wrongly_are_refused(text: str) -> None:
    with pytest.raises(Permanent, match="joined or runs from right to left"):
        written({"headline": text})


def test_a_file_that_is_no_font_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "own.ttf").write_text("no font")
    with pytest.raises(Permanent, match=r"own\.ttf is no TrueType or OpenType font"):
        font(tmp_path / "own.ttf")
    with pytest.raises(Permanent, match="cannot be read"):
        font(tmp_path / "nowhere.ttf")


def test_a_font_of_ones_own_is_used(tmp_path: Path) -> None:
    from importlib.resources import files

    bold = tmp_path / "own.ttf"
    bold.write_bytes(files("font_caladea").joinpath("files", "Caladea-Bold.ttf").read_bytes())
    assert font(bold).name == "Caladea Bold"
    promo = render(ring(120), PLAIN, 1, (SIDE, SIDE), Finish(texts={"headline": "Gold"}, font=bold))
    assert promo.record["font"] == {"name": "Caladea Bold", "sha256": font(bold).sha256}
    assert promo.record["finish"]["font_sha256"] == font(bold).sha256


def test_given_words_take_the_place_of_the_templates_and_the_headline_comes_first() -> None:
    variables = {"price": "", "line": "From our workshop", "headline": "New in"}
    assert list(texts_of(variables, {"price": " 12  € "}).items()) == [
        ("headline", "New in"),
        ("price", "12 €"),
        ("line", "From our workshop"),
    ]
    assert texts_of(variables, {"line": "", "headline": ""}) == {}
    assert texts_of(KNOWN, {}) == {}


def test_a_templates_own_words_become_one_line_as_given_ones_do() -> None:
    found = texts_of({"headline": "New\nin\n", "line": " \n", "price": "12  \u20ac"}, {})
    assert found == {"headline": "New in", "price": "12 \u20ac"}


def test_a_variable_that_the_template_has_not_is_named_with_those_it_has() -> None:
    with pytest.raises(Permanent, match=r"no text 'headlin': it has headline, line, price\. Did you mean headline"):
        texts_of(KNOWN, {"headlin": "x"})
    with pytest.raises(Permanent, match=rf"{LONGEST} at most"):
        texts_of(KNOWN, {"line": "x" * (LONGEST + 1)})


def test_words_on_an_image_leave_piece_and_logo_alone_and_are_in_the_record(tmp_path: Path) -> None:
    rgba = np.full((40, 100, 4), 255, np.uint8)
    rgba[..., :3] = (255, 0, 255)
    (tmp_path / "logo.png").write_bytes(encode_png(rgba))
    bare = Finish(logo=tmp_path / "logo.png", opacity=1.0)
    texts = {"headline": "New in", "price": "€ 1 290"}
    plain = render(ring(200), PLAIN, 1, (SIDE, SIDE), bare)
    promo = render(ring(200), PLAIN, 1, (SIDE, SIDE), Finish(logo=tmp_path / "logo.png", opacity=1.0, texts=texts))
    changed = (promo.image != plain.image).any(axis=2)
    x, y, width, height = promo.record["quiet_area"]
    assert changed.sum() > 500
    changed[y : y + height, x : x + width] = False
    assert not changed.any()
    assert promo.fidelity.difference == 0
    assert promo.record["texts"] == texts
    assert promo.record["font"]["sha256"] == font().sha256
    assert promo.record["text_contrast"] >= 4.5
    assert (promo.image == (255, 0, 255)).all(axis=2).sum() == (plain.image == (255, 0, 255)).all(axis=2).sum()


def test_words_that_do_not_fit_are_left_out_and_it_is_said() -> None:
    texts = {"headline": "Gold that keeps its colour " * 7}
    promo = render(ring(300), PLAIN.model_copy(update={"scale": 1.8}), 1, (300, 300), Finish(texts=texts))
    assert promo.record["texts"] == {}
    assert any("do not fit beside the piece" in warning for warning in promo.warnings)


def test_a_template_file_brings_words_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "sale.toml"
    path.write_text(
        'style = "gradient"\npalette = "black"\nlight = "glow"\n'
        '[variables]\nheadline = "New in"\nshop = "Main Street 1"\n'
    )
    promo = render(ring(200), read(path), 1, (SIDE, SIDE), Finish(texts={"shop": "Mill Lane 2"}))
    assert promo.record["texts"] == {"headline": "New in", "shop": "Mill Lane 2"}


def jewel(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["promote", *map(str, arguments)])


def test_the_command_writes_words_sharpens_sparkles_and_makes_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.resources import files

    monkeypatch.setenv("JEWEL_MODELS", str(tmp_path / "no models"))
    photo, out, own = tmp_path / "ring.png", tmp_path / "promo.png", tmp_path / "own.ttf"
    photo.write_bytes(encode_png(drawn_ring(240)))
    own.write_bytes(files("font_caladea").joinpath("files", "Caladea-Italic.ttf").read_bytes())
    told = ["--text", "headline=New in", "--text", "price=12 = half", "--font", own, "--sharpen", 0.4, "--sparkle", 0.5]
    done = jewel(photo, "--style", "velvet", "--mode", "relit", *told, "--size", "400x400", "--out", out)
    assert done.exit_code == 0, done.output
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["texts"] == {"headline": "New in", "price": "12 = half"}
    assert record["font"]["name"] == "Caladea Italic"
    assert (record["template"]["sharpen"], record["template"]["sparkle"]) == (0.4, 0.5)
    assert record["upscaling"] == {"engine": "lanczos"}
    again = jewel("again", out.with_suffix(".json"))
    assert again.exit_code == 0, again.output
    own.write_bytes(files("font_caladea").joinpath("files", "Caladea-Bold.ttf").read_bytes())
    assert "is another file" in " ".join(jewel("again", out.with_suffix(".json")).output.split())


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--text", "headline"], "write a name"),
        (["--text", "headlin=x"], "it has headline, line, price"),
        (["--upscale", "magic"], "lanczos or real-esrgan"),
        (["--upscale", "real-esrgan", "--mode", "relit"], "jewel models fetch"),
    ],
)
def test_what_the_command_cannot_do_is_a_sentence(
    asked: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JEWEL_MODELS", str(tmp_path / "no models"))
    photo = tmp_path / "ring.png"
    photo.write_bytes(encode_png(drawn_ring(240)))
    done = jewel(photo, "--style", "velvet", "--size", "270x270", "--out", tmp_path / "a.png", *asked)
    assert done.exit_code == 1
    assert sentence in " ".join(done.output.split())
