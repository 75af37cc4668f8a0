"""What a promotional image is made of before it is a picture: a plate (the surface), a rig (its light).

Coordinates are those of the image: x to the right, y down, z towards the viewer; lengths in pixels unless said
otherwise. Colours are linear light, Rec. 709 primaries, 1.0 = diffuse white; arrays are float32.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Colour = tuple[float, float, float]
"""Linear light, Rec. 709 primaries; 1.0 is diffuse white, a lamp may be brighter."""


def single(values: Any) -> Array:
    """The values as float32, in which everything here is computed; no copy where they are."""
    return np.asarray(values, np.float32)


def low_pass(field: Array, sigma: float) -> Array:
    """The field (h, w) or (h, w, 3) under a Gaussian of `sigma` pixels: a wide one is taken of a smaller picture.

    It differs from the whole computation by 1.5 % of the range of white noise at most, and takes a tenth of the time.
    """
    import cv2

    step = int(sigma / 3)
    height, width = field.shape[:2]
    if step < 3 or min(height, width) < 24 * step:
        return single(cv2.GaussianBlur(field, (0, 0), sigma))
    small = cv2.resize(field, (round(width / step), round(height / step)), interpolation=cv2.INTER_AREA)
    # What the averaging and the interpolation blur by themselves is taken off: a box and a tent of one step each.
    rest = np.sqrt((sigma / step) ** 2 - 1 / 12 - 1 / 6)
    small = cv2.GaussianBlur(small, (0, 0), rest)
    return single(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


@dataclass(frozen=True)
class Plate:
    """A surface that a piece is laid on, as light meets it: without light, shadow or piece.

    `albedo` (h, w, 3) in 0..1; `normals` (h, w, 3) of length 1; `height` (h, w) in pixels towards the viewer, which
    shadows bend over; `roughness` in 0..1 of its highlight (GGX), `specular` its reflectance head on (0.04 for what is
    no metal), `sheen` in 0..1 the strength of what a pile of fibres throws back at grazing angles (Charlie sheen),
    `sheen_roughness` its width. `mirror` in 0..1 is how much of the piece is seen again in it. `emission` (h, w, 3)
    shines by itself. `horizon` is the y (0..1 of the height) at which a floor turns into a wall; None for a surface
    that is seen from above.
    """

    albedo: Array
    normals: Array
    height: Array
    roughness: float = 0.5
    specular: float = 0.04
    sheen: float = 0.0
    sheen_roughness: float = 0.4
    mirror: float = 0.0
    emission: Array | None = None
    horizon: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.albedo.shape[1], self.albedo.shape[0]


@dataclass(frozen=True)
class Lamp:
    """A distant light. `azimuth` in degrees, 0 from the right, 90 from the top; `elevation` 90 is head on."""

    azimuth: float = 120.0
    elevation: float = 50.0
    intensity: float = 1.0
    colour: Colour = (1.0, 1.0, 1.0)
    softness: float = 4.0  # degrees: half the angle under which it is seen; the sun has 0.27, a large softbox 20

    @property
    def direction(self) -> Colour:
        """The unit vector to the lamp."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        flat = math.cos(elevation)
        return (flat * math.cos(azimuth), -flat * math.sin(azimuth), math.sin(elevation))


@dataclass(frozen=True)
class Gobo:
    """What stands between the key lamp and the plate: "window" (a cross), "blinds", "leaves"."""

    kind: str
    scale: float = 1.0
    turn: float = -12.0  # degrees
    blur: float = 1.0  # times the natural blur, which grows with the distance from the lamp


@dataclass(frozen=True)
class Spot:
    """A cone of light: its middle (0..1 of width and height), its radius (0..1 of the longer side), its soft edge."""

    x: float = 0.5
    y: float = 0.5
    radius: float = 0.45
    edge: float = 0.6  # 0..1 of the radius


@dataclass(frozen=True)
class Rig:
    """All light of an image: the first lamp is the key, which casts the shadows; `ambient` comes from everywhere."""

    name: str
    lamps: tuple[Lamp, ...]
    ambient: Colour = (0.25, 0.25, 0.25)
    gobo: Gobo | None = None
    spot: Spot | None = None

    @property
    def key(self) -> Lamp:
        """The lamp whose shadows are seen."""
        return self.lamps[0]


@dataclass(frozen=True)
class Palette:
    """Colours that go together, sRGB as "#rrggbb": the surface, its depths, its accents, and the text on it."""

    name: str
    ground: str
    shade: str
    accent: str
    text: str
    tags: tuple[str, ...] = field(default=())
