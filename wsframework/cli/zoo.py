"""``wsf zoo``: zoos as folders of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsframework.errors import RequestError

if TYPE_CHECKING:
    from rich.console import Console

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The new folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
BAR = 40

zoo = typer.Typer(no_args_is_help=True, help="Zoos as folders: build, show, import, export, merge.")


@zoo.callback()
def about() -> None:
    """Zoos as folders: build, show, import, export, merge."""


@zoo.command()
def build(
    config: Annotated[Path, typer.Argument(help="A TOML file; see examples/.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The zoo's folder (default: runs/NAME/zoo, the run's own).")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a key; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Replaces the config's seed.")] = None,
    as_json: Json = False,
) -> None:
    """Build the zoo of a run's config, and nothing else of the run: the same networks, in a folder of their own.

    Blocks that are there already are kept. Stdout gets the folder, or with --json what `wsf zoo show` says of it.
    """
    from wsframework.cli.story import Story
    from wsframework.config.reading import read_config
    from wsframework.parts.entrypoints import load_registry
    from wsframework.pipeline.zoo_alone import build_alone

    registry = load_registry()
    asked = read_config(config, registry, changes or (), seed)
    folder = out or Path("runs") / asked.name / "zoo"
    with Story() as story:
        build_alone(asked, registry, folder, story)
    _tell(folder, as_json)


@zoo.command()
def show(
    folder: Annotated[Path, typer.Argument(help="Of a zoo; in a run's folder, it is the one called zoo.")],
    as_json: Json = False,
) -> None:
    """Show what a zoo holds: networks, space, losses, tasks, sizes, recipe, a digest of it all, and what is damaged.

    Exit code 1 if anything is damaged.
    """
    from wsframework.zoos import summary

    found = summary(folder)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        _print(found)
    raise typer.Exit(1 if found["damage"] else 0)


@zoo.command("import")
def take(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files of state dicts, or folders of them.")],
    tasks: Annotated[Path, typer.Option(metavar="CSV", help="A row for each file: file, task, and the task's code.")],
    out: Out,
    network: Annotated[
        str | None, typer.Option(metavar="MODULE:FACTORY", help="What makes such networks; without it, no dim is free.")
    ] = None,
    arguments: Annotated[
        list[str] | None, typer.Option("--arg", metavar="[NAME=]VALUE", help="For the factory; repeatable.")
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="SHAPE", help="Of an example input, as 1,3,32,32; 2,16:100 for whole numbers."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a zoo of networks that were trained elsewhere: safetensors, or .pt and .pth that hold tensors only.

    All mistakes of all files are told at once, and then nothing is written. Stdout gets the folder.
    """
    from wsframework.cli.network import example_input, network_named
    from wsframework.cli.story import Story
    from wsframework.zoos import import_zoo

    if network is None and (arguments or inputs):
        raise RequestError("--arg and --input are for a network; name it with --network MODULE:FACTORY")
    module = None if network is None else network_named(network, arguments or [])
    called = {"network": network, "arguments": arguments or [], "inputs": inputs or []}
    if module is None:
        typer.echo("no --network: symmetries unknown, a space without free dims", err=True)
    examples = tuple(example_input(text) for text in inputs or [])
    with Story() as story:
        import_zoo(paths, tasks, out, network=module, inputs=examples, called=called, observer=story)
    _tell(out, as_json)


@zoo.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Of the zoo.")],
    out: Out,
    states: Annotated[
        bool, typer.Option("--state-dicts", help="A file for each network, and tasks.csv: what import takes.")
    ] = False,
) -> None:
    """Write a zoo as a folder that model hubs take: safetensors, JSON and a card. Stdout gets the folder."""
    from wsframework.zoos import export_states, export_zoo

    typer.echo((export_states if states else export_zoo)(folder, out))


@zoo.command()
def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Of the zoos, two or more.")],
    out: Out,
    as_json: Json = False,
) -> None:
    """Make one zoo of several of one weight space. Stdout gets the folder."""
    from wsframework.zoos import merge_zoos

    merge_zoos(folders, out)
    _tell(out, as_json)


def _tell(folder: Path, as_json: bool) -> None:
    """The result on stdout."""
    from wsframework.zoos import summary

    typer.echo(json.dumps(summary(folder), indent=2) if as_json else folder)


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False, markup=False)
    _print_counts(console, found)
    for name in ("loss", "metric"):
        _print_histogram(console, name, found[name])
    if found["checkpoints"]:
        way = ", ".join(f"{kept['epoch']} ({_figure(kept['loss'])})" for kept in found["checkpoints"])
        console.print(f"\nkept along training after epochs (mean loss): {way}")
    _print_tasks(console, found)
    _print_recipe(console, found)
    for sentence in found["damage"]:
        console.print(f"damaged: {sentence}", style="bold red")


def _print_counts(console: Console, found: dict[str, Any]) -> None:
    lost = found["networks"] - found["readable"]
    console.print(
        f"{found['networks']:,} networks in {found['blocks']:,} blocks, {_size(found['bytes'])} on disk"
        + (f"; {lost:,} of them can't be read" if lost else "")
    )
    console.print(f"{'; '.join(found['architectures'])}")
    console.print(f"{found['parameters']:,} weights each, {', '.join(found['dtypes'])}")
    free = ", ".join(f"{dim['dim']}={dim['size']}" for dim in found["free"])
    console.print(f"free dims: {free}" if free else "free dims: none")


def _print_histogram(console: Console, name: str, figures: dict[str, Any] | None) -> None:
    if figures is None:
        console.print(f"\n{name}: not known")
        return
    ends = f"{figures['least']:.4g} to {figures['greatest']:.4g}, mean {figures['mean']:.4g}"
    console.print(f"\n{name}: {ends}")
    most = max(figures["counts"])
    for low, count in zip(figures["edges"], figures["counts"], strict=False):
        console.print(f"  from {low:<10.4g} {'█' * round(BAR * count / most)} {count}")


def _print_tasks(console: Console, found: dict[str, Any]) -> None:
    tasks = found["tasks"]
    trained = sum(task["networks"] > 0 for task in tasks)
    code = f"codes of {found['code']} numbers" if found["code"] else "no codes"
    console.print(f"\n{len(tasks):,} tasks, {trained:,} of them with networks; {code}")
    for task in tasks[:5]:
        console.print(f"  {task['name']}: {task['networks']}")
    if len(tasks) > 5:
        console.print(f"  and {len(tasks) - 5:,} more (--json has all)")


def _print_recipe(console: Console, found: dict[str, Any]) -> None:
    merged = found["recipe"].get("merged")
    recipe = f"those of {len(merged)} zoos (--json has them)" if merged else json.dumps(found["recipe"])
    console.print(f"\nrecipe: {recipe}")
    if found["seconds"]:
        console.print(f"trained in {found['seconds']:.1f} s")
    console.print(f"content: {found['content']}")


def _figure(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4g}"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
