"""Group `promote`: from cut-outs to promotional images. On request: which template and seed is somebody's choice."""

from collections import Counter
from pathlib import Path
from typing import Literal

import dagster as dg
from pydantic import Field

from jewel_assets.defs.clean import cutouts, textures
from jewel_assets.defs.policies import CORES, asset
from jewel_assets.defs.reporting import counts, report
from jewel_assets.defs.running import each
from jewel_assets.lake import Lake
from jewel_assets.promote.plates import PICTURE
from jewel_assets.promote.posts import PackPost, WriteCaption, list_posts
from jewel_assets.promote.stages import RenderPromo, list_promos
from jewel_assets.promote.templates import library, with_plates
from jewel_assets.promote.textures import textures_of
from jewel_assets.settings import settings

GROUP = "promote"


class PromoConfig(dg.Config):
    """Which images are made of each cut-out."""

    templates: list[str] = Field(
        ["velvet-midnight", "marble-ivory"], min_length=1, description="Names: `jewel promote templates` lists them."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Another seed, other plates.")
    width: int = Field(1080, ge=64, le=8192, description="Pixels.")
    height: int = Field(1080, ge=64, le=8192, description="Pixels.")
    relit: bool = Field(
        False, description="Let the scene's light fall on the piece, within bounds; else no pixel of it changes."
    )
    permission: str = Field(
        "",
        description="A sentence saying who permits to publish what its licence leaves open: your own photos.",
    )
    accept_doubtful: bool = Field(
        False, description="Take cut-outs that their own step calls doubtful, too: look at the contact sheet then."
    )
    textures: list[str] = Field(
        [],
        description="Instead of the templates' own plates: textures, by item id, or all of a theme. What may not be "
        "published is refused.",
    )
    engine: Literal["template", "procedural", "diffusion"] = Field(
        "template", description="What makes the plates: as each template says, or one for all (diffusion: extra `ml`)."
    )
    model: str = Field("", description="Of the diffusion: a folder of diffusers, or a model's name in the registry.")
    prompt: str = Field("", description="What the network paints; empty: told from each template.")
    items: list[str] = Field([], description="Item ids of cut-outs, to render only these; empty: all.")


@asset(
    GROUP,
    deps=[cutouts, dg.AssetDep(textures, partition_mapping=dg.AllPartitionMapping())],
    kinds={"opencv", "deltalake"},
    code_version=RenderPromo.version,
    automation_condition=None,  # on request: see above
    **CORES,
)
def promo_renders(
    context: dg.AssetExecutionContext, config: PromoConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Promotional images: each cut-out on the plates of the chosen templates, its own pixels kept."""
    known = library(settings().templates)
    mode = "relit" if config.relit else "strict"
    chosen = [known.get(name).model_copy(update={"mode": mode}) for name in config.templates]
    found, left_out = textures_of(lake, config.textures, config.permission)
    for sentence in left_out:
        context.log.warning(sentence)
    engine = None if config.engine == "template" else config.engine
    chosen = with_plates(chosen, found, PICTURE, engine, config.model, config.prompt)
    category = context.partition_key
    before = lake.dataset("promo_renders")
    here = before.read(category) if before.exists() else None
    size, cutouts_here = (config.width, config.height), lake.dataset("cutouts").read(category)
    items = list_promos(cutouts_here, chosen, config.seed, size, config.permission, config.items, here)
    done = each(context, lake, RenderPromo(config.accept_doubtful), items)
    made = lake.dataset("promo_renders").read(category)
    return report(context, lake, done, {"templates": counts(Counter(made["template_name"].to_pylist()))})


class CaptionConfig(dg.Config):
    """How the captions sound."""

    tone: Literal["elegant", "playful", "minimal", "festive"] = Field("elegant", description="Of the words.")
    language: str = Field("en", description="`en`, `de`, `fr`, or one of your own files in JEWEL_CAPTIONS.")
    seed: int = Field(0, ge=0, lt=2**31, description="Another seed, other words.")
    brand: str = Field("", description="Your name, where it may be mentioned.")
    network: str = Field(
        "", description="A folder with a captioning network (BLIP, GIT): it writes the alternative texts, in English."
    )


@asset(
    GROUP,
    deps=[promo_renders],
    kinds={"python", "deltalake"},
    code_version=WriteCaption.version,
    automation_condition=None,  # on request: see above
    **CORES,
)
def promo_captions(
    context: dg.AssetExecutionContext, config: CaptionConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Captions, hashtags and alternative texts: what the cut-out shows in words, never more than it shows."""
    network = Path(config.network) if config.network else None
    stage = WriteCaption(config.tone, config.language, config.seed, config.brand, settings().captions, network)
    done = each(context, lake, stage, lake.dataset("promo_renders").read(context.partition_key))
    rows = lake.dataset("promo_captions").read(context.partition_key)
    metals = Counter(metal or "not to be told" for metal in rows["metal"].to_pylist())
    return report(context, lake, done, {"metals": counts(metals)})


@asset(
    GROUP,
    deps=[promo_captions],
    kinds={"python", "deltalake"},
    code_version=PackPost.version,
    automation_condition=None,  # on request: see above
    **CORES,
)
def instagram_exports(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """Posts ready for Instagram, a ZIP each: all images of a piece, their caption, records; validated, not posted."""
    captions = lake.dataset("promo_captions").read(context.partition_key)
    done = each(context, lake, PackPost(), list_posts(captions))
    rows = lake.dataset("instagram_exports").read(context.partition_key)
    return report(context, lake, done, {"formats": counts(Counter(rows["form"].to_pylist()))})
