"""Alloys and other materials: figures that agree with one another and with their sources."""

import numpy as np
import pytest

from jewel_assets.errors import Permanent
from jewel_assets.shape.alloys import (
    ALLOYS,
    ELEMENT_DENSITIES,
    MITSUBA_CONDUCTORS,
    alloy_named,
    lab_to_linear,
    weight_g,
)
from jewel_assets.shape.materials import OTHERS, material_named
from jewel_assets.shape.optical_constants import METALS, complex_index, extinction_for, reflectance

PRECIOUS = {"gold": "Au", "silver": "Ag", "platinum": "Pt", "palladium": "Pd"}


@pytest.mark.parametrize("alloy", ALLOYS.values(), ids=list(ALLOYS))
def test_a_composition_adds_up_and_explains_the_density(alloy):
    assert sum(alloy.composition.values()) == pytest.approx(100)
    mixture = 1 / sum(share / 100 / ELEMENT_DENSITIES[symbol] for symbol, share in alloy.composition.items())
    assert alloy.density == pytest.approx(mixture, rel=0.03)


@pytest.mark.parametrize("alloy", ALLOYS.values(), ids=list(ALLOYS))
def test_an_alloy_has_a_melting_range_a_shrinkage_and_a_colour(alloy):
    solidus, liquidus = alloy.melting
    assert 700 < solidus <= liquidus < 1850
    assert 0.8 < alloy.shrinkage_percent < 2.3
    assert alloy.pattern_scale == pytest.approx(1 + alloy.shrinkage_percent / 100, abs=1e-3)
    assert all(0.2 < value <= 1 for value in alloy.colour)
    assert all(0 < value <= 1 for value in alloy.tint)
    assert alloy.base in METALS or alloy.base in MITSUBA_CONDUCTORS


@pytest.mark.parametrize("alloy", [a for a in ALLOYS.values() if a.hallmark], ids=lambda alloy: alloy.key)
def test_an_alloy_is_as_fine_as_its_hallmark(alloy):
    assert alloy.fineness >= float(alloy.hallmark) - 1
    assert alloy.fineness == 10 * alloy.composition[PRECIOUS[alloy.metal]]


@pytest.mark.parametrize("alloy", ALLOYS.values(), ids=list(ALLOYS))
def test_the_index_of_an_alloy_reflects_its_colour(alloy):
    eta, k = alloy.complex_index_rgb
    assert np.allclose(reflectance(eta, k), np.minimum(alloy.colour, 0.985), atol=1e-6)


def test_eighteen_karat_shrinks_by_what_casters_quote():
    assert ALLOYS["18k-yellow"].shrinkage_percent == pytest.approx(1.0, abs=0.1)


def test_colours_are_those_a_jeweller_tells_apart():
    def hue(key):
        red, green, blue = ALLOYS[key].colour
        return red / green, green / blue

    yellow, rose, white, silver = (hue(key) for key in ("18k-yellow", "18k-rose", "18k-white", "925-silver"))
    assert rose[0] > yellow[0] > white[0] > silver[0]
    assert yellow[1] > rose[1] > white[1] > silver[1]
    assert sum(ALLOYS["925-silver"].colour) > sum(ALLOYS["18k-white-rhodium"].colour) > sum(ALLOYS["18k-white"].colour)


def test_a_plain_band_weighs_its_volume_times_the_density():
    assert weight_g(1000, "18k-yellow") == pytest.approx(15.45)
    assert weight_g(1000, ALLOYS["950-platinum"]) == pytest.approx(20.7)
    with pytest.raises(Permanent, match="18k-yellow"):
        weight_g(1, "18 karat yellow")


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(Permanent, match="925-silver"):
        alloy_named("sterling 925 silver")
    with pytest.raises(Permanent, match="leather"):
        material_named("lether")


def test_pure_metals_reflect_as_measured():
    # Reflectance of polished metal at 550 nm, from the tables of Palik, *Handbook of Optical Constants of Solids*.
    for metal, share in {"Ag": 0.97, "Au": 0.82, "Pt": 0.64, "Pd": 0.69}.items():
        assert reflectance(*complex_index(metal, 550.0)) == pytest.approx(share, abs=0.04)
    red, blue = (reflectance(*complex_index("Au", nanometres)) for nanometres in (650.0, 450.0))
    assert red > 1.5 * blue


def test_an_index_can_be_found_for_any_reflectance():
    shares = np.linspace(0.05, 0.98, 20)
    for n in (0.1, 1.0, 3.0):
        eta, k = extinction_for(np.full(20, n), shares)
        assert np.allclose(reflectance(eta, k), shares, atol=1e-9)


def test_white_is_white():
    assert np.allclose(lab_to_linear((100, 0, 0)), 1, atol=2e-3)
    assert np.allclose(lab_to_linear((50, 0, 0)), 0.1842, atol=1e-3)


def test_other_materials_have_plausible_figures():
    assert {"leather", "glass", "enamel", "dial lacquer", "rubber", "pearl"} <= set(OTHERS)
    for material in OTHERS.values():
        assert 0.5 < material.density < 10
        assert 0 <= material.roughness <= 1
        assert all(0 <= value <= 1 for value in material.colour)
