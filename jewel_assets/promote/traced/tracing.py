"""The light of a setting, traced by Mitsuba: the key lamp by itself, all other light by itself, each with the piece and
without it.

Light adds up, so a gobo or a spot may dim the key lamp's part of a picture afterwards. Lamps are discs far away, under
the angle that the rig says and as bright as makes diffuse white its intensity. What the rig calls ambient is a room of
that brightness with soft cards in it, for polished metal shows nothing but what is around it.
"""

import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.promote.scene import Array, Lamp, Plate, Rig, single
from jewel_assets.promote.traced.setting import LONG_LENS, Setting
from jewel_assets.shape.render import Shot, lights, variants
from jewel_assets.shape.render.auxiliary import Exact, exact
from jewel_assets.shape.render.denoise import denoised, engine
from jewel_assets.shape.render.develop import combined
from jewel_assets.shape.render.materials import optics
from jewel_assets.shape.render.rendering import guide_albedo
from jewel_assets.shape.render.scene import Set, scene_dict
from jewel_assets.shape.render.stages import Prop
from jewel_assets.shape.render.surfaces import grouped

LAMP_DISTANCE = 3 * LONG_LENS
"""Of the discs that are lamps, in longer sides of the picture: behind the camera, whose view a wide one would cover."""
DEPTH = 14  # surfaces that the longest path meets
PASSES = 4  # independent pictures per render: what one lucky path saw is told from light by the other three
ALONE = 0.5
"""Share of the samples for the surface without its piece: it is smooth."""
GUIDE_SAMPLES = 8
POLISH = 2.0
"""By how much a plate's `mirror`, which the other engine paints by itself, takes from its roughness."""
CARDS = 0.45
"""Radiance of a card of strength 1 of `_room`, of what diffuse white has in a key lamp of intensity 1."""


@dataclass(frozen=True)
class Traced:
    """(h, w, 3) linear light each, 1.0 diffuse white: `key` from the key lamp, `rest` from all else; `_alone` without
    the piece. `truth` is what the camera sees of the piece.
    """

    key: Array = field(repr=False)
    rest: Array = field(repr=False)
    key_alone: Array = field(repr=False)
    rest_alone: Array = field(repr=False)
    truth: Exact = field(repr=False)


def trace(setting: Setting, plate: Plate, rig: Rig, seed: int, samples: int, variant: str) -> Traced:
    """Trace `samples` paths per pixel. With `variant` scalar_rgb the same arguments give the same pixels.

    Raises Permanent where Mitsuba, the variant or a material is missing.
    """
    mi = variants.mitsuba(variants.choose(variant))
    truth = exact(setting.surfaces, setting.camera)
    found: dict[str, Array] = {}
    with tempfile.TemporaryDirectory(prefix="jewel-traced-") as folder:
        made, whole, alone = _scenes(mi, setting, plate, rig, Path(folder))
        lamps = [_disc(mi, lamp, setting, made.radius_mm) for lamp in rig.lamps]
        for piece, base in (("", whole), ("_alone", alone)):
            for part in ("key", "rest"):
                lit = {name: thing for name, thing in base.items() if name != "room" or part == "rest"}
                chosen = lamps[:1] if part == "key" else lamps[1:]
                lit |= {f"lamp{number}": disc for number, disc in enumerate(chosen)}
                count = max(PASSES, round(samples * (ALONE if piece else 1.0)))
                picture, guides = _picture(mi, lit, count, [seed, len(found)])
                albedo = np.clip(guides[..., :3], 0, 1) if piece else guide_albedo(guides[..., :3], truth, made)
                found[part + piece] = denoised(picture, single(albedo), single(guides[..., 3:]), None, engine())
    return Traced(**found, truth=truth)


def key_lamp_seen(setting: Setting, lamp: Lamp, seed: int, samples: int, variant: str) -> tuple[Array, Array]:
    """(h, w) how much of the lamp each place of a plain matt surface sees past the piece, 0..1, where the piece does
    not hide it; and the piece's exact coverage (h, w).
    """
    mi = variants.mitsuba(variants.choose(variant))
    height, width = setting.camera.size
    plain = Plate(
        albedo=np.full((height, width, 3), 0.5, np.float32),
        normals=np.broadcast_to(np.array([0, 0, 1], np.float32), (height, width, 3)),
        height=np.zeros((height, width), np.float32),
    )
    truth = exact(setting.surfaces, setting.camera)
    with tempfile.TemporaryDirectory(prefix="jewel-traced-") as folder:
        made, whole, alone = _scenes(mi, setting, plain, Rig("key", (lamp,)), Path(folder))
        pictures = []
        for number, base in enumerate((whole, alone)):
            lit = {name: part for name, part in base.items() if name != "room"}
            lit["lamp"] = _disc(mi, lamp, setting, made.radius_mm)
            light, guides = _picture(mi, lit, samples, [seed, number])
            albedo = np.full_like(light, 0.5) if number else guide_albedo(guides[..., :3], truth, made)
            pictures.append(denoised(light, single(albedo), single(guides[..., 3:]), None, engine()).mean(axis=2))
    lit_by, without = pictures
    return single(np.clip(lit_by / np.maximum(without, 1e-6), 0, 1)), truth.alpha


def _scenes(
    mi: Any, setting: Setting, plate: Plate, rig: Rig, folder: Path
) -> tuple[Set, dict[str, Any], dict[str, Any]]:
    """The set, and Mitsuba's dictionaries of it with the piece and without it: the room's light, and no lamp yet."""
    sheet = setting.ground
    laid = Prop(sheet.name, sheet.vertices, sheet.faces, sheet.normals, sheet.uv, _surface(plate))
    groups = grouped(setting.surfaces)
    looks = [optics(group.kind, group.material) for group in groups]
    frame = max(setting.camera.size) * setting.mm_per_pixel
    dark = lights.Rig(boxes=(), overhead=0.0)
    made = Set(setting.surfaces, groups, looks, [laid], setting.camera, frame, 1.0, dark, _room(rig, setting))
    absorbing = any(look.species is not None and max(look.species.absorption) > 0.02 for look in looks)
    panes = any(look.bsdf["type"] == "mask" for look in looks)
    integrator = {"type": "volpath" if absorbing or panes else "path", "max_depth": DEPTH, "rr_depth": 4}
    whole = scene_dict(mi, made, Shot(size=setting.camera.size), folder, integrator)
    pieces = [name for name in whole if name.startswith("group")]
    if not absorbing:
        for name in pieces:
            whole[name].pop("interior", None)
    alone = {name: part for name, part in whole.items() if name not in pieces}
    return made, whole, alone | {"integrator": integrator | {"type": "path"}}


def _picture(mi: Any, described: dict[str, Any], samples: int, seed: list[int]) -> tuple[Array, Array]:
    """Light (h, w, 3), and albedo and normals (h, w, 6) for the denoiser."""
    scene = mi.load_dict(described)
    seeds = [int(number) for number in np.random.default_rng(seed).integers(2**31, size=PASSES + 1)]
    looking = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
    guides = np.array(mi.render(scene, integrator=looking, spp=GUIDE_SAMPLES, seed=seeds[-1]), np.float32)[..., -6:]
    each = -(-samples // PASSES)
    passes = [np.array(mi.render(scene, spp=each, seed=number), np.float32)[..., :3] for number in seeds[:-1]]
    light = np.nan_to_num(np.stack(passes), nan=0.0, posinf=0.0, neginf=0.0)
    return combined(light), single(np.nan_to_num(guides))


def _surface(plate: Plate) -> dict[str, Any]:
    """The plate as Mitsuba's principled BSDF: its albedo as a bitmap, its fine relief as a normal map."""
    surface: dict[str, Any] = {
        "type": "principled",
        "base_color": np.ascontiguousarray(np.clip(plate.albedo, 0, 1)),
        "roughness": max(plate.roughness * (1 - min(POLISH * plate.mirror, 0.9)), 0.05),
        "specular": min(1.0, plate.specular / 0.08),  # Disney's: 0.5 is a reflectance of 4 % head on
        "sheen": plate.sheen,
        "sheen_tint": 0.85,
    }
    if plate.horizon is not None:  # floor and wall are real: their slopes must not be counted twice
        return surface
    # Texture coordinates run right and down, so the map's axes are those of the plate's normals.
    return {"type": "normalmap", "normalmap": np.ascontiguousarray(plate.normals * 0.5 + 0.5), "bsdf": surface}


def _disc(mi: Any, lamp: Lamp, setting: Setting, frame: float) -> dict[str, Any]:
    """A lamp as a disc that faces the picture's middle; diffuse white that faces it has the lamp's intensity."""
    towards = setting.towards(lamp)
    camera = setting.camera
    middle = camera.place - camera.axes[2] * (camera.place[2] / camera.axes[2, 2])
    distance = LAMP_DISTANCE * frame
    angle = math.radians(max(lamp.softness, 0.1))
    up = [0.0, 0.0, 1.0] if abs(towards[2]) < 0.9 else [0.0, 1.0, 0.0]
    turn = mi.ScalarTransform4f().look_at(origin=(middle + towards * distance).tolist(), target=middle.tolist(), up=up)
    radiance = lamp.intensity / math.sin(angle) ** 2  # of a disc of that angular radius: E = pi L sin^2
    return {
        "type": "disk",
        "to_world": turn @ mi.ScalarTransform4f().scale([float(distance * math.tan(angle))] * 3),
        "emitter": {"type": "area", "radiance": {"type": "rgb", "value": [radiance * part for part in lamp.colour]}},
    }


def _room(rig: Rig, setting: Setting) -> NDArray[np.float32]:
    """(256, 512, 3) radiance from all directions: the rig's ambient light, and cards where metal looks.

    Level metal mirrors what stands opposite to the camera. There hangs the largest card, with a black flag across;
    others stand around, the brightest on the key lamp's side, in a colour half way to the key lamp's.
    """
    towards = setting.towards(rig.key)
    side = math.degrees(math.atan2(towards[0], -towards[1]))  # azimuth from the camera, 0 at the front
    sign = 1.0 if math.sin(math.radians(side)) >= 0 else -1.0
    high = 90.0 - setting.tilt
    box, flag = lights.SoftBox, {"strength": -1.0, "border": 5.0, "falloff": 0.0}
    boxes = (
        box(
            azimuth=180 - sign * 26,
            elevation=max(high - 8, 24),
            width=58,
            height=52,
            strength=2.4,
            falloff=0.7,
            border=8,
        ),
        box(azimuth=sign * 72, elevation=38, width=50, height=62, strength=3.0, falloff=0.5, border=8),
        box(azimuth=-sign * 82, elevation=30, width=34, height=66, strength=2.2, falloff=0.4, border=8),
        box(azimuth=sign * 140, elevation=30, width=40, height=40, strength=2.2, falloff=0.4, border=8),
        box(azimuth=-sign * 24, elevation=66, width=46, height=26, strength=2.0, falloff=0.5, border=8),
        box(azimuth=180 + sign * 20, elevation=max(high - 4, 30), width=14, height=70, **flag),
        box(azimuth=sign * 28, elevation=22, width=22, height=64, **flag),
        box(azimuth=-sign * 44, elevation=20, width=22, height=64, **flag),
        box(azimuth=sign * 110, elevation=22, width=16, height=60, **flag),
    )
    cards = lights.Rig(boxes=boxes, ceiling=0.4, horizon=0.16, floor=0.1, camera_shade=0.7, overhead=0.0)
    picture = lights.room(cards, 0.0, high) * CARDS
    tint = (1 + single(rig.key.colour) / max(rig.key.colour)) / 2
    return single(picture * tint + single(rig.ambient))
