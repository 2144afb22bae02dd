"""``wsf symmetries``: what moves in a network, and nothing changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from wsframework.spaces import WeightSpace
    from wsframework.tracing import Trace


def symmetries(
    network: Annotated[
        str,
        typer.Argument(metavar="MODULE:FACTORY", help="A module or a file ending in .py, and what makes a network."),
    ],
    inputs: Annotated[
        list[str],
        typer.Option("--input", metavar="SHAPE", help="Of an example input, as 1,3,32,32; 2,16:100 for whole numbers."),
    ],
    arguments: Annotated[
        list[str] | None, typer.Option("--arg", metavar="[NAME=]VALUE", help="For the factory; repeatable.")
    ] = None,
    carry: Annotated[
        list[str] | None,
        typer.Option(
            "--carry", metavar="BUFFER", help="A buffer that moves with its neurons, not a constant; repeatable."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Find the symmetries of any network, verify them, and print its weight space."""
    from wsframework.cli.network import example_input, network_named
    from wsframework.tracing import examine

    module = network_named(network, arguments or [])
    trace = examine(module, tuple(example_input(text) for text in inputs), carry=carry or [])
    if as_json:
        typer.echo(json.dumps(_summary(trace), indent=2))
    else:
        _print(trace)


def _summary(trace: Trace) -> dict[str, Any]:
    from wsframework.spaces.order import log10_permutations, log10_signs, scales

    space = trace.space
    return {
        "notation": str(space),
        "parameters": [
            {"name": p.name, "shape": list(space.shapes[p.name]), "axes": p.notation} for p in space.parameters
        ],
        "free": [{"dim": d.name, "size": d.size, "within": d.within, "gauge": d.gauge} for d in space.dims if d.free],
        "order": {
            "log10_permutations": log10_permutations(space),
            "log10_signs": log10_signs(space),
            "scales": scales(space),
        },
        "error": trace.error,
        "training_error": trace.training_error,
        "fixed": [{"parameter": name, "axis": axis, "why": why} for (name, axis), why in trace.fixed.items()],
        "notes": list(space.notes),
        "operators": trace.operators,
        "seconds": trace.seconds,
    }


def _print(trace: Trace) -> None:
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False, markup=False)
    _print_parameters(console, trace.space)
    _print_dims(console, trace.space)
    _print_fixed(console, trace)
    _print_order(console, trace)


def _print_parameters(console: Console, space: WeightSpace) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("parameter", "shape", "axes", box=None, header_style="bold", pad_edge=False)
    for parameter in space.parameters:
        shape = " ".join(map(str, space.shapes[parameter.name])) or "()"
        table.add_row(Text(parameter.name), shape, Text(parameter.notation))
    for name, original in space.ties:
        table.add_row(Text(name), "", Text(f"= {original}"))
    console.print(table)


def _print_dims(console: Console, space: WeightSpace) -> None:
    from rich.table import Table

    free = [dim for dim in space.dims if dim.free]
    if not free:
        console.print("\nno dim is free: no permutation of this network's neurons leaves its function unchanged")
        return
    table = Table("free dim", "size", "within", "gauge", box=None, header_style="bold", pad_edge=False)
    for dim in free:
        table.add_row(dim.name, str(dim.size), dim.within or "", dim.gauge or "")
    console.print()
    console.print(table)


def _print_fixed(console: Console, trace: Trace) -> None:
    from rich.table import Table
    from rich.text import Text

    if trace.fixed:
        table = Table("fixed", "axis", "why", box=None, header_style="bold", pad_edge=False)
        for (name, axis), why in trace.fixed.items():
            table.add_row(Text(name), str(axis), Text(why))
        console.print()
        console.print(table)


def _print_order(console: Console, trace: Trace) -> None:
    from wsframework.spaces.order import log10_permutations, log10_signs, scales

    space = trace.space
    console.print(
        f"\n10^{log10_permutations(space):.1f} permutations, 10^{log10_signs(space):.1f} choices of signs, "
        f"{scales(space)} positive scales"
    )
    training = trace.training_error
    trained = (
        f"{training:.1e} in training mode" if isinstance(training, float) else f"not tried in training mode: {training}"
    )
    console.print(f"verified in float64: the function changes by {trace.error:.1e}, relative; {trained}")
    for note in space.notes:
        console.print(note)
