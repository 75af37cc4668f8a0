"""The jewellery categories, which are the partitions of nearly every asset, and how people spell them."""

from jewel_assets.vocabulary import Vocabulary

CATEGORY_WORDS = Vocabulary(
    "category",
    "categories",
    {
        "bracelet": ("bracelets", "bangle", "bangles", "cuff", "cuffs", "anklet", "anklets"),
        "earrings": ("earring", "ear ring", "ear rings", "stud", "studs", "hoop", "hoops"),
        "jewelry": ("jewellery", "jewel", "jewels", "brooch", "brooches", "misc", "other", "others", "unsorted"),
        "necklace": ("necklaces", "pendant", "pendants", "chain", "chains", "choker", "chokers"),
        "ring": ("rings",),
        "wristwatch": ("wristwatches", "wrist watch", "wrist watches", "watch", "watches"),
    },
)

CATEGORIES: tuple[str, ...] = CATEGORY_WORDS.names
"""In alphabetical order. `jewelry` holds what is none of the others (brooches, sets, unsorted pieces)."""


def category_of(name: str) -> str | None:
    """The category that a folder or label called `name` means, or None if it means none.

    Case, surrounding space and the separators `_`, `-`, `.` do not matter: `Rings`, `wrist-watch`, `WATCH`.
    """
    return CATEGORY_WORDS.find(name)


def nearest_category(name: str) -> str | None:
    """The category whose name or spelling is most like `name` ("neclace" -> "necklace"), or None if none is like it."""
    return CATEGORY_WORDS.nearest(name)
