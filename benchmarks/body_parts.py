"""How well `JudgeBodyParts` tells photos that show a person from product photos, on photos it was not tuned on.

    python benchmarks/body_parts.py [--shared ../shared] [--photos 1481] [--workers 2] [--sheets DIR]

People: data/people (labels.csv). Product photos: a sample of data/photos (all by default); the few that show a body
part were found by looking at all of them and are listed in `body_parts_showing.csv`. Every photo belongs to the
development or the held-out half by the hash of its file name. Thresholds were set on the development half alone; one
condition, the grain of a ground in `skin.py`, was thought of on seeing two held-out crops missed.

What has no or few labels is made here from the same people, in the half of the photo it comes from: close crops of
fingers, palms, ears with cheeks, and necks (cut beside and below faces that YuNet finds; some are nearly black, some
show hair or a collar and hardly any skin), and jewellery laid on hands (data/cutout_pairs). The same jewellery on
white, parchment, linen and wood is product photos.
"""

import argparse
import csv
import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import NormalDist, median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jewel_assets.clean import JudgeBodyParts, choose_detectors
from jewel_assets.clean.body_parts.judge import Scores
from jewel_assets.contact_sheet import contact_sheet
from jewel_assets.images import Pixels, decode, fit
from jewel_assets.registry import Registry
from jewel_assets.settings import settings

SHOWING = Path(__file__).with_name("body_parts_showing.csv")
PEOPLE = ("hand", "face", "ear", "neither hand nor face", "all people", "jewellery photo showing a body part")
MADE = ("crop: palm", "crop: fingers", "crop: ear, cheek", "crop: neck", "jewellery on a hand")
PRODUCTS = ("data/photos", "on white", "on parchment", "on linen", "on wood", "other things, animals")
GROUNDS = {"white": "on white", "marble": "on parchment", "textile": "on linen", "wood": "on wood"}
ALONE = {
    "palm + landmarks": lambda s: s["hand"] > 0,
    "the same, border continued": lambda s: s["hand_framed"] > 0,
    "BlazeFace full range >= 0.5": lambda s: s["face"] >= 0.5,
    "YuNet >= 0.5": lambda s: s["yunet"] >= 0.5,
    "pose visibility >= 0.5": lambda s: s["pose"] >= 0.5,
    "selfie mask >= 0.1": lambda s: s["person"] >= 0.1,
    "skin-toned limb >= 0.02": lambda s: s["skin"] >= 0.02,
    "any of palm, YuNet, full range": lambda s: s["hand"] > 0 or s["face"] >= 0.5 or s["yunet"] >= 0.5,
}


@dataclass(frozen=True)
class Photo:
    """One photo to judge and what is known of it."""

    strata: tuple[str, ...]
    is_held_out: bool
    pixels: Pixels


@dataclass(frozen=True)
class Judged:
    """What became of one photo."""

    photo: Photo
    scores: Scores
    verdict: str
    reason: str
    seconds: float


def is_held_out(name: str) -> bool:
    return hashlib.sha256(name.encode()).digest()[3] % 2 == 1


def read(path: Path) -> Pixels:
    return fit(decode(path.read_bytes()), 640)


def people(data: Path, yunet: Path) -> Iterator[Photo]:
    """The labelled people and things, and what is made of the people."""
    import cv2

    pairs = sorted((data / "cutout_pairs" / "images").glob("*_white.*"))
    faces = cv2.FaceDetectorYN.create(str(yunet), "", (320, 320), 0.7)
    with (data / "people" / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    for index, row in enumerate(rows):
        held_out, pixels = is_held_out(row["file"]), read(data / "people" / "images" / row["file"])
        if row["person"] == "0":
            yield Photo(("other things, animals",), held_out, pixels)
            continue
        parts = [part for part in ("hand", "face", "ear") if row[part] == "1"]
        yield Photo((*(parts or ["neither hand nor face"]), "all people"), held_out, pixels)
        height, width = pixels.shape[:2]
        if parts == ["hand"]:  # nothing but a hand, in the middle of the photo
            for name, top, bottom in (("crop: palm", 0.3, 0.8), ("crop: fingers", 0.1, 0.55)):
                crop = pixels[int(top * height) : int(bottom * height), width // 4 : width * 3 // 4]
                yield Photo((name,), held_out, np.ascontiguousarray(crop))
            yield Photo(("jewellery on a hand",), held_out, laid_on(pixels, pairs[index % len(pairs)]))
        faces.setInputSize((width, height))
        found = faces.detect(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1] if "face" in parts else None
        if found is not None and (box := found[found[:, 2].argmax(), :4])[2] >= 55:
            for name, x, y, side in (
                ("crop: ear, cheek", 0.02, 0.55, 0.7),
                ("crop: ear, cheek", 0.98, 0.55, 0.7),
                ("crop: neck", 0.5, 1.2, 0.8),
            ):
                left, top = box[0] + (x - side / 2) * box[2], box[1] + y * box[3] - side / 2 * box[2]
                square = [slice(max(0, int(start)), int(start + side * box[2])) for start in (top, left)]
                yield Photo((name,), held_out, np.ascontiguousarray(pixels[square[0], square[1]]))


def laid_on(hand: Pixels, piece: Path) -> Pixels:
    """A piece of jewellery, cut out with its exact mask, at 0.45 of the size of a photo of a hand, in its middle."""
    import cv2

    side = 400
    ground = cv2.resize(hand, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    mask = cv2.imread(str(piece.parent.parent / "masks" / f"{piece.stem}.png"), cv2.IMREAD_GRAYSCALE)
    both = np.dstack([decode(piece.read_bytes()), mask])
    scale = 0.45 * side / max(both.shape[:2])
    both = cv2.resize(both, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    top, left = (side - both.shape[0]) // 2, (side - both.shape[1]) // 2
    part = ground[top : top + both.shape[0], left : left + both.shape[1]]
    part += (both[..., :3] - part) * both[..., 3:] / 255
    return np.clip(np.rint(ground), 0, 255).astype(np.uint8)


def products(data: Path, count: int) -> Iterator[Photo]:
    """The product photos: a sample by the hash of the name, but always those that show a body part."""
    with SHOWING.open() as file:
        showing = {row["file"] for row in csv.DictReader(file)}
    paths = sorted((data / "photos").glob("*/*"), key=lambda path: hashlib.sha256(path.name.encode()).digest())
    for path in [path for i, path in enumerate(paths) if i < count or path.name in showing]:
        stratum = "jewellery photo showing a body part" if path.name in showing else "data/photos"
        yield Photo((stratum,), is_held_out(path.name), read(path))
    for path in sorted((data / "cutout_pairs" / "images").iterdir()):
        piece, ground = path.stem.split("_")[0], path.stem.split("_")[-1]
        yield Photo((GROUNDS[ground],), is_held_out(piece), read(path))


_stage: JudgeBodyParts  # of this worker


def start(stage: JudgeBodyParts) -> None:
    global _stage
    _stage = stage
    _stage.setup(threads=1)


def judge(photo: Photo) -> Judged:
    began = time.perf_counter()
    verdict, reason, scores = _stage.judge(photo.pixels)
    return Judged(photo, scores, verdict, reason, time.perf_counter() - began)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % score interval of a share (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    z = NormalDist().inv_cdf(0.975)
    centre, spread = hits + z * z / 2, z * (hits * (count - hits) / count + z * z / 4) ** 0.5
    return (centre - spread) / (count + z * z), (centre + spread) / (count + z * z)


def share(hits: int, count: int) -> str:
    if not count:
        return f"{'none labelled':25s}"
    low, high = wilson(hits, count)
    return f"{hits / count:.3f} [{low:.3f}, {high:.3f}] {hits:>4}/{count:<4}"


def of(judged: list[Judged], stratum: str, half: bool | None) -> list[Judged]:
    return [j for j in judged if stratum in j.photo.strata and half in (None, j.photo.is_held_out)]


def table(judged: list[Judged], half: bool | None) -> None:
    print(f"  {'people: not kept (recall)':38s} {'not kept, 95 % interval':34s} rejected  review")
    for stratum in (*PEOPLE, *MADE):
        rows = of(judged, stratum, half)
        verdicts = Counter(j.verdict for j in rows)
        count = max(len(rows), 1)
        tail = f" {verdicts['reject'] / count:8.3f} {verdicts['review'] / count:7.3f}" if rows else ""
        print(f"  {stratum:38s} {share(len(rows) - verdicts['keep'], len(rows)):34s}{tail}")
    print(f"  {'product photos':38s} {'rejected, 95 % interval':34s} review, 95 % interval")
    for stratum in PRODUCTS:
        rows = of(judged, stratum, half)
        verdicts = Counter(j.verdict for j in rows)
        print(f"  {stratum:38s} {share(verdicts['reject'], len(rows)):34s} {share(verdicts['review'], len(rows))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--photos", type=int, default=1481, help="how many of data/photos")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sheets", type=Path, help="a folder for contact sheets of misses and false alarms")
    options = parser.parse_args()
    os.environ.setdefault("GLOG_minloglevel", "3")
    detectors = choose_detectors(Registry(settings().models, str(options.shared / "weights")))
    if detectors.yunet is None:
        raise SystemExit(
            f"There is no YuNet in {options.shared / 'weights'}: give --shared the folder that has weights."
        )
    photos = [
        *people(options.shared / "data", detectors.yunet.path),
        *products(options.shared / "data", options.photos),
    ]
    context = get_context("spawn")
    stages = {every: JudgeBodyParts(detectors, every_score=every) for every in (False, True)}
    judged: dict[bool, list[Judged]] = {}
    seconds: dict[bool, float] = {}
    for every, stage in stages.items():
        with ProcessPoolExecutor(options.workers, context, start, (stage,)) as pool:
            list(pool.map(judge, photos[: 4 * options.workers]))  # the workers are up and warm
            began = time.perf_counter()
            judged[every] = list(pool.map(judge, photos, chunksize=8))
            seconds[every] = time.perf_counter() - began
    changed = sum(a.verdict != b.verdict for a, b in zip(judged[False], judged[True], strict=True))
    print(f"{len(photos)} photos of {options.shared / 'data'}; detectors: {', '.join(stages[False].weights())}")
    print(
        f"{options.workers} workers of 1 thread: {len(photos) / seconds[False]:.1f} images/s; with every score "
        f"{len(photos) / seconds[True]:.1f}; verdicts that differ between the two: {changed}"
    )
    for stratum in ("data/photos", "all people"):
        times = [median(j.seconds for j in of(judged[every], stratum, None)) * 1e3 for every in (False, True)]
        print(f"median per photo, {stratum}: {times[0]:.0f} ms, with every score {times[1]:.0f} ms (decoding aside)")
    for title, half in (("held out", True), ("development", False)):
        print(f"\n{title} half")
        table(judged[False], half)
    print("\neach detector alone, held-out half          all people (recall)                data/photos (false alarms)")
    for name, fires in ALONE.items():
        hit, alarm = (of(judged[True], stratum, True) for stratum in ("all people", "data/photos"))
        counts = [sum(bool(fires({k: v or 0.0 for k, v in j.scores.items()})) for j in rows) for rows in (hit, alarm)]
        print(f"  {name:38s} {share(counts[0], len(hit)):34s} {share(counts[1], len(alarm))}")
    print("\nreasons, data/photos, both halves")
    for reason, count in Counter(j.reason for j in of(judged[True], "data/photos", None)).most_common():
        print(f"  {reason:38s} {count}")
    if options.sheets:
        options.sheets.mkdir(parents=True, exist_ok=True)
        missed = [j for stratum in (*PEOPLE, *MADE) for j in of(judged[True], stratum, None) if j.verdict == "keep"]
        alarms = [j for stratum in PRODUCTS[:5] for j in of(judged[True], stratum, None) if j.verdict != "keep"]
        for name, rows in (("missed", missed), ("false_alarms", alarms)):
            sheet = contact_sheet([j.photo.pixels for j in rows], [f"{j.verdict[:3]} {j.reason}" for j in rows])
            (options.sheets / f"{name}.jpg").write_bytes(sheet)


if __name__ == "__main__":
    main()
