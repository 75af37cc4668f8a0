"""Columns of fixed-size lists: how they are stored, and what happens when an engine of another length comes."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.lake import Lake, Stage, StageReport, run_stage
from jewel_assets.lake.publishing import conformed
from jewel_assets_tests.lake.stages_for_tests import Embed, items_of

VECTORS = st.lists(st.none() | st.lists(st.integers(0, 9), max_size=4), max_size=8)


def _run(lake: Lake, stage: Stage, items: pa.Table) -> StageReport:
    return run_stage(lake, stage, items, "shouts", "ring")


def test_an_embedding_is_stored_as_a_list_of_fixed_size_and_reused(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 3)
    first = _run(lake, Embed(), items.slice(0, 2))
    assert first.ok == 2
    report = _run(lake, Embed(), items)
    assert report.attempted == 1
    column = lake.dataset("shouts").read().column("embedding")
    assert column.type == pa.list_(pa.float32(), 3)
    assert column.to_pylist() == [[7.0, 7.0, 7.0]] * 3
    assert not _run(lake, Embed(), items).publication.changed


def test_an_engine_of_another_length_can_take_over_and_the_first_one_come_back(lake: Lake, here: list[int]) -> None:
    items = items_of(lake, 3)
    first = _run(lake, Embed(3), items)
    for length, attempted in ((5, 3), (3, 0), (5, 0), (4, 3), (3, 0)):
        report = _run(lake, Embed(length), items)
        assert (report.ok, report.attempted) == (3, attempted)
        column = lake.dataset("shouts").read("ring").column("embedding")
        assert column.type == pa.list_(pa.float32(), length)
        assert column.to_pylist() == [[7.0] * length] * 3
        assert not _run(lake, Embed(length), items).publication.changed
    assert report.publication.digest == first.publication.digest


def test_categories_whose_vectors_differ_in_length_can_be_read_together(lake: Lake, here: list[int]) -> None:
    run_stage(lake, Embed(3), items_of(lake, 2), "shouts", "ring")
    run_stage(lake, Embed(5), items_of(lake, 2, "bracelet", "other"), "shouts", "bracelet")
    rows = lake.dataset("shouts").read()
    assert rows.column("embedding").type == pa.list_(pa.float32())
    assert [len(vector) for vector in rows.column("embedding").to_pylist()] == [5, 5, 3, 3]
    assert lake.dataset("shouts").read("ring").column("embedding").type == pa.list_(pa.float32(), 3)


@given(vectors=VECTORS, length=st.integers(1, 4))
def test_of_lists_of_any_length_those_that_fit_are_kept_and_the_others_become_null(
    vectors: list[list[int] | None], length: int
) -> None:
    wanted = pa.schema([pa.field("embedding", pa.list_(pa.float32(), length))])
    table = conformed(pa.table({"embedding": pa.array(vectors, pa.list_(pa.int32()))}), wanted)
    assert table.schema == wanted
    fits = [vector if vector is not None and len(vector) == length else None for vector in vectors]
    assert table.column("embedding").to_pylist() == fits


@pytest.mark.parametrize("values", [[], [[1.0, 2.0, 3.0], None], [None]])
def test_fixed_lists_of_another_length_become_null(values: list[Any]) -> None:
    wanted = pa.schema([pa.field("embedding", pa.list_(pa.float32(), 2))])
    table = conformed(pa.table({"embedding": pa.array(values, pa.list_(pa.float32(), 3))}), wanted)
    assert table.column("embedding").to_pylist() == [None] * len(values)
