"""The solitaire of benchmarks/shape.py as a B-rep, by build123d: run by it, in an environment of its own.

Reads one drawing a line (JSON, mm) from standard input, and answers each with the seconds of one core that it took and
the volumes of the ring and of its shank alone.
"""

import json
import math
import sys
import time
from importlib.metadata import version
from typing import Any

import build123d as b3d
from build123d import Axis, Plane, Pos, Rot, Vector

Drawing = dict[str, Any]


def ring_of(kind: str, drawing: Drawing) -> tuple[Any, Any, Any]:
    """Ring, shank alone, stone."""
    bore, thickness = drawing["bore"], drawing["thickness"]
    section = Pos(bore / 2 + thickness / 2, 0) * b3d.Rectangle(thickness, drawing["width"])
    section = b3d.fillet(section.vertices(), drawing["edge"])
    shank = b3d.revolve(section, axis=Axis.Y)
    place = Pos(0, 0, drawing["girdle"])
    one_claw = [straight_claw(drawing)] if kind == "plain" else bent_claw(drawing)
    head = [Rot(0, 0, turn) * part for turn in drawing["turns"] for part in one_claw]
    if kind != "plain":
        head += [Pos(0, 0, height) * b3d.Torus(radius, drawing["rail_radius"]) for height, radius in drawing["rails"]]
    metal = shank.fuse(*[place * part for part in head])
    body = faceted if kind == "the same" else turned
    room, stone = (place * body(drawing, name) for name in ("room", "stone"))
    finger = Rot(90, 0, 0) * b3d.Cylinder(bore / 2, 60)
    return metal.cut(room, finger), shank, stone


def bent_claw(drawing: Drawing) -> list[Any]:
    """A wire along a spline, its foot a ball; its tip a cone between two balls, turned in one go."""
    points = [Vector(*point) for point in drawing["stem"]]
    path = b3d.Spline(*points)
    foot, neck = drawing["stem_radii"]
    ends = [Plane(origin=path @ at, z_dir=path % at) * b3d.Circle(radius) for at, radius in ((0, foot), (1, neck))]
    stem = b3d.sweep(ends, path=path, multisection=True)
    start, end = (Vector(*point) for point in drawing["tip"])
    first, last = drawing["tip_radii"]
    length = (end - start).length
    with b3d.BuildPart() as tip:
        with b3d.BuildSketch(Plane.XZ):
            with b3d.BuildLine():
                b3d.CenterArc((0, 0), first, -90, 90)
                b3d.Line((first, 0), (last, length))
                b3d.CenterArc((0, length), last, 0, 90)
                b3d.Line((0, length + last), (0, -first))
            b3d.make_face()
        b3d.revolve(axis=Axis.Z)
    return [stem, Pos(points[0]) * b3d.Sphere(foot), Plane(origin=start, z_dir=end - start).location * tip.part]


def straight_claw(drawing: Drawing) -> Any:
    """A cylinder from the foot of the claw to over the girdle, as high as the tip."""
    foot, beside = Vector(*drawing["stem"][0]), Vector(*drawing["stem"][-1])
    along = (beside - foot).normalized()
    length = (drawing["tip"][1][2] - foot.Z) / along.Z
    ends = (b3d.Align.CENTER, b3d.Align.CENTER, b3d.Align.MIN)
    return Plane(origin=foot, z_dir=along).location * b3d.Cylinder(drawing["stem_radii"][0], length, align=ends)


def faceted(drawing: Drawing, name: str) -> Any:
    """A solid of flat facets."""
    polygons = ([Vector(*corner) for corner in corners] for corners in drawing["facets"][name])
    return b3d.Solid(b3d.Shell([b3d.Face(b3d.Wire.make_polygon(polygon, close=True)) for polygon in polygons]))


def turned(drawing: Drawing, name: str) -> Any:
    """The same of cones."""
    outline = b3d.Polyline(*[Vector(radius, 0, height) for radius, height in drawing["turned"][name]], close=True)
    return b3d.revolve(b3d.make_face(outline), axis=Axis.Z)


def main() -> None:
    print(json.dumps({"about": f"build123d {version('build123d')}, OCP {version('cadquery-ocp-novtk')}"}), flush=True)
    for line in sys.stdin:
        drawing = json.loads(line)
        start = time.process_time()
        ring, shank, _ = ring_of(drawing["kind"], drawing)
        seconds = time.process_time() - start
        solids = ring.solids()
        if len(solids) != 1 or not ring.is_valid or not math.isfinite(ring.volume):
            sys.exit(f"The B-rep is no sound ring: {len(solids)} solids, valid: {ring.is_valid}")
        print(json.dumps({"seconds": seconds, "volume": ring.volume, "shank": shank.volume}), flush=True)


if __name__ == "__main__":
    main()
