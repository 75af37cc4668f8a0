"""Jobs by name, the nightly schedule, and the sensor that lets downstream assets follow new data."""

from collections.abc import Iterator

import dagster as dg

from jewel_assets.defs.partitions import CATEGORIES

SOURCES = dg.AssetSelection.groups("collect")

refresh_category = dg.define_asset_job(
    "refresh_category",
    selection=dg.AssetSelection.groups("collect", "clean", "explore")
    - dg.AssetSelection.assets("image_pool", "design_clusters", "dataset_report"),
    description="One category, from its sources to embeddings. Stops before anything that spans categories or trains.",
)

pool_and_report = dg.define_asset_job(
    "pool_and_report",
    selection=dg.AssetSelection.assets("image_pool", "design_clusters", "dataset_report"),
    description="All categories together: the image pool, the design clusters, the report.",
)

collect_category = dg.define_asset_job(
    "collect_category", selection=SOURCES, description="Fetch one category from every configured source, nothing more."
)

catalogue_category = dg.define_asset_job(
    "catalogue_category",
    selection=dg.AssetSelection.groups("shape"),
    description="Draw, build, check and photograph the catalogue of one category; its photos then feed `photos`.",
)


@dg.schedule(
    job=collect_category,
    cron_schedule="0 2 * * *",
    description="At 02:00, fetch every category anew; what is downstream follows where data changed.",
)
def nightly_rescrape(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """One run per category. (`build_schedule_from_partitioned_job` refuses a cron schedule for static partitions.)"""
    day = context.scheduled_execution_time.date().isoformat()
    for category in CATEGORIES.get_partition_keys():
        yield dg.RunRequest(run_key=f"{day}:{category}", partition_key=category, tags={"jewel/reason": "nightly"})


follow_new_data = dg.AutomationConditionSensorDefinition(
    "follow_new_data",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for runs of assets whose upstream data or code changed.",
)
