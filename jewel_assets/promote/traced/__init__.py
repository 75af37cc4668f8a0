"""Promotional images of meshes: the true light transport, by Mitsuba, where the item is a model of the catalogue.

from jewel_assets.promote.traced import Model, render_mesh
promo = render_mesh(Model.read(Path("ring.glb")), template, seed=7)
"""

from jewel_assets.promote.traced.promo import Model, render_mesh

__all__ = ["Model", "render_mesh"]
