"""The memory of compared pairs: it saves work, changes nothing, and is never in the way."""

import logging
from pathlib import Path

import numpy as np
import pytest

from jewel_assets.clean import DropDuplicates, duplicates, remembering
from jewel_assets_tests.clean.prints import printed
from jewel_assets_tests.pictures import draw_piece


@pytest.fixture
def items():
    pieces = {f"{kind} {n}": draw_piece(kind, n) for kind in ("earrings", "necklace") for n in range(3)}
    return printed(pieces | {"copy": np.ascontiguousarray(draw_piece("necklace", 1)[:, ::-1])})


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    calls: list[object] = []
    original = duplicates.likeness
    monkeypatch.setattr(duplicates, "likeness", lambda *pair: calls.append(pair) or original(*pair))
    return calls


def test_what_was_compared_once_is_not_compared_again_and_the_choice_is_the_same(items, compared, tmp_path) -> None:
    cold = DropDuplicates().choose(items)
    assert compared
    DropDuplicates(remembering(tmp_path, "ring")).choose(items)
    compared.clear()
    assert DropDuplicates(remembering(tmp_path, "ring")).choose(items) == cold
    assert DropDuplicates(remembering(tmp_path, "pool")).choose(items.take(list(range(len(items)))[::-1])) == cold[::-1]
    assert not compared


def test_the_memory_is_no_parameter(tmp_path: Path) -> None:
    assert DropDuplicates(remembering(tmp_path, "ring")).parameters() == DropDuplicates().parameters()
    assert remembering(tmp_path, "ring") == remembering(None, "ring")


@pytest.mark.parametrize("damage", [b"", b"not an array", None])
def test_a_damaged_memory_costs_a_warning_and_time_only(
    items, compared, tmp_path: Path, damage: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    cold = DropDuplicates(remembering(tmp_path, "ring")).choose(items)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    compared.clear()
    with caplog.at_level(logging.WARNING):
        assert DropDuplicates(remembering(tmp_path, "ring")).choose(items) == cold
    assert "cannot be read" in caplog.text
    assert compared
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_made_costs_a_warning_only(items, tmp_path: Path, caplog) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert DropDuplicates(remembering(tmp_path / "file", "ring")).choose(items) == DropDuplicates().choose(items)
    assert "cannot be written" in caplog.text


def test_pairs_of_photos_that_are_gone_are_forgotten(items, tmp_path: Path) -> None:
    DropDuplicates(remembering(tmp_path, "ring")).choose(items)
    (file,) = tmp_path.iterdir()
    before = len(np.load(file))
    DropDuplicates(remembering(tmp_path, "ring")).choose(items.slice(0, 2))
    assert len(np.load(file)) < before
