"""The partitions: one per jewellery category, and one per texture theme. None per image, none per day."""

import dagster as dg

from jewel_assets.categories import CATEGORIES as NAMES
from jewel_assets.themes import TEXTURE_THEMES

CATEGORIES = dg.StaticPartitionsDefinition(list(NAMES))

THEMES = dg.StaticPartitionsDefinition(list(TEXTURE_THEMES))
"""Of textures: the lake's column `category` holds the theme there."""
