"""Shadows and reflections on a plain ground: what fades into it, and the shards a reflection leaves behind."""

import numpy as np
from numpy.typing import NDArray

from jewel_assets.clean.removal.remover import Alpha, Mask

FADING_SHARE = 0.25  # of its outline: a smooth area that fades into the ground along more than this is a shadow
SHARD_DELTA_E = 40.0  # from the ground: what is left of a reflection is fainter
BESIDE_SHADOW = 0.3  # of its outline: a faint area that lies along a broad shadow for more than this belongs to it
DOUBTED = 0.6  # a network's probability: below it half of that is enough
MIRRORED_SHARE = 0.3  # of the contrast of the rest: a reflection is far fainter than what it mirrors
LOOSE_CONTRAST = 0.7  # of the main part's mean Delta-E: a loose part by a shadow with less is a reflection


def grow_through_shade(outside: Mask, shade: Mask, alike: Mask, labels: NDArray[np.int32], count: int) -> Mask:
    """`outside` with the shadows that fade into it, and the ground-coloured areas behind those shadows."""
    import cv2

    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for _ in range(3):  # a shadow may lie behind a shadow; deeper than that is no shadow any more
        areas, area_of = cv2.connectedComponents((shade & ~outside).view(np.uint8), connectivity=4)
        if areas < 2:
            break
        touching = cv2.dilate(outside.view(np.uint8), cross) > 0
        inner = cv2.erode((area_of > 0).view(np.uint8), cross) > 0
        outline = np.bincount(area_of[~inner], minlength=areas)
        fading = np.bincount(area_of[touching], minlength=areas)
        accepted = fading > FADING_SHARE * np.maximum(outline, 1)
        accepted[0] = False
        if not accepted.any():
            break
        outside = outside | accepted[area_of]
        behind = labels[(cv2.dilate(outside.view(np.uint8), cross) > 0) & alike]
        outside |= members(labels, count, behind[behind > 0])
    return outside


def swallow_reflections(outside: Mask, shadow: Mask, distance: NDArray[np.float32], coarse: Alpha | None) -> Mask:
    """`outside` with what is left of a reflection: faint areas beside a broad `shadow` that was accepted already.

    A reflection is smooth inside and ends in edges of its own; those stay behind as pale shards. They are fainter than
    the piece, lie below its middle and along the shadow, and where the network is asked it doubts them. A pale piece
    that a shadow surrounds is faint too, but then nothing is left that it could mirror.
    """
    import cv2

    broad = cv2.morphologyEx(shadow.view(np.uint8), cv2.MORPH_OPEN, disc(2))
    if not broad.any():
        return outside
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    near = cv2.dilate(broad, disc(1)) > 0
    weak = distance < SHARD_DELTA_E
    heights = np.arange(outside.shape[0])
    profile = np.where(outside, 0, distance).sum(axis=1)
    below = np.broadcast_to((heights > profile @ heights / max(float(profile.sum()), 1e-6))[:, None], outside.shape)
    passes = [(weak, BESIDE_SHADOW)]
    if coarse is not None:
        passes.append((weak & (coarse < DOUBTED), BESIDE_SHADOW / 2))
    for candidates, least in passes:
        faint = ~outside & candidates
        count, labels = cv2.connectedComponents(faint.view(np.uint8), connectivity=4)
        rim = faint & ~(cv2.erode(faint.view(np.uint8), cross) > 0)
        outline = np.bincount(labels[rim], minlength=count)
        gone = np.bincount(labels[rim & near], minlength=count) > least * np.maximum(outline, 1)
        area = np.bincount(labels.ravel(), minlength=count)
        gone &= 2 * np.bincount(labels[below], minlength=count) > area
        gone[0] = False
        mirrored = gone[labels]
        if distance[mirrored].sum() < MIRRORED_SHARE * distance[~(outside | mirrored)].sum():
            outside = outside | mirrored
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((~outside).view(np.uint8), connectivity=8)
    area = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    strength = np.bincount(labels.ravel(), weights=distance.ravel(), minlength=count)
    strength[0] = 0
    main = strength.argmax()
    limit = np.full(count, LOOSE_CONTRAST)
    if coarse is not None:
        limit[np.bincount(labels.ravel(), weights=coarse.ravel(), minlength=count) < 0.4 * area] = 1.2
    beside = np.bincount(labels[cv2.dilate(broad, disc(3)) > 0], minlength=count)
    foot = boxes[main, 1] + boxes[main, 3]
    mirrored = (boxes[:, 1] >= foot - 0.02 * outside.shape[0]) & (strength < 0.5 * strength[main])
    gone = (beside > 0.1 * area) & (strength < 0.1 * strength[main]) | (beside > 0) & mirrored
    gone &= strength / area < limit * strength[main] / area[main]
    gone[0] = False
    return np.asarray(outside | gone[labels])


def members(labels: NDArray[np.int32], count: int, chosen: NDArray[np.int32]) -> Mask:
    """The mask (h, w) of the chosen labels out of `count`."""
    table = np.zeros(count, bool)
    table[chosen] = True
    return np.asarray(table[labels])


def disc(radius: int) -> NDArray[np.uint8]:
    """A round structuring element of this radius in pixels."""
    import cv2

    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
