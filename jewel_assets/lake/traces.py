"""Traces of items and bytes in a lake: in which rows of which tables they stand, and which blobs are theirs.

Only the columns that identify something are read, never a preview or a vector.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.errors import Permanent
from jewel_assets.lake.banned import TAKEN_DOWN, Banned, Kind, is_one_of
from jewel_assets.lake.decisions import DECISIONS
from jewel_assets.lake.listings import FOUND
from jewel_assets.lake.schema import OUTCOMES, hash_columns, identities, sheet_columns
from jewel_assets.lake.tables import DeltaFile, one_of

if TYPE_CHECKING:
    from jewel_assets.lake.datasets import Lake

SHOWS_MANY = "text/html"
"""The media type of pages, which show many items: a takedown removes them whole, and they are made anew without it."""

REMOVAL = "jewel.taken_down"
"""What a commit notes that removed rows for a takedown."""

NOT_REFUSED = f"(reason IS NULL OR reason <> '{TAKEN_DOWN}')"
"""SQL for the outcomes that say more than that an item was taken down."""

_IDENTITY = ("item_id", "category", "author", "media_type", "at", "reason", "duplicate_of")

_NEEDED = ("item_id", "category")
_NEEDED_OF_OUTCOMES = ("at", "reason", "sha256")


@dataclass(frozen=True)
class Sight:
    """What one table tells of items and bytes."""

    folder: str  # its name
    file: DeltaFile
    version: int
    rows: pa.Table
    newest: pa.Array  # which rows are their item's last word: all but earlier outcomes
    current: pa.Array  # which rows say what bytes an item is: not what an earlier outcome or a person said

    @property
    def dataset(self) -> str:
        """The dataset that it is, or stands beside."""
        return self.folder.removesuffix(OUTCOMES).removesuffix(DECISIONS).removesuffix(FOUND)

    @property
    def pages(self) -> pa.ChunkedArray:
        """Which rows are pages of a dataset."""
        if "media_type" not in self.rows.column_names or self.folder.endswith(OUTCOMES):
            return _none_of(self.rows)
        return is_one_of(self.rows, "media_type", [SHOWS_MANY])


@dataclass
class Reach:
    """What a takedown reaches: grows until nothing more is made of it, or of the same bytes."""

    items: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)  # of blobs that an item was at some stage

    def rows(self, sight: Sight) -> pa.ChunkedArray:
        """Which rows of a table go: those of an item, and those that name bytes of one."""
        return pc.or_(is_one_of(sight.rows, "item_id", self.items), self._naming(sight.rows))

    def grow(self, sights: Iterable[Sight], author: str | None = None) -> None:
        """Take in the author's items, and all that shares an item or bytes with what is reached.

        What an item once was, as earlier outcomes tell, makes neither another item with such bytes a part of it, nor
        it a part of that one: only the outcome and its blob are.
        """
        sights = list(sights)
        for sight in sights:
            if author is not None and "author" in sight.rows.column_names:
                theirs = is_one_of(sight.rows, "author", [author])
                self.items |= set(sight.rows.filter(theirs).column("item_id").to_pylist())
        before = (-1, -1)
        while before != (len(self.items), len(self.hashes)):
            before = (len(self.items), len(self.hashes))
            for sight in sights:
                named = self._naming(sight.rows)
                theirs = pc.and_(is_one_of(sight.rows, "item_id", self.items), sight.current)
                self.items |= set(sight.rows.filter(pc.and_(named, sight.current)).column("item_id").to_pylist())
                if "sha256" in sight.rows.column_names:
                    found = sight.rows.filter(pc.or_(named, theirs)).column("sha256")
                    self.hashes |= set(found.drop_null().to_pylist())

    def blobs(self, sights: Iterable[Sight], all_seen: bool) -> set[str]:
        """Hashes of the blobs that go: the bytes themselves, what shows them, and what else only these rows name.

        The latter stay unless all tables were seen.
        """
        theirs: set[str] = set()
        shown: set[str] = set()
        staying: list[pa.Table] = []
        for sight in sights:
            goes = pc.or_(self.rows(sight), sight.pages) if self.items else self.rows(sight)
            gone = sight.rows.filter(goes)
            theirs |= hashes_in(gone)
            shown |= self.sheets(sight)
            staying.append(sight.rows.filter(pc.invert(goes)))
        return self.hashes | shown | (theirs - _named(staying, theirs) if all_seen else set())

    def sheets(self, sight: Sight) -> set[str]:
        """Hashes of the pictures of many items that show one of these."""
        gone = sight.rows.filter(self.rows(sight))
        return hashes_in(gone, sheet_columns(gone.column_names))

    def predicate(self, sight: Sight) -> str:
        """SQL that selects the rows of `rows`, which are not none."""
        gone = sight.rows.filter(self.rows(sight))
        parts = [one_of("item_id", self.items & set(gone.column("item_id").to_pylist()))]
        parts += [
            one_of(column, self.hashes & hashes_in(gone, [column])) for column in _own_hash_columns(gone.column_names)
        ]
        return f"{one_of('category', set(gone.column('category').to_pylist()))} AND ({' OR '.join(parts)})"

    def copies(self, sights: Iterable[Sight]) -> dict[str, str]:
        """Items that stay, though an earlier choice took them for the same picture as one that goes -> that one."""
        pairs: dict[str, str] = {}  # a duplicate -> what was kept in its place
        for sight in sights:
            if "duplicate_of" in sight.rows.column_names:
                rows = sight.rows.filter(pc.and_(sight.newest, pc.is_valid(sight.rows.column("duplicate_of"))))
                pairs |= dict(zip(*rows.select(["item_id", "duplicate_of"]).to_pydict().values(), strict=True))
        gone = {pairs[item]: item for item in sorted(self.items) if item in pairs} | {item: item for item in self.items}
        found = {item: gone[kept] for item, kept in pairs.items() if kept in gone}
        return {item: of for item, of in sorted((found | gone).items()) if item not in self.items}

    def _naming(self, rows: pa.Table) -> pa.ChunkedArray:
        named = _none_of(rows)
        for column in _own_hash_columns(rows.column_names):
            named = pc.or_(named, is_one_of(rows, column, self.hashes))
        return named


def look(lake: "Lake", before: Mapping[str, Sight]) -> tuple[dict[str, Sight], dict[str, str]]:
    """Folder -> what its table tells, and folder -> why it cannot be read.

    What was seen `before` and has not changed since is not read again.
    """
    sights: dict[str, Sight] = {}
    unread: dict[str, str] = {}
    for folder in lake.table_folders():
        file = DeltaFile(f"{lake.root}/tables/{folder}")
        try:
            if (table := file.find()) is None:
                continue
            if folder in before and before[folder].version == table.version():
                sights[folder] = before[folder]
                continue
            names = [each.name for each in table.schema().fields]
            rows = file.read(columns=[*_IDENTITY, *hash_columns(names)], opened=table)
        except Permanent as error:
            unread[folder] = str(error)
            continue
        needed = _NEEDED + (_NEEDED_OF_OUTCOMES if folder.endswith(OUTCOMES) else ())
        if rows is None or not set(needed) <= set(rows.column_names):
            unread[folder] = f"It lacks some of the columns {', '.join(needed)}: `jewel lake verify` says what to do."
        else:
            sights[folder] = _sight(folder, file, table.version(), rows)
    return sights, unread


def hashes_in(rows: pa.Table, columns: Iterable[str] | None = None) -> set[str]:
    """The hashes in these columns, or in all that name blobs."""
    names = hash_columns(rows.column_names) if columns is None else columns
    return {value for name in names for value in pc.unique(rows.column(name)).to_pylist() if value}


def remove_unnamed(lake: "Lake", rows: pa.Table, banned: Banned) -> None:
    """Remove the blobs of rows that were not let in: those that are taken down, and those that nothing else names."""
    theirs = hashes_in(rows)
    if theirs:
        sights, unread = look(lake, {})
        named = theirs if unread else _named((sight.rows for sight in sights.values()), theirs)
        lake.blobs.remove_all(lake.blobs.files_of(theirs & banned.hashes | (theirs - named)))


def first_reach(kind: Kind, value: str, recorded: pa.Table) -> Reach:
    """Where a takedown begins: at what it names, and at all that a request recorded which named that, too."""
    mine = recorded.filter(pc.and_(is_one_of(recorded, "kind", [kind]), is_one_of(recorded, "value", [value])))
    rows = recorded.filter(is_one_of(recorded, "asked_for", mine.column("asked_for").to_pylist()))
    known = set(zip(rows.column("kind").to_pylist(), rows.column("value").to_pylist(), strict=True)) | {(kind, value)}
    of_kind: dict[str, set[str]] = {
        wanted: {each for found, each in known if found == wanted} for wanted in ("item", "sha256")
    }
    return Reach(of_kind["item"], of_kind["sha256"])


def _sight(folder: str, file: DeltaFile, version: int, rows: pa.Table) -> Sight:
    if not folder.endswith(OUTCOMES):
        current = not folder.endswith(DECISIONS)  # they say what bytes an item once was
        every, told = (pa.array([each] * rows.num_rows, pa.bool_()) for each in (True, current))
        return Sight(folder, file, version, rows, every, told)
    rows = rows.filter(pc.invert(is_one_of(rows, "reason", [TAKEN_DOWN]))).sort_by("at")
    keys = identities(rows)
    made = pc.is_valid(rows.column("sha256")).to_pylist()
    return Sight(folder, file, version, rows, _last(keys, [True] * len(keys)), _last(keys, made))


def _last(keys: list[tuple[str, str]], counts: list[bool]) -> pa.Array:
    """Which is the last row of its key, of those that count."""
    places = {key: place for place, key in enumerate(keys) if counts[place]}
    last = [False] * len(keys)
    for place in places.values():
        last[place] = True
    return pa.array(last, pa.bool_())


def _own_hash_columns(names: Iterable[str]) -> list[str]:
    """The columns that name what a row is or was made from; what shows many items is none of them."""
    names = list(names)
    shared = sheet_columns(names)
    return [name for name in hash_columns(names) if name not in shared]


def _named(tables: Iterable[pa.Table], hashes: set[str]) -> set[str]:
    """Those of the hashes that some row names."""
    named: set[str] = set()
    for rows in tables:
        for column in hash_columns(rows.column_names):
            named |= hashes_in(rows.filter(is_one_of(rows, column, hashes)), [column])
    return named


def _none_of(rows: pa.Table) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([False] * rows.num_rows, pa.bool_())])
