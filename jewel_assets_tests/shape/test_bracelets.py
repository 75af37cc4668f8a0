import numpy as np
import pytest
from pydantic import ValidationError

from jewel_assets.shape.designs.bangles import Bangle, Cuff
from jewel_assets.shape.designs.bracelets import ChainBracelet, CharmBracelet
from jewel_assets.shape.designs.stone_lines import TennisBracelet
from jewel_assets.shape.parts.settings import seating
from jewel_assets.shape.parts.stone_line import stone_link
from jewel_assets_tests.shape.test_chains import overlapping

ALL = (Bangle, Cuff, ChainBracelet, TennisBracelet, CharmBracelet)


@pytest.mark.parametrize("family", ALL)
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_drawn_bracelets_are_sound_and_nothing_runs_into_anything(family: type, seed: int) -> None:
    piece = family.draw(np.random.default_rng(seed)).build(0.7)
    assert piece.category == "bracelet"
    assert overlapping(piece) == []
    assert all(len(body.solid.decompose()) == 1 for body in piece.metal)


@pytest.mark.parametrize("ornament", ["plain", "hammered", "milgrain", "stones"])
def test_a_bangle_keeps_its_inner_width_whatever_its_surface(ornament: str) -> None:
    piece = Bangle(inner_diameter_mm=62.0, section="flat", ornament=ornament).build()
    band = next(body.solid for body in piece.metal)
    mesh = np.asarray(band.to_mesh().vert_properties)[:, :3]
    assert np.hypot(mesh[:, 0], mesh[:, 2]).min() == pytest.approx(31.0, abs=0.05)


@pytest.mark.parametrize("ornament", ["plain", "hammered", "honeycomb", "filigree", "vine", "balls"])
def test_a_cuff_is_one_casting_open_at_the_bottom(ornament: str) -> None:
    design = Cuff.nearest(ornament=ornament, section="round" if ornament == "balls" else "flat", width_mm=22.0)
    (body,) = design.build(0.6).bodies
    assert len(body.solid.decompose()) == 1
    below = body.solid.trim_by_plane((0.0, 0.0, -1.0), 0.3 * design.inner_diameter_mm * design.roundness)
    sides = np.asarray(below.to_mesh().vert_properties)[:, 0]
    assert np.abs(sides).min() > 0.3 * design.opening_mm


def test_a_tennis_bracelets_links_share_one_mesh_and_hold_one_stone_each() -> None:
    piece = TennisBracelet(length_mm=180.0, stone_width_mm=3.0).build()
    links = [body for body in piece.metal if body.name.startswith("link")]
    assert len(links) == len(piece.stones) > 40
    assert len({tuple(body.solid.to_mesh().run_original_id) for body in links}) == 1
    assert len(piece.moving) == len(links) + 1
    for stone in piece.stones:
        out = stone.placement[:, 3]
        # the table looks outward
        assert stone.placement[:, 2] @ out / np.linalg.norm(out) > 0.98


@pytest.mark.parametrize("cut", ["round brilliant", "princess", "oval", "emerald", "cushion"])
def test_a_links_pin_turns_in_the_next_links_eye(cut: str) -> None:
    stone = seating(cut, 3.2)
    link = stone_link(stone)
    for angle in (0.0, 6.0, 12.0):  # as it bends round a wrist, the stones outside
        hinge = (link.pitch / 2, 0.0, link.level)
        back = tuple(-value for value in hinge)
        after = link.solid.translate((link.pitch, 0.0, 0.0)).translate(back).rotate((0.0, angle, 0.0)).translate(hinge)
        assert link.solid.min_gap(after, 1.0) > 0.05
    assert (link.solid ^ stone.solid).volume() < 1e-6


def test_a_bangle_too_thin_for_its_stones_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"thickness_mm.*culets"):
        Bangle(section="flat", ornament="stones", stone_mm=3.0, thickness_mm=1.6)


def test_charms_hang_outward_one_by_one() -> None:
    design = CharmBracelet(charms=6, charm="hearts")
    piece = design.build(0.6)
    charms = [body for body in piece.metal if body.name.startswith("charm") and "ring" not in body.name]
    assert len(charms) == 6
    for body in charms:
        middle = np.reshape(body.solid.bounding_box(), (2, 3)).mean(axis=0)
        assert np.linalg.norm(middle) > design.length_mm / (2 * np.pi) + 4
