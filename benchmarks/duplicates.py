"""How well duplicates are found: recall and precision on transformed copies, against a plain hash and the embedding.

    python benchmarks/duplicates.py --shared ../shared --originals 150 --out /tmp/duplicates

A sample of real photos is copied in sixteen disguises (made here, never stored) and mixed with all the other photos.
Each method names pairs that it holds for one picture. A disguise's recall is the share of its copies paired with their
original. Precision is the share of all pairs named that are of one picture; photos of different files whose pixels are
equal under a flip or turn count as one picture. With --out, every pair found among the untouched photos is drawn on
sheets: whether those are real duplicates only an eye can tell.
"""

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from jewel_assets.clean.duplicates import DropDuplicates, NearDuplicates
from jewel_assets.clean.fingerprints import FingerprintPhoto, fingerprint
from jewel_assets.images import Pixels, decode, encode_jpeg, encode_png, fit

SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string()),
        pa.field("may_train", pa.bool_()),
        pa.field("bytes", pa.int64()),
        *FingerprintPhoto.output,
    ]
)


def disguises(pixels: Pixels, chance: np.random.Generator) -> dict[str, Pixels]:
    """Sixteen copies of (h, w, 3) pixels as a re-publisher might make them."""
    import cv2

    height, width = pixels.shape[:2]
    levels = pixels.astype(np.float32)

    def cropped(share: float) -> Pixels:
        x, y = chance.uniform(0, share, 2)
        rows = slice(int(height * y), int(height * (1 - share + y)))
        return pixels[rows, int(width * x) : int(width * (1 - share + x))]

    def clipped(values: np.ndarray) -> Pixels:
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)

    ground = tuple(int(level) for level in np.median(np.vstack([pixels[0], pixels[-1]]), 0))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 25, 1)
    marked = pixels.copy()
    place = (int(width * 0.7), int(height * 0.97))
    cv2.putText(marked, "BRAND", place, cv2.FONT_HERSHEY_SIMPLEX, width / 550, (70, 70, 70), 1, cv2.LINE_AA)
    made = {
        "crop 5 %": cropped(0.05),
        "crop 15 %": cropped(0.15),
        "mirrored": pixels[:, ::-1],
        "upside down": pixels[::-1],
        "turned 90": np.rot90(pixels),
        "mirrored, turned": np.rot90(pixels[:, ::-1], 3),
        "turned 25": cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=ground),
        "aspect x1.25": cv2.resize(pixels, (int(width * 1.25), height)),
        "half size": cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA),
        "JPEG q30": decode(encode_jpeg(pixels, 30)),
        "brighter": clipped(levels * 1.15 + 10),
        "darker": clipped(levels * 0.75),
        "contrast": clipped((levels - 128) * 1.25 + 128),
        "colour cast": clipped(levels * [1.1, 1, 0.88]),
        "small logo": marked,
        "crop, flip, JPEG": decode(encode_jpeg(clipped(cropped(0.08)[:, ::-1] * 0.9), 60)),
    }
    return {name: np.ascontiguousarray(copy) for name, copy in made.items()}


def hash_pairs(photos: pa.Table, limit: int, turns: int = 1) -> set[tuple[int, int]]:
    """Pairs whose plain hashes (or any of 8, with `turns`) differ in at most `limit` of 63 bits."""
    hashes = np.array(photos["phash"].to_pylist()).view(np.uint64)
    found = set()
    for row in range(len(hashes)):
        distance = np.bitwise_count(hashes[row, 0] ^ hashes[row + 1 :, :turns]).min(1) if row + 1 < len(hashes) else []
        found.update((row, row + 1 + int(other)) for other in np.flatnonzero(np.asarray(distance) <= limit))
    return found


def embedding_pairs(photos: pa.Table, cosine: float) -> set[tuple[int, int]]:
    """Pairs whose descriptors have at least this cosine."""
    descriptors = np.array(photos["descriptor"].to_pylist(), np.float32)
    return {
        (int(i), int(j)) for i, j in zip(*np.nonzero(np.triu(descriptors @ descriptors.T >= cosine, 1)), strict=True)
    }


def grouped_pairs(photos: pa.Table) -> set[tuple[int, int]]:
    """Pairs within one group of `DropDuplicates`."""
    members = defaultdict(list)
    for row, result in enumerate(DropDuplicates().choose(photos)):
        members[result.columns["group_id"]].append(row)
    return {(i, j) for group in members.values() for k, j in enumerate(group) for i in group[:k]}


def sheet(photos: pa.Table, pairs: list[tuple[int, int]], texts: list[str]) -> Pixels:
    """The pairs side by side, four a row, with a caption each."""
    import cv2

    cells = []
    for (i, j), text in zip(pairs, texts, strict=True):
        cell = np.full((190, 340, 3), 255, np.uint8)
        for place, row in enumerate((i, j)):
            small = fit(decode(photos["preview"][row].as_py()), 165)
            cell[: small.shape[0], place * 170 : place * 170 + small.shape[1]] = small
        cv2.putText(cell, text, (3, 184), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
        cells.append(cell)
    cells += [np.full((190, 340, 3), 255, np.uint8)] * (-len(cells) % 4)
    return np.vstack([np.hstack(cells[k : k + 4]) for k in range(0, len(cells), 4)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--originals", type=int, default=150, help="photos that are disguised")
    parser.add_argument("--photos", type=int, default=10**9, help="take only this many photos, at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for the sheets of pairs found among the untouched photos")
    arguments = parser.parse_args()
    import cv2

    cv2.setNumThreads(1)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    paths = sorted((arguments.shared / "data/photos").glob("*/*"))
    chance = np.random.default_rng(arguments.seed)
    paths = sorted(chance.permutation(np.array(paths, object))[: arguments.photos])
    sample = set(chance.choice(len(paths), min(arguments.originals, len(paths)), replace=False).tolist())
    rows, origin, disguise, seconds = [], [], [], []
    for number, path in enumerate(paths):
        data = path.read_bytes()
        started = time.perf_counter()
        rows.append(
            {"item_id": str(path), "may_train": False, "bytes": len(data), **fingerprint(decode(data, alpha=True))}
        )
        seconds.append(time.perf_counter() - started)
        origin.append(number)
        disguise.append("")
    for number in sorted(sample):
        for name, copy in disguises(decode(paths[number].read_bytes()), chance).items():
            rows.append({"item_id": f"{number} {name}", "may_train": False, "bytes": 0, **fingerprint(copy)})
            origin.append(number)
            disguise.append(name)
    photos = pa.Table.from_pylist(rows, schema=SCHEMA)
    untouched = photos.slice(0, len(paths))
    for i, j in sorted(hash_pairs(untouched, 0, turns=8)):  # the same file twice, perhaps under another name
        if rows[i]["pixel_hash"] == rows[j]["pixel_hash"]:
            origin = [min(i, j) if o == max(i, j) else o for o in origin]
    print(
        f"{len(paths)} photos, {len(sample)} of them in {len(set(disguise)) - 1} disguises each; seed {arguments.seed}"
    )
    print(f"fingerprint: median {1000 * np.median(seconds):.1f} ms a photo (decoded, 1 thread)")
    started, computed = time.perf_counter(), time.process_time()
    among = {pair: a for pair, a in NearDuplicates().pairs(untouched).items() if a.same}
    computed = time.process_time() - computed
    print(f"search: {time.perf_counter() - started:.1f} s ({computed:.1f} s of computing) for the untouched photos")
    if arguments.out and among:
        arguments.out.mkdir(parents=True, exist_ok=True)
        kept = sorted(among, key=lambda pair: among[pair].worst_patch)
        texts = [
            f"{among[p].correlation:.3f} worst {among[p].worst_patch:.2f} colour {among[p].colour:.0f}" for p in kept
        ]
        (arguments.out / "untouched.png").write_bytes(encode_png(sheet(photos, kept, texts)))
    linked = {pair for pair, alike in NearDuplicates().pairs(photos).items() if alike.same}
    found = {
        "pHash d<=10": hash_pairs(photos, 10),
        "8 pHashes d<=10": hash_pairs(photos, 10, turns=8),
        "embedding 0.95": embedding_pairs(photos, 0.95),
        "pairs confirmed": linked,
        "same group": grouped_pairs(photos),
    }
    wanted = {(origin[row], row): disguise[row] for row in range(len(paths), len(rows))}
    print(f"\n{'recall of':18}" + "".join(f"{name:>17}" for name in found))
    for name in dict.fromkeys(disguise[len(paths) :]):
        pairs = [pair for pair, how in wanted.items() if how == name]
        print(f"{name:18}" + "".join(f"{np.mean([p in f for p in pairs]):17.3f}" for f in found.values()))
    print(f"{'all':18}" + "".join(f"{np.mean([p in f for p in wanted]):17.3f}" for f in found.values()))
    right = {name: [origin[i] == origin[j] for i, j in pairs] for name, pairs in found.items()}
    print(f"{'precision':18}" + "".join(f"{np.mean(r):17.3f}" for r in right.values()))
    print(f"{'pairs named':18}" + "".join(f"{len(r):17d}" for r in right.values()))
    if arguments.out:
        wrong = [p for p in sorted(found["same group"]) if origin[p[0]] != origin[p[1]]][:80]
        texts = [f"{disguise[i] or 'original'} | {disguise[j] or 'original'}" for i, j in wrong]
        if wrong:
            (arguments.out / "counted_wrong.png").write_bytes(encode_png(sheet(photos, wrong, texts)))


if __name__ == "__main__":
    main()
