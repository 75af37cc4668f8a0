"""A finished image: the piece in it is the piece, the same seed gives the same pixels, light and plate are seen."""

import json

import numpy as np
import pytest

from jewel_assets import promote
from jewel_assets.errors import Permanent
from jewel_assets.promote.fidelity import compare, core_of
from jewel_assets.promote.lights import LIGHTS
from jewel_assets.promote.piece import Piece, piece_of
from jewel_assets.promote.plates import STYLES
from jewel_assets.promote.relight import BRIGHTEST, DARKEST, gain_of, relit
from jewel_assets.promote.rendering import plate_alone, render
from jewel_assets.promote.templates import Template, library
from jewel_assets_tests.promote.pieces import drawn_ring, ring

SMALL = (360, 360)


def template(style: str = "velvet", palette: str = "midnight", light: str = "moody", **more: object) -> Template:
    return Template(name="test", style=style, palette=palette, light=light, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def piece() -> Piece:
    return ring(300)


@pytest.mark.parametrize("style", sorted(STYLES))
def test_strict_no_pixel_of_the_core_changes_on_any_plate(style: str, piece: Piece) -> None:
    promo = render(piece, template(style, vignette=1.0), 3, SMALL)
    laid = promo.layers["piece"]
    shown = promo.image[promo.laid.box]
    core = core_of(laid[..., 3])
    assert core.sum() > 1000
    assert np.array_equal(shown[core], laid[core][:, :3])
    assert promo.fidelity.holds
    assert promo.fidelity.difference == 0


@pytest.mark.parametrize("light", sorted(LIGHTS))
def test_relit_keeps_detail_colour_and_hue_within_its_bounds_under_every_light(light: str, piece: Piece) -> None:
    promo = render(piece, template(light=light, mode="relit"), 3, SMALL)
    assert promo.fidelity.holds, promo.fidelity
    assert promo.fidelity.difference > 0
    assert promo.record["relight"] > 0


def test_the_gain_of_a_light_is_bounded_and_one_on_average(piece: Piece) -> None:
    for rig in LIGHTS.values():
        gain = gain_of(piece.rgba, rig)
        inside = piece.rgba[..., 3] > 127
        assert gain.min() >= DARKEST
        assert gain.max() <= BRIGHTEST
        assert abs(float(gain[inside].mean()) - 1) < 0.15


def test_no_strength_no_change(piece: Piece) -> None:
    gain = gain_of(piece.rgba, LIGHTS["neon"])
    assert np.array_equal(relit(piece.rgba, gain, 0.0, 360), piece.rgba[..., :3])


def test_a_changed_piece_is_found_out(piece: Piece) -> None:
    """The report is no formality: what a network would do to a piece does not pass."""
    redrawn = piece.rgba[..., :3].copy()
    redrawn[::2] = np.roll(redrawn[::2], 3, axis=1)
    assert not compare(piece.rgba, redrawn, "relit", 360).holds
    assert not compare(piece.rgba, redrawn, "strict", 360).holds
    tinted = np.clip(piece.rgba[..., :3] * np.array([0.85, 1.0, 1.1]), 0, 255).astype(np.uint8)
    told = compare(piece.rgba, tinted, "relit", 360)
    assert not told.holds
    assert told.hue_shift > 3


def test_the_same_seed_gives_the_same_pixels_whatever_was_rendered_before(piece: Piece) -> None:
    once = render(piece, template(), 7, SMALL)
    for other in ("silk", "marble", "minimal", "wood"):
        render(piece, template(other, "ivory", "studio"), 1, SMALL)
    again = render(piece, template(), 7, SMALL)
    assert once.record == again.record
    assert np.array_equal(once.image, again.image)
    assert not np.array_equal(once.image, render(piece, template(), 8, SMALL).image)


def test_a_shadow_darkens_the_plate_beside_the_piece(piece: Piece) -> None:
    promo = render(piece, template("suede", "sand", "studio"), 2, SMALL)
    alone = plate_alone(template("suede", "sand", "studio"), 2, SMALL).astype(int)
    outside = promo.layers["mask"] == 0
    darker = (alone - promo.image.astype(int)).mean(axis=2)
    assert darker[outside].max() > 25
    assert darker[outside].min() > -8


def test_no_fringe_of_the_old_ground_is_left_on_dark_and_light_plates() -> None:
    """Edge colours are those of the piece over the new plate: the edge's error is that of rounding."""
    rgba = drawn_ring(300)
    rgba[rgba[..., 3] > 0, :3] = (200, 160, 80)
    for palette in ("black", "ivory"):
        promo = render(piece_of(rgba, "ring"), template("gradient", palette, "glow", vignette=0), 1, SMALL)
        edge = (promo.layers["mask"] > 20) & (promo.layers["mask"] < 235)
        ground = promo.layers["plate"].astype(int)
        low, high = np.minimum(ground, (200, 160, 80)), np.maximum(ground, (200, 160, 80))
        beyond = np.maximum(low - promo.image.astype(int), promo.image.astype(int) - high)
        assert beyond[edge].max() <= 3


def test_a_record_is_json_and_holds_what_the_image_depends_on(piece: Piece) -> None:
    promo = render(piece, template(), 7, SMALL)
    told = json.loads(json.dumps(promo.record))
    assert told["seed"] == 7
    assert told["template"]["style"] == "velvet"
    assert told["fidelity"]["holds"] is True
    assert len(told["pixels_sha256"]) == 64


def test_a_small_photo_is_enlarged_with_a_warning() -> None:
    promo = render(ring(80), template(), 1, (540, 540))
    assert "a larger photo" in promo.warnings[0]


def test_other_sizes_hold_the_piece_whole(piece: Piece) -> None:
    for size in ((540, 675), (540, 283), (270, 480)):
        promo = render(piece, template("minimal", "ivory", "studio"), 1, size)
        assert promo.image.shape == (size[1], size[0], 3)
        mask = promo.layers["mask"]
        assert mask[0].max() == mask[-1].max() == mask[:, 0].max() == mask[:, -1].max() == 0


def test_the_library_has_enough_templates_that_look_different() -> None:
    found = list(library())
    assert len(found) >= 120
    assert len({one.name for one in found}) == len(found)
    pictures = [plate_alone(one, 5, (48, 48)).astype(float).mean(axis=(0, 1)) for one in found[:30:3]]
    assert len({tuple(np.round(colour)) for colour in pictures}) == len(pictures)


def test_an_unknown_light_or_palette_is_named_with_its_neighbours(piece: Piece) -> None:
    with pytest.raises(Permanent, match="moody"):
        render(piece, template(light="moodie"), 1, SMALL)
    with pytest.raises(Permanent, match="midnight"):
        render(piece, template(palette="midnigth"), 1, SMALL)


@pytest.mark.parametrize("style", ["marble", "minimal"])
def test_several_sides_of_a_piece_are_kept_pixel_by_pixel_beside_each_other(style: str, piece: Piece) -> None:
    promo = render([piece, ring(220), ring(260)], template(style, "ivory", "studio"), 1, SMALL)
    assert promo.fidelity.holds
    assert promo.fidelity.difference == 0
    columns = np.flatnonzero((promo.layers["mask"] > 127).any(axis=0))
    assert (np.diff(columns) > 1).sum() == 2  # three apart
    alone = render(piece, template(style, "ivory", "studio"), 1, SMALL)
    assert promo.record["piece_sha256"] != alone.record["piece_sha256"]


def test_a_pair_is_made_of_one_piece_and_not_of_two(piece: Piece) -> None:
    pair = render(piece, template(arrangement="pair"), 1, SMALL)
    mask = pair.layers["mask"]
    assert ((mask > 127) != (mask[:, ::-1] > 127)).mean() < 0.01
    earrings = piece_of(np.hstack([piece.rgba, piece.rgba]), None)
    assert earrings.category == "earrings"
    left = render(earrings, template(arrangement="pair"), 1, SMALL)
    assert any("two already" in warning for warning in left.warnings)
    assert np.array_equal(left.image, render(earrings, template(), 1, SMALL).image)


def test_the_street_is_called_from_python_by_its_own_name(piece: Piece) -> None:
    """As the web application will: nothing but names of the package."""
    promo = promote.render(piece, promote.library().get("velvet-midnight"), seed=7, size=SMALL)
    assert isinstance(promo, promote.Promo)
    assert set(promo.layers) == {"plate", "shadow", "piece", "mask"}
    assert all(hasattr(promote, name) for name in promote.__all__)
