"""Background removal that looks at each photo first: a plain ground needs no network, a textured one can use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

from jewel_assets.clean.removal.ground import Ground, fit_ground, to_lab
from jewel_assets.clean.removal.network import NetworkRemover
from jewel_assets.clean.removal.plain import plain_matte
from jewel_assets.clean.removal.remover import Matte, Remover
from jewel_assets.clean.removal.textured import textured_matte
from jewel_assets.images import Pixels, fit

PLAIN_NOISE = 0.8  # Delta-E: a border that scatters more is textured, or noisy enough to be treated as such
PLAIN_SHARE = 0.8  # of the border that a smooth colour explains; the piece may run out of the picture in the rest


@dataclass(frozen=True)
class AutoRemover(Remover):
    """Per image: the plain engine where the border is plain, novelty and the network together elsewhere.

    `network` is None where no weights are to be had: then textured grounds are judged by novelty alone, with a lower
    confidence, and the engine's name says so.
    """

    network: NetworkRemover | None
    largest_side: int = 1280  # pixels: larger images are judged at this size

    @property
    @override
    def name(self) -> str:
        return f"auto: plain, textured with {self.network.name if self.network else 'no weights'}"

    @override
    def parameters(self) -> Mapping[str, object]:
        network = dict(self.network.parameters()) if self.network else None
        return {"engine": "auto", "network": network, "largest_side": self.largest_side}

    @override
    def weights(self) -> Mapping[str, str]:
        return self.network.weights() if self.network else {}

    @override
    def load(self, threads: int) -> None:
        import cv2

        cv2.setNumThreads(threads)
        if self.network:
            self.network.load(threads)

    @override
    def mattes(self, images: Sequence[Pixels]) -> list[Matte]:
        mattes: dict[int, Matte] = {}
        for index, image in enumerate(images):
            ground = fit_ground(to_lab(fit(image, self.largest_side)))
            if is_plain(ground):
                mattes[index] = plain_matte(image, "plain ground (no weights)", self.largest_side, ground)
        rest = [index for index in range(len(images)) if index not in mattes]
        if self.network is None:
            for index in rest:
                mattes[index] = textured_matte(images[index], "textured ground (no weights)", self.largest_side)
        else:
            name = f"textured ground + {self.network.name}"
            for index, coarse in zip(rest, self.network.mattes([images[index] for index in rest]), strict=True):
                mattes[index] = textured_matte(images[index], name, self.largest_side, coarse.alpha)
        return [mattes[index] for index in range(len(images))]


def is_plain(ground: Ground) -> bool:
    """Whether the border is of one smooth colour."""
    return ground.noise <= PLAIN_NOISE and ground.plainness >= PLAIN_SHARE
