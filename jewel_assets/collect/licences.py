"""What a licence is called and whether its works may train a model. Default deny.

`recognise` turns the many ways people write a licence into one SPDX-like name; `may_train` asks `policy.toml`. A text
that is not understood to the last word is not understood: "CC BY, but not for AI" is not CC BY.
"""

import re
from dataclasses import dataclass

from jewel_assets.collect.policy import rule_for


@dataclass(frozen=True)
class Licence:
    """A licence that we know: its SPDX-like name and its address."""

    name: str
    url: str | None


_CC_WORDS = {
    "by": "BY",
    "attribution": "BY",
    "nc": "NC",
    "noncommercial": "NC",
    "nd": "ND",
    "noderivs": "ND",
    "noderivatives": "ND",
    "sa": "SA",
    "sharealike": "SA",
}
_CC_FORMS = {"BY", "BY-SA", "BY-ND", "BY-NC", "BY-NC-SA", "BY-NC-ND"}
_CC_VERSIONS = {"1.0", "2.0", "2.5", "3.0", "4.0"}
_CC_PORTS = {"at", "au", "ch", "de", "fr", "igo", "jp", "nl", "uk", "us"}  # national versions of 1.0 to 3.0
_CC_FILLERS = {"cc", "creative", "commons", "licence", "license", "international", "unported", "generic", "the", "deed"}

_NAMED: dict[str, Licence] = {
    "CC0-1.0": Licence("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "PDM-1.0": Licence("PDM-1.0", "https://creativecommons.org/publicdomain/mark/1.0/"),
    "Apache-2.0": Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "MIT": Licence("MIT", "https://opensource.org/license/mit"),
    # The Unsplash Lite data set has terms of its own and is not meant here.
    "Unsplash": Licence("Unsplash", "https://unsplash.com/license"),
    "Sketchfab-Standard": Licence("Sketchfab-Standard", None),
    "Sketchfab-Free-Standard": Licence("Sketchfab-Free-Standard", None),
    "Sketchfab-Editorial": Licence("Sketchfab-Editorial", None),
    "all-rights-reserved": Licence("all-rights-reserved", None),
    "no-ai": Licence("no-ai", None),  # the owner's mark against machine learning (`noai`, `noimageai`)
}
_SPELLINGS = {
    "cc0": "CC0-1.0",
    "cc0 1.0": "CC0-1.0",
    "cc zero": "CC0-1.0",
    "cc zero 1.0": "CC0-1.0",
    "creative commons zero": "CC0-1.0",
    "creative commons zero 1.0": "CC0-1.0",
    "creative commons cc0": "CC0-1.0",
    "cc0 1.0 universal": "CC0-1.0",
    "cc0 1.0 universal public domain dedication": "CC0-1.0",
    "cc0 1.0 universal cc0 1.0 public domain dedication": "CC0-1.0",
    "cc0 public domain": "CC0-1.0",
    "public domain": "PDM-1.0",
    "public domain mark": "PDM-1.0",
    "public domain mark 1.0": "PDM-1.0",
    "publicdomain": "PDM-1.0",
    "pd": "PDM-1.0",
    "pdm": "PDM-1.0",
    "pdm 1.0": "PDM-1.0",
    "apache 2.0": "Apache-2.0",
    "mit": "MIT",
    "unsplash": "Unsplash",
    "unsplash licence": "Unsplash",
    "unsplash license": "Unsplash",
    "sketchfab standard": "Sketchfab-Standard",
    "sketchfab free standard": "Sketchfab-Free-Standard",
    "sketchfab editorial": "Sketchfab-Editorial",
    "all rights reserved": "all-rights-reserved",
    "copyright": "all-rights-reserved",
    "proprietary": "all-rights-reserved",
    "noai": "no-ai",
    "no ai": "no-ai",
    "noimageai": "no-ai",
}
_LICENCE_HOSTS = re.compile(r"creativecommons\.org|opensource\.org|spdx\.org|gnu\.org|apache\.org|unsplash\.com")
_CC_ADDRESS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/"
    r"(?:licenses/(?P<form>[a-z-]+)/(?P<version>\d\.\d)(?:/(?P<port>[a-z]{2,3}))?|publicdomain/(?P<pd>zero|mark)/1\.0)"
    r"/?(?:deed|legalcode)?(?:\.[a-z]{2}(?:[_-][a-z]+)?)?/?",
)


def recognise(text: str | None) -> Licence | None:
    """The licence that a name ("CC BY 4.0", "Creative Commons Zero") or an address means, or None if we know none."""
    spelled = (text or "").strip().casefold()
    address = _CC_ADDRESS.fullmatch(spelled)
    if address:
        if address["pd"]:
            return _NAMED["CC0-1.0" if address["pd"] == "zero" else "PDM-1.0"]
        return _creative_commons(address["form"].upper(), address["version"], address["port"])
    for licence in _NAMED.values():
        if licence.url and spelled.rstrip("/") == licence.url.casefold().rstrip("/"):
            return licence
    words = re.sub(r"[\s_\-/()]+", " ", spelled.replace("non-commercial", "noncommercial")).strip()
    words = re.sub(r"\b(non commercial|no deriv(?:ative)?s|share alike)\b", lambda m: m[0].replace(" ", ""), words)
    if words in _SPELLINGS:
        return _NAMED[_SPELLINGS[words]]
    return _creative_commons_words(words.split())


def may_train(
    licence: str | None, licence_url: str | None = None, said: bool | None = None, source: str = "folder"
) -> bool:
    """Whether a work of this source and licence may train a model, `said` being what its owner says, if anything.

    Without a word of the owner only a licence that allows it does; a licence that forbids it wins over everything. A
    name and an address that mean different licences, or a name that means nothing to us, allow nothing by themselves.
    """
    known = [recognise(text) for text in (licence, licence_url) if text and text.strip()]
    rules = [rule_for(source, one.name) for one in known if one is not None]
    if said is False or forbids_training(source, licence, licence_url):
        return False
    # A web address of the owner's own terms beside a known name says nothing against it; a strange name does, and so
    # does an address of a licence that we cannot read: "CC BY" beside .../licenses/by-nc/3.0/pl/ is not CC BY.
    if licence_url and recognise(licence_url) is None and _LICENCE_HOSTS.search(licence_url.casefold()):
        return said is True
    named = bool(licence and licence.strip())
    agreed = {one.name for one in known if one is not None}
    understood = len(agreed) == 1 and (known[0] is not None or not named)
    return said is True or (understood and all(rule.training == "allow" for rule in rules))


def forbids_training(source: str, licence: str | None, licence_url: str | None = None) -> bool:
    """Whether no statement of anybody makes a work of this source and licence fit for training."""
    known = [recognise(text) for text in (licence, licence_url) if text and text.strip()]
    names = [None, *(one.name for one in known if one is not None)]  # None: what the source says of all its works
    return any(rule_for(source, name).training == "forbid" for name in names)


def refuses_publishing(
    source: str, licence: str | None, licence_url: str | None = None, is_permitted: bool = False
) -> str | None:
    """Why something made from a work of this source and licence may not be shown to the world; None if it may.

    A name and an address that mean different licences are held to both; an address of a licence that we cannot read,
    or a strange name, allows nothing by itself. `is_permitted` says that somebody who may permits it: that settles what
    asks, never what forbids.
    """
    known = [recognise(text) for text in (licence, licence_url) if text and text.strip()]
    rules = [rule_for(source, one.name) for one in known if one is not None] or [rule_for(source, None)]
    if forbidding := next((rule for rule in rules if rule.publishing == "forbid"), None):
        return f"{forbidding.clause}: it may not be shown to the world."
    strange_name = bool(licence and licence.strip() and recognise(licence) is None)
    hidden = licence_url and recognise(licence_url) is None and _LICENCE_HOSTS.search(licence_url.casefold())
    asking = next((rule for rule in rules if rule.publishing == "ask"), None)
    if is_permitted or not (asking or strange_name or hidden):
        return None
    clause = asking.clause if asking else f"The licence {licence or licence_url!r} is none that we know"
    return f"{clause}: state who permits to show it to the world (`permission` in the configuration)."


def _creative_commons(form: str, version: str | None, port: str | None = None) -> Licence | None:
    if form not in _CC_FORMS or (version and version not in _CC_VERSIONS):
        return None
    if port and (port not in _CC_PORTS or version in (None, "4.0")):
        return None
    name = "-".join(part for part in ("CC", form, version, port.upper() if port else None) if part)
    address = "/".join(part for part in (form.lower(), version, port) if part)
    return Licence(name, f"https://creativecommons.org/licenses/{address}/")


def _creative_commons_words(words: list[str]) -> Licence | None:
    if not {"cc", "creative"} & set(words):
        return None
    form: set[str] = set()
    version = port = None
    for word in words:  # "Attribution 4.0 International (CC BY 4.0)" says everything twice
        if word in _CC_WORDS:
            form.add(_CC_WORDS[word])
        elif word in _CC_VERSIONS and version in (None, word):
            version = word
        elif word in _CC_PORTS and port is None and version:
            port = word
        elif word not in _CC_FILLERS:
            return None
    order = [part for part in ("BY", "NC", "SA", "ND") if part in form]
    return _creative_commons("-".join(order), version, port)
