import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from jewel_assets.shape.designs.chains import BoxChain, CableChain, ChainDesign, CurbChain, FigaroChain, RopeChain
from jewel_assets.shape.designs.collars import Collar
from jewel_assets.shape.designs.necklaces import PendantNecklace
from jewel_assets.shape.designs.pearls import PearlStrand
from jewel_assets.shape.designs.stone_lines import Riviere
from jewel_assets.shape.parts.clasps import CLASPS, clasp_of
from jewel_assets.shape.parts.curves import length
from jewel_assets.shape.parts.links import (
    LEAST_GAP,
    ROPE_WINDS,
    curb_link,
    hanging_curve,
    lay,
    least_oval,
    linking_number,
    moved,
    necklace_curve,
    oval_link,
    play,
    reaches,
    rope_link,
    rope_pose,
    spacing,
)
from jewel_assets.shape.piece import Piece

CHAINS = (CableChain, CurbChain, FigaroChain, RopeChain, BoxChain)
TOLERANCE_MM = 0.035
"""What a chain may lose of LEAST_GAP where it bends most."""


def links_of(piece: Piece) -> list:
    return [body for body in piece if body.name.startswith("link")]


def overlapping(piece: Piece) -> list[tuple[str, str]]:
    boxes = [body.solid.bounding_box() for body in piece]
    found = []
    for i, first in enumerate(piece.bodies):
        for j in range(i + 1, len(piece.bodies)):
            a, b = boxes[i], boxes[j]
            apart = any(a[k] > b[k + 3] or b[k] > a[k + 3] for k in range(3))
            if not apart and (first.solid ^ piece.bodies[j].solid).volume() > 1e-4:
                found.append((first.name, piece.bodies[j].name))
    return found


@pytest.mark.parametrize("family", CHAINS)
def test_neighbouring_links_pass_through_each_other_and_keep_their_distance(family: type[ChainDesign]) -> None:
    piece = family(lay="open").build()
    links = links_of(piece)
    assert len(links) > 20
    # the lowest third, where it bends most, and the ends with their fittings
    third = len(links) // 3
    links = links[third : min(2 * third, third + 36)]
    for first, second, third in zip(links, links[1:], links[2:], strict=False):
        assert first.solid.min_gap(second.solid, 0.5) > LEAST_GAP - TOLERANCE_MM
        assert first.solid.min_gap(third.solid, 0.5) > LEAST_GAP - TOLERANCE_MM
        # what hangs in something cannot be further from it than the wire is long
        assert first.solid.min_gap(second.solid, 0.5) < 0.4


@given(st.floats(0.5, 2.2), st.floats(0.02, 2.0), st.floats(1.1, 3.0))
@settings(max_examples=12, deadline=None)
def test_a_cable_chains_links_are_linked_once(wire: float, more: float, stretch: float) -> None:
    wide = least_oval(wire, wire) + more
    link = oval_link(max(wide * stretch, 4 * wire + 1), wide, wire)
    apart = spacing(link, link, 90.0, play(wire))
    second = link.lines[0][:, [0, 2, 1]] + np.array([apart, 0.0, 0.0])
    assert abs(linking_number(link.lines[0], second)) == 1
    assert linking_number(link.lines[0], second + np.array([link.ahead * 4, 0.0, 0.0])) == 0
    gap = link.solid.min_gap(link.solid.rotate((90.0, 0.0, 0.0)).translate((apart, 0.0, 0.0)), 1.0)
    assert play(wire) <= gap < play(wire) + 0.05


def test_curb_links_are_linked_once_and_lie_flat() -> None:
    link = curb_link(6.0, 4.6, 1.2, filed=0.2)
    apart = spacing(link, link, 0.0, play(1.2))
    assert abs(linking_number(link.lines[0], link.lines[0] + np.array([apart, 0.0, 0.0]))) == 1
    box = link.solid.bounding_box()
    assert box[5] - box[2] < 0.62 * (box[4] - box[1])


@pytest.mark.parametrize("wind", ROPE_WINDS)
def test_a_rope_chains_ring_passes_through_two_before_and_two_behind(wind: str) -> None:
    link = rope_link(0.8, wind)
    _, pitch, turn = rope_pose(0.8, wind)

    def ring(k: int) -> np.ndarray:
        angle = np.radians(k * turn)
        roll = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
        return link.lines[0] @ roll.T + np.array([k * pitch, 0.0, 0.0])

    assert [abs(linking_number(ring(0), ring(k))) for k in (1, 2, 3, 4)] == [1, 1, 0, 0]


def test_a_laid_chain_stays_linked_all_round() -> None:
    link = oval_link(4.0, 3.0, 0.8)
    rolls = [90.0 * i for i in range(120)]
    places = lay(reaches([link] * 120, rolls, True, play(0.8)), necklace_curve(300), rolls, closed=True)
    lines = [moved(link.lines[0], place) for place in places]
    assert all(abs(linking_number(lines[i], lines[(i + 1) % 120])) == 1 for i in range(0, 120, 7))
    middles = places[:, :, 3]
    steps = np.linalg.norm(np.roll(middles, -1, axis=0) - middles, axis=1)
    assert np.ptp(steps) < 0.02


def test_necklace_curves_have_their_length_and_hang_lowest_in_the_middle() -> None:
    for curve, closed in ((necklace_curve(450, 0.4), True), (hanging_curve(450, 0.5), False)):
        assert length(curve, closed) == pytest.approx(450, abs=0.2)
        lowest = curve[np.argmin(curve[:, 2])]
        assert lowest[0] == pytest.approx(0, abs=0.5)
        assert lowest[2] == pytest.approx(0, abs=0.01)
        assert not curve[:, 1].any()
    ends = hanging_curve(450, 0.5)[[0, -1]]
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(225, abs=1)


@pytest.mark.parametrize("family", CHAINS)
def test_a_chain_is_as_long_as_ordered_and_light_to_draw(family: type[ChainDesign]) -> None:
    piece = family(length_mm=450.0).build()
    low, high = piece.bounds()
    middles = np.array([np.reshape(body.solid.bounding_box(), (2, 3)).mean(axis=0) for body in piece])
    around = middles[np.argsort(np.arctan2(middles[:, 0], middles[:, 2] - (low[2] + high[2]) / 2))]
    # the rings of a rope wind round its axis: their running mean runs along it
    axis = sum(np.roll(around, k, axis=0) for k in range(-3, 4)) / 7
    assert length(axis, closed=True) == pytest.approx(450, rel=0.05)
    assert sum(body.solid.num_tri() for body in piece) <= 400_000
    assert set(piece.moving) == {(body.name,) for body in piece}
    # equal links are one mesh in many places, and say so
    meshes = {tuple(body.solid.to_mesh().run_original_id) for body in links_of(piece)}
    assert len(meshes) <= 4


@pytest.mark.parametrize("kind", CLASPS)
@pytest.mark.parametrize("width", [1.8, 4.0, 9.0])
def test_a_clasp_is_two_sound_solids_that_do_not_touch(kind: str, width: float) -> None:
    clasp = clasp_of(kind, width, 0.7)
    (_, body), (_, lever) = clasp.parts
    assert len(body.decompose()) == len(lever.decompose()) == 1
    assert body.min_gap(lever, 1.0) > 0.05
    assert clasp.ahead > clasp.behind > 0


def test_a_link_without_room_is_refused_with_the_nearest_that_has() -> None:
    with pytest.raises(ValueError, match="make it"):
        oval_link(4.0, 2.0, 0.9)
    with pytest.raises(ValidationError, match=r"link_width_mm.*nearest possible"):
        CableChain(wire_mm=1.5, link_width_mm=3.0, link_length_mm=9.0)


@pytest.mark.parametrize("family", [*CHAINS, PendantNecklace, Riviere, PearlStrand, Collar])
def test_drawn_necklaces_are_sound_and_nothing_runs_into_anything(family: type) -> None:
    piece = family.draw(np.random.default_rng(20)).build(0.7)
    assert piece.category == "necklace"
    assert overlapping(piece) == []
    assert all(len(body.solid.decompose()) == 1 for body in piece.metal)


def test_a_pendants_bail_hangs_on_the_chain_in_the_middle() -> None:
    piece = PendantNecklace(chance=3).build(0.7)
    bail = next(body for body in piece if body.name.endswith("bail")).solid
    gap = min(bail.min_gap(body.solid, 1.0) for body in links_of(piece))
    assert 0.05 < gap < 0.25
    box = bail.bounding_box()
    assert (box[0] + box[3]) / 2 == pytest.approx(0, abs=0.2)
    assert len(piece.castings()) == len(piece.moving) + 1


def test_pearls_get_smaller_from_the_middle_outward() -> None:
    piece = PearlStrand(end_share=0.7, length_mm=400).build(0.5)
    sizes = [stone.size[0] for stone in piece.stones]
    lowest = min(piece.stones, key=lambda stone: stone.placement[2, 3])
    assert lowest.size[0] == max(sizes) == 7.5
    assert min(sizes) == pytest.approx(0.7 * 7.5, abs=0.02)
