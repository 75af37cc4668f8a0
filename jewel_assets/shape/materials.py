"""What else a piece is made of: straps, dials, enamel, crystals.

Densities are middles of the usual ranges (CRC Handbook of Chemistry and Physics; makers' sheets for rubber and
leather); colours are linear RGB, set by eye and not measured.
"""

import difflib
from dataclasses import dataclass

from jewel_assets.errors import Permanent

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """A material that is neither metal nor gem."""

    key: str
    density: float
    """g/cm3."""
    colour: Colour
    """Linear RGB reflectance of the body, or its transmission where it is clear."""
    roughness: float
    """0 polished to 1 matt, as glTF counts it."""
    refractive_index: float = 1.5
    transmission: float = 0.0
    """Share of light that enters and passes: 1 for glass, 0 for what is opaque."""
    metallic: float = 0.0


_LIST = (
    Material("leather", 0.95, (0.075, 0.032, 0.016), 0.62),
    Material("black leather", 0.95, (0.013, 0.012, 0.012), 0.55),
    Material("tan leather", 0.95, (0.30, 0.135, 0.050), 0.60),
    Material("blue leather", 0.95, (0.016, 0.030, 0.085), 0.58),
    Material("rubber", 1.20, (0.014, 0.014, 0.015), 0.75, 1.52),
    Material("textile", 0.80, (0.10, 0.10, 0.11), 0.90),
    Material("silk cord", 1.30, (0.020, 0.018, 0.018), 0.70),
    Material("glass", 2.50, (0.97, 0.98, 0.97), 0.0, 1.52, 1.0),
    Material("sapphire crystal", 3.98, (0.99, 0.99, 0.99), 0.0, 1.77, 1.0),
    Material("enamel", 2.60, (0.030, 0.060, 0.28), 0.06, 1.54),
    Material("white enamel", 2.60, (0.84, 0.83, 0.80), 0.06, 1.54),
    Material("black enamel", 2.60, (0.010, 0.010, 0.011), 0.06, 1.54),
    Material("red enamel", 2.60, (0.42, 0.014, 0.018), 0.06, 1.54),
    Material("green enamel", 2.60, (0.014, 0.17, 0.075), 0.06, 1.54),
    Material("dial lacquer", 1.30, (0.012, 0.013, 0.016), 0.12, 1.52),
    Material("white dial lacquer", 1.30, (0.85, 0.85, 0.83), 0.14, 1.52),
    Material("blue dial lacquer", 1.30, (0.012, 0.032, 0.13), 0.12, 1.52),
    Material("green dial lacquer", 1.30, (0.010, 0.065, 0.036), 0.12, 1.52),
    Material("silvered dial", 8.50, (0.78, 0.77, 0.74), 0.38, metallic=1.0),
    Material("luminous paint", 2.00, (0.74, 0.80, 0.66), 0.80),
    Material("ceramic", 6.00, (0.014, 0.014, 0.015), 0.10, 2.15),
    Material("pearl", 2.71, (0.83, 0.79, 0.73), 0.16, 1.61),
    Material("mother of pearl", 2.72, (0.80, 0.80, 0.78), 0.14, 1.61),
)

OTHERS: dict[str, Material] = {material.key: material for material in _LIST}


def material_named(key: str) -> Material:
    """The material of a key. Raises Permanent for another, with the nearest keys."""
    if key in OTHERS:
        return OTHERS[key]
    near = difflib.get_close_matches(key.lower(), OTHERS, n=3, cutoff=0.4) or list(OTHERS)
    raise Permanent(f'No material is called "{key}" here; the nearest are {", ".join(near)}.')
