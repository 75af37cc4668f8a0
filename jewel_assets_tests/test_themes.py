"""What people call a texture, and the theme it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.categories import CATEGORY_WORDS
from jewel_assets.themes import TEXTURE_THEMES, THEME_WORDS, nearest_theme, theme_of

NAMED_FROM_THE_FIRST = (
    "gold", "silver", "gemstone", "pearl", "enamel", "filigree", "organic", "geometric", "floral", "hammered",
)  # fmt: skip


def test_the_themes_are_in_alphabetical_order_and_mean_themselves() -> None:
    assert tuple(sorted(TEXTURE_THEMES)) == TEXTURE_THEMES
    assert [theme_of(theme) for theme in TEXTURE_THEMES] == list(TEXTURE_THEMES)
    assert set(NAMED_FROM_THE_FIRST) <= set(TEXTURE_THEMES)


def test_no_spelling_means_two_themes_or_a_theme_and_a_category() -> None:
    spellings = [alias for name, others in THEME_WORDS.spellings.items() for alias in (name, *others)]
    assert len(spellings) == len(set(spellings))
    assert not set(spellings) & CATEGORY_WORDS.aliases.keys()
    assert all(spelling == " ".join(spelling.casefold().split()) for spelling in spellings)


@pytest.mark.parametrize(
    ("name", "theme"),
    [
        ("Gold", "gold"),
        ("Mother-of-Pearl", "pearl"),
        ("VELVET", "textile"),
        ("brushed_steel", "metal"),
        ("Cloisonné", "enamel"),
        ("gemstones", "gemstone"),
        ("beaten", "hammered"),
        ("leaves", "floral"),
        ("ｗｏｏｄ", "wood"),
    ],
)
def test_a_folder_means_the_theme_that_people_mean(name: str, theme: str) -> None:
    assert theme_of(name) == theme


@pytest.mark.parametrize("name", ["", " ", "ring", "rings", "goldfish", "2024", "new folder", "木"])
def test_a_name_that_means_no_theme_is_not_guessed_at(name: str) -> None:
    assert theme_of(name) is None


def test_a_misspelt_name_has_a_nearest_theme() -> None:
    assert nearest_theme("filligree") == "filigree"
    assert nearest_theme("gemstons") == "gemstone"
    assert nearest_theme("xyzzy") is None


@given(st.text())
def test_any_name_gives_a_theme_or_none(name: str) -> None:
    assert theme_of(name) in (*TEXTURE_THEMES, None)
