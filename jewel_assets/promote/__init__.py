"""Promotional images: a cut-out laid on a procedural plate, under one light, its pixels kept.

>>> from jewel_assets.promote import library, piece_of, render
>>> promo = render(piece_of(rgba, "ring"), library().get("velvet-midnight"), seed=7)  # doctest: +SKIP
"""
