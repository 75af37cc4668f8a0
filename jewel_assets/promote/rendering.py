"""From a piece, a template and a seed to the finished image: the one function that command line and assets call."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels
from jewel_assets.promote import shadow
from jewel_assets.promote.fidelity import Fidelity, compare
from jewel_assets.promote.finish import LEAST_CONTRAST, Finish, graded, quiet_area, text_colour, with_logo
from jewel_assets.promote.layout import Align, Composition, Laid, lay
from jewel_assets.promote.lights import light
from jewel_assets.promote.palettes import palette
from jewel_assets.promote.piece import MARGIN, Piece, shows_a_pair
from jewel_assets.promote.plates import plate_of, source_of, surface_of_picture
from jewel_assets.promote.relief import height_of
from jewel_assets.promote.relight import gain_of, relit
from jewel_assets.promote.scene import Array, Plate, Rig, single
from jewel_assets.promote.shading import dithered, shade, to_linear, to_srgb
from jewel_assets.promote.sharpen import sharpened
from jewel_assets.promote.sparkle import sparkled, stars_of
from jewel_assets.promote.templates import Template
from jewel_assets.promote.upscale import ByNetwork, choose_enlarger
from jewel_assets.promote.words import box_of, fitted, font, texts_of, with_words
from jewel_assets.registry import Registry

VERSION = "2"  # raise it when the same template and seed would now give another image
SQUARE = (1080, 1080)
SETS_KEPT = 2
"""The last plates and their light are kept (50 MB each at 1080 px): a batch goes template by template."""
STANDING = ("ring", "bracelet", "wristwatch")
"""Categories of what stands on a floor before a wall; earrings and necklaces hang there."""
HANGING = 0.045
"""How far from the wall what hangs is, as a share of the picture's shorter side."""
STRENGTHS = (1.0, 0.75, 0.5, 0.3, 0.15)
"""Relit: shares of the gain that are tried until the image keeps what the mode promises."""


@dataclass(frozen=True)
class Promo:
    """A finished image (h, w, 3), uint8 sRGB, and how it came about."""

    image: Pixels = field(repr=False)
    fidelity: Fidelity
    template: Template
    seed: int
    record: Mapping[str, Any]
    laid: Laid = field(repr=False)
    ground: Array = field(repr=False)  # (h, w, 3) linear: the plate with shadow and reflection, without the piece
    seen: Array = field(repr=False)  # (h, w) 0..1: how much of the key lamp each place sees past the piece
    warnings: tuple[str, ...] = ()

    @property
    def layers(self) -> Mapping[str, NDArray[np.uint8]]:
        """By name: `plate` (h, w, 3) lit, without the piece; `shadow` (h, w) 0..255; `piece` (h, w, 4) as it was laid,
        its upper left corner at `laid.left`, `laid.top`; `mask` (h, w).
        """
        return {
            "plate": dithered(self.ground, self.seed),
            "shadow": np.rint(self.seen * 255).astype(np.uint8),
            "piece": self.laid.rgba,
            "mask": np.rint(self.laid.alpha() * 255).astype(np.uint8),
        }


def render(
    piece: Piece | Sequence[Piece],
    template: Template,
    seed: int = 0,
    size: tuple[int, int] = SQUARE,
    finish: Finish | None = None,
) -> Promo:
    """Lay the piece on the template's plate, under its light, in an image of this width and height.

    Several, such as one piece from several sides, lie beside each other; the first one's category counts.
    The same piece, template, seed and size give the same pixels, wherever and in whatever order they are rendered.
    Raises Permanent for a template whose style, palette or light is not there, and for a LUT or logo that is broken.
    """
    scene = made_set(template, size, seed)
    pieces = [piece] if isinstance(piece, Piece) else list(piece)
    category = pieces[0].category
    finish = finish or Finish()
    texts = texts_of(template.variables, finish.texts)
    network, kept = _beyond_strict(template, finish)
    laid, remarks = _laid(pieces, scene.plate, template, network)
    ground, seen = _lit(scene, laid, category)
    ground = toned(ground)
    if finish.lut is not None:
        ground = graded(ground, finish.lut)
    ground = sharpened(vignetted(ground, template.vignette), laid.alpha(), template.sharpen)
    shown, strength = _piece_shown(laid, scene.rig, template, min(size))
    mask = np.rint(laid.alpha() * 255).astype(np.uint8)
    plain = composed(ground, shown, laid, seed)
    amount = template.sparkle if template.mode == "relit" else 0.0
    stars = stars_of(laid.rgba, (laid.left, laid.top), amount, min(size), seed)
    starry, stars = sparkled(plain, stars, mask > 127, seed)
    glints = (starry != plain).any(axis=2)
    image, words, said = signed(starry, mask, template, finish, texts)
    # Measured in the image, not believed; where a star is, in what lies beneath it.
    fidelity = compare(laid.rgba, np.where(glints[..., None], plain, image)[laid.box], template.mode, min(size))
    warnings = [*(warning for one in pieces for warning in one.warnings), *kept, *remarks, *said]
    warnings += network.said() if network else []
    if not fidelity.holds:
        warnings.append("The piece could not be kept as the mode promises: look at its cut-out.")
    if laid.scale > 1.5:
        warnings.append(f"The piece was enlarged {laid.scale:.1f} times: a larger photo would show more.")
    record = {
        "version": VERSION,
        "template": template.model_dump(mode="json"),
        "plate": dict(scene.told),
        "seed": seed,
        "size": list(size),
        "category": category,
        "piece_sha256": hashlib.sha256(b"".join(one.rgba.tobytes() for one in pieces)).hexdigest(),
        "pixels_sha256": hashlib.sha256(image.tobytes()).hexdigest(),
        "scale": round(laid.scale, 6),
        "relight": strength,
        "fidelity": fidelity.told(),
        "finish": finish.told(),
        "sparkles": [star.told() for star in stars],  # x, y, size: what the fidelity is not judged by
        "sparkled": round(float((glints & (mask > 127)).sum() / max(1, (mask > 127).sum())), 4),  # of the piece
        "upscaling": network.told() if network else {"engine": "lanczos"},
        **words,
        "warnings": warnings,
    }
    return Promo(image, fidelity, template, seed, record, laid, ground, seen, tuple(warnings))


@dataclass(frozen=True)
class _Set:
    """A plate and its light. Light adds up, so under a shadow it is `without` the key lamp + seen * its `key`."""

    plate: Plate
    rig: Rig
    without: Array = field(repr=False)  # (h, w, 3) linear
    key: Array = field(repr=False)  # (h, w, 3) linear: what the key lamp adds where nothing is in its way
    told: Mapping[str, Any]  # how the plate was made


_sets: "OrderedDict[tuple[Any, ...], _Set]" = OrderedDict()


def made_set(template: Template, size: tuple[int, int], seed: int) -> _Set:
    """The template's plate under its light: kept, since a batch goes template by template."""
    source = tuple(source_of(template).items())
    drawn = not template.texture and template.engine == "procedural"
    surface = None if drawn else surface_of_picture(template)
    known = (source, template.style, template.palette, template.light, surface, size, seed)
    if known in _sets:
        _sets.move_to_end(known)
        return _sets[known]
    while len(_sets) >= SETS_KEPT:
        _sets.popitem(last=False)
    rig = light(template.light)
    plate, told = plate_of(template, size, seed)
    nothing = np.zeros((size[1], size[0]), np.float32)
    without, whole = shade(plate, rig, nothing, seed), shade(plate, rig, None, seed)
    _sets[known] = _Set(plate, rig, without, whole - without, told)
    return _sets[known]


def _beyond_strict(template: Template, finish: Finish) -> tuple[ByNetwork | None, list[str]]:
    """What may enlarge the pieces besides Lanczos, and what strict mode refuses of what was asked."""
    asked = finish.upscale == "real-esrgan"
    if template.mode == "relit":
        return ByNetwork(choose_enlarger(Registry.from_settings())) if asked else None, []
    refused = []
    if asked:
        refused.append("Strict mode invents no detail, so Lanczos enlarges the piece: Real-ESRGAN needs --mode relit.")
    if template.sparkle > 0:
        refused.append("Strict mode changes no pixel of the piece, so it has no sparkle: that needs --mode relit.")
    return None, refused


def _laid(
    pieces: Sequence[Piece], plate: Plate, template: Template, resize: ByNetwork | None
) -> tuple[Laid, list[str]]:
    """The pieces where the template wants them, and what has to be said of it.

    Before a wall, what can stand is moved so that its foot is on the floor, and what cannot hangs above it.
    """
    remarks = []
    pair = template.arrangement == "pair"
    if pair and (len(pieces) > 1 or shows_a_pair(pieces[0].rgba)):
        pair = False
        remarks.append("The pieces were left as they are: a pair is made of one piece, and there are two already.")
    composition = Composition(template.x, template.y, template.scale, template.turn, pair)
    if plate.horizon is None:
        return lay(pieces, plate.size, composition, resize=resize), remarks
    align: Align = "foot" if pieces[0].category in STANDING else "top"
    long = lay(pieces, plate.size, composition, align).rgba.shape[0]
    height = plate.size[1]
    if align == "foot":
        middle = min(plate.horizon + 0.14, 0.90) - long / 2 / height
    else:
        middle = max(plate.horizon * 0.52, 0.06 + long / 2 / height)
    composition = replace(composition, y=float(np.clip(middle, 0.05, 0.95)))
    return lay(pieces, plate.size, composition, align, resize), remarks


def _lit(scene: _Set, laid: Laid, category: str) -> tuple[Array, Array]:
    """The lit plate with the piece's shadow and reflection: (h, w, 3) linear, and (h, w) of the key lamp seen."""
    import cv2

    plate, rig, alpha = scene.plate, scene.rig, laid.alpha()
    width, height = plate.size
    half = single(cv2.resize(alpha, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA))
    foot = float(laid.top + laid.rgba.shape[0] - MARGIN * laid.scale)
    stands = plate.horizon is not None and category in STANDING
    if stands:
        seen, touch = shadow.cast_standing(half, foot / 2, rig.key), shadow.contact(half, foot / 2)
    else:
        rise = height_of(half, category, laid.longest / 2)
        seen, touch = shadow.cast_lying(half, rise, rig.key), shadow.contact(half)
        if plate.horizon is not None:  # it hangs before the wall, touching nothing
            rise = np.where(rise > 0, rise + HANGING * min(half.shape), 0).astype(np.float32)
            seen, touch = shadow.cast_lying(half, rise, rig.key, from_ground=False), np.ones_like(half)
    seen, touch = (
        single(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)) for field in (seen, touch)
    )
    seen = np.clip(seen, 0, 1)
    ground = scene.without + scene.key * seen[..., None]
    ground *= touch[..., None]
    if stands and plate.mirror > 0:
        colours = np.zeros((height, width, 3), np.float32)
        colours[laid.box] = to_linear(laid.rgba[..., :3])
        image, opacity = shadow.reflected(colours, alpha, foot, plate.mirror, 1 - plate.roughness)
        ground = ground * (1 - opacity[..., None]) + image
    return single(ground), seen


def toned(ground: Array) -> Array:
    """The ground brought into the range of a picture: its brightest part near white, never beyond; a soft shoulder.

    Reinhard's curve with a white point (Reinhard et al. 2002, equation 4) on the luminance, so that hues stay.
    """
    luminance = ground @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    white = max(float(np.percentile(luminance[::8, ::8], 99.8)), 1.0)
    mapped = luminance * (1 + luminance / white**2) / (1 + luminance)
    # The curve darkens the middle by half: what was mid grey is mid grey again.
    mapped *= np.float32(1.3) - np.float32(0.3) * mapped
    return single(ground * (mapped / np.maximum(luminance, 1e-5))[..., None])


def vignetted(ground: Array, strength: float) -> Array:
    """Darker towards the corners, as behind a lens."""
    return ground * _falloff(ground.shape[0], ground.shape[1], strength)[..., None] if strength else ground


@lru_cache(maxsize=8)
def _falloff(height: int, width: int, strength: float) -> Array:
    """cos^4 of the angle under which a place is seen, (h, w): the natural vignetting of a lens."""
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height - 0.5
    x = (np.arange(width, dtype=np.float32)[None] + 0.5) / width - 0.5
    return np.asarray((1 + (x * x + y * y) * (2.4 * strength)) ** -2, np.float32)


def _piece_shown(laid: Laid, rig: Rig, template: Template, shorter: int) -> tuple[Pixels, float]:
    """The piece's colours (h, w, 3) as they go into the image, and the share of the scene's light that fell on it."""
    if template.mode == "strict":
        return laid.rgba[..., :3], 0.0
    gain = gain_of(laid.rgba, rig)
    for share in STRENGTHS:
        strength = share * template.relight
        shown = relit(laid.rgba, gain, strength, shorter)
        if compare(laid.rgba, shown, "relit", shorter).holds:
            return shown, strength
    return laid.rgba[..., :3], 0.0


def composed(ground: Array, shown: Pixels, laid: Laid, seed: int) -> Pixels:
    """The piece over the ground, blended in linear light; where it is opaque its pixels are copied."""
    image = dithered(ground, seed)
    box = laid.box
    opacity = laid.rgba[..., 3:]
    share = opacity.astype(np.float32) / 255
    edge = to_srgb(single(to_linear(shown) * share + np.clip(ground[box], 0, 1) * (1 - share)))
    image[box] = np.where(opacity == 255, shown, np.where(opacity == 0, image[box], edge))
    return image


def signed(
    image: Pixels, mask: NDArray[np.uint8], template: Template, finish: Finish, texts: Mapping[str, str]
) -> tuple[Pixels, dict[str, Any], list[str]]:
    """The image with its logo and its words, what the record tells of them, and what has to be said."""
    image, logo, said = with_logo(image, mask, finish)
    area, colours = quiet_area(mask, logo), palette(template.palette)
    face = font(finish.font) if texts else None
    lines = fitted(texts, face, area, (image.shape[1], image.shape[0])) if face else ()
    colour, contrast = text_colour(colours, image, box_of(lines) if lines else area)
    told: dict[str, Any] = {"quiet_area": area, "text_colour": colour, "text_contrast": contrast, "texts": {}}
    if face and lines:
        image = with_words(image, lines, face, colour)
        told |= {"texts": dict(texts), "font": {"name": face.name, "sha256": face.sha256}}
        if contrast < LEAST_CONTRAST:
            said.append(f"The words stand out by {contrast} : 1 only: {LEAST_CONTRAST} : 1 is what all can read.")
    elif texts:
        said.append("The words do not fit beside the piece, so there are none: shorten them, or move the piece.")
    return image, told, said


def plate_alone(template: Template, seed: int, size: tuple[int, int]) -> Pixels:
    """The template's plate under its light, without a piece: (h, w, 3) uint8."""
    scene = made_set(template, size, seed)
    ground = vignetted(toned(scene.without + scene.key), template.vignette)
    return dithered(sharpened(ground, np.zeros(ground.shape[:2], np.float32), template.sharpen), seed)
