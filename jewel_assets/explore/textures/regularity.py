"""Regularity: whether a texture repeats itself, how strongly, after how many pixels and in which directions.

From the peaks of the autocorrelation, as in Lin, Wang and Yang, "Extracting periodicity of a regular texture based on
autocorrelation functions" (Pattern Recognition Letters 18, 1997), with two vectors for the lattice, as in Liu, Collins
and Tsin, "A computational model for periodic pattern perception based on frieze and wallpaper groups" (TPAMI 26, 2004).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]

SIDE = 256  # pixels of each window in which periods are looked for
FARTHEST = 0.55  # of a window's sides: what is farther apart is seen less than twice
STRONG = 0.2  # weaker peaks are no period: bark and grass have some up to here

_LIGHT = 6.0  # the light on a texture changes over more than a sixth of it
_FLAT = 0.5  # of 255: a smaller standard deviation is what rounding makes
_LOWEST = 0.1  # correlation of a peak that is looked at
_CHANCE = 4.0  # standard errors: the highest of some ten thousand correlations that are zero
_AS_GOOD = 0.8  # of the best peak: a shorter lag that is as good is the period, the longer one its multiple
_SAME = 0.02  # two scales that differ by less find the same: the finer one tells the period better
_EXAMINED = 256  # peaks at most, the nearest: a fine weave has thousands, all alike
_PARALLEL = np.radians(15)  # lags nearer in direction are not two vectors of a lattice


@dataclass(frozen=True)
class Regularity:
    """What `regularity` finds. Periods and angles are None where there are none."""

    strength: float  # 0..1
    period_px: float | None = None  # the shortest of the lattice, in pixels of the texture, along `angle_deg`
    angle_deg: float | None = None  # 0 <= . < 180, from the x axis down to the right
    second_period_px: float | None = None  # None: it repeats along one direction only, as stripes do
    second_angle_deg: float | None = None


@dataclass(frozen=True)
class _Peak:
    x: float  # the lag, in pixels
    y: float
    strength: float  # 0..1

    @property
    def length(self) -> float:
        return float(np.hypot(self.x, self.y))

    @property
    def angle(self) -> float:
        return round(float(np.degrees(np.arctan2(self.y, self.x))), 1) % 180


def regularity(luma: Grey) -> Regularity:
    """How strongly a texture, luma float32 (h, w) in 0..255, repeats itself: 0 for noise, 1 for a checkerboard.

    The strength is that of the best peak of the autocorrelation: its height above the lowest point on the straight way
    there, which tells a period from streaks that hang together, less what chance gives (Bartlett's standard error, "On
    the theoretical specification and sampling properties of autocorrelated time-series", JRSS Supplement 8, 1946), as a
    share of what 1 would be. It is looked for in the whole texture at a small scale, and at its own scale and those
    between in the middle of it, because a weave of four pixels is not there any more when a photo is scaled down. Light
    that changes slowly across the texture is taken out first. Flipping the texture mirrors the angles and no more.
    """
    best = Regularity(0.0)
    scale = min(1.0, SIDE / max(luma.shape))
    while True:
        found = _in_window(_middle(_scaled(luma, scale)), scale)
        if found.strength > best.strength - _SAME * (found.period_px is not None):
            best = found
        if scale == 1.0:
            return best
        scale = min(1.0, 2 * scale)


def _in_window(grey: Grey, scale: float) -> Regularity:
    """The regularity of one window, of at most SIDE pixels each side, of the texture at `scale`."""
    import cv2

    if min(grey.shape) < 8:
        return Regularity(0.0)
    grey = grey - cv2.GaussianBlur(grey, (0, 0), max(grey.shape) / _LIGHT)
    if grey.std() < _FLAT:
        return Regularity(0.0)
    correlation = autocorrelation(grey)
    peaks = _peaks(correlation, grey.shape)
    if not peaks:
        return Regularity(0.0)
    strength = max(peak.strength for peak in peaks)
    good = sorted((peak for peak in peaks if peak.strength >= _AS_GOOD * strength), key=lambda peak: peak.length)
    if strength < STRONG:
        return Regularity(strength)
    first, second = good[0], _second(correlation, good)
    further = (None, None) if second is None else (second.length / scale, second.angle)
    return Regularity(strength, first.length / scale, first.angle, *further)


def autocorrelation(grey: Grey) -> Grey:
    """(2 b + 1, 2 a + 1) correlations -1..1 of (h, w) with itself, shifted by up to b = FARTHEST h and a = FARTHEST w.

    The middle is no shift. Only what overlaps is compared, each shift by the energy of its own two parts (normalised
    cross-correlation of a masked picture: Padfield, "Masked object registration in the Fourier domain", TIP 21, 2012,
    with a mean of zero).
    """
    height, width = grey.shape
    size = (2 * height, 2 * width)
    whole, squares, ones = (np.fft.rfft2(part, size) for part in (grey, grey * grey, np.ones_like(grey)))
    products = np.fft.irfft2(np.abs(whole) ** 2, size)
    energy = np.fft.irfft2(squares * np.conj(ones), size)
    other = np.fft.irfft2(np.conj(squares) * ones, size)
    correlation = np.fft.fftshift(products / np.sqrt(np.maximum(energy * other, 1e-9)))
    b, a = int(FARTHEST * height), int(FARTHEST * width)
    return np.asarray(correlation[height - b : height + b + 1, width - a : width + a + 1], np.float32)


def _peaks(correlation: Grey, shape: tuple[int, ...]) -> list[_Peak]:
    """The local maxima on one half of the lags (the other half mirrors it), with what chance gives taken off."""
    import cv2

    b, a = (side // 2 for side in correlation.shape)
    highest = cv2.dilate(correlation, np.ones((3, 3), np.uint8))
    found = (correlation >= highest - 1e-4) & (correlation >= _LOWEST)  # ridges of stripes are a little uneven
    found[-1], found[:, 0], found[:, -1] = False, False, False  # may go on rising outside
    found[:b] = False
    found[b, : a + 1] = False
    rows, columns = np.nonzero(found & (correlation >= 0.5 * correlation[found].max(initial=0.0)))
    nearest = np.argsort(np.hypot(rows - b, columns - a), kind="stable")[:_EXAMINED]
    lobe = _lobe(correlation)
    peaks = []
    for row, column in zip(rows[nearest], columns[nearest], strict=True):
        x, y = int(column) - a, int(row) - b
        chance = _CHANCE * np.sqrt(lobe / ((shape[0] - abs(y)) * (shape[1] - abs(x))))
        rise = float(correlation[row, column]) - max(0.0, _lowest_between(correlation, (0, 0), (x, y)))
        strength = (rise - chance) / (1 - chance) if chance < 1 else 0.0
        if strength > 0:
            dx = _vertex(*correlation[row, column - 1 : column + 2])
            dy = _vertex(*correlation[row - 1 : row + 2, column])
            peaks.append(_Peak(x + dx, y + dy, min(1.0, float(strength))))
    return peaks


def _second(correlation: Grey, good: Sequence[_Peak]) -> _Peak | None:
    """The shortest lag that goes in another direction than the first, and is no other place on the same stripe."""
    first = good[0]
    for peak in good[1:]:
        turn = abs(np.radians(peak.angle - first.angle))
        if min(turn, np.pi - turn) < _PARALLEL:
            continue
        most = int(max(correlation.shape) / 2 / first.length)
        ends = [(n * first.x, n * first.y) for n in range(-most, most + 1)]
        if all(_lowest_between(correlation, end, (peak.x, peak.y)) < 1 - _AS_GOOD * peak.strength for end in ends):
            return peak
    return None


def _lobe(correlation: Grey) -> float:
    """Bartlett's sum: of the squared correlations around no shift, up to where they first fall to zero on average."""
    b, a = (side // 2 for side in correlation.shape)
    y, x = np.ogrid[-b : b + 1, -a : a + 1]
    ring = np.hypot(y, x).astype(int)
    around = np.bincount(ring.ravel(), correlation.ravel()) / np.bincount(ring.ravel())
    ends = np.nonzero(around[: min(a, b) + 1] <= 0.05)[0]
    radius = int(ends[0]) if len(ends) else min(a, b)
    return float((correlation[ring <= radius] ** 2).sum())


def _lowest_between(correlation: Grey, start: tuple[float, float], end: tuple[float, float]) -> float:
    """The lowest correlation on the straight way from one lag (x, y) to another."""
    b, a = (side // 2 for side in correlation.shape)
    steps = 2 + 2 * int(np.hypot(end[0] - start[0], end[1] - start[1]))
    columns = np.rint(np.linspace(start[0], end[0], steps)).astype(int) + a
    rows = np.rint(np.linspace(start[1], end[1], steps)).astype(int) + b
    return float(correlation[np.clip(rows, 0, 2 * b), np.clip(columns, 0, 2 * a)].min())


def _vertex(before: float, at: float, after: float) -> float:
    """Where the parabola through three neighbours has its top, -0.5..0.5 from the middle one."""
    bend = before - 2 * at + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < -1e-6 else 0.0


def _scaled(luma: Grey, scale: float) -> Grey:
    import cv2

    if scale == 1.0:
        return luma
    size = (max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale)))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)


def _middle(grey: Grey) -> Grey:
    """At most SIDE pixels each side, the same from either end."""
    margins = [max(0, -(-(side - SIDE) // 2)) for side in grey.shape]
    return grey[margins[0] : grey.shape[0] - margins[0], margins[1] : grey.shape[1] - margins[1]]
