"""The piece's own colours: what it would look like without the old background shining through its edges."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.clean.removal.remover import Alpha
from jewel_assets.images import Pixels


def cut_out(image: Pixels, alpha: Alpha, ground: NDArray[np.float32] | None = None, radius: int = 5) -> Pixels:
    """RGBA pixels (h, w, 4), not premultiplied, of an image (h, w, 3) and its alpha (h, w).

    A pixel of the edge is C = alpha F + (1 - alpha) B. F is estimated by blur fusion (Forte, "Approximate fast
    foreground colour estimation", ICIP 2021): the mean colour of the piece within `radius` pixels, corrected so that
    the equation holds. B is `ground` (h, w, 3), where it is known, else the mean colour of the background around.
    Opaque
    pixels keep their exact colour; fully transparent ones are black, which compresses best.
    """
    import cv2

    opacity = np.rint(alpha * 255).astype(np.uint8)
    result: Pixels = np.zeros((*opacity.shape, 4), np.uint8)
    result[..., 3] = opacity
    opaque = opacity == 255
    result[opaque, :3] = image[opaque]
    rows, columns = np.nonzero((opacity > 0) & ~opaque)
    if not len(rows):
        return result

    height, width = opacity.shape
    top, bottom = max(0, int(rows.min()) - 2 * radius), min(height, int(rows.max()) + 2 * radius + 1)
    left, right = max(0, int(columns.min()) - 2 * radius), min(width, int(columns.max()) + 2 * radius + 1)
    near = (slice(top, bottom), slice(left, right))
    colour = image[near].astype(np.float32)
    share = (opacity[near].astype(np.float32) / 255)[..., None]
    size = (2 * radius + 1, 2 * radius + 1)
    # Squared: the purer a pixel, the more it says of the colour.
    weight = np.square(share)
    piece = cv2.blur(colour * weight, size) / np.maximum(cv2.blur(weight, size)[..., None], 1e-4)
    if ground is None:
        weight = np.square(1 - share)
        behind: Any = cv2.blur(colour * weight, size) / np.maximum(cv2.blur(weight, size)[..., None], 1e-4)
    else:
        behind = ground[near]
    corrected = piece + share * (colour - share * piece - (1 - share) * behind) / np.maximum(share, 0.3) ** 2 * share
    edge = (opacity[near] > 0) & ~opaque[near]
    result[near][edge, :3] = np.rint(np.clip(corrected[edge], 0, 255)).astype(np.uint8)
    return result
