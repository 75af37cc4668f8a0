"""`jewel review` as somebody types it, and the page that they look at."""

import base64
import getpass
import hashlib
import json
import re
import shlex
import shutil
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from jewel_assets.clean import KeepProducts, waiting_for_review
from jewel_assets.clean.review_commands import APPLY, THEN
from jewel_assets.clean.review_sheet import build_sheet
from jewel_assets.cli import app
from jewel_assets.contact_sheet import PICTURE_BYTES
from jewel_assets.definitions import defs as load
from jewel_assets.images import encode_png
from jewel_assets.lake import ITEM_SCHEMA, OUTCOME_SCHEMA, Lake, run_selection
from jewel_assets_tests.pictures import draw_piece

EVIL = "<script>alert('ring')</script>\"'&$(id).png"
VERDICTS = [  # category, source id, verdict, reason, skin
    ("ring", "sure.png", "keep", "clear", 0.0),
    ("ring", "hand.png", "reject", "person: hand", 0.5),
    ("ring", "gold ring.png", "review", "perhaps skin", 0.031),
    ("ring", EVIL, "review", "perhaps skin", 0.12),
    ("ring", "b.png", "review", "no detectors", None),
    ("necklace", "c.png", "review", "no detectors", None),
]


@pytest.fixture
def lake(lake_root: str, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Photos of every verdict, judged and selected once."""
    monkeypatch.setenv("JEWEL_LAKE", lake_root)
    lake = Lake(lake_root)
    judge(lake)
    select(lake)
    return lake


def judge(lake: Lake, seed: int = 0) -> None:
    """Publish the verdicts; another `seed` gives all photos other bytes under the same ids."""
    rows = []
    for number, (category, source_id, verdict, reason, skin) in enumerate(VERDICTS):
        pixels = draw_piece(category, 100 * seed + number, 120)
        blob = lake.blobs.put(encode_png(pixels), "image/png")
        rows.append(
            {
                "item_id": f"folder:{source_id}",
                "category": category,
                "sha256": blob.sha256,
                "media_type": "image/png",
                "bytes": blob.bytes,
                "source": "folder",
                "source_id": source_id,
                "may_train": False,
                "verdict": verdict,
                "verdict_reason": reason,
                "skin": skin,
            }
        )
    own = [("verdict", pa.string()), ("verdict_reason", pa.string()), ("skin", pa.float32())]
    table = pa.Table.from_pylist(rows, pa.schema([*ITEM_SCHEMA, *(pa.field(*each) for each in own)]))
    lake.dataset("body_part_verdicts").publish(table)


def select(lake: Lake, accept_review: bool = False) -> None:
    """What the asset product_photos does."""
    for category in ("ring", "necklace"):
        selection = KeepProducts(lake.decisions("product_photos").decisions(category), accept_review)
        run_selection(lake, selection, lake.dataset("body_part_verdicts").read(category), "product_photos", category)


def products(lake: Lake) -> list[str]:
    return [str(item_id)[7:] for item_id in lake.dataset("product_photos").read().column("item_id").to_pylist()]


def jewel(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["review", *arguments], input=stdin)


def test_ls_counts_what_waits_per_category_and_reason(lake: Lake) -> None:
    header, *lines = jewel("ls").output.splitlines()
    assert header.split() == ["category", "reason", "photos"]
    assert [line.split() for line in lines[:3]] == [
        ["necklace", "no", "detectors", "1"],
        ["ring", "perhaps", "skin", "2"],
        ["ring", "no", "detectors", "1"],
    ]
    assert lines[-1] == "To look at them: jewel review sheet review.html"
    assert json.loads(jewel("ls", "--json", "--category", "necklaces").output) == [
        {"dataset": "body_part_verdicts", "category": "necklace", "reason": "no detectors", "photos": 1}
    ]


def test_what_is_launched_for_each_category_ends_where_all_categories_come_together() -> None:
    defs = load()
    graph = defs.resolve_asset_graph()
    chosen = dg.AssetSelection.from_string(APPLY).resolve(graph)
    assert {key.to_user_string() for key in chosen} == {"product_photos", "cutouts", "image_embeddings"}
    rest = defs.resolve_job_def(THEN.rpartition(" ")[2]).asset_layer.selected_asset_keys
    follows = dg.AssetSelection.from_string('key:"product_photos"+ and not group:"promote"')
    assert chosen | rest == follows.resolve(graph)


def hold_back(lake: Lake, dataset: str, *items: tuple[str, str, str, str | None]) -> None:
    """Outcomes of a later step: category, item id, what it says, group."""
    rows = [
        {"item_id": item_id, "category": category, "status": "review" if reason else "ok", "reason": reason}
        | {"group_id": group, "input_key": item_id, "at": datetime.now(UTC)}
        for category, item_id, reason, group in items
    ]
    schema = pa.schema([*OUTCOME_SCHEMA, pa.field("group_id", pa.string())])
    lake.outcomes(dataset).append(pa.Table.from_pylist(rows, schema))


def test_ls_names_what_later_steps_hold_back_and_says_what_helps_since_no_decision_does(lake: Lake) -> None:
    hold_back(
        lake,
        "image_pool",
        ("ring", "folder:ring/a.png", "ambiguous category", "g1"),
        ("necklace", "folder:necklace/b.png", "ambiguous category", "g1"),
        ("ring", "folder:sure.png", "ambiguous category", "g2"),
        ("earrings", "folder:moved.png", "ambiguous category", "g2"),
    )
    hold_back(lake, "image_pool", ("ring", "folder:sure.png", "", "g2"), ("earrings", "folder:moved.png", "", "g2"))
    hold_back(lake, "cutouts", ("ring", f"folder:{EVIL}\x1b", "uncertain cut-out", None))
    said = jewel("ls").output
    after = said[said.index("cutouts holds back") :].splitlines()
    assert after == [
        "cutouts holds back 1 photo: uncertain cut-out.",
        "Photograph it on a plainer ground, or cut it out with another engine, or a larger model:",
        """  dg launch --assets cutouts --partition ring --config-json """
        """'{"ops": {"cutouts": {"config": {"engine": "network"}}}}'""",
        f"  ring: folder:{EVIL}",
        "",
        "image_pool holds back 2 photos: ambiguous category.",
        "The same picture lies in several categories. Delete or move one of them, and launch again.",
        "  folder:necklace/b.png = folder:ring/a.png",
    ]
    assert "holds back" not in jewel("ls", "--category", "earrings").output
    assert "folder:ring/a.png" in jewel("ls", "--category", "necklace").output
    assert "a.png" not in jewel("ls", "--items").output, "what is piped on can be decided"
    (ambiguous,) = json.loads(jewel("ls", "--json", "--reason", "ambiguous category").output)
    assert ambiguous["items"] == ["folder:necklace/b.png", "folder:ring/a.png"]
    assert ambiguous["category"] == "necklace, ring"


def test_ls_shows_a_few_of_many_that_are_held_back(lake: Lake) -> None:
    hold_back(lake, "cutouts", *(("ring", f"folder:{n:02}.png", "uncertain cut-out", None) for n in range(50)))
    said = jewel("ls").output.splitlines()
    assert said[-1] == "  and 30 more: jewel review ls --json"
    assert sum(line.startswith("  ring: ") for line in said) == 20


def test_ls_lists_ids_one_per_line_for_other_programs(lake: Lake) -> None:
    assert jewel("ls", "--items", "--reason", "perhaps skin").output.splitlines() == [
        f"folder:{EVIL}",
        "folder:gold ring.png",
    ]
    assert jewel("ls", "--items", "--reason", "nothing of the kind").output == ""


def test_in_an_empty_lake_nothing_waits_and_it_says_what_to_do(lake_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_LAKE", lake_root)
    assert "No photo was judged yet: materialize body_part_verdicts" in jewel("ls").output
    assert "Nobody has decided anything yet" in jewel("log").output
    assert jewel("accept", "--all").output == "0 photos accepted.\n"
    assert waiting_for_review(Lake(lake_root)).num_rows == 0
    assert not Path(lake_root).exists()


def test_what_is_accepted_is_a_product_photo_once_that_asset_has_run(lake: Lake) -> None:
    done = jewel("accept", "folder:gold ring.png", "folder:b.png", "--by", "Ada", "--note", "rings")
    assert done.output.splitlines() == [
        "2 photos accepted.",
        "Next, so that product_photos and what is made from it follow:",
        f"  dg launch --assets {shlex.quote(APPLY)} --partition ring",
        "  dg launch --job pool_and_report",
    ]
    assert products(lake) == ["sure.png"]
    assert "product_photos is behind the decisions by 2 photos." in jewel("ls").output
    select(lake)
    assert products(lake) == ["b.png", "gold ring.png", "sure.png"]
    rows = lake.dataset("product_photos").read().to_pylist()
    assert [row["reviewed_by"] for row in rows] == ["Ada", "Ada", None]
    assert "behind" not in jewel("ls").output
    assert [line.split()[0] for line in jewel("ls").output.splitlines()[1:3]] == ["necklace", "ring"]


def test_all_that_waits_can_be_decided_by_category_and_reason(lake: Lake) -> None:
    assert jewel("accept", "--all", "--reason", "no detectors", "--category", "Rings").output.startswith("1 photo acc")
    assert jewel("reject", "--all", "--category", "ring").output.startswith("2 photos rejected.")
    last = jewel("accept", "--all").output
    assert last.startswith("1 photo accepted.")
    assert last.endswith("--partition necklace\n  dg launch --job pool_and_report\n")
    assert jewel("ls").output.splitlines()[0] == "Nothing waits for review."
    select(lake)
    assert products(lake) == ["c.png", "b.png", "sure.png"]
    rejected = [
        row for row in lake.outcomes("product_photos").latest("ring").to_pylist() if row["status"] == "rejected"
    ]
    assert {row["reason"] for row in rejected} == {"person: hand", "rejected by review"}


def test_a_person_overrules_what_the_filter_was_sure_of(lake: Lake) -> None:
    jewel("accept", "folder:hand.png")
    jewel("reject", "folder:sure.png")
    select(lake)
    assert products(lake) == ["hand.png"]


def test_ids_are_read_from_stdin_line_by_line(lake: Lake) -> None:
    waits = jewel("ls", "--items", "--category", "ring").output
    assert jewel("accept", "-", stdin=waits).output.startswith("3 photos accepted.")
    assert "There is no item id on stdin" in jewel("accept", "-", stdin="\n").output


def test_undo_gives_the_item_back_to_the_filter(lake: Lake) -> None:
    jewel("accept", "--all")
    jewel("reject", "folder:sure.png")
    select(lake)
    assert jewel("undo", "folder:b.png", "folder:sure.png").output.startswith("2 decisions withdrawn.")
    assert "behind the decisions by 2 photos" in jewel("ls").output
    select(lake)
    assert products(lake) == ["c.png", EVIL, "gold ring.png", "sure.png"]
    assert jewel("ls", "--items").output == "folder:b.png\n"
    again = jewel("undo", "folder:b.png")
    assert again.exit_code == 1
    assert "Nothing that was decided about 'folder:b.png' stands" in again.output


def test_a_photo_that_changed_under_its_id_is_judged_anew(lake: Lake) -> None:
    jewel("accept", "--all")
    judge(lake, seed=1)
    assert len(jewel("ls", "--items").output.splitlines()) == 4
    select(lake)
    assert products(lake) == ["sure.png"]


def test_deciding_the_same_twice_is_written_down_once(lake: Lake) -> None:
    jewel("accept", "folder:b.png", "--by", "Ada")
    done = jewel("accept", "folder:b.png", "folder:c.png", "folder:c.png", "--by", "Bo")
    assert done.output.startswith("1 photo accepted, 1 had been before.")
    assert lake.decisions("product_photos").read().num_rows == 2


def test_the_log_tells_who_decided_what_newest_first(lake: Lake) -> None:
    jewel("accept", "--all", "--category", "ring", "--by", "Ada", "--note", "looked at\nall\x1b[31m")
    jewel("reject", "folder:b.png")
    header, newest, first = jewel("log").output.splitlines()
    assert header.split() == ["at", "(UTC)", "decision", "by", "category", "items", "note"]
    assert newest.split()[2:] == ["reject", getpass.getuser(), "ring", "folder:b.png"]
    assert first.split()[2:] == ["accept", "Ada", "ring", "3", "items", "looked", "at", "all", "[31m"]
    assert len(jewel("log", "--items").output.splitlines()) == 5
    assert json.loads(jewel("log", "--json", "--category", "necklace").output) == []
    assert json.loads(jewel("log", "--json").output)[0]["decision"] == "reject"


def test_with_the_switch_that_takes_all_they_still_wait_for_a_person(lake: Lake) -> None:
    select(lake, accept_review=True)
    assert len(products(lake)) == 5
    said = jewel("ls").output
    assert "behind" not in said
    assert "perhaps skin" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["accept", "folder:nobody.png", "folder:b.png"], "No judged photo has the id 'folder:nobody.png'."),
        (["accept", "gold"], "Did you mean 'folder:gold ring.png'?"),
        (["accept", "folder:c.png", "--category", "ring"], "No judged photo in the category ring has the id"),
        (["accept", "--all", "--reason", "skin"], "There is: 'no detectors', 'perhaps skin'."),
        (["accept", "--all", "--by", " "], "say --by NAME"),
        (["sheet", "no/such/folder/review.html"], "cannot be written (No such file or directory)"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_nothing_is_decided(
    lake: Lake, arguments: list[str], sentence: str
) -> None:
    done = jewel(*arguments)
    assert done.exit_code == 1
    assert sentence in done.output
    assert lake.decisions("product_photos").read().num_rows == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["accept"],
        ["accept", "folder:b.png", "--all"],
        ["reject", "folder:b.png", "--reason", "no detectors"],
        ["undo"],
        ["sheet", "items.csv"],
        ["sheet", "review.html", "--limit", "0"],
    ],
)
def test_what_is_asked_ambiguously_is_not_done(lake: Lake, arguments: list[str]) -> None:
    assert jewel(*arguments).exit_code == 2
    assert lake.decisions("product_photos").read().num_rows == 0


class Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._within = tag
        self.addresses += [given[name] for name in ("src", "href", "srcset", "action") if name in given]
        if tag == "script":
            self.scripts.append("")
        if given.get("type") == "checkbox":
            self.ids.append(given["value"])

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "script":
            self.scripts[-1] += data
        elif self._within != "style":
            self.words.append(data)


def test_the_sheet_shows_each_photo_with_its_id_reason_and_scores(lake: Lake, tmp_path: Path) -> None:
    done = jewel("sheet", str(tmp_path / "review.html"))
    assert done.output == f"4 of 4 photos that wait for review: {tmp_path / 'review.html'}\n"
    page = Page((tmp_path / "review.html").read_text(encoding="utf-8"))
    words = " ".join(" ".join(page.words).split())
    assert "4 photos wait for review" in words
    assert sorted(page.ids) == sorted(waiting_for_review(lake).column("item_id").to_pylist())
    assert page.ids.index(f"folder:{EVIL}") < page.ids.index("folder:gold ring.png"), "most suspicious first"
    assert "ring · skin 0.12" in words
    assert "jewel models fetch" in words, "it says what would help where detectors were missing"
    assert "jewel review accept --all --reason 'perhaps skin'" in words


def test_the_sheet_needs_nothing_else_and_runs_no_script_but_its_own(lake: Lake) -> None:
    html = build_sheet(waiting_for_review(lake), lake.blobs)
    page = Page(html)
    assert page.addresses
    assert all(address.startswith("data:image/webp;base64,") for address in page.addresses)
    assert "<script>alert" not in html
    (script,) = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_the_commands_of_a_sheet_of_one_category_are_about_no_other(lake: Lake, tmp_path: Path) -> None:
    jewel("sheet", str(tmp_path / "review.html"), "--category", "ring", "--reason", "no detectors")
    page = Page((tmp_path / "review.html").read_text(encoding="utf-8"))
    assert page.ids == ["folder:b.png"]
    assert "jewel review accept --all --category ring --reason 'no detectors'" in " ".join(page.words)


def test_the_sheet_is_of_bounded_size_and_says_how_many_it_leaves_out(lake: Lake) -> None:
    one = waiting_for_review(lake, "ring", "no detectors")
    many = pa.concat_tables([one] * 50 + [waiting_for_review(lake, "ring", "perhaps skin")])
    html = build_sheet(many, lake.blobs, limit=10)
    page = Page(html)
    assert len(page.ids) == 10
    assert page.ids.count("folder:b.png") == 8, "the small group is shown whole"
    words = " ".join(" ".join(page.words).split())
    assert "52 photos wait for review" in words
    assert "8 of 50" in words
    assert "accepts those that are not shown, too" in words
    assert len(html) < 20_000 + 10 * (PICTURE_BYTES * 4 / 3 + 1000)


def test_a_photo_whose_blob_is_lost_has_a_card_without_a_picture(lake: Lake) -> None:
    photos = waiting_for_review(lake, "necklace")
    path = lake.blobs.local_path(photos.column("sha256")[0].as_py(), "image/png")
    assert path is not None
    path.unlink()
    page = Page(build_sheet(photos, lake.blobs))
    assert page.ids == ["folder:c.png"]
    assert page.addresses == []
    assert "no picture" in page.words


def test_a_sheet_of_nothing_says_so(lake: Lake) -> None:
    page = Page(build_sheet(waiting_for_review(lake).slice(0, 0), lake.blobs))
    assert "Nothing waits for review" in page.words
    assert page.ids == []


CHROMIUM = next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)


@pytest.mark.skipif(CHROMIUM is None, reason="No Chromium on this machine: install Debian's package `chromium`.")
def test_a_browser_writes_the_command_for_what_is_chosen_and_a_shell_reads_it_so(lake: Lake, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    (tmp_path / "review.html").write_text(build_sheet(waiting_for_review(lake), lake.blobs), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto((tmp_path / "review.html").as_uri())
        assert not page.locator("#bar").is_visible()
        for item_id in (f"folder:{EVIL}", "folder:b.png"):
            page.get_by_title(item_id, exact=True).locator("input").check()
        command = page.locator("#command")
        assert set(shlex.split(command.input_value())) == {
            "jewel",
            "review",
            "reject",
            f"folder:{EVIL}",
            "folder:b.png",
        }
        page.get_by_text("accept", exact=True).click()
        assert command.input_value().startswith("jewel review accept ")
        page.locator("#copy").click()
        page.get_by_text("Copied: paste it into a terminal.").wait_for()
        page.locator("#none").click()
        assert not page.locator("#bar").is_visible()
        page.get_by_role("button", name="Choose all shown").first.click()
        assert page.locator("#count").inner_text() == "2 chosen"
        browser.close()
    assert said == []
