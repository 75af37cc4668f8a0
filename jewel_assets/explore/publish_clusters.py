"""`design_clusters` in the lake: clustered from what is there, continued from the last model, published."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jewel_assets.errors import Permanent
from jewel_assets.explore.cluster_model import MEDIA_TYPE, ClusterModel, model_from_bytes
from jewel_assets.explore.design_clusters import ClusterConfig, DesignCluster, cluster_designs, counted, embedder_of
from jewel_assets.explore.embed import choose_embedder, text_of
from jewel_assets.explore.embedders import TextEmbedder
from jewel_assets.lake import Lake, Publication
from jewel_assets.registry import Registry

DATASET = "design_clusters"
CLUSTERS_VERSION = "1"  # raise it when the same embeddings would now give other clusters
_NEXT_ID = " next id "


@dataclass(frozen=True)
class PublishedClusters:
    """What stands in `design_clusters` after a run."""

    publication: Publication
    clusters: tuple[DesignCluster, ...]  # by id
    model: ClusterModel
    reused: bool  # nothing had changed since the last run, so nothing was computed
    note: str = ""  # a sentence, where the run could not go on from the last model

    @property
    def engine(self) -> str:
        """The embedder whose vectors were clustered."""
        return self.model.embedder


def publish_clusters(
    lake: Lake, config: ClusterConfig | None = None, text: TextEmbedder | None = None, threads: int = 1
) -> PublishedClusters:
    """Cluster the embeddings of what is in `image_pool`, and publish rows, model and sheets.

    `text` (see `words_of`) names the clusters. If nothing changed since the last run, what that published is read and
    nothing computed. Raises Permanent where a dataset is missing or the embeddings are of different engines.
    """
    config = config or ClusterConfig()
    for name in ("image_embeddings", "image_pool"):
        if not lake.dataset(name).exists():
            raise Permanent(f"There is no dataset {name} yet: materialize {name} first.")
    with lake.writing(DATASET, None):
        rows = lake.dataset("image_embeddings").read()
        pool = lake.dataset("image_pool").read(columns=["item_id"])
        rows = rows.filter(pc.is_in(rows["item_id"], pool["item_id"].combine_chunks()))
        key = _made_from(rows, config, text)
        dataset = lake.dataset(DATASET)
        published = dataset.publication()
        current = dataset.read() if dataset.exists() else None
        before, note = _last_model(lake, current)
        made_from, next_id = _last_run(published)
        if published is not None and current is not None and before is not None and made_from == key:
            model = model_from_bytes(before)
            if (clusters := _as_published(lake, current, model)) is not None:
                return PublishedClusters(published, clusters, model, reused=True)
        taken = {*range(next_id), *_ids(current)} if before is None else ()
        found = cluster_designs(rows, lake.blobs, before, config, text, threads, sorted(taken))
        model = model_from_bytes(found.model)
        next_id = max([next_id - 1, *model.ids.tolist(), *model.retired.tolist()]) + 1
        lake.blobs.put(found.model, MEDIA_TYPE)
        for cluster in found.clusters:
            lake.blobs.put(cluster.sheet, "image/jpeg")
        publication = dataset.publish(found.rows, made_from=f"{key}{_NEXT_ID}{next_id}")
    return PublishedClusters(publication, found.clusters, model, reused=False, note=note)


def words_of(lake: Lake, registry: Registry) -> TextEmbedder | None:
    """What can name the clusters in words: the text side of the embedder of `image_embeddings`, where it has one."""
    text = text_of(choose_embedder(registry))
    return (
        text
        if text is not None and text.name == embedder_of(lake.dataset("image_embeddings").read(columns=["embedder"]))
        else None
    )


def cluster_table(clusters: Sequence[DesignCluster]) -> str:
    """The clusters as a Markdown table, largest first, for an asset's metadata."""
    lines = ["| id | cluster | pieces | stability | silhouette | categories |", "| --: | --- | --: | --: | --: | --- |"]
    for one in sorted(clusters, key=lambda cluster: (-cluster.size, cluster.id)):
        categories = ", ".join(f"{name} {count}" for name, count in one.categories.items())
        name = f"{one.name} (new)" if one.is_new else one.name
        lines.append(f"| {one.id} | {name} | {one.size} | {one.stability:.2f} | {one.silhouette:.2f} | {categories} |")
    return "\n".join(lines)


def _made_from(rows: pa.Table, config: ClusterConfig, text: TextEmbedder | None) -> str:
    """A digest of all that the clusters depend on but the previous model, which is as old as the clusters."""
    columns = ("category", "item_id", "input_key", "sha256", "licence", "may_train", "embedder")
    inputs = sorted(
        zip(*(rows[name].to_pylist() for name in columns if name in rows.column_names), strict=True), key=str
    )
    parts = [CLUSTERS_VERSION, asdict(config), text.name if text else None, inputs]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _last_model(lake: Lake, current: pa.Table | None) -> tuple[bytes | None, str]:
    """The model behind the current rows, or None and, where there should be one, a sentence that says what happens."""
    if current is None or not current.num_rows or "cluster_model_sha256" not in current.column_names:
        return None, ""
    sha256 = str(current["cluster_model_sha256"][0].as_py())
    try:
        data = lake.blobs.get(sha256, MEDIA_TYPE)
        model_from_bytes(data)
    except (FileNotFoundError, Permanent) as error:
        return None, f"The last cluster model ({sha256[:12]}) cannot be read, so all clusters have new ids: {error}"
    return data, ""


def _last_run(published: Publication | None) -> tuple[str, int]:
    """What the last run was made from, and the first id that no cluster ever had.

    The commit says both, so that ids that are taken are known where no row names a model: after a run without designs,
    when a garbage collection may take the model, too.
    """
    made_from, _, next_id = (published.made_from if published else "").partition(_NEXT_ID)
    return made_from, int(next_id or 0)


def _ids(current: pa.Table | None) -> list[int]:
    if current is None or "cluster_id" not in current.column_names:
        return []
    return [int(one) for one in pc.unique(current["cluster_id"]).drop_null().to_pylist()]


def _as_published(lake: Lake, rows: pa.Table, model: ClusterModel) -> tuple[DesignCluster, ...] | None:
    """The clusters as the last run published them, or None where something of it is missing."""
    clusters = []
    for index, one in enumerate(model.ids.tolist()):
        members = rows.filter(pc.equal(rows["cluster_id"], one))
        medoids = members.filter(members["is_medoid"])["item_id"].to_pylist()
        if not medoids:
            return None
        try:
            sheet = lake.blobs.get(str(members["cluster_sheet_sha256"][0].as_py()), "image/jpeg")
        except FileNotFoundError:
            return None
        cluster = DesignCluster(
            one,
            model.names[index],
            members.num_rows,
            float(model.stability[index]),
            float(np.mean(members["silhouette"].to_numpy())),
            str(medoids[0]),
            counted(members["category"].to_pylist()),
            is_new=False,
            sheet=sheet,
        )
        clusters.append(cluster)
    return tuple(clusters)
