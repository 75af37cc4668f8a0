"""A quick picture of a piece: drawn from its normals, without light transport, in a tenth of a second.

For contact sheets of designs and meshes, where a render would take longer than all that came before.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels
from jewel_assets.shape.files.looks import display_colour
from jewel_assets.shape.piece import Piece
from jewel_assets.shape.render.auxiliary import exact
from jewel_assets.shape.render.cameras import framed
from jewel_assets.shape.render.poses import posed
from jewel_assets.shape.render.shots import catalogue
from jewel_assets.shape.render.surfaces import Surface, surfaces_of

PAPER = 246.0
_LIGHTS = (((-0.5, -0.55, 0.75), 0.62), ((0.8, -0.5, 0.25), 0.28), ((0.0, 0.1, 1.0), 0.22))
"""Direction towards each light, as the camera's right, away from it, up; and its share."""
_AMBIENT = 0.16


def preview(piece: Piece | Sequence[Surface], category: str, family: str = "", side: int = 192) -> Pixels:
    """(side, side, 3): the piece from where a catalogue looks at it, in its materials' colours, on pale paper."""
    shot = catalogue(category, family=family)
    surfaces = posed(surfaces_of(piece), shot.pose, shot.lean)
    points = np.vstack([surface.vertices for surface in surfaces])
    camera = framed(points, shot.azimuth, shot.elevation, shot.focal_mm, 0.86, (side, side))
    seen = exact(surfaces, camera)
    right, _, view = camera.axes
    up = np.cross(right, view)
    normals = np.stack([seen.normals @ right, seen.normals @ view, seen.normals @ up], axis=-1)
    colours = np.array([display_colour(surface.material) for surface in surfaces] + [(0, 0, 0)], float)
    polished = np.array([surface.kind == "metal" for surface in surfaces] + [False])
    shade = _diffuse(normals)
    base = colours[seen.parts]
    # Metal has no diffuse light of its own: it mirrors bright and dark, which a steep curve of the normal imitates.
    mirrored = np.clip(0.30 + 0.90 * shade**1.6 + 0.35 * _gleam(normals), 0, 1.35)
    matt = np.clip(0.40 + 0.62 * shade + 0.3 * _gleam(normals), 0, 1.35)
    light = np.where(polished[seen.parts], mirrored, matt)[..., None]
    picture = base * np.minimum(light, 1) + 255 * np.maximum(light - 1, 0)
    alpha = seen.alpha[..., None]
    # Where only a part of the pixel is covered its middle may miss the piece: take what is next to it.
    picture = np.where(seen.parts[..., None] < 0, _spread(picture, seen.parts >= 0), picture)
    return np.asarray(np.clip(picture * alpha + PAPER * (1 - alpha), 0, 255).round(), np.uint8)


def _diffuse(normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """(h, w) 0..1: light from `_LIGHTS` on a matt surface with these normals."""
    light = np.full(normals.shape[:2], _AMBIENT)
    for towards, share in _LIGHTS:
        direction = np.array(towards) / np.linalg.norm(towards)
        light += share * np.clip(normals @ direction, 0, None)
    return np.asarray(np.clip(light, 0, 1))


def _gleam(normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """(h, w) 0..1: where the first light is mirrored to the camera."""
    towards = np.array(_LIGHTS[0][0]) / np.linalg.norm(_LIGHTS[0][0]) + np.array([0.0, -1.0, 0.0])
    half = towards / np.linalg.norm(towards)
    return np.asarray(np.clip(normals @ half, 0, None) ** 40)


def _spread(picture: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The picture with what is not `inside` taken from the nearest pixel that is."""
    from scipy.ndimage import distance_transform_edt

    if not inside.any():
        return picture
    nearest = distance_transform_edt(~inside, return_distances=False, return_indices=True)
    return np.asarray(picture[tuple(nearest)])
