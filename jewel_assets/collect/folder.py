"""The source `folder`: photos that lie in a folder with one sub-folder per category.

The name of a folder directly in the root says the category (`categories.category_of`: `rings`, `Ring`, `watch`), for
everything below it at any depth; several may mean the same. Photos that lie loose in the root are of category
`jewelry`; other loose files are left alone. Folders whose names mean no category are not read but reported
(`survey_folder`). Every other file becomes a row: what it really is, `ReadPhoto` finds out from its content.
"""

import contextlib
import hashlib
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from jewel_assets.categories import CATEGORIES, category_of, nearest_category
from jewel_assets.collect.hashes import sha256_of
from jewel_assets.collect.sidecars import TABLE_NAMES, Sidecars, spelled
from jewel_assets.collect.walk import Found, is_ignored, shown, to_text, walk
from jewel_assets.errors import Permanent

log = logging.getLogger(__name__)

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".gif", ".tif", ".tiff", ".bmp"})
"""By these names loose files in the root are taken for photos, and a `.json` for the side-car of one beside it."""

MASKS = "masks"
"""A folder of this name in the root holds the masks of the photos beside it, and no photos."""

LOOSE_CATEGORY = "jewelry"
"""Of the photos that lie in the root itself: the category of what is sorted into none of the others."""

FOLDER_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),  # "folder:" + path within the root, POSIX, NFC
        pa.field("category", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # "folder"
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("source_url", pa.string()),
        pa.field("author", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("licence_url", pa.string()),
        pa.field("may_train", pa.bool_(), nullable=False),
        pa.field("path", pa.string(), nullable=False),  # absolute, links resolved; see `walk.to_text`
        pa.field("file_sha256", pa.string()),  # null where there is a problem
        pa.field("file_bytes", pa.int64(), nullable=False),
        pa.field("problem", pa.string()),  # why the file must not or cannot be opened: the reason it is rejected for
        pa.field("problem_sentence", pa.string()),
        pa.field("problem_key", pa.string()),  # another when the problem should be looked at again
    ]
)


@dataclass(frozen=True)
class UnknownFolder:
    """A folder in the root whose name means no category."""

    name: str
    nearest: str | None  # the category that it may have meant
    files: int


@dataclass(frozen=True)
class FolderSurvey:
    """What lies in a photo folder, without a look into the files."""

    root: str
    files: dict[str, int]  # category -> files, for all categories
    folders: dict[str, list[str]]  # category -> names of the folders in the root that mean it
    unknown: list[UnknownFolder]
    loose: int  # photos that lie in the root itself: category jewelry
    problems: list[str] = field(default_factory=list)  # sentences about side-cars

    def sentences(self) -> list[str]:
        """What the owner of the folder should know: folders that are not read, and broken side-cars."""
        told = []
        for folder in self.unknown:
            meant = f"Rename it to {folder.nearest!r} if that is meant" if folder.nearest else "Rename it"
            names = ", ".join(CATEGORIES)
            told.append(
                f"The folder {folder.name!r} ({folder.files} files) is not read: its name means no category. "
                f"{meant}; the categories are {names}."
            )
        if self.loose:
            told.append(f"{self.loose} photos lie in the folder itself: they are taken for category 'jewelry'.")
        return [*told, *self.problems]


def list_folder(root: str | Path, category: str, memory: str | Path | None = None) -> pa.Table:
    """One row per file of one category in the folder, as `FOLDER_SCHEMA`, ordered by `item_id`.

    `memory` is a folder of our own, where the hashes of unchanged files are kept between runs (none: read all again).
    A category without files gives no rows. Raises Permanent, with a sentence, when the folder is missing, is none,
    cannot be read, or has neither a category folder nor loose photos.
    """
    if category not in CATEGORIES:
        raise Permanent(f"There is no category {category!r}. The categories are {', '.join(CATEGORIES)}.")
    layout = _layout(root)
    files, sidecars = _files(layout, category)
    kept = None
    if memory is not None:
        kept = Path(memory) / f"{hashlib.sha256(os.fsencode(layout.base)).hexdigest()[:16]}-{category}.json"
    hashes = iter(sha256_of([file for file in files if file.problem is None], kept))
    rows = []
    for file, spelling in zip(files, _identities(files), strict=True):
        digest = next(hashes) if file.problem is None else None
        if isinstance(digest, FileNotFoundError):
            continue  # deleted since it was listed: the same as had we come later
        problem, sentence = file.problem, file.sentence
        if isinstance(digest, OSError):
            problem, sentence = "unreadable", f"{shown(file.path)} cannot be read: {digest.strerror}."
        row: dict[str, Any] = {
            "item_id": f"folder:{spelling}",
            "category": category,
            "source": "folder",
            "source_id": spelling,
            "path": to_text(file.real),
            "file_sha256": None if problem else digest,
            "file_bytes": file.size,
            "problem": problem,
            "problem_sentence": sentence or None,
            "problem_key": f"{problem}:{spelling}:{file.changed_ns}" if problem else None,
        }
        rows.append(row | asdict(sidecars.credit(spelled(file.relative))))
    for told in sidecars.problems():
        log.warning("%s", told)
    rows.sort(key=lambda row: str(row["item_id"]))
    return pa.Table.from_pylist(rows, schema=FOLDER_SCHEMA)


def survey_folder(root: str | Path) -> FolderSurvey:
    """What lies in the folder: categories, counts, folders that mean none, broken side-cars. Opens side-cars only.

    Raises Permanent as `list_folder` does.
    """
    layout = _layout(root)
    counts: dict[str, int] = {}
    photos: set[str] = set()
    problems: set[str] = set()
    cars: list[Sidecars] = []
    for category in CATEGORIES:
        files, sidecars = _files(layout, category)
        counts[category] = len(files)
        photos |= {spelled(file.relative) for file in files}
        for file in files:
            sidecars.credit(spelled(file.relative))
        cars.append(sidecars)
    for sidecars in cars:
        problems.update(sidecars.problems(), sidecars.strangers(photos))
    folders = {
        category: [shown(path.name) for path in starts if path.is_dir()] for category, starts in layout.starts.items()
    }
    return FolderSurvey(
        root=shown(layout.base),
        files=counts,
        folders={category: names for category, names in folders.items() if names},
        unknown=[
            UnknownFolder(shown(path.name), nearest_category(shown(path.name)), _count(path)) for path in layout.unknown
        ],
        loose=sum(not path.is_dir() for path in layout.starts.get(LOOSE_CATEGORY, [])),
        problems=sorted(problems),
    )


@dataclass(frozen=True)
class _Layout:
    """The root's own entries: where each category starts."""

    base: Path
    starts: dict[str, list[Path]]
    unknown: list[Path]


def _layout(root: str | Path) -> _Layout:
    folder = Path(root).expanduser()
    setting = "Set JEWEL_PHOTOS to a folder with one sub-folder per category"
    try:
        base = folder.resolve(strict=True)
        with os.scandir(base) as scan:
            entries = sorted(scan, key=lambda entry: os.fsencode(entry.name))
    except (FileNotFoundError, RuntimeError):
        raise Permanent(f"The photo folder {shown(folder)} does not exist. {setting}.") from None
    except NotADirectoryError:
        raise Permanent(f"The photo folder {shown(folder)} is a file. {setting}.") from None
    except OSError as error:
        raise Permanent(f"The photo folder {shown(folder)} cannot be read: {error.strerror}. {setting}.") from error
    starts: dict[str, list[Path]] = defaultdict(list)
    unknown = []
    for entry in entries:
        path = base / entry.name
        if is_ignored(entry.name) or entry.name.casefold() == MASKS:
            continue
        if entry.is_dir() or (entry.is_symlink() and not path.suffix):
            category = category_of(shown(entry.name))
            if category:
                starts[category].append(path)
            else:
                unknown.append(path)
        elif path.suffix.lower() in PHOTO_SUFFIXES:
            starts[LOOSE_CATEGORY].append(path)
    if not starts:
        raise Permanent(_nothing_here(base, unknown, setting))
    return _Layout(base, dict(starts), unknown)


def _nothing_here(base: Path, unknown: list[Path], setting: str) -> str:
    """The sentence for a folder in which no photo can be: what lies there instead, and what may have been meant."""
    names = f"{setting} ({', '.join(CATEGORIES)})"
    if not unknown:
        return f"The photo folder {shown(base)} is empty. {names}."
    for path in unknown:
        with contextlib.suppress(OSError):
            if not path.is_symlink() and any(category_of(shown(child.name)) for child in path.iterdir()):
                return (
                    f"The photo folder {shown(base)} has no folder whose name means a category, "
                    f"but {shown(path)} has: set JEWEL_PHOTOS to that."
                )
    told = ", ".join(repr(shown(path.name)) for path in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
    near = [nearest for path in unknown if (nearest := nearest_category(shown(path.name)))]
    hint = f" Perhaps {near[0]!r} was meant." if near else ""
    return f"The photo folder {shown(base)} has no folder whose name means a category, only {told}.{hint} {names}."


def _files(layout: _Layout, category: str) -> tuple[list[Found], Sidecars]:
    """The files of a category that may be photos, and the side-cars that speak of them."""
    found = list(walk(layout.base, layout.starts.get(category, [])))
    names = {file.relative for file in found}
    stems = {str(PurePosixPath(name).with_suffix("")) for name in names if _is_photo_name(name)}
    tables = [layout.base / name for name in TABLE_NAMES if _is_plain_file(layout.base / name)]
    beside: dict[str, Path] = {}
    files = []
    for file in found:
        name = PurePosixPath(file.relative)
        if name.name.casefold() in TABLE_NAMES:
            if file.problem is None:
                tables.append(file.path)
            else:
                files.append(file)  # a link out of the folder, say: its outcome tells why it was not believed
        elif name.suffix.lower() == ".json" and (file.relative[:-5] in names or file.relative[:-5] in stems):
            beside[spelled(file.relative[:-5])] = file.path
        else:
            files.append(file)
    return files, Sidecars(layout.base, tables, beside)


def _identities(files: Sequence[Found]) -> list[str]:
    """A valid, unique, stable name for each file: its path, NFC; where two would be alike, marked by its bytes.

    Linux allows the composed and the decomposed spelling of one name side by side, and bytes that are no text.
    """
    names = [spelled(file.relative) for file in files]
    many = Counter(names)
    return [
        name
        if many[name] == 1 or name == file.relative
        else f"{name}~{hashlib.sha256(os.fsencode(file.relative)).hexdigest()[:8]}"
        for name, file in zip(names, files, strict=True)
    ]


def _is_photo_name(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PHOTO_SUFFIXES


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _count(folder: Path) -> int:
    if folder.is_symlink():
        return 0
    return sum(len([name for name in names if not is_ignored(name)]) for _, _, names in os.walk(folder))
