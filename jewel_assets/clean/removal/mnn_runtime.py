"""A network's ONNX file on MNN, in float32.

MNN computes 3 x 3 convolutions, which U-2-Net almost wholly consists of, by Winograd's algorithm (Lavin and Gray, "Fast
algorithms for convolutional neural networks", CVPR 2016): on a processor with AVX2 it needs two thirds of the time of
ONNX Runtime or of OpenVINO in float32. Winograd rounds differently: on photos, probabilities differ by 8e-4 at most.

MNN has a file format of its own. Converting a small U-2-Net takes 0.2 s, so each process converts for itself, into a
folder that is gone a moment later: nothing is written beside the weights, and there is no copy that could be stale.
"""

import contextlib
import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.clean.removal.remover import Run
from jewel_assets.errors import Permanent


def compile_mnn(path: str, side: int, threads: int) -> Run:
    """The network's first output as a function. Raises `Permanent` for a file that MNN cannot read."""
    with _muted(), tempfile.TemporaryDirectory(prefix="jewel-mnn-") as folder:
        import MNN

        network = MNN.Interpreter(_converted(path, folder))  # reads all of the file
        session = network.createSession({"backend": "CPU", "precision": "high", "numThread": threads})
        feed = network.getSessionInput(session)
        # One image at a time: batches are no faster, and in them a result depends (by 2e-4) on their size.
        network.resizeTensor(feed, (1, 3, side, side))
        network.resizeSession(session)
        found = network.getSessionOutput(session)

    def tensor(values: NDArray[np.float32]) -> Any:
        return MNN.Tensor(values.shape, MNN.Halide_Type_Float, values, MNN.Tensor_DimensionType_Caffe)  # NCHW

    def run(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        outputs = np.empty((len(inputs), 1, side, side), np.float32)
        for index in range(len(inputs)):
            feed.copyFrom(tensor(inputs[index : index + 1]))
            network.runSession(session)  # unlike MNN's newer Module it lets other threads of Python run meanwhile
            copy = tensor(outputs[index : index + 1])
            found.copyToHostTensor(copy)
            outputs[index] = copy.getNumpyData()[0]
        return outputs

    return run


def _converted(path: str, folder: str) -> str:
    """The network in MNN's format, with its first output alone: a file in `folder`."""
    # Not `MNN.tools.mnnconvert`: importing that installs a logging package and reports each conversion to its makers.
    import _tools
    from MNN import expr, nn

    target = str(Path(folder) / "network.mnn")
    _tools.mnnconvert(
        ["mnnconvert", "-f", "ONNX", "--modelFile", path, "--MNNModel", target, "--bizCode", "jewel-assets"]
    )
    if not Path(target).is_file():  # its return value is the same for what it cannot convert
        raise Permanent(
            f"MNN cannot read {path} as an ONNX network: delete it and fetch it anew (`jewel models fetch`)."
        )
    first = nn.load_module_from_file(target, [], []).get_info()["outputNames"][0]
    expr.save([expr.load_as_dict(target)[first]], target)  # side outputs would be computed too
    return target


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    """What native code prints goes nowhere: MNN reports on every layer, on stdout, and has no setting against it."""
    flush = ctypes.CDLL(None).fflush  # of C's own buffers, which would else be written out later
    sys.stdout.flush()
    sys.stderr.flush()
    flush(None)
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    try:
        with Path(os.devnull).open("wb") as nowhere:
            for stream in kept:
                os.dup2(nowhere.fileno(), stream)
            yield
    finally:
        flush(None)
        for stream, copy in kept.items():
            os.dup2(copy, stream)
            os.close(copy)
