"""A table that several writers find missing at the same moment."""

from concurrent.futures import ThreadPoolExecutor

from jewel_assets.categories import CATEGORIES
from jewel_assets.lake import Lake
from jewel_assets_tests.lake.small_lakes import rows_of


def test_two_first_publications_of_a_category_leave_the_rows_of_one(lake_root: str) -> None:
    for trial in range(5):
        lake = Lake(f"{lake_root}{trial}")
        tables = [rows_of(lake, "ring", {f"{run}{n}.png": b"%d" % n for n in range(5)}) for run in "ab"]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda rows, root=lake.root: Lake(root).dataset("photos").publish(rows, "ring"), tables))
        ids = lake.dataset("photos").read("ring").column("item_id").to_pylist()
        assert ids in [sorted(table.column("item_id").to_pylist()) for table in tables]


def test_first_publications_of_all_categories_at_once_leave_all_of_them(lake_root: str) -> None:
    for trial in range(3):
        lake = Lake(f"{lake_root}{trial}")
        tables = {category: rows_of(lake, category, {f"{category}.png": b"pixels"}) for category in CATEGORIES}
        with ThreadPoolExecutor(len(CATEGORIES)) as pool:
            list(
                pool.map(
                    lambda category, at=lake.root, of=tables: (
                        Lake(at).dataset("photos").publish(of[category], category)
                    ),
                    CATEGORIES,
                )
            )
        assert lake.dataset("photos").read().column("category").to_pylist() == sorted(CATEGORIES)
