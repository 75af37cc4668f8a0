"""A piece, its stage, its light and its camera as the dictionary that Mitsuba loads.

Meshes travel as binary PLY files in a folder of the caller's; everything else is in the dictionary. Lengths are mm.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.shape.render import lights, stages
from jewel_assets.shape.render.cameras import Camera, direction, framed
from jewel_assets.shape.render.materials import Optics, optics
from jewel_assets.shape.render.poses import about_x, posed
from jewel_assets.shape.render.shots import Shot
from jewel_assets.shape.render.surfaces import Group, Surface, creased, grouped

CHANNEL_NANOMETRES = (612.0, 549.0, 465.0)
"""Dominant wavelengths of sRGB's primaries: those that a gem's three indices are taken at."""

_LIMBED = ("ring", "bracelet", "wristwatch")


@dataclass(frozen=True)
class Set:
    """All that stands before the camera, ready to be loaded.

    `surfaces` are the piece's, posed; `groups` their meshes by material; `looks` the optics of each group; `exposure`
    the factor that makes a white surface 1 that faces what the meter faced; `rig` the lights as they were hung.
    """

    surfaces: list[Surface]
    groups: list[Group]
    looks: list[Optics]
    props: list[stages.Prop]
    camera: Camera
    radius_mm: float
    exposure: float
    rig: lights.Rig
    room: NDArray[np.float32] = field(repr=False)


def arranged(surfaces: Sequence[Surface], category: str, shot: Shot) -> Set:
    """Pose the piece, build the stage under it, hang the lights, stand the camera and meter the light."""
    rng = np.random.default_rng([shot.seed, 3])
    worn = shot.style == "skin"
    around = np.vstack([surface.vertices for surface in surfaces])
    limb = stages.limb(around, 7 * _radius(around), rng) if worn and category in _LIMBED else None
    standing = posed(surfaces, shot.pose, shot.lean)
    points = np.vstack([surface.vertices for surface in standing])
    radius = _radius(points)
    tile = 4.4 * radius * float(rng.uniform(0.9, 1.15))
    ground = stages.ground_surface(shot.style, shot.ground, shot.gloss, rng)
    props = []
    if worn:
        skin = ground
        ground = stages.ground_surface("studio", "warm white", 0.0, rng)
        if limb is not None:
            # The limb goes where the pose took the piece: found from three of its points.
            turn, shift = _motion(around, points)
            solid = limb.transform(np.hstack([turn, shift[:, None]]))
            drop = 0.0
        else:
            solid = stages.cushion(points, rng)
            drop = solid.bounding_box()[2]
        props.append(stages.support(solid, tile, skin))
        floor = stages.sweep(radius, shot.azimuth, tile, ground, wall=False)
        drop = min(drop, solid.bounding_box()[2])
        props.append(_lowered(floor, drop))
    else:
        props.append(stages.sweep(radius, shot.azimuth, tile, ground, wall=shot.pose == "hanging"))
    camera = framed(points, shot.azimuth, shot.elevation, shot.focal_mm, shot.fill, shot.size, shot.offset, shot.roll)
    rig = lights.out_of_view(shot.rig, shot.azimuth, radius, camera, wall=shot.pose == "hanging")
    room = lights.room(rig, shot.azimuth, shot.elevation)
    facing = direction(shot.azimuth, 12.0) if shot.pose == "hanging" else np.array([0.0, 0.0, 1.0])
    metered = lights.irradiance(rig, room, shot.azimuth, facing)
    groups = grouped(standing)
    looks = [optics(group.kind, group.material, shot.finish, shot.roughness) for group in groups]
    exposure = float(np.pi / max(metered, 1e-6) * 2.0**shot.exposure)
    return Set(standing, groups, looks, props, camera, radius, exposure, rig, room)


def _radius(points: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(points.max(axis=0) - points.min(axis=0))) / 2


def _motion(before: NDArray[np.float64], after: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation (3, 3) and shift (3,) that took one set of points to the other (W. Kabsch 1976)."""
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    u, _, v = np.linalg.svd(a.T @ b)
    sign = np.sign(np.linalg.det(v.T @ u.T))
    turn = v.T @ np.diag([1, 1, sign]) @ u.T
    return turn, after.mean(axis=0) - turn @ before.mean(axis=0)


def _lowered(prop: stages.Prop, z: float) -> stages.Prop:
    return stages.Prop(prop.name, prop.vertices + np.array([0, 0, z]), prop.faces, prop.normals, prop.uv, prop.surface)


def scene_dict(mi: Any, made: Set, shot: Shot, folder: Path, integrator: dict[str, Any]) -> dict[str, Any]:
    """Mitsuba's dictionary of the set; its meshes are written into `folder`."""
    scene: dict[str, Any] = {
        "type": "scene",
        "integrator": integrator,
        "sensor": sensor_dict(mi, made, shot),
        "room": {
            "type": "envmap",
            "bitmap": mi.Bitmap(made.room),
            "to_world": mi.ScalarTransform4f().rotate([1, 0, 0], 90),
        },
    }
    if made.rig.overhead > 0:
        place, facing = lights.overhead_place(made.rig, shot.azimuth, made.radius_mm)
        half = made.rig.overhead_size * made.radius_mm / 2
        turn = mi.ScalarTransform4f().look_at(
            origin=place.tolist(), target=(place + facing).tolist(), up=direction(shot.azimuth, 0.0).tolist()
        )
        scene["overhead"] = {
            "type": "rectangle",
            "to_world": turn @ mi.ScalarTransform4f().scale([half, half, 1]),
            "emitter": {"type": "area", "radiance": _texture(mi, {"of": lights.overhead_picture(made.rig)})["of"]},
            "bsdf": {"type": "diffuse", "reflectance": {"type": "rgb", "value": [0.02] * 3}},
        }
    for n, (group, look) in enumerate(zip(made.groups, made.looks, strict=True)):
        file = folder / f"group{n}.ply"
        if group.faceted:
            write_ply(file, group.vertices, group.faces)
        else:
            write_ply(file, *creased(group.vertices, group.faces))
        shape = {"type": "ply", "filename": str(file), "face_normals": group.faceted, "bsdf": _texture(mi, look.bsdf)}
        if look.species is not None:
            shape["bsdf"] = {"type": "dielectric", "int_ior": look.species.refractive_index, "ext_ior": 1.0}
            shape["interior"] = {
                "type": "homogeneous",
                "albedo": {"type": "rgb", "value": [0.0, 0.0, 0.0]},
                "sigma_t": {"type": "rgb", "value": list(look.species.absorption)},
            }
        scene[f"group{n}"] = shape
    for n, prop in enumerate(made.props):
        file = folder / f"prop{n}.ply"
        write_ply(file, prop.vertices, prop.faces, prop.normals, prop.uv)
        surface = (
            {"type": "twosided", "nested": _texture(mi, prop.surface)}
            if prop.name == "ground"
            else _texture(mi, prop.surface)
        )
        scene[f"prop{n}"] = {"type": "ply", "filename": str(file), "bsdf": surface}
    return scene


def sensor_dict(mi: Any, made: Set, shot: Shot, crop: dict[str, int] | None = None) -> dict[str, Any]:
    """The camera; with `crop` (crop_offset_x, ...) it sees a part of the image only, with the same rays.

    The box filter keeps every sample in its own pixel: nothing is added up in an order that threads could change.
    """
    height, width = shot.size
    return {
        "type": "perspective",
        "fov": made.camera.field_of_view,
        "fov_axis": "x",
        "near_clip": 0.05 * made.radius_mm,
        "far_clip": 1000.0 * made.radius_mm,
        "to_world": mi.ScalarTransform4f(made.camera.to_world()),
        "film": {
            "type": "hdrfilm",
            "width": width,
            "height": height,
            "pixel_format": "rgb",
            "component_format": "float32",
            "rfilter": {"type": "box"},
            **(crop or {}),
        },
        "sampler": {"type": "independent"},
    }


def _texture(mi: Any, surface: dict[str, Any]) -> dict[str, Any]:
    """The BSDF with numpy pictures as bitmaps and colours as rgb, as Mitsuba wants them."""
    out: dict[str, Any] = {}
    for key, value in surface.items():
        if isinstance(value, np.ndarray):
            out[key] = {"type": "bitmap", "bitmap": mi.Bitmap(value), "raw": True, "wrap_mode": "repeat"}
        elif isinstance(value, dict):
            out[key] = _texture(mi, value)
        elif isinstance(value, tuple):
            out[key] = {"type": "rgb", "value": list(value)}
        else:
            out[key] = value
    return out


def write_ply(
    file: Path,
    vertices: NDArray[np.float64],
    faces: NDArray[np.int64],
    normals: NDArray[np.float64] | None = None,
    uv: NDArray[np.float64] | None = None,
) -> None:
    """Binary PLY with what Mitsuba reads: positions, and where given normals and texture coordinates."""
    columns = [vertices]
    names = ["x", "y", "z"]
    if normals is not None:
        columns.append(normals)
        names += ["nx", "ny", "nz"]
    if uv is not None:
        columns.append(uv)
        names += ["u", "v"]
    table = np.hstack(columns).astype("<f4")
    lists = np.empty(len(faces), dtype=[("n", "u1"), ("i", "<i4", (3,))])
    lists["n"], lists["i"] = 3, faces
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(table)}"]
    header += [f"property float {name}" for name in names]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header", ""]
    file.write_bytes("\n".join(header).encode("ascii") + table.tobytes() + lists.tobytes())


__all__ = ["CHANNEL_NANOMETRES", "Set", "about_x", "arranged", "scene_dict", "write_ply"]
