"""The names of what a photo can be like, without the renderer that knows what they mean."""

from typing import Literal

Preset = Literal["catalogue", "randomised"]
"""`catalogue`: on white, as a shop shows its pieces. `randomised`: any ground, light, lens and finish."""

Variant = Literal["scalar_rgb", "llvm_ad_rgb", "cuda_ad_rgb", "auto"]
"""Mitsuba's: `scalar_rgb` runs everywhere and gives the same bytes again, `auto` is the fastest that runs here."""
