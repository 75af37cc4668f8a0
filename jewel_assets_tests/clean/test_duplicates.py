"""Duplicates: found however they were disguised, never taken from look-alikes, and the best stays."""

import itertools

import numpy as np
import pytest

from jewel_assets.clean import DropDuplicates
from jewel_assets.clean.local_features import local_features
from jewel_assets.clean.same_picture import TURNS, Picture, likeness
from jewel_assets.images import Pixels, decode, encode_jpeg, encode_png
from jewel_assets.lake.stages import Made, Rejected
from jewel_assets_tests.clean.prints import KnownPairs, named, pairs_of, printed
from jewel_assets_tests.pictures import draw_piece


def watch(letter: str = "", side: int = 320) -> Pixels:
    """A watch with a dial full of detail, and perhaps a letter engraved on it."""
    import cv2

    picture = draw_piece("wristwatch", 4, side)
    chance = np.random.default_rng(1)
    for _ in range(25):
        x, y = (int(v) for v in chance.integers(90, 230, 2))
        cv2.circle(picture, (x, y), int(chance.integers(3, 9)), tuple(int(c) for c in chance.integers(0, 200, 3)), -1)
    if letter:
        cv2.putText(picture, letter, (140, 180), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (120, 100, 60), 3, cv2.LINE_AA)
    return picture


def recast(metal: tuple[int, int, int]) -> Pixels:
    """A bangle of many links, all of one metal."""
    import cv2

    picture = np.full((320, 320, 3), 255, np.uint8)
    for number, angle in enumerate(np.linspace(0, 2 * np.pi, 22)):
        link = (int(160 + 110 * np.cos(angle)), int(160 + 80 * np.sin(angle)))
        cv2.circle(picture, link, 8 + number % 5, metal, 3 + number % 3, cv2.LINE_AA)
    return picture


def disguised(pixels: Pixels, how: str) -> Pixels:
    import cv2

    height, width = pixels.shape[:2]
    if how == "crop":
        return np.ascontiguousarray(pixels[10 : height - 25, 20 : width - 15])
    if how == "aspect":
        return np.asarray(cv2.resize(pixels, (int(width * 1.2), height)), np.uint8)
    if how == "half size":
        return np.asarray(cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
    if how == "heavy JPEG":
        return decode(encode_jpeg(pixels, 30))
    if how == "brighter":
        return np.clip(pixels * 1.15 + 10, 0, 255).astype(np.uint8)
    if how == "colour cast":
        return np.clip(pixels * [1.1, 1, 0.88], 0, 255).astype(np.uint8)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 25, 0.9)
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), borderValue=(255, 255, 255)), np.uint8)


DISGUISES = ["crop", "aspect", "half size", "heavy JPEG", "brighter", "colour cast", "25 degrees"]


@pytest.mark.parametrize("how", DISGUISES)
def test_a_disguised_copy_is_a_near_duplicate(how: str) -> None:
    items = printed({"original": watch(), "copy": disguised(watch(), how), "other": draw_piece("ring", 8)})
    results = DropDuplicates().choose(items)
    assert {type(result) for result in results[:2]} == {Made, Rejected}
    assert isinstance(results[2], Made)
    (rejected,) = [result for result in results if isinstance(result, Rejected)]
    assert rejected.reason == "near duplicate"
    assert 0 < rejected.columns["duplicate_distance"] < 0.15


@pytest.mark.parametrize("turn", range(1, 8))
def test_every_flip_and_quarter_turn_is_a_near_duplicate(turn: int) -> None:
    mirror, quarter = TURNS[turn]
    copy = np.ascontiguousarray(np.rot90(watch()[:, ::-1] if mirror else watch(), quarter))
    results = DropDuplicates().choose(printed({"a": watch(), "b": copy}))
    assert [isinstance(result, Rejected) for result in results].count(True) == 1


def test_the_same_piece_with_another_letter_is_another_design() -> None:
    results = DropDuplicates().choose(printed({letter: watch(letter) for letter in ("A", "B", "")}))
    assert all(isinstance(result, Made) for result in results)


def test_the_same_piece_with_a_stone_of_another_colour_is_another_design() -> None:
    import cv2

    red, blue = watch(), watch()
    cv2.circle(red, (160, 250), 18, (170, 30, 40), -1, cv2.LINE_AA)
    cv2.circle(blue, (160, 250), 18, (50, 60, 200), -1, cv2.LINE_AA)
    results = DropDuplicates().choose(printed({"red": red, "blue": blue}))
    assert all(isinstance(result, Made) for result in results)


def test_the_same_piece_in_another_metal_is_another_design() -> None:
    yellow, white, rose = (212, 175, 88), (178, 180, 184), (206, 150, 124)
    results = DropDuplicates().choose(printed({str(metal): recast(metal) for metal in (yellow, white, rose)}))
    assert all(isinstance(result, Made) for result in results)


def test_a_small_logo_in_the_margin_does_not_make_another_picture() -> None:
    import cv2

    marked = watch()
    cv2.putText(marked, "SHOP", (255, 310), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (90, 90, 90), 1, cv2.LINE_AA)
    a, b = (Picture(encode_jpeg(pixels), local_features(pixels)) for pixels in (watch(), marked))
    found = likeness(a, b, (0,))
    assert found is not None
    assert found.same


def test_different_pieces_of_one_kind_all_stay() -> None:
    kinds = ("ring", "earrings", "necklace")
    items = printed({f"{kind}{seed}": draw_piece(kind, seed) for kind in kinds for seed in range(4)})
    results = DropDuplicates().choose(items)
    assert all(isinstance(result, Made) for result in results)
    assert len({result.columns["group_id"] for result in results}) == len(results)


def test_equal_pixels_are_an_exact_duplicate_and_name_the_one_that_stays() -> None:
    results = DropDuplicates().choose(printed({"b": watch(), "a": decode(encode_png(watch()))}))
    kept, dropped = results[1], results[0]
    assert isinstance(kept, Made)
    assert isinstance(dropped, Rejected)
    assert dropped.reason == "exact duplicate"
    assert dropped.columns["duplicate_of"] == "a"
    assert dropped.columns["duplicate_distance"] == 0
    assert dropped.columns["group_id"] == kept.columns["group_id"]
    assert kept.columns["group_size"] == 2


def test_the_larger_of_two_copies_stays() -> None:
    results = DropDuplicates().choose(printed({"a": disguised(watch(), "half size"), "b": watch()}))
    assert [type(result) for result in results] == [Rejected, Made]


def test_a_copy_that_may_be_trained_on_is_preferred_and_the_conflict_is_marked() -> None:
    results = DropDuplicates().choose(printed({"a": watch(), "b": watch()}, may_train=[False, True]))
    assert [type(result) for result in results] == [Rejected, Made]
    assert all(result.columns["licence_conflict"] for result in results)


def test_likeness_is_not_inherited_along_a_chain() -> None:
    items = named(("1", "ring", "a"), ("2", "ring", "b"), ("3", "ring", "c"))
    results = DropDuplicates(KnownPairs(same=pairs_of("ab", "bc"))).choose(items)
    assert [type(result) for result in results] == [Made, Rejected, Made]


def test_the_order_of_the_rows_changes_nothing() -> None:
    items = printed({"a": watch(), "b": disguised(watch(), "crop"), "c": watch("Q"), "d": watch()})
    expected = None
    for order in itertools.islice(itertools.permutations(range(4)), 0, 24, 5):
        results = DropDuplicates().choose(items.take(order))
        outcome = {
            items["item_id"][row].as_py(): (type(r), r.columns["group_id"])
            for row, r in zip(order, results, strict=True)
        }
        expected = expected or outcome
        assert outcome == expected


def test_an_empty_category_and_a_single_photo_are_fine() -> None:
    items = printed({"a": watch()})
    assert DropDuplicates().choose(items.slice(0, 0)) == []
    (result,) = DropDuplicates().choose(items)
    assert isinstance(result, Made)


@pytest.mark.parametrize(
    ("source", "licence"), [("sketchfab", "no-ai"), ("folder", "noai"), ("pinterest", None)], ids=str
)
def test_where_the_owner_of_a_copy_forbids_training_no_copy_may_be_trained_on(source: str, licence: str | None) -> None:
    """Somebody uploads another's picture as CC BY: that the other forbids it is not undone."""
    picture = draw_piece("ring", 3)
    items = printed(
        {"a": picture, "b": picture, "c": draw_piece("ring", 5)},
        may_train=[True, False, True],
        source=["openverse", source, "openverse"],
        licence=["CC BY 4.0", licence, "CC BY 4.0"],
    )
    results = DropDuplicates().choose(items)
    assert [type(result).__name__ for result in results] == ["Made", "Rejected", "Made"]
    assert [result.columns["may_train"] for result in results] == [False, False, True]
