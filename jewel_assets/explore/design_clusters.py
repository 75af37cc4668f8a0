"""`design_clusters`: from the embeddings of all categories to named clusters, each with a sheet of its pictures."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.explore.cluster_model import ClusterModel, KCurve, model_from_bytes, model_to_bytes
from jewel_assets.explore.cluster_names import SIDE, noun_of, unique_names, words_by_clip, words_by_measure
from jewel_assets.explore.clusters import Clustering, fit_clusters
from jewel_assets.explore.design_map import design_map
from jewel_assets.explore.embedders import TextEmbedder, Vectors
from jewel_assets.images import Pixels, decode, fit
from jewel_assets.lake.blobs import BlobStore

CLUSTER_SCHEMA = pa.schema(
    [
        pa.field("cluster_id", pa.int32(), nullable=False),  # kept from run to run, never used again
        pa.field("cluster_name", pa.string(), nullable=False),
        pa.field("distance", pa.float32(), nullable=False),  # from the centre, in the space that was clustered
        pa.field("silhouette", pa.float32(), nullable=False),  # -1..1; below 0 it is as near to another cluster
        pa.field("is_medoid", pa.bool_(), nullable=False),  # the one piece that stands for its cluster
        pa.field("map_x", pa.float32(), nullable=False),  # place on the 2-D map, -1..1
        pa.field("map_y", pa.float32(), nullable=False),
        pa.field("cluster_sheet_sha256", pa.string()),  # a JPEG: centre, nearest, edge; null if one was taken down
        pa.field("cluster_model_sha256", pa.string(), nullable=False),
    ]
)
"""What `cluster_designs` adds to the columns of the items."""


@dataclass(frozen=True)
class ClusterConfig:
    """How designs are clustered and shown."""

    k: int | None = None  # None: chosen within `k_range`
    k_range: tuple[int, int] = (5, 24)  # inclusive
    seed: int = 0
    named_from: int = 16  # pictures of each cluster, the nearest to its centre, that its name is measured on
    nearest: int = 15  # on a cluster's sheet, after its medoid
    farthest: int = 8  # on a cluster's sheet, at its end: what fits least
    cell: int = 128  # pixels, one picture on a sheet
    sheet_bytes: int | None = 60_000


@dataclass(frozen=True)
class DesignCluster:
    """One cluster, as a designer sees it."""

    id: int
    name: str
    size: int
    stability: float  # 0..1, how well it comes back on resampling (Hennig 2007)
    silhouette: float  # -1..1, mean of its members
    medoid: str  # item id
    categories: Mapping[str, int]  # members in each category, most first
    is_new: bool  # no cluster of the previous model became this one
    sheet: bytes = field(repr=False)  # JPEG: the medoid, the nearest, the farthest


@dataclass(frozen=True)
class ClusteredDesigns:
    """What `cluster_designs` found."""

    rows: pa.Table  # the items without their embedding, then `CLUSTER_SCHEMA`, in the order they came
    clusters: tuple[DesignCluster, ...]  # by id
    model: bytes = field(repr=False)  # of type `cluster_model.MEDIA_TYPE`; pass it to the next run as `previous`
    k_curve: KCurve = field(repr=False)
    agreement: float  # mean adjusted Rand index of refits on resamples at the k taken; nan for k = 1
    named_by: str  # "clip" or "palette and shape"

    @cached_property
    def model_sha256(self) -> str:
        """The hash of `model`, which is also written on every row."""
        return hashlib.sha256(self.model).hexdigest()


def cluster_designs(
    table: pa.Table,
    blobs: BlobStore,
    previous: bytes | None = None,
    config: ClusterConfig | None = None,
    text: TextEmbedder | None = None,
    threads: int = 1,
    taken: Sequence[int] = (),
) -> ClusteredDesigns:
    """Cluster the rows of `image_embeddings` (item columns, `embedding`, `embedder`) and name and draw the clusters.

    `previous` is the `model` of the last run. `text` is the embedder that made the vectors, if it can embed words too.
    `taken` are ids that no cluster may get although no `previous` says so. Only the pictures that a sheet or a name
    needs are read. Raises Permanent for vectors of several embedders or lengths, and for a `previous` that is no model.
    """
    config = config or ClusterConfig()
    vectors, embedder = embedding_matrix(table), embedder_of(table)
    if text is not None and text.name != embedder:
        raise Permanent(
            f"The words are embedded by {text.name}, the pictures by {embedder}: use one embedder for both."
        )
    before = None if previous is None else model_from_bytes(previous)
    if before is None and taken:
        before = replace(fit_clusters(vectors[:0]).model, retired=np.array(taken, np.int32))
    clustering = fit_clusters(
        vectors, k=config.k, k_range=config.k_range, seed=config.seed, previous=before, embedder=embedder
    )
    model = clustering.model
    categories = [
        counted(table["category"].take(pa.array(clustering.members(one))).to_pylist()) for one in model.ids.tolist()
    ]
    pictures = [_pictures(table, blobs, clustering.members(one), config) for one in model.ids.tolist()]
    names = _names(clustering, before, categories, pictures, config, text, threads)
    named_by = before.named_by if before is not None and set(names) <= set(before.names) else _source(text)
    model = replace(model, names=tuple(names), named_by=named_by)
    data = model_to_bytes(model)
    clusters = []
    for index, one in enumerate(model.ids.tolist()):
        members = clustering.members(one)
        medoid = members[clustering.is_medoid[members]][0]
        cluster = DesignCluster(
            one,
            names[index],
            len(members),
            float(model.stability[index]),
            float(clustering.silhouette[members].mean()),
            str(table["item_id"][int(medoid)].as_py()),
            categories[index],
            not clustering.kept[index],
            _sheet(table, members, int(medoid), pictures[index], config),
        )
        clusters.append(cluster)
    places = design_map(model.project(vectors), config.seed)
    rows = _rows(table, clustering, clusters, hashlib.sha256(data).hexdigest(), places)
    return ClusteredDesigns(rows, tuple(clusters), data, model.curve, model.agreement, named_by)


def embedding_matrix(table: pa.Table) -> Vectors:
    """The column `embedding`, of fixed or variable size lists, as (n, d) float32. Permanent if lengths differ."""
    if "embedding" not in table.column_names:
        raise Permanent("These rows have no column `embedding`: cluster the rows of image_embeddings.")
    column = table["embedding"].combine_chunks()
    fixed = column.type.list_size if pa.types.is_fixed_size_list(column.type) else 0
    if not len(column):
        return np.zeros((0, fixed), np.float32)
    if column.null_count:
        raise Permanent(f"{column.null_count} rows have no embedding: materialize image_embeddings again.")
    values = column.flatten().to_numpy(zero_copy_only=False)
    lengths = {fixed} if fixed else set(np.diff(column.offsets.to_numpy()).tolist())
    if len(lengths) != 1:
        raise Permanent(
            f"Embeddings of different lengths ({', '.join(map(str, sorted(lengths)))}) cannot be compared: "
            "materialize image_embeddings of all categories with one engine."
        )
    return np.asarray(values.reshape(len(column), lengths.pop()), np.float32)


def embedder_of(table: pa.Table) -> str:
    """The one embedder of the rows, "" where they do not say. Raises Permanent for several."""
    found = sorted({str(name) for name in table["embedder"].to_pylist()}) if "embedder" in table.column_names else []
    if len(found) > 1:
        raise Permanent(
            f"These rows were embedded by different engines ({', '.join(found)}), which cannot be compared: "
            "materialize image_embeddings of all categories with one engine."
        )
    return found[0] if found else ""


def _source(text: TextEmbedder | None) -> str:
    return "palette and shape" if text is None else "clip"


def counted(categories: Sequence[str]) -> dict[str, int]:
    """How often each stands there, the most frequent first."""
    return dict(sorted(Counter(categories).items(), key=lambda pair: (-pair[1], pair[0])))


def _shown(members: NDArray[np.int64], config: ClusterConfig) -> NDArray[np.int64]:
    """The rows on a sheet: members come nearest first, so the ends of the list are the heart and the edge."""
    near = members[: 1 + config.nearest]
    rest = members[len(near) :]
    return np.concatenate([near, rest[max(len(rest) - config.farthest, 0) :]])


def _pictures(
    table: pa.Table, blobs: BlobStore, members: NDArray[np.int64], config: ClusterConfig
) -> dict[int, Pixels]:
    """RGBA pictures of the rows that the sheet and the name of a cluster need, no larger than they need."""
    wanted = sorted({*_shown(members, config).tolist(), *members[: config.named_from].tolist()})
    side = max(config.cell, SIDE)
    sources = table.select(["sha256", "media_type"]).take(pa.array(wanted, pa.int64())).to_pylist()
    return {
        row: fit(decode(blobs.get(source["sha256"], source["media_type"]), alpha=True), side)
        for row, source in zip(wanted, sources, strict=True)
    }


def _names(
    clustering: Clustering,
    before: ClusterModel | None,
    categories: Sequence[Mapping[str, int]],
    pictures: Sequence[Mapping[int, Pixels]],
    config: ClusterConfig,
    text: TextEmbedder | None,
    threads: int,
) -> list[str]:
    """Names in the order of `model.ids`: a kept cluster keeps its own, the others get new ones."""
    model = clustering.model
    old = dict(zip(before.ids.tolist(), before.names, strict=True)) if before is not None else {}
    kept = [
        old.get(one, "") if was_there else ""
        for one, was_there in zip(model.ids.tolist(), clustering.kept, strict=True)
    ]
    fresh = [index for index, name in enumerate(kept) if not name]
    if fresh:
        nouns = [noun_of(one) for one in categories]
        if text is not None:
            words = words_by_clip(model.centroids, nouns, text.load_text(threads))
        else:
            nearest = [clustering.members(one)[: config.named_from].tolist() for one in model.ids.tolist()]
            samples = [[seen[row] for row in rows] for seen, rows in zip(pictures, nearest, strict=True)]
            words = words_by_measure(samples, nouns)
        new = unique_names([words[index] for index in fresh], [name for name in kept if name])
        for index, name in zip(fresh, new, strict=True):
            kept[index] = name
    return kept


def _sheet(
    table: pa.Table, members: NDArray[np.int64], medoid: int, pictures: Mapping[int, Pixels], config: ClusterConfig
) -> bytes:
    from jewel_assets.contact_sheet import contact_sheet

    shown = _shown(members, config)
    order = [medoid, *(row for row in shown.tolist() if row != medoid)]
    near = 1 + config.nearest
    labels = table["category"].take(pa.array(order, pa.int64())).to_pylist()
    roles = ["centre" if place == 0 else "near" if place < near else "edge" for place in range(len(order))]
    captions = [f"{role}: {label}" for role, label in zip(roles, labels, strict=True)]
    return contact_sheet(
        [pictures[row] for row in order], captions, columns=8, cell=config.cell, max_bytes=config.sheet_bytes
    )


def _rows(
    table: pa.Table,
    clustering: Clustering,
    clusters: Sequence[DesignCluster],
    sha256: str,
    places: NDArray[np.float32],
) -> pa.Table:
    names = {cluster.id: cluster.name for cluster in clusters}
    sheets = {cluster.id: hashlib.sha256(cluster.sheet).hexdigest() for cluster in clusters}
    ids = clustering.cluster_id.tolist()
    columns = [
        clustering.cluster_id,
        [names[one] for one in ids],
        clustering.distance,
        clustering.silhouette,
        clustering.is_medoid,
        places[:, 0],
        places[:, 1],
        [sheets[one] for one in ids],
        [sha256] * len(ids),
    ]
    rows = table.drop_columns(["embedding"])
    for column, values in zip(CLUSTER_SCHEMA, columns, strict=True):
        rows = rows.append_column(column, pa.array(values, column.type))
    return rows
