"""A mesh on a template's plate: how it is put down, the surface below it, and the camera that looks at both.

Lengths are millimetres, z up from the surface, y away from the viewer. The lens is so long that it has hardly any
perspective, so the plate, which is a picture, can be laid on the surface as the camera sees it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jewel_assets.promote.layout import LARGEST_SHARE, SHARE
from jewel_assets.promote.rendering import HANGING, STANDING
from jewel_assets.promote.scene import Lamp, Plate
from jewel_assets.promote.templates import Template
from jewel_assets.shape.render import Surface
from jewel_assets.shape.render.cameras import Camera
from jewel_assets.shape.render.poses import Pose, posed
from jewel_assets.shape.render.stages import Prop, about_z

Points = NDArray[np.float64]

LONG_LENS = 120.0
"""Distance of the camera, in widths of what it sees: a ring's upper side is enlarged by less than 1 %."""
TILT: dict[str, float] = {"ring": 42.0, "bracelet": 30.0, "wristwatch": 12.0, "earrings": 10.0}
"""By category, degrees by which the camera leaves the plumb line over a piece that lies: a ring shows its head."""
TILT_OF_OTHERS = 8.0
EYE_LEVEL = 76.0
"""The same where the piece stands on a floor before a wall: `shadow.cast_standing` sees it from about there, too."""
QUARTER_TURN: dict[str, float] = {"ring": 24.0, "bracelet": 12.0, "wristwatch": 8.0}
"""Degrees that a piece which lies or stands is turned about the vertical, so that it is not seen quite from the front.
"""
LYING: dict[str, Pose] = {"ring": "lying", "bracelet": "lying", "wristwatch": "upright", "earrings": "hanging"}
"""By category; all else lies face up. Earrings show their faces, held up by posts and hooks as on a display."""
UPRIGHT: dict[str, Pose] = {"ring": "leaning", "bracelet": "lying", "wristwatch": "on its side"}
RIGID = ("bangle", "cuff")
"""Families of bracelets that can stand."""
LOWEST_LAMP = 12.0
"""Degrees above the surface below which no lamp stands: the surface would be in its way."""
FOOT = 0.14
"""How far below the horizon what stands has its foot, as a share of the picture's height, as in `render`."""
BEND = 0.09  # radius of a cove's bend, shorter sides: that of the plate `minimal`
_TO_THE_WALL = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""From a piece that hangs before a wall behind it to one above the surface: its top is away from the viewer."""
AROUND = 4.0  # frames that the surface reaches beyond the picture: metal mirrors what lies there


@dataclass(frozen=True)
class Setting:
    """`surfaces` of the piece, put down; `ground` the surface with the plate's picture; `tilt` in degrees."""

    surfaces: list[Surface] = field(repr=False)
    ground: Prop = field(repr=False)
    camera: Camera
    mm_per_pixel: float
    tilt: float

    def towards(self, lamp: Lamp) -> Points:
        """(3,) unit vector to a lamp, whose angles are those of the picture; never below LOWEST_LAMP."""
        x, y, z = lamp.direction
        right, up, view = self.camera.axes
        found = x * right - y * up - z * view
        low = math.sin(math.radians(LOWEST_LAMP))
        if found[2] < low:
            flat = found[:2] / max(float(np.linalg.norm(found[:2])), 1e-9)
            found = np.array([*flat * math.sqrt(1 - low**2), low])
        return np.asarray(found / np.linalg.norm(found))


def set_up(
    surfaces: Sequence[Surface],
    category: str,
    family: str,
    template: Template,
    plate: Plate,
    size: tuple[int, int],
    tilt: float | None = None,
    lying: Pose | None = None,
) -> Setting:
    """Put the piece where the template wants it, in a picture of this width and height.

    On a plate that is seen from above it lies as LYING says (or in the pose `lying`), the camera tipped by TILT (or
    `tilt` degrees). Before a horizon it stands or hangs, as the same category does in `render`.
    """
    stands = plate.horizon is not None and category in STANDING
    hangs = plate.horizon is not None and not stands
    if stands:
        pose = "upright" if family in RIGID else UPRIGHT[category]
        tilt = EYE_LEVEL
    else:
        pose = "hanging" if hangs else lying or LYING.get(category, "face up")
        tilt = 0.0 if hangs else TILT.get(category, TILT_OF_OTHERS) if tilt is None else tilt
    standing = posed(surfaces, pose)
    turn = _TO_THE_WALL if pose == "hanging" else about_z(QUARTER_TURN.get(category, 0.0))
    if not stands:
        turn = about_z(template.turn) @ turn
    standing = [surface.moved(turn, np.zeros(3)) for surface in standing]
    axes = _axes(tilt)
    seen = np.vstack([surface.vertices for surface in standing]) @ axes[:2].T
    low, high = seen.min(axis=0), seen.max(axis=0)
    span = high - low
    width, height = size
    wanted = SHARE.get(category, SHARE["jewelry"]) * template.scale * min(size)
    scale = min(wanted / max(span), LARGEST_SHARE * width / span[0], LARGEST_SHARE * height / span[1])
    across, down = span * scale
    x, y = template.x * width, template.y * height
    if stands and plate.horizon is not None:
        y = min(plate.horizon + FOOT, 0.90) * height - down / 2
    elif hangs and plate.horizon is not None:
        y = max(plate.horizon * 0.52 * height, 0.06 * height + down / 2)
    x = float(np.clip(x, across / 2, width - across / 2))
    y = float(np.clip(y, down / 2, height - down / 2))
    mm = 1 / scale
    # The picture's middle, in the camera's own right and up, seen from the middle of the piece.
    middle = (low + high) / 2 + np.array([width / 2 - x, y - height / 2]) * mm
    distance = LONG_LENS * max(size) * mm
    place = middle @ axes[:2] - axes[2] * distance
    camera = Camera(place, axes, width / 2 * mm / distance, (height, width))
    points = np.vstack([surface.vertices for surface in standing])
    if pose == "hanging":
        gap = (HANGING * min(size) * mm if hangs else 0.0) - float(points[:, 2].min())
        standing = [surface.moved(np.eye(3), np.array([0, 0, gap])) for surface in standing]
    wall = None
    if stands and plate.horizon is not None:
        # The wall begins where the plate has its horizon: so far behind the foot that the view brings it there.
        row = middle[1] + (0.5 - plate.horizon) * height * mm
        wall = max(row / float(axes[1, 1]), float(points[:, 1].max()) + BEND * min(size) * mm)
    return Setting(standing, _ground(camera, mm, wall), camera, mm, tilt)


def _axes(tilt: float) -> Points:
    """(3, 3) right, up and view of a camera that leaves the plumb line by `tilt` degrees towards the viewer."""
    sine, cosine = math.sin(math.radians(tilt)), math.cos(math.radians(tilt))
    return np.array([[1.0, 0, 0], [0, cosine, sine], [0, sine, -cosine]])


def _ground(camera: Camera, mm: float, wall: float | None) -> Prop:
    """The surface z = 0, and from y = `wall` on a wall: a sheet whose texture is the picture, as the camera sees it.

    Beyond the picture its border is drawn out.
    """
    height, width = camera.size
    frame = max(width, height) * mm
    _, up, view = camera.axes
    level = camera.place - view * (camera.place[2] / view[2])  # the picture's middle, on z = 0
    half = height / 2 * mm / up[1]
    near, far = level[1] - half, level[1] + half
    if wall is None:
        profile = np.array([[near - AROUND * frame, 0], [near, 0], [far, 0], [far + AROUND * frame, 0]])
    else:
        radius = BEND * min(width, height) * mm
        bend = np.linspace(0, math.pi / 2, 25)
        arc = np.stack([wall - radius + radius * np.sin(bend), radius * (1 - np.cos(bend))], axis=1)
        floor = np.array([[near - AROUND * frame, 0.0], [min(near, wall - 2 * radius), 0.0]])
        top = (height * mm) / math.sin(math.acos(float(up[1]))) * 1.2
        profile = np.vstack([floor, arc, [[wall, top]]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    tangent = np.gradient(profile, along, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    edges = (
        camera.place[0]
        + np.array([-width / 2 - AROUND * width, -width / 2, width / 2, width / 2 + AROUND * width]) * mm
    )
    columns, rows = len(edges), len(profile)
    vertices = np.empty((columns * rows, 3))
    vertices[:, 0] = np.repeat(edges, rows)
    vertices[:, 1:] = np.tile(profile, (columns, 1))
    normals = np.zeros_like(vertices)
    normals[:, 1], normals[:, 2] = np.tile(-tangent[:, 1], columns), np.tile(tangent[:, 0], columns)
    uv = np.clip(camera.project(vertices)[:, :2] / [width, height], 0, 1)
    k = (np.arange(columns - 1)[:, None] * rows + np.arange(rows - 1)).ravel()
    faces = np.vstack([np.stack([k, k + rows, k + rows + 1], 1), np.stack([k, k + rows + 1, k + 1], 1)])
    return Prop("ground", vertices, faces, normals, uv, {})
