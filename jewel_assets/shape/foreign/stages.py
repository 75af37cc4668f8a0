"""The stage that makes a printable model of a downloaded one.

Geometry is imported in the process that works, so that whoever only draws the graph does not load it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from jewel_assets.lake import Item, Made, Rejected, Result, Stage, blob_field

if TYPE_CHECKING:
    from jewel_assets.images import Pixels
    from jewel_assets.shape.foreign.convert import Converted


@dataclass(frozen=True)
class ConvertModel(Stage):
    """Makes an STL in millimetres of the glTF archive or GLB of a row, with a GLB in metres and a picture beside it.

    Rejects what cannot be read, must not be read, or has no surface, with a reason that can be counted. A surface that
    cannot be closed is no reason: its row says so.
    """

    name: ClassVar[str] = "convert_model"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("file_kind", pa.string(), nullable=False),  # "glTF archive" or "GLB"
            pa.field("draco", pa.bool_(), nullable=False),  # it was packed with Draco
            pa.field("parts", pa.int32(), nullable=False),  # primitives as placed by the scene
            pa.field("faces", pa.int32(), nullable=False),  # triangles of the STL
            pa.field("vertices", pa.int32(), nullable=False),  # places of its corners
            pa.field("bodies", pa.int32(), nullable=False),  # shells that hang together: solids, hollows, sheets
            pa.field("closed_before", pa.bool_(), nullable=False),  # once corners that coincide were one
            pa.field("watertight", pa.bool_(), nullable=False),  # every edge of the STL has two faces, opposite ways
            pa.field("open_edges", pa.int32(), nullable=False),  # of the STL: 0 where it is watertight
            pa.field("repair", pa.string(), nullable=False),  # the strongest of `mending.REPAIRS` that it needed
            pa.field("repairs", pa.list_(pa.string())),  # all of them
            pa.field("holes_filled", pa.int32(), nullable=False),
            pa.field("filled_mm2", pa.float64(), nullable=False),  # area of what was filled
            pa.field("volume_mm3", pa.float64()),  # of space filled, overlaps once; null unless watertight
            pa.field("area_mm2", pa.float64(), nullable=False),  # of all surfaces, inner ones too
            pa.field("extent_x_mm", pa.float64(), nullable=False),  # x right, z up, the viewer at -y
            pa.field("extent_y_mm", pa.float64(), nullable=False),
            pa.field("extent_z_mm", pa.float64(), nullable=False),
            pa.field("unit_factor", pa.float64(), nullable=False),  # millimetres per unit of the file
            pa.field("unit", pa.string()),  # "m", "cm", "mm", "in"; null where none fits
            pa.field("scale_kind", pa.string(), nullable=False),  # declared | guessed | assumed
            pa.field("scale_reason", pa.string(), nullable=False),  # a sentence
            pa.field("notes", pa.list_(pa.string())),  # what was left out
            blob_field("glb_sha256", "model/gltf-binary"),
            blob_field("preview_sha256", "image/png"),
        ]
    )
    batch_size: int = 1

    def parameters(self) -> Mapping[str, Any]:
        """Nothing can be chosen; the table of sizes and the bounds are part of the version."""
        return {}

    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        """The bytes, and the category that says how large such a piece is."""
        return [str(row["sha256"]), str(row["category"])]

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One result per model."""
        return [self._converted(item) for item in items]

    def _converted(self, item: Item) -> Result:
        from jewel_assets.images import encode_png
        from jewel_assets.shape.foreign.convert import convert
        from jewel_assets.shape.foreign.unusable import Unusable

        engine = f"manifold3d, foreign {self.version}"
        try:
            made = convert(item.data, item.category)
        except Unusable as error:
            return Rejected(error.reason, engine=engine, error=str(error))
        beside = {"glb_sha256": made.glb, "preview_sha256": encode_png(picture(made, item.category))}
        return Made(made.facts, engine, made.stl, "model/stl", beside=beside)


def picture(made: "Converted", category: str) -> "Pixels":
    """(side, side, 3): the model as a catalogue shows its category, in the house's materials nearest to its own."""
    from jewel_assets.shape.foreign.thumbnail import thumbnail

    return thumbnail(made.mesh, made.looks, category)
