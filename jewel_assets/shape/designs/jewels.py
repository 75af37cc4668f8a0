"""What earrings, pendants and brooches share: their metals, their stones, and the fields that describe a stone."""

from typing import Any

import numpy as np
from numpy.random import Generator

from jewel_assets.shape.designs.base import Design, Fit, choice, mm, share
from jewel_assets.shape.gems.cuts import CUTS, proportions
from jewel_assets.shape.gems.species import SPECIES
from jewel_assets.shape.parts.settings import Seating, seating

METALS = ("18k-yellow", "18k-white", "18k-rose", "14k-yellow", "950-platinum", "925-silver")
METAL_SHARES = (0.32, 0.18, 0.16, 0.1, 0.06, 0.18)

PEARLS = tuple(name for name in SPECIES if name.endswith("pearl"))
STONES = tuple(name for name in SPECIES if name not in PEARLS)
FACETED_SHARES = {
    "diamond": 0.3, "sapphire": 0.1, "ruby": 0.09, "emerald": 0.08, "aquamarine": 0.08, "amethyst": 0.07,
    "citrine": 0.05,
    "peridot": 0.04, "garnet": 0.05, "morganite": 0.04, "tanzanite": 0.03, "topaz": 0.04, "rubellite": 0.03,
}  # fmt: skip
SMOOTH = ("moonstone", "turquoise", "opal", "onyx", "chrysoprase", "carnelian", "lapis lazuli", "jade", "garnet")
"""What cabochons are drawn as."""

CUT_SHARES = {
    "round brilliant": 0.34, "oval": 0.15, "pear": 0.12, "cushion": 0.09, "emerald": 0.08, "princess": 0.06,
    "marquise": 0.06,
    "cabochon": 0.1,
}  # fmt: skip


class StoneJewel(Design):
    """A jewel with a main stone."""

    cut: str = choice("round brilliant", CUTS, "cut of the main stone")
    species: str = choice("diamond", tuple(SPECIES), "what the main stone is")
    stone_width_mm: float = mm(5.0, 2.5, 14.0, "width of the main stone at its girdle")
    stone_ratio: float = share(1.0, 1.0, 2.4, "length of the main stone over its width")
    setting: str = choice("claws", ("claws", "bezel"), "what holds the main stone")
    melee: str = choice("diamond", STONES, "what the small stones are")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """A stone that is cut so, of something that is cut so."""
        if fit["cut"] == "pearl":
            fit.one_of("species", PEARLS, "the cut 'pearl' is a pearl")
            fit.one_of("setting", ("claws",), "a pearl is glued on a peg in a cup, not rubbed over")
        elif fit["cut"] != "cabochon":
            fit.one_of("species", STONES, "a pearl is not faceted")
        low, high = proportions(fit["cut"]).ratios
        fit.at_least("stone_ratio", low, f"a {fit['cut']} is cut {low:g} to {high:g} times as long as wide")
        fit.at_most("stone_ratio", high, f"a {fit['cut']} is cut {low:g} to {high:g} times as long as wide")

    @property
    def stone(self) -> Seating:
        """The main stone as its setting sees it."""
        low, high = proportions(self.cut).ratios
        return seating(self.cut, self.stone_width_mm, self.stone_width_mm * float(np.clip(self.stone_ratio, low, high)))


def draw_metal(rng: Generator) -> str:
    """An alloy, as often as it is sold."""
    return str(rng.choice(METALS, p=METAL_SHARES))


def draw_stone(
    rng: Generator, width: float, cuts: dict[str, float] | None = None, pearls: float = 0.12
) -> dict[str, Any]:
    """The fields of a main stone about `width` mm wide; a share `pearls` of them are pearls."""
    shares = cuts or CUT_SHARES
    weight = np.array(list(shares.values()))
    cut = "pearl" if rng.random() < pearls else str(rng.choice(list(shares), p=weight / weight.sum()))
    shape = proportions(cut)
    ratio = float(np.clip(shape.ratio * (1 + rng.normal(0, 0.05) * (shape.ratio > 1.01)), *shape.ratios))
    kinds = list(FACETED_SHARES)
    chance = np.array([FACETED_SHARES[kind] for kind in kinds])
    species = str(rng.choice(kinds, p=chance / chance.sum()))
    if cut == "pearl":
        species = str(rng.choice(PEARLS))
    elif cut == "cabochon":
        species = str(rng.choice([kind for kind in SMOOTH if kind in SPECIES]))
    return {
        "cut": cut,
        "species": species,
        "stone_width_mm": float(width * (0.8 if ratio > 1.3 else 1.0)),
        "stone_ratio": ratio,
        "setting": "bezel" if cut == "cabochon" or (cut != "pearl" and rng.random() < 0.3) else "claws",
        "melee": "diamond"
        if rng.random() < 0.85
        else str(rng.choice(["sapphire", "ruby", "emerald", "pink sapphire"])),
    }
