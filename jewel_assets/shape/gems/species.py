"""Gem species: how heavy they are, how they bend light and what colour they give it.

Densities, refractive indices and dispersions (B to G, 686.7 to 430.8 nm) are facts found alike in B. Anderson and
E. Jobbins, *Gem Testing*, 10th ed. 1990 (tables of constants), R. Webster, *Gems*, 5th ed. 1994, and GIA, *Gem
Reference Guide*, 1995; where a species has a range, its usual middle. Moissanite: K. Nassau, S. McClure, S. Elen and
J. Shigley, *Gems & Gemology* 33/4, 1997. Colours are not measured: they are set to look like good commercial stones of
some 6 mm.
"""

import difflib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jewel_assets.errors import Permanent

Colour = tuple[float, float, float]
Clarity = Literal["transparent", "translucent", "opaque"]

GRAMS_PER_CARAT = 0.2  # the metric carat, 4th General Conference on Weights and Measures, 1907

LINE_B, LINE_G = 686.7, 430.8  # nm, the Fraunhofer lines of gemmology's dispersion
LINE_F, LINE_D, LINE_C = 486.1, 589.3, 656.3  # nm, those of optics' Abbe number, and gemmology's index


@dataclass(frozen=True)
class Species:
    """One gem material.

    `transmission` is the share of linear red, green and blue light left after `reference_mm` of it; `surface` is the
    linear RGB reflectance of the body where it is translucent or opaque.
    """

    name: str
    density: float
    """g/cm3."""
    refractive_index: float
    """At 589.3 nm, mean of the principal indices."""
    birefringence: float = 0.0
    dispersion: float = 0.0
    """Index at 430.8 nm less that at 686.7 nm."""
    transmission: Colour = (1.0, 1.0, 1.0)
    reference_mm: float = 5.0
    clarity: Clarity = "transparent"
    surface: Colour = (0.8, 0.8, 0.8)
    hardness: float = 7.0
    """Mohs."""

    @property
    def absorption(self) -> Colour:
        """Absorption of linear red, green and blue per millimetre: light falls as exp(-absorption * mm)."""
        red, green, blue = (-np.log(max(share, 1e-6)) / self.reference_mm for share in self.transmission)
        return float(red), float(green), float(blue)

    def index_at(self, nanometres: float) -> float:
        """Refractive index at a wavelength by Cauchy's two terms, which pass through index and dispersion."""
        slope = self.dispersion / (LINE_G**-2 - LINE_B**-2)
        return float(self.refractive_index + slope * (nanometres**-2 - LINE_D**-2))

    @property
    def abbe_number(self) -> float:
        """(n_D - 1) / (n_F - n_C), which KHR_materials_dispersion is made from; infinite without dispersion."""
        spread = self.index_at(LINE_F) - self.index_at(LINE_C)
        return (self.refractive_index - 1) / spread if spread > 0 else float("inf")


_LIST = (
    Species("diamond", 3.52, 2.417, 0.0, 0.044, (0.985, 0.985, 0.975), hardness=10),
    Species("champagne diamond", 3.52, 2.417, 0.0, 0.044, (0.80, 0.62, 0.40), hardness=10),
    Species("black diamond", 3.52, 2.417, 0.0, 0.044, (0.0, 0.0, 0.0), 0.5, "opaque", (0.012, 0.012, 0.013), 10),
    Species("moissanite", 3.22, 2.671, 0.043, 0.104, (0.97, 0.98, 0.94), hardness=9.25),
    Species("cubic zirconia", 5.80, 2.16, 0.0, 0.060, (0.985, 0.985, 0.985), hardness=8.5),
    Species("ruby", 4.00, 1.766, 0.008, 0.018, (0.72, 0.030, 0.070), hardness=9),
    Species("sapphire", 4.00, 1.766, 0.008, 0.018, (0.045, 0.13, 0.62), hardness=9),
    Species("pink sapphire", 4.00, 1.766, 0.008, 0.018, (0.88, 0.34, 0.58), hardness=9),
    Species("yellow sapphire", 4.00, 1.766, 0.008, 0.018, (0.92, 0.76, 0.20), hardness=9),
    Species("white sapphire", 4.00, 1.766, 0.008, 0.018, (0.98, 0.98, 0.98), hardness=9),
    Species("emerald", 2.72, 1.579, 0.006, 0.014, (0.055, 0.58, 0.20), hardness=7.75),
    Species("aquamarine", 2.70, 1.578, 0.006, 0.014, (0.62, 0.88, 0.93), hardness=7.75),
    Species("morganite", 2.80, 1.586, 0.008, 0.014, (0.95, 0.74, 0.68), hardness=7.75),
    Species("chrysoberyl", 3.73, 1.750, 0.009, 0.015, (0.82, 0.78, 0.30), hardness=8.5),
    Species("spinel", 3.60, 1.718, 0.0, 0.020, (0.80, 0.10, 0.14), hardness=8),
    Species("topaz", 3.56, 1.614, 0.008, 0.014, (0.45, 0.78, 0.93), hardness=8),
    Species("imperial topaz", 3.53, 1.634, 0.008, 0.014, (0.93, 0.60, 0.28), hardness=8),
    Species("garnet", 3.85, 1.760, 0.0, 0.024, (0.48, 0.018, 0.030), hardness=7.25),
    Species("tsavorite", 3.61, 1.740, 0.0, 0.028, (0.10, 0.62, 0.16), hardness=7.25),
    Species("spessartine", 4.15, 1.805, 0.0, 0.027, (0.92, 0.40, 0.06), hardness=7.25),
    Species("demantoid", 3.84, 1.888, 0.0, 0.057, (0.38, 0.72, 0.16), hardness=6.5),
    Species("peridot", 3.34, 1.672, 0.036, 0.020, (0.56, 0.78, 0.16), hardness=6.75),
    Species("tourmaline", 3.06, 1.634, 0.020, 0.017, (0.10, 0.48, 0.30), hardness=7.25),
    Species("rubellite", 3.06, 1.634, 0.020, 0.017, (0.80, 0.12, 0.34), hardness=7.25),
    Species("zircon", 4.68, 1.955, 0.059, 0.039, (0.55, 0.82, 0.92), hardness=7),
    Species("tanzanite", 3.35, 1.696, 0.009, 0.021, (0.24, 0.22, 0.74), hardness=6.5),
    Species("amethyst", 2.65, 1.548, 0.009, 0.013, (0.42, 0.16, 0.62), hardness=7),
    Species("citrine", 2.65, 1.548, 0.009, 0.013, (0.93, 0.66, 0.16), hardness=7),
    Species("rock crystal", 2.65, 1.548, 0.009, 0.013, (0.99, 0.99, 0.99), hardness=7),
    Species("smoky quartz", 2.65, 1.548, 0.009, 0.013, (0.50, 0.36, 0.24), hardness=7),
    Species("rose quartz", 2.65, 1.548, 0.009, 0.013, (0.93, 0.68, 0.70), 5.0, "translucent", (0.86, 0.62, 0.64)),
    Species("moonstone", 2.58, 1.522, 0.006, 0.012, (0.90, 0.93, 0.96), 5.0, "translucent", (0.74, 0.79, 0.86), 6.25),
    Species("opal", 2.10, 1.450, 0.0, 0.0, (0.80, 0.86, 0.84), 3.0, "translucent", (0.76, 0.82, 0.80), 6),
    Species("fire opal", 2.00, 1.450, 0.0, 0.0, (0.93, 0.36, 0.06), hardness=6),
    Species("chrysoprase", 2.61, 1.535, 0.004, 0.0, (0.30, 0.72, 0.46), 3.0, "translucent", (0.24, 0.58, 0.36), 6.75),
    Species("carnelian", 2.61, 1.535, 0.004, 0.0, (0.82, 0.22, 0.05), 3.0, "translucent", (0.52, 0.11, 0.03), 6.75),
    Species("jade", 3.34, 1.660, 0.012, 0.0, (0.14, 0.50, 0.16), 3.0, "translucent", (0.10, 0.36, 0.13), 6.75),
    Species("onyx", 2.61, 1.535, 0.004, 0.0, (0.0, 0.0, 0.0), 0.5, "opaque", (0.010, 0.010, 0.011), 6.75),
    Species("turquoise", 2.76, 1.610, 0.0, 0.0, (0.0, 0.0, 0.0), 0.5, "opaque", (0.09, 0.48, 0.52), 5.5),
    Species("lapis lazuli", 2.80, 1.500, 0.0, 0.0, (0.0, 0.0, 0.0), 0.5, "opaque", (0.022, 0.050, 0.30), 5.5),
    Species("malachite", 3.95, 1.780, 0.254, 0.0, (0.0, 0.0, 0.0), 0.5, "opaque", (0.020, 0.26, 0.11), 4),
    Species("coral", 2.65, 1.550, 0.160, 0.0, (0.0, 0.0, 0.0), 0.5, "opaque", (0.62, 0.12, 0.07), 3.5),
    Species("pearl", 2.71, 1.608, 0.155, 0.0, (0.0, 0.0, 0.0), 0.5, "opaque", (0.83, 0.79, 0.73), 3),
    Species("tahitian pearl", 2.71, 1.608, 0.155, 0.0, (0.0, 0.0, 0.0), 0.5, "opaque", (0.085, 0.092, 0.090), 3),
    Species("golden pearl", 2.71, 1.608, 0.155, 0.0, (0.0, 0.0, 0.0), 0.5, "opaque", (0.80, 0.60, 0.30), 3),
)

SPECIES: dict[str, Species] = {species.name: species for species in _LIST}


def species_named(name: str) -> Species:
    """The species of a name. Raises Permanent for another, with the nearest names."""
    if name in SPECIES:
        return SPECIES[name]
    near = difflib.get_close_matches(name.lower(), SPECIES, n=3, cutoff=0.5) or list(SPECIES)
    raise Permanent(f'No gem is called "{name}" here; the nearest are {", ".join(near)}.')


def carats(species: str, volume_mm3: float) -> float:
    """Weight in metric carats of a volume in cubic millimetres."""
    return species_named(species).density * volume_mm3 / 1000 / GRAMS_PER_CARAT
