"""What lies in a photo folder: listed whole, named well, nothing opened that must not be."""

import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest

from jewel_assets.collect import FOLDER_SCHEMA, TEXTURES, list_folder, survey_folder
from jewel_assets.collect import hashes as hashing
from jewel_assets.collect.walk import from_text, to_text
from jewel_assets.errors import Permanent


def put(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or os.fsencode(path))
    return path


def rows(root: Path, category: str = "ring", **options: Any) -> dict[str, dict[str, Any]]:
    table = list_folder(root, category, **options)
    assert table.schema == FOLDER_SCHEMA
    listed = table.to_pylist()
    assert len({row["item_id"] for row in listed}) == len(listed)
    return {row["source_id"]: row for row in listed}


def problems(root: Path, category: str = "ring") -> dict[str, str]:
    return {name: row["problem"] for name, row in rows(root, category).items() if row["problem"]}


# --- which files --------------------------------------------------------------------------------------------------


def test_every_file_of_a_category_is_listed_at_any_depth_under_all_its_names(tmp_path: Path) -> None:
    for name in ("rings/a.jpg", "Ring/deep/er/b.PNG", "ring/notes.txt", "watch/c.jpg", "RINGS/a.jpg"):
        put(tmp_path / name)
    assert list(rows(tmp_path)) == ["RINGS/a.jpg", "Ring/deep/er/b.PNG", "ring/notes.txt", "rings/a.jpg"]
    row = rows(tmp_path, "wristwatch")["watch/c.jpg"]
    assert row["item_id"] == "folder:watch/c.jpg"
    assert (row["category"], row["source"], row["may_train"], row["licence"]) == ("wristwatch", "folder", False, None)
    assert row["path"] == str(tmp_path.resolve() / "watch/c.jpg")
    assert len(row["file_sha256"]) == 64
    assert rows(tmp_path, "necklace") == {}


def test_photos_loose_in_the_root_are_jewelry_and_other_loose_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("a.jpg", "readme.txt", "licences.csv", "misc/b.jpg"):
        put(tmp_path / name)
    assert list(rows(tmp_path, "jewelry")) == ["a.jpg", "misc/b.jpg"]


def test_what_systems_and_side_cars_leave_there_is_no_photo(tmp_path: Path) -> None:
    put(tmp_path / "ring/a.jpg")
    noise = (".DS_Store", ".hidden/x.jpg", "Thumbs.db", "desktop.ini", "__MACOSX/._a.jpg", "._a.jpg")
    cars = ("licences.csv", "a.jpg.json", "a.json", "sub/LICENSES.JSON")
    for name in (*noise, *cars):
        put(tmp_path / "ring" / name)
    assert list(rows(tmp_path)) == ["ring/a.jpg"]
    put(tmp_path / "ring/other.json")
    assert list(rows(tmp_path)) == ["ring/a.jpg", "ring/other.json"]


def test_the_same_file_in_two_categories_is_listed_in_both(tmp_path: Path) -> None:
    put(tmp_path / "ring/a.jpg", b"same")
    put(tmp_path / "necklace/a.jpg", b"same")
    assert rows(tmp_path)["ring/a.jpg"]["file_sha256"] == rows(tmp_path, "necklace")["necklace/a.jpg"]["file_sha256"]


# --- names --------------------------------------------------------------------------------------------------------

ODD_NAMES = [
    "Ring mit Süßwasserperle.jpg",
    "指輪 💍.jpg",
    "line\nbreak.jpg",
    "-rf.jpg",
    "back\\slash.jpg",
    "100%25.jpg",
    "x" * 251 + ".jpg",
    "\u202eright to left.jpg",
    "no extension",
]


def test_odd_names_are_listed_and_can_be_opened(tmp_path: Path) -> None:
    for name in ODD_NAMES:
        put(tmp_path / "ring" / name)
    listed = rows(tmp_path)
    assert set(listed) == {f"ring/{name}" for name in ODD_NAMES}
    for name, row in listed.items():
        assert from_text(row["path"]).read_bytes() == os.fsencode(tmp_path / name)


def test_bytes_that_are_no_text_and_two_spellings_of_one_name_get_stable_ids(tmp_path: Path) -> None:
    folder = os.fsencode(put(tmp_path / "ring/plain.jpg").parent)
    composed, decomposed = "perle\u0301e.jpg".encode(), "perl\u00e9e.jpg".encode()
    try:
        for name in (b"\xff\xfe.jpg", b"\\xff\\xfe.jpg", composed, decomposed):
            Path(os.fsdecode(folder + b"/" + name)).write_bytes(name)
    except OSError:
        pytest.skip("This file system takes text names only, or knows one spelling of each.")
    if len(list((tmp_path / "ring").iterdir())) != 5:
        pytest.skip("This file system knows one spelling of each name.")
    listed = rows(tmp_path)
    assert {"ring/plain.jpg", "ring/\\xff\\xfe.jpg", "ring/perl\u00e9e.jpg"} < set(listed)
    assert sum("~" in name for name in listed) == 2
    for row in listed.values():
        row["item_id"].encode()
        row["path"].encode()
        assert from_text(row["path"]).exists()
    (tmp_path / "ring/plain.jpg").unlink()
    assert set(rows(tmp_path)) == set(listed) - {"ring/plain.jpg"}


def test_a_decomposed_name_as_macos_writes_it_is_composed_in_the_id(tmp_path: Path) -> None:
    put(tmp_path / "ring/perle\u0301e.jpg")
    assert list(rows(tmp_path)) == ["ring/perl\u00e9e.jpg"]


def test_a_path_as_text_comes_back() -> None:
    for path in (Path("/a b/ü.jpg"), Path(os.fsdecode(b"/a%20/\xff\n.jpg")), Path("/file:/x")):
        to_text(path).encode()
        assert from_text(to_text(path)) == path


# --- links and what is no file ------------------------------------------------------------------------------------


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside/secret.jpg")
    root = tmp_path / "photos"
    put(root / "ring/a.jpg")
    (root / "ring/file.jpg").symlink_to(outside)
    (root / "ring/folder").symlink_to(outside.parent)
    (root / "ring/gone.jpg").symlink_to(tmp_path / "outside/nothing.jpg")
    (root / "ring/relative.jpg").symlink_to("../../outside/secret.jpg")
    (root / "necklace").symlink_to(outside.parent)
    out = "link out of the folder"
    names = ("file.jpg", "folder", "gone.jpg", "relative.jpg")
    assert problems(root) == {f"ring/{name}": out for name in names}
    assert problems(root, "necklace") == {"necklace": out}
    assert rows(root)["ring/file.jpg"]["file_sha256"] is None
    assert "outside" not in rows(root)["ring/file.jpg"]["path"]


def test_links_within_the_folder_are_followed_once_and_no_loop_is_endless(tmp_path: Path) -> None:
    put(tmp_path / "ring/a.jpg")
    put(tmp_path / "archive/old/b.jpg")
    (tmp_path / "ring/again.jpg").symlink_to("a.jpg")
    (tmp_path / "ring/one").symlink_to("../archive")
    (tmp_path / "ring/two").symlink_to("../archive")
    (tmp_path / "ring/three.jpg").symlink_to("../archive/old/b.jpg")
    (tmp_path / "ring/up").symlink_to("..")
    (tmp_path / "ring/self").symlink_to("self")
    (tmp_path / "archive/back").symlink_to("../ring")
    (tmp_path / "rings").symlink_to("ring")
    listed = rows(tmp_path)
    read = {name for name, row in listed.items() if not row["problem"]}
    assert len(read) == 2  # a.jpg and b.jpg, once each
    assert "ring/a.jpg" in read
    assert problems(tmp_path) == {"ring/self": "broken link"}
    assert all(Path(listed[name]["path"]).resolve() == Path(listed[name]["path"]) for name in read)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path / "ring/a.jpg")
    os.mkfifo(tmp_path / "ring/pipe.jpg")
    assert problems(tmp_path) == {"ring/pipe.jpg": "not a file"}


def test_a_file_that_may_not_be_read_is_listed_with_its_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "ring/a.jpg")
    locked = put(tmp_path / "ring/locked.jpg")
    really = hashing._hash
    error = PermissionError(13, "Permission denied")  # root may read everything: the system's answer is played
    monkeypatch.setattr(hashing, "_hash", lambda file: error if file.path.name == locked.name else really(file))
    row = rows(tmp_path)["ring/locked.jpg"]
    assert (row["problem"], row["file_sha256"]) == ("unreadable", None)
    assert row["problem_sentence"].endswith("cannot be read: Permission denied.")
    assert problems(tmp_path) == {"ring/locked.jpg": "unreadable"}


def test_a_file_that_vanishes_while_it_is_listed_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "ring/a.jpg")
    monkeypatch.setattr(hashing, "_hash", lambda file: FileNotFoundError(2, "No such file"))
    assert rows(tmp_path) == {}


# --- folders that hold nothing ------------------------------------------------------------------------------------


def test_a_folder_without_categories_is_refused_with_what_lies_there(tmp_path: Path) -> None:
    for ask in (lambda root: list_folder(root, "ring"), survey_folder):
        with pytest.raises(Permanent, match=r"does not exist. Set JEWEL_PHOTOS"):
            ask(tmp_path / "nowhere")
        with pytest.raises(Permanent, match="is a file"):
            ask(put(tmp_path / "file"))
        with pytest.raises(Permanent, match="is empty"):
            ask(_made(tmp_path / "empty"))
        _made(tmp_path / "strange/neclaces")
        with pytest.raises(Permanent, match=r"only 'neclaces'\. Perhaps 'necklace' was meant"):
            ask(tmp_path / "strange")
        _made(tmp_path / "above/photos/rings")
        with pytest.raises(Permanent, match=r"but .*above/photos has: set JEWEL_PHOTOS"):
            ask(tmp_path / "above")
    with pytest.raises(Permanent, match="no category 'rings'"):
        list_folder(tmp_path, "rings")


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def test_the_survey_tells_counts_strange_folders_and_broken_side_cars(tmp_path: Path) -> None:
    for name in (
        "rings/a.jpg",
        "Ring/b.jpg",
        "watch/c.jpg",
        "braclets/d.jpg",
        "braclets/e/f.jpg",
        "2024/g.jpg",
        "h.jpg",
    ):
        put(tmp_path / name)
    put(tmp_path / "rings/licences.csv", b"file,licence,may_train\na.jpg,CC0,sometimes\nzzz.jpg,CC0,\n")
    survey = survey_folder(tmp_path)
    assert survey.files == {"bracelet": 0, "earrings": 0, "jewelry": 1, "necklace": 0, "ring": 2, "wristwatch": 1}
    assert survey.folders == {"ring": ["Ring", "rings"], "wristwatch": ["watch"]}
    assert [(folder.name, folder.nearest, folder.files) for folder in survey.unknown] == [
        ("2024", None, 1),
        ("braclets", "bracelet", 2),
    ]
    assert survey.loose == 1
    told = "\n".join(survey.sentences())
    assert "'braclets' (2 files) is not read: its name means no category. Rename it to 'bracelet'" in told
    assert "may_train must be true or false" in told
    assert "'zzz.jpg' is not among the photos" in told


def test_an_author_and_licence_from_a_side_car_stand_in_the_row(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "ring/e\u0301toile.jpg")
    put(tmp_path / "ring/b.jpg")
    put(tmp_path / "ring/b.jpg.json", b"broken")
    put(tmp_path / "licences.csv", "file,author,licence\nring/\u00e9toile.jpg,Ana,CC BY 4.0\n*,x,CC0\n".encode())
    with caplog.at_level(logging.WARNING):
        listed = rows(tmp_path)
    row = listed["ring/\u00e9toile.jpg"]
    assert (row["author"], row["licence"], row["may_train"]) == ("Ana", "CC-BY-4.0", True)
    assert (listed["ring/b.jpg"]["licence"], listed["ring/b.jpg"]["may_train"]) == (None, False)
    assert "b.jpg.json: line 1, column 1 is not JSON" in caplog.text


# --- hashes remembered --------------------------------------------------------------------------------------------


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read to be hashed."""
    read: list[str] = []
    really = hashing._hash

    def counted(file: Any) -> Any:
        read.append(file.path.name)
        return really(file)

    monkeypatch.setattr(hashing, "_hash", counted)
    monkeypatch.setattr(hashing, "SETTLED_NS", -(10**18))
    return read


def test_an_unchanged_folder_is_not_read_again(tmp_path: Path, hashed: list[str]) -> None:
    root, memory = tmp_path / "photos", tmp_path / "memory"
    for name in "abc":
        put(root / f"ring/{name}.jpg")
    first = list_folder(root, "ring", memory)
    assert sorted(hashed) == ["a.jpg", "b.jpg", "c.jpg"]
    hashed.clear()
    assert list_folder(root, "ring", memory) == first
    assert hashed == []
    changed = put(root / "ring/b.jpg", b"other content, same place")
    os.utime(changed, ns=(0, 0))
    assert list_folder(root, "ring", memory) == list_folder(root, "ring")
    assert hashed[0] == "b.jpg"
    assert not list(memory.glob(".*"))


def test_new_content_behind_an_old_time_stamp_is_seen(tmp_path: Path, hashed: list[str]) -> None:
    root, memory = tmp_path / "photos", tmp_path / "memory"
    path = put(root / "ring/a.jpg", b"one")
    state = path.stat()
    list_folder(root, "ring", memory)
    time.sleep(0.02)  # two ticks of the clock of inodes
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert list_folder(root, "ring", memory) == list_folder(root, "ring")


def test_the_hash_of_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    put(tmp_path / "photos/ring/a.jpg")
    list_folder(tmp_path / "photos", "ring", tmp_path / "memory")
    assert not list((tmp_path / "memory").glob("*"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 1, "hashes": []}', '{"format": 0}'])
def test_a_damaged_memory_costs_time_only(tmp_path: Path, hashed: list[str], content: str) -> None:
    root, memory = tmp_path / "photos", tmp_path / "memory"
    put(root / "ring/a.jpg")
    first = list_folder(root, "ring", memory)
    (file,) = memory.iterdir()
    file.write_text(content)
    assert list_folder(root, "ring", memory) == first
    assert len(hashed) == 2


def test_a_memory_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    put(tmp_path / "photos/ring/a.jpg")
    assert list_folder(tmp_path / "photos", "ring", put(tmp_path / "file") / "memory").num_rows == 1


# --- textures -----------------------------------------------------------------------------------------------------


def test_a_texture_folder_is_read_by_theme_and_its_items_are_no_photos(tmp_path: Path) -> None:
    put(tmp_path / "Gold leaf/a.jpg")
    put(tmp_path / "VELVET/deep/b.png")
    put(tmp_path / "ring/c.jpg")
    put(tmp_path / "licences.csv", b"file,author,licence\nGold leaf/a.jpg,Ana,CC0\n")
    (row,) = list_folder(tmp_path, "gold", kind=TEXTURES).to_pylist()
    assert (row["item_id"], row["category"], row["source"]) == (
        "texture_folder:Gold leaf/a.jpg", "gold", "texture_folder",
    )  # fmt: skip
    assert (row["author"], row["licence"], row["may_train"]) == ("Ana", "CC0-1.0", True)
    assert [row["source_id"] for row in list_folder(tmp_path, "textile", kind=TEXTURES).to_pylist()] == [
        "VELVET/deep/b.png"
    ]
    assert [row["item_id"] for row in list_folder(tmp_path, "ring").to_pylist()] == ["folder:ring/c.jpg"]
    with pytest.raises(Permanent, match=r"no theme 'ring'\. The themes are enamel, filigree"):
        list_folder(tmp_path, "ring", kind=TEXTURES)


def test_loose_textures_are_reported_and_not_read(tmp_path: Path) -> None:
    for name in ("gold/a.jpg", "b.jpg", "c.png", "filligree/d.jpg"):
        put(tmp_path / name)
    survey = survey_folder(tmp_path, TEXTURES)
    assert sum(survey.files.values()) == survey.files["gold"] == 1
    assert survey.loose == 2
    told = "\n".join(survey.sentences())
    assert "2 textures lie in the folder itself: they are not read. Move each into the folder of its theme." in told
    assert "its name means no theme. Rename it to 'filigree' if that is meant; the themes are enamel" in told


def test_a_texture_folder_without_themes_is_refused_with_what_lies_there(tmp_path: Path) -> None:
    for ask in (lambda root: list_folder(root, "gold", kind=TEXTURES), lambda root: survey_folder(root, TEXTURES)):
        with pytest.raises(Permanent, match=r"The texture folder .* does not exist\. Set JEWEL_TEXTURES"):
            ask(tmp_path / "nowhere")
        put(tmp_path / "loose/a.jpg")
        with pytest.raises(
            Permanent, match=r"has no folder whose name means a theme, only loose textures\. Set JEWEL_TEXTURES"
        ):
            ask(tmp_path / "loose")
        _made(tmp_path / "above/textures/silk")
        with pytest.raises(Permanent, match=r"but .*above/textures has: set JEWEL_TEXTURES to that"):
            ask(tmp_path / "above")
