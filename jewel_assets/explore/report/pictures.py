"""Small pictures inside the page, within a limit that does not depend on how many items there are."""

from collections.abc import Callable, Mapping
from typing import Any

from jewel_assets.contact_sheet import data_uri
from jewel_assets.explore.report.data import Picture
from jewel_assets.explore.report.wording import short_name
from jewel_assets.lake.blobs import BlobStore


class Pictures:
    """Makes data URIs of the blobs of rows until `max_bytes` of them are made; then gives pictures without one."""

    def __init__(self, blobs: BlobStore, max_bytes: int) -> None:
        self.left_out = 0
        self._blobs = blobs
        self._left = max_bytes
        self._made: dict[str, str] = {}

    def of(
        self, row: Mapping[str, Any], caption: str = "", detail: str = "", *, side: int = 224, what: str = "Photo of"
    ) -> Picture:
        """The picture of an item's row, its longer side at most `side` pixels, transparent where the blob is."""
        name = str(row.get("item_id") or "")
        title = short_name(name)
        alt = f"{what} {row.get('category') or 'an item'}, {title}"
        return Picture(self._uri(row, side), alt, caption or title, name[:400], detail)

    def _uri(self, row: Mapping[str, Any], side: int) -> str | None:
        return self.kept(f"{row.get('sha256') or ''} {side}", lambda: data_uri(row, self._blobs, side))

    def kept(self, key: str, make: Callable[[], str | None]) -> str | None:
        """The data URI that `make` gives, or gave under this key before; None where it gives none or the page is full.

        An equal URI that stands on the page twice counts twice.
        """
        uri = self._made.get(key) or make()
        if uri is None:
            return None
        if len(uri) > self._left:
            self.left_out += 1
            return None
        self._made[key] = uri
        self._left -= len(uri)
        return uri
