"""How large is it? glTF has metres by its specification, and authors model in whatever their program showed.

The declared unit is believed wherever it gives a size that pieces of the category have; else the one of centimetres,
millimetres and inches that does, and of several the one that comes nearest to a typical piece. Where none does, the
model was drawn without any scale: it is given a typical size, and says so.
"""

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["declared", "guessed", "assumed"]

UNITS_MM: dict[str, float] = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "in": 25.4}
"""The first is glTF's own (glTF 2.0, section 3.4: all linear distances are metres)."""

INCH_PENALTY = 1.0
"""Few programs write inches: they must be e times as likely as centimetres or millimetres."""


MOST_AREA_MM2 = 120_000.0
"""Of all surfaces together: the two sides of a bib of 300 x 200 mm. A gem of 380 mm has three times as much: what is so
long and so thick at once is no jewellery."""


@dataclass(frozen=True)
class Sizes:
    """Longest side of the bounding box of pieces of a category, mm: from the least to the most, and a typical one."""

    least: float
    typical: float
    most: float


SIZES: dict[str, Sizes] = {
    # Finger: inner diameter 13.0 (ISO 8653:2016, stick 41) to 24.2 (stick 76); a shank of 1 to 3 mm on both sides, and
    # a head of up to some 12 mm. Typical: size 54, 17.2, a shank of 1.8 mm and a head of 4 mm.
    "ring": Sizes(14.5, 25.0, 45.0),
    # A stud of 4 mm alone, up to a pair of shoulder dusters of 120 mm side by side. Typical: a drop, a pair of hoops.
    "earrings": Sizes(4.0, 30.0, 130.0),
    # A child's bangle of 40 mm (inside) to a chain of 190 to 220 mm (7.5 to 8.5 inches, the trade's lengths) laid
    # straight. Typical: a bangle of size 2-6, 60 mm inside, and its two walls.
    "bracelet": Sizes(42.0, 66.0, 250.0),
    # From a small pendant without its chain to a matinee rope of 24 inches (610 mm) laid straight. Typical lies between
    # a pendant of 40 mm and a chain of 18 inches (457 mm) laid in a circle, 145 mm across.
    "necklace": Sizes(12.0, 90.0, 620.0),
    # A case of 22 mm alone to a strap of 120 + 75 mm with its case, laid straight. Typical: closed, on its side.
    "wristwatch": Sizes(20.0, 68.0, 280.0),
    # Anything: the bounds that `files.read_mesh` believes, and a ring.
    "jewelry": Sizes(3.0, 25.0, 600.0),
}


@dataclass(frozen=True)
class Scale:
    """`factor`: millimetres per unit of the file. `unit`: its unit, "" where none fits. `reason`: a sentence."""

    factor: float
    unit: str
    kind: Kind
    reason: str


def choose_scale(longest: float, category: str, area: float = 0.0) -> Scale:
    """The scale of a model whose longest side is `longest` (> 0) units of its file, its surface `area` square units.

    An unknown category is judged as "jewelry".
    """
    sizes = SIZES.get(category, SIZES["jewelry"])
    kind = f"a piece of category {category}"
    lengths = {unit: longest * factor for unit, factor in UNITS_MM.items()}
    believable = {
        unit: length
        for unit, length in lengths.items()
        if sizes.least <= length <= sizes.most and area * UNITS_MM[unit] ** 2 <= MOST_AREA_MM2
    }
    declared = lengths["m"]
    if "m" in believable:
        return Scale(UNITS_MM["m"], "m", "declared", f"In metres, as glTF has it, it is {declared:.4g} mm long.")
    wrong = f"In metres it would be {declared:.4g} mm long, and {kind} is {sizes.least:g} to {sizes.most:g} mm"
    if sizes.least <= declared <= sizes.most:
        wrong = (
            f"In metres it would be {declared:.4g} mm long with {area * 1e4:,.0f} cm2 of surface, too much for {kind}"
        )
    strangeness = {
        unit: abs(math.log(length / sizes.typical)) + INCH_PENALTY * (unit == "in")
        for unit, length in believable.items()
    }
    if strangeness:
        unit = min(strangeness, key=lambda name: strangeness[name])
        return Scale(UNITS_MM[unit], unit, "guessed", f"{wrong}: taken as {unit}, {lengths[unit]:.4g} mm.")
    factor = sizes.typical / longest
    return Scale(
        factor,
        "",
        "assumed",
        f"{wrong}; no unit fits, so its longest side was made {sizes.typical:g} mm, a typical one.",
    )
