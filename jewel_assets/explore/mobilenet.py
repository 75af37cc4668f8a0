"""The MobileNet v1 embedder (224 x 224, 1024 numbers, 8-bit weights, Apache-2.0): a .tflite file, run by OpenVINO.

OpenVINO reads the file as it is, needs no further dependency and keeps to the number of threads it is given. On a
sample of shop photos its vectors had a cosine of at least 0.9998 with those of MediaPipe's ImageEmbedder, the usual way
to run this file; OpenCV's reader refuses its 8-bit tensors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jewel_assets.errors import Permanent
from jewel_assets.explore.embedders import EmbedPictures, Vectors, unit
from jewel_assets.explore.framing import framed
from jewel_assets.images import Pixels

if TYPE_CHECKING:
    from jewel_assets.registry import Model

SIDE = 224
DIMENSION = 1024


@dataclass(frozen=True)
class MobileNet:
    """Features of the last pooling layer, before the ImageNet classes."""

    model: "Model"
    ground: int = 255  # the grey level (0..255) that cut-outs are laid on
    margin: float = 0.06

    @property
    def name(self) -> str:
        """See `Embedder`."""
        return f"{self.model.name}@{self.model.sha256[:12]}"

    @property
    def dimension(self) -> int:
        """See `Embedder`."""
        return DIMENSION

    def parameters(self) -> Mapping[str, Any]:
        """See `Embedder`."""
        return {"side": SIDE, "ground": self.ground, "margin": self.margin}

    def weights(self) -> Mapping[str, str]:
        """See `Embedder`."""
        return {self.model.name: self.model.sha256}

    def load(self, threads: int) -> EmbedPictures:
        """Compile the network for this CPU. Raises Permanent for a file that is not this network."""
        import openvino

        try:
            core = openvino.Core()
            network = core.read_model(str(self.model.path))
            settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}  # the same on every CPU
            compiled = core.compile_model(network, "CPU", settings)
        except RuntimeError as error:
            raise Permanent(
                f"OpenVINO cannot read {self.model.path} ({str(error).strip().splitlines()[-1]}): "
                f"fetch it anew with `jewel models fetch {self.model.name}`."
            ) from error
        shapes = [list(part.shape) for part in (compiled.input(0), compiled.output(0))]
        if shapes[0] != [1, SIDE, SIDE, 3] or int(np.prod(shapes[1])) != DIMENSION:
            raise Permanent(f"{self.model.path} maps {shapes[0]} to {shapes[1]}: it is not the MobileNet v1 embedder.")

        def embed(cutouts: Sequence[Pixels]) -> Vectors:
            pictures = (framed(cutout, SIDE, self.margin, self.ground)[None, ..., :3] for cutout in cutouts)
            return unit(np.stack([compiled(np.ascontiguousarray(one))[0].ravel() for one in pictures]))

        return embed
