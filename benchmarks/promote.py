"""Promotional images: how fast, how faithful, how clean at the edge, how repeatable.

    python benchmarks/promote.py speed [--shared ../shared]     # a batch of 200, two workers; one photo, file to file
    python benchmarks/promote.py fidelity [--shared ../shared]  # every template, strict and relit; worst cases first
    python benchmarks/promote.py edges [--shared ../shared]     # edge colours on dark and light plates
    python benchmarks/promote.py repeat [--shared ../shared]    # 100 images, two runs, one and two workers
    python benchmarks/promote.py shadows [--pieces 10]          # our shadows against Mitsuba's, on catalogue pieces
    python benchmarks/promote.py enlarge [--shared ../shared]   # pieces made small and enlarged again (extra `ml`)

Pieces: the 16 of `data/cutout_pairs` on white, with their exact masks, and at the edge the colours of the nearest
opaque pixel. "edges" lays each of them on three old grounds without loss, cuts it out again with its exact alpha, lays
it on a near-black and a near-white plate, and compares the edge (alpha 0.05 to 0.95) with the piece laid there
directly: mean Delta-E 1976. "enlarge" makes each three times smaller, enlarges it again, and compares the core
with what it was.
"""

import argparse
import csv
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from jewel_assets.clean import cut_out  # noqa: E402
from jewel_assets.images import Pixels, decode, encode_png  # noqa: E402
from jewel_assets.lake import Lake, run_stage  # noqa: E402
from jewel_assets.promote.fidelity import core_of  # noqa: E402
from jewel_assets.promote.layout import resized  # noqa: E402
from jewel_assets.promote.palettes import palette  # noqa: E402
from jewel_assets.promote.piece import Piece, piece_of  # noqa: E402
from jewel_assets.promote.plates import make_plate  # noqa: E402
from jewel_assets.promote.rendering import render  # noqa: E402
from jewel_assets.promote.shading import to_linear, to_srgb  # noqa: E402
from jewel_assets.promote.stages import RenderPromo, list_promos  # noqa: E402
from jewel_assets.promote.templates import library  # noqa: E402
from jewel_assets.promote.upscale import ByNetwork, RealEsrgan, choose_enlarger, filled  # noqa: E402
from jewel_assets.registry import Registry  # noqa: E402
from jewel_assets.shape.render.poses import Pose  # noqa: E402
from jewel_assets_tests.lake.small_lakes import publish  # noqa: E402

PLATES = {"near-black": (14, 14, 18), "near-white": (242, 240, 236)}
OLD_GROUNDS = {"white": None, "marble": ("marble", "ivory"), "wood": ("wood", "sand")}
TEMPLATES = ("velvet-midnight", "marble-ivory", "silk-champagne", "minimal-ivory")


def cutouts(shared: Path) -> dict[str, tuple[Pixels, str]]:
    """Name -> RGBA and category of the pieces on white."""
    folder, found = shared / "data/cutout_pairs", {}
    with (folder / "pairs.csv").open() as file:
        for row in csv.DictReader(file):
            if row["bg"] == "white":
                photo = decode((folder / "images" / f"{row['name']}.jpg").read_bytes())
                mask = decode((folder / "masks" / f"{row['name']}.png").read_bytes())[..., 0]
                rgba = np.dstack([_own_colours(photo, mask), mask])
                rgba[mask == 0] = 0
                found[row["name"]] = (np.pad(rgba, ((4, 4), (4, 4), (0, 0))), row["category"])
    return found


def _own_colours(photo: Pixels, mask: Pixels) -> Pixels:
    """The photo with the colours of the piece's nearest opaque pixel at its edge: true colours, owing no method."""
    core = (mask >= 250).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(1 - core, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros(labels.max() + 1, np.int64)
    nearest[labels[core > 0]] = np.flatnonzero(core)
    return photo.reshape(-1, 3)[nearest[labels]]


def pieces(shared: Path) -> dict[str, Piece]:
    """The same as pieces."""
    return {name: piece_of(rgba, category) for name, (rgba, category) in cutouts(shared).items()}


def speed(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        contents = {name: encode_png(rgba) for name, (rgba, _) in cutouts(arguments.shared).items()}
        publish(lake, "cutouts", "ring", contents, licence="CC0-1.0")
        rows = lake.dataset("cutouts").read("ring")
        for mode in ("strict", "relit"):
            chosen = [library().get(name).model_copy(update={"mode": mode}) for name in TEMPLATES]
            items = list_promos(rows, chosen, 1)
            more = [list_promos(rows, chosen, seed) for seed in range(2, 2 + arguments.count // len(items))]
            done, began = 0, time.monotonic()
            for number, table in enumerate([items, *more]):
                report = run_stage(lake, RenderPromo(), table, f"promos_{mode}_{number}", "ring", workers=2)
                done += report.ok
            seconds = time.monotonic() - began
            print(f"{mode}: {done} images of 1080 x 1080 in {seconds:.1f} s: {done / seconds:.1f} images/s [goal: 4]")
    photo = arguments.shared / "data/cutout_pairs/images/00_earrings_white.jpg"
    times = []
    for seed in range(arguments.repeat):
        jewel = Path(sys.executable).with_name("jewel")
        command = [str(jewel), "promote", str(photo), "--style", "velvet", "--seed", str(seed)]
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            subprocess.run([*command, "--out", f"{folder}/a.jpg"], check=True, capture_output=True)
            times.append(time.monotonic() - began)
    print(f"one photo, file to file with its mask, a process of its own: {statistics.median(times):.2f} s [goal: 2]")


def fidelity(arguments: argparse.Namespace) -> None:
    found = list(pieces(arguments.shared).items())
    worst: dict[str, list[tuple[float, str]]] = {"difference": [], "psnr": [], "delta_e": [], "hue": []}
    broken = count = dark = 0
    for number, template in enumerate(library()):
        for step in range(arguments.per_template):
            name, piece = found[(number * arguments.per_template + step) % len(found)]
            where = f"{template.name}, {name}"
            strict = render(piece, template, number, (540, 540)).fidelity
            relit = render(piece, template.model_copy(update={"mode": "relit"}), number, (540, 540))
            worst["difference"].append((strict.difference, where))
            worst["psnr"].append((-relit.fidelity.detail_psnr, where))
            worst["delta_e"].append((relit.fidelity.delta_e, where))
            worst["hue"].append((relit.fidelity.hue_shift, where))
            broken += not (strict.holds and relit.fidelity.holds)
            dark += relit.record["relight"] == 0
            count += 1
    print(f"{count} images, {len(library())} templates, both modes; promise broken: {broken}; not relit: {dark}")
    for what, values in worst.items():
        values.sort(reverse=True)
        numbers = [abs(value) for value, _ in values]
        print(f"{what}: worst {numbers[0]:.2f} ({values[0][1]}), median {statistics.median(numbers):.2f}")


def edges(arguments: argparse.Namespace) -> None:
    def laid(rgba: Pixels, ground: np.ndarray) -> np.ndarray:
        alpha = rgba[..., 3:].astype(np.float32) / 255
        return to_linear(rgba[..., :3]) * alpha + to_linear(ground) * (1 - alpha)

    def lab(linear: np.ndarray) -> np.ndarray:
        return cv2.cvtColor((to_srgb(linear) / np.float32(255)).astype(np.float32), cv2.COLOR_RGB2LAB)

    rows: dict[tuple[str, str, str], list[float]] = {}
    for name, (truth, _) in cutouts(arguments.shared).items():
        alpha = truth[..., 3].astype(np.float32) / 255
        edge = (alpha > 0.05) & (alpha < 0.95)
        for old, made in OLD_GROUNDS.items():
            size = (truth.shape[1], truth.shape[0])
            ground = (
                np.full((*truth.shape[:2], 3), 255, np.uint8)
                if made is None
                else to_srgb(np.clip(make_plate(made[0], palette(made[1]), size, len(name)).albedo, 0, 1))
            )
            # A camera's picture of the piece there, in encoded values, as the matting equation of photo editors has it.
            mixed = truth[..., :3] * alpha[..., None] + ground * (1 - alpha[..., None])
            photo = np.rint(mixed).astype(np.uint8)
            known = ground.astype(np.float32) if made is None else None
            ways = {
                "photo's own colours": np.dstack([photo, truth[..., 3]]),
                "ours": cut_out(photo, alpha, known),
                "foreground_ml": _foreground_ml(photo, alpha, truth[..., 3]),
            }
            for plate, colour in PLATES.items():
                new = np.full_like(photo, colour)
                right = lab(laid(truth, new))
                for way, rgba in ways.items():
                    error = np.linalg.norm(lab(laid(rgba, new)) - right, axis=2)[edge].mean()
                    rows.setdefault((way, old, plate), []).append(float(error))
    for (way, old, plate), errors in sorted(rows.items()):
        print(f"{way:20} from {old:7} on {plate:11} Delta-E {statistics.mean(errors):5.2f} (worst {max(errors):5.2f})")
    print("[goal: at most 1]")


def _foreground_ml(photo: Pixels, alpha: np.ndarray, opacity: Pixels) -> Pixels:
    from pymatting import estimate_foreground_ml

    colours = estimate_foreground_ml(photo / 255.0, alpha.astype(np.float64))
    return np.dstack([np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8), opacity])


def repeat(arguments: argparse.Namespace) -> None:
    found = list(cutouts(arguments.shared).items())
    hashes = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            lake = Lake(folder)
            publish(lake, "cutouts", "ring", {n: encode_png(rgba) for n, (rgba, _) in found}, licence="CC0-1.0")
            chosen = list(library())[:: max(1, len(library()) // 7)][:7]
            items = list_promos(lake.dataset("cutouts").read("ring"), chosen, 5, (540, 540))
            run_stage(lake, RenderPromo(), items, "promos", "ring", workers=workers)
            made = lake.dataset("promos").read("ring").to_pylist()
            hashes.append({row["item_id"]: row["sha256"] for row in made})
    same = sum(hashes[0][name] == hashes[1].get(name) for name in hashes[0])
    print(f"{same} of {len(hashes[0])} images have the same hash in a second run, with two workers instead of one")


NEAR = 3.0  # pixels beside the outline that tell a shadow's direction
SHADOW_SIZE = 540  # pixels: what an image of 1080 casts its shadows at
RESTING: dict[str, Pose] = {"earrings": "face up"}  # not held up, as an image shows them
HALF_DARK = 0.5  # of the lamp hidden: where a shadow is measured


def shadows(arguments: argparse.Namespace) -> None:
    """Catalogue pieces lie on a plain surface under one lamp, another lamp for each, seen from straight above: how much
    of the lamp each place sees by Mitsuba, and by the 2-D engine from the piece's exact mask alone.

    direction: the sum of the outline's outward normals (of the mask blurred by NEAR), each times the darkness beside
    it; the angle between both engines' (degrees). A chain, whose shadow lies all round, has one, too. contact: outline
    pixels beside which a place is half dark or more, of both engines; the distance from each to the nearest of the
    other's (pixels: median, 95th percentile). length: how far from the outline the half dark reaches (95th
    percentile), ours as a share of Mitsuba's. rms: root mean square of the difference where either is not fully lit.
    """
    from jewel_assets.promote import shadow
    from jewel_assets.promote.relief import height_of
    from jewel_assets.promote.scene import Lamp
    from jewel_assets.promote.traced.setting import set_up
    from jewel_assets.promote.traced.tracing import key_lamp_seen
    from jewel_assets.shape.designs import samples
    from jewel_assets.shape.render.surfaces import surfaces_of

    size = (SHADOW_SIZE, SHADOW_SIZE)
    template = library().get("gradient")
    plate = make_plate(template.style, palette(template.palette), size, 0)
    categories = ("ring", "earrings", "necklace", "bracelet", "jewelry")  # no watch lies with its strap closed
    each = -(-arguments.pieces // len(categories))
    rows = []
    for category in categories:
        for number, design in enumerate(samples(category, arguments.seed, each)):
            name = f"{design.family} {number + 1}"
            chance = np.random.default_rng([arguments.seed, number, categories.index(category)])
            lamp = Lamp(float(chance.uniform(0, 360)), float(chance.uniform(30, 60)), softness=3.0)
            setting = set_up(
                surfaces_of(design.build()), category, design.family, template, plate, size, 0.0, RESTING.get(category)
            )
            truth, alpha = key_lamp_seen(setting, lamp, arguments.seed, 64, "auto")
            longest = max(np.ptp(np.nonzero(alpha > 0.5), axis=1)) + 1
            ours = shadow.cast_lying(alpha, height_of(alpha, category, float(longest)), lamp)
            if arguments.sheet:
                pair = np.hstack([np.where(alpha > 0.5, 0.5, seen) for seen in (truth, ours)])
                (arguments.sheet / f"{category}-{name.replace(' ', '-')}.png").write_bytes(
                    encode_png(np.rint(np.clip(pair, 0, 1) * 255).astype(np.uint8))
                )
            rows.append((name, *_compared(truth, ours, alpha)))
            print(
                "  {}: direction {:.1f} deg, contact {:.1f} (95 %: {:.1f}) px, length {:.2f}, rms {:.3f}".format(
                    *rows[-1]
                ),
                flush=True,
            )
    for column, (what, goal) in enumerate(
        (("direction", "5 degrees"), ("contact, median", "2 px"), ("contact, 95 %", ""), ("length", ""), ("rms", "")), 1
    ):
        values = [row[column] for row in rows]
        key = (lambda row, c=column: abs(np.log(row[c]))) if what == "length" else (lambda row, c=column: row[c])
        worst = ", ".join(f"{row[0]} {row[column]:.2f}" for row in sorted(rows, key=key, reverse=True)[:4])
        print(f"{what}: median {statistics.median(values):.2f}; worst: {worst}" + (f" [goal: {goal}]" if goal else ""))


def _compared(truth: np.ndarray, ours: np.ndarray, alpha: np.ndarray) -> tuple[float, float, float, float, float]:
    """Direction, contact (median, 95th percentile), length and error, as `shadows` says."""
    solid = (alpha > 0.02).astype(np.uint8)
    away = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    down, right = (-slope for slope in np.gradient(cv2.GaussianBlur(alpha, (0, 0), NEAR)))
    angles, touching, lengths = [], [], []
    for seen in (truth, ours):
        dark = np.where(solid > 0, 0, 1 - seen)
        dark[dark < 0.1] = 0  # what gold throws back and the denoiser leaves is no shadow
        angles.append(np.degrees(np.arctan2(-(dark * down).sum(), (dark * right).sum())))
        half = dark >= HALF_DARK
        touching.append(half & (away > 0) & (away <= 1.5))
        lengths.append(float(np.percentile(away[half & (away > 0)], 95)))
    turn = abs((angles[0] - angles[1] + 180) % 360 - 180)
    gaps = np.concatenate(
        [
            cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 5)[one]
            for one, other in (touching, touching[::-1])
        ]
    )
    near = (solid == 0) & ((truth < 0.95) | (ours < 0.95))
    error = float(np.sqrt(((truth - ours)[near] ** 2).mean()))
    return float(turn), float(np.median(gaps)), float(np.percentile(gaps, 95)), lengths[1] / lengths[0], error


def enlarge(arguments: argparse.Namespace) -> None:
    registry = Registry(Path(tempfile.mkdtemp()), str(arguments.shared / "weights"))
    engine = choose_enlarger(registry)
    ways = {"Lanczos": resized, "network alone": _network_alone(engine), "held to the photo": ByNetwork(engine)}
    found: dict[str, list[float]] = {way: [] for way in ways}
    seconds = []
    for truth, _ in cutouts(arguments.shared).values():
        height, width = (3 * (side // 3) for side in truth.shape[:2])
        small = resized(truth[:height, :width], 1 / 3)
        for way, made in ways.items():
            began = time.monotonic()
            large = made(small, 3.0)
            seconds += [time.monotonic() - began] * (way == "network alone")
            core = core_of(np.minimum(large, truth[:height, :width])[..., 3])
            error = (large[core][:, :3].astype(float) - truth[:height, :width][core][:, :3]) ** 2
            found[way].append(10 * np.log10(255**2 / error.mean()))
    for way, values in found.items():
        print(f"{way:18} mean PSNR {statistics.mean(values):.2f} dB (lowest {min(values):.2f})")
    print(f"{engine.name}: {statistics.median(seconds):.1f} s a piece")


def _network_alone(engine: RealEsrgan) -> Callable[[Pixels, float], Pixels]:
    def made(rgba: Pixels, scale: float) -> Pixels:
        plain = resized(rgba, scale)
        colours = np.clip(engine.enlarge(filled(rgba)), 0, 1)
        size = (plain.shape[1], plain.shape[0])
        plain[..., :3] = np.rint(cv2.resize(colours, size, interpolation=cv2.INTER_AREA) * 255)
        return plain

    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "fidelity", "edges", "repeat", "shadows", "enlarge"))
    parser.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared")
    parser.add_argument("--count", type=int, default=200, help="speed: images of a batch")
    parser.add_argument("--repeat", type=int, default=5, help="speed: single photos")
    parser.add_argument("--per-template", type=int, default=1)
    parser.add_argument("--pieces", type=int, default=10, help="shadows: catalogue pieces")
    parser.add_argument("--seed", type=int, default=0, help="shadows: other pieces, other lamps")
    parser.add_argument("--sheet", type=Path, help="shadows: a folder for pictures, Mitsuba's and ours beside it")
    arguments = parser.parse_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load}")
    parts = {"speed": speed, "fidelity": fidelity, "edges": edges, "repeat": repeat, "shadows": shadows}
    (parts | {"enlarge": enlarge})[arguments.what](arguments)


if __name__ == "__main__":
    main()
