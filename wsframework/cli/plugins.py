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

    console, rows = Console(), _rows(registry)
    widest = max((len(f"{row['kind']}:{row['name']}") for row in rows), default=0)
    for plugin in registry.plugins:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(min_width=widest + 2, no_wrap=True)
        for row in (r for r in rows if r["plugin"] == plugin):
            claim = f" Claims to be {row['symmetry']}." if row["symmetry"] else ""
            summary = row["summary"].replace("``", "")
            table.add_row(f"  {row['kind']}:{row['name']}", escape(summary + claim))
        console.print(f"[bold]{escape(plugin)}[/]", table)
    for name, reason in registry.broken.items():
        console.print(f"\n[bold red]broken[/] {escape(name)}: {escape(reason)}", soft_wrap=True)
