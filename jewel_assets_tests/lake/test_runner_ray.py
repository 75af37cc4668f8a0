"""The same stage code and the same runner on a local Ray cluster of two workers."""

import json
import os
import subprocess
import sys
from pathlib import Path

from jewel_assets.lake import Lake

ROOT = Path(__file__).resolve().parents[2]


def test_a_stage_runs_on_a_ray_cluster_as_it_does_on_one_machine(lake: Lake, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.touch()
    does = {"raises": [3], "kills": [7], "is rejected": [9]}
    stage = {"seconds": 0.05, "journal": str(journal), "does": does}
    # In a process of its own: Daft's runner is chosen once per process.
    command = [sys.executable, "-m", "jewel_assets_tests.lake.run_for_tests", lake.root, "32", json.dumps(stage), "ray"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.splitlines()[-1])
    assert report == {
        "ok": 29,
        "failed": 2,
        "attempted": 32,
        "reused": 0,
        "workers": 2,
        "reasons": {"ValueError": 1, "worker killed": 1, "no subject": 1},
    }
    lines = journal.read_text().splitlines()
    assert len({line.split()[1] for line in lines if line.startswith("setup")}) >= 2  # processes that did something
    assert lake.outcomes("shouts").latest("ring").num_rows == 32
    rows = lake.dataset("shouts").read("ring").to_pylist()
    assert len(rows) == 29
    assert all(lake.blobs.get(r["sha256"], r["media_type"]) == f"PHOTO {int(r['source_id'])}!".encode() for r in rows)
