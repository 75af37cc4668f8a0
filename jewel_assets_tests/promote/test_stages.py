"""The batch: every cut-out on every template, resumable, the same pixels however many workers, licences obeyed."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from jewel_assets.errors import Permanent
from jewel_assets.images import decode, encode_png
from jewel_assets.lake import Lake, run_stage
from jewel_assets.lake.takedowns import take_down
from jewel_assets.lake.verification import verify
from jewel_assets.promote.posts import WriteCaption
from jewel_assets.promote.stages import RenderPromo, list_promos
from jewel_assets.promote.templates import Template, library, textured
from jewel_assets.promote.textures import textures_of
from jewel_assets_tests.lake.small_lakes import publish
from jewel_assets_tests.promote.networks import tiny_blip
from jewel_assets_tests.promote.pieces import drawn_ring

TEMPLATES = [library().get(name) for name in ("velvet-midnight", "marble-ivory")]
SIZE = (180, 180)


@pytest.fixture
def lake(lake_root: str) -> Lake:
    made = Lake(lake_root)
    contents = {
        "gold": encode_png(drawn_ring(160)),
        "silver": encode_png(drawn_ring(160, (190, 190, 195))),
        "cut": encode_png(drawn_ring(160)[:100].copy()),
    }
    publish(made, "cutouts", "ring", contents, licence="CC0-1.0", author="Anna")
    return made


def rendered(lake: Lake, items: pa.Table, **more: object):  # type: ignore[no-untyped-def]
    return run_stage(lake, RenderPromo(), items, "promo_renders", "ring", workers=1, max_failed_share=0.9, **more)  # type: ignore[arg-type]


def listed(
    lake: Lake,
    templates: list[Template] = TEMPLATES,
    seed: int = 1,
    only: tuple[str, ...] = (),
    size: tuple[int, int] = SIZE,
    permission: str = "",
) -> pa.Table:
    before = lake.dataset("promo_renders")
    here = before.read("ring") if before.exists() else None
    return list_promos(lake.dataset("cutouts").read("ring"), templates, seed, size, permission, only, here)


def test_every_cutout_comes_on_every_template_with_its_record(lake: Lake) -> None:
    report = rendered(lake, listed(lake))
    assert (report.ok, report.rejected, report.reasons) == (4, 2, {"cut by the border": 2})
    rows = lake.dataset("promo_renders").read("ring").to_pylist()
    assert {row["item_id"] for row in rows} == {
        f"folder:{piece}@{template.name}" for piece in ("gold", "silver") for template in TEMPLATES
    }
    parents = {row["item_id"]: row["sha256"] for row in lake.dataset("cutouts").read("ring").to_pylist()}
    for row in rows:
        assert row["difference"] == 0
        assert row["parent_sha256"] == parents[row["cutout_id"]]
        assert decode(lake.blobs.get(row["sha256"], "image/jpeg")).shape == (*SIZE, 3)
        record = json.loads(lake.blobs.get(row["record_sha256"], "application/json"))
        assert record["image_sha256"] == row["sha256"]
        assert record["licence"]["author"] == "Anna"
        assert record["fidelity"]["holds"] is True
    assert list(verify(lake)) == []


def test_a_second_run_renders_nothing_and_another_seed_all(lake: Lake) -> None:
    rendered(lake, listed(lake))
    again = rendered(lake, listed(lake))
    assert (again.ok, again.reused, again.attempted) == (4, 6, 0)
    other = rendered(lake, listed(lake, seed=2))
    assert other.attempted == 6


def test_chosen_items_come_anew_and_the_others_stay_as_they_are(lake: Lake) -> None:
    rendered(lake, listed(lake))
    before = {row["item_id"]: row["sha256"] for row in lake.dataset("promo_renders").read("ring").to_pylist()}
    chosen = listed(
        lake, [library().get("silk-rose")], 9, ("folder:gold",), size=(200, 260), permission="Anna says so."
    )
    report = rendered(lake, chosen)
    assert report.attempted == 1
    after = {row["item_id"]: row["sha256"] for row in lake.dataset("promo_renders").read("ring").to_pylist()}
    kept = {item_id: sha256 for item_id, sha256 in before.items() if item_id.startswith("folder:silver")}
    assert {name: after[name] for name in kept} == kept
    assert [name for name in after if name.startswith("folder:gold")] == ["folder:gold@silk-rose-glow"]


def test_a_cutout_that_is_not_there_cannot_be_chosen(lake: Lake) -> None:
    with pytest.raises(Permanent, match="folder:brass"):
        listed(lake, only=("folder:brass",))


def test_the_same_seed_gives_the_same_files_with_one_worker_and_with_two(lake: Lake) -> None:
    items = listed(lake)
    run_stage(lake, RenderPromo(), items, "promo_renders", "ring", workers=1, max_failed_share=0.9)
    run_stage(
        lake, RenderPromo(batch_size=1), items.take(pa.array(range(len(items) - 1, -1, -1))), "others", "ring",
        workers=2, max_failed_share=0.9,
    )  # fmt: skip
    one, two = (
        {row["item_id"]: row["sha256"] for row in lake.dataset(name).read("ring").to_pylist()}
        for name in ("promo_renders", "others")
    )
    assert one == two
    assert len(one) == 4


def test_what_may_not_be_published_is_refused_unless_somebody_permits_it(lake: Lake) -> None:
    contents = {"mine": encode_png(drawn_ring(160))}
    publish(lake, "cutouts", "ring", contents)  # of a folder, no licence stated: asks
    report = rendered(lake, listed(lake))
    assert report.reasons == {"not for publishing": 2}
    anna = "Anna Muster, owner of the shop, since 2026"
    report = rendered(lake, listed(lake, permission=anna))
    assert report.ok == 2
    bert = rendered(lake, listed(lake, permission="Bert Muster, her heir, since 2027"))
    assert bert.attempted == 2  # the record says who permits it
    publish(lake, "cutouts", "ring", contents, source="pinterest", licence="CC0-1.0")  # forbids: no permission helps
    report = rendered(lake, listed(lake, permission=anna))
    assert report.reasons == {"not for publishing": 2}


def test_a_doubtful_cutout_waits_for_a_person_unless_all_are_taken(lake: Lake) -> None:
    contents = {"gold": encode_png(drawn_ring(160))}
    publish(lake, "cutouts", "ring", contents, licence="CC0-1.0", verdict="doubtful")
    report = rendered(lake, listed(lake))
    assert (report.ok, report.review, report.reasons) == (0, 2, {"doubtful cut-out": 2})
    taken = run_stage(lake, RenderPromo(accept_doubtful=True), listed(lake), "promo_renders", "ring", workers=1)
    assert taken.ok == 2


def test_an_address_that_forbids_is_not_outdone_by_a_name_that_allows(lake: Lake) -> None:
    nd = "https://creativecommons.org/licenses/by-nc-nd/4.0/"
    publish(lake, "cutouts", "ring", {"a": encode_png(drawn_ring(160))}, licence="CC BY 4.0", licence_url=nd)
    assert rendered(lake, listed(lake)).reasons == {"not for publishing": 2}
    strange = {"licence": "CC0-1.0", "licence_url": "https://creativecommons.org/licenses/by-nc/3.0/xx/strange"}
    publish(lake, "cutouts", "ring", {"a": encode_png(drawn_ring(160))}, **strange)
    assert rendered(lake, listed(lake)).reasons == {"not for publishing": 2}


def test_a_matte_that_took_the_piece_for_glass_waits_for_a_person(lake: Lake) -> None:
    glassy = drawn_ring(160)
    glassy[..., 3] = np.minimum(glassy[..., 3], 200)
    publish(lake, "cutouts", "ring", {"glassy": encode_png(glassy)}, licence="CC0-1.0")
    report = rendered(lake, listed(lake))
    assert report.reasons == {"not faithful": 2}


def test_a_takedown_takes_the_promotional_images_along(lake: Lake) -> None:
    rendered(lake, listed(lake))
    take_down(lake, "item", "folder:gold", "tests")
    left = {row["cutout_id"] for row in lake.dataset("promo_renders").read("ring").to_pylist()}
    assert left == {"folder:silver"}
    assert list(verify(lake)) == []


def test_a_captioning_network_writes_the_alternative_texts(lake: Lake, tmp_path: Path) -> None:
    rendered(lake, listed(lake))
    promos = lake.dataset("promo_renders").read("ring")
    stage = WriteCaption(network=tiny_blip(tmp_path / "blip"))
    assert run_stage(lake, stage, promos, "promo_captions", "ring", workers=1).ok == 4
    told = lake.dataset("promo_captions").read("ring")
    assert all("blip" in engine for engine in told["alt_text_engine"].to_pylist())
    assert run_stage(lake, stage, promos, "promo_captions", "ring", workers=1).attempted == 0
    assert run_stage(lake, WriteCaption(), promos, "promo_captions", "ring", workers=1).ok == 4
    assert set(lake.dataset("promo_captions").read("ring")["alt_text_engine"].to_pylist()) == {"phrases"}
    with pytest.raises(Permanent, match="no captioning network"):
        run_stage(lake, WriteCaption(network=tmp_path), promos, "promo_captions", "ring", workers=1)


def test_a_takedown_of_a_texture_takes_the_images_on_it_along(lake: Lake) -> None:
    y, x = np.mgrid[:300, :300]
    stone = np.clip(150 + 30 * np.sin(x / 7) * np.sin(y / 9), 0, 255).astype(np.uint8)
    publish(lake, "textures", "organic", {"slate": encode_png(np.dstack([stone] * 3))}, licence="CC0-1.0")
    (slate,), _ = textures_of(lake, ["folder:slate"])
    chosen = [textured(TEMPLATES[0], slate), TEMPLATES[1]]
    items = list_promos(lake.dataset("cutouts").read("ring"), chosen, 7, SIZE)
    assert rendered(lake, items).ok == 4
    take_down(lake, "item", "folder:slate", "tests")
    left = lake.dataset("promo_renders").read("ring")["template_name"].to_pylist()
    assert left == [TEMPLATES[1].name] * 2
    assert list(verify(lake)) == []
