"""Sections of finger rings by their trade names, and the shanks and bands that are made of them.

A band section lies in a plane with x along the finger and y away from it: its lowest point, y = 0, touches the finger.
Names follow the ring makers' catalogues (Cooksongold, Stuller "band profiles"): a *D* is flat inside and domed outside,
a *court* (comfort fit) is domed on both sides.
"""

from collections.abc import Callable

import numpy as np
from manifold3d import CrossSection, JoinType, Manifold
from numpy.typing import ArrayLike, NDArray

from jewel_assets.shape.parts.curves import Array, area
from jewel_assets.shape.parts.sweep import skin

INSIDE_DOME = 0.14
"""How far a comfort fit falls back at its edges, as a share of the thickness: 0.2 to 0.3 mm on a usual band."""

LEAST_EDGE_MM, BLUNT_EDGE_MM = 0.45, 0.85
"""Height of the side of a domed section: less cuts the neighbouring fingers and does not fill when cast. Where the
outside comes down to it as flat as `FLAT_DEGREES` what lies behind the edge is as thin a wall, and needs the second."""
FLAT_DEGREES = 32.0


def _flat(u: Array) -> Array:
    return np.zeros_like(u)


def _dome(fullness: float) -> Callable[[Array], Array]:
    """Fall of an elliptic arc at u in -1..1, from 0 in the middle to 1 at the edges; `fullness` 1 is a half ellipse."""

    def fall(u: Array) -> Array:
        return np.asarray((1 - np.sqrt(1 - (fullness * u) ** 2)) / (1 - np.sqrt(1 - fullness**2)))

    return fall


def _ridge(u: Array) -> Array:
    return np.abs(u)


def _bevel(u: Array) -> Array:
    return np.maximum(np.abs(u) - 0.62, 0) / 0.38


def _hollow(u: Array) -> Array:
    return 1 - np.minimum(1, (np.abs(u) / 0.82) ** 2)


# fall of the outside, its share of the thickness, and whether the inside is domed
_SHAPES: dict[str, tuple[Callable[[Array], Array], float, bool]] = {
    "flat": (_flat, 0.0, False),
    "flat court": (_flat, 0.0, True),
    "D": (_dome(0.9), 0.5, False),
    "half-round": (_dome(0.999), 0.8, False),
    "court": (_dome(0.9), 0.42, True),
    "knife-edge": (_ridge, 0.6, True),
    "bevelled": (_bevel, 0.3, True),
    "concave": (_hollow, 0.2, True),
}
PROFILES: tuple[str, ...] = tuple(_SHAPES)


def band_section(profile: str, width: float, thickness: float, edge: float = 0.15, points: int = 33) -> Array:
    """(n, 2): the section of a band, counter-clockwise, x from -width / 2 to width / 2, y from 0 to `thickness`, mm.

    `edge` is the radius of its corners, cut to 0.45 of the shorter side; 0 leaves them sharp. `points` along the
    outside. Raises KeyError for an unknown profile.
    """
    fall, share, domed = _SHAPES[profile]
    u = np.sin(np.linspace(-np.pi / 2, np.pi / 2, points))  # closer where a dome is steep
    inside = INSIDE_DOME * thickness * _dome(0.75)(u) if domed else np.zeros_like(u)
    for edge_height in (LEAST_EDGE_MM, BLUNT_EDGE_MM):
        room = max(thickness - inside[0] - edge_height, 0.15 * thickness)
        outside = thickness - min(share * thickness, room) * fall(u)
        if fall is not _hollow and _slope_degrees(u * width / 2, outside) > FLAT_DEGREES:
            break
    outline = np.vstack([np.column_stack([u * width / 2, inside]), np.column_stack([u * width / 2, outside])[::-1]])
    if not domed and profile == "flat":
        outline = outline[[0, points - 1, points, 2 * points - 1]]
    radius = min(edge, 0.45 * width, 0.45 * thickness)
    if radius > 1e-3:
        outline = _rounded(outline, radius, points)
    low, high = outline.min(axis=0), outline.max(axis=0)
    scale = np.array([width, thickness]) / (high - low)
    return np.asarray((outline - [(low[0] + high[0]) / 2, low[1]]) * scale)


def _slope_degrees(x: Array, y: Array) -> float:
    """How steep a curve comes down over the last tenth of its half."""
    last = x > 0.9 * x[-1]
    return float(np.degrees(np.arctan2(y[last][0] - y[-1], x[-1] - x[last][0])))


def _rounded(outline: Array, radius: float, points: int) -> Array:
    """The outline with its outer corners rounded to `radius`: what a disc of that radius covers inside of it."""
    arc = max(16, points // 2 // 4 * 4)
    shape = CrossSection([outline]).offset(-radius, JoinType.Miter, 4.0).offset(radius, JoinType.Round, 2.0, arc)
    polygons = shape.simplify(0.002).to_polygons()
    biggest = max((np.asarray(polygon, dtype=np.float64) for polygon in polygons), key=lambda p: abs(area(p)))
    return np.asarray(biggest)


def shank(
    bore_mm: float,
    section: ArrayLike,
    segments: int,
    width: ArrayLike = 1.0,
    thickness: ArrayLike = 1.0,
) -> Manifold:
    """A band round the y axis: `section` (n, 2) of `band_section`, or one per facet (segments, n, 2), round the finger.

    `bore_mm` is the inner diameter. `width` and `thickness` scale the section: numbers, or one per facet (segments,),
    beginning at the top (+z) and running towards +x. The flats of the polygon touch the finger's circle from outside,
    so the hole takes a gauge of exactly `bore_mm` at any number of segments; at 96 its corners stand 5 micrometres off.
    """
    angle = angles(segments)
    outline = np.asarray(section, dtype=np.float64)
    across = np.broadcast_to(np.asarray(width, dtype=np.float64), segments)[:, None] * outline[..., 0]  # (m, n)
    radius = bore_mm / 2 / np.cos(np.pi / segments)
    outward = radius + np.broadcast_to(np.asarray(thickness, dtype=np.float64), segments)[:, None] * outline[..., 1]
    rings = np.stack([outward * np.sin(angle)[:, None], across, outward * np.cos(angle)[:, None]], axis=-1)
    return skin(rings, closed=True)


def angles(segments: int) -> NDArray[np.float64]:
    """(segments,): radians round the finger, 0 on top, growing towards +x."""
    return np.linspace(0, 2 * np.pi, segments, endpoint=False)


def finger(bore_mm: float, segments: int, length: float = 60.0) -> Manifold:
    """The finger: what must stay free of metal, with the same facets as the hole of `shank`."""
    angle = angles(segments)
    radius = bore_mm / 2 / np.cos(np.pi / segments)
    circle = CrossSection([np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])[::-1]])
    # extruded along z, then z laid onto -y, so that the circle's second axis becomes z
    return circle.extrude(length).transform([[1, 0, 0, 0], [0, 0, -1, length / 2], [0, 1, 0, 0]])


def swell(segments: int, top: float, base: float, reach_deg: float = 60.0, power: float = 1.0) -> Array:
    """(segments,): a measure that is `top` at the head and passes to `base` within `reach_deg` on both sides of it."""
    away = np.abs((angles(segments) + np.pi) % (2 * np.pi) - np.pi)
    rise = np.clip(1 - away / np.radians(reach_deg), 0, 1) ** power
    return np.asarray(base + (top - base) * rise * rise * (3 - 2 * rise))


def turned_line(
    bore_mm: float, thickness: float, at: float, segments: int, wide: float = 0.5, deep: float = 0.3
) -> Manifold:
    """A line to be cut into a band round the y axis at y = `at`: a V with a blunt floor, `wide` and `deep` mm."""
    angle = angles(segments)[:, None]
    outside = bore_mm / 2 / np.cos(np.pi / segments) + thickness
    floor, rim = outside - deep, outside + 0.5
    slope = wide / 2 * (1 + 0.5 / deep) - 0.06
    across = at + np.array([-0.12, 0.12, slope, -slope])
    reach = np.array([floor, floor, rim, rim])
    rings = np.stack([reach * np.sin(angle), np.broadcast_to(across, (segments, 4)), reach * np.cos(angle)], axis=-1)
    return skin(rings, closed=True)
