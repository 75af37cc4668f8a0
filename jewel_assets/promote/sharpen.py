"""Sharpening of the ground: unsharp masking that knows where the piece is, and leaves alone what is out of focus.

The piece itself is never sharpened. Strict mode keeps its pixels; relit mode promises a detail of 40 dB, that is 2.6
levels, and a sharpening within them is not seen. It is sharp from its photo; the plate is what a lens could soften.
"""

import numpy as np

from jewel_assets.promote.scene import Array, single

RADIUS = 0.0012  # sigma of the mask's blur, as a share of the picture's shorter side: 1.3 pixels of 1080
THRESHOLD = 0.006
"""Detail weaker than that (of encoded lightness, 0..1: 1.5 levels of 255) is grain, or a blur's last trace."""
OVERSHOOT = 0.012
"""How far beyond the lightest and darkest neighbour a pixel may go: three levels, too little for a halo."""
STRONGEST = 1.6  # times the detail, at an amount of 1


def sharpened(ground: Array, alpha: Array, amount: float) -> Array:
    """The ground (h, w, 3), linear light, sharpened by an amount of 0..1; the same array where that is 0.

    `alpha` (h, w) in 0..1 is the piece that will cover it: what lies beneath, where its shadow is deepest, lends
    nothing to the blur, so that no light rim comes up around the piece. Lightness alone changes; hues stay.
    """
    if amount == 0:
        return ground
    import cv2

    luminance = np.clip(ground @ np.array([0.2126, 0.7152, 0.0722], np.float32), 0, None)
    light = single(np.sqrt(luminance))  # near enough to how light it looks, and cheap
    sigma = max(0.5, RADIUS * min(light.shape))
    free = single(1 - alpha)
    blurred = cv2.GaussianBlur(light * free, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(free, (0, 0), sigma), 1e-3)
    detail = light - np.where(free > 0, blurred, light)
    strength = np.abs(detail)
    detail *= np.clip(strength / THRESHOLD - 1, 0, 1)
    wanted = light + np.float32(STRONGEST * amount) * detail
    near = np.ones((3, 3), np.uint8)
    wanted = np.clip(wanted, cv2.erode(light, near) - OVERSHOOT, cv2.dilate(light, near) + OVERSHOOT)
    gain = (np.maximum(wanted, 0) / np.maximum(light, 1e-3)) ** 2
    return single(ground * np.where(light > 1e-3, gain, 1)[..., None])
