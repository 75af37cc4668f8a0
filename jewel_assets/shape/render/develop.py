"""From radiance to a picture: combining passes, exposure, and a tone curve that keeps paper white and gold gold."""

import numpy as np
from numpy.typing import NDArray

SHOULDER = 0.62
"""Display-linear value above which highlights are compressed; below it the picture is linear."""
WHITE = 1.35
"""What becomes display white: a third of a stop more than paper, which so is white with a little left."""
SPARK = 1.0
"""What a pass may always differ by, in paper whites: less, and the grain of few samples would be cut on one side."""
BRIGHTEST = 6.0
"""A pass's pixel is cut to this many times white: a lamp's mirror image stays white, a stray path leaves no spark."""


def combined(passes: NDArray[np.float32], outlier: float = 4.0) -> NDArray[np.float32]:
    """(h, w, 3): the mean of passes (n, h, w, 3), already exposed, with what only one lucky path saw cut down.

    Each pass is cut to `BRIGHTEST` and to `outlier` times the mean of the others plus `SPARK`, in proportion
    over its three channels, so that a spark does not change the hue of what is below it.
    """
    light = passes.max(axis=-1)
    most = np.full(light.shape, BRIGHTEST, np.float32)
    if len(passes) > 2:
        total = np.minimum(light, BRIGHTEST).sum(axis=0)
        others = (total - np.minimum(light, BRIGHTEST)) / (len(passes) - 1)
        most = np.minimum(most, outlier * others + SPARK)
    scale = np.minimum(1.0, most / np.maximum(light, 1e-9))
    return np.asarray((passes * scale[..., None]).mean(axis=0), np.float32)


def whitened(linear: NDArray[np.float32], alpha: NDArray[np.float32], paper: float = 1.05) -> NDArray[np.float32]:
    """The background lifted until most of it is `paper`, as shops do: the piece keeps the exposure that it was given.

    The lift is a gain, so the soft shadow stays, and it follows the exact coverage, so no edge is seen. Where hardly
    any background is seen, or it is so dark that it was meant to be, nothing is done to it.
    """
    free = linear[alpha == 0] @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    if free.size < 0.02 * alpha.size:
        return linear
    gain = float(np.clip(paper / max(float(np.percentile(free, 60)), 1e-3), 0.8, 2.2))
    return np.asarray(linear * (1 + (gain - 1) * (1 - alpha[..., None])), np.float32)


def developed(
    linear: NDArray[np.float32],
    contrast: float = 1.0,
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 sRGB of exposed linear light, where 1 is a white surface that faces the light.

    Highlights bend over from `SHOULDER`, each channel by itself, as film does: bright gold turns pale before it turns
    white. `contrast` is an exponent about middle grey (18 %).
    """
    light = np.clip(linear * np.asarray(white_balance, np.float32), 0, None)
    if contrast != 1.0:
        light = 0.18 * (light / 0.18) ** contrast
    over = np.clip((light - SHOULDER) / (WHITE - SHOULDER), 0, 1)
    # A cubic that leaves the straight part without a kink and arrives at display white level.
    slope = (WHITE - SHOULDER) / (1 - SHOULDER)
    bent = SHOULDER + (1 - SHOULDER) * over * (slope + over * (3 - 2 * slope + over * (slope - 2)))
    light = np.minimum(np.where(light < SHOULDER, light, bent), 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), np.uint8)
