"""A shot: every number of one photo, so that it can be taken again, and two presets that choose the numbers."""

from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from jewel_assets.shape.render.lights import Rig, catalogue_rig, front_rig, randomised_rig
from jewel_assets.shape.render.materials import FINISHES
from jewel_assets.shape.render.poses import Pose, poses_of
from jewel_assets.shape.render.stages import SHADES, STYLES, Style
from jewel_assets.shape.render.variants import VARIANTS

Preset = Literal["catalogue", "randomised"]
PRESETS: tuple[Preset, ...] = ("catalogue", "randomised")
LARGEST_PIXELS = 4096 * 4096


class Shot(BaseModel):
    """One photo of one piece. Angles in degrees; what is left out is what a catalogue would do."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    style: Style = "studio"
    shade: str = Field(default="", description="colour or kind of the ground; empty: the style's first")
    gloss: float = Field(default=0.0, ge=0, le=1, description="mirror image in the ground, 0 none to 1 polished stone")
    pose: Pose = "upright"
    lean: float = Field(default=38.0, ge=0, le=80, description="degrees that a leaning piece is tipped to the front")
    azimuth: float = Field(default=0.0, ge=-180, le=180, description="degrees that the camera walks round to the right")
    elevation: float = Field(default=20.0, ge=-5, le=89, description="degrees that the camera looks down")
    roll: float = Field(default=0.0, ge=-180, le=180, description="degrees that the camera is turned about its view")
    focal_mm: float = Field(default=100.0, ge=24, le=400, description="focal length on 36 x 24 mm film")
    fill: float = Field(default=0.72, ge=0.1, le=0.98, description="share of the frame's side that the piece spans")
    offset: tuple[float, float] = Field(
        default=(0.0, 0.0), description="shares of the frame, right and up of its middle"
    )
    finish: str = Field(default="polished", description=f"of the metal: {', '.join(FINISHES)}")
    roughness: float | None = Field(
        default=None, ge=0.005, le=0.6, description="GGX alpha in place of the finish's own"
    )
    rig: Rig = Field(default_factory=catalogue_rig)
    exposure: float = Field(default=0.0, ge=-3, le=3, description="stops from what the light meter says")
    contrast: float = Field(default=1.0, ge=0.7, le=1.4, description="exponent of the tone curve about middle grey")
    white_balance: tuple[float, float, float] = Field(default=(1.0, 1.0, 1.0), description="gain of linear R, G and B")
    dispersion: bool = Field(default=True, description="render gems with an index for each of R, G and B")
    depth: int = Field(default=14, ge=2, le=64, description="longest path, in surfaces met")
    size: tuple[int, int] = Field(default=(512, 512), description="pixels, height and width")
    samples: int = Field(default=36, ge=1, le=65536, description="paths per pixel")
    denoise: bool = True
    seed: int = Field(default=0, ge=0, lt=2**31)
    variant: str = Field(default="scalar_rgb", description=f"auto, {', '.join(VARIANTS)}")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        height, width = self.size
        if min(height, width) < 8 or height * width > LARGEST_PIXELS:
            raise ValueError(
                f"size must be 8 pixels or more a side and {LARGEST_PIXELS} in all, not {height} x {width}."
            )
        if self.shade and self.shade not in SHADES[self.style]:
            raise ValueError(f'shade "{self.shade}" is not one of {self.style}: {", ".join(SHADES[self.style])}.')
        if self.finish not in FINISHES:
            raise ValueError(f'finish "{self.finish}" is not one of {", ".join(FINISHES)}.')
        if self.variant not in ("auto", *VARIANTS):
            raise ValueError(f'variant "{self.variant}" is not one of auto, {", ".join(VARIANTS)}.')
        if self.pose == "hanging" and self.elevation > 60:
            raise ValueError("elevation must be 60 degrees or less for a piece that hangs before a wall.")
        if self.pose != "hanging" and self.elevation < 3:
            raise ValueError(
                "elevation must be 3 degrees or more for a piece that stands or lies: the ground hides it."
            )
        return self

    @property
    def ground(self) -> str:
        """The shade, with the style's own in place of none."""
        return self.shade or SHADES[self.style][0]


_VIEWS: dict[str, dict[Pose, dict[str, float]]] = {
    # How a catalogue looks at each category: camera azimuth and elevation, the lean, and the ground's gloss.
    "ring": {
        "leaning": {"azimuth": 34, "elevation": 24, "lean": 30},
        "upright": {"azimuth": 38, "elevation": 26},
        "lying": {"azimuth": 24, "elevation": 36},
    },
    "bracelet": {
        "lying": {"azimuth": 18, "elevation": 50},
        "upright": {"azimuth": 35, "elevation": 18},
        "leaning": {"azimuth": 28, "elevation": 22, "lean": 25},
    },
    "wristwatch": {
        "on its side": {"azimuth": 14, "elevation": 12},
        "upright": {"azimuth": 24, "elevation": 44},
        "leaning": {"azimuth": 20, "elevation": 24, "lean": 55},
    },
    "earrings": {"hanging": {"azimuth": 14, "elevation": 6}, "face up": {"azimuth": 12, "elevation": 58}},
    "necklace": {"face up": {"azimuth": 0, "elevation": 68}, "hanging": {"azimuth": 6, "elevation": 4}},
    "jewelry": {"face up": {"azimuth": 10, "elevation": 62}, "hanging": {"azimuth": 12, "elevation": 8}},
}


def catalogue(category: str, seed: int = 0, family: str = "", **chosen: Any) -> Shot:
    """How a shop would photograph a piece of this category: on white, from the usual side, never quite the same.

    A `family` may be shown in another pose than its category: a bangle stands, a chain lies. `chosen` fields are kept
    as they are given. Raises ValueError (pydantic's) with the field, its range and its unit.
    """
    rng = np.random.default_rng([seed, 1])
    poses = poses_of(category, family)
    pose: Pose = chosen.get("pose", poses[0])
    view = _VIEWS.get(category, _VIEWS["jewelry"]).get(pose, {"azimuth": 20, "elevation": 25})
    mirrored = -1.0 if rng.random() < 0.35 and category in ("ring", "bracelet") else 1.0
    numbers: dict[str, Any] = {
        "pose": pose,
        "azimuth": mirrored * view["azimuth"] + float(rng.uniform(-6, 6)),
        "elevation": view["elevation"] + float(rng.uniform(-3, 3)),
        "gloss": 0.5,
        "fill": float(rng.uniform(0.7, 0.8)),
        "focal_mm": 100.0,
        "seed": seed,
    }
    if pose in ("hanging", "on its side"):
        numbers["rig"] = front_rig()
    if "lean" in view:
        numbers["lean"] = view["lean"] + float(rng.uniform(-5, 5))
    if chosen.get("style", "studio") != "studio":
        numbers["gloss"] = 0.25
    return Shot(**(numbers | chosen))


def randomised(category: str, seed: int, family: str = "", **chosen: Any) -> Shot:
    """Domain randomisation: any ground, view, light, lens, finish, exposure and white balance.

    The same seed draws the same shot of the same `family`; `chosen` fields are kept. Raises ValueError as `catalogue`.
    """
    rng = np.random.default_rng([seed, 2])
    style: Style = chosen.get("style") or STYLES[int(rng.choice(len(STYLES), p=_STYLE_SHARES))]
    poses = poses_of(category, family)
    if style == "skin" and category in ("earrings", "necklace", "jewelry"):
        poses = ("face up",)
    elif style in ("marble", "wood", "velvet") and "hanging" in poses:
        poses = tuple(pose for pose in poses if pose != "hanging")  # nobody hangs marble behind an earring
    pose: Pose = chosen.get("pose") or poses[int(rng.integers(len(poses)))]
    view = _VIEWS.get(category, _VIEWS["jewelry"]).get(pose, {"azimuth": 20, "elevation": 25})
    turned = float(rng.choice([-1, 1]))
    lowest, highest = _ELEVATIONS.get(pose, (8.0, 76.0))
    spread = 14.0 if pose == "hanging" else 26.0
    shade = str(rng.choice(SHADES[style]))
    elevation = float(np.clip(view["elevation"] + rng.normal(0, 10), lowest, highest))
    rig = randomised_rig(rng)
    if pose == "face up":  # the near soft box goes where flat metal mirrors it to the camera
        rig = rig.model_copy(update={"overhead_lean": 90 - elevation + float(rng.uniform(-4, 8))})
    numbers: dict[str, Any] = {
        "style": style,
        "shade": shade,
        "gloss": float(rng.choice([0.0, rng.uniform(0.1, 0.9)])),
        "pose": pose,
        "lean": float(rng.uniform(12, 55)),
        "azimuth": float(np.clip(turned * view["azimuth"] + rng.normal(0, spread), -80, 80)),
        "elevation": elevation,
        "roll": float(rng.normal(0, 4)),
        "focal_mm": float(rng.uniform(50, 150)),
        "fill": float(rng.uniform(0.68, 0.8)),
        "offset": (float(rng.uniform(-0.04, 0.04)), float(rng.uniform(-0.04, 0.04))),
        "roughness": float(np.exp(rng.uniform(np.log(0.02), np.log(0.20)))),
        "rig": rig,
        "exposure": float(rng.uniform(-0.25, 0.35)),
        "contrast": float(rng.uniform(0.92, 1.12)),
        "white_balance": _cast(rng),
        "seed": seed,
    }
    return Shot(**(numbers | chosen))


_ELEVATIONS: dict[Pose, tuple[float, float]] = {"hanging": (-4, 30), "lying": (30, 76), "face up": (45, 76)}
"""From lower what lies flat is a line across the picture; from higher flat metal mirrors the dark round the camera."""

_STYLE_SHARES = np.array([0.30, 0.14, 0.16, 0.10, 0.10, 0.10, 0.10])  # in the order of STYLES


def _cast(rng: np.random.Generator) -> tuple[float, float, float]:
    """Gains of a camera whose white balance is a little off: warmer or cooler more than greener."""
    warm, green = rng.normal(0, 0.035), rng.normal(0, 0.010)
    return (float(1 + warm), float(1 + green), float(1 - warm))


def preset(name: str, category: str, seed: int = 0, family: str = "", **chosen: Any) -> Shot:
    """The shot of a preset by its name. Raises ValueError for a name that is none."""
    if name == "catalogue":
        return catalogue(category, seed, family, **chosen)
    if name == "randomised":
        return randomised(category, seed, family, **chosen)
    raise ValueError(f'There is no preset "{name}"; choose {" or ".join(PRESETS)}.')
