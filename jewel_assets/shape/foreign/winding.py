"""Which side is out: faces that agree with their neighbours, shells that look outward, hollows that stay hollows."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from jewel_assets.shape.castability.facing import THREE_WAYS
from jewel_assets.shape.foreign.mesh import Bools, Floats, Ints, Mesh

_ASKED = 9
"""Points of a shell that must all lie inside another before it counts as inside of it."""


def agreeing(mesh: Mesh) -> Mesh:
    """With faces turned so that neighbours agree; of both ways, the one that turns less area. A one-sided patch stays.

    A graph has every face twice, as it is and turned; neighbours are joined as they would agree. Its components are the
    two ways of a patch (or, of a Moebius strip, one).
    """
    surface = mesh.surface
    pairs, edges = surface.neighbours
    agree = surface.edge_balance[edges] == 0
    if agree.all():
        return mesh
    size = len(mesh.faces)
    one, two = pairs.T
    far = np.where(agree, 0, size)
    rows = np.concatenate([one, one + size])
    columns = np.concatenate([two + far, two + size - far])
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(2 * size, 2 * size))
    label = connected_components(graph, directed=False)[1]
    as_is, turned = label[:size], label[size:]
    area = np.bincount(as_is, surface.areas, minlength=int(label.max()) + 1)
    less = area[as_is] < area[turned]
    even = (area[as_is] == area[turned]) & (as_is > turned)
    return mesh.turned(less | even)


def outward(mesh: Mesh) -> Mesh:
    """With every outermost shell of a part looking out; what lies inside is turned with it, so hollows stay hollow."""
    count, shell = mesh.surface.shells
    volumes = shell_volumes(mesh, count, shell)
    if not (volumes < 0).any():
        return mesh
    outermost = _outermost(mesh, count, shell, np.abs(volumes))
    return mesh.turned((volumes[outermost] < 0)[shell])


def shell_volumes(mesh: Mesh, count: int, shell: Ints) -> Floats:
    """(count,) mm3, signed: of an open shell, as if its rims were closed towards the middle of its faces."""
    corners = mesh.surface.corners
    areas = mesh.surface.areas
    weight = np.maximum(np.bincount(shell, areas, minlength=count), 1e-30)
    middle = np.stack(
        [np.bincount(shell, areas * mesh.surface.centres[:, k], minlength=count) / weight for k in range(3)], axis=1
    )
    local = corners - middle[shell][:, None]
    shares = np.einsum("ij,ij->i", local[:, 0], np.cross(local[:, 1], local[:, 2])) / 6
    return np.asarray(np.bincount(shell, shares, minlength=count), np.float64)


def _outermost(mesh: Mesh, count: int, shell: Ints, volumes: Floats) -> Ints:
    """(count,) the largest shell of the same part that a shell lies wholly inside of; itself where there is none."""
    outermost = np.arange(count)
    if count == 1:
        return outermost
    surface = mesh.surface
    lower, upper = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(lower, shell, surface.corners.min(axis=1))
    np.maximum.at(upper, shell, surface.corners.max(axis=1))
    part = np.zeros(count, np.int64)
    part[shell] = mesh.part
    # Per part, since a scene of thousands of shells would make a matrix of millions.
    asked: list[tuple[int, Ints]] = []
    for number in np.unique(part):
        members = np.flatnonzero(part == number)
        for one in members.tolist():
            around = members[
                (lower[members] < lower[one]).all(axis=1)
                & (upper[members] > upper[one]).all(axis=1)
                & (volumes[members] > volumes[one])
            ]
            if len(around):
                asked.append((one, around))
    if not asked:
        return outermost
    order = np.argsort(shell, kind="stable")
    starts = np.searchsorted(shell[order], np.arange(count + 1))
    sampled = [
        order[np.linspace(starts[one], starts[one + 1] - 1, min(_ASKED, starts[one + 1] - starts[one])).astype(int)]
        for one, _ in asked
    ]
    inside = _inside(mesh, shell, [around for _, around in asked], sampled)
    for (asker, around), within in zip(asked, inside, strict=True):
        if within.any():
            found = around[within]
            outermost[asker] = found[np.argmax(volumes[found])]
    return outermost


def _inside(mesh: Mesh, shell: Ints, around: list[Ints], sampled: list[Ints]) -> list[Bools]:
    """For each shell asked about, which of the shells around it hold all of its sampled points, by ray parity."""
    surface = mesh.surface
    rows = np.repeat(np.arange(len(sampled)), [len(faces) for faces in sampled])
    origins = surface.centres[np.concatenate(sampled)]
    reach = np.full(len(origins), float(np.linalg.norm(surface.bounds[1] - surface.bounds[0])) + 1.0)
    votes = [np.zeros((len(faces), len(near)), np.int64) for faces, near in zip(sampled, around, strict=True)]
    first = np.concatenate([[0], np.cumsum([len(faces) for faces in sampled])])
    for way in THREE_WAYS:
        crossed = [np.zeros_like(vote) for vote in votes]
        for rays, faces, _ in surface.all_hits(origins, np.tile(way, (len(origins), 1)), reach, most=256):
            for ray, hit in zip(rays.tolist(), shell[faces].tolist(), strict=True):
                row = int(rows[ray])
                crossed[row][ray - first[row]] += around[row] == hit
        for vote, seen in zip(votes, crossed, strict=True):
            vote += seen % 2
    return [np.asarray((vote >= 2).all(axis=0)) for vote in votes]
