"""Group `shape`: the catalogue of pieces that nobody owns, and the models that others made, ready to print.

The catalogue goes from designs to meshes to photos that feed `photos`.

None of it goes to a network, and nothing outside changes it, so the nightly rescrape leaves it alone. Its first three
steps cost seconds to minutes an item and run when somebody asks (here, or by the job `catalogue_category`), not
because code changed at night. `catalogue_photos` only selects: it follows by itself, and `photos` follows it.
`refresh_category` takes the photos as they are, so that it stays as fast as it was.

`stl_models` is no part of it: it follows the models that were downloaded.
"""

import dagster as dg
from pydantic import Field

from jewel_assets.defs.policies import CORES, asset
from jewel_assets.defs.reporting import counts, report, table
from jewel_assets.defs.running import choose, each
from jewel_assets.lake import Lake
from jewel_assets.shape.catalogue import (
    BuildMesh,
    DrawDesign,
    Photograph,
    Preset,
    TakePhotos,
    Variant,
    castability_table,
    choose_photographer,
    family_table,
    findings_counts,
    list_designs,
    list_shots,
    style_table,
)
from jewel_assets.shape.foreign import ConvertModel, conversion_table

GROUP = "shape"


class DesignConfig(dg.Config):
    """How many designs of each category, and which."""

    count: int = Field(16, ge=1, le=100_000, description="Designs of the category; its families take turns.")
    seed: int = Field(7, ge=0, lt=2**31, description="Another seed draws other designs under the same ids.")


@asset(
    GROUP,
    kinds={"python", "deltalake"},
    code_version=DrawDesign.version,
    automation_condition=None,  # on request: see above
    **CORES,
)
def catalogue_designs(
    context: dg.AssetExecutionContext, config: DesignConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Parametric designs, drawn by a seed, families in turn: one JSON each, with a quick picture beside it."""
    category = context.partition_key
    done = each(context, lake, DrawDesign(), list_designs(category, config.count, config.seed))
    rows = lake.dataset("catalogue_designs").read(category)
    metadata = {"seed": config.seed, "families": table(family_table(rows)) if rows.num_rows else "none"}
    return report(context, lake, done, metadata)


class MeshConfig(dg.Config):
    """How fine the meshes are."""

    detail: float = Field(1.0, ge=0.25, le=4, description="Facets of curves: 0.5 for a thumbnail, 1 to cast.")


@asset(
    GROUP,
    deps=[catalogue_designs],
    kinds={"python", "deltalake"},
    code_version=BuildMesh.version,
    checks=("watertight_share", "castable_share"),
    automation_condition=None,  # on request: see above
    **CORES,
)
def catalogue_meshes(
    context: dg.AssetExecutionContext, config: MeshConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """The designs as GLB, metal and stones apart, with weight, carats and whether they can be cast."""
    category = context.partition_key
    done = each(context, lake, BuildMesh(detail=config.detail), lake.dataset("catalogue_designs").read(category))
    rows = lake.dataset("catalogue_meshes").read(category)
    metadata = {}
    if rows.num_rows:
        metadata = {"castability": table(castability_table(rows)), "findings": counts(findings_counts(rows))}
    return report(context, lake, done, metadata)


class RenderConfig(dg.Config):
    """How the pieces are photographed."""

    preset: Preset = Field("randomised", description="`catalogue`: on white; `randomised`: any ground, light and lens.")
    per_piece: int = Field(1, ge=1, le=1000, description="Photos of each piece.")
    seed: int = Field(7, ge=0, lt=2**31, description="Another seed, other views, grounds and light.")
    size: int = Field(512, ge=32, le=4096, description="Pixels, each side.")
    samples: int = Field(48, ge=1, le=65536, description="Paths per pixel: time grows with them, noise falls.")
    variant: Variant = Field(
        "scalar_rgb",
        description="`scalar_rgb` runs everywhere and repeats bit for bit; `auto` is the fastest that runs here.",
    )


@asset(
    GROUP,
    deps=[catalogue_meshes],
    kinds={"mitsuba", "deltalake"},
    code_version=Photograph.version,
    checks=("coverage_share",),
    automation_condition=None,  # on request: see above
    **CORES,
)
def catalogue_renders(
    context: dg.AssetExecutionContext, config: RenderConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Physically lit photos of the meshes, each with its mask, normals, depth, part ids and scene beside it."""
    category = context.partition_key
    shots = list_shots(lake.dataset("catalogue_meshes").read(category), config.preset, config.per_piece, config.seed)
    done = each(context, lake, choose_photographer(config.size, config.samples, config.variant), shots)
    rows = lake.dataset("catalogue_renders").read(category)
    metadata = {"preset": config.preset, "styles": table(style_table(rows)) if rows.num_rows else "none"}
    return report(context, lake, done, metadata)


@asset(
    GROUP,
    deps=[catalogue_renders],
    kinds={"deltalake"},
    code_version=TakePhotos.version,
)
def catalogue_photos(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """The renders as a source of photos: CC0, for training too, each with its mask; those too small are left out."""
    category = context.partition_key
    done = choose(context, lake, TakePhotos(), lake.dataset("catalogue_renders").read(category))
    return report(context, lake, done)


@asset(
    GROUP,
    deps=["sketchfab_models"],
    kinds={"python", "deltalake"},
    code_version=ConvertModel.version,
    checks=("closed_share",),
    **CORES,
)
def stl_models(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """Downloaded models ready to print: in millimetres, closed where possible, as STL, with GLB and picture beside."""
    category = context.partition_key
    done = each(context, lake, ConvertModel(), lake.dataset("sketchfab_models").read(category))
    rows = lake.dataset("stl_models").read(category)
    metadata = {"conversions": table(conversion_table(rows))} if rows.num_rows else {}
    return report(context, lake, done, metadata)
