"""Meshes as promotional images: put down where the template says, lit as the rig says, the same again from a record."""

import hashlib
import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from jewel_assets.cli import app
from jewel_assets.errors import Permanent
from jewel_assets.images import decode
from jewel_assets.promote.layout import SHARE
from jewel_assets.promote.palettes import palette
from jewel_assets.promote.plates import make_plate
from jewel_assets.promote.rendering import plate_alone
from jewel_assets.promote.scene import Lamp, Plate
from jewel_assets.promote.templates import Template
from jewel_assets.promote.traced import Model, render_mesh
from jewel_assets.promote.traced.setting import LOWEST_LAMP, set_up
from jewel_assets.promote.traced.tracing import key_lamp_seen
from jewel_assets.shape.designs import load
from jewel_assets.shape.files import write_glb
from jewel_assets.shape.render import Surface
from jewel_assets.shape.render.auxiliary import exact
from jewel_assets.shape.render.surfaces import surfaces_of

SIZE = (160, 160)
SMALL = (64, 64)
LYING = Template(name="lying", style="gradient", palette="ivory", light="studio", x=0.4, y=0.6)


@pytest.fixture(scope="module")
def band() -> bytes:
    """A plain wedding band, coarse."""
    return write_glb(load({"family": "plain band"}).build(detail=0.25))


@pytest.fixture(scope="module")
def surfaces() -> list[Surface]:
    return surfaces_of(load({"family": "plain band"}).build(detail=0.25))


def plate(style: str = "gradient", size: tuple[int, int] = SIZE) -> Plate:
    return make_plate(style, palette("ivory"), size, 0)


def block(height: float) -> list[Surface]:
    """A square block, 10 mm wide, whose front (-y, which lies up) is `height` above its back."""
    x, y, z = 5.0, height / 2, 5.0
    corners = np.array([[i, j, k] for i in (-x, x) for j in (-y, y) for k in (-z, z)])
    faces = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]]
    faces += [[2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
    return [Surface("block", "metal", "18k-yellow", corners, np.array(faces), faceted=True)]


@pytest.mark.parametrize(("style", "category"), [("gradient", "ring"), ("minimal", "ring"), ("minimal", "necklace")])
def test_a_piece_is_as_large_as_the_template_says_and_in_its_place(
    style: str, category: str, surfaces: list[Surface]
) -> None:
    ground = plate(style)
    setting = set_up(surfaces, category, "", LYING, ground, SIZE)
    seen = exact(setting.surfaces, setting.camera).alpha
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    assert longer == pytest.approx(SHARE[category] * 160, abs=3)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(0.4 * 160, abs=2)
    if style == "gradient":
        assert (rows[0] + rows[-1]) / 2 == pytest.approx(0.6 * 160, abs=2)
    else:  # its foot on the floor, or its middle before the wall
        assert ground.horizon is not None
        place = rows[-1] if category == "ring" else (rows[0] + rows[-1]) / 2
        assert (place > ground.horizon * 160) == (category == "ring")


def test_a_piece_touches_the_surface_and_does_not_go_through_it(surfaces: list[Surface]) -> None:
    for style in ("gradient", "minimal"):
        setting = set_up(surfaces, "ring", "", LYING, plate(style), SIZE)
        assert min(float(one.vertices[:, 2].min()) for one in setting.surfaces) == pytest.approx(0, abs=1e-6)


def test_the_plate_lies_on_the_surface_as_the_camera_sees_it(surfaces: list[Surface]) -> None:
    for style, category in (("gradient", "ring"), ("minimal", "ring"), ("minimal", "earrings")):
        setting = set_up(surfaces, category, "", LYING, plate(style), SIZE)
        seen = setting.camera.project(setting.ground.vertices)[:, :2] / 160
        inner = ((seen > 0) & (seen < 1)).all(axis=1)
        assert np.allclose(setting.ground.uv[inner], seen[inner])
        assert setting.ground.uv.min() == 0
        assert setting.ground.uv.max() == 1


def test_lamps_stand_where_the_rig_says_and_never_below_the_surface(surfaces: list[Surface]) -> None:
    above = set_up(surfaces, "ring", "", LYING, plate(), SIZE, tilt=0.0)
    x, y, z = Lamp(120, 50).direction
    assert np.allclose(above.towards(Lamp(120, 50)), (x, -y, z))
    standing = set_up(surfaces, "ring", "", LYING, plate("minimal"), SIZE)
    for azimuth in range(0, 360, 30):
        assert standing.towards(Lamp(azimuth, 20))[2] >= math.sin(math.radians(LOWEST_LAMP)) - 1e-9


@pytest.mark.parametrize("azimuth", [30, 250])
def test_the_shadow_of_a_block_is_as_long_as_its_height_and_the_lamp_say(azimuth: float) -> None:
    middle = LYING.model_copy(update={"x": 0.5, "y": 0.5, "scale": 0.6})
    setting = set_up(block(6.0), "jewelry", "", middle, plate(size=SMALL), SMALL, tilt=0.0)
    lamp = Lamp(azimuth, 45, softness=0.5)
    seen, alpha = key_lamp_seen(setting, lamp, 0, 8, "scalar_rgb")
    # A plain surface is dark where the block, moved along the light by up to its height, lies.
    rows, columns = np.mgrid[0:64, 0:64]
    side, high = 10 / setting.mm_per_pixel, 6 / setting.mm_per_pixel
    expected = np.zeros(SMALL, bool)
    for step in np.linspace(0, 1, 50):
        x = columns + 0.5 - 32 + step * high * math.cos(math.radians(azimuth))
        y = rows + 0.5 - 32 - step * high * math.sin(math.radians(azimuth))
        expected |= (abs(x) < side / 2) & (abs(y) < side / 2)
    free = alpha == 0
    overlap = (expected & (seen < 0.5))[free].sum() / (expected | (seen < 0.5))[free].sum()
    assert overlap > 0.85


def test_a_wide_lamp_beside_the_camera_does_not_stand_in_its_view() -> None:
    setting = set_up(block(2.0), "jewelry", "", LYING, plate(size=SMALL), SMALL, tilt=0.0)
    seen, _ = key_lamp_seen(setting, Lamp(90, 80, softness=30), 0, 4, "scalar_rgb")
    assert seen[:6, -6:].min() > 0.8


def test_the_record_says_how_and_the_plate_is_that_of_the_other_engine(band: bytes) -> None:
    promo = render_mesh(Model(band, samples=4), LYING, 3, SMALL)
    told = promo.record
    assert (told["variant"], told["samples"], told["seed"], told["category"]) == ("scalar_rgb", 4, 3, "ring")
    assert str(told["engine"]).startswith("mitsuba 3")
    assert told["model_sha256"] == hashlib.sha256(band).hexdigest()
    assert promo.fidelity.holds
    # The shadow falls away from the studio's key lamp, which stands at the upper left: dark at the lower right.
    around = np.where(promo.laid.alpha() > 0, np.nan, promo.seen)
    x, y = (round(share * 64) for share in (0.4, 0.6))
    assert np.nanmean(around[y:, x:]) < np.nanmean(around[:y, :x])
    far = np.s_[:8, -8:]  # where no shadow reaches
    assert np.abs(promo.image[far].astype(int) - plate_alone(LYING, 3, SMALL)[far]).mean() < 6


def test_what_a_mesh_cannot_do_is_said_and_not_recorded(band: bytes) -> None:
    asked = LYING.model_copy(update={"mode": "relit", "sparkle": 0.5})
    promo = render_mesh(Model(band, samples=1), asked, 3, SMALL)
    assert promo.record["template"]["mode"] == promo.template.mode == promo.fidelity.told()["mode"] == "strict"
    for option in ("--mode relit", "--sparkle"):
        assert any(option in warning for warning in promo.warnings)
    assert list(promo.warnings) == promo.record["warnings"]


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("accessors", 0, "count"), None),
        (("accessors", 0, "count"), 10**30),
        (("accessors", 0, "bufferView"), "a"),
        (("accessors",), []),
        (("bufferViews", 0, "byteOffset"), 10**9),
        (("meshes", 0), 5),
        (("nodes", 1), 5),
        (("asset",), 5),
        (("nodes", 0, "extras"), 5),
        (("nodes", 1, "children"), []),
        (("nodes", 1, "children"), [1]),
        (("nodes", 2, "extras"), 5),
    ],
)
def test_a_damaged_mesh_is_a_sentence(keys: tuple[Any, ...], value: object, band: bytes, tmp_path: Path) -> None:
    size = struct.unpack_from("<I", band, 12)[0]
    document = json.loads(band[20 : 20 + size])
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    told = json.dumps(document).encode()
    whole = band[:8] + struct.pack("<II", len(band) - size + len(told), len(told)) + b"JSON" + told + band[20 + size :]
    (tmp_path / "a.glb").write_bytes(whole)
    with pytest.raises(Permanent, match=r"damaged one: export it again\. Make one with `jewel shape build"):
        Model.read(tmp_path / "a.glb")


def test_a_mesh_of_another_program_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    path.write_bytes(b"glTF and no more")
    with pytest.raises(Permanent, match="jewel shape build"):
        Model.read(path)
    with pytest.raises(Permanent, match="cannot be read"):
        Model.read(tmp_path / "none.glb")


def test_the_command_takes_a_mesh_and_makes_the_image_again(band: bytes, tmp_path: Path) -> None:
    source, out = tmp_path / "ring.glb", tmp_path / "promo.png"
    source.write_bytes(band)
    how = ["--style", "gradient", "--light", "studio", "--size", "64x64", "--samples", "4", "--variant", "scalar_rgb"]
    done = CliRunner().invoke(app, ["promote", str(source), *how, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert decode(out.read_bytes()).shape == (64, 64, 3)
    assert json.loads(out.with_suffix(".json").read_text())["engine"].startswith("mitsuba")
    again = CliRunner().invoke(app, ["promote", "again", str(out.with_suffix(".json"))])
    assert again.exit_code == 0, again.output
    assert "the same pixels" in again.output
    source.write_bytes(b"glTF")
    refused = CliRunner().invoke(app, ["promote", str(source), *how, "--out", str(out)])
    assert refused.exit_code == 1
    assert "jewel shape build" in refused.output
