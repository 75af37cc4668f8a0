"""Seconds and peak memory of each asset: a cold run, an unchanged one, and one with 5 % new photos.

    python benchmarks/pipeline.py --shared ../shared --count 300 --count 600

Each run is a process of its own that executes the jobs of `make demo` (all categories, then the pool, the clusters and
the report) on one lake. The seconds are those of the steps, start-up of the process and of Dagster aside. The memory is
the proportional set size of the process and its workers together, sampled while the step runs. More than one `--count`
shows whether memory grows with the number of photos.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SCENARIOS = ("cold", "unchanged", "5 % new")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="has data/photos and weights")
    parser.add_argument("--photos", type=Path, help="a photo folder, instead of data/photos of --shared")
    parser.add_argument("--count", type=int, action="append", help="how many photos (default 300); may be repeated")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        run_jobs(Path(arguments.child))
        return
    photos = (arguments.photos or arguments.shared / "data" / "photos").resolve()
    weights = (arguments.shared / "weights").resolve()
    for count in arguments.count or [300]:
        compare(photos, weights, count)


def compare(photos: Path, weights: Path, count: int) -> None:
    """Run the three scenarios on `count` photos and print one row per asset."""
    found = sorted((path for path in photos.glob("*/*") if path.is_file()), key=lambda path: path.name)
    chosen = [found[index * len(found) // count] for index in range(min(count, len(found)))]
    late = chosen[::20]
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        link([path for path in chosen if path not in late], work / "photos")
        measured = {"cold": scenario(work, weights), "unchanged": scenario(work, weights)}
        link(late, work / "photos")
        measured["5 % new"] = scenario(work, weights)
    print(f"\n{len(chosen)} photos of {photos}, {os.cpu_count()} cores; {len(late)} are new in the last run")
    print(f"{'asset':22}" + "".join(f"{name + ' s':>14}{'MiB':>8}" for name in SCENARIOS))
    for asset in measured["cold"]:
        cells = "".join(f"{measured[name][asset][0]:14.2f}{measured[name][asset][1]:8.0f}" for name in SCENARIOS)
        print(f"{asset:22}{cells}")
    totals = {name: sum(seconds for seconds, _ in measured[name].values()) for name in SCENARIOS}
    peaks = {name: max(memory for _, memory in measured[name].values()) for name in SCENARIOS}
    print(f"{'all':22}" + "".join(f"{totals[name]:14.2f}{peaks[name]:8.0f}" for name in SCENARIOS))
    print(f"{'share of cold':22}" + "".join(f"{totals[name] / totals['cold']:14.1%}{'':8}" for name in SCENARIOS))


def link(files: list[Path], folder: Path) -> None:
    for path in files:
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())


def scenario(work: Path, weights: Path) -> dict[str, tuple[float, float]]:
    """Asset -> (seconds over all categories, peak MiB) of one run in a process of its own."""
    (work / "dagster").mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(work / "dagster"),
        "JEWEL_LAKE": str(work / "lake"),
        "JEWEL_PHOTOS": str(work / "photos"),
        "JEWEL_MODELS": str(work / "models"),
        "JEWEL_MODEL_MIRROR": str(weights),
    }
    out = work / "measured.json"
    with (work / "log").open("w") as log:
        done = subprocess.run([sys.executable, __file__, "--child", str(out)], env=environment, stdout=log, stderr=log)
    if done.returncode:
        sys.exit(f"The run failed; its log ends:\n{(work / 'log').read_text()[-3000:]}")
    return {asset: (seconds, memory) for asset, (seconds, memory) in json.loads(out.read_text()).items()}


def run_jobs(out: Path) -> None:
    """In the child: execute the jobs, watch the memory, write what was measured as JSON."""
    import dagster as dg

    from jewel_assets.categories import CATEGORIES
    from jewel_assets.definitions import defs
    from jewel_assets.defs.demo import SHORT_LINES
    from jewel_assets.lake import keep_workers

    repository = defs().get_repository_def()
    memory = Memory()
    seconds: dict[str, float] = {}
    peaks: dict[str, float] = {}
    with dg.DagsterInstance.get() as instance, keep_workers():
        for name, keys in (("refresh_category", CATEGORIES), ("pool_and_report", (None,))):
            for key in keys:
                result = repository.get_job(name).execute_in_process(
                    instance=instance, partition_key=key, run_config=SHORT_LINES
                )
                for step, begin, end in steps(instance, result.run_id):
                    seconds[step] = seconds.get(step, 0.0) + end - begin
                    peaks[step] = max(peaks.get(step, 0.0), memory.peak(begin, end))
    out.write_text(json.dumps({step: (seconds[step], peaks[step]) for step in seconds}))


def steps(instance, run_id: str) -> list[tuple[str, float, float]]:
    found = instance.get_run_step_stats(run_id)
    return sorted(((step.step_key, step.start_time, step.end_time) for step in found), key=lambda step: step[1])


class Memory:
    """Samples the proportional set size of this process and its children, in a thread."""

    def __init__(self, every_s: float = 0.2) -> None:
        self.samples: list[tuple[float, float]] = []
        threading.Thread(target=self._watch, args=(every_s,), daemon=True).start()

    def peak(self, begin: float, end: float) -> float:
        """The largest sum between two moments (seconds since the epoch), MiB."""
        return max((size for at, size in list(self.samples) if begin <= at <= end), default=self.samples[-1][1])

    def _watch(self, every_s: float) -> None:
        import psutil

        me = psutil.Process()
        while True:
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    total += getattr(process.memory_full_info(), "pss", process.memory_info().rss)
                except psutil.Error:
                    continue
            self.samples.append((time.time(), total / 2**20))
            time.sleep(every_s)


if __name__ == "__main__":
    main()
