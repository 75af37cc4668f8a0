"""Wristwatches: case, lugs, bezel, crystal, dial, hands, crown, and a strap or a bracelet, closed as on a wrist."""

from typing import ClassVar, Literal, Self

import numpy as np
from manifold3d import Manifold
from numpy.random import Generator

from jewel_assets.shape.alloys import ALLOYS
from jewel_assets.shape.designs.base import Design, Fit, choice, mm, register
from jewel_assets.shape.parts.watch_band import Wrist, rows, strap
from jewel_assets.shape.parts.watch_case import (
    BEZELS,
    CRYSTAL_MM,
    DIAL_MM,
    PLAY,
    ROOM_MM,
    SHAPES,
    CaseShape,
    case_back,
    case_body,
    crown,
    crystal,
    pusher,
    spring_bar,
)
from jewel_assets.shape.parts.watch_dial import (
    HAND_STYLES,
    INDEX_STYLES,
    hands,
    indices,
    minute_track,
    roman_numerals,
    small_dial,
)
from jewel_assets.shape.piece import Body, Piece

DIALS: dict[str, str] = {
    "white dial lacquer": "dial lacquer",
    "silvered dial": "dial lacquer",
    "dial lacquer": "white dial lacquer",
    "blue dial lacquer": "white dial lacquer",
    "green dial lacquer": "white dial lacquer",
    "white enamel": "black enamel",
    "mother of pearl": "dial lacquer",
}
"""What a dial is made of, and what its numerals and minutes are printed in."""

BANDS = (
    "leather",
    "black leather",
    "tan leather",
    "blue leather",
    "rubber",
    "three-piece bracelet",
    "five-piece bracelet",
)
LEATHERS = BANDS[:5]

EXTRAS = ("none", "small seconds", "chronograph")

THREADS = {
    "leather": "tan leather",
    "black leather": "textile",
    "tan leather": "leather",
    "blue leather": "tan leather",
}
"""Stitching by leather: a shade that can be seen."""


@register
class Wristwatch(Design):
    """A wristwatch with a dial of its own time: ten past ten."""

    category: ClassVar[str] = "wristwatch"
    ordered: ClassVar[frozenset[str]] = Design.ordered | {"wrist_mm"}
    family: Literal["wristwatch"] = "wristwatch"
    metal: str = choice("316l-steel", tuple(ALLOYS), "alloy of the case and of a metal bracelet")
    second_metal: str = choice("18k-yellow", tuple(ALLOYS), "alloy of hands and indices")
    shape: str = choice("round", tuple(SHAPES), "outline of the case")
    diameter_mm: float = mm(39.0, 26.0, 46.0, "width of the case without its crown")
    height_mm: float = mm(9.5, 7.0, 14.0, "height of the case without its crystal's dome")
    bezel: str = choice("domed", BEZELS, "what surrounds the crystal")
    dial: str = choice("white dial lacquer", tuple(DIALS), "material of the dial")
    index_style: str = choice("batons", INDEX_STYLES, "what marks the hours")
    hand_style: str = choice("batons", HAND_STYLES, "form of the hands")
    extra: str = choice("none", EXTRAS, "small dials")
    band: str = choice("leather", BANDS, "strap or bracelet")
    lug_gap_mm: float = mm(20.0, 12.0, 24.0, "width between the lugs, that of the strap")
    strap_mm: float = mm(3.2, 2.6, 4.6, "thickness of the strap or the bracelet at the lugs")
    wrist_mm: float = mm(170.0, 140.0, 215.0, "girth of the wrist")

    @classmethod
    def rules(cls, fit: Fit) -> None:
        """Hands need height, straps need lugs that the case can carry, and a wrist as wide as the watch."""
        least = ROOM_MM + CRYSTAL_MM + DIAL_MM + 2.4
        fit.at_least("height_mm", least, "the hands have no room under the crystal")
        fit.at_most("height_mm", 0.34 * fit["diameter_mm"], "so small a case would be a ball")
        fit.at_most("lug_gap_mm", 0.58 * fit["diameter_mm"], "the case is too narrow for such a strap")
        fit.at_least("lug_gap_mm", 0.42 * fit["diameter_mm"], "so narrow a strap does not carry such a case")
        fit.at_least("wrist_mm", 3.6 * fit["diameter_mm"] + 8.0, "the lugs stand over so narrow a wrist")
        if fit["shape"] != "round":
            fit.one_of("extra", ("none", "small seconds"), "a chronograph's dials are set out for a round case")
            fit.one_of("bezel", ("domed", "stepped"), "flutes are turned: they go round a round case")
        if fit["diameter_mm"] < 36:
            fit.one_of("extra", ("none", "small seconds"), "three small dials cannot be read on it")

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        """A dress watch, a sports watch, a chronograph or a small one, each with what goes with it."""
        kind = str(rng.choice(["dress", "sport", "chronograph", "small"], p=[0.35, 0.3, 0.15, 0.2]))
        steel = rng.random() < {"dress": 0.35, "sport": 0.8, "chronograph": 0.7, "small": 0.4}[kind]
        gold = str(rng.choice(["18k-yellow", "18k-rose", "18k-white"]))
        metal = str(rng.choice(["316l-steel", "titanium"], p=[0.9, 0.1])) if steel else gold
        pale = rng.random() < (0.65 if kind in ("dress", "small") else 0.3)
        dial = str(
            rng.choice(
                ["white dial lacquer", "silvered dial", "white enamel"]
                if pale
                else ["dial lacquer", "blue dial lacquer", "green dial lacquer"]
            )
        )
        if kind == "small" and rng.random() < 0.3:
            dial = "mother of pearl"
        sizes = {"dress": (36, 40), "sport": (38, 43), "chronograph": (39, 43), "small": (27, 33)}
        diameter = float(rng.uniform(*sizes[kind]))
        bracelet = rng.random() < {"dress": 0.25, "sport": 0.75, "chronograph": 0.45, "small": 0.5}[kind]
        leathers = ["leather", "black leather", "tan leather", "blue leather"] + (["rubber"] if kind == "sport" else [])
        band = str(rng.choice(["three-piece bracelet", "five-piece bracelet"] if bracelet else leathers))
        shape = (
            "round"
            if kind in ("sport", "chronograph") or rng.random() < 0.6
            else str(rng.choice(["cushion", "square"]))
        )
        bezels = {
            "dress": ["domed", "stepped", "fluted"],
            "sport": ["coin edge", "coin edge", "fluted", "stepped"],
            "chronograph": ["stepped", "domed", "coin edge"],
            "small": ["domed", "fluted", "stepped"],
        }
        styles = {
            "dress": ["batons", "daggers", "roman"],
            "sport": ["dots", "batons"],
            "chronograph": ["batons", "daggers"],
            "small": ["batons", "roman", "daggers"],
        }
        same = metal if metal not in ("titanium",) else "316l-steel"
        extra = (
            "chronograph"
            if kind == "chronograph"
            else "small seconds"
            if kind == "dress" and rng.random() < 0.35
            else "none"
        )
        return cls.nearest(
            metal=metal,
            second_metal=same if rng.random() < 0.65 else str(rng.choice(["18k-yellow", "18k-rose"])),
            shape=shape,
            diameter_mm=diameter,
            height_mm=float(rng.uniform(7.4, 9.2) if kind in ("dress", "small") else rng.uniform(9.5, 12.5)),
            bezel=str(rng.choice(bezels[kind])),
            dial=dial,
            index_style=str(rng.choice(styles[kind])),
            hand_style=str(
                rng.choice(["batons", "dauphine", "leaf"] if kind != "sport" else ["batons", "batons", "dauphine"])
            ),
            extra=extra,
            band=band,
            lug_gap_mm=2.0 * round(0.25 * diameter + float(rng.uniform(-0.4, 0.4))),
            strap_mm=float(rng.uniform(2.8, 3.8)),
            wrist_mm=float(rng.uniform(150, 170) if kind == "small" else rng.uniform(165, 190)),
        )

    def build(self, detail: float = 1.0) -> Piece:
        """See `Design.build`. Case and bezel are one casting; all else moves or is put on, and is a body of its own."""
        case = CaseShape(self.diameter_mm, self.height_mm, self.shape, self.bezel, self.lug_gap_mm, 2.8, detail)
        bar_y, bar_z = (float(value) for value in case.bar)
        wrist = Wrist(bar_y, bar_z, self.wrist_mm)
        parts: list[Body] = [self.metal_body("case", case_body(case))]
        apart = [
            self.metal_body("case back", case_back(case)),
            self.metal_body(
                "crown", crown(case, max(4.6, 0.155 * self.diameter_mm), max(2.6, 0.08 * self.diameter_mm))
            ),
            self.metal_body("spring bar 12", spring_bar(case, 1)),
            self.metal_body("spring bar 6", spring_bar(case, -1)),
        ]
        if self.extra == "chronograph":
            apart += [self.metal_body(f"pusher {k}", pusher(case, angle)) for k, angle in ((2, 30.0), (4, -30.0))]
        others, face = self._face(case)
        parts += [Body("crystal", crystal(case), "other", "sapphire crystal"), *others]
        apart += face
        band, band_metal = self._band(wrist, detail)
        parts += band
        apart += band_metal
        lift = (0.0, 0.0, -wrist.middle_z)
        bodies = [Body(b.name, b.solid.translate(lift), b.kind, b.material) for b in [*parts, *apart]]
        return self.piece(bodies, [(body.name,) for body in apart])

    def _face(self, case: CaseShape) -> tuple[list[Body], list[Body]]:
        """Dial and prints; and what of metal stands on it."""
        radius, up = case.dial_radius, (0.0, 0.0, case.dial_height)
        edge = case.bezel_width + PLAY
        plate = case.turned(np.array([(edge, -DIAL_MM), (edge, 0.0)]))
        skip: list[int] = []
        tracks: list[Manifold] = []
        needles: list[Manifold] = []
        places = {"none": (), "small seconds": (180.0,), "chronograph": (90.0, 180.0, 270.0)}[self.extra]
        for angle in places:
            skip.append(int(angle // 30))
            way = np.radians(angle)
            at = 0.47 * radius * np.array([np.sin(way), np.cos(way)])
            shift = (float(at[0]), float(at[1]), 0.0)
            recess, rim, track, needle = small_dial(0.255 * radius)
            plate = (plate - recess.translate(shift)) + rim.translate(shift)
            tracks.append(track.translate(shift))
            needles.append(needle.rotate((0.0, 0.0, 40.0 * len(needles) - 25.0)).translate(shift))
        ink = DIALS[self.dial]
        others = [("dial", plate, self.dial), ("minute track", minute_track(radius), ink)]
        metal: list[tuple[str, Manifold]] = []
        if self.index_style == "roman":
            others.append(("numerals", roman_numerals(radius, skip), ink))
        else:
            marks = indices(self.index_style, radius, skip)
            metal += [(f"index {k + 1:02d}", solid) for k, (_, solid) in enumerate(marks)]
        others += [(f"small dial track {k + 1}", track, ink) for k, track in enumerate(tracks)]
        metal += [(f"small hand {k + 1}", needle) for k, needle in enumerate(needles)]
        metal += hands(self.hand_style, radius, seconds=self.extra != "small seconds")
        dressed = [Body(name, solid.translate(up), "other", material) for name, solid, material in others]
        return dressed, [Body(name, solid.translate(up), "metal", self.second_metal) for name, solid in metal]

    def _band(self, wrist: Wrist, detail: float) -> tuple[list[Body], list[Body]]:
        """The strap's leather; and what is of metal."""
        others: list[Body] = []
        metal: list[Body] = []
        if self.band in LEATHERS:
            made = strap(wrist, self.lug_gap_mm, self.strap_mm, self.band in THREADS, detail)
        else:
            made = rows(wrist, self.lug_gap_mm, self.strap_mm, 3 if self.band.startswith("three") else 5, detail)
        for name, solids in made.items():
            for k, solid in enumerate(solids):
                title = name if len(solids) == 1 else f"{name} {k + 1:02d}"
                if name in ("strap", "keeper", "stitching"):
                    others.append(Body(title, solid, "other", THREADS[self.band] if name == "stitching" else self.band))
                else:
                    metal.append(self.metal_body(f"bracelet {title}" if self.band not in LEATHERS else title, solid))
        return others, metal
