"""Colours of the report: those that tell clusters apart, and the palette of many photos together."""

import colorsys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Twelve muted hues of like lightness, legible on white and on black; neighbours in the list lie far apart in hue.
_CLUSTER_COLOURS = (
    "#b5792a", "#3f7f93", "#a2475f", "#5f8a4a", "#7b62a8", "#c0603f",
    "#2f8f7d", "#b0699b", "#7f8034", "#4f72b8", "#946a52", "#6b8792",
)  # fmt: skip


def cluster_colour(index: int) -> str:
    """A colour for the `index`-th cluster, "#rrggbb": the first twelve by hand, others by the golden angle."""
    if index < len(_CLUSTER_COLOURS):
        return _CLUSTER_COLOURS[index]
    red, green, blue = colorsys.hls_to_rgb(index * 0.381966 % 1, 0.42 + 0.12 * (index % 2), 0.42)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def common_palette(
    palettes: Iterable[Iterable[Mapping[str, Any]] | None], count: int = 14, distance: float = 9.0
) -> tuple[tuple[str, float], ...]:
    """The colours most frequent in many photos' palettes, as ("#rrggbb", share), from light to dark.

    Each photo counts alike. Colours within a CIE76 difference of `distance` are one; the shares sum to at most 1.
    """
    weights: dict[str, float] = {}
    photos = 0
    for palette in palettes:
        photos += bool(palette)
        for colour in palette or ():
            weights[colour["hex"]] = weights.get(colour["hex"], 0.0) + float(colour["share"])
    if not weights:
        return ()
    # At most 16^3 cells, each with its mean colour, however many photos there are.
    names = sorted(weights)
    mass = np.array([weights[name] for name in names])
    rgb = np.array([[int(name[i : i + 2], 16) for i in (1, 3, 5)] for name in names], np.float64)
    _, cell = np.unique((rgb // 16).astype(np.int64) @ [256, 16, 1], return_inverse=True)
    total = np.bincount(cell, mass)
    mean = np.stack([np.bincount(cell, mass * rgb[:, i]) / total for i in range(3)], axis=1)
    order = np.argsort(-total, kind="stable")
    lab, chosen, sums = lab_of(mean), list[int](), list[float]()
    for index in order:
        gaps = np.linalg.norm(lab[chosen] - lab[index], axis=1) if chosen else np.array([np.inf])
        if gaps.min() >= distance:
            chosen.append(int(index))
            sums.append(float(total[index]))
        else:
            sums[int(gaps.argmin())] += float(total[index])
    best = sorted(range(len(chosen)), key=lambda i: -sums[i])[:count]
    best.sort(key=lambda i: -lab[chosen[i], 0])
    colours = ("#{:02x}{:02x}{:02x}".format(*np.rint(mean[chosen[i]]).astype(int)) for i in best)
    return tuple((colour, sums[i] / photos) for colour, i in zip(colours, best, strict=True))


def lab_of(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB (D65) of sRGB in 0..255, both (n, 3): IEC 61966-2-1 for the curve, CIE 15:2004 equation 8.3 for L*a*b*."""
    scaled = rgb / 255
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    white = np.array([0.9505, 1.0, 1.089])
    xyz = linear @ to_xyz.T / white
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    lightness = 116 * root[:, 1] - 16
    return np.stack([lightness, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])], axis=1)
