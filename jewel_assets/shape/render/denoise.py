"""Taking the grain out of a render with the help of images that have none.

Two engines. Intel's Open Image Denoise (Apache-2.0; bindings `mitsuba-oidn`, BSD-3-Clause) is a small network that was
trained on renders and carries its weights in its library. Without it, a filter of our own averages pixels that look
alike in their neighbourhood and in the auxiliary images (non-local means: Buades, Coll and Morel 2005; guided by
features: Rousselle, Manzi and Zwicker 2013). Which one ran is written into the render's parameters.
"""

import importlib
import importlib.util
from importlib import metadata
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter

Engine = Literal["oidn", "guided"]
Image = NDArray[np.float32]


def engine() -> Engine:
    """The better of the engines that are installed."""
    return "oidn" if importlib.util.find_spec("mitsuba_oidn") is not None else "guided"


def version(name: Engine) -> str:
    """What to write down about an engine."""
    return f"mitsuba-oidn {metadata.version('mitsuba-oidn')}" if name == "oidn" else "guided 1"


def denoised(
    colour: Image, albedo: Image, normals: Image, variance: Image | None = None, by: Engine | None = None
) -> Image:
    """(h, w, 3) linear: `colour` without its noise.

    `albedo` (h, w, 3) 0..1 and `normals` (h, w, 3) are free of noise; `variance` (h, w) is that of the mean in each
    pixel, which the guided filter wants (it is estimated from the picture when left out).
    """
    if (by or engine()) == "oidn":
        return _oidn(colour, albedo, normals)
    return guided(colour, albedo, normals, variance)


def _oidn(colour: Image, albedo: Image, normals: Image) -> Image:
    mitsuba_oidn: Any = importlib.import_module("mitsuba_oidn")

    # On the CPU, whatever else the machine has: the same result everywhere, and half a second at 512 pixels.
    device = mitsuba_oidn.Device(mitsuba_oidn.DeviceType.CPU)
    clean = mitsuba_oidn.denoise(
        np.ascontiguousarray(colour, np.float32),
        albedo=np.ascontiguousarray(albedo, np.float32),
        normal=np.ascontiguousarray(normals, np.float32),
        hdr=True,
        clean_aux=True,
        device=device,
    )
    return np.maximum(np.asarray(clean, np.float32), 0)


def guided(
    colour: Image, albedo: Image, normals: Image, variance: Image | None = None, radius: int = 6, strength: float = 1.0
) -> Image:
    """Non-local means over a window of 2 `radius` + 1 pixels, 5 x 5 patches, guided by albedo and normals.

    Works on colour over albedo, so that texture is not smoothed, and on a logarithm, so that highlights do not rule.
    The squared difference of two patches is measured against the noise that both have (eq. 5 of Rousselle et al.
    2012), so that clean pixels are left as they are.
    """
    base = np.maximum(albedo, 0.02)
    light = np.log1p(colour / base)
    grey = light.mean(axis=2)
    if variance is None:
        noise = _estimated(grey)
    else:
        slope = 1 / (1 + colour.mean(axis=2) / base.mean(axis=2)) / base.mean(axis=2)
        noise = variance * slope**2
    noise = _box(noise, 2) + 1e-6
    total, weights = np.zeros_like(light), np.zeros_like(grey)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            other, other_noise = _shift(light, dy, dx), _shift(noise, dy, dx)
            difference = ((light - other) ** 2).mean(axis=2) - (noise + np.minimum(noise, other_noise))
            patch = _box(difference / (strength**2 * (noise + other_noise)), 2)
            feature = ((normals - _shift(normals, dy, dx)) ** 2).sum(axis=2) / 0.02
            feature += ((albedo - _shift(albedo, dy, dx)) ** 2).sum(axis=2) / 0.01
            weight = np.exp(-np.maximum(patch, 0) - feature)
            total += weight[..., None] * other
            weights += weight
    return np.asarray(np.expm1(total / weights[..., None]) * base, np.float32)


def _shift(image: Image, dy: int, dx: int) -> Image:
    height, width = image.shape[:2]
    rows = np.clip(np.arange(height) + dy, 0, height - 1)
    columns = np.clip(np.arange(width) + dx, 0, width - 1)
    return image[rows][:, columns]


def _box(image: Image, radius: int) -> Image:
    return np.asarray(uniform_filter(image, 2 * radius + 1, mode="nearest"))


def _estimated(grey: Image) -> Image:
    """Variance of the noise from the difference to the mean of four neighbours; a local median forgives edges."""
    mean = (_shift(grey, 0, 1) + _shift(grey, 0, -1) + _shift(grey, 1, 0) + _shift(grey, -1, 0)) / 4
    # For white noise the difference has 5/4 of its variance; the median of a squared Gaussian is 0.455 of its mean.
    return np.asarray(median_filter((grey - mean) ** 2, size=7, mode="nearest") / 0.455 / 1.25)
