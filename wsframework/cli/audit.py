"""``wsf audit``: whether samples are copies of networks of a zoo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsframework.errors import RequestError

if TYPE_CHECKING:
    from torch import Tensor, nn


def audit(
    samples: Annotated[Path, typer.Argument(metavar="RUN|SAMPLES", help="A run; with ZOO, a folder of weights.")],
    zoo: Annotated[Path | None, typer.Argument(help="The networks that the generator learned from.")] = None,
    test: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Networks like the zoo's, never learned from.")
    ] = None,
    network: Annotated[
        str | None, typer.Option(metavar="MODULE:FACTORY", help="What makes such networks; its symmetries are found.")
    ] = None,
    arguments: Annotated[
        list[str] | None, typer.Option("--arg", metavar="[NAME=]VALUE", help="For the factory; repeatable.")
    ] = None,
    shapes: Annotated[
        list[str] | None, typer.Option("--input", metavar="SHAPE", help="Of an example input, as 1,3,32,32.")
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Tensors x and y, to compare wrong predictions on.")
    ] = None,
    candidates: Annotated[
        int | None, typer.Option(min=2, help="Networks of the zoo that each is aligned with (default: 16).")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the references (default: 0).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Tell copies of a zoo's networks from averages of them, and both from networks of their own.

    RUN alone is the folder of a run, whose prior is audited. SAMPLES and ZOO are folders of state dicts or of zoos.
    Stdout gets the verdict and its figures.
    """
    if zoo is None:
        _refuse_for_run(test, network, arguments, shapes, inputs, candidates, seed)
        found = _of_run(samples)
    else:
        modelled = _modelled(network, arguments or [], shapes or [], inputs)
        found = _of_folders([samples, zoo, *([test] if test else [])], *modelled, candidates or 16, seed or 0)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        _print(found)


def _refuse_for_run(*given: Any) -> None:
    if any(value is not None for value in given):
        raise RequestError("a run is audited as its config says; options are for two folders of weights, SAMPLES ZOO")


def _of_run(folder: Path) -> dict[str, Any]:
    from wsframework.parts.entrypoints import load_registry
    from wsframework.pipeline.audited import audit_run

    return audit_run(folder, load_registry())


def _modelled(
    network: str | None, arguments: list[str], shapes: list[str], inputs: Path | None
) -> tuple[nn.Module | None, tuple[Tensor, ...], tuple[Tensor, Tensor] | None]:
    """The module, its example inputs, and inputs with labels, as far as they were asked for."""
    from wsframework.cli.network import example_input, network_named
    from wsframework.zoos.examples import read_examples

    if network is None:
        if arguments or shapes or inputs:
            raise RequestError("--arg, --input and --inputs are for a network; name it with --network MODULE:FACTORY")
        return None, (), None
    module, labelled = network_named(network, arguments), read_examples(inputs) if inputs else None
    examples = tuple(example_input(text) for text in shapes)
    return module, examples or ((labelled[0][:2],) if labelled else ()), labelled


def _of_folders(
    folders: list[Path],
    module: nn.Module | None,
    examples: tuple[Tensor, ...],
    labelled: tuple[Tensor, Tensor] | None,
    candidates: int,
    seed: int,
) -> dict[str, Any]:
    from wsframework.audit import audit
    from wsframework.audit.predictions import overlaps
    from wsframework.zoos.networks import read_networks

    samples, zoo, *test = read_networks(folders, module, examples)
    if not zoo.space.free:
        typer.echo("no symmetry of these networks is known: only copies in place are found; see --network", err=True)
    overlap = overlaps(module, zoo, *labelled) if module is not None and labelled else None
    found = audit(samples, zoo, test=test[0] if test else None, candidates=candidates, overlap=overlap, seed=seed)
    return found.facts()


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from wsframework.audit.rows import COLUMNS, rows

    typer.echo(f"{found['verdict']}\n")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for i, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if i else "left")
    for row in rows(found):
        table.add_row(*row)
    Console().print(table)
