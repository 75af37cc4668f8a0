"""Models that others made: read as their format says, scaled to what they are, closed where that is honest."""

import contextlib
import copy
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manifold3d import Manifold, OpType
from scipy.spatial.transform import Rotation

from jewel_assets.lake import Item, Lake, Made, Rejected, run_stage
from jewel_assets.lake.schema import ITEM_SCHEMA
from jewel_assets.shape.castability import check
from jewel_assets.shape.castability.surface import Surface
from jewel_assets.shape.files import write_glb
from jewel_assets.shape.foreign import ConvertModel, conversion_table
from jewel_assets.shape.foreign.archive import LIMITS, Limits, ModelFile, open_model
from jewel_assets.shape.foreign.convert import Converted, convert
from jewel_assets.shape.foreign.flatten import flatten
from jewel_assets.shape.foreign.gltf import Gltf
from jewel_assets.shape.foreign.looks import look_of, looks_of
from jewel_assets.shape.foreign.repairs import REPAIRS
from jewel_assets.shape.foreign.scale import SIZES, UNITS_MM, choose_scale
from jewel_assets.shape.foreign.thumbnail import thumbnail
from jewel_assets.shape.foreign.unusable import Unusable
from jewel_assets_tests.shape.foreign_files import UPRIGHT, Builder, one_mesh, packed
from jewel_assets_tests.shape.sound import solitaire
from jewel_assets_tests.shape.test_files import validated

SCALE = 1e-3  # the shapes below are in mm, files in metres


def torus(sides: int = 48) -> trimesh.Trimesh:
    """A plain ring of 22.4 mm."""
    return trimesh.creation.torus(10.0, 1.2, sides, 16)


def converted(*shapes: trimesh.Trimesh, category: str = "ring", factor: float = SCALE) -> Converted:
    """The shapes, each a node of its own."""
    builder = Builder()
    for number, shape in enumerate(shapes):
        places = shape.vertices * factor @ UPRIGHT.T
        builder.node(mesh=builder.mesh(builder.primitive(places, shape.faces)), name=f"part {number}")
    return convert(builder.glb(), category)


def reread(found: Converted) -> trimesh.Trimesh:
    """The STL as anyone reads it."""
    return trimesh.load(io.BytesIO(found.stl), file_type="stl", force="mesh")


def refusal(content: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(Unusable) as raised:
        convert(content, "ring", limits)
    return raised.value.reason


# ------------------------------------------------------------------ reading


def test_metres_become_millimetres_and_y_up_becomes_z_up() -> None:
    shape = trimesh.creation.box((30, 20, 10))
    found = converted(shape)
    assert [found.facts[f"extent_{axis}_mm"] for axis in "xyz"] == pytest.approx([30, 20, 10], abs=1e-4)
    assert found.facts["volume_mm3"] == pytest.approx(6000, rel=1e-6)
    assert found.facts["area_mm2"] == pytest.approx(2200, rel=1e-6)
    assert found.facts["unit_factor"] == 1000.0
    read = reread(found)
    assert read.is_watertight
    assert read.extents == pytest.approx([30, 20, 10], abs=1e-4)
    assert read.volume == pytest.approx(6000, rel=1e-5)
    assert len(read.faces) == found.facts["faces"] == 12
    assert found.facts["repair"] == "none needed"
    seen = trimesh.load_scene(io.BytesIO(found.glb), file_type="glb")
    assert seen.extents == pytest.approx([0.03, 0.01, 0.02], abs=1e-6)


def test_nodes_move_turn_scale_and_mirror_what_hangs_from_them() -> None:
    builder = Builder()
    mesh = builder.mesh(builder.primitive(trimesh.creation.box((4, 4, 4)).vertices, trimesh.creation.box().faces))
    child = builder.node(mesh=mesh, translation=[3, 0, 0], rotation=[0, 0, 0.5**0.5, 0.5**0.5])
    mirrored = builder.node(mesh=mesh, scale=[-1, 1, 1], translation=[-10, 0, 0])
    matrix = np.diag([1e-3, 1e-3, 2e-3, 1.0])
    matrix[:3, 3] = [0, 0.005, 0]
    root = builder.node(children=[child, mirrored], matrix=matrix.T.reshape(-1).tolist())
    found = convert(builder.glb(scene=0, scenes=[{"nodes": [root]}]), "ring")
    assert found.facts["parts"] == 2
    assert [found.facts[f"extent_{axis}_mm"] for axis in "xyz"] == pytest.approx([17, 8, 4], abs=1e-4)
    assert found.facts["volume_mm3"] == pytest.approx(2 * 64 * 2, rel=1e-5)
    assert found.facts["repair"] == "none needed", "the mirrored one was not inside out"
    low = found.mesh.vertices.min(axis=0)
    assert low == pytest.approx([-12, -4, 3], abs=1e-4), "z up is y of the file, moved by 5 mm"


def test_copies_by_instancing_count_each() -> None:
    builder = one_mesh(trimesh.creation.box((0.01,) * 3).vertices, trimesh.creation.box().faces)
    places = builder.accessor(np.array([[0, 0, 0], [0.015, 0, 0]], "<f4"), "VEC3", 5126)
    builder.document["nodes"][0]["extensions"] = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": places}}}
    found = convert(builder.glb(extensionsRequired=["EXT_mesh_gpu_instancing"]), "ring")
    assert found.facts["extent_x_mm"] == pytest.approx(25, abs=1e-4)
    assert found.facts["bodies"] == 2


def test_a_hidden_node_is_not_shown_and_what_no_scene_shows_is_not_either() -> None:
    builder = one_mesh(trimesh.creation.box((0.02,) * 3).vertices, trimesh.creation.box().faces)
    builder.node(mesh=0, scale=[9, 9, 9], extensions={"KHR_node_visibility": {"visible": False}})
    builder.node(mesh=0, scale=[5, 5, 5])
    found = convert(builder.glb(scenes=[{"nodes": [0, 1]}], scene=0), "ring")
    assert found.facts["extent_x_mm"] == pytest.approx(20, abs=1e-4)


def tetrahedron(**kind: Any) -> bytes:
    builder = Builder()
    places = np.array([[0, 0, 0], [20, 0, 0], [0, 20, 0], [0, 0, 20]], float)
    mode, corners = kind.get("mode", 4), kind.get("corners", [0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3])
    how = kind.get("how", "floats")
    if how == "quantized":  # KHR_mesh_quantization: shorts, interleaved with two bytes of padding
        padded = np.zeros((4, 4), "<u2")
        padded[:, :3] = places
        view = builder.view(padded.tobytes(), byteStride=8)
        builder.document["accessors"].append({"bufferView": view, "componentType": 5123, "count": 4, "type": "VEC3"})
        position = 0
    elif how == "normalized":
        whole = np.zeros((4, 4), "<u2")
        whole[:, :3] = np.rint(places / 20 * 65535)
        view = builder.view(whole.tobytes(), byteStride=8)
        entry = {"bufferView": view, "componentType": 5123, "count": 4, "type": "VEC3", "normalized": True}
        builder.document["accessors"].append(entry)
        position = 0
    elif how == "sparse":
        indices, values = (
            builder.view(np.array([1, 2, 3], "<u2").tobytes()),
            builder.view(places[1:].astype("<f4").tobytes()),
        )
        sparse = {
            "count": 3,
            "indices": {"bufferView": indices, "componentType": 5123},
            "values": {"bufferView": values},
        }
        builder.document["accessors"].append({"componentType": 5126, "count": 4, "type": "VEC3", "sparse": sparse})
        position = 0
    else:
        position = builder.accessor(
            places[corners].astype("<f4") if how == "bare" else places.astype("<f4"), "VEC3", 5126
        )
    primitive: dict[str, Any] = {"attributes": {"POSITION": position}, "mode": mode}
    if how != "bare":
        primitive["indices"] = builder.accessor(np.array(corners, "<u1"), "SCALAR", 5121)
    scale = 20e-3 if how == "normalized" else 1e-3
    builder.node(mesh=builder.mesh(primitive), scale=[scale] * 3)
    return builder.glb(**kind.get("more", {}))


@pytest.mark.parametrize("how", ["floats", "bare", "quantized", "normalized", "sparse"])
def test_places_come_out_the_same_however_they_are_stored(how: str) -> None:
    found = convert(tetrahedron(how=how), "ring")
    assert found.facts["volume_mm3"] == pytest.approx(20**3 / 6, rel=1e-4)
    assert (found.facts["watertight"], found.facts["faces"]) == (True, 4)


def test_strips_and_fans_are_triangles_and_points_and_lines_are_none() -> None:
    strip = convert(tetrahedron(mode=5, corners=[0, 2, 1, 3, 0, 2]), "ring")
    assert strip.facts["volume_mm3"] == pytest.approx(20**3 / 6, rel=1e-4)
    fan = convert(tetrahedron(mode=6, corners=[0, 1, 3, 2, 1]), "ring")
    assert (fan.facts["faces"], fan.facts["open_edges"]) == (3, 3)
    for mode in (0, 1, 2, 3):
        assert refusal(tetrahedron(mode=mode)) == "no surface"


@pytest.mark.parametrize(
    "name", ["KHR_materials_ior", "KHR_texture_transform", "EXT_texture_webp", "KHR_lights_punctual"]
)
def test_what_only_changes_the_look_may_be_required(name: str) -> None:
    assert convert(tetrahedron(more={"extensionsRequired": [name]}), "ring").facts["watertight"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("EXT_meshopt_compression", "meshopt"),
        ("KHR_meshopt_compression", "meshopt"),
        ("EXT_structural_metadata_of_tomorrow", "required extension"),
        (7, "required extension"),
    ],
)
def test_what_changes_the_shape_in_an_unknown_way_is_refused_and_not_half_read(name: Any, why: str) -> None:
    assert refusal(tetrahedron(more={"extensionsRequired": [name]})) == why


def test_meshopt_that_is_not_required_is_read_from_what_it_falls_back_to() -> None:
    builder = Builder()
    primitive = builder.primitive(trimesh.creation.box((0.02,) * 3).vertices, trimesh.creation.box().faces)
    builder.node(mesh=builder.mesh(primitive))
    for view in builder.document["bufferViews"]:
        view["extensions"] = {
            "EXT_meshopt_compression": {"buffer": 1, "byteLength": 9, "count": 8, "mode": "ATTRIBUTES"}
        }
    buffers = [{"byteLength": len(builder.blob)}, {"byteLength": 9}]
    used = builder.document | {"buffers": buffers, "extensionsUsed": ["EXT_meshopt_compression"]}
    assert convert(packed(used, builder.blob), "ring").facts["volume_mm3"] == pytest.approx(8000, rel=1e-5)


# ------------------------------------------------------------------ Draco


def draco(shape: trimesh.Trimesh, data: bytes | None = None, **more: Any) -> bytes:
    import DracoPy

    content = (
        DracoPy.encode(shape.vertices @ UPRIGHT.T, shape.faces, quantization_bits=16, **more) if data is None else data
    )
    builder = Builder()
    view = builder.view(content)
    builder.document["accessors"] += [
        {"componentType": 5126, "count": len(shape.vertices), "type": "VEC3"},
        {"componentType": 5125, "count": 3 * len(shape.faces), "type": "SCALAR"},
    ]
    extension = {"KHR_draco_mesh_compression": {"bufferView": view, "attributes": {"POSITION": 0}}}
    primitive = {"attributes": {"POSITION": 0}, "indices": 1, "extensions": extension}
    builder.node(mesh=builder.mesh(primitive), scale=[1e-3] * 3)
    return builder.glb(extensionsUsed=list(extension), extensionsRequired=list(extension))


@pytest.mark.parametrize("more", [{"compression_level": 0}, {"compression_level": 10}, {"create_metadata": True}])
def test_a_mesh_packed_with_draco_has_its_size_and_volume(more: dict[str, Any]) -> None:
    shape = torus()
    found = convert(draco(shape, **more), "ring")
    assert found.facts["draco"]
    assert found.facts["watertight"]
    assert found.facts["faces"] == len(shape.faces)
    assert found.facts["extent_x_mm"] == pytest.approx(22.4, abs=2e-3)
    assert found.facts["volume_mm3"] == pytest.approx(shape.volume, rel=1e-3)


def test_damaged_draco_is_refused_and_so_is_one_that_claims_billions_of_faces() -> None:
    import DracoPy

    shape = torus()
    data = DracoPy.encode(
        shape.vertices, shape.faces, compression_level=0
    )  # sequential: the count of faces comes first
    cases = {"cut off": data[: len(data) // 2], "no Draco": b"x" * 100, "a few bytes": data[:12]}
    for name, content in cases.items():
        assert refusal(draco(shape, content)) == "damaged Draco", name
    bomb = data[:11] + b"\xff\xff\xff\xff\x0f" + data[13:]
    assert refusal(draco(shape, bomb)) == "too many faces"
    points = DracoPy.encode(shape.vertices)
    assert refusal(draco(shape, points)) == "damaged Draco"


# ------------------------------------------------------------------ damage and bounds


def spoilt(change: Any) -> bytes:
    builder = one_mesh(torus(12).vertices * SCALE, torus(12).faces)
    change(builder.document)
    return builder.glb()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d["nodes"][0].update(children=[0]) or d.update(scenes=[{"nodes": [0]}]), "damaged file"),
        (lambda d: d.update(scenes=[{"nodes": [0, 0]}]), "damaged file"),
        (lambda d: d["nodes"][0].update(mesh=7), "damaged file"),
        (lambda d: d["nodes"][0].update(scale=[1, 2]), "damaged file"),
        (lambda d: d["nodes"][0].update(scale=[0, 0, 0]), "no size"),
        (lambda d: d["nodes"][0].update(translation=["a", 0, 0]), "damaged file"),
        (lambda d: d["nodes"][0].update(matrix=[1e308] * 16), "no surface"),
        (lambda d: d["accessors"][0].update(count=10**6), "damaged file"),
        (lambda d: d["accessors"][0].update(count=3), "damaged file"),
        (lambda d: d["accessors"][0].update(type="VEC2"), "damaged file"),
        (lambda d: d["accessors"][0].pop("bufferView"), "no size"),
        (lambda d: d["accessors"][0].update(count=10**15) or d["accessors"][0].pop("bufferView"), "too many faces"),
        (lambda d: d["accessors"][1].update(count=10**15), "too many faces"),
        (lambda d: d["accessors"][1].update(componentType=5126), "damaged file"),
        (lambda d: d["bufferViews"][0].update(byteLength=10**9), "damaged file"),
        (lambda d: d["bufferViews"][0].update(byteStride=2), "damaged file"),
        (lambda d: d["bufferViews"][0].update(buffer=3), "damaged file"),
        (lambda d: d["meshes"][0]["primitives"][0]["attributes"].clear(), "damaged file"),
        (lambda d: d.update(meshes=[]), "damaged file"),
        (lambda d: d.update(nodes=[]), "no surface"),
    ],
)
def test_a_description_that_contradicts_itself_is_refused_by_name(change: Any, why: str) -> None:
    assert refusal(spoilt(change)) == why


@pytest.mark.filterwarnings("ignore:invalid value")
def test_corners_that_are_no_numbers_are_left_out_and_counted() -> None:
    shape = torus()
    vertices = shape.vertices * SCALE
    vertices[3] = np.nan
    vertices[40] = np.inf
    found = convert(one_mesh(vertices, shape.faces).glb(), "ring")
    assert found.facts["notes"] == ["12 triangles with corners that are no numbers were left out"]
    assert found.facts["watertight"], "the holes that they leave are filled"
    assert found.facts["volume_mm3"] == pytest.approx(shape.volume, rel=0.02)
    assert refusal(one_mesh(np.full((3, 3), np.nan), [[0, 1, 2]]).glb()) == "no surface"


def test_instances_count_against_the_limit_before_anything_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = one_mesh(torus().vertices * SCALE, torus().faces)
    for number in range(9):
        builder.node(mesh=0, translation=[0.1 * number, 0, 0])
    monkeypatch.setattr(Gltf, "shape", None)
    assert refusal(builder.glb(), Limits(triangles=5_000)) == "too many faces"


JUNK = st.sampled_from([None, True, -1, 0, 1, 7, 10**12, 1.5, 1e308, "x", [], {}, [0], [[]], {"a": 1}, [None], [-1, 5]])


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, entry in inner for path in paths(entry, (*here, key)))]


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_stands_in_a_description_it_is_read_or_refused_in_a_sentence(data: st.DataObject) -> None:
    file = open_model(tetrahedron(how=data.draw(st.sampled_from(["floats", "sparse", "quantized"]))))
    document = copy.deepcopy(file.document)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([path for path in paths(document) if path and path[0] != "asset"]))
        entry: Any = document
        for key in path[:-1]:
            entry = entry[key]
        entry[path[-1]] = data.draw(JUNK)
    with contextlib.suppress(Unusable):  # anything else is a fault
        flatten(ModelFile("GLB", document, file.buffers), Limits(triangles=1000, nodes=100))


# ------------------------------------------------------------------ scale


@pytest.mark.parametrize("category", SIZES)
@pytest.mark.parametrize("unit", ["m", "cm", "mm"])
def test_a_typical_piece_has_its_size_whatever_unit_its_author_used(category: str, unit: str) -> None:
    typical = SIZES[category].typical
    found = choose_scale(typical / UNITS_MM[unit], category)
    assert found.unit == unit
    assert typical / UNITS_MM[unit] * found.factor == pytest.approx(typical)
    assert found.kind == ("declared" if unit == "m" else "guessed")


def test_inches_are_believed_only_where_centimetres_make_no_sense() -> None:
    assert choose_scale(25 / 25.4, "ring").unit == "in", "a ring of 9.8 mm fits no finger"
    assert choose_scale(66 / 25.4, "bracelet").unit == "in"
    assert choose_scale(30 / 25.4, "earrings").unit == "cm", "an earring of 12 mm is as good as one of 30"


def test_a_ring_twenty_metres_across_was_drawn_in_millimetres_and_the_row_says_so() -> None:
    found = converted(torus(), factor=1.0)
    assert found.facts["extent_x_mm"] == pytest.approx(22.4, abs=1e-3)
    assert (found.facts["unit"], found.facts["unit_factor"], found.facts["scale_kind"]) == ("mm", 1.0, "guessed")
    assert "22400 mm" in found.facts["scale_reason"].replace("2.24e+04", "22400")
    assert found.facts["scale_reason"].endswith("taken as mm, 22.4 mm.")


def test_a_size_that_fits_no_unit_is_assumed_and_the_row_says_so() -> None:
    found = converted(torus(), factor=2.5 * SCALE)  # 56 mm, 0.56 mm, 0.056 mm, 1.4 mm
    assert (found.facts["unit"], found.facts["scale_kind"]) == (None, "assumed")
    assert max(found.facts[f"extent_{axis}_mm"] for axis in "xyz") == pytest.approx(SIZES["ring"].typical, abs=1e-3)
    assert "a typical one" in found.facts["scale_reason"]


def test_the_category_decides_what_is_plausible() -> None:
    assert choose_scale(0.18, "bracelet").kind == "declared"
    assert choose_scale(0.18, "ring").kind == "assumed"
    assert choose_scale(0.18, "no such thing").kind == "declared"


def test_a_gem_as_large_as_a_head_is_no_jewellery_though_a_necklace_is_as_long() -> None:
    gem = trimesh.creation.icosphere(subdivisions=3, radius=0.19)
    assert choose_scale(0.38, "jewelry", gem.area).unit in ("cm", "in")
    assert "cm2 of surface" in choose_scale(0.38, "jewelry", gem.area).reason
    assert choose_scale(0.38, "jewelry", 0.01).kind == "declared"


@given(st.floats(1e-6, 1e6), st.sampled_from(sorted(SIZES)))
def test_whatever_its_size_a_model_becomes_a_plausible_piece(longest: float, category: str) -> None:
    found = choose_scale(longest, category)
    assert SIZES[category].least * 0.999 <= longest * found.factor <= SIZES[category].most * 1.001


# ------------------------------------------------------------------ closing


def test_corners_doubled_for_normals_and_materials_are_one_surface() -> None:
    shape = torus()
    corners = shape.vertices[shape.faces].reshape(-1, 3) * SCALE @ UPRIGHT.T
    faces = np.arange(len(corners)).reshape(-1, 3)
    builder = Builder()
    half = len(faces) // 2
    looks = [{"name": "gold"}, {"name": "silver"}]
    parts = [builder.primitive(corners, some, material=n) for n, some in enumerate((faces[:half], faces[half:]))]
    builder.node(mesh=builder.mesh(*parts))
    found = convert(builder.glb(materials=looks), "ring")
    assert (found.facts["watertight"], found.facts["repair"], found.facts["bodies"]) == (True, "none needed", 1)
    assert found.facts["vertices"] == len(shape.vertices)
    seen = trimesh.load_scene(io.BytesIO(found.glb), file_type="glb")
    assert sum(len(part.faces) for part in seen.geometry.values()) == len(shape.faces)


def test_a_surface_torn_over_nodes_is_sewn() -> None:
    shape = torus()
    halves = [shape.submesh([np.arange(n, n + len(shape.faces) // 2)], append=True) for n in (0, len(shape.faces) // 2)]
    found = converted(*halves)
    assert (found.facts["watertight"], found.facts["repair"]) == (True, "welded")
    assert found.facts["volume_mm3"] == pytest.approx(shape.volume, rel=1e-4)


def test_a_crack_of_a_hundredth_of_a_millimetre_is_sewn() -> None:
    shape = torus()
    corners = shape.vertices[shape.faces]
    corners[: len(corners) // 2] += [0, 0, 0.008]
    loose = trimesh.Trimesh(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3), process=False)
    found = converted(loose)
    assert (found.facts["watertight"], found.facts["repair"]) == (True, "welded")


@pytest.mark.parametrize("gone", [1, 2, 12, 60])
def test_holes_are_filled_and_the_volume_is_nearly_that_of_the_whole(gone: int) -> None:
    shape = torus()
    shape.update_faces(np.arange(len(shape.faces)) >= gone)
    found = converted(shape)
    assert (found.facts["watertight"], found.facts["repair"]) == (True, "holes filled")
    assert found.facts["holes_filled"] >= 1
    assert found.facts["filled_mm2"] > 0
    assert found.facts["volume_mm3"] == pytest.approx(torus().volume, rel=0.05)
    assert reread(found).is_watertight


def test_a_large_rim_is_closed_in_its_plane() -> None:
    cup = trimesh.creation.cylinder(10, 8, sections=200)
    cup.update_faces(cup.face_normals[:, 2] < 0.9)
    found = converted(cup)
    assert found.facts["repair"] == "holes filled"
    assert found.facts["volume_mm3"] == pytest.approx(np.pi * 100 * 8, rel=0.01)


def test_a_band_without_thickness_gets_no_lids_over_the_finger() -> None:
    band = trimesh.creation.cylinder(10, 4, sections=64)
    band.update_faces(np.abs(band.face_normals[:, 2]) < 0.9)
    found = converted(band)
    assert (found.facts["watertight"], found.facts["repair"]) == (False, "not repaired")
    assert found.facts["volume_mm3"] is None
    assert found.facts["open_edges"] == 128
    assert found.facts["area_mm2"] == pytest.approx(band.area, rel=1e-4)


def test_a_flat_sheet_is_published_open_and_never_called_a_solid() -> None:
    sheet = trimesh.Trimesh([[0, 0, 0], [20, 0, 0], [20, 20, 0], [0, 20, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
    twice = trimesh.util.concatenate([sheet, trimesh.Trimesh(sheet.vertices, sheet.faces[:, ::-1], process=False)])
    for shape in (sheet, twice):
        found = converted(shape)
        assert not found.facts["watertight"]
        assert found.facts["volume_mm3"] is None
        assert found.facts["area_mm2"] == pytest.approx(400, rel=1e-4), "one side of two"


def test_a_moebius_strip_has_no_outside_and_stays_open() -> None:
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rim = [
        [(10 + s * np.cos(t / 2)) * np.cos(t), (10 + s * np.cos(t / 2)) * np.sin(t), s * np.sin(t / 2)]
        for t in turns
        for s in (-2, 2)
    ]
    quads = [(2 * n, 2 * n + 1, 2 * n + 3, 2 * n + 2) for n in range(39)] + [(78, 79, 0, 1)]
    faces = [face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))]
    found = converted(trimesh.Trimesh(rim, faces, process=False))
    assert not found.facts["watertight"]


def test_faces_turned_at_random_and_solids_inside_out_come_out_right() -> None:
    rng = np.random.default_rng(3)
    shape = torus()
    mixed = shape.faces.copy()
    some = rng.random(len(mixed)) < 0.3
    mixed[some] = mixed[some][:, ::-1]
    for faces in (mixed, shape.faces[:, ::-1]):
        found = converted(trimesh.Trimesh(shape.vertices, faces, process=False))
        assert (found.facts["watertight"], found.facts["repair"]) == (True, "faces turned")
        assert reread(found).volume == pytest.approx(shape.volume, rel=1e-4)


@pytest.mark.parametrize("inside_out", [False, True])
def test_a_hollow_stays_hollow(inside_out: bool) -> None:
    outer, inner = trimesh.creation.icosphere(3, 10.0), trimesh.creation.icosphere(3, 8.0)
    inner.invert()
    shell = trimesh.util.concatenate([outer, inner])
    if inside_out:
        shell.invert()
    found = converted(shell)
    assert found.facts["watertight"]
    assert found.facts["volume_mm3"] == pytest.approx(outer.volume - abs(inner.volume), rel=1e-4)


def test_a_stone_in_its_seat_counts_once_where_it_overlaps() -> None:
    one, two = trimesh.creation.box((20, 20, 20)), trimesh.creation.box((10, 10, 10))
    two.apply_translation([0, 0, 10])
    found = converted(one, two)
    assert found.facts["bodies"] == 2
    assert found.facts["volume_mm3"] == pytest.approx(8000 + 500, rel=1e-5)


@pytest.mark.parametrize("apart", [False, True], ids=["one mesh", "two nodes"])
@pytest.mark.parametrize("shift", [(20, 0, 0), (20, 20, 0), (20, 20, 20)], ids=["face", "edge", "corner"])
def test_solids_that_touch_are_watertight_to_any_reader(shift: tuple[int, int, int], apart: bool) -> None:
    one, two = trimesh.creation.box((20, 20, 20)), trimesh.creation.box((20, 20, 20))
    two.apply_translation(shift)
    found = converted(one, two) if apart else converted(trimesh.util.concatenate([one, two]))
    assert found.facts["watertight"]
    assert reread(found).is_watertight
    assert found.facts["volume_mm3"] == pytest.approx(16000, rel=1e-3)


def test_a_wall_within_a_solid_does_not_keep_it_from_being_cast() -> None:
    one, two = trimesh.creation.box((10, 20, 20)), trimesh.creation.box((10, 20, 20))
    two.apply_translation((10, 0, 0))
    joint = trimesh.util.concatenate([one, two])
    joint.merge_vertices()
    wall = (np.abs(joint.triangles_center[:, 0] - 5) < 1e-6) & (joint.face_normals[:, 0] > 0)
    joint.update_faces(~wall)  # of the two walls between the halves, one is left
    found = converted(joint)
    assert found.facts["watertight"]
    assert found.facts["volume_mm3"] == pytest.approx(8000, rel=1e-3)


def test_triangles_that_are_there_twice_go() -> None:
    shape = torus()
    found = converted(trimesh.Trimesh(shape.vertices, np.vstack([shape.faces, shape.faces[:50]]), process=False))
    assert (found.facts["watertight"], found.facts["repair"]) == (True, "doubles removed")
    assert found.facts["faces"] == len(shape.faces)


def test_a_fin_left_by_a_failed_boolean_is_cut_out() -> None:
    shape = torus(96)
    a, b = shape.faces[100, :2]
    tips = np.vstack([shape.vertices, shape.vertices[a] + [0.0, 0.0, 0.3], shape.vertices[b] + [0.1, 0.0, 0.3]])
    n = len(shape.vertices)
    found = converted(trimesh.Trimesh(tips, np.vstack([shape.faces, [[a, b, n], [b, n + 1, n]]]), process=False))
    assert found.facts["watertight"], found.facts
    assert found.facts["volume_mm3"] == pytest.approx(shape.volume, rel=0.01)


def test_only_points_and_lines_are_no_surface() -> None:
    line = trimesh.Trimesh([[0, 0, 0], [20, 0, 0], [10, 0, 0]], [[0, 1, 2]], process=False)
    builder = one_mesh(line.vertices * SCALE, line.faces)
    assert refusal(builder.glb()) == "no surface"
    builder = one_mesh(np.zeros((3, 3)), [[0, 1, 2]])
    assert refusal(builder.glb()) == "no size"


# ------------------------------------------------------------------ invariants


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    turn=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: sum(x * x for x in q) > 0.01),
    unit=st.sampled_from(sorted(UNITS_MM)),
    mirrored=st.booleans(),
    flipped=st.sets(st.integers(0, 1535), max_size=60),
    inverted=st.booleans(),
    shift=st.tuples(*[st.floats(-2, 2)] * 3),
)
def test_place_unit_mirroring_and_winding_change_neither_volume_nor_closedness(
    turn: tuple[float, ...], unit: str, mirrored: bool, flipped: set[int], inverted: bool, shift: tuple[float, ...]
) -> None:
    shape = torus()
    faces = shape.faces[:, ::-1].copy() if inverted else shape.faces.copy()
    some = sorted(flipped)
    faces[some] = faces[some][:, ::-1]
    quaternion = Rotation.from_quat(turn).as_quat().tolist()
    scale = 1.0 / UNITS_MM[unit]
    node = {"rotation": quaternion, "scale": [-scale if mirrored else scale, scale, scale]}
    node["translation"] = [value * 22 * scale for value in shift]
    found = convert(one_mesh(shape.vertices, faces, **node).glb(), "ring")
    assert found.facts["unit"] == unit
    assert found.facts["watertight"]
    assert found.facts["volume_mm3"] == pytest.approx(shape.volume, rel=1e-3)
    assert found.facts["area_mm2"] == pytest.approx(shape.area, rel=1e-3)
    assert reread(found).is_watertight


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(*[st.floats(-8, 8)] * 3), min_size=1, max_size=4))
def test_the_volume_of_solids_that_overlap_is_that_of_their_union(places: list[tuple[float, float, float]]) -> None:
    ball = Manifold.sphere(7.5, 24)
    solids = [ball.translate(place) for place in places]
    shapes = []
    for solid in solids:
        mesh = solid.to_mesh64()
        shapes.append(trimesh.Trimesh(mesh.vert_properties, mesh.tri_verts, process=False))
    found = converted(*shapes)
    united = Manifold.batch_boolean(solids, OpType.Add)
    assert found.facts["watertight"]
    assert found.facts["volume_mm3"] / (found.facts["unit_factor"] * SCALE) ** 3 == pytest.approx(
        united.volume(), rel=5e-3
    )


def test_equal_bytes_give_equal_files() -> None:
    data = one_mesh(torus().vertices * SCALE, torus().faces[5:]).archive()
    one, two = convert(data, "ring"), convert(data, "ring")
    assert (one.stl, one.glb, one.facts) == (two.stl, two.glb, two.facts)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_called_watertight_is_so_in_the_file_itself(seed: int) -> None:
    """Whatever is torn out of a piece: the claim is checked by another program's reading of the STL."""
    rng = np.random.default_rng(seed)
    shape = torus(64)
    shape.update_faces(rng.random(len(shape.faces)) > 0.05 * (seed + 1))
    found = converted(shape)
    assert found.facts["watertight"] == reread(found).is_watertight
    assert (found.facts["volume_mm3"] is None) != found.facts["watertight"]
    assert (found.facts["open_edges"] == 0) or not found.facts["watertight"]


# ------------------------------------------------------------------ looks and files


def test_plain_colours_are_kept_textures_dropped_and_stones_told_by_name_or_clearness() -> None:
    gold = look_of({"name": "Gold_Material", "pbrMetallicRoughness": {"baseColorFactor": [1, 0.7, 0.3, 1.0]}})
    assert (gold.colour, gold.metallic, gold.gem) == ((1.0, 0.7, 0.3, 1.0), 1.0, False)
    assert gold.house[0] == "metal"
    assert "yellow" in gold.house[1]
    glass = {
        "name": "Mat.001",
        "alphaMode": "BLEND",
        "pbrMetallicRoughness": {"baseColorFactor": [0.9, 0.01, 0.02, 0.3]},
    }
    assert look_of(glass).gem
    assert look_of(glass).house == ("gem", "ruby")
    assert look_of({"name": "Diamond"}).gem
    assert not look_of({"name": "silver_gemstone_setting"}).gem
    old = {"extensions": {"KHR_materials_pbrSpecularGlossiness": {"diffuseFactor": [0.1, 0.2, 0.3, 1]}}}
    assert look_of(old).colour == (0.1, 0.2, 0.3, 1.0)
    assert look_of({"pbrMetallicRoughness": {"baseColorFactor": "red", "metallicFactor": None}}).metallic == 1.0
    assert looks_of([{"name": "m"}], [("Gem_1", 0), ("gem 2", 0)])[0].gem
    assert not looks_of([{"name": "m"}], [("Gem_1", 0), ("shank", 0)])[0].gem


def files_of_all_kinds() -> dict[str, bytes]:
    builder = one_mesh(torus().vertices * SCALE, torus().faces)
    builder.document["meshes"][0]["primitives"][0]["material"] = 0
    gem = trimesh.creation.icosphere(1, 0.003).vertices
    builder.node(mesh=builder.mesh(builder.primitive(gem, trimesh.creation.icosphere(1).faces, material=1)))
    clear = {"name": "Gem \u2666", "alphaMode": "BLEND", "pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1, 0.4]}}
    band = trimesh.creation.cylinder(0.01, 0.004)
    band.update_faces(np.abs(band.face_normals[:, 2]) < 0.9)
    return {
        "two materials": builder.glb(materials=[{"name": "gold"}, clear]),
        "open": one_mesh(band.vertices, band.faces).glb(),
        "archive": builder.archive(),
        "large": one_mesh(trimesh.creation.icosphere(6, 0.01).vertices, trimesh.creation.icosphere(6).faces).glb(),
    }


def test_the_khronos_validator_finds_no_error_and_no_warning(tmp_path: Path) -> None:
    for name, content in files_of_all_kinds().items():
        (tmp_path / f"{name}.glb").write_bytes(convert(content, "ring").glb)
    for path, issues in validated(sorted(tmp_path.iterdir()), Path(__file__).parent).items():
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), (path, issues["messages"])


def test_the_stl_is_binary_in_millimetres_with_normals_that_look_out() -> None:
    content = converted(torus()).stl
    count = struct.unpack("<I", content[80:84])[0]
    assert len(content) == 84 + 50 * count
    assert content[:5] != b"solid"
    assert b"mm" in content[:80]
    rows = np.frombuffer(content, np.dtype([("n", "<f4", 3), ("c", "<f4", (3, 3)), ("a", "<u2")]), offset=84)
    middle = rows["c"].mean(axis=1)
    tube = middle * [1, 1, 0]
    tube *= 10 / np.linalg.norm(tube, axis=1, keepdims=True)
    assert (np.einsum("ij,ij->i", rows["n"], middle - tube) > 0).all()


def test_a_thumbnail_shows_the_piece_on_pale_paper() -> None:
    found = converted(torus())
    picture = thumbnail(found.mesh, found.looks, "ring")
    assert picture.shape == (160, 160, 3)
    assert picture[0, 0].min() > 240
    assert 0.05 < (picture.min(axis=2) < 235).mean() < 0.7


def test_a_piece_of_our_own_comes_back_with_its_size_and_volume() -> None:
    piece = solitaire()
    found = convert(write_glb(piece), "ring")
    low, high = piece.bounds()
    assert [found.facts[f"extent_{axis}_mm"] for axis in "xyz"] == pytest.approx((high - low).tolist(), abs=2e-3)
    assert found.facts["watertight"]
    united = Manifold.batch_boolean([body.solid for body in piece.bodies], OpType.Add)
    assert found.facts["volume_mm3"] == pytest.approx(united.volume(), rel=1e-3)


# ------------------------------------------------------------------ the stage


def table_of(lake: Lake, contents: dict[str, tuple[bytes, str]], category: str = "ring") -> pa.Table:
    rows = []
    for name, (content, media_type) in contents.items():
        blob = lake.blobs.put(content, media_type)
        row = {"item_id": f"sketchfab:{name}", "category": category, "sha256": blob.sha256, "media_type": media_type}
        row |= {"bytes": blob.bytes, "source": "sketchfab", "source_id": name, "licence": "CC-BY-4.0", "author": "A"}
        rows.append(row | {"may_train": False})
    return pa.Table.from_pylist(rows, schema=ITEM_SCHEMA)


def test_models_are_published_with_their_files_and_refused_ones_with_their_reason(lake_root: str) -> None:
    lake = Lake(lake_root)
    box = one_mesh(torus().vertices * SCALE, torus().faces)
    contents = {
        "archive": (box.archive(), "application/zip"),
        "glb": (box.glb(), "model/gltf-binary"),
        "open": (files_of_all_kinds()["open"], "model/gltf-binary"),
        "broken": (b"PK\x03\x04 cut off", "application/zip"),
        "meshopt": (tetrahedron(more={"extensionsRequired": ["EXT_meshopt_compression"]}), "model/gltf-binary"),
    }
    items = table_of(lake, contents)
    done = run_stage(lake, ConvertModel(), items, "stl_models", "ring", workers=1)
    assert (done.ok, done.rejected, done.failed) == (3, 2, 0)
    assert done.reasons == {"damaged file": 1, "meshopt": 1}
    rows = {row["source_id"]: row for row in lake.dataset("stl_models").read("ring").to_pylist()}
    assert set(rows) == {"archive", "glb", "open"}
    assert rows["archive"]["media_type"] == "model/stl"
    assert rows["archive"]["parent_sha256"] == items.to_pylist()[0]["sha256"]
    assert rows["archive"]["sha256"] == rows["glb"]["sha256"], "the same triangles, the same file"
    assert rows["archive"]["licence"] == "CC-BY-4.0"
    for row in rows.values():
        assert lake.blobs.get(row["sha256"], "model/stl")[:6] == b"binary"
        assert lake.blobs.get(row["glb_sha256"], "model/gltf-binary")[:4] == b"glTF"
        assert lake.blobs.get(row["preview_sha256"], "image/png")[:4] == b"\x89PNG"
        assert row["repair"] in REPAIRS
        assert (row["volume_mm3"] is None) == (not row["watertight"])
    assert not rows["open"]["watertight"]
    summary = conversion_table(lake.dataset("stl_models").read("ring"))
    assert list(summary) == ["none needed", "not repaired"]
    assert (summary["none needed"]["models"], summary["not repaired"]["watertight"]) == (2, 0)
    again = run_stage(lake, ConvertModel(), items, "stl_models", "ring", workers=1)
    assert again.attempted == 0


def test_the_same_bytes_are_another_result_in_another_category(lake_root: str) -> None:
    lake = Lake(lake_root)
    content = {"a": (one_mesh(torus().vertices, torus().faces, scale=[0.005] * 3).glb(), "model/gltf-binary")}
    stage = ConvertModel()
    keys = {stage.key(table_of(lake, content, category).to_pylist()[0]) for category in ("ring", "bracelet")}
    assert len(keys) == 2
    results = []
    for category in ("ring", "bracelet"):
        row = table_of(lake, content, category).to_pylist()[0]
        results += stage.process([Item(row, lake.blobs)])
    assert all(isinstance(result, Made) for result in results)
    assert [result.columns["scale_kind"] for result in results] == ["assumed", "declared"]


def test_a_refusal_says_what_to_do(lake_root: str) -> None:
    lake = Lake(lake_root)
    row = table_of(lake, {"a": (b"glTF", "model/gltf-binary")}).to_pylist()[0]
    (result,) = ConvertModel().process([Item(row, lake.blobs)])
    assert isinstance(result, Rejected)
    assert result.reason == "damaged file"
    assert result.error.endswith("Download it again.")


# ------------------------------------------------------------------ real models


def as_glb(path: Path) -> bytes:
    """A file of the shared models as a GLB: one that is another format has its numbers put in unchanged."""
    if path.suffix == ".glb":
        return path.read_bytes()
    shape = trimesh.load(path, process=False, force="mesh")
    return one_mesh(shape.vertices, shape.faces, upright=False).glb()


@pytest.mark.shared
def test_real_models_are_converted_and_nearly_all_become_watertight(shared: Path, tmp_path: Path) -> None:
    names = sorted(path for path in (shared / "data" / "models3d").iterdir() if path.stat().st_size < 800_000)
    closed, kinds = {}, {}
    for path in names:
        found = convert(as_glb(path), "ring")
        closed[path.name] = found.facts["watertight"]
        kinds[path.name] = found.facts["draco"]
        assert found.facts["watertight"] == reread(found).is_watertight, path.name
        assert 14 < max(found.facts[f"extent_{axis}_mm"] for axis in "xyz") < 46
        (tmp_path / f"{path.stem}.glb").write_bytes(found.glb)
    assert len(closed) >= 12
    assert sum(closed.values()) >= len(closed) - 1, closed
    assert kinds["mdurks__RingKnot.glb"], "which needs Draco"
    for path, issues in validated(sorted(tmp_path.iterdir()), Path(__file__).parent).items():
        assert issues["numErrors"] == 0, (path, issues["messages"])


@pytest.mark.shared
def test_the_same_ring_packed_with_draco_and_plain_is_the_same_ring(shared: Path) -> None:
    folder = shared / "data" / "models3d"
    names = ("mdurks__RingKnot.glb", "mdurks-ring-configurator__RingKnot.glb")
    one, two = (convert((folder / name).read_bytes(), "ring").facts for name in names)
    assert (one["draco"], two["draco"]) == (True, False)
    assert one["volume_mm3"] == pytest.approx(two["volume_mm3"], rel=1e-5)


@pytest.mark.shared
def test_a_real_ring_whose_boolean_failed_can_be_checked_by_the_caster(shared: Path) -> None:
    path = shared / "data" / "models3d" / "mdurks-ring-configurator__Ring_-_Simple_Oval_Center.glb"
    found = convert(path.read_bytes(), "ring")
    assert (found.facts["repair"], found.facts["watertight"]) == ("rebuilt", True)
    read = reread(found)
    report = check(Surface(np.asarray(read.vertices, float), np.asarray(read.faces, np.int64)))
    assert not report.of("open edges", "flipped faces", "inside out")
    assert json.loads(report.json_text())["castings"][0]["faces"] == found.facts["faces"]
