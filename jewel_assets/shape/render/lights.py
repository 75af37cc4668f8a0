"""Light for jewellery: a dim room with soft boxes in it and black flags, and one soft box near enough to be a shape.

Polished metal and cut stones show nothing but their surroundings, so the room is what makes them look like gold or like
plastic: large bright boxes with sharp borders for the shine, black flags between them for the drawing of the form, and
darkness around the camera, which is where a diamond's contrast comes from. Directions are azimuth and elevation in
degrees, azimuth counted from the camera, so that the light walks round the piece with the photographer.
Strengths are radiances; the exposure is metered, so only their ratios matter.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from jewel_assets.shape.render.cameras import Camera, direction

ROOM_PIXELS = (256, 512)
"""Height and width of the painted room: 0.7 degrees a pixel, sharper than any soft box's border."""


class SoftBox(BaseModel):
    """A rectangular lamp, or with negative strength a black flag that takes light away."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    azimuth: float = Field(description="degrees from the camera, to its right")
    elevation: float = Field(description="degrees above the horizon")
    width: float = Field(gt=0, description="degrees that it spans sideways")
    height: float = Field(gt=0, description="degrees that it spans upwards")
    strength: float = Field(description="radiance in its middle; below zero it is a flag")
    border: float = Field(default=2.0, gt=0, description="degrees over which it fades out")
    falloff: float = Field(default=0.35, ge=0, le=1, description="share by which its corners are dimmer")
    kelvin: float = Field(default=5500.0, ge=2000, le=12000, description="colour temperature")


class Rig(BaseModel):
    """All lights of a shot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    boxes: tuple[SoftBox, ...]
    ceiling: float = Field(default=0.5, ge=0, description="radiance of the room straight above")
    horizon: float = Field(default=0.16, ge=0, description="radiance of the room at the horizon")
    floor: float = Field(default=0.1, ge=0, description="radiance from below, where no stage is")
    camera_shade: float = Field(default=0.85, ge=0, le=1, description="how much darker the room is round the camera")
    overhead: float = Field(default=3.0, ge=0, description="radiance of the near soft box above the piece")
    overhead_size: float = Field(default=3.2, gt=0, description="its side, in radii of the piece")
    overhead_height: float = Field(default=5.0, gt=0, description="its distance, in radii of the piece")
    overhead_lean: float = Field(
        default=22.0, ge=-60, le=85, description="degrees that it stands behind the piece; below zero, before it"
    )


def catalogue_rig() -> Rig:
    """The light of a shop's catalogue: bright from above, strip boxes at the sides, flags that draw the edges."""
    return Rig(
        boxes=(
            SoftBox(azimuth=-66, elevation=36, width=56, height=64, strength=3.0),
            SoftBox(azimuth=78, elevation=30, width=34, height=70, strength=2.6),
            SoftBox(azimuth=152, elevation=38, width=64, height=34, strength=2.8),
            SoftBox(azimuth=-146, elevation=42, width=30, height=48, strength=2.4),
            SoftBox(azimuth=8, elevation=68, width=70, height=22, strength=2.4),
            SoftBox(azimuth=-24, elevation=16, width=22, height=70, strength=-1, border=5, falloff=0),
            SoftBox(azimuth=44, elevation=18, width=22, height=70, strength=-1, border=5, falloff=0),
            SoftBox(azimuth=112, elevation=20, width=22, height=60, strength=-1, border=5, falloff=0),
            SoftBox(azimuth=-106, elevation=16, width=14, height=50, strength=-1, border=5, falloff=0),
        )
    )


def front_rig() -> Rig:
    """The catalogue's light for what faces the camera: a bright front, or flat metal would show a dark room."""
    return Rig(
        boxes=(
            SoftBox(azimuth=-50, elevation=24, width=58, height=74, strength=2.6),
            SoftBox(azimuth=58, elevation=20, width=46, height=74, strength=2.2),
            SoftBox(azimuth=0, elevation=58, width=80, height=34, strength=2.6),
            SoftBox(azimuth=0, elevation=-28, width=90, height=22, strength=0.9),
            SoftBox(azimuth=-16, elevation=6, width=9, height=60, strength=-1, border=5, falloff=0),
            SoftBox(azimuth=24, elevation=8, width=12, height=70, strength=-1, border=5, falloff=0),
            SoftBox(azimuth=96, elevation=10, width=18, height=80, strength=-1, border=6, falloff=0),
            SoftBox(azimuth=-98, elevation=10, width=18, height=80, strength=-1, border=6, falloff=0),
        ),
        horizon=0.55,
        ceiling=0.9,
        floor=0.35,
        camera_shade=0.45,
        overhead_lean=0.0,
        overhead=2.0,
    )


def randomised_rig(rng: np.random.Generator) -> Rig:
    """A light tent that nobody has set up twice the same: large cards round the horizon, black flags between them.

    Polished metal seen from a little above shows what stands low round it, so the cards reach down to the horizon; the
    flags give their reflections edges. One flag hangs high behind, where what lies flat looks; one or two lamps stand
    higher than the cards and are smaller and brighter: they are the sparkle.
    """
    white = float(rng.uniform(4600, 6600))

    def kelvin() -> float:
        return float(np.clip(white + rng.normal(0, 300), 3500, 8500))

    def turned(azimuth: float) -> float:
        return float((azimuth + 180) % 360 - 180)

    count = int(rng.integers(4, 7))
    step = 360 / count
    first = float(rng.uniform(-0.5, 0.5)) * step
    boxes = []
    for n in range(count):
        azimuth = first + (n + float(rng.uniform(-0.12, 0.12))) * step
        boxes.append(
            SoftBox(
                azimuth=turned(azimuth),
                elevation=float(rng.uniform(14, 30)),
                width=float(rng.uniform(0.55, 0.85)) * step,
                height=float(rng.uniform(50, 80)),
                strength=float(rng.uniform(0.5, 1.5)),
                border=float(rng.uniform(1, 6)),
                falloff=float(rng.uniform(0.3, 0.8)),
                kelvin=kelvin(),
            )
        )
        boxes.append(_flag(rng, turned(azimuth + step / 2), float(rng.uniform(8, 30)), 0.08 * step, 0.22 * step))
    boxes.append(_flag(rng, turned(180 + float(rng.uniform(-50, 50))), float(rng.uniform(42, 66)), 10, 24))
    for _ in range(int(rng.integers(1, 3))):
        boxes.append(
            SoftBox(
                azimuth=float(rng.uniform(-180, 180)),
                elevation=float(rng.uniform(42, 72)),
                width=float(rng.uniform(12, 26)),
                height=float(rng.uniform(12, 26)),
                strength=float(rng.uniform(5, 11)),
                border=float(rng.uniform(1, 5)),
                falloff=float(rng.uniform(0, 0.6)),
                kelvin=kelvin(),
            )
        )
    return Rig(
        boxes=tuple(boxes),
        ceiling=float(rng.uniform(0.12, 0.45)),
        horizon=float(rng.uniform(0.05, 0.25)),
        floor=float(rng.uniform(0.05, 0.25)),
        camera_shade=float(rng.uniform(0.3, 0.9)),
        overhead=float(rng.uniform(0.45, 1.0)),
        overhead_size=float(rng.uniform(2.5, 5)),
        overhead_height=float(rng.uniform(4, 7)),
        overhead_lean=float(rng.uniform(10, 45)),
    )


def _flag(rng: np.random.Generator, azimuth: float, elevation: float, narrowest: float, widest: float) -> SoftBox:
    return SoftBox(
        azimuth=azimuth,
        elevation=elevation,
        width=float(rng.uniform(narrowest, widest)),
        height=float(rng.uniform(45, 85)),
        strength=-1,
        border=float(rng.uniform(2, 7)),
        falloff=0,
    )


def white_of(kelvin: float) -> NDArray[np.float64]:
    """(3,) linear sRGB of a lamp of this colour temperature, luminance 1, white at 5500 K.

    Planck's law sampled where sRGB's primaries lie (612, 549 and 465 nm), relative to the camera's white balance.
    """
    metres = np.array([612e-9, 549e-9, 465e-9])
    second_radiation_constant = 1.438777e-2  # m K, CODATA 2018

    def black_body(temperature: float) -> NDArray[np.float64]:
        return np.asarray(1 / (np.exp(second_radiation_constant / (metres * temperature)) - 1))

    colour = black_body(kelvin) / black_body(5500.0)
    return np.asarray(colour / (colour @ np.array([0.2126, 0.7152, 0.0722])))


def room(rig: Rig, azimuth_degrees: float, elevation_degrees: float) -> NDArray[np.float32]:
    """(256, 512, 3) radiance from all directions, in the layout of Mitsuba's `envmap` turned to z up.

    Row 0 is straight above; the column's angle is atan2(x, y) / 2 pi. The camera stands at the given angles.
    """
    height, width = ROOM_PIXELS
    polar = (np.arange(height) + 0.5) / height * np.pi
    around = (np.arange(width) + 0.5) / width * 2 * np.pi
    towards = np.empty((height, width, 3))
    towards[..., 0] = np.sin(polar)[:, None] * np.sin(around)
    towards[..., 1] = np.sin(polar)[:, None] * np.cos(around)
    towards[..., 2] = np.cos(polar)[:, None]

    up = towards[..., 2]
    grey = np.where(up > 0, rig.horizon + (rig.ceiling - rig.horizon) * np.clip(up, 0, 1) ** 1.5, rig.floor)
    camera = direction(azimuth_degrees, elevation_degrees)
    near_camera = _smooth(
        (towards @ camera - np.cos(np.radians(38))) / (np.cos(np.radians(14)) - np.cos(np.radians(38)))
    )
    grey = grey * (1 - rig.camera_shade * near_camera)
    picture = np.repeat(grey[..., None], 3, axis=2)
    for box in sorted(rig.boxes, key=lambda box: box.strength < 0):  # flags stand in front of boxes
        middle = direction(azimuth_degrees + box.azimuth, box.elevation)
        side = np.array([-middle[1], middle[0], 0.0])
        side /= max(float(np.linalg.norm(side)), 1e-9)
        rise = np.cross(middle, side)
        along = towards @ middle
        front = along > 1e-3
        x = np.degrees(np.arctan2(towards @ side, along))
        y = np.degrees(np.arctan2(towards @ rise, along))
        inside = front * _smooth((box.width / 2 - np.abs(x)) / box.border + 0.5)
        inside = inside * _smooth((box.height / 2 - np.abs(y)) / box.border + 0.5)
        if box.strength < 0:
            picture *= (1 - 0.97 * inside)[..., None]
            continue
        from_middle = (2 * x / box.width) ** 2 + (2 * y / box.height) ** 2
        light = box.strength * inside * (1 - box.falloff * np.clip(from_middle / 2, 0, 1))
        picture = picture * (1 - inside[..., None]) + light[..., None] * white_of(box.kelvin)
    return picture.astype(np.float32)


def _smooth(x: NDArray[Any]) -> NDArray[np.float64]:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


def overhead_place(
    rig: Rig, azimuth_degrees: float, radius_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place (3,) and facing (3,) of the near soft box: above the piece (at the origin) and a little behind it."""
    towards = direction(azimuth_degrees + 180, 90 - rig.overhead_lean)
    return towards * rig.overhead_height * radius_mm, -towards


def overhead_picture(rig: Rig) -> NDArray[np.float32]:
    """(32, 32, 3) radiance over the near soft box: lit from one corner, with a black flag across.

    What is flat reflects a small part of a room only; this part is so near that it shows as a gradient with an edge,
    where an even box would leave flat metal blank.
    """
    along = np.add.outer(np.linspace(0, 1, 32), np.linspace(0, 1, 32)) / 2
    flag = _smooth((0.045 - np.abs(along - 0.56)) / 0.03 + 0.5)
    light = rig.overhead * (1.75 - 1.5 * along) * (1 - 0.95 * flag)
    return np.repeat(light[..., None], 3, axis=2).astype(np.float32)


def out_of_view(rig: Rig, azimuth_degrees: float, radius_mm: float, camera: Camera, wall: bool) -> Rig:
    """The rig with its near soft box made so small, or leant so far, that no part of it stands in the picture.

    A camera that looks down steeply would see the box's black back in place of the piece. Before a `wall` the box
    stands on the camera's side of it, or it would light the wall's back. Where nothing will do the box is left out.
    """
    wanted = -abs(rig.overhead_lean) if wall else rig.overhead_lean
    places = [(wanted + step, share) for share in (1.0, 0.8, 0.6) for step in (0, 4, -4, 8, -8, 12)]
    places += [(wanted + step, 0.6) for step in range(16, 84, 4)]
    height, width = camera.size
    grid = np.linspace(-0.06, 1.06, 25)
    columns, rows = (axis.ravel() for axis in np.meshgrid(grid * width, grid * height))
    rays = camera.rays(columns, rows)
    side = direction(azimuth_degrees + 90, 0.0)
    for lean, share in places:
        if not -60 <= lean <= (0 if wall else 85):
            continue
        size = rig.overhead_size * share
        hung = rig.model_copy(update={"overhead_lean": lean, "overhead_size": size})
        place, facing = overhead_place(hung, azimuth_degrees, radius_mm)
        towards = rays @ facing
        distance = (place - camera.place) @ facing / np.where(np.abs(towards) > 1e-9, towards, 1e-9)
        met = camera.place + rays * distance[:, None] - place
        reach = np.maximum(np.abs(met @ side), np.abs(met @ np.cross(facing, side)))
        if not ((distance > 0) & (reach < size * radius_mm / 2)).any():
            return hung
    return rig.model_copy(update={"overhead": 0.0})


def irradiance(rig: Rig, picture: NDArray[np.float32], azimuth_degrees: float, normal: NDArray[np.float64]) -> float:
    """What an incident-light meter at the origin reads that faces `normal`: the luminous irradiance, unshadowed."""
    height, width = picture.shape[:2]
    polar = (np.arange(height) + 0.5) / height * np.pi
    around = (np.arange(width) + 0.5) / width * 2 * np.pi
    cosine = np.clip(
        np.sin(polar)[:, None] * (np.sin(around) * normal[0] + np.cos(around) * normal[1])
        + np.cos(polar)[:, None] * normal[2],
        0,
        None,
    )
    solid_angle = np.sin(polar)[:, None] * (np.pi / height) * (2 * np.pi / width)
    luminance = picture @ np.array([0.2126, 0.7152, 0.0722])
    room_light = float((luminance * cosine * solid_angle).sum())
    place, _ = overhead_place(rig, azimuth_degrees, 1.0)
    distance = float(np.linalg.norm(place))
    # A square's irradiance, as a disc of its area on the axis (exact to a few per cent at these distances).
    share = rig.overhead_size**2 / np.pi / (rig.overhead_size**2 / np.pi + distance**2)
    return room_light + rig.overhead * np.pi * share * max(float(place @ normal) / distance, 0.0)
