"""Contact sheets: many pictures at a glance in one small JPEG, for asset metadata and for the report."""

import base64
import hashlib
import heapq
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from jewel_assets.images import Pixels, decode
from jewel_assets.lake.blobs import BlobStore

if TYPE_CHECKING:
    from PIL import Image, ImageFont

METADATA_BYTES = 36_000
"""What a sheet in a materialization's metadata may weigh: in base64 it then stays under 50 KB."""

PICTURE_BYTES = 14_000
"""What one picture inside a page may weigh, however busy; 400 of them make 7.5 MB as base64."""

PAPER = (250, 250, 248)
TILE = (232, 232, 230)  # behind photos: a shop photo on pure white keeps its edge
CHECKER = (205, 194)  # behind cut-outs: both white metal (above 225) and blackened silver (below 60) stand out
INK = (64, 64, 62)
MAX_SIDE = 16_000  # pixels; JPEG ends at 65,535 and viewers long before
_QUALITIES = (88, 80, 72, 62, 52, 42)
_PAGE_QUALITIES = (80, 62, 40, 15)
_SMALLEST_CELL = 12  # pixels


def contact_sheet(
    images: Sequence[Pixels],
    captions: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    cell: int = 160,
    max_bytes: int | None = None,
) -> bytes:
    """JPEG bytes of `images` in a grid, each within a square of `cell` pixels, aspect kept, never enlarged.

    `images` are uint8 (h, w), (h, w, 3) or (h, w, 4); those with alpha are laid on a soft grey checker. `captions` (one
    per image) are cut to the cell's width. `columns` defaults to a sheet a little wider than high. With `max_bytes` the
    quality falls first, then the cell, so that it is never exceeded. An empty list gives a sheet that says so.
    Raises ValueError where the captions do not match the images, or `max_bytes` is less than any JPEG needs.
    """
    if captions is not None and len(captions) != len(images):
        raise ValueError(
            f"A contact sheet needs one caption per image: {len(images)} images, {len(captions)} captions."
        )
    if cell < _SMALLEST_CELL or (columns is not None and columns < 1):
        raise ValueError(f"A contact sheet needs cells of at least {_SMALLEST_CELL} pixels and at least one column.")
    if not images:
        return _squeezed(_empty_sheet(cell), max_bytes)
    count = len(images)
    columns = min(columns or max(1, math.ceil(math.sqrt(count * 1.5))), count)
    widest = max(columns, math.ceil(count / columns) * 1.2)
    cell = max(_SMALLEST_CELL, min(cell, int(MAX_SIDE / widest) - 8))
    tiles = [_thumbnail(pixels, cell) for pixels in images]
    while True:
        sheet = _drawn(tiles, captions, columns, cell)
        encoded = b""
        for quality in _QUALITIES if max_bytes else _QUALITIES[:1]:
            encoded = _jpeg(sheet, quality)
            if not max_bytes or len(encoded) <= max_bytes:
                return encoded
        if cell == _SMALLEST_CELL:
            return _squeezed(sheet, max_bytes)
        # Bytes grow about as the pixels do: jump near to the cell that fits, then walk.
        scale = min(0.92, 1.05 * math.sqrt((max_bytes or 1) / len(encoded)))
        cell = max(_SMALLEST_CELL, int(cell * scale))


def preview_sheet(
    table: pa.Table,
    blobs: BlobStore,
    count: int = 24,
    *,
    caption: str | Callable[[Mapping[str, Any]], str] | None = None,
    columns: int | None = None,
    cell: int = 160,
    max_bytes: int | None = METADATA_BYTES,
) -> bytes:
    """A contact sheet of up to `count` rows of an item table, spread over all of it; reads only their blobs.

    The same rows are picked whenever the same items are there: those whose SHA-256 of `item_id` is smallest. `caption`
    is a column or a function of the row. A blob that is missing or no image shows as an empty tile that says so.
    """
    rows = spread(table, count)
    images: list[Pixels] = []
    captions: list[str] = []
    for row in rows:
        pixels = read_thumbnail(row, blobs, cell)
        text = _caption(row, caption)
        images.append(_placeholder(cell) if pixels is None else pixels)
        captions.append("missing blob" if pixels is None else text)
    shown = captions if any(captions) else None
    return contact_sheet(images, shown, columns=columns, cell=cell, max_bytes=max_bytes)


def spread(table: pa.Table, count: int) -> list[dict[str, Any]]:
    """`count` rows of an item table, chosen and ordered by the SHA-256 of `item_id`; rows without a blob left out."""
    names = table.column("item_id").to_pylist()
    has_blob = table.column("sha256").is_valid().to_pylist()
    keyed = ((hashlib.sha256(name.encode()).digest(), i) for i, name in enumerate(names) if has_blob[i])
    chosen = [index for _, index in heapq.nsmallest(count, keyed)]
    return table.take(pa.array(chosen, pa.int64())).to_pylist() if chosen else []


def read_thumbnail(row: Mapping[str, Any], blobs: BlobStore, side: int) -> Pixels | None:
    """The row's picture with its longer side at most `side` pixels: (h, w, 3 | 4), or None where it cannot be read."""
    if not row.get("sha256") or not row.get("media_type"):
        return None
    try:
        pixels = decode(blobs.get(row["sha256"], row["media_type"]), alpha=row["media_type"] != "image/jpeg")
    except (FileNotFoundError, ValueError):
        return None
    if pixels.shape[2] == 4 and pixels[..., 3].min() == 255:
        pixels = pixels[..., :3]  # opaque after all: a photo, not a cut-out
    return np.asarray(_thumbnail(pixels, side))


def data_uri(row: Mapping[str, Any], blobs: BlobStore, side: int) -> str | None:
    """The row's picture as WebP in a data URI, for a page: its longer side at most `side` pixels, transparent where the
    blob is, at most `PICTURE_BYTES` before base64. None where it cannot be read."""
    pixels = read_thumbnail(row, blobs, side)
    return None if pixels is None else webp_uri(pixels)


def webp_uri(pixels: Pixels) -> str:
    """Pixels (h, w, 3 | 4) as WebP in a data URI, of at most `PICTURE_BYTES` before base64 where that can be."""
    from PIL import Image

    image = Image.fromarray(pixels)
    data = b""
    for quality in _PAGE_QUALITIES:
        file = io.BytesIO()
        image.save(file, "WEBP", quality=quality, alpha_quality=70, method=2)
        data = file.getvalue()
        if len(data) <= PICTURE_BYTES:
            break
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def _thumbnail(pixels: Pixels, side: int) -> "Image.Image":
    """Fitted into a square. Pillow weighs RGBA by alpha as it scales, so no colour of transparent pixels bleeds in."""
    from PIL import Image

    return _fitted(Image.fromarray(np.ascontiguousarray(pixels)), side)


def _fitted(image: "Image.Image", side: int) -> "Image.Image":
    from PIL import Image

    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _drawn(tiles: Sequence["Image.Image"], captions: Sequence[str] | None, columns: int, cell: int) -> "Image.Image":
    from PIL import Image, ImageDraw

    gap = max(1, cell // 24)
    font = _font(max(10, min(15, cell // 11))) if captions is not None and cell >= 64 else None
    label = round(font.size * 1.7) if font else 0
    rows = math.ceil(len(tiles) / columns)
    sheet = Image.new("RGB", (columns * (cell + gap) + gap, rows * (cell + label + gap) + gap), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, tile in enumerate(tiles):
        left = gap + index % columns * (cell + gap)
        top = gap + index // columns * (cell + label + gap)
        image = _fitted(tile, cell)
        if image.mode == "RGBA":
            sheet.paste(_checker(cell, cell), (left, top))
        else:
            draw.rectangle((left, top, left + cell - 1, top + cell - 1), fill=TILE)
        corner = (left + (cell - image.width) // 2, top + (cell - image.height) // 2)
        sheet.paste(image, corner, image if image.mode == "RGBA" else None)
        if font and captions is not None:
            text = _cut(captions[index], font, cell)
            draw.text((left, top + cell + font.size * 0.25), text, fill=INK, font=font)
    return sheet


def _checker(width: int, height: int) -> "Image.Image":
    from PIL import Image

    side = 8
    squares = np.add.outer(np.arange(height) // side, np.arange(width) // side) % 2
    return Image.fromarray(np.where(squares, *CHECKER).astype(np.uint8)).convert("RGB")


def _font(size: int) -> "ImageFont.FreeTypeFont":
    """Aileron, which ships inside Pillow: the same sheet on every machine."""
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):  # a Pillow built without FreeType
        raise RuntimeError("This Pillow cannot draw text: install one built with FreeType, as the wheels on PyPI are.")
    return font


def _cut(text: str, font: "ImageFont.FreeTypeFont", width: int) -> str:
    """`text` on one line, ended with an ellipsis where it is wider than `width` pixels."""
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in text[:200]).split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _caption(row: Mapping[str, Any], caption: str | Callable[[Mapping[str, Any]], str] | None) -> str:
    if caption is None:
        return ""
    value = caption(row) if callable(caption) else row.get(caption)
    return f"{value:.2f}" if isinstance(value, float) else "" if value is None else str(value)


def _placeholder(cell: int) -> Pixels:
    """An empty tile crossed out."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (cell, cell), TILE)
    draw = ImageDraw.Draw(image)
    draw.line((0, 0, cell, cell), fill=(200, 200, 198))
    draw.line((0, cell, cell, 0), fill=(200, 200, 198))
    return np.asarray(image)


def _empty_sheet(cell: int) -> "Image.Image":
    from PIL import Image, ImageDraw

    size = (max(200, 2 * cell), max(60, cell // 2))
    sheet = Image.new("RGB", size, PAPER)
    ImageDraw.Draw(sheet).text((size[0] / 2, size[1] / 2), "No pictures yet", fill=INK, font=_font(15), anchor="mm")
    return sheet


def _jpeg(sheet: "Image.Image", quality: int) -> bytes:
    import cv2

    # Full chroma where there is room for it: gems and gold are small and coloured.
    full = quality >= 80
    chroma = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if full else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, chroma]
    # Not by Pillow: its buffer for optimised tables is too small for noise, and it fails.
    done, encoded = cv2.imencode(".jpg", np.asarray(sheet)[..., ::-1], [*options, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    if not done:
        raise ValueError(f"OpenCV could not write {sheet.size} pixels as JPEG.")
    return bytes(encoded)


def _squeezed(sheet: "Image.Image", max_bytes: int | None) -> bytes:
    """The sheet as JPEG, made coarser and smaller as a whole until it fits."""
    quality = _QUALITIES[0]
    while True:
        encoded = _jpeg(sheet, quality)
        if not max_bytes or len(encoded) <= max_bytes:
            return encoded
        if sheet.size == (1, 1):
            raise ValueError(
                f"No JPEG fits into {max_bytes} bytes: the smallest has {len(encoded)}. Allow a few thousand."
            )
        quality = _QUALITIES[-1]
        sheet = _fitted(sheet, max(1, int(max(sheet.size) * 0.8)))
