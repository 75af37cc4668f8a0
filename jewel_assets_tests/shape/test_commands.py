"""`jewel shape` as somebody types it."""

import json
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from typer.testing import CliRunner, Result

from jewel_assets.cli import app
from jewel_assets.shape.designs import FAMILIES, load, sample
from jewel_assets.shape.files import write_glb
from jewel_assets.shape.sizes import RingSize

SMALL = ("--size", "48", "--samples", "2", "--variant", "scalar_rgb")


def shape(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["shape", *map(str, arguments)], env={"COLUMNS": "200"})


def said(done: Result) -> str:
    """All that was printed, on one line: the terminal may be narrow."""
    return " ".join(done.output.split())


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JSON of a plain band of which everything is known."""
    path = tmp_path_factory.mktemp("designs") / "band.json"
    design = {"family": "plain band", "metal": "18k-yellow", "inner_diameter_mm": 18.0}
    path.write_text(json.dumps(design))
    return path


@pytest.fixture(scope="module")
def built(band: Path) -> Path:
    """The folder with the band as ring.glb and ring.stl."""
    done = shape("build", band, "--out", band.parent / "ring.glb", "--stl", band.parent / "ring.stl", "--detail", 0.5)
    assert done.exit_code == 0, done.output
    return band.parent


@pytest.fixture(scope="module")
def open_mesh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sphere with a hole in it."""
    mesh = trimesh.creation.icosphere(subdivisions=2, radius=5)
    mesh.update_faces(np.arange(len(mesh.faces)) > 3)
    path = tmp_path_factory.mktemp("broken") / "open.stl"
    mesh.export(path)
    return path


def test_the_families_are_listed_by_category_and_one_says_its_fields(tmp_path: Path) -> None:
    listed = shape("families").output
    assert all(family in listed for family in FAMILIES)
    fields = shape("families", "plain band").output
    assert "width_mm" in fields
    assert " mm" in fields
    schema = json.loads(shape("families", "Plain-Band", "--json").output)
    assert schema["properties"]["width_mm"]["minimum"] > 0


def test_a_sample_is_a_json_file_per_design_and_the_seed_repeats_it(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        done = shape("sample", "rings", "--count", 3, "--seed", 7, "--out", tmp_path / folder, "--no-sheet")
        assert done.exit_code == 0, done.output
    first, second = (sorted((tmp_path / folder).iterdir()) for folder in ("a", "b"))
    assert [path.name[:9] for path in first] == ["ring-0001", "ring-0002", "ring-0003"]
    assert len({load(path).family for path in first}) == 3, "families take turns"
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_family_can_be_sampled_alone_and_comes_with_a_contact_sheet(tmp_path: Path) -> None:
    assert shape("sample", "plain band", "--count", 2, "--out", tmp_path).exit_code == 0
    assert {load(path).family for path in tmp_path.glob("*.json")} == {"plain band"}
    assert cv2.imread(str(tmp_path / "contact-sheet.jpg")).shape[1] > 300


@pytest.mark.parametrize(("typed", "nearest"), [("solitare", "solitaire"), ("halos", "halo"), ("bracelte", "bracelet")])
def test_an_unknown_name_gives_the_nearest(typed: str, nearest: str, tmp_path: Path) -> None:
    done = shape("sample", typed, "--out", tmp_path)
    assert done.exit_code == 1
    assert f"'{nearest}'" in done.output


def test_variants_are_valid_and_keep_what_was_ordered(band: Path, tmp_path: Path) -> None:
    assert shape("vary", band, "--count", 3, "--amount", 0.4, "--out", tmp_path, "--no-sheet").exit_code == 0
    made = [load(path) for path in sorted(tmp_path.glob("*variant*.json"))]
    assert len(made) == 3
    assert {design.metal for design in made} == {"18k-yellow"}
    assert len({design.model_dump_json() for design in made}) == 3


def test_two_designs_of_a_category_can_be_blended_and_of_two_cannot(band: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"family": "plain band", "metal": "18k-yellow", "width_mm": 8.0, "thickness_mm": 2.2}))
    assert shape("blend", band, other, "--count", 3, "--out", tmp_path / "out", "--no-sheet").exit_code == 0
    widths = [load(path).model_dump()["width_mm"] for path in sorted((tmp_path / "out").glob("band-other-*.json"))]
    start = load(band).model_dump()["width_mm"]
    assert widths == sorted(widths)
    assert start < widths[0] < widths[-1] < 8.0
    stranger = tmp_path / "stranger.json"
    stranger.write_text(sample("earrings", 1).model_dump_json())
    done = shape("blend", band, stranger, "--out", tmp_path / "no")
    assert done.exit_code == 1
    assert "two designs of one category" in said(done)


def test_a_built_piece_has_the_ordered_alloy_and_size_and_says_its_weight(band: Path, tmp_path: Path) -> None:
    files = {"--out": "ring.glb", "--stl": "ring.stl", "--ply": "ring.ply", "--3mf": "ring.3mf"}
    options = [part for option, name in files.items() for part in (option, tmp_path / name)]
    done = shape("build", band, "--alloy", "950-platinum", "--size", "US 7", *options, "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.output)
    assert facts["alloy"] == "950-platinum"
    assert "US 7" in facts["ring size"]
    assert all((tmp_path / name).stat().st_size > 0 for name in files.values())
    gold = json.loads(shape("build", band, "--alloy", "18k-yellow", "--size", "US 7", "--json").output)
    assert facts["grams"] / gold["grams"] == pytest.approx(20.7 / 15.45, rel=1e-3)
    mesh = trimesh.load_mesh(tmp_path / "ring.stl")
    inner = 2 * np.linalg.norm(mesh.vertices[:, [0, 2]], axis=1).min()
    assert inner == pytest.approx(RingSize.parse("US 7").diameter_mm, abs=0.02)


def test_what_cannot_be_built_names_the_field_the_range_and_the_unit(tmp_path: Path) -> None:
    wrong = tmp_path / "wide.json"
    for change, words in (
        ({"width_mm": 40}, ("width_mm", "40", " mm")),
        ({"widht_mm": 4}, ("widht_mm", "width_mm")),
        ({"family": "plane band"}, ("plane band", "plain band")),
    ):
        wrong.write_text(json.dumps({"family": "plain band", "metal": "18k-yellow"} | change))
        done = shape("build", wrong)
        assert done.exit_code == 1
        assert all(word in said(done) for word in words), done.output


def test_an_alloy_or_size_that_is_none_is_a_sentence_with_the_nearest(band: Path, tmp_path: Path) -> None:
    assert "18k-yellow" in said(shape("build", band, "--alloy", "18k yelow"))
    assert "no ring size" in said(shape("build", band, "--size", "giant"))
    stud = tmp_path / "stud.json"
    stud.write_text(sample("earrings", 1).model_dump_json())
    done = shape("build", stud, "--size", "US 7")
    assert done.exit_code == 1
    assert "has no ring size" in said(done)


def test_check_ends_with_0_for_castable_1_for_not_and_2_for_unreadable(
    built: Path, open_mesh: Path, tmp_path: Path
) -> None:
    assert shape("check", built / "ring.stl").exit_code == 0
    assert shape("check", built / "ring.glb", "--profile", "silver").exit_code == 0
    assert shape("check", built / "band.json").exit_code == 0
    broken = shape("check", open_mesh)
    assert broken.exit_code == 1
    assert "NOT castable" in broken.output
    for name, content in (("empty.stl", b""), ("text.stl", b"hello"), ("none.stl", None)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        done = shape("check", tmp_path / name)
        assert done.exit_code == 2, name
        assert name in said(done)
        assert "Traceback" not in done.output
    assert shape("check", built / "ring.stl", "--profile", "wood").exit_code == 2


def test_a_glb_of_ours_is_checked_with_its_stones_unless_its_metal_was_changed(tmp_path: Path) -> None:
    piece = FAMILIES["halo"]().build()
    (tmp_path / "halo.glb").write_bytes(write_glb(piece))
    checked = shape("check", tmp_path / "halo.glb")
    assert checked.exit_code == 0, checked.output
    assert "checked with its stones" in said(checked)
    thicker = [replace(b, solid=b.solid.scale((1, 1.1, 1))) if b.kind == "metal" else b for b in piece.bodies]
    (tmp_path / "other.glb").write_bytes(write_glb(replace(piece, bodies=tuple(thicker))))
    assert "with its stones" not in said(shape("check", tmp_path / "other.glb"))


@pytest.mark.parametrize("generator", ["jewel-assets 0", "another program"])
@pytest.mark.parametrize("scenes", [[], [{"nodes": []}], [{"nodes": [7]}]])
def test_a_glb_without_a_piece_is_refused_in_a_sentence(tmp_path: Path, generator: str, scenes: list[Any]) -> None:
    text = json.dumps({"asset": {"version": "2.0", "generator": generator}, "scenes": scenes, "nodes": [{}]}).encode()
    text += b" " * (-len(text) % 4)
    chunk = struct.pack("<I4s", len(text), b"JSON") + text
    (tmp_path / "odd.glb").write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunk)) + chunk)
    checked = shape("check", tmp_path / "odd.glb")
    assert checked.exit_code == 2
    assert "odd.glb" in said(checked)
    rendered = shape("render", tmp_path / "odd.glb", "--alloy", "925-silver", "--out", tmp_path / "odd.png")
    assert rendered.exit_code == 1
    assert "glb" in said(rendered).lower()
    assert {type(done.exception) for done in (checked, rendered)} == {SystemExit}


def test_check_tells_programs_the_same_in_json(built: Path, open_mesh: Path, tmp_path: Path) -> None:
    assert json.loads(shape("check", built / "ring.stl", "--json").stdout)["castable"] is True
    found = json.loads(shape("check", open_mesh, "--json").stdout)
    assert found["castable"] is False
    assert any(finding["rule"] == "open edges" for finding in found["findings"])
    (tmp_path / "empty.stl").touch()
    unread = json.loads(shape("check", tmp_path / "empty.stl", "--json").stdout)
    assert unread["castable"] is None
    assert "empty" in unread["error"]


def test_a_render_of_our_glb_knows_its_metal_and_comes_with_its_truth(built: Path, tmp_path: Path) -> None:
    done = shape("render", built / "ring.glb", "--style", "studio", "--out", tmp_path / "ring.png", "--truth", *SMALL)
    assert done.exit_code == 0, done.output
    assert cv2.imread(str(tmp_path / "ring.png")).shape == (48, 48, 3)
    scene = json.loads((tmp_path / "ring.scene.json").read_text())
    assert {body["material"] for body in scene["bodies"]} == {"18k-yellow"}
    assert scene["category"] == "ring"
    for name in ("mask", "normals", "depth", "parts"):
        assert cv2.imread(str(tmp_path / f"ring.{name}.png"), cv2.IMREAD_UNCHANGED) is not None


@pytest.mark.parametrize(("family", "pose"), [("bangle", "upright"), ("chain bracelet", "lying")])
@pytest.mark.parametrize("suffix", ["json", "glb"])
def test_a_bangle_stands_and_a_chain_lies(tmp_path: Path, family: str, pose: str, suffix: str) -> None:
    design, file, out = FAMILIES[family](), tmp_path / f"piece.{suffix}", tmp_path / "piece.png"
    file.write_bytes(design.model_dump_json().encode() if suffix == "json" else write_glb(design.build(0.5)))
    done = shape("render", file, "--out", out, "--truth", *SMALL)
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "piece.scene.json").read_text())["shot"]["pose"] == pose


def test_the_alloy_of_a_glb_can_be_another_and_a_foreign_mesh_must_be_told(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "ring.jpg"
    done = shape("render", built / "ring.glb", "--alloy", "925-silver", "--out", out, "--truth", *SMALL)
    assert done.exit_code == 0, done.output
    scene = json.loads((tmp_path / "ring.scene.json").read_text())
    assert {body["material"] for body in scene["bodies"]} == {"925-silver"}
    untold = shape("render", built / "ring.stl", "--out", out)
    assert untold.exit_code == 1
    assert "--alloy" in said(untold)
    told = shape("render", built / "ring.stl", "--alloy", "925-silver", "--category", "rings", "--out", out, *SMALL)
    assert told.exit_code == 0, told.output


def test_a_shot_that_cannot_be_taken_is_a_sentence(built: Path, tmp_path: Path) -> None:
    done = shape("render", built / "ring.glb", "--style", "wood", "--shade", "navy", "--out", tmp_path / "a.png")
    assert done.exit_code == 1
    assert 'shade "navy" is not one of wood' in said(done)
    assert "must end in .png" in said(shape("render", built / "ring.glb", "--out", tmp_path / "a.gif"))


def test_the_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom jewel_assets.cli import app\n"
        "try:\n    app(['shape', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = ('manifold3d', 'trimesh', 'mitsuba', 'scipy', 'cv2')\n"
        "print('loaded:', *[name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "loaded:"
