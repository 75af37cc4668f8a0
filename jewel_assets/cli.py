"""The command-line tool `jewel`."""

from typing import Any

import typer
from typer.core import TyperGroup

from jewel_assets import model_commands
from jewel_assets.clean import review_commands
from jewel_assets.errors import Permanent, Transient
from jewel_assets.lake import commands as lake_commands
from jewel_assets.promote import commands as promote_commands
from jewel_assets.shape import commands as shape_commands


class _Sentences(TyperGroup):
    """Failures that have a name are one sentence on stderr and exit code 1, without a traceback."""

    def invoke(self, ctx: Any) -> Any:  # typer brings its own copy of click, whose types are private
        try:
            return super().invoke(ctx)
        except (Permanent, Transient) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=_Sentences,
    no_args_is_help=True,
    help="Jewellery: photos in; clusters, castable pieces and promotional images out.",
)
app.add_typer(model_commands.app, name="models")
app.add_typer(lake_commands.app, name="lake")
app.add_typer(review_commands.app, name="review")
app.add_typer(shape_commands.app, name="shape")
app.add_typer(promote_commands.app, name="promote")
