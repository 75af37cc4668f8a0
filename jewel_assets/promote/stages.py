"""The stage `render_promo`: a cut-out in, its promotional image out, one row per cut-out and template."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
from typing_extensions import override

from jewel_assets.collect.licences import recognise
from jewel_assets.collect.policy import rule_for
from jewel_assets.errors import Permanent
from jewel_assets.images import decode, encode_jpeg
from jewel_assets.lake.schema import blob_field
from jewel_assets.lake.stages import Item, Made, Rejected, Result, Stage
from jewel_assets.promote.piece import Unfit, piece_of
from jewel_assets.promote.templates import Template

JPEG_QUALITY = 94


def list_promos(
    cutouts: pa.Table,
    templates: Sequence[Template],
    seed: int,
    only: Sequence[str] = (),
    before: pa.Table | None = None,
) -> pa.Table:
    """One row per cut-out and template: the cut-out's columns, `template` (JSON), `promo_seed` and `cutout_id`.

    The rows go template by template, so that a worker makes each plate once. The item's id is the cut-out's with the
    template's name after an @. With `only`, ids of cut-outs, the others keep the images that `before` (rows of
    `promo_renders`) says they have. Raises Permanent for an id of `only` that no cut-out has.
    """
    own = ("template", "promo_seed", "cutout_id")
    schema = cutouts.schema
    here = {row["item_id"]: row for row in cutouts.to_pylist()}
    if strange := sorted(set(only) - set(here)):
        raise Permanent(f"There is no cut-out {strange[0]!r} in this category (`jewel lake show cutouts`).")
    asked = [(item_id, template.model_dump_json(), seed) for template in templates for item_id in only or here]
    kept = before.select(["cutout_id", "template", "seed"]).to_pylist() if only and before is not None else []
    asked += [
        (row["cutout_id"], row["template"], row["seed"])
        for row in kept
        if row["cutout_id"] in here and row["cutout_id"] not in only
    ]
    rows = []
    for item_id, told, its_seed in asked:
        row, name = here[item_id], json.loads(told)["name"]
        named = {"item_id": f"{item_id}@{name}", "source_id": f"{row['source_id']}@{name}"}
        rows.append({**row, **named, **dict(zip(own, (told, its_seed, item_id), strict=True))})
    more = [pa.field("template", pa.string()), pa.field("promo_seed", pa.int64()), pa.field("cutout_id", pa.string())]
    return pa.Table.from_pylist(rows, pa.schema([*schema, *more]))


@dataclass(frozen=True)
class RenderPromo(Stage):
    """Promotional images as JPEG, each with its record (JSON) beside it.

    Rejects what may not be published by `collect/policy.toml` ("not for publishing", unless it asks and there is a
    `permission`) and what makes no image ("no subject", "no background", "cut by the border", "too small").
    """

    width: int = 1080
    height: int = 1080
    permission: str = ""  # who permits to publish what its licence leaves to be asked; empty: nobody does
    batch_size: int = 8

    name: ClassVar[str] = "render_promo"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("cutout_id", pa.string()),
            pa.field("template_name", pa.string()),
            pa.field("template", pa.string()),  # JSON: all of it
            pa.field("style", pa.string()),
            pa.field("seed", pa.int64()),
            pa.field("mode", pa.string()),  # strict | relit
            pa.field("difference", pa.int32()),  # levels of 255 in the core, against the photo: 0 when strict
            pa.field("detail_psnr", pa.float32()),  # dB; null where nothing changed
            pa.field("delta_e", pa.float32()),  # median CIEDE2000
            pa.field("hue_shift", pa.float32()),  # degrees
            pa.field("scale", pa.float32()),  # pixels of the image per pixel of the cut-out
            pa.field("warnings", pa.string()),
            blob_field("record_sha256", "application/json"),
        ]
    )

    @override
    def parameters(self) -> Mapping[str, Any]:
        from jewel_assets.promote.render import VERSION

        return {
            "size": (self.width, self.height),
            "permission": bool(self.permission),
            "renderer": VERSION,
            "quality": JPEG_QUALITY,
        }

    @override
    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        return [row["sha256"], row["template"], str(row["promo_seed"]), str(row["licence"]), str(row["source"])]

    @override
    def setup(self, threads: int) -> None:
        import cv2

        cv2.setNumThreads(threads)

    @override
    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        return [self._result(item) for item in items]

    def _result(self, item: Item) -> Result:
        from jewel_assets.promote.render import render

        row = item.row
        licence = recognise(row["licence"])
        rule = rule_for(row["source"], licence.name if licence else None)
        if not rule.allows("publishing", True if self.permission else None):
            why = f"{rule.clause}: its licence does not let it be shown to the world"
            asks = "; state a permission (`permission` in the configuration)" if rule.publishing == "ask" else ""
            return Rejected("not for publishing", error=f"{why}{asks}.")
        template = Template.model_validate_json(row["template"])
        try:
            piece = piece_of(decode(item.data, alpha=True), row["category"])
        except Unfit as unfit:
            return Rejected(unfit.reason, error=str(unfit))
        promo = render(piece, template, int(row["promo_seed"]), (self.width, self.height))
        data = encode_jpeg(promo.image, JPEG_QUALITY)
        told = promo.fidelity.told()
        record = {
            **promo.record,
            "item_id": row["item_id"],
            "cutout_sha256": row["sha256"],
            "image_sha256": hashlib.sha256(data).hexdigest(),
            "licence": {name: row.get(name) for name in ("source", "source_url", "author", "licence", "licence_url")},
            "permission": self.permission or None,
        }
        columns = {
            "cutout_id": row["cutout_id"],
            "template_name": template.name,
            "template": row["template"],
            "style": template.style,
            "seed": promo.seed,
            "mode": template.mode,
            "difference": promo.fidelity.difference,
            "detail_psnr": told["detail_psnr"],
            "delta_e": told["delta_e"],
            "hue_shift": told["hue_shift"],
            "scale": promo.record["scale"],
            "warnings": "; ".join(promo.warnings) or None,
        }
        beside = {"record_sha256": json.dumps(record, indent=2).encode()}
        engine = f"{self.name} {self.version}"
        return Made(columns, engine, data, "image/jpeg", self.width, self.height, beside)
