"""Earrings: pairs that mirror each other, that hang together and can be cast."""

import numpy as np
import pytest
from pydantic import ValidationError

from jewel_assets.shape.designs.earrings import HOOP_STYLES, STUD_MOTIFS, Hoop, Stud
from jewel_assets.shape.designs.earrings_hanging import DROPS, Chandelier, Dangle, Drop
from jewel_assets_tests.shape.jewels_at_random import assert_sound, drawn


@pytest.mark.parametrize("family", [Stud, Hoop, Drop, Dangle, Chandelier])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_drawn_pairs_are_sound(family, seed):
    assert_sound(drawn(family, seed).build())


@pytest.mark.parametrize("motif", STUD_MOTIFS)
def test_every_motif_of_a_stud_is_sound(motif):
    assert_sound(Stud.nearest(motif=motif, stone_width_mm=3.0).build())


@pytest.mark.parametrize("style", HOOP_STYLES)
@pytest.mark.parametrize("closure", ["post", "pin"])
def test_every_style_of_a_hoop_is_sound(style, closure):
    assert_sound(Hoop.nearest(style=style, closure=closure, section="square", width_mm=3.4, thickness_mm=3.0).build())


@pytest.mark.parametrize("drop", DROPS)
@pytest.mark.parametrize("links", [0, 2])
def test_whatever_swings_hangs_clear_of_what_it_hangs_in(drop, links):
    species, cut = ("pearl", "pearl") if drop == "pearl" else ("ruby", "pear")
    assert_sound(Drop.nearest(drop=drop, links=links, cut=cut, species=species, stone_width_mm=6.0).build())


@pytest.mark.parametrize("seed", range(4))
def test_the_right_one_mirrors_the_left_one(seed):
    piece = drawn((Stud, Hoop, Drop, Chandelier)[seed], seed).build()
    bodies = {body.name: body for body in piece}
    lefts = [name for name in bodies if name.startswith("left ")]
    assert len(lefts) * 2 == len(bodies)
    for name in lefts:
        left, right = bodies[name], bodies[name.replace("left", "right", 1)]
        assert left.volume == pytest.approx(right.volume, rel=1e-6)
        low, high = np.array(left.solid.bounding_box()).reshape(2, 3)
        mirrored = np.array(right.solid.mirror((1, 0, 0)).bounding_box()).reshape(2, 3)
        assert np.allclose([low, high], mirrored, atol=1e-3)
        assert high[0] < 0 < right.solid.bounding_box()[0]


def test_stones_lie_where_their_placement_says():
    from jewel_assets.shape.gems import cut_stone

    for stone in drawn(Chandelier, 5).build().stones:
        again = cut_stone(stone.cut, *stone.size).transform(stone.placement)
        assert (again - stone.solid).volume() < 1e-3 * stone.volume
        assert np.linalg.det(stone.placement[:, :3]) == pytest.approx(1)


def test_the_same_design_gives_the_same_solid():
    first, second = (Hoop.nearest(style="hammered", chance=4).build() for _ in range(2))
    assert [body.volume for body in first] == [body.volume for body in second]


def test_impossible_hoops_name_the_nearest_possible():
    with pytest.raises(ValidationError, match="needs walls on both sides"):
        Hoop(closure="pin", width_mm=2.0, thickness_mm=2.4)
    with pytest.raises(ValidationError, match="diameter_mm"):
        Hoop(diameter_mm=5)


def test_a_pearl_is_no_sapphire():
    with pytest.raises(ValidationError, match="is a pearl"):
        Stud(cut="pearl", species="sapphire")
