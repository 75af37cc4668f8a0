from .cutting import Cut, cut
from .fidelity import Fidelity
from .finish import Finish
from .piece import Piece, Unfit, piece_of
from .rendering import Promo, render
from .templates import Library, Template, library

__all__ = [
    "Cut",
    "Fidelity",
    "Finish",
    "Library",
    "Piece",
    "Promo",
    "Template",
    "Unfit",
    "cut",
    "library",
    "piece_of",
    "render",
]
