"""How fast is background removal? The stage against rembg's own session, side by side in one run.

    python benchmarks/cutouts.py [--shared ../shared] [--images 48] [--cores 2] [--model u2netp]

Both sides decode the same photos (an even sample of `data/photos`) with the same decoder and write PNG with the same
encoder and level. rembg: its session for the same model file, called on each image, its ONNX Runtime given all cores.
Ours: the stage `remove_background` in one process per core, one thread each. The three take turns, a batch of images
at a time; the rates are of the median batch, the ratios medians over batches. Agreement: IoU at 0.5 of our raw masks
with rembg's, over the images in which the network sees anything at all (its highest value above 0.5; rembg stretches
the others too).
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from jewel_assets.clean import RemoveBackground
from jewel_assets.clean.cutouts import PNG_LEVEL
from jewel_assets.clean.removal import Engine, NetworkRemover, choose_remover
from jewel_assets.clean.removal.network import alpha_at
from jewel_assets.images import decode, encode_png
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.stages import Item, Made
from jewel_assets.registry import Registry

TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
_stages: dict[str, RemoveBackground] = {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--images", type=int, default=48)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--model", default="u2netp")
    options = parser.parse_args()
    os.environ["U2NET_HOME"] = str((options.shared / "weights").resolve())
    os.environ["OMP_NUM_THREADS"] = str(options.cores)  # where rembg's sessions read their thread count
    import cv2
    from PIL import Image
    from rembg import new_session

    cv2.setNumThreads(options.cores)
    session = new_session(options.model)
    files = sorted(f for f in (options.shared / "data" / "photos").glob("*/*") if f.suffix.lower() in TYPES)
    files = files[:: max(1, len(files) // options.images)][: options.images]

    def by_rembg(item: Item) -> np.ndarray:
        image = decode(item.data)
        mask = np.asarray(session.predict(Image.fromarray(image))[0])
        encode_png(np.dstack([image, mask]), PNG_LEVEL)
        return mask

    seconds: dict[str, list[float]] = {"rembg": [], "network": [], "auto": []}
    engines: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        blobs = BlobStore(folder)
        items = [_item(file, blobs) for file in files]
        arguments = (options.shared / "weights", options.model)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(options.cores, context, _start, arguments) as pool:
            list(pool.map(_run, ["network", "auto"] * 4, [items[:2]] * 8))  # every worker has loaded its models
            by_rembg(items[0])
            for start in range(0, len(items), options.batch):
                batch = items[start : start + options.batch]
                began = time.perf_counter()
                for item in batch:
                    by_rembg(item)
                seconds["rembg"].append((time.perf_counter() - began) / len(batch))
                for engine in ("network", "auto"):
                    parts = [batch[i : i + 2] for i in range(0, len(batch), 2)]
                    began = time.perf_counter()
                    done = list(pool.map(_run, [engine] * len(parts), parts))
                    seconds[engine].append((time.perf_counter() - began) / len(batch))
                    engines.update(f"{engine}: {name}" for part in done for name in part)
        agreement = _agreement(items, by_rembg, arguments, options.cores)

    print(f"{len(items)} photos of {options.shared}/data/photos, {options.cores} cores, model {options.model}\n")
    print("| engine | images/s | times rembg (median of batches; least, most) |\n|---|---|---|")
    for engine, times in seconds.items():
        ratios = np.divide(seconds["rembg"], times)
        spread = f"{np.median(ratios):.2f} ({ratios.min():.2f}, {ratios.max():.2f})"
        print(f"| {engine} | {1 / np.median(times):.2f} | {spread} |")
    print(f"\nraw masks against rembg's: mean IoU {np.mean(agreement):.4f}, least {min(agreement):.4f}, "
          f"{len(agreement)} of {len(items)} images with a subject")  # fmt: skip
    print("what ran:", *(f"\n  {count:4d} {name}" for name, count in sorted(engines.items())))
    return 0


def _item(file: Path, blobs: BlobStore) -> Item:
    media_type = TYPES[file.suffix.lower()]
    blob = blobs.put(file.read_bytes(), media_type)
    row = {"item_id": file.name, "category": "jewelry", "sha256": blob.sha256, "media_type": media_type}
    return Item(row, blobs)


def _start(weights: Path, model: str) -> None:
    engines: tuple[Engine, ...] = ("network", "auto")
    for engine in engines:
        _stages[engine] = RemoveBackground(choose_remover(Registry(weights), engine, model))
        _stages[engine].setup(1)


def _run(engine: str, items: list[Item]) -> list[str]:
    results = _stages[engine].process(items)
    return [result.engine if isinstance(result, Made) else type(result).__name__ for result in results]


def _agreement(items: list[Item], by_rembg, arguments: tuple[Path, str], threads: int) -> list[float]:  # type: ignore[no-untyped-def]
    remover = choose_remover(Registry(arguments[0]), "network", arguments[1])
    assert isinstance(remover, NetworkRemover)
    remover.load(threads)
    found = []
    for item in items:
        image = decode(item.data)
        raw = remover.probabilities([image])[0]
        if raw.max() > 0.5:
            ours, theirs = alpha_at(raw, image.shape) > 0.5, by_rembg(item) > 127
            found.append(float((ours & theirs).sum() / max(1, (ours | theirs).sum())))
    return found


if __name__ == "__main__":
    sys.exit(main())
