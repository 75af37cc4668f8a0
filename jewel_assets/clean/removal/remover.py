"""What every engine of background removal offers, and what it gives for one image."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels

Alpha: TypeAlias = NDArray[np.float32]
"""(height, width), 0 background to 1 subject."""

Mask: TypeAlias = NDArray[np.bool_]
"""(height, width)."""

Run: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A network on one of the runtimes: (n, 3, side, side) -> (n, 1, side, side), its first output."""

REVIEW_BELOW = 0.08
"""A matte's confidence below which a person has to look at it."""
LARGEST_FAINT_SHARE = 0.15
"""Of a cut-out's outline: more of it without contrast in the photo makes it doubtful. Of real photos 8 % have more."""


@dataclass(frozen=True)
class Matte:
    """What an engine found in one image of shape (h, w, 3).

    `confidence` is 0 to 1: how far the engine trusts its own matte, not a calibrated probability. `engine` names what
    ran for this image. `ground`, where the engine knows it, is the colour of the background at every pixel, float32 RGB
    of shape (h, w, 3), 0 to 255: with it the subject's own colours can be computed instead of guessed. `shadow`
    (0 to 1) is the share of all contrast that was taken for shadows and reflections.
    """

    alpha: Alpha = field(repr=False)
    confidence: float
    engine: str
    ground: NDArray[np.float32] | None = field(default=None, repr=False)
    shadow: float = 0.0


class Remover(Protocol):
    """One engine. Picklable before `load`; `load` is called once in each worker."""

    @property
    def name(self) -> str:
        """Engine, runtime and their versions, for people: "u2netp on openvino 2026.4 bf16 mixed with f32"."""
        ...

    def parameters(self) -> Mapping[str, object]:
        """Everything, as JSON-able values, that changes a matte."""
        ...

    def weights(self) -> Mapping[str, str]:
        """Model name -> SHA-256 of its weights; empty for an engine that needs none."""
        ...

    def load(self, threads: int) -> None:
        """Read the model, if there is one, and keep to at most `threads` threads."""
        ...

    def mattes(self, images: Sequence[Pixels]) -> list[Matte]:
        """One matte per image, in order; what one image gets never depends on the others of the batch."""
        ...


def solidity(piece: Mask, network: Alpha | None = None) -> float:
    """0 to 1: the share of a piece (h, w) that is not outline, where every engine errs; a fine chain has hardly any.

    Where a network's probability is given, half of it depends on how far the two agree (intersection over union).
    """
    import cv2

    area = int(piece.sum())
    if area == 0:
        return 0.0
    solid = float(cv2.erode(piece.view(np.uint8), np.ones((3, 3), np.uint8)).sum() / area)
    if network is None:
        return solid
    seen = network > 0.5
    return solid * (0.5 + 0.5 * float((piece & seen).sum() / (piece | seen).sum()))
