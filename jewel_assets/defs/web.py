"""Group `collect`, continued: the raw datasets that are fetched from elsewhere. Which of them are switched on, the
operator's settings say; a source's reading and politeness live in `collect/`.
"""

import dataclasses
from typing import Any

import dagster as dg
from pydantic import Field

from jewel_assets.collect import (
    SWITCHES,
    FetchFile,
    FetchModel,
    FetchPhoto,
    KeyRefused,
    fetched_folder,
    open_fetcher,
    plan,
    queries_for,
    source_of,
)
from jewel_assets.defs.partitions import THEMES
from jewel_assets.defs.policies import asset
from jewel_assets.defs.reporting import bullets, counts, report
from jewel_assets.defs.running import each
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake

GROUP = "collect"

SLOW = 1.0
"""Seconds a file: an account that allows fewer lets a handful of them take minutes."""


class FetchConfig(dg.Config):
    """How much is fetched at a time. What is here already is never fetched again."""

    most: int = Field(500, ge=1, le=100_000, description="Search results to look at, over all queries together.")
    hours: float = Field(
        1.0, gt=0, le=10, description="Take no more than the account's limits let through in so long; the rest waits."
    )


def _web(name: str, **arguments: Any) -> dict[str, Any]:
    """What all assets of the web have in common: asked for by the nightly schedule, one run of a source at a time."""
    return {"kinds": {"python", "deltalake"}, "automation_condition": None, "pool": f"source_{name}", **arguments}


@asset(GROUP, code_version=FetchPhoto.version, **_web("unsplash"))
def unsplash_photos(
    context: dg.AssetExecutionContext, config: FetchConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Photos of Unsplash, 1600 pixels wide, with their photographers. Not for training without a permission."""
    return _fetch(context, config, lake, FetchPhoto)


@asset(GROUP, code_version=FetchPhoto.version, **_web("openverse"))
def openverse_photos(
    context: dg.AssetExecutionContext, config: FetchConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Openly licensed photographs of many collections: CC0, public domain, CC BY, with the line that credits each."""
    return _fetch(context, config, lake, FetchPhoto)


@asset(GROUP, code_version=FetchPhoto.version, **_web("met"))
def met_photos(
    context: dg.AssetExecutionContext, config: FetchConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Jewellery of The Metropolitan Museum of Art that is in the public domain: CC0."""
    return _fetch(context, config, lake, FetchPhoto)


@asset(GROUP, code_version=FetchModel.version, **_web("sketchfab"))
def sketchfab_models(
    context: dg.AssetExecutionContext, config: FetchConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """3D models of Sketchfab that may be downloaded: glTF as a ZIP or GLB, with their makers and licences."""
    return _fetch(context, config, lake, FetchModel)


@asset(GROUP, code_version=FetchPhoto.version, partitions=THEMES, **_web("openverse"))
def openverse_textures(
    context: dg.AssetExecutionContext, config: FetchConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Openly licensed photographs of surfaces and patterns, by texture theme."""
    return _fetch(context, config, lake, FetchPhoto)


@asset(GROUP, code_version=FetchPhoto.version, partitions=THEMES, **_web("pinterest"))
def pinterest_textures(
    context: dg.AssetExecutionContext, config: FetchConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Pins of surfaces and patterns, by texture theme: to look at, never to train on. Off without a permission."""
    return _fetch(context, config, lake, FetchPhoto)


WEB_PHOTOS = {"unsplash_photos": unsplash_photos, "openverse_photos": openverse_photos, "met_photos": met_photos}
WEB_TEXTURES = {"openverse_textures": openverse_textures, "pinterest_textures": pinterest_textures}
WEB_MODELS = {"sketchfab_models": sketchfab_models}


def _fetch(
    context: dg.AssetExecutionContext, config: FetchConfig, lake: Lake, stage: type[FetchFile]
) -> dg.MaterializeResult:
    """Search, say how long it will take, fetch what is new, publish all."""
    dataset, key = context.asset_key.to_user_string(), context.partition_key
    source = source_of(dataset)
    state = fetched_folder(lake)
    fetching = stage(source, state=str(state))
    queries = queries_for(source.name, SWITCHES[dataset].kind, key)
    context.log.info(f"{source.name} is searched for {', '.join(queries)}.")
    with open_fetcher(source, state, told=context.log.info) as fetcher:
        try:
            planned = plan(lake, fetching, source, dataset, key, queries, fetcher, config.most, config.hours)
        except KeyRefused as error:
            raise Permanent(f"{error} Set {SWITCHES[dataset].key} to a key that is valid.") from None
    context.log.info(planned.sentence())
    for problem in planned.problems:
        context.log.warning(problem)
    if planned.seconds > SLOW * planned.new:  # so that every few minutes something is written down and told
        fetching = dataclasses.replace(fetching, batch_size=min(fetching.batch_size, 8))
    done = each(context, lake, fetching, planned.items)
    licences = lake.dataset(dataset).read(key, ["licence"]).column("licence").to_pylist()
    metadata = {
        "plan": planned.sentence(),
        "queries": ", ".join(queries),
        "wait for a later run": planned.later,
        "problems in searching": bullets(planned.problems),
        "licences": counts({name: licences.count(name) for name in set(licences)}),
        "permission": source.training_permission or source.keeping_permission or "none stated",
    }
    return report(context, lake, done, metadata)
