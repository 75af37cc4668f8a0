"""How an asset runs a stage or a selection: with the settings of this process, its log, and failures as sentences."""

import dagster as dg
import pyarrow as pa

from jewel_assets.defs.reporting import partition_of
from jewel_assets.lake import Lake, Progress, Selection, Stage, StageReport, run_selection, run_stage
from jewel_assets.settings import settings


def each(context: dg.AssetExecutionContext, lake: Lake, stage: Stage, items: pa.Table) -> StageReport:
    """Do `stage` to each of `items` and publish the partition of the asset's dataset."""

    def progress(now: Progress) -> None:
        context.log.info(
            f"{now.done} of {now.total} ({now.per_second:.1f}/s): {now.ok} ok, {now.rejected} rejected, "
            f"{now.review} to review, {now.failed} failed"
        )

    configured = settings()
    return run_stage(
        lake,
        stage,
        items,
        context.asset_key.to_user_string(),
        context.partition_key,
        workers=configured.workers,
        threads=configured.threads,
        max_failed_share=configured.max_failed_share,
        progress=progress,
    )


def choose(context: dg.AssetExecutionContext, lake: Lake, selection: Selection, items: pa.Table) -> StageReport:
    """Let `selection` choose among `items` and publish the partition of the asset's dataset, or all of it."""
    return run_selection(lake, selection, items, context.asset_key.to_user_string(), partition_of(context))
