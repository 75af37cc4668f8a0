"""Rules that hold for every asset, written once: owners, retries, pools, automation. No asset repeats them."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from jewel_assets.defs.checks import item_checks
from jewel_assets.defs.partitions import CATEGORIES, THEMES
from jewel_assets.errors import Permanent

OWNERS = ["team:jewel-assets"]

RETRY = dg.RetryPolicy(max_retries=2, delay=20, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""For what may pass (network, 429, a lost commit). Permanent failures say `allow_retries=False` and are not retried."""

# A stage fills all cores with its workers, so only one such step should run at a time on a machine. Naming the pool
# only makes its limit settable: `dagster.yaml` sets it, with `pools: {default_limit: 1, granularity: op}`.
CORES: dict[str, Any] = {"pool": "cores"}

GPU: dict[str, Any] = {
    "pool": "gpu",
    "op_tags": {
        "jewel/compute": "gpu",
        "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": "1"}}}},
    },
}
"""Training and generation: one at a time here, one GPU each on Kubernetes."""


BY_THEME = {"jewel/divided_by": "theme"}
"""The tag of every asset that is divided by texture theme: a job has one kind of partitions, and selects by it."""


def on_new_data(any_of: dg.AssetSelection | None = None) -> dg.AutomationCondition[dg.AssetKey]:
    """When upstream data really changed, or the code changed, or it is newly missing - and not while it or anything
    upstream runs, nor while anything upstream is missing.

    `any_of` are upstream assets of which one is enough: sources, which nobody has all of.

    A run that fails is not asked for again until something changes: what may pass is retried within the run (`RETRY`),
    and what fails for good must be seen by a person, not repeated all night.
    """
    condition = dg.AutomationCondition
    upstream_changed = condition.any_deps_match(condition.data_version_changed()).with_label("upstream data changed")
    reason = upstream_changed | condition.code_version_changed() | condition.newly_missing()
    # Dagster's `since_last_handled` forgets a change that falls between a request and the next evaluation: there the
    # request counts as the newer. Here the change does, at the price of a run that may find nothing to do.
    handled = condition.initial_evaluation() | ((condition.newly_requested() | condition.newly_updated()) & ~reason)
    pending = reason.since(handled).with_label("a change was not handled yet")
    quiet = (~condition.in_progress() & ~condition.any_deps_in_progress()).with_label("nothing is running")
    complete = (~condition.any_deps_missing()).with_label("nothing upstream is missing")
    if any_of is not None:
        others = (~condition.any_deps_missing().ignore(any_of)).with_label("nothing upstream but sources is missing")
        complete = others & condition.any_deps_match(~condition.missing()).allow(any_of).with_label("a source is there")
    return (pending & quiet & complete).with_label("on new data")


def asset(
    group: str, *, checks: Sequence[str] = (), partitions: dg.PartitionsDefinition | None = CATEGORIES, **arguments: Any
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """`dg.asset` with the rules of the house, for a dataset that is named as the function.

    `checks` names its checks besides those that every dataset has. `automation_condition=None` is for what runs on
    request or by schedule, `partitions=None` for what spans the categories.
    """

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        rules: dict[str, Any] = {
            "group_name": group,
            "owners": OWNERS,
            "retry_policy": RETRY,
            "partitions_def": partitions,
            "tags": BY_THEME if partitions == THEMES else {},
            "automation_condition": on_new_data(),
            "check_specs": item_checks(function.__name__, partitions, *checks),
        }
        made: dg.AssetsDefinition = dg.asset(**{**rules, **arguments})(_in_sentences(function))
        return made

    return decorate


def _in_sentences(function: Callable[..., Any]) -> Callable[..., Any]:
    """Permanent failures end the step at once, with their sentence; anything else is left to the retry policy."""

    @functools.wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except Permanent as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        except (TypeError, ValueError, KeyError) as error:  # a fault of ours or of a setting: it will not pass
            raise dg.Failure(description=f"{type(error).__name__}: {error}", allow_retries=False) from error

    return run
