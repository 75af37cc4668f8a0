"""Fingerprints: what is needed of a photo to find its duplicates, once its pixels are out of sight."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jewel_assets.clean.local_features import KEYPOINTS, MIRRORED, PREVIEW_SIDE, LocalFeatures, local_features
from jewel_assets.clean.same_picture import turned
from jewel_assets.images import Pixels, decode, encode_jpeg, fit, flatten
from jewel_assets.lake.stages import Item, Made, Result, Stage

DESCRIPTOR_SIZE = 256
PREVIEW_QUALITY = 88  # JPEG


@dataclass(frozen=True)
class FingerprintPhoto(Stage):
    """Adds the columns that `DropDuplicates` and `PoolImages` compare. The photo keeps its blob."""

    name = "fingerprint_photo"
    version = "2"
    output = pa.schema(
        [
            pa.field("pixel_hash", pa.string()),  # equal for equal pixels, whatever the container and its metadata
            pa.field("phash", pa.list_(pa.int64())),  # 8 perceptual hashes, in the order of `same_picture.TURNS`
            pa.field("descriptor", pa.list_(pa.float32(), DESCRIPTOR_SIZE)),  # unit L2 norm, blind to flips and turns
            pa.field("preview", pa.binary()),  # a JPEG of at most PREVIEW_SIDE pixels, some 8 KB
            pa.field("features", pa.binary()),  # `LocalFeatures.packed` of the preview, at most 17 KB
            pa.field("pixel_count", pa.int64()),
            pa.field("sharpness", pa.float32()),  # 0..: finest edges against all contrast; halves if scaled up by 1.4
        ]
    )
    batch_size: int = 16

    def parameters(self) -> Mapping[str, Any]:
        """The sizes that the columns depend on."""
        return {"preview": [PREVIEW_SIDE, PREVIEW_QUALITY], "keypoints": KEYPOINTS, "descriptor": DESCRIPTOR_SIZE}

    def setup(self, threads: int) -> None:
        """Limit OpenCV to `threads` threads."""
        import cv2

        cv2.setNumThreads(threads)

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One fingerprint per photo; what does not decode raises ValueError."""
        return [Made(columns=fingerprint(decode(item.data, alpha=True)), engine=self.engine) for item in items]

    @property
    def engine(self) -> str:
        """What is written on each row."""
        return f"{self.name} {self.version}"


def fingerprint(
    pixels: Pixels, keypoints: int = KEYPOINTS, prepared: Callable[[Pixels], Pixels] | None = None
) -> dict[str, Any]:
    """The columns of `FingerprintPhoto` for upright (h, w, 3) RGB or (h, w, 4) RGBA pixels.

    At most so many `keypoints` are kept. `prepared` makes of the preview, (h, w, 3), what is compared in its place.
    """
    import cv2

    if pixels.shape[2] == 4 and (pixels[..., 3] == 255).all():
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8)
    flat = flatten(pixels)
    sized = _preview_sized(flat)
    preview = encode_jpeg(sized if prepared is None else prepared(sized), PREVIEW_QUALITY)
    # From the preview's JPEG and not from what went into it, so that whoever reads it back sees the same features.
    shown = decode(preview)
    features = local_features(shown, keypoints)
    grey = cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY)
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_16S))
    deviation = float(cv2.meanStdDev(grey)[1].item())
    return {
        "pixel_hash": pixel_hash(pixels),
        "phash": dihedral_phash(shown),
        "descriptor": match_kernel(features),
        "preview": preview,
        "features": features.packed(),
        "pixel_count": int(flat.shape[0] * flat.shape[1]),
        "sharpness": float(np.percentile(edges, 99)) / max(1.0, deviation),
    }


def pixel_hash(pixels: Pixels) -> str:
    """SHA-256 over the shape and what can be seen of (h, w, 3) or (h, w, 4) pixels.

    An alpha channel that is opaque everywhere counts as none, and the colour of fully transparent pixels as black.
    """
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:]
        pixels = pixels[..., :3] if (alpha == 255).all() else np.where(alpha > 0, pixels, 0)
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels, np.uint8).data)
    return digest.hexdigest()


def dihedral_phash(pixels: Pixels) -> list[int]:
    """DCT hashes of (h, w, 3) pixels and their 7 other flips and rotations, as signed 64-bit integers.

    Each holds the signs of the 63 lowest frequencies but the mean (Zauner, "Implementation and benchmarking of
    perceptual image hash functions", 2010, with the sign in place of the median, which a flip would move).
    """
    import cv2

    grey = cv2.cvtColor(cv2.resize(pixels, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    hashes = []
    for turn in range(8):
        spectrum = cv2.dct(np.ascontiguousarray(turned(grey, turn), np.float32))[:8, :8].ravel()
        spectrum[0] = 0  # the mean brightness
        hashes.append(int.from_bytes(np.packbits(spectrum > 0).tobytes(), "big", signed=True))
    return hashes


def match_kernel(features: LocalFeatures) -> NDArray[np.float32]:
    """One vector (DESCRIPTOR_SIZE,), unit L2 norm, whose dot product counts the local features two pictures share.

    The mean over all features of random Fourier features (Rahimi and Recht, NIPS 2007) of a Gaussian kernel on SIFT:
    an efficient match kernel (Bo and Sminchisescu, NIPS 2009). SIFT is blind to turns, shifts and scale; to be blind to
    flips too, every feature counts both as it is and mirrored.
    """
    weights, phases = _fourier_features()
    descriptors = features.descriptors.astype(np.float32)
    if not len(descriptors):
        return np.full(DESCRIPTOR_SIZE, DESCRIPTOR_SIZE**-0.5, np.float32)
    waves = np.cos(descriptors @ weights + phases) + np.cos(descriptors[:, MIRRORED] @ weights + phases)
    mean = waves.mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


@lru_cache
def _fourier_features() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (128, DESCRIPTOR_SIZE) and phases of a kernel exp(-8 d²): features at 40 degrees count a fortieth."""
    random = np.random.default_rng(7)
    weights = 4 * random.normal(size=(128, DESCRIPTOR_SIZE))
    return weights.astype(np.float32), random.uniform(0, 2 * np.pi, DESCRIPTOR_SIZE).astype(np.float32)


def _preview_sized(pixels: Pixels) -> Pixels:
    """(h, w, 3) pixels whose longer side is PREVIEW_SIDE: small ones are enlarged, to be compared at one size."""
    import cv2

    height, width = pixels.shape[:2]
    scale = PREVIEW_SIDE / max(height, width)
    if scale <= 1:
        return fit(pixels, PREVIEW_SIDE)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def with_fingerprints(items: pa.Table, fingerprints: pa.Table) -> pa.Table:
    """`items` with the columns of `FingerprintPhoto`, from the row of the same category and item id.

    Items without a fingerprint are left out: their photo is no longer there.
    """
    places = {key: row for row, key in enumerate(_keys(fingerprints))}
    kept = [(row, places[key]) for row, key in enumerate(_keys(items)) if key in places]
    table = items.take(pa.array([row for row, _ in kept], pa.int64()))
    found = fingerprints.take(pa.array([place for _, place in kept], pa.int64()))
    for field in FingerprintPhoto.output:
        table = table.append_column(found.schema.field(field.name), found.column(field.name))
    return table


def _keys(table: pa.Table) -> list[tuple[str, str]]:
    return list(zip(table.column("category").to_pylist(), table.column("item_id").to_pylist(), strict=True))
