"""What is searched for, by category or texture theme and source: `queries.toml`, and the operator's own file."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from jewel_assets.errors import Permanent
from jewel_assets.settings import settings

Kind = Literal["categories", "themes"]


def queries_for(source: str, kind: Kind, key: str) -> list[str]:
    """The queries of a category or theme for a source, in the order in which they are asked.

    Raises Permanent where the operator's file (JEWEL_QUERIES) cannot be read. A theme or category that no file names
    is searched for by its own name.
    """
    shipped = tomllib.loads(files("jewel_assets.collect").joinpath("queries.toml").read_text())
    own = settings().queries
    entry = dict(shipped.get(kind, {}).get(key, {})) | (_read(own, kind, key) if own else {})
    found = entry.get(source) or entry.get("queries") or [key if kind == "categories" else f"{key} texture"]
    return [str(query).strip() for query in found if str(query).strip()]


def shares(most: int, queries: Sequence[str]) -> list[tuple[str, int]]:
    """How many results to take for each query, so that they are `most` in all; the first ones get what is left over."""
    each, left = divmod(most, max(1, len(queries)))
    return [(query, each + (number < left)) for number, query in enumerate(queries) if each + (number < left)]


def _read(path: Path, kind: Kind, key: str) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text()).get(kind, {}).get(key, {})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Permanent(f"JEWEL_QUERIES={path} cannot be read ({error}): mend it or unset it.") from error
    if not isinstance(found, dict) or not all(isinstance(value, list) for value in found.values()):
        raise Permanent(f"JEWEL_QUERIES={path}: [{kind}.{key}] should hold lists of queries, `queries` or a source's.")
    return found
