"""A quick picture of a foreign model, by the catalogue's own preview."""

from collections.abc import Mapping

import numpy as np

from jewel_assets.images import Pixels
from jewel_assets.shape.catalogue.preview import preview
from jewel_assets.shape.foreign.looks import Look
from jewel_assets.shape.foreign.mesh import Mesh
from jewel_assets.shape.render.surfaces import Surface

SIDE = 160  # pixels: what a contact sheet shows
FINE_FACES = 30_000
"""From here on facets are smaller than the picture's pixels, and smooth normals would only take time."""


def thumbnail(mesh: Mesh, looks: Mapping[int, Look], category: str, side: int = SIDE) -> Pixels:
    """(side, side, 3): the model in the house's materials that come nearest to its own."""
    surfaces = []
    for number in np.unique(mesh.look).tolist():
        kind, material = looks[number].house
        corners, faces = np.unique(mesh.faces[mesh.look == number], return_inverse=True)
        flat = looks[number].gem or len(mesh.faces) > FINE_FACES
        surfaces.append(
            Surface(
                looks[number].name, kind, material, mesh.vertices[corners], faces.reshape(-1, 3).astype(np.int64), flat
            )
        )
    return preview(surfaces, category, side=side)
