"""A map of the designs: like beside like, in two dimensions."""

import numpy as np
from numpy.typing import NDArray

EXACT = 2_000  # t-SNE places so many; its time grows faster than their number
NEIGHBOURS = 5


def design_map(points: NDArray[np.float32], seed: int = 0, exact: int = EXACT) -> NDArray[np.float32]:
    """Places (n, 2), each axis within -1..1, for points (n, p), by t-SNE (van der Maaten 2014) started from the PCA.

    Of more than `exact` points a sample is laid out and the others stand between their nearest neighbours in it. Fewer
    than 10 points are laid out by their first two components. The same points and seed give the same map.
    """
    if len(points) < 10:
        flat = np.zeros((len(points), 2), np.float32)
        flat[:, : points.shape[1]] = points[:, :2]
        return _within(flat)

    from sklearn.manifold import TSNE
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    laid = np.sort(np.random.default_rng(seed).permutation(len(points))[:exact])
    sample = points[laid]
    with threadpool_limits(1):  # more threads add up in another order each time, and t-SNE blows that up
        if np.ptp(sample, axis=0).max() < 1e-9:
            return np.zeros((len(points), 2), np.float32)
        start = _within(sample[:, :2] if sample.shape[1] > 1 else np.hstack([sample, np.zeros_like(sample)])) * 1e-4
        layout = TSNE(perplexity=min(30, (len(sample) - 1) / 3), init=start, max_iter=500, random_state=seed, n_jobs=1)
        placed = _within(layout.fit_transform(sample))
    if len(laid) == len(points):
        return placed
    near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(sample)
    distance, index = near.kneighbors(points)
    weight = 1 / np.maximum(distance, 1e-6)
    between = (placed[index] * weight[..., None]).sum(axis=1) / weight.sum(axis=1, keepdims=True)
    between[laid] = placed
    return np.asarray(between, np.float32)


def _within(flat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centred and scaled, aspect kept, so that both axes lie within -1..1."""
    if not len(flat):
        return flat
    middle = (flat.max(axis=0) + flat.min(axis=0)) / 2
    reach = float(np.abs(flat - middle).max())
    return np.asarray((flat - middle) / (reach or 1), np.float32)
