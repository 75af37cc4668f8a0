"""`jewel models list | fetch | check` as a user types them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jewel_assets.cli import app
from jewel_assets.settings import settings

LABELS = b"background\nring\nnecklace\n"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder whose registry knows nothing of the labels' hash, and a mirror beside it that has them."""
    folder, mirror = tmp_path / "models", tmp_path / "mirror"
    folder.mkdir()
    mirror.mkdir()
    (mirror / "imagenet_labels.txt").write_bytes(LABELS)
    (folder / "registry.toml").write_text(
        '[models.imagenet-labels]\nfile = "imagenet_labels.txt"\npurpose = "labels"\nlicence = "MIT"\n'
        'licence_url = "https://example.org"\ncommercial = true\ndefault = true\n'
    )
    monkeypatch.chdir(tmp_path)  # no `.env` of the machine
    monkeypatch.setenv("JEWEL_MODELS", str(folder))
    monkeypatch.setenv("JEWEL_MODEL_MIRROR", str(mirror))
    return folder


def jewel(*arguments: str) -> Result:
    settings.cache_clear()
    return CliRunner().invoke(app, ["models", *arguments])


def test_list_shows_where_every_model_is_and_what_its_licence_allows(models: Path) -> None:
    result = jewel("list")
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line}
    assert "in the mirror" in lines["imagenet-labels"]
    assert "recorded at first fetch" in lines["imagenet-labels"]
    assert "to fetch" in lines["u2net"]
    assert "refused" in lines["bria-rmbg"]
    assert "CC-BY-NC-4.0" in lines["bria-rmbg"]
    assert "JEWEL_ALLOW_MODELS" in result.stdout


def test_list_as_json_is_for_programs(models: Path) -> None:
    rows = {row["name"]: row for row in json.loads(jewel("list", "--json").stdout)}
    assert rows["imagenet-labels"]["size"] == len(LABELS)
    assert rows["bria-rmbg"]["commercial"] is False
    assert rows["u2netp"]["urls"][0].startswith("https://")


def test_a_model_allowed_by_name_is_no_longer_refused(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_ALLOW_MODELS", "bria-rmbg")
    rows = {row["name"]: row for row in json.loads(jewel("list", "--json").stdout)}
    assert rows["bria-rmbg"]["where"] == "to fetch"


def test_fetch_by_name_takes_it_from_the_mirror_and_list_then_says_here(models: Path) -> None:
    result = jewel("fetch", "imagenet-labels")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (models / "imagenet_labels.txt").read_bytes() == LABELS
    row = next(row for row in json.loads(jewel("list", "--json").stdout) if row["name"] == "imagenet-labels")
    assert (row["where"], row["hash"]) == ("here", "recorded")


def test_fetch_goes_on_after_a_failure_and_ends_with_the_reasons(models: Path) -> None:
    result = jewel("fetch", "bria-rmbg", "u2nep", "imagenet-labels")
    assert result.exit_code == 1
    assert "imagenet-labels: " in result.stdout
    assert "bria-rmbg: The licence of bria-rmbg" in result.stderr
    assert "Did you mean u2netp" in result.stderr
    assert "2 of 3 could not be fetched" in result.stderr
    assert "Traceback" not in result.output


def test_fetch_without_a_name_wants_all_that_the_default_pipeline_uses_and_nothing_refused(
    models: Path, tmp_path: Path
) -> None:
    result = jewel("fetch", "--from", str(tmp_path / "mirror"))
    assert result.exit_code == 1
    assert "imagenet-labels: " in result.stdout
    missing = {line.split(":")[0] for line in result.stderr.splitlines()[:-1]}
    assert missing == {
        *("u2netp", "hand-landmarker", "pose-landmarker-lite", "blaze-face-full-range", "selfie-segmenter", "yunet")
    }


@pytest.mark.shared
def test_the_default_models_come_from_a_mirror_folder_without_a_network(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JEWEL_MODELS", str(tmp_path))
    monkeypatch.setenv("JEWEL_MODEL_MIRROR", str(shared / "weights"))
    assert jewel("fetch").exit_code == 0
    assert jewel("check").exit_code == 0


def test_check_says_which_file_is_wrong_and_ends_with_exit_code_1(models: Path) -> None:
    jewel("fetch", "imagenet-labels")
    good = jewel("check")
    assert (good.exit_code, good.stdout.startswith("imagenet-labels: ok (")) == (0, True)
    (models / "imagenet_labels.txt").write_bytes(LABELS + b"?")
    wrong = jewel("check")
    assert wrong.exit_code == 1
    assert "is not the imagenet-labels that is expected" in wrong.stderr


def test_check_without_any_model_says_how_to_get_them(models: Path) -> None:
    result = jewel("check")
    assert result.exit_code == 0
    assert "There is no model in" in result.stdout


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [("JEWEL_WORKERS", "many", "JEWEL_WORKERS=many"), ("JEWEL_MODEL_MIRROR", "nowhere", "There is no folder")],
)
def test_a_wrong_setting_is_one_sentence_on_stderr_and_no_traceback(
    models: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = jewel("fetch", "imagenet-labels")
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output
