"""`TextureReportData` as one HTML file that needs nothing else: no scripts, no addresses, all pictures inside."""

from jewel_assets.explore.report.render import pages
from jewel_assets.explore.report.wording import number
from jewel_assets.explore.texture_report.data import TextureReportData


def build_texture_report(data: TextureReportData) -> str:
    """The page. The same data always give the same characters; every string of the data is escaped."""
    return pages().get_template("texture_report/page.html.jinja").render(data=data, lede=lede(data)) + "\n"


def lede(data: TextureReportData) -> str:
    """The report in one sentence or two."""
    counts = {step.name: step.count for step in data.steps}
    if not counts.get("found"):
        return "There are no textures in the lake yet."
    count = counts.get("unique") or counts["found"] or 0
    sentence = f"{number(count)} texture{'s' if count != 1 else ''}"
    if not data.themes:
        return f"{sentence} were found." if count != 1 else f"{sentence} was found."
    sentence += f" in {number(len(data.themes))} theme{'s' if len(data.themes) != 1 else ''}"
    tile, part = (sum(getattr(theme, name) for theme in data.themes) for name in ("tile", "best_part"))
    return f"{sentence}. {number(tile)} can be repeated as they are; {number(part)} more if cut to their best part."
