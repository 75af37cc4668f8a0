"""The source `folder`: photos that lie in a folder with one sub-folder per category, or textures with one per theme.

The name of a folder directly in the root says the category (`categories.category_of`: `rings`, `Ring`, `watch`), for
everything below it at any depth; several may mean the same. Photos that lie loose in the root are of category
`jewelry`, textures that do are reported and not read; other loose files are left alone. Folders whose names mean no
category are not read but reported (`survey_folder`). Every other file becomes a row: what it really is, `ReadPhoto`
finds out from its content.

A texture folder is read in the same way with themes (`themes.theme_of`) in place of categories; `category` then stands
for the theme. Its items are `texture_folder:...`, so that they are never taken for the photo at the same path.
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

from jewel_assets.categories import CATEGORY_WORDS
from jewel_assets.collect.hashes import sha256_of
from jewel_assets.collect.sidecars import TABLE_NAMES, Sidecars, spelled
from jewel_assets.collect.walk import Found, is_ignored, shown, to_text, walk
from jewel_assets.errors import Permanent
from jewel_assets.themes import THEME_WORDS
from jewel_assets.vocabulary import Vocabulary

log = logging.getLogger(__name__)

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".gif", ".tif", ".tiff", ".bmp"})
"""By these names loose files in the root are taken for photos, and a `.json` for the side-car of one beside it."""

MASKS = "masks"
"""A folder of this name in the root holds the masks of the photos beside it, and no photos."""


@dataclass(frozen=True)
class FolderKind:
    """What a folder is a source of: the names that its sub-folders may have, and what its items are called."""

    noun: str  # of what lies in it: "photo"
    words: Vocabulary
    source: str  # of the items, and what their ids begin with
    setting: str  # the variable that names the folder
    loose: str | None  # the category of what lies in the root itself; None: that is not read

    @property
    def how(self) -> str:
        """What to do, as the beginning of a sentence."""
        return f"Set {self.setting} to a folder with one sub-folder per {self.words.noun}"


PHOTOS = FolderKind("photo", CATEGORY_WORDS, "folder", "JEWEL_PHOTOS", loose="jewelry")
TEXTURES = FolderKind("texture", THEME_WORDS, "texture_folder", "JEWEL_TEXTURES", loose=None)

FOLDER_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),  # source + ":" + path within the root, POSIX, NFC
        pa.field("category", pa.string(), nullable=False),  # the theme of a texture
        pa.field("source", pa.string(), nullable=False),  # "folder", "texture_folder"
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
    """What lies in a folder, without a look into the files."""

    root: str
    files: dict[str, int]  # category -> files, for all categories
    folders: dict[str, list[str]]  # category -> names of the folders in the root that mean it
    unknown: list[UnknownFolder]
    loose: int  # photos or textures that lie in the root itself
    problems: list[str] = field(default_factory=list)  # sentences about side-cars
    kind: FolderKind = PHOTOS

    def sentences(self) -> list[str]:
        """What the owner of the folder should know: folders that are not read, and broken side-cars."""
        told = []
        words = self.kind.words
        for folder in self.unknown:
            meant = f"Rename it to {folder.nearest!r} if that is meant" if folder.nearest else "Rename it"
            told.append(
                f"The folder {folder.name!r} ({folder.files} files) is not read: its name means no {words.noun}. "
                f"{meant}; the {words.nouns} are {', '.join(words.names)}."
            )
        if self.loose:
            what = "they are not read. Move each into the folder of its " + words.noun
            if self.kind.loose is not None:
                what = f"they are taken for {words.noun} {self.kind.loose!r}"
            told.append(f"{self.loose} {self.kind.noun}s lie in the folder itself: {what}.")
        return [*told, *self.problems]


def list_folder(
    root: str | Path, category: str, memory: str | Path | None = None, kind: FolderKind = PHOTOS
) -> pa.Table:
    """One row per file of one category (or theme) in the folder, as `FOLDER_SCHEMA`, ordered by `item_id`.

    `memory` is a folder of our own, where the hashes of unchanged files are kept between runs (none: read all again).
    A category without files gives no rows. Raises Permanent, with a sentence, when the folder is missing, is none,
    cannot be read, or has neither a category folder nor loose photos.
    """
    words = kind.words
    if category not in words.names:
        raise Permanent(f"There is no {words.noun} {category!r}. The {words.nouns} are {', '.join(words.names)}.")
    layout = _layout(root, kind)
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
            "item_id": f"{kind.source}:{spelling}",
            "category": category,
            "source": kind.source,
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


def survey_folder(root: str | Path, kind: FolderKind = PHOTOS) -> FolderSurvey:
    """What lies in the folder: categories, counts, folders that mean none, broken side-cars. Opens side-cars only.

    Raises Permanent as `list_folder` does.
    """
    layout = _layout(root, kind)
    counts: dict[str, int] = {}
    photos: set[str] = set()
    problems: set[str] = set()
    cars: list[Sidecars] = []
    for category in kind.words.names:
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
            UnknownFolder(shown(path.name), kind.words.nearest(shown(path.name)), _count(path))
            for path in layout.unknown
        ],
        loose=len(layout.loose),
        problems=sorted(problems),
        kind=kind,
    )


@dataclass(frozen=True)
class _Layout:
    """The root's own entries: where each category starts."""

    base: Path
    starts: dict[str, list[Path]]
    unknown: list[Path]
    loose: list[Path]  # among the starts of the kind's `loose`, if it has one


def _layout(root: str | Path, kind: FolderKind) -> _Layout:
    folder, called = Path(root).expanduser(), f"The {kind.noun} folder"
    try:
        base = folder.resolve(strict=True)
        with os.scandir(base) as scan:
            entries = sorted(scan, key=lambda entry: os.fsencode(entry.name))
    except (FileNotFoundError, RuntimeError):
        raise Permanent(f"{called} {shown(folder)} does not exist. {kind.how}.") from None
    except NotADirectoryError:
        raise Permanent(f"{called} {shown(folder)} is a file. {kind.how}.") from None
    except OSError as error:
        raise Permanent(f"{called} {shown(folder)} cannot be read: {error.strerror}. {kind.how}.") from error
    starts: dict[str, list[Path]] = defaultdict(list)
    unknown, loose = [], []
    for entry in entries:
        path = base / entry.name
        if is_ignored(entry.name) or entry.name.casefold() == MASKS:
            continue
        if entry.is_dir() or (entry.is_symlink() and not path.suffix):
            category = kind.words.find(shown(entry.name))
            if category:
                starts[category].append(path)
            else:
                unknown.append(path)
        elif path.suffix.lower() in PHOTO_SUFFIXES:
            loose.append(path)
    if kind.loose and loose:
        starts[kind.loose] += loose
    if not starts:
        raise Permanent(_nothing_here(base, unknown, loose, kind))
    return _Layout(base, dict(starts), unknown, loose)


def _nothing_here(base: Path, unknown: list[Path], loose: list[Path], kind: FolderKind) -> str:
    """The sentence for a folder in which no photo can be: what lies there instead, and what may have been meant."""
    words, called = kind.words, f"The {kind.noun} folder {shown(base)}"
    names = f"{kind.how} ({', '.join(words.names)})"
    if loose:
        return f"{called} has no folder whose name means a {words.noun}, only loose {kind.noun}s. {names}."
    if not unknown:
        return f"{called} is empty. {names}."
    for path in unknown:
        with contextlib.suppress(OSError):
            if not path.is_symlink() and any(words.find(shown(child.name)) for child in path.iterdir()):
                return (
                    f"{called} has no folder whose name means a {words.noun}, "
                    f"but {shown(path)} has: set {kind.setting} to that."
                )
    told = ", ".join(repr(shown(path.name)) for path in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
    near = [nearest for path in unknown if (nearest := words.nearest(shown(path.name)))]
    hint = f" Perhaps {near[0]!r} was meant." if near else ""
    return f"{called} has no folder whose name means a {words.noun}, only {told}.{hint} {names}."


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
