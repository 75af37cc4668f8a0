"""What can be measured of a photo without knowing what it shows: sharpness, exposure, colour, background."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jewel_assets.images import Pixels, decode, fit, flatten
from jewel_assets.lake.stages import Item, Made, Result, Stage

Mask = NDArray[np.bool_]

PALETTE_TYPE = pa.list_(pa.struct([pa.field("hex", pa.string()), pa.field("share", pa.float32())]))

LUMA_709 = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709, item 3.2, on gamma-encoded R'G'B'
_SAME_COLOUR = 8.0  # CIE76 difference below which two colours are one: some three just-noticeable differences
_SMALLEST_SHARE = 0.02  # of the subject; rarer colours go to their nearest neighbour in the palette
_PLAIN = 0.6  # a border at least so uniform is a plain background, before which the subject can be told


@dataclass
class MeasurePhoto(Stage):
    """Measures one photo. Adds the columns of `measure`; the row keeps its blob."""

    name: ClassVar[str] = "measure_photo"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("sharpness", pa.float32()),
            pa.field("exposure", pa.float32()),
            pa.field("clipped_dark", pa.float32()),
            pa.field("clipped_light", pa.float32()),
            pa.field("contrast", pa.float32()),
            pa.field("colourfulness", pa.float32()),
            pa.field("palette", PALETTE_TYPE),
            pa.field("aspect", pa.float32()),
            pa.field("background_uniformity", pa.float32()),
            pa.field("subject_share", pa.float32()),
        ]
    )
    side: int = 384  # pixels; larger photos are measured at this longer side, so that their figures compare
    colours: int = 5  # at most so many in the palette
    batch_size: int = 32

    def parameters(self) -> Mapping[str, Any]:
        """The working size and the size of the palette."""
        return {"side": self.side, "colours": self.colours}

    def setup(self, threads: int) -> None:
        """Keep OpenCV to its threads."""
        import cv2

        cv2.setNumThreads(threads)

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One `Made` per item. Raises ValueError for bytes that are no image."""
        import cv2

        engine = f"opencv {cv2.__version__}"
        return [
            Made(measure(decode(item.data, alpha=True), side=self.side, colours=self.colours), engine) for item in items
        ]


def measure(pixels: Pixels, *, side: int = 384, colours: int = 5) -> dict[str, Any]:
    """The measures of one photo, uint8 (h, w, 3 | 4), taken at a longer side of at most `side` pixels.

    "The subject" is what differs from a plain border, or what is opaque; where neither tells, the whole frame.

    - `sharpness`: variance of the Laplacian of luma (0..255) over the subject: some 2,800 in a usual shop photo, below
      500 where it is soft or has little detail (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy",
      ICPR 2000).
    - `exposure`: mean luma of the frame, 0 (black) to 1 (white).
    - `clipped_dark`, `clipped_light`: share of the subject with luma <= 4 and >= 251 of 255, 0..1.
    - `contrast`: RMS contrast, the standard deviation of luma in 0..1 (Peli, "Contrast in complex images", JOSA A 7,
      1990).
    - `colourfulness`: M3 of the subject, 0 (grey) to some 110 (extremely colourful) (Hasler and Suesstrunk, "Measuring
      colourfulness in natural images", SPIE 5007, 2003).
    - `palette`: up to `colours` of {hex, share}, most frequent first; the centres of k-means in CIELAB over the
      subject, like colours joined. Shares sum to 1.
    - `aspect`: width / height of the original.
    - `background_uniformity`: share of the border (5 % of the shorter side) within CIE76 10 of its median colour, 0..1.
    - `subject_share`: the subject's share of the frame, 0..1; None where it cannot be told.
    """
    import cv2

    height, width = pixels.shape[:2]
    opaque = _opaque(pixels, side)
    rgb = fit(flatten(pixels), side)
    lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    luma = rgb.astype(np.float32) @ LUMA_709  # (h, w), 0..255
    uniformity, distance = _background(lab)
    subject = opaque if opaque is not None else _subject(distance, uniformity)
    region = subject if subject is not None else np.ones(luma.shape, bool)
    laplacian = cv2.Laplacian(luma, cv2.CV_32F)
    return {
        "sharpness": float(laplacian[region].var()),
        "exposure": float(luma.mean() / 255),
        "clipped_dark": float((luma[region] <= 4).mean()),
        "clipped_light": float((luma[region] >= 251).mean()),
        "contrast": float(luma.std() / 255),
        "colourfulness": colourfulness_of(rgb[region].astype(np.float32)),
        "palette": palette_of(lab[region], colours),
        "aspect": width / height,
        "background_uniformity": uniformity,
        "subject_share": None if subject is None else float(subject.mean()),
    }


def _opaque(pixels: Pixels, side: int) -> Mask | None:
    """What a cut-out shows; None for a photo without transparency, or one with nothing in it."""
    if pixels.shape[2] == 3 or pixels[..., 3].min() >= 128:
        return None
    mask = fit(np.repeat(pixels[..., 3:], 3, axis=2), side)[..., 0] >= 128
    return mask if mask.any() else None


def _background(lab: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
    """How uniform the border is, 0..1, and every pixel's CIE76 difference from its median colour, (h, w)."""
    height, width = lab.shape[:2]
    band = max(1, round(0.05 * min(height, width)))
    border = np.ones((height, width), bool)
    border[band : height - band, band : width - band] = False
    distance = np.linalg.norm(lab - np.median(lab[border], axis=0), axis=2).astype(np.float32)
    return float((distance[border] < 10).mean()), distance


def _subject(distance: NDArray[np.float32], uniformity: float) -> Mask | None:
    """What stands before a plain background; None before any other, and where nothing does."""
    import cv2

    if uniformity < _PLAIN:
        return None
    # Closing takes in the highlights of polished metal, which have the colour of a white background.
    closed = cv2.morphologyEx((distance >= 10).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    mask = closed.astype(bool)
    return mask if mask.mean() >= 0.002 else None


def colourfulness_of(rgb: NDArray[np.float32]) -> float:
    """M3 of Hasler and Suesstrunk (2003), equation 3 of section 3: sigma_rgyb + 0.3 mu_rgyb, of (n, 3) in 0..255."""
    red_green = rgb[:, 0] - rgb[:, 1]
    yellow_blue = (rgb[:, 0] + rgb[:, 1]) / 2 - rgb[:, 2]
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def palette_of(lab: NDArray[np.float32], colours: int) -> list[dict[str, Any]]:
    """The main colours of (n, 3) CIELAB pixels: k-means from a fixed seed on at most 4,096 of them, evenly taken."""
    import cv2

    sample = np.ascontiguousarray(lab[:: max(1, len(lab) // 4096)])
    k = min(colours, len(np.unique(sample.round(), axis=0)))
    if k == 1:  # OpenCV takes a single pixel of three channels for three pixels of one
        centres, shares = sample.mean(axis=0, keepdims=True).astype(np.float64), np.ones(1)
    else:
        cv2.setRNGSeed(7)
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
        start = np.zeros((len(sample), 1), np.int32)
        _, labels, found = cv2.kmeans(sample, k, start, stop, 1, cv2.KMEANS_PP_CENTERS)
        shares = np.bincount(np.asarray(labels).ravel(), minlength=k) / len(sample)
        centres, shares = _joined(np.asarray(found, np.float64), shares)
    rgb = cv2.cvtColor(centres[None].astype(np.float32), cv2.COLOR_LAB2RGB).reshape(-1, 3)
    bytes_ = np.rint(np.clip(rgb, 0, 1) * 255).astype(int)
    order = sorted(range(len(shares)), key=lambda i: (-shares[i], tuple(bytes_[i])))
    return [{"hex": "#{:02x}{:02x}{:02x}".format(*bytes_[i]), "share": float(shares[i])} for i in order]


def _joined(
    centres: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours that look alike, or are too rare, joined with their nearest one."""
    while len(shares) > 1:
        between = np.linalg.norm(centres[:, None] - centres[None], axis=2)
        np.fill_diagonal(between, np.inf)
        rare = int(shares.argmin())
        one = rare if shares[rare] < _SMALLEST_SHARE else int(between.min(axis=1).argmin())
        other = int(between[one].argmin())
        if shares[one] >= _SMALLEST_SHARE and between[one, other] >= _SAME_COLOUR:
            break
        total = shares[one] + shares[other]
        centres[other] = (centres[one] * shares[one] + centres[other] * shares[other]) / max(total, 1e-12)
        shares[other] = total
        centres, shares = np.delete(centres, one, axis=0), np.delete(shares, one)
    return centres, shares
