"""Tidying up a lake: blobs and data files that nothing refers to any more are removed by `collect_garbage`."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import CommitFailedError, DeltaError

from jewel_assets.errors import Permanent
from jewel_assets.lake.blobs import YOUNG, filesystem
from jewel_assets.lake.datasets import BESIDE, Lake
from jewel_assets.lake.decisions import DECISIONS
from jewel_assets.lake.listings import FOUND
from jewel_assets.lake.schema import OUTCOMES, UTC_MICROSECONDS, hash_columns
from jewel_assets.lake.tables import DeltaFile, writing_failed
from jewel_assets.lake.verification import NO_LOG, has_data, is_blob, is_leftover

FIRST_COMMIT_SECONDS = 2.0
"""So long may the log of a new table follow its first data file. It takes some 10 ms."""


@dataclass(frozen=True)
class Garbage:
    """What `collect_garbage` removed, or would remove."""

    blobs: list[str]  # paths within the lake's filesystem
    bytes: int  # of those blobs
    kept: int  # blobs that something refers to, or that are too young
    table_files: int  # data files that no version within the retention uses


def collect_garbage(lake: Lake, retention: timedelta, dry_run: bool = True) -> Garbage:
    """Remove blobs and data files that no table version within `retention` refers to; `dry_run` only says which.

    A version is within the retention if it was the newest one at some moment of it. What its rows name stays: their
    blobs, the blobs those were made from, models. Outcomes count by their own time: they are a stage's memory, and a
    stage makes a blob again that is no longer there.

    A retention below a day is taken for a day, and no file younger than a day is removed whatever refers to it: a run
    in progress reads what was the newest version when it began, and writes its blobs before anything refers to them.
    Files that are not the lake's own are left alone.

    Raises Permanent, and removes nothing, if the newest version of some table cannot be read: its blobs would be lost.
    """
    since = datetime.now(UTC) - max(retention, YOUNG)
    versions = {uri: _versions(DeltaFile(uri), since) for uri in _tables(lake)}
    wanted = _blobs_of(versions, since)
    candidates = []
    kept = 0
    for file in lake.blobs.files():
        if not is_blob(file.name) and not is_leftover(file.name):
            continue
        if file.name.split(".", 1)[0] in wanted or datetime.now(UTC) - file.modified < YOUNG:
            kept += 1
        else:
            candidates.append(file)
    if candidates and not dry_run:
        # Looking through the blobs takes a while. What was published meanwhile from old results stays.
        now = datetime.now(UTC)
        late = _blobs_of({uri: _versions(DeltaFile(uri), now) for uri in _tables(lake)}, since)
        old = [file for file in candidates if file.name.split(".", 1)[0] not in late]
        candidates = []
        try:
            for file in old:
                if lake.blobs.is_young(file.path):  # stored again since we listed it, by a run that is not done yet
                    kept += 1
                    continue
                lake.blobs.remove(file.path)
                candidates.append(file)
        except OSError as error:
            raise writing_failed(lake.root, error) from error
    files = sum(_vacuum(DeltaFile(uri), list(kept_ones), dry_run) for uri, kept_ones in versions.items())
    return Garbage([file.path for file in candidates], sum(file.bytes for file in candidates), kept, files)


def _tables(lake: Lake) -> list[str]:
    """Addresses of all tables. Raises Permanent for one with data files but no log."""
    found = []
    for name in lake.table_folders():
        uri = f"{lake.root}/tables/{name}"
        if DeltaFile(uri).exists() or (has_data(uri) and _is_first_written_now(uri)):
            found.append(uri)
            continue
        if has_data(uri):
            raise Permanent(
                f"{uri} has data files but no `_delta_log`, so nobody knows which blobs it refers to; nothing was "
                f"removed: {NO_LOG}."
            )
    return found


def _is_first_written_now(uri: str) -> bool:
    """Whether a table that has data files and no log has one a moment later: its first commit was on its way."""
    for _ in range(20):
        time.sleep(FIRST_COMMIT_SECONDS / 20)
        if DeltaFile(uri).exists():
            return True
    return False


def _versions(file: DeltaFile, since: datetime) -> dict[int, set[str]]:
    """Versions that were the newest one at some moment after `since`, and their data files; newest first.

    Of outcomes and decisions only the newest one: rows are only ever added, and nobody reads older versions.
    """
    table = file.open()
    versions = {table.version(): set(table.file_uris())}
    if file.uri.endswith(BESIDE):
        return versions
    for entry in table.history():
        if entry["version"] not in versions:
            try:
                versions[entry["version"]] = set(file.open(entry["version"]).file_uris())
            except Permanent:
                break  # Delta has cleaned up this part of the log: these versions can no longer be read
        if datetime.fromtimestamp(entry["timestamp"] / 1000, UTC) <= since:
            break
    return versions


def _blobs_of(versions: Mapping[str, Mapping[int, set[str]]], since: datetime) -> set[str]:
    """Hashes of all blobs that these versions of tables, and outcomes after `since`, refer to."""
    wanted: set[str] = set()
    for uri, files_of in versions.items():
        if uri.endswith((DECISIONS, FOUND)):
            continue  # they speak of bytes that other tables refer to, or that are of no use any more
        if uri.endswith(OUTCOMES):
            recent = DeltaFile(uri).read(where=pc.field("at") >= pa.scalar(since, UTC_MICROSECONDS))
            wanted |= set() if recent is None else _hashes(recent)
            continue
        newest, *older = files_of.values()
        wanted |= _hashes_in(newest, must_exist=True) | _hashes_in(set().union(*older) - newest, must_exist=False)
    return wanted


def _hashes_in(uris: Iterable[str], must_exist: bool) -> set[str]:
    import pyarrow.parquet as pq  # slow to import

    wanted: set[str] = set()
    for uri in sorted(uris):
        fs, path = filesystem(uri)
        try:
            with fs.open(path, "rb") as opened:
                parquet = pq.ParquetFile(opened)
                wanted |= _hashes(parquet.read(columns=hash_columns(parquet.schema_arrow.names)))
        except (OSError, pa.ArrowException) as error:
            if must_exist:
                raise Permanent(
                    f"The data file {uri} is missing or broken, so nobody knows which blobs it refers to; nothing was "
                    "removed. `jewel lake verify` says what to do."
                ) from error
    return wanted


def _hashes(table: pa.Table) -> set[str]:
    columns = hash_columns(table.column_names)
    return {value for name in columns for value in pc.unique(table.column(name)).to_pylist() if value}


def _vacuum(file: DeltaFile, versions: list[int], dry_run: bool) -> int:
    """Remove data files that none of these versions uses, and those of commits that never were; how many."""

    def vacuum(dry_run: bool) -> list[str]:
        # Naming the versions to keep, because Delta forgets after a week which files it must not remove yet; a full
        # vacuum, because it also forgets which ones it may. The retention protects those who read or write right now.
        hours = int(YOUNG.total_seconds() // 3600)
        return file.open().vacuum(hours, dry_run, False, full=True, keep_versions=versions)

    try:
        found = vacuum(dry_run=True)
        if found and not dry_run:
            vacuum(dry_run=False)  # commits two versions that change no row, hence only if there is a need
    except CommitFailedError:
        return 0  # someone else is writing; the next gc has them
    except (DeltaError, OSError) as error:
        raise writing_failed(file.uri, error) from error
    return len(found)
