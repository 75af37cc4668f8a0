"""OpenCLIP: pictures and words in one space, so that clusters can be named in words (extra `ml`: torch)."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jewel_assets.errors import Permanent
from jewel_assets.explore.embedders import EmbedPictures, Vectors, unit
from jewel_assets.explore.framing import framed
from jewel_assets.images import Pixels

if TYPE_CHECKING:
    from jewel_assets.registry import Model


NEEDS_TORCH = "The engine open_clip needs torch: install the extra with `pip install 'jewel-assets[ml]'`."


def torch_is_here() -> bool:
    """Whether the extra `ml` is installed, without importing it."""
    return all(importlib.util.find_spec(package) for package in ("torch", "open_clip"))


@dataclass(frozen=True)
class OpenClip:
    """A CLIP model of open_clip (Ilharco et al. 2021) from a local file; on a GPU where torch has one."""

    model: "Model"
    architecture: str = "ViT-B-32"  # a name that open_clip has a configuration for
    dimension: int = 512
    ground: int = 255  # the grey level (0..255) that cut-outs are laid on; shop photos are mostly on white
    margin: float = 0.06

    @property
    def name(self) -> str:
        """See `Embedder`."""
        return f"{self.model.name}@{self.model.sha256[:12]}"

    def parameters(self) -> Mapping[str, Any]:
        """See `Embedder`."""
        return {"architecture": self.architecture, "ground": self.ground, "margin": self.margin}

    def weights(self) -> Mapping[str, str]:
        """See `Embedder`."""
        return {self.model.name: self.model.sha256}

    def load(self, threads: int) -> EmbedPictures:
        """The image side. Raises Permanent without torch, or for a file that is not of this architecture."""
        import torch

        network, device = self._network(threads)
        side = _side(network.visual.image_size)
        mean = np.asarray(network.visual.image_mean, np.float32)
        deviation = np.asarray(network.visual.image_std, np.float32)

        def embed(cutouts: Sequence[Pixels]) -> Vectors:
            squares = np.stack([framed(cutout, side, self.margin, self.ground)[..., :3] for cutout in cutouts])
            normalised = (squares.astype(np.float32) / 255 - mean) / deviation  # (n, side, side, 3)
            with torch.inference_mode():
                pixels = torch.from_numpy(normalised).permute(0, 3, 1, 2).contiguous().to(device)
                return unit(network.encode_image(pixels).float().cpu().numpy())

        return embed

    def load_text(self, threads: int) -> Callable[[Sequence[str]], Vectors]:
        """The text side: phrases to vectors (n, dimension) in the space of the pictures."""
        import open_clip
        import torch

        network, device = self._network(threads)
        tokenise = open_clip.get_tokenizer(self.architecture)

        def embed(phrases: Sequence[str]) -> Vectors:
            with torch.inference_mode():
                return unit(network.encode_text(tokenise(list(phrases)).to(device)).float().cpu().numpy())

        return embed

    def _network(self, threads: int) -> tuple[Any, str]:
        if not torch_is_here():
            raise Permanent(NEEDS_TORCH)
        import open_clip
        import torch

        torch.set_num_threads(threads)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            network = open_clip.create_model(self.architecture, pretrained=str(self.model.path), device=device)
        except Exception as error:  # torch, safetensors and pickle each raise their own for a file that is not right
            raise Permanent(
                f"{self.model.path} is not a checkpoint of {self.architecture} ({type(error).__name__}: "
                f"{str(error)[:200]}): fetch it anew with `jewel models fetch {self.model.name}`."
            ) from error
        return network.eval(), device


def _side(size: int | Sequence[int]) -> int:
    return size if isinstance(size, int) else int(size[0])
