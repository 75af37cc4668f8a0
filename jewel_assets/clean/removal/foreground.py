"""The piece's own colours: what it would look like without the old background shining through its edges."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from jewel_assets.clean.removal.remover import Alpha
from jewel_assets.images import Pixels

Plane: TypeAlias = NDArray[np.float32]


EDGE_NOISE = 0.01
"""How far the equation of a mixed pixel is trusted: noise over signal, as variances. Swept, with exact alphas and with
alphas off by 0.05: less amplifies errors of thin edges, more leaves a fringe."""


def cut_out(image: Pixels, alpha: Alpha, ground: NDArray[np.float32] | None = None, radius: int = 5) -> Pixels:
    """RGBA pixels (h, w, 4), not premultiplied, of an image (h, w, 3) and its alpha (h, w).

    A pixel of the edge is C = alpha F + (1 - alpha) B. F is estimated by blur fusion (Forte, "Approximate fast
    foreground colour estimation", ICIP 2021): the mean colour of the piece within `radius` pixels, corrected until the
    equation holds as far as it can be trusted (Wiener's inverse of alpha). B is `ground` (h, w, 3), where it is known,
    else the mean colour of the background around.
    Opaque pixels keep their exact colour; fully transparent ones are black, which compresses best.
    """
    import cv2

    opacity = np.rint(alpha * 255).astype(np.uint8)
    result: Pixels = np.dstack([cv2.copyTo(image, cv2.inRange(opacity, 255, 255)), opacity])
    edge = cv2.inRange(opacity, 1, 254)
    left, top, width, height = cv2.boundingRect(edge)
    if not width:
        return result

    rows, columns = (
        slice(max(0, start - 2 * radius), start + length + 2 * radius)
        for start, length in ((top, height), (left, width))
    )
    near = (rows, columns)
    at = np.flatnonzero(edge[near])  # whole planes (h, w) are computed only where they have to be blurred
    share = opacity[near].astype(np.float32) / 255
    # Squared: the purer a pixel, the more it says of the colour.
    of_piece, of_ground = _means_around(np.square(share), at, radius), _means_around(np.square(1 - share), at, radius)
    share = share.take(at)
    gain = share / (np.square(share) + EDGE_NOISE)
    for channel, plane in enumerate(cv2.split(image[near])):
        colour = plane.astype(np.float32)
        piece = of_piece(colour)
        behind = of_ground(colour) if ground is None else ground[near][..., channel].take(at)
        corrected = piece + gain * (colour.take(at) - share * piece - (1 - share) * behind)
        result[near][..., channel].flat[at] = np.rint(np.clip(corrected, 0, 255))
    return result


def _means_around(weight: Plane, at: NDArray[np.intp], radius: int) -> Callable[[Plane], Plane]:
    """A function from a plane (h, w) to its means (n,), weighted, within `radius` pixels of n places, flat indices."""
    import cv2

    size = (2 * radius + 1, 2 * radius + 1)
    sums = np.maximum(cv2.blur(weight, size).take(at), 1e-4)
    return lambda plane: np.asarray(cv2.blur(plane * weight, size).take(at) / sums, np.float32)
