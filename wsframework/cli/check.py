"""``wsf check``: does a part keep what it promises?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsframework.errors import ConfigError

if TYPE_CHECKING:
    from wsframework.testing import Finding


def check(
    name: Annotated[
        str, typer.Argument(help="A part (NAME or KIND:NAME), a plugin, a module, or a file ending in .py.")
    ],
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="Set an option of the part; repeatable.")
    ] = None,
    examples: Annotated[int, typer.Option(min=1, help="Cases that are generated for each check.")] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try every promise of a part's interface, and its claim of symmetry, on generated cases.

    A table says which hold; a promise that is broken comes with the smallest case found. Exit code 1 if any is.
    """
    from wsframework.cli.finding import find_all
    from wsframework.parts.entrypoints import load_registry
    from wsframework.testing import Subject, judge

    registry, chosen = load_registry(), _options(options or ())
    subjects = [Subject(part, chosen, examples=examples, registry=registry) for part in find_all(registry, name)]
    findings = [found for subject in subjects for found in judge(subject)]
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    if any(finding.verdict == "refuted" for finding in findings):
        raise typer.Exit(1)


def _options(texts: Sequence[str]) -> dict[str, Any]:
    """The options that ``--set`` states.

    Raises:
        ConfigError: with a sentence for each that is none.
    """
    from wsframework.config.changing import changed, parse_changes

    mistakes: list[str] = []
    options = changed({}, parse_changes(tuple(texts), mistakes), mistakes)
    if mistakes:
        raise ConfigError("wsf check", mistakes)
    return options


def _print(findings: Sequence[Finding]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table("part", "check", "verdict", "promise", box=None, header_style="bold", pad_edge=False)
    previous = ""
    for found in findings:
        part = f"{found.kind}:{found.part}"
        color = {"holds": "green", "refuted": "bold red"}.get(found.verdict, "dim")
        cells = "" if part == previous else escape(part), found.check, f"[{color}]{found.verdict}[/]"
        table.add_row(*cells, escape(found.promise))
        previous = part
    console.print(table)
    for found in (f for f in findings if f.detail):
        console.print(f"\n{found.check} {found.verdict}. {found.detail}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"\n{_summary(findings)}")


def _summary(findings: Sequence[Finding]) -> str:
    counts = {verdict: sum(f.verdict == verdict for f in findings) for verdict in ("holds", "refuted")}
    seconds = sum(f.seconds for f in findings)
    return f"{counts['holds']} promises hold, {counts['refuted']} are refuted ({seconds:.1f} s)"
