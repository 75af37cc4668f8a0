"""Many photos at once: the same images whatever the workers, rights, people, several sides of a piece."""

import csv
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
from typer.testing import CliRunner, Result

from jewel_assets.clean.removal import Matte, PlainRemover
from jewel_assets.cli import app
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, decode, encode_jpeg, encode_png, flatten
from jewel_assets.promote.batch import Asked, Made, NotMade, make_all
from jewel_assets.promote.templates import library
from jewel_assets.settings import settings
from jewel_assets_tests.promote.pieces import drawn_ring

QUICK = (180, 180)
VELVET, MARBLE = (library().get(name) for name in ("velvet-midnight", "marble-ivory"))


def jewel(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["promote", *map(str, arguments)])


@pytest.fixture(autouse=True)
def without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_MODELS", str(tmp_path / "no models"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty cut-outs, each of another colour."""
    made = tmp_path / "photos"
    made.mkdir()
    for number in range(20):
        (made / f"{number:02d}.png").write_bytes(encode_png(drawn_ring(120, (100 + 7 * number, 150, 90))))
    return made


def hashes(found: Iterator[Made | NotMade]) -> list[tuple[str, str, str]]:
    made = [one for one in found if isinstance(one, Made)]
    return [(one.photo.name, one.template.name, str(one.record["pixels_sha256"])) for one in made]


def test_one_worker_and_two_make_the_same_images_in_the_same_order(folder: Path) -> None:
    photos, asked = sorted(folder.iterdir()), Asked((VELVET, MARBLE), 3, QUICK)
    one = hashes(make_all(photos, asked, workers=1))
    assert len({sha256 for *_, sha256 in one}) == 40
    assert hashes(make_all(photos, asked, workers=2)) == one


def test_a_photo_that_fails_in_a_worker_is_named_and_hides_no_other(folder: Path) -> None:
    (folder / "07.png").write_bytes(b"no picture")
    found = list(make_all(sorted(folder.iterdir()), Asked((VELVET,), 3, QUICK), workers=2))
    assert [(one.photo.name, one.reason) for one in found if isinstance(one, NotMade)] == [("07.png", "not an image")]
    assert sum(isinstance(one, Made) for one in found) == 19


@pytest.mark.parametrize("up", [1, 2])
def test_a_worker_that_is_killed_ends_the_batch_with_a_sentence_and_leaves_none(folder: Path, up: int) -> None:
    """Also where it dies while another is being started."""
    before = set(multiprocessing.active_children())

    def kill() -> None:
        while len(here := set(multiprocessing.active_children()) - before) < up:
            time.sleep(0.005)
        for one in here:
            if one.pid:
                os.kill(one.pid, signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    with pytest.raises(Permanent, match=r"A worker died .* run again with --workers 1"):
        list(make_all(sorted(folder.iterdir()), Asked((VELVET,), 3, QUICK), workers=2))
    deadline = time.monotonic() + 20
    while set(multiprocessing.active_children()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(multiprocessing.active_children()) <= before


def test_workers_end_with_the_process_that_asked_for_them(folder: Path) -> None:
    """It is killed while they work: what they make would never be taken."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from jewel_assets.promote.batch import Asked, make_all\n"
        "from jewel_assets.promote.templates import library\n"
        "if __name__ == '__main__':\n"
        "    asked = Asked((library().get('velvet-midnight'),), 3, (540, 540))\n"
        "    for one in make_all(sorted(Path(sys.argv[1]).iterdir()) * 20, asked, workers=2): pass\n"
    )
    script = folder.parent / "batch.py"
    script.write_text(code)
    asking = subprocess.Popen([sys.executable, str(script), str(folder)])
    me, deadline = psutil.Process(asking.pid), time.monotonic() + 60
    workers: list[psutil.Process] = []
    while len(workers) < 2 and time.monotonic() < deadline:
        workers = [one for one in me.children() if any("spawn_main" in word for word in one.cmdline())]
        time.sleep(0.05)
    assert len(workers) == 2
    time.sleep(3)  # they are at work
    asking.kill()
    asking.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


def test_what_a_licence_beside_the_photos_forbids_is_not_advertised(tmp_path: Path) -> None:
    for name in ("free", "forbidden", "mine"):
        (tmp_path / f"{name}.png").write_bytes(encode_png(drawn_ring(120)))
    with (tmp_path / "licences.csv").open("w") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "author", "licence"])
        rows.writerow(["free.png", "Anna Muster", "CC0-1.0"])
        rows.writerow(["forbidden.png", "Bert Beispiel", "CC BY-NC 4.0"])
    done = jewel(tmp_path, "--style", "velvet", "--size", "180x180", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "not for publishing" in done.output
    assert "1 of 3 photos gave no image" in done.output
    records = {path.parent.name: json.loads(path.read_text()) for path in (tmp_path / "out").rglob("*.json")}
    assert sorted(records) == ["free", "mine"]
    assert records["free"]["licence"]["author"] == "Anna Muster"
    assert records["mine"]["licence"] is None


def test_what_a_licence_leaves_open_needs_somebody_who_permits_it(tmp_path: Path) -> None:
    photo, out = tmp_path / "a.png", tmp_path / "o.jpg"
    photo.write_bytes(encode_png(drawn_ring(120)))
    (tmp_path / "a.json").write_text(json.dumps({"author": "Anna", "licence": "a licence of my own"}))
    asked = [photo, "--style", "velvet", "--size", "180x180", "--out", out]
    refused = jewel(*asked)
    assert refused.exit_code == 1
    assert "--permission" in refused.output
    assert jewel(*asked, "--permission", "Anna wrote so on 1 May").exit_code == 0
    assert json.loads(out.with_suffix(".json").read_text())["permission"] == "Anna wrote so on 1 May"


def test_several_sides_are_one_picture_and_the_record_makes_it_again(tmp_path: Path) -> None:
    front, side, out = tmp_path / "front.png", tmp_path / "side.png", tmp_path / "o.jpg"
    front.write_bytes(encode_png(drawn_ring(160)))
    side.write_bytes(encode_png(np.ascontiguousarray(drawn_ring(160)[:, ::2])))
    asked = ["--style", "marble", "--size", "270x270", "--out", out]
    assert jewel(front, "--beside", side, *asked).exit_code == 0
    record = json.loads(out.with_suffix(".json").read_text())
    assert [Path(one["photo"]).name for one in record["beside"]] == ["side.png"]
    assert jewel("again", out.with_suffix(".json")).exit_code == 0
    side.write_bytes(encode_png(np.ascontiguousarray(drawn_ring(160)[:, ::3])))
    changed = jewel("again", out.with_suffix(".json"))
    assert changed.exit_code == 1
    assert "side.png has changed since" in changed.output


def test_beside_belongs_to_one_photo(folder: Path) -> None:
    done = jewel(folder, "--beside", folder / "01.png")
    assert done.exit_code == 1
    assert "belong to one photo" in done.output


def test_one_earring_makes_a_pair(tmp_path: Path) -> None:
    photo, out = tmp_path / "a.png", tmp_path / "o.png"
    photo.write_bytes(encode_png(drawn_ring(160)))
    assert jewel(photo, "--pair", "--style", "velvet", "--size", "270x270", "--out", out).exit_code == 0
    assert json.loads(out.with_suffix(".json").read_text())["template"]["arrangement"] == "pair"
    assert decode(out.read_bytes()).shape == (270, 270, 3)


def test_a_package_tells_no_folder_of_this_machine(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "out.zip"
    assert jewel(folder / "01.png", "--style", "velvet", "--size", "540x540", "--zip", archive).exit_code == 0
    with zipfile.ZipFile(archive) as file:
        told = b"".join(file.read(name) for name in file.namelist())
        records = [json.loads(file.read(name)) for name in file.namelist() if name.endswith("json")]
    assert str(folder).encode() not in told
    assert any("01.png" in json.dumps(record) for record in records)


@pytest.mark.shared
def test_a_person_in_the_picture_is_refused_unless_people_are_welcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Path
) -> None:
    people = shared / "data" / "people"
    monkeypatch.setenv("JEWEL_MODEL_MIRROR", str(shared / "weights"))
    settings.cache_clear()
    out = tmp_path / "o.jpg"
    with (people / "labels.csv").open() as file:
        names = [row["file"] for row in csv.DictReader(file) if row["hand"] == "1"]
    refused = jewel(people / "images" / names[0], "--style", "velvet", "--size", "180x180", "--out", out)
    assert refused.exit_code == 1
    assert "The photo shows a person (person: " in refused.output
    photo = tmp_path / "product.jpg"
    photo.write_bytes(encode_jpeg(flatten(np.pad(drawn_ring(300), ((60, 60), (60, 60), (0, 0))))))
    assert jewel(photo, "--style", "velvet", "--size", "180x180", "--out", out).exit_code == 0


class _Greedy(PlainRemover):
    """Takes a strip of the ground beside the piece for a part of it, and is sure of it."""

    def mattes(self, images: Sequence[Pixels]) -> list[Matte]:
        (matte,) = super().mattes(images)
        matte.alpha[250:290, 40:260] = 1
        return [matte]


def test_a_mask_that_is_not_to_be_trusted_is_shown_instead_of_a_bad_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jewel_assets.clean.choose_remover", lambda *_, **__: _Greedy())
    rgba = np.pad(drawn_ring(200), ((40, 60), (50, 50), (0, 0)))
    photo, out, mended = tmp_path / "a.png", tmp_path / "out", tmp_path / "mended.png"
    photo.write_bytes(encode_png(flatten(rgba)))
    mended.write_bytes(encode_png(np.ascontiguousarray(rgba[..., 3])))
    asked = [photo, "--style", "velvet", "--size", "180x180", "--out", out / "promo.jpg"]
    refused = jewel(*asked)
    assert refused.exit_code == 1
    assert "of its outline runs where the photo shows no edge" in refused.output
    assert decode((out / "a.png.mask.png").read_bytes())[270, 150, 0] == 255
    assert not (out / "promo.jpg").exists()
    assert jewel(*asked, "--mask", mended).exit_code == 0
    assert jewel(*asked, "--doubtful").exit_code == 0


def test_sides_of_other_categories_come_again_as_they_were(tmp_path: Path) -> None:
    """Each is guessed by itself, and its size follows from what it is."""
    ring, bar, out = tmp_path / "ring.png", tmp_path / "bar.png", tmp_path / "o.jpg"
    ring.write_bytes(encode_png(drawn_ring(160)))
    both = drawn_ring(120)
    bar.write_bytes(encode_png(np.ascontiguousarray(np.hstack([both, both]))))
    asked = ["--style", "marble", "--size", "270x270", "--out", out]
    assert jewel(ring, "--beside", bar, *asked).exit_code == 0
    record = json.loads(out.with_suffix(".json").read_text())
    assert (record["category"], record["beside"][0]["category"]) == ("ring", "earrings")
    assert jewel("again", out.with_suffix(".json")).exit_code == 0


@pytest.mark.parametrize(
    "told",
    [
        "file,author,licence,may_train\na.png,Ann,All rights reserved,perhaps",
        "file,author,source_url\na.png,Ann,https://example.org/a",
        "not,a,table",
    ],
)
def test_a_side_car_that_is_not_understood_allows_nothing(told: str, tmp_path: Path) -> None:
    photo = tmp_path / "sub" / "a.png"
    photo.parent.mkdir()
    photo.write_bytes(encode_png(drawn_ring(120)))
    (photo.parent / "Licences.CSV").write_text(told)
    done = jewel(photo, "--style", "velvet", "--size", "180x180", "--out", tmp_path / "o.jpg")
    assert done.exit_code == 1
    assert "not for publishing" in done.output
    assert not (tmp_path / "o.jpg").exists()


def test_a_side_is_judged_as_the_photo_is_and_a_folder_above_speaks_of_it(tmp_path: Path) -> None:
    free, bound = tmp_path / "free.png", tmp_path / "bound" / "below" / "b.png"
    bound.parent.mkdir(parents=True)
    for path in (free, bound):
        path.write_bytes(encode_png(drawn_ring(120)))
    (bound.parent.parent / "licences.csv").write_text("file,author,licence\n*,Bert,CC BY-NC 4.0\n")
    quick = ["--style", "velvet", "--size", "180x180", "--out", tmp_path / "o.jpg"]
    for photos in ((bound,), (free, "--beside", bound)):
        refused = jewel(*photos, *quick)
        assert refused.exit_code == 1
        assert "not for publishing" in refused.output


def test_what_made_an_image_is_never_overwritten_nor_a_side_car(tmp_path: Path) -> None:
    photo, side, car = tmp_path / "a.png", tmp_path / "b.png", tmp_path / "a.json"
    for path in (photo, side):
        path.write_bytes(encode_png(drawn_ring(120)))
    quick = ["--style", "velvet", "--size", "180x180"]
    assert jewel(photo, "--beside", side, *quick, "--out", side).exit_code == 1
    car.write_text(json.dumps({"author": "Ann", "licence": "CC-BY-4.0"}))
    refused = jewel(photo, *quick, "--out", tmp_path / "a.jpg")
    assert refused.exit_code == 1
    assert "a.json is no record of ours" in refused.output
    out = tmp_path / "o.jpg"
    assert jewel(photo, *quick, "--out", out).exit_code == 0
    assert jewel("again", out.with_suffix(".json"), "--out", photo).exit_code == 1
    assert decode(photo.read_bytes(), alpha=True).shape == (120, 120, 4)


def test_a_folder_may_hold_its_own_images(folder: Path) -> None:
    asked = [folder, "--style", "velvet", "--size", "180x180"]
    for out in (folder / "promos", folder):
        first, second = (jewel(*asked, "--out", out) for _ in range(2))
        assert (first.exit_code, second.exit_code) == (0, 0), second.output
        assert "(20 of 20, 0 s left)" in first.output
        assert "20 photos have all these images already." in second.output


def test_a_folder_goes_on_where_it_was_stopped_and_makes_anew_what_has_changed(folder: Path, tmp_path: Path) -> None:
    out, sheet = tmp_path / "out", tmp_path / "sheet.jpg"
    asked = [folder, "--style", "velvet", "--size", "180x180", "--out", out]
    assert jewel(*asked).exit_code == 0
    (image,) = (out / "03").glob("*.jpg")
    image.write_bytes(b"half of an image")
    (folder / "07.png").write_bytes(encode_png(drawn_ring(120, (10, 200, 90))))
    again = jewel(*asked, "--sheet", sheet)
    assert "18 photos have all these images already." in again.output
    assert "(2 of 2, 0 s left)" in again.output
    assert decode(sheet.read_bytes()).shape[1] > 300
    assert "(20 of 20, 0 s left)" in jewel(*asked, "--seed", 5).output
    (folder / "licences.csv").write_text("file,author,licence\n11.png,Bert,CC BY-NC 4.0\n")
    forbidden = jewel(*asked, "--seed", 5)
    assert "19 photos have all these images already." in forbidden.output
    assert "not for publishing" in forbidden.output


def test_a_package_may_lie_beside_any_other_file(tmp_path: Path) -> None:
    photo, archive = tmp_path / "a.png", tmp_path / "o.zip"
    photo.write_bytes(encode_png(drawn_ring(160)))
    archive.with_suffix(".json").write_text("{}")
    assert jewel(photo, "--style", "velvet", "--size", "540x540", "--zip", archive).exit_code == 0
    assert archive.with_suffix(".json").read_text() == "{}"


def test_a_package_names_whom_a_licence_asks_to_be_named(tmp_path: Path) -> None:
    photo, archive = tmp_path / "a.png", tmp_path / "o.zip"
    photo.write_bytes(encode_png(drawn_ring(160)))
    (tmp_path / "a.json").write_text(json.dumps({"author": "Ann Muster", "licence": "CC-BY-4.0"}))
    assert jewel(photo, "--style", "velvet", "--size", "540x540", "--zip", archive).exit_code == 0
    with zipfile.ZipFile(archive) as file:
        (caption,) = [file.read(name).decode() for name in file.namelist() if name.endswith(".txt")]
    assert "Photo: Ann Muster, CC-BY-4.0" in caption


def test_without_detectors_it_is_said_that_nobody_looked_for_people(tmp_path: Path) -> None:
    photo = tmp_path / "product.jpg"
    photo.write_bytes(encode_jpeg(flatten(np.pad(drawn_ring(300), ((60, 60), (60, 60), (0, 0))))))
    done = jewel(photo, "--style", "velvet", "--size", "180x180", "--out", tmp_path / "o.jpg")
    assert done.exit_code == 0
    assert "Nobody looked for people" in done.output


@pytest.mark.parametrize(
    "change",
    [{"beside": [{}]}, {"beside": 5}, {"mask": 5}, {"photo": None}, {"samples": "a"}, {"size": [180, 180, 180]}],
)
def test_a_record_that_is_none_is_a_sentence(change: dict[str, object], tmp_path: Path) -> None:
    photo, out = tmp_path / "a.png", tmp_path / "o.jpg"
    photo.write_bytes(encode_png(drawn_ring(120)))
    assert jewel(photo, "--style", "velvet", "--size", "180x180", "--out", out).exit_code == 0
    record = out.with_suffix(".json")
    record.write_text(json.dumps(json.loads(record.read_text()) | change))
    done = jewel("again", record)
    assert done.exit_code == 1
    assert "is no record of a promotional image" in done.output
