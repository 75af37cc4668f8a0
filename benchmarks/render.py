"""Photographs of pieces: seconds a picture, the same picture twice, masks against silhouettes, what denoising gains.

    python benchmarks/render.py                      # 8 pieces, about 15 minutes on one core
    python benchmarks/render.py --pieces 100 --repro-size 64   # the reproducibility of 100 renders

Times are of one picture at a time in a process that has rendered before; the first picture of a compiling variant pays
for its kernels, so it is reported apart. CPU seconds are those of all threads together.
"""

import argparse
import hashlib
import multiprocessing
import time

import cv2
import numpy as np

from jewel_assets.shape.catalogue.taking import taken
from jewel_assets.shape.designs import FAMILIES
from jewel_assets.shape.piece import Piece
from jewel_assets.shape.render import catalogue, render
from jewel_assets.shape.render.auxiliary import exact
from jewel_assets.shape.render.scene import arranged
from jewel_assets.shape.render.surfaces import surfaces_of
from jewel_assets.shape.render.variants import available

FINE = 32  # the silhouette is filled on a grid as many times as fine


def pieces(count: int, seed: int) -> list[Piece]:
    """Designs of all registered families in turns."""
    families = [FAMILIES[name] for name in sorted(FAMILIES)]
    return [families[n % len(families)].draw(np.random.default_rng([seed, n])).build() for n in range(count)]


def silhouette_iou(piece: Piece, size: int, seed: int) -> float:
    """Soft IoU of alpha with the coverage of the projected triangles."""
    made = arranged(
        surfaces_of(piece), piece.category, catalogue(piece.category, seed, piece.family, size=(size, size))
    )
    alpha = exact(made.surfaces, made.camera).alpha
    canvas = np.zeros((size * FINE, size * FINE), np.uint8)
    for surface in made.surfaces:
        seen = made.camera.project(surface.vertices)[:, :2] * FINE - 0.5
        for triangle in np.rint(seen[surface.faces] * 16).astype(np.int32):
            cv2.fillConvexPoly(canvas, triangle, 1, lineType=cv2.LINE_8, shift=4)
    # Filled triangles have the cells on their border too: half a cell too much all round; eroded, half too little.
    inner = cv2.erode(canvas, np.ones((3, 3), np.uint8))
    drawn = (canvas + inner).reshape(size, FINE, size, FINE).mean(axis=(1, 3), dtype=np.float32) / 2
    return float(np.minimum(alpha, drawn).sum() / np.maximum(alpha, drawn).sum())


def digests(numbers: tuple[int, int, int]) -> list[str]:
    """SHA-256 of each picture of a run: its light, its 8-bit picture and its mask."""
    count, seed, size = numbers
    found = []
    for n, p in enumerate(pieces(count, seed)):
        _, photo = taken(p, p.category, p.family, "randomised", n, print, size=(size, size), samples=12)
        layers = (photo.linear, photo.image, photo.alpha)
        found.append(hashlib.sha256(b"".join(layer.tobytes() for layer in layers)).hexdigest())
    return found


def timed(piece: Piece, shot) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    render(piece, shot)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pieces", type=int, default=8)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--samples", type=int, default=36)
    parser.add_argument("--repro-size", type=int, default=96)
    parser.add_argument(
        "--reference", type=int, default=1024, help="samples of the picture that denoising is judged by"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("time", "repro", "mask", "denoise"), default=None)
    given = parser.parse_args()
    made = pieces(given.pieces, given.seed)

    def wanted(part: str) -> bool:
        return given.only in (None, part)

    if wanted("time"):
        for variant in available():
            shots = [
                catalogue(p.category, n, p.family, size=(given.size,) * 2, samples=given.samples, variant=variant)
                for n, p in enumerate(made)
            ]
            first = timed(made[0], shots[0])
            rest = np.array([timed(p, s) for p, s in zip(made, shots, strict=True)])
            wall, cpu = np.median(rest, axis=0)
            print(
                f"{variant}: {given.size} px, {given.samples} samples: median {wall:.1f} s ({cpu:.1f} s of CPU), "
                f"slowest {rest[:, 0].max():.1f} s ({rest[:, 1].max():.1f}), first {first[0]:.1f} s ({first[1]:.1f})"
            )
    if wanted("repro"):
        with multiprocessing.get_context("spawn").Pool(2, maxtasksperchild=1) as pool:
            one, two = pool.map(digests, [(given.pieces, given.seed, given.repro_size)] * 2, chunksize=1)
        same = sum(a == b for a, b in zip(one, two, strict=True))
        print(f"scalar_rgb: {same} of {len(made)} renders are the same bit for bit in another process")
    if wanted("mask"):
        scores = [silhouette_iou(p, given.size, n) for n, p in enumerate(made)]
        worst, best, middle = min(scores), max(scores), np.median(scores)
        print(f"alpha against the projected mesh: IoU {worst:.4f} to {best:.4f}, median {middle:.4f}")
    if wanted("denoise"):
        gains = []
        for n, p in enumerate(made[:3]):
            shot = catalogue(p.category, n, p.family, size=(256, 256), samples=given.samples, denoise=False)
            truth = render(p, shot.model_copy(update={"samples": given.reference, "seed": 10_000 + n})).image
            raw = render(p, shot).image
            clean = render(p, shot.model_copy(update={"denoise": True})).image
            gains.append((_psnr(raw, truth), _psnr(clean, truth)))
        before, after = np.mean(gains, axis=0)
        print(f"denoising at {given.samples} samples: PSNR {before:.1f} -> {after:.1f} dB")


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(((a.astype(float) - b.astype(float)) ** 2).mean() / 255**2))


if __name__ == "__main__":
    main()
