"""Surface ornament: solids of one piece, thick enough to cast, where they were asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold3d import Error, Manifold

from jewel_assets.shape.parts import curves
from jewel_assets.shape.parts.findings import (
    bail,
    bail_over,
    brooch_pin,
    butterfly_back,
    ear_hook,
    eye,
    hung,
    post,
)
from jewel_assets.shape.parts.medallions import ORNAMENTS, medallion
from jewel_assets.shape.parts.outlines import OUTLINES, facing, frame, inset, outline, plate
from jewel_assets.shape.parts.settings import joined
from jewel_assets.shape.parts.surfaces import (
    filigree,
    gyroid,
    hammered,
    honeycomb,
    leaf,
    level_set,
    milgrain,
    over_dome,
    round_band,
    scroll,
    twisted_wire,
    vine,
)
from jewel_assets.shape.parts.surfaces.filigree import packed
from jewel_assets.shape.parts.surfaces.lattice import gyroid_distance

SETTINGS = settings(max_examples=15, deadline=None)


def sound(solid):
    assert solid.status() == Error.NoError
    assert solid.volume() > 0
    assert len(solid.decompose()) == 1
    return solid


@pytest.mark.parametrize("ornament", ORNAMENTS)
@pytest.mark.parametrize("shape", ["round", "heart", "marquise"])
def test_every_medallion_is_one_casting_within_its_outline(shape, ornament):
    whole = sound(joined(medallion(shape, 16, 18, ornament, seed=3)))
    x0, y0, z0, x1, y1, _ = whole.bounding_box()
    assert z0 >= -0.2  # a rope or a granule may stand out behind
    assert max(-x0, x1) <= 8.4
    assert max(-y0, y1) <= 9.4


@pytest.mark.parametrize("name", OUTLINES)
def test_outlines_fill_their_box_counter_clockwise(name):
    line = outline(name, 10, 14)
    assert curves.area(line) > 0
    assert np.allclose(np.ptp(line, axis=0), (10, 14), atol=0.25)


@SETTINGS
@given(dent=st.floats(1.2, 4), depth=st.floats(0.05, 0.25), seed=st.integers(0, 999))
def test_hammering_moves_metal_inward_only_and_where_it_is_told(dent, depth, seed):
    disc = plate(outline("round", 14, 14, 48), 1.6, 0.4)
    beaten = sound(hammered(disc, dent, depth, seed, lambda _, normals: normals[:, 2] > 0.5))
    before, after = np.array(disc.bounding_box()), np.array(beaten.bounding_box())
    assert (after[:3] >= before[:3] - 1e-9).all()
    assert (after[3:] <= before[3:] + 1e-9).all()
    assert after[2] == pytest.approx(before[2])
    assert 0 < disc.volume() - beaten.volume() < depth * np.pi * 49


def test_a_hammered_surface_comes_out_the_same_for_the_same_seed():
    disc = plate(outline("round", 10, 10, 48), 1.6, 0.4)
    assert hammered(disc, 2, 0.1, 7).volume() == hammered(disc, 2, 0.1, 7).volume()
    assert hammered(disc, 2, 0.1, 7).volume() != hammered(disc, 2, 0.1, 8).volume()


@SETTINGS
@given(bead=st.floats(0.4, 1.5), ring=st.floats(8, 40))
def test_milgrain_is_whole_beads_round_a_ring(bead, ring):
    row = sound(milgrain(curves.ring_curve(ring, 120, "z"), bead, closed=True))
    assert row.genus() == 1
    assert row.bounding_box()[5] == pytest.approx(bead / 2, rel=0.1)


@pytest.mark.parametrize("strands", [2, 3, 4])
def test_a_rope_closes_round_a_ring(strands):
    rope = sound(twisted_wire(curves.ring_curve(20, 200, "z"), 2.0, strands, 4.0, closed=True))
    assert rope.genus() == 1
    assert np.array(rope.bounding_box())[3] == pytest.approx(11, abs=0.1)


def test_filigree_fills_a_frame_in_one_piece_and_is_symmetric():
    edge = outline("heart", 22, 20)
    whole = sound(joined([frame(edge, 1.2, 1.4), *filigree(inset(edge, 1.2), 0.85, 5.0, 4, 0.7)]))
    low, high = np.array(whole.bounding_box()).reshape(2, 3)
    assert low[0] == pytest.approx(-high[0], abs=0.02)
    right, left = (whole.trim_by_plane((s, 0, 0), 0).volume() for s in (1, -1))
    assert right == pytest.approx(left, rel=0.01)


@SETTINGS
@given(wide=st.floats(8, 30), tall=st.floats(8, 30), largest=st.floats(1.5, 4))
def test_scrolls_lie_beside_each_other_within_the_frame(wide, tall, largest):
    coils = packed(outline("oval", wide, tall), largest, 0.9)
    assert coils
    for i, a in enumerate(coils):
        assert 0.9 <= a.radius <= largest + 1e-9
        for b in coils[:i]:
            assert np.hypot(a.x - b.x, a.y - b.y) > a.radius + b.radius - 0.35


def test_a_scroll_is_a_ring_with_a_spiral_in_it():
    assert len(scroll(3.0)) == 3
    sound(joined(scroll(3.0)))
    assert len(scroll(1.0)) == 1


def test_honeycomb_is_pierced_and_keeps_its_rim():
    disc = sound(honeycomb(outline("round", 20, 20), 1.4, 3.0, 0.8, 1.2))
    assert disc.genus() > 20
    rim = Manifold.cylinder(1.4, 10, circular_segments=96) - Manifold.cylinder(1.4, 8.9, circular_segments=96)
    assert (rim - disc).volume() < 0.05 * rim.volume()


def test_a_level_set_of_a_ball_has_its_volume():
    solid = sound(level_set(lambda p: 4 - np.linalg.norm(p, axis=1), (-4, -4, -4), (4, 4, 4), 0.4))
    assert solid.genus() == 0
    assert solid.volume() == pytest.approx(4 / 3 * np.pi * 64, rel=0.02)


@SETTINGS
@given(seed=st.integers(0, 999))
def test_a_level_set_closes_whatever_the_function(seed):
    wave = np.random.default_rng(seed).normal(size=(4, 3))
    solid = level_set(lambda p: np.sin(p @ wave.T).sum(axis=1), (-3, -3, -3), (3, 3, 3), 0.5)
    assert solid.status() == Error.NoError
    assert solid.volume() > 0


def test_a_gyroid_fills_its_body_with_walls_as_thick_as_asked():
    lattice = sound(gyroid(lambda p: 6 - np.abs(p).max(axis=1), (-6, -6, -6), (6, 6, 6), 6.0, 1.0, 0.4))
    assert np.abs(lattice.bounding_box()).max() < 6.2
    # per cell 3.0915 times the area of its side (Schoen 1970), Euler number -8: Steiner's formula
    wall = 8 * (3.0915 * 36 - 2 * np.pi * 8 / 12)
    assert lattice.volume() == pytest.approx(wall, rel=0.06)
    assert gyroid_distance(np.zeros((1, 3)), 6.0) == pytest.approx(0, abs=1e-12)


@SETTINGS
@given(long=st.floats(6, 20), ratio=st.floats(0.3, 0.7), thick=st.floats(0.8, 1.6), teeth=st.floats(0, 0.25))
def test_leaves_are_solid_and_as_long_as_asked(long, ratio, thick, teeth):
    blade = sound(leaf(long, ratio * long, thick, serration=teeth))
    assert blade.genus() == 0
    assert blade.bounding_box()[4] == pytest.approx(long, rel=0.01)


def test_a_vine_is_one_piece():
    line = curves.smooth_curve([(-15, -5, 0), (0, 0, 0), (14, 8, 0)], 60)
    sound(joined(vine(line, leaves=7, berries=3, seed=5)))


def test_flat_ornament_goes_round_a_band_and_over_a_dome():
    strip = honeycomb([(-15, -4), (15, -4), (15, 4), (-15, 4)], 1.4, 3.0, 0.8, 1.0)
    band = sound(round_band(strip, 18.0))
    assert band.genus() == strip.genus()
    assert np.abs(band.bounding_box()[5]) == pytest.approx(9 + 1.4, abs=0.05)
    dome = sound(over_dome(honeycomb(outline("round", 16, 16), 1.4), 12.0))
    assert dome.bounding_box()[2] < -1.5


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: milgrain([[0, 0, 0], [5, 0, 0]], 0.2), "at least 0.4 mm"),
        (lambda: twisted_wire([[0, 0, 0], [9, 0, 0]], 0.8, 4), "needs 0.5 mm"),
        (lambda: twisted_wire([[0, 0, 0], [9, 0, 0]], 1.0, 9), "give 2 to 6"),
        (lambda: filigree(outline("round", 9, 9), 0.3), "at least 0.8 mm"),
        (lambda: honeycomb(outline("round", 9, 9), 1, 3, 0.4), "at least 0.8 mm"),
        (lambda: honeycomb(outline("round", 9, 9), 1, 1, 0.8), "leave no opening"),
        (lambda: leaf(thickness_mm=0.4), "at least 0.8 mm"),
        (lambda: hammered(Manifold.cube((5, 5, 5)), 1, 0.5), "can be up to 0.25 mm"),
        (lambda: gyroid(lambda p: p[:, 0], (0, 0, 0), (5, 5, 5), 5, 0.4), "at least 0.8 mm"),
        (lambda: gyroid(lambda p: p[:, 0], (0, 0, 0), (5, 5, 5), 2, 0.9), "close up"),
        (lambda: level_set(lambda p: p[:, 0] - 99, (0, 0, 0), (5, 5, 5)), "is empty"),
        (lambda: level_set(lambda p: p[:, 0], (0, 0, 0), (900, 900, 900)), "too fine"),
        (lambda: plate(outline("round", 9, 9), 1, 1), "cannot be rounded"),
        (lambda: outline("star", 9, 9), "there is no outline 'star'"),
        (lambda: medallion("round", 9, 9, "lace"), "there is no ornament 'lace'"),
    ],
)
def test_what_does_not_cast_is_refused_with_the_least_that_does(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_findings_are_single_solids_and_what_moves_does_not_touch():
    fixed, stem = brooch_pin(24.0)
    for solid in (post(), butterfly_back(), ear_hook(), eye(), bail(), stem):
        sound(solid)
    assert (fixed ^ stem).volume() < 1e-9
    assert (post() ^ butterfly_back().translate((0, 5, 0))).volume() < 1e-9
    ring = eye(1.7, 0.9, "y").translate((0, 0, hung(0.0, 1.7, 1.7)))
    assert (ring ^ ear_hook(0.9, 9.5, 1.7)).volume() < 1e-9
    strap = bail(7.0, 3.0, 0.9, 1.0).translate((0, 0, bail_over(0.0, 2.0)))
    assert (strap ^ eye(2.0, 1.0, "y")).volume() < 2e-3


def test_facing_shows_the_face_to_the_viewer():
    disc = facing(plate(outline("round", 10, 12), 1.5, 0.3))
    low, high = np.array(disc.bounding_box()).reshape(2, 3)
    assert low[1] == pytest.approx(-1.5)
    assert high[1] == pytest.approx(0, abs=1e-9)
    assert high[2] == pytest.approx(6, abs=0.1)
