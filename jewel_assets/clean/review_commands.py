"""`jewel review`: what the filters left for a person to decide, and deciding it."""

import getpass
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import typer

from jewel_assets.clean import review
from jewel_assets.errors import Permanent
from jewel_assets.lake.commands import AsJson, Category, counted, open_lake, print_json, print_table
from jewel_assets.lake.decisions import Verdict

APPLY = f'key:"{review.PRODUCTS}"+ and +key:"image_embeddings"'
"""Dagster's selection of product_photos and what is made from it category by category."""

THEN = "dg launch --job pool_and_report"
"""What is made of all categories together: once, however many have changed."""

_SHOWN = 20  # lines of each kind of stuck items; --json has all
_OTHER_ENGINE = """--config-json '{"ops": {"cutouts": {"config": {"engine": "network"}}}}'"""

app = typer.Typer(no_args_is_help=True, help="Photos that wait for a person: list, look, accept or reject.")

Items = Annotated[
    list[str] | None, typer.Argument(metavar="[ITEM]...", help="Item ids; `-` reads them from stdin, one per line.")
]
All = Annotated[bool, typer.Option("--all", help="All that wait, of --category and --reason if given.")]
Reason = Annotated[str | None, typer.Option(metavar="REASON", help='Only what waits for this reason: "no detectors".')]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who decides; your user name unless given.")]
Note = Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who read the log.")]
EachItem = Annotated[bool, typer.Option("--items", help="One line per item.")]


@app.command("ls")
def list_waiting(
    category: Category = None, reason: Reason = None, items: EachItem = False, as_json: AsJson = False
) -> None:
    """List what waits for review, per category and reason; with --items the ids alone, one per line.

    Also lists what later steps hold in review, where no decision helps, and says what does.
    """
    lake = open_lake()
    photos = review.waiting_for_review(lake, category, reason)
    counts = review.by_category_and_reason(photos)
    stuck = [] if items else review.stuck(lake, category, reason)
    if items:
        ids = photos.column("item_id").to_pylist()
        print_json(ids) if as_json else typer.echo("\n".join(ids), nl=bool(ids))
    elif as_json:
        waits = [{"category": key[0], "reason": key[1], "photos": count} for key, count in counts.items()]
        print_json([*({"dataset": review.JUDGED, **each} for each in waits), *map(_as_json, stuck)])
    elif counts:
        lines = [["category", "reason", "photos"], *([*key, str(count)] for key, count in counts.items())]
        print_table(lines, right=(2,))
        typer.echo("\nTo look at them: jewel review sheet review.html")
    elif lake.dataset(review.JUDGED).exists():
        typer.echo("Nothing waits for review.")
    else:
        typer.echo("No photo was judged yet: materialize body_part_verdicts, or run `make demo`.")
    if not as_json:
        _print_stuck(stuck)
    if not items and not as_json and (behind := review.unapplied(lake)):
        typer.echo(f"product_photos is behind the decisions by {counted(sum(behind.values()), 'photo')}.")
        _say_next(behind)


@app.command()
def sheet(
    file: Annotated[Path, typer.Argument(metavar="FILE.html", help="Where to write the page.")],
    category: Category = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, max=5000, help="At most so many pictures: some 10 KB each.")] = 400,
) -> None:
    """Write one HTML page with pictures of what waits, by reason, to look at in a browser."""
    from jewel_assets.clean.review_sheet import build_sheet

    if file.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{file} must end in .html: it is a page for a browser.")
    lake = open_lake()
    photos = review.waiting_for_review(lake, category, reason)
    try:
        file.expanduser().write_text(build_sheet(photos, lake.blobs, limit, category), encoding="utf-8")
    except OSError as error:
        raise Permanent(f"{file} cannot be written ({error.strerror}): choose another place.") from error
    shown = min(limit, photos.num_rows)
    typer.echo(f"{shown} of {counted(photos.num_rows, 'photo')} that wait for review: {file.expanduser().absolute()}")


@app.command()
def accept(
    items: Items = None,
    every: All = False,
    category: Category = None,
    reason: Reason = None,
    by: By = None,
    note: Note = "",
) -> None:
    """Take photos into product_photos: they show the piece alone, whatever the filter thought."""
    _decide("accept", items, every, category, reason, by, note)


@app.command()
def reject(
    items: Items = None,
    every: All = False,
    category: Category = None,
    reason: Reason = None,
    by: By = None,
    note: Note = "",
) -> None:
    """Keep photos out of product_photos, even if the filter kept them."""
    _decide("reject", items, every, category, reason, by, note)


@app.command()
def undo(items: Items = None, category: Category = None, by: By = None, note: Note = "") -> None:
    """Take decisions back: the filter's verdict holds again."""
    if not items:
        raise typer.BadParameter("Name the items: `jewel review log --items` lists what was decided.")
    lake = open_lake()
    taken_back = review.withdraw(lake, _ids(items), _name(by), category, note)
    typer.echo(f"{counted(taken_back.num_rows, 'decision')} withdrawn.")
    _say_next(_categories(taken_back))


@app.command()
def log(category: Category = None, items: EachItem = False, as_json: AsJson = False) -> None:
    """List who decided what and when, newest first; with --items one line per item."""
    rows = open_lake().decisions(review.PRODUCTS).read(category).to_pylist()[::-1]
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo("Nobody has decided anything yet: `jewel review ls` lists what waits.")
        return
    shared = ("at", "decision", "by", "category", "note")
    grouped: dict[tuple[Any, ...], list[str]] = {}
    for row in rows:
        key = tuple(row[name] for name in shared) + ((row["item_id"],) if items else ())
        grouped.setdefault(key, []).append(row["item_id"])
    lines = [["at (UTC)", "decision", "by", "category", "item" if items else "items", "note"]]
    for (at, decision, name, where, why, *_), ids in grouped.items():
        what = ids[0] if len(ids) == 1 else f"{len(ids):,} items"
        lines.append([f"{at:%Y-%m-%d %H:%M:%S}", decision, name, where, what, why or ""])
    print_table([[_one_line(cell) for cell in line] for line in lines], right=())


def _decide(
    verdict: Verdict,
    items: Sequence[str] | None,
    every: bool,
    category: str | None,
    reason: str | None,
    by: str | None,
    note: str,
) -> None:
    if bool(items) == every:
        raise typer.BadParameter("Name items, or say --all: one of the two.")
    if reason is not None and not every:
        raise typer.BadParameter("--reason goes with --all: named items are taken whatever their reason.")
    lake = open_lake()
    if items:
        photos = review.named(lake, _ids(items), category)
    else:
        photos = review.waiting_for_review(lake, category, reason)
        if reason is not None and not photos.num_rows:
            others = {why for _, why in review.by_category_and_reason(review.waiting_for_review(lake, category))}
            raise Permanent(f"Nothing waits for the reason {reason!r}. {_those(sorted(others))}")
    decided = review.decide(lake, photos, verdict, _name(by), note)
    already = photos.num_rows - decided.num_rows
    typer.echo(
        f"{counted(decided.num_rows, 'photo')} {verdict}ed{f', {already:,} had been before' if already else ''}."
    )
    _say_next(_categories(decided))


def _those(reasons: Sequence[str]) -> str:
    return f"There is: {', '.join(map(repr, reasons))}." if reasons else "Nothing waits at all."


def _ids(items: Sequence[str]) -> list[str]:
    if list(items) != ["-"]:
        return list(items)
    ids = [line for line in sys.stdin.read().split("\n") if line.strip()]
    if not ids:
        raise Permanent("There is no item id on stdin: pipe `jewel review ls --items` into it, or name them.")
    return ids


def _name(by: str | None) -> str:
    try:
        name = getpass.getuser() if by is None else by.strip()
    except (KeyError, ImportError, OSError):  # a container's user without a name
        name = ""
    if not name:
        raise Permanent("A decision needs the name of who takes it: say --by NAME.")
    return name


def _one_line(text: str) -> str:
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def _categories(rows: pa.Table) -> list[str]:
    return sorted(pc.unique(rows.column("category")).to_pylist())


def _say_next(categories: Sequence[str] | dict[str, int]) -> None:
    """What to run so that product_photos and what is made from it follow."""
    if not categories:
        return
    typer.echo("Next, so that product_photos and what is made from it follow:")
    for category in categories:
        typer.echo(f"  dg launch --assets {shlex.quote(APPLY)} --partition {category}")
    typer.echo(f"  {THEN}")


def _as_json(one: review.Stuck) -> dict[str, object]:
    where = ", ".join(one.categories)
    return {
        "dataset": one.dataset,
        "category": where,
        "reason": one.reason,
        "photos": len(one.items),
        "items": one.items,
    }


def _print_stuck(stuck: Sequence[review.Stuck]) -> None:
    """What no decision helps with, by kind, each with the sentence that says what does."""
    for dataset, reason in dict.fromkeys((one.dataset, one.reason) for one in stuck):
        kind = [one for one in stuck if (one.dataset, one.reason) == (dataset, reason)]
        typer.echo(f"\n{dataset} holds back {counted(sum(len(one.items) for one in kind), 'photo')}: {reason}.")
        lines = [f"{one.categories[0]}: {item}" for one in kind for item in one.items]
        if reason == "ambiguous category":
            typer.echo("The same picture lies in several categories. Delete or move one of them, and launch again.")
            lines = [" = ".join(one.items) for one in kind]
        elif reason == "uncertain cut-out":
            typer.echo("Photograph it on a plainer ground, or cut it out with another engine, or a larger model:")
            for one in kind:
                typer.echo(f"  dg launch --assets cutouts --partition {one.categories[0]} {_OTHER_ENGINE}")
        for line in lines[:_SHOWN]:
            typer.echo(f"  {_one_line(line)}")
        if len(lines) > _SHOWN:
            typer.echo(f"  and {len(lines) - _SHOWN:,} more: jewel review ls --json")
