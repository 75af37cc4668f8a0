"""Seeded noise for surfaces: smooth fields of random numbers, the same at every size of the picture.

Everything is measured in shorter sides of the picture: a field of 8 cells has eight random numbers along the shorter
side, whatever that side has of pixels. A lattice of random numbers is made smooth by repeated doubling with the mask
[1 4 6 4 1] / 8, which is the subdivision of the uniform cubic B-spline (Lane and Riesenfeld, "A theoretical
development for the computer generation and display of piecewise polynomial surfaces", IEEE PAMI 2(1), 1980) and what
`cv2.pyrUp` does: such fields have two smooth derivatives, so no lattice is seen in the normals.
"""

import math
from dataclasses import dataclass

import numpy as np

from jewel_assets.promote.scene import Array

SPLINE_DEVIATION = 151 / 315
"""Standard deviation of a cubic B-spline over a plane lattice of numbers of deviation 1: (151/315 per axis)^2, root."""

MARGIN = 3  # lattice cells beyond each edge, so that the doubling's border rule stays outside the picture
OVERSAMPLED = 0.65  # a grid this fine, in pixels of the picture, is brought to its size by interpolation
AVERAGED = 1.6  # a grid this much finer than the picture is averaged, not sampled

Cells = float | tuple[float, float]
"""Cells per shorter side: along both axes, or along x and along y."""


def stream(seed: int, word: str) -> np.random.Generator:
    """Random numbers for one purpose, named by `word`, so that no purpose moves another's numbers."""
    return np.random.Generator(np.random.PCG64([seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF, *word.encode()]))


def smoothstep(low: float, high: float, values: Array) -> Array:
    """0 below `low`, 1 above `high`, 3t^2 - 2t^3 between; `low` may be the larger. A new array."""
    t = values - np.float32(low)
    t *= np.float32(1 / (high - low))
    np.clip(t, 0, 1, out=t)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


@dataclass(frozen=True)
class Field:
    """The picture's plane as noise sees it: `size` (width, height) in pixels and the seed of all randomness."""

    size: tuple[int, int]
    seed: int

    @property
    def short(self) -> int:
        """The shorter side in pixels: the unit of length of everything here."""
        return min(self.size)

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height in shorter sides."""
        return self.size[0] / self.short, self.size[1] / self.short

    def stream(self, word: str) -> np.random.Generator:
        """Random numbers for one purpose."""
        return stream(self.seed, word)

    def coarse(self, cells: int) -> "Field":
        """The same plane, `cells` pixels along its shorter side: for what is smooth."""
        return Field((round(self.extent[0] * cells), round(self.extent[1] * cells)), self.seed)

    def grid(self) -> tuple[Array, Array]:
        """x (1, w) and y (h, 1) of the pixels' middles, in shorter sides from the middle of the picture."""
        width, height = self.size
        x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / self.short
        y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / self.short
        return x.astype(np.float32)[None, :], y.astype(np.float32)[:, None]

    def enlarged(self, field: Array, fine: float = OVERSAMPLED) -> Array:
        """A field on any grid over the whole plane, (h', w') or (h', w', c), at this size.

        Enlarged, it is smooth (cubic B-spline) up to a grid of `fine` of this size, and from there on interpolated:
        0.65 suits what has normals, less is enough for a mask. Made smaller, it is averaged.
        """
        import cv2

        width, height = self.size
        while field.shape[1] < fine * width:
            field = _doubled(field)
        if (field.shape[1], field.shape[0]) == (width, height):
            return np.asarray(field, np.float32)
        way = cv2.INTER_AREA if field.shape[1] > AVERAGED * width else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(field, (width, height), interpolation=way), np.float32)

    def noise(self, word: str, cells: Cells, octaves: int = 1, gain: float = 0.5) -> Array:
        """Fractional Brownian motion (Musgrave, in "Texturing and Modeling", 3rd ed., ch. 14): (h, w), mean about 0,
        deviation about 1. Each of the `octaves` has twice the cells and `gain` times the strength of the last."""
        import cv2

        width, height = self.size
        across, down = cells if isinstance(cells, tuple) else (cells, cells)
        chance = self.stream(word)
        shape = (int(np.ceil(down * self.extent[1])) + 2 * MARGIN, int(np.ceil(across * self.extent[0])) + 2 * MARGIN)
        field = chance.standard_normal(shape, dtype=np.float32)
        factor, strength, power = 1, 1.0, 1.0
        for _ in range(1, octaves):
            field = np.asarray(cv2.pyrUp(field), np.float32)
            factor *= 2
            strength *= gain
            power += strength**2
            if factor * min(across, down) <= 2 * self.short:  # finer than half a pixel: it averages out
                detail = chance.standard_normal(field.shape, dtype=np.float32)
                field += detail * np.float32(strength)
        field *= np.float32(1 / (SPLINE_DEVIATION * np.sqrt(power)))
        # Every axis is doubled once at least, which makes a spline of the last numbers. Drawn-out noise is doubled
        # along its coarse axis first, while the lattice is small.
        wanted = OVERSAMPLED * self.short / factor
        doublings = [max(1, math.ceil(math.log2(wanted / along))) for along in (down, across)]
        for axis in (0, 1):
            for _ in range(doublings[axis] - min(doublings)):
                field = _doubled_along(field, axis)
        for _ in range(min(doublings)):
            field = np.asarray(cv2.pyrUp(field), np.float32)
        times = [factor * 2**count for count in doublings]
        box = round(down * times[0] * self.extent[1]), round(across * times[1] * self.extent[0])
        above, left = MARGIN * times[0], MARGIN * times[1]
        field = field[above : above + box[0], left : left + box[1]]
        if box == (height, width):
            return np.ascontiguousarray(field)
        way = cv2.INTER_AREA if box[1] > AVERAGED * width and box[0] > AVERAGED * height else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(field, (width, height), interpolation=way), np.float32)


def warped(image: Array, dx: Array, dy: Array) -> Array:
    """`image` read at each pixel's place plus (`dx`, `dy`), in pixels of `image`, edges mirrored. All (h, w).

    Domain warping: Quilez, "Domain warping", 2002, https://iquilezles.org/articles/warp.
    """
    import cv2

    height, width = image.shape[:2]
    columns = dx + np.arange(width, dtype=np.float32)[None, :]
    rows = dy + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32)


def _doubled_along(field: Array, axis: int) -> Array:
    """Subdivision along one axis: old samples become (1, 6, 1) / 8, new ones between them (1, 1) / 2."""
    if axis == 1:
        return np.ascontiguousarray(_doubled_along(np.ascontiguousarray(field.T), 0).T)
    padded = np.concatenate([field[:1], field, field[-1:]])
    doubled = np.empty((2 * field.shape[0], field.shape[1]), np.float32)
    doubled[0::2] = (padded[:-2] + padded[2:]) * np.float32(0.125) + padded[1:-1] * np.float32(0.75)
    doubled[1::2] = (padded[1:-1] + padded[2:]) * np.float32(0.5)
    return doubled


def _doubled(field: Array) -> Array:
    """Subdivision along both axes of a field whose numbers stand in the middles of pixels, edges held."""
    import cv2

    padded = cv2.copyMakeBorder(field, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    height, width = field.shape[:2]
    up = cv2.pyrUp(padded)
    # Middles of the new pixels lie a quarter of an old pixel beside the old ones: between even and odd samples.
    pairs = up[3 : 4 + 2 * height, 3 : 4 + 2 * width]
    halves = (pairs[:-1] + pairs[1:]) * np.float32(0.5)
    return np.asarray((halves[:, :-1] + halves[:, 1:]) * np.float32(0.5), np.float32)
