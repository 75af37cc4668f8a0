"""Where the texture report goes: as the dataset report does, a blob, a row, and a file that a person can open."""

from collections.abc import Sequence
from datetime import datetime

from jewel_assets.explore.report.publish import publish_page
from jewel_assets.explore.texture_report.gather import collect_texture_data
from jewel_assets.explore.texture_report.render import build_texture_report
from jewel_assets.explore.texture_report.tables import TextureTables
from jewel_assets.lake import Lake, StageReport

DATASET = "texture_report"
TEXTURE_REPORT_VERSION = "2"  # raise it when the same data would now give another page


def publish_texture_report(lake: Lake, sources: Sequence[str], now: datetime | None = None) -> StageReport:
    """Make the report anew if any texture dataset changed since the last one; `sources` are the raw ones."""

    def page(made_at: datetime) -> str:
        return build_texture_report(collect_texture_data(lake, made_at=made_at, sources=sources))

    about = TextureTables(lake, sources).names
    return publish_page(lake, DATASET, TEXTURE_REPORT_VERSION, about, page, now=now)
