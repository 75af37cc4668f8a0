"""A small network of U-2-Net's kind as an ONNX file, written by hand: the package `onnx` is no dependency."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Field = tuple[int, int | bytes | str]


def tiny_u2net(path: Path, side: int = 32, seed: int = 0) -> Path:
    """One level down and up, a skip, two outputs (1, 1, side, side); the first has the later name, as may happen."""
    rng = np.random.default_rng(seed)

    def weights(name: str, *shape: int) -> bytes:
        return _tensor(name, rng.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(np.float32))

    pads = _integers("pads", 1, 1, 1, 1)
    halved = [_integers("kernel_shape", 2, 2), _integers("strides", 2, 2)]
    nodes = [
        _node("Conv", ["photo", "w1"], "c1", pads),
        _node("Relu", ["c1"], "r1"),
        _node("MaxPool", ["r1"], "down", *halved),
        _node("Conv", ["down", "w2"], "c2", pads),
        _node("Relu", ["c2"], "r2"),
        _node("Resize", ["r2", "", "scales"], "up", _string("mode", "linear")),
        _node("Concat", ["r1", "up"], "joined", _message((1, "axis"), (3, 1), (20, 2))),
        _node("Conv", ["joined", "w3"], "c3", pads),
        _node("Sigmoid", ["c3"], "mask"),
        _node("Conv", ["joined", "w4"], "c4", pads),
        _node("Sigmoid", ["c4"], "a_side_output"),
    ]
    tensors = [weights("w1", 16, 3, 3, 3), weights("w2", 16, 16, 3, 3), weights("w3", 1, 32, 3, 3)]
    tensors += [weights("w4", 1, 32, 3, 3), _tensor("scales", np.array([1, 1, 2, 2], np.float32))]
    graph = _message(
        *((1, node) for node in nodes),
        (2, "tiny"),
        *((5, tensor) for tensor in tensors),
        (11, _port("photo", 1, 3, side, side)),
        (12, _port("mask", 1, 1, side, side)),
        (12, _port("a_side_output", 1, 1, side, side)),
    )
    path.write_bytes(_message((1, 8), (7, graph), (8, _message((2, 13)))))  # IR version 8, operator set 13
    return path


def _message(*fields: Field) -> bytes:
    """Fields by number in the encoding of Protocol Buffers: integers as varints, all else with its length before it."""
    encoded = b""
    for number, value in fields:
        if isinstance(value, int):
            encoded += _varint(number << 3) + _varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            encoded += _varint(number << 3 | 2) + _varint(len(data)) + data
    return encoded


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def _node(kind: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    return _message(*((1, name) for name in inputs), (2, output), (4, kind), *((5, one) for one in attributes))


def _integers(name: str, *values: int) -> bytes:
    return _message((1, name), *((8, value) for value in values), (20, 7))


def _string(name: str, value: str) -> bytes:
    return _message((1, name), (4, value), (20, 3))


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    return _message(*((1, side) for side in values.shape), (2, 1), (8, name), (9, values.tobytes()))


def _port(name: str, *shape: int) -> bytes:
    sides = _message(*((1, _message((1, side))) for side in shape))
    return _message((1, name), (2, _message((1, _message((1, 1), (2, sides))))))
