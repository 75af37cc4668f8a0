"""Photos of pieces: masks exact, pictures reproducible, light and materials plausible."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from manifold3d import CrossSection, Manifold

from jewel_assets.errors import Permanent
from jewel_assets.shape.gems.stone import make_stone
from jewel_assets.shape.piece import Body, Piece
from jewel_assets.shape.render import (
    SHADES,
    STYLES,
    Shot,
    SpoiltPhoto,
    Surface,
    catalogue,
    lights,
    preset,
    randomised,
    render,
)
from jewel_assets.shape.render import variants as variants_module
from jewel_assets.shape.render.auxiliary import exact
from jewel_assets.shape.render.cameras import direction, framed
from jewel_assets.shape.render.inspection import look_at_light, look_at_mask
from jewel_assets.shape.render.rendering import guide_albedo, rectangles
from jewel_assets.shape.render.scene import arranged, scene_dict
from jewel_assets.shape.render.surfaces import surfaces_of

SMALL = {"size": (64, 64), "samples": 6}


def band() -> Manifold:
    """A round wire of 2 mm, bent to a ring of 18 mm inner diameter about the y axis."""
    return Manifold.revolve(CrossSection.circle(1.0, 24).translate((10.0, 0.0)), 72).rotate((90, 0, 0))


def solitaire(metal: str = "18k-yellow", species: str = "diamond") -> Piece:
    placement = np.hstack([np.eye(3), [[0.0], [0.0], [13.8]]])
    stone = make_stone("centre stone", species, "round brilliant", 6.5, placement=placement)
    return Piece("ring", "solitaire", (Body("shank", band(), "metal", metal), stone))


def ball(radius: float = 5.0) -> Piece:
    return Piece("jewelry", "ball", (Body("ball", Manifold.sphere(radius, 160), "metal", "925-silver"),))


@pytest.fixture(scope="module")
def photo():
    return render(solitaire(), catalogue("ring", 3, size=(96, 96), samples=12))


def test_a_photo_comes_with_its_mask_normals_depth_parts_and_numbers(photo):
    assert photo.image.shape == (96, 96, 3)
    assert photo.image.dtype == np.uint8
    assert photo.names == ("shank", "centre stone")
    assert set(np.unique(photo.parts)) == {-1, 0, 1}
    inside = photo.parts >= 0
    assert np.array_equal(np.isfinite(photo.depth), inside)
    assert np.allclose(np.linalg.norm(photo.normals[inside], axis=1), 1, atol=1e-4)
    assert json.loads(json.dumps(photo.parameters))["shot"]["seed"] == 3
    assert photo.parameters["variant"] == "scalar_rgb"


def test_paper_is_white_metal_has_contrast_and_nothing_is_blown_to_sparks(photo):
    light = photo.image.mean(axis=2)
    paper = light[photo.alpha == 0]
    assert np.percentile(paper, 60) > 235
    metal = light[(photo.parts == 0) & (photo.alpha == 1)]
    assert np.percentile(metal, 95) - np.percentile(metal, 5) > 60
    gold = photo.linear[(photo.parts == 0) & (photo.alpha == 1)].mean(axis=0)
    assert gold[0] > gold[1] > gold[2]
    assert photo.linear.max() < 8


def test_the_same_shot_is_the_same_photo_bit_for_bit_and_another_seed_is_not():
    shot = catalogue("ring", 1, **SMALL)
    one, two = render(solitaire(), shot), render(solitaire(), shot)
    assert np.array_equal(one.linear, two.linear)
    assert np.array_equal(one.image, two.image)
    other = render(solitaire(), shot.model_copy(update={"seed": 2}))
    assert not np.array_equal(one.image, other.image)
    assert np.array_equal(one.alpha, other.alpha)  # noise differs, the piece does not


def test_the_mask_agrees_with_the_silhouette_of_the_projected_mesh():
    shot = catalogue("ring", 5, size=(128, 128))
    made = arranged(surfaces_of(solitaire()), "ring", shot)
    alpha = exact(made.surfaces, made.camera).alpha
    assert _iou(alpha, _silhouette(made.surfaces, made.camera)) >= 0.995


def _silhouette(surfaces, camera, fine: int = 32) -> np.ndarray:
    """Coverage by filling the projected triangles on a grid `fine` times as fine, in sixteenths of its pixels."""
    height, width = camera.size
    canvas = np.zeros((height * fine, width * fine), np.uint8)
    for surface in surfaces:
        seen = camera.project(surface.vertices)[:, :2] * fine - 0.5
        for triangle in np.rint(seen[surface.faces] * 16).astype(np.int32):
            cv2.fillConvexPoly(canvas, triangle, 1, lineType=cv2.LINE_8, shift=4)
    return canvas.reshape(height, fine, width, fine).mean(axis=(1, 3))


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.minimum(a, b).sum() / np.maximum(a, b).sum())


def test_openings_smaller_than_a_pixel_are_not_in_the_mask():
    across, pitch, opening = 24.0, 1.0, 0.5
    places = np.arange(-across / 2 + pitch, across / 2, pitch)
    holes = [Manifold.cube((opening, 9, opening), True).translate((x, 0, z)) for x in places for z in places]
    sieve = Manifold.cube((across, 0.01, across), True) - Manifold.compose(holes)
    (surface,) = surfaces_of(Piece("jewelry", "sieve", (Body("sieve", sieve, "metal", "925-silver"),)))
    camera = framed(surface.vertices, 0.0, 0.0, 1000.0, 0.7, (32, 32))
    covered = exact([surface], camera).alpha[10:22, 10:22]
    assert covered.mean() == pytest.approx(1 - (opening / pitch) ** 2, abs=0.02)


def test_mitsuba_sees_the_piece_at_the_place_and_distance_that_the_mask_says(tmp_path):
    shot = catalogue("ring", 5, size=(64, 64))
    made = arranged(surfaces_of(solitaire()), "ring", shot)
    truth = exact(made.surfaces, made.camera)
    mi = variants_module.mitsuba("scalar_rgb")
    scene = mi.load_dict(scene_dict(mi, made, shot, tmp_path, {"type": "aov", "aovs": "at:position"}))
    seen = np.array(mi.render(scene, spp=16, seed=0))[..., -3:]
    rows, columns = np.nonzero(truth.alpha == 1)
    rays = made.camera.rays(columns + 0.5, rows + 0.5)
    distance = truth.depth[rows, columns] / (rays @ made.camera.axes[2])
    apart = np.linalg.norm(made.camera.place + rays * distance[:, None] - seen[rows, columns], axis=1)
    assert np.median(apart) < 0.1
    assert np.percentile(apart, 90) < 0.6  # the wire is 2 mm thick
    ground = seen[truth.alpha == 0]
    assert np.abs(ground[:, 2]).min() < 0.01


def test_the_denoiser_is_told_of_an_edge_what_the_mask_says_of_it():
    made = arranged(surfaces_of(ball()), "jewelry", Shot(pose="face up", size=(48, 48), elevation=40))
    truth = exact(made.surfaces, made.camera)
    stage = np.full((48, 48, 3), 0.25, np.float32)
    stage[truth.alpha > 0] = 0.0  # what Mitsuba may say of polished metal, however little of the pixel it covers
    albedo = guide_albedo(stage, truth, made)
    silver = np.array(made.looks[0].albedo)
    wanted = truth.alpha[..., None] * silver + (1 - truth.alpha[..., None]) * 0.25
    assert albedo == pytest.approx(wanted, abs=1e-5)


def test_a_sphere_has_the_depth_and_normals_of_a_sphere():
    radius = 5.0
    surfaces = surfaces_of(ball(radius))
    camera = framed(surfaces[0].vertices, 30.0, 25.0, 100.0, 0.7, (90, 90))
    seen = exact(surfaces, camera)
    towards = direction(30.0, 25.0)
    away = float(camera.place @ towards)
    assert seen.depth.min() == pytest.approx(away - radius, abs=0.01)
    assert seen.normals[45, 45] == pytest.approx(towards, abs=0.04)
    rows, columns = np.nonzero(seen.parts >= 0)
    rays = camera.rays(columns + 0.5, rows + 0.5)
    points = camera.place + rays * (seen.depth[rows, columns] / (rays @ camera.axes[2]))[:, None]
    assert np.linalg.norm(points, axis=1) == pytest.approx(radius, abs=0.01)
    assert seen.normals[rows, columns] == pytest.approx(points / radius, abs=0.03)
    limb = radius / np.sqrt(away**2 - radius**2) / camera.slope * 45  # the outline's radius in pixels
    assert float(seen.alpha.sum()) == pytest.approx(np.pi * limb**2, rel=0.003)


@pytest.mark.parametrize("fill", [0.6, 0.8])
def test_the_piece_fills_the_share_of_the_frame_that_was_asked_for(fill):
    made = arranged(surfaces_of(solitaire()), "ring", catalogue("ring", 2, size=(80, 120), fill=fill))
    seen = made.camera.project(np.vstack([s.vertices for s in made.surfaces]))[:, :2]
    spans = (seen.max(axis=0) - seen.min(axis=0)) / (120, 80)
    assert spans.max() == pytest.approx(fill, abs=0.002)
    assert (seen.max(axis=0) + seen.min(axis=0)) / 2 == pytest.approx((60, 40), abs=0.2)


@pytest.mark.parametrize("pose", ["upright", "leaning", "lying", "face up", "on its side"])
def test_a_piece_touches_the_ground_and_does_not_go_through_it(pose):
    made = arranged(surfaces_of(solitaire()), "ring", Shot(pose=pose))
    lowest = min(float(s.vertices[:, 2].min()) for s in made.surfaces)
    assert lowest == pytest.approx(0, abs=1e-6)


def test_a_lying_ring_rests_on_its_side_with_its_centre_of_mass_above_what_it_touches():
    made = arranged(surfaces_of(solitaire()), "ring", Shot(pose="lying"))
    points = np.vstack([s.vertices for s in made.surfaces])
    touching = points[points[:, 2] < 0.02]
    assert np.ptp(touching[:, 0]) > 3 or np.ptp(touching[:, 1]) > 3
    assert np.ptp(points[:, 2]) < 10  # it lies: upright it is 27 mm high


def test_a_hanging_piece_is_before_the_wall():
    made = arranged(surfaces_of(ball()), "earrings", Shot(pose="hanging", elevation=5))
    assert max(float(s.vertices[:, 1].max()) for s in made.surfaces) < 0


def test_a_finger_within_a_ring_does_not_touch_it():
    made = arranged(surfaces_of(solitaire()), "ring", Shot(style="skin", pose="upright"))
    finger = next(prop for prop in made.props if prop.name == "support")
    ring = np.vstack([s.vertices for s in made.surfaces])
    bore = 9.0
    middle = float(ring[:, 2].min()) + 11.0  # the bore's axis lies 11 mm above the ground
    inside = np.abs(finger.vertices[:, 1]) < 1.2
    assert np.hypot(finger.vertices[inside, 0], finger.vertices[inside, 2] - middle).max() < bore


def seen_at(made, shot, folder) -> np.ndarray:
    """(h, w, 3) where the middle of each pixel's rays ends, by Mitsuba's own account."""
    mi = variants_module.mitsuba("scalar_rgb")
    scene = mi.load_dict(scene_dict(mi, made, shot, folder, {"type": "aov", "aovs": "at:position"}))
    return np.array(mi.render(scene, spp=4, seed=0))[..., -3:]


@pytest.mark.parametrize("elevation", [30.0, 62.0, 71.0, 85.0])
@pytest.mark.parametrize("lean", [0.0, 22.0])
def test_the_soft_box_never_stands_between_the_camera_and_the_piece(tmp_path, elevation, lean):
    rig = lights.catalogue_rig().model_copy(update={"overhead_lean": lean, "overhead_size": 5.0})
    shot = Shot(pose="face up", elevation=elevation, size=(32, 32), rig=rig)
    made = arranged(surfaces_of(ball()), "jewelry", shot)
    assert made.rig.overhead > 0
    highest = seen_at(made, shot, tmp_path)[..., 2].max()
    assert highest < 10.5  # the ball is 10 mm high, the box hangs above it


def test_the_soft_box_of_what_hangs_is_on_the_cameras_side_of_the_wall():
    made = arranged(surfaces_of(ball()), "earrings", Shot(pose="hanging", elevation=10))
    place, _ = lights.overhead_place(made.rig, 0.0, made.radius_mm)
    assert place[1] < 0


def test_what_a_finger_hides_is_not_in_the_mask(tmp_path):
    shot = Shot(style="skin", pose="upright", azimuth=50, elevation=30, size=(48, 48))
    made = arranged(surfaces_of(solitaire()), "ring", shot)
    supports = [prop for prop in made.props if prop.name == "support"]
    whole, seen = exact(made.surfaces, made.camera), exact(made.surfaces, made.camera, supports)
    assert seen.alpha.sum() < 0.9 * whole.alpha.sum()
    far = np.linalg.norm(seen_at(made, shot, tmp_path) - made.camera.place, axis=-1)
    rows, columns = np.indices(far.shape).reshape(2, -1)
    rays = made.camera.rays(columns + 0.5, rows + 0.5).reshape(*far.shape, 3)
    inside = seen.alpha == 1
    assert np.abs(far - seen.depth / (rays @ made.camera.axes[2]))[inside].max() < 1.5  # the wire is 2 mm thick
    assert (far < whole.depth / (rays @ made.camera.axes[2]) - 1.5)[(whole.alpha == 1) & (seen.alpha == 0)].all()


def test_a_photo_of_a_piece_out_of_view_cut_or_black_is_refused_in_a_sentence():
    shot = Shot(size=(40, 40), fill=0.7)
    mask = np.zeros((40, 40), np.float32)
    with pytest.raises(SpoiltPhoto, match="Nothing of the piece"):
        look_at_mask(mask, shot)
    mask[20:25, 5:12] = 1
    with pytest.raises(SpoiltPhoto, match="18% of the frame's side where 70%"):
        look_at_mask(mask, shot)
    mask[20:25, 0:30] = 1
    with pytest.raises(SpoiltPhoto, match="cuts the piece"):
        look_at_mask(mask, shot)
    look_at_mask(mask, shot.model_copy(update={"offset": (0.3, 0.0)}))  # asked for: a close-up
    picture = np.full((40, 40, 3), 200, np.uint8)
    look_at_light(picture, mask)
    picture[mask > 0] = 3
    with pytest.raises(SpoiltPhoto, match="piece is black"):
        look_at_light(picture, mask)
    picture[:] = 0
    picture[20:22, 0:30] = 255
    with pytest.raises(SpoiltPhoto, match="black all over"):
        look_at_light(picture, mask)


def test_a_photo_without_light_is_no_photo():
    dark = lights.Rig(boxes=(), ceiling=0, horizon=0, floor=0, overhead=0)
    with pytest.raises(SpoiltPhoto, match="black"):
        render(solitaire(), Shot(size=(24, 24), samples=2, rig=dark))


def test_flat_polished_silver_shows_light_and_dark_on_dark_velvet():
    disc = Manifold.cylinder(1.0, 10.0, 10.0, 64).rotate((90, 0, 0))
    plate = Piece("jewelry", "plate", (Body("plate", disc, "metal", "925-silver"),))
    shot = randomised("jewelry", 3, style="velvet", shade="navy", pose="face up", size=(48, 48), samples=8)
    photo = render(plate, shot)
    metal = photo.image.max(axis=2)[photo.alpha == 1]
    assert np.percentile(metal, 95) - np.percentile(metal, 5) > 40
    assert np.median(metal) > 2 * np.median(photo.image.max(axis=2)[photo.alpha == 0])


def test_a_bangle_stands_and_a_chain_lies_seen_from_above():
    for seed in range(20):
        assert randomised("bracelet", seed, "bangle").pose in ("upright", "leaning")
        chain = randomised("bracelet", seed, "tennis bracelet")
        assert chain.pose == "lying"
        assert chain.elevation >= 30
        assert 0.6 <= chain.fill <= 0.85


def test_black_velvet_is_darker_than_paper_and_no_hole():
    shot = catalogue("ring", 4, size=(48, 48), samples=8, style="velvet", shade="black")
    cloth = render(solitaire(), shot)
    light = cloth.image.mean(axis=2)[cloth.alpha == 0]
    assert 12 < np.median(light) < 80
    assert light.std() > 1.5


@pytest.mark.parametrize("style", STYLES)
def test_every_ground_renders(style):
    photo = render(solitaire("950-platinum", "ruby"), catalogue("ring", 4, size=(32, 32), samples=3, style=style))
    assert photo.parameters["shot"]["shade"] == SHADES[style][0]
    assert np.isfinite(photo.linear).all()
    assert photo.image.std() > 3


def test_a_ruby_is_red_and_a_sapphire_blue():
    shot = catalogue("ring", 1, size=(48, 48), samples=18, pose="upright", azimuth=0, elevation=60)
    colours = {}
    for species in ("ruby", "sapphire"):
        photo = render(solitaire("950-platinum", species), shot)
        colours[species] = photo.linear[photo.parts == 1].mean(axis=0)
    assert colours["ruby"][0] > 2 * colours["ruby"][2]
    assert colours["sapphire"][2] > 1.5 * colours["sapphire"][0]


def test_presets_draw_valid_shots_and_the_same_ones_for_the_same_seed():
    for category in ("ring", "bracelet", "earrings", "necklace", "wristwatch", "jewelry"):
        shots = [randomised(category, seed) for seed in range(25)]
        assert shots == [preset("randomised", category, seed) for seed in range(25)]
        assert len({shot.model_dump_json() for shot in shots}) == 25
        assert catalogue(category, 1) == catalogue(category, 1)
        assert catalogue(category, 1) != catalogue(category, 2)
    assert {randomised("ring", seed).style for seed in range(120)} == set(STYLES)
    with pytest.raises(ValueError, match="catalogue or randomised"):
        preset("moody", "ring")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"fill": 1.4}, "fill"),
        ({"size": (4, 4)}, "size must be 8 pixels"),
        ({"style": "marble", "shade": "oak"}, "carrara"),
        ({"finish": "shiny"}, "polished"),
        ({"variant": "gpu"}, "scalar_rgb"),
        ({"pose": "hanging", "elevation": 80}, "elevation"),
    ],
)
def test_an_impossible_shot_names_the_field_and_what_it_may_be(wrong, says):
    with pytest.raises(ValueError, match=says):
        Shot(**wrong)


def test_a_piece_of_nothing_and_an_unknown_metal_are_refused_in_sentences():
    with pytest.raises(ValueError, match="nothing to render"):
        render([], Shot())
    unknown = Surface("lump", "metal", "unobtainium", *_tetrahedron())
    with pytest.raises(Permanent, match="unobtainium"):
        render([unknown], Shot(**SMALL), "jewelry")


def test_an_open_mesh_from_a_file_still_renders():
    vertices, faces = _tetrahedron()
    photo = render([Surface("shard", "metal", "925-silver", vertices, faces[:3])], Shot(**SMALL), "jewelry")
    assert photo.alpha.max() == 1


def _tetrahedron():
    vertices = np.array([[0.0, 0, 0], [8, 0, 0], [0, 8, 0], [0, 0, 8]])
    return vertices, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def test_without_mitsuba_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(variants_module.importlib.util, "find_spec", lambda name: None)
    variants_module.available.cache_clear()
    with pytest.raises(Permanent, match="pip install"):
        render(solitaire(), Shot(**SMALL))
    variants_module.available.cache_clear()


def test_an_llvm_that_aborts_is_found_out_in_another_process_and_passed_over(monkeypatch, tmp_path):
    broken = tmp_path / "libLLVM.so.15"
    broken.write_bytes(b"no library")
    monkeypatch.setenv("DRJIT_LIBLLVM_PATH", str(broken))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(variants_module, "_has_nvidia", lambda: False)
    variants_module.available.cache_clear()
    variants_module._llvm.cache_clear()
    try:
        assert variants_module.available() == ("scalar_rgb",)
        assert variants_module.choose("auto") == "scalar_rgb"
        assert list(json.loads((tmp_path / "jewel-assets" / "render-variants.json").read_text()).values()) == [False]
        with pytest.raises(Permanent, match="libllvm19"):
            variants_module.mitsuba("llvm_ad_rgb")
    finally:
        variants_module.available.cache_clear()
        variants_module._llvm.cache_clear()


@pytest.mark.parametrize("block", [0, 8, 13])
def test_rectangles_cover_a_mask_once(block):
    mask = np.zeros((40, 50), bool)
    mask[3:9, 4:20] = mask[30:39, 44:50] = True
    times = np.zeros(mask.shape, int)
    for top, left, height, width in rectangles(mask, block):
        times[top : top + height, left : left + width] += 1
    assert (times[mask] == 1).all()
    assert times.max() == 1
    assert rectangles(np.zeros((9, 9), bool), block) == []


def test_the_package_does_not_load_mitsuba_before_it_is_needed():
    code = "import sys, jewel_assets.shape.render; print('mitsuba' in sys.modules or 'trimesh' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path.cwd(), check=True)
    assert run.stdout.strip() == "False"
