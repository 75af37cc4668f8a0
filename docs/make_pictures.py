"""The README's pictures: every family photographed, promotional images, the demo's UI and report seen by a browser.

    python docs/make_pictures.py [families] [promos] [demo] [--weights ../shared/weights] [--work DIR]

Everything is made in a temporary folder, or in `--work`, where a second run reuses what the first has made. The
pictures go to `docs/`. Needs the extra `dev` and, for the demo, a Chromium.
"""

import argparse
import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow.compute as pc
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import sync_playwright

from jewel_assets.clean import cut_out
from jewel_assets.contact_sheet import read_thumbnail
from jewel_assets.definitions import defs
from jewel_assets.explore.report import report_path
from jewel_assets.images import decode
from jewel_assets.lake import Lake
from jewel_assets.promote.piece import Piece, piece_of
from jewel_assets.promote.rendering import render as promote
from jewel_assets.promote.templates import library
from jewel_assets.shape.catalogue import shipped_sample
from jewel_assets.shape.designs import FAMILIES
from jewel_assets.shape.render import preset, render

PICTURES = ("families", "promos", "demo")
DOCS = Path(__file__).resolve().parent
MAX_BYTES = 250_000  # of one picture
DEMO_SECONDS = 1800
START_SECONDS = 180
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

PAPER, INK, SOFT = (250, 250, 248), (38, 38, 36), (128, 126, 120)
GROUNDS = ((28, 28, 31), (222, 219, 212))  # dark and light, as in the report


def main() -> None:
    """Make all pictures and print what was written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="WHAT", help="families, promos, demo, or all unless given")
    parser.add_argument("--weights", type=Path, default=DOCS.parent.parent / "shared" / "weights")
    parser.add_argument("--work", type=Path, help="a folder to work in and to keep; default: a temporary one")
    options = parser.parse_args()
    chosen = options.what or PICTURES
    if unknown := set(chosen) - set(PICTURES):
        parser.error(f"There are no pictures {', '.join(sorted(unknown))}: give {' or '.join(PICTURES)}, or nothing.")
    if "families" in chosen:
        save("families.jpg", families())
    if "promos" in chosen:
        save("promos.jpg", promos())
    if "demo" not in chosen:
        return
    if not options.weights.is_dir():
        parser.error(f"{options.weights} is no folder: give the folder of weights with --weights.")
    with contextlib.ExitStack() as stack:
        work = options.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jewel-pictures-")))
        work.mkdir(parents=True, exist_ok=True)
        environment = settings(work.resolve(), options.weights.resolve())
        finish([sys.executable, "-m", "jewel_assets.defs.demo"], environment)
        lake = Lake(str(work.resolve() / "lake"))
        save("clusters.jpg", story(lake))
        url = stack.enter_context(dagster_ui(environment, work / "ui.log"))
        tour(url, Path(report_path(lake)).as_uri())


def families(columns: int = 7, tile: int = 168, band: int = 22) -> Image.Image:
    """A photo of one piece of every family, with its name."""
    names = sorted(FAMILIES, key=lambda name: (FAMILIES[name].category, name))
    rows = -(-len(names) // columns)
    sheet = Image.new("RGB", (columns * tile, rows * (tile + band)), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for n, name in enumerate(names):
        piece = FAMILIES[name].draw(np.random.default_rng([1, 5])).build()
        shot = preset("catalogue", piece.category, n, name, size=(2 * tile, 2 * tile), samples=48, variant="auto")
        x, y = n % columns * tile, n // columns * (tile + band)
        photo = Image.fromarray(render(piece, shot).image)
        sheet.paste(photo.resize((tile, tile), Image.Resampling.LANCZOS), (x, y))
        draw.text((x + tile / 2, y + tile + 4), name, fill=INK, font=ImageFont.load_default(13), anchor="ma")
    return sheet


PROMOS = (
    ("velvet-midnight-moody", "ring", 4),
    ("marble-black-studio", "necklace", 5),
    ("silk-champagne-glow", "earrings", 3),
    ("stone-graphite-golden-hour", "bracelet", 4),
    ("minimal-blush-blinds", "ring", 8),
    ("festive-wine-candle", "earrings", 9),
    ("wood-graphite-blinds", "wristwatch", 2),
    ("petals-rose-glow", "ring", 1),
    ("velvet-emerald-spotlight", "earrings", 2),
    ("linen-sand-golden-hour", "jewelry", 4),
    ("water-sapphire-golden-hour", "bracelet", 7),
    ("paper-emerald-moody", "ring", 12),
    ("marble-ivory-moody", "wristwatch", 6),
    ("gradient-plum-glow", "jewelry", 9),
    ("suede-graphite-blinds", "bracelet", 11),
)
"""Template, category and number of the piece of the shipped sample."""


def promos(columns: int = 5, tile: int = 300) -> Image.Image:
    """Pieces of the sample on plates of the library, each in the light of its template."""
    sheet = Image.new("RGB", (columns * tile, -(-len(PROMOS) // columns) * tile), PAPER)
    for place, (name, category, number) in enumerate(PROMOS):
        piece = sample_piece(category, number)
        template = library().get(name).model_copy(update={"mode": "relit"})
        image = Image.fromarray(promote(piece, template, place, (2 * tile, 2 * tile)).image)
        sheet.paste(
            image.resize((tile, tile), Image.Resampling.LANCZOS), (place % columns * tile, place // columns * tile)
        )
    return sheet


def sample_piece(category: str, number: int) -> Piece:
    """A piece of the shipped sample, cut out by its exact mask."""
    photo = shipped_sample() / category / f"{category}-{number:04d}.jpg"
    (mask,) = (shipped_sample() / "masks" / category).glob(f"{photo.stem}.*")
    alpha = decode(mask.read_bytes())[..., 0].astype(np.float32) / 255
    return piece_of(cut_out(decode(photo.read_bytes()), alpha), category)


def settings(work: Path, weights: Path) -> dict[str, str]:
    """The environment of the demo and of the UI: their own instance and lake, and no setting of the machine."""
    home = work / "dagster"
    home.mkdir(exist_ok=True)
    shutil.copy(DOCS.parent / "dagster.yaml", home)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("JEWEL_", "DAGSTER_"))},
        "DAGSTER_HOME": str(home),
        "JEWEL_LAKE": str(work / "lake"),
        "JEWEL_PHOTOS": str(shipped_sample()),
        "JEWEL_MODELS": str(work / "models"),
        "JEWEL_MODEL_MIRROR": str(weights),
        "DO_NOT_TRACK": "1",
    }


def finish(command: Sequence[str], environment: dict[str, str]) -> None:
    """Run a command to its end; ends it and all it started when it takes too long."""
    process = subprocess.Popen(command, cwd=DOCS.parent, env=environment, start_new_session=True)
    try:
        if process.wait(DEMO_SECONDS):
            sys.exit(f"{' '.join(command)} failed; what it printed says why.")
    finally:
        end(process)


@contextlib.contextmanager
def dagster_ui(environment: dict[str, str], log: Path) -> Iterator[str]:
    """`dg dev` on a free port, gone afterwards; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dg = Path(sys.executable).with_name("dg")
    with log.open("w") as out:
        command = [dg, "dev", "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(
            command, cwd=DOCS.parent, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + START_SECONDS
        while not answers(f"{url}/server_info"):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"The UI did not start within {START_SECONDS} s. Its log ends:\n{log.read_text()[-3000:]}")
            time.sleep(1)
        yield url
    finally:
        end(process)


def answers(url: str) -> bool:
    """Whether something answers there."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its group."""
    for sign, seconds in ((signal.SIGINT, 30), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, sign)
            process.wait(seconds)


def tour(url: str, report: str) -> None:
    """The pictures of the UI and of the report."""
    with sync_playwright() as playwright:
        chromium = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(60_000)
        lineage(page, url)
        materialization(page, url)
        backfill(page, url)
        checks(page, url)
        schedule(page, url)
        the_report(page, report)
        browser.close()


def lineage(page: Any, url: str) -> None:
    """Every asset by name, from the sources to reports, prints and posts, downwards."""
    definitions = defs()
    groups = {spec.group_name for spec in definitions.resolve_all_asset_specs()}
    names = [spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs()]
    expanded = ",".join(f"global@global:{name}" for name in sorted(groups))
    open_page(page, f"{url}/asset-groups?expanded={quote(expanded)}", 2400, 1900)
    page.get_by_text("Hide navigation").click()
    page.evaluate("localStorage.setItem('asset-graph-direction', JSON.stringify('vertical'))")
    page.reload()
    page.get_by_text("dataset_report").first.wait_for()
    page.wait_for_timeout(5000)
    found = [page.get_by_text(name, exact=True) for name in names]  # those that are too long for their box are cut
    boxes = [one.last.bounding_box() for one in found if one.count()]
    left, top = max(0, min(box["x"] for box in boxes) - 60), max(112, min(box["y"] for box in boxes) - 80)
    right = min(2400, max(box["x"] + box["width"] for box in boxes) + 60)
    bottom = min(1900, max(box["y"] + box["height"] for box in boxes) + 60)
    take(page, "ui-lineage.png", clip={"x": left, "y": top, "width": right - left, "height": bottom - top})


def materialization(page: Any, url: str) -> None:
    """What one materialization says of itself, and its contact sheet."""
    open_page(page, f"{url}/assets/cutouts?view=partitions&partition=ring", 1280, 860)
    take(page, "ui-materialization.png")
    page.get_by_text("[Show Markdown]").first.click()
    page.get_by_role("dialog").locator("img").wait_for()
    page.wait_for_timeout(1200)
    take(page, "ui-contact-sheet.jpg", clip=page.get_by_role("dialog").locator("img").bounding_box())


def backfill(page: Any, url: str) -> None:
    """One category of one asset, anew."""
    open_page(page, f"{url}/assets/cutouts?view=partitions&partition=ring", 1280, 680)
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("dialog").wait_for()
    take(page, "ui-backfill.png")


def checks(page: Any, url: str) -> None:
    """What is asserted of a dataset, and what was found."""
    open_page(page, f"{url}/assets/cutouts?view=checks&checkDetail=mask_coverage", 1280, 610)
    take(page, "ui-checks.png")


def schedule(page: Any, url: str) -> None:
    """The nightly schedule, switched on."""
    open_page(page, f"{url}/automation", 1280, 310)
    page.locator("label:has(input[type=checkbox])").last.click()
    page.wait_for_timeout(2500)
    page.mouse.move(640, 305)
    take(page, "ui-schedule.png")


def the_report(page: Any, report: str) -> None:
    """The top of the report, and its clusters."""
    open_page(page, report, 1180, 1120)
    take(page, "report-top.jpg")
    heading = page.get_by_role("heading", name="Design clusters").bounding_box()
    second = page.locator("article.cluster").nth(1).bounding_box()
    bottom = second["y"] + second["height"] + 24
    clip = {"x": 0, "y": heading["y"] - 24, "width": 1180, "height": bottom - heading["y"] + 24}
    take(page, "report-clusters.jpg", clip=clip, full_page=True)


def open_page(page: Any, url: str, width: int, height: int) -> None:
    """Open a page in a window of this size, without the dialog that greets newcomers."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto(url)
    page.wait_for_load_state("load")
    page.wait_for_timeout(4000)
    if (skip := page.get_by_role("button", name="Skip")).count():
        skip.first.click()
        page.wait_for_timeout(800)


def take(page: Any, name: str, **how: Any) -> None:
    """A screenshot into `docs/`."""
    page.wait_for_timeout(1200)  # for what fades in
    save(name, Image.open(io.BytesIO(page.screenshot(**how))).convert("RGB"))


def save(name: str, picture: Image.Image) -> None:
    """Write a picture as small as it stays good: `.png` with 256 colours, `.jpg` with the best quality that fits."""
    path = DOCS / name
    if path.suffix == ".png":
        picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    else:
        for quality in (88, 84, 80, 74, 66):
            picture.save(path, quality=quality, optimize=True, progressive=True, subsampling=0)
            if path.stat().st_size <= MAX_BYTES * 0.8:
                break
    if path.stat().st_size > MAX_BYTES:
        sys.exit(f"{path} has {path.stat().st_size:,} bytes, more than {MAX_BYTES:,}: take a smaller part of the page.")
    print(f"{path.relative_to(DOCS.parent)}: {picture.width} x {picture.height}, {path.stat().st_size // 1000} KB")


def story(lake: Lake, tile: int = 100, gap: int = 8) -> Image.Image:
    """The whole project in one picture: photos, the same pieces cut out, the clusters that they fall into.

    Photos and cut-outs are the three surest cut-outs of each category, clusters the five largest.
    """
    cutouts, photos, clusters = (lake.dataset(name).read() for name in ("cutouts", "photos", "design_clusters"))
    surest = sorted(cutouts.to_pylist(), key=lambda row: (row["category"], -row["confidence"], row["item_id"]))
    categories = sorted({row["category"] for row in surest})
    rows = [[row for row in surest if row["category"] == name][:3] for name in categories]
    photo_of = {row["item_id"]: row for row in photos.to_pylist()}
    cell, left, top = tile + gap, 40, 74
    starts = (left, left + 3 * cell + 62, left + 6 * cell + 124)
    sheet = Image.new("RGB", (starts[2] + 7 * 84 + left - gap, top + len(rows) * cell + 26), PAPER)
    draw = ImageDraw.Draw(sheet)
    sizes = clusters.group_by("cluster_id").aggregate([("item_id", "count")])
    titles = (f"{photos.num_rows} photos", f"{cutouts.num_rows} cut-outs", f"{sizes.num_rows} design clusters")
    for start, title in zip(starts, titles, strict=True):
        draw.text((start, 24), title, fill=INK, font=ImageFont.load_default(25))
    for start in starts[1:]:
        x, y = start - 38, top + len(rows) * cell // 2
        draw.line((x - 10, y, x + 12, y), fill=SOFT, width=2)
        draw.line((x + 5, y - 7, x + 12, y, x + 5, y + 7), fill=SOFT, width=2, joint="curve")
    for line, pieces in enumerate(rows):
        for column, row in enumerate(pieces):
            at = (column * cell, top + line * cell)
            sheet.paste(square(lake, photo_of[row["item_id"]], tile, PAPER), (starts[0] + at[0], at[1]))
            ground = GROUNDS[(line + column) % 2]
            sheet.paste(square(lake, row, tile, ground), (starts[1] + at[0], at[1]))
    largest = sorted(sizes.to_pylist(), key=lambda row: (-row["item_id_count"], row["cluster_id"]))[: len(rows)]
    for line, cluster in enumerate(largest):
        members = clusters.filter(pc.equal(clusters["cluster_id"], cluster["cluster_id"])).to_pylist()
        members.sort(key=lambda row: (not row["is_medoid"], row["distance"], row["item_id"]))
        y = top + line * cell
        draw.text((starts[2], y - 4), members[0]["cluster_name"], fill=INK, font=ImageFont.load_default(15))
        for column, row in enumerate(members[:7]):
            sheet.paste(square(lake, row, 76, GROUNDS[1]), (starts[2] + column * 84, y + tile - 76))
    return sheet


def square(lake: Lake, row: dict[str, Any], side: int, ground: tuple[int, int, int]) -> Image.Image:
    """The row's picture in a square of `side` pixels, on `ground` where it is transparent."""
    pixels = read_thumbnail(row, lake.blobs, side)
    picture = Image.fromarray(np.zeros((side, side, 3), np.uint8) if pixels is None else pixels)
    tile = Image.new("RGB", (side, side), ground)
    corner = ((side - picture.width) // 2, (side - picture.height) // 2)
    tile.paste(picture, corner, picture if picture.mode == "RGBA" else None)
    return tile


if __name__ == "__main__":
    main()
