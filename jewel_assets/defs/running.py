"""How an asset runs a stage or a selection: with the settings of this process, its log, and failures as sentences."""

import dagster as dg
import pyarrow as pa

from jewel_assets.defs.reporting import sentences
from jewel_assets.lake import Lake, Progress, Selection, Stage, StageReport, run_selection, run_stage
from jewel_assets.settings import settings


def each(context: dg.AssetExecutionContext, lake: Lake, stage: Stage, items: pa.Table, write: str) -> StageReport:
    """Do `stage` to each of `items` and publish the partition's category of the dataset `write`."""

    def progress(now: Progress) -> None:
        context.log.info(
            f"{now.done} of {now.total} ({now.per_second:.1f}/s): {now.ok} ok, {now.rejected} rejected, "
            f"{now.review} to review, {now.failed} failed"
        )

    configured = settings()
    with sentences():
        return run_stage(
            lake,
            stage,
            items,
            write,
            context.partition_key,
            workers=configured.workers,
            threads=configured.threads,
            max_failed_share=configured.max_failed_share,
            progress=progress,
        )


def choose(
    context: dg.AssetExecutionContext, lake: Lake, selection: Selection, items: pa.Table, write: str
) -> StageReport:
    """Let `selection` choose among `items`; publishes the partition of `write`, or all of it without partitions."""
    # `has_partition_key` asks about the run, which may have one for other assets' sake.
    category = context.partition_key if context.assets_def.partitions_def else None
    with sentences():
        return run_selection(lake, selection, items, write, category)
