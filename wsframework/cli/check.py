"""``wsf check``: does a part keep what it promises?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsframework.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from wsframework.testing import Finding, Subject


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
    from wsframework.testing import Subject

    registry, chosen = load_registry(), _options(options or ())
    subjects = [Subject(part, chosen, examples=examples, registry=registry) for part in find_all(registry, name)]
    findings = _judged(subjects)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    if any(finding.verdict == "refuted" for finding in findings):
        raise typer.Exit(1)


def _judged(subjects: Sequence[Subject]) -> list[Finding]:
    """What the suite finds of every subject, told on stderr while it works."""
    from rich.console import Console

    from wsframework.testing import judge

    findings: list[Finding] = []
    with Console(stderr=True).status("checking") as status:
        for subject in subjects:
            for found in judge(subject):
                findings.append(found)
                status.update(f"checking {subject}: {len(findings)} checks done")
    return findings


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

    console = Console()
    for part in dict.fromkeys((found.kind, found.part) for found in findings):
        of_part = [found for found in findings if (found.kind, found.part) == part]
        console.print(f"\n{part[0]}:{part[1]}", style="bold", markup=False)
        console.print(_table(of_part))
        for found, detail in _details(of_part):
            console.print(f"\n{found.check} {found.verdict}: {detail}", markup=False, highlight=False)
    console.print(f"\n{_summary(findings)}", highlight=False)


def _details(findings: Sequence[Finding]) -> Iterator[tuple[Finding, str]]:
    """What there is to say of findings; an exception that comes from one place in the part, once in full."""
    told: dict[str, str] = {}
    for found in (f for f in findings if f.detail):
        first = told.setdefault(found.raised, found.check) if found.raised else found.check
        yield found, found.detail if first == found.check else f"{found.raised} again, as under {first} above"


def _table(findings: Sequence[Finding]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("check", "verdict", "promise", box=None, header_style="bold", pad_edge=False)
    for found in findings:
        color = {"holds": "green", "refuted": "bold red"}.get(found.verdict, "dim")
        table.add_row(found.check, f"[{color}]{found.verdict}[/]", escape(found.promise))
    return table


def _summary(findings: Sequence[Finding]) -> str:
    counts = {verdict: sum(f.verdict == verdict for f in findings) for verdict in ("holds", "refuted")}
    seconds = sum(f.seconds for f in findings)
    return f"{counts['holds']} promises hold, {counts['refuted']} are refuted ({seconds:.1f} s)"
