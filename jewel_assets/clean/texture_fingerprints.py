"""Fingerprints of textures, which are all detail, or hardly any: what `DropDuplicates` compares of them.

A photo of a piece has its structure in one place and strong; a sheet of gold leaf has little contrast, and a hide of
leather a thousand pores as good as each other. So the preview of a texture is stretched to full contrast before it is
looked at, and more of its local features are kept, that a crop may share enough of them with the whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jewel_assets.clean.fingerprints import FingerprintPhoto, fingerprint
from jewel_assets.images import Pixels, decode
from jewel_assets.lake.stages import Item, Made, Result

KEYPOINTS = 512  # the strongest; of the 128 of a photo, a crop to two thirds shares too few with the whole
MAX_GAIN = 6.0  # of the stretch: beyond it, noise and JPEG blocks would be what is compared
_TAILS = (0.5, 99.5)  # percentiles of grey that become black and white


@dataclass(frozen=True)
class FingerprintTexture(FingerprintPhoto):
    """Adds the columns of `FingerprintPhoto`, made for textures. The texture keeps its blob."""

    name = "fingerprint_texture"
    version = "1"

    def parameters(self) -> Mapping[str, Any]:
        """The sizes and limits that the columns depend on."""
        return {**super().parameters(), "keypoints": KEYPOINTS, "max_gain": MAX_GAIN}

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One fingerprint per texture; what does not decode raises ValueError."""
        return [
            Made(columns=fingerprint(decode(item.data, alpha=True), KEYPOINTS, stretched), engine=self.engine)
            for item in items
        ]


def stretched(pixels: Pixels) -> Pixels:
    """(h, w, 3) RGB with its contrast stretched to black and white, by MAX_GAIN at most; all channels alike."""
    import cv2

    low, high = np.percentile(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), _TAILS)
    gain = min(MAX_GAIN, 255 / max(1.0, float(high - low)))
    levels = (np.arange(256) - (low + high) / 2) * gain + 127.5
    return np.asarray(cv2.LUT(pixels, np.clip(np.rint(levels), 0, 255).astype(np.uint8)), np.uint8)
