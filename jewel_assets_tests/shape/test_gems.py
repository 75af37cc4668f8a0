"""Gems: real facets, exact sizes, weights that dealers would agree with, and seats that hold the stone."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold3d import Manifold

from jewel_assets.errors import Permanent
from jewel_assets.shape.gems import (
    CUTS,
    FACETED,
    PROPORTIONS,
    SPECIES,
    carats,
    crown_height,
    culet,
    cut_stone,
    facet_planes,
    facets,
    girdle_outline,
    girdle_thickness,
    make_stone,
    notch_cutter,
    pavilion_depth,
    seat_cutter,
    species_named,
)

EDGE_ON_MM = 1e-6


def sizes(cut: str) -> st.SearchStrategy[tuple[float, float]]:
    low, high = PROPORTIONS[cut].ratios
    widths, ratios = st.floats(0.8, 20), st.floats(low, high)
    return st.tuples(widths, ratios).map(lambda pair: (pair[0], pair[0] * pair[1]))


def any_size() -> st.SearchStrategy[tuple[str, float, float]]:
    return st.sampled_from(CUTS).flatmap(lambda cut: sizes(cut).map(lambda size: (cut, *size)))


def test_a_round_brilliant_has_its_57_facets_and_a_girdle():
    names = Counter(facet.name for facet in facets("round brilliant", 6.5))
    del names["girdle"]
    assert names == {
        "table": 1,
        "star": 8,
        "bezel": 8,
        "upper half": 16,
        "lower half": 16,
        "pavilion main": 8,
    }
    assert sum(names.values()) == 57


def test_a_round_brilliant_has_tolkowskys_angles_and_todays_table():
    by_name = {facet.name: facet for facet in facets("round brilliant", 6.5)}
    tilt = {name: np.degrees(np.arccos(abs(facet.normal[2]))) for name, facet in by_name.items()}
    assert tilt["bezel"] == pytest.approx(34.5, abs=0.01)
    assert tilt["pavilion main"] == pytest.approx(40.75, abs=0.01)
    assert tilt["upper half"] > tilt["bezel"] > tilt["star"]
    assert tilt["lower half"] > tilt["pavilion main"]
    table = by_name["table"].corners
    assert len(table) == 8
    assert np.ptp(table[:, 0]) == pytest.approx(0.57 * 6.5, abs=1e-6)


@pytest.mark.parametrize("cut", ["oval", "pear", "marquise", "cushion"])
@pytest.mark.parametrize("corner", ["shortest", "usual", "longest"])
def test_every_fancy_brilliant_has_all_its_facets_at_every_length(cut, corner):
    low, high = PROPORTIONS[cut].ratios
    ratio = {"shortest": low, "usual": PROPORTIONS[cut].ratio, "longest": high}[corner]
    names = Counter(facet.name for facet in facets(cut, 5, 5 * ratio))
    assert names["star"] == names["bezel"] == names["pavilion main"] == 8
    assert names["upper half"] == names["lower half"] == 16


def test_a_princess_and_an_emerald_have_their_chevrons_and_steps():
    princess = Counter(facet.name for facet in facets("princess", 5.5))
    assert princess["chevron"] == 16
    assert (princess["star"], princess["bezel"], princess["lower girdle"]) == (4, 8, 4)
    emerald = Counter(facet.name for facet in facets("emerald", 6, 8))
    assert emerald["crown step"] == emerald["pavilion step"] == 24


def test_an_oblong_emerald_ends_below_in_a_keel():
    corners = np.concatenate([facet.corners for facet in facets("emerald", 6, 8)])
    keel = corners[np.isclose(corners[:, 2], corners[:, 2].min())]
    assert np.ptp(keel[:, 0]) < EDGE_ON_MM
    assert np.ptp(keel[:, 1]) == pytest.approx(2.0, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(any_size())
def test_a_stone_of_any_size_is_closed_convex_and_exactly_that_size(size):
    cut, width, length = size
    stone = cut_stone(cut, width, length)
    low, high = np.split(np.array(stone.bounding_box()), 2)
    assert stone.volume() > 0
    assert stone.genus() == 0
    assert np.allclose(high - low, [width, length, high[2] - low[2]], atol=EDGE_ON_MM)
    assert np.allclose((high + low)[:2], 0, atol=EDGE_ON_MM)
    assert stone.hull().volume() == pytest.approx(stone.volume(), rel=1e-7)
    assert high[2] == pytest.approx(crown_height(cut, width, length), abs=1e-6)
    assert -low[2] == pytest.approx(pavilion_depth(cut, width, length), abs=1e-6)
    assert culet(cut, width, length)[2] == pytest.approx(low[2], abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(FACETED).flatmap(lambda cut: sizes(cut).map(lambda size: (cut, *size))))
def test_facets_are_flat_face_outwards_and_close_the_stone(size):
    cut, width, length = size
    flats = facets(cut, width, length)
    for facet in flats:
        offsets = facet.corners @ facet.normal
        assert np.ptp(offsets) < 1e-6 * width
        assert offsets.mean() > 0
        turn = sum(np.cross(a, b) for a, b in pairwise([*facet.corners, facet.corners[0]]))
        assert turn @ facet.normal > 0
    by_facets = sum(
        (facet.corners[0] @ facet.normal)
        * 0.5
        * abs(sum(np.cross(a, b) for a, b in pairwise([*facet.corners, facet.corners[0]])) @ facet.normal)
        / 3
        for facet in flats
    )
    assert by_facets == pytest.approx(cut_stone(cut, width, length).volume(), rel=1e-7)
    corners = np.concatenate([facet.corners for facet in flats])
    for plane in facet_planes(cut, width, length):
        assert (corners @ plane.normal).max() <= plane.offset + 1e-6 * width


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(FACETED).flatmap(lambda cut: sizes(cut).map(lambda size: (cut, *size))))
def test_the_girdle_is_nowhere_a_knife_edge(size):
    cut, width, length = size
    middle = girdle_outline(cut, width, length)
    stone = cut_stone(cut, width, length)
    thinnest = 0.008 * width
    assert girdle_thickness(cut, width, length) > thinnest
    band = Manifold.extrude(stone.slice(0.0), thinnest).translate((0, 0, -thinnest / 2))
    assert (band - stone).volume() < 1e-6 * stone.volume()
    assert np.ptp(middle[:, 0]) == pytest.approx(width, abs=EDGE_ON_MM)
    assert np.ptp(middle[:, 1]) == pytest.approx(length, abs=EDGE_ON_MM)


# Diameter in mm and carats, as dealers' charts give them for well-cut rounds.
@pytest.mark.parametrize(
    ("diameter", "weight"),
    [(4.1, 0.25), (5.15, 0.50), (5.8, 0.74), (6.5, 1.00), (7.4, 1.50), (8.15, 2.00), (9.35, 3.00)],
)
def test_round_diamonds_weigh_what_the_charts_say(diameter, weight):
    assert carats("diamond", cut_stone("round brilliant", diameter).volume()) == pytest.approx(weight, rel=0.05)


@pytest.mark.parametrize(
    ("cut", "width", "length", "weight"),
    [("princess", 5.5, 5.5, 1.00), ("oval", 5.7, 7.7, 1.00), ("emerald", 5, 7, 1.00), ("oval", 6.5, 9.0, 1.55)],
)
def test_fancy_diamonds_weigh_what_the_charts_say(cut, width, length, weight):
    assert carats("diamond", cut_stone(cut, width, length).volume()) == pytest.approx(weight, rel=0.05)


# Factors of GIA's formulas for mounted diamonds (carats = length x width x depth x factor; for ovals the square of the
# mean diameter), as jewellers' suppliers reprint them, before the correction for girdles of up to some 3 %.
@pytest.mark.parametrize(
    ("cut", "ratio", "factor"),
    [
        ("round brilliant", 1.0, 0.0061),
        ("oval", 1.4, 0.0062 * 1.2**2 / 1.4),
        ("pear", 1.25, 0.00615),
        ("pear", 1.5, 0.0060),
        ("pear", 1.66, 0.0059),
        ("pear", 2.0, 0.00575),
        ("marquise", 1.5, 0.00565),
        ("marquise", 2.0, 0.0058),
        ("marquise", 2.5, 0.00585),
        ("princess", 1.0, 0.0083),
        ("emerald", 1.0, 0.0080),
        ("emerald", 1.5, 0.0092),
        ("emerald", 2.0, 0.0100),
        ("emerald", 2.5, 0.0106),
    ],
)
def test_diamonds_weigh_what_gias_formulas_give_from_their_measures(cut, ratio, factor):
    width = 5.0
    depth = crown_height(cut, width, width * ratio) + pavilion_depth(cut, width, width * ratio)
    weight = carats("diamond", cut_stone(cut, width, width * ratio).volume())
    assert weight / (width * width * ratio * depth) == pytest.approx(factor, rel=0.05)


def test_an_8_mm_pearl_weighs_what_a_sphere_of_nacre_weighs():
    assert carats("pearl", cut_stone("pearl", 8).volume()) == pytest.approx(np.pi / 6 * 512 * 2.71 / 200, rel=0.01)


@settings(max_examples=20, deadline=None)
@given(any_size(), st.floats(0, 0.15))
def test_a_seat_and_a_notch_hold_the_whole_stone(size, clearance):
    cut, width, length = size
    stone = cut_stone(cut, width, length)
    for cutter in (seat_cutter(cut, width, length, clearance), notch_cutter(cut, width, length, clearance)):
        assert cutter.volume() > stone.volume() * 0.999
        assert (stone - cutter).volume() < 1e-5 * stone.volume()


@pytest.mark.parametrize("cut", CUTS)
def test_a_stone_in_its_seat_rests_on_metal_and_comes_out_only_upwards(cut):
    width, length = 5.0, 5.0 * PROPORTIONS[cut].ratio
    stone = cut_stone(cut, width, length)
    deep = pavilion_depth(cut, width, length) + 2
    metal = Manifold.cube((20, 20, deep), True).translate((0, 0, -deep / 2)) - seat_cutter(cut, width, length, 0.05)
    assert (stone ^ metal).volume() < 1e-9
    assert (stone.translate((0, 0, 2 * width)) ^ metal).volume() < 1e-9
    assert (stone.translate((0, 0, -0.25)) ^ metal).volume() > 0.001 * stone.volume()
    assert (stone.translate((0.15, 0, 0)) ^ metal).volume() > 0


@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut != "pearl"])
def test_light_reaches_the_stone_from_below(cut):
    x, y, z = culet(cut, 5.0)
    seat = seat_cutter(cut, 5.0)
    shaft = Manifold.cylinder(0.3, 0.8, circular_segments=16).translate((x, y, z - 0.4))
    assert (shaft - seat).volume() < 1e-9
    assert seat.bounding_box()[2] < z - 0.3
    shallow = seat_cutter(cut, 5.0, below_mm=4.0, above_mm=2.0)
    assert shallow.bounding_box()[2] == pytest.approx(-4.0)
    assert shallow.bounding_box()[5] == pytest.approx(2.0)


def test_melee_is_light_enough_to_pave_with():
    assert cut_stone("round brilliant", 1.3).num_tri() < 250
    assert seat_cutter("round brilliant", 1.3).num_tri() < 500
    assert cut_stone("pearl", 6).num_tri() < 4000


@pytest.mark.parametrize(
    ("cut", "width", "length", "says"),
    [
        ("brilliant", 5, None, "round brilliant"),
        ("round brilliant", 5, 6, "nearest is 5 x 5 mm"),
        ("oval", 6, 4, "nearest is 6 x 6.12 mm"),
        ("marquise", 0.2, None, "0.5 to 60 mm"),
        ("pear", 5, 25, "nearest is 5 x 11 mm"),
    ],
)
def test_what_cannot_be_cut_is_refused_with_the_nearest(cut, width, length, says):
    with pytest.raises(Permanent, match=says):
        cut_stone(cut, width, length)


def test_a_stone_in_a_piece_stands_where_it_was_placed():
    place = np.array([[1.0, 0, 0, 1], [0, 0, -1, 2], [0, 1, 0, 3]])
    stone = make_stone("centre", "sapphire", "oval", 6, 8, place)
    low, high = np.split(np.array(stone.solid.bounding_box()), 2)
    assert np.allclose((high - low)[[0, 2]], [6, 8], atol=1e-6)
    assert (stone.kind, stone.material, stone.cut, stone.size) == ("gem", "sapphire", "oval", (6, 8))
    assert stone.volume == pytest.approx(cut_stone("oval", 6, 8).volume())
    with pytest.raises(ValueError, match="never scaled"):
        make_stone("centre", "sapphire", "oval", 6, 8, 2 * place)
    with pytest.raises(Permanent, match="not faceted"):
        make_stone("pearl", "tahitian pearl", "princess", 6)


def test_an_unknown_gem_is_answered_with_the_nearest():
    with pytest.raises(Permanent, match="sapphire"):
        species_named("saphire")


def test_every_species_bends_light_as_gemmology_says():
    diamond = SPECIES["diamond"]
    assert diamond.index_at(430.8) - diamond.index_at(686.7) == pytest.approx(0.044, abs=1e-9)
    assert diamond.abbe_number == pytest.approx(55.3, rel=0.02)
    for species in SPECIES.values():
        assert 1.4 < species.refractive_index < 2.7
        assert 1.9 < species.density < 6
        assert all(0 <= share <= 1 for share in (*species.transmission, *species.surface))
        assert all(value >= 0 for value in species.absorption)
