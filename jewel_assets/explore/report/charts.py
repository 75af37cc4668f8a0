"""The report's drawings, as inline SVG that takes its colours from the page. Every string is escaped."""

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from jewel_assets.explore.report.data import Histogram, MapPoint

_WIDE, _HIGH = 1200.0, 720.0  # of the map
_MARGIN = 56.0
_TILE = 76.0  # a medoid's picture on the map


def histogram_svg(data: Histogram) -> Markup:
    """Bars with a line at the median and up to seven labelled values below."""
    width, height, base = 340.0, 128.0, 100.0
    low, high = _scale(data.edges[0], data.log), _scale(data.edges[-1], data.log)
    most = max(data.counts)
    parts = [Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(width, base, base)]
    for left, right, count in zip(data.edges[:-1], data.edges[1:], data.counts, strict=True):
        if count:
            x0 = _at(left, low, high, data.log) * width
            x1 = _at(right, low, high, data.log) * width
            tall = max(1.5, count / most * (base - 8))
            bar = Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
            parts.append(bar.format(x0, base - tall, max(1.0, x1 - x0 - 1), tall))
    middle = _at(data.median, low, high, data.log) * width
    parts.append(Markup('<line class="median" x1="{0:.1f}" x2="{0:.1f}" y1="2" y2="{1}"/>').format(middle, base))
    for value in ticks(data.edges[0], data.edges[-1], data.log):
        x = _at(value, low, high, data.log) * width
        anchor = "start" if x < 14 else "end" if x > width - 14 else "middle"
        label = Markup('<text x="{:.1f}" y="118" text-anchor="{}">{}</text>')
        parts.append(label.format(x, anchor, short_number(value)))
    said = (
        f"{data.title}, {data.sentence}: from {short_number(data.edges[0])} to {short_number(data.edges[-1])}, "
        f"median {short_number(data.median)}"
    )
    drawing = Markup('<svg class="histogram" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>')
    return drawing.format(width, height, said, Markup("").join(parts))


def map_svg(points: Sequence[MapPoint]) -> Markup:
    """Every point in its cluster's colour; the medoids as pictures, moved apart, tied by a line to their place."""
    place = [(_MARGIN + point.x * (_WIDE - 2 * _MARGIN), _MARGIN + point.y * (_HIGH - 2 * _MARGIN)) for point in points]
    dots = [
        Markup('<circle cx="{:.0f}" cy="{:.0f}" r="3.6" fill="{}"/>').format(*place[i], point.colour)
        for i, point in enumerate(points)
        if not point.cluster_id
    ]
    medoids = [i for i, point in enumerate(points) if point.cluster_id]
    anchors = np.array([place[i] for i in medoids], np.float64).reshape(-1, 2)
    tiles = [
        _tile(points[i], anchor, centre) for i, anchor, centre in zip(medoids, anchors, apart(anchors), strict=True)
    ]
    drawing = Markup(
        '<svg class="map" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}"><g class="dots">{}</g>{}</svg>'
    )
    said = f"Map of {len(dots)} pieces in {len(tiles)} clusters: pieces that look alike lie near each other"
    return drawing.format(_WIDE, _HIGH, said, Markup("").join(dots), Markup("").join(tiles))


def apart(centres: NDArray[np.float64], gap: float = _TILE + 8, rounds: int = 200) -> NDArray[np.float64]:
    """Squares of side `gap` around `centres`, (n, 2), pushed apart until none overlap or `rounds` are over.

    Of two that overlap, each moves half of the way along the axis on which less is missing. They stay on the map.
    """
    moved = centres.copy()
    rim = gap / 2
    for _ in range(rounds):
        before = moved.copy()
        for i in range(len(moved)):
            for j in range(i + 1, len(moved)):
                offset = moved[j] - moved[i]
                missing = gap - np.abs(offset)
                if missing.min() > 1e-6:
                    axis = int(missing.argmin())
                    step = missing[axis] / 2 * (1 if offset[axis] >= 0 else -1)
                    moved[i, axis] -= step
                    moved[j, axis] += step
        moved = np.clip(moved, rim, [_WIDE - rim, _HIGH - rim])
        if np.allclose(before, moved, atol=0.05):
            break
    return moved


def ticks(low: float, high: float, log: bool, most: int = 7) -> list[float]:
    """Round values within `low`..`high` to label an axis with: 1, 2 or 5 times a power of ten."""
    if log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        candidates = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        inside = [value for value in candidates if low <= value <= high]
        decades = [value for value in inside if math.isclose(math.log10(value) % 1, 0, abs_tol=1e-9)]
        chosen = inside if len(inside) <= most else decades if len(decades) >= 2 else inside[:: -(-len(inside) // most)]
        return chosen[:: max(1, -(-len(chosen) // most))]
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def short_number(value: float) -> str:
    """A number as short as an axis needs it: 1,200 · 45 · 0.12 · 12k."""
    if abs(value) >= 10_000:
        return f"{value / 1000:,.0f}k"
    if abs(value) >= 10 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}"


def _tile(point: MapPoint, anchor: NDArray[np.float64], centre: NDArray[np.float64]) -> Markup:
    left, top = centre - _TILE / 2
    name = point.picture.caption if point.picture else ""
    image = Markup("")
    if point.picture and point.picture.uri:
        image = Markup('<image href="{}" x="{:.0f}" y="{:.0f}" width="{:.0f}" height="{:.0f}"/>').format(
            point.picture.uri, left + 4, top + 4, _TILE - 8, _TILE - 8
        )
    number = point.cluster_id if len(point.cluster_id) <= 4 else f"{point.cluster_id[:3]}…"
    badge = 13 + 9 * len(number)
    return Markup(
        '<g><title>{name}</title><line x1="{ax:.0f}" y1="{ay:.0f}" x2="{cx:.0f}" y2="{cy:.0f}" stroke="{colour}"/>'
        '<circle cx="{ax:.0f}" cy="{ay:.0f}" r="6" fill="{colour}"/>'
        '<rect class="tile" x="{x:.0f}" y="{y:.0f}" width="{side:.0f}" height="{side:.0f}" rx="6" stroke="{colour}"/>'
        '{image}<rect x="{x:.0f}" y="{y:.0f}" width="{badge}" height="22" rx="6" fill="{colour}"/>'
        '<text class="badge" x="{tx:.1f}" y="{ty:.0f}" text-anchor="middle">{number}</text></g>'
    ).format(
        name=escape(name),
        ax=anchor[0],
        ay=anchor[1],
        cx=centre[0],
        cy=centre[1],
        colour=point.colour,
        x=left,
        y=top,
        side=_TILE,
        image=image,
        badge=badge,
        tx=left + badge / 2,
        ty=top + 16,
        number=number,
    )


def _scale(value: float, log: bool) -> float:
    return math.log(value) if log else value


def _at(value: float, low: float, high: float, log: bool) -> float:
    return (_scale(value, log) - low) / (high - low)
