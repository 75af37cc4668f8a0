"""Tangles: folded and doubled skins that a failed boolean leaves, cut out with what touches them and closed anew.

As in Attene 2010, "A lightweight approach to repairing digitized polygon meshes": faces at an edge that cannot be made
sound are taken out, crumbs go, and the holes that this leaves are filled like any others. A few thousandths of the
surface change place by some hundredths of a millimetre; without it the model could not be cast at all.
"""

import numpy as np

from jewel_assets.shape.foreign.holes import filled
from jewel_assets.shape.foreign.mesh import Bools, Mesh, sewn
from jewel_assets.shape.foreign.winding import agreeing

MOST_SHARE = 0.02
"""Of the surface may be cut out: more, and what is made is no longer what was drawn."""
CRUMB_SHARE = 1e-3
"""Of the surface: open shells with less are crumbs of a tangle."""
_ROUNDS = 6


def untangled(mesh: Mesh) -> tuple[Mesh, int, float] | None:
    """The mesh closed without its tangles, how many holes were filled for it, and their area in mm2.

    None where that does not close it, or would cost more than `MOST_SHARE` of the surface.
    """
    whole = float(mesh.surface.areas.sum())
    holes, area, lost = 0, 0.0, 0.0
    for turn in range(_ROUNDS):
        wrong = _at_bad_edges(mesh, wide=turn % 2 == 1)
        crumbs = _crumbs(mesh.keep(~wrong))
        before = float(mesh.surface.areas.sum())
        mesh = mesh.keep(~wrong)
        mesh = mesh.keep(~crumbs)
        lost += before - float(mesh.surface.areas.sum())
        if lost > MOST_SHARE * whole or not len(mesh.faces):
            return None
        closing = filled(agreeing(sewn(mesh)))
        mesh, holes, area = closing.mesh, holes + closing.count, area + closing.area
        if mesh.simple:
            return mesh, holes, area
        if not _bad_edges(mesh).any():
            return None
    return None


def _bad_edges(mesh: Mesh) -> Bools:
    """(k,) edges of more than two faces, and of two that look different ways though all was turned that could be."""
    surface = mesh.surface
    return np.asarray((surface.edge_uses > 2) | ((surface.edge_uses == 2) & (surface.edge_balance != 0)))


def _at_bad_edges(mesh: Mesh, wide: bool) -> Bools:
    """(m,) faces at such an edge; with `wide` also those that touch one of its ends."""
    ends = mesh.surface.edges[_bad_edges(mesh)]
    at_end = np.zeros(len(mesh.vertices), bool)
    at_end[ends.reshape(-1)] = True
    if wide:
        return np.asarray(at_end[mesh.faces].any(axis=1))
    size = len(mesh.vertices)
    sides = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    bad = np.isin(sides[:, 0] * size + sides[:, 1], ends[:, 0] * size + ends[:, 1])
    return np.asarray(bad.reshape(-1, 3).any(axis=1))


def _crumbs(mesh: Mesh) -> Bools:
    """(m,) faces of open shells so small that they are no part of the piece."""
    count, shell = mesh.surface.shells
    area = np.bincount(shell, mesh.surface.areas, minlength=count)
    open_corner = np.zeros(len(mesh.vertices), bool)
    open_corner[mesh.surface.edges[mesh.surface.edge_uses == 1].reshape(-1)] = True
    is_open = np.bincount(shell, open_corner[mesh.faces].any(axis=1), minlength=count) > 0
    return np.asarray((is_open & (area < CRUMB_SHARE * area.sum()))[shell])
