"""Petals: soft petals strewn about the piece over a plain ground, curled so that they catch light and throw shadows."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.palettes import luminance, mixed
from jewel_assets.promote.plates.style import Dyes, Style, brighter, flat, normals_from_slopes, tinted
from jewel_assets.promote.scene import Array, Colour, Plate

OUTLINE = 2048


@dataclass(frozen=True)
class _Petal:
    x: float
    y: float
    length: float
    turn: float
    broad: float
    cup: float
    curl: float
    lift: float
    tone: float


def make(dyes: Dyes, field: Field) -> Plate:
    """Petals of many sizes, thick in two corners and thin elsewhere; the middle free."""
    grain = field.noise("grain", 380, 2, 0.9)
    tone = field.enlarged(field.coarse(128).noise("ground", 2, 3))
    share = tone * np.float32(0.04) + grain * np.float32(0.02) + np.float32(0.75)
    albedo = tinted(mixed(dyes.shade, dyes.ground, 0.2), dyes.ground, share)
    slope_x = grain * np.float32(0.015)
    slope_y = np.roll(slope_x, 23, axis=1)
    height = flat(field)
    dark = luminance(dyes.ground) < 0.18
    hue = brighter(dyes.accent, 0.7)
    tip, base = mixed(hue, (0.93, 0.90, 0.88), 0.62), mixed(hue, dyes.accent, 0.5)
    if dark:
        tip, base = mixed((0.90, 0.84, 0.79), hue, 0.12), mixed(mixed(hue, tip, 0.45), dyes.ground, 0.15)
    for petal in _strewn(field):
        _lay(petal, field, (albedo, height, slope_x, slope_y), (base, tip))
    return Plate(
        albedo,
        normals_from_slopes(slope_x, slope_y),
        height,
        roughness=0.62,
        specular=0.025,
        sheen=0.15,
        sheen_roughness=0.5,
    )


def _strewn(field: Field) -> list[_Petal]:
    chance = field.stream("petals")
    wide, high = field.extent
    corner = chance.uniform(0, 2 * math.pi)
    petals: list[_Petal] = []
    for number in range(400):
        x, y = chance.uniform(-0.56, 0.56) * wide, chance.uniform(-0.56, 0.56) * high
        near = math.hypot(x / wide, y / high)
        dense = 0.07 + 0.93 * max(0.0, math.cos(math.atan2(y, x) - corner)) ** 3
        dense = max(dense, 0.75 * max(0.0, math.cos(math.atan2(y, x) - corner - math.pi + 0.3)) ** 6)
        keep = dense * min(1.0, max(0.0, (near - 0.30) / 0.25)) ** 1.2
        length = 0.20 * math.exp(chance.normal(0, 0.25))
        numbers = chance.uniform(size=6)
        if chance.random() > keep:
            continue
        petals.append(
            _Petal(
                x,
                y,
                length,
                2 * math.pi * numbers[0],
                0.55 + 0.32 * numbers[1],
                0.42 * (0.25 + numbers[2]) * (1 if numbers[5] < 0.7 else -1),
                0.6 * numbers[3],
                0.012 + 0.02 * numbers[4] + 0.0012 * len(petals),
                numbers[5],
            )
        )
        if len(petals) == 26 or number == 399:
            break
    return petals


@cache
def _outline() -> Array:
    """Half the breadth over the length, 0..1, in OUTLINE steps: a narrow base, widest at three fifths, a round tip."""
    t = np.linspace(0, 1, OUTLINE + 1)
    return np.asarray(np.maximum(np.sin(math.pi * t**1.3), 0) ** 0.68, np.float32)


def _lay(petal: _Petal, field: Field, into: tuple[Array, Array, Array, Array], dyes: tuple[Colour, Colour]) -> None:
    """One petal over what lies there: from its narrow base at t = 0 to its broad tip at t = 1, cupped across."""
    width, height = field.size
    unit = petal.length * field.short
    x, y = petal.x * field.short + width / 2, petal.y * field.short + height / 2
    reach = 0.72 * unit
    left, right = max(0, math.floor(x - reach)), min(width, math.ceil(x + reach))
    top, bottom = max(0, math.floor(y - reach)), min(height, math.ceil(y + reach))
    if left >= right or top >= bottom:
        return
    columns = (np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x))[None, :] / np.float32(unit)
    rows = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - y))[:, None] / np.float32(unit)
    cosine, sine = np.float32(math.cos(petal.turn)), np.float32(math.sin(petal.turn))
    t = columns * cosine + rows * sine + np.float32(0.5)
    s = rows * cosine - columns * sine
    inside = np.flatnonzero((t > 0) & (t < 1) & (np.abs(s) < np.float32(0.56 * petal.broad + 0.06)))
    if not inside.size:
        return
    t, s = t.ravel()[inside], s.ravel()[inside]  # from here on only what may be petal, (n,)
    s = s + np.float32(0.10 * (petal.tone - 0.5)) * np.sin(t * np.float32(3.4))
    # Half the breadth: nothing at the base, widest at two thirds, round at the tip with a shallow notch.
    breadth = _outline()[(t * np.float32(OUTLINE)).astype(np.int32)] * np.float32(0.5 * petal.broad)
    fourth = t * t
    fourth *= fourth
    ruffle = np.float32(0.05) * np.sin(t * np.float32(9 + 6 * petal.tone) + np.float32(petal.turn)) * t
    notch = np.float32(0.07) * np.exp(-(s * s) * np.float32(90)) * fourth * fourth
    edge = breadth * (1 + ruffle) - np.abs(s) - notch * 3
    pixel = 1.0 / unit
    alpha = smoothstep(-0.6 * pixel, 1.4 * pixel, edge)
    across = s / np.maximum(breadth, 0.02)
    across = np.clip(across, -1, 1)
    cup, curl = np.float32(petal.cup), np.float32(petal.curl)
    # Slopes of z = cup s^2 / breadth + curl (t - 1/2)^2, a rim that rolls back, and veins fanned from the base.
    rim = smoothstep(0.62, 1.0, np.abs(across)) * np.sign(across)
    veins = np.sin(across * np.float32(23 + 9 * petal.tone) + np.sin(t * 7 + across * 4) * 2) * np.float32(0.018)
    slope_s = 2 * cup * across * np.float32(0.8) - rim * cup * np.float32(1.3) + veins
    slope_t = 2 * curl * (t - np.float32(0.45)) - smoothstep(0.78, 1.0, t) * np.float32(0.55 * petal.curl + 0.1)
    shape = np.float32(0.16) * cup * across * across + np.float32(0.35) * curl * (t - np.float32(0.45)) ** 2
    shape = (shape * np.float32(petal.length) + np.float32(petal.lift)) * np.float32(field.short)
    part = slice(top, bottom), slice(left, right)
    for target, value in zip(
        into[1:],
        (np.maximum(shape, 0), slope_t * cosine - slope_s * sine, slope_t * sine + slope_s * cosine),
        strict=True,
    ):
        patch = target[part].ravel()  # a copy, for the part is not contiguous
        patch[inside] += (value - patch[inside]) * alpha
        target[part] = patch.reshape(bottom - top, right - left)
    blush = smoothstep(0.8, 0.0, t + np.float32(0.15) * across * across) + veins * np.float32(1.5)
    shade = np.float32(0.86 + 0.14 * petal.tone) * (1 - np.float32(0.14) * np.abs(across) * across * across)
    colour = tinted(dyes[1], dyes[0], blush[:, None], shade[:, None])[:, 0]
    coloured = into[0][part].reshape(-1, 3)
    under = coloured[inside]
    coloured[inside] = under + (colour - under) * alpha[:, None]
    into[0][part] = coloured.reshape(bottom - top, right - left, 3)


STYLE = Style("petals", "soft petals strewn about a free middle", make)
