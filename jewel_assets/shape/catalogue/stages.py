"""The stages of the catalogue: a design that is drawn, the mesh that is built from it, the photos that are taken.

Geometry and renderer are imported in the process that works, so that whoever only draws the graph loads neither.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from jewel_assets.lake import Item, Made, Rejected, Result, Selection, Stage, blob_field
from jewel_assets.lake.schema import UTC_MICROSECONDS
from jewel_assets.shape.catalogue.presets import Preset

if TYPE_CHECKING:
    from jewel_assets.shape.castability import Report
    from jewel_assets.shape.piece import Piece

PREVIEW_DETAIL = 0.5
"""Of a design's picture on the contact sheet: a thumbnail shows no finer facets."""

LEAST_COVERAGE = 0.004
"""Of a photo. A chain that is seen whole covers one to three percent; less than this, and nobody sees the piece."""

NOT_CLOSED = ("open edges", "non-manifold edges", "doubled faces", "inside out", "flipped faces")
"""Rules of the castability check that a watertight solid breaks none of."""

NAMED_FINDINGS = 8


@dataclass(frozen=True)
class DrawDesign(Stage):
    """Writes down the design of a row of `list_designs` as JSON, with a quick picture beside it.

    Building it coarsely for the picture also finds, before anything long is done, a design that cannot be built.
    """

    name: ClassVar[str] = "draw_design"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("family", pa.string(), nullable=False),
            pa.field("metal", pa.string(), nullable=False),  # a key of alloys.ALLOYS
            pa.field("catalogue_seed", pa.int64(), nullable=False),
            pa.field("parts", pa.int32(), nullable=False),  # bodies: castings' parts, stones, straps
            blob_field("preview_sha256", "image/png"),
        ]
    )
    batch_size: int = 1

    def parameters(self) -> Mapping[str, Any]:
        """The detail of the picture."""
        return {"detail": PREVIEW_DETAIL}

    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        """The design itself: the same one, drawn by another seed, is the same item."""
        return [str(row["design"])]

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One result per design."""
        return [self._drawn(item) for item in items]

    def _drawn(self, item: Item) -> Result:
        from jewel_assets.images import encode_png
        from jewel_assets.shape.catalogue.preview import preview
        from jewel_assets.shape.designs import load

        design = load(str(item.row["design"]))
        piece = design.build(PREVIEW_DETAIL)
        columns = {
            "family": design.family,
            "metal": design.metal,
            "catalogue_seed": item.row["catalogue_seed"],
            "parts": len(piece.bodies),
        }
        text = json.dumps(design.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
        picture = encode_png(preview(piece, design.category, design.family))
        return Made(
            columns,
            f"designs {self.version}",
            text.encode(),
            "application/json",
            beside={"preview_sha256": picture},
        )


@dataclass(frozen=True)
class BuildMesh(Stage):
    """Builds the solids of a design, checks whether they can be cast, and writes them as GLB."""

    name: ClassVar[str] = "build_mesh"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("family", pa.string(), nullable=False),
            pa.field("alloy", pa.string(), nullable=False),  # a key of alloys.ALLOYS
            pa.field("grams", pa.float64(), nullable=False),  # of all metal, as designed
            pa.field("carats", pa.float64(), nullable=False),  # of all stones
            pa.field("faces", pa.int64(), nullable=False),  # triangles of the castings
            pa.field("castings", pa.int32(), nullable=False),
            pa.field("size_mm", pa.list_(pa.float64())),  # x, y, z of the whole piece
            pa.field("watertight", pa.bool_(), nullable=False),
            pa.field("castable", pa.bool_(), nullable=False),
            pa.field("profile", pa.string(), nullable=False),  # whose limits it was checked by, with their version
            pa.field("min_wall_mm", pa.float64()),  # null where no two faces oppose each other
            pa.field("findings", pa.list_(pa.string())),  # "error: thin wall", each once, the worst first
            blob_field("report_sha256", "application/json"),
            blob_field("preview_sha256", "image/png"),
        ]
    )
    batch_size: int = 1
    detail: float = 1.0

    def parameters(self) -> Mapping[str, Any]:
        """The fineness of the mesh, and the limits it is checked by."""
        from jewel_assets.shape.castability import profile

        return {"detail": self.detail, "limits": profile("gold").version}

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One result per design."""
        return [self._built(item) for item in items]

    def _built(self, item: Item) -> Result:
        from jewel_assets.images import encode_png
        from jewel_assets.shape.castability import check
        from jewel_assets.shape.catalogue.preview import preview
        from jewel_assets.shape.designs import load
        from jewel_assets.shape.files import write_glb

        design = load(item.data)
        piece = design.build(self.detail)
        report = check(piece, name=item.item_id)
        return Made(
            mesh_columns(piece, report) | {"alloy": design.metal},
            f"manifold3d, designs {self.version}",
            write_glb(piece),
            "model/gltf-binary",
            beside={
                "report_sha256": report.json_text().encode(),
                "preview_sha256": encode_png(preview(piece, piece.category, piece.family)),
            },
        )


def mesh_columns(piece: "Piece", report: "Report") -> dict[str, Any]:
    """What a row says of a piece and its castability: the columns of `BuildMesh.output` but for the alloy and blobs."""
    low, high = piece.bounds()
    walls = [casting.thinnest_mm for casting in report.castings if casting.thinnest_mm is not None]
    found = dict.fromkeys(
        f"{finding.severity}: {finding.rule}" for finding in report.findings if finding.severity != "note"
    )
    return {
        "family": piece.family,
        "grams": report.designed_grams or 0.0,
        "carats": report.carats,
        "faces": sum(casting.faces * casting.copies for casting in report.castings),
        "castings": sum(casting.copies for casting in report.castings),
        "size_mm": [round(float(side), 3) for side in high - low],
        "watertight": bool(report.castings) and not report.of(*NOT_CLOSED),
        "castable": report.castable,
        "profile": f"{report.profile} {report.profile_version}",
        "min_wall_mm": min(walls, default=None),
        "findings": list(found)[:NAMED_FINDINGS],
    }


@dataclass(frozen=True)
class Photograph(Stage):
    """Renders the mesh of a row of `list_shots`, with the truth beside it: mask, normals, depth, parts, scene."""

    name: ClassVar[str] = "photograph"
    version: ClassVar[str] = "2"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("fetched_at", UTC_MICROSECONDS),  # when it was rendered
            pa.field("family", pa.string(), nullable=False),
            pa.field("alloy", pa.string(), nullable=False),
            pa.field("preset", pa.string(), nullable=False),
            pa.field("style", pa.string(), nullable=False),  # studio, grey, coloured, velvet, marble, wood, skin
            pa.field("shade", pa.string(), nullable=False),
            pa.field("pose", pa.string(), nullable=False),
            pa.field("shot_seed", pa.int64(), nullable=False),  # with the preset it gives every number of the shot
            pa.field("coverage", pa.float64(), nullable=False),  # 0..1 of the photo, the sum of the mask
            blob_field("mask_sha256", "image/png"),  # the five: see `truth.truth_files`
            blob_field("normals_sha256", "image/png"),
            blob_field("depth_sha256", "image/png"),
            blob_field("parts_sha256", "image/png"),
            blob_field("scene_sha256", "application/json"),
        ]
    )
    batch_size: int = 1
    size: int = 512  # pixels, each side
    samples: int = 48  # paths per pixel
    variant: str = "scalar_rgb"
    denoiser: str = ""  # what `denoise.version` says; part of the key, since it changes the pictures

    def parameters(self) -> Mapping[str, Any]:
        """Size, samples, the variant of the renderer, and what cleans its pictures."""
        return {"size": self.size, "samples": self.samples, "variant": self.variant, "denoiser": self.denoiser}

    def inputs(self, row: Mapping[str, Any]) -> Sequence[str]:
        """The mesh, and how it is photographed."""
        return [str(row["sha256"]), str(row["preset"]), str(row["shot_seed"])]

    def setup(self, threads: int) -> None:
        """Start the renderer, with as many threads as this worker may use."""
        from jewel_assets.shape.render import variants

        variants.mitsuba(self.variant)
        import drjit

        drjit.set_thread_count(threads)

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One result per photo."""
        return [self._taken(item) for item in items]

    def _taken(self, item: Item) -> Result:
        from jewel_assets.images import encode_jpeg
        from jewel_assets.shape.catalogue.glb_surfaces import read_glb
        from jewel_assets.shape.catalogue.taking import taken
        from jewel_assets.shape.catalogue.truth import truth_files

        row = item.row
        piece = read_glb(item.data)
        how: Preset = row["preset"]
        shot, photo = taken(
            piece.surfaces,
            piece.category,
            piece.family,
            how,
            int(row["shot_seed"]),
            logging.getLogger(__name__).warning,
            size=(self.size, self.size),
            samples=self.samples,
            variant=self.variant,
        )
        columns = {
            "fetched_at": datetime.now(UTC),
            "family": piece.family,
            "alloy": row["alloy"],
            "preset": how,
            "style": shot.style,
            "shade": shot.ground,
            "pose": shot.pose,
            "shot_seed": shot.seed,
            "coverage": float(photo.alpha.mean()),
        }
        engine = f"{photo.parameters['engine']} {photo.parameters['variant']}, {photo.parameters['denoiser']}"
        height, width = photo.image.shape[:2]
        beside = {f"{name}_sha256": data for name, data in truth_files(photo).items()}
        return Made(columns, engine, encode_jpeg(photo.image), "image/jpeg", width, height, beside)


def choose_photographer(size: int, samples: int, variant: str) -> Photograph:
    """The stage that takes photos on this machine, with `variant` "auto" resolved.

    Raises Permanent, with what to install, where the renderer is missing or cannot run that variant.
    """
    from jewel_assets.shape.render import denoise, variants

    if not variants.available():
        variants.mitsuba(variant)  # says what to install
    chosen = variants.choose(variant)
    return Photograph(size=size, samples=samples, variant=chosen, denoiser=denoise.version(denoise.engine()))


@dataclass(frozen=True)
class TakePhotos(Selection):
    """The renders as a source of photos: all but those in which the piece can hardly be seen."""

    name: ClassVar[str] = "take_photos"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("fetched_at", UTC_MICROSECONDS),
            pa.field("family", pa.string()),
            pa.field("style", pa.string()),
            blob_field("mask_sha256", "image/png"),
        ]
    )
    least_coverage: float = LEAST_COVERAGE

    def parameters(self) -> Mapping[str, Any]:
        """How much of a photo the piece must cover."""
        return {"least_coverage": self.least_coverage}

    def choose(self, items: pa.Table) -> Sequence[Result]:
        """Kept with family, style and mask, or rejected as too small."""
        return [self._chosen(row) for row in items.to_pylist()]

    def _chosen(self, row: Mapping[str, Any]) -> Result:
        columns = {name: row[name] for name in self.output.names}
        if row["coverage"] >= self.least_coverage:
            return Made(columns)
        return Rejected("too small", columns, error=f"The piece covers {row['coverage']:.2%} of the photo.")
