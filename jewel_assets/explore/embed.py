"""The stage behind `image_embeddings`, and the one place that chooses its engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from jewel_assets.errors import Permanent
from jewel_assets.explore.classical import Classical
from jewel_assets.explore.clip import NEEDS_TORCH, OpenClip, torch_is_here
from jewel_assets.explore.embedders import Embedder, EmbedPictures, TextEmbedder
from jewel_assets.explore.framing import subject_box
from jewel_assets.explore.mobilenet import MobileNet
from jewel_assets.images import decode
from jewel_assets.lake.stages import Item, Made, Rejected, Result, Stage

if TYPE_CHECKING:
    from jewel_assets.registry import Registry

ENGINES = ("auto", "open_clip", "mobilenet", "classical")

CLIP_WEIGHTS = "open-clip-vit-b-32"
MOBILENET_WEIGHTS = "mobilenet-v1-embedder"


@dataclass
class Embed(Stage):
    """A vector of unit length for each cut-out: float32, of the embedder's fixed length. The item keeps its blob."""

    name: ClassVar[str] = "embed"
    version: ClassVar[str] = "1"

    embedder: Embedder = field(default_factory=Classical)
    batch_size: int = 16
    _embed: EmbedPictures | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def output(self) -> pa.Schema:
        """`embedding` (fixed-size list of float32) and `embedder` (engine, model and start of its weights' hash)."""
        return embedding_schema(self.embedder.dimension)

    def parameters(self) -> Mapping[str, Any]:
        """The embedder and all that changes its vectors."""
        return {"embedder": self.embedder.name, **self.embedder.parameters()}

    def weights(self) -> Mapping[str, str]:
        """Those of the embedder."""
        return self.embedder.weights()

    def setup(self, threads: int) -> None:
        """Load the embedder on `threads` threads."""
        import cv2

        cv2.setNumThreads(threads)
        self._embed = self.embedder.load(threads)

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """`Made` with the vector, or `Rejected("no subject")` for a picture that is transparent throughout."""
        if self._embed is None:
            raise RuntimeError("Call setup() before process(): the model is loaded there.")
        pictures = [decode(item.data, alpha=True) for item in items]
        seen = [index for index, picture in enumerate(pictures) if subject_box(picture[..., 3]) is not None]
        vectors = dict(zip(seen, self._embed([pictures[index] for index in seen]), strict=True)) if seen else {}
        engine = self.embedder.name
        return [
            Made({"embedding": vectors[index].tolist(), "embedder": engine}, engine)
            if index in vectors
            else Rejected("no subject", engine=engine, error=f"{item.item_id} is transparent throughout.")
            for index, item in enumerate(items)
        ]


def embedding_schema(dimension: int) -> pa.Schema:
    """The columns that `Embed` adds for vectors of this length."""
    return pa.schema([pa.field("embedding", pa.list_(pa.float32(), dimension)), pa.field("embedder", pa.string())])


def choose_embedder(registry: "Registry", engine: str = "auto") -> Embedder:
    """The embedder for `engine`; its `name` says which it is and belongs in the asset's metadata.

    `auto` takes OpenCLIP where torch and its weights are, else the classical descriptor, which needs nothing and groups
    cut-outs by shape and colour better than MobileNet does; that is there by name. An engine asked for by name is never
    replaced: without its weights or torch this raises Permanent with the command that helps.
    """
    if engine not in ENGINES:
        raise Permanent(f"There is no embedding engine {engine!r}: choose one of {', '.join(ENGINES)}.")
    if engine == "open_clip" and not torch_is_here():
        raise Permanent(NEEDS_TORCH)
    if engine in ("auto", "open_clip") and torch_is_here() and (model := registry.find(CLIP_WEIGHTS)) is not None:
        return OpenClip(model)
    if engine == "mobilenet" and (model := registry.find(MOBILENET_WEIGHTS)) is not None:
        return MobileNet(model)
    if engine in ("auto", "classical"):
        return Classical()
    wanted = CLIP_WEIGHTS if engine == "open_clip" else MOBILENET_WEIGHTS
    raise Permanent(f"The weights of the engine {engine} are not here: run `jewel models fetch {wanted}`.")


def text_of(embedder: Embedder) -> TextEmbedder | None:
    """The embedder's side for words, where it has one: what `cluster_designs` takes as `text`."""
    return embedder if isinstance(embedder, TextEmbedder) else None
