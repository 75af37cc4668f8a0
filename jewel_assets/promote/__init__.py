"""Promotional images: a cut-out laid on a plate, under one light, its pixels kept.

>>> from jewel_assets.promote import cut, library, render
>>> promo = render(cut(data, remover).piece, library().get("velvet-midnight"), seed=7)  # doctest: +SKIP
"""

import lazy_loader

# What is exported, and from where: the stub beside this file. A module is imported when something of it is used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
