"""Ring sizes: the tables of the standards, to a hundredth of a millimetre, and forgiving spelling."""

from itertools import pairwise
from math import pi

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.shape.sizes import SYSTEMS, RingSize, inner_diameter_mm, sizes_of


@pytest.mark.parametrize(
    ("text", "diameter"),
    [
        ("US 0", 11.63),
        ("US 3", 14.07),
        ("US 6", 16.51),
        ("US 7", 17.32),
        ("US 7 1/4", 17.52),
        ("US 7 1/2", 17.73),
        ("US 10", 19.76),
        ("US 13", 22.20),
        ("ISO 41", 13.05),
        ("EU 54", 17.19),
        ("EU 60", 19.10),
        ("ISO 76", 24.19),
        ("UK A", 11.94),
        ("UK J", 15.52),
        ("UK N", 17.11),
        ("UK N 1/2", 17.31),
        ("UK Z", 21.88),
        ("JP 1", 13.00),
        ("JP 13", 17.00),
        ("JP 20", 19.33),
        ("CH 14", 17.19),
        ("17.3 mm", 17.30),
    ],
)
def test_inner_diameters_are_those_of_the_tables(text, diameter):
    assert RingSize.parse(text).diameter_mm == pytest.approx(diameter, abs=0.006)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("us7", "US 7"),
        ("  Us  7.5 ", "US 7 1/2"),
        ("US 7½", "US 7 1/2"),
        ("US 7-1/4", "US 7 1/4"),
        ("US size 6", "US 6"),
        ("size US 6", "US 6"),
        ("N½", "UK N 1/2"),
        ("n 1/2", "UK N 1/2"),
        ("AU N.5", "UK N 1/2"),
        ("UK Z+2", "UK Z2"),
        ("Z", "UK Z"),
        ("54", "ISO 54"),
        ("EU:54", "ISO 54"),
        ("DE 54", "ISO 54"),
        ("IT 14", "CH 14"),
        ("17,3mm", "17.3 mm"),
        ("Ø 17.3 mm", "17.3 mm"),
    ],
)
def test_sizes_are_read_however_people_write_them(text, means):
    assert str(RingSize.parse(text)) == means


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("US 7.3", "US 7 1/4 and US 7 1/2"),
        ("US 25", "nearest: US 16"),
        ("EU 54.5", "ISO 54 and ISO 55"),
        ("EU 90", "nearest: ISO 76"),
        ("JP 0", "nearest: JP 1"),
        ("UK Z9", "nearest is UK Z6"),
        ("UK N 1/4", "nearest is UK N"),
        ("7", 'write "US 7" or "JP 7"'),
        ("45 mm", "nearest is 30 mm"),
        ("medium", "no ring size"),
        ("", "no ring size"),
        ("US 7 1/0", "US"),
        ("US seven", "US 0 to US 16"),
    ],
)
def test_what_is_no_size_is_answered_with_the_nearest(text, says):
    with pytest.raises(Permanent, match=says):
        RingSize.parse(text)


def test_a_system_nobody_uses_is_refused_with_those_that_are():
    with pytest.raises(Permanent, match="JP"):
        inner_diameter_mm("MARS", 7)


def test_sizes_can_be_asked_for_by_system_and_number():
    assert inner_diameter_mm("US", 7) == inner_diameter_mm("us", "7") == RingSize.parse("US 7").diameter_mm
    assert inner_diameter_mm("US", 7.25) == RingSize.parse("US 7 1/4").diameter_mm
    assert inner_diameter_mm("UK", "N 1/2") == RingSize.parse("N½").diameter_mm
    assert inner_diameter_mm("mm", 17.3) == 17.3


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_larger_size_is_a_larger_ring(system):
    assert all(small.diameter_mm < large.diameter_mm for small, large in pairwise(sizes_of(system)))


@given(st.sampled_from([size for system in SYSTEMS for size in sizes_of(system)]))
def test_every_size_reads_back_from_its_own_name(size):
    assert RingSize.parse(str(size)) == size
    assert RingSize.parse(str(size).lower()) == size
    assert size.nearest(size.system) == size
    assert size.circumference_mm == pytest.approx(pi * size.diameter_mm)


@given(st.floats(13.1, 22.5), st.sampled_from(SYSTEMS))
def test_the_nearest_size_of_any_system_is_within_half_a_step(diameter, system):
    steps = {"ISO": 1 / pi, "CH": 1 / pi, "US": 0.2032, "UK": 0.625 / pi, "JP": 1 / 3}
    near = RingSize.of_diameter(diameter).nearest(system)
    assert abs(near.diameter_mm - diameter) <= steps[system] / 2 + 1e-9


@settings(max_examples=60)
@given(
    st.text(max_size=12) | st.from_regex(r"(US|UK|EU|JP|CH)? ?[0-9A-Z]{1,3}[ .,/½]?[0-9]{0,2}( mm)?", fullmatch=True)
)
def test_no_text_makes_it_fail_otherwise_than_with_a_sentence(text):
    try:
        diameter = RingSize.parse(text).diameter_mm
    except Permanent:
        return
    assert 10 <= diameter <= 30
