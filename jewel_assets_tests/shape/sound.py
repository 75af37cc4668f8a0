"""A claw solitaire whose every measure is known, for tests of files and of castability."""

import numpy as np
from manifold3d import CrossSection, Manifold, OpType

from jewel_assets.shape.gems import make_stone
from jewel_assets.shape.parts.settings import claw_head, seating
from jewel_assets.shape.piece import Body, Piece

BORE_MM = 18.0


def solitaire(
    wide: float = 6.5,
    shank_mm: float = 1.8,
    claws_wire: float = 1.1,
    cut_at: float | None = None,
    raised: float = 0.0,
    second: bool = False,
) -> Piece:
    """A brilliant of `wide` mm in six claws of `claws_wire` mm on a shank of `shank_mm` by 2.4 mm.

    `cut_at` cuts one claw off so many mm above the girdle, `raised` lifts the stone out of its seat, `second` puts a
    small stone into the first.
    """
    setting = seating("round brilliant", wide)
    height = BORE_MM / 2 + shank_mm + setting.pavilion * 0.95
    place = np.eye(4)[:3]
    place[2, 3] = height
    claws = claw_head(setting, 6, claws_wire, setting.pavilion, 0.5)
    if cut_at is not None:
        claws[0] = claws[0].trim_by_plane((0, 0, -1), -cut_at)
    head = (Manifold.batch_boolean(claws, OpType.Add) - setting.room).transform(place)
    section = CrossSection.square((shank_mm, 2.4), True).translate((BORE_MM / 2 + shank_mm / 2, 0))
    shank = Manifold.revolve(section, 128).rotate((90, 0, 0)) - setting.room.transform(place)
    bore = Manifold.cylinder(60, BORE_MM / 2, BORE_MM / 2, 128, True).rotate((90, 0, 0))
    place[2, 3] += raised
    stones = [make_stone("centre stone", "diamond", "round brilliant", wide, None, place)]
    if second:
        beside = place.copy()
        beside[0, 3] += wide / 2
        stones.append(make_stone("melee", "diamond", "round brilliant", 2.0, None, beside))
    metal = (Body("shank", shank, "metal", "18k-yellow"), Body("claws", head - bore, "metal", "18k-yellow"))
    return Piece("ring", "solitaire", (*metal, *stones), {"inner_diameter_mm": BORE_MM, "claws": 6})


def eternity(count: int = 12) -> Piece:
    """Equal stones all round a band, two species in turn, without anything to hold them: for files only."""
    section = CrossSection.square((1.8, 3.0), True).translate((BORE_MM / 2 + 0.9, 0))
    band = Manifold.revolve(section, 96).rotate((90, 0, 0))
    stones = []
    for number in range(count):
        angle = 2 * np.pi * number / count
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        place = np.column_stack([turn, turn @ [0, 0, BORE_MM / 2 + 2.4]])
        species = ("diamond", "ruby")[number % 2]
        stones.append(make_stone(f"melee {number:02}", species, "round brilliant", 2.0, None, place))
    return Piece("ring", "eternity", (Body("band", band, "metal", "950-platinum"), *stones), {})


def watch() -> Piece:
    """A body of each kind, one of them moving: a case, a hand of its own, a leather strap, a pearl."""
    case = Manifold.cylinder(3.0, 8.0, 8.0, 64) - Manifold.cylinder(2.0, 6.5, 6.5, 64).translate((0, 0, 1.5))
    hand = Manifold.cube((5.0, 0.9, 0.9)).translate((0, 0, 2))
    strap = Manifold.cube((8.0, 20.0, 1.5), True).translate((0, 20, 0))
    pearl = make_stone("pearl", "pearl", "pearl", 3.0, None, np.eye(4)[:3] + np.eye(4, k=0)[:3] * 0)
    return Piece(
        "wristwatch",
        "watch",
        (
            Body("case", case, "metal", "18k-white"),
            Body("hour hand", hand, "metal", "18k-white"),
            Body("strap", strap, "other", "leather"),
            pearl,
        ),
        moving=(("hour hand",),),
    )
