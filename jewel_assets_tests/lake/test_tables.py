"""Delta tables and the digest of rows."""

import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.errors import Permanent, Transient
from jewel_assets.lake.tables import DeltaFile, digest, writing_failed
from jewel_assets_tests.lake.small_lakes import read_last_of_all


def _rows(category: str, *ids: str, **columns: list[Any]) -> pa.Table:
    return pa.table({"category": [category] * len(ids), "item_id": list(ids), **columns})


def _file(tmp_path: Path) -> DeltaFile:
    return DeltaFile(str(tmp_path / "table"))


def test_a_table_that_was_never_written_reads_as_none_and_opens_with_a_sentence(tmp_path: Path) -> None:
    file = _file(tmp_path)
    assert file.read() is None
    assert not file.exists()
    assert not file.compact()
    with pytest.raises(Permanent, match="materialize its asset first"):
        file.open()


def test_overwriting_a_category_leaves_the_others_and_the_older_versions(tmp_path: Path) -> None:
    file = _file(tmp_path)
    first = file.write(_rows("ring", "a", "b"), "overwrite", "category = 'ring'")
    file.write(_rows("bracelet", "c"), "overwrite", "category = 'bracelet'")
    file.write(_rows("ring", "d"), "overwrite", "category = 'ring'")
    assert sorted(file.read().column("item_id").to_pylist()) == ["c", "d"]  # type: ignore[union-attr]
    old = file.read("ring", version=first)
    assert old is not None
    assert sorted(old.column("item_id").to_pylist()) == ["a", "b"]


def test_overwriting_a_category_with_no_rows_empties_it(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.write(_rows("ring", "a"), "overwrite")
    file.write(_rows("bracelet", "c"), "append")
    file.write(_rows("ring", "x").slice(0, 0), "overwrite", "category = 'ring'")
    assert file.read().column("item_id").to_pylist() == ["c"]  # type: ignore[union-attr]


def test_new_columns_join_and_absent_ones_become_null(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.write(_rows("ring", "a", size=[1]), "append")
    file.write(_rows("ring", "b", weight=[2.0]), "append")
    table = file.read()
    assert table is not None
    rows = {row["item_id"]: row for row in table.to_pylist()}
    assert rows["a"] == {"category": "ring", "item_id": "a", "size": 1, "weight": None}
    assert rows["b"] == {"category": "ring", "item_id": "b", "size": None, "weight": 2.0}


def test_a_column_of_another_type_is_refused_with_a_sentence(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.write(_rows("ring", "a", size=[1]), "append")
    with pytest.raises(Permanent, match="do not fit the table"):
        file.write(_rows("ring", "b", size=[["no"]]), "append")
    assert file.open().version() == 0


@pytest.mark.parametrize("values", [[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], None]])
def test_lists_of_fixed_size_come_back_as_such(tmp_path: Path, values: list[Any]) -> None:
    file = _file(tmp_path)
    vectors = pa.array(values, pa.list_(pa.float32(), 2))
    file.write(_rows("ring", "a", "b").append_column("vector", vectors), "append")
    file.write(_rows("ring", "c").append_column("vector", vectors.slice(0, 1)), "append")
    table = file.read()
    assert table is not None
    table = table.sort_by("item_id")
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 2)
    assert table.column("vector").to_pylist() == [*values, [1.0, 2.0]]


def test_compacting_changes_no_row(tmp_path: Path) -> None:
    file = _file(tmp_path)
    for i in range(6):
        file.write(_rows("ring", str(i)), "append")
    before = file.read()
    assert not file.compact(files_per_category=6)
    assert file.compact(files_per_category=5)
    after = file.read()
    assert before is not None
    assert after is not None
    assert digest(after) == digest(before)
    assert len(file.open().file_uris()) == 1


def test_a_broken_log_says_what_to_do(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.write(_rows("ring", "a"), "append")
    (tmp_path / "table/_delta_log/00000000000000000000.json").write_text("not json\n")
    with pytest.raises(Permanent, match="Restore `_delta_log` from a backup"):
        file.open()


def test_a_missing_data_file_says_what_to_do(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.write(_rows("ring", "a"), "append")
    next((tmp_path / "table").rglob("*.parquet")).unlink()
    with pytest.raises(Permanent, match="`jewel lake verify` lists what is wrong"):
        file.read()


def test_a_process_may_end_right_after_it_has_read(tmp_path: Path) -> None:
    file = _file(tmp_path)
    for i in range(4):
        file.write(_rows("ring", f"ring{i}"), "append")
    ended = read_last_of_all(file.uri, 25)
    assert ended.returncode == 0, ended.stderr


def _append_five(uri: str, name: str) -> None:
    for i in range(5):
        DeltaFile(uri).write(_rows("ring", f"{name}{i}"), "append")


def _overwrite(uri: str, category: str) -> None:
    for i in range(3):
        DeltaFile(uri).write(_rows(category, f"{category}{i}"), "overwrite", f"category = '{category}'")


def _in_processes(target: Any, arguments: list[tuple[str, str]]) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=target, args=each) for each in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def test_processes_that_append_at_once_lose_nothing_even_while_the_table_is_created(tmp_path: Path) -> None:
    file = _file(tmp_path)
    _in_processes(_append_five, [(file.uri, name) for name in "abc"])
    table = file.read()
    assert table is not None
    assert sorted(table.column("item_id").to_pylist()) == [f"{name}{i}" for name in "abc" for i in range(5)]


def test_processes_that_overwrite_categories_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    file = _file(tmp_path)
    _in_processes(_overwrite, [(file.uri, category) for category in ("ring", "bracelet", "necklace")])
    table = file.read()
    assert table is not None
    assert sorted(table.column("item_id").to_pylist()) == ["bracelet2", "necklace2", "ring2"]


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (OSError(28, "No space left on device"), Permanent, "free some disk"),
        (OSError("Generic LocalFileSystem error: os error 28"), Permanent, "free some disk"),
        (
            OSError('Could not create local directory: Error: Os { code: 13, kind: PermissionDenied, message: "" }'),
            Permanent,
            "make it writable",
        ),
        (PermissionError(13, "Permission denied"), Permanent, "make it writable"),
        (OSError(30, "Read-only file system"), Permanent, "make it writable"),
        (OSError(5, "Input/output error"), Transient, "failed"),
    ],
)
def test_a_failed_write_is_named_by_its_cause(error: OSError, kind: type[Exception], says: str) -> None:
    named = writing_failed("s3://lake", error)
    assert isinstance(named, kind)
    assert says in str(named)


TEXT = st.none() | st.text(max_size=5)
VECTORS = st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=2)


@st.composite
def _tables(draw: st.DrawFn) -> pa.Table:
    ids = draw(st.lists(st.text(max_size=4), unique=True, max_size=6))
    size = len(ids)

    def column(values: Any) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    return pa.table(
        {
            "category": pa.array(column(st.sampled_from(["ring", "bracelet"])), pa.string()),
            "item_id": pa.array(ids, pa.string()),
            "author": pa.array(column(TEXT), pa.string()),
            "bytes": pa.array(column(st.none() | st.integers(0, 2**40)), pa.int64()),
            "vector": pa.array(column(st.none() | VECTORS), pa.list_(pa.float32(), 2)),
        }
    )


@given(_tables(), st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_order_of_rows_or_columns_or_on_chunks(table: pa.Table, rng: Any) -> None:
    order, names = list(range(table.num_rows)), list(table.column_names)
    rng.shuffle(order)
    rng.shuffle(names)
    shuffled = table.take(pa.array(order, pa.int64())).select(names)
    half = table.num_rows // 2
    chunked = pa.concat_tables([shuffled.slice(0, half), shuffled.slice(half)])
    listed = chunked.set_column(names.index("vector"), "vector", chunked.column("vector").cast(pa.list_(pa.float32())))
    assert digest(shuffled) == digest(chunked) == digest(listed) == digest(table)


@given(_tables().filter(lambda table: table.num_rows > 0), st.data())
def test_the_digest_depends_on_every_value(table: pa.Table, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, table.num_rows - 1))
    name = data.draw(st.sampled_from(["author", "bytes", "vector"]))
    values = table.column(name).to_pylist()
    other: dict[str, Any] = {"author": "someone else", "bytes": -1, "vector": [0.5, float(np.float32(1e-3))]}
    changed = [*values[:row], other[name], *values[row + 1 :]]
    if changed == values:
        return
    index = table.column_names.index(name)
    column = pa.array(changed, table.schema.field(name).type)
    assert digest(table.set_column(index, name, column)) != digest(table)
    assert digest(table.slice(0, table.num_rows - 1)) != digest(table)
