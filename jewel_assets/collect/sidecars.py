"""Side-cars: what a folder's owner says of author and licence, in a table or beside each photo.

Two forms, both UTF-8:

- `licences.csv` or `licences.json` (also `licenses.*`) in the photo folder or any folder below it. The columns are
  `file, author, licence, licence_url, source_url, may_train`; only `file` must be there. `file` is a path relative to
  the side-car's own folder, or `*` for everything below it. The JSON form is a list of objects with these keys.
- `photo.jpg.json`, or else `photo.json`, beside `photo.jpg`: one object with the same keys without `file`.

The nearest side-car that speaks of a photo is believed as a whole: the one beside it, then the table of its own folder,
then those of the folders above; within one table the photo's own line goes before `*`. What cannot be understood
denies: the photos that a broken line or a broken side-car would have described are read, without a licence, and the
sentence that says what is wrong where goes to `problems`. No photo is lost through a side-car.
"""

import csv
import io
import json
import os
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from jewel_assets.collect.licences import may_train, recognise
from jewel_assets.collect.walk import shown

TABLE_NAMES = ("licences.csv", "licences.json", "licenses.csv", "licenses.json")
MAX_BYTES = 64 << 20  # of one side-car: far above a table of a million photos' worth of sense
_COLUMNS = {"file", "author", "licence", "licence_url", "source_url", "may_train"}
_TRUTHS = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}


@dataclass(frozen=True)
class Credit:
    """Who made a photo and what may be done with it. The empty credit is what a photo without side-car has."""

    author: str | None = None
    licence: str | None = None  # SPDX-like where we know the licence, as written where not
    licence_url: str | None = None
    source_url: str | None = None
    may_train: bool = False


@dataclass
class Table:
    """A folder's side-car: credits by NFC path below the folder, `*` for all; and the line each was read from."""

    path: Path
    credits: dict[str, Credit] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def deny(self, problem: str, file: str = "*") -> None:
        """Report a problem; `file` (by default everything) has no licence from here or above."""
        self.problems.append(problem)
        self.credits[file] = Credit()


def credit_of(fields: Mapping[str, Any]) -> Credit:
    """The credit that one line or object gives. Raises ValueError with the reason when a field makes no sense."""
    fields = {str(key).strip().casefold().replace("license", "licence"): value for key, value in fields.items()}
    text = {name: _text(name, fields.get(name)) for name in ("author", "licence", "licence_url", "source_url")}
    for name in ("licence_url", "source_url"):
        if text[name] and not str(text[name]).startswith(("https://", "http://")):
            raise ValueError(f"{name} must begin with https:// or http://, not {text[name]!r}")
    said = _truth(fields.get("may_train"))
    known = recognise(text["licence"]) if text["licence"] else recognise(text["licence_url"])
    return Credit(
        author=text["author"],
        licence=known.name if known else text["licence"],
        licence_url=text["licence_url"] or (known.url if known else None),
        source_url=text["source_url"],
        may_train=may_train(text["licence"], text["licence_url"], said),
    )


class Sidecars:
    """The side-cars of one folder tree: asked photo by photo, read when first needed."""

    def __init__(self, root: Path, tables: Iterable[Path], beside: Mapping[str, Path]) -> None:
        """`tables`: paths of the `licences.*` below `root`; `beside`: spelled path of a photo, with or without its
        suffix -> the JSON beside it."""
        self._paths: dict[str, list[Path]] = defaultdict(list)
        for path in tables:
            self._paths[_folder(spelled(path.relative_to(root).as_posix()))].append(path)
        self._beside = beside
        self._tables: dict[str, Table] = {}
        self._read: dict[Path, tuple[Credit, str | None]] = {}

    def credit(self, photo: str) -> Credit:
        """What is said of the photo with this spelled path below the root: the nearest side-car's word."""
        return self.word(photo) or Credit()

    def word(self, photo: str) -> Credit | None:
        """The same; None where no side-car speaks of it. One that cannot be understood does: its credit is empty."""
        own = self._beside.get(photo) or self._beside.get(str(PurePosixPath(photo).with_suffix("")))
        if own is not None:
            if own not in self._read:
                self._read[own] = read_beside(own)
            return self._read[own][0]
        folder = _folder(photo)
        while True:
            table = self._table(folder)
            if table is not None:
                below = photo[len(folder) + 1 :] if folder else photo
                credit = table.credits.get(below) or table.credits.get("*")
                if credit is not None:
                    return credit
            if not folder:
                return None
            folder = _folder(folder)

    def problems(self) -> list[str]:
        """What is wrong with the side-cars that were asked so far, a sentence each."""
        tables = [problem for table in self._tables.values() for problem in table.problems]
        return tables + [problem for _, problem in self._read.values() if problem]

    def strangers(self, photos: Collection[str]) -> list[str]:
        """A sentence for each line of the side-cars that names none of these photos (spelled paths below the root)."""
        told = []
        for folder in self._paths:
            table = self._table(folder)
            if table is None:
                continue
            for file, line in table.lines.items():
                if file != "*" and (f"{folder}/{file}" if folder else file) not in photos:
                    told.append(f"{shown(table.path)}, line {line}: {file!r} is not among the photos that are read.")
        return told

    def _table(self, folder: str) -> Table | None:
        if folder not in self._tables and folder in self._paths:
            self._tables[folder] = read_table(self._paths[folder])
        return self._tables.get(folder)


def read_table(paths: Sequence[Path]) -> Table:
    """The side-car of a folder (or several that agree). Never raises for what is in it: see `Table.problems`."""
    table = Table(paths[0])
    for path in paths:
        table.path = path
        try:
            content = _read(path)
            for line, fields in _json_rows(content) if path.suffix.lower() == ".json" else _csv_rows(content):
                _add(table, line, fields)
        except (OSError, ValueError, csv.Error, RecursionError) as error:
            table.deny(f"{shown(path)}: {_reason(error)}. Until it is mended, the photos it describes have no licence.")
    return table


def read_beside(path: Path) -> tuple[Credit, str | None]:
    """The credit in a side-car beside one photo, and the sentence that says what is wrong with it, if anything is."""
    try:
        fields = json.loads(_read(path))
        if not isinstance(fields, dict):
            raise ValueError("it should hold one JSON object with author, licence, licence_url, source_url, may_train")
        return credit_of(fields), None
    except (OSError, ValueError, RecursionError) as error:
        return Credit(), f"{shown(path)}: {_reason(error)}. Until it is mended, its photo has no licence."


def spelled(path: str) -> str:
    r"""A path as we write it: valid Unicode, NFC (macOS writes decomposed names), bytes that are no UTF-8 as `\xff`."""
    return unicodedata.normalize("NFC", os.fsencode(path).decode("utf-8", "backslashreplace"))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _add(table: Table, line: int, fields: Mapping[str, Any]) -> None:
    file = unicodedata.normalize("NFC", str(fields.get("file") or "").strip().removeprefix("./"))
    where = f"{shown(table.path)}, line {line}"
    if not file:
        # We cannot tell whom this line denies or allows, so it may not be left to a more generous `*`.
        table.deny(f"{where}: the column `file` is empty. Write the photo's path, or * for all photos of the folder.")
        return
    try:
        credit = credit_of(fields)
    except ValueError as error:
        table.deny(f"{where}, {file!r}: {error}. Until it is mended, the photo has no licence.", file)
    else:
        if table.credits.get(file, credit) != credit:
            table.deny(f"{where}: {file!r} was described otherwise in line {table.lines.get(file)}. Keep one.", file)
        else:
            table.credits[file] = credit
    table.lines.setdefault(file, line)


def _csv_rows(content: str) -> Iterator[tuple[int, dict[str, Any]]]:
    header = content.lstrip("\n").partition("\n")[0]
    delimiter = max(",;\t", key=header.count)  # spreadsheets of half of Europe write semicolons
    rows = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    rows.fieldnames = [name.strip().casefold().replace("license", "licence") for name in rows.fieldnames or ()]
    if "file" not in rows.fieldnames:
        raise ValueError(f"line 1 should name the columns {', '.join(sorted(_COLUMNS))}; it has no column `file`")
    try:
        for row in rows:
            if None in row:
                row["may_train"] = "a line with more cells than the header has"
            yield rows.line_num, row
    except csv.Error as error:
        raise ValueError(f"after line {rows.line_num}: {error}") from None


def _json_rows(content: str) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = json.loads(content)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it should hold a JSON list of objects, each with `file` and what is said of it")
    yield from enumerate(rows, start=1)


def _read(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES >> 20} MiB; split it")
    return path.read_bytes().decode("utf-8-sig")


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8; save it as UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno} is not JSON ({error.msg})"
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror})"
    return str(error)


def _text(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str | int | float):
        raise ValueError(f"{name} must be text")
    # A lone surrogate (valid in JSON as an escape) cannot be stored in a table.
    return str(value).strip().encode("utf-8", "replace").decode() or None


def _truth(value: Any) -> bool | None:
    spelled = str(value).strip().casefold() if value is not None else ""
    if spelled == "":
        return None
    if spelled not in _TRUTHS:
        raise ValueError(f"may_train must be true or false, not {str(value)!r}")
    return _TRUTHS[spelled]
