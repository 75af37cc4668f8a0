"""How the pure metals of jewellery bend and absorb light, as formulas of the wavelength.

A. Rakić, A. Djurišić, J. Elazar and M. Majewski, "Optical properties of metallic films for vertical-cavity
optoelectronic devices", *Applied Optics* 37/22 (1998), table 2: the Lorentz-Drude model, valid from 0.2 to 12.4 µm,

    eps(w) = 1 + sum_j f_j w_p^2 / (w_j^2 - w^2 - i w G_j),

with energies in electronvolts and w_0 = 0 for the free electrons.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

EV_NM = 1239.84193  # photon energy in eV times wavelength in nm, CODATA
RGB_NM = (611.4, 549.1, 464.2)  # dominant wavelengths of the sRGB primaries, IEC 61966-2-1


@dataclass(frozen=True)
class LorentzDrude:
    """One metal: plasma energy in eV, and oscillators (strength, energy in eV, damping in eV), free electrons first."""

    plasma: float
    oscillators: tuple[tuple[float, float, float], ...]


METALS = {
    "Ag": LorentzDrude(
        9.01,
        (
            (0.845, 0.0, 0.048),
            (0.065, 0.816, 3.886),
            (0.124, 4.481, 0.452),
            (0.011, 8.185, 0.065),
            (0.840, 9.083, 0.916),
        ),
    ),
    "Au": LorentzDrude(
        9.03,
        (
            (0.760, 0.0, 0.053),
            (0.024, 0.415, 0.241),
            (0.010, 0.830, 0.345),
            (0.071, 2.969, 0.870),
            (0.601, 4.304, 2.494),
        ),
    ),
    "Cu": LorentzDrude(
        10.83,
        (
            (0.575, 0.0, 0.030),
            (0.061, 0.291, 0.378),
            (0.104, 2.957, 1.056),
            (0.723, 5.300, 3.213),
            (0.638, 11.18, 4.305),
        ),
    ),
    "Pd": LorentzDrude(
        9.72,
        (
            (0.330, 0.0, 0.008),
            (0.649, 0.336, 2.950),
            (0.121, 0.501, 0.555),
            (0.638, 1.659, 4.621),
            (0.453, 5.715, 3.236),
        ),
    ),
    "Pt": LorentzDrude(
        9.59,
        (
            (0.333, 0.0, 0.080),
            (0.191, 0.780, 0.517),
            (0.659, 1.314, 1.838),
            (0.547, 3.141, 3.668),
            (3.576, 9.249, 8.517),
        ),
    ),
    "Ti": LorentzDrude(
        7.29,
        (
            (0.148, 0.0, 0.082),
            (0.899, 0.777, 2.276),
            (0.393, 1.545, 2.518),
            (0.187, 2.509, 1.663),
            (0.001, 19.43, 1.762),
        ),
    ),
}


def complex_index(metal: str, nanometres: ArrayLike) -> tuple[Array, Array]:
    """Index n and extinction k of a pure metal, a key of `METALS`, at wavelengths of 200 to 12,400 nm."""
    model = METALS[metal]
    energy = EV_NM / np.asarray(nanometres, dtype=np.float64)
    permittivity = np.ones_like(energy, dtype=np.complex128)
    for strength, centre, damping in model.oscillators:
        permittivity += strength * model.plasma**2 / (centre**2 - energy**2 - 1j * energy * damping)
    index = np.sqrt(permittivity)
    return index.real, index.imag


def reflectance(n: ArrayLike, k: ArrayLike) -> Array:
    """Share of light that a metal reflects at normal incidence, by Fresnel."""
    index, extinction = np.asarray(n, dtype=np.float64), np.asarray(k, dtype=np.float64)
    share: Array = ((index - 1) ** 2 + extinction**2) / ((index + 1) ** 2 + extinction**2)
    return share


def extinction_for(n: ArrayLike, share: ArrayLike) -> tuple[Array, Array]:
    """Index and extinction that reflect `share` (0 to 1) at normal incidence, the index as near to `n` as it can be.

    O. Gulbrandsen, "Artist friendly metallic Fresnel", *JCGT* 3/4 (2014), solved for the extinction.
    """
    wanted = np.clip(np.asarray(share, dtype=np.float64), 0.0, 0.985)
    root = np.sqrt(wanted)
    index = np.clip(np.asarray(n, dtype=np.float64), (1 - root) / (1 + root), (1 + root) / (1 - root))
    squared = (wanted * (index + 1) ** 2 - (index - 1) ** 2) / (1 - wanted)
    return index, np.sqrt(np.maximum(squared, 0.0))
