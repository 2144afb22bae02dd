"""The command ``wsf``: its subcommands, and how errors leave it.

Exit codes: 0 done, 1 the work failed, 2 the request was wrong, 130 interrupted.
"""

from __future__ import annotations

import errno
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import wsframework
from wsframework.cli.audit import audit
from wsframework.cli.bench import bench
from wsframework.cli.check import check
from wsframework.cli.new import new
from wsframework.cli.plugins import plugins
from wsframework.cli.report import report
from wsframework.cli.run import run
from wsframework.cli.sample import sample
from wsframework.cli.show import show
from wsframework.cli.symmetries import symmetries
from wsframework.cli.zoo import zoo
from wsframework.errors import WsfError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says of a full disk, a quota that is used up, and a file larger than it may be."""
KEPT = "what was finished is kept: make room, and give the command again"


class Commands(TyperGroup):
    """The subcommands; an error addressed to the user becomes its sentence on stderr and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand that was asked for."""
        try:
            return super().invoke(ctx)
        except WsfError as error:
            typer.echo(f"wsf: {error}", err=True)
            raise typer.Exit(error.exit_code) from None
        except OSError as error:
            if error.errno not in FULL:
                raise
            typer.echo(f"wsf: nothing more can be written ({error.strerror}); {KEPT}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(wsframework.__version__)
        raise typer.Exit


@app.callback()
def wsf(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Neural-network weights as data: zoos, symmetries, priors over weights, honest baselines."""


for command in (run, report, sample, audit, symmetries, plugins, show, check, bench):
    app.command()(command)
app.add_typer(zoo, name="zoo")
app.add_typer(new, name="new")
