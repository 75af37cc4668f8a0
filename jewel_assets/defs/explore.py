"""Group `explore`: measures and embeddings of the pictures, the design clusters, and the reports that show it all."""

import time
from typing import Literal

import dagster as dg

from jewel_assets.defs.clean import body_part_verdicts, cutouts, image_pool, photos, product_photos, textures
from jewel_assets.defs.collect import RAW_PHOTOS, RAW_TEXTURES
from jewel_assets.defs.partitions import THEMES
from jewel_assets.defs.policies import CORES, asset, on_new_data
from jewel_assets.defs.reporting import report
from jewel_assets.defs.running import each
from jewel_assets.explore import (
    CLUSTERS_VERSION,
    ClusterConfig,
    Embed,
    MeasurePhoto,
    choose_embedder,
    cluster_table,
    publish_clusters,
    words_of,
)
from jewel_assets.explore.report import REPORT_VERSION, publish_report, report_path
from jewel_assets.explore.texture_report import TEXTURE_REPORT_VERSION, publish_texture_report
from jewel_assets.explore.textures import MeasureTexture
from jewel_assets.lake import Lake, StageReport
from jewel_assets.registry import Registry
from jewel_assets.settings import settings

GROUP = "explore"


@asset(
    GROUP,
    deps=[photos],
    kinds={"opencv", "deltalake"},
    code_version=MeasurePhoto.version,
    **CORES,
)
def photo_measures(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """Sharpness, exposure, contrast and palette of each photo: what the report says of their quality."""
    category = context.partition_key
    done = each(context, lake, MeasurePhoto(), lake.dataset("photos").read(category))
    return report(context, lake, done)


class EmbeddingConfig(dg.Config):
    """Which engine makes the vectors; `auto` takes the best that is here."""

    engine: Literal["auto", "open_clip", "mobilenet", "classical"] = "auto"


@asset(
    GROUP,
    deps=[cutouts],
    kinds={"deltalake", "scikitlearn"},
    code_version=Embed.version,
    **CORES,
)
def image_embeddings(
    context: dg.AssetExecutionContext,
    config: EmbeddingConfig,
    lake: dg.ResourceParam[Lake],
    models: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """A vector for each cut-out, float32 of length one: near vectors, similar pieces."""
    category = context.partition_key
    stage = Embed(choose_embedder(models, config.engine))
    done = each(context, lake, stage, lake.dataset("cutouts").read(category))
    return report(context, lake, done)


class DesignClusterConfig(dg.Config):
    """How the clusters are found: `k` fixes their number, else it is chosen between `k_min` and `k_max`."""

    k: int | None = None
    k_min: int = 5
    k_max: int = 24
    seed: int = 0


@asset(
    GROUP,
    deps=[image_embeddings, image_pool],
    kinds={"scikitlearn", "deltalake"},
    code_version=CLUSTERS_VERSION,
    checks=("cluster_sizes",),
    partitions=None,
    **CORES,
)
def design_clusters(
    context: dg.AssetExecutionContext,
    config: DesignClusterConfig,
    lake: dg.ResourceParam[Lake],
    models: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Pieces that look alike, grouped and named; a cluster keeps its id when it is found again."""
    started = time.monotonic()
    wanted = ClusterConfig(k=config.k, k_range=(config.k_min, config.k_max), seed=config.seed)
    found = publish_clusters(lake, wanted, words_of(lake, models), settings().cores)
    if found.note:
        context.log.warning(found.note)
    done = StageReport.whole(found.publication, found.engine, time.monotonic() - started, found.reused)
    metadata = {"clusters": dg.MetadataValue.md(cluster_table(found.clusters)), "note": found.note or "none"}
    return report(context, lake, done, metadata)


@asset(
    GROUP,
    deps=[*RAW_PHOTOS.values(), photos, photo_measures, body_part_verdicts, product_photos, cutouts, design_clusters],
    kinds={"html"},
    code_version=REPORT_VERSION,
    automation_condition=on_new_data(any_of=dg.AssetSelection.assets(*RAW_PHOTOS)),
    partitions=None,
)
def dataset_report(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], models: dg.ResourceParam[Registry]
) -> dg.MaterializeResult:
    """One HTML page about the whole lake: what was found, what was lost and why, the worst cases, the clusters."""
    done = publish_report(lake, tuple(RAW_PHOTOS), models.present())
    return report(context, lake, done, {"report": dg.MetadataValue.path(report_path(lake))})


@asset(
    GROUP,
    deps=[textures],
    kinds={"opencv", "deltalake"},
    code_version=MeasureTexture.version,
    partitions=THEMES,
    **CORES,
)
def texture_measures(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """Whether each texture tiles, by which part of it, whether it repeats itself, its palette and sharpness."""
    done = each(context, lake, MeasureTexture(), lake.dataset("textures").read(context.partition_key))
    return report(context, lake, done)


@asset(
    GROUP,
    deps=[*RAW_TEXTURES.values(), textures, texture_measures],
    kinds={"html"},
    code_version=TEXTURE_REPORT_VERSION,
    automation_condition=on_new_data(any_of=dg.AssetSelection.assets(*RAW_TEXTURES)),
    partitions=None,
)
def texture_report(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """One HTML page about the textures: those of each theme, how they repeat, the worst seams, what was left out."""
    done = publish_texture_report(lake, tuple(RAW_TEXTURES))
    return report(context, lake, done, {"report": dg.MetadataValue.path(report_path(lake, "texture_report"))})
