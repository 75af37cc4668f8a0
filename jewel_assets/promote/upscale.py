"""Enlarging a piece by a network (Real-ESRGAN): finer than Lanczos, and made up as far as it is finer.

A network's picture is held to the photo: brought back to the photo's size it is the photo again, more nearly than
Lanczos's own picture, so neither colours nor anything that the photo shows can move (iterative back-projection: Irani
and Peleg, "Improving Resolution by Image Registration", CVGIP 53, 1991). The outline is never the network's.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels
from jewel_assets.promote.layout import resized
from jewel_assets.promote.scene import Array, single
from jewel_assets.registry import Model, Registry

NETWORKS = ("realesr-general-x4v3", "realesr-animevideov3")
"""Of the registry, the best first: one trained on photos, and a smaller one trained on drawings."""
TILE = 256
"""Pixels of the photo that go through the network at once, so that memory does not grow with the photo."""
OVERLAP = 20
"""Pixels around a tile that it sees, too: with 34 layers of 3 x 3, what is farther away hardly counts."""
ROUNDS = 3
"""Of back-projection; each takes out most of what the one before left."""
NEEDS_ML = (
    "Enlarging by Real-ESRGAN needs the extra `ml` ({error}): run `pip install 'jewel-assets[ml]'`, or leave the "
    "enlarging to Lanczos (--upscale lanczos)."
)


class Enlarger(Protocol):
    """Makes pictures larger by a whole factor."""

    @property
    def name(self) -> str:
        """What it is, its version and the hash of its weights: for the record."""
        ...

    def enlarge(self, colours: Array) -> Array:
        """(h, w, 3) sRGB in 0..1 to (k * h, k * w, 3)."""
        ...


@dataclass(frozen=True)
class RealEsrgan:
    """A network of the registry, loaded when it is first asked; float32, on the processor."""

    model: Model

    @property
    def name(self) -> str:
        """The network's name in the registry, and the start of the SHA-256 of its weights."""
        return f"{self.model.name} {self.model.sha256[:12]}"

    def enlarge(self, colours: Array) -> Array:
        """(h, w, 3) sRGB in 0..1 to (k * h, k * w, 3), k the network's factor, in tiles that overlap.

        Raises Permanent where the extra `ml` is missing or the weights do not load.
        """
        network = _loaded(self.model)
        import torch  # where the network has loaded, it is there

        height, width = colours.shape[:2]
        times = int(network.scale)
        found = np.empty((height * times, width * times, 3), np.float32)
        framed = np.pad(colours, ((OVERLAP, OVERLAP), (OVERLAP, OVERLAP), (0, 0)), mode="edge")
        for top in range(0, height, TILE):
            for left in range(0, width, TILE):
                high, wide = min(TILE, height - top), min(TILE, width - left)
                seen = framed[top : top + high + 2 * OVERLAP, left : left + wide + 2 * OVERLAP]
                planes = torch.from_numpy(np.ascontiguousarray(seen.transpose(2, 0, 1)[None]))  # (1, 3, h, w)
                with torch.inference_mode():
                    large = network(planes)[0].numpy().transpose(1, 2, 0)
                inner = large[OVERLAP * times : (OVERLAP + high) * times, OVERLAP * times : (OVERLAP + wide) * times]
                found[top * times : (top + high) * times, left * times : (left + wide) * times] = inner
        return found


@lru_cache(maxsize=1)
def _loaded(model: Model) -> Any:
    try:
        from spandrel import ImageModelDescriptor, ModelLoader
    except ImportError as error:
        raise Permanent(NEEDS_ML.format(error=error)) from None
    remedy = f"Delete {model.path.name} in the models folder and run `jewel models fetch {model.name}`."
    try:
        network = ModelLoader(device="cpu").load_from_file(model.path)
    except Exception as error:  # spandrel, torch and pickle each have their own
        why = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise Permanent(f"The weights of {model.name} do not load ({why}). {remedy}") from error
    if not isinstance(network, ImageModelDescriptor) or network.scale < 2 or network.input_channels != 3:
        raise Permanent(f"The weights of {model.name} are no network that enlarges colour pictures. {remedy}")
    return network.eval()


def choose_enlarger(registry: Registry) -> RealEsrgan:
    """The best of NETWORKS that is in the models folder or the mirror. Raises Permanent where none is."""
    for name in NETWORKS:
        if (model := registry.find(name)) is not None:
            return RealEsrgan(model)
    raise Permanent(
        f"Real-ESRGAN has no weights in the models folder: run `jewel models fetch {NETWORKS[0]}`, set "
        "JEWEL_MODEL_MIRROR to a folder that has them, or leave the enlarging to Lanczos (--upscale lanczos)."
    )


@dataclass
class ByNetwork:
    """`layout.resized` by an engine: a call gives the enlarged picture, or Lanczos's where that is truer to the photo.

    `enlarged` counts those that the engine made, `refused` those that it would have changed; `worst` is the largest
    `mismatch` of the former.
    """

    engine: Enlarger
    enlarged: int = 0
    refused: int = 0
    worst: float = 0.0

    def __call__(self, rgba: Pixels, scale: float) -> Pixels:
        """The picture (h, w, 4) at this scale."""
        plain = resized(rgba, scale)
        if scale <= 1:
            return plain
        found = enlarged(rgba, scale, self.engine)
        off = mismatch(rgba, found)
        if off > mismatch(rgba, plain):
            self.refused += 1
            return plain
        self.enlarged += 1
        self.worst = max(self.worst, off)
        return found

    def told(self) -> dict[str, Any]:
        """For the record."""
        return {"engine": self.engine.name, "pieces": self.enlarged, "mismatch": round(self.worst, 3)}

    def said(self) -> list[str]:
        """What a person should know of it."""
        remarks = []
        name = self.engine.name
        if self.enlarged:
            remarks.append(f"{name} enlarged the piece: what is finer than its photo is the network's guess.")
        if self.refused:
            remarks.append(f"{name} would have changed what the photo shows: Lanczos enlarged the piece instead.")
        return remarks


def enlarged(rgba: Pixels, scale: float, engine: Enlarger) -> Pixels:
    """The picture (h, w, 4) enlarged: colours by the network, held to the photo; alpha by Lanczos.

    The size is that of `layout.resized`, which also does what is not enlarged (scale 1 or less).
    """
    plain = resized(rgba, scale)
    if scale <= 1:
        return plain
    size = (plain.shape[1], plain.shape[0])
    large = engine.enlarge(filled(rgba))
    colours = _scaled(large, size)
    alpha = single(rgba[..., 3:] / np.float32(255))
    weight = single(np.maximum(_scaled(alpha, size), 0))
    for _ in range(ROUNDS):
        colours += _scaled(_missing(rgba, alpha, colours, weight), size)
    found = plain.copy()
    found[..., :3] = np.rint(np.clip(colours, 0, 1) * 255)
    found[found[..., 3] == 0] = 0
    return found


def filled(rgba: Pixels) -> Array:
    """(h, w, 3) sRGB in 0..1: the piece's colours run on around it, so that the network sees no outline of theirs."""
    import cv2

    share = rgba[..., 3].astype(np.float32) / 255
    colours = rgba[..., :3].astype(np.float32) / 255 * share[..., None]
    for reach in (2.0, 6.0, 20.0, 60.0):  # pixels
        near = cv2.GaussianBlur(share, (0, 0), reach)
        around = cv2.GaussianBlur(colours, (0, 0), reach) / np.maximum(near, 1e-6)[..., None]
        taken = (1 - share) * np.clip(3 * near, 0, 1)
        colours += taken[..., None] * around
        share += taken
    return single(colours + (1 - share)[..., None] * np.float32(0.5))


def _scaled(planes: Array, size: tuple[int, int]) -> Array:
    """(h, w, n) resampled by Lanczos to a width and height."""
    from PIL import Image

    images = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(planes, 2, 0))
    return single(np.dstack([np.asarray(image.resize(size, Image.Resampling.LANCZOS)) for image in images]))


def _missing(rgba: Pixels, alpha: Array, colours: Array, weight: Array) -> Array:
    """(h, w, 3) what the photo has and the enlarged colours, brought back to its size, have not; 0 off the piece."""
    size = (rgba.shape[1], rgba.shape[0])
    back = _scaled(colours * weight, size) / np.maximum(_scaled(weight, size), 1e-3)
    return single(np.where(alpha > 0.5, rgba[..., :3] / np.float32(255) - back, 0))


def mismatch(rgba: Pixels, large: Pixels) -> float:
    """How far an enlarged picture (h2, w2, 4), brought back to the photo's size (h, w, 4), is from it: RMS, levels.

    Over the opaque pixels; of 255.
    """
    from PIL import Image

    size = (rgba.shape[1], rgba.shape[0])
    back = np.asarray(Image.fromarray(large).convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA"))
    inside = (rgba[..., 3] == 255) & (back[..., 3] == 255)
    if not inside.any():
        return 0.0
    return float(np.sqrt(((rgba[inside][:, :3].astype(np.float32) - back[inside][:, :3]) ** 2).mean()))
