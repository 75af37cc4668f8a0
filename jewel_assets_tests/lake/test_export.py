"""Datasets as folders for people."""

import csv
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake
from jewel_assets.lake.export import NAME_BYTES, _plain, export
from jewel_assets_tests.lake.small_lakes import blob_file, in_namespace, publish, rows_of


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def files(out: Path) -> list[str]:
    """Files below `out`, without the list."""
    found = (path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    return sorted(name for name in found if name != "items.csv")


def listed(out: Path) -> list[dict[str, Any]]:
    with (out / "items.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def short(lake: Lake, data: bytes) -> str:
    return blob_file(lake, data).stem[:12]


def test_files_are_read_only_hard_links_to_the_blobs(lake: Lake, out: Path) -> None:
    publish(lake, "product_photos", "ring", {"shop/gold.png": b"gold"})
    assert export(lake, "product_photos", out) == 1
    file = out / "ring_filter_keep" / f"gold-{short(lake, b'gold')}.png"
    assert file.samefile(blob_file(lake, b"gold"))
    assert file.stat().st_mode & 0o222 == 0


def test_copies_on_request_share_nothing_and_can_be_edited(lake: Lake, out: Path) -> None:
    publish(lake, "product_photos", "ring", {"gold.png": b"gold"})
    export(lake, "product_photos", out)
    export(lake, "product_photos", out, copy=True)
    (file,) = (out / "ring_filter_keep").iterdir()
    file.write_bytes(b"edited")
    assert blob_file(lake, b"gold").read_bytes() == b"gold"


def test_another_disk_gets_copies(lake: Lake, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    publish(lake, "product_photos", "ring", {"gold.png": b"gold"})
    export(lake, "product_photos", out)
    (file,) = (out / "ring_filter_keep").iterdir()
    assert file.read_bytes() == b"gold"
    assert not file.samefile(blob_file(lake, b"gold"))


@pytest.mark.parametrize(
    ("dataset", "values", "folder"),
    [
        ("product_photos", {}, "ring_filter_keep"),
        ("body_part_verdicts", {"verdict": "review"}, "ring_filter_review"),
        ("image_pool", {"split": "train"}, "train/ring"),
        ("design_clusters", {"cluster_id": 7, "cluster_name": "rosé / twisted: 1"}, "cluster_007_rosé_twisted_1"),
        ("design_clusters", {"cluster_name": "without a number"}, "ring_design_clusters"),
        ("cutouts", {}, "ring_cutouts"),
    ],
)
def test_each_dataset_has_the_folders_that_people_know(
    lake: Lake, out: Path, dataset: str, values: dict[str, Any], folder: str
) -> None:
    publish(lake, dataset, "ring", {"gold.png": b"gold"}, **values)
    export(lake, dataset, out)
    assert files(out) == [f"{folder}/gold-{short(lake, b'gold')}.png"]


@pytest.mark.parametrize(
    ("source_id", "stem"),
    [
        ("gold.png", "gold"),
        ("shop/2024/gold ring.final.png", "gold_ring.final"),
        ("../../../etc/passwd", "passwd"),
        ("..", "item"),
        ("/", "item"),
        (".hidden.png", "hidden"),
        ("-rf.png", "rf"),
        ("a\\b:c*d?.png", "a_b_c_d"),
        ("line\nbreak\x00.png", "line_break"),
        ("e\u0301tui.png", "étui"),
        ("指輪💍.jpg", "指輪"),
        ("https://shop.example/p?id=7&x=1", "p_id_7_x_1"),
        ("x" * 251 + ".png", "x" * NAME_BYTES),
        ("指" * 85, "指" * (NAME_BYTES // 3)),
    ],
)
def test_names_are_what_every_file_system_takes(lake: Lake, out: Path, source_id: str, stem: str) -> None:
    publish(lake, "cutouts", "ring", {source_id: b"gold"})
    export(lake, "cutouts", out)
    assert files(out) == [f"ring_cutouts/{stem}-{short(lake, b'gold')}.png"]


@given(st.text())
def test_any_name_is_plain_short_and_not_empty(name: str) -> None:
    plain = _plain(name)
    assert plain
    assert len(plain.encode()) <= NAME_BYTES
    assert not plain.startswith((".", "-"))
    assert not set(plain) & set('/\\:*?"<>|\n\0 ')


def test_every_item_has_a_file_of_its_own_also_where_case_makes_no_difference(lake: Lake, out: Path) -> None:
    same = {"a/Gold.png": b"gold", "b/gold.png": b"gold", "c/GOLD.png": b"gold", "d/gold.png": b"silver"}
    publish(lake, "cutouts", "ring", same)
    assert export(lake, "cutouts", out) == 4
    gold = short(lake, b"gold")
    names = [f"Gold-{gold}", f"GOLD-{gold}-3", f"gold-{gold}-2", f"gold-{short(lake, b'silver')}"]
    assert files(out) == sorted(f"ring_cutouts/{name}.png" for name in names)
    assert len({row["file"].casefold() for row in listed(out)}) == 4


def test_the_list_says_where_each_file_came_from_and_what_may_be_done_with_it(lake: Lake, out: Path) -> None:
    publish(lake, "cutouts", "ring", {"gold.png": b"gold"}, author="Zoë, O'Neil", licence="CC-BY-4.0", coverage=0.5)
    export(lake, "cutouts", out)
    (row,) = listed(out)
    assert row["file"] == files(out)[0]
    assert (row["dataset"], row["item_id"], row["author"]) == ("cutouts", "folder:gold.png", "Zoë, O'Neil")
    assert (row["licence"], row["may_train"], row["coverage"]) == ("CC-BY-4.0", "False", "0.5")


@pytest.mark.parametrize("author", ["=HYPERLINK(1)", "+1", "-1", "@sum", "\ttab"])
def test_no_text_in_the_list_is_a_formula(lake: Lake, out: Path, author: str) -> None:
    publish(lake, "cutouts", "ring", {"gold.png": b"gold"}, author=author, offset=-0.5)
    for _ in range(2):
        export(lake, "cutouts", out)
        (row,) = listed(out)
        assert row["author"] == f"'{author}"
        assert row["offset"] == "-0.5"  # a number is no danger


def test_exporting_again_brings_the_folder_up_to_date(lake: Lake, out: Path) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a", "b.png": b"b"})
    publish(lake, "cutouts", "necklace", {"c.png": b"c"})
    export(lake, "cutouts", out)
    publish(lake, "cutouts", "ring", {"b.png": b"b", "d.png": b"d"})
    publish(lake, "cutouts", "necklace", {})
    assert export(lake, "cutouts", out) == 2
    assert files(out) == [f"ring_cutouts/{name}-{short(lake, name.encode())}.png" for name in "bd"]
    assert not (out / "necklace_cutouts").exists()  # a folder that is empty now goes too
    assert sorted(row["file"] for row in listed(out)) == files(out)


def test_one_folder_takes_several_datasets_and_categories(lake: Lake, out: Path) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a"})
    publish(lake, "cutouts", "necklace", {"c.png": b"c"})
    publish(lake, "product_photos", "ring", {"a.png": b"photo"})
    export(lake, "cutouts", out, "ring")
    export(lake, "product_photos", out)
    export(lake, "cutouts", out, "necklace")
    assert len(files(out)) == 3
    assert sorted(row["file"] for row in listed(out)) == files(out)
    publish(lake, "cutouts", "necklace", {"e.png": b"e"})
    export(lake, "cutouts", out, "necklace")
    assert sorted(name.split("/")[1][0] for name in files(out)) == ["a", "a", "e"]


def test_what_somebody_else_put_there_or_changed_stays(lake: Lake, out: Path) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a", "b.png": b"b"})
    export(lake, "cutouts", out, copy=True)
    (out / "ring_cutouts" / "mine.png").write_bytes(b"mine")
    (changed,) = (out / "ring_cutouts").glob("a-*")
    changed.write_bytes(b"retouched by hand")
    publish(lake, "cutouts", "ring", {"b.png": b"b"})
    export(lake, "cutouts", out, copy=True)
    assert [name.split("/")[1][:4] for name in files(out)] == [
        "a-" + short(lake, b"a")[:2],
        "b-" + short(lake, b"b")[:2],
        "mine",
    ]


def test_a_list_that_somebody_edited_cannot_make_it_remove_other_files(lake: Lake, out: Path, tmp_path: Path) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a"})
    export(lake, "cutouts", out)
    precious = tmp_path / "precious.png"
    precious.write_bytes(b"a")  # with the right bytes, even
    text = (out / "items.csv").read_text()
    name = files(out)[0]
    (out / "items.csv").write_text(text + text.splitlines()[1].replace(name, "../precious.png") + "\n")
    export(lake, "cutouts", out)
    assert precious.exists()


@pytest.mark.parametrize("text", ["", "name,price\nring,10\n", "\x00\xff", "file,dataset,category,sha256\n,,,\n"])
def test_a_table_of_that_name_which_is_not_ours_is_not_overwritten(lake: Lake, out: Path, text: str) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a"})
    out.mkdir()
    (out / "items.csv").write_text(text, encoding="latin-1")
    with pytest.raises(Permanent, match="not the list of an earlier export"):
        export(lake, "cutouts", out)
    assert os.listdir(out) == ["items.csv"]  # noqa: PTH208


def test_an_export_that_was_interrupted_leaves_nothing_that_the_next_one_does_not_know(
    lake: Lake, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a", "b.png": b"b"})
    linked = os.link

    def link(source: Path, target: Path) -> None:
        if blob_file(lake, b"b") == source:
            raise KeyboardInterrupt
        linked(source, target)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(KeyboardInterrupt):
        export(lake, "cutouts", out)
    monkeypatch.undo()
    publish(lake, "cutouts", "ring", {"b.png": b"b"})
    export(lake, "cutouts", out)
    assert files(out) == [f"ring_cutouts/b-{short(lake, b'b')}.png"]


def test_a_lost_blob_is_named_and_nothing_is_written(lake: Lake, out: Path) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a", "b.png": b"b"})
    blob_file(lake, b"b").unlink()
    with pytest.raises(Permanent, match="1 blobs of cutouts are gone, first"):
        export(lake, "cutouts", out)
    assert not out.exists()


def test_nothing_to_export_is_said(lake: Lake, out: Path) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a"})
    with pytest.raises(Permanent, match="cutouts has no rows of necklace: materialize it first"):
        export(lake, "cutouts", out, "necklace")


def test_a_place_inside_the_lake_is_refused(lake: Lake) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a"})
    with pytest.raises(Permanent, match="inside the lake"):
        export(lake, "cutouts", Path(lake.root) / "tables" / "mine")


def test_a_file_where_the_folder_should_be_is_said(lake: Lake, out: Path) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a"})
    out.write_text("a file")
    with pytest.raises(Permanent, match="choose another folder"):
        export(lake, "cutouts", out)


_EXPORT = """
import sys
from pathlib import Path
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake
from jewel_assets.lake.export import export
try:
    export(Lake(sys.argv[1]), "cutouts", Path(sys.argv[2]))
except Permanent as error:
    print(error)
print(len([path for path in Path(sys.argv[2]).rglob("*.part")]))
"""


def test_a_full_disk_is_a_sentence_and_leaves_no_half_file(lake: Lake, out: Path) -> None:
    publish(lake, "cutouts", "ring", {f"{n}.png": bytes([n]) * 400_000 for n in range(4)})
    out.mkdir()
    done = in_namespace(f"mount -t tmpfs -o size=1m tmpfs '{out}'", _EXPORT, lake.root, str(out))
    assert done.stderr == ""
    sentence, parts = done.stdout.splitlines()
    assert "No space left" in sentence
    assert "make room or choose another folder" in sentence
    assert parts == "0"


def test_a_read_only_lake_can_be_exported(lake: Lake, out: Path) -> None:
    publish(lake, "cutouts", "ring", {"a.png": b"a"})
    mount = f"mount --bind '{lake.root}' '{lake.root}' && mount -o remount,bind,ro '{lake.root}'"
    done = in_namespace(mount, _EXPORT, lake.root, str(out))
    assert (done.stderr, done.stdout) == ("", "0\n")
    assert len(files(out)) == 1


def test_for_training_only_what_its_licence_allows_is_written(lake: Lake, out: Path) -> None:
    allowed = rows_of(lake, "ring", {"cc0.png": b"free"}, may_train=True)
    denied = rows_of(lake, "ring", {"mine.png": b"not free"})
    lake.dataset("product_photos").publish(pa.concat_tables([allowed, denied]), "ring")
    assert export(lake, "product_photos", out) == 2
    assert export(lake, "product_photos", out, may_train=True) == 1
    assert [entry["may_train"] for entry in listed(out)] == ["True"]


def test_a_dataset_that_nobody_may_train_on_says_so(lake: Lake, out: Path) -> None:
    publish(lake, "product_photos", "ring", {"mine.png": b"not free"})
    with pytest.raises(Permanent, match="nothing may be trained on"):
        export(lake, "product_photos", out, may_train=True)
    assert not out.exists()
