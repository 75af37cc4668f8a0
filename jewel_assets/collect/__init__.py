"""Collecting photos: sources, licences, and the reading of files from outside."""

import lazy_loader

# What is exported, and from where: the stub beside this file. A module is imported when something of it is used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
