"""What every style of plate is made with: its seeded plane, its palette in linear light, and normals from a relief."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import linear, mixed
from jewel_assets.promote.scene import Array, Colour, Palette, Plate

FOLD_CELLS = 256  # pixels along the shorter side of the grid on which large, smooth forms are made


@dataclass(frozen=True)
class Dyes:
    """A palette in linear light."""

    ground: Colour
    shade: Colour
    accent: Colour

    @classmethod
    def of(cls, palette: Palette) -> "Dyes":
        """The palette's colours of surface, depth and accent."""
        return cls(linear(palette.ground), linear(palette.shade), linear(palette.accent))


@dataclass(frozen=True)
class Style:
    """One kind of surface: its name, a line that says what it looks like, and what makes it."""

    name: str
    says: str
    make: Callable[[Dyes, Field], Plate]


def normals_of(height: Array, extra: tuple[Array, Array] | None = None) -> Array:
    """Unit normals (h, w, 3) of a relief in pixels, by central differences: (-dz/dx, -dz/dy, 1).

    `extra` are slopes dz/dx and dz/dy of detail that is too small for shadows, (h, w) each.
    """
    import cv2

    slopes = (
        cv2.Sobel(height, cv2.CV_32F, *axes, ksize=1, scale=0.5, borderType=cv2.BORDER_REPLICATE)
        for axes in ((1, 0), (0, 1))
    )
    dx, dy = (np.asarray(slope, np.float32) for slope in slopes)
    if extra is not None:
        dx += extra[0]
        dy += extra[1]
    return normals_from_slopes(dx, dy)


def normals_from_slopes(dx: Array, dy: Array) -> Array:
    """Unit normals (h, w, 3) of slopes dz/dx and dz/dy, (h, w) each."""
    import cv2

    length = dx * dx
    length += dy * dy
    length += 1
    np.sqrt(length, out=length)
    nz = np.reciprocal(length, out=length)
    return np.asarray(cv2.merge([dx * -nz, dy * -nz, nz]), np.float32)


def tinted(low: Colour, high: Colour, share: Array, strength: Array | None = None) -> Array:
    """Albedo (h, w, 3) in 0..1: `low` where `share` (h, w) is 0, `high` where it is 1; times `strength` (h, w)."""
    import cv2

    channels = []
    for a, b in zip(low, high, strict=True):
        channel = share * np.float32(b - a)
        channel += np.float32(a)
        if strength is not None:
            channel *= strength
        channels.append(np.clip(channel, 0, 1, out=channel))
    return np.asarray(cv2.merge(channels), np.float32)


def brighter(colour: Colour, share: float) -> Colour:
    """The colour mixed with its own hue at full strength: it stays clean where white or an accent would grey it."""
    top = max(*colour, 1e-4)
    return mixed(colour, (colour[0] / top, colour[1] / top, colour[2] / top), share)


def calm(field: Field, inner: float = 0.12, outer: float = 0.62) -> Array:
    """0 where the piece lies, 1 far from it, (h, w): distances in shorter sides from the middle."""
    x, y = field.grid()
    return smoothstep(inner, outer, np.sqrt(x * x + y * y))


def flat(field: Field) -> Array:
    """A height of nothing, (h, w)."""
    return np.zeros((field.size[1], field.size[0]), np.float32)
