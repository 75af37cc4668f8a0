"""The stage that measures textures, and all its figures for one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jewel_assets.explore.measures import LUMA_709, PALETTE_TYPE, colourfulness_of, palette_of
from jewel_assets.explore.textures.crops import best_tile, in_original
from jewel_assets.explore.textures.regularity import regularity
from jewel_assets.explore.textures.seams import tileability
from jewel_assets.explore.textures.uniformity import uniformity
from jewel_assets.images import Pixels, decode, fit
from jewel_assets.lake.stages import Item, Made, Result, Stage

GREY_CHROMA = 6.0  # CIELAB C*: below it a surface is called grey, not tinted


@dataclass
class MeasureTexture(Stage):
    """Measures one texture. Adds the columns of `measure_texture`; the row keeps its blob."""

    name: ClassVar[str] = "measure_texture"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("tileability", pa.float32()),
            pa.field("tileability_x", pa.float32()),
            pa.field("tileability_y", pa.float32()),
            pa.field("tile_left", pa.int32()),
            pa.field("tile_top", pa.int32()),
            pa.field("tile_width", pa.int32()),
            pa.field("tile_height", pa.int32()),
            pa.field("tile_tileability", pa.float32()),
            pa.field("regularity", pa.float32()),
            pa.field("period_px", pa.float32()),
            pa.field("period_angle_deg", pa.float32()),
            pa.field("second_period_px", pa.float32()),
            pa.field("second_angle_deg", pa.float32()),
            pa.field("uniformity", pa.float32()),
            pa.field("anisotropy", pa.float32()),
            pa.field("orientation_deg", pa.float32()),
            pa.field("sharpness", pa.float32()),
            pa.field("contrast", pa.float32()),
            pa.field("exposure", pa.float32()),
            pa.field("colourfulness", pa.float32()),
            pa.field("grey_share", pa.float32()),
            pa.field("palette", PALETTE_TYPE),
        ]
    )
    side: int = 1024  # pixels; larger textures are measured at this longer side
    colours: int = 6  # at most so many in the palette
    batch_size: int = 8

    def parameters(self) -> Mapping[str, Any]:
        """The working size and the size of the palette."""
        return {"side": self.side, "colours": self.colours}

    def setup(self, threads: int) -> None:
        """Keep OpenCV to its threads; those of NumPy's matrices too."""
        import cv2
        from threadpoolctl import threadpool_limits

        cv2.setNumThreads(threads)
        threadpool_limits(threads, "blas")

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One `Made` per item. Raises ValueError for bytes that are no image."""
        import cv2

        engine = f"{self.name} {self.version}, opencv {cv2.__version__}"
        return [
            Made(measure_texture(decode(item.data), side=self.side, colours=self.colours), engine) for item in items
        ]


def measure_texture(pixels: Pixels, *, side: int = 1024, colours: int = 6) -> dict[str, Any]:
    """The measures of one texture, uint8 (h, w, 3), taken at a longer side of at most `side` pixels.

    - `tileability_x`, `tileability_y`, `tileability` (the worse of them), 0..1: `seams.tileability`.
    - `tile_left`, `tile_top`, `tile_width`, `tile_height`, in pixels of the original, and `tile_tileability`: the part
      that repeats best, `crops.best_tile`.
    - `regularity`, 0..1, with `period_px` (pixels of the original) and `period_angle_deg` (0 <= . < 180, from the x
      axis down to the right) of its lattice's shortest vector, and `second_...`; None without: `regularity.regularity`.
    - `uniformity`, 0..1: the same all over, or a picture of something: `uniformity.uniformity`.
    - `anisotropy`, 0..1, and `orientation_deg` (0 <= . < 180, from the x axis down to the right): how much its lines
      run in one direction, and in which; None where there are none. Coherence of the structure tensor (Bigün and
      Granlund, "Optimal orientation detection of linear symmetry", ICCV 1987): 0 for noise, 1 for parallel stripes.
    - `sharpness`, `contrast`, `exposure`, `colourfulness`, as `explore.measures` has them, over the whole frame.
    - `grey_share`, 0..1: share of the frame with a CIELAB chroma below GREY_CHROMA.
    - `palette`: up to `colours` of {hex, share} over the whole frame, most frequent first, shares sum to 1.
    """
    rgb = fit(pixels, side)
    lab, luma = _lab(rgb), rgb.astype(np.float32) @ LUMA_709  # (h, w, 3), (h, w) in 0..255
    across, down = pixels.shape[1] / rgb.shape[1], pixels.shape[0] / rgb.shape[0]
    seams = tileability(lab)
    tile = in_original(pixels, best_tile(lab, seams.overall), across, down)
    periods = regularity(luma)
    anisotropy, orientation = _orientation(luma)
    return {
        "tileability": seams.overall,
        "tileability_x": seams.x,
        "tileability_y": seams.y,
        "tile_left": tile.left,
        "tile_top": tile.top,
        "tile_width": tile.width,
        "tile_height": tile.height,
        "tile_tileability": tile.tileability,
        "regularity": periods.strength,
        "period_px": None if periods.period_px is None else periods.period_px * across,
        "period_angle_deg": periods.angle_deg,
        "second_period_px": None if periods.second_period_px is None else periods.second_period_px * across,
        "second_angle_deg": periods.second_angle_deg,
        "uniformity": uniformity(lab),
        "anisotropy": anisotropy,
        "orientation_deg": orientation,
        **_of_photos(pixels, colours),
    }


def _of_photos(pixels: Pixels, colours: int) -> dict[str, Any]:
    """What photos are measured by, too, at the size at which they are, so that the figures compare."""
    import cv2

    rgb = fit(pixels, 384)
    lab, luma = _lab(rgb), rgb.astype(np.float32) @ LUMA_709
    return {
        "sharpness": float(cv2.Laplacian(luma, cv2.CV_32F).var()),
        "contrast": float(luma.std() / 255),
        "exposure": float(luma.mean() / 255),
        "colourfulness": colourfulness_of(rgb.reshape(-1, 3).astype(np.float32)),
        "grey_share": float((np.hypot(lab[..., 1], lab[..., 2]) < GREY_CHROMA).mean()),
        "palette": palette_of(lab.reshape(-1, 3), colours),
    }


def _lab(rgb: Pixels) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _orientation(luma: NDArray[np.float32]) -> tuple[float, float | None]:
    """Coherence 0..1 of the gradients of (h, w), and the angle in degrees along which it changes least."""
    import cv2

    smooth = cv2.GaussianBlur(luma, (0, 0), 1.0)
    dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    xx, yy, xy = (float((one * other).mean()) for one, other in ((dx, dx), (dy, dy), (dx, dy)))
    if xx + yy < 1e-3:
        return 0.0, None
    coherence = float(np.hypot(xx - yy, 2 * xy) / (xx + yy))
    steepest = 0.5 * np.degrees(np.arctan2(2 * xy, xx - yy))
    return min(1.0, coherence), round(float(steepest + 90), 1) % 180
