"""Pixels from the lake's blobs and back. Arrays are uint8, RGB or RGBA, upright, sRGB, shape (height, width, 3 | 4)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def decode(data: bytes, alpha: bool = False) -> Pixels:
    """The pixels of a blob that the lake made: (h, w, 3), or (h, w, 4) with `alpha` (opaque where it has none).

    Without `alpha`, what is transparent is laid on white, as photos are shown. For files from outside use
    `collect.decode_photo`, which distrusts them. Raises ValueError for what does not decode.
    """
    import cv2

    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    array = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if array is None:
        raise ValueError(f"These {len(data)} bytes are not a JPEG, PNG or WebP image that OpenCV can read.")
    if array.ndim == 2:
        array = cv2.cvtColor(array, cv2.COLOR_GRAY2BGR)
    if array.shape[2] == 4:
        pixels = _uint8(cv2.cvtColor(array, cv2.COLOR_BGRA2RGBA))
        return pixels if alpha else flatten(pixels)
    return _uint8(cv2.cvtColor(array, cv2.COLOR_BGR2RGBA if alpha else cv2.COLOR_BGR2RGB))


def encode_png(pixels: Pixels, level: int = 3) -> bytes:
    """PNG bytes of (h, w), (h, w, 3) or (h, w, 4) pixels; zlib `level` 0 (fast) to 9 (small)."""
    import cv2

    # With half of PNG's filters to choose from, a third faster and no larger than with all.
    options = [cv2.IMWRITE_PNG_COMPRESSION, level, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FAST_FILTERS]
    return _encoded(".png", pixels, options)


def encode_jpeg(pixels: Pixels, quality: int = 92) -> bytes:
    """JPEG bytes of (h, w, 3) pixels, 4:4:4 (no chroma subsampling: gems and gold are small and coloured)."""
    import cv2

    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    return _encoded(".jpg", pixels, options)


def fit(pixels: Pixels, side: int) -> Pixels:
    """`pixels` scaled down, aspect kept, so that the longer side is at most `side`. Never scales up."""
    import cv2

    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _uint8(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def flatten(pixels: Pixels, colour: tuple[int, int, int] = (255, 255, 255)) -> Pixels:
    """RGBA pixels laid on one colour: (h, w, 3). RGB pixels come back as they are."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / 255
    laid = pixels[..., :3] * alpha + np.asarray(colour, np.float32) * (1 - alpha)
    return _uint8(np.rint(laid))


def _encoded(extension: str, pixels: Pixels, options: list[int]) -> bytes:
    import cv2

    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    array = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, order[pixels.shape[2]])
    done, encoded = cv2.imencode(extension, array, options)
    if not done:
        raise ValueError(f"OpenCV could not write {pixels.shape} pixels as {extension}.")
    return bytes(encoded)


def _uint8(array: Any) -> Pixels:
    return np.ascontiguousarray(array, dtype=np.uint8)
