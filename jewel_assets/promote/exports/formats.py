"""The sizes that Instagram shows, and the limits of what it takes. All figures are facts of Meta's documentation.

Source: Meta for Developers, Instagram Platform, "Publish content" (limitations: JPEG only; carousels of up to 10
images, cropped to the ratio of the first) and the reference of IG User Media ("Image specifications": JPEG, 8 MB, 4:5
to 1.91:1, 320 to 1,440 pixels wide, sRGB). A story is 9:16.
"""

from dataclasses import dataclass

JPEG_BYTES = 8_000_000  # the page says MB: the smaller of both readings
NARROWEST, WIDEST = 320, 1440  # pixels: a narrower image is scaled up, a wider one down
TALLEST_RATIO, FLATTEST_RATIO = 4 / 5, 1.91  # width : height
CAROUSEL = (2, 10)  # images
FREE = "free"
"""The name of no format of its own: any size within the limits above."""


@dataclass(frozen=True)
class Format:
    """A size that a post is shown in without being cropped or scaled; in pixels."""

    name: str
    width: int
    height: int
    title: str


FORMATS: dict[str, Format] = {
    "square": Format("square", 1080, 1080, "Instagram square"),
    "portrait": Format("portrait", 1080, 1350, "Instagram portrait"),
    "landscape": Format("landscape", 1080, 566, "Instagram landscape"),
    "story": Format("story", 1080, 1920, "Instagram story"),
}


def size_fault(width: int, height: int, name: str) -> str | None:
    """What is wrong with an image of `width` x `height` pixels for the format `name` of FORMATS, or FREE; else None."""
    if name in FORMATS:
        wanted = FORMATS[name]
        if (width, height) != (wanted.width, wanted.height):
            return (
                f"it has {width} x {height} pixels and the format {name} {wanted.width} x {wanted.height}: render it "
                "in that size, or choose the format that it has"
            )
        return None
    if name != FREE:
        return f"the format {name!r} is none of {', '.join((*FORMATS, FREE))}: correct it in the manifest"
    if not NARROWEST <= width <= WIDEST:
        return f"it is {width} pixels wide and {NARROWEST} to {WIDEST} are taken: scale it"
    if not TALLEST_RATIO <= width / height <= FLATTEST_RATIO:
        return f"it is {width / height:.2f}:1 and 4:5 to 1.91:1 are shown: crop it"
    return None
