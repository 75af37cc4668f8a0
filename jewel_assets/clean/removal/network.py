"""Background removal by a salient-object network: rembg's ONNX models, in a loop of our own.

Differences from `rembg`'s sessions, which call the network image by image: images go through in batches, the number of
threads is set, and the output is used as the network gives it. rembg stretches the lowest and highest value of each
output to 0 and 1, so that an empty scene always yields a "subject"; here it yields values near 0 and is rejected.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from jewel_assets.clean.removal.mnn_runtime import compile_mnn
from jewel_assets.clean.removal.openvino_runtime import compile_openvino
from jewel_assets.clean.removal.remover import Alpha, Matte, Remover, Run
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels
from jewel_assets.registry import Model

Runtime = Literal["openvino", "mnn", "onnxruntime"]


@dataclass(frozen=True)
class Family:
    """How a network wants its input, and whether its output still needs a sigmoid. Figures: each model's own code."""

    side: int  # pixels: the input is side x side, aspect ratio not kept
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)  # of ImageNet, RGB, of values 0..1
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    logits: bool = False


_U2NET = Family(320)
_ISNET = Family(1024, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
_BIREFNET = Family(1024, logits=True)

FAMILIES: Mapping[str, Family] = {
    "u2netp": _U2NET,
    "u2net": _U2NET,
    "u2net-human-seg": _U2NET,
    "silueta": _U2NET,
    "isnet-general-use": _ISNET,
    "isnet-anime": Family(1024, std=(1.0, 1.0, 1.0)),
    "bria-rmbg": Family(1024),
    "birefnet-general": _BIREFNET,
    "birefnet-general-lite": _BIREFNET,
    "birefnet-portrait": _BIREFNET,
    "birefnet-dis": _BIREFNET,
    "birefnet-hrsod": _BIREFNET,
    "birefnet-cod": _BIREFNET,
    "birefnet-massive": _BIREFNET,
}
"""rembg's session name -> the family. Its models that answer a prompt, or give more than one mask, are not here."""


U_2_NETS = ("u2netp", "u2net", "u2net-human-seg")
"""One graph, narrower or wider. u2netp was measured on every runtime; no other network was."""


def best_runtime(model: str) -> Runtime:
    """The fastest runtime that is installed and was measured with this kind of network.

    For U-2-Net that is OpenVINO where the processor computes bfloat16 natively, else MNN; for others, ONNX Runtime.
    """
    if model in U_2_NETS and importlib.util.find_spec("openvino"):
        import openvino

        if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            return "openvino"
    return "mnn" if model in U_2_NETS and importlib.util.find_spec("MNN") else "onnxruntime"


@dataclass
class NetworkRemover(Remover):
    """One named network. `model` comes from the registry; its name decides how images are prepared.

    The runtime "best" is chosen when it is first needed: looking at the processor takes 0.3 s.
    """

    model: Model
    runtime: Runtime | Literal["best"] = "onnxruntime"
    batch: int = 4  # images per inference, at most
    _run: Run | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.model.name not in FAMILIES:
            known = ", ".join(sorted(FAMILIES))
            raise Permanent(
                f"No background remover is known for the model {self.model.name!r}. Choose one of: {known}."
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_run": None}  # a compiled model stays in the process that made it

    @cached_property
    def chosen(self) -> Runtime:
        """The runtime, chosen."""
        return best_runtime(self.model.name) if self.runtime == "best" else self.runtime

    @property
    def family(self) -> Family:
        """How this model's input is prepared."""
        return FAMILIES[self.model.name]

    @property
    @override
    def name(self) -> str:
        from importlib.metadata import version

        arithmetic = "bf16 mixed with f32" if self.chosen == "openvino" else "f32"
        return f"{self.model.name} on {self.chosen} {version(self.chosen)} {arithmetic}"

    @override
    def parameters(self) -> Mapping[str, object]:
        precision = "bf16" if self.chosen == "openvino" else "f32"
        return {"engine": "network", "model": self.model.name, "runtime": self.chosen, "precision": precision}

    @override
    def weights(self) -> Mapping[str, str]:
        return {self.model.name: self.model.sha256}

    @override
    def load(self, threads: int) -> None:
        if self._run is None:
            compilers = {"openvino": compile_openvino, "mnn": compile_mnn, "onnxruntime": compile_onnxruntime}
            self._run = compilers[self.chosen](str(self.model.path), self.family.side, threads)

    def probabilities(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        """The network's own output for each image: float32 (n, side, side), 0 to 1, not stretched."""
        if self._run is None:
            raise RuntimeError("Call load(threads) before the first image.")
        outputs = []
        for start in range(0, len(images), self.batch):
            inputs = np.stack([prepare(image, self.family) for image in images[start : start + self.batch]])
            outputs.append(self._run(inputs)[:, 0])  # (n, 1, side, side) -> (n, side, side)
        raw = np.concatenate(outputs) if outputs else np.zeros((0, self.family.side, self.family.side), np.float32)
        if self.family.logits:
            raw = np.asarray(1 / (1 + np.exp(-raw)), np.float32)
        return np.asarray(np.clip(raw, 0, 1), np.float32)

    @override
    def mattes(self, images: Sequence[Pixels]) -> list[Matte]:
        name = self.name
        return [
            Matte(alpha_at(raw, image.shape[:2]), decisiveness(raw), name)
            for raw, image in zip(self.probabilities(images), images, strict=True)
        ]


def prepare(image: Pixels, family: Family) -> NDArray[np.float32]:
    """An image (h, w, 3) as the network's input: float32 (3, side, side), scaled by its brightest value."""
    from PIL import Image

    # Pillow's Lanczos filters when it shrinks (OpenCV's does not), and is what these networks are used with.
    small = Image.fromarray(image).resize((family.side, family.side), Image.Resampling.LANCZOS)
    planes = np.asarray(small).transpose(2, 0, 1).astype(np.float32, order="C")  # (side, side, 3) -> (3, side, side)
    mean, std = (np.asarray(values, np.float32)[:, None, None] for values in (family.mean, family.std))
    brightest = max(float(planes.max()), 1e-6)
    return np.asarray(planes / (brightest * std) - mean / std, np.float32)


def alpha_at(raw: NDArray[np.float32], shape: tuple[int, ...]) -> Alpha:
    """A network's output (side, side) at the size (h, w) of its image."""
    import cv2

    height, width = shape[:2]
    return np.asarray(np.clip(cv2.resize(raw, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)


def decisiveness(raw: NDArray[np.float32]) -> float:
    """How far from undecided a network's output is, 0 to 1: the mean of |2p - 1| over the pixels it half believes in.

    A clear subject is near 1 within and falls off steeply; an empty scene has no such pixel at all (0).
    """
    felt = raw[raw > 0.05]
    return float(np.abs(2 * felt - 1).mean()) if felt.size and raw.max() > 0.5 else 0.0


def compile_onnxruntime(path: str, side: int, threads: int) -> Run:
    """The network's first output as a function."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed, first = session.get_inputs()[0], session.get_outputs()[0].name

    def run(inputs: NDArray[np.float32]) -> Any:
        if isinstance(feed.shape[0], int):  # a file with a fixed batch cannot be given another
            return np.concatenate([session.run([first], {feed.name: one[None]})[0] for one in inputs])
        return session.run([first], {feed.name: inputs})[0]

    return run
