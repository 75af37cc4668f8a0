"""What is wrong with a lake: tables that cannot be read, doubled keys, rows whose blob is lost or was altered."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.errors import Permanent
from jewel_assets.lake.blobs import StoredFile, extension_of, filesystem
from jewel_assets.lake.datasets import BESIDE, Lake
from jewel_assets.lake.decisions import DECIDED, DECISION_SCHEMA, DECISIONS
from jewel_assets.lake.listings import FOUND, IDENTITY_SCHEMA
from jewel_assets.lake.partitions import is_mixed, strange_keys
from jewel_assets.lake.publishing import conformed
from jewel_assets.lake.schema import ITEM_SCHEMA, OUTCOME_SCHEMA, OUTCOMES, STATUSES, hash_columns
from jewel_assets.lake.tables import DeltaFile, in_short

NO_LOG = (
    "its first write was interrupted, or somebody removed the log; materialize its asset again, or restore the log "
    "from a backup"
)
"""What to do about a table without a log: the two cases look alike."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in a sentence that says what to do."""

    dataset: str  # the table it was found in; "blobs" for files that no table is to blame for
    item_id: str | None
    sentence: str


def verify(lake: Lake, names: Iterable[str] | None = None, hashes: bool = True) -> Iterator[Problem]:
    """What is wrong with the datasets `names` and what stands beside them, or with everything in the lake.

    No problem ends the search. `hashes=False` compares only the sizes of blobs, which needs no reading. A blob that
    several rows share is read once. What a killed writer left behind is no problem: nothing refers to it, and `gc`
    removes it. Raises Permanent for a name that is not in the lake.
    """
    folders = lake.table_folders()
    chosen = list(dict.fromkeys(names)) if names is not None else None
    unknown = [name for name in chosen or () if name not in folders]
    if unknown:
        raise Permanent(f"There is no dataset {unknown[0]!r} in {lake.root}. It holds: {', '.join(folders)}.")
    stored = {file.name: file for file in lake.blobs.files()}
    found: dict[str, str | None] = {}  # blob name -> what is wrong with it
    for folder in folders:
        dataset = folder.removesuffix(OUTCOMES).removesuffix(DECISIONS).removesuffix(FOUND)
        if chosen is not None and not {folder, dataset} & set(chosen):
            continue
        problems, rows = _read(lake, folder)
        yield from problems
        if folder.endswith(BESIDE):
            yield from _unknown_words(folder, rows)
            continue  # blobs that only outcomes refer to may have been collected; the stage then makes them again
        yield from _strange_categories(folder, rows)
        yield from _doubled(folder, rows)
        yield from _blob_problems(lake, folder, rows, stored, found, hashes)
        yield from _further_blobs(lake, folder, rows, stored, found, hashes)
    if chosen is None:
        foreign = [name for name in stored if not is_blob(name) and not is_leftover(name)]
        for name in foreign:
            yield Problem("blobs", None, f"{stored[name].path} is not a blob of this lake: move it elsewhere.")


def is_blob(name: str) -> bool:
    """Whether a file of this name is a blob: `{sha256}.{extension}`."""
    stem, _, extension = name.partition(".")
    return len(stem) == 64 and set(stem) <= set("0123456789abcdef") and extension.isalnum()


def is_leftover(name: str) -> bool:
    """Whether a file of this name is what a killed writer left of a blob."""
    return name.startswith(".") and name.endswith(".tmp")


def has_data(uri: str) -> bool:
    """Whether a table's folder, be it one or not, has data files."""
    return any(path.endswith(".parquet") for path in _files(uri))


def _files(uri: str) -> list[str]:
    """The files of a table's folder, without those (`...#1`) of a write that was interrupted within a file."""
    fs, path = filesystem(uri)
    return [str(file) for file in fs.find(path) if "#" not in str(file).rsplit("/", 1)[-1]]


def _read(lake: Lake, folder: str) -> tuple[list[Problem], pa.Table]:
    """What is wrong with a table's files, and the rows of those that can be read."""
    file = DeltaFile(f"{lake.root}/tables/{folder}")
    schema = _schema(folder)
    problem = partial(Problem, folder, None)
    if not file.exists():
        sentences = []
        if has_data(file.uri):
            sentences.append(f"{file.uri} has data files but no `_delta_log`: {NO_LOG}.")
        elif _files(file.uri):
            sentences.append(f"{file.uri} is not a table: move this folder elsewhere.")
        return [problem(sentence) for sentence in sentences], schema.empty_table()
    try:
        table = file.open()
    except Permanent as error:
        return [problem(str(error))], schema.empty_table()
    problems = []
    parts = []
    if table.metadata().partition_columns != ["category"]:
        sentence = f"{file.uri} is not divided by category as this project does it: {_start_again(folder)}."
        return [problem(sentence)], schema.empty_table()
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    for action in sorted(actions, key=lambda action: str(action["path"])):
        try:
            parts.append(_part(f"{file.uri}/{unquote(action['path'])}", action))
        except (OSError, pa.ArrowException) as error:
            category = action.get("partition.category")
            again = f"materialize category {category} again" if schema is ITEM_SCHEMA else _start_again(folder)
            reason = "is gone" if isinstance(error, FileNotFoundError) else f"cannot be read ({in_short(error)})"
            problems.append(problem(f"Its data file {action['path']} {reason}: restore it from a backup, or {again}."))
    names = [field.name for field in table.schema().fields]
    missing = [name for name in schema.names if name not in names]
    if missing:
        again = "materialize the asset again" if schema is ITEM_SCHEMA else _start_again(folder)
        problems.append(problem(f"The table lacks the columns {', '.join(missing)}: {again}."))
    present = [field for field in schema if field.name in names]
    more = [pa.field(name, pa.string()) for name in hash_columns(names) if name not in schema.names]
    wanted = pa.schema([field.with_nullable(True) for field in [*present, *more]])
    rows = [conformed(part, wanted) for part in parts]
    return problems, pa.concat_tables(rows) if rows else wanted.empty_table()


def _part(uri: str, action: Mapping[str, object]) -> pa.Table:
    """The rows of one data file, with its category, which only its folder's name says."""
    import pyarrow.parquet as pq

    fs, path = filesystem(uri)
    with fs.open(path, "rb") as opened:
        rows = pq.ParquetFile(opened).read()
    if rows.num_rows != (action["num_records"] or rows.num_rows):
        raise OSError(f"it has {rows.num_rows} rows instead of {action['num_records']}")
    return rows.append_column(
        "category", pa.repeat(pa.scalar(action["partition.category"], pa.string()), rows.num_rows)
    )


def _schema(folder: str) -> pa.Schema:
    if folder.endswith(OUTCOMES):
        return OUTCOME_SCHEMA
    if folder.endswith(FOUND):
        return IDENTITY_SCHEMA
    return DECISION_SCHEMA if folder.endswith(DECISIONS) else ITEM_SCHEMA


def _start_again(folder: str) -> str:
    if folder.endswith(OUTCOMES):
        return "delete its folder: the stage then does its items again"
    if folder.endswith(DECISIONS):
        return "delete its folder and decide anew: `jewel review ls` says about what"
    if folder.endswith(FOUND):
        return "delete its folder: the next search fills it again"
    return "delete its folder and materialize the asset again: the blobs are not affected"


def _unknown_words(folder: str, rows: pa.Table) -> Iterator[Problem]:
    name, known = ("status", STATUSES) if folder.endswith(OUTCOMES) else ("decision", DECIDED)
    if name in rows.column_names:
        for word in set(pc.unique(rows.column(name)).to_pylist()) - set(known):
            yield Problem(folder, None, f"It has rows of the {name} {word!r}: {_start_again(folder)}.")


def _strange_categories(folder: str, rows: pa.Table) -> Iterator[Problem]:
    if "category" in rows.column_names:
        keys = pc.unique(rows.column("category")).to_pylist()
        if is_mixed(keys):
            sentence = "It has rows of jewellery categories and of texture themes; a dataset may have one of both"
            yield Problem(
                folder, None, f"{sentence}: delete those that do not belong there ({', '.join(sorted(keys))})."
            )
        for category in strange_keys(keys):
            again = (
                f"delete them (`category = '{category}'`), or materialize the asset again if it holds all categories"
            )
            yield Problem(folder, None, f"It has rows of the category {category!r}, which is none: {again}.")


def _doubled(folder: str, rows: pa.Table) -> Iterator[Problem]:
    if not {"category", "item_id"} <= set(rows.column_names):
        return
    keys = rows.group_by(["category", "item_id"]).aggregate([([], "count_all")])
    for key in keys.filter(pc.greater(keys.column("count_all"), 1)).sort_by("item_id").to_pylist():
        sentence = f"It stands {key['count_all']} times in category {key['category']}: materialize that category again."
        yield Problem(folder, key["item_id"], sentence)


def _blob_problems(
    lake: Lake,
    folder: str,
    rows: pa.Table,
    stored: Mapping[str, StoredFile],
    found: dict[str, str | None],
    hashes: bool,
) -> Iterator[Problem]:
    """Problems of the rows' own blobs; `found` says what is known of a blob from earlier rows, and grows."""
    columns = ("item_id", "sha256", "media_type", "bytes")
    if not set(columns) <= set(rows.column_names):
        return  # said already
    blobs: dict[str, tuple[str, str, int]] = {}
    names: list[tuple[str, str]] = []
    for item_id, sha256, media_type, size in zip(*(rows.column(name).to_pylist() for name in columns), strict=True):
        if sha256 is None or media_type is None:
            yield Problem(folder, item_id, "It names no blob: materialize its category again.")
            continue
        try:
            name = f"{sha256}.{extension_of(media_type)}"
        except ValueError as error:
            yield Problem(folder, item_id, str(error))
            continue
        names.append((item_id, name))
        if name not in found:
            blobs[name] = (sha256, media_type, size)
    look = partial(_blob_problem, lake, stored, hashes)
    with ThreadPoolExecutor(4 if lake.blobs.is_local else 16) as pool:
        found.update(zip(blobs, pool.map(lambda name: look(name, *blobs[name]), blobs), strict=True))
    for item_id, name in names:
        sentence = found[name]
        if sentence is not None:
            yield Problem(folder, item_id, sentence)


def _blob_problem(
    lake: Lake, stored: Mapping[str, StoredFile], hashes: bool, name: str, sha256: str, media_type: str, size: int
) -> str | None:
    path = lake.blobs.path(sha256, media_type)
    again = "restore it from a backup, or materialize the asset that made it again"
    if name not in stored or stored[name].path != path:
        return f"Its blob {path} is gone: {again}."
    there = stored[name].bytes
    if there == size and not hashes:
        return None
    try:
        altered = there != size or hashlib.sha256(lake.blobs.get(sha256, media_type)).hexdigest() != sha256
    except FileNotFoundError:
        return f"Its blob {path} is gone: {again}."
    except OSError as error:
        return f"Its blob {path} cannot be read ({error}): make it readable, or remove it and {again}."
    return f"Its blob {path} was altered ({there} bytes, {size} expected): remove it and {again}." if altered else None


def _further_blobs(
    lake: Lake,
    folder: str,
    rows: pa.Table,
    stored: Mapping[str, StoredFile],
    found: dict[str, str | None],
    hashes: bool,
) -> Iterator[Problem]:
    """Blobs that other columns name: what an item was made from, the model that sorted it, its mask.

    What lies beside an item is read; what it was made from is an item elsewhere, and is read there.
    """
    files = {name.split(".", 1)[0]: file for name, file in stored.items()}
    for column in hash_columns(rows.column_names):
        if column == "sha256":
            continue
        named = pc.unique(rows.column(column).drop_null()).to_pylist()
        if hashes and column != "parent_sha256":
            unread = [files[sha256] for sha256 in named if sha256 in files and files[sha256].name not in found]
            with ThreadPoolExecutor(4 if lake.blobs.is_local else 16) as pool:
                told = pool.map(lambda file: _altered(lake, file), unread)
                found.update(zip((file.name for file in unread), told, strict=True))
        for sha256 in named:
            if sha256 not in files:
                wrong = "is gone: restore it from a backup, or"
            elif column != "parent_sha256" and found.get(files[sha256].name):
                wrong = "was altered or cannot be read: remove it, and"
            else:
                continue
            hit = rows.filter(pc.equal(rows.column(column), sha256))
            item_id = hit.column("item_id")[0].as_py() if "item_id" in hit.column_names else None
            others = f" and {hit.num_rows - 1} more" if hit.num_rows > 1 else ""
            sentence = f"The blob of its {column}{others}, {sha256}, {wrong} materialize the asset that made it again."
            yield Problem(folder, item_id, sentence)


def _altered(lake: Lake, file: StoredFile) -> str | None:
    """What is wrong with a blob's bytes, in a word; None if nothing is."""
    try:
        data = lake.blobs.read(file.path)
    except OSError as error:
        return f"cannot be read ({error})"
    return None if hashlib.sha256(data).hexdigest() == file.name.split(".", 1)[0] else "was altered"
