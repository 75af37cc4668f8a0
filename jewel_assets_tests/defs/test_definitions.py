"""The code location as a whole: what is in it, that the rules of the house hold, and that it loads light."""

import subprocess
import sys

import dagster as dg
import pytest

from jewel_assets.definitions import defs as load
from jewel_assets.defs.partitions import CATEGORIES, THEMES

GRAPH = {
    "folder_photos": (set(), "collect"),
    "catalogue_designs": (set(), "shape"),
    "catalogue_meshes": ({"catalogue_designs"}, "shape"),
    "catalogue_renders": ({"catalogue_meshes"}, "shape"),
    "catalogue_photos": ({"catalogue_renders"}, "shape"),
    "unsplash_photos": (set(), "collect"),
    "openverse_photos": (set(), "collect"),
    "met_photos": (set(), "collect"),
    "sketchfab_models": (set(), "collect"),
    "stl_models": ({"sketchfab_models"}, "shape"),
    "folder_textures": (set(), "collect"),
    "openverse_textures": (set(), "collect"),
    "pinterest_textures": (set(), "collect"),
    "texture_fingerprints": ({"folder_textures", "openverse_textures", "pinterest_textures"}, "clean"),
    "textures": ({"texture_fingerprints"}, "clean"),
    "texture_measures": ({"textures"}, "explore"),
    "texture_report": ({"texture_measures"}, "explore"),
    "photo_fingerprints": (
        {"folder_photos", "catalogue_photos", "unsplash_photos", "openverse_photos", "met_photos"},
        "clean",
    ),
    "photos": ({"photo_fingerprints"}, "clean"),
    "body_part_verdicts": ({"photos"}, "clean"),
    "product_photos": ({"body_part_verdicts"}, "clean"),
    "cutouts": ({"product_photos"}, "clean"),
    "image_pool": ({"cutouts", "photo_fingerprints"}, "clean"),
    "photo_measures": ({"photos"}, "explore"),
    "image_embeddings": ({"cutouts"}, "explore"),
    "design_clusters": ({"image_embeddings", "image_pool"}, "explore"),
    "dataset_report": ({"design_clusters", "photo_measures"}, "explore"),
    "promo_renders": ({"cutouts"}, "promote"),
    "promo_captions": ({"promo_renders"}, "promote"),
    "instagram_exports": ({"promo_captions"}, "promote"),
}
ALL_CATEGORIES = {"image_pool", "design_clusters", "dataset_report"}
ALL_THEMES = {"texture_report"}
BY_THEME = {
    "folder_textures",
    "openverse_textures",
    "pinterest_textures",
    "texture_fingerprints",
    "textures",
    "texture_measures",
}
WEB = {"unsplash_photos", "openverse_photos", "met_photos", "sketchfab_models"}
CATALOGUE = {"catalogue_designs", "catalogue_meshes", "catalogue_renders", "catalogue_photos"}
PROMOTE = {"promo_renders", "promo_captions", "instagram_exports"}
ON_REQUEST = CATALOGUE - {"catalogue_photos"} | PROMOTE
HEAVY = (
    "torch",
    "onnxruntime",
    "openvino",
    "MNN",
    "mediapipe",
    "cv2",
    "sklearn",
    "scipy",
    "rembg",
    "daft",
    "ray",
    "numba",
    "pymatting",
    "mitsuba",
    "drjit",
    "mitsuba_oidn",
    "manifold3d",
    "trimesh",
    "DracoPy",
    "playwright",
    "embreex",
    "networkx",
    "lxml",
)


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return load()


def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_everything_that_is_defined_can_be_loaded(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


def test_the_graph_is_the_one_the_readme_draws(defs: dg.Definitions) -> None:
    found = {
        name: ({dep.asset_key.to_user_string() for dep in spec.deps}, spec.group_name)
        for name, spec in specs(defs).items()
    }
    assert found.keys() == GRAPH.keys()
    for name, (deps, group) in GRAPH.items():
        assert found[name][1] == group
        assert deps <= found[name][0], name


def test_every_asset_says_whose_it_is_what_it_is_and_which_code_made_it(defs: dg.Definitions) -> None:
    for name, spec in specs(defs).items():
        assert spec.owners, name
        assert spec.kinds, name
        assert spec.code_version, name
        assert (spec.description or "").endswith("."), name


def test_assets_are_divided_by_category_textures_by_theme_and_what_is_about_all_not_at_all(
    defs: dg.Definitions,
) -> None:
    for name, spec in specs(defs).items():
        whole = name in ALL_CATEGORIES | ALL_THEMES
        assert spec.partitions_def == (None if whole else THEMES if name in BY_THEME else CATEGORIES), name


def test_downstream_assets_follow_new_data_sources_wait_for_the_schedule_and_the_catalogue_for_a_request(
    defs: dg.Definitions,
) -> None:
    for name, spec in specs(defs).items():
        waits = spec.group_name == "collect" or name in ON_REQUEST
        assert (spec.automation_condition is None) == waits, name


def test_every_asset_is_retried_and_has_checks(defs: dg.Definitions) -> None:
    for asset in defs.resolve_asset_graph().assets_defs:
        if isinstance(asset, dg.AssetsDefinition) and asset.is_executable:
            assert asset.op.retry_policy is not None, asset.key
    checked = {key.asset_key.to_user_string() for key in defs.resolve_asset_graph().asset_check_keys}
    assert checked == GRAPH.keys()


def test_the_jobs_and_the_schedule_have_their_names(defs: dg.Definitions) -> None:
    jobs = {"refresh_category", "collect_category", "pool_and_report", "catalogue_category"}
    jobs |= {"refresh_theme", "collect_theme"}
    assert jobs <= {job.name for job in defs.resolve_all_job_defs()}
    assert {schedule.name for schedule in defs.schedules or ()} == {"nightly_rescrape", "nightly_textures"}


def test_one_category_stops_before_what_spans_categories(defs: dg.Definitions) -> None:
    job = defs.resolve_job_def("refresh_category")
    keys = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    others = ALL_CATEGORIES | CATALOGUE | ALL_THEMES | BY_THEME | WEB | {"stl_models"} | PROMOTE
    assert keys == GRAPH.keys() - others


def test_neither_the_nightly_fetch_nor_a_refresh_renders_anything(defs: dg.Definitions) -> None:
    keys = {
        key.to_user_string() for key in defs.resolve_job_def("catalogue_category").asset_layer.executable_asset_keys
    }
    assert keys == CATALOGUE
    for job in ("collect_category", "refresh_category"):
        asked = {key.to_user_string() for key in defs.resolve_job_def(job).asset_layer.executable_asset_keys}
        assert not asked & CATALOGUE


def test_at_two_in_the_morning_every_category_is_asked_for_once(defs: dg.Definitions) -> None:
    import datetime as dt

    schedule = defs.resolve_schedule_def("nightly_rescrape")
    assert schedule.cron_schedule == "0 2 * * *"
    night = dt.datetime(2026, 11, 20, 2, tzinfo=dt.UTC)
    context = dg.build_schedule_context(scheduled_execution_time=night, repository_def=defs.get_repository_def())
    asked = schedule.evaluate_tick(context).run_requests or []
    assert [request.partition_key for request in asked] == CATEGORIES.get_partition_keys()
    assert len({request.run_key for request in asked}) == len(asked)


def test_loading_imports_nothing_heavy() -> None:
    program = (
        "import sys, jewel_assets.definitions as d; d.defs().get_repository_def();"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
