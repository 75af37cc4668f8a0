"""From any triangles to a closed solid, as far as that is honest, and what was done for it."""

from dataclasses import dataclass, field

import numpy as np

from jewel_assets.shape.foreign.holes import filled
from jewel_assets.shape.foreign.mesh import Mesh, sewn, without_doubles
from jewel_assets.shape.foreign.parting import parted, stepped_back
from jewel_assets.shape.foreign.repairs import REPAIRS
from jewel_assets.shape.foreign.tangles import untangled
from jewel_assets.shape.foreign.winding import agreeing, outward

_ROUNDS = 2  # filling may leave edges that must be parted, whose rims are filled once more


@dataclass(frozen=True)
class Mended:
    """The mesh after all repairs, what was done (of `REPAIRS`, in order), and how much was filled."""

    mesh: Mesh = field(repr=False)
    done: tuple[str, ...]
    holes: int
    filled_mm2: float

    @property
    def closed(self) -> bool:
        """Whether it bounds a solid: at each edge, one face runs one way and one the other."""
        return self.mesh.simple

    @property
    def repair(self) -> str:
        """The strongest of what was done, or "not repaired" where it is open still."""
        if not self.closed:
            return "not repaired"
        return max(self.done, key=REPAIRS.index, default="none needed")


def mended(mesh: Mesh) -> Mended:
    """Doubles removed, cracks sewn, faces turned, edges parted, holes filled, tangles cut out: as far as needed."""
    done: list[str] = []
    before = len(mesh.faces)
    mesh = without_doubles(mesh)
    if len(mesh.faces) < before:
        done.append("doubles removed")
    holes, area = 0, 0.0
    if not mesh.simple:
        joined = sewn(mesh)
        if joined is not mesh:
            done.append("welded")
        mesh = _turned(joined, done)
        for _ in range(_ROUNDS):
            apart = parted(mesh)
            if apart is not mesh:
                done.append("parted")
                mesh = _turned(apart, done)
            closing = filled(mesh)
            if closing.count:
                done.append("holes filled")
            mesh, holes, area = closing.mesh, holes + closing.count, area + closing.area
            if mesh.simple or not (closing.count or mesh.surface.edge_uses.max() > 2):
                break
        rebuilt = None if mesh.simple else untangled(mesh)
        if rebuilt:
            done.append("rebuilt")
            mesh, holes, area = rebuilt[0], holes + rebuilt[1], area + rebuilt[2]
        if "parted" in done:
            mesh = stepped_back(mesh)
    mesh = _outward(mesh, done)
    used = np.unique(mesh.faces, return_inverse=True)
    mesh = Mesh(mesh.vertices[used[0]], used[1].reshape(-1, 3).astype(np.int64), mesh.look, mesh.part)
    return Mended(mesh, tuple(sorted(set(done), key=REPAIRS.index)), holes, area)


def _turned(mesh: Mesh, done: list[str]) -> Mesh:
    turned = agreeing(mesh)
    if turned is not mesh:
        done.append("faces turned")
    return turned


def _outward(mesh: Mesh, done: list[str]) -> Mesh:
    turned = outward(mesh)
    if turned is not mesh:
        done.append("faces turned")
    return turned
