"""Plates by diffusion, with tiny networks of random weights: whatever one paints, the piece is the piece."""

import builtins
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from jewel_assets.cli import app
from jewel_assets.errors import Permanent
from jewel_assets.images import encode_png
from jewel_assets.promote import diffusion
from jewel_assets.promote.diffusion import DEFAULT, find_network, paint, prompt_of
from jewel_assets.promote.fidelity import core_of
from jewel_assets.promote.lights import LIGHTS
from jewel_assets.promote.palettes import PALETTES
from jewel_assets.promote.plates import STYLES
from jewel_assets.promote.rendering import render
from jewel_assets.promote.templates import Template, library, painted_by
from jewel_assets.settings import settings
from jewel_assets_tests.promote.networks import tiny_diffusion
from jewel_assets_tests.promote.pieces import drawn_ring, ring

SMALL = (240, 240)


@pytest.fixture(scope="module")
def paints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text-to-image model."""
    return tiny_diffusion(tmp_path_factory.mktemp("models") / "paints")


@pytest.fixture(scope="module")
def inpaints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an inpainting model."""
    return tiny_diffusion(tmp_path_factory.mktemp("models") / "inpaints", inpainting=True)


def template(model: Path | str, name: str = "velvet-midnight", **more: Any) -> Template:
    return library().get(name).model_copy(update={"engine": "diffusion", "model": str(model), "steps": 2, **more})


# --- what is asked for ------------------------------------------------------------------------------------------------


def test_every_template_asks_for_an_empty_surface_of_its_own() -> None:
    asked = {one.name: prompt_of(one) for one in library()}
    assert len({prompt for prompt, _ in asked.values()}) == len(library())
    for prompt, unwanted in asked.values():
        assert "bare empty background, nothing on it" in prompt
        assert {"jewellery", "hand", "text", "watermark"} <= set(unwanted.split(", "))
        assert not {"ring", "hand", "jewellery"} & set(prompt.replace(",", "").split())
        assert "{" not in prompt + unwanted
        # A token of CLIP is a word or a part of a long one, and commas count: 77, with the ends.
        assert 1.35 * len(prompt.split()) + prompt.count(",") < 75, prompt


def test_every_style_palette_and_light_has_its_phrase() -> None:
    book = diffusion._phrases()
    assert set(book["surfaces"]) == set(book["negatives"]) == set(STYLES)
    assert set(book["colours"]) == set(book["accents"]) == set(PALETTES)
    assert set(book["lights"]) == set(LIGHTS)


def test_ones_own_words_are_taken_as_they_are() -> None:
    own = template("", prompt="a beach of black sand", negative_prompt="people")
    assert prompt_of(own) == ("a beach of black sand", "people")
    assert "jewellery" in prompt_of(template("", prompt="a beach of black sand"))[1]
    with pytest.raises(Permanent, match="give it a `prompt`"):
        prompt_of(template("", style="picture"))


# --- the piece and the plate ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["paints", "inpaints"])
def test_even_on_noise_no_pixel_of_the_piece_changes(way: str, request: pytest.FixtureRequest) -> None:
    promo = render(ring(300), template(request.getfixturevalue(way)), 3, (360, 360))
    laid = promo.layers["piece"]
    shown = promo.image[promo.laid.box]
    assert promo.layers["plate"].std() > 4  # it is noise
    assert promo.fidelity.difference == 0
    assert np.array_equal(shown[laid[..., 3] == 255], laid[laid[..., 3] == 255][:, :3])
    assert core_of(laid[..., 3]).sum() > 1000
    told = json.loads(json.dumps(promo.record))["plate"]
    assert told["prompt"].startswith("midnight blue velvet cloth")
    assert told["way"].startswith({"paints": "text to image", "inpaints": "inpainting"}[way])
    assert (told["engine"], told["model"], told["steps"], len(told["model_sha256"])) == ("diffusion", way, 2, 64)


def test_the_same_seed_paints_the_same_and_another_seed_or_prompt_another(paints: Path) -> None:
    first = paint(template(paints), SMALL, 5).picture
    diffusion._painted.clear()
    assert np.array_equal(first, paint(template(paints), SMALL, 5).picture)
    assert not np.array_equal(first, paint(template(paints), SMALL, 6).picture)
    assert not np.array_equal(first, paint(template(paints, prompt="sand"), SMALL, 5).picture)


def test_the_shadow_and_the_light_fall_on_what_was_painted(paints: Path) -> None:
    lit, dim = (render(ring(300), template(paints, light=light), 3, SMALL) for light in ("studio", "spotlight"))
    assert lit.layers["shadow"].min() < 90
    corners = [promo.layers["plate"][:20, :20].mean() for promo in (lit, dim)]
    assert corners[0] > 2 * corners[1]


def test_the_picture_has_the_aspect_of_the_plate_and_the_model_its_own_size(paints: Path) -> None:
    for size, painted in (((240, 240), (64, 64)), ((270, 480), (32, 64)), ((1200, 900), (64, 48))):
        height, width = paint(template(paints), size, 1).picture.shape[:2]
        assert (width, height) == painted
    one, two = (paint(template(paints), size, 2).picture for size in ((240, 240), (1080, 1080)))
    assert np.array_equal(one, two)


def test_a_dark_palette_makes_a_dark_plate_whatever_is_painted(paints: Path) -> None:
    dark, light = (
        render(ring(200), template(paints, name, light="studio"), 1, SMALL).layers["plate"].mean()
        for name in ("marble-black", "marble-ivory")
    )
    assert light > 1.5 * dark


def test_a_plate_that_was_painted_is_not_painted_again(paints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(template(paints), SMALL, 8)
    monkeypatch.setattr(diffusion, "_paint", None)
    paint(template(paints), (480, 480), 8)


# --- models -----------------------------------------------------------------------------------------------------------


def test_a_template_that_is_painted_by_a_model_holds_to_its_weights(paints: Path, inpaints: Path) -> None:
    held = painted_by(library().get("silk-rose"), str(paints), "rose petals")
    assert (held.name, held.model, held.prompt) == ("silk-rose-glow-diffusion", str(paints), "rose petals")
    assert held.model_sha256 == find_network(str(paints)).sha256 != find_network(str(inpaints)).sha256
    with pytest.raises(Permanent, match="has other weights than the template"):
        render(ring(200), held.model_copy(update={"model": str(inpaints)}), 1, SMALL)


@pytest.mark.parametrize("place", ["models", "mirror", "file mirror"])
def test_a_model_of_the_registry_is_found_in_the_models_folder_and_in_a_mirror(
    place: str, paints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, mirror = tmp_path / "models", tmp_path / "mirror"
    monkeypatch.setenv("JEWEL_MODELS", str(models))
    monkeypatch.setenv("JEWEL_MODEL_MIRROR", mirror.as_uri() if place == "file mirror" else str(mirror))
    settings.cache_clear()
    (models if place == "models" else mirror).mkdir()
    with pytest.raises(Permanent, match=f"The model {DEFAULT} is not here"):
        find_network()
    ((models if place == "models" else mirror) / DEFAULT).symlink_to(paints, target_is_directory=True)
    found = find_network()
    assert (found.name, found.licence, found.pipeline) == (DEFAULT, "CreativeML-OpenRAIL-M", "StableDiffusionPipeline")
    assert found.sha256 == find_network(str(paints)).sha256


def test_a_model_whose_licence_forbids_commercial_use_is_refused(
    paints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "registry.toml").write_text(
        '[models.hobby]\nfile = "hobby"\npurpose = "tests"\nlicence = "CC-BY-NC-4.0"\n'
        'licence_url = "https://example.org"\ncommercial = false\n'
    )
    (tmp_path / "hobby").symlink_to(paints, target_is_directory=True)
    monkeypatch.setenv("JEWEL_MODELS", str(tmp_path))
    settings.cache_clear()
    for way in ("hobby", str(tmp_path / "hobby")):
        with pytest.raises(Permanent, match="forbids commercial use"):
            find_network(way)
    monkeypatch.setenv("JEWEL_ALLOW_MODELS", "hobby")
    settings.cache_clear()
    assert find_network("hobby").licence == "CC-BY-NC-4.0"
    with pytest.raises(Permanent, match="no model called stable-difusion-v1-5"):
        find_network("stable-difusion-v1-5")


def test_a_folder_that_holds_no_model_is_a_sentence(paints: Path, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"holds no diffusion model: model_index.json is expected"):
        find_network(str(tmp_path))
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(Permanent, match="cannot be read"):
        find_network(str(tmp_path))
    (tmp_path / "model_index.json").write_text('{"_class_name": ["mine", "Mine"]}')
    with pytest.raises(Permanent, match="code of its own"):
        find_network(str(tmp_path))


def test_a_model_folder_that_is_not_there_is_a_sentence(
    paints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for asked in ("./nodir", "nodir/", str(tmp_path / "nodir")):
        with pytest.raises(Permanent, match=f"There is no folder {tmp_path / 'nodir'}"):
            find_network(asked)


def test_a_model_folder_without_weights_is_a_sentence(paints: Path, tmp_path: Path) -> None:
    folder = tmp_path / "no weights"
    shutil.copytree(paints, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(Permanent, match="lacks its weights"):
        find_network(str(folder))


def test_weights_that_could_hold_code_are_not_opened(paints: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    shutil.copytree(paints, folder)
    (weights,) = (folder / "unet").glob("*.safetensors")
    torch.save(load_file(weights), folder / "unet" / "diffusion_pytorch_model.bin")
    weights.unlink()
    with pytest.raises(Permanent, match="does not load"):
        paint(template(folder), SMALL, 1)


def test_a_model_of_another_kind_is_a_sentence(paints: Path, tmp_path: Path) -> None:
    folder = tmp_path / "changes pictures"
    shutil.copytree(paints, folder)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "StableDiffusionImg2ImgPipeline"}))
    with pytest.raises(Permanent, match="StableDiffusionImg2ImgPipeline, which paints no plates"):
        paint(template(folder), SMALL, 1)


def test_without_the_extra_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "find_spec", lambda package: None if package == "diffusers" else builtins)
    with pytest.raises(Permanent, match=r"pip install 'jewel-assets\[ml\]'"):
        find_network("anything")


@pytest.mark.parametrize(
    ("value", "flagged", "sentence"),
    [
        (np.nan, False, "numbers that are none"),
        (0.0, False, "painted the plate of velvet-midnight-moody black"),
        (0.5, True, "safety checker of paints blanked the plate"),
    ],
)
def test_what_is_no_picture_is_a_sentence_and_is_not_tried_again(
    value: float, flagged: bool, sentence: str, paints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = diffusion._loaded(paints, find_network(str(paints)).sha256)
    asked = 0

    class Broken:
        nsfw_content_detected = (flagged,)
        images = np.full((1, 64, 64, 3), value, np.float32)

    def broken(**_: object) -> Broken:
        nonlocal asked
        asked += 1
        return Broken()

    monkeypatch.setattr(diffusion, "_loaded", lambda *_: replace(loaded, pipeline=broken))
    diffusion._painted.clear()
    for _ in range(2):
        with pytest.raises(Permanent, match=sentence):
            render(ring(200), template(paints), 11, SMALL)
    assert asked == 1


# --- the command ------------------------------------------------------------------------------------------------------


def jewel(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["promote", *map(str, arguments)])


def test_the_command_paints_a_plate_and_makes_the_image_again(paints: Path, tmp_path: Path) -> None:
    cutout, out = tmp_path / "ring.png", tmp_path / "promo.png"
    cutout.write_bytes(encode_png(drawn_ring(240)))
    words = ["--style", "silk", "--engine", "diffusion", "--model", paints, "--prompt", "grey silk"]
    done = jewel(cutout, *words, "--size", "240x240", "--out", out)
    assert done.exit_code == 0, done.output
    assert "product unchanged" in done.output
    record = json.loads(out.with_suffix(".json").read_text())
    assert (record["plate"]["prompt"], record["plate"]["pipeline"]) == ("grey silk", "StableDiffusionPipeline")
    again = jewel("again", out.with_suffix(".json"))
    assert again.exit_code == 0, again.output
    assert "the same pixels" in again.output


def test_the_command_says_what_contradicts_itself(tmp_path: Path) -> None:
    cutout = tmp_path / "ring.png"
    cutout.write_bytes(encode_png(drawn_ring(240)))
    assert "belong to the engine diffusion" in jewel(cutout, "--prompt", "sand").output
    assert "ask for one of them" in jewel(cutout, "--texture", cutout, "--engine", "diffusion").output
    assert "no engine 'dream'" in jewel(cutout, "--engine", "dream").output
    missing = jewel(cutout, "--engine", "diffusion").output
    assert "is not here" in missing or "install the extra" in missing


def test_a_procedural_image_needs_none_of_it(tmp_path: Path) -> None:
    """The extra is heavy: who does not ask for it does not wait for it."""
    code = (
        "import sys\nfrom jewel_assets.promote.templates import library\n"
        "from jewel_assets.promote.rendering import plate_alone\n"
        "plate_alone(library().get('silk-rose'), 1, (64, 64))\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'diffusers', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
