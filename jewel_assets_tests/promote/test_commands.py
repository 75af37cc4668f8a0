"""`jewel promote` as a marketing person uses it: one photo, a folder, a ZIP, the library, the same image again."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from jewel_assets.cli import app
from jewel_assets.images import decode, encode_jpeg, encode_png, flatten
from jewel_assets.promote.exports import validate
from jewel_assets.promote.fidelity import core_of
from jewel_assets_tests.promote.pieces import drawn_ring

QUICK = ["--size", "270x270"]


def jewel(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["promote", *map(str, arguments)])


@pytest.fixture
def cutout(tmp_path: Path) -> Path:
    path = tmp_path / "ring.png"
    path.write_bytes(encode_png(drawn_ring(240)))
    return path


@pytest.fixture(autouse=True)
def without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_MODELS", str(tmp_path / "no models"))


def test_the_command_of_the_readme_makes_an_image_and_its_record(cutout: Path, tmp_path: Path) -> None:
    out = tmp_path / "promo.jpg"
    done = jewel(cutout, "--style", "velvet", "--light", "moody", "--seed", 7, "--out", out, *QUICK)
    assert done.exit_code == 0, done.output
    assert "product unchanged" in done.output
    assert decode(out.read_bytes()).shape == (270, 270, 3)
    record = json.loads(out.with_suffix(".json").read_text())
    assert (record["template"]["style"], record["template"]["light"], record["seed"]) == ("velvet", "moody", 7)
    assert record["engine"] == "alpha of the file"


def test_a_photo_on_white_is_cut_out_first(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encode_jpeg(flatten(np.pad(drawn_ring(400), ((60, 60), (60, 60), (0, 0))))))
    out = tmp_path / "promo.png"
    done = jewel(photo, "--style", "silk", "--out", out, *QUICK)
    assert done.exit_code == 0, done.output
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["category"] == "ring"
    image = decode(out.read_bytes())
    assert image[135, 135].mean() < 250  # through the ring's opening silk is seen, not the white of the photo


def test_a_png_holds_the_very_pixels_of_the_cutout_where_it_was_not_scaled(tmp_path: Path) -> None:
    rgba = drawn_ring(200)
    source, out = tmp_path / "a.png", tmp_path / "b.png"
    source.write_bytes(encode_png(rgba))
    filled = np.flatnonzero(rgba[..., 3].any(axis=1))
    side = round((filled[-1] - filled[0] + 5) / 0.5)
    assert jewel(source, "--style", "velvet", "--out", out, "--size", f"{side}x{side}").exit_code == 0
    assert json.loads(out.with_suffix(".json").read_text())["scale"] == 1.0
    image = decode(out.read_bytes())
    patch = rgba[core_of(rgba[..., 3])][:50, :3]
    pixels = {tuple(pixel) for pixel in image.reshape(-1, 3).tolist()}
    assert all(tuple(pixel) in pixels for pixel in patch.tolist())


def test_a_folder_and_two_templates_go_into_one_zip(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in (("a", (212, 168, 82)), ("b", (190, 190, 195))):
        (folder / f"{name}.png").write_bytes(encode_png(drawn_ring(200, colour)))
    (folder / "notes.txt").write_text("no photo")
    archive = tmp_path / "out.zip"
    both = ["--template", "velvet-midnight", "--template", "marble-ivory"]
    done = jewel(folder, *both, "--zip", archive, "--tone", "festive", "--size", "540x540")
    assert done.exit_code == 0, done.output
    assert "4 posts" in done.output
    assert "(4 of 4, 0 s left)" in done.output
    assert validate(archive) == []
    with zipfile.ZipFile(archive) as file:
        names = file.namelist()
        captions = {file.read(name).decode() for name in names if name.endswith(".txt")}
    assert len([name for name in names if name.endswith(".jpg")]) == 4
    assert len(captions) == 4
    assert not (tmp_path / "out").exists()


def test_what_makes_no_image_is_named_and_the_others_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "good.png").write_bytes(encode_png(drawn_ring(200)))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    (folder / "a folder.jpg").mkdir()
    cropped = np.pad(drawn_ring(300), ((60, 0), (60, 60), (0, 0)))[:240]
    (folder / "cut.png").write_bytes(encode_png(flatten(np.ascontiguousarray(cropped))))
    done = jewel(folder, "--style", "velvet", "--out", tmp_path / "out", *QUICK)
    assert done.exit_code == 1
    assert "cut by the border" in done.output
    assert "broken.jpg" in done.output
    assert "2 of 3 photos gave no image" in done.output
    assert len(list((tmp_path / "out").rglob("*.jpg"))) == 1


def test_an_image_made_again_from_its_record_is_the_same(cutout: Path, tmp_path: Path) -> None:
    out = tmp_path / "promo.jpg"
    assert jewel(cutout, "--style", "marble", "--seed", 3, "--out", out, *QUICK).exit_code == 0
    again = jewel("again", out.with_suffix(".json"), "--out", tmp_path / "again.jpg")
    assert again.exit_code == 0, again.output
    assert "the same pixels" in again.output
    assert (tmp_path / "again.jpg").read_bytes() == out.read_bytes()


def test_another_photo_under_the_same_name_is_found_out(cutout: Path, tmp_path: Path) -> None:
    out = tmp_path / "promo.jpg"
    assert jewel(cutout, "--style", "marble", "--out", out, *QUICK).exit_code == 0
    cutout.write_bytes(encode_png(drawn_ring(240, (150, 150, 150))))
    again = jewel("again", out.with_suffix(".json"))
    assert again.exit_code == 1
    assert "ring.png has changed since" in again.output


def test_a_mask_of_ones_own_is_used_and_one_of_another_size_refused(tmp_path: Path) -> None:
    rgba = np.pad(drawn_ring(200), ((20, 20), (20, 20), (0, 0)))
    photo, mask, small = tmp_path / "p.png", tmp_path / "m.png", tmp_path / "small.png"
    photo.write_bytes(encode_png(flatten(rgba, (90, 120, 40))))
    mask.write_bytes(encode_png(np.ascontiguousarray(rgba[..., 3])))
    small.write_bytes(encode_png(np.ascontiguousarray(rgba[:50, :50, 3])))
    out = tmp_path / "o.jpg"
    assert jewel(photo, "--mask", mask, "--out", out, *QUICK).exit_code == 0
    assert json.loads(out.with_suffix(".json").read_text())["engine"] == "mask given"
    assert jewel("again", out.with_suffix(".json")).exit_code == 0
    refused = jewel(photo, "--mask", small, "--out", out, *QUICK)
    assert refused.exit_code == 1
    assert "mask does not fit" in refused.output


def test_the_library_is_listed_and_drawn(tmp_path: Path) -> None:
    listed = jewel("templates", "wine")
    assert listed.exit_code == 0
    assert all("wine" in line for line in listed.output.split())
    sheet = tmp_path / "sheet.jpg"
    assert jewel("templates", "velvet-wine", "--sheet", sheet).exit_code == 0
    assert decode(sheet.read_bytes()).shape[2] == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("style = 'velvet'\npalette = 'wine'\nlight = 'moody'\nvignete = 1", "vignete: it is no key of a template"),
        ("style = 'velvet'\npalette = 'wine'", "light: Field required"),
        ("style = 'velvt'\npalette = 'wine'\nlight = 'moody'", "style: there is no 'velvt'"),
        ("style = 'velvet'\npalette = 'wine'\nlight = 'moody'\nx = 3", "x: Input should be less than or equal to 1"),
        ("style = ", "cannot be read as TOML"),
    ],
)
def test_a_broken_template_is_a_sentence_that_names_the_key(
    text: str, sentence: str, cutout: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.toml").write_text(text)
    done = jewel(cutout, "--template", "mine", "--templates", own, "--out", tmp_path / "o.jpg", *QUICK)
    assert done.exit_code == 1
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_a_template_dropped_into_a_folder_is_used(
    cutout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "house.toml").write_text("style = 'stone'\npalette = 'sand'\nlight = 'studio'\nscale = 0.6\n")
    monkeypatch.setenv("JEWEL_TEMPLATES", str(own))
    from jewel_assets.settings import settings

    settings.cache_clear()
    try:
        done = jewel(cutout, "--template", "house", "--out", tmp_path / "o.jpg", *QUICK)
    finally:
        settings.cache_clear()
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--style", "velvt"], "velvet"),
        (["--template", "velvet-midnite"], "velvet-midnight"),
        (["--light", "moody", "--size", "big"], "write width x height"),
        (["--size", "20x9000"], "64 to 8192"),
        (["--mode", "loose"], "strict"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: list[str], sentence: str, cutout: Path, tmp_path: Path
) -> None:
    done = jewel(cutout, "--out", tmp_path / "o.jpg", *arguments)
    assert done.exit_code == 1
    assert sentence in done.output


def test_a_photo_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    done = jewel(tmp_path / "nothing.jpg")
    assert done.exit_code == 1
    assert "is not there" in done.output
    empty = jewel(tmp_path)
    assert "holds no photo" in empty.output


def test_options_may_come_before_the_photo(cutout: Path, tmp_path: Path) -> None:
    done = jewel("--style", "silk", "--out", tmp_path / "o.jpg", *QUICK, cutout)
    assert done.exit_code == 0, done.output


def test_a_template_named_twice_makes_one_image(cutout: Path, tmp_path: Path) -> None:
    both = ["--template", "velvet-midnight", "--template", "velvet-midnight-moody"]
    assert jewel(cutout, *both, "--out", tmp_path / "out.jpg", *QUICK).exit_code == 0
    assert [path.name for path in tmp_path.glob("*.jpg")] == ["out.jpg"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size": [10**9, 10**9]}, "64 to 8192"),
        ({"seed": -5}, "out of range"),
        ({"template": "velvet"}, "no record"),
        ({"finish": 3}, "no record"),
    ],
)
def test_a_record_that_somebody_edited_is_a_sentence(
    change: dict[str, object], sentence: str, cutout: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.jpg"
    assert jewel(cutout, "--style", "silk", "--out", out, *QUICK).exit_code == 0
    record = out.with_suffix(".json")
    record.write_text(json.dumps(json.loads(record.read_text()) | change))
    again = jewel("again", record)
    assert again.exit_code == 1
    assert sentence in again.output
    assert not isinstance(again.exception, (ValueError, TypeError, AttributeError))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--category", "banana"], "no category 'banana'"),
        (["--templates", "/nowhere/at/all"], "There is no folder"),
        (["--out", "x.webp"], "name one"),
    ],
)
def test_what_would_silently_be_something_else_is_refused(arguments: list[str], sentence: str, cutout: Path) -> None:
    done = jewel(cutout, *arguments, *QUICK)
    assert done.exit_code == 1
    assert sentence in done.output


def test_the_photo_itself_is_never_written_over(cutout: Path) -> None:
    before = cutout.read_bytes()
    done = jewel(cutout, "--out", cutout, *QUICK)
    assert done.exit_code == 1
    assert cutout.read_bytes() == before
