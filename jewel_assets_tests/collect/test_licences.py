import pytest
from hypothesis import given
from hypothesis import strategies as st

from jewel_assets.collect.licences import may_train, recognise


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CC0", "CC0-1.0"),
        ("cc0-1.0", "CC0-1.0"),
        ("Creative Commons Zero", "CC0-1.0"),
        ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/deed.en", "CC0-1.0"),
        ("Public Domain", "PDM-1.0"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("cc-by", "CC-BY"),
        ("CC_BY-4.0", "CC-BY-4.0"),
        ("Creative Commons Attribution 4.0 International License", "CC-BY-4.0"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution Non-Commercial No Derivatives 3.0", "CC-BY-NC-ND-3.0"),
        ("Attribution-ShareAlike 4.0 International (CC BY-SA 4.0)", "CC-BY-SA-4.0"),
        ("Attribution 4.0 (CC BY 3.0)", None),
        ("CC-BY-SA-3.0-DE", "CC-BY-SA-3.0-DE"),
        ("http://creativecommons.org/licenses/by-nc-nd/2.5/", "CC-BY-NC-ND-2.5"),
        ("https://creativecommons.org/licenses/by/3.0/us/legalcode", "CC-BY-3.0-US"),
        ("All rights reserved", "all-rights-reserved"),
        ("Unsplash License", "Unsplash"),
        ("noai", "no-ai"),
        ("CC BY 4.0, but not for AI", None),
        ("CC BY 9.0", None),
        ("CC NC", None),
        ("by the sea", None),
        ("not CC0", None),
        ("", None),
        (None, None),
    ],
)
def test_licences_are_recognised_however_they_are_written(text: str | None, name: str | None) -> None:
    found = recognise(text)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("form", ["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"])
@pytest.mark.parametrize("version", ["", "2.0", "4.0"])
def test_name_and_address_of_a_licence_mean_the_same(form: str, version: str) -> None:
    found = recognise(f"CC {form} {version}")
    assert found is not None
    assert recognise(found.name) == found
    if version:
        assert recognise(found.url) == found


@pytest.mark.parametrize(
    ("licence", "url", "said", "allowed"),
    [
        ("CC0", None, None, True),
        ("CC BY 4.0", None, None, True),
        (None, "https://creativecommons.org/licenses/by/4.0/", None, True),
        ("CC BY 4.0", "https://example.org/terms", None, True),
        ("CC0", None, False, False),
        ("CC BY-SA 4.0", None, None, False),
        ("CC BY-NC 4.0", None, None, False),
        ("CC BY-ND 4.0", None, None, False),
        ("our own terms", None, None, False),
        (None, None, None, False),
        (None, "https://example.org/terms", None, False),
        ("our own terms", "https://creativecommons.org/publicdomain/zero/1.0/", None, False),
        ("CC0", "https://creativecommons.org/licenses/by-nc/4.0/", None, False),
        ("CC0", "https://creativecommons.org/licenses/by/4.0/", None, False),
        ("All rights reserved", None, True, True),
        ("CC BY-NC 4.0", None, True, True),
        (None, None, True, True),
        ("noai", None, True, False),
    ],
)
def test_training_needs_a_licence_that_allows_it_or_the_owners_word(
    licence: str | None, url: str | None, said: bool | None, allowed: bool
) -> None:
    assert may_train(licence, url, said) is allowed


@given(st.text(), st.text())
def test_words_that_mean_no_licence_allow_nothing(licence: str, url: str) -> None:
    assert not may_train(f"?{licence}", f"?{url}")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("CC BY", "https://creativecommons.org/licenses/by-nc/3.0/pl/"),
        ("CC BY", "https://creativecommons.org/licenses/by-nc/2.1/jp/"),
        ("CC BY", "https://creativecommons.org/licenses/by-nc-nd/3.0/it/deed.it"),
        ("CC BY 4.0", "https://creativecommons.org/licenses/by-nc/4.0/?ref=somewhere"),
        ("CC BY 4.0", "http://creativecommons.org/licenses/by-nc/4.0/legalcode.txt"),
        ("CC0", "https://creativecommons.org/licenses/by-nd-nc/1.0/"),
        ("CC0", "https://unsplash.com/license/special"),
        ("CC BY", "https://creativecommons.org/licenses/"),
    ],
)
def test_an_address_of_a_licence_that_is_not_understood_allows_nothing(name: str, address: str) -> None:
    assert not may_train(name, address)
    assert may_train(name, address, said=True)


@given(st.sampled_from(["by-nc", "by-nd", "by-sa", "by-nc-sa", "by-nc-nd", "sampling+"]), st.text(max_size=12))
def test_no_address_of_a_stricter_licence_passes_for_cc_by(form: str, tail: str) -> None:
    assert not may_train("CC BY 4.0", f"https://creativecommons.org/licenses/{form}/{tail}")
