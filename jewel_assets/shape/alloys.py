"""Jewellery alloys: what they are made of, how heavy they are, how they melt, shrink and shine.

Sources, facts only. Compositions, densities and melting ranges: ISO 8654 (the coloured golds 2N to 5N); World Gold
Council, *Gold jewellery alloys*; W. Rapson, "The metallurgy of the coloured carat gold alloys", *Gold Bulletin* 23/4
(1990); Cookson and Rio Grande data sheets; C. Corti, "The evolution of platinum jewellery alloys", *Johnson Matthey
Technology Review* 66/4 (2022); *ASM Handbook* vol. 2 for silver, bronze, brass, steel and titanium. Karat golds differ
from refiner to refiner: density by 2 %, melting by 20 degrees. Every density here agrees within 3 % with the rule of
mixtures.

Colours are CIELAB (D65), rounded from what is typical of polished samples in C. Cretu and E. van der Lingen, "Coloured
gold alloys", *Gold Bulletin* 32/4 (1999), S. Henderson and D. Manchanda, "White gold alloys", *Gold Bulletin* 38/2
(2005) and refiners' sheets; samples of one alloy differ by some 3 units. Platinum, palladium and steel follow the
optical constants of the main metal.
"""

import difflib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jewel_assets.errors import Permanent
from jewel_assets.shape.optical_constants import METALS, RGB_NM, complex_index, extinction_for, reflectance

Colour = tuple[float, float, float]
Metal = Literal["gold", "silver", "platinum", "palladium", "base"]

ROOM_C = 20.0
MOULD_EXPANSION_PERCENT = 0.5
"""A gypsum-bonded mould at 500 to 650 degrees is larger than the wax by about this much, which the casting gains."""

# g/cm3 at 20 degrees C, CRC Handbook of Chemistry and Physics
ELEMENT_DENSITIES = {
    "Au": 19.30, "Ag": 10.49, "Cu": 8.96, "Zn": 7.14, "Pd": 12.02, "Pt": 21.45, "Ru": 12.45, "Ir": 22.56, "Co": 8.90,
    "Ni": 8.90, "Ge": 5.32, "Sn": 7.29, "Fe": 7.87, "Cr": 7.19, "Mo": 10.28, "Mn": 7.30, "Ti": 4.51,
}  # fmt: skip

MITSUBA_CONDUCTORS = {"Au": "Au", "Ag": "Ag", "Cu": "Cu", "Rh": "Rh"}
"""Names of measured spectra in Mitsuba's `conductor` materials. It has none for platinum, palladium and titanium: their
index comes from `optical_constants.complex_index`."""


@dataclass(frozen=True)
class Alloy:
    """One alloy, as a caster and a renderer want to know it."""

    key: str
    name: str
    metal: Metal
    composition: dict[str, float]
    """Per cent by weight."""
    density: float
    """g/cm3 at 20 degrees C."""
    melting: tuple[float, float]
    """Solidus and liquidus, degrees C."""
    expansion: float
    """Mean linear expansion from 20 degrees to the solidus, 1e-6 per kelvin."""
    lab: Colour
    """CIELAB, D65, polished."""
    base: str = "Ag"
    """The pure metal whose spectrum is nearest, a key of `MITSUBA_CONDUCTORS` or of `optical_constants.METALS`."""
    hallmark: str = ""
    plating: str = ""
    cast: bool = True
    """Whether jewellers cast it; steel and titanium cases are machined."""

    @property
    def fineness(self) -> float:
        """Parts of precious metal per thousand; 0 for base metals."""
        symbol = {"gold": "Au", "silver": "Ag", "platinum": "Pt", "palladium": "Pd"}.get(self.metal, "")
        return 10 * self.composition.get(symbol, 0.0)

    @property
    def contraction_percent(self) -> float:
        """Linear, of the solid metal from its solidus to room temperature."""
        return self.expansion * 1e-4 * (self.melting[0] - ROOM_C)

    @property
    def shrinkage_percent(self) -> float:
        """Linear, of a casting against its wax or printed pattern: the contraction less what the hot mould had grown.

        For 18 karat gold that gives 1.0 %, which casters quote; a wax injected into a rubber mould shrinks by another
        2.5 %.
        """
        return max(0.0, self.contraction_percent - MOULD_EXPANSION_PERCENT)

    @property
    def pattern_scale(self) -> float:
        """By how much to enlarge a printed pattern, so that its casting has the drawn size."""
        return 1 / (1 - self.shrinkage_percent / 100)

    @property
    def colour(self) -> Colour:
        """Linear RGB (sRGB primaries, D65) reflectance at normal incidence, each 0 to 1."""
        return lab_to_linear(self.lab)

    @property
    def complex_index_rgb(self) -> tuple[Colour, Colour]:
        """Index and extinction (eta, k) for red, green and blue: they give `colour` head on and whiten at the edge."""
        model = self.base if self.base in METALS else "Pt"
        n, _ = complex_index(model, RGB_NM)
        eta, k = extinction_for(n, self.colour)
        return _triple(eta), _triple(k)

    @property
    def tint(self) -> Colour:
        """`colour` over the reflectance of `base`, at most 1: the specular tint of a renderer's measured conductor."""
        model = self.base if self.base in METALS else "Pt"
        pure = reflectance(*complex_index(model, RGB_NM))
        return _triple(np.minimum(np.array(self.colour) / pure, 1.0))


def lab_to_linear(lab: Colour) -> Colour:
    """CIELAB under D65 to linear sRGB, clipped to 0..1 (CIE 15:2004; IEC 61966-2-1)."""
    lightness, a, b = lab
    middle = (lightness + 16) / 116
    scaled = np.array([middle + a / 500, middle, middle - b / 200])
    straight = np.where(scaled > 6 / 29, scaled**3, 3 * (6 / 29) ** 2 * (scaled - 4 / 29))
    xyz = straight * np.array([0.95047, 1.0, 1.08883])
    matrix = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    return _triple(np.clip(matrix @ xyz, 0.0, 1.0))


def _triple(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Colour:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


_LIST = (
    Alloy("24k-yellow", "fine gold", "gold", {"Au": 99.9, "Ag": 0.1}, 19.3, (1063, 1064), 16.7, (87, 5, 34), "Au",
          "999"),
    Alloy("22k-yellow", "22 karat yellow gold", "gold", {"Au": 91.7, "Ag": 5.5, "Cu": 2.8}, 17.9, (995, 1020), 17.0,
          (87, 4, 28), "Au", "916"),
    Alloy("22k-rose", "22 karat rose gold", "gold", {"Au": 91.7, "Cu": 8.3}, 17.8, (940, 964), 17.2, (85, 7, 24), "Au",
          "916"),
    Alloy("18k-yellow", "18 karat yellow gold, 3N", "gold", {"Au": 75, "Ag": 12.5, "Cu": 12.5}, 15.45, (885, 895), 17.3,
          (87, 3.5, 23), "Au", "750"),
    Alloy("18k-pale-yellow", "18 karat pale yellow gold, 2N", "gold", {"Au": 75, "Ag": 16, "Cu": 9}, 15.6, (895, 920),
          17.3, (88.5, 1.2, 23), "Au", "750"),
    Alloy("18k-rose", "18 karat rose gold, 5N", "gold", {"Au": 75, "Ag": 4.5, "Cu": 20.5}, 15.15, (890, 895), 17.3,
          (83.5, 8.5, 17), "Cu", "750"),
    Alloy("18k-pink", "18 karat pink gold, 4N", "gold", {"Au": 75, "Ag": 9, "Cu": 16}, 15.3, (880, 885), 17.3,
          (85, 6.2, 19), "Cu", "750"),
    Alloy("18k-green", "18 karat green gold", "gold", {"Au": 75, "Ag": 25}, 15.9, (975, 988), 18.0, (90, -3.5, 24),
          "Au",
          "750"),
    Alloy("18k-white", "18 karat palladium white gold", "gold", {"Au": 75, "Pd": 10, "Ag": 10.5, "Cu": 4.5}, 15.7,
          (1090, 1150), 15.8, (81.5, 1.1, 6.5), "Pt", "750"),
    Alloy("18k-white-rhodium", "18 karat white gold, rhodium-plated", "gold",
          {"Au": 75, "Pd": 10, "Ag": 10.5, "Cu": 4.5}, 15.7, (1090, 1150), 15.8, (89, 0.6, 2.3), "Rh", "750",
          "rhodium"),
    Alloy("18k-white-nickel", "18 karat nickel white gold", "gold", {"Au": 75, "Ni": 11, "Cu": 9.5, "Zn": 4.5}, 14.64,
          (900, 943), 16.5, (83, -0.3, 8), "Pt", "750"),
    Alloy("14k-yellow", "14 karat yellow gold", "gold", {"Au": 58.5, "Ag": 9, "Cu": 27.5, "Zn": 5}, 13.05, (835, 880),
          18.3, (87.5, 2, 19.5), "Au", "585"),
    Alloy("14k-rose", "14 karat rose gold", "gold", {"Au": 58.5, "Ag": 4, "Cu": 37.5}, 13.2, (895, 935), 18.3,
          (83, 9, 15.5), "Cu", "585"),
    Alloy("14k-white", "14 karat nickel white gold", "gold", {"Au": 58.5, "Ni": 12, "Cu": 22, "Zn": 7.5}, 12.61,
          (925, 996), 17.0, (83, 0, 8), "Pt", "585"),
    Alloy("14k-white-palladium", "14 karat palladium white gold", "gold", {"Au": 58.5, "Pd": 10, "Ag": 28.5, "Cu": 3},
          14.4, (1030, 1090), 17.0, (83, 0.6, 6), "Pt", "585"),
    Alloy("14k-white-rhodium", "14 karat white gold, rhodium-plated", "gold",
          {"Au": 58.5, "Ni": 12, "Cu": 22, "Zn": 7.5}, 12.61, (925, 996), 17.0, (89, 0.6, 2.3), "Rh", "585", "rhodium"),
    Alloy("10k-yellow", "10 karat yellow gold", "gold", {"Au": 41.7, "Ag": 10, "Cu": 41, "Zn": 7.3}, 11.47, (830, 870),
          18.8, (87, 1.5, 17.5), "Au", "417"),
    Alloy("10k-rose", "10 karat rose gold", "gold", {"Au": 41.7, "Ag": 4, "Cu": 54.3}, 11.59, (905, 960), 18.8,
          (82.5, 9.5, 14.5), "Cu", "417"),
    Alloy("9k-yellow", "9 karat yellow gold", "gold", {"Au": 37.5, "Ag": 10, "Cu": 45, "Zn": 7.5}, 11.15, (835, 890),
          19.0, (87, 1.2, 17), "Au", "375"),
    Alloy("9k-rose", "9 karat rose gold", "gold", {"Au": 37.5, "Ag": 7.5, "Cu": 55}, 11.35, (895, 955), 19.0,
          (82.5, 9, 14.5), "Cu", "375"),
    Alloy("950-platinum", "platinum 950 with ruthenium", "platinum", {"Pt": 95, "Ru": 5}, 20.7, (1780, 1795), 10.5,
          (85, 0.6, 4.2), "Pt", "950"),
    Alloy("950-platinum-iridium", "platinum 950 with iridium", "platinum", {"Pt": 95, "Ir": 5}, 21.5, (1780, 1790),
          10.5,
          (85, 0.6, 4.2), "Pt", "950"),
    Alloy("950-platinum-cobalt", "platinum 950 with cobalt", "platinum", {"Pt": 95, "Co": 5}, 20.1, (1750, 1765), 10.6,
          (85, 0.6, 4.2), "Pt", "950"),
    Alloy("900-platinum", "platinum 900 with iridium", "platinum", {"Pt": 90, "Ir": 10}, 21.54, (1780, 1800), 10.4,
          (85, 0.6, 4.0), "Pt", "900"),
    Alloy("950-palladium", "palladium 950 with ruthenium", "palladium", {"Pd": 95, "Ru": 5}, 12.1, (1555, 1590), 14.0,
          (82, 0.6, 4.4), "Pd", "950"),
    Alloy("999-silver", "fine silver", "silver", {"Ag": 99.9, "Cu": 0.1}, 10.49, (961, 962), 22.0, (96, -0.5, 3.8),
          "Ag",
          "999"),
    Alloy("935-silver", "silver 935 with germanium", "silver", {"Ag": 93.5, "Cu": 5.3, "Ge": 1.2}, 10.3, (766, 877),
          21.8,
          (95, -0.4, 4.3), "Ag", "935"),
    Alloy("925-silver", "sterling silver", "silver", {"Ag": 92.5, "Cu": 7.5}, 10.36, (802, 893), 21.8, (94.5, -0.4,
          4.8),
          "Ag", "925"),
    Alloy("bronze", "tin bronze, CuSn10", "base", {"Cu": 90, "Sn": 10}, 8.78, (845, 1000), 20.5, (82, 5, 17.5), "Cu"),
    Alloy("brass", "cartridge brass, CuZn30", "base", {"Cu": 70, "Zn": 30}, 8.53, (915, 955), 21.5, (87, -0.5, 22),
          "Au"),
    Alloy("copper", "copper", "base", {"Cu": 100}, 8.96, (1084, 1085), 20.3, (84, 13.5, 18.5), "Cu"),
    Alloy("316l-steel", "stainless steel 316L", "base", {"Fe": 66.5, "Cr": 17, "Ni": 12, "Mo": 2.5, "Mn": 2}, 7.98,
          (1375, 1400), 19.5, (80, 0.3, 2.8), "Pt", cast=False),
    Alloy("titanium", "titanium, grade 2", "base", {"Ti": 100}, 4.51, (1665, 1668), 10.2, (74, 1.0, 5), "Ti",
          cast=False),
)  # fmt: skip

ALLOYS: dict[str, Alloy] = {alloy.key: alloy for alloy in _LIST}


def alloy_named(key: str) -> Alloy:
    """The alloy of a key. Raises Permanent for another, with the nearest keys."""
    if key in ALLOYS:
        return ALLOYS[key]
    near = difflib.get_close_matches(key.lower().replace(" ", "-"), ALLOYS, n=3, cutoff=0.4) or list(ALLOYS)
    raise Permanent(f'No alloy is called "{key}" here; the nearest are {", ".join(near)}.')


def weight_g(volume_mm3: float, alloy: str | Alloy) -> float:
    """Grams of a volume in cubic millimetres. Raises Permanent for an unknown alloy."""
    return (alloy if isinstance(alloy, Alloy) else alloy_named(alloy)).density * volume_mm3 / 1000
