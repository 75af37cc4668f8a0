"""The texture themes, which are the partitions of every texture asset, and how people spell them.

A theme is what a designer looks for: a material that jewellery is made of or photographed on, or a kind of pattern that
its surface has. No spelling of a theme is one of a category (`categories`), so that a name means at most one of both.
"""

from jewel_assets.vocabulary import Vocabulary

THEME_WORDS = Vocabulary(
    "theme",
    "themes",
    {
        "enamel": ("enamels", "enamelled", "enameled", "cloisonne", "cloisonné", "champleve", "champlevé", "plique"),
        "filigree": ("filigrees", "filigrana", "lace", "lacework", "openwork", "wirework", "granulation"),
        "floral": ("florals", "flower", "flowers", "blossom", "blossoms", "botanical", "foliage", "leaf", "leaves"),
        "gemstone": (
            "gemstones", "gem", "gems", "crystal", "crystals", "mineral", "minerals", "diamond", "diamonds", "opal",
            "agate", "malachite", "lapis lazuli", "turquoise", "jade",
        ),
        "geometric": (
            "geometrics", "geometry", "geometrical", "pattern", "patterns", "guilloche", "guilloché", "art deco",
            "chevron", "lattice", "grid", "honeycomb",
        ),
        "gold": ("golden", "golds", "gold leaf", "gold foil", "yellow gold", "rose gold", "brass"),
        "hammered": ("hammer", "hammered metal", "beaten", "planished", "dimpled"),
        "leather": ("leathers", "hide", "suede", "nappa", "snakeskin", "shagreen"),
        "marble": ("marbles", "marbled", "travertine", "onyx", "alabaster"),
        "metal": (
            "metals", "metallic", "brushed metal", "steel", "brushed steel", "titanium", "iron", "copper", "bronze",
        ),
        "organic": ("organics", "natural", "nature", "bark", "grass", "coral", "moss", "shell", "wave", "waves"),
        "paper": ("papers", "parchment", "cardboard", "plaster"),
        "pearl": ("pearls", "mother of pearl", "nacre", "abalone", "iridescent"),
        "silver": ("silvers", "sterling", "sterling silver", "platinum", "white gold", "palladium"),
        "stone": (
            "stones", "rock", "rocks", "granite", "slate", "sandstone", "concrete", "brick", "bricks", "gravel", "sand",
        ),
        "textile": (
            "textiles", "fabric", "fabrics", "cloth", "velvet", "silk", "satin", "linen", "cotton", "wool", "weave",
            "woven", "knit", "denim",
        ),
        "wood": ("woods", "wooden", "timber", "plank", "planks", "oak", "walnut", "ebony", "bamboo"),
    },
)  # fmt: skip

TEXTURE_THEMES: tuple[str, ...] = THEME_WORDS.names
"""In alphabetical order."""


def theme_of(name: str) -> str | None:
    """The theme that a folder or label called `name` means, or None if it means none: `Mother-of-Pearl`, `VELVET`."""
    return THEME_WORDS.find(name)


def nearest_theme(name: str) -> str | None:
    """The theme whose name or spelling is most like `name` ("filligree" -> "filigree"), or None if none is like it."""
    return THEME_WORDS.nearest(name)
