"""The finish: a colour grade of the ground, a logo where the piece is not, a quiet place for words and their colour."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from jewel_assets.collect import PhotoLimits, Refused, decode_photo
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, decode
from jewel_assets.promote.layout import resized
from jewel_assets.promote.palettes import linear, luminance
from jewel_assets.promote.scene import Array, Palette, single
from jewel_assets.promote.shading import to_linear, to_srgb

Place = Literal["bottom right", "bottom left", "top right", "top left"]
Upscale = Literal["lanczos", "real-esrgan"]
Box = tuple[int, int, int, int]
"""x, y, width and height in pixels."""

LARGEST_LOGO = 0.22
"""Of the picture's width and height: a logo that is larger is made smaller, one that is smaller stays as it is."""
LOGO_MARGIN = 0.04  # of the picture's shorter side
LOGO_PIXELS = 64_000_000
FILES = ("lut", "logo", "font")
CELLS = 64  # of the grid on which the place for words is looked for, along the picture's shorter side
WIDEST = 8.0
"""Times as wide as high is the most of a place that words can use; of one that is higher than wide it is a square."""
LEAST_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3


@dataclass(frozen=True)
class Finish:
    """What is done to an image besides its template: a colour grade (a `.cube` file), a logo (PNG with alpha), words.

    `texts` gives the template's variables, by name, other words; `font` is a TTF or OTF file, else `words.FONT`.
    `upscale` says what makes a small piece larger, in mode relit; in mode strict that is always Lanczos.
    """

    lut: Path | None = None
    logo: Path | None = None
    place: Place = "bottom right"
    opacity: float = 0.85  # of the logo, 0..1
    texts: Mapping[str, str] = field(default_factory=dict)
    font: Path | None = None
    upscale: Upscale = "lanczos"

    def __post_init__(self) -> None:
        if self.upscale not in get_args(Upscale):
            raise Permanent(f"There is no upscaling {self.upscale!r}: choose {' or '.join(get_args(Upscale))}.")
        if self.place not in get_args(Place):
            raise Permanent(f"There is no place {self.place!r} for a logo: choose one of {', '.join(get_args(Place))}.")
        if not 0 <= self.opacity <= 1:
            raise Permanent(f"The opacity {self.opacity} of the logo must lie between 0 and 1.")

    def told(self) -> Mapping[str, Any]:
        """For the record: the files by their hashes, too, so that another file under the same name is noticed."""
        found: dict[str, Any] = {"place": self.place, "opacity": self.opacity} if self.logo else {}
        if self.texts:
            found["texts"] = dict(self.texts)
        if self.upscale != "lanczos":
            found["upscale"] = self.upscale
        for name in FILES:
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


def with_logo(image: Pixels, mask: NDArray[np.uint8], finish: Finish) -> tuple[Pixels, Box | None, list[str]]:
    """The image (h, w, 3) with its logo, where that is, and what has to be said of it. None without one.

    It never covers the piece (`mask` (h, w)). Where the piece is in the way the next corner is taken; where it is
    everywhere there is no logo.
    """
    if finish.logo is None:
        return image, None, []
    data = _bytes(finish.logo, "logo")
    logo = _logo(finish.logo, hashlib.sha256(data).hexdigest())
    height, width = image.shape[:2]
    scale = min(1.0, LARGEST_LOGO * width / logo.shape[1], LARGEST_LOGO * height / logo.shape[0])
    drawn = resized(logo, scale)
    high, wide = drawn.shape[:2]
    margin = round(LOGO_MARGIN * min(height, width))
    places: list[Place] = [finish.place, *(place for place in get_args(Place) if place != finish.place)]
    for place in places:
        top = margin if "top" in place else height - margin - high
        left = margin if "left" in place else width - margin - wide
        box = slice(top, top + high), slice(left, left + wide)
        if not mask[box].any():
            share = drawn[..., 3:].astype(np.float32) / 255 * np.float32(finish.opacity)
            result = image.copy()
            result[box] = to_srgb(single(to_linear(drawn[..., :3]) * share + to_linear(image[box]) * (1 - share)))
            moved = f"The piece is where the logo was to be: it is {place} instead of {finish.place}."
            return result, (left, top, wide, high), [moved] * (place != finish.place)
    return image, None, ["The piece fills all corners: there is no logo on this image."]


def quiet_area(mask: NDArray[np.uint8], logo: Box | None = None) -> Box:
    """The free rectangle that has most room for words: x, y, width, height in pixels; 0, 0 wide where there is none.

    It keeps a margin to the border, to the piece (`mask` (h, w)) and to the logo.
    """
    import cv2

    height, width = mask.shape
    cell = max(1, round(min(height, width) / CELLS))
    busy = mask > 0
    if logo is not None:
        x, y, wide, high = logo
        busy[y : y + high, x : x + wide] = True
    rows, columns = height // cell, width // cell
    within = busy[: rows * cell, : columns * cell].astype(np.float32)
    cells = cv2.resize(within, (columns, rows), interpolation=cv2.INTER_AREA) > 0
    away = -(-round(LOGO_MARGIN * min(height, width)) // cell)  # the margin in cells
    near = cv2.dilate(np.pad(cells, 1, constant_values=True).astype(np.uint8), np.ones((2 * away + 1,) * 2, np.uint8))
    left, top, wide, high = _roomiest(near[1:-1, 1:-1] == 0)
    return left * cell, top * cell, wide * cell, high * cell


def _roomiest(free: NDArray[np.bool_]) -> Box:
    """The rectangle of free cells of most use to words, the largest of equals: left, top, width, height in cells."""
    best, found = (0.0, 0), (0, 0, 0, 0)
    heights = np.zeros(free.shape[1], int)
    for bottom, row in enumerate(free):
        heights = np.where(row, heights + 1, 0)  # of the free cells above each other that end in this row
        open_: list[tuple[int, int]] = []  # left and height of rectangles that are still going on, rising
        for column, high in enumerate([*heights.tolist(), 0]):
            left = column
            while open_ and open_[-1][1] >= high:
                left, tall = open_.pop()
                wide = column - left
                use = min(wide, WIDEST * tall) * min(tall, wide), wide * tall
                if use > best:
                    best, found = use, (left, bottom + 1 - tall, wide, tall)
            open_.append((left, high))
    return found


def text_colour(colours: Palette, image: Pixels, area: Box) -> tuple[str, float]:
    """The palette's colour for words in this area of the image (h, w, 3), and its contrast with the ground there.

    `text` where that reaches LEAST_CONTRAST, else the best of the palette. The ratio (WCAG 2.2, "contrast ratio") is
    the least over the ground's middle nine tenths, so that neither a vein nor a light spot is overlooked.
    """
    x, y, wide, high = area
    inside = image[y : y + high, x : x + wide]
    if not inside.size:
        return colours.text, 1.0
    step = max(1, min(wide, high) // 128)
    ground = to_linear(inside[::step, ::step]) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    darkest, lightest = (float(value) for value in np.percentile(ground, (5, 95)))

    def ratio(colour: str) -> float:
        own = luminance(linear(colour))
        nearest = float(min(max(own, darkest), lightest))
        return (max(own, nearest) + 0.05) / (min(own, nearest) + 0.05)

    ratios = {colour: ratio(colour) for colour in (colours.text, colours.shade, colours.ground, colours.accent)}
    best = colours.text if ratios[colours.text] >= LEAST_CONTRAST else max(ratios, key=lambda colour: ratios[colour])
    return best, round(ratios[best], 2)


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
