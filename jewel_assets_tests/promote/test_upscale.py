"""Enlarging by a network: true to the photo, bounded, repeatable, only where it was asked for, and said."""

import sys
from pathlib import Path

import numpy as np
import pytest

from jewel_assets.errors import Permanent
from jewel_assets.promote import upscale
from jewel_assets.promote.finish import Finish
from jewel_assets.promote.layout import resized
from jewel_assets.promote.rendering import render
from jewel_assets.promote.scene import Array
from jewel_assets.promote.templates import Template
from jewel_assets.promote.upscale import (
    NETWORKS,
    OVERLAP,
    TILE,
    ByNetwork,
    RealEsrgan,
    choose_enlarger,
    enlarged,
    mismatch,
)
from jewel_assets.registry import Model, Registry
from jewel_assets.settings import settings
from jewel_assets_tests.promote.pieces import drawn_ring, ring

RELIT = Template(name="t", style="gradient", palette="black", light="glow", mode="relit")
FINISH = Finish(upscale="real-esrgan")


class Drawing:
    """Stands for a network: pixels four times as large, under a change of one's own."""

    name = "drawing"

    def __init__(self, change: float = 0.0, noise: float = 0.0) -> None:
        self.change, self.noise = change, noise

    def enlarge(self, colours: Array) -> Array:
        large = np.repeat(np.repeat(colours, 4, axis=0), 4, axis=1)
        grain = np.random.default_rng(1).normal(0, self.noise, large.shape) if self.noise else 0
        return np.asarray(large + self.change + grain, np.float32)


@pytest.mark.parametrize("scale", [1.3, 2.0, 3.7, 4.0])
def test_an_enlarged_picture_has_the_size_and_the_outline_that_lanczos_gives(scale: float) -> None:
    rgba = drawn_ring(60)
    found, plain = enlarged(rgba, scale, Drawing()), resized(rgba, scale)
    assert found.shape == plain.shape
    assert np.array_equal(found[..., 3], plain[..., 3])
    assert not found[found[..., 3] == 0].any()


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_what_is_not_enlarged_no_network_sees(scale: float) -> None:
    rgba = drawn_ring(60)
    assert np.array_equal(enlarged(rgba, scale, Drawing(change=1)), resized(rgba, scale))


def test_a_network_cannot_shift_colours() -> None:
    """It makes everything a fifth brighter; the enlarged picture is as bright as its photo."""
    rgba = drawn_ring(80)
    found, plain = enlarged(rgba, 3, Drawing(change=0.2)), resized(rgba, 3)
    inside = plain[..., 3] == 255
    means = [picture[inside][:, :3].astype(float).mean(axis=0) for picture in (found, plain)]
    assert np.abs(means[0] - means[1]).max() < 2
    assert mismatch(rgba, found) < mismatch(rgba, plain)


def test_the_photo_comes_back_where_an_enlarged_picture_is_made_small_again() -> None:
    rgba = drawn_ring(80)
    chance = np.random.default_rng(3)
    rgba[..., :3] = np.where(rgba[..., 3:] > 0, chance.integers(60, 200, rgba[..., :3].shape), 0)  # as fine as it gets
    assert mismatch(rgba, enlarged(rgba, 4, Drawing())) < 0.5 * mismatch(rgba, resized(rgba, 4))
    assert mismatch(rgba, resized(rgba, 1)) == 0


def test_a_network_that_redraws_the_piece_is_refused_and_it_is_said() -> None:
    rgba = drawn_ring(80)
    way = ByNetwork(Drawing(noise=2.0))
    assert np.array_equal(way(rgba, 2.0), resized(rgba, 2.0))
    assert (way.enlarged, way.refused) == (0, 1)
    assert "Lanczos enlarged the piece instead" in way.said()[0]
    good = ByNetwork(Drawing())
    good(rgba, 2.0)
    good(rgba, 0.5)
    assert (good.enlarged, good.refused) == (1, 0)
    assert "the network's guess" in good.said()[0]
    assert good.told()["engine"] == "drawing"


# --- with a network ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path: Path) -> Model:
    """A network of the kind of the smaller ones of Real-ESRGAN, with four channels and random weights."""
    torch = pytest.importorskip("torch", reason="the extra `ml` is not installed")
    pytest.importorskip("spandrel", reason="the extra `ml` is not installed")
    from spandrel.architectures.Compact import Compact

    torch.manual_seed(1)
    network = Compact(num_in_ch=3, num_out_ch=3, num_feat=4, num_conv=2, upscale=4)
    path = tmp_path / "tiny.pth"
    torch.save({"params": network.state_dict()}, path)
    return Model(f"tiny-{tmp_path.name}", path, "0" * 64, "MIT")


def in_registry(folder: Path, weights: bytes) -> None:
    """A models folder in which the best of the networks is this file, of which no hash is known."""
    folder.mkdir()
    (folder / "registry.toml").write_text(
        f'[models.{NETWORKS[0]}]\nfile = "own.pth"\npurpose = "enlarging"\nlicence = "MIT"\n'
        'licence_url = "https://example.org"\ncommercial = true\n'
    )
    (folder / "own.pth").write_bytes(weights)


def test_tiles_give_what_the_whole_picture_gives(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    colours = np.random.default_rng(2).random((TILE + 37, 2 * TILE + 5, 3), np.float32)
    tiled = RealEsrgan(tiny).enlarge(colours)
    monkeypatch.setattr(upscale, "TILE", 1000)
    whole = RealEsrgan(tiny).enlarge(colours)
    assert tiled.shape == whole.shape == (4 * (TILE + 37), 4 * (2 * TILE + 5), 3)
    assert np.abs(tiled - whole).max() < 1e-4
    monkeypatch.setattr(upscale, "TILE", TILE)
    monkeypatch.setattr(upscale, "OVERLAP", 0)
    assert np.abs(RealEsrgan(tiny).enlarge(colours) - whole).max() > 1e-3
    assert OVERLAP > 0


def test_one_thread_or_two_give_the_same_pixels(tiny: Model) -> None:
    import torch

    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(enlarged(drawn_ring(150), 2.5, RealEsrgan(tiny)))
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*found)


def test_relit_asks_the_network_strict_never_does_and_both_say_so(
    tiny: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_registry(tmp_path / "models", tiny.path.read_bytes())
    monkeypatch.setenv("JEWEL_MODELS", str(tmp_path / "models"))
    settings.cache_clear()
    small = ring(100)
    size = (360, 360)
    strict = render(small, RELIT.model_copy(update={"mode": "strict"}), 1, size, FINISH)
    assert strict.record["upscaling"] == {"engine": "lanczos"}
    assert any("Strict mode invents no detail" in warning for warning in strict.warnings)
    relit, plain = render(small, RELIT, 1, size, FINISH), render(small, RELIT, 1, size)
    assert relit.record["finish"]["upscale"] == "real-esrgan"
    assert relit.record["upscaling"]["engine"].startswith(NETWORKS[0])
    assert any(NETWORKS[0] in warning for warning in relit.warnings)
    assert relit.fidelity.holds
    assert plain.record["upscaling"] == {"engine": "lanczos"}
    assert np.array_equal(relit.laid.rgba[..., 3], plain.laid.rgba[..., 3])
    assert np.array_equal(relit.image, render(small, RELIT, 1, size, FINISH).image)


def test_weights_that_are_missing_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=rf"jewel models fetch {NETWORKS[0]}.*JEWEL_MODEL_MIRROR.*Lanczos"):
        choose_enlarger(Registry(tmp_path))


@pytest.mark.parametrize("content", [b"PK nothing", b"", b"no weights"])
def test_a_broken_file_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("spandrel", reason="the extra `ml` is not installed")
    (tmp_path / "own.pth").write_bytes(content)
    broken = RealEsrgan(Model(f"own-{len(content)}", tmp_path / "own.pth", "0" * 64, "MIT"))
    with pytest.raises(Permanent, match=r"do not load .*own\.pth.*jewel models fetch own"):
        broken.enlarge(np.zeros((8, 8, 3), np.float32))


def test_a_network_that_does_not_enlarge_is_a_sentence(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra `ml` is not installed")
    pytest.importorskip("spandrel", reason="the extra `ml` is not installed")
    from spandrel.architectures.Compact import Compact

    torch.save(Compact(num_feat=4, num_conv=2, upscale=1).state_dict(), tmp_path / "same.pth")
    same = RealEsrgan(Model("same", tmp_path / "same.pth", "0" * 64, "MIT"))
    with pytest.raises(Permanent, match="no network that enlarges colour pictures"):
        same.enlarge(np.zeros((8, 8, 3), np.float32))


def test_a_machine_without_the_extra_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(Permanent, match=r"needs the extra `ml`.*jewel-assets\[ml\].*--upscale lanczos"):
        RealEsrgan(Model("absent", tmp_path / "x.pth", "0" * 64, "MIT")).enlarge(np.zeros((8, 8, 3), np.float32))


@pytest.mark.shared
def test_real_weights_are_truer_to_a_small_photo_than_lanczos(shared: Path, tmp_path: Path) -> None:
    """A real hoop made three times smaller and enlarged again: nearer to the photo, in and out."""
    pytest.importorskip("spandrel", reason="the extra `ml` is not installed")
    from jewel_assets.images import decode

    folder = shared / "data" / "cutout_pairs"
    photo = decode((folder / "images" / "14_earrings_white.jpg").read_bytes())
    mask = decode((folder / "masks" / "14_earrings_white.png").read_bytes())[..., :1]
    high, wide = (side // 3 * 3 for side in photo.shape[:2])
    truth = np.ascontiguousarray(np.dstack([photo, mask])[:high, :wide])
    small = resized(truth, 1 / 3)
    found = enlarged(small, 3.0, choose_enlarger(Registry(tmp_path, str(shared / "weights"))))
    plain = resized(small, 3.0)
    inside = (truth[..., 3] == 255) & (plain[..., 3] == 255)
    errors = [
        float(((picture[inside][:, :3].astype(float) - truth[inside][:, :3]) ** 2).mean()) for picture in (found, plain)
    ]
    assert errors[0] < 0.8 * errors[1]
    assert mismatch(small, found) < mismatch(small, plain)
