import numpy as np
import pytest
from pydantic import ValidationError

from jewel_assets.shape.designs.watches import BANDS, EXTRAS, LEATHERS, Wristwatch
from jewel_assets.shape.materials import OTHERS
from jewel_assets.shape.parts.watch_case import BEZELS, SHAPES, CaseShape, case_body
from jewel_assets.shape.parts.watch_dial import HAND_STYLES, INDEX_STYLES, hands, indices, minute_track
from jewel_assets_tests.shape.test_chains import overlapping


@pytest.mark.parametrize("seed", range(6))
def test_drawn_watches_are_sound_and_nothing_runs_into_anything(seed: int) -> None:
    piece = Wristwatch.draw(np.random.default_rng(seed)).build(0.7)
    assert piece.category == "wristwatch"
    assert overlapping(piece) == []
    assert all(len(body.solid.decompose()) == 1 for body in piece.metal)
    assert all(body.material in OTHERS for body in piece if body.kind == "other")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bezel", BEZELS)
def test_a_case_is_one_casting_open_through_the_middle(shape: str, bezel: str) -> None:
    case = case_body(CaseShape(38.0, 9.5, shape, bezel, 20.0, 2.8))
    assert len(case.decompose()) == 1
    assert not case.ray_cast((0.0, 0.0, -5.0), (0.0, 0.0, 30.0))
    assert case.bounding_box()[5] == pytest.approx(9.5, abs=0.06)


@pytest.mark.parametrize("style", HAND_STYLES)
def test_hands_stand_at_ten_past_ten_one_above_the_other(style: str) -> None:
    made = dict(hands(style, 16.0, seconds=True))

    def points(name: str) -> np.ndarray:
        return np.asarray(made[name].to_mesh().vert_properties)[:, :3]

    def direction(name: str) -> float:
        tip = max(points(name), key=lambda point: float(np.hypot(point[0], point[1])))
        return float(np.degrees(np.arctan2(tip[0], tip[1]))) % 360

    assert direction("hour hand") == pytest.approx(305, abs=3)
    assert direction("minute hand") == pytest.approx(60, abs=3)
    tops = [points(name)[:, 2].max() for name in ("hour hand", "minute hand")]
    feet = [points(name)[:, 2].min() for name in ("minute hand", "second hand")]
    assert all(foot - top > 0.08 for top, foot in zip(tops, feet, strict=True))


@pytest.mark.parametrize("style", [style for style in INDEX_STYLES if style != "roman"])
def test_indices_stand_at_their_hours_within_the_minute_track(style: str) -> None:
    marks = indices(style, 16.0, skip=(6,))
    assert {hour for hour, _ in marks} == set(range(12)) - {6}
    for hour, solid in marks:
        middle = np.reshape(solid.bounding_box(), (2, 3)).mean(axis=0)
        assert np.degrees(np.arctan2(middle[0], middle[1])) % 360 == pytest.approx(30 * hour, abs=4 if hour else 360)
        assert (solid ^ minute_track(16.0)).volume() < 1e-6


@pytest.mark.parametrize("band", BANDS)
def test_a_band_closes_round_the_wrist(band: str) -> None:
    piece = Wristwatch(band=band, wrist_mm=170.0).build(0.6)
    low, high = piece.bounds()
    names = [body.name for body in piece]
    # the wrist is free: nothing at the middle of the oval, something under it
    assert not any(body.solid.ray_cast((0.0, -2.0, 0.0), (0.0, 2.0, 0.0)) for body in piece)
    assert any(body.solid.ray_cast((0.0, 0.0, -5.0), (0.0, 0.0, -60.0)) for body in piece)
    assert high[1] - low[1] < 80
    assert ("buckle" in names) == (band in LEATHERS)


@pytest.mark.parametrize("extra", EXTRAS)
def test_small_dials_have_hands_and_take_the_place_of_indices(extra: str) -> None:
    piece = Wristwatch(extra=extra, diameter_mm=41.0, wrist_mm=180.0).build(0.6)
    small = [body for body in piece if body.name.startswith("small hand")]
    assert len(small) == {"none": 0, "small seconds": 1, "chronograph": 3}[extra]
    assert any(body.name == "second hand" for body in piece) == (extra != "small seconds")


def test_the_case_is_the_only_casting_that_does_not_move() -> None:
    piece = Wristwatch().build(0.6)
    apart = {name for group in piece.moving for name in group}
    assert [body.name for body in piece.metal if body.name not in apart] == ["case"]
    assert {body.name for body in piece if body.kind == "other"} >= {
        "dial",
        "crystal",
        "strap 01",
        "strap 02",
        "stitching",
    }


def test_impossible_watches_are_refused_with_the_nearest_possible() -> None:
    with pytest.raises(ValidationError, match="wrist_mm"):
        Wristwatch(diameter_mm=45.0, wrist_mm=142.0, lug_gap_mm=22.0)
    with pytest.raises(ValidationError, match=r"extra.*round case"):
        Wristwatch(shape="square", extra="chronograph")
    with pytest.raises(ValidationError, match="diameter_mm"):
        Wristwatch(diameter_mm=60.0)
