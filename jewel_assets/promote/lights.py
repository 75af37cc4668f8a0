"""The lights an image can be made in: each is one `Rig`, shared by plate, shadow, reflection and piece."""

import difflib
from collections.abc import Mapping

from jewel_assets.errors import Permanent
from jewel_assets.promote.scene import Gobo, Lamp, Rig, Spot

_WARM = (1.0, 0.80, 0.58)
_COOL = (0.72, 0.86, 1.0)

_ALL = (
    Rig(
        "moody",  # late sun through the cross of a window
        (Lamp(142, 38, 2.6, (1.0, 0.86, 0.68), 2.0), Lamp(320, 30, 0.25, _COOL, 25)),
        (0.10, 0.10, 0.12),
        Gobo("window", 1.0, -14),
        Spot(0.46, 0.46, 0.62, 0.8),
    ),
    Rig("glow", (Lamp(115, 62, 1.15, (1.0, 0.95, 0.88), 22),), (0.55, 0.53, 0.50), spot=Spot(0.5, 0.46, 0.75, 0.9)),
    Rig("spotlight", (Lamp(105, 58, 2.3, (1.0, 0.95, 0.88), 5),), (0.07, 0.07, 0.08), spot=Spot(0.5, 0.5, 0.44, 0.75)),
    Rig("studio", (Lamp(125, 55, 1.25, softness=14), Lamp(30, 45, 0.45, softness=20)), (0.42, 0.42, 0.43)),
    Rig(
        "golden_hour",
        (Lamp(165, 24, 2.7, (1.0, 0.72, 0.42), 1.5), Lamp(60, 60, 0.2, _COOL, 30)),
        (0.26, 0.23, 0.24),
        Gobo("leaves", 1.0, 20),
    ),
    Rig(
        "blinds",  # afternoon through slats
        (Lamp(150, 34, 2.4, (1.0, 0.90, 0.76), 1.5),),
        (0.20, 0.20, 0.22),
        Gobo("blinds", 1.0, -18),
    ),
    Rig(
        "neon",
        (Lamp(170, 35, 1.5, (1.0, 0.22, 0.62), 12), Lamp(10, 35, 1.5, (0.16, 0.55, 1.0), 12)),
        (0.16, 0.14, 0.20),
    ),
    Rig(
        "candle",
        (Lamp(200, 30, 2.1, (1.0, 0.62, 0.30), 5), Lamp(70, 50, 0.3, _WARM, 20)),
        (0.10, 0.07, 0.05),
        spot=Spot(0.40, 0.58, 0.62, 0.9),
    ),
)

LIGHTS: Mapping[str, Rig] = {rig.name: rig for rig in _ALL}


def light(name: str) -> Rig:
    """The rig of this name. Raises Permanent, with the nearest names, for any other."""
    if name in LIGHTS:
        return LIGHTS[name]
    near = difflib.get_close_matches(name, LIGHTS, n=3, cutoff=0.4) or sorted(LIGHTS)
    raise Permanent(f"There is no light {name!r}: choose one of {', '.join(near)}.")
