"""Designs: what is refused and how, and that drawing, varying and blending always give what can be made."""

import json
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold3d import Manifold
from pydantic import ValidationError

from jewel_assets.categories import CATEGORIES
from jewel_assets.errors import Permanent
from jewel_assets.shape.designs import FAMILIES, blend, families, load, sample, samples, vary
from jewel_assets.shape.designs.base import Design, Fit, choice, count, mm, register, seed
from jewel_assets.shape.piece import Piece

NAMES = sorted(FAMILIES)
SEEDS = st.integers(0, 2**31 - 1)


class Bench(Design):
    """A ring of two rules, to test what is said of every family."""

    category: ClassVar[str] = "ring"
    family: Literal["bench"] = "bench"
    stone_mm: float = mm(3.0, 1.0, 9.0, "width of the stone")
    shank_mm: float = mm(2.0, 1.0, 4.0, "width of the shank")
    claws: int = count(4, 3, 6, "claws")
    setting: str = choice("claws", ("claws", "bezel"), "what holds the stone")
    grain: int = seed(0, "where the dents lie")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A shank half as wide as its stone."""
        needed, stone = 0.5 * fit["stone_mm"], f"a stone of {fit['stone_mm']:g} mm needs a shank half as wide"
        fit.at_least("shank_mm", needed, stone, instead=("stone_mm", 2 * fit["shank_mm"]))

    def build(self, detail: float = 1.0) -> Piece:
        return self.piece([self.metal_body("shank", Manifold.cube((self.shank_mm,) * 3))])


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> type[Bench]:
    monkeypatch.setitem(FAMILIES, "bench", Bench)
    return Bench


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ({"stone_mm": 70}, "bench: stone_mm is 70 mm; give 1 to 9 mm (width of the stone)."),
        ({"stone_mm": float("nan")}, "bench: stone_mm is nan mm; give 1 to 9 mm (width of the stone)."),
        ({"stone_mm": "wide"}, "bench: stone_mm is 'wide'; give 1 to 9 mm (width of the stone)."),
        ({"claws": 4.5}, "bench: claws is 4.5; give 3 to 6 (claws)."),
        ({"setting": "glue"}, "bench: setting 'glue' is not known: give one of claws, bezel."),
        ({"stone": 3}, "bench: there is no field 'stone': did you mean 'stone_mm'."),
        ({"metal": "mud"}, "bench: metal 'mud' is not known"),
    ],
)
def test_what_is_out_of_range_is_refused_by_field_range_and_unit(
    bench: type[Bench], design: dict[str, object], said: str
) -> None:
    with pytest.raises(Permanent) as refused:
        load({"family": "bench"} | design)
    assert str(refused.value).startswith(said)


def test_an_impossible_combination_is_refused_with_the_nearest_possible_ones(bench: type[Bench]) -> None:
    with pytest.raises(Permanent) as refused:
        load({"family": "bench", "stone_mm": 3, "shank_mm": 1})
    assert str(refused.value) == (
        "bench: shank_mm 1 mm is too small: a stone of 3 mm needs a shank half as wide. "
        "The nearest possible is shank_mm 1.5 mm, or stone_mm 2 mm."
    )


@given(st.floats(1, 9), st.floats(1, 4))
def test_the_nearest_possible_design_is_possible_and_what_is_possible_stays_as_it_is(
    stone: float, shank: float
) -> None:
    nearest = Bench.nearest(stone_mm=stone, shank_mm=shank)
    assert nearest.shank_mm >= 0.5 * nearest.stone_mm - 1e-9
    assert Bench.nearest(**nearest.model_dump()) == nearest
    if shank >= 0.5 * stone + 0.001:
        assert nearest.stone_mm == pytest.approx(stone, abs=0.0006)
        assert nearest.shank_mm == pytest.approx(shank, abs=0.0006)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{", "The design is not JSON"),
        ("[1]", "The design holds a list"),
        ("{}", "The design does not name its family"),
        ('{"family": "solitair"}', "There is no family 'solitair'. Did you mean 'solitaire'?"),
        ("[" * 100_000, "The design is not JSON"),
        (b"\xff\xfe\x00", "The design is not JSON"),
    ],
)
def test_a_text_that_is_no_design_gets_a_sentence(source: str | bytes, said: str) -> None:
    with pytest.raises(Permanent, match="^" + said.replace("[", r"\[").replace("?", r"\?")):
        load(source)


def test_a_file_that_is_missing_or_far_too_large_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="cannot be read"):
        load(tmp_path / "missing.json")
    large = tmp_path / "large.json"
    large.write_text(" " * 1_000_001)
    with pytest.raises(Permanent, match="that is no design"):
        load(large)


def test_two_families_cannot_have_one_name_and_each_has_a_known_category() -> None:
    class Other(Design):
        category: ClassVar[str] = "ring"
        family: Literal["plain band"] = "plain band"

        def build(self, detail: float = 1.0) -> Piece:
            return self.piece([])

    with pytest.raises(ValueError, match="two families"):
        register(Other)
    Other.category = "hat"
    with pytest.raises(ValueError, match="no known category"):
        register(Other)


@pytest.mark.parametrize("name", NAMES)
def test_every_family_says_its_ranges_units_and_defaults_in_its_schema(name: str) -> None:
    schema = FAMILIES[name].model_json_schema()
    assert schema["properties"]["family"]["const"] == name
    for field, facts in FAMILIES[name].facts().items():
        if field == "family":
            continue
        assert facts.description, f"{field} has no description"
        entry = schema["properties"][field]
        assert "default" in entry
        if facts.is_number:
            assert entry["minimum"] <= entry["default"] <= entry["maximum"]
        if field.endswith("_mm"):
            assert facts.unit == "mm"
        if field.endswith("_deg"):
            assert facts.unit == "degrees"


@pytest.mark.parametrize("name", NAMES)
def test_the_default_of_every_family_is_possible_and_survives_json(name: str) -> None:
    design = FAMILIES[name]()
    assert load(design.model_dump_json()) == design
    assert load(json.loads(json.dumps(design.model_dump()))) == design


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(NAMES), SEEDS, SEEDS, st.floats(0, 1), st.floats(0, 1))
def test_drawn_varied_and_blended_designs_are_always_possible(
    name: str, one: int, two: int, amount: float, t: float
) -> None:
    kind = FAMILIES[name]
    a, b = (kind.draw(np.random.default_rng(s)) for s in (one, two))
    varied, blended = vary(a, two, amount), blend(a, b, t)
    for design in (a, b, varied, blended):
        assert load(design.model_dump_json()) == design  # which checks every range and rule again
    for field in kind.ordered & set(kind.model_fields):
        assert getattr(varied, field) == getattr(a, field)


@pytest.mark.parametrize("name", NAMES)
def test_every_corner_of_the_ranges_has_a_nearest_possible_design(name: str) -> None:
    kind = FAMILIES[name]
    for one in range(60):
        rng = np.random.default_rng(one)
        corner = {
            field: facts.low if rng.random() < 0.5 else facts.high
            for field, facts in kind.facts().items()
            if facts.is_number
        }
        options = {field: str(rng.choice(facts.options)) for field, facts in kind.facts().items() if facts.options}
        kind.nearest(**corner, **options)


def test_a_pearl_in_the_knot_of_a_bow_becomes_a_stone_in_a_bezel() -> None:
    bow = FAMILIES["bow brooch"].nearest(cut="pearl").model_dump()
    assert (bow["cut"], bow["setting"]) == ("round brilliant", "bezel")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_and_everything_of_a_blend_are_its_ends(name: str) -> None:
    a, b = (FAMILIES[name].draw(np.random.default_rng(s)) for s in (1, 2))
    assert blend(a, b, 0.0) == a
    assert blend(a, b, 1.0) == b
    assert vary(a, 3, 0.0) == a
    assert vary(a, 3, 0.5) == vary(a, 3, 0.5)


def test_families_of_one_category_blend_into_the_nearer_one_and_categories_do_not_mix() -> None:
    a, b = FAMILIES["plain band"](inner_diameter_mm=16.0), FAMILIES["signet"](inner_diameter_mm=20.0)
    assert blend(a, b, 0.25).model_dump()["inner_diameter_mm"] == 17.0
    assert blend(a, b, 0.25).family == "plain band"
    assert blend(a, b, 0.75).family == "signet"
    other = next(kind for kind in FAMILIES.values() if kind.category != "ring") if len(FAMILIES) > 8 else None
    if other is not None:
        with pytest.raises(ValueError, match="cannot be blended"):
            blend(a, other())
    with pytest.raises(ValueError, match="give 0"):
        blend(a, b, 1.5)
    with pytest.raises(ValueError, match="give 0"):
        vary(a, 1, -0.1)


def test_a_sample_is_repeatable_and_its_families_take_turns() -> None:
    kinds = families("ring")
    drawn = samples("ring", 7, 2 * len(kinds))
    assert drawn[:3] == samples("ring", 7, 3)
    assert drawn[0] == sample("ring", 7)
    assert {design.family for design in drawn[: len(kinds)]} == set(kinds)
    assert len({design.model_dump_json() for design in drawn}) == len(drawn)
    assert samples("ring", 8, 3) != drawn[:3]


def test_a_category_without_designs_is_refused_by_name() -> None:
    with pytest.raises(Permanent, match=", ".join(CATEGORIES)):
        sample("hat", 1)


def test_a_design_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        FAMILIES["plain band"]().width_mm = 3.0  # type: ignore[attr-defined]
