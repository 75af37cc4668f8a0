"""A collection from a source into a lake, as the assets do it, for tests and benchmarks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jewel_assets.collect.collecting import Plan, plan
from jewel_assets.collect.fetch_file import FetchFile, FetchPhoto
from jewel_assets.collect.limits import HostRule
from jewel_assets.collect.source import Source, fetched_folder, host_of, open_fetcher
from jewel_assets.collect.unsplash import Unsplash
from jewel_assets.lake import Lake, StageReport, run_stage


def impatient(source: Source) -> Mapping[str, HostRule]:
    """The source's rules, with second attempts that come at once."""
    return {host: replace(rule, first_pause_s=0.01) for host, rule in source.rules.items()}


class QuickUnsplash(Unsplash):
    """Unsplash without the patience that only the world outside needs. Its quota holds."""

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """As many requests a second as a machine can."""
        quick = HostRule(100_000.0, self.connections, first_pause_s=0.02)
        interface = replace(quick, quotas=(self.quota,), obeys_robots=False)
        return {host_of(self.url): interface, self.images: quick}


@dataclass
class Collection:
    """One source's dataset in one lake."""

    lake: Lake
    source: Source
    dataset: str
    stage: type[FetchFile] = FetchPhoto

    @property
    def state(self) -> Path:
        """Where quotas, pauses and the archive lie."""
        return fetched_folder(self.lake)

    def fetching(self) -> FetchFile:
        """The stage."""
        return self.stage(self.source, state=str(self.state))

    def plan(self, category: str, queries: list[str], most: int = 1000, hours: float = 1000.0) -> Plan:
        """What would be fetched."""
        with open_fetcher(self.source, self.state) as fetcher:
            return plan(self.lake, self.fetching(), self.source, self.dataset, category, queries, fetcher, most, hours)

    def run(self, category: str, queries: list[str], most: int = 1000, hours: float = 1000.0) -> StageReport:
        """Search and fetch."""
        items = self.plan(category, queries, most, hours).items
        return run_stage(self.lake, self.fetching(), items, self.dataset, category, max_failed_share=1.0)
