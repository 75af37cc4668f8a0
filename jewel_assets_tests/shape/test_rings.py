"""Rings: exact bores and weights, one sound casting, stones that clear each other, the metal and the finger."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.shape.designs import FAMILIES, families, load
from jewel_assets.shape.designs.rings import PlainBand
from jewel_assets.shape.designs.rings_signet import Signet
from jewel_assets.shape.designs.rings_solitaire import Solitaire
from jewel_assets.shape.designs.rings_stone import StoneRing
from jewel_assets.shape.gems import CUTS, PROPORTIONS
from jewel_assets.shape.parts.profiles import PROFILES, angles, band_section, finger, shank, swell
from jewel_assets.shape.piece import Piece

RINGS = sorted(families("ring"))


def clear_bore(piece: Piece) -> float:
    """Diameter, mm, of the largest round rod along y that passes the metal: exact for flat facets."""
    mesh = piece.castings()[0].to_mesh64()
    points = np.asarray(mesh.vert_properties)[:, [0, 2]]
    a, b, c = (points[np.asarray(mesh.tri_verts)[:, i].astype(int)] for i in range(3))
    nearest = np.inf
    for p, q in ((a, b), (b, c), (c, a)):
        along = q - p
        t = np.clip(-np.sum(p * along, axis=1) / np.maximum(np.sum(along * along, axis=1), 1e-30), 0, 1)
        nearest = min(nearest, float(np.linalg.norm(p + t[:, None] * along, axis=1).min()))
    return 2 * nearest


def overlap(piece: Piece) -> float:
    """The largest volume, mm3, that two stones, or a stone and the metal, have in common."""
    casting, worst = piece.castings()[0], 0.0
    boxes = [stone.solid.bounding_box() for stone in piece.stones]
    for i, stone in enumerate(piece.stones):
        worst = max(worst, (casting ^ stone.solid).volume())
        for j in range(i):
            if all(boxes[i][k] < boxes[j][k + 3] and boxes[j][k] < boxes[i][k + 3] for k in range(3)):
                worst = max(worst, (piece.stones[j].solid ^ stone.solid).volume())
    return float(worst)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("width", "thickness"), [(2.0, 1.5), (6.0, 1.9)])
def test_a_section_has_its_width_and_thickness_and_touches_the_finger(
    profile: str, width: float, thickness: float
) -> None:
    section = band_section(profile, width, thickness)
    assert section.min(axis=0) == pytest.approx([-width / 2, 0])
    assert section.max(axis=0) == pytest.approx([width / 2, thickness])
    x, y = section.T
    area = (np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert 0.45 * width * thickness < area <= width * thickness
    assert section[:, 0] == pytest.approx(-section[::-1, 0][np.argsort(np.argsort(section[::-1, 0]))], abs=width)


@settings(max_examples=25, deadline=None)
@given(st.floats(12, 25), st.sampled_from(PROFILES), st.sampled_from([0.5, 1.0, 2.0]))
def test_the_bore_is_exact_to_a_hundredth_of_a_millimetre_at_any_number_of_facets(
    bore: float, profile: str, detail: float
) -> None:
    band = PlainBand.nearest(inner_diameter_mm=bore, profile=profile)
    assert clear_bore(band.build(detail)) == pytest.approx(band.inner_diameter_mm, abs=0.001)


@pytest.mark.parametrize(("width", "thickness"), [(2.0, 1.4), (4.0, 1.7), (8.0, 2.0)])
def test_a_flat_band_weighs_what_the_closed_formula_says(width: float, thickness: float) -> None:
    band = PlainBand(profile="flat", edge_mm=0.0, width_mm=width, thickness_mm=thickness)
    exact = np.pi * width * thickness * (band.inner_diameter_mm + thickness)
    assert band.build(4).castings()[0].volume() == pytest.approx(exact, rel=0.001)
    assert band.build(1).castings()[0].volume() == pytest.approx(exact, rel=0.004)


def test_rounded_edges_weigh_what_pappus_says() -> None:
    band = PlainBand(profile="flat", edge_mm=0.3, width_mm=5.0, thickness_mm=1.8)
    section = band_section("flat", 5.0, 1.8, 0.3, points=129)
    x, y = section.T
    cross = x * np.roll(y, -1) - y * np.roll(x, -1)
    area = cross.sum() / 2
    height = ((y + np.roll(y, -1)) * cross).sum() / 6 / area
    exact = 2 * np.pi * (band.inner_diameter_mm / 2 + height) * area
    assert band.build(4).castings()[0].volume() == pytest.approx(exact, rel=0.001)


def test_the_finger_fits_the_hole_of_a_shank_without_touching_it() -> None:
    band = shank(17.35, band_section("court", 4, 1.7), 96)
    assert (band ^ finger(17.35, 96)).volume() < 1e-6
    assert (band ^ finger(17.37, 96)).volume() > 0.01


def test_a_shank_swells_towards_its_head_on_both_sides_alike() -> None:
    measure = swell(96, 2.0, 1.0, reach_deg=60)
    assert measure[0] == 2.0
    assert measure[1:] == pytest.approx(measure[1:][::-1])
    assert (measure[np.abs(np.degrees(angles(96)) - 180) <= 120] == 1.0).all()


@pytest.mark.parametrize("name", RINGS)
@pytest.mark.parametrize("number", [11, 12])
def test_every_drawn_ring_fits_its_finger_and_is_one_casting_whose_stones_touch_nothing(name: str, number: int) -> None:
    design = FAMILIES[name].draw(np.random.default_rng(number))
    piece = design.build()
    assert clear_bore(piece) == pytest.approx(design.inner_diameter_mm, abs=0.01)  # type: ignore[attr-defined]
    castings = piece.castings()
    assert len(castings) == 1
    assert len(castings[0].decompose()) == 1
    assert castings[0].genus() >= 1
    assert sum(body.volume for body in piece.metal) == pytest.approx(castings[0].volume(), rel=1e-6)
    assert overlap(piece) < 1e-4
    assert len({body.name for body in piece}) == len(piece.bodies)
    assert piece.category == "ring"


def test_a_ring_is_built_alike_from_the_design_that_is_written_on_it() -> None:
    piece = Solitaire(shoulders="melee", shank_top_mm=2.2).build()
    again = load(piece.design).build()
    for one, other in zip(piece, again, strict=True):
        assert one.name == other.name
        assert np.array_equal(one.solid.to_mesh64().vert_properties, other.solid.to_mesh64().vert_properties)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("setting", ["claws", "bezel"])
def test_a_solitaire_of_every_cut_holds_its_stone_above_the_finger(cut: str, setting: str) -> None:
    ring = Solitaire.nearest(cut=cut, setting=setting, stone_ratio=PROPORTIONS[cut].ratio, species="ruby")
    piece = ring.build()
    assert isinstance(ring, StoneRing)
    (stone,) = piece.stones
    lowest = stone.solid.bounding_box()[2]
    assert lowest >= ring.inner_diameter_mm / 2 + 0.29
    casting = piece.castings()[0]
    assert len(casting.decompose()) == 1
    if cut != "pearl":
        assert (casting ^ stone.solid.translate((0, 0, 0.35))).volume() > 0.005  # it does not fall out
    assert (casting ^ stone.solid.translate((0, 0, -0.2))).volume() > 0.005  # nor through


def test_a_solitaire_has_real_proportions_and_a_mesh_that_can_be_handled() -> None:
    piece = Solitaire(shoulders="cathedral").build()
    assert 10_000 < piece.castings()[0].num_tri() < 60_000
    low, high = piece.bounds()
    assert high[2] - low[2] == pytest.approx(17.35 + 1.7 + 5.2 + 1.1, abs=1.0)
    assert {body.name for body in piece.metal} == {"shank", "head"}
    assert 2.0 < piece.castings()[0].volume() * 0.01553 < 4.5  # grams of 18k gold


def test_more_detail_only_refines_the_same_ring() -> None:
    coarse, fine = (Solitaire().build(detail).castings()[0] for detail in (0.5, 2.0))
    assert fine.num_tri() > coarse.num_tri()
    assert fine.volume() == pytest.approx(coarse.volume(), rel=0.02)


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ({"family": "solitaire", "stone_width_mm": 12, "shank_top_mm": 1.5}, "or stone_width_mm 7.5 mm"),
        ({"family": "solitaire", "cut": "princess", "claws": 6}, "a princess is held by 4 claws"),
        ({"family": "solitaire", "head_height_mm": 1.0, "stone_width_mm": 8.0}, "would touch the finger"),
        ({"family": "plain band", "width_mm": 10, "thickness_mm": 1.2}, "The nearest possible is thickness_mm 1.6 mm"),
        ({"family": "halo", "stone_width_mm": 4.0, "melee_mm": 2.4}, "would outshine its centre"),
        ({"family": "eternity", "melee_mm": 3.2, "thickness_mm": 1.4}, "would touch the finger"),
        ({"family": "signet", "seal": "round", "seal_width_mm": 10, "seal_length_mm": 12}, "as long as wide"),
        ({"family": "signet", "monogram": "a1"}, "monogram"),
        ({"family": "solitaire", "cut": "pearl", "species": "diamond"}, "is a pearl"),
    ],
)
def test_what_a_bench_could_not_make_is_refused_with_the_reason(design: dict[str, object], said: str) -> None:
    with pytest.raises(Permanent) as refused:
        load(design)
    assert said in str(refused.value)


def test_engraving_takes_metal_away_from_the_seal_and_from_nowhere_else() -> None:
    plain, cut = (Signet(decoration=d, monogram="R").build().castings()[0] for d in ("plain", "monogram"))
    lost = plain - cut
    assert 0.5 < lost.volume() < 20
    assert (cut - plain).volume() < 1e-6
    assert lost.bounding_box()[2] == pytest.approx(17.35 / 2 + 2.6 - 0.45, abs=1e-6)
