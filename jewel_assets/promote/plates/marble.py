"""Marble: a polished slab with a few irregular veins that part and meet, swell and fade, and hairlines between them.

Veins are drawn as wandering strokes with companions that leave and rejoin them, and links from one to the next; then
the whole slab is bent by a warp at several scales (domain warping, Quilez 2002). So they are as crooked as cracks are
and still run somewhere, which noise alone does not.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels
from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import luminance, mixed
from jewel_assets.promote.plates.style import Dyes, Style, brighter, flat, normals_of
from jewel_assets.promote.scene import Array, Plate

SLAB_CELLS = 900  # pixels along the shorter side of the drawing of the veins
WORK_CELLS = 720  # of the warp
MARGIN = 0.16  # shorter sides of slab beyond each edge, for the warp to read
STEPS = 150  # of a stroke
WIDEST = 0.013 * SLAB_CELLS  # pixels of a stroke

Path = NDArray[np.float64]


def make(dyes: Dyes, field: Field) -> Plate:
    """Bold veins with a cloudy side, fine veins, a slow drift of the ground's colour; polished."""
    import cv2

    drawn_bold, drawn_fine = _drawn(field)
    work = field.coarse(WORK_CELLS)
    dx = work.noise("warp x", 2.2, 7, 0.53) * np.float32(0.034 * WORK_CELLS)
    dy = work.noise("warp y", 2.2, 7, 0.53) * np.float32(0.034 * WORK_CELLS)
    half = field.coarse(WORK_CELLS // 2)
    worn = work.enlarged(smoothstep(-2.4, 0.7, half.noise("worn", 7, 5, 0.7)))
    sharp = _bent(drawn_bold, work, dx, dy)
    seeped = _seeped(sharp, half)
    bold = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 2.2), np.float32) * np.float32(0.45)
    bold += sharp * np.float32(0.7)
    bold *= worn
    fine = _bent(drawn_fine, work, dx, dy) * work.enlarged(smoothstep(-0.8, 1.2, half.noise("worn fine", 4, 3)))
    cloud = smoothstep(-1.6, 2.4, half.noise("cloud", (1.5, 2.1), 6, 0.5)) * np.float32(0.30)
    dark = luminance(dyes.ground) < 0.18
    if dark:
        ground, depth = mixed(dyes.shade, dyes.ground, 0.5), mixed(dyes.shade, brighter(dyes.ground, 0.12), 0.9)
        vein, warm = mixed(dyes.accent, (0.9, 0.9, 0.9), 0.5), dyes.accent
    else:
        ground, depth = mixed(dyes.ground, (0.92, 0.92, 0.92), 0.25), mixed(dyes.shade, (0.26, 0.26, 0.28), 0.45)
        vein, warm = mixed(dyes.shade, (0.03, 0.03, 0.035), 0.72), mixed(dyes.accent, dyes.shade, 0.2)
    soft = field.enlarged(np.clip(seeped * np.float32(0.5 if dark else 1.1) + cloud, 0, 0.8))
    bold *= np.float32(0.92 if dark else 0.72)
    fine *= np.float32(0.50 if dark else 0.38)
    veined = field.enlarged(np.clip(bold + fine, 0, 1))
    warmth = field.enlarged(np.clip(seeped * np.float32(0.8), 0, 0.75))
    channels = []
    for channel in range(3):
        tone = warmth * np.float32(warm[channel] - vein[channel])
        tone += np.float32(vein[channel])
        base = soft * np.float32(depth[channel] - ground[channel])
        base += np.float32(ground[channel])
        tone -= base
        tone *= veined
        base += tone
        channels.append(np.clip(base, 0, 1, out=base))
    albedo = np.asarray(cv2.merge(channels), np.float32)
    polish = field.enlarged(field.coarse(128).noise("polish", 5) * np.float32(0.0008 * field.short))
    return Plate(albedo, normals_of(polish), flat(field), roughness=0.3, specular=0.035, mirror=0.16)


def _drawn(field: Field) -> tuple[Pixels, Pixels]:
    """Bold and fine veins as strokes on a slab a margin larger than the picture, 0..255."""
    chance = field.stream("veins")
    heading = math.radians(chance.uniform(28, 62)) * chance.choice([-1, 1])
    width, height = (round((side + 2 * MARGIN) * SLAB_CELLS) for side in field.extent)
    bold, fine = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    middle, reach = np.array([width, height]) / 2, math.hypot(width, height) / 2
    run = np.array([math.cos(heading), math.sin(heading)])
    across = np.array([-run[1], run[0]])
    count = 3 + int(chance.integers(2))
    veins = []
    for number in range(count):
        place = ((number + 0.5) / count * 2 - 1 + chance.uniform(-0.7, 0.7) / count) * 0.8
        start = middle + across * reach * place - run * reach * 1.1
        vein = _wandering(start, heading + chance.uniform(-0.12, 0.12), reach * 2.2, 0.10, chance)
        thick = SLAB_CELLS * 0.006 * math.exp(chance.normal(-0.1, 0.6))
        _stroke(bold, vein, thick, 0.75, chance)
        for _ in range(2 + int(chance.integers(3))):  # companions leave the vein and come back to it
            part = _part(vein, chance)
            shift = SLAB_CELLS * chance.uniform(0.02, 0.09) * chance.choice([-1, 1])
            beside = _beside(part, shift, chance)
            canvas = bold if chance.random() < 0.35 else fine
            _stroke(canvas, beside, thick * chance.uniform(0.15, 0.5), 0.7, chance, tapers=True)
        veins.append(vein)
    for first, second in pairwise(veins):
        for _ in range(2):
            start, end = first[chance.integers(STEPS)], second[chance.integers(STEPS)]
            if np.linalg.norm(end - start) < 0.9 * SLAB_CELLS:
                heading_to = math.atan2(*(end - start)[::-1])
                link = _wandering(start, heading_to, float(np.linalg.norm(end - start)), 0.06, chance)
                link += (end - link[-1]) * np.linspace(0, 1, STEPS)[:, None]
                _stroke(fine, link, SLAB_CELLS * 0.0022, 0.8, chance)
    for _ in range(7):
        start = middle + np.array([width, height]) * chance.uniform(-0.5, 0.5, 2)
        hair = _wandering(start, heading + chance.normal(0, 0.45), reach * chance.uniform(0.4, 1.0), 0.1, chance)
        _stroke(fine, hair, SLAB_CELLS * 0.0016, 0.6, chance, tapers=True)
    return bold, fine


def _wandering(start: Path, heading: float, length: float, wander: float, chance: np.random.Generator) -> Path:
    """A path (STEPS, 2) along `heading` that strays sideways by about `wander` as a random walk does.

    `wander` is a share of the slab's shorter side, or of `length` where that is less.
    """
    stray = np.cumsum(np.convolve(chance.normal(0, 1, STEPS + 12), np.ones(13) / 13, "valid"))
    stray -= np.linspace(stray[0], stray[-1], STEPS) * 0.7
    stray *= wander * min(SLAB_CELLS, length) / max(float(np.abs(stray).max()), 1e-6)
    along = np.linspace(0, length, STEPS)
    run = np.array([math.cos(heading), math.sin(heading)])
    return np.asarray(start + along[:, None] * run + stray[:, None] * np.array([-run[1], run[0]]), np.float64)


def _part(vein: Path, chance: np.random.Generator) -> Path:
    length = int(chance.integers(STEPS // 6, STEPS // 2))
    start = int(chance.integers(0, STEPS - length))
    places = np.linspace(start, start + length - 1, STEPS)
    return np.stack([np.interp(places, np.arange(STEPS), vein[:, axis]) for axis in range(2)], 1)


def _beside(part: Path, shift: float, chance: np.random.Generator) -> Path:
    """A companion: away from `part` by `shift` at the most, on it at both ends, or astray at one of them."""
    along = np.linspace(0, 1 if chance.random() < 0.55 else 0.55, STEPS)
    away = np.sin(math.pi * along) ** 0.8 * shift * (1 + 0.3 * np.sin(along * chance.uniform(6, 14)))
    tangent = np.gradient(part, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    return np.asarray(part + away[:, None] * np.stack([-tangent[:, 1], tangent[:, 0]], 1), np.float64)


def _stroke(
    canvas: Pixels, path: Path, thick: float, swing: float, chance: np.random.Generator, tapers: bool = False
) -> None:
    """Draws a vein: its width varies by a factor exp(+-swing), its strength comes and goes; one that tapers fades."""
    import cv2

    knots = 14
    swell = np.interp(np.linspace(0, knots - 1, STEPS), np.arange(knots), chance.normal(0, swing, knots))
    level = np.interp(np.linspace(0, knots - 1, STEPS), np.arange(knots), chance.uniform(0.35, 1.25, knots))
    if tapers:
        level *= np.minimum(1, 4.5 * (1 - np.linspace(0, 1, STEPS)))
        swell -= 1.2 * np.linspace(0, 1, STEPS) ** 3
    points = np.rint(path * 16).astype(np.int64)
    for number in range(STEPS - 1):
        wide = min(thick * math.exp(swell[number]), WIDEST)
        value = 255 * min(1.0, level[number]) * min(1.0, max(wide, 0.35))
        ends = [(int(point[0]), int(point[1])) for point in points[number : number + 2]]
        cv2.line(canvas, ends[0], ends[1], value, max(1, round(wide)), cv2.LINE_AA, 4)


def _bent(drawing: Pixels, work: Field, dx: Array, dy: Array) -> Array:
    """The part of the drawing that the picture shows, at the size of `work`, warped; 0..1."""
    import cv2

    scale, margin = np.float32(SLAB_CELLS / WORK_CELLS), MARGIN * WORK_CELLS
    columns = (dx + np.arange(work.size[0], dtype=np.float32)[None, :] + np.float32(margin)) * scale
    rows = (dy + np.arange(work.size[1], dtype=np.float32)[:, None] + np.float32(margin)) * scale
    smooth = cv2.GaussianBlur(drawing, (0, 0), 0.7)
    bent = cv2.remap(smooth, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(bent.astype(np.float32) * np.float32(1 / 255), np.float32)


def _seeped(veins: Array, half: Field) -> Array:
    """What went from the veins into the stone, at the size of `half`: to one side more than to the other."""
    import cv2

    small = cv2.resize(veins, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    near = cv2.GaussianBlur(small, (0, 0), 2.0)
    aside = np.array([[1, 0, 6], [0, 1, 4]], np.float32)
    far = cv2.warpAffine(cv2.GaussianBlur(small, (0, 0), 9), aside, small.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    both = np.asarray(near * np.float32(0.8) + far * np.float32(2.4), np.float32)
    return np.asarray(cv2.resize(both, half.size), np.float32)


STYLE = Style("marble", "a polished slab with few, branching veins", make)
