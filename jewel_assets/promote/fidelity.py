"""Whether the piece in a finished image is still the piece: what every promotional image is judged by."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels
from jewel_assets.promote.scene import low_pass

CORE_INSET = 2
"""Pixels by which the opaque part is eroded before it is compared: within it no edge is blended."""
LOW_PASS = 0.012
"""Sigma, as a share of the plate's shorter side, of the blur that parts light from detail."""
SAMPLES = 20_000
"""Pixels, evenly spread, on which colours are compared: CIEDE2000 is dear and hardly changes with more."""
LOWEST_PSNR = 40.0  # dB
LARGEST_DELTA_E = 3.0  # CIEDE2000
LARGEST_HUE_SHIFT = 3.0  # degrees
LEAST_OPAQUE = 0.25
"""Below that the plate shines through most of the piece: a matte that took it for glass."""
_COLOURFUL = 8.0  # CIELAB chroma from which a colour has a hue to speak of


@dataclass(frozen=True)
class Fidelity:
    """`difference`: the largest of any channel in the core (levels of 255). `detail_psnr`: of what is left when both
    pictures are taken without their low frequencies (dB, infinite where it is the same). `delta_e`: the median
    CIEDE2000 of the core. `hue_shift`: how far the hue of its colourful part turned (degrees, median).
    """

    mode: str
    difference: int
    opaque: float  # of what is more piece than ground, the share that is opaque: only that can be promised
    detail_psnr: float
    delta_e: float
    hue_shift: float

    @property
    def holds(self) -> bool:
        """Whether the mode's promise is kept: nothing changed (strict), or light alone did and not by much (relit)."""
        if self.opaque < LEAST_OPAQUE:
            return False
        if self.mode == "strict":
            return self.difference == 0
        return (
            self.detail_psnr >= LOWEST_PSNR and self.delta_e <= LARGEST_DELTA_E and self.hue_shift <= LARGEST_HUE_SHIFT
        )

    def told(self) -> dict[str, object]:
        """As JSON: an infinite PSNR is null."""
        return asdict(self) | {
            "detail_psnr": None if np.isinf(self.detail_psnr) else round(self.detail_psnr, 2),
            "opaque": round(self.opaque, 3),
            "delta_e": round(self.delta_e, 3),
            "hue_shift": round(self.hue_shift, 3),
            "holds": self.holds,
        }


def core_of(opacity: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(h, w) where a piece with this alpha (0..255) is opaque and no edge is near."""
    import cv2

    size = (2 * CORE_INSET + 1,) * 2
    return np.asarray(cv2.erode((opacity == 255).astype(np.uint8), np.ones(size, np.uint8), borderValue=0) > 0)


def compare(laid: Pixels, shown: Pixels, mode: str, shorter_side: int) -> Fidelity:
    """The piece as it was laid (h, w, 4) against the same part of the finished image (h, w, 3).

    Where a piece is so fine that it has no core, its opaque pixels are compared, or what there is.
    """
    core = core_of(laid[..., 3])
    for floor in (255, 128, 1):
        if core.any():
            break
        core = laid[..., 3] >= floor
    before, after = laid[..., :3], shown
    opaque = float((laid[..., 3] == 255).sum() / max(1, (laid[..., 3] > 127).sum()))
    difference = int(np.abs(before[core].astype(np.int16) - after[core].astype(np.int16)).max())
    if difference == 0:
        return Fidelity(mode, 0, opaque, float("inf"), 0.0, 0.0)
    delta_e, hue = _colours(before[core], after[core])
    psnr = _detail_psnr(before, after, core, LOW_PASS * shorter_side)
    return Fidelity(mode, difference, opaque, psnr, delta_e, hue)


def _detail_psnr(before: Pixels, after: Pixels, core: NDArray[np.bool_], sigma: float) -> float:
    """Blurs are taken over the core alone (normalized convolution), so that no ground comes into them."""
    weight = core.astype(np.float32)
    change = np.where(core[..., None], after.astype(np.float32) - before, 0.0).astype(np.float32)
    share = np.maximum(low_pass(weight, sigma), 1e-3)
    high = change - low_pass(change, sigma) / share[..., None]
    error = float((high[core] ** 2).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def _colours(before: Pixels, after: Pixels) -> tuple[float, float]:
    from skimage.color import deltaE_ciede2000, rgb2lab

    step = max(1, len(before) // SAMPLES)
    one, other = (rgb2lab(values[::step][None].astype(np.float64) / 255)[0] for values in (before, after))
    delta_e = float(np.median(deltaE_ciede2000(one, other)))  # type: ignore[no-untyped-call]
    colourful = np.hypot(one[:, 1], one[:, 2]) > _COLOURFUL
    if not colourful.any():
        return delta_e, 0.0
    hues = [np.arctan2(lab[colourful, 2], lab[colourful, 1]) for lab in (one, other)]
    turn = np.degrees(np.angle(np.exp(1j * (hues[1] - hues[0]))))
    return delta_e, float(abs(np.median(turn)))
