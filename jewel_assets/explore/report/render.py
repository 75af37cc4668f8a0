"""`ReportData` as one HTML file that needs nothing else: no scripts, no addresses, pictures and styles inside."""

from functools import lru_cache
from typing import TYPE_CHECKING

from jewel_assets.explore.report.charts import histogram_svg, map_svg, short_number
from jewel_assets.explore.report.data import ReportData
from jewel_assets.explore.report.wording import listed, moment, number, percent, words

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def build_report(data: ReportData) -> str:
    """The page. The same data always give the same characters; every string of the data is escaped."""
    return _template().render(data=data, lede=lede(data)) + "\n"


def lede(data: ReportData) -> str:
    """The report in one sentence or two."""
    counts = {step.name: step.count for step in data.steps}
    if not counts.get("found"):
        return "There is nothing in the lake yet."
    parts = [
        f"{number(count)} {verb}"
        for name, verb in (
            ("unique", "are unique"),
            ("shown alone", "show the piece alone"),
            ("cut out", "were cut out"),
        )
        if (count := counts.get(name)) is not None
    ]
    found = f"{number(counts['found'])} photos were found"
    sentence = f"{found}; {', '.join(parts)}." if parts else f"{found}."
    if data.clusters_in_all:
        sentence += f" They fall into {number(data.clusters_in_all)} design clusters."
    return sentence


@lru_cache(maxsize=1)
def _template() -> "Template":
    return pages().get_template("report/report.html.jinja")


def pages() -> "Environment":
    """Where the pages of reports are made, from the templates below `explore`; what they print is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("jewel_assets.explore", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(number=number, moment=moment, words=words, histogram=histogram_svg, map_drawing=map_svg)
    environment.filters.update(short=short_number, listed=listed)
    environment.globals["percent"] = percent
    return environment
