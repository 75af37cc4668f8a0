"""Whether the castability check finds what is wrong and leaves alone what is right: seeded faults in sound pieces.

    python benchmarks/castability.py --count 1000 --seed 1

Sound pieces are built here from measures that are known to be above every limit: bands, claw and bezel solitaires,
three stones in a row, plates, hollow tubes, links, wedges. Each fault is put into such a piece at a random place:

- hole: one to thirty faces that hang together are taken out;
- flip: one to thirty faces that hang together are turned inside out;
- thin wall: a pocket is cut that leaves 0.2 to 0.7 mm of a wall, away from the stones, where less is asked;
- overlap: a ball, a box or a part of the piece is put in without being joined, or a stone is pushed into its neighbour;
- short prong: one claw is cut off below the height at which it can be bent over its stone.

A fault is found if the report has an error of its kind within 2 mm of what was changed. A false alarm is any error on a
sound piece, or on its bare mesh. Seconds are those of one core, which a machine that does nothing else would need, and
those of the clock.
"""

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from manifold3d import CrossSection, Manifold, Mesh64, OpType
from numpy.random import Generator

from jewel_assets.shape.castability import Report, check
from jewel_assets.shape.castability.castings import castings_of
from jewel_assets.shape.castability.profiles import profile
from jewel_assets.shape.castability.surface import Surface
from jewel_assets.shape.castability.thin import wires
from jewel_assets.shape.castability.walls import measure
from jewel_assets.shape.gems import make_stone
from jewel_assets.shape.parts.settings import CLAWS, bezel, claw_head, seating
from jewel_assets.shape.piece import Body, Piece, Stone

RULES = {
    "hole": ("open edges",),
    "flip": ("flipped faces", "inside out"),
    "thin wall": ("thin wall",),
    "overlap": ("self-intersection", "buried part", "stones overlap"),
    "short prong": ("short prong",),
}
NEAR_MM = 2.0
BORE_MM = 17.3


# ------------------------------------------------------------------ sound pieces


def band(chance: Generator) -> Piece:
    """A wedding band, flat, rounded or edged, polished or with a groove."""
    thick, wide = chance.uniform(1.5, 2.4), chance.uniform(2.2, 7.0)
    half, top = wide / 2, BORE_MM / 2 + thick
    crown = chance.choice([0.0, 0.25, 0.4])
    outline = [(BORE_MM / 2, -half), (top - crown, -half), (top, -half / 3), (top, half / 3), (top - crown, half)]
    section = CrossSection([np.array([*outline, (BORE_MM / 2, half)])])
    turned = Manifold.revolve(section, int(chance.integers(96, 256))).rotate((90, 0, 0))
    return Piece("ring", "plain band", (Body("band", turned, "metal", "18k-yellow"),), {"inner_diameter_mm": BORE_MM})


def solitaire(chance: Generator) -> Piece:
    """One to three brilliants side by side in claws, on a shank."""
    wide = float(chance.uniform(4.0, 8.0))
    count = int(chance.choice([1, 1, 3]))
    wide = wide if count == 1 else min(wide, 5.0)
    return _set_ring(chance, wide, count, int(chance.choice([4, 6])))


def bezelled(chance: Generator) -> Piece:
    """A brilliant in a bezel, on a shank."""
    return _set_ring(chance, float(chance.uniform(4.0, 8.0)), 1, 0)


def _set_ring(chance: Generator, wide: float, count: int, claws: int) -> Piece:
    thick = float(chance.uniform(1.6, 2.2))
    stone = seating("round brilliant", wide)
    height = BORE_MM / 2 + thick + stone.pavilion * 0.9
    heads, rooms, stones = [], [], []
    for number in range(count):
        tilt = (number - (count - 1) / 2) * np.degrees((wide + 0.9) / height)
        if claws:
            parts = claw_head(stone, claws, float(chance.uniform(1.0, 1.3)), stone.pavilion, 0.5)
            head = Manifold.batch_boolean(parts, OpType.Add) - stone.room
        else:
            cup, cut = bezel(stone, 0.95, stone.pavilion * 1.1, 0.6)
            head = Manifold.batch_boolean(cup, OpType.Add) - Manifold.batch_boolean([*cut, stone.room], OpType.Add)
        place = _tilted(tilt, height)
        heads.append(head.transform(place))
        rooms.append(stone.room.transform(place))
        stones.append(make_stone(f"stone {number + 1}", "diamond", "round brilliant", wide, None, place))
    section = CrossSection.square((thick, 2.4), True).translate((BORE_MM / 2 + thick / 2, 0))
    shank = Manifold.revolve(section, 160).rotate((90, 0, 0))
    bore = Manifold.cylinder(60, BORE_MM / 2, BORE_MM / 2, 160, True).rotate((90, 0, 0))
    out = Manifold.batch_boolean([bore, *rooms], OpType.Add)
    metal = (
        Body("shank", shank - out, "metal", "18k-yellow"),
        Body("claws" if claws else "bezel", Manifold.batch_boolean(heads, OpType.Add) - out, "metal", "18k-yellow"),
    )
    return Piece("ring", "solitaire", (*metal, *stones), {"inner_diameter_mm": BORE_MM, "claws": claws})


def _tilted(degrees: float, height: float) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    return np.column_stack([turn, turn @ [0, 0, height]])


def plate(chance: Generator) -> Piece:
    """A pendant: a plate with an eye and a raised rim, which is wider than any wire."""
    thick, size = float(chance.uniform(1.1, 2.5)), float(chance.uniform(12, 25))
    disc = Manifold.cylinder(thick, size / 2, size / 2, int(chance.integers(48, 160)))
    eye = Manifold.cylinder(5 * thick, 1.2, 1.2, 32, True).translate((0, size / 2 - 2.6, 0))
    rim = Manifold.cylinder(thick + 0.6, size / 2, size / 2, 96) - Manifold.cylinder(
        5 * thick, size / 2 - 2.0, size / 2 - 2.0, 96, True
    )
    solid = (disc + rim - eye).rotate((90, 0, 0))
    return Piece("necklace", "pendant", (Body("plate", solid, "metal", "925-silver"),))


def tube(chance: Generator) -> Piece:
    """A hollow half bangle, open at its ends."""
    outer, wall = float(chance.uniform(2.2, 3.5)), float(chance.uniform(0.9, 1.2))
    ring = CrossSection.circle(outer, 48) - CrossSection.circle(outer - wall, 48)
    solid = Manifold.revolve(ring.translate((30.0, 0)), 192, float(chance.uniform(150, 300))).rotate((90, 0, 0))
    return Piece("bracelet", "hollow bangle", (Body("tube", solid, "metal", "14k-yellow"),))


def link(chance: Generator) -> Piece:
    """A heavy chain link."""
    wire = float(chance.uniform(1.0, 2.0))
    solid = Manifold.revolve(CrossSection.circle(wire / 2, 24).translate((3.0 + wire, 0)), 96).scale((1.5, 1, 1))
    return Piece("bracelet", "link", (Body("ring", solid, "metal", "925-silver"),))


def wedge(chance: Generator) -> Piece:
    """A three-sided bar, all of whose edges have more than 45 degrees: sharp, and no thin wall."""
    high = float(chance.uniform(2.0, 4.0))
    half = high * float(chance.uniform(0.45, 0.95))
    section = CrossSection([np.array([(-half, 0), (half, 0), (0.0, high)])])
    solid = Manifold.extrude(section, float(chance.uniform(12, 30))).rotate((90, 0, 0))
    return Piece("necklace", "bar", (Body("bar", solid, "metal", "18k-rose"),))


SOUND = {
    "band": band,
    "solitaire": solitaire,
    "bezel": bezelled,
    "plate": plate,
    "hollow tube": tube,
    "link": link,
    "wedge": wedge,
}


# ------------------------------------------------------------------ faults


@dataclass(frozen=True)
class Seeded:
    """A subject with a fault, and where the fault is."""

    subject: Piece | Surface
    place: np.ndarray
    profile: str
    reach: float = 0.0  # half the extent of what was changed


def hole(chance: Generator) -> Seeded | None:
    surface, limits = _casting(chance)
    patch = _patch(surface, chance)
    kept = np.ones(len(surface.faces), bool)
    kept[patch] = False
    bare = Surface.of_triangles(surface.vertices, surface.faces[kept])
    return Seeded(bare, surface.centres[patch], limits, _extent(surface, patch))


def flip(chance: Generator) -> Seeded | None:
    surface, limits = _casting(chance)
    patch = _patch(surface, chance)
    faces = surface.faces.copy()
    faces[patch] = faces[patch][:, ::-1]
    turned = Surface.of_triangles(surface.vertices, faces)
    return Seeded(turned, surface.centres[patch], limits, _extent(surface, patch))


def thin_wall(chance: Generator) -> Seeded | None:
    made = SOUND[str(chance.choice(["band", "plate", "wedge", "hollow tube", "solitaire"]))](chance)
    surface = Surface.of_solid(made.castings()[0])
    walls = measure(surface)
    fit = (walls.thickness > 0.85) & (walls.thickness < 3.0)
    for stone in made.stones:
        fit &= np.linalg.norm(walls.points - stone.placement[:, 3], axis=1) > stone.size[0] / 2 + 4.0
    wide = np.flatnonzero(fit)
    wide = wide[~wires(surface, walls, wide, 2.6)]
    # Where another stone or claw stands before the wall, a straight cutter would take that too.
    free = surface.first_hits(
        walls.points[wide] - 0.01 * walls.inward[wide], -walls.inward[wide], np.full(len(wide), 6.0)
    )
    wide = wide[free[0] < 0]
    if not len(wide):
        return None
    sample = int(chance.choice(wide))
    left = float(chance.uniform(0.2, 0.7))
    depth = float(walls.thickness[sample]) - left
    inward = walls.inward[sample]
    across = np.cross(inward, np.eye(3)[int(np.argmin(np.abs(inward)))])
    across /= np.linalg.norm(across)
    axes = np.column_stack([across, np.cross(inward, across), inward])
    cutter = Manifold.cube((1.4, 1.4, depth + 1.0), True).translate((0, 0, (depth - 1.0) / 2))
    cutter = cutter.transform(np.column_stack([axes, walls.points[sample]]))
    bodies = tuple(replace(body, solid=body.solid - cutter) if body.kind == "metal" else body for body in made.bodies)
    return Seeded(
        replace(made, bodies=bodies), walls.points[sample] + inward * (depth + left / 2), "", 0.99 + depth / 2
    )


def overlap(chance: Generator) -> Seeded | None:
    if chance.random() < 0.2:
        made = _set_ring(chance, float(chance.uniform(3.5, 5.0)), 3, 4)
        stones = list(made.stones)
        one, two = stones[0], stones[1]
        toward = two.placement[:, 3] - one.placement[:, 3]
        toward *= (np.linalg.norm(toward) - one.size[0] + float(chance.uniform(0.15, 1.0))) / np.linalg.norm(toward)
        place = one.placement.copy()
        place[:, 3] += toward
        moved = make_stone(one.name, one.material, one.cut, one.size[0], None, place)
        bodies = tuple(moved if body is one else body for body in made.bodies)
        return Seeded(replace(made, bodies=bodies), (place[:, 3] + two.placement[:, 3]) / 2, "")
    surface, limits = _casting(chance)
    spot = int(chance.choice(len(surface.faces), p=surface.areas / surface.areas.sum()))
    size = float(chance.uniform(0.5, 2.5))
    which = chance.integers(3)
    if which == 0:
        extra = Surface.of_solid(Manifold.sphere(size / 2, 24))
    elif which == 1:
        extra = Surface.of_solid(Manifold.cube((size, size, size), True).rotate(tuple(chance.uniform(0, 360, 3))))
    else:
        extra = Surface.of_solid(Manifold.cylinder(2 * size, size / 4, size / 4, 16, True).rotate((40, 20, 0)))
    place = surface.centres[spot]
    vertices = np.vstack([surface.vertices, extra.vertices + place])
    faces = np.vstack([surface.faces, extra.faces + len(surface.vertices)])
    return Seeded(Surface.of_triangles(vertices, faces), place[None], limits)


def short_prong(chance: Generator) -> Seeded | None:
    made = solitaire(chance)
    stone: Stone = made.stones[int(chance.integers(len(made.stones)))]
    claws = next(body for body in made.bodies if body.name == "claws")
    setting = seating(stone.cut, stone.size[0])
    height = setting.crown + setting.pavilion
    needed = profile("gold").prong_rise.value * height
    angle = np.radians(float(chance.choice(CLAWS[stone.cut][int(made.design["claws"])])))
    tip = np.array([np.cos(angle), np.sin(angle)]) * (stone.size[0] / 2 + 0.2)
    level = float(chance.uniform(-0.12 * height, 0.85 * needed))
    cutter = Manifold.cylinder(6, 1.25, 1.25, 48).translate((tip[0], tip[1], level)).transform(stone.placement)
    bodies = tuple(replace(body, solid=body.solid - cutter) if body is claws else body for body in made.bodies)
    place = stone.placement[:, :3] @ np.array([tip[0], tip[1], level]) + stone.placement[:, 3]
    return Seeded(replace(made, bodies=bodies), place[None], "")


FAULTS = {"hole": hole, "flip": flip, "thin wall": thin_wall, "overlap": overlap, "short prong": short_prong}


def _casting(chance: Generator) -> tuple[Surface, str]:
    made = SOUND[str(chance.choice(list(SOUND)))](chance)
    surface = Surface.of_solid(made.castings()[0])
    return surface, "silver" if made.metal[0].material == "925-silver" else "gold"


def _patch(surface: Surface, chance: Generator) -> np.ndarray:
    """One to thirty faces that hang together, found by walking from a random one; at most a third of all."""
    pairs, _ = surface.neighbours
    beside: dict[int, list[int]] = defaultdict(list)
    for one, two in pairs.tolist():
        beside[one].append(two)
        beside[two].append(one)
    wanted = min(int(chance.integers(1, 31)), max(len(surface.faces) // 3, 1))
    patch = [int(chance.choice(np.flatnonzero(surface.areas > 1e-9)))]
    taken = set(patch)
    for face in patch:
        for other in beside[face]:
            if other not in taken and len(patch) < wanted:
                taken.add(other)
                patch.append(other)
    return np.array(patch)


def _extent(surface: Surface, patch: np.ndarray) -> float:
    return float(np.linalg.norm(np.ptp(surface.corners[patch].reshape(-1, 3), axis=0)) / 2)


# ------------------------------------------------------------------ measuring


def found(report: Report, kind: str, fault: Seeded) -> bool:
    """Whether an error of the fault's kind lies near it."""
    for finding in report.of(*RULES[kind]):
        if finding.severity == "error" and finding.place is not None:
            gaps = np.linalg.norm(np.atleast_2d(fault.place) - np.array(finding.place), axis=1)
            if gaps.min() < NEAR_MM + fault.reach:
                return True
    return False


def large_mesh(faces: int) -> Surface:
    """A hammered hollow bangle of about so many faces."""
    around = int(np.sqrt(faces) * 1.5)
    along = faces // (4 * around)
    section = CrossSection.circle(3.0, along) - CrossSection.circle(1.8, along)
    turned = Manifold.revolve(section.translate((30.0, 0)), around, 300.0)
    mesh = turned.to_mesh64()
    vertices = np.asarray(mesh.vert_properties)[:, :3].copy()
    vertices += 0.03 * np.sin(vertices[:, [1, 2, 0]] * 5)
    solid = Manifold(Mesh64(np.ascontiguousarray(vertices), np.asarray(mesh.tri_verts).astype(np.uint64)))
    return Surface.of_solid(solid)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="faults, and a fifth as many sound pieces")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--missed", action="store_true", help="print what was missed and the false alarms")
    options = parser.parse_args()

    print("| fault | seeded | found | share |")
    print("| --- | --- | --- | --- |")
    total = hits = 0
    for kind, seed_fault in FAULTS.items():
        seeded = seen = number = 0
        while seeded < max(options.count // len(FAULTS), 1):
            number += 1
            fault = seed_fault(np.random.default_rng([options.seed, list(FAULTS).index(kind), number]))
            if fault is None:
                continue
            seeded += 1
            report = check(fault.subject, fault.profile or None)
            ok = found(report, kind, fault)
            seen += ok
            if options.missed and not ok:
                print(f"missed: {kind} {number} at {np.round(np.atleast_2d(fault.place)[0], 2)}: {report.text()}")
        total, hits = total + seeded, hits + seen
        print(f"| {kind} | {seeded} | {seen} | {seen / seeded:.1%} |", flush=True)
    print(f"| all | {total} | {hits} | {hits / total:.1%} |")

    pieces = alarms = 0
    for kind, build in SOUND.items():
        for number in range(max(options.count // 5 // len(SOUND), 1)):
            piece = build(np.random.default_rng([options.seed, 100 + list(SOUND).index(kind), number]))
            report = check(piece)
            bare = [check(cast.surface, report.profile) for cast in castings_of(piece, profile(report.profile))]
            false = not report.castable or not all(alone.castable for alone in bare)
            pieces, alarms = pieces + 1, alarms + false
            if options.missed and false:
                print(f"false alarm: {kind} {number}: {report.text()}\n" + "\n".join(alone.text() for alone in bare))
    print(
        f"\nfalse alarms, as pieces and as nameless meshes: {alarms} of {pieces} sound pieces ({alarms / pieces:.1%})"
    )

    surface = large_mesh(50_000)
    seconds = []
    for _ in range(3):
        fresh = Surface(surface.vertices, surface.faces)
        core, wall = time.process_time(), time.perf_counter()
        check(fresh)
        seconds.append((time.process_time() - core, time.perf_counter() - wall))
    core, wall = np.median(seconds, axis=0)
    print(
        f"one mesh of {len(surface.faces):,} faces: {core:.2f} s of one core, {wall:.2f} s by the clock (median of 3)"
    )


if __name__ == "__main__":
    main()
