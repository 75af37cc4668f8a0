"""Takedowns: an item, an author's works or some bytes leave the lake with all that was made of them, and stay away.

The order makes it safe beside anything else, and against a death at any moment. It is recorded first (`lake.banned`),
so that from then on nothing of it comes in unnoticed; then the tables are read; then blobs go, and only then the rows
that name them, so that whoever runs it again finds what was left; and all of that again until nothing is found. It
holds no lock and waits for no run: rows go by Delta's own delete, and what a run brings in is kept out as it comes.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.errors import Permanent, Transient
from jewel_assets.lake.banned import TAKEN_DOWN, Kind, is_one_of, refusals
from jewel_assets.lake.blobs import filesystem
from jewel_assets.lake.decisions import DECISIONS
from jewel_assets.lake.listings import FOUND
from jewel_assets.lake.schema import OUTCOMES, identities, sheet_columns
from jewel_assets.lake.tables import one_of, writing_failed
from jewel_assets.lake.traces import NOT_REFUSED, REMOVAL, SHOWS_MANY, Reach, Sight, first_reach, look

if TYPE_CHECKING:
    from jewel_assets.lake.datasets import Lake

PICTURE_CACHES = ("contact_sheets", "reports")
"""Folders of a lake with pictures of many items, which can be made again."""

ANSWERS = "fetched/archive.sqlite"
"""What sources answered: a cache of a local lake, in SQLite. Emptying it costs requests and nothing else."""

NAMED = 10
"""So many items are named in a sentence."""


@dataclass
class Removed:
    """What a takedown removed, or would remove."""

    items: list[str] = field(default_factory=list)  # all that it concerns, those that were gone already included
    rows: Counter[str] = field(default_factory=Counter)  # table -> rows, those of what stands beside datasets, too
    blobs: int = 0
    bytes: int = 0
    linked: int = 0  # of the blobs: those that an export has a hard link to
    shared: set[str] = field(default_factory=set)  # datasets with pictures of many items, to be made anew
    copies: dict[str, str] = field(default_factory=dict)  # an item that stays -> the one that goes, of the same picture

    def sentences(self, dry_run: bool = False) -> list[str]:
        """What the operator should know, a sentence each."""
        told = [f"{_counted(len(self.items), 'item')}: {_listed(self.items)}."] if self.items else []
        if not self.rows and not self.blobs:
            told.append("Nothing of it is here.")
        told += [f"{table}: {_counted(count, 'row')}." for table, count in sorted(self.rows.items())]
        if self.blobs:
            told.append(f"{_counted(self.blobs, 'file')} ({self.bytes:,} bytes).")
        told += [f"{name} shows many items in one picture: materialize it again." for name in sorted(self.shared)]
        if self.copies:
            told.append(
                f"{_counted(len(self.copies), 'other item')} showed the same picture as one of these: look at "
                f"{_listed(sorted(self.copies))}. A near duplicate stays, and may now come up in its place."
            )
        if self.linked:
            told.append(f"Exported folders have {self.linked:,} of these files, too.")
        if not dry_run:
            told.append(
                "What was exported is not touched: export into the same folder again, which removes what is gone."
            )
            told.append(
                "Older versions of the tables still name it: from tomorrow on, `jewel lake gc --days 1 --delete` "
                "removes them (it leaves alone what was written within a day)."
            )
            told.append(
                "Dagster's event log may hold contact sheets of earlier runs: wipe those assets' history there if so."
            )
        return told


def take_down(
    lake: "Lake",
    kind: Kind,
    value: str,
    by: str,
    note: str = "",
    *,
    dry_run: bool = False,
    in_advance: bool = False,
) -> Removed:
    """Remove what `kind` and `value` name, everything derived from it, and its files; record that it stays away.

    Derived is what has the same item id in any table, what was made from one of its blobs, and what holds the very same
    bytes. Pictures that show many items (reports, sheets of clusters) are removed whole. `dry_run` only says what would
    go. Run again, it finishes what was interrupted, and what stands in a table that could not be read before.

    Raises Permanent when there is no such item, author or hash here and none was recorded, unless it is meant
    `in_advance`: a misspelt name would otherwise look like success. Also raises Permanent, after it removed all else,
    when some table cannot be read.
    """
    request = f"{kind} {value}"
    record = lake.takedowns().read()
    reach = first_reach(kind, value, record)
    sights, unread = look(lake, {})
    author = value if kind == "author" else None
    reach.grow(sights.values(), author)
    had: dict[str, set[tuple[str, str]]] = {}
    _remember(had, reach, sights)  # a run that publishes once it is recorded leaves the rows out, and says nothing
    removed = Removed()
    if not (in_advance or value in lake.takedowns().values(kind) or _is_here(lake, reach, sights)):
        raise Permanent(
            f"There is no {kind} {value!r} in {lake.root}, so nothing was removed. `jewel lake show DATASET` lists ids "
            "and authors as they are written here; to keep out what is not here yet, add --in-advance."
        )
    problems = dict(unread)
    found = True
    while found:
        if not dry_run:
            lake.takedowns().add(_entries(kind, value, reach), request, by, note)
            sights, unread = look(lake, sights)
            problems |= unread
            before = (len(reach.items), len(reach.hashes))
            reach.grow(sights.values(), author)
            _remember(had, reach, sights)
            if before != (len(reach.items), len(reach.hashes)):
                continue  # that is to be recorded, too, before it goes
        removed.items = sorted(reach.items)
        found = _remove(lake, reach, sights, had, removed, problems, dry_run) and not dry_run
    if not dry_run:
        with _noting(problems, "what is beside the tables"):
            _drop_pictures(lake)
            _forget_answers(lake)
    if problems:
        told = " ".join(f"{place}: {why}" for place, why in sorted(problems.items()))
        done = "Nothing was changed" if dry_run else "All else is gone"
        raise Permanent(
            f"{done}, but these cannot be read or changed, and may hold more of {request}; mend them and run this "
            f"again. {told}"
        )
    return removed


def _is_here(lake: "Lake", reach: Reach, sights: Mapping[str, Sight]) -> bool:
    return any(pc.any(reach.rows(sight)).as_py() for sight in sights.values()) or bool(
        lake.blobs.files_of(reach.hashes)
    )


def _entries(kind: Kind, value: str, reach: Reach) -> list[tuple[Kind, str]]:
    items: list[tuple[Kind, str]] = [("item", item) for item in sorted(reach.items)]
    return [(kind, value), *items, *(("sha256", sha256) for sha256 in sorted(reach.hashes))]


def _remove(
    lake: "Lake",
    reach: Reach,
    sights: Mapping[str, Sight],
    had: Mapping[str, set[tuple[str, str]]],
    removed: Removed,
    problems: dict[str, str],
    dry_run: bool,
) -> bool:
    """Remove what is seen of it, and say whether there was anything. Adds to `removed`, and to `problems`."""
    removed.copies |= reach.copies(sights.values())
    files = lake.blobs.files_of(reach.blobs(sights.values(), all_seen=not problems))
    removed.blobs += len(files)
    removed.bytes += sum(file.bytes for file in files)
    if lake.blobs.is_local:
        removed.linked += sum(_links(file.path) > 1 for file in files)
    if not dry_run:
        try:
            lake.blobs.remove_all(files)
        except OSError as error:
            raise writing_failed(lake.root, error) from error
        _note_refused(lake, had, problems)
    found = bool(files)
    for folder, sight in sights.items():
        if folder in problems:
            continue
        rows = pc.sum(reach.rows(sight)).as_py() or 0
        pages = (pc.sum(sight.pages).as_py() or 0) if reach.items else 0
        sheets = reach.sheets(sight)
        if not rows and not pages:
            continue
        found = True
        removed.rows[folder] += rows + pages
        if pages or sheets:
            removed.shared.add(sight.dataset)
        if not dry_run:
            with _noting(problems, folder):
                _remove_rows(sight, reach, rows > 0, pages > 0, sheets)
    return found


def _remove_rows(sight: Sight, reach: Reach, rows: bool, pages: bool, sheets: set[str]) -> None:
    if sheets:  # while the rows are there that tell which
        _clear_sheets(sight, sheets)
    if rows:
        predicate = reach.predicate(sight)
        told = f"{predicate} AND {NOT_REFUSED}" if sight.folder.endswith(OUTCOMES) else predicate
        sight.file.delete(told, {REMOVAL: "rows"})
    if pages:
        sight.file.delete(one_of("media_type", [SHOWS_MANY]), {REMOVAL: "pages"})


@contextlib.contextmanager
def _noting(problems: dict[str, str], place: str) -> Iterator[None]:
    """One place that cannot be changed keeps nothing else from being removed: it is told at the end."""
    try:
        yield
    except (Permanent, Transient, OSError) as error:
        problems[place] = str(error)


def _clear_sheets(sight: Sight, sheets: set[str]) -> None:
    """No row names these pictures any more. Where a table says that each row has one, its rows go instead."""
    needed = {each.name for each in sight.file.open().schema().fields if not each.nullable}
    for column in sheet_columns(sight.rows.column_names):
        predicate = one_of(column, sheets)
        if column in needed:
            sight.file.delete(predicate, {REMOVAL: "sheets"})
        else:
            sight.file.clear(column, predicate, {REMOVAL: "sheets"})


def _remember(had: dict[str, set[tuple[str, str]]], reach: Reach, sights: Mapping[str, Sight]) -> None:
    """Add to `had`, dataset -> (category, item id), which of the items each dataset was seen to have."""
    for sight in sights.values():
        if not sight.folder.endswith((FOUND, DECISIONS)):
            rows = sight.rows.filter(is_one_of(sight.rows, "item_id", reach.items))
            had.setdefault(sight.dataset, set()).update(identities(rows))


def _note_refused(lake: "Lake", had: Mapping[str, set[tuple[str, str]]], problems: dict[str, str]) -> None:
    """Let the outcomes of each dataset say of the items that it had that they were taken down, once."""
    for dataset, keys in had.items():
        file = lake.outcomes(dataset).file
        if not keys or f"{dataset}{OUTCOMES}" in problems:
            continue
        with _noting(problems, f"{dataset}{OUTCOMES}"):
            told = file.read(columns=["category", "item_id"], where=pc.field("reason") == TAKEN_DOWN)
            if told is not None:
                keys = keys - set(identities(told))
            if keys:
                rows = [{"category": category, "item_id": item} for category, item in sorted(keys)]
                file.write(refusals(pa.Table.from_pylist(rows)), "append")


def _drop_pictures(lake: "Lake") -> None:
    """Remove pictures of many items that lie beside the tables; they are drawn anew when they are needed."""
    fs, base = filesystem(lake.root)
    for cache in PICTURE_CACHES:
        for path in fs.find(f"{base}/{cache}"):
            with contextlib.suppress(FileNotFoundError):
                fs.rm_file(path)


def _forget_answers(lake: "Lake") -> None:
    """Empty the cache of what sources answered: whole search pages, which name authors. Runs may be using it."""
    folder = lake.local_folder("")
    path = folder / ANSWERS if folder else None
    if path is None or not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as database:
            database.execute("PRAGMA secure_delete = ON")
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                database.execute(f'DELETE FROM "{table}"')
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise Transient(
            f"All else is gone, but {path}, which remembers what sources answered, cannot be emptied ({error}): delete "
            "it while no run is going on, or run this again."
        ) from error


def _links(path: str) -> int:
    try:
        return Path(path).stat().st_nlink
    except FileNotFoundError:
        return 0


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
