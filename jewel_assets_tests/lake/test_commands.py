"""`jewel lake` as somebody types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jewel_assets.cli import app
from jewel_assets.lake import Lake
from jewel_assets_tests.lake.small_lakes import age, append_outcomes, blob_file, publish


@pytest.fixture(autouse=True)
def _this_lake(monkeypatch: pytest.MonkeyPatch, lake_root: str) -> None:
    monkeypatch.setenv("JEWEL_LAKE", lake_root)
    monkeypatch.setenv("COLUMNS", "60")


@pytest.fixture
def filled(lake: Lake) -> Lake:
    publish(lake, "photos", "ring", {"a.png": b"photo a", "b.png": b"photo b"})
    publish(lake, "photos", "necklace", {"c.png": b"photo c"})
    publish(lake, "cutouts", "ring", {"a.png": b"cut-out a"}, author="Zoë")
    append_outcomes(lake, "cutouts", "ring", {"a.png": b"cut-out a"})
    return lake


def jewel(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["lake", *arguments])


def test_an_empty_lake_says_what_to_do(lake_root: str) -> None:
    for arguments, said in (
        (["ls"], "Nothing was published"),
        (["verify"], "Everything is as it should be."),
        (["gc"], "0 blobs (0.0 MB) and 0 data files of tables would be removed."),
    ):
        done = jewel(*arguments)
        assert done.exit_code == 0
        assert said in done.output
    assert jewel("ls", "--json").output == "[]\n"
    assert not Path(lake_root).exists()  # looking makes nothing


def test_ls_counts_rows_by_category(filled: Lake) -> None:
    header, cutouts, photos = jewel("ls").output.splitlines()
    assert header.split() == [
        "dataset", "rows", "bracelet", "earrings", "jewelry", "necklace", "ring", "wristwatch", "version",
    ]  # fmt: skip
    assert cutouts.split() == ["cutouts", "1", "1", "0"]
    assert photos.split() == ["photos", "3", "1", "2", "1"]
    assert photos.rindex("2") == header.index("  wristwatch") - 1  # under "ring", to the right


def test_ls_as_json(filled: Lake) -> None:
    found = json.loads(jewel("ls", "--json").output)
    assert found[1] == {"dataset": "photos", "rows": 3, "categories": {"ring": 2, "necklace": 1}, "version": 1}


def test_ls_shows_a_broken_dataset_beside_the_others(filled: Lake) -> None:
    (Path(filled.root) / "tables" / "photos" / "_delta_log" / f"{0:020}.json").write_text("{nonsense")
    done = jewel("ls")
    assert done.exit_code == 0
    assert "broken: `jewel lake verify` says" in done.output
    assert done.output.splitlines()[1].split()[:2] == ["cutouts", "1"]


def test_long_names_and_wide_tables_are_printed_in_full(lake: Lake) -> None:
    name = "photos_of_" + "x" * 200
    publish(lake, name, "ring", {"a.png": b"a"})
    assert name in jewel("ls").output
    source_id = "y" * 1000
    publish(lake, name, "ring", {source_id: b"a"})
    assert source_id in jewel("show", name).output


@pytest.mark.parametrize("command", [["show"], ["history"], ["verify"], ["export"]])
def test_an_unknown_dataset_is_named_with_those_that_are_near(filled: Lake, command: list[str], tmp_path: Path) -> None:
    more = [str(tmp_path / "out")] if command == ["export"] else []
    done = jewel(*command, "cutout", *more)
    assert done.exit_code == 1
    assert "There is no dataset 'cutout'" in done.output
    assert "Did you mean cutouts? It holds: cutouts, photos." in done.output


def test_show_tells_outcomes_columns_and_rows(filled: Lake) -> None:
    done = jewel("show", "cutouts")
    first, outcomes, columns, row = done.output.splitlines()
    assert first == "cutouts: 1 rows"
    assert outcomes.split() == ["ok", "1"]
    assert "item_id string" in columns
    assert json.loads(row)["author"] == "Zoë"


def test_show_takes_a_category_by_any_of_its_names_and_some_rows(filled: Lake) -> None:
    found = json.loads(jewel("show", "photos", "--category", "Rings", "--rows", "1", "--json").output)
    assert [row["item_id"] for row in found] == ["folder:a.png"]
    done = jewel("show", "photos", "--category", "neclace")
    assert done.exit_code == 2
    assert "did you mean necklace?" in " ".join(done.output.replace("│", " ").split())


def test_history_names_every_version(filled: Lake) -> None:
    header, newest, first = jewel("history", "photos").output.splitlines()
    assert header.split()[:2] == ["version", "at"]
    assert newest.split()[0] == "1"
    assert newest.split()[3:5] == ["necklace", "1"]
    assert first.split()[3:5] == ["ring", "2"]
    assert [entry["version"] for entry in json.loads(jewel("history", "photos", "--json").output)] == [1, 0]


def test_export_writes_folders_for_people(filled: Lake, tmp_path: Path) -> None:
    done = jewel("export", "photos", str(tmp_path / "out"), "--category", "rings")
    assert done.output == f"2 files in {tmp_path / 'out'}\n"
    assert sorted(path.name[0] for path in (tmp_path / "out" / "ring_photos").iterdir()) == ["a", "b"]


def test_verify_ends_with_exit_code_1_and_a_sentence_per_problem(filled: Lake) -> None:
    assert jewel("verify").exit_code == 0
    for data in (b"photo a", b"photo c"):
        blob_file(filled, data).unlink()
    done = jewel("verify", "photos")
    assert done.exit_code == 1
    assert done.output.count("is gone: restore it") == 2
    assert done.output.endswith("2 problems found.\n")
    assert jewel("verify", "cutouts", "--quick").exit_code == 0
    found = json.loads(jewel("verify", "--json").output)
    assert [problem["item_id"] for problem in found] == ["folder:c.png", "folder:a.png"]


def test_a_broken_dataset_can_be_verified_by_name(filled: Lake) -> None:
    for path in (Path(filled.root) / "tables" / "photos" / "_delta_log").iterdir():
        path.unlink()
    done = jewel("verify", "photos")
    assert done.exit_code == 1
    assert "data files but no `_delta_log`" in done.output


def test_gc_changes_nothing_until_told_to_delete(filled: Lake) -> None:
    publish(filled, "photos", "necklace", {})
    age(filled, 40)
    done = jewel("gc", "--days", "7")
    assert "1 blob (0.0 MB) and 1 data file of tables would be removed." in done.output
    assert "To remove them: jewel lake gc --days 7 --delete" in done.output
    assert jewel("gc", "--dry-run").exit_code == 0
    assert blob_file(filled, b"photo c").exists()
    assert "were removed" in jewel("gc", "--days", "7", "--delete").output
    assert not blob_file(filled, b"photo c").exists()
    assert jewel("gc", "--days", "-1").exit_code == 2


def test_a_lake_that_cannot_be_opened_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_LAKE", "nosuchscheme://bucket/lake")
    done = jewel("ls")
    assert done.exit_code == 1
    assert "The lake nosuchscheme://bucket/lake cannot be opened" in done.output
    assert "check JEWEL_LAKE" in done.output


def test_the_installed_command_works_in_a_pipe_and_loads_nothing_heavy(filled: Lake) -> None:
    command = Path(sys.executable).with_name("jewel")
    if not command.exists():
        pytest.skip("The command `jewel` is not installed beside this Python.")
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1", "JEWEL_LAKE": filled.root}
    done = subprocess.run(
        [command, "lake", "ls"], capture_output=True, text=True, timeout=120, env=environment, check=False
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split()[:2] == ["cutouts", "1"]
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "pyarrow" in loaded
    assert not loaded & {"daft", "pandas", "cv2", "torch", "dagster", "ray", "PIL"}


@pytest.fixture
def with_textures(filled: Lake) -> Lake:
    publish(filled, "textures", "gold", {"a.png": b"gold a", "b.png": b"gold b"})
    publish(filled, "textures", "pearl", {"c.png": b"pearl c"})
    return filled


def test_ls_counts_textures_by_theme_in_a_table_of_their_own(with_textures: Lake) -> None:
    categories, themes = jewel("ls").output.split("\n\n")
    assert [line.split()[0] for line in categories.splitlines()] == ["dataset", "cutouts", "photos"]
    assert [line.split() for line in themes.splitlines()] == [
        ["dataset", "rows", "gold", "pearl", "version"],
        ["textures", "3", "2", "1", "1"],
    ]


def test_show_and_export_take_a_theme_by_any_of_its_names(with_textures: Lake, tmp_path: Path) -> None:
    found = json.loads(jewel("show", "textures", "--category", "Mother-of-Pearl", "--json").output)
    assert [row["item_id"] for row in found] == ["folder:c.png"]
    assert jewel("export", "textures", str(tmp_path / "out"), "--category", "golden").exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()] == ["gold_textures"]
    said = " ".join(jewel("show", "textures", "--category", "filligree").output.replace("│", " ").split())
    assert "did you mean filigree?" in said
    assert "the themes are enamel" in said
