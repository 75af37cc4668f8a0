"""Models that others made: how many are converted, closed and rightly scaled, and how fast.

    python benchmarks/foreign_models.py [--shared ../shared] [--designs 60] [--sheet sheet.png]

real: every file of ../shared/data/models3d. GLBs as they are; the numbers of STL, OBJ and PLY go into a GLB unchanged,
which is what a converter that takes millimetres for metres makes of them. "Closed" is told twice: by the stage, and by
trimesh reading the STL; before, by trimesh once it has welded the parts of each node.

scale: pieces of the catalogue, whose size is known, as GLB in metres, centimetres, millimetres and inches; right is
within 0.1 %. Inches cannot be told from centimetres where both give a piece of the category, so they stand apart.

repair: castings of the same pieces, with faults: holes, faces turned at random, parts inside out, doubled faces, seams
torn over nodes, a wall within, tangles (fins and folded faces). Closed, and the volume within 1 %.

speed: models of 40,000 to 60,000 faces on one core, CPU seconds: converting (archive in, STL and GLB out), and with
its picture. Single solids and pieces of many parts apart: the union that their volume needs takes time.
"""

import argparse
import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from manifold3d import Manifold, Mesh64
from numpy.random import Generator

from jewel_assets.categories import CATEGORIES
from jewel_assets.shape.catalogue import list_designs
from jewel_assets.shape.designs import load
from jewel_assets.shape.files.solids import triangles
from jewel_assets.shape.foreign.convert import Converted, convert
from jewel_assets.shape.foreign.scale import UNITS_MM
from jewel_assets.shape.foreign.thumbnail import thumbnail
from jewel_assets.shape.foreign.unusable import Unusable
from jewel_assets.shape.piece import Piece

SCALE_SHARE = 1e-3
VOLUME_SHARE = 1e-2
CATEGORY_WORDS = {"earrings": "earrings", "bracelet": "bracelet", "pendant": "necklace", "ring": "ring"}


def main() -> int:
    """Run all parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--designs", type=int, default=60, help="pieces of the catalogue, categories in turns")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheet", type=Path, help="where to write the pictures of the real models, as PNG")
    options = parser.parse_args()
    real(options.shared / "data" / "models3d", options.sheet)
    pieces = list(_pieces(options.designs, options.seed))
    scale(pieces)
    repair(pieces, options.seed)
    speed(pieces, options.shared / "data" / "models3d")
    return 0


# ------------------------------------------------------------------ real models


def real(folder: Path, sheet: Path | None) -> None:
    """The table of the real models."""
    print(
        "| model | faces | closed before | after | trimesh says | repair | scale | longest, mm | CPU s | picture, s |"
    )
    print("|---|---:|---|---|---|---|---|---:|---:|---:|")
    pictures, names, closed = [], [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        category = next((name for word, name in CATEGORY_WORDS.items() if word in path.name.lower()), "jewelry")
        data = _as_glb(path)
        begin = time.process_time()
        try:
            found = convert(data, category)
        except Unusable as error:
            print(f"| {path.name} | | | refused: {error.reason} | | | | | | |")
            closed.append((False, False))
            continue
        middle = time.process_time()
        picture = thumbnail(found.mesh, found.looks, category)
        end = time.process_time()
        facts = found.facts
        longest = max(facts[f"extent_{axis}_mm"] for axis in "xyz")
        closed.append((facts["closed_before"], facts["watertight"]))
        print(
            f"| {path.name} | {facts['faces']:,} | {facts['closed_before']} | {facts['watertight']} | "
            f"{_stl(found).is_watertight} | {facts['repair']} | {facts['scale_kind']} {facts['unit'] or ''} | "
            f"{longest:.2f} | {middle - begin:.2f} | {end - middle:.2f} |"
        )
        pictures.append(picture)
        names.append(path.stem)
    before, after = (sum(row[place] for row in closed) for place in (0, 1))
    print(f"\n{len(closed)} models: {len(pictures)} converted, {before} closed before, {after} after\n")
    if sheet and pictures:
        _write_sheet(sheet, pictures, names)


def _as_glb(path: Path) -> bytes:
    if path.suffix == ".glb":
        return path.read_bytes()
    return _glb([trimesh.load(path, process=False, force="mesh")])


def _write_sheet(path: Path, pictures: list[Any], names: list[str], columns: int = 6) -> None:
    from PIL import Image, ImageDraw

    side = pictures[0].shape[0]
    sheet = Image.new("RGB", (columns * side, -(-len(pictures) // columns) * (side + 14)), "white")
    for number, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        place = (number % columns * side, number // columns * (side + 14))
        sheet.paste(Image.fromarray(picture), place)
        ImageDraw.Draw(sheet).text((place[0] + 2, place[1] + side), name[-26:], fill="black")
    sheet.save(path)
    print(f"pictures: {path}\n")


# ------------------------------------------------------------------ scale


def scale(pieces: list[Piece]) -> None:
    """Known pieces in every unit."""
    right: dict[str, list[bool]] = defaultdict(list)
    kinds: dict[str, list[str]] = defaultdict(list)
    for piece in pieces:
        low, high = piece.bounds()
        solids = [_trimesh(body.solid) for body in piece.bodies]
        for unit, factor in UNITS_MM.items():
            for solid in solids:
                solid.apply_scale(1 / factor)
            facts = convert(_glb(solids), piece.category).facts
            for solid in solids:
                solid.apply_scale(factor)
            longest = max(facts[f"extent_{axis}_mm"] for axis in "xyz")
            right[unit].append(abs(longest / float((high - low).max()) - 1) < SCALE_SHARE)
            kinds[unit].append(facts["scale_kind"])
    print("| drawn in | models | right within 0.1 % | declared | guessed | assumed |\n|---|---:|---:|---:|---:|---:|")
    for unit, found in right.items():
        told = [str(kinds[unit].count(kind)) for kind in ("declared", "guessed", "assumed")]
        print(f"| {unit} | {len(found)} | {np.mean(found):.1%} | " + " | ".join(told) + " |")
    print()


# ------------------------------------------------------------------ repair


def holes(shape: trimesh.Trimesh, chance: Generator) -> list[trimesh.Trimesh]:
    """One to eight holes of one to twelve faces that hang together."""
    gone = np.zeros(len(shape.faces), bool)
    for _ in range(int(chance.integers(1, 9))):
        middle = shape.triangles_center[chance.integers(len(shape.faces))]
        near = np.argsort(np.linalg.norm(shape.triangles_center - middle, axis=1))
        gone[near[: chance.integers(1, 13)]] = True
    return [_faces(shape, shape.faces[~gone])]


def turned(shape: trimesh.Trimesh, chance: Generator) -> list[trimesh.Trimesh]:
    """A tenth of the faces look inward."""
    faces = shape.faces.copy()
    some = chance.random(len(faces)) < 0.1
    faces[some] = faces[some][:, ::-1]
    return [_faces(shape, faces)]


def inside_out(shape: trimesh.Trimesh, _: Generator) -> list[trimesh.Trimesh]:
    """All faces look inward."""
    return [_faces(shape, shape.faces[:, ::-1])]


def doubled(shape: trimesh.Trimesh, chance: Generator) -> list[trimesh.Trimesh]:
    """A twentieth of the faces are there twice."""
    return [_faces(shape, np.vstack([shape.faces, shape.faces[chance.random(len(shape.faces)) < 0.05]]))]


def torn(shape: trimesh.Trimesh, chance: Generator) -> list[trimesh.Trimesh]:
    """In three nodes, every face with corners of its own, one node 2 micrometres off."""
    which = chance.integers(0, 3, len(shape.faces))
    parts = []
    for number in range(3):
        corners = shape.vertices[shape.faces[which == number]].reshape(-1, 3) + 0.002 * (number == 2)
        parts.append(trimesh.Trimesh(corners, np.arange(len(corners)).reshape(-1, 3), process=False))
    return parts


def walled(shape: trimesh.Trimesh, _: Generator) -> list[trimesh.Trimesh]:
    """Cut in two at its middle, and one of both cut faces left in as a wall."""
    one, two = _solid(shape).split_by_plane((1, 0, 0), float(shape.bounds.mean(axis=0)[0]))
    first, second = _trimesh(one), _trimesh(two)
    cut = np.abs(second.triangles[:, :, 0] - shape.bounds.mean(axis=0)[0]).max(axis=1) < 1e-9
    second.update_faces(~cut)
    joint = trimesh.util.concatenate([first, second])
    joint.merge_vertices()
    return [joint]


def tangled(shape: trimesh.Trimesh, chance: Generator) -> list[trimesh.Trimesh]:
    """One to six fins of two faces, and as many faces folded back onto their neighbours."""
    vertices, faces = [shape.vertices], [shape.faces]
    size = len(shape.vertices)
    for face in shape.faces[chance.integers(0, len(shape.faces), int(chance.integers(1, 7)))]:
        tips = shape.vertices[face[:2]] + chance.normal(0, 0.1, (2, 3))
        vertices.append(tips)
        faces.append(np.array([[face[0], face[1], size], [face[1], size + 1, size], [face[1], face[2], size + 1]]))
        size += 2
    return [trimesh.Trimesh(np.vstack(vertices), np.vstack(faces), process=False)]


FAULTS: tuple[Callable[[trimesh.Trimesh, Generator], list[trimesh.Trimesh]], ...] = (
    holes, turned, inside_out, doubled, torn, walled, tangled,
)  # fmt: skip


def repair(pieces: list[Piece], seed: int) -> None:
    """Seeded faults in castings that were closed."""
    print("| fault | models | closed | volume within 1 % | worst volume | repairs named |")
    print("|---|---:|---:|---:|---:|---|")
    total: list[bool] = []
    for fault in FAULTS:
        closed, right, errors = [], [], [0.0]
        named: dict[str, int] = defaultdict(int)
        for number, piece in enumerate(pieces):
            chance = np.random.default_rng([seed, number])
            solid = max(piece.castings(), key=lambda casting: casting.volume())  # of a chain one link, so of any size
            found = convert(_glb(fault(_trimesh(solid), chance), 1e-3), "jewelry")
            closed.append(found.facts["watertight"] and _stl(found).is_watertight)
            scaled = (found.facts["volume_mm3"] or 0.0) / (found.facts["unit_factor"] / 1000) ** 3
            error = abs(scaled / solid.volume() - 1)
            right.append(error < VOLUME_SHARE)
            errors.append(error if closed[-1] else 0.0)
            named[found.facts["repair"]] += 1
        total += closed
        words = ", ".join(f"{name} {count}" for name, count in sorted(named.items(), key=lambda pair: -pair[1]))
        print(
            f"| {fault.__name__.replace('_', ' ')} | {len(closed)} | {np.mean(closed):.1%} | {np.mean(right):.1%} | "
            f"{max(errors):.2%} | {words} |"
        )
    print(f"\nclosed after repair: {np.mean(total):.2%} of {len(total)}\n")


# ------------------------------------------------------------------ speed


def speed(pieces: list[Piece], folder: Path) -> None:
    """Models per minute and core near 50,000 faces."""
    solids, many = [], []
    for piece in pieces:
        bodies = [_trimesh(body.solid) for body in piece.bodies]
        if 40_000 <= sum(len(body.faces) for body in bodies) <= 60_000:
            many.append((_glb(bodies, 1e-3), piece.category))
        united = _trimesh(piece.castings()[0])
        if 40_000 <= len(united.faces) <= 60_000:
            solids.append((_glb([united], 1e-3), piece.category))
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        data = _as_glb(path)
        facts = convert(data, "ring").facts
        if 40_000 <= facts["faces"] <= 60_000:
            (solids if facts["bodies"] == 1 else many).append((data, "ring"))
    print("| models of 40,000 to 60,000 faces | number | converted a minute and core | with picture |")
    print("|---|---:|---:|---:|")
    for name, models in (("one solid", solids), ("many parts", many)):
        if not models:
            print(f"| {name} | 0 | - | - |")
            continue
        converting, drawing = [], []
        for data, category in models:
            begin = time.process_time()
            found = convert(data, category)
            middle = time.process_time()
            thumbnail(found.mesh, found.looks, category)
            converting.append(middle - begin)
            drawing.append(time.process_time() - begin)
        print(f"| {name} | {len(models)} | {60 / np.mean(converting):.0f} | {60 / np.mean(drawing):.0f} |")


# ------------------------------------------------------------------ pieces and files


def _pieces(count: int, seed: int) -> Iterator[Piece]:
    tables = {
        category: list_designs(category, -(-count // len(CATEGORIES)), seed).to_pylist() for category in CATEGORIES
    }
    rows = [rows[number] for number in range(count) for rows in tables.values() if number < len(rows)]
    for row in rows[:count]:
        yield load(row["design"]).build(1.0)


def _trimesh(solid: Manifold) -> trimesh.Trimesh:
    return trimesh.Trimesh(*triangles(solid), process=False)


def _solid(shape: trimesh.Trimesh) -> Manifold:
    return Manifold(Mesh64(np.array(shape.vertices, np.float64), np.array(shape.faces, np.uint64)))


def _faces(shape: trimesh.Trimesh, faces: Any) -> trimesh.Trimesh:
    return trimesh.Trimesh(shape.vertices, faces, process=False)


def _glb(shapes: list[trimesh.Trimesh], factor: float = 1.0) -> bytes:
    scene = trimesh.Scene()
    for shape in shapes:
        scaled = trimesh.Trimesh(shape.vertices * factor, shape.faces, process=False)
        scene.add_geometry(scaled)
    return bytes(scene.export(file_type="glb"))


def _stl(found: Converted) -> trimesh.Trimesh:
    return trimesh.load(io.BytesIO(found.stl), file_type="stl", force="mesh")


if __name__ == "__main__":
    raise SystemExit(main())
