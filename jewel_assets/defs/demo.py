"""`make demo`: run the whole graph in this process, category by category, and print where the report is.

The runs are recorded in the instance at DAGSTER_HOME, so `make dev` shows them afterwards.
"""

import os
import sys
import time
from typing import Any

import dagster as dg

from jewel_assets.categories import CATEGORIES
from jewel_assets.clean import waiting_for_review
from jewel_assets.collect import survey_folder
from jewel_assets.explore.report import report_path
from jewel_assets.lake import Lake, keep_workers
from jewel_assets.settings import settings
from jewel_assets.shape.catalogue import shipped_sample

SHORT_LINES: dict[str, Any] = {"loggers": {"console": {}}}  # else Dagster takes its own logger, with a line per event

NOBODY_IN_THEM: dict[str, Any] = {"ops": {"product_photos": {"config": {"accept_review": True}}}}
"""For the sample: we rendered it, so without weights nobody has to say that it shows no person."""


def main() -> int:
    """Run the graph; 0 if every step succeeded."""
    from jewel_assets.definitions import defs

    sample = use_the_sample_unless_there_are_photos()
    of_photos = SHORT_LINES | (NOBODY_IN_THEM if sample else {})
    jobs = (("refresh_category", CATEGORIES, of_photos), ("pool_and_report", (None,), SHORT_LINES))
    repository = defs().get_repository_def()
    lake = Lake(settings().lake)
    began = time.monotonic()
    with dg.DagsterInstance.get() as instance, keep_workers():
        for name, keys, config in jobs:
            job = repository.get_job(name)
            for key in keys:
                say(f"{name} {key or ''}")
                result = job.execute_in_process(
                    instance=instance, partition_key=key, run_config=config, raise_on_error=False
                )
                if not result.success:
                    say_failures(result)
                    return 1
                for dataset in materialized(result):
                    say(f"  {dataset}: {lake.dataset(dataset).read(key, ['item_id']).num_rows} items")
    say(f"Done in {time.monotonic() - began:.0f} s. See it all in the UI: make dev")
    say(f"Report: {report_path(lake)}")
    if not sample and (waiting := waiting_for_review(lake).num_rows):
        say(f"{waiting} photos wait for a person, who says whether they show the piece alone (`jewel review ls`: why):")
        say("  jewel review sheet review.html   # look at them, and choose")
        say("  jewel review accept --all        # or `reject`, or the ids of some")
    return 0


def use_the_sample_unless_there_are_photos() -> bool:
    """Without a photo folder, set it to the sample catalogue that ships with the package, say so, and return True."""
    sample = shipped_sample()
    if settings().photos is not None or sample is None:
        return False
    os.environ["JEWEL_PHOTOS"] = str(sample)
    settings.cache_clear()
    count = sum(survey_folder(sample).files.values())
    say(f"No PHOTOS are given: the demo runs on {count} rendered pieces that ship with the project ({sample}).")
    return True


def materialized(result: dg.ExecuteInProcessResult) -> list[str]:
    """The datasets that a run published, in the order of their steps."""
    return [event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key]


def say_failures(result: dg.ExecuteInProcessResult) -> None:
    """The sentence of each step that failed."""
    for event in result.filter_events(lambda event: event.is_step_failure):
        failure = event.step_failure_data
        reason = failure.user_failure_data.description if failure.user_failure_data else None
        error = failure.error
        while error is not None and error.cause is not None:
            error = error.cause  # the first cause, not that the retries are used up
        print(f"{event.step_key} failed: {reason or (error and error.message)}", file=sys.stderr)


def say(line: str) -> None:
    """Print a line now, also into a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
