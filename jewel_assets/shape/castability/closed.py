"""Is it closed? Holes, edges where more than two faces meet, faces that are there twice."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from jewel_assets.shape.castability.report import Finding, place_of
from jewel_assets.shape.castability.surface import Ints, Surface, groups_of_points

SHOWN = 8
"""Places that are listed one by one; further ones are counted in one line."""


def holes(surface: Surface) -> Iterator[Finding]:
    """Every hole: a loop of edges that have a face on one side only. The place is the middle of its rim."""
    open_edges = surface.edges[surface.edge_uses == 1]
    if not len(open_edges):
        return
    ends = surface.vertices[open_edges]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    loop = _joined(open_edges)
    rims = np.bincount(loop, lengths)
    worst = np.argsort(-rims, kind="stable")
    for hole in worst[:SHOWN]:
        mine = loop == hole
        middle = np.average(ends[mine].mean(axis=1), axis=0, weights=np.maximum(lengths[mine], 1e-9))
        yield Finding(
            rule="open edges",
            severity="error",
            message=f"The surface has a hole with a rim of {rims[hole]:.2f} mm ({mine.sum()} open edges): close it, a "
            "casting must be a closed solid",
            measured=float(rims[hole]),
            limit=0.0,
            unit="mm",
            place=place_of(middle),
        )
    if len(worst) > SHOWN:
        yield Finding(
            rule="open edges",
            severity="error",
            message=f"There are {len(worst) - SHOWN} more holes, {len(open_edges)} open edges in all: close them",
            measured=float(len(open_edges)),
            limit=0.0,
            unit="edges",
        )


def crowded_edges(surface: Surface) -> Iterator[Finding]:
    """Edges where more than two faces meet. Closed parts that touch are a warning, all else an error."""
    crowded = surface.edge_uses > 2
    if not crowded.any():
        return
    for kind, chosen in (
        ("touch", crowded & (surface.edge_balance == 0)),
        ("torn", crowded & (surface.edge_balance != 0)),
    ):
        if not chosen.any():
            continue
        middles = surface.vertices[surface.edges[chosen]].mean(axis=1)
        group = groups_of_points(middles, 1.0) if len(middles) < 5000 else np.zeros(len(middles), np.int64)
        for number in np.argsort(-np.bincount(group), kind="stable")[:SHOWN]:
            mine = group == number
            yield Finding(
                rule="non-manifold edges",
                severity="warning" if kind == "touch" else "error",
                message=(
                    f"Parts touch along {mine.sum()} edges without being joined: unite them or part them"
                    if kind == "touch"
                    else f"More than two faces meet at {mine.sum()} edges: remove the inner or doubled faces"
                ),
                measured=float(mine.sum()),
                limit=0.0,
                unit="edges",
                place=place_of(middles[mine].mean(axis=0)),
            )


def doubled_faces(surface: Surface) -> Iterator[Finding]:
    """Faces with the same three corners as another: a sheet without thickness, or a part that is there twice."""
    corners = np.sort(surface.faces, axis=1)
    _, first, uses = np.unique(corners, axis=0, return_index=True, return_counts=True)
    twice = uses > 1
    if twice.any():
        copies = int(uses[twice].sum() - twice.sum())
        yield Finding(
            rule="doubled faces",
            severity="error",
            message=f"{copies} faces are there twice: delete the copies, or give the sheet a thickness",
            measured=float(copies),
            limit=0.0,
            unit="faces",
            place=place_of(surface.centres[first[twice][0]]),
        )


def _joined(edges: Ints) -> Ints:
    """The group of each edge, edges with a common vertex being in one."""
    vertices, ends = np.unique(edges, return_inverse=True)
    ends = ends.reshape(edges.shape)
    graph = coo_array((np.ones(len(ends), np.int8), ends.T), shape=(len(vertices), len(vertices)))
    return np.asarray(connected_components(graph, directed=False)[1][ends[:, 0]], np.int64)
