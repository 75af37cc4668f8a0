"""Captions: their limits, their variety, what they must not say, and the files that their phrases come from."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jewel_assets.categories import CATEGORIES
from jewel_assets.errors import Permanent
from jewel_assets.promote.captions import (
    Description,
    Known,
    NetworkDescriber,
    PhraseDescriber,
    alt_text,
    characters,
    hashtags_in,
    languages,
    phrasebook,
    variety,
    write_caption,
)
from jewel_assets.promote.captions.describe import claims_in
from jewel_assets.promote.captions.phrasebook import SHIPPED
from jewel_assets.promote.materials import METALS, STONES, Materials, Stone
from jewel_assets.promote.plates import STYLES
from jewel_assets_tests.promote.networks import tiny_blip

TONES = ("elegant", "festive", "minimal", "playful")
LANGUAGES = ("de", "en", "fr")
GREEN_AND_GOLD = Materials("yellow gold", 0.9, (Stone("green stone", 0.1, 0.9),))
# What no caption may say, in any of the languages: species, fineness, weight, worth, craft.
FORBIDDEN = re.compile(
    r"diamond|diamant|emerald|smaragd|émeraude|ruby|rubin|rubis|sapphire|saphir|amethyst|brilliant|brillant|carat|karat"
    r"|handmade|handgemacht|handgefertigt|fait main|sterling|925|585|750|platin|echt|genuine|véritable|massiv"
    r"|solid gold"
    r"|\beuros?\b|€|\$|price|preis|prix|sale|rabatt|solde|limited|free shipping|nickel|hypoaller|\bk\b",
    re.IGNORECASE,
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
seen_materials = st.builds(
    Materials,
    metal=st.none() | st.sampled_from(METALS),
    metal_confidence=st.floats(0, 1),
    stones=st.lists(
        st.builds(Stone, st.sampled_from(STONES), st.floats(0, 1), st.floats(0, 1)),
        max_size=4,
        unique_by=lambda s: s.name,
    ).map(tuple),
)
anything_known = st.builds(
    Known,
    category=st.sampled_from(CATEGORIES),
    materials=seen_materials,
    style=st.sampled_from(["", *STYLES]) | words,
    template=words,
    title=st.none() | words,
    credit=st.none() | words,
    brand=st.none() | words,
    price=st.none() | words,
)


# ------------------------------------------------------------------ limits


@settings(max_examples=100, deadline=None)
@given(anything_known, st.sampled_from(TONES), st.sampled_from(LANGUAGES), st.integers(-(10**12), 10**12))
def test_whatever_is_known_a_caption_keeps_the_limits_of_instagram(
    known: Known, tone: str, language: str, seed: int
) -> None:
    caption = write_caption(known, tone, language, seed)
    assert characters(str(caption)) <= 2200
    assert len(hashtags_in(str(caption))) <= 30
    assert len({tag.casefold() for tag in caption.hashtags}) == len(caption.hashtags)
    assert all(hashtags_in(f"#{tag}") == [tag] for tag in caption.hashtags)
    if known.credit:
        assert caption.text.endswith(known.credit)
    own = caption.text.removesuffix(known.credit or "")
    assert "  " not in own
    assert "#" not in own
    assert caption == write_caption(known, tone, language, seed)


def test_a_long_credit_is_kept_and_the_hashtags_make_room() -> None:
    credit = "Photo: " + "x" * 1950 + " #one #two"
    caption = write_caption(Known("ring", credit=credit), "elegant", "en", 1)
    assert caption.text.endswith(credit)
    assert characters(str(caption)) <= 2200
    assert len(caption.hashtags) < len(write_caption(Known("ring"), "elegant", "en", 1).hashtags)


@pytest.mark.parametrize("credit", ["x" * 2300, "#tag " * 31])
def test_a_credit_that_leaves_no_room_is_refused_not_cut(credit: str) -> None:
    with pytest.raises(Permanent, match="Shorten the credit line"):
        write_caption(Known("ring", credit=credit), "elegant", "en", 1)


# ------------------------------------------------------------------ variety


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("materials", [Materials(), GREEN_AND_GOLD, Materials("silver", 1.0)])
def test_two_hundred_seeds_in_a_row_give_two_hundred_captions(language: str, tone: str, materials: Materials) -> None:
    for category in CATEGORIES if language == "en" and materials == Materials() else ("earrings",):
        known = Known(category, materials)
        texts = {write_caption(known, tone, language, seed).text for seed in range(200)}
        assert len(texts) == 200, (category, variety(known, tone, language))


def test_every_combination_comes_once_before_the_first_comes_again() -> None:
    known = Known("earrings")
    count = variety(known, "minimal", "en")
    texts = [write_caption(known, "minimal", "en", seed).text for seed in range(count + 1)]
    assert len(set(texts[:count])) == count
    assert texts[count] == texts[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_of_a_list_stands_there_twice(language: str) -> None:
    book = phrasebook(language)
    lists = [getattr(tone, part) for tone in book.tones.values() for part in type(tone).model_fields]
    assert all(len(set(phrases)) == len(phrases) for phrases in [*lists, *book.metals.values(), *book.stones.values()])


# ------------------------------------------------------------------ what is said


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_shipped_phrase_or_hashtag_claims_what_a_picture_cannot_show(language: str) -> None:
    text = (SHIPPED / f"{language}.toml").read_text("utf-8")
    phrases = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert FORBIDDEN.findall(phrases) == []
    assert claims_in(phrases) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_style_of_plate_has_words_in_every_language(language: str) -> None:
    assert set(STYLES) <= set(phrasebook(language).scenes)
    plain = Known("ring")
    assert len({alt_text(plain, language), *(alt_text(Known("ring", style=s), language) for s in STYLES)}) > len(STYLES)


def test_metal_and_stone_are_named_by_what_is_seen() -> None:
    text = write_caption(Known("ring", GREEN_AND_GOLD), "elegant", "en", 0).text
    assert re.search("golden|gold colour", text)
    assert "green" in text


def test_what_is_unsure_is_not_mentioned() -> None:
    unsure = Materials("rose gold", 0.3, (Stone("red stone", 0.01, 0.2),))
    for seed in range(40):
        assert write_caption(Known("ring", unsure), "elegant", "en", seed) == write_caption(
            Known("ring"), "elegant", "en", seed
        )


def test_of_a_watch_no_material_is_told() -> None:
    assert write_caption(Known("wristwatch", GREEN_AND_GOLD), "minimal", "de", 5) == write_caption(
        Known("wristwatch"), "minimal", "de", 5
    )


def test_the_scene_is_that_of_the_style_and_not_of_a_palette_in_the_template_name() -> None:
    assert alt_text(Known("ring", style="velvet", template="velvet-stone-blinds"), "en") == "A ring, on soft velvet."
    assert alt_text(Known("ring", template="marble-ivory-studio"), "en") == "A ring, on cool marble."


@pytest.mark.parametrize("tone", TONES)
def test_earrings_are_several_and_a_ring_is_one(tone: str) -> None:
    several = " ".join(write_caption(Known("earrings"), tone, "en", seed).text for seed in range(300))
    one = " ".join(write_caption(Known("ring"), tone, "en", seed).text for seed in range(300))
    assert not re.search(r"these earrings (is|lets|brings|steals|deserves)\b|\ba earrings|\ban? these", several, re.I)
    assert not re.search(r"this ring (are|let|bring|steal|deserve)\b|\ba a\b", one, re.I)
    assert not re.search(r"\ba [aeiou]", one, re.I)


@pytest.mark.parametrize(
    ("category", "article"),
    [
        ("ring", "diesen Ring"),
        ("bracelet", "dieses Armband"),
        ("necklace", "diese Halskette"),
        ("earrings", "diese Ohrr"),
    ],
)
def test_german_articles_follow_gender_and_case(category: str, article: str) -> None:
    texts = [write_caption(Known(category), "festive", "de", seed).text for seed in range(300)]
    assert any(f"Ein Hoch auf {article}" in text for text in texts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tone", TONES)
def test_sentences_start_with_a_capital_and_end_with_a_mark(language: str, tone: str) -> None:
    for seed in range(0, 200, 3):
        text = write_caption(Known("necklace", GREEN_AND_GOLD, style="silk", brand="Maison"), tone, language, seed).text
        assert re.fullmatch(r"[A-ZÀÄÉÖÜ].*[.!?]", text)
        assert not re.search(r"[.!?] [a-zäöüàé]|[{}]| [.,]|\.\.", text)


def test_title_price_and_credit_stand_on_lines_of_their_own() -> None:
    known = Known("ring", title="  The\n#Dawn   Ring ", price="240 EUR", credit="Photo: A. B. / CC BY 4.0", brand="Sol")
    lines = write_caption(known, "minimal", "en", 0).text.split("\n\n")
    assert lines[0] == "The Dawn Ring"
    assert lines[-2:] == ["240 EUR", "Photo: A. B. / CC BY 4.0"]
    assert "sol" in write_caption(known, "minimal", "en", 0).hashtags


# ------------------------------------------------------------------ names and files


def test_an_unknown_tone_names_the_nearest() -> None:
    with pytest.raises(Permanent, match=r"no tone of captions in English called 'elegent'. Did you mean 'elegant'\?"):
        write_caption(Known("ring"), "elegent", "en", 0)


def test_an_unknown_language_names_those_there_are() -> None:
    with pytest.raises(Permanent, match=r"no caption language called '\.\./en'.*Choose one of: de, en, fr"):
        write_caption(Known("ring"), "elegant", "../en", 0)


def test_an_unknown_category_names_the_nearest() -> None:
    with pytest.raises(Permanent, match="Did you mean 'necklace'"):
        write_caption(Known("neclace"), "elegant", "en", 0)


def test_a_folder_of_the_users_own_replaces_the_keys_it_has_and_leaves_the_rest(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('[tones.elegant]\nopenings = ["Hello, {this}."]\n')
    assert write_caption(Known("ring"), "elegant", "en", 0, tmp_path).text.startswith("Hello, this ring. ")
    assert write_caption(Known("ring"), "minimal", "en", 0, tmp_path) == write_caption(
        Known("ring"), "minimal", "en", 0
    )


def test_a_file_of_another_name_is_a_language_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text((SHIPPED / "en.toml").read_text("utf-8"), "utf-8")
    assert languages(tmp_path) == ("de", "en", "fr", "shop")
    assert write_caption(Known("ring"), "elegant", "shop", 4, tmp_path) == write_caption(
        Known("ring"), "elegant", "en", 4
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[tones.elegant]\nopenings = ["Hi {thsi}."]', r"tones.elegant.openings: .*{thsi}; expected one of .*{this}"),
        ('[tones.elegant]\nboth = ["Only {metal}."]', r"tones.elegant.both: .* expected to have {stone}"),
        ("[tones.elegant]\nclosings = []", r"tones.elegant.closings: .*at least 1"),
        ('[tones.elegant]\nclosing = ["x"]', r"tones.elegant.closing: Extra"),
        ('[tones.elegant]\nclosings = ["two  spaces"]', r"tones.elegant.closings.0: .*pattern"),
        ("[tones.elegant]\nclosings = 5", r"tones.elegant.closings: .*tuple"),
        ('[metals]\ncopper = ["x"]', r"metals.copper: expected one of yellow gold"),
        ('[hashtags]\ngeneral = ["no space"]', r"hashtags.general.0: .*pattern"),
        ('[tones.elegant]\nclosings = ["buy #now"]', r"tones.elegant.closings: .*lone brace or a #"),
        ("[tones.elegant", r"no TOML: Expected"),
    ],
)
def test_a_broken_file_is_refused_naming_file_key_and_what_was_expected(
    tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "en.toml").write_text(content)
    with pytest.raises(Permanent, match=rf"{re.escape(str(tmp_path / 'en.toml'))}.*{told}"):
        write_caption(Known("ring"), "elegant", "en", 0, tmp_path)


def test_an_own_language_that_is_not_complete_is_refused(tmp_path: Path) -> None:
    (tmp_path / "it.toml").write_text('name = "Italiano"')
    with pytest.raises(Permanent, match=r"it.toml have a wrong key. categories: Field required"):
        write_caption(Known("ring"), "elegant", "it", 0, tmp_path)


def test_a_file_that_is_no_utf8_and_a_folder_that_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(Permanent, match="no UTF-8 text"):
        phrasebook("en", tmp_path)
    with pytest.raises(Permanent, match="is not there"):
        phrasebook("en", tmp_path / "nowhere")


# ------------------------------------------------------------------ alternative texts


def test_an_alternative_text_says_what_is_shown() -> None:
    told = alt_text(Known("earrings", GREEN_AND_GOLD, style="velvet"), "en")
    assert told == "A pair of earrings in a warm golden tone, with a note of deep green, on soft velvet."
    assert alt_text(Known("ring"), "de") == "Ein Ring."


def test_the_phrases_describe_without_looking() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    assert PhraseDescriber().describe(image, Known("ring"), "en") == Description("A ring.", "phrases")


def test_a_network_that_claims_a_species_is_replaced_by_the_phrases(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    says: Callable[[str], None] = lambda text: monkeypatch.setattr(  # noqa: E731
        NetworkDescriber, "_caption", lambda self, image: text
    )
    network = NetworkDescriber(tiny_blip(tmp_path / "blip"))
    says("a gold ring with a large diamond on it")
    claimed = network.describe(image, Known("ring"), "en")
    assert (claimed.text, "'diamond'" in claimed.engine) == ("A ring.", True)
    says("a ring on a piece of dark cloth")
    assert network.describe(image, Known("ring"), "en").text == "A ring on a piece of dark cloth."
    assert "English alone" in network.describe(image, Known("ring"), "de").engine


def test_a_folder_without_weights_is_told_with_what_it_should_have(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="no captioning network"):
        NetworkDescriber(tmp_path).describe(np.zeros((8, 8, 3), np.uint8), Known("ring"), "en")


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("transformers", "torch")),
    reason="transformers and torch, of the extra `ml`, are not installed.",
)
def test_a_network_of_random_weights_is_loaded_from_its_folder_and_writes_the_same_text_twice(tmp_path: Path) -> None:
    folder = tiny_blip(tmp_path / "blip")
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    first = NetworkDescriber(folder).describe(image, Known("ring"), "en")
    assert first == NetworkDescriber(folder).describe(image, Known("ring"), "en")
    assert re.search(r"^blip [0-9a-f]{12}$|^phrases \(the network blip ", first.engine)
    (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(Permanent, match=r"does not load|no captioning network"):
        NetworkDescriber(folder).describe(image, Known("ring"), "en")
