"""Settings: stones are held, nothing floats, and no metal runs through a gem."""

import numpy as np
import pytest
from manifold3d import Manifold

from jewel_assets.shape.gems import CUTS
from jewel_assets.shape.parts.curves import length
from jewel_assets.shape.parts.engraving import _STROKES, border, letters, rays
from jewel_assets.shape.parts.pave import beads, flat_row, groove, halo_plate, round_row, seats
from jewel_assets.shape.parts.profiles import band_section, shank
from jewel_assets.shape.parts.seals import SEALS, seal_outline
from jewel_assets.shape.parts.settings import (
    CLAWS,
    LIP_MM,
    bezel,
    bezel_top,
    claw_head,
    claw_wire,
    joined,
    pearl_cup,
    pearl_drill,
    seating,
)

HEADS = [(cut, number) for cut, numbers in CLAWS.items() for number in numbers]


def _head(cut: str, number: int, width: float = 6.0) -> Manifold:
    stone = seating(cut, width)
    return joined(claw_head(stone, number, claw_wire(width), stone.pavilion + 0.5, 0.5), [stone.room])


@pytest.mark.parametrize(("cut", "number"), HEADS)
def test_a_basket_is_one_solid_with_a_window_between_all_claws_and_rails(cut: str, number: int) -> None:
    head = _head(cut, number)
    assert len(head.decompose()) == 1
    # two closed rails and so many claws that join them: a graph with number + 1 independent loops
    assert head.genus() == number + 1


@pytest.mark.parametrize(("cut", "number"), HEADS)
def test_claws_reach_over_the_crown_and_cannot_be_passed_by_the_stone(cut: str, number: int) -> None:
    stone = seating(cut, 6.0)
    head = _head(cut, number)
    assert (head ^ stone.solid).volume() < 1e-6
    lifted = stone.solid.translate((0, 0, 0.35 * stone.crown))
    lowered = stone.solid.translate((0, 0, -0.35 * stone.crown))
    pushed = [stone.solid.translate((x, y, 0)) for x, y in ((0.4, 0), (-0.4, 0), (0, 0.4), (0, -0.4))]
    for moved in (lifted, lowered, *pushed):
        assert (head ^ moved).volume() > 0.01


@pytest.mark.parametrize(("cut", "number"), HEADS)
def test_every_claw_keeps_two_thirds_of_its_wire_beside_the_girdle(cut: str, number: int) -> None:
    stone, wire = seating(cut, 6.0), claw_wire(6.0)
    head = _head(cut, number)
    sections = head.slice(0.0)
    assert len(sections.to_polygons()) == number
    round_wire = np.pi / 4 * wire**2
    for polygon in sections.to_polygons():
        x, y = polygon.T
        area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        assert area > 0.6 * round_wire
    for direction in CLAWS[cut][number]:
        place, normal, _ = stone.holds(direction)
        assert np.linalg.norm(normal) == pytest.approx(1.0)
        assert np.abs(stone.outline - place).sum(axis=1).min() < 0.6


@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut != "pearl"])
@pytest.mark.parametrize("width", [3.0, 9.0])
def test_a_bezel_covers_the_girdle_all_round_and_lets_light_in_from_below(cut: str, width: float) -> None:
    stone = seating(cut, width)
    metal, taken = bezel(stone, 0.65, stone.pavilion + 0.3, 0.7)
    cup = joined(metal, [*taken, stone.room])
    assert len(cup.decompose()) == 1
    assert cup.genus() == 1
    assert (cup ^ stone.solid).volume() < 1e-6
    assert (cup ^ stone.solid.translate((0, 0, 0.2))).volume() > 0.005 * length(stone.outline, closed=True) * LIP_MM
    assert cup.bounding_box()[5] == pytest.approx(bezel_top(stone), abs=1e-6)


def test_a_pearl_stands_in_its_cup_on_its_peg() -> None:
    stone = seating("pearl", 7.0)
    drill = pearl_drill(7.0)
    cup, pearl = joined(pearl_cup(7.0), [stone.room - drill]), stone.solid - drill
    assert len(cup.decompose()) == 1
    assert (cup ^ pearl).volume() < 1e-6
    assert (cup ^ stone.solid).volume() > 1.0  # the peg, in the drilled hole
    assert (cup ^ pearl.translate((0.1, 0, 0))).volume() > 0.05


def test_a_row_of_melee_is_even_and_its_stones_never_touch() -> None:
    row = round_row(10.0, 1.5, gap=0.2)
    apart = np.linalg.norm(np.diff(row[:, :, 3], axis=0), axis=1)
    assert np.ptp(apart) < 1e-9
    assert 1.7 <= apart[0] < 1.85
    assert np.allclose(np.linalg.det(row[:, :, :3]), 1)
    assert len(round_row(10.0, 1.5, multiple=2)) % 2 == 0
    half = round_row(10.0, 1.5, arc_deg=180)
    assert half[:, 0, 3].sum() == pytest.approx(0, abs=1e-9)
    assert (half[:, 2, 3] > -0.5).all()


@pytest.mark.parametrize("arc", [360.0, 150.0])
def test_beads_join_the_band_and_overlap_each_stone_by_a_hair_that_is_cut_away(arc: float) -> None:
    stone = seating("round brilliant", 1.6)
    row = round_row(10.17, 1.6, arc_deg=arc)
    raised = beads(stone, row, arc == 360, 0.27, 0.5)
    one = stone.solid.transform(row[0])
    assert (raised ^ one).volume() > 0.002
    band = shank(17.0, band_section("flat court", 2.6, 1.7), 96)
    casting = joined([band, raised], [seats(stone, row, 3.0)])
    assert len(casting.decompose()) == 1
    assert casting.genus() == 1 + len(row)  # the finger, and a drilled hole behind every stone
    assert (casting ^ one).volume() < 1e-6


def test_a_channel_may_run_all_round_or_part_of_the_way() -> None:
    assert groove(10.0, 0.3, 1.5, 96).genus() == 1
    part = groove(10.0, 0.3, 1.5, 96, arc_deg=120)
    assert part.genus() == 0
    assert part.bounding_box()[2] > 0.4 * 10


@pytest.mark.parametrize("cut", ["round brilliant", "princess", "pear", "emerald"])
def test_a_halo_follows_its_centre_with_stones_that_keep_apart(cut: str) -> None:
    centre = seating(cut, 6.0)
    row = flat_row(centre.offset(1.3), -0.2, 1.4, multiple=2)
    assert len(row) % 2 == 0
    apart = np.linalg.norm(row[:, None, :, 3] - row[None, :, :, 3], axis=-1) + 10 * np.eye(len(row))
    assert apart.min() > 1.4
    plate = halo_plate(centre, 0.1, 2.3, -0.2, 1.1)
    assert plate.genus() == 1
    assert plate.bounding_box()[5] == pytest.approx(-0.2)
    assert (plate ^ centre.solid).volume() < 1e-6


@pytest.mark.parametrize("seal", SEALS)
def test_a_seal_has_its_measures_and_runs_counter_clockwise(seal: str) -> None:
    outline = seal_outline(seal, 10.0, 12.0 if seal not in ("round", "square") else 10.0)
    assert np.ptp(outline[:, 0]) == pytest.approx(10.0, rel=0.01)
    x, y = outline.T
    assert np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)) > 0


@pytest.mark.parametrize("letter", sorted(_STROKES))
def test_every_letter_fits_its_field_in_strokes_that_a_caster_can_fill(letter: str) -> None:
    drawn = letters(letter, 6.0, 6.0, 0.5)
    x0, y0, x1, y1 = drawn.bounds()
    assert max(-x0, -y0, x1, y1) <= 3.4
    assert drawn.area() > 1.0
    assert drawn.offset(-0.24).area() > 0


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="A to Z"):
        letters("é", 6, 6, 0.5)
    with pytest.raises(ValueError, match=r"at least 0\.3"):
        letters("A", 6, 6, 0.1)


def test_a_border_and_rays_stay_within_the_seal() -> None:
    outline = seal_outline("oval", 10, 12)
    whole = np.pi * 30
    for area in (border(outline, 0.5), rays(outline, 0.5)):
        assert 5 < area.area() < 0.5 * whole
        assert max(abs(v) for v in area.bounds()) <= 6.001
