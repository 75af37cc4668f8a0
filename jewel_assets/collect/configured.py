"""Which sources the operator has switched on, and each of them as an object. Nothing is asked that was not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jewel_assets.collect.collecting import stated
from jewel_assets.collect.met import Met
from jewel_assets.collect.openverse import Openverse
from jewel_assets.collect.pinterest import Pinterest
from jewel_assets.collect.sketchfab import Sketchfab
from jewel_assets.collect.source import Source
from jewel_assets.collect.unsplash import Unsplash
from jewel_assets.errors import Permanent
from jewel_assets.settings import settings


@dataclass(frozen=True)
class Switch:
    """How a dataset's source is switched on."""

    dataset: str
    kind: Literal["categories", "themes"]  # what its partitions are
    key: str | None  # the variable that holds its key, if it has one
    missing: Callable[[], str | None]  # the sentence that says what to set, or None where it is set
    make: Callable[[], Source]


def source_of(dataset: str) -> Source:
    """The source of a raw dataset. Raises Permanent, saying what to set, where it is switched off."""
    switch = SWITCHES[dataset]
    missing = switch.missing()
    if missing:
        raise Permanent(missing)
    return switch.make()


def is_on(dataset: str) -> bool:
    """Whether a raw dataset has a source that the operator has switched on."""
    return SWITCHES[dataset].missing() is None


def _unsplash_missing() -> str | None:
    if settings().unsplash_key:
        return None
    return "No Unsplash key is set: make an application at https://unsplash.com/developers and set JEWEL_UNSPLASH_KEY."


def _unsplash() -> Unsplash:
    configured = settings()
    assert configured.unsplash_key is not None  # `missing` was asked first
    permission = stated("JEWEL_UNSPLASH_TRAINING_PERMISSION", configured.unsplash_training_permission)
    return Unsplash(configured.unsplash_key.get_secret_value(), configured.unsplash_url, training_permission=permission)


def _sketchfab_missing() -> str | None:
    if settings().sketchfab_token:
        return None
    return (
        "No Sketchfab token is set: copy the API token of your account from "
        "https://sketchfab.com/settings/password and set JEWEL_SKETCHFAB_TOKEN."
    )


def _sketchfab() -> Sketchfab:
    configured = settings()
    assert configured.sketchfab_token is not None  # `missing` was asked first
    return Sketchfab(configured.sketchfab_token.get_secret_value(), configured.sketchfab_url)


def _pinterest_missing() -> str | None:
    if settings().pinterest_permission:
        return None
    return (
        "Pinterest is off: its developer guidelines forbid to store what it shows, and pins belong to those who made "
        "the pictures. If you may keep them for reference, say so in a sentence: set JEWEL_PINTEREST_PERMISSION to who "
        "permits what, since when. They are never trained on."
    )


def _pinterest() -> Pinterest:
    configured = settings()
    permission = stated("JEWEL_PINTEREST_PERMISSION", configured.pinterest_permission)
    return Pinterest(configured.pinterest_url, keeping_permission=permission)


def _open_missing(name: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        if name in settings().open_collections:
            return None
        return f"The collection {name} is off: add it to JEWEL_OPEN_COLLECTIONS (it needs no key)."

    return missing


SWITCHES: dict[str, Switch] = {
    switch.dataset: switch
    for switch in (
        Switch("unsplash_photos", "categories", "JEWEL_UNSPLASH_KEY", _unsplash_missing, _unsplash),
        Switch("sketchfab_models", "categories", "JEWEL_SKETCHFAB_TOKEN", _sketchfab_missing, _sketchfab),
        Switch(
            "openverse_photos",
            "categories",
            None,
            _open_missing("openverse"),
            lambda: Openverse(settings().openverse_url),
        ),
        Switch("met_photos", "categories", None, _open_missing("met"), lambda: Met(settings().met_url)),
        Switch(
            "openverse_textures",
            "themes",
            None,
            _open_missing("openverse"),
            lambda: Openverse(settings().openverse_url),
        ),
        Switch("pinterest_textures", "themes", None, _pinterest_missing, _pinterest),
    )
}
"""Raw dataset -> the switch of its source. A new source adds its line here."""
