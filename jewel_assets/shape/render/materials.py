"""What light does at the surface of each material, in the words of Mitsuba's BSDFs.

Metals are measured: an alloy's complex index of refraction comes from its colour and the optical constants of its main
metal (`shape.alloys`); fine gold, silver and copper are Mitsuba's own spectra. Gems are dielectrics of their real index
that absorb along the way that the light really goes. What is neither is a coated body of its colour.
"""

from dataclasses import dataclass, field
from typing import Any

from jewel_assets.errors import Permanent
from jewel_assets.shape.alloys import MITSUBA_CONDUCTORS, alloy_named
from jewel_assets.shape.gems.species import Species, species_named
from jewel_assets.shape.materials import OTHERS, material_named
from jewel_assets.shape.piece import Kind

Colour = tuple[float, float, float]

FINISHES = {"mirror": 0.008, "polished": 0.022, "soft": 0.08, "satin": 0.20, "matt": 0.32}
"""Roughness (GGX alpha) of a metal's finish. Polished pieces still have the hair lines of the last cloth."""

_FINE = 990.0  # parts per thousand from which an alloy is the pure metal that was measured


@dataclass(frozen=True)
class Optics:
    """How one material is rendered.

    `bsdf` is Mitsuba's dictionary. `albedo` (linear) is what a denoiser should take its colour to be. A gem that light
    goes through has its `species`, whose index and absorption the scene turns into a dielectric and a medium.
    """

    bsdf: dict[str, Any] = field(repr=False)
    albedo: Colour
    species: Species | None = None


def optics(kind: Kind, material: str, finish: str = "polished", roughness: float | None = None) -> Optics:
    """The optics of a body's material.

    `finish` is one of `FINISHES` and holds for metal; `roughness` (GGX alpha) overrides it. Raises Permanent for a
    metal, gem or other material that is not known, naming the nearest.
    """
    if kind == "metal":
        return metal(material, FINISHES[finish] if roughness is None else roughness)
    if kind == "gem":
        return gem(material)
    return other(material)


def metal(key: str, alpha: float) -> Optics:
    """An alloy by its key ("18k-rose", "950-platinum", "925-silver") with the GGX roughness `alpha`."""
    alloy = alloy_named(key)
    surface: dict[str, Any] = {"type": "roughconductor", "distribution": "ggx", "alpha": alpha}

    def both_sides(index: dict[str, Any]) -> dict[str, Any]:
        # At an outline the interpolated normal may face away; one-sided metal is black there, in a dotted line.
        return {"type": "twosided", "nested": surface | index}

    if alloy.fineness >= _FINE and alloy.base in MITSUBA_CONDUCTORS:
        return Optics(both_sides({"material": MITSUBA_CONDUCTORS[alloy.base]}), alloy.colour)
    eta, k = alloy.complex_index_rgb
    return Optics(both_sides({"eta": eta, "k": k}), alloy.colour)


def gem(name: str) -> Optics:
    """A gem by its species: clear, clouded or opaque."""
    species = species_named(name)
    if species.clarity == "transparent":
        return Optics({"type": "dielectric"}, (1.0, 1.0, 1.0), species)
    base = species.surface
    if name.endswith("pearl"):
        return Optics(_nacre(base), base)
    return Optics(
        {
            "type": "roughplastic",
            "diffuse_reflectance": base,
            "int_ior": min(max(species.refractive_index, 1.2), 2.6),
            "alpha": 0.03 if species.clarity == "opaque" else 0.06,
            "nonlinear": True,
        },
        base,
    )


def _nacre(base: Colour) -> dict[str, Any]:
    """A pearl: a third of its light comes back from thin layers, as from a soft mirror, the rest from a white body.

    The clear coat is the sharp image of the lamps on the outermost layer. Layers return more than a white pigment does,
    so the colour is lifted towards white by a power (by eye, against photos of Akoya and Tahitian pearls).
    """
    red, green, blue = (channel**0.7 for channel in base)
    return {
        "type": "principled",
        "base_color": (red, green, blue),
        "metallic": 0.32,
        "roughness": 0.24,
        "specular": 0.7,
        "clearcoat": 1.0,
        "clearcoat_gloss": 0.97,
        "sheen": 0.3,
    }


PANE_REFLECTANCE = 0.012
"""Of each face of a watch's crystal with its anti-reflection coating: makers give 1 to 2 % for both faces together."""


def _pane() -> dict[str, Any]:
    """A crystal as thin as it looks: nearly all light goes straight through, so lamps light the dial behind it."""
    return {
        "type": "mask",
        "opacity": PANE_REFLECTANCE,
        "nested": {"type": "twosided", "nested": {"type": "conductor"}},
    }


def other(key: str) -> Optics:
    """Leather, enamel, lacquer, glass ... by the key of `shape.materials`; alloys and gems by theirs."""
    if key not in OTHERS:
        for known in (gem, lambda name: metal(name, FINISHES["soft"])):
            try:
                return known(key)
            except Permanent:
                continue
    material = material_named(key)
    if material.transmission > 0.5:
        return Optics(_pane(), (1.0, 1.0, 1.0))
    if "pearl" in key:
        return Optics(_nacre(material.colour), material.colour)
    surface: dict[str, Any] = {
        "type": "principled",
        "base_color": material.colour,
        "roughness": max(material.roughness, 0.05),
        "metallic": material.metallic,
    }
    if material.metallic < 0.5:
        # Mitsuba takes either the index or Disney's "specular"; 0.5 of the latter is the index 1.5.
        surface["specular"] = min(1.0, ((material.refractive_index - 1) / (material.refractive_index + 1)) ** 2 / 0.08)
    return Optics(surface, material.colour)


__all__ = ["FINISHES", "Optics", "gem", "metal", "optics", "other"]
