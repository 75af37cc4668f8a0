"""What a catalogue holds: which designs a seed gives, and which photos are taken of each piece.

Nothing here is an image or a mesh: these tables are the items that the stages work on.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, get_args

import pyarrow as pa

from jewel_assets.errors import Permanent
from jewel_assets.shape.catalogue.presets import Preset

SOURCE = "catalogue"
AUTHOR = "jewel-assets"
LICENCE = "CC0-1.0"
LICENCE_URL = "https://creativecommons.org/publicdomain/zero/1.0/"
"""Designs, meshes and renders are made by this project, which gives them away: anyone may do anything with them."""

DESIGN_ROWS = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),  # "catalogue:ring-0007"
        pa.field("category", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("author", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("licence_url", pa.string()),
        pa.field("may_train", pa.bool_(), nullable=False),
        pa.field("catalogue_seed", pa.int64(), nullable=False),
        pa.field("design", pa.string(), nullable=False),  # JSON, as `designs.load` reads it
    ]
)


def list_designs(category: str, count: int, seed: int) -> pa.Table:
    """The first `count` designs of `category` that `seed` draws, one row each, as `DESIGN_ROWS`.

    Families take turns, so each has its share. More designs of the same seed begin with the same ones. Empty for a
    category that has no families yet.
    """
    from jewel_assets.shape.designs import families, samples

    drawn = samples(category, seed, count) if families(category) else []
    rows = [
        {
            "item_id": f"{SOURCE}:{name}",
            "category": category,
            "source": SOURCE,
            "source_id": name,
            "author": AUTHOR,
            "licence": LICENCE,
            "licence_url": LICENCE_URL,
            "may_train": True,
            "catalogue_seed": seed,
            "design": design.model_dump_json(),
        }
        for name, design in zip(names(category, count), drawn, strict=False)
    ]
    return pa.Table.from_pylist(rows, DESIGN_ROWS)


def names(category: str, count: int) -> list[str]:
    """`ring-0001` and so on."""
    return [f"{category}-{number:04d}" for number in range(1, count + 1)]


def list_shots(meshes: pa.Table, preset: Preset, per_piece: int, seed: int) -> pa.Table:
    """`per_piece` rows for each of `meshes`: its columns, the `preset` and the `shot_seed` of a photo.

    The first photo keeps the item's id; the others add "-view2" and so on. Raises Permanent for another preset.
    """
    if preset not in get_args(Preset):
        raise Permanent(f"There is no preset {preset!r}: choose {' or '.join(get_args(Preset))}.")
    rows: list[dict[str, Any]] = []
    for row in meshes.to_pylist():
        for view in range(1, per_piece + 1):
            more = "" if view == 1 else f"-view{view}"
            own = {name: f"{row[name]}{more}" for name in ("item_id", "source_id")}
            shot = {"preset": preset, "shot_seed": seed_of(own["item_id"], seed)}
            rows.append({**row, **own, **shot})
    more_columns = (pa.field("preset", pa.string()), pa.field("shot_seed", pa.int64()))
    return pa.Table.from_pylist(rows, pa.schema([*meshes.schema, *more_columns]))


def seed_of(*parts: object) -> int:
    """0 to 2**31 - 1, from all of `parts`: another for each item, and the same whatever stands beside it."""
    spelled: Sequence[str] = [str(part) for part in parts]
    return int.from_bytes(hashlib.sha256("\n".join(spelled).encode()).digest()[:4], "big") >> 1
