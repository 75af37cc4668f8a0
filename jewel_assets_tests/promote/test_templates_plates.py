"""Templates whose plate is a picture or painted: what their files may say, and what they may not."""

from pathlib import Path

import numpy as np
import pytest

from jewel_assets.errors import Permanent
from jewel_assets.images import encode_png
from jewel_assets.promote.rendering import plate_alone
from jewel_assets.promote.templates import Template, library, read, with_plates
from jewel_assets.promote.textures import texture_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of templates with two textures beside them, a light and a dark one."""
    grain = np.random.default_rng(0).integers(-12, 12, (640, 640, 1))
    for name, level in (("light.png", 200), ("dark.png", 40)):
        (tmp_path / name).write_bytes(encode_png(np.repeat(level + grain, 3, axis=2).astype(np.uint8)))
    return tmp_path


def test_a_template_names_its_texture_beside_itself_and_needs_neither_style_nor_palette(folder: Path) -> None:
    for name, colours in (("light", "pearl"), ("dark", "graphite")):
        path = folder / f"my {name} stone.toml"
        path.write_text(f"light = 'studio'\ntexture = '{name}.png'\ntexture_credit = 'Anna Muster'\n")
        template = read(path)
        assert (template.style, template.palette) == ("picture", colours)
        assert template.texture == str((folder / f"{name}.png").resolve())
        assert template.texture_sha256 == texture_file(folder / f"{name}.png").sha256
    found = library(folder).get("my-dark-stone")
    assert plate_alone(found, 1, (96, 96)).shape == (96, 96, 3)


def test_the_style_of_a_texture_says_how_it_reflects_and_its_seed_moves_it(folder: Path) -> None:
    template = Template(name="t", style="picture", palette="pearl", light="studio", texture=str(folder / "light.png"))
    plain, again = (plate_alone(template, 1, (96, 96)) for _ in range(2))
    assert np.array_equal(plain, again)
    assert not np.array_equal(plain, plate_alone(template, 2, (96, 96)))
    polished = template.model_copy(update={"style": "marble"})
    assert not np.array_equal(plain, plate_alone(polished, 1, (96, 96)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("light = 'studio'\ntexture = 'nowhere.png'", "nowhere.png cannot be read"),
        ("light = 'studio'\nstyle = 'picture'\npalette = 'pearl'", "there is no 'picture'"),
        ("light = 'studio'\ntexture = 'light.png'\nstyle = 'velvt'", "there is no 'velvt'"),
        ("light = 'studio'\ntexture = 'light.png'\nengine = 'diffusion'", "leave out `texture` or `engine`"),
        ("light = 'studio'\ntexture = 'light.png'\ntexture_sha256 = 'abc'", "texture_sha256: String should match"),
        (
            "light = 'studio'\nstyle = 'silk'\npalette = 'rose'\nengine = 'dream'",
            "engine: Input should be",
        ),
        ("light = 'studio'\nstyle = 'silk'\npalette = 'rose'\nsteps = 0", "steps: Input should be greater"),
    ],
)
def test_what_a_template_says_wrongly_of_its_plate_is_a_sentence(text: str, sentence: str, folder: Path) -> None:
    path = folder / "mine.toml"
    path.write_text(text)
    with pytest.raises(Permanent) as refused:
        read(path)
    assert sentence in str(refused.value)


def test_templates_whose_tags_tell_of_another_surface_do_not_share_a_plate(folder: Path) -> None:
    template = Template(name="t", style="picture", palette="pearl", light="studio", texture=str(folder / "light.png"))
    plain, cloth = (plate_alone(template.model_copy(update={"tags": tags}), 1, (96, 96)) for tags in ((), ("velvet",)))
    assert not np.array_equal(plain, cloth)


def test_templates_of_other_styles_keep_names_of_their_own_on_one_texture(folder: Path) -> None:
    long = "a" * 80
    told = [
        ("velvet-rose", "velvet"),
        ("silk-rose", "silk"),
        ("rose", "silk"),
        (long, "silk"),
        (f"{long[1:]}b", "silk"),
    ]
    templates = [Template(name=name, style=style, palette="rose", light="glow") for name, style in told]
    found = [one.name for one in with_plates([*templates, templates[0]], [texture_file(folder / "dark.png")])]
    assert found[:3] == ["dark-rose", "dark-rose-silk", "dark-rose-2"]
    assert found[4] == f"{found[3][:75]}-silk"
    assert found[5] == found[0]  # the same again


def test_a_texture_at_a_url_needs_no_palette(folder: Path) -> None:
    path, url = folder / "mine.toml", (folder / "dark.png").as_uri()
    path.write_text(f"light = 'studio'\ntexture = '{url}'\n")
    assert (read(path).texture, read(path).palette) == (url, "graphite")


@pytest.mark.parametrize("texture", ["'nowhere.png'", "'~no such user/a.png'", "5", "['light.png']"])
def test_a_texture_that_is_none_is_a_sentence_with_file_and_key(texture: str, folder: Path) -> None:
    path = folder / "mine.toml"
    path.write_text(f"light = 'studio'\ntexture = {texture}\n")
    with pytest.raises(Permanent) as refused:
        read(path)
    assert str(refused.value).startswith(f"The template {path}, texture: ")


def test_plates_that_contradict_each_other_are_a_sentence(folder: Path) -> None:
    one, texture = [library().get("velvet-midnight")], [texture_file(folder / "light.png")]
    with pytest.raises(Permanent, match="ask for one of them"):
        with_plates(one, texture, engine="diffusion")
    with pytest.raises(Permanent, match="belong to the engine diffusion"):
        with_plates(one, prompt="a beach")
    with pytest.raises(Permanent, match="no engine 'dall-e'"):
        with_plates(one, engine="dall-e")
    with pytest.raises(Permanent, match="no style 'marbel'"):
        with_plates(one, texture, "marbel")
    with pytest.raises(Permanent, match="no style 'picture'"):
        with_plates(with_plates(one, texture), engine="procedural")
    assert with_plates(one) == one
    assert with_plates(one, texture)[0].texture == texture[0].source
    assert with_plates(with_plates(one, texture, "velvet"), engine="procedural")[0].texture == ""


def test_a_name_that_grew_too_long_is_cut() -> None:
    long = library().get("velvet-midnight").model_copy(update={"name": "a" * 80})
    from jewel_assets.promote.templates import textured
    from jewel_assets.promote.textures import Texture

    found = textured(long, Texture("x.png", "0" * 64, "b" * 30))
    assert len(found.name) == 80
