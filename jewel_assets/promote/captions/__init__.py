"""Captions and alternative texts for promotional images, from phrases in TOML files, in several tones and languages."""

from jewel_assets.promote.captions.caption import (
    CAPTION_CHARACTERS,
    CAPTION_HASHTAGS,
    Caption,
    Known,
    characters,
    hashtags_in,
)
from jewel_assets.promote.captions.describe import ALT_CHARACTERS, Describer, Description, PhraseDescriber
from jewel_assets.promote.captions.network import NetworkDescriber
from jewel_assets.promote.captions.phrasebook import languages, phrasebook
from jewel_assets.promote.captions.write import alt_text, spoken_of, variety, write_caption

__all__ = [
    "ALT_CHARACTERS",
    "CAPTION_CHARACTERS",
    "CAPTION_HASHTAGS",
    "Caption",
    "Describer",
    "Description",
    "Known",
    "NetworkDescriber",
    "PhraseDescriber",
    "alt_text",
    "characters",
    "hashtags_in",
    "languages",
    "phrasebook",
    "spoken_of",
    "variety",
    "write_caption",
]
