"""The cuts by name: their solids, facets, girdles and heights, in millimetres.

A stone stands in its own place: the middle of its girdle at z = 0, the table up, the length along y, the middle of its
bounding box on the z axis. (A pear's point is at +y and its culet below its widest place; see `culet`.)
"""

from functools import lru_cache

import numpy as np
from manifold3d import Manifold
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.shape.gems import smooth, straight
from jewel_assets.shape.gems.brilliant import brilliant_planes, girdle_of
from jewel_assets.shape.gems.outlines import outline_of
from jewel_assets.shape.gems.polytope import Facet, Plane, facets_of, solid_of
from jewel_assets.shape.gems.proportions import PROPORTIONS, Proportions

Array = NDArray[np.float64]

CUTS: tuple[str, ...] = (
    "round brilliant",
    "princess",
    "emerald",
    "oval",
    "pear",
    "marquise",
    "cushion",
    "cabochon",
    "pearl",
)
FACETED: tuple[str, ...] = CUTS[:-2]
"""The cuts with flat facets; the others are to be shaded smoothly."""

WIDTHS_MM = (0.5, 60.0)  # the smallest melee that is set by hand; above any stone that is worn
GIRDLE_CHORD_MM = 0.003  # a girdle's sides stay this near to its curve: below what a polished girdle wavers


def proportions(cut: str) -> Proportions:
    """The proportions of a cut. Raises Permanent for a name that is no cut, naming those that are."""
    if cut not in PROPORTIONS:
        raise Permanent(f'"{cut}" is no cut; choose one of {", ".join(CUTS)}.')
    return PROPORTIONS[cut]


def stone_size(cut: str, width_mm: float, length_mm: float | None = None) -> tuple[float, float]:
    """Width and length at the girdle, mm; the cut's usual ratio gives the length where it is None.

    Raises Permanent where the width is out of `WIDTHS_MM`, or where the cut is not made that long or that short.
    """
    shape = proportions(cut)
    least, most = WIDTHS_MM
    if not least <= width_mm <= most:
        raise Permanent(
            f"A {cut} stone {width_mm:g} mm wide cannot be cut; its width must be {least:g} to {most:g} mm."
        )
    length = width_mm * shape.ratio if length_mm is None else length_mm
    shortest, longest = (width_mm * ratio for ratio in shape.ratios)
    if not shortest - 1e-9 <= length <= longest + 1e-9:
        nearest = min(max(length, shortest), longest)
        only = shortest == longest
        allowed = f"as long as wide, {shortest:g} mm" if only else f"{shortest:.4g} to {longest:.4g} mm long"
        raise Permanent(
            f"A {cut} stone {width_mm:g} mm wide and {length:g} mm long cannot be cut: at this width it is {allowed}. "
            f"The nearest is {width_mm:g} x {nearest:.4g} mm."
        )
    return width_mm, length


def cut_stone(cut: str, width_mm: float, length_mm: float | None = None) -> Manifold:
    """The stone as a solid: convex, closed, its girdle `width_mm` by `length_mm` exactly.

    Raises Permanent as `stone_size` does.
    """
    width, length = stone_size(cut, width_mm, length_mm)
    if cut == "pearl":
        return smooth.pearl(width)
    if cut == "cabochon":
        return smooth.cabochon(width, length, proportions(cut))
    return _unit_solid(cut, length / width, _sides(cut, length)).scale((width, width, width))


def facets(cut: str, width_mm: float, length_mm: float | None = None) -> tuple[Facet, ...]:
    """Every facet of a faceted stone with its name, normal and corners in mm; none for a cabochon or a pearl."""
    width, length = stone_size(cut, width_mm, length_mm)
    if cut not in FACETED:
        return ()
    unit = _unit_facets(cut, length / width, _sides(cut, length))
    return tuple(Facet(facet.name, facet.normal, facet.corners * width) for facet in unit)


def facet_planes(cut: str, width_mm: float, length_mm: float | None = None) -> tuple[Plane, ...]:
    """The half-spaces, in mm, whose intersection is the stone; none for a cabochon or a pearl."""
    width, length = stone_size(cut, width_mm, length_mm)
    if cut not in FACETED:
        return ()
    return tuple(
        Plane(plane.name, plane.normal, plane.offset * width)
        for plane in _unit_planes(cut, length / width, _sides(cut, length))
    )


def girdle_outline(cut: str, width_mm: float, length_mm: float | None = None) -> Array:
    """The girdle from above: a convex polygon (n, 2) in mm, counter-clockwise. A bezel or a halo follows it."""
    width, length = stone_size(cut, width_mm, length_mm)
    if cut not in FACETED:
        return smooth.ellipse(width, length)
    return _unit_girdle(cut, length / width, _sides(cut, length)) * width


def culet(cut: str, width_mm: float, length_mm: float | None = None) -> Array:
    """The lowest point (3,) of the stone, mm: on the z axis, but for a pear."""
    width, length = stone_size(cut, width_mm, length_mm)
    y = outline_of(cut, length / width).shift * width if cut == "pear" else 0.0
    return np.array([0.0, y, -pavilion_depth(cut, width, length)])


def crown_height(cut: str, width_mm: float, length_mm: float | None = None) -> float:
    """From the middle of the girdle to the table or the top of the dome, mm."""
    width, _ = stone_size(cut, width_mm, length_mm)
    shape = proportions(cut)
    return width * (shape.crown if cut not in FACETED else shape.crown + shape.girdle / 2)


def pavilion_depth(cut: str, width_mm: float, length_mm: float | None = None) -> float:
    """From the middle of the girdle to the culet, the keel or the flat back, mm."""
    width, _ = stone_size(cut, width_mm, length_mm)
    shape = proportions(cut)
    return width * (shape.pavilion if cut not in FACETED else shape.pavilion + shape.girdle / 2)


def girdle_thickness(cut: str, width_mm: float, length_mm: float | None = None) -> float:
    """Thickness of the girdle where the mains meet it, mm; a cabochon's wall; 0 for a pearl."""
    width, _ = stone_size(cut, width_mm, length_mm)
    return width * proportions(cut).girdle


def _sides(cut: str, length: float) -> int:
    """Sides of the girdle per half facet: as few as keep the chord, so that melee stays light. 16 halves go round."""
    if cut in ("princess", "emerald"):
        return 1
    step = 2 * np.arccos(1 - GIRDLE_CHORD_MM / max(length / 2, 0.3))
    return int(np.clip(np.ceil(2 * np.pi / 16 / step), 2, 8))


def _shifted(planes: list[Plane], y: float) -> list[Plane]:
    return [Plane(plane.name, plane.normal, plane.offset + float(plane.normal[1]) * y) for plane in planes]


@lru_cache(maxsize=96)
def _unit_planes(cut: str, ratio: float, sides: int) -> tuple[Plane, ...]:
    shape = proportions(cut)
    if cut == "princess":
        return tuple(straight.princess_planes(ratio, shape))
    if cut == "emerald":
        return tuple(straight.emerald_planes(ratio, shape))
    outline = outline_of(cut, ratio)
    return tuple(_shifted(brilliant_planes(outline, shape, sides), outline.shift))


@lru_cache(maxsize=96)
def _unit_girdle(cut: str, ratio: float, sides: int) -> Array:
    if cut == "princess":
        return straight.princess_girdle(ratio)
    if cut == "emerald":
        return straight.emerald_girdle(ratio)
    outline = outline_of(cut, ratio)
    girdle: Array = girdle_of(outline, sides) + np.array([0.0, outline.shift])
    return girdle


@lru_cache(maxsize=96)
def _unit_facets(cut: str, ratio: float, sides: int) -> tuple[Facet, ...]:
    return tuple(facets_of(_unit_planes(cut, ratio, sides)))


@lru_cache(maxsize=96)
def _unit_solid(cut: str, ratio: float, sides: int) -> Manifold:
    return solid_of(_unit_facets(cut, ratio, sides))
