"""Designs at random, a solitaire against a B-rep kernel, and the weight of a band against a formula.

    python benchmarks/shape.py designs --count 10000    # hours on one core; --minutes 25 does what fits
    python benchmarks/shape.py solitaire                # some minutes, the first time with an installation
    python benchmarks/shape.py weight                   # seconds

designs: all families in turns, number n drawn with the generator of [seed, n], built at detail 1 and checked against
the profile of its metal. "Valid": it builds, and each of its castings is closed, faces outward, does not cross itself
and is one part (told by the check's own mesh rules, and once more by Manifold's decomposition). "Castable": valid, and
the report has no error at all. Seconds are those of one core, all threads together. Each design is a line of --out when
it is done, so that a run that is stopped goes on with --resume; `--again 123` prints the report of one. Memory is the
resident set after the first round of all families, halfway, and at the end.

solitaire: rings of random measures (a brilliant in four claws on a plain flat shank), each built by us and by
build123d, in turns, one process each. What the B-rep is told: the shank as its section, a rectangle with rounded
corners, turned round the finger; each claw as a wire of the same middle line and radii, with round ends; both rails as
tori; the finger and the room for the stone taken out; the stone beside. Three B-reps are timed: "the same", with a
faceted stone and the room for it, whose volume is compared; "turned", with a stone and room of cones; and "plain", as
one would draw it by hand: straight claws, no rails, cones. build123d and its binding are Apache-2.0 (the kernel inside,
Open CASCADE, LGPL-2.1 with an exception); they are installed into an environment of their own under build/, and are no
dependency.

weight: bands of every section at detail 1, 2 and 4 against Pappus: section's area times the way of its centroid.

Seeded faults are in benchmarks/castability.py, renders and masks in benchmarks/render.py.
"""

import argparse
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from manifold3d import Error, Manifold
from numpy.typing import NDArray

from jewel_assets.shape.alloys import weight_g
from jewel_assets.shape.castability import check
from jewel_assets.shape.designs import FAMILIES, Design
from jewel_assets.shape.designs.rings import PlainBand
from jewel_assets.shape.designs.rings_solitaire import Solitaire
from jewel_assets.shape.gems import facet_planes, facets, pavilion_depth
from jewel_assets.shape.gems.polytope import facets_of
from jewel_assets.shape.parts.profiles import BLUNT_EDGE_MM, FLAT_DEGREES, LEAST_EDGE_MM, PROFILES
from jewel_assets.shape.parts.settings import CLAWS, ROOM_MM, claw_lean, claw_path, claw_wire
from jewel_assets.shape.piece import Piece

ROOT = Path(__file__).resolve().parents[1]
Array = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    many = parts.add_parser("designs")
    many.add_argument("--count", type=int, default=1000)
    many.add_argument("--seed", type=int, default=0)
    many.add_argument("--minutes", type=float, help="stop after so many, however many designs that were")
    many.add_argument("--workers", type=int, default=1)
    many.add_argument("--out", type=Path, default=ROOT / "build" / "shape-designs.jsonl")
    many.add_argument("--resume", action="store_true", help="go on with what is in --out")
    many.add_argument("--again", type=int, metavar="NUMBER", help="build and check this one design, print its report")
    rings = parts.add_parser("solitaire")
    rings.add_argument("--rings", type=int, default=5)
    rings.add_argument("--seed", type=int, default=0)
    parts.add_parser("weight")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, manifold3d {version('manifold3d')}, numpy {np.__version__}, "
        f"{os.cpu_count()} cores, {_load()}\n",
        flush=True,
    )
    if options.part == "designs":
        designs(options)
    elif options.part == "solitaire":
        solitaires(options.rings, options.seed)
    else:
        weights()
    print(f"\n{_load()}")


def _load() -> str:
    one, five, fifteen = os.getloadavg()
    return f"load {one:.1f} (5 min {five:.1f}, 15 min {fifteen:.1f})"


# ------------------------------------------------------------------ designs

MESH_RULES = (
    "open edges", "non-manifold edges", "doubled faces", "flipped faces", "inside out", "self-intersection",
    "buried part", "loose part", "empty",
)  # fmt: skip


def design_of(seed: int, number: int) -> Design:
    """Design `number` of a seed: the families take turns, in the order of their names."""
    names = sorted(FAMILIES)
    return FAMILIES[names[number % len(names)]].draw(np.random.default_rng([seed, number]))


def judged(seed: int, number: int) -> dict[str, Any]:
    """One line: what was drawn, how long it took, and what is wrong with it."""
    names = sorted(FAMILIES)
    row: dict[str, Any] = {"number": number, "family": names[number % len(names)], "errors": []}
    try:
        design = design_of(seed, number)
        start = time.process_time()
        piece = design.build()
        row["build_s"] = round(time.process_time() - start, 4)
        start = time.process_time()
        report = check(piece)
        row["check_s"] = round(time.process_time() - start, 4)
    except Exception as error:  # counted as a design that is not valid, with its name: the run goes on
        row["errors"] = [f"{type(error).__name__}: {error}"[:200]]
        return row | {"valid": False, "castable": False, **_memory()}
    wrong = sorted({finding.rule for finding in report.findings if finding.severity == "error"})
    if not _one_part_each(piece):
        wrong.append("not one part")
    row["errors"] = wrong
    row["valid"] = not any(rule in (*MESH_RULES, "not one part") for rule in wrong)
    row["castable"] = report.castable and row["valid"]
    row["faces"] = sum(casting.faces * casting.copies for casting in report.castings)
    return row | _memory()


def _one_part_each(piece: Piece) -> bool:
    return all(_one_part(solid) for solid in piece.castings())


def _one_part(solid: Manifold) -> bool:
    parts = [part for part in solid.decompose() if part.volume() > 0]  # a negative part is the wall of a hollow
    return solid.status() == Error.NoError and len(parts) == 1


def _memory() -> dict[str, Any]:
    import psutil

    return {"pid": os.getpid(), "rss_mib": round(psutil.Process().memory_info().rss / 2**20, 1)}


def designs(options: argparse.Namespace) -> None:
    """Draw, build and check; write a line for each; print what the lines say."""
    if options.again is not None:
        design = design_of(options.seed, options.again)
        print(design.model_dump_json(indent=2), check(design.build()).text(), sep="\n")
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    if options.resume and options.out.exists():
        rows = [json.loads(line) for line in options.out.read_text("utf-8").splitlines()]
        print(f"{len(rows)} designs are in {options.out} already\n")
    known = {row["number"] for row in rows}
    todo = [number for number in range(options.count) if number not in known]
    began = time.monotonic()
    with options.out.open("a" if options.resume else "w", encoding="utf-8") as out:
        for row in _done(options.seed, todo, options.workers):
            rows.append(row)
            out.write(json.dumps(row) + "\n")
            out.flush()
            if len(rows) % 250 == 0:
                spoiled = sum(not row["castable"] for row in rows)
                print(f"  {len(rows)} designs, {spoiled} not castable, {row['rss_mib']:.0f} MiB, {_load()}", flush=True)
            if options.minutes and time.monotonic() - began > 60 * options.minutes:
                break
    _tell(sorted(rows, key=lambda row: row["number"]), options)


def _done(seed: int, numbers: list[int], workers: int) -> Iterator[dict[str, Any]]:
    if workers == 1:
        yield from map(partial(judged, seed), numbers)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(partial(judged, seed), numbers, chunksize=4)


def _tell(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["family"]].append(row)
    print("\n| family | designs | valid | castable | build median s | p95 s | slowest s (number) | check median s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for family, some in [*sorted(groups.items()), ("all", rows)]:
        built = [row for row in some if "build_s" in row]
        build = [row["build_s"] for row in built] or [float("nan")]
        slowest = max(built, key=lambda row: row["build_s"], default={"build_s": float("nan"), "number": "none"})
        print(
            f"| {family} | {len(some)} | {_share(some, 'valid')} | {_share(some, 'castable')} | "
            f"{np.median(build):.3f} | {np.percentile(build, 95):.3f} | "
            f"{slowest['build_s']:.2f} ({slowest['number']}) | "
            f"{np.median([row.get('check_s', np.nan) for row in built] or [np.nan]):.3f} |"
        )
    again = f"python benchmarks/shape.py designs --seed {options.seed} --again NUMBER"
    print(
        f"\nWhat is wrong, by rule and family ({again}):\n\n| rule | designs | family: numbers |\n| --- | --- | --- |"
    )
    wrong: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for rule in row["errors"]:
            wrong[rule][row["family"]].append(row["number"])
    for rule, where in sorted(wrong.items(), key=lambda item: -sum(map(len, item[1].values()))):
        named = "; ".join(
            f"{family}: {', '.join(map(str, numbers[:6]))}" + (f" and {len(numbers) - 6} more" if numbers[6:] else "")
            for family, numbers in sorted(where.items(), key=lambda item: -len(item[1]))
        )
        print(f"| {rule} | {sum(map(len, where.values()))} | {named} |")
    # After --resume only the last process tells whether memory stays flat.
    last = Counter(row["pid"] for row in rows[-options.workers :])
    for pid in last:
        sizes = [row["rss_mib"] for row in rows if row["pid"] == pid]
        first = sizes[min(len(FAMILIES), len(sizes) - 1)]
        print(
            f"\nmemory, MiB: {first:.0f} after the first round, {sizes[len(sizes) // 2]:.0f} halfway, "
            f"{sizes[-1]:.0f} at the end, {max(sizes):.0f} at most ({len(sizes)} designs)"
        )


def _share(rows: list[dict[str, Any]], what: str) -> str:
    good = sum(row[what] for row in rows)
    return f"{good / len(rows):.1%}" + ("" if good == len(rows) else f" (not {len(rows) - good})")


# ------------------------------------------------------------------ solitaire

PACKAGES = ("build123d==0.13.0", "cadquery-ocp-novtk==8.0.1.1.0")
KINDS = ("the same", "turned", "plain")


def solitaires(count: int, seed: int) -> None:
    """Ours and the B-reps in turns: seconds of one core, ratios, and volumes."""
    seconds: dict[str, list[float]] = defaultdict(list)
    off, finer, shanks = [], [], []
    with Brep() as brep:
        print(f"{count} solitaires, seed {seed}, against {brep.about}\n", flush=True)
        solitaire_at_random(np.random.default_rng([seed, count])).build()  # what is loaded late is loaded now
        for number in range(count):
            design = solitaire_at_random(np.random.default_rng([seed, number]))
            start = time.process_time()
            piece = design.build()
            seconds["ours"].append(time.process_time() - start)
            (ours,) = (solid.volume() for solid in piece.castings())
            (fine,) = (solid.volume() for solid in design.build(4.0).castings())
            drawing = drawn(design)
            for kind in KINDS:
                made = brep.build(kind, drawing)
                seconds[kind].append(made["seconds"])
                if kind == "the same":
                    off.append(ours / made["volume"] - 1)
                    finer.append(fine / made["volume"] - 1)
                    shanks.append(design.shank_solid(1.0).volume() / made["shank"] - 1)
            latest = ", ".join(f"{kind} {times[-1]:.2f} s" for kind, times in seconds.items())
            print(f"  {design.stone_width_mm:.2f} mm stone: {latest}", flush=True)
    print("\n| | median s of one core | least, most | times ours (median of rings; least, most) |\n|---|---|---|---|")
    for kind, times in seconds.items():
        ratios = np.divide(times, seconds["ours"])
        print(
            f"| {kind} | {np.median(times):.3f} | {min(times):.3f}, {max(times):.3f} | "
            f"{np.median(ratios):.1f} ({ratios.min():.1f}, {ratios.max():.1f}) |"
        )
    print("\n| volume, ours less the same B-rep | median | furthest |\n|---|---|---|")
    for what, gaps in (("ring, detail 1", off), ("ring, detail 4", finer), ("its shank alone, detail 1", shanks)):
        print(f"| {what} | {np.median(gaps):+.3%} | {max(gaps, key=abs):+.3%} |")


def solitaire_at_random(chance: np.random.Generator) -> Solitaire:
    """A brilliant of 5 to 8 mm in four claws on a flat shank that is the same all round."""
    stone, shank = float(chance.uniform(5, 8)), float(chance.uniform(1.9, 2.6))
    return Solitaire.nearest(
        cut="round brilliant",
        stone_width_mm=stone,
        claws=4,
        claw_mm=claw_wire(stone),
        head_height_mm=pavilion_depth("round brilliant", stone) + chance.uniform(0.1, 0.7),
        profile="flat",
        shank_width_mm=shank,
        shank_top_mm=shank,
        shank_thickness_mm=chance.uniform(1.6, 2.1),
        inner_diameter_mm=chance.uniform(15.5, 19),
    )


def drawn(design: Solitaire) -> dict[str, Any]:
    """The measures of a solitaire's drawing, mm, as `solitaire_brep.py` reads them; the head in its stone's place."""
    stone, wire = design.stone, design.claw_mm
    spread, depth = design.standing(stone.width / 2, design.head_spread)
    directions = CLAWS[stone.cut][design.claws]
    place, normal, _ = stone.holds(directions[0])
    stem, tip = claw_path(stone, place, normal, wire, depth, spread)
    foot, neck = 1.06 * wire / 2, 0.96 * wire / 2  # as `settings.claw` tapers its wire
    rails = [
        (height, float(np.linalg.norm(claw_lean(stone, wire, depth, spread, height), axis=1).mean()))
        for height in (-depth, -0.42 * depth)
    ]
    room = facets_of([plane.moved(ROOM_MM) for plane in facet_planes(stone.cut, stone.width, stone.length)])
    bodies = {"room": room, "stone": facets(stone.cut, stone.width, stone.length)}
    return {
        "bore": design.inner_diameter_mm,
        "thickness": design.shank_thickness_mm,
        "width": design.shank_width_mm,
        "edge": 0.15,
        "girdle": design.girdle,
        "stem": stem.tolist(),
        "stem_radii": (foot, neck),
        "tip": tip.tolist(),
        "tip_radii": (neck, 0.86 * neck),
        "turns": [direction - directions[0] for direction in directions],
        "rails": rails,
        "rail_radius": max(0.8 * wire, 0.82) / 2,
        "facets": {name: [facet.corners.tolist() for facet in body] for name, body in bodies.items()},
        "turned": {name: turned(np.vstack([facet.corners for facet in body])) for name, body in bodies.items()},
    }


def turned(corners: Array) -> list[tuple[float, float]]:
    """(radius, height) of the solid of cones that has the girdle, table and culet of a round stone."""
    radius, height = np.hypot(corners[:, 0], corners[:, 1]), corners[:, 2]
    girdle = height[radius > radius.max() - 1e-3]
    table = radius[height > height.max() - 1e-6].max()
    outline = [(0.0, height.min()), (radius.max(), girdle.min()), (radius.max(), girdle.max()), (table, height.max())]
    return [(float(r), float(z)) for r, z in [*outline, (0.0, height.max())]]


class Brep:
    """build123d in an environment and a process of its own: a drawing in, seconds and volume out."""

    def __init__(self) -> None:
        folder = ROOT / "build" / "build123d"
        python = folder / "bin" / "python"
        stamp = folder / " ".join(PACKAGES)
        if not stamp.exists():
            print(f"installing {' and '.join(PACKAGES)} into {folder}", flush=True)
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
            stamp.touch()
        script = Path(__file__).with_name("solitaire_brep.py")
        self._child = subprocess.Popen(
            [str(python), str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self._answer()["about"]

    def __enter__(self) -> "Brep":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()

    def build(self, kind: str, drawing: dict[str, Any]) -> dict[str, Any]:
        """Seconds of one core, and volumes (mm3) of the ring and of its shank alone."""
        assert self._child.stdin is not None
        print(json.dumps({"kind": kind, **drawing}), file=self._child.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            sys.exit("The B-rep process ended; what it said stands above.")
        answer: dict[str, Any] = json.loads(line)
        return answer


# ------------------------------------------------------------------ weight

# fall of the outside, its share of the thickness, whether the inside is domed: as `profiles` names the sections
SECTIONS: dict[str, tuple[str, float, bool]] = {
    "flat": ("flat", 0.0, False),
    "flat court": ("flat", 0.0, True),
    "D": ("dome 0.9", 0.5, False),
    "half-round": ("dome 0.999", 0.8, False),
    "court": ("dome 0.9", 0.42, True),
    "knife-edge": ("ridge", 0.6, True),
    "bevelled": ("bevel", 0.3, True),
    "concave": ("hollow", 0.2, True),
}


def moments(fall: str) -> tuple[float, float]:
    """The mean and the mean square over the width of how far a side falls back, 1 being its full fall."""
    if fall.startswith("dome"):
        f = float(fall.split()[1])
        full, mean = 1 - np.sqrt(1 - f**2), (np.sqrt(1 - f**2) + np.arcsin(f) / f) / 2  # mean of sqrt(1 - (f u)^2)
        return (1 - mean) / full, (1 - 2 * mean + 1 - f**2 / 3) / full**2
    known = {"flat": (0.0, 0.0), "ridge": (1 / 2, 1 / 3), "bevel": (0.19, 0.38 / 3)}
    return known[fall] if fall in known else (0.82 * 2 / 3, 0.82 * 8 / 15)


def formula(band: PlainBand) -> float:
    """Cubic millimetres of a band that is the same all round, by Pappus; round edges for the flat one alone."""
    fall, share, domed = SECTIONS[band.profile]
    wide, thick = band.width_mm, band.thickness_mm
    inward, inward_square = moments("dome 0.75") if domed else (0.0, 0.0)
    dome = 0.14 * thick if domed else 0.0
    outward, outward_square = moments(fall)
    drop = min(share * thick, max(thick - dome - LEAST_EDGE_MM, 0.15 * thick))
    if fall == "ridge" and np.degrees(np.arctan2(drop, wide / 2)) <= FLAT_DEGREES:  # so flat it is a wall to its edge
        drop = min(share * thick, max(thick - dome - BLUNT_EDGE_MM, 0.15 * thick))
    area = wide * (thick - drop * outward - dome * inward)
    moment = wide / 2 * (thick**2 - 2 * thick * drop * outward + drop**2 * outward_square - dome**2 * inward_square)
    if band.edge_mm:
        # what four rounded corners lack lies as far from the middle below as above it
        lacking = (4 - np.pi) * band.edge_mm**2
        area, moment = area - lacking, moment - lacking * thick / 2
    return float(2 * np.pi * (band.inner_diameter_mm / 2 * area + moment))


def weights() -> None:
    """Every section, sharp-edged; the flat one with its edges rounded too."""
    bands = [PlainBand(profile=name, edge_mm=0.0, thickness_mm=1.8) for name in PROFILES]
    bands.append(PlainBand(profile="flat", edge_mm=0.3, thickness_mm=1.8))
    details = (1.0, 2.0, 4.0)
    print("Band of 17.35 mm, 4 mm wide, 1.8 mm thick, 18k-yellow.\n")
    print("| section | formula g | detail 1 | detail 2 | detail 4 |\n|---|---|---|---|---|")
    worst = 0.0
    for band in bands:
        wanted = weight_g(formula(band), band.metal)
        off = [sum(weight_g(b.volume, b.material) for b in band.build(detail).metal) / wanted - 1 for detail in details]
        worst = max(worst, abs(off[-1]))
        edges = f", edges {band.edge_mm:g} mm" if band.edge_mm else ""
        print(f"| {band.profile}{edges} | {wanted:.4f} | " + " | ".join(f"{gap:+.4%}" for gap in off) + " |")
    print(f"\nfurthest at detail 4: {worst:.4%}")


if __name__ == "__main__":
    main()
