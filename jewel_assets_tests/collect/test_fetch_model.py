"""Models from the search of Sketchfab's fake to the lake, and what of the bytes from outside is kept."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jewel_assets.collect.answers import Received
from jewel_assets.collect.fetch_model import FetchModel
from jewel_assets.collect.sketchfab import TERMS, Sketchfab
from jewel_assets.lake.stages import Failed, Made, Rejected
from jewel_assets_tests.collect.sketchfab_for_tests import RING, assert_nowhere, collection
from jewel_assets_tests.fakes import faults, models
from jewel_assets_tests.fakes.server import json_reply
from jewel_assets_tests.fakes.sketchfab import TOKEN, FakeSketchfab

ALL = tuple(terms.slug for terms in TERMS)


def kept(data: bytes) -> tuple[str, str | None]:
    """What the stage makes of these bytes: status and reason."""
    result, stored = stage().keep(Received(io.BytesIO(data), len(data), "", None, None, ""))
    if isinstance(result, Made):
        assert stored == data
        return "ok", result.media_type
    assert isinstance(result, Rejected | Failed)
    assert stored is None
    assert result.error.endswith("."), result.error
    return ("rejected" if isinstance(result, Rejected) else "failed"), result.reason


def stage() -> FetchModel:
    return FetchModel(Sketchfab(TOKEN))


# ------------------------------------------------------------------ from the search to the lake


def test_models_come_whole_with_author_licence_and_credit_and_a_second_night_fetches_nothing(tmp_path: Path) -> None:
    with FakeSketchfab(total=26, slugs=ALL) as fake:
        fake.changes[3] = {"tags": [{"name": "NoAI", "slug": "noai"}]}
        fake.stale = 2  # some addresses expire in between
        here = collection(tmp_path, fake, licences=ALL)
        report = here.run("ring", [RING])
        rows = {row["source_id"]: row for row in here.lake.dataset("sketchfab_models").read("ring").to_pylist()}
        assert (report.ok, fake.violations) == (26, [])
        fetched, downloads = sum(fake.served.values()), len(fake.asked("/v3/models"))
        again = here.run("ring", [RING])
        assert (again.attempted, again.ok, again.publication.changed) == (0, 26, False)
        assert len(fake.asked("/v3/models")) == downloads
        assert sum(fake.served.values()) == fetched + 2  # the two pages of the search
        for number, uid in enumerate(fake.uids(RING)):
            row, terms = rows[uid], TERMS[number % len(TERMS)]
            flavour, media_type = ("gltf", "application/zip") if number % 2 else ("glb", "model/gltf-binary")
            assert here.lake.blobs.get(row["sha256"], row["media_type"]) == fake.archive(RING, number, flavour)
            assert (row["media_type"], row["width"], row["height"], row["faces"]) == (media_type, None, None, 384)
            assert row["archive_members"] == (5 if number % 2 else None)
            assert row["file_bytes"] == row["bytes"]
            assert row["unpacked_bytes"] >= (row["bytes"] if flavour == "glb" else 12_000)
            assert row["licence"] == ("no-ai" if number == 3 else terms.name)
            assert row["licence_url"] == terms.url
            assert row["may_train"] is (number != 3 and terms.slug in ("cc0", "by"))
            page = f"https://sketchfab.com/3d-models/ring-jewelry-{uid}"
            maker = f"Maker Number {number % 5} (https://sketchfab.com/maker{number % 5})"
            assert row["credit"] == f'"Ring Jewelry {number}" ({page}) by {maker} is licensed under {terms.name} ' + (
                f"({terms.url})"
            )
            assert (row["source_url"], row["author"]) == (page, f"Maker Number {number % 5}")
        secrets = [TOKEN, "AWSAccessKeyId", "Signature=", *fake.signed]
    assert len(fake.signed) >= 28
    assert_nowhere(tmp_path, secrets)


def test_every_fault_of_a_model_stands_in_its_outcome_and_quotes_no_signature(tmp_path: Path) -> None:
    cases = {
        "zip bomb": ("rejected", models.bomb()),
        "unsafe name": ("rejected", models.climbing()),
        "no model in archive": ("rejected", models.textures_only()),
        "not a model": ("failed", faults.HTML),
        "damaged file": ("failed", models.gltf_zip()[:-40]),
    }
    with FakeSketchfab(total=len(cases) + 6) as fake:
        uids = fake.uids(RING)
        expected = {}
        for uid, (reason, (status, data)) in zip(uids, cases.items(), strict=False):
            fake.given[uid], expected[uid] = data, (status, reason)
        withdrawn, gone, missing, private, hangs, limited = uids[len(cases) :]
        fake.withdrawn.add(withdrawn)
        fake.gone.add(gone)
        fake.inject(f"/archives/{missing}", faults.status(404))
        fake.inject(f"/v3/models/{private}", lambda s, seen: json_reply({"detail": "Not yours"}, 403))
        fake.inject(f"/archives/{hangs}", faults.cut_off)
        fake.inject(f"/v3/models/{limited}", faults.too_many(1))
        expected |= {
            withdrawn: ("rejected", "not downloadable"),
            gone: ("rejected", "gone at the source"),
            missing: ("rejected", "gone at the source"),
            private: ("rejected", "not allowed"),
            hangs: ("ok", None),
            limited: ("ok", None),
        }
        here = collection(tmp_path, fake)
        here.run("ring", [RING])
        outcomes = here.lake.outcomes("sketchfab_models").latest().to_pylist()
        assert {row["item_id"].split(":")[1]: (row["status"], row["reason"]) for row in outcomes} == expected
        assert fake.violations == []
        before = len(fake.asked("/archives"))
        here.run("ring", [RING])  # what failed is tried again, what was refused is not
        assert sorted(seen.path.split("/")[2] for seen in fake.asked("/archives")[before:]) == sorted(uids[3:5])
    assert_nowhere(tmp_path, [TOKEN, "Signature=", *fake.signed])


# ------------------------------------------------------------------ what is kept

DAMAGED_GLB = models.glb()[:8] + (999).to_bytes(4, "little") + models.glb()[12:]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (models.glb(), ("ok", "model/gltf-binary")),
        (models.gltf_zip(), ("ok", "application/zip")),
        (models.zipped(models.members(), zipfile.ZIP_STORED), ("ok", "application/zip")),
        (faults.HTML, ("failed", "not a model")),
        (b"", ("failed", "not a model")),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), ("failed", "not a model")),
        (models.gltf_zip()[:-30], ("failed", "damaged file")),
        (models.gltf_zip()[: len(models.gltf_zip()) // 2], ("failed", "damaged file")),
        (models.glb()[:-8], ("failed", "damaged file")),
        (models.glb() + b"and more", ("failed", "damaged file")),
        (DAMAGED_GLB, ("failed", "damaged file")),
        (b"glTF\x01\0\0\0" + models.glb()[8:], ("rejected", "old glTF")),
        (models.climbing(), ("rejected", "unsafe name")),
        (models.climbing_by_backslash(), ("rejected", "unsafe name")),
        (models.absolute(), ("rejected", "unsafe name")),
        (models.bomb(), ("rejected", "zip bomb")),
        (models.crowded(), ("rejected", "too many members")),
        (models.nested(), ("rejected", "nested archive")),
        (models.encrypted(), ("rejected", "encrypted archive")),
        (models.linked(), ("rejected", "link in archive")),
        (models.textures_only(), ("rejected", "no model in archive")),
        (b"PK\x05\x06" + bytes(18), ("rejected", "no model in archive")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_what_is_no_model_fails_and_what_must_not_be_opened_is_rejected(data: bytes, expected: tuple[str, str]) -> None:
    assert kept(data) == expected


WHOLE = models.gltf_zip()


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=12), st.integers(0, 400))
def test_an_archive_that_was_damaged_anywhere_is_judged_and_never_raises(
    changes: list[tuple[int, int]], lost: int
) -> None:
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    status, _ = kept(bytes(data[: len(data) - lost]))
    assert lost == 0 or status != "ok"


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["..", ".", "textures", "a", "C:"]), min_size=1, max_size=4),
    st.sampled_from(["/", "\\"]),
    st.booleans(),
)
def test_no_name_that_leads_out_of_the_archive_is_ever_kept(parts: list[str], slash: str, rooted: bool) -> None:
    name = (slash if rooted else "") + slash.join([*parts, "x.png"])
    status, _ = kept(models.zipped(models.members() | {name: b"x"}))
    if rooted or ".." in parts or "C:" in parts:
        assert status == "rejected"


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"glTF\x02\0\0\0"]))
def test_bytes_of_any_kind_are_no_model(noise: bytes, beginning: bytes) -> None:
    assert kept(beginning + noise)[0] != "ok"
