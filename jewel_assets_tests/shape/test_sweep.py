"""Sweeps, tubes, skins and turned solids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold3d import Error

from jewel_assets.shape.parts import curves
from jewel_assets.shape.parts.sweep import copies, frames, placed, revolve_profile, skin, sweep, tube

SETTINGS = settings(max_examples=40, deadline=None)


def sound(solid):
    assert solid.status() == Error.NoError
    assert solid.volume() > 0
    return solid


@SETTINGS
@given(ring=st.floats(5, 80), wire=st.floats(0.05, 0.9), axis=st.sampled_from("xyz"))
def test_a_closed_tube_is_a_torus_with_the_volume_of_the_formula(ring, wire, axis):
    radius = wire * ring / 4
    torus = sound(tube(curves.ring_curve(ring, 100, axis), radius, closed=True, sides=40))
    assert torus.genus() == 1
    assert torus.volume() == pytest.approx(2 * np.pi**2 * (ring / 2) * radius**2, rel=0.008)


@SETTINGS
@given(radius=st.floats(0.2, 5), length=st.floats(0.5, 80))
def test_a_straight_tube_with_flat_ends_is_a_cylinder(radius, length):
    rod = sound(tube([[0, 0, 0], [0, 0, length]], radius, sides=96, caps="flat"))
    assert rod.genus() == 0
    assert rod.volume() == pytest.approx(np.pi * radius**2 * length, rel=0.002)


def test_round_ends_add_two_half_balls():
    rod = sound(tube([[0, 0, 0], [10, 0, 0]], 1.0, sides=64))
    assert rod.volume() == pytest.approx(np.pi * 10 + 4 / 3 * np.pi, rel=0.02)
    assert np.allclose(rod.bounding_box()[0::3], (-1, 11), atol=1e-6)


@SETTINGS
@given(seed=st.integers(0, 10_000), twist=st.floats(-720, 720))
def test_a_wire_along_any_curve_is_a_solid_as_heavy_as_its_section_is_long(seed, twist):
    rng = np.random.default_rng(seed)
    way = rng.normal(size=(5, 3))
    knots = np.cumsum(8 * way / np.linalg.norm(way, axis=1, keepdims=True) + (6, 0, 0), axis=0)
    line = curves.smooth_curve(knots, 120)
    section = curves.rounded_rectangle(0.12, 0.08, 0.02)
    wire = sound(sweep(section, line, twist=twist))
    assert wire.genus() == 0
    assert wire.volume() == pytest.approx(curves.area(section) * curves.length(line), rel=0.05)


def test_corners_are_mitred_so_that_a_wire_keeps_its_width():
    corner = sweep(curves.rounded_rectangle(2, 1, 0.1), [[0, 0, 0], [10, 0, 0], [10, 10, 0]])
    assert corner.volume() == pytest.approx(curves.area(curves.rounded_rectangle(2, 1, 0.1)) * 20, rel=1e-6)


@SETTINGS
@given(seed=st.integers(0, 10_000), closed=st.booleans())
def test_frames_are_orthonormal_and_turn_least(seed, closed):
    knots = np.random.default_rng(seed).normal(size=(7, 3)) * 10
    line = curves.smooth_curve(knots, 200, closed)
    across, upward, along = frames(line, closed)
    for a, b, same in ((across, across, 1), (across, upward, 0), (upward, along, 0), (along, along, 1)):
        assert np.allclose(np.sum(a * b, axis=1), same, atol=1e-9)
    assert np.allclose(np.cross(across, upward), along, atol=1e-9)
    if closed:  # the seam is as smooth as the rest of the way
        turn = np.sum(across * np.roll(across, -1, axis=0), axis=1)
        assert turn[-1] >= turn.min() - 0.05


def test_up_decides_where_the_section_points():
    band = sweep(curves.rounded_rectangle(2, 6, 0.1), curves.ring_curve(20, 90, "y"), closed=True, up=(0, 1, 0))
    box = np.array(band.bounding_box())
    assert np.allclose(box[[1, 4]], (-3, 3), atol=1e-6)
    assert np.allclose(box[[0, 3]], (-11, 11), atol=0.02)


@pytest.mark.parametrize("twist", [90, 180, 450, 720])
def test_a_square_wire_closes_after_any_quarter_turn(twist):
    wire = sound(sweep(curves.rounded_rectangle(2, 2, 0.3), curves.ring_curve(20, 240), closed=True, twist=twist))
    assert wire.genus() == 1
    plain = sweep(curves.rounded_rectangle(2, 2, 0.3), curves.ring_curve(20, 240), closed=True)
    assert wire.volume() == pytest.approx(plain.volume(), rel=0.01)


def test_a_twist_that_does_not_meet_its_start_is_refused():
    with pytest.raises(ValueError, match="multiple of its symmetry"):
        sweep(curves.rounded_rectangle(2, 1, 0.3), curves.ring_curve(20), closed=True, twist=90)


def test_radii_and_sections_may_change_along_the_way():
    cone = sound(tube([[0, 0, z] for z in np.linspace(0, 10, 30)], np.linspace(2, 1, 30), sides=96, caps="flat"))
    assert cone.volume() == pytest.approx(np.pi * 10 / 3 * (4 + 2 + 1), rel=0.003)
    morph = np.stack([curves.ellipse(2, 2 + t, 24) for t in np.linspace(0, 1, 10)])
    sound(sweep(morph, [[t, 0, 0] for t in np.linspace(0, 5, 10)]))


def test_a_turned_profile_has_the_volume_of_pappus():
    profile = curves.circle(2, 64) + np.array([6, 0])
    for axis in ("x", "y", "z"):
        turned = sound(revolve_profile(profile, 128, axis))
        assert turned.volume() == pytest.approx(2 * np.pi * 6 * np.pi, rel=0.005)
        size = np.reshape(turned.bounding_box(), (2, 3))
        assert np.ptp(size, axis=0)["xyz".index(axis)] == pytest.approx(2, abs=0.01)


def test_copies_are_the_sum_of_their_parts():
    bead = tube([[0, 0, 0], [0, 0, 1]], 0.3)
    eye = np.eye(3)
    many = copies(bead, np.concatenate([placed(eye[:1], eye[1:2], eye[2:], [(4.0 * i, 0, 0)]) for i in range(5)]))
    assert many.volume() == pytest.approx(5 * bead.volume())
    assert len(many.decompose()) == 5


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sweep(curves.circle(1), [[0, 0, 0]]), "too short"),
        (lambda: tube([[0, 0, 0], [0, 0, 0], [1, 0, 0]], 1), "are the same"),
        (lambda: tube([[0, 0, 0], [1, 0, 0]], [1, 0]), "must be positive"),
        (lambda: frames([[0, 0, 0], [0, 0, 1]], up=(0, 0, 1)), "runs along"),
        (lambda: skin(np.zeros((2, 4, 3))), "encloses no volume|do not close"),
    ],
)
def test_what_cannot_be_swept_says_why(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_three_lobed_wire_closes_after_a_third_of_a_turn_as_it_does_after_a_whole_one():
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    lobes = (1 + 0.25 * np.cos(3 * turn))[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    line = curves.ring_curve(20, 240)
    third, whole = (sweep(lobes, line, closed=True, twist=twist) for twist in (120, 360))
    assert third.surface_area() == pytest.approx(whole.surface_area(), rel=0.02)
    assert sound(third).genus() == 1
