"""The stage `render_promo`: a cut-out in, its promotional image out, one row per cut-out and template."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
from typing_extensions import override

from jewel_assets.collect import refuses_publishing
from jewel_assets.errors import Permanent
from jewel_assets.images import decode, encode_jpeg
from jewel_assets.lake.schema import blob_field
from jewel_assets.lake.stages import Item, Made, Rejected, Result, Review, Stage
from jewel_assets.promote.piece import Unfit, piece_of
from jewel_assets.promote.templates import Template

JPEG_QUALITY = 94
_RIGHTS = ("source", "source_url", "author", "licence", "licence_url")


_ASKED = {
    "cutout_id": pa.string(),
    "template": pa.string(),
    "seed": pa.int64(),
    "width": pa.int32(),
    "height": pa.int32(),
    "permission": pa.string(),
}
"""What each image is made by, in rows of `promo_renders`: enough to ask for it again."""


def list_promos(
    cutouts: pa.Table,
    templates: Sequence[Template],
    seed: int,
    size: tuple[int, int] = (1080, 1080),
    permission: str = "",
    only: Sequence[str] = (),
    before: pa.Table | None = None,
) -> pa.Table:
    """One row per cut-out and template: the cut-out's columns, and what is asked for as `promo_...`.

    The rows go template by template, so that a worker makes each plate once. The item's id is the cut-out's with the
    template's name after an @. With `only`, ids of cut-outs, the others keep the images that `before` (rows of
    `promo_renders`) says they have. `permission` says who permits to publish what its licence leaves to be asked.
    Raises Permanent for an id of `only` that no cut-out has.
    """
    here = {row["item_id"]: row for row in cutouts.to_pylist()}
    if strange := sorted(set(only) - set(here)):
        raise Permanent(f"There is no cut-out {strange[0]!r} in this category (`jewel lake show cutouts`).")
    named = {template.name: template.model_dump_json() for template in templates}
    asked = [
        (item_id, told, seed, *size, permission) for told in named.values() for item_id in dict.fromkeys(only or here)
    ]
    kept = before.select(list(_ASKED)).to_pylist() if only and before is not None else []
    asked += [tuple(row.values()) for row in kept if row["cutout_id"] in here and row["cutout_id"] not in only]
    rows = []
    for values in asked:
        told = {f"promo_{name}": value for name, value in zip(_ASKED, values, strict=True)}
        row, name = here[told["promo_cutout_id"]], json.loads(told["promo_template"])["name"]
        own = {"item_id": f"{row['item_id']}@{name}", "source_id": f"{row['source_id']}@{name}"}
        rows.append({**row, **own, **told})
    more = [pa.field(f"promo_{name}", kind) for name, kind in _ASKED.items()]
    return pa.Table.from_pylist(rows, pa.schema([*cutouts.schema, *more]))


@dataclass(frozen=True)
class RenderPromo(Stage):
    """Promotional images as JPEG, each with its record (JSON) beside it. Rows come from `list_promos`.

    Rejects what may not be published by `collect/policy.toml` ("not for publishing", unless it asks and somebody
    permits it) and what makes no image ("no subject", "no background", "cut by the border", "too small"). A piece that
    could not be kept as the mode promises waits for a person ("not faithful"), and so does a cut-out whose own stage
    calls it doubtful, unless `accept_doubtful`.
    """

    accept_doubtful: bool = False
    batch_size: int = 8

    name: ClassVar[str] = "render_promo"
    version: ClassVar[str] = "2"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("cutout_id", pa.string()),
            pa.field("template_name", pa.string()),
            pa.field("template", pa.string()),  # JSON: all of it
            pa.field("style", pa.string()),
            pa.field("seed", pa.int64()),
            pa.field("permission", pa.string()),  # who permits to publish it, where its licence asks; empty: nobody
            pa.field("mode", pa.string()),  # strict | relit
            pa.field("difference", pa.int32()),  # levels of 255 in the core, before JPEG: 0 when strict
            pa.field("detail_psnr", pa.float32()),  # dB; null where nothing changed
            pa.field("delta_e", pa.float32()),  # median CIEDE2000
            pa.field("hue_shift", pa.float32()),  # degrees
            pa.field("scale", pa.float32()),  # pixels of the image per pixel of the cut-out
            pa.field("warnings", pa.string()),
            pa.field("texture_sha256", pa.string()),  # of the picture that its plate is made of: a takedown follows it
            blob_field("record_sha256", "application/json"),
        ]
    )

    @override
    def parameters(self) -> Mapping[str, Any]:
        from jewel_assets.promote.rendering import VERSION

        return {"renderer": VERSION, "quality": JPEG_QUALITY, "accept_doubtful": self.accept_doubtful}

    @override
    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        asked = [f"promo_{name}" for name in _ASKED if name != "cutout_id"]
        return [str(row.get(name)) for name in ("sha256", "verdict", *asked, *_RIGHTS)]

    @override
    def setup(self, threads: int) -> None:
        import cv2

        cv2.setNumThreads(threads)

    @override
    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        return [self._result(item) for item in items]

    def _result(self, item: Item) -> Result:
        from jewel_assets.promote.rendering import render

        row = item.row
        permission, size = row["promo_permission"], (int(row["promo_width"]), int(row["promo_height"]))
        if why := refuses_publishing(row["source"], row["licence"], row["licence_url"], bool(permission)):
            return Rejected("not for publishing", error=why)
        engine = f"{self.name} {self.version}"
        if row.get("verdict") == "doubtful" and not self.accept_doubtful:
            return Review("doubtful cut-out", {"cutout_id": row["promo_cutout_id"]}, engine)
        template = Template.model_validate_json(row["promo_template"])
        try:
            piece = piece_of(decode(item.data, alpha=True), row["category"])
        except Unfit as unfit:
            return Rejected(unfit.reason, error=str(unfit))
        promo = render(piece, template, int(row["promo_seed"]), size)
        if not promo.fidelity.holds:
            return Review("not faithful", {"cutout_id": row["promo_cutout_id"]}, engine)
        data = encode_jpeg(promo.image, JPEG_QUALITY)
        told = promo.fidelity.told()
        record = {
            **promo.record,
            "item_id": row["item_id"],
            "cutout_sha256": row["sha256"],
            "image_sha256": hashlib.sha256(data).hexdigest(),
            "licence": {name: row.get(name) for name in _RIGHTS},
            "permission": permission or None,
        }
        columns = {
            "cutout_id": row["promo_cutout_id"],
            "template_name": template.name,
            "template": row["promo_template"],
            "permission": permission,
            "style": template.style,
            "seed": promo.seed,
            "mode": template.mode,
            "difference": promo.fidelity.difference,
            "detail_psnr": told["detail_psnr"],
            "delta_e": told["delta_e"],
            "hue_shift": told["hue_shift"],
            "scale": promo.record["scale"],
            "warnings": "; ".join(promo.warnings) or None,
            "texture_sha256": template.texture_sha256 or None,
        }
        beside = {"record_sha256": json.dumps(record, indent=2).encode()}
        return Made(columns, engine, data, "image/jpeg", *size, beside=beside)
