"""What a person should look at first: the worst of each kind, duplicates, and failures."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from jewel_assets.explore.report.data import Fault, Share, Wall
from jewel_assets.explore.report.pictures import Pictures
from jewel_assets.explore.report.tables import Row, Tables, counted
from jewel_assets.explore.report.wording import listed, one_line, percent

WALL = 12  # pictures on each wall
_GROUPS = 12  # groups of duplicates shown
_COPIES = 3  # duplicates shown of each


def faults(tables: Tables, most: int = 20) -> tuple[tuple[Fault, ...], int]:
    """What failed, the same error of the same step together (the `most` frequent), and how many items that are."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for row in tables.not_ok(*tables.names):
        if row["status"] == "failed":
            key = (row["dataset"], one_line(row["reason"] or "failed", 60), _sentence(row))
            alike.setdefault(key, []).append(str(row["item_id"]))
    order = sorted(alike, key=lambda key: (-len(alike[key]), key))
    shown = (
        Fault(
            dataset,
            one_line(min(alike[dataset, reason, error]), 160),
            len(alike[dataset, reason, error]),
            reason,
            error,
        )
        for dataset, reason, error in order[:most]
    )
    return tuple(shown), sum(map(len, alike.values()))


@dataclass(frozen=True)
class Walls:
    """Walls of pictures from the tables of a lake."""

    tables: Tables
    pictures: Pictures

    def worst(self) -> tuple[Wall, ...]:
        """The walls of the worst, in the order in which they deserve a look; one that would be empty is left out."""
        rejected = self.tables.verdicts("reject", "rejected")
        review = [row for row in self.tables.not_ok(*self.tables.names) if row["status"] == "review"]
        seen = {row["item_id"] for row in review}
        review += [row for row in self.tables.verdicts("review", "review") if row["item_id"] not in seen]
        empty = [row for row in self.tables.not_ok("cutouts") if row["status"] == "rejected"]
        walls = (
            self._cutouts(),
            self._left_out("Waiting for a decision", "{} items that a person should decide about", review),
            self._left_out("People in the picture", "{} photos left out because somebody can be seen", rejected),
            self._left_out("Nothing to cut out", "{} photos in which no subject was found", empty),
            self._measured("Softest", "sharpness", ".0f", "The lowest sharpness: out of focus, or without detail."),
            self._measured("Darkest", "exposure", ".2f", "The lowest mean luma, from 0 (black) to 1 (white)."),
            self._smallest(),
        )
        return tuple(wall for wall in walls if wall.groups)

    def duplicates(self, datasets: Sequence[str] = ("photos", "image_pool"), noun: str = "photo") -> Wall | None:
        """Groups of duplicates, the largest first: the photo that was kept, then those that were not.

        `datasets` are those that drop duplicates; the first of them has what was kept.
        """
        groups: dict[str, list[Row]] = {}
        for row in self.tables.not_ok(*datasets):
            if row.get("duplicate_of"):
                groups.setdefault(row["duplicate_of"], []).append(row)
        if not groups:
            return None
        order = sorted(groups, key=lambda kept: (-len(groups[kept]), kept))[:_GROUPS]
        ids = {row["item_id"] for kept in order for row in groups[kept]}
        rows = self.tables.find(ids | set(order), datasets[0], *self.tables.sources)
        shown = []
        for kept in order:
            copies = sorted(groups[kept], key=lambda row: str(row["item_id"]))
            more = f"; {len(copies) - _COPIES} more not shown" if len(copies) > _COPIES else ""
            line = [self.pictures.of(rows.get(kept, {"item_id": kept}), detail=f"kept{more}")]
            for row in copies[:_COPIES]:
                line.append(self.pictures.of(rows.get(row["item_id"], row), detail=row["reason"] or "duplicate"))
            shown.append(tuple(line))
        reasons = counted(row["reason"] or "duplicate" for copies in groups.values() for row in copies)
        count = sum(map(len, groups.values()))
        sentence = f"{count:,} {noun}s repeat {len(groups):,} others, of which the best was kept: {listed(reasons)}."
        return Wall("Duplicates", sentence, tuple(shown))

    def _cutouts(self) -> Wall:
        rows = _least(self.tables.rows("cutouts"), "confidence")
        photos = self.tables.find((row["item_id"] for row in rows), "product_photos", "photos", *self.tables.sources)
        groups = []
        for row in rows:
            covers = "" if row.get("coverage") is None else f"covers {percent(row['coverage'])}"
            cutout = self.pictures.of(row, f"confidence {row['confidence']:.2f}", covers, what="Cut-out of")
            photo = photos.get(row["item_id"])
            groups.append((self.pictures.of(photo, detail=row["category"]), cutout) if photo else (cutout,))
        count = len(self.tables.column("cutouts", "item_id"))
        doubtful = self.tables.column("cutouts", "verdict").count("doubtful")
        sentence = (
            f"The lowest confidence of {count:,} cut-outs{f', {doubtful:,} of them doubtful' if doubtful else ''}."
        )
        return Wall("Cut-outs least certain", sentence, tuple(groups))

    def _left_out(self, title: str, sentence: str, rows: Iterable[Row]) -> Wall:
        """A wall of items that were not passed on, each reason in its turn."""
        by_reason: dict[str, list[Row]] = {}
        for row in sorted(rows, key=lambda row: str(row["item_id"])):
            by_reason.setdefault(one_line(row.get("reason") or "no reason given", 60), []).append(row)
        reasons = sorted(by_reason, key=lambda reason: (-len(by_reason[reason]), reason))
        turns = [by_reason[reason][i] for i in range(WALL) for reason in reasons if i < len(by_reason[reason])][:WALL]
        photos = self.tables.find((row["item_id"] for row in turns), "photos", *self.tables.sources)
        groups = tuple(
            (self.pictures.of(photos.get(row["item_id"], row), detail=one_line(row.get("reason") or "", 60)),)
            for row in turns
        )
        count = sum(map(len, by_reason.values()))
        causes = listed(Share(reason, len(by_reason[reason])) for reason in reasons[:5])
        return Wall(title, f"{sentence.format(f'{count:,}')}: {causes}.", groups)

    def _measured(self, title: str, column: str, form: str, sentence: str) -> Wall:
        rows = _least(self.tables.rows("photo_measures"), column)
        return self._singly(title, sentence, rows, lambda row: f"{column} {row[column]:{form}}")

    def _smallest(self) -> Wall:
        table = self.tables.rows("photos")
        if table is not None:
            pairs = zip(table.column("width").to_pylist(), table.column("height").to_pylist(), strict=True)
            table = table.append_column("side", pa.array([max(w or 0, h or 0) or None for w, h in pairs], pa.int32()))
        return self._singly(
            "Smallest", "The fewest pixels.", _least(table, "side"), lambda row: f"{row['width']} × {row['height']}"
        )

    def _singly(self, title: str, sentence: str, rows: Iterable[Row], detail: Callable[[Row], str]) -> Wall:
        return Wall(title, sentence, tuple((self.pictures.of(row, detail=detail(row)),) for row in rows))


def _least(table: pa.Table | None, column: str, count: int = WALL) -> list[Row]:
    """The `count` rows with the smallest value in `column`; rows without one left out, ties by item id."""
    if table is None or column not in table.column_names:
        return []
    kept = table.filter(table.column(column).is_valid())
    return list(kept.sort_by([(column, "ascending"), ("item_id", "ascending")]).slice(0, count).to_pylist())


def _sentence(row: Row) -> str:
    """The last line of a traceback, or the whole of a sentence, without the name of the error that stands beside it."""
    lines = [line for line in (row["error"] or "").strip().splitlines() if line.strip()]
    return one_line(lines[-1].removeprefix(f"{row['reason']}: "), 400) if lines else "No error was recorded."
