"""Lakes for tests: datasets of a few small blobs, and the passing of time."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jewel_assets.lake import ITEM_SCHEMA, OUTCOME_SCHEMA, Lake, Publication

REPOSITORY = Path(__file__).resolve().parents[2]


def rows_of(lake: Lake, category: str, contents: Mapping[str, bytes], **values: Any) -> pa.Table:
    """Rows whose blobs hold `contents` (source id -> bytes), stored in the lake."""
    rows = []
    for source_id, data in contents.items():
        blob = lake.blobs.put(data, values.get("media_type", "image/png"))
        row = {
            "item_id": f"folder:{source_id}",
            "category": category,
            "sha256": blob.sha256,
            "media_type": blob.media_type,
            "bytes": blob.bytes,
            "source": "folder",
            "source_id": source_id,
            "may_train": False,
        }
        rows.append(row | {name: value for name, value in values.items() if name in ITEM_SCHEMA.names})
    table = pa.Table.from_pylist(rows, ITEM_SCHEMA)
    for name, value in values.items():
        if name not in ITEM_SCHEMA.names:
            table = table.append_column(name, pa.array([value] * table.num_rows))
    return table


def publish(lake: Lake, name: str, category: str, contents: Mapping[str, bytes], **values: Any) -> Publication:
    """Publish a category of the dataset `name` with one row per source id."""
    return lake.dataset(name).publish(rows_of(lake, category, contents, **values), category)


def append_outcomes(lake: Lake, name: str, category: str, contents: Mapping[str, bytes], days_ago: float = 0) -> None:
    """Append an ok outcome per source id, attempted that many days ago."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    rows = [
        {
            "item_id": f"folder:{source_id}",
            "category": category,
            "status": "ok",
            "input_key": source_id,
            "at": at,
            "sha256": lake.blobs.put(data, "image/png").sha256,
            "media_type": "image/png",
        }
        for source_id, data in contents.items()
    ]
    lake.outcomes(name).append(pa.Table.from_pylist(rows, OUTCOME_SCHEMA))


def age(lake: Lake, days: float) -> None:
    """Let time pass: all files and commits become older by so many days, as if the clock had gone on."""
    seconds = days * 86_400
    for path in Path(lake.root).rglob("*"):
        if path.parent.name == "_delta_log" and path.suffix == ".json":
            lines = [_older(json.loads(line), int(seconds * 1000)) for line in path.read_text().splitlines()]
            stood = path.stat().st_mtime
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
            os.utime(path, (stood, stood))
        if path.is_file():
            then = path.stat().st_mtime - seconds
            os.utime(path, (then, then))


def _older(entry: Any, milliseconds: int) -> Any:
    if not isinstance(entry, dict):
        return entry
    times = ("timestamp", "deletionTimestamp", "modificationTime")
    return {
        key: value - milliseconds if key in times and isinstance(value, int) else _older(value, milliseconds)
        for key, value in entry.items()
    }


def blob_file(lake: Lake, data: bytes) -> Path:
    """The file of a blob that has these bytes."""
    path = lake.blobs.local_path(hashlib.sha256(data).hexdigest(), "image/png")
    assert path is not None
    return path


def in_namespace(mount: str, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python `code` where the shell commands `mount` were run; skips the test where the system forbids that."""
    trial = ["unshare", "-rm", "true"]
    if shutil.which("unshare") is None or subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("This system lets nobody mount a file system for a test (unshare -rm).")
    script = f'set -e\n{mount}\nexec "$0" "$@"'
    command = ["unshare", "-rm", "sh", "-c", script, sys.executable, "-c", code, *arguments]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


def sentences(problems: Sequence[Any]) -> str:
    """All sentences in one text."""
    return "\n".join(f"{problem.dataset} {problem.item_id}: {problem.sentence}" for problem in problems)


_LAST_READS = """
import os, sys, deltalake.fs, pyarrow.dataset
from jewel_assets.lake.tables import DeltaFile
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if not child:
        DeltaFile(sys.argv[1]).read()
        break
    if os.waitpid(child, 0)[1]:
        sys.exit("a process that ended right after it had read did not end in peace")
"""


def read_last_of_all(uri: str, times: int) -> "subprocess.CompletedProcess[str]":
    """`times` processes, each of which ends right after it has read the table at `uri`."""
    command = [sys.executable, "-c", _LAST_READS, uri, str(times)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
