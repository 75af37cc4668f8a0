"""A dataset as folders that people know: `ring_filter_keep/`, `train/ring/`, with a table of who made what."""

import csv
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from jewel_assets.errors import Permanent
from jewel_assets.lake.blobs import extension_of
from jewel_assets.lake.datasets import Lake
from jewel_assets.lake.schema import blob_fields, blobs_of

FOLDERS = {
    "product_photos": "{category}_filter_keep",
    "body_part_verdicts": "{category}_filter_{verdict}",
    "image_pool": "{split}/{category}",
    "design_clusters": "cluster_{cluster_id:03d}_{cluster_name}",
}
"""Dataset -> the folder that each of its rows goes to. Others, and rows without these values, go to `OTHER_FOLDERS`."""

OTHER_FOLDERS = "{category}_{dataset}"

LIST = "items.csv"
"""The list beside the folders: what lies where, where it came from, and what may be done with it."""

NAME_BYTES = 180
"""File names are cut to this many bytes, so that hash and extension fit in the 255 that file systems allow."""

_OURS = ("file", "dataset", "category", "sha256")  # columns of the list that tell an export from somebody's table
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet take a cell for a formula


def export(
    lake: Lake,
    dataset: str,
    folder: Path,
    category: str | None = None,
    copy: bool = False,
    may_train: bool = False,
) -> int:
    """Write the files of `dataset` below `folder` and return how many.

    Files are hard links to the lake's blobs where that is possible (same disk; they are read-only, because the blob
    would change with them), else copies; `copy=True` always copies. `may_train=True` leaves out what no model may be
    trained on. Each item has a file of its own, named after its source and the first 12 digits of its blob's SHA-256;
    blobs beside it (its mask) lie beside it, named after both.

    `items.csv` beside them lists all that was exported to `folder`, of whatever dataset. Text in it that a spreadsheet
    would take for a formula has an apostrophe before it: authors and addresses come from strangers. By that list an
    export over an older one removes the files of items that the dataset (or category) no longer has, unless somebody
    changed them; nothing else is ever removed.

    Raises Permanent, and writes nothing, where there is nothing to export, a blob is lost, or `items.csv` is not ours.
    """
    rows = lake.dataset(dataset).read(category)
    if may_train and rows.num_rows:
        rows = rows.filter(rows.column("may_train"))
        if not rows.num_rows:
            raise Permanent(f"Of {dataset}, nothing may be trained on: its licences do not allow it (policy.toml).")
    if not rows.num_rows:
        raise Permanent(f"{dataset} has no rows{f' of {category}' if category else ''}: materialize it first.")
    _check(lake, dataset, rows, folder)
    rows = rows.select([field.name for field in rows.schema if not pa.types.is_nested(field.type)])
    others: list[dict[str, Any]] = []
    replaced: list[dict[str, Any]] = []
    for entry in _listed(folder / LIST):
        mine = entry["dataset"] == dataset and category in (None, entry["category"])
        (replaced if mine else others).append(entry)
    new = _new_list(dataset, rows, {_folded(entry["file"]) for entry in others})
    names = {_folded(entry["file"]) for entry in new}
    stale = [entry for entry in replaced if _folded(entry["file"]) not in names]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Before the files: whatever stops this export, the next one knows all that it left behind.
        _write_list(folder / LIST, [*others, *stale, *new])
        for entry in new:
            _put(lake, entry, folder / entry["file"], copy)
        for entry in stale:
            _remove(folder, entry)
        _write_list(folder / LIST, [*others, *new])
    except OSError as error:
        raise Permanent(f"{folder} cannot be written ({error}): make room or choose another folder.") from error
    return len(new)


def _check(lake: Lake, dataset: str, rows: pa.Table, folder: Path) -> None:
    if lake.blobs.is_local and folder.resolve().is_relative_to(Path(lake.root).resolve()):
        raise Permanent(f"{folder} is inside the lake: choose a folder elsewhere.")
    try:
        blobs = [blob for named in blobs_of(rows) for blob in named if extension_of(blob[1])]
    except ValueError as error:
        raise Permanent(f"{dataset} cannot be exported: {error}") from error
    lost = lake.blobs.missing(blobs)
    if lost:
        raise Permanent(
            f"{len(lost)} blobs of {dataset} are gone, first {lost[0]}; nothing was exported. "
            "`jewel lake verify` says what to do."
        )


def _new_list(dataset: str, rows: pa.Table, taken: set[str]) -> list[dict[str, Any]]:
    """One entry per row: its file, relative to the folder, and its columns; one more per blob beside it."""
    entries = []
    further = blob_fields(rows.schema)
    for row in rows.to_pylist():
        extension = extension_of(row["media_type"])
        stem = f"{_place(dataset, row)}/{_plain(Path(row['source_id']).stem)}-{row['sha256'][:12]}"
        free, number = stem, 1
        while _folded(f"{free}.{extension}") in taken:
            number += 1
            free = f"{stem}-{number}"
        taken.add(_folded(f"{free}.{extension}"))
        entries.append({"file": f"{free}.{extension}", "dataset": dataset, **row})
        for column, media_type in further.items():
            if row[column] is not None:
                file = f"{free}.{column.removesuffix('_sha256')}.{extension_of(media_type)}"
                own = {"sha256": row[column], "media_type": media_type, "bytes": None}
                entries.append({"file": file, "dataset": dataset, **row, **own})
                taken.add(_folded(file))
    return entries


def _place(dataset: str, row: Mapping[str, Any]) -> str:
    spelled = {name: _plain(value) if isinstance(value, str) else value for name, value in row.items()}
    known = {name: value for name, value in spelled.items() if value is not None} | {"dataset": dataset}
    try:
        return FOLDERS.get(dataset, OTHER_FOLDERS).format(**known)
    except (KeyError, ValueError):
        return OTHER_FOLDERS.format(**known)


def _folded(file: str) -> str:
    """Equal for names that macOS and Windows take for the same file."""
    return unicodedata.normalize("NFC", file).casefold()


def _plain(name: str) -> str:
    """`name` without what file systems or shells stumble over, of at most NAME_BYTES bytes, never empty."""
    spelled = unicodedata.normalize("NFC", name)
    spelled = re.sub(r"[^\w.()+-]+", "_", spelled).strip("._-")
    cut = spelled.encode()[:NAME_BYTES].decode(errors="ignore").rstrip("._-")
    return cut or "item"


def _put(lake: Lake, row: Mapping[str, Any], target: Path, copy: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    sha256, media_type = row["sha256"], row["media_type"]
    blob = lake.blobs.local_path(sha256, media_type)
    linked = blob is not None and target.exists() and target.samefile(blob)
    if (linked and not copy) or (not linked and _holds(target, sha256)):
        return
    part = target.with_name(f".{sha256}.part")  # somebody may have the old file open, and a copy takes a while
    part.unlink(missing_ok=True)
    try:
        if blob is None:
            part.write_bytes(lake.blobs.get(sha256, media_type))
        elif copy or not _link(blob, part):
            shutil.copyfile(blob, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _link(blob: Path, target: Path) -> bool:
    try:
        os.link(blob, target)
    except FileNotFoundError:
        raise
    except OSError:
        return False  # another disk, or a file system without hard links
    return True


def _holds(path: Path, sha256: str) -> bool:
    """Whether this is a file with these very bytes."""
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _remove(folder: Path, entry: Mapping[str, Any]) -> None:
    """Remove a file that an earlier export wrote, and its folder once that is empty."""
    path = folder / entry["file"]
    inside = path.resolve().is_relative_to(folder.resolve())  # people edit lists
    if inside and _holds(path, entry["sha256"]):
        path.unlink()
        for parent in path.relative_to(folder).parents:
            if parent != Path() and not any((folder / parent).iterdir()):
                (folder / parent).rmdir()


def _listed(path: Path) -> list[dict[str, Any]]:
    """What an earlier export listed; nothing if there was none."""
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = [{name: value or None for name, value in row.items() if name} for row in reader]
            if set(_OURS) <= set(reader.fieldnames or ()) and all(row[name] for row in rows for name in _OURS):
                return rows
    except (OSError, ValueError, csv.Error):
        pass  # what cannot be read is not ours
    raise Permanent(f"{path} is not the list of an earlier export: choose another folder, or move that file away.")


def _write_list(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for entry in entries for name in entry))
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({name: _cell(value) for name, value in entry.items()} for entry in entries)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
