"""What people call their folders, and the category it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.categories import CATEGORIES, CATEGORY_WORDS, category_of


def test_the_categories_are_in_alphabetical_order_and_mean_themselves() -> None:
    assert tuple(sorted(CATEGORIES)) == CATEGORIES
    assert [category_of(category) for category in CATEGORIES] == list(CATEGORIES)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("rings", "ring"),
        ("Ring", "ring"),
        ("watch", "wristwatch"),
        ("Wrist-Watches", "wristwatch"),
        ("WRIST_WATCH", "wristwatch"),
        ("ear.rings", "earrings"),
        ("Hoops", "earrings"),
        ("pendant", "necklace"),
        ("Bangles", "bracelet"),
        ("jewellery", "jewelry"),
        ("unsorted", "jewelry"),
        ("  ring  ", "ring"),
        ("ｒｉｎｇ", "ring"),  # full-width letters, as some Japanese systems write them
    ],
)
def test_a_folder_means_the_category_that_people_mean(name: str, category: str) -> None:
    assert category_of(name) == category


@pytest.mark.parametrize("name", ["", " ", "-", "stringy", "ringside", "watchtower", "gold", "ring necklace", "リング"])
def test_a_name_that_means_no_category_is_not_guessed_at(name: str) -> None:
    assert category_of(name) is None


@given(
    alias=st.sampled_from(sorted(CATEGORY_WORDS.aliases)),
    separators=st.lists(st.text(" _-.\t", min_size=1, max_size=3), min_size=3, max_size=3),
    upper=st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_case_and_separators_never_matter(alias: str, separators: list[str], upper: list[bool]) -> None:
    spelled = "".join(letter.upper() if up else letter for letter, up in zip(alias, upper, strict=False))
    name = separators[0] + spelled.replace(" ", separators[1]) + separators[2]
    assert category_of(name) == CATEGORY_WORDS.aliases[alias]


@given(st.text())
def test_any_name_gives_a_category_or_none(name: str) -> None:
    assert category_of(name) in (*CATEGORIES, None)
