"""The keys that a dataset may be divided by: jewellery categories, or texture themes, never both in one dataset.

The column is called `category` in every table; in a dataset of textures it holds the theme.
"""

from collections.abc import Iterable

from jewel_assets.categories import CATEGORY_WORDS
from jewel_assets.themes import THEME_WORDS
from jewel_assets.vocabulary import Vocabulary

VOCABULARIES: tuple[Vocabulary, ...] = (CATEGORY_WORDS, THEME_WORDS)
_EITHER = Vocabulary(
    "category or theme", "categories and themes", {**CATEGORY_WORDS.spellings, **THEME_WORDS.spellings}
)


def vocabulary_of(key: str) -> Vocabulary | None:
    """The vocabulary that has this very key; None for a key that is none."""
    return next((words for words in VOCABULARIES if key in words.spellings), None)


def strange_keys(keys: Iterable[str]) -> set[str]:
    """Those of the keys that are neither a category nor a theme."""
    return {key for key in keys if vocabulary_of(key) is None}


def is_mixed(keys: Iterable[str]) -> bool:
    """Whether there are categories and themes among the keys, which no dataset may have together."""
    return len({words.noun for key in keys if (words := vocabulary_of(key)) is not None}) > 1


def key_of(name: str) -> str | None:
    """The category or theme that people mean by `name`, or None."""
    return _EITHER.find(name)


def nearest_key(name: str) -> str | None:
    """The category or theme whose spelling is most like `name`, or None if none is like it."""
    return _EITHER.nearest(name)
