"""A lake in an object store: the same code, a local S3 server, and nothing but the usual AWS_* variables."""

import hashlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jewel_assets.categories import CATEGORIES
from jewel_assets.cli import app
from jewel_assets.lake import Lake
from jewel_assets.lake.blobs import filesystem
from jewel_assets.lake.export import export
from jewel_assets.lake.maintenance import collect_garbage
from jewel_assets.lake.takedowns import take_down
from jewel_assets.lake.verification import verify
from jewel_assets_tests.lake.small_lakes import (
    REPOSITORY,
    append_outcomes,
    publish,
    read_last_of_all,
    rows_of,
    sentences,
)

pytest.importorskip("s3fs", reason="The extra `s3` is not installed.")
pytest.importorskip("moto.server", reason="The extra `dev` is not installed.")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a local S3 server."""
    command = [sys.executable, "-m", "jewel_assets_tests.lake.s3_server"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.kill()
    server.wait()


@pytest.fixture
def bucket(address: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """An empty bucket of this test's own, reached by what the environment says."""
    import boto3

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    clear_s3fs()
    name = f"test-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]}"
    place = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=place)  # type: ignore[arg-type]
    return name


def clear_s3fs() -> None:
    """Forget connections that were made with other settings."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def lake(bucket: str) -> Lake:
    return Lake(f"s3://{bucket}/lake")


def elsewhere(code: str, *arguments: str) -> str:
    """What Python `code` prints in another process."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_lake_in_a_bucket_does_what_a_lake_in_a_folder_does(lake: Lake, tmp_path: Path) -> None:
    assert lake.datasets() == []
    assert lake.blobs.local_path("0" * 64, "image/png") is None
    first = publish(lake, "photos", "ring", {"a.png": b"photo a", "b.png": b"photo b"})
    publish(lake, "photos", "necklace", {"c.png": b"photo c"})
    append_outcomes(lake, "photos", "ring", {"a.png": b"photo a"})
    append_outcomes(lake, "photos", "ring", {"b.png": b"photo b"})
    assert lake.datasets() == ["photos"]
    assert not publish(lake, "photos", "ring", {"a.png": b"photo a", "b.png": b"photo b"}).changed
    assert publish(lake, "photos", "ring", {"a.png": b"photo a"}).changed
    assert lake.dataset("photos").read("ring", version=first.version).num_rows == 2
    assert [row["category"] for row in lake.dataset("photos").read().to_pylist()] == ["necklace", "ring"]
    assert lake.outcomes("photos").latest("ring").num_rows == 2
    assert list(verify(lake)) == []
    assert export(lake, "photos", tmp_path / "out") == 2
    assert sorted(path.read_bytes() for path in (tmp_path / "out").rglob("*.png")) == [b"photo a", b"photo c"]


def test_a_process_may_end_right_after_it_has_read(lake: Lake) -> None:
    publish(lake, "photos", "ring", {"a.png": b"photo a"})
    publish(lake, "photos", "necklace", {"c.png": b"photo c"})
    ended = read_last_of_all(lake.dataset("photos").file.uri, 15)
    assert ended.returncode == 0, ended.stderr


def test_a_blob_that_another_process_writes_is_seen_at_once(lake: Lake) -> None:
    data = b"written elsewhere"
    publish(lake, "photos", "ring", {"a.png": b"photo a"})
    sha256 = hashlib.sha256(data).hexdigest()
    list(lake.blobs.files())  # a listing that must not be remembered
    assert not lake.blobs.exists(sha256, "image/png")
    code = (
        "import sys; from jewel_assets.lake import Lake; Lake(sys.argv[1]).blobs.put(sys.argv[2].encode(), 'image/png')"
    )
    elsewhere(code, lake.root, data.decode())
    assert lake.blobs.exists(sha256, "image/png")
    assert lake.blobs.missing([(sha256, "image/png")]) == []
    assert lake.blobs.size(sha256, "image/png") == len(data)
    assert sorted(file.bytes for file in lake.blobs.files()) == [7, 17]
    elsewhere("import sys; from jewel_assets.lake import Lake; Lake(sys.argv[1]).blobs.remove(sys.argv[2])",
              lake.root, lake.blobs.path(sha256, "image/png"))  # fmt: skip
    assert lake.blobs.missing([(sha256, "image/png")]) == [sha256]


def test_a_dataset_that_another_process_publishes_is_seen_at_once(lake: Lake) -> None:
    assert lake.datasets() == []
    code = """
import sys
from jewel_assets.lake import Lake
from jewel_assets_tests.lake.small_lakes import publish
publish(Lake(sys.argv[1]), "photos", "ring", {"a.png": b"photo a"})
"""
    elsewhere(code, lake.root)
    assert lake.datasets() == ["photos"]
    assert lake.dataset("photos").read().num_rows == 1


def test_categories_can_be_published_at_once_and_none_is_lost(lake: Lake) -> None:
    def work(category: str) -> None:
        own = Lake(lake.root)
        for number in range(3):
            append_outcomes(own, "photos", category, {f"{number}.png": f"{category} {number}".encode()})
        publish(own, "photos", category, {f"{number}.png": f"{category} {number}".encode() for number in range(3)})

    with ThreadPoolExecutor(len(CATEGORIES)) as pool:
        list(pool.map(work, CATEGORIES))
    assert lake.dataset("photos").file.rows_per_category() == dict.fromkeys(CATEGORIES, 3)
    assert lake.outcomes("photos").read().num_rows == 3 * len(CATEGORIES)
    assert list(verify(lake)) == []


def test_two_runs_on_one_category_leave_the_rows_of_one_of_them(lake: Lake) -> None:
    tables = [rows_of(lake, "ring", {f"{run}{n}.png": b"%d" % n for n in range(5)}) for run in "ab"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda rows: Lake(lake.root).dataset("photos").publish(rows, "ring"), tables))
    ids = lake.dataset("photos").read("ring").column("item_id").to_pylist()
    assert ids in [sorted(table.column("item_id").to_pylist()) for table in tables]


def test_verify_finds_lost_and_altered_objects(lake: Lake) -> None:
    publish(lake, "photos", "ring", {"a.png": b"photo a", "b.png": b"photo b", "c.png": b"photo c"})
    fs = lake.blobs._fs
    a, b, _ = (lake.blobs.path(row["sha256"], "image/png") for row in lake.dataset("photos").read().to_pylist())
    fs.rm_file(a)
    fs.pipe_file(b, b"PHOTO B")
    found = list(verify(lake))
    assert [problem.item_id for problem in found] == ["folder:a.png", "folder:b.png"], sentences(found)
    assert [problem.item_id for problem in verify(lake, hashes=False)] == ["folder:a.png"]


def test_gc_removes_old_objects_that_nothing_refers_to(lake: Lake, address: str) -> None:
    publish(lake, "photos", "ring", {"a.png": b"photo a", "b.png": b"photo b"})
    lake.blobs.put(b"nobody refers to this", "image/png")
    assert collect_garbage(lake, timedelta(0), dry_run=False).blobs == []  # all are young
    make_old(address, days=40)
    garbage = collect_garbage(lake, timedelta(days=30))
    assert len(garbage.blobs) == 1
    assert collect_garbage(lake, timedelta(days=30), dry_run=False).blobs == garbage.blobs
    assert len(list(lake.blobs.files())) == 2
    assert list(verify(lake)) == []


def test_an_old_object_that_is_put_again_is_young_again(lake: Lake, address: str) -> None:
    blob = lake.blobs.put(b"made long ago", "image/png")
    make_old(address, days=40)
    lake.blobs.put(b"made long ago", "image/png")
    assert collect_garbage(lake, timedelta(days=30), dry_run=False).blobs == []
    assert lake.blobs.exists(blob.sha256, blob.media_type)


def make_old(address: str, days: float) -> None:
    """Let the server believe that all objects were written days ago."""
    urllib.request.urlopen(f"{address}/make-old?days={days}", data=b"", timeout=10).close()


def test_the_commands_speak_of_a_bucket_as_of_a_folder(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JEWEL_LAKE", lake.root)
    publish(lake, "photos", "ring", {"a.png": b"photo a"})
    run = CliRunner().invoke
    assert json.loads(run(app, ["lake", "ls", "--json"]).output)[0]["rows"] == 1
    assert run(app, ["lake", "verify"]).exit_code == 0
    assert "0 blobs" in run(app, ["lake", "gc"]).output
    assert "1 files" in run(app, ["lake", "export", "photos", str(tmp_path / "out")]).output


def test_an_address_that_nobody_answers_at_is_a_sentence(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_LAKE", lake.root)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    clear_s3fs()
    done = CliRunner().invoke(app, ["lake", "ls"])
    clear_s3fs()
    assert done.exit_code == 1, done.output
    assert f"The lake {lake.root} cannot be opened" in done.output
    assert "its address and keys" in done.output


def test_a_takedown_leaves_nothing_in_the_bucket(lake: Lake, address: str) -> None:
    publish(lake, "photos", "ring", {"a": b"photo a", "b": b"photo b"}, author="Anna Muster")
    publish(lake, "photos", "necklace", {"c": b"photo c"})
    append_outcomes(lake, "photos", "ring", {"a": b"photo a", "b": b"photo b"})
    publish(lake, "dataset_report", "jewelry", {"report": b"<html>all photos"}, media_type="text/html")
    fs, base = filesystem(lake.root)
    fs.pipe_file(f"{base}/reports/dataset_report.html", b"<html>all photos")
    removed = take_down(lake, "author", "Anna Muster", "tests")
    assert removed.items == ["folder:a", "folder:b"]
    assert lake.dataset("photos").read().column("item_id").to_pylist() == ["folder:c"]
    assert [file.name for file in lake.blobs.files()] == [f"{hashlib.sha256(b'photo c').hexdigest()}.png"]
    assert not fs.exists(f"{base}/reports/dataset_report.html")
    assert {row["reason"] for row in lake.outcomes("photos").read().to_pylist()} == {"taken down"}
    assert list(verify(lake)) == []
    make_old(address, days=3)
    collect_garbage(lake, timedelta(days=1), dry_run=False)
    publish(lake, "photos", "ring", {"d": b"photo d"}, author="Anna Muster")
    assert lake.dataset("photos").read().column("item_id").to_pylist() == ["folder:c"]
