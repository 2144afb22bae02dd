"""``wsf bench``: how fast this machine is, beside a bound or a rival measured in the same run."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from wsframework.benchmarks import Row, Table


def bench(
    name: Annotated[str | None, typer.Argument(help="Which benchmark; without it, they are listed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a benchmark: a table for people, --json for programs."""
    from wsframework import benchmarks

    if name is None:
        typer.echo(json.dumps(benchmarks.names()) if as_json else "\n".join(benchmarks.names()))
        return
    table = benchmarks.benchmark(name)()
    if as_json:
        typer.echo(json.dumps(asdict(table), indent=2))
    else:
        _print(table)


def _print(table: Table) -> None:
    from rich.console import Console
    from rich.table import Table as Drawn

    drawn = Drawn(title=table.title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    bounded = any(row.bound is not None for row in table.rows)
    for header in ("what", "figure", "beside", "ratio", *(["of the bound"] if bounded else []), "note"):
        drawn.add_column(header, justify="right" if header in ("figure", "ratio", "of the bound") else "left")
    for row in table.rows:
        drawn.add_row(*_cells(row, bounded))
    Console().print(drawn)


def _cells(row: Row, bounded: bool) -> tuple[str, ...]:
    figure = "missing" if row.value is None else f"{row.value:.4g} {row.unit}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    bound = [""] if row.bound is None else [f"{row.bound:.2g}"]
    return row.name, figure, row.rival, ratio, *(bound if bounded else []), row.note
