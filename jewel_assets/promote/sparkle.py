"""Sparkle: the small stars that a lens makes of the brightest highlights of metal and stones.

Light is added, none is moved: the rays are the diffraction of a straight-bladed aperture, all at the same angles, as
one lens has them, longer for red than for blue, and falling off with the square of the distance. They cover the piece
in a few pixels, so strict mode has none; in relit mode the piece is judged in all other pixels, and the record says
where the stars are.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels
from jewel_assets.promote.scene import Array, single
from jewel_assets.promote.shading import to_linear, to_srgb

MOST = 7
"""Stars in an image at a sparkle of 1; more look like tinsel."""
BRIGHT = 0.62  # linear light: what is no brighter is no highlight of a lamp
PROMINENT = 0.16  # linear light by which it must stand out from what lies around it
AROUND = 0.014  # sigma of "around", as a share of the picture's shorter side
APART = 0.075  # of the shorter side, between two stars
EDGE = 3  # pixels from the outline in which a bright spot may be the old background
LENGTH = (0.03, 0.085)  # of a ray, the faintest and the strongest star's, as a share of the shorter side
WAVES = (1.14, 1.0, 0.86)  # red, green and blue light: diffraction grows with the wavelength
LEAST_LIGHT = 0.0004  # linear light below which nothing is added: on black it is one level of 255
LARGEST_SHARE = 0.04
"""Of the piece's pixels that stars may touch: what would touch more is made smaller, or left out."""
SMALLER = (1.0, 0.7, 0.5)  # times its size, that are tried for a star


@dataclass(frozen=True)
class Star:
    """`x`, `y` of its middle in pixels of the image; `size`, how far its rays reach; `strength` in 0..1."""

    x: int
    y: int
    size: float
    strength: float

    def told(self) -> list[float]:
        """x, y and size: for the record."""
        return [self.x, self.y, round(self.size, 1)]


def highlights(laid: Pixels, shorter_side: int) -> list[tuple[int, int, float]]:
    """x, y and strength (0..1) of the near-white spots of a piece (h, w, 4) as it was laid, the strongest first.

    Each is the brightest of its surroundings, stands out from them, and lies inside the outline.
    """
    import cv2

    inside = cv2.distanceTransform((laid[..., 3] == 255).astype(np.uint8), cv2.DIST_L2, 3) > EDGE
    if not inside.any():
        return []
    light = to_linear(laid[..., :3]) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    light = cv2.GaussianBlur(light * inside, (0, 0), 0.9)
    sigma = AROUND * shorter_side
    near = np.maximum(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma), 1e-3)
    prominence = light - cv2.GaussianBlur(light * inside, (0, 0), sigma) / near
    score = np.where(inside & (light > BRIGHT) & (prominence > PROMINENT), light * prominence, 0)
    found = []
    reach = APART * shorter_side
    y, x = np.nonzero(score)
    order = np.argsort(-score[y, x], kind="stable")
    y, x = y[order], x[order]
    while len(x):
        found.append((int(x[0]), int(y[0]), float(score[y[0], x[0]])))
        far = np.hypot(x - x[0], y - y[0]) >= reach
        y, x = y[far], x[far]
    strongest = found[0][2] if found else 1.0
    return [(x, y, value / strongest) for x, y, value in found]


def stars_of(laid: Pixels, at: tuple[int, int], amount: float, shorter_side: int, seed: int) -> list[Star]:
    """The stars of a piece whose upper left corner is `at` (x, y), for a sparkle of 0..1, the strongest first.

    The strongest highlight always has one; the seed chooses the others among twice as many as there may be.
    """
    count = round(MOST * amount) or int(amount > 0)
    if not count:
        return []
    spots = highlights(laid, shorter_side)[: 2 * count]
    if not spots:
        return []
    chance = np.random.Generator(np.random.PCG64(seed))
    weights = np.array([strength for _, _, strength in spots[1:]])
    more = min(count, len(spots)) - 1
    others = chance.choice(len(weights), more, replace=False, p=weights / weights.sum()).tolist() if more else []
    low, high = (share * shorter_side * (0.6 + 0.4 * amount) for share in LENGTH)
    found = []
    for rank, number in enumerate([0, *sorted(one + 1 for one in others)]):
        x, y, strength = spots[number]
        strength *= 0.86**rank  # one leads; the others follow
        found.append(Star(at[0] + x, at[1] + y, low + (high - low) * strength**1.5, strength))
    return found


def sparkled(image: Pixels, stars: Sequence[Star], piece: NDArray[np.bool_], seed: int) -> tuple[Pixels, list[Star]]:
    """The image (h, w, 3) with its stars, and those that were drawn: as far as LARGEST_SHARE of the `piece` allows.

    `piece` (h, w) says where it is. No pixel farther from a star than its size changes.
    """
    if not stars:
        return image, []
    chance = np.random.Generator(np.random.PCG64([seed, 1]))
    rays = int(chance.choice([4, 6]))
    angle = float(np.radians(chance.uniform(8, 32)))
    lengths = chance.uniform(0.86, 1.0, rays)  # no aperture is quite regular
    drawn: list[Star] = []
    result, touched = image.copy(), np.zeros(image.shape[:2], np.bool_)
    left = LARGEST_SHARE * piece.sum()
    for star, smaller in itertools.product(stars, SMALLER):
        if drawn and (drawn[-1].x, drawn[-1].y) == (star.x, star.y):
            continue
        tried = replace(star, size=star.size * smaller)
        box, brighter = _lit(result, tried, rays, angle, lengths)
        new = (brighter != result[box]).any(axis=2) & ~touched[box]
        if (cost := int((new & piece[box]).sum())) <= left:
            left -= cost
            drawn.append(tried)
            touched[box] |= new
            result[box] = brighter
    return result, drawn


def _lit(
    image: Pixels, star: Star, rays: int, angle: float, lengths: NDArray[np.float64]
) -> tuple[tuple[slice, slice], Pixels]:
    """The part of the image that a star reaches: where it is, and how it looks with the star's light."""
    height, width = image.shape[:2]
    reach = int(np.floor(star.size))
    box = (
        slice(max(0, star.y - reach), min(height, star.y + reach + 1)),
        slice(max(0, star.x - reach), min(width, star.x + reach + 1)),
    )
    y = np.arange(box[0].start, box[0].stop, dtype=np.float32)[:, None] - star.y
    x = np.arange(box[1].start, box[1].stop, dtype=np.float32)[None] - star.x
    colour = to_linear(image[star.y, star.x])
    colour = colour / max(float(colour.max()), 1e-3)
    light = np.dstack([_glint(x, y, star, rays, angle, lengths, wave) for wave in WAVES]) * (0.35 + 0.65 * colour)
    brighter = to_srgb(single(to_linear(image[box]) + light))
    seen = light.max(axis=2, keepdims=True) >= LEAST_LIGHT
    return box, np.where(seen, np.maximum(brighter, image[box]), image[box])


def _glint(x: Array, y: Array, star: Star, rays: int, angle: float, lengths: NDArray[np.float64], wave: float) -> Array:
    """The light (h, w) that one star adds in one colour: a bright middle, a faint veil, and its rays."""
    distance = np.hypot(x, y)
    fine = max(0.55, star.size / 60)  # pixels: how wide a ray is
    light = 0.9 * np.exp(-0.5 * (distance / (1.7 * fine * wave)) ** 2)
    light += 0.04 / (1 + (distance / (0.09 * star.size * wave)) ** 2) ** 1.5
    for number in range(rays):
        turn = angle + 2 * np.pi * number / rays
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        fall = 0.15 * star.size * wave * lengths[number]
        ray = 0.95 / (1 + (np.maximum(along, 0) / fall) ** 2)
        light += np.where(along > 0, ray * np.exp(-0.5 * (across / (fine * wave)) ** 2), 0)
    end = np.clip(1 - (distance / star.size) ** 2, 0, 1) ** 2
    return single(light * end * (0.55 + 0.45 * star.strength))
