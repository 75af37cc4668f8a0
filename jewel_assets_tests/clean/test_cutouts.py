"""Background removal: synthetic pieces whose exact mask is known, and the stage around the engines."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jewel_assets.clean import RemoveBackground, choose_remover
from jewel_assets.clean.cutouts import count_holes
from jewel_assets.clean.removal import (
    LARGEST_FAINT_SHARE,
    AutoRemover,
    Matte,
    NetworkRemover,
    PlainRemover,
    cut_out,
    faint_share,
)
from jewel_assets.clean.removal.ground import fit_ground, to_lab
from jewel_assets.clean.removal.network import alpha_at, decisiveness
from jewel_assets.clean.removal.plain import hole_score, plain_matte, ripple
from jewel_assets.clean.removal.remover import solidity
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, decode, encode_jpeg, encode_png
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.stages import Item, Made, Rejected, Result, Review
from jewel_assets.registry import Model, Registry

GOLD, SILVER, PEARL, WHITE, GREY = (205, 160, 70), (150, 152, 156), (226, 222, 214), (255, 255, 255), (196, 194, 198)
Mask = NDArray[np.bool_]


def annulus(side: int = 240) -> NDArray[np.float32]:
    """The alpha of a ring seen from the front, with a smooth edge and an open hole."""
    alpha = np.zeros((side * 4, side * 4), np.uint8)
    cv2.circle(alpha, (side * 2, side * 2), int(side * 1.4), 255, int(side * 0.4))
    return cv2.resize(alpha, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def photo(
    alpha: NDArray[np.float32], metal: tuple[int, ...], ground: tuple[int, ...] | Pixels, quality: int = 92
) -> Pixels:
    """The piece in shaded metal on a ground, once through JPEG as photos are."""
    height, width = alpha.shape
    shade = (0.85 + 0.15 * np.sin(np.linspace(0, 9, width)))[None, :, None]
    piece = np.asarray(metal, np.float32) * shade * np.ones((height, 1, 1))
    laid = piece * alpha[..., None] + np.asarray(ground, np.float32) * (1 - alpha[..., None])
    return decode(encode_jpeg(np.rint(np.clip(laid, 0, 255)).astype(np.uint8), quality))


def iou(ours: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    return float(((ours > 0.5) & (true > 0.5)).sum() / ((ours > 0.5) | (true > 0.5)).sum())


def weave(side: int = 240) -> Pixels:
    """A textile: warp and weft in two browns with grain."""
    y, x = np.mgrid[:side, :side]
    tone = 150 + 18 * np.sin(x * 1.1) * np.sin(y * 0.9) + np.random.default_rng(3).normal(0, 6, (side, side))
    return np.clip(np.dstack([tone, tone * 0.85, tone * 0.7]), 0, 255).astype(np.uint8)


def run(root: str, image: Pixels, remover: object = None) -> Result:
    blobs = BlobStore(root)
    blob = blobs.put(encode_png(image), "image/png")
    row = {"item_id": "a:1", "category": "ring", "sha256": blob.sha256, "media_type": "image/png"}
    stage = pickle.loads(pickle.dumps(RemoveBackground(remover or AutoRemover(None))))  # type: ignore[arg-type]
    stage.setup(1)
    (result,) = stage.process([Item(row, blobs)])
    return result


@pytest.mark.parametrize("metal", [GOLD, SILVER, PEARL], ids=["gold", "silver", "pearl"])
@pytest.mark.parametrize("ground", [WHITE, GREY, (30, 30, 34)], ids=["white", "grey", "black"])
def test_a_ring_on_a_plain_ground_is_cut_out_and_its_hole_is_open(
    metal: tuple[int, ...], ground: tuple[int, ...]
) -> None:
    true = annulus()
    (matte,) = PlainRemover().mattes([photo(true, metal, ground)])
    assert iou(matte.alpha, true) > 0.93
    assert count_holes(matte.alpha) == 1
    assert matte.alpha[120, 120] == 0


def test_a_soft_shadow_is_not_part_of_the_piece() -> None:
    true = annulus()
    shadow = np.zeros((240, 240), np.float32)
    cv2.ellipse(shadow, (120, 222), (80, 7), 0, 0, 360, 0.35, -1)
    ground = np.asarray(WHITE, np.float32) * (1 - cv2.GaussianBlur(shadow, (0, 0), 7))[..., None]
    (matte,) = PlainRemover().mattes([photo(true, GOLD, np.rint(ground).astype(np.uint8))])
    assert iou(matte.alpha, true) > 0.9
    assert matte.alpha[226:].mean() < 0.05


def test_a_small_white_highlight_in_silver_is_not_a_hole() -> None:
    true = annulus()
    image = photo(true, SILVER, WHITE)
    cv2.ellipse(image, (50, 120), (3, 5), 0, 0, 360, WHITE, -1)
    (matte,) = PlainRemover().mattes([image])
    assert count_holes(matte.alpha) == 1  # the ring's own


def test_a_facet_that_is_brighter_or_more_varied_than_the_ground_is_no_hole_and_an_even_opening_is_one() -> None:
    opening = {"area": 120, "share": 4e-4, "sharp": 25.0, "chroma": 4.0, "clipped": False}
    assert hole_score(**opening, brighter=0.0, ripple=1.5) > 0
    assert hole_score(**opening, brighter=0.0, ripple=4.0) < 0
    assert hole_score(**opening, brighter=0.6, ripple=1.5) < 0
    assert hole_score(**opening | {"area": 8}, brighter=0.0, ripple=4.0) > 0  # few pixels say little


def test_the_ripple_of_an_area_does_not_count_a_soft_shadow_in_it() -> None:
    within = np.ones((60, 60), bool)
    shaded = np.linspace(0, -12, 60, dtype=np.float32)[None].repeat(60, axis=0)
    flecks = np.random.default_rng(1).normal(0, 1, (60, 60)).astype(np.float32)
    assert ripple(shaded, within) < 0.2
    assert ripple(shaded + flecks, within) == pytest.approx(1, abs=0.1)


def test_a_pale_piece_that_its_shadow_surrounds_is_not_taken_for_a_reflection() -> None:
    true = annulus()
    shadow = cv2.GaussianBlur(cv2.dilate(true, np.ones((9, 9))), (0, 0), 9)
    ground = np.rint(255 * (1 - 0.12 * shadow[..., None]) * np.ones(3)).astype(np.uint8)
    (matte,) = PlainRemover().mattes([photo(true, (228, 205, 160), ground)])
    assert (matte.alpha > 0.5)[true > 0.9].mean() > 0.9


def test_a_band_of_the_grounds_colour_in_polished_metal_is_not_a_hole() -> None:
    y, x = np.mgrid[:240, :240].astype(np.float32)
    true = ((np.abs(x - 120) < 70) & (np.abs(y - 120) < 90)).astype(np.float32)
    gradient = np.minimum(214 - 0.35 * (y - 60), 230)  # passes through the ground's grey a little below the top
    plate = np.where((np.abs(x - 120) > 64) | (np.abs(y - 120) > 84), 90, gradient)[..., None]
    image = np.where(true[..., None] > 0, plate, 210.0).repeat(3, axis=2)
    (matte,) = PlainRemover().mattes([decode(encode_jpeg(np.rint(image).astype(np.uint8), 92))])
    assert count_holes(matte.alpha) == 0
    assert iou(matte.alpha, true) > 0.95


def chain(side: int = 240) -> NDArray[np.float32]:
    """The alpha of a fine chain of round links, with open centres, hanging in an arc."""
    alpha = np.zeros((side * 4, side * 4), np.uint8)
    for turn in np.linspace(0.15, np.pi - 0.15, 24):
        centre = (int(side * (2 + 1.7 * np.cos(turn))), int(side * (0.4 + 2.6 * np.sin(turn))))
        cv2.circle(alpha, centre, 36, 255, 12)
    return cv2.resize(alpha, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def contact_shadow(foot: int, side: int = 240) -> Pixels:
    """White with a soft dark ellipse where a piece touches it."""
    shadow = np.zeros((side, side), np.float32)
    cv2.ellipse(shadow, (side // 2, foot), (70, 6), 0, 0, 360, 0.35, -1)
    return np.rint(255 * (1 - cv2.GaussianBlur(shadow, (0, 0), 6))[..., None] * np.ones(3)).astype(np.uint8)


def test_a_pale_ring_on_white_keeps_its_body_and_loses_its_contact_shadow() -> None:
    true = annulus()
    (matte,) = PlainRemover().mattes([photo(true, PEARL, contact_shadow(216))])
    assert iou(matte.alpha, true) > 0.9
    assert matte.alpha[222:].mean() < 0.03


def test_a_fine_chain_is_whole_its_links_are_open_and_it_is_held_less_certain_than_a_ring() -> None:
    (matte, ring) = PlainRemover().mattes([photo(chain(), GOLD, WHITE), photo(annulus(), GOLD, WHITE)])
    assert iou(matte.alpha, chain()) > 0.8
    assert count_holes(matte.alpha) >= 20
    assert matte.confidence < ring.confidence


def test_a_reflection_below_the_piece_is_not_part_of_it() -> None:
    true = np.zeros((240, 240), np.float32)
    true[:180] = cv2.resize(annulus(), (240, 180))
    foot = int(np.nonzero((true > 0.5).any(axis=1))[0][-1])
    fade = np.linspace(0.35, 0, 240 - foot - 3, dtype=np.float32)[:, None]
    mirrored = np.zeros_like(true)
    mirrored[foot + 3 :] = true[foot : 2 * foot - 237 : -1] * fade
    ground = np.asarray(GOLD) * mirrored[..., None] + contact_shadow(foot + 2) * (1 - mirrored[..., None])
    (matte,) = PlainRemover().mattes([photo(true, GOLD, np.rint(ground).astype(np.uint8))])
    assert iou(matte.alpha, true) > 0.9
    assert matte.alpha[foot + 12 :].mean() < 0.02


def test_a_pearl_that_fades_into_white_is_kept_where_the_network_is_sure_of_it() -> None:
    y, x = np.mgrid[:240, :240].astype(np.float32)
    true = np.clip(80.5 - np.hypot(x - 120, y - 120), 0, 1)
    shade = 255 - 110 * np.clip(((x - 90) + (y - 90)) / 160, 0, 1)  # lit from above left, where it is white
    image = np.where(true[..., None] > 0.5, shade[..., None], 255.0).repeat(3, axis=2).astype(np.uint8)
    alone, helped = (plain_matte(image, "test", 1280, None, network) for network in (None, true))
    assert helped.alpha.sum() > alone.alpha.sum()
    assert helped.alpha[120:160, 120:160].min() == 1


class _Surprised(NetworkRemover):
    """A network that must not be asked."""

    def mattes(self, images: object) -> list[Matte]:
        assert not images, "The network was asked about a clear case."
        return []


def test_a_clear_case_on_a_plain_ground_does_not_ask_the_network(tmp_path: Path) -> None:
    model = Model("u2netp", tmp_path / "u2netp.onnx", "0" * 64, "Apache-2.0")
    (matte,) = AutoRemover(_Surprised(model)).mattes([photo(annulus(), GOLD, WHITE)])
    assert matte.engine == "plain ground (no weights)"


def test_confidence_falls_with_disagreement_and_where_a_piece_is_all_outline() -> None:
    block = np.zeros((40, 40), bool)
    block[10:30, 10:30] = True
    lines = np.zeros((40, 40), bool)
    lines[::4] = True
    agreed, denied = block.astype(np.float32), 1 - block.astype(np.float32)
    assert solidity(lines) == 0
    assert solidity(block, agreed) == solidity(block) > 2 * solidity(block, denied) - 1e-6
    assert solidity(np.zeros((40, 40), bool), agreed) == 0


def test_a_piece_that_leaves_the_picture_is_not_taken_for_ground() -> None:
    true = np.zeros((200, 300), np.float32)
    true[80:120] = 1
    (matte,) = PlainRemover().mattes([photo(true, GOLD, WHITE)])
    assert iou(matte.alpha, true) > 0.95


def test_a_textured_ground_needs_no_weights_and_the_item_says_so(lake_root: str) -> None:
    true = annulus()
    result = run(lake_root, photo(true, GOLD, weave()))
    assert isinstance(result, Made)
    assert result.data is not None
    assert "no weights" in result.engine
    assert iou(decode(result.data, alpha=True)[..., 3] / np.float32(255), true) > 0.85
    assert result.columns["holes"] >= 1
    assert result.columns["confidence"] <= 0.6


def test_a_cut_out_has_the_size_of_its_photo_and_columns_in_their_ranges(lake_root: str) -> None:
    true = annulus()
    result = run(lake_root, photo(true, GOLD, WHITE))
    assert isinstance(result, Made)
    assert (result.width, result.height, result.media_type) == (240, 240, "image/png")
    assert result.columns["coverage"] == pytest.approx(float(true.mean()), abs=0.02)
    assert result.columns["verdict"] == "good"
    assert set(result.columns) == set(RemoveBackground.output.names)


def test_an_empty_scene_gives_no_subject(lake_root: str) -> None:
    result = run(lake_root, np.full((120, 160, 3), 250, np.uint8))
    assert isinstance(result, Rejected)
    assert result.reason == "no subject"


class _Constant(PlainRemover):
    """An engine that finds `VALUE` everywhere, with confidence `TRUST`."""

    VALUE, TRUST = 1.0, 1.0

    def mattes(self, images: object) -> list[Matte]:
        return [Matte(np.full(i.shape[:2], self.VALUE, np.float32), self.TRUST, "constant") for i in images]  # type: ignore[attr-defined]


class _Doubting(_Constant):
    VALUE, TRUST = 0.6, 0.05


def test_a_full_mask_is_no_background_and_a_distrusted_one_asks_a_person(lake_root: str) -> None:
    image = np.full((60, 60, 3), 90, np.uint8)
    full, doubtful = run(lake_root, image, _Constant()), run(lake_root, image, _Doubting())
    assert isinstance(full, Rejected)
    assert full.reason == "no background"
    assert isinstance(doubtful, Review)


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(0, 255)] * 3))
def test_no_fringe_of_a_known_ground_stays(piece: tuple[int, ...], ground: tuple[int, ...]) -> None:
    alpha = annulus(80)
    mixed = np.asarray(piece) * alpha[..., None] + np.asarray(ground) * (1 - alpha[..., None])
    behind = np.full((80, 80, 3), ground, np.float32)
    pixels = cut_out(np.rint(mixed).astype(np.uint8), alpha, behind)
    solid = alpha > 0.3
    assert np.abs(pixels[solid][:, :3].astype(int) - np.asarray(piece)).max() <= 8
    assert (pixels[alpha == 0] == 0).all()


@settings(max_examples=15, deadline=None)
@given(st.floats(-20, 20), st.floats(-20, 20), st.integers(0, 9))
def test_a_lighting_gradient_is_fitted(across: float, down: float, seed: int) -> None:
    y, x = np.mgrid[-1:1:60j, -1:1:80j]
    grey = 180 + across * x + down * y + np.random.default_rng(seed).normal(0, 0.5, x.shape)
    lab = to_lab(np.repeat(np.rint(grey)[..., None], 3, axis=2).astype(np.uint8))
    ground = fit_ground(lab)
    assert ground.plainness > 0.95
    assert np.abs(ground.lab - lab)[..., 0].mean() < 1.0


def test_an_undecided_network_output_has_no_confidence() -> None:
    assert decisiveness(np.full((8, 8), 0.02, np.float32)) == 0
    sure = np.zeros((8, 8), np.float32)
    sure[2:6, 2:6] = 1
    assert decisiveness(sure) == 1


def test_an_unknown_engine_or_model_is_named_in_the_error(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    with pytest.raises(Permanent, match="u2netq"):
        choose_remover(registry, model="u2netq")
    with pytest.raises(Permanent, match="magic"):
        choose_remover(registry, engine="magic")  # type: ignore[arg-type]
    with pytest.raises(Permanent, match="jewel models fetch u2netp"):
        choose_remover(registry, engine="network")
    assert "no weights" in choose_remover(registry).name


@pytest.mark.shared
def test_a_batch_gives_what_single_images_give_and_agrees_with_the_authors_masks(shared: Path) -> None:
    network = choose_remover(Registry(shared / "weights"), "network")
    assert isinstance(network, NetworkRemover)
    exact = NetworkRemover(network.model, "mnn")
    exact.load(1)
    names = ["horse", "whisk", "boat"]
    files = [next((shared / "data/u2netp_golden/images").glob(f"{name}.*")) for name in names]
    images = [decode(file.read_bytes()) for file in files]
    together = exact.probabilities(images)
    np.testing.assert_allclose(together[1], exact.probabilities(images[1:2])[0], atol=1e-3)
    for name, raw, image in zip(names, together, images, strict=True):
        theirs = decode((shared / "data/u2netp_golden/masks" / f"{name}.png").read_bytes())[..., 0] / np.float32(255)
        assert iou(alpha_at(raw, image.shape), cv2.resize(theirs, image.shape[1::-1])) > 0.95
    (blank,) = exact.mattes([np.full((100, 100, 3), 255, np.uint8)])
    assert (blank.alpha > 0.5).mean() < 0.01  # no stretching: an empty scene has no subject


def test_an_outline_that_no_edge_of_the_photo_supports_makes_a_cut_out_doubtful() -> None:
    """A mask that took a piece of the ground for the ring, in place of one that follows it."""
    true = annulus()
    image = photo(true, GOLD, WHITE)
    assert faint_share(image, true) < 0.02
    for dark in ((30, 30, 34), GREY):
        assert faint_share(photo(true, PEARL, dark), true) < 0.02
    wrong = true.copy()
    wrong[190:236, 20:220] = 1
    assert faint_share(image, wrong) > LARGEST_FAINT_SHARE
    assert faint_share(image, np.zeros_like(true)) == faint_share(image, np.ones_like(true)) == 0


class _Drawn(PlainRemover):
    """Gives one mask, and is sure of it."""

    def __init__(self, alpha: NDArray[np.float32]) -> None:
        self.alpha = alpha

    def mattes(self, images: Sequence[Pixels]) -> list[Matte]:
        return [Matte(self.alpha, 0.9, "drawn") for _ in images]


def test_the_verdict_names_an_unsupported_outline_whatever_the_confidence(lake_root: str) -> None:
    true = annulus()
    wrong = true.copy()
    wrong[190:236, 20:220] = 1
    right, bad = (run(lake_root, photo(true, GOLD, WHITE), _Drawn(mask)) for mask in (true, wrong))
    assert isinstance(right, Made)
    assert isinstance(bad, Made)
    assert (right.columns["verdict"], bad.columns["verdict"]) == ("good", "doubtful")
    assert bad.columns["faint_share"] > LARGEST_FAINT_SHARE
