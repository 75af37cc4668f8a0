"""Groups of like designs: KMeans on embeddings, with as many groups as hold together and come back on resampling."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jewel_assets.explore.cluster_model import ClusterModel, Floats, Ints, KCurve, match_ids

COMPONENTS = 16
"""Principal components kept. On shop photos 16 gave the purity of 64, steadier clusters and a third of the time."""

STARTS = 6  # KMeans runs from different seeds; fewer leave local optima that look like instability
RESAMPLES = 8  # bootstrap samples for the stability of each k
SAMPLE = 2_000  # k is chosen on at most so many items, or silhouettes (all pairs) would not end
STABLE = 0.8  # adjusted Rand index from which a k counts as coming back
SLACK = 0.1  # scores (silhouette x stability) within this share of the best count as equal; the finest such k wins
FEWEST = 4  # items per cluster, on average, below which no k is tried


@dataclass(frozen=True)
class Clustering:
    """The clusters of n designs. Rows are in the order of the embeddings given, clusters in that of `model.ids`."""

    cluster_id: Ints  # (n,)
    distance: Floats  # (n,) from the cluster's centre, in the space that was clustered
    silhouette: Floats  # (n,) simplified: nearest other centre against own (Hruschka et al. 2004), -1..1
    is_medoid: NDArray[np.bool_]  # (n,) the item nearest to its cluster's centre, one for each cluster
    kept: NDArray[np.bool_]  # (k,) the id was there in the previous model
    model: ClusterModel

    def members(self, cluster_id: int) -> NDArray[np.int64]:
        """Rows of one cluster, nearest to its centre first."""
        rows = np.flatnonzero(self.cluster_id == cluster_id)
        return rows[np.argsort(self.distance[rows], kind="stable")]


def fit_clusters(
    embeddings: NDArray[np.float32],
    *,
    k: int | None = None,
    k_range: tuple[int, int] = (5, 24),
    seed: int = 0,
    previous: ClusterModel | None = None,
    embedder: str = "",
) -> Clustering:
    """Cluster embeddings (n, d) float32 into `k` clusters, or as many within `k_range` (inclusive) as suit them best.

    Among the k whose clusters come back on resampling (adjusted Rand index of `RESAMPLES` bootstrap refits >= `STABLE`;
    where none does, the steadiest), the finest whose silhouette x stability is within `SLACK` of the best. `previous`
    keeps things steady from run to run: its k stays while it is nearly as good, its centres are a start for KMeans, its
    ids stay with the clusters that moved little. The result depends on the set of embeddings and the seed, not on their
    order or the number of cores. Any n works: without `FEWEST` different items for each of two clusters there is one.
    Raises ValueError for embeddings that are not finite or a range that is empty.
    """
    if embeddings.ndim != 2 or not np.isfinite(embeddings).all():
        raise ValueError(f"Embeddings must be finite and of shape (n, d), not {embeddings.shape}.")
    if (k is not None and k < 1) or not 1 <= k_range[0] <= k_range[1]:
        raise ValueError(f"k must be at least 1 and k_range ascending, not k={k}, k_range={k_range}.")
    if not len(embeddings):
        return _nothing(embeddings.shape[1], previous, seed, embedder)

    import sklearn.cluster
    import sklearn.metrics  # noqa: F401  (before the limit: it holds for the libraries that are loaded by then)
    from threadpoolctl import threadpool_limits

    order = _canonical(embeddings)
    ordered = np.ascontiguousarray(embeddings[order], np.float32)
    distinct = len(np.unique(ordered, axis=0))
    if previous is not None and (previous.embedder != embedder or previous.centroids.shape[1] != ordered.shape[1]):
        warm = None  # other vectors: nothing of the old clusters can be carried on but the ids that are taken
    else:
        warm = previous
    with threadpool_limits(1):  # sums over several threads differ in the last digits from run to run
        mean, components = _principal(ordered)
        points = np.asarray((ordered - mean) @ components.T, np.float32)
        curve, chosen = _choose(points[:SAMPLE], _candidates(k, k_range, distinct), seed, warm.k if warm else None)
        centres = None if warm is None or warm.k != chosen else (warm.centroids - mean) @ components.T
        labels = _fit(points, chosen, seed, centres)
        stability = _cluster_stability(points[:SAMPLE], labels[:SAMPLE], int(labels.max()) + 1, seed)
    chosen = len(stability)
    by_size = np.argsort(-np.bincount(labels), kind="stable")
    centroids = np.stack([ordered[labels == label].mean(axis=0) for label in by_size]).astype(np.float32)
    ids, retired, kept = match_ids(centroids, previous, embedder)
    sort = np.argsort(ids)
    ids, centroids, kept, stability = ids[sort], centroids[sort], kept[sort], stability[by_size][sort]
    rank = np.empty(chosen, np.int64)
    rank[by_size[sort]] = np.arange(chosen)
    labels = rank[labels]
    radii = [np.sqrt(((ordered[labels == one] - centroids[one]) ** 2).sum(axis=1).mean()) for one in range(chosen)]
    model = ClusterModel(
        ids,
        centroids,
        np.asarray(radii, np.float32),
        mean,
        components,
        stability,
        ("",) * chosen,
        retired,
        curve,
        seed,
        embedder,
    )
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return _described(embeddings, labels[back], order, model, kept)


def _described(
    embeddings: Floats,
    labels: NDArray[np.int64],
    order: NDArray[np.int64],
    model: ClusterModel,
    kept: NDArray[np.bool_],
) -> Clustering:
    distances = model.distances(np.asarray(embeddings, np.float32))  # (n, k)
    rows = np.arange(len(labels))
    own = distances[rows, labels]
    others = distances.copy()
    others[rows, labels] = np.inf
    other = others.min(axis=1)
    other = np.where(np.isfinite(other), other, own)  # the only cluster: 0
    silhouette = (other - own) / np.maximum(np.maximum(other, own), 1e-12)
    is_medoid = np.zeros(len(labels), bool)
    for label in range(model.k):
        members = order[labels[order] == label]  # in canonical order: of equals, always the same one is the medoid
        is_medoid[members[own[members].argmin()]] = True
    return Clustering(model.ids[labels], own, silhouette.astype(np.float32), is_medoid, kept, model)


def _nothing(d: int, previous: ClusterModel | None, seed: int, embedder: str) -> Clustering:
    ids, retired, kept = match_ids(np.zeros((0, d), np.float32), previous, embedder)
    none, nothing = np.zeros(0, np.float32), np.zeros((0, d), np.float32)
    model = ClusterModel(
        ids, nothing, none, np.zeros(d, np.float32), nothing, none, (), retired, KCurve.empty(), seed, embedder
    )
    return Clustering(ids, none, none, np.zeros(0, bool), kept, model)


def _canonical(embeddings: Floats) -> NDArray[np.int64]:
    """An order of the rows that depends on their values alone, in which new rows fall anywhere between the old."""
    rows = np.ascontiguousarray(embeddings, np.float32)
    return np.array(
        sorted(range(len(rows)), key=lambda row: hashlib.blake2b(rows[row].tobytes(), digest_size=16).digest())
    )


def _principal(rows: Floats) -> tuple[Floats, Floats]:
    """Mean (d,) and at most `COMPONENTS` principal components (p, d) of `rows` (n, d); p = 1 where all are equal."""
    from sklearn.decomposition import PCA

    count = max(1, min(COMPONENTS, rows.shape[1], len(rows) - 1))
    if not np.ptp(rows, axis=0).any():
        return rows[0], np.eye(1, rows.shape[1], dtype=np.float32)
    fitted = PCA(count, svd_solver="covariance_eigh").fit(rows.astype(np.float64))
    return np.asarray(fitted.mean_, np.float32), np.asarray(fitted.components_, np.float32)


def _candidates(k: int | None, k_range: tuple[int, int], distinct: int) -> Sequence[int]:
    if k is not None:
        return [min(k, distinct)]
    fitting = range(k_range[0], min(k_range[1], distinct // FEWEST) + 1)
    return fitting or [max(1, distinct // FEWEST)]


def _choose(points: Floats, candidates: Sequence[int], seed: int, before: int | None) -> tuple[KCurve, int]:
    """The curve over `candidates` and the k taken, as `fit_clusters` says; `before` is the k of the previous model."""
    from sklearn.metrics import adjusted_rand_score, pairwise_distances, silhouette_score

    measurable = [k for k in candidates if 2 <= k < len(points)]
    if not measurable:
        return KCurve.empty(), candidates[0]
    apart = pairwise_distances(points.astype(np.float64))
    np.fill_diagonal(apart, 0)
    silhouette, stability = [], []
    for k in measurable:
        labels = _fit(points, k, seed)
        several = len(np.unique(labels)) > 1
        silhouette.append(silhouette_score(apart, labels, metric="precomputed") if several else 0.0)
        stability.append(np.mean([adjusted_rand_score(labels, again) for again in _refits(points, k, seed)]))
    curve = KCurve(
        np.asarray(measurable, np.int32), np.asarray(silhouette, np.float32), np.asarray(stability, np.float32)
    )
    return curve, best_k(curve, before)


def best_k(curve: KCurve, before: int | None = None) -> int:
    """The k to take from a curve. `before` stays while it is nearly as stable and as clear as is asked of a new one."""
    stable = curve.stability >= min(STABLE, float(curve.stability.max()))
    score = np.maximum(curve.silhouette, 0) * curve.stability  # below 0 where refits agree less than by chance
    best = float(score[stable].max())
    if before is not None and (found := np.flatnonzero(curve.k == before)).size:
        at = found[0]
        if curve.stability[at] >= STABLE - 0.1 and score[at] >= (1 - 3 * SLACK) * best:
            return before
    return int(curve.k[stable & (score >= best - SLACK * abs(best))].max())


def _fit(points: Floats, k: int, seed: int, centres: NDArray[np.floating] | None = None) -> NDArray[np.int64]:
    """Labels (n,) of KMeans, 0 to at most k - 1 without gaps.

    With `centres` (k, p) also started from these, and that result wins unless a fresh start is clearly better.
    """
    from sklearn.cluster import KMeans

    taken = KMeans(k, n_init=STARTS, random_state=seed).fit(points)
    if centres is not None:
        carried = KMeans(k, init=np.asarray(centres, points.dtype), n_init=1, random_state=seed).fit(points)
        taken = carried if carried.inertia_ <= 1.02 * taken.inertia_ else taken
    # Rows that differ in the last digit only can coincide once projected: then there are fewer clusters than asked.
    return np.asarray(np.unique(taken.labels_, return_inverse=True)[1], np.int64)


def _refits(points: Floats, k: int, seed: int) -> list[NDArray[np.int64]]:
    """Labels (n,) of all points by models fitted on bootstrap samples of them."""
    from sklearn.cluster import KMeans

    found = []
    for number in range(RESAMPLES):
        drawn = np.random.default_rng([seed, number]).integers(0, len(points), len(points))
        if len(np.unique(points[drawn], axis=0)) < k:
            continue  # only with very few items: such a sample cannot show k clusters
        found.append(KMeans(k, n_init=STARTS, random_state=seed + number + 1).fit(points[drawn]).predict(points))
    return found or [np.zeros(len(points), np.int64)]


def _cluster_stability(points: Floats, labels: NDArray[np.int64], k: int, seed: int) -> Floats:
    """Stability (k,) of each cluster: its best Jaccard index with a cluster of each refit, averaged (Hennig 2007)."""
    from sklearn.metrics import confusion_matrix

    if k == 1:
        return np.ones(1, np.float32)
    best = []
    for again in _refits(points, k, seed):
        shared = confusion_matrix(labels, again, labels=range(k)).astype(np.float64)
        union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
        best.append((shared / np.maximum(union, 1)).max(axis=1))
    return np.asarray(np.mean(best, axis=0), np.float32)
