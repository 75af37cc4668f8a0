"""The pictures of a texture: itself, repeated two by two, its best part repeated, and its seams from near."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jewel_assets.contact_sheet import webp_uri
from jewel_assets.explore.report.data import Picture
from jewel_assets.explore.report.pictures import Pictures
from jewel_assets.explore.report.tables import Row
from jewel_assets.explore.report.wording import short_name
from jewel_assets.images import Pixels, decode, fit
from jewel_assets.lake.blobs import BlobStore

SIDE = 256  # pixels of each picture


@dataclass(frozen=True)
class Drawn:
    """One texture's pictures, drawn when asked for; each stops with the page's limit."""

    row: Row  # of `texture_measures`
    blobs: BlobStore
    pictures: Pictures

    def swatch(self, detail: str = "") -> Picture:
        """The middle square of the texture as it is."""
        return self._picture("swatch", "Texture", lambda pixels: fit(_square(pixels), SIDE), detail)

    def whole(self, detail: str = "") -> Picture:
        """All of it."""
        return self._picture("whole", "Texture", lambda pixels: fit(pixels, SIDE), detail)

    def repeated(self, detail: str = "") -> Picture:
        """The middle square of two by two of it, as it would be laid: what shows, shows."""
        return self._picture("repeated", "Two by two of texture", lambda pixels: fit(_twice(pixels), SIDE), detail)

    def best(self, detail: str = "") -> Picture:
        """Two by two of the part that repeats best."""
        return self._picture("best", "Two by two of the best part of texture", self._best, detail)

    def seams(self, detail: str = "") -> Picture:
        """Where four copies meet, from near: SIDE pixels of the texture itself, enlarged where it is smaller."""
        return self._picture("seams", "The seams of texture", _meeting, detail)

    @cached_property
    def _pixels(self) -> Pixels | None:
        try:
            return decode(self.blobs.get(self.row["sha256"], self.row["media_type"]))
        except (FileNotFoundError, ValueError):
            return None

    def _best(self, pixels: Pixels) -> Pixels:
        left, top = self.row["tile_left"], self.row["tile_top"]
        return fit(_twice(pixels[top : top + self.row["tile_height"], left : left + self.row["tile_width"]]), SIDE)

    def _picture(self, kind: str, what: str, draw: Callable[[Pixels], Pixels], detail: str) -> Picture:
        def made() -> str | None:
            pixels = self._pixels
            return None if pixels is None else webp_uri(np.ascontiguousarray(draw(pixels)))

        name = str(self.row["item_id"])
        uri = self.pictures.kept(f"{self.row['sha256']} {kind}", made)
        return Picture(uri, f"{what} {self.row['category']}, {short_name(name)}", short_name(name), name[:400], detail)


def _twice(pixels: Pixels) -> Pixels:
    return _square(np.tile(pixels, (2, 2, 1)))


def _square(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def _meeting(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    half = min(SIDE // 2, height // 2, width // 2)
    middle = np.roll(pixels, (half, half), (0, 1))[: 2 * half, : 2 * half]
    factor = SIDE // max(1, 2 * half)
    return np.repeat(np.repeat(middle, factor, 0), factor, 1) if factor > 1 else middle
