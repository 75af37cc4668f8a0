"""What a catalogue lists, how its files are read back, and the sample that ships with the project."""

import json
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import pyarrow as pa
import pytest

from jewel_assets.categories import CATEGORIES
from jewel_assets.collect import list_folder, survey_folder
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels
from jewel_assets.shape.catalogue import Photograph, TakePhotos, list_designs, list_shots, sample, taking
from jewel_assets.shape.catalogue.glb_surfaces import is_ours, read_glb
from jewel_assets.shape.catalogue.presets import Preset, Variant
from jewel_assets.shape.catalogue.preview import preview
from jewel_assets.shape.catalogue.sample import SampleNumbers, make_sample, within
from jewel_assets.shape.catalogue.shipped import SAMPLE, shipped_sample
from jewel_assets.shape.catalogue.summary import castability_table
from jewel_assets.shape.designs import FAMILIES, families
from jewel_assets.shape.files import write_glb
from jewel_assets.shape.piece import Piece
from jewel_assets.shape.render import PRESETS, Shot, SpoiltPhoto
from jewel_assets.shape.render.surfaces import surfaces_of
from jewel_assets.shape.render.variants import VARIANTS


@pytest.fixture(scope="module")
def solitaire() -> Piece:
    return FAMILIES["solitaire"].draw(np.random.default_rng(5)).build(0.5)


def test_a_category_is_listed_by_seed_with_its_families_in_turn_and_free_for_all() -> None:
    kinds = len(families("ring"))
    rows = list_designs("ring", 2 * kinds, 7).to_pylist()
    found = [json.loads(row["design"])["family"] for row in rows]
    assert all(found.count(family) == 2 for family in families("ring")), "each family has its share"
    assert rows[6]["item_id"] == "catalogue:ring-0007"
    assert {(row["licence"], row["may_train"], row["author"]) for row in rows} == {("CC0-1.0", True, "jewel-assets")}
    assert list_designs("ring", kinds, 7).to_pylist() == rows[:kinds], "more of a seed begin with the same"
    assert list_designs("ring", kinds, 8).column("design") != list_designs("ring", kinds, 7).column("design")


def meshes(count: int) -> pa.Table:
    return pa.table(
        {
            "item_id": [f"catalogue:ring-{n:04d}" for n in range(count)],
            "source_id": [f"ring-{n:04d}" for n in range(count)],
            "category": ["ring"] * count,
            "sha256": [str(n) for n in range(count)],
        }
    )


def test_each_photo_has_a_name_and_a_seed_of_its_own_whatever_stands_beside_it() -> None:
    rows = list_shots(meshes(3), "randomised", 2, 1).to_pylist()
    assert [row["item_id"] for row in rows[:2]] == ["catalogue:ring-0000", "catalogue:ring-0000-view2"]
    assert len({row["shot_seed"] for row in rows}) == 6
    alone = list_shots(meshes(3).slice(2, 1), "randomised", 2, 1).to_pylist()
    assert alone == rows[4:]
    assert all(0 <= row["shot_seed"] < 2**31 for row in rows)
    with pytest.raises(Permanent, match="no preset"):
        list_shots(meshes(1), "sunset", 1, 1)  # type: ignore[arg-type]


def test_the_key_of_a_photo_is_its_mesh_its_shot_and_what_renders_it() -> None:
    row = {"sha256": "a", "preset": "catalogue", "shot_seed": 1}
    keys = {
        Photograph().key(row),
        Photograph().key(row | {"shot_seed": 2}),
        Photograph().key(row | {"sha256": "b"}),
        Photograph(size=256).key(row),
        Photograph(variant="llvm_ad_rgb").key(row),
        Photograph(denoiser="oidn").key(row),
    }
    assert len(keys) == 6


def test_the_names_of_presets_and_variants_are_those_of_the_renderer() -> None:
    assert get_args(Preset) == PRESETS
    assert set(get_args(Variant)) == {*VARIANTS, "auto"}


def test_a_glb_of_ours_gives_back_the_bodies_it_was_written_from(solitaire: Piece) -> None:
    data = write_glb(solitaire)
    made = read_glb(data)
    assert is_ours(data)
    assert (made.category, made.family) == ("ring", "solitaire")
    assert made.said["design"] == solitaire.design
    wrote = {surface.name: surface for surface in surfaces_of(solitaire)}
    assert {surface.name for surface in made.surfaces} == wrote.keys()
    for surface in made.surfaces:
        own = wrote[surface.name]
        assert (surface.kind, surface.material, surface.faceted) == (own.kind, own.material, own.faceted)
        corners = own.vertices[np.unique(own.faces)]
        assert np.allclose(surface.vertices.min(axis=0), corners.min(axis=0), atol=1e-4), surface.name
        assert np.allclose(surface.vertices.max(axis=0), corners.max(axis=0), atol=1e-4), surface.name
        assert volume(surface) == pytest.approx(volume(own), rel=1e-4), "closed again, and not inside out"


def volume(surface: Any) -> float:
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("data", [b"", b"glTF", b"glTF\x02\0\0\0\xff\xff\0\0", b"solid ring"])
def test_what_is_no_glb_is_a_sentence(data: bytes) -> None:
    assert not is_ours(data)
    with pytest.raises(Permanent, match="no GLB"):
        read_glb(data)


def test_a_preview_shows_the_piece_and_leaves_the_paper_white(solitaire: Piece) -> None:
    picture = preview(solitaire, "ring", side=96)
    assert picture.shape == (96, 96, 3)
    assert picture[0, 0].min() > 240
    assert (picture.min(axis=2) < 200).mean() > 0.05
    assert np.array_equal(picture, preview(solitaire, "ring", side=96))


def test_photos_in_which_the_piece_can_hardly_be_seen_are_left_out_with_a_reason() -> None:
    rows = pa.table(
        {
            "coverage": [0.2, 0.001],
            "fetched_at": pa.nulls(2),
            "family": ["halo"] * 2,
            "style": ["wood"] * 2,
            "mask_sha256": ["a"] * 2,
        }
    )
    kept, lost = TakePhotos().choose(rows)
    assert kept.columns["mask_sha256"] == "a"
    assert (lost.reason, lost.error) == ("too small", "The piece covers 0.10% of the photo.")  # type: ignore[union-attr]


def test_the_table_of_meshes_counts_by_family_and_spans_the_weights() -> None:
    columns = {"watertight": [True, True], "castable": [True, False], "carats": [0.0, 0.0], "min_wall_mm": [None, 0.9]}
    found = castability_table(pa.table({"family": ["halo", "halo"], "grams": [2.0, 4.0], **columns}))
    assert found["halo"]["castable"] == 1
    assert found["halo"]["grams"] == "3.00 (2.00 to 4.00)"
    assert found["halo"]["thinnest wall, mm"] == "0.90"


def test_a_picture_gets_the_best_quality_that_fits() -> None:
    noise: Pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    best, large = within(noise, 1 << 20)
    less, small = within(noise, len(large) - 1)
    assert less < best
    assert len(small) < len(large)


@pytest.fixture
def little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, SampleNumbers]:
    """A sample of one small picture of two categories: all six would take a minute."""
    monkeypatch.setattr(sample, "CATEGORIES", ("earrings", "ring"))
    return tmp_path / "sample", SampleNumbers(per_category=1, seed=3, size=48, samples=2)


def test_a_sample_is_a_photo_folder_with_masks_licences_and_the_command_that_made_it(
    little: tuple[Path, SampleNumbers],
) -> None:
    folder, numbers = little
    said: list[str] = []
    make_sample(folder, numbers, said.append)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    pictures = {"earrings/earrings-0001.jpg", "ring/ring-0001.jpg"}
    masks = {f"masks/{name[:-4]}.png" for name in pictures}
    assert files == pictures | masks | {"licences.csv", "catalogue.json", "README.md"}
    assert numbers.command in (folder / "README.md").read_text()
    assert shipped_sample(folder) == folder

    survey = survey_folder(folder)
    assert {category: count for category, count in survey.files.items() if count} == {"earrings": 1, "ring": 1}
    assert survey.sentences() == [], "masks are no category, and nothing is to be said about them"
    row = list_folder(folder, "ring").to_pylist()[0]
    assert (row["author"], row["licence"], row["may_train"]) == ("jewel-assets", "CC0-1.0", True)

    entry = json.loads((folder / "catalogue.json").read_text())["ring/ring-0001.jpg"]
    mask = cv2.imread(str(folder / "masks/ring/ring-0001.png"), cv2.IMREAD_UNCHANGED)
    assert entry["coverage"] == pytest.approx(mask.mean() / 255, abs=0.003)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpg")}
    said.clear()
    make_sample(folder, numbers, said.append)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpg")} == before
    (folder / "ring" / "ring-0001.jpg").unlink()
    made = (folder / "masks/ring/ring-0001.png").read_bytes()
    make_sample(folder, numbers, said.append)
    assert (folder / "masks/ring/ring-0001.png").read_bytes() == made, "the same numbers give the same pictures"


def test_a_folder_of_somebody_s_is_no_place_for_a_sample(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(Permanent, match="choose an empty folder"):
        make_sample(tmp_path, SampleNumbers(), print)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_without_pictures_there_is_no_shipped_sample(tmp_path: Path) -> None:
    assert shipped_sample(tmp_path) is None
    assert shipped_sample(tmp_path / "none") is None


@pytest.mark.skipif(
    shipped_sample() is None, reason="The sample's pictures are made by a command and are not here yet."
)
def test_the_shipped_sample_covers_all_categories_and_is_small() -> None:
    survey = survey_folder(SAMPLE)
    assert set(survey.files) == set(CATEGORIES)
    assert min(survey.files.values()) >= 12
    files = [path for path in SAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 6_000_000
    photos = {str(path.relative_to(SAMPLE).with_suffix("")) for path in SAMPLE.glob("*/*.jpg")}
    masks = {str(path.relative_to(SAMPLE / "masks").with_suffix("")) for path in SAMPLE.glob("masks/*/*.png")}
    assert photos == masks


def test_a_spoilt_photo_is_taken_again_with_another_seed_and_somebody_is_told(monkeypatch, solitaire: Piece) -> None:
    taken, said = [], []

    def spoils_the_first(piece: Piece, shot: Shot, category: str) -> str:
        taken.append(shot.seed)
        if len(taken) == 1:
            raise SpoiltPhoto("The piece is black.")
        return "photo"

    monkeypatch.setattr(taking, "render", spoils_the_first)
    shot, photo = taking.taken(solitaire, "ring", "solitaire", "randomised", 7, said.append)
    assert photo == "photo"
    assert taken[0] == 7 != taken[1] == shot.seed
    assert "solitaire was spoilt (The piece is black.)" in said[0]
    again = taking.taken(solitaire, "ring", "solitaire", "randomised", 7, said.append)[0]
    assert again.seed == 7, "what is not spoilt keeps its seed"
    monkeypatch.setattr(taking, "render", lambda *_: (_ for _ in ()).throw(SpoiltPhoto("The piece is black.")))
    with pytest.raises(SpoiltPhoto):
        taking.taken(solitaire, "ring", "solitaire", "randomised", 7, said.append)
