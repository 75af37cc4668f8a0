"""The finish: a colour grade of the ground, a logo where the piece is not, a quiet place for words."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from jewel_assets.collect import PhotoLimits, Refused, decode_photo
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, decode
from jewel_assets.promote.layout import resized
from jewel_assets.promote.scene import Array, single
from jewel_assets.promote.shading import to_linear, to_srgb

Place = Literal["bottom right", "bottom left", "top right", "top left"]

LARGEST_LOGO = 0.22
"""Of the picture's width and height: a logo that is larger is made smaller, one that is smaller stays as it is."""
LOGO_MARGIN = 0.04  # of the picture's shorter side
LOGO_PIXELS = 64_000_000


@dataclass(frozen=True)
class Finish:
    """What is done to an image besides its template: a colour grade (a `.cube` file), a logo (PNG with alpha)."""

    lut: Path | None = None
    logo: Path | None = None
    place: Place = "bottom right"
    opacity: float = 0.85  # of the logo, 0..1

    def __post_init__(self) -> None:
        if self.place not in get_args(Place):
            raise Permanent(f"There is no place {self.place!r} for a logo: choose one of {', '.join(get_args(Place))}.")
        if not 0 <= self.opacity <= 1:
            raise Permanent(f"The opacity {self.opacity} of the logo must lie between 0 and 1.")

    def told(self) -> Mapping[str, Any]:
        """For the record: the files by their hashes, too, so that another file under the same name is noticed."""
        found: dict[str, Any] = {"place": self.place, "opacity": self.opacity} if self.logo else {}
        for name in ("lut", "logo"):
            path: Path | None = getattr(self, name)
            if path is not None:
                found |= {name: str(path.resolve()), f"{name}_sha256": hashlib.sha256(_bytes(path, name)).hexdigest()}
        return found


def graded(ground: Array, lut: Path) -> Array:
    """The ground (h, w, 3), linear light, through a 1-D or 3-D LUT for sRGB pictures; linear light again.

    Read and applied by OpenColorIO (tetrahedral interpolation). Raises Permanent for a file that is no LUT.
    """
    encoded = np.ascontiguousarray(_encoded(ground))
    _processor(str(lut), hashlib.sha256(_bytes(lut, "lut")).hexdigest()).applyRGB(encoded)
    return _decoded(np.clip(encoded, 0, 1))


@lru_cache(maxsize=8)
def _processor(path: str, _: str) -> Any:
    import PyOpenColorIO as ocio  # noqa: N813, the library's own habit

    ocio.ClearAllCaches()  # it remembers files by their names
    try:
        transform = ocio.FileTransform(src=path, interpolation=ocio.INTERP_TETRAHEDRAL)
        return ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
    except ocio.Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else "it cannot be read"
        raise Permanent(
            f"The colour grade {path} is no LUT that OpenColorIO knows (.cube, .3dl, .spi3d): {first}"
        ) from error


def with_logo(image: Pixels, mask: NDArray[np.uint8], finish: Finish) -> tuple[Pixels, list[str]]:
    """The image (h, w, 3) with its logo, and what has to be said of it. It never covers the piece (`mask` (h, w)).

    Where the piece is in the way the next corner is taken; where it is everywhere there is no logo.
    """
    if finish.logo is None:
        return image, []
    data = _bytes(finish.logo, "logo")
    logo = _logo(finish.logo, hashlib.sha256(data).hexdigest())
    height, width = image.shape[:2]
    scale = min(1.0, LARGEST_LOGO * width / logo.shape[1], LARGEST_LOGO * height / logo.shape[0])
    drawn = resized(logo, scale)
    margin = round(LOGO_MARGIN * min(height, width))
    places: list[Place] = [finish.place, *(place for place in get_args(Place) if place != finish.place)]
    for place in places:
        top = margin if "top" in place else height - margin - drawn.shape[0]
        left = margin if "left" in place else width - margin - drawn.shape[1]
        box = slice(top, top + drawn.shape[0]), slice(left, left + drawn.shape[1])
        if not mask[box].any():
            share = drawn[..., 3:].astype(np.float32) / 255 * np.float32(finish.opacity)
            result = image.copy()
            result[box] = to_srgb(single(to_linear(drawn[..., :3]) * share + to_linear(image[box]) * (1 - share)))
            moved = f"The piece is where the logo was to be: it is {place} instead of {finish.place}."
            return result, [moved] * (place != finish.place)
    return image, ["The piece fills all corners: there is no logo on this image."]


def quiet_area(mask: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """The largest of the free places above, below, left and right of the piece: x, y, width, height in pixels.

    For words: with a margin to the border and to the piece. Width and height are 0 where there is no room.
    """
    height, width = mask.shape
    margin = round(LOGO_MARGIN * min(height, width))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return margin, margin, width - 2 * margin, height - 2 * margin
    top, bottom = int(rows[0]) - margin, int(rows[-1]) + 1 + margin
    left, right = int(columns[0]) - margin, int(columns[-1]) + 1 + margin
    inner_width, inner_height = width - 2 * margin, height - 2 * margin
    places = [
        (margin, margin, inner_width, top - margin),
        (margin, bottom, inner_width, height - margin - bottom),
        (margin, margin, left - margin, inner_height),
        (right, margin, width - margin - right, inner_height),
    ]
    x, y, wide, high = max(places, key=lambda place: max(place[2], 0) * max(place[3], 0))
    return x, y, max(wide, 0), max(high, 0)


@lru_cache(maxsize=4)
def _logo(path: Path, _: str) -> Pixels:
    try:
        photo = decode_photo(_bytes(path, "logo"), PhotoLimits(max_pixels=LOGO_PIXELS, min_side=1))
    except Refused as refused:
        raise Permanent(f"The logo {path} is no picture that can be used: {refused}") from refused
    return decode(photo.data, alpha=True)


def _bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Permanent(f"The {what} {path} cannot be read: {error.strerror}.") from error


def _encoded(linear: Array) -> Array:
    """sRGB in 0..1 (IEC 61966-2-1), not rounded to 8 bits."""
    light = np.clip(linear, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** np.float32(1 / 2.4) - 0.055).astype(np.float32)


def _decoded(encoded: Array) -> Array:
    low = encoded / np.float32(12.92)
    return np.where(encoded <= 0.04045, low, ((encoded + 0.055) / 1.055) ** np.float32(2.4)).astype(np.float32)
