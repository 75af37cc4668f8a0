"""Group `collect`: the raw datasets, one per source, here those of folders; `web` has those that are fetched.

A source's reading and politeness live in `collect/`.
"""

import dagster as dg
import pyarrow as pa

from jewel_assets.collect import TEXTURES, ReadPhoto, list_folder, survey_folder
from jewel_assets.defs.partitions import THEMES
from jewel_assets.defs.policies import CORES, asset
from jewel_assets.defs.reporting import bullets, report
from jewel_assets.defs.running import each
from jewel_assets.defs.shape import catalogue_photos
from jewel_assets.defs.web import WEB_PHOTOS, WEB_TEXTURES
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake
from jewel_assets.settings import settings

GROUP = "collect"


@asset(
    GROUP,
    kinds={"python", "deltalake"},
    code_version=ReadPhoto.version,
    automation_condition=None,  # the nightly schedule asks for it
    **CORES,
)
def folder_photos(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """Photos of the folder `JEWEL_PHOTOS`: upright, 8-bit sRGB, without GPS; author and licence from side-cars."""
    configured = settings()
    if configured.photos is None:
        raise Permanent("No photo folder is set: set JEWEL_PHOTOS to a folder with one sub-folder per category.")
    survey = survey_folder(configured.photos)
    files = list_folder(configured.photos, context.partition_key, memory=lake.local_folder("folder_hashes"))
    for sentence in survey.sentences():
        context.log.warning(sentence)
    done = each(context, lake, ReadPhoto(), files)
    metadata = {
        "folder": dg.MetadataValue.path(str(configured.photos)),
        "to know about the folder": bullets(survey.sentences()),
    }
    return report(context, lake, done, metadata)


RAW_PHOTOS: dict[str, dg.AssetsDefinition] = {
    "folder_photos": folder_photos,
    "catalogue_photos": catalogue_photos,
    **WEB_PHOTOS,
}
"""The raw photo datasets that `photos` merges, by name; any may be missing. A new source adds its asset here."""


def raw_photos(lake: Lake, category: str) -> pa.Table:
    """The rows of every raw photo dataset of a category."""
    tables = [lake.dataset(name).read(category) for name in RAW_PHOTOS]
    return pa.concat_tables(tables, promote_options="default")


@asset(
    GROUP,
    kinds={"python", "deltalake"},
    code_version=ReadPhoto.version,
    partitions=THEMES,
    automation_condition=None,  # the nightly schedule asks for it
    **CORES,
)
def folder_textures(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """Textures of the folder `JEWEL_TEXTURES`, by texture theme; read as photos are, licences from side-cars."""
    configured = settings()
    if configured.textures is None:
        raise Permanent(f"No texture folder is set. {TEXTURES.how}.")
    survey = survey_folder(configured.textures, TEXTURES)
    files = list_folder(configured.textures, context.partition_key, lake.local_folder("folder_hashes"), TEXTURES)
    for sentence in survey.sentences():
        context.log.warning(sentence)
    done = each(context, lake, ReadPhoto(), files)
    metadata = {
        "folder": dg.MetadataValue.path(str(configured.textures)),
        "to know about the folder": bullets(survey.sentences()),
    }
    return report(context, lake, done, metadata)


RAW_TEXTURES: dict[str, dg.AssetsDefinition] = {"folder_textures": folder_textures, **WEB_TEXTURES}
"""The raw texture datasets that `textures` merges, by name; any may be missing. A new source adds its asset here."""


def raw_textures(lake: Lake, theme: str) -> pa.Table:
    """The rows of every raw texture dataset of a theme."""
    tables = [lake.dataset(name).read(theme) for name in RAW_TEXTURES]
    return pa.concat_tables(tables, promote_options="default")
