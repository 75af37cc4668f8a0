"""`make demo-web`: one collection from all five sources, each a fake on this machine, through to its datasets.

python -m jewel_assets_tests.fakes            # collect, and say what came of it
python -m jewel_assets_tests.fakes --serve    # only serve the fakes, and print the settings that lead to them
"""

import contextlib
import os
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg

from jewel_assets.collect.browser import find_chromium
from jewel_assets.errors import Permanent
from jewel_assets.lake import Lake
from jewel_assets.settings import settings
from jewel_assets_tests.fakes.met import FakeMet
from jewel_assets_tests.fakes.openverse import FakeOpenverse
from jewel_assets_tests.fakes.pinterest import FakePinterest
from jewel_assets_tests.fakes.server import FakeServer
from jewel_assets_tests.fakes.sketchfab import TOKEN, FakeSketchfab
from jewel_assets_tests.fakes.unsplash import KEY, FakeUnsplash

LAKE = Path("build/demo-web")
CATEGORY, THEME = "ring", "gold"
EACH = 12  # results of each source

CATEGORY_ASSETS = ("unsplash_photos", "openverse_photos", "met_photos", "sketchfab_models", "photos", "stl_models")
THEME_ASSETS = ("openverse_textures", "pinterest_textures", "textures")


def main() -> int:
    """Run the demo; 0 if every step succeeded and no source was impolite."""
    with contextlib.ExitStack() as stack:
        fakes: dict[str, FakeServer] = {
            "unsplash": stack.enter_context(FakeUnsplash(total=EACH)),
            "openverse": stack.enter_context(FakeOpenverse(total=EACH)),
            "met": stack.enter_context(FakeMet(total=EACH)),
            "sketchfab": stack.enter_context(FakeSketchfab(total=EACH)),
            "pinterest": stack.enter_context(FakePinterest(total=EACH)),
        }
        lead_there(fakes)
        if "--serve" in sys.argv:
            print("\n".join(f"export {name}={value!r}" for name, value in variables(fakes).items()), flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)
            return 0
        shutil.rmtree(LAKE, ignore_errors=True)
        if not collect():
            return 1
        return tell(fakes)


def variables(fakes: dict[str, FakeServer]) -> dict[str, str]:
    """The settings that lead to the fakes."""
    found = {f"JEWEL_{name.upper()}_URL": fake.url for name, fake in fakes.items()}
    hosts = ",".join(host for fake in fakes.values() for host in fake.hosts)
    return found | {
        "JEWEL_LAKE": str(LAKE),
        "JEWEL_UNSPLASH_KEY": KEY,
        "JEWEL_SKETCHFAB_TOKEN": TOKEN,
        "JEWEL_OPEN_COLLECTIONS": "openverse,met",
        "JEWEL_PINTEREST_PERMISSION": "The makers of these drawn pins permit us to keep them.",
        "JEWEL_PRIVATE_HOSTS": hosts,
        "JEWEL_PHOTOS": "",
        "JEWEL_TEXTURES": "",
    }


def lead_there(fakes: dict[str, FakeServer]) -> None:
    """Set them, for this process and those that it starts. Without a Chromium, Pinterest stays off."""
    wanted = variables(fakes)
    try:
        find_chromium()
    except Permanent as error:
        print(f"Pinterest is left out: {error}", flush=True)
        del wanted["JEWEL_PINTEREST_PERMISSION"]
    os.environ.update(wanted)
    settings.cache_clear()


def collect() -> bool:
    """Collect one category and one theme, and make what follows; whether all steps succeeded."""
    from jewel_assets.definitions import defs

    repository = defs().get_repository_def()
    few = {name: {"config": {"most": EACH}} for name in (*CATEGORY_ASSETS[:4], *THEME_ASSETS[:2])}
    runs: list[tuple[str, str | None, list[str] | None]] = [
        ("refresh_category", CATEGORY, [*CATEGORY_ASSETS[:4], "photo_fingerprints", "photos"]),
        ("__ASSET_JOB", CATEGORY, ["stl_models"]),
        ("refresh_theme", THEME, None),
        ("__ASSET_JOB", None, ["texture_report"]),
    ]
    with dg.DagsterInstance.ephemeral() as instance:
        for name, key, only in runs:
            print(f"{name} {key or ''} {', '.join(only or [])}", flush=True)
            job = repository.get_job(name)
            wanted = set(only or [asset.to_user_string() for asset in job.asset_layer.executable_asset_keys])
            config: dict[str, Any] = {"ops": {asset: value for asset, value in few.items() if asset in wanted}}
            result = job.execute_in_process(
                instance=instance,
                partition_key=key,
                asset_selection=[dg.AssetKey(asset) for asset in only] if only else None,
                run_config=config | {"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
                raise_on_error=False,
            )
            if not result.success:
                return False
    return True


def tell(fakes: dict[str, FakeServer]) -> int:
    """What is in the lake, under which licences, and how the fakes were asked; 0 if politely."""
    lake = Lake(LAKE)
    print(f"\n{'DATASET':20} {'ITEMS':>5} {'TRAIN':>5}  LICENCES")
    for name in (*CATEGORY_ASSETS, *THEME_ASSETS):
        rows = lake.dataset(name).read(columns=["licence", "may_train"])
        licences = Counter(licence or "none stated" for licence in rows.column("licence").to_pylist())
        told = ", ".join(f"{count} {licence}" for licence, count in licences.most_common())
        print(f"{name:20} {rows.num_rows:5} {sum(rows.column('may_train').to_pylist()):5}  {told}")
    print(f"\n{'SOURCE':20} {'REQUESTS':>8}  IMPOLITE OR UNSAFE")
    for name, fake in fakes.items():
        print(f"{name:20} {len(fake.seen):8}  {len(fake.violations) or 'none'}")
    print(f"\nLook: JEWEL_LAKE={LAKE} jewel lake show unsplash_photos; {LAKE}/reports/texture_report.html")
    return 1 if any(fake.violations for fake in fakes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
