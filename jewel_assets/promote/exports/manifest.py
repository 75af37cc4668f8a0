"""manifest.json of a package: which files belong to which post, and what they are. Written, and read back, as this."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MANIFEST = "manifest.json"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Entry):
    """A file of the package: its path within it, with "/", its size and its SHA-256."""

    file: Annotated[str, Field(max_length=240)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class CaptionFile(File):
    """The text that is pasted under the image, UTF-8."""

    characters: int
    hashtags: int


class ImageFile(File):
    """A JPEG; `quality` is None where its bytes were taken as they came."""

    width: int
    height: int
    quality: int | None
    alt: str
    record: File


class PostEntry(_Entry):
    """A post as it is to be published: one image, or a carousel."""

    name: str
    format: str
    caption: CaptionFile
    images: Annotated[tuple[ImageFile, ...], Field(min_length=1)]


class Manifest(_Entry):
    """The whole package."""

    package: Literal["jewel-assets promotional images"] = "jewel-assets promotional images"
    version: Literal[1] = 1
    posts: tuple[PostEntry, ...]
