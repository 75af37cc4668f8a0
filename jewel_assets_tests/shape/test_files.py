"""Files: what is written is valid and reads back the same; what is read is whole, or there is a sentence about it."""

import json
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from manifold3d import CrossSection, Manifold

from jewel_assets.errors import Permanent
from jewel_assets.shape.castability import check
from jewel_assets.shape.files import read_mesh, write_3mf, write_glb, write_ply, write_stl
from jewel_assets.shape.files.shading import METAL_CREASE_DEGREES, shaded
from jewel_assets.shape.files.solids import triangles
from jewel_assets.shape.piece import Body, Piece
from jewel_assets_tests.shape.sound import eternity, solitaire, watch

WRITERS: dict[str, Callable[..., bytes]] = {"glb": write_glb, "stl": write_stl, "ply": write_ply, "3mf": write_3mf}
PIECES = {"solitaire": solitaire, "eternity": eternity, "watch": watch}


@pytest.fixture(scope="module")
def ring() -> Piece:
    return solitaire()


def document(glb: bytes) -> dict[str, Any]:
    length = struct.unpack("<I", glb[12:16])[0]
    return dict(json.loads(glb[20 : 20 + length]))


@pytest.mark.parametrize("kind", WRITERS)
def test_a_written_piece_reads_back_with_its_size_volume_and_place(kind: str, ring: Piece, tmp_path: Path) -> None:
    path = tmp_path / f"ring.{kind}"
    content = WRITERS[kind](ring, path)
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]  # nothing half-written is left beside it
    read = read_mesh(path)
    assert read.unit_known
    casting = ring.castings()[0]
    box = np.array(casting.bounding_box())
    assert read.vertices.min(axis=0) == pytest.approx(box[:3], abs=1e-3)
    assert read.vertices.max(axis=0) == pytest.approx(box[3:], abs=1e-3)
    report = check(read)
    assert report.castings[0].volume_mm3 == pytest.approx(casting.volume(), rel=1e-4)
    assert report.castable, report.text()


@pytest.mark.parametrize("kind", WRITERS)
def test_equal_pieces_give_equal_bytes(kind: str) -> None:
    assert WRITERS[kind](solitaire()) == WRITERS[kind](solitaire())


def test_stones_are_left_out_of_stl_unless_asked_for(ring: Piece) -> None:
    bare, full = write_stl(ring), write_stl(ring, stones=True)
    stone = ring.stones[0].solid.num_tri()
    assert (len(full) - len(bare)) == 50 * stone
    assert bare[:5] != b"solid"
    assert struct.unpack("<I", bare[80:84])[0] == ring.castings()[0].num_tri()


def test_a_glb_names_every_body_in_groups_and_says_what_it_is(ring: Piece) -> None:
    said = document(write_glb(ring))
    names = {node["name"]: node for node in said["nodes"]}
    assert {"shank", "claws", "centre stone", "metal", "stones"} < set(names)
    root = said["nodes"][said["scenes"][0]["nodes"][0]]
    assert [said["nodes"][child]["name"] for child in root["children"]] == ["metal", "stones"]
    assert root["extras"]["design"] == ring.design
    assert root["extras"]["alloys"] == ["18k-yellow"]
    assert root["extras"]["grams"] == pytest.approx(15.45 * sum(body.volume for body in ring.metal) / 1000, rel=1e-4)
    assert root["extras"]["carats"] == names["centre stone"]["extras"]["carats"] > 0.9
    assert said["asset"]["generator"].startswith("jewel-assets")


def test_gems_bend_colour_and_disperse_light_as_their_species_does(ring: Piece) -> None:
    looks = {look["name"]: look for look in document(write_glb(ring))["materials"]}
    diamond = looks["diamond"]["extensions"]
    assert diamond["KHR_materials_ior"]["ior"] == pytest.approx(2.417, abs=1e-3)
    assert diamond["KHR_materials_dispersion"]["dispersion"] == pytest.approx(0.36, abs=0.03)
    assert diamond["KHR_materials_transmission"]["transmissionFactor"] == 1.0
    assert diamond["KHR_materials_volume"]["thicknessFactor"] == pytest.approx(0.0039, abs=0.0004)
    gold = looks["18k-yellow"]["pbrMetallicRoughness"]
    assert gold["metallicFactor"] == 1.0
    red, _, blue, _ = gold["baseColorFactor"]
    assert red > 1.5 * blue


def test_equal_stones_share_one_mesh_and_stand_where_they_were_set() -> None:
    piece = eternity(12)
    said = document(write_glb(piece))
    meshes = {node["mesh"] for node in said["nodes"] if node["name"].startswith("melee")}
    assert len(meshes) == 2  # a diamond and a ruby
    scene = trimesh.load_scene(trimesh.util.wrap_as_stream(write_glb(piece)), file_type="glb")
    for stone in piece.stones:
        transform, geometry = scene.graph[stone.name]
        found = trimesh.transform_points(scene.geometry[geometry].vertices, transform) * 1000
        found = np.column_stack([found[:, 0], -found[:, 2], found[:, 1]])  # y up -> z up
        box = np.array(stone.solid.bounding_box())
        assert found.min(axis=0) == pytest.approx(box[:3], abs=1e-4)
        assert found.max(axis=0) == pytest.approx(box[3:], abs=1e-4)


def test_the_links_of_a_chain_share_their_mesh_and_lie_where_they_did() -> None:
    link = Manifold.revolve(CrossSection.circle(0.5, 12).translate((2, 0)), 24).scale((1.4, 1, 1))
    places = [link.rotate((20 * n, 5 * n, 90 * n)).translate((3 * n, n, 0)) for n in range(8)]
    bodies = tuple(Body(f"link {n}", place, "metal", "925-silver") for n, place in enumerate(places))
    piece = Piece("bracelet", "chain", bodies, moving=tuple((body.name,) for body in bodies))
    content = write_glb(piece)
    assert len(document(content)["meshes"]) == 1
    scene = trimesh.load_scene(trimesh.util.wrap_as_stream(content), file_type="glb")
    for body in bodies:
        transform, geometry = scene.graph[body.name]
        found = trimesh.transform_points(scene.geometry[geometry].vertices, transform) * 1000
        box = np.array(body.solid.bounding_box())
        assert [found[:, 0].min(), -found[:, 2].max(), found[:, 1].min()] == pytest.approx(box[:3].tolist(), abs=1e-4)


def test_a_stone_that_is_no_moved_copy_gets_a_mesh_of_its_own() -> None:
    piece = eternity(4)
    odd = piece.stones[2]
    changed = type(odd)(**{**odd.__dict__, "solid": odd.solid.scale((1.01, 1, 1))})
    bodies = tuple(changed if body is odd else body for body in piece.bodies)
    said = document(write_glb(Piece(piece.category, piece.family, bodies)))
    assert len({node["mesh"] for node in said["nodes"] if node["name"].startswith("melee")}) == 3


def test_a_cylinder_is_shaded_round_and_its_rim_sharp() -> None:
    vertices, faces = triangles(Manifold.cylinder(4, 2, 2, 32))
    positions, normals, shaded_faces = shaded(vertices, faces, METAL_CREASE_DEGREES)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1)
    assert len(shaded_faces) == len(faces)
    side = np.abs(normals[:, 2]) < 0.5
    assert np.allclose(normals[side, 2], 0, atol=1e-6)
    outward = positions[side, :2] / np.linalg.norm(positions[side, :2], axis=1, keepdims=True)
    assert (np.einsum("ij,ij->i", outward, normals[side, :2]) > 0.999).all()  # radial: no facet is seen
    assert np.allclose(np.abs(normals[~side, 2]), 1)
    assert np.allclose(positions[shaded_faces], vertices[faces])


def test_a_3mf_has_millimetres_and_every_body_by_name(ring: Piece, tmp_path: Path) -> None:
    path = tmp_path / "ring.3mf"
    write_3mf(ring, path, stones=True)
    with zipfile.ZipFile(path) as package:
        model = package.read("3D/3dmodel.model").decode()
    assert 'unit="millimeter"' in model
    assert all(f'name="{name}"' in model for name in ("shank", "claws", "solitaire", "centre stone"))
    scene = trimesh.load_scene(path)
    stone = scene.geometry["centre stone"]
    assert stone.volume == pytest.approx(ring.stones[0].volume, rel=1e-4)


# ------------------------------------------------------------------ the Khronos validator

_ASK = """
const validator = require('gltf-validator'), fs = require('fs');
(async () => {
  const out = {};
  for (const file of process.argv.slice(1))
    out[file] = (await validator.validateBytes(new Uint8Array(fs.readFileSync(file)), {maxIssues: 50})).issues;
  console.log(JSON.stringify(out));
})();
"""


def validated(paths: list[Path], cwd: Path) -> dict[str, Any]:
    """What the Khronos glTF validator says of each file; skips where it is not installed."""
    command = ["node", "-e", _ASK, *map(str, paths)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)
    except FileNotFoundError:
        pytest.skip("node is not installed, so the Khronos validator cannot run.")
    if "Cannot find module 'gltf-validator'" in done.stderr:
        pytest.skip(
            "The Khronos validator is not installed: npm install gltf-validator beside the checkout or globally."
        )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_khronos_validator_finds_no_error_and_no_warning(tmp_path: Path) -> None:
    paths = []
    for name, build in PIECES.items():
        paths.append(tmp_path / f"{name}.glb")
        write_glb(build(), paths[-1])
    for path, issues in validated(paths, Path(__file__).parent).items():
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), (path, issues["messages"])


# ------------------------------------------------------------------ reading


def box_stl(tmp_path: Path, size: float = 10.0, name: str = "box.stl") -> Path:
    path = tmp_path / name
    body = Body("box", Manifold.cube((size, size, size)), "metal", "18k-yellow")
    write_stl(Piece("ring", "box", (body,)), path)
    return path


def test_an_implausible_size_changes_the_unit_and_says_so(tmp_path: Path) -> None:
    read = read_mesh(box_stl(tmp_path, 2.0))
    assert (read.unit, read.unit_known) == ("cm", False)
    assert read.size_mm == pytest.approx((20, 20, 20))
    assert "guess" in read.notes[0]
    said = read_mesh(box_stl(tmp_path, 2.0), unit="mm")
    assert said.unit_known
    assert said.size_mm == pytest.approx((2, 2, 2))


def test_scene_transforms_and_mirrored_copies_come_out_right(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    box = trimesh.creation.box((0.01, 0.01, 0.01))
    scene.add_geometry(box, node_name="a", transform=trimesh.transformations.translation_matrix([0.02, 0, 0]))
    mirror = np.diag([-1.0, 1, 1, 1])
    scene.add_geometry(box, node_name="b", transform=mirror)
    (tmp_path / "two.glb").write_bytes(scene.export(file_type="glb"))
    read = read_mesh(tmp_path / "two.glb")
    assert read.size_mm == pytest.approx((30, 10, 10), abs=1e-3)
    assert not check(read).of("flipped faces", "inside out")
    assert len(read.parts) == 2


def test_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = box_stl(tmp_path, name="box.obj")
    read = read_mesh(path)
    assert read.format == "stl"
    assert any("named '.obj'" in note for note in read.notes)


def draco(tmp_path: Path) -> Path:
    content = write_glb(eternity(2))
    said = document(content)
    for mesh in said["meshes"]:
        mesh["primitives"][0]["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {}}}
    text = json.dumps(said).encode()
    text += b" " * (-len(text) % 4)
    path = tmp_path / "packed.glb"
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
    return path


def test_a_draco_packed_file_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = draco(tmp_path)
    monkeypatch.setattr("jewel_assets.shape.files.containers.importlib.util.find_spec", lambda name: None)
    with pytest.raises(Permanent, match=r"Draco.*DracoPy"):
        read_mesh(path)


def spoilt(tmp_path: Path) -> dict[str, tuple[bytes, str]]:
    glb, stl, ply = write_glb(eternity(2)), write_stl(eternity(2)), write_ply(eternity(2))
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("3D/3dmodel.model", b" " * 20_000_000)
    gltf = json.dumps({"asset": {"version": "2.0"}, "buffers": [{"uri": "../../etc/passwd", "byteLength": 9}]})
    huge = bytearray(stl[:84])
    huge[80:84] = struct.pack("<I", 4_000_000_000)
    return {
        "empty.stl": (b"", "empty"),
        "text.stl": (b"hello, this is no mesh at all" * 10, "cut off|no mesh|cannot be read|no triangles"),
        "cut.glb": (glb[: len(glb) // 2], "cut off"),
        "cut.stl": (stl[: len(stl) // 2], "cut off"),
        "cut.ply": (ply[: len(ply) // 2], "cannot be read|cut off|no triangles|no size"),
        "huge.stl": (bytes(huge), "cut off|more than"),
        "bomb.3mf": (bomb.read_bytes(), "unpacks to"),
        "cut.3mf": (write_3mf(eternity(2))[:900], "damaged or cut-off"),
        "elsewhere.gltf": (gltf.encode(), "own folder"),
        "noise.glb": (b"glTF" + bytes(range(200)), "glTF|cut off"),
        "point.obj": (b"v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "no size"),
        "points.obj": (b"v 1 1 1\nv 2 1 1\n", "no triangles|cannot be read"),
        "photo.jpg": (b"\xff\xd8\xff\xe0" + bytes(300), "no mesh"),
        "json.gltf": (b'{"asset": [}', "no JSON"),
    }


def test_every_spoilt_file_gets_a_sentence_with_its_name(tmp_path: Path) -> None:
    for name, (content, sentence) in spoilt(tmp_path).items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Permanent, match=sentence) as raised:
            read_mesh(tmp_path / name)
        assert name in str(raised.value)
    with pytest.raises(Permanent, match="no mesh file"):
        read_mesh(tmp_path / "missing.stl")


def test_limits_of_bytes_and_faces_are_kept(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="MiB"):
        read_mesh(box_stl(tmp_path), max_bytes=100)
    with pytest.raises(Permanent, match="12 triangles"):
        read_mesh(box_stl(tmp_path), max_faces=10)


def test_corners_that_are_no_numbers_are_left_out_with_a_note(tmp_path: Path) -> None:
    content = bytearray(box_stl(tmp_path).read_bytes())
    content[84 + 12 : 84 + 16] = struct.pack("<f", float("nan"))
    (tmp_path / "nan.stl").write_bytes(bytes(content))
    read = read_mesh(tmp_path / "nan.stl")
    assert any("no numbers" in note for note in read.notes)
    assert check(read).of("open edges")


@pytest.mark.shared
def test_every_real_model_is_read_and_checked_or_refused_in_a_sentence(shared: Path) -> None:
    refused = []
    for path in sorted((shared / "data" / "models3d").iterdir()):
        try:
            read = read_mesh(path)
        except Permanent as error:
            refused.append(str(error))
            continue
        report = check(read, name=path.name)
        assert report.castings[0].faces == len(read.faces)
        assert json.loads(report.json_text())["castable"] == report.castable
    assert all("Draco" in sentence for sentence in refused)
