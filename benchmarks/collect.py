"""How fast and how faithfully the collecting street fetches: speed, kill -9, injected faults, a night without news.

    python benchmarks/collect.py photos --img2dataset PYTHON   # 4,000 photos, ours and img2dataset on the same server
    python benchmarks/collect.py bare                          # small files, nothing but fetching them
    python benchmarks/collect.py kills                         # 50 random kill -9 during a collection of 1,000
    python benchmarks/collect.py faults                        # 10,000 injected faults
    python benchmarks/collect.py night                         # 4,000 known photos, nothing new

img2dataset needs older libraries than this project: install it in an environment of its own
(`python3.11 -m venv build/img2dataset && build/img2dataset/bin/pip install img2dataset`) and name its Python.
All servers are on this machine, so the client has what they leave of its cores.
"""

import argparse
import hashlib
import json
import os
import platform
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))
os.environ["JEWEL_PRIVATE_HOSTS"] = "127.0.0.1,localhost"

from jewel_assets.collect.addresses import AddressGuard  # noqa: E402
from jewel_assets.collect.answers import Received  # noqa: E402
from jewel_assets.collect.collecting import plan  # noqa: E402
from jewel_assets.collect.fetch_file import FetchPhoto  # noqa: E402
from jewel_assets.collect.fetcher import Fetcher  # noqa: E402
from jewel_assets.collect.limits import HostRule, Limits, Quota  # noqa: E402
from jewel_assets.collect.source import Found, Source, open_fetcher  # noqa: E402
from jewel_assets.lake import Lake, run_stage  # noqa: E402
from jewel_assets.lake.takedowns import take_down  # noqa: E402
from jewel_assets_tests.collect.collecting_for_tests import QuickUnsplash  # noqa: E402
from jewel_assets_tests.fakes import faults  # noqa: E402
from jewel_assets_tests.fakes.server import Reply, Seen  # noqa: E402
from jewel_assets_tests.fakes.unsplash import KEY, FakeUnsplash  # noqa: E402

SIDES = (480, 640, 800, 1080, 1350, 1600)
"""Longer sides of the photos (pixels), in turn."""
THREADS = 16


@dataclass(frozen=True)
class Plain(Source):
    """A source that is a list of addresses: what img2dataset is given, too."""

    host: str
    count: int
    name: str = "plain"

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """No limit that could bind: what is measured is the machine."""
        return {self.host: HostRule(100_000.0, THREADS, obeys_robots=False)}

    @property
    def requests_each(self) -> Mapping[str, int]:
        return {self.host: 1}

    def search(self, fetcher: Fetcher, query: str, most: int) -> Iterator[Found]:
        for number in range(self.count):
            address = f"http://{self.host}/{number}.jpg"
            yield Found(str(number), address, address, author="A", licence="CC0 1.0")

    def fetch(self, fetcher: Fetcher, row: Mapping[str, Any]) -> Received:
        return fetcher.file(row["file_url"], max_bytes=1 << 26)


def photos(arguments: argparse.Namespace) -> None:
    folder = _made(arguments.folder, arguments.count)
    print(f"{arguments.count} JPEGs, sides {SIDES}, {_mean_kb(folder):.0f} KB on average")
    ours, theirs = [], []
    for repetition in range(arguments.repeat):
        with _server(folder) as host:
            for side in ("ours", "img2dataset") if repetition % 2 == 0 else ("img2dataset", "ours"):
                if side == "ours":
                    ours.append(_ours(host, arguments.count))
                    print(f"  ours         {ours[-1]:7.1f} images/s", flush=True)
                elif arguments.img2dataset:
                    theirs.append(_img2dataset(arguments.img2dataset, host, arguments.count))
                    print(f"  img2dataset  {theirs[-1]:7.1f} images/s", flush=True)
    print(f"median: ours {statistics.median(ours):.1f} images/s", end="")
    if theirs:
        ratio = statistics.median(ours) / statistics.median(theirs)
        print(f", img2dataset {statistics.median(theirs):.1f} images/s: {ratio:.2f} x [goal: 1]")
    print()


def bare(arguments: argparse.Namespace) -> None:
    folder = Path(arguments.folder) / "small"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1000):
        (folder / f"{number}.jpg").write_bytes(b"\xff\xd8\xff\xe0" + random.Random(number).randbytes(8000))
    with _server(folder) as host:
        speeds = {name: [] for name in ("all guards", "requests alone")}
        for _ in range(arguments.repeat):
            speeds["all guards"].append(_per_second(_guarded(host), arguments.count))
            speeds["requests alone"].append(_per_second(_requests(host), arguments.count))
    for name, found in speeds.items():
        print(f"{name:15} {statistics.median(found):7.0f} files/s of 8 KB (median of {len(found)})")
    print("[goal: 600 with all guards]")


def kills(arguments: argparse.Namespace) -> None:
    root = Path(tempfile.mkdtemp(prefix="jewel-kills-"))
    with Noting(total=arguments.count, picture=_small) as fake:
        undisturbed = _collect_once(fake, root / "undisturbed")
        fake.sent.clear()
        chance = random.Random(arguments.seed)
        killed: list[float] = []
        while len(killed) < arguments.kills:
            process = _child(fake, root / "killed")
            time.sleep(chance.uniform(0.5, arguments.longest))
            if process.poll() is not None:
                print(f"  the collection was done after {len(killed)} kills: take a larger --count")
                break
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed.append(time.monotonic())
        process = _child(fake, root / "killed")
        assert process.wait() == 0, "the clean run failed"
        again = {photo: times for photo, times in fake.sent.items() if len(times) > 1}
    # In flight: its bytes were sent and not yet kept, so its next serving is the first after a kill that came soon.
    strange = [
        photo
        for photo, times in again.items()
        if any(not any(0 <= kill - sent <= IN_FLIGHT_S for kill in killed) for sent in times[:-1])
    ]
    busy = sum(any(0 <= kill - sent <= 0.5 for times in fake.sent.values() for sent in times) for kill in killed)
    disturbed = _table(Lake(root / "killed"))
    blobs = [sorted(path.name for path in (root / name / "blobs").rglob("*.jpg")) for name in ("undisturbed", "killed")]
    print(f"{len(killed)} kills ({busy} of them within half a second of a photo's bytes), then one clean run")
    print(f"{len(disturbed)} of {len(undisturbed)} photos")
    print(f"table equal to the undisturbed run's: {disturbed == undisturbed}; blobs equal: {blobs[0] == blobs[1]}")
    print(
        f"photos whose bytes were sent more than once: {len(again)}, of them not in flight at a kill: {len(strange)}; "
        f"violations: {len(fake.violations)}"
    )
    shutil.rmtree(root)


IN_FLIGHT_S = 2.0
"""A photo that was sent so shortly before a kill may not have been decoded, hashed and kept by then."""


class Noting(FakeUnsplash):
    """Notes when each photo's bytes were sent."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.sent: dict[str, list[float]] = defaultdict(list)

    def reply(self, seen: Seen) -> Reply:
        found = super().reply(seen)
        if seen.path.startswith("/photo-") and found.status == 200:
            self.sent[seen.path].append(time.monotonic())
        return found


KINDS: dict[str, tuple[tuple[str, str | None], Callable[[FakeUnsplash], faults.Fault], int]] = {
    # what is expected -> the fault, and how often it is given (an item is tried four times)
    "404": (("rejected", "gone at the source"), lambda fake: faults.status(404), 1),
    "410": (("rejected", "gone at the source"), lambda fake: faults.status(410), 1),
    "403": (("rejected", "not allowed"), lambda fake: faults.status(403), 1),
    "500, again and again": (("failed", "server error"), lambda fake: faults.status(500), 4),
    "503, again and again": (("failed", "server error"), lambda fake: faults.status(503), 4),
    "500 once": (("ok", None), lambda fake: faults.status(500), 1),
    "503 with Retry-After": (("ok", None), lambda fake: faults.status(503, Retry_After="0"), 1),
    "429 with Retry-After": (("ok", None), lambda fake: faults.too_many(1), 1),
    "429 without": (("ok", None), lambda fake: faults.status(429), 1),
    "429, again and again": (("failed", "rate limited"), lambda fake: faults.status(429), 4),
    "redirects in a loop": (("failed", "too many redirects"), lambda fake: faults.loop, 8),
    "four redirects": (("ok", None), lambda fake: faults.chain(4), 1),
    "to 169.254.169.254": (("failed", "address refused"), lambda fake: faults.METADATA, 1),
    "to another port here": (
        ("failed", "address refused"),
        lambda fake: faults.redirect(f"http://127.0.0.2:{fake.trap}/a.jpg"),
        1,
    ),
    "a web page as 200": (("failed", "not an image"), lambda fake: faults.web_page, 1),
    "truncated": (("failed", "truncated"), lambda fake: faults.truncated, 1),
    "cut off": (("failed", "broke off"), lambda fake: faults.cut_off, 4),
    "hung up once": (("ok", None), lambda fake: faults.hang_up, 1),
    "wrong Content-Type": (("ok", None), lambda fake: faults.wrong_type, 1),
    "noai": (("rejected", "noai"), lambda fake: faults.noai, 1),
    "disallowed by robots.txt": (("rejected", "disallowed by robots.txt"), lambda fake: faults.noai, 0),
    "401 for its download": (("failed", "key refused"), lambda fake: faults.status(401), 1),
    "a bomb of pixels": (("rejected", "too many pixels"), lambda fake: faults.pixel_bomb, 1),
    "a bomb of gzip": (("rejected", "file too large"), lambda fake: faults.gzip_bomb, 4),
    "a slow loris": (("failed", "took too long"), lambda fake: faults.slow_loris(0.05), 4),
}
RARE = {
    "401 for its download": 4,
    "429 with Retry-After": 40,
    "a bomb of gzip": 20,
    "a slow loris": 40,
    "429, again and again": 200,
}
"""Kinds that hold everybody up, so there are fewer of them."""


def fault_storm(arguments: argparse.Namespace) -> None:
    root = Path(tempfile.mkdtemp(prefix="jewel-faults-"))
    names = [name for name in KINDS if name not in RARE]
    rare = {name: min(times, arguments.count // 20) for name, times in RARE.items()}
    wanted = [names[number % len(names)] for number in range(arguments.count - sum(rare.values()))]
    wanted += [name for name, times in rare.items() for _ in range(times)]
    random.Random(arguments.seed).shuffle(wanted)
    with _Trap() as trap, FakeUnsplash(total=len(wanted), picture=_small) as fake:
        fake.trap = trap.port
        fake.requests_per_window, fake.window_s = 5000, 20.0
        plans = {}
        disallowed = []
        for photo, name in zip(fake.ids("gold ring"), wanted, strict=True):
            path = f"/photos/{photo}/download" if name.startswith("401") else f"/photo-{photo}"
            plans[path] = [KINDS[name][1](fake)] * KINDS[name][2]
            if name == "disallowed by robots.txt":
                disallowed.append(path)
        fake.planned = plans
        fake.robots = lambda: "User-agent: *\n" + "".join(f"Disallow: {path}\n" for path in disallowed)
        began = time.monotonic()
        _collect_once(fake, root / "lake", quota=Quota(5000, 20.0), total_s=3.0)
        seconds = time.monotonic() - began
        told = Lake(root / "lake").outcomes("unsplash_photos").latest("ring").to_pylist()
        found = {row["item_id"].split(":")[1]: (row["status"], row["reason"]) for row in told}
        wrong = Counter(
            (name, found.get(photo))
            for photo, name in zip(fake.ids("gold ring"), wanted, strict=True)
            if found.get(photo) != KINDS[name][0]
        )
        pings = fake.asked("/photos/")
        trespasses = len({seen.path for seen in fake.seen} & set(disallowed))
    print(f"{len(wanted):,} photos, a fault each, {len(KINDS)} kinds, in {seconds:.0f} s")
    print(f"classified wrongly: {sum(wrong.values())} {dict(wrong) if wrong else ''}")
    print(f"violations (limit, Retry-After, keys, download pings): {len(fake.violations)} {fake.violations[:3]}")
    print(f"asked for although robots.txt disallows it: {trespasses} of {len(disallowed)}")
    print(
        f"connections to private addresses: {trap.connections}; pings without ixid: "
        f"{sum('ixid' not in ping.query for ping in pings)} of {len(pings):,}"
    )
    shutil.rmtree(root)


def night(arguments: argparse.Namespace) -> None:
    root = Path(tempfile.mkdtemp(prefix="jewel-night-"))
    with FakeUnsplash(total=arguments.count, picture=_small) as fake:
        _collect_once(fake, root / "lake")
        before = len(fake.seen)
        began = time.monotonic()
        _collect_once(fake, root / "lake")
        seconds = time.monotonic() - began
        asked = Counter(seen.path for seen in fake.seen[before:])
        began = time.monotonic()
        removed = take_down(Lake(root / "lake"), "author", "Maker Number 3", "benchmark")
        gone_s = time.monotonic() - began
    pages = -(-arguments.count // 30)
    print(
        f"a night over {arguments.count:,} known photos: {dict(asked)} requests "
        f"(search pages: {pages}), {seconds:.1f} s"
    )
    print(f"a takedown of one author's {len(removed.items):,} photos: {gone_s:.1f} s")
    shutil.rmtree(root)


def child(arguments: argparse.Namespace) -> None:
    """One collection, in a process that may be killed."""
    settings = json.loads(arguments.settings)
    _collect(Path(settings["root"]), settings["url"], settings["images"], settings["count"])


def _collect_once(fake: FakeUnsplash, root: Path, **named: Any) -> list[tuple[str, str]]:
    _collect(root, fake.url, fake.hosts[1], fake.total, **named)
    return _table(Lake(root))


def _collect(
    root: Path,
    url: str,
    images: str,
    count: int,
    quota: Quota = Quota(1_000_000, 3600.0),  # noqa: B008, frozen
    total_s: float = 60.0,
) -> None:
    lake = Lake(root)
    state = lake.local_folder("fetched")
    source = QuickUnsplash(KEY, url, images, quota, 100_000.0, THREADS, fresh_s=0.0, total_s=total_s)
    stage = FetchPhoto(source, str(state))
    with open_fetcher(source, state) as opened:
        planned = plan(lake, stage, source, "unsplash_photos", "ring", ["gold ring"], opened, count, 1e6)
    run_stage(lake, stage, planned.items, "unsplash_photos", "ring", max_failed_share=1.0)


def _child(fake: FakeUnsplash, root: Path) -> "subprocess.Popen[bytes]":
    settings = {"root": str(root), "url": fake.url, "images": fake.hosts[1], "count": fake.total}
    command = [sys.executable, __file__, "child", "--settings", json.dumps(settings)]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)


def _table(lake: Lake) -> list[tuple[str, str]]:
    """What must not depend on how a run went: each item and its bytes."""
    rows = lake.dataset("unsplash_photos").read("ring", ["item_id", "sha256"]).to_pylist()
    return [(row["item_id"], row["sha256"]) for row in rows]


def _small(photo: str) -> bytes:
    """A JPEG of 64 x 64 pixels, another for each photo."""
    from jewel_assets.images import encode_jpeg
    from jewel_assets_tests.pictures import draw_piece

    return encode_jpeg(draw_piece("ring", int(hashlib.sha256(photo.encode()).hexdigest()[:6], 16), 96), 80)


class _Trap:
    """Listens where nobody should connect, and counts who does."""

    def __enter__(self) -> "_Trap":
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.2", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _count(self) -> None:
        with suppress(OSError):
            while True:
                self._socket.accept()[0].close()
                self.connections += 1


def _made(folder: Path, count: int) -> Path:
    """The photos, made once: drawn pieces on a ground with grain, as large as a shop's."""
    import cv2
    import numpy as np

    from jewel_assets.images import encode_jpeg
    from jewel_assets_tests.pictures import draw_piece

    photos = folder / f"photos-{count}"
    photos.mkdir(parents=True, exist_ok=True)
    grain = np.random.default_rng(0).normal(0, 6, (1600, 1600, 3)).astype(np.float32)
    for number in range(count):
        path = photos / f"{number}.jpg"
        if not path.exists():
            side = SIDES[number % len(SIDES)]
            piece = cv2.resize(draw_piece("ring", number, 320), (side, side), interpolation=cv2.INTER_CUBIC)
            noisy = np.clip(piece + grain[:side, :side], 0, 255).astype(np.uint8)[: side * 3 // 4]
            path.write_bytes(encode_jpeg(noisy, 88))
    return photos


def _mean_kb(folder: Path) -> float:
    return statistics.mean(path.stat().st_size for path in folder.iterdir()) / 1000


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    command = [sys.executable, str(REPOSITORY / "benchmarks/loopback.py"), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"127.0.0.1:{int(server.stdout.readline())}"
        server.kill()


def _ours(host: str, count: int) -> float:
    root = Path(tempfile.mkdtemp(prefix="jewel-collect-"))
    lake, source = Lake(root), Plain(host, count)
    state = lake.local_folder("fetched")
    stage = FetchPhoto(source, str(state))
    began = time.monotonic()
    with open_fetcher(source, state) as fetcher:
        planned = plan(lake, stage, source, "plain_photos", "ring", ["all"], fetcher, count, 1e6)
    report = run_stage(lake, stage, planned.items, "plain_photos", "ring")
    seconds = time.monotonic() - began
    assert report.ok == count, report
    shutil.rmtree(root)
    return count / seconds


def _img2dataset(python: str, host: str, count: int) -> float:
    """Its defaults but for the processes and threads that two cores want: decode, scale to 256, encode, write files."""
    with tempfile.TemporaryDirectory() as folder:
        addresses = Path(folder, "addresses.txt")
        addresses.write_text("".join(f"http://{host}/{number}.jpg\n" for number in range(count)))
        code = (
            "from img2dataset import download\n"
            f"download(url_list={str(addresses)!r}, output_folder={folder + '/out'!r}, input_format='txt', "
            f"processes_count={os.cpu_count()}, thread_count={THREADS}, output_format='files', image_size=256, "
            "number_sample_per_shard=1000, compute_hash='sha256')"
        )
        environment = os.environ | {"NO_ALBUMENTATIONS_UPDATE": "1", "OMP_NUM_THREADS": "1"}
        began = time.monotonic()
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=environment)
        seconds = time.monotonic() - began
        found = len(list(Path(folder, "out").rglob("*.jpg")))
        if found != count:
            raise SystemExit(f"img2dataset made {found} of {count} images:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return count / seconds


def _guarded(host: str) -> Callable[[int], int]:
    fetcher = Fetcher(
        Limits({host: HostRule(100_000.0, THREADS, obeys_robots=False)}), guard=AddressGuard(["127.0.0.1"])
    )

    def fetch(number: int) -> int:
        received = fetcher.file(f"http://{host}/{number % 1000}.jpg", max_bytes=1 << 20)
        with received.file:
            return len(received.read())

    return fetch


def _requests(host: str) -> Callable[[int], int]:
    import requests

    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))
    return lambda number: len(session.get(f"http://{host}/{number % 1000}.jpg", timeout=10).content)


def _per_second(fetch: Callable[[int], int], count: int) -> float:
    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fetch, range(count)))
    return count / (time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Callable[[argparse.Namespace], None], **defaults: Any) -> None:
        made = commands.add_parser(name)
        made.set_defaults(run=run)
        for option, value in defaults.items():
            made.add_argument(f"--{option}", type=type(value) if value is not None else str, default=value)

    folder = REPOSITORY / "build/collect"
    command("photos", photos, count=4000, repeat=3, folder=folder, img2dataset=None)
    command("bare", bare, count=6000, repeat=5, folder=folder)
    command("kills", kills, count=1000, kills=50, longest=4.0, seed=1)
    command("faults", fault_storm, count=10_000, seed=1)
    command("night", night, count=4000)
    command("child", child, settings="")
    arguments = parser.parse_args()
    if arguments.run is not child:
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load}", flush=True)
    arguments.run(arguments)


if __name__ == "__main__":
    main()
