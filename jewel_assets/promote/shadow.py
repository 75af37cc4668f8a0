"""The shadows that tie a piece to what it lies on, and its reflection where that shines."""

import math

import numpy as np

from jewel_assets.promote.scene import Array, Lamp, single

LAYERS = (0.12, 0.3, 0.5, 0.75, 0.93)
"""Heights, as shares of the piece's own, of the slices whose shadows add up to its shadow. Of the very top there is
next to nothing."""
STEP = 2.0  # pixels
CONTACT_REACH = 0.010
"""How far the darkness of contact reaches, as a share of the plate's shorter side."""


def cast_lying(alpha: Array, height: Array, lamp: Lamp, from_ground: bool = True) -> Array:
    """(h, w) how much of the lamp each place of the plate sees, 0..1, below a piece that lies on it.

    The piece is cut into slices by height; the shadow of a slice z pixels up is moved by z / tan(elevation) away from
    the lamp and is as soft as the lamp is wide: its penumbra is z times the lamp's angle. A slice is as thick as it is
    far to the next one below, so that no light comes between them. Slices are combined by the darkest, since one lies
    over the other. What is not `from_ground` has nothing below its lowest part.
    """

    x, y, z = lamp.direction
    top = float(height.max())
    if top <= 0:
        return np.ones_like(alpha)
    spread = math.tan(math.radians(lamp.softness)) / max(z, 0.2)
    darkest = np.zeros_like(alpha)
    lowest = float(height[height > 0].min())
    below = foot = 0.0 if from_ground else lowest
    for share in LAYERS:
        level = share * top
        if not from_ground and level < lowest:
            continue
        slice_ = np.where(height >= level * 0.98, alpha, 0.0).astype(np.float32) if level > lowest else alpha
        soft = 0.6 + level * spread
        start = max(foot, below - 2 * soft * z / max(math.hypot(x, y), 1e-6))  # blurred, it still meets the one below
        swept = _swept(slice_, (-x / z * (start - level), -y / z * (start - level)))
        moved = _moved(swept, (-x / z * level, -y / z * level))
        np.maximum(darkest, _blurred(moved, soft), out=darkest)
        below = level
    return 1 - darkest


def _moved(plane: Array, way: tuple[float, float]) -> Array:
    """The plane (h, w) moved by `way` (columns, rows); zero comes in."""
    import cv2

    move = np.array([[1, 0, way[0]], [0, 1, way[1]]], np.float32)
    return single(cv2.warpAffine(plane, move, plane.shape[::-1], flags=cv2.INTER_LINEAR, borderValue=0.0))


def _swept(plane: Array, way: tuple[float, float]) -> Array:
    """The largest value that each place sees while the plane is moved by `way`, in steps of STEP pixels.

    What was swept so far is moved by as much as it was swept: the way doubles with every step.
    """
    length = math.hypot(*way)
    done = min(STEP, length)
    while length > STEP:
        step = min(done, length - done)
        plane = np.maximum(plane, _moved(plane, (way[0] * step / length, way[1] * step / length)))
        done += step
        if done >= length - 1e-3:
            break
    return plane


def cast_standing(alpha: Array, base: float, lamp: Lamp, tilt: float = 15.0) -> Array:
    """(h, w) how much of the lamp each place sees, where the piece stands on a floor at the row `base`.

    The floor is seen from `tilt` degrees above. What stands z pixels high throws its shadow z / tan(elevation) along
    the floor, away from the lamp, shortened by the view; it grows softer with z.
    """
    import cv2

    rows, columns = alpha.shape
    x, y, z = lamp.direction
    flat = math.hypot(x, y)
    # On the floor the lamp stands behind the piece (y < 0: light from the top of the image) or before it.
    run = flat / max(z, 0.25)
    along, away = -x / max(flat, 1e-6) * run, -y / max(flat, 1e-6) * run * math.sin(math.radians(tilt))
    away = max(abs(away), 0.12) * (1.0 if away >= 0 else -1.0)
    # A place (px, py) of the shadow comes from height H = (py - base) / away, column px - along * H.
    inverse = np.array([[1.0, -along / away, along / away * base], [0.0, -1.0 / away, base + base / away]], np.float32)
    thrown = single(
        cv2.warpAffine(alpha, inverse, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=0.0)
    )
    ys = np.arange(rows, dtype=np.float32)[:, None]
    up = np.clip((ys - base) / away, 0, None)
    softness = math.tan(math.radians(lamp.softness + 1.0))
    near, far = _blurred(thrown, 1.5), _blurred(thrown, 2.0 + 0.5 * rows * 0.3 * softness)
    share = np.clip(up / (0.4 * rows), 0, 1)
    below = (ys >= base - 2).astype(np.float32) if away > 0 else 1.0
    return single(1 - np.clip(near * (1 - share) + far * share, 0, 1) * (1 - 0.45 * share) * below)


def contact(alpha: Array, base: float | None = None) -> Array:
    """(h, w) how much of the light from everywhere is left around the piece, 0..1: darkest where it touches.

    Lying, it touches all along its outline; standing at the row `base`, only there.
    """
    reach = CONTACT_REACH * min(alpha.shape)
    if base is None:
        near, wide = _blurred(alpha, reach), _blurred(alpha, 4 * reach)
        return single(1 - np.clip(0.50 * near + 0.42 * wide, 0, 0.9))
    import cv2

    rows, columns = alpha.shape
    foot = alpha.copy()
    foot[: max(0, int(base - 6 * reach))] = 0
    flat = np.array([[1, 0, 0], [0, 0.28, base * 0.72]], np.float32)
    pressed = single(cv2.warpAffine(foot, flat, (columns, rows), flags=cv2.INTER_AREA, borderValue=0.0))
    dark = 1.1 * _blurred(pressed, 0.7 * reach) + 0.9 * _blurred(pressed, 3.0 * reach)
    return single(1 - np.clip(dark, 0, 0.92))


def reflected(rgb: Array, alpha: Array, base: float, strength: float, gloss: float) -> tuple[Array, Array]:
    """The piece seen in the floor below the row `base`: premultiplied colours (h, w, 3) and their opacity (h, w).

    It fades with the distance from the floor and blurs by `1 - gloss`.
    """
    import cv2

    rows, columns = alpha.shape
    flip = np.array([[1, 0, 0], [0, -1, 2 * base]], np.float32)
    stacked = np.dstack([rgb * alpha[..., None], alpha]).astype(np.float32)
    mirrored = single(cv2.warpAffine(stacked, flip, (columns, rows), flags=cv2.INTER_LINEAR))
    ys = np.arange(rows, dtype=np.float32)[:, None]
    fade = strength * np.exp(-np.clip(ys - base, 0, None) / (0.16 * rows)) * (ys >= base)
    blurred = _blurred(mirrored, 0.8 + (1 - gloss) * 0.012 * rows)
    return blurred[..., :3] * fade[..., None], blurred[..., 3] * fade


def _blurred(plane: Array, sigma: float) -> Array:
    """A Gaussian blur; a wide one is computed on a smaller picture, where it costs nothing and shows nothing."""
    import cv2

    step = 1 if sigma < 6 else 2 if sigma < 14 else 4 if sigma < 30 else 8
    if step == 1:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), max(sigma, 0.3)), np.float32)
    rows, columns = plane.shape[:2]
    small = cv2.resize(plane, (max(1, columns // step), max(1, rows // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32)
