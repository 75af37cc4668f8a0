"""What may be done with whose works, and what is searched for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.categories import CATEGORIES
from jewel_assets.collect.collecting import stated
from jewel_assets.collect.licences import may_train
from jewel_assets.collect.policy import rule_for, rules
from jewel_assets.collect.queries import queries_for, shares
from jewel_assets.errors import Permanent
from jewel_assets.settings import settings
from jewel_assets.themes import TEXTURE_THEMES


def test_every_rule_names_the_clause_it_comes_from() -> None:
    assert all(rule.clause for rule in rules())
    assert all(rule.url for rule in rules() if rule.source not in ("folder", "*"))


@pytest.mark.parametrize(
    ("source", "licence", "reference", "training", "publishing"),
    [
        ("unsplash", "Unsplash", "allow", "ask", "allow"),
        ("pinterest", None, "ask", "forbid", "forbid"),
        ("met", "CC0-1.0", "allow", "allow", "allow"),
        ("openverse", "CC-BY-2.0", "allow", "allow", "allow"),
        ("openverse", "CC-BY-SA-3.0-DE", "allow", "ask", "ask"),
        ("sketchfab", "CC-BY-NC-4.0", "allow", "ask", "forbid"),
        ("sketchfab", "Sketchfab-Editorial", "allow", "ask", "forbid"),
        ("sketchfab", "no-ai", "allow", "forbid", "ask"),
        ("somewhere", None, "ask", "ask", "forbid"),
        ("somewhere", "a licence of its own", "ask", "ask", "forbid"),
    ],
)
def test_what_the_policy_says(source: str, licence: str | None, reference: str, training: str, publishing: str) -> None:
    rule = rule_for(source, licence)
    assert (rule.reference, rule.training, rule.publishing) == (reference, training, publishing)


@given(st.text(max_size=20), st.none() | st.text(max_size=30))
def test_what_nobody_has_spoken_of_is_denied(source: str, licence: str | None) -> None:
    rule = rule_for(f"x{source}", f"y{licence}")
    assert not any(rule.allows(purpose) for purpose in ("reference", "training", "publishing"))
    assert not rule.allows("publishing", said=True)


def test_a_statement_opens_what_is_asked_for_and_not_what_is_forbidden() -> None:
    assert may_train("Unsplash", None, True, "unsplash")
    assert not may_train("Unsplash", None, None, "unsplash")
    assert not may_train(None, None, True, "pinterest")
    assert not rule_for("pinterest", None).allows("training", said=True)


@pytest.mark.parametrize("word", ["yes", "1", "I may", "ok with us"])
def test_a_statement_that_states_nothing_is_refused(word: str) -> None:
    with pytest.raises(Permanent, match="states nothing"):
        stated("JEWEL_PINTEREST_PERMISSION", word)
    assert stated("JEWEL_PINTEREST_PERMISSION", None) is None


def test_there_are_queries_for_every_category_and_theme() -> None:
    for category in CATEGORIES:
        assert queries_for("unsplash", "categories", category)
        assert queries_for("met", "categories", category) != queries_for("unsplash", "categories", category)
    for theme in TEXTURE_THEMES:
        assert queries_for("pinterest", "themes", theme)


def test_the_operators_own_queries_replace_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "queries.toml"
    own.write_text('[categories.ring]\nunsplash = ["signet"]\n')
    monkeypatch.setenv("JEWEL_QUERIES", str(own))
    settings.cache_clear()
    assert queries_for("unsplash", "categories", "ring") == ["signet"]
    assert queries_for("openverse", "categories", "ring")[0] == "ring jewelry"
    own.write_text("[categories")
    with pytest.raises(Permanent, match="JEWEL_QUERIES"):
        queries_for("unsplash", "categories", "ring")


@given(st.integers(0, 5000), st.lists(st.text(min_size=1), min_size=1, max_size=12, unique=True))
def test_the_shares_of_the_queries_are_all(most: int, queries: list[str]) -> None:
    found = shares(most, queries)
    assert sum(share for _, share in found) == most
    assert all(share > 0 for _, share in found)
