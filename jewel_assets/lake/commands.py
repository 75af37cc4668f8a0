"""`jewel lake`: look at a lake, take files out of it, check it and tidy it up."""

import dataclasses
import difflib
import getpass
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from jewel_assets.categories import CATEGORIES
from jewel_assets.errors import Permanent
from jewel_assets.lake.banned import Kind
from jewel_assets.lake.datasets import Dataset, Lake
from jewel_assets.lake.export import export as export_dataset
from jewel_assets.lake.maintenance import collect_garbage
from jewel_assets.lake.partitions import VOCABULARIES, key_of, nearest_key, vocabulary_of
from jewel_assets.lake.takedowns import take_down
from jewel_assets.lake.verification import verify as find_problems
from jewel_assets.settings import settings
from jewel_assets.themes import THEME_WORDS

app = typer.Typer(no_args_is_help=True, help="Datasets and blobs: look, export, verify, tidy up.")


def _category(spelled: str) -> str:
    category = key_of(spelled)
    if category is None:
        near = nearest_key(spelled)
        known = "; ".join(f"the {words.nouns} are {', '.join(words.names)}" for words in VOCABULARIES)
        raise typer.BadParameter(f"{spelled!r} is none: {f'did you mean {near}? ' if near else ''}{known}.")
    return category


DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="A dataset, as `jewel lake ls` names it.")]
Category = Annotated[
    str | None, typer.Option(parser=_category, metavar="CATEGORY", help="Only this category (or texture theme).")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]


def open_lake() -> Lake:
    """The lake that JEWEL_LAKE names. Raises Permanent where it cannot be opened."""
    root = settings().lake
    try:
        lake = Lake(root)
        lake.table_folders()  # an object store says only now that it does not know us
    except Exception as error:  # each object store has its own exceptions
        raise Permanent(
            f"The lake {root} cannot be opened ({type(error).__name__}: {error}): check JEWEL_LAKE and, for an object "
            "store, its address and keys (data_lake/README.md lists them)."
        ) from error
    return lake


@app.command("ls")
def list_datasets(as_json: AsJson = False) -> None:
    """List the datasets with their rows per category (or texture theme) and version."""
    lake = open_lake()
    found = [_summary(lake.dataset(name)) for name in lake.datasets()]
    if as_json:
        print_json(found)
        return
    if not found:
        typer.echo(f"Nothing was published to {lake.root} yet: materialize an asset, or run `make demo`.")
        return
    themed = [entry for entry in found if _is_themed(entry)]
    themes = sorted({theme for entry in themed for theme in entry["categories"]})  # only those that occur: all are many
    tables = [([entry for entry in found if entry not in themed], CATEGORIES), (themed, themes)]
    for number, (entries, keys) in enumerate((entries, keys) for entries, keys in tables if entries):
        if number:
            typer.echo()
        lines = [["dataset", "rows", *keys, "version"]]
        for entry in entries:
            if "problem" in entry:
                lines.append([entry["dataset"], "broken", *("" for _ in keys), ""])
                continue
            counts = [str(entry["categories"].get(key, "")) for key in keys]
            lines.append([entry["dataset"], str(entry["rows"]), *counts, str(entry["version"])])
        print_table(lines, right=range(1, len(lines[0])))
    if any("problem" in entry for entry in found):
        typer.echo("\nbroken: `jewel lake verify` says what is wrong and what to do.")


@app.command()
def show(
    name: DatasetName,
    category: Category = None,
    rows: Annotated[int, typer.Option(min=0, help="How many rows.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show what a dataset holds: columns, outcomes, and its first rows."""
    dataset = _dataset(name)
    table = dataset.read(category)
    sample = table.slice(0, rows).to_pylist()
    if as_json:
        print_json(sample)
        return
    latest = dataset.lake.outcomes(name).latest(category)
    typer.echo(f"{name}: {table.num_rows} rows{f' of {category}' if category else ''}")
    for status, reason, count in _outcome_counts(latest):
        typer.echo(f"  {status}{f': {reason}' if reason else ''}  {count}")
    typer.echo("columns: " + ", ".join(f"{field.name} {field.type}" for field in table.schema))
    for row in sample:
        shown = {key: value for key, value in row.items() if value is not None and not isinstance(value, list)}
        typer.echo(json.dumps(shown, default=str, ensure_ascii=False))


@app.command()
def history(name: DatasetName, as_json: AsJson = False) -> None:
    """List the commits of a dataset, newest first; each version can still be read until `gc` removes it."""
    found = _dataset(name).history()
    if as_json:
        print_json(found)
        return
    lines = [["version", "at (UTC)", "category", "rows", "digest", "operation"]]
    for entry in found:
        at = f"{entry['at']:%Y-%m-%d %H:%M:%S}"
        rows = "" if entry["rows"] is None else str(entry["rows"])
        digest = (entry["digest"] or "")[:12]
        lines.append([str(entry["version"]), at, entry["category"] or "", rows, digest, entry["operation"]])
    print_table(lines, right=(0, 3))


@app.command()
def export(
    name: DatasetName,
    folder: Annotated[Path, typer.Argument(help="Where to put the folders; made if need be.")],
    category: Category = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy: hard links share their bytes with the lake.")] = False,
    may_train: Annotated[bool, typer.Option("--may-train", help="Only what a model may be trained on.")] = False,
) -> None:
    """Write a dataset's files into human-readable folders, e.g. `ring_filter_keep/`, with an items.csv.

    Exporting again brings the folders up to date; what something else put there stays.
    """
    lake = _dataset(name).lake
    count = export_dataset(lake, name, folder.expanduser(), category, copy, may_train)
    typer.echo(f"{count} files in {folder}")


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(metavar="[DATASET]", help="Only this dataset.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only compare sizes: do not read the blobs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that every table can be read and every row's blob is there and hashes right. Exit code 1 if not."""
    lake = open_lake()
    if name is not None and name not in lake.table_folders():  # not `_dataset`: a broken one is here to be verified
        raise _unknown(lake, name)
    problems = []
    for problem in find_problems(lake, None if name is None else [name], hashes=not quick):
        problems.append(dataclasses.asdict(problem))
        if not as_json:
            typer.echo(f"{problem.dataset}{f' {problem.item_id}' if problem.item_id else ''}: {problem.sentence}")
    if as_json:
        print_json(problems)
    elif problems:
        typer.echo(f"{counted(len(problems), 'problem')} found.")
    else:
        typer.echo("Everything is as it should be.")
    if problems:
        raise typer.Exit(1)


@app.command()
def gc(
    days: Annotated[float, typer.Option(min=0, help="Keep what was published within this time; one at least.")] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run/--delete", help="Only say what would go (the default).")] = True,
) -> None:
    """Remove blobs that no table version within the retention refers to, and data files of older versions."""
    garbage = collect_garbage(open_lake(), timedelta(days=days), dry_run)
    blobs = f"{counted(len(garbage.blobs), 'blob')} ({garbage.bytes / 1e6:.1f} MB)"
    verb = "would be" if dry_run else "were"
    typer.echo(f"{blobs} and {counted(garbage.table_files, 'data file')} of tables {verb} removed.")
    typer.echo(f"{counted(garbage.kept, 'blob')} kept.")
    if dry_run and (garbage.blobs or garbage.table_files):
        typer.echo(f"Nothing was changed. To remove them: jewel lake gc --days {days:g} --delete")


@app.command()
def takedown(
    item: Annotated[str | None, typer.Option(metavar="ITEM_ID", help="One item: `unsplash:Sg3XwuEpybU`.")] = None,
    author: Annotated[str | None, typer.Option(help="All works of this author, as the tables spell the name.")] = None,
    sha256: Annotated[str | None, typer.Option(help="Some bytes, wherever they are.")] = None,
    note: Annotated[str, typer.Option(help="Who asked, and how: kept beside the record.")] = "",
    in_advance: Annotated[bool, typer.Option("--in-advance", help="Also if nothing of it is here yet.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Remove an item, an author's works or some bytes, with all that was made of them, and keep them out for good."""
    named = [(kind, value) for kind, value in (("item", item), ("author", author), ("sha256", sha256)) if value]
    if len(named) != 1:
        raise typer.BadParameter("say what to take down: one of --item, --author, --sha256.")
    kind, value = named[0]
    removed = take_down(
        open_lake(), cast(Kind, kind), value, getpass.getuser(), note, dry_run=dry_run, in_advance=in_advance
    )
    typer.echo("This would go:" if dry_run else "This is gone, and stays away:")
    for sentence in removed.sentences(dry_run):
        typer.echo(f"  {sentence}")


@app.command()
def takedowns(as_json: AsJson = False) -> None:
    """List what was taken down: what was asked for, when, by whom."""
    rows = open_lake().takedowns().read().to_pylist()
    if as_json:
        print_json(rows)
        return
    asked: dict[str, dict[str, Any]] = {}
    for row in rows:
        entry = asked.setdefault(row["asked_for"], {"at": row["at"], "by": row["by"], "note": row["note"], "count": 0})
        entry["count"] += row["kind"] == "item"
    lines = [["ASKED FOR", "ITEMS", "WHEN", "BY", "NOTE"]]
    for name, entry in asked.items():
        lines.append([name, str(entry["count"]), f"{entry['at']:%Y-%m-%d %H:%M}", entry["by"], entry["note"] or ""])
    print_table(lines, right=(1,))


def _dataset(name: str) -> Dataset:
    lake = open_lake()
    dataset = lake.dataset(name)
    if not dataset.exists():
        raise _unknown(lake, name)
    return dataset


def _unknown(lake: Lake, name: str) -> Permanent:
    known = lake.datasets()
    near = difflib.get_close_matches(name.split("__")[0], known, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return Permanent(
        f"There is no dataset {name!r} in {lake.root}.{hint} It holds: {', '.join(known) or 'nothing yet'}."
    )


def _summary(dataset: Dataset) -> dict[str, Any]:
    try:
        counts = dataset.file.rows_per_category()
        version = dataset.file.open().version()
    except Permanent as error:
        return {"dataset": dataset.name, "problem": str(error)}
    return {"dataset": dataset.name, "rows": sum(counts.values()), "categories": counts, "version": version}


def _is_themed(entry: Mapping[str, Any]) -> bool:
    """Whether a dataset (an entry of `_summary`) is one of textures."""
    return any(vocabulary_of(key) is THEME_WORDS for key in entry.get("categories", ()))


def _outcome_counts(latest: Any) -> list[tuple[str, str | None, int]]:
    grouped = latest.group_by(["status", "reason"]).aggregate([([], "count_all")]).to_pylist()
    found = [(entry["status"], entry["reason"], entry["count_all"]) for entry in grouped]
    return sorted(found, key=lambda entry: (entry[0] != "ok", -entry[2]))


def counted(number: int, noun: str) -> str:
    """A number and what it counts: "1 blob", "2,000 blobs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def print_table(lines: Sequence[Sequence[str]], right: Sequence[int]) -> None:
    """Columns side by side, in full: what is piped into another program must not be cut to a terminal's width."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        typer.echo("  ".join(cells).rstrip())


def print_json(found: object) -> None:
    """JSON that people can read, too."""
    typer.echo(json.dumps(found, default=str, ensure_ascii=False, indent=2))
