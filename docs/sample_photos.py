"""A folder of jewellery photos that anyone may have: rings, earrings, necklaces, bracelets and watches, all rendered.

    python docs/sample_photos.py OUT --count 12 --seed 7

Each category gets `count` pieces of drawn shape, metal and stones. On purpose there are also an exact copy, a mirrored
and smaller re-save, a text that calls itself a JPEG and a photo that is far too dark. The same seed gives the same
files.
"""

import argparse
import multiprocessing
import os
import shutil
from pathlib import Path

import numpy as np
from jewellery_shapes import (
    GEMS,
    Place,
    around,
    beads,
    block,
    both,
    brilliant,
    disc,
    ellipse,
    heart,
    joined,
    length,
    links,
    moved,
    rod,
    sphere,
    torus,
)
from photo_studio import Array, Distance, Gem, Material, Scene, Shot, photograph, turned

from jewel_assets.images import decode, encode_jpeg, fit

CATEGORIES = ("ring", "earrings", "necklace", "bracelet", "wristwatch")
METALS = {
    "gold": (1.0, 0.76, 0.36),
    "rose gold": (0.98, 0.68, 0.53),
    "silver": (0.96, 0.955, 0.94),
    "white gold": (0.86, 0.845, 0.80),
}
PEARL = Material((0.84, 0.79, 0.72), metal=False, gloss=0.07, rough=0.05)


class Maker:
    """Draws pieces: one method per category; each gives a scene and how it is photographed."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def pick(self, *options: str) -> str:
        """One of them."""
        return str(self.rng.choice(options))

    def between(self, low: float, high: float) -> float:
        """A number between, evenly."""
        return float(self.rng.uniform(low, high))

    def metal(self, rough: float = 0.0) -> Material:
        """One of the metals."""
        return Material(METALS[self.pick("gold", *METALS)], rough=rough)

    def stone(self, oval: bool = True) -> Gem:
        """A diamond as often as not, else a coloured stone."""
        kind = "diamond" if self.rng.random() < 0.45 else self.pick(*list(GEMS)[1:])
        return brilliant(kind, self.between(0.74, 0.84) if oval and self.rng.random() < 0.3 else 1.0)

    def set_stone(self, scene: Scene, gem: Gem, at: Place, size: float, turn: Array, claws: int) -> Distance:
        """Puts the stone into the scene; gives its setting: claws over the girdle and a gallery, or (0) a bezel."""
        scene.gems.append(gem.placed(turn, at, size))
        if not claws:
            setting = joined(torus(1.02, 0.09, 0.10), torus(0.86, 0.08, 0.25), soft=0.1)
        else:
            claw = joined(rod((0.45, 0, -1.1), (1.04, 0, 0.0), 0.075), rod((1.04, 0, 0.0), (0.88, 0, 0.17), 0.08))
            spin = turned("z", 180 / claws)
            setting = joined(moved(around(claw, claws), turn=spin), torus(0.74, 0.06), soft=0.05)
            setting = joined(setting, moved(torus(0.74, 0.055), (0, 0, -0.5)), soft=0.05)
        wide = float(gem.offsets[np.argmax(gem.normals[:, 0])])  # of an oval, along x
        fit_to = np.array([[wide], [1.0], [1.0]], np.float32) * np.float32(size)
        return moved(lambda p: setting(p / fit_to) * size * wide * 0.9, at, turn)

    def ring(self) -> tuple[Scene, Shot]:
        """Standing or lying: court bands, twists, signets, eternities, solitaires, halos, trilogies."""
        scene, style = (
            Scene(),
            self.pick("court", "twist", "signet", "eternity", "solitaire", "solitaire", "halo", "trilogy"),
        )
        metal = self.metal(0.006)
        up, wire = turned("x", 90), self.between(0.06, 0.085)
        if style == "court":
            wide = self.between(0.14, 0.34)

            def band(p: Array) -> Array:
                def wall(x: Array, y: Array) -> Array:
                    return np.abs(length(x, y) - 0.88 + 0.25 * p[2] ** 2) - 0.09

                return disc(0.0, wide, 0.07, wall)(p) * 0.9

        elif style == "twist":
            turns, deep = self.rng.integers(5, 9), self.between(0.02, 0.04)

            def band(p: Array) -> Array:
                rho, angle = length(p[0], p[1]) - 0.88, np.arctan2(p[1], p[0])
                around_wire = np.arctan2(p[2], rho)
                return (length(rho, p[2]) - 0.12 - deep * np.cos(2 * around_wire + turns * angle)) * 0.75
        else:
            band = torus(0.88, wire, 0.05 if style != "eternity" else 0.0)
        scene.centre, scene.radius = (0, 0, 1.0), 1.35
        top = 1.76 + 2 * wire
        if style == "signet":
            outline = ellipse if self.rng.random() < 0.5 else length
            seal = moved(disc(0.42, 0.10, 0.05, outline, 0.12), (0, 0, 1.86))
            shoulder = moved(torus(0.88, 0.10, 0.10), (0, 0, 0.98), up)
            scene.parts.append((joined(shoulder, seal, soft=0.30), metal))
        elif style == "eternity":
            size, gem = self.between(0.11, 0.15), self.stone(oval=False)
            rails = joined(*(moved(band, (0, side * (size + 0.02), 0.95), up) for side in (-1, 1)))
            scene.parts.append((rails, metal))
            for k in range(-7, 8):
                a = k * 2.12 * size / 0.9
                tilt = turned("y", float(np.degrees(a)))
                scene.gems.append(gem.placed(tilt, (0.93 * np.sin(a), 0, 0.95 + 0.93 * np.cos(a)), size))
        elif style in ("court", "twist"):
            lying = self.rng.random() < 0.5
            half = wide if style == "court" else 0.13
            place = moved(band, (0, 0, half), None) if lying else moved(band, (0, 0, 0.99), up)
            scene.parts.append((place, metal))
            if lying:
                scene.centre, scene.radius = (0, 0, 0.25), 1.2
                return scene, self.shot((28, 45), (-30, 30), 1.05)
        else:
            size = self.between(0.30, 0.44) * (0.85 if style == "trilogy" else 1)
            gem = self.stone()
            head = self.set_stone(scene, gem, (0, 0, top + size * 0.75), size, turned("z", 0), self.rng.choice([4, 6]))
            parts = [moved(band, (0, 0, 0.88 + wire), up), head]
            small = brilliant("diamond")
            if style == "halo":
                parts.append(moved(torus(size * 1.27, size * 0.13, 0.01), (0, 0, top + size * 0.70)))
                for k in range(16):
                    a, far = k * np.pi / 8, size * 1.27
                    scene.gems.append(
                        small.placed(turned("z", 0), (far * np.cos(a), far * np.sin(a), top + size * 0.83), size * 0.2)
                    )
            if style == "trilogy":
                for side in (-1, 1):
                    at = (side * size * 1.75, 0.0, top + size * 0.42)
                    parts.append(self.set_stone(scene, small, at, size * 0.68, turned("y", side * 20), 4))
            scene.parts.append((joined(*parts, soft=0.03), metal))
            scene.centre = (0, 0, 1.15)
        return scene, self.shot((14, 32), (-55, 55), 1.08)

    def earrings(self) -> tuple[Scene, Shot]:
        """A pair: hoops, studs with a stone or a pearl, drops with a stone, a pearl or a plate."""
        scene, metal, style = (
            Scene(),
            self.metal(0.006),
            self.pick("hoop", "hoop", "stud", "pearl", "drop", "drop", "plate"),
        )
        if style == "hoop":
            wire, flat, apart = self.between(0.045, 0.11), self.pick("0", "0", "0.12"), 0.78
            turn = turned("z", self.between(25, 60)) @ turned("x", 90)
            hoop = moved(torus(0.62, wire, float(flat), 18), (0, 0, 0.62 + wire), turn)
            scene.parts.append((both(hoop, apart), metal))
            scene.centre, scene.radius = (0, 0, 0.62), 1.55
            return scene, self.shot((12, 28), (-18, 18), 1.12)
        if style in ("stud", "pearl"):
            turn, size = turned("x", 38), self.between(0.34, 0.46)
            gem, claws = self.stone(), int(self.rng.choice([0, 4, 6]))
            at = (0.0, 0.0, size * 0.9 + 0.12)
            back = turn @ np.array([0, 0, -1.0], np.float32)
            post = rod((0, float(back[1]) * size, float(back[2]) * size + at[2]), (0, 0.95, 0.05), 0.035)
            if style == "pearl":
                scene.parts.append((both(sphere(size, at), 0.62), PEARL))
                scene.parts.append((both(post, 0.62), metal))
            else:
                setting = joined(self.set_stone(scene, gem, at, size, turn, claws), post, soft=0.03)
                scene.parts.append((both(setting, 0.62), metal))
                stone = scene.gems.pop()
                for side in (-0.62, 0.62):
                    scene.gems.append(stone.placed(turned("z", 0), (side, 0, 0), 1.0))
            scene.centre, scene.radius = (0, 0.2, 0.35), 1.45
            return scene, self.shot((34, 55), (-15, 15), 1.15)
        apart, size, lift = 0.55, self.between(0.22, 0.32), 0.14
        hook = moved(torus(0.26, 0.026, 0, 110), (0, 0.98, 0.06), turned("z", 240))
        parts = [
            hook,
            rod((0.236, 1.09, 0.06), (0.25, 0.5, 0.06), 0.026),
            moved(torus(0.06, 0.02), (0, 0.66, 0.07)),
            rod((0, 0.60, lift * 0.7), (0, 0.25, lift), 0.022),
        ]
        if style == "plate":
            outline = (length, ellipse, heart)[self.rng.integers(3)]
            parts.append(moved(disc(size * 1.25, 0.045, 0.035, outline, 0.3), (0, -0.12, 0.08)))
        elif self.rng.random() < 0.35:
            scene.parts.append((both(sphere(size, (0, 0.25 - size, size)), apart), PEARL))
        else:
            at = (0.0, 0.22 - size * 1.05, 0.05 + size * 0.45)
            parts.append(self.set_stone(scene, self.stone(), at, size, turned("x", 8), int(self.rng.choice([0, 0, 4]))))
            stone = scene.gems.pop()
            scene.gems += [stone.placed(turned("z", 0), (side, 0, 0), 1.0) for side in (-apart, apart)]
        scene.parts.append((both(joined(*parts, soft=0.02), apart), metal))
        scene.centre, scene.radius = (0, 0.42, 0.15), 1.25
        return scene, self.shot((58, 80), (-20, 20), 1.15)

    def necklace(self) -> tuple[Scene, Shot]:
        """Laid out: a chain in a V or U with a pendant, or a string of pearls."""
        scene, metal, style = Scene(), self.metal(0.006), self.pick("stone", "stone", "plate", "bar", "pearl", "string")
        radius, half = self.between(0.5, 1.1), self.between(55, 78)
        if style == "string":
            size = self.between(0.09, 0.14)
            if self.rng.random() < 0.5:
                scene.parts.append((beads(1.35, 180, size), PEARL))
                scene.centre, scene.radius = (0, 0, 0.1), 1.7
                return scene, self.shot((45, 70), (-40, 40), 1.12)
            scene.parts.append((beads(radius, half, size), PEARL))
            scene.centre, scene.radius = (0, 0.1 * radius, 0.1), 2.5
            return scene, self.shot((60, 82), (-12, 12), 1.75)
        wire = self.between(0.011, 0.018)
        parts = [links(radius, half, wire * 3.2, wire, wire * self.between(0.5, 3.0))]
        foot = -radius - 0.11
        parts.append(moved(torus(0.085, 0.022), (0, foot, 0.09), turned("y", 70)))
        size = self.between(0.22, 0.34)
        if style == "stone":
            at = (0.0, foot - 0.06 - size * 1.1, 0.04 + size * 0.42)
            parts.append(self.set_stone(scene, self.stone(), at, size, turned("x", 8), int(self.rng.choice([0, 4, 6]))))
        elif style == "plate":
            outline = (length, ellipse, heart)[self.rng.integers(3)]
            plate = moved(disc(size * 1.15, 0.04, 0.03, outline, 0.3), (0, foot - 0.05 - size, 0.07))
            parts.append(plate)
        elif style == "bar":
            parts.append(moved(block((0.075, 0.5, 0.045), 0.02), (0, foot - 0.53, 0.06)))
        else:
            scene.parts.append((sphere(size * 0.85, (0, foot - 0.04 - size * 0.85, size * 0.85)), PEARL))
        scene.parts.append((joined(*parts), metal))
        scene.centre, scene.radius = (0, -radius + 0.15, 0.1), 2.4
        return scene, self.shot((58, 82), (-12, 12), 1.9)

    def bracelet(self) -> tuple[Scene, Shot]:
        """Lying: bangles, cuffs with balls, chains with a charm, pearls, a line of stones."""
        scene, metal, style = (
            Scene(),
            self.metal(0.006),
            self.pick("bangle", "cuff", "chain", "chain", "pearls", "line", "twist"),
        )
        scene.centre, scene.radius, tall = (0, 0, 0.15), 1.45, 0.1
        if style == "bangle":
            wire, flat = self.between(0.05, 0.09), self.between(0.0, 0.22)
            tall = wire + flat
            scene.parts.append((moved(torus(1.1, wire, flat), (0, 0, tall)), metal))
        elif style == "twist":
            turns = int(self.rng.integers(9, 16))

            def rope(p: Array) -> Array:
                rho, angle = length(p[0], p[1]) - 1.1, np.arctan2(p[1], p[0])
                return (
                    length(rho, p[2] - 0.11) - 0.095 - 0.018 * np.cos(3 * np.arctan2(p[2] - 0.11, rho) + turns * angle)
                ) * 0.8

            scene.parts.append((rope, metal))
        elif style == "cuff":
            wire, angle = self.between(0.045, 0.08), np.radians(28)
            end = (1.1 * float(np.sin(angle)), 1.1 * float(np.cos(angle)), wire + 0.05)
            ball = both(sphere(wire * 1.9, (0, end[1], wire * 1.9)), end[0])
            cuff = joined(moved(torus(1.1, wire, 0, 56), (0, 0, wire * 1.9)), ball, soft=0.04)
            scene.parts.append((moved(cuff, turn=turned("z", 180)), metal))
        elif style == "pearls":
            scene.parts.append((beads(1.1, 180, self.between(0.12, 0.17)), PEARL))
        elif style == "line":
            gem, count = self.stone(oval=False), 34
            size = np.pi * 1.1 / count
            cups = around(moved(torus(size * 0.92, size * 0.16, size * 0.3), (1.1, 0, size * 0.9)), count)
            scene.parts.append((cups, metal))
            for k in range(count):
                a = k * 2 * np.pi / count
                scene.gems.append(
                    gem.placed(turned("z", 0), (1.1 * np.cos(a), 1.1 * np.sin(a), size * 1.25), size * 0.86)
                )
        else:
            wire = self.between(0.026, 0.042)
            parts = [links(1.1, 180, wire * 2.6, wire, wire * self.between(0.3, 2.4))]
            if self.rng.random() < 0.6:
                outline = (length, heart)[self.rng.integers(2)]
                parts.append(moved(torus(0.08, 0.025), (0, -1.22, 0.08), turned("y", 60)))
                parts.append(moved(disc(0.24, 0.04, 0.03, outline, 0.4), (0, -1.50, 0.06)))
                scene.centre, scene.radius = (0, -0.2, 0.1), 1.6
            scene.parts.append((joined(*parts), metal))
        return scene, self.shot((30, 58), (-35, 35), 1.12)

    def wristwatch(self) -> tuple[Scene, Shot]:
        """Laid flat: a round or cushion case, baton indices, hands, a leather strap or a bracelet of steel or gold."""
        tone = METALS[self.pick("gold", "rose gold", "silver", "silver", "white gold")]
        metal, scene = Material(tone, rough=0.006), Scene(centre=(0, 0, 0.15), radius=2.9)
        face = np.array(
            [(0.80, 0.79, 0.76), (0.02, 0.025, 0.03), (0.02, 0.05, 0.12), (0.02, 0.09, 0.06)][self.rng.integers(4)]
        )
        outline = length if self.rng.random() < 0.75 else lambda x, y: (x**4 + y**4 + 1e-9) ** 0.25
        case = moved(disc(0.80, 0.17, 0.07, outline), (0, 0, 0.22))

        def lugs(p: Array) -> Array:
            return block((0.07, 0.20, 0.08), 0.05)(np.stack([np.abs(p[0]) - 0.43, np.abs(p[1]) - 0.80, p[2] - 0.18]))

        crown = moved(disc(0.085, 0.09, 0.03), (0.88, 0, 0.22), turned("y", 90))
        bezel = moved(torus(0.715, 0.055, 0.03), (0, 0, 0.38)) if outline is length else case
        scene.parts.append((joined(joined(case, lugs, soft=0.06), crown, bezel), metal))

        def dial(p: Array) -> Array:
            rho = length(p[0], p[1])
            ray = 0.82 + 0.22 * np.abs(np.cos(np.arctan2(p[1], p[0]) - 0.7)) ** 3  # sunburst
            minutes = (np.abs(np.mod(np.arctan2(p[1], p[0]) * 30 / np.pi + 0.5, 1) - 0.5) < 0.09) & (
                np.abs(rho - 0.625) < 0.018
            )
            shade = face[:, None] * ray
            return np.where(minutes, 0.75 if face[1] < 0.5 else 0.05, shade).astype(np.float32)

        scene.parts.append(
            (moved(disc(0.69, 0.02, 0.005, outline), (0, 0, 0.385)), Material(dial, metal=False, gloss=0.05))
        )
        hour, minute = self.between(0, 360), self.between(0, 360)
        hands = [
            around(moved(block((0.065, 0.014, 0.012), 0.006), (0.53, 0, 0.41)), 12),
            moved(disc(0.04, 0.03, 0.01), (0, 0, 0.43)),
        ]
        for angle, reach, wide in ((hour, 0.36, 0.028), (minute, 0.56, 0.02)):
            a = np.radians(angle)
            at = (reach / 2 * float(np.cos(a)), reach / 2 * float(np.sin(a)), 0.43)
            hands.append(moved(block((reach / 2 + 0.04, wide, 0.010), 0.006), at, turned("z", angle)))
        scene.parts.append((joined(*hands), metal))
        if self.rng.random() < 0.55:
            hide = np.array(
                [(0.10, 0.045, 0.022), (0.018, 0.016, 0.016), (0.03, 0.045, 0.09), (0.27, 0.13, 0.05)][
                    self.rng.integers(4)
                ]
            )

            def leather(p: Array) -> Array:
                grain = 0.06 * np.sin(47 * p[0] + 9 * np.sin(31 * p[1])) * np.sin(53 * p[1] + 7 * np.sin(23 * p[0]))
                stitch = (np.abs(np.abs(p[0]) - 0.30) < 0.012) & (np.mod(p[1] * 9, 1) < 0.62) & (p[2] > 0.1)
                return np.where(stitch, 0.5, hide[:, None] * (1 + grain)).astype(np.float32)

            def strap(p: Array) -> Array:
                y = np.abs(p[1])
                taper = 1 + 0.10 * np.clip(y - 0.9, 0, 2)
                return block((0.37, 1.4, 0.07), 0.05)(np.stack([p[0] * taper, y - 2.2, p[2] - 0.10])) * 0.9

            scene.parts.append((strap, Material(leather, metal=False, gloss=0.015, rough=0.05)))
        else:

            def steel(p: Array) -> Array:
                y = np.abs(p[1]) - 0.98
                k = np.clip(np.round(y / 0.2), 0, 12)
                v = y - k * 0.2
                middle = block((0.15, 0.092, 0.07), 0.03)(np.stack([p[0], v, p[2] - 0.11 + 0.35 * p[0] ** 2 + v * v]))
                sides = block((0.10, 0.092, 0.065), 0.03)(
                    np.stack([np.abs(p[0]) - 0.262, v, p[2] - 0.10 + 0.35 * p[0] ** 2 + v * v])
                )
                return np.minimum(middle, sides)

            scene.parts.append((steel, Material(tone, rough=0.02)))
        return scene, self.shot((58, 84), (-25, 25), 1.95)

    def shot(self, pitch: tuple[float, float], yaw: tuple[float, float], zoom: float) -> Shot:
        """Camera and light, a little different each time, as they are in a small studio."""
        sweep = self.between(0.84, 0.93) if self.rng.random() < 0.65 else self.between(0.50, 0.74)
        return Shot(
            self.between(*pitch), self.between(*yaw), self.between(-2, 2), zoom * self.between(0.94, 1.06),
            self.between(-35, 35), sweep, self.between(-0.05, 0.05),
        )  # fmt: skip


def main() -> None:
    """Render the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="a folder to make; must be empty or not there")
    parser.add_argument("--count", type=int, default=12, help="pieces of each category")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--side", type=int, default=512, help="pixels")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes; the photos do not depend on it")
    options = parser.parse_args()
    if options.out.exists() and any(options.out.iterdir()):
        parser.error(f"{options.out} is not empty: give a new folder.")
    tasks = [(options.out, name, k, options.seed, options.side) for k in range(options.count) for name in CATEGORIES]
    with multiprocessing.Pool(options.workers) as pool:
        for path in pool.imap_unordered(render, tasks):
            print(path)
    spoil(options.out)


def render(task: tuple[Path, str, int, int, int]) -> Path:
    """One photo of its category, number, seed and side, written."""
    out, category, number, seed, side = task
    rng = np.random.default_rng([seed, CATEGORIES.index(category), number])
    scene, shot = getattr(Maker(rng), category)()
    path = out / category / f"{category}-{number + 1:02}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(photograph(scene, shot, rng, side), 90))
    return path


def spoil(out: Path) -> None:
    """What every real folder has: a copy, a mirrored re-save, a file that is no image, a photo that is too dark."""
    first = {name: (out / name / f"{name}-01.jpg") for name in CATEGORIES}
    shutil.copy(first["ring"], out / "ring" / "ring-01 (copy).jpg")
    pixels = decode(first["necklace"].read_bytes())
    mirrored = np.ascontiguousarray(fit(pixels, round(pixels.shape[0] * 0.85))[:, ::-1])
    (out / "necklace" / "mirrored for the web.jpg").write_bytes(encode_jpeg(mirrored, 82))
    (out / "bracelet" / "price list.jpg").write_text("bracelet, 18 ct yellow gold, on request\n")
    night = (decode(first["earrings"].read_bytes()) * 0.16).astype(np.uint8)
    (out / "earrings" / "lamp was off.jpg").write_bytes(encode_jpeg(np.roll(night, 40, axis=1), 90))
    credit = "file,author,licence\n*,rendered by docs/sample_photos.py,CC0-1.0\n"
    (out / "licences.csv").write_text(credit)


if __name__ == "__main__":
    main()
