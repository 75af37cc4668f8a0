"""From the lake to `TextureReportData`: the textures of each theme with their measures, counts, distributions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from jewel_assets.explore.report.data import Breakdown, Histogram, Picture, Share, Wall
from jewel_assets.explore.report.gather import histogram_of, origin_of, palettes_of, steps_of, unmade
from jewel_assets.explore.report.pictures import Pictures
from jewel_assets.explore.report.tables import Row, counted
from jewel_assets.explore.report.walls import Walls, faults
from jewel_assets.explore.report.wording import one_line, percent, words
from jewel_assets.explore.texture_report.data import Card, Figure, Missing, TextureReportData, Theme
from jewel_assets.explore.texture_report.drawings import Drawn
from jewel_assets.explore.texture_report.tables import FINGERPRINTS, MEASURES, STEPS, TEXTURES, TextureTables
from jewel_assets.lake import Lake
from jewel_assets.themes import TEXTURE_THEMES

TILES = 0.8
"""From here on a seam is no more conspicuous than what is inside: of textures made to be tiled all are above."""
BETTER = 0.05  # a part that repeats so much better is shown beside the whole
LOOKS_LIKE_A_PHOTO = 0.6  # uniformity: below it lie 95 % of product photos (see `textures.uniformity`)

_CARDS, _FEWEST = 160, 4  # cards on the page in all, and of each theme
_WALL = 12


def collect_texture_data(
    lake: Lake,
    *,
    made_at: datetime,
    sources: Sequence[str] = ("folder_textures",),
    title: str = "Texture report",
    max_picture_bytes: int = 9_000_000,
) -> TextureReportData:
    """Everything the report shows, read from the datasets of `lake`; any of them may be missing or empty.

    `sources` are the raw texture datasets; `made_at` is written on the report and is the only thing in it that does not
    follow from the data. Pictures stop at `max_picture_bytes` (of base64). Blobs that are gone leave an empty frame.
    """
    tables = TextureTables(lake, sources)
    pictures = Pictures(lake.blobs, max_picture_bytes)
    steps, rows = steps_of(tables, STEPS, TEXTURE_THEMES)
    broken, failed = faults(tables)
    table = tables.rows(MEASURES)
    measured = [] if table is None else table.to_pylist()
    hero = _hero(measured, lake, pictures)
    walls = _walls(measured, lake, pictures)
    duplicates = Walls(tables, pictures).duplicates((TEXTURES,), "texture")
    missing = Missing(
        "" if tables.found else _none(sources),
        "" if measured or not tables.found else unmade(MEASURES, "The textures were not measured yet"),
        "" if duplicates else _no_duplicates(tables),
    )
    return TextureReportData(
        made_at=made_at,
        title=title,
        hero=hero,
        steps=steps,
        rows=rows,
        themes=_themes(measured, lake, pictures, tables.told()),
        walls=walls,
        faults=broken,
        failed=failed,
        breakdowns=_breakdowns(tables),
        histograms=_histograms(tables),
        palettes=palettes_of(tables, MEASURES, TEXTURE_THEMES),
        duplicates=duplicates,
        origins=tuple(origin_of(tables, name) for name in tables.names if tables.rows(name) is not None),
        missing=missing,
        pictures_left_out=pictures.left_out,
    )


def _none(sources: Sequence[str]) -> str:
    themes = f"{', '.join(TEXTURE_THEMES[:-1])} and {TEXTURE_THEMES[-1]}"
    return (
        "There are no textures yet. Set JEWEL_TEXTURES to a folder with one sub-folder per theme, or switch on another "
        f"source, and materialize one of {', '.join(sources)}. The themes are {themes}."
    )


def _no_duplicates(tables: TextureTables) -> str:
    if tables.rows(TEXTURES) is None:
        return unmade(TEXTURES, "Duplicates were not looked for yet")
    return "No duplicates were found."


def _best_first(row: Row) -> tuple[bool, float, float, str]:
    return _doubtful(row), -row["tileability"], -row["tile_tileability"], str(row["item_id"])


def _doubtful(row: Row) -> bool:
    """Whether it may be a picture of something: a piece before a plain ground repeats without a seam, and tiles not."""
    return bool(row["uniformity"] < LOOKS_LIKE_A_PHOTO)


def _hero(measured: Sequence[Row], lake: Lake, pictures: Pictures) -> tuple[Picture, ...]:
    """Ten textures that repeat well, one theme after the other."""
    sure = sorted((row for row in measured if not _doubtful(row)), key=_best_first)
    columns = [[row for row in sure if row["category"] == theme] for theme in TEXTURE_THEMES]
    turns = [column[i] for i in range(10) for column in columns if i < len(column)]
    return tuple(Drawn(row, lake.blobs, pictures).swatch() for row in turns[:10])


def _themes(
    measured: Sequence[Row], lake: Lake, pictures: Pictures, told: Mapping[str, Mapping[str, str]]
) -> tuple[Theme, ...]:
    members: dict[str, list[Row]] = {}
    for row in sorted(measured, key=_best_first):
        members.setdefault(row["category"], []).append(row)
    most = max(_FEWEST, _CARDS // max(1, len(members)))
    themes = []
    for name in (theme for theme in TEXTURE_THEMES if theme in members):
        rows = members[name]
        sure = [row for row in rows if not _doubtful(row)]
        tile = sum(row["tileability"] >= TILES for row in sure)
        part = sum(row["tileability"] < TILES <= row["tile_tileability"] for row in sure)
        cards = tuple(_card(row, Drawn(row, lake.blobs, pictures), told.get(row["item_id"], {})) for row in rows[:most])
        sentence = _of_theme(len(rows), tile, part, len(rows) - len(sure), len(cards))
        themes.append(Theme(name, len(rows), tile, part, sentence, cards))
    return tuple(themes)


def _of_theme(count: int, tile: int, part: int, doubtful: int, shown: int) -> str:
    """2 textures: 1 tiles as it is, 1 by its best part; 1 is perhaps none."""
    parts = []
    if tile:
        parts.append(f"{tile:,} {'tiles as it is' if tile == 1 else 'tile as they are'}")
    if part:
        parts.append(f"{part:,} {'tiles by its best part' if part == 1 else 'tile by their best part'}")
    if doubtful:
        parts.append(f"{doubtful:,} {'is perhaps no texture' if doubtful == 1 else 'are perhaps no textures'}")
    if shown < count:
        parts.append(f"the first {shown:,} are shown")
    told = f"{count:,} texture{'' if count == 1 else 's'}"
    return f"{told}: {', '.join(parts)}" if parts else told


def _card(row: Row, drawn: Drawn, told: Mapping[str, str]) -> Card:
    best = None
    swatch = drawn.swatch(f"{row['width']} × {row['height']}")
    if row["tile_tileability"] >= row["tileability"] + BETTER:
        best = drawn.best(f"best part {row['tile_tileability']:.2f} · {row['tile_width']} × {row['tile_height']}")
    axes = f"{row['tileability_x']:.2f} across, {row['tileability_y']:.2f} down"
    palette = tuple((colour["hex"], float(colour["share"])) for colour in row["palette"] or ())
    return Card(
        swatch,
        drawn.repeated(f"as it is {row['tileability']:.2f}"),
        best,
        bool(row["tileability"] >= TILES),
        (
            Figure("tiles", f"{row['tileability']:.2f}", f"1: no seam shows. {axes}", row["tileability"]),
            Figure("regular", f"{row['regularity']:.2f}", _period(row), row["regularity"]),
            Figure("uniform", f"{row['uniformity']:.2f}", "1: the same all over; photos of a piece are below 0.6",
                   row["uniformity"]),
            Figure("directed", f"{row['anisotropy']:.2f}", _direction(row), row["anisotropy"]),
            Figure("sharp", f"{row['sharpness']:,.0f}", "Variance of the Laplacian; soft or plain below 500"),
        ),
        palette,
        one_line(row["licence"] or "no licence given", 40),
        bool(row["may_train"]),
        one_line(told.get("title") or swatch.caption, 60),
        one_line(told.get("credit") or (f"by {row['author']}" if row["author"] else ""), 200),
        "perhaps no texture" if _doubtful(row) else "",
    )  # fmt: skip


def _period(row: Row) -> str:
    if row["period_px"] is None:
        return "It has no period"
    told = f"It repeats every {row['period_px']:.0f} pixels at {row['period_angle_deg']:.0f}°"
    if row["second_period_px"] is not None:
        told += f" and every {row['second_period_px']:.0f} at {row['second_angle_deg']:.0f}°"
    return told


def _direction(row: Row) -> str:
    if row["orientation_deg"] is None or row["anisotropy"] < 0.2:
        return "Its lines run in no one direction"
    return f"Its lines run at {row['orientation_deg']:.0f}° from across, turning down"


def _walls(measured: Sequence[Row], lake: Lake, pictures: Pictures) -> tuple[Wall, ...]:
    """What a person should look at first; a wall that would be empty is left out."""
    seams = [row for row in measured if row["tileability"] < TILES and not _doubtful(row)]
    seams.sort(key=lambda row: (row["tileability"], row["item_id"]))
    objects = sorted(filter(_doubtful, measured), key=lambda row: (row["uniformity"], row["item_id"]))
    walls = (
        Wall(
            "Worst seams",
            f"{len(seams):,} of {len(measured):,} textures show a seam when they are repeated. Where four copies meet, "
            "from near, the worst first.",
            tuple(
                (Drawn(row, lake.blobs, pictures).seams(_axes(row)),) for row in seams[:_WALL]
            ),
        ),
        Wall(
            "Perhaps no textures",
            f"{len(objects):,} {'picture is' if len(objects) == 1 else 'pictures are'} not the same all over, as "
            "photos of an object are not. They come last in their themes.",
            tuple(
                (Drawn(row, lake.blobs, pictures).whole(f"uniform {row['uniformity']:.2f} · {row['category']}"),)
                for row in objects[:_WALL]
            ),
        ),
    )  # fmt: skip
    return tuple(wall for wall in walls if wall.groups)


def _axes(row: Row) -> str:
    return f"across {row['tileability_x']:.2f} · down {row['tileability_y']:.2f} · {row['category']}"


def _breakdowns(tables: TextureTables) -> tuple[Breakdown, ...]:
    name = next((name for name in (TEXTURES, *tables.sources) if tables.rows(name) is not None), None)
    if name is None:
        return ()
    licences = [licence or "no licence given" for licence in tables.column(name, "licence")]
    trainable = Counter(licence for licence, may in zip(licences, tables.column(name, "may_train"), strict=True) if may)
    by_licence = tuple(Share(share.label, share.count, trainable[share.label]) for share in counted(licences))
    share = percent(sum(trainable.values()), len(licences))
    reasons = [
        f"{one_line(row['reason'] or row['status'], 60)} · {words(row['dataset'])}"
        for row in tables.not_ok(*tables.sources, FINGERPRINTS, TEXTURES, MEASURES)
    ]
    of = "Of the unique textures." if name == TEXTURES else f"Of the {words(name)}."
    parts = (
        Breakdown("Theme", of, counted(tables.column(name, "category"), most=len(TEXTURE_THEMES))),
        Breakdown("Source", "Where they came from.", counted(tables.column(name, "source"))),
        Breakdown("Licence", f"{share} of the textures may be used for training.", by_licence),
        Breakdown("Why textures were left out", "Every item that a step did not pass on.", counted(reasons, 14)),
    )
    return tuple(part for part in parts if part.shares)


def _histograms(tables: TextureTables) -> tuple[Histogram, ...]:
    pairs = zip(tables.column(MEASURES, "width"), tables.column(MEASURES, "height"), strict=True)
    made = [histogram_of("Shorter side", "pixels", [min(w, h) for w, h in pairs if w and h], log=True)]
    for column, title, unit, log in (
        ("tileability", "Tileability", "1: no seam shows", False),
        ("tile_tileability", "Tileability of the best part", "the part that repeats best", False),
        ("regularity", "Regularity", "0 is chance, 1 a chessboard", False),
        ("uniformity", "Uniformity", "photos of a piece are below 0.6", False),
        ("anisotropy", "Direction", "0: none, 1: parallel lines", False),
        ("contrast", "Contrast", "standard deviation of luma", False),
        ("exposure", "Lightness", "mean luma: 0 is black, 1 is white", False),
        ("grey_share", "Grey", "share without colour", False),
        ("sharpness", "Sharpness", "variance of the Laplacian", True),
    ):
        made.append(histogram_of(title, unit, tables.column(MEASURES, column), log))
    return tuple(histogram for histogram in made if histogram is not None)
