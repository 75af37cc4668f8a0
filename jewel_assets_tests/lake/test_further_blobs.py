"""An item may have more blobs than its own (a mask, a report): they are kept, checked and exported with it."""

import csv
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from jewel_assets.errors import Permanent
from jewel_assets.lake import Item, Lake, Made, Result, Stage, StageReport, blob_field, blob_fields, run_stage
from jewel_assets.lake.export import export
from jewel_assets.lake.maintenance import collect_garbage
from jewel_assets.lake.verification import verify
from jewel_assets_tests.lake.small_lakes import age, rows_of

MONTH = timedelta(days=30)

pytestmark = pytest.mark.usefixtures("here")


@dataclass(frozen=True)
class Shout(Stage):
    """Turns bytes into capitals, and says beside them how many there were."""

    name: ClassVar[str] = "shout"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema([blob_field("count_sha256", "application/json")])
    column: str = "count_sha256"

    def parameters(self) -> Mapping[str, Any]:
        return {"column": self.column}

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        return [
            Made({}, "capitals", item.data.upper(), "image/png", beside={self.column: str(len(item.data)).encode()})
            for item in items
        ]


def shout(lake: Lake, stage: Shout | None = None) -> StageReport:
    rows = rows_of(lake, "ring", {"a.png": b"one", "b.png": b"three"})
    return run_stage(lake, stage or Shout(), rows, "shouts", "ring", workers=1)


def beside(lake: Lake) -> dict[str, Path]:
    """The files of the blobs beside the items, by source id."""
    rows = lake.dataset("shouts").read("ring").to_pylist()
    found = {}
    for row in rows:
        path = lake.blobs.local_path(row["count_sha256"], "application/json")
        assert path is not None
        found[row["source_id"]] = path
    return found


def alter(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_they_are_stored_and_the_table_says_what_they_are(lake: Lake) -> None:
    shout(lake)
    assert {name: path.read_bytes() for name, path in beside(lake).items()} == {"a.png": b"3", "b.png": b"5"}
    assert blob_fields(lake.dataset("shouts").read("ring").schema) == {"count_sha256": "application/json"}


def test_an_item_that_lost_one_of_its_blobs_is_made_again_and_the_others_are_not(lake: Lake) -> None:
    shout(lake)
    beside(lake)["a.png"].unlink()
    again = shout(lake)
    assert (again.attempted, again.reused) == (1, 1)
    assert beside(lake)["a.png"].read_bytes() == b"3"


def test_nothing_is_published_whose_blobs_are_not_all_there(lake: Lake) -> None:
    shout(lake)
    rows = lake.dataset("shouts").read("ring")
    beside(lake)["b.png"].unlink()
    with pytest.raises(Permanent, match="1 blobs of others are not in the lake"):
        lake.dataset("others").publish(rows, "ring")


def test_gc_keeps_them_as_long_as_their_item(lake: Lake) -> None:
    shout(lake)
    age(lake, 100)
    collect_garbage(lake, MONTH, dry_run=False)
    assert all(path.exists() for path in beside(lake).values())
    gone = beside(lake)["b.png"]
    run_stage(lake, Shout(), rows_of(lake, "ring", {"a.png": b"one"}), "shouts", "ring", workers=1)
    shutil.rmtree(Path(lake.root, "tables", "shouts__outcomes"))  # as if they were old
    age(lake, 100)
    collect_garbage(lake, MONTH, dry_run=False)
    assert beside(lake)["a.png"].exists()
    assert not gone.exists()


def test_verify_reads_them_and_names_the_one_that_is_lost_or_altered(lake: Lake) -> None:
    shout(lake)
    lake.dataset("photos").publish(rows_of(lake, "ring", {"a.png": b"one", "b.png": b"three"}), "ring")
    assert not list(verify(lake))
    paths = beside(lake)
    alter(paths["a.png"], b"4")
    paths["b.png"].unlink()
    found = {problem.item_id: problem.sentence for problem in verify(lake)}
    assert found.keys() == {"folder:a.png", "folder:b.png"}
    assert "its count_sha256" in found["folder:a.png"]
    assert "was altered" in found["folder:a.png"]
    assert "is gone" in found["folder:b.png"]
    assert [problem.item_id for problem in verify(lake, hashes=False)] == ["folder:b.png"]


def test_export_puts_them_beside_the_file_and_lists_and_removes_them_with_it(lake: Lake, tmp_path: Path) -> None:
    shout(lake)
    assert export(lake, "shouts", tmp_path / "out") == 4
    files = sorted(path.name.split("-", 1)[0] + path.suffix for path in (tmp_path / "out" / "ring_shouts").iterdir())
    assert files == ["a.json", "a.png", "b.json", "b.png"]
    with (tmp_path / "out" / "items.csv").open() as file:
        listed = {row["file"]: row["sha256"] for row in csv.DictReader(file)}
    assert len(listed) == 4
    counts = (tmp_path / "out" / "ring_shouts").glob("a-*.count.json")
    assert [path.read_bytes() for path in counts] == [b"3"]
    run_stage(lake, Shout(), rows_of(lake, "ring", {"a.png": b"one"}), "shouts", "ring", workers=1)
    assert export(lake, "shouts", tmp_path / "out") == 2
    assert len(list((tmp_path / "out" / "ring_shouts").iterdir())) == 2


def test_a_blob_for_a_column_that_is_not_declared_is_refused(lake: Lake) -> None:
    with pytest.raises(Permanent, match=r"mask_sha256.*declare that column"):
        shout(lake, Shout(column="mask_sha256"))


def test_a_column_of_blobs_is_named_as_such() -> None:
    with pytest.raises(ValueError, match="_sha256"):
        blob_field("mask", "image/png")
