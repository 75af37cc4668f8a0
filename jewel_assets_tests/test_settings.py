"""Settings: from the environment, from `.env`, and what a wrong one says."""

from pathlib import Path

import pytest

from jewel_assets.errors import Permanent
from jewel_assets.settings import Settings, settings


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_anything_set_the_defaults_run_offline_and_beside_the_code() -> None:
    chosen = settings()
    assert (chosen.lake, chosen.models) == ("data_lake", Path("models"))
    assert (chosen.photos, chosen.model_mirror, chosen.allow_models) == (None, None, ())


def test_every_setting_explains_itself_and_reads_from_its_variable() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    assert Settings.model_config["env_prefix"] == "JEWEL_"


def test_the_environment_sets_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_LAKE", "s3://bucket/lake")
    monkeypatch.setenv("JEWEL_PHOTOS", "some/photos")
    monkeypatch.setenv("jewel_threads", "3")  # on macOS and Linux alike, case does not matter
    chosen = settings()
    assert (chosen.lake, chosen.photos, chosen.threads) == ("s3://bucket/lake", Path("some/photos"), 3)


def test_a_dot_env_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("JEWEL_WORKERS=2\nJEWEL_LAKE=from_file\nJEWEL_NO_SUCH_SETTING=1\n")
    monkeypatch.setenv("JEWEL_LAKE", "from_environment")
    assert (settings().workers, settings().lake) == (2, "from_environment")


def test_an_empty_variable_is_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_PHOTOS", "")
    monkeypatch.setenv("JEWEL_WORKERS", "")
    assert (settings().photos, settings().workers) == (None, 0)


@pytest.mark.parametrize(
    ("value", "names"),
    [("bria-rmbg", ("bria-rmbg",)), (" a , b,, c ", ("a", "b", "c")), (",", ())],
)
def test_a_list_is_names_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("JEWEL_ALLOW_MODELS", value)
    assert settings().allow_models == names


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings()
    monkeypatch.setenv("JEWEL_LAKE", "elsewhere")
    assert settings() is before
    settings.cache_clear()
    assert settings().lake == "elsewhere"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JEWEL_WORKERS", "-1"),
        ("JEWEL_WORKERS", "many"),
        ("JEWEL_THREADS", "0"),
        ("JEWEL_MAX_FAILED_SHARE", "1.5"),
        ("JEWEL_MAX_IMAGE_PIXELS", "0"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Permanent, match=rf"{variable}={value}: Input should be"):
        settings()


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_WORKERS", "x")
    monkeypatch.setenv("JEWEL_THREADS", "y")
    with pytest.raises(Permanent, match=r"JEWEL_WORKERS=x.*JEWEL_THREADS=y"):
        settings()


def test_there_is_at_least_one_core() -> None:
    assert settings().cores >= 1
