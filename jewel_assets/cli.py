"""The command-line tool `jewel`."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from jewel_assets.errors import Permanent, Transient

COMMANDS = {
    "models": "jewel_assets.model_commands",
    "lake": "jewel_assets.lake.commands",
    "review": "jewel_assets.clean.review_commands",
    "shape": "jewel_assets.shape.commands",
    "promote": "jewel_assets.promote.commands",
}
"""Groups of commands, and the modules that hold them: imported when they are named, so that each starts quickly."""


class _Groups(TyperGroup):
    """Failures that have a name are one sentence on stderr and exit code 1, without a traceback."""

    def list_commands(self, ctx: Any) -> list[str]:  # typer brings its own copy of click, whose types are private
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (Permanent, Transient) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=_Groups,
    no_args_is_help=True,
    help="Jewellery: photos in; clusters, castable pieces and promotional images out.",
)


@app.callback()
def _jewel() -> None:
    """Without options of its own: the groups are all there is."""
