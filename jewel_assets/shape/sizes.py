"""Ring sizes: from what a customer says to the inner diameter, and back.

- ISO 8653:2016: the size is the inner circumference in millimetres; ring sticks go from 41 to 76. "EU", "DE" and "FR"
  mean the same. Switzerland, Italy and Spain count from 40 ("CH", "IT", "ES").
- US and Canada: inner diameter 11.63 mm + 0.8128 mm (0.032 inch) per size, in halves and quarters, 0 to 16.
- UK, Ireland, Australia, New Zealand, BS 6820:1987: circumference 37.5 mm for A, 1.25 mm more per letter, with halves;
  beyond Z they count Z1 to Z6.
- Japan (the trade's gauge, JCS): inner diameter 13 mm for 1, a third of a millimetre per size, 1 to 30.
- A diameter: "17.3 mm".
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import pi

from jewel_assets.errors import Permanent

US_DIAMETER_0_MM, US_STEP_MM = 11.63, 0.8128
UK_CIRCUMFERENCE_A_MM, UK_STEP_MM = 37.5, 1.25
ISO_STICK = range(41, 77)
SWISS_OFFSET_MM = 40
JP_DIAMETER_1_MM, JP_STEP_MM = 13.0, Fraction(1, 3)
DIAMETERS_MM = (10.0, 30.0)
"""What is taken as a finger: a baby's ring to the largest signet."""

LETTERS = [chr(code) for code in range(ord("A"), ord("Z") + 1)] + [f"Z{number}" for number in range(1, 7)]

SYSTEMS = ("ISO", "US", "UK", "JP", "CH")
"""The tables; other names are further names of these."""

_SAME = {
    "ISO": "ISO", "EU": "ISO", "DE": "ISO", "FR": "ISO", "AT": "ISO", "US": "US", "USA": "US", "CA": "US",
    "UK": "UK", "GB": "UK", "IE": "UK", "AU": "UK", "NZ": "UK", "ZA": "UK", "JP": "JP", "JPN": "JP", "JCS": "JP",
    "CH": "CH", "IT": "CH", "ES": "CH",
}  # fmt: skip
_VULGAR = {"½": " 1/2", "¼": " 1/4", "¾": " 3/4"}


@dataclass(frozen=True)
class RingSize:
    """A size of one system: "US", "7 1/2". `diameter_mm` is the inner diameter that it stands for."""

    system: str
    label: str
    diameter_mm: float

    def __str__(self) -> str:
        return f"{self.diameter_mm:g} mm" if self.system == "mm" else f"{self.system} {self.label}"

    @property
    def circumference_mm(self) -> float:
        """Inner circumference."""
        return pi * self.diameter_mm

    def nearest(self, system: str) -> "RingSize":
        """The size of another system ("US", "UK", "EU", ...) that comes nearest to this one."""
        name = _system(system)
        return min(_table(name).values(), key=lambda size: abs(size.diameter_mm - self.diameter_mm))

    @classmethod
    def parse(cls, text: str) -> "RingSize":
        """Read "US 7", "US 7 1/4", "UK N 1/2", "N½", "EU 54", "JP 13", "CH 14", "17.3 mm" or "54", in any case.

        A bare letter is British; a bare number from 41 to 76 is ISO. Raises Permanent for anything else, naming what is
        nearest.
        """
        plain = text.strip().upper()
        for sign, written in _VULGAR.items():
            plain = plain.replace(sign, written)
        diameter = re.fullmatch(r"(?:Ø|D)?\s*(\d+(?:[.,]\d+)?)\s*MM", plain)
        if diameter:
            return cls.of_diameter(float(diameter[1].replace(",", ".")))
        systems = "|".join(sorted(_SAME, key=len, reverse=True))
        named = re.fullmatch(rf"(?:SIZE\s+)?({systems})[\s:\-]*(?:SIZE\s*)?(\S.*)", plain)
        if named:
            return _lookup(named[1], named[2])
        if re.fullmatch(r"[A-Z]\d?\s*(?:1/2|\.5)?", plain):
            return _lookup("UK", plain)
        number = _number(plain)
        if number is not None and ISO_STICK[0] <= number <= ISO_STICK[-1]:
            return _lookup("ISO", plain)
        if number is not None:
            raise Permanent(
                f'"{text}" does not say which system it is of; write "US {text}" or "JP {text}", '
                f'or the inner diameter, "{text} mm".'
            )
        raise Permanent(
            f'"{text}" is no ring size; write one like "US 7", "UK N 1/2", "EU 54", "JP 13", "CH 14" or "17.3 mm".'
        )

    @classmethod
    def of_diameter(cls, diameter_mm: float) -> "RingSize":
        """The size of an inner diameter. Raises Permanent where it fits no finger."""
        least, most = DIAMETERS_MM
        if not least <= diameter_mm <= most:
            nearest = min(max(diameter_mm, least), most)
            raise Permanent(
                f"An inner diameter of {diameter_mm:g} mm fits no finger: it must be {least:g} to {most:g} mm; "
                f"the nearest is {nearest:g} mm."
            )
        return cls("mm", f"{diameter_mm:g}", diameter_mm)


def inner_diameter_mm(system: str, size: str | float) -> float:
    """Inner diameter of a size: `inner_diameter_mm("US", 7)`, `("UK", "N 1/2")`, `("EU", 54)`, `("mm", 17.3)`.

    Raises Permanent for an unknown system or size, naming the nearest.
    """
    if system.strip().lower() == "mm":
        return RingSize.of_diameter(float(size)).diameter_mm
    written = f"{size:g}" if isinstance(size, int | float) else size
    return RingSize.parse(f"{_system(system)} {written}").diameter_mm


def sizes_of(system: str) -> tuple[RingSize, ...]:
    """All sizes of a system, from the smallest."""
    return tuple(_table(_system(system)).values())


def _system(name: str) -> str:
    known = _SAME.get(name.strip().upper())
    if known is None:
        raise Permanent(f'"{name}" is no system of ring sizes; the systems are {", ".join(sorted(_SAME))} and mm.')
    return known


def _lookup(system: str, size: str) -> RingSize:
    """The size of a system by its label, however it was written."""
    name = _system(system)
    table = _table(name)
    key = _letter_key(size) if name == "UK" else _number(size)
    if key in table:
        return table[key]
    if name == "UK" or key is None:
        first, last = (list(table.values())[place] for place in (0, -1))
        close = _near_letter(size) if name == "UK" else None
        nearest = f"; the nearest is {close}" if close else ""
        raise Permanent(f'"{size.strip()}" is no {system} ring size: they go from {first} to {last}{nearest}.')
    between = min(table) < key < max(table)
    near = sorted(table, key=lambda other: abs(float(other) - float(key)))[: 2 if between else 1]
    names = " and ".join(str(table[other]) for other in sorted(near, key=float))
    steps = {"US": "quarters", "ISO": "whole millimetres", "CH": "whole millimetres", "JP": "whole numbers"}[name]
    raise Permanent(
        f"There is no ring size {system} {size.strip()}: sizes go in {steps} from {min(table)} to {max(table)}; "
        f"nearest: {names}."
    )


def _number(size: str) -> Fraction | None:
    """A number with a decimal part or a fraction: "7", "7.5", "7,5", "7 1/2", "7-1/2"."""
    whole = re.fullmatch(r"\s*(\d+)(?:[.,](\d+)|[\s\-]+(\d)/(\d))?\s*", size)
    if not whole or whole[4] == "0":
        return None
    value = Fraction(whole[1])
    if whole[2]:
        value += Fraction(int(whole[2]), 10 ** len(whole[2]))
    if whole[3]:
        value += Fraction(int(whole[3]), int(whole[4]))
    return value


def _letter_key(size: str) -> Fraction | None:
    """Letters counted from A = 0, halves between: "N", "N 1/2", "N.5", "Z+3"."""
    letter = re.fullmatch(r"\s*([A-Z])\s*\+?([1-6])?\s*(\s1/2|\.5)?\s*", size.upper().replace("½", " 1/2"))
    if not letter:
        return None
    name = letter[1] + (letter[2] or "")
    if name not in LETTERS:
        return None
    return LETTERS.index(name) + (Fraction(1, 2) if letter[3] else Fraction(0))


def _near_letter(size: str) -> RingSize | None:
    table = _table("UK")
    letter = re.match(r"\s*([A-Z])", size.upper())
    if not letter:
        return None
    high = letter[1] == "Z" and re.search(r"[7-9]", size)
    return list(table.values())[-1] if high else table[Fraction(LETTERS.index(letter[1]))]


@lru_cache(maxsize=len(SYSTEMS))
def _table(system: str) -> dict[Fraction, RingSize]:
    """The sizes of a system by their number."""
    if system == "US":
        quarters = [Fraction(step, 4) for step in range(16 * 4 + 1)]
        diameters = [(number, US_DIAMETER_0_MM + US_STEP_MM * float(number)) for number in quarters]
        return {number: RingSize("US", _mixed(number), diameter) for number, diameter in diameters}
    if system == "UK":
        halves = [Fraction(step, 2) for step in range(2 * len(LETTERS) - 1)]
        return {
            number: RingSize(
                "UK",
                LETTERS[int(number)] + (" 1/2" if number.denominator == 2 else ""),
                (UK_CIRCUMFERENCE_A_MM + UK_STEP_MM * float(number)) / pi,
            )
            for number in halves
        }
    if system == "JP":
        return {
            Fraction(number): RingSize("JP", str(number), JP_DIAMETER_1_MM + float(JP_STEP_MM * (number - 1)))
            for number in range(1, 31)
        }
    less = SWISS_OFFSET_MM if system == "CH" else 0
    return {Fraction(mm - less): RingSize(system, str(mm - less), mm / pi) for mm in ISO_STICK}


def _mixed(number: Fraction) -> str:
    whole, rest = divmod(number, 1)
    return f"{whole}" if not rest else f"{whole} {rest}"
