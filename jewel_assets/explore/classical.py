"""The embedder that needs no weights: silhouette, relief, texture and colour of a cut-out, side by side.

Each part is a vector of unit length times a weight, so a part counts by its weight and not by how many numbers it has:
the squared weights are the shares of the parts in the (squared) distance of two designs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.explore.embedders import EmbedPictures, Vectors, unit
from jewel_assets.explore.framing import SUBJECT, framed
from jewel_assets.images import Pixels

SIDE = 128  # pixels of the square that everything is measured on: shop photos are often only 200 to 300 wide
GROUND = 128  # grey, so that white metal and black leather both stand out from it

WEIGHTS: Mapping[str, float] = {
    "silhouette": 0.45,
    "outline": 0.45,
    "relief": 0.45,
    "texture": 0.25,
    "colour": 0.35,
}

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Classical:
    """Hand-made descriptors. Deterministic, no weights, a few milliseconds for each picture."""

    version: str = "1"

    @property
    def name(self) -> str:
        """See `Embedder`."""
        return f"classical-{self.version}"

    @property
    def dimension(self) -> int:
        """See `Embedder`."""
        return sum(part.size for part in parts(np.zeros((SIDE, SIDE, 4), np.uint8)).values())

    def parameters(self) -> Mapping[str, Any]:
        """See `Embedder`."""
        return {"side": SIDE, "ground": GROUND, "weights": dict(WEIGHTS)}

    def weights(self) -> Mapping[str, str]:
        """See `Embedder`."""
        return {}

    def load(self, threads: int) -> EmbedPictures:
        """Nothing to load; OpenCV's threads are set by the stage."""
        return embed


def embed(cutouts: Sequence[Pixels]) -> Vectors:
    """RGBA cut-outs to vectors (n, dimension), unit length."""
    return unit(np.stack([_described(cutout) for cutout in cutouts]))


def _described(cutout: Pixels) -> Floats:
    measured = parts(framed(cutout, SIDE, margin=0.03, ground=GROUND))
    return np.concatenate([WEIGHTS[name] * unit(part)[0] for name, part in measured.items()]).astype(np.float32)


def parts(picture: Pixels) -> dict[str, Floats]:
    """The parts of the descriptor, not yet weighted, of one framed RGBA picture (side, side, 4)."""
    import cv2

    alpha = picture[..., 3]
    solid = alpha >= SUBJECT
    light: NDArray[Any] = cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2GRAY)
    lab = np.asarray(cv2.cvtColor(picture[..., :3].astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    return {
        "silhouette": _silhouette(alpha),
        "outline": _outline(solid),
        "relief": _relief(light),
        "texture": _texture(light, solid),
        "colour": _colour(lab, solid),
    }


def _silhouette(alpha: NDArray[np.uint8], cells: int = 12) -> Floats:
    """Share of each of `cells` x `cells` cells that the subject covers, blurred by half a cell against small shifts."""
    import cv2

    covered = cv2.resize(
        cv2.GaussianBlur(alpha, (0, 0), SIDE / cells / 2), (cells, cells), interpolation=cv2.INTER_AREA
    )
    return np.asarray(covered, np.float32).ravel() / np.float32(255)


def _outline(solid: NDArray[np.bool_]) -> Floats:
    """What does not depend on where the subject lies: proportions, openings, thickness, parts. Each about 0..1."""
    import cv2

    mask = np.pad(solid, 1).astype(np.uint8)
    area = float(mask.sum())
    if area == 0:
        return np.zeros(24, np.float32)
    ys, xs = np.nonzero(mask)
    width, height = float(np.ptp(xs)) + 1, float(np.ptp(ys)) + 1
    hull = cv2.convexHull(np.column_stack([xs, ys]).astype(np.int32))
    hull_area = max(cv2.contourArea(hull), area)
    pieces, openings = pieces_of(mask), openings_of(mask)
    spread = np.cov(np.vstack([xs, ys])) if area > 2 else np.eye(2)
    minor, major = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 1e-6))
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)[mask > 0] / SIDE
    radius = np.hypot(xs - xs.mean(), ys - ys.mean()) / SIDE
    reach = np.histogram(radius, bins=8, range=(0, 0.7))[0] / area
    mirrored = mask[:, ::-1]
    return np.array(
        [
            0.5 + np.clip(np.log2(width / height) / 4, -0.5, 0.5),
            area / hull_area,
            area / (width * height),
            openings.sum() / hull_area,
            openings.max(initial=0) / hull_area,
            min(np.log2(1 + (openings > 6).sum()) / 5, 1),
            pieces[0] / area,
            (pieces[1] if len(pieces) > 1 else 0) / pieces[0],  # earrings come in pairs
            min(np.log2(len(pieces)) / 4, 1),
            1 - minor / major,
            min(4 * float(np.median(depth)), 1),
            min(2 * float(depth.max()), 1),
            (mask & mirrored).sum() / max((mask | mirrored).sum(), 1),
            mask[: len(mask) // 2].sum() / area,  # heavy above or below
            (radius < 0.12).sum() / area,
            np.hypot(xs.mean() / len(mask) - 0.5, ys.mean() / len(mask) - 0.5),
            *reach,
        ],
        np.float32,
    )


def pieces_of(mask: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels of each connected piece of a 0/1 mask, largest first."""
    import cv2

    statistics = cv2.connectedComponentsWithStats(mask, connectivity=8)[2]
    return np.sort(np.asarray(statistics[1:, cv2.CC_STAT_AREA], np.int64))[::-1]


def openings_of(mask: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels of each opening that a 0/1 mask encloses (its border must be 0), largest first."""
    import cv2

    _, labels, statistics, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    enclosed = [label for label in range(1, len(statistics)) if label != labels[0, 0]]
    return np.sort(np.asarray(statistics[enclosed, cv2.CC_STAT_AREA], np.int64))[::-1]


def _relief(light: NDArray[np.uint8]) -> Floats:
    """Histograms of oriented gradients (Dalal and Triggs, CVPR 2005) over the square, at 64 pixels: 7 x 7 blocks."""
    import cv2

    small = cv2.resize(light, (64, 64), interpolation=cv2.INTER_AREA)
    hog = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9)
    blocks = np.asarray(hog.compute(small), np.float32).reshape(7, 7, 4, 9)
    return np.asarray(np.sqrt(blocks.sum(axis=2).ravel()), np.float32)


def _texture(light: NDArray[np.uint8], solid: NDArray[np.bool_]) -> Floats:
    """Uniform local binary patterns (Ojala et al., PAMI 2002; 8 neighbours) within the subject, two scales: 2 x 10."""
    import cv2

    inside = cv2.erode(solid.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    inside = inside if inside.any() else solid
    found = []
    for step in (1, 3):
        smooth = cv2.GaussianBlur(light, (0, 0), 0.6 * step).astype(np.int16)
        ring = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
        bits = np.stack([np.roll(smooth, (-step * y, -step * x), (0, 1)) > smooth + 2 for y, x in ring])
        changes = (bits != np.roll(bits, 1, axis=0)).sum(axis=0)
        pattern = np.where(changes <= 2, bits.sum(axis=0), 9)
        found.append(np.bincount(pattern[inside], minlength=10) / max(int(inside.sum()), 1))
    return np.sqrt(np.concatenate(found)).astype(np.float32)


def _colour(lab: Floats, solid: NDArray[np.bool_]) -> Floats:
    """A smoothed histogram over CIE Lab inside the subject: 4 levels of lightness, 8 x 8 of a and b. Square roots.

    Square roots make the Euclidean distance the Hellinger distance, which does not let the ground metal drown a stone.
    """
    import cv2

    pixels = lab[solid]
    histogram = np.zeros((4, 8, 8), np.float32)
    if pixels.size:
        level = np.clip(pixels[:, 0] / 25, 0, 3).astype(int)
        a, b = (np.clip((pixels[:, axis] + 48) / 12, 0, 7).astype(int) for axis in (1, 2))
        np.add.at(histogram, (level, a, b), 1)
        histogram = np.stack([cv2.GaussianBlur(plane, (0, 0), 0.6) for plane in histogram / len(pixels)])
    return np.asarray(np.sqrt(histogram.ravel()), np.float32)
