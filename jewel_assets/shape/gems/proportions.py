"""The proportions of each cut: shares of the width at the girdle, and degrees.

Sources, facts only:

- Round brilliant: M. Tolkowsky, *Diamond Design* (1919), gives table 53 %, crown 34.5 degrees (16.2 %), pavilion 40.75
  degrees (43.1 %). GIA's study of cut (T. M. Moses et al., "A foundation for grading the overall cut quality of round
  brilliant cut diamonds", *Gems & Gemology* 40/3, 2004) and the grading made from it found wider tables as good: 57 %
  with crown 34-35 and pavilion 40.6-41 degrees, star length 50 %, lower halves 75-80 %, girdle 3-3.5 % where the mains
  meet it. This cut takes Tolkowsky's angles and today's table.
- Fancy shapes: no laboratory grades their cut by numbers; crown, pavilion and table lie in the middle of what dealers'
  charts call very good: total depth 58-64 % for oval, pear and marquise, 61-68 % for cushion and emerald, 65-75 % for
  princess; tables 53-63 % for brilliants, 58-66 % for cushion, 65-75 % for princess, 60-69 % for emerald. How full the
  pavilions are was set so that the weights agree with GIA's formulas for mounted stones (see the tests). Their girdles
  are cut thicker than a round's, to guard points and corners.
- Cabochon: calibrated stones stand some 40 to 50 % of their width high.
- Ratios of length to width: what dealers call classic (oval 1.35-1.5, pear 1.45-1.75, marquise 1.75-2.25, emerald
  1.3-1.6, cushion 1.0-1.2), within the wider range that is cut.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proportions:
    """What a cut looks like from the side. Heights are shares of the width at the girdle."""

    ratio: float
    """Length over width where no length is asked for."""
    ratios: tuple[float, float]
    """The least and greatest length over width that can be cut."""
    girdle: float
    """Thickness where the mains meet the girdle; it is thinner between them."""
    crown: float
    """Height of the crown above the girdle."""
    pavilion: float
    """Depth of the pavilion below the girdle."""
    table: float = 0.0
    """Width of the table, corner to corner for brilliants, side to side for princess and emerald."""
    star: float = 0.5
    """How far the stars reach from the table to the girdle, seen from above."""
    lower_half: float = 0.77
    """How far the lower halves reach from the girdle to the culet, seen from below."""
    bulge: float = 0.0
    """How much further out than the girdle the pavilion mains aim: 0 where they touch it, as in a round."""


# tan(34.5 degrees) = 0.68728, tan(40.75 degrees) = 0.86166
PROPORTIONS = {
    "round brilliant": Proportions(
        1.0, (1.0, 1.0), girdle=0.033, crown=0.43 / 2 * 0.68728, pavilion=0.86166 / 2, table=0.57
    ),
    "oval": Proportions(
        1.4, (1.02, 2.2), girdle=0.045, crown=0.145, pavilion=0.430, table=0.58, lower_half=0.75, bulge=0.02
    ),
    "pear": Proportions(
        1.5, (1.15, 2.2), girdle=0.045, crown=0.140, pavilion=0.430, table=0.58, lower_half=0.75, bulge=0.04
    ),
    "marquise": Proportions(
        2.0, (1.4, 2.6), girdle=0.045, crown=0.140, pavilion=0.430, table=0.58, lower_half=0.75, bulge=0.06
    ),
    "cushion": Proportions(
        1.05, (1.0, 1.8), girdle=0.055, crown=0.150, pavilion=0.450, table=0.60, lower_half=0.70, bulge=0.08
    ),
    "princess": Proportions(1.0, (1.0, 1.5), girdle=0.030, crown=0.115, pavilion=0.575, table=0.70),
    "emerald": Proportions(1.4, (1.0, 2.6), girdle=0.030, crown=0.137, pavilion=0.486, table=0.64),
    "cabochon": Proportions(1.0, (1.0, 3.0), girdle=0.060, crown=0.380, pavilion=0.060),
    "pearl": Proportions(1.0, (1.0, 1.0), girdle=0.0, crown=0.5, pavilion=0.5),
}
