"""What is drawn can be cast: every family, and every place where a drawn piece once came out too thin or folded."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from manifold3d import CrossSection, Manifold
from pydantic import ValidationError

from jewel_assets.shape.castability import check
from jewel_assets.shape.castability.crossings import pierced
from jewel_assets.shape.castability.surface import Surface
from jewel_assets.shape.castability.walls import measure
from jewel_assets.shape.designs import FAMILIES
from jewel_assets.shape.designs.bangles import Cuff, section_of
from jewel_assets.shape.designs.base import Design
from jewel_assets.shape.designs.collars import Collar
from jewel_assets.shape.designs.earrings import Hoop
from jewel_assets.shape.designs.lockets import Locket
from jewel_assets.shape.designs.rings_stone import PARTING_MM
from jewel_assets.shape.files import read_mesh, write_stl
from jewel_assets.shape.files.solids import SLIVER_MM, rounded_triangles, triangles
from jewel_assets.shape.parts.medallions import medallion
from jewel_assets.shape.parts.outlines import outline, plate
from jewel_assets.shape.parts.profiles import PROFILES, band_section
from jewel_assets.shape.parts.settings import bezel_top, seating
from jewel_assets.shape.parts.watch_case import BEZELS, CaseShape, case_body


def drawn(name: str, seed: int) -> Design:
    return FAMILIES[name].draw(np.random.default_rng(seed))


def least_heights(vertices: np.ndarray[Any, Any], faces: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    longest = np.linalg.norm([b - a, c - b, a - c], axis=2).max(axis=0)
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / np.maximum(longest, 1e-30))


def wall_of(section: np.ndarray[Any, Any], long: float = 20.0) -> float:
    """mm: the thinnest wall of a bar of that section."""
    surface = Surface.of_solid(CrossSection([section]).extrude(long))
    return measure(surface).thinnest()[0][0]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_drawn_piece_of_every_family_can_be_cast(name: str) -> None:
    report = check(drawn(name, 3).build())
    assert report.castable, report.text()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("width", "thickness"), [(3.0, 1.5), (6.0, 1.6), (9.0, 1.8)])
def test_no_band_runs_out_into_a_wall_thinner_than_a_caster_asks(profile: str, width: float, thickness: float) -> None:
    assert wall_of(band_section(profile, width, thickness)) >= 0.8


@pytest.mark.parametrize("width", [4.0, 8.0, 16.0])
def test_a_broad_oval_section_is_fuller_than_an_ellipse_so_that_its_edges_are_no_foils(width: float) -> None:
    section = section_of("oval", width, 1.8, 1.0)
    assert np.ptp(section, axis=0) == pytest.approx([width, 1.8], abs=1e-6)
    assert wall_of(section) >= 0.8


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_hammer_folds_nothing_at_the_ends_of_a_cuff(seed: int) -> None:
    cuff = Cuff.nearest(ornament="hammered", section="flat", width_mm=18.0, chance=seed)
    report = check(cuff.build())
    assert "self-intersection" not in {finding.rule for finding in report.findings}


@pytest.mark.parametrize("seed", range(4))
def test_a_solitaires_stl_is_castable_as_anybodys_mesh(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "ring.stl"
    write_stl(drawn("solitaire", seed).build(), path)
    report = check(read_mesh(path))
    assert report.castable, report.text()


def test_an_stl_has_no_triangle_that_its_single_precision_makes_a_line() -> None:
    plate = Manifold.cube((30.0, 30.0, 2.0))
    # pegs that cut the plate's edge within a millionth of its corners, and of each other
    for k in range(6):
        plate += (
            Manifold.cube((3.0, 3.0, 3.0)).rotate((0, 0, 0.3 * k)).translate((28.0 + 1e-6 * k, 4.0 * k + 2 + 1e-6, 0.5))
        )
    before, after = triangles(plate), rounded_triangles(plate)
    assert least_heights(before[0].astype(np.float32).astype(float), before[1]).min() < SLIVER_MM
    assert least_heights(*after).min() >= SLIVER_MM
    surface = Surface.of_triangles(*after)
    edges = np.sort(np.concatenate([after[1][:, [0, 1]], after[1][:, [1, 2]], after[1][:, [2, 0]]]), axis=1)
    assert set(np.unique(edges, axis=0, return_counts=True)[1]) == {2}
    assert surface.areas.sum() == pytest.approx(plate.surface_area(), rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_a_ring_is_parted_near_to_where_its_shank_ends_and_both_parts_are_the_whole(seed: int) -> None:
    design = drawn("solitaire", seed)
    piece = design.build(0.7)
    shank, head = (next((body.solid for body in piece.metal if body.name == name), None) for name in ("shank", "head"))
    assert shank is not None
    assert head is not None
    (casting,) = piece.castings()
    assert casting.volume() == pytest.approx(shank.volume() + head.volume(), rel=1e-6)
    assert head.bounding_box()[2] == pytest.approx(shank.bounding_box()[5], abs=1e-9)
    assert abs(head.bounding_box()[2] - design.outside) <= 0.02 + PARTING_MM  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["solitaire", "halo", "three-stone"])
def test_a_head_cut_off_the_finger_leaves_no_slivers_round_the_shanks_bore(name: str) -> None:
    design = drawn(name, 4)
    (casting,) = design.build(0.7).castings()
    vertices, faces = triangles(casting)
    middles = vertices[faces].mean(axis=1)
    bore = design.inner_diameter_mm / 2  # type: ignore[attr-defined]
    inside = np.abs(np.hypot(middles[:, 0], middles[:, 2]) - bore) < 0.05
    below = inside & (middles[:, 2] < 0)
    assert least_heights(vertices, faces[below]).min() > 1e-3


@pytest.mark.parametrize("section", ["oval", "square", "flat", "knife-edge"])
@pytest.mark.parametrize(("width", "thickness"), [(3.0, 2.2), (3.6, 2.6)])
def test_the_slot_of_a_huggies_pin_leaves_walls_that_can_be_cast(section: str, width: float, thickness: float) -> None:
    hoop = Hoop.nearest(
        section=section, style="polished", closure="pin", width_mm=width, thickness_mm=thickness, diameter_mm=14.2
    )
    report = check(hoop.build())
    assert report.castable, report.text()


def test_a_round_wire_is_refused_a_slot() -> None:
    with pytest.raises(ValidationError, match="no walls"):
        Hoop(section="round", style="polished", closure="pin", width_mm=3.0, thickness_mm=2.4)


@pytest.mark.parametrize(("section", "width"), [("D", 15.0), ("flat", 22.0), ("knife-edge", 12.0)])
def test_a_collar_is_no_larger_than_the_bed_that_prints_it(section: str, width: float) -> None:
    collar = Collar.nearest(wire=section, width_mm=width, thickness_mm=4.0, inner_width_mm=138.0, roundness=1.0)
    assert "larger than bed" not in {finding.rule for finding in check(collar.build(0.6)).findings}


def test_a_slender_deep_locket_keeps_its_faces_behind_the_hinge() -> None:
    for shape in ("oval", "round", "heart", "cushion"):
        report = check(Locket.nearest(shape=shape, depth_mm=2.3, width_mm=17.4).build())
        assert report.castable, report.text()


@pytest.mark.parametrize("width", [4.0, 9.0])
def test_a_bezel_rises_as_far_over_the_girdle_as_a_setter_burnishes(width: float) -> None:
    stone = seating("round brilliant", width)
    assert bezel_top(stone) > 0.1 * (stone.crown + stone.pavilion)


@pytest.mark.parametrize("bezel", BEZELS)
@pytest.mark.parametrize("diameter", [34.0, 44.0])
def test_the_rim_round_a_watchs_crystal_is_a_wall(bezel: str, diameter: float) -> None:
    shape = CaseShape(diameter, 9.0, "round", bezel, 18.0, 4.0)
    surface = Surface.of_solid(case_body(shape))
    assert measure(surface).thinnest()[0][0] >= 0.8


def test_a_side_stones_claw_under_the_centre_stone_is_not_called_a_short_prong_of_the_centre() -> None:
    ring = FAMILIES["three-stone"].nearest(
        inner_diameter_mm=17.3, stone_width_mm=6.9, claws=6, claw_mm=1.27, head_height_mm=4.36, head_spread=0.57,
        shank_width_mm=1.83, shank_thickness_mm=1.8, side_cut="marquise", side_share=0.564,
    )  # fmt: skip
    piece = ring.build()
    assert "short prong" not in {finding.rule for finding in check(piece).findings}
    # with the same claw cut off above the side stone's girdle, it is that stone's short prong
    girdle = next(body for body in piece.stones if body.name != "centre stone").placement
    head = next(body for body in piece.metal if body.name == "head")
    normal, level = tuple(-girdle[:, 2]), -float(girdle[:, 2] @ girdle[:, 3]) - 0.05
    cut = replace(head, solid=head.solid.trim_by_plane(normal, level))
    spoilt = replace(piece, bodies=tuple(cut if body is head else body for body in piece.bodies))
    assert "short prong" in {finding.rule for finding in check(spoilt).findings}


@pytest.mark.parametrize("shape", ["drop", "heart", "marquise", "round", "hexagon"])
@pytest.mark.parametrize("dome", [0.0, 0.45])
def test_the_rounded_edge_of_a_plate_does_not_fold_over_its_narrow_tip(shape: str, dome: float) -> None:
    solid = plate(outline(shape, 4.8, 6.7, 64), 1.3, 0.45, dome, rings=6)
    assert len(pierced(Surface.of_solid(solid))[2]) == 0
    assert solid.bounding_box()[5] == pytest.approx(1.3 + dome, abs=1e-6)


def test_bending_a_honeycomb_round_a_cuff_makes_no_fins_between_its_openings() -> None:
    cuff = Cuff.nearest(
        inner_diameter_mm=61.18, roundness=0.829, opening_mm=29.81, section="flat", width_mm=34.9, taper=0.679,
        thickness_mm=2.04, ornament="honeycomb", cell_mm=4.106,
    )  # fmt: skip
    assert check(cuff.build()).castable


@pytest.mark.parametrize("size", [7.0, 9.8, 14.0])
def test_the_strands_of_a_knot_pass_clear_of_each_other(size: float) -> None:
    piece = FAMILIES["stud"].nearest(motif="knot", motif_mm=size).build()
    assert check(piece).castable


@pytest.mark.parametrize(("width", "thickness"), [(2.9, 2.5), (3.6, 2.9), (4.0, 1.7)])
def test_rows_of_milgrain_on_a_hoop_are_no_thin_walls(width: float, thickness: float) -> None:
    hoop = Hoop.nearest(style="milgrain", section="square", width_mm=width, thickness_mm=thickness, diameter_mm=24.0)
    report = check(hoop.build())
    assert report.castable, report.text()


def test_cathedral_shoulders_end_below_a_flat_stone_and_are_not_its_claws() -> None:
    ring = FAMILIES["solitaire"].nearest(
        inner_diameter_mm=19.33, cut="marquise", stone_width_mm=4.06, stone_ratio=1.99, claws=6, claw_mm=0.804,
        head_height_mm=2.27, head_spread=0.404, profile="court", shank_top_mm=1.77, shoulders="cathedral",
        shoulder_deg=33.8,
    )  # fmt: skip
    report = check(ring.build())
    assert report.castable, report.text()


@pytest.mark.parametrize("shape", ["round", "heart", "drop", "marquise"])
@pytest.mark.parametrize("width", [5.0, 6.5, 9.0])
def test_a_small_medallion_with_milgrain_has_no_groove_where_there_is_no_room_for_it(shape: str, width: float) -> None:
    parts = medallion(shape, width, 1.2 * width, "milgrain", 1.4, 1.1, 3.6, 0)
    assert all(part.volume() > 0 for part in parts)
    assert len((parts[0] + parts[1]).decompose()) == 1


@pytest.mark.parametrize("section", ["oval", "D", "court", "bevelled"])
def test_a_hammered_cuff_keeps_walls_where_its_section_runs_out(section: str) -> None:
    cuff = Cuff.nearest(section=section, ornament="hammered", width_mm=18.0, taper=0.55, thickness_mm=1.5, chance=6)
    report = check(cuff.build())
    assert report.castable, report.text()


def test_four_wires_are_not_laid_so_steep_that_their_ridges_run_out_thin() -> None:
    steep = FAMILIES["twisted band"].nearest(strands=4, wire_mm=1.39, turns=20, closeness=0.92, flatness=0.84)
    assert steep.turns < 15  # type: ignore[attr-defined]
    assert check(steep.build()).castable


def test_a_vine_locks_no_air_between_its_leaves_and_the_cuff() -> None:
    vine = drawn("cuff", 158).nearest(ornament="vine", width_mm=29.1, taper=0.53, section="flat", chance=1207395648)
    for solid in vine.build().castings():
        assert all(part.volume() > 0 for part in solid.decompose())
