"""Marble, wood, velvet and skin as pictures that repeat without a seam, made from filtered noise.

Each is (side, side, 3) float32, linear reflectance in 0..1. Noise with a power-law spectrum is drawn in the frequency
domain, so it is periodic and its grain is chosen by one exponent (Perlin 1985 gives the look; the spectrum the exact
period).
"""

import numpy as np
from numpy.typing import NDArray

SIDE = 1024
Colour = tuple[float, float, float]

MARBLES: dict[str, tuple[Colour, Colour]] = {  # ground and vein, linear reflectance
    "carrara": ((0.76, 0.76, 0.75), (0.28, 0.29, 0.31)),
    "crema": ((0.68, 0.58, 0.45), (0.42, 0.27, 0.15)),
    "nero": ((0.018, 0.018, 0.020), (0.55, 0.52, 0.48)),
    "verde": ((0.020, 0.060, 0.042), (0.30, 0.40, 0.33)),
    "rosa": ((0.58, 0.38, 0.33), (0.78, 0.70, 0.66)),
}
WOODS: dict[str, tuple[Colour, Colour]] = {  # early wood and late wood
    "oak": ((0.42, 0.27, 0.14), (0.22, 0.12, 0.055)),
    "walnut": ((0.115, 0.058, 0.030), (0.045, 0.022, 0.012)),
    "maple": ((0.62, 0.47, 0.30), (0.46, 0.31, 0.17)),
    "ebony": ((0.020, 0.016, 0.013), (0.008, 0.007, 0.006)),
    "cherry": ((0.36, 0.15, 0.068), (0.19, 0.066, 0.028)),
}


def noise(
    rng: np.random.Generator, exponent: float, stretch: float = 1.0, lowest: float = 1.0, side: int = SIDE
) -> NDArray[np.float64]:
    """(side, side) periodic Gaussian noise, mean 0 and deviation 1, whose amplitude falls as frequency^-`exponent`.

    `stretch` > 1 draws it out along the columns' direction (x); below `lowest` cycles per tile there is nothing.
    """
    fy = np.fft.fftfreq(side)[:, None] * side
    fx = np.fft.rfftfreq(side)[None, :] * side * stretch
    frequency = np.hypot(fx, fy)
    amplitude = np.where(frequency >= lowest, np.maximum(frequency, 1e-9) ** -exponent, 0.0)
    phase = np.fft.rfft2(rng.standard_normal((side, side)))
    field = np.fft.irfft2(phase * amplitude, s=(side, side))
    return np.asarray((field - field.mean()) / field.std())


def marble(rng: np.random.Generator, kind: str) -> NDArray[np.float32]:
    """Veins where a warped noise crosses zero, broad and faint beside thin and dark, on clouded ground."""
    ground, vein = (np.array(colour) for colour in MARBLES[kind])
    broad, thin = noise(rng, 2.3, stretch=1.8), noise(rng, 2.1, stretch=1.8, lowest=2)
    where, clouds, ragged = noise(rng, 2.2), noise(rng, 1.7), noise(rng, 1.1)
    strength = 0.60 * np.exp(-np.abs(broad + 0.05 * ragged) / 0.20) * np.clip(0.45 + 0.5 * where, 0, 1)
    strength += 0.45 * np.exp(-np.abs(thin + 0.02 * ragged) / 0.055) * np.clip(0.10 + 0.6 * where, 0, 1)
    strength = np.clip(strength * (1 + 0.1 * clouds), 0, 1)[..., None]
    picture = ground * (1 + 0.06 * clouds[..., None]) * (1 - strength) + vein * strength
    return np.clip(picture, 0.002, 0.9).astype(np.float32)


def wood(rng: np.random.Generator, kind: str) -> NDArray[np.float32]:
    """Plain-sawn boards: year rings drawn out along x, fine dark pores, and two or three joints."""
    early, late = (np.array(colour) for colour in WOODS[kind])
    y = (np.arange(SIDE) / SIDE)[:, None]
    warp = noise(rng, 2.2, stretch=7)
    rings = int(rng.integers(13, 22))
    phase = rings * y + 1.1 * warp + 0.25 * noise(rng, 1.5, stretch=14)
    year = phase % 1.0
    dark = np.clip(year, 0, 1) ** 2.2 * np.clip((1 - year) * 9, 0, 1)
    fibres = noise(rng, 0.75, stretch=26, lowest=8)
    pores = np.clip(noise(rng, 0.35, stretch=18, lowest=40) - 1.7, 0, 1)
    share = np.clip(0.18 + 0.62 * dark + 0.10 * fibres, 0, 1)[..., None]
    picture = (early * (1 - share) + late * share) * (1 + 0.07 * noise(rng, 2.0, stretch=3)[..., None])
    picture *= 1 - 0.5 * pores[..., None]
    return np.clip(picture, 0.002, 0.9).astype(np.float32)


def velvet(rng: np.random.Generator, colour: Colour) -> NDArray[np.float32]:
    """Pile: fine grain, and soft patches where a hand has brushed it the other way."""
    brushed, pile = noise(rng, 1.7), noise(rng, 0.35, stretch=1.6, lowest=24)
    nap = 0.24 if max(colour) < 0.1 else 0.10  # pale cloth scatters light between its hairs, which evens them out
    light = np.exp(nap * (0.9 * brushed + pile))
    return np.asarray(np.clip(np.array(colour) * light[..., None], 0.001, 0.9), np.float32)


def skin(rng: np.random.Generator, colour: Colour) -> NDArray[np.float32]:
    """Blotches of blood below, and fine pores."""
    blood, melanin, pores = noise(rng, 1.5), noise(rng, 1.2, lowest=3), noise(rng, 0.3, lowest=60)
    picture = np.array(colour) * (1 + 0.025 * melanin + 0.03 * pores)[..., None]
    picture = picture * (1 + 0.05 * np.clip(blood, -2, 2)[..., None] * np.array([0.35, -1.0, -0.8]))
    return np.asarray(np.clip(picture, 0.005, 0.9), np.float32)
