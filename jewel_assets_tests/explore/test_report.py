"""The dataset report: one file, true to the lake, whatever is missing from it."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from jewel_assets.explore.measures import MeasurePhoto, measure
from jewel_assets.explore.report import ReportData, build_report, collect_report_data
from jewel_assets.explore.report.charts import apart, ticks
from jewel_assets.explore.report.colours import cluster_colour, common_palette
from jewel_assets.explore.report.data import MapPoint, Picture, Wall
from jewel_assets.explore.report.wording import percent, short_name
from jewel_assets.images import encode_jpeg, encode_png
from jewel_assets.lake import GONE, ITEM_SCHEMA, OUTCOME_SCHEMA, Lake
from jewel_assets_tests.pictures import draw_piece

AT = datetime(2026, 11, 20, 10, 40, tzinfo=UTC)
EVIL = "<script>alert('ring')</script>\"'&"
Row = dict[str, Any]


class Page(HTMLParser):
    """What a browser would load, and the words it would show."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.alts: list[str | None] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.addresses += [given[name] or "" for name in ("src", "href", "xlink:href", "srcset") if name in given]
        if tag == "img":
            self.alts.append(given.get("alt"))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def publish(lake: Lake, name: str, rows: Iterable[Row], own: Iterable[pa.Field] = (), bad: Iterable[Row] = ()) -> None:
    """Publish `rows` as a dataset, with an ok outcome for each and those of `bad` beside them."""
    rows, own = list(rows), list(own)
    lake.dataset(name).publish(pa.Table.from_pylist(rows, pa.schema([*ITEM_SCHEMA, *own])))
    outcomes = [{**row, "status": "ok", "at": AT} for row in rows] + [
        {"at": AT, "input_key": "k", **row} for row in bad
    ]
    extra = pa.field("duplicate_of", pa.string())
    lake.outcomes(name).append(pa.Table.from_pylist(outcomes, pa.schema([*OUTCOME_SCHEMA, extra])))


def cutout_of(photo: np.ndarray[Any, Any]) -> bytes:
    alpha = np.where(photo.min(axis=2) < 240, 255, 0).astype(np.uint8)
    return encode_png(np.dstack([photo, alpha]))


@pytest.fixture
def lake(lake_root: str) -> Lake:
    """Fourteen photos: one is unreadable, one fails, two are duplicates, one shows a hand, one waits, one is empty."""
    lake = Lake(lake_root)
    raw: list[Row] = []
    pixels = {}
    for number in range(12):
        category = ("ring", "necklace")[number % 2]
        photo = draw_piece(category, number, 160)
        blob = lake.blobs.put(encode_jpeg(photo), "image/jpeg")
        name = f"{category}/{EVIL if number == 4 else f'piece {number}'}.jpg"
        row = {"item_id": f"folder:{name}", "category": category, "sha256": blob.sha256, "media_type": "image/jpeg"}
        row |= {"bytes": blob.bytes, "width": 160, "height": 160, "source": "folder", "source_id": name}
        row |= {"licence": "CC0-1.0" if number < 3 else None, "may_train": number < 3, "fetched_at": AT}
        raw.append({**row, "engine": "folder 1", "input_key": "k"})
        pixels[raw[-1]["item_id"]] = photo
    unread = [
        {"item_id": "folder:ring/text.jpg", "category": "ring", "status": "rejected", "reason": "not an image"},
        {"item_id": "folder:ring/lost.jpg", "category": "ring", "status": "failed", "reason": "OSError"},
    ]
    unread[1]["error"] = "Traceback (most recent call last):\n  File x\nOSError: The disk did not answer."
    publish(lake, "folder_photos", raw, bad=unread)
    outcome = {"status": "rejected", "reason": "near duplicate", "duplicate_of": raw[0]["item_id"]}
    copies = [{**row, **outcome, "sha256": None} for row in raw[10:]]
    photos = raw[:10]
    publish(lake, "photos", photos, bad=copies)
    measured = [{**row, **measure(pixels[row["item_id"]])} for row in photos]
    publish(lake, "photo_measures", measured, MeasurePhoto.output)
    verdicts = [{**row, "verdict": "keep", "verdict_reason": ""} for row in photos]
    verdicts[8] |= {"verdict": "reject", "verdict_reason": "hand"}
    verdicts[9] |= {"verdict": "review", "verdict_reason": "skin at the edge"}
    publish(
        lake,
        "body_part_verdicts",
        verdicts,
        [pa.field("verdict", pa.string()), pa.field("verdict_reason", pa.string())],
    )
    publish(lake, "product_photos", photos[:8])
    cutouts = []
    for number, row in enumerate(photos[:7]):
        blob = lake.blobs.put(cutout_of(pixels[row["item_id"]]), "image/png")
        made = {"sha256": blob.sha256, "media_type": "image/png", "parent_sha256": row["sha256"]}
        cutouts.append(
            {
                **row,
                **made,
                "confidence": 0.9 - number / 10,
                "coverage": 0.2,
                "engine": "textured ground + u2netp on openvino",
            }
        )
    empty = [{**photos[7], "status": "rejected", "reason": "no subject", "sha256": None}]
    own = [pa.field("confidence", pa.float32()), pa.field("coverage", pa.float32())]
    publish(lake, "cutouts", cutouts, own, bad=empty)
    own = [
        pa.field("cluster_id", pa.int32()),
        pa.field("cluster_name", pa.string()),
        pa.field("distance", pa.float32()),
    ]
    own += [pa.field("is_medoid", pa.bool_()), pa.field("map_x", pa.float32()), pa.field("map_y", pa.float32())]
    placed = [
        {**row, "cluster_id": n % 2, "cluster_name": f"{EVIL} {n % 2}", "distance": n / 9, "is_medoid": n < 2}
        | {"map_x": n / 3, "map_y": -n / 5}
        for n, row in enumerate(cutouts)
    ]
    publish(lake, "design_clusters", placed, own)
    return lake


def gathered(lake: Lake, **options: Any) -> ReportData:
    return collect_report_data(lake, made_at=AT, **options)


def test_the_way_tells_every_loss_with_its_reason(lake: Lake) -> None:
    steps = gathered(lake).steps
    assert [(step.name, step.count) for step in steps] == [
        ("found", 14),
        ("read", 12),
        ("unique", 10),
        ("shown alone", 8),
        ("cut out", 7),
        ("clustered", 7),
    ]
    reasons = {step.name: {share.label: share.count for share in step.reasons} for step in steps}
    assert reasons["read"] == {"not an image": 1, "OSError": 1}
    assert reasons["unique"] == {"near duplicate": 2}
    assert reasons["shown alone"] == {"hand": 1, "skin at the edge": 1}
    assert reasons["cut out"] == {"no subject": 1}


def test_the_categories_add_up_to_the_whole(lake: Lake) -> None:
    data = gathered(lake)
    for position, step in enumerate(data.steps):
        assert sum(row.counts[position] or 0 for row in data.categories) == step.count


def test_an_item_without_an_outcome_is_counted_as_not_attempted(lake: Lake) -> None:
    lake.dataset("cutouts").publish(lake.dataset("cutouts").read().slice(0, 4))
    cut = next(step for step in gathered(lake).steps if step.name == "cut out")
    assert {share.label: share.count for share in cut.reasons} == {"not attempted yet": 3, "no subject": 1}


def test_photos_that_left_the_source_are_no_losses(lake: Lake) -> None:
    before = gathered(lake)
    gone = [
        {"item_id": f"folder:ring/{name}.jpg", "category": "ring", "status": "rejected", "reason": GONE}
        | {"input_key": "", "at": AT + timedelta(days=1)}
        for name in ("text", "deleted")  # one that could not be read, one of which nothing else is known any more
    ]
    for name in ("folder_photos", "photos"):
        lake.outcomes(name).append(pa.Table.from_pylist(gone, OUTCOME_SCHEMA))
    data = gathered(lake)
    assert (data.steps[0].count, before.steps[0].count) == (13, 14)
    assert {share.label: share.count for share in data.steps[1].reasons} == {"OSError": 1}
    assert data.steps[2:] == before.steps[2:]
    assert GONE not in str(data.breakdowns)


def test_the_worst_come_first_and_worst_of_all_the_lowest_confidence(lake: Lake) -> None:
    walls = {wall.title: wall for wall in gathered(lake).walls}
    photo, cutout = walls["Cut-outs least certain"].groups[0]
    assert cutout.caption == "confidence 0.30"
    assert photo.uri != cutout.uri
    assert [group[0].detail for group in walls["People in the picture"].groups] == ["hand"]
    assert [group[0].detail for group in walls["Waiting for a decision"].groups] == ["skin at the edge"]
    assert [group[0].detail for group in walls["Nothing to cut out"].groups] == ["no subject"]
    sharp = [float(group[0].detail.split()[1]) for group in walls["Softest"].groups]
    assert sharp == sorted(sharp)


def test_a_failure_stands_there_with_its_sentence_and_without_its_traceback(lake: Lake) -> None:
    text = Page(build_report(gathered(lake))).text
    assert "OSError The disk did not answer." in text
    assert "Traceback" not in text


def test_duplicates_stand_beside_what_was_kept(lake: Lake) -> None:
    duplicates = gathered(lake).duplicates
    assert duplicates is not None
    ((kept, *copies),) = duplicates.groups
    assert kept.detail == "kept"
    assert [copy.detail for copy in copies] == ["near duplicate"] * 2
    assert all(picture.uri for picture in (kept, *copies))


def test_clusters_show_their_medoid_and_share_their_colour_with_the_map(lake: Lake) -> None:
    data = gathered(lake)
    assert [(cluster.cluster_id, cluster.size) for cluster in data.clusters] == [("0", 4), ("1", 3)]
    colours = {cluster.cluster_id: cluster.colour for cluster in data.clusters}
    medoids = {point.cluster_id: point.colour for point in data.points if point.cluster_id}
    assert medoids == colours
    assert data.points_in_all == 7


def test_the_share_that_may_train_is_told_by_licence(lake: Lake) -> None:
    licence = next(part for part in gathered(lake).breakdowns if part.title == "Licence")
    assert licence.sentence == "30 % of the photos may be used for training."
    assert {share.label: (share.count, share.part) for share in licence.shares} == {
        "no licence given": (7, 0),
        "CC0-1.0": (3, 3),
    }


def test_only_weights_that_made_rows_are_listed(lake: Lake) -> None:
    here = {"u2net": "aa", "u2netp": "bb", "yunet": "cc"}
    assert gathered(lake, weights=here).weights == (("u2netp", "bb"),)
    assert gathered(lake).weights == ()


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing(lake: Lake) -> None:
    html = build_report(gathered(lake))
    page = Page(html)
    assert page.addresses
    assert all(address.startswith(("data:image/webp;base64,", "#")) for address in page.addresses)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert "@import" not in html
    assert "url(" not in html
    assert "default-src 'none'" in html


def test_names_that_contain_html_are_shown_as_they_are(lake: Lake) -> None:
    html = build_report(gathered(lake, title=EVIL, weights={EVIL: "ab"}))
    assert "<script" not in html
    assert "alert('ring')" not in html.replace("&#39;", "’")
    assert "<script>alert('ring')</script>" in Page(html).text


def test_every_picture_says_what_it_shows(lake: Lake) -> None:
    page = Page(build_report(gathered(lake)))
    assert page.alts
    assert all(alt and ("ring" in alt or "necklace" in alt) for alt in page.alts)


def test_the_same_data_give_the_same_bytes(lake: Lake) -> None:
    assert build_report(gathered(lake)) == build_report(gathered(Lake(lake.root)))


@pytest.mark.parametrize(
    "name",
    ["folder_photos", "photos", "photo_measures", "body_part_verdicts", "product_photos", "cutouts", "design_clusters"],
)
def test_any_dataset_may_be_missing(lake: Lake, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Lake.dataset
    absent = f"no {name}".replace(" ", "_")
    monkeypatch.setattr(Lake, "dataset", lambda self, asked: real(self, absent if asked == name else asked))
    data = gathered(lake)
    text = Page(build_report(data)).text
    if name in ("photo_measures", "design_clusters"):
        assert f"materialize the asset {name}" in text
    if name in ("product_photos", "cutouts"):
        assert f"not made yet: materialize {name}" in text


def test_an_empty_lake_is_told_in_sentences(lake_root: str) -> None:
    page = Page(build_report(gathered(Lake(lake_root))))
    for sentence in (
        "There is nothing in the lake yet.",
        "No photo was collected yet: materialize the asset folder_photos",
        "There are no design clusters yet",
        "Duplicates were not looked for yet",
        "No dataset was published yet.",
    ):
        assert sentence in page.text
    assert "img" not in page.tags


def test_a_category_in_which_everything_was_lost_is_still_listed(lake: Lake) -> None:
    table = lake.dataset("cutouts").read()
    lake.dataset("cutouts").publish(table.filter(pa.compute.equal(table.column("category"), "ring")))
    necklace = next(row for row in gathered(lake).categories if row.category == "necklace")
    assert necklace.counts[4] == 0


def test_a_lost_blob_leaves_an_empty_frame(lake: Lake) -> None:
    for sha256 in lake.dataset("photos").read().column("sha256").to_pylist():
        path = lake.blobs.local_path(sha256, "image/jpeg")
        assert path is not None
        path.unlink()
    page = Page(build_report(gathered(lake)))
    assert "no picture" in page.text
    assert "img" in page.tags  # the cut-outs are still there


def test_pictures_stop_at_the_limit_and_the_page_says_so(lake: Lake) -> None:
    data = gathered(lake, max_picture_bytes=30_000)
    html = build_report(data)
    assert sum(map(len, re.findall(r"data:image/webp;base64,[^\"]*", html))) <= 30_000
    assert data.pictures_left_out > 0
    assert f"{data.pictures_left_out} pictures were left out" in Page(html).text


def test_everything_but_the_pictures_has_a_limit_too() -> None:
    points = tuple(MapPoint(i % 50 / 50, i / 2500, "#123456") for i in range(2500))
    walls = (Wall("w", "s", ((Picture(None, "a" * 200, "c" * 80, "n" * 400, "d" * 60),),) * 12),) * 7
    assert len(build_report(replace(ReportData(AT), points=points, walls=walls))) < 400_000


def test_a_busy_picture_is_made_coarser_rather_than_heavy(lake: Lake) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8)
    blob = lake.blobs.put(encode_png(noise), "image/png")
    rows = [
        {**row, "sha256": blob.sha256, "media_type": "image/png"} for row in lake.dataset("cutouts").read().to_pylist()
    ]
    lake.dataset("cutouts").publish(pa.Table.from_pylist(rows, lake.dataset("cutouts").read().schema))
    assert all(len(picture.uri or "") < 20_000 for picture in gathered(lake).hero)


def test_pictures_on_the_map_do_not_cover_each_other() -> None:
    crowd = np.random.default_rng(1).normal([600, 360], 30, (14, 2))
    moved = apart(crowd)
    for i in range(len(moved)):
        for other in moved[i + 1 :]:
            assert np.abs(moved[i] - other).max() > 76  # the side of a picture


@pytest.mark.parametrize(
    ("low", "high", "log"), [(0.03, 1, False), (0, 117, False), (90, 900, True), (0.4, 20_000, True), (262, 263, True)]
)
def test_axes_have_a_few_round_values_within_their_range(low: float, high: float, log: bool) -> None:
    values = ticks(low, high, log)
    assert len(values) <= 7
    assert all(low - 1e-9 <= value <= high + 1e-9 for value in values)


def test_the_common_palette_counts_each_photo_alike_and_joins_like_colours() -> None:
    gold = [{"hex": "#d4af37", "share": 1.0}]
    nearly = [{"hex": "#d5b039", "share": 1.0}]
    black = [{"hex": "#000000", "share": 1.0}]
    palette = common_palette([gold, nearly, black, None, []])
    assert [round(share, 3) for _, share in palette] == [0.667, 0.333]  # from light to dark
    assert palette[1][0] == "#000000"
    assert common_palette([]) == ()


def test_forty_clusters_have_forty_colours() -> None:
    assert len({cluster_colour(index) for index in range(40)}) == 40


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.0004, "< 0.1 %"), (0.034, "3.4 %"), (0.05, "5 %"), (0.999, "> 99 %"), (1, "100 %")],
)
def test_shares_are_written_as_people_write_them(share: float, said: str) -> None:
    assert percent(share) == said


def test_an_item_is_called_by_the_last_part_of_its_path() -> None:
    assert short_name("folder:ring/Très long_名前.jpeg") == "Très long_名前"
    assert short_name("folder:ring/a\nb\x07.jpg") == "a b"
    assert len(short_name("folder:" + "x" * 500)) == 80
