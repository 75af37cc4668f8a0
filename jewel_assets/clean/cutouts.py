"""The stage `remove_background`: a product photo in, the piece with an alpha channel out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from typing_extensions import override

from jewel_assets.clean.removal.foreground import cut_out
from jewel_assets.clean.removal.outline import faint_share
from jewel_assets.clean.removal.remover import LARGEST_FAINT_SHARE, REVIEW_BELOW, Alpha, Matte, Remover
from jewel_assets.images import Pixels, decode, encode_png
from jewel_assets.lake.stages import Item, Made, Rejected, Result, Review, Stage

PNG_LEVEL = 3  # zlib's: twice as fast as 6, some 5 % larger


@dataclass
class RemoveBackground(Stage):
    """Photos without their background: PNG with alpha, the edge colours cleaned of the old background.

    A matte without a subject, or without a background, is `Rejected`. A confidence below `review_below` asks a person
    (`Review`); below `doubtful_below`, or with more than `largest_faint_share` of its outline where the photo shows no
    edge, the cut-out is published with the verdict "doubtful", which a report can sort by.
    """

    remover: Remover
    review_below: float = REVIEW_BELOW
    doubtful_below: float = 0.4
    largest_faint_share: float = LARGEST_FAINT_SHARE
    smallest_coverage: float = 0.0005  # of all pixels: less is no subject
    largest_coverage: float = 0.985  # more is no background

    name: ClassVar[str] = "remove_background"
    version: ClassVar[str] = "5"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("confidence", pa.float32()),  # 0..1: the engine's trust in its matte
            pa.field("coverage", pa.float32()),  # 0..1: mean alpha
            pa.field("holes", pa.int32()),  # openings through which the ground shows
            pa.field("faint_share", pa.float32()),  # 0..1: of the outline, where the photo shows no edge along it
            pa.field("verdict", pa.string()),  # good | doubtful
        ]
    )

    @override
    def parameters(self) -> Mapping[str, Any]:
        shares = (self.largest_faint_share, self.smallest_coverage, self.largest_coverage)
        limits = (self.review_below, self.doubtful_below, *shares)
        return {"remover": dict(self.remover.parameters()), "limits": limits}

    @override
    def weights(self) -> Mapping[str, str]:
        return self.remover.weights()

    @override
    def setup(self, threads: int) -> None:
        import cv2

        cv2.setNumThreads(threads)
        self.remover.load(threads)

    @override
    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        images = [decode(item.data) for item in items]
        mattes = self.remover.mattes(images)
        return [self._result(image, matte) for image, matte in zip(images, mattes, strict=True)]

    def _result(self, image: Pixels, matte: Matte) -> Result:
        coverage = float(matte.alpha.mean())
        columns: dict[str, Any] = {
            "confidence": matte.confidence,
            "coverage": coverage,
            "holes": 0,
            "verdict": "doubtful",
        }
        if coverage < self.smallest_coverage or not (matte.alpha > 0.5).any():
            detail = f"The mask covers {coverage:.2%} of the image."
            return Rejected("no subject", columns, matte.engine, detail)
        if coverage > self.largest_coverage:
            detail = f"The mask covers {coverage:.2%} of the image: there is nothing to cut the piece out of."
            return Rejected("no background", columns, matte.engine, detail)
        columns["holes"] = count_holes(matte.alpha)
        if matte.confidence < self.review_below:
            return Review("uncertain cut-out", columns, matte.engine)
        faint = columns["faint_share"] = faint_share(image, matte.alpha)
        if matte.confidence >= self.doubtful_below and faint <= self.largest_faint_share:
            columns["verdict"] = "good"
        data = encode_png(cut_out(image, matte.alpha, matte.ground), PNG_LEVEL)
        return Made(columns, matte.engine, data, "image/png", image.shape[1], image.shape[0])


def count_holes(alpha: Alpha, smallest: int = 6) -> int:
    """How many openings of at least `smallest` pixels are enclosed by the piece (alpha above one half)."""
    import cv2

    left, top, width, height = cv2.boundingRect((alpha > 0.5).astype(np.uint8))
    if not width:
        return 0
    # What is enclosed lies within the piece's bounding box, and touches none of its sides.
    empty = (alpha[top : top + height, left : left + width] <= 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(empty, connectivity=4)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    enclosed = np.setdiff1d(np.arange(1, count), rim)
    return int((stats[enclosed, 4] >= smallest).sum())
