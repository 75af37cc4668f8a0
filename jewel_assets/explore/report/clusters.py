"""The design clusters with their pieces, and the map on which every piece has its place."""

import hashlib
import heapq
from dataclasses import dataclass

import numpy as np

from jewel_assets.explore.report.colours import cluster_colour
from jewel_assets.explore.report.data import Cluster, MapPoint
from jewel_assets.explore.report.pictures import Pictures
from jewel_assets.explore.report.tables import Row, Tables, counted
from jewel_assets.explore.report.wording import one_line

_SHOWN = 40  # clusters with pictures
_NEAREST, _FURTHEST = 14, 4
_POINTS = 2500  # on the map


@dataclass(frozen=True)
class Clusters:
    """What the report says of `design_clusters`."""

    clusters: tuple[Cluster, ...] = ()
    clusters_in_all: int = 0
    engine: str = ""
    points: tuple[MapPoint, ...] = ()
    points_in_all: int = 0


def clusters_and_map(tables: Tables, pictures: Pictures) -> Clusters:
    """The clusters, largest first, and the map. Empty where there is no `design_clusters`."""
    table = tables.rows("design_clusters")
    if table is None or not table.num_rows or "cluster_id" not in table.column_names:
        return Clusters()
    members: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        if row["cluster_id"] is not None:
            members.setdefault(str(row["cluster_id"]), []).append(row)
    # Sorted by id, so that a cluster keeps its colour as long as the ids stay; "10" comes after "9".
    ids = sorted(members, key=lambda name: (len(name), name))
    colours = {name: cluster_colour(index) for index, name in enumerate(ids)}
    order = sorted(ids, key=lambda name: (-len(members[name]), ids.index(name)))
    shown = tuple(_cluster(name, members[name], colours[name], pictures) for name in order[:_SHOWN])
    points, count = _map(members, order, colours, pictures)
    engines = counted(row["engine"] for rows in members.values() for row in rows if row.get("engine"))
    engine = one_line(engines[0].label, 160) if engines else ""
    return Clusters(shown, len(ids), engine, points, count)


def _cluster(cluster_id: str, rows: list[Row], colour: str, pictures: Pictures) -> Cluster:
    rows = sorted(rows, key=_from_the_middle)
    medoid = next((row for row in rows if row.get("is_medoid")), rows[0])
    others = [row for row in rows if row is not medoid]
    nearest = others[:_NEAREST]
    furthest = others[_NEAREST:][-_FURTHEST:]
    return Cluster(
        cluster_id,
        _name(rows, cluster_id),
        colour,
        len(rows),
        counted(row["category"] for row in rows),
        pictures.of(medoid, side=320),
        tuple(pictures.of(row, side=176) for row in nearest),
        tuple(pictures.of(row, side=176) for row in furthest),
    )


def _map(
    members: dict[str, list[Row]], order: list[str], colours: dict[str, str], pictures: Pictures
) -> tuple[tuple[MapPoint, ...], int]:
    """Up to `_POINTS` points, picked by the hash of their item id, then the medoids, which carry a picture."""
    placed = [
        (name, row)
        for name in order
        for row in members[name]
        if _finite(row.get("map_x")) and _finite(row.get("map_y"))
    ]
    if not placed:
        return (), 0
    xy = np.array([[row["map_x"], row["map_y"]] for _, row in placed], np.float64)
    low, high = xy.min(axis=0), xy.max(axis=0)
    xy = (xy - low) / np.where(high > low, high - low, 1.0)
    hashed = ((hashlib.sha256(str(row["item_id"]).encode()).digest(), i) for i, (_, row) in enumerate(placed))
    points = [
        MapPoint(float(xy[i, 0]), float(1 - xy[i, 1]), colours[placed[i][0]])
        for i in sorted(i for _, i in heapq.nsmallest(_POINTS, hashed))
    ]
    with_picture = set(order[:_SHOWN])
    for i, (name, row) in enumerate(placed):
        if row.get("is_medoid") and name in with_picture:
            picture = pictures.of(row, _name([row], name), side=128)
            points.append(MapPoint(float(xy[i, 0]), float(1 - xy[i, 1]), colours[name], picture, name))
    return tuple(points), len(placed)


def _from_the_middle(row: Row) -> tuple[float, str]:
    distance = row.get("distance")
    return float(distance if distance is not None else np.inf), str(row["item_id"])


def _name(rows: list[Row], cluster_id: str) -> str:
    return one_line(rows[0].get("cluster_name") or f"cluster {cluster_id}", 80)


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))
