"""A fitted clustering as it is kept: bytes in the lake, from which the next run goes on."""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jewel_assets.errors import Permanent

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

FORMAT = 1  # raise it when the arrays below change their meaning
MEDIA_TYPE = "application/x-npz"
REACH = 0.5


@dataclass(frozen=True)
class KCurve:
    """What was measured for each number of clusters tried: arrays of one length, in order of `k`."""

    k: Ints
    silhouette: Floats  # mean over the items, -1..1 (Rousseeuw 1987)
    stability: Floats  # mean adjusted Rand index of refits on resamples, about 0..1 (Hubert and Arabie 1985)

    @classmethod
    def empty(cls) -> "KCurve":
        """The curve of a clustering whose k was given, not chosen."""
        return cls(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True)
class ClusterModel:
    """KMeans in the space of a PCA. k clusters, d numbers in an embedding, p principal components."""

    ids: Ints  # (k,) of the clusters, ascending; kept from run to run, never used again once retired
    centroids: Floats  # (k, d) means of the members' embeddings
    radii: Floats  # (k,) root mean square distance of the members from their centroid
    mean: Floats  # (d,) of the PCA
    components: Floats  # (p, d) of the PCA, rows of unit length
    stability: Floats  # (k,) how well each cluster comes back on resampling: mean best Jaccard (Hennig 2007), 0..1
    names: tuple[str, ...]  # (k,) "" until named
    retired: Ints  # ids of clusters that earlier models had
    curve: KCurve = field(default_factory=KCurve.empty)
    seed: int = 0
    embedder: str = ""  # engine, model and start of its weights' hash: vectors of another do not fit this model
    named_by: str = ""  # where its newest names come from

    @property
    def k(self) -> int:
        """How many clusters there are."""
        return len(self.ids)

    @property
    def agreement(self) -> float:
        """Mean adjusted Rand index of refits on resamples at the k taken; nan where k = 1: nothing could vary."""
        found = np.flatnonzero(self.curve.k == self.k)
        return float(self.curve.stability[found[0]]) if found.size else float("nan")

    def project(self, embeddings: Floats) -> Floats:
        """Embeddings (n, d) in the space that was clustered: (n, p)."""
        return np.asarray((embeddings - self.mean) @ self.components.T, np.float32)

    def distances(self, embeddings: Floats) -> Floats:
        """Euclidean distance, in the space that was clustered, of each embedding (n, d) from each centre: (n, k)."""
        points, centres = self.project(embeddings), self.project(self.centroids)
        return np.asarray(np.linalg.norm(points[:, None] - centres[None], axis=2), np.float32)


def match_ids(centroids: Floats, previous: ClusterModel | None, embedder: str) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Ids (k,) for new `centroids` (k, d), the retired ids, and which of the k were kept from `previous`.

    One-to-one assignment with the least total distance (Kuhn 1955, as scipy solves it). A pair counts as the same
    cluster if its centre moved less than `REACH` of the cluster's radius, or of the way to the nearest other old
    centre, whichever is more. All others get fresh ids.
    """
    from scipy.optimize import linear_sum_assignment

    ids = np.full(len(centroids), -1, np.int32)
    if previous is None:
        return np.arange(len(centroids), dtype=np.int32), np.zeros(0, np.int32), ids >= 0
    if previous.embedder == embedder and previous.k and previous.centroids.shape[1] == centroids.shape[1]:
        relative = _between(centroids, previous.centroids) / (REACH * _room(previous))  # (k, previous k)
        # Beyond reach one pair is as bad as another: capped, a hopeless pair cannot push a good one aside.
        for new, old in zip(*linear_sum_assignment(np.minimum(relative, 10)), strict=True):
            if relative[new, old] < 1:
                ids[new] = previous.ids[old]
    kept = ids >= 0
    used = np.concatenate([previous.ids, previous.retired])
    ids[~kept] = np.arange((~kept).sum()) + (used.max() + 1 if used.size else 0)
    return ids, np.setdiff1d(used, ids).astype(np.int32), kept


def _between(some: Floats, others: Floats) -> Floats:
    """Euclidean distances of rows: (n, d) and (m, d) to (n, m)."""
    return np.asarray(np.linalg.norm(some[:, None] - others[None], axis=2), np.float32)


def _room(model: ClusterModel) -> Floats:
    """For each cluster (k,) its radius or the distance of the nearest other centre, whichever is more."""
    apart = _between(model.centroids, model.centroids)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.min(axis=1)
    return np.maximum(np.maximum(model.radii, np.where(np.isfinite(nearest), nearest, 0)), 1e-6).astype(np.float32)


def model_to_bytes(model: ClusterModel) -> bytes:
    """The model as an .npz archive without pickles; equal models give equal bytes."""
    about = {
        "format": FORMAT,
        "seed": model.seed,
        "embedder": model.embedder,
        "named_by": model.named_by,
        "names": list(model.names),
    }
    file = io.BytesIO()
    np.savez(
        file,
        about=np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8),
        ids=model.ids,
        centroids=model.centroids,
        radii=model.radii,
        mean=model.mean,
        components=model.components,
        stability=model.stability,
        retired=model.retired,
        curve_k=model.curve.k,
        curve_silhouette=model.curve.silhouette,
        curve_stability=model.curve.stability,
    )
    return file.getvalue()


def model_from_bytes(data: bytes) -> ClusterModel:
    """The model that `model_to_bytes` wrote. Raises Permanent for anything else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != FORMAT:
            raise Permanent(
                f"This cluster model has format {about['format']}, this version reads {FORMAT}: "
                "cluster once without the previous model."
            )
        model = ClusterModel(
            _whole(arrays["ids"]),
            _real(arrays["centroids"]),
            _real(arrays["radii"]),
            _real(arrays["mean"]),
            _real(arrays["components"]),
            _real(arrays["stability"]),
            tuple(str(name) for name in about["names"]),
            _whole(arrays["retired"]),
            KCurve(_whole(arrays["curve_k"]), _real(arrays["curve_silhouette"]), _real(arrays["curve_stability"])),
            int(about["seed"]),
            str(about["embedder"]),
            str(about["named_by"]),
        )
        _check(model)
    except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise Permanent(
            f"These {len(data)} bytes are no cluster model ({type(error).__name__}: {error}): restore the blob from a "
            "backup, or cluster once without the previous model; the clusters then get new ids."
        ) from error
    return model


def _check(model: ClusterModel) -> None:
    k, d = model.centroids.shape
    p = len(model.components)
    shapes: Sequence[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
        ("ids", model.ids.shape, (k,)),
        ("radii", model.radii.shape, (k,)),
        ("stability", model.stability.shape, (k,)),
        ("mean", model.mean.shape, (d,)),
        ("components", model.components.shape, (p, d)),
        ("names", (len(model.names),), (k,)),
        ("curve", (len(model.curve.silhouette), len(model.curve.stability)), (len(model.curve.k),) * 2),
    ]
    for name, found, expected in shapes:
        if found != expected:
            raise ValueError(f"{name} has the shape {found} instead of {expected}")
    if len({*model.ids.tolist(), *model.retired.tolist()}) != k + len(model.retired):
        raise ValueError("an id stands twice")


def _real(array: NDArray[np.generic]) -> Floats:
    if array.dtype != np.float32 or not np.isfinite(array).all():
        raise ValueError(f"finite float32 numbers were expected, not {array.dtype}")
    return array.astype(np.float32)


def _whole(array: NDArray[np.generic]) -> Ints:
    if array.dtype != np.int32 or array.ndim != 1:
        raise ValueError(f"a list of int32 was expected, not {array.dtype} of shape {array.shape}")
    return array.astype(np.int32)
