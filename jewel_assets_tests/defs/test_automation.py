"""The automation condition, evaluated across real runs: it follows new data once and never storms."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import dagster as dg
import pytest

from jewel_assets.defs.policies import on_new_data

CATEGORIES = dg.StaticPartitionsDefinition(["necklace", "ring"])


@dataclass
class Street:
    """Two assets, one after the other, whose data and faults a test sets."""

    instance: dg.DagsterInstance
    versions: dict[str, str] = field(default_factory=lambda: {"necklace": "1", "ring": "1"})
    broken: bool = False
    cursor: dg.EvaluateAutomationConditionsResult | None = None

    def __post_init__(self) -> None:
        @dg.asset(partitions_def=CATEGORIES)
        def photos(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return dg.MaterializeResult(data_version=dg.DataVersion(self.versions[context.partition_key]))

        @dg.asset(partitions_def=CATEGORIES, deps=[photos], automation_condition=on_new_data())
        def cutouts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            if self.broken:
                raise dg.Failure("the weights are gone", allow_retries=False)
            return dg.MaterializeResult(data_version=dg.DataVersion(f"cut {self.versions[context.partition_key]}"))

        self.assets = [photos, cutouts]
        self.defs = dg.Definitions(assets=self.assets)

    def run(self, asset: str, category: str) -> bool:
        selection = dg.AssetSelection.assets(asset)
        return dg.materialize(
            self.assets, selection=selection, partition_key=category, instance=self.instance, raise_on_error=False
        ).success

    def tick(self) -> set[str]:
        """What one evaluation asks for, and running it as the daemon would."""
        self.cursor = dg.evaluate_automation_conditions(
            self.defs, instance=self.instance, cursor=self.cursor.cursor if self.cursor else None
        )
        asked = {str(key) for key in self.cursor.get_requested_partitions(dg.AssetKey("cutouts"))}
        for category in sorted(asked):
            self.run("cutouts", category)
        return asked


@pytest.fixture
def street() -> Iterator[Street]:
    with dg.DagsterInstance.ephemeral() as instance:
        made = Street(instance)
        made.tick()
        for category in ("necklace", "ring"):
            made.run("photos", category)
            made.run("cutouts", category)
        made.tick()
        made.tick()
        yield made


def test_new_data_in_one_category_asks_for_that_category_once(street: Street) -> None:
    street.versions["ring"] = "2"
    street.run("photos", "ring")
    assert street.tick() == {"ring"}
    assert [street.tick() for _ in range(4)] == [set()] * 4


def test_a_rescrape_that_found_nothing_new_asks_for_nothing(street: Street) -> None:
    street.run("photos", "ring")
    assert [street.tick() for _ in range(3)] == [set()] * 3


def test_a_failing_asset_is_asked_for_once_per_change_and_never_storms(street: Street) -> None:
    street.broken = True
    for version in ("2", "3"):
        street.versions["ring"] = version
        street.run("photos", "ring")
        assert street.tick() == {"ring"}
        assert [street.tick() for _ in range(5)] == [set()] * 5


def test_an_asset_that_failed_follows_the_next_change(street: Street) -> None:
    street.broken = True
    street.versions["ring"] = "2"
    street.run("photos", "ring")
    street.tick()
    street.broken = False
    street.versions["ring"] = "3"
    street.run("photos", "ring")
    assert street.tick() == {"ring"}
    assert street.tick() == set()


def test_a_change_while_upstream_is_missing_waits_for_it() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        street = Street(instance)
        assert [street.tick() for _ in range(2)] == [set()] * 2
        street.run("photos", "necklace")
        assert street.tick() == {"necklace"}
        assert street.tick() == set()


@dataclass
class Sources:
    """Two sources of which one is enough, what is made of them, and what also needs something else."""

    instance: dg.DagsterInstance
    cursor: dg.EvaluateAutomationConditionsResult | None = None

    def __post_init__(self) -> None:
        @dg.asset(partitions_def=CATEGORIES)
        def folder() -> None: ...

        @dg.asset(partitions_def=CATEGORIES)
        def catalogue() -> None: ...

        @dg.asset(partitions_def=CATEGORIES)
        def clusters() -> None: ...

        sources = dg.AssetSelection.assets("folder", "catalogue")

        @dg.asset(partitions_def=CATEGORIES, deps=[folder, catalogue], automation_condition=on_new_data(any_of=sources))
        def photos() -> None: ...

        @dg.asset(
            partitions_def=CATEGORIES,
            deps=[folder, catalogue, clusters],
            automation_condition=on_new_data(any_of=sources),
        )
        def report() -> None: ...

        self.assets = [folder, catalogue, clusters, photos, report]
        self.defs = dg.Definitions(assets=self.assets)

    def run(self, asset: str, category: str) -> None:
        selection = dg.AssetSelection.assets(asset)
        assert dg.materialize(self.assets, selection=selection, partition_key=category, instance=self.instance).success

    def tick(self) -> set[str]:
        """What one evaluation asks for ("photos ring"), and running it."""
        self.cursor = dg.evaluate_automation_conditions(
            self.defs, instance=self.instance, cursor=self.cursor.cursor if self.cursor else None
        )
        asked = {
            f"{asset} {category}"
            for asset in ("photos", "report")
            for category in self.cursor.get_requested_partitions(dg.AssetKey(asset))
        }
        for pair in sorted(asked):
            self.run(*pair.split())
        return asked


@pytest.mark.parametrize("source", ["folder", "catalogue"])
def test_one_source_is_enough_and_the_others_may_be_missing(source: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        sources = Sources(instance)
        assert [sources.tick() for _ in range(2)] == [set()] * 2, "without any source there is nothing to do"
        sources.run(source, "ring")
        assert sources.tick() == {"photos ring"}, "the report also needs the clusters"
        assert sources.tick() == set()
        sources.run("clusters", "ring")
        assert sources.tick() == {"report ring"}
        assert sources.tick() == set()


def test_a_source_that_comes_later_is_followed() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        sources = Sources(instance)
        sources.tick()
        sources.run("folder", "ring")
        sources.tick()
        sources.run("catalogue", "ring")
        assert sources.tick() == {"photos ring"}
        assert sources.tick() == set()
