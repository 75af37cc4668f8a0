"""The partitions: one per jewellery category. None per image, none per day."""

import dagster as dg

from jewel_assets.categories import CATEGORIES as NAMES

CATEGORIES = dg.StaticPartitionsDefinition(list(NAMES))
