"""Finding what is wrong with a lake, and removing what nothing refers to."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import deltalake
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.lake import ITEM_SCHEMA, OUTCOME_SCHEMA, Lake
from jewel_assets.lake.maintenance import collect_garbage
from jewel_assets.lake.verification import Problem, verify
from jewel_assets_tests.lake.small_lakes import (
    age,
    append_outcomes,
    blob_file,
    in_namespace,
    publish,
    rows_of,
    sentences,
)

MONTH = timedelta(days=30)


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """Two datasets of two categories, one of them with outcomes."""
    publish(lake, "photos", "ring", {"a.png": b"photo a", "b.png": b"photo b"})
    publish(lake, "photos", "necklace", {"c.png": b"photo c"})
    origin = blob_file(lake, b"photo a").stem
    publish(lake, "cutouts", "ring", {"a.png": b"cut-out a"}, parent_sha256=origin)
    append_outcomes(lake, "cutouts", "ring", {"a.png": b"cut-out a"})
    return lake


def problems_of(lake: Lake, hashes: bool = True) -> list[Problem]:
    return list(verify(lake, hashes=hashes))


def the_problem(lake: Lake) -> Problem:
    found = problems_of(lake)
    assert len(found) == 1, sentences(found)
    return found[0]


def data_files(lake: Lake, table: str) -> list[Path]:
    return sorted((Path(lake.root) / "tables" / table).rglob("*.parquet"))


# verify


def test_a_lake_as_it_was_published_has_no_problem(filled: Lake) -> None:
    assert problems_of(filled) == []


def test_an_empty_lake_has_no_problem(lake: Lake) -> None:
    assert problems_of(lake) == []


def test_a_lost_blob_is_named_with_the_items_that_it_is_missed_by(filled: Lake) -> None:
    blob_file(filled, b"photo b").unlink()
    problem = the_problem(filled)
    assert (problem.dataset, problem.item_id) == ("photos", "folder:b.png")
    assert "is gone: restore it" in problem.sentence


def test_a_lost_blob_that_others_were_made_from_is_missed_there_too(filled: Lake) -> None:
    blob_file(filled, b"photo a").unlink()
    found = problems_of(filled)
    assert [problem.dataset for problem in found] == ["cutouts", "photos"]
    assert "parent_sha256" in found[0].sentence


@pytest.mark.parametrize("data", [b"photo B", b"pho", b"", b"photo b and more"])
def test_an_altered_blob_is_found_by_its_hash(filled: Lake, data: bytes) -> None:
    path = blob_file(filled, b"photo b")
    path.chmod(0o644)
    path.write_bytes(data)
    assert "was altered" in the_problem(filled).sentence


def test_a_quick_look_finds_truncated_blobs_without_reading_any(filled: Lake) -> None:
    for name, data in ((b"photo a", b"PHOTO A"), (b"photo b", b"pho")):
        blob_file(filled, name).chmod(0o644)
        blob_file(filled, name).write_bytes(data)
    found = problems_of(filled, hashes=False)
    assert [problem.item_id for problem in found] == ["folder:b.png"]


def test_materializing_again_mends_a_lost_data_file(filled: Lake) -> None:
    for path in data_files(filled, "photos"):
        path.unlink()
    found = problems_of(filled)
    assert len(found) == 2, sentences(found)
    assert all("is gone" in problem.sentence for problem in found)
    assert {"ring", "necklace"} == {problem.sentence.split("materialize category ")[1].split()[0] for problem in found}
    publish(filled, "photos", "ring", {"a.png": b"photo a", "b.png": b"photo b"})
    publish(filled, "photos", "necklace", {"c.png": b"photo c"})
    assert problems_of(filled) == []


@pytest.mark.parametrize("keep", [0, 100, -20])
def test_a_broken_data_file_is_named_and_the_other_categories_are_still_checked(filled: Lake, keep: int) -> None:
    broken = next(path for path in data_files(filled, "photos") if "necklace" in str(path))
    broken.write_bytes(broken.read_bytes()[:keep])
    blob_file(filled, b"photo b").unlink()
    found = problems_of(filled)
    assert len(found) == 2, sentences(found)
    assert "cannot be read" in found[0].sentence
    assert "category necklace again" in found[0].sentence
    assert found[1].item_id == "folder:b.png"


def test_a_table_without_its_log_is_told_from_a_folder_that_is_no_table(filled: Lake) -> None:
    tables = Path(filled.root) / "tables"
    shutil.rmtree(tables / "photos" / "_delta_log")
    (tables / "holiday").mkdir()
    (tables / "holiday" / "beach.jpg").write_bytes(b"sand")
    (tables / "empty").mkdir()
    (tables / ".DS_Store").write_bytes(b"macOS")
    found = {problem.dataset: problem.sentence for problem in problems_of(filled)}
    assert set(found) == {"photos", "holiday"}
    assert "data files but no `_delta_log`" in found["photos"]
    assert "move this folder elsewhere" in found["holiday"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda log: log.write_text("{nonsense"),
        lambda log: log.write_bytes(b"\x00\xff" * 40),
        lambda log: log.unlink(),
        lambda log: (log.parent / "_last_checkpoint").write_text('{"version":9,"size":3}'),
    ],
)
def test_a_broken_log_is_one_readable_sentence(filled: Lake, damage: Callable[[Path], None]) -> None:
    damage(Path(filled.root) / "tables" / "photos" / "_delta_log" / f"{0:020}.json")
    sentence = the_problem(filled).sentence
    assert "Delta log" in sentence
    assert "Restore `_delta_log` from a backup" in sentence
    assert "\x1b" not in sentence
    assert "\n" not in sentence


def test_keys_that_somebody_doubled_by_hand_are_found(filled: Lake) -> None:
    uri = f"{filled.root}/tables/photos"
    row = filled.dataset("photos").read("necklace")
    deltalake.write_deltalake(uri, row, mode="append", partition_by="category")
    problem = the_problem(filled)
    assert problem.item_id == "folder:c.png"
    assert "stands 2 times in category necklace" in problem.sentence


def test_a_table_that_lacks_columns_is_still_checked_as_far_as_it_goes(filled: Lake) -> None:
    rows = filled.dataset("photos").read().drop_columns(["licence", "bytes", "media_type"])
    deltalake.write_deltalake(f"{filled.root}/tables/photos", rows, mode="overwrite", schema_mode="overwrite")
    assert "lacks the columns media_type, bytes, licence" in the_problem(filled).sentence


def test_a_table_that_somebody_else_wrote_is_found(filled: Lake) -> None:
    rows = filled.dataset("photos").read()
    deltalake.write_deltalake(f"{filled.root}/tables/theirs", rows)
    assert "theirs is not divided by category" in the_problem(filled).sentence


def test_rows_that_name_no_blob_or_an_unknown_kind_of_blob_are_found(filled: Lake) -> None:
    rows = filled.dataset("photos").read("ring").to_pylist()
    rows[0]["media_type"] = "image/x-icon"
    rows[1]["sha256"] = None
    loose = pa.schema([field.with_nullable(True) for field in ITEM_SCHEMA])
    uri = f"{filled.root}/tables/loose"
    deltalake.write_deltalake(uri, pa.Table.from_pylist(rows, loose), partition_by="category")
    found = problems_of(filled)
    assert len(found) == 2, sentences(found)
    assert "'image/x-icon'" in sentences(found)
    assert "names no blob" in sentences(found)


def test_rows_of_a_category_that_does_not_exist_are_found(filled: Lake) -> None:
    rows = filled.dataset("photos").read("ring").to_pylist()
    odd = pa.Table.from_pylist([row | {"category": "tiara & more"} for row in rows], ITEM_SCHEMA)
    deltalake.write_deltalake(f"{filled.root}/tables/photos", odd, mode="append", partition_by="category")
    assert "'tiara & more', which is none" in the_problem(filled).sentence


def test_rows_of_a_category_and_of_a_texture_theme_in_one_dataset_are_found(filled: Lake) -> None:
    rows = filled.dataset("photos").read("ring").to_pylist()
    odd = pa.Table.from_pylist([row | {"category": "gold"} for row in rows], ITEM_SCHEMA)
    deltalake.write_deltalake(f"{filled.root}/tables/photos", odd, mode="append", partition_by="category")
    assert (
        "a dataset may have one of both: delete those that do not belong there (gold," in the_problem(filled).sentence
    )


def test_a_model_that_rows_name_must_be_there(filled: Lake) -> None:
    model = filled.blobs.put(b"centroids", "application/x-npz")
    publish(filled, "design_clusters", "ring", {"a.png": b"cut-out a"}, cluster_model_sha256=model.sha256)
    assert problems_of(filled) == []
    filled.blobs.remove(filled.blobs.path(model.sha256, model.media_type))
    assert "cluster_model_sha256" in the_problem(filled).sentence


def test_broken_outcomes_are_found_and_can_be_deleted(filled: Lake) -> None:
    for path in data_files(filled, "cutouts__outcomes"):
        path.unlink()
    problem = the_problem(filled)
    assert problem.dataset == "cutouts__outcomes"
    assert "delete its folder: the stage then does its items again" in problem.sentence
    shutil.rmtree(Path(filled.root) / "tables" / "cutouts__outcomes")
    assert problems_of(filled) == []


def test_outcomes_of_an_unknown_status_are_found(filled: Lake) -> None:
    row = filled.outcomes("cutouts").read().to_pylist()[0] | {"status": "perhaps"}
    filled.outcomes("cutouts").append(pa.Table.from_pylist([row], OUTCOME_SCHEMA))
    assert "'perhaps'" in the_problem(filled).sentence


def test_what_a_killed_writer_left_is_no_problem_but_a_foreign_file_is(filled: Lake) -> None:
    folder = blob_file(filled, b"photo a").parent
    (folder / f".{'0' * 64}.png.{'1' * 32}.tmp").write_bytes(b"half a pho")
    assert problems_of(filled) == []
    (folder / "holiday.png").write_bytes(b"sand")
    assert "holiday.png is not a blob of this lake: move it elsewhere" in the_problem(filled).sentence


def test_all_problems_are_told_at_once(filled: Lake) -> None:
    shutil.rmtree(Path(filled.root) / "tables" / "cutouts" / "_delta_log")
    data_files(filled, "cutouts__outcomes")[0].write_bytes(b"no parquet")
    blob_file(filled, b"photo b").unlink()
    blob_file(filled, b"photo c").chmod(0o644)
    blob_file(filled, b"photo c").write_bytes(b"other")
    assert [problem.dataset for problem in problems_of(filled)] == ["cutouts", "cutouts__outcomes", "photos", "photos"]


def test_one_dataset_can_be_verified_alone_and_an_unknown_one_is_refused(filled: Lake) -> None:
    blob_file(filled, b"photo c").unlink()
    assert list(verify(filled, ["cutouts"])) == []
    assert len(list(verify(filled, ["photos"]))) == 1
    with pytest.raises(Permanent, match="no dataset 'fotos'"):
        list(verify(filled, ["fotos"]))


# gc


def test_by_default_nothing_is_removed_but_named(filled: Lake) -> None:
    publish(filled, "photos", "necklace", {})
    age(filled, 40)
    garbage = collect_garbage(filled, MONTH)
    assert garbage.blobs == [str(blob_file(filled, b"photo c"))]
    assert garbage.bytes == len(b"photo c")
    assert (garbage.kept, garbage.table_files) == (3, 1)
    assert blob_file(filled, b"photo c").exists()


def test_what_no_recent_version_refers_to_goes_and_everything_else_still_verifies(filled: Lake) -> None:
    publish(filled, "photos", "necklace", {})
    age(filled, 40)
    files = data_files(filled, "photos")
    garbage = collect_garbage(filled, MONTH, dry_run=False)
    assert not blob_file(filled, b"photo c").exists()
    assert len(data_files(filled, "photos")) == len(files) - garbage.table_files
    assert problems_of(filled) == []
    assert collect_garbage(filled, MONTH, dry_run=False).blobs == []


def test_a_version_counts_as_long_as_it_was_the_newest_within_the_retention(filled: Lake) -> None:
    age(filled, 100)  # published long ago, replaced ten days ago
    publish(filled, "photos", "necklace", {})
    age(filled, 10)
    version = filled.dataset("photos").history()[1]["version"]
    assert collect_garbage(filled, MONTH, dry_run=False).blobs == []
    assert filled.dataset("photos").read("necklace", version=version).num_rows == 1
    assert blob_file(filled, b"photo c").exists()
    assert len(collect_garbage(filled, timedelta(days=9), dry_run=False).blobs) == 1
    with pytest.raises(Permanent):
        filled.dataset("photos").read("necklace", version=version)


def test_a_version_that_delta_would_let_go_after_a_week_stays_for_the_retention(filled: Lake) -> None:
    version = publish(filled, "photos", "necklace", {}).version - 1
    age(filled, 10)
    filled.dataset("photos").file.open().create_checkpoint()  # forgets which files older versions had
    collect_garbage(filled, MONTH, dry_run=False)
    assert filled.dataset("photos").read("necklace", version=version).num_rows == 1


def test_what_kept_items_were_made_from_stays(filled: Lake) -> None:
    publish(filled, "photos", "ring", {"b.png": b"photo b"})
    age(filled, 40)
    collect_garbage(filled, MONTH, dry_run=False)
    assert blob_file(filled, b"photo a").exists()  # the parent of a cut-out


def test_outcomes_keep_their_blobs_for_the_retention(lake: Lake) -> None:
    append_outcomes(lake, "cutouts", "ring", {"old.png": b"old", "older.png": b"older"}, days_ago=40)
    append_outcomes(lake, "cutouts", "ring", {"new.png": b"new"}, days_ago=20)
    age(lake, 2)
    collect_garbage(lake, MONTH, dry_run=False)
    assert not blob_file(lake, b"old").exists()
    assert blob_file(lake, b"new").exists()


def test_no_retention_still_spares_the_last_day(filled: Lake) -> None:
    age(filled, 40)
    publish(filled, "photos", "necklace", {})
    filled.blobs.put(b"written by a run that goes on", "image/png")
    assert collect_garbage(filled, timedelta(0), dry_run=False).blobs == []
    assert filled.dataset("photos").read("necklace", version=1).num_rows == 1


def test_files_that_killed_writers_left_go_after_a_day_and_foreign_files_stay(filled: Lake) -> None:
    folder = blob_file(filled, b"photo a").parent
    left = folder / f".{'0' * 64}.png.{'1' * 32}.tmp"
    foreign = folder / "holiday.png"
    orphan = data_files(filled, "photos")[0].with_name("part-0-never-committed.parquet")
    for path in (left, foreign, orphan):
        path.write_bytes(b"half")
    collect_garbage(filled, MONTH, dry_run=False)
    assert left.exists()
    age(filled, 2)
    garbage = collect_garbage(filled, MONTH, dry_run=False)
    assert garbage.blobs == [str(left)]
    assert garbage.table_files == 1
    assert not left.exists()
    assert not orphan.exists()
    assert foreign.exists()


@pytest.mark.parametrize("table", ["photos", "cutouts__outcomes"])
def test_nothing_is_removed_while_a_table_cannot_be_read(filled: Lake, table: str) -> None:
    publish(filled, "photos", "necklace", {})
    age(filled, 40)
    log = Path(filled.root) / "tables" / table / "_delta_log"
    moved = log.rename(log.with_name("moved"))
    with pytest.raises(Permanent, match="so nobody knows which blobs it refers to; nothing was"):
        collect_garbage(filled, MONTH, dry_run=False)
    moved.rename(log)
    data_files(filled, table)[-1].write_bytes(b"no parquet")
    with pytest.raises(Permanent, match="missing or broken"):
        collect_garbage(filled, MONTH, dry_run=False)
    assert blob_file(filled, b"photo c").exists()


def test_an_old_result_that_a_run_makes_again_is_young_again(filled: Lake) -> None:
    publish(filled, "photos", "necklace", {})
    age(filled, 40)
    rows = rows_of(filled, "necklace", {"c.png": b"photo c"})  # puts the blob that nothing refers to any more
    collect_garbage(filled, MONTH, dry_run=False)
    filled.dataset("photos").publish(rows, "necklace")
    assert problems_of(filled) == []


def test_what_is_published_while_gc_looks_through_the_blobs_stays(filled: Lake) -> None:
    rows = filled.dataset("photos").read("necklace")
    publish(filled, "photos", "necklace", {})
    age(filled, 40)
    looked = filled.blobs.files

    def publish_while_looking() -> object:
        yield from looked()
        filled.dataset("photos").publish(rows, "necklace")

    filled.blobs.files = publish_while_looking  # type: ignore[method-assign, assignment]
    assert collect_garbage(filled, MONTH, dry_run=False).blobs == []
    filled.blobs.files = looked  # type: ignore[method-assign]
    assert problems_of(filled) == []


def test_gc_while_writers_are_at_work_loses_nothing(filled: Lake) -> None:
    contents = {f"{number}.png": b"pixels %d" % number for number in range(40)}
    publish(filled, "photos", "bracelet", contents)
    publish(filled, "photos", "bracelet", {})
    age(filled, 40)
    stop = threading.Event()
    errors: list[Exception] = []

    def collect() -> None:
        lake = Lake(filled.root)
        while not stop.is_set():
            try:
                collect_garbage(lake, MONTH, dry_run=False)
            except Exception as error:
                errors.append(error)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for last in (10, 25, 40):
            append_outcomes(filled, "photos", "bracelet", dict(list(contents.items())[:last]))
            publish(filled, "photos", "bracelet", dict(list(contents.items())[:last]))
    finally:
        stop.set()
        collector.join()
    assert errors == []
    assert problems_of(filled) == []
    assert filled.dataset("photos").read("bracelet").num_rows == 40


HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(["photos", "cutouts"]),
        st.just("ring"),
        st.sets(st.integers(0, 3), max_size=3),
        st.sampled_from([0, 2, 15]),
    ),
    min_size=2,
    max_size=6,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(HISTORIES, st.sampled_from([0, 7, 30]))
def test_after_any_history_gc_keeps_what_versions_within_the_retention_refer_to(
    history: list[tuple[str, str, set[int], int]], retention: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        ages: dict[str, list[float]] = {}
        for name, category, numbers, days in history:
            version = publish(lake, name, category, {f"{n}.png": f"{name} {n}".encode() for n in numbers}).version
            for known in ages.values():
                known[:] = [then + days for then in known]
            ages.setdefault(name, [])
            if version == len(ages[name]):
                ages[name].append(days)
            age(lake, days)
        collect_garbage(lake, timedelta(days=retention), dry_run=False)
        assert problems_of(lake) == []
        wanted = set()
        for name, published in ages.items():
            for version in range(len(published)):
                last = version + 1 == len(published)
                # The next version is what ended this one; a commit takes moments, hence the margin.
                if last or published[version + 1] < max(retention, 1) - 0.01:
                    rows = lake.dataset(name).read(version=version)
                    wanted |= set(rows.column("sha256").to_pylist())
        there = {file.name.split(".")[0] for file in lake.blobs.files()}
        assert wanted <= there


# a place that cannot be written

_COLLECT = """
import sys
from datetime import timedelta
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake
from jewel_assets.lake.maintenance import collect_garbage
from jewel_assets.lake.verification import verify
lake = Lake(sys.argv[1])
assert not list(verify(lake))
print(len(collect_garbage(lake, timedelta(days=30)).blobs))
try:
    collect_garbage(lake, timedelta(days=30), dry_run=False)
except Permanent as error:
    print(error)
"""


def test_a_read_only_lake_can_be_verified_and_gc_says_that_it_cannot_be_tidied(filled: Lake) -> None:
    publish(filled, "photos", "necklace", {})
    age(filled, 40)
    mount = f"mount --bind '{filled.root}' '{filled.root}' && mount -o remount,bind,ro '{filled.root}'"
    done = in_namespace(mount, _COLLECT, filled.root)
    assert done.stderr == ""
    count, sentence = done.stdout.splitlines()
    assert count == "1"
    assert f"{filled.root} cannot be written" in sentence
    assert blob_file(filled, b"photo c").exists()


_PUBLISH = """
import os, sys
from pathlib import Path
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake
from jewel_assets.lake.verification import verify
from jewel_assets_tests.lake.small_lakes import append_outcomes, publish, rows_of
lake = Lake(sys.argv[1])
publish(lake, "photos", "ring", {"a.png": b"photo a"})
rows = rows_of(lake, "ring", {f"{n}.png": b"%d" % n for n in range(200)})
outcomes = lambda: append_outcomes(lake, "photos", "ring", {"a.png": b"photo a"})
filler = Path(sys.argv[1]) / "filler"
with filler.open("wb", buffering=0) as file:
    try:
        while file.write(os.urandom(4096)):
            pass
    except OSError:
        pass
for attempt in (lambda: lake.dataset("photos").publish(rows, "ring"), outcomes):
    try:
        attempt()
    except Permanent as error:
        print(error)
try:
    lake.blobs.put(os.urandom(100_000), "image/png")
except OSError as error:
    print(error.strerror)
assert lake.dataset("photos").read().num_rows == 1
print(len([file for file in lake.blobs.files() if file.name.startswith(".")]), len(list(verify(lake))))
filler.unlink()
lake.dataset("photos").publish(rows, "ring")
outcomes()
print(lake.dataset("photos").read().num_rows, len(list(verify(lake))))
"""


def test_a_full_disk_is_a_sentence_and_changes_nothing_and_once_there_is_room_it_goes_on(tmp_path: Path) -> None:
    done = in_namespace(f"mount -t tmpfs -o size=2m tmpfs '{tmp_path}'", _PUBLISH, f"{tmp_path}")
    assert "Traceback" not in done.stderr  # delta-rs may add some words of its own
    published, appended, put, after, then = done.stdout.splitlines()
    for sentence in (published, appended):
        assert sentence.startswith("No space left for ")
        assert "free some disk and run again" in sentence
    assert put == "No space left on device"
    assert after == "0 0"  # no half of a blob, nothing broken
    assert then == "200 0"
