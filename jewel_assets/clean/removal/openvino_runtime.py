"""U-2-Net's ONNX file on OpenVINO, in bfloat16 where that is safe. For processors that compute in bfloat16 natively.

On processors with bfloat16 arithmetic OpenVINO runs U-2-Net about twice as fast as in float32. But one decoder stage
(2d, at half resolution) loses so much that masks move: on shop photos their mean IoU with the float32 masks is 0.95,
and 0.996 when that stage alone stays in float32. OpenVINO has no setting for one stage, so the graph is cut into
three models that hand their tensors on without copies.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.clean.removal.remover import Run
from jewel_assets.errors import Permanent

# U-2-Net, full or small: 119 convolutions, numbered in the graph's order (Qin et al., "U2-Net", 2020, figure 5).
CONVOLUTIONS = 119
ENCODER_2, DECODER_2 = 14, 86  # the first convolution of a stage
SIDES = (113, 114, 115, 116, 117)  # the side outputs of decoder stages 2 to 5 and of encoder stage 6


def compile_openvino(path: str, side: int, threads: int) -> Run:
    """The network's first output as a function. Raises `Permanent` for another graph than U-2-Net's."""
    import openvino

    core = openvino.Core()

    def read() -> Any:
        whole = core.read_model(path)
        first = openvino.Model([whole.outputs[0]], whole.get_parameters(), "network")  # without the side outputs
        first.reshape([-1, 3, side, side])  # the published files fix the batch at 1
        return first

    def compiled(model: Any, hint: str) -> Callable[[Sequence[Any]], list[Any]]:
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": hint,
            "ENABLE_CPU_PINNING": False,  # workers would be pinned to the same cores
        }
        request = core.compile_model(model, "CPU", options).create_infer_request()

        def run(tensors: Sequence[Any]) -> list[Any]:
            for index, tensor in enumerate(tensors):
                request.set_input_tensor(index, tensor)
            request.infer()
            return [request.get_output_tensor(index) for index in range(len(model.outputs))]

        return run

    if (count := len(_convolutions(read()))) != CONVOLUTIONS:
        raise Permanent(f"{path} has {count} convolutions, not the {CONVOLUTIONS} of U-2-Net: fetch it anew.")
    encoder, stage, rest = _three_parts(read)
    before, within, after = compiled(encoder, "bf16"), compiled(stage, "f32"), compiled(rest, "bf16")

    def run(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        skipped, joined, *sides = before([openvino.Tensor(inputs, shared_memory=True)])
        (decoded,) = within([joined])
        return np.array(after([skipped, decoded, *sides])[0].data, np.float32)

    return run


def _three_parts(read: Callable[[], Any]) -> tuple[Any, Any, Any]:
    """U-2-Net as encoder and deep decoder, decoder stage 2, and the rest; each from its own copy of the graph."""
    import openvino

    def skipped(model: Any) -> Any:
        """The output of encoder stage 1, which is pooled for stage 2 and joined again in decoder stage 1."""
        return _source(model, ENCODER_2).get_node().input_value(0)

    def deep_sides(model: Any) -> list[Any]:
        return [_source(model, index) for index in SIDES[1:]]

    first = read()
    ends = [skipped(first), _source(first, DECODER_2), *deep_sides(first)]
    encoder = openvino.Model(ends, first.get_parameters(), "encoder")
    second = read()
    decoded = _source(second, SIDES[0])
    stage = openvino.Model([decoded], [_opened(_source(second, DECODER_2))], "stage")
    third = read()
    starts = [skipped(third), _source(third, SIDES[0]), *deep_sides(third)]
    opened = [_opened(start) for start in starts]
    rest = openvino.Model([third.outputs[0]], opened, "rest")
    return encoder, stage, rest


def _convolutions(model: Any) -> list[Any]:
    return [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]


def _source(model: Any, index: int) -> Any:
    """What the convolution of this number reads."""
    return _convolutions(model)[index].input_value(0)


def _opened(output: Any) -> Any:
    """A new parameter in the place of a tensor of the graph."""
    from openvino import opset13

    parameter = opset13.parameter(output.get_partial_shape(), np.float32)
    for reader in list(output.get_target_inputs()):
        reader.replace_source_output(parameter.output(0))
    return parameter
