"""Jobs by name, the nightly schedule, and the sensor that lets downstream assets follow new data."""

from collections.abc import Iterator
from typing import Literal

import dagster as dg

from jewel_assets.collect import SWITCHES, is_on
from jewel_assets.collect import TEXTURES as TEXTURE_FOLDER
from jewel_assets.defs.partitions import CATEGORIES, THEMES
from jewel_assets.defs.policies import BY_THEME
from jewel_assets.errors import Permanent
from jewel_assets.settings import settings

AT_NIGHT = {"dagster/max_runtime": str(12 * 3600)}
"""Seconds: the runs of a night wait for each other, source by source."""

ABOUT_ALL = ("image_pool", "design_clusters", "dataset_report", "texture_report")
"""What spans the categories or themes, and therefore belongs to no job of one of them."""

TEXTURES = dg.AssetSelection.tag(*next(iter(BY_THEME.items())))


def switched_on(kind: Literal["categories", "themes"]) -> list[str]:
    """The raw datasets whose source the operator has set. (The others are in the graph, too, and say what to set.)"""
    try:
        configured = settings()
    except Permanent:
        return []  # the graph can be seen all the same; every asset says what is wrong with the settings
    folders = {"categories": ("folder_photos", configured.photos), "themes": ("folder_textures", configured.textures)}
    name, folder = folders[kind]
    web = [name for name, switch in SWITCHES.items() if switch.kind == kind and is_on(name)]
    return [name, *web] if folder is not None else web


# Jobs are what was switched on when the code location was loaded; without any source, the folder's says what to do.
PHOTO_SOURCES = dg.AssetSelection.assets(*(switched_on("categories") or ["folder_photos"]))
TEXTURE_SOURCES = dg.AssetSelection.assets(*(switched_on("themes") or ["folder_textures"]))

refresh_category = dg.define_asset_job(
    "refresh_category",
    selection=PHOTO_SOURCES
    | (dg.AssetSelection.groups("clean", "explore") - dg.AssetSelection.assets(*ABOUT_ALL) - TEXTURES),
    description="One category, from its sources to embeddings. Stops before anything that spans categories or trains.",
)

pool_and_report = dg.define_asset_job(
    "pool_and_report",
    selection=dg.AssetSelection.assets("image_pool", "design_clusters", "dataset_report"),
    description="All categories together: the image pool, the design clusters, the report.",
)

collect_category = dg.define_asset_job(
    "collect_category",
    tags=AT_NIGHT,
    selection=PHOTO_SOURCES,
    description="Fetch one category from every configured source, nothing more.",
)

refresh_theme = dg.define_asset_job(
    "refresh_theme",
    selection=TEXTURE_SOURCES | (TEXTURES - dg.AssetSelection.groups("collect")),
    description="One texture theme, from its sources to measures. Stops before the report, which is about all of them.",
)

collect_theme = dg.define_asset_job(
    "collect_theme",
    tags=AT_NIGHT,
    selection=TEXTURE_SOURCES,
    description="Fetch one texture theme from every configured source, nothing more.",
)

catalogue_category = dg.define_asset_job(
    "catalogue_category",
    selection=dg.AssetSelection.groups("shape") - dg.AssetSelection.assets("stl_models"),
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


@dg.schedule(
    job=collect_theme,
    cron_schedule="30 2 * * *",
    description="At 02:30, fetch every texture theme anew, if there is a source of textures.",
)
def nightly_textures(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per theme; none where no source of textures is set, as textures are not what everybody has."""
    if not switched_on("themes"):
        yield dg.SkipReason(f"No source of textures is set. {TEXTURE_FOLDER.how}, or switch a source on.")
        return
    day = context.scheduled_execution_time.date().isoformat()
    for theme in THEMES.get_partition_keys():
        yield dg.RunRequest(run_key=f"{day}:{theme}", partition_key=theme, tags={"jewel/reason": "nightly"})


follow_new_data = dg.AutomationConditionSensorDefinition(
    "follow_new_data",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for runs of assets whose upstream data or code changed.",
)
