"""The pool: no picture in two splits, nothing moves without need, contradicting categories go to a person."""

import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jewel_assets.clean import PoolImages, split_counts
from jewel_assets.lake.stages import Made, Rejected, Result, Review
from jewel_assets_tests.clean.prints import KnownPairs, named, pairs_of

PICTURES = "abcdefghijklmnop"
items_drawn = st.lists(
    st.tuples(st.sampled_from(["ring", "necklace", "jewelry"]), st.sampled_from(PICTURES)), min_size=1, max_size=14
)
links_drawn = st.frozensets(st.frozensets(st.sampled_from(PICTURES), min_size=2, max_size=2), max_size=6)


def table(drawn: list[tuple[str, str]]) -> pa.Table:
    return named(*((f"item {number}", category, picture) for number, (category, picture) in enumerate(drawn)))


def splits(items: pa.Table, results: list[Result]) -> dict[str, str]:
    names = items["item_id"].to_pylist()
    return {name: result.columns["split"] for name, result in zip(names, results, strict=True)}


@settings(deadline=None, max_examples=60)
@given(items_drawn, links_drawn, links_drawn)
def test_no_group_is_in_two_splits(drawn, same, variants) -> None:
    items = table(drawn)
    results = PoolImages(near=KnownPairs(same=same, variants=variants)).choose(items)
    found: dict[str, set[str]] = {}
    by_picture: dict[str, str] = {}
    for (_, picture), result in zip(drawn, results, strict=True):
        found.setdefault(result.columns["split_group"], set()).add(result.columns["split"])
        by_picture[picture] = result.columns["split"]
    assert all(len(group) == 1 for group in found.values())
    for a, b in (tuple(pair) for pair in same | variants if pair <= by_picture.keys()):
        assert by_picture[a] == by_picture[b]


@settings(deadline=None, max_examples=60)
@given(items_drawn, items_drawn, links_drawn)
def test_growth_moves_items_only_where_it_bridges_splits(drawn, more, same) -> None:
    near = KnownPairs(same=same)
    before = table(drawn)
    was = splits(before, PoolImages(near=near).choose(before))
    after = table(drawn + more)
    results = PoolImages(near=near, previous=was).choose(after)
    groups: dict[str, set[str]] = {}
    for name, result in zip(after["item_id"].to_pylist(), results, strict=True):
        if name in was:
            groups.setdefault(result.columns["split_group"], set()).add(was[name])
    for name, result in zip(after["item_id"].to_pylist(), results, strict=True):
        if name in was:
            bridged = len(groups[result.columns["split_group"]]) > 1
            assert bridged or result.columns["split"] == was[name]
            moved = result.columns["split"] != was[name]
            assert result.columns["moved_from"] == (was[name] if moved else None)
            assert was[name] != "train" or result.columns["split"] == "train"


@settings(deadline=None, max_examples=60)
@given(items_drawn, links_drawn, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(drawn, same, chance: random.Random) -> None:
    items, pool = table(drawn), PoolImages(near=KnownPairs(same=same))
    order = list(range(len(items)))
    chance.shuffle(order)
    results, shuffled = pool.choose(items), pool.choose(items.take(order))
    assert [results[row] for row in order] == shuffled


@settings(deadline=None, max_examples=60)
@given(items_drawn, links_drawn)
def test_pooling_again_changes_nothing(drawn, same) -> None:
    items, near = table(drawn), KnownPairs(same=same)
    first = PoolImages(near=near).choose(items)
    assert PoolImages(near=near, previous=splits(items, first)).choose(items) == first


def test_new_items_without_likeness_move_nothing_even_without_memory() -> None:
    few, many = (table([("ring", picture) for picture in PICTURES[:count]]) for count in (8, 16))
    assert (
        splits(few, PoolImages(near=KnownPairs()).choose(few)).items()
        <= splits(many, PoolImages(near=KnownPairs()).choose(many)).items()
    )


def test_a_bridge_between_test_and_train_moves_the_test_items_to_train() -> None:
    items = named(("1", "ring", "a"), ("2", "ring", "b"), ("3", "ring", "c"))
    pool = PoolImages(near=KnownPairs(variants=pairs_of("ab", "bc")), previous={"1": "test", "3": "train"})
    results = pool.choose(items)
    assert [result.columns["split"] for result in results] == ["train"] * 3
    assert [result.columns["moved_from"] for result in results] == ["test", None, None]


def test_variants_of_one_shot_share_a_split_but_all_stay() -> None:
    items = table([("ring", picture) for picture in "abcdef"])
    results = PoolImages(near=KnownPairs(variants=pairs_of("ab", "bc", "cd", "de", "ef"))).choose(items)
    assert all(isinstance(result, Made) for result in results)
    assert len({result.columns["split"] for result in results}) == 1


def test_one_picture_in_two_specific_categories_goes_to_review() -> None:
    results = PoolImages(near=KnownPairs()).choose(named(("1", "ring", "a"), ("2", "necklace", "a")))
    assert [type(result) for result in results] == [Review, Review]
    assert {result.reason for result in results} == {"ambiguous category"}


def test_a_specific_category_wins_over_the_catch_all() -> None:
    items = named(("1", "jewelry", "a"), ("2", "ring", "b"), ("3", "jewelry", "c"))
    results = PoolImages(near=KnownPairs(same=pairs_of("ab", "ac"))).choose(items)
    assert [type(result) for result in results] == [Rejected, Made, Rejected]
    assert {result.columns["duplicate_of"] for result in results} == {None, "2"}


def test_shares_are_kept_in_large_numbers_and_counted_per_category() -> None:
    items = named(*((str(n), "ring", f"{n:x}x") for n in range(2000)))
    pool = PoolImages(near=KnownPairsOfNone())
    counts = split_counts(
        pa.table({"category": items["category"], "split": list(splits(items, pool.choose(items)).values())})
    )["ring"]
    assert counts["train"] == pytest.approx(1600, abs=60)
    assert counts["validation"] == pytest.approx(200, abs=45)


class KnownPairsOfNone(KnownPairs):
    def pairs(self, photos, known=None):
        return {}


def test_shares_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        PoolImages(shares=(0.8, 0.1, 0.2))


def test_where_the_owner_of_a_copy_forbids_training_the_pool_has_no_copy_to_train_on() -> None:
    items = named(("a", "ring", "p"), ("b", "jewelry", "p"), ("c", "ring", "q"))
    for column, values in (("may_train", [True, False, True]), ("licence", ["CC BY", "noai", "CC BY"])):
        place = items.column_names.index(column)
        items = items.set_column(place, column, pa.array(values))
    results = PoolImages(near=KnownPairs()).choose(items)
    assert [result.columns["may_train"] for result in results] == [False, False, True]
