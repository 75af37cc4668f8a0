"""Pendants, lockets and brooches: bails that a chain runs through, halves on hinges, pins that turn."""

import numpy as np
import pytest
from manifold3d import Manifold
from pydantic import ValidationError

from jewel_assets.shape.designs.brooches import CIRCLES, Bow, Circle, Spray
from jewel_assets.shape.designs.lockets import Locket
from jewel_assets.shape.designs.pendants import Bar, SolitairePendant
from jewel_assets.shape.designs.pendants_drops import DropPendant
from jewel_assets.shape.designs.pendants_plates import Disc, Heart, Medallion
from jewel_assets.shape.parts.curves import area
from jewel_assets.shape.parts.medallions import ORNAMENTS
from jewel_assets.shape.parts.outlines import outline
from jewel_assets_tests.shape.jewels_at_random import assert_sound, drawn

PENDANTS = (Disc, Heart, DropPendant, Bar, SolitairePendant, Medallion, Locket)


@pytest.mark.parametrize("family", [*PENDANTS, Spray, Circle, Bow])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_drawn_pieces_are_sound(family, seed):
    assert_sound(drawn(family, seed).build())


@pytest.mark.parametrize("family", PENDANTS)
def test_a_chain_runs_through_the_bail(family):
    piece = drawn(family, 11).build()
    bail = next(body for body in piece if body.name == "bail").solid
    x0, y0, z0, x1, y1, z1 = bail.bounding_box()
    chain = Manifold.cylinder(40, 0.75, circular_segments=24, center=True).rotate((0, 90, 0))
    chain = chain.translate((0, (y0 + y1) / 2, z0 + 0.68 * (z1 - z0)))
    for body in piece:
        assert (body.solid ^ chain).volume() < 1e-6
    assert bail.genus() == 1
    assert (x0 + x1) / 2 == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("ornament", ORNAMENTS[2:])
def test_every_ornament_makes_a_medallion(ornament):
    assert_sound(Medallion.nearest(ornament=ornament, width_mm=18.0, stone_mm=4.0).build())


@pytest.mark.parametrize("shape", ["round", "oval", "heart", "cushion"])
def test_a_locket_is_hollow_and_opens(shape):
    design = Locket.nearest(shape=shape, ornament="polished")
    piece = design.build()
    assert_sound(piece)
    half = next(body for body in piece if body.name == "locket front").solid
    edge = outline(shape, design.width_mm, design.width_mm * design.slenderness)
    assert half.volume() < 0.85 * area(edge) * design.depth_mm
    assert ("locket front",) in piece.moving


@pytest.mark.parametrize("style", CIRCLES)
def test_every_circle_brooch_is_sound(style):
    assert_sound(Circle.nearest(style=style).build())


@pytest.mark.parametrize("inside", ["stone", "pearl"])
@pytest.mark.parametrize("shape", ["drop", "oval", "round", "marquise"])
def test_what_hangs_in_a_frame_swings_free(shape, inside):
    assert_sound(DropPendant.nearest(shape=shape, inside=inside, height_mm=34.0, inside_mm=7.0).build())


@pytest.mark.parametrize("family", PENDANTS)
def test_pendants_hang_from_the_middle_and_face_the_viewer(family):
    piece = drawn(family, 7).build()
    low, high = piece.bounds()
    assert abs(low[0] + high[0]) < 0.25 * (high[0] - low[0])
    for stone in piece.stones:
        assert stone.placement[1, 2] == pytest.approx(-1) or stone.cut == "pearl"


def test_impossible_pendants_are_refused():
    with pytest.raises(ValidationError, match="the stones reach through"):
        Disc(stones=3, stone_mm=3.0, thickness_mm=1.4)
    with pytest.raises(ValidationError, match="only an open frame"):
        DropPendant(ornament="domed", inside="stone")
    assert np.isclose(Disc.nearest(stones=3, stone_mm=3.0, thickness_mm=1.4).thickness_mm, 2.3, atol=0.02)
