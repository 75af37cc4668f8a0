"""The dataset report: one HTML file that shows what is in the lake, what was lost on the way, and what to look at."""

from jewel_assets.explore.report.data import ReportData
from jewel_assets.explore.report.gather import collect_report_data
from jewel_assets.explore.report.publish import REPORT_VERSION, publish_report, report_path
from jewel_assets.explore.report.render import build_report

__all__ = ["REPORT_VERSION", "ReportData", "build_report", "collect_report_data", "publish_report", "report_path"]
