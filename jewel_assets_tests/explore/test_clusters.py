"""What design clusters promise: groups that are there, ids that stay, names that tell them apart, nothing by chance."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.explore import (
    CLUSTER_SCHEMA,
    ClusterConfig,
    KCurve,
    cluster_designs,
    cluster_table,
    design_map,
    embedding_matrix,
    embedding_schema,
    fit_clusters,
    model_from_bytes,
    model_to_bytes,
    publish_clusters,
    words_of,
)
from jewel_assets.explore.classical import Classical
from jewel_assets.explore.cluster_names import Words, noun_of, palette, unique_names, words_by_clip, words_by_measure
from jewel_assets.explore.clusters import best_k
from jewel_assets.explore.embedders import Vectors, unit
from jewel_assets.images import Pixels, decode, encode_png
from jewel_assets.lake import ITEM_SCHEMA, Lake
from jewel_assets.lake.takedowns import take_down
from jewel_assets.lake.verification import verify
from jewel_assets.registry import Registry
from jewel_assets_tests.pictures import draw_piece


def groups(sizes: Sequence[int], d: int = 32, seed: int = 0, spread: float = 0.15) -> Vectors:
    """Unit vectors in well separated groups: `sizes[0]` of the first, and so on."""
    chance = np.random.default_rng(seed)
    centres = np.linalg.qr(chance.normal(size=(d, d)))[0]
    noise = chance.normal(size=(sum(sizes), d)) * spread / np.sqrt(d)
    return unit(np.repeat(centres[: len(sizes)], sizes, axis=0) + noise)


def partition(labels: NDArray[np.int32]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == one).tolist()) for one in np.unique(labels)}


# --- the clusters -----------------------------------------------------------------------------------------------------


def test_groups_that_are_there_are_found_and_so_is_their_number() -> None:
    found = fit_clusters(groups([40, 30, 30, 25, 20, 15, 15]), k_range=(5, 9))
    assert found.model.k == 7
    assert [len(found.members(one)) for one in found.model.ids.tolist()] == [40, 30, 30, 25, 20, 15, 15]
    assert found.model.agreement > 0.99
    assert (found.model.stability > 0.99).all()


def test_each_cluster_has_one_medoid_and_it_is_the_nearest_to_the_centre() -> None:
    found = fit_clusters(groups([20, 20, 20]), k=3)
    for one in found.model.ids.tolist():
        members = found.members(one)
        assert found.is_medoid[members].tolist() == [True] + [False] * (len(members) - 1)
        assert (np.diff(found.distance[members]) >= 0).all()


@given(st.integers(0, 10_000))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_the_order_of_the_items_does_not_matter(seed: int) -> None:
    vectors = groups([14, 12, 10, 9], seed=seed, spread=0.9)  # groups that run into each other
    shuffled = np.random.default_rng(seed).permutation(len(vectors))
    straight, mixed = fit_clusters(vectors, k_range=(2, 6)), fit_clusters(vectors[shuffled], k_range=(2, 6))
    assert np.array_equal(mixed.cluster_id, straight.cluster_id[shuffled])
    assert np.array_equal(mixed.is_medoid, straight.is_medoid[shuffled])
    assert model_to_bytes(mixed.model) == model_to_bytes(straight.model)


def test_the_seed_decides_and_is_written_beside_the_result() -> None:
    vectors = groups([30, 30], spread=1.5)
    one, again = (fit_clusters(vectors, k=4, seed=3).model for _ in range(2))
    assert model_to_bytes(one) == model_to_bytes(again)
    assert one.seed == 3


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8])
@pytest.mark.parametrize("k", [None, 1, 4])
def test_any_number_of_items_is_clustered(n: int, k: int | None) -> None:
    found = fit_clusters(groups([n], d=6, spread=0.8) if n else np.zeros((0, 6), np.float32), k=k)
    assert found.cluster_id.shape == (n,)
    assert found.model.k == (min(k, n) if k else max(1, n // 4) if n else 0)
    assert found.is_medoid.sum() == found.model.k
    assert np.isfinite(found.silhouette).all()


@given(st.integers(0, 20), st.integers(0, 10_000), st.sampled_from([None, 2, 4]))
@settings(max_examples=25, deadline=None, derandomize=True)
@example(10, 5, None)
def test_a_few_items_at_random_are_clustered_though_no_k_comes_back(n: int, seed: int, k: int | None) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(n, 8))) if n else np.zeros((0, 8), np.float32)
    found = fit_clusters(vectors, k=k)
    assert found.cluster_id.shape == (n,)
    assert found.model.k == (min(k, n) if k else max(1, n // 4) if n else 0)
    assert set(found.cluster_id.tolist()) == set(found.model.ids.tolist())


def test_the_same_item_many_times_is_one_cluster_whatever_k_was_asked() -> None:
    assert fit_clusters(np.repeat(groups([1]), 30, axis=0), k=5).model.k == 1


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        fit_clusters(np.full((3, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match="k_range"):
        fit_clusters(groups([5]), k_range=(6, 3))


def curve(*measured: tuple[int, float, float]) -> KCurve:
    k, silhouette, stability = zip(*measured, strict=True)
    return KCurve(np.array(k, np.int32), np.array(silhouette, np.float32), np.array(stability, np.float32))


def test_a_k_that_does_not_come_back_on_resampling_is_not_taken_however_clear_it_looks() -> None:
    assert best_k(curve((4, 0.3, 0.95), (5, 0.6, 0.5))) == 4


def test_of_equally_good_k_the_finest_is_taken() -> None:
    assert best_k(curve((4, 0.30, 0.9), (7, 0.30, 0.9), (9, 0.1, 0.9))) == 7


@given(st.lists(st.tuples(st.floats(-1, 1, width=32), st.floats(-0.5, 1, width=32)), min_size=1, max_size=8))
@example([(0.2, -0.05)])
def test_any_curve_has_a_best_k(measured: list[tuple[float, float]]) -> None:
    measurements = curve(*((k + 2, *each) for k, each in enumerate(measured)))
    assert best_k(measurements) in measurements.k


def test_where_no_k_is_stable_the_steadiest_is_taken() -> None:
    assert best_k(curve((4, 0.3, 0.4), (5, 0.2, 0.6), (6, 0.5, 0.5))) == 5


def test_the_k_of_the_last_run_stays_while_it_is_nearly_as_good() -> None:
    measured = curve((5, 0.28, 0.78), (8, 0.31, 0.9))
    assert best_k(measured) == 8
    assert best_k(measured, before=5) == 5
    assert best_k(curve((5, 0.1, 0.78), (8, 0.31, 0.9)), before=5) == 8


# --- from run to run --------------------------------------------------------------------------------------------------


def test_a_second_run_on_the_same_designs_changes_not_a_byte() -> None:
    vectors = groups([30, 25, 20, 20, 15], spread=0.8)
    first = model_to_bytes(fit_clusters(vectors, k_range=(3, 6)).model)
    assert model_to_bytes(fit_clusters(vectors, k_range=(3, 6), previous=model_from_bytes(first)).model) == first


@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_a_few_new_designs_leave_the_ids_of_the_old_ones_as_they_were(seed: int, new: int) -> None:
    vectors = groups([20, 18, 16, 14, 12], seed=seed, spread=0.4)
    added = np.vstack([vectors, groups([new], seed=seed + 1, spread=0.4)])
    before = fit_clusters(vectors, k=5)
    after = fit_clusters(added, k=5, previous=before.model)
    assert np.array_equal(after.cluster_id[: len(vectors)], before.cluster_id)
    assert after.kept.all()


def test_a_cluster_that_is_gone_retires_its_id_and_a_new_one_never_gets_it() -> None:
    vectors = groups([20, 20, 20, 20])
    first = fit_clusters(vectors[:60], k=3)  # groups 0, 1, 2
    gone = int(first.cluster_id[0])
    second = fit_clusters(vectors[20:60], k=2, previous=first.model)  # group 0 is gone
    assert second.model.retired.tolist() == [gone]
    third = fit_clusters(vectors[20:], k=3, previous=second.model)  # group 3 is new
    assert third.cluster_id[-1] == 3
    assert third.model.retired.tolist() == [gone]
    assert np.array_equal(third.cluster_id[:40], second.cluster_id)
    fourth = fit_clusters(vectors, k=4, previous=third.model)  # group 0 is back: as far as anyone knows, another one
    assert fourth.cluster_id[0] == 4


def test_vectors_of_another_embedder_share_no_id_with_those_of_the_last() -> None:
    first = fit_clusters(groups([20, 20]), k=2, embedder="classical-1")
    second = fit_clusters(groups([20, 20]), k=2, embedder="other", previous=first.model)
    assert not set(first.model.ids.tolist()) & set(second.model.ids.tolist())
    assert second.model.retired.tolist() == first.model.ids.tolist()


def test_a_model_comes_back_from_its_bytes_as_it_was() -> None:
    model = replace(fit_clusters(groups([20, 20]), k_range=(2, 4)).model, names=("gold rings", "bagues doré"))
    data = model_to_bytes(model)
    back = model_from_bytes(data)
    assert back.names == model.names
    assert np.array_equal(back.curve.stability, model.curve.stability)
    assert model_to_bytes(back) == data


def _damaged() -> list[bytes]:
    good = model_to_bytes(fit_clusters(groups([9, 9]), k=2).model)
    with np.load(io.BytesIO(good)) as archive:
        arrays = dict(archive)
    cut, pickled = io.BytesIO(), io.BytesIO()
    np.savez(cut, **{**arrays, "radii": arrays["radii"][:1]})
    np.savez(pickled, **{**arrays, "ids": np.array([{}, 1], object)})  # type: ignore[arg-type]
    return [b"", b"not a zip", good[: len(good) // 2], cut.getvalue(), pickled.getvalue()]


@pytest.mark.parametrize("number", range(5))
def test_bytes_that_are_no_model_are_refused_with_a_sentence(number: int) -> None:
    with pytest.raises(Permanent, match=r"no cluster model.*without the previous model"):
        model_from_bytes(_damaged()[number])


# --- the map and the names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 2, 9, 60])
def test_the_map_has_a_place_for_every_design(n: int) -> None:
    places = design_map(groups([n], d=5) if n else np.zeros((0, 5), np.float32))
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()
    assert np.abs(places).max(initial=0) <= 1
    assert np.array_equal(places, design_map(groups([n], d=5) if n else np.zeros((0, 5), np.float32)))


@pytest.mark.parametrize("exact", [80, 60])  # with 60, some are placed between their neighbours
def test_on_the_map_a_group_stays_together(exact: int) -> None:
    places = design_map(groups([40, 40]), exact=exact)
    first, second = places[:40], places[40:]
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert apart > 2 * max(first.std(), second.std())


def piece(category: str, seed: int = 0, colour: tuple[int, int, int] | None = None) -> Pixels:
    """A drawn cut-out, RGBA; `colour` repaints it."""
    picture = draw_piece(category, seed)
    alpha = np.where(picture.min(axis=2) < 240, 255, 0).astype(np.uint8)
    if colour is not None:
        picture = np.broadcast_to(np.array(colour, np.uint8), picture.shape)
    return np.dstack([picture, alpha])


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((212, 175, 88), "yellow gold"),
        ((250, 215, 130), "yellow gold"),
        ((206, 150, 124), "rose gold"),
        ((178, 180, 184), "silver"),
        ((15, 15, 16), "black"),
        ((190, 20, 50), "red"),
        ((30, 60, 190), "blue"),
        ((20, 120, 60), "green"),
    ],
)
def test_metals_and_stones_are_called_by_their_colour(rgb: tuple[int, int, int], name: str) -> None:
    assert palette(np.full((5, 3), rgb, np.uint8))[name] == 1


def band(width: int, radius: int, colour: tuple[int, int, int]) -> Pixels:
    """A plain ring seen from above, RGBA."""
    import cv2

    alpha = cv2.circle(np.zeros((200, 200), np.uint8), (100, 100), radius, 255, width, cv2.LINE_AA)
    return np.dstack([np.broadcast_to(np.array(colour, np.uint8), (200, 200, 3)), alpha])


def test_clusters_are_named_by_metal_and_by_what_sets_them_apart_from_their_kind() -> None:
    gold, silver = (212, 175, 88), (178, 180, 184)
    words = words_by_measure(
        [
            [band(24, radius, gold) for radius in (60, 70, 80)],
            [band(4, radius, gold) for radius in (60, 70, 80)],
            [piece("necklace", seed, silver) for seed in range(3)],
        ],
        ["rings", "rings", "necklaces"],
    )
    assert [one.material for one in words] == ["yellow gold", "yellow gold", "silver"]
    assert "bold" in words[0].details
    assert "slender" in words[1].details
    assert words[2].details == ()  # the only necklaces: their noun tells them apart
    assert unique_names(words)[2] == "silver necklaces"


def test_no_two_names_are_alike() -> None:
    same = Words("yellow gold", ("open", "slender"), "rings")
    names = unique_names([same] * 5, taken=["yellow gold open rings"])
    assert len({*names, "yellow gold open rings"}) == 6
    assert all(name.startswith("yellow gold open") and "rings" in name for name in names)


def test_a_mixed_cluster_is_called_by_both_kinds() -> None:
    assert noun_of({"ring": 9, "earrings": 1}) == "rings"
    assert noun_of({"ring": 5, "earrings": 5}) == "earrings and rings"
    assert noun_of({}) == "designs"


def test_clip_names_a_cluster_by_the_words_that_are_nearer_to_it_than_to_the_others() -> None:
    spoken = {"rose gold": 0, "silver": 1, "pearl": 0, "chain": 1}

    def embed_text(phrases: Sequence[str]) -> Vectors:
        near = np.full((len(phrases), 4), 0.5)
        for row, phrase in enumerate(phrases):
            for word, axis in spoken.items():
                near[row, axis] += f" {word} " in f" {phrase} "
        return unit(near)

    words = words_by_clip(unit(np.eye(2, 4) + 0.3), ["earrings", "necklaces"], embed_text)
    assert unique_names(words) == ["rose gold pearl earrings", "silver chain necklaces"]


# --- the asset's function ---------------------------------------------------------------------------------------------


def embedded(lake: Lake, counts: dict[str, int], start: int = 0) -> pa.Table:
    """Rows of `image_embeddings` of drawn cut-outs, with their blobs in the lake."""
    embed = Classical().load(1)
    rows = []
    for category, count in counts.items():
        for seed in range(start, start + count):
            picture = piece(category, seed)
            blob = lake.blobs.put(encode_png(picture), "image/png")
            row = dict.fromkeys(ITEM_SCHEMA.names)
            row |= {"item_id": f"drawn:{category}/{seed}", "category": category, "source": "drawn"}
            row |= {"sha256": blob.sha256, "media_type": "image/png", "bytes": blob.bytes, "may_train": False}
            row |= {"source_id": f"{category}/{seed}", "fetched_at": datetime(2026, 1, 1, tzinfo=UTC)}
            row |= {"embedding": embed([picture])[0].tolist(), "embedder": Classical().name}
            rows.append(row)
    return pa.Table.from_pylist(rows, pa.schema([*ITEM_SCHEMA, *embedding_schema(Classical().dimension)]))


COUNTS = {"ring": 14, "earrings": 12, "necklace": 12, "wristwatch": 10}


@pytest.fixture
def lake(lake_root: str) -> Lake:
    return Lake(lake_root)


def test_drawn_designs_come_out_in_named_clusters_each_with_a_sheet(lake: Lake) -> None:
    table = embedded(lake, COUNTS)
    found = cluster_designs(table, lake.blobs, config=ClusterConfig(k_range=(3, 6)))
    assert [field.name for field in found.rows.schema][-len(CLUSTER_SCHEMA) :] == CLUSTER_SCHEMA.names
    assert "embedding" not in found.rows.column_names
    assert found.rows["item_id"].to_pylist() == table["item_id"].to_pylist()
    assert sum(cluster.size for cluster in found.clusters) == sum(COUNTS.values())
    assert (
        len({cluster.name for cluster in found.clusters})
        == len(found.clusters)
        == found.rows["is_medoid"].to_pylist().count(True)
    )
    purity = sum(max(cluster.categories.values()) for cluster in found.clusters) / table.num_rows
    assert purity > 0.9
    for cluster in found.clusters:
        assert min(decode(cluster.sheet).shape[:2]) > 100
        assert len(cluster.sheet) <= 60_000
    assert set(found.rows["cluster_model_sha256"].to_pylist()) == {hashlib.sha256(found.model).hexdigest()}


def test_names_stay_with_the_ids_when_designs_are_added(lake: Lake) -> None:
    config = ClusterConfig(k=4)
    first = cluster_designs(embedded(lake, COUNTS), lake.blobs, config=config)
    grown = pa.concat_tables([embedded(lake, COUNTS), embedded(lake, {"ring": 2}, start=50)])
    second = cluster_designs(grown, lake.blobs, first.model, config)
    assert {one.id: one.name for one in second.clusters} == {one.id: one.name for one in first.clusters}
    assert not any(one.is_new for one in second.clusters)


def test_no_rows_give_no_clusters_and_no_error(lake: Lake) -> None:
    found = cluster_designs(embedded(lake, {"ring": 1}).slice(0, 0), lake.blobs)
    assert found.rows.num_rows == 0
    assert found.clusters == ()
    assert model_from_bytes(found.model).k == 0


def test_vectors_of_several_engines_or_lengths_are_refused(lake: Lake) -> None:
    table = embedded(lake, {"ring": 2})
    mixed = table.set_column(table.schema.get_field_index("embedder"), "embedder", pa.array(["classical-1", "other"]))
    with pytest.raises(Permanent, match="different engines"):
        cluster_designs(mixed, lake.blobs)
    with pytest.raises(Permanent, match="different lengths"):
        embedding_matrix(pa.table({"embedding": pa.array([[1.0, 0.0], [1.0]], pa.list_(pa.float32()))}))


def test_lists_of_fixed_and_of_variable_size_are_read_alike() -> None:
    vectors = groups([3, 4], d=5)
    fixed = pa.array(list(vectors), pa.list_(pa.float32(), 5))
    free = pa.array([row.tolist() for row in vectors], pa.list_(pa.float32()))
    for column in (fixed, free):
        table = pa.table({"embedding": pa.chunked_array([column.slice(0, 2), column.slice(2)])})
        assert np.array_equal(embedding_matrix(table), vectors)
        assert np.array_equal(embedding_matrix(table.slice(1, 3)), vectors[1:4])


def published(lake: Lake, table: pa.Table) -> None:
    for category in sorted(set(table["category"].to_pylist())):
        chosen = table.filter(pa.compute.equal(table["category"], category))
        lake.dataset("image_embeddings").publish(chosen, category)
    lake.dataset("image_pool").publish(table.drop_columns(["embedding", "embedder"]))


def test_the_clusters_of_a_lake_are_published_once_and_read_the_second_time(lake: Lake) -> None:
    published(lake, embedded(lake, {"ring": 9, "necklace": 9}))
    config = ClusterConfig(k=2)
    first = publish_clusters(lake, config, words_of(lake, Registry(lake_models(lake))))
    again = publish_clusters(lake, config)
    assert (first.reused, again.reused) == (False, True)
    assert again.publication.digest == first.publication.digest
    assert [one.name for one in again.clusters] == [one.name for one in first.clusters]
    assert [one.sheet for one in again.clusters] == [one.sheet for one in first.clusters]
    assert first.engine == "classical-1"
    assert lake.dataset("design_clusters").read().num_rows == 18
    assert cluster_table(again.clusters).count("\n") == 3


def test_what_is_not_in_the_pool_is_not_clustered(lake: Lake) -> None:
    table = embedded(lake, {"ring": 9})
    published(lake, table)
    lake.dataset("image_pool").publish(table.slice(0, 6).drop_columns(["embedding", "embedder"]))
    assert publish_clusters(lake).publication.rows == 6


def test_without_the_last_model_the_clusters_get_ids_that_none_had_and_a_note_says_so(lake: Lake) -> None:
    published(lake, embedded(lake, {"ring": 9, "necklace": 9}))
    first = publish_clusters(lake, ClusterConfig(k=2))
    sha256 = lake.dataset("design_clusters").read()["cluster_model_sha256"][0].as_py()
    path = lake.blobs.local_path(sha256, "application/x-npz")
    assert path is not None
    path.unlink()
    second = publish_clusters(lake, ClusterConfig(k=2, seed=1))
    assert not {one.id for one in first.clusters} & {one.id for one in second.clusters}
    assert "new ids" in second.note


def test_after_a_run_without_designs_no_id_comes_back_even_if_the_models_were_collected(lake: Lake) -> None:
    table = embedded(lake, {"ring": 9, "necklace": 9})
    pool = table.drop_columns(["embedding", "embedder"])
    published(lake, table)
    publish_clusters(lake, ClusterConfig(k=3))
    first = publish_clusters(lake, ClusterConfig(k=2))
    for _ in range(2):
        lake.dataset("image_pool").publish(pool.slice(0, 0))
        assert publish_clusters(lake, ClusterConfig(k=2)).publication.rows == 0
    for model in Path(lake.root).rglob("*.npz"):
        model.unlink()
    lake.dataset("image_pool").publish(pool)
    third = publish_clusters(lake, ClusterConfig(k=2))
    assert {one.id for one in first.clusters} <= {0, 1, 2, 3}
    assert min(one.id for one in third.clusters) > max(one.id for one in first.clusters)
    assert min(one.id for one in third.clusters) >= 3, "the ids that were retired earlier do not come back either"
    assert publish_clusters(lake, ClusterConfig(k=2)).reused


def test_after_a_takedown_the_sheets_that_showed_it_are_drawn_anew_and_the_clusters_keep_their_ids(lake: Lake) -> None:
    published(lake, embedded(lake, {"ring": 9, "necklace": 9}))
    first = publish_clusters(lake, ClusterConfig(k=2))
    rows = lake.dataset("design_clusters").read()
    gone, sheet = rows["item_id"][0].as_py(), rows["cluster_sheet_sha256"][0].as_py()
    take_down(lake, "item", gone, "tests")
    left = lake.dataset("design_clusters").read()
    assert left.num_rows == 17
    assert sheet not in left["cluster_sheet_sha256"].to_pylist()
    assert not lake.blobs.exists(sheet, "image/jpeg")
    assert list(verify(lake)) == []
    again = publish_clusters(lake, ClusterConfig(k=2))
    assert not again.reused
    assert [(one.id, one.name) for one in again.clusters] == [(one.id, one.name) for one in first.clusters]
    assert lake.dataset("design_clusters").read()["cluster_sheet_sha256"].null_count == 0
    assert list(verify(lake)) == []


def test_clustering_before_embedding_says_what_to_materialize(lake: Lake) -> None:
    with pytest.raises(Permanent, match="materialize image_embeddings first"):
        publish_clusters(lake)


def lake_models(lake: Lake) -> Path:
    return Path(lake.root) / "models"
