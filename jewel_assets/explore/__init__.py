"""Looking at what is in the lake: measures of photos, embeddings, design clusters and the report."""

from jewel_assets.explore.cluster_model import ClusterModel, KCurve, model_from_bytes, model_to_bytes
from jewel_assets.explore.clusters import Clustering, fit_clusters
from jewel_assets.explore.design_clusters import (
    CLUSTER_SCHEMA,
    ClusterConfig,
    ClusteredDesigns,
    DesignCluster,
    cluster_designs,
    embedding_matrix,
)
from jewel_assets.explore.design_map import design_map
from jewel_assets.explore.embed import Embed, choose_embedder, embedding_schema, text_of
from jewel_assets.explore.embedders import Embedder, TextEmbedder
from jewel_assets.explore.measures import MeasurePhoto, measure
from jewel_assets.explore.publish_clusters import (
    CLUSTERS_VERSION,
    PublishedClusters,
    cluster_table,
    publish_clusters,
    words_of,
)

__all__ = [
    "CLUSTERS_VERSION",
    "CLUSTER_SCHEMA",
    "ClusterConfig",
    "ClusterModel",
    "ClusteredDesigns",
    "Clustering",
    "DesignCluster",
    "Embed",
    "Embedder",
    "KCurve",
    "MeasurePhoto",
    "PublishedClusters",
    "TextEmbedder",
    "choose_embedder",
    "cluster_designs",
    "cluster_table",
    "design_map",
    "embedding_matrix",
    "embedding_schema",
    "fit_clusters",
    "measure",
    "model_from_bytes",
    "model_to_bytes",
    "publish_clusters",
    "text_of",
    "words_of",
]
