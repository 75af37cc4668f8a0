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
