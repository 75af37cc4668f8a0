"""A pinhole camera that stands where a product photographer would, and whose rays are known exactly.

Mitsuba is given the same camera as the exact masks, so alpha, depth and normals lie on the image to the pixel.
Pixel (row 0, column 0) is at the top left; the ray of a pixel goes through its middle. Lengths are millimetres.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FULL_FRAME_MM = 36.0
"""Width of the film that focal lengths are quoted for (ISO 1007, 135 film: 36 x 24 mm)."""


@dataclass(frozen=True)
class Camera:
    """`place` (3,): the eye. `axes` (3, 3): rows are right, up and the view direction. `slope`: half the frame's width
    over the distance at which it is seen. `size`: pixels, height and width.
    """

    place: NDArray[np.float64] = field(repr=False)
    axes: NDArray[np.float64] = field(repr=False)
    slope: float
    size: tuple[int, int]

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3): column and row of each point (pixel edges at whole numbers), and its depth along the view, mm."""
        right, up, depth = ((points - self.place) @ self.axes.T).T
        height, width = self.size
        half = width / 2
        return np.stack(
            [half + half * right / (depth * self.slope), height / 2 - half * up / (depth * self.slope), depth], axis=1
        )

    def rays(self, columns: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3) unit directions of the rays through the given places of the image, in pixels."""
        height, width = self.size
        half = width / 2
        right, up = (columns - half) / half * self.slope, (height / 2 - rows) / half * self.slope
        directions = right[:, None] * self.axes[0] + up[:, None] * self.axes[1] + self.axes[2]
        return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))

    @property
    def field_of_view(self) -> float:
        """The angle that the image's width spans, degrees."""
        return float(2 * np.degrees(np.arctan(self.slope)))

    def to_world(self) -> NDArray[np.float64]:
        """(4, 4) in Mitsuba's convention: x to the left, y up, z into the view."""
        matrix = np.eye(4)
        matrix[:3, 0], matrix[:3, 1], matrix[:3, 2], matrix[:3, 3] = (
            -self.axes[0],
            self.axes[1],
            self.axes[2],
            self.place,
        )
        return matrix


def direction(azimuth_degrees: float, elevation_degrees: float) -> NDArray[np.float64]:
    """(3,) unit vector from the origin: azimuth 0 is -y (the front), 90 is +x; elevation is up."""
    azimuth, elevation = np.radians([azimuth_degrees, elevation_degrees])
    return np.array([np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])


def framed(
    points: NDArray[np.float64],
    azimuth_degrees: float,
    elevation_degrees: float,
    focal_mm: float,
    fill: float,
    size: tuple[int, int],
    offset: tuple[float, float] = (0.0, 0.0),
    roll_degrees: float = 0.0,
) -> Camera:
    """The camera that sees `points` (n, 3) fill the share `fill` of its width or height, whichever is reached first.

    The middle of what is seen lies `offset` (right, up; in shares of the frame's side) from the middle of the image.
    The camera turns towards the piece and steps back until it fits: four rounds settle both to a hundredth of a pixel.
    """
    out = direction(azimuth_degrees, elevation_degrees)
    view = -out
    right = np.array([np.cos(np.radians(azimuth_degrees)), np.sin(np.radians(azimuth_degrees)), 0.0])
    up = np.cross(right, view)
    turn = np.radians(roll_degrees)
    right, up = right * np.cos(turn) + up * np.sin(turn), up * np.cos(turn) - right * np.sin(turn)
    axes = np.stack([right, up, view])
    slope = FULL_FRAME_MM / 2 / focal_mm
    height, width = size
    aim = (points.min(axis=0) + points.max(axis=0)) / 2
    reach = float(np.linalg.norm(points - aim, axis=1).max())
    distance = max(reach / slope * 2, 1e-3)
    for _ in range(12):
        camera = Camera(aim + out * distance, axes, slope, size)
        seen = camera.project(points)
        low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
        filled = max((high[0] - low[0]) / width, (high[1] - low[1]) / height)
        middle = (low + high) / 2 - np.array([width, height]) * (0.5 + np.array([offset[0], -offset[1]]))
        step = middle / (width / 2) * slope * distance
        aim = aim + right * step[0] - up * step[1]
        # Never so near that a part of the piece is behind the eye or bulges into it.
        nearest = float(((points - aim) @ out).max())
        distance = max(distance * filled / fill, nearest + 0.25 * reach)
    return Camera(aim + out * distance, axes, slope, size)
