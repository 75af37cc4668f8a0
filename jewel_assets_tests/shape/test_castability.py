"""Castability: known solids measure what they measure, every fault is found where it is, and sound pieces pass."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold3d import CrossSection, Manifold

from jewel_assets.errors import Permanent
from jewel_assets.shape.castability import Report, check, profile, profiles
from jewel_assets.shape.castability.surface import Surface
from jewel_assets.shape.castability.walls import measure
from jewel_assets.shape.piece import Body, Piece
from jewel_assets_tests.shape.sound import solitaire, watch


def box(*size: float) -> Surface:
    return Surface.of_solid(Manifold.cube(size))


def together(*surfaces: Surface) -> Surface:
    starts = np.cumsum([0, *(len(surface.vertices) for surface in surfaces)])
    faces = [surface.faces + start for surface, start in zip(surfaces, starts, strict=False)]
    return Surface.of_triangles(np.vstack([surface.vertices for surface in surfaces]), np.vstack(faces))


def without(surface: Surface, *faces: int) -> Surface:
    return Surface.of_triangles(surface.vertices, np.delete(surface.faces, faces, axis=0))


def rules(report: Report, severity: str = "error") -> set[str]:
    return {finding.rule for finding in report.findings if finding.severity == severity}


# ------------------------------------------------------------------ thickness of known solids


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 3.0), st.tuples(*[st.floats(0, 360)] * 3))
def test_a_plate_is_as_thick_as_it_is_however_it_lies(thick: float, turn: tuple[float, float, float]) -> None:
    plate = Manifold.cube((12, 9, thick), True).rotate(turn)
    thinnest = measure(Surface.of_solid(plate)).thinnest()[0]
    assert thinnest[0] == pytest.approx(thick, abs=2e-3)


def test_a_tube_is_as_thick_as_its_wall() -> None:
    tube = Manifold.cylinder(10, 5, 5, 128) - Manifold.cylinder(12, 4.3, 4.3, 128).translate((0, 0, -1))
    walls = measure(Surface.of_solid(tube))
    assert walls.thinnest()[0][0] == pytest.approx(0.7, abs=2e-3)
    assert check(tube).of("thin wall")[0].measured == pytest.approx(0.7, abs=2e-3)


def test_a_taper_is_measured_where_it_is_thin() -> None:
    corners = [(x, y, s * (1.0 if x == 0 else 0.25)) for x in (0, 20) for y in (0, 10) for s in (-1, 1)]
    (found,) = check(Manifold.hull_points(np.array(corners, float))).of("thin wall")
    assert found.measured == pytest.approx(0.5, abs=0.01)
    assert found.place is not None
    assert found.place[0] > 19.5


@pytest.mark.parametrize("degrees", [35, 60, 90])
def test_a_sharp_edge_is_no_thin_wall(degrees: float) -> None:
    half = 4 * np.tan(np.radians(degrees / 2))
    section = CrossSection([np.array([(-half, 0), (half, 0), (0, 4.0)])])
    assert not check(Manifold.extrude(section, 20)).of("thin wall")


def test_a_foil_is_a_thin_wall_but_a_knife_edge_below_the_stated_area_is_not() -> None:
    def feathered(length: float) -> Manifold:
        section = CrossSection([np.array([(-1.0, 0), (1.0, 0), (0, 6.0)])])  # 19 degrees
        return Manifold.extrude(section, length)

    assert check(feathered(10)).of("thin wall")
    stump = Manifold.cube((6, 6, 3), True) + Manifold.cube((0.3, 0.3, 0.25), True).translate((0, 0, 1.6))
    assert not check(stump).of("thin wall")


def test_a_wire_may_be_thinner_than_a_wall() -> None:
    assert not check(Manifold.cylinder(10, 0.3, 0.3, 24)).of("thin wall")
    assert check(Manifold.cylinder(10, 0.2, 0.2, 24)).of("thin wall")
    assert check(Manifold.cube((10, 10, 0.6))).of("thin wall")


def test_a_narrow_slot_is_a_warning_and_a_wide_one_is_not() -> None:
    def slotted(wide: float) -> Manifold:
        return Manifold.cube((8, 8, 4), True) - Manifold.cube((wide, 9, 3)).translate((0, -4.5, 0))

    assert "narrow gap" in rules(check(slotted(0.1)), "warning")
    assert "narrow gap" not in rules(check(slotted(0.5)), "warning")


def test_the_heaviest_section_is_the_ball_that_fits_and_where_the_sprue_goes() -> None:
    ball = check(Manifold.sphere(3, 64) + Manifold.cylinder(20, 1, 1, 32)).castings[0]
    assert ball.thickest_mm == pytest.approx(6.0, rel=0.05)
    assert ball.thickest_at is not None
    assert np.linalg.norm(ball.thickest_at) == pytest.approx(3.0, abs=0.2)


# ------------------------------------------------------------------ faults of surfaces


def test_a_sound_solid_has_no_finding_and_its_weight_in_every_alloy() -> None:
    report = check(Manifold.cube((10, 4, 2)))
    assert report.castable
    assert not report.findings
    assert report.grams["18k-yellow"] == pytest.approx(80 * 15.45 / 1000)
    assert "925-silver" not in report.grams  # another profile


def test_each_hole_has_its_place_and_the_volume_is_unknown() -> None:
    ball = Surface.of_solid(Manifold.sphere(5, 32))
    top, low = int(np.argmax(ball.centres[:, 2])), int(np.argmin(ball.centres[:, 2]))
    report = check(without(ball, top, low))
    places = sorted(found.place[2] for found in report.of("open edges") if found.place)
    assert places == pytest.approx([-5, 5], abs=0.2)
    assert report.castings[0].volume_mm3 is None
    assert not report.grams


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_flipped_face_is_found_where_it_is(seed: int) -> None:
    ball = Surface.of_solid(Manifold.sphere(5, 24))
    faces = ball.faces.copy()
    face = int(np.random.default_rng(seed).integers(len(faces)))
    faces[face] = faces[face][::-1]
    (found,) = check(Surface.of_triangles(ball.vertices, faces)).of("flipped faces")
    assert found.measured == 1
    assert found.place == pytest.approx(tuple(ball.centres[face]), abs=1e-3)


def test_a_solid_turned_inside_out_is_told_from_a_hollow() -> None:
    cube = box(5, 5, 5)
    assert rules(check(Surface.of_triangles(cube.vertices, cube.faces[:, ::-1]))) == {"inside out"}
    hollow = Manifold.cube((6, 6, 6), True) - Manifold.cube((2, 2, 2), True)
    report = check(hollow)
    assert rules(report) == {"hollow"}
    assert "drain" in report.of("hollow")[0].message
    assert report.castings[0].volume_mm3 == pytest.approx(208)


def test_a_part_within_another_is_buried_and_one_beside_it_loose() -> None:
    inner = Surface.of_solid(Manifold.cube((1, 1, 1), True))
    outer = Surface.of_solid(Manifold.cube((6, 6, 6), True))
    assert rules(check(together(outer, inner))) == {"buried part"}
    beside = Surface.of_solid(Manifold.cube((3, 3, 3)).translate((10, 0, 0)))
    report = check(together(outer, beside))
    assert report.castable  # a mesh may hold several castings
    assert rules(report, "warning") == {"loose part"}
    piece = Piece("ring", "x", (Body("ring", Manifold.cube((6, 6, 6)) + Manifold.cube((3, 3, 3)).translate((10, 0, 0)),
                                     "metal", "18k-yellow"),))  # fmt: skip
    assert "loose part" in rules(check(piece))


@settings(max_examples=12, deadline=None)
@given(st.tuples(*[st.floats(-1, 1)] * 3), st.tuples(*[st.floats(0, 360)] * 3))
def test_parts_that_overlap_are_found_at_their_crossing_however_they_lie(
    shift: tuple[float, float, float], turn: tuple[float, float, float]
) -> None:
    one = Manifold.cube((6, 3, 3), True)
    two = Manifold.cube((3, 3, 8), True).rotate(turn).translate(tuple(0.9 * value for value in shift))
    report = check(together(Surface.of_solid(one), Surface.of_solid(two)))
    assert "self-intersection" in rules(report)
    shared = np.array((one ^ two).bounding_box())
    for found in report.of("self-intersection"):
        if found.place is not None:
            assert (np.array(found.place) > shared[:3] - 0.01).all()
            assert (np.array(found.place) < shared[3:] + 0.01).all()


def test_parts_that_overlap_with_their_corners_on_each_others_planes_are_found_too() -> None:
    block = Surface.of_solid(Manifold.cube((8, 8, 8)))
    ball = Surface.of_solid(Manifold.sphere(1, 24).translate((4, 4, 8)))  # its equator lies in the block's top
    assert "self-intersection" in rules(check(together(block, ball)))
    touching = Surface.of_solid(Manifold.cube((3, 3, 3)).translate((2, 2, 8)))
    assert "self-intersection" not in rules(check(together(block, touching)))


def test_what_a_boolean_has_joined_does_not_cross_itself() -> None:
    union = Manifold.sphere(3, 64)
    for turn in range(0, 180, 30):
        union = union + Manifold.cylinder(12, 0.8, 0.8, 24, True).rotate((turn, turn / 2, 0))
    assert not check(union).of("self-intersection", "buried part")


def test_touching_edges_are_a_warning_and_torn_ones_an_error() -> None:
    touching = together(box(3, 3, 3), Surface.of_solid(Manifold.cube((3, 3, 3)).translate((3, 3, 0))))
    assert rules(check(touching), "warning") == {"non-manifold edges"}
    cube = box(3, 3, 3)
    fin = np.vstack([cube.vertices, [[1.5, 1.5, 6.0]]])
    torn = Surface.of_triangles(fin, np.vstack([cube.faces, [[cube.faces[0, 0], cube.faces[0, 1], 8]]]))
    assert "non-manifold edges" in rules(check(torn))


def test_a_sheet_that_is_there_twice_is_told() -> None:
    square = np.array([[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    assert "doubled faces" in rules(check(Surface.of_triangles(square, np.vstack([faces, faces[:, ::-1]]))))


def test_an_empty_mesh_gets_a_report() -> None:
    report = check(Surface.of_triangles(np.zeros((0, 3)), np.zeros((0, 3), int)))
    assert rules(report) == {"empty"}
    assert not report.castable


# ------------------------------------------------------------------ pieces


def test_a_sound_solitaire_passes_with_its_grams_and_carats() -> None:
    report = check(solitaire())
    assert report.castable, report.text()
    assert report.profile == "gold"
    assert report.designed_grams == pytest.approx(sum(body.volume for body in solitaire().metal) * 0.01545, rel=1e-4)
    assert report.carats == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("cut_at", [-0.3, 0.0, 0.25])
def test_a_short_prong_is_found_with_what_is_missing(cut_at: float) -> None:
    (found,) = check(solitaire(cut_at=cut_at)).of("short prong")
    assert found.measured == pytest.approx(cut_at, abs=0.02)
    assert found.limit == pytest.approx(0.1 * 3.95, abs=0.05)
    assert "lengthen it by" in found.message


def test_thin_prongs_and_a_thin_shank_are_named() -> None:
    assert check(solitaire(claws_wire=0.5)).of("thin prong")[0].part == "claws"
    (shank,) = check(solitaire(shank_mm=1.0)).of("thin shank")
    assert (shank.severity, shank.measured) == ("error", pytest.approx(1.0, abs=0.01))
    (worn,) = check(solitaire(shank_mm=1.3)).of("thin shank")
    assert worn.severity == "warning"


def test_a_stone_out_of_its_seat_is_loose_or_in_the_metal() -> None:
    assert check(solitaire(raised=4.0)).of("loose stone")[0].part == "centre stone"
    assert check(solitaire(raised=-0.8)).of("stone in metal")
    assert check(solitaire(second=True)).of("stones overlap")


def test_a_stone_that_would_touch_the_finger_is_told() -> None:
    report = check(solitaire(raised=-2.5))
    assert report.of("stone near finger")[0].severity == "error"


def test_castings_that_are_alike_are_checked_once() -> None:
    links = [Body(f"link {n}", Manifold.cylinder(8, 0.2, 0.2, 24).translate((n, 0, 0)), "metal", "925-silver")
             for n in range(30)]  # fmt: skip
    piece = Piece("bracelet", "chain", tuple(links), moving=tuple((link.name,) for link in links))
    report = check(piece)
    assert len(report.castings) == 1
    assert report.castings[0].copies == 30
    assert len(report.of("thin wall")) == 1
    assert report.designed_grams == pytest.approx(report.grams["925-silver"], rel=1e-3)


def test_a_watch_with_moving_parts_is_checked_part_by_part() -> None:
    report = check(watch())
    assert [casting.name for casting in report.castings] == ["casting", "hour hand"]


def test_what_is_larger_than_bed_or_flask_is_told() -> None:
    assert "larger than bed" in rules(check(Manifold.cube((200, 10, 10))))
    assert "larger than flask" in rules(check(Manifold.cube((120, 10, 10))), "warning")


def test_engraving_is_read_from_the_design() -> None:
    body = Body("ring", Manifold.cube((9, 9, 3)), "metal", "18k-yellow")
    shallow = Piece("jewelry", "tag", (body,), {"engraving_depth_mm": 0.2, "engraving_width_mm": 0.4})
    assert rules(check(shallow), "warning") == {"engraving depth"}


# ------------------------------------------------------------------ profiles and reports


def test_every_figure_of_every_profile_names_a_dated_source() -> None:
    assert set(profiles()) == {"gold", "silver", "platinum", "resin"}
    for known in profiles().values():
        for name in type(known).model_fields:
            limit = getattr(known, name)
            if hasattr(limit, "source"):
                assert known.sources[limit.source].date
                assert known.sources[limit.source].date in known.source_of(limit)
    with pytest.raises(Permanent, match="gold, silver, platinum, resin"):
        profile("lead")


def test_a_report_reads_as_text_and_as_json() -> None:
    report = check(Manifold.cube((10, 10, 0.5)), name="foil.stl")
    text = report.text()
    assert text.startswith("foil.stl: NOT castable")
    assert "thicken it by 0.30 mm" in text
    said = json.loads(report.json_text())
    assert said["castable"] is False
    assert said["findings"][0]["rule"] == "thin wall"
    assert Report.model_validate({key: value for key, value in said.items() if key != "castable"}) == report
