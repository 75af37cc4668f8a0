"""Blobs: stored once, whole or not at all."""

import hashlib
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jewel_assets.lake import BlobStore, Lake

ROOT = Path(__file__).resolve().parents[2]

PUT_FOR_EVER = """
import os, sys
from jewel_assets.lake import BlobStore
store = BlobStore(sys.argv[1])
print("ready", flush=True)
while True:
    store.put(os.urandom(300_000), "image/png")
"""


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_what_was_put_is_got_under_its_hash(lake_root: str, data: bytes) -> None:
    store = BlobStore(lake_root)
    blob = store.put(data, "image/png")
    assert blob.sha256 == hashlib.sha256(data).hexdigest()
    assert blob.bytes == len(data)
    assert store.get(blob.sha256, "image/png") == data
    assert store.path(blob.sha256, "image/png").endswith(f"/blobs/{blob.sha256[:2]}/{blob.sha256}.png")


def test_the_same_bytes_are_stored_once(lake: Lake) -> None:
    first = lake.blobs.put(b"one", "image/png")
    path = lake.blobs.local_path(first.sha256, "image/png")
    assert path is not None
    inode = path.stat().st_ino
    assert lake.blobs.put(b"one", "image/png") == first
    assert path.stat().st_ino == inode
    assert len(list(lake.blobs.files())) == 1


def test_missing_names_each_blob_that_is_not_there_once(lake: Lake) -> None:
    there = lake.blobs.put(b"one", "image/png")
    wanted = [(there.sha256, "image/png"), ("ab" * 32, "image/png"), ("ab" * 32, "image/png")]
    assert lake.blobs.missing(wanted) == ["ab" * 32]
    assert not lake.blobs.exists(there.sha256, "image/jpeg")
    with pytest.raises(FileNotFoundError):
        lake.blobs.get("ab" * 32, "image/png")


def test_a_media_type_without_an_extension_is_refused_by_name(lake: Lake) -> None:
    with pytest.raises(ValueError, match="does not store 'image/x-strange' yet"):
        lake.blobs.put(b"one", "image/x-strange")


def test_a_store_travels_to_other_processes(lake: Lake) -> None:
    blob = lake.blobs.put(b"one", "image/png")
    assert pickle.loads(pickle.dumps(lake.blobs)).get(blob.sha256, "image/png") == b"one"
    assert pickle.loads(pickle.dumps(lake)).blobs.get(blob.sha256, "image/png") == b"one"


def test_a_write_that_fails_leaves_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        lake.blobs.put(b"one", "image/png")
    assert list(lake.blobs.files()) == []


def test_no_half_written_blob_is_ever_seen_when_writers_are_killed(lake: Lake) -> None:
    rng = random.Random(3)
    for _ in range(4):
        command = [sys.executable, "-c", PUT_FOR_EVER, lake.root]
        writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.02, 0.15))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    whole = [file for file in lake.blobs.files() if not file.name.startswith(".")]
    assert whole
    for file in whole:
        assert hashlib.sha256(Path(file.path).read_bytes()).hexdigest() == Path(file.path).stem


def test_a_lake_that_is_only_read_can_be_read(read_only_lake: Lake) -> None:
    blob = hashlib.sha256(b"there").hexdigest()
    assert read_only_lake.blobs.get(blob, "image/png") == b"there"
    assert read_only_lake.blobs.put(b"there", "image/png").sha256 == blob  # it is there already
    with pytest.raises(OSError, match=r"[Pp]ermission denied|[Rr]ead-only"):
        read_only_lake.blobs.put(b"new", "image/png")
