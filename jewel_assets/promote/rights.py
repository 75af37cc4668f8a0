"""What may be done with photos on a disk: what the side-cars beside them say (`collect.sidecars` reads them)."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jewel_assets.promote.files import is_ours
from jewel_assets.promote.piece import Unfit

if TYPE_CHECKING:
    from jewel_assets.collect.sidecars import Credit

FOLDER = "folder"
"""The source of a user's own files, as `collect/policy.toml` calls it."""
TABLES = ("licences.csv", "licences.json", "licenses.csv", "licenses.json")


def credits_of(photos: Iterable[Path]) -> "tuple[dict[Path, Credit], list[str]]":
    """What side-cars say of the photos that they speak of, and what is wrong with them, a sentence each.

    They are a `licences.csv` in a photo's folder or one above it, and a JSON beside the photo; a link counts as what it
    leads to. A side-car that cannot be understood gives an empty credit, which allows nothing.
    """
    real = {photo: photo.resolve() for photo in photos}
    folders: dict[Path, dict[str, Path]] = {}
    tables: set[Path] = set()
    beside: dict[Path, Path] = {}
    for path in real.values():
        for folder in path.parents:
            if folder not in folders:
                folders[folder] = _jsons_and_tables(folder)
                tables |= {found for name, found in folders[folder].items() if name in TABLES}
        for name in (f"{path.name}.json", f"{path.stem}.json"):
            found = folders[path.parent].get(name.casefold())
            if found is not None and not is_ours(found):
                beside[path] = found
                break
    if not tables and not beside:
        return {}, []
    from jewel_assets.collect.sidecars import Sidecars, spelled

    def below(path: Path) -> str:
        return spelled(path.relative_to(path.anchor).as_posix())

    root = Path(next(iter(real.values())).anchor)
    sidecars = Sidecars(root, sorted(tables), {below(path): found for path, found in beside.items()})
    words = {photo: sidecars.word(below(path)) for photo, path in real.items()}
    return {photo: word for photo, word in words.items() if word is not None}, sidecars.problems()


def check_rights(credit: "Credit | None", permission: str) -> None:
    """Raises Unfit where what is said of a photo does not let it be shown to the world."""
    if credit is None:
        return
    from jewel_assets.collect import refuses_publishing

    why = refuses_publishing(FOLDER, credit.licence, credit.licence_url, bool(permission))
    if why is not None:
        raise Unfit("not for publishing", why.replace("`permission` in the configuration", "--permission"))


def told_of(credit: "Credit | None") -> dict[str, Any] | None:
    """A credit as the record tells it; None where no side-car speaks of the photo."""
    return None if credit is None else {name: value for name, value in vars(credit).items() if value}


def credit_line(told: Mapping[str, Any] | None) -> str | None:
    """The line that names a photo's author and licence, where a side-car named them."""
    if not told or not told.get("author"):
        return None
    licence = " ".join(str(told[name]) for name in ("licence", "licence_url") if told.get(name))
    return f"Photo: {told['author']}, {licence or 'licence unknown'}"


def _jsons_and_tables(folder: Path) -> dict[str, Path]:
    """Name, whatever its case, -> file, of what may be a side-car."""
    found: dict[str, Path] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name.casefold()
            if (name.endswith(".json") or name in TABLES) and entry.is_file():
                found[name] = Path(entry.path)
    return found
