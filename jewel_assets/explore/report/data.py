"""What the report says, as plain values: `gather` fills them from a lake, `render` writes them as HTML."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Picture:
    """A small picture; `uri` is a data URI, or None where the blob is gone or the report is full."""

    uri: str | None
    alt: str  # what it shows, for those who cannot see it
    caption: str = ""  # one short line; cut by the page where it is too long
    name: str = ""  # the whole item id, shown when the pointer rests on it
    detail: str = ""  # a second, quieter line


@dataclass(frozen=True)
class Share:
    """One bar: a label and how many. `part` of them are marked (those that may be used for training)."""

    label: str
    count: int
    part: int | None = None


@dataclass(frozen=True)
class Step:
    """One step of the way from found to clustered."""

    name: str  # a past participle: "found", "read", "unique"
    dataset: str
    count: int | None  # None: the dataset was not made yet
    lost: int = 0  # of the step before
    reasons: tuple[Share, ...] = ()  # why, most frequent first


@dataclass(frozen=True)
class CategorySteps:
    """The same steps within one category; None where a dataset was not made yet."""

    category: str
    counts: tuple[int | None, ...]


@dataclass(frozen=True)
class Breakdown:
    """Counts of one kind: by category, source, licence, outcome reason."""

    title: str
    sentence: str
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Histogram:
    """Counts of `values` in bins: `edges` has one more than `counts`."""

    title: str
    sentence: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    median: float
    log: bool = False  # bins are of equal ratio, not equal width


@dataclass(frozen=True)
class Palette:
    """Colours as ("#rrggbb", share); the shares sum to at most 1."""

    label: str
    colours: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Wall:
    """Pictures to look at first. A group is what stands side by side: one picture, or a photo and its cut-out."""

    title: str
    sentence: str
    groups: tuple[tuple[Picture, ...], ...]


@dataclass(frozen=True)
class Fault:
    """What failed in the same way, with the sentence that says why."""

    dataset: str
    item: str  # the first of them
    count: int
    reason: str
    error: str


@dataclass(frozen=True)
class Cluster:
    """One design cluster: the piece in its middle, those nearest to it, and those that fit least."""

    cluster_id: str
    name: str
    colour: str  # "#rrggbb", the same as on the map
    size: int
    mix: tuple[Share, ...]  # categories
    medoid: Picture | None
    nearest: tuple[Picture, ...] = ()
    furthest: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class MapPoint:
    """One item on the map, `x` and `y` in 0..1 from the upper left."""

    x: float
    y: float
    colour: str
    picture: Picture | None = None  # for a medoid; its caption is the cluster's name
    cluster_id: str = ""


@dataclass(frozen=True)
class Origin:
    """How one dataset was made."""

    dataset: str
    rows: int
    version: int | None
    digest: str  # of its rows: equal digests, equal data
    engines: tuple[Share, ...]
    at: datetime | None  # of the newest outcome


@dataclass(frozen=True)
class Missing:
    """For each part of the report that is empty, a sentence that says why."""

    steps: str = ""
    clusters: str = ""
    measures: str = ""
    duplicates: str = ""


@dataclass(frozen=True)
class ReportData:
    """The whole report. A part that could not be had is empty, and `missing` has a sentence about it."""

    made_at: datetime
    title: str = "Dataset report"
    hero: tuple[Picture, ...] = ()
    steps: tuple[Step, ...] = ()
    categories: tuple[CategorySteps, ...] = ()
    walls: tuple[Wall, ...] = ()
    faults: tuple[Fault, ...] = ()
    failed: int = 0  # items, over all faults
    clusters: tuple[Cluster, ...] = ()
    clusters_in_all: int = 0
    clusters_by: str = ""  # the engine
    points: tuple[MapPoint, ...] = ()
    points_in_all: int = 0
    breakdowns: tuple[Breakdown, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    palettes: tuple[Palette, ...] = ()
    duplicates: Wall | None = None
    origins: tuple[Origin, ...] = ()
    weights: tuple[tuple[str, str], ...] = ()  # model, SHA-256
    missing: Missing = Missing()
    pictures_left_out: int = 0
