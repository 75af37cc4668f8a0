"""Numbers, times and names as people read them."""

import re
from collections.abc import Iterable
from datetime import datetime

from jewel_assets.explore.report.data import Share


def number(value: int | None) -> str:
    """1481 -> "1,481"; None -> a dash."""
    return "–" if value is None else f"{value:,}"


def percent(part: float, whole: float = 1.0) -> str:
    """A share as people write it: 0 %, < 0.1 %, 3.4 %, 78 %, 100 %."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:
        return "< 0.1 %"
    if share < 10:
        return f"{share:.1f} %".replace(".0 %", " %")
    return "> 99 %" if 99.5 <= share < 100 else f"{share:.0f} %"


def moment(value: datetime | None) -> str:
    """20 November 2026, 10:40 UTC."""
    if value is None:
        return "–"
    zone = value.tzname() or ""
    return f"{value.day} {value:%B %Y, %H:%M} {zone}".rstrip()


def words(name: str) -> str:
    """A dataset's name as a caption: "body part verdicts"."""
    return name.replace("_", " ")


def listed(shares: Iterable[Share]) -> str:
    """Counts in one line: "near duplicate 32 · exact duplicate 16"."""
    return " · ".join(f"{share.label} {share.count:,}" for share in shares)


def short_name(item_id: str) -> str:
    """The last part of an item's id without its extension: `folder:ring/IMG 1.jpg` is `IMG 1`. One line, 80 letters."""
    name = re.sub(r"\.[A-Za-z0-9]{2,5}$", "", re.split(r"[/\\]", item_id.partition(":")[2] or item_id)[-1])
    return one_line(name or item_id, 80)


def one_line(text: str, length: int) -> str:
    """`text` without line breaks and other unprintable marks, ended with an ellipsis where it is longer."""
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in text[: 4 * length]).split())
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
