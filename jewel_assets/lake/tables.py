"""Delta tables: how the lake reads and writes them, whatever is in them.

Wraps `deltalake` where it leaves something open: retrying a commit that lost a race, saying in a sentence why a
write failed, and bringing back fixed-size lists (Delta knows only lists of any length).
"""

import atexit
import collections
import errno
import functools
import hashlib
import json
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import deltalake
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from jewel_assets.errors import Permanent, Transient

_FIXED_SIZE = b"jewel.fixed_size_list"
_COMMIT_ATTEMPTS = 6


class DeltaFile:
    """One Delta table partitioned by `category`, at `uri`; it need not exist yet."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def exists(self) -> bool:
        """Whether something was ever committed to it."""
        try:
            return deltalake.DeltaTable.is_deltatable(self.uri)
        except OSError as error:
            raise _unreachable(self.uri, error) from error

    def open(self, version: int | None = None) -> deltalake.DeltaTable:
        """The table at its newest or the given `version`. Raises Permanent if there is none or its log is broken."""
        table = self.find(version)
        if table is None:
            raise Permanent(f"There is no table at {self.uri}: materialize its asset first.")
        return table

    def find(self, version: int | None = None) -> deltalake.DeltaTable | None:
        """The table at its newest or the given `version`; None if nothing was ever committed.

        Raises Permanent if its log is broken. Opening one costs some 10 ms: do it once for what belongs together.
        """
        try:
            return deltalake.DeltaTable(self.uri, version=version)
        except TableNotFoundError:
            return None
        except DeltaError as error:
            raise Permanent(
                f"The Delta log of {self.uri} cannot be read ({in_short(error)}). Restore `_delta_log` from a backup, "
                "or delete the table's folder and materialize its asset again: the blobs are not affected."
            ) from error
        except OSError as error:
            raise _unreachable(self.uri, error) from error

    def read(
        self,
        category: str | None = None,
        columns: Sequence[str] | None = None,
        version: int | None = None,
        where: pc.Expression | None = None,
        opened: deltalake.DeltaTable | None = None,
    ) -> pa.Table | None:
        """Rows of one category (or all), or None if the table does not exist. Columns it lacks are left out.

        `opened` is the table, where it is open already.
        """
        table = opened or (self.find() if version is None else self.open(version))
        if table is None:
            return None
        if category is None:
            dataset = table.to_pyarrow_dataset(filesystem=_data_files(self.uri))
        else:
            pruned = [("category", "=", category)]
            dataset = table.to_pyarrow_dataset(filesystem=_data_files(self.uri), file_pruning_predicate=pruned)
            where = _and(pc.field("category") == category, where)
        wanted = None if columns is None else [name for name in columns if name in dataset.schema.names]
        try:
            rows = dataset.to_table(columns=wanted, filter=where)
        except (OSError, pa.ArrowInvalid) as error:
            raise Permanent(
                f"A data file of {self.uri} is missing or broken ({in_short(error)}). `jewel lake verify` lists what "
                "is wrong; `jewel lake history` names older versions that can still be read."
            ) from error
        return _with_fixed_sizes(_without_dictionaries(rows))

    def rows_per_category(self) -> dict[str, int]:
        """How many rows each category has, by the log alone, without reading a data file."""
        actions = self.open().get_add_actions(flatten=True)
        counts: collections.Counter[str] = collections.Counter()
        columns = ("partition.category", "num_records")
        if actions.num_rows and not set(columns) <= set(actions.column_names):
            raise Permanent(
                f"{self.uri} is not divided by category as this project does it: move it elsewhere, or delete it and "
                "materialize its asset again."
            )
        for category, rows in zip(*(actions.column(name).to_pylist() for name in columns), strict=True):
            counts[category] += rows or 0
        return dict(counts)

    def write(
        self,
        table: pa.Table,
        mode: Literal["append", "overwrite"],
        predicate: str | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> int:
        """Commit `table` in one atomic step and return the new version.

        `append` adds rows; `overwrite` replaces those that `predicate` (SQL) selects, or all. New columns are added to
        the schema, columns that `table` lacks become null. Raises Transient when others won every race, Permanent
        (with what to do) when the place cannot be written.
        """
        properties = deltalake.CommitProperties(custom_metadata=dict(notes or {}))
        only_once = deltalake.CommitProperties(custom_metadata=dict(notes or {}), max_commit_retries=0)
        write = functools.partial(
            deltalake.write_deltalake,
            self.uri,
            _marked(table),
            partition_by="category",
            schema_mode="merge",
            commit_properties=properties,
        )
        lost: Exception | None = None
        for attempt in range(_COMMIT_ATTEMPTS):
            try:
                if mode == "append":
                    write(mode="append")
                elif self.exists():
                    write(mode="overwrite", predicate=predicate)
                else:
                    # Two that both find no table: left to itself, delta-rs adds the rows of the second one to those of
                    # the first, or replaces all categories by them. This way the second one fails and comes again.
                    write(mode="error", commit_properties=only_once)
                return self.open().version()
            except CommitFailedError as error:
                lost = error
            except (DeltaError, OSError) as error:
                if "already exists" not in str(error).lower():
                    raise writing_failed(self.uri, error) from error
                lost = error  # another process created the table between our look and our write
            time.sleep(random.uniform(0.05, 0.2) * 2**attempt)
        raise Transient(f"Other writers committed to {self.uri} before us {_COMMIT_ATTEMPTS} times: {lost}")

    def delete(self, predicate: str, notes: Mapping[str, str] | None = None) -> int:
        """Remove the rows that `predicate` (SQL) selects, in one atomic step that reads no more than it must; how many.

        The others are not looked at. Raises Transient when others won every race, Permanent when there is no table.
        """
        told = deltalake.CommitProperties(custom_metadata=dict(notes or {}))
        return self._change(lambda table: table.delete(predicate, commit_properties=told)["num_deleted_rows"])

    def clear(self, column: str, predicate: str, notes: Mapping[str, str] | None = None) -> int:
        """Make `column` null in the rows that `predicate` (SQL) selects, in one atomic step; how many those are."""
        told = deltalake.CommitProperties(custom_metadata=dict(notes or {}))
        nothing = {column: "NULL"}
        return self._change(
            lambda table: table.update(nothing, predicate=predicate, commit_properties=told)["num_updated_rows"]
        )

    def _change(self, change: Callable[[deltalake.DeltaTable], int]) -> int:
        lost: Exception | None = None
        for attempt in range(_COMMIT_ATTEMPTS):
            try:
                return int(change(self.open()))
            except CommitFailedError as error:
                lost = error
            except (DeltaError, OSError) as error:
                raise writing_failed(self.uri, error) from error
            time.sleep(random.uniform(0.05, 0.2) * 2**attempt)
        raise Transient(f"Other writers committed to {self.uri} before us {_COMMIT_ATTEMPTS} times: {lost}")

    def compact(self, files_per_category: int = 32) -> bool:
        """Merge small data files once a table has many. Changes no row; older versions can still be read."""
        table = self.find()
        if table is None:
            return False
        categories = max(1, len(table.partitions()))
        if len(table.file_uris()) <= files_per_category * categories:
            return False
        try:
            table.optimize.compact()
        except CommitFailedError:
            return False  # someone else is writing; the next run compacts
        return True


def one_of(column: str, values: Iterable[str]) -> str:
    """SQL that selects the rows whose `column` has one of these `values`."""
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(values))
    return f"{column} IN ({listed})" if listed else "FALSE"


def in_short(error: Exception) -> str:
    """An error of delta-rs in one line, without the colours and stack frames that it puts in."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()
    told = (line.strip(" \t↳") for line in lines)
    return ": ".join(line for line in told if line and not re.match(r"\d+: |at \.?/", line))[:300]


def writing_failed(place: str, error: Exception) -> Exception:
    """The Permanent (or, for what may pass, Transient) error that says why `place` could not be written."""
    text = in_short(error)
    told = re.search(r"os error (\d+)|\bOs \{ code: (\d+)", text)  # delta-rs quotes the system's error in two ways
    number = getattr(error, "errno", None) or (told and int(told[1] or told[2]))
    if number == errno.ENOSPC or "No space left" in text:
        return Permanent(f"No space left for {place}: free some disk and run again. Nothing was half-published.")
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Permanent(f"{place} cannot be written ({text}): make it writable, or set JEWEL_LAKE to a place that is.")
    if isinstance(error, DeltaError) and re.search("schema|cast", text, re.IGNORECASE):
        return Permanent(f"These rows do not fit the table {place}: {text}")
    return Transient(f"Writing {place} failed: {text}")


def _unreachable(uri: str, error: OSError) -> Transient:
    return Transient(
        f"{uri} cannot be reached ({in_short(error)}): check JEWEL_LAKE and, for an object store, its address and keys "
        "(data_lake/README.md lists them)."
    )


def digest(table: pa.Table) -> str:
    """SHA-256 (hex) of the rows of an item table, whatever their order, chunks or column order."""
    rows = table.sort_by([(name, "ascending") for name in ("category", "item_id") if name in table.column_names])
    total = hashlib.sha256()
    for name in sorted(rows.column_names):
        column = rows.column(name).combine_chunks()
        total.update(f"{name}\n".encode())
        if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
            value = column.type.value_type
            if pa.types.is_floating(value) or pa.types.is_integer(value):
                lengths = pc.fill_null(pc.list_value_length(column), -1).cast(pa.int32())
                total.update(lengths.to_numpy(zero_copy_only=False).tobytes())
                total.update(pc.list_flatten(column).to_numpy(zero_copy_only=False).tobytes())
                continue
        total.update(json.dumps(column.to_pylist(), default=str, ensure_ascii=False).encode())
    return total.hexdigest()


def _data_files(uri: str) -> pyarrow.fs.FileSystem | None:
    """What Arrow reads a table's data files with; None is deltalake's own, for whatever is not on this machine.

    deltalake's is Python, which Arrow's threads call, and the last call (a file is let go) may come after the rows
    did: if Python is shutting down by then, it aborts the process (one in ten that ended right after they read).
    Arrow's own needs no Python; where there is none, the process waits for its threads before it ends.
    """
    if "://" not in uri:
        return pyarrow.fs.SubTreeFileSystem(uri, pyarrow.fs.LocalFileSystem())
    _await_threads_at_exit()
    return None


@functools.cache
def _await_threads_at_exit() -> None:
    atexit.register(time.sleep, 0.1)  # they need microseconds


def _and(left: pc.Expression, right: pc.Expression | None) -> pc.Expression:
    return left if right is None else left & right


def _without_dictionaries(table: pa.Table) -> pa.Table:
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = field.with_type(field.type.value_type)
            table = table.set_column(index, plain, table.column(index).cast(plain.type))
    return table


def _marked(table: pa.Table) -> pa.Table:
    """Fixed-size lists become lists that remember, in the field's metadata, that they were of one size."""
    for index, field in enumerate(table.schema):
        if pa.types.is_fixed_size_list(field.type):
            listed = pa.field(field.name, pa.list_(field.type.value_type), field.nullable, {_FIXED_SIZE: b"true"})
            table = table.set_column(index, listed, table.column(index).cast(listed.type))
    return table


def _with_fixed_sizes(table: pa.Table) -> pa.Table:
    for index, field in enumerate(table.schema):
        if not pa.types.is_list(field.type) or _FIXED_SIZE not in (field.metadata or {}):
            continue
        lengths = pc.unique(pc.drop_null(pc.list_value_length(table.column(index)))).to_pylist()
        if len(lengths) == 1:
            fixed = pa.field(field.name, pa.list_(field.type.value_type, lengths[0]), field.nullable)
            table = table.set_column(index, fixed, table.column(index).cast(fixed.type))
    return table
