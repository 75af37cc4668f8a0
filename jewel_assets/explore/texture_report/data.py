"""What the texture report says, as plain values: `gather` fills them from a lake, `render` writes them as HTML."""

from dataclasses import dataclass
from datetime import datetime

from jewel_assets.explore.report.data import (
    Breakdown,
    CategorySteps,
    Fault,
    Histogram,
    Origin,
    Palette,
    Picture,
    Step,
    Wall,
)


@dataclass(frozen=True)
class Figure:
    """One measure of a texture, as the card shows it."""

    name: str  # "tiles"
    value: str  # "0.83"
    explained: str  # shown when the pointer rests on it
    share: float | None = None  # 0..1, drawn as a bar; None for what is no share


@dataclass(frozen=True)
class Card:
    """One texture: as it is, repeated, and repeated by its best part."""

    swatch: Picture
    repeated: Picture
    best: Picture | None  # None where no part repeats better than the whole
    tiles: bool  # the whole repeats without a visible seam
    figures: tuple[Figure, ...]
    palette: tuple[tuple[str, float], ...]  # ("#rrggbb", share)
    licence: str
    may_train: bool
    title: str  # what its source calls it, or its file's name
    credit: str = ""  # who made it, in the words in which the source wants it said
    doubt: str = ""  # why it may be no texture


@dataclass(frozen=True)
class Theme:
    """The textures of one theme, those that repeat best first."""

    name: str
    count: int  # in all; not every one has a card
    tile: int  # how many of them are textures that repeat without a visible seam
    best_part: int  # how many more do if cut to their best part
    sentence: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Missing:
    """For each part of the report that is empty, a sentence that says why."""

    textures: str = ""
    measures: str = ""
    duplicates: str = ""


@dataclass(frozen=True)
class TextureReportData:
    """The whole report. A part that could not be had is empty, and `missing` has a sentence about it."""

    made_at: datetime
    title: str = "Texture report"
    hero: tuple[Picture, ...] = ()
    steps: tuple[Step, ...] = ()
    rows: tuple[CategorySteps, ...] = ()  # by theme
    themes: tuple[Theme, ...] = ()
    walls: tuple[Wall, ...] = ()
    faults: tuple[Fault, ...] = ()
    failed: int = 0  # items, over all faults
    breakdowns: tuple[Breakdown, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    palettes: tuple[Palette, ...] = ()
    duplicates: Wall | None = None
    origins: tuple[Origin, ...] = ()
    missing: Missing = Missing()
    pictures_left_out: int = 0
