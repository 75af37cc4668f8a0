"""The README says what is true."""

import re

import pytest

from jewel_assets.settings import Settings
from jewel_assets_tests.conftest import REPOSITORY
from jewel_assets_tests.defs.test_definitions import GRAPH

README = (REPOSITORY / "README.md").read_text()


def settings_rows() -> list[str]:
    return [
        f"| `JEWEL_{name.upper()}` | {shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def shown(default: object) -> str:
    return "" if default in (None, (), "") else f"`{default}`"


def test_the_table_of_settings_is_that_of_the_settings() -> None:
    found = [line for line in README.splitlines() if line.startswith("| `JEWEL_")]
    assert found == settings_rows()


@pytest.mark.parametrize("asset", sorted(GRAPH))
def test_every_asset_is_explained(asset: str) -> None:
    assert f"`{asset}`" in README


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_picture_and_file_it_points_to_is_there(link: str) -> None:
    assert (REPOSITORY / link).is_file()
