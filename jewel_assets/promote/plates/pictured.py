"""Pictures as plates: a photographed texture, or what a network painted, as a surface that our own light falls on.

A picture brings its own light along. Its broad shading is taken out; its fine shading is read as relief, dark for deep,
which is what an eye does with it, too (Langer and Bülthoff, "Depth discrimination from shading under diffuse
lighting", Perception 29, 2000). So lamps, gobos and shadows fall on a picture as on any other plate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels
from jewel_assets.promote.noise import Field
from jewel_assets.promote.plates.style import normals_of
from jewel_assets.promote.scene import Array, Plate, single
from jewel_assets.promote.shading import to_linear, to_srgb
from jewel_assets.themes import theme_of

REFERENCE = 1080
"""Pixels of a plate's shorter side by which is decided how a picture is laid: the same way at every size."""
LARGEST_FILL = 2.0
"""A picture that would be enlarged more than that at REFERENCE is laid out of patches instead: it would be soft."""
PATCHED_SCALE = 1.4
"""Pixels of the plate, at REFERENCE, per pixel of a picture that is laid out of patches."""
PATCH, OVERLAP = 0.5, 0.3
"""Of the picture's shorter side, and of a patch: sides of patches, and how far one lies over the next."""
TOLERANCE = 0.12
"""A patch is chosen among those whose overlap fits at most so much worse than the best one's: else they repeat."""
ALBEDO = 0.62
"""Albedo per linear value of a picture: under the studio's lamps it is then about as bright as it was photographed."""
BRIGHTEST = 0.9
"""Albedo of the brightest two hundredth at the most: nothing but fresh snow throws back more."""
LARGEST_GAIN = 2.5
"""What evening out does at the most to a place: more would be noise of the camera."""
RELIEF = 0.0075
"""Shorter sides by which a surface of relief 1 rises where a place is e times as bright as what is around it."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class Surface:
    """How a pictured surface meets the light: see `Plate`; `relief` in 0..1 is how much of its drawing is relief."""

    roughness: float = 0.7
    specular: float = 0.02
    sheen: float = 0.0
    relief: float = 0.5


PLAIN = Surface()
SURFACES: Mapping[str, Surface] = MappingProxyType(
    {
        # styles of plates
        "velvet": Surface(0.85, 0.004, 0.45, 0.5),
        "silk": Surface(0.45, 0.03, 0.25, 0.35),
        "suede": Surface(0.9, 0.012, 0.3, 0.4),
        "linen": Surface(0.85, 0.01, 0.15, 0.9),
        "marble": Surface(0.3, 0.035, 0.0, 0.03),
        "stone": Surface(0.6, 0.035, 0.0, 0.9),
        "wood": Surface(0.5, 0.03, 0.0, 0.4),
        "minimal": Surface(0.9, 0.012, 0.0, 0.15),
        "gradient": Surface(0.7, 0.015, 0.0, 0.05),
        "paper": Surface(0.85, 0.015, 0.0, 0.5),
        "festive": Surface(0.6, 0.02, 0.0, 0.05),
        "water": Surface(0.2, 0.02, 0.0, 0.3),
        "petals": Surface(0.7, 0.02, 0.1, 0.5),
        # themes of textures
        "enamel": Surface(0.25, 0.045, 0.0, 0.1),
        "filigree": Surface(0.4, 0.05, 0.0, 0.9),
        "gemstone": Surface(0.25, 0.05, 0.0, 0.1),
        "gold": Surface(0.4, 0.06, 0.0, 0.6),
        "hammered": Surface(0.4, 0.06, 0.0, 0.9),
        "leather": Surface(0.55, 0.035, 0.0, 0.7),
        "metal": Surface(0.4, 0.05, 0.0, 0.35),
        "pearl": Surface(0.35, 0.045, 0.0, 0.1),
        "silver": Surface(0.35, 0.06, 0.0, 0.35),
        "textile": Surface(0.85, 0.01, 0.15, 0.9),
    }
)


def surface_of(*words: str) -> Surface:
    """The surface that the first of the words means, a style or any spelling of a theme: "travertine" is marble."""
    for word in words:
        if found := SURFACES.get(word) or SURFACES.get(theme_of(word) or ""):
            return found
    return PLAIN


def pictured(
    picture: Pixels,
    size: tuple[int, int],
    seed: int = 0,
    surface: Surface = PLAIN,
    brightness: float | None = None,
    fills: bool = False,
) -> Plate:
    """The picture, (h', w', 3) uint8 sRGB, as a plate of `size` (width, height) in pixels, seen from above.

    A picture with enough pixels fills the plate once; a smaller one is taken for a texture and laid out of patches, so
    that neither seams nor repeats are seen, unless it `fills` the plate by all means. `seed` chooses what is seen.
    `brightness` in 0..1 is the luminance that the plate's albedo has on average; without it, it stays as bright as it
    is. The same picture, seed and aspect give the same plate, whatever the size.
    """
    field = Field(size, seed)
    fills = fills or enlargement(picture, size) <= LARGEST_FILL
    albedo = _filled(picture, field) if fills else _patched(picture, field)
    albedo *= np.float32(ALBEDO)
    if brightness is not None:
        albedo *= np.float32(np.clip(brightness / max(float((albedo @ LUMINANCE).mean()), 1e-4), 0.25, 4.0))
    albedo *= np.float32(min(1.0, BRIGHTEST / max(float(np.percentile(albedo[::4, ::4].max(axis=2), 99.5)), 1e-4)))
    np.clip(albedo, 0, 1, out=albedo)
    height = _height(albedo, field, surface.relief)
    return Plate(
        albedo,
        normals_of(height),
        height,
        roughness=surface.roughness,
        specular=surface.specular,
        sheen=surface.sheen,
        sheen_roughness=0.5,
    )


def enlargement(picture: Pixels, size: tuple[int, int]) -> float:
    """Pixels of a plate of this aspect, at REFERENCE, per pixel of the picture, if it filled the plate."""
    unit = REFERENCE / min(size)
    return float(max(size[0] * unit / picture.shape[1], size[1] * unit / picture.shape[0]))


def _patched(picture: Pixels, field: Field) -> Array:
    """Patches of the picture over the whole plate, evenly lit, (h, w, 3) linear light."""
    cells = REFERENCE / PATCHED_SCALE
    wanted = round(field.extent[0] * cells), round(field.extent[1] * cells)
    even = to_srgb(_evened(to_linear(picture)))
    return _resized(to_linear(quilted(even, wanted, field.stream("patches"))), field.size)


def _filled(picture: Pixels, field: Field) -> Array:
    """The picture over the whole plate, as much of it as fits, evenly lit, (h, w, 3) linear light."""
    import cv2

    width, height = field.size
    chance = field.stream("crop")
    # Pixels of the picture per pixel of the plate.
    unit = REFERENCE / field.short / enlargement(picture, field.size)
    wide, high = min(width * unit, picture.shape[1]), min(height * unit, picture.shape[0])
    left, top = (picture.shape[1] - wide) * chance.random(), (picture.shape[0] - high) * chance.random()
    rows = slice(round(top), max(round(top) + 1, round(top + high)))
    columns = slice(round(left), max(round(left) + 1, round(left + wide)))
    part = np.ascontiguousarray(picture[rows, columns])
    if max(part.shape[:2]) > 4 * max(width, height):  # most of a huge picture averages out: not all in float32
        part = np.asarray(cv2.resize(part, (2 * width, 2 * height), interpolation=cv2.INTER_AREA), np.uint8)
    return _evened(_resized(to_linear(part), field.size))


def _resized(light: Array, size: tuple[int, int]) -> Array:
    import cv2

    smaller = light.shape[1] > size[0]
    found = cv2.resize(light, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return np.maximum(single(found), 0)


def quilted(picture: Pixels, size: tuple[int, int], chance: np.random.Generator) -> Pixels:
    """A texture of `size` (width, height) out of patches of the picture, (h, w, 3) uint8.

    Image quilting (Efros and Freeman, "Image quilting for texture synthesis and transfer", SIGGRAPH 2001): each patch
    is one that fits what lies there already, and is cut along the line on which it differs least from that.
    """
    import cv2

    side = max(8, round(PATCH * min(picture.shape[:2])))
    side = min(side, *picture.shape[:2])
    over = max(2, round(OVERLAP * side))
    step = side - over
    columns, rows = (max(1, -(-(length - over) // step)) for length in size)
    example = picture.astype(np.float32)
    canvas = np.zeros((rows * step + over, columns * step + over, 3), np.float32)
    known = np.zeros(canvas.shape[:2], np.float32)
    for row in range(rows):
        for column in range(columns):
            place = slice(row * step, row * step + side), slice(column * step, column * step + side)
            there, mask = canvas[place], known[place]
            patch = _fitting(example, there, mask, chance)
            share = np.ones((side, side), np.float32)
            if column:
                share[:, :over] = np.minimum(share[:, :over], _cut(patch[:, :over], there[:, :over]))
            if row:
                cut = _cut(patch[:over].transpose(1, 0, 2), there[:over].transpose(1, 0, 2)).T
                share[:over] = np.minimum(share[:over], cut)
            share = np.where(mask > 0, np.asarray(cv2.GaussianBlur(share, (0, 0), 1.2), np.float32), np.float32(1))
            canvas[place] = there + (patch - there) * share[..., None]
            known[place] = 1
    return np.rint(canvas[: size[1], : size[0]]).astype(np.uint8)


def _fitting(example: Array, there: Array, mask: Array, chance: np.random.Generator) -> Array:
    """A patch of the example as large as `there`, that fits it where `mask` is 1."""
    import cv2

    side = there.shape[0]
    if not mask.any():
        top, left = (int(chance.integers(0, length - side + 1)) for length in example.shape[:2])
    else:
        # Half the size finds the same patches in a quarter of the time.
        small, target = cv2.resize(example, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), there[::2, ::2]
        weight = np.repeat(mask[::2, ::2, None], 3, axis=2)
        blurred = single(cv2.resize(there, target.shape[1::-1], interpolation=cv2.INTER_AREA))
        errors = np.maximum(cv2.matchTemplate(small, blurred, cv2.TM_SQDIFF, mask=weight), 0)
        limit = float(errors.min()) * (1 + TOLERANCE) ** 2 + 1e-3
        rows, columns = np.nonzero(errors <= limit)
        one = int(chance.integers(0, len(rows)))
        top, left = min(2 * rows[one], example.shape[0] - side), min(2 * columns[one], example.shape[1] - side)
    return example[top : top + side, left : left + side]


def _cut(patch: Array, there: Array) -> Array:
    """1 right of the line from top to bottom along which the two (h, over, 3) differ least, 0 left of it: (h, over)."""
    error = ((patch - there) ** 2).sum(axis=2)
    height, over = error.shape
    framed = np.pad(error, ((0, 0), (1, 1)), constant_values=np.inf)  # no line leaves the overlap
    for row in range(1, height):
        before = framed[row - 1]
        framed[row, 1:-1] += np.minimum(np.minimum(before[:-2], before[1:-1]), before[2:])
    total = framed[:, 1:-1]
    line: NDArray[np.intp] = np.empty(height, np.intp)
    line[-1] = int(total[-1].argmin())
    for row in range(height - 2, -1, -1):
        low = max(0, int(line[row + 1]) - 1)
        line[row] = low + int(total[row, low : line[row + 1] + 2].argmin())
    return (np.arange(over)[None] >= line[:, None]).astype(np.float32)


def _evened(light: Array) -> Array:
    """The picture (h, w, 3) without the light that fell on it unevenly: a lamp from one side, a lens that darkens.

    A cubic surface is fitted to the logarithm of its luminance, bright and dark marks counting little (Huber's
    weights), and divided out. What is smaller than such a surface stays: clouds and veins of a stone, folds of a cloth.
    """
    import cv2

    small = cv2.resize(light, (48, 48), interpolation=cv2.INTER_AREA)
    logs = np.log(small @ LUMINANCE + 0.01).astype(np.float64).ravel()
    weights = np.ones_like(logs)
    terms = _cubic(48, 48)
    surface = np.zeros_like(logs)
    for _ in range(4):
        factors, *_ = np.linalg.lstsq(terms * weights[:, None], logs * weights, rcond=None)
        surface = terms @ factors
        away = np.abs(logs - surface)
        spread = max(1.345 * 1.4826 * float(np.median(away)), 1e-4)
        weights = np.sqrt(np.minimum(1, spread / np.maximum(away, 1e-9)))
    gain = np.exp(surface.mean() - surface).reshape(48, 48).astype(np.float32)
    wide = cv2.resize(gain, (light.shape[1], light.shape[0]), interpolation=cv2.INTER_CUBIC)
    return single(light * np.clip(wide, 1 / LARGEST_GAIN, LARGEST_GAIN)[..., None])


def _cubic(height: int, width: int) -> NDArray[np.float64]:
    """The ten products of x and y up to the third degree, (h * w, 10), in -1..1."""
    y, x = (axis.ravel() for axis in np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij"))
    return np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], axis=1)


def _height(albedo: Array, field: Field, relief: float) -> Array:
    """Pixels towards the viewer, (h, w): what is brighter than its surroundings stands out."""
    import cv2

    if relief <= 0:
        return np.zeros(albedo.shape[:2], np.float32)
    logs = np.log(single(albedo @ LUMINANCE) + np.float32(0.03))
    fine = cv2.GaussianBlur(logs, (0, 0), max(0.4, 0.0009 * field.short))
    broad = cv2.GaussianBlur(logs, (0, 0), max(0.8, 0.011 * field.short))
    band = np.asarray(fine - broad, np.float32)
    return np.tanh(band) * np.float32(relief * RELIEF * field.short)
