"""The Dagster UI as its users have it: `dg dev` with its daemon, opened in a real browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from jewel_assets.lake import Lake
from jewel_assets_tests.conftest import REPOSITORY
from jewel_assets_tests.pictures import photo_folder

CHROMIUM = next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)
STREET = ("folder_photos", "photo_fingerprints", "photos", "body_part_verdicts", "product_photos", "cutouts")

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="No Chromium on this machine: install Debian's package `chromium`."),
    pytest.mark.timeout(420),
]


@dataclass
class Ui:
    url: str
    lake: Lake
    log: Path

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=30).json()
        assert "errors" not in answer, answer
        return dict(answer["data"])

    def wait(self, what: str, done: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < until, f"{what} did not happen; the log ends:\n{self.log.read_text()[-4000:]}"
            time.sleep(1)

    def materialized(self, asset: str) -> set[str]:
        """The categories of the asset that the UI shows as materialized."""
        data = self.ask(
            """query Partitions($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
            assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions } } } } }""",
            key={"path": [asset]},
        )
        return set(data["assetNodeOrError"]["assetPartitionStatuses"]["materializedPartitions"])


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    home = tmp_path_factory.mktemp("ui")
    (home / "dagster").mkdir()
    shutil.copy(REPOSITORY / "dagster.yaml", home / "dagster" / "dagster.yaml")
    photo_folder(home / "photos", {"Rings": 6, "necklace": 2})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("JEWEL_")},
        "DAGSTER_HOME": str(home / "dagster"),
        "JEWEL_LAKE": str(home / "lake"),
        "JEWEL_PHOTOS": str(home / "photos"),
        "JEWEL_MODELS": str(home / "models"),
    }
    log = home / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [Path(sys.executable).with_name("dg"), "dev", "--host", "127.0.0.1", "--port", str(port)],
            cwd=REPOSITORY,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    made = Ui(f"http://127.0.0.1:{port}", Lake(home / "lake"), log)

    def answers() -> bool:
        try:
            return requests.get(f"{made.url}/server_info", timeout=2).ok
        except requests.ConnectionError:
            return False

    try:
        made.wait("the start of the UI", answers, 120)
        yield made
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def page(ui: Ui) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*arguments, "--disable-sync"])
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        opened.set_default_timeout(60_000)
        skip = opened.get_by_role("button", name="Skip")  # of the community dialog, which comes when it likes
        opened.add_locator_handler(skip, lambda: skip.click())
        yield opened
        browser.close()


def test_the_lineage_shows_every_asset_of_a_street(ui: Ui, page: Any) -> None:
    page.goto(f"{ui.url}/assets/cutouts?view=lineage&lineageScope=upstream&lineageDepth=9")
    for asset in STREET:
        page.get_by_text(asset, exact=True).first.wait_for(state="attached")


def test_an_asset_is_materialized_from_its_page_and_shows_its_counts_and_pictures(ui: Ui, page: Any) -> None:
    page.goto(f"{ui.url}/assets/folder_photos?view=partitions&partition=ring")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Launch 1 run").click()
    ui.wait("materializing folder_photos", lambda: "ring" in ui.materialized("folder_photos"), 180)
    assert ui.lake.dataset("folder_photos").read("ring").num_rows == 6
    page.goto(f"{ui.url}/assets/folder_photos?view=partitions&partition=ring")
    page.get_by_text("items per second").first.wait_for()
    page.get_by_text("contact sheet").first.wait_for()


def test_a_backfill_of_one_category_runs_the_street_to_its_cut_outs(ui: Ui) -> None:
    launched = ui.ask(
        """mutation Backfill($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
        params={
            "assetSelection": [{"path": [asset]} for asset in STREET],
            "partitionNames": ["necklace"],
            "tags": [],
            "title": "necklace, anew",
        },
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def over() -> bool:
        state = ui.ask(
            """query State($id: String!) { partitionBackfillOrError(backfillId: $id) {
            ... on PartitionBackfill { status } } }""",
            id=launched["backfillId"],
        )["partitionBackfillOrError"]["status"]
        assert state not in {"FAILED", "CANCELED", "COMPLETED_FAILED"}, f"{state}:\n{ui.log.read_text()[-4000:]}"
        return bool(state == "COMPLETED_SUCCESS")

    ui.wait("the backfill", over, 300)
    for asset in STREET:
        ui.wait(f"the UI showing {asset}", lambda asset=asset: "necklace" in ui.materialized(asset), 240)
    assert ui.lake.dataset("photos").read("necklace").num_rows == 2
    verdicts = ui.lake.dataset("body_part_verdicts").read("necklace").column("verdict").to_pylist()
    assert verdicts == ["review", "review"], "without weights nothing may be kept silently"
