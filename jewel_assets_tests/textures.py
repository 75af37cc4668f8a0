"""Textures of known truth drawn by the tests: periodic, seamless without a period, cut badly, or none at all."""

from pathlib import Path

import numpy as np

from jewel_assets.images import Pixels, encode_png

LIGHT, DARK = np.array([220, 190, 120]), np.array([60, 50, 40])


def checkerboard(cell: int = 16, cells: tuple[int, int] = (12, 12)) -> Pixels:
    """`cells` (rows, columns) of `cell` pixels; seamless if both are even."""
    rows, columns = np.mgrid[: cells[0] * cell, : cells[1] * cell] // cell
    return _mixed((rows + columns) % 2)


def stripes(period: int = 16, count: int = 12, height: int = 192) -> Pixels:
    """Upright sinusoidal stripes, `count` of them."""
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(period * count) / period)
    return _mixed(np.tile(wave, (height, 1)))


def weave(cell: int = 16, cells: int = 12) -> Pixels:
    """Threads that go over and under each other."""
    rows, columns = np.mgrid[: cells * cell, : cells * cell]
    over = (rows // cell + columns // cell) % 2 == 0
    wave = np.where(over, np.sin(2 * np.pi * rows / 4), np.sin(2 * np.pi * columns / 4))
    return _mixed(0.5 + 0.4 * wave)


def dots(pitch: int = 48, count: int = 5) -> Pixels:
    """Red dots on cream, `count` by `count`."""
    import cv2

    picture = np.full((pitch * count, pitch * count, 3), (235, 225, 205), np.uint8)
    for row in range(count):
        for column in range(count):
            middle = (pitch // 2 + column * pitch, pitch // 2 + row * pitch)
            cv2.circle(picture, middle, pitch // 4, (150, 40, 60), -1, cv2.LINE_AA)
    return picture


def clouds(seed: int, side: int = 256, slope: float = 2.0) -> Pixels:
    """Noise with a power spectrum of f^-slope, without a period; as a whole it is seamless, because a spectrum is."""
    chance = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(chance.normal(size=(side, side))) * frequency ** (-slope / 2) * (frequency > 2 / side)
    wave = np.real(np.fft.ifft2(spectrum))
    return _mixed(0.5 + 0.15 * wave / wave.std())


def lit_from_the_left(pixels: Pixels, fall: float = 0.4) -> Pixels:
    """The same, darker by `fall` at the right border."""
    light = np.linspace(1, 1 - fall, pixels.shape[1])[None, :, None]
    return np.asarray(np.rint(pixels * light), np.uint8)


def texture_folder(root: Path, textures: dict[str, Pixels]) -> Path:
    """A folder of PNG files by path below it: "gold/a"."""
    for name, pixels in textures.items():
        path = root / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(pixels))
    return root


def _mixed(share: object) -> Pixels:
    """(h, w, 3) between DARK (0) and LIGHT (1)."""
    amount = np.asarray(share, np.float64)[..., None]
    return np.clip(np.rint(DARK + (LIGHT - DARK) * amount), 0, 255).astype(np.uint8)
