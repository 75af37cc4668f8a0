"""A whole run in a process of its own, to be killed: `python -m ...run_for_tests LAKE ITEMS STAGE_JSON`."""

import json
import os
import sys

from jewel_assets.lake import Lake, run_stage
from jewel_assets_tests.lake.stages_for_tests import Shout, items_of


def main() -> None:
    lake = Lake(sys.argv[1])
    if sys.argv[4:] == ["ray"]:
        import logging

        import ray

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        os.environ["RAY_ADDRESS"] = ray.get_runtime_context().gcs_address
    items = items_of(lake, int(sys.argv[2]))
    report = run_stage(lake, Shout(**json.loads(sys.argv[3])), items, "shouts", "ring")
    told = {name: getattr(report, name) for name in ("ok", "failed", "attempted", "reused", "workers", "reasons")}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
