"""Fixtures of the lake's tests."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake, Stage, crew
from jewel_assets.lake.schema import OUTCOME_SCHEMA
from jewel_assets.lake.stage_process import Abort, Done, Order, StageRun


@pytest.fixture
def lake(lake_root: str) -> Lake:
    return Lake(lake_root)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stages run in this process: for tests about what is known and published, not about workers.

    Gives the numbers of items that each run attempted.
    """
    attempted: list[int] = []

    def stream(
        stage: Stage, columns: Sequence[str], packed: Sequence[bytes], lake_root: str, _workers: int, threads: int
    ) -> Iterator[list[Done] | Abort | None]:
        attempted.append(len(packed))
        run = StageRun(Order(stage, tuple(columns), lake_root, threads))
        try:
            run.set_up()
            for start in range(0, len(packed), stage.batch_size):
                yield run.do(packed[start : start + stage.batch_size])
        except Permanent as error:
            yield Abort(str(error))

    monkeypatch.setattr(crew, "stream", stream)
    return attempted


@pytest.fixture
def read_only_lake() -> Iterator[Lake]:
    """A lake with one blob and one table, in a folder that this process may read and not write."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # not below `tmp_path`, which other users cannot enter
        lake = Lake(f"{folder}/lake")
        lake.blobs.put(b"there", "image/png")
        lake.outcomes("old").append(OUTCOME_SCHEMA.empty_table())
        table = pa.Table.from_pylist([{"category": "ring", "item_id": "folder:1"}])
        lake.outcomes("old").file.write(table, "append")
        paths = [Path(folder), *Path(folder).rglob("*")]
        root = os.geteuid() == 0
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        if root:
            os.seteuid(65534)  # nobody: root may write anywhere, whatever the modes
        try:
            yield lake
        finally:
            if root:
                os.seteuid(0)
            for path in paths:
                path.chmod(0o755)
