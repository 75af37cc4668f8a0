"""The runtimes a network runs on: the same answer from each, and none that litters."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jewel_assets.clean.removal import network
from jewel_assets.clean.removal.mnn_runtime import compile_mnn
from jewel_assets.clean.removal.network import NetworkRemover, Runtime, best_runtime, compile_onnxruntime
from jewel_assets.errors import Permanent
from jewel_assets.images import decode
from jewel_assets.registry import Model, Registry
from jewel_assets_tests.clean.onnx_file import tiny_u2net

SIDE = 32
PHOTOS = np.random.default_rng(5).normal(0, 1, (3, 3, SIDE, SIDE)).astype(np.float32)


def test_mnn_gives_the_first_output_as_onnx_runtime_gives_it(tmp_path: Path) -> None:
    path = str(tiny_u2net(tmp_path / "tiny.onnx", SIDE))
    ours, theirs = compile_mnn(path, SIDE, 1)(PHOTOS), compile_onnxruntime(path, SIDE, 1)(PHOTOS)
    assert ours.shape == theirs.shape == (3, 1, SIDE, SIDE)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert theirs.std() > 0.05  # else anything would agree


def test_on_mnn_an_image_gets_the_same_alone_and_among_others(tmp_path: Path) -> None:
    run = compile_mnn(str(tiny_u2net(tmp_path / "tiny.onnx", SIDE)), SIDE, 1)
    together = run(PHOTOS)
    np.testing.assert_array_equal(together[1:2], run(PHOTOS[1:2]))
    assert run(PHOTOS[:0]).shape == (0, 1, SIDE, SIDE)


def test_mnn_prints_nothing_reports_nothing_and_writes_nothing_beside_the_weights(tmp_path: Path) -> None:
    path, temporary = tiny_u2net(tmp_path / "tiny.onnx", SIDE), tmp_path / "tmp"
    temporary.mkdir()
    script = f"""
import os, sys, numpy
from jewel_assets.clean.removal.mnn_runtime import compile_mnn
run = compile_mnn({str(path)!r}, {SIDE}, 1)
os.write(1, b"still here")
run(numpy.zeros((2, 3, {SIDE}, {SIDE}), numpy.float32))
assert "MNN.tools" not in sys.modules  # importing its parts installs a package that reports conversions
"""
    environment = {**os.environ, "TMPDIR": str(temporary)}
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "still here", "")
    assert {*tmp_path.iterdir(), *temporary.iterdir()} == {path, temporary}


def test_a_file_that_is_no_network_is_named_and_output_is_heard_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a network" * 9)
    with pytest.raises(Permanent, match=r"broken\.onnx"):
        compile_mnn(str(path), SIDE, 1)
    print("heard")
    assert capfd.readouterr() == ("heard\n", "")


def test_only_the_u_2_nets_leave_onnx_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    assert best_runtime("u2netp") in ("openvino", "mnn")
    assert best_runtime("isnet-general-use") == best_runtime("birefnet-general") == "onnxruntime"
    monkeypatch.setattr(network.importlib.util, "find_spec", lambda name: True if name == "MNN" else None)
    assert best_runtime("u2netp") == "mnn"
    monkeypatch.setattr(network.importlib.util, "find_spec", lambda name: None)
    assert best_runtime("u2netp") == "onnxruntime"


def test_runtime_and_arithmetic_are_written_on_every_item(tmp_path: Path) -> None:
    remover = NetworkRemover(Model("u2netp", tmp_path / "u2netp.onnx", "0" * 64, "Apache-2.0"), "mnn")
    assert remover.name.startswith("u2netp on mnn 3.")
    assert remover.name.endswith(" f32")
    assert remover.parameters()["runtime"] == "mnn"
    assert remover.parameters()["precision"] == "f32"


@pytest.mark.shared
@pytest.mark.parametrize(("runtime", "difference"), [("mnn", 1e-5), ("openvino", 0.01)])  # bfloat16 where it is native
def test_u2netp_is_the_same_on_every_runtime(shared: Path, runtime: Runtime, difference: float) -> None:
    model = Registry(shared / "weights").find("u2netp")
    assert model is not None
    photo = decode(next((shared / "data/u2netp_golden/images").glob("horse.*")).read_bytes())
    removers = [NetworkRemover(model, runtime), NetworkRemover(model, "onnxruntime")]
    for remover in removers:
        remover.load(1)
    ours, theirs = (remover.probabilities([photo]) for remover in removers)
    assert np.abs(ours - theirs).mean() < difference
    assert ((ours > 0.5) & (theirs > 0.5)).sum() / ((ours > 0.5) | (theirs > 0.5)).sum() > 0.99
