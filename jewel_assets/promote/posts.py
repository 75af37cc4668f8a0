"""From promotional images to what is posted: the stages `write_caption` and `pack_post`."""

import hashlib
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from typing_extensions import override

from jewel_assets.errors import Permanent
from jewel_assets.images import decode
from jewel_assets.lake.schema import blob_field
from jewel_assets.lake.stages import Item, Made, Rejected, Result, Stage
from jewel_assets.promote.captions import (
    Describer,
    Known,
    NetworkDescriber,
    PhraseDescriber,
    phrasebook,
    spoken_of,
    write_caption,
)
from jewel_assets.promote.exports import CAROUSEL, FORMATS, FREE, Picture, Post, pack
from jewel_assets.promote.materials import look_at


@dataclass(frozen=True)
class WriteCaption(Stage):
    """A caption, hashtags and an alternative text beside each promotional image, from what its cut-out shows.

    Rows come from `promo_renders`; the image stays as it is. `folder` holds phrases of the user's own; `network` a
    captioning network, which then writes the alternative text where it claims nothing.
    """

    tone: str = "elegant"
    language: str = "en"
    seed: int = 0
    brand: str = ""
    folder: Path | None = None
    network: Path | None = None

    name: ClassVar[str] = "write_caption"
    version: ClassVar[str] = "2"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("cutout_id", pa.string()),
            pa.field("template_name", pa.string()),
            blob_field("record_sha256", "application/json"),
            pa.field("caption", pa.string()),  # with its hashtags, as it is pasted
            pa.field("alt_text", pa.string()),
            pa.field("alt_text_engine", pa.string()),  # phrases, or the network and the start of its weights' hash
            pa.field("metal", pa.string()),  # null where the picture does not tell
            pa.field("stones", pa.string()),  # by colour, commas between
            pa.field("tone", pa.string()),
            pa.field("language", pa.string()),
        ]
    )

    @override
    def parameters(self) -> Mapping[str, Any]:
        return {
            "tone": self.tone,
            "language": self.language,
            "seed": self.seed,
            "brand": self.brand,
            "phrases": phrasebook(self.language, self.folder).model_dump(mode="json"),
        }

    @override
    def weights(self) -> Mapping[str, str]:
        return {"captioner": self.describer.engine} if isinstance(self.describer, NetworkDescriber) else {}

    @cached_property
    def describer(self) -> Describer:
        """What writes the alternative texts."""
        phrases = PhraseDescriber(self.folder)
        return phrases if self.network is None else NetworkDescriber(self.network, phrases)

    @override
    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        told = ("sha256", "parent_sha256", "cutout_id", "template_name", "style", "author", "licence", "source")
        return [str(row.get(name)) for name in told]

    @override
    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        return [self._result(item) for item in items]

    def _result(self, item: Item) -> Result:
        row = item.row
        assert item.blobs is not None  # the runner gives every item the lake's
        materials = look_at(decode(item.blobs.get(row["parent_sha256"], "image/png"), alpha=True))
        known = Known(
            category=row["category"],
            materials=materials,
            style=row["style"],
            template=row["template_name"],
            credit=_credit(row),
            brand=self.brand or None,
        )
        # Every piece its own words: the seed goes on from a number of the piece.
        seed = self.seed + int(hashlib.sha256(row["item_id"].encode()).hexdigest()[:8], 16)
        caption = write_caption(known, self.tone, self.language, seed, self.folder)
        spoken = spoken_of(known)
        image = decode(item.data) if self.network is not None else np.zeros((1, 1, 3), np.uint8)
        described = self.describer.describe(image, known, self.language)
        columns = {
            "cutout_id": row["cutout_id"],
            "template_name": row["template_name"],
            "caption": str(caption),
            "alt_text": described.text,
            "alt_text_engine": described.engine,
            "metal": spoken.metal,
            "stones": ", ".join(stone.name for stone in spoken.sure_stones) or None,
            "tone": self.tone,
            "language": self.language,
        }
        record = item.blobs.get(row["record_sha256"], "application/json")
        return Made(columns, f"{self.name} {self.version}, phrases", beside={"record_sha256": record})


def _credit(row: Mapping[str, Any]) -> str | None:
    """The lines that name the authors of the photo, where it is not the user's own, and of the plate's texture."""
    lines = [json.loads(row["template"]).get("texture_credit") or None]
    if row["source"] not in ("folder", "catalogue") and row.get("author"):
        lines.insert(0, f"Photo: {row['author']}, {row.get('licence') or 'licence unknown'}")
    return "\n".join(filter(None, lines)) or None


def list_posts(captions: pa.Table) -> pa.Table:
    """One row per piece and size: all its images of one size are one post, several of them a carousel.

    From rows of `promo_captions`. `pictures` is JSON: of each image its blobs, template and alternative text. More than
    ten images make several carousels; a story is one image.
    """
    groups: dict[tuple[str, int, int], list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(captions.to_pylist(), key=lambda row: str(row["item_id"])):
        groups[row["cutout_id"], row["width"], row["height"]].append(row)
    rows = []
    for (cutout_id, width, height), members in sorted(groups.items()):
        form = next((f.name for f in FORMATS.values() if (f.width, f.height) == (width, height)), FREE)
        parts = len(members) if form == "story" else -(-len(members) // CAROUSEL[1])  # a story is one image
        for number in range(parts):
            shown = members[number::parts]  # evenly: no carousel of one
            name = f"@{form}" + (f"-{number + 1}" if parts > 1 else "")
            first = shown[0]
            pictures = [{n: one[n] for n in ("sha256", "record_sha256", "template_name", "alt_text")} for one in shown]
            own = {
                "item_id": f"{cutout_id}{name}",
                "source_id": f"{cutout_id.partition(':')[2]}{name}",
                "form": form,
                "pictures": json.dumps(pictures),
            }
            rows.append({**first, **own})
    more = (pa.field("form", pa.string()), pa.field("pictures", pa.string()))
    return pa.Table.from_pylist(rows, pa.schema([*captions.schema, *more]))


@dataclass(frozen=True)
class PackPost(Stage):
    """A post ready for Instagram as a ZIP: images (sRGB, under 8 MB, without metadata), caption, records, manifest.

    It was judged by `exports.validate` before it was stored. Nothing is posted.
    """

    name: ClassVar[str] = "pack_post"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("cutout_id", pa.string()),
            pa.field("form", pa.string()),  # square | portrait | landscape | story | free
            pa.field("images", pa.int32()),
            pa.field("caption", pa.string()),
        ]
    )

    @override
    def parameters(self) -> Mapping[str, Any]:
        return {}

    @override
    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        return [row["item_id"], row["form"], row["pictures"], row["caption"]]

    @override
    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        return [self._result(item) for item in items]

    def _result(self, item: Item) -> Result:
        row = item.row
        post = post_of(item)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "post.zip")
            try:
                pack([post], path)
            except Permanent as error:
                return Rejected("not for Instagram", error=str(error))
            data = path.read_bytes()
        columns = {
            "cutout_id": row["cutout_id"],
            "form": row["form"],
            "images": len(post.pictures),
            "caption": row["caption"],
        }
        return Made(columns, f"{self.name} {self.version}", data, "application/zip", row["width"], row["height"])


def post_of(item: Item) -> Post:
    """The post that a row of `list_posts` stands for, with the bytes of its images."""
    assert item.blobs is not None  # the runner gives every item the lake's
    pictures = tuple(
        Picture(
            item.blobs.get(told["sha256"], "image/jpeg"),
            without_folders(json.loads(item.blobs.get(told["record_sha256"], "application/json"))),
            told["alt_text"] or "",
        )
        for told in json.loads(item.row["pictures"])
    )
    return Post(item.row["source_id"], pictures, item.row["caption"], item.row["form"])


def without_folders(told: Any) -> Any:
    """A record as it goes to others: each absolute path and address of a file cut down to the file's name."""
    if isinstance(told, Mapping):
        return {key: without_folders(value) for key, value in told.items()}
    if isinstance(told, list):
        return [without_folders(value) for value in told]
    is_path = isinstance(told, str) and (told.startswith("/") or re.match(r"(file|s3|gs|az|memory)://", told))
    return told.rstrip("/").rpartition("/")[2] if is_path else told
