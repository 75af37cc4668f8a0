"""The jewellery categories, which are the partitions of nearly every asset, and how people spell them."""

import difflib
import re
import unicodedata

CATEGORIES: tuple[str, ...] = ("bracelet", "earrings", "jewelry", "necklace", "ring", "wristwatch")
"""In alphabetical order. `jewelry` holds what is none of the others (brooches, sets, unsorted pieces)."""

_SPELLINGS: dict[str, tuple[str, ...]] = {
    "bracelet": ("bracelets", "bangle", "bangles", "cuff", "cuffs", "anklet", "anklets"),
    "earrings": ("earring", "ear ring", "ear rings", "stud", "studs", "hoop", "hoops"),
    "jewelry": ("jewellery", "jewel", "jewels", "brooch", "brooches", "misc", "other", "others", "unsorted"),
    "necklace": ("necklaces", "pendant", "pendants", "chain", "chains", "choker", "chokers"),
    "ring": ("rings",),
    "wristwatch": ("wristwatches", "wrist watch", "wrist watches", "watch", "watches"),
}
_ALIASES = {alias: category for category, aliases in _SPELLINGS.items() for alias in (category, *aliases)}


def category_of(name: str) -> str | None:
    """The category that a folder or label called `name` means, or None if it means none.

    Case, surrounding space and the separators `_`, `-`, `.` do not matter: `Rings`, `wrist-watch`, `WATCH`.
    """
    spelled = unicodedata.normalize("NFKC", name).casefold()
    return _ALIASES.get(re.sub(r"[\s_.\-]+", " ", spelled).strip())


def nearest_category(name: str) -> str | None:
    """The category whose name or spelling is most like `name` ("neclace" -> "necklace"), or None if none is like it."""
    spelled = re.sub(r"[\s_.\-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()
    near = difflib.get_close_matches(spelled, _ALIASES, n=1, cutoff=0.7)
    return _ALIASES[near[0]] if near else None
