"""`jewel models`: which models there are, fetching them, checking them."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from jewel_assets.errors import Permanent, Transient
from jewel_assets.registry import Entry, Registry

app = typer.Typer(no_args_is_help=True, help="The weights that the pipeline uses: list, fetch and check them.")

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Names from `jewel models list`.")]


@app.command("list")
def list_models(as_json: Annotated[bool, typer.Option("--json", help="One JSON array, for programs.")] = False) -> None:
    """Show every model: where it is, what its licence allows, how its file is checked."""
    registry = Registry.from_settings()
    rows = [_row(registry, entry) for entry in registry.entries()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    columns = ["name", "where", "size", "licence", "commercial", "hash", "purpose"]
    table = [columns, *([_shown(column, row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(columns) - 1)]
    for line in table:
        typer.echo("  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]))
    if any(row["where"] == "refused" for row in rows):
        typer.echo("\nrefused: the licence forbids commercial use; JEWEL_ALLOW_MODELS=NAME allows it on your word.")


@app.command()
def fetch(
    names: Names = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DIR", help="Take them from this folder (or base address), and from nowhere else."
        ),
    ] = None,
) -> None:
    """Bring models into the models folder; without a name, all that the default pipeline uses.

    Taken from JEWEL_MODEL_MIRROR where it has them, else from their publishers. One that cannot be had does not stop
    the others; the command then ends with exit code 1 and the reasons.
    """
    registry = Registry.from_settings()
    if source and "://" not in source:
        source = str(Path(source).expanduser())
    wanted = names or [e.name for e in registry.entries() if e.default and registry.where(e.name) != "refused"]
    failed = 0
    for name in wanted:
        try:
            with _progress() as bar:
                task = bar.add_task(name, total=registry.entry(name).size)
                model = registry.fetch(name, source, partial(_advance, bar, task))
        except (Permanent, Transient) as error:
            failed += 1
            typer.echo(f"{name}: {error}", err=True)
        else:
            typer.echo(f"{name}: {model.path} ({_megabytes(model.path.stat().st_size)}, {model.licence})")
    if failed:
        typer.echo(f"{failed} of {len(wanted)} could not be fetched.", err=True)
        raise typer.Exit(1)


@app.command()
def check(names: Names = None) -> None:
    """Compute the hashes of the models that are here (or of NAME) afresh; exit code 1 if one is wrong."""
    registry = Registry.from_settings()
    here = [entry.name for entry in registry.entries() if (registry.folder / entry.file).is_file()]
    failed = 0
    for name in names or here:
        try:
            typer.echo(f"{name}: ok ({registry.check(name).sha256})")
        except Permanent as error:
            failed += 1
            typer.echo(f"{name}: {error}", err=True)
    if not names and not here:
        typer.echo(
            f"There is no model in {registry.folder} yet: `jewel models fetch` gets those that are used by default."
        )
    if failed:
        raise typer.Exit(1)


def _row(registry: Registry, entry: Entry) -> dict[str, str | int | bool | list[str] | None]:
    path = registry.nearest(entry.name)
    return {
        "name": entry.name,
        "where": registry.where(entry.name),
        "size": path.stat().st_size if path else entry.size,
        "licence": entry.licence,
        "licence_url": entry.licence_url,
        "commercial": entry.commercial,
        "default": entry.default,
        "hash": registry.hash_state(entry.name),
        "purpose": entry.purpose,
        "file": entry.file,
        "urls": list(entry.urls),
    }


def _shown(column: str, value: object) -> str:
    if column == "size":
        return _megabytes(value) if isinstance(value, int) else "?"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _advance(bar: Progress, task: TaskID, done: int, total: int | None) -> None:
    bar.update(task, completed=done, total=total)


def _progress() -> Progress:
    """A bar on stderr while something comes; nothing where stderr is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
