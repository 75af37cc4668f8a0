"""What embedders promise: unit length, a fixed dimension, the subject and not its surroundings, the same each time."""

import importlib.util
import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from jewel_assets.errors import Permanent
from jewel_assets.explore import Embed, Embedder, TextEmbedder, choose_embedder, text_of
from jewel_assets.explore.classical import Classical
from jewel_assets.explore.clip import OpenClip, torch_is_here
from jewel_assets.explore.embedders import unit
from jewel_assets.explore.framing import framed
from jewel_assets.explore.mobilenet import MobileNet
from jewel_assets.images import Pixels, encode_png
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.stages import Item, Made, Rejected
from jewel_assets.registry import Model, Registry
from jewel_assets_tests.pictures import draw_piece

needs_torch = pytest.mark.skipif(
    not (importlib.util.find_spec("torch") and importlib.util.find_spec("open_clip")),
    reason="The extra `ml` (torch, open_clip) is not installed.",
)


def cutout(category: str = "ring", seed: int = 0) -> Pixels:
    """A drawn piece with its white ground made transparent: RGBA."""
    picture = draw_piece(category, seed)
    alpha = np.where(picture.min(axis=2) < 240, 255, 0).astype(np.uint8)
    return np.dstack([picture, alpha])


def item(store: BlobStore, picture: Pixels, name: str = "a") -> Item:
    blob = store.put(encode_png(picture), "image/png")
    return Item({"item_id": name, "category": "ring", "sha256": blob.sha256, "media_type": "image/png"}, store)


def tiny_network(folder: Path, shape: tuple[int, ...] = (1, 224, 224, 3), features: int = 1024) -> Model:
    """A network with the input and output of the MobileNet embedder and random weights, as a file OpenVINO reads."""
    import openvino
    from openvino import opset13 as ops

    picture = ops.parameter(shape, np.uint8)
    pooled = ops.reduce_mean(ops.convert(picture, "f32"), np.array([1, 2]), keep_dims=False)  # (1, 3)
    weights = np.random.default_rng(0).normal(size=(3, features)).astype(np.float32)
    path = folder / "tiny.xml"
    openvino.save_model(openvino.Model([ops.matmul(pooled, weights, False, False)], [picture]), path)
    return Model("mobilenet-v1-embedder", path, "ab" * 32, "Apache-2.0")


@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(4)), elements=st.integers(0, 255))
)
@settings(max_examples=60, deadline=None)
def test_any_picture_at_all_has_a_classical_vector_of_unit_length_and_the_fixed_dimension(picture: Pixels) -> None:
    vectors = Classical().load(1)([picture])
    assert vectors.shape == (1, Classical().dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-5)


def test_the_same_picture_has_the_same_vector_alone_or_in_a_batch() -> None:
    pictures = [cutout("ring", 1), cutout("earrings", 2), cutout("necklace", 3)]
    embed = Classical().load(1)
    together = embed(pictures)
    assert all(np.array_equal(embed([picture])[0], row) for picture, row in zip(pictures, together, strict=True))


def test_where_a_piece_lies_on_its_canvas_does_not_matter() -> None:
    piece = cutout()
    wide = np.zeros((500, 700, 4), np.uint8)
    wide[100:420, 300:620] = piece
    assert np.array_equal(*Classical().load(1)([piece, wide]))


def test_what_is_transparent_does_not_matter() -> None:
    piece = cutout()
    painted = piece.copy()
    painted[piece[..., 3] == 0, :3] = (255, 0, 0)
    assert np.array_equal(*Classical().load(1)([piece, painted]))


def test_two_rings_are_nearer_to_each_other_than_to_a_necklace() -> None:
    ring, other_ring, necklace = Classical().load(1)([cutout("ring", 1), cutout("ring", 2), cutout("necklace", 1)])
    assert ring @ other_ring > max(ring @ necklace, other_ring @ necklace)


def test_the_same_ring_in_silver_is_another_design_than_in_gold() -> None:
    gold = cutout("ring", 1)
    silver = gold.copy()
    silver[..., :3] = gold[..., :3].mean(axis=2, keepdims=True)
    same, changed, _ = Classical().load(1)([gold, gold, silver]) @ Classical().load(1)([gold])[0]
    assert same == pytest.approx(1, abs=1e-5)
    vectors = Classical().load(1)([gold, silver])
    assert vectors[0] @ vectors[1] < changed - 0.02


@given(st.integers(1, 90), st.integers(1, 90))
@settings(max_examples=40, deadline=None)
def test_framing_keeps_the_aspect_and_leaves_a_margin(width: int, height: int) -> None:
    piece = np.zeros((120, 120, 4), np.uint8)
    piece[10 : 10 + height, 20 : 20 + width] = (200, 150, 50, 255)
    alpha = framed(piece, 100, margin=0.1)[..., 3] >= 128
    rows, columns = alpha.any(axis=1).sum(), alpha.any(axis=0).sum()
    assert max(rows, columns) == 80
    assert abs(columns - 80 * width / max(width, height)) <= 1
    assert abs(rows - 80 * height / max(width, height)) <= 1


def test_no_colour_of_the_old_background_bleeds_into_the_frame() -> None:
    piece = np.zeros((90, 90, 4), np.uint8)
    piece[..., 0] = 255  # red, but transparent
    piece[30:60, 30:60] = (0, 0, 255, 255)
    picture = framed(piece, 64, ground=128)
    assert picture[..., 0].max() <= 128


def test_a_vector_of_zeros_still_gets_a_direction_and_nonsense_is_refused() -> None:
    assert np.linalg.norm(unit(np.zeros((2, 5))), axis=1).tolist() == [1, 1]
    with pytest.raises(ValueError, match="not finite"):
        unit(np.array([[np.nan, 1]]))


def test_the_stage_adds_a_vector_and_keeps_the_blob_of_the_item(lake_root: str) -> None:
    store = BlobStore(lake_root)
    stage = Embed(batch_size=2)
    stage.setup(1)
    results = stage.process([item(store, cutout("ring", 1)), item(store, cutout("earrings", 1), "b")])
    assert all(isinstance(one, Made) and one.data is None for one in results)
    columns = pa.Table.from_pylist([dict(one.columns) for one in results], stage.output)
    assert columns.schema.field("embedding").type == pa.list_(pa.float32(), Classical().dimension)
    assert columns["embedder"].to_pylist() == ["classical-1"] * 2


def test_a_picture_without_a_subject_is_rejected_and_its_neighbours_are_not(lake_root: str) -> None:
    store = BlobStore(lake_root)
    stage = Embed()
    stage.setup(1)
    empty, full = stage.process([item(store, np.zeros((9, 9, 4), np.uint8)), item(store, cutout(), "b")])
    assert isinstance(empty, Rejected)
    assert empty.reason == "no subject"
    assert isinstance(full, Made)


def test_the_stage_travels_to_a_worker_and_its_key_says_which_weights_it_uses(tmp_path: Path) -> None:
    row = {"sha256": "x"}
    one = Embed(MobileNet(Model("m", tmp_path, "1" * 64, "MIT")))
    other = Embed(MobileNet(Model("m", tmp_path, "2" * 64, "MIT")))
    assert len({stage.key(row) for stage in (one, other, Embed())}) == 3
    assert pickle.loads(pickle.dumps(one)).key(row) == one.key(row)
    with pytest.raises(RuntimeError, match="setup"):
        one.process([])


def test_the_mobilenet_engine_runs_a_network_of_the_right_shape(tmp_path: Path) -> None:
    embedder = MobileNet(tiny_network(tmp_path))
    vectors = embedder.load(1)([cutout("ring", 1), cutout("ring", 2)])
    assert vectors.shape == (2, embedder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedder.name == "mobilenet-v1-embedder@abababababab"


def test_a_network_of_another_shape_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="not the MobileNet v1 embedder"):
        MobileNet(tiny_network(tmp_path, features=7)).load(1)


def test_a_file_that_is_no_network_gives_the_command_that_helps(tmp_path: Path) -> None:
    broken = tmp_path / "weights.tflite"
    broken.write_bytes(b"not a network")
    with pytest.raises(Permanent, match="jewel models fetch"):
        MobileNet(Model("mobilenet-v1-embedder", broken, "0" * 64, "Apache-2.0")).load(1)


def test_without_any_weights_the_classical_engine_is_taken_and_says_so(tmp_path: Path) -> None:
    chosen = choose_embedder(Registry(tmp_path))
    assert isinstance(chosen, Embedder)
    assert chosen.name == "classical-1"
    assert text_of(chosen) is None


@pytest.mark.skipif(torch_is_here(), reason="With torch, `auto` asks for the weights of OpenCLIP.")
def test_the_classical_engine_goes_before_mobilenet_which_is_there_by_name(tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text(
        '[models.mobilenet-v1-embedder]\nfile = "tiny.tflite"\npurpose = "tests"\nlicence = "MIT"\n'
        'licence_url = "https://example.org"\ncommercial = true\n'
    )
    (tmp_path / "tiny.tflite").write_bytes(b"\0\0\0\0TFL3" * 1000)
    assert choose_embedder(Registry(tmp_path)).name == "classical-1"
    assert choose_embedder(Registry(tmp_path), "mobilenet").name.startswith("mobilenet-v1-embedder@")


@pytest.mark.parametrize("engine", ["mobilenet", "open_clip"])
def test_an_engine_asked_for_by_name_is_never_replaced_silently(tmp_path: Path, engine: str) -> None:
    with pytest.raises(Permanent, match=r"jewel models fetch|jewel-assets\[ml\]"):
        choose_embedder(Registry(tmp_path), engine)


def test_an_unknown_engine_is_refused_with_the_names_of_the_known(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="open_clip, mobilenet, classical"):
        choose_embedder(Registry(tmp_path), "resnet")


@pytest.mark.shared
def test_the_real_mobilenet_tells_rings_from_watches(shared: Path, tmp_path: Path) -> None:
    embedder = choose_embedder(Registry(tmp_path, str(shared / "weights")), "mobilenet")
    ring, other_ring, watch = embedder.load(1)([cutout("ring", 1), cutout("ring", 2), cutout("wristwatch", 1)])
    assert ring.shape == (1024,)
    assert ring @ other_ring > ring @ watch


@needs_torch
def test_open_clip_embeds_pictures_and_words_into_one_space(tmp_path: Path) -> None:
    embedder = OpenClip(_tiny_clip(tmp_path), architecture="tiny-test", dimension=16)
    vectors = embedder.load(1)([cutout("ring", 1), cutout("necklace", 1)])
    assert vectors.shape == (2, 16)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors, embedder.load(1)([cutout("ring", 1), cutout("necklace", 1)]))
    assert isinstance(embedder, TextEmbedder)
    assert text_of(embedder) is embedder
    assert embedder.load_text(1)(["a gold ring", "a silver chain", "a watch"]).shape == (3, 16)


@needs_torch
def test_a_checkpoint_of_another_architecture_gives_the_command_that_helps(tmp_path: Path) -> None:
    model = _tiny_clip(tmp_path)
    with pytest.raises(Permanent, match="jewel models fetch"):
        OpenClip(model, architecture="ViT-B-32").load(1)


def _tiny_clip(folder: Path) -> Model:
    """A CLIP of a few thousand random weights, saved as a checkpoint."""
    import open_clip
    import torch

    towers = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    (folder / "tiny-test.json").write_text(json.dumps(towers))
    open_clip.add_model_config(folder)
    torch.manual_seed(0)
    path = folder / "tiny.pt"
    torch.save(open_clip.create_model("tiny-test").state_dict(), path)
    return Model("open-clip-vit-b-32", path, "cd" * 32, "MIT")
