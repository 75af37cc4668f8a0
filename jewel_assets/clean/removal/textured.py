"""Background removal from a textured ground (cloth, marble, wood): what the texture of the border does not explain.

Colour and fine contrast of the border are modelled by a mixture of Gaussians; a pixel less likely than nearly all of
the border is new, and so perhaps the piece. That needs no weights and keeps holes open, but some of the piece looks
like the ground and some of the ground looks like nothing on the border. A network's coarse probability, where there is
one, is added as evidence; where the ground proves not to be like its border, the network decides alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jewel_assets.clean.removal.ground import BORDER_SHARE, Lab, to_lab
from jewel_assets.clean.removal.remover import Alpha, Mask, Matte, solidity
from jewel_assets.images import Pixels, fit

COMPONENTS = 3  # of the mixture: the weave's light and dark, the vein and the stone
SAMPLES = 1500  # pixels of the border
SOFT_SIGMA = 0.8  # pixels: enough against JPEG's noise, little enough to keep chains and holes
CONTRAST_SIGMA = 1.5  # pixels: the neighbourhood whose contrast is measured
NETWORK_WEIGHT = 0.5  # of its log-odds: it is sure of itself far too often, at edges and in holes above all
CORE_DEPTH = 0.04  # of the longer side; chains and the rims of hoops are never so thick
STRAY_TRUSTED, STRAY_REFUSED = 0.05, 0.15  # share of new pixels where the network sees nothing, or near the border


@dataclass(frozen=True)
class Novelty:
    """How unlike the border each pixel is: `odds` (h, w), log-odds of being new; `trust` in them, 0 to 1."""

    odds: NDArray[np.float32]
    trust: float


def textured_matte(image: Pixels, name: str, largest_side: int, network: Alpha | None = None) -> Matte:
    """The matte of one image (h, w, 3). `network` (h, w) is a network's probability, where there is one."""
    import cv2

    small = fit(image, largest_side)
    size = (small.shape[1], small.shape[0])
    coarse = (
        None if network is None else np.asarray(cv2.resize(network, size, interpolation=cv2.INTER_AREA), np.float32)
    )
    novelty = find_novelty(to_lab(small), coarse)
    odds = np.asarray(novelty.trust * novelty.odds, np.float32)
    if coarse is not None:
        odds = odds + (1 - (1 - NETWORK_WEIGHT) * novelty.trust) * _log_odds(coarse)
        # Far inside what the network is sure of (a dial, a stone) nothing is ground, whatever its colour.
        depth = cv2.distanceTransform((coarse > 0.9).view(np.uint8), cv2.DIST_L2, 3)
        odds = np.where(depth > CORE_DEPTH * max(small.shape[:2]), np.maximum(odds, 3), odds)
    alpha = np.asarray(1 / (1 + np.exp(-odds)), np.float32)
    decided = float(np.abs(2 * alpha[alpha > 0.05] - 1).mean()) if (alpha > 0.5).any() else 0.0
    # Two witnesses are better than one: without the network the result is never held for certain.
    confidence = decided * (max(0.6, novelty.trust) if coarse is not None else 0.6 * novelty.trust)
    alpha = _sharpened(alpha)
    confidence *= solidity(alpha > 0.5, coarse)
    if small.shape != image.shape:
        size = (image.shape[1], image.shape[0])
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return Matte(alpha, confidence, name)


def find_novelty(lab: Lab, coarse: Alpha | None) -> Novelty:
    """Fit the border, leaving out what the network (`coarse`, h x w) takes for the piece, and compare every pixel."""
    import cv2
    from sklearn.mixture import GaussianMixture

    features = _features(lab)
    height, width = lab.shape[:2]
    band = max(2, round(2 * BORDER_SHARE * min(height, width)))
    border = np.ones((height, width), bool)
    border[band:-band, band:-band] = False
    if coarse is not None and (border & (coarse < 0.5)).sum() > 0.2 * border.sum():
        border &= coarse < 0.5
    samples = features[border]
    samples = samples[:: max(1, len(samples) // SAMPLES)]
    mixture = GaussianMixture(COMPONENTS, reg_covar=0.1, max_iter=25, tol=1e-2, random_state=0).fit(samples)

    def unlikely(points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Negative log-likelihood of its most likely component, of (..., 4) features."""
        shape = points.shape[:-1]
        points = np.ascontiguousarray(points.reshape(-1, 1, points.shape[-1]))
        costs = []
        for weight, mean, factor in zip(
            mixture.weights_, mixture.means_, mixture.precisions_cholesky_, strict=True
        ):  # y = factor.T (x - mean) has unit covariance
            whiten = np.column_stack([factor.T, -factor.T @ mean]).astype(np.float32)
            whitened = cv2.transform(points, whiten)
            squared = cv2.transform(np.square(whitened), np.ones((1, whitened.shape[2]), np.float32))
            costs.append(0.5 * squared - np.log(np.diag(factor)).sum() - np.log(weight))
        return np.asarray(np.minimum.reduce(costs).reshape(shape), np.float32)

    usual, rare, rarest = np.percentile(unlikely(samples), [50, 99, 99.9])
    odds = np.clip(3 * (unlikely(features) - rarest) / max(float(rare - usual), 1e-3), -3, 4.6)
    new = odds > 0
    if coarse is not None:
        elsewhere = coarse < 0.1
        new &= ~_reaching(new, coarse > 0.5)  # a network often sees but half a piece: the rest of it is no stray
    else:
        elsewhere = np.zeros((height, width), bool)
        elsewhere[band:-band, band:-band] = True
        elsewhere[2 * band : -2 * band, 2 * band : -2 * band] = False
    stray = float(new[elsewhere].mean()) if elsewhere.any() else 1.0
    trust = float(np.clip((STRAY_REFUSED - stray) / (STRAY_REFUSED - STRAY_TRUSTED), 0, 1))
    return Novelty(cv2.GaussianBlur(odds.astype(np.float32), (0, 0), 0.8), trust)


def _reaching(new: Mask, seen: Mask, share: float = 0.2) -> Mask:
    """The connected parts of `new` of which at least `share` is `seen`."""
    import cv2

    count, labels = cv2.connectedComponents(new.view(np.uint8), connectivity=8)
    area = np.bincount(labels.ravel(), minlength=count)
    kept = np.bincount(labels[seen], minlength=count) >= share * area
    kept[0] = False
    return np.asarray(kept[labels])


def _features(lab: Lab) -> NDArray[np.float32]:
    """(h, w, 4): L*, a*, b* slightly softened, and the logarithm of the contrast of L* around."""
    import cv2

    lightness = lab[..., 0]
    mean = cv2.GaussianBlur(lightness, (0, 0), CONTRAST_SIGMA)
    variance = cv2.GaussianBlur(np.square(lightness), (0, 0), CONTRAST_SIGMA) - np.square(mean)
    contrast = np.log1p(np.sqrt(np.maximum(variance, 0)))
    return np.dstack([cv2.GaussianBlur(lab, (0, 0), SOFT_SIGMA), contrast]).astype(np.float32)


def _log_odds(probability: Alpha) -> NDArray[np.float32]:
    """Log-odds of probabilities that are never quite 0 or 1: between -3.9 and 3.9."""
    kept = 0.96 * probability + 0.02
    return np.asarray(np.log(kept / (1 - kept)), np.float32)


def _sharpened(alpha: Alpha) -> Alpha:
    """Alpha without the haze of a probability that is nearly, not quite, certain; specks are left out."""
    import cv2

    clear = np.clip((alpha - 0.15) / 0.7, 0, 1)
    count, labels = cv2.connectedComponents((clear > 0).view(np.uint8), connectivity=8)
    mass = np.bincount(labels.ravel(), weights=clear.ravel(), minlength=count)
    mass[0] = 0
    return np.asarray(np.where((mass >= 0.01 * mass.max())[labels], clear, 0), np.float32)
