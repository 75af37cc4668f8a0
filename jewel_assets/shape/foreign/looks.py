"""What a foreign material looks like: its plain colour for the new GLB, and the house's nearest material for a picture.

Textures are dropped. A material whose colour is only in its texture keeps the factor, which is white as a rule.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from jewel_assets.shape.alloys import ALLOYS
from jewel_assets.shape.files.looks import display_colour
from jewel_assets.shape.gems import SPECIES
from jewel_assets.shape.piece import Kind

_GEM_NAMES = re.compile(
    r"gem|diamond|diamant|crystal|brilliant|stone|jewel|ruby|sapphire|emerald|amethyst|topaz|zircon|opal|quartz|glass",
    re.IGNORECASE,
)
_METAL_NAMES = re.compile(r"gold|silver|platin|metal|steel|brass|bronze|copper|chrome|rhodium|titan", re.IGNORECASE)


@dataclass(frozen=True)
class Look:
    """A plain glTF material. `colour`: linear red, green, blue and alpha, 0 to 1, as are metallic and roughness."""

    name: str
    colour: tuple[float, float, float, float]
    metallic: float
    roughness: float
    gem: bool
    """Whether it seems to be a cut stone: clear, or named like one. Its facets are shaded flat."""

    def gltf(self, open_surface: bool) -> dict[str, Any]:
        """The material of the new file; one of an open surface shows both of its sides."""
        material: dict[str, Any] = {
            "name": self.name,
            "pbrMetallicRoughness": {
                "baseColorFactor": [round(level, 5) for level in self.colour],
                "metallicFactor": round(self.metallic, 5),
                "roughnessFactor": round(self.roughness, 5),
            },
        }
        if self.colour[3] < 1:
            material["alphaMode"] = "BLEND"
        if open_surface:
            material["doubleSided"] = True
        return material

    @property
    def house(self) -> tuple[Kind, str]:
        """Kind and key of the house's material that comes nearest, for a quick picture."""
        red, green, blue, _ = self.colour
        if self.gem:
            return "gem", _nearest(tuple(SPECIES), (red, green, blue))
        if self.metallic >= 0.5 or _METAL_NAMES.search(self.name):
            return "metal", _nearest(tuple(ALLOYS), (red, green, blue))
        return "other", _nearest(_ENAMELS, (red, green, blue))


_ENAMELS = ("pearl", "enamel", "white enamel", "black enamel", "red enamel", "green enamel", "tan leather", "textile")
PLAIN = Look("metal", (0.8, 0.78, 0.75, 1.0), 1.0, 0.25, False)
"""Of parts without a material: silver, since most pieces are metal and glTF's own default is a white plastic."""


def look_of(material: dict[str, Any]) -> Look:
    """The plain look of a glTF material (core, or KHR_materials_pbrSpecularGlossiness)."""
    name = str(material.get("name") or "material")[:80]
    core = _dict(material.get("pbrMetallicRoughness"))
    extensions = _dict(material.get("extensions"))
    old = _dict(extensions.get("KHR_materials_pbrSpecularGlossiness"))
    colour = _levels(core.get("baseColorFactor", old.get("diffuseFactor")), 4, (1.0, 1.0, 1.0, 1.0))
    if material.get("alphaMode", "OPAQUE") == "OPAQUE":
        colour = (*colour[:3], 1.0)
    clear = colour[3] < 0.9 or "KHR_materials_transmission" in extensions
    gem = bool(_GEM_NAMES.search(name) or clear) and not _METAL_NAMES.search(name)
    metallic, roughness = (_levels([core.get(key, 1.0)], 1, (1.0,))[0] for key in ("metallicFactor", "roughnessFactor"))
    if old and not core:  # whose metals are told by their specular colour
        specular = max(_levels(old.get("specularFactor"), 3, (1.0, 1.0, 1.0)))
        metallic = 1.0 if specular > 0.5 > max(colour[:3]) else 0.0
        roughness = 1.0 - _levels([old.get("glossinessFactor", 1.0)], 1, (1.0,))[0]
    return Look(name, (colour[0], colour[1], colour[2], colour[3]), metallic, roughness, gem)


def looks_of(materials: Sequence[dict[str, Any]], parts: Sequence[tuple[str, int | None]] = ()) -> dict[int, Look]:
    """The looks of a file's materials by number; -1 is that of parts without one.

    `parts`, each a name and the number of its material, help to tell stones: a material that only parts named like
    stones have is a stone's.
    """
    looks = {-1: PLAIN} | {number: look_of(material) for number, material in enumerate(materials)}
    for number, look in looks.items():
        named = [bool(_GEM_NAMES.search(name)) for name, material in parts if material == number]
        if number >= 0 and named and all(named) and not _METAL_NAMES.search(look.name):
            looks[number] = replace(look, gem=True)
    return looks


@lru_cache(maxsize=256)
def _nearest(keys: tuple[str, ...], linear: tuple[float, float, float]) -> str:
    wanted = 255 * np.clip(np.array(linear), 0, 1) ** (1 / 2.2)
    colours = np.array([display_colour(key) for key in keys], float)
    # The house's metals are pale, as mirrors are, and drawn ones saturated: the hue decides more than the lightness.
    hue = (colours - colours.mean(axis=1, keepdims=True)) - (wanted - wanted.mean())
    lightness = colours.mean(axis=1) - wanted.mean()
    return keys[int(np.argmin((hue**2).sum(axis=1) + 0.3 * lightness**2))]


def _levels(values: object, count: int, otherwise: tuple[float, ...]) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) != count:
        return otherwise
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return otherwise
    return tuple(float(np.clip(value, 0, 1)) for value in values)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
