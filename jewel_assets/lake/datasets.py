"""The lake: datasets (tables of items), the outcomes beside each, and the blobs that they speak of."""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from filelock import FileLock, Timeout

from jewel_assets.errors import Permanent, Transient
from jewel_assets.lake.banned import TAKEN_DOWN, Banned, Takedowns, is_one_of, refusals
from jewel_assets.lake.blobs import BlobStore, filesystem
from jewel_assets.lake.decisions import DECISIONS, DecisionLog
from jewel_assets.lake.listings import FOUND, Listings
from jewel_assets.lake.partitions import is_mixed, strange_keys
from jewel_assets.lake.schema import ITEM_SCHEMA, OUTCOME_SCHEMA, OUTCOMES, blobs_of
from jewel_assets.lake.tables import DeltaFile, digest, writing_failed
from jewel_assets.lake.traces import NOT_REFUSED, REMOVAL, SHOWS_MANY, remove_unnamed

log = logging.getLogger("jewel_assets.lake")

BESIDE = (OUTCOMES, DECISIONS, FOUND)
"""How the names of tables end that stand beside a dataset and are none."""

QUIET_SECONDS = 2.0
"""A run that waits longer than this for another one says so."""


class Lake:
    """Everything the assets wrote, under one root: a path or an fsspec URL (`s3://bucket/lake`). Picklable."""

    def __init__(self, root: str | Path) -> None:
        text = str(root)
        self.root = text if "://" in text else str(Path(text).absolute())
        self.blobs = BlobStore(self.root)

    def dataset(self, name: str) -> "Dataset":
        """The dataset of that name, whether or not anything was published to it yet."""
        return Dataset(self, name)

    def outcomes(self, name: str) -> "Outcomes":
        """What became of every item attempted for the dataset `name`."""
        return Outcomes(self, name)

    def decisions(self, name: str) -> DecisionLog:
        """What people decided about single items of the dataset `name`."""
        return DecisionLog(self.root, name)

    def listings(self, name: str) -> Listings:
        """What sources told of the items of the dataset `name`."""
        return Listings(self.root, name)

    def takedowns(self) -> Takedowns:
        """What was taken down and may never come back."""
        return self.blobs.takedowns

    def datasets(self) -> list[str]:
        """Names of the datasets that were published to, in alphabetical order."""
        return [name for name in self.table_folders() if not name.endswith(BESIDE) and self.dataset(name).exists()]

    def table_folders(self) -> list[str]:
        """Names of the folders under `tables/`, sorted: datasets, what stands beside them, and what is neither."""
        fs, base = filesystem(f"{self.root}/tables")
        if not fs.exists(base):
            return []
        found = (str(entry["name"]).rstrip("/") for entry in fs.ls(base, detail=True) if entry["type"] == "directory")
        names = (path.rsplit("/", 1)[-1] for path in found)
        return sorted(name for name in names if not name.startswith("."))

    def local_folder(self, name: str) -> Path | None:
        """A folder of the lake for what can be made again (caches), or None where the lake is not on this machine."""
        _, base = filesystem(self.root)
        return Path(base) / name if self.blobs.is_local else None

    @contextlib.contextmanager
    def writing(self, name: str, category: str | None) -> Iterator[None]:
        """Hold the one writer's place of a dataset's category, waiting for whoever holds it.

        On a local lake a second run of the same stage thus finds the first one's results instead of doing them again.
        One that has to wait says so in the log `jewel_assets.lake`; it can be interrupted.
        In an object store there is no lock: two such runs do the work twice and publish the same rows.
        """
        if not self.blobs.is_local:
            yield
            return
        _, base = filesystem(self.root)
        lock = Path(base) / "locks" / f"{name}.{category or 'all'}.lock"
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            held = _acquired(lock, f"{name}/{category or 'all'}")
        except OSError as error:
            raise writing_failed(self.root, error) from error
        with held:
            yield


def _acquired(path: Path, what: str) -> contextlib.AbstractContextManager[object]:
    lock = FileLock(path)
    try:
        return lock.acquire(timeout=QUIET_SECONDS)
    except Timeout:  # an OSError by descent
        log.info("Another run is writing %s: waiting for it.", what)
    return lock.acquire()


@dataclass(frozen=True)
class Publication:
    """One commit of a dataset: what the table holds for the category now."""

    version: int
    rows: int
    digest: str  # of the published rows: equal digests, equal data
    changed: bool  # False: the very same rows were there already and nothing was committed
    made_from: str = ""  # what `publish` was told that the rows as a whole were made from


class Dataset:
    """One table of items: `{root}/tables/{name}`, a Delta table partitioned by category."""

    def __init__(self, lake: Lake, name: str) -> None:
        self.lake = lake
        self.name = name
        self.file = DeltaFile(f"{lake.root}/tables/{name}")

    def exists(self) -> bool:
        """Whether something was ever published."""
        return self.file.exists()

    def read(
        self, category: str | None = None, columns: Sequence[str] | None = None, version: int | None = None
    ) -> pa.Table:
        """The rows of one category, or of all, sorted by category and item id. Empty if nothing was published."""
        order = ("category", "item_id")
        wanted = None if columns is None else list(dict.fromkeys([*columns, *order]))
        table = self.file.read(category, wanted, version)
        if table is None:
            table = ITEM_SCHEMA.empty_table()
        table = table.sort_by([(name, "ascending") for name in order])
        return table if columns is None else table.select([name for name in columns if name in table.column_names])

    def publish(self, rows: pa.Table, category: str | None = None, made_from: str = "") -> Publication:
        """Replace the rows of `category` (None: of all) by `rows`, in one commit, after validating them.

        `made_from` is a digest of what the rows as a whole were made from; `publication()` tells it again, so that a
        decision over a whole category need not be taken twice. Rows that a takedown speaks of are left out, be it one
        of this very moment, and their blobs are removed.

        Raises Permanent, and changes nothing, if a column is missing or of another type, a key stands twice, a row
        belongs to another category, or a row's blob is not in the lake. Raises Transient for a page that was begun
        before the last takedown: it may show what is gone.
        """
        takedowns = self.lake.takedowns()
        changed = False
        while True:
            banned = takedowns.now()
            try:
                publication = self._publish(banned.without(rows), category, made_from, banned)
            except Permanent:  # perhaps for want of a blob that was removed since we looked
                if takedowns.now().version == banned.version:
                    raise
                continue
            changed = changed or publication.changed
            if takedowns.now().version == banned.version:
                break
        remove_unnamed(self.lake, rows.filter(banned.hits(rows)), banned)
        return replace(publication, changed=changed)

    def _publish(self, rows: pa.Table, category: str | None, made_from: str, banned: Banned) -> Publication:
        rows = self._valid(rows, category)
        self._refuse_old_pages(rows, banned)
        new = digest(rows)
        same = False
        if (before := self.file.find()) is not None:
            current = self._current(category, before)
            same = current is not None and current.num_rows == rows.num_rows and self._same(current, rows, new)
            last = _published(before, category) if same and made_from else None
            if same and (not made_from or (last is not None and last.made_from == made_from)):
                return Publication(before.version(), rows.num_rows, new, changed=False, made_from=made_from)
        notes = {
            "jewel.category": category or "",
            "jewel.rows": str(rows.num_rows),
            "jewel.digest": new,
            "jewel.made_from": made_from,
        }
        predicate = None if category is None else f"category = '{category}'"
        version = self.file.write(rows, "overwrite", predicate, notes)
        return Publication(version, rows.num_rows, new, changed=not same, made_from=made_from)

    def publication(self, category: str | None = None) -> Publication | None:
        """The newest publication of `category` (None: of all); None if there is none.

        If something was taken down since, `made_from` is not what it was: whoever compares it makes the rows anew.
        """
        return None if (table := self.file.find()) is None else _published(table, category)

    def history(self) -> list[dict[str, Any]]:
        """The commits, newest first: version, at (UTC), operation, category, rows."""
        return [
            {
                "version": entry["version"],
                "at": datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
                "operation": entry["operation"],
                "category": entry.get("jewel.category") or None,
                "rows": int(entry["jewel.rows"]) if "jewel.rows" in entry else None,
                "digest": entry.get("jewel.digest"),
            }
            for entry in self.file.open().history()
        ]

    def _refuse_old_pages(self, rows: pa.Table, banned: Banned) -> None:
        """Raise Transient for a page (it shows many items) that was begun before something was taken down."""
        pages = rows.filter(is_one_of(rows, "media_type", [SHOWS_MANY]))
        begun = pc.min(pages.column("fetched_at")).as_py()
        if begun is not None and banned.last is not None and begun <= banned.last:
            remove_unnamed(self.lake, pages, banned)
            raise Transient(
                f"Something was taken down while the page of {self.name} was made, which may show it; nothing was "
                "published. Materialize it again."
            )

    def _current(self, category: str | None, opened: DeltaTable) -> pa.Table | None:
        """The rows there are, in any order; None if a data file is lost, which publishing them anew mends."""
        try:
            return self.file.read(category, opened=opened)
        except Permanent:
            return None

    def _same(self, current: pa.Table, rows: pa.Table, new: str) -> bool:
        absent = [name for name in current.column_names if name not in rows.column_names]
        if any(current.column(name).null_count < current.num_rows for name in absent):
            return False
        return set(rows.column_names) <= set(current.column_names) and digest(current.drop_columns(absent)) == new

    def _valid(self, rows: pa.Table, category: str | None) -> pa.Table:
        missing = [name for name in ITEM_SCHEMA.names if name not in rows.column_names]
        if missing:
            raise Permanent(f"Rows for {self.name} lack the columns {', '.join(missing)}; nothing was published.")
        for field in ITEM_SCHEMA:
            if not field.nullable and rows.column(field.name).null_count:
                raise Permanent(f"Rows for {self.name} have no {field.name} in places; nothing was published.")
        own = [field for field in rows.schema if field.name not in ITEM_SCHEMA.names]
        try:
            rows = rows.select([*ITEM_SCHEMA.names, *(field.name for field in own)]).cast(
                pa.schema([*ITEM_SCHEMA, *own])
            )
        except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
            raise Permanent(
                f"Rows for {self.name} do not fit the item columns ({error}); nothing was published."
            ) from error
        found = set(pc.unique(rows.column("category")).to_pylist())
        strange = found - {category} if category else strange_keys(found)
        if strange:
            raise Permanent(
                f"Rows for {self.name}, category {category}, are of {sorted(strange)}; nothing was published."
            )
        others = self.file.rows_per_category() if category and found and self.exists() else {}
        if is_mixed({*found, *others}):
            raise Permanent(
                f"{self.name} would have rows of {', '.join(sorted({*found, *others}))}: a dataset is divided by "
                "jewellery category or by texture theme, not by both; nothing was published."
            )
        keys = rows.group_by(["category", "item_id"]).aggregate([([], "count_all")])
        twice = keys.filter(pc.greater(keys.column("count_all"), 1))
        if twice.num_rows:
            raise Permanent(
                f"{twice.column('item_id')[0]} stands more than once in {self.name}; nothing was published."
            )
        lost = self.lake.blobs.missing(blob for named in blobs_of(rows) for blob in named)
        if lost:
            raise Permanent(
                f"{len(lost)} blobs of {self.name} are not in the lake, first {lost[0]}; nothing was published."
            )
        return rows


def _together(rows: pa.Table, refused: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, refused], promote_options="default") if refused.num_rows else rows


def _published(table: DeltaTable, category: str | None) -> Publication | None:
    """The newest publication of `category` (None: of all), by the log alone."""
    less = ""
    for entry in table.history():
        less = f"{TAKEN_DOWN}: " if REMOVAL in entry else less
        if "jewel.digest" in entry and entry["jewel.category"] == (category or ""):
            made_from = less + (entry.get("jewel.made_from") or "")
            return Publication(entry["version"], int(entry["jewel.rows"]), entry["jewel.digest"], False, made_from)
    return None


class Outcomes:
    """One row per item attempted, append-only: `{root}/tables/{name}__outcomes`. The memory of a stage."""

    def __init__(self, lake: Lake, name: str) -> None:
        self.lake = lake
        self.name = name
        self.file = DeltaFile(f"{lake.root}/tables/{name}{OUTCOMES}")

    def append(self, rows: pa.Table) -> None:
        """Add rows of OUTCOME_SCHEMA and the stage's own columns, in one commit. Any number of writers at once.

        Of what was taken down, be it at this very moment, they say only that; its blobs are removed.
        """
        if not rows.num_rows:
            return
        takedowns = self.lake.takedowns()
        seen = takedowns.now()
        hits = seen.hits(rows)
        gone, rows = rows.filter(hits), rows.filter(pc.invert(hits))
        self.file.write(_together(rows, refusals(gone)), "append")
        late = takedowns.now()
        if late.version != seen.version and (caught := rows.filter(late.hits(rows))).num_rows:
            self.file.write(refusals(caught), "append")
            self.file.delete(f"{late.predicate(caught)} AND {NOT_REFUSED}")
            gone = pa.concat_tables([gone, caught])
        remove_unnamed(self.lake, gone, late)

    def read(
        self, category: str | None = None, keys: Sequence[str] | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """All rows ever written for the category (or all), those with one of `keys` if given; oldest first.

        With `columns` only these are read, beside those that identify an outcome.
        """
        where = None if keys is None else pc.field("input_key").isin(pa.array(keys, pa.string()))
        wanted = None if columns is None else list(dict.fromkeys(["item_id", "category", "at", *columns]))
        table = self.file.read(category, wanted, where=where)
        return OUTCOME_SCHEMA.empty_table() if table is None else table.sort_by([("at", "ascending")])

    def latest(self, category: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The newest row of each item, sorted by category and item id; with `columns` only these are read."""
        rows = self.read(category, columns=columns)
        newest = {
            key: index
            for index, key in enumerate(
                zip(rows.column("category").to_pylist(), rows.column("item_id").to_pylist(), strict=True)
            )
        }
        return rows.take(pa.array(sorted(newest.values()), pa.int64())).sort_by(
            [("category", "ascending"), ("item_id", "ascending")]
        )
