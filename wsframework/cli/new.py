"""``wsf new``: begin something of one's own."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wsframework.errors import RequestError

if TYPE_CHECKING:
    from wsframework.cli.distribution import Distribution
    from wsframework.parts.registry import Registry

new = typer.Typer(no_args_is_help=True, help="Begin something of your own.")


@new.callback()
def begin() -> None:
    """Begin something of your own."""


@new.command()
def plugin(
    name: Annotated[str, typer.Argument(help="What a config will write after `use =`, such as 'deepsets'.")],
    kind: Annotated[
        str,
        typer.Option(
            help="architecture, conditioner, denoiser, encoder, features, initializer, scheduler or task_family.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where its folder is made.")] = Path(),
) -> None:
    """Write a plugin with one part: a distribution of its own, which passes every check as it stands.

    Its folder NAME has the module, a test, a README and pyproject.toml. Nothing that exists is overwritten.
    """
    from wsframework.cli.distribution import Distribution
    from wsframework.parts.entrypoints import load_registry

    registry, begun = load_registry(), Distribution(name, kind.replace("-", "_"))
    if mistakes := list(_mistakes(registry, begun, out)):
        raise RequestError("; ".join(mistakes))
    folder = begun.write(out)
    typer.echo(folder)
    typer.echo(f"Install it with `pip install -e {folder}`, then try `wsf check {begun.kind}:{name}`.", err=True)


def _mistakes(registry: Registry, begun: Distribution, out: Path) -> Iterator[str]:
    """Everything that keeps the distribution from being written.

    Raises:
        PartError: if there is no such kind.
    """
    from wsframework.parts.contract import NAME

    name, parts = begun.name, registry.parts(begun.kind)
    if not NAME.fullmatch(name):
        yield f"{name!r} is no name of a part; one is in lower case, such as 'deepsets' or 'mlp_unet'"
        return
    if name in parts:
        yield f"plugin {registry.plugin_of(parts[name])!r} has a {begun.kind} {name!r} already"
    elif name in {*registry.plugins, *registry.broken}:
        yield f"there is a plugin {name!r} already"
    elif importlib.util.find_spec(begun.module) is not None:
        yield f"there is a module {begun.module!r} already"
    if (out / name).exists():
        yield f"{out / name} exists already"
