"""``wsf plugins``: which parts there are, and which plugins are broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from wsframework.parts.registry import Registry


def plugins(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the installed plugins, their parts, and the plugins that are broken, each with the reason."""
    from wsframework.parts.entrypoints import load_registry

    registry = load_registry()
    if as_json:
        typer.echo(json.dumps({"parts": _rows(registry), "broken": registry.broken}, indent=2))
    else:
        _print_table(registry)


def _rows(registry: Registry) -> list[dict[str, Any]]:
    return [
        {
            "plugin": plugin,
            "kind": part.kind,
            "name": part.name,
            "symmetry": part.symmetry,
            "summary": (part.__doc__ or "").strip().splitlines()[0],
        }
        for plugin, parts in registry.plugins.items()
        for part in parts
    ]


def _print_table(registry: Registry) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("plugin", "kind", "part", "claim", "what it is", box=None, header_style="bold", pad_edge=False)
    previous = ""
    for row in _rows(registry):
        plugin = "" if row["plugin"] == previous else row["plugin"]
        table.add_row(plugin, row["kind"], row["name"], row["symmetry"] or "", escape(row["summary"]))
        previous = row["plugin"]
    console = Console()
    console.print(table)
    for name, reason in registry.broken.items():
        console.print(f"\n[bold red]broken[/] {escape(name)}: {escape(reason)}", soft_wrap=True)
