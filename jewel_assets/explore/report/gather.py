"""From the lake to `ReportData`: the way from found to clustered, counts, distributions, and how all was made."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pyarrow.compute as pc

from jewel_assets.categories import CATEGORIES
from jewel_assets.contact_sheet import spread
from jewel_assets.explore.report.clusters import clusters_and_map
from jewel_assets.explore.report.colours import common_palette
from jewel_assets.explore.report.data import (
    Breakdown,
    CategorySteps,
    Histogram,
    Missing,
    Origin,
    Palette,
    Picture,
    ReportData,
    Share,
    Step,
)
from jewel_assets.explore.report.pictures import Pictures
from jewel_assets.explore.report.tables import JUDGES, Tables, counted
from jewel_assets.explore.report.walls import Walls, faults
from jewel_assets.explore.report.wording import one_line, percent, words
from jewel_assets.lake import Lake

_VERDICTS = (("reject", "rejected"), ("review", "review"))  # the verdict, and the outcome that says the same

_STEPS: tuple[tuple[str, str, Sequence[str]], ...] = (
    ("unique", "photos", ("photo_fingerprints", "photos")),
    ("shown alone", "product_photos", JUDGES),
    ("cut out", "cutouts", ("cutouts",)),
    ("clustered", "design_clusters", ("image_pool", "image_embeddings", "design_clusters")),
)


def collect_report_data(
    lake: Lake,
    *,
    made_at: datetime,
    sources: Sequence[str] = ("folder_photos",),
    weights: Mapping[str, str] | None = None,
    title: str = "Dataset report",
    max_picture_bytes: int = 7_000_000,
) -> ReportData:
    """Everything the report shows, read from the datasets of `lake`; any of them may be missing or empty.

    `sources` are the raw photo datasets; `weights` maps models to the SHA-256 of their weights, and those that made no
    row are left out; `made_at` is written on the report and is the only thing in it that does not follow from the data.
    Pictures stop at `max_picture_bytes` (of base64), so that the page has a limit whatever the number of photos. Blobs
    that are gone leave an empty frame.
    """
    tables = Tables(lake, sources)
    pictures = Pictures(lake.blobs, max_picture_bytes)
    steps, categories = steps_of(tables, _STEPS, CATEGORIES)
    broken, failed = faults(tables)
    walls = Walls(tables, pictures)
    hero = _hero(tables, pictures)
    worst = walls.worst()
    groups = clusters_and_map(tables, pictures)
    duplicates = walls.duplicates()
    measured = tables.rows("photo_measures") is not None
    missing = Missing(
        "" if tables.found else unmade(tables.sources[0], "No photo was collected yet"),
        "" if groups.clusters else unmade("design_clusters", "There are no design clusters yet"),
        "" if measured else unmade("photo_measures", "The photos were not measured yet"),
        "" if duplicates else _no_duplicates(tables),
    )
    return ReportData(
        made_at=made_at,
        title=title,
        hero=hero,
        steps=steps,
        categories=categories,
        walls=worst,
        faults=broken,
        failed=failed,
        clusters=groups.clusters,
        clusters_in_all=groups.clusters_in_all,
        clusters_by=groups.engine,
        points=groups.points,
        points_in_all=groups.points_in_all,
        breakdowns=_breakdowns(tables),
        histograms=_histograms(tables),
        palettes=palettes_of(tables, "photo_measures", CATEGORIES),
        duplicates=duplicates,
        origins=tuple(origin_of(tables, name) for name in tables.names if tables.rows(name) is not None),
        weights=_used(tables, weights or {}),
        missing=missing,
        pictures_left_out=pictures.left_out,
    )


def unmade(dataset: str, what: str) -> str:
    """The sentence for a part of the report that waits for a dataset."""
    return f"{what}: materialize the asset {dataset} and make this report again."


def _no_duplicates(tables: Tables) -> str:
    if tables.rows("photos") is None:
        return unmade("photos", "Duplicates were not looked for yet")
    return "No duplicates were found."


def steps_of(
    tables: Tables, further: Sequence[tuple[str, str, Sequence[str]]], keys: Sequence[str]
) -> tuple[tuple[Step, ...], tuple[CategorySteps, ...]]:
    """Each step with what it lost and why, over all and by category (in the order of `keys`).

    After "found" and "read" come the `further` steps: name, dataset, the datasets whose outcomes say why an item is not
    in it.
    """
    found = tables.found
    if not found:
        return (), ()
    steps = [Step("found", " + ".join(tables.sources), len(found))]
    members: list[dict[str, str] | None] = [found]
    way = (("read", "", tables.sources), *further)
    before = found
    for name, dataset, reasons_in in way:
        if dataset and tables.rows(dataset) is None:
            steps.append(Step(name, dataset, None))
            members.append(None)
            continue
        after = tables.ids(dataset) if dataset else tables.read
        lost = [item for item in before if item not in after]
        why = _reasons(tables, reasons_in)
        shares = counted((why.get(item, "not attempted yet") for item in lost), most=6)
        steps.append(Step(name, dataset or steps[0].dataset, len(after), len(lost), shares))
        members.append(after)
        before = after
    counts = [None if items is None else Counter(items.values()) for items in members]
    known = [category for category in keys if any(count and count[category] for count in counts)]
    rows = (
        CategorySteps(category, tuple(c[category] if c is not None else None for c in counts)) for category in known
    )
    return tuple(steps), tuple(rows)


def _reasons(tables: Tables, names: Sequence[str]) -> dict[str, str]:
    """Item id -> why it is not in the last of these datasets; the first of them that says something wins."""
    why: dict[str, str] = {}
    for row in tables.not_ok(*names):
        why.setdefault(row["item_id"], one_line(row["reason"] or row["status"], 60))
    if JUDGES[0] in names:
        for verdict, status in _VERDICTS:
            for row in tables.verdicts(verdict, status):
                why[row["item_id"]] = one_line(row["reason"], 60)
    return why


def _hero(tables: Tables, pictures: Pictures) -> tuple[Picture, ...]:
    """A row of pieces, one category after the other: cut-outs where there are some."""
    for name in ("cutouts", "product_photos", "photos", *tables.sources):
        table = tables.rows(name)
        if table is None or not table.num_rows:
            continue
        columns = [
            spread(table.filter(pc.equal(table.column("category"), category)), 10)
            for category in pc.unique(table.column("category")).to_pylist()
        ]
        turns = [column[i] for i in range(10) for column in columns if i < len(column)]
        return tuple(pictures.of(row, side=256) for row in turns[:10])
    return ()


def _breakdowns(tables: Tables) -> tuple[Breakdown, ...]:
    name = next((name for name in ("photos", *tables.sources) if tables.rows(name) is not None), None)
    if name is None:
        return ()
    categories = tables.column(name, "category")
    licences = [licence or "no licence given" for licence in tables.column(name, "licence")]
    trainable = Counter(licence for licence, may in zip(licences, tables.column(name, "may_train"), strict=True) if may)
    by_licence = tuple(Share(share.label, share.count, trainable[share.label]) for share in counted(licences))
    share = sum(trainable.values()) / max(1, len(licences))
    reasons = [
        f"{one_line(row['reason'] or row['status'], 60)} · {words(row['dataset'])}"
        for row in tables.not_ok(*(each for each in tables.names if each not in JUDGES))
    ]
    for verdict, status in _VERDICTS:
        judged = tables.verdicts(verdict, status)
        reasons += [f"{one_line(row['reason'], 60)} · {words(JUDGES[0])}" for row in judged]
    splits = tables.column("image_pool", "split")
    parts = [
        Breakdown(
            "Category", "Of the unique photos." if name == "photos" else f"Of the {words(name)}.", counted(categories)
        ),
        Breakdown("Source", "Where they came from.", counted(tables.column(name, "source"))),
        Breakdown("Licence", f"{percent(share)} of the photos may be used for training.", by_licence),
        Breakdown("Why items were left out", "Every item that a step did not pass on.", counted(reasons, 14)),
    ]
    if splits:
        parts.append(Breakdown("Split", "Of the image pool, by duplicate group.", counted(map(str, splits))))
    return tuple(part for part in parts if part.shares)


def _histograms(tables: Tables) -> tuple[Histogram, ...]:
    name = next((name for name in ("photos", *tables.sources) if tables.rows(name) is not None), "photos")
    pairs = zip(tables.column(name, "width"), tables.column(name, "height"), strict=True)
    sides = [max(w, h) for w, h in pairs if w and h]
    weights = [size / 1000 for size in tables.column(name, "bytes") if size]
    wanted = [("Longer side", "pixels", sides, True), ("Weight", "kilobytes", weights, True)]
    for dataset, column, title, unit, log in (
        ("photo_measures", "sharpness", "Sharpness", "variance of the Laplacian", True),
        ("photo_measures", "exposure", "Exposure", "mean luma: 0 is black, 1 is white", False),
        ("photo_measures", "contrast", "Contrast", "standard deviation of luma", False),
        ("photo_measures", "colourfulness", "Colourfulness", "0 is grey, above 60 is vivid", False),
        ("photo_measures", "background_uniformity", "Background", "how uniform the border is, 0 to 1", False),
        ("cutouts", "confidence", "Cut-out confidence", "1 is certain", False),
        ("cutouts", "coverage", "Cut-out coverage", "share of the frame", False),
    ):
        wanted.append((title, unit, tables.column(dataset, column), log))
    made = (histogram_of(*each) for each in wanted)
    return tuple(histogram for histogram in made if histogram is not None)


def histogram_of(
    title: str, unit: str, values: Sequence[float | None], log: bool = False, bins: int = 32
) -> Histogram | None:
    """How often values of each size occur; None without any. `log` for bins of equal ratio."""
    kept = np.array([value for value in values if value is not None], np.float64)
    kept = kept[np.isfinite(kept)]
    if not kept.size:
        return None
    if log:
        kept = np.maximum(kept, max(1e-3, float(kept.max()) * 1e-4))  # zeros have no logarithm
    low, high = float(kept.min()), float(kept.max())
    if low == high:
        low, high = (low * 0.9, high * 1.1) if low else (0.0, 1.0)
    edges = np.geomspace(low, high, bins + 1) if log else np.linspace(low, high, bins + 1)
    inner = np.searchsorted(edges[1:-1], kept, side="right")
    counts = np.bincount(inner, minlength=bins)
    return Histogram(title, unit, tuple(map(float, edges)), tuple(map(int, counts)), float(np.median(kept)), log)


def palettes_of(tables: Tables, dataset: str, keys: Sequence[str]) -> tuple[Palette, ...]:
    """The colours of all items together, then of each category."""
    palettes = tables.column(dataset, "palette")
    if not palettes:
        return ()
    categories = tables.column(dataset, "category")
    found = [Palette("all", common_palette(palettes, 18))]
    for category in keys:
        own = [palette for palette, of in zip(palettes, categories, strict=True) if of == category]
        found.append(Palette(category, common_palette(own)))
    return tuple(palette for palette in found if palette.colours)


def _used(tables: Tables, weights: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The models that made rows, with their hashes. An engine's words name its models: "u2netp on openvino"."""
    engines = {engine for name in tables.names for engine in tables.column(name, "engine") if engine}
    named = {word for engine in engines for word in re.findall(r"[a-z0-9][a-z0-9.-]*", engine)}
    return tuple(sorted((model, sha256) for model, sha256 in weights.items() if model in named))


def origin_of(tables: Tables, name: str) -> Origin:
    """Rows, version and digest of a dataset, and the engines that made its rows."""
    table = tables.rows(name)
    history = tables.lake.dataset(name).history()
    newest: dict[str, str] = {}
    for entry in history:
        if entry.get("digest"):
            newest.setdefault(entry["category"] or "", entry["digest"])
    joined = "\n".join(f"{category}:{digest}" for category, digest in sorted(newest.items()))
    times = [at for at in tables.outcomes(name).column("at").to_pylist() if at is not None]
    engines = counted((one_line(engine or "not recorded", 200) for engine in tables.column(name, "engine")), 6)
    return Origin(
        name,
        0 if table is None else table.num_rows,
        history[0]["version"] if history else None,
        hashlib.sha256(joined.encode()).hexdigest()[:12] if joined else "",
        engines,
        max(times, default=None),
    )
