"""A gentle relight: the light of the scene falls on the piece, whose detail stays as it was photographed.

Only the low frequencies of the picture are touched: out = photo + (relit - low), where `low` is the blurred photo and
`relit` the same under the scene's light. What is sharp (facets, engraving, prongs, hallmarks) comes through as it is.
"""

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels
from jewel_assets.promote.fidelity import LOW_PASS
from jewel_assets.promote.relief import normals_of
from jewel_assets.promote.scene import Array, Rig, low_pass, single

DARKEST, BRIGHTEST = 0.72, 1.38
"""Bounds of the gain, in linear light."""
TINT = 0.12
"""How much of the light's colour the piece takes on: metal keeps its hue, which is what it is bought by."""


def gain_of(laid: Pixels, rig: Rig) -> Array:
    """(h, w, 3) by how much the scene's light changes each place of the piece; 1 on average, smooth, bounded."""
    import cv2

    alpha = single(laid[..., 3] / np.float32(255))
    normals = normals_of(alpha, single(laid[..., :3] / np.float32(255)))
    light = np.broadcast_to(np.asarray(rig.ambient, np.float32), normals.shape).copy()
    for lamp in rig.lamps:
        cosine = np.clip(normals @ np.asarray(lamp.direction, np.float32), 0, None)
        half = np.asarray(lamp.direction, np.float32) + np.array([0, 0, 1], np.float32)
        lobe = np.clip(normals @ (half / np.linalg.norm(half)), 0, None) ** 24  # a broad highlight, as of brushed metal
        light += lamp.intensity * (cosine + 0.8 * lobe)[..., None] * np.asarray(lamp.colour, np.float32)
    inside = alpha > 0.5
    grey = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    mean = float(grey[inside].mean()) if inside.any() else 1.0
    colour = light / np.maximum(grey, 1e-4)[..., None]
    gain = (grey / max(mean, 1e-4))[..., None] * (1 + TINT * (colour - 1))
    return np.clip(cv2.GaussianBlur(gain.astype(np.float32), (0, 0), 4.0), DARKEST, BRIGHTEST)


def relit(laid: Pixels, gain: Array, strength: float, shorter_side: int) -> NDArray[np.uint8]:
    """(h, w, 3) the piece's colours under a share `strength` (0..1) of the gain, its detail unchanged."""
    alpha = single(laid[..., 3] / np.float32(255))
    colours = laid[..., :3].astype(np.float32)
    sigma = LOW_PASS * shorter_side
    share = np.maximum(low_pass(single(alpha), sigma), 1e-3)
    low = low_pass(single(colours * alpha[..., None]), sigma) / share[..., None] / 255
    smooth = low_pass(single(1 + strength * (gain - 1)), sigma)
    # A gain g of linear light is one of g^(1/2.4) of encoded values, but for their darkest (IEC 61966-2-1).
    lifted = low * smooth ** np.float32(1 / 2.4)
    return np.clip(np.rint(colours + 255 * (lifted - low)), 0, 255).astype(np.uint8)
