"""Fixtures that every street's tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jewel_assets.settings import settings

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _fresh_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test sees the settings of the machine (variables, `.env`) or of another test, or writes into the checkout."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("JEWEL_")]:
        monkeypatch.delenv(name)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def lake_root(tmp_path: Path) -> str:
    """Where a test's lake may be made."""
    return str(tmp_path / "lake")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photos and weights beside the checkout; tests that need it skip without it."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"The real photos and weights ({folder}) are not on this machine.")
    return folder
