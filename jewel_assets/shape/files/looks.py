"""Looks of metals, gems and other materials as glTF materials, and as one colour for formats that have no more.

glTF 2.0 with KHR_materials_transmission, _ior, _volume, _dispersion and _clearcoat (Khronos, ratified). All colours are
linear but for `display_colour`.
"""

from typing import Any

import numpy as np

from jewel_assets.shape.alloys import ALLOYS
from jewel_assets.shape.gems import SPECIES
from jewel_assets.shape.gems.species import Species
from jewel_assets.shape.materials import material_named

POLISHED_ROUGHNESS = 0.12
"""Of jewellers' polish, as renderers like it: less shows single pixels of the environment."""


def gltf_material(material: str, depth_m: float = 0.0) -> dict[str, Any]:
    """The glTF material of an alloy, a gem species or another material, by its key.

    `depth_m`: how thick a gem is, in metres, for renderers that do not trace light through it.
    """
    if material in ALLOYS:
        return {
            "name": material,
            "pbrMetallicRoughness": {
                "baseColorFactor": [*_rounded(ALLOYS[material].colour), 1.0],
                "metallicFactor": 1.0,
                "roughnessFactor": POLISHED_ROUGHNESS,
            },
        }
    if material in SPECIES:
        return _gem(SPECIES[material], depth_m)
    return _other(material)


def display_colour(material: str) -> tuple[int, int, int]:
    """One sRGB colour, 0 to 255 each, for slicers and mesh viewers."""
    if material in ALLOYS:
        linear = ALLOYS[material].colour
    elif material in SPECIES:
        species = SPECIES[material]
        linear = species.transmission if species.clarity == "transparent" else species.surface
    else:
        linear = material_named(material).colour
    levels = np.clip(np.array(linear), 0, 1)
    curved = np.where(levels <= 0.0031308, 12.92 * levels, 1.055 * levels ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    red, green, blue = (int(level) for level in np.rint(curved * 255))
    return red, green, blue


def _gem(species: Species, depth_m: float) -> dict[str, Any]:
    extensions: dict[str, Any] = {"KHR_materials_ior": {"ior": round(species.refractive_index, 4)}}
    base = (1.0, 1.0, 1.0)
    if species.clarity == "opaque":
        base = species.surface
    else:
        clear = species.clarity == "transparent"
        base = base if clear else species.surface
        extensions["KHR_materials_transmission"] = {"transmissionFactor": 1.0 if clear else 0.4}
        extensions["KHR_materials_volume"] = {
            "thicknessFactor": round(depth_m, 7),
            "attenuationDistance": species.reference_mm / 1000,
            "attenuationColor": _rounded(species.transmission),
        }
        if np.isfinite(species.abbe_number) and clear:
            # Defined as 20 / V, V being the Abbe number: 0.36 for diamond.
            extensions["KHR_materials_dispersion"] = {"dispersion": round(20 / species.abbe_number, 4)}
    pearl = "pearl" in species.name
    if pearl:  # the sharp reflection that lies over the soft one of the nacre is what tells a pearl from a bead
        extensions["KHR_materials_clearcoat"] = {"clearcoatFactor": 0.6, "clearcoatRoughnessFactor": 0.08}
    return {
        "name": species.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*_rounded(base), 1.0],
            "metallicFactor": 0.0,
            "roughnessFactor": 0.35 if pearl else (0.0 if species.clarity == "transparent" else 0.1),
        },
        "extensions": extensions,
    }


def _other(material: str) -> dict[str, Any]:
    look = material_named(material)
    clear = look.transmission > 0
    extensions: dict[str, Any] = {"KHR_materials_ior": {"ior": look.refractive_index}}
    if clear:
        extensions["KHR_materials_transmission"] = {"transmissionFactor": look.transmission}
    return {
        "name": look.key,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*_rounded(look.colour), 1.0],
            "metallicFactor": look.metallic,
            "roughnessFactor": look.roughness,
        },
        "extensions": extensions,
    }


def _rounded(colour: tuple[float, float, float]) -> list[float]:
    return [round(float(np.clip(level, 0, 1)), 5) for level in colour]
