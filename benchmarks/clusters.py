"""Design clusters against the category labels, for each embedding engine, and how long it takes to find k.

    python benchmarks/clusters.py                         # cut-outs made by the project's own `auto` remover
    python benchmarks/clusters.py --cutouts DIR           # cut-outs that are there: DIR/<category>/<name>.png, RGBA
    python benchmarks/clusters.py --cutouts none          # whole photos: their grounds tell watches from the rest

Beside the engines stand chance (labels shuffled among the same clusters) and raw pixels (a 24 x 24 thumbnail), and the
same engine's clusters at one fixed k, so that purity, which grows with k, can be compared. Categories are not designs:
a purity of 1 is neither reached nor aimed at by whoever groups designs; but clusters below chance would be nonsense.
Engines and baselines are timed in one run, alternating; seconds are wall-clock, CPU seconds stand beside them because
other work on the machine stretches the former.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import normalized_mutual_info_score

from jewel_assets.clean import RemoveBackground, choose_remover
from jewel_assets.errors import Permanent
from jewel_assets.explore import Clustering, choose_embedder, fit_clusters
from jewel_assets.explore.embedders import Vectors, unit
from jewel_assets.explore.framing import framed, subject_box
from jewel_assets.images import Pixels, decode
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.stages import Item, Made
from jewel_assets.registry import Registry

CATEGORIES = ("bracelet", "earrings", "necklace", "ring", "wristwatch")
GOAL_SECONDS, GOAL_STABILITY = 10.0, 0.8


def photos(folder: Path, every: int) -> list[tuple[str, Path]]:
    return [(category, path) for category in CATEGORIES for path in sorted((folder / category).glob("*"))[::every]]


def pictures(args: argparse.Namespace, work: Path) -> tuple[list[str], list[Pixels], str]:
    """Labels, RGBA pictures, and the words that say what they are."""
    if args.cutouts == "none":
        found = [(label, path.read_bytes()) for label, path in photos(args.shared / "data" / "photos", args.every)]
        words = "whole photos (the watches' grounds differ from all others)"
    elif args.cutouts == "auto":
        remover = choose_remover(Registry(work / "models", str(args.shared / "weights")), "auto")
        found = list(cut_out(RemoveBackground(remover), photos(args.shared / "data" / "photos", args.every), work))
        words = f"cut-outs by {remover.name}"
    else:
        found = [(label, path.read_bytes()) for label, path in photos(Path(args.cutouts), args.every)]
        words = f"cut-outs found in {args.cutouts}"
    decoded = [(label, decode(data, alpha=True)) for label, data in found]
    kept = [(label, picture) for label, picture in decoded if subject_box(picture[..., 3]) is not None]
    return [label for label, _ in kept], [picture for _, picture in kept], words


def cut_out(stage: RemoveBackground, chosen: Sequence[tuple[str, Path]], work: Path) -> Iterator[tuple[str, bytes]]:
    """The PNGs of those photos that the stage gives a cut-out."""
    store = BlobStore(str(work / "lake"))
    stage.setup(os.cpu_count() or 1)
    for start in range(0, len(chosen), stage.batch_size):
        batch = chosen[start : start + stage.batch_size]
        items = []
        for label, path in batch:
            blob = store.put(path.read_bytes(), "image/jpeg")
            items.append(
                Item(
                    {"item_id": path.name, "category": label, "sha256": blob.sha256, "media_type": "image/jpeg"}, store
                )
            )
        for (label, _), result in zip(batch, stage.process(items), strict=True):
            if isinstance(result, Made) and result.data is not None:
                yield label, result.data


def raw_pixels(cutouts: Sequence[Pixels]) -> Vectors:
    """Thumbnails as vectors: what clustering gives without any thought."""
    return unit(np.stack([framed(picture, 24, ground=255)[..., :3].astype(np.float32).ravel() for picture in cutouts]))


def embedders(shared: Path, work: Path) -> dict[str, Callable[[Sequence[Pixels]], Vectors]]:
    registry = Registry(work / "models", str(shared / "weights"))
    found: dict[str, Callable[[Sequence[Pixels]], Vectors]] = {}
    for engine in ("open_clip", "mobilenet", "classical"):
        try:
            embedder = choose_embedder(registry, engine)
        except Permanent as error:
            print(f"not measured: {engine}. {error}")
            continue
        found[embedder.name] = embedder.load(1)
    return {**found, "raw pixels 24 x 24": raw_pixels}


def purity(labels: NDArray[np.int64], clusters: NDArray[np.int32]) -> float:
    """Share of items whose category is that of most in their cluster."""
    return sum(int(np.bincount(labels[clusters == one]).max()) for one in np.unique(clusters)) / len(labels)


def by_chance(labels: NDArray[np.int64], clusters: NDArray[np.int32], rounds: int = 20) -> tuple[float, float]:
    """Mean purity and NMI with the labels shuffled: what clusters of these sizes get for nothing."""
    shuffled = [np.random.default_rng(seed).permutation(labels) for seed in range(rounds)]
    scores = [(purity(one, clusters), normalized_mutual_info_score(one, clusters)) for one in shuffled]
    return float(np.mean([score for score, _ in scores])), float(np.mean([score for _, score in scores]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--cutouts", default="auto", help="auto, none, or a folder of cut-outs by category")
    parser.add_argument("--every", type=int, default=1, help="take each n-th photo of a category")
    parser.add_argument("--fixed-k", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3, help="runs whose median seconds are shown")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        names, cutouts, words = pictures(args, work)
        engines = embedders(args.shared, work)
        vectors, speed = {}, {}
        for engine, embed in engines.items():
            started = time.process_time()
            vectors[engine] = np.concatenate([embed(cutouts[at : at + 16]) for at in range(0, len(cutouts), 16)])
            speed[engine] = (time.process_time() - started) / len(cutouts) * 1000
    labels = np.array([CATEGORIES.index(name) for name in names])
    wall: dict[str, list[float]] = {engine: [] for engine in vectors}
    cpu: dict[str, list[float]] = {engine: [] for engine in vectors}
    found: dict[str, Clustering] = {}
    for _ in range(args.repeats):
        for engine, rows in vectors.items():
            started, used = time.perf_counter(), time.process_time()
            found[engine] = fit_clusters(rows, embedder=engine)
            wall[engine].append(time.perf_counter() - started)
            cpu[engine].append(time.process_time() - used)

    print(f"\nEmbedded: {len(labels)} {words}; {args.shared}/data/photos, every {args.every}. Labels: category.")
    print(f"Largest category: {np.bincount(labels).max() / len(labels):.2f} of all. Cores: {os.cpu_count()}.\n")
    head = ("embedding", "d", "ms/image", "k", "purity", "chance", "NMI", "chance", "ARI", "find k, s", "CPU s")
    fixed = f"purity k={args.fixed_k}"
    print("".join(f"{title:>12}" if place else f"{title:36}" for place, title in enumerate((*head, fixed, "NMI"))))
    for engine, rows in vectors.items():
        clustering = found[engine]
        chance = by_chance(labels, clustering.cluster_id)
        same_k = fit_clusters(rows, k=args.fixed_k).cluster_id
        figures = (
            str(rows.shape[1]),
            f"{speed[engine]:.1f}",
            str(clustering.model.k),
            f"{purity(labels, clustering.cluster_id):.3f}",
            f"{chance[0]:.3f}",
            f"{normalized_mutual_info_score(labels, clustering.cluster_id):.3f}",
            f"{chance[1]:.3f}",
            f"{clustering.model.agreement:.2f}",
            f"{statistics.median(wall[engine]):.1f}",
            f"{statistics.median(cpu[engine]):.1f}",
            f"{purity(labels, same_k):.3f}",
            f"{normalized_mutual_info_score(labels, same_k):.3f}",
        )
        print(f"{engine:36}" + "".join(f"{figure:>12}" for figure in figures))
    print(
        f"\nms/image: CPU, one thread, decoding apart. k within 5 to 24. ARI: adjusted Rand index of refits on "
        f"bootstrap samples at that k (goal {GOAL_STABILITY}). find k: wall-clock, median of {args.repeats} "
        f"(goal below {GOAL_SECONDS:.0f} s)."
    )


if __name__ == "__main__":
    main()
