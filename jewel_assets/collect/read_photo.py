"""The stage that reads the photos of a folder: from a file that was listed to an image that the lake keeps."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import pyarrow as pa

from jewel_assets.collect.photo_file import JPEG_QUALITY, PhotoLimits, Refused, decode_photo
from jewel_assets.collect.walk import MAX_FILE_BYTES, FileGone, from_text, read_whole, shown
from jewel_assets.lake.schema import UTC_MICROSECONDS
from jewel_assets.lake.stages import Failed, Item, Made, Rejected, Result, Stage
from jewel_assets.settings import settings


@dataclass(frozen=True)
class ReadPhoto(Stage):
    """Reads `row["path"]` (not a blob) and makes of it an upright 8-bit sRGB JPEG, PNG or WebP without metadata.

    Its rows come from `list_folder`. Rejects for the row's own `problem` ("link out of the folder", "broken link",
    "unreadable", "not a file"), for "file too large" and for the reasons of `decode_photo`. A file that is another than
    the one that was listed fails, so that the next run takes it up again. On a cluster the folder must be mounted
    at the same path on every machine.
    """

    name: ClassVar[str] = "read_photo"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("fetched_at", UTC_MICROSECONDS),
            pa.field("original_media_type", pa.string()),  # by content, whatever the file's name says
            pa.field("original_bytes", pa.int64()),
            pa.field("original_width", pa.int32()),  # pixels, before the photo was turned upright
            pa.field("original_height", pa.int32()),
            pa.field("original_colours", pa.string()),  # "Display P3", "CMYK"; null where the file says nothing
            pa.field("changes", pa.string()),  # "turned upright, coded anew"; empty where the bytes were kept
        ]
    )

    max_pixels: int = field(default_factory=lambda: settings().max_image_pixels)
    max_side: int = field(default_factory=lambda: settings().max_image_side)  # pixels
    min_side: int = PhotoLimits.min_side  # pixels
    max_file_bytes: int = MAX_FILE_BYTES

    def parameters(self) -> Mapping[str, Any]:
        """The limits and the quality of what is coded anew."""
        return {
            "max_pixels": self.max_pixels,
            "max_side": self.max_side,
            "min_side": self.min_side,
            "max_file_bytes": self.max_file_bytes,
            "jpeg_quality": JPEG_QUALITY,
        }

    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        """The hash of the file; for one that must not be opened, the key of its problem."""
        return [str(row["file_sha256"] or row["problem_key"])]

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One result per file."""
        return [self._read(item.row) for item in items]

    def _read(self, row: Mapping[str, Any]) -> Result:
        if row["problem"]:
            return Rejected(row["problem"], error=row["problem_sentence"] or "")
        path = from_text(row["path"])
        columns: dict[str, Any] = {"fetched_at": datetime.now(UTC)}
        try:
            data = read_whole(path, self.max_file_bytes)
        except FileGone as error:
            return Failed("file changed", str(error))
        except ValueError as error:
            return Rejected("file too large", columns, error=str(error))
        if hashlib.sha256(data).hexdigest() != row["file_sha256"]:
            return Failed("file changed", f"{shown(path)} changed while it was collected. Collect the folder again.")
        columns["original_bytes"] = len(data)
        try:
            photo = decode_photo(data, PhotoLimits(self.max_pixels, self.max_side, self.min_side))
        except Refused as refusal:
            return Rejected(refusal.reason, columns, error=str(refusal))
        columns |= {
            "original_media_type": photo.original_media_type,
            "original_width": photo.original_width,
            "original_height": photo.original_height,
            "original_colours": photo.colours,
            "changes": ", ".join(photo.changes),
        }
        return Made(columns, photo.engine, photo.data, photo.media_type, photo.width, photo.height)
