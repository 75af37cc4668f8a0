"""What is known of a promotional image, the caption written from it, and the limits of the place where it is read."""

import re
from dataclasses import dataclass, field

from jewel_assets.promote.materials import Materials

CAPTION_CHARACTERS = 2200
"""Of a caption with its hashtags (Meta, Instagram Platform reference, IG User Media, `caption`)."""

CAPTION_HASHTAGS = 30
"""Of a caption (the same page)."""


@dataclass(frozen=True)
class Known:
    """All that a caption may speak of. What is None or empty is unknown and is not mentioned.

    `category` is one of `categories.CATEGORIES`; `style` and `template` name how the image was made ("velvet",
    "festive-bokeh"); `title`, `brand` and `price` are the owner's words; `credit` is the line that a licence asks for,
    which is kept as it is, character for character.
    """

    category: str
    materials: Materials = field(default_factory=Materials)
    style: str = ""
    template: str = ""
    title: str | None = None
    credit: str | None = None
    brand: str | None = None
    price: str | None = None


@dataclass(frozen=True)
class Caption:
    """A text, and hashtags without their "#", which stand below it."""

    text: str
    hashtags: tuple[str, ...]

    def __str__(self) -> str:
        """What is pasted under the image: the text, an empty line, the hashtags."""
        return "\n\n".join(part for part in (self.text, " ".join(f"#{tag}" for tag in self.hashtags)) if part)


def characters(text: str) -> int:
    """The length of a text in UTF-16 units, so that no way of counting characters gives more."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def hashtags_in(text: str) -> list[str]:
    """The words that a "#" makes into hashtags, in order, without it. `#` before a space or a full stop is none."""
    return re.findall(r"[#＃](\w+)", text)
