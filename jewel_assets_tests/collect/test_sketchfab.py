"""Sketchfab against its fake: what a search finds, how an address that expires is treated, and its switch."""

import json
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jewel_assets.collect.answers import Answer, Delayed, Gone, KeyRefused, Refusal
from jewel_assets.collect.configured import is_on, source_of
from jewel_assets.collect.licences import may_train, recognise
from jewel_assets.collect.policy import rule_for
from jewel_assets.collect.sketchfab import TERMS, Sketchfab, terms_of
from jewel_assets.errors import Permanent
from jewel_assets.settings import settings
from jewel_assets_tests.collect.sketchfab_for_tests import RING, assert_nowhere, collection, fetch_first, search, source
from jewel_assets_tests.fakes import faults
from jewel_assets_tests.fakes.server import Reply, Seen, json_reply
from jewel_assets_tests.fakes.sketchfab import LABELS, TOKEN, FakeSketchfab

ALL = tuple(terms.slug for terms in TERMS)


@pytest.fixture
def fake() -> Iterator[FakeSketchfab]:
    with FakeSketchfab(total=3) as server:
        yield server


# ------------------------------------------------------------------ what a search finds


def test_a_search_walks_the_cursors_to_the_end_and_asks_as_the_interface_wants(fake: FakeSketchfab) -> None:
    fake.total = 60
    found = search(fake)
    assert [one.source_id for one in found] == fake.uids(RING)
    asked = fake.asked("/v3/search")
    assert [seen.query.get("cursor") for seen in asked] == [None, "cD024", "cD048"]
    first = dict(asked[0].query)
    assert first.pop("licenses") == "free-st"  # the last of several
    wanted = {"type": "models", "q": RING, "downloadable": "true", "archives_flavours": "true", "count": "24"}
    assert first == {**wanted, "max_face_count": "1000000"}
    assert asked[0].query_text.count("licenses=") == 8
    assert fake.violations == []


def test_a_search_takes_no_more_pages_than_it_needs(fake: FakeSketchfab) -> None:
    fake.total = 60
    assert len(search(fake, most=10)) == 10
    assert len(fake.asked("/v3/search")) == 1


def test_a_search_is_for_licences_that_need_no_purchase(fake: FakeSketchfab) -> None:
    fake.total, fake.slugs = 20, ALL
    assert {one.licence for one in search(fake)} == {terms.name for terms in TERMS if terms.slug not in ("st", "ed")}


def test_a_cursor_that_comes_again_ends_the_search(fake: FakeSketchfab) -> None:
    fake.total = 60

    def again(server: Any, seen: Seen) -> Reply:
        told = json.loads(server.reply(seen).body)
        return json_reply(told | {"cursors": {"next": "cD024", "previous": None}})

    fake.inject("/v3/search", again, again, again)
    assert len(search(fake)) == 48
    assert len(fake.asked("/v3/search")) == 2


def test_a_search_whose_results_are_all_skipped_ends(fake: FakeSketchfab) -> None:
    fake.total = 2000
    fake.changes = {number: {"isDownloadable": False} for number in range(2000)}
    assert search(fake, most=24) == []
    assert len(fake.asked("/v3/search")) == 4


LARGE = {"type": "gltf", "size": 201 << 20, "faceCount": 10}


@pytest.mark.parametrize(
    "change",
    [
        {"isDownloadable": False},
        {"isDownloadable": None},
        {"isAgeRestricted": True},
        {"isProtected": True},
        {"license": None},
        {"license": {}},
        {"archives": None},
        {"archives": {"usdz": {"size": 10}, "source": {"size": 10}}},
        {"archives": {"gltf": LARGE, "glb": LARGE}},
        {"archives": {"glb": [{"size": 10}, LARGE]}},
        {"archives": {"glb": {"size": -5}, "gltf": {"size": "big"}}},
        {"faceCount": 1_000_001},
        {"uid": "../../v3/me"},
        {"uid": None},
        {"license": {"label": "Ask me first"}, "tags": ["noai"]},
    ],
)
def test_a_model_that_cannot_or_must_not_be_had_is_skipped(fake: FakeSketchfab, change: dict[str, Any]) -> None:
    fake.changes[1] = change
    assert [one.source_id for one in search(fake)] == [fake.uid(RING, 0), fake.uid(RING, 2)]


@pytest.mark.parametrize("junk", [[1, None, "x"], None, {"a": 1}, "no"])
def test_an_answer_of_another_shape_finds_nothing(fake: FakeSketchfab, junk: object) -> None:
    fake.inject("/v3/search", lambda server, seen: json_reply({"results": junk, "cursors": junk, "next": junk}))
    assert search(fake) == []


@pytest.mark.parametrize(
    ("archives", "flavour"),
    [
        ({"glb": {"size": 900, "faceCount": 9}, "gltf": {"size": 800, "faceCount": 9}}, "gltf"),
        ({"glb": {"size": 700, "faceCount": 9}, "gltf": {"size": 800, "faceCount": 9}}, "glb"),
        ({"glb": {"size": 800, "faceCount": 9}, "gltf": {"size": 800, "faceCount": 9}}, "glb"),
        ({"glb": {"size": 700, "faceCount": 5}, "gltf": {"size": 800, "faceCount": 9}}, "gltf"),
        ({"glb": [{"size": 300, "faceCount": 9}, LARGE], "gltf": {"size": 800, "faceCount": 9}}, "gltf"),
        ({"gltf": {"size": 800}}, "gltf"),
    ],
    ids=["fewer bytes", "fewer bytes again", "nothing to unpack", "more faces first", "what fits", "what there is"],
)
def test_the_archive_is_chosen_by_its_faces_then_its_bytes(fake: FakeSketchfab, archives: Any, flavour: str) -> None:
    fake.changes[0] = {"archives": archives}
    assert search(fake)[0].extra["flavour"] == flavour


def test_another_date_or_another_archive_is_another_version(fake: FakeSketchfab) -> None:
    versions = {search(fake)[0].version}
    for change in ({"publishedAt": "2025-05-05"}, {"updatedAt": "2026-01-01"}, {"archives": {"glb": {"size": 77}}}):
        fake.changes[0] = change
        versions.add(search(fake)[0].version)
    assert len(versions) == 4


@pytest.mark.parametrize("slug", ALL)
def test_each_licence_is_known_to_the_policy_by_slug_and_by_label(slug: str) -> None:
    terms = terms_of({"label": LABELS[slug]})
    assert terms is not None
    assert terms == terms_of({"slug": slug, "label": "in another language"})
    known = recognise(terms.name)
    assert known is not None
    rule = rule_for("sketchfab", known.name)
    assert "default deny" not in rule.clause
    assert may_train(terms.name, terms.url, None, "sketchfab") is (slug in ("cc0", "by"))
    assert rule.allows("reference")


def test_a_licence_that_nobody_knows_is_told_as_it_is_and_may_not_be_kept(tmp_path: Path, fake: FakeSketchfab) -> None:
    fake.changes[0] = {"license": {"uid": "x", "label": "Fair Wear Licence 7"}}
    assert search(fake)[0].licence == "Fair Wear Licence 7"
    told = collection(tmp_path, fake).plan("ring", [RING])
    assert (told.new, told.forbidden) == (2, 1)


@pytest.mark.parametrize("tags", [[{"name": "NoAI"}], [{"name": "x", "slug": "noai"}], ["no-ai"], [{"name": "no_ai"}]])
def test_what_its_owner_marked_noai_never_trains_and_its_credit_names_its_licence(
    fake: FakeSketchfab, tags: list[Any]
) -> None:
    fake.changes[0] = {"tags": tags}  # number 0 is CC0
    found = search(fake)[0]
    assert found.licence == "no-ai"
    assert may_train(found.licence, found.licence_url, True, "sketchfab") is False
    assert "is licensed under CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)" in str(found.credit)


def test_a_tag_that_only_sounds_like_it_forbids_nothing(fake: FakeSketchfab) -> None:
    fake.changes[0] = {"tags": [{"name": "casino airline", "slug": "noaircraft"}]}
    assert search(fake)[0].licence == "CC0 1.0"


# ------------------------------------------------------------------ addresses that expire


def test_an_address_that_expired_is_asked_for_anew_once(fake: FakeSketchfab) -> None:
    fake.stale = 1
    assert fetch_first(fake) == fake.archive(RING, 0, "glb")
    assert (len(fake.asked("/v3/models")), len(fake.asked("/archives")), fake.violations) == (2, 2, [])


def test_an_expired_session_of_the_storage_is_an_expired_address_too(fake: FakeSketchfab) -> None:
    fake.inject("/archives", faults.status(400, b"<Error><Code>ExpiredToken</Code></Error>"))
    assert fetch_first(fake) == fake.archive(RING, 0, "glb")


def test_addresses_that_are_refused_twice_are_given_up_until_the_next_run_without_quoting_them(
    fake: FakeSketchfab,
) -> None:
    fake.stale = 99
    with pytest.raises(Delayed, match="clock") as raised:
        fetch_first(fake)
    assert raised.value.reason == "address refused by storage"
    assert len(fake.asked("/archives")) == 2
    assert not any(secret in str(raised.value) for secret in [*fake.signed, "Signature", "AWSAccessKeyId"])


def test_the_answer_that_holds_an_address_is_never_remembered(tmp_path: Path, fake: FakeSketchfab) -> None:
    archive = tmp_path / "archive.sqlite"
    fetch_first(fake, archive)
    fetch_first(fake, archive)
    asked = fake.asked("/v3/models")
    assert len(asked) == 2
    assert not any("if-none-match" in seen.headers or "if-modified-since" in seen.headers for seen in asked)
    with sqlite3.connect(archive) as database:
        pages = [address for (address,) in database.execute("SELECT address FROM pages")]
    assert len(pages) == 1
    assert "/v3/search" in pages[0]
    assert_nowhere(tmp_path, [TOKEN, *fake.signed])


def test_a_storage_that_is_away_is_named_without_the_signature(fake: FakeSketchfab) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        fake.storage_url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(Delayed) as raised:
            fetch_first(fake)
    assert raised.value.reason == "broke off"
    assert fake.signed
    assert not any(secret in str(raised.value) for secret in [*fake.signed, "Signature", "session-"])


def test_no_log_quotes_a_signature_however_much_is_logged(
    fake: FakeSketchfab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    fetch_first(fake)
    assert "/archives/" in caplog.text
    assert not any(secret in caplog.text for secret in [TOKEN, *fake.signed, "Signature"])


def test_the_token_goes_to_the_interface_and_to_nobody_else(fake: FakeSketchfab) -> None:
    fetch_first(fake)
    assert all(seen.headers["authorization"] == f"Token {TOKEN}" for seen in fake.asked("/v3"))
    assert not any("authorization" in seen.headers for seen in fake.asked("/archives"))
    assert TOKEN not in repr(source(fake))


def test_a_redirect_of_the_interface_to_another_host_does_not_take_the_token_along(fake: FakeSketchfab) -> None:
    fake.inject("/v3/models", faults.redirect(f"{fake.other_url}/archives/elsewhere"))
    with pytest.raises(Refusal):
        fetch_first(fake)
    assert fake.asked("/archives/elsewhere")
    assert not any("authorization" in seen.headers for seen in fake.asked("/archives/elsewhere"))


def test_a_wrong_token_ends_the_search_with_a_sentence_that_does_not_quote_it(fake: FakeSketchfab) -> None:
    with pytest.raises(KeyRefused, match=r"401 Unauthorized: Invalid token") as raised:
        search(fake, token="wrong-token-42")
    assert "wrong-token-42" not in str(raised.value)


def test_patience_that_was_asked_for_is_given(fake: FakeSketchfab) -> None:
    fake.inject("/v3/search", faults.too_many(1))
    fake.inject("/v3/models", faults.too_many(1))
    assert fetch_first(fake) == fake.archive(RING, 0, "glb")
    assert fake.violations == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"usdz": {"url": "http://x/y", "size": 1}}, "no glTF download"),
        ({"glb": {"size": 5}}, "no glTF download"),
        ([], "no glTF download"),
        ({"glb": {"url": "http://x/y", "size": 300 << 20}}, "file too large"),
    ],
)
def test_an_answer_without_an_archive_that_we_could_take_is_refused(
    fake: FakeSketchfab, answer: object, reason: str
) -> None:
    fake.inject("/v3/models", lambda server, seen: json_reply(answer))
    with pytest.raises(Refusal) as raised:
        fetch_first(fake)
    assert raised.value.reason == reason


def test_an_archive_larger_than_it_was_said_to_be_is_cut_off(fake: FakeSketchfab) -> None:
    fake.given[fake.uid(RING, 0)] = bytes(90_000)
    fake.inject(
        "/v3/models",
        lambda server, seen: json_reply({"glb": {"url": fake._sign(fake.uid(RING, 0), "glb"), "size": 10}}),
    )
    with pytest.raises(Refusal) as raised:
        fetch_first(fake, max_bytes=80_000)
    assert raised.value.reason == "file too large"


def test_the_other_flavour_is_taken_when_the_one_that_was_found_is_gone(fake: FakeSketchfab) -> None:
    uid = fake.uid(RING, 0)
    fake.inject("/v3/models", lambda server, seen: json_reply({"gltf": {"url": fake._sign(uid, "gltf"), "size": 10}}))
    assert fetch_first(fake) == fake.archive(RING, 0, "gltf")


def test_an_address_without_tls_is_not_fetched_for_an_interface_that_has_it() -> None:
    class Told:
        def json(self, *_: object, **__: object) -> Answer:
            return Answer(200, {}, b'{"glb": {"url": "http://example.org/a.glb?Signature=s3cret", "size": 9}}')

    with pytest.raises(Refusal, match="not https") as raised:
        Sketchfab(TOKEN).fetch(Told(), {"source_id": "ab12", "extra": {"flavour": "glb"}})  # type: ignore[arg-type]
    assert "s3cret" not in str(raised.value)


def test_a_model_that_is_gone_is_gone(fake: FakeSketchfab) -> None:
    fake.gone.add(fake.uid(RING, 0))
    with pytest.raises(Gone):
        fetch_first(fake)


# ------------------------------------------------------------------ the switch


def test_without_a_token_the_source_is_off_and_says_where_to_get_one() -> None:
    assert not is_on("sketchfab_models")
    with pytest.raises(Permanent, match=r"sketchfab\.com/settings/password and set JEWEL_SKETCHFAB_TOKEN"):
        source_of("sketchfab_models")


def test_a_token_switches_the_source_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_SKETCHFAB_TOKEN", TOKEN)
    monkeypatch.setenv("JEWEL_SKETCHFAB_URL", "http://127.0.0.1:4711/")
    settings.cache_clear()
    assert is_on("sketchfab_models")
    assert source_of("sketchfab_models") == Sketchfab(TOKEN, "http://127.0.0.1:4711")
