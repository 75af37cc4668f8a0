"""The light on a plate: what a camera straight above it sees under a rig, in linear light.

The camera looks along -z without perspective, so v = (0, 0, 1) everywhere. Lamps stand LAMP_DISTANCE longer sides away
from the middle of the picture: near enough that the light falls off across a plain surface, as it does in a studio,
far enough that shadows of a piece fall as from a distant lamp. A lamp of intensity 1 makes diffuse white 1.0 where it
falls head on in the middle of the picture.

Sources: GGX distribution and Smith shadowing, Walter et al., "Microfacet Models for Refraction through Rough
Surfaces", EGSR 2007, eq. 33-34, with the shadowing's approximation of Hammon, "PBR Diffuse Lighting for GGX+Smith
Microsurfaces", GDC 2017; Fresnel, Schlick, "An Inexpensive BRDF Model", 1994, eq. 24; Charlie sheen, Estevez and
Kulla, "Production Friendly Microfacet Sheen BRDF", SIGGRAPH 2017, eq. 2, with the visibility of Neubelt and Pettineo,
"Crafting a Next-Gen Material Pipeline for The Order: 1886", 2013.
"""

import math

import numpy as np
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels
from jewel_assets.promote.noise import Field, smoothstep
from jewel_assets.promote.scene import Array, Gobo, Lamp, Plate, Rig, Spot

Point = NDArray[np.float64]

LAMP_DISTANCE = 2.4  # longer sides of the picture
BAND = 24  # rows shaded at once: what they need stays in the processor's cache
RELIEF_CELLS = 270  # of the grid on which folds shade each other
MASK_FINE = 0.45  # of the picture's size: how far masks are enlarged smoothly
MASK_CELLS = 360  # of the grid on which a gobo is laid out; its edges are soft
GOBOS = ("window", "blinds", "leaves")
TILE = 256  # pixels of the dither's pattern, which repeats


def shade(plate: Plate, rig: Rig, shadow: Array | None = None, seed: int = 0) -> Array:
    """The plate under the rig, linear light (h, w, 3), 0 and up.

    `shadow` (h, w) in 0..1 is how much of the key lamp reaches each pixel past the piece (1: all); the gobo (laid out
    by `seed`), the spot and the plate's own folds take their part of the key lamp too. Other lamps meet no obstacle.
    """
    width, height = plate.size
    key_light = _key_light(plate, rig, shadow, seed)
    open_sky = ambient_occlusion(plate.height)
    sheen_colour = _sheen_colour(plate)
    result = np.empty((height, width, 3), np.float32)
    for top in range(0, height, BAND):
        rows = slice(top, min(top + BAND, height))
        normals = plate.normals[rows]
        nx, ny, nz = (np.ascontiguousarray(normals[..., axis]) for axis in range(3))
        np.maximum(nz, 1e-3, out=nz)
        diffuse, gloss, pile = _ambient(plate, rig, open_sky[rows], nz)
        for number, lamp in enumerate(rig.lamps):
            light = _lamp_on(plate, lamp, (nx, ny, nz), top, key_light[rows] if number == 0 else None)
            for total, part in zip((diffuse, gloss, pile), light, strict=True):
                if part is not None:
                    for channel in range(3):
                        total[channel] += part * np.float32(lamp.colour[channel])
        band = result[rows]
        for channel in range(3):
            one = plate.albedo[rows, :, channel] * diffuse[channel]
            one += gloss[channel]
            if plate.sheen:
                pile[channel] *= np.float32(plate.sheen * sheen_colour[channel])
                one += pile[channel]
            band[..., channel] = one
        if plate.emission is not None:
            band += plate.emission[rows]
    return result


def ambient_occlusion(height: Array) -> Array:
    """How much of the light from everywhere reaches each pixel, (h, w) in 0..1, from the height in pixels.

    A pixel below the mean of its surroundings lies in a hollow (Luft et al., "Image Enhancement by Unsharp Masking the
    Depth Buffer", SIGGRAPH 2006), at three scales.
    """
    import cv2

    field = Field((height.shape[1], height.shape[0]), 0)
    if float(np.ptp(height)) < 1e-3:
        return np.ones_like(height)
    small = cv2.resize(height, field.coarse(RELIEF_CELLS).size, interpolation=cv2.INTER_AREA)
    hidden = np.zeros_like(small)
    for part in (1 / 110, 1 / 40, 1 / 14):
        sigma = part * RELIEF_CELLS
        below = cv2.GaussianBlur(small, (0, 0), sigma) - small
        below *= np.float32(1 / (part * field.short))
        hidden += np.maximum(below, 0)
    return field.enlarged(np.exp(hidden * np.float32(-1.6)), MASK_FINE)


def self_shadow(height: Array, lamp: Lamp) -> Array:
    """How much of the lamp reaches each pixel past the surface's own relief, (h, w) in 0..1, soft as the lamp is.

    Marches the height towards the lamp on a coarse grid; the edge is as wide as the lamp's angle at the distance of
    what hides it (percentage closer soft shadows: Fernando, 2005).
    """
    import cv2

    field = Field((height.shape[1], height.shape[0]), 0)
    relief = float(height.max() - height.min())
    rise = math.tan(math.radians(min(lamp.elevation, 89.0)))
    reach = relief / rise  # no farther can the highest point throw a shadow
    if reach < 2.0:
        return np.ones_like(height)
    coarse = field.coarse(RELIEF_CELLS)
    unit = field.short / RELIEF_CELLS
    small = np.asarray(cv2.resize(height, coarse.size, interpolation=cv2.INTER_AREA), np.float32)
    small *= np.float32(1 / unit)
    azimuth = math.radians(lamp.azimuth)
    spread = min(math.tan(math.radians(max(lamp.softness, 6.0))), rise)  # a level plane never hides from the lamp
    visible = np.ones_like(small)
    distance = 1.0
    while distance < reach / unit:
        move = np.array([[1, 0, distance * math.cos(azimuth)], [0, 1, -distance * math.sin(azimuth)]], np.float32)
        way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(small, move, coarse.size, flags=way, borderMode=cv2.BORDER_REPLICATE)
        towards = np.asarray(moved, np.float32)
        towards -= small
        towards -= np.float32(distance * rise)
        towards *= np.float32(-1 / (2 * distance * spread + 0.6))
        towards += np.float32(0.5)
        np.minimum(visible, towards, out=visible)
        distance *= 1.2
        distance += 0.4
    np.clip(visible, 0, 1, out=visible)
    return field.enlarged(np.asarray(cv2.GaussianBlur(visible, (0, 0), 1.2), np.float32), MASK_FINE)


def gobo_mask(gobo: Gobo, size: tuple[int, int], key: Lamp, seed: int = 0) -> Array:
    """How much of the key lamp a gobo lets through, (h, w) in 0..1 for `size` (width, height).

    The penumbra's width is that of the lamp (`key.softness`) and grows fourfold from the picture's edge nearest to the
    lamp to the farthest. `seed` moves the window, slats or leaves. Raises Permanent for an unknown kind.
    """
    if gobo.kind not in GOBOS:
        raise Permanent(f"There is no gobo '{gobo.kind}'. Use {', '.join(GOBOS[:-1])} or {GOBOS[-1]}.")
    whole = Field(size, seed)
    field = whole.coarse(MASK_CELLS)
    x, y = field.grid()
    azimuth = math.radians(key.azimuth)
    reach = (abs(math.cos(azimuth)) * field.extent[0] + abs(math.sin(azimuth)) * field.extent[1]) / 2
    away = (y * np.float32(math.sin(azimuth)) - x * np.float32(math.cos(azimuth))) * np.float32(0.5 / reach) + 0.5
    blur = np.asarray(1 + 3 * np.clip(away, 0, 1), np.float32)
    blur *= np.float32(gobo.blur * (0.003 + 0.0011 * key.softness))
    chance = field.stream(gobo.kind)
    if gobo.kind == "leaves":
        return whole.enlarged(_leaves(field, gobo, blur, chance), MASK_FINE)
    turn = math.radians(gobo.turn)
    u = np.asarray(x * math.cos(turn) + y * math.sin(turn), np.float32)
    v = np.asarray(y * math.cos(turn) - x * math.sin(turn), np.float32)
    u += np.float32(0.22) * v  # the sun does not stand square to the window
    for plane in (u, v, blur):
        plane /= np.float32(gobo.scale)
    u += np.float32(chance.uniform(-0.07, 0.07))
    v += np.float32(chance.uniform(-0.07, 0.07))
    if gobo.kind == "window":
        mask = _openings(u, blur, ((-0.46, -0.055), (-0.02, 0.385)))
        mask *= _openings(v, blur, ((-0.68, -0.27), (-0.235, 0.175), (0.21, 0.62)))
    else:
        pitch, slat = 0.135, 0.40
        shares = (number * pitch for number in range(-5, 4))
        mask = _openings(v, blur, tuple((at - 0.02, at - 0.02 + pitch * (1 - slat)) for at in shares))
        mask *= _openings(u, blur, ((-0.52, 0.50),))
    return whole.enlarged(mask, MASK_FINE)


def spot_mask(spot: Spot, size: tuple[int, int]) -> Array:
    """A cone of light, (h, w) in 0..1: 1 in the middle, 0 from `radius` on, with a soft edge as wide as `edge` says."""
    width, height = size
    radius = max(spot.radius, 1e-3) * max(size)
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5 - spot.x * width))[None, :]
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5 - spot.y * height))[:, None]
    distance = np.sqrt(x * x + y * y)
    distance *= np.float32(1 / radius)
    return smoothstep(1.0, 1 - min(max(spot.edge, 0.02), 1.0), distance)


def _openings(along: Array, blur: Array, openings: tuple[tuple[float, float], ...]) -> Array:
    """Light through gaps in a screen, each from low to high: the normal distribution as a logistic curve of 1.702."""
    sharpness = np.float32(0.851) / blur
    total = np.zeros(np.broadcast_shapes(along.shape, blur.shape), np.float32)
    for low, high in openings:
        total += np.tanh((along - np.float32(low)) * sharpness)
        total -= np.tanh((along - np.float32(high)) * sharpness)
    return total * np.float32(0.5)


def _leaves(field: Field, gobo: Gobo, blur: Array, chance: np.random.Generator) -> Array:
    """Fronds that reach in from the edges, the middle left open; (h, w), never quite dark: leaves let light through."""
    import cv2

    width, height = field.size
    canvas = np.zeros((height, width), np.uint8)
    middle, far = np.array([width, height]) / 2, math.hypot(width, height) / 2
    start = chance.uniform(0, 2 * math.pi)
    for number in range(5):
        angle = start + number * 2 * math.pi / 5 + chance.uniform(-0.3, 0.3) + math.radians(gobo.turn)
        root = middle + far * 1.05 * np.array([math.cos(angle), math.sin(angle)])
        heading = angle + math.pi + chance.uniform(-0.55, 0.55)
        _frond(canvas, root, heading, far * gobo.scale * chance.uniform(0.6, 0.95), chance)
    # Three blurs, and every pixel between the two that are next to its own.
    sigmas = [float(blur.min()), float(blur.min() + blur.max()) / 2, float(blur.max())]
    soft = [cv2.GaussianBlur(canvas, (0, 0), max(0.6, sigma * MASK_CELLS)).astype(np.float32) for sigma in sigmas]
    place = (blur - np.float32(sigmas[0])) * np.float32(2 / max(sigmas[2] - sigmas[0], 1e-6))
    near, late = np.clip(place, 0, 1), np.clip(place - 1, 0, 1)
    cover = soft[0] + (soft[1] - soft[0]) * near
    cover += (soft[2] - cover) * late
    return np.asarray(1 - cover * np.float32(0.9 / 255), np.float32)


def _frond(canvas: Pixels, root: Point, heading: float, length: float, chance: np.random.Generator) -> None:
    import cv2

    bend = chance.uniform(-0.9, 0.9)
    count = 17
    at = root
    for number in range(count):
        along = number / count
        angle = heading + bend * along
        tip = at + length / count * np.array([math.cos(angle), math.sin(angle)])
        cv2.line(canvas, _fixed(at), _fixed(tip), 255, max(1, round(length * 0.012 * (1 - along))), cv2.LINE_AA, 4)
        size = length * 0.46 * math.sin(math.pi * (0.12 + 0.8 * along)) * chance.uniform(0.85, 1.1)
        for side in (-1, 1):
            out = angle + side * (1.05 - 0.55 * along) + chance.uniform(-0.12, 0.12)
            steps = np.linspace(0, 1, 9)
            thick = 0.075 * size * np.sin(math.pi * steps**0.75)
            droop = out + side * 0.5 * steps
            spine = at + size * steps[:, None] * np.stack([np.cos(droop), np.sin(droop)], 1)
            across = np.stack([-np.sin(droop), np.cos(droop)], 1) * thick[:, None]
            outline = np.concatenate([spine + across, (spine - across)[::-1]])
            cv2.fillPoly(canvas, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        at = tip


def _fixed(point: Point) -> tuple[int, int]:
    return round(float(point[0]) * 16), round(float(point[1]) * 16)


def to_srgb(linear: Array) -> Pixels:
    """Linear light as sRGB, uint8, rounded; below 0 and above 1 is cut off (IEC 61966-2-1). Any shape."""
    encoded = _encoded(linear)
    encoded += np.float32(0.5)
    return encoded.astype(np.uint8)


def to_linear(pixels: Pixels) -> Array:
    """sRGB, uint8, as linear light in 0..1 (IEC 61966-2-1). Any shape; `to_srgb` is the exact inverse."""
    steps = np.arange(256) / 255
    table = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return np.asarray(table[pixels], np.float32)


def dithered(linear: Array, seed: int = 0) -> Pixels:
    """Linear light (h, w, 3) as sRGB, uint8, with triangular noise of +-1 level, so that no gradient shows bands.

    The mean and the deviation of the error then depend on nothing in the picture (Lipshitz, Wannamaker and Vanderkooy,
    "Quantization and Dither: A Theoretical Survey", J. Audio Eng. Soc. 40(5), 1992).
    """
    height, width = linear.shape[:2]
    chance = np.random.Generator(np.random.PCG64(seed))
    tile = chance.random((TILE, TILE, 3), np.float32) + chance.random((TILE, TILE, 3), np.float32)
    tile -= np.float32(0.5)  # triangular in -1..1, and half a level, which makes cutting off into rounding
    encoded = _encoded(linear)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            part = encoded[top : top + TILE, left : left + TILE]
            part += tile[: part.shape[0], : part.shape[1]]
    np.clip(encoded, 0, 255, out=encoded)
    return encoded.astype(np.uint8)


def _encoded(linear: Array) -> Array:
    """sRGB in 0..255, not rounded."""
    import cv2

    light = np.clip(linear, 0, 1)
    shape = light.shape
    flat = np.ascontiguousarray(light).reshape(-1, 1)
    curve = np.asarray(cv2.pow(flat, 1 / 2.4), np.float32)
    curve *= np.float32(1.055 * 255)
    curve -= np.float32(0.055 * 255)
    toe = flat * np.float32(12.92 * 255)
    return np.asarray(np.where(flat <= np.float32(0.0031308), toe, curve).reshape(shape), np.float32)


def _key_light(plate: Plate, rig: Rig, shadow: Array | None, seed: int) -> Array:
    light = self_shadow(plate.height, rig.key)
    step = max(1, plate.size[1] // 64)
    bounced = np.float32(0.45 * plate.albedo[::step, ::step].mean())  # what lit folds throw into shaded ones
    light += bounced * (1 - light)
    if shadow is not None:
        light = light * shadow
    if rig.gobo is not None:
        light *= gobo_mask(rig.gobo, plate.size, rig.key, seed)
    if rig.spot is not None:
        light *= spot_mask(rig.spot, plate.size)
    return np.asarray(light, np.float32)


def _sheen_colour(plate: Plate) -> tuple[float, ...]:
    """Of the fibres' edges: the surface's colour, paler, for light that grazes them is coloured less."""
    step = max(1, plate.albedo.shape[0] // 128)
    mean = plate.albedo[::step, ::step].reshape(-1, 3).mean(axis=0)
    return tuple(float(value) for value in mean**0.6)


def _ambient(plate: Plate, rig: Rig, open_sky: Array, nz: Array) -> tuple[list[Array], list[Array], list[Array]]:
    """Diffuse, glossy and sheen light from everywhere on a band, per channel."""
    edge = 1 - nz
    diffuse = open_sky * (1 - np.float32(0.35) * edge)  # what looks away sees the surface itself, not the sky
    edge_two = edge * edge
    gloss = edge_two * edge_two * edge
    gloss *= np.float32((1 - plate.specular) * (1 - plate.roughness))
    gloss += np.float32(plate.specular)
    gloss *= open_sky
    fit = _sheen_fit(plate.sheen_roughness)
    pile = np.exp(nz * np.float32(fit[0]) + np.float32(fit[1])) * open_sky if plate.sheen else gloss
    colours = [np.float32(value) for value in rig.ambient]
    return ([diffuse * each for each in colours], [gloss * each for each in colours], [pile * each for each in colours])


def _sheen_fit(roughness: float) -> tuple[float, float]:
    """Exponent over n.v of Charlie sheen under even light: the fit in three.js (r150, `IBLSheenBRDF`, MIT licence)."""
    square = roughness * roughness
    if roughness < 0.25:
        return (-339.2 * square + 161.4 * roughness - 25.9, 44.0 * square - 23.7 * roughness + 3.26)
    return (-8.48 * square + 14.3 * roughness - 9.95, 1.97 * square - 3.27 * roughness + 0.72)


def _lamp_on(
    plate: Plate, lamp: Lamp, normals: tuple[Array, Array, Array], top: int, visible: Array | None
) -> tuple[Array, Array, Array | None]:
    """What one lamp of white light adds to diffuse, gloss and sheen on a band that starts at row `top`."""
    import cv2

    nx, ny, nz = normals
    width, height = plate.size
    far = LAMP_DISTANCE * max(plate.size)
    x = (np.float32(far * lamp.direction[0] + width / 2 - 0.5) - np.arange(width, dtype=np.float32))[None, :]
    rows = np.arange(top, top + nz.shape[0], dtype=np.float32)
    y = (np.float32(far * lamp.direction[1] + height / 2 - 0.5) - rows)[:, None]
    z = np.float32(far * lamp.direction[2])
    near = 1 / np.sqrt(x * x + y * y + z * z)
    lz = near * z
    nl = nx * x
    nl += ny * y
    nl += nz * z
    nl *= near
    # A wide lamp still lights what turns away from it, and a pile of fibres lets light round the edge.
    wrap = np.float32(0.5 * math.sin(math.radians(lamp.softness)) + 0.22 * plate.sheen)
    lit = np.maximum((nl + wrap) / (1 + wrap), 0)
    strength = near * near
    strength *= np.float32(lamp.intensity * far * far)
    if visible is not None:
        strength *= visible
    np.maximum(nl, 0, out=nl)
    half_length = np.sqrt(2 + 2 * lz)  # |l + v|
    nh = np.minimum((np.maximum(nl, 0) + nz) / half_length, 1)
    vh = half_length * np.float32(0.5)
    nh_two = nh * nh

    alpha = min(1.0, plate.roughness**2 + math.radians(lamp.softness) / 2)  # a lamp's width widens its highlight
    spread = nh_two * np.float32(alpha * alpha - 1) + 1
    gloss = np.float32(alpha * alpha) / (spread * spread)  # pi D, for light is counted in units of diffuse white
    gloss *= nl
    gloss *= strength
    a = np.float32(alpha)
    gloss *= np.float32(0.5) / np.maximum(2 * nl * nz * (1 - a) + (nl + nz) * a, 1e-4)
    away = 1 - vh
    away_two = away * away
    gloss *= np.float32(plate.specular) + np.float32(1 - plate.specular) * away_two * away_two * away

    pile: Array | None = None
    if plate.sheen:
        power = 1 / max(plate.sheen_roughness, 0.07)
        sine_two = np.maximum(1 - nh_two, 0)
        pile = np.asarray(cv2.pow(sine_two, power / 2), np.float32)
        pile *= np.float32((2 + power) / 2)
        pile *= np.float32(0.25) / np.maximum(nl + nz - nl * nz, 1e-3)
        pile *= lit  # fibres that stick out catch light a little past the edge of the shade
        pile *= strength
    lit *= strength
    return lit, gloss, pile
