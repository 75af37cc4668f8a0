"""Group `clean`: from raw photos to unique product photos, their cut-outs, and one pool of images with its splits."""

import collections
from typing import Literal

import dagster as dg
from pydantic import Field

from jewel_assets.clean import (
    TEXTURE_LIMITS,
    DropDuplicates,
    FingerprintPhoto,
    FingerprintTexture,
    JudgeBodyParts,
    KeepProducts,
    PoolImages,
    RemoveBackground,
    choose_detectors,
    choose_remover,
    remembering,
    split_counts,
    with_fingerprints,
)
from jewel_assets.defs.collect import RAW_PHOTOS, RAW_TEXTURES, raw_photos, raw_textures
from jewel_assets.defs.partitions import THEMES
from jewel_assets.defs.policies import CORES, asset, on_new_data
from jewel_assets.defs.reporting import counts, report, table
from jewel_assets.defs.running import choose, each
from jewel_assets.lake import Lake
from jewel_assets.registry import Registry

GROUP = "clean"


@asset(
    GROUP,
    deps=list(RAW_PHOTOS.values()),
    kinds={"opencv", "deltalake"},
    code_version=FingerprintPhoto.version,
    automation_condition=on_new_data(any_of=dg.AssetSelection.assets(*RAW_PHOTOS)),
    **CORES,
)
def photo_fingerprints(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """What tells two photos apart: a hash of the pixels, perceptual hashes of 8 flips and rotations, a descriptor."""
    category = context.partition_key
    done = each(context, lake, FingerprintPhoto(), raw_photos(lake, category))
    return report(context, lake, done)


@asset(
    GROUP,
    deps=[photo_fingerprints],
    kinds={"opencv", "deltalake"},
    code_version=DropDuplicates.version,
    **CORES,
)
def photos(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """Photos of all sources without duplicates: of the same or nearly the same picture, the best is kept."""
    category = context.partition_key
    fingerprints = lake.dataset("photo_fingerprints").read(category)
    near = remembering(lake.local_folder("pair_memory"), category)
    done = choose(context, lake, DropDuplicates(near), fingerprints)
    return report(context, lake, done)


@asset(
    GROUP,
    deps=list(RAW_TEXTURES.values()),
    kinds={"opencv", "deltalake"},
    code_version=FingerprintTexture.version,
    automation_condition=on_new_data(any_of=dg.AssetSelection.assets(*RAW_TEXTURES)),
    partitions=THEMES,
    **CORES,
)
def texture_fingerprints(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """What tells two textures apart: as for photos, but with the contrast stretched and more of the local features."""
    done = each(context, lake, FingerprintTexture(), raw_textures(lake, context.partition_key))
    return report(context, lake, done)


@asset(
    GROUP,
    deps=[texture_fingerprints],
    kinds={"opencv", "deltalake"},
    code_version=DropDuplicates.version,
    partitions=THEMES,
    **CORES,
)
def textures(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """Textures of all sources without duplicates: of the same or nearly the same picture, the best is kept."""
    theme = context.partition_key
    # Apart from the photos' memory: the same pixels have another fingerprint there, and so another likeness.
    near = remembering(lake.local_folder("texture_pair_memory"), theme, TEXTURE_LIMITS)
    done = choose(context, lake, DropDuplicates(near), lake.dataset("texture_fingerprints").read(theme))
    return report(context, lake, done)


@asset(
    GROUP,
    deps=[photos],
    kinds={"mediapipe", "opencv", "deltalake"},
    code_version=JudgeBodyParts.version,
    **CORES,
)
def body_part_verdicts(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], models: dg.ResourceParam[Registry]
) -> dg.MaterializeResult:
    """For each photo keep, reject or review, by whether a hand, face, ear or neck shows, with the scores behind it."""
    category = context.partition_key
    stage = JudgeBodyParts(choose_detectors(models))
    done = each(context, lake, stage, lake.dataset("photos").read(category))
    return report(context, lake, done)


class ProductConfig(dg.Config):
    """What becomes of photos that may show a person."""

    accept_review: bool = Field(
        False,
        description="Take all that waits for review, unseen, in this run: for machines without weights. "
        "To decide for good, use `jewel review`.",
    )


@asset(
    GROUP,
    deps=[body_part_verdicts],
    kinds={"deltalake"},
    code_version=KeepProducts.version,
    checks=("person_share",),
)
def product_photos(
    context: dg.AssetExecutionContext, config: ProductConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """The photos that show the piece alone. What shows a person stands in the outcomes with its reason, and so does
    what may show one, until a person has decided: `jewel review`.
    """
    category = context.partition_key
    verdicts = lake.dataset("body_part_verdicts").read(category)
    selection = KeepProducts(lake.decisions("product_photos").decisions(category), config.accept_review)
    done = choose(context, lake, selection, verdicts)
    reviewers = lake.dataset("product_photos").read(category, ["reviewed_by"]).column("reviewed_by").to_pylist()
    metadata = {
        "accept_review": config.accept_review,
        "kept by review": counts(collections.Counter(name for name in reviewers if name is not None)),
    }
    return report(context, lake, done, metadata)


class CutoutConfig(dg.Config):
    """How the background is removed."""

    engine: Literal["auto", "network", "plain"] = "auto"
    model: str = "u2netp"


@asset(
    GROUP,
    deps=[product_photos],
    kinds={"onnx", "opencv", "deltalake"},
    code_version=RemoveBackground.version,
    checks=("mask_coverage",),
    **CORES,
)
def cutouts(
    context: dg.AssetExecutionContext,
    config: CutoutConfig,
    lake: dg.ResourceParam[Lake],
    models: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Product photos without their background: PNG with alpha, one per product photo."""
    category = context.partition_key
    stage = RemoveBackground(choose_remover(models, config.engine, config.model))
    done = each(context, lake, stage, lake.dataset("product_photos").read(category))
    return report(context, lake, done)


class PoolConfig(dg.Config):
    """How the pool is divided; what is left over is `test`."""

    train: float = 0.8
    validation: float = 0.1


@asset(
    GROUP,
    deps=[cutouts, photo_fingerprints],
    kinds={"deltalake"},
    code_version=PoolImages.version,
    checks=("no_leak",),
    partitions=None,
    **CORES,
)
def image_pool(
    context: dg.AssetExecutionContext, config: PoolConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """All cut-outs together, near duplicates across categories resolved, each in train, validation or test."""
    shares = (config.train, config.validation, 1 - config.train - config.validation)
    pool = lake.dataset("image_pool").read(columns=["item_id", "split"])
    splits = dict(zip(pool["item_id"].to_pylist(), pool["split"].to_pylist(), strict=True)) if pool.num_rows else {}
    near = remembering(lake.local_folder("pair_memory"), "pool")
    selection = PoolImages(shares=shares, near=near, previous=splits)
    items = with_fingerprints(lake.dataset("cutouts").read(), lake.dataset("photo_fingerprints").read())
    done = choose(context, lake, selection, items)
    return report(context, lake, done, {"splits": table(split_counts(lake.dataset("image_pool").read()))})
