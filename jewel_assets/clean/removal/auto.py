"""Background removal that looks at each photo first: a plain ground needs no network, a textured one can use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from jewel_assets.clean.removal.ground import Ground, fit_ground, to_lab
from jewel_assets.clean.removal.network import NetworkRemover
from jewel_assets.clean.removal.plain import plain_matte
from jewel_assets.clean.removal.remover import Matte, Remover
from jewel_assets.clean.removal.textured import textured_matte
from jewel_assets.images import Pixels, fit

PLAIN_NOISE = 0.8  # Delta-E: a border that scatters more is textured, or noisy enough to be treated as such
CERTAIN = 0.4  # confidence: plain results below it are judged again with the network
SHADED = 0.06  # of all contrast: where shadows took more, the network says whether a pale stone went with them
PLAIN_SHARE = 0.8  # of the border that a smooth colour explains; the piece may run out of the picture in the rest


@dataclass
class AutoRemover(Remover):
    """Per image: the plain engine where the border is plain, novelty and the network together elsewhere.

    Where the plain engine is not certain, it asks the network too.

    `network` is None where no weights are to be had: then textured grounds are judged by novelty alone, with a lower
    confidence, and the engine's name says so.
    """

    network: NetworkRemover | None
    largest_side: int = 1280  # pixels: larger images are judged at this size
    lazily: bool = False  # load the network at the first image that needs it: 0.6 s that one photo may never need
    _threads: int = field(default=1, repr=False, compare=False)

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
        self._threads = threads
        if self.network and not self.lazily:
            self.network.load(threads)

    @override
    def mattes(self, images: Sequence[Pixels]) -> list[Matte]:
        mattes: dict[int, Matte] = {}
        grounds: dict[int, Ground] = {}
        for index, image in enumerate(images):
            ground = fit_ground(to_lab(fit(image, self.largest_side)))
            if is_plain(ground):
                grounds[index] = ground
                mattes[index] = plain_matte(image, "plain ground (no weights)", self.largest_side, ground)
        if self.network is None:
            for index in set(range(len(images))) - set(mattes):
                mattes[index] = textured_matte(images[index], "textured ground (no weights)", self.largest_side)
            return [mattes[index] for index in range(len(images))]
        # A plain ground needs the network where shadows, pale stones or fine chains leave the colours undecided.
        asked = [i for i in range(len(images)) if i not in mattes or is_doubtful(mattes[i])]
        if not asked:
            return [mattes[index] for index in range(len(images))]
        if self.lazily:
            self.network.load(self._threads)
        for index, coarse in zip(asked, self.network.mattes([images[index] for index in asked]), strict=True):
            image, side = images[index], self.largest_side
            if index in grounds:
                name = f"plain ground + {self.network.name}"
                mattes[index] = plain_matte(image, name, side, grounds[index], coarse.alpha)
            else:
                mattes[index] = textured_matte(image, f"textured ground + {self.network.name}", side, coarse.alpha)
        return [mattes[index] for index in range(len(images))]


def is_doubtful(matte: Matte) -> bool:
    """Whether a plain engine's matte is worth the network's time, which is several times its own."""
    return matte.confidence < CERTAIN or matte.shadow > SHADED


def is_plain(ground: Ground) -> bool:
    """Whether the border is of one smooth colour."""
    return ground.noise <= PLAIN_NOISE and ground.plainness >= PLAIN_SHARE
