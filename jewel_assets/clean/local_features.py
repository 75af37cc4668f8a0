"""Local features of a photo's preview: SIFT (Lowe, IJCV 2004), also as the mirror image would have it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels

Array = NDArray[Any]  # uint8, float32 or bool images (h, w[, 3]); float64 affine maps (2, 3)

PREVIEW_SIDE = 256  # pixels of the longer side; shop listings are often no larger
KEYPOINTS = 128  # the strongest; product photos on white have some 117 at this size
POINT_STEP = 1 / 64  # pixels: to which positions are rounded when stored

_LAYOUT = np.arange(128).reshape(4, 4, 8)  # SIFT: rows x columns of cells, 8 orientations each
MIRRORED = _LAYOUT[::-1][:, :, -np.arange(8) % 8].ravel()
"""`descriptor[MIRRORED]` is the SIFT descriptor that the same point has in the mirror image."""


@dataclass(frozen=True)
class LocalFeatures:
    """SIFT keypoints of a preview."""

    points: Array  # (n, 2) float32: x, y in preview pixels
    sift: Array  # (n, 128) uint8

    @cached_property
    def descriptors(self) -> Array:
        """(n, 128) float16: RootSIFT (Arandjelovic and Zisserman, CVPR 2012), unit L2 norm."""
        rooted = np.sqrt(self.sift, dtype=np.float32)
        return np.asarray(rooted / np.maximum(np.linalg.norm(rooted, axis=1, keepdims=True), 1e-9), np.float16)

    def packed(self) -> bytes:
        """132 bytes a keypoint."""
        positions = np.rint(self.points / POINT_STEP).astype("<u2")
        return positions.tobytes() + self.sift.tobytes()

    @classmethod
    def unpacked(cls, data: bytes) -> "LocalFeatures":
        """The features that were `packed`."""
        count = len(data) // 132
        positions = np.frombuffer(data, "<u2", 2 * count).reshape(count, 2)
        sift = np.frombuffer(data, np.uint8, 128 * count, 4 * count).reshape(count, 128)
        return cls(positions.astype(np.float32) * np.float32(POINT_STEP), sift)


def local_features(preview: Pixels, most: int = KEYPOINTS) -> LocalFeatures:
    """At most `most` SIFT features of (h, w, 3) RGB pixels; none for a picture without any structure."""
    import cv2

    # Half the usual contrast threshold: polished metal and pale stones on white have soft edges. Two layers an octave
    # in place of three take half the time; 2 in
    # 1,000 disguised copies can then not be aligned.
    sift = cv2.SIFT.create(most, nOctaveLayers=2, contrastThreshold=0.02)
    keypoints, descriptors = sift.detectAndCompute(cv2.cvtColor(preview, cv2.COLOR_RGB2GRAY), None)
    if descriptors is None:
        return LocalFeatures(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8))
    # OpenCV may return a few more than asked, and its descriptors are whole numbers below 256.
    points = np.array([keypoint.pt for keypoint in keypoints[:most]], np.float32)
    return LocalFeatures(np.maximum(points, 0), descriptors[:most].astype(np.uint8))
