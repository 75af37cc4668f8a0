"""The texture report: one file, true to the lake, with or without textures in it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jewel_assets.clean import TEXTURE_LIMITS, DropDuplicates, FingerprintTexture
from jewel_assets.clean.duplicates import NearDuplicates
from jewel_assets.collect import TEXTURES, ReadPhoto, list_folder
from jewel_assets.explore.report import report_path
from jewel_assets.explore.texture_report import (
    TextureReportData,
    build_texture_report,
    collect_texture_data,
    publish_texture_report,
)
from jewel_assets.explore.textures import MeasureTexture
from jewel_assets.lake import Lake, keep_workers, run_selection, run_stage
from jewel_assets_tests.explore.test_report import EVIL, Page
from jewel_assets_tests.pictures import draw_piece
from jewel_assets_tests.textures import checkerboard, clouds, dots, texture_folder, weave

AT = datetime(2026, 11, 20, 10, 40, tzinfo=UTC)
NAME = EVIL.replace("/", "")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Seven textures of two themes, one a mirrored copy, one a photo of a ring, one no image."""
    root = tmp_path_factory.mktemp("textures")
    folder = texture_folder(
        root / "folder",
        {
            "geometric/checks": checkerboard(),
            "geometric/cut dots": dots()[:-9, :-13],
            f"geometric/{NAME}": weave(),
            "gold/ring": draw_piece("ring", 2),
            "gold/clouds": clouds(1, slope=1.5)[:200, :230],
            "gold/clouds mirrored": clouds(1, slope=1.5)[:200, :230][:, ::-1],
        },
    )
    (folder / "gold" / "notes.jpg").write_text("no picture")
    (folder / "licences.csv").write_text("file,licence\ngeometric/checks.png,CC0\n")
    lake = Lake(root / "lake")
    with keep_workers():
        for theme in ("geometric", "gold"):
            items = list_folder(folder, theme, kind=TEXTURES)
            run_stage(lake, ReadPhoto(), items, "folder_textures", theme, workers=1)
            rows = lake.dataset("folder_textures").read(theme)
            run_stage(lake, FingerprintTexture(), rows, "texture_fingerprints", theme, workers=1)
            rows = lake.dataset("texture_fingerprints").read(theme)
            run_selection(lake, DropDuplicates(NearDuplicates(limits=TEXTURE_LIMITS)), rows, "textures", theme)
            rows = lake.dataset("textures").read(theme)
            run_stage(lake, MeasureTexture(), rows, "texture_measures", theme, workers=1)
    return lake


def gathered(lake: Lake, **options: Any) -> TextureReportData:
    return collect_texture_data(lake, made_at=AT, **options)


def test_an_empty_lake_is_told_what_to_configure(lake_root: str) -> None:
    page = Page(build_texture_report(gathered(Lake(lake_root))))
    for sentence in (
        "There are no textures in the lake yet.",
        "Set JEWEL_TEXTURES to a folder with one sub-folder per theme",
        "materialize one of folder_textures. The themes are enamel, filigree",
        "There is nothing to look at yet.",
        "Duplicates were not looked for yet: materialize the asset textures",
        "No dataset was published yet.",
    ):
        assert sentence in page.text
    assert "img" not in page.tags


def test_each_theme_shows_its_textures_those_that_tile_best_first_and_photos_last(filled: Lake) -> None:
    geometric, gold = gathered(filled).themes
    assert [card.swatch.caption for card in geometric.cards][-1] == "cut dots"
    assert [card.figures[0].value for card in geometric.cards[:2]] == ["1.00", "1.00"]
    assert geometric.sentence == "3 textures: 2 tile as they are, 1 tiles by its best part"
    assert [(card.swatch.caption, card.doubt) for card in gold.cards][-1] == ("ring", "perhaps no texture")
    assert gold.sentence.endswith("1 is perhaps no texture")


def test_the_best_part_is_shown_where_it_repeats_better_and_only_there(filled: Lake) -> None:
    cards = {card.swatch.caption: card for theme in gathered(filled).themes for card in theme.cards}
    best = cards["cut dots"].best
    assert best is not None
    assert best.uri not in (None, cards["cut dots"].repeated.uri)
    assert best.detail.startswith("best part 1.00 · ")
    assert cards["checks"].best is None
    assert cards["checks"].tiles


def test_the_way_the_reasons_and_the_duplicates_are_told(filled: Lake) -> None:
    data = gathered(filled)
    assert [(step.name, step.count) for step in data.steps] == [
        ("found", 7),
        ("read", 6),
        ("unique", 5),
        ("measured", 5),
    ]
    assert {row.category: row.counts for row in data.rows} == {"geometric": (3, 3, 3, 3), "gold": (4, 3, 2, 2)}
    assert data.duplicates is not None
    ((kept, copy),) = data.duplicates.groups
    assert {kept.caption, copy.caption} == {"clouds", "clouds mirrored"}
    assert data.duplicates.sentence.startswith("1 textures repeat 1 others")


def test_licences_and_what_may_train_are_counted(filled: Lake) -> None:
    licence = next(part for part in gathered(filled).breakdowns if part.title == "Licence")
    assert licence.sentence == "20 % of the textures may be used for training."
    assert {share.label: (share.count, share.part) for share in licence.shares} == {
        "no licence given": (4, 0),
        "CC0-1.0": (1, 1),
    }
    text = Page(build_texture_report(gathered(filled))).text
    assert "CC0-1.0 · may be used for training" in text
    assert "no licence given · not for training" in text


def test_the_worst_seams_come_first_and_photos_are_no_seams(filled: Lake) -> None:
    walls = {wall.title: [group[0].caption for group in wall.groups] for wall in gathered(filled).walls}
    assert "cut dots" in walls["Worst seams"]
    assert "ring" not in walls["Worst seams"]
    assert walls["Perhaps no textures"] == ["ring"]


def test_the_page_needs_nothing_else_and_shows_names_as_they_are(filled: Lake) -> None:
    html = build_texture_report(gathered(filled))
    page = Page(html)
    assert all(address.startswith(("data:image/webp;base64,", "#")) for address in page.addresses)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert "url(" not in html
    assert "<script>alert" not in html
    assert "<script>alert" in page.text
    assert all(alt and ("geometric" in alt or "gold" in alt) for alt in page.alts)
    assert html == build_texture_report(gathered(Lake(filled.root)))


def test_pictures_stop_at_the_limit_and_the_page_says_so(filled: Lake) -> None:
    data = gathered(filled, max_picture_bytes=30_000)
    assert data.pictures_left_out > 0
    assert f"{data.pictures_left_out} pictures were left out" in Page(build_texture_report(data)).text


@pytest.mark.parametrize("name", ["folder_textures", "texture_fingerprints", "textures", "texture_measures"])
def test_any_dataset_may_be_missing(filled: Lake, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Lake.dataset
    monkeypatch.setattr(Lake, "dataset", lambda self, asked: real(self, f"no_{name}" if asked == name else asked))
    text = Page(build_texture_report(gathered(filled))).text
    if name == "texture_measures":
        assert "materialize the asset texture_measures" in text


def test_it_is_published_once_for_the_same_data_and_other_data_do_not_touch_it(filled: Lake) -> None:
    first = publish_texture_report(filled, ("folder_textures",), AT)
    assert first.publication.changed
    assert "Texture report" in Path(report_path(filled, "texture_report")).read_text()
    assert not publish_texture_report(filled, ("folder_textures",)).publication.changed
    row = filled.dataset("texture_report").read().to_pylist()[0]
    assert (row["media_type"], row["item_id"]) == ("text/html", "report:texture_report")
    photos = pa.Table.from_pylist([{**row, "item_id": "folder:a"}], filled.dataset("texture_report").read().schema)
    filled.dataset("photos").publish(photos)
    assert not publish_texture_report(filled, ("folder_textures",)).publication.changed
    filled.dataset("textures").publish(filled.dataset("textures").read("gold").slice(0, 1), "gold")
    assert publish_texture_report(filled, ("folder_textures",)).publication.changed


def test_what_came_from_the_web_is_called_and_credited_as_its_source_wants_it(filled: Lake) -> None:
    rows = filled.dataset("folder_textures").read("geometric")
    for name, value in (("title", "Hammered <b>gold</b>"), ("credit", '"Gold" by A. Muster is licensed under BY 2.0.')):
        rows = rows.append_column(name, pa.array([value] * rows.num_rows))
    filled.dataset("web_textures").publish(rows, "geometric")
    data = gathered(filled, sources=("folder_textures", "web_textures"))
    titles = {theme.name: {card.title for card in theme.cards} for theme in data.themes}
    assert titles["geometric"] == {"Hammered <b>gold</b>"}
    assert titles["gold"] == {"ring", "clouds"}
    text = Page(build_texture_report(data)).text
    assert "Hammered <b>gold</b>" in text
    assert '· "Gold" by A. Muster is licensed under BY 2.0.' in text
