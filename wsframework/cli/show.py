"""``wsf show``: one part in full."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from wsframework.parts.interfaces import Part
    from wsframework.parts.registry import Registry


def show(
    part: Annotated[str, typer.Argument(help="A part's name; KIND:NAME where several kinds have it.")],
) -> None:
    """Show what a part is, what it claims, where it comes from, and its options."""
    from wsframework.cli.finding import find
    from wsframework.parts.entrypoints import load_registry

    registry = load_registry()
    _print(find(registry, part), registry)


def _print(part: type[Part], registry: Registry) -> None:
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{part.kind}:{part.name} from plugin {registry.plugin_of(part)}\n", style="bold")
    console.print(f"{inspect.getdoc(part)}\n")
    if part.symmetry:
        console.print(f"claims to be {part.symmetry}")
    if part.paper:
        console.print(f"paper: {part.paper}")
    console.print(_options(part))


def _options(part: type[Part]) -> Table | str:
    """The table of options, or the sentence that there are none."""
    from rich.markup import escape
    from rich.table import Table

    from wsframework.parts.options import options_of

    options = options_of(part).values()
    if not options:
        return "it has no options"
    table = Table("option", "takes", "default", box=None, header_style="bold", pad_edge=False)
    for option in options:
        default = "(none)" if option.default is None else json.dumps(option.default)  # as TOML writes it, too
        table.add_row(option.name, escape(str(option)), escape(default))
    return table
