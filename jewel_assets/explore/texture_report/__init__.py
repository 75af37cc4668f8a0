"""The texture report: one HTML file that shows the textures of every theme, how they repeat, and what was left out."""

from jewel_assets.explore.texture_report.data import TextureReportData
from jewel_assets.explore.texture_report.gather import collect_texture_data
from jewel_assets.explore.texture_report.publish import TEXTURE_REPORT_VERSION, publish_texture_report
from jewel_assets.explore.texture_report.render import build_texture_report

__all__ = [
    "TEXTURE_REPORT_VERSION",
    "TextureReportData",
    "build_texture_report",
    "collect_texture_data",
    "publish_texture_report",
]
