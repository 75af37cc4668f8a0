"""What an embedder is: pictures of jewellery in, vectors of unit length out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels

Vectors = NDArray[np.float32]
"""Shape (n, dimension), float32, each row of Euclidean length 1."""

EmbedPictures = Callable[[Sequence[Pixels]], Vectors]
"""RGBA cut-outs (h, w, 4), of any sizes, to one vector each."""


@runtime_checkable
class Embedder(Protocol):
    """One way to turn cut-outs into vectors. A small picklable object; `load` makes the model in the worker."""

    @property
    def name(self) -> str:
        """Engine and model, with the start of its weights' hash: written on every row it made."""

    @property
    def dimension(self) -> int:
        """Length of its vectors."""

    def parameters(self) -> Mapping[str, Any]:
        """Everything but the weights that changes a vector, as JSON-able values."""

    def weights(self) -> Mapping[str, str]:
        """Model name -> SHA-256 of its weights."""

    def load(self, threads: int) -> EmbedPictures:
        """The model, ready to embed on at most `threads` threads. Raises Permanent if it cannot be loaded."""


@runtime_checkable
class TextEmbedder(Protocol):
    """An embedder that puts words into the same space as pictures (CLIP): clusters can then be named by it."""

    @property
    def name(self) -> str:
        """The `Embedder.name` of the embedder that shares its space."""

    def load_text(self, threads: int) -> Callable[[Sequence[str]], Vectors]:
        """The text side of the model: phrases to one vector each."""


def unit(vectors: NDArray[Any]) -> Vectors:
    """Rows scaled to length 1; a row of zeros becomes the first axis, so that every row has a direction."""
    rows = np.array(vectors, np.float64, ndmin=2)
    if not np.isfinite(rows).all():
        raise ValueError("An embedder gave values that are not finite: its weights or its input are damaged.")
    rows[~rows.any(axis=1), 0] = 1
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
