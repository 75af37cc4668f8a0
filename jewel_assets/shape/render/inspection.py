"""Is a photo one: its piece whole and in view, and not black? What is not is found here, before anybody is shown it."""

import numpy as np
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.shape.render.shots import Shot

LEAST_OF_SPAN = 0.7
"""Of the share of the frame that a piece was to span, how much must be seen: a finger hides some of its ring."""
BLACK = 24
"""Of 255. A piece is black whose lightest fiftieth is darker: even onyx shows a lamp."""


class SpoiltPhoto(Permanent):
    """The piece is out of view, cut by the frame, hidden or black. The message says which, and what to change."""


def look_at_mask(alpha: NDArray[np.float32], shot: Shot) -> None:
    """Raises SpoiltPhoto where the mask (h, w) 0..1 is not of a piece that is wholly in view.

    A shot that asks for more than the frame has, by its `fill` and `offset`, is a close-up: it may be cut.
    """
    rows, columns = np.flatnonzero((alpha > 0).any(axis=1)), np.flatnonzero((alpha > 0).any(axis=0))
    if not len(rows):
        raise SpoiltPhoto("Nothing of the piece is in view: change the shot's azimuth, elevation or style.")
    height, width = alpha.shape
    spans = max((rows[-1] - rows[0] + 1) / height, (columns[-1] - columns[0] + 1) / width)
    if spans < LEAST_OF_SPAN * shot.fill:
        raise SpoiltPhoto(
            f"The piece is seen on {spans:.0%} of the frame's side where {shot.fill:.0%} was asked for: something "
            "hides it. Change the shot's azimuth, elevation or style."
        )
    whole = shot.fill / 2 + max(abs(share) for share in shot.offset) < 0.5 - 1 / min(height, width)
    if whole and (rows[0] == 0 or columns[0] == 0 or rows[-1] == height - 1 or columns[-1] == width - 1):
        raise SpoiltPhoto("The frame cuts the piece: lower the shot's fill or raise its focal_mm.")


def look_at_light(image: NDArray[np.uint8], alpha: NDArray[np.float32]) -> None:
    """Raises SpoiltPhoto where the piece in the picture (h, w, 3) is black, or nearly all around it is."""
    light = image.max(axis=2)
    if np.percentile(light[alpha > 0.5 * alpha.max()], 98) < BLACK:
        raise SpoiltPhoto("The piece is black: raise the shot's exposure, or give its rig lights that reach the piece.")
    if np.percentile(light, 80) < 1:
        raise SpoiltPhoto("The picture is black all over: raise the shot's exposure, or give its rig more light.")
