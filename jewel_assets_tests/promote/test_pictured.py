"""Pictures as plates: evenly lit, any size, with relief; textures from files and from the lake, and their rights."""

import json
from pathlib import Path

import cv2
import dagster as dg
import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from jewel_assets.cli import app
from jewel_assets.defs.promote import promo_renders
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, encode_png
from jewel_assets.lake import Lake
from jewel_assets.promote.plates.pictured import PLAIN, SURFACES, Surface, enlargement, pictured, quilted, surface_of
from jewel_assets.promote.rendering import render
from jewel_assets.promote.shading import to_linear
from jewel_assets.promote.templates import Template, library, textured
from jewel_assets.promote.textures import read_texture, texture_file, textures_of
from jewel_assets.settings import settings
from jewel_assets_tests.lake.small_lakes import publish, rows_of
from jewel_assets_tests.promote.pieces import drawn_ring, ring

SIDE = 216


def grained(side: int = 700, seed: int = 1, mean: int = 140) -> Pixels:
    """A grey surface with grain of a few pixels, (side, side, 3)."""
    noise = np.random.default_rng(seed).normal(0, 1, (side, side)).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return np.repeat(np.clip(mean + 22 * grain / grain.std(), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def lit_from_the_left(pixels: Pixels) -> Pixels:
    shade = np.linspace(1.25, 0.6, pixels.shape[1], dtype=np.float32)[None, :, None]
    return np.clip(pixels * shade, 0, 255).astype(np.uint8)


def write(path: Path, pixels: Pixels) -> Path:
    path.write_bytes(encode_png(pixels))
    return path


@pytest.mark.parametrize(("side", "size"), [(700, (SIDE, SIDE)), (500, (SIDE, 270)), (700, (300, 157))])
def test_a_picture_of_any_size_becomes_a_plate_that_keeps_the_contract_of_a_plate(
    side: int, size: tuple[int, int]
) -> None:
    plate = pictured(grained(side), size, 4, SURFACES["linen"])
    width, height = size
    assert plate.size == size
    assert plate.albedo.shape == plate.normals.shape == (height, width, 3)
    assert plate.height.shape == (height, width)
    for array in (plate.albedo, plate.normals, plate.height):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert plate.albedo.min() >= 0
    assert plate.albedo.max() <= 1
    assert np.abs(np.linalg.norm(plate.normals, axis=2) - 1).max() < 1e-3
    assert plate.normals[..., 2].min() > 0


@pytest.mark.parametrize("side", [500, 700])
def test_the_same_seed_shows_the_same_and_another_seed_something_else(side: int) -> None:
    wide = grained(side)[:, : side * 4 // 5]
    first, again, other = (pictured(wide, (SIDE, SIDE), seed) for seed in (5, 5, 6))
    assert np.array_equal(first.albedo, again.albedo)
    assert np.array_equal(first.normals, again.normals)
    assert not np.array_equal(first.albedo, other.albedo)


@pytest.mark.parametrize("side", [500, 700])
def test_a_plate_of_a_picture_looks_the_same_at_half_the_size(side: int) -> None:
    large, small = (pictured(grained(side), (each, each), 5).albedo for each in (600, 300))
    one, two = (cv2.resize(each, (100, 100), interpolation=cv2.INTER_AREA) for each in (large, small))
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.95


def test_the_light_of_the_picture_is_taken_out_and_its_grain_stays() -> None:
    even, uneven = (pictured(each, (SIDE, SIDE)).albedo[..., 1] for each in (grained(), lit_from_the_left(grained())))
    left, right = uneven[:, :40].mean(), uneven[:, -40:].mean()
    before = to_linear(lit_from_the_left(grained()))
    assert before[:, :100].mean() > 3 * before[:, -100:].mean()
    assert 0.9 < left / right < 1.1
    fine = [each - cv2.GaussianBlur(each, (0, 0), 8) for each in (even, uneven)]
    assert np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1] > 0.9


def test_a_dark_stripe_across_a_picture_is_no_shadow_and_stays() -> None:
    striped = grained()
    striped[300:340] //= 3
    albedo = pictured(striped, (SIDE, SIDE)).albedo[..., 1]
    at = round(320 / 700 * SIDE)
    assert albedo[at].mean() < 0.35 * albedo[at + 40].mean()


def test_what_is_brighter_than_its_surroundings_stands_out_as_far_as_the_surface_has_relief() -> None:
    dotted = np.full((700, 700, 3), 90, np.uint8)
    for y in range(50, 700, 100):
        for x in range(50, 700, 100):
            cv2.circle(dotted, (x, y), 8, (190, 190, 190), -1)
    heights = [pictured(dotted, (700, 700), 0, Surface(relief=relief)).height for relief in (0.0, 0.4, 0.8)]
    assert not heights[0].any()
    assert heights[1][350, 350] > heights[1][300, 300] + 0.5
    assert heights[2][350, 350] == pytest.approx(2 * heights[1][350, 350], rel=1e-3)


def test_a_small_texture_is_neither_soft_nor_seen_to_repeat() -> None:
    small = grained(180)
    laid = quilted(small, (600, 600), np.random.default_rng(2))
    assert laid.shape == (600, 600, 3)
    sharp, as_sharp = (float(cv2.Laplacian(each[..., 0], cv2.CV_32F).var()) for each in (small, laid))
    assert as_sharp > 0.7 * sharp
    grey = laid[..., 0].astype(np.float32) - laid.mean()
    power = np.abs(np.fft.fft2(grey)) ** 2
    likeness = np.fft.ifft2(power).real / power.mean() / grey.size * 1.0
    likeness /= likeness[0, 0]
    assert np.sort(likeness[60:-60, 60:-60].ravel())[-1] < 0.5  # plain repetition would be like itself: 1


def test_seams_between_patches_are_no_stronger_than_the_texture_itself() -> None:
    small = grained(180)
    laid = quilted(small, (600, 600), np.random.default_rng(3)).astype(np.float32)[..., 0]
    steps = np.abs(np.diff(laid, axis=1)).mean(axis=0)
    inside = np.abs(np.diff(small[..., 0].astype(np.float32), axis=1)).mean(axis=0)
    assert steps.max() < 1.25 * inside.max()


def test_brightness_is_what_is_asked_for() -> None:
    for wanted in (0.05, 0.3):
        albedo = pictured(grained(), (SIDE, SIDE), 0, PLAIN, wanted).albedo
        assert float(albedo.mean()) == pytest.approx(wanted, rel=0.05)


def test_a_large_picture_is_seen_whole_and_a_small_one_in_patches() -> None:
    assert enlargement(grained(1080), (540, 540)) == 1.0
    assert enlargement(grained(540)[:270], (1080, 1080)) == 4.0
    marked = grained(900)
    marked[:60, :60], marked[-60:, -60:] = (200, 30, 30), (30, 30, 200)
    albedo = pictured(marked, (SIDE, SIDE)).albedo
    assert albedo[3, 3, 0] > 3 * albedo[3, 3, 2]
    assert albedo[-4, -4, 2] > 3 * albedo[-4, -4, 0]


def test_the_name_of_a_material_says_how_it_meets_the_light() -> None:
    assert surface_of("picture", "marble") is SURFACES["marble"]
    assert surface_of("picture", "photo", "travertine") is SURFACES["marble"]
    assert surface_of("picture", "denim") is SURFACES["textile"]
    assert surface_of("picture", "img", "2041") is PLAIN


def test_the_piece_on_a_texture_is_untouched_and_the_record_says_what_lies_below(tmp_path: Path) -> None:
    texture = texture_file(write(tmp_path / "Grey Stone.png", grained()))
    template = textured(library().get("velvet-midnight"), texture)
    assert template.name == "grey-stone-midnight-moody"
    promo = render(ring(300), template, 3, (360, 360))
    assert promo.fidelity.difference == 0
    told = json.loads(json.dumps(promo.record))["plate"]
    assert (told["engine"], told["texture_sha256"]) == ("picture", texture.sha256)
    shadow = promo.layers["shadow"]
    assert shadow.min() < 60  # the piece's shadow falls on the picture
    assert promo.record["pixels_sha256"] == render(ring(300), template, 3, (360, 360)).record["pixels_sha256"]


def test_a_texture_that_changed_is_noticed_and_not_used(tmp_path: Path) -> None:
    path = write(tmp_path / "stone.png", grained())
    template = textured(library().get("stone-sand"), texture_file(path))
    write(path, grained(seed=2))
    with pytest.raises(Permanent, match="another file than the one that is meant"):
        render(ring(200), template, 0, (200, 200))
    anew = render(ring(200), template.model_copy(update={"texture_sha256": ""}), 0, (200, 200))
    write(path, grained(seed=3))
    other = render(ring(200), template.model_copy(update={"texture_sha256": ""}), 0, (200, 200))
    assert anew.record["plate"]["texture_sha256"] != other.record["plate"]["texture_sha256"]
    assert not np.array_equal(anew.image, other.image)


def test_a_file_that_is_no_texture_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="cannot be read"):
        texture_file(tmp_path / "nothing.jpg")
    (tmp_path / "words.jpg").write_text("not a picture")
    with pytest.raises(Permanent, match="no picture that can be used"):
        texture_file(tmp_path / "words.jpg")
    with pytest.raises(Permanent, match="no picture that can be used"):
        read_texture(str(write(tmp_path / "tiny.png", grained(40))))


def test_the_command_lays_a_piece_on_a_texture_and_makes_it_again(tmp_path: Path) -> None:
    cutout, out = write(tmp_path / "ring.png", drawn_ring(240)), tmp_path / "promo.jpg"
    texture = write(tmp_path / "marble.png", grained())
    asked = ["promote", str(cutout), "--texture", str(texture), "--light", "moody", "--size", "270x270"]
    done = CliRunner().invoke(app, [*asked, "--out", str(out)])
    assert done.exit_code == 0, done.output
    record = json.loads(out.with_suffix(".json").read_text())
    assert (record["template"]["style"], record["template"]["light"]) == ("picture", "moody")
    again = CliRunner().invoke(app, ["promote", "again", str(out.with_suffix(".json"))])
    assert "the same pixels" in again.output
    write(texture, grained(seed=9))
    refused = CliRunner().invoke(app, ["promote", "again", str(out.with_suffix(".json"))])
    assert refused.exit_code == 1
    assert "another file" in refused.output


@pytest.fixture
def lake(lake_root: str) -> Lake:
    made = Lake(lake_root)
    publish(made, "cutouts", "ring", {"gold": encode_png(drawn_ring(160))}, licence="CC0-1.0")
    free = {"licence": "CC-BY-4.0", "author": "Berta", "source": "openverse"}
    publish(made, "textures", "marble", {"white": encode_png(grained())}, **free)
    publish(made, "textures", "wood", {"oak": encode_png(grained(mean=60))}, licence="CC0-1.0")
    publish(made, "textures", "leather", {"pin": encode_png(grained(seed=4))}, source="pinterest", licence="CC0-1.0")
    return made


def test_textures_of_the_lake_are_found_by_id_and_by_theme_with_their_credit(lake: Lake) -> None:
    ids = [row["item_id"] for row in lake.dataset("textures").read("marble").to_pylist()]
    by_id, _ = textures_of(lake, ids)
    by_theme, _ = textures_of(lake, ["marble", "wood"])
    assert [texture.credit for texture in by_id] == ["Texture: Berta, CC-BY-4.0"]
    assert by_id[0] in by_theme
    assert len(by_theme) == 2
    assert [texture.is_dark for texture in by_theme] == [False, True]
    assert textures_of(lake, []) == ([], [])


def test_a_texture_that_may_not_be_published_is_refused(lake: Lake) -> None:
    with pytest.raises(Permanent, match="may not be shown to the world"):
        textures_of(lake, ["leather"], "Anna says so, since 2026")
    with pytest.raises(Permanent, match="no texture or theme 'granit'"):
        textures_of(lake, ["granit"])
    publish(lake, "textures", "stone", {"mine": encode_png(grained(seed=5))})  # no licence stated: asks
    with pytest.raises(Permanent, match="state who permits"):
        textures_of(lake, ["stone"])
    assert len(textures_of(lake, ["stone"], "Anna says so, since 2026")[0]) == 1


def test_a_theme_with_some_that_may_not_be_published_gives_the_others_and_says_so(lake: Lake) -> None:
    free = rows_of(lake, "paper", {"free": encode_png(grained(seed=6))}, licence="CC0-1.0")
    pin = rows_of(lake, "paper", {"pin": encode_png(grained(seed=7))}, source="pinterest", licence="CC0-1.0")
    lake.dataset("textures").publish(pa.concat_tables([free, pin]), "paper")
    found, left_out = textures_of(lake, ["paper"])
    assert [texture.name[:10] for texture in found] == ["paper-free"]
    assert len(left_out) == 1
    assert "pin is left out" in left_out[0]


def test_a_template_keeps_its_other_fields_on_a_texture(tmp_path: Path) -> None:
    template = Template(name="mine", style="silk", palette="rose", light="glow", scale=0.7, mode="relit", vignette=0.4)
    found = textured(template, texture_file(write(tmp_path / "a.png", grained())))
    assert (found.scale, found.mode, found.vignette, found.light) == (0.7, "relit", 0.4, "glow")


def test_the_asset_lays_cutouts_on_a_theme_and_refuses_what_may_not_be_shown(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JEWEL_WORKERS", "1")
    settings.cache_clear()

    def run(**config: object) -> dg.ExecuteInProcessResult:
        told = {"width": 180, "height": 180, "templates": ["velvet-wine"], **config}
        return dg.materialize(
            [promo_renders],
            partition_key="ring",
            resources={"lake": lake},
            run_config={"ops": {"promo_renders": {"config": told}}},
            raise_on_error=False,
        )

    assert run(textures=["marble"]).success
    (row,) = lake.dataset("promo_renders").read("ring").to_pylist()
    assert row["template_name"].startswith("marble-white-")
    assert row["difference"] == 0
    record = json.loads(lake.blobs.get(row["record_sha256"], "application/json"))
    assert record["plate"]["credit"] == "Texture: Berta, CC-BY-4.0"
    refused = run(textures=["leather"])
    (failure,) = [event for event in refused.all_events if event.is_step_failure]
    assert "may not be shown to the world" in str(failure.step_failure_data.error)
