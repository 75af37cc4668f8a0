"""Unsplash, Openverse and The Met, each against its fake, from the search to the published table."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from jewel_assets.collect.answers import KeyRefused
from jewel_assets.collect.limits import Quota
from jewel_assets.collect.met import Met
from jewel_assets.collect.openverse import Openverse
from jewel_assets.collect.source import open_fetcher
from jewel_assets.lake import Lake, run_stage
from jewel_assets.lake.takedowns import take_down
from jewel_assets_tests.collect.collecting_for_tests import Collection, QuickUnsplash
from jewel_assets_tests.fakes import faults
from jewel_assets_tests.fakes.met import FakeMet
from jewel_assets_tests.fakes.openverse import FakeOpenverse
from jewel_assets_tests.fakes.server import FakeServer, Seen
from jewel_assets_tests.fakes.unsplash import KEY, FakeUnsplash, drawn


def unsplash(tmp_path: Path, fake: FakeUnsplash, **named: object) -> Collection:
    quick = {"fresh_s": 0.0} | named
    return Collection(
        Lake(tmp_path / "lake"),
        QuickUnsplash(KEY, fake.url, fake.hosts[1], quota=Quota(5000, 3600.0), **quick),  # type: ignore[arg-type]
        "unsplash_photos",
    )


def outcomes(collection: Collection) -> dict[str, tuple[str, str | None]]:
    rows = collection.lake.outcomes(collection.dataset).latest().to_pylist()
    return {row["item_id"]: (row["status"], row["reason"]) for row in rows}


def test_unsplash_photos_come_with_author_licence_and_address(tmp_path: Path) -> None:
    with FakeUnsplash(total=35) as fake:
        collection = unsplash(tmp_path, fake)
        report = collection.run("ring", ["gold ring"])
    assert (report.ok, fake.violations) == (35, [])
    row = collection.lake.dataset("unsplash_photos").read("ring").to_pylist()[3]
    assert row["author"] == "Maker Number 3"
    assert row["licence"] == "Unsplash"
    assert row["credit"] == "Photo by Maker Number 3 on Unsplash"
    assert row["source_url"].endswith("?utm_source=jewel-assets&utm_medium=referral")
    assert row["author_url"].endswith("/@maker3?utm_source=jewel-assets&utm_medium=referral")
    assert row["may_train"] is False
    assert row["fetched_at"] is not None


def test_each_download_is_told_with_its_ixid_before_the_bytes_are_taken(tmp_path: Path) -> None:
    with FakeUnsplash(total=12) as fake:
        unsplash(tmp_path, fake).run("ring", ["gold ring"])
        pings = fake.asked("/photos/")
    assert len(pings) == 12
    assert all(ping.query["ixid"] for ping in pings)
    assert fake.violations == []


def test_a_permission_makes_photos_trainable_and_its_end_makes_them_not(tmp_path: Path) -> None:
    with FakeUnsplash(total=3) as fake:
        unsplash(tmp_path, fake, training_permission="Unsplash permits it since May 2026").run("ring", ["gold ring"])
        dataset = Lake(tmp_path / "lake").dataset("unsplash_photos")
        assert dataset.read("ring").column("may_train").to_pylist() == [True] * 3
        unsplash(tmp_path, fake).run("ring", ["gold ring"])
        assert dataset.read("ring").column("may_train").to_pylist() == [False] * 3
    assert sum(fake.served[path] for path in fake.served if path.startswith("/photo-")) == 3


def test_photos_of_the_paid_collection_are_skipped(tmp_path: Path) -> None:
    with FakeUnsplash(total=10, paid=4) as fake:
        assert unsplash(tmp_path, fake).run("ring", ["gold ring"]).ok == 6


def test_what_two_queries_find_is_fetched_once(tmp_path: Path) -> None:
    with FakeUnsplash(total=10) as fake:
        assert unsplash(tmp_path, fake).run("ring", ["gold ring", "gold ring"]).ok == 10


def test_a_night_without_news_asks_for_the_search_pages_alone(tmp_path: Path) -> None:
    with FakeUnsplash(total=65) as fake:
        collection = unsplash(tmp_path, fake)
        collection.run("ring", ["gold ring"])
        before = len(fake.seen)
        report = collection.run("ring", ["gold ring"])
        asked = [seen.path for seen in fake.seen[before:]]
    assert asked == ["/search/photos"] * 3
    assert (report.attempted, report.ok, report.publication.changed) == (0, 65, False)


def test_a_photo_stays_when_the_search_no_longer_shows_it(tmp_path: Path) -> None:
    with FakeUnsplash(total=10) as fake:
        collection = unsplash(tmp_path, fake)
        collection.run("ring", ["gold ring"])
        fake.total = 4
        assert collection.run("ring", ["gold ring"]).ok == 10


def test_a_search_that_was_stopped_goes_on_without_asking_for_its_pages_again(tmp_path: Path) -> None:
    with FakeUnsplash(total=65) as fake:
        collection = unsplash(tmp_path, fake, fresh_s=3600.0)
        collection.plan("ring", ["gold ring"])
        assert len(fake.asked("/search")) == 3
        collection.plan("ring", ["gold ring"])
        assert len(fake.asked("/search")) == 3


def test_what_the_hour_does_not_allow_waits_for_a_later_run_and_the_plan_says_so(tmp_path: Path) -> None:
    with FakeUnsplash(total=300) as fake:
        fake.requests_per_window = 50
        collection = unsplash(tmp_path, fake)
        told = collection.plan("ring", ["gold ring"], most=200, hours=2.0)
    assert (told.new, told.later) == (150, 50)
    assert "at least 2 hours" in told.sentence()
    assert "50 wait for a later run" in told.sentence()


@pytest.mark.parametrize("limit", [faults.limit_as_text, faults.status(429)])
def test_a_used_up_hour_is_waited_for(tmp_path: Path, limit: faults.Fault) -> None:
    with FakeUnsplash(total=5) as fake:
        collection = unsplash(tmp_path, fake)
        object.__setattr__(collection.source, "quota", Quota(5000, 0.5))  # an hour of half a second
        fake.inject("/photos/", limit)
        report = collection.run("ring", ["gold ring"])
    assert (report.ok, report.failed) == (5, 0)
    assert len(fake.asked("/photos/")) == 6


def test_the_accounts_own_limit_is_believed(tmp_path: Path) -> None:
    with FakeUnsplash(total=10) as fake:
        fake.requests_per_window, fake.window_s = 5, 0.6
        collection = unsplash(tmp_path, fake)
        object.__setattr__(collection.source, "quota", Quota(50, 0.6))
        report = collection.run("ring", ["gold ring"])
    assert (report.ok, fake.violations) == (10, [])


def test_a_wrong_key_ends_the_search_with_a_sentence_that_does_not_quote_it(tmp_path: Path) -> None:
    with FakeUnsplash() as fake:
        collection = unsplash(tmp_path, fake)
        object.__setattr__(collection.source, "key", "wrong-key-42")
        with pytest.raises(KeyRefused, match="401") as raised:
            collection.plan("ring", ["gold ring"])
    assert "wrong-key-42" not in str(raised.value)


def test_the_key_is_nowhere_in_the_lake(tmp_path: Path) -> None:
    with FakeUnsplash(total=8) as fake:
        fake.inject("/photos/", faults.status(500, b"boom " + KEY.encode()), faults.status(401, KEY.encode()))
        unsplash(tmp_path, fake).run("ring", ["gold ring"])
    for path in (tmp_path / "lake").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


FAULTS = {
    "gone at the source": ("rejected", faults.status(404)),
    "noai": ("rejected", faults.noai),
    "not allowed": ("rejected", faults.status(403)),
    "address refused": ("failed", faults.METADATA),
    "too many pixels": ("rejected", faults.pixel_bomb),
    "too many redirects": ("failed", faults.loop),
    "not an image": ("failed", faults.web_page),
    "truncated": ("failed", faults.truncated),
    "server error": ("failed", faults.status(500)),
    "broke off": ("failed", faults.cut_off),
    "rate limited": ("failed", faults.status(429)),
}


def test_every_fault_of_a_photo_stands_in_its_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeUnsplash(total=len(FAULTS) + 1) as fake:
        collection = unsplash(tmp_path, fake)
        ids = fake.ids("gold ring")
        for photo, (_, fault) in zip(ids, FAULTS.values(), strict=False):
            fake.inject(f"/photo-{photo}", *[fault] * 8)
        collection.run("ring", ["gold ring"])
    found = outcomes(collection)
    for photo, (reason, (status, _)) in zip(ids, FAULTS.items(), strict=False):
        assert found[f"unsplash:{photo}"] == (status, reason)
    assert found[f"unsplash:{ids[-1]}"] == ("ok", None)


def test_the_right_bytes_under_a_wrong_name_are_a_photo(tmp_path: Path) -> None:
    with FakeUnsplash(total=1) as fake:
        fake.inject("/photo-", faults.wrong_type)
        assert unsplash(tmp_path, fake).run("ring", ["gold ring"]).ok == 1


def test_what_failed_is_tried_again_by_the_next_run_and_what_was_refused_is_not(tmp_path: Path) -> None:
    with FakeUnsplash(total=3) as fake:
        collection = unsplash(tmp_path, fake)
        first, second, third = fake.ids("gold ring")
        fake.inject(f"/photo-{first}", faults.web_page)
        fake.inject(f"/photo-{second}", faults.noai)
        assert collection.run("ring", ["gold ring"]).failed == 1
        report = collection.run("ring", ["gold ring"])
    assert (report.ok, report.rejected, report.failed) == (2, 1, 0)
    assert [len(fake.asked(f"/photo-{photo}")) for photo in (first, second, third)] == [2, 1, 1]


def test_a_query_that_is_taken_for_spam_ends_the_run_with_its_words(tmp_path: Path) -> None:
    with FakeUnsplash() as fake, pytest.raises(Exception, match="flagged as potential spam"):
        unsplash(tmp_path, fake).plan("ring", ["spam"])


def openverse(tmp_path: Path, fake: FakeOpenverse) -> Collection:
    source = Openverse(fake.url, fresh_s=0.0)
    return Collection(Lake(tmp_path / "lake"), source, "openverse_photos")


def test_openverse_keeps_licence_and_attribution_and_lets_them_train(tmp_path: Path) -> None:
    with FakeOpenverse(total=8) as fake:
        collection = openverse(tmp_path, fake)
        report = collection.run("ring", ["gold ring"])
    rows = collection.lake.dataset("openverse_photos").read("ring").to_pylist()
    assert (report.ok, fake.violations) == (6, [])  # two of eight are BY-NC-SA
    assert {row["licence"] for row in rows} == {"CC0 1.0", "CC BY 2.0", "Public Domain Mark 1.0"}
    assert all(row["may_train"] for row in rows)
    by = next(row for row in rows if row["licence"] == "CC BY 2.0")
    assert "is licensed under BY 2.0" in by["credit"]
    assert by["licence_url"] == "https://creativecommons.org/licenses/by/2.0/"
    assert by["author_url"].startswith("https://example.org/people/")


def test_openverse_is_asked_for_no_more_than_it_shows_anybody(tmp_path: Path) -> None:
    with FakeOpenverse(total=50) as fake:
        collection = openverse(tmp_path, fake)
        assert collection.plan("ring", ["gold ring"]).found == 38
        assert [seen.query["page_size"] for seen in fake.asked("/v1/")] in (["20"] * 2, ["20"] * 3)
    assert fake.violations == []


def test_openverse_is_asked_for_other_pages_every_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """240 results of a query, 20 of them a night: in twelve nights all of them, and never more than a page."""
    found: set[str] = set()
    with FakeOpenverse(total=320) as fake, open_fetcher(Openverse(fake.url, fresh_s=0.0), None) as fetcher:
        fake.requests_per_window = 1000
        for night in range(12):
            monkeypatch.setattr("jewel_assets.collect.openverse.time.time", lambda night=night: night * 86_400.0)
            source = Openverse(fake.url, quotas=(), fresh_s=0.0)
            found |= {one.source_id for one in source.search(fetcher, "gold ring", 20)}
        assert [seen.query["page"] for seen in fake.asked("/v1/")] == [str(page) for page in range(1, 13)]
    assert len(found) == 240


def test_the_robots_txt_of_the_collection_that_holds_a_photo_is_obeyed(tmp_path: Path) -> None:
    with FakeOpenverse(total=4, robots_txt="User-agent: *\nDisallow: /static/gold-ring-1\n") as fake:
        collection = openverse(tmp_path, fake)
        report = collection.run("ring", ["gold ring"])
    assert report.reasons == {"disallowed by robots.txt": 1}
    assert fake.asked("/static/gold-ring-1.") == []


def met(tmp_path: Path, fake: FakeMet) -> Collection:
    source = Met(fake.url, fake.hosts[1], per_second=60.0, fresh_s=0.0)
    return Collection(Lake(tmp_path / "lake"), source, "met_photos")


def test_the_met_gives_what_is_in_the_public_domain_pictured_and_called_so(tmp_path: Path) -> None:
    with FakeMet(total=10) as fake:
        collection = met(tmp_path, fake)
        report = collection.run("ring", ["finger ring"])
    rows = collection.lake.dataset("met_photos").read("ring").to_pylist()
    assert (report.ok, fake.violations) == (
        4,
        [],
    )  # of ten, two each: copyright, no picture, a painting; index: one gone
    assert {(row["licence"], row["may_train"]) for row in rows} == {("CC0 1.0", True)}
    assert rows[0]["credit"].endswith("The Metropolitan Museum of Art, Gift of J. Pierpont Morgan, 1917")


def test_objects_of_the_met_are_not_asked_for_again_the_next_night(tmp_path: Path) -> None:
    with FakeMet(total=10) as fake:
        collection = met(tmp_path, fake)
        collection.run("ring", ["finger ring"])
        before = len(fake.seen)
        collection.run("ring", ["finger ring"])
        asked = {seen.path for seen in fake.seen[before:]}
    assert asked == {"/public/collection/v1/search", f"/public/collection/v1/objects/{_first(fake) - 1}"}


def _first(fake: FakeServer) -> int:
    def number(seen: Seen) -> int:
        return int(seen.path.rsplit("/", 1)[1])

    return min(number(seen) for seen in fake.asked("/public/collection/v1/objects/")) + 1


def changed(fake: FakeOpenverse, **fields: Any) -> None:
    """From now on the catalogue says something else of every photo."""
    honest = fake.results
    fake.results = lambda query: [{**result, **fields} for result in honest(query)]  # type: ignore[method-assign]


def test_a_changed_licence_changes_row_and_credit_without_fetching_the_photo_again(tmp_path: Path) -> None:
    with FakeOpenverse(total=2) as fake:
        collection = openverse(tmp_path, fake)
        collection.run("ring", ["gold ring"])
        changed(
            fake,
            license="by",
            license_version="4.0",
            license_url="https://creativecommons.org/licenses/by/4.0/",
            creator="New Name",
            attribution="by New Name, BY 4.0",
        )
        collection.run("ring", ["gold ring"])
    rows = collection.lake.dataset("openverse_photos").read("ring").to_pylist()
    told = {(row["licence"], row["author"], row["credit"]) for row in rows}
    assert told == {("CC BY 4.0", "New Name", "by New Name, BY 4.0")}
    assert max(fake.served[path] for path in fake.served if path.startswith("/static/")) == 1


def test_what_its_owner_no_longer_gives_leaves_the_dataset_and_its_outcome_says_so(tmp_path: Path) -> None:
    with FakeOpenverse(total=2) as fake:
        collection = openverse(tmp_path, fake)
        assert collection.run("ring", ["gold ring"]).ok == 2
        fake.ignores_licence = True
        changed(fake, license="by-nc")
        told = collection.plan("ring", ["gold ring"])
        report = collection.run("ring", ["gold ring"])
    assert told.withdrawn == 2
    assert "2 are no longer to be had" in told.sentence()
    assert (report.ok, report.gone) == (0, 2)
    assert collection.lake.dataset("openverse_photos").read("ring").num_rows == 0


def test_an_object_of_the_met_that_left_the_public_domain_leaves_the_dataset(tmp_path: Path) -> None:
    with FakeMet(total=5) as fake:
        collection = met(tmp_path, fake)
        object.__setattr__(collection.source, "object_fresh_s", 0.0)
        assert collection.run("ring", ["finger ring"]).ok == 2
        fake.is_closed = True
        assert collection.run("ring", ["finger ring"]).ok == 0


def test_what_may_train_and_was_not_seen_for_long_is_asked_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeOpenverse(total=6) as fake:
        collection = openverse(tmp_path, fake)
        collection.run("ring", ["gold ring"])
        everything = fake.results("gold ring")
        fake.catalogue = {result["id"]: {**result, "license": "by-nc-nd"} for result in everything}
        fake.total = 0
        monkeypatch.setattr("jewel_assets.collect.collecting.LOOK_AGAIN_AFTER", dt.timedelta(0))
        report = collection.run("ring", ["gold ring"])
    assert (report.ok, report.gone) == (0, 5)
    assert fake.violations == []


def test_a_search_that_breaks_off_keeps_what_it_found_and_the_plan_says_so(tmp_path: Path) -> None:
    with FakeUnsplash(total=65) as fake:
        collection = unsplash(tmp_path, fake)
        fake.inject(lambda seen: seen.query.get("page") == "3", faults.status(410, b'{"errors": ["spam"]}'))
        told = collection.plan("ring", ["gold ring", "silver ring"], most=130)
    assert told.found == 125
    assert len(told.problems) == 1
    assert "'gold ring' broke off" in told.problems[0]


def test_one_result_of_a_strange_shape_does_not_spoil_the_others(tmp_path: Path) -> None:
    with FakeOpenverse(total=2) as fake:
        honest = fake.results
        fake.results = lambda query: [  # type: ignore[method-assign]
            {"id": 7, "url": ["no", "text"], "license": "by"},
            {"id": "8", "url": "http://[oops/a.jpg", "license": "cc0"},
            *honest(query),
        ]
        assert openverse(tmp_path, fake).run("ring", ["gold ring"]).ok == 2


def test_a_photo_that_keeps_failing_lets_the_others_go_first(tmp_path: Path) -> None:
    with FakeUnsplash(total=6) as fake:
        collection = unsplash(tmp_path, fake)
        failing, others = fake.ids("gold ring")[:3], fake.ids("gold ring")[3:]
        for photo in failing:
            fake.inject(f"/photo-{photo}", faults.web_page)
        first = collection.plan("ring", ["gold ring"], most=3).items
        run_stage(collection.lake, collection.fetching(), first, "unsplash_photos", "ring", max_failed_share=1.0)
        object.__setattr__(collection.source, "quota", Quota(3, 0.5))  # an hour of half a second
        fake._limits = dict  # type: ignore[method-assign, assignment]
        told = collection.plan("ring", ["gold ring"], hours=0.0001)
    assert told.items.column("source_id").to_pylist() == others
    assert told.later == 3


def test_what_is_no_picture_three_nights_in_a_row_is_taken_for_what_it_is(tmp_path: Path) -> None:
    with FakeUnsplash(total=1) as fake:
        collection = unsplash(tmp_path, fake)
        fake.inject("/photo-", *[faults.web_page] * 9)
        states = []
        for _ in range(4):
            collection.run("ring", ["gold ring"])
            states += outcomes(collection).values()
    assert states == [("failed", "not an image")] * 2 + [("rejected", "not an image")] * 2
    assert len(fake.asked("/photo-")) == 3


def test_a_refusal_that_may_change_is_tried_again_after_a_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeUnsplash(total=1) as fake:
        collection = unsplash(tmp_path, fake)
        fake.inject("/photo-", faults.status(403))
        assert collection.run("ring", ["gold ring"]).rejected == 1
        assert collection.run("ring", ["gold ring"]).rejected == 1
        assert len(fake.asked("/photo-")) == 1
        monkeypatch.setattr("jewel_assets.collect.collecting.REFUSED_FOR", dt.timedelta(0))
        assert collection.run("ring", ["gold ring"]).ok == 1


def test_the_same_photo_in_two_categories_is_fetched_once(tmp_path: Path) -> None:
    with FakeUnsplash(total=3) as fake:
        collection = unsplash(tmp_path, fake)
        collection.run("ring", ["gold ring"])
        assert collection.run("jewelry", ["gold ring"]).ok == 3
    assert [times for path, times in fake.served.items() if path.startswith("/photo-")] == [1, 1, 1]


def test_nights_on_which_the_server_was_away_do_not_make_a_photo_useless(tmp_path: Path) -> None:
    with FakeUnsplash(total=1) as fake:
        collection = unsplash(tmp_path, fake)
        fake.inject("/photo-", *[faults.status(500)] * 8, faults.web_page)
        for _ in range(3):
            collection.run("ring", ["gold ring"])
        assert list(outcomes(collection).values()) == [("failed", "not an image")]
        assert collection.run("ring", ["gold ring"]).ok == 1


def test_bytes_that_were_taken_down_do_not_come_back_under_another_id(tmp_path: Path) -> None:
    with FakeUnsplash(total=2, picture=lambda photo: drawn("ring")) as fake:
        collection = unsplash(tmp_path, fake)
        first, second = (f"unsplash:{photo}" for photo in fake.ids("gold ring"))
        assert collection.run("ring", ["gold ring"], most=1).ok == 1
        take_down(collection.lake, "item", first, "tests")
        assert collection.run("ring", ["gold ring"]).ok == 0
    assert outcomes(collection) == {first: ("rejected", "taken down"), second: ("rejected", "taken down")}
    assert list((tmp_path / "lake" / "blobs").rglob("*.jpg")) == []
    assert fake.asked(f"/photo-{first.split(':')[1]}")[1:] == []
